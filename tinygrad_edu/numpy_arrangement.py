"""NumPy functions that move numbers, composed of operations that have a rule.

Each follows NumPy's own signature, and differentiates as often as what it is composed of. Most are
one idea: the function itself, called on the positions of the numbers, says which it puts where.
Indexing then takes them, ``np.reshape(a, -1)[positions]``, and its rule adds each gradient up at
the position it was taken from.
"""

import itertools
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import Node, plain
from tinygrad_edu.inputs import as_array, as_dtype, check_dtype, is_tensor
from tinygrad_edu.ops import Operation


def _positions(*arrays: Any) -> list[Any]:
    """Where the numbers of each array stand in a row of all of them, in the shape of the array."""
    ends = itertools.accumulate(np.size(a) for a in arrays)
    return [
        np.arange(end - np.size(a), end).reshape(np.shape(a))
        for a, end in zip(arrays, ends, strict=True)
    ]


def _setting(x: Any) -> Any:
    """What only chooses, as plain data; a Tensor that requires a gradient is refused."""
    return np.asarray(x) if is_tensor(x) else x


def _moved(function: Operation) -> Operation:
    def composed(a: Any, *args: Any, **kwargs: Any) -> Any:
        args = tuple(map(_setting, args))
        kwargs = {name: _setting(value) for name, value in kwargs.items()}
        found = function(_positions(a)[0], *args, **kwargs)
        row = np.reshape(a, -1)
        parts = isinstance(found, list | tuple)
        return type(found)(row[part] for part in found) if parts else row[found]

    composed.__doc__ = "The numbers at the positions that NumPy gives."
    return composed


def axes_of(a: Any, axis: Any) -> tuple[int, ...]:
    """The axes that a parameter names, by default all, counted from the first."""
    return normalize_axis_tuple(range(np.ndim(a)) if axis is None else axis, np.ndim(a))


# Joining and splitting.


def _concatenate(arrays: Any, axis: int | None = 0) -> Any:
    """The arrays in a row."""
    if axis is None:
        arrays, axis = [np.reshape(a, -1) for a in arrays], 0
    if len(axes := sorted({np.ndim(a) for a in arrays})) > 1:
        raise ValueError(f"the arrays differ in their number of axes, from {axes[0]} to {axes[-1]}")
    axis = normalize_axis_index(axis, np.ndim(arrays[0]))
    edges = list(itertools.accumulate((np.shape(a)[axis] for a in arrays), initial=0))
    return ops.concatenate(*arrays, axis=axis, edges=edges)


def _stack(arrays: Any, axis: int = 0) -> Any:
    """Concatenated along a new axis."""
    return np.concatenate([np.expand_dims(a, axis) for a in arrays], axis)


def _vstack(tup: Any) -> Any:
    """Concatenated along axis 0, vectors as rows."""
    return np.concatenate([np.atleast_2d(a) for a in tup], 0)


def _hstack(tup: Any) -> Any:
    """Concatenated along axis 1, vectors along axis 0."""
    parts = [np.atleast_1d(a) for a in tup]
    return np.concatenate(parts, 0 if np.ndim(parts[0]) == 1 else 1)


def _dstack(tup: Any) -> Any:
    """Concatenated along axis 2."""
    return np.concatenate([np.atleast_3d(a) for a in tup], 2)


def _column_stack(tup: Any) -> Any:
    """Concatenated along axis 1, vectors as columns."""
    return np.concatenate([a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup], 1)


def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Concatenated."""
    return np.concatenate([arr, values], axis)


def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """The numbers of both at the positions that NumPy gives."""
    old, new = _positions(arr, values)
    row = np.concatenate([arr, values], None)[np.insert(old, _setting(obj), new, axis)]
    return ops.cast(row, dtype=as_array(arr).dtype)


# Shapes.


def _ravel(a: Any) -> Any:
    """The same numbers in one row."""
    return np.reshape(a, -1)


def _reshaped(function: Operation) -> Operation:
    def composed(a: Any, *args: Any, **kwargs: Any) -> Any:
        return np.reshape(a, function(np.broadcast_to(0, np.shape(a)), *args, **kwargs).shape)

    composed.__doc__ = "The same numbers in another shape."
    return composed


def _at_least(function: Operation) -> Operation:
    def composed(*arys: Any) -> Any:
        found = tuple(_reshaped(function)(a) for a in arys)
        return found[0] if len(found) == 1 else found

    composed.__doc__ = "The same numbers in a shape with more axes."
    return composed


def _transposed(function: Operation) -> Operation:
    def composed(a: Any, *args: Any, **kwargs: Any) -> Any:
        numbered = np.empty(range(np.ndim(a)))  # its shape, 0, 1, 2, ..., tells where axes go
        return np.transpose(a, function(numbered, *args, **kwargs).shape)

    composed.__doc__ = "The axes in another order."
    return composed


def _broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    """Each in the shape that all broadcast to."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(a, shape) for a in args)


def _meshgrid(*xi: Any, sparse: bool = False, indexing: Any = "xy") -> tuple[Any, ...]:
    """Each repeated along the axes of the others."""
    rows = [np.arange(np.size(x)) for x in xi]
    grids = np.meshgrid(*rows, sparse=sparse, indexing=indexing)
    return tuple(np.reshape(x, -1)[grid] for x, grid in zip(xi, grids, strict=True))


def _flip(m: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """The axes backwards."""
    index = [slice(None)] * np.ndim(m)
    for i in axes_of(m, axis):
        index[i] = slice(None, None, -1)
    return m[tuple(index)]


def _pad(array: Any, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0) -> Any:
    """With a frame of constants, or of its own numbers: edge, reflect, symmetric or wrap."""
    if mode == "constant":
        inside = np.pad(np.ones(np.shape(array), bool), pad_width)
        frame = np.pad(np.zeros_like(array), pad_width, constant_values=constant_values)
        placed = ops.scatter(np.reshape(array, -1), index=inside, shape=inside.shape)
        return np.where(inside, placed, frame)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(
            f"mode={errors.short(mode)} is not one of constant, edge, reflect, symmetric, wrap"
        )
    return np.reshape(array, -1)[np.pad(_positions(array)[0], pad_width, mode=mode)]


# Choosing.


def _take(a: Any, indices: Any, axis: int | None = None, *, mode: Any = "raise") -> Any:
    """The numbers at the positions that NumPy gives."""
    return np.reshape(a, -1)[np.take(_positions(a)[0], _setting(indices), axis, mode=mode)]


def _compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    """The numbers at the positions that NumPy gives."""
    return np.reshape(a, -1)[np.compress(_setting(condition), _positions(a)[0], axis)]


def _extract(condition: Any, arr: Any) -> Any:
    """The numbers at the positions that NumPy gives."""
    return np.reshape(arr, -1)[np.extract(_setting(condition), _positions(arr)[0])]


def _choose(a: Any, choices: Any, *, mode: Any = "raise") -> Any:
    """The numbers at the positions that NumPy gives."""
    row = np.concatenate(choices, None)
    return row[np.choose(_setting(a), _positions(*choices), mode=mode)]


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The numbers at the positions that NumPy gives."""
    row = np.concatenate([*choicelist, default], None)
    *places, otherwise = _positions(*choicelist, default)
    return row[np.select([_setting(c) for c in condlist], places, otherwise)]


def _sort(a: Any, axis: int | None = -1, kind: Any = "stable") -> Any:
    """Each number keeps its gradient; equal ones stay in their order, and nan comes last."""
    return np.take_along_axis(a, np.argsort(a, axis, kind), axis)


def _partition(a: Any, kth: Any, axis: int | None = -1) -> Any:
    """Sorted, which is a partition by every kth; NumPy leaves the rest in an order of its own."""
    np.partition(np.zeros_like(a), kth, axis)  # which refuses a kth that is not there
    return np.sort(a, axis)


def _diag(v: Any, k: int = 0) -> Any:
    """A diagonal of a matrix; or a vector as the diagonal of a matrix of zeros."""
    if np.ndim(v) != 1:
        return np.reshape(v, -1)[np.diag(_positions(v)[0], k)]
    on_it = np.diag(np.ones(np.size(v), bool), k)
    return ops.scatter(v, index=on_it, shape=on_it.shape)


def _diagflat(v: Any, k: int = 0) -> Any:
    """All numbers as the diagonal of a matrix of zeros."""
    return np.diag(np.reshape(v, -1), k)


def _tril(m: Any, k: int = 0) -> Any:
    """0 above the k-th diagonal, where the gradient ends."""
    return np.where(np.tril(np.ones(np.shape(m)[-2:], bool), k), m, 0)


def _triu(m: Any, k: int = 0) -> Any:
    """0 below the k-th diagonal, where the gradient ends."""
    return np.where(np.triu(np.ones(np.shape(m)[-2:], bool), k), m, 0)


# Neighbours.


def _diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Each number minus the one before, n times."""
    if n < 0:
        raise ValueError(f"n is how often the difference is taken, but got {n}")
    rows = np.moveaxis(a, axis, -1)
    for _ in range(n):
        rows = rows[..., 1:] - rows[..., :-1]
    return np.moveaxis(rows, -1, axis)


def _gradient(f: Any, *varargs: Any, axis: Any = None) -> Any:
    """Half the difference of both neighbours; at the ends, the difference to the only one."""
    if len(varargs) > 1 or any(map(np.ndim, varargs)):
        raise TypeError("the spacing is one number, the same on all axes")
    slopes = []
    f = ops.cast(f, dtype=float) if plain(f).dtype.kind != "f" else f  # small integers overflow
    for i in axes_of(f, axis):
        n = np.shape(f)[i]
        if n < 2:
            raise ValueError(f"axis {i} has {n} numbers, and a difference takes 2")
        after, before = np.minimum(np.arange(n) + 1, n - 1), np.maximum(np.arange(n) - 1, 0)
        rows = np.moveaxis(f, i, -1)
        rises = (rows[..., after] - rows[..., before]) / (after - before)
        slopes.append(np.moveaxis(rises / varargs[0] if varargs else rises, -1, i))
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area below straight lines from point to point, by y and by x."""
    y = np.moveaxis(y, axis, -1)
    if x is not None:
        dx = np.diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1))
    return np.sum(dx * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)


def _convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """The sum of a[i] * v[n - i] for each n, by a and by v."""
    a, v = np.atleast_1d(a), np.atleast_1d(v)
    if np.size(v) > np.size(a):
        a, v = v, a
    n = np.size(v)
    size = np.convolve(np.zeros(np.size(a)), np.zeros(n), mode).size
    first = (np.size(a) + n - 1 - size) // 2
    windows = np.arange(first, first + size)[:, None] + np.arange(n)
    return np.pad(a, n - 1)[windows] @ np.flip(v)


def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """The sum of a[n + i] * v[i] for each n, by a and by v."""
    if np.size(v) > np.size(a):
        return np.flip(np.correlate(v, a, mode))
    return np.convolve(a, np.flip(np.atleast_1d(v)), mode)


def _interp(x: Any, xp: Any, fp: Any) -> Any:
    """Straight lines: at a point the slope to its right; beyond the first and the last it is 0."""
    if np.size(xp) < 2:
        raise ValueError("it takes two points or more")
    xp, fp = np.reshape(xp, -1), np.reshape(fp, -1)
    before, beyond = np.less(x, xp[0]), np.greater_equal(x, xp[-1])
    inside = np.where(before | beyond, xp[0], x)
    left = np.clip(np.searchsorted(xp, inside, "right") - 1, 0, np.size(xp) - 2)
    slopes = (fp[left + 1] - fp[left]) / (xp[left + 1] - xp[left])
    between = fp[left] + (inside - xp[left]) * slopes
    return np.where(before, fp[0], np.where(beyond, fp[-1], between))


def _copy(a: Any) -> Any:
    """The same numbers."""
    return a[...]


def _full_like(a: Any, fill_value: Any) -> Any:
    """The fill value in the shape of the array; plain data, if it is no Tensor."""
    if not isinstance(fill_value, Node):
        return np.full_like(plain(a), fill_value)
    return np.broadcast_to(ops.cast(fill_value, dtype=plain(a).dtype), np.shape(a))


def _astype(x: Any, dtype: Any) -> Any:
    """The same numbers in another dtype; the gradient goes back in the old one."""
    dtype = as_dtype(dtype)
    check_dtype(dtype)
    return ops.cast(x, dtype=dtype)


MOVED: tuple[Operation, ...] = (
    *(np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit),
    *([np.unstack] if hasattr(np, "unstack") else []),  # NumPy 2.0 lacks it
    *(np.roll, np.fliplr, np.flipud, np.rot90, np.tile, np.repeat, np.resize, np.delete),
    *(np.take_along_axis, np.diagonal, np.lib.stride_tricks.sliding_window_view),
)
RESHAPED = (np.expand_dims, np.squeeze)
AT_LEAST = (np.atleast_1d, np.atleast_2d, np.atleast_3d)
TRANSPOSED = (np.swapaxes, np.moveaxis, np.rollaxis, np.matrix_transpose)

compositions: dict[Operation, Operation] = {
    # joining and splitting
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.dstack: _dstack,
    np.column_stack: _column_stack,
    np.append: _append,
    np.insert: _insert,
    # shapes
    np.ravel: _ravel,
    **{function: _reshaped(function) for function in RESHAPED},
    **{function: _at_least(function) for function in AT_LEAST},
    **{function: _transposed(function) for function in TRANSPOSED},
    np.broadcast_arrays: _broadcast_arrays,
    np.meshgrid: _meshgrid,
    np.flip: _flip,
    np.pad: _pad,
    # choosing
    **{function: _moved(function) for function in MOVED},
    np.take: _take,
    np.compress: _compress,
    np.extract: _extract,
    np.choose: _choose,
    np.select: _select,
    np.sort: _sort,
    np.partition: _partition,
    np.diag: _diag,
    np.diagflat: _diagflat,
    np.tril: _tril,
    np.triu: _triu,
    # neighbours
    np.diff: _diff,
    np.gradient: _gradient,
    np.trapezoid: _trapezoid,
    np.convolve: _convolve,
    np.correlate: _correlate,
    np.interp: _interp,
    # copying
    np.copy: _copy,
    np.real: _copy,
    np.conjugate: _copy,
    np.astype: _astype,
    np.full_like: _full_like,
}
