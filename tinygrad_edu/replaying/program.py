"""From the calls of a recording to a Python function that makes only those that matter."""

from __future__ import annotations

import itertools
import keyword
import linecache
import operator
import re
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu import ops
from tinygrad_edu.replaying.recording import (
    Call,
    Method,
    Recording,
    Traced,
    is_at_once,
    is_ufunc,
    parts_in,
    power,
    root,
)

COPIES = {Method("copy"), Method("astype"), np.copy}
# Functions of two arrays of one dtype, which take a number faster if it is such an array, too.
OF_TWO = {np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.equal}
OF_TWO |= {np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal}
OPERATORS: dict[Any, str] = {np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}"}
OPERATORS |= {np.divide: "{} / {}", np.negative: "-{}", np.absolute: "abs({})"}
OPERATORS |= {np.less: "{} < {}", np.less_equal: "{} <= {}", np.equal: "{} == {}"}
OPERATORS |= {np.greater: "{} > {}", np.greater_equal: "{} >= {}", np.not_equal: "{} != {}"}
_numbers = itertools.count()


class Diverged(Exception):  # noqa: N818 (it is no error: the step is then run as it is)
    """A check has another outcome than when it was recorded."""


class Program:
    """The calls of a recording as a function, which computes outputs from sources.

    Results that stay inside are put into arrays that are made once; those whose time does not
    overlap share memory. The outputs are new.
    """

    def __init__(self, recording: Recording, sources: list[Traced], outputs: list[Traced]) -> None:
        writer = Writer(recording, sources, outputs)
        self.used = writer.used  # for each source, whether it is passed
        self.source = writer.source
        self.writes_outside = writer.writes_outside
        file = f"<replayed step {next(_numbers)}>"
        linecache.cache[file] = (len(self.source), None, self.source.splitlines(True), file)
        weakref.finalize(self, linecache.cache.pop, file, None).atexit = False
        exec(compile(self.source, file, "exec"), writer.space)  # names and calls only
        self.run: Callable[..., tuple[Any, ...]] = writer.space["step"]


class Writer:
    """Writes the text of a program, and the things that it names."""

    def __init__(self, recording: Recording, sources: list[Traced], outputs: list[Traced]) -> None:
        calls = recording.calls
        self.space: dict[str, Any] = {"Diverged": Diverged, "errstate": np.errstate}
        self._taken = {*self.space, "step", "forget", "abs"}
        self._own = recording.own
        self._names = {id(source): self._name(source._what) for source in sources}
        self._functions: dict[Any, str] = {}
        self._fixed: dict[int, Any] = {}  # arrays that are always at the same place
        self._constant: set[int] = set()  # results that depend on nothing from outside
        self._checked: set[str] = set()
        self._free: dict[int, list[Any]] = {}  # memory to use again, by size
        self._lines: list[str] = []
        self._comments: list[str] = []  # to the next line
        self._checks_end = 0  # the line after the last check
        self._first_new = 0  # the line that makes the first array that leaves
        self._new = {_memory(x) for x in outputs}  # memory that leaves the program
        self._same = _copies(calls, self._new, recording.own)
        parameters = list(self._names.values())
        for x in recording.adopted:
            self._names[id(x)] = self._name("c0")
            self._constant.add(id(x))
            self._fix(x, x._array)
        outputs = [self._original(x) for x in outputs]
        self._written = {_memory(call.out) for call in calls if call.out is not None}
        self.writes_outside = bool(self._written - recording.own.keys())
        calls = self._needed(calls, outputs)
        calls.sort(key=lambda call: not is_at_once(call))
        used = {id(x) for call in calls for x in self._operands(call)} | {id(x) for x in outputs}
        self.used = [id(source) in used for source in sources]
        self._write_all(calls)
        self._lines.insert(max(self._checks_end, self._first_new), "    forget()  # old gradients")
        self._line(f"return ({''.join(f'{self._names[id(x)]}, ' for x in outputs)})", {})
        head = f"def step({', '.join(['forget', *itertools.compress(parameters, self.used)])}):"
        self.source = "\n".join([head, *self._lines, ""])

    def _original(self, x: Traced) -> Traced:
        """What ``x`` is a copy of that is not needed."""
        while id(x) in self._same:
            x = self._same[id(x)]
        return x

    def _operands(self, call: Call) -> list[Traced]:
        operands = [*parts_in(call.args, Traced), *parts_in(call.kwargs, Traced)]
        return [
            self._original(x) for x in (*operands, *([call.out] if call.out is not None else []))
        ]

    def _needed(self, calls: list[Call], outputs: list[Traced]) -> list[Call]:
        """Checks, what the outputs come from, and what is written to arrays from outside."""
        alive, memory = {id(x) for x in outputs}, {_memory(x) for x in outputs}
        needed = []
        for call in reversed(calls):
            if not call.is_sized:
                wanted = True  # the step may have asked for the shape
            elif call.result is not None:
                wanted = id(call.result) in alive and id(call.result) not in self._same
            else:
                out = None if call.out is None else _memory(call.out)
                wanted = call.truth is not None or out in memory or out not in self._own
            if wanted:
                needed.append(call)
                alive |= {id(x) for x in self._operands(call)}
                memory |= {_memory(x) for x in self._operands(call)}
        return needed[::-1]

    def _write_all(self, calls: list[Call]) -> None:
        last = {}  # the call after which nobody needs this memory
        for i, call in enumerate(calls):
            for x in (*self._operands(call), call.result):
                if x is not None:
                    last[_memory(x)] = i
        blocks: dict[int, Any] = {}
        self._heirs = self._find_heirs(calls, last)
        for i, call in enumerate(calls):
            ending = {_memory(x) for x in self._operands(call) if last[_memory(x)] == i}
            if is_elementwise(call.function):  # the result may be put where an operand is
                self._release(blocks, ending)
            self._write(call, blocks)
            self._release(blocks, ending)

    def _find_heirs(self, calls: list[Call], last: dict[int, int]) -> dict[int, Traced]:
        """Outputs that are put where an operand is that nobody needs after it."""
        made, heirs = {}, {}
        for i, call in enumerate(calls):
            result = call.result
            if result is None or not is_ufunc(call.function) or call.kwargs:
                continue
            if _memory(result) not in self._new:
                made[_memory(result)] = result
            elif is_elementwise(call.function):
                for x in self._operands(call) if isinstance(result._array, np.ndarray) else ():
                    if made.get(_memory(x)) is x and last[_memory(x)] == i and _alike(x, result):
                        heirs[id(result)] = heirs[id(x)] = x
        return heirs

    def _release(self, blocks: dict[int, Any], ending: set[int]) -> None:
        for memory in ending & blocks.keys():
            block = blocks.pop(memory)
            self._free.setdefault(block.nbytes, []).append(block)

    def _write(self, call: Call, blocks: dict[int, Any]) -> None:
        """The line for a call, unless it can be made now, once and for all."""
        operands = self._operands(call)
        if call.truth is not None:
            condition = self._names[id(operands[0])]
            if condition in self._checked:
                return
            if _memory(operands[0]) not in self._written:
                self._checked.add(condition)
            self._line(f"if {'not ' * call.truth}{condition}: raise Diverged", {})
            return
        if call.result is None:
            self._line(self._text(call, self._args(call)), call.errstate)
            return
        result = call.result
        name = self._names[id(result)] = self._name(f"t{len(self._names)}")
        memory = _memory(result)
        is_kept = memory in self._new or memory in self._written
        arrays = [*parts_in(call.args, np.ndarray), *parts_in(call.kwargs, np.ndarray)]
        if not arrays and not is_kept:
            if all(id(x) in self._constant for x in operands):
                self._constant.add(id(result))
                self._fix(result, result._array)
                return
            if call.is_view and self._is_fixed_view(operands):
                self._fix(
                    result, call.function(*self._bound(call.args), **self._bound(call.kwargs))
                )
                return
        args, heir = self._args(call), self._heirs.get(id(result))
        if heir is not None and id(heir) in self._fixed:
            heir = None
        array = result._array
        is_kept_inside = memory not in self._new and heir is None
        if is_ufunc(call.function) and is_kept_inside and isinstance(array, np.ndarray):
            free = self._free.get(array.nbytes)
            block = blocks[memory] = free.pop() if free else np.empty(array.nbytes, np.uint8)
            self._fix(result, np.ndarray(array.shape, array.dtype, block, 0, array.strides))
            self._line(self._text(call, args, name), call.errstate)
            return
        if memory in self._new and array.ndim and not self._first_new:
            self._first_new = len(self._lines)
        place = "" if heir is None or heir is result else self._names[id(heir)]
        self._line(f"{name} = {self._text(call, args, place)}", call.errstate)
        if not call.is_sized:
            self._line(f"if {name}.shape != {result.shape}: raise Diverged", {})

    def _is_fixed_view(self, operands: list[Traced]) -> bool:
        """Whether it is always the same part of an array that is always at the same place."""
        return id(operands[0]) in self._fixed and all(id(x) in self._constant for x in operands[1:])

    def _fix(self, x: Traced, array: Any) -> None:
        self._fixed[id(x)] = self.space[self._names[id(x)]] = array

    def _bound(self, value: Any) -> Any:
        if type(value) is Traced:
            return self._fixed[id(self._original(value))]
        if type(value) in (tuple, list):
            return type(value)(map(self._bound, value))
        if type(value) is dict:
            return {key: self._bound(v) for key, v in value.items()}
        return value

    # Python text.

    def _line(self, text: str, errstate: dict[str, str]) -> None:
        if errstate:
            settings = ", ".join(f"{key}={value!r}" for key, value in errstate.items())
            text = f"with errstate({settings}): {text}"
        comment = f"  # {', '.join(self._comments)}" if self._comments else ""
        self._comments.clear()
        self._lines.append(f"    {text}{comment}")
        if text.endswith("raise Diverged"):
            self._checks_end = len(self._lines)

    def _args(self, call: Call) -> tuple[Any, ...]:
        """Arguments; numbers beside an array of floats as arrays, which NumPy takes faster."""
        if call.function not in OF_TWO or call.kwargs:
            return call.args
        dtypes = {x.dtype for x in call.args if isinstance(x, np.ndarray | np.generic)}
        if len(dtypes) != 1 or _of_numbers(call):
            return call.args
        dtype = dtypes.pop()
        return tuple(np.array(x, dtype) if _is_taken_as(x, dtype) else x for x in call.args)

    def _text(self, call: Call, args: tuple[Any, ...], out: str = "") -> str:
        function = call.function
        if function in (operator.getitem, operator.setitem):
            index = args[1] if type(args[1]) is tuple else (args[1],)
            item = f"{self._value(args[0])}[{', '.join(map(self._index, index)) or '()'}]"
            return item if function is operator.getitem else f"{item} = {self._value(args[2])}"
        if call.out is not None and is_ufunc(function):
            out = self._value(call.out)
        words = list(map(self._value, args))
        if function is power:
            return f"{words[0]}{'' if args[0].ndim else '[()]'} ** {words[1]}"
        if not out and not call.kwargs and function in OPERATORS and _of_numbers(call):
            return OPERATORS[function].format(*words)  # ten times as fast
        for key, x in call.kwargs.items():
            if key != "keepdims" or x is not False:
                words.append(f"{key}={self._value(x)}")
        if out:
            words.append(f"out={out}")
        if isinstance(function, Method):
            return f"{words[0]}.{ops.name(function)}({', '.join(words[1:])})"
        return f"{self._function(function)}({', '.join(words)})"

    def _function(self, function: Any) -> str:
        owner = getattr(function, "__self__", None)
        name = ops.name(function)
        if isinstance(owner, np.ufunc):
            name = f"{ops.name(owner)}_{name}"
        if function not in self._functions:
            self._functions[function] = name = self._name(name)
            self.space[name] = function
        return self._functions[function]

    def _index(self, part: Any) -> str:
        if type(part) is not slice:
            return self._value(part)
        ends = ["" if x is None else self._value(x) for x in (part.start, part.stop)]
        return ":".join(ends + ([] if part.step is None else [self._value(part.step)]))

    def _value(self, x: Any) -> str:
        if type(x) is Traced:
            return self._names[id(self._original(x))]
        if type(x) is tuple:
            return f"({''.join(f'{self._value(v)}, ' for v in x)})"
        if type(x) is list:
            return f"[{', '.join(map(self._value, x))}]"
        if x is None or type(x) in (bool, int, str) or (type(x) is float and np.isfinite(x)):
            return repr(x)
        name = self._name(f"c{len(self.space)}")
        self.space[name] = x
        if isinstance(x, np.ndarray) and x.ndim == 0:
            self._comments.append(f"{name} = {x}")
        return name

    def _name(self, words: str) -> str:
        """An identifier that nothing else has."""
        name = re.sub(r"\W+", "_", words).strip("_")
        while name in self._taken or not name.isidentifier() or keyword.iskeyword(name):
            name = f"_{name}"
        self._taken.add(name)
        return name


def _of_numbers(call: Call) -> bool:
    """Whether it computes a number of NumPy from such."""
    return isinstance(getattr(call.result, "_array", None), np.generic) and all(
        np.ndim(x._array) == 0 for x in parts_in(call.args, Traced)
    )


def _is_taken_as(x: Any, dtype: Any) -> bool:
    """Whether NumPy takes a number of Python for one of this dtype."""
    if dtype.kind == "i" and type(x) is int:
        return bool(np.iinfo(dtype).min <= x <= np.iinfo(dtype).max)
    return dtype.kind == "f" and type(x) in (int, float)


def is_elementwise(function: Any) -> bool:
    """Whether each element of the result comes from the elements at its place."""
    return isinstance(function, np.ufunc) and function.signature is None


def _alike(x: Traced, y: Traced) -> bool:
    return (x.shape, x.dtype, x._array.strides) == (y.shape, y.dtype, y._array.strides)


def _memory(x: Traced) -> int:
    return id(root(x._array))


def _copies(calls: list[Call], new: set[int], own: dict[int, Any]) -> dict[int, Traced]:
    """Results that are copies, and need not be made, for neither they nor the originals change.

    Where a copy would leave the program, its original does, and is added to what is new.
    """
    written = {_memory(call.out) for call in calls if call.out is not None}
    writes_outside = bool(written - own.keys())  # which may be what another argument is, too
    made = {
        _memory(call.result)
        for call in calls
        if call.result is not None
        and not call.is_view
        and any(True for _ in parts_in(call.args, Traced))
    }
    same: dict[int, Traced] = {}
    for call in calls:
        if call.function not in COPIES or call.result is None or not call.args:
            continue
        copy, original = call.result, call.args[0]
        if type(original) is not Traced or copy.dtype != original.dtype:
            continue
        if copy._array.strides != original._array.strides:
            continue
        if written & {_memory(copy), _memory(original)}:
            continue
        if writes_outside and _memory(original) not in own:
            continue
        if _memory(copy) in new:  # then the original leaves the program in its place
            if _memory(original) in new or _memory(original) not in made:
                continue
            new.add(_memory(original))
        same[id(copy)] = original
    return same
