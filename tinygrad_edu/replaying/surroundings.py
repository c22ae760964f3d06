"""What a function finds by name, and whether it is still the same."""

from __future__ import annotations

import dis
import functools
import random
import sys
import sysconfig
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from operator import attrgetter, itemgetter
from types import (
    CellType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple, cast

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.nn import Module
from tinygrad_edu.optim import SGD
from tinygrad_edu.tensor import Tensor

SETTINGS = ("lr", "momentum", "weight_decay")  # of an optimizer, which may change between calls
LIMIT = 20_000  # places in all
LARGE = 1_000_000  # bytes of an array that are compared at each call
NUMBERS = {bool, int, float, complex, str, bytes, frozenset}


class Wrapper:
    """What is followed to the function that it wraps, ``__wrapped__``, and no further."""


class Place(NamedTuple):
    """Where a step finds something that may be another in each call, and may put another."""

    words: str
    get: Callable[[], Any]
    put: Callable[[Any], None]


class Surroundings:
    """The places where a function finds things by name, and what was there.

    Followed are its free variables, globals and defaults, and what they lead to: elements, the
    attributes that it names, functions and classes that are not of an installed package. Where
    there is an array or a number of NumPy, another may come; all else is to stay the same.
    """

    def __init__(self, function: Any) -> None:
        self.leaves: dict[Tensor, str] = {}  # and where they are
        self.optimizers: list[SGD] = []
        self.arrays: list[Place] = []
        self.constants: list[Any] = []  # arrays in tuples and the like, where no other can be put
        self._watched: list[tuple[Callable[[Any], Any], Any, Any, str]] = []
        self._attributes: set[str] = set()  # that functions name
        self._uses_all = False  # by vars(), and so without naming them
        self._open: list[tuple[str, Any, Any]] = []  # of which only these are followed
        self._named: set[tuple[int, str]] = set()
        self._seen: dict[int, Any] = {}
        self._function = getattr(function, "__func__", function)
        # A step of this package draws from neither; another thread may, at any time.
        code = getattr(self._function, "__code__", None)
        is_ours = code is not None and _is_installed(code.co_filename)
        self._generators: list[tuple[Callable[[], Any], str]] = []
        if not is_ours:
            self._generators += [(random.getstate, "random"), (_state_of_numpy, "np.random")]
        waiting: deque[tuple[str, Any]] = deque([("the step", function)])
        while waiting or (waiting := deque(self._by_attributes())):
            words, value = waiting.popleft()
            if id(value) not in self._seen and type(value) not in NUMBERS:
                self._seen[id(value)] = value
                waiting += self._inside(words, value)
            if len(self._watched) > LIMIT:
                raise RuntimeError(
                    f"replay() watches what a step finds by name, and at {words} there is too much "
                    "of it: pass to the step what it needs as arguments"
                )
        self.start()

    def start(self) -> None:
        """Take note of the random generators, from which may be drawn between runs of the step."""
        self._states = [state() for state, _ in self._generators]

    def changed(self) -> str:
        """The words for a place where something else is now, or nothing."""
        for get, key, before, words in self._watched:
            try:
                now = get(key)
            except (LookupError, AttributeError):
                return words
            if now is not before and not (type(now) in NUMBERS and _equal(now, before)):
                return words
        return ""

    def drawn(self) -> str:
        """The words for a random generator from which numbers were drawn, or nothing."""
        for (state, words), before in zip(self._generators, self._states, strict=True):
            if state() != before:
                return words
        return ""

    def _place(
        self,
        words: str,
        get: Callable[[Any], Any],
        key: Any,
        put: Callable[[Any], None] | None = None,
    ) -> Iterator[tuple[str, Any]]:
        try:
            value = get(key)
        except (LookupError, AttributeError):  # an attribute that is not set
            return
        if put and is_numbers(value):
            self.arrays.append(Place(words, functools.partial(get, key), put))
        elif put and (
            type(value) is tuple or (isinstance(value, tuple) and hasattr(value, "_make"))
        ):
            self._watched.append((_after(get, _length), key, len(value), words))
            for i in range(len(value)):
                part = functools.partial(_put_item, functools.partial(get, key), put, i)
                yield from self._place(f"{words}[{i}]", _after(get, itemgetter(i)), key, part)
        else:
            self._watched.append((get, key, value, words))
            yield words, value

    def _item(self, words: str, owner: Any, key: Any) -> Iterator[tuple[str, Any]]:
        put = functools.partial(owner.__setitem__, key)
        yield from self._place(words, owner.__getitem__, key, put)

    def _inside(self, words: str, value: Any) -> Iterator[tuple[str, Any]]:
        """What is in there, to be followed, too."""
        if isinstance(value, Wrapper):
            yield words, vars(value)["__wrapped__"]
        elif isinstance(value, np.ndarray):
            if value.nbytes > LARGE:
                raise RuntimeError(
                    f"{words}, an array of shape {value.shape}, lies where replay() cannot watch "
                    "it: put it into a variable, a list or a dictionary"
                )
            self.constants.append(value)
            yield from self._place(words, np.ndarray.tobytes, value)
        elif isinstance(value, np.random.Generator | np.random.RandomState):
            self._generators.append((functools.partial(_state, value), words))
        elif isinstance(value, random.Random):
            self._generators.append((value.getstate, words))
        elif isinstance(value, Iterator) and type(value).__module__ in ("builtins", "itertools"):
            raise RuntimeError(
                f"the step finds an iterator, {words}, and replay() cannot see what next() would "
                "give: pass what comes from it to the step as an argument"
            )
        elif isinstance(value, FunctionType):
            yield from self._in_function(words, value)
        elif isinstance(value, MethodType):
            yield from (("self", value.__self__), (words, value.__func__))
        elif isinstance(value, functools.partial):
            yield words, value.func
            yield from self._place(f"{words}.args", attrgetter("args"), value, _put_args(value))
            yield f"{words}.keywords", value.keywords
        elif isinstance(value, list | tuple | dict | set | frozenset | deque | MappingProxyType):
            yield from self._in_container(words, value)
        elif isinstance(value, property | classmethod | staticmethod):
            yield words, getattr(value, "fget", None) or getattr(value, "__func__", None)
        elif isinstance(value, bytearray | array):
            yield from self._place(words, bytes, value)
        elif isinstance(value, ContextVar):
            yield from self._place(words, ContextVar.get, value)
        elif isinstance(value, ModuleType):
            if not _is_installed(_file(value)):
                self._open.append((words, value, vars(value)))
        elif isinstance(value, type):
            if _is_users(value):
                yield from self._in_class(words, value)
        else:
            yield from self._in_object(words, value)

    def _in_class(self, words: str, kind: type) -> Iterator[tuple[str, Any]]:
        attributes = vars(kind)
        yield from self._place(f"the attributes of {words}", len, attributes)
        self._open.append((words, kind, attributes))
        for name, part in attributes.items():
            if isinstance(part, FunctionType) and name.startswith("__") and name != "__init__":
                yield from self._class_item(f"{words}.{name}", kind, name)  # as __call__
        yield from ((words, base) for base in (*kind.__bases__, type(kind)))

    def _class_item(self, words: str, kind: type, name: str) -> Iterator[tuple[str, Any]]:
        put = functools.partial(setattr, kind, name)
        yield from self._place(words, vars(kind).get, name, put)

    def _in_object(self, words: str, value: Any) -> Iterator[tuple[str, Any]]:
        skipped = frozenset[str]()
        if isinstance(value, Tensor):
            if value.is_leaf:
                self.leaves[value] = words
                get = attrgetter("_requires_grad")
                yield from self._place(f"{words}.requires_grad", get, value)
        elif isinstance(value, SGD):
            self.optimizers.append(value)
            skipped = frozenset({*SETTINGS, "_velocity"})
        attributes = getattr(value, "__dict__", {})
        yield from self._place(f"the attributes of {words}", len, attributes)
        if isinstance(value, Module | SGD | Tensor):  # of which this package may use all
            for name in attributes.keys() - skipped:
                yield from self._item(f"{words}.{name}", attributes, name)
        else:
            self._open.append((words, value, attributes))
            for name in _slots(value):
                put = functools.partial(object.__setattr__, value, name)  # frozen or not
                yield from self._place(f"{words}.{name}", attrgetter(name), value, put)
        yield words, type(value)

    def _in_function(self, words: str, function: FunctionType) -> Iterator[tuple[str, Any]]:
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        for name, cell in cells:
            put = functools.partial(setattr, cell, "cell_contents")
            yield from self._place(name, _contents, cell, put)
        space = function.__globals__
        if function is self._function or not _is_installed(function.__code__.co_filename):
            found, attributes, modules = _names(function.__code__)
            self._attributes |= attributes
            self._uses_all |= bool(found & {"vars", "getattr"}) or "__dict__" in attributes
            for name in sorted(found):
                put = functools.partial(space.__setitem__, name)
                yield from self._place(name, space.get, name, put)
            yield from ((name, sys.modules[name]) for name in modules & sys.modules.keys())
        yield from self._place(f"the code of {words}", attrgetter("__code__"), function)
        yield from self._place(f"the attributes of {words}", len, function.__dict__)
        for name in list(function.__dict__):
            yield from self._item(f"{words}.{name}", function.__dict__, name)
        for rule in ops.derivatives.get(function, ()) if function in ops.derivatives else ():
            yield words, rule
        put = functools.partial(setattr, function, "__defaults__")
        where = f"the defaults of {words}"
        yield from self._place(where, attrgetter("__defaults__"), function, put)
        yield from self._place(f"the defaults of {words}", attrgetter("__kwdefaults__"), function)

    def _by_attributes(self) -> Iterator[tuple[str, Any]]:
        """What functions may find in modules and objects, by the attributes that they name."""
        for words, owner, attributes in list(self._open):
            everything = self._uses_all and not isinstance(owner, ModuleType | type)
            for name in sorted(attributes if everything else self._attributes & attributes.keys()):
                if (id(owner), name) not in self._named:
                    self._named.add((id(owner), name))
                    place = f"{words}.{name}"
                    if isinstance(owner, type):
                        yield from self._class_item(place, owner, name)
                    else:
                        yield from self._item(place, attributes, name)

    def _in_container(self, words: str, value: Any) -> Iterator[tuple[str, Any]]:
        yield from self._place(f"the length of {words}", len, value)
        if isinstance(value, dict):
            for key in list(value):
                yield from self._item(f"{words}[{key!r}]", value, key)
        elif isinstance(value, MappingProxyType):
            for key in list(value):
                yield from self._place(f"{words}[{key!r}]", value.__getitem__, key)
        elif isinstance(value, list | deque):
            for i in range(len(value)):
                yield from self._item(f"{words}[{i}]", value, i)
        else:
            if isinstance(value, set):
                yield from self._place(f"the elements of {words}", frozenset, value)
            yield from ((words, part) for part in value)


def _names(code: CodeType) -> tuple[set[str], set[str], set[str]]:
    """The globals, attributes and imports in a function, and in those inside of it."""
    found: set[str] = set()
    modules: set[str] = set()
    attributes = set(code.co_names)
    for instruction in dis.get_instructions(code):
        if instruction.opname.endswith(("_GLOBAL", "_NAME")):
            kind = modules if instruction.opname == "IMPORT_NAME" else found
            kind.add(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            more = _names(constant)
            found, attributes, modules = found | more[0], attributes | more[1], modules | more[2]
    return found, attributes, modules


def is_numbers(value: Any) -> bool:
    """Whether it is an array, or a number of NumPy."""
    return type(value) is np.ndarray or isinstance(value, np.number)


def _after(get: Callable[[Any], Any], function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda key: function(get(key))


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, tuple) else None


def _put_item(get: Callable[[], Any], put: Callable[[Any], None], i: int, item: Any) -> None:
    """Put another tuple, with another item, where one is."""
    before = get()
    make = getattr(type(before), "_make", tuple)  # which named tuples have
    put(make((*before[:i], item, *before[i + 1 :])))


def _put_args(function: functools.partial[Any]) -> Callable[[Any], None]:
    def put(args: Any) -> None:
        state: Any = function.__reduce__()
        func, _, keywords, attributes = state[2]
        cast(Any, function).__setstate__((func, args, keywords, attributes))

    return put


def _contents(cell: CellType) -> Any:
    """What a free variable is; None as long as it is nothing."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _file(module: ModuleType | None) -> str:
    return getattr(module, "__file__", None) or "<frozen>"


def _is_installed(file: str) -> bool:
    """Whether it is of Python, this package, NumPy or another package that is installed."""
    return file.startswith((*errors.NOT_THE_USERS, *_installed(), "<frozen"))


@functools.cache
def _installed() -> tuple[str, ...]:
    return tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib")})


def _is_users(kind: type) -> bool:
    is_main = kind.__module__ == "__main__"
    return is_main or not _is_installed(_file(sys.modules.get(kind.__module__)))


def _slots(value: Any) -> Iterator[str]:
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            if name.startswith("__") and not name.endswith("__"):  # as Python calls it
                yield f"_{kind.__name__.lstrip('_')}{name}"
            elif not name.startswith("__"):
                yield name


def _state(generator: np.random.Generator | np.random.RandomState) -> Any:
    if isinstance(generator, np.random.Generator):
        return _comparable(generator.bit_generator.state)
    return _comparable(generator.get_state(legacy=False))


def _state_of_numpy() -> Any:
    return _comparable(np.random.get_state(legacy=False))  # noqa: NPY002 (which others draw from)


def _comparable(state: Any) -> Any:
    if isinstance(state, np.ndarray):
        return state.tobytes()
    return {key: _comparable(v) for key, v in state.items()} if isinstance(state, dict) else state


def _equal(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    return repr(one) == repr(other) if isinstance(one, float | complex) else bool(one == other)
