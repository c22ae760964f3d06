"""Checks of all that enters a graph: real numbers, and in arrays of its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import Node, plain


def as_array(x: Any) -> NDArray[Any]:
    """The value of a Tensor, or what NumPy reads as an array, of any dtype.

    Raises TypeError for a masked array, whose mask would be lost, and for ``np.matrix``, whose
    ``*`` is another operation, and for what is no array, as a dict; ValueError for ragged lists.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise errors.masked()
    if isinstance(x, np.matrix):
        raise errors.matrix()
    try:
        array = np.asarray(plain(x))
    except ValueError as error:
        raise errors.ragged(error) from None
    if array.dtype == object and not array.ndim and not isinstance(x, np.ndarray):
        raise errors.no_array(x)
    return array


def check_dtype(dtype: np.dtype[Any]) -> None:
    """Refuse all but floating point up to float64, integers and booleans."""
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise errors.not_real(dtype)


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """What NumPy reads as a dtype."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
        return found
    except (TypeError, ValueError):
        raise errors.no_dtype(dtype) from None


def as_data(data: Any, dtype: Any = None) -> NDArray[Any]:
    """A new array, in native byte order, of what can be the data of a Tensor."""
    if getattr(data, "requires_grad", False):
        raise errors.cut_off(data, "Use it as it is")
    array = np.array(as_array(data))
    dtype = array.dtype if dtype is None else as_dtype(dtype)
    check_dtype(array.dtype)
    check_dtype(dtype)
    return array.astype(dtype.newbyteorder("="), copy=False)


def as_operands(op: ops.Operation, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """``args`` with lists, and all else that NumPy reads as an array, made into arrays.

    Integers, booleans and numbers of NumPy take the dtype of the first Tensor of floating point, so
    that float32 stays float32. What only chooses, and has None for a rule, keeps its own.
    """
    nodes = [plain(arg).dtype for arg in args if isinstance(arg, Node)]
    floating = [dtype for dtype in nodes if dtype.kind == "f"]
    operands: list[Any] = []
    for arg, rule in zip(args, ops.derivatives[op], strict=False):  # Each has no end
        value = as_array(arg)
        check_dtype(value.dtype)
        keeps_dtype = value.dtype.kind == "f" and isinstance(arg, Node | np.ndarray)
        if rule and floating and not keeps_dtype:
            value = value.astype(floating[0])
            if isinstance(arg, Node):
                make: Any = type(arg)
                arg = make(value, name=arg.name)
        operands.append(arg if isinstance(arg, Node) or type(arg) in (float, int) else value)
    return tuple(operands)


def number_or_array(array: Any) -> Any:
    """A number of NumPy for an array without axes, because that computes faster."""
    return array if array.ndim else array[()]


def own_parameter(param: Any) -> Any:
    """A parameter that nobody can change before ``backward`` needs it."""
    if isinstance(param, Node | np.ndarray):
        return np.array(as_array(param))
    return tuple(param) if isinstance(param, list) else param


def own_index(index: Any) -> Any:
    """An index in arrays of its own, so that nobody changes it before ``backward`` needs it."""
    if isinstance(index, tuple):
        return tuple(map(own_part, index))
    return own_part(index)


def own_part(part: Any) -> Any:
    """A part of an index, likewise."""
    if part is None or part is Ellipsis or isinstance(part, int | np.integer | slice):
        return part
    array = np.array(as_array(part))
    return array if array.size else array.astype(bool if array.dtype == bool else int)
