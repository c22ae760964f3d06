"""Every derivative in the table is held against finite differences, to second order."""

import gc
import itertools
import warnings
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows_arrangement import SPELLED
from strategies import OPERATIONS, indices

from tinygrad_edu import Tensor, kernels, numpy_api, ops, primitive
from tinygrad_edu.testing import check_grads
from tinygrad_edu.testing.strategies import arrays, shapes

RNG = np.random.default_rng(0)


# Functions that keep float32, and NumPy's do not: integers promote nothing; np.interp is float64.
KEPT = {np.heaviside, np.interp}
COMPOSED = [op for op in OPERATIONS if op in numpy_api.compositions]
LINEAR_ALGEBRA = [
    *(np.linalg.solve, np.linalg.inv, np.linalg.det, np.linalg.slogdet),
    ops.logabsdet,
]


@pytest.mark.parametrize("op", [op for op in OPERATIONS if op not in COMPOSED], ids=ops.name)
@given(data=st.data())
def test_derivatives(op, data):
    prove(op, *data.draw(OPERATIONS[op]))


@pytest.mark.parametrize("op", COMPOSED, ids=ops.name)
@settings(max_examples=settings.default.max_examples // 3)  # the rules in them are proven above
@given(data=st.data())
def test_derivatives_of_compositions(op, data):
    prove(op, *data.draw(OPERATIONS[op]))


def prove(op, args, parameters):
    check_grads(f := called(op, parameters), *args, reference=f)


def called(op, parameters):
    """The operation as a function of its arrays; of the two numbers of slogdet, the logarithm."""

    def f(*args):
        result = SPELLED.get(op, op)(*args, **parameters)
        return result.logabsdet if op is np.linalg.slogdet else result

    return f


def test_every_operation_has_a_row():
    assert OPERATIONS.keys() == ops.derivatives.keys() | numpy_api.compositions.keys()


@given(data=st.data(), x=arrays(shapes(min_dims=1)))
def test_derivatives_of_square_brackets(data, x):
    index = data.draw(indices(x.shape))
    check_grads(lambda t: t[index], x, reference=lambda x: x[index])


# Named examples: the conventions at kinks, the borders of domains, and what sampling could miss.


def gradient(f, *values):
    tensors = [Tensor(value, requires_grad=True) for value in values]
    f(*tensors).sum().backward()
    gradients = [tensor.grad.tolist() for tensor in tensors]
    return gradients if len(values) > 1 else gradients[0]


def test_ties_share_the_gradient_evenly():
    assert gradient(np.max, [2.0, 1.0, 2.0]) == [0.5, 0.0, 0.5]
    assert gradient(np.min, [1.0, 1.0, 2.0]) == [0.5, 0.5, 0.0]
    assert gradient(np.maximum, [1.0, 3.0], [1.0, 0.0]) == [[0.5, 1.0], [0.5, 0.0]]
    assert gradient(np.minimum, [1.0, 3.0], [1.0, 0.0]) == [[0.5, 0.0], [0.5, 1.0]]
    assert gradient(lambda x: np.max(x, axis=1), [[1.0, 1.0], [0.0, 3.0]]) == [[0.5, 0.5], [0, 1.0]]


def test_kinks_and_steps_have_slope_zero():
    assert gradient(np.abs, [-2.0, 0.0, 2.0]) == [-1.0, 0.0, 1.0]
    assert gradient(np.sign, [-2.0, 0.0]) == [0.0, 0.0]
    assert gradient(lambda x: np.heaviside(x, 1.0), [-1.0, 0.0, 1.0]) == [0.0, 0.0, 0.0]
    assert gradient(lambda h: np.heaviside(np.array([-1.0, 0.0]), h), 0.5) == 1.0


def test_powers_at_zero_and_of_negative_bases():
    assert gradient(lambda x: x**2, [0.0, -3.0]) == [0.0, -6.0]
    assert gradient(lambda x: x**0, [0.0, 2.0]) == [0.0, 0.0]
    assert gradient(lambda x: x**1, [0.0]) == [1.0]
    assert gradient(lambda x: x**0.0, [0.0, -2.0]) == [0.0, 0.0]
    assert gradient(lambda x: x**3, [-2.0]) == [12.0]
    assert gradient(lambda x: x**-1, [-2.0]) == [-0.25]
    assert gradient(lambda x: x ** np.array([0.0, 1.0, 2.0]), [0.0, 0.0, 0.0]) == [0.0, 1.0, 0.0]
    assert gradient(lambda b: 0.0**b, [1.0, 2.0]) == [0.0, 0.0]
    check_grads(lambda x: x**3, [-2.0, -0.5, 1.5])
    check_grads(lambda x: x**-2, [-2.0, -0.5, 1.5])


def test_scalar_on_the_left_differentiates_the_right_operand():
    check_grads(lambda x: 2**x, [0.5, 1.5], reference=lambda x: 2**x)
    check_grads(lambda x: 2 / x, [0.5, -1.5], reference=lambda x: 2 / x)
    check_grads(lambda x: 2 - x, [0.5, -1.5], reference=lambda x: 2 - x)
    check_grads(lambda x: np.maximum(0, x), [0.5, -1.5], reference=lambda x: np.maximum(0, x))


def test_repeated_index_counts_as_often_as_it_is_taken():
    assert gradient(lambda x: x[[0, 0, 2]], [1.0, 2.0, 3.0]) == [2.0, 0.0, 1.0]
    assert gradient(lambda x: x[[[0, 1], [0, 0]]], [1.0, 2.0]) == [3.0, 1.0]


@pytest.mark.parametrize("reduce", [np.sum, np.mean, np.max, np.min], ids=ops.name)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_over_all_axes_of_a_cube(reduce, keepdims):
    """A cube, because an error that mixes axes of one length does not show in the shape."""
    cube = RNG.permutation(27).reshape(3, 3, 3) / 10.0
    signed = [axes for n in range(4) for axes in itertools.permutations(range(-3, 3), n)]
    for axes in [None, *range(-3, 3), *signed]:
        if isinstance(axes, tuple) and len({axis % 3 for axis in axes}) < len(axes):
            continue

        def f(x, axes=axes):
            return reduce(x, axis=axes, keepdims=keepdims)

        check_grads(f, cube, order=1, reference=f)


def test_transpose_by_all_permutations_of_a_cube():
    cube = RNG.permutation(27).reshape(3, 3, 3) / 10.0
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product([0, 3], repeat=3):
            signed = tuple(axis - sign for axis, sign in zip(axes, signs, strict=True))
            check_grads(
                lambda x, a=signed: x.transpose(a),
                cube,
                reference=lambda x, a=signed: x.transpose(a),
            )
    for pair in itertools.product(range(-3, 3), repeat=2):
        check_grads(
            lambda x, p=pair: x.swapaxes(*p), cube, reference=lambda x, p=pair: x.swapaxes(*p)
        )


@pytest.mark.parametrize("left", [(3,), (3, 3), (2, 3, 3), (1, 3, 3), (4, 1, 3, 3)], ids=str)
@pytest.mark.parametrize("right", [(3,), (3, 3), (2, 3, 3), (1, 3, 3), (4, 2, 3, 3)], ids=str)
def test_matmul_of_square_matrices(left, right):
    a, b = RNG.normal(size=left), RNG.normal(size=right)
    check_grads(lambda a, b: a @ b, a, b, reference=np.matmul)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)], ids=str)
def test_arrays_without_elements(shape):
    for f in [np.exp, np.sum, np.transpose, np.cumsum, lambda x: x.reshape(-1), lambda x: x[...]]:
        x = Tensor(np.zeros(shape), requires_grad=True)
        f(x).sum().backward()
        assert x.grad.shape == shape
    product = Tensor(np.zeros((0, 3)), requires_grad=True) @ np.ones((3, 2))
    assert product.shape == (0, 2)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("op", OPERATIONS, ids=ops.name)
@settings(max_examples=10)
@given(data=st.data())
def test_dtype_and_shape_are_numpys(op, dtype, data):
    args, parameters = data.draw(OPERATIONS[op])
    args = [a.astype(dtype) if getattr(a, "dtype", None) == np.float64 else a for a in args]
    tensors = [Tensor(a, True) if getattr(a, "dtype", None) == dtype else a for a in args]
    f = called(op, parameters)
    if dtype == np.float16 and op in LINEAR_ALGEBRA:
        with pytest.raises(TypeError, match="float16 is unsupported"):
            f(*args)
        if op is not np.linalg.det:  # which is written out here if it is small
            with pytest.raises(TypeError, match="float16 is unsupported"):
                f(*tensors)
        return
    expected, y = f(*args), f(*tensors)
    assert y.dtype == (dtype if op in KEPT else expected.dtype)
    assert y.shape == np.shape(expected)
    y.sum().backward()
    for tensor in tensors:
        if isinstance(tensor, Tensor):
            assert tensor.grad.dtype == dtype
            assert tensor.grad.shape == tensor.shape


@pytest.mark.parametrize("op", [np.add, np.multiply, np.divide, np.power, np.maximum], ids=ops.name)
@pytest.mark.parametrize(
    "other",
    [2, 2.0, True, np.float64(2), np.int64(2), [2, 2], [2.0, 2.0], np.array([2, 2])],
    ids=repr,
)
def test_numbers_and_lists_do_not_promote(op, other):
    x = Tensor([1.0, 3.0], requires_grad=True, dtype=np.float32)
    for y in op(x, other), op(other, x):
        assert y.dtype == np.float32
        y.sum().backward()
    assert x.grad.dtype == np.float32


def test_arrays_of_wider_floats_promote_as_in_numpy():
    x = Tensor([1.0, 3.0], requires_grad=True, dtype=np.float32)
    y = x * np.array([1.0, 2.0])
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad.dtype == np.float32


def test_sigmoid_and_softplus_are_stable():
    x = np.array([-1e4, -750.0, -40.0, 0.0, 40.0, 1e4])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.all(np.isfinite(gradient(ops.sigmoid, x)))
        assert np.all(np.isfinite(gradient(ops.softplus, x)))
    np.testing.assert_allclose(ops.sigmoid(-40.0), np.exp(-40.0), rtol=1e-15)
    np.testing.assert_allclose(ops.softplus(-40.0), np.exp(-40.0), rtol=1e-15)
    np.testing.assert_allclose(gradient(ops.softplus, [-40.0]), np.exp(-40.0), rtol=1e-15)
    assert ops.softplus(1e4) == 1e4


def test_softplus_has_its_curvature_at_zero():
    check_grads(ops.softplus, [0.0, 0.0])


def test_primitive_on_arrays_on_tensors_and_twice_differentiated():
    cube = primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)
    assert cube(np.array([2.0])).tolist() == [8.0]
    check_grads(cube, [1.0, -2.0], reference=lambda x: x**3)


def test_primitives_made_in_a_loop_are_freed():
    dropped = []
    for _ in range(3):
        cube = primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)
        check_grads(cube, 2.0)
        dropped.append(weakref.ref(cube))
    del cube
    gc.collect()
    assert [ref() for ref in dropped] == [None] * 3


def test_primitive_takes_parameters_by_position_and_by_name():
    scale = primitive(lambda x, factor=2.0: x * factor, lambda g, y, x, factor=2.0: g * factor)
    for f in [scale, lambda x: scale(x, 3.0), lambda x: scale(x, factor=3.0), lambda x: scale(x=x)]:
        check_grads(f, [1.0, 2.0])


def test_primitive_refuses_what_cannot_be_an_operation():
    for wrong in [(np.exp,), (3, lambda g, y, x: g), (np.exp, 3)]:
        with pytest.raises(TypeError, match="one derivative rule per array argument"):
            primitive(*wrong)


def test_argument_without_rule_cannot_require_a_gradient():
    pick = primitive(lambda x, by: x * by, lambda g, y, x, by: g * by, None)
    x, by = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    with pytest.raises(TypeError, match="no derivative rule for argument 1"):
        pick(x, by)
    pick(x, by.detach()).backward()
    assert x.grad.tolist() == [2.0]


def test_rule_of_the_wrong_shape_is_refused():
    double = primitive(lambda x: 2 * x, lambda g, y, x: np.ones(3))
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"shape \(3,\) for an argument of shape \(2,\)"):
        double(x).sum().backward()
    assert x.grad is None


def test_primitive_of_integers_is_refused_where_a_gradient_is_wanted():
    rounded = primitive(lambda x: np.rint(x).astype(int), lambda g, y, x: g)
    with pytest.raises(TypeError, match=r"gave dtype int64.*y\.astype\(x\.dtype\)"):
        rounded(Tensor(2.3, requires_grad=True))
    assert rounded(Tensor(2.3)).item() == 2


def test_error_of_a_users_operation_is_the_users():
    class StrangeError(ValueError):
        def __init__(self, what, why):
            super().__init__(what, why)

    def fail(x):
        raise StrangeError(x, "because")

    with pytest.raises(StrangeError, match="because"):
        primitive(fail, lambda g, y, x: g)(Tensor(1.0))


def test_parameters_of_a_primitive_get_no_gradient():
    scale = primitive(lambda x, by=1.0: x * by, lambda g, y, x, by=1.0: g * by)
    x = Tensor(2.0, requires_grad=True)
    scale(x, by=Tensor(3.0)).backward()
    assert x.grad == 3.0
    with pytest.raises(TypeError, match="the parameter by, which requires a gradient"):
        scale(x, by=Tensor(3.0, requires_grad=True))


def test_too_few_arrays_are_refused():
    with pytest.raises(TypeError, match="rules for 3 arrays, but was called with 2"):
        np.where(Tensor([0.0, 1.0]), 1.0)


def test_rule_that_returns_nothing_is_refused():
    silent = primitive(lambda x: 2 * x, lambda g, y, x: None)
    with pytest.raises(TypeError, match="has no return"):
        silent(Tensor([1.0], requires_grad=True)).sum().backward()


def test_parameter_none_is_passed_on():
    running = primitive(
        lambda x, axis=-1: np.cumsum(x, axis), lambda g, y, x, axis=-1: np.reshape(g, x.shape)
    )
    assert running(Tensor(np.ones((2, 2))), axis=None).shape == (4,)


def test_nan_is_the_largest_and_gets_the_gradient():
    nan = np.nan
    assert gradient(np.max, [1.0, nan, 2.0])[1] == 1.0
    assert gradient(np.maximum, [nan, 1.0], [1.0, nan])[0][0] == 1.0


def test_many_ties_in_float16():
    x = Tensor(np.zeros(70_000), requires_grad=True, dtype=np.float16)
    x.max().backward()
    assert (x.grad > 0).all()


@pytest.mark.parametrize("axis", [0, -1, (), None])
@pytest.mark.parametrize("op", [np.sum, np.max, np.min], ids=ops.name)
def test_a_single_number_is_reduced_along_an_axis_as_numpy_does_it(op, axis):
    x = Tensor(2.0, requires_grad=True)
    assert op(x, axis=axis).item() == op(np.array(2.0), axis=axis)
    op(x, axis=axis).backward()
    assert x.grad == 1.0


@pytest.mark.parametrize("axes", [0, -1, (0,), [0], [-1], None])
def test_axes_that_forward_takes_backward_takes(axes):
    x = Tensor([1.0, 2.0], requires_grad=True)
    (np.transpose(x, axes) * [3.0, 4.0]).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 4.0])
    x.zero_grad()
    (x.transpose(axes) * [3.0, 4.0]).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 4.0])


def test_parameters_are_kept_as_they_were():
    x, axes = Tensor(np.ones((2, 2, 2)), requires_grad=True), [0, 2, 1]
    weights = np.arange(8.0).reshape(2, 2, 2)
    for transposed in (np.transpose(x, axes), x.transpose(axes)):
        axes[:] = [0, 1, 2]
        x.zero_grad()
        (transposed * weights).sum().backward()
        np.testing.assert_array_equal(x.grad, weights.transpose(0, 2, 1))
        axes[:] = [0, 2, 1]
    scale = primitive(lambda x, k: x * k, lambda g, y, x, k: g * k)
    for k in np.array([2.0, 3.0]), Tensor([2.0, 3.0]):
        w = Tensor([1.0, 1.0], requires_grad=True)
        y = scale(w, k=k)
        (k.data if isinstance(k, Tensor) else k)[...] = 0.0
        y.sum().backward()
        np.testing.assert_array_equal(w.grad, [2.0, 3.0])


def test_casting_is_differentiated_in_both_dtypes():
    x = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    y = ops.cast(x, dtype=np.float64)
    assert y.dtype == np.float64
    (y * y).sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


@pytest.mark.parametrize("log1p_is_fast", [True, False])
@pytest.mark.parametrize(
    ("dtype", "units"), [(np.float16, 1), (np.float32, 6), (np.float64, 6)], ids=str
)
def test_softplus_and_sigmoid_are_accurate_on_every_processor(
    dtype, units, log1p_is_fast, monkeypatch
):
    """To some units in the last place, where a result is no subnormal number."""
    monkeypatch.setattr(kernels, "LOG1P_IS_FAST", log1p_is_fast)
    lowest = -np.log(np.finfo(dtype).max) + 1
    random = np.random.default_rng(0).uniform(lowest, -lowest, kernels.BLOCK + 1)
    x = np.concatenate([random, np.linspace(-4, 4, 1001)]).astype(dtype)
    exact = x.astype(np.longdouble)
    power = np.exp(-np.abs(exact))
    for found, expected in (
        (kernels.softplus(x), np.maximum(exact, 0) + np.log1p(power)),
        (kernels.sigmoid(x), np.where(exact < 0, power, 1) / (1 + power)),
    ):
        assert found.dtype == dtype
        unit = np.spacing(np.abs(expected).astype(dtype)).astype(np.longdouble)
        assert np.max(np.abs(found - expected) / unit) < units
    for special, result in ((-np.inf, 0), (np.inf, np.inf), (np.nan, np.nan)):
        np.testing.assert_array_equal(kernels.softplus(np.full(3, special, dtype)), result)


@pytest.mark.parametrize("count", [0, 1, kernels.BLOCK - 1, kernels.BLOCK, kernels.BLOCK + 1])
@pytest.mark.parametrize("function", [kernels.sigmoid, kernels.softplus])
def test_blocks_leave_nothing_out(function, count):
    x = np.linspace(-5, 5, 2 * count)[::2]
    np.testing.assert_array_equal(function(x), [function(number) for number in x])
    columns = np.asfortranarray(np.linspace(-5, 5, 2 * count).reshape(2, count))
    np.testing.assert_array_equal(function(columns), [function(row) for row in columns])


# Operations of one's own, whose forward function and rules may be wrong.


def relu_like(rule):
    return primitive(lambda x: np.maximum(x, 0), rule)


def writes_to_g(g, y, x):  # noqa: ARG001
    g[x < 0] = 0
    return g


@pytest.mark.parametrize(
    "rule",
    [
        writes_to_g,
        lambda g, y, x: np.multiply(y, g, out=y),
        lambda g, y, x: np.multiply(x, g, out=x),
        lambda g, y, x: g.__imul__(2),
    ],
)
def test_a_rule_cannot_change_the_arrays_it_is_given(rule):
    x = Tensor([-1.0, 1.0], requires_grad=True)
    y = ((relu_like(rule)(x) + x) * [3.0, 5.0]).sum()
    with pytest.raises(ValueError, match="read-only"):
        y.backward()
    assert x.data.tolist() == [-1.0, 1.0]
    assert x.grad is None


def test_a_forward_function_cannot_change_the_arrays_it_is_given():
    x = Tensor([-1.0, 1.0], requires_grad=True)
    for forward in (lambda x: np.maximum(x, 0, out=x), lambda x: x.__imul__(2)):
        with pytest.raises(ValueError, match="read-only"):
            primitive(forward, lambda g, y, x: g)(x)
    assert x.data.tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        (lambda g, y, x: np.ones((5, 2)), ValueError, r"returned shape \(5, 2\).*shape \(2,\)"),
        (lambda g, y, x: np.ones(1), ValueError, r"returned shape \(1,\)"),
        (lambda g, y, x: g * 1j, TypeError, "returned dtype complex128"),
        (lambda g, y, x: np.array(["a", "b"]), TypeError, "returned dtype <U1"),
        (lambda g, y, x: None, TypeError, "returned None: it has no return"),
    ],
)
def test_a_rule_returns_a_gradient_or_is_refused(rule, error, message):
    x = Tensor([-1.0, 1.0], requires_grad=True)
    with pytest.raises(error, match=message):
        relu_like(rule)(x).sum().backward()
    assert x.grad is None


def test_integers_and_booleans_of_rules_are_numbers():
    x = Tensor([-1.0, 1.0], requires_grad=True)
    step = relu_like(lambda g, y, x: x > 0)
    (step(x) + step(x)).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 2.0])
    x.zero_grad()
    many = relu_like(lambda g, y, x: np.full(2, 100, np.int8))
    (many(x) + many(x)).sum().backward()
    np.testing.assert_array_equal(x.grad, [200.0, 200.0])


@pytest.mark.parametrize(
    ("forward", "message"),
    [(lambda x: None, "returned None: it has no return"), (lambda x: x * 1j, "complex128")],
)
def test_a_forward_function_returns_real_numbers_or_is_refused(forward, message):
    for x in Tensor([1.0], requires_grad=True), Tensor([1.0]), np.ones(1):
        with pytest.raises(TypeError, match=message):
            primitive(forward, lambda g, y, x: g)(x)


@pytest.mark.parametrize(
    ("rules", "instead"),
    [
        ((lambda x: x,), r"lambda g, y, x: \.\.\."),
        ((lambda g, y: g,), r"rule\(g, y, x\)"),
        ((lambda g, y, a, b: g, lambda g, y, a: g), r"lambda g, y, a, b: \.\.\."),
    ],
)
def test_a_rule_that_cannot_take_its_arrays_is_refused_at_once(rules, instead):
    with pytest.raises(TypeError, match=instead):
        primitive(lambda *arrays: arrays[0], *rules)


@pytest.mark.parametrize("base", [0.0, 5e-324, -5e-324, 1e-310, 2.0])
@pytest.mark.parametrize("zero", [0, 0.0, np.zeros(1)])
def test_a_power_of_0_is_flat_in_its_base(base, zero):
    x = Tensor([base], requires_grad=True)
    (x**zero).sum().backward()
    assert x.grad.tolist() == [0.0]


@pytest.mark.parametrize(("exponent", "slope"), [(2.0, 0.0), (0.0, 0.0), (-1.0, -np.inf)])
def test_a_power_of_base_0_by_its_exponent(exponent, slope):
    b = Tensor([exponent], requires_grad=True)
    with np.errstate(divide="ignore"):
        (0.0**b).sum().backward()
    assert b.grad.tolist() == [slope]
