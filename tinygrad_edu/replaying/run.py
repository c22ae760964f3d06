"""One recorded run of a step: what it finds, what it leaves behind, if it can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np

from tinygrad_edu import ops
from tinygrad_edu.modes import mode
from tinygrad_edu.replaying.program import Program
from tinygrad_edu.replaying.recording import Recording, Traced, root
from tinygrad_edu.replaying.surroundings import SETTINGS, Place, Surroundings
from tinygrad_edu.tensor import Tensor, as_leaf


class State:
    """The places of the leaves and optimizers that a step finds."""

    def __init__(self, surroundings: Surroundings) -> None:
        leaves, optimizers = surroundings.leaves, surroundings.optimizers
        self.leaves = list(leaves)
        self.cells = [_attribute(leaf, "_value", words) for leaf, words in leaves.items()]
        self.cells += [_gradient(leaf, f"{words}.grad") for leaf, words in leaves.items()]
        self.cells += [
            _entry(sgd._velocity, leaf, f"velocity of {words}")
            for sgd in optimizers
            for leaf, words in leaves.items()
            if any(leaf is p for p in sgd.params)
        ]
        self.found = surroundings.arrays
        self.settings = [_attribute(sgd, name, name) for sgd in optimizers for name in SETTINGS]
        self.places = self.cells + self.found + self.settings

    def get(self) -> tuple[list[Any], list[Any]]:
        """What is at the places, and how often each leaf has changed."""
        marks = [(leaf._time, leaf._passes) for leaf in self.leaves]
        return [place.get() for place in self.places], marks

    def set(self, values: list[Any], marks: list[tuple[int, int]]) -> None:
        """Put back what was there."""
        for place, value in zip(self.places, values, strict=True):
            place.put(value)
        for leaf, (time, passes) in zip(self.leaves, marks, strict=True):
            leaf._time, leaf._passes = time, passes


def _attribute(owner: Any, name: str, words: str) -> Place:
    return Place(words, partial(getattr, owner, name), partial(setattr, owner, name))


def _gradient(leaf: Tensor, words: str) -> Place:
    def put(value: Any) -> None:
        leaf._grad = None if value is None else ops.as_array(value)

    return Place(words, partial(getattr, leaf, "_grad"), put)


def _entry(owner: dict[Any, Any], key: Any, words: str) -> Place:
    def put(value: Any) -> None:
        if value is None:
            owner.pop(key, None)
        else:
            owner[key] = value

    return Place(words, partial(owner.get, key), put)


class Run:
    """A step has been run with what stands for its arrays. After an error all is as before."""

    def __init__(
        self,
        step: Callable[..., Any],
        args: tuple[Any, ...],
        named: dict[str, Any],
        surroundings: Surroundings,
        earlier: Run | None,
        may_differ: bool,
    ) -> None:
        surroundings.start()
        self.state = State(surroundings)
        for leaf in self.state.leaves:
            leaf._value = np.asarray(leaf._value)  # so that it can be changed in place
        values, self.marks = self.state.get()
        self.recording = recording = Recording(surroundings.optimizers)
        pairs: list[tuple[Any, Any]] = [*enumerate(args), *named.items()]
        try:
            recording.lock(surroundings.constants)
            self.starts: list[Any] = [
                None if value is None else recording.source(value, place.words)
                for place, value in zip(self.state.places, values, strict=True)
            ]
            self.arguments: dict[int | str, Traced] = {
                key: recording.source(x, name_of(step, key))
                for key, x in pairs
                if isinstance(x, np.ndarray | np.generic)
            }
            self.state.set(self.starts, self.marks)
            with _watched(recording):
                result = step(
                    *(self.arguments.get(i, x) for i, x in enumerate(args)),
                    **{name: self.arguments.get(name, x) for name, x in named.items()},
                )
            recording.close()
            self._end(result, surroundings, earlier, may_differ)
            self._keep(values)
        except BaseException:
            recording.undo()
            self.state.set(values, self.marks)
            raise

    def _keep(self, values: list[Any]) -> None:
        """Put arrays where there is what stands for them."""
        triples = zip(values, self.starts, self.ends, strict=True)
        now = [
            value if end is start else None if end is None else end._array
            for value, start, end in triples
        ]
        self.state.set(now, self.marks_after)

    def _end(
        self, result: Any, surroundings: Surroundings, earlier: Run | None, may_differ: bool
    ) -> None:
        """Take note of what the step leaves behind; refuse what would not be so in a replay."""
        if self.recording.refused:
            raise self.recording.refused
        if problem := side_effect(surroundings):
            raise RuntimeError(problem)
        self.ends, self.marks_after = self.state.get()
        changed = [
            (place, end)
            for place, start, end in zip(self.state.places, self.starts, self.ends, strict=True)
            if end is not start and end is not None
        ]
        for place, end in changed:
            if type(end) is not Traced or place in self.state.settings:
                raise RuntimeError(
                    f"the step sets {place.words} to a value that it does not compute from arrays "
                    "and parameters, and replay() would not do it again: set it between calls"
                )
        self.program: Program | None = None
        self.outputs = [end for _, end in changed]
        self.give = self._giver(result)
        self.signature = list(self._signature(result))
        difference = "" if earlier is None else _difference(earlier, self)
        if difference and not may_differ:
            raise RuntimeError(difference)
        if earlier is not None and not difference:
            self.program = Program(self.recording, self.sources(), self.outputs)

    def sources(self) -> list[Traced]:
        """What stands for arguments, and for what the step finds; each once."""
        traced = [*self.arguments.values(), *(x for x in self.starts if x is not None)]
        return list({id(x): x for x in traced}.values())

    def _giver(self, result: Any) -> Callable[[Any], Any]:
        """What makes the result of the step from the outputs."""
        place = len(self.outputs)
        if type(result) is Traced:
            self.outputs.append(result)
            return lambda outputs: outputs[place]
        if isinstance(result, Tensor) and any(result is leaf for leaf in self.state.leaves):
            return lambda outputs: result
        if isinstance(result, Tensor) and type(result._value) is Traced:
            self.outputs.append(result._value)
            name = result.name
            return lambda outputs: as_leaf(outputs[place], name)
        if type(result) in (tuple, list):
            parts = [self._giver(part) for part in result]
            kind = type(result)  # to keep the result itself would keep all of the recording
            return lambda outputs: kind(part(outputs) for part in parts)
        if type(result) is dict:
            items = {key: self._giver(part) for key, part in result.items()}
            return lambda outputs: {key: part(outputs) for key, part in items.items()}
        if result is None or isinstance(result, bool | int | float | str | np.generic):
            return lambda outputs: result
        raise RuntimeError(
            f"the step returns {type(result).__name__}, and replay() can give back Tensors and "
            "arrays that are computed from arguments and parameters, and numbers, alone or in "
            "tuples, lists and dictionaries: return the loss"
        )

    def _signature(self, result: Any) -> Iterator[tuple[str, Any]]:
        numbers: dict[int, Any] = {id(x): i for i, x in enumerate(self.starts) if x is not None}
        numbers |= {id(x): key for key, x in self.arguments.items()}
        numbers |= {id(x): x._array.tobytes() for x in self.recording.adopted}

        def sign(x: Any) -> Any:
            if type(x) is Traced:
                return "traced", numbers.setdefault(id(x), f"t{len(numbers)}")
            if isinstance(x, np.ndarray):
                return id(root(x)), x.__array_interface__["data"], x.shape, x.strides
            if type(x) in (tuple, list):
                return type(x), tuple(map(sign, x))
            if type(x) is dict:
                return tuple((key, sign(value)) for key, value in x.items())
            if type(x) is slice:
                return slice, sign(x.start), sign(x.stop), sign(x.step)
            if isinstance(x, Tensor):
                return sign(x._value)
            return type(x), repr(x) if isinstance(x, float | np.generic) else x

        for call in self.recording.calls:
            layout = None
            if call.result is not None:
                layout = call.result.shape, call.result.dtype.name, call.result._array.strides
            operands = [sign(x) for x in (call.args, call.kwargs, call.out, call.result)]
            yield call.words, (layout, call.function, operands, call.truth, call.errstate)
        changes = [was[0] != now[0] for was, now in zip(self.marks, self.marks_after, strict=True)]
        yield "what the step leaves behind", (sign(self.ends), sign(result), changes)


def name_of(step: Any, position: int | str) -> str:
    """What an argument is called in the step."""
    if isinstance(position, str):
        return position
    code = getattr(getattr(step, "__func__", step), "__code__", None)
    position += hasattr(step, "__self__")
    if code is None or position >= code.co_argcount:
        return f"argument {position}"
    return str(code.co_varnames[position])


def side_effect(surroundings: Surroundings) -> str:
    """What a step has done that a replay would not do again, or nothing."""
    if drawn := surroundings.drawn():
        return (
            f"the step draws random numbers from {drawn}, and replay() would repeat the first: "
            "draw them before, and pass them to the step as an argument"
        )
    if changed := surroundings.changed():
        return (
            f"the step changes {changed}, and replay() repeats nothing but calls of NumPy: return "
            "what you want to keep from the step, and keep it after the call"
        )
    return ""


def _difference(first: Run, second: Run) -> str:
    """How two runs of one step differ, or nothing."""
    for array in second.recording.originals:
        if any(root(array) is root(other) for other in first.recording.originals):
            return (
                f"the step computes with an array of shape {array.shape} that lies where replay() "
                "does not look, and would not see it change: pass it to the step as an argument"
            )
    end: tuple[str, Any] = ("its end", None)
    for (words, sign), (later, other) in zip_longest(
        first.signature, second.signature, fillvalue=end
    ):
        if sign != other:
            what = f"{words} is given other numbers" if words == later else f"{words}, then {later}"
            if words == later and sign and other and sign[0] and sign[0] != other[0]:
                what = f"{words} gives {sign[0][:2]}, and then {other[0][:2]}"
            return (
                f"two runs of the step differ: {what}. Only what NumPy computes from arguments and "
                "parameters is repeated by replay(): pass what changes to the step as an array"
            )
    return ""


@contextmanager
def _watched(watcher: Any) -> Iterator[None]:
    paused, watchers, scopes = mode.get()
    token = mode.set((paused, (*watchers, watcher), scopes))
    try:
        yield
    finally:
        mode.reset(token)
