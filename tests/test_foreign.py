"""Graphs and functions of other engines: drawn, gone through, and held against differences."""

import numpy as np
import pytest
from small_engine import SmallEngine

from tinygrad_edu import Tensor, draw, steps
from tinygrad_edu.testing import as_tensor, check_grads, function_of
from tinygrad_edu.testing.adapters import TinygradEdu


class Value:
    def __init__(self, data, op=None, args=(), params=None):
        self.data, self.op, self.args, self.params = data, op, args, params or {}


class Mine:
    def value(self, result):
        return result.data

    def op(self, result):
        return result.op

    def args(self, result):
        return result.args

    def params(self, result):
        return result.params


def test_a_graph_has_the_values_of_the_engine_and_the_names_that_are_given():
    engine = SmallEngine()
    x, w = engine.variable(3.0), engine.variable(2.0)
    h = x * w
    y = h + x * 2.0
    copy = as_tensor(engine, y, {"x": x, "w": w, "h": h, "_": x, "other": 5})
    assert isinstance(copy, Tensor)
    assert str(draw(copy)) == (
        "v2 = h + v1 | 12 | grad 1\n"
        "  h = x * w | 6 | grad 1\n"
        "    x | 3 | grad 4\n"
        "    w | 2 | grad 3\n"
        "  v1 = x * 2 | 6 | grad 1\n"
        "    x (above)"
    )


@pytest.mark.parametrize("op", ["multiply", "*"])
def test_steps_go_through_operations_that_numpy_has(op):
    x = Value(3.0)
    told = steps(as_tensor(Mine(), Value(6.0, op, (x, 2.0)), {"x": x}))
    assert "dv1/dx = g * b" in str(told[-1])


def test_parameters_are_told_if_the_engine_has_them():
    x = Value(np.array([[1.0, 2.0], [3.0, 4.0]]))
    y = as_tensor(Mine(), Value(np.array([4.0, 6.0]), "sum", (x,), {"axis": 0}))
    y.backward([1.0, 10.0])
    assert y.args[0].grad.tolist() == [[1.0, 10.0], [1.0, 10.0]]


def test_functions_that_numpy_lacks_are_those_of_this_package():
    x = Value(np.array([[1.0, 2.0]]))
    y = Value(np.array([[0.5, 0.5]]), "softmax", (x,))
    assert "softmax has another value here" in str(draw(as_tensor(Mine(), y).sum()))
    y.data = np.exp(x.data) / np.exp(x.data).sum()
    assert as_tensor(Mine(), y).op is not None


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Value(6.0, "add", (Value(3.0), Value(2.0))), "add has another value here than in NumPy"),
        (Value(6.0, "triple", (Value(2.0),)), "triple is no function of NumPy"),
        (Value(6.0, "add", (Value(2.0),)), "add"),
    ],
)
def test_where_a_rule_is_not_known_there_is_no_gradient(result, reason):
    copy = as_tensor(Mine(), result)
    assert copy.item() == 6.0
    text = str(draw(copy))
    assert "grad" not in text.partition("no gradients: ")[0]
    assert reason in text.partition("no gradients: ")[2]
    with pytest.raises(TypeError, match=reason):
        copy.backward()


def test_a_graph_may_be_deep():
    y = Value(1.0)
    for _ in range(5000):
        y = Value(1.0, "negative", (Value(-1.0, "negative", (y,)),))
    assert as_tensor(Mine(), y).item() == 1.0


def test_our_own_graphs_are_taken_too():
    x = Tensor(2.0, requires_grad=True)
    assert as_tensor(TinygradEdu(), np.exp(x * x)).item() == np.exp(4.0)


def test_what_an_engine_lacks_is_said():
    with pytest.raises(TypeError, match="object has no value, op, args: to draw a graph takes"):
        as_tensor(object(), 1.0)


class WithoutCotangent(SmallEngine):
    def backward(self, result):
        super().backward(result)


class Wrong(WithoutCotangent):
    def gradient(self, variable):
        return 2.0 * super().gradient(variable)


def test_gradients_of_an_engine_are_held_against_differences():
    for engine in SmallEngine(), WithoutCotangent():
        f = function_of(engine, lambda x, w: x * w / (x * x + 1.0))
        assert "agree" in repr(check_grads(f, 0.5, 2.0, order=1))
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert "agree" in repr(
        check_grads(function_of(SmallEngine(), lambda x: x @ x), matrix, order=1)
    )
    with pytest.raises(AssertionError):
        check_grads(function_of(Wrong(), lambda x: x * x), 3.0, order=1)


def test_what_has_no_influence_has_gradient_zero():
    f = function_of(SmallEngine(), lambda x, w: x * 2.0)
    x, w = Tensor(3.0, requires_grad=True), Tensor(1.0, requires_grad=True)
    f(x, w).backward()
    assert (x.grad, w.grad) == (2.0, 0.0)


def test_what_cannot_be_differentiated_is_said():
    with pytest.raises(TypeError, match="object has no variable, value, backward, gradient: its"):
        function_of(object(), abs)
    with pytest.raises(TypeError, match="takes an engine and a function, but got"):
        function_of(SmallEngine(), 3.0)
    f = function_of(WithoutCotangent(), lambda x: x * 2.0)
    with pytest.raises(TypeError, match=r"an array of shape \(2,\), and backward of this engine"):
        f(Tensor([1.0, 2.0], requires_grad=True)).sum().backward()
    with pytest.raises(TypeError, match="is no number or array, but 'text, not"):
        function_of(Speechless(), lambda x: x)(Tensor(1.0))
    with pytest.raises(TypeError, match="order=1"):
        check_grads(function_of(SmallEngine(), lambda x: x * x), 3.0)


class Speechless(SmallEngine):
    def value(self, result):
        return f"text, not {type(result).__name__}"
