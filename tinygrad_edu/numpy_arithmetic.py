"""NumPy functions that compute, composed of operations that have a rule: no rule of their own.

Each differentiates as often as what it is composed of. Its parameters are those of NumPy's function
that have a meaning here, by NumPy's names; the others, such as ``out``, are refused by name. Values
are looked at, with ``plain``, only to choose: where the median stands, which numbers are nan.
"""

import math
from typing import Any

import numpy as np

from tinygrad_edu import ops
from tinygrad_edu.asides import checked, may_hold
from tinygrad_edu.backprop import plain
from tinygrad_edu.inputs import as_array
from tinygrad_edu.numpy_arrangement import axes_of
from tinygrad_edu.ops import Operation

LN2 = math.log(2)


# Axes.


def _rows(a: Any, axis: Any) -> Any:
    """``a`` with the axes of ``axis`` last and made into one, to be reduced."""
    axes = axes_of(a, axis)
    moved = np.moveaxis(a, axes, range(-len(axes), 0))
    split = np.ndim(a) - len(axes)
    return np.reshape(moved, (*np.shape(moved)[:split], math.prod(np.shape(moved)[split:])))


def _keeping_axes(reduced: Any, a: Any, axis: Any, before: tuple[int, ...] = ()) -> Any:
    """``reduced`` as ``keepdims`` has it; ``before`` is the shape of axes in front."""
    axes = axes_of(a, axis)
    kept = [1 if i in axes else n for i, n in enumerate(np.shape(a))]
    return np.reshape(reduced, (*before, *kept))


def _cast_integers(a: Any, dtype: Any) -> Any:
    """``a``, but integers in another dtype: small ones would overflow."""
    return a if a.dtype.kind == "f" else ops.cast(a, dtype=dtype)


# Statistics.


def _var(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The mean of the squares of what is off the mean, or their sum by n - ddof."""
    squares = np.square(a - np.mean(a, axis=axis, keepdims=True))
    if ddof == 0:
        return np.mean(squares, axis=axis, keepdims=keepdims)
    count = math.prod(np.shape(a)[i] for i in axes_of(a, axis))
    return np.sum(squares, axis=axis, keepdims=keepdims) / max(count - ddof, 0)


def _std(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The root of the variance, with slope 0 where all numbers are equal."""
    return root(np.var(a, axis=axis, ddof=ddof, keepdims=keepdims))


def root(total: Any, degree: float = 2) -> Any:
    """The root of a sum of powers, with slope 0 at 0, where a length has a kink in all directions.

    All further derivatives are 0 there, too.
    """
    zero = total == 0
    positive = np.where(zero, 1, total) if may_hold(zero) else total
    root = np.sqrt(positive) if degree == 2 else positive ** (1 / degree)
    return np.where(zero, 0, root) if may_hold(zero) else root


def _average(a: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> Any:
    """The mean, by the numbers and by their weights."""
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if np.shape(weights) != np.shape(a):
        if not isinstance(axis, int) or np.shape(weights) != (np.shape(a)[axis],):
            raise ValueError(
                f"weights have the shape of the numbers, {np.shape(a)}, or are a vector along "
                f"axis=, but got shape {np.shape(weights)} and axis={axis}"
            )
        shape = [1] * np.ndim(a)
        shape[axis] = -1
        weights = np.reshape(weights, shape)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    _check_weights(plain(total))
    return np.sum(np.multiply(a, weights), axis=axis, keepdims=keepdims) / total


@checked
def _check_weights(total: Any) -> None:
    """Refuse weights that sum to zero."""
    if np.any(total == 0):
        raise ZeroDivisionError("the weights of np.average sum to zero")


def _in_order(rows: Any) -> Any:
    """Where the numbers of each row stand by size, the least first; of equals, the first first."""
    return np.argsort(plain(rows), axis=-1, kind="stable")


def _take(rows: Any, places: Any) -> Any:
    """From each row the numbers at its ``places``."""
    index = np.indices(np.shape(places), sparse=True)
    return rows[(*index[:-1], places)]


def _median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the two in the middle, which get the gradient; of equals, those there."""
    rows = _rows(a, axis)
    order = _in_order(rows)
    count = order.shape[-1]
    middle = np.mean(_take(rows, order[..., (count - 1) // 2 : count // 2 + 1]), axis=-1)
    middle = _or_nan(middle, rows, order)
    return _keeping_axes(middle, a, axis) if keepdims else middle


def _quantile(a: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Between the two numbers next to it, by the numbers and by q; at a number, the slope above."""
    _check_quantiles(as_array(q))
    rows = _rows(a, axis)
    order = _in_order(rows)
    last = order.shape[-1] - 1
    position = np.multiply(np.reshape(q, -1) if np.ndim(q) else q, last)  # between two numbers
    below = np.floor(plain(position)).astype(int)
    low = _take(rows, order[..., np.atleast_1d(below)])
    high = _take(rows, order[..., np.atleast_1d(np.minimum(below + 1, last))])
    share = position - below
    there = np.equal(share, 0) & ~(np.isfinite(low) & np.isfinite(high))
    rise = np.where(there, 0, high) - np.where(there, 0, low)  # no inf - inf
    found = np.moveaxis(low + rise * share, -1, 0)
    found = _or_nan(found, rows, order)
    if keepdims:
        return _keeping_axes(found, a, axis, np.shape(q))
    return np.reshape(found, np.shape(q) + np.shape(rows)[:-1])


@checked
def _check_quantiles(q: Any) -> None:
    """Refuse quantiles outside of [0, 1]."""
    if not np.all((q >= 0) & (q <= 1)):
        raise ValueError("quantiles are from 0 to 1, percentiles from 0 to 100")


def _or_nan(y: Any, rows: Any, order: Any) -> Any:
    """``y``, but in rows that have a nan, which is the last in order, that nan."""
    if not may_hold(np.isnan(rows)):
        return y
    last = _take(rows, order[..., -1:])[..., 0]
    return np.where(np.isnan(last), last, y)


def _percentile(a: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """As np.quantile, of a hundredth."""
    return np.quantile(a, np.divide(q, 100), axis=axis, keepdims=keepdims)


def _ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest minus the smallest; a tie shares the gradient evenly."""
    largest = np.max(a, axis=axis, keepdims=keepdims)
    return largest - np.min(a, axis=axis, keepdims=keepdims)


def _prod(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """All numbers multiplied, right with zeros."""
    # One half times the other, until one number is left: right with zeros, where y / x is not.
    rows = _cast_integers(_rows(a, axis), int)
    while (count := np.shape(rows)[-1]) > 1:
        half = count // 2
        pairs = rows[..., :half] * rows[..., half : 2 * half]
        rows = np.concatenate([pairs, rows[..., 2 * half :]], axis=-1) if count % 2 else pairs
    product = rows[..., 0] if count else np.sum(rows, axis=-1) + 1  # of no numbers it is 1
    return _keeping_axes(product, a, axis) if keepdims else product


def _cumprod(a: Any, axis: int | None = None) -> Any:
    """The numbers so far multiplied, right with zeros."""
    if axis is None:
        return np.cumprod(np.reshape(a, -1), axis=0)
    # Each times what is 1, 2, 4, ... places before it: right with zeros, where y / x is not.
    rows = _cast_integers(np.swapaxes(a, axis, -1), int)
    step = 1
    while step < np.shape(rows)[-1]:
        rows = np.concatenate([rows[..., :step], rows[..., step:] * rows[..., :-step]], axis=-1)
        step *= 2
    return np.swapaxes(rows, axis, -1)


def _nansum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of what is not nan, which has slope 0."""
    return np.sum(np.where(np.isnan(a), 0, a), axis=axis, keepdims=keepdims)


def _nanmean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of what is not nan, which has slope 0."""
    count = np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)
    return np.nansum(a, axis=axis, keepdims=keepdims) / count


def _nanmax(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest of what is not nan; a tie shares the gradient evenly."""
    if a.dtype.kind != "f":
        return np.max(a, axis=axis, keepdims=keepdims)
    nan = np.isnan(a)
    largest = np.max(np.where(nan, -np.inf, a), axis=axis, keepdims=keepdims)
    return np.where(np.all(nan, axis=axis, keepdims=keepdims), np.nan, largest)


def _nanmin(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest of what is not nan; a tie shares the gradient evenly."""
    if a.dtype.kind != "f":
        return np.min(a, axis=axis, keepdims=keepdims)
    return -np.nanmax(-a, axis=axis, keepdims=keepdims)


# Elementwise.


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Slope 0 outside, and half of it at a limit, which is a tie."""
    low, high = a_min if min is None else min, a_max if max is None else max
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def _fmax(a: Any, b: Any) -> Any:
    """The larger, or what is not nan; a tie shares the gradient evenly."""
    return np.maximum(np.where(np.isnan(a), b, a), np.where(np.isnan(b), a, b))


def _fmin(a: Any, b: Any) -> Any:
    """The smaller, or what is not nan; a tie shares the gradient evenly."""
    return np.minimum(np.where(np.isnan(a), b, a), np.where(np.isnan(b), a, b))


def _logaddexp2(a: Any, b: Any) -> Any:
    """As np.logaddexp, to the base 2."""
    return np.logaddexp(np.multiply(a, LN2), np.multiply(b, LN2)) / LN2


def _float_power(a: Any, b: Any) -> Any:
    """As np.power, in float64."""
    a, b = (ops.cast(np.positive(x), dtype=np.float64) for x in (a, b))  # of lists, too
    return np.power(a, b)


def _sinc(x: Any) -> Any:
    """sin(pi * x) / (pi * x), smooth at 0."""
    # Near 0, where it is 0 / 0, by its series, whose derivatives are right, too.
    angle = math.pi * x
    near = np.abs(plain(angle)) < 0.5
    series = [(-1) ** k / math.factorial(2 * k + 1) for k in range(6, -1, -1)]
    away = np.where(near, 1, angle)
    return np.where(near, np.polyval(series, np.square(angle)), np.sin(away) / away)


def _nan_to_num(x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Slope 0 where a number is replaced."""
    largest = np.finfo(x.dtype).max if x.dtype.kind == "f" else 0
    y = np.where(np.isnan(x), nan, x)
    y = np.where(x == np.inf, largest if posinf is None else posinf, y)
    return np.where(x == -np.inf, -largest if neginf is None else neginf, y)


def _polyval(p: Any, x: Any) -> Any:
    """By the coefficients and by x."""
    y = np.zeros_like(x)
    for coefficient in p:
        y = y * x + coefficient
    return y


compositions: dict[Operation, Operation] = {
    # statistics
    np.amax: np.max,
    np.amin: np.min,
    np.var: _var,
    np.std: _std,
    np.average: _average,
    np.median: _median,
    np.quantile: _quantile,
    np.percentile: _percentile,
    np.ptp: _ptp,
    np.prod: _prod,
    np.cumprod: _cumprod,
    np.nansum: _nansum,
    np.nanmean: _nanmean,
    np.nanmax: _nanmax,
    np.nanmin: _nanmin,
    # elementwise
    np.square: lambda x: np.multiply(x, x),
    np.fabs: np.absolute,
    np.float_power: _float_power,
    np.exp2: lambda x: np.power(2.0, x),
    np.logaddexp2: _logaddexp2,
    np.sinc: _sinc,
    np.deg2rad: lambda x: np.multiply(x, math.pi / 180),
    np.radians: lambda x: np.multiply(x, math.pi / 180),
    np.rad2deg: lambda x: np.multiply(x, 180 / math.pi),
    np.degrees: lambda x: np.multiply(x, 180 / math.pi),
    np.around: np.round,
    np.clip: _clip,
    np.fmax: _fmax,
    np.fmin: _fmin,
    np.nan_to_num: _nan_to_num,
    np.polyval: _polyval,
}
