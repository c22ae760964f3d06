"""Functions of arrays that NumPy lacks, or has in a slower way: nothing here knows of gradients."""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Function = Callable[..., Any]

# NumPy has a fast log1p for processors with AVX-512; on others it takes four times as long as log.
_compiled = np.lib.introspect.opt_func_info(func_name="^log1p$").get("log1p", {})
LOG1P_IS_FAST = any(not kind["current"].startswith("baseline") for kind in _compiled.values())
BLOCK = 1 << 15  # numbers: all that is computed from so many stays in the cache of the processor


def _by_blocks(compute: Callable[[Any, Any], None]) -> Function:
    """A function of ``x`` from ``compute(x, y)``, which puts its results into ``y``.

    Blocks make the logistic loss of a million numbers a fifth faster.
    """

    @functools.wraps(compute)
    def elementwise(x: Any, out: Any = None) -> Any:
        x = np.asarray(x)
        if x.dtype == np.float16:  # its exp overflows where the result does not
            return elementwise(x.astype(np.float32)).astype(np.float16)
        y = np.empty(x.shape, x.dtype) if out is None else out
        if x.ndim and x.size <= BLOCK:
            compute(x, y)
            return y
        numbers, results = x.reshape(-1), y.reshape(-1)
        for i in range(0, x.size, BLOCK):
            compute(numbers[i : i + BLOCK], results[i : i + BLOCK])
        return y[()]

    return elementwise


@_by_blocks
def sigmoid(x: Any, y: Any) -> None:
    """``1 / (1 + exp(-x))``, of any shape, elementwise."""
    with np.errstate(over="ignore"):  # 1 / inf is 0, which is right
        np.exp(np.negative(x, out=y), out=y)
    y += 1
    np.divide(1, y, out=y)


@_by_blocks
def softplus(x: Any, y: Any) -> None:
    """``log(1 + exp(x))``, of any shape, elementwise: ``max(x, 0) + log(1 + exp(-abs(x)))``.

    Where log1p is slow, log(1 + u) is the log of the rounded sum w, plus what rounding has lost,
    u - (w - 1): within 6 units in the last place.
    """
    np.negative(np.abs(x, out=y), out=y)
    np.exp(y, out=y)  # y is u = exp(-abs(x))
    if LOG1P_IS_FAST:
        np.log1p(y, out=y)
    else:
        w = y + 1
        y -= w - 1
        y += np.log(w, out=w)
    zeros = np.zeros(x.shape, x.dtype)  # with 0, maximum takes three times as long
    y += np.maximum(x, zeros, out=zeros)


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """``np.broadcast_to`` in a fifth of its time for small arrays."""
    if x.size == 1:
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))[()]  # one number, many times
    y = np.empty(shape, x.dtype)
    y[...] = x
    return y


def logabsdet(x: Any) -> Any:
    """The logarithm of the absolute value of the determinant of each matrix."""
    return np.linalg.slogdet(x)[1]


def contract(a: Any, b: Any, left: Any, right: Any, out: Any) -> Any:
    """The sum of products of ``a`` and ``b``, their axes and those of the result labelled."""
    return np.einsum(a, left, b, right, out, optimize=True)[()]


def cast(x: Any, dtype: Any) -> Any:
    """``x`` in another dtype."""
    return x.astype(dtype)


def getitem(x: Any, index: Any) -> Any:
    """``x[index]``, and never a view of ``x``, so that what was read stays when ``x`` changes."""
    y = x[index]
    return y if y.base is None else y.copy()


def scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape``, with ``g`` added where ``index`` points: the reverse of ``getitem``."""
    x = np.zeros(shape, g.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, np.ndarray) and part.dtype.kind != "b" for part in parts):
        np.add.at(x, index, g)  # an index may be repeated, and counts each time
    else:
        x[index] = g
    return x[()]


def concatenate(*arrays: Any, axis: int, edges: Sequence[int]) -> Any:  # noqa: ARG001
    """The arrays in a row along ``axis``; ``edges`` are the positions where they meet."""
    return np.concatenate(arrays, axis)


def _mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if x.size == 0 or x.ndim == 0 or x.dtype.char not in "fd":  # np.mean knows more
        return np.mean(x, axis=axis, keepdims=keepdims)
    total = x.sum(axis=axis, keepdims=keepdims)
    return total / (x.size // total.size)


# How to compute what NumPy's functions do: the same numbers, faster.
quick: dict[Function, Function] = {
    # numbers without axes, in a tenth of the time
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
    # small arrays, in half of it
    np.sum: lambda x, axis=None, keepdims=False: x.sum(axis=axis, keepdims=keepdims),
    np.max: lambda x, axis=None, keepdims=False: x.max(axis=axis, keepdims=keepdims),
    np.min: lambda x, axis=None, keepdims=False: x.min(axis=axis, keepdims=keepdims),
    np.mean: _mean,
    np.reshape: lambda x, shape: x.reshape(shape),
    np.transpose: lambda x, axes=None: x.transpose(axes),
}
