"""What the lesson ``cross_entropy`` claims, on its own values."""

import warnings

import numpy as np
import pytest
from figures import assert_page_follows
from reader import assert_programs_give


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


SCORES = np.array([1.0, 2.0, -1.0])


def test_sure_and_wrong_a_guess_and_sure_and_right(lesson):
    wrong = lesson.verdict(SCORES, 0.1, "A")
    assert np.isclose(wrong["loss (nats)"], 10, atol=1e-3)
    slopes = wrong["slopes"].marks[1].arrays["y"]
    assert np.isclose(slopes[0], -1, atol=1e-3)
    assert np.isclose(np.sum(slopes), 0)
    guess = lesson.verdict(SCORES, 10.0, "A")
    assert np.isclose(guess["loss (nats)"], np.log(3), atol=0.05)
    ahead = np.array([3.0, 2.0, -1.0])
    costs = [lesson.verdict(ahead, heat, "A")["loss (nats)"] for heat in (0.1, 1.0, 10.0)]
    assert costs == sorted(costs)


def test_all_probabilities_lie_on_the_curve(lesson):
    for heat in (0.3, 1.0, 5.0):
        curve, dots = lesson.verdict(SCORES, heat, "A")["scores"].marks
        on_it = np.interp(SCORES, curve.arrays["x"], curve.arrays["y"])
        assert np.allclose(on_it, dots.arrays["y"])


def drawn(*pixels):
    """An image by the soft pen of the page: rows and columns of what is painted."""
    image = np.zeros((8, 8))
    for row, column in pixels:
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= r < 8 and 0 <= c < 8:
                image[r, c] = max(image[r, c], 0.3)
        image[row, column] = 1.0
    return image


HALF = [(0, 3), (0, 4), (1, 2), (1, 5), (2, 2), (2, 5), (3, 1), (3, 6)]
RING = [*HALF, *[(7 - row, column) for row, column in HALF]]
HOLE = [(3, 3), (3, 4), (4, 3), (4, 4)]


def test_two_pixels_made_the_mistake(lesson):
    image = lesson.x_held[lesson.first].copy()
    first = lesson.reading(image.reshape(8, 8), 1)
    assert lesson.y_held[lesson.first] == 6
    assert first["answer"] == lesson.read[lesson.first] == 1
    votes = first["votes"].marks[0].arrays["values"].ravel()
    image[np.argsort(votes)[-2:]] = 0.0
    assert lesson.reading(image.reshape(8, 8), 6)["answer"] == 6


def test_what_is_drawn_is_read_as_the_text_says(lesson):
    def read(*pixels):
        return lesson.reading(drawn(*pixels), 0)["answer"]

    assert read(*RING) == 0
    assert read(*RING, *HOLE) != 0
    assert read(*[(row, 4) for row in range(8)]) == 1
    assert read(*[(row, 2) for row in range(8)]) != 1


def test_votes_add_up_to_the_score(lesson):
    for digit in range(10):
        found = lesson.reading(drawn(*RING), digit)
        votes = found["votes"].marks[0].arrays["values"]
        (bars,) = found["scores"].marks
        assert np.isclose(np.sum(votes) + lesson.b_short[digit], bars.arrays["y"][digit])


def test_the_figure_of_a_verdict_in_a_browser(lesson, touch):
    settings = [
        {"scores": np.array([6.0, 2.0, -6.0]), "temperature": heat, "true": true}
        for heat, true in ((0.1, "B"), (1.0, "A"), (10.0, "C"))
    ]
    assert_programs_give(touch("page of verdict("), lesson.verdict, settings)
    assert_page_follows(touch("page of verdict(", width=400))


def test_the_figure_of_reading_in_a_browser(lesson, touch):
    settings = [{"image": drawn(*RING), "digit": 8}, {"image": np.zeros((8, 8)), "digit": 0}]
    assert_programs_give(touch("page of reading("), lesson.reading, settings)
    assert_page_follows(touch("page of reading(", width=400))
