"""What the lesson ``own_loss`` claims, on its own values."""

import numpy as np


def test_complaint_shows_the_slopes_themselves(lesson):
    assert "2 of 4 elements" in lesson.complaint, "beyond delta only"
    rows = [line.split() for line in lesson.complaint.splitlines()[2:4]]
    assert [(float(row[2]), float(row[3])) for row in rows] == [(-3, -1), (2, 1)]


def test_where(lesson):
    assert np.isnan(lesson.slope_trapped)
    assert lesson.slope_safe == 0


def test_huber(lesson):
    assert lesson.grad(lesson.huber)(6.0) == lesson.grad(lesson.huber)(1.0) == 1
    assert abs(lesson.by_huber[0] - 0.5) < abs(lesson.by_square[0] - 0.5) / 2
    assert lesson.by_square[0] < 0.3, "nearly flat"


def test_focal(lesson):
    assert np.isclose(lesson.focal(np.log(9), 1), -0.01 * np.log(0.9)), "a hundredth at p = 0.9"
    wide = np.array([-800.0, -40.0, 0.0, 40.0, 800.0])
    for gamma in (0.5, 2.0):
        slopes = lesson.grad(lambda s, gamma=gamma: lesson.focal(s, 1, gamma).sum())(wide)
        assert np.isfinite(slopes).all()
        assert np.isfinite(lesson.focal(wide, 1, gamma)).all()


def test_what_focal_loss_changes(lesson):
    said = [lesson.sigmoid(a * lesson.x_test + b) for a, b in (lesson.by_entropy, lesson.by_focal)]
    assert abs(said[0].mean() - 0.05) < 0.01 < 0.1 < said[1].mean()
    turns = [-b / a for a, b in (lesson.by_entropy, lesson.by_focal)]
    assert abs(turns[0] - turns[1]) < 0.1, "they decide nearly alike"
    finds = [np.mean(each[lesson.t_test == 1] > 0.5) for each in said]
    assert abs(finds[0] - finds[1]) < 0.04


def test_bread(lesson):
    sold = np.random.default_rng(0).normal(100, 10, 10_000)
    baked = np.linspace(80, 120, 401)
    cost = [lesson.baker(each - sold).mean() for each in baked]
    assert abs(np.mean(sold < baked[np.argmin(cost)]) - 0.75) < 0.02
