"""The catalogue: the laws that an engine of reverse mode keeps, from simple to tricky.

Each check is a function of a ``Trial``, and its docstring is the law. ``trial.agrees("y = x * x",
x=3.0)`` runs a program with the engine, and demands the value and the gradients that NumPy and
differences give; what is more than one program is written as a session, line by line. Programs are
so small, and numbers so chosen, that a classic mistake (``mistakes``) can be told by what it gives.
"""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np

from tinygrad_edu.testing import mistakes
from tinygrad_edu.testing.session import LawError, Mistake, NotTested, Session, near
from tinygrad_edu.testing.trial import Draw, Trial, numbers

Law = Callable[[Trial], None]
MISSING = {"arrays": "it is of numbers only", "cotangent": "its backward takes no cotangent"}
GRADIENT = "engine.gradient(x)"


@dataclass(frozen=True)
class Check:
    """A law, and the function that holds an engine to it."""

    name: str
    law: str  # in one sentence
    needs: tuple[str, ...]  # parts of the engine
    run: Law

    def __call__(self, engine: Any) -> None:
        """Raise AssertionError if an engine breaks the law, SkipTest if this is not for it."""
        self.hold(Trial(engine))

    def hold(self, trial: Trial) -> None:
        """As a call, for an engine on trial."""
        offered = {"arrays": trial.has_arrays, "cotangent": trial.takes_cotangent}
        for part in self.needs:
            if not offered.get(part, hasattr(trial.engine, part)):
                raise NotTested(MISSING.get(part, f"it has no {part}"))
        trial.mistakes = mistakes.GENERAL
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                self.run(trial)
            except LawError as error:
                raise LawError(f"{self.name}: {self.law}\n\n{error}") from None
        if not trial.passed:
            refused = ", ".join(trial.refused)
            raise NotTested(f"it refuses {refused}" if refused else "it has no such function")


CATALOGUE: dict[str, Check] = {}


def check(*needs: str) -> Callable[[Law], Law]:
    """Add a law to the catalogue, with the parts of an engine that it needs."""

    def add(law: Law) -> Law:
        CATALOGUE[law.__name__] = Check(law.__name__, law.__doc__ or "", needs, law)
        return law

    return add


# Single operations.

UNARY = (
    "negative square exp exp2 expm1 log log2 log10 log1p sqrt cbrt reciprocal sin cos tan arcsin "
    "arccos arctan sinh cosh tanh arcsinh arccosh arctanh absolute relu sigmoid softplus"
)
BINARY = "add subtract multiply divide power maximum minimum fmax fmin hypot logaddexp arctan2"
REDUCTIONS = "sum mean prod max min std var"
ALONG = "cumsum logsumexp log_softmax softmax"  # one axis, no keepdims
DOMAINS = {
    **dict.fromkeys(("log", "log2", "log10", "sqrt", "cbrt", "power"), (0.2, 2.5)),
    **dict.fromkeys(("log1p", "arcsin", "arccos", "arctanh"), (-0.9, 0.9)),
    "arccosh": (1.1, 2.5),
}


def _hold(trial: Trial, expression: str, low: float = -2.0, high: float = 2.0) -> None:
    """Hold an expression of x and w to differences: alone, inside another operation, on arrays."""
    for rng in range(max(1, trial.examples // 30)):
        x, w = numbers(rng, (), (), low=low, high=high)
        if not trial.agrees(f"y = {expression}", mistakes.SIGN, x=x, w=w):
            break
        trial.agrees(f"y = ({expression}) * 2.0", mistakes.CHAIN, mistakes.SIGN, x=x, w=w)
        if trial.has_arrays:
            x, w = numbers(rng, (2, 3), (2, 3), low=low, high=high)
            trial.agrees(f"y = {expression}", mistakes.SIGN, x=x, w=w)


@check()
def operators(trial: Trial) -> None:
    """Each operator has the gradients that differences give, for both of its operands."""
    for expression in "x + w", "x - w", "x * w", "x / w", "-x":
        _hold(trial, expression)
    for expression in "x ** w", "x ** 2", "x ** 3", "x ** -1", "x ** 0.5":
        _hold(trial, expression, 0.2, 2.5)


@check()
def plain_numbers(trial: Trial) -> None:
    """A number beside a variable is a constant operand, on the right and on the left."""
    for sign, number in product("+-*/", ["2.0", "2", "np.float64(2.0)"]):
        is_offered = trial.agrees(f"y = x {sign} {number}", x=3.0)
        hints = mistakes.REVERSED, mistakes.NO_REFLECTED
        trial.agrees(f"y = {number} {sign} x", *hints, x=3.0, required=is_offered)
    trial.agrees("y = 2.0 ** x", mistakes.BASE, x=3.0)


@check("functions")
def functions(trial: Trial) -> None:
    """Each function has the gradients that differences give."""
    for name in trial.offered(UNARY):
        _hold(trial, f"{name}(x)", *DOMAINS.get(name, ()))
    for name in trial.offered(BINARY):
        _hold(trial, f"{name}(x, w)", *DOMAINS.get(name, ()))


@check()
def powers(trial: Trial) -> None:
    """Powers have gradients at 0 and of negative numbers, wherever they have a slope."""
    for x, power in product([0.0, -1.5], range(4)):
        trial.agrees(f"y = x ** {power}", mistakes.POWER_OF_ZERO, x=x)
    trial.agrees("y = x ** w", mistakes.POWER_OF_ZERO, x=0.0, w=2.0)


@check("functions")
def large_numbers(trial: Trial) -> None:
    """Large numbers overflow in no function whose result and slope are small."""
    for name, x in product(trial.offered("tanh sigmoid softplus"), [1000.0, -1000.0]):
        trial.agrees(f"y = {name}(x)", mistakes.OVERFLOW, x=x)
    if trial.has_arrays:
        for name in trial.offered("logsumexp log_softmax softmax"):
            for scores in [1000.0, 0.0, 999.0], [-1000.0, -1000.0]:
                trial.agrees(f"y = {name}(x)", mistakes.OVERFLOW, x=np.array(scores))
        rows = np.array([[1000.0, 0.0], [-1000.0, 0.5]])
        trial.agrees("y = cross_entropy(x, np.array([1, 0]))", mistakes.OVERFLOW, x=rows)


# Graphs.


@check("variable", "op", "args")
def graph(trial: Trial) -> None:
    """A result knows the name of its operation and its operands, in order."""
    named = '["x" if a is x else "w" if a is w else "another" for a in engine.args(y)]'
    for program, value, names, operands in [
        ("y = x + w", 5.0, ("add", "+"), ["x", "w"]),
        ("y = x * w", 6.0, ("multiply", "*"), ["x", "w"]),
        ("y = x * x", 9.0, ("multiply", "*"), ["x", "x"]),
    ]:
        session = trial.start(mistakes.OPERANDS, x=3.0, w=2.0)
        session.demand("engine.op(x) is None", "engine.op(x)", "None, because nothing made it")
        try:
            trial.compute(session, program)
        except NotTested:
            continue
        session.expect("engine.value(y)", value)
        session.demand(f"engine.op(y) in {names}", "engine.op(y)", " or ".join(names))
        session.demand(f"{named} == {operands}", named, str(operands))


@check()
def used_twice(trial: Trial) -> None:
    """A variable that is used twice gets the sum of the gradients of both uses."""
    trial.agrees("y = x + x", mistakes.ASSIGNED, x=3.0)
    trial.agrees("y = x * x", x=3.0)
    trial.agrees("y = x * w + x", x=3.0, w=-2.0)


@check()
def order(trial: Trial) -> None:
    """A result hands its gradient on once, after all that use it have given theirs."""
    for last in "y = h + k", "y = k + h":
        program = f"h = x * x\nk = h * 2.0\nk = k * 3.0\n{last}"
        trial.agrees(program, mistakes.TOO_EARLY, mistakes.TWICE, x=3.0)


@check()
def deep(trial: Trial) -> None:
    """A graph may be as deep as memory allows, beyond Python's limit of recursion."""
    length = 2 * sys.getrecursionlimit()
    trial.agrees(f"y = x * x\nfor _ in range({length}): y = y + x", x=1.5)


@check()
def wide(trial: Trial) -> None:
    """The time of backward grows with the operations, and not with the paths through them."""
    if not trial.offers("y = x + x", x=1.5):
        raise NotTested("it has no +")
    session = trial.start(mistakes.PATHS)
    session.run("def f(y, length):\n    for _ in range(length): y = y + y\n    return y")
    if trial.has_variables:
        session.run("x = engine.variable(1.5)")
        _count(session, "y = f(x, length)\nreturn count_calls(lambda: engine.backward(y))")
    else:
        _count(session, "return count_calls(lambda: engine.grad(lambda x: f(x, length))(1.5))")
    session.run("few, more, many = calls(0), calls(6), calls(12)")
    condition = "many - more <= 4 * (more - few) + 100"
    session.demand(condition, "[few, more, many]", "as many more calls for 6 operations more")


def _count(session: Session, body: str) -> None:
    """Define calls(length) in a session: how many functions a backward pass calls."""
    session.run("from tinygrad_edu.testing.trial import count_calls")
    session.run("def calls(length):\n    " + body.replace("\n", "\n    "))
    session.run("calls(6)  # what is done only once is done now")


@check()
def unused(trial: Trial) -> None:
    """What a result does not depend on has no gradient, or 0."""
    session, (x, w) = trial.differentiate("y = x * 2.0\nz = x * w", x=3.0, w=2.0)
    session.demand(f"not {w}", w, "None or 0")
    session.expect(x, 2.0)


@check("constant")
def constants(trial: Trial) -> None:
    """Constants get no gradient, and what is computed from them costs backward nothing."""
    session = trial.start(mistakes.CONSTANT, mistakes.CONSTANTS_RECORDED, x=3.0)
    session.run("c = engine.constant(2.0)")
    trial.compute(session, "y = x * (c * c)")
    session.run("engine.backward(y)")
    session.expect(GRADIENT, 4.0)
    session.demand("not engine.gradient(c)", "engine.gradient(c)", "None or 0")
    loop = "k = c\nfor _ in range(length): k = k * c\ny = x * k\n"
    _count(session, f"{loop}return count_calls(lambda: engine.backward(y))")
    session.run("few, many = calls(0), calls(40)")
    session.demand("many <= few + 20", "[few, many]", "no more calls for 40 constants more")


@check()
def programs(trial: Trial) -> None:
    """Whole programs have the gradients that differences give."""
    steps = ["{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} * 0.5", "1.0 - {0}"]
    steps.append("{0} / ({1} * {1} + 1.0)")
    steps += [f"{name}({{0}})" for name in trial.offered("tanh sin sigmoid transpose")]
    if trial.has_arrays:
        steps += ["{0} @ {1}", "{0}[[1, 0]]", "{0}[::-1]"]
        names = trial.offered("sum mean")
        steps += [f"{name}({{0}}, axis=0, keepdims=True) + {{1}}" for name in names]
    shape = (2, 2) if trial.has_arrays else ()
    x, w = numbers(0, shape, shape)
    usable = [step for step in steps if trial.offers(f"y = {step.format('x', 'w')}", x=x, w=w)]
    if steps[0] not in usable:
        raise NotTested("it has no +")

    def law(draw: Draw) -> None:
        names = ["x", "w"]
        lines = []
        for i in range(draw.integer(1, 7)):
            newest_first = names[::-1]  # a program shrinks to a chain
            operands = draw.choice(newest_first), draw.choice(newest_first)
            names.append(f"v{i + 1}")
            lines.append(f"{names[-1]} = {draw.choice(usable).format(*operands)}")
        lines.append("y = " + " + ".join(names[2:]))  # so that each step counts
        program = "\n".join(lines)
        x, w = draw.numbers(shape, shape, low=-1.0, high=1.0)
        if trial.size(program, x=x, w=w) < 100:  # else rounding might be taken for a mistake
            trial.agrees(program, x=x, w=w)

    trial.for_all(law)


# More than one backward pass.


def _two_passes(trial: Trial, *hints: Mistake) -> Session:
    session, _ = trial.differentiate("y = x * 2.0", *hints, x=3.0)
    trial.compute(session, "z = x * 5.0")
    session.run("engine.backward(z)")
    return session


def _adds_up(trial: Trial) -> bool:
    """Whether the gradients of two results add up in a variable; else the last one stays."""
    gradient = _two_passes(trial).evaluate(GRADIENT)
    if not near(gradient, 7.0) and not near(gradient, 5.0):
        raise NotTested("it does not pass two_results")
    return near(gradient, 7.0)


@check("variable")
def two_results(trial: Trial) -> None:
    """A second result adds its gradients to those of the first, or replaces them."""
    session = _two_passes(trial, mistakes.FIRST_STAYS)
    session.demand(f"{GRADIENT} in (7.0, 5.0)", GRADIENT, "7.0, the sum, or 5.0, the last")
    convention = "add up" if _adds_up(trial) else "replace each other"
    trial.notes.append(f"gradients of several results {convention}")


@check("variable")
def second_backward(trial: Trial) -> None:
    """A second backward pass from one result adds the same again, or is refused."""
    hints = mistakes.LEFT_FROM_BEFORE, mistakes.SECOND_LOST
    session, _ = trial.differentiate("h = x * 2.0\ny = h * h", *hints, x=3.0)
    session.expect(GRADIENT, 24.0)
    error = session.may_raise("engine.backward(y)")
    session.expect(GRADIENT, 48.0 if not error and _adds_up(trial) else 24.0)
    trial.notes.append(f"a second backward is {'refused' if error else 'taken'}")


@check("variable")
def shared(trial: Trial) -> None:
    """Results that share a part of the graph have gradients of their own."""
    hints = mistakes.LEFT_FROM_BEFORE, mistakes.CUT_OFF
    session, _ = trial.differentiate("h = x * x\nz = h * 3.0\ny = h * 2.0", *hints, x=3.0)
    session.expect(GRADIENT, 12.0)
    error = session.may_raise("engine.backward(z)")
    session.expect(GRADIENT, 12.0 if error else 30.0 if _adds_up(trial) else 18.0)


@check("variable", "zero")
def forgetting(trial: Trial) -> None:
    """A gradient that is forgotten is gone, and no other with it."""
    trial.agrees("y = x * w", x=3.0, w=2.0)
    hints = mistakes.NOT_FORGOTTEN, mistakes.ALL_FORGOTTEN
    session, _ = trial.differentiate("y = x * w", *hints, x=3.0, w=2.0)
    session.run("engine.zero(x)")
    session.demand(f"not {GRADIENT}", GRADIENT, "None or 0")
    session.expect("engine.gradient(w)", 3.0)
    trial.compute(session, "z = x * 5.0")
    session.run("engine.backward(z)")
    session.expect(GRADIENT, 5.0)


@check("variable")
def itself(trial: Trial) -> None:
    """The gradient of a variable with respect to itself is 1, or is refused."""
    session = trial.start(mistakes.NO_SEED, x=3.0)
    session.expect("engine.value(x)", 3.0)
    error = session.may_raise("engine.backward(x)")
    if error:
        trial.notes.append("backward of a variable is refused")
    else:
        session.expect(GRADIENT, 1.0)


@check("grad")
def second_order(trial: Trial) -> None:
    """The gradient of a gradient is the second derivative."""
    slopes = {"x * x": "2.0 * x", "x * x * x": "3.0 * x * x", "1.0 / x": "-1.0 / (x * x)"}
    slopes |= {"x * w * w": "w * w", "exp(x)": "exp(x)", "sin(x)": "cos(x)", "log(x)": "1.0 / x"}
    slopes["tanh(x)"] = "1.0 - tanh(x) * tanh(x)"
    for f, slope in slopes.items():
        name, parenthesis, _ = f.partition("(")
        if not parenthesis or trial.offered(name):
            trial.agrees_twice(f, slope, mistakes.CONSTANT_GRADIENT, x=0.7, w=1.5)


# Data and memory.


@check("variable")
def values_kept(trial: Trial) -> None:
    """To go backward changes no value."""
    data = np.array([3.0, 1.0]) if trial.has_arrays else 3.0
    program = "h = x * w\ny = h"
    trial.agrees(program, x=data, w=data + 1.0)
    session, _ = trial.differentiate(program, mistakes.WRITTEN, x=data, w=data + 1.0)
    for name, want in {"x": data, "w": data + 1.0, "h": data * (data + 1.0)}.items():
        session.expect(f"engine.value({name})", want)


@check()
def augmented(trial: Trial) -> None:
    """x += 1 makes a new value, and what was computed from the old one keeps its gradient."""
    program = "h = x * x\ny = h * x\nh += 1.0"
    if not trial.has_variables:
        trial.agrees(program, mistakes.IN_PLACE, x=3.0)
        return
    session = trial.start(mistakes.IN_PLACE, x=3.0)
    trial.compute(session, program)
    session.expect("engine.value(y)", 27.0)
    if not session.may_raise("engine.backward(y)"):
        session.expect(GRADIENT, 27.0)


@check("variable", "assign")
def changed_data(trial: Trial) -> None:
    """Data that change before backward are refused, or the gradient is that of the old ones."""
    session = trial.start(mistakes.READ_LATE, x=2.0)
    trial.compute(session, "y = x * x")
    session.expect("engine.value(y)", 4.0)
    error = session.may_raise("engine.assign(x, 5.0)") or session.may_raise("engine.backward(y)")
    if not error:
        session.expect(GRADIENT, 4.0)
    trial.notes.append("changed data are " + ("refused" if error else "no matter"))


@check("variable", "assign")
def refused_backward(trial: Trial) -> None:
    """A backward pass that is refused changes no gradient."""
    session = trial.start(mistakes.HALF_DONE, x=2.0, w=3.0)
    trial.compute(session, "y = w + x * x")
    session.expect("engine.value(y)", 7.0)
    session.run("before = str(engine.gradient(w))")
    if session.may_raise("engine.assign(x, 5.0)") or not session.may_raise("engine.backward(y)"):
        raise NotTested("its backward does not refuse changed data")
    after = "str(engine.gradient(w))"
    session.demand(f"{after} == before", after, session.names["before"])


@check()
def integers(trial: Trial) -> None:
    """Integers are refused, or have the gradient of the same number with a point."""
    session = trial.start(mistakes.TRUNCATED, mistakes.INTEGER_LOST)
    if trial.has_variables:
        lines = ["x = engine.variable(3)", "y = x * 0.5", "engine.backward(y)"]
    else:
        lines = ["def f(x): return x * 0.5", "gradients = engine.grad(f)(3)"]
    if any(session.may_raise(line) for line in lines):
        trial.notes.append("integers are refused")
    else:
        session.expect(GRADIENT if trial.has_variables else "gradients[0]", 0.5)


@check("variable")
def memory(trial: Trial) -> None:
    """What is dropped is freed at once: no cycle waits for the garbage collector."""
    was_enabled = gc.isenabled()
    for last in "", "engine.backward(y)\n":
        session = trial.start(mistakes.CYCLE, x=1.01)
        session.run("import gc; gc.disable(); gc.freeze()  # count nothing that was there before")
        try:
            trial.compute(session, f"y = x\nfor _ in range(100): y = y * x\n{last}del y")
            session.run("waiting = gc.collect(); gc.unfreeze(); gc.enable()")
        finally:
            gc.unfreeze()
            (gc.enable if was_enabled else gc.disable)()
        session.demand("waiting < 50", "waiting", "no objects, after 100 operations")


# Where there is no derivative.


@check("functions")
def ties(trial: Trial) -> None:
    """At a tie the gradient is shared, neither lost nor given twice."""
    hints = mistakes.EACH_TIE, mistakes.NO_TIE
    for name in trial.offered("maximum minimum"):
        session, (x, w) = trial.differentiate(f"y = {name}(x, w)", *hints, x=2.0, w=2.0)
        session.expect(f"{x} + {w}", 1.0)
        trial.notes.append(f"{name} of equal x and w gives x the slope {session.evaluate(x):.3g}")
    for name in trial.offered("max min") if trial.has_arrays else []:
        session, (x,) = trial.differentiate(f"y = {name}(x)", *hints, x=np.array([2.0, 2.0]))
        session.expect(f"{x}[0] + {x}[1]", 1.0)
        trial.notes.append(f"{name} of equal numbers gives the slopes {session.evaluate(x)}")


@check("functions")
def kinks(trial: Trial) -> None:
    """At a kink the gradient is one of the slopes beside it, or lies between them."""
    for name, low in ("relu", 0), ("absolute", -1):
        if trial.offered(name):
            session, (x,) = trial.differentiate(f"y = {name}(x)", mistakes.ZERO_BY_ZERO, x=0.0)
            session.demand(f"{low} <= {x} <= 1", x, f"a slope from {low} to 1")
            trial.notes.append(f"the slope of {name} at 0 is {session.evaluate(x):.3g}")


# Arrays.


@check("arrays")
def broadcasting(trial: Trial) -> None:
    """The gradient of an operand that was broadcast is summed to its shape."""
    expressions = ["x + w", "x - w", "x * w", "x / w"]
    expressions += [f"{name}(x, w)" for name in trial.offered("maximum minimum")]
    wheres = [f"{name}(np.array([[True], [False]]), x, w)" for name in trial.offered("where")]
    for first, second in product([(), (1,), (3,), (1, 3), (2, 1), (2, 3)], repeat=2):
        x, w = numbers(0, first, second)
        for expression in expressions + wheres:
            trial.agrees(f"y = {expression}", x=x, w=w)

    def law(draw: Draw) -> None:
        x, w = draw.numbers(*draw.shapes(2))
        trial.agrees(f"y = {draw.choice(expressions)}", x=x, w=w)

    trial.for_all(law)


@check("arrays")
def plain_arrays(trial: Trial) -> None:
    """An array beside a variable is a constant operand, on the right and on the left."""
    x = np.array([0.5, -1.5])
    for sign in "+-*/":
        is_offered = trial.agrees(f"y = x {sign} np.array([2.0, 3.0])", x=x)
        trial.agrees(f"y = np.array([2.0, 3.0]) {sign} x", x=x, required=is_offered)
    trial.agrees("y = np.array([[2.0, 3.0], [4.0, 5.0]]) @ x", x=x)


@check("arrays", "functions")
def reductions(trial: Trial) -> None:
    """Reductions along any axes, counted from either end, have the gradients of differences."""
    for shape in (3,), (2, 2), (2, 2, 2):  # squares, on which a mixture of axes goes unnoticed
        (x,) = numbers(0, shape)
        single = list(range(-len(shape), len(shape)))
        several = [*permutations(range(len(shape)), 2), (0, -1)] if len(shape) > 1 else []
        for name, axis in product(trial.offered(REDUCTIONS), [None, *single, *several]):
            for keepdims in "", ", keepdims=True":
                trial.agrees(f"y = {name}(x, axis={axis}{keepdims})", x=x)
        for name, axis in product(trial.offered(ALONG), single):
            trial.agrees(f"y = {name}(x, axis={axis})", x=x)


@check("arrays", "functions")
def rearranging(trial: Trial) -> None:
    """To move numbers moves their gradients back, on square shapes, too."""
    x, w = numbers(0, (2, 2, 2), (2, 2, 2))
    signs = list(product([0, 3], repeat=3))  # axes from either end, in any mixture
    orders = [np.subtract(*pair).tolist() for pair in product(permutations(range(3)), signs)]
    calls = ["transpose(x)", *(f"transpose(x, {tuple(order)})" for order in orders)]
    calls += ["reshape(x, (4, 2))", "reshape(x, (2, -1))", "ravel(x)", "flip(x, 1)", "flip(x, -1)"]
    calls += ["swapaxes(x, 0, -1)", "moveaxis(x, 0, -1)", "expand_dims(x, 1)", "roll(x, 1, 0)"]
    calls += [f"concatenate([x, w], axis={axis})" for axis in range(-3, 3)]
    calls += [f"stack([x, w], axis={axis})" for axis in range(-4, 4)]
    calls += ["broadcast_to(x, (3, 2, 2, 2))", "squeeze(x[:1], 0)"]
    for call in calls:
        if trial.offered(call.partition("(")[0]):
            trial.agrees(f"y = {call}", x=x, w=w)


@check("arrays")
def indexing(trial: Trial) -> None:
    """An index hands gradients back to where it points, and adds them where it points twice."""
    program = "y = x[[2, 2]] @ np.array([1.0, 1.0])"
    trial.agrees(program, mistakes.REPEATS, x=np.array([1.0, 2.0, 3.0]))
    (x,) = numbers(0, (3, 3))
    basic = "0; -1; 1:; ::-1; ::2; 1, 2; :, 0; :, -1; ..., 0; None; :, None, 1:"
    whole = "[2, 0]; [0, 0, 1]; [-1, 2]; :, [1, 1]; [0, 0], [1, 1]; np.array([[0, 1], [0, 0]])"
    for index in f"{basic}; {whole}; np.array([True, False, True])".split("; "):
        trial.agrees(f"y = x[{index}]", x=x)


@check("arrays")
def matmul(trial: Trial) -> None:
    """Products of matrices, vectors and stacks have the gradients of differences."""
    shapes = "3@3 23@3 3@32 23@32 22@22 423@32 23@432 3@432 423@3 4123@232 122@222"
    for pair in shapes.split():
        left, right = (tuple(map(int, side)) for side in pair.split("@"))
        x, w = numbers(0, left, right)
        trial.agrees("y = x @ w", x=x, w=w)


@check("arrays", "cotangent")
def cotangents(trial: Trial) -> None:
    """Backward is linear in the cotangent, which has the shape of the result."""
    x = np.array([1.0, 2.0, 3.0])
    for cotangent in [1.0, 10.0, 100.0], [0.0, 0.0, 0.0]:
        session = trial.start(x=x)
        trial.compute(session, "y = x * x")
        session.run(f"engine.backward(y, np.array({cotangent}))")
        session.expect(GRADIENT, 2.0 * x * cotangent)
    for shape in (2,), (2, 3):
        session = trial.start(mistakes.COTANGENT_BROADCAST, x=x)
        trial.compute(session, "y = x * x")
        line = f"engine.backward(y, np.ones({shape}))"
        session.demand_error(line, f"an error, because y has shape (3,), not {shape}")


@check("variable", "arrays", "cotangent")
def aliasing(trial: Trial) -> None:
    """A gradient shares memory with no other array: who changes one, changes no other."""
    for program in "y = x + w", "y = x * w", "y = x - w", "y = reshape(x, (2,)) + w":
        hint = mistakes.SHARED_MEMORY
        session = trial.start(hint, x=np.array([3.0, 4.0]), w=np.array([5.0, 6.0]))
        session.run("c = np.array([1.0, -2.0])")
        try:
            trial.compute(session, program)
        except NotTested:
            continue
        session.run("engine.backward(y, c)")
        for other in "engine.gradient(w)", "engine.value(x)", "engine.value(w)", "c":
            shares = f"np.shares_memory({GRADIENT}, {other})"
            session.demand(f"not {shares}", shares, f"memory apart from {other}")


@check("arrays")
def dtypes(trial: Trial) -> None:
    """float32 stays float32, beside numbers of Python and in gradients."""
    expressions = ["x * 2.0", "1 - x", "x / 3", "x ** 2", "-x", "x[0]", "x @ x"]
    names = trial.offered("exp log sigmoid sum mean max softmax")
    for expression in expressions + [f"{name}(x)" for name in names]:
        x = np.array([0.5, 1.5], np.float32)
        try:
            session, results = trial.differentiate(f"y = {expression}", mistakes.DOUBLE, x=x)
        except NotTested:
            continue
        if trial.has_variables:
            results.insert(0, "engine.value(y)")
        for result in results:
            dtype = f"np.asarray({result}).dtype"
            session.demand(f"{dtype} == np.float32", f"str({dtype})", "float32")


@check("arrays")
def empty_arrays(trial: Trial) -> None:
    """Arrays without elements keep the graph, and have gradients without elements."""
    for shape in (0,), (0, 3), (2, 0):
        trial.agrees("y = x * 2.0", x=np.zeros(shape))
        if trial.offered("sum"):
            trial.agrees("y = sum(x) + sum(w)", x=np.zeros(shape), w=np.array([1.0, 2.0]))
    trial.agrees("y = x @ w", x=np.zeros((2, 0)), w=np.zeros((0, 3)))


# Last, because an engine whose no_grad leaks is of no use afterwards.

THREAD = """
import threading
inside, done = threading.Event(), threading.Event()
def other():
    with engine.no_grad():
        inside.set()
        done.wait(10)
thread = threading.Thread(target=other)
thread.start()
inside.wait(10)
try:
    y = x * x
finally:
    done.set()
    thread.join()
"""


@check("variable", "no_grad")
def threads(trial: Trial) -> None:
    """no_grad holds for the thread that has entered it, and for no other."""
    trial.agrees("y = x * x", x=3.0)
    session = trial.start(mistakes.ONE_FOR_ALL, x=3.0)
    trial.compute(session, THREAD.strip())
    session.run("engine.backward(y)")
    session.expect(GRADIENT, 6.0)


@check("variable", "no_grad")
def no_grad(trial: Trial) -> None:
    """Inside no_grad nothing is recorded, and after it everything, whatever happened inside."""
    trial.agrees("y = x * x", x=3.0)
    block = "with engine.no_grad():\n    "
    inner = "with engine.no_grad(): pass\n    "
    for nested, mistake in ("", mistakes.STILL_RECORDED), (inner, mistakes.INNER_ENDS_ALL):
        session = trial.start(mistake, x=3.0)
        trial.compute(session, f"{block}{nested}c = x * x\ny = c * x")
        session.run("engine.backward(y)")
        session.expect(GRADIENT, 9.0)
    session = trial.start(mistakes.LEAKS, x=3.0)
    session.may_raise("try:\n    with engine.no_grad(): raise KeyError\nexcept KeyError: pass")
    trial.compute(session, "y = x * x")
    session.run("engine.backward(y)")
    session.expect(GRADIENT, 6.0)
