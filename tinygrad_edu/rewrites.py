"""Faster calls for the lines of a traced function: a small table, each row with its gain.

A rewrite is given the lines that are written so far and the operands of the next, and gives the
operand that computes the same, or None. The numbers stay the same, bit for bit, but for sums. Gains
are parts of the time of a hand-written softmax step of 64 examples, 64 features and 10 classes.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu import kernels, ops
from tinygrad_edu.functional import check_labels
from tinygrad_edu.kernels import quick
from tinygrad_edu.tracing import INPUTS, Line, Trace, each, key_of, lines_in, value_of

Rewrite = Callable[..., Any]
SHORT = 512  # so many numbers are short
CHECK_LABELS = check_labels.__wrapped__  # type: ignore[attr-defined]


def is_array(x: Any) -> bool:
    """Whether an operand is an array with axes, and no single number."""
    return np.ndim(value_of(x)) > 0


def _copy(_lines: Any, x: Any, *_order: Any, **_params: Any) -> Any:
    """A copy is what it is a copy of: no line changes what another has made."""
    return x


def _cast(_lines: Any, x: Any, *args: Any, dtype: Any = None, **_params: Any) -> Any:
    """Likewise in the same dtype."""
    dtype = args[0] if args else dtype
    return x if np.dtype(dtype) == np.asarray(value_of(x)).dtype else None


def _power(lines: Any, a: Any, b: Any) -> Any:
    """A square can be put into a buffer; ``x ** 1`` is ``x``."""
    if type(b) not in (int, float) or not is_array(a) or value_of(a).dtype.kind != "f":
        return None
    return lines.emit(np.square, a) if b == 2 else a if b == 1 else None


def _mean(lines: Any, x: Any, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
    """A mean is a sum by the number of elements; np.mean is written in Python: 0.04."""
    value = value_of(x)
    if more or np.ndim(value) == 0 or value.size == 0 or value.dtype.char not in "fd":
        return None
    total = lines.emit(np.sum, x, axis=axis, keepdims=keepdims)
    return lines.emit(np.divide, total, value.size // np.size(value_of(total)))


def _sum(lines: Any, x: Any, axis: Any = None, **params: Any) -> Any:
    """A reduction can be put into a buffer. Of few numbers, a product with ones is faster: 0.11.

    It may add them in another order; ``exact`` keeps the order.
    """
    if not is_array(x):
        return None
    if not lines.exact:
        product = _product_with_ones(lines, x, axis, **params)
        if product is not None:
            return product
    return lines.emit(np.add.reduce, x, axis=axis, **params)


def _product_with_ones(lines: Any, x: Any, axis: Any, keepdims: bool = False, **more: Any) -> Any:
    value = value_of(x)
    if more or value.dtype.char not in "fd" or not 0 < value.size <= SHORT * SHORT:
        return None
    axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
    if value.ndim == 1 and axis in (None, 0, -1) and len(value) <= SHORT and not keepdims:
        return lines.emit(np.matmul, x, np.ones(len(value), value.dtype))
    if value.ndim != 2 or type(axis) is not int or value.shape[axis] > SHORT:
        return None
    ones = np.ones(value.shape[axis], value.dtype)
    by_rows = axis in (1, -1)
    total = lines.emit(np.matmul, *((x, ones) if by_rows else (ones, x)))
    shape = (-1, 1) if by_rows else (1, -1)
    return lines.emit(np.reshape, total, shape=shape) if keepdims else total


def _extremum(reduce: Any) -> Rewrite:
    def rewrite(lines: Any, x: Any, axis: Any = None, **params: Any) -> Any:
        """The extremum of short rows takes a third of the time in a copy by columns: 0.03."""
        if not is_array(x):
            return None
        value = value_of(x)
        if value.ndim == 2 and axis in (1, -1) and 1 < value.shape[1] < 32:
            x = lines.emit(by_columns, x)
        return lines.emit(reduce, x, axis=axis, **params)

    return rewrite


def _sigmoid(lines: Any, x: Any) -> Any:
    """Of few numbers, each of its steps can be put into a buffer."""
    value = value_of(x)
    if np.ndim(value) == 0 or value.size > kernels.BLOCK or value.dtype.char not in "fd":
        return None
    power = lines.emit(np.exp, lines.emit(np.negative, x), quiet={"over": "ignore"})
    return lines.emit(np.divide, 1, lines.emit(np.add, power, 1))


def _transpose(_lines: Any, x: Any, axes: Any = None) -> Any:
    """Transposed twice, it is as before."""
    twice = isinstance(x, Line) and x.op is np.transpose and axes is x.params.get("axes") is None
    return x.args[0] if twice else None


def _getitem(lines: Any, x: Any, index: Any) -> Any:
    """One element of each row is taken from the rows put one behind the other: 0.05.

    What NumPy gives in another order of memory is put in order, so that sums are the same.
    """
    if type(index) is tuple and not index and is_array(x):
        return x
    places = _places(lines, x, index)
    if places is None:
        is_turned = not is_basic(index) and value_of(x)[each(value_of, index)].base is not None
        return lines.emit(kernels.getitem, x, index=index) if is_turned else None
    return lines.emit(ops.getitem, lines.emit(np.reshape, x, shape=(-1,)), index=places)


def is_basic(index: Any) -> bool:
    """Whether an index gives a view: it has no arrays in it, which NumPy calls basic indexing."""
    return not any(map(is_array, index if isinstance(index, tuple) else (index,)))


def _add(lines: Any, a: Any, b: Any, **params: Any) -> Any:
    """To add what is 0 but for one place in each row: 0.05."""
    if params:
        return None
    for x, y in ((a, b), (b, a)):
        if isinstance(y, Line) and y.op is ops.scatter and np.shape(value_of(x)) == y.value.shape:
            places = _places(lines, y, y.params["index"])
            if places is not None and value_of(x).dtype == y.value.dtype:
                flat = lines.emit(add_at, lines.emit(np.reshape, x, shape=(-1,)), *y.args, places)
                return lines.emit(np.reshape, flat, shape=y.value.shape)
    return None


def _places(lines: Any, x: Any, index: Any) -> Any:
    """Where ``(arange(n), labels)`` points in the rows of ``x``, put one behind the other."""
    value = value_of(x)
    if type(index) is not tuple or len(index) != 2 or np.ndim(value) != 2:
        return None
    rows, labels = index
    is_checked = isinstance(labels, Line) and (labels, value.shape[1]) in lines.labels
    if not is_checked or not isinstance(rows, np.ndarray):  # else negative, perhaps
        return None
    if np.result_type(rows, labels.value).kind != "i":  # but float64 of int64 and uint64
        return None
    if not np.array_equal(rows, np.arange(len(value))):
        return None
    return lines.emit(np.add, rows * value.shape[1], labels)


def part_of(x: Any, index: Any) -> Any:
    """``x[index]``, which may be a view: no line changes what another has made."""
    return x[index]


def by_columns(x: Any) -> Any:
    """A copy that lies in memory column by column."""
    return np.copy(x, order="F")


def add_at(x: Any, values: Any, places: Any) -> Any:
    """``x`` with ``values`` added at places that differ."""
    y = x.copy()
    y[places] += values
    return y


REWRITES: dict[Any, Rewrite] = {
    np.copy: _copy,
    np.positive: _copy,
    np.astype: _cast,
    ops.cast: _cast,
    pow: _power,
    np.transpose: _transpose,
    np.mean: _mean,
    np.sum: _sum,
    np.max: _extremum(np.maximum.reduce),
    np.min: _extremum(np.minimum.reduce),
    ops.sigmoid: _sigmoid,
    ops.getitem: _getitem,
    np.add: _add,
}


def _not_repeated(x: Any, other: Any) -> Any:
    """An operand before it was broadcast, where the other one makes NumPy broadcast it: 0.05."""
    if _is_repeated(x) and not _is_repeated(other) and np.shape(value_of(other)) == x.value.shape:
        return x.args[0]
    return x


def _is_repeated(x: Any) -> bool:
    return isinstance(x, Line) and x.op is ops.broadcast


def is_elementwise_ufunc(op: Any) -> bool:
    """Whether it is a ufunc that takes single elements, which np.matmul does not."""
    return isinstance(op, np.ufunc) and op.signature is None


def called(op: Any, params: Any) -> Any:
    """What is called for an operation: a quick function that does the same, if there is one."""
    if op is ops.getitem:
        return part_of
    if hasattr(op, "rules"):
        return getattr(op, "__wrapped__", op)  # without the look for Tensors among its arguments
    if op is np.astype and params.keys() <= {"dtype"}:
        return kernels.cast  # a method, which NumPy 2.0 has for single numbers, too
    others = params.keys() - {"axis", "keepdims", "shape", "axes"}  # which quick ones do not take
    return op if isinstance(op, np.ufunc) or others else quick.get(op, op)


class Rewriting:
    """The lines that are needed, rewritten; equal ones are one. ``leaving``: what is wanted."""

    def __init__(self, trace: Trace, leaving: list[Any], exact: bool) -> None:
        self.exact = exact  # whether sums keep their order
        self.labels: set[Any] = set()  # pairs: what was checked, and for how many classes
        self._new: dict[Line, Any] = {line: line for line in trace.arguments}
        self._lines: dict[Any, Line] = {}
        self._first = len(trace.arguments)  # the number of the first line
        for line in needed([*trace.lines.values()], leaving):
            self._line = line
            args = line.args if line.op in INPUTS else each(self._renewed, line.args)
            params = each(self._renewed, line.params)
            if line.op is operator.getitem:
                self._new[line] = self.emit(ops.getitem, args[0], index=args[1])
            else:
                self._new[line] = self.emit(line.op, *args, **params)
            if line.op is CHECK_LABELS and isinstance(args[0], Line):
                self.labels.add((args[0], args[1]))
        self.leaving = each(self._renewed, leaving)
        self.lines = needed([*self._lines.values()], self.leaving)

    def _renewed(self, x: Any) -> Any:
        return self._new[x] if isinstance(x, Line) else x

    def emit(self, op: Any, *args: Any, quiet: Any = None, **params: Any) -> Any:
        """The operand that computes ``op(*args, **params)``: a line, or a constant."""
        if is_elementwise_ufunc(op) and len(args) == 2:
            args = _not_repeated(*args), _not_repeated(*args[::-1])
            args = self._in_array(*args), self._in_array(*args[::-1])
        if op in REWRITES:
            rewritten = REWRITES[op](self, *args, **params)
            if rewritten is not None:
                return rewritten
        settings = tuple(sorted((dict(self._line.quiet) | (quiet or {})).items()))
        key = key_of(op, args, params, settings)
        if key not in self._lines:
            value = self._value(op, args, params)
            if op not in INPUTS and not any(lines_in((args, params))):
                return value
            number = self._first + len(self._lines)
            part, where = self._line.part, self._line.where
            self._lines[key] = Line(op, args, params, value, number, part, where, settings)
        return self._lines[key]

    def _in_array(self, x: Any, other: Any) -> Any:
        """A number of Python in an array, in which a ufunc takes it in half of the time: 0.02."""
        if type(value_of(x)) not in (int, float) or not is_array(other):
            return x
        dtype = value_of(other).dtype
        if dtype.kind != "f" or abs(value_of(x)) > np.finfo(dtype).max:
            return x
        is_line = isinstance(x, Line)
        return self.emit(np.asarray, x, dtype=dtype) if is_line else np.array(x, dtype)

    def _value(self, op: Any, args: Any, params: Any) -> Any:
        if op in INPUTS or self._line.value is None:  # a check, which has been made
            return self._line.value
        with np.errstate(all="ignore"):  # the program will warn
            return called(op, params)(*each(value_of, args), **each(value_of, params))


def needed(lines: list[Line], leaving: list[Any]) -> list[Line]:
    """Those that lead to what leaves the program, or that check data."""
    wanted = {*lines_in(leaving)}
    kept = []
    for line in reversed(lines):
        if line in wanted or line.value is None:
            wanted.update(line.operands())
            kept.append(line)
    return kept[::-1]
