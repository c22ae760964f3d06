"""The checker is checked: it notices rules that are wrong, however little, and says where."""

import numpy as np
import pytest
from hypothesis import given

from tinygrad_edu import Tensor, functional, primitive
from tinygrad_edu.testing import check_grads, strategies

X = np.array([[0.3, -1.2, 0.8], [1.1, 0.5, -0.4]])


def tanh_with(rule):
    return primitive(np.tanh.__call__, rule)


def right(g, y, _):
    return g * (1 - y * y)


def test_right_rules_pass():
    check_grads(tanh_with(right), X, reference=np.tanh)


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, y, x: 1.001 * right(g, y, x),
        lambda g, y, x: -right(g, y, x),
        lambda g, y, x: 0 * g,
        lambda g, y, x: g * (1 - y),
        lambda g, y, x: right(np.ones_like(g), y, x),
        lambda g, y, x: right(g, y, x) * [1.0, 1.0, 1.001],
        lambda g, y, x: right(g, y, x) * [[1.0], [1.001]],
        lambda g, y, x: np.reshape(np.transpose(right(g, y, x)), x.shape),
    ],
    ids=["0.1 %", "sign", "zero", "formula", "without g", "a column", "a row", "transposed"],
)
def test_wrong_rules_are_noticed(rule):
    with pytest.raises(AssertionError, match="first derivatives of"):
        check_grads(tanh_with(rule), X, order=1)


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, y, x: g * (1 - np.square(y.detach() if isinstance(y, Tensor) else y)),
        lambda g, y, x: (g.detach() if isinstance(g, Tensor) else g) * (1 - y * y),
        lambda g, y, x: right(g, y, x) * (1.001 if isinstance(y, Tensor) else 1.0),
    ],
    ids=["output cut off", "gradient cut off", "another rule on Tensors"],
)
def test_rules_wrong_only_at_second_order_are_noticed(rule):
    f = tanh_with(rule)
    check_grads(f, X, order=1)
    with pytest.raises(AssertionError, match="second derivatives of"):
        check_grads(f, X)


def test_rule_that_takes_plain_numbers_at_second_order_is_refused():
    f = tanh_with(lambda g, y, x: g * (1 - np.square(y.data if isinstance(y, Tensor) else y)))
    check_grads(f, X, order=1)
    with pytest.raises(TypeError, match=r"part of what is being differentiated.*t\.detach\(\)"):
        check_grads(f, X)


def test_rule_wrong_only_at_third_order_is_noticed():
    def rule(g, y, x):
        return (
            g * (1 - y.detach() * (2 * y - y.detach())) if isinstance(y, Tensor) else right(g, y, x)
        )

    f = tanh_with(rule)
    check_grads(f, X, order=2)
    with pytest.raises(AssertionError, match="order 3 derivatives of"):
        check_grads(f, X, order=3)


def test_rule_that_gives_another_gradient_each_time_is_noticed():
    calls = []

    def grows(g, y, x):
        calls.append(x)
        return right(g, y, x) * len(calls)

    with pytest.raises(
        AssertionError, match=r"another gradient than the first: .* not give the same"
    ):
        check_grads(tanh_with(grows), X, order=1)


def test_rule_that_changes_its_arrays_is_noticed():
    def writes_to_the_output(g, y, _):
        y *= y
        return g * (1 - y)

    with pytest.raises(ValueError, match="read-only"):
        check_grads(tanh_with(writes_to_the_output), X, order=1)

    def writes_to_the_input(g, y, x):
        x[...] = 0.0
        return right(g, y, x)

    with pytest.raises(ValueError, match="read-only"):
        check_grads(tanh_with(writes_to_the_input), X, order=1)


def test_an_argument_with_small_slopes_is_checked_too():
    f = primitive(lambda a, b: a * 1e8 + b, lambda g, y, a, b: g * 1e8, lambda g, y, a, b: g * 5.0)
    with pytest.raises(AssertionError, match="first derivatives"):
        check_grads(f, [1.0, 2.0], [3.0, 4.0])


def test_rounding_of_large_arguments_is_allowed_for():
    check_grads(np.sin, [1e6 + 0.3, 2.0], order=1)


def test_orders_and_functions_that_check_nothing_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        check_grads(np.sin, 1.0, order=0)
    with pytest.raises(TypeError, match="takes a function"):
        check_grads(Tensor(1.0), 1.0)


def test_failure_shows_the_elements_that_differ():
    f = tanh_with(lambda g, y, x: right(g, y, x) * [1.0, 1.0, 3.0])
    with pytest.raises(AssertionError) as error:
        check_grads(f, X, order=1)
    message = str(error.value)
    assert "2 of 6 elements" in message
    assert "[0, 2]" in message
    assert "[1, 2]" in message
    assert "3.00000" in message
    assert "every analytic" not in message


def test_hint_is_given_only_when_it_is_certain():
    with pytest.raises(
        AssertionError, match="every analytic derivative is -1 times the numeric one"
    ):
        check_grads(tanh_with(lambda g, y, x: -right(g, y, x)), X, order=1)


def test_wrong_values_are_noticed():
    with pytest.raises(AssertionError, match="values of sigmoid are wrong"):
        check_grads(functional.sigmoid, X, reference=np.tanh)


def test_values_of_another_shape_are_noticed():
    with pytest.raises(AssertionError, match=r"shape \(1, 3\), and the reference \(3,\)"):
        check_grads(lambda x: x.sum(0, keepdims=True), X, reference=lambda x: x.sum(0))


def test_function_that_leaves_the_graph_is_noticed():
    with pytest.raises(AssertionError, match="leaves the graph"):
        check_grads(lambda x: x.data * 2, X)
    with pytest.raises(AssertionError, match="leaves the graph"):
        check_grads(lambda x: np.argmax(x), X)
    with pytest.raises(AssertionError, match="first derivatives"):
        check_grads(lambda x: x.detach() * 2, X)


def test_nan_is_noticed():
    with np.errstate(invalid="ignore"), pytest.raises(AssertionError, match="first derivatives"):
        check_grads(lambda x: np.log(x * -1.0), np.abs(X))


def test_arguments_that_are_not_of_floating_point_are_passed_as_they_are():
    check_grads(lambda x, rows, flag: x[rows] if flag else None, X, np.array([0, 0, 1]), True)
    with pytest.raises(ValueError, match="nothing to differentiate"):
        check_grads(lambda n: n, 3)


def test_arguments_may_be_numbers_lists_and_tensors():
    check_grads(lambda a, b, c: a * b * c, 2.0, [1.0, 2.0], Tensor(X[:, :2], dtype=np.float32))


@given(strategies.arrays(shape=(2, 50), low=-1.0, high=1.0, kinks=[0.0, 0.5]))
def test_strategies_keep_away_from_kinks_and_ties(x):
    assert x.shape == (2, 50)
    assert np.diff(np.sort(x, axis=None)).min() > 1e-3
    assert np.abs(x).min() > 5e-3
    assert np.abs(x - 0.5).min() > 5e-3
    assert np.abs(x).max() < 1.1


@given(strategies.broadcastable(3))
def test_broadcastable_arrays_broadcast(arrays):
    assert len(arrays) == 3
    np.broadcast_shapes(*(a.shape for a in arrays))


@given(strategies.tensors(strategies.shapes(min_dims=2, max_dims=2)))
def test_tensors_require_a_gradient(t):
    assert t.requires_grad
    assert t.ndim == 2
