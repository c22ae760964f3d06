"""A column against a row in one's own loss: a warning where it is a mistake, and only there."""

import warnings

import numpy as np
import pytest

from tinygrad_edu import Tensor, functional, grad, nn

RNG = np.random.default_rng(0)
X, ROW = RNG.normal(size=(8, 3)), RNG.uniform(size=8)
COLUMN = ROW[:, None]
W = RNG.normal(size=(3, 1))
TOLD = r"each of 8 predictions with all 8 targets: {op} of .* broadcasts to \(8, 8\)"


def column(w):
    return X @ w


def row(w):
    return X @ w.reshape(-1)


MISTAKES = {
    "squares": (lambda w: ((column(w) - ROW) ** 2).mean(), "subtract"),
    "squares, the other way": (lambda w: ((ROW - column(w)) ** 2).sum(), "subtract"),
    "a row against a column": (lambda w: ((row(w) - COLUMN) ** 2).mean(), "subtract"),
    "absolute values": (lambda w: np.abs(column(w) - ROW).mean(), "subtract"),
    "with a penalty": (
        lambda w: 0.5 * ((column(w) - ROW) ** 2).mean() + 0.1 * (w * w).sum(),
        "subtract",
    ),
    "hinge": (lambda w: np.maximum(0.0, 1 - ROW * column(w)).mean(), "multiply"),
    "log loss": (lambda w: np.log(1 + np.exp(-ROW * column(w))).mean(), "multiply"),
    "targets in a Tensor": (lambda w: ((column(w) - Tensor(ROW)) ** 2).mean(), "subtract"),
    "a sum for each example": (
        lambda w: np.mean(np.sum((column(w) - ROW) ** 2, axis=1)),
        "subtract",
    ),
    "a length for each example": (
        lambda w: np.sqrt(((column(w) - ROW) ** 2).sum(axis=0)).mean(),
        "subtract",
    ),
    "the largest": (lambda w: np.abs(column(w) - ROW).max(), "subtract"),
    "a product with itself": (
        lambda w: np.vdot(column(w) - ROW, column(w) - ROW) / 8,
        "subtract",
    ),
    "a choice": (lambda w: np.where(ROW > 0.5, column(w) - ROW, 0.0).mean(), "subtract"),
    "cross entropy": (
        lambda w: -(ROW * np.log(functional.sigmoid(column(w)))).mean(),
        "multiply",
    ),
}

MEANT = {
    "columns": lambda w: ((column(w) - COLUMN) ** 2).mean(),
    "rows": lambda w: ((row(w) - ROW) ** 2).mean(),
    "distances of all pairs": lambda w: ((row(w)[:, None] - row(w)) ** 2).mean(),
    "distances to data": lambda w: np.exp(-((row(w)[:, None] - ROW) ** 2)).sum(),
    "distances to data by reshape": lambda w: np.abs(column(w).reshape(8, 1) - ROW).sum(),
    "scores of all pairs": lambda w: functional.softplus(column(w) - column(w).T).mean(),
    "a hidden layer as wide as the batch": lambda w: np.tanh(
        COLUMN * np.concatenate([w, w, w]).reshape(-1)[:8] + 1.0
    ).mean(),
    "an attention": lambda w: functional.softmax(column(w) @ column(w).T).sum(),
    "as many classes as examples": lambda w: functional.logsumexp(
        (X[:3] @ w) * np.array([-1.0, 0.0, 1.0])
    ).sum(),
    "one example": lambda w: ((X[:1] @ w - ROW[:1]) ** 2).mean(),
    "other numbers of both": lambda w: ((X[:3] @ w - ROW) ** 2).mean(),
}


@pytest.mark.parametrize(("loss", "op"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_warned_of_at_the_line_that_goes_backward(loss, op):
    w = Tensor(W, requires_grad=True)
    y = loss(w)
    with pytest.warns(UserWarning, match=TOLD.format(op=op)) as told:
        y.backward()
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match=TOLD.format(op=op)) as told:
        grad(loss)(W)
    assert told[0].filename == __file__


@pytest.mark.parametrize("loss", MEANT.values(), ids=MEANT)
def test_what_may_be_meant_is_not_warned_of(loss):
    loss(Tensor(W, requires_grad=True)).backward()
    grad(loss)(W)


def test_the_lines_that_it_recommends_are_not_warned_of():
    w, p = Tensor(W, requires_grad=True), (8, 1)
    with pytest.warns(UserWarning, match=r"np\.reshape\(targets, \(8, 1\)\); .* p\[:, None\]"):
        ((X @ w - ROW) ** 2).mean().backward()
    ((X @ w - np.reshape(ROW, p)) ** 2).mean().backward()
    (((X @ w).reshape(-1)[:, None] - ROW) ** 2).mean().backward()


def test_a_line_is_warned_of_once():
    model = nn.Linear(3, 1, rng=0)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(5):
            ((model(X) - ROW) ** 2).mean().backward()
    assert len(told) == 1
