"""``jit``: a function, with its gradients and updates, as one straight-line program of NumPy."""

from __future__ import annotations

import functools
import inspect
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu import ops, refusals_of_jit
from tinygrad_edu.backprop import Node, clock, look, plain
from tinygrad_edu.guards import guards, holds_arrays, names_of, names_of_objects
from tinygrad_edu.inputs import as_array, check_dtype
from tinygrad_edu.modes import is_recording, mode
from tinygrad_edu.programs import Names, Program
from tinygrad_edu.tensor import Tensor
from tinygrad_edu.tracing import Line, Result, Trace, each, identity, is_repeated

ARRAYS = np.ndarray | np.generic | Tensor  # arguments that are arrays; others choose the program
KEPT = 32  # programs of one function; the one that was used least lately is dropped for the next


class jit:  # noqa: N801 (lower case as grad: it is used like a function)
    """``f`` compiled: the same results and the same changes, by nothing but calls of NumPy.

    ``f`` is a loss, a model, a derivative such as ``grad(f)``, or a whole training step, with
    ``backward`` and the step of an optimizer. Its arguments are arrays, which may be others in each
    call. In the first call with some shapes and dtypes ``f`` runs twice, and is written down, with
    its gradients, as a Python function of NumPy calls: ``print(step.source)``. That runs from then
    on. Numbers and strings among the arguments choose the program.

    Leaf Tensors that ``f`` finds, their ``requires_grad`` and ``grad``, and the settings of
    optimizers are those of each call. ``f`` is compiled anew if a name that its own code uses is
    bound to another object, or a module has got another part. All else is taken once, and what
    ``f`` prints or appends is not repeated: with ``f = jit(lambda x: scale * x)`` it is noticed
    that ``scale`` is another number, but with ``f = jit(lambda x: config.scale * x)`` it is not.
    Pass it, or make it a Tensor. What stands for an argument in ``f`` is no ``np.ndarray``, though
    NumPy computes with it as with one. Threads that ``f`` starts are not seen.

    Results are Tensors where those of ``f`` are. A single number that is not gone back from in
    ``f`` can be differentiated once by ``backward``; inside ``grad`` and ``debug`` ``f`` itself
    runs. An error, of bad labels for instance, is that of ``f``, and leaves all as it was.

    Results are those of ``f`` bit for bit, but that sums of up to 512 numbers may add them in
    another order, which takes a fifth of the time; ``exact=True`` keeps the order. What depends on
    how arrays lie in memory, products of matrices, and slopes by an exponent may differ in the last
    bits, too.

    Raises TypeError in the first call where ``f`` takes numbers out of Tensors (``if``, ``float``,
    ``print``), where shapes depend on numbers, and for what is no array and chooses no program;
    RuntimeError where two runs differ, as by random numbers or a counter (a coin that falls twice
    on one side is not noticed), and where ``f`` finds a plain array: pass it, or make it a Tensor.

    >>> import numpy as np
    >>> from tinygrad_edu import Tensor, jit, optim
    >>> w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> sgd = optim.SGD([w], lr=0.1)
    >>> @jit
    ... def step(x, y):
    ...     loss = ((x @ w - y) ** 2).mean()
    ...     loss.backward()
    ...     sgd.step()
    ...     sgd.zero_grad()
    ...     return loss
    >>> for _ in range(100):
    ...     loss = step(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([3.0, 5.0]))
    >>> w.data.round(2)
    array([2.99, 2.02])
    """

    def __init__(self, f: Callable[..., Any], *, exact: bool = False) -> None:
        if not callable(f):
            raise refusals_of_jit.no_function(f)
        functools.update_wrapper(self, f, updated=())
        self._f = f
        self._exact = exact
        self._is_method = False
        self._lock = threading.Lock()
        self._programs: tuple[_Compiled, ...] = ()  # the one used last comes first

    def __set_name__(self, owner: type, name: str) -> None:
        self._is_method = True

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    @property
    def source(self) -> str:
        """The program that was used last, as text; "" if there is none yet."""
        return self._programs[0].program.source if self._programs else ""

    @property
    def lines(self) -> list[Line]:
        """The lines of that program as data, before its memory is planned, in order.

        Each has ``op``, ``args`` and ``params``, in which lines stand for their results; ``value``
        is the shape and the dtype of the result, or None if it only checks data.
        """
        return self._programs[0].program.lines if self._programs else []

    def graph(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """What the program computes for these arguments, as graphs for ``draw``.

        They are called "result", or "result_0" and so on if there are several, and by what becomes
        of a leaf, as "w.data". It changes nothing.
        """
        program, values = self._found(args, kwargs, not is_recording())
        found: Program = program.program
        return found.graph([plain(x) for x in values if isinstance(x, ARRAYS)])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What ``f`` returns."""
        state = mode.get()
        if state.watchers or state.variables:
            return self._f(*args, **kwargs)  # others want to see each operation
        keywords = tuple(kwargs)
        values = args if not kwargs else (*args, *kwargs.values())
        for program in self._programs:
            if program.takes(keywords, state.paused > 0, values):
                break
        else:
            program, values = self._found(args, kwargs, state.paused > 0)
        if self._programs[:1] != (program,):  # which another thread may have emptied
            self._keep(program)
        return program(values, state.scopes)

    def _found(self, args: Any, kwargs: Any, paused: bool) -> Any:
        """A program for arguments of any kind, and what it is given."""
        args = tuple(map(_as_argument, args))
        kwargs = {name: _as_argument(x) for name, x in kwargs.items()}
        values = (*args, *kwargs.values())
        with self._lock:  # another thread may have compiled it meanwhile
            for program in self._programs:
                if program.takes(tuple(kwargs), paused, values):
                    return program, values
            for x in values[1:] if self._is_method else values:
                _check_argument(x)
            program = _Compiled(self._f, args, kwargs, self._exact, self._is_method)
            self._drop()
            self._programs = (program, *self._programs[: KEPT - 1])
            if self._is_method:
                weakref.finalize(values[0], self._drop).atexit = False
            return program, values

    def _drop(self) -> None:
        """Forget what cannot fit again, and free its memory."""
        self._programs = tuple(old for old in self._programs if old.is_of_use())

    def _keep(self, program: _Compiled) -> None:
        """Put the program in front, that it is asked first the next time."""
        with self._lock:
            others = tuple(other for other in self._programs if other is not program)
            self._programs = (program, *others)


def _as_argument(x: Any) -> Any:
    """What another kind of array holds, as a plain one."""
    return as_array(x) if isinstance(x, np.ndarray) else x


def _check_argument(x: Any) -> None:
    if isinstance(x, np.ndarray | np.generic):
        check_dtype(x.dtype)
    elif isinstance(x, Tensor):
        if x.requires_grad:
            raise refusals_of_jit.argument_requires_grad(x)
    elif x is not None and type(x) not in (bool, int, float, str):
        raise refusals_of_jit.no_argument(x)


def result_of_jit(*leaves: Any) -> None:
    """The operation that has made the result of a compiled function from leaves."""


def _slope(i: int, g: Any, y: Any, slopes: Any) -> Any:  # noqa: ARG001 (as in ops)
    if slopes is None:
        raise refusals_of_jit.not_differentiable()
    return g * slopes[i]


result_of_jit.rules = ops.Each(_slope)  # type: ignore[attr-defined]


class _Compiled:
    """A program, what it is for, and what has to be as it was when it was made."""

    def __init__(
        self, f: Callable[..., Any], args: Any, kwargs: Any, exact: bool, is_method: bool
    ) -> None:
        held = [*names_of(f)]
        for name, _, value in held:
            if holds_arrays(value):
                raise refusals_of_jit.array_in_name(name)
        arguments = [*_argument_names(f, len(args), kwargs), *kwargs]
        traces = [Trace(f, args, kwargs, arguments) for _ in range(2)]
        check_same(*traces)
        _check_arrays(*traces)
        for name, read, value in held:
            if read() is not value:
                raise refusals_of_jit.bound_inside(name)
        trace = traces[0]
        values = (*args, *kwargs.values())
        for x in values:
            if isinstance(x, Tensor) and x in trace.found:
                raise refusals_of_jit.argument_is_found(x)
        names = Names(names_of_objects(f, held))
        self.program = Program(trace, getattr(f, "__name__", "program"), arguments, names, exact)
        self._run = self.program.run
        self._owner = weakref.ref(values[0]) if is_method else None
        self._has_tensors = any(isinstance(x, Tensor) for x in values)
        self._keywords = tuple(kwargs)
        self._count = len(values)
        self._holds, self._fits = guards(trace, held, values, self._owner)
        self._lock = threading.Lock()
        self._output = trace.output
        self._results = trace.results
        learned = [leaf for leaf in trace.found if leaf._requires_grad]
        self._sources = tuple(trace.slopes or learned)
        self._watched = tuple(trace.slopes)
        tensors = [result.tensor for result in trace.results]
        # Of each result: None for an array, else whether it requires a gradient, and its passes.
        self._made = [None if t is None else (t._requires_grad, t._passes) for t in tensors]
        self._is_single = len(self._made) == 1 and trace.output is trace.results[0]
        for result in trace.results:
            result.operand = result.tensor = None  # they are of the run that was traced

    def takes(self, keywords: tuple[str, ...], paused: bool, values: tuple[Any, ...]) -> bool:
        """Whether the program is for such arguments, and all it has found is as it was."""
        if keywords != self._keywords or len(values) != self._count:
            return False
        return self._fits(paused, *values)  # type: ignore[no-any-return]

    def is_of_use(self) -> bool:
        """Whether it can fit again."""
        return (self._owner is None or self._owner() is not None) and self._holds()

    def __call__(self, values: tuple[Any, ...], scopes: Any) -> Any:
        """Run the program, and give what ``f`` returns."""
        if self._has_tensors:
            values = tuple(x._value if isinstance(x, Tensor) else x for x in values)
        with self._lock:
            time = next(clock)  # before data are read, so that a change meanwhile is noticed
            for leaf in self._watched:
                look(leaf, time)
            found = self._run(*values)
            while found is None:
                found = self._run(*values)
        slopes = found[len(self._made) :] if self._watched else None
        if self._is_single:
            return self._made_of(found[0], self._made[0], slopes, scopes, time)
        made = [
            self._made_of(x, kind, slopes, scopes, time)
            for x, kind in zip(found, self._made, strict=False)
        ]
        by_result = dict(zip(self._results, made, strict=True))
        return each(
            lambda x: by_result.get(x, x.operand) if isinstance(x, Result) else x, self._output
        )

    def _made_of(self, value: Any, kind: Any, slopes: Any, scopes: Any, time: int) -> Any:
        """A result of the program as ``f`` gives it: an array, or a Tensor."""
        if kind is None:
            return value
        requires_grad, passes = kind
        result = Tensor.__new__(Tensor)
        if requires_grad:
            params = {"slopes": slopes}
            Node.__init__(result, value, time, result_of_jit, self._sources, params, scopes)
            result._passes = passes
        else:
            Node.__init__(result, value, time)
        return result


def _argument_names(f: Any, count: int, keywords: Any) -> list[str]:
    """The names of the arguments that are given by position, each another."""
    try:
        names = [*inspect.signature(f).parameters][:count]
    except ValueError:  # some functions tell none
        names = []
    found: list[str] = []
    for name in names + [f"x{i}" for i in range(len(names), count)]:  # of *args
        while name in keywords or name in found:
            name += "_"
        found.append(name)
    return found


def check_same(first: Trace, second: Trace) -> None:
    """Refuse what cannot be repeated: two runs have to be the same, line by line."""
    both = zip(first.lines.items(), second.lines.items(), strict=False)
    for (key, line), (other, again) in both:
        if key != other or not is_repeated(line, again.value):
            raise refusals_of_jit.two_runs_differ(again.where)
    if len(first.lines) != len(second.lines) or _ends(first) != _ends(second):
        raise refusals_of_jit.two_runs_differ("what it returns or changes")


def _check_arrays(first: Trace, second: Trace) -> None:
    """Refuse plain arrays from outside, which could change unseen."""
    for key in first.arrays.keys() & second.arrays.keys():
        _, array, where = second.arrays[key]
        raise refusals_of_jit.array_found(array, where)


def _ends(trace: Trace) -> Any:
    """What a run has come to."""
    return identity(
        (
            each(lambda x: x.operand if isinstance(x, Result) else x, trace.output),
            [(id(leaf), x) for leaf, x in trace.slopes.items()],
            [(id(change.leaf), change.what, change.operand) for change in trace.changes],
            [(id(leaf), found.had_gradient) for leaf, found in trace.found.items()],
            [*trace.settings],
        )
    )
