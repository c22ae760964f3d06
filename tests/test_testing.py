"""The checker is checked: it notices rules that are wrong, however little, and says where."""

import math
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

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
    with pytest.raises(AssertionError, match="third derivatives of"):
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


SMOOTH = {  # with its derivative; each is defined above 0
    "log": (np.log, lambda x: 1 / x),
    "square root": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "inverse square": (lambda x: x**-2.0, lambda x: -2 * x**-3.0),
    "entropy": (lambda x: x * np.log(x), lambda x: np.log(x) + 1),
    "sine": (np.sin, np.cos),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "exponential": (lambda x: np.exp(-x / 100), lambda x: -np.exp(-x / 100) / 100),
}
magnitudes = st.lists(st.floats(-6, 3), min_size=1, max_size=4).map(lambda x: 10.0 ** np.array(x))


@pytest.mark.parametrize("f", [f for f, _ in SMOOTH.values()], ids=SMOOTH)
@given(x=magnitudes)
@example(x=np.array([1e-6, 1e3]))
def test_right_derivatives_of_tiny_and_huge_numbers_pass(f, x):
    if f is np.tanh:  # beyond, it is 1 but for rounding, which differences cannot decide
        x = np.minimum(x, 10.0)
    check_grads(f, x)


@pytest.mark.parametrize("name", SMOOTH)
@given(x=magnitudes)
@example(x=np.array([1e-6, 1e3]))
def test_rules_wrong_by_a_thousandth_are_noticed_at_tiny_and_huge_numbers(name, x):
    f, slope = SMOOTH[name]
    x = np.minimum(x, 10.0) if name == "tanh" else x
    wrong = primitive(lambda x: f(x), lambda g, y, x: g * slope(x) * 1.001)
    with pytest.raises(AssertionError, match="differ from finite differences"):
        check_grads(wrong, x, order=1)


def test_entropy_of_a_rare_class_passes():
    check_grads(lambda p: -(p * np.log(p)).sum(), [0.001, 0.2, 0.799])


@pytest.mark.parametrize(
    "f", [lambda x: x + 1e15, lambda x: (x + 1e16) - 1e16, lambda x: 1e20 + np.sin(x)]
)
def test_what_rounding_hides_is_not_called_wrong(f):
    with pytest.raises(AssertionError, match=r"cannot decide .* rounding is as large as the diff"):
        check_grads(f, 1.0)


@settings(max_examples=20)
@given(x=arrays(float, st.integers(1, 5), elements=st.floats(0.125, 8.0)))
def test_a_derivative_that_is_0_but_for_rounding_passes(x):
    check_grads(lambda x: functional.softmax(x).sum(), x)
    check_grads(lambda x: x * (1 / x), x)
    check_grads(lambda x: np.sqrt(np.square(x / np.sqrt((x * x).sum())).sum()), x)
    check_grads(lambda x: (x * 0.3).sum() / (0.3 * x.sum()), x)


def test_the_edge_of_a_domain_is_not_called_wrong():
    root = primitive(np.sqrt.__call__, lambda g, y, x: g * 1e8)
    with pytest.raises(AssertionError, match=r"cannot decide .* at the edge of where .* Choose"):
        check_grads(root, 0.0)
    divided = pytest.raises(AssertionError, match="is nan or infinite: a rule has divided by 0")
    with np.errstate(all="ignore"), divided:
        check_grads(lambda x: np.sqrt(x * x), 0.0)


def test_a_kink_is_told():
    steep = primitive(lambda x: np.maximum(x, 3 * x), lambda g, y, x: g * 0.25)
    with pytest.raises(
        AssertionError, match=r"at a kink at \[0\]: .* 1 on the left and 3 on the r"
    ):
        check_grads(steep, [0.0], order=1)


def test_a_kink_or_a_pole_farther_away_does_not_confuse():
    check_grads(np.abs, [1e-5, -2e-7])
    check_grads(lambda x: x**-2, [1e-5, 3.0])


def test_numbers_of_a_single_output_are_its_gradient():
    with pytest.raises(AssertionError) as error:
        check_grads(primitive(lambda x: -x, lambda g, y, x: g * 2.0), 3.0)
    assert re.search(r"0 +\[\] +2 +-1 +-2.0", str(error.value))
    assert "weight" not in str(error.value)


def test_a_rule_that_forgets_g_is_asked_for_it():
    cube = primitive(lambda x: x**3, lambda g, y, x: 3 * x**2)
    for f in cube, lambda x: 2.0 * cube(x).sum():
        with pytest.raises(
            AssertionError, match=r"twice the gradient g .* Did the rule forget g\?"
        ):
            check_grads(f, [2.0, 1.0], order=1)


def test_functions_that_cannot_be_checked_each_get_their_sentence():
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError, match="returned None: it has no return statement"):
        check_grads(lambda x: None, 1.0)
    with pytest.raises(AssertionError, match=r"two calls of .* differ.* draw random numbers once"):
        check_grads(lambda x: x * rng.normal(), 1.0)
    with pytest.raises(AssertionError, match=r"returned float, not a Tensor.* as by float\(t\)"):
        check_grads(float, 1.0)
    with pytest.raises(TypeError, match=r"part of what is being differentiated"):
        check_grads(lambda x: x * float(x), 1.0)


def test_a_rule_that_cannot_be_differentiated_asks_for_first_order():
    def rule(g, y, x):
        return g * y / y * math.exp(x)

    f = primitive(lambda x: np.exp(x), rule)
    check_grads(f, 1.0, order=1)
    with pytest.raises(TypeError, match=r"cannot be differentiated itself: .* pass order=1$"):
        check_grads(f, 1.0)


def test_step_and_tolerance_may_be_set():
    wrong = primitive(lambda x: np.exp(x), lambda g, y, x: g * y * 1.001)
    check_grads(wrong, [0.5, 1.0], order=1, rtol=0.01)
    check_grads(np.exp, [0.5, 1.0], eps=1e-3)
    with pytest.raises(AssertionError, match="differ from finite differences"):
        check_grads(wrong, [0.5, 1.0], order=1, eps=1e-3)
    with pytest.raises(AssertionError, match="cannot decide"):
        check_grads(np.log, 1e-4, eps=1e-3)  # a step to below 0
    for options in {"eps": 0.0}, {"eps": -1e-3}, {"rtol": 0.0}, {"rtol": np.nan}, {"eps": "1"}:
        with pytest.raises(ValueError, match="is a positive number"):
            check_grads(np.exp, 1.0, **options)


def test_report_tells_what_was_checked():
    report = check_grads(np.exp, [0.5, 1.0], order=1)
    assert (report.name, report.order, report.directions) == ("exp", 1, 1)
    assert 0 < report.worst < 1e-8
    assert repr(report).startswith(
        "first derivatives of exp agree with finite differences in 1 dir"
    )
    assert check_grads(lambda a, b: a * b, 1e-3, 2.0, order=3).directions > 6


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


@pytest.mark.parametrize("wrong", [[1e9, 0.0], [1e7, 1.1], [1e5, 1.001], [1.0, 0.0]])
def test_a_wrong_slope_beside_a_much_larger_one_is_noticed(wrong):
    right = np.array([wrong[0], 1.0])
    check_grads(primitive(lambda x: x * right, lambda g, y, x: g * right), [1.0, 1.0])
    scaled = primitive(lambda x: x * right, lambda g, y, x: g * np.array(wrong))
    with pytest.raises(AssertionError, match="differ from finite differences in 1 of 2"):
        check_grads(scaled, [1.0, 1.0], order=1)
