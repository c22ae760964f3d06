"""A replayed step gives the numbers of the step itself, bit for bit, or is refused."""

import copy
import functools
import gc
import io
import linecache
import random
import threading
import tracemalloc
import warnings
import weakref
from collections import namedtuple
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_programs import SIDE, programs, run

from tinygrad_edu import Tensor, debug, grad, losses, nn, no_grad, optim, primitive, replay, scope
from tinygrad_edu.functional import one_hot, relu, sigmoid, softmax
from tinygrad_edu.ops import StandIn
from tinygrad_edu.replaying.recording import Traced
from tinygrad_edu.replaying.surroundings import Surroundings

CALLS = 8  # one as it is, two recorded, and then enough that are replayed


class Table:
    """What a test trains: a model, its optimizer, and a step."""

    def __init__(self, loss=losses.cross_entropy, dtype=np.float64, hidden=0, **settings):
        layers = [nn.Linear(6, hidden or 4, rng=0, dtype=dtype)]
        if hidden:
            layers += [sigmoid, nn.Linear(hidden, 4, rng=1, dtype=dtype)]
        self.model = nn.Sequential(*layers)
        self.sgd = optim.SGD(self.model.parameters(), **({"lr": 0.1} | settings))
        self.loss = loss

    def step(self, x, y):
        loss = self.loss(self.model(x), y)
        self.sgd.zero_grad()
        loss.backward()
        self.sgd.step()
        return loss

    def numbers(self):
        params = self.sgd.params
        velocities = [self.sgd._velocity.get(p) for p in params]
        return [p.data for p in params], [p.grad for p in params], velocities


def batches(count=CALLS, size=5, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield rng.normal(size=(size, 6)).astype(dtype), rng.integers(0, 4, size)


def assert_same(one, other):
    """The same numbers, types and dtypes, in the same structure."""
    assert type(one) is type(other)
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, Tensor):
        assert_same(one.data, other.data)
    elif isinstance(one, np.ndarray | np.generic):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


def replayed(step):
    """Whether the latest program has been compiled."""
    return bool(step.source)


def cross_entropy_of_rows(scores, y):
    return losses.cross_entropy(scores, one_hot(y, 4, scores.dtype))


def margin(loss):
    return lambda scores, y: loss(scores[:, 0], 2 * (y > 1) - 1)


def of_probabilities(scores, y):
    return losses.nll_loss(np.log(softmax(scores)), y)


def binary(scores, y):
    return losses.binary_cross_entropy(sigmoid(scores[:, 0]), (y > 1).astype(scores.dtype))


def with_penalty(scores, y):
    return losses.multiclass_hinge(scores, y) + 0.1 * (scores * scores).mean()


def divergence(scores, y):
    return losses.kl_divergence(one_hot(y, 4, scores.dtype), softmax(scores))


LOSSES = {
    "cross_entropy": losses.cross_entropy,
    "rows": cross_entropy_of_rows,
    "sum": functools.partial(losses.cross_entropy, reduction="sum"),
    "multiclass_hinge": losses.multiclass_hinge,
    "penalty": with_penalty,
    "nll": of_probabilities,
    "binary": binary,
    "kl": divergence,
    "mse": lambda scores, y: losses.mse_loss(scores.sum(axis=1), y),
    "logits": lambda scores, y: losses.binary_cross_entropy_with_logits(scores[:, 0], y > 1),
    "relu": lambda scores, y: (relu(scores) ** 2).mean() + np.where(scores > 1, 1, scores).sum(),
    "max": lambda scores, y: (scores.max(axis=1) - np.maximum(scores[:, 0], 0.5)).mean(),
} | {f.__name__: margin(f) for f in (losses.logistic, losses.exponential, losses.hinge)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_each_loss_gives_the_same_numbers(loss, dtype):
    plain, other = Table(loss, dtype), Table(loss, dtype)
    step = replay(other.step)
    for x, y in batches(dtype=dtype):
        assert_same(step(x, y), as_leaf(plain.step(x, y)))
        assert_same(other.numbers(), plain.numbers())
    assert replayed(step)


def as_leaf(result):
    return result.detach() if isinstance(result, Tensor) else result


SETTINGS = {
    "plain": {},
    "hidden": {"hidden": 5},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "weight_decay": {"weight_decay": 0.01, "hidden": 3},
    "integers": {"lr": 1, "weight_decay": 0, "momentum": 0},
    "half": {"dtype": np.float16, "momentum": 0.5},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_each_setting_gives_the_same_numbers(settings):
    plain, other = Table(**settings), Table(**settings)
    step = replay(other.step)
    for x, y in batches(dtype=settings.get("dtype", np.float64)):
        assert_same(step(x, y), as_leaf(plain.step(x, y)))
        assert_same(other.numbers(), plain.numbers())
    assert replayed(step)


def test_a_graph_from_before_is_stale():
    table = Table()
    step = replay(table.step)
    for x, y in batches():
        loss = table.loss(table.model(x), y)
        step(x, y)
        with pytest.raises(RuntimeError, match="changed after"):
            loss.backward()
    assert replayed(step)


def test_settings_may_change_from_call_to_call():
    plain, other = Table(momentum=0.5, hidden=3), Table(momentum=0.5, hidden=3)
    step = replay(other.step)
    for i, (x, y) in enumerate(batches(12)):
        for table in plain, other:
            table.sgd.lr, table.sgd.momentum = 0.1 / (i + 1), 0.9 if i > 8 else 0.5
            table.sgd.weight_decay = 0.1 if i % 5 == 4 else 0.0
        assert_same(step(x, y), as_leaf(plain.step(x, y)))
        assert_same(other.numbers(), plain.numbers())
    assert replayed(step)


def test_parameters_changed_from_outside_are_seen():
    plain, other = Table(), Table()
    step = replay(other.step)

    def disturb(table, i):
        weight, bias = table.sgd.params
        if i == 4:
            weight.data *= 2
        if i == 5:
            bias.data = np.arange(4.0)
        if i == 6:
            table.model.load_state_dict({k: -v for k, v in table.model.state_dict().items()})
        if i == 7:
            weight.data = np.asfortranarray(weight.data + 1)
        if i == 8:
            table.sgd.zero_grad()
        if i == 9:
            weight.requires_grad = False
        if i == 14:
            weight.requires_grad = True

    for i, (x, y) in enumerate(batches(20)):
        disturb(plain, i)
        disturb(other, i)
        assert_same(step(x, y), as_leaf(plain.step(x, y)))
        assert_same(other.numbers(), plain.numbers())


def test_arguments_of_any_layout_shape_and_dtype():
    plain, other = Table(), Table()
    step = replay(other.step)
    rng = np.random.default_rng(0)
    for i in range(40):
        n = (5, 1, 7)[i % 3]
        x = rng.normal(size=(2 * n, 12))[::2, ::-2] if i % 2 else rng.normal(size=(6, n)).T
        y = rng.integers(0, 4, n).astype((np.int64, np.uint8, np.int32)[i % 3])
        assert_same(step(x, y), as_leaf(plain.step(x, y)))
        assert_same(other.numbers(), plain.numbers())


def test_few_programs_are_kept():
    table = Table()
    step = replay(table.step)
    for n in range(1, 30):
        for x, y in batches(4, n):
            step(x, y)
    assert len(step._known) == 8


def test_what_is_returned_and_left_is_not_written_to_again():
    table = Table(momentum=0.9)
    step = replay(lambda x, y: (table.step(x, y), table.model(x).data))
    kept = []
    for x, y in batches():
        loss, scores = step(x, y)
        now = [loss.data, scores, *(p.data for p in table.model.parameters())]
        kept.append((now, [a.copy() for a in now]))
    for now, before in kept:
        assert_same(now, before)
    assert replayed(step)


def test_results_in_tuples_lists_and_dictionaries():
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")

    def step(x):
        y = (w * x).sum()
        return {"y": y, "parts": [w * x, x, (x + 1, w)], "n": len(x), "none": None, "word": "a"}

    other = replay(step)
    for i in range(6):
        x = np.array([i, 2.0])
        result, expected = other(x), step(x)
        assert_same(result["y"], expected["y"].detach())
        assert_same(result["parts"][0], expected["parts"][0].detach())
        assert result["parts"][1] is x
        assert result["parts"][2][1] is w
        assert_same(result["parts"][2][0], x + 1)
        assert (result["n"], result["none"], result["word"]) == (2, None, "a")
    assert replayed(other)


# In-place changes and state that is no Tensor.


def in_place(w, b, state, x, y):
    loss = losses.mse_loss(x @ w + b, y)
    w.zero_grad()
    b.grad = None
    loss.backward()
    with no_grad():
        w -= 0.1 * w.grad
        b.data -= 0.1 * b.grad
    return loss


def momentum_by_hand(w, b, state, x, y):
    loss = losses.mse_loss(x @ w + b, y)
    for p in (w, b):
        p.grad = None
    loss.backward()
    for i, p in enumerate((w, b)):
        state[i] = 0.9 * state[i] + p.grad
        p.data = p.data - 0.1 * state[i]
    return loss


def average(w, b, state, x, y):
    loss = in_place(w, b, state, x, y)
    state[0] *= 0.9
    state[0] += 0.1 * w.data
    return loss, state[0] * 2


@pytest.mark.parametrize("function", [in_place, momentum_by_hand, average])
@pytest.mark.parametrize("kind", [list, dict])
def test_updates_by_hand(function, kind):
    def make():
        w, b = Tensor(np.ones(6), requires_grad=True), Tensor(0.5, requires_grad=True)
        arrays = [np.zeros(6), np.zeros(())]
        state = arrays if kind is list else dict(enumerate(arrays))
        return (w, b, state), functools.partial(function, w, b, state)

    one, plain = make()
    two, other = make()
    step = replay(other)
    for x, y in batches():
        assert_same(step(x, y * 1.0), detached(plain(x, y * 1.0)))
        for p, q in zip(one[:2], two[:2], strict=True):
            assert_same(p.data, q.data)
            assert_same(p.grad, q.grad)
        for i in range(2):
            assert_same(np.asarray(one[2][i]), np.asarray(two[2][i]))
    assert replayed(step)


def detached(result):
    return tuple(map(as_leaf, result)) if isinstance(result, tuple) else as_leaf(result)


def test_arrays_found_by_name_may_be_replaced_and_changed():
    class Settings:
        shift = np.ones(6)

    @dataclass(slots=True)
    class Slots:
        scale: np.ndarray

    mask, settings, slots = np.ones(6), Settings(), Slots(np.ones(6))
    pair, items = (np.zeros(6), [np.ones(6)]), {"a": np.ones(6)}
    w = Tensor(np.arange(6.0), requires_grad=True)

    def step(x, offset=np.zeros(6)):  # noqa: B008 (a default that is an array)
        w.zero_grad()
        z = (w * x * mask + settings.shift) * slots.scale - pair[0] / pair[1][0] * items["a"]
        loss = ((z + offset) ** 2).sum()
        loss.backward()
        return loss, w.grad

    other = replay(step)
    rng = np.random.default_rng(0)
    for i in range(16):
        x = rng.normal(size=6)
        mask[i % 6] = i
        if i % 2:
            mask = rng.normal(size=6)
        Settings.shift = Settings.shift * 1.1
        slots.scale = slots.scale + 1
        pair[0][:] += 1
        pair[1][0] = rng.normal(size=6)
        items["a"] = items["a"] * 2
        step.__defaults__[0][:] += 0.5
        assert_same(other(x), (step(x)[0].detach(), w.grad.copy()))
        assert replayed(other) or i < 2


def test_numbers_and_functions_found_by_name_may_be_replaced():
    class Config:
        power = 2

    weight, config, function, layers = 1.0, Config(), np.tanh, [3.0, 4.0]

    def scaled(z):
        return weight * function(z) ** config.power

    def step(x):
        return (scaled(w * x) * layers[0]).sum() / layers[-1]

    w = Tensor(np.arange(1.0, 4.0), requires_grad=True)
    other = replay(step)
    for i in range(40):
        x = np.arange(3.0) + i
        if i == 5:
            weight = 3.0
        if i == 10:
            Config.power = 3
        if i == 15:
            config.power = 1
        if i == 20:
            function = np.sin
        if i == 25:
            layers[0] = 7.0
        if i == 30:
            layers.append(2.0)
        assert_same(other(x), step(x).detach())
    assert replayed(other)


# Refusals. A step is called until it is refused, and then all is as it was.


class Refused:
    """Steps that cannot be repeated, by what they do with a loss, x, y and self."""

    def __init__(self):
        self.count, self.history, self.cache, self.last = 0, [], {}, None
        self.rng = np.random.default_rng(0)

    def branch(self, loss, x, y):
        return loss * 2 if loss > 0.5 else loss

    def item(self, loss, x, y):
        return loss * loss.item()

    def number(self, loss, x, y):
        return loss * float(loss)

    def array(self, loss, x, y):
        return loss * np.asarray(x.mean())

    def text(self, loss, x, y):
        print(f"{loss:.3f}")
        return loss

    def shown(self, loss, x, y):
        print(loss)
        return loss

    def caught(self, loss, x, y):
        with suppress(RuntimeError):
            if loss > 0.5:
                return loss * 2
        return loss

    def elements(self, loss, x, y):
        return loss * x.tolist()[0][0]

    def lookup(self, loss, x, y):
        return loss * [1.0, 2.0, 3.0, 4.0][y[0]]

    def rows(self, loss, x, y):
        return loss * np.eye(4)[y].sum()

    def noise(self, loss, x, y):
        return loss + self.rng.normal()

    def coin(self, loss, x, y):
        return loss * 2 if self.rng.random() < 2 else loss

    def coin_of_python(self, loss, x, y):
        return loss * 2 if random.random() < 2 else loss

    def global_noise(self, loss, x, y):
        return loss + (np.random.normal(size=5) * x[:, 0]).sum()  # noqa: NPY002

    def new_mask(self, loss, x, y):
        self.count += 1
        return loss + (np.full(6, self.count) * x).sum()

    def keeps(self, loss, x, y):
        self.history.append(loss)
        return loss

    def counts(self, loss, x, y):
        self.count += 1
        return loss

    def caches(self, loss, x, y):
        self.cache[len(self.cache)] = loss
        return loss

    def remembers(self, loss, x, y):
        self.last = loss
        return loss

    def unknown_result(self, loss, x, y):
        return {loss}

    def two_results(self, loss, x, y):
        return loss + np.linalg.svd(x)[1].sum()

    def truth(self, loss, x, y):
        return loss + max(x[0, 0], x[0, 1])

    def changes_its_argument(self, loss, x, y):
        x -= 1
        return losses.mse_loss(loss, x.mean()) if (y >= 0).all() else loss


WORDS = {
    "branch": "is asked whether it is true on line",
    "truth": "is asked whether it is true on line",
    "keeps": "the step changes the length of the step.args[0].history",
    "counts": "the step changes the step.args[0].count",
    "new_mask": "the step changes the step.args[0].count",
    "caches": "the step changes the length of the step.args[0].cache",
    "remembers": "the step changes the step.args[0].last",
    "noise": "draws random numbers from the step.args[0].rng",
    "coin": "draws random numbers from the step.args[0].rng",
    "coin_of_python": "draws random numbers from random",
    "global_noise": "draws random numbers from np.random",
    "unknown_result": "the step returns set",
    "two_results": "svd on line",
    "changes_its_argument": "is asked whether it is true",
    "array": "is to fill, or to index, an array that is not recorded",
    "lookup": "is to fill, or to index, an array that is not recorded",
    "rows": "write table = np.eye(3) before the step, and table[y] in it",
    "text": "is taken out as a number on line",
    "shown": "is turned into text on line",
    "caught": "is asked whether it is true on line",
}


def frozen_world(table):
    """Everything that a refused step must not have changed."""
    return [[a if a is None else a.copy() for a in part] for part in table.numbers()], [
        (p._time, p._passes, p.data.flags.writeable) for p in table.sgd.params
    ]


@pytest.mark.parametrize("name", [n for n in vars(Refused) if not n.startswith("_")])
def test_what_cannot_be_repeated_is_refused(name):
    table, steps = Table(momentum=0.9), Refused()

    def step(self, x, y):
        loss = getattr(self, name)(table.loss(table.model(x), y), x, y)
        table.sgd.zero_grad()
        (loss if isinstance(loss, Tensor) else next(iter(loss))).backward()
        table.sgd.step()
        return loss

    other = replay(functools.partial(step, steps))
    (x, y), *_ = batches()
    refusals = []
    for _ in range(6):
        before, inputs = frozen_world(table), (x.copy(), y.copy())
        try:
            other(x, y)
        except RuntimeError as error:
            refusals.append(str(error))
            assert_same(frozen_world(table), before)
            assert_same((x, y), inputs)
        assert_same(table.sgd.lr, 0.1)
    assert len(refusals) >= 3
    assert all(
        WORDS.get(name, "is taken out as a number on line") in refusal for refusal in refusals
    )
    assert not replayed(other)
    assert not any(isinstance(array, StandIn) for part in table.numbers() for array in part)


# Errors, and everything around a step.


def test_a_check_that_fails_raises_the_error_of_the_step_and_changes_nothing():
    for calls in range(6):
        table = Table(momentum=0.9)
        step = replay(table.step)
        (x, y), *_ = batches()
        for _ in range(calls):
            step(x, y)
        before = frozen_world(table)
        with pytest.raises(ValueError, match=r"class labels go from 0 to 3 .* go from 0 to 4"):
            step(x, np.array([0, 1, 2, 3, 4]))
        assert_same(frozen_world(table), before)
        assert replayed(step) == (calls > 2)
        step(x, y)


def test_a_check_with_another_outcome_runs_the_step_as_it_is():
    base = Tensor(np.arange(3.0) + 1, requires_grad=True)
    twin = Tensor(np.arange(3.0) + 1, requires_grad=True)

    def power(w, exponent):
        w.zero_grad()
        (w**exponent).sum().backward()
        return w.grad

    step = replay(lambda e: power(twin, e))
    for i in range(8):
        exponent = np.array([2.0, 0.0, 1.0]) if i > 5 else np.array([2.0, 3.0, 1.0])
        for w in base, twin:
            w.data = np.arange(3.0) - (i > 6)
        assert_same(step(exponent), power(base, exponent))
    assert replayed(step)


def test_how_many_elements_are_picked_may_differ():
    w = Tensor(np.arange(6.0), requires_grad=True)

    def step(x):
        w.zero_grad()
        loss = (w[x > 0] ** 2).sum()
        loss.backward()
        return loss, w.grad

    other, mean = replay(step), replay(lambda x: x[x > 0].mean())
    for count in (3, 3, 3, 3, 2, 3, 1, 6, 3):
        x = np.where(np.arange(6) < count, 2.0, -1.0)
        assert mean(x) == 2
        loss, gradient = step(x)
        assert_same(other(x), (loss.detach(), gradient))
    assert replayed(other)
    other = replay(step)
    for count in range(1, 6):
        other(np.where(np.arange(6) < count, 1.0, -1.0))
    with pytest.raises(RuntimeError, match=r"getitem on .* gives \(\(5,\), 'float64'\), and then"):
        other(np.ones(6))


def scaled_rows(x, i):
    return (x * 2.0)[i + 1] * 3


def first_rows(x, i):
    y = x * 1.0
    y[i:] = 0
    return x[:i] * 2, x[i], y


def copies_and_changes(x, i):
    z = x.copy()
    z[()] = z * i
    x += 1
    y = x * 2.0
    before = y.copy()
    y -= 1
    return z * x, x[1:], before * y


@pytest.mark.parametrize("step", [scaled_rows, first_rows, copies_and_changes])
def test_indices_and_changes_in_place(step):
    other = replay(step)
    for k in range(8):
        one, two = np.arange(12.0).reshape(4, 3), np.arange(12.0).reshape(4, 3)
        i = np.array(k % 3) if k % 2 else np.int64(k % 3)
        assert_same(other(one, i), step(two, i))
        assert_same(one, two)


def loss_as_array(x):
    w = Tensor(x)
    return (w * x).sum().data.copy(), x.sum().reshape(1), np.expand_dims(x.mean(), 0)


def adds_up(x):
    total, norm = 0.0, x.sum()
    norm += 1e-6
    norm /= 3
    for part in x:
        total += part
    return total, norm


def linear_and_not(x):
    w = Tensor(np.array([0.5, -0.3, 0.2]), requires_grad=True)
    loss = (0.1 * w).sum() + (w * x).mean()
    loss.backward()
    return loss, w.grad


def of_shape(x):
    return (np.broadcast_to(x, (x.astype(int)[0] % 2 + 1, 3)) * 2).sum()


def of_numbers(x):
    a, b = x.sum(), x.mean()
    return -a * b + abs(a - b) ** 2 / 3, a < b, a >= 2, (a == b) != (b > a), np.float32(2) * b


def part_of_a_copy(x):
    w = Tensor(np.ones((1, 3)), requires_grad=True)
    (w * x).sum().backward()
    v = Tensor(np.ones((2, 3)), requires_grad=True)
    (v[:1] * x + v[1:] * x).sum().backward()
    return w.grad[0, 1:], v.grad * x


@pytest.mark.parametrize(
    "step", [loss_as_array, part_of_a_copy, adds_up, linear_and_not, of_numbers]
)
def test_numbers_that_are_no_arrays(step):
    other, kept = replay(step), []
    for i in range(9):
        x = np.arange(3.0) * i + i
        kept.append((other(x), detached(step(x))))
    for one, two in kept:
        assert_same(one, two)
    assert replayed(other)


Pair = namedtuple("Pair", "a b")


def test_arrays_in_other_places():
    pair, number = Pair(np.arange(3.0), np.arange(3.0)), np.array(2.0)
    items = [np.ones(3), np.ones(3)]
    masked = np.ma.masked_array(np.arange(3.0))

    def step(x):
        s = number[()]
        s *= 2
        items[0] = items[1]
        return x * pair.a.mean() + pair.b[0] * s + float(masked[1]) * items[0]

    other = replay(step)
    for i in range(9):
        if i == 5:
            masked[1] = 7
        pair.a[...] = i
        pair.b[0] += 1
        items[1] += 1
        x = np.ones(3) * i
        found, expected = other(x), step(x)
        assert_same(found, expected)
        assert_same(number, np.array(2.0))
        assert items[0] is items[1]


def changes_by_clip(x):
    h = x * 1.0
    np.clip(h, 0, 1, h)
    return h


def changes_by_nan_to_num(x):
    h = x * 1.0
    np.nan_to_num(h, copy=False)
    return h


def fills(x):
    h = np.zeros(3)
    h += x
    return h


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (changes_by_clip, "clip on .* changes what it is given"),
        (changes_by_nan_to_num, "nan_to_num on .* changes what it is given"),
        (fills, r"writes to an array that the step has made itself.*np.zeros_like\(x\)"),
        (lambda x: np.zeros(3) if len(x) else x, "the step returns ndarray, and replay"),
    ],
)
def test_changes_that_are_not_seen_are_refused(step, words):
    other = replay(step)
    other(np.ones(3))
    for _ in range(3):
        with pytest.raises(RuntimeError, match=words):
            other(np.ones(3))


def test_arrays_that_are_not_found_are_refused():
    @functools.lru_cache
    def table():
        return np.arange(3.0)

    other = replay(lambda x: x * table())
    other(np.ones(3))
    for _ in range(4):
        other(np.ones(3))
    with pytest.raises(RuntimeError, match=r"an array of shape \(3,\) that lies where replay\(\)"):
        other(np.ones(3))
    made = replay(lambda x: x * np.arange(3.0))
    for i in range(6):
        assert_same(made(np.full(3, i)), np.arange(3.0) * i)
    assert replayed(made)


@pytest.mark.parametrize(
    "count",
    [
        lambda p, y: len(np.flatnonzero(p != y)) / len(y),
        lambda p, y: np.unique(y).size,
        lambda p, y: p[p != y].shape[0],
        lambda p, y: np.argwhere(p == y).shape,
        lambda p, y: np.bincount(y).shape[0] * (p == y).mean(),
    ],
)
def test_what_is_asked_of_shapes_that_depend_on_numbers(count):
    other = replay(count)
    for i in range(12):
        y = np.arange(6) % (2 + i // 6)
        p = np.where(np.arange(6) < i // 4, y, y - 1)
        assert other(p, y) == count(p, y)
    assert replayed(other)


def test_shapes_may_depend_on_numbers():
    other = replay(of_shape)
    for i in range(4):  # two rows
        assert other(np.full(3, 2.0 * i + 1)) == of_shape(np.full(3, 2.0 * i + 1))
    assert replayed(other)
    assert other(np.full(3, 2.0)) == of_shape(np.full(3, 2.0)) == 12  # one, which would broadcast


def test_changes_in_place_then_checks():
    w = Tensor(np.zeros((6, 4)), requires_grad=True)
    table = Table()

    def step(x, y):
        w.zero_grad()
        scores = x @ w
        loss = losses.cross_entropy(scores, y)
        loss.backward()
        w.data -= 0.1 * w.grad
        table.sgd.zero_grad()
        table.model(x).sum().backward()
        table.sgd.step()
        return loss, (scores.data.argmax(axis=1) == y).mean()

    other = replay(step)
    for x, y in batches():
        other(x, y)
    assert replayed(other)
    before = w.data.copy()
    with pytest.raises(ValueError, match="class labels go from 0 to 3"):
        other(x, y + 9)
    assert_same(w.data, before)


def test_an_error_of_numpy_is_that_of_the_step():
    w = Tensor(np.ones(4), requires_grad=True)

    def step(i):
        loss = w[i].sum()
        w.zero_grad()
        loss.backward()
        return loss

    other = replay(step)
    for _ in range(5):
        other(np.array([0, 1]))
    assert replayed(other)
    before = w.grad.copy()
    with pytest.raises(IndexError, match="getitem of the tensor"):
        other(np.array([0, 9]))
    assert_same(w.grad, before)


def test_a_step_whose_surroundings_change_at_each_call_is_run_as_it_is():
    scale, calls = 1.0, []

    def step(x):
        return x * scale

    other = replay(step)
    plain = Surroundings.__init__

    def counted(self, function):
        calls.append(1)
        plain(self, function)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Surroundings, "__init__", counted)
        for i in range(200):
            scale = float(i)
            assert other(np.ones(1)) == i
    assert len(calls) < 12


def test_arguments_that_share_memory():
    def step(x, y):
        z = y.copy()
        x += 1
        return z * x

    other = replay(step)
    for _ in range(5):
        other(np.arange(3.0), np.arange(3.0))
    x, y = np.arange(3.0), np.arange(3.0)
    assert_same(other(x, x), step(y, y))
    assert_same(x, y)
    w = Tensor(np.ones(3), requires_grad=True)

    def train(a, b):
        w.zero_grad()
        (w * a * b[:3]).sum().backward()
        w.data = w.data - 0.1 * w.grad
        return a[1:]

    other, b = replay(train), np.ones(6)
    for _ in range(5):
        part = other(b[:3], b)
        b[0], part[0] = 2, 3
    assert type(w.data) is np.ndarray


def test_numpy_may_be_told_to_raise():
    w = Tensor(np.ones(2), requires_grad=True)

    def step(p):
        np.log(p)
        with np.errstate(divide="ignore"):
            np.log(p - 1)
        w.data = w.data * p

    other = replay(step)
    for _ in range(5):
        with np.errstate(divide="ignore"):
            other(np.ones(2))
        other(np.ones(2))
    before = w.data.copy()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
        other(np.zeros(2))
    assert_same(w.data, before)


def test_drawing_between_calls_is_allowed():
    table, rng = Table(), np.random.default_rng(0)
    step = replay(lambda x, y: table.step(x + len(str(rng)) * 0, y))
    for x, y in batches():
        np.random.permutation(3)  # noqa: NPY002
        random.random()
        rng.normal()
        step(x, y)
    assert replayed(step)


def test_gradients_may_be_added_up():
    one, two = (Tensor(np.ones(3), requires_grad=True) for _ in range(2))
    step = replay(lambda x: (two * x).sum().backward())
    for i in range(12):
        (one * np.arange(3.0)).sum().backward()
        step(np.arange(3.0))
        assert_same(one.grad, two.grad)
        assert repr(one) == repr(two)
        if i % 5 == 4:
            one.zero_grad()
            two.zero_grad()
    assert replayed(step)


def test_a_first_call_that_fails_does_no_harm():
    table = Table(momentum=0.9)
    step = replay(table.step)
    (x, y), *_ = batches()
    with pytest.raises(ValueError, match="class labels"):
        step(x, y + 9)
    for _ in range(5):
        step(x, y)
    assert replayed(step)


def test_methods_and_copies():
    class Model:
        def __init__(self, start):
            self.w = Tensor(start, requires_grad=True)

        @replay
        def step(self, x):
            """Square."""
            return (self.w * x) ** 2

    one, two = Model(1.0), Model(2.0)
    for _ in range(4):
        assert one.step(np.ones(2)).data.tolist() == [1, 1]
        assert two.step(np.ones(2)).data.tolist() == [4, 4]
    assert replayed(one.step)
    assert one.step.__doc__ == Model.step.__doc__ == "Square."
    again = copy.deepcopy(one.step)
    assert not replayed(again)
    assert again(np.ones(2)).data.tolist() == [1, 1]


SCALE, pow = 1.0, 1.0  # noqa: A001 (a name that is a builtin's, too)


@scope("helper")
def decorated(x):
    return x * SCALE * pow


def with_attribute(x):
    return x * with_attribute.k


class Clipping(optim.SGD):
    clip = 1.0

    def step(self):
        for p in self.params:
            p.data = p.data - self.lr * np.clip(p.grad, -self.clip, self.clip)


@pytest.mark.parametrize("name", ["scale", "pow", "k", "clip", "class", "rule", "proxy", "code"])
def test_what_is_found_in_other_ways_is_watched(name, monkeypatch):
    one, two = (Tensor(np.ones(3), requires_grad=True) for _ in range(2))
    optimizers = Clipping([one], lr=0.1), Clipping([two], lr=0.1)
    factor = 1.0
    own = primitive(lambda x: x * factor, lambda g, y, x: g * factor)
    items = {"a": 1.0}
    proxy = MappingProxyType(items)
    monkeypatch.setattr(with_attribute, "k", 1.0, raising=False)

    def helper(x):
        return x * 1.0

    def make(w, sgd):
        def step(x):
            sgd.zero_grad()
            loss = (own(with_attribute(decorated(w))) * helper(x) * proxy["a"]).sum()
            loss.backward()
            sgd.step()
            return loss

        return step

    plain, other = make(one, optimizers[0]), replay(make(two, optimizers[1]))
    for i in range(10):
        if i == 5:
            if name in ("scale", "pow"):
                monkeypatch.setitem(globals(), "SCALE" if name == "scale" else "pow", 3.0)
            elif name == "k":
                with_attribute.k = 3.0
            elif name == "clip":
                for sgd in optimizers:
                    sgd.clip = 0.1
            elif name == "class":
                monkeypatch.setattr(Clipping, "clip", 0.1)
            elif name == "rule":
                factor = 3.0
            elif name == "proxy":
                items["a"] = 3.0
            else:
                helper.__code__ = (lambda x: x * 3.0).__code__
        x = np.arange(3.0) + i
        assert_same(other(x), plain(x).detach())
        assert_same(one.data, two.data)
    assert replayed(other)


def test_attributes_that_the_step_does_not_name_are_free():
    class Trainer:
        def __init__(self):
            self.table, self.history, self.count, self.odd = Table(), [], 0, object()

        @replay
        def step(self, x, y):
            return self.table.step(x, y)

        def fit(self):
            for x, y in batches(12):
                self.history.append(self.step(x, y))
                self.count += 1
                self.odd = object()

    trainer, plain = Trainer(), Table()
    trainer.fit()
    for loss, (x, y) in zip(trainer.history, batches(12), strict=True):
        assert_same(loss, plain.step(x, y).detach())
    assert replayed(trainer.step)


def test_constants_are_not_written_to():
    w = Tensor(np.ones(3), requires_grad=True)

    def step(x):
        w.zero_grad()
        loss = (w * 3.0 - 1.0).sum() * 2.0
        loss.backward()
        return np.ones(3) * 2.0 + x, w.grad * 1.0, w.grad

    other, kept = replay(step), []
    for i in range(8):
        x = np.arange(3.0) * i
        kept.append((other(x), step(x)))
    v = Tensor([2.0], requires_grad=True)

    def negative(x):
        v.zero_grad()
        (-(v * x)).backward()
        return v.grad

    negated = replay(negative)
    kept += [(negated(np.array([i])), np.array([-i])) for i in np.arange(8.0)]
    for one, two in kept:
        assert_same(one, two)
    assert replayed(other)
    assert replayed(negated)


def test_what_a_step_may_find():
    generator, numbers = (i for i in range(9)), iter([1, 2])
    with pytest.raises(RuntimeError, match="the step finds an iterator, generator, and replay"):
        replay(lambda x: x * next(generator))(np.ones(2))
    with pytest.raises(RuntimeError, match="the step finds an iterator, numbers, and replay"):
        replay(lambda x: x * next(numbers))(np.ones(2))
    numbers = random.Random(0)
    step = replay(lambda x: x * 2 if numbers.random() < 2 else x)
    step(np.ones(2))
    step(np.ones(2))
    with pytest.raises(RuntimeError, match="draws random numbers from numbers"):
        step(np.ones(2))


def test_an_error_in_the_step_leaves_everything_as_it_was():
    def failing_step(table, failing, x, y):
        loss = table.step(x, y)
        if next(failing) == "stop\n":
            raise KeyboardInterrupt
        return loss

    for calls in 0, 1, 2:
        table, failing = Table(), io.StringIO("go\n" * calls + "stop\n" + "go\n" * CALLS)
        other = replay(functools.partial(failing_step, table, failing))
        (x, y), *_ = batches()
        for _ in range(calls):
            other(x, y)
        before = frozen_world(table)
        with pytest.raises(KeyboardInterrupt):
            other(x, y)
        if calls > 0:  # then the step was being recorded
            assert_same(frozen_world(table), before)
        assert all(type(p._value) is np.ndarray for p in table.sgd.params)
        assert_same(table.sgd.lr, 0.1)
        x[0, 0], y[0] = 1, 1  # no longer locked
        for _ in range(4):
            other(x, y)
        assert replayed(other)


def test_modes_run_the_step_as_it_is():
    table = Table()
    step = replay(table.step)
    (x, y), *_ = batches()
    for _ in range(4):
        step(x, y)
    with debug():
        assert step(x, y)._op is not None
    with scope("training"):
        assert step(x, y).is_leaf
    scores = replay(lambda x: table.model(x))
    with no_grad():
        for _ in range(5):
            assert not scores(x).requires_grad
    assert not replayed(scores)
    assert scores(x).requires_grad


def test_a_step_in_a_step():
    plain, other = Table(), Table()
    inner = replay(other.step)
    step = replay(lambda x, y: inner(x, y) + 0.0)
    for x, y in batches():
        assert_same(step(x, y), plain.step(x, y).detach() + 0.0)
        assert_same(other.numbers(), plain.numbers())
    assert replayed(step)


def test_transforms_in_a_step():
    def step(w, x):
        return w - 0.1 * grad(lambda w: ((w * x) ** 2).sum())(w)

    other, w = replay(step), np.ones(3)
    for i in range(6):
        x = np.arange(3.0) + i
        assert_same(other(w, x), step(w, x))
        w = step(w, x)
    assert replayed(other)


def test_operations_of_ones_own():
    cube = primitive(lambda x: x * x * x, lambda g, y, x: g * 3 * x**2)
    w = Tensor(np.arange(3.0), requires_grad=True)

    def step(x):
        w.zero_grad()
        loss = cube(w * x).sum()
        loss.backward()
        return loss, w.grad

    other = replay(step)
    for i in range(6):
        loss, gradient = step(np.arange(3.0) + i)
        assert_same(other(np.arange(3.0) + i), (loss.detach(), gradient))
    assert replayed(other)


def test_threads_take_turns():
    table = Table()
    step = replay(lambda x: table.model(x))
    (x, _), *_ = batches()
    expected, results = {k: table.model(x * k).data for k in range(4)}, []

    def work(k):
        results.extend((k, step(x * k).data) for _ in range(200))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 800
    assert all(np.array_equal(scores, expected[k]) for k, scores in results)


def test_numpy_warns_as_it_does_without_replay():
    w = Tensor(np.ones(3), requires_grad=True)
    step = replay(lambda x: np.exp(w * x).sum())
    quiet = replay(lambda x: sigmoid(w * x).sum())
    for _ in range(5):
        step(np.ones(3))
        quiet(np.full(3, -1000.0))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        quiet(np.full(3, -1000.0))
        assert not seen
        step(np.full(3, 1000.0))
    assert [str(warning.message) for warning in seen] == ["overflow encountered in exp"]
    assert replayed(step)
    assert replayed(quiet)


def test_what_is_no_function_or_array_is_refused():
    with pytest.raises(TypeError, match="replay takes a function, the training step"):
        replay(3)
    step = replay(lambda x: x)
    advice = {
        r"not a Tensor, Tensor\(\[1.\]\): pass t.data": Tensor([1.0]),
        r"not a list, \[1.0\]: pass np.array\(x\)": [1.0],
        r"not a MaskedArray, .*: pass np.array\(x\)": np.ma.masked_array([1.0]),
        r"not a Table, .*: let the step find it by its name": Table(),
        r"not a dict, \{\}: let the step": {},
        r"not a tuple, .*: pass its parts, one by one": (np.ones(2), np.ones(2)),
        r"not a type, .*: let the step find it": Table,
    }
    for words, value in advice.items():
        with pytest.raises(TypeError, match=f"takes arrays, and numbers and text .* but {words}"):
            step(value)


def test_other_arguments_choose_a_program():
    table = Table()
    step = replay(lambda x, y, *, kind: table.model(x).sum() if kind == "sum" else table.step(x, y))
    (x, y), *_ = batches()
    for _ in range(5):
        assert step(x, y, kind="sum").data == pytest.approx(table.model(x).sum().data)
        step(x, y, kind="train")


def test_the_source_is_a_function_of_numpy_calls():
    w = Tensor([1.0, 2.0], requires_grad=True)
    sgd = optim.SGD([w], lr=0.1)

    def step(x):
        loss = (w * x).sum()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        return loss

    other = replay(step)
    assert other.source == ""
    for _ in range(3):
        other(np.ones(2))
    assert other.source.splitlines() == [
        "def step(forget, x, w, lr, momentum, weight_decay):",
        "    if weight_decay: raise Diverged",
        "    if momentum: raise Diverged",
        "    multiply(w, x, out=t6)",
        "    t7 = add_reduce(t6, axis=None)",
        "    forget()  # old gradients",
        "    t11 = multiply(t10, x)",
        "    t12 = multiply(lr, t11)",
        "    t13 = subtract(w, t12, out=t12)",
        "    return (t13, t11, t7, )",
    ]


def test_a_step_needs_less_than_two_thirds_of_the_memory():
    x, y = np.ones((128, 784), np.float32), np.arange(128) % 10
    needed = []
    for mode in Table.step, replay:
        tracemalloc.start()
        first = nn.Linear(784, 256, rng=0, dtype=np.float32)
        table = Table()
        table.model = nn.Sequential(first, sigmoid, nn.Linear(256, 10, rng=0, dtype=np.float32))
        table.sgd = optim.SGD(table.model.parameters(), lr=0.1)
        step = replay(table.step) if mode is replay else table.step
        for _ in range(4):
            step(x, y)
        gc.collect()
        tracemalloc.reset_peak()
        step(x, y)
        kept = sum(p.data.nbytes + p.grad.nbytes for p in table.sgd.params)
        needed.append(tracemalloc.get_traced_memory()[1] - kept)
        tracemalloc.stop()
    assert needed[1] < needed[0] * 2 / 3


def test_a_program_is_freed_with_its_step():
    table = Table()
    step = replay(lambda x, y: (table.step(x, y), [x * 2]))
    for x, y in batches():
        step(x, y)
    gc.collect()
    assert not any(type(thing) is Traced for thing in gc.get_objects())
    program = weakref.ref(next(iter(step._known.values())).program)
    file = program().run.__code__.co_filename
    assert file in linecache.cache
    del step
    gc.collect()
    assert program() is None
    assert file not in linecache.cache


@given(programs(), st.integers(0, 2**32 - 1))
def test_random_programs_give_the_same_numbers(program, seed):
    leaves, steps = program
    rng = np.random.default_rng(seed)
    one, two = ([Tensor(leaf, requires_grad=True) for leaf in leaves] for _ in range(2))

    def make(tensors):
        sgd = optim.SGD(tensors, lr=0.01, momentum=0.5)

        def step(x):
            sgd.zero_grad()
            loss = run(steps, *tensors[:-1], tensors[-1] * x)
            loss.backward()
            sgd.step()
            return loss

        return step

    plain, other = make(one), replay(make(two))
    for _ in range(5):
        x = rng.normal(size=leaves[-1].shape)
        assert_same(other(x), plain(x).detach())
        for p, q in zip(one, two, strict=True):
            assert_same(p.data, q.data)
            assert_same(p.grad, q.grad)
    assert replayed(other)


# What cannot be repeated, of a Tensor and a random generator.
INTRUSIONS = [
    lambda a, rng: a * float(np.tanh(a).sum()),
    lambda a, rng: a if a.sum() > 0 else -a,
    lambda a, rng: a + rng.normal(),
    lambda a, rng: a + rng.normal(size=a.shape),
    lambda a, rng: a * (2 if rng.random() < 0.5 else 3),
    lambda a, rng: a * a.detach().data.tolist()[0][0],
    lambda a, rng: a * round(a.data.max().item(), 1),
    lambda a, rng: a + np.eye(SIDE)[np.argmax(a.data, axis=0)],
]


@given(programs(), st.integers(0, 8), st.sampled_from(INTRUSIONS), st.integers(0, 2**32 - 1))
def test_random_programs_that_cannot_be_repeated_are_refused(program, place, intrusion, seed):
    leaves, steps = program
    one, two = ([Tensor(leaf, requires_grad=True) for leaf in leaves] for _ in range(2))

    def make(tensors):
        rng = np.random.default_rng(seed)
        changed = [*steps[:place], (lambda a: intrusion(a, rng), 1), *steps[place:]]

        def step(x):
            for tensor in tensors:
                tensor.zero_grad()
            loss = run(changed, *tensors[:-1], tensors[-1] * x)
            loss.backward()
            return loss

        return step

    plain, other = make(one), replay(make(two))
    rng = np.random.default_rng(seed)
    for _ in range(7):
        x = rng.normal(size=leaves[-1].shape)
        before = [p.grad for p in two]
        try:
            result = other(x)
        except RuntimeError:
            assert all(p.grad is g for p, g in zip(two, before, strict=True))
            break
        assert_same(result, plain(x).detach())
    else:
        raise AssertionError("it was not refused")
    assert not replayed(other)
