"""How operations are called, over their whole domain but for the kinks: strategies for one call.

A call is the arrays, then the parameters by name.
"""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_edu.testing.strategies import arrays, broadcastable, shapes, spaced

Call = tuple[tuple[Any, ...], dict[str, Any]]


def one(**domain: Any) -> st.SearchStrategy[Call]:
    return arrays(**domain).map(lambda x: ((x,), {}))


def two(**domain: Any) -> st.SearchStrategy[Call]:
    return broadcastable(2, **domain).map(lambda pair: (pair, {}))


def axis_of(draw: st.DrawFn, ndim: int) -> int:
    return draw(st.integers(-ndim, ndim - 1))


@st.composite
def reduced(draw: st.DrawFn) -> Call:
    x = draw(arrays())
    axes = st.none()
    if x.ndim:
        several = st.lists(st.integers(0, x.ndim - 1), unique=True).map(tuple)
        signed = several.map(lambda some: tuple(i - x.ndim if i % 2 else i for i in some))
        axes |= st.integers(-x.ndim, x.ndim - 1) | several | signed
    return (x,), {"axis": draw(axes), "keepdims": draw(st.booleans())}


@st.composite
def along(draw: st.DrawFn, or_none: bool = True, **domain: Any) -> Call:
    x = draw(arrays(shapes(min_dims=1), **domain))
    return (x,), {"axis": None if or_none and draw(st.booleans()) else axis_of(draw, x.ndim)}


@st.composite
def sequences(draw: st.DrawFn) -> Call:
    """Arrays that differ in length along one axis, and that axis."""
    shape, count = draw(shapes(min_dims=1)), draw(st.integers(1, 3))
    axis = axis_of(draw, len(shape))
    sized = []
    for _ in range(count):
        parts = list(shape)
        parts[axis] = draw(st.integers(1, 3))
        sized.append(tuple(parts))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return tuple(spaced(rng, sized, -2.0, 2.0)), {"axis": axis}
