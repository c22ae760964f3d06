"""An engine of my own. The course is README.md; ``python check.py`` says how far it has come.

Fill in what raises NotImplementedError, stage by stage. Names inside are free: only what ``Mine``
at the end uses, and what the stages name, is looked at.
"""

import numpy as np


class Value:
    """A number (from stage 7 on, an array) that remembers the operation that made it."""

    def __init__(self, data, op=None, args=(), rules=()):
        """Keep the number, the name of the operation, its operands, and their rules.

        ``op`` is None for a variable. ``rules`` are for stage 2: one function for each operand,
        which takes the gradient of this value, and gives what the operand gets of it.
        """
        raise NotImplementedError("stage 1")

    # Operators. ``other`` may be a plain number, and __radd__ and the like are called if the
    # number is on the left: 2 + x.

    def __add__(self, other):
        raise NotImplementedError("stage 1")

    def __radd__(self, other):
        raise NotImplementedError("stage 1")

    def __mul__(self, other):
        raise NotImplementedError("stage 1")

    def __rmul__(self, other):
        raise NotImplementedError("stage 1")

    def __neg__(self):
        raise NotImplementedError("stage 5")

    def __sub__(self, other):
        raise NotImplementedError("stage 5")

    def __rsub__(self, other):
        raise NotImplementedError("stage 5")

    def __truediv__(self, other):
        raise NotImplementedError("stage 5")

    def __rtruediv__(self, other):
        raise NotImplementedError("stage 5")

    def __pow__(self, power):
        """This to the power of a plain number."""
        raise NotImplementedError("stage 5")

    # Functions.

    def exp(self):
        raise NotImplementedError("stage 5")

    def log(self):
        raise NotImplementedError("stage 5")

    def tanh(self):
        raise NotImplementedError("stage 5")

    def relu(self):
        """This where it is positive, else 0."""
        raise NotImplementedError("stage 5")

    def sum(self, axis=None, keepdims=False):
        raise NotImplementedError("stage 7")

    def mean(self, axis=None, keepdims=False):
        raise NotImplementedError("stage 7")

    def __matmul__(self, other):
        """The product of two matrices."""
        raise NotImplementedError("stage 7")

    def __rmatmul__(self, other):
        raise NotImplementedError("stage 7")

    def softmax(self, axis=-1):
        """Positive numbers of sum 1 along the axis: exp of each, divided by their sum."""
        raise NotImplementedError("stage 8")

    def cross_entropy(self, labels):
        """The mean over the rows of -log p, for p the softmax of a row at its label.

        ``labels``: an array of integers, one for each row.
        """
        raise NotImplementedError("stage 8")

    # Backward.

    def backward(self):
        """Find the gradients of this with respect to all that it was computed from.

        They are in ``grad`` of each variable.
        """
        raise NotImplementedError("stage 2")

    def zero_grad(self):
        """Forget the gradient."""
        raise NotImplementedError("stage 6")


def by_hand(x, w, b, c):
    """The gradients of y = (x * w + b) * c by x, w, b and c, for plain numbers: four numbers."""
    raise NotImplementedError("stage 2")


def difference(f, x):
    """The slope of a function of a plain number at x, by a central difference."""
    raise NotImplementedError("stage 5")


def step(parameters, learning_rate):
    """Move each of some variables a little against its gradient."""
    raise NotImplementedError("stage 6")


def fit_line(xs, ys):
    """The slope and intercept (plain numbers) of the line through points, by gradient descent.

    It makes the mean of (w * x + b - y) ** 2 as small as it gets.
    """
    raise NotImplementedError("stage 6")


def unbroadcast(gradient, shape):
    """The gradient, summed over the axes along which an operand of ``shape`` was repeated."""
    raise NotImplementedError("stage 7")


def learn_digits(x, labels):
    """The weights (64, 10) and biases (10,), as arrays, of a classifier of digits.

    ``x``: an array of images (N, 64), numbers from 0 to 1; ``labels``: the digits (N,). Scores are
    x @ weights + biases.
    """
    raise NotImplementedError("stage 8")


class Mine:
    """How the engine is told to the checks. If your names are others, change these lines."""

    scalar = True  # numbers only: until stage 7
    functions = {  # by NumPy's names, called as NumPy's
        "exp": Value.exp,
        "log": Value.log,
        "tanh": Value.tanh,
        "relu": Value.relu,
        "sum": Value.sum,
        "mean": Value.mean,
        "softmax": Value.softmax,
        "cross_entropy": Value.cross_entropy,
    }

    def variable(self, value):
        return Value(value)

    def value(self, result):
        return result.data

    def op(self, result):  # None, or "add", "multiply": NumPy's names
        return result.op

    def args(self, result):
        return result.args

    def backward(self, result):
        result.backward()

    def gradient(self, variable):
        return variable.grad

    def zero(self, variable):
        variable.zero_grad()

    def assign(self, variable, value):
        variable.data = value
