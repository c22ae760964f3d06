"""What the lesson ``tuning`` claims, on its own values."""

import numpy as np


def test_folds(lesson):
    parts = [part for _, part in lesson.folds.split(lesson.x, lesson.y)]
    assert sorted(np.concatenate(parts)) == list(range(len(lesson.x))), "every image validates once"
    shares = [np.bincount(lesson.y[part]) / len(part) for part in parts]
    assert np.ptp(shares, axis=0).max() < 0.01, "each part has the same share of each digit"


def test_small_steps_are_worse_and_large_ones_perhaps(lesson):
    means, errors = lesson.means, lesson.errors
    assert means[:5].max() < means.max() - 3 * errors[lesson.best], "rates below 1 are worse"
    assert lesson.rates[lesson.best] == 3
    assert means[-1] + 2 * errors[-1] > means[lesson.best], "at 10 it is not so sure"
    assert errors.argmax() == len(errors) - 1, "where the parts spread most"
    assert np.ptp(lesson.accuracies[:, -1]) > np.ptp(means[-3:])
    assert len(set(lesson.favourites)) > 1, "the parts have different favourites"


def test_choice(lesson):
    index = lesson.rates.index(lesson.chosen)
    assert lesson.means[index] >= lesson.means.max() - lesson.errors[lesson.best]
    assert lesson.chosen <= lesson.rates[lesson.best]


def test_report(lesson):
    chance = 3 * np.sqrt(lesson.accuracy * (1 - lesson.accuracy) / len(lesson.x_test))
    assert abs(lesson.accuracy - lesson.means[lesson.good][0]) < chance, "off by chance only"
    assert "never" not in repr(lesson.sealed), "the test set is open now"


def test_values_tried(lesson):
    assert len(np.unique(lesson.grid[:, 0])) == 3
    assert len(np.unique(lesson.drawn[:, 0])) == 9
