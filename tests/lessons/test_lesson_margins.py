"""What the lesson ``margins`` claims, on its own values."""

import numpy as np


def test_scores_of_both_classes_peak_on_their_side_and_cross_a_little(lesson):
    even, _ = np.histogram(lesson.scores[lesson.y < 0], lesson.bins)
    odd, _ = np.histogram(lesson.scores[lesson.y > 0], lesson.bins)
    assert np.isclose(lesson.bins[even.argmax()], -0.9, atol=0.15)
    assert np.isclose(lesson.bins[odd.argmax()], 0.8, atol=0.15)
    assert 0.05 < np.mean(lesson.m <= 0) < 0.12


def test_the_images_shown_are_as_described(lesson):
    wrong, boundary, right = lesson.rows.values()
    assert lesson.digits[wrong].tolist() == [8, 1, 4, 1]
    assert lesson.m[wrong].min() > -0.91
    assert lesson.m[wrong].max() < -0.65
    assert np.abs(lesson.m[boundary]).max() < 0.01
    assert lesson.digits[right].tolist() == [6, 6, 6, 6]
    assert lesson.m[right].min() > 1.6


def test_the_squared_error_depends_on_the_margin_alone(lesson):
    assert np.allclose((lesson.scores - lesson.y) ** 2, (lesson.m - 1) ** 2)


def test_margin_3_costs_as_much_as_margin_minus_1(lesson):
    costs = np.interp([-1, 3], lesson.margins, lesson.squared)
    assert np.allclose(costs, 4)


def test_margins_above_1_cost_something(lesson):
    assert 0.02 < lesson.cost[lesson.above].sum() / lesson.cost.sum() < 0.1


def test_a_factor_changes_no_answer_and_no_distance(lesson):
    assert np.array_equal(lesson.factored > 0, lesson.m > 0)
    assert np.isclose(lesson.factored.max(), 10 * lesson.m.max())
    length = np.linalg.norm(lesson.w.data)
    assert np.isclose(lesson.factored.max() / lesson.size, lesson.m.max() / length)


def test_loss_explodes_while_no_answer_changes(lesson):
    assert np.mean((lesson.factor_that_breaks * lesson.scores - lesson.y) ** 2) > 10
