"""``steps``: it tells what the engine does, in the engine's order, with the engine's numbers."""

import base64
import gc
import hashlib
import html
import inspect
import json
import math
import operator
import os
import re
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Sequence
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from strategies import OPERATIONS
from test_programs import programs, run

import tinygrad_edu
from tinygrad_edu import Tensor, debug, draw, functional, losses, no_grad, ops, primitive, steps
from tinygrad_edu.backprop import plain
from tinygrad_edu.drawing import text as drawing_text
from tinygrad_edu.drawing.formula import Letter, formula_of
from tinygrad_edu.drawing.steps import MOST_NODES
from tinygrad_edu.modes import Watcher, mode
from tinygrad_edu.testing.strategies import arrays

JAVASCRIPT = Path(tinygrad_edu.__file__).parent.joinpath("drawing", "page.js").read_text("utf-8")
RNG = np.random.default_rng(0)


def parameter(data, name=None, **options):
    return Tensor(data, requires_grad=True, name=name, **options)


def neuron():
    x, w, b = Tensor([1.0, -2.0], name="x"), parameter([0.5, 0.25], "w"), parameter(0.1, "b")
    return functional.sigmoid((w * x).sum() + b), [w, b]


def cross_entropy():
    x, y = RNG.normal(size=(4, 2)), np.array([0, 1, 2, 0])
    w, b = parameter(RNG.normal(size=(3, 2)), "W"), parameter(np.zeros(3), "b")
    return losses.cross_entropy(x @ w.T + b, y), [w, b]


def hinge():
    scores = parameter([0.5, -2.0, 3.0, 1.0], "s")  # the last one stands on the kink
    return losses.hinge(scores, np.array([1, 1, -1, 1])), [scores]


def broadcasting():
    column, row, number = parameter([[1.0], [2.0]]), parameter([0.1, 0.2, 0.3]), parameter(0.7)
    return ((column + row) * number * np.ones((2, 1, 3))).mean(), [column, row, number]


def reused():
    x = parameter(3.0, "x")
    return x * x * x + x / x - x, [x]


def float32():
    x, w = parameter([0.1, 0.2, 0.3], dtype=np.float32), parameter(1.7, dtype=np.float32)
    return np.exp(x * w).sum() / 3, [x, w]


def diamonds():
    x = parameter([0.3, -0.4], "x")
    left, right = np.tanh(x), np.sin(x)
    both = left * right
    return ((both + left) * (both - right)).sum(), [x]


def one_leaf():
    x = parameter(3.0, "x")
    return x, [x]


GRAPHS = [
    neuron, cross_entropy, hinge, broadcasting, reused, float32, diamonds, one_leaf
]  # fmt: skip
on_each_graph = pytest.mark.parametrize("build", GRAPHS, ids=lambda build: build.__name__)


class Recorder(Watcher):
    """A watcher that keeps what the engine does, in the order in which it does it."""

    def __init__(self):
        self.ran, self.grown = [], []

    def computed(self, result, op, args, params):  # noqa: ARG002
        self.ran.append(result)

    def pulled_back(self, node, arg, gradient):
        self.grown.append((node, arg, np.array(gradient)))

    def finished(self, results):
        pass


@contextmanager
def recorded():
    recorder, before = Recorder(), mode.get()
    mode.set(before._replace(watchers=(*before.watchers, recorder)))
    try:
        yield recorder
    finally:
        mode.set(before)


def once(tensors):
    return list(dict.fromkeys(tensors))


def is_same(a, b):
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def chain(length):
    result = parameter(1.0)
    for _ in range(length):
        result = result + 1.0
    return result


# What the steps are.


@on_each_graph
def test_operations_in_the_order_they_ran_then_the_seed_then_backward_in_its_order(build):
    with recorded() as engine:
        root, _ = build()
    told = steps(root)
    with recorded() as backward:
        root.backward()
    expected = [
        *(("forward", tensor) for tensor in engine.ran),
        ("seed", root),
        *(("backward", tensor) for tensor in once(node for node, _, _ in backward.grown)),
    ]
    assert [step.phase for step in told] == [phase for phase, _ in expected]
    assert all(step.tensor is tensor for step, (_, tensor) in zip(told, expected, strict=True))
    assert len(told) == 2 * len(engine.ran) + 1


@on_each_graph
def test_every_step_knows_the_gradients_as_far_as_backward_had_come(build):
    root, _ = build()
    told = steps(root)
    with recorded() as backward:
        root.backward()
    known = {}
    for step in told:
        if step.phase == "seed":
            known[root] = np.ones(root.shape, root.dtype)
        if step.phase == "backward":
            known |= {arg: total for node, arg, total in backward.grown if node is step.tensor}
        assert step.gradients.keys() == known.keys()
        assert all(np.array_equal(step.gradients[each], known[each]) for each in known)


@on_each_graph
def test_the_last_gradients_are_those_of_backward_bit_for_bit(build):
    root, leaves = build()
    last = steps(root)[-1]
    root.backward()
    assert {tensor for tensor in last.gradients if tensor.is_leaf} == set(leaves)
    for leaf in leaves:
        assert is_same(last.gradients[leaf], leaf.grad)


@given(programs())
def test_the_last_gradients_of_random_programs_are_those_of_backward(program):
    leaves, operations = program
    tensors = [parameter(leaf) for leaf in leaves]
    root = run(operations[:6], *tensors)  # more might not fit
    told = steps(root)
    assert all(tensor.grad is None for tensor in tensors)
    with recorded() as backward:
        root.backward()
    reached = once(step.tensor for step in told if step.phase == "backward")
    assert reached == once(node for node, _, _ in backward.grown)
    for tensor in tensors:
        assert is_same(told[-1].gradients[tensor], tensor.grad)


def test_number_count_phase_and_title():
    w, x = parameter(3.0, "w"), Tensor(2.0, name="x")
    told = [(step.number, step.count, step.phase, step.title) for step in steps(w * x + 1.0)]
    assert told == [
        (1, 5, "forward", "forward: v1 = w * x"),
        (2, 5, "forward", "forward: v2 = v1 + 1"),
        (3, 5, "seed", "seed: dv2/dv2 = 1"),
        (4, 5, "backward", "backward through v2 = v1 + 1"),
        (5, 5, "backward", "backward through v1 = w * x"),
    ]


def test_what_needs_no_gradient_gets_none():
    x, w = Tensor([1.0, 2.0], name="x"), parameter([3.0, 4.0], "w")
    (derivation,) = steps((x * w).sum())[-1].derivations
    assert derivation.target == "dv2/dw"
    assert x not in steps((x * w).sum())[-1].gradients


def test_a_leaf_has_the_seed_as_its_only_step():
    (step,) = steps(parameter(3.0, "x"))
    assert str(step) == (
        "step 1 of 1, seed: dx/dx = 1\n  dx/dx = 1: of any change of x, all of it arrives at x"
    )


# What they say.


def said(step):
    """A step without its title, from the margin."""
    return textwrap.dedent(str(step).partition("\n")[2])


def lines(text):
    return textwrap.dedent(text).strip("\n")


def test_a_step_in_full():
    w = parameter(3.0, "w")
    assert str(steps(w * 2.0)) == lines(
        """
        step 1 of 3, forward: v1 = w * 2
          v1 = w * 2
             = 3 * 2
             = 6
        step 2 of 3, seed: dv1/dv1 = 1
          dv1/dv1 = 1: of any change of v1, all of it arrives at v1
        step 3 of 3, backward through v1 = w * 2
          dv1/dw = g * b
                 = dv1/dv1 * 2
                 = 1 * 2
                 = 2
        """
    )


def test_where_paths_meet_each_sum_is_told_and_negative_numbers_stand_in_brackets():
    x = parameter(-3.0, "x")
    assert said(steps(x * x + x)[-1]) == lines(
        """
        dv2/dx = g * b
               = dv2/dv1 * x
               = 1 * (-3)
               = -3
                 was 1, now -2: another path adds
        dv2/dx = g * a
               = dv2/dv1 * x
               = 1 * (-3)
               = -3
                 was -2, now -5: another path adds
        """
    )


def test_where_broadcasting_repeated_an_argument_the_sum_is_told():
    x, b = np.arange(6.0).reshape(3, 2), parameter([1.0, -2.0], "b")
    told = steps(((x + b) * 2.0).sum(), names={"X": x})
    assert said(told[0]) == "v1 = X + b\n   = ‹3×2› + [1, -2]\n   = mean 2, std 1.91 (3, 2)"
    assert said(told[-1]) == lines(
        """
        dv3/db = g
               = dv3/dv1
               = mean 2, std 0 (3, 2)
                 sum over axis 0, along which b was repeated: [6, 6]
        """
    )


def test_several_axes_are_told_before_the_sum_with_another_path():
    w = parameter(2.0, "w")
    told = said(steps((w * np.ones((2, 3))).sum() + w)[-1])
    assert told.splitlines()[-2:] == [
        "         sum over axes 0, 1, along which w was repeated: 6",
        "         was 1, now 7: another path adds",
    ]


def test_an_argument_that_was_not_repeated_has_no_note():
    told = steps((parameter([1.0, 2.0]) * [3.0, 4.0]).sum())
    assert not any(derivation.notes for step in told for derivation in step.derivations)


def test_large_arrays_are_written_by_their_shape():
    x, w = np.ones((2, 3)), parameter(np.ones((3, 4)), "W")
    told = steps((x @ w).sum(), names={"x": x})
    assert said(told[0]) == "v1 = x @ W\n   = ‹2×3› @ ‹3×4›\n   = mean 3, std 0 (2, 4)"
    assert said(told[-1]).splitlines() == [
        "dv2/dW = a.T @ g",
        "       = x.T @ dv2/dv1",
        "       = ‹2×3›.T @ ‹2×4›",
        "       = mean 2, std 0 (3, 4)",
    ]


def test_precision_rounds_what_is_shown_and_nothing_else():
    root = parameter(1.0, "w") / 3.0
    assert [steps(root, precision=p)[0].derivations[0].expressions[-1] for p in (2, 5)] == [
        "0.33",
        "0.33333",
    ]
    assert steps(root, precision=1)[-1].gradients[root.args[0]] == 1 / 3


def test_names_are_those_given_in_letters_and_in_derivatives():
    a, b = parameter(2.0), parameter(3.0, "own")
    loss = a * b
    told = steps(loss, names={"first": a, "loss": loss})
    assert [step.title for step in told] == [
        "forward: loss = first * own",
        "seed: dloss/dloss = 1",
        "backward through loss = first * own",
    ]
    assert [each.target for each in told[-1].derivations] == ["dloss/dfirst", "dloss/down"]


def test_letters_are_replaced_as_whole_words_and_once():
    a, b = parameter(2.0, "b"), parameter(3.0, "a")  # named like the letters of the rule
    first, second = steps(a * b)[-1].derivations
    assert first.expressions[:2] == ("g * right", "dv1/dv1 * a")
    assert second.expressions[:2] == ("g * left", "dv1/dv1 * b")
    (derivation,) = steps(functional.softplus(parameter(0.0, "x")))[-1].derivations
    assert derivation.expressions[:2] == ("g * sigmoid(x)", "dv1/dv1 * sigmoid(x)")


def test_a_letter_that_names_something_else_gives_way_to_a_word():
    z = parameter(2.0, "z")
    y = 3.0 * functional.sigmoid(z)
    (derivation,) = steps(y, names={"y": y, "out": z})[-1].derivations
    assert derivation.expressions[0] == "g * out_ * (1 - out_)"
    (derivation,) = steps(functional.sigmoid(z), names={"y": z})[-1].derivations
    assert derivation.expressions[0] == "g * out * (1 - out)"


def test_a_letter_that_names_what_it_stands_for_stays():
    a, b = parameter(2.0, "a"), parameter(3.0, "b")
    first, second = steps(a * b)[-1].derivations
    assert (first.expressions[0], second.expressions[0]) == ("g * b", "g * a")


def test_what_is_said_beside_a_rule_uses_its_words():
    b = parameter(0.0, "b")
    (derivation,) = steps(b**2.0)[-1].derivations
    assert derivation.expressions[0] == "g * right * a ** (right - 1)"
    (derivation,) = steps(parameter(2.0, "b") ** 0.0)[-1].derivations
    assert derivation.notes == ("where right == 0, the slope along a is 0",)


def test_the_rule_of_ones_own_primitive_is_shown_by_its_docstring():
    def slope(g, y, x):  # noqa: ARG001
        """g * 3 * x ** 2

        And more that nobody needs here.
        """
        return g * 3 * x**2

    def cube(x):
        return x**3

    told = said(steps(primitive(cube, slope)(parameter(-2.0, "x")))[-1])
    assert told.splitlines() == [
        "dv1/dx = g * 3 * x ** 2",
        "       = dv1/dv1 * 3 * x ** 2",
        "       = 1 * 3 * (-2) ** 2",
        "       = 12",
    ]


class Doubling:
    """A rule that is an object."""

    def __call__(self, g, *_):
        return 2 * g

    def method(self, g, *_):
        """Not shown: only functions are."""
        return 2 * g


def scaled(factor, g, *_):
    """2 * g"""
    return factor * g


@pytest.mark.parametrize(
    ("rule", "formula"),
    [
        (lambda g, y, x: 2 * g, "2 * g"),
        (lambda *everything: 2 * everything[0], "the rule of cube"),
        (partial(scaled, 2), "2 * g"),
        (max, "the rule of cube"),  # has no signature
        (partial(np.where), "the rule of cube"),
        (Doubling(), "the rule of cube"),
        (Doubling().method, "the rule of cube"),
    ],
    ids=["no docstring", "starred", "partial", "builtin", "partial builtin", "object", "method"],
)
def test_rules_of_any_kind_are_told(rule, formula):
    def cube(x):
        return x**3

    (derivation,) = steps(primitive(cube, rule)(parameter(1.0, "x")))[-1].derivations
    assert derivation.expressions[0] == formula


def test_negative_numbers_that_were_passed_as_they_are_stand_in_brackets_too():
    power, difference = steps((-2.0) ** parameter(2.0, "x") - -1.0)[:2]
    assert power.derivations[0].expressions == ("(-2) ** x", "(-2) ** 2", "4")
    assert difference.derivations[0].expressions == ("v1 - (-1)", "4 - (-1)", "5")


def test_a_negative_number_on_its_own_stands_once_and_without_brackets():
    (derivation,) = steps((parameter(1.0, "x") + 1.0) * -2.0)[-1].derivations
    assert derivation.expressions == ("g", "dv2/dv1", "-2")


# The formulas of the table.

IN_WORDS = {  # by operation and argument; every other formula is code
    (np.reshape, 0),
    (np.transpose, 0),
    (np.sum, 0),
    (np.mean, 0),
    (np.max, 0),
    (np.min, 0),
    (np.cumsum, 0),
    (ops.getitem, 0),
    (ops.concatenate, 0),
    (ops.cast, 0),
    (ops.contract, 0),
    (ops.contract, 1),
}

matrices = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)).flatmap(
    lambda nkm: st.tuples(st.tuples(arrays(nkm[:2]), arrays(nkm[1:])), st.just({}))
)
square = st.integers(1, 3).flatmap(
    lambda n: st.tuples(arrays((n, n)).map(lambda x: x + 4 * np.eye(n)), arrays((n, 2)))
)
DOMAINS = (
    OPERATIONS
    | {  # x.T means what it says where x has two axes
        np.matmul: matrices,
        np.linalg.solve: square.map(lambda pair: (pair, {})),
        ops.logabsdet: square.map(lambda pair: (pair[:1], {})),
    }
)


RULES = {
    (op, i): rule
    for op in OPERATIONS
    if (rules := ops.derivatives.get(op))
    for i, rule in enumerate([rules.rule] if isinstance(rules, ops.Each) else rules)
    if rule is not None
}


def by_name(operation_and_argument):
    op, i = operation_and_argument
    return f"{ops.name(op)}-{i}"


def is_code(formula):
    try:
        compile(formula, "formula", "eval")
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("key", RULES, ids=by_name)
def test_every_rule_has_a_formula_of_one_line_in_code_or_in_words(key):
    formula, letters = formula_of(RULES[key], key[0])
    assert not formula.startswith("the rule of")
    assert letters
    assert "\n" not in formula
    assert is_code(formula) != (key in IN_WORDS)


def test_no_rule_is_forgotten():
    assert RULES.keys() > IN_WORDS
    assert {op for op, _ in RULES} == OPERATIONS.keys() & ops.derivatives.keys()


@pytest.mark.parametrize("key", [key for key in RULES if key not in IN_WORDS], ids=by_name)
@settings(max_examples=20)
@given(data=st.data())
def test_a_formula_in_code_gives_what_its_rule_gives(key, data):
    (op, _), rule = key, RULES[key]
    args, named = data.draw(DOMAINS[op])
    y = op(*args, **named)
    g = data.draw(arrays(np.shape(y)))
    expected = rule(g, y, *args, **named)
    formula, letters = formula_of(rule, op)
    known = dict(zip(letters, (g, y, *args), strict=False)) | named
    found = eval(formula, vars(np) | {"sigmoid": functional.sigmoid} | known)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_every_lambda_of_the_table_is_told_by_its_code():
    told = [key for key, rule in RULES.items() if rule.__name__ == "<lambda>"]
    assert len(told) > 30
    assert IN_WORDS.isdisjoint(told)


# A random rule is a letter, or a function and its arguments: rules, and numbers beside a rule.
UNARY = [operator.neg, operator.pos, abs, np.sin, np.negative, lambda x: x.T]
BINARY = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul),
    *(operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
    *(np.add, np.multiply, np.minimum, np.less, operator.and_, operator.mod),
    lambda a, b: np.where(a, b, 0),
]
letter = st.sampled_from("gyx")
number = st.sampled_from([2, -3, 0.5, -1.5])


def deeper(rules):
    binary = st.sampled_from(BINARY)
    return (
        letter
        | st.tuples(st.sampled_from(UNARY), rules)
        | st.tuples(binary, rules, rules)
        | st.tuples(binary, rules, number)
        | st.tuples(binary, number, rules)
    )


def applied(rule, meaning):
    if isinstance(rule, tuple):
        function, *args = rule
        return function(*(applied(arg, meaning) for arg in args))
    return meaning.get(rule, rule)


@given(rule=deeper(deeper(deeper(letter))), seed=st.integers(0, 2**32 - 1))
def test_the_formula_of_a_random_rule_gives_its_numbers_bit_for_bit(rule, seed):
    meaning = dict(zip("gyx", np.random.default_rng(seed).normal(size=(3, 2, 2)), strict=True))
    formula = applied(rule, {name: Letter(name) for name in meaning}).text
    with np.errstate(all="ignore"):
        try:
            expected = applied(rule, meaning)
        except (TypeError, ValueError):  # the difference of two comparisons, a number @ a matrix
            reject()
        found = eval(formula, vars(np) | meaning)
    assert is_same(found, expected), formula


@pytest.mark.parametrize(
    ("rule", "formula"),
    [
        (lambda g, y, x: (g < y) < x, "(g < y) < x"),
        (lambda g, y, x: (g**y) ** x, "(g ** y) ** x"),
        (lambda g, y, x: g ** (y**-x), "g ** y ** (-x)"),
        (lambda g, y, x: -g * -x - -(y / x), "-g * (-x) - (-(y / x))"),
        (lambda g, y, x: (-2) ** g * -3, "(-2) ** g * (-3)"),
        (lambda g, y, x: g * (y @ x) * (x @ g), "g * (y @ x) * (x @ g)"),
        (lambda g, y, x: np.float64(2) * g + (np.float64(-1) < y), "2.0 * g + (-1.0 < y)"),
        (lambda g, y, x: np.multiply(g + y, 2 - x), "(g + y) * (2 - x)"),
        (lambda g, y, x: np.power(-g, 2), "(-g) ** 2"),
        (lambda g, y, x: np.add(g, y, where=x), "add(g, y, where=x)"),
        (lambda g, y, x: np.transpose(g, (1, 0)), "transpose(g, (1, 0))"),
        (
            lambda g, y, x: np.sum(np.concatenate([g, x]), axis=(0,)),
            "sum(concatenate([g, x]), axis=(0,))",
        ),
        (lambda g, y, x, n=2: g * n * x ** (n - 1), "g * n * x ** (n - 1)"),
        (lambda g, y, x, /, *, n=2: g * n, "g * n"),
        (lambda g, *_: 2 * g, "2 * g"),
    ],
)
def test_a_formula_is_what_a_rule_does_with_letters(rule, formula):
    assert formula_of(rule, np.exp)[0] == formula


def test_the_letters_of_a_formula_are_its_positional_parameters():
    for rule in (lambda g, y, x: g, lambda g, y, x, /: g, lambda g, y, x, *_, n=1: g):
        assert formula_of(rule, np.exp)[1] == ["g", "y", "x"]


def squared_often(g, *_):
    for _ in range(20):
        g = g * g
    return g


def adding_in_place(g, y, *_):
    g += y
    return g


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, y, x: g if x > 0 else -g,
        lambda g, y, x: g * (x > 0 and y > 0),
        lambda g, y, x: g * math.exp(x),
        lambda g, y, x: g.reshape(x.shape),
        lambda g, y, x: g * np.ones(2),
        lambda g, y, x: np.ones(1) * g,
        lambda g, y, x: np.add.reduce(g),
        lambda g, y, x: np.sum(g, dtype=float),
        lambda g, y, x: 0.0,
        lambda *everything: 2 * everything[0],
        adding_in_place,
        squared_often,
    ],
    ids=[
        *("if", "and", "math", "shape", "array", "from array", "reduce", "dtype"),
        *("constant", "starred", "in place", "long"),
    ],
)
def test_where_letters_are_not_enough_a_rule_is_only_named(rule):
    assert formula_of(rule, np.exp) == ("the rule of exp", [])


def test_a_rule_without_source_is_told():
    written = {}
    exec("rule = lambda g, y, a, b: g * b", written)  # as in an interactive session
    with pytest.raises(OSError, match="source"):
        inspect.getsource(written["rule"])
    assert formula_of(written["rule"], np.multiply) == ("g * b", ["g", "y", "a", "b"])


def test_rules_are_told_by_a_package_in_a_zip_file(tmp_path):
    package = Path(tinygrad_edu.__file__).parent
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for path in package.rglob("*.py"):
            archive.write(path, path.relative_to(package.parent))
    code = """
        import sys
        sys.path.insert(0, "package.zip")
        import numpy as np, tinygrad_edu
        assert "package.zip" in tinygrad_edu.__file__
        w = tinygrad_edu.Tensor(3.0, requires_grad=True)
        print(tinygrad_edu.steps(np.sign(w * 2.0)))
    """
    run = [sys.executable, "-c", textwrap.dedent(code)]
    told = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert " = g * b\n" in told
    assert " = zeros_like(g)\n" in told


# A pure reader.


def test_nothing_changes():
    x, w = Tensor([1.0, 2.0], name="x"), parameter([3.0, 4.0])
    w.grad = [0.1, 0.2]
    hidden = w * x
    loss = hidden.sum()

    def state():
        tensors = (x, w, hidden, loss)
        contents = [(id(plain(each)), plain(each).tobytes(), each.name) for each in tensors]
        graph = loss.op, loss.args, hidden.args, hidden._time, w._time, w._passes
        return contents, w.grad.tobytes(), graph, mode.get(), np.geterr()

    before = state()
    told = steps(loss, names={"h": hidden})
    str(told), told.html(), told._repr_mimebundle_()
    assert state() == before
    loss.backward()
    assert w.grad.tolist() == [0.1 + 1.0, 0.2 + 2.0]
    with pytest.raises(RuntimeError, match="backward"):
        loss.backward()


def test_steps_may_be_told_as_often_as_one_likes_and_after_backward():
    root, leaves = neuron()
    first = str(steps(root))
    root.backward()
    assert str(steps(root)) == first
    root, leaves = neuron()
    root.backward(retain_graph=True)
    steps(root)
    root.backward()
    assert leaves[1].grad == 2 * steps(root)[-1].gradients[leaves[1]]


def test_modes_around_make_no_difference():
    root, _ = neuron()
    plain = str(steps(root))
    with debug(), no_grad():
        assert str(steps(root)) == plain


def test_numbers_that_are_not_finite_are_told_without_a_warning():
    x = parameter([0.0, 1e200], "x")
    with np.errstate(all="ignore"):
        root = (np.log(x) * x * x).sum()
    with debug():
        told = steps(root)
    assert "inf" in str(told)
    assert "nan" in str(told)
    assert "inf" in told.html()


def test_steps_stay_what_they_were():
    w = parameter([1.0, 2.0], "w")
    told = steps((w * w).sum())
    text, page = str(told), told.html()
    w.data[...] = 7.0
    w.data = w.data + 1.0
    w.name = "other"
    assert (str(told), told.html()) == (text, page)
    assert told[-1].gradients[w].tolist() == [2.0, 4.0]


# What is refused.


@pytest.mark.parametrize("wrong", [3.0, np.ones(3), None, "w"], ids=repr)
def test_what_is_no_tensor_is_refused(wrong):
    with pytest.raises(TypeError, match=f"is a Tensor, .* but got {type(wrong).__name__}"):
        steps(wrong)


def refusal(f):
    with pytest.raises((RuntimeError, ValueError)) as error:
        f()
    return error.type, str(error.value)


def test_what_backward_refuses_is_refused_in_the_same_words():
    without, vector = Tensor(1.0) * 2.0, parameter([1.0, 2.0], "w") * 2.0
    w = parameter(1.0, "w")
    stale = w * w
    w.data = 2.0
    for root, kind in (without, RuntimeError), (vector, ValueError), (stale, RuntimeError):
        assert refusal(lambda root=root: steps(root)) == refusal(root.backward)
        assert refusal(lambda root=root: steps(root))[0] is kind


def test_names_that_are_no_mapping_are_refused():
    with pytest.raises(TypeError, match="names maps names to Tensors"):
        steps(parameter(1.0) * 2.0, names=["w"])


def test_precision_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        steps(parameter(1.0) / 3.0, precision=0)


def test_forty_tensors_are_told_and_more_are_refused_with_what_to_do():
    assert len(steps(chain(MOST_NODES - 1))) == 2 * (MOST_NODES - 1) + 1
    with pytest.raises(ValueError, match=r"at most 40 tensors, but this one has 41\. draw\(root\)"):
        steps(chain(MOST_NODES))


def test_arrays_count_as_well():
    root = parameter(1.0)
    for _ in range(MOST_NODES // 2):
        root = root * np.ones(1)
    with pytest.raises(ValueError, match="has 41"):
        steps(root)


def test_a_graph_of_100_000_operations_is_refused_at_once():
    root = chain(100_000)
    gc.collect()
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"has more than 100,000\."):
        steps(root)
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize("name", ["steps.png", "steps", "steps.html.pdf", "html"])
def test_a_file_that_is_no_page_is_refused_and_nothing_written(tmp_path, name):
    with pytest.raises(ValueError, match=re.escape(f"'{name}'")):
        steps(neuron()[0]).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_each_step_is_a_picture_of_the_same_size(tmp_path):
    told = steps(neuron()[0])
    assert told.save(tmp_path / "step_{:02}.svg") == tmp_path / "step_01.svg"
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == [f"step_{n:02}.svg" for n in range(1, len(told) + 1)]
    pictures = [ElementTree.fromstring(path.read_text("utf-8")) for path in paths]
    assert len({(svg.get("width"), svg.get("height"), svg.get("viewBox")) for svg in pictures}) == 1
    for step, svg in zip(told, pictures, strict=True):
        text = list(svg.itertext())
        for line in str(step).partition(", ")[2].splitlines():
            assert line in text
        shown = {line for line in text if line.startswith("grad ")}
        assert shown == {f"grad {drawing_text.values(g, 3)}" for g in step.gradients.values()}


@pytest.mark.parametrize("name", ["step.svg", "step_{}_{}.svg", "step_{x}.svg", "step_{:q}.svg"])
def test_a_name_without_a_place_for_the_number_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=re.escape("write 'step_{:02}.svg'")):
        steps(neuron()[0]).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["steps.html", "STEPS.HTML", "steps.htm"])
def test_save_writes_the_page_and_gives_back_its_path(tmp_path, name):
    told = steps(neuron()[0])
    path = told.save(str(tmp_path / name))
    assert path == tmp_path / name
    assert path.read_bytes() == told.html().encode("utf-8")


@pytest.fixture
def without_graphviz(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda *_, **__: None)


@pytest.mark.usefixtures("without_graphviz")
def test_without_graphviz_there_is_no_page_but_everything_else(tmp_path):
    told = steps(neuron()[0])
    with pytest.raises(RuntimeError, match="pip install 'pygraphviz"):
        told.html()
    with pytest.raises(RuntimeError, match="sudo apt install graphviz"):
        told.save(tmp_path / "steps.html")
    assert list(tmp_path.iterdir()) == []
    assert "step 9 of 9" in str(told)
    assert len(list(told)) == 9
    bundle = told._repr_mimebundle_()
    assert bundle.keys() == {"text/plain"}
    assert bundle["text/plain"].endswith(f"\n\n{told}")
    assert "brew install graphviz" in bundle["text/plain"]


# Where a formula does not tell all.


def test_a_power_of_0_says_what_is_taken_as_0():
    x, n = parameter([0.0, 2.0], "x"), parameter([2.0, 0.0], "n")
    told = str(steps((x**n).sum())[-1])
    assert "where b == 0, the slope along a is 0" in told
    assert "where a == 0, the slope along b is taken as 0" in told
    assert "where" not in str(steps(parameter(3.0, "x") ** 2.0)[-1])


def test_products_with_vectors_and_stacks_say_how_they_are_read():
    a, v = parameter([[1.0, 2.0], [3.0, 4.0]], "a"), parameter([1.0, 2.0], "v")
    assert "a vector stands for a matrix" in str(steps((a @ v).sum())[-1])
    assert ".T swaps the last two axes" in str(steps((np.ones((2, 2, 2)) @ a).sum())[-1])
    assert "matrix" not in str(steps((a @ a).sum())[-1])


def test_a_mean_says_how_many_numbers_it_is_of():
    assert "= g / 2, for each of 2 numbers" in str(steps(parameter([1.0, 3.0]).mean())[-1])


# A sequence.


def test_steps_are_a_sequence():
    told = steps(neuron()[0])
    assert isinstance(told, Sequence)
    assert len(told) == 9
    assert list(told) == [told[i] for i in range(9)]
    assert told[-1] is told[8]
    assert told[2:4] == [told[2], told[3]]
    assert told[::-1][0] is told[8]
    assert next(reversed(told)) is told[8]
    assert told[3] in told
    assert told.index(told[3]) == 3
    with pytest.raises(IndexError):
        told[9]
    assert repr(told) == "<9 steps; print() writes them, .save('steps.html') a page>"
    assert repr(steps(parameter(1.0))).startswith("<1 step;")
    assert str(told) == "\n".join(map(str, told))


def test_steps_of_another_call_are_others():
    w = parameter([1.0, 2.0], "w")
    one, other = steps((w * w).sum()), steps((w * w).sum())
    assert other[0] not in one
    assert len({*one, *other}) == len(one) + len(other)


# The page as text; tests/test_page.py opens it in a browser.


class Elements(HTMLParser):
    """The elements of a page, each with its attributes and the text directly inside it."""

    def __init__(self, page):
        super().__init__()
        self.all, self._open = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.all.append((tag, dict(attributes), []))
        if tag not in ("meta", "input"):
            self._open.append(self.all[-1])

    def handle_startendtag(self, tag, attributes):
        self.all.append((tag, dict(attributes), []))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, text):
        if self._open:
            self._open[-1][2].append(text)

    def named(self, tag, **attributes):
        return [
            (found, "".join(text))
            for name, found, text in self.all
            if name == tag and attributes.items() <= found.items()
        ]


def sha256(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_only_the_pages_own_script_and_style_may_run():
    elements = Elements(steps(neuron()[0]).html())
    (policy,) = [found for found, _ in elements.named("meta") if "http-equiv" in found]
    assert policy["http-equiv"] == "Content-Security-Policy"
    rules = dict(rule.strip().split(" ", 1) for rule in policy["content"].split(";"))
    (_, data), (_, program), (_, script) = elements.named("script")
    (_, style), *others = elements.named("style")
    assert not others
    assert rules == {
        "default-src": "'none'",
        "script-src": f"{sha256(program)} {sha256(script)}",
        "style-src": sha256(style),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert json.loads(data)
    assert not any(
        name in ("style", "src", "href", "xlink:href") or name.startswith("on")
        for _, found, _ in elements.all
        for name in found
    )


def test_the_policy_comes_before_whatever_it_governs():
    page = steps(neuron()[0]).html()
    assert page.index("Content-Security-Policy") < page.index("<style") < page.index("<script")


def test_the_page_asks_for_nothing():
    page = re.sub(r' xmlns(:\w+)?="[^"]*"', "", steps(cross_entropy()[0]).html())
    assert not re.search(r"https?:|//\w|url\(|@import|\b(src|href)=", page)


def test_the_script_makes_text_of_no_code_and_code_of_no_text():
    dangerous = (
        "innerHTML|outerHTML|insertAdjacent|document.write|eval|Function|fetch|XMLHttp|import"
    )
    assert not re.search(rf"\b({dangerous})\b", JAVASCRIPT)


HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "</style></title></svg><img src=x onerror='window.hacked = 1'>",
    "<!--<script>",
    "]]>\"'`&amp;&lt;b&gt;",
    "${hacked} $title $$ %s {0}",
    "a\nb\rc\u2028d\x00",
    "\ud800\udfff \u202e",
    "n0->n1",
    "\\N \\u003c",
    "x" * 10_000,
]


def hostile():
    """A graph whose every name is hostile, and its scope, its operation and its rule, too."""
    named = {name: parameter(float(i)) for i, name in enumerate(HOSTILE)}

    def forward(*numbers):
        return sum(numbers)

    def rule(g, *_):
        """g </li><script>window.hacked = 1</script> $title"""
        return g

    forward.__name__ = "</text><script>window.hacked = 1</script>"
    with tinygrad_edu.scope("</svg><script>window.hacked = 1</script>"):
        loss = primitive(forward, *[rule] * len(HOSTILE))(*named.values())
    loss.name = HOSTILE[0]
    return steps(loss, names=named)


def test_hostile_names_are_only_names():
    plain = steps(sum(parameter(float(i)) for i in range(10)))
    elements, expected = Elements(hostile().html()), Elements(plain.html())
    assert {tag for tag, _, _ in elements.all} <= {tag for tag, _, _ in expected.all} | {"path"}
    assert len(elements.named("script")) == 2
    ((_, title),) = elements.named("title")
    assert title == "</script><script>window…, step by step"
    shown = " ".join("".join(text) for tag, _, text in elements.all if tag == "text")
    for part in (
        "onerror='window.hacked",
        "<!--<script>",
        "${hacked} $title $$",
        "]]>\"'`&amp;&lt;b",
    ):
        assert part in shown.replace("\xa0", " ")
    told = json.loads(elements.named("script", type="application/json")[0][1])
    assert [step["title"] for step in told["steps"]] == [step.title for step in hostile()]
    hostile().html().encode("utf-8")


def test_without_javascript_the_finished_graph_and_every_step_can_be_read():
    told = steps(neuron()[0])
    page = told.html()
    elements = Elements(page)
    assert "noscript" in {tag for tag, _, _ in elements.all}
    hidden = [found.get("id") for _, found, _ in elements.all if "hidden" in found]
    assert hidden == ["controls", "leave", "full", "numbers", "ask"]
    assert len(elements.named("li")) == len(told)
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    for step in told:
        assert f"step {step.number} of {step.count}, {step.title}\n" in text
        for derivation in step.derivations:
            for expression in derivation.expressions:
                assert f"= {expression}" in text
            assert all(note in text for note in derivation.notes)
    final = [grad for _, grad in elements.named("text", **{"class": "gradient"})]
    assert len(final) == len(told[-1].gradients)
    root = next(step.tensor for step in told if step.phase == "seed")
    finished = draw(root, collapse=False).text()
    assert all(f"| {gradient}" in finished for gradient in final)


def test_the_page_is_the_same_on_every_run():
    code = """
        import hashlib, numpy as np
        from tinygrad_edu import Tensor, losses, steps
        W = Tensor(np.ones((3, 2)), requires_grad=True, name="W")
        loss = losses.cross_entropy(np.ones((4, 2)) @ W.T, np.array([0, 1, 2, 0]))
        print(hashlib.sha256(steps(loss).html().encode()).hexdigest())
    """
    runs = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_a_notebook_shows_the_page_in_a_frame_that_may_run_scripts_and_nothing_else():
    told = steps(neuron()[0])
    bundle = told._repr_mimebundle_(include=None, exclude=None)
    assert bundle.keys() == {"text/html", "text/plain"}
    assert bundle["text/plain"] == str(told)
    ((tag, attributes, _),) = Elements(bundle["text/html"]).all
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"] == told.html()
