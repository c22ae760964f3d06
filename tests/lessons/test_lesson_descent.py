"""What the lesson ``descent`` claims, on its own values."""

import numpy as np

from tinygrad_edu import losses


def test_learning_rates(lesson):
    distances = [np.abs(path - 2) for path in lesson.paths]
    for lr, distance in zip(lesson.rates, distances, strict=True):
        np.testing.assert_allclose(distance[1:], abs(1 - lr) * distance[:-1], atol=1e-12)
    assert distances[1][1] == 0, "at 1 / c one step is enough"
    assert distances[2][-1] < distances[2][0] < distances[3][-1], "beyond 2 / c it diverges"


def test_limit(lesson):
    below, at, above = lesson.valley_paths
    start = lesson.valley(below[0])
    assert lesson.limit == 0.25
    assert lesson.valley(below[-1]) < 1e-3, "below the limit the zigzag narrows"
    assert np.allclose(np.abs(at[:, 1]), 1), "at the limit it keeps its width"
    assert lesson.valley(above[-1]) > start, "above the limit it widens"


def test_momentum(lesson):
    assert lesson.valley(lesson.rolling[-1]) < lesson.valley(lesson.plain[-1]) / 10
    assert lesson.plain[:, 0].max() < 0 < lesson.rolling[:, 0].max(), "only momentum overshoots"


def test_not_convex(lesson):
    assert lesson.middle > lesson.ends.max(), "the straight line lies below the graph"
    assert 0.4 < lesson.deep.mean() < 0.6
    poor = lesson.hills(lesson.found[~lesson.deep].T)
    assert poor.min() > 0, "the others end in a poor minimum"
    assert lesson.starts[lesson.deep, 1].max() < lesson.starts[~lesson.deep, 1].min() + 0.3
    assert len(lesson.minima) == 4


def test_convex_losses_of_a_linear_classifier():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.choice([-1.0, 1.0], 20)
    digits = rng.integers(0, 4, 20)
    of_two = [lambda w: losses.logistic(x @ w, y), lambda w: losses.hinge(x @ w, y)]
    of_many = [lambda w: losses.cross_entropy(x @ w, digits)]
    for loss, shape in [(each, (3,)) for each in of_two] + [(each, (3, 4)) for each in of_many]:
        for _ in range(100):
            u, w = 3 * rng.normal(size=(2, *shape))
            r = rng.random()
            assert loss((1 - r) * u + r * w) <= (1 - r) * loss(u) + r * loss(w) + 1e-12


def test_saddle(lesson):
    assert not lesson.grad(lesson.hills)(lesson.at_saddle).any()
    assert not lesson.ridge[:, 0].any(), "descent stays on the ridge"
    assert np.allclose(lesson.ridge[-1], lesson.at_saddle), "and stops at the saddle"
    waiting = lesson.hills(lesson.beside.T)
    near = np.abs(waiting - 1) < 0.05
    assert 12 < near.sum() < 30, "beside it waits about 20 steps"
    assert waiting[-1] < 0.45, "and escapes"


def test_growth_of_the_broken_valley(lesson):
    path = lesson.descend(lesson.valley, lesson.start, 0.3, 30)
    growth = lesson.valley(path[-1]) / lesson.valley(path[0])
    assert growth > 1e8, "more than a hundred million times"
