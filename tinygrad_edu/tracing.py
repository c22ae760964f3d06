"""A run of a function, written down as lines: what ``jit`` makes a program from.

``Trace`` watches the function as it runs, on the numbers of one call. Each operation passes the one
door in, and becomes a ``Line``. Plain numbers pass the one door out, where a ``TracedArray`` stands
for them: NumPy computes with it, and that becomes a line, too; Python cannot look into it. So the
lines hold for all other numbers of the same shapes and dtypes. What the run does to leaves is
undone when it is over.
"""

import functools
import hashlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_edu import errors, numpy_api, ops, refusals_of_jit
from tinygrad_edu.backprop import (
    NO_PARAMS,
    Node,
    StandIn,
    backpropagate,
    clock,
    look,
    topological_order,
)
from tinygrad_edu.inputs import check_dtype, is_tensor
from tinygrad_edu.kernels import cast, quick
from tinygrad_edu.modes import State, Writer, mode, writer, writing
from tinygrad_edu.tensor import Tensor

# What a program reads at the start of each call. The text of a program says it in its own way.


def data_of(leaf: Tensor) -> Any:
    """The numbers of a leaf."""
    return look(leaf, next(clock))[0]


def gradient_of(leaf: Tensor) -> Any:
    """The gradient of a leaf."""
    return leaf._grad


def setting_of(settings: Mapping[str, Any], name: str) -> Any:
    """A number that may be another in each call, such as a learning rate."""
    return settings[name]


INPUTS = (data_of, gradient_of, setting_of)


@dataclass(eq=False, slots=True)
class Line:
    """One call of a function in a program, or an argument of the program, which has no ``op``.

    - ``op``, ``args``, ``params``: the call; lines among them stand for their results;
    - ``value``: the result in the run that was traced; None of a check, which gives nothing;
    - ``part``: of what it is a part, "forward", "backward" or "update";
    - ``where``: the line of the user that it comes from;
    - ``quiet``: NumPy's settings of warnings that are others there than around the call;
    - ``number``: its position among all lines;
    - ``name``: of an argument, that which it has in the function.
    """

    op: Any
    args: tuple[Any, ...]
    params: Mapping[str, Any]
    value: Any
    number: int
    part: str = "forward"
    where: str = ""
    quiet: tuple[tuple[str, str], ...] = ()
    name: str = ""

    def operands(self) -> Iterator["Line"]:
        """The lines whose results it takes."""
        return lines_in((self.args, self.params))


CONTAINERS = (tuple, list, dict)  # of operands


def lines_in(x: Any) -> Iterator[Line]:
    """The lines among operands."""
    return (part for part in parts_of(x) if isinstance(part, Line))


def parts_of(x: Any) -> Iterator[Any]:
    """What is in it, as the parts of an index, or ``x`` itself."""
    if isinstance(x, CONTAINERS):
        for part in x.values() if isinstance(x, dict) else x:
            yield from parts_of(part)
    else:
        yield x


def each(function: Callable[[Any], Any], x: Any) -> Any:
    """``x`` with ``function`` applied to what is in it, as to the parts of an index."""
    if type(x) is dict:
        return {key: each(function, part) for key, part in x.items()}
    return type(x)([each(function, part) for part in x]) if type(x) in CONTAINERS else function(x)


def value_of(x: Any) -> Any:
    """What an operand was in the run: of a line, its result."""
    return x.value if isinstance(x, Line) else x


def identity(x: Any) -> Any:
    """What operands have in common that are the same."""
    if isinstance(x, Line):
        return Line, x.number
    if type(x) is dict:
        return tuple([(key, identity(part)) for key, part in x.items()])
    if type(x) in CONTAINERS:
        return type(x), *map(identity, x)
    if isinstance(x, np.ndarray | np.generic):
        digest = hashlib.blake2b(np.asarray(x).tobytes()).digest()
        return type(x), x.shape, x.dtype, digest
    if isinstance(x, bool | int | float | str | slice | range | np.dtype) or x is None:
        return type(x), repr(x)
    return id(x)


def key_of(op: Any, args: tuple[Any, ...], params: Any, quiet: Any) -> Any:
    """What calls have in common that give the same."""
    if op in INPUTS:  # of the same leaf or settings, and not of some with the same numbers
        return op, id(args[0]), args[1:], quiet
    return op, identity(args), identity(params), quiet


# What stands for a plain array.

# NumPy's functions that tell about the shape alone, and those whose results have a shape that does
# not depend on numbers: the others are refused.
OF_SHAPES = {np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like}
BY_NUMBERS = {np.nonzero, np.flatnonzero, np.argwhere, np.repeat}
KNOWN = {*numpy_api.compositions, *numpy_api.queries, *ops.derivatives}
KNOWN |= {np.sort, np.take_along_axis}
KNOWN -= {np.array_str, np.array_repr, np.array2string, np.may_share_memory, np.shares_memory}
# The functions of NumPy 2.0 take no shape= and no single number; methods do.
BY_METHOD = {np.reshape: quick[np.reshape], np.astype: cast}
# Parameters that decide the shape of a result.
SIZES = {
    *("axis", "axes", "axis1", "axis2", "source", "destination", "start", "shape", "new_shape"),
    *("window_shape", "reps", "indices_or_sections", "obj", "pad_width", "offset", "n", "k"),
    "condition",  # but not of np.where
}
METHODS = {
    *("sum", "mean", "max", "min", "any", "all", "argmax", "argmin", "argsort", "cumsum", "clip"),
    *("squeeze", "swapaxes", "copy", "prod", "std", "var", "round", "take", "dot", "astype"),
    *("cumprod", "diagonal", "trace", "ravel"),
}


class TracedArray(NDArrayOperatorsMixin, StandIn):
    """What stands for a plain array in a function that is traced.

    Arguments of the function are such, and all that NumPy computes from them, as well as what the
    function gets by ``.data`` and ``.grad``.
    """

    __slots__ = ("lines", "operand")
    lines: Any  # those of its run
    operand: Any  # what it stands for

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return np.shape(self._value)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return np.ndim(self._value)

    @property
    def size(self) -> int:
        """The number of elements."""
        return np.size(self._value)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the elements."""
        return np.asarray(self._value).dtype

    @property
    def T(self) -> Any:  # noqa: N802 (as in NumPy)
        """The axes in reversed order."""
        return np.transpose(self)

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return functools.partial(getattr(np, name), self)
        if name.startswith("__") or not hasattr(np.ndarray, name):  # it is asked whether it has it
            raise AttributeError(f"an array has no attribute {name!r}")
        raise _trace(self).refuse(refusals_of_jit.no_such_attribute(name))

    def reshape(self, *shape: Any) -> Any:
        """As of an array."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """As of an array."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def flatten(self) -> Any:
        """As of an array."""
        return np.ravel(self)

    def __pow__(self, other: Any) -> Any:
        return NotImplemented if is_tensor(other) else _trace(self).note(pow, (self, other))

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        return _trace(self).note(operator.getitem, (self, index))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise _trace(self).refuse(refusals_of_jit.written_to())

    def _refused(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002 (of each method)
        raise _trace(self).refuse(refusals_of_jit.number_taken(self))

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _refused
    __array__ = __repr__ = __str__ = __format__ = __reduce__ = __round__ = __hash__ = _refused
    item = tolist = tobytes = _refused

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **kwargs: Any) -> Any:
        trace = _trace(self)
        if any(map(is_tensor, inputs)):
            return NotImplemented  # it is up to the Tensor
        inputs = tuple(np.asarray(x) if isinstance(x, list | tuple) else x for x in inputs)
        out = kwargs.pop("out", None)
        if out is not None and (len(out) > 1 or out[0] is not self):
            raise trace.refuse(refusals_of_jit.written_to())
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if method not in ("__call__", "reduce", "accumulate", "outer"):
            raise trace.refuse(errors.no_ufunc_method(ufunc, method))
        if all(type(_value(x)) in (int, float) for x in inputs):  # settings and numbers of Python
            function = quick.get(function, function)
        result = trace.note(function, inputs, kwargs)
        if out is not None:  # x -= 1
            trace.write(self)
        return result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        trace = _trace(self)
        for x in filter(is_tensor, parts_of((args, kwargs))):
            return x.__array_function__(func, types, args, kwargs)  # it is up to the Tensor
        if func in OF_SHAPES:
            return func(*map(_value, args), **kwargs)
        if func in BY_NUMBERS or (func is np.where and len(args) == 1):
            raise trace.refuse(refusals_of_jit.sized_by_numbers(f"np.{ops.name(func)}(...)"))
        if func in KNOWN or hasattr(func, "rules"):
            return trace.note(func, args, kwargs)
        raise trace.refuse(refusals_of_jit.not_known(func))


def _value(x: Any) -> Any:
    return x._value if isinstance(x, Node) else x


def _trace(x: TracedArray) -> "Trace":
    trace = writer()
    if trace is None or x.lines is not trace.lines:
        raise refusals_of_jit.left_over()
    found: Trace = trace
    return found


@dataclass(eq=False)
class Found:
    """A leaf that the function has found: what it was before, and what becomes of its gradient."""

    line: Line
    before: tuple[Any, ...]  # its data, their time and what was lent
    required_grad: bool
    had_gradient: bool | None = None  # before the call; None if that was not asked
    gradient: Any = None  # the present one
    is_graded: bool = False  # whether it has got another one
    is_added: bool = False  # to that from before the call, if there was one
    passes: int = 0  # how many backward passes have been added


@dataclass(eq=False)
class Result:
    """What f returned: its operand, and the Tensor, if it is one; or a leaf that f has found."""

    operand: Any
    tensor: Any = None
    is_array: bool = False  # and not a number of NumPy


@dataclass(eq=False)
class Change:
    """What becomes of a leaf: its "data", or its "grad" and how many passes are in it."""

    leaf: Tensor
    what: str
    operand: Any
    passes: int = 0
    is_added: bool = False  # to those that the gradient had before


class Trace(Writer):
    """One run of ``f``. Afterwards, all that it changed is as it was.

    - ``lines``: the calls in order, each once, by what they are;
    - ``arguments``: the line of each array that was passed;
    - ``found``: the leaves that it has read or changed;
    - ``arrays``: plain ones from outside, by the id of their memory;
    - ``settings``: those of optimizers that choose the program;
    - ``output``: what ``f`` returned, with a ``Result`` for each array and Tensor;
    - ``slopes``: the gradient of the result by each leaf, if it can be gone back from;
    - ``changes``: what becomes of leaves.
    """

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: Any, names: Sequence[str]
    ) -> None:
        self.lines: dict[Any, Line] = {}
        self.operands: dict[Node, Any] = {}  # the line or the constant that a Tensor stands for
        self.found: dict[Tensor, Found] = {}
        self.arrays: dict[int, Any] = {}
        self.settings: dict[tuple[int, str], Any] = {}
        self.part = "forward"
        self.written: list[Any] = []  # arrays that were written to: they stand for nothing any more
        # What of leaves was written to, and not set yet.
        self.unassigned: dict[tuple[Tensor, str], None] = {}
        self.errstate = np.geterr()
        self.refused: BaseException | None = None
        self.arguments: list[Line] = []
        self.passed: dict[Tensor, Line] = {}  # of the arguments that are Tensors
        self.results: list[Result] = []
        state = mode.get()
        try:
            mode.set(State(state.paused, (self,), state.scopes))
            writing.append(self)
            args = tuple(map(self._argument, args, names))
            kwargs = {name: self._argument(arg, name) for name, arg in kwargs.items()}
            y = f(*args, **kwargs)
            self._refuse_changes()
            self.output = each(self._result, y)
            self.slopes = self._slopes()
            self.changes = [*self._changes()]
            if self.refused is not None:  # though f has caught it
                raise self.refused
        except Exception as error:
            cause = self.refused or error  # NumPy may have made another error of it
            raise cause.with_traceback(error.__traceback__) from None
        finally:
            mode.set(state)
            if self in writing:  # else Ctrl-C came before
                writing.remove(self)
            for leaf, found in self.found.items():
                if self.operands[leaf] is not found.line:  # else another thread may have changed it
                    leaf._value, leaf._time, leaf._lent = found.before
                leaf._requires_grad = found.required_grad

    # What f is given, and what it gives back.

    def _argument(self, x: Any, name: str) -> Any:
        if not isinstance(x, np.ndarray | np.generic | Tensor):
            return x
        line = Line(None, (), {}, _value(x), len(self.arguments), name=name)
        self.arguments.append(line)
        if not isinstance(x, Tensor):
            return self._new(x, line)
        leaf = Tensor.__new__(Tensor)
        Node.__init__(leaf, x._value, next(clock))
        leaf.name = x.name
        self.operands[leaf] = self.passed[leaf] = line
        return leaf

    def _new(self, value: Any, operand: Any) -> TracedArray:
        traced = TracedArray.__new__(TracedArray)
        Node.__init__(traced, value, next(clock))
        traced.lines, traced.operand = self.lines, operand
        return traced

    def _result(self, x: Any) -> Any:
        if isinstance(x, Tensor):
            if x in self.found:
                return Result(x)
            if x.is_leaf and x.requires_grad:
                raise refusals_of_jit.not_returned(x)
            result = Result(self.operand(x), x)
        elif isinstance(x, StandIn | np.ndarray | np.generic):
            result = Result(self.operand(x), is_array=isinstance(_value(x), np.ndarray))
        elif x is None or isinstance(x, bool | int | float | str):
            return x
        else:
            raise refusals_of_jit.not_returned(x)
        self.results.append(result)
        return result

    def _slopes(self) -> dict[Tensor, Any]:
        """The gradients of the result, if it is one number: what ``backward`` needs after the call.

        Other results cannot be gone back from, and say so.
        """
        if len(self.results) != 1 or self.output is not self.results[0]:
            return {}
        y = self.results[0].tensor
        if y is None or y.is_leaf or y._passes or y.size != 1:
            return {}
        if any(self.operands[leaf] is not found.line for leaf, found in self.found.items()):
            return {}  # data have changed since, so that backward refuses anyhow
        self.part = "backward"
        seed = Tensor(np.ones(y.shape, y.dtype))
        found = backpropagate(y, seed, topological_order(y), on_tensors=True)
        return {leaf: self.operand(g) for leaf, g in found.items() if leaf in self.found}  # type: ignore[misc]

    def _refuse_changes(self) -> None:
        """Refuse what ``f`` must not change, and what it changed by another name."""
        for leaf, what in self.unassigned:
            raise refusals_of_jit.not_assigned(leaf, what)
        for leaf, found in self.found.items():
            if leaf._requires_grad != found.required_grad:
                raise refusals_of_jit.flag_changed(leaf)
        for leaf, line in self.passed.items():
            is_same = self.operands[leaf] is line and leaf._grad is None
            if not is_same or leaf._requires_grad:
                raise refusals_of_jit.argument_changed(leaf)

    def _changes(self) -> Iterator[Change]:
        for leaf, found in self.found.items():
            data = self.operands[leaf]
            if data is not found.line:
                yield Change(leaf, "data", data)
        for leaf, found in self.found.items():
            gradient = found.gradient
            if found.is_graded and (gradient is not None or found.had_gradient is not False):
                operand = None if gradient is None else self.operand(gradient)
                is_added = found.is_added and bool(found.had_gradient)
                yield Change(leaf, "grad", operand, found.passes, is_added=is_added)

    # Operands.

    def operand(self, x: Any) -> Any:
        """The line that computes ``x``, or ``x`` itself if it is constant."""
        if not isinstance(x, Node):
            self.given(x)
            return np.array(x) if isinstance(x, np.ndarray) else x  # which f may write to
        if self.written and any(_share_memory(x._value, array) for array in self.written):
            raise self.refuse(refusals_of_jit.used_after_writing(x))
        if isinstance(x, TracedArray):
            if x.lines is not self.lines:
                raise self.refuse(refusals_of_jit.left_over())
            return x.operand
        if x in self.operands:
            return self.operands[x]
        if x.op is not None:
            raise self.refuse(refusals_of_jit.computed_before(x))
        assert isinstance(x, Tensor)
        line = self._line(data_of, (x,), {}, x._value)
        self.operands[x] = line  # first, for what is found is looked up when the run is over
        self.found[x] = Found(line, (x._value, x._time, x._lent), x._requires_grad)
        return line

    def given(self, x: Any) -> None:
        """Keep track of a plain array that f computes with."""
        if isinstance(x, np.ndarray):
            owner = x
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            self.arrays.setdefault(id(owner), (owner, x, errors.line_of_the_user()))

    def _line(self, op: Any, args: Any, params: Any, value: Any) -> Line:
        """The line for a call, which may be there already."""
        self._check_sizes(op, args, params)
        quiet: Any = tuple(sorted(np.geterr().items() - self.errstate.items()))
        key = key_of(op, args, params, quiet)
        if key not in self.lines:
            number = len(self.arguments) + len(self.lines)
            where = errors.line_of_the_user()
            self.lines[key] = Line(op, args, params, value, number, self.part, where, quiet)
        elif not is_repeated(self.lines[key], value):
            raise self.refuse(refusals_of_jit.two_runs_differ(errors.line_of_the_user()))
        return self.lines[key]

    def refuse(self, error: Exception) -> Exception:
        """The error, which will be raised again at the end, if ``f`` catches it."""
        self.refused = error
        return error

    # What a Watcher is told.

    def around(self, compute: Callable[..., Any]) -> Callable[..., Any]:
        """``compute`` with its parameters as plain arrays, and without NumPy's warnings.

        The program will warn. What is raised because of numbers must not be caught by ``f``: other
        numbers would take another way.
        """

        def run(*values: Any, **params: Any) -> Any:
            with np.errstate(all="ignore"):
                try:
                    return compute(*values, **each(_value, params))
                except Exception as error:
                    is_of_shapes = type(error) in (TypeError, ValueError)
                    if not is_of_shapes or not errors.is_numpys(compute):
                        self.refused = error
                    raise

        return run

    def made(self, leaf: Tensor, data: Any) -> None:
        """A leaf that f makes stands for what its numbers come from."""
        self.operands[leaf] = self.operand(data) if isinstance(data, Node) else leaf._value
        if isinstance(leaf._value, StandIn):
            leaf._value = leaf._value._value

    def computed(self, result: Any, op: Any, args: tuple[Any, ...], params: Any) -> None:
        """Write an operation down."""
        op = pow if op is np.power else op  # which Python's operator computes
        args = each(self.operand, args)
        params = each(self.operand, dict(params))
        self._check_index(params.get("index"))
        is_constant = not any(lines_in((args, params)))
        self.operands[result] = (
            result._value if is_constant else self._line(op, args, params, result._value)
        )

    def _check_sizes(self, op: Any, args: Any, params: Any) -> None:
        """Refuse parameters that decide how large the result is, and come from arrays."""
        known = numpy_api.parameters(op) if errors.is_numpys(op) else ()
        by_name = dict(zip(known, args, strict=False)) | dict(params)
        for name in SIZES & by_name.keys() if op is not np.where else ():
            if any(lines_in(by_name[name])):
                what = f"np.{ops.name(op)}(..., {name}=...)"
                raise self.refuse(refusals_of_jit.sized_by_numbers(what))

    def _check_index(self, index: Any) -> None:
        """Refuse a mask, whose number of True decides how large the result is."""
        if any(np.asarray(line.value).dtype == bool for line in lines_in((index,))):
            raise self.refuse(refusals_of_jit.sized_by_numbers("t[mask]"))

    # What the engine asks of a trace, and tells it.

    def check(self, test: Any, args: Any) -> None:
        """Check data, and write the check down."""
        operands = each(self.operand, args)
        try:
            test(*each(_value, args))
        except Exception as error:
            self.refused = error
            raise
        if any(lines_in(operands)):
            self._line(test, operands, {}, None)

    def note(self, function: Any, args: Any, params: Any = NO_PARAMS) -> Any:
        """Call a function of plain data, and write the call down."""
        args = tuple(tuple(x) if isinstance(x, tuple) else x for x in args)  # a named one, too
        args, params = _by_name(function, args, dict(params))
        if not hasattr(function, "rules") and params.pop("out", None) is not None:
            raise self.refuse(refusals_of_jit.written_to())
        lines = each(self.operand, args)
        named = each(self.operand, params)
        if function is operator.getitem:
            self._check_index(lines[1])
        by_method = BY_METHOD if params.keys() <= {"shape", "dtype"} else {}
        compute = by_method.get(function, function)
        value = self.around(compute)(*each(_value, args), **params)
        return self._noted(value, self._line(function, lines, named, value))

    def _noted(self, value: Any, line: Line) -> Any:
        """What stands for the result of a line, which may be several arrays."""
        if isinstance(value, tuple | list):
            items = [self._line(operator.getitem, (line, i), {}, x) for i, x in enumerate(value)]
            parts = list(map(self._noted, value, items))
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        if isinstance(value, np.ndarray | np.generic):
            check_dtype(value.dtype)
        return self._new(value, line)

    def stand_in(self, x: Node, kind: Callable[[Any], Any] = lambda value: value) -> Any:
        """What stands for the numbers of a Tensor as a plain array."""
        if isinstance(x, StandIn):
            return x
        operand = self.operand(x)
        if isinstance(operand, Line):
            return self._new(kind(x._value), operand)
        constant = np.array(x._value)
        constant.setflags(write=False)  # lines that are there already have these numbers
        return kind(constant[()])

    def write(self, traced: TracedArray) -> None:
        """``traced`` was written to: it, and what shares its memory, must not be used any more."""
        for line in self.arguments:
            if _share_memory(line.value, traced._value):
                raise self.refuse(refusals_of_jit.written_to())
        for leaf, found in self.found.items():
            if _share_memory(leaf._value, traced._value):
                self.unassigned[leaf, "data"] = None
            if _share_memory(_value(found.gradient), traced._value):
                self.unassigned[leaf, "grad"] = None
        self.written.append(traced._value)

    def assign(self, leaf: Tensor, data: Any) -> None:
        """From here on, a leaf has other data."""
        operand = self.operand(data)
        self.unassigned.pop((leaf, "data"), None)
        if leaf not in self.operands:
            self.operand(leaf)
        self.operands[leaf] = operand
        leaf._value = _value(data)
        leaf._lent = None
        leaf._time = next(clock)

    def live(self, settings: Any, name: str) -> Mapping[str, Any]:
        """Settings of an optimizer, of which one is read in each call.

        The others choose the program.
        """
        for other, value in settings.items():
            if other != name:
                self.settings[id(settings), other] = settings, other, value
        value = settings[name]
        line = self._line(setting_of, (settings, name), {}, value)
        return {**settings, name: self._new(value, line)}

    def gradient(self, leaf: Tensor) -> Any:
        """The gradient that a leaf has here; one from before the call is an input."""
        if leaf.op is not None:
            return None
        self.operand(leaf)
        if leaf not in self.found:  # f has made it
            return leaf._grad
        found = self.found[leaf]
        if found.had_gradient is None and not found.is_graded:
            found.had_gradient = leaf._grad is not None
            if leaf._grad is not None:
                line = self._line(gradient_of, (leaf,), {}, leaf._grad)
                found.gradient = self._new(leaf._grad, line)
        return found.gradient

    def set_gradient(self, leaf: Tensor, gradient: Any, passes: int = 0) -> None:
        """From here on, a leaf has another gradient."""
        self.operand(leaf)
        if leaf not in self.found:
            leaf._grad = gradient
            return
        self.unassigned.pop((leaf, "grad"), None)
        found = self.found[leaf]
        found.is_added = passes > 0 and (found.is_added or not found.is_graded)
        found.passes = found.passes + passes if passes else 0
        found.gradient = gradient
        found.is_graded = True

    def go_backward(self, root: Tensor, seed: Any, order: list[Node]) -> None:
        """``backward``, whose rules run on Tensors, so that what they compute is written down."""
        self.part = "backward"
        for leaf, g in backpropagate(root, Tensor(seed), order, on_tensors=True).items():
            assert isinstance(leaf, Tensor)
            before = self.gradient(leaf)
            total = self.stand_in(g) if isinstance(g, Node) else g
            total = total if before is None else before + total
            self.set_gradient(leaf, np.astype(np.copy(total), leaf.dtype), passes=1)
        self.part = "update"


def _by_name(function: Any, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, Any]:
    """A call with all but its arrays by name, as operations are recorded."""
    parameters = numpy_api.parameters(function)
    several = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    if several or not errors.is_numpys(function):
        return args, params
    names = [*parameters]
    rules = ops.derivatives.get(function)
    count = len(rules) if isinstance(rules, tuple) else len(args)
    count = min(count, names.index("out")) if "out" in names else count
    return args[:count], dict(zip(names[count:], args[count:], strict=False)) | params


def is_repeated(line: Line, value: Any) -> bool:
    """Whether a call has given the same again. NumPy's functions do; a user's may draw numbers."""
    if errors.is_numpys(line.op) or line.value is None:
        return True
    return np.array_equal(line.value, value, equal_nan=True)


def _share_memory(a: Any, b: Any) -> bool:
    both = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    return a is b or (both and np.may_share_memory(a, b))
