"""Queries, the table of functions that work, and arrays of other libraries beside a Tensor."""

import operator
import subprocess
import sys

import numpy as np
import pytest

from tinygrad_edu import Tensor, errors, grad, numpy_api, numpy_table, ops

# Queries: plain answers, the same as NumPy's.

V, M = np.array([3.0, 0.0, -2.0, 1.0]), np.array([[1.0, np.inf], [np.nan, -1.0]])

QUERIES = {
    np.equal: lambda t: np.equal(t, 3.0),
    np.not_equal: lambda t: np.not_equal(t, 3.0),
    np.less: lambda t: np.less(t, 1.0),
    np.less_equal: lambda t: np.less_equal(1.0, t),
    np.greater: lambda t: np.greater(t, 1.0),
    np.greater_equal: lambda t: np.greater_equal(t, t),
    np.logical_and: lambda t: np.logical_and(t, [True, False, True, False]),
    np.logical_or: lambda t: np.logical_or(t, t),
    np.logical_xor: lambda t: np.logical_xor(t, True),
    np.allclose: lambda t: np.allclose(t, V),
    np.isclose: lambda t: np.isclose(t, 3.0, atol=0.1),
    np.array_equal: lambda t: np.array_equal(t, [1.0, 2.0]),
    np.array_equiv: lambda t: np.array_equiv(t, [t, t]),
    np.isin: lambda t: np.isin(t, [3.0, 1.0]),
    np.argmax: lambda t: np.argmax(t, axis=-1),
    np.argpartition: lambda t: np.argpartition(t, range(4)),
    np.lexsort: lambda t: np.lexsort((t, V)),
    np.where: lambda t: np.where(t),
    np.searchsorted: lambda t: np.searchsorted([0.0, 1.0, 2.0], t, side="right"),
    np.digitize: lambda t: np.digitize(t, [0.0, 1.0]),
    np.unravel_index: lambda t: np.unravel_index(Tensor([0, 5]) if t is not V else [0, 5], (2, 3)),
    np.ravel_multi_index: lambda t: np.ravel_multi_index((Tensor([1]), [2]), (2, 3)),
    np.result_type: lambda t: np.result_type(t, np.float32),
    np.can_cast: lambda t: np.can_cast(t.dtype, np.float32),
    np.may_share_memory: lambda t: np.may_share_memory(t, V[:0]),
    np.shares_memory: lambda t: np.shares_memory(t, V[:0]),
    np.empty_like: lambda t: np.empty_like(t).shape,
    np.array2string: lambda t: np.array2string(t, precision=2),
    np.array_repr: lambda t: np.array_repr(t, precision=2),
}


@pytest.mark.parametrize("query", sorted(numpy_api.queries, key=ops.name), ids=ops.name)
def test_a_query_gives_plain_data_as_numpy_does(query):
    call = QUERIES.get(query, query)
    t = Tensor(V, requires_grad=True)
    found, expected = call(t), call(V)
    assert type(found) is type(expected)
    np.testing.assert_equal(found, expected)


@pytest.mark.parametrize("query", sorted(numpy_api.queries, key=ops.name), ids=ops.name)
def test_a_query_is_asked_inside_grad_and_cuts_nothing(query):
    call = QUERIES.get(query, query)

    def f(t):
        call(t)
        return (t * t).sum()

    assert grad(f)(V).tolist() == (2 * V).tolist()


@pytest.mark.parametrize("query", sorted(numpy_api.queries, key=ops.name), ids=ops.name)
def test_no_query_computes_floating_point_from_the_values(query):
    """Two answers about different values are equal, or no floating point."""
    call = QUERIES.get(query, query)
    answers = [call(Tensor(values)) for values in (V, V + 1.0)]
    if np.asarray(answers[0]).dtype.kind == "f":
        np.testing.assert_array_equal(*answers)


def test_a_query_about_a_single_number():
    t = Tensor(2.5, requires_grad=True)
    assert np.array2string(t) == np.array2string(np.array(2.5))
    assert np.array_repr(t) == "array(2.5)"
    assert np.argmax(t) == 0
    assert np.isfinite(t)
    assert not np.isscalar(t)
    assert [part.tolist() for part in np.where(Tensor([0.0, 3.0]))] == [[1]]


# The table.


def test_the_table_names_every_rule_every_composition_and_every_query():
    lines = numpy_table.table().splitlines()
    names = [line.partition(":")[0] for line in lines if ": a rule" in line or ": composed" in line]
    own = {op for op in vars(ops).values() if callable(op)} & ops.derivatives.keys()
    for op in [*own, *numpy_api.compositions]:
        name = f"tinygrad_edu.ops.{ops.name(op)}" if op in own else errors.full_name(op)
        assert names.count(name) == 1, name
    assert {"np.exp", "np.matmul", "np.roll"} <= {*names}
    for query in numpy_api.queries:
        assert f"{errors.full_name(query)}" in lines[-1]


def test_the_table_says_the_conventions_where_they_stand():
    table = numpy_table.table()
    assert numpy_api.compositions[np.interp].__doc__ in table
    assert ops.conventions.keys() <= ops.derivatives.keys()
    for op, convention in ops.conventions.items():
        assert f"{errors.full_name(op)}: a rule; {convention}\n" in table


def test_the_table_is_printed_by_a_command():
    command = [sys.executable, "-W", "error", "-m", "tinygrad_edu.numpy_table"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {"np.max: a rule; a tie shares the gradient evenly"} <= {*result.stdout.splitlines()}
    assert set(result.stdout.splitlines()) <= set(numpy_table.table().splitlines())


# Arrays of other kinds, on either side of an operator.


class Holder:
    """What NumPy reads as an array."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype or self.values.dtype)


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


def check_both_sides(make, values, operators):
    for f in operators:
        for swap in (False, True):
            t = Tensor(values + 0.5, requires_grad=True)
            pair = (t, make(values)) if swap else (make(values), t)
            y = f(*pair)
            assert isinstance(y, Tensor), (f, swap)
            plain = (t.data, values) if swap else (values, t.data)
            np.testing.assert_allclose(y.data, f(*plain))
            y.sum().backward()
            assert t.grad.any()


@pytest.mark.parametrize("make", [Holder, list, tuple, np.array], ids=lambda make: make.__name__)
def test_arrays_and_lists_on_either_side(make):
    check_both_sides(make, np.array([1.0, 2.0, 3.0]), [*OPERATORS, operator.matmul])


def test_a_range_on_either_side():
    check_both_sides(lambda values: range(1, 4), np.array([1.0, 2.0, 3.0]), OPERATORS)


def test_tables_of_pandas_are_taken_as_the_arrays_they_hold():
    pandas = pytest.importorskip("pandas")
    check_both_sides(pandas.Series, np.array([1.0, 2.0, 3.0]), OPERATORS)
    check_both_sides(pandas.Index, np.array([1.0, 2.0, 3.0]), OPERATORS)
    check_both_sides(pandas.DataFrame, np.array([[1.0, 2.0], [3.0, 4.0]]), OPERATORS)
    check_both_sides(pandas.Series, np.array([1.0, 2.0]), [np.add, np.maximum])
    df = pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    w = Tensor([1.0, 2.0], requires_grad=True)
    assert (w @ df).data.tolist() == [5.0, 11.0]
    assert Tensor(df).data.tolist() == [[1.0, 3.0], [2.0, 4.0]]


def test_a_matrix_product_that_pandas_begins_is_refused_with_the_line():
    pandas = pytest.importorskip("pandas")
    df = pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    w = Tensor([1.0, 2.0], requires_grad=True)
    for call in (lambda: df @ w, lambda: df["a"] @ w, lambda: np.matmul(df, w)):
        with pytest.raises(TypeError, match=r"pandas or polars, its array, df\.to_numpy\(\) @ t"):
            call()
    assert (df.to_numpy() @ w).data.tolist() == [7.0, 10.0]


def test_tables_of_polars_on_the_right():
    polars = pytest.importorskip("polars")
    t = Tensor([1.0, 2.0], requires_grad=True)
    series, df = polars.Series([3.0, 4.0]), polars.DataFrame({"a": [3.0, 4.0], "b": [1.0, 0.0]})
    assert (t + series).data.tolist() == [4.0, 6.0]
    assert (t * df).data.tolist() == [[3.0, 2.0], [4.0, 0.0]]
    assert (df @ t).data.tolist() == [5.0, 4.0]
    with pytest.raises(TypeError):  # polars answers first
        series + t
    assert (series.to_numpy() + t).data.tolist() == [4.0, 6.0]
