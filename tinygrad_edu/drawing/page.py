"""The page that goes through the steps of a graph: one file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

from tinygrad_edu import standalone
from tinygrad_edu.drawing.graph import Graph
from tinygrad_edu.drawing.narration import Derivation, Step
from tinygrad_edu.drawing.picture import ALARM, GRADIENT, VALUE, Drawing
from tinygrad_edu.drawing.playing import Play
from tinygrad_edu.drawing.text import shortened, values

SVG = "{http://www.w3.org/2000/svg}"

COLOURS = {VALUE, GRADIENT, ALARM}
ROLES = {
    "parameter": "a parameter: a tensor that requires a gradient",
    "input": "an input: a tensor that requires none",
    "constant": "a constant: an array",
    "operation": "the result of an operation",
    "result": "the final result",
}

SCRIPTS = ("elements.js", "numbers.js", "fields.js", "playing.js", "guessing.js", "page.js")
CHANGEABLE = (
    "All numbers follow those in the fields. The graph stays the one that was recorded: what was "
    "chosen by <code>if</code>, by a mask or an index, and labels, are not chosen anew. Numbers "
    "that Python would refuse, such as a probability of 2, are computed with all the same."
)


def page(
    steps: Sequence[Step], drawing: Drawing, graph: Graph, precision: int, play: Play | str
) -> str:
    """The page as HTML. ``drawing`` has the members of ``graph`` as its nodes, in order.

    ``play`` is what the reader may change, or why that is nothing. Raises RuntimeError if Graphviz
    is missing or fails.
    """
    scripts = ["\n".join(map(_file, SCRIPTS))]
    picture = drawing.with_lines(-1, largest(steps, graph, precision))
    if isinstance(play, Play):
        scripts.insert(0, f"const program = {play.program};")
        picture = _roomy(picture, play)
        changeable = CHANGEABLE
    else:
        changeable = f"The numbers of this page cannot be changed: {escape(play)}."
    svg = marked(picture, drawing.lines(0), gradients_of(steps[-1], graph, precision))
    width, height = (float(svg.get(side, "1pt").removesuffix("pt")) for side in ("width", "height"))
    return standalone.page(
        _file("page.html"),
        title=f"{shortened(graph.name(graph.root))}, step by step",
        style=_file("page.css"),
        scripts=scripts,
        svg=ElementTree.tostring(svg, encoding="unicode"),
        shape="wide" if width > 2 * height else "",
        steps="\n".join(map(_item, steps)),
        legend="\n".join(
            f'<dt><span class="swatch {role}"></span></dt><dd>{meaning}</dd>'
            for role, meaning in ROLES.items()
        ),
        changeable=changeable,
        data=_data(steps, graph, precision, play),
        count=str(len(steps)),
        precision=str(precision),
    )


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def gradients_of(step: Step, graph: Graph, precision: int) -> dict[str, str]:
    """The line of each node that shows its gradient at a step."""
    return {
        graph.node(tensor): f"grad {values(gradient, precision)}"
        for tensor, gradient in step.gradients.items()
    }


def largest(steps: Sequence[Step], graph: Graph, precision: int) -> dict[str, str]:
    """The longest text that each node will show as its gradient."""
    longest: dict[str, str] = {}
    for step in steps:
        for node, text in gradients_of(step, graph, precision).items():
            longest[node] = max(longest.get(node, ""), text, key=len)
    return longest


def _roomy(drawing: Drawing, play: Play) -> Drawing:
    """The picture with room for other numbers."""
    values = {
        node: max(drawing.lines(0)[node], play.sample(slot), key=len)
        for node, slot in play.values.items()
    }
    gradients = drawing.lines(-1)
    for known in play.gradients:
        for node, slot in known.items():
            gradients[node] = max(gradients[node], f"grad {play.sample(slot)}", key=len)
    return drawing.with_lines(-1, gradients).with_lines(0, values)


def marked(
    drawing: Drawing, values: dict[str, str], gradients: dict[str, str]
) -> ElementTree.Element:
    """The picture with these numbers, classes that say what its parts are, and no tooltips."""
    ElementTree.register_namespace("", SVG[1:-1])
    svg = ElementTree.fromstring(drawing.svg())
    roles = drawing.roles()
    for group in svg.iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is None:
            continue
        name = title.text or ""
        group.remove(title)
        if group.get("class") == "node":
            group.set("id", name)
            group.set("class", f"node {roles[name]}")
            texts = [t for t in group.iter(f"{SVG}text") if t.get("fill") in COLOURS]
            for text, kind in zip(texts, ("value", "gradient"), strict=False):
                text.set("class", f"{kind} alarm" if text.get("fill") == ALARM else kind)
                text.set("x", _middle(group))
                text.set("text-anchor", "middle")  # for it changes from step to step
                text.text = (values if kind == "value" else gradients)[name]
        elif group.get("class") == "edge":
            tail, head = name.split("->")
            group.set("data-tail", tail)
            group.set("data-head", head)
    return svg


def _middle(node: ElementTree.Element) -> str:
    """The middle of a node, from left to right."""
    outlines = (child.get("points") or child.get("d") or "" for child in node)
    xs = [float(x) for outline in outlines for x in re.findall(r"(-?[\d.]+),", outline)]
    return f"{(min(xs) + max(xs)) / 2:g}"


def _item(step: Step) -> str:
    derivations = "\n".join(map(_derivation, step.derivations))
    return (
        f'<li class="{step.phase}"><h2><span class="phase">step {step.number} of {step.count}, '
        f"</span>{escape(step.title)}</h2>\n{derivations}</li>"
    )


def _derivation(derivation: Derivation) -> str:
    cells = []
    last = len(derivation.expressions) - 1
    for i, expression in enumerate(derivation.expressions):
        target = escape(derivation.target) if i == 0 else ""
        kind = ' class="result"' if i == last else ""
        cells.append(f"<span>{target}</span><span{kind}>= {escape(expression)}</span>")
    cells += [f'<span class="note">{escape(note)}</span>' for note in derivation.notes]
    return f'<div class="derivation">{"".join(cells)}</div>'


def edges_of(step: Step, graph: Graph) -> list[str]:
    """The edges that a step goes along, each by its two ends."""
    if step.phase == "seed":
        return []
    wanted = step.phase == "forward"  # backward, only to those that want a gradient
    ends = graph.operands(step.tensor)
    return [
        f"{graph.node(end)} {graph.node(step.tensor)}"
        for end in ends
        if wanted or getattr(end, "requires_grad", False)
    ]


def born(steps: Sequence[Step], graph: Graph) -> dict[str, int]:
    """The step at which the value of each node becomes known, unless it always was."""
    return {graph.node(step.tensor): step.number for step in steps if step.phase == "forward"}


def _data(steps: Sequence[Step], graph: Graph, precision: int, play: Play | str) -> dict[str, Any]:
    """All that the script shows."""
    described = [
        {
            "title": step.title,
            "node": graph.node(step.tensor),
            "edges": edges_of(step, graph),
            "gradients": gradients_of(step, graph, precision),
        }
        for step in steps
    ]
    data = {"born": born(steps, graph), "steps": described, "precision": precision}
    if isinstance(play, Play):
        data["play"] = play.data()
    return data
