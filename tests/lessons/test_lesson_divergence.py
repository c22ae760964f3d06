"""What the lesson ``divergence`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert lesson.KL(lesson.b, lesson.a) - lesson.KL(lesson.a, lesson.b) > 0.1, (
        "KL is the same both ways"
    )
    assert np.isinf(lesson.KL(lesson.b, lesson.sure)), (
        "to rule out what happens costs a finite number"
    )
    assert np.isclose(
        lesson.KL(lesson.a, lesson.c),
        2 * (lesson.KL(lesson.a, lesson.b) + lesson.KL(lesson.b, lesson.c)),
    ), "the detour is not half as long"
    assert np.allclose(lesson.cross - lesson.divergence, lesson.entropy), (
        "cross entropy is not entropy + KL"
    )
    assert np.allclose(lesson.slope, lesson.same), "cross entropy and KL have different slopes"
    assert abs(lesson.first[lesson.cross.argmin()] - 0.7) < 0.011, (
        "cross entropy is not lowest where q is p"
    )
    assert np.allclose(lesson.means, [lesson.moments[0], -2.5, 2.5], atol=0.1), (
        "a fit has another mean"
    )
    assert np.allclose(lesson.widths, [lesson.moments[1], 0.8, 0.8], atol=0.1), (
        "a fit has another width"
    )
    assert lesson.x[lesson.missed.argmax()] > 2, "forward, the missed peak is not what costs most"
    assert abs(lesson.x[lesson.filled.argmax()]) < 1, "reverse, the gap is not what costs most"
