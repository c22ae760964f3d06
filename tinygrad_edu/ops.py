"""The table of derivatives: every operation is a NumPy function with one rule per array argument.

A rule answers: if the final result changes by ``g`` per unit of this operation's output, by how
much does it change per unit of this argument? ``rule(g, y, *arrays, **parameters)`` is given

- ``g``: the gradient of the final result with respect to the output (the cotangent), in its shape;
- ``y``: the output; then the operation's own arguments, arrays by position, parameters by name.

Rules use only operators, methods and NumPy functions. So one rule serves twice: on arrays it gives
the gradient; on Tensors it gives a gradient that is itself a graph and can be differentiated again.
No rule mentions broadcasting: ``backprop`` undoes it. ``None`` stands for an argument without a
derivative because it chooses instead of counting (the condition of ``where``).

The docstring of a rule is its formula, for people: in code where that is short, else in words. It
calls the arguments as the rule does: x, or a and b.

Conventions where no derivative exists: a tie in ``maximum``, ``minimum``, ``max`` or ``min`` shares
the gradient evenly; ``abs`` has slope 0 at 0; a step (``sign``, ``heaviside``) has slope 0
everywhere; ``a ** b`` has slope 0 with respect to ``b`` at ``a = 0``, for ``b`` of at least 0.
"""

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Operation = Callable[..., Any]
Rule = Callable[..., Any]

derivatives: dict[Operation, "tuple[Rule | None, ...] | Each"] = {}

# How to compute an operation on arrays faster than by calling it: with the same numbers.
quick: dict[Operation, Operation] = {}


class StandIn:
    """What stands for an array, and must not be turned into one: ``replay`` hands it out."""

    __slots__ = ()

    def as_array(self) -> Any:
        """What stands for the same numbers as an array, and not as a number of NumPy."""
        raise NotImplementedError

    def own_array(self, dtype: Any) -> Any:
        """What stands for a copy as an array."""
        raise NotImplementedError

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise NotImplementedError

    def beside(self, make: Operation, *args: Any) -> Any:
        """What stands for ``make(*args)``."""
        raise NotImplementedError


def as_array(x: Any) -> NDArray[Any]:
    """``x`` as an array, or what stands for it."""
    array: NDArray[Any] = x.as_array() if isinstance(x, StandIn) else np.asarray(x)
    return array


def own_array(x: Any, dtype: Any = None) -> Any:
    """A copy of ``x`` as an array, in ``dtype``, or what stands for it."""
    return x.own_array(dtype) if isinstance(x, StandIn) else np.array(x, dtype)


def beside(x: Any, make: Operation, *args: Any) -> Any:
    """``make(*args)``, an array that depends on no other, to be computed with ``x``."""
    return x.beside(make, *args) if isinstance(x, StandIn) else make(*args)


def rule(formula: str, function: Rule) -> Rule:
    """Give a rule of one line its docstring."""
    function.__doc__ = formula
    return function


def primitive(forward: Operation, *rules: Rule | None) -> Operation:
    """Make an operation of one's own from its forward function and one rule per array argument.

    ``forward`` takes arrays by position and parameters by name, and returns a new array. What comes
    back is called like a NumPy function, on arrays or on Tensors. A rule that has a docstring is
    shown by it in ``steps``. Raises TypeError if ``forward`` or a rule cannot be called, or if
    there is no rule.

    >>> from tinygrad_edu import Tensor, primitive
    >>> cube = primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)
    >>> x = Tensor(2.0, requires_grad=True)
    >>> cube(x).backward()
    >>> x.grad
    array(12.)
    """
    callables = [rule for rule in rules if rule is not None]
    if not callable(forward) or not callables or not all(map(callable, callables)):
        raise TypeError(
            "primitive takes a function and one derivative rule per array argument, for example "
            "primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)"
        )
    return _primitive(forward, rules)


def _primitive(forward: Operation, rules: "tuple[Rule | None, ...] | Each") -> Operation:
    @functools.wraps(forward)
    def operation(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *kwargs.values()):  # as in NumPy (NEP 18), what is no array takes over
            if type(arg) is np.ndarray or not hasattr(arg, "__array_function__"):
                continue
            if isinstance(arg, StandIn) or not isinstance(arg, np.ndarray | np.generic):
                return arg.__array_function__(operation, (type(arg),), args, kwargs)
        return compute(*args, **kwargs)

    def compute(*args: Any, **kwargs: Any) -> Any:
        return as_array(forward(*args, **kwargs))[()]

    derivatives[operation], quick[operation] = rules, compute
    return operation


class Each:
    """The rules of an operation on any number of arrays: the i-th is ``rule(i, g, y, **named)``.

    It is not given the arrays: to pass n arrays to n rules would take n * n steps.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __iter__(self) -> Iterator[Rule]:
        return (functools.partial(self.rule, i) for i in itertools.count())


# The rules that need more than a line.


def _zero(g: Any, y: Any, *arrays: Any) -> Any:
    """0 * g"""
    return np.zeros_like(g)


def _if_larger(g: Any, a: Any, b: Any) -> Any:
    return np.where(a == b, g / 2, np.where(a < b, 0, g))  # nan counts as larger


def _base(g: Any, y: Any, a: Any, b: Any) -> Any:
    """g * b * a ** (b - 1)"""
    if np.any(b == 0):  # 0 ** 0 is flat in its base, but b * a ** (b - 1) would read 0 * inf
        a = np.where((a == 0) & (b == 0), 1, a)
    return g * b * a ** (b - 1)


def _exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    """g * y * log(a)"""
    return g * y * np.log(np.where(a == 0, np.ones_like(y), a))


def _keepdims(reduced: Any, axis: Any, keepdims: bool) -> Any:
    """Put reduced axes back with length 1, to broadcast against the array that was reduced."""
    return reduced if keepdims or axis is None else np.expand_dims(reduced, axis)


def _sum(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """g, for each number in the sum"""
    return broadcast(_keepdims(g, axis, keepdims), shape=x.shape)


def _mean(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """g / n, for each of n numbers"""
    return _sum(g * (y.size / max(x.size, 1)), y, x, axis, keepdims)


def _extremum(g: Any, y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """g where x == y (ties share it), else 0"""
    chosen = (x == _keepdims(y, axis, keepdims)) | (x != x)  # where there is a nan, it is chosen
    ties = np.sum(chosen, axis=axis, keepdims=True, dtype=np.result_type(g.dtype, np.float32))
    return np.where(chosen, _keepdims(g, axis, keepdims) / ties, 0)


def _cumsum(g: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    """g, summed from each position to the end"""
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis), axis), x.shape)


def _transpose(g: Any, y: Any, x: Any, axes: Any = None) -> Any:
    """g, its axes in the old order"""
    return np.transpose(g, None if axes is None else np.argsort([i % x.ndim for i in axes]))


def _as_matrices(g: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Read a 1-D operand of ``a @ b`` as a row (1, k) or a column (k, 1), and ``g`` to match."""
    if b.ndim == 1:
        b, g = b[:, None], g[..., None]
    if a.ndim == 1:
        a, g = a[None, :], g[..., None, :]
    return g, a, b


def _by_columns(x: Any) -> bool:
    """Whether a matrix lies in memory column by column, as the weights in ``x @ w.T`` do."""
    return isinstance(x, np.ndarray) and x.flags.fnc  # to add such to others is 8 times slower


def _matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    """g @ b.T"""
    if a.ndim == b.ndim == 2:
        return (b @ g.T).T if _by_columns(a) else g @ b.T
    g, _, columns = _as_matrices(g, a, b)
    left = g @ np.swapaxes(columns, -1, -2)
    return left[..., 0, :] if a.ndim == 1 else left


def _matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    """a.T @ g"""
    if a.ndim == b.ndim == 2:
        return (g.T @ a).T if _by_columns(b) else a.T @ g
    g, rows, _ = _as_matrices(g, a, b)
    right = np.swapaxes(rows, -1, -2) @ g
    return right[..., 0] if b.ndim == 1 else right


# The table, from simple to tricky.

derivatives |= {
    # arithmetic
    np.positive: (rule("g", lambda g, y, x: g),),
    np.negative: (rule("-g", lambda g, y, x: -g),),
    np.add: (rule("g", lambda g, y, a, b: g), rule("g", lambda g, y, a, b: g)),
    np.subtract: (rule("g", lambda g, y, a, b: g), rule("-g", lambda g, y, a, b: -g)),
    np.multiply: (
        rule("g * b", lambda g, y, a, b: g * b),
        rule("g * a", lambda g, y, a, b: g * a),
    ),
    np.divide: (
        rule("g / b", lambda g, y, a, b: g / b),
        rule("-g * y / b", lambda g, y, a, b: -g * y / b),
    ),
    np.power: (_base, _exponent),
    # one number in, one number out
    np.exp: (rule("g * y", lambda g, y, x: g * y),),
    np.expm1: (rule("g * (y + 1)", lambda g, y, x: g * (y + 1)),),
    np.log: (rule("g / x", lambda g, y, x: g / x),),
    np.log1p: (rule("g / (1 + x)", lambda g, y, x: g / (1 + x)),),
    np.sqrt: (rule("g / (2 * y)", lambda g, y, x: g / (2 * y)),),
    np.sin: (rule("g * cos(x)", lambda g, y, x: g * np.cos(x)),),
    np.cos: (rule("-g * sin(x)", lambda g, y, x: -g * np.sin(x)),),
    np.tanh: (rule("g * (1 - y * y)", lambda g, y, x: g * (1 - y * y)),),
    # kinks and steps
    np.absolute: (rule("g * sign(x)", lambda g, y, x: g * np.sign(x)),),
    np.sign: (_zero,),
    np.heaviside: (
        _zero,
        rule("where(a == 0, g, 0)", lambda g, y, a, b: np.where(a == 0, g, 0)),
    ),
    np.maximum: (
        rule("g if a > b (half of it if a == b), else 0", lambda g, y, a, b: _if_larger(g, a, b)),
        rule("g if b > a (half of it if a == b), else 0", lambda g, y, a, b: _if_larger(g, b, a)),
    ),
    np.minimum: (
        rule("g if a < b (half of it if a == b), else 0", lambda g, y, a, b: _if_larger(g, b, a)),
        rule("g if b < a (half of it if a == b), else 0", lambda g, y, a, b: _if_larger(g, a, b)),
    ),
    np.where: (
        None,
        rule("where(c, g, 0)", lambda g, y, c, a, b: np.where(c, g, 0)),
        rule("where(c, 0, g)", lambda g, y, c, a, b: np.where(c, 0, g)),
    ),
    # the same numbers in another shape
    np.reshape: (rule("g, in the shape of x", lambda g, y, x, shape: g.reshape(x.shape)),),
    np.transpose: (_transpose,),
    np.broadcast_to: (rule("g", lambda g, y, x, shape: g),),
    # many numbers in, fewer out
    np.sum: (_sum,),
    np.mean: (_mean,),
    np.max: (_extremum,),
    np.min: (_extremum,),
    np.cumsum: (_cumsum,),
    np.matmul: (_matmul_left, _matmul_right),
}


# Operations that are no single NumPy function.


def _sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, of any shape, elementwise."""
    y = as_array(-x)
    with np.errstate(over="ignore"):  # 1 / inf is 0, which is right
        np.exp(y, out=y)  # in place, like all that follows: fresh memory is slower than arithmetic
    y += 1
    return np.divide(1, y, out=y)


def _softplus(x: Any) -> Any:
    """``log(1 + exp(x))``, of any shape, elementwise."""
    u = as_array(np.abs(x))
    np.exp(np.negative(u, out=u), out=u)
    # log(1 + u) five times as fast as log1p: of w, 1 + u rounded, and then what rounding has lost
    w = as_array(1 + u)
    y = as_array(w - 1)
    u -= y
    u /= w
    np.log(w, out=y)
    y += u
    y += np.maximum(x, 0, out=u)
    return y


def _broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """``x``, repeated to fill ``shape``."""
    if x.size == 1:
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))  # one number, read many times
    y = np.empty(shape, x.dtype)
    y[...] = x
    return y


def _getitem(x: Any, index: Any, once: bool = False) -> Any:
    """``x[index]``, and never a view of ``x``."""
    y = x[index]
    return y if y.base is None else y.copy()  # what was read stays so when x changes


_ONCE = (int, np.integer, slice, type(None), type(Ellipsis))  # these take no element twice


def _scatter(g: Any, index: Any, shape: tuple[int, ...], once: bool = False) -> Any:
    """Zeros of ``shape``, with ``g`` added where ``index`` points: the reverse of ``getitem``."""
    x = beside(g, np.zeros, shape, g.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if once or all(isinstance(part, _ONCE) or as_array(part).dtype == bool for part in parts):
        x[index] = g
    else:
        np.add.at(x, index, g)  # a repeated index takes part twice
    return x


def _concatenate(*arrays: Any, axis: int, edges: Sequence[int]) -> Any:
    """The arrays in a row along ``axis``; ``edges`` are the positions where they meet."""
    return np.concatenate(arrays, axis)


def _part(i: int, g: Any, y: Any, axis: int, edges: Sequence[int]) -> Any:
    """the part of g where this array went"""
    return g[(slice(None),) * axis + (slice(edges[i], edges[i + 1]),)]


# Its own primitive for stability: 1 / (1 + exp(-x)) overflows at x = -1000.
sigmoid = primitive(_sigmoid, rule("g * y * (1 - y)", lambda g, y, x: g * y * (1 - y)))
# Its own primitive for its curvature: maximum(x, 0) + log1p(exp(-abs(x))) has 0 at 0, not 1/4.
softplus = primitive(_softplus, rule("g * sigmoid(x)", lambda g, y, x: g * sigmoid(x)))
# x[index], and its reverse: zeros of a shape, with g added where index says.
getitem: Operation = primitive(
    _getitem,
    rule(
        "g, added up where the index points, 0 elsewhere",
        lambda g, y, x, index, once=False: scatter(g, index=index, shape=x.shape, once=once),
    ),
)
scatter: Operation = primitive(
    _scatter,
    rule("g[index]", lambda g, y, x, index, shape, once=False: getitem(g, index=index, once=once)),
)
# broadcast_to, which takes 4 us for a small array, in 1 us
broadcast: Operation = primitive(_broadcast, rule("g", lambda g, y, x, shape: g))
# concatenate, with its arrays as arguments and the positions where they meet
concatenate = _primitive(_concatenate, Each(_part))


def _reduce(ufunc: Any) -> Operation:
    return lambda x, axis=None, keepdims=False: ufunc.reduce(x, axis=axis, keepdims=keepdims)


def _mean_of(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if x.size == 0 or x.dtype.char not in "fd":  # np.mean knows more
        return np.mean(x, axis=axis, keepdims=keepdims)
    total = x.sum(axis=axis, keepdims=keepdims)
    return total / (x.size // total.size)


quick |= {  # in half the time, for small arrays
    np.sum: _reduce(np.add),
    np.mean: _mean_of,
    np.max: _reduce(np.maximum),
    np.min: _reduce(np.minimum),
}


def name(op: Operation | None) -> str:
    """What an operation is called in messages and pictures."""
    return getattr(op, "__name__", str(op)).strip("_")
