"""Minibatches: each example once in each epoch, with all that belongs to it; files, checked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Tensor
from tinygrad_edu.data import minibatches


@given(n=st.integers(1, 30), size=st.integers(1, 35), shuffle=st.booleans(), drop=st.booleans())
def test_every_example_comes_once_with_all_that_belongs_to_it(n, size, shuffle, drop):
    x, y = np.arange(n), np.arange(2 * n).reshape(n, 2)
    full, rest = divmod(n, size)
    if drop and not full:
        with pytest.raises(ValueError, match="there is no batch: drop_last"):
            minibatches(x, y, batch_size=size, shuffle=shuffle, drop_last=drop)
        return
    loader = minibatches(x, y, batch_size=size, shuffle=shuffle, drop_last=drop)
    batches = list(loader)
    assert len(loader) == len(batches)
    assert [len(xb) for xb, _ in batches] == [size] * full + ([rest] if rest and not drop else [])
    for xb, yb in batches:
        np.testing.assert_array_equal(yb, y[xb])
    seen = [int(i) for xb, _ in batches for i in xb]
    assert len(set(seen)) == len(seen) == (full * size if drop else n)
    if not shuffle:
        assert seen == list(range(len(seen)))


def test_batches_may_be_gone_through_as_often_as_wanted():
    x = np.arange(50)
    batches = minibatches(x, batch_size=7, rng=np.random.default_rng(3))
    epochs = [np.concatenate(list(batches)).tolist() for _ in range(3)]
    assert [sorted(epoch) for epoch in epochs] == [x.tolist()] * 3
    assert epochs[0] != epochs[1] != epochs[2]
    again = minibatches(x, batch_size=7, rng=np.random.default_rng(3))
    assert [np.concatenate(list(again)).tolist() for _ in range(3)] == epochs
    for pass_ in zip(*zip(batches, batches, strict=True), strict=True):  # two at once
        assert sorted(np.concatenate(pass_).tolist()) == x.tolist()


def order(rng, **options):
    return np.concatenate(
        list(minibatches(np.arange(50), batch_size=7, rng=rng, **options))
    ).tolist()


def test_order_differs_between_epochs_and_repeats_with_the_seed():
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    first, second = order(rng), order(rng)
    assert first != second
    assert first != sorted(first)
    assert [order(again), order(again)] == [first, second]
    assert order(np.random.default_rng(4)) != first
    assert order(None) != order(None)


def test_shuffle_false_keeps_the_order_and_draws_nothing():
    rng = np.random.default_rng(0)
    assert order(rng, shuffle=False) == list(range(50))
    assert rng.random() == np.random.default_rng(0).random()


def test_one_array_gives_arrays_and_several_give_tuples():
    x = np.arange(4)
    assert [type(batch) for batch in minibatches(x, batch_size=2)] == [np.ndarray] * 2
    assert [type(batch) for batch in minibatches(x, x, batch_size=2)] == [tuple] * 2
    assert all(len(batch) == 3 for batch in minibatches(x, x, x, batch_size=2))


def test_lists_and_tensors():
    x, y, names = [[1, 2], [3, 4], [5, 6]], Tensor([10.0, 20.0, 30.0]), ["a", "b", "c"]
    batches = list(minibatches(x, y, names, batch_size=2, shuffle=False))
    assert [xb.tolist() for xb, _, _ in batches] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert all(isinstance(yb, Tensor) for _, yb, _ in batches)
    assert [yb.data.tolist() for _, yb, _ in batches] == [[10, 20], [30]]
    assert [nb.tolist() for _, _, nb in batches] == [["a", "b"], ["c"]]


def test_gradients_reach_the_rows_of_a_tensor():
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    for i, batch in enumerate(minibatches(x, batch_size=2, shuffle=False)):
        (batch * 10**i).sum().backward()
    assert x.grad.tolist() == [1, 1, 10]


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_are_copies(shuffle):
    x, t = np.arange(6.0), Tensor(np.arange(6.0))
    for batch, rows in minibatches(x, t, batch_size=3, shuffle=shuffle):
        batch[:] = -1
        rows.data[:] = -1
    assert x.tolist() == t.data.tolist() == [0, 1, 2, 3, 4, 5]


def test_batch_size_may_be_a_numpy_integer():
    assert [len(b) for b in minibatches([1, 2, 3], batch_size=np.int64(2))] == [2, 1]


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        ([], {}, ValueError, r"nothing.*minibatches\(x, y, batch_size=32\)"),
        ([[1, 2, 3], [1, 2]], {}, ValueError, r"3 and 2 examples"),
        ([[], []], {}, ValueError, "no examples"),
        ([np.zeros((0, 3))], {}, ValueError, "no examples"),
        ([[1, 2], 3.0], {}, ValueError, "a single number"),
        ([Tensor(1.0)], {}, ValueError, "a single number"),
        ([[1]], {"batch_size": 0}, ValueError, "at least 1, but is 0"),
        ([[1]], {"batch_size": -1}, ValueError, "at least 1, but is -1"),
        ([[1]], {"batch_size": 2.5}, TypeError, r"number of examples, but got 2\.5"),
        ([[1]], {"batch_size": 2.0}, TypeError, r"number of examples, but got 2\.0"),
        ([[1]], {"batch_size": True}, TypeError, "number of examples, but got True"),
        ([[1]], {"batch_size": "2"}, TypeError, "number of examples, but got '2'"),
        ([[1]], {"rng": 0}, TypeError, r"np\.random\.default_rng\(0\) once"),
        ([[1]], {"rng": 0, "shuffle": False}, TypeError, "Generator"),
        ([[1]], {"rng": np.random}, TypeError, "Generator"),
    ],
)
def test_refused_at_the_call(data, options, error, message):
    with pytest.raises(error, match=message):
        minibatches(*data, **{"batch_size": 1, **options})


def test_batch_size_is_named_in_the_call():
    with pytest.raises(TypeError, match="batch_size"):
        minibatches([1, 2], 32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda d: minibatches(d, batch_size=2),
            r"write minibatches\(\*d\.values\(\), batch_size=",
        ),
        (
            lambda d: minibatches([*d.values()], batch_size=2),
            r"write minibatches\(\*arrays, batch_s",
        ),
        (lambda d: minibatches(zip(*d.values(), strict=True), batch_size=2), "for zip"),
        (lambda d: minibatches((r for r in d["x"]), batch_size=2), r"np\.array\(list\(rows\)\)"),
    ],
)
def test_what_to_write_for_arrays_in_another_form(call, message):
    d = {"x": np.arange(6.0).reshape(3, 2), "y": np.arange(3)}
    with pytest.raises(TypeError, match=message):
        call(d)


def test_the_lines_for_arrays_in_another_form_give_the_batches():
    d = {"x": np.arange(6.0).reshape(3, 2), "y": np.arange(3)}
    (x, y), _ = minibatches(*d.values(), batch_size=2, shuffle=False)
    assert x.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert y.tolist() == [0, 1]
    rows = (row for row in d["x"])
    x, _ = minibatches(np.array(list(rows)), batch_size=2, shuffle=False)
    assert x.tolist() == [[0.0, 1.0], [2.0, 3.0]]


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_array", "coo_array"])
def test_the_lines_for_a_sparse_matrix_give_the_batches(kind):
    full = np.arange(12.0).reshape(4, 3) * np.eye(4, 3)
    m = getattr(pytest.importorskip("scipy.sparse"), kind)(full)
    with pytest.raises(TypeError, match=f"no sparse matrix, a {kind}: write ") as refusal:
        minibatches(m, batch_size=2)
    line, batch = str(refusal.value).partition("write ")[2].split(", and for each batch of rows ")
    names = {"np": np, "m": m, "minibatches": minibatches}
    batches = eval(line.replace("32)", "3, shuffle=False)"), names)
    found = [eval(batch, names | {"rows": rows}) for rows in batches]
    np.testing.assert_array_equal(np.concatenate(found), full)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_of_numbers_are_taken_and_others_named(library):
    table = pytest.importorskip(library).DataFrame
    df = table({"length": [1.0, 2.0, 3.0], "width": [4, 5, 6], "name": ["a", "b", "a"]})
    numbers = ["length", "width"]
    x, name = next(iter(minibatches(df[numbers], df["name"], batch_size=2, shuffle=False)))
    assert x.tolist() == [[1.0, 4.0], [2.0, 5.0]]
    assert name.tolist() == ["a", "b"]
    with pytest.raises(TypeError, match=r"\['length', 'width', 'name'\] are of several") as refusal:
        minibatches(df, batch_size=2)
    line = str(refusal.value).partition("one kind, ")[2]
    batches = eval(line, {"df": df, "names": numbers, "label": "name", "minibatches": minibatches})
    assert [x.shape for x, _ in batches] == [(3, 2)]
