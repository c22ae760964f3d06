"""The rows of the table of operations for the NumPy functions that compute.

First those with a rule of their own, then those of ``numpy_arithmetic`` and ``numpy_linalg``.
"""

from typing import Any

import numpy as np
from calls import Call, along, axis_of, one, reduced, two
from hypothesis import strategies as st

from tinygrad_edu import ops
from tinygrad_edu.testing.strategies import arrays, broadcastable, shapes, spaced

small = shapes(max_dims=2, max_side=3)


def seeded(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


# Numbers that keep off kinks and steps.


def signed(draw: st.DrawFn, shape: Any) -> Any:
    """Numbers of either sign, not near 0, such that neither their sizes nor sums of them tie."""
    sizes = draw(arrays(shape, low=0.45, high=1.4)) ** 2  # evenly spaced ones have equal sums
    return np.asarray(sizes * seeded(draw).choice([-1.0, 1.0], sizes.shape))


@st.composite
def between_steps(draw: st.DrawFn, decimals: int = 0) -> Any:
    """Numbers that are neither near an integer nor near a half, but for a power of ten."""
    x = draw(arrays(small))
    return np.asarray((np.round(x) + 0.25 * np.sign(x)) / 10.0**decimals)


@st.composite
def divided(draw: st.DrawFn) -> Call:
    """Two numbers whose quotient is not near an integer."""
    quotient, b = draw(broadcastable(2, low=0.3))
    a = (np.floor(quotient) + 0.4) * b * draw(st.sampled_from([-1.0, 1.0]))
    return (np.asarray(a), b), {}


@st.composite
def rounded(draw: st.DrawFn) -> Call:
    decimals = draw(st.sampled_from([0, 1, -1]))
    return (draw(between_steps(decimals)),), {"decimals": decimals}


# Statistics.


@st.composite
def spread(draw: st.DrawFn) -> Call:
    """Some numbers along each axis, because one alone does not deviate."""
    x = draw(arrays(shapes(min_dims=1, min_side=2, max_side=3)))
    axis = draw(st.sampled_from([None, axis_of(draw, x.ndim), tuple(range(x.ndim))]))
    ddof = draw(st.sampled_from([0, 1, 0.5]))
    return (x,), {"axis": axis, "ddof": ddof, "keepdims": draw(st.booleans())}


@st.composite
def weighted(draw: st.DrawFn) -> Call:
    """Weights of the same shape, or of one axis, or none."""
    shape = draw(shapes(min_dims=1, max_dims=2, max_side=3))
    axis = axis_of(draw, len(shape))
    of = draw(st.sampled_from([shape, shape[axis : axis + 1 or None]]))
    x, weights = spaced(seeded(draw), [shape, of], 0.2, 2.0)
    axes = [axis] if of != shape else [axis, None, tuple(range(len(shape)))]
    axis = draw(st.sampled_from(axes))
    arguments = draw(st.sampled_from([(x, axis), (x, axis, weights)]))
    return arguments, {"keepdims": draw(st.booleans())}


@st.composite
def quantiles(draw: st.DrawFn, whole: float) -> Call:
    """As a parameter, or to be differentiated, too, and between two numbers then."""
    (x,), named = draw(reduced())
    if draw(st.booleans()):
        return (x, whole * np.array(draw(st.sampled_from([0.43, [0.43, 0.63]])))), named
    q = draw(st.sampled_from([0.3, 1.0, [0.0, 0.5], [[0.9], [0.25]]]))
    return (x,), {**named, "q": np.multiply(q, whole).tolist()}


@st.composite
def with_zeros(draw: st.DrawFn, calls: st.SearchStrategy[Call]) -> Call:
    (x,), named = draw(calls)
    return (np.where(seeded(draw).random(x.shape) < 0.3, 0.0, x),), named


# Norms, products, linear algebra.


@st.composite
def normed(draw: st.DrawFn) -> Call:
    x = signed(draw, shapes(min_dims=1, max_side=3))
    keepdims = draw(st.booleans())
    if x.ndim == 1 or draw(st.booleans()):
        degree = draw(st.sampled_from([None, 0, 1, 2, 3, 2.5, 0.5, -1, -2, np.inf, -np.inf]))
        return (x,), {"ord": degree, "axis": axis_of(draw, x.ndim), "keepdims": keepdims}
    kind = draw(st.sampled_from([None, "fro", 1, -1, np.inf, -np.inf]))
    axis = tuple(draw(st.permutations(range(-x.ndim, 0)))[:2])
    if draw(st.booleans()) and (kind is None or x.ndim == 2):
        axis = None
    return (x,), {"ord": kind, "axis": axis, "keepdims": keepdims}


@st.composite
def shaped(draw: st.DrawFn, *calls: Any) -> Call:
    """One of some calls: the shapes of its arrays, and perhaps its parameters."""
    *of, named = draw(st.sampled_from([(*call, {}) for call in calls]))
    if of and isinstance(of[-1], dict):
        named = of.pop()
    return tuple(spaced(seeded(draw), of, -2.0, 2.0)), named


SUMS = {  # the letters of np.einsum, and shapes
    "ij,jk->ik": ((2, 3), (3, 2)),
    "ij,jk": ((2, 3), (3, 2)),
    "ba": ((2, 3),),
    "ii": ((3, 3),),
    "iij->ji": ((2, 2, 3),),
    "i,i->i": ((3,), (3,)),
    "i,j->ji": ((2,), (3,)),
    "ij,kl->i": ((2, 3), (2, 2)),
    "...ij,...jk->...ik": ((2, 1, 2, 3), (3, 3, 2)),
    "i...,j...": ((2, 3), (2, 1)),
    "b...,b...->...": ((2, 3), (2, 3)),
    "ij, jk, ki ->": ((2, 3), (3, 2), (2, 2)),
    "i,ij,j": ((2,), (2, 3), (3,)),
}


@st.composite
def einsums(draw: st.DrawFn) -> Call:
    subscripts = draw(st.sampled_from(list(SUMS)))
    return (subscripts, *spaced(seeded(draw), SUMS[subscripts], -2.0, 2.0)), {}


def regular(draw: st.DrawFn) -> Any:
    """A stack of matrices that are far from singular."""
    n = draw(st.integers(1, 4))
    stack = draw(st.sampled_from([(), (2,)]))
    x = spaced(seeded(draw), [(*stack, n, n)], -1.0, 1.0)[0]
    return x + 4 * draw(st.sampled_from([-1.0, 1.0])) * np.eye(n)


@st.composite
def matrices(draw: st.DrawFn) -> Call:
    return (regular(draw),), {}


@st.composite
def equations(draw: st.DrawFn) -> Call:
    a = regular(draw)
    n = a.shape[-1]
    b = draw(st.sampled_from([(n,), (n, 2), (2, n, 1)]))
    return (a, *spaced(seeded(draw), [b], -2.0, 2.0)), {}


# Elementwise.


@st.composite
def clipped(draw: st.DrawFn) -> Call:
    limits = draw(st.sampled_from([(-1.0, 1.0), (None, 0.5), (-0.5, None), (0.0, 0.0)]))
    x = draw(arrays(kinks=[limit for limit in limits if limit is not None]))
    return (x,), {"a_min": limits[0], "a_max": limits[1]}


ARITHMETIC: dict[ops.Operation, st.SearchStrategy[Call]] = {
    # rules
    np.log2: one(shape=small, low=0.1),
    np.log10: one(shape=small, low=0.1),
    np.cbrt: one(shape=small, low=0.1) | one(shape=small, high=-0.1),
    np.reciprocal: one(shape=small, low=0.2) | one(shape=small, high=-0.2),
    np.tan: one(shape=small, low=-1.3, high=1.3),
    np.arcsin: one(shape=small, low=-0.9, high=0.9),
    np.arccos: one(shape=small, low=-0.9, high=0.9),
    np.arctan: one(shape=small, low=-5.0, high=5.0),
    np.sinh: one(shape=small),
    np.cosh: one(shape=small),
    np.arcsinh: one(shape=small, low=-5.0, high=5.0),
    np.arccosh: one(shape=small, low=1.1, high=5.0),
    np.arctanh: one(shape=small, low=-0.9, high=0.9),
    np.arctan2: two(low=0.2) | two(high=-0.2) | two(low=-5.0, high=5.0, kinks=[0]),
    np.hypot: two(kinks=[0]),
    np.logaddexp: two(low=-5.0, high=5.0),
    np.copysign: two(kinks=[0]),
    np.floor: between_steps().map(lambda x: ((x,), {})),
    np.ceil: between_steps().map(lambda x: ((x,), {})),
    np.trunc: between_steps().map(lambda x: ((x,), {})),
    np.rint: between_steps().map(lambda x: ((x,), {})),
    np.round: rounded(),
    np.floor_divide: divided(),
    np.remainder: divided(),
    np.fmod: divided(),
    np.linalg.solve: equations(),
    ops.logabsdet: matrices(),
    ops.contract: shaped(
        ((2, 3), (3, 2), {"left": [0, 1], "right": [1, 2], "out": [2, 0]}),
        ((2, 3), (1, 3), {"left": [0, 1], "right": [0, 1], "out": [0, 1]}),
        ((2, 3), (2, 3), {"left": [0, 1], "right": [0, 1], "out": []}),
        ((2,), (3, 2, 2), {"left": [0], "right": [1, 0, 2], "out": [2, 0, 1]}),
    ),
    # statistics
    np.amax: reduced(),
    np.amin: reduced(),
    np.var: reduced() | spread(),
    np.std: spread(),
    np.average: weighted(),
    np.median: reduced(),
    np.quantile: quantiles(1.0),
    np.percentile: quantiles(100.0),
    np.ptp: reduced(),
    np.prod: with_zeros(reduced()),
    np.cumprod: with_zeros(along()),
    np.nansum: reduced(),
    np.nanmean: reduced(),
    np.nanmax: reduced(),
    np.nanmin: reduced(),
    # norms, products, linear algebra
    np.linalg.norm: normed(),
    np.dot: shaped(
        ((), (2,)),
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((2, 3), (3, 2)),
        ((3,), (2, 3, 1)),
        ((2, 1, 3), (3,)),
        ((2, 2, 3), (3, 2)),
        ((2, 3), (2, 3, 2)),
    ),
    np.inner: shaped(((2,), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (1, 2, 3))),
    np.vdot: shaped(((3,), (3,)), ((2, 3), (3, 2)), ((), ())),
    np.outer: shaped(((2,), (3,)), ((2, 1), (2, 2)), ((), (3,))),
    np.kron: shaped(
        ((2,), (3,)), ((2, 3), (3, 1)), ((2,), (2, 3)), ((1, 2, 1), (2, 2)), ((), (2,))
    ),
    np.cross: shaped(
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (2, 1, 3)),
        ((3, 2), (3, 2), {"axis": 0}),
        ((2, 3, 1), (3, 2), {"axis": -2}),
    ),
    np.trace: shaped(
        ((3, 3),),
        ((2, 3), {"offset": 1}),
        ((3, 2), {"offset": -2}),
        ((2, 3), {"offset": 5}),
        ((2, 3, 2), {"axis1": -1, "axis2": 0}),
    ),
    np.tensordot: shaped(
        ((2, 3, 2), (3, 2, 2)),
        ((2, 3), (3, 2), {"axes": 1}),
        ((2,), (3,), {"axes": 0}),
        ((2, 3, 2), (2, 2, 3), {"axes": ((0, 1), (-2, 2))}),
        ((2, 3), (2, 3), {"axes": (-1, 1)}),
    ),
    np.einsum: einsums(),
    np.linalg.slogdet: matrices(),
    np.linalg.det: matrices(),
    np.linalg.inv: matrices(),
    # elementwise
    np.square: one(shape=small),
    np.fabs: one(shape=small, kinks=[0]),
    np.float_power: two(low=0.2),
    np.exp2: one(shape=small),
    np.logaddexp2: two(low=-5.0, high=5.0),
    np.sinc: one(shape=small, low=-4.0, high=4.0) | one(shape=small, low=-0.2, high=0.2),
    np.deg2rad: one(shape=small, low=-180.0, high=180.0),
    np.radians: one(shape=small, low=-180.0, high=180.0),
    np.rad2deg: one(shape=small),
    np.degrees: one(shape=small),
    np.around: rounded(),
    np.clip: clipped(),
    np.fmax: two(),
    np.fmin: two(),
    np.nan_to_num: one(shape=small),
    np.polyval: shaped(((3,), (2,)), ((1,), (2, 2)), ((2,), ())),
}
