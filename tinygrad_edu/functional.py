"""Functions that models and losses share, composed from the primitives in ``ops``.

Each is like a NumPy function: arrays in, array out; Tensors in, Tensor out. Numbers of floating
point keep their dtype, integers become float64.
"""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, overload

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.asides import checked
from tinygrad_edu.backprop import plain
from tinygrad_edu.inputs import as_array, as_dtype, check_dtype
from tinygrad_edu.modes import function_scope
from tinygrad_edu.other_names import FUNCTIONAL, getattr_of
from tinygrad_edu.tensor import Array, Tensor, record

__all__ = ["log_softmax", "logsumexp", "one_hot", "relu", "sigmoid", "softmax", "softplus"]

if not TYPE_CHECKING:  # type checkers are to find other names wrong
    __getattr__ = getattr_of("functional", FUNCTIONAL, __all__)

P = ParamSpec("P")


class TensorFunction(Protocol[P]):
    """A function that gives a Tensor of a Tensor, and a number or array of anything else."""

    @overload
    def __call__(self, x: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...
    @overload
    def __call__(self, x: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any: ...


def scoped(function: Callable[Concatenate[Any, P], Any]) -> TensorFunction[P]:
    """``function``, each run of it in a scope of its name, for pictures.

    Its refusals, which say what is wrong with the arguments, point at the line of the call.
    """
    scope = function_scope(function.__name__)

    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def in_scope(*args: Any, **kwargs: Any) -> Any:
        if unknown := [name for name in kwargs if name not in known]:
            raise errors.unknown_parameters(function, unknown, known)
        try:
            with scope:
                return function(*args, **kwargs)
        except (TypeError, ValueError, Warning) as error:
            raise error.with_traceback(None) from None

    return in_scope


def unscoped(function: Callable[Concatenate[Any, P], Any]) -> TensorFunction[P]:
    """``function`` as it is, with the type that ``scoped`` gives: one operation needs no frame."""
    return function


@unscoped
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, the probability of a positive label whose log-odds are ``x``.

    Any shape, elementwise; finite for every finite ``x``. The derivative is ``y * (1 - y)``.

    >>> from tinygrad_edu.functional import sigmoid
    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    return _of(ops.sigmoid, x)


@unscoped
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``, a ramp without the kink; its derivative is ``sigmoid(x)``.

    Any shape, elementwise; finite for every finite ``x``.

    >>> from tinygrad_edu.functional import softplus
    >>> softplus([-1000.0, 0.0, 1000.0]).round(4)
    array([0.000e+00, 6.931e-01, 1.000e+03])
    """
    return _of(ops.softplus, x)


@scoped
def relu(x: Any) -> Any:
    """``max(x, 0)``, of any shape, elementwise. At the kink ``x = 0`` its derivative is taken as 0.

    >>> from tinygrad_edu.functional import relu
    >>> relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    x = as_floating(x)
    y = np.where(x <= 0, 0.0, x)
    return y if isinstance(y, Tensor) else y[()]


@scoped
def logsumexp(x: Any, axis: int | tuple[int, ...] | None = -1, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` along ``axis``, without overflow: a smooth ``max``.

    The largest element is subtracted before ``exp`` and added back after ``log``, which changes
    nothing but the rounding. The gradient is ``softmax(x)``. Scores (N, K) give (N,), with
    ``keepdims`` (N, 1). Raises ValueError if there is no such axis, or nothing along it.

    >>> from tinygrad_edu.functional import logsumexp
    >>> logsumexp([1000.0, 1000.0]).round(4)
    np.float64(1000.6931)
    """
    x = as_floating(x)
    if not isinstance(keepdims, bool | np.bool_):
        raise errors.no_flag("keepdims", keepdims)
    top = largest(x, axis)
    top = np.where(np.isfinite(top), top, 0)  # inf - inf would be nan
    total = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    total = total if keepdims else np.squeeze(total, axis)
    return total if isinstance(total, Tensor) else total[()]


@scoped
def log_softmax(x: Any, axis: int | tuple[int, ...] | None = -1) -> Any:
    """``log(softmax(x))`` along ``axis``, finite where softmax itself underflows to 0.

    The result has the shape of ``x``. Raises ValueError as ``logsumexp`` does.

    >>> from tinygrad_edu.functional import log_softmax
    >>> log_softmax([0.0, -1000.0])
    array([    0., -1000.])
    """
    x = as_floating(x)
    shifted = x - largest(x, axis)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


@scoped
def softmax(x: Any, axis: int | tuple[int, ...] | None = -1) -> Any:
    """Probabilities from scores: ``exp(x) / sum(exp(x))`` along ``axis``.

    The result has the shape of ``x``, such as (N, K); it is positive, with sum 1 along ``axis``,
    and unchanged when a number is added to all scores, which is how overflow is avoided. Raises
    ValueError as ``logsumexp`` does.

    >>> from tinygrad_edu.functional import softmax
    >>> softmax([[1.0, 1.0], [1000.0, 0.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    x = as_floating(x)
    powers = np.exp(x - largest(x, axis))
    return powers / powers.sum(axis=axis, keepdims=True)


def one_hot(labels: Any, num_classes: int, dtype: Any = np.float64) -> Array:
    """Rows of zeros with a 1 at each label: labels of shape (N,) give an array (N, num_classes).

    ``labels``: integers from 0 to ``num_classes - 1``, in any shape; the classes become a new last
    axis. Raises TypeError if they are not integers, ValueError if one is out of range or the array
    would be larger than memory.

    >>> from tinygrad_edu.functional import one_hot
    >>> one_hot([2, 0], num_classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    indices = as_array(labels)
    if not isinstance(num_classes, int | np.integer):
        raise TypeError(f"num_classes is an integer, but got {errors.short(num_classes)}")
    check_labels(indices, num_classes)
    dtype = as_dtype(dtype)
    try:
        rows: Array = (indices[..., None] == np.arange(num_classes)).astype(dtype)
    except (MemoryError, ValueError):
        raise ValueError(
            f"one_hot of {indices.size} labels and {num_classes} classes is larger than memory"
        ) from None
    return rows


@checked
def check_labels(indices: Array, num_classes: int, may_ignore: bool = False) -> None:
    """Refuse what are no integers from 0 to ``num_classes - 1``; see ``ignore_index``."""
    if indices.size == 0:
        return
    if indices.dtype.kind not in "iu":
        advice = "labels.astype(int)" if indices.dtype.kind in "fb" else ""
        advice = advice or "np.unique(labels, return_inverse=True)[1] numbers them"
        raise TypeError(
            f"class labels are integers from 0 to {num_classes - 1}, but these have dtype "
            f"{indices.dtype}: {advice}"
        )
    # argmin is three times as fast as min
    smallest, largest = indices.item(indices.argmin()), indices.item(indices.argmax())
    if num_classes == 1 and smallest == 0 and largest == 1:
        raise ValueError(
            "there is one score for each example, and labels are 0 and 1: for two classes write "
            "binary_cross_entropy_with_logits(scores, targets), both of one shape"
        )
    if smallest < 0 or largest >= num_classes:
        advice = "number the classes from 0"
        if may_ignore and np.any(indices == -100):  # which PyTorch leaves out unless told
            advice += "; or leave -100 out: pass ignore_index=-100"
        raise ValueError(
            f"class labels go from 0 to {num_classes - 1} for {num_classes} classes, but these go "
            f"from {smallest} to {largest}: {advice}"
        )


def as_floating(x: Any, dtype: Any = None) -> Any:
    """A Tensor, or else an array, of floating point: in ``dtype`` if ``x`` requires no gradient."""
    if isinstance(x, Tensor) and dtype is None and x.requires_grad:
        return x
    values = x if isinstance(x, Tensor) else as_array(x)
    check_dtype(values.dtype)  # astype would read text, and drop the imaginary part
    dtype = dtype or (values.dtype if values.dtype.kind == "f" else np.float64)
    if not isinstance(values, Tensor):
        return values.astype(dtype, copy=False)
    return values if values.dtype == dtype or values.requires_grad else Tensor(values, dtype=dtype)


def _check_axes(shape: tuple[int, ...], axis: Any) -> None:
    """Refuse axes that are not there, or have no scores along them."""
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for i in axes:
        is_integer = isinstance(i, int | np.integer) and not isinstance(i, bool)
        if not is_integer or not -len(shape) <= i < len(shape):
            raise ValueError(f"x of shape {shape} has no axis {errors.short(i)}")
        if shape[i] == 0:
            raise ValueError(f"x of shape {shape} has no scores along axis {axis}")


def largest(x: Any, axis: int | tuple[int, ...] | None) -> Array:
    """The maximum along ``axis``, a constant: what it shifts by cancels out, in gradients too."""
    values = plain(x)
    if not (type(axis) is int and axis == -1 and values.ndim and values.shape[-1]):
        _check_axes(values.shape, axis)
    top: Array = values.max(axis=axis, keepdims=True)
    return top


def _of(op: ops.Operation, x: Any) -> Any:
    """The operation on one argument; for a Tensor, not by way of NumPy's protocol."""
    x = as_floating(x)
    return record(op, (x,)) if isinstance(x, Tensor) else op(x)
