"""Functions of derivatives: right, nested, and refused where there is no gradient."""

import math

import numpy as np
import pytest

from tinygrad_edu import (
    Tensor,
    functional,
    grad,
    hessian,
    jacobian,
    losses,
    no_grad,
    value_and_grad,
)


def cubic(x, y):
    return (x**2 * y).sum()


X, Y = np.array([1.0, 2.0]), np.array([3.0, 4.0])


def test_grad_by_one_or_several_arguments():
    np.testing.assert_allclose(grad(cubic)(X, Y), 2 * X * Y)
    np.testing.assert_allclose(grad(cubic, 1)(X, Y), X**2)
    by_x, by_y = grad(cubic, (0, 1))(X, Y)
    np.testing.assert_allclose(by_x, 2 * X * Y)
    np.testing.assert_allclose(by_y, X**2)
    np.testing.assert_allclose(grad(cubic, -1)(X, Y), X**2)


def test_results_are_arrays_of_the_shape_and_dtype_of_the_argument():
    g = grad(lambda x: (x * x).sum())(np.ones((2, 1), np.float32))
    assert type(g) is np.ndarray
    assert (g.shape, g.dtype) == ((2, 1), np.float32)
    assert type(grad(lambda x: x * x)(3.0)) is np.ndarray


def test_value_and_grad():
    value, gradient = value_and_grad(cubic)(X, Y)
    assert value == cubic(X, Y)
    np.testing.assert_allclose(gradient, 2 * X * Y)


def test_grad_of_grad_of_grad():
    f = np.sin
    for expected in np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin:
        f = grad(f)
        np.testing.assert_allclose(f(0.7), expected(0.7))


def test_inner_variable_is_not_confused_with_the_outer_one():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(2.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(1.0))(2.0) == 4.0
    assert grad(lambda x: grad(lambda y: y * y * x)(x))(3.0) == 12.0


def test_jacobian():
    a = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(jacobian(lambda x: a @ x)(np.ones(3)), a)
    assert jacobian(lambda x: np.exp(x))(np.ones((2, 3))).shape == (2, 3, 2, 3)
    by_x, by_y = jacobian(lambda x, y: x * y, (0, 1))(X, Y)
    np.testing.assert_allclose(by_x, np.diag(Y))
    np.testing.assert_allclose(by_y, np.diag(X))
    assert jacobian(lambda x: x[:0])(X).shape == (0, 2)


def test_jacobian_of_softmax():
    p = functional.softmax(X)
    np.testing.assert_allclose(jacobian(functional.softmax)(X), np.diag(p) - np.outer(p, p))


def test_hessian():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    np.testing.assert_allclose(hessian(lambda x: x @ a @ x / 2)(X), a)
    blocks = hessian(cubic, (0, 1))(X, Y)
    np.testing.assert_allclose(blocks[0][0], np.diag(2 * Y))
    np.testing.assert_allclose(blocks[0][1], np.diag(2 * X))
    np.testing.assert_allclose(blocks[1][0], np.diag(2 * X))
    np.testing.assert_allclose(blocks[1][1], np.zeros((2, 2)))


def test_hessian_of_logistic_regression_at_zero_weights():
    features, labels = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]]), np.array([1, -1, 1])
    h = hessian(lambda w: losses.logistic(features @ w, labels))(np.zeros(2))
    np.testing.assert_allclose(h, features.T @ features / 4 / 3)


def test_hessian_of_a_linear_function_is_zero():
    np.testing.assert_array_equal(hessian(lambda x: (3 * x).sum())(X), np.zeros((2, 2)))
    assert grad(grad(lambda x: 2 * x))(1.0) == 0.0


def test_argument_that_does_not_matter_has_gradient_zero():
    assert grad(lambda x, y: y * y, (0, 1))(1.0, 2.0) == (0.0, 4.0)


def test_gradient_that_depends_on_a_tensor_outside_is_a_tensor():
    w = Tensor(3.0, requires_grad=True)
    g = grad(lambda x: w * x * x)(2.0)
    assert isinstance(g, Tensor)
    g.backward()
    assert w.grad == 4.0


def test_gradient_by_a_tensor_can_be_differentiated():
    x = Tensor(X, requires_grad=True)
    penalty = (grad(lambda x: (x**3).sum())(x) ** 2).sum()
    penalty.backward()
    np.testing.assert_allclose(x.grad, 36 * X**3)


def test_a_value_that_is_a_variable_outside_stays_in_its_graph():
    assert grad(lambda w: value_and_grad(lambda x: w)(1.0)[0] * w)(3.0) == 6.0


def test_jacobian_of_nothing_stays_in_the_graph():
    assert grad(lambda x: jacobian(lambda z: z[:0])(x).sum() + x.sum())(X).tolist() == [1.0, 1.0]


def test_gradients_by_two_arguments_are_two_tensors():
    w = Tensor(1.0, requires_grad=True)
    by_a, by_b = grad(lambda a, b: a + b + 0 * w, (0, 1))(1.0, 2.0)
    assert by_a is not by_b


def test_a_position_named_twice_is_differentiated_twice():
    for positions in [(0, 0), (0, -2)]:
        first, second = grad(cubic, positions)(X, Y)
        np.testing.assert_allclose(first, 2 * X * Y)
        np.testing.assert_allclose(second, 2 * X * Y)


def test_positions_may_be_numpy_integers():
    assert grad(cubic, np.int64(1))(X, Y).tolist() == (X**2).tolist()


def test_no_grad_gives_arrays():
    x = Tensor(X, requires_grad=True)
    with no_grad():
        g = grad(lambda x: (x * x).sum())(x)
    assert type(g) is np.ndarray
    np.testing.assert_allclose(g, 2 * X)


def test_differentiating_leaves_grad_alone():
    x = Tensor(X, requires_grad=True)
    grad(lambda x: (x * x).sum())(x)
    assert x.grad is None


def test_keyword_arguments_pass_through():
    assert grad(lambda x, power: x**power)(2.0, power=3) == 12.0


def test_integers_are_refused():
    with pytest.raises(TypeError, match=r"Write 3\.0 instead of 3"):
        grad(lambda x: x * x)(3)


def test_more_than_one_number_is_refused_by_grad():
    with pytest.raises(TypeError, match=r"returned shape \(2,\).*sum\(\).*jacobian"):
        grad(lambda x: x * x)(X)


def test_function_that_leaves_the_graph_is_refused():
    with pytest.raises(TypeError, match="returned float, not a Tensor"):
        grad(lambda x: x.item() ** 2)(2.0)
    with pytest.raises(TypeError, match="returned None: it has no return"):
        grad(lambda x: print(end=""))(2.0)


def test_number_taken_out_of_what_is_differentiated_is_refused():
    for f in [lambda x: x**2 + math.exp(x), lambda x: float(x) * x, lambda x: x * int(x)]:
        with pytest.raises(TypeError, match=r"np\.exp\(t\) for math\.exp\(t\)"):
            grad(f)(1.0)
    assert float(Tensor(1.0, requires_grad=True) * 2) == 2.0


def test_what_is_no_function_is_refused():
    for transform in grad, value_and_grad, jacobian, hessian:
        with pytest.raises(TypeError, match=rf"{transform.__name__}\(f\)\(2\.0\)"):
            transform(np.ones(2))
        with pytest.raises(TypeError, match="position"):
            transform(np.sin, 1.0)


def test_argument_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="argnums=2"):
        grad(cubic, 2)(X, Y)
