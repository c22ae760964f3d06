"""What the lesson ``tuning`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    kept = [validation for _, validation in lesson.folds.split(lesson.x, lesson.y)]
    assert sorted(np.concatenate(kept)) == list(range(len(lesson.x))), (
        "every image should validate once"
    )
    shares = [np.bincount(lesson.y[part]) / len(part) for part in kept]
    assert np.ptp(shares, axis=0).max() < 0.01, "each part should have the same share of each digit"
    assert all(past.max() < next_.min() for past, next_ in lesson.in_time.split(lesson.x)), (
        "only the past trains"
    )
    means = lesson.accuracies.mean(axis=0)
    assert means[0] < means.max() - 0.03, "small steps should not get far"
    assert means[-1] < means.max() - 0.005, "large steps should be worse, too"
    assert len(set(lesson.favourites)) > 1, "the parts should disagree"
    again = lesson.model.set_params(**lesson.search.best_params_).fit(lesson.x, lesson.y)
    assert np.array_equal(again.coef_, lesson.search.best_estimator_.coef_), (
        "the search should train on all"
    )
    chance = 3 * np.sqrt(lesson.accuracy * (1 - lesson.accuracy) / len(lesson.x_test))
    assert abs(lesson.accuracy - lesson.search.best_score_) < chance, (
        "the report should be off by chance only"
    )
    assert "never" not in repr(lesson.sealed), "the test set should be open now"
