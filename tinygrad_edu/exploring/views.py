"""What a function of ``explore`` gives, as a program and the places where its results are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backprop import Node
from tinygrad_edu.exploring.controls import Points
from tinygrad_edu.exploring.plots import Mark, Plot, as_one
from tinygrad_edu.javascript import Program


class View:
    """What ``f`` gives for one choice of options: its program, and where its results are shown.

    - ``arrays``: all that is shown, as it is at first; ``constant``: which of them never change.
      The results of the program are the others, in order.
    - ``numbers``: for each that has a name, its place among the arrays;
    - ``plots``: the plots by name, with the places of their arrays;
    - ``dragged``: the names of the points that some of them let the reader drag.
    """

    def __init__(
        self, f: Callable[..., Any], fields: dict[str, Any], chosen: dict[str, Any]
    ) -> None:
        self.arrays: list[Any] = []
        self.numbers: dict[str, int] = {}
        self.plots: dict[str, Any] = {}
        self.dragged: set[str] = set()

        def listed(*values: Any) -> list[Any]:
            self._read(f, f(**dict(zip(fields, values, strict=True)), **chosen), fields)
            return [x for x in self.arrays if isinstance(x, Node)]

        first = [control.first for control in fields.values()]
        try:
            with np.errstate(all="ignore"):
                self.program = Program(listed, first, [*fields])
        except (TypeError, RuntimeError) as error:
            words = str(error)
            if "under jit" not in words:
                raise
            raise type(error)(words.replace("jit", "explore")) from None  # it has the same contract
        if self.program.changes:
            leaf = errors.describe(self.program.changes[0].leaf)
            raise TypeError(
                f"a function of explore changed {leaf}, which it has found, and would change it in "
                "each run: make the Tensor inside of it; for gradients, grad(f) changes nothing"
            )

        self.constant = [not isinstance(x, Node) for x in self.arrays]
        values = iter(self.program.values)
        self.arrays = [next(values) if isinstance(x, Node) else np.asarray(x) for x in self.arrays]

    def _read(self, f: Any, found: Any, fields: dict[str, Any]) -> None:
        """Find all arrays of a result, in order, and where each belongs."""
        if not isinstance(found, dict) or not found:
            raise TypeError(
                f"{getattr(f, '__name__', 'f')} returns a dict of what is shown by name, such as "
                f'{{"loss": loss, "path": Plot(...)}}, but returned {type(found).__name__}'
            )
        self.arrays, self.numbers, self.plots = [], {}, {}
        for name, x in found.items():
            if not isinstance(name, str):
                raise TypeError(f"what is shown has a name, a string, but got {errors.short(name)}")
            if isinstance(x, Plot):
                marks = []
                for mark in x.marks:
                    _check_drag(mark, fields)
                    self.dragged.add(mark.options.get("drag", ""))
                    places = {}
                    for part, array in mark.arrays.items():
                        places[part] = len(self.arrays)
                        self.arrays.append(array)
                    marks.append({**mark.options, "places": places})
                self.plots[name] = {**x.options, "marks": marks}
            else:
                number = as_one(x)
                if np.size(number) != 1:
                    raise TypeError(
                        f"{name!r} is one number, but has shape {np.shape(number)}: show an array "
                        "in a Plot, as Plot(Bars(y))"
                    )
                self.numbers[name] = len(self.arrays)
                self.arrays.append(number)


def _check_drag(mark: Mark, fields: dict[str, Any]) -> None:
    """Refuse dots that move nothing."""
    name = mark.options.get("drag")
    if not name:
        return
    points, count = fields.get(name), len(mark.arrays["x"])
    if not isinstance(points, Points):
        raise TypeError(f"Dots(..., drag={name!r}) moves Points, but the argument {name!r} is none")
    if count > len(points.first):
        raise ValueError(
            f"Dots(..., drag={name!r}) shows {count} dots, but there are {len(points.first)} points"
        )
