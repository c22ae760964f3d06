"""When a program fits: what has to be as it was when the function was written down.

A guard is a function, made as text, so that a call asks it all in less than a microsecond.
"""

import dis
import types
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu.modes import mode
from tinygrad_edu.nn import Module
from tinygrad_edu.programs import Names, compiled
from tinygrad_edu.tensor import Tensor
from tinygrad_edu.tracing import Trace

Held = tuple[str, Callable[[], Any], Any]  # a name, how to read it, and what it was bound to


def guards(trace: Trace, held: list[Held], values: tuple[Any, ...], owner: Any) -> list[Any]:
    """Two functions: whether names hold what they held, and whether the program fits a call.

    The second is given whether recording is paused, and the arguments; ``owner``, a weak reference,
    is the object whose method it is.
    """
    names = Names({})
    of = names.of
    parameters = [names.new(f"x{i}") for i in range(len(values))]
    of_names = [f"{of(Module)}.changes == {Module.changes}"]
    for _, read, value in held:
        of_names.append(f"{of(read, 'read')}() is {'None' if value is None else of(value, 'held')}")
    of_calls = [f"paused is {mode.get().paused > 0}"]
    for x, value in zip(parameters, values, strict=True):
        if owner is not None and value is values[0]:
            of_calls.append(f"{of(owner, 'owner')}() is {x}")
        else:
            of_calls += _of_argument(names, x, value, trace)
    for leaf, found in trace.found.items():
        of_calls.append(f"{of(leaf)}._requires_grad is {found.required_grad}")
        if found.had_gradient is not None:
            of_calls.append(f"({of(leaf)}._grad is None) is {not found.had_gradient}")
    for settings, name, value in trace.settings.values():
        of_calls.append(f"{of(settings)}[{name!r}] == {names.word(value)}")
    return [
        _all_of("holds", [], of_names, names),
        _all_of("fits", ["paused", *parameters], of_calls + of_names, names),
    ]


def _of_argument(names: Names, x: str, value: Any, trace: Trace) -> list[str]:
    conditions = [f"{names.of(type)}({x}) is {names.of(type(value))}"]
    if isinstance(value, np.ndarray | Tensor):
        conditions += [f"{x}.shape == {value.shape}", f"{x}.dtype == {names.of(value.dtype)}"]
    elif not isinstance(value, np.generic):
        conditions.append(f"{names.of(repr)}({x}) == {repr(value)!r}")
    if isinstance(value, Tensor):
        conditions.append(f"not {x}._requires_grad")
        conditions += [f"{x} is not {names.of(leaf)}" for leaf in trace.found]
    return conditions


def _all_of(title: str, parameters: list[str], conditions: list[str], names: Names) -> Any:
    lines = " and\n        ".join(conditions)
    source = f"def {title}({', '.join(parameters)}):\n    return (\n        {lines}\n    )\n"
    return compiled(source, title, names.space)


# What f's own code names.


def names_of(f: Any) -> Iterator[Held]:
    """Each name that the code of ``f`` uses: how to read it, and what it is bound to now."""
    while f is not None:
        f = _with_code(f)
        code = getattr(f, "__code__", None)
        if code is not None:
            for name in dict.fromkeys(_global_names(code)):
                read = partial(f.__globals__.get, name)
                yield name, read, read()
            for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
                if cell != types.CellType():  # it has none yet
                    read = partial(getattr, cell, "cell_contents", None)
                    yield name, read, read()
            names = code.co_varnames[: code.co_argcount]
            defaults = dict(zip(reversed(names), reversed(f.__defaults__ or ()), strict=False))
            for name, value in (defaults | (f.__kwdefaults__ or {})).items():
                yield name, partial(lambda x: x, value), value
        f = getattr(f, "__wrapped__", None)


def _with_code(f: Any) -> Any:
    """The function that runs when ``f`` is called."""
    while isinstance(f, partial):
        f = f.func
    if isinstance(f, Module):
        return f.forward
    is_function = hasattr(f, "__code__") or hasattr(f, "__wrapped__") or isinstance(f, type)
    return f if is_function else f.__call__


def _global_names(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:  # functions inside
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


def holds_arrays(value: Any) -> bool:
    """Whether it is a plain array, or a list or dict with one."""
    if isinstance(value, dict):
        value = [*value.values()]
    parts = value if isinstance(value, list | tuple) else (value,)
    return any(isinstance(part, np.ndarray) for part in parts)


def names_of_objects(f: Any, held: list[Held]) -> dict[int, str]:
    """The names of objects, by ids: those that ``f`` uses, and those of parameters of modules."""
    modules = [(f"{name}.", value) for name, _, value in held if isinstance(value, Module)]
    modules += [("", f)] if isinstance(f, Module) else []
    found = {
        id(tensor): f"{name}{path}"
        for name, module in reversed(modules)
        for path, tensor in module.named_parameters()
    }
    return found | {id(value): name for name, _, value in held}
