"""What the lesson ``landscape`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    under, at, over = lesson.paths.values()
    assert lesson.bowl(under[-1]) < 1e-3 < lesson.bowl(over[0]) < lesson.bowl(over[-1]), (
        "descent from below the limit only"
    )
    assert np.allclose(np.abs(at[:, 1]), 1), (
        "at the limit, a step leads just as far to the other side"
    )
    assert np.allclose(lesson.minima, lesson.critical[lesson.kinds == "minimum"], atol=1e-5), (
        "descent ends in the minima"
    )
    assert sorted(lesson.kinds) == ["maximum"] + 4 * ["minimum"] + 4 * ["saddle"], (
        "nine critical points"
    )
    assert not lesson.ridge[:, 0].any(), "descent stays on the ridge"
    assert np.allclose(lesson.ridge[-1], [0, 1]), "on the ridge, descent stops at the saddle"
    assert lesson.hills(lesson.beside[-1]) < 0.43 < 0.97 < lesson.hills(lesson.beside[14]) < 1, (
        "beside it waits, then escapes"
    )
