"""Tensor: an array that remembers the operation that made it."""

import operator
import warnings
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import errors, numpy_functions, ops
from tinygrad_edu.backprop import Node, backpropagate, clock, newest_first
from tinygrad_edu.modes import Scopes, is_recording, is_transforming, mode

Array = NDArray[Any]
NO_PARAMETERS: dict[str, Any] = {}  # shared, because it is only read


def apply(
    op: ops.Operation,
    args: tuple[Any, ...],
    kwargs: dict[str, Any] = NO_PARAMETERS,
    compute: ops.Operation | None = None,
) -> "Tensor":
    """Compute ``op`` on the data of its arguments; record it if one of them requires a gradient."""
    requires_grad = False
    data = []
    for arg in args:
        if isinstance(arg, Tensor) and (arg._requires_grad or arg._value.dtype.kind == "f"):
            data.append(arg._value)
            requires_grad = requires_grad or arg._requires_grad
        elif type(arg) in (float, int) or (
            type(arg) is np.ndarray and arg.dtype.char in "efd"  # float16, 32 and 64
        ):
            data.append(arg)
        else:
            args = _as_operands(op, args)
            data = [plain(arg) for arg in args]
            requires_grad = any(isinstance(arg, Tensor) and arg._requires_grad for arg in args)
            break
    paused, watchers, scopes = mode.get()
    compute = compute or (op if watchers else ops.quick.get(op, op))
    if watchers and any(watcher.explains for watcher in watchers):
        compute = np.errstate(all="ignore")(compute)  # they tell more than NumPy's warnings
    time = next(clock)  # before the data is read, so that a change by another thread is noticed
    try:
        value = compute(*data, **kwargs)
    except (TypeError, ValueError, IndexError) as error:
        if not errors.is_numpys(op):
            raise
        raise errors.failed(op, args, error) from None
    if requires_grad and not paused:
        if value.dtype.kind != "f":
            raise errors.not_floating(op, value.dtype)
        result = _recorded(op, args, tuple(data), kwargs, value, scopes, time)
    else:
        if getattr(value, "base", None) is not None:
            value = value.copy()  # a leaf does not change when what it is a view of does
        result = as_leaf(value)
        result._time = time
    for watcher in watchers:
        watcher.computed(result, op, args)
    return result


def as_leaf(value: Any, name: str | None = None) -> "Tensor":
    """A Tensor of an array that nobody else has. It requires no gradient."""
    result = Tensor.__new__(Tensor)
    result._requires_grad, result._op, result._passes = False, None, 0
    result._value, result._time, result._spent = value, next(clock), False
    result._grad, result.name = None, name
    return result


def _recorded(
    op: ops.Operation,
    args: tuple[Any, ...],
    data: tuple[Any, ...],
    kwargs: dict[str, Any],
    value: Any,
    scopes: Scopes | None,
    time: int,
) -> "Tensor":
    """The result of an operation, with what is needed to differentiate it."""
    result = Tensor.__new__(Tensor)
    result._op, result._args, result._kwargs, result._scopes = op, args, kwargs, scopes
    result._data, result._value, result._time = data, value, time
    result._requires_grad, result._spent = True, False
    result._grad = result.name = None
    return result


def _as_operands(op: ops.Operation, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arrays for all but Tensors and Python numbers; only arrays of floats keep their own dtype."""
    floating = [arg.dtype for arg in args if isinstance(arg, Tensor) and arg.dtype.kind == "f"]
    operands: list[Any] = []
    for arg, rule in zip(args, ops.derivatives[op], strict=False):
        value = ops.as_array(plain(arg))
        _check_dtype(value.dtype)
        if isinstance(arg, np.ma.MaskedArray):
            raise errors.masked()
        keeps_dtype = value.dtype.kind == "f" and isinstance(arg, Tensor | np.ndarray)
        if rule and floating and not keeps_dtype:
            value = value.astype(floating[0])
            arg = Tensor(value, name=arg.name) if isinstance(arg, Tensor) else arg
        operands.append(arg if isinstance(arg, Tensor) or type(arg) in (float, int) else value)
    return tuple(operands)


def plain(value: Any) -> Any:
    """The data of a Tensor; anything else as it is."""
    return value._value if isinstance(value, Tensor) else value


def _check_dtype(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise errors.not_real(dtype)


def _as_data(data: Any, dtype: Any = None) -> Array:
    """A new array, in native byte order, of what can be the data of a Tensor."""
    if isinstance(data, Tensor) and data._requires_grad:
        raise errors.cut_off(data, "Use it as it is")
    if isinstance(data, np.ma.MaskedArray):
        raise errors.masked()
    try:
        array: Array = ops.own_array(plain(data))
    except ValueError as error:
        raise errors.ragged(error) from None
    dtype = np.dtype(dtype or array.dtype)
    _check_dtype(array.dtype)
    _check_dtype(dtype)
    return array.astype(dtype.newbyteorder("="), copy=False)


# The operators and methods of Tensor are made from the operations that they stand for.

Method = Callable[..., Any]


def _named(method: Method, op: ops.Operation) -> Method:
    method.__name__, method.__qualname__ = ops.name(op), f"Tensor.{ops.name(op)}"
    method.__doc__ = f"As ``np.{ops.name(op)}`` of this Tensor."
    return method


def _unary(op: ops.Operation, compute: ops.Operation | None = None) -> Method:
    function = compute or op

    def method(self: "Tensor") -> "Tensor":
        paused, watchers, scopes = mode.get()
        if paused or watchers or not self._requires_grad:
            return apply(op, (self,), compute=compute)
        time = next(clock)
        data = self._value
        return _recorded(op, (self,), (data,), NO_PARAMETERS, function(data), scopes, time)

    return _named(method, op)


def _binary(op: ops.Operation, compute: ops.Operation) -> tuple[Method, Method]:
    def method(self: "Tensor", other: Any) -> "Tensor":
        paused, watchers, scopes = mode.get()
        if self._requires_grad and not paused and not watchers:
            time = next(clock)
            a = self._value
            if type(other) is Tensor and other._requires_grad:
                b = other._value
            elif type(other) is float or (type(other) is np.ndarray and other.dtype == a.dtype):
                b = other
            else:
                return apply(op, (self, other), compute=compute)
            try:
                value = compute(a, b)
            except ValueError:
                return apply(op, (self, other), compute=compute)  # which says what is wrong
            return _recorded(op, (self, other), (a, b), NO_PARAMETERS, value, scopes, time)
        return apply(op, (self, other), compute=compute)

    def reflected(self: "Tensor", other: Any) -> "Tensor":
        return apply(op, (other, self), compute=compute)

    return method, reflected


_reversed_axes = _unary(np.transpose, attrgetter("T"))


def _reduction(op: ops.Operation) -> Method:
    def method(self: "Tensor", axis: Any = None, keepdims: bool = False) -> "Tensor":
        return apply(op, (self,), {"axis": axis, "keepdims": keepdims})

    return _named(method, op)


def _function(op: ops.Operation) -> Method:
    def method(self: "Tensor", *args: Any, **kwargs: Any) -> Any:
        return self.__array_function__(op, (), (self, *args), kwargs)

    return _named(method, op)


def _comparison(compare: ops.Operation) -> Method:
    def method(self: "Tensor", other: Any) -> Any:
        return compare(self._value, plain(other))

    return method


def _in_place(compute: ops.Operation) -> Method:
    def method(self: "Tensor", other: Any) -> Any:
        if self._op or not self._requires_grad:
            return NotImplemented  # so Python computes t = t + other: a new result
        if is_recording():
            raise errors.in_place(self)
        self.data = compute(self._value, plain(other))
        return self

    return method


class Tensor(Node):
    """An array that remembers the operation that made it, so that gradients can be found.

    ``data``: a number, nested lists or an array; it is copied. float16, float32 and float64 keep
    their dtype; integers and booleans are labels and indices, and cannot require a gradient.
    Operators, indexing and NumPy functions (``np.exp(t)``, ``np.sum(t, axis=0)``, ``array @ t``)
    give Tensors; comparisons give plain boolean arrays. Raises TypeError for complex numbers, text
    and objects, ValueError for ragged lists.

    >>> from tinygrad_edu import Tensor
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_grad", "_passes", "_spent")

    _grad: Array | None
    _passes: int  # of backward that the gradient of a leaf is the sum of
    _spent: bool

    def __init__(
        self, data: Any, requires_grad: bool = False, *, name: str | None = None, dtype: Any = None
    ) -> None:
        value = _as_data(data, dtype)
        self._value = value if value.ndim else value[()]
        self._op, self._requires_grad = None, False
        self._time, self._spent = next(clock), False
        self._grad, self._passes, self.name = None, 0, name
        if not isinstance(requires_grad, bool | np.bool_):
            raise errors.no_flag(requires_grad)
        self.requires_grad = bool(requires_grad)

    # What it holds.

    @property
    def data(self) -> Array:
        """The values, as an array. To learn, assign: ``w.data -= learning_rate * w.grad``.

        The data of a recorded result is read-only, because its gradient may depend on it.
        """
        if not isinstance(self._value, np.ndarray):
            self._value = ops.as_array(self._value)
        if self._op is None:
            return self._value
        view = self._value.view()
        view.setflags(write=False)
        return view

    @data.setter
    def data(self, value: Any) -> None:
        if self._op:
            raise errors.result_is_fixed(self, "data")
        if isinstance(value, Tensor) and value._requires_grad:
            raise errors.assigned_result(value)
        if value is not self._value:  # else it was changed in place: w.data -= ...
            array = _as_data(value, self.dtype)
            if array.shape != self.shape:
                raise errors.data_shape(self, array.shape)
            self._value = array if array.ndim else array[()]
        self._time = next(clock)

    def _rebind(self, value: Any) -> None:
        """Set the data to an array that nobody else has, of the right shape and dtype."""
        self._value, self._time = value, next(clock)

    @property
    def requires_grad(self) -> bool:
        """Whether ``backward`` of what is computed from this reaches it."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._op:
            raise errors.result_is_fixed(self, "requires_grad")
        if value and self.dtype.kind != "f":
            raise errors.integers_require_grad(self.dtype)
        if self._requires_grad != bool(value):
            self._requires_grad, self._time = bool(value), next(clock)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        shape: tuple[int, ...] = self._value.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._value.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        size: int = self._value.size
        return size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the elements."""
        dtype: np.dtype[Any] = self._value.dtype
        return dtype

    @property
    def is_leaf(self) -> bool:
        """Whether it was given, and not computed by a recorded operation."""
        return self._op is None

    def item(self) -> Any:
        """The only element, as a Python number. Raises ValueError if there is not exactly one."""
        if self.size != 1:
            raise errors.not_one_number(self)
        return self._value.item()

    def numpy(self) -> Array:
        """A copy of the data, as an array of one's own."""
        array: Array = ops.own_array(self._value)
        return array

    def detach(self) -> "Tensor":
        """A leaf with a copy of the data, through which no gradient flows."""
        return Tensor(self.numpy(), name=self.name)

    # Gradients.

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this result, by each leaf it comes from, to the leaf's ``grad``.

        ``gradient``: that of some final number with respect to this result, in its shape; 1 if this
        result is that number itself. A second call is refused, because it would add the same
        gradients again, unless the first was given ``retain_graph=True``. Raises RuntimeError if
        there is nothing to differentiate, on a second call, or where data changed after it was
        used; ValueError on a shape that does not fit. After an error no ``grad`` has changed.

        >>> from tinygrad_edu import Tensor
        >>> w = Tensor([1.0, 2.0], requires_grad=True)
        >>> (3.0 * w).backward(gradient=[1.0, 10.0])
        >>> w.grad
        array([ 3., 30.])
        """
        if not self._requires_grad:
            raise errors.no_gradient(self)
        if self._spent:
            raise errors.second_backward(self)
        if gradient is None and self.size != 1:
            raise errors.many_numbers(self)
        seed = (
            ops.beside(self._value, np.ones, self.shape, self.dtype)
            if gradient is None
            else _as_data(gradient, self.dtype)
        )
        if seed.shape != self.shape:
            raise errors.gradient_shape(self, seed.shape)
        results = newest_first(self)
        updates = {}
        for leaf, g in backpropagate(self, seed[()], results).items():
            assert isinstance(leaf, Tensor)
            total = g if leaf._grad is None else leaf._grad + g
            updates[leaf] = ops.own_array(total, leaf.dtype)
        for leaf, total in updates.items():
            leaf._passes += 1
            leaf._grad = total
        if not retain_graph:
            self._spent = self._op is not None
            for watcher in mode.get()[1]:
                watcher.finished(results)

    @property
    def grad(self) -> Array | None:
        """What ``backward`` has added up for this leaf, in its shape and dtype, or None.

        A result has none, and warns when it is asked: to learn by ``w = w - ...`` is a mistake.
        """
        if self._op is not None:
            warnings.warn(errors.gradient_of_result(self), stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        array = None if value is None else ops.own_array(plain(value), self.dtype)
        if array is not None and array.shape != self.shape:
            raise errors.not_a_gradient(self, array.shape)
        self._grad, self._passes = array, 0 if array is None else 1

    def zero_grad(self) -> None:
        """Forget the gradient, so that the next ``backward`` does not add to it."""
        self.grad = None

    # Operators; those in place are for leaves under no_grad(), elsewhere they compute a new result.

    __add__, __radd__ = _binary(np.add, operator.add)
    __sub__, __rsub__ = _binary(np.subtract, operator.sub)
    __mul__, __rmul__ = _binary(np.multiply, operator.mul)
    __truediv__, __rtruediv__ = _binary(np.divide, operator.truediv)
    __pow__, __rpow__ = _binary(np.power, operator.pow)
    __matmul__, __rmatmul__ = _binary(np.matmul, operator.matmul)
    __neg__, __pos__, __abs__ = _unary(np.negative), _unary(np.positive), _unary(np.absolute)

    __iadd__, __isub__ = _in_place(operator.add), _in_place(operator.sub)
    __imul__, __itruediv__ = _in_place(operator.mul), _in_place(operator.truediv)
    __ipow__, __imatmul__ = _in_place(operator.pow), _in_place(operator.matmul)

    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)
    __eq__, __ne__ = _comparison(operator.eq), _comparison(operator.ne)
    __hash__ = Node.__hash__

    # Methods, each like the NumPy function of its name.

    exp, log, sqrt = _unary(np.exp), _unary(np.log), _unary(np.sqrt)
    sin, cos, tanh, abs = _unary(np.sin), _unary(np.cos), _unary(np.tanh), __abs__
    sum, mean = _reduction(np.sum), _reduction(np.mean)
    max, min = _reduction(np.max), _reduction(np.min)
    clip, squeeze, swapaxes = _function(np.clip), _function(np.squeeze), _function(np.swapaxes)
    cumsum, argmax, argmin = _function(np.cumsum), _function(np.argmax), _function(np.argmin)

    def reshape(self, *shape: Any) -> "Tensor":
        """The same elements in another shape: ``t.reshape(2, -1)`` or ``t.reshape((2, -1))``."""
        return apply(np.reshape, (self,), {"shape": shape[0] if len(shape) == 1 else shape})

    def transpose(self, *axes: Any) -> "Tensor":
        """The axes in another order, by default reversed: ``t.transpose(1, 0)``."""
        if not axes:
            return self.T
        return apply(np.transpose, (self,), {"axes": axes[0] if len(axes) == 1 else axes})

    @property
    def T(self) -> "Tensor":  # noqa: N802 (as in NumPy)
        """The axes in reversed order."""
        result: Tensor = _reversed_axes(self)
        return result

    def __getitem__(self, index: Any) -> "Tensor":
        return apply(ops.getitem, (self,), {"index": _plain_index(index)})

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise errors.element_assignment()

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        if self._requires_grad and is_transforming():
            raise errors.number_taken(self)
        return float(self.item())

    def __int__(self) -> int:
        return int(float(self))

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.item(), digits)

    if not TYPE_CHECKING:  # a type checker is to find what does not exist

        def __getattr__(self, name: str) -> NoReturn:
            raise errors.no_method(name, numpy_functions.METHODS_INSTEAD.get(name))

    # NumPy's protocols: what NumPy does when one of its functions meets a Tensor.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise errors.no_ufunc_method(ufunc, method)
        if kwargs:
            raise errors.unknown_parameters(ufunc, ", ".join(f"{name}=" for name in kwargs))
        if ufunc in ops.derivatives:
            return apply(ufunc, inputs)
        return self.__array_function__(ufunc, (), inputs, {})

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if func in ops.derivatives:
            return apply(func, *numpy_functions.bind(func, args, kwargs))
        if func in numpy_functions.compositions:
            try:
                return numpy_functions.compositions[func](*args, **kwargs)
            except (TypeError, ValueError, IndexError) as error:
                raise errors.failed(func, args, error) from None
        if func in numpy_functions.queries:
            return func(*map(plain, args), **{name: plain(arg) for name, arg in kwargs.items()})
        raise errors.no_rule(func, numpy_functions.INSTEAD.get(func))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self._requires_grad:
            raise errors.cut_off(
                self,
                "To keep or plot a number, write t.item(); to put Tensors together, np.stack",
            )
        if copy is False:
            raise ValueError(errors.only_by_a_copy("np.asarray(t.data)"))
        return np.array(self._value, dtype=dtype)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A copy of the data, for other libraries: ``torch.from_dlpack(t.detach())``.

        Shared memory would not be safe: a graph may need it as it is, and that it is read-only can
        be said, but PyTorch (2.13) writes to it all the same. ``torch.from_dlpack(t.data)`` shares
        it. Raises BufferError if this requires a gradient, for ``copy=False`` and for devices other
        than the CPU, RuntimeError for a ``stream``. The parameters are those of
        https://data-apis.org/array-api/latest/API_specification/generated/array_api.array.__dlpack__.html
        """
        if self._requires_grad:
            raise errors.not_exported(self)
        if copy is False:
            raise BufferError(errors.only_by_a_copy("np.from_dlpack(t.data)"))
        if stream is not None:  # NumPy 2.5 raises another error than NumPy 2.4
            raise RuntimeError(f"the memory of the CPU has no stream, but stream={stream!r}")
        return self.data.__dlpack__(max_version=max_version, dl_device=dl_device, copy=True)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.data.__dlpack_device__()

    # As text, and to be kept.

    def __repr__(self) -> str:
        parts = ["..."]
        if self.size <= 20 or self.ndim <= 2:
            with np.printoptions(precision=4, threshold=20, edgeitems=2):
                parts = [np.array2string(self.data, separator=", ", prefix="Tensor(")]
        parts += [f"shape={self.shape}"] if self.size > 20 else []
        parts += [f"dtype={self.dtype}"] if self.dtype != np.float64 else []
        parts += [f"name={self.name!r}"] if self.name else []
        parts += [f"op={ops.name(self._op)}"] if self._op else []
        parts += ["requires_grad=True"] if self.is_leaf and self.requires_grad else []
        parts += [f"grad of {self._passes} passes"] if self.is_leaf and self._passes > 1 else []
        return f"Tensor({', '.join(parts)})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __reduce__(self) -> Any:
        if self._op:
            raise errors.result_is_not_copied(self)
        return _restore, (self.data, self._requires_grad, self.name, self.grad)


def _restore(data: Array, requires_grad: bool, name: str | None, grad: Array | None) -> Tensor:
    tensor = Tensor(data, requires_grad, name=name)
    tensor.grad = grad
    return tensor


def _plain_index(index: Any) -> Any:
    """An index in arrays of its own, so that nobody changes it before ``backward`` needs it."""
    if isinstance(index, tuple):
        return tuple(map(_plain_part, index))
    return _plain_part(index)


def _plain_part(part: Any) -> Any:
    if part is None or part is Ellipsis or isinstance(part, int | np.integer | slice):
        return part
    array = ops.own_array(plain(part))
    return array if array.size else array.astype(bool if array.dtype == bool else int)
