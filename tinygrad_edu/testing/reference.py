"""What a program should give: its value in NumPy, and the gradients of its differences."""

import ast
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu.testing.differences import STEP, Difference, slope

REFERENCES: dict[str, Any] = {  # of functions that NumPy lacks
    "relu": lambda x: np.maximum(x, 0.0),
    "sigmoid": lambda x: np.exp(-np.logaddexp(0.0, -x)),
    "softplus": lambda x: np.logaddexp(0.0, x),
    "logsumexp": lambda x, axis=-1: np.logaddexp.reduce(x, axis=axis),
    "log_softmax": lambda x, axis=-1: x - np.logaddexp.reduce(x, axis=axis, keepdims=True),
    "softmax": lambda x, axis=-1: np.exp(REFERENCES["log_softmax"](x, axis)),
    "cross_entropy": lambda x, labels: (
        -np.mean(REFERENCES["log_softmax"](x)[np.arange(len(labels)), labels])
    ),
}


class Expected(NamedTuple):
    """The value of a program, and the derivatives of a sum of it with weights."""

    value: Any
    weights: Any  # None if the value is a single number
    gradients: dict[str, list[Difference]]  # by input, for each of its elements


@lru_cache(maxsize=4096)
def expected(program: str, inputs: tuple[tuple[str, str], ...]) -> Expected:
    """What ``y`` is after a program. ``inputs``: names, and numbers or arrays as Python."""
    code = compile(program, "<reference>", "exec")
    functions = {name: REFERENCES.get(name) or getattr(np, name) for name in calls(program)}
    values = {name: _float64(eval(text, {"np": np})) for name, text in inputs}

    def result(**changed: Any) -> Any:
        names = {"np": np, **functions, **values, **changed}
        with np.errstate(all="ignore"):
            exec(code, names)
        return _float64(names["y"])

    y = result()
    rng = np.random.default_rng(1)  # weights that are not all alike: ones hide mistakes
    weights = (rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1, 1], y.shape)).round(1)
    if not y.shape:
        weights = np.float64(1.0)
    size = float(np.abs(weights * y).sum()) + 1.0

    def derivatives(name: str) -> Iterator[Difference]:
        x = values[name]
        for index in np.ndindex(x.shape):
            unit = np.zeros(x.shape)
            unit[index] = 1.0

            def along(t: float, unit: Any = unit) -> float:
                return float((weights * result(**{name: x + t * unit})).sum())

            yield slope(along, size, (STEP / 2, STEP, 2 * STEP))

    gradients = {name: list(derivatives(name)) for name in values}
    return Expected(y, weights if y.shape else None, gradients)


def _float64(x: Any) -> Any:
    """``x`` in float64, of its shape: ``np.float64`` makes a number of (1,) before NumPy 2.2."""
    return np.asarray(x, np.float64)[()]


@cache
def calls(program: str) -> list[str]:
    """The functions that a program calls by name, but for Python's ``range``."""
    nodes = (node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call))
    found = [node.func.id for node in nodes if isinstance(node.func, ast.Name)]
    return [name for name in dict.fromkeys(found) if name != "range"]
