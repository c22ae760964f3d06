"""What the lesson ``optimizers`` claims, on its own values."""

import numpy as np
import pytest


def test_momentum_is_fastest_in_the_valley(lesson):
    lowest = lesson.lowest
    assert 1e4 * lowest["momentum"] < 100 * lowest["SGD"] < lowest["Adam"]


def test_scale(lesson):
    plain = lesson.descend("Adam", lesson.valley, lesson.start, 0.1)
    steep = lesson.descend("Adam", lesson.steep_valley, lesson.start, 0.1)
    assert np.allclose(plain, steep, atol=1e-6), "Adam goes the same way"


@pytest.mark.parametrize("name", ["SGD", "momentum"])
def test_others_diverge_where_it_is_steep(lesson, name):
    path = lesson.descend(name, lesson.steep_valley, lesson.start, 0.1)
    assert not lesson.valley(path[-1]) < 1e6


def test_saddle(lesson):
    sgd, momentum, adam = lesson.waits
    assert sgd > 1.4 * momentum > 5 * adam / 2 > 0, "Adam waits the least, SGD longest"
    assert not any(path[:, 0].any() for path in lesson.on_ridge), "all stay on the ridge"
    assert all(np.allclose(path[-1], [0, 1], atol=0.01) for path in lesson.on_ridge)


def test_schedules(lesson):
    constant, *others = (losses[-1] for losses in lesson.curves.values())
    assert max(others) < constant / 20, "schedules leave the noise behind"
