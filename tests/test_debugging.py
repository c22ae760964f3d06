"""Debug mode: it names the operation, the line, the element; it locks what a graph uses."""

import gc
import re
import sys
import threading

import numpy as np
import pytest

from tinygrad_edu import Tensor, debug, functional, grad, no_grad, optim


@pytest.fixture
def p():
    return Tensor([0.5, 0.0, 0.25], requires_grad=True, name="p")


def message(f):
    with pytest.raises(FloatingPointError) as error, debug():
        f()
    return str(error.value)


@pytest.mark.parametrize(
    ("f", "operation", "value"),
    [
        (lambda p: np.log(p), "log gave -inf", "is 0 there"),
        (lambda p: 1 / p, "divide gave inf", "is 0 there"),
        (lambda p: np.sqrt(p - 0.1), "sqrt gave nan", "is -0.1 there"),
        (lambda p: np.exp(1000 - 10000 * p), "exp gave inf", "is 1000 there"),
        (
            lambda p: functional.sigmoid(p) * np.array([1.0, np.nan, 1.0]),
            "multiply gave nan",
            "is nan",
        ),
    ],
)
def test_first_operation_that_is_not_finite_is_named(p, f, operation, value):
    text = message(lambda: f(p))
    assert text.startswith(f"{operation} at [1] on line ")
    assert "of test_debugging.py, " in text
    assert "lambda p: " in text
    assert value in text


def test_ranges_of_the_arguments_are_told(p):
    assert "the tensor 'p' goes from 0 to 0.5 and is 0 there" in message(lambda: np.log(p))


@pytest.mark.parametrize(("f", "operation"), [(np.sqrt, "sqrt"), (lambda p: p**0.5, "power")])
def test_first_contribution_to_a_gradient_that_is_not_finite_is_named(p, f, operation):
    text = message(lambda: f(p).sum().backward())
    assert text.startswith(
        f"the gradient of the tensor 'p' gets inf at [1] from {operation} on line "
    )
    assert "of test_debugging.py, " in text
    assert p.grad is None


def test_a_sum_of_contributions_that_overflows_is_named():
    x = Tensor([0.5], requires_grad=True, dtype=np.float16, name="x")
    text = message(lambda: sum(x * 20000.0 for _ in range(4)).sum().backward())
    assert text.startswith("the gradient of the tensor 'x' gets inf at [0] from multiply")


def test_operations_that_are_not_recorded_are_watched_too(p):
    with no_grad():
        assert "log gave -inf" in message(lambda: np.log(p))


def test_the_graph_of_a_gradient_is_watched_too():
    assert "gradient" in message(lambda: grad(grad(lambda x: (x**1.5).sum()))(0.0))


def test_what_is_finite_passes(p):
    with debug():
        (functional.softmax(p) ** 2).sum().backward()
    assert np.isfinite(p.grad).all()


def test_outside_nothing_is_watched(p):
    with debug():
        pass
    with np.errstate(divide="ignore"):
        assert np.log(p).data[1] == -np.inf


def test_arrays_of_a_live_graph_are_locked(p):
    rows = np.ones((2, 3))
    part = rows[:, :]
    with debug():
        loss = (part @ p).sum()
        for array in [p.data, part, rows]:
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 5.0
        loss.backward()
        p.data[0] = 5.0
        part[0] = rows[1] = 5.0


def test_arrays_are_unlocked_when_the_graph_is_dropped(p):
    with debug():
        loss = (p * p).sum()
        del loss
        gc.collect()
        p.data[0] = 5.0


def test_arrays_stay_locked_while_another_graph_uses_them(p):
    with debug():
        first, second = (p * 2).sum(), (p * p).sum()
        first.backward()
        with pytest.raises(ValueError, match="read-only"):
            p.data[0] = 5.0
        second.backward(retain_graph=True)
        with pytest.raises(ValueError, match="read-only"):
            p.data[0] = 5.0
        second.backward()
        p.data[0] = 5.0


def test_many_views_of_one_array_are_unlocked_together():
    table, w = np.ones((3000, 4)), Tensor(np.ones(4), requires_grad=True)
    rows = list(table)
    with debug():
        loss = sum(row @ w for row in rows)
        with pytest.raises(ValueError, match="read-only"):
            rows[7][0] = 5.0
        loss.backward()
        table[0] = 5.0
        for row in rows:
            row[0] = 5.0


def test_arrays_are_unlocked_at_the_end(p):
    mode = debug()
    with mode:
        with mode:
            loss = (p * p).sum()
        with pytest.raises(ValueError, match="read-only"):
            p.data[0] = 5.0
    p.data[0] = 5.0
    assert loss.item() == 0.3125


def test_read_only_arrays_stay_read_only(p):
    constant = np.ones(3)
    constant.setflags(write=False)
    with debug():
        (p * constant).sum().backward()
    assert not constant.flags.writeable


def test_training_works_inside(p):
    sgd = optim.SGD([p], lr=0.1)

    @debug()
    def step():
        sgd.zero_grad()
        ((p - 1.0) ** 2).sum().backward()
        sgd.step()
        p.data -= 0.0

    for _ in range(100):
        step()
    np.testing.assert_allclose(p.data, 1.0)


# What to write where a value or a slope is infinite.

CHOSEN = r"np\.where is to leave this element out, choose a safe argument first: (.*?, 0\.0\))"
SHIFTED = r"add a small number, (\S.*)$"
INFINITE = [
    (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    (lambda x: x**0.5, lambda x: 0.5 / np.sqrt(x)),
    (np.log, lambda x: 1 / x),
]


def advised(line, x, **names):
    return eval(line, {"np": np, "x": x, **names})


@pytest.mark.parametrize(("f", "slope"), INFINITE[:2])
def test_a_slope_of_infinity_times_0_is_explained_and_its_lines_work(f, slope):
    x = Tensor([4.0, 0.0], requires_grad=True)
    text = message(lambda: np.where(x.data > 0, f(x), 0.0).sum().backward())
    assert "gets nan at [1]" in text
    assert "Its slope is infinite there, and the chain rule multiplies it by 0" in text
    chosen, shifted = re.search(CHOSEN, text)[1], re.search(SHIFTED, text)[1]
    with debug():
        y = advised(chosen, x, p=0.5)
        y.sum().backward()
    np.testing.assert_array_equal(y.data, np.where(x.data > 0, f(x.data), 0.0))
    np.testing.assert_array_equal(x.grad, [slope(4.0), 0.0])
    with debug():  # the other line keeps the element: value and slope as near as its number says
        y = advised(shifted, x, p=0.5)
        x.zero_grad()
        y.sum().backward()
    np.testing.assert_allclose(y.data, f(x.data), atol=1.1e-6)
    np.testing.assert_allclose(x.grad, [slope(4.0), slope(1e-12)])


@pytest.mark.parametrize(("f", "slope"), INFINITE[:2])
@pytest.mark.parametrize(("dtype", "small"), [(np.float16, 1e-4), (np.float32, 1e-12)])
def test_where_a_slope_is_infinite_a_small_number_is_advised_that_the_dtype_can_hold(
    f, slope, dtype, small
):
    x = Tensor([4.0, 0.0], requires_grad=True, dtype=dtype)
    text = message(lambda: f(x).sum().backward())
    assert "Its slope is infinite there: add" in text
    with debug():
        advised(re.search(SHIFTED, text)[1], x, p=0.5).sum().backward()
    assert x.grad.dtype == dtype
    np.testing.assert_allclose(x.grad, [slope(4.0), slope(small)], rtol=1e-2)


@pytest.mark.parametrize(
    ("f", "g", "at"),
    [
        (lambda x: np.log(x), lambda x: 1 / x, 0.0),
        (lambda x: np.log(x), lambda x: 1 / x, -1.0),
        (lambda x: np.sqrt(x), lambda x: 0.5 / np.sqrt(x), -1.0),
        (lambda x: x**0.5, lambda x: 0.5 / np.sqrt(x), -1.0),
        (lambda x: 3.0 / x, lambda x: -3 / (x * x), 0.0),
    ],
)
def test_a_value_that_is_not_finite_names_the_line_for_np_where(f, g, at):
    x = Tensor([4.0, at], requires_grad=True)
    text = message(lambda: f(x))
    with debug():
        advised(re.search(CHOSEN, text)[1], x, p=0.5, a=3.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [g(4.0), 0.0])


def test_a_line_for_np_where_keeps_powers_of_negative_numbers():
    x = Tensor([-2.0, 0.0, 4.0], requires_grad=True)
    with debug():
        y = advised(re.search(CHOSEN, message(lambda: x**-1.0))[1], x, p=-1.0)
        y.sum().backward()
    assert y.data.tolist() == [-0.5, 0.0, 0.25]
    assert x.grad.tolist() == [-0.25, 0.0, -0.0625]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x**400.0,  # it overflows
        lambda x: (-x) ** 401.0,
        lambda x: x / 1e-308,
        lambda x: np.log(x * np.array([np.inf, 1.0])),
        lambda x: (np.exp(x) * 1e305).sum().backward(),
    ],
)
def test_what_only_overflows_gets_no_advice(f):
    x = Tensor([10.0, 1.0], requires_grad=True)
    assert "np.where" not in message(lambda: f(x))


def test_a_slope_of_infinity_is_explained_for_what_was_computed_outside():
    x = Tensor([4.0, 0.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        loss = np.where(x.data > 0, np.log(x), 0.0).sum()
    text = message(loss.backward)
    assert "a line outside debug()" in text
    advised(re.search(CHOSEN, text)[1], x).sum().backward()
    assert x.grad.tolist() == [0.25, 0.0]


# A write that no lock stops.


def test_a_write_through_a_view_from_before_is_noticed(p):
    x = np.ones(3)
    view, mine = x[:2], x.copy()
    with debug():
        loss = (p * x).sum()
        view[0] = 9.0
        with pytest.raises(
            RuntimeError, match=r"array of shape \(3,\) changed after multiply used.*'loss = \(p"
        ):
            loss.backward()
        assert p.grad is None
        loss = (p * mine).sum()  # as the message says, a copy
        loss.backward()
        view[0] = 5.0  # or after backward()
    assert p.grad.tolist() == [1.0, 1.0, 1.0]


def test_a_write_into_a_leaf_through_a_view_from_before_is_noticed(p):
    view = p.data[:1]
    with debug():
        loss = np.exp(p.reshape(3, 1)).sum()
        view[0] = 9.0
        with pytest.raises(RuntimeError, match=r"'p'.* changed after the result of reshape"):
            loss.backward()
    assert p.grad is None


def test_a_write_into_a_number_is_noticed():
    w = Tensor(2.0, requires_grad=True, name="w")
    with debug():
        loss = w * w
        w.data[...] = 9.0  # data makes an array of the number, which nobody has locked
        with pytest.raises(RuntimeError, match=r"'w'.* changed after the result of multiply"):
            loss.backward()


def test_a_new_write_of_the_same_numbers_passes_and_each_backward_looks_again(p):
    x = np.ones(3)
    view = x[:2]
    with debug():
        loss = (p * x).sum()
        view[0] = 1.0
        loss.backward(retain_graph=True)
        view[0] = 2.0
        with pytest.raises(RuntimeError, match="changed after multiply"):
            loss.backward()
    assert p.grad.tolist() == [1.0, 1.0, 1.0]


def test_what_cannot_be_unlocked_again_is_not_locked(p):
    base = np.ones(3)
    view = base[:]
    base.setflags(write=False)
    with debug():
        (p * view).sum().backward()
    view[0] = 2.0
    assert base[0] == 2.0


def test_a_graph_may_be_dropped_while_arrays_are_locked(p):
    x, graphs = np.ones(3), []

    class Collecting(np.ndarray):
        """An array that frees a graph when it is locked, as the garbage collector may."""

        def setflags(self, write):
            graphs.clear()
            super().setflags(write=write)

    with debug():
        graphs.append((p * x).sum())
        loss = (p * np.ones(3).view(Collecting).copy()).sum()
        assert graphs == []
        assert x.flags.writeable
        loss.backward()


# Threads.


def in_a_thread(*functions):
    """Run them one after another in a thread, each when it is asked for by ``next``."""
    calls = [(f, threading.Event(), threading.Event()) for f in functions]
    errors = []

    def run():
        for f, go, done in calls:
            go.wait(10)
            try:
                f()
            except BaseException as error:
                errors.append(error)
            done.set()

    threading.Thread(target=run, daemon=True).start()
    for _, go, done in calls:
        go.set()
        assert done.wait(10)
        if errors:
            raise errors.pop()
        yield


@pytest.mark.parametrize("same", [True, False], ids=["one debug()", "two"])
@pytest.mark.parametrize("fails", [False, True])
def test_an_array_stays_locked_until_the_last_thread_is_through(p, same, fails):
    x = np.ones(3)
    mine = debug()
    others = mine if same else debug()
    kept = []

    def fail():
        kept.clear()
        with pytest.raises(FloatingPointError), others:
            np.log(p * 0.0)

    other = in_a_thread(
        others.__enter__,
        lambda: kept.append((p * x).sum()),
        fail if fails else lambda: kept.pop().backward(),
        lambda: others.__exit__(None, None, None),
    )
    next(other)
    next(other)  # the other thread has locked it first
    with mine:
        loss = (p * x).sum()
        next(other)
        next(other)  # and is through first
        assert not x.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            x[0] = 5.0
        loss.backward()
        assert x.flags.writeable
        assert p.data.flags.writeable


def test_a_decorated_function_may_run_in_two_threads_at_once(p):
    x = np.ones(3)
    inside, leave = threading.Event(), threading.Event()

    @debug()
    def step(wait):
        loss = (p * x).sum()
        if wait:
            inside.set()
            assert leave.wait(10)
            assert not x.flags.writeable
        loss.backward()

    other = in_a_thread(lambda: step(True))
    thread = threading.Thread(target=lambda: next(other))
    thread.start()
    assert inside.wait(10)
    step(False)
    leave.set()
    thread.join(10)
    assert x.flags.writeable


def test_a_block_that_ends_in_another_thread_is_over_and_leaves_nothing_locked(p):
    block = debug()

    def works_on():
        block.__enter__()
        loss = (p * p).sum()
        assert not p.data.flags.writeable
        next(in_a_thread(lambda: block.__exit__(None, None, None)))
        assert p.data.flags.writeable
        np.where(p.data > 0, np.log(p), 0.0).sum().backward()  # 0 * inf, no longer watched
        assert p.data.flags.writeable
        assert loss.item() == 0.3125

    next(in_a_thread(works_on))
    assert np.isnan(p.grad[1])


def test_nothing_stays_locked_when_threads_drop_graphs_at_random():
    arrays = [np.ones(3) for _ in range(3)]
    failures = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(50):
            fails = rng.random() < 0.2
            try:
                with debug():
                    w = Tensor(np.ones(3), requires_grad=True)
                    graphs = [(w * arrays[rng.integers(3)][:]).sum() for _ in range(2)]
                    graphs.append(graphs)  # so that the collector frees them
                    if rng.random() < 0.5:
                        graphs[0].backward()
                    if rng.random() < 0.1:
                        gc.collect()
                    if fails:
                        np.log(w - 1.0)
            except FloatingPointError:
                pass
            except Exception as error:
                failures.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(before)
    gc.collect()
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)
    assert all(array.flags.writeable for array in arrays)


def test_what_is_detached_is_its_own_after_the_lock_is_gone(p):
    with debug():
        loss = (p * p).sum()
        elements, detached = p.data, p.detach()
        before = detached.numpy()
        loss.backward()
    elements[0] = 9.0
    assert p.data[0] == 9.0
    np.testing.assert_array_equal(detached.numpy(), before)
