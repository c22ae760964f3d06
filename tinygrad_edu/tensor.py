"""Tensor: an array that remembers the operation that made it."""

import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any, Never, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import errors, numpy_api, ops, other_names
from tinygrad_edu.backprop import (
    NO_PARAMS,
    Node,
    backpropagate,
    changing,
    clock,
    depends_on,
    look,
    plain,
    topological_order,
)
from tinygrad_edu.inputs import as_data, as_operands, number_or_array, own_index, own_parameter
from tinygrad_edu.kernels import quick
from tinygrad_edu.modes import is_recording, mode, writer, writing
from tinygrad_edu.pairs import warn_of_pairs

Array = NDArray[Any]
FLOATS = "efd"  # NumPy's letters for float16, float32 and float64


def record(
    op: ops.Operation, args: tuple[Any, ...], params: Mapping[str, Any] = NO_PARAMS
) -> "Tensor":
    """Compute an operation, and remember it if a gradient is wanted: the one door into the graph.

    ``args``: the arguments that have a rule, Tensors, arrays and numbers; ``params``: the rest, by
    name. The result is a leaf if none of ``args`` requires a gradient, and inside ``no_grad``.
    """
    state = mode.get()
    watchers = state.watchers

    # Take the values. This loop knows the usual arguments; as_operands knows all of them.
    time = next(clock)  # before the values are read, so that a change by another thread is noticed
    values = []
    requires_grad = False
    for arg in args:
        kind = type(arg)
        if kind is Tensor and (arg._requires_grad or arg._value.dtype.kind == "f"):
            values.append(arg._value if arg._lent is None else look(arg, time)[0])
            requires_grad = requires_grad or arg._requires_grad
        elif kind is float or kind is int or (kind is np.ndarray and arg.dtype.char in FLOATS):
            values.append(arg)
        else:
            args = as_operands(op, args)
            time = next(clock)  # the result has to be newer than the constants that were made
            values = [look(arg, time)[0] if isinstance(arg, Node) else arg for arg in args]
            requires_grad = any(isinstance(arg, Tensor) and arg._requires_grad for arg in args)
            break

    compute = quick.get(op, op)
    for watcher in watchers:
        compute = watcher.around(compute)
    try:
        value = compute(*values, **params) if params else compute(*values)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        if not errors.is_numpys(op):
            raise
        raise errors.failed(op, args, error) from None

    result = Tensor.__new__(Tensor)
    if requires_grad and not state.paused:
        Node.__init__(result, value, time, op, args, params, state.scopes)
    else:
        if getattr(value, "base", None) is not None:
            value = value.copy()  # a leaf does not change when what it is a view of does
        Node.__init__(result, value, time)
    for watcher in watchers:
        watcher.computed(result, op, args, params)
    return result


def numbers(tensor: "Tensor", *, to_compute: bool = True) -> Any:
    """The value of a Tensor for code that is not recorded: the one door out of the graph.

    While ``grad`` or another transform differentiates a function, it refuses a value that depends
    on the variables: the function would compute with it, and that part of the gradient would be
    lost unseen. To look at it (``to_compute=False``), to compare or to print, is right.
    """
    if to_compute:
        refuse_if_differentiated(tensor)
    return plain(tensor)


def refuse_if_differentiated(tensor: "Tensor") -> None:
    """Refuse to take out or change what a transform differentiates."""
    variables = mode.get().variables
    if variables and depends_on(tensor, variables):
        raise errors.number_taken(tensor)


def replace(leaf: "Tensor", value: Any) -> None:
    """Set the data of a leaf to an array of its shape and dtype that is used nowhere else."""
    trace = writing and writer()
    if trace:
        trace.assign(leaf, value)
        return
    with changing:
        leaf._time = inf  # so that a thread that goes backward meanwhile sees that it changes
        leaf._value = number_or_array(value)
        leaf._lent = None
        leaf._time = next(clock)


def lend(leaf: "Tensor") -> Array:
    """The array of a leaf for somebody who may write to it: from now on, writes are looked for."""
    with changing:
        if leaf._lent is None:
            array = np.asarray(leaf._value)
            mine, lent = array, array.copy()  # results may be views of the old array
            if not array.flags.writeable:  # debug() has locked it, so that a write is refused
                mine, lent = lent, mine
            leaf._lent = mine, leaf._time
            leaf._value = lent
            leaf._time = inf
        found: Array = leaf._value
        return found


def _add_gradients(found: Mapping[Any, Any]) -> None:
    """Add to the gradient of each leaf what going backward has found."""
    with changing:
        # Copies, because a rule may give one array to several. All sums come before any change, so
        # that an error changes nothing.
        totals = [
            (leaf, np.array(g if leaf._grad is None else leaf._grad + g, leaf._value.dtype))
            for leaf, g in found.items()
        ]
        for leaf, total in totals:
            is_sum = leaf._grad is not None and leaf._grad.any()  # not of zeros
            leaf._passes = leaf._passes + 1 if is_sum else 1
            leaf._grad = total


# The operators and methods of Tensor are made from the operations that they stand for.

Unary = Callable[["Tensor"], "Tensor"]
Binary = Callable[["Tensor", Any], "Tensor"]
Method = TypeVar("Method", bound=Callable[..., Any])
Comparison = Callable[["Tensor", Any], NDArray[np.bool_]]


def _named(method: Method, op: ops.Operation) -> Method:
    method.__name__, method.__qualname__ = ops.name(op), f"Tensor.{ops.name(op)}"
    method.__doc__ = f"As ``np.{ops.name(op)}`` of this Tensor."
    return method


def _unary(op: ops.Operation) -> Unary:
    def method(self: "Tensor") -> "Tensor":
        return record(op, (self,))

    named: Unary = _named(method, op)
    return named


def _binary(op: ops.Operation) -> tuple[Binary, Binary]:
    def method(self: "Tensor", other: Any) -> "Tensor":
        return record(op, (self, other))

    def reflected(self: "Tensor", other: Any) -> "Tensor":
        return record(op, (other, self))

    return method, reflected


def _reduction(op: ops.Operation) -> Callable[..., "Tensor"]:
    def method(
        self: "Tensor", axis: Any = None, keepdims: bool = False, **others: Never
    ) -> "Tensor":
        if others:
            raise errors.unknown_parameters(op, [*others], ["axis", "keepdims"])
        axis = axis if axis is None or type(axis) is int else own_parameter(axis)
        return record(op, (self,), {"axis": axis, "keepdims": keepdims})

    return _named(method, op)


def _function(op: ops.Operation) -> Callable[..., "Tensor"]:
    def method(self: "Tensor", *args: Any, **kwargs: Any) -> Any:
        return self.__array_function__(op, (), (self, *args), kwargs)

    return _named(method, op)


def _comparison(compare: ops.Operation) -> Comparison:
    def method(self: "Tensor", other: Any) -> Any:
        try:
            return compare(numbers(self, to_compute=False), plain(other))
        except (TypeError, ValueError) as error:
            raise errors.failed(compare, (self, other), error) from None

    return method


def _in_place(compute: ops.Operation) -> Binary:
    def method(self: "Tensor", other: Any) -> Any:
        if self.op or not self._requires_grad:
            return NotImplemented  # so Python computes t = t + other: a new result
        if is_recording():
            raise errors.in_place(self)
        self.data = compute(self.data, other)
        return self

    return method


_equal, _not_equal = _comparison(operator.eq), _comparison(operator.ne)


class Tensor(Node):
    """An array that remembers the operation that made it, so that gradients can be found.

    ``data``: a number, nested lists or an array; it is copied. float16, float32 and float64 keep
    their dtype; integers and booleans are labels and indices, and cannot require a gradient.
    Operators, indexing and NumPy functions (``np.exp(t)``, ``np.sum(t, axis=0)``, ``array @ t``)
    give Tensors; comparisons give plain boolean arrays. What a Tensor was computed from is in
    ``op``, ``args`` and ``params``. Raises TypeError for complex numbers, text and objects,
    ValueError for ragged lists.

    Type checkers see Tensors in the results of operators, methods, losses and functions of this
    package. What they see in ``np.exp(t)`` is up to NumPy's own annotations, and ``np.mean(t)``
    they do not know; ``t.exp()`` and ``t.mean()`` are Tensors for them, too.

    >>> from tinygrad_edu import Tensor
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    >>> y.op, y.args[0].args[0] is x
    (<function sum at ...>, True)
    """

    __slots__ = ("__weakref__",)

    def __init__(
        self, data: Any, requires_grad: bool = False, *, name: str | None = None, dtype: Any = None
    ) -> None:
        value = as_data(data, dtype)
        super().__init__(number_or_array(value), next(clock))
        for watcher in mode.get().watchers:
            watcher.made(self, value)
        self.name = name
        self.requires_grad = requires_grad

    # What it holds.

    @property
    def data(self) -> Array:
        """The values, as an array. To learn, assign: ``w.data -= learning_rate * w.grad``.

        The data of a recorded result is read-only, because its gradient may depend on it. The array
        of a leaf may be written to, as in ``w.data[0] = 1.0``, until data are assigned. What was
        computed before is then refused by ``backward``, as after an assignment.

        One thread must not change data while another goes backward; to assign a new array, as in
        ``w.data = w.data - ...``, is noticed even then.
        """
        trace = writing and writer()
        if trace:
            refuse_if_differentiated(self)
            return trace.stand_in(self, np.asarray)  # type: ignore[no-any-return]
        array: Array = numbers(self)
        if self.op is None:
            return lend(self)
        array = np.asarray(array).view()
        array.setflags(write=False)
        return array

    @data.setter
    def data(self, value: Any) -> None:
        if self.op:
            raise errors.result_is_fixed(self, "data")
        if isinstance(value, Tensor) and value._requires_grad:
            raise errors.assigned_result(value)
        refuse_if_differentiated(self)
        value = as_data(value, self.dtype)
        if value.shape != self.shape:
            raise errors.data_shape(self, value.shape)
        replace(self, value)

    @property
    def requires_grad(self) -> bool:
        """Whether ``backward`` of what is computed from this reaches it."""
        trace = writing and writer()
        if trace and self.op is None:
            trace.operand(self)  # a leaf that the function has found
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.op:
            raise errors.result_is_fixed(self, "requires_grad")
        if not isinstance(value, bool | np.bool_):
            advice = " More than one number makes a list: Tensor([1.0, 2.0])."
            raise errors.no_flag("requires_grad", value, advice)
        numbers(self)  # to freeze what is being differentiated would cut it off, too
        if value and self.dtype.kind != "f":
            raise errors.integers_require_grad(self.dtype)
        if self._requires_grad != value:
            with changing:
                self._requires_grad = bool(value)
                if self._lent is None:
                    self._time = next(clock)
                else:
                    self._lent = self._lent[0], next(clock)

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
        return self.op is None

    def item(self) -> Any:
        """The only element, as a Python number. Raises ValueError if there is not exactly one."""
        return self._single(numbers(self))

    def _single(self, value: Any) -> Any:
        if value.size != 1:
            raise errors.not_one_number(self)
        return value.item()

    def numpy(self) -> Array:
        """A copy of the data, as an array of one's own."""
        return np.array(numbers(self))

    def tolist(self) -> Any:
        """The data as nested lists of Python numbers; of a Tensor without axes, a number."""
        return numbers(self).tolist()

    def detach(self) -> "Tensor":
        """A leaf with a copy of the data, through which no gradient flows."""
        leaf = Tensor.__new__(Tensor)
        Node.__init__(leaf, self._value.copy(), next(clock))
        for watcher in mode.get().watchers:
            watcher.made(leaf, self)
        leaf.name = self.name
        return leaf

    # Gradients.

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this with respect to each leaf that it comes from to its ``grad``.

        ``gradient``: that of some final number with respect to this result, in its shape; 1 if this
        result is that number itself. A second call is refused, because it would add the same
        gradients again, unless the first was given ``retain_graph=True``. Raises RuntimeError if
        there is nothing to differentiate, on a second call, where data changed after it was used,
        or inside ``grad`` on what is differentiated there; ValueError on a shape that does not fit.
        After an error no ``grad`` has changed.

        The graph stays as long as its result is kept, for ``draw`` and for other results that share
        it: to record a loss, keep its number, ``loss.item()``.

        >>> from tinygrad_edu import Tensor
        >>> w = Tensor([1.0, 2.0], requires_grad=True)
        >>> (3.0 * w).backward(gradient=[1.0, 10.0])
        >>> w.grad
        array([ 3., 30.])
        """
        value = self._value
        if not isinstance(retain_graph, bool | np.bool_):
            raise errors.no_flag("retain_graph", retain_graph)
        if not self._requires_grad:
            raise errors.no_gradient(self)
        if self.op and self._passes:
            raise errors.second_backward(self)
        variables = mode.get().variables
        if variables and depends_on(self, variables):
            raise errors.backward_inside(self)
        if gradient is not None:
            seed = as_data(gradient, value.dtype)
            if seed.shape != value.shape:
                raise errors.gradient_shape(self, seed.shape)
        elif value.size == 1:
            seed = value.dtype.type(1).reshape(value.shape)
        else:
            raise errors.many_numbers(self)
        warn_of_pairs(self)
        order = topological_order(self)
        trace = writing and writer()
        if not trace:
            _add_gradients(backpropagate(self, seed[()], order))
        else:
            trace.go_backward(self, seed, order)
        if not retain_graph:
            if self.op is not None:
                self._passes = 1
            for watcher in mode.get().watchers:
                watcher.finished(order)

    @property
    def grad(self) -> Array | Any:
        """The sum of what ``backward`` has found for this leaf, in its shape and dtype; or None.

        A result has none, and warns when it is asked: to learn by ``w = w - ...`` is a mistake.
        """
        if self.op is not None:
            warnings.warn(errors.gradient_of_result(self), stacklevel=2)
        trace = writing and writer()
        return trace.gradient(self) if trace else self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if self.op is not None:
            raise errors.result_is_fixed(self, "grad")
        array = None if value is None else as_data(value, self.dtype)
        if array is not None and array.shape != self.shape:
            raise errors.not_a_gradient(self, array.shape)
        self._set_gradient(array)

    def zero_grad(self) -> None:
        """Forget the gradient, so that the next ``backward`` does not add to it."""
        if self.op is None:
            self._set_gradient(None)

    def _set_gradient(self, array: Any) -> None:
        trace = writing and writer()
        if trace:
            trace.set_gradient(self, array)
            return
        self._grad = array
        self._passes = 0

    # Operators. ``w -= step`` changes a leaf that requires a gradient, and needs no_grad() for it;
    # from all else it computes a new result, as ``t = t - step`` does.

    __add__, __radd__ = _binary(np.add)
    __sub__, __rsub__ = _binary(np.subtract)
    __mul__, __rmul__ = _binary(np.multiply)
    __truediv__, __rtruediv__ = _binary(np.divide)
    __floordiv__, __rfloordiv__ = _binary(np.floor_divide)
    __mod__, __rmod__ = _binary(np.remainder)
    __pow__, __rpow__ = _binary(np.power)
    __matmul__, __rmatmul__ = _binary(np.matmul)
    __neg__, __pos__, __abs__ = _unary(np.negative), _unary(np.positive), _unary(np.absolute)

    __iadd__, __isub__ = _in_place(operator.add), _in_place(operator.sub)
    __imul__, __itruediv__ = _in_place(operator.mul), _in_place(operator.truediv)
    __ifloordiv__, __imod__ = _in_place(operator.floordiv), _in_place(operator.mod)
    __ipow__, __imatmul__ = _in_place(operator.pow), _in_place(operator.matmul)

    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)

    def __eq__(self, other: Any) -> NDArray[np.bool_]:  # type: ignore[override]
        return _equal(self, other)

    def __ne__(self, other: Any) -> NDArray[np.bool_]:  # type: ignore[override]
        return _not_equal(self, other)

    __hash__ = Node.__hash__
    __pandas_priority__ = 5000  # above DataFrame: ``series - t`` is left to this class

    # Methods, each like the NumPy function of its name.

    exp, log, sqrt = _unary(np.exp), _unary(np.log), _unary(np.sqrt)
    sin, cos, tanh, abs = _unary(np.sin), _unary(np.cos), _unary(np.tanh), __abs__

    sum, mean = _reduction(np.sum), _reduction(np.mean)
    max, min = _reduction(np.max), _reduction(np.min)
    clip, squeeze, swapaxes = _function(np.clip), _function(np.squeeze), _function(np.swapaxes)
    ravel = flatten = _function(np.ravel)
    take, repeat, diagonal = _function(np.take), _function(np.repeat), _function(np.diagonal)
    copy, astype, conj = _function(np.copy), _function(np.astype), _function(np.conj)
    std, var, prod = _function(np.std), _function(np.var), _function(np.prod)
    cumsum, cumprod, dot = _function(np.cumsum), _function(np.cumprod), _function(np.dot)
    trace, round = _function(np.trace), _function(np.round)

    # These give plain data.
    argmax: Callable[..., Any] = _function(np.argmax)
    argmin: Callable[..., Any] = _function(np.argmin)
    argsort: Callable[..., Any] = _function(np.argsort)
    nonzero: Callable[..., Any] = _function(np.nonzero)
    any: Callable[..., Any] = _function(np.any)
    all: Callable[..., Any] = _function(np.all)

    def reshape(self, *shape: Any) -> "Tensor":
        """The same elements in another shape: ``t.reshape(2, -1)`` or ``t.reshape((2, -1))``."""
        return record(np.reshape, (self,), {"shape": shape[0] if len(shape) == 1 else shape})

    def transpose(self, *axes: Any) -> "Tensor":
        """The axes in another order, by default reversed: ``t.transpose(1, 0)``."""
        order = axes[0] if len(axes) == 1 else axes or None
        return record(np.transpose, (self,), {"axes": own_parameter(order)})

    @property
    def T(self) -> "Tensor":  # noqa: N802 (as in NumPy)
        """The axes in reversed order."""
        return record(np.transpose, (self,))

    def __getitem__(self, index: Any) -> "Tensor":
        return record(ops.getitem, (self,), {"index": own_index(index)})

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise errors.element_assignment()

    def __len__(self) -> int:
        if not self.ndim:
            raise errors.no_length(self)
        return len(self._value)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._single(numbers(self, to_compute=False)))

    def __float__(self) -> float:
        return float(self._single(numbers(self)))

    def __int__(self) -> int:
        return int(self._single(numbers(self)))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise errors.not_an_index(self)
        return int(self)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._single(numbers(self)), digits)

    # NumPy's protocols: what NumPy does when one of its functions meets a Tensor.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise errors.no_ufunc_method(ufunc, method)
        if kwargs:
            raise errors.unknown_parameters(ufunc, [*kwargs])
        if ufunc in ops.derivatives:
            return record(ufunc, inputs)
        return self.__array_function__(ufunc, (), inputs, {})

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if func in numpy_api.queries and not (func is np.where and len(args) > 1):
            return numpy_api.ask(func, args, kwargs)
        if func in ops.derivatives or hasattr(func, "rules"):
            args, params = numpy_api.bind(func, args, kwargs)
            own = {name: own_parameter(param) for name, param in params.items()}
            if "index" in params:
                own["index"] = own_index(params["index"])
            result = record(func, args, own)
            if result._requires_grad and result.dtype.kind != "f":
                raise errors.not_floating(func, result.dtype)
            return result
        if func in numpy_api.compositions:
            return numpy_api.compose(func, args, kwargs)
        raise errors.no_rule(func, [*ops.derivatives, *numpy_api.compositions, *numpy_api.queries])

    # (So annotated that type checkers leave ``array @ t`` to the operators of Tensor.)
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.generic] | Any:
        value = numbers(self)
        if self._requires_grad:
            raise errors.not_an_array(self)
        if copy is False:
            raise ValueError(errors.only_by_a_copy("np.asarray(t.data)"))
        return np.array(value, dtype=dtype)

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
        it. Raises BufferError if this requires a gradient and for ``copy=False``, NumPy's error for
        devices other than the CPU, RuntimeError for a ``stream``. The parameters are those of
        https://data-apis.org/array-api/latest/API_specification/generated/array_api.array.__dlpack__.html
        """
        value = self.numpy()
        if self._requires_grad:
            raise errors.not_exported(self)
        if copy is False:
            raise BufferError(errors.only_by_a_copy("np.from_dlpack(t.data)"))
        if stream is not None:  # NumPy 2.5 raises another error than NumPy 2.4
            raise RuntimeError(f"the memory of the CPU has no stream, but stream={stream!r}")
        asked: Any = {"max_version": max_version, "dl_device": dl_device}  # NumPy 2.0 knows neither
        return value.copy().__dlpack__(**{key: x for key, x in asked.items() if x is not None})

    def __dlpack_device__(self) -> tuple[int, int]:
        return np.empty(0).__dlpack_device__()

    # As text, and to be kept.

    def __repr__(self) -> str:
        value = np.asarray(numbers(self, to_compute=False))
        parts = ["..."]
        if self.size <= 20 or self.ndim <= 2:
            with np.printoptions(precision=4, threshold=20, edgeitems=2):
                parts = [np.array2string(value, separator=", ", prefix="Tensor(")]
        parts += [f"shape={self.shape}"] if self.size > 20 else []
        parts += [f"dtype={self.dtype}"] if self.dtype != np.float64 else []
        parts += [f"name={self.name!r}"] if self.name else []
        parts += [f"op={ops.name(self.op)}"] if self.op else []
        parts += ["requires_grad=True"] if self.is_leaf and self.requires_grad else []
        added = self.is_leaf and self._passes > 1 and self._grad.any()
        parts += [f"grad of {self._passes} passes"] if added else []
        return f"Tensor({', '.join(parts)})"

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        return format(self._single(numbers(self, to_compute=False)), spec)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in other_names.TENSOR]

    def __reduce__(self) -> Any:
        if self.op:
            raise errors.result_is_not_copied(self)
        return _restore, (self.numpy(), self._requires_grad, self.name, self.grad)


for _name, _method in vars(Tensor).items():  # those of operators have names of their makers
    if "<locals>" in getattr(_method, "__qualname__", ""):
        _method.__name__, _method.__qualname__ = _name, f"Tensor.{_name}"
for _name, _line in other_names.TENSOR.items():
    setattr(Tensor, _name, other_names.Missing(_name, _line))


def _restore(data: Array, requires_grad: bool, name: str | None, grad: Array | None) -> Tensor:
    tensor = Tensor(data, requires_grad, name=name)
    tensor.grad = grad
    return tensor
