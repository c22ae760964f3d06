"""``Drawing``: nodes, edges and frames as DOT source, as an image, and as an indented tree."""

from __future__ import annotations

import itertools
import os
import re
import textwrap
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tinygrad_edu.drawing import render, text
from tinygrad_edu.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    import graphviz

INK, FAINT = "#1f2937", "#475569"  # black and grey
VALUE, GRADIENT, ALARM = "#1d4ed8", "#c2410c", "#b91c1c"  # blue, orange, red

ROLES = {
    "input": {"fillcolor": "#dbeafe", "style": "filled"},
    "parameter": {"fillcolor": "#fef3c7", "style": "filled", "penwidth": "2.5"},
    "constant": {"fillcolor": "#eef0f2", "style": "filled,dashed"},
    "operation": {"fillcolor": "#ffffff", "style": "filled,rounded"},
    "result": {"fillcolor": "#ffffff", "style": "filled,rounded", "peripheries": "2"},
    "group": {"fillcolor": "#ede9fe", "style": "filled", "shape": "folder"},
}
GRAPH = {"bgcolor": "white", "fontname": "Helvetica", "fontsize": "12", "nodesep": "0.3"}
NODE = {"shape": "box", "color": FAINT, "fontcolor": INK} | {
    "fontname": "Helvetica",
    "fontsize": "12",
    "height": "0.4",
    "margin": "0.15,0.06",
}
EDGE = {"color": FAINT, "fontname": "Helvetica", "fontsize": "11", "arrowsize": "0.7"}
FRAME = {"style": "rounded,filled", "color": "#cbd5e1", "fillcolor": "#f8fafc", "labeljust": "l"}

LONGEST_LINE = 60  # of a name, in characters
DEEPEST = 30  # levels of a tree that are indented: below, their number is written


@dataclass
class Edge:
    """An arrow between two nodes, named by their positions, that stands for some uses."""

    tail: int
    head: int
    uses: int = 1


@dataclass
class Node:
    """A node of a picture, in words."""

    role: str
    name: str
    rest: str  # of the first line, after the name
    lines: list[tuple[str, str]]  # the others: a colour and a text each
    frames: list[tuple[int, str]] = field(default_factory=list)  # keys and labels, outermost first


class Drawing:
    """A picture of a computation graph, as it was when ``draw`` was called.

    It shows itself in a notebook, and ``print`` writes its ``text()``. To make an image takes
    Graphviz: the program ``dot``, or else the package pygraphviz, which brings Graphviz along; or
    what ``use_renderer`` was given.

    >>> from tinygrad_edu import Tensor, draw
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> drawing = draw(2.0 * x)
    >>> drawing
    <Drawing of 2 nodes; print() writes a tree>
    >>> print(drawing)
    v1 = 2 * x | 6 | grad 1
      x | 3 | grad 2
    >>> drawing.roles()
    {'n0': 'parameter', 'n1': 'result'}
    """

    def __init__(
        self,
        nodes: list[Node],
        edges: list[Edge],
        root: int,
        *,
        rankdir: str,
        clusters: bool,
        note: str = "",
    ) -> None:
        self._nodes, self._edges, self._root = nodes, edges, root
        self._rankdir, self._clusters, self._note = rankdir, clusters, note

    def __repr__(self) -> str:
        return f"<Drawing of {text.counted(len(self._nodes), 'node')}; print() writes a tree>"

    def __str__(self) -> str:
        return self.text()

    def roles(self) -> dict[str, str]:
        """The role of each node by its name in ``source``.

        One of "input", "parameter", "constant", "operation", "result" and "group".
        """
        return {f"n{i}": node.role for i, node in enumerate(self._nodes)}

    def lines(self, at: int) -> dict[str, str]:
        """The line of each node at a position below the first, such as 0, or -1 for the last."""
        return {f"n{i}": node.lines[at][1] for i, node in enumerate(self._nodes)}

    def with_lines(self, at: int, lines: dict[str, str]) -> Drawing:
        """The same picture, with other words in such a line of some nodes, by their names."""
        nodes = [replace(node, lines=[*node.lines]) for node in self._nodes]
        for i, node in enumerate(nodes):
            if f"n{i}" in lines:
                node.lines[at] = (node.lines[at][0], lines[f"n{i}"])
        return Drawing(
            nodes,
            self._edges,
            self._root,
            rankdir=self._rankdir,
            clusters=self._clusters,
            note=self._note,
        )

    def text(self) -> str:
        """The picture as an indented tree, operands below results. It needs no other program."""
        operands: list[list[Edge]] = [[] for _ in self._nodes]
        for edge in self._edges:
            operands[edge.head].append(edge)
        lines, seen = [text.shortened(self._note, 300)] if self._note else [], set()
        stack = [(self._root, 0, "")]
        while stack:
            i, depth, uses = stack.pop()
            node = self._nodes[i]
            name = text.shortened(node.name, LONGEST_LINE)
            indent = "  " * min(depth, DEEPEST) + (f"[{depth}] " if depth > DEEPEST else "")
            if i in seen:
                lines.append(f"{indent}{name} (above){uses}")
                continue
            seen.add(i)
            frame = f" [{text.shortened(node.frames[-1][1])}]" if node.frames else ""
            parts = [f"{name} {node.rest}".rstrip(), *(line for _, line in node.lines)]
            lines.append(indent + " | ".join(parts) + uses + frame)
            stack += [(edge.tail, depth + 1, _uses(edge)) for edge in reversed(operands[i])]
        return "\n".join(lines)

    @property
    def source(self) -> str:
        """The picture in DOT, Graphviz's language: the same on every run."""
        source: str = self.digraph.source
        return source

    @property
    def digraph(self) -> graphviz.Digraph:
        """A new ``graphviz.Digraph`` of the picture, to change as one likes."""
        return self._digraph(self._clusters)

    def _digraph(self, clusters: bool) -> graphviz.Digraph:
        import graphviz

        digraph = graphviz.Digraph("graph", graph_attr=GRAPH | {"rankdir": self._rankdir})
        digraph.attr("node", **NODE)
        digraph.attr("edge", **EDGE)
        if self._note:
            note = textwrap.fill(text.shortened(self._note, 300), LONGEST_LINE)
            digraph.attr("graph", label=_label([(ALARM, note)]), labeljust="l")
        around: list[tuple[int, str]] = []
        count = 0
        for i in self._by_frame():
            node = self._nodes[i]
            frames = node.frames if clusters else []
            pairs = zip(around, frames, strict=False)
            common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
            digraph.body += ["}\n"] * len(around[common:])
            for _, label in frames[common:]:
                digraph.body.append(f"subgraph cluster_{count} {{\n")
                digraph.attr("graph", label=_label([(FAINT, _broken(label))]), **FRAME)
                count += 1
            around = frames
            digraph.node(f"n{i}", _label(node.lines, node.name, node.rest), **ROLES[node.role])
        digraph.body += ["}\n"] * len(around)
        for edge in self._edges:
            digraph.edge(f"n{edge.tail}", f"n{edge.head}", _uses(edge).strip() or None)
        return digraph

    def _by_frame(self) -> list[int]:
        """The positions of the nodes, sorted so that those of each frame stand together."""
        first: dict[int, int] = {}
        for i, node in enumerate(self._nodes):
            for frame, _ in node.frames:
                first.setdefault(frame, i)
        keys = [(*(first[f] for f, _ in node.frames), i) for i, node in enumerate(self._nodes)]
        return sorted(range(len(keys)), key=keys.__getitem__)

    def svg(self) -> str:
        """The picture as SVG. Raises RuntimeError if Graphviz is missing or fails."""
        svg = self._render("svg").decode("utf-8")
        return svg[svg.index("<svg") :]  # without what only a file of its own may begin with

    def png(self) -> bytes:
        """The picture as a PNG image, at 144 dots per inch. Raises RuntimeError as ``svg`` does."""
        return self._render("png")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, whole or not at all. Returns its path.

        Its ending says how: .svg, .png or .pdf, .dot or .gv for the source, .txt for the tree.
        Raises ValueError for another ending, RuntimeError as ``svg`` does, OSError if the file
        cannot be written.

        >>> import tempfile
        >>> from tinygrad_edu import Tensor, draw
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = draw(2.0 * Tensor(3.0, requires_grad=True)).save(f"{folder}/graph.txt")
        ...     print(path.read_text(), end="")
        v2 = 2 * v1 | 6 | grad 1
          v1 | 3 | grad 2
        """
        from pathlib import Path  # only now: importing it takes time

        path = Path(path)
        ending = path.suffix.lower()
        if ending in (".dot", ".gv"):
            payload = self.source.encode("utf-8")
        elif ending == ".txt":
            payload = f"{self.text()}\n".encode()
        elif ending == ".svg":
            payload = self.svg().encode("utf-8")
        elif ending in (".png", ".pdf"):
            payload = self._render(ending[1:])
        else:
            raise ValueError(
                f"the ending of {path.name!r} names no format: write .svg, .png, .pdf, .dot or .txt"
            )
        write_whole(path, payload)
        return path

    def _render(self, form: str) -> bytes:
        try:
            return render.render(self.source, form)
        except render.LayoutError:
            if not self._clusters:
                raise
            return render.render(self._digraph(clusters=False).source, form)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """For notebooks: the picture, with a scroll bar if it is wide, or else the tree and why."""
        try:
            svg = self.svg()
        except RuntimeError as error:
            return {"text/plain": f"{error}\n\n{self.text()}"}
        scrolling = f'<div style="overflow-x: auto">{_fitting(svg)}</div>'
        return {"text/html": scrolling, "image/svg+xml": svg, "text/plain": self.text()}


def _uses(edge: Edge) -> str:
    return f" x{edge.uses}" if edge.uses > 1 else ""


def _fitting(svg: str) -> str:
    """``svg`` in the width that there is, but never so small that its text is below 11 pixels."""
    width = re.search(r'<svg [^>]*width="([\d.]+)pt"', svg)
    if width is None:  # another renderer's
        return svg
    least = (
        float(width[1]) * 11 / 12
    )  # in pixels, for text of 12 points, which are 16 pixels at full size
    style = f"max-width: 100%; min-width: {least:.0f}px; height: auto"
    return svg.replace("<svg ", f'<svg style="{style}" ', 1)


def _label(lines: list[tuple[str, str]], name: str = "", rest: str = "") -> str:
    """A label in Graphviz's markup: a name in bold and its rest, above coloured lines."""
    marked = [f'<FONT COLOR="{colour}">{_markup(line)}</FONT>' for colour, line in lines]
    if name:
        bold = f"<B>{_markup(_broken(name))}</B>"
        marked.insert(0, f"{bold}&#160;{_markup(rest)}" if rest else bold)
    return f"<{'<BR/>'.join(marked)}>"


def _broken(name: str) -> str:
    """A name, with a line break wherever it gets too long."""
    return "\n".join(
        line[start : start + LONGEST_LINE]
        for line in name.split("\n")
        for start in range(0, len(line) or 1, LONGEST_LINE)
    )


def _markup(words: str) -> str:
    r"""Text for a label, as it is: markup, and escapes such as \N, lose their meaning."""
    from html import escape  # only now: importing it takes time

    plain = escape(text.visible(words).replace("\\", "\\\\"))
    return plain.replace("\n", "<BR/>")
