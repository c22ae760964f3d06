"""The work that ``python -m demos speed`` times: its data, and each kind by hand in NumPy.

A contestant is a function of the data that gives two functions: ``step()``, which is timed, and
``results(returned)``, which reads what a step returned and left: the loss, if any, then arrays.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

Step = Callable[[], Any]
Contestant = Callable[..., tuple[Step, Callable[[Any], list[Any]]]]

# The data. A list of weights is [w, b] or [w1, b1, w2, b2], for scores x @ w + b or
# sigmoid(x @ w1 + b1) @ w2 + b2; ``batches`` are rows of x, or None for all of them at once.


def scalars_data(chains: int, length: int) -> tuple[Any, ...]:
    """Ten numbers, and which of them each link of each chain takes."""
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, 10), rng.integers(0, 10, (chains, length, 2)).tolist()


def training_data(examples: int, sizes: list[int], dtype: Any) -> tuple[Any, ...]:
    """One batch of random examples."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (examples, sizes[0])).astype(dtype)
    return x, rng.integers(0, 10, examples), None, _weights(rng, sizes, dtype), 0.5


def digits_data(epochs: int) -> tuple[Any, ...]:
    """The scans of scikit-learn, 1,797 of 64 pixels, and a new order of them for each epoch."""
    rng = np.random.default_rng(0)
    x, y = load_digits(return_X_y=True)
    orders = [rng.permutation(len(x)) for _ in range(epochs)]
    batches = [order[i : i + 32] for order in orders for i in range(0, len(x), 32)]
    return x / 16, y, batches, _weights(rng, [64, 10], np.float64), 0.5


def logistic_data(margins: int) -> tuple[Any, ...]:
    """So many margins."""
    return (np.random.default_rng(0).normal(1, 2, margins).astype(np.float32),)


def second_order_data() -> tuple[Any, ...]:
    """Logistic regression: examples, labels -1 and +1, weights, and a direction."""
    rng = np.random.default_rng(0)
    x, w, v = rng.normal(size=(200, 20)), rng.normal(size=20) / 4, rng.normal(size=20)
    return x, rng.choice([-1.0, 1.0], 200), w, v


def _weights(rng: np.random.Generator, sizes: list[int], dtype: Any) -> list[Any]:
    shapes = [shape for i, o in pairwise(sizes) for shape in ((i, o), (o,))]
    return [rng.uniform(-1, 1, shape).astype(dtype) / 16 for shape in shapes]


# What all engines share.


def scalar_graph(leaves: list[Any], chains: list[Any], tanh: Callable[[Any], Any]) -> Any:
    """Three operations for each link of a chain, and one for each chain."""
    total = leaves[0]
    for chain in chains:
        y = leaves[1]
        for i, j in chain:
            y = tanh(y * leaves[i] + leaves[j])
        total = total + y
    return total


def over(batches: Any, train_step: Callable[[Any, Any], Any], x: Any, y: Any) -> Step:
    """One update with all examples, or one with each batch in turn; it returns the last loss."""
    if batches is None:
        return lambda: train_step(x, y)

    def train() -> Any:
        for rows in batches:
            loss = train_step(x[rows], y[rows])
        return loss

    return train


# Plain: as a student writes it.


def scalars(numbers: Any, chains: Any) -> Any:
    """Arrays of shape (1,), each value kept for the way back."""
    leaves = [np.array([number]) for number in numbers]

    def step() -> Any:
        total = leaves[0]
        values = []
        for chain in chains:
            ys = [leaves[1]]
            for i, j in chain:
                ys.append(np.tanh(ys[-1] * leaves[i] + leaves[j]))
            total = total + ys[-1]
            values.append(ys)
        grads = [np.zeros(1) for _ in leaves]
        grads[0] += 1
        for chain, ys in zip(chains, values, strict=True):
            g = np.ones(1)
            for k in range(len(chain) - 1, -1, -1):
                i, j = chain[k]
                g = g * (1 - ys[k + 1] * ys[k + 1])
                grads[j] += g
                grads[i] += g * ys[k]
                g = g * leaves[i]
            grads[1] += g
        return total, grads

    return step, lambda returned: [float(returned[0][0]), np.concatenate(returned[1])]


def training(x: Any, y: Any, batches: Any, weights: Any, lr: float) -> Any:
    """Cross entropy and SGD, for one layer or two."""
    weights = [w.copy() for w in weights]
    train_step = _softmax_regression(weights, lr) if len(weights) == 2 else _mlp(weights, lr)
    return over(batches, train_step, x, y), lambda loss: [float(loss), *weights]


def _softmax_regression(weights: Any, lr: float) -> Any:
    w, b = weights

    def train_step(x: Any, y: Any) -> Any:
        nonlocal w, b
        rows = np.arange(len(y))
        scores = x @ w + b
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = powers / powers.sum(axis=1, keepdims=True)
        loss = -np.log(p[rows, y]).mean()
        p[rows, y] -= 1  # from here on, the gradient of the scores
        p /= len(y)
        w -= lr * (x.T @ p)
        b -= lr * p.sum(axis=0)
        return loss

    return train_step


def _mlp(weights: Any, lr: float) -> Any:
    w1, b1, w2, b2 = weights

    def train_step(x: Any, y: Any) -> Any:
        nonlocal w1, b1, w2, b2
        rows = np.arange(len(y))
        h = 1 / (1 + np.exp(-(x @ w1 + b1)))
        scores = h @ w2 + b2
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = powers / powers.sum(axis=1, keepdims=True)
        loss = -np.log(p[rows, y]).mean()
        p[rows, y] -= 1
        p /= len(y)
        g = p @ w2.T * h * (1 - h)
        w2 -= lr * (h.T @ p)
        b2 -= lr * p.sum(axis=0)
        w1 -= lr * (x.T @ g)
        b1 -= lr * g.sum(axis=0)
        return loss

    return train_step


def logistic(margins: Any) -> Any:
    """The formula, and its derivative."""

    def step() -> Any:
        powers = np.exp(-margins)
        return np.log1p(powers).mean(), -powers / (1 + powers) / len(margins)

    return step, lambda returned: [float(returned[0]), returned[1]]


def hessian(x: Any, y: Any, w: Any, v: Any) -> Any:  # noqa: ARG001 (all contestants take these)
    """The closed form, which somebody has derived: nothing is differentiated here."""

    def step() -> Any:
        p = 1 / (1 + np.exp(-y * (x @ w)))
        return x.T * (p * (1 - p)) @ x / len(x)

    return step, lambda matrix: [matrix]


def hvp(x: Any, y: Any, w: Any, v: Any) -> Any:
    """The closed form times a vector, without the matrix."""

    def step() -> Any:
        p = 1 / (1 + np.exp(-y * (x @ w)))
        return x.T @ (p * (1 - p) * (x @ v)) / len(x)

    return step, lambda vector: [vector]


# Tuned: no new array of any size, and the cheapest call for each operation.


def training_tuned(x: Any, y: Any, batches: Any, weights: Any, lr: float) -> Any:
    """Everything is computed into arrays that are made once, for each length of a batch."""
    weights = [w.copy() for w in weights]
    layers = list(zip(weights[::2], weights[1::2], strict=True))
    slopes = [np.empty_like(w) for w in weights]
    dtype, classes = weights[0].dtype, len(weights[-1])
    to_sum = np.ones((classes, 1), dtype)
    buffers: dict[int, Any] = {}

    def make_buffers(n: int) -> Any:
        outputs = [np.empty((n, len(b)), dtype) for _, b in layers]
        gradients = [np.empty_like(output) for output in outputs]
        column, ones = np.empty((n, 1), dtype), np.ones(n, dtype)
        return outputs, gradients, column, ones, np.arange(n) * classes

    def train_step(x: Any, y: Any) -> Any:
        n = len(y)
        if n not in buffers:
            buffers[n] = make_buffers(n)
        outputs, gradients, column, ones, starts = buffers[n]
        inputs = [x, *outputs]
        for (w, b), h, output in zip(layers, inputs, outputs, strict=False):
            np.matmul(h, w, output)
            np.add(output, b, output)
            if output is not outputs[-1]:
                np.negative(output, output)
                np.exp(output, output)
                np.add(output, 1, output)
                np.reciprocal(output, output)
        p = outputs[-1]
        true = starts + y  # the places of the true classes in p, as one row
        np.maximum.reduce(p, 1, None, column, True)
        np.subtract(p, column, p)
        loss = -np.add.reduce(p.take(true))
        np.exp(p, p)
        np.matmul(p, to_sum, column)  # faster than a sum along rows
        loss = (loss + np.add.reduce(np.log(column), None)) / n
        np.divide(p, column, p)
        p.reshape(-1)[true] -= 1
        np.multiply(p, lr / n, gradients[-1])  # so the slopes are those of the update
        for k in range(len(layers) - 1, -1, -1):
            g, h = gradients[k], inputs[k]
            np.matmul(h.T, g, slopes[2 * k])
            np.matmul(ones, g, slopes[2 * k + 1])
            if k:
                below = gradients[k - 1]
                np.matmul(g, layers[k][0].T, below)
                np.multiply(below, h, below)
                np.subtract(1, h, h)
                np.multiply(below, h, below)
        for w, slope in zip(weights, slopes, strict=True):
            np.subtract(w, slope, w)
        return loss

    return over(batches, train_step, x, y), lambda loss: [float(loss), *weights]


def logistic_tuned(margins: Any) -> Any:
    """NumPy's log is much faster than its log1p, which is log(u) * e / (u - 1) for u = 1 + e.

    Source: Goldberg, What Every Computer Scientist Should Know About Floating-Point Arithmetic,
    1991, theorem 4.
    """
    e, u, rest, log = (np.empty_like(margins) for _ in range(4))
    lost = np.empty(margins.shape, bool)

    def step() -> Any:
        np.negative(margins, e)
        np.exp(e, e)
        np.add(e, 1, u)
        np.subtract(u, 1, rest)
        np.log(u, log)
        np.equal(rest, 0, lost)  # there, log1p(e) is e
        np.copyto(rest, 1, where=lost)
        np.copyto(log, 1, where=lost)
        np.multiply(log, e, log)
        np.divide(log, rest, log)
        np.divide(e, u, u)
        np.multiply(u, -1 / len(margins), u)
        return np.add.reduce(log) / len(margins), u

    return step, lambda returned: [float(returned[0]), returned[1]]


BY_HAND: dict[str, dict[str, Contestant]] = {
    "NumPy by hand": {
        "scalars": scalars,
        "training": training,
        "logistic": logistic,
        "hessian": hessian,
        "hvp": hvp,
    },
    "NumPy tuned": {"training": training_tuned, "logistic": logistic_tuned},
}
