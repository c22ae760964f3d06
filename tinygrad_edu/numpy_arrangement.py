"""NumPy functions that move numbers, composed of operations that have a rule.

Each follows NumPy's own signature, and differentiates as often as what it is composed of.
"""

import itertools
from typing import Any

import numpy as np

from tinygrad_edu import ops
from tinygrad_edu.ops import Operation

# Joining and splitting.


def _concatenate(arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        arrays, axis = [np.reshape(a, -1) for a in arrays], 0
    axis = range(np.ndim(arrays[0]))[axis]
    edges = list(itertools.accumulate((np.shape(a)[axis] for a in arrays), initial=0))
    return ops.concatenate(*arrays, axis=axis, edges=edges)


def _stack(arrays: Any, axis: int = 0) -> Any:
    return np.concatenate([np.expand_dims(a, axis) for a in arrays], axis)


# Shapes.


def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    axes = list(range(np.ndim(a)))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return np.transpose(a, axes)


def _flip(m: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    axes = range(np.ndim(m)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    index = [slice(None)] * np.ndim(m)
    for i in axes:
        index[i] = slice(None, None, -1)
    return m[tuple(index)]


def _expand_dims(a: Any, axis: int | tuple[int, ...]) -> Any:
    return np.reshape(a, np.expand_dims(np.broadcast_to(0, np.shape(a)), axis).shape)


def _squeeze(a: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    return np.reshape(a, np.squeeze(np.broadcast_to(0, np.shape(a)), axis).shape)


compositions: dict[Operation, Operation] = {
    # joining and splitting
    np.concatenate: _concatenate,
    np.stack: _stack,
    # shapes
    np.swapaxes: _swapaxes,
    np.expand_dims: _expand_dims,
    np.squeeze: _squeeze,
    np.flip: _flip,
}
