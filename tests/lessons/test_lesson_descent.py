"""What the lesson ``descent`` claims, on its own values."""

import numpy as np
from figures import assert_page_follows
from reader import assert_programs_give

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


def end(lesson, **changed):
    """Where a run on the line ends; by default, the first one of the figure."""
    setting = {"start": 4.9, "lr": 0.2, "momentum": 0.0, "noise": 0.0, "loss": "two minima"}
    setting |= changed
    setting["start"] = np.array([setting["start"]])
    with np.errstate(all="ignore"):
        return lesson.on_a_line(**setting)["w at the end"]


def test_what_gets_a_run_into_the_deeper_valley(lesson):
    assert np.isclose(end(lesson), 3.95, atol=0.01)
    for changed in ({"start": 2.0}, {"momentum": 0.8}, {"momentum": 0.9}, {"noise": 3.0}):
        assert abs(end(lesson, **changed)) < 0.6, changed
    for changed in ({"start": 2.2}, {"momentum": 0.7}, {"noise": 1.0}):
        assert abs(end(lesson, **changed) - 4) < 0.3, changed
    assert 0.3 < abs(end(lesson, momentum=0.95) - 4) < 1, "still swinging"
    assert end(lesson, lr=0.5) < 0.5
    assert not np.isfinite(end(lesson, lr=0.9))


def test_the_bowl_arrives_in_one_step_and_diverges_beyond_2(lesson):
    path = lesson.on_a_line(np.array([4.9]), 1.0, 0.0, 0.0, "bowl")["path"].marks[1]
    assert np.all(path.arrays["x"][1:] == 2)
    assert abs(end(lesson, lr=1.9, loss="bowl") - 2) < 0.1
    assert abs(end(lesson, lr=2.1, loss="bowl") - 2) > 50


def place(lesson, start=(1.6, 0.0), lr=0.05, momentum=0.0, noise=0.0, loss="saddle"):
    """Where a run in the plane ends; by default, the first one of the figure."""
    found = lesson.in_the_plane(np.array([start]), lr, momentum, noise, loss)
    return np.array([found["path"].marks[1].arrays[axis][-1] for axis in "xy"])


def test_noise_or_a_start_beside_the_ridge_leaves_the_saddle(lesson):
    assert np.allclose(place(lesson), 0, atol=0.03)
    assert abs(place(lesson, noise=0.3)[1]) > 0.7
    assert abs(place(lesson, start=(1.6, 0.04))[1]) > 1.5


def test_in_the_bowl_momentum_helps_where_the_learning_rate_is_too_small(lesson):
    assert abs(place(lesson, (1.6, 1.0), 0.02, loss="bowl")[0]) > 0.5
    assert np.all(abs(place(lesson, (1.6, 1.0), 0.02, 0.8, loss="bowl")) < 0.05)
    zigzag = lesson.in_the_plane(np.array([[1.6, 1.0]]), 0.24, 0.0, 0.0, "bowl")
    assert np.all(np.diff(np.sign(zigzag["path"].marks[1].arrays["y"])) != 0)


def test_the_start_or_momentum_decides_between_two_minima(lesson):
    assert np.isclose(place(lesson, loss="two minima")[0], 1, atol=0.1)
    assert np.isclose(place(lesson, (-1.6, 0.0), loss="two minima")[0], -1, atol=0.1)
    assert np.isclose(place(lesson, momentum=0.8, loss="two minima")[0], -1, atol=0.1)


def test_the_figure_of_a_line_in_a_browser(lesson, touch):
    names = ("start", "lr", "momentum", "noise", "loss")
    settings = [
        (np.array([4.9]), 0.2, 0.9, 0.0, "two minima"),
        (np.array([1.0]), 0.1, 0.0, 3.0, "two minima"),
        (np.array([-1.0]), 2.1, 0.0, 0.0, "bowl"),
    ]
    settings = [dict(zip(names, each, strict=True)) for each in settings]
    assert_programs_give(touch("page of on_a_line("), lesson.on_a_line, settings)
    assert_page_follows(touch("page of on_a_line(", width=400))


def test_the_figure_of_the_plane_in_a_browser(lesson, touch):
    settings = [
        {"start": np.array([[1.6, y]]), "lr": 0.05, "momentum": 0.5, "noise": noise, "loss": loss}
        for loss, y, noise in (("saddle", 0.0, 0.3), ("bowl", 1.0, 0.0), ("two minima", -1.0, 1.0))
    ]
    assert_programs_give(touch("page of in_the_plane("), lesson.in_the_plane, settings)
    assert_page_follows(touch("page of in_the_plane(", width=400))
