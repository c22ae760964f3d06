"""One picture for each step of a graph, all of one size, for slides."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from xml.etree import ElementTree

from tinygrad_edu.drawing.graph import Graph
from tinygrad_edu.drawing.narration import Step
from tinygrad_edu.drawing.page import SVG, born, edges_of, gradients_of, largest, marked
from tinygrad_edu.drawing.picture import ALARM, GRADIENT, INK, Drawing

LIT, EDGE = "#fde68a", "#ca8a04"  # the node and the arrows of a step, as on the page
LINE, LETTER, MARGIN = 18.0, 8.0, 12.0  # of the words, in points


def slides(steps: Sequence[Step], drawing: Drawing, graph: Graph, precision: int) -> list[str]:
    """The pictures as SVG. Raises RuntimeError if Graphviz is missing or fails."""
    longest = largest(steps, graph, precision)
    gradients = gradients_of(steps[-1], graph, precision)
    whole = marked(drawing.with_lines(-1, longest), drawing.lines(0), gradients)
    told = [str(step).partition(", ")[2].splitlines() for step in steps]
    left, top, width, height = map(float, (whole.get("viewBox") or "").split())
    right = max(len(line) for lines in told for line in lines) * LETTER + MARGIN
    size = (max(width, right), height + (max(map(len, told)) + 1) * LINE)
    whole.set("viewBox", f"{left:g} {top:g} {size[0]:g} {size[1]:g}")
    whole.set("width", f"{size[0]:g}pt")
    whole.set("height", f"{size[1]:g}pt")
    ground = {"x": f"{left:g}", "y": f"{top:g}", "width": "100%", "height": "100%", "fill": "white"}
    whole.insert(0, ElementTree.Element(f"{SVG}rect", ground))
    pictures = []
    for step, lines in zip(steps, told, strict=True):
        svg = copy.deepcopy(whole)
        _set(svg, step, steps, graph, precision)
        for i, line in enumerate(lines):
            place = {"x": f"{left + MARGIN:g}", "y": f"{top + height + (i + 1) * LINE:g}"}
            style = {"font-family": "monospace", "font-size": "13", "fill": INK}
            words = ElementTree.SubElement(svg, f"{SVG}text", place | style)
            words.set("style", "white-space: pre")
            words.set("xml:space", "preserve")
            words.text = line
        pictures.append(ElementTree.tostring(svg, encoding="unicode"))
    return pictures


def _set(
    svg: ElementTree.Element, step: Step, steps: Sequence[Step], graph: Graph, precision: int
) -> None:
    """Show what is known at a step, and light up its node and its arrows."""
    known, since = gradients_of(step, graph, precision), born(steps, graph)
    node = graph.node(step.tensor)
    lit = edges_of(step, graph)
    for group in svg.iter(f"{SVG}g"):
        kind = (group.get("class") or "").partition(" ")[0]
        name = group.get("id") or ""
        if kind == "node":
            for text in [t for t in group.iter(f"{SVG}text") if t.get("class")]:
                if (text.get("class") or "").startswith("gradient"):
                    text.text = known.get(name, "")
                    wrong = "nan" in text.text or "inf" in text.text
                    text.set("fill", ALARM if wrong else GRADIENT)
                elif since.get(name, 0) > step.number:
                    text.text = ""
        edge = f"{group.get('data-tail')} {group.get('data-head')}"
        if name == node or edge in lit:
            for outline in [each for each in group if each.tag != f"{SVG}text"]:
                outline.set("stroke", EDGE)
                outline.set("stroke-width", "3")
                if outline.get("fill") != "none":
                    outline.set("fill", LIT if name == node else EDGE)
