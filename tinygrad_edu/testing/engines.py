"""``check_engine``: hold any engine of automatic differentiation against a catalogue of laws."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tinygrad_edu import errors
from tinygrad_edu.testing.session import LawError, NotTested


class Engine(Protocol):
    """An engine whose variables know their gradients: how it is told to ``check_engine``.

    Further parts may be left out; what needs them is then not tested:

    - ``functions``: a dict of what it has beyond operators, by NumPy's names, called as NumPy's.
      These names are known as well: relu, sigmoid, softplus, logsumexp, log_softmax, softmax, and
      cross_entropy(scores, labels), the mean over rows.
    - ``scalar = True``: it is of numbers only, and gets no arrays.
    - ``backward(result, cotangent)``: a second argument, the gradient with respect to the result.
      Without it, results are weighted and summed by the engine's own ``*`` and ``sum``.
    - ``zero(variable)``: forget its gradient.
    - ``constant(value)``: a value of the engine that gets no gradient.
    - ``assign(variable, value)``: change its data.
    - ``no_grad()``: a context manager, inside which nothing is recorded.
    - ``op(result)`` and ``args(result)``: the name of the operation that made it, None for a
      variable, and its operands in order; ``as_tensor`` makes pictures of these.
    - ``grad(f)``: as ``FunctionEngine`` has it, for derivatives of derivatives.
    - ``title``: the name in reports, perhaps with the version.

    >>> from tinygrad_edu import Tensor
    >>> from tinygrad_edu.testing import check_engine
    >>> class Mine:  # an engine that has only operators
    ...     def variable(self, value):
    ...         return Tensor(value, requires_grad=True)
    ...     def value(self, result):
    ...         return result.data
    ...     def backward(self, result, cotangent=None):
    ...         result.backward(cotangent)
    ...     def gradient(self, variable):
    ...         return variable.grad
    >>> check_engine(Mine(), examples=10).failures
    []
    """

    def variable(self, value: Any) -> Any:
        """A leaf to differentiate with respect to, of a number or an array."""

    def value(self, result: Any) -> Any:
        """The plain number or array in a variable or result."""

    def backward(self, result: Any) -> Any:
        """Find the gradients of what the result was computed from."""

    def gradient(self, variable: Any) -> Any:
        """The gradient of a variable, a plain number or array; None if it has none."""


class FunctionEngine(Protocol):
    """An engine that differentiates functions. It may have functions, scalar and title, too.

    >>> import tinygrad_edu
    >>> from tinygrad_edu.testing import check_engine
    >>> class OfFunctions:
    ...     def grad(self, f):
    ...         return lambda *xs: tinygrad_edu.grad(f, tuple(range(len(xs))))(*xs)
    >>> check_engine(OfFunctions(), examples=10).failures
    []
    """

    def grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function of the same arguments that gives the gradients of ``f``, one for each."""


@dataclass(frozen=True)
class Result:
    """What a check of an engine has found."""

    name: str  # of the check
    law: str
    status: str  # "holds", "fails" or "not tested"
    text: str = ""  # the failure, or why it was not tested
    refused: dict[str, str] = field(default_factory=dict)  # programs, and the error of each
    notes: tuple[str, ...] = ()  # conventions of the engine


@dataclass(frozen=True)
class Report:
    """What ``check_engine`` has found: print it."""

    title: str
    results: tuple[Result, ...]

    @property
    def failures(self) -> list[Result]:
        """The laws that the engine breaks."""
        return [result for result in self.results if result.status == "fails"]

    @property
    def summary(self) -> str:
        """What holds and what does not, a line for each law; conventions, and what was refused."""
        counts = dict.fromkeys(("holds", "fails", "not tested"), 0)
        for result in self.results:
            counts[result.status] += 1
        lines = [
            f"{self.title}: {counts['holds']} laws hold, {counts['fails']} fail, "
            f"{counts['not tested']} are not tested",
            "",
        ]
        for result in self.results:
            reason = f" ({_line(result.text)})" if result.status == "not tested" else ""
            lines.append(f"{result.status:<10}  {result.name:<16} {result.law}{reason}")
        lines += _listed("Conventions", [note for r in self.results for note in r.notes])
        refused: dict[str, list[str]] = {}
        for program, reason in (pair for r in self.results for pair in r.refused.items()):
            refused.setdefault(reason, []).append(_line(program))
        lines += _listed(
            "Refused, and so not tested",
            [
                f"{programs[0]}{f' and {len(programs) - 1} more' * (len(programs) > 1)}: {reason}"
                for reason, programs in refused.items()
            ],
        )
        return "\n".join(lines)

    def __str__(self) -> str:
        return "\n\n".join([self.summary, *(failure.text for failure in self.failures)])


def _line(text: str) -> str:
    """The beginning of a text, as part of a line."""
    return text.replace("\n", "; ")[:60]


def _listed(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line:.120}" for line in dict.fromkeys(lines))] if lines else []


def check_engine(
    engine: Engine | FunctionEngine,
    on_fail: str | None = "raise",
    *,
    examples: int = 100,
    seed: int = 0,
) -> Report:
    """Hold an engine of automatic differentiation against the laws of reverse mode.

    ``engine`` tells how to use it in a few lines: see ``Engine``, and ``FunctionEngine`` for one
    that has ``grad(f)`` instead of variables. Gradients are compared with those of finite
    differences of the same program in NumPy. A failure shows the shortest program that is wrong, as
    Python to paste, what it should have given, and the likely mistake where that is certain.
    ``examples``: how many random programs and shapes are tried for each law that draws any, from
    ``seed``. Needs Hypothesis.

    With ``on_fail="raise"``, raises AssertionError for the first law that is broken, the simplest;
    with None, goes on. Returns a report: ``print`` it, or look at its ``failures``. Raises
    TypeError if ``engine`` lacks a method, ValueError for another ``on_fail``, or
    for a count or a seed that is no such integer.

    >>> from tinygrad_edu.testing import check_engine
    >>> class Value:  # the least engine: numbers, their sums and products
    ...     def __init__(self, data, parents=()):
    ...         self.data, self.parents, self.grad = data, parents, 0.0
    ...     def __add__(self, other):
    ...         return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])
    ...     def __mul__(self, other):
    ...         return Value(self.data * other.data, [(self, other.data), (other, self.data)])
    ...     def backward(self, gradient=1.0):
    ...         self.grad = gradient  # a mistake
    ...         for parent, slope in self.parents:
    ...             parent.backward(gradient * slope)
    >>> class Mine:
    ...     scalar = True
    ...     def variable(self, value):
    ...         return Value(value)
    ...     def value(self, result):
    ...         return result.data
    ...     def backward(self, result):
    ...         result.backward()
    ...     def gradient(self, variable):
    ...         return variable.grad
    >>> report = check_engine(Mine(), on_fail=None)
    >>> print(report.failures[0].text)
    used_twice: ...
    """
    if not (on_fail is None or (isinstance(on_fail, str) and on_fail == "raise")):
        raise ValueError(f"on_fail is 'raise' or None, not {errors.short(on_fail)}")
    for name, count, least in ("examples", examples, 1), ("seed", seed, 0):
        if not isinstance(count, int) or count < least:
            raise ValueError(
                f"{name} is an integer of at least {least}, but got {errors.short(count)}"
            )
    catalogue = _catalogue()
    require_parts(engine)
    title = str(getattr(engine, "title", type(engine).__name__))
    results = []
    for check in catalogue.values():
        result = run(check, engine, examples, seed)
        if result.status == "fails" and on_fail == "raise":
            raise AssertionError(result.text)
        results.append(result)
    return Report(title, tuple(results))


def _catalogue() -> Any:
    try:
        from tinygrad_edu.testing.catalogue import CATALOGUE
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return CATALOGUE


def _missing(error: ModuleNotFoundError) -> ModuleNotFoundError:
    message = f"engine checks need {error.name}: pip install {error.name}"
    return ModuleNotFoundError(message, name=error.name)


def run(check: Any, engine: Any, examples: int = 100, seed: int = 0) -> Result:
    """The result of one check of the catalogue."""
    from tinygrad_edu.testing.trial import Trial

    trial = Trial(engine, examples, seed)
    try:
        check.hold(trial)
    except LawError as failure:
        status, text = "fails", str(failure)
    except NotTested as reason:
        status, text = "not tested", str(reason)
    else:
        status, text = "holds", ""
    return Result(check.name, check.law, status, text, trial.refused, tuple(trial.notes))


def require_parts(engine: Any) -> None:
    """Raise TypeError if an engine lacks what every engine has."""
    if isinstance(engine, type):
        raise TypeError(f"check_engine takes an object: write check_engine({engine.__name__}())")
    needed = ("variable", "value", "backward", "gradient")
    missing = [part for part in needed if not callable(getattr(engine, part, None))]
    if missing == list(needed) and callable(getattr(engine, "grad", None)):
        return
    if missing:
        raise TypeError(
            f"{type(engine).__name__} has no {', '.join(missing)}: an engine has "
            f"{', '.join(needed)}, or grad(f) alone if it differentiates functions"
        )


def parametrize_with_engine_checks(engines: Iterable[Engine | FunctionEngine]) -> Any:
    """A decorator of pytest: a test for each engine and law, called with ``engine`` and ``check``.

    A law for which the engine lacks a part is skipped. Needs pytest and Hypothesis.

    >>> from tinygrad_edu.testing import parametrize_with_engine_checks
    >>> from tinygrad_edu.testing.adapters import TinygradEdu
    >>> @parametrize_with_engine_checks([TinygradEdu()])
    ... def test_my_engine(engine, check):
    ...     check(engine)
    """
    try:
        import pytest
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    if not isinstance(engines, Iterable):
        got = errors.short(engines)
        raise TypeError(f"it takes a list of engines, [MyEngine()], but got {got}")
    cases = []
    for engine in engines:
        require_parts(engine)
        cases += [
            pytest.param(engine, check, id=f"{type(engine).__name__}-{check.name}")
            for check in _catalogue().values()
        ]
    return pytest.mark.parametrize(("engine", "check"), cases)
