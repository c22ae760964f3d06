"""Numbers and operations as short text, for pictures, trees and steps."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_edu import ops

# A place for a number that is not known yet, by its position among such: between BEGIN and END, or
# between SIGNED and END where it stands in brackets if it has a sign. No visible text has these.
BEGIN, SIGNED, END = "\ue000", "\ue001", "\ue002"

IN_FULL = 4  # numbers of an array at most, for a larger one is summarized

_INFIX = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
    np.power: "**",
    np.matmul: "@",
}
_PREFIX = {np.negative: "-", np.positive: "+"}


def visible(text: str) -> str:
    """``text`` with U+FFFD for what cannot be seen: control characters, bidi marks, surrogates."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def shortened(text: str, length: int = 24) -> str:
    """``text`` on one line, cut at ``length`` characters."""
    line = visible(text).replace("\n", " ")
    return line if len(line) <= length else line[: length - 1] + "…"


def number(value: Any, precision: int) -> str:
    """One number, to ``precision`` significant digits, or whole and under a million, in full."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer) or (abs(value) < 1e6 and value == int(value)):
        return str(int(value))
    return format(float(value), f".{precision}g")


def in_brackets(operand: str) -> str:
    """An operand between operators: in brackets, if it is a number with a sign."""
    if operand.startswith(BEGIN):
        return operand.replace(BEGIN, SIGNED)
    return f"({operand})" if operand.startswith("-") else operand


def without_double_brackets(words: str) -> str:
    """``cos((-2))`` as ``cos(-2)``."""
    words = re.sub(rf"\({SIGNED}(\d+){END}\)", rf"({BEGIN}\1{END})", words)
    return re.sub(r"\(\((-[^()]*)\)\)", r"(\1)", words)


def values(array: Any, precision: int) -> str:
    """Up to four numbers in full, of more the mean and deviation of those that are finite.

    The mere rounding of larger numbers that cancel, such as 1e-17 of some ones, is shown as 0.
    """
    array = np.asarray(array)
    if array.size <= IN_FULL:
        return _nested(array.tolist(), precision) if array.size else "empty"
    if array.dtype.kind == "b":
        return f"{np.count_nonzero(array)} of {array.size} True"
    if array.dtype.kind != "f":
        return f"{array.min()} to {array.max()}"
    finite = array[np.isfinite(array)].astype(np.float64)
    parts = []
    if finite.size:
        with np.errstate(all="ignore"):
            noise = 4 * np.finfo(array.dtype).eps * abs(finite).mean()
            mean, std = (0.0 if abs(m) < noise else m for m in (finite.mean(), finite.std()))
        parts.append(f"mean {number(mean, precision)}, std {number(std, precision)}")
    nans = np.count_nonzero(np.isnan(array))
    parts += [f"{nans} nan"] if nans else []
    parts += [f"{count} inf"] if (count := array.size - finite.size - nans) else []
    return ", ".join(parts)


def _nested(numbers: Any, precision: int) -> str:
    if not isinstance(numbers, list):
        return number(numbers, precision)
    return f"[{', '.join(_nested(part, precision) for part in numbers)}]"


def counted(count: int, noun: str) -> str:
    """A number of things: ``1 node``, ``2 nodes``."""
    return f"{count:,} {noun}{'s' if count != 1 else ''}"


def expression(op: ops.Operation, operands: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """An operation as one would write it: ``a * b``, ``sum(x, axis=0)``, ``x[0]``."""
    if op in _INFIX:
        return f" {_INFIX[op]} ".join(map(in_brackets, operands))
    if op in _PREFIX:
        return f"{_PREFIX[op]}{in_brackets(operands[0])}"
    if op is ops.getitem:
        index = parameters["index"]
        parts = index if isinstance(index, tuple) and index else (index,)
        return f"{operands[0]}[{', '.join(map(_index, parts))}]"
    if op is np.transpose and parameters.get("axes") is None:
        return f"{operands[0]}.T"
    if op is ops.concatenate:
        shown = [*operands[:3], "…"] if len(operands) > 4 else operands
        return f"concatenate([{', '.join(shown)}], axis={parameters['axis']})"
    named = [
        _index(value) if name == "shape" else f"{name}={_index(value)}"
        for name, value in parameters.items()
        if value is not None and value is not False
    ]
    return f"{ops.name(op)}({', '.join([*operands, *named])})"


def _index(index: Any) -> str:
    """An index, an axis or a shape: of long arrays, their length."""
    if isinstance(index, slice):
        parts = [index.start, index.stop] + ([index.step] if index.step is not None else [])
        return ":".join("" if part is None else str(part) for part in parts)
    if index is Ellipsis:
        return "..."
    if isinstance(index, tuple):
        comma = "," if len(index) == 1 else ""
        return f"({', '.join(map(_index, index))}{comma})"
    if isinstance(index, np.ndarray) and index.ndim:
        return values(index, 3) if index.size <= IN_FULL else f"{index.size} indices"
    return shortened(str(index))
