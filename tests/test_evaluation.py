"""A test set is opened once, and not by accident."""

import copy
import pickle
import threading
import time

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


@pytest.mark.parametrize(
    ("predictions", "error", "message"),
    [
        (Y[:, None], ValueError, r"shape \(10, 1\), but.*\(10,\).*np\.reshape\(labels, \(10,\)\)"),
        (1, ValueError, r"shape \(\)"),
        (None, ValueError, r"shape \(\)"),
        (Y[:9], ValueError, r"shape \(9,\)"),
        (np.where(Y, "True", "False"), TypeError, "dtype <U5, but they are bool"),
    ],
    ids=str,
)
def test_predictions_that_are_no_labels_leave_it_sealed(predictions, error, message):
    test_set = sealed()
    with pytest.raises(error, match=message):
        test_set.score(lambda x: predictions)
    assert test_set.score(lambda x: x[:, 0] >= 4) == 1


def test_text_is_compared_with_text():
    letters = np.array(["a", "b", "c"])
    assert SealedTestSet(np.eye(3), letters).score(lambda x: ["a", "b", "a"]) == pytest.approx(
        2 / 3
    )
    with pytest.raises(TypeError, match="dtype int64, but they are <U1"):
        SealedTestSet(np.eye(3), letters).score(lambda x: [0, 1, 0])


def test_several_threads_open_it_once():
    test_set, scores, refusals = sealed(), [], []
    start = threading.Barrier(4)

    def model(x):
        time.sleep(0.01)
        return x[:, 0] >= 4

    def try_it():
        start.wait()
        try:
            scores.append(test_set.score(model))
        except RuntimeError as error:
            refusals.append(error)

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scores == [1]
    assert len(refusals) == 3


def test_a_model_cannot_open_it_on_the_way():
    test_set = sealed()

    def model(x):
        test_set.score(lambda x: x[:, 0] >= 4)
        return x[:, 0] >= 4

    with pytest.raises(RuntimeError, match="was opened on"):
        test_set.score(model)
