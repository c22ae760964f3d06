"""A recording: what is handed to a step instead of its arrays, and the list of calls it makes."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import clock
from tinygrad_edu.modes import Watcher
from tinygrad_edu.tensor import Tensor

SHAPES = {np.shape, np.ndim, np.size}  # the same in each call: answered, and not recorded


class Traced(NDArrayOperatorsMixin, ops.StandIn):
    """What stands for an array while a step is recorded. Nothing that its numbers decide gets out.

    So whatever the step computes comes from its arguments and parameters by recorded calls, or it
    is refused.
    """

    __slots__ = ("_array", "_recording", "_what")

    def __init__(self, recording: Recording, array: Any, what: str) -> None:
        self._recording, self._array, self._what = recording, array, what

    __class__ = property(lambda self: type(self._array))  # for the questions of the step

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    flags = property(lambda self: self._array.flags)
    base = property(lambda self: self._array.base)
    T = property(lambda self: self.transpose())

    def __len__(self) -> int:
        return len(self._array)

    def as_array(self) -> Any:
        """As ``np.asarray``."""
        if isinstance(self._array, np.ndarray):
            return self
        return self._recording.call(np.array, (self,), {})

    def own_array(self, dtype: Any) -> Any:
        """As ``np.array``, in the layout of this one."""
        x = self.as_array()
        return x.astype(dtype or x.dtype) if x is self or dtype not in (None, x.dtype) else x

    def beside(self, make: ops.Operation, *args: Any) -> Any:
        """An array that this package makes anew each time, to compute with this one."""
        return self._recording.call(make, args, {}, made=True)

    # Every way to compute with it.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Tensor) for x in inputs):
            return NotImplemented
        (out,) = kwargs.pop("out", (None,))
        if type(out) is Traced and not isinstance(out._array, np.ndarray):
            out = None  # a number does not change: in s += 1, Python puts another in its place
        call = ufunc if method == "__call__" else getattr(ufunc, method)
        if method == "at":
            return self._recording.call(call, inputs, kwargs, out=inputs[0])
        return self._recording.call(call, inputs, kwargs, out)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(isinstance(x, Tensor) for x in args) or any(issubclass(t, Tensor) for t in types):
            return NotImplemented
        if func in SHAPES:
            return func(*unwrapped(args), **unwrapped(kwargs))
        if func is ops.broadcast:
            func = np.broadcast_to  # a view, which costs nothing when it is replayed
        elif isinstance(func, FunctionType) and func in ops.derivatives:
            return func.__wrapped__(*args, **kwargs)  # type: ignore[attr-defined]
        elif func in ops.quick and len(args) <= 2 and kwargs.keys() <= {"axis", "keepdims"}:
            is_special = func is np.mean and (self.size == 0 or self.dtype.char not in "fd")
            if not is_special:
                return ops.quick[func](*args, **kwargs)
        return self._recording.call(func, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        if type(index) is tuple and not index and self.ndim:
            return self
        return self._recording.call(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        self._recording.call(operator.setitem, (self, index, value), {}, out=self)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __pow__(self, other: Any) -> Any:
        return self._recording.call(power, (self, other), {})

    def setflags(self, write: bool) -> None:
        """As the method of an array: this package calls it for views that it hands out."""
        self._array.setflags(write=write)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """As the method of an array."""
        if not copy and self.dtype == dtype:
            return self
        return self._recording.call(Method("astype"), (self, dtype), {})

    def __getattr__(self, name: str) -> Any:
        if name in REDUCTIONS:
            return lambda *args, **named: REDUCTIONS[name](self, *args, **named)
        if name in METHODS:
            return lambda *args, **named: self._recording.call(Method(name), (self, *args), named)
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self._array).__name__!r} has no attribute {name!r}")
        raise self._refusal(f"is asked for .{name}", LATER)

    # Every way out of it, and what is said there.

    def __bool__(self) -> bool:
        if not errors.called_by_this_package():
            raise self._refusal("is asked whether it is true", CHOOSE)
        return self._recording.guard(self)

    def _number(self, *_: Any, **__: Any) -> Any:
        raise self._refusal("is taken out as a number", LATER)

    def _array_or_index(self, *_: Any, **__: Any) -> Any:
        raise self._refusal("is to fill, or to index, an array that is not recorded", TABLE)

    __float__ = __int__ = __complex__ = __hash__ = __reduce_ex__ = __contains__ = _number
    __round__ = __trunc__ = __floor__ = __ceil__ = item = tolist = tobytes = _number
    __array__ = __index__ = _array_or_index

    def __format__(self, spec: str) -> str:
        if not errors.called_by_this_package():
            raise self._refusal("is turned into text", LATER)
        return format(self._array, spec)  # in the words of an error

    def __repr__(self) -> str:
        return f"<what stands for {self._what} while a step is recorded>"

    def _refusal(self, what: str, advice: str) -> RuntimeError:
        return self._recording.refuse(
            f"{self._what} {what} on {errors.line_of_the_user()}. replay() repeats what NumPy "
            f"computes, and not what Python makes of it: {advice}"
        )


LATER = "return it from the step, and use it after the call; a function of NumPy takes it as it is"
CHOOSE = "choose by np.where or np.maximum, or return it from the step, and decide after the call"
TABLE = (
    "for a table to look up, write table = np.eye(3) before the step, and table[y] in it; begin an "
    "array to be filled with np.zeros_like(x)"
)
REDUCTIONS = {f.__name__: f for f in (np.sum, np.mean, np.max, np.min, np.any, np.all)}
METHODS = {"reshape", "transpose", "swapaxes", "squeeze", "ravel", "flatten", "copy", "view"}
METHODS |= {"argmax", "argmin", "cumsum", "clip", "take", "dot", "std", "var", "round", "trace"}
METHODS |= {"prod", "repeat", "diagonal", "argsort", "cumprod", "searchsorted"}


@dataclass(frozen=True)
class Method:
    """A method of arrays, and of NumPy's numbers, as a function."""

    __name__: str

    def __call__(self, array: Any, *args: Any, **named: Any) -> Any:
        """What the method gives."""
        return getattr(array, self.__name__)(*args, **named)


def power(x: Any, exponent: Any) -> Any:
    """``x ** exponent``, which NumPy computes otherwise for numbers than for arrays of them."""
    return x[()] ** exponent


def unwrapped(value: Any) -> Any:
    """``value`` with the arrays of a recording instead of what stands for them."""
    if type(value) is Traced:
        return value._array
    if type(value) in (tuple, list):
        return type(value)(unwrapped(v) for v in value)
    if type(value) is dict:
        return {key: unwrapped(v) for key, v in value.items()}
    if type(value) is slice:
        return slice(unwrapped(value.start), unwrapped(value.stop), unwrapped(value.step))
    return value


def parts_in(value: Any, kind: type) -> Iterator[Any]:
    """Everything of one type in an argument."""
    if type(value) is kind:
        yield value
    elif type(value) in (tuple, list):
        for v in value:
            yield from parts_in(v, kind)
    elif type(value) is dict:
        yield from parts_in(tuple(value.values()), kind)
    elif type(value) is slice:
        yield from parts_in((value.start, value.stop, value.step), kind)


def root(array: Any) -> Any:
    """The array whose memory this one is a view of."""
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    return array


@dataclass(slots=True, eq=False)
class Call:
    """One call of a NumPy function."""

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Traced | None  # None if it only writes, or is a check
    out: Traced | None = None  # where it writes
    truth: bool | None = None  # what a check has found
    is_view: bool = False
    is_sized: bool = True  # by the shapes of its arguments, and not by their numbers
    errstate: dict[str, str] = field(default_factory=dict)  # where it is not that of the step
    words: str = ""


class Recording(Watcher):
    """The calls of one run of a step."""

    explains = False  # NumPy's own warnings are as good

    def __init__(self, optimizers: list[Any]) -> None:
        self.calls: list[Call] = []
        self.own: dict[int, Any] = {}  # memory that results are in, by identity
        self._saved: list[tuple[Any, Any]] = []  # arrays from outside that were written to
        self._first_change = ""  # the words for the first of these calls
        self.adopted: list[Traced] = []  # arrays that the step has made of nothing recorded
        self.originals: list[Any] = []  # which they are copies of
        self._sources: dict[int, Traced] = {}
        self._constants: dict[int, Any] = {}  # arrays that nothing stands for, by their memory
        self._locked: list[Any] = []
        self._optimizers = optimizers
        self._errstate: dict[str, Any] = {**np.geterr()}
        self._start = next(clock)
        self._is_open = True
        self.refused: RuntimeError | None = None

    def refuse(self, words: str) -> RuntimeError:
        """The error for what cannot be repeated; it is raised again if the step catches it."""
        self.refused = RuntimeError(words)
        return self.refused

    def lock(self, constants: list[Any]) -> None:
        """Let nothing write to arrays that cannot be replaced by what stands for them."""
        for array in constants:
            self._constants[id(root(array))] = array
            self._lock_too(array)

    def source(self, array: Any, what: str) -> Traced:
        """What stands for an argument, or for something that the step finds."""
        if not isinstance(array, np.ndarray):
            return Traced(self, array, what)
        if array.dtype.hasobject:
            raise self.refuse(f"{what} has dtype {array.dtype}: replay() takes arrays of numbers")
        self._lock_too(array)
        return self._sources.setdefault(id(array), Traced(self, array, what))

    def guard(self, traced: Traced) -> bool:
        """Note what a check of this package has found, which must be so again."""
        truth = bool(traced._array)
        words = f"whether {traced._what} is true"
        self._add(Call(bool, (traced,), {}, None, truth=truth, words=words))
        return truth

    def call(
        self, function: Any, args: Any, kwargs: Any, out: Any = None, made: bool = False
    ) -> Any:
        """Call a function of arrays, note it, and return what stands for its result."""
        name = ops.name(function)
        words = f"{name} on {errors.line_of_the_user()}"
        if not made:
            args, kwargs = self._adopt(args), self._adopt(kwargs)
        self._check(words, args, kwargs, out)
        arrays, named = unwrapped(args), unwrapped(kwargs)
        call = Call(function, args, kwargs, None, out, words=words)
        errstate: dict[str, Any] = {**np.geterr()}
        call.errstate = {k: v for k, v in errstate.items() if v != self._errstate[k]}
        if out is not None:
            if id(root(out._array)) not in self.own:
                self._first_change = self._first_change or words
            with self._unlocked(out._array):
                function(*arrays, **named, **({"out": out._array} if is_ufunc(function) else {}))
            self._add(call)
            return out
        operands = [*parts_in(arrays, np.ndarray), *parts_in(named, np.ndarray)]
        result = self._only_reading(function, operands, words, arrays, named)
        if isinstance(result, str):
            raise next(parts_in(args, Traced))._refusal("is turned into text", LATER)
        if not isinstance(result, np.ndarray | np.generic):
            raise self.refuse(
                f"{words} gives {type(result).__name__}, and replay() can repeat calls that give "
                "one array: compute it from what the step returns, or call it without replay()"
            )
        call.is_view = any(root(result) is root(x) for x in operands)
        call.is_sized = is_sized(function, args, kwargs)
        if not call.is_view:
            self.own[id(root(result))] = root(result)
        call.result = Traced(self, result, f"the result of {name}")
        self._add(call)
        return call.result

    def _only_reading(
        self, function: Any, operands: list[Any], words: str, args: Any, named: Any
    ) -> Any:
        """Call a function, and refuse it if it writes to what it is given."""
        locked = [array for array in operands if array.flags.writeable]
        for array in locked:
            array.flags.writeable = False
        try:
            result = function(*args, **named)
        except ValueError as error:
            if locked and "read-only" in str(error):
                raise self.refuse(
                    f"{words} changes what it is given, which replay() sees for operators, out= of "
                    "ufuncs and x[...] = y only: write one of these"
                ) from error
            raise
        finally:
            _unlock(locked)
        if isinstance(result, np.ndarray) and any(root(result) is root(x) for x in locked):
            result.flags.writeable = True
        return result

    def _adopt(self, value: Any) -> Any:
        """An argument with what stands for arrays that the step has made itself."""
        if isinstance(value, np.ndarray) and not isinstance(value, ops.StandIn):
            if id(root(value)) in self._constants:
                return value
            for known, copy in zip(self.originals, self.adopted, strict=True):
                if known is value and known.tobytes() == copy._array.tobytes():
                    return copy
            what = f"an array of shape {value.shape} that the step has made itself"
            self.originals.append(value)
            self.adopted.append(Traced(self, value.copy(), what))
            return self.adopted[-1]
        if type(value) in (tuple, list):
            return type(value)(map(self._adopt, value))
        if type(value) is dict:
            return {key: self._adopt(v) for key, v in value.items()}
        return value

    def _check(self, words: str, args: Any, kwargs: Any, out: Any) -> None:
        if not self._is_open:
            raise self.refuse(
                f"{words} is given what was computed while replay() recorded a step, and ended "
                "with it: return from the step what you need after it"
            )
        traced = [*parts_in(args, Traced), *parts_in(kwargs, Traced)]
        arrays = [*parts_in(args, np.ndarray), *parts_in(kwargs, np.ndarray)]
        if any(x._recording is not self for x in traced):
            raise self.refuse(f"{words} is given what an earlier call of the step has left")
        if len(traced) + len(arrays) == 1 and any(is_setting(x) for x in traced):
            raise self.refuse(
                f"{traced[0]._what} takes part in {words}: set it between calls of the step"
            )
        if not isinstance(out, Traced | None):
            raise self.refuse(
                f"{words} writes to an array that the step has made itself, and whose numbers are "
                "not recorded: write g = g + x, or begin with np.zeros_like(x)"
            )

    def _add(self, call: Call) -> None:
        if self._saved and (not call.is_sized or (call.truth is not None and not is_at_once(call))):
            raise self.refuse(
                f"{self._first_change} changes an array from outside in place, and what comes "
                f"after it, {call.words}, may turn out otherwise another time, when it is too late "
                "to undo it: write x = x - y, or compute all losses first"
            )
        self.calls.append(call)

    def _lock_too(self, array: Any) -> None:
        """Let nothing but recorded calls write to an array from outside."""
        if array.flags.writeable:
            self._locked.append(array)
            array.flags.writeable = False

    @contextmanager
    def _unlocked(self, array: Any) -> Iterator[None]:
        """Let a recorded call write to an array; what it was is kept if it is from outside."""
        if id(root(array)) in self.own:
            yield
            return
        locked = [a for a in self._locked if root(a) is root(array)]
        if locked:
            self._saved.append((array, array.copy()))
            _unlock([*locked, array])
        try:
            yield
        finally:
            for a in (*locked, array) if locked else ():
                a.flags.writeable = False

    def close(self) -> None:
        """The step is through."""
        if self._is_open:
            self._is_open = False
            _unlock(self._locked)
            for call in self.calls:
                if call.is_view and call.result is not None:  # made when its base was locked
                    with suppress(ValueError):  # it was read-only before
                        call.result._array.flags.writeable = True

    def undo(self) -> None:
        """Take back what the step has written."""
        self.close()
        for array, before in reversed(self._saved):
            array[...] = before

    # What a watcher is told.

    def computed(self, result: Any, op: Any, args: tuple[Any, ...]) -> None:  # noqa: ARG002
        """Refuse Tensors from outside that nothing stands for; the calls of NumPy are noted."""
        for arg in args:
            if isinstance(arg, Tensor) and arg._time < self._start and not _is_traced(arg):
                raise self.refuse(
                    f"{errors.describe(arg)}, an argument of {ops.name(op)} on "
                    f"{errors.line_of_the_user()}, lies where replay() does not look: in a "
                    "variable, an attribute, a list or a dictionary it would be found"
                )

    def stepping(self, optimizer: Any) -> None:
        """Refuse an optimizer that would keep what stands for arrays."""
        if not any(optimizer is known for known in self._optimizers):
            raise self.refuse(
                f"the optimizer that steps on {errors.line_of_the_user()} lies where replay() does "
                "not look: in a variable or an attribute it would be found"
            )


def is_at_once(call: Call) -> bool:
    """Whether it is a check of a setting, which can be made before anything else."""
    return call.truth is not None and is_setting(call.args[0])


def is_setting(x: Traced) -> bool:
    """Whether it stands for a number of Python, as the settings of an optimizer are."""
    return type(x._array) in (float, int)


def _unlock(arrays: list[Any]) -> None:
    for array in sorted(arrays, key=lambda x: x.base is not None):  # first what others view
        array.flags.writeable = True


def _is_traced(tensor: Tensor) -> bool:
    return type(tensor._value) is Traced


def is_ufunc(function: Any) -> bool:
    """Whether it is a ufunc, or its ``reduce``: its last argument may be where the result goes."""
    if isinstance(function, np.ufunc):
        return bool(function.nout == 1)
    return isinstance(getattr(function, "__self__", None), np.ufunc) and function.__name__ in (
        "reduce",
        "accumulate",
    )


def is_sized(function: Any, args: Any, kwargs: Any) -> bool:
    """Whether the shape of the result follows from those of the arguments."""
    if function is operator.getitem:
        index = args[1] if type(args[1]) is tuple else (args[1],)
        slices = [part for part in index if type(part) is slice]
        is_mask = [getattr(part, "dtype", None) is np.dtype(bool) for part in index]
        return not any(is_mask) and not list(parts_in(slices, Traced))
    if is_ufunc(function) or function in OF_ARRAYS:
        return True
    others = [*parts_in(args[1:], Traced), *parts_in(kwargs, Traced)]
    return ops.name(function) not in UNSIZED and all(x.dtype.kind not in "iu" for x in others)


OF_ARRAYS = {power, np.where, np.concatenate, np.stack, np.take, Method("take"), np.array}
UNSIZED = {"repeat", "compress", "extract", "delete", "insert", "bincount", "unique", "trim_zeros"}
UNSIZED |= {"flatnonzero", "argwhere", "union1d", "intersect1d", "setdiff1d", "setxor1d", "resize"}
UNSIZED |= {"unique_values", "roots", "apply_along_axis", "apply_over_axes"}
