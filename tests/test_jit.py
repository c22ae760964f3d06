"""Compiled functions: they do what the functions do, bit for bit, or refuse in the first call."""

import collections
import copy
import functools
import gc
import itertools
import linecache
import signal
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows_arrangement import SPELLED
from strategies import OPERATIONS
from test_programs import programs
from test_programs import run as run_program

import tinygrad_edu
from tinygrad_edu import (
    Tensor,
    debug,
    functional,
    grad,
    hessian,
    jacobian,
    losses,
    nn,
    no_grad,
    numpy_api,
    ops,
    optim,
    primitive,
    value_and_grad,
)
from tinygrad_edu.functional import sigmoid
from tinygrad_edu.modes import mode

jit = functools.partial(tinygrad_edu.jit, exact=True)  # so that results are compared bit for bit

# Helpers.


def assert_same(found, expected):
    """The same numbers, bit for bit, in the same dtype; in Tensors where they are in Tensors."""
    if isinstance(expected, tuple | list):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            assert_same(f, e)
        return
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_same(found[key], value)
        return
    if isinstance(expected, Tensor):
        assert type(found) is Tensor
        assert found.requires_grad == expected.requires_grad
        found, expected = found.numpy(), expected.numpy()
    if isinstance(expected, np.ndarray | np.generic):
        assert not isinstance(found, Tensor)
        assert np.shape(found) == np.shape(expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(found, expected)


def other(x):
    """Other numbers in the same domain."""
    if not isinstance(x, np.ndarray) or x.dtype == bool:
        return x
    turned = x.reshape(-1)[::-1].reshape(x.shape)
    return turned if x.dtype.kind != "f" else turned * x.dtype.type(0.97)


class Hidden:
    """What f uses without a name for it, so that jit does not ask whether it is an array."""

    def __init__(self, value):
        self.value = value

    def fresh(self):
        return copy.deepcopy(self.value)


def memory_of(optimizer):
    """The leaves in which it keeps what it knows of past steps."""
    return [leaf for memory in optimizer._memory.values() for leaf in memory.values()]


def programs_of(compiled):
    """All that are kept."""
    return [*compiled._programs]


# Every operation.


def call_of(op, args, params):
    """The call as a function of the arrays among its arguments, and these."""
    hidden = Hidden((args, params))
    function = SPELLED.get(op, op)

    def call(*arrays):
        all_args, named = hidden.fresh()
        given = iter(arrays)
        args = [next(given) if isinstance(x, np.ndarray) else x for x in all_args]
        return function(*args, **named)

    return call, [x for x in args if isinstance(x, np.ndarray)]


# Those that take numbers to decide what shape comes out, or where to put what, and what gives a
# tuple with names.
REFUSED = {np.linalg.slogdet}
REFUSED_OF_ARRAYS = {np.repeat}
EACH = pytest.mark.parametrize(
    "op", sorted(OPERATIONS.keys() - REFUSED, key=ops.name), ids=ops.name
)


@pytest.mark.parametrize("op", REFUSED, ids=ops.name)
@settings(max_examples=3)
@given(data=st.data())
def test_operations_that_are_refused(op, data):
    call, arrays = call_of(op, *data.draw(OPERATIONS[op]))
    with pytest.raises(TypeError, match="function under jit"):
        jit(call)(*arrays)


@EACH
@settings(max_examples=5)
@given(data=st.data())
def test_every_operation_on_arrays(op, data):
    f, args = call_of(op, *data.draw(OPERATIONS[op]))
    compiled = jit(f)
    if op in REFUSED_OF_ARRAYS:
        with pytest.raises(TypeError, match="function under jit"):
            compiled(*args)
        return
    for arrays in (args, [other(x) for x in args], args):
        with np.errstate(all="ignore"):
            assert_same(compiled(*arrays), f(*arrays))


@EACH
@settings(max_examples=5)
@given(data=st.data())
def test_every_operation_on_leaves_and_its_gradients(op, data):
    f, args = call_of(op, *data.draw(OPERATIONS[op]))

    def leaves_of(arrays):
        return [Tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]

    def step(leaves):
        def run():
            for leaf in leaves:
                leaf.zero_grad()
            y = f(*leaves)
            loss = (y * y * 0.5).sum()
            loss.backward()
            for leaf in leaves:
                if leaf.grad is not None:
                    leaf.data -= 0.001 * leaf.grad
            return loss

        return run

    eager = leaves_of(args)
    traced = leaves_of(args)
    # Compositions read arrays that lie in another order in memory, and sum them in another one.
    same = close_enough if op is np.power or op in numpy_api.compositions else assert_same
    run = step(eager)
    compiled = jit(step(traced))
    with np.errstate(all="ignore"):
        for _ in range(3):
            same(np.float64(compiled()), np.float64(run()))
            for a, b in zip(traced, eager, strict=True):
                same(a.data, b.data)
                if b.grad is not None:
                    same(a.grad, b.grad)


@EACH
@settings(max_examples=3)
@given(data=st.data())
def test_every_operation_under_transforms(op, data):
    f, args = call_of(op, *data.draw(OPERATIONS[op]))
    positions = tuple(i for i, x in enumerate(args) if x.dtype.kind == "f")
    if op is np.heaviside or not positions:
        return

    def loss(*xs):
        y = f(*xs)
        return (y * y * 0.5).sum()

    for derivative in (
        grad(loss, positions),
        value_and_grad(loss, positions),
        jacobian(f, positions),
    ):
        compiled = jit(derivative)
        with np.errstate(all="ignore"):
            for arrays in (args, [other(x) for x in args]):
                found = compiled(*arrays)
                expected = derivative(*arrays)
                close_enough(found, expected)


def close_enough(found, expected):
    if isinstance(expected, tuple):
        for f, e in zip(found, expected, strict=True):
            close_enough(f, e)
        return
    assert type(found) is type(expected)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-14)


# Functions and losses: none looks at numbers that will be others in the next call.

RNG = np.random.default_rng(0)


def rows(n, k):
    p = RNG.uniform(0.1, 1.0, (n, k))
    return p / p.sum(axis=1, keepdims=True)


def signs(n):
    return RNG.choice([-1.0, 1.0], n)


N, K = 5, 4
SCORES = [RNG.normal(size=(N, K)) for _ in range(3)]
FLAT = [RNG.normal(size=N) * 2 for _ in range(3)]
UNIT = [RNG.uniform(0.05, 0.95, N) for _ in range(3)]
CLASSES = [RNG.integers(0, K, N) for _ in range(3)]
DATA = {  # predictions and targets, in three calls
    "zero_one": (FLAT, [signs(N) for _ in range(3)]),
    "logistic": (FLAT, [signs(N) for _ in range(3)]),
    "exponential": (FLAT, [signs(N) for _ in range(3)]),
    "hinge": (FLAT, [signs(N).astype(int) for _ in range(3)]),
    "multiclass_hinge": (SCORES, CLASSES),
    "binary_cross_entropy": (UNIT, [UNIT[1].round(), UNIT[0], UNIT[2]]),
    "binary_cross_entropy_with_logits": (FLAT, [UNIT[1].round() > 0, UNIT[0] > 0.5, UNIT[2] > 0.3]),
    "cross_entropy": (SCORES, CLASSES),
    "nll_loss": ([np.log(rows(N, K)) for _ in range(3)], [c.astype(np.int32) for c in CLASSES]),
    "kl_divergence": ([rows(N, K) for _ in range(3)], [rows(N, K) for _ in range(3)]),
    "mse_loss": (FLAT, UNIT),
    "l1_loss": (FLAT, UNIT),
    "huber_loss": (FLAT, UNIT),
}
OF_ROWS = {
    "cross_entropy": (SCORES, [rows(N, K) for _ in range(3)]),
    "nll_loss": ([np.log(rows(N, K)) for _ in range(3)], [rows(N, K) for _ in range(3)]),
}
LOSSES = [*DATA.items(), *OF_ROWS.items()]
FUNCTIONS = [name for name in functional.__all__ if name != "one_hot"]


def test_every_loss_and_function_is_here():
    assert {name for name, _ in LOSSES} == {*losses.__all__}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "data"), LOSSES)
def test_losses(name, data, reduction, dtype):
    loss = getattr(losses, name)
    compiled = jit(lambda s, t: loss(s, t, reduction=reduction))
    slopes = jit(grad(lambda s, t: loss(s, t, reduction=reduction).sum()))
    leaf = Tensor(data[0][0], requires_grad=True, dtype=dtype)
    twin = Tensor(data[0][0], requires_grad=True, dtype=dtype)

    def learned(w):
        def step(t):
            y = loss(w, t, reduction=reduction).sum()
            y.backward()
            return y

        return step

    step = jit(learned(leaf))
    for s, t in zip(*data, strict=True):
        s = s.astype(dtype)
        assert_same(compiled(s, t), loss(s, t, reduction=reduction))
        eager = grad(lambda s: loss(s, t, reduction=reduction).sum())  # noqa: B023
        assert_same(slopes(s, t), eager(s))
        for w, run in ((leaf, step), (twin, learned(twin))):
            w.data = s
            w.zero_grad()
            run(t)
        assert_same(leaf.grad, twin.grad)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, dtype):
    function = getattr(functional, name)
    compiled = jit(function)
    squared = lambda x: (function(x) * function(x)).sum()  # noqa: E731
    slopes = jit(grad(squared))
    for s in SCORES:
        x = (3 * s).astype(dtype)
        assert_same(compiled(x), function(x))
        if dtype is not np.int64:
            assert_same(slopes(x), grad(squared)(x))


def test_one_hot():
    compiled = jit(lambda y: functional.one_hot(y, K))
    for y in CLASSES:
        assert_same(compiled(y), functional.one_hot(y, K))
    with pytest.raises(ValueError, match="class labels go from 0 to 3"):
        compiled(np.full(N, K))


BAD = {
    "zero_one": np.zeros(N),
    "logistic": np.zeros(N),
    "exponential": np.full(N, 2.0),
    "hinge": np.zeros(N, int),
    "multiclass_hinge": np.full(N, K),
    "binary_cross_entropy": np.full(N, 1.5),
    "cross_entropy": np.full(N, -1),
    "nll_loss": np.full(N, K, np.int32),
    "kl_divergence": np.ones((N, K)),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_raise_the_same_error_and_change_nothing(name):
    predictions, targets = DATA[name]
    w = Tensor(predictions[0], requires_grad=True)
    sgd = optim.SGD([w], lr=0.001, momentum=0.5)
    loss = getattr(losses, name)

    @jit
    def step(t):
        value = loss(w, t)
        value.backward()
        sgd.step()
        return value

    with pytest.raises(ValueError) as first:  # noqa: PT011 (compared below)
        step(BAD[name])
    step(targets[0])
    w.data = predictions[1]
    state = [w.numpy(), w.grad.copy(), *(v.numpy() for v in memory_of(sgd))]
    with pytest.raises(ValueError) as found:  # noqa: PT011 (compared below)
        step(BAD[name])
    with pytest.raises(ValueError) as expected:  # noqa: PT011 (compared below)
        loss(w, BAD[name])
    assert str(found.value) == str(expected.value) == str(first.value)
    assert_same([w.numpy(), w.grad, *(v.numpy() for v in memory_of(sgd))], state)


def test_a_prediction_that_is_impossible_is_refused_in_a_program_too():
    w = Tensor(UNIT[0], requires_grad=True)
    loss = jit(lambda t: losses.binary_cross_entropy(w, t))
    loss(np.ones(N))
    w.data = np.zeros(N)
    with pytest.raises(ValueError, match="gives probability 0 to what has happened"):
        loss(np.ones(N))
    with no_grad():
        assert_same(loss(np.zeros(N)), Tensor(0.0))


def test_a_warning_comes_in_each_call():
    loss = jit(lambda s, t: losses.cross_entropy(s, t))
    loss(SCORES[0], CLASSES[0])
    with pytest.warns(UserWarning, match="every row here is at least 0") as caught:
        loss(rows(N, K), CLASSES[0])
    assert caught[0].filename == __file__


# Training steps.


def model_of(sizes, dtype=np.float64):
    layers = [
        nn.Linear(a, b, rng=i, dtype=dtype) for i, (a, b) in enumerate(itertools.pairwise(sizes))
    ]
    return layers[0] if len(layers) == 1 else nn.Sequential(layers[0], sigmoid, *layers[1:])


def batches(count, n, d, k, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(n, d)).astype(dtype), rng.integers(0, k, n)) for _ in range(count)]


def state_of(model, sgd):
    memory = [array for name, array in sgd.state_dict().items() if name.startswith("state.")]
    return [*(p.numpy() for p in model.parameters()), *memory]


def training(sizes, dtype=np.float64, **options):
    model = model_of(sizes, dtype)
    sgd = optim.SGD(model.parameters(), **{"lr": 0.5, **options})

    def step(x, y):
        loss = losses.cross_entropy(model(x), y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        return loss

    return model, sgd, step


OPTIONS = [
    {},
    {"momentum": 0.9},
    {"weight_decay": 0.01},
    {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True},
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("sizes", [[6, 4], [6, 5, 4]])
@pytest.mark.parametrize("options", OPTIONS)
def test_training_steps(sizes, options, dtype):
    eager = training(sizes, dtype, **options)
    model, sgd, step = training(sizes, dtype, **options)
    compiled = jit(step)
    for i, (x, y) in enumerate(batches(12, 7, 6, 4, dtype)):
        if i == 6:
            sgd.lr = eager[1].lr = 0.1
        if i == 8:
            sgd.momentum = eager[1].momentum = 0.5
        run = step if i in (3, 10) else compiled  # an eager step in between
        assert_same(float(run(x, y)), float(eager[2](x, y)))
        assert_same(state_of(model, sgd), state_of(*eager[:2]))
        for p, q in zip(model.parameters(), eager[0].parameters(), strict=True):
            assert_same(p.grad, q.grad)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_short_sums_in_another_order(dtype):
    model, sgd, step = training([6, 5, 4], dtype, momentum=0.9)
    eager = training([6, 5, 4], dtype, momentum=0.9)
    compiled = tinygrad_edu.jit(step)
    eps = float(np.finfo(dtype).eps)
    for x, y in batches(12, 7, 6, 4, dtype):
        np.testing.assert_allclose(float(compiled(x, y)), float(eager[2](x, y)), rtol=40 * eps)
        for found, expected in zip(state_of(model, sgd), state_of(*eager[:2]), strict=True):
            np.testing.assert_allclose(found, expected, rtol=400 * eps, atol=40 * eps)
    assert ("add_reduce" in compiled.source) == (dtype is np.float16)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "shape", [(512,), (512, 3), (3, 512), (1, 1), (0,), (0, 3), (3, 0), (2, 3, 4)]
)
def test_each_kind_of_sum(shape, dtype):
    def sums(x):
        found = [np.sum(x), np.mean(np.abs(x) + 1) if x.size else x, (x * x).sum(keepdims=True)]
        for axis in range(-x.ndim, x.ndim):
            found += [x.sum(axis=axis), x.sum(axis=(axis,), keepdims=True), x.T.sum(axis)]
        return tuple(found)

    compiled = tinygrad_edu.jit(sums)
    rng = np.random.default_rng(0)
    for x in (rng.normal(size=shape).astype(dtype), rng.normal(size=shape).astype(dtype)):
        for found, expected in zip(compiled(x), sums(x), strict=True):
            assert found.shape == expected.shape
            assert found.dtype == expected.dtype
            bound = 4 * np.finfo(dtype).eps * max(1, x.size) * (np.abs(x).max(initial=1) ** 2)
            np.testing.assert_allclose(
                found, expected, rtol=1e-6 if dtype == np.float32 else 1e-13, atol=bound / 8
            )


def test_gradients_are_accumulated_over_batches():
    def steps(model):
        def add(x, y):
            loss = losses.cross_entropy(model(x), y)
            loss.backward()
            return loss

        return add

    model, twin = model_of([3, 2]), model_of([3, 2])
    compiled, eager = jit(steps(model)), steps(twin)
    for i, (x, y) in enumerate(batches(6, 4, 3, 2)):
        if i == 3:
            model.zero_grad()
            twin.zero_grad()
        compiled(x, y)
        eager(x, y)
        for p, q in zip(model.parameters(), twin.parameters(), strict=True):
            assert_same(p.grad, q.grad)
            assert repr(p) == repr(q)  # which says of how many passes it is
    assert len(programs_of(compiled)) == 2  # with a gradient before, and without


def test_gradient_clipping_by_norm():
    def steps(model):
        sgd = optim.SGD(model.parameters(), lr=0.1)

        def step(x, y):
            sgd.zero_grad()
            loss = losses.cross_entropy(model(x), y)
            loss.backward()
            norm = np.sqrt(sum((p.grad**2).sum() for p in model.parameters()))
            for p in model.parameters():
                p.grad = p.grad * np.minimum(1.0, 0.05 / norm)
            sgd.step()
            return loss, norm

        return step

    model, twin = model_of([3, 2]), model_of([3, 2])
    compiled, eager = jit(steps(model)), steps(twin)
    for x, y in batches(5, 4, 3, 2):
        found, expected = compiled(x, y), eager(x, y)
        assert_same(found[1], expected[1])
        assert_same([p.grad for p in model.parameters()], [p.grad for p in twin.parameters()])
        assert_same([p.data for p in model.parameters()], [p.data for p in twin.parameters()])


def by_assignment(w):
    def step(x):
        w.zero_grad()
        loss = ((x @ w) ** 2).sum()
        loss.backward()
        w.data = w.data - 0.01 * w.grad
        return loss

    return step


def in_place(w):
    def step(x):
        w.grad = None
        loss = ((x @ w) ** 2).sum()
        loss.backward()
        w.data -= 0.01 * w.grad
        return loss

    return step


def by_operator(w):
    def step(x):
        nonlocal w
        loss = ((x @ w) ** 2).sum()
        loss.backward()
        with no_grad():
            w -= 0.01 * w.grad
        w.zero_grad()
        return loss

    return step


def scaled_gradient(w):
    def step(x):
        w.zero_grad()
        ((x @ w) ** 2).sum().backward()
        w.grad *= 0.5
        w.data -= w.grad
        return w.grad

    return step


@pytest.mark.parametrize("way", [by_assignment, in_place, by_operator, scaled_gradient])
@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_ways_to_change_a_leaf(way, shape):
    start = np.arange(1.0, 1 + np.prod(shape)).reshape(shape) / 10
    w, twin = Tensor(start, requires_grad=True), Tensor(start, requires_grad=True)
    compiled, eager = jit(way(w)), way(twin)
    for x, _ in batches(5, 4, 3, 2):
        found, expected = compiled(x), eager(x)
        assert_same(np.asarray(found), np.asarray(expected)) if way is scaled_gradient else None
        assert_same(w.data, twin.data)
        if twin.grad is not None:
            assert_same(w.grad, twin.grad)


# Random programs, over several calls.


@settings(max_examples=60)
@given(programs(), st.data())
def test_random_programs(program, data):
    leaves, steps = program
    ways = data.draw(st.sampled_from(["arrays", "leaves", "both", "gradient"]))
    tensors = [Tensor(x, requires_grad=True) for x in leaves]
    twins = [Tensor(x, requires_grad=True) for x in leaves]
    count = {"arrays": 0, "leaves": len(leaves), "both": 1, "gradient": 0}[ways]

    def step_of(params):
        def step(*xs):
            loss = run_program(steps, *params[:count], *xs)
            if count:
                for p in params[:count]:
                    p.zero_grad()
                loss.backward()
                for p in params[:count]:
                    p.data -= 0.01 * p.grad
            return loss

        return grad(step, tuple(range(len(leaves)))) if ways == "gradient" else step

    compiled, eager = jit(step_of(tensors)), step_of(twins)
    own = step_of(tensors)
    for i in range(4):
        arrays = [other(x) if i % 2 else x for x in leaves[count:]]
        if i == 2 and count:  # a step of its own in between
            own(*arrays)
            eager(*arrays)
            continue
        found, expected = compiled(*arrays), eager(*arrays)
        if isinstance(expected, Tensor):
            found, expected = found.numpy(), expected.numpy()
        close_enough(found, expected) if ways == "gradient" else assert_same(found, expected)
        for p, q in zip(tensors[:count], twins[:count], strict=True):
            assert_same(p.data, q.data)
            assert_same(p.grad, q.grad)


@given(programs())
def test_random_programs_of_second_order(program):
    leaves, steps = program
    positions = tuple(range(len(leaves)))
    eager = hessian(lambda *xs: run_program(steps, *xs), positions)
    compiled = jit(hessian(lambda *xs: run_program(steps, *xs), positions))
    for arrays in (leaves, [other(x) for x in leaves]):
        for found, expected in zip(compiled(*arrays), eager(*arrays), strict=True):
            for f, e in zip(found, expected, strict=True):
                np.testing.assert_allclose(f, e, rtol=1e-11, atol=1e-11)


# What changes between calls.


def test_leaves_and_their_flags_are_read_afresh():
    w, b = Tensor([1.0, 2.0], requires_grad=True), Tensor(1.0, requires_grad=True)
    loss = jit(lambda x: ((x @ w + b) ** 2).sum())
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert float(loss(x)) == 180.0
    w.data = [0.0, 1.0]
    assert float(loss(x)) == 34.0
    w.data[1] = 0.0  # an element of the array that the leaf has lent
    assert float(loss(x)) == 2.0
    w.requires_grad = False
    y = loss(x)
    y.backward()
    assert w.grad is None
    assert b.grad == 4.0
    b.requires_grad = False
    assert not loss(x).requires_grad
    w.requires_grad = True
    loss(x).backward()
    assert_same(w.grad, np.array([8.0, 12.0]))


def test_a_lent_leaf_is_no_constant():
    w = Tensor([1.0], requires_grad=True)
    array = w.data  # from now on somebody may write to it
    double = jit(lambda: w * 2.0)
    array[0] = 3.0
    assert_same(double().numpy(), np.array([6.0]))
    array[0] = 4.0
    assert_same(double().numpy(), np.array([8.0]))


def test_shapes_dtypes_and_other_arguments_choose_the_program():
    calls = []

    def f(x, power, *, name="a", scale=1.0):
        calls.append(name)
        return scale * x**power if name == "a" else x

    compiled = jit(f)
    x = np.array([1.0, 2.0])
    for args, kwargs in [
        ((x, 2), {}),
        ((x, 3), {}),
        ((x, 2.0), {}),
        ((x[:1], 2), {}),
        ((x.astype(np.float32), 2), {}),
        ((x, 2), {"name": "b"}),
        ((x, 2), {"scale": 2.0}),
        ((x, 2), {"scale": np.float32(2.0)}),
        ((x[0], 2), {}),
        ((x.reshape(2, 1).astype(int), 2), {}),
        ((x > 1, 1), {}),
    ]:
        for _ in range(2):
            before = len(calls)
            assert_same(compiled(*args, **kwargs), f(*args, **kwargs))
        assert len(calls) == before + 1  # f itself, for comparison
    assert_same(compiled(x, power=2, scale=3.0), f(x, 2, scale=3.0))
    assert_same(compiled(power=2, x=x), f(x, 2))


def test_tensors_are_arguments_too():
    f = lambda x, y: (x * y, x + 1.0)  # noqa: E731
    compiled = jit(f)
    x, y = Tensor([1.0, 2.0], dtype=np.float32, name="x"), np.array([3, 4])
    for _ in range(2):
        assert_same(compiled(x, y), f(x, y))
        assert_same(compiled(y, x), f(y, x))
        y = y + 1


@pytest.mark.parametrize("scalar", [np.float64(0.1), np.float32(0.1), 0.1, np.array(0.1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, bool])
def test_dtypes_are_those_of_numpy_and_of_tensors(scalar, dtype):
    x = np.array([0, 1, 1]).astype(dtype)
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True, dtype=np.float32)
    for f in (
        lambda x, s: x * s,
        lambda x, s: (w * x) * s,
        lambda x, s: w * (x * s),
        lambda x, s: x / 3 + s,
        lambda x, s: np.where(x > 0, w, s),
        lambda x, s: np.maximum(x, s) @ w,
        lambda x, s: (x @ x) * s,
        lambda x, s: np.mean(x, axis=0, keepdims=True) + s,
        lambda x, s: np.sum(x, dtype=np.float64) * s,
    ):
        compiled = jit(f)
        for _ in range(2):
            assert_same(compiled(x, scalar), f(x, scalar))


def test_a_name_bound_to_another_object_compiles_anew():
    model = nn.Linear(2, 1, rng=0)
    scale = 2.0
    predict = jit(lambda x: scale * model(x))
    x = np.ones((3, 2))
    assert_same(predict(x).numpy(), scale * model(x).numpy())
    model = nn.Linear(2, 1, rng=1)
    assert_same(predict(x).numpy(), scale * model(x).numpy())
    scale = 3.0
    assert_same(predict(x).numpy(), scale * model(x).numpy())
    assert len(programs_of(predict)) == 1  # the others are of no use any more


def test_another_part_of_a_module_compiles_anew():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Linear(2, 1, rng=1))
    predict = jit(lambda x: model(x))
    x = np.ones((3, 2))
    assert_same(predict(x).numpy(), model(x).numpy())
    setattr(model, "1", nn.Linear(2, 4, rng=2))
    assert_same(predict(x).numpy(), model(x).numpy())
    getattr(model, "1").bias = None
    assert_same(predict(x).numpy(), model(x).numpy())


def test_what_a_module_would_keep_is_refused():
    class Keeps(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 1, rng=0)
            self.mean = Tensor(0.0)
            self.last = None

        def forward(self, x):
            self.last = self.inner(x)
            return self.last

    model = Keeps()
    x = np.ones((3, 2))
    predict = jit(lambda x: model.inner(x))
    predict(x)
    before = programs_of(predict)
    model(x)  # to keep a result is no other part
    predict(x)
    assert programs_of(predict) == before
    with pytest.raises(RuntimeError, match=r"self.last.data = "):
        jit(lambda x: model(x))(x)

    def averaged(x):
        model.mean = Tensor(model.mean.data * 0.9 + 0.1 * x.mean())
        return x - model.mean

    with pytest.raises(RuntimeError, match=r"self.mean.data = "):
        jit(averaged)(x)

    def averaged_in_a_leaf(x):
        model.mean.data = model.mean.data * 0.9 + 0.1 * x.mean()
        return x - model.mean

    compiled = jit(averaged_in_a_leaf)
    for _ in range(3):
        found = compiled(x).numpy()
    model.mean.data = 0.0
    for _ in range(3):
        expected = averaged_in_a_leaf(x).numpy()
    assert_same(found, expected)


def test_the_derivative_of_a_function_knows_the_names_of_the_function():
    scale = 2.0
    slope = jit(grad(lambda x: scale * x**2))
    assert slope(np.array(3.0)) == 12.0
    scale = 3.0
    assert slope(np.array(3.0)) == 18.0


def test_a_bounded_number_of_programs_is_kept():
    double = jit(lambda x: 2 * x)
    for n in range(100):
        double(np.ones(n))
    assert len(programs_of(double)) <= 33


def test_methods_have_programs_for_each_object():
    class Base:
        def __init__(self, seed):
            self.model = nn.Linear(2, 1, rng=seed)

        @jit
        def predict(self, x):
            """Scores."""
            return self.model(x)

    class Derived(Base):
        @jit
        def predict(self, x):
            return 2.0 * super().predict(x)

    assert Base.predict.__doc__ == "Scores."
    objects = [Base(0), Base(1), Derived(0), Derived(2)]
    x = np.ones((3, 2))
    for _ in range(2):
        for each in objects:
            factor = 2.0 if type(each) is Derived else 1.0
            assert_same(each.predict(x).numpy(), factor * each.model(x).numpy())
    assert len(programs_of(Base.predict)) == 2
    kept = weakref.ref(objects[0])
    del objects, each
    gc.collect()
    assert kept() is None
    assert programs_of(Base.predict) == []


# Results.


def test_results_in_tuples_lists_and_dicts():
    w = Tensor([1.0, 2.0], requires_grad=True)

    def f(x):
        y = x * w
        return {"y": y, "all": [y.sum(), (x, x + 1, None, "text", 3)], "w": w, "zeros": np.zeros(2)}

    compiled = jit(f)
    for x in (np.ones(2), np.arange(2.0)):
        found, expected = compiled(x), f(x)
        assert found.pop("w") is expected.pop("w") is w
        assert_same(found, expected)


def test_a_loss_can_be_differentiated_once():
    w = Tensor([1.0, 2.0], requires_grad=True)
    twin = Tensor([1.0, 2.0], requires_grad=True)
    loss = jit(lambda x: ((x * w) ** 2).sum())
    for x in (np.ones(2), np.arange(2.0)):
        y = loss(x)
        (3.0 * y + w.sum()).backward()
        z = ((x * twin) ** 2).sum()
        (3.0 * z + twin.sum()).backward()
        assert_same(w.grad, twin.grad)
    y = loss(x)
    y.backward()
    with pytest.raises(RuntimeError, match=r"backward\(\) was called"):
        y.backward()
    y = loss(x)
    w.data = [0.0, 0.0]
    with pytest.raises(RuntimeError, match="changed after"):
        y.backward()


def test_kept_slopes_are_not_computed_over():
    w = Tensor([1.0, 2.0], requires_grad=True)
    loss = jit(lambda x: ((x * w) ** 2).sum())
    first, second = loss(np.ones(2)), loss(np.full(2, 3.0))
    first.backward()
    assert_same(w.grad, np.array([2.0, 4.0]))
    second.backward()
    assert_same(w.grad, np.array([20.0, 40.0]))


def test_other_results_are_not_cut_off_silently():
    w = Tensor([1.0, 2.0], requires_grad=True)
    two = jit(lambda x: ((x * w).sum(), (x * w).max()))
    rows = jit(lambda x: x * w)
    x = np.ones(2)
    for result in (two(x)[0], two(x)[1], rows(x).sum(), rows(x).sum() + w.sum()):
        with pytest.raises(RuntimeError, match="let it return the loss alone"):
            result.backward()
    assert w.grad is None


def test_a_loss_that_was_gone_back_from():
    w = Tensor([1.0, 2.0], requires_grad=True)

    @jit
    def step(x):
        y = (x * w).sum()
        y.backward()
        return y

    y = step(np.ones(2))
    assert_same(w.grad, np.ones(2))
    with pytest.raises(RuntimeError, match="was called on"):
        y.backward()
    with pytest.raises(RuntimeError, match="gone back from"):
        (y + 1.0).backward()


def test_transforms_and_debug_see_the_function_itself():
    w = Tensor([1.0, 2.0], requires_grad=True)
    f = lambda x: ((x * w) ** 2).sum()  # noqa: E731
    compiled = jit(f)
    x = np.ones(2)
    compiled(x)
    w.requires_grad = False
    assert_same(grad(compiled)(x), grad(f)(x))
    assert_same(hessian(compiled)(x), hessian(f)(x))
    with debug(), pytest.raises(FloatingPointError, match="multiply gave inf"):
        compiled(np.array([1e308, np.inf]))


def test_no_grad():
    w = Tensor([1.0, 2.0], requires_grad=True)
    compiled = jit(lambda x: x * w)
    assert compiled(np.ones(2)).requires_grad
    with no_grad():
        assert not compiled(np.ones(2)).requires_grad
    assert compiled(np.ones(2)).requires_grad


def test_what_leaves_is_never_computed_over():
    w = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)

    @jit
    def f(x):
        w.zero_grad()
        y = x * 2.0
        z = np.tanh(y)
        (z * w).sum().backward()
        w.data = w.data + w.grad
        return y, y, y.T, z[0], z, z.reshape(-1), w.grad, w.grad.T, x, np.exp(z), w.data

    kept = []
    rng = np.random.default_rng(0)
    for _ in range(4):
        x = rng.normal(size=(2, 3))
        results = f(x)
        kept.append((x, x.copy(), results, [r.copy() for r in results], w.data, w.grad))
        copies = [w.data.copy(), w.grad.copy()]
        kept[-1] += (copies,)
    for x, x_before, results, before, _, gradient, copies in kept:
        assert_same(x, x_before)
        assert_same(list(results), before)
        assert_same(gradient, copies[1])
    arrays = [r for entry in kept for r in (entry[0], *entry[2])] + [w.data, w.grad]
    for a, b in itertools.combinations(arrays, 2):
        assert a is b or not np.may_share_memory(a, b)
    for array in results:
        array += 1.0  # results are the caller's own
    f(x)


def test_functions_without_any_parameter():
    predict = jit(lambda x: functional.softmax(x @ x.T).argmax(axis=1))
    for x in (np.eye(3), np.arange(9.0).reshape(3, 3)):
        found = predict(x)
        assert_same(found, functional.softmax(x @ x.T).argmax(axis=1))


@pytest.mark.parametrize("order", ["C", "F"])
def test_layouts_of_memory(order):
    w = Tensor(
        np.asarray(np.random.default_rng(0).normal(size=(4, 3)), order=order), requires_grad=True
    )

    def step(x):
        w.zero_grad()
        loss = (np.tanh(x @ w.T @ w) ** 2).sum()
        loss.backward()
        return loss, w.grad

    compiled = jit(step)
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(10, 6))
    for x in (wide[:5, :3].copy(), wide[:5, :3], wide[::2, ::2], np.asfortranarray(wide[:5, 3:])):
        found = compiled(x)
        expected = step(x)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-13)


# Refusals.

W = Tensor([1.0, 2.0], requires_grad=True, name="W")
NUMBERS = [Tensor([1.0, 2.0], requires_grad=True)]
GRAPH = W * 2.0


@pytest.mark.parametrize(
    "f",
    [
        lambda x: W.sum() if (x * W).sum() > 0 else W,
        lambda x: W.sum() if x[0] > 0 else W,
        lambda x: float(x[0]) * W,
        lambda x: int(x[0]) * W,
        lambda x: round(x[0]) * W,
        lambda x: x[0].item() * W,
        lambda x: (x * W).sum().item(),
        lambda x: W.numpy() * x,
        lambda x: W.tolist(),
        lambda x: np.asarray(x) * W,
        lambda x: np.array([x[0], x[1]]) * W,
        lambda x: Tensor([x[0], x[1]]) * W,
        lambda x: print(W) or W,
        lambda x: f"{x}" and W,
        lambda x: f"{(x * W).sum():.3f}" and W,
        lambda x: repr(x * W) and W,
        lambda x: (x > 0).all() and W,
        lambda x: np.linalg.norm(x) > 1 or W,
        lambda x: bool(W[0]),
        lambda x: x[0] in [1.0, 2.0],
        lambda x: max(x[0], x[1]),
        lambda x: sorted(x),
        lambda x: copy.copy(W) * x,
        lambda x: np.from_dlpack(W.detach()),
        lambda x: np.random.default_rng(0).permutation(x),
    ],
)
def test_numbers_that_python_takes_are_refused(f):
    with pytest.raises(TypeError, match=r"(?s)under jit.*np.where") as caught:
        jit(f)(np.array([1.0, 2.0]))
    assert "line" in str(caught.value)
    assert_same(W.data, np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[x > 0],
        lambda x: (x * W)[x > 0],
        lambda x: W[(x * W) > 0],
        lambda x: np.nonzero(x * W),
        lambda x: np.where(x > 0),
    ],
)
def test_shapes_that_depend_on_numbers_are_refused(f):
    with pytest.raises(TypeError, match=r"shape.*depends on numbers.*np.where"):
        jit(f)(np.array([1.0, 2.0]))


def test_what_to_write_instead_of_a_mask():
    kept = jit(lambda x: np.where(x > 0, x, 0.0).sum())
    for x in (np.array([1.0, -2.0]), np.array([-1.0, 3.0])):
        assert kept(x) == x[x > 0].sum()


@pytest.mark.parametrize("f", [np.unique, np.argwhere, np.trim_zeros, np.fft.fft, lambda x: x.std])
def test_other_functions_are_refused(f):
    with pytest.raises(TypeError, match="under jit"):
        jit(f)(np.array([1.0, 2.0]))


@pytest.mark.parametrize("name", ["tofile", "nbytes", "sort", "fill", "byteswap"])
def test_other_attributes_of_arrays_are_refused(name):
    with pytest.raises(AttributeError, match="not known under jit"):
        jit(lambda x: getattr(x, name))(np.ones(2))


def test_random_numbers_are_refused():
    rng = np.random.default_rng(0)
    noisy = jit(lambda x: x + rng.normal(size=2))
    with pytest.raises(RuntimeError, match=r"second run was another.*x \+ rng.normal"):
        noisy(np.ones(2))
    assert jit(lambda x, noise: x + noise)(np.ones(2), np.ones(2)).sum() == 4.0


def test_counters_are_refused_and_tensors_count():
    counter = itertools.count(1)
    with pytest.raises(RuntimeError, match="second run was another"):
        jit(lambda x: x * next(counter))(np.ones(2))
    calls = Tensor(0.0)

    @jit
    def count(x):
        calls.data += 1.0
        return x * calls

    assert [count(np.ones(1))[0].item() for _ in range(3)] == [1.0, 2.0, 3.0]


def test_what_grows_is_refused():
    seen = []

    def f(x):
        seen.append(1)
        for _ in seen:
            x = x * 2.0
        return x

    with pytest.raises(RuntimeError, match="second run was another"):
        jit(f)(np.ones(2))


def test_a_tensor_that_only_the_first_run_makes_is_refused():
    made = []

    def f(x):
        if not made:
            made.append(Tensor([1.0, 2.0]))
        return x * made[0]

    with pytest.raises(RuntimeError, match="second run was another"):
        jit(f)(np.ones(2))


ARRAY = np.ones(2)
SET = {"train": np.ones(2)}


def test_plain_arrays_in_names_are_refused():
    inner = np.ones(2)
    for f, name in (
        (lambda x: x * ARRAY, "ARRAY"),
        (lambda x: x * SET["train"], "SET"),
        (lambda x: x * inner, "inner"),
        (lambda x, y=ARRAY: x * y, "y"),
        (lambda x: [x * part for part in (lambda: inner)()], "inner"),
    ):
        with pytest.raises(RuntimeError, match=f"'{name}', which holds an array.*make it a Tensor"):
            jit(f)(np.ones(2))
    held = Tensor(inner)
    assert_same(jit(lambda x: x * held)(np.ones(2)).numpy(), np.ones(2))


def test_plain_arrays_elsewhere_are_refused_where_they_are_used():
    hidden = Hidden(np.ones((2, 2)))
    for f in (
        lambda x: x * hidden.value,
        lambda x: hidden.value @ x,
        lambda x: x @ hidden.value[:, 0],
        lambda x: hidden.value.T @ W,
        lambda x: x * Tensor(hidden.value),
        lambda x: x[hidden.value[0].astype(int)] * hidden.value,
        lambda x: np.where(hidden.value > 5, W, hidden.value),
        lambda x: losses.mse_loss(W, hidden.value[0]) + x.sum(),
    ):
        with pytest.raises(RuntimeError, match=r"found an array of shape.*outside, on line"):
            jit(f)(np.ones(2))


def test_arrays_that_f_makes_are_its_own():
    def f(x):
        buffer = np.zeros(2)
        y = x * buffer
        buffer += 1.0
        return y, x * buffer

    compiled = jit(f)
    for x in (np.ones(2), np.arange(2.0)):
        assert_same(compiled(x), f(x))


def test_a_graph_computed_before_is_refused():
    for f in (lambda x: x * GRAPH, lambda x: GRAPH, lambda x: GRAPH.sum() + W.sum()):
        with pytest.raises(RuntimeError, match="was computed before the call"):
            jit(f)(np.ones(2))
    with pytest.raises(TypeError, match="requires a gradient, as an argument"):
        jit(lambda x: x)(GRAPH)
    with pytest.raises(TypeError, match=r"jit\(grad\(f\)\)"):
        jit(lambda x: x)(W)
    assert_same(jit(lambda x: x * 2.0)(W.detach()), Tensor([2.0, 4.0]))


@pytest.mark.parametrize(
    "x", [[1.0, 2.0], (1.0,), {"a": 1}, {1}, object(), nn.Linear(1, 1), np.sum]
)
def test_arguments_that_are_no_arrays_are_refused(x):
    with pytest.raises(TypeError, match=r"takes arrays.*It got"):
        jit(lambda x: x)(x)


@pytest.mark.parametrize(
    "x", [np.array([object()]), np.array(["a"]), np.array([1j]), np.ma.array([1.0])]
)
def test_arrays_of_something_else_are_refused(x):
    with pytest.raises(TypeError, match="cannot be in a graph"):
        jit(lambda x: x)(x)


@pytest.mark.parametrize("y", [object(), {1.0}, np.sum, nn.Linear(1, 1), [object()]])
def test_results_that_are_no_arrays_are_refused(y):
    hidden = Hidden(y)
    with pytest.raises(TypeError, match="under jit returns Tensors, arrays and numbers"):
        jit(lambda: hidden.value)()


def test_a_new_leaf_cannot_be_returned():
    with pytest.raises(TypeError, match="a leaf that requires a gradient"):
        jit(lambda x: Tensor(x, requires_grad=True))(np.ones(2))


def test_only_functions_are_compiled():
    with pytest.raises(TypeError, match=r"jit takes a function.*jit\(f\)"):
        jit(W)


def test_requires_grad_is_not_changed_inside():
    def f(x):
        W.requires_grad = False
        return x * W

    with pytest.raises(RuntimeError, match="Set it between the calls"):
        jit(f)(np.ones(2))
    assert W.requires_grad

    def own(x):
        leaf = Tensor(x)
        leaf.requires_grad = True
        (leaf * leaf).sum().backward()
        return leaf.grad

    assert_same(jit(own)(np.ones(2)), np.full(2, 2.0))


def test_settings_are_not_changed_inside():
    w = Tensor([1.0], requires_grad=True)
    sgd = optim.SGD([w], lr=0.1)

    def after():
        (w * w).sum().backward()
        sgd.step()
        sgd.lr *= 0.5

    def before():
        sgd.lr *= 0.5
        (w * w).sum().backward()
        sgd.step()

    for f in (before, after):
        with pytest.raises(RuntimeError, match="Change it between the calls"):
            jit(f)()
    assert sgd.lr == 0.1


def test_writing_in_place():
    def to_an_argument(x):
        x += 1.0
        return x

    def to_what_has_another_name(x):
        y = x * 2.0
        z = y
        y += 1.0
        return z

    def to_what_a_view_shows(x):
        y = x * 2.0
        z = y[:1]
        y += 1.0
        return z

    def to_a_leaf_without_a_word(x):
        data = W.data
        data -= x
        return W * x

    def to_a_leaf_and_nothing_else(x):
        data = W.data
        data -= x
        return x * 2.0

    def to_a_gradient(x):
        (W * x).sum().backward()
        g = W.grad
        g *= 2.0
        return x * 2.0

    def to_an_array_for_results(x):
        return np.sum(x * 2, out=np.zeros(()))

    def to_an_array_by_position(x):
        return np.clip(x, 0, 1, np.zeros(2))

    def to_an_array_of_a_ufunc(x):
        return np.add(x, 1.0, out=np.zeros(2)) + np.zeros(2)

    def to_an_array_that_f_made(x):
        y = np.zeros(2)
        y += x
        return y

    for f in (
        to_an_array_for_results,
        to_an_array_by_position,
        to_an_array_of_a_ufunc,
        to_an_array_that_f_made,
        to_an_argument,
        to_what_has_another_name,
        to_what_a_view_shows,
        to_a_leaf_without_a_word,
        to_a_leaf_and_nothing_else,
        to_a_gradient,
    ):
        with pytest.raises(TypeError, match=r"in place|does not write into|wrote into"):
            jit(f)(np.ones(2))
    assert_same(W.data, np.array([1.0, 2.0]))
    assert W.grad is None

    def to_its_own(x):
        y = x * 2.0
        y += 1.0
        y -= x
        return y

    compiled = jit(to_its_own)
    for x in (np.ones(2), np.arange(2.0)):
        assert_same(compiled(x), to_its_own(x))


def test_elements_are_not_assigned():
    def f(x):
        y = x * 2.0
        y[0] = 1.0
        return y

    with pytest.raises(TypeError, match="does not write into"):
        jit(f)(np.ones(2))


def test_what_is_left_over_says_so():
    left = []

    def f(x):
        left.append(x)
        return x * 2.0

    jit(f)(np.ones(2))
    with pytest.raises(RuntimeError, match="Return it instead"):
        left[0] + 1.0
    with pytest.raises(RuntimeError, match="Return it instead"):
        jit(lambda x: x * left[0])(np.ones(2))


def test_after_a_refusal_all_is_as_it_was():
    w = Tensor([1.0, 2.0], requires_grad=True)
    w.grad = [5.0, 6.0]
    w.data[0] = 3.0
    sgd = optim.SGD([w], lr=0.1, momentum=0.9)
    before = (w.data, w.grad, sgd.state_dict()["state.0.momentum_buffer"])

    @jit
    def step(x):
        (w * x).sum().backward()
        sgd.step()
        sgd.zero_grad()
        raise ArithmeticError(x[0] > 0)

    with pytest.raises(ArithmeticError):
        step(np.ones(2))
    assert w.data is before[0]
    assert w.grad is before[1]
    assert_same([w.data, w.grad], [np.array([3.0, 2.0]), np.array([5.0, 6.0])])
    assert_same(sgd.state_dict()["state.0.momentum_buffer"], before[2])
    w.data[1] = 7.0  # it is still the array of the leaf
    assert_same((w * 1.0).numpy(), np.array([3.0, 7.0]))


# Threads, interrupts, memory.


def test_threads_on_one_program_agree():
    w = Tensor(np.random.default_rng(0).normal(size=(20, 20)), requires_grad=True)
    f = lambda x: np.tanh(np.tanh(x @ w) @ w.T).sum(axis=1)  # noqa: E731
    compiled = jit(f)
    inputs = [np.random.default_rng(i).normal(size=(20, 20)) for i in range(8)]
    expected = [f(x).numpy() for x in inputs]
    wrong = []

    def work(i):
        for _ in range(100):
            same = np.array_equal(compiled(inputs[i]).numpy(), expected[i])
            wrong.extend([] if same else [i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(programs_of(compiled)) == 1


def test_a_thread_that_comes_in_the_middle_of_a_run_waits():
    x, other = np.random.default_rng(0).normal(size=(2, 20, 20))
    of_thread = []
    thread = threading.Thread(target=lambda: of_thread.append(f(other)))
    meanwhile = []

    def forward(x):
        while meanwhile:
            meanwhile.pop().start()
            thread.join(1.0)  # long enough to end, if it does not wait
        return x + 0.0

    middle = primitive(forward, lambda g, y, x: g)
    f = jit(lambda x: np.sum(np.sin(x) * middle(x), axis=1))
    expected = [f(x), f(other)]
    meanwhile.append(thread)
    result = f(x)
    thread.join()
    assert_same([result, *of_thread], expected)


def test_an_interrupt_leaves_all_as_it_was_or_as_it_becomes():
    model, sgd, step = training([30, 20, 10], momentum=0.9)
    compiled = jit(step)
    twins = training([30, 20, 10], momentum=0.9)
    data = batches(1, 64, 30, 10)[0]
    compiled(*data)
    twins[2](*data)
    states = [state_of(model, sgd)]
    twins[2](*data)
    after = state_of(*twins[:2])

    def stop(*_):
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, stop)
    warnings_before = np.geterr()  # an interrupt may keep NumPy from setting them back
    interrupted = 0
    try:
        for i in range(300):
            for leaf, numbers in zip(
                [*model.parameters(), *memory_of(sgd)], states[0], strict=True
            ):
                leaf.data = numbers
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + (i % 100) * 2e-6)
                compiled(*data)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            now = state_of(model, sgd)
            same = [
                all(np.array_equal(a, b) for a, b in zip(now, state, strict=True))
                for state in (states[0], after)
            ]
            assert any(same), i
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        np.seterr(**warnings_before)
    assert interrupted > 10
    compiled(*data)  # it still runs


def test_an_error_in_the_middle_leaves_all_as_it_was():
    fails = Hidden(False)

    def forward(x):
        if fails.value:
            raise OSError("no more")
        return x * 2.0

    double = primitive(forward, lambda g, y, x: g * 2.0)
    w = Tensor([1.0, 2.0], requires_grad=True)
    v = Tensor([1.0, 2.0], requires_grad=True)

    @jit
    def step(x):
        w.zero_grad()
        (w * x).sum().backward()
        w.data = w.data - w.grad
        double(v * x).sum().backward()
        return w.grad

    step(np.ones(2))
    state = [w.numpy(), w.grad.copy(), v.grad.copy()]
    fails.value = True
    with pytest.raises(OSError, match="no more"):
        step(np.full(2, 3.0))
    assert_same([w.numpy(), w.grad, v.grad], state)
    fails.value = False
    step(np.ones(2))


def test_nothing_leaks():
    model, _, step = training([4, 3])
    compiled = jit(step)
    compiled(*batches(1, 5, 4, 3)[0])
    program = weakref.ref(programs_of(compiled)[0].program)
    files = [name for name in linecache.cache if "<compiled step" in name]
    gc.disable()
    try:
        del compiled
        assert program() is None
        assert not [name for name in linecache.cache if name in files[-1:]]
        parameter = weakref.ref(model.weight)
        del model, _, step
        assert parameter() is None
    finally:
        gc.enable()


def test_memory_does_not_grow_with_calls():
    _, _, step = training([4, 3])
    compiled = jit(step)
    batch = batches(1, 5, 4, 3)[0]
    for _ in range(10):
        compiled(*batch)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(200):
        compiled(*batch)
    gc.collect()
    assert len(gc.get_objects()) - before < 20


# The text.


def test_the_source_says_what_is_done():
    _, _, step = training([4, 3])
    compiled = jit(step)
    assert compiled.source == ""
    compiled(*batches(1, 5, 4, 3)[0])
    text = compiled.source
    assert text.startswith("def step(x, y):")
    for word in ("# forward", "# backward", "# update", "weight", "bias", "lr = ", "exp("):
        assert word in text
    exec(compile(text, "text", "exec"), {})
    kinds = [ops.name(line.op) for line in compiled.lines]
    assert kinds.index("exp") < kinds.index("log") < kinds.index("divide")
    assert {line for line in compiled.lines for line in line.operands()} <= {
        *compiled.lines,
        *(x for line in compiled.lines for x in line.operands() if x.op is None),
    }
    (line,) = [line for line in compiled.lines if line.op is np.exp]
    assert line.value == ((5, 3), np.float64)


def test_errors_in_a_program_show_its_line():
    compiled = jit(lambda y: functional.one_hot(y, 3))
    compiled(np.array([0, 1]))
    with pytest.raises(ValueError, match="class labels") as caught:
        compiled(np.array([0, 5]))
    text = "".join(str(entry) for entry in caught.traceback)
    assert "check_labels(y, 3)" in text


# Attacks: what was, or might have been, silently wrong.


def check_against_eager(f, *calls):
    compiled = jit(f)
    for args in calls:
        assert_same(compiled(*args), f(*args))


def test_an_index_of_one_number_gives_a_view_that_is_copied():
    x = np.arange(12.0).reshape(3, 4)

    def f(x, i):
        return (x * 2)[i], (x * 2)[i, 1:], np.exp((x * 2)[i]), x[i], np.take(x, i, axis=0)

    compiled = jit(f)
    kept = [compiled(x + i, i) for i in (np.int64(0), np.int64(2), np.array(1)[()])]
    for found, i in zip(kept, (0, 2, 1), strict=True):
        assert_same(found, f(x + i, i))
    check_against_eager(lambda x: x[x[0].argmax() - 1], (x,), (x[:, ::-1],))
    check_against_eager(lambda x: (x * 2)[1] + (x + 1)[x[0].argmax() - 3], (x,), (x[:, ::-1],))


def test_leaves_that_swap():
    a, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)

    @jit
    def swap():
        a.data, b.data = b.data, a.data

    for _ in range(2):
        swap()
    assert_same([a.data, b.data], [np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    swap()
    assert_same([a.data, b.data], [np.array([3.0, 4.0]), np.array([1.0, 2.0])])

    @jit
    def copy_over():
        a.data = b.data
        return a.data, b.data, b.detach()

    shown = copy_over()
    a.data[0] = 9.0
    assert_same([b.data, *shown[:2]], [np.array([1.0, 2.0])] * 3)
    assert not np.may_share_memory(a.data, b.data)
    shown[0][0] = 7.0
    assert_same(b.data, np.array([1.0, 2.0]))


def test_numbers_without_axes():
    def step_of(a):
        def step(x):
            y = a * x
            y.backward()
            g = a.grad
            a.zero_grad()
            a.data -= 0.1 * g
            return y, g, a.data, np.where(x > 0, x, a), np.where(x > 0, x, 1.0), x + 1, x

        return step

    a, b = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    a.data[()] = 3.0  # lent: an array without axes
    compiled, eager = jit(step_of(a)), step_of(b)
    for x in (np.float64(2.0), np.float64(-1.0)):
        for found, expected in zip(compiled(x), eager(x), strict=True):
            assert_same(found, expected)
            assert type(found) is type(expected)
    shown = compiled(np.float64(1.0))[2]
    before = shown.copy()
    compiled(np.float64(5.0))
    assert shown == before


def test_labels_that_were_not_checked_are_not_flattened():
    scores = np.arange(6.0).reshape(2, 3)
    f = lambda s, y: s[np.arange(2), y]  # noqa: E731
    compiled = jit(f)
    for y in (np.array([0, 1]), np.array([-1, 2])):
        assert_same(compiled(scores, y), f(scores, y))
    with pytest.raises(IndexError):
        compiled(scores, np.array([3, 0]))
    g = grad(lambda s, y: (s[np.arange(2), y] ** 2).sum() + (s**3).sum())
    compiled = jit(g)
    for y in (np.array([0, 1]), np.array([-1, 2])):
        assert_same(compiled(scores, y), g(scores, y))


def test_operations_that_draw_numbers_are_refused():
    rng = np.random.default_rng(0)
    dropout = primitive(lambda x: x * (rng.random(x.shape) > 0.5), lambda g, y, x: g)
    with pytest.raises(RuntimeError, match="second run was another"):
        jit(lambda x: dropout(x))(np.ones(20))
    with pytest.raises(RuntimeError, match="second run was another"):
        jit(lambda x: dropout(x) + dropout(x))(np.ones(20))


def test_an_operation_that_gives_its_argument_back():
    same = primitive(lambda x: x, lambda g, y, x: g)
    part = primitive(lambda x: x[:1], lambda g, y, x: np.zeros_like(x))

    def f(x):
        return same(x * 2), same(x * 2) + 1, part(np.exp(x)), np.exp(x) * 3, x + 5

    compiled = jit(f)
    kept = [compiled(np.arange(3.0) + i) for i in range(3)]
    for i, found in enumerate(kept):
        assert_same(found, f(np.arange(3.0) + i))


def test_equal_lines_are_one_and_others_are_not():
    check_against_eager(
        lambda x: (x[0:1], x[1:2], x[0], x[1], x + 1, x + 1.0, x + True, x.sum(0), x.sum(1)),
        (np.arange(4.0).reshape(2, 2),),
        (np.arange(4).reshape(2, 2),),
    )
    check_against_eager(lambda x: (x * 0.0, x * -0.0, x + np.float32(1), x + 1), (np.ones(2),))
    check_against_eager(
        lambda x: (x**2, x**2.0, x**0.5, np.power(x, 0.5), np.power(x, 2), x**-1, 2.0**x, x**x),
        (np.array([0.3, 1.7, 2.2]),),
        (np.float64(1.3),),
    )


def test_warnings_are_given_as_without_jit():
    def f(x):
        with np.errstate(divide="ignore"):
            y = np.log(x)
        return y, np.log(1 - x)

    compiled = jit(f)
    compiled(np.full(2, 0.5))
    assert_same(compiled(np.zeros(2)), f(np.zeros(2)))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        compiled(np.ones(2))


def test_a_jitted_function_in_another():
    w = Tensor([1.0, 2.0], requires_grad=True)
    inner = jit(lambda x: (x * w).sum())
    outer = jit(lambda x: inner(x) ** 2)
    for x in (np.ones(2), np.arange(2.0)):
        inner(x)
        y = outer(x)
        y.backward()
        assert float(y) == float((x * w).sum() ** 2)


def test_leaves_found_in_containers_and_made_inside():
    params = {"a": Tensor([1.0, 2.0], requires_grad=True), "list": [Tensor(3.0)]}

    def f(x):
        inside = Tensor(x * 2.0, requires_grad=True)
        (inside * params["a"] * params["list"][0]).sum().backward()
        params["list"][0].data += 1.0
        return inside.grad, Tensor([1.0, 2.0]) * x, Tensor(params["a"].detach()) + x

    compiled = jit(f)
    start = params["list"][0].numpy()
    found = [compiled(np.ones(2)) for _ in range(3)]
    params["list"][0].data = start
    expected = [f(np.ones(2)) for _ in range(3)]
    assert_same(found, expected)


def test_leaves_of_another_order_in_memory():
    w = Tensor(np.ones((3, 2)), requires_grad=True)
    step = jit(lambda x: (x @ w.T).sum(axis=0))
    x = np.arange(4.0).reshape(2, 2)
    assert_same(step(x).numpy(), (x @ w.T).sum(axis=0).numpy())
    w.data = np.asfortranarray(np.arange(6.0).reshape(3, 2))
    assert_same(step(x).numpy(), (x @ w.T).sum(axis=0).numpy())


def test_arguments_of_subclasses_and_other_byte_orders(tmp_path):
    x = np.arange(3.0)
    memory = np.memmap(tmp_path / "x", float, "w+", shape=3)
    memory[:] = x
    compiled = jit(lambda x: x * 2.0)
    for array in (x, memory, x.astype(">f8"), x.astype("<f4"), x[::-1]):
        np.testing.assert_array_equal(compiled(array), np.asarray(array) * 2.0)


def test_transforms_inside_a_step():
    def step_of(w):
        def step(x, y):
            loss, slope = value_and_grad(lambda w: losses.mse_loss(x @ w, y))(w.data)
            curvature = hessian(lambda w: losses.mse_loss(x @ w, y))(w.data)
            nested = grad(lambda v: (grad(lambda u: (u**3 * w).sum())(v) ** 2).sum())(x[0])
            nested.sum().backward()
            w.data -= 0.1 * slope + 0.001 * w.grad
            w.zero_grad()
            return loss, curvature, nested

        return step

    w, twin = Tensor([1.0, 2.0], requires_grad=True), Tensor([1.0, 2.0], requires_grad=True)
    compiled, eager = jit(step_of(w)), step_of(twin)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(4, 2)), rng.normal(size=4)
        found, expected = compiled(x, y), eager(x, y)
        close_enough(found[:2], expected[:2])
        close_enough(found[2].numpy(), expected[2].numpy())
        close_enough(w.data, twin.data)


def test_what_was_replaced_is_freed():
    model = nn.Linear(2, 1, rng=0)
    predict = jit(lambda x: model(x))
    for n in (1, 2, 3):
        predict(np.ones((n, 2)))
    old = weakref.ref(model.weight)
    model = nn.Linear(2, 1, rng=1)
    predict(np.ones((1, 2)))
    gc.collect()
    assert old() is None


def test_what_is_caught_is_refused_all_the_same():
    def falls_back_on_bad_data(y):
        try:
            return losses.cross_entropy(np.zeros((2, 2)), y)
        except ValueError:
            return -1.0

    def falls_back_on_an_index(x, i):
        try:
            return x[i]
        except IndexError:
            return x

    def falls_back_on_an_index_of_a_tensor(x, i):
        try:
            return W[i] * x
        except IndexError:
            return x

    def falls_back_on_a_refusal(x):
        try:
            return x * float(x[0])
        except TypeError:
            return x

    def falls_back_on_an_attribute(x):
        return x * getattr(x, "nbytes", 0)

    def falls_back_on_what_no_array_has(x):
        return x * getattr(x, "todense", 3.0)

    def falls_back_on_a_shape(x):
        try:
            return x + np.ones(3)
        except ValueError:
            return x

    with pytest.raises(ValueError, match="class labels"):
        jit(falls_back_on_bad_data)(np.array([0, 2]))
    with pytest.raises(IndexError):
        jit(falls_back_on_an_index)(np.ones(2), np.array([5]))
    with pytest.raises(IndexError):
        jit(falls_back_on_an_index_of_a_tensor)(np.ones(2), np.array([5]))
    for f in (falls_back_on_a_refusal, falls_back_on_an_attribute):
        with pytest.raises((TypeError, AttributeError), match="under jit"):
            jit(f)(np.ones(2))
    for f in (falls_back_on_what_no_array_has, falls_back_on_a_shape):
        check_against_eager(f, (np.ones(2),), (np.arange(2.0),))


def test_names_bound_inside_are_refused():
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return x * 2.0

    with pytest.raises(RuntimeError, match=r"count.data = "):
        jit(f)(np.ones(2))


def test_a_leaf_is_not_an_argument_as_well():
    total = Tensor(0.0)

    @jit
    def add(x):
        total.data = total.data + x.data
        return x * 2.0

    one = Tensor(1.0)
    add(one)
    assert total.item() == 1.0
    with pytest.raises(TypeError, match="finds it by another name"):
        add(total)
    add(total.detach())
    assert total.item() == 2.0


def test_debug_is_put_around():
    def f(x):
        with debug():
            return np.log(x * W)

    with pytest.raises(RuntimeError, match="Put it around the call"):
        jit(f)(np.ones(2))
    with debug(), pytest.raises(FloatingPointError):
        jit(lambda x: np.log(x * W))(np.zeros(2))


def test_names_that_python_takes_for_one_are_two():
    a = Tensor([1.0], name="\ufb01")
    b = Tensor([2.0], name="fi")
    c = Tensor([3.0], name="def")
    d = Tensor([4.0], name="t0")
    e = Tensor([5.0], name="")
    f = lambda abs, next, t0, b0: a * abs + b * next + c * t0 * b0 + d - e  # noqa: E731, A006
    arrays = [np.full(1, x) for x in (1.0, 2.0, 3.0, 4.0)]
    check_against_eager(f, arrays, arrays[::-1])


def test_modules_and_methods_are_compiled():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), np.tanh, nn.Linear(3, 1, rng=1))
    compiled = jit(model)
    other_way = jit(model.forward)
    for x in (np.ones((2, 2)), np.eye(2)):
        assert_same(compiled(x).numpy(), model(x).numpy())
        assert_same(other_way(x).numpy(), model(x).numpy())
    assert "weight_leaf" in compiled.source


def test_lists_of_tensors_are_not_cut_off():
    def f(x):
        return np.add(x, [W[0], W[1]])

    for run in (f, jit(f)):
        with pytest.raises(TypeError, match=r"cut off|numbers out of"):
            run(np.ones(2))
    check_against_eager(lambda x: np.add(x, [1.0, 2.0]), (np.ones(2),))


def test_other_numbers_than_real_ones_are_refused():
    for f in (lambda x: x * 1j, lambda x: x.sum() * 1j, lambda x: np.sqrt(x + 0j)):
        with pytest.raises(TypeError, match="real numbers"):
            jit(f)(np.ones(2))


def test_a_primitive_is_freed_with_its_program():
    def compiled_once():
        double = primitive(lambda x: x * 2.0, lambda g, y, x: g * 2.0)
        jit(lambda x: double(x * W).sum())(np.ones(2))
        return weakref.ref(double)

    kept = compiled_once()
    gc.collect()
    assert kept() is None


def test_views_of_arguments_are_copied_too():
    w = Tensor(np.zeros((2, 2)), requires_grad=True)

    @jit
    def take(x):
        w.data = x.T
        w.grad = x[::-1]
        return x.T, x.reshape(-1), x[0], w.data

    x = np.arange(4.0).reshape(2, 2)
    results = take(x)
    for array in (*results, w.data, w.grad):
        assert not np.may_share_memory(array, x)
    x[:] = 9.0
    assert_same(w.data, np.array([[0.0, 2.0], [1.0, 3.0]]))
    assert_same(w.grad, np.array([[2.0, 3.0], [0.0, 1.0]]))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("keepdims", [True, False])
def test_what_was_broadcast_is_multiplied_as_a_whole_matrix(axis, keepdims):
    def loss(a, b):
        return (((a @ b).sum(axis=axis, keepdims=keepdims)) ** 2).sum()

    rng = np.random.default_rng(0)
    for _ in range(2):
        a, b = rng.normal(size=(2, 3, 3))
        close_enough(jit(grad(loss, (0, 1)))(a, b), grad(loss, (0, 1))(a, b))
        close_enough(jit(loss)(a, b), loss(a, b))
    spread = lambda x, y: (ops.broadcast(x, shape=(3, 3)) @ y, np.broadcast_to(x, (3, 3)) @ y)  # noqa: E731
    x, y = rng.normal(size=(1, 3)), rng.normal(size=(3, 3))
    check_against_eager(spread, (x, y), (x + 1, y))


def test_comparisons_with_what_is_no_number():
    check_against_eager(lambda x: (x == None, x != None), (np.ones(2),))  # noqa: E711


def test_negative_numbers_stand_in_brackets():
    f = lambda x: ((-2.0) ** x, (-2) ** x, x ** (-2.0), x - (-1), -x, (-1.5) * x - (-x))  # noqa: E731
    check_against_eager(f, (np.float64(2.0),), (np.float64(3.0),))
    check_against_eager(f, (np.array([2.0, 4.0]),), (np.array([1.0, 3.0]),))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_settings_are_numbers_of_python(dtype):
    """So that float32 stays float32, as without jit."""
    leaves = [Tensor([1.0, 3.0], requires_grad=True, dtype=dtype) for _ in range(2)]
    steps = []
    for w in leaves:
        adam = optim.AdamW([w], lr=0.1, weight_decay=0.3)

        def step(w=w, adam=adam):
            (w * w).sum().backward()
            adam.step()
            adam.zero_grad()

        steps.append((step, adam))
    compiled = jit(steps[1][0])
    for lr in (0.1, 0.2, 0.7):
        for _, adam in steps:
            adam.lr = lr
        steps[0][0]()
        compiled()
        assert_same(leaves[1].data, leaves[0].data)
    assert len(programs_of(compiled)) == 1


def test_a_constant_gradient_meets_a_gradient_of_picked_elements():
    def loss(s, y):
        functional.one_hot(y, K)  # which checks the labels
        return s.sum() - (s[np.arange(N), y] * 2.0).sum()

    compiled = jit(grad(loss))
    for y in CLASSES:
        assert_same(compiled(SCORES[0], y), grad(loss)(SCORES[0], y))


def test_the_graph_of_a_program_can_be_drawn_and_changes_nothing():
    model, sgd, step = training([4, 3], momentum=0.5)
    compiled = jit(step)
    (x, y), *_ = batches(1, 5, 4, 3)
    before = state_of(model, sgd)
    graph = compiled.graph(x, y)
    assert_same(state_of(model, sgd), before)
    ends = [f"model_{name}.{what}" for name in ("weight", "bias") for what in ("data", "grad")]
    assert {*graph} >= {"result", *ends}
    assert len(graph) == 7  # with two velocities
    loss = compiled(x, y)
    assert graph["result"].item() == loss.item()
    assert (graph["model_weight.data"].data == model.weight.data).all()
    assert "exp(" in str(tinygrad_edu.draw(graph["model_weight.data"], max_nodes=200))


def test_the_graphs_of_several_results_are_all_there():
    graph = jit(lambda x: {"double": x * 2, "rest": [x + 1, None]}).graph(np.ones(2))
    assert {name: ops.name(node.op) for name, node in graph.items()} == {
        "result_0": "multiply",
        "result_1": "add",
    }


def test_arrays_in_a_named_tuple_are_computed_with():
    Pair = collections.namedtuple("Pair", "first second")
    for f in (
        lambda x: np.stack(Pair(x, x * 2)),
        lambda x: np.concatenate(Pair(x, Tensor(x) * 2)),
        lambda x: x[Pair(0, 1)],
    ):
        x = np.arange(4.0).reshape(2, 2)
        assert_same(jit(f)(x), f(x))


def test_methods_that_numpy_has_under_other_names():
    x = np.arange(6.0).reshape(2, 3)
    for f in (lambda x: x.flatten(), lambda x: x.transpose(), lambda x: x.transpose(1, 0)):
        assert_same(jit(f)(x), f(x))


def test_methods_of_ufuncs_that_are_refused():
    with pytest.raises(TypeError, match="reduceat"):
        jit(lambda x: np.add.reduceat(x, [0, 1]))(np.ones(3))


def test_a_gradient_that_another_thread_changes_meanwhile_is_added_to_as_it_is_then():
    w = Tensor([1.0], requires_grad=True)
    meanwhile = []

    def forward(x):
        while meanwhile:
            w.grad = meanwhile.pop()
        return x + 0.0

    late = primitive(forward, lambda g, y, x: g)

    @jit
    def f(x):
        (w * x).sum().backward()
        return late(x)

    w.grad = [1.0]
    x = np.array([2.0])
    f(x)
    assert_same(w.grad, np.array([3.0]))
    meanwhile.append([10.0])
    f(x)
    assert_same(w.grad, np.array([12.0]))


def test_a_result_from_before_a_change_cannot_be_gone_back_from():
    w = Tensor([1.0], requires_grad=True)

    @jit
    def f(x):
        y = (w * w * x).sum()
        w.data = w.data * 2
        return y

    for expected in (3.0, 12.0):
        y = f(np.array([3.0]))
        assert y.item() == expected
        with pytest.raises(RuntimeError, match="changed after the result"):
            y.backward()


# What was silently wrong once.


def test_traced_numbers_are_no_keys():
    table = {1.0: 5.0}
    x = np.array([1.0, 2.0])
    for f in (lambda x: x * len({*x}), lambda x: x * table.get(x[0], 0.0)):
        with pytest.raises(TypeError, match="Python takes numbers"):
            jit(f)(x)


def test_arguments_of_one_name_are_two():
    a, b = np.array([1.0, 2.0]), np.array([5.0, 9.0])
    difference = lambda *x1: x1[0] - x1[1]  # noqa: E731
    assert_same(jit(difference)(a, b), a - b)
    by_keyword = lambda x, /, **others: x - others["x"]  # noqa: E731
    assert_same(jit(by_keyword)(a, x=b), a - b)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (optim.SGD, "momentum", 0.9),
        (optim.SGD, "weight_decay", 0.3),
        (optim.AdamW, "betas", (0.5, 0.6)),
        (optim.AdamW, "eps", 0.01),
    ],
)
def test_groups_with_equal_settings_are_two(kind, name, value):
    def made():
        w, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0], requires_grad=True)
        optimizer = kind([{"params": [w]}, {"params": [b]}], lr=0.1)

        def step(x):
            ((x @ w - b) ** 2).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

        return optimizer, (w, b), step

    optimizer, leaves, step = made()
    twin, others, eager = made()
    compiled = jit(step)
    for i in range(4):
        if i == 2:
            optimizer.groups[1][name] = twin.groups[1][name] = value
        for run in (compiled, eager):
            run(np.arange(6.0).reshape(3, 2))
        for leaf, other_leaf in zip(leaves, others, strict=True):
            assert_same(leaf.data, other_leaf.data)


def test_settings_that_f_reads_are_those_of_each_call():
    w = Tensor([1.0, 2.0], requires_grad=True)
    sgd = optim.SGD([w], lr=0.1, momentum=0.5)
    read = jit(lambda x: x * sgd.lr * sgd.groups[0]["momentum"])
    x = np.array([1.0, 2.0])
    for lr, momentum in ((0.1, 0.5), (0.4, 0.5), (0.4, 0.25)):
        sgd.lr, sgd.momentum = lr, momentum
        assert_same(read(x), x * lr * momentum)
    with pytest.raises(TypeError, match="Python takes numbers"):
        jit(lambda x: x * sgd.state_dict()["groups.0.lr"])(x)


def test_a_flag_that_f_reads_is_that_of_each_call():
    layer = nn.Linear(2, 1, rng=0)
    layer.bias.requires_grad = False
    size = lambda: sum((p**2).sum() for p in layer.parameters())  # noqa: E731
    compiled = jit(size)
    for flag in (False, True, False):
        layer.bias.requires_grad = flag
        assert_same(compiled(), size())


def data_of_argument(t):
    t.data = t.data * 2


def gradient_of_argument(t):
    t.grad = t.data * 3


def backward_to_argument(t):
    t.requires_grad = True
    (t * t).sum().backward()
    t.requires_grad = False


@pytest.mark.parametrize("f", [data_of_argument, gradient_of_argument, backward_to_argument])
def test_arguments_are_not_changed(f):
    with pytest.raises(TypeError, match="which is an argument"):
        jit(f)(Tensor([1.0, 2.0]))


def test_a_name_of_several_lines_is_no_program():
    w = Tensor([1.0, 2.0], requires_grad=True, name="w\n    raise ValueError #")
    sgd = optim.SGD([w], lr=0.5)

    @jit
    def step():
        w.sum().backward()
        sgd.step()

    step()
    assert_same(w.data, np.array([0.5, 1.5]))


class Scaled(nn.Module):
    def __init__(self):
        self.w = Tensor([1.0, 2.0], requires_grad=True)

    def forward(self, x):
        return self.w * x * SCALE


class Callable:
    def __call__(self, x):
        return x * SCALE


SCALE = 2.0


@pytest.mark.parametrize(
    "f", [Scaled(), Callable(), functools.partial(lambda k, x: k * x * SCALE, 3.0)]
)
def test_names_of_what_is_called_are_noticed(f, monkeypatch):
    compiled = jit(f)
    x = np.array([1.0, 2.0])
    for scale in (2.0, 3.0):
        monkeypatch.setitem(globals(), "SCALE", scale)
        assert_same(compiled(x), f(x))


@pytest.mark.parametrize(
    "f",
    [
        lambda x, k: np.sum(x, axis=k) * 2,
        lambda x, k: np.resize(x, (k + 1, 2)) * 2 + 1,
        lambda x, k: np.extract(x > k, x) * 2 + 1,
        lambda x, k: np.compress(x[0] > k, x, axis=1) * 2 + 1,
        lambda x, k: np.tile(x, k + 1),
        lambda x, k: np.split(x, [k])[0],
        lambda x, k: Tensor(x).sum(axis=k),
        lambda x, k: np.extract(x > k, Tensor(x)),
    ],
)
def test_sizes_by_numbers_are_refused(f):
    with pytest.raises(TypeError, match="depends on numbers"):
        jit(f)(np.arange(6.0).reshape(2, 3), np.int64(1))


@pytest.mark.parametrize("f", [np.array_str, np.array_repr, np.array2string])
def test_texts_of_numbers_are_refused(f):
    with pytest.raises(TypeError, match="not known under jit"):
        jit(lambda x: x * len(f(x)))(np.arange(3.0))


@pytest.mark.parametrize("ignore_index", [None, 1])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_with_options(reduction, label_smoothing, ignore_index):
    def loss(s, t, weight, sample_weight):
        return losses.cross_entropy(
            s,
            t,
            weight=weight,
            sample_weight=sample_weight,
            reduction=reduction,
            label_smoothing=label_smoothing,
            ignore_index=ignore_index,
        )

    def unweighted(s, t, sample_weight):
        return loss(s, t, None, sample_weight)

    compiled, without = jit(loss), jit(unweighted)
    for s, t in zip(SCORES, CLASSES, strict=True):
        weight, sample_weight = np.abs(s[0]), np.abs(s[:, 0])
        assert_same(compiled(s, t, weight, sample_weight), loss(s, t, weight, sample_weight))
        assert_same(without(s, t, sample_weight), unweighted(s, t, sample_weight))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_labels_of_each_dtype_pick(dtype):
    def loss(s, y):
        return losses.cross_entropy(s, y) + Tensor(s)[np.arange(N), y].sum()

    compiled = jit(loss)
    for s, y in zip(SCORES, CLASSES, strict=True):
        assert_same(compiled(s, y.astype(dtype)), loss(s, y.astype(dtype)))


def test_a_primitive_whose_shape_depends_on_numbers_is_refused():
    positive = primitive(lambda x: x[x > 0], lambda g, y, x: np.where(x > 0, g.sum(), 0))
    compiled = jit(lambda x: positive(x) * 2 + 1)
    assert_same(compiled(np.array([1.0, 2.0])), np.array([3.0, 5.0]))
    with pytest.raises(TypeError, match="was \\(2,\\), and is \\(1,\\), depends on numbers"):
        compiled(np.array([1.0, -2.0]))


def test_another_function_in_a_module_compiles_anew():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), np.tanh)
    compiled = jit(lambda x: model(x))
    x = np.ones((3, 2))
    assert_same(compiled(x), model(x))
    setattr(model, "1", np.sin)
    assert_same(compiled(x), model(x))


def test_to_compile_does_not_undo_what_another_thread_has_changed():
    w = Tensor([1.0], requires_grad=True)

    def f(x):
        y = w * x
        thread = threading.Thread(target=lambda: setattr(w, "data", [5.0]))
        thread.start()
        thread.join()
        return y.detach()

    jit(f)(np.ones(1))
    assert_same(w.data, np.array([5.0]))


def test_an_interrupt_before_a_run_begins_leaves_no_trace(monkeypatch):
    class Interrupting(list):
        def append(self, _):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tinygrad_edu.tracing.writing", Interrupting())
        with pytest.raises(KeyboardInterrupt):
            jit(lambda x: x * 2)(np.ones(2))
    assert mode.get().watchers == ()


def test_two_gradients_that_are_one_number_each_fill_the_shape():
    f = grad(lambda x: x.sum() ** 3 + x.mean() ** 3)
    check_against_eager(f, (np.ones((3, 2)),), (np.arange(6.0).reshape(3, 2),))
