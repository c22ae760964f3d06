"""Tensor: what it holds, what NumPy does with it, and what it refuses."""

import contextlib
import copy
import pickle

import numpy as np
import pytest

import tinygrad_edu
from tinygrad_edu import Tensor, no_grad, ops, primitive, scope

NEWER_THAN_2_0 = hasattr(np, "unstack")


@pytest.fixture
def w():
    return Tensor([1.0, 2.0, 3.0], requires_grad=True, name="w")


# What it holds.


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, np.bool_])
def test_dtype_of_an_array_is_kept(dtype):
    assert Tensor(np.ones(2, dtype)).dtype == dtype


def test_data_is_an_array_of_its_own():
    values = np.array([1.0, 2.0])
    t = Tensor(values)
    values[0] = 9.0
    assert t.data.tolist() == [1.0, 2.0]
    t.numpy()[0] = 9.0
    t.detach().data[0] = 9.0
    assert t.data.tolist() == [1.0, 2.0]


def test_attributes(w):
    m = Tensor(np.zeros((2, 3)))
    assert (m.shape, m.ndim, m.size, m.dtype) == ((2, 3), 2, 6, np.float64)
    assert m.T.shape == (3, 2)
    assert (w.name, w.requires_grad, w.is_leaf, w.grad) == ("w", True, True, None)
    y = w * 2
    assert (y.requires_grad, y.is_leaf) == (True, False)
    assert not (m * 2).requires_grad


def test_data_of_a_number_is_an_array():
    y = Tensor(2.0) * 3
    assert isinstance(y.data, np.ndarray)
    assert y.data.shape == ()
    y.data[...] = 7.0
    assert y.item() == 7.0


def test_what_is_not_recorded_shares_no_memory():
    x = Tensor([1.0, 2.0])
    for view in [x[:1], x.reshape(2, 1), x.T, np.broadcast_to(x, (2, 2))]:
        before = view.numpy()
        x.data += 1.0
        assert (view.data == before).all()
        view.data[...] = 0.0
        assert x.data.all()


def test_tolist_gives_numbers_of_python():
    assert Tensor([[1.0, 2.0], [3.0, 4.0]]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert Tensor(np.zeros((0, 2))).tolist() == []
    for t, kind in [(Tensor(2.0) * 1, float), (Tensor(2), int), (Tensor(True), bool)]:
        assert type(t.tolist()) is kind
        assert type(Tensor([t.item()]).tolist()[0]) is kind


def test_a_leaf_was_not_computed(w):
    unrecorded = Tensor(1.0) * 2
    with no_grad():
        paused = w * 2
    for leaf in w, Tensor(3), unrecorded, paused, (w * 2).detach():
        assert (leaf.op, leaf.args, dict(leaf.params), leaf.scopes) == (None, (), {}, None)
        assert leaf.is_leaf
    with scope("outside"):
        assert (Tensor(1.0) * 2).scopes is None


def test_a_result_knows_what_it_was_computed_from(w):
    array = np.array([1.0, 2.0, 3.0])
    for y, op, args, params in [
        (w * 2.0, np.multiply, (w, 2.0), {}),
        (2.0 * w, np.multiply, (2.0, w), {}),
        (array - w, np.subtract, (array, w), {}),
        (-w, np.negative, (w,), {}),
        (np.exp(w), np.exp, (w,), {}),
        (w.exp(), np.exp, (w,), {}),
        (w @ w, np.matmul, (w, w), {}),
        (w[1], ops.getitem, (w,), {"index": 1}),
        (w.sum(axis=0), np.sum, (w,), {"axis": 0, "keepdims": False}),
        (np.sum(w, axis=-1), np.sum, (w,), {"axis": -1}),
        (w.reshape(3, 1), np.reshape, (w,), {"shape": (3, 1)}),
        (w.T, np.transpose, (w,), {}),
        (np.concatenate([w, w]), ops.concatenate, (w, w), {"axis": 0, "edges": (0, 3, 6)}),
    ]:
        assert not y.is_leaf
        assert y.op is op
        assert len(y.args) == len(args)
        assert all(got is given for got, given in zip(y.args, args, strict=True))
        assert dict(y.params) == params
        assert y.scopes is None
        assert y.op in ops.derivatives


def test_a_list_in_an_operation_is_remembered_as_an_array(w):
    (left, right) = ([1, 2, 3] * w).args
    assert type(left) is np.ndarray
    assert (left.dtype, left.tolist(), right) == (np.float64, [1.0, 2.0, 3.0], w)


def test_a_result_of_an_own_operation_is_named_by_it(w):
    double = primitive(lambda x, times: x * times, lambda g, y, x, times: g * times)
    y = double(w, times=2.0)
    assert (y.op, y.args, y.params) == (double, (w,), {"times": 2.0})


def test_a_result_knows_the_scopes_that_it_was_computed_in(w):
    with scope("outer") as _, scope("inner"):
        y = w * 2
        z = y + 1
    after = w * 2
    inner, around = y.scopes
    assert (inner.name, around[0].name, around[1]) == ("inner", "outer", None)
    assert z.scopes is y.scopes
    assert after.scopes is None
    with scope("outer"):
        assert (w * 2).scopes is not around


def test_what_a_result_was_computed_from_is_not_shared_with_another(w):
    w[0].params["index"] = 2
    assert w[0].params == {"index": 0}


def test_parameters_of_one_result_cannot_change_another(w):
    y, z = w * 2, w.exp()
    try:
        with contextlib.suppress(TypeError):  # read-only, or its own
            y.params["axis"] = 0
        assert dict(z.params) == dict(Tensor(1.0).params) == {}
    finally:
        if "axis" in z.params:
            del z.params["axis"]


def test_data_of_a_recorded_result_is_read_only(w):
    y = np.exp(w)
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5.0


def test_one_element_reads_as_a_number():
    t = Tensor([[2.5]])
    assert (t.item(), float(t), int(t), bool(t), f"{t:.3f}") == (2.5, 2.5, 2, True, "2.500")


def test_many_elements_do_not_read_as_a_number(w):
    for read in [Tensor.item, float, int, bool, lambda t: f"{t:.3f}"]:
        with pytest.raises(ValueError, match="'w' has 3 elements"):
            read(w)


def test_repr_is_short_and_tells_what_made_it(w):
    assert repr(w) == "Tensor([1., 2., 3.], name='w', requires_grad=True)"
    assert repr(w.sum()) == "Tensor(6., op=sum)"
    assert repr(Tensor([1], dtype=np.float32)) == "Tensor([1.], dtype=float32)"
    for shape in [(1000, 1000), (10,) * 6]:
        large = repr(Tensor(np.zeros(shape)))
        assert f"shape={shape}" in large
        assert len(large) < 160


def test_repr_tells_of_a_gradient_that_was_added_to(w):
    (w * w).sum().backward()
    assert "passes" not in repr(w)
    (w * w).sum().backward()
    assert repr(w).endswith("requires_grad=True, grad of 2 passes)")
    w.zero_grad()
    (w * w).sum().backward()
    assert "passes" not in repr(w)
    assert "passes" not in repr(w * w)
    assert "passes" not in repr(w.detach() * 2)


@pytest.mark.parametrize(
    "forget",
    [
        lambda w: setattr(w, "grad", np.zeros(3)),
        lambda w: w.grad.fill(0),
        lambda w: w.grad.__imul__(0),
        lambda w: setattr(w, "grad", None),
    ],
)
def test_passes_are_counted_from_zeros_however_they_came(w, forget):
    for _ in range(3):
        (w * w).sum().backward()
    forget(w)
    assert "passes" not in repr(w)
    (w * w).sum().backward()
    assert "passes" not in repr(w)
    (w * w).sum().backward()
    assert "grad of 2 passes" in repr(w)


def test_a_gradient_that_was_set_is_no_pass(w):
    w.grad = np.ones(3)
    assert "passes" not in repr(w)


def test_iteration_and_length(w):
    assert len(w) == 3
    sum(w).backward()
    assert w.grad.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(TypeError):
        len(Tensor(1.0))
    with pytest.raises(TypeError):
        iter(Tensor(1.0))


def test_comparisons_give_plain_arrays(w):
    for mask in [
        w > 1.5,
        w >= 1.5,
        np.float64(1.5) < w,
        np.greater(w, 1.5),
        w != 1,
        ~(w <= Tensor(1.5)),
    ]:
        assert type(mask) is np.ndarray
        assert mask.tolist() == [False, True, True]
    assert (w == w.data).all()


def test_tensors_are_dictionary_keys_by_identity(w):
    same = w.detach()
    assert {w: 1, same: 2}[w] == 1
    assert len({w, same}) == 2


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_leaves_are_copied_and_pickled(w, duplicate):
    (w * w).sum().backward()
    other = duplicate(w)
    assert (other.name, other.requires_grad) == ("w", True)
    assert other.grad.tolist() == [2.0, 4.0, 6.0]
    other.data[0] = 9.0
    assert w.data[0] == 1.0


def test_results_are_not_copied_with_their_graph(w):
    for duplicate in copy.copy, copy.deepcopy, pickle.dumps:
        with pytest.raises(TypeError, match=r"detach\(\)"):
            duplicate(w * 2)


# NumPy's protocols.


def test_numpy_functions_and_operators_give_tensors(w):
    results = {
        "exp": np.exp(w),
        "sum": np.sum(w, axis=-1),
        "where": np.where(w > 0, w, 0.0),
        "array * t": np.array([1.0, 2.0, 3.0]) * w,
        "number * t": np.float64(2) * w,
        "array @ t": np.ones((2, 3)) @ w,
        "list - t": [1.0, 2.0, 3.0] - w,
        "stack": np.stack([w, [1, 2, 3]]),
    }
    for what, y in results.items():
        assert isinstance(y, Tensor), what
        assert y.requires_grad, what


@pytest.mark.parametrize(
    "name",
    [
        "exp",
        "log",
        "sqrt",
        "sin",
        "cos",
        "tanh",
        "abs",
        "sum",
        "mean",
        "max",
        "min",
        "cumsum",
        "squeeze",
        "transpose",
        "ravel",
        "diagonal",
        "copy",
        "conj",
        "std",
        "var",
        "prod",
        "cumprod",
        "trace",
    ],
)
def test_methods_are_the_numpy_functions_of_the_name(name):
    m = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], requires_grad=True)
    found = getattr(m, name)()
    np.testing.assert_array_equal(found.data, getattr(np, name)(m.data))
    found.sum().backward()
    assert m.grad.any()


@pytest.mark.parametrize("name", ["argmax", "argmin", "argsort", "nonzero", "any", "all"])
def test_methods_that_ask_give_plain_data(w, name):
    found, expected = getattr(w, name)(), getattr(w.data, name)()
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)


def test_methods_with_arguments():
    m = Tensor(np.arange(6.0).reshape(2, 3))
    assert m.reshape(3, 2).shape == m.reshape((3, -1)).shape == (3, 2)
    assert m.transpose(1, 0).shape == m.transpose((1, 0)).shape == m.transpose().shape == (3, 2)
    assert m.swapaxes(0, -1).shape == (3, 2)
    assert m.clip(1, 4).data.tolist() == [[1, 1, 2], [3, 4, 4]]
    assert m.sum(axis=(0, 1), keepdims=True).shape == (1, 1)
    assert m.cumsum(axis=1).data.tolist() == [[0, 1, 3], [3, 7, 12]]
    assert m.flatten().shape == (6,)
    assert m.take([2, 0], axis=1).data.tolist() == [[2, 0], [5, 3]]
    assert m.repeat([1, 2], axis=0).data.tolist() == [[0, 1, 2], [3, 4, 5], [3, 4, 5]]
    assert m.diagonal(1).data.tolist() == [1, 5]
    assert m.dot([1, 0, 1]).data.tolist() == [2, 8]
    assert m.std(axis=1, ddof=1).data.tolist() == [1, 1]
    assert m.prod(axis=1, keepdims=True).data.tolist() == [[0], [60]]
    assert (m / 4).round(1).data.tolist() == [[0, 0.2, 0.5], [0.8, 1, 1.2]]
    assert m.argsort(axis=0).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert m.all(axis=1).tolist() == [False, True]


def test_a_copy_and_a_cast_keep_the_graph(w):
    (w.copy() * w.astype(np.float32)).sum().backward()
    assert w.grad.tolist() == [2.0, 4.0, 6.0]
    assert w.astype(np.float32).dtype == np.float32
    assert Tensor([1, 0]).astype(bool).copy().data.tolist() == [True, False]
    with pytest.raises(TypeError, match=r"Write t\.detach\(\)\.astype\(np\.int64\)"):
        w.astype(int)


def test_arguments_of_numpy_api_by_position_and_by_name():
    m = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert np.sum(m, 0).shape == np.sum(a=m, axis=0).shape == (3,)
    assert np.sum(m, 0, keepdims=True).shape == (1, 3)
    assert np.reshape(m, (3, 2)).shape == (3, 2)
    assert np.concatenate([m, m], 1).shape == np.concatenate((m, m), axis=-1).shape == (2, 6)
    assert np.concatenate([m, m], axis=None).shape == (12,)


def test_questions_about_numbers_give_plain_answers(w):
    assert np.argmax(w) == 2
    assert np.shape(w) == (3,)
    assert np.isfinite(w).all()
    assert np.allclose(w, [1, 2, 3])
    assert type(np.zeros_like(w)) is np.ndarray


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda w: np.exp(w, out=np.zeros(3)), "out="),
        (lambda w: np.exp(w, where=[True, False, True]), "where="),
        (lambda w: np.sum(w, dtype=np.float32), "dtype="),
        (lambda w: np.sum(w, 0, np.float32), "dtype="),
        (lambda w: np.sum(w, initial=1.0), "initial="),
    ],
)
def test_parameters_without_meaning_are_refused_by_name(w, call, name):
    with pytest.raises(TypeError, match=f"does not take {name}"):
        call(w)


def test_array_updated_by_a_tensor_is_refused(w):
    a = np.zeros(3)
    with pytest.raises(TypeError, match=r"array \+= t.*t = t \+ a.*w\.data -= "):
        a += w
    assert a.tolist() == [0, 0, 0]
    with pytest.raises(TypeError, match=r"np\.subtract.*w\.data -= learning_rate \* w\.grad"):
        w.data -= 0.1 * w
    with pytest.raises(RuntimeError, match=r"write t = t \+ a"):
        w += 1
    assert (w + 1).data.tolist() == [2.0, 3.0, 4.0]


def test_a_tensor_that_requires_a_gradient_does_not_become_an_array_unnoticed(w):
    for cut in np.asarray, np.array, lambda t: np.array([t, t]), lambda t: Tensor([t, t]):
        with pytest.raises(TypeError, match=r"np\.stack.*detach\(\)"):
            cut(w)
    with pytest.raises(TypeError, match=r"Use it as it is.*detach\(\)"):
        Tensor(w * 2)
    assert np.asarray(w.detach()).tolist() == [1.0, 2.0, 3.0]


def test_what_to_write_for_a_missing_method(w):
    with pytest.raises(AttributeError, match=r"no 'sigmoid': write functional\.sigmoid\(t\)"):
        w.sigmoid()
    with pytest.raises(AttributeError, match=r"no attribute 'colour'$"):
        w.colour  # noqa: B018
    assert not hasattr(w, "backwards")


def test_methods_are_listed(w):
    listed = {"T", "args", "backward", "data", "detach", "exp", "grad", "op", "params", "tolist"}
    assert listed <= set(dir(w))
    for name in dir(w):
        if not name.startswith("_"):
            assert hasattr(w, name)


def test_gradient_of_a_result_warns_and_says_why(w):
    with pytest.warns(UserWarning, match=r"w = w - .*w\.data -= learning_rate \* w\.grad"):
        assert (w * 2).grad is None


def test_gradient_has_the_shape_of_its_tensor(w):
    w.grad = [1, 2, 3]
    assert w.grad.dtype == np.float64
    with pytest.raises(ValueError, match=r"shape \(3,\), but got shape \(\)"):
        w.grad = 0
    w.grad = None
    assert w.grad is None
    given = np.ones(3)
    w.grad = given
    given[0] = 9.0
    assert w.grad.tolist() == [1.0, 1.0, 1.0]


def test_gradient_of_a_result_is_not_set(w):
    y = w * 2
    for value in [np.ones(3), None]:
        with pytest.raises(RuntimeError, match=r"multiply .*was computed, so grad cannot be set"):
            y.grad = value
    y.zero_grad()
    with pytest.warns(UserWarning, match="only leaves keep a gradient"):
        assert y.grad is None


def test_indices_of_any_kind_of_sequence_count_repeats():
    for index in [(slice(None), (0, 0)), ([0, 0],), ((0, 0), (1, 1)), (Ellipsis, range(2))]:
        t = Tensor(np.ones((2, 2)), requires_grad=True)
        t[index].sum().backward()
        expected = np.zeros((2, 2))
        np.add.at(expected, tuple(list(i) if isinstance(i, tuple | range) else i for i in index), 1)
        np.testing.assert_array_equal(t.grad, expected)
    assert Tensor(np.ones(3))[[]].shape == (0,)


def test_an_index_is_remembered_as_it_was(w):
    rows = np.array([0, 1])
    y = w[rows].sum()
    rows += 1
    y.backward()
    assert w.grad.tolist() == [1.0, 1.0, 0.0]


def test_what_was_read_stays_when_the_leaf_changes(w):
    first, part = w[0], w[1:]
    w.data -= 1.0
    assert first.item() == 1.0
    assert part.data.tolist() == [2.0, 3.0]


def test_questions_take_tensors_by_name(w):
    assert np.argmax(a=w) == 2
    assert np.allclose(w, b=w)
    assert np.zeros_like(a=w).tolist() == [0, 0, 0]


def test_a_fill_value_does_not_leave_the_graph(w):
    np.full_like(Tensor([1.0, 2.0]), w[0]).sum().backward()
    assert w.grad.tolist() == [2.0, 0.0, 0.0]
    with pytest.raises(TypeError, match=r"np\.copyto has no derivative rule, because it writes"):
        np.full_like(np.zeros(2), w[0])
    assert type(np.full_like(w, 3)) is np.ndarray
    assert np.full_like(w, 3).tolist() == [3.0, 3.0, 3.0]


def test_a_tensor_becomes_an_array_by_a_copy():
    t = Tensor([1.0, 2.0])
    np.asarray(t)[0] = 9.0
    assert t.data[0] == 1.0


def test_a_tensor_becomes_an_array_of_any_dtype():
    t = Tensor([1.5, 2.5])
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    assert np.array(t, dtype=int).tolist() == [1, 2]


@pytest.mark.parametrize("take", [np.asarray, np.from_dlpack])
def test_a_single_number_becomes_an_array_without_axes(take):
    product = take(Tensor(2.0) * 3)
    assert (type(product), product.shape, product.item()) == (np.ndarray, (), 6.0)


@pytest.mark.parametrize(
    "t",
    [
        *[Tensor([0, 1], dtype=dtype) for dtype in (np.float16, np.float32, np.uint64, np.bool_)],
        Tensor(np.zeros((0, 3))),
        Tensor(np.arange(6.0).reshape(2, 3).T),
        Tensor(np.arange(6.0)[::-2]),
        Tensor(np.arange(2.0).astype(">f8")),
        Tensor(np.arange(6.0)).reshape(3, 2)[:, 1],
        Tensor(1.0, requires_grad=True).detach(),
    ],
    ids=repr,
)
def test_dlpack_keeps_numbers_shape_and_dtype(t):
    array = np.from_dlpack(t)
    assert (array.dtype, array.shape) == (t.dtype, t.shape)
    np.testing.assert_array_equal(array, t.data)
    assert array.flags.writeable == (np.lib.NumpyVersion(np.__version__) >= "2.2.0")
    assert t.__dlpack_device__() == t.data.__dlpack_device__()


class Legacy:
    """Answers as before DLPack 1.0, without a version, a device or a copy."""

    def __init__(self, t):
        self.t = t

    def __dlpack__(self, **_):
        return self.t.__dlpack__()

    def __dlpack_device__(self):
        return self.t.__dlpack_device__()


since_numpy_2_1 = pytest.mark.skipif(
    not NEWER_THAN_2_0, reason="NumPy 2.0 asks for no copy, device or version"
)


@pytest.mark.parametrize(
    "take",
    [
        np.from_dlpack,
        pytest.param(lambda t: np.from_dlpack(t, copy=True), marks=since_numpy_2_1),
        lambda t: np.from_dlpack(Legacy(t)),
    ],
    ids=["any", "copy", "legacy"],
)
@pytest.mark.parametrize("mode", [contextlib.nullcontext, tinygrad_edu.debug])
def test_dlpack_shares_no_memory_that_a_graph_needs(w, take, mode):
    x = Tensor([4.0, 5.0, 6.0])
    with mode():
        y = w * x
        assert not np.shares_memory(take(x), x.data)
        assert y.requires_grad


def test_dlpack_of_what_requires_a_gradient_is_refused(w):
    with pytest.raises(BufferError, match=r"'w' requires a gradient.*pass t\.detach\(\)"):
        np.from_dlpack(w)
    with pytest.raises(BufferError, match=r"result of multiply.*pass t\.detach\(\)"):
        np.from_dlpack(w * 2)
    with no_grad(), pytest.raises(BufferError, match=r"pass t\.detach\(\)"):
        np.from_dlpack(w)
    assert np.from_dlpack((w * 2).detach()).tolist() == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    ("take", "error"),
    [
        (np.asarray, ValueError),
        pytest.param(np.from_dlpack, BufferError, marks=since_numpy_2_1),
    ],
)
def test_memory_is_shared_only_through_data(take, error):
    t = Tensor([1.0, 2.0])
    with pytest.raises(error, match=rf"the array itself, write np\.{take.__name__}\(t\.data\)"):
        take(t, copy=False)
    assert np.shares_memory(take(t.data), t.data)


@since_numpy_2_1
def test_dlpack_knows_only_the_memory_of_the_cpu():
    t = Tensor([1.0])
    with pytest.raises((BufferError, ValueError), match="device"):  # by the version of NumPy
        t.__dlpack__(dl_device=(2, 0))
    with pytest.raises(RuntimeError, match="stream"):
        t.__dlpack__(stream=1)


# What it refuses.


@pytest.mark.parametrize(
    "data",
    [
        1j,
        [1j],
        "text",
        ["a"],
        None,
        [None],
        object(),
        np.datetime64("2026-01-01"),
        np.longdouble(1),
    ],
)
def test_data_that_is_no_real_number_is_refused(data):
    with pytest.raises(TypeError, match="real numbers"):
        Tensor(data)


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (None, "lacks a return: write one"),
        (lambda: 1.0, r"as in \[1\.0, 2\.0\]"),
        ({"x": [1.0], "y": [2.0]}, r"np\.stack\(list\(d\.values\(\)\)\)"),
        ((x for x in [1.0, 2.0]), r"np\.array\(list\(values\)\)"),
        (np.array(["1.5"]), r"np\.array\(data, dtype=float\)"),
        (np.array([1, 2.5], dtype=object), r"np\.array\(data, dtype=float\)"),
    ],
)
def test_what_to_write_for_what_is_no_array(data, advice):
    with pytest.raises(TypeError, match=advice):
        Tensor(data)
    with pytest.raises(TypeError, match=advice):
        Tensor([1.0, 2.0]) * data


def test_a_sparse_matrix_is_named():
    sparse = pytest.importorskip("scipy.sparse").csr_matrix([[1.0, 0.0], [0.0, 2.0]])
    t = Tensor([1.0, 2.0], requires_grad=True)
    for call in lambda: Tensor(sparse), lambda: t * sparse, lambda: sparse @ t:
        with pytest.raises(TypeError, match=r"m\.toarray\(\)"):
            call()
    assert (sparse.toarray() @ t).data.tolist() == [1.0, 4.0]


def test_a_tensor_of_integers_is_an_index():
    letters = ["a", "b", "c"]
    assert letters[Tensor(1)] == letters[Tensor([1])] == "b"
    assert letters[: Tensor(2)] == ["a", "b"]
    with pytest.raises(TypeError, match=r"dtype float64, and an index or an axis.*Write int\(t"):
        letters[Tensor(1.0)]
    assert letters[int(Tensor(1.0))] == "b"
    with pytest.raises(ValueError, match="has 2 elements"):
        letters[Tensor([1, 2])]


def test_a_single_number_has_no_length():
    t = Tensor(2.0, requires_grad=True)
    for call in len, list:
        with pytest.raises(
            TypeError, match=r"single number: it has no length.*np\.reshape\(t, 1\)"
        ):
            call(t)
    assert len(np.reshape(t, 1)) == 1


def test_operators_have_their_own_names():
    for name, method in vars(Tensor).items():
        assert "<locals>" not in getattr(method, "__qualname__", "")
        if name in ("__add__", "__rsub__", "__lt__", "__imul__"):
            assert method.__qualname__ == f"Tensor.{name}"


def test_masked_arrays_are_refused(w):
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[True, False, False])
    for use in [Tensor, lambda m: w * m]:
        with pytest.raises(TypeError, match="masked array"):
            use(masked)


@pytest.mark.filterwarnings("ignore")
def test_masked_array_on_the_left_is_refused(w):
    with pytest.raises(TypeError):
        np.ma.array([1.0, 2.0, 3.0], mask=[True, False, False]) * w


def test_requires_grad_is_a_flag():
    with pytest.raises(TypeError, match=r"Tensor\(\[1\.0, 2\.0\]\)"):
        Tensor(1.0, 2.0)


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="rows of one length"):
        Tensor([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize("data", [3, [1, 2], True, np.array([1], np.uint8)])
def test_integers_cannot_require_a_gradient(data):
    with pytest.raises(TypeError, match=r"small step.*Write 3\.0 instead of 3.*dtype=float"):
        Tensor(data, requires_grad=True)
    labels = Tensor(data)
    with pytest.raises(TypeError, match="small step"):
        labels.requires_grad = True
    assert Tensor(data, requires_grad=True, dtype=float).dtype == np.float64


def test_operands_that_are_no_real_numbers_are_refused(w):
    for other in 1j, np.array([1j, 2j, 3j]), "text", None, object():
        with pytest.raises(TypeError):
            w * other


def test_shapes_that_do_not_fit_are_shown_with_the_names(w):
    x = Tensor(np.zeros((4, 2)), name="x")
    names = r"\(4, 2\) @ \(3,\), the tensor 'x' times the tensor 'w'.* 2, .* 3\."
    with pytest.raises(ValueError, match=names):
        x @ w
    with pytest.raises(ValueError, match=r"a @ b\.T"):
        x @ Tensor(np.zeros((5, 2)))
    with pytest.raises(ValueError, match=r"a\.T @ b"):
        x @ Tensor(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="do not broadcast"):
        np.zeros((2, 3, 4)) @ Tensor(np.zeros((3, 4, 5)))
    with pytest.raises(ValueError, match=r"'w' is \(3,\).*\(3,\) \(4,\)"):
        w + np.zeros(4)


def test_assignment_to_an_element_is_refused(w):
    with pytest.raises(TypeError, match=r"np\.where\(mask, new, t\)"):
        w[0] = 5.0


def test_in_place_operator_on_what_is_learned_is_refused(w):
    with pytest.raises(RuntimeError, match=r"w\.data -= learning_rate \* w\.grad"):
        w -= 0.1


def test_in_place_operator_on_a_result_makes_a_new_one(w):
    total = first = w.sum()
    total += w.sum()
    assert total is not first
    total.backward()
    assert w.grad.tolist() == [2.0, 2.0, 2.0]


def test_in_place_operator_under_no_grad_changes_the_leaf(w):
    before = w
    with no_grad():
        w -= 1.0
        w *= Tensor([2.0, 2.0, 2.0])
    assert w is before
    assert w.data.tolist() == [0.0, 2.0, 4.0]
    assert w.requires_grad


def test_setting_data_keeps_shape_and_dtype():
    w = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    w.data = [3, 4]
    w.data -= np.float64(0.5)
    assert w.dtype == np.float32
    assert w.data.tolist() == [2.5, 3.5]
    values = np.array([1.0, 1.0], np.float32)
    w.data = values
    values[0] = 9.0
    assert w.data.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match=r"\(2,\), cannot take data of shape \(3,\)"):
        w.data = [1.0, 2.0, 3.0]
    with pytest.raises(RuntimeError, match="was computed"):
        (w * 2).data = [1.0, 2.0]


def test_requires_grad_of_a_leaf_can_be_switched(w):
    w.requires_grad = False
    assert not (w * 2).requires_grad
    w.requires_grad = True
    y = w * 2
    with pytest.raises(RuntimeError, match="was computed"):
        y.requires_grad = False


# Memory.


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        np.broadcast_to(1.0, (3, 2)),
        np.arange(6.0).reshape(3, 2).astype(">f8"),
        np.arange(12.0).reshape(3, 4)[:, ::2],
    ],
)
def test_any_memory_layout(values):
    t = Tensor(values, requires_grad=True)
    ((t * values) @ values.T).sum().backward()
    expected = values * values.sum(axis=0)
    np.testing.assert_allclose(t.grad, expected)
    assert t.dtype.isnative


@pytest.mark.parametrize("other", [[1, 2], [True, False]])
def test_tensors_of_integers_and_booleans_are_constants_of_a_graph(w, other):
    constant = Tensor([*other, other[0]], name="labels")
    (w * constant).sum().backward()
    np.testing.assert_array_equal(w.grad, constant.numpy())
    w.zero_grad()
    y = (constant * w).sum()
    assert y.args[0].args[0].name == "labels"
    constant.data = [0, 0, 0]  # what the graph uses is a copy
    y.backward()
    np.testing.assert_array_equal(w.grad, [*other, other[0]])


def test_ragged_lists_and_huge_numbers_are_refused_beside_a_tensor(w):
    with pytest.raises(ValueError, match="rows of one length"):
        w * [[1.0], [2.0, 3.0]]
    for refused in lambda: w.sum(10**30), lambda: w.cumsum(10**30), lambda: w.squeeze(10**30):
        with pytest.raises(ValueError, match=r"Python int too large|out of bounds"):
            refused()


def test_division_with_a_floor_and_its_rest():
    x = Tensor([7.5, -3.0], requires_grad=True)
    assert (x // 2).data.tolist() == [3.0, -2.0]
    assert (9 // x).data.tolist() == [1.0, -3.0]
    y = x % 2 + 9 % x
    assert y.data.tolist() == [3.0, 1.0]
    y.sum().backward()
    np.testing.assert_allclose(x.grad, [1.0 - 9 // 7.5, 1.0 - 9 // -3.0])
    with pytest.raises(RuntimeError, match="An in-place operator"):
        x %= 2


def test_a_list_is_an_index_and_a_tuple_is_several():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert ops.getitem(x, index=[0, 1]).shape == (2, 2)
    assert ops.getitem(x, index=(0, 1)).item() == 2.0
    rows = [0, 1]
    y = ops.getitem(x, index=rows).sum()
    rows[0] = 1
    y.backward()
    assert x.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("dtype", [complex, "U3", object, np.longdouble, "no dtype"])
def test_no_cast_leaves_what_a_tensor_can_hold(dtype):
    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"cannot be in a graph|dtype is one of NumPy's"):
        x.astype(dtype)


def test_a_singular_matrix_is_told_as_numpy_tells_it():
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        np.linalg.inv(Tensor([[1.0, 2.0], [2.0, 4.0]]))


def test_what_to_write_to_plot():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    w = Tensor([1.0, 4.0], requires_grad=True)
    for call in lambda: pyplot.plot(w), lambda: pyplot.plot([w.sum(), w.mean()]):
        with pytest.raises(TypeError, match=r"plot.*t\.(detach|item)\(\)"):
            call()
    pyplot.close()
    [line] = pyplot.plot(w.detach())
    assert line.get_ydata().tolist() == [1.0, 4.0]
    pyplot.close()
    [line] = pyplot.plot([w.sum().item(), w.mean().item()])
    assert line.get_ydata().tolist() == [5.0, 2.5]
    pyplot.close()
