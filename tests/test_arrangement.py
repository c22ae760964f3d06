"""NumPy functions that move numbers: ties, borders, dtypes, and what rows could miss."""

import inspect

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rows_arrangement import SPELLED
from strategies import OPERATIONS

from tinygrad_edu import Tensor, draw, grad, hessian, no_grad, ops, steps
from tinygrad_edu.testing import check_grads


def gradient(f, *values):
    """Of the results, weighted 1, 2, 3, ..., so that one in the wrong place shows."""
    tensors = [Tensor(value, requires_grad=True) for value in values]
    y = f(*tensors)
    (y.reshape(-1) * np.arange(1.0, y.size + 1)).sum().backward()
    gradients = [tensor.grad.tolist() for tensor in tensors]
    return gradients if len(values) > 1 else gradients[0]


# Ties and kinks.


def test_sorting_gives_each_number_its_own_gradient_and_ties_stay_in_order():
    assert gradient(np.sort, [3.0, 1.0, 3.0, 2.0]) == [3.0, 1.0, 4.0, 2.0]
    assert gradient(np.sort, [1.0, 1.0, 1.0]) == [1.0, 2.0, 3.0]
    many = np.tile([1.0, 0.0], 100)  # NumPy's default is stable only for few
    for sort in (np.sort, lambda t: np.sort(t, kind="mergesort")):
        assert gradient(sort, many)[1::2] == [*np.arange(1.0, 101.0)]
        assert gradient(sort, many)[::2] == [*np.arange(101.0, 201.0)]


def test_nan_is_sorted_to_the_end():
    t = Tensor([np.nan, 2.0, 1.0], requires_grad=True)
    np.testing.assert_array_equal(np.sort(t).data, [1.0, 2.0, np.nan])
    assert gradient(np.sort, [np.nan, 2.0, 1.0]) == [3.0, 2.0, 1.0]


def test_a_partition_is_sorted():
    t = Tensor([3.0, 1.0, 2.0, 0.0])
    assert np.partition(t, 1).data.tolist() == [0.0, 1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match=r"kth\(=4\) out of bounds"):
        np.partition(t, 4)


def test_interpolation_takes_the_slope_to_the_right_and_0_beyond():
    xp, fp = [0.0, 1.0, 3.0], [0.0, 2.0, -2.0]
    slope = grad(lambda x: np.interp(x, xp, fp))
    assert [slope(x) for x in (-1.0, 0.0, 0.5, 1.0, 3.0, 4.0)] == [0.0, 2.0, 2.0, -2.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="two points or more"):
        np.interp(Tensor(1.0), [0.0], [1.0])


def test_interpolated_values_have_their_gradients_beyond_the_ends_too():
    slopes = grad(lambda fp: np.interp([-1.0, 0.5, 9.0], [0.0, 1.0], fp).sum())
    assert slopes(np.array([3.0, 5.0])).tolist() == [1.5, 1.5]


def test_a_number_taken_twice_counts_twice():
    assert gradient(lambda t: np.repeat(t, [2, 0, 1]), [1.0, 2.0, 3.0]) == [3.0, 0.0, 3.0]
    assert gradient(lambda t: np.tile(t, 2), [1.0, 2.0]) == [4.0, 6.0]
    assert gradient(lambda t: np.pad(t, 1, "edge"), [1.0, 2.0]) == [3.0, 7.0]
    assert gradient(lambda t: np.take(t, [0, 0, -1]), [1.0, 2.0]) == [3.0, 3.0]
    assert gradient(lambda t: np.resize(t, 3), [1.0, 2.0]) == [4.0, 2.0]


def test_what_is_left_out_has_gradient_0():
    assert gradient(lambda t: np.delete(t, 1), [1.0, 2.0, 3.0]) == [1.0, 0.0, 2.0]
    assert gradient(np.triu, [[1.0, 2.0], [3.0, 4.0]]) == [[1.0, 2.0], [0.0, 4.0]]
    assert gradient(np.diag, [1.0, 2.0]) == [1.0, 4.0]
    assert gradient(lambda t: np.full_like(t, 3.0) * t, [5.0, 5.0]) == [3.0, 6.0]


def test_nan_where_nothing_is_taken_does_not_spread():
    nan = Tensor([[1.0, np.nan], [2.0, 3.0]], requires_grad=True)
    np.tril(nan).sum().backward()
    assert nan.grad.tolist() == [[1.0, 0.0], [1.0, 1.0]]
    assert np.tril(nan).data.tolist() == [[1.0, 0.0], [2.0, 3.0]]


def test_the_sign_of_zero_is_moved():
    for move in (lambda t: np.pad(t, 1), np.diag, np.sort, lambda t: np.roll(t, 1)):
        assert np.signbit(move(Tensor([-0.0])).data).any()


# The same as NumPy, of all kinds of shapes.

V, M, S = np.array([3.0, 1.0, 2.0, 1.0]), np.arange(6.0).reshape(2, 3), np.array(2.5)
EMPTY = np.zeros((0, 3))

CALLS = [
    lambda v, m, s: np.vstack([v, v, [1, 2, 3, 4]]),
    lambda v, m, s: np.vstack((s, s)),
    lambda v, m, s: np.hstack([v, s, [1.0, 2.0]]),
    lambda v, m, s: np.hstack([m, m]),
    lambda v, m, s: np.hstack([np.atleast_3d(m), 2 * np.atleast_3d(m)]),
    lambda v, m, s: np.dstack([v, v]),
    lambda v, m, s: np.column_stack([v, np.reshape(v, (4, 1))]),
    lambda v, m, s: np.concatenate([np.array([1, 2]), v]),
    lambda v, m, s: np.stack([s, s], axis=-1),
    lambda v, m, s: np.append(v, s),
    lambda v, m, s: np.append(m, [[1.0, 2.0, 3.0]], axis=0),
    lambda v, m, s: np.insert(v, 1, 9),
    lambda v, m, s: np.insert(m, [0, 2], s, axis=1),
    lambda v, m, s: np.insert([1.0, 2.0], 1, s),
    lambda v, m, s: np.delete(m, [0, 2], 1),
    lambda v, m, s: np.split(v, 2)[1],
    lambda v, m, s: np.array_split(v, 3)[2],
    lambda v, m, s: np.array_split(v, 6)[5],
    lambda v, m, s: np.hsplit(m, 3)[1],
    lambda v, m, s: np.vsplit(m, [1])[1],
    lambda v, m, s: np.dsplit(np.atleast_3d(m), 1)[0],
    lambda v, m, s: np.ravel(s),
    lambda v, m, s: np.atleast_1d(s),
    lambda v, m, s: np.atleast_3d(m),
    lambda v, m, s: np.atleast_2d(v, m)[0],
    lambda v, m, s: np.moveaxis(m, 0, -1),
    lambda v, m, s: np.broadcast_arrays(m, s)[1],
    lambda v, m, s: np.meshgrid(v, [1.0, 2.0])[0],
    lambda v, m, s: np.meshgrid(v, [1.0, 2.0], indexing="ij", sparse=True)[0],
    lambda v, m, s: np.roll(m, (1, 2), axis=(0, 1)),
    lambda v, m, s: np.rot90(m, -1),
    lambda v, m, s: np.tile(s, 3),
    lambda v, m, s: np.repeat(s, 3),
    lambda v, m, s: np.pad(m, ((0, 1), (2, 0)), constant_values=-1),
    lambda v, m, s: np.pad(v, 7, "reflect"),
    lambda v, m, s: np.where([True, False, True], m, s),
    lambda v, m, s: np.select([m > 3, m > 1], [m, 2 * m], default=-1),
    lambda v, m, s: np.take(m, 4),
    lambda v, m, s: np.take(s, 0),
    lambda v, m, s: np.take(m, [[0, 2]], axis=-1),
    lambda v, m, s: np.take_along_axis(m, np.argsort(-m, axis=1), axis=1),
    lambda v, m, s: np.take_along_axis(m, np.array([5, 0]), axis=None),
    lambda v, m, s: np.compress([False, True], m, axis=0),
    lambda v, m, s: np.extract(m > 2, m),
    lambda v, m, s: np.choose([0, 1, 1, 0], [v, 2 * v]),
    lambda v, m, s: np.choose([2, -1, 0, 1], [v, 2 * v], mode="wrap"),
    lambda v, m, s: np.sort(m, axis=None),
    lambda v, m, s: np.sort(m[:, ::-1], 0),
    lambda v, m, s: np.diag(v, -2),
    lambda v, m, s: np.diag(m, 1),
    lambda v, m, s: np.diagonal(m, -1),
    lambda v, m, s: np.triu(v),
    lambda v, m, s: np.diff(v, 2),
    lambda v, m, s: np.diff(v, n=9),
    lambda v, m, s: np.gradient(v, 0.5),
    lambda v, m, s: np.gradient(m)[1],
    lambda v, m, s: np.trapezoid(v, dx=0.5),
    lambda v, m, s: np.trapezoid(np.ones((2, 3, 4)) * v, [0.0, 1.0, 4.0], axis=1),
    lambda v, m, s: np.trapezoid(m, m * m, axis=0),
    lambda v, m, s: np.convolve(v, [1.0, 2.0, 0.5], "same"),
    lambda v, m, s: np.convolve([1.0, 2.0], v, "valid"),
    lambda v, m, s: np.correlate([1.0, 2.0], v, "same"),
    lambda v, m, s: np.correlate(v, [1.0, 2.0]),
    lambda v, m, s: np.interp(v, [0.0, 1.5, 4.0], [1.0, 2.0, 0.0]),
    lambda v, m, s: np.interp(s, [0.0, 1.0, 2.0, 3.0], v),
    lambda v, m, s: np.lib.stride_tricks.sliding_window_view(v, 2),
    *([lambda v, m, s: np.unstack(m, axis=1)[0]] if hasattr(np, "unstack") else []),
    lambda v, m, s: np.real(v),
    lambda v, m, s: np.conj(m),
    lambda v, m, s: np.copy(s),
]


def ids(call):
    return inspect.getsource(call).strip().removeprefix("lambda v, m, s: ").rstrip(",")


@pytest.mark.parametrize("call", CALLS, ids=ids)
def test_shape_dtype_and_value_are_numpys(call):
    for dtype in (np.float32, np.float64):
        arrays = [V.astype(dtype), M.astype(dtype), S.astype(dtype)]
        tensors = [Tensor(array, requires_grad=True) for array in arrays]
        y, expected = call(*tensors), call(*arrays)
        assert isinstance(y, Tensor)
        assert y.requires_grad
        assert y.shape == np.shape(expected)
        np.testing.assert_array_equal(y.data, expected)
        if expected.dtype == dtype:  # a list is float64 beside an array, and not beside a Tensor
            assert y.dtype == dtype


EMPTIES = [
    *(lambda t: np.roll(t, 1, 0), lambda t: np.repeat(t, 2), lambda t: np.tile(t, 2), np.flipud),
    *(np.sort, np.ravel, np.copy, lambda t: np.pad(t, 1), lambda t: np.split(t, [0], 1)[0]),
    *(np.diff, np.transpose, lambda t: np.vstack([t, t]), lambda t: np.hstack([t, t])),
    *(lambda t: np.delete(t, [], 0), lambda t: np.take(t, [], 0), lambda t: np.moveaxis(t, 0, 1)),
    *(np.triu, np.diagonal, lambda t: np.compress([], t, 0), lambda t: np.extract(t > 0, t)),
    *(lambda t: np.append(t, t), lambda t: np.stack([t, t]), lambda t: np.rot90(t)),
]


@pytest.mark.parametrize("call", EMPTIES)
def test_arrays_without_elements(call):
    t = Tensor(EMPTY, requires_grad=True)
    y, expected = call(t), call(EMPTY)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    y.sum().backward()
    assert t.grad.shape == EMPTY.shape


def test_wider_floats_promote_when_joined():
    narrow = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    wide = Tensor([3.0], requires_grad=True)
    for join in (np.hstack, np.concatenate, lambda parts: np.append(*parts)):
        y = join([narrow, wide])
        assert y.dtype == np.float64
        y.sum().backward()
        assert narrow.grad.dtype == np.float32
    assert np.insert(narrow, 0, wide).dtype == np.float32  # into an array of its dtype, as in NumPy


def test_each_function_that_takes_a_list_meets_the_protocol_wherever_the_tensor_stands():
    t, row = Tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0])
    joins = [np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack]
    calls = [
        *joins,
        lambda pair: np.append(*pair),
        lambda pair: np.insert(pair[0], 0, pair[1]),
        lambda pair: np.choose([0, 1], pair),
        lambda pair: np.select([row > 3, row < 0], pair),
        lambda pair: np.meshgrid(*pair)[0] + np.meshgrid(*pair)[1],
        lambda pair: np.add(*np.broadcast_arrays(*pair)),
        lambda pair: np.where([True, False], *pair),
    ]
    for call in calls:
        for pair in ([t, row], [row, t], (t, row), (row, t)):
            y = call(pair)
            assert isinstance(y, Tensor)
            np.testing.assert_array_equal(y.data, call([np.asarray(x.data) for x in pair]))


def test_an_index_may_be_a_tensor_of_integers():
    t, index = Tensor(V, requires_grad=True), Tensor([2, 0, 0])
    for y in (np.take(t, index), np.take_along_axis(t, index, 0), np.repeat(t[:3], index)):
        y.sum().backward()
        assert y.requires_grad
    np.testing.assert_array_equal(np.delete(t, index).data, np.delete(V, [2, 0]))
    np.testing.assert_array_equal(np.choose(Tensor([0, 1, 0]), [t[:3], -t[:3]]).data, [3, -1, 2])


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.repeat(V, t),
        lambda t: np.roll(V, t),
        lambda t: np.repeat(t, t),
        lambda t: np.take(t, t),
        lambda t: np.choose(t, [t, t]),
        lambda t: np.select([t], [t]),
        lambda t: np.compress(t, t),
        lambda t: np.extract(t, t),
        lambda t: np.pad(t, 1, constant_values=t),
    ],
)
def test_what_only_chooses_cannot_require_a_gradient(call):
    with pytest.raises(TypeError, match="requires a gradient, and would be cut off"):
        call(Tensor([1.0, 2.0, 0.0, 1.0], requires_grad=True))


def test_modes_that_compute_are_refused():
    for mode in ("mean", "linear_ramp", "maximum", "empty"):
        with pytest.raises(ValueError, match=f"mode='{mode}' is not one of constant, edge"):
            np.pad(Tensor(V, requires_grad=True), 1, mode)
    with pytest.raises(ValueError, match="mode must be one of"):
        np.convolve(Tensor(V, requires_grad=True), V, "circular")
    with pytest.raises(TypeError, match="the spacing is one number"):
        np.gradient(Tensor(V), [0.0, 1.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="axis 0 has 1 numbers, and a difference takes 2"):
        np.gradient(Tensor([1.0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m, v: np.vstack([m, v]),
            r"^vstack of \[the tensor of shape \(2, 3\), the tensor 'v'",
        ),
        (lambda m, v: np.vstack([m, v]), r"'v'\] \('v' is \(2,\)\): all the input array dim"),
        (lambda m, v: np.hstack([m, v]), r"differ in their number of axes, from 1 to 2$"),
        (lambda m, v: np.concatenate([m, m], 2), "^concatenate of .*: axis 2 is out of bounds"),
        (lambda m, v: np.sort(m, 2), "^sort of the tensor of shape .*: axis 2 is out of bounds"),
        (lambda m, v: np.flip(m, (0, 2)), "^flip of .*: axis 2 is out of bounds"),
        (lambda m, v: np.gradient(m, axis=2), "^gradient of .*: axis 2 is out of bounds"),
        (lambda m, v: np.diff(v, axis=1), "^diff of the tensor 'v'.*: source: axis 1 is out of"),
        (lambda m, v: np.diff(v, n=-1), "^diff of .*: n is how often the difference is taken"),
        (lambda m, v: np.split(v, 3), "^split of .*: array split does not result in an equal"),
    ],
)
def test_what_fails_says_what_was_called_and_why(call, message):
    with pytest.raises(ValueError, match=message):
        call(Tensor(M, requires_grad=True), Tensor([1.0, 2.0], requires_grad=True, name="v"))


def test_an_integer_array_takes_no_tensor_that_requires_a_gradient():
    t = Tensor(0.5, requires_grad=True)
    with pytest.raises(TypeError, match=r"gave dtype int64.*make the other array one of floating"):
        np.insert(np.array([1, 2]), 0, t)
    assert np.insert(np.array([1.0, 2.0]), 0, t).data.tolist() == [0.5, 1.0, 2.0]


# Transforms, modes and pictures.


def test_inside_transforms():
    assert hessian(lambda t: (np.sort(t) ** 2 * [1.0, 2.0]).sum())([2.0, 1.0]).tolist() == [
        [4.0, 0.0],
        [0.0, 2.0],
    ]
    slopes = grad(lambda t: (np.diff(np.pad(t, 1, "wrap")) ** 2).sum())
    check_grads(lambda t: (np.diff(np.pad(t, 1, "wrap")) ** 2).sum(), V)
    assert slopes(V).shape == V.shape


def test_nothing_is_recorded_in_no_grad():
    t = Tensor(V, requires_grad=True)
    with no_grad():
        y = np.roll(t, 1)
    assert y.is_leaf
    t.data += 1.0
    assert y.data.tolist() == [1.0, 3.0, 1.0, 2.0]


@pytest.mark.parametrize("op", OPERATIONS, ids=ops.name)
@settings(max_examples=1, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_row_can_be_drawn_and_stepped_through(op, data):
    args, params = data.draw(OPERATIONS[op])
    tensors = [
        Tensor(a, requires_grad=True) if getattr(a, "dtype", None) == np.float64 else a
        for a in args
    ]
    y = SPELLED.get(op, op)(*tensors, **params)
    last = y[-1] if isinstance(y, tuple) else y
    root = (last * last).sum()
    assert str(draw(root))
    assert len(steps(root)) > 1
    assert str(steps(root)[-1])
