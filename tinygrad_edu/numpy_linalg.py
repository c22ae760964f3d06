"""NumPy's norms, products and linear algebra, composed of operations that have a rule.

Each differentiates as often as what it is composed of, and takes the parameters of NumPy's function
that have a meaning here.
"""

import itertools
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import plain
from tinygrad_edu.numpy_arithmetic import root
from tinygrad_edu.numpy_arrangement import axes_of
from tinygrad_edu.ops import Operation

# Norms.


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Slope 0 at 0, and all further derivatives; ties of max and min share the gradient evenly."""
    axes = axes_of(x, axis)
    x = x if x.dtype.kind == "f" else ops.cast(x, dtype=float)
    if ord is axis is None or (len(axes) == 2 and ord in (None, "fro")):  # as of one long vector
        return _norm_of_vectors(x, 2, axis, keepdims)
    if len(axes) == 1:
        return _norm_of_vectors(x, 2 if ord is None else ord, axis, keepdims)
    if len(axes) != 2:
        raise ValueError(f"a norm is along one axis or two, but got {len(axes)}: pass axis=")
    if ord not in (1, -1, np.inf, -np.inf):
        raise TypeError(
            f"ord={errors.short(ord)} of matrices is not differentiated here, because it takes "
            "singular values. Those without are 'fro', 1, -1, np.inf and -np.inf"
        )
    sums = np.sum(np.abs(x), axis=axes[0] if abs(ord) == 1 else axes[1], keepdims=True)
    return (np.max if ord > 0 else np.min)(sums, axis=axes, keepdims=keepdims)


def _norm_of_vectors(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    if isinstance(ord, str):
        raise ValueError(f"ord={errors.short(ord)} is a norm of matrices, along two axes")
    if ord == 2:
        return root(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    if ord == 0:  # how many are not 0
        return np.sum(np.abs(np.sign(x)), axis=axis, keepdims=keepdims)
    sizes = np.abs(x)
    if abs(ord) == np.inf:
        return (np.max if ord > 0 else np.min)(sizes, axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(sizes, axis=axis, keepdims=keepdims)
    total = np.sum(sizes**ord, axis=axis, keepdims=keepdims)
    return root(total, ord) if ord > 0 else total ** (1 / ord)


# Products.


def _dot(a: Any, b: Any) -> Any:
    """The product of vectors and matrices."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, (-1, -1 if np.ndim(b) == 1 else -2))


def _inner(a: Any, b: Any) -> Any:
    """The sum of products along the last axes."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, (-1, -1))


def _vdot(a: Any, b: Any) -> Any:
    """The sum of the products of all numbers."""
    return np.matmul(np.reshape(a, -1), np.reshape(b, -1))


def _outer(a: Any, b: Any) -> Any:
    """Each number of one times each of the other."""
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def _kron(a: Any, b: Any) -> Any:
    """Each number of one times all of the other."""
    ndim = max(np.ndim(a), np.ndim(b))
    rows = (1,) * (ndim - np.ndim(a)) + np.shape(a)
    columns = (1,) * (ndim - np.ndim(b)) + np.shape(b)
    a = np.reshape(a, [n for row in rows for n in (row, 1)])
    b = np.reshape(b, [n for column in columns for n in (1, column)])
    return np.reshape(a * b, [m * n for m, n in zip(rows, columns, strict=True)])


def _cross(a: Any, b: Any, axis: int | None = None) -> Any:
    """The vector product in space."""
    axis = -1 if axis is None else axis
    a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    if not a.shape[-1] == b.shape[-1] == 3:
        raise ValueError(
            f"np.cross is of vectors of 3 numbers, but got {a.shape[-1]} and {b.shape[-1]}; in the "
            "plane it is the number a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]"
        )
    following, previous = [1, 2, 0], [2, 0, 1]
    product = a[..., following] * b[..., previous] - a[..., previous] * b[..., following]
    return np.moveaxis(product, -1, axis)


def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal."""
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    height, width = a.shape[-2:]
    rows, columns = np.nonzero(np.eye(height, width, offset))
    return np.sum(a[..., rows, columns], axis=-1)


# Sums of products. Each axis has a label; axes of one label go together.


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products along axes."""
    left, right = (range(-axes, 0), range(axes)) if isinstance(axes, int) else axes
    left, right = normalize_axis_tuple(left, np.ndim(a)), normalize_axis_tuple(right, np.ndim(b))
    if [np.shape(a)[i] for i in left] != [np.shape(b)[i] for i in right]:
        raise ValueError(
            f"axes that are summed over together have one length, but axes {left} of shape "
            f"{np.shape(a)} meet axes {right} of shape {np.shape(b)}"
        )
    of_a = list(range(np.ndim(a)))
    of_b = list(range(np.ndim(a), np.ndim(a) + np.ndim(b)))
    for i, j in zip(left, right, strict=True):
        of_b[j] = i
    out = [label for label in of_a + of_b if label not in left]
    return ops.contract(a, b, left=of_a, right=of_b, out=out)


def _einsum(subscripts: Any, *arrays: Any, optimize: Any = False) -> Any:  # noqa: ARG001 (as NumPy)
    """The sum of products along letters."""
    if not isinstance(subscripts, str):
        raise TypeError("np.einsum of Tensors is told by letters: np.einsum('ij,jk->ik', a, b)")
    np.einsum_path(subscripts, *(np.broadcast_to(0.0, np.shape(x)) for x in arrays))  # checks them
    terms, out = _labels(subscripts, [np.shape(x) for x in arrays])
    x, labels = _diagonal(arrays[0], terms[0])
    for i in range(1, len(arrays)):  # from left to right, summing as soon as possible
        needed = {label for term in terms[i + 1 :] for label in term}.union(out)
        y, others = _diagonal(arrays[i], terms[i])
        x, labels = _summed(x, labels, needed.union(others))
        y, others = _summed(y, others, needed.union(labels))
        both = [label for label in dict.fromkeys(labels + others) if label in needed]
        both = out if i == len(arrays) - 1 else both
        x, labels = ops.contract(x, y, left=labels, right=others, out=both), both
    x, labels = _summed(x, labels, {*out})
    return x if labels == out else np.transpose(x, [labels.index(label) for label in out])


def _labels(subscripts: str, shapes: list[tuple[int, ...]]) -> tuple[list[list[int]], list[int]]:
    """The label of each axis of each array, and of the result: a number.

    The first numbers stand for what "..." stands for, the others for letters.
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    letters = sorted({*inputs} - {*".,"})
    ndims = [
        len(shape) - len(term.replace("...", "")) for shape, term in zip(shapes, terms, strict=True)
    ]
    dots = max(ndims)
    if not arrow:
        output = "..." + "".join(letter for letter in letters if inputs.count(letter) == 1)
    if dots and "..." not in output:
        raise ValueError('the output needs "...", too: what it stands for is not summed over')

    def labelled(term: str, ndim: int) -> list[int]:
        before, _, after = term.partition("...")
        first, last = ([dots + letters.index(x) for x in part] for part in (before, after))
        return [*first, *range(dots - ndim, dots), *last]

    found = [labelled(term, ndim) for term, ndim in zip(terms, ndims, strict=True)]
    lengths: dict[int, int] = {}
    for label, n in zip(itertools.chain(*found), itertools.chain(*shapes), strict=True):
        if label >= dots and lengths.setdefault(label, n) != n:
            raise ValueError(
                f"axes of one letter have one length, but {letters[label - dots]!r} has "
                f"{lengths[label]} and {n}"
            )
    return found, labelled(output, dots)


def _diagonal(x: Any, labels: list[int]) -> tuple[Any, list[int]]:
    """``x`` where axes of one label have one index, and each label once."""
    once = list(dict.fromkeys(labels))
    if len(once) == len(labels):
        return x, labels
    index = np.ix_(*(range(np.shape(x)[labels.index(label)]) for label in once))
    x = np.transpose(x, range(np.ndim(x)))  # an array, if it was a list
    return x[tuple(index[once.index(label)] for label in labels)], once


def _summed(x: Any, labels: list[int], needed: set[int]) -> tuple[Any, list[int]]:
    """``x`` summed over the axes whose label is needed no more."""
    axes = tuple(i for i, label in enumerate(labels) if label not in needed)
    return (np.sum(x, axis=axes), [n for n in labels if n in needed]) if axes else (x, labels)


# Linear algebra.


def _slogdet(a: Any) -> Any:
    """The sign, as plain data, and the logarithm of the absolute value of a determinant."""
    signs = np.linalg.slogdet(plain(a))
    return type(signs)(signs.sign, ops.logabsdet(a))


def _det(a: Any) -> Any:
    """From 4 x 4 a singular matrix is refused in backward, and second slopes near one are inexact.

    Near one they are differences of numbers as large as those of its inverse.
    """
    shape = np.shape(a)[-2:]
    a = a if a.dtype.kind == "f" else ops.cast(a, dtype=float)
    # Written out, small ones have their derivatives where they are singular, too.
    if shape == (1, 1):
        return a[..., 0, 0]
    if shape == (2, 2):
        return a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0]
    if shape == (3, 3):
        return np.sum(a[..., 0, :] * np.cross(a[..., 1, :], a[..., 2, :]), axis=-1)
    sign, log = np.linalg.slogdet(a)
    return sign * np.exp(log)


def _inv(a: Any) -> Any:
    """The matrix that solves for the unit vectors."""
    return np.linalg.solve(a, np.eye(np.shape(a)[-1], dtype=a.dtype))


compositions: dict[Operation, Operation] = {
    np.linalg.norm: _norm,
    # products
    np.dot: _dot,
    np.inner: _inner,
    np.vdot: _vdot,
    np.outer: _outer,
    np.kron: _kron,
    np.cross: _cross,
    np.trace: _trace,
    np.tensordot: _tensordot,
    np.einsum: _einsum,
    # linear algebra
    np.linalg.slogdet: _slogdet,
    np.linalg.det: _det,
    np.linalg.inv: _inv,
}
