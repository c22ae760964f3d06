"""Functions written as JavaScript, run in a real browser: the numbers of Python, or refused."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows_arrangement import SPELLED
from strategies import OPERATIONS
from test_jit import REFUSED as UNKNOWN_TO_TRACES
from test_jit import REFUSED_OF_ARRAYS, call_of
from test_programs import programs
from test_programs import run as run_program

import tinygrad_edu
from tinygrad_edu import Tensor, functional, losses, ops, value_and_grad
from tinygrad_edu.javascript import (
    OF_TRUTHS,
    REFUSED,
    TEXTS,
    Program,
    TooLongError,
    UnwritableError,
)

# What sorts, solves, or takes by places that are computed, in the call or in its gradient.
REFUSED_OF_TENSORS = {
    *(np.sort, np.partition, np.median, np.quantile, np.percentile, np.interp),
    *(np.linalg.solve, np.linalg.inv, np.linalg.slogdet, ops.logabsdet),
}
REFUSED_OF_PLAIN = {np.insert, np.full_like}  # which ask for an array
AWKWARD = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.5, 3.0, 1e-8, 800.0, np.inf, -np.inf, np.nan]


@pytest.fixture(scope="module")
def run(browser):
    """What a program gives in a browser for some arrays: arrays, or a string."""
    page = browser.new_page()

    def run(program, *arrays):
        x = [number for array in arrays for number in np.asarray(array, float).flat]
        found = page.evaluate("([text, x]) => (0, eval)(text)(x)", [program.text, x])
        if isinstance(found, str):
            return found
        ends = np.cumsum([int(np.prod(shape)) for shape in program.shapes])
        parts = np.split(np.array(found, float), ends[:-1])
        return [part.reshape(s) for part, s in zip(parts, program.shapes, strict=True)]

    yield run
    page.close()


def assert_same(found, expected, scale):
    """Equal, but for rounding of the largest term."""
    for actual, wanted in zip(found, expected, strict=True):
        wanted = np.asarray(wanted, float)
        np.testing.assert_allclose(actual, wanted, rtol=1e-12, atol=1e-12 * scale)


def with_gradients(op, args, params):
    """A function of the floating arrays among ``args``: what ``op`` gives, and its gradients."""
    places = [i for i, x in enumerate(args) if np.asarray(x).dtype.kind == "f"]

    def f(*numbers):
        given = list(args)
        leaves = [Tensor(x, requires_grad=True) for x in numbers]
        for i, leaf in zip(places, leaves, strict=True):
            given[i] = leaf
        y = SPELLED.get(op, op)(*given, **params)
        parts = y if isinstance(y, tuple | list) else [y]
        weights = [np.cos(np.arange(p.size)).reshape(p.shape) for p in parts]
        total = sum(np.sum(p * w) for p, w in zip(parts, weights, strict=True))
        total.backward()
        return [*parts, *[leaf.grad for leaf in leaves if leaf.grad is not None]]

    return f, [np.asarray(args[i]) for i in places]


@pytest.mark.parametrize("op", OPERATIONS, ids=ops.name)
@settings(deadline=None, max_examples=5)
@given(data=st.data())
def test_every_operation_and_its_gradients(op, run, data):
    args, params = data.draw(OPERATIONS[op])
    f, numbers = with_gradients(op, args, params)
    try:
        program = Program(f, numbers, [f"x{i}" for i in range(len(numbers))])
    except TypeError:
        assert op in REFUSED_OF_TENSORS | {np.linalg.det}  # which needs no equations below 4 x 4
        return
    assert op not in REFUSED_OF_TENSORS
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    for hostile in (0.0, 0.3, 1.0):
        others = []
        for x in numbers:
            y = np.where(rng.random(x.shape) < hostile, rng.choice(AWKWARD, x.shape), x)
            others.append(y)
        with np.errstate(all="ignore"):
            try:
                expected = f(*others)
            except ArithmeticError:
                expected = None
        if expected is None:  # as by weights that sum to zero
            assert type(run(program, *others)) is str
            continue
        expected = [e.data if isinstance(e, Tensor) else e for e in expected]
        finite = [abs(e[np.isfinite(e)]) for e in map(np.asarray, [*expected, *others])]
        scale = max(1.0, *[e.max(initial=0) for e in finite])
        assert_same(run(program, *others), expected, scale)


def assert_awkward(run, f, *numbers):
    """The function gives what it gives in Python where numbers are hardest."""
    program = Program(f, [np.ones(len(x)) for x in numbers], "abc")
    with np.errstate(all="ignore"):
        expected = f(*numbers)
    assert_same(run(program, *numbers), expected, 0.0)  # each number for itself


@pytest.mark.parametrize("op", [op for op in TEXTS if op is not np.where], ids=ops.name)
def test_every_text_where_numbers_are_hardest(op, run):
    pairs = np.array([(a, b) for a in AWKWARD for b in AWKWARD])
    numbers = [np.array(AWKWARD)] if getattr(op, "nin", 1) == 1 else [*pairs.T]
    assert_awkward(run, lambda *xs: [op(*xs)], *numbers)
    if op in ops.derivatives:

        def slopes(*xs):
            leaves = [Tensor(x, requires_grad=True) for x in xs]
            op(*leaves).backward(np.full(len(xs[0]), 0.5))
            return [leaf.grad for leaf in leaves]

        assert_awkward(run, slopes, *numbers)


@pytest.mark.parametrize("op", [op for op in TEXTS if op is not np.where], ids=ops.name)
def test_every_text_of_masks(op, run):
    """What is true counts as 1, wherever NumPy takes it for a number."""
    x = np.array([0.5, 2.0, -1.0, np.inf, 2.0, -1.0])
    masks = [lambda x: x > 1, lambda x: np.multiply(x > 1, 1.0)]
    calls = [lambda x, mask=mask: op(mask(x)) for mask in masks]
    if getattr(op, "nin", 1) == 2:
        calls = [lambda x, mask=mask: op(mask(x), np.flip(x)) for mask in masks]
        calls += [lambda x, mask=mask: op(np.flip(x), mask(x)) for mask in masks]
    for call in calls:
        with np.errstate(all="ignore"):
            try:
                known = np.asarray(call(x)).dtype in (bool, np.int64, np.float64)
            except TypeError:  # NumPy does not take it, either
                known = False
        if known:
            assert_awkward(run, lambda x, call=call: [call(x)], x)


REDUCTIONS = {
    "sum of a mask": lambda x: np.sum(x > 1, axis=0) ** np.inf,
    "sum of one": lambda x: np.heaviside(np.sum((x > 1)[:1]), 0.5),
    "count": lambda x: np.count_nonzero(x, axis=0),
    "add.reduce": lambda x: np.add.reduce(x, axis=0),
    "maximum.accumulate": lambda x: np.maximum.accumulate(x),
    "subtract.outer": lambda x: np.subtract.outer(x, np.arange(3.0)),
    "cumsum": lambda x: np.cumsum(x, dtype=np.float64),
    "where": lambda x: np.heaviside(np.where(x > 1, x > 0, x), 0.5),
    "std": lambda x: np.std(x),
    "norm": lambda x: np.linalg.norm(x),
    "einsum": lambda x: np.einsum("i,j->ij", x, x),
    "clip": lambda x: np.clip(x, 0.0, 1.0),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_other_calls_of_plain_arrays(name, run):
    assert_awkward(run, lambda x: [REDUCTIONS[name](x)], np.array([0.5, 2.0, -1.0, 3.0]))


@pytest.mark.parametrize("op", OF_TRUTHS, ids=ops.name)
def test_every_text_of_truths(op, run):
    a, b = np.array([0.0, 0.0, 1.0, 1.0, np.nan]), np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    if op is np.invert:
        assert_awkward(run, lambda x: [~(x > 0.5)], a)
    else:
        assert_awkward(run, lambda x, y: [op(x > 0.5, y > 0.5)], a, b)
        assert_awkward(run, lambda x, y: [op.reduce(np.stack([x > 0.5, y > 0.5]), axis=0)], a, b)


@pytest.mark.parametrize(
    "op",
    [op for op in OPERATIONS if op not in UNKNOWN_TO_TRACES | REFUSED_OF_ARRAYS],
    ids=ops.name,
)
@settings(deadline=None, max_examples=2)
@given(data=st.data())
def test_every_operation_on_plain_arrays(op, run, data):
    f, numbers = call_of(op, *data.draw(OPERATIONS[op]))

    def listed(*arrays):
        y = f(*arrays)
        return [*y] if isinstance(y, tuple | list) else [y]

    try:
        program = Program(listed, numbers, [f"x{i}" for i in range(len(numbers))])
    except TypeError as error:
        assert "cannot be written as JavaScript" in str(error)  # noqa: PT017
        assert op in REFUSED.keys() | REFUSED_OF_PLAIN or numbers[0].dtype.kind != "f"
        return
    others = [x * 0.9 if x.dtype.kind == "f" else x for x in numbers]
    with np.errstate(all="ignore"):
        assert_same(run(program, *others), listed(*others), 1.0)


@settings(deadline=None, max_examples=15)
@given(programs(), st.integers(0, 100))
def test_random_programs(run, program, seed):
    leaves, steps = program
    f = value_and_grad(lambda *xs: run_program(steps, *xs), (0, 1, 2))

    def listed(*arrays):
        value, gradients = f(*arrays)
        return [value, *gradients]

    written = Program(listed, leaves, "abc")
    others = [x + np.random.default_rng(seed).normal(size=x.shape) for x in leaves]
    expected = listed(*others)
    assert_same(run(written, *others), expected, max(abs(e).max() for e in expected))


SCORES = np.array([[0.5, -1.0, 2.0], [1.5, 0.2, -0.3]])
LABELS = np.array([0, 2])
CALLS = {
    "zero_one": lambda x: losses.zero_one(x, np.sign(SCORES)),
    "logistic": lambda x: losses.logistic(x, np.sign(SCORES)),
    "exponential": lambda x: losses.exponential(x, np.sign(SCORES)),
    "hinge": lambda x: losses.hinge(x, np.sign(SCORES)),
    "multiclass_hinge": lambda x: losses.multiclass_hinge(x, LABELS),
    "cross_entropy": lambda x: losses.cross_entropy(x, LABELS, label_smoothing=0.1),
    "nll_loss": lambda x: losses.nll_loss(functional.log_softmax(x), LABELS),
    "binary_cross_entropy": lambda x: losses.binary_cross_entropy(
        functional.sigmoid(x), (SCORES > 0).astype(float)
    ),
    "binary_cross_entropy_with_logits": lambda x: losses.binary_cross_entropy_with_logits(
        x, (SCORES > 0).astype(float)
    ),
    "kl_divergence": lambda x: losses.kl_divergence(
        functional.softmax(SCORES), functional.softmax(x)
    ),
    "mse_loss": lambda x: losses.mse_loss(x, SCORES),
    "l1_loss": lambda x: losses.l1_loss(x, SCORES),
    "huber_loss": lambda x: losses.huber_loss(x, SCORES),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_loss(name, run):
    f = value_and_grad(CALLS[name])
    program = Program(lambda x: [*f(x)], [SCORES], ["x"])
    for x in (SCORES * 0.5 - 0.2, SCORES * 20, np.zeros((2, 3))):
        value, gradient = f(x)
        assert_same(run(program, x), [value, gradient], 1.0)


def test_that_every_loss_is_tested():
    assert CALLS.keys() == set(losses.__all__)


def test_what_a_function_has_found_is_taken_as_it_is(run):
    w = Tensor([2.0, 3.0], requires_grad=True)
    program = Program(lambda x: [x @ w, 1.5], [np.ones(2)], ["x"])
    w.data[:] = 0.0
    assert_same(run(program, np.array([1.0, 10.0])), [32.0], 1.0)


def test_numbers_that_python_refuses(run):
    even = np.array([0.5, 0.5])
    program = Program(lambda p, q: [losses.kl_divergence(p, q)], [even, even], "pq")
    (found,) = run(program, [0.25, 0.75], even)
    assert found == pytest.approx(float(losses.kl_divergence(np.array([0.25, 0.75]), even)), 1e-12)
    for bad in ([0.5, 0.6], [-0.5, 1.5], [np.nan, 1.0]):
        refusal = run(program, bad, [0.5, 0.5])
        assert refusal == "Python refuses rows that are not probabilities with sum 1."


def test_what_takes_another_way_for_other_numbers(run):
    program = Program(lambda w: [np.average([1.0, 2.0], weights=w)], [np.ones(2)], ["w"])
    assert_same(run(program, [1.0, 3.0]), [1.75], 1.0)
    assert run(program, [1.0, -1.0]) == "average() takes another way for such numbers."


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_precision_is_rounded_as_in_python(run, dtype):
    f = value_and_grad(lambda x: np.sum(np.sqrt(x) / 3 * x - x * x))
    x = np.array([0.1, 0.7, 3.3], dtype)
    program = Program(lambda x: [*f(x)], [x], ["x"])
    assert program.dtypes == [dtype, dtype]
    value, gradient = f(x)
    found = run(program, x)
    np.testing.assert_array_equal(found[1].astype(dtype), gradient)
    assert found[0].astype(dtype) == pytest.approx(value, rel=float(2 * np.finfo(dtype).eps))


def test_equal_lines_are_one():
    program = Program(lambda x: [np.exp(x) + 1.0, np.exp(x) * np.exp(x)], [np.ones(3)], ["x"])
    assert program.text.count("Math.exp") == 3
    assert program.size == 9


CANNOT = {
    np.sort: lambda x: np.sort(x),
    np.argsort: lambda x: x[np.argsort(x)],
    np.median: lambda x: np.median(x),
    np.quantile: lambda x: np.quantile(x, 0.3),
    np.percentile: lambda x: np.percentile(x, 30),
    np.argmax: lambda x: x[np.argmax(x)],
    np.argmin: lambda x: np.argmin(x),
    np.nanargmax: lambda x: np.nanargmax(x),
    np.nanargmin: lambda x: np.nanargmin(x),
    np.argpartition: lambda x: np.argpartition(x, 1),
    np.partition: lambda x: np.partition(x, 1),
    np.searchsorted: lambda x: np.searchsorted(np.ones(3), x),
    np.digitize: lambda x: np.digitize(x, np.arange(3.0)),
    np.interp: lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0]),
    np.isin: lambda x: np.isin(x, [1.0]),
    np.take_along_axis: lambda x: np.take_along_axis(x, x.astype(int), 0),
    np.choose: lambda x: np.choose((x > 0).astype(int), [x, x]),
    np.select: lambda x: np.select([x > 0], [x], 0.0),
    np.linalg.solve: lambda x: np.linalg.solve(x.reshape(2, 2), x[:2]),
    np.linalg.inv: lambda x: np.linalg.inv(x.reshape(2, 2)),
    np.linalg.det: lambda x: np.linalg.det(x.reshape(2, 2)),
    ops.logabsdet: lambda x: ops.logabsdet(x.reshape(2, 2)),
}
CANNOT_EITHER = {
    "what is picked by an index that is computed": lambda x: Tensor(np.ones(4))[x.astype(int)],
    "dtype float16": lambda x: x.astype(np.float16),
    "dtype uint8": lambda x: x.astype(np.uint8),
    "floor_divide() of whole numbers": lambda x: x.astype(int) // 2,
    "reciprocal() of whole numbers": lambda x: np.reciprocal(x.astype(int)),
    "add.reduce(..., where=)": lambda x: np.add.reduce(x, where=np.array([True, False] * 2)),
    "sum(..., initial=)": lambda x: np.sum(x, initial=5.0),
    "sum(..., where=)": lambda x: np.sum(x, where=np.array([True, False] * 2)),
    "max(..., initial=)": lambda x: np.max(x, initial=5.0),
    "mean(..., where=)": lambda x: np.mean(x, where=np.array([True, False] * 2)),
    "nextafter()": lambda x: np.nextafter(x, 1.0),
}


@pytest.mark.parametrize("name", [*CANNOT, *CANNOT_EITHER], ids=ops.name)
def test_what_cannot_be_written_is_refused_by_name(name):
    f = CANNOT.get(name) or CANNOT_EITHER[name]
    what = name if isinstance(name, str) else f"{ops.name(name)}()"
    with pytest.raises(UnwritableError, match=f"{re.escape(what)} cannot be written as JavaScript"):
        Program(lambda x: [f(x)], [np.array([0.3, 2.0, 1.0, 3.0])], ["x"])


def test_that_every_refusal_is_tested():
    assert CANNOT.keys() == REFUSED.keys() - {np.linalg.slogdet}  # which gives no array


def test_random_numbers_are_refused():
    with pytest.raises(RuntimeError, match="run"):
        Program(lambda x: [x + np.random.default_rng().normal()], [np.ones(2)], ["x"])


def test_more_than_a_page_can_compute_is_refused():
    with pytest.raises(TooLongError, match="more than 20,000 lines"):
        Program(lambda x: [np.outer(x, x) @ np.outer(x, x)], [np.ones(30)], ["x"])


def test_that_every_ufunc_of_the_table_of_derivatives_has_a_text():
    assert TEXTS.keys() >= {op for op in ops.derivatives if isinstance(op, np.ufunc)} - {np.matmul}


def test_that_each_check_says_what_it_refuses():
    """A page shows it where Python would raise an error."""
    found = []
    for path in Path(tinygrad_edu.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and "checked" in map(
                ast.unparse, node.decorator_list
            ):
                found.append(node.name)
                assert re.match("(Refuse|Warn of) .*[.]", ast.get_docstring(node) or ""), node.name
    assert len(found) > 10
