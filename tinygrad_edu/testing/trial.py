"""The trial of an engine by one check: how its programs are run, and what may be drawn."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu.testing.differences import Difference
from tinygrad_edu.testing.reference import calls, expected
from tinygrad_edu.testing.session import (
    PROGRAM,
    LawError,
    Mistake,
    NotTested,
    Session,
    first_line,
    indented,
    literal,
)
from tinygrad_edu.testing.strategies import spaced


@dataclass
class Trial:
    """One engine, held to one law.

    Programs are Python with the inputs by name, and leave their result in ``y``. A program that
    the engine refuses, because it lacks an operator or a function, is noted, and is no failure.
    """

    engine: Any
    examples: int = 100  # of each law that draws
    seed: int = 0
    mistakes: tuple[Mistake, ...] = ()  # that may show in any program
    refused: dict[str, str] = field(default_factory=dict)  # programs, and the error of each
    notes: list[str] = field(default_factory=list)  # conventions of the engine
    sessions: list[Session] = field(default_factory=list)

    @property
    def has_variables(self) -> bool:
        """Whether it is an engine of variables, and not of functions."""
        return hasattr(self.engine, "variable")

    @property
    def has_arrays(self) -> bool:
        """Whether it is no engine of numbers only."""
        return not getattr(self.engine, "scalar", False)

    @property
    def takes_cotangent(self) -> bool:
        """Whether ``backward(result, cotangent)`` is offered."""
        backward = getattr(self.engine, "backward", None)
        return backward is not None and len(inspect.signature(backward).parameters) > 1

    def offered(self, names: str) -> list[str]:
        """Those of some functions that the engine has."""
        functions = getattr(self.engine, "functions", {})
        return [name for name in names.split() if name in functions]

    @property
    def passed(self) -> int:
        """How many demands were met."""
        return sum(session.passed for session in self.sessions)

    # Sessions.

    def start(self, *mistakes: Mistake, **inputs: Any) -> Session:
        """A session with a variable for each input."""
        session = Session(self.engine, (*mistakes, *self.mistakes))
        self.sessions.append(session)
        for name, value in inputs.items():
            session.run(f"{name} = engine.variable({literal(value)})")
        return session

    def compute(self, session: Session, program: str, required: bool = False) -> None:
        """Run a program. Raises NotTested if it is refused, and is not ``required``."""
        self._take(session, program)
        error = session.attempt(program)
        if error and not required and not isinstance(error, RecursionError):
            self._refuse(program, error)
        if error:
            session.fail(None, error, "no error", is_value=True)

    def differentiate(
        self, program: str, *mistakes: Mistake, required: bool = False, **inputs: Any
    ) -> tuple[Session, list[str]]:
        """Run a program forward, demand its value, and go backward.

        Gives the session, and the expressions of the gradients. Where ``y`` is no single number,
        they are those of a sum with weights.
        """
        texts = tuple((name, literal(value)) for name, value in inputs.items())
        value, weights, _ = expected(program, texts)
        if any(np.asarray(x).dtype == np.float32 for x in inputs.values()):
            weights = None if weights is None else np.float32(weights)
        if self.has_variables:
            session = self.start(*mistakes, **inputs)
            self.compute(session, program, required)
            session.expect("engine.value(y)", value)
            self._backward(session, weights)
            return session, [f"engine.gradient({name})" for name in inputs]
        session = self.start(*mistakes)
        result = "y" if weights is None else f"sum(y * {literal(weights)})"
        self._take(session, f"{program}\n{result}")
        session.run(f"def f({', '.join(inputs)}):\n{indented(program)}\n    return {result}")
        error = session.attempt(f"gradients = engine.grad(f)({', '.join(t for _, t in texts)})")
        is_forward = error is not None and _is_forward(error)
        if error and is_forward and not required and not isinstance(error, RecursionError):
            self._refuse(program, error)
        if error:
            session.fail(None, error, "no error", is_value=is_forward)
        return session, [f"gradients[{i}]" for i in range(len(inputs))]

    def agrees(self, program: str, *mistakes: Mistake, required: bool = False, **xs: Any) -> bool:
        """Demand the value and the gradients that a program has in NumPy and by differences.

        Those of ``xs`` that it does not name are left out. False if the engine refuses it.
        """
        xs = _named(program, xs)
        try:
            session, gradients = self.differentiate(program, *mistakes, required=required, **xs)
        except NotTested:
            return False
        self._compare(session, program, gradients, xs)
        return True

    def agrees_twice(self, f: str, slope: str, *mistakes: Mistake, **xs: float) -> None:
        """Demand that the gradient of the gradient by x of an expression is that of ``slope``."""
        xs = _named(f, xs)
        session = self.start(*mistakes)
        self._take(session, f)
        names = ", ".join(xs)
        session.run(f"def f({names}): return {f}")
        session.run(f"def slope({names}): return engine.grad(f)({names})[0]")
        error = session.attempt(
            f"second = engine.grad(slope)({', '.join(map(literal, xs.values()))})"
        )
        if error:
            self.refused[f"grad(grad({f}))"] = first_line(error)
        else:
            self._compare(session, f"y = {slope}", [f"second[{i}]" for i in range(len(xs))], xs)

    def offers(self, program: str, **inputs: Any) -> bool:
        """Whether the engine computes a program, rightly or not."""
        try:
            self.differentiate(program, **inputs)
        except NotTested:
            return False
        except LawError:
            pass  # another check is about that
        return True

    def size(self, program: str, **inputs: Any) -> float:
        """The largest absolute number in what a program should give."""
        texts = tuple((name, literal(value)) for name, value in inputs.items())
        return float(np.abs(expected(program, texts).value).max())

    def _take(self, session: Session, program: str) -> None:
        """Give a session the functions that a program calls."""
        for name in calls(program):
            if not self.offered(name):
                self._refuse(program, f"{name} is not among its functions")
            session.run(f'{name} = engine.functions["{name}"]')

    def _refuse(self, program: str, error: object) -> NoReturn:
        self.refused[program] = first_line(error)
        raise NotTested(f"{program}: {first_line(error)}")

    def _backward(self, session: Session, weights: Any) -> None:
        if weights is None:
            session.run("engine.backward(y)")
        elif self.takes_cotangent:
            session.run(f"engine.backward(y, {literal(weights)})")
        else:
            self.compute(session, f"total = sum(y * {literal(weights)})")
            session.run("engine.backward(total)")

    def _compare(
        self, session: Session, program: str, expressions: list[str], xs: dict[str, Any]
    ) -> None:
        """Demand that the gradients by ``xs`` are those of a program by differences."""
        want = expected(program, tuple((name, literal(x)) for name, x in xs.items()))
        for expression, (name, x) in zip(expressions, xs.items(), strict=True):
            differences: list[Difference] = want.gradients[name]
            gradient = np.reshape([float(f"{d.value:.9g}") for d in differences], np.shape(x))
            is_none = session.evaluate(expression) is None
            if gradient.size and not gradient.any() and is_none:
                continue  # what has no influence may have no gradient
            error = max([d.error for d in differences], default=0.0)
            session.expect(expression, gradient, atol=1e-8 + error)

    # Laws that draw.

    def for_all(self, law: Callable[[Draw], None]) -> None:
        """Demand that a law holds whatever it draws; if not, raise the error of the smallest.

        Hypothesis adds notes to that error, of which ``Check`` makes one without them.
        """

        @seed(self.seed)
        @settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(st.data())
        def run(data: st.DataObject) -> None:
            law(Draw(data))

        run()


class Draw:
    """What a law may draw; Hypothesis shrinks each to its first or least."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def choice(self, options: list[str]) -> str:
        """One of some texts."""
        return self._data.draw(st.sampled_from(options))

    def integer(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        return self._data.draw(st.integers(low, high))

    def shapes(self, count: int) -> Any:
        """Shapes that broadcast against each other."""
        shapes = hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3)
        return self._data.draw(shapes).input_shapes

    def numbers(self, *shapes: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> list[Any]:
        """As the function ``numbers``."""
        return numbers(self.integer(0, 999), *shapes, low=low, high=high)


def numbers(rng: int, *shapes: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> list[Any]:
    """Distinct numbers away from 0, with two decimals: arrays, and a float for the shape ()."""
    arrays = spaced(np.random.default_rng(rng), shapes, low, high, [0.0])
    return [a.round(2) if a.shape else round(float(a), 2) for a in arrays]


def count_calls(run: Callable[[], object]) -> int:
    """How many functions are called while ``run`` runs: its time, on any machine."""
    count = 0

    def on_event(frame: Any, event: str, arg: Any) -> None:  # noqa: ARG001 (the signature is set)
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def _named(program: str, xs: dict[str, Any]) -> dict[str, Any]:
    """Those of ``xs`` that occur in a program."""
    return {name: x for name, x in xs.items() if re.search(rf"\b{name}\b", program)}


def _is_forward(error: Exception) -> bool:
    """Whether an error came from the function ``f`` itself, and not from the backward pass."""
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any((code.co_filename, code.co_name) == (PROGRAM, "f") for code in frames)
