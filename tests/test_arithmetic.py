"""NumPy functions that compute: at kinks, ties, zeros and singular points, and as people call them.

Their derivatives in general are proven in ``test_ops``, by the rows of ``rows_arithmetic``.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows_arithmetic import ARITHMETIC
from test_ops import called, gradient

from tinygrad_edu import Tensor, draw, grad, hessian, ops, steps
from tinygrad_edu.testing import check_grads

INF, NAN = np.inf, np.nan
RNG = np.random.default_rng(0)


def curvature(f, x):
    """All second derivatives of the sum of what ``f`` gives."""
    return hessian(lambda t: f(t).sum())(np.array(x, float)).tolist()


# Every row.

every_row = pytest.mark.parametrize("op", ARITHMETIC, ids=ops.name)


@every_row
@settings(max_examples=2)
@given(data=st.data())
def test_results_are_drawn_and_gone_through_in_steps(op, data):
    args, parameters = data.draw(ARITHMETIC[op])
    tensors = [Tensor(a, True) if isinstance(a, np.ndarray) else a for a in args]
    result = called(op, parameters)(*tensors).sum()
    assert str(draw(result)).startswith("v")
    told = steps(result)
    result.backward()
    for tensor in tensors:
        if isinstance(tensor, Tensor):
            np.testing.assert_array_equal(told[-1].gradients[tensor], tensor.grad)


@every_row
@settings(max_examples=2)
@given(data=st.data())
def test_gradients_of_gradients_of_gradients(op, data):
    args, parameters = data.draw(ARITHMETIC[op])
    check_grads(called(op, parameters), *args, order=3)


# Statistics.


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 2)])
def test_numbers_that_do_not_deviate_give_the_standard_deviation_slope_zero(shape):
    assert gradient(np.std, np.ones(shape)) == np.zeros(shape).tolist()
    assert np.all(np.array(curvature(np.std, np.ones(shape))) == 0)
    rows = gradient(lambda x: np.std(x, axis=1), [[1.0, 1.0], [1.0, 3.0]])
    assert rows == [[0.0, 0.0], [-0.5, 0.5]]


def test_degrees_of_freedom_that_leave_none_give_nan_as_in_numpy():
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(np.var(Tensor([2.0]), ddof=1).item())


def test_the_variance_of_many_numbers_in_float16():
    x = Tensor(np.tile([-1.0, 1.0], 40_000), dtype=np.float16)  # the sum of squares would be inf
    assert np.var(x).item() == np.std(x).item() == 1.0


def test_the_median_takes_the_middle_or_the_mean_of_two():
    assert gradient(np.median, [5.0, 1.0, 3.0]) == [0.0, 0.0, 1.0]
    assert gradient(np.median, [5.0, 1.0, 3.0, 4.0]) == [0.0, 0.0, 0.5, 0.5]


def test_of_equal_numbers_the_median_takes_those_that_stand_in_the_middle():
    """Not all of them evenly: sorted, and equal ones as they come, they have places."""
    assert gradient(np.median, [2.0, 2.0, 2.0]) == [0.0, 1.0, 0.0]
    assert gradient(np.median, [2.0, 2.0, 1.0]) == [1.0, 0.0, 0.0]
    assert gradient(lambda x: np.quantile(x, 1.0), [2.0, 2.0]) == [0.0, 1.0]
    slopes = gradient(np.median, np.tile([1.0, 0.0, 2.0], 400))  # of 400 ones, in the middle
    assert np.flatnonzero(slopes).tolist() == [3 * 199, 3 * 200]


def test_a_nan_is_the_median_and_gets_the_gradient():
    for f in np.median, lambda x: np.quantile(x, 0.25), lambda x: np.percentile(x, 25):
        assert np.isnan(f(Tensor([1.0, NAN, 3.0])).item())
        assert gradient(f, [1.0, NAN, 3.0]) == [0.0, 1.0, 0.0]


def test_an_infinite_median():
    assert np.median(Tensor([1.0, INF, INF])).item() == INF


def test_quantiles_are_differentiated_by_where_they_are_taken():
    """The slope of the line between two numbers, times the number of such lines."""
    assert gradient(lambda q: np.quantile([1.0, 2.0, 5.0], q), 0.75) == 6.0


@pytest.mark.parametrize("q", [-0.1, 1.1, [0.5, 2.0], NAN])
def test_quantiles_out_of_range_are_refused(q):
    with pytest.raises(ValueError, match="from 0 to 1, percentiles from 0 to 100"):
        np.quantile(Tensor([1.0, 2.0]), q)


@pytest.mark.parametrize(
    ("x", "slopes"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
        ([2.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        ([], []),
    ],
)
def test_products_with_zeros(x, slopes):
    assert gradient(np.prod, x) == slopes
    assert np.prod(Tensor(x)).item() == np.prod(x)
    assert gradient(lambda x: np.cumprod(x)[-1:], x) == slopes


def test_second_derivatives_of_a_product_with_two_zeros():
    assert curvature(np.prod, [2.0, 0.0, 0.0]) == [[0, 0, 0], [0, 0, 2], [0, 2, 0]]
    check_grads(np.cumprod, [2.0, 0.0, 0.0, 3.0], order=3, reference=np.cumprod)


def test_a_product_of_many_numbers():
    x = RNG.uniform(0.9, 1.1, 1001)
    check_grads(np.prod, x, order=1, reference=np.prod)


def test_products_of_small_integers_do_not_overflow():
    for dtype in np.int8, np.bool_:
        x = np.full(5, 20).astype(dtype)
        np.testing.assert_array_equal(np.prod(Tensor(x)).numpy(), np.prod(x))
        np.testing.assert_array_equal(np.cumprod(Tensor(x)).numpy(), np.cumprod(x))


def test_nans_are_left_out_and_get_no_gradient():
    x = [[1.0, NAN], [3.0, 4.0]]
    assert gradient(lambda x: np.nansum(x, axis=1), x) == [[1.0, 0.0], [1.0, 1.0]]
    assert gradient(lambda x: np.nanmean(x, axis=1), x) == [[1.0, 0.0], [0.5, 0.5]]
    assert gradient(lambda x: np.nanmax(x, axis=1), x) == [[1.0, 0.0], [0.0, 1.0]]
    assert gradient(lambda x: np.nanmin(x, axis=1), x) == [[1.0, 0.0], [1.0, 0.0]]
    for f in np.nansum, np.nanmean, np.nanmax, np.nanmin:
        for axis in None, 0, (0, 1):
            y = f(Tensor(x), axis=axis, keepdims=True)
            np.testing.assert_array_equal(y.numpy(), f(np.array(x), axis=axis, keepdims=True))


def test_the_largest_of_nothing_but_nans_is_nan():
    x = Tensor([[NAN, NAN], [1.0, NAN]])
    for f in np.nanmax, np.nanmin:
        np.testing.assert_array_equal(f(x, axis=1).numpy(), [NAN, 1.0])


def test_weights_that_sum_to_zero_or_do_not_fit():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ZeroDivisionError, match="sum to zero"):
        np.average(x, 1, [1.0, -1.0])
    for axis, weights in ((None, [1.0, 2.0]), (0, [1.0, 2.0, 3.0]), (0, [[1.0, 2.0]])):
        with pytest.raises(ValueError, match=r"a vector along axis=, but got shape"):
            np.average(x, axis, weights)


# Norms.


@pytest.mark.parametrize("degree", [None, 1, 2, 3, 2.5, INF, -INF])
@pytest.mark.parametrize("shape", [(2,), (3, 2)])
def test_a_norm_has_slope_zero_at_the_origin_and_no_curvature(degree, shape):
    def norm(x):
        return np.linalg.norm(x, degree, axis=-1)

    assert gradient(norm, np.zeros(shape)) == np.zeros(shape).tolist()
    if degree != 2.5:  # whose curvature is infinite at 0
        assert np.all(np.array(curvature(norm, np.zeros(shape))) == 0)


def test_a_norm_at_the_origin_in_one_row_leaves_the_others_right():
    rows = gradient(lambda x: np.linalg.norm(x, axis=1), [[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(rows, [[0.0, 0.0], [0.6, 0.8]], rtol=1e-15)


def test_norms_where_one_number_is_zero():
    assert gradient(lambda x: np.linalg.norm(x, 1), [0.0, -2.0]) == [0.0, -1.0]
    np.testing.assert_allclose(gradient(lambda x: np.linalg.norm(x, 3), [0.0, -2.0]), [0.0, -1.0])
    assert gradient(lambda x: np.linalg.norm(x, INF), [2.0, -2.0]) == [0.5, -0.5]
    assert gradient(lambda x: np.linalg.norm(x, 0), [2.0, 0.0]) == [0.0, 0.0]


def test_norms_of_all_numbers_of_one_number_and_of_none():
    cube = RNG.normal(size=(2, 3, 2))
    check_grads(np.linalg.norm, cube, reference=np.linalg.norm)
    assert gradient(np.linalg.norm, -3.0) == -1.0
    assert gradient(np.linalg.norm, []) == []
    assert np.linalg.norm(Tensor(cube), keepdims=True).shape == (1, 1, 1)
    assert np.linalg.norm(Tensor(np.array([100, 100], np.int8))).item() == np.hypot(100, 100)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: np.linalg.norm(x, 2), TypeError, "singular values.*'fro', 1"),
        (lambda x: np.linalg.norm(x, "nuc"), TypeError, "singular values"),
        (lambda x: np.linalg.norm(x[0], "fro"), ValueError, "a norm of matrices, along two axes"),
        (
            lambda x: np.linalg.norm(x[None], 1),
            ValueError,
            "one axis or two, but got 3: pass axis=",
        ),
        (lambda x: np.linalg.norm(x, axis=2), ValueError, "axis 2 is out of bounds"),
        (lambda x: np.linalg.norm(x, axis=(0, 0)), ValueError, "repeated axis"),
    ],
)
def test_norms_that_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(Tensor(np.eye(2)))


def test_the_length_of_a_vector_of_zeros_and_of_large_numbers():
    assert gradient(np.hypot, 0.0, 0.0) == [0.0, 0.0]
    assert grad(grad(np.hypot))(0.0, 0.0) == 0.0
    np.testing.assert_allclose(gradient(np.hypot, 3e200, 4e200), [0.6, 0.8])


# Products and linear algebra.


def test_einsum_as_numpy_over_all_kinds_of_subscripts():
    a, b, c = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=(3, 2))
    stacks = RNG.normal(size=(4, 1, 2, 3)), RNG.normal(size=(5, 3, 2))
    for subscripts, *arrays in [
        ("ij,jk,kl", a, b, c), ("ij,jk,kl->li", a, b, c), ("ij,kj->", a, b), ("ii->i", b),
        ("ii", b), ("ij->", a), ("ji", a), ("ij", a), ("i,i,i->i", b[0], b[1], b[2]),
        ("ij,ik,il->jkl", b, b, b), (" i j , j -> i ", a, b[0]), ("ij,ij,ij->j", b, b, b),
        ("...ij,...jk->...ik", *stacks), ("...ij,...jk", *stacks), ("...ij,...jk->k...i", *stacks),
        ("...,...", a, b[0]), ("i...,j...->...ij", a, b), ("...ii->...", np.stack([b, b + 1])),
        ("aB,Bc->ca", a, b), ("ab,cd->", a, b), ("b,b...->...", b[0], b),
    ]:  # fmt: skip
        check_grads(
            lambda *t, s=subscripts: np.einsum(s, *t),
            *arrays,
            reference=lambda *t, s=subscripts: np.einsum(s, *t),
        )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: np.einsum("ij,jk", a, a), ValueError, "label 'j' for operand 1"),
        (lambda a: np.einsum("ij->k", a), ValueError, "k did not appear in the input"),
        (lambda a: np.einsum("ij->ii", a), ValueError, "i appeared more than once in the output"),
        (lambda a: np.einsum("i", a), ValueError, "number of indices for operand 0"),
        (lambda a: np.einsum("ij,jk", a), ValueError, "equal to the number of operands"),
        (lambda a: np.einsum("ii", a[:, :1]), ValueError, "axes of one letter have one length"),
        (lambda a: np.einsum("ij,jk", a[:, :1], a), ValueError, "have one length.* 1 and 2"),
        (lambda a: np.einsum("...i->i", a), ValueError, r'output needs "\.\.\.", too'),
        (lambda a: np.einsum(a, [0, 1]), TypeError, "told by letters: np.einsum"),
        (lambda a: np.tensordot(a, a, 1), ValueError, r"axes \(1,\) of .*meet axes \(0,\) of"),
        (lambda a: np.tensordot(a, a, ((0, 1), (1, 0))), ValueError, "have one length"),
        (
            lambda a: np.tensordot(a, a, ((0, 1), (1,))),
            ValueError,
            r"\(0, 1\) of.* meet axes \(1,\)",
        ),
        (lambda a: np.tensordot(a, a, 3), ValueError, "axis -3 is out of bounds"),
        (lambda a: np.cross(a[0, :2], a[1, :2]), ValueError, r"a\[\.\.\., 0\] \* b\[\.\.\., 1\]"),
        (lambda a: np.dot(a[None], a), ValueError, r"meet axes \(0,\) of shape \(2, 3\)"),
        (
            lambda a: np.vdot(a, a[0]),
            ValueError,
            "left has length 6, but a column on the right",
        ),
        (lambda a: np.linalg.inv(a), ValueError, "square"),
        (lambda a: np.linalg.det(a), ValueError, "square"),
        (lambda a: np.linalg.det(a[0]), ValueError, "two-dimensional"),
        (lambda a: np.linalg.inv(a[:, :2] * 0), ValueError, "Singular matrix"),
    ],
)
def test_products_that_do_not_fit_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True))


def test_what_to_write_for_a_cross_product_in_the_plane():
    a, b = RNG.normal(size=(2, 4, 3))
    a[..., 2] = b[..., 2] = 0
    found = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    np.testing.assert_array_equal(found, np.cross(a, b)[..., 2])


def test_a_long_product_by_einsum_takes_no_more_memory_than_its_matrices():
    a = Tensor(np.ones((300, 300)), requires_grad=True)
    y = np.einsum("ij,jk,kl->il", a, a, a)
    assert max(node.size for node in [y, *y.args]) == 300 * 300
    y.sum().backward()
    assert np.all(a.grad == 3 * 300**2)


@pytest.mark.parametrize(
    "singular",
    [[[0.0]], [[4.0, 6.0], [6.0, 9.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]],
)
def test_a_small_determinant_has_its_derivatives_where_it_is_zero(singular):
    check_grads(np.linalg.det, singular, order=3)
    check_grads(np.linalg.det, np.zeros((2, *np.shape(singular))), order=3)


def test_a_determinant_of_four_rows_has_no_derivative_where_it_is_zero():
    for f in np.linalg.det, lambda x: np.linalg.slogdet(x)[1]:
        x = Tensor(np.diag([1.0, 2.0, 3.0, 0.0]), requires_grad=True)
        y = f(x)
        assert y.item() in (0, -INF)
        with pytest.raises(np.linalg.LinAlgError, match="no derivative here at a singular matrix"):
            y.backward()


def test_a_determinant_that_is_no_number_has_a_logarithm():
    x = 1e-30 * np.diag(np.arange(1.0, 21.0))
    sign, log = np.linalg.slogdet(Tensor(x, requires_grad=True))
    assert sign == 1.0
    np.testing.assert_allclose(log.item(), np.linalg.slogdet(x).logabsdet)
    slopes = gradient(lambda x: np.linalg.slogdet(x).logabsdet, x)
    np.testing.assert_allclose(slopes, np.linalg.inv(x), rtol=1e-12)


# Elementwise.


def test_the_logarithm_of_a_sum_of_exponentials_far_out():
    assert gradient(np.logaddexp, 1000.0, -1000.0) == [1.0, 0.0]
    assert gradient(np.logaddexp, -INF, 0.0) == [0.0, 1.0]
    for f in np.logaddexp, np.logaddexp2:
        for number in -INF, INF, 0.0:  # equal numbers share the gradient
            assert gradient(f, number, number) == [0.5, 0.5]
    check_grads(np.logaddexp, 0.5, 0.5, order=3)


def test_angles_at_the_origin_have_no_slope_and_far_out_they_have():
    with pytest.warns(RuntimeWarning):
        assert np.isnan(gradient(np.arctan2, 0.0, 0.0)).all()
    np.testing.assert_allclose(gradient(np.arctan2, 1e200, 1e200), [5e-201, -5e-201])
    assert gradient(np.arctan2, 0.0, -1.0) == [-1.0, 0.0]


def test_roots_at_zero_are_steep():
    for f in np.cbrt, np.sqrt:
        with pytest.warns(RuntimeWarning, match="divide by zero"):
            assert gradient(f, 0.0) == INF
    assert gradient(np.cbrt, -8.0) == 1 / 12


def test_steps_have_slope_zero_on_and_off_the_step():
    for f in np.floor, np.ceil, np.trunc, np.rint, np.round, np.around:
        assert gradient(f, [-1.0, -0.5, 0.0, 0.3, 2.0]) == [0.0] * 5
    assert gradient(np.floor_divide, [4.0, 5.0], 2.0) == [[0.0, 0.0], 0.0]


def test_remainders_at_their_jumps_have_the_slope_of_both_sides():
    assert gradient(np.mod, [2.0, -2.0, 2.5], [2.0, 2.0, 2.0]) == [[1, 1, 1], [-1, 1, -1]]
    assert gradient(np.fmod, [2.0, -2.5, 2.5], [2.0, 2.0, 2.0]) == [[1, 1, 1], [-1, 1, -1]]
    assert gradient(np.mod, 1.0, 0.1) == [1.0, -9.0]  # ten times 0.1 is more than 1 in floats


def test_the_sign_of_another_number():
    assert gradient(np.copysign, [-2.0, 3.0, 0.0], [1.0, -0.0, 1.0]) == [[-1, -1, 0], [0, 0, 0]]


def test_a_nan_loses_against_a_number_and_ties_share():
    a, b = [NAN, 1.0, NAN, 2.0], [1.0, NAN, NAN, 2.0]
    for f in np.fmax, np.fmin:
        first, second = gradient(f, a, b)
        assert (first[:2], second[:2]) == ([0.0, 1.0], [1.0, 0.0])
        assert first[3] == second[3] == 0.5


def test_what_is_no_number_is_replaced_and_gets_no_gradient():
    assert gradient(np.nan_to_num, [NAN, INF, -INF, 1.0]) == [0.0, 0.0, 0.0, 1.0]
    for dtype in np.float16, np.float32, np.float64:
        x = np.array([NAN, INF, -INF, 1.0], dtype)
        y = np.nan_to_num(Tensor(x), nan=2.0, neginf=-3.0)
        np.testing.assert_array_equal(y.numpy(), np.nan_to_num(x, nan=2.0, neginf=-3.0))


def test_sinc_is_right_at_zero_and_beside_it():
    x = np.array([0.0, 1e-9, 1e-5, 0.1591, 0.1592, -1.0])
    np.testing.assert_allclose(np.sinc(Tensor(x)).numpy(), np.sinc(x), rtol=1e-15, atol=1e-16)
    slopes = gradient(np.sinc, x)
    np.testing.assert_allclose(slopes[:3], -(np.pi**2) / 3 * x[:3], rtol=1e-9)
    np.testing.assert_allclose(np.diag(curvature(np.sinc, x[:2])), -(np.pi**2) / 3)
    check_grads(np.sinc, x, order=3)


def test_logarithms_to_base_two_and_ten_are_exact_as_numpys():
    assert np.log10(Tensor(1000.0)).item() == 3.0
    assert np.log2(Tensor(2.0**29)).item() == 29.0


def test_a_polynomial_whose_coefficients_are_learned():
    c, x = Tensor([1.0, 2.0, 3.0], requires_grad=True), Tensor([2.0, 3.0], requires_grad=True)
    np.polyval(c, x).sum().backward()
    assert c.grad.tolist() == [13.0, 5.0, 2.0]
    assert x.grad.tolist() == [6.0, 8.0]
    slopes = gradient(lambda a, b: np.polyval([a, b, 0.0], Tensor([2.0, 3.0])), 1.0, 2.0)
    assert slopes == [13.0, 5.0]


# How NumPy's functions are called.


def test_parameters_stand_where_they_do_in_numpy():
    x = np.array([[1.0, 2.0, 4.0], [3.0, 1.0, 5.0]])
    t = Tensor(x)
    for call in (
        lambda x: np.std(x, 0, None, None, 1, True),
        lambda x: np.var(x, ddof=1, axis=-1),
        lambda x: np.median(x, 1, None, False, True),
        lambda x: np.median(a=x, axis=(0, 1), out=None),
        lambda x: np.quantile(x, 0.3, 1, None, False, "linear", True),
        lambda x: np.prod(x, 1, None, None, True),
        lambda x: np.average(x, 1, [1, 2, 3], False),
        lambda x: np.nan_to_num(x, True, 1.0, 2.0),
        lambda x: np.clip(x, 2, 3, None),
        *([lambda x: np.clip(x, max=3)] if hasattr(np, "unstack") else []),  # not in NumPy 2.0
        lambda x: np.trace(x, 1, 1, 0),
        lambda x: np.round(x / 3, 1),
        lambda x: np.einsum("ij->j", x, optimize=True),
        lambda x: np.cross(x, x[::-1], -1, -1, -1),
        lambda x: np.linalg.norm(x, None, 1, True),
    ):
        np.testing.assert_allclose(call(t).numpy(), call(x), rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.std(x, out=np.zeros(())), "np.std of a Tensor does not take out="),
        (lambda x: np.std(x, 0, np.float32), "np.std of a Tensor does not take dtype="),
        (lambda x: np.var(x, where=[True, False]), "does not take where="),
        (lambda x: np.var(x, correction=1), "does not take correction="),
        (lambda x: np.prod(x, initial=2.0), "does not take initial="),
        (lambda x: np.amax(x, initial=2.0), "does not take initial="),
        (lambda x: np.nansum(x, dtype=float), "does not take dtype="),
        (lambda x: np.quantile(x, 0.5, method="lower"), "does not take method="),
        (lambda x: np.average(x, returned=True), "does not take returned="),
        (lambda x: np.nan_to_num(x, copy=False), "does not take copy="),
        (lambda x: np.trace(x[None], dtype=float), "does not take dtype="),
        (lambda x: np.cross(x, x, axisa=0), "does not take axisa="),
        (lambda x: np.einsum("i", x, out=np.zeros(2)), "does not take out="),
        (lambda x: np.hypot(x, x, out=np.zeros(2)), "does not take out="),
    ],
)
def test_parameters_that_have_no_meaning_here_are_refused_by_name(call, name):
    with pytest.raises(TypeError, match=name):
        call(Tensor([1.0, 2.0]))


def test_arrays_and_lists_stand_beside_tensors():
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True, dtype=np.float32)
    for y in (
        *(np.hypot(x, [1, 2, 3]), np.hypot([1, 2, 3], x), np.arctan2(2.0, x), np.mod(x, 2)),
        *(np.dot([1, 2, 3], x), np.inner(x, [1, 2, 3]), np.outer([1, 2], x), np.vdot([1, 2, 3], x)),
        *(np.cross([0, 0, 1], x), np.kron([1, 2], x), np.fmax(x, 2), np.logaddexp(0, x)),
        *(np.tensordot([1, 2, 3], x, 1), np.einsum("i,i->", [1, 2, 3], x), np.polyval([1, 2], x)),
        *(np.average(x, weights=[1, 2, 1]), np.copysign(x, -1), np.float_power(2, x)),
        np.average([1, 2, 3], weights=x),
    ):
        assert isinstance(y, Tensor)
        assert y.requires_grad
        y.sum().backward()


def test_mixed_derivatives_of_powers_where_the_exponent_is_0():
    mixed = hessian(lambda a, b: a**b, (0, 1))(2.0, 0.0)
    np.testing.assert_allclose(mixed, [[0.0, 0.5], [0.5, np.log(2.0) ** 2]], atol=1e-15)
    check_grads(np.power, [2.0, 3.0, 0.5], [0.0, 1.0, 0.0], order=3)


def test_small_integers_do_not_overflow():
    assert np.nanmin(Tensor(np.array([0, 5, 3], np.uint8))).item() == 0
    assert np.nanmax(Tensor(np.array([-128, 100], np.int8))).item() == 100
    assert np.gradient(Tensor(np.array([0, 5, 3], np.uint8))).data.tolist() == [5.0, 1.5, -2.0]


def test_quantiles_beside_infinities():
    assert np.quantile(Tensor([np.inf, 1.0, np.inf, 2.0]), [0.0, 1.0]).data.tolist() == [
        1.0,
        np.inf,
    ]
    assert np.quantile(Tensor([-np.inf, -np.inf]), [0.0, 1.0]).data.tolist() == [-np.inf, -np.inf]
