"""``check_grads``: hold derivatives against finite differences, and explain the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import plain
from tinygrad_edu.inputs import as_array
from tinygrad_edu.modes import no_grad
from tinygrad_edu.tensor import Array, Tensor
from tinygrad_edu.testing.differences import (
    STEP,
    STEPS,
    Difference,
    central,
    kink,
    rounding,
    slope,
)
from tinygrad_edu.transforms import grad

Function = Callable[..., Any]

PLACE = {1: "first", 2: "second", 3: "third"}


@dataclass(frozen=True)
class Report:
    """What ``check_grads`` has found to agree."""

    name: str  # of the function
    order: int  # of the highest derivatives that were checked
    directions: int  # in which they were
    worst: float  # difference between analytic and numeric, as a part of the analytic terms

    def __repr__(self) -> str:
        orders = " and ".join(_order(k) for k in range(1, self.order + 1))
        return (
            f"{orders} derivatives of {self.name} agree with finite differences in "
            f"{self.directions} directions, to {self.worst:.0e} of their size"
        )


def check_grads(
    f: Function,
    *args: Any,
    order: int = 2,
    rng: np.random.Generator | int = 0,
    reference: Function | None = None,
    eps: float | None = None,
    rtol: float = 1e-7,
) -> Report:
    """Assert that the derivatives of ``f`` at ``args`` agree with finite differences.

    ``f`` takes Tensors and returns one, of any shapes. It is differentiated with respect to each
    argument of floating point, in float64; other arguments are passed as they are. Bind data of
    floating point, as in ``check_grads(lambda p: mse_loss(p, targets), [0.5, 2.0])``. ``order`` 2
    checks the gradient of the gradient as well. ``rng`` draws directions: a ``np.random.Generator``
    or a seed. With a ``reference``, a plain NumPy function of the same arguments, values are
    compared too. Returns a short report, which a notebook shows.

    In a random direction d, the derivative of ``f(x + t * d)`` with respect to t is computed by
    central differences of fourth order, and must equal ``sum(gradient * d)`` within ``rtol`` of the
    sum of the absolute terms, and the error of the difference. If there are several outputs, it is
    their sum with random weights. The step is 1e-4 where that is good enough, and else the one that
    agrees best with shorter and longer ones, which also tells the error; or it is ``eps``. Numbers
    far from 1 are moved in proportion, too. At a kink or a tie, differences say nothing: keep 1e-3
    away, as ``testing.strategies`` do.

    Raises AssertionError with a table of the elements that differ, if values differ from those of
    the reference, if two calls of ``f`` differ or it returns no Tensor, or if differences cannot
    decide, because rounding is as large as the difference or x lies at the edge of where ``f`` is
    defined; TypeError if ``f`` is no function, takes numbers out of the graph on the way, or has a
    derivative rule that cannot be differentiated itself: then pass ``order=1``; ValueError if no
    argument is of floating point, ``order`` is less than 1, or ``eps`` or ``rtol`` is not positive.

    >>> import numpy as np
    >>> from tinygrad_edu.testing import check_grads
    >>> check_grads(lambda x: np.exp(x) / (1 + np.exp(x)), [-1.0, 0.0, 2.0])
    first and second derivatives of <lambda> agree with finite differences in 3 directions, to ...
    """
    if not callable(f):
        raise TypeError(
            f"check_grads takes a function and its arguments, but got {errors.short(f)} for f"
        )
    if not isinstance(order, int | np.integer) or order < 1:
        raise ValueError(
            f"order is that of the derivatives to check, at least 1, not {errors.short(order)}"
        )
    for name, number in {"eps": STEP if eps is None else eps, "rtol": rtol}.items():
        if not isinstance(number, float | int | np.number) or not 0 < number < np.inf:
            raise ValueError(f"{name} is a positive number, but got {errors.short(number)}")
    if not isinstance(rng, np.random.Generator | int | np.integer):
        raise TypeError(
            f"rng is a np.random.Generator or a seed, an integer, but got {errors.short(rng)}"
        )
    if not (reference is None or callable(reference)):
        raise TypeError(
            f"reference is a function of the same arguments, but got {errors.short(reference)}"
        )
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

    y = _value(f, fill(map(Tensor, xs)))
    if not np.allclose(y, _value(f, fill(map(Tensor, xs))), rtol=1e-9, atol=0, equal_nan=True):
        raise AssertionError(
            f"two calls of {ops.name(f)} with the same arguments differ, so it has no derivative: "
            "draw random numbers once, outside of it, or seed the generator inside"
        )
    if reference is not None:
        _compare_values(f, y, reference(*fill(xs)))

    def outputs(*values: Any) -> tuple[Any, ...]:
        return (f(*fill(values)),)

    labels = [str(i) for i in positions]
    # of a single output the weight is 1, so that the numbers of the table are its gradient
    weights = [np.ones(y.shape) if y.size == 1 else _signed(rng, 0.5, 1.5, y.shape)]
    values = [y]
    size = 0.0
    directions = 0
    worst = 0.0
    for k in range(1, order + 1):
        terms = [float(np.abs(w * y).sum()) for w, y in zip(weights, values, strict=True)]
        size = max(size, sum(terms))
        if size == 0:  # a sum of 0 does not tell the size of its terms
            size = sum(float(np.abs(w).sum()) for w in weights)
        total = _weighted_sum(outputs, len(xs))
        check = _Check(ops.name(f), k, total, xs, labels, weights, size, eps, rtol)
        check.run(rng)
        directions += check.directions
        worst = max(worst, check.worst)
        if k < order:
            # What is checked next is the gradient, and it depends on the weights as well.
            outputs = grad(total, tuple(range(len(xs) + len(weights))))
            xs, labels = [*xs, *weights], labels + ["weight"] * len(weights)
            with no_grad():
                values = [plain(g) for g in outputs(*map(Tensor, xs))]
            # In proportion to x, so that gradients of large and of small numbers count alike.
            weights = [_signed(rng, 0.5, 1.5, x.shape) * _reach(x) for x in xs]
    return Report(ops.name(f), order, directions, worst)


def _order(k: int) -> str:
    return PLACE.get(k, f"order {k}")


def _is_floating(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _as_input(arg: Any) -> Any:
    """Numbers of floating point as a read-only float64 array, anything else as it is."""
    if not isinstance(arg, Tensor | np.ndarray | np.floating | list | float):
        return arg
    array = np.array(as_array(arg))
    if not _is_floating(array):
        return arg
    array = array.astype(np.float64)
    array.setflags(write=False)
    return array


def _value(f: Function, inputs: list[Any]) -> Array:
    """The value of ``f``, which must be a Tensor."""
    with no_grad():
        y = f(*inputs)
    if y is None:
        raise AssertionError(f"{ops.name(f)} returned None: it has no return statement")
    if not isinstance(y, Tensor):
        raise AssertionError(
            f"{ops.name(f)} returned {type(y).__name__}, not a Tensor: it leaves the graph on the "
            "way, as by float(t), t.item(), t.data or a comparison"
        )
    return np.asarray(plain(y))


def _compare_values(f: Function, actual: Array, expected: Any) -> None:
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


def _reach(x: Array) -> Array:
    """How far each number may be moved: as far as it is from 0, but from 0 itself by 1."""
    return np.where(np.abs(x) < STEPS[0], 1.0, np.abs(x))


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
    eps: float | None  # the step of the differences, or None for the best
    rtol: float
    directions: int = 0  # that were found to agree
    worst: float = 0.0

    def run(self, rng: np.random.Generator) -> None:
        gradients = self.gradients()
        for i, x in enumerate(self.xs):
            undecided = None
            agreed = 0
            for d in self.ways(x, gradients[i], rng):  # one argument at a time
                analytic, found, verdict = self.compare(i, d, gradients[i])
                if verdict == "wrong" and (table := self.table(gradients)):
                    raise AssertionError(table)
                if verdict == "right":
                    agreed += 1
                else:
                    undecided = self.cannot_decide(i, analytic, found)
            if undecided and not agreed:
                raise AssertionError(undecided)
            self.directions += agreed

    def ways(self, x: Array, gradient: Array, rng: np.random.Generator) -> Iterator[Array]:
        """Random directions: all numbers by the same, and if they are far from 1 in proportion.

        If slopes differ much, by more where the slope is small, so that all count alike; and those
        of slope 0 alone.
        """
        yield _signed(rng, 0.5, 1.0, x.shape)
        reach = _reach(x)
        if self.eps is None and ((reach < 0.01) | (reach > 100)).any():
            yield _signed(rng, 0.5, 1.0, x.shape) * reach
        size = np.where(np.isfinite(gradient) & (gradient != 0), np.abs(gradient), np.inf)
        largest = np.max(np.abs(gradient), initial=0.0)
        smallest = np.min(size, initial=np.inf)
        if self.eps is None and np.isfinite(largest) and largest > 100 * smallest:
            yield _signed(rng, 0.5, 1.0, x.shape) * (smallest / size)
        if largest > 0 and np.any(gradient == 0):
            yield np.where(gradient == 0, _signed(rng, 0.5, 1.0, x.shape) * reach, 0.0)

    def compare(self, i: int, direction: Array, gradient: Array) -> tuple[float, Difference, str]:
        """The derivative in a direction of one argument, its difference, and what they say.

        "right" if they agree; "wrong" if not; "undecided" if the difference is too inexact to tell.
        """
        terms = gradient * direction
        analytic, scale = float(terms.sum()), float(np.abs(terms).sum())
        # steps from x are rounded as well as the total
        size = self.size + float(np.abs(self.xs[i] * gradient).sum())
        at = self.along(i, direction)
        if self.eps is not None:
            found = slope(at, size, (self.eps / 2, self.eps, self.eps * 2))
        else:
            found = Difference(central(at, STEP), rounding(size, STEP))
            is_exact = found.error <= 1e-3 * scale or scale == found.value == 0
            if not is_exact or not self.agree(analytic, found, scale):
                found = slope(at, size)
        if not np.isfinite(analytic):
            return analytic, found, "wrong"
        if not np.isfinite(found.error):
            return analytic, found, "undecided"
        if not self.agree(analytic, found, scale):
            return analytic, found, "wrong"
        if found.error > 0.1 * scale and not self.is_rounding(i, direction, analytic, scale / size):
            return analytic, found, "undecided"
        if scale > 0 and found.error <= 0.1 * scale:
            self.worst = max(self.worst, abs(analytic - found.value) / scale)
        return analytic, found, "right"

    def is_rounding(self, i: int, direction: Array, analytic: float, part: float) -> bool:
        """Whether an analytic derivative, a small part of its total, is 0 but for rounding.

        Then it is another at once where x is moved a little. Of higher derivatives all so small are
        taken for 0, as where a softmax is saturated.
        """
        if part <= 1e-9 and self.order > 1:
            return True
        if part > 1e-12:
            return False
        for step in range(1, 13):
            moved = replace(self, xs=[x + 1e-4 * step * _reach(x) for x in self.xs])
            nearby = float((moved.gradients()[i] * direction).sum())
            if abs(nearby - analytic) > 0.1 * abs(analytic):
                return True
        return analytic == 0

    def agree(self, analytic: float, found: Difference, scale: float) -> bool:
        return abs(analytic - found.value) <= self.rtol * scale + found.error

    def along(self, i: int, direction: Array) -> Callable[[float], float]:
        """The total as a function of how far ``x`` is moved; nan where it is not defined."""

        def at(t: float) -> float:
            moved = [Tensor(x) for x in self.xs]
            moved[i] = Tensor(self.xs[i] + t * direction)
            with no_grad(), np.errstate(all="ignore"):
                try:
                    return float(self.total(*moved, *self.weights))
                except (ValueError, ArithmeticError):
                    return float("nan")

        return at

    def gradients(self) -> list[Array]:
        """By ``backward``, twice through one graph: twice the cotangent must give twice as much."""
        leaves = [Tensor(x, requires_grad=True) for x in self.xs]
        for leaf in leaves:
            leaf.data.setflags(write=False)
        y = self.recorded(leaves)
        if not y.requires_grad:
            return [np.zeros_like(x) for x in self.xs]

        def backward(cotangent: float) -> list[Array]:
            for leaf in leaves:
                leaf.zero_grad()
            y.backward(cotangent, retain_graph=True)
            return [np.zeros(t.shape) if t.grad is None else t.grad for t in leaves]

        first, double, again = backward(1.0), backward(2.0), backward(1.0)
        for label, once, twice, repeated in zip(self.labels, first, double, again, strict=True):
            if not np.array_equal(once, repeated, equal_nan=True):
                raise AssertionError(
                    f"a second backward pass through {self.name} adds another gradient than the "
                    "first: a derivative rule does not give the same for the same arrays"
                )
            if not np.allclose(twice, 2 * once, rtol=1e-9, atol=1e-300, equal_nan=True):
                raise AssertionError(
                    f"{_order(self.order)} derivatives of {self.name} are wrong: twice the "
                    "gradient g of its output does not give twice the gradient of argument "
                    f"{label}. Did the rule forget g?"
                )
        return first

    def recorded(self, leaves: list[Tensor]) -> Tensor:
        if self.order == 1:
            # which refuses numbers that are taken out
            grad(self.total, tuple(range(len(self.xs))))(*self.xs, *self.weights)
        try:
            total: Tensor = self.total(*leaves, *self.weights)
            return total
        except (TypeError, ValueError, AttributeError) as error:
            if self.order == 1:
                raise
            raise TypeError(
                f"a derivative rule of {self.name} cannot be differentiated itself: {error} If "
                f"derivatives of order {self.order - 1} are enough, pass order={self.order - 1}"
            ) from error

    def cannot_decide(self, i: int, analytic: float, found: Difference) -> str:
        what = f"{_order(self.order)} derivatives of {self.name}"
        if not np.isfinite(found.error):
            return (
                f"differences cannot decide whether {what} are right: a small step from argument "
                f"{self.labels[i]} leads to nan or an error, so it lies at the edge of where "
                f"{self.name} is defined. Choose numbers inside"
            )
        return (
            f"differences cannot decide whether {what} are right: rounding is as large as the "
            f"difference. In a random direction of argument {self.labels[i]} the analytic "
            f"derivative is {analytic:.4g}, and the numeric one {found.value:.4g}, give or take "
            f"{found.error:.1g}. Choose numbers where {self.name} changes more, or leave out a "
            "large constant"
        )

    def table(self, gradients: list[Array]) -> str:
        """The elements whose derivatives differ, the worst first; "" if there is none."""
        count = 0
        wrong: list[tuple[int, tuple[int, ...], float, float]] = []
        for i, (x, gradient) in enumerate(zip(self.xs, gradients, strict=True)):
            reach = _reach(x)
            for index in np.ndindex(x.shape):
                count += 1
                unit = np.zeros_like(x)
                unit[index] = reach[index]
                _, found, verdict = self.compare(i, unit, gradient)
                if verdict == "wrong":
                    numeric = found.value / float(reach[index])
                    wrong.append((i, index, float(gradient[index]), numeric))
        wrong.sort(key=lambda row: -abs(row[2] - row[3]))
        if not wrong:
            return ""
        lines = [
            f"{_order(self.order)} derivatives of {self.name} differ from finite differences in "
            f"{len(wrong)} of {count} elements",
            f"{'argument':>8}  {'element':<12} {'analytic':>14} {'numeric':>14} {'ratio':>10}",
        ]
        for i, index, analytic, numeric in wrong[:10]:
            ratio = analytic / numeric if numeric else np.nan
            element, numbers = str(list(index)), f"{analytic:>14.8g} {numeric:>14.8g}"
            lines.append(f"{self.labels[i]:>8}  {element:<12} {numbers} {ratio:>10.5f}")
        ratios = np.array([analytic / numeric for *_, analytic, numeric in wrong if numeric])
        if len(ratios) == count > 1 and np.ptp(ratios) < 1e-4 * np.abs(ratios).max():
            lines.append(f"every analytic derivative is {ratios.mean():.5g} times the numeric one")
        if not all(np.isfinite(analytic) for *_, analytic, _ in wrong):
            lines.append(
                "an analytic derivative is nan or infinite: a rule has divided by 0, as at a kink "
                f"of {self.name} or at the edge of where it is defined"
            )
        lines += [self.kink(i, index) for i, index, *_ in wrong[:1]]
        if any(w.size != 1 for w in self.weights) or len(self.weights) > 1:
            lines.append("(each output has a random weight)")
        return "\n".join(filter(None, lines))

    def kink(self, i: int, index: tuple[int, ...]) -> str:
        """What to say if the slopes on both sides of an element differ."""
        unit = np.zeros_like(self.xs[i])
        unit[index] = 1.0
        slopes = kink(self.along(i, unit))
        if slopes is None:
            return ""
        return (
            f"argument {self.labels[i]} is at a kink at {list(index)}: the slope is "
            f"{slopes[0]:.4g} on the left and {slopes[1]:.4g} on the right. There differences say "
            "nothing: keep 1e-3 away"
        )
