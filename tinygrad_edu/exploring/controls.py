"""What a reader of a page may change: sliders, points that are dragged, pixels that are painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.inputs import as_array

MOST_POINTS, MOST_PIXELS = 50, 1024


def ends(what: str, low: Any, high: Any) -> tuple[float, float]:
    """The ends of a range, as finite floats, the low one first."""
    kinds = int | float | np.integer | np.floating
    if not (isinstance(low, kinds) and isinstance(high, kinds) and 0 < high - low < np.inf):
        raise ValueError(
            f"{what} lie between two finite numbers, the low one first, but got {low} and {high}"
        )
    return float(low), float(high)


@dataclass(frozen=True)
class Slider:
    """A number from ``low`` to ``high``, which is ``value`` at first.

    ``step`` is the least change, by default a power of ten, of which 50 to 500 make the range. With
    ``log``, there are 200 steps, which multiply: for learning rates. ``unit`` stands behind the
    number, as "bits". Raises ValueError if the numbers are not finite, or not in order.

    >>> from tinygrad_edu.exploring import Slider
    >>> Slider(0.001, 1.0, 0.1, log=True).value
    0.1
    """

    low: float
    high: float
    value: float
    step: float | None = None
    unit: str = ""
    log: bool = False

    def __post_init__(self) -> None:
        low, high = ends("the numbers of a slider", self.low, self.high)
        is_number = isinstance(self.value, int | float | np.integer | np.floating)
        if not is_number or not low <= self.value <= high:
            raise ValueError(
                f"the value of a slider lies between its ends, Slider(low, high, value), but got "
                f"Slider({self.low}, {self.high}, {self.value})"
            )
        object.__setattr__(self, "low", low)  # for JSON, which knows no numbers of NumPy
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "value", float(self.value))
        if self.step is not None:
            object.__setattr__(self, "step", float(self.step))
        object.__setattr__(self, "log", bool(self.log))
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(
                f"the step of a slider is above 0 and fits between its ends, but got {self.step}"
            )
        if self.step is not None and self.log:
            raise ValueError("a slider with log=True has 200 steps that multiply: leave step out")
        if self.log and self.low <= 0:
            raise ValueError(
                f"steps of a slider with log=True multiply, so that low is above 0, but is "
                f"{self.low}"
            )

    @property
    def first(self) -> Any:
        """What the function gets at first."""
        return np.float64(self.value)


class Points:
    """Numbers that are dragged in a plot: places on its x axis (N,), or in the plane (N, 2).

    ``low`` and ``high`` are the ends for all, or a pair for x and y. The plot that shows them has
    ``Dots(..., drag=name)``. Raises ValueError for another shape, more than 50 points, and numbers
    that are not finite or not between the ends.

    >>> from tinygrad_edu.exploring import Points
    >>> Points([-1.0, 0.5, 2.0], -3, 3).first.shape
    (3,)
    """

    def __init__(self, values: Any, low: Any, high: Any) -> None:
        self.first = as_array(values).astype(np.float64)
        shape = self.first.shape
        if not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 2)) or not shape[0]:
            raise ValueError(f"points have shape (N,) or (N, 2), but got {shape}")
        if len(self.first) > MOST_POINTS:
            raise ValueError(f"at most {MOST_POINTS} points can be dragged, but got {shape[0]}")
        self.low, self.high = (
            np.broadcast_to(np.asarray(end, float), shape[1:] or (1,)) for end in (low, high)
        )
        for pair in zip(self.low, self.high, strict=True):
            ends("points", *pair)
        columns = self.first.reshape(len(self.first), -1)
        if not np.all((columns >= self.low) & (columns <= self.high)):
            raise ValueError(
                f"points lie between low={low} and high={high}, but these go from "
                f"{self.first.min():.4g} to {self.first.max():.4g}"
            )


class Pixels:
    """A small image (rows, columns) on which the reader paints, from ``low`` to ``high``.

    Raises ValueError for another shape, more than 1,024 pixels, and numbers beyond the ends.

    >>> import numpy as np
    >>> from tinygrad_edu.exploring import Pixels
    >>> Pixels(np.zeros((8, 8)), 0, 16).first.shape
    (8, 8)
    """

    def __init__(self, values: Any, low: float = 0.0, high: float = 1.0) -> None:
        self.first = as_array(values).astype(np.float64)
        self.low, self.high = ends("pixels", low, high)
        if self.first.ndim != 2 or not 0 < self.first.size <= MOST_PIXELS:
            raise ValueError(
                f"pixels have shape (rows, columns), at most {MOST_PIXELS:,}, but got "
                f"{self.first.shape}"
            )
        if not np.all((self.first >= low) & (self.first <= high)):
            raise ValueError(
                f"pixels go from low={low} to high={high}, but these from {self.first.min():.4g} "
                f"to {self.first.max():.4g}"
            )


Control = Slider | Points | Pixels


class Choice:
    """One of a few: each has a program of its own."""

    def __init__(self, options: Any) -> None:
        self.options = list(options)


def as_control(name: str, x: Any) -> Control | Choice:
    """A control as it was given, or a choice from a list."""
    if isinstance(x, Control):
        return x
    if isinstance(x, list) and x and all(isinstance(o, str | int | float) for o in x):
        if len({str(option) for option in x}) < len(x):
            raise ValueError(f"the options of {name} differ, but got {errors.short(x)}")
        return Choice(x)
    raise TypeError(
        f"{name}= is what the reader changes: Slider(low, high, value), Points(values, low, high), "
        f"Pixels(values), or a list of options, such as ['hinge', 'log'], but got {errors.short(x)}"
    )
