"""Hypothesis strategies for property tests of operations and losses; needs Hypothesis installed.

Hypothesis draws shapes and one seed; the numbers are filled in from the seed. They are distinct,
and away from kinks and from each other by more than finite differences step.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu.tensor import Array, Tensor

__all__ = ["arrays", "broadcastable", "shapes", "tensors"]

Shape = tuple[int, ...]


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 4) -> Any:
    """Shapes of arrays: tuples of ``min_dims`` to ``max_dims`` lengths.

    >>> from hypothesis import find
    >>> from tinygrad_edu.testing import strategies
    >>> find(strategies.shapes(min_dims=2), lambda shape: shape[0] != shape[1])
    (1, 2)
    """
    return hnp.array_shapes(
        min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side
    )


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Any = None,
    low: float = -2.0,
    high: float = 2.0,
    kinks: Sequence[float] = (),
) -> Array:
    """Arrays of distinct float64 numbers from ``low`` to ``high``, none near one of ``kinks``.

    ``shape``: a shape or a strategy for shapes, by default ``shapes()``.

    >>> from hypothesis import given
    >>> from tinygrad_edu.testing import check_grads, strategies
    >>> @given(strategies.arrays(low=0.1, high=3.0))
    ... def test_square_root(x):
    ...     check_grads(lambda x: x**0.5, x)
    >>> test_square_root()
    """
    if shape is None or isinstance(shape, st.SearchStrategy):
        shape = draw(shapes() if shape is None else shape)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return spaced(rng, [shape], low, high, kinks)[0]


@st.composite
def tensors(draw: st.DrawFn, *args: Any, **kwargs: Any) -> Tensor:
    """Tensors that require a gradient, of numbers as in ``arrays``, which takes the same arguments.

    >>> from hypothesis import given
    >>> from tinygrad_edu.testing import strategies
    >>> @given(strategies.tensors(shape=(2, 3)))
    ... def test_sum_has_gradient_one(x):
    ...     x.sum().backward()
    ...     assert (x.grad == 1).all()
    >>> test_sum_has_gradient_one()
    """
    return Tensor(draw(arrays(*args, **kwargs)), requires_grad=True)


@st.composite
def broadcastable(
    draw: st.DrawFn,
    count: int = 2,
    low: float = -2.0,
    high: float = 2.0,
    kinks: Sequence[float] = (),
) -> tuple[Array, ...]:
    """Tuples of ``count`` arrays whose shapes broadcast, with all numbers distinct.

    >>> from hypothesis import given
    >>> from tinygrad_edu.testing import check_grads, strategies
    >>> @given(strategies.broadcastable(2))
    ... def test_product(pair):
    ...     check_grads(lambda a, b: a * b, *pair)
    >>> test_product()
    """
    drawn = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return tuple(spaced(rng, drawn.input_shapes, low, high, kinks))


def spaced(
    rng: np.random.Generator,
    shapes: Sequence[Shape],
    low: float,
    high: float,
    kinks: Sequence[float] = (),
) -> list[Array]:
    """Arrays of ``shapes``, filled at random with distinct numbers that keep off the kinks."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    candidates = np.linspace(low, high, 2 * sum(sizes) + 10) + rng.uniform(-1e-3, 1e-3)
    for kink in kinks:
        candidates = candidates[np.abs(candidates - kink) > 0.01]
    values = rng.permutation(candidates)[: sum(sizes)]
    parts = np.split(values, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
