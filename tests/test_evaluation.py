"""A test set is opened once, and not by accident."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer

from tinygrad_edu.evaluation import SealedTestSet

X, Y = np.arange(10.0)[:, None], np.arange(10) >= 4


def sealed():
    return SealedTestSet(X, Y)


def test_an_estimator_is_scored_once():
    model, test_set = LogisticRegression().fit(X, Y), sealed()
    assert repr(test_set) == "<SealedTestSet of 10 examples, never opened>"
    assert test_set.score(model) == model.score(X, Y)
    said = r"opened on \d{4}-\d\d-\d\d at \d\d:\d\d:\d\d and gave 1 for a LogisticRegression"
    with pytest.raises(RuntimeError, match=rf"{said}\. A second score"):
        test_set.score(model)
    assert "and gave 1 for" in repr(test_set)
    assert len(test_set) == 10


def test_a_scorer_of_scikit_learn_is_used():
    model = LogisticRegression().fit(X, Y)
    assert sealed().score(model, get_scorer("roc_auc")) == 1
    assert sealed().score(model, lambda model, x, y: len(x) + len(y)) == 20


def test_a_function_is_scored_by_the_share_that_is_right():
    assert sealed().score(lambda x: x[:, 0] >= 6) == 0.8


@pytest.mark.parametrize(
    "peek",
    [
        *(lambda s: s[0], list, np.asarray, copy.copy, copy.deepcopy, pickle.dumps),
        *(lambda s: 1 in s, lambda s: [*s], lambda s: np.mean(s)),
    ],
)
def test_looking_is_refused(peek):
    test_set = sealed()
    with pytest.raises(TypeError, match=r"sealed\.score\(model\), once"):
        peek(test_set)
    assert test_set.score(lambda x: x[:, 0] >= 4) == 1


def test_what_shows_itself_shows_no_example():
    test_set = SealedTestSet([["secret"]], ["hidden"])
    assert "secret" not in f"{test_set!r} {test_set}"
    assert not {"X", "y", "data"} & set(dir(test_set))


def test_an_error_in_the_model_leaves_it_sealed():
    test_set = sealed()
    with pytest.raises(ZeroDivisionError):
        test_set.score(lambda x: 1 / 0)
    with pytest.raises(TypeError, match="an estimator or a function"):
        test_set.score("model")
    assert test_set.score(lambda x: x[:, 0] >= 4) == 1


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"X has shape \(10, 1\) and y \(9,\)"):
        SealedTestSet(X, Y[:9])
    with pytest.raises(ValueError, match=r"X has shape \(\) and y \(\)"):
        SealedTestSet(1, 2)
