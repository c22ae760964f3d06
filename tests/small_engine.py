"""A small engine that keeps every law of the catalogue; ``broken_engines`` breaks it in one place.

Values know the operation that made them; each step of the way back is a method of the engine.
"""

import itertools
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np


class Node:
    """A number or an array, and the operation that made it."""

    def __init__(self, engine, data, wanted, op=None, args=(), params=None):
        self.engine, self.data, self.wanted = engine, data, wanted
        self.op, self.args, self.params = op, args, params or {}
        self.inputs = []
        self.time = next(engine.clock)
        self.grad = None

    shape = property(lambda self: np.shape(self.data))

    def __getitem__(self, index):
        return self.engine.record("getitem", self, index=index)

    def __neg__(self):
        return self.engine.record("negative", self)


def _operator(name):
    def operator(self, other):
        return self.engine.record(name, self, other)

    def reflected(self, other):
        return self.engine.record(name, other, self)

    return operator, reflected


for _name in "add", "sub", "mul", "truediv", "pow", "matmul":
    _op = {"sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power"}
    _plain, _reflected = _operator(_op.get(_name, _name))
    setattr(Node, f"__{_name}__", _plain)
    setattr(Node, f"__r{_name}__", _reflected)


class Value(Node):
    """A node whose operators are asked first, where NumPy's array is on the left."""

    __array_ufunc__ = None


def where_equal(a, b):
    """How much of the gradient a gets of maximum(a, b)."""
    return np.where(a == b, 0.5, a > b)


def sigmoid(x):
    return np.exp(-np.logaddexp(0.0, -x))


def softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def cross_entropy(x, labels):
    shifted = x - x.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels].mean()


def cross_entropy_rule(g, y, x, labels):
    return g * (softmax(x) - np.eye(x.shape[1])[labels]) / len(labels)


def power_base(g, y, a, b):
    return g * b * np.where(np.equal(b, 0), 1.0, a) ** np.where(np.equal(b, 0), 1.0, b - 1)


def power_exponent(g, y, a, b):
    return g * y * np.log(np.where(np.equal(a, 0), 1.0, a))


def back(reduced, x, axis, keepdims):
    """A reduced array in a shape that broadcasts against x."""
    return reduced if keepdims or axis is None else np.expand_dims(reduced, axis)


def sum_rule(g, y, x, axis=None, keepdims=False):
    return np.broadcast_to(back(g, x, axis, keepdims), np.shape(x))


def mean_rule(g, y, x, axis=None, keepdims=False):
    return sum_rule(g * (np.size(y) / np.size(x)), y, x, axis, keepdims).astype(x.dtype)


def max_rule(g, y, x, axis=None, keepdims=False):
    chosen = x == back(y, x, axis, keepdims)
    return chosen * back(g, x, axis, keepdims) / chosen.sum(axis, keepdims=True)


def transpose_rule(g, y, x, axes=None):
    return g.transpose(None if axes is None else np.argsort([i % x.ndim for i in axes]))


def getitem_rule(g, y, x, index):
    gradient = np.zeros_like(x)
    np.add.at(gradient, index, g)
    return gradient


def matmul_left(g, y, a, b):
    if b.ndim == 1:
        return g[..., None] * b
    return (g[..., None, :] if a.ndim == 1 else g) @ np.swapaxes(b, -1, -2)


def matmul_right(g, y, a, b):
    if a.ndim == 1:
        return a[:, None] * g[..., None, :] if b.ndim > 1 else g * a
    left = np.swapaxes(a, -1, -2)
    return (left @ g[..., None])[..., 0] if b.ndim == 1 else left @ g


FORWARD = {
    "divide": np.divide,
    "getitem": lambda x, index: x[index],
    "relu": lambda x: np.maximum(x, 0.0),
    "sigmoid": sigmoid,
    "softmax": softmax,
    "cross_entropy": cross_entropy,
}

RULES = {  # on numbers and, but for those of arrays, on values: gradients of gradients
    "negative": [lambda g, y, x: -g],
    "add": [lambda g, y, a, b: g, lambda g, y, a, b: g],
    "subtract": [lambda g, y, a, b: g, lambda g, y, a, b: -g],
    "multiply": [lambda g, y, a, b: g * b, lambda g, y, a, b: g * a],
    "divide": [lambda g, y, a, b: g / b, lambda g, y, a, b: -g * a / (b * b)],
    "power": [power_base, power_exponent],
    "exp": [lambda g, y, x: g * y],
    "log": [lambda g, y, x: g / x],
    "sqrt": [lambda g, y, x: g / (y * 2.0)],
    "tanh": [lambda g, y, x: g * (1.0 - y * y)],
    "sigmoid": [lambda g, y, x: g * y * (1.0 - y)],
    "relu": [lambda g, y, x: g * (x > 0)],
    "absolute": [lambda g, y, x: g * np.sign(x)],
    "maximum": [
        lambda g, y, a, b: g * where_equal(a, b),
        lambda g, y, a, b: g * where_equal(b, a),
    ],
    "sum": [sum_rule],
    "mean": [mean_rule],
    "max": [max_rule],
    "softmax": [lambda g, y, x, axis=-1: y * (g - (g * y).sum(axis, keepdims=True))],
    "cross_entropy": [cross_entropy_rule],
    "reshape": [lambda g, y, x, shape: g.reshape(np.shape(x))],
    "transpose": [transpose_rule],
    "getitem": [getitem_rule],
    "matmul": [matmul_left, matmul_right],
}
FUNCTIONS = (
    "exp log sqrt tanh sigmoid relu absolute maximum sum mean max softmax cross_entropy reshape "
    "transpose"
)
PARAMETERS = {  # that are given by position
    "sum": ["axis"],
    "mean": ["axis"],
    "max": ["axis"],
    "softmax": ["axis"],
    "reshape": ["shape"],
    "transpose": ["axes"],
    "cross_entropy": ["labels"],
}


class SmallEngine:
    """The engine, and how it is told to ``check_engine``."""

    forward = FORWARD
    rules = RULES
    kind = Value

    def __init__(self):
        self.clock = itertools.count()
        self.paused = ContextVar("paused", default=False)  # for each thread its own
        self.functions = {name: self.function(name) for name in FUNCTIONS.split()}

    # Forward.

    def function(self, name):
        def call(*args, **params):
            given = PARAMETERS.get(name, [])
            count = len(self.rules[name])
            params = dict(zip(given, args[count:], strict=False)) | params
            return self.record(name, *args[:count], **params)

        return call

    def record(self, op, *args, **params):
        args = [np.asarray(arg) if isinstance(arg, list) else arg for arg in args]
        inputs = [arg.data if isinstance(arg, Node) else arg for arg in args]
        compute = self.forward.get(op) or getattr(np, op)
        result = compute(*inputs, **params)
        if not self.is_recorded(args, result):
            return self.kind(self, result, False)
        value = self.kind(self, result, True, op, args, params)
        value.inputs = inputs  # what it was computed from, as it was
        return value

    def is_recorded(self, args, result):
        return not self.paused.get() and any(isinstance(arg, Node) and arg.wanted for arg in args)

    # Back.

    def order(self, root):
        """The results that root is computed from, each after all that use it."""
        seen = {root}
        found = [root]
        for value in found:
            for arg in value.args:
                if isinstance(arg, Node) and arg.op is not None and arg not in seen:
                    seen.add(arg)
                    found.append(arg)
        return sorted(found, key=lambda value: -value.time)

    def pull_back(self, root, gradient, sources=(), on_values=False):
        """The gradients of the leaves, and of the sources, that root is computed from."""
        gradients = {root: gradient}
        for value in self.order(root):
            if value.op is None or value in sources:
                continue
            g = gradients.pop(value, None)
            if g is None:  # beyond the sources
                continue
            y, args = self.operands(value, on_values)
            for i, arg in enumerate(value.args):
                if isinstance(arg, Node) and arg.wanted:
                    contribution = self.rules[value.op][i](g, y, *args, **value.params)
                    if not on_values:
                        contribution = self.unbroadcast(contribution, arg.shape, value.op)
                    gradients[arg] = self.add(arg, gradients.get(arg), contribution)
        return gradients

    def operands(self, value, on_values):
        """The result of an operation and its arguments, for its rules."""
        return (value, value.args) if on_values else (value.data, value.inputs)

    def unbroadcast(self, g, shape, op):
        g = np.asarray(g)
        g = g.sum(axis=tuple(range(g.ndim - len(shape))))
        stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
        return g.sum(axis=stretched, keepdims=True)

    def add(self, arg, so_far, contribution):
        return contribution if so_far is None else so_far + contribution

    # What check_engine is told.

    def variable(self, value):
        if np.asarray(value).dtype.kind != "f":
            raise TypeError("a variable has floating point")
        return self.kind(self, np.array(value), True)

    def constant(self, value):
        return self.kind(self, np.array(value), False)

    def value(self, result):
        return result.data

    def backward(self, result, cotangent=None):
        cotangent = np.ones(result.shape) if cotangent is None else np.asarray(cotangent)
        if cotangent.shape != result.shape:
            raise ValueError("the cotangent has another shape than the result")
        self.refuse_changed(result)
        for value, g in self.pull_back(result, cotangent).items():
            if value.op is None:
                self.keep(value, g)

    def refuse_changed(self, result):
        for value in self.order(result):
            for arg, old in zip(value.args, value.inputs, strict=False):
                if isinstance(arg, Node) and arg.data is not old:
                    raise RuntimeError("data have changed since the result was computed")

    def keep(self, variable, g):
        total = g if variable.grad is None else variable.grad + g
        variable.grad = np.array(total, variable.data.dtype)

    def gradient(self, variable):
        return variable.grad

    def zero(self, variable):
        variable.grad = None

    def assign(self, variable, value):
        variable.data = np.array(value)

    def op(self, result):
        return result.op

    def args(self, result):
        return result.args

    @contextmanager
    def no_grad(self):
        before = self.paused.set(True)
        try:
            yield
        finally:
            self.paused.reset(before)

    def grad(self, f):
        def gradients(*xs):
            nested = any(isinstance(x, Node) for x in xs)
            # a result of its own for each value, where this way back ends
            inputs = [x * 1.0 if isinstance(x, Node) else self.variable(x) for x in xs]
            seed = self.constant(1.0) if nested else np.ones(())
            found = self.pull_back(f(*inputs), seed, set(inputs), on_values=nested)
            if nested:
                return [found.get(x, 0.0) for x in inputs]
            return [np.array(found.get(x, np.zeros(x.shape)), x.data.dtype) for x in inputs]

        return gradients
