"""Functions that models and losses share: their formulas, symmetries and edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import reduced

from tinygrad_edu import Tensor, grad
from tinygrad_edu.functional import (
    log_softmax,
    logsumexp,
    one_hot,
    relu,
    sigmoid,
    softmax,
    softplus,
)
from tinygrad_edu.testing import check_grads
from tinygrad_edu.testing.strategies import arrays

FORMULAS = {
    sigmoid: lambda x: 1 / (1 + np.exp(-x)),
    softplus: lambda x: np.log(1 + np.exp(x)),
    relu: lambda x: np.maximum(x, 0),
    logsumexp: lambda x, **along: np.log(np.sum(np.exp(x), **along)),
    softmax: lambda x, axis=-1: np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True),
    log_softmax: lambda x, axis=-1: x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True)),
}
ELEMENTWISE = [sigmoid, softplus, relu]


@pytest.mark.parametrize("f", ELEMENTWISE)
@given(x=arrays(low=-6.0, high=6.0, kinks=[0]))
def test_elementwise_functions(f, x):
    check_grads(f, x, reference=FORMULAS[f])


@given(reduced())
def test_logsumexp(call):
    (x,), along = call
    check_grads(
        lambda x: logsumexp(x, **along), x, reference=lambda x: FORMULAS[logsumexp](x, **along)
    )


@pytest.mark.parametrize("f", [softmax, log_softmax])
@given(call=reduced())
def test_softmax_and_its_logarithm(f, call):
    (x,), along = call
    axis = along["axis"]
    check_grads(lambda x: f(x, axis), x, reference=lambda x: FORMULAS[f](x, axis))


@settings(max_examples=30)
@given(reduced(), st.floats(-1e3, 1e3))
def test_probabilities_have_sum_one_and_do_not_change_when_scores_are_shifted(call, shift):
    (x,), along = call
    axis = along["axis"]
    p = softmax(x, axis)
    assert np.all(p > 0)
    np.testing.assert_allclose(p.sum(axis=axis), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(x + shift, axis), p, rtol=1e-11)
    np.testing.assert_allclose(log_softmax(x, axis), np.log(p), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(logsumexp(x + shift, axis), logsumexp(x, axis) + shift, atol=1e-11)


@settings(max_examples=30)
@given(reduced())
def test_gradient_of_logsumexp_is_softmax(call):
    (x,), along = call
    slope = grad(lambda x: logsumexp(x, **along).sum())(x)
    np.testing.assert_allclose(slope, softmax(x, along["axis"]), rtol=1e-14)


@settings(max_examples=30)
@given(arrays(low=-800.0, high=800.0))
def test_reflections(x):
    np.testing.assert_allclose(sigmoid(-x), 1 - sigmoid(x), rtol=0, atol=1e-15)
    np.testing.assert_allclose(softplus(x) - softplus(-x), x, rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(relu(x) - relu(-x), x)
    np.testing.assert_allclose(grad(lambda x: softplus(x).sum())(x), sigmoid(x), rtol=1e-14)


@settings(max_examples=30)
@given(reduced())
def test_shapes(call):
    (x,), along = call
    assert np.shape(logsumexp(x, **along)) == np.shape(np.sum(x, **along))
    assert softmax(x, along["axis"]).shape == log_softmax(x, along["axis"]).shape == x.shape


def test_rows_are_the_default_axis():
    x = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(softmax(x).sum(axis=1), [1, 1])
    np.testing.assert_allclose(np.exp(log_softmax(x)).sum(axis=1), [1, 1])
    assert logsumexp(x)[1] == pytest.approx(np.log(3))
    assert logsumexp(x, keepdims=True).shape == (2, 1)
    assert logsumexp(x, axis=None) == pytest.approx(logsumexp(x.ravel()))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_extreme_numbers(dtype):
    x = Tensor([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4]], True, dtype=dtype)
    third = np.log(3)
    near = {"rtol": 1e-6, "atol": 1e-6}
    p = [[1, 0, 0], [1 / 3] * 3, [1 / 3] * 3]
    np.testing.assert_allclose(logsumexp(x).data, [1e4, third - 1e4, third + 1e4], **near)
    np.testing.assert_allclose(softmax(x).data, p, **near)
    np.testing.assert_allclose(log_softmax(x).data[0], [0, -1e4, -2e4], **near)
    np.testing.assert_allclose(log_softmax(x).data[1:], -third, **near)
    logsumexp(x).sum().backward()
    np.testing.assert_allclose(x.grad, p, **near)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("f", "values", "slopes"),
    [
        (sigmoid, [0, 0.5, 1], [0, 0.25, 0]),
        (softplus, [0, np.log(2), 1e4], [0, 0.5, 1]),
        (relu, [0, 0, 1e4], [0, 0, 1]),
    ],
)
def test_elementwise_functions_of_extreme_numbers(f, values, slopes, dtype):
    x = Tensor([-1e4, 0.0, 1e4], requires_grad=True, dtype=dtype)
    f(x).sum().backward()
    np.testing.assert_allclose(f(x).data, values, rtol=1e-7)
    np.testing.assert_array_equal(x.grad, slopes)


def test_class_with_score_minus_infinity_has_probability_zero():
    assert softmax([-np.inf, 0.0, 0.0]).tolist() == [0, 0.5, 0.5]
    assert logsumexp([-np.inf, 0.0]) == 0
    assert log_softmax([-np.inf, 0.0]).tolist() == [-np.inf, 0]


def test_relu_has_slope_zero_at_its_kink():
    x = Tensor([-1.0, -0.0, 0.0, 2.0], requires_grad=True)
    relu(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 0, 1]


def test_second_derivatives_at_zero():
    assert grad(grad(softplus))(0.0) == 0.25
    assert grad(grad(sigmoid))(0.0) == 0
    curvature = grad(lambda x: grad(logsumexp)(x)[0])(np.zeros(2))
    np.testing.assert_allclose(curvature, [0.25, -0.25], rtol=1e-14)


@pytest.mark.parametrize("f", FORMULAS)
def test_arrays_give_arrays_and_tensors_give_tensors(f):
    x = [[1, -2], [0, 3]]
    expected = f(np.array(x, float))
    assert isinstance(expected, np.ndarray)
    np.testing.assert_array_equal(f(x), expected)
    np.testing.assert_array_equal(f(np.array(x)), expected)
    for t in Tensor(x), Tensor(x, dtype=float), Tensor(x, requires_grad=True, dtype=float):
        result = f(t)
        assert isinstance(result, Tensor)
        assert result.requires_grad == t.requires_grad
        np.testing.assert_array_equal(result.data, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("f", FORMULAS)
def test_dtype_is_kept(f, dtype):
    x = Tensor([[1.0, -2.0], [0.0, 3.0]], requires_grad=True, dtype=dtype)
    result = f(x)
    result.sum().backward()
    assert result.dtype == x.grad.dtype == f(x.numpy()).dtype == dtype


@pytest.mark.parametrize("f", FORMULAS)
def test_small_integers_are_computed_as_float64(f):
    x = np.array([[-128, 127]], np.int8)
    expected = f(x.astype(np.float64))
    np.testing.assert_array_equal(f(x), expected)
    np.testing.assert_array_equal(f(Tensor(x)).data, expected)
    assert f(Tensor(x)).dtype == np.float64


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1, 0)], ids=str)
def test_one_hot_has_the_classes_on_a_new_last_axis(shape):
    labels = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 4
    rows = one_hot(labels, 4)
    assert rows.shape == (*shape, 4)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows.sum(axis=-1), np.ones(shape))
    np.testing.assert_array_equal(rows.argmax(axis=-1), labels)


def test_one_hot_takes_lists_tensors_unsigned_integers_and_a_dtype():
    expected = [[0, 1], [1, 0]]
    for labels in [1, 0], Tensor([1, 0]), np.array([1, 0], np.uint8):
        assert one_hot(labels, 2).tolist() == expected
    assert one_hot([1, 0], 2, np.float32).dtype == np.float32
    assert one_hot([], 3).shape == (0, 3)


def test_one_hot_rows_do_not_share_memory():
    rows = one_hot([0, 0], 2)
    rows[0] = 7
    assert rows[1].tolist() == one_hot([0], 2)[0].tolist() == [1, 0]


def test_one_hot_refusals():
    for labels in [0, 3], [-1, 2], -1, 3:
        with pytest.raises(ValueError, match=r"from 0 to 2 for 3 classes.*number the classes"):
            one_hot(labels, 3)
    for labels, dtype in ([0.0, 1.0], "float64"), ([True, False], "bool"), (["a"], "<U1"):
        with pytest.raises(TypeError, match=f"labels are integers from 0 to 2.*{dtype}"):
            one_hot(labels, 3)


@pytest.mark.parametrize("function", [sigmoid, softmax, relu])
def test_complex_numbers_are_refused(function):
    with pytest.raises(TypeError, match="dtype complex128 cannot be in a graph"):
        function([1.0 + 2.0j, 0.0])


def test_one_number_comes_back_as_a_number():
    for function in (sigmoid, softplus, relu):
        assert isinstance(function(1.0), np.float64)
    assert isinstance(logsumexp([1.0, 2.0]), np.float64)


def test_logsumexp_of_infinities():
    with np.errstate(divide="ignore"):
        assert logsumexp([np.inf, 0.0]) == np.inf
        assert logsumexp([-np.inf, -np.inf]) == -np.inf
        assert logsumexp([-np.inf, 0.0]) == 0.0
