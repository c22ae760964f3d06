"""Sessions with an engine: lines that are printed as they ran, if what they give is wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from unittest import SkipTest

import numpy as np

PROGRAM = "<program>"  # the file name of what a session runs, in tracebacks


class NotTested(SkipTest):
    """An engine lacks what a check is about; pytest takes it for a skipped test."""


class LawError(AssertionError):
    """An engine breaks a law; the message has the program, and what it should have given."""


class Symptom(NamedTuple):
    """What is wrong, so that a mistake can be recognised by it."""

    got: Any  # instead of what is right: a value, or the error that was raised
    want: Any
    names: dict[str, Any]  # of the session


class Mistake(NamedTuple):
    """What is likely wrong with an engine, and by which symptom it is certain enough to say so."""

    leaves: Callable[[Symptom], Any]
    hint: str
    in_values: bool = False  # whether results of the forward pass are wrong, too


class Session:
    """Lines of Python that use an engine, each run as it is written.

    The names are ``engine``, ``np`` and what the lines assign. Where something is not as demanded,
    LawError shows all lines, and the hint of the first of ``mistakes`` that leaves this symptom.
    """

    def __init__(self, engine: Any, mistakes: tuple[Mistake, ...] = ()) -> None:
        self.names: dict[str, Any] = {"engine": engine, "np": np}
        self.lines: list[str] = []
        self.mistakes = mistakes
        self.passed = 0  # demands of gradients that were met, or rightly refused

    def attempt(self, line: str) -> Exception | None:
        """Run a line; the error that it raises, or None."""
        self.lines.append(line)
        try:
            exec(compile(line, PROGRAM, "exec"), self.names)
        except Exception as error:
            return error
        return None

    def may_raise(self, line: str) -> Exception | None:
        """As ``attempt``, where an error is right, too; after one the program goes on."""
        error = self.attempt(line)
        if error:
            self.passed += 1
            self.lines[-1] = f"try:\n{indented(line)}\nexcept Exception:\n    pass"
        return error

    def run(self, line: str) -> None:
        """Run a line that must not raise."""
        error = self.attempt(line)
        if error:
            self.fail(None, error, "no error")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or the error that it raises."""
        try:
            return eval(expression, self.names)
        except Exception as error:
            return error

    def expect(self, expression: str, want: Any, atol: float = 1e-8) -> None:
        """Demand that an expression is a number or array, and has its shape."""
        got = self.evaluate(expression)
        is_value = expression.startswith("engine.value(")
        rounding = _rounding(got)
        rtol, atol = max(1e-6, rounding), max(atol, rounding)
        if not near(got, want, rtol, atol):
            tolerance = f"rtol={rtol:.1g}, atol={atol:.1g}"
            line = f"np.testing.assert_allclose({expression}, {literal(want)}, {tolerance})"
            if np.shape(got) != np.shape(want):
                line = f"assert np.shape({expression}) == {np.shape(want)}"
            self.fail(line, got, want, is_value=is_value)
        self.passed += not is_value

    def demand(self, condition: str, shown: str, want: str) -> None:
        """Demand that a condition holds; ``shown`` is the expression that tells why it does not."""
        holds = self.evaluate(condition)
        if isinstance(holds, Exception) or not holds:
            self.fail(f"assert {condition}", self.evaluate(shown), want)
        self.passed += 1

    def demand_error(self, line: str, want: str) -> None:
        """Demand that a line raises an error."""
        if self.attempt(line) is None:
            self.lines[-1] = f"try:\n    {line}\nexcept Exception:\n    pass\nelse:"
            self.fail("    raise AssertionError", "no error", want)
        self.passed += 1

    def fail(self, line: str | None, got: Any, want: Any, is_value: bool = False) -> NoReturn:
        """Raise LawError; ``line`` is the one that shows it, if those before do not.

        ``is_value``: the forward pass is wrong already, and most mistakes are none of that.
        """
        kind = type(self.names["engine"])
        code = ["import numpy as np"]
        if kind.__module__ != "__main__":
            code.append(f"from {kind.__module__} import {kind.__qualname__}")
        code += [f"engine = {kind.__qualname__}()", *self.lines, line or ""]
        text = indented("\n".join(code).rstrip())
        text += f"\n\nexpected: {_shown(want)}\ngot:      {_shown(got)}"
        symptom = Symptom(got, want, self.names)
        for mistake in self.mistakes:
            if (mistake.in_values or not is_value) and mistake.leaves(symptom):
                text += f"\nlikely:   {mistake.hint}"
                break
        raise LawError(text)


def near(got: Any, want: Any, rtol: float = 1e-6, atol: float = 1e-8) -> bool:
    """Whether ``got`` is the number or array that is wanted, in the same shape."""
    if not is_numeric(got) or np.shape(got) != np.shape(want):
        return False
    return bool(np.all(np.abs(np.asarray(got, float) - want) <= atol + rtol * np.abs(want)))


def _rounding(got: Any) -> float:
    """How far the rounding of its dtype may put off a result of some operations."""
    if not is_numeric(got) or np.asarray(got).dtype.kind != "f":
        return 0.0
    return 1000 * float(np.finfo(np.asarray(got).dtype).eps)


def is_numeric(x: Any) -> bool:
    """Whether something is a number or an array, and no text, error or None."""
    return not isinstance(x, str | Exception) and np.asarray(x).dtype.kind in "fiub"


def literal(x: Any) -> str:
    """A number or an array as Python."""
    array = np.asarray(x)
    if not array.shape and array.dtype != np.float32:
        return repr(array.item())
    dtype = ", np.float32" if array.dtype == np.float32 else ""
    return f"np.array({array.tolist()}{dtype})" if array.size else f"np.zeros({array.shape})"


def indented(code: str) -> str:
    """Lines as the body of something."""
    return "\n".join(f"    {line}" for line in code.splitlines())


def first_line(error: object) -> str:
    """What an error says, in short."""
    return str(error).partition("\n")[0] or type(error).__name__


def _shown(x: Any) -> str:
    if isinstance(x, Exception):
        frames = traceback.extract_tb(x.__traceback__)
        lines = [frame for frame in frames if frame.filename not in (PROGRAM, __file__)]
        place = f", on line {lines[-1].lineno} of {Path(lines[-1].filename).name}" if lines else ""
        return f"{type(x).__name__}: {first_line(x)}{place}"
    return literal(x) if is_numeric(x) and not isinstance(x, list) else str(x)
