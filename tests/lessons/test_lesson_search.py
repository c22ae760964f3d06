"""What the lesson ``search`` claims, on its own values."""

import numpy as np


def test_all_three_find_two_weights(lesson):
    assert max(lesson.lowest.values()) < np.min(lesson.surface) + 0.03
    assert len(lesson.tried["exhaustive search"]) == 49
    assert 5 * len(lesson.tried["slope"]) == len(lesson.tried["random search"]) == 50


def test_the_lowest_point_is_at_the_upper_left(lesson):
    first, second = lesson.tried["slope"][-1]
    assert first < -3
    assert second > 2.5


def test_the_more_weights_the_further_the_slope_is_ahead(lesson):
    reached = lesson.reached
    assert 0.45 < reached["random search", 64] < 0.55
    assert lesson.lowest["slope"] < reached["random search", 64]
    assert reached["slope", 64] < reached["random steps", 64] < reached["slope", 64] + 0.06
    assert np.isclose(reached["random search", 640], 2.2, atol=0.1)
    assert np.isclose(reached["random steps", 640], 0.7, atol=0.1)
    assert np.isclose(reached["slope", 640], 0.1, atol=0.05)
    assert reached["random steps", 640] > 3 * reached["slope", 640]


def test_the_error_of_the_tangent_falls_as_the_square(lesson):
    assert abs(lesson.powers[0] - 2) < 0.05
    assert abs(lesson.powers[1] - 1) < 0.05
    at = np.array([lesson.odd_or_even(h * lesson.downhill) for h in (0.2, 0.1)])
    errors = at - (lesson.value - lesson.steepness * np.array([0.2, 0.1]))
    assert 3.5 < errors[0] / errors[1] < 4.5


def test_against_the_gradient_is_steepest(lesson):
    assert np.isclose(lesson.g @ lesson.downhill, -lesson.steepness)


def test_the_more_weights_the_more_level_is_a_random_direction(lesson):
    for count, share in lesson.shares.items():
        if count > 2:
            assert np.isclose(share, np.sqrt(2 / np.pi / count), rtol=0.1)
    assert np.isclose(lesson.shares[2], 2 / np.pi, rtol=0.1)


def test_random_steps_of_the_exercise_pay_more(lesson):
    assert lesson.odd_or_even(lesson.found) < 0.19
    assert lesson.by_slope[-1] < 0.185
