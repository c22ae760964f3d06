"""What the lesson ``own_loss`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert "2 of 4 elements" in lesson.complaint, (
        "check_grads finds the wrong slope, beyond delta only"
    )
    assert np.array_equal([lesson.trapped, lesson.safe], [np.nan, 0], equal_nan=True), (
        "two where cure log(0)"
    )
    assert lesson.grad(lesson.huber)(6.0) == lesson.grad(lesson.huber)(1.0) == 1, (
        "Huber pulls no harder beyond delta"
    )
    assert abs(lesson.by_huber[0] - 0.5) < abs(lesson.by_mse[0] - 0.5) / 2, (
        "Huber is nearer to the true slope"
    )
    assert np.isclose(lesson.focal(np.log(9), 1), -0.01 * np.log(0.9)), "a hundredth at p = 0.9"
    said_by_bce, said_by_focal = (
        lesson.sigmoid(a * lesson.test_x + b).mean() for a, b in (lesson.by_bce, lesson.by_focal)
    )
    assert abs(said_by_bce - 0.05) < 0.01 < 0.1 < said_by_focal, "only cross entropy says how rare"
    assert (
        abs(lesson.by_bce[1] / lesson.by_bce[0] - lesson.by_focal[1] / lesson.by_focal[0]) < 0.1
    ), "they decide nearly alike"
