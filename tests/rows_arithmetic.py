"""The rows of the table of operations for the compositions that compute."""

import numpy as np
from calls import Call, one
from hypothesis import strategies as st

from tinygrad_edu import ops
from tinygrad_edu.testing.strategies import arrays, spaced


@st.composite
def dotted(draw: st.DrawFn) -> Call:
    left, right = draw(
        st.sampled_from([((), (2,)), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2))])
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return tuple(spaced(rng, [left, right], -2.0, 2.0)), {}


@st.composite
def clipped(draw: st.DrawFn) -> Call:
    limits = draw(st.sampled_from([(-1.0, 1.0), (None, 0.5), (-0.5, None), (0.0, 0.0)]))
    x = draw(arrays(kinks=[limit for limit in limits if limit is not None]))
    return (x,), {"a_min": limits[0], "a_max": limits[1]}


ARITHMETIC: dict[ops.Operation, st.SearchStrategy[Call]] = {
    # norms and small linear algebra
    np.dot: dotted(),
    # elementwise
    np.square: one(),
    np.clip: clipped(),
}
