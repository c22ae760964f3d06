"""What the lesson ``softmax`` claims, on its own values."""

import numpy as np

from tinygrad_edu.functional import log_softmax


def test_the_sigmoid_undoes_the_log_odds(lesson):
    assert np.allclose(np.log(lesson.p / (1 - lesson.p)), lesson.s)
    assert lesson.sigmoid(np.array([-2.0, 0.0, 2.0])).round(2).tolist() == [0.12, 0.5, 0.88]


def test_probabilities_keep_their_promise_on_what_was_learned(lesson):
    assert np.all(np.diff(lesson.kept) > 0)
    assert np.allclose(lesson.promised, lesson.kept, atol=0.1)
    assert lesson.counts[0] + lesson.counts[-1] > sum(lesson.counts) / 2


def test_only_differences_of_scores_matter(lesson):
    p = lesson.softmax(lesson.scores)
    assert np.isclose(p.sum(), 1)
    assert np.allclose(p, lesson.softmax(lesson.scores + 100))


def test_the_sigmoid_is_softmax_of_two_classes(lesson):
    two = lesson.softmax(np.stack([lesson.s, 0 * lesson.s], axis=1))[:, 0]
    assert np.allclose(two, lesson.sigmoid(lesson.s))


def test_the_formula_fails_and_its_cure_does_not(lesson):
    assert np.isnan(lesson.naive[0])
    cured = lesson.naive_softmax(lesson.large - lesson.large.max())
    assert cured.tolist() == lesson.softmax(lesson.large).tolist() == [1, 0, 0]
    assert np.isfinite(log_softmax(lesson.large)).all()


def test_temperature_draws_apart_or_together_and_keeps_the_order(lesson):
    cold, usual, hot = lesson.tempered.values()
    assert cold.round(2)[0] == 0.98
    assert usual.round(2).tolist() == [0.71, 0.26, 0.04]
    assert hot.round(2).tolist() == [0.44, 0.35, 0.21]
    for p in lesson.tempered.values():
        assert np.argsort(p).tolist() == np.argsort(lesson.scores).tolist()


def test_overflow_begins_at_710_and_in_float32_at_89(lesson):
    assert lesson.smallest_that_breaks == 710
    with np.errstate(over="ignore"):
        assert np.isfinite(np.exp(np.float32(88)))
        assert np.isinf(np.exp(np.float32(89)))
