"""From the lines of a traced function to the text of one Python function, and its memory.

Results that stay inside the program are put into buffers that are made once, and used again when a
result is no longer needed. What leaves the program is new, in each call. All that changes, changes
at the end, at once.
"""

import keyword
import linecache
import os
import unicodedata
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, repeat
from math import isfinite
from operator import is_
from typing import Any

import numpy as np

from tinygrad_edu import errors, kernels, ops, refusals_of_jit
from tinygrad_edu.backprop import Node, changing, clock, plain
from tinygrad_edu.kernels import quick
from tinygrad_edu.rewrites import (
    Rewriting,
    add_at,
    by_columns,
    called,
    is_array,
    is_basic,
    is_elementwise_ufunc,
)
from tinygrad_edu.tensor import Tensor
from tinygrad_edu.tracing import (
    INPUTS,
    Change,
    Line,
    Trace,
    data_of,
    each,
    gradient_of,
    lines_in,
    setting_of,
    value_of,
)

# These may give a view of their first argument; how they are written, if not as a call.
VIEWS: dict[Any, str] = {
    np.reshape: "{0}.reshape({shape})",
    np.transpose: "{0}.transpose({axes})",
    ops.getitem: "{0}[{index}]",
    data_of: "{0}._value",
    gradient_of: "{0}._grad",
    **dict.fromkeys([np.broadcast_to, ops.broadcast, np.squeeze, np.swapaxes, np.expand_dims], ""),
    **dict.fromkeys([np.ravel, np.flip, np.astype, np.diagonal], ""),
}
# What always gives a new array, where it is no view; and so do ufuncs.
NEW = {
    *(np.where, np.sum, np.mean, np.max, np.min, np.cumsum, np.concatenate, np.stack, np.copy),
    *(np.argmax, np.argmin, np.sort, np.argsort, np.dot),
    *(ops.getitem, ops.sigmoid, ops.softplus, ops.scatter, ops.concatenate),
    *(kernels.getitem, by_columns, add_at),
}
INFIX = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", pow: "**"}
INFIX |= {quick[op]: sign for op, sign in INFIX.items() if op in quick}  # of Python's numbers


def is_reduction(op: Any) -> bool:
    """Whether it is such as ``np.add.reduce``."""
    return isinstance(getattr(op, "__self__", None), np.ufunc)


def is_view(line: Line) -> bool:
    """Whether the result may be in the memory of the first argument."""
    if line.op is ops.getitem:
        return is_basic(line.params["index"])
    return line.op in VIEWS


def takes_out(line: Line) -> bool:
    """Whether what is called puts its result into an array that it is given."""
    if line.op in (ops.sigmoid, ops.softplus):
        in_order = all(np.asarray(value_of(x)).flags.c_contiguous for x in (line, *line.args))
        return line.value.dtype.char in "fd" and in_order
    return isinstance(line.op, np.ufunc) or is_reduction(line.op)


def is_product(line: Line) -> bool:
    """Whether ``a.dot(b, out)`` does what ``np.matmul`` does, and faster: 0.09."""
    values = [value_of(x) for x in (*line.args, line)]
    return (
        line.op is np.matmul
        and not line.params
        and all(isinstance(x, np.ndarray) and x.ndim in (1, 2) for x in values[:2])
        and len({x.dtype.char for x in values}) == 1
        and values[0].dtype.char in "fd"
        and all(x.flags.c_contiguous or x.flags.f_contiguous for x in values[:2])
        and (np.ndim(values[2]) == 0 or values[2].flags.c_contiguous)
    )


class Memory:
    """The memory of results: who shares it, and buffers that are used again.

    ``leaving``: the operands that others get.
    """

    def __init__(self, lines: list[Line], leaving: list[Any]) -> None:
        self.roots: dict[Line, set[Line]] = {}  # whose memory a result may be in
        for line in lines:
            self.roots[line] = self._roots(line)
        self._last: dict[Line, int] = {}  # the last line that uses the memory of a line
        for i, line in enumerate(lines):
            for x in line.operands():
                for root in self.roots.get(x, ()):
                    self._last[root] = i
        # What leaves is new in each call, and so is whatever may be in one memory with it.
        self._leaving = {root for x in lines_in(leaving) for root in self.roots.get(x, ())}
        self._free: dict[int, list[Any]] = {}  # blocks to use again, by their size
        self._used: dict[Line, Any] = {}
        self._places: dict[Any, Any] = {}  # arrays in blocks, by block, shape, dtype and order
        self.arrays: dict[Line, Any] = {}  # of results that are always in the same place

    def _roots(self, line: Line) -> set[Line]:
        if is_view(line):
            base = line.args[0]
            return self.roots.get(base, {base}) if isinstance(base, Line) else {line}
        if line.op in NEW or isinstance(line.op, np.ufunc) or is_reduction(line.op):
            return {line}
        # Any other function may give an argument back.
        return {line}.union(*(self.roots.get(x, {x}) for x in line.operands()))

    def place(self, line: Line) -> Any:
        """An array for a result that stays inside; None for others."""
        x = line.value
        if self.roots[line] != {line} or line in self._leaving or np.ndim(x) == 0:
            return None
        free = self._free.get(x.nbytes)
        block = free.pop() if free else np.empty(x.nbytes, np.uint8)
        self._used[line] = block
        strides = np.empty_like(x).strides
        key = id(block), x.shape, x.dtype, strides
        if key not in self._places:
            self._places[key] = np.ndarray(x.shape, x.dtype, block, 0, strides)
        self.arrays[line] = self._places[key]
        return self.arrays[line]

    def release(self, i: int, operands: Iterable[Line]) -> None:
        """Free the memory of those that the i-th line is the last to use."""
        for x in operands:
            for root in self.roots.get(x, ()):
                if self._last[root] == i and root in self._used:
                    block = self._used.pop(root)
                    self._free.setdefault(block.nbytes, []).append(block)


class Names:
    """The names in a program, and what they stand for."""

    NUMBERED = ("t", "c", "buffer", "view")  # results, constants, memory and views of it

    def __init__(self, known: dict[int, str]) -> None:
        self.space: dict[str, Any] = {"__builtins__": {}, "array": np.array, "asarray": np.asarray}
        self._known = known  # the names that the user has given, by ids
        self._names: dict[Any, str] = {id(np.array): "array", id(np.asarray): "asarray"}
        self._counts: dict[str, int] = {}  # of the names that are given, how often

    def new(self, hint: str) -> str:
        """A name that nothing has yet."""
        hint = unicodedata.normalize("NFKC", hint)  # as Python does with names
        word = "".join(c if f"x{c}".isidentifier() else "_" for c in hint).strip("_")
        word = word if word.isidentifier() and not keyword.iskeyword(word) else f"x{word}"
        is_numbered = word in self.NUMBERED
        name = word
        while name in self.space or name in self._counts or name in self.NUMBERED:
            self._counts[word] = self._counts.get(word, -1 if is_numbered else 1) + 1
            name = f"{word}{'' if is_numbered else '_'}{self._counts[word]}"
        self._counts.setdefault(name, 1)
        return name

    def of_leaf(self, leaf: Any) -> str:
        """What the user calls a leaf or another object."""
        return getattr(leaf, "name", None) or self._known.get(id(leaf), "leaf")

    def of(self, x: Any, hint: str = "") -> str:
        """The name of an object: a constant, a buffer, a leaf, a function."""
        key: Any = (id(x.__self__), x.__name__) if is_reduction(x) else id(x)
        if key not in self._names:
            name = self.new(hint or self._hint(x))
            self._names[key] = name
            self.space[name] = x
        return self._names[key]

    def _hint(self, x: Any) -> str:
        if isinstance(x, Tensor):
            return f"{self.of_leaf(x)}_leaf"
        if isinstance(x, np.dtype):
            return x.name
        if isinstance(x, np.ndarray | np.generic | int | float):
            return "c" if np.ndim(x) else f"number_{x:g}"
        return ops.name(x) if callable(x) else type(x).__name__

    def bind(self, x: Any, name: str) -> str:
        """From here on, ``x`` has this name, which the program itself binds."""
        self._names[id(x)] = name
        return name

    def word(self, x: Any) -> str:
        """An operand as text."""
        if type(x) in (tuple, list):
            words = ", ".join(map(self.word, x))
            return f"[{words}]" if type(x) is list else f"({words}{',' * (len(x) == 1)})"
        if type(x) is slice:
            ends = (x.start, x.stop, x.step)
            return f"{self.of(slice)}({', '.join(map(self.word, ends))})"
        if x is None or type(x) in (bool, int, str) or (type(x) is float and isfinite(x)):
            return repr(x)
        return self.of(x)


class Text:
    """The lines of a program as text, and what is known while they are written."""

    def __init__(self, names: Names, memory: Memory) -> None:
        self._names = names
        self._memory = memory
        self._owned: set[Line] = set()  # what has left already
        self._gradients: dict[Tensor, str] = {}  # those from before the call, that are read

    def body(self, lines: list[Line]) -> Iterator[str]:
        """The lines that compute, and headings of the parts."""
        memory = self._memory
        part = ""
        for i, line in enumerate(lines):
            if line.part != part:
                part = line.part
                yield f"# {part}"
            if is_elementwise_ufunc(line.op):  # its result may be put where an operand is
                memory.release(i, line.operands())
            elif line.op is add_at:
                memory.release(i, lines_in(line.args[:1]))
            text = self._text(line)
            memory.release(i, line.operands())
            quiet = ", ".join(f"{kind}={how!r}" for kind, how in line.quiet)
            if text:
                yield f"with {self._names.of(np.errstate)}({quiet}): {text}" if quiet else text

    def _text(self, line: Line) -> str:
        op, args, params = line.op, line.args, line.params
        words = [self._names.word(x) for x in args] if op not in INPUTS else []
        if line.value is None:
            return self._call(op, words, params)
        if is_view(line) and self._is_static(line):
            return ""
        if op is setting_of:
            return (
                f"{self._name(line, args[1])} = {self._names.of(args[0], 'settings')}[{args[1]!r}]"
            )
        if op in (data_of, gradient_of):
            hint = self._names.of_leaf(args[0]) + ("_grad" if op is gradient_of else "")
            name = self._name(line, hint)
            if op is gradient_of:
                self._gradients[args[0]] = name
            return f"{name} = {VIEWS[op].format(self._names.of(args[0]))}"
        if VIEWS.get(op):
            return f"{self._name(line)} = {self._view(line, words)}"
        if op in INFIX and (op is pow or not any(map(is_array, (line, *args)))) and not params:
            words = [f"({word})" if word[0] == "-" else word for word in words]  # (-2.0) ** x
            return f"{self._name(line)} = {f' {INFIX[op]} '.join(words)}"
        if op is by_columns or op is add_at:
            return self._written(line, words)
        named = dict(params)
        place = self._memory.place(line) if takes_out(line) else None
        if place is not None:
            named["out"] = place
            self._names.of(place, "buffer")
        if is_product(line):
            out = [self._names.of(place)] if place is not None else []
            return f"{self._name(line)} = {words[0]}.dot({', '.join([words[1], *out])})"
        call = self._call(op, words, named)
        if not errors.is_numpys(op):  # what a user has written
            call = f"{self._names.of(as_before)}({call}, {np.shape(line.value)})"
        return f"{self._name(line)} = {call}"

    def _is_static(self, line: Line) -> bool:
        """Whether it is a view in a buffer, which is made here, once."""
        memory, source = self._memory, line.args[0]
        if source not in memory.arrays or any(lines_in((line.args[1:], line.params))):
            return False
        whole = memory.arrays[source]
        array = called(line.op, line.params)(whole, *line.args[1:], **line.params)
        if not np.may_share_memory(array, whole):
            return False
        memory.arrays[line] = array
        self._names.bind(line, self._names.of(array, "view"))
        return True

    def _written(self, line: Line, words: list[str]) -> str:
        """A copy that is written to, in its place if it has one."""
        memory = self._memory
        place = memory.place(line)
        source = memory.arrays.get(line.args[0]) if isinstance(line.args[0], Line) else None
        name = self._name(line)
        made = f"{name} = {words[0]}.copy({'F' if line.op is by_columns else 'C'!r})"
        if place is not None:
            word = self._names.of(place, "buffer")
            is_there = source is not None and _is_same_place(source, place)
            copy = "" if is_there else f"; {self._names.of(np.copyto)}({word}, {words[0]})"
            made = f"{name} = {word}{copy}"
        return made if line.op is by_columns else f"{made}; {name}[{words[2]}] += {words[1]}"

    def _view(self, line: Line, words: list[str]) -> str:
        params = {key: self._names.word(x) for key, x in line.params.items()}
        if line.params.get("axes") is None:
            params["axes"] = ""
        return VIEWS[line.op].format(*words, **params)

    def _call(self, op: Any, words: list[str], params: Any) -> str:
        words = [*words, *(f"{key}={self._names.word(x)}" for key, x in params.items())]
        return f"{self._names.of(called(op, params))}({', '.join(words)})"

    def leaving(self, x: Any, is_array: bool) -> str:
        """What leaves the program, as text: a copy, where others have it, too."""
        if x is None:
            return "None"
        word = self._names.word(x)
        value = value_of(x)
        is_computed = isinstance(x, Line) and x.op not in INPUTS
        if np.ndim(value) == 0:
            if is_array:
                return f"array({word})"
            is_number = is_computed and isinstance(value, np.generic)
            return word if is_number else f"asarray({word})[()]"
        is_new = is_computed and self._memory.roots.get(x) == {x}
        if is_new and x not in self._owned:
            self._owned.add(x)
            return word
        return f"array({word})"

    def changes(self, changes: list[Change], words: list[str]) -> Iterator[str]:
        """All that changes, changes at once: nothing can fail or be interrupted in between."""
        if not changes:
            return
        assign = self._names.of(assigner(changes, [*self._gradients]), "assign")
        yield "# nothing has changed so far; now everything does, at once"
        yield f"{'is_done = ' if self._gradients else ''}{assign}("
        for change, word in zip(changes, words, strict=True):
            name = "".join(c for c in self._names.of_leaf(change.leaf) if c.isprintable())
            yield f"    {word},  # {name}.{change.what}"
        if not self._gradients:
            yield ")"
            return
        yield f"    before=({', '.join(self._gradients.values())},),"
        yield ")"
        yield "if not is_done:  # another thread has changed a gradient that this adds to"
        yield "    return None"

    def _name(self, line: Line, hint: str = "t") -> str:
        return self._names.bind(line, self._names.new(hint))


class Program:
    """A trace as a Python function: ``run`` it, or read its ``source``.

    ``run`` gives a list of the results and then of the slopes, or None where a gradient that it has
    added to was changed by another thread meanwhile: then nothing has changed, and it is run again.
    ``lines`` are those before buffers are planned, of which ``value`` is the shape and the dtype.
    """

    def __init__(self, trace: Trace, title: str, arguments: list[str], names: Names, exact: bool):
        operands = [result.operand for result in trace.results]
        operands += trace.slopes.values()
        returned = len(operands)
        operands += [change.operand for change in trace.changes]
        # Whether each is an array even if it is a single number.
        arrays = [result.is_array for result in trace.results] + [False] * len(trace.slopes)
        arrays += [change.what == "grad" for change in trace.changes]
        rewriting = Rewriting(trace, operands, exact)
        self.lines = rewriting.lines
        title = names.new(title.replace("<lambda>", "program"))
        parameters = [names.new(name) for name in arguments]
        written = [f"def {title}({', '.join(parameters)}):"]
        by_name = dict(zip(arguments, parameters, strict=True))
        for line in trace.arguments:
            names.bind(line, by_name[line.name])
        text = Text(names, Memory(rewriting.lines, rewriting.leaving))
        written += text.body(rewriting.lines)
        words = list(map(text.leaving, rewriting.leaving, arrays))
        written += text.changes(trace.changes, words[returned:])
        written.append(f"return [{', '.join(words[:returned])}]\n")
        self.source = "\n    ".join(written)
        self.run: Callable[..., list[Any] | None] = compiled(self.source, title, names.space)
        results = rewriting.leaving[: len(trace.results)]
        ends = [(f"result_{i}" if len(results) > 1 else "result", x) for i, x in enumerate(results)]
        for change, x in zip(trace.changes, rewriting.leaving[returned:], strict=True):
            ends.append((f"{names.of(change.leaf).removesuffix('_leaf')}.{change.what}", x))
        self._ends = [(name, x) for name, x in ends if isinstance(x, Line)]
        self._arguments = trace.arguments
        inputs = [line for line in self.lines if line.op in INPUTS]
        self._given = {line: names.of(line) for line in (*trace.arguments, *inputs)}
        for line in (*trace.arguments, *self.lines):
            if line.value is not None:  # the numbers are of the run that was traced
                line.value = each(_described, line.value)

    def graph(self, values: list[Any]) -> dict[str, Tensor]:
        """What a call computes from arrays: the results of the lines, as a graph to look at."""
        nodes: dict[Line, Any] = {}
        for line, value in zip(self._arguments, values, strict=True):
            nodes[line] = _leaf(value, self._given[line])
        for line in self.lines:
            if line.op in INPUTS:
                nodes[line] = _leaf(line.op(*line.args), self._given[line])
                nodes[line]._requires_grad = getattr(line.args[0], "requires_grad", False)
            elif line.value is not None:
                operands = line.args, line.params
                args, params = each(lambda x: nodes[x] if isinstance(x, Line) else x, operands)
                with np.errstate(all="ignore"):
                    call = called(line.op, params)
                    value = call(*each(plain, args), **each(plain, params))
                nodes[line] = Tensor.__new__(Tensor)
                Node.__init__(nodes[line], value, next(clock), line.op, args, params)
        return {name: nodes[x] for name, x in self._ends}


def _leaf(value: Any, name: str) -> Tensor:
    leaf = Tensor.__new__(Tensor)
    Node.__init__(leaf, value, next(clock))
    leaf.name = name
    return leaf


def as_before(value: Any, shape: tuple[int, ...]) -> Any:
    """The result of an operation of one's own, whose shape must not depend on numbers."""
    if np.shape(value) != shape:
        raise refusals_of_jit.sized_by_numbers(f"a result that was {shape}, and is {value.shape},")
    return value


def _described(value: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    return np.shape(value), np.asarray(value).dtype


def _is_same_place(a: Any, b: Any) -> bool:
    place = [(x.__array_interface__["data"], x.shape, x.strides, x.dtype) for x in (a, b)]
    return place[0] == place[1]


def assigner(changes: list[Change], read: list[Any]) -> Callable[..., bool]:
    """A function that changes leaves, unless the gradient of a leaf in ``read`` is another now."""
    moved = [change.leaf for change in changes if change.what == "data"]
    graded = [change for change in changes if change.what == "grad"]
    leaves = [change.leaf for change in graded]

    def assign(*values: Any, before: tuple[Any, ...] = ()) -> bool:
        with changing:
            if before and not all(map(is_, [leaf._grad for leaf in read], before)):
                return False
            every = chain(
                map(setattr, moved, repeat("_value"), values),
                map(setattr, moved, repeat("_lent"), repeat(None)),
                map(setattr, moved, repeat("_time"), repeat(next(clock))),
            )
            if graded:
                passes = [c.leaf._passes * c.is_added + c.passes for c in graded]
                gradients = map(setattr, leaves, repeat("_grad"), values[len(moved) :])
                every = chain(every, gradients, map(setattr, leaves, repeat("_passes"), passes))
            deque(every, 0)  # one call, which no Ctrl-C divides
            return True

    return assign


_numbers = count()
PACKAGE = os.path.dirname(errors.__file__)  # so that messages name the line that calls a program


def compiled(source: str, title: str, space: dict[str, Any]) -> Callable[..., Any]:
    """The function that a text defines; a traceback shows its lines, as long as it lives."""
    file = os.path.join(PACKAGE, f"<{title} {next(_numbers)}>")
    linecache.cache[file] = len(source), None, source.splitlines(True), file
    exec(compile(source, file, "exec"), space)  # the text is made of names and calls only
    found: Callable[..., Any] = space.pop(title)
    weakref.finalize(found, linecache.cache.pop, file, None).atexit = False
    return found
