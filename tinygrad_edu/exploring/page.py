"""The page of ``explore``: one file that needs nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from tinygrad_edu import standalone
from tinygrad_edu.drawing import text
from tinygrad_edu.exploring.controls import Choice, Control, Points, Slider
from tinygrad_edu.exploring.views import View

PRECISION = 4  # digits of numbers that are shown

SHARED = ("elements.js", "numbers.js")  # with the page of steps
SCRIPTS = ("controls.js", "marks.js", "plots.js", "handles.js", "page.js")


def page(
    name: str, question: str, controls: Mapping[str, Control | Choice], views: Sequence[View]
) -> str:
    """The page as HTML. ``views``: one for each choice of options, in the order of a loop."""
    here, drawing = files(__package__), files("tinygrad_edu.drawing")
    own = [drawing.joinpath(script) for script in SHARED] + [here.joinpath(s) for s in SCRIPTS]
    return standalone.page(
        _text(here.joinpath("page.html")),
        title=question or name,
        style=_text(here.joinpath("page.css")) + _text(here.joinpath("uplot", "uPlot.min.css")),
        scripts=[
            _text(here.joinpath("uplot", "uPlot.iife.min.js")),
            _programs(views),
            "\n".join(map(_text, own)),
        ],
        question=escape(question),
        numbers=_numbers(views[0]),
        data=_data(controls, views),
    )


def _text(file: Traversable) -> str:
    return file.read_text("utf-8")


def _programs(views: Sequence[View]) -> str:
    texts = ",\n".join(view.program.text for view in views)
    return f'"use strict";\nconst programs = [\n{texts}\n];'


def _numbers(view: View) -> str:
    """The numbers as they are at first, for who has no JavaScript."""
    rows = []
    for name, position in view.numbers.items():
        shown = escape(text.values(view.arrays[position].reshape(()), PRECISION))
        rows.append(f"<div><dt>{escape(name)}</dt><dd>{shown}</dd></div>")
    return "\n".join(rows)


def _data(controls: Mapping[str, Control | Choice], views: Sequence[View]) -> dict[str, Any]:
    """All that the script needs besides the programs."""
    constants: dict[str, int] = {}
    return {
        "controls": [_control(name, control) for name, control in controls.items()],
        "views": [_view(view, constants) for view in views],
        "constants": [json.loads(each) for each in constants],
        "precision": PRECISION,
    }


def _control(name: str, control: Control | Choice) -> dict[str, Any]:
    """What the reader changes, and between which ends."""
    if isinstance(control, Choice):
        options = [str(option) for option in control.options]
        return {"name": name, "kind": "choice", "options": options}
    first = control.first
    described = {"name": name, "first": first.reshape(-1).tolist(), "shape": list(first.shape)}
    if isinstance(control, Slider):
        ends = {"low": float(control.low), "high": float(control.high)}
        step = control.step or 10.0 ** math.floor(math.log10((control.high - control.low) / 50))
        described |= {"kind": "slider", "step": step, "log": control.log, "unit": control.unit}
    elif isinstance(control, Points):
        ends = {"low": control.low.tolist(), "high": control.high.tolist()}
        described |= {"kind": "points"}
    else:
        ends = {"low": control.low, "high": control.high}
        described |= {"kind": "pixels"}
    return {**described, **ends}


def _view(view: View, constants: dict[str, int]) -> dict[str, Any]:
    """Where the results of a program are shown.

    The slot of an array is where it begins and ends among the results; or, of what never changes,
    its number among ``constants``, which are added here.
    """
    slots, end = [], 0
    for value, is_constant in zip(view.arrays, view.constant, strict=True):
        if is_constant:
            row = json.dumps([standalone.number(x) for x in value.reshape(-1).tolist()])
            slots.append([constants.setdefault(row, len(constants))])
        else:
            slots.append([end, end + value.size])
            end += value.size
    dtypes = [x.dtype.str[1:] for x in view.arrays]
    numbers = [[name, slots[i], dtypes[i]] for name, i in view.numbers.items()]
    plots = []
    for name, plot in view.plots.items():
        marks = []
        for mark in plot["marks"]:
            described = {**mark}
            positions = described.pop("places")
            described["slots"] = {part: slots[i] for part, i in positions.items()}
            marks.append(described)
        plots.append({**plot, "name": name, "marks": marks})
    return {"numbers": numbers, "plots": plots}
