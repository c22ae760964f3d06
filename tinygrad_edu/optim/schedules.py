"""Schedules: functions of the step t = 0, 1, 2, ... that give the learning rate of this step.

Use one before each step: ``optimizer.lr = schedule(t)``. A schedule is a plain function; any of
your own does as well, and these can be pickled. Those of PyTorch agree with these, as far as
``steps``; where a schedule here has come to its end it stays there. All raise ValueError for ``lr``
below 0, or no steps.
"""

from collections.abc import Callable
from functools import partial
from math import cos, inf, pi
from numbers import Real
from typing import TYPE_CHECKING

from tinygrad_edu import errors
from tinygrad_edu.other_names import SCHEDULES, getattr_of

__all__ = ["constant", "cosine", "exponential", "linear_warmup", "one_cycle", "step"]

Schedule = Callable[[int], float]

if not TYPE_CHECKING:  # type checkers are to find these names wrong
    __getattr__ = getattr_of("schedules", SCHEDULES, __all__)


def constant(lr: float) -> Schedule:
    """``lr`` at every step.

    >>> from tinygrad_edu.optim import schedules
    >>> schedules.constant(0.1)(1000)
    0.1
    """
    _check(lr)
    return partial(_constant, lr)


def step(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """``lr * factor ** (t // every)``: a step down once in a while. PyTorch: StepLR.

    >>> from tinygrad_edu.optim import schedules
    >>> schedule = schedules.step(0.5, every=10, factor=0.5)
    >>> [schedule(t) for t in (0, 9, 10, 20)]
    [0.5, 0.5, 0.25, 0.125]
    """
    _check(lr, every)
    return partial(_step, lr, every, factor)


def exponential(lr: float, factor: float) -> Schedule:
    """``lr * factor ** t``: smaller by the same factor at every step. PyTorch: ExponentialLR.

    >>> from tinygrad_edu.optim import schedules
    >>> schedule = schedules.exponential(0.5, factor=0.5)
    >>> [schedule(t) for t in (0, 1, 2)]
    [0.5, 0.25, 0.125]
    """
    _check(lr)
    return partial(_exponential, lr, factor)


def cosine(lr: float, steps: int, end: float = 0.0) -> Schedule:
    """``end + (lr - end) * (1 + cos(pi * t / steps)) / 2``: slowly, fast, slowly down to ``end``.

    PyTorch: CosineAnnealingLR. Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent
    with Warm Restarts, 2017 (here without restarts).

    >>> from tinygrad_edu.optim import schedules
    >>> schedule = schedules.cosine(0.5, steps=100)
    >>> [round(schedule(t), 4) for t in (0, 50, 100, 200)]
    [0.5, 0.25, 0.0, 0.0]
    """
    _check(lr, steps)
    return partial(_cosine, lr, steps, end)


def linear_warmup(schedule: Schedule, steps: int, start: float = 0.0) -> Schedule:
    """``schedule``, after ``steps`` steps along a line up to where it begins.

    The line is ``schedule(0) * (start + (1 - start) * t / steps)``. PyTorch: LinearLR, in front of
    another. Source: Goyal et al., Accurate, Large Minibatch SGD, 2017.

    >>> from tinygrad_edu.optim import schedules
    >>> schedule = schedules.linear_warmup(schedules.step(0.5, every=10), steps=5)
    >>> [schedule(t) for t in (0, 2, 5, 14, 15)]
    [0.0, 0.2, 0.5, 0.5, 0.05]
    """
    top = schedule(0)
    _check(top, steps)
    return partial(_linear_warmup, schedule, top, steps, start)


def one_cycle(
    lr: float, steps: int, rise: float = 0.3, start: float = 1 / 25, end: float = 1 / 250_000
) -> Schedule:
    """From ``lr * start`` up to ``lr``, in the share ``rise`` of all steps, then to ``lr * end``.

    Both ways are halves of a cosine, as of ``cosine``: up until ``t = rise * steps - 1``, and down
    until the last step, ``t = steps - 1``. PyTorch: OneCycleLR, which has ``div_factor = 1 /
    start`` and ``final_div_factor = start / end``, and changes the momentum, too. Source: Smith and
    Topin, Super-Convergence, 2019.

    >>> from tinygrad_edu.optim import schedules
    >>> schedule = schedules.one_cycle(0.5, steps=11, rise=6 / 11)
    >>> [round(schedule(t), 4) for t in (0, 5, 10)]
    [0.02, 0.5, 0.0]
    """
    _check(lr, steps)
    top = rise * steps - 1
    if not 0 <= rise < 1:
        raise ValueError(
            f"rise is the share of steps that go up, in [0, 1), but got {errors.short(rise)}"
        )
    return partial(_one_cycle, lr, steps, top, start, end)


# What the schedules compute, in functions with names, so that they can be pickled.


def _constant(lr: float, t: int) -> float:  # noqa: ARG001 (the same at every step)
    return lr


def _step(lr: float, every: int, factor: float, t: int) -> float:
    return lr * factor ** (t // every)


def _exponential(lr: float, factor: float, t: int) -> float:
    return lr * factor**t


def _cosine(lr: float, steps: int, end: float, t: int) -> float:
    return _between(lr, end, min(t / steps, 1))


def _linear_warmup(schedule: Schedule, top: float, steps: int, start: float, t: int) -> float:
    return schedule(t - steps) if t >= steps else top * (start + (1 - start) * t / steps)


def _one_cycle(lr: float, steps: int, top: float, start: float, end: float, t: int) -> float:
    if t < top:
        return _between(lr * start, lr, t / top)
    return _between(lr, lr * end, min((t - top) / (steps - 1 - top), 1))


def _between(first: float, last: float, share: float) -> float:
    """From ``first`` to ``last`` along half a cosine."""
    down = (1 - cos(pi * share)) / 2
    return (1 - down) * first + down * last


def _check(lr: float, steps: int = 1) -> None:
    if not isinstance(lr, Real) or not 0 <= lr < inf:
        raise ValueError(f"lr is a finite number, not below 0, but got {errors.short(lr)}")
    if steps < 1:
        raise ValueError(f"a number of steps is at least 1, but got {errors.short(steps)}")
