"""The table of derivatives: for each operation, one rule for each array that it takes.

A rule takes the gradient of the final result with respect to the output of an operation, and gives
the gradient with respect to one of its arguments: the chain rule for one step. For ``y = a * b``,
the rule of ``a`` is ``lambda g, y, a, b: g * b``, because a change of ``a`` counts ``b`` times.

A rule is called as ``rule(g, y, *arrays, **parameters)``:

- ``g``: the gradient with respect to the output (the cotangent), in the shape of the output;
- ``y``: the output, for rules that can use it: the derivative of ``exp`` is ``exp`` itself;
- ``arrays`` and ``parameters``: the arguments of the operation, such as ``x``, and ``axis=0``.

Most operations are NumPy functions; the others are at the end of this file. Rules use only
operators, methods and operations, which work on arrays and on Tensors alike. So one rule serves
twice: on arrays it gives the gradient; on Tensors it gives a gradient that is itself a graph and
can be differentiated again. Where an argument was broadcast, a rule need not care: ``backprop``
sums over the copies. ``None`` stands for an argument without a derivative, because it only chooses:
the condition of ``where``.

Conventions where no derivative exists are in ``conventions``, below the table.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_edu import kernels
from tinygrad_edu.kernels import quick

Operation = Callable[..., Any]
Rule = Callable[..., Any]


class Table(dict[Operation, Any]):
    """The rules of each operation; one that somebody has made brings its own."""

    def __missing__(self, op: Operation) -> "tuple[Rule | None, ...] | Each":
        try:
            return op.rules  # type: ignore[attr-defined, no-any-return]
        except AttributeError:
            raise KeyError(op) from None


derivatives = Table()

derivatives |= {
    # arithmetic
    np.positive: (lambda g, y, x: g,),
    np.negative: (lambda g, y, x: -g,),
    np.add: (lambda g, y, a, b: g, lambda g, y, a, b: g),
    np.subtract: (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    np.multiply: (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    np.divide: (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    # one number in, one number out
    np.exp: (lambda g, y, x: g * y,),
    np.expm1: (lambda g, y, x: g * (y + 1),),
    np.log: (lambda g, y, x: g / x,),
    np.log2: (lambda g, y, x: g / (x * math.log(2)),),
    np.log10: (lambda g, y, x: g / (x * math.log(10)),),
    np.log1p: (lambda g, y, x: g / (1 + x),),
    np.sqrt: (lambda g, y, x: g / (2 * y),),
    np.cbrt: (lambda g, y, x: g / (3 * y * y),),
    np.reciprocal: (lambda g, y, x: -g * y * y,),
    np.sin: (lambda g, y, x: g * np.cos(x),),
    np.cos: (lambda g, y, x: -g * np.sin(x),),
    np.tan: (lambda g, y, x: g * (1 + y * y),),
    np.arcsin: (lambda g, y, x: g / np.sqrt((1 - x) * (1 + x)),),
    np.arccos: (lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)),),
    np.arctan: (lambda g, y, x: g / (1 + x * x),),
    np.sinh: (lambda g, y, x: g * np.cosh(x),),
    np.cosh: (lambda g, y, x: g * np.sinh(x),),
    np.tanh: (lambda g, y, x: g * (1 - y * y),),
    np.arcsinh: (lambda g, y, x: g / np.hypot(1, x),),
    np.arccosh: (lambda g, y, x: g / np.sqrt((x - 1) * (x + 1)),),
    np.arctanh: (lambda g, y, x: g / ((1 - x) * (1 + x)),),
    # angle and length of a vector: y is the angle of np.arctan2(a, b)
    np.arctan2: (
        lambda g, y, a, b: g * (b / np.hypot(a, b)) / np.hypot(a, b),
        lambda g, y, a, b: -g * (a / np.hypot(a, b)) / np.hypot(a, b),
    ),
    np.hypot: (
        lambda g, y, a, b: g * np.where(y == 0, 0, a / np.where(y == 0, 1, y)),
        lambda g, y, a, b: g * np.where(y == 0, 0, b / np.where(y == 0, 1, y)),
    ),
    # kinks and steps
    np.absolute: (lambda g, y, x: g * np.sign(x),),
    np.copysign: (
        lambda g, y, a, b: np.where(np.signbit(b), -g, g) * np.sign(a),
        lambda g, y, a, b: np.zeros_like(g),
    ),
    np.sign: (lambda g, y, x: np.zeros_like(g),),
    np.floor: (lambda g, y, x: np.zeros_like(g),),
    np.ceil: (lambda g, y, x: np.zeros_like(g),),
    np.trunc: (lambda g, y, x: np.zeros_like(g),),
    np.rint: (lambda g, y, x: np.zeros_like(g),),
    np.round: (lambda g, y, x, decimals=0: np.zeros_like(g),),
    np.floor_divide: (lambda g, y, a, b: np.zeros_like(g), lambda g, y, a, b: np.zeros_like(g)),
    np.remainder: (lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b)),
    np.fmod: (lambda g, y, a, b: g, lambda g, y, a, b: g * np.rint((y - a) / b)),
    np.heaviside: (
        lambda g, y, a, b: np.zeros_like(g),
        lambda g, y, a, b: np.where(a == 0, g, 0),
    ),
    np.maximum: (
        lambda g, y, a, b: np.where(a == b, g / 2, np.where(a < b, 0, g)),  # a nan wins, as in y
        lambda g, y, a, b: np.where(a == b, g / 2, np.where(b < a, 0, g)),
    ),
    np.minimum: (
        lambda g, y, a, b: np.where(a == b, g / 2, np.where(b < a, 0, g)),
        lambda g, y, a, b: np.where(a == b, g / 2, np.where(a < b, 0, g)),
    ),
    np.where: (
        None,
        lambda g, y, c, a, b: np.where(c, g, 0),
        lambda g, y, c, a, b: np.where(c, 0, g),
    ),
}

# Rules of more than a line. The docstring tells what the rule gives.


def _power_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    """g * b * a ** (b - 1)"""
    if not isinstance(b, int | float) or b == 0:  # b * a ** (b - 1) would read 0 * inf near 0
        near = (b == 0) & (a < np.finfo(y.dtype).tiny) & (a > -np.finfo(y.dtype).tiny)
        a = np.where(near, 1, a)
    return g * b * a ** (b - 1)


def _power_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    """g * y * log(a)"""
    return g * y * np.log(np.where((a == 0) & (b >= 0), np.ones_like(y), a))


def _logaddexp_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    """g * sigmoid(a - b)"""
    equal = np.isinf(a) & (a == b)  # their difference is nan; equal numbers share the gradient
    zero = np.zeros_like(y)
    return g * sigmoid(np.where(equal, zero, a) - np.where(equal, zero, b))


def _logaddexp_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    """g * sigmoid(b - a)"""
    return _logaddexp_left(g, y, b, a)


def _matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    """g @ b.T"""
    if b.ndim == 1:  # a matrix times a vector: each number of y is a row of a times b
        return g * b if a.ndim == 1 else g.reshape(*g.shape, 1) * b
    if b.ndim == 2 and a.ndim <= 2:  # a matrix, or a vector, times a matrix
        return (b @ g.T).T if _by_columns(a) else g @ b.T
    if a.ndim > 1:  # stacks of matrices
        return g @ np.swapaxes(b, -1, -2)
    return (b @ g.reshape(*g.shape, 1)).reshape(b.shape[:-1])  # a vector times a stack


def _matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    """a.T @ g"""
    if a.ndim == 1:  # a vector times a matrix: each number of y is a times a column of b
        return g * a if b.ndim == 1 else a.reshape(-1, 1) * np.expand_dims(g, -2)
    if a.ndim == 2 and b.ndim <= 2:  # a matrix times a matrix, or a vector
        return (g.T @ a).T if _by_columns(b) else a.T @ g
    if b.ndim > 1:  # stacks of matrices
        return np.swapaxes(a, -1, -2) @ g
    return np.squeeze(np.expand_dims(g, -2) @ a, -2)  # a stack times a vector


def _solve_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    """-linalg.solve(a.T, g) @ y.T"""
    g = _solve_right(g, y, a, b)
    if b.ndim == 1:
        return -np.expand_dims(g, -1) * np.expand_dims(y, -2)
    return -g @ np.swapaxes(y, -1, -2)


def _solve_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    """linalg.solve(a.T, g)"""
    transposed = np.swapaxes(a, -1, -2)
    if b.ndim == 1:  # a vector, for each of a stack of matrices
        return np.squeeze(np.linalg.solve(transposed, np.expand_dims(g, -1)), -1)
    return np.linalg.solve(transposed, g)


def _logabsdet(g: Any, y: Any, x: Any) -> Any:
    """g * linalg.inv(x).T"""
    if isinstance(y, np.ndarray | np.generic) and np.any(y == -np.inf):
        raise np.linalg.LinAlgError("a determinant has no derivative here at a singular matrix")
    return np.expand_dims(g, (-2, -1)) * np.swapaxes(np.linalg.inv(x), -1, -2)


def _by_columns(x: Any) -> bool:
    """Whether a matrix lies in memory column by column, as ``w.T`` does.

    Its gradient is added faster if it lies so, too: a step of a layer of 784 x 256 takes a
    twentieth less.
    """
    value = getattr(x, "_value", x)  # of a Tensor, too
    return isinstance(value, np.ndarray) and value.flags.fnc


def _with_axes_back(reduced: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The result of reducing ``x`` in a shape that broadcasts against ``x``."""
    if keepdims or axis is None or x.ndim == 0:  # a single number broadcasts as it is
        return reduced
    shape = list(x.shape)
    for i in axis if isinstance(axis, tuple) else (axis,):
        shape[i] = 1
    return reduced.reshape(shape)


def _sum(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """g, for each number in the sum"""
    return broadcast(_with_axes_back(g, x, axis, keepdims), shape=x.shape)


def _mean(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """g / n, for each of n numbers"""
    return _sum(g * (y.size / max(x.size, 1)), y, x, axis, keepdims)


def _extremum(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """g where x == y (ties share it), else 0"""
    chosen = (x == _with_axes_back(y, x, axis, keepdims)) | (x != x)  # a nan is the extremum
    exact = np.result_type(g.dtype, np.float32)  # float16 counts to 2,048 only
    ties = np.sum(chosen, axis=axis, keepdims=True, dtype=exact)
    return np.where(chosen, _with_axes_back(g, x, axis, keepdims) / ties, 0)


def _cumsum(g: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    """g, summed from each position to the end"""
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis), axis), x.shape)


def _reshape(g: Any, y: Any, x: Any, shape: Any) -> Any:
    """g, in the shape of x"""
    return g.reshape(x.shape)


def _transpose(g: Any, y: Any, x: Any, axes: Any = None) -> Any:
    """g, its axes in the old order"""
    if axes is None:
        return g.T
    return g.transpose(np.argsort([i % x.ndim for i in np.atleast_1d(axes)]))


derivatives |= {
    np.power: (_power_base, _power_exponent),
    np.logaddexp: (_logaddexp_left, _logaddexp_right),
    np.matmul: (_matmul_left, _matmul_right),
    np.linalg.solve: (_solve_left, _solve_right),
    # many numbers in, fewer out
    np.sum: (_sum,),
    np.mean: (_mean,),
    np.max: (_extremum,),
    np.min: (_extremum,),
    np.cumsum: (_cumsum,),
    # the same numbers in another shape
    np.reshape: (_reshape,),
    np.transpose: (_transpose,),
    np.broadcast_to: (lambda g, y, x, shape: g,),
}


SHARED = "a tie shares the gradient evenly"
FLAT = "slope 0 everywhere"

# What a rule gives where no derivative exists.
conventions: dict[Operation, str] = {
    **dict.fromkeys([np.maximum, np.minimum, np.max, np.min], SHARED),
    **dict.fromkeys([np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round], FLAT),
    np.floor_divide: FLAT,
    np.heaviside: "slope 0 everywhere; by the second argument slope 1 at 0",
    np.remainder: "slope 1, also at its jumps",
    np.fmod: "slope 1, also at its jumps",
    np.absolute: "slope 0 at 0",
    np.copysign: "slope 0 at 0, and 0 for the sign",
    np.hypot: "slope 0 at the origin",
    np.arctan2: "slope nan at the origin",
    np.sqrt: "slope inf at 0",
    np.cbrt: "slope inf at 0",
    np.power: "a ** b has slope 0 by b at a = 0, for b of at least 0",
    np.logaddexp: "equal infinities share the gradient evenly",
}


def name(op: Operation | None) -> str:
    """The name of an operation in messages and pictures, such as exp and maximum.reduce."""
    owner = getattr(op, "__self__", None)
    of_ufunc = f"{owner.__name__}." if isinstance(owner, np.ufunc) else ""
    return of_ufunc + getattr(op, "__name__", str(op)).strip("_")


def is_elementwise(op: Operation | None) -> bool:
    """Whether each element of the result comes from the elements at its place."""
    is_ufunc = isinstance(op, np.ufunc) and op.signature is None
    return is_ufunc or op in (np.where, sigmoid, softplus)


# Operations that NumPy does not have as one function.

# Types that do what NumPy does anyway: not to be asked whether they want to do it otherwise.
PLAIN = (np.ndarray, np.generic, float, int, tuple)


def operation(compute: Operation, rules: "tuple[Rule | None, ...] | Each") -> Operation:
    """``compute`` as an operation: it behaves like a NumPy function, and brings its rules.

    Called on arrays, it computes. Called on a Tensor, it hands over to ``__array_function__`` of
    the Tensor, which records it: the protocol of NumPy (NEP 18).
    """

    @functools.wraps(compute)
    def function(*args: Any, **params: Any) -> Any:
        for arg in (*args, *params.values()):
            if not isinstance(arg, PLAIN) and hasattr(arg, "__array_function__"):
                return arg.__array_function__(function, (type(arg),), args, params)
        return compute(*args, **params)

    function.rules = rules  # type: ignore[attr-defined]
    return function


# Its own operation for stability: 1 / (1 + exp(-x)) overflows at x = -1000.
sigmoid = operation(kernels.sigmoid, (lambda g, y, x: g * y * (1 - y),))
# Its own operation for its curvature: maximum(x, 0) + log1p(exp(-abs(x))) has 0 at 0, not 1/4.
softplus = operation(kernels.softplus, (lambda g, y, x: g * sigmoid(x),))
# Its own operation for its range: the determinant of a large matrix is often 0 or inf in floats.
logabsdet = operation(kernels.logabsdet, (_logabsdet,))


def _contract_left(g: Any, y: Any, a: Any, b: Any, left: Any, right: Any, out: Any) -> Any:
    """g times b, summed over what a does not have"""
    return contract(g, b, left=out, right=right, out=left)


def _contract_right(g: Any, y: Any, a: Any, b: Any, left: Any, right: Any, out: Any) -> Any:
    """a times g, summed over what b does not have"""
    return contract(a, g, left=left, right=out, out=right)


# Its own operation for np.einsum and np.tensordot. A label is in two of left, right and out, or in
# all three: then the rules are what it is itself.
contract: Operation = operation(kernels.contract, (_contract_left, _contract_right))
broadcast: Operation = operation(kernels.broadcast, (lambda g, y, x, shape: g,))


def _cast(g: Any, y: Any, x: Any, dtype: Any) -> Any:
    """g, in the dtype of x"""
    return cast(g, dtype=x.dtype)


cast: Operation = operation(kernels.cast, (_cast,))


def _getitem(g: Any, y: Any, x: Any, index: Any) -> Any:
    """g, added up where the index points, 0 elsewhere"""
    return scatter(g, index=index, shape=x.shape)


def _scatter(g: Any, y: Any, x: Any, index: Any, shape: Any) -> Any:
    """g[index]"""
    return getitem(g, index=index)


# x[index], and its reverse: zeros of a shape, with x added where the index points.
getitem: Operation = operation(kernels.getitem, (_getitem,))
scatter: Operation = operation(kernels.scatter, (_scatter,))


class Each:
    """The rules of an operation on any number of arrays: the i-th is ``rule(i, g, y, **params)``.

    To iterate gives them in order, without end. They are not given the arrays: to pass n arrays to
    n rules would take n * n steps.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __iter__(self) -> Iterator[Rule]:
        return (functools.partial(self.rule, i) for i in itertools.count())


def _concatenate(i: int, g: Any, y: Any, axis: int, edges: Sequence[int]) -> Any:
    """the part of g where this array went"""
    return g[(slice(None),) * axis + (slice(edges[i], edges[i + 1]),)]


# As np.concatenate, with its arrays as arguments and the positions where they meet.
concatenate = operation(kernels.concatenate, Each(_concatenate))

OWN = (sigmoid, softplus, logabsdet, contract, broadcast, cast, getitem, scatter, concatenate)
for _operation in OWN:
    derivatives[_operation] = _operation.rules  # type: ignore[attr-defined]
    quick[_operation] = _operation.__wrapped__  # type: ignore[attr-defined]
