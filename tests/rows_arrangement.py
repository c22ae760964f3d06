"""The rows of the table of operations for the compositions that move numbers."""

from typing import Any

import numpy as np
from calls import Call, along, axis_of, one, sequences
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu import ops
from tinygrad_edu.testing.strategies import arrays, broadcastable, shapes, spaced

VECTORS, MATRICES = shapes(min_dims=1, max_dims=1), shapes(min_dims=2, max_dims=2)


def rng_of(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


# Joining and splitting.


@st.composite
def alike(draw: st.DrawFn, min_dims: int = 0) -> Call:
    """Arrays of one shape."""
    shape = draw(shapes(min_dims=min_dims))
    return tuple(spaced(rng_of(draw), [shape] * draw(st.integers(1, 3)), -2.0, 2.0)), {}


@st.composite
def joined_along(draw: st.DrawFn, axis: int, lengths: tuple[int, ...]) -> Call:
    """Arrays that differ in length along an axis."""
    shape = [*draw(shapes(min_dims=max(axis + 1, 2)))]
    sized = [(*shape[:axis], n, *shape[axis + 1 :]) for n in (2, 1, 3)]
    vectors = [(n,) for n in lengths]
    some = draw(st.sampled_from([sized, vectors, [(), ()]]))[: draw(st.integers(1, 3))]
    return tuple(spaced(rng_of(draw), some, -2.0, 2.0)), {}


@st.composite
def columns(draw: st.DrawFn) -> Call:
    """Vectors and matrices of as many rows."""
    n = draw(st.integers(1, 4))
    sized = draw(st.lists(st.sampled_from([(n,), (n, 1), (n, 3)]), min_size=1, max_size=3))
    return tuple(spaced(rng_of(draw), sized, -2.0, 2.0)), {}


@st.composite
def stacked(draw: st.DrawFn) -> Call:
    parts, _ = draw(alike())
    return parts, {"axis": axis_of(draw, parts[0].ndim + 1)}


@st.composite
def appended(draw: st.DrawFn) -> Call:
    parts, where = draw(sequences())
    return (parts[0], parts[-1] + 5.0), draw(st.sampled_from([where, {}]))


@st.composite
def inserted(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    axis = axis_of(draw, x.ndim)
    n = x.shape[axis]
    obj = draw(st.sampled_from([0, n, -1, [0, n], [n, 0, 0]]))
    rest = [size for i, size in enumerate(x.shape) if i != axis % x.ndim]
    values = draw(arrays(draw(st.sampled_from([(), tuple(rest)]))))
    if np.ndim(obj) and values.ndim:
        values = np.expand_dims(values, axis)
    if draw(st.booleans()):
        obj, values, axis = 0, draw(arrays(VECTORS)), None
    return (x, values), {"obj": obj, "axis": axis}


@st.composite
def parted(draw: st.DrawFn, axis: int | None = None, evenly: bool = True) -> Call:
    low = 1 if axis is None else axis + 1
    x = draw(arrays(shapes(min_dims=low, max_dims=max(low, 3))))
    along_axis = axis_of(draw, x.ndim) if axis is None else axis
    n = x.shape[along_axis]
    sections = [[1], [0, 2, 1], [n + 2], [-1], n, 1] + ([] if evenly else [2, 3])
    where = {"indices_or_sections": draw(st.sampled_from(sections))}
    return (x,), where | ({"axis": along_axis} if axis is None else {})


def hsplit_parted() -> st.SearchStrategy[Call]:
    vectors = arrays(VECTORS).map(lambda x: ((x,), {"indices_or_sections": [1, 2]}))
    return parted(axis=1) | vectors


# Shapes.


@st.composite
def swapped(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    return (x,), {"axis1": axis_of(draw, x.ndim), "axis2": axis_of(draw, x.ndim)}


@st.composite
def axes_moved(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    source, to = draw(st.permutations(range(x.ndim))), draw(st.permutations(range(x.ndim)))
    n = draw(st.integers(1, x.ndim))
    pairs = [(source[0], to[0] - x.ndim), (source[:n], to[:n])]
    return (x,), dict(zip(("source", "destination"), draw(st.sampled_from(pairs)), strict=True))


@st.composite
def rolled_axis(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    return (x,), {"axis": axis_of(draw, x.ndim), "start": draw(st.integers(-x.ndim, x.ndim))}


@st.composite
def expanded(draw: st.DrawFn) -> Call:
    x = draw(arrays())
    ndim = x.ndim + 2
    axes = draw(st.permutations(range(ndim)))[:2]
    return (x,), {"axis": draw(st.sampled_from([0, -1, tuple(axes), (axes[0] - ndim, axes[1])]))}


@st.composite
def squeezed(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(max_side=2)))
    ones = [i for i, n in enumerate(x.shape) if n == 1]
    choices: list[Any] = [None, tuple(ones), tuple(i - x.ndim for i in ones), *ones]
    return (x,), {"axis": draw(st.sampled_from(choices))}


@st.composite
def flipped(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    choices = [None, axis_of(draw, x.ndim), tuple(range(x.ndim))]
    return (x,), {"axis": draw(st.sampled_from(choices))}


@st.composite
def rolled(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    axes = tuple(range(x.ndim))
    shift = draw(st.integers(-5, 5))
    choices = [(shift, None), (shift, axis_of(draw, x.ndim)), ((shift,) * x.ndim, axes)]
    shift, axis = draw(st.sampled_from(choices))
    return (x,), {"shift": shift, "axis": axis}


@st.composite
def rotated(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=2)))
    axes = draw(st.permutations(range(x.ndim)))[:2]
    return (x,), {"k": draw(st.integers(-4, 4)), "axes": (axes[0], axes[1] - x.ndim)}


@st.composite
def tiled(draw: st.DrawFn) -> Call:
    x = draw(arrays())
    counts = st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple)
    return (x,), {"reps": draw(st.integers(0, 3) | counts)}


@st.composite
def repeated(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    axis = draw(st.sampled_from([None, axis_of(draw, x.ndim)]))
    n = x.size if axis is None else x.shape[axis]
    counts = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    return (x,), {"repeats": draw(st.integers(0, 2) | counts), "axis": axis}


@st.composite
def padded(draw: st.DrawFn) -> Call:
    mode = draw(st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))
    x = draw(arrays(shapes(min_dims=1, min_side=2)))
    widths = tuple(draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in x.shape)
    params = {"pad_width": draw(st.sampled_from([1, (2, 0), widths])), "mode": mode}
    if mode == "constant":
        params["constant_values"] = draw(st.sampled_from([0, -1.5, (1, 2)]))
    return (x,), params


@st.composite
def gridded(draw: st.DrawFn) -> Call:
    sized = draw(st.lists(st.sampled_from([(), (1,), (2,), (3,)]), min_size=1, max_size=3))
    params = {"indexing": draw(st.sampled_from(["xy", "ij"])), "sparse": draw(st.booleans())}
    return tuple(spaced(rng_of(draw), sized, -2.0, 2.0)), params


# Choosing.


@st.composite
def taken(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    axis = draw(st.sampled_from([None, axis_of(draw, x.ndim)]))
    n = x.size if axis is None else x.shape[axis]
    mode = draw(st.sampled_from(["raise", "wrap", "clip"]))
    within = st.integers(-n, n - 1) if mode == "raise" else st.integers(-9, 9)
    indices = draw(hnp.arrays(int, draw(shapes(min_dims=0, max_dims=2)), elements=within))
    return (x,), {"indices": indices, "axis": axis, "mode": mode}


@st.composite
def taken_along(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    axis = axis_of(draw, x.ndim)
    n = x.shape[axis]
    shape = list(x.shape)
    shape[axis] = draw(st.integers(1, 3))
    indices = draw(hnp.arrays(int, tuple(shape), elements=st.integers(-n, n - 1)))
    return (x,), {"indices": indices, "axis": axis}


@st.composite
def deleted(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    axis = draw(st.sampled_from([None, axis_of(draw, x.ndim)]))
    return (x,), {"obj": draw(st.sampled_from([0, -1, [0, 0], slice(0, 2)])), "axis": axis}


@st.composite
def compressed(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    axis = draw(st.sampled_from([None, axis_of(draw, x.ndim)]))
    n = x.size if axis is None else x.shape[axis]
    condition = draw(st.lists(st.booleans(), min_size=0, max_size=n))
    return (x,), {"condition": condition, "axis": axis}


@st.composite
def extracted(draw: st.DrawFn) -> Call:
    x = draw(arrays())
    return (x,), {"condition": draw(hnp.arrays(bool, x.shape))}


@st.composite
def chosen_from(draw: st.DrawFn) -> Call:
    choices = draw(broadcastable(3))
    shape = np.broadcast_shapes(*map(np.shape, choices))
    numbers = hnp.arrays(int, shape, elements=st.integers(-4, 5))
    mode = draw(st.sampled_from(["raise", "wrap", "clip"]))
    picks = draw(numbers)
    return choices, {"a": picks % 3 if mode == "raise" else picks, "mode": mode}


@st.composite
def selected(draw: st.DrawFn) -> Call:
    choices = draw(broadcastable(3))
    shape = np.broadcast_shapes(*map(np.shape, choices))
    return choices, {"condlist": [draw(hnp.arrays(bool, shape)) for _ in range(2)]}


@st.composite
def parted_at(draw: st.DrawFn) -> Call:
    """By every kth: for one only, NumPy leaves the rest in an order of its own."""
    (x,), where = draw(along(or_none=False))
    return (x,), {"kth": list(range(x.shape[where["axis"]])), **where}


@st.composite
def on_a_diagonal(draw: st.DrawFn, of: Any) -> Call:
    return (draw(arrays(of)),), {"k": draw(st.integers(-3, 3))}


@st.composite
def diagonals(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=2)))
    first, second = draw(st.permutations(range(x.ndim)))[:2]
    offset = draw(st.integers(-3, 3))
    return (x,), {"offset": offset, "axis1": first, "axis2": second - x.ndim}


# Neighbours.


@st.composite
def differences(draw: st.DrawFn) -> Call:
    (x,), where = draw(along(or_none=False))
    return (x,), {"n": draw(st.integers(0, 5)), **where}


@st.composite
def slopes(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1, min_side=2)))
    axes = tuple(draw(st.permutations(range(x.ndim)))[: draw(st.integers(1, x.ndim))])
    params = {"axis": draw(st.sampled_from([None, axis_of(draw, x.ndim), axes]))}
    return (x,), params | draw(st.sampled_from([{}, {"spacing": 0.5}]))


@st.composite
def areas(draw: st.DrawFn) -> Call:
    y = draw(arrays(shapes(min_dims=1)))
    axis = axis_of(draw, y.ndim)
    x = draw(arrays(draw(st.sampled_from([y.shape, y.shape[axis]]))))
    if draw(st.booleans()):
        return (y, x), {"axis": axis}
    return (y,), {"dx": 0.5, "axis": axis}


@st.composite
def convolved(draw: st.DrawFn) -> Call:
    a, v = spaced(
        rng_of(draw), draw(st.tuples(*[st.integers(1, 6).map(lambda n: (n,))] * 2)), -2, 2
    )
    return (a, v), {"mode": draw(st.sampled_from(["full", "same", "valid"]))}


@st.composite
def interpolated(draw: st.DrawFn) -> Call:
    """Points on the line away from its corners, and beyond its ends."""
    n = draw(st.integers(2, 4))
    corners = np.sort(draw(arrays(n, low=-1.5, high=1.5)))
    x = draw(arrays(kinks=corners))
    return (x, corners, draw(arrays(n))), {}


@st.composite
def windows(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    axis = axis_of(draw, x.ndim)
    return (x,), {"window_shape": draw(st.integers(1, x.shape[axis])), "axis": axis}


@st.composite
def filled(draw: st.DrawFn) -> Call:
    x = draw(arrays())
    return (x, draw(arrays(draw(st.sampled_from([(), x.shape, x.shape[-1:]]))))), {}


ARRANGEMENT: dict[ops.Operation, st.SearchStrategy[Call]] = {
    # joining and splitting
    np.concatenate: sequences(),
    np.stack: stacked(),
    np.vstack: joined_along(axis=0, lengths=(3, 3)),
    np.hstack: joined_along(axis=1, lengths=(3, 1)),
    np.dstack: joined_along(axis=2, lengths=(3, 3)),
    np.column_stack: columns(),
    np.append: appended(),
    np.insert: inserted(),
    np.split: parted(),
    np.array_split: parted(evenly=False),
    np.hsplit: hsplit_parted(),
    np.vsplit: parted(axis=0).filter(lambda call: call[0][0].ndim > 1),
    np.dsplit: parted(axis=2),
    **({np.unstack: along(or_none=False)} if hasattr(np, "unstack") else {}),  # not in NumPy 2.0
    # shapes
    np.ravel: one(),
    np.expand_dims: expanded(),
    np.squeeze: squeezed(),
    np.atleast_1d: alike(),
    np.atleast_2d: alike(),
    np.atleast_3d: alike(),
    np.swapaxes: swapped(),
    np.moveaxis: axes_moved(),
    np.rollaxis: rolled_axis(),
    np.matrix_transpose: one(shape=shapes(min_dims=2)),
    np.broadcast_arrays: broadcastable(3).map(lambda parts: (parts, {})),
    np.meshgrid: gridded(),
    np.flip: flipped(),
    np.fliplr: one(shape=shapes(min_dims=2)),
    np.flipud: one(shape=shapes(min_dims=1)),
    np.rot90: rotated(),
    np.roll: rolled(),
    np.tile: tiled(),
    np.repeat: repeated(),
    np.resize: arrays().map(lambda x: ((x,), {"new_shape": (3, 2)})),
    np.pad: padded(),
    # choosing
    np.take: taken(),
    np.take_along_axis: taken_along(),
    np.delete: deleted(),
    np.compress: compressed(),
    np.extract: extracted(),
    np.choose: chosen_from(),
    np.select: selected(),
    np.sort: along(),
    np.partition: parted_at(),
    np.diag: on_a_diagonal(VECTORS) | on_a_diagonal(MATRICES),
    np.diagflat: on_a_diagonal(shapes(max_side=2)),
    np.diagonal: diagonals(),
    np.tril: on_a_diagonal(shapes(min_dims=1)),
    np.triu: on_a_diagonal(shapes(min_dims=1)),
    # neighbours
    np.diff: differences(),
    np.gradient: slopes(),
    np.trapezoid: areas(),
    np.convolve: convolved(),
    np.correlate: convolved(),
    np.interp: interpolated(),
    np.lib.stride_tricks.sliding_window_view: windows(),
    # copying
    np.copy: one(),
    np.real: one(),
    np.conjugate: one(),
    np.astype: arrays()
    .filter(lambda x: x.ndim or hasattr(np, "unstack"))  # NumPy 2.0 takes no single number
    .map(lambda x: ((x,), {"dtype": np.float64})),
    np.full_like: filled(),
}


def of_a_list(op: ops.Operation) -> ops.Operation:
    return lambda *arrays, **params: op(arrays, **params)


def in_a_row(op: ops.Operation) -> ops.Operation:
    """The results of a call, one or several, as one."""

    def called(*arrays: Any, **params: Any) -> Any:
        found = op(*arrays, **params)
        return np.concatenate(found, None) if isinstance(found, list | tuple) else found

    return called


def gradient(f: Any, spacing: Any = None, **params: Any) -> Any:
    return np.gradient(f, *([] if spacing is None else [spacing]), **params)


# Calls that are not op(*arrays, **params), or give more than one array.
SPELLED: dict[ops.Operation, ops.Operation] = {
    **{op: of_a_list(op) for op in (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack)},
    np.column_stack: of_a_list(np.column_stack),
    **{op: in_a_row(op) for op in (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit)},
    **{op: in_a_row(op) for op in (np.broadcast_arrays, np.meshgrid)},
    **({np.unstack: in_a_row(np.unstack)} if hasattr(np, "unstack") else {}),
    **{op: in_a_row(op) for op in (np.atleast_1d, np.atleast_2d, np.atleast_3d)},
    np.gradient: in_a_row(gradient),
    np.reshape: lambda x, shape: np.reshape(x, shape),  # shape= is a name since NumPy 2.1
    np.astype: lambda x, dtype: np.astype(x, dtype),
    np.full_like: lambda x, value: np.full_like(x, value) * x,
    np.insert: lambda x, values, obj, axis: np.insert(x, obj, values, axis),
    np.compress: lambda x, condition, axis: np.compress(condition, x, axis),
    np.extract: lambda x, condition: np.extract(condition, x),
    np.choose: lambda *choices, a, mode: np.choose(a, choices, mode=mode),
    np.select: lambda a, b, c, condlist: np.select(condlist, [a, b], c),
}
