"""What the lesson ``noise`` claims, on its own values."""

import numpy as np


def test_who_arrives(lesson):
    one, two, four, all_of_them = (there[-1] for there in lesson.arrived)
    assert one > 90 > two > 30, "small batches leave the poor minimum"
    assert 15 > four >= all_of_them == 0, "large ones stay"
    assert np.ptp(lesson.paths[-1][-1]) < 1e-9, "runs of all examples are alike"


def test_the_poor_minimum(lesson):
    assert 0 < lesson.poor < 0.2
    poor, best = lesson.errors(np.array([lesson.poor, 2.0]), lesson.everything).mean(axis=1)
    assert poor > 0.3
    assert best < 1e-12
    hill = lesson.grid[(lesson.grid > 0) & (lesson.grid < 2)]
    top = hill[lesson.errors(hill, lesson.everything).mean(axis=1).argmax()]
    assert 0.5 < top < 1.1, top


def test_disagreement(lesson):
    poor, best = lesson.slopes_of_examples["poor"], lesson.slopes_of_examples["best"]
    assert poor.min() < -0.5 < 0.5 < poor.max(), "at the poor minimum examples disagree"
    assert abs(poor.mean()) < 1e-6, "only the mean is 0"
    assert abs(best).max() < 1e-9, "at w = 2 all slopes are 0"


def test_noise_of_ones_own_does_not_rest(lesson):
    rng = np.random.default_rng(1)
    w = np.full(100, 2.0)
    for _ in range(200):
        w = lesson.shaken(w, rng)
    assert (np.abs(w - 2) > 0.1).sum() > 50
