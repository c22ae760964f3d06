"""What the lesson ``derivative`` claims, on its own values."""

import numpy as np

from tinygrad_edu.testing import check_grads


def test_claims(lesson):
    check_grads(lesson.loss, lesson.scores)
    assert np.allclose(lesson.falls, [1, 2, 4, 2], atol=0.1), (
        "truncation should fall as h, h², h⁴ and h²"
    )
    assert np.allclose(lesson.grows, [-1, -1, -1, 0], atol=0.15), (
        "rounding should grow as 1/h, or not at all"
    )
    tips = np.finfo(float).eps ** (
        1 / np.array([2, 3, 5])
    )  # where h, h², h⁴ are as large as eps / h
    assert np.all(np.abs(np.log10(lesson.best[:3] / tips)) < 1), (
        "best steps should be where the errors meet"
    )
    assert np.all(np.abs(lesson.digits - [8, 10.5, 12.5, 15.5]) < 1), (
        "digits: half, more, more, all"
    )
    assert np.allclose(lesson.errors[1, 56:], lesson.errors[3, 56:], rtol=0.3), (
        "complex and central should agree"
    )
    assert max(lesson.errors[3, lesson.hs < 1e-8].max(), lesson.engine) < 2e-15, (
        "complex step, engine: not to last digits"
    )
