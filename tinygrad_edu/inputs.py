"""Checks of all that enters a graph: real numbers, and in arrays of its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import Node, StandIn, plain
from tinygrad_edu.modes import writer, writing


def as_array(x: Any) -> NDArray[Any]:
    """The value of a Tensor, or what NumPy reads as an array, of any dtype.

    Raises TypeError for a masked array, whose mask would be lost, and for ``np.matrix``, whose
    ``*`` is another operation, and for what is no array, as a dict; ValueError for ragged lists.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise errors.masked()
    if isinstance(x, np.matrix):
        raise errors.matrix()
    value = plain(x)
    if isinstance(value, StandIn):
        return value  # type: ignore[return-value]  # NumPy computes with it as with an array
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise errors.ragged(error) from None
    trace = writing and writer()
    if trace:
        trace.given(array)
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
    array = as_array(data).copy("K")
    dtype = array.dtype if dtype is None else as_dtype(dtype)
    check_dtype(array.dtype)
    check_dtype(dtype)
    return array.astype(dtype.newbyteorder("="), copy=False)


def as_operands(op: ops.Operation, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """``args`` with lists, and all else that NumPy reads as an array, made into arrays.

    Integers, booleans and numbers of NumPy take the dtype of the first Tensor of floating point, so
    that float32 stays float32. What only chooses, and has None for a rule, keeps its own.
    """
    nodes = [arg.dtype for arg in args if is_tensor(arg)]
    floating = [dtype for dtype in nodes if dtype.kind == "f"]
    operands: list[Any] = []
    for arg, rule in zip(args, ops.derivatives[op], strict=False):  # Each has no end
        value = as_array(arg)
        check_dtype(value.dtype)
        kept = arg.array if isinstance(arg, StandIn) else arg
        keeps_dtype = value.dtype.kind == "f" and isinstance(kept, Node | np.ndarray)
        if rule and floating and not keeps_dtype:
            value = value.astype(floating[0])
            if is_tensor(arg):
                make: Any = type(arg)
                arg = make(value, name=arg.name)
        operands.append(arg if is_tensor(arg) or type(arg) in (float, int) else value)
    return tuple(operands)


def is_tensor(x: Any) -> bool:
    """Whether it is a Tensor, and nothing that stands for an array."""
    return isinstance(x, Node) and not isinstance(x, StandIn)


def number_or_array(array: Any) -> Any:
    """A number of NumPy for an array without axes, because that computes faster."""
    return array if array.ndim else array[()]


def own_parameter(param: Any) -> Any:
    """A parameter that nobody can change before ``backward`` needs it."""
    if isinstance(param, Node | np.ndarray):
        return as_array(param).copy("K")
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
    array = as_array(part).copy("K")
    return array if array.size else array.astype(bool if array.dtype == bool else int)
