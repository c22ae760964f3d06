"""Run a step as it is, record it twice, and from then on make only its NumPy calls."""

from __future__ import annotations

import functools
import reprlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from itertools import compress, islice
from types import MethodType
from typing import Any

import numpy as np

from tinygrad_edu.backprop import clock
from tinygrad_edu.modes import is_transforming, mode
from tinygrad_edu.replaying.program import Diverged, Program
from tinygrad_edu.replaying.run import Run, State, side_effect
from tinygrad_edu.replaying.surroundings import Surroundings, Wrapper, is_numbers
from tinygrad_edu.tensor import Tensor

MISSES = 3  # calls in a row for which a program does not fit, before it is forgotten
PATIENCE = 1024  # calls to wait before a step is recorded that changes all the time
RUNS = 4  # to record until two that follow each other agree
PROGRAMS = 8  # that are kept of one step, for arguments of different shapes


class Replay(Wrapper):
    """A step that is recorded and replayed; ``replay`` makes it."""

    def __init__(self, step: Callable[..., Any]) -> None:
        if not callable(step):
            raise TypeError(f"replay takes a function, the training step, but got {step!r}")
        functools.update_wrapper(self, step)
        self._step = step
        self._known: OrderedDict[Any, Known] = OrderedDict()  # the latest last
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"replay({self._step!r})"

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Replay:
        """The step as a method: each object has a replay of its own."""
        if instance is None:
            return self
        name = getattr(self, "_name", None) or self._step.__name__
        bound = vars(instance)[name] = Replay(MethodType(self._step, instance))
        return bound

    def __reduce__(self) -> Any:
        return Replay, (self._step,)  # a copy records anew

    @property
    def source(self) -> str:
        """The calls of the latest program, as a function in Python; "" as long as there is none.

        It gets the arguments and what the step found, puts what stays inside where ``out=`` says,
        and gives new values of what the step changes, and its result.
        """
        programs = [known.program for known in self._known.values() if known.program]
        return programs[-1].source if programs else ""

    def __call__(self, *args: Any, **named: Any) -> Any:
        """What the step returns, recorded or replayed."""
        paused, watchers, _ = mode.get()
        if paused or watchers or is_transforming():
            return self._step(*args, **named)  # others want to see it
        errstate = np.geterr().values()
        if "raise" in errstate:
            return self._step(*args, **named)  # a program leaves out what only might raise
        key = (*errstate, *[_kind(x) for x in args])
        if named:
            key += tuple((name, _kind(x)) for name, x in named.items())
        with self._lock:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = Known(self._step)
                if len(self._known) > PROGRAMS:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(key)
            return known.call(args, named)


def _kind(x: Any) -> Any:
    """What calls must have in common to be the same program."""
    kind = type(x)
    if kind is np.ndarray or isinstance(x, np.generic):
        return x.shape, x.dtype, x.strides, kind
    if kind in (float, complex):
        return kind, repr(x)
    is_dtype = isinstance(x, np.dtype) or (kind is type and x.__module__ in ("builtins", "numpy"))
    if x is None or is_dtype or kind in (bool, int, str, bytes):
        return kind, x
    advice = "let the step find it by its name"
    if kind is tuple:
        advice = "pass its parts, one by one"
    elif isinstance(x, Tensor | list | np.ndarray):
        advice = "pass t.data" if isinstance(x, Tensor) else "pass np.array(x)"
    raise TypeError(
        "a step that replay() repeats takes arrays, and numbers and text that choose a program, "
        f"but not a {kind.__name__}, {reprlib.repr(x)}: {advice}"
    )


class Known:
    """What is known of the calls of a step with arguments of one kind."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self._step = step
        self._replaced_names = 0  # changes of what it finds without a replay in between
        self._rest = 0  # calls to wait
        self._forget()

    def _forget(self) -> None:
        self.program: Program | None = None
        self._surroundings: Surroundings | None = None
        self._problem, self._problems = "", 0  # what the latest runs did; how many in a row
        self._earlier: Run | None = None  # the latest that was recorded
        self._runs = 0  # that were recorded
        self._misses = 0

    def call(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The result of the step: replayed if that is known to be right."""
        if self._rest:  # for what the step finds has changed again and again
            self._rest -= 1
            return self._step(*args, **named)
        if self._surroundings is None or self._surroundings.changed():
            if self._surroundings is not None:
                self._replaced_names += 1
                self._rest = min(2**self._replaced_names, PATIENCE) - 2
            self._forget()
            return self._watch(args, named)
        if self.program is not None:
            return self._replay(self.program, args, named)
        if self._problems == 0:
            return self._record(self._surroundings, args, named)
        if self._problems == 1:
            return self._watch(args, named)
        raise RuntimeError(self._problem)

    def _watch(self, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Run the step as it is. What it does once, as to make a missing layer, is allowed."""
        surroundings = Surroundings(self._step)
        result = self._step(*args, **named)
        self._problem = side_effect(surroundings)
        self._problems = self._problems + 1 if self._problem else 0
        self._surroundings = Surroundings(self._step) if self._problem else surroundings
        return result

    def _record(
        self, surroundings: Surroundings, args: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        if any(not is_numbers(place.get()) for place in surroundings.arrays):
            self._forget()
            return self._watch(args, named)
        may_differ = self._runs < RUNS
        run = Run(self._step, args, named, surroundings, self._earlier, may_differ)
        self._earlier, self._runs = run, self._runs + 1
        if run.program:
            self._prepare(run, run.program)
        return run.give([x._array for x in run.outputs])

    def _prepare(self, run: Run, program: Program) -> None:
        """Note where the numbers of a program come from and go to."""
        traced: list[Any] = [*run.arguments.values(), *run.starts]
        first: dict[int, int] = {}  # positions
        for i, x in enumerate(traced):
            if x is not None:
                first.setdefault(id(x), i)
        used = set(compress(first.values(), program.used))
        self._used = [i in used for i in range(len(traced))]
        self._same = [
            (i, first[id(x)]) for i, x in enumerate(traced) if x is not None and first[id(x)] != i
        ]
        self._args = [key for key in run.arguments if isinstance(key, int)]
        self._named = [key for key in run.arguments if isinstance(key, str)]
        state: State = run.state
        self._cells = [place.get for place in state.cells]
        self._found = [place.get for place in state.found]
        self._settings = [place.get for place in state.settings]
        starts = iter(run.starts)
        self._layouts = [
            x if x is None else x._array.strides for x in islice(starts, len(self._cells))
        ]
        self._kinds = [_kind(x._array) for x in islice(starts, len(self._found))]
        self._types = [type(x._array) for x in starts]
        self._numbers = [leaf for leaf in state.leaves if leaf.ndim == 0]
        skipped = len(run.arguments) + len(state.leaves)  # then come the gradients
        self._replaced = [
            leaf
            for i, leaf in enumerate(state.leaves, skipped)
            if traced[i] is not run.ends[i - len(run.arguments)] and not self._used[i]
        ]
        output = {id(x): i for i, x in enumerate(run.outputs)}
        self._puts = [
            (place.put, None if end is None else output[id(end)])
            for place, start, end in zip(state.places, run.starts, run.ends, strict=True)
            if end is not start
        ]
        self._changes = [
            (leaf, before[0] != after[0], before[1], after[1])
            for leaf, before, after in zip(state.leaves, run.marks, run.marks_after, strict=True)
            if before != after
        ]
        self._give, self.program, self._earlier = run.give, program, None

    def _inputs(self, args: tuple[Any, ...], named: dict[str, Any]) -> list[Any] | None:
        """What the program is given, unless it is of another kind than what was recorded."""
        for leaf in self._numbers if self.program and self.program.writes_outside else ():
            leaf._value = np.asarray(leaf._value)  # so that it can be changed in place
        try:
            cells = [get() for get in self._cells]
            found = [get() for get in self._found]
            settings = [get() for get in self._settings]
            fits = (
                self._layouts == [x if x is None else x.strides for x in cells]
                and self._kinds == [_kind(x) for x in found]
                and self._types == [*map(type, settings)]
            )
        except (LookupError, AttributeError, TypeError):  # something else is there
            return None
        inputs = [args[i] for i in self._args] + [named[name] for name in self._named]
        inputs += cells + found + settings
        return inputs if fits and all(inputs[i] is inputs[j] for i, j in self._same) else None

    def _forget_gradients(self) -> None:
        """Free what the program does not need, and will replace."""
        for leaf in self._replaced:
            leaf._grad = None

    def _replay(self, program: Program, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        inputs = self._inputs(args, named)
        if inputs is None:  # once, or from now on?
            self._misses += 1
            if self._misses > MISSES:
                self._forget()
                return self._watch(args, named)
            return self._step(*args, **named)
        self._misses = self._replaced_names = 0
        try:
            inputs = [self._forget_gradients, *compress(inputs, self._used)]
            outputs = program.run(*inputs)
        except Diverged:
            outputs = None  # checks come before anything has changed
        except (ValueError, LookupError, ArithmeticError, Warning):
            if program.writes_outside:
                raise
            outputs = None
        if outputs is None:
            return self._step(*args, **named)  # which says it better, if something is wrong
        for put, position in self._puts:
            put(None if position is None else outputs[position])
        for leaf, is_changed, passes, later in self._changes:
            if is_changed:
                leaf._time = next(clock)
            leaf._passes = leaf._passes + later - passes if later > passes > 0 else later
        return self._give(outputs)
