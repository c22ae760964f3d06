"""Graphs and functions of other engines as Tensors: for ``draw``, ``steps`` and ``check_grads``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu import errors, functional, losses, ops
from tinygrad_edu.custom import primitive
from tinygrad_edu.tensor import Tensor, record
from tinygrad_edu.testing.session import is_numeric, near

OPERATORS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "@": np.matmul,
    "getitem": ops.getitem,
    "cross_entropy": losses.cross_entropy,
}


def as_tensor(engine: Any, result: Any, names: Mapping[str, Any] | None = None) -> Tensor:
    """A result of another engine, and all that it was computed from, as Tensors of this one.

    ``engine`` is told as to ``check_engine``, with two more parts: ``op(result)`` is the name of
    the operation that made a result, None for a variable, and ``args(result)`` its operands, in
    order. The names are those of NumPy's functions, or operators such as "+". ``params(result)``, a
    dict, may tell arguments that are no operands, as ``{"axis": 0}``. ``names``: as in ``draw``,
    from names to values of the engine, such as ``locals()``.

    Values are those of the engine, and gradients those of the rules of this package: what the
    engine should find. Where an operation is unknown, or has another value than in NumPy, there are
    no gradients, and the picture says so. Raises TypeError if ``engine`` lacks a part.

    >>> from tinygrad_edu import draw
    >>> from tinygrad_edu.testing import as_tensor
    >>> class Value:
    ...     def __init__(self, data, op=None, args=()):
    ...         self.data, self.op, self.args = data, op, args
    ...     def __mul__(self, other):
    ...         return Value(self.data * other.data, "multiply", (self, other))
    >>> class Mine:
    ...     def value(self, result):
    ...         return result.data
    ...     def op(self, result):
    ...         return result.op
    ...     def args(self, result):
    ...         return result.args
    >>> x = Value(3.0)
    >>> print(draw(as_tensor(Mine(), x * x, {"x": x})))
    v1 = x * x | 9 | grad 1
      x | 3 | grad 6
      x (above)
    """
    _require(
        engine,
        ("value", "op", "args"),
        "to draw a graph takes value(result), op(result), the name of its operation, and "
        "args(result), its operands",
    )
    given = sorted((names or {}).items(), key=lambda pair: not pair[0].startswith("_"))
    called = {id(value): name for name, value in given}  # names with an underscore come last
    tensors: dict[int, Tensor] = {}
    waiting = [result]
    while waiting:
        node = waiting[-1]
        operands = [] if engine.op(node) is None else list(engine.args(node))
        unknown = [x for x in operands if not is_plain(x) and id(x) not in tensors]
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        if id(node) not in tensors:
            operands = [x if is_plain(x) else tensors[id(x)] for x in operands]
            tensors[id(node)] = _made(engine, node, operands)
            tensors[id(node)].name = called.get(id(node))
    return tensors[id(result)]


def _require(engine: Any, parts: tuple[str, ...], purpose: str) -> None:
    """Raise TypeError if an engine lacks one of its parts."""
    missing = [part for part in parts if not callable(getattr(engine, part, None))]
    if missing:
        raise TypeError(f"{type(engine).__name__} has no {', '.join(missing)}: {purpose}")


def is_plain(operand: Any) -> bool:
    """Whether an operand is a number or an array, and no value of an engine."""
    return isinstance(operand, int | float | np.generic | np.ndarray)


def _made(engine: Any, node: Any, operands: list[Any]) -> Tensor:
    """The Tensor for a value of an engine, made of those of its operands."""
    name, value = engine.op(node), np.asarray(engine.value(node))
    if name is None:
        return Tensor(value, requires_grad=value.dtype.kind == "f")
    params = engine.params(node) if hasattr(engine, "params") else {}
    functions = {**vars(np), **vars(functional), **OPERATORS}
    function = functions.get(name)
    if function is None:
        return _stand_in(name, value, operands, f"{name} is no function of NumPy")
    try:
        result = function(*operands, **params)
    except Exception as error:  # of arguments that are not as NumPy's
        return _stand_in(name, value, operands, str(error))
    if isinstance(result, Tensor) and near(result.detach().data, value):
        return result
    return _stand_in(name, value, operands, f"{name} has another value here than in NumPy")


def _stand_in(name: str, value: Any, operands: list[Any], reason: str) -> Tensor:
    """A result without a rule, and why it has none."""

    def compute(*_: Any) -> Any:
        return value

    def rule(*_: Any) -> Any:
        raise TypeError(reason)

    compute.__name__ = name
    return record(ops.operation(compute, (rule,) * len(operands)), tuple(operands))


def function_of(engine: Any, f: Callable[..., Any]) -> Callable[..., Any]:
    """A function on values of another engine as one on Tensors, with the gradients of the engine.

    So ``check_grads`` holds them against differences, with ``order=1``. ``f`` takes values of the
    engine. It gives a single number, unless ``engine.backward(result, cotangent)`` is offered.
    Raises TypeError if ``f`` gives an array, and it is not; if ``f`` is no function, or ``engine``
    lacks a part.

    >>> from tinygrad_edu.testing import check_grads, function_of
    >>> from tinygrad_edu.testing.adapters import TinygradEdu
    >>> check_grads(function_of(TinygradEdu(), lambda x: x * x), 3.0, order=1)
    first derivatives of <lambda> agree with finite differences in 1 directions, to ...
    """
    parts = ("variable", "value", "backward", "gradient")
    _require(engine, parts, f"its gradients are found by {', '.join(parts)}")
    if not callable(f):
        raise TypeError(f"function_of takes an engine and a function, but got {errors.short(f)}")
    takes_cotangent = len(inspect.signature(engine.backward).parameters) > 1

    def run(arrays: tuple[Any, ...]) -> tuple[list[Any], Any]:
        variables = [engine.variable(x if np.ndim(x) else float(x)) for x in arrays]
        return variables, f(*variables)

    def forward(*arrays: Any) -> Any:
        value = engine.value(run(arrays)[1])
        if not is_numeric(value):
            got = errors.short(value)
            raise TypeError(f"the value of the engine is no number or array, but {got}")
        return np.array(value)

    def rule_of(i: int) -> ops.Rule:
        def rule(g: Any, y: Any, *arrays: Any) -> Any:
            variables, result = run(arrays)
            if takes_cotangent:
                engine.backward(result, g)
                g = 1.0
            elif np.ndim(y):
                raise TypeError(
                    f"the function gives an array of shape {np.shape(y)}, and backward of this "
                    "engine takes no cotangent: give one number, as by a sum"
                )
            else:
                engine.backward(result)
            gradient = engine.gradient(variables[i])
            return g * (np.zeros(np.shape(arrays[i])) if gradient is None else np.array(gradient))

        return rule

    def function(*arrays: Any) -> Any:
        return primitive(forward, *map(rule_of, range(len(arrays))))(*arrays)

    function.__name__ = getattr(f, "__name__", "function")
    return function
