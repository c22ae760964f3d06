"""Derivatives by finite differences, and how far they may be off: nothing here knows of graphs."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

STEP = 1e-4  # the best of accuracy against rounding, for a function whose scale is 1
STEPS = tuple(2.0**-k for k in range(31, 0, -1))  # where it is not


class Difference(NamedTuple):
    """A derivative by differences: its value, and how far that may be off."""

    value: float
    error: float


def central(f: Callable[[float], float], step: float) -> float:
    """The slope of ``f`` at 0, by central differences of fourth order (Abramowitz, 25.3.6)."""
    with np.errstate(all="ignore"):  # infinities are differences that do not exist
        near, far = f(step) - f(-step), f(2 * step) - f(-2 * step)
        return float((8 * near - far) / (12 * step))


def rounding(size: float, step: float) -> float:
    """How far rounding may put off a difference of numbers that are sums of terms of ``size``."""
    return float(10 * np.finfo(float).eps * size / step)


def slope(f: Callable[[float], float], size: float, steps: Sequence[float] = STEPS) -> Difference:
    """The slope of ``f`` at 0, by the step that agrees best with those beside it.

    A long step errs by the curvature of ``f``, a short one by rounding, which is no smaller than
    that of numbers of ``size``. In between the differences change least from step to step, and by
    how much they change tells how far they may be off. ``steps`` go from short to long, and end
    where agreement is lost: beyond a kink or a pole, long steps may agree on something else. Where
    ``f`` is nan at each step, the error is infinite.
    """
    f = cache(f)  # the steps are doubled, so that each shares its points with the next
    values = (central(f, step) for step in steps)
    before, value = next(values), next(values)
    best = Difference(np.nan, np.inf)
    for step, after in zip(steps[1:], values, strict=False):
        error = 10 * (abs(value - before) + abs(after - value)) + rounding(size, step)
        if error < best.error:
            best = Difference(value, error)
        if not error < 1000 * best.error:
            break
        before, value = value, after
    return best


def kink(f: Callable[[float], float]) -> tuple[float, float] | None:
    """The slopes of ``f`` at 0 to the left and to the right, if they differ; else None."""

    def sides(step: float) -> tuple[float, float]:
        return (f(0.0) - f(-step)) / step, (f(step) - f(0.0)) / step

    (left, right), (nearer_left, nearer_right) = sides(STEP / 10), sides(STEP / 100)
    jump, nearer_jump = right - left, nearer_right - nearer_left
    is_large = abs(jump) > 0.01 * max(abs(left), abs(right))
    stays = abs(nearer_jump - jump) < 0.1 * abs(jump)  # that of a smooth function gets smaller
    return (left, right) if is_large and stays else None
