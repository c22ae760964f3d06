"""What the lesson ``optimizers`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert 1e4 * lesson.lowest["momentum"] < 100 * lesson.lowest["SGD"] < lesson.lowest["Adam"], (
        "momentum is the fastest"
    )
    ways = [
        lesson.descend("Adam", lambda w, c=c: c * lesson.bowl(w), lesson.start, lesson.lrs[20])
        for c in (1, 100)
    ]
    assert np.allclose(*ways, atol=1e-6), "Adam goes the same way where it is 100 times as steep"
    waited = [np.argmax(lesson.hills(path.T) < 0.9) for path in lesson.beside.values()]
    assert waited[0] > 1.4 * waited[1] > 5 * waited[2] > 0, "Adam waits the least, SGD longest"
    assert not any(path[:, 0].any() for path in lesson.ridge.values()), "all stay on the ridge"
    assert all(0.45 < share < 0.6 for share in lesson.deeper.values()), (
        "about half reach deeper valleys"
    )
    constant, *others = (each[-1] for each in lesson.losses.values())
    assert max(others) < constant / 20, "schedules leave the noise behind"
