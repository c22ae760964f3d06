"""What the lesson ``boundary`` claims, on its own values."""

import numpy as np


def test_each_mean_loss_is_lowest_where_the_text_says(lesson):
    assert lesson.lowest == {"log": 0.85, "exponential": 0.42, "hinge": 1.0}


def test_the_slope_of_the_mean_loss_at_the_boundary(lesson):
    for r in (0.2, 0.5, 0.7):
        for loss in (lesson.losses.logistic, lesson.losses.exponential, lesson.losses.hinge):
            expected = (2 * r - 1) * lesson.grad(loss)(0.0, 1.0)
            assert np.isclose(lesson.slope_at_0(loss, r), expected)
            assert lesson.grad(loss)(0.0, 1.0) < 0


def test_a_kink_at_the_boundary_gives_no_answer(lesson):
    assert lesson.s[lesson.curve.argmin()] == 0
    assert np.isclose(lesson.curve[301] - lesson.curve[300], 0.01 * 0.5), "the slope right of 0"
    assert lesson.curve[299] > lesson.curve[300]


def test_the_harsh_loss_is_four_times_as_steep_for_wrong_answers(lesson):
    assert lesson.harsh(-2.0, 1.0) - lesson.harsh(-1.0, 1.0) == 4
    assert np.isclose(lesson.harsh(0.5, 1.0), lesson.losses.hinge(0.5, 1.0))


def test_the_best_scores_are_as_described(lesson):
    log_odds = np.log(lesson.shares / (1 - lesson.shares))
    assert np.allclose(lesson.best["log"], log_odds, atol=0.006)
    assert np.allclose(lesson.best["exponential"], log_odds / 2, atol=0.006)
    assert np.isclose(lesson.best["log"][-1], 2.75)
    away = np.abs(lesson.shares - 0.5) > 0.01
    majority = np.sign(lesson.shares - 0.5)
    assert np.array_equal(lesson.best["hinge"][away], majority[away])
    decided = np.abs(lesson.shares - 0.5) > 0.301
    undecided = np.abs(lesson.shares - 0.5) < 0.299
    assert np.array_equal(lesson.best["harsh"][decided], majority[decided])
    assert not lesson.best["harsh"][undecided].any()


def test_most_of_the_pull_comes_from_near_the_boundary(lesson):
    share = lesson.pull[lesson.near].sum() / lesson.pull.sum()
    assert lesson.near.mean() < 0.5 < share
