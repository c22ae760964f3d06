"""The rows of the table of operations for the compositions that move numbers."""

from typing import Any

import numpy as np
from calls import Call, axis_of, sequences
from hypothesis import strategies as st

from tinygrad_edu import ops
from tinygrad_edu.testing.strategies import arrays, shapes, spaced


@st.composite
def swapped(draw: st.DrawFn) -> Call:
    x = draw(arrays(shapes(min_dims=1)))
    return (x,), {"axis1": axis_of(draw, x.ndim), "axis2": axis_of(draw, x.ndim)}


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
def stacked(draw: st.DrawFn) -> Call:
    shape = draw(shapes())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = spaced(rng, [shape] * draw(st.integers(1, 3)), -2.0, 2.0)
    return tuple(parts), {"axis": axis_of(draw, len(shape) + 1)}


ARRANGEMENT: dict[ops.Operation, st.SearchStrategy[Call]] = {
    # joining and splitting
    np.concatenate: sequences(),
    np.stack: stacked(),
    # shapes
    np.swapaxes: swapped(),
    np.expand_dims: expanded(),
    np.squeeze: squeezed(),
    np.flip: flipped(),
}

TAKES_A_LIST = {np.concatenate, np.stack}
