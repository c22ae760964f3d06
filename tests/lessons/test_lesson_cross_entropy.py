"""What the lesson ``cross_entropy`` claims, on its own values."""

import warnings

import numpy as np
import pytest


def test_the_curve_passes_the_dots(lesson):
    assert np.interp([0.1, 0.5, 1.0], lesson.p, lesson.loss_of_p).round(2).tolist() == [
        2.3,
        0.69,
        0,
    ]


def test_the_sum_is_what_the_library_computes(lesson):
    assert np.isclose(lesson.each.mean(), lesson.losses.cross_entropy(lesson.scores, lesson.labels))


def test_a_guess_costs_log_k(lesson):
    for classes in (2, 3, 10, 1000):
        assert np.isclose(lesson.losses.cross_entropy(np.zeros(classes), 0), np.log(classes))


def test_two_steps_are_infinite_and_one_is_not(lesson):
    assert np.isinf(lesson.in_two_steps)
    assert lesson.losses.cross_entropy(lesson.far, 1) == 1000


def test_the_slope_is_p_minus_t(lesson):
    assert np.allclose(lesson.slopes, lesson.probabilities - lesson.t)


def test_three_names_are_one_number(lesson):
    first, *others = lesson.three_names.values()
    assert np.allclose(others, first)


def test_it_starts_from_log_10_and_learns(lesson):
    assert np.isclose(lesson.history[0], np.log(10))
    assert lesson.history[-1] < 0.3
    assert lesson.accuracy > 0.93


def test_the_worst_mistakes_are_as_described(lesson):
    assert lesson.sure[lesson.worst].min() > 0.5
    truth = lesson.p_held[lesson.worst, lesson.y_held[lesson.worst]]
    assert np.all(truth < lesson.sure[lesson.worst])
    assert len(lesson.worst) == 5


def test_probabilities_as_scores_are_warned_of(lesson):
    with pytest.warns(UserWarning, match="probabilities"):
        lesson.losses.cross_entropy(lesson.softmax(lesson.scores_held), lesson.y_held)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lesson.losses.cross_entropy(lesson.scores_held, lesson.y_held)
