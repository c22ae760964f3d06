"""Debug mode: it names the operation, the line, the element; it locks what a graph uses."""

import gc

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
