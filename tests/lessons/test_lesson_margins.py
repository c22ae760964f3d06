"""What the lesson ``margins`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert all(abs(each[300] - 1) < 1e-9 for each in lesson.value.values()), (
        "they do not meet at (0, 1)"
    )
    assert not lesson.slope[lesson.losses.zero_one].any(), "the 0/1 loss has a slope"
    assert np.array_equal(lesson.trained[lesson.losses.zero_one][0], lesson.start), (
        "the 0/1 loss has moved a weight"
    )
    assert all(
        lesson.grad(f)([-99.0], [1.0]) >= -1
        for f in lesson.four
        if f is not lesson.losses.exponential
    ), "too steep"
    assert all(lesson.errors[loss] < 0.08 for loss in lesson.four[:3]), (
        "a loss with a slope has not learned"
    )
    assert lesson.best.pop("hinge + 3 max(0, -m)") == 0 < min(lesson.best.values()), (
        "a kink at 0 does no harm"
    )
    assert (
        lesson.share[lesson.losses.exponential] > 0.9 > 0.2 > lesson.share[lesson.losses.logistic]
    ), "one point is not loud"
    assert lesson.after[lesson.losses.exponential] > 0.07 > lesson.after[lesson.losses.hinge], (
        "one wrong label does no harm"
    )
