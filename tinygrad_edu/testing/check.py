"""Compare derivatives with finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu import ops
from tinygrad_edu.backprop import plain
from tinygrad_edu.modes import no_grad
from tinygrad_edu.tensor import Array, Tensor
from tinygrad_edu.transforms import grad

Function = Callable[..., Any]

STEP = 1e-4  # of the differences: the best of accuracy against rounding, at fourth order


def check_grads(
    f: Function,
    *args: Any,
    order: int = 2,
    rng: np.random.Generator | int = 0,
    reference: Function | None = None,
) -> None:
    """Assert that the derivatives of ``f`` at ``args`` agree with finite differences.

    ``f`` takes Tensors and returns one, of any shapes. It is differentiated with respect to each
    argument of floating point, in float64; other arguments are passed as they are. Bind data of
    floating point, as in ``check_grads(lambda p: mse_loss(p, targets), [0.5, 2.0])``. ``order`` 2
    checks the gradient of the gradient as well. ``rng`` draws directions: a ``np.random.Generator``
    or a seed. With a ``reference``, a plain NumPy function of the same arguments, values are
    compared too.

    In a random direction d, for random weights u of the outputs, the derivative of ``sum(u * f(x +
    t * d))`` with respect to t is computed by central differences of fourth order (step 1e-4), and
    must equal ``sum(gradient * d)`` within 1e-7 of the sum of the absolute terms, and rounding. At
    a kink or a tie, differences say nothing: keep 1e-3 away, as ``testing.strategies`` do.

    Raises AssertionError with a table of the elements that differ, TypeError if ``f`` is no
    function, ValueError if no argument is of floating point or ``order`` is less than 1.

    >>> import numpy as np
    >>> from tinygrad_edu.testing import check_grads
    >>> check_grads(lambda x: np.exp(x) / (1 + np.exp(x)), [-1.0, 0.0, 2.0])
    """
    if not callable(f):
        raise TypeError(f"check_grads takes a function and its arguments, but got {f!r} for f")
    if order < 1:
        raise ValueError(f"order is that of the derivatives to check, at least 1, not {order}")
    rng = np.random.default_rng(rng)
    inputs = [_as_input(arg) for arg in args]
    positions = [i for i, x in enumerate(inputs) if _is_floating(x)]
    if not positions:
        raise ValueError(
            "no argument is of floating point, so there is nothing to differentiate: write "
            "check_grads(f, 3.0) for check_grads(f, 3)"
        )
    xs = [inputs[i] for i in positions]

    def fill(values: Any) -> list[Any]:
        filled = list(inputs)
        for i, value in zip(positions, values, strict=True):
            filled[i] = value
        return filled

    if reference is not None:
        _compare_values(f, fill([Tensor(x) for x in xs]), reference(*fill(xs)))

    def outputs(*values: Any) -> tuple[Any, ...]:
        return (f(*fill(values)),)

    labels = [str(i) for i in positions]
    for k in range(1, order + 1):
        with no_grad():
            values = [plain(y) for y in outputs(*map(Tensor, xs))]
        weights = [_signed(rng, 0.5, 1.5, np.shape(y)) for y in values]
        size = sum(float(np.abs(w * y).sum()) for w, y in zip(weights, values, strict=True))
        total = _weighted_sum(outputs, len(xs))
        _Check(ops.name(f), k, total, xs, labels, weights, size).run(rng)
        # what is checked next is the gradient, and it depends on the weights as well
        outputs = grad(total, tuple(range(len(xs))))
        xs, labels = [*xs, *weights], labels + ["weight"] * len(weights)


def _is_floating(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _as_input(arg: Any) -> Any:
    """Numbers of floating point as a read-only float64 array, anything else as it is."""
    if not isinstance(arg, Tensor | np.ndarray | np.floating | list | float):
        return arg
    array = np.array(plain(arg))
    if not _is_floating(array):
        return arg
    array = array.astype(np.float64)
    array.setflags(write=False)
    return array


def _compare_values(f: Function, inputs: list[Any], expected: Any) -> None:
    with no_grad():
        actual = plain(f(*inputs))
    if np.shape(actual) != np.shape(expected):
        raise AssertionError(
            f"{ops.name(f)} has shape {np.shape(actual)}, and the reference {np.shape(expected)}"
        )
    np.testing.assert_allclose(
        actual, expected, rtol=1e-10, atol=1e-12, err_msg=f"values of {ops.name(f)} are wrong"
    )


def _signed(rng: np.random.Generator, low: float, high: float, shape: Any) -> Array:
    """Random numbers whose absolute value is from ``low`` to ``high``."""
    return np.asarray(rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape))


def _weighted_sum(outputs: Function, count: int) -> Function:
    """The sum of all outputs with weights, a function of ``count`` inputs and then the weights."""

    def total(*values: Any) -> Any:
        weights = values[count:]
        return sum(np.sum(w * y) for w, y in zip(weights, outputs(*values[:count]), strict=True))

    return total


@dataclass
class _Check:
    """One function of ``xs`` to one number, whose gradient is to agree with its differences."""

    name: str  # of the function that is checked
    order: int  # of the derivatives that are checked
    total: Function
    xs: list[Array]
    labels: list[str]  # of the xs
    weights: list[Array]  # further arguments of total, fixed here
    size: float  # sum of the absolute terms in total, which rounding errors grow with

    def run(self, rng: np.random.Generator) -> None:
        gradients = self.gradients()
        for i, (x, gradient) in enumerate(zip(self.xs, gradients, strict=True)):
            direction = [np.zeros_like(other) for other in self.xs]  # one argument at a time
            direction[i] = _signed(rng, 0.5, 1.0, x.shape)
            terms = gradient * direction[i]
            tolerance = 1e-7 * np.abs(terms).sum() + self.rounding(x, gradient)
            if not abs(terms.sum() - self.slope(direction)) <= tolerance:  # also where it is nan
                raise AssertionError(self.table(gradients))

    def gradients(self) -> list[Array]:
        """By ``backward``, twice through one graph: what it adds must be the same each time."""
        leaves = [Tensor(x, requires_grad=True) for x in self.xs]
        for leaf in leaves:
            leaf.data.setflags(write=False)
        y = self.total(*leaves, *self.weights)
        if not isinstance(y, Tensor):
            raise AssertionError(f"{self.name} returns no Tensor: it leaves the graph on the way")
        if not y.requires_grad:
            return [np.zeros_like(x) for x in self.xs]
        y.backward(retain_graph=True)
        first = [np.zeros(t.shape) if t.grad is None else t.grad for t in leaves]
        y.backward()
        for leaf, g in zip(leaves, first, strict=True):
            if leaf.grad is not None and not np.array_equal(leaf.grad, g + g, equal_nan=True):
                raise AssertionError(
                    f"a second backward pass through {self.name} adds another gradient than the "
                    "first: a derivative rule does not give the same for the same arrays"
                )
        return first

    def slope(self, direction: list[Array]) -> float:
        """The derivative along ``direction``, by central differences of fourth order."""

        def at(t: float) -> float:
            moved = [Tensor(x + t * d) for x, d in zip(self.xs, direction, strict=True)]
            return float(self.total(*moved, *self.weights))

        with no_grad():
            return (8 * (at(STEP) - at(-STEP)) - (at(2 * STEP) - at(-2 * STEP))) / (12 * STEP)

    def rounding(self, x: Array, gradient: Array) -> float:
        """How far rounding of the total, and of steps from ``x``, may take a difference."""
        size = self.size + np.abs(x * gradient).sum()
        return float(10 * np.finfo(float).eps * size / STEP + 1e-10)

    def table(self, gradients: list[Array]) -> str:
        """The elements whose derivatives differ, the worst first."""
        rows: list[tuple[str, tuple[int, ...], float, float]] = []
        wrong: list[tuple[str, tuple[int, ...], float, float]] = []
        for i, gradient in enumerate(gradients):
            for index in np.ndindex(gradient.shape):
                unit = [np.zeros_like(x) for x in self.xs]
                unit[i][index] = 1.0
                row = (self.labels[i], index, float(gradient[index]), self.slope(unit))
                rows.append(row)
                tolerance = 1e-6 * abs(row[3]) + self.rounding(self.xs[i], gradient)
                if not abs(row[2] - row[3]) <= tolerance:
                    wrong.append(row)
        wrong.sort(key=lambda row: -abs(row[2] - row[3]))
        which = {1: "first", 2: "second"}.get(self.order, f"order {self.order}")
        lines = [
            f"{which} derivatives of {self.name} differ from finite differences in {len(wrong)} of "
            f"{len(rows)} elements",
            f"{'argument':>8}  {'element':<12} {'analytic':>14} {'numeric':>14} {'ratio':>10}",
        ]
        for label, index, analytic, numeric in wrong[:10]:
            ratio = analytic / numeric if numeric else np.nan
            element, numbers = str(list(index)), f"{analytic:>14.8g} {numeric:>14.8g}"
            lines.append(f"{label:>8}  {element:<12} {numbers} {ratio:>10.5f}")
        ratios = np.array([analytic / numeric for *_, analytic, numeric in wrong if numeric])
        if len(ratios) == len(rows) > 1 and np.ptp(ratios) < 1e-4 * np.abs(ratios).max():
            lines.append(f"every analytic derivative is {ratios.mean():.5g} times the numeric one")
        if not wrong:
            lines.append(
                "no single element differs: is f so steep or curved that a step of 1e-4 is long?"
            )
        lines.append("(each output has a random weight; at a kink, differences say nothing)")
        return "\n".join(lines)
