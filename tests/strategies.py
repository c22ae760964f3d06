"""The table of operations: what each is called with, over its whole domain but for the kinks."""

from typing import Any

import numpy as np
from calls import Call, along, one, reduced, sequences, two
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rows_arithmetic import ARITHMETIC
from rows_arrangement import ARRANGEMENT

from tinygrad_edu import ops
from tinygrad_edu.testing.strategies import arrays, broadcastable, shapes, spaced


@st.composite
def powers(draw: st.DrawFn) -> Call:
    base, exponent = draw(broadcastable(2, low=0.2, high=2.5))
    return (base, exponent - 1.5), {}


@st.composite
def step(draw: st.DrawFn) -> Call:
    """Numbers away from the step, or signs, which are not differentiated and may stand on it."""
    x, at_zero = draw(broadcastable(2, kinks=[0]))
    return (draw(st.sampled_from([x, x.round().astype(int)])), at_zero), {}


@st.composite
def chosen(draw: st.DrawFn) -> Call:
    c, a, b = draw(broadcastable(3))
    return (c > 0, a, b), {}


@st.composite
def products(draw: st.DrawFn) -> Call:
    drawn = draw(
        hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3)
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return tuple(spaced(rng, drawn.input_shapes, -2.0, 2.0)), {}


@st.composite
def reshaped(draw: st.DrawFn) -> Call:
    x = draw(arrays())
    shape = draw(st.sampled_from([x.shape[::-1], (-1,), x.size, (1, *x.shape), (x.size, 1, 1)]))
    return (x,), {"shape": shape}


@st.composite
def permuted(draw: st.DrawFn) -> Call:
    x = draw(arrays())
    axes = draw(st.permutations(range(x.ndim)))
    signed = [i - x.ndim if draw(st.booleans()) else i for i in axes]
    return (x,), {"axes": draw(st.sampled_from([None, signed, tuple(axes)]))}


@st.composite
def stretched(draw: st.DrawFn) -> Call:
    x = draw(arrays())
    shape = tuple(3 if n == 1 and draw(st.booleans()) else n for n in x.shape)
    return (x,), {"shape": draw(st.sampled_from([(), (2,), (1, 2)])) + shape}


@st.composite
def indices(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """An index of any kind: basic, boolean, integers with repeats, and both at once."""
    n = shape[0]
    integers = hnp.arrays(int, draw(shapes(max_dims=2)), elements=st.integers(-n, n - 1))
    return draw(
        hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
        | hnp.arrays(bool, shape)
        | hnp.arrays(bool, n)
        | integers
        | integers.map(lambda rows: (rows, ...))
        | integers.map(lambda rows: (..., rows % shape[-1]))
        | integers.map(lambda rows: (rows, *([None] if len(shape) == 1 else [rows % shape[1]])))
    )


@st.composite
def indexed(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    return (x,), {"index": draw(indices(x.shape))}


@st.composite
def scattered(draw: st.DrawFn) -> Call:
    (x,), index = draw(indexed())
    g = draw(arrays(np.shape(x[index["index"]])))
    return (g,), {"shape": x.shape, **index}


@st.composite
def joined(draw: st.DrawFn) -> Call:
    """As ``sequences``, in the terms of the primitive: the positions where the arrays meet."""
    parts, where = draw(sequences())
    axis = where["axis"] % parts[0].ndim
    edges = [0, *np.cumsum([part.shape[axis] for part in parts])]
    return parts, {"axis": axis, "edges": edges}


OPERATIONS: dict[ops.Operation, st.SearchStrategy[Call]] = {
    np.positive: one(),
    np.negative: one(),
    np.add: two(),
    np.subtract: two(),
    np.multiply: two(),
    np.divide: two(low=0.2) | two(high=-0.2),
    np.power: powers(),
    np.exp: one(),
    np.expm1: one(),
    np.log: one(low=0.1),
    np.log1p: one(low=-0.9),
    np.sqrt: one(low=0.1),
    np.sin: one(low=-7.0, high=7.0),
    np.cos: one(low=-7.0, high=7.0),
    np.tanh: one(low=-4.0, high=4.0),
    np.absolute: one(kinks=[0]),
    np.sign: one(kinks=[0]),
    np.heaviside: step(),
    np.maximum: two(),
    np.minimum: two(),
    np.where: chosen(),
    np.reshape: reshaped(),
    np.transpose: permuted(),
    np.broadcast_to: stretched(),
    ops.broadcast: stretched(),
    ops.cast: arrays().map(lambda x: ((x,), {"dtype": np.float64})),
    np.sum: reduced(),
    np.mean: reduced(),
    np.max: reduced(),
    np.min: reduced(),
    np.cumsum: along(),
    np.matmul: products(),
    ops.sigmoid: one(low=-6.0, high=6.0),
    ops.softplus: one(low=-6.0, high=6.0),
    ops.getitem: indexed(),
    ops.scatter: scattered(),
    ops.concatenate: joined(),
    **ARITHMETIC,
    **ARRANGEMENT,
}
