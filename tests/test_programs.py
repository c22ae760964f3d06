"""Random programs: whole graphs agree with differences and with an obviously right engine."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Tensor
from tinygrad_edu.testing import check_grads
from tinygrad_edu.testing.strategies import spaced

SIDE = 3

# Smooth operations that keep every value a matrix (SIDE, SIDE), or broadcast to one.
UNARY = [
    lambda a: np.tanh(a),
    lambda a: np.sin(a) + 0.5,
    lambda a: a * 0.5,
    lambda a: -a.T,
    lambda a: 1.0 / (a * a + 2.0),
    lambda a: a.reshape(-1)[::-1].reshape(SIDE, SIDE),
    lambda a: a[[0, 0, 2]],
    lambda a: a.sum(axis=0, keepdims=True) * np.ones((SIDE, 1)),
    lambda a: np.cumsum(a, axis=1) / SIDE,
    lambda a: a.mean(axis=1, keepdims=True) + a,
    lambda a: np.exp(np.tanh(a)),
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: np.tanh(a) * b,
    lambda a, b: np.tanh(a) @ np.tanh(b),
    lambda a, b: np.concatenate([a[:1], b[1:]]),
    lambda a, b: np.where([[True, False, True]], a, b),
    lambda a, b: a / (b * b + 1.0),
]


@st.composite
def programs(draw):
    """Leaves, and steps: each an operation and the positions, from the end, of its operands."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = [draw(st.sampled_from([(), (SIDE,), (1, SIDE), (SIDE, 1)])) for _ in range(2)]
    leaves = spaced(rng, [(SIDE, SIDE), *shapes], -1.0, 1.0)
    back = st.integers(1, 4)
    steps = st.tuples(st.sampled_from(UNARY), back) | st.tuples(st.sampled_from(BINARY), back, back)
    return leaves, draw(st.lists(steps, min_size=1, max_size=8))


def run(steps, *leaves):
    """The sum of all values of a program, so that every step counts."""
    values = [leaf * np.ones((SIDE, SIDE)) for leaf in leaves]
    for op, *operands in steps:
        values.append(op(*[values[-min(back, len(values))] for back in operands]))
    return np.sum(np.stack(values))


@given(programs())
def test_programs_agree_with_finite_differences(program):
    leaves, steps = program
    check_grads(
        lambda *tensors: run(steps, *tensors), *leaves, reference=lambda *xs: run(steps, *xs)
    )


class Dual:
    """A number and its derivatives by every leaf: forward mode, which needs no graph, no order."""

    def __init__(self, value, slopes):
        self.value, self.slopes = value, slopes

    def combine(self, other, value, by_self, by_other):
        slopes = [
            by_self * s + by_other * o for s, o in zip(self.slopes, other.slopes, strict=True)
        ]
        return Dual(value, slopes)

    def __add__(self, other):
        return self.combine(other, self.value + other.value, 1.0, 1.0)

    def __sub__(self, other):
        return self.combine(other, self.value - other.value, 1.0, -1.0)

    def __mul__(self, other):
        return self.combine(other, self.value * other.value, other.value, self.value)

    def __truediv__(self, other):
        ratio = self.value / other.value
        return self.combine(other, ratio, 1 / other.value, -ratio / other.value)


SCALAR = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + a * a),
    lambda a, _: a + a,
    lambda a, _: a * a,
]


@given(
    numbers=st.lists(st.floats(0.5, 1.5), min_size=1, max_size=4),
    steps=st.lists(
        st.tuples(st.sampled_from(SCALAR), st.integers(1, 6), st.integers(1, 6)), max_size=30
    ),
)
def test_programs_of_numbers_agree_with_forward_mode(numbers, steps):
    tensors = [Tensor(number, requires_grad=True) for number in numbers]
    unit = np.eye(len(numbers))
    duals = [Dual(np.float64(x), list(row)) for x, row in zip(numbers, unit, strict=True)]
    with np.errstate(all="ignore"):
        for op, i, j in steps:
            for values in tensors, duals:
                a, b = values[-min(i, len(values))], values[-min(j, len(values))]
                values.append(op(a, b))
        tensors[-1].backward()
    result = duals[-1]
    if not np.isfinite(result.slopes).all():
        return
    for leaf, slope in zip(tensors[: len(numbers)], result.slopes, strict=True):
        np.testing.assert_allclose(
            0.0 if leaf.grad is None else leaf.grad, slope, rtol=1e-6, atol=1e-9
        )
