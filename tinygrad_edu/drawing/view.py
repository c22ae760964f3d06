"""``draw``: which parts of a computation graph are shown, and in which words."""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backprop import plain
from tinygrad_edu.drawing import text
from tinygrad_edu.drawing.graph import Frame, Graph, is_leaf, oldest_first
from tinygrad_edu.drawing.picture import ALARM, GRADIENT, INK, VALUE, Drawing, Edge, Node
from tinygrad_edu.tensor import Tensor

MOST_NODES = 1000  # a picture of more takes minutes to lay out, and cannot be read
DIRECTIONS = ("LR", "TB", "RL", "BT")


def draw(
    root: Tensor,
    *,
    names: Mapping[str, Any] | None = None,
    show: str | Collection[str] = ("value", "grad"),
    rankdir: str = "auto",
    clusters: bool = True,
    collapse: bool | str = "auto",
    max_nodes: int = 60,
    max_edges: int = 120,
    precision: int = 3,
) -> Drawing:
    """A picture of everything that ``root`` was computed from. To draw changes nothing.

    One node for each tensor: its name and operation, its shape, its value, and the gradient of
    ``root`` with respect to it, which is computed for the picture, if ``root`` is one number. One
    arrow for each use. ``with scope("name"):`` frames what is computed inside. Losses, ``softmax``
    and modules have frames of their own.

    - ``names``: a mapping from names to Tensors, arrays and modules, such as ``locals()``. It comes
      before a tensor's own name and its place in a module, ``0.weight``, which is known as long as
      the module lives. Tensors without a name are v1, v2. A second one of the same name is w#2.
    - ``show``: which of "value" and "grad" to write.
    - ``rankdir``: "LR" from left to right, "TB" from top to bottom, "RL" or "BT". "auto" is "LR"
      where all tensors are single numbers, else "TB".
    - ``clusters``: whether frames are drawn.
    - ``collapse``: True draws each outermost scope as one box, False none, "auto" the inner ones
      first until there are at most ``max_nodes`` and ``max_edges``.
    - ``precision``: the significant digits of numbers.

    Raises TypeError if ``root`` is no Tensor or ``names`` no mapping; ValueError for an unknown
    option, or if more than 1,000 nodes (or ``max_nodes``, if that is more) are left to draw.

    >>> from tinygrad_edu import Tensor, draw
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> print(draw(x * x + 1.0))
    v2 = v1 + 1 | 10 | grad 1
      v1 = x * x | 9 | grad 1
        x | 3 | grad 6
        x (above)
    """
    wanted = _wanted(show)
    if not isinstance(rankdir, str) or rankdir not in ("auto", *DIRECTIONS):
        raise ValueError(
            f'rankdir is "auto" or one of {DIRECTIONS}, but got {errors.short(rankdir)}'
        )
    if not isinstance(collapse, str | bool) or collapse not in ("auto", True, False):
        raise ValueError(f'collapse is "auto", True or False, but got {errors.short(collapse)}')
    if not isinstance(clusters, bool):
        raise errors.no_flag("clusters", clusters)
    for name, count in {"max_nodes": max_nodes, "max_edges": max_edges}.items():
        if not isinstance(count, int | np.integer):
            raise TypeError(f"{name} is an integer, but got {errors.short(count)}")
    if not isinstance(precision, int | np.integer) or precision < 1:
        raise ValueError(
            f"precision counts significant digits, at least 1, but got {errors.short(precision)}"
        )
    most = max(MOST_NODES, max_nodes)
    results = oldest_first(root)
    if len(results) > most and not any(result.scopes for result in results):
        raise _too_many(len(results))  # at once, however many millions there are
    graph = Graph(root, names)
    view = _widest_view(graph, collapse, max_nodes, max_edges)
    if len(view.shown) > most:
        raise _too_many(len(view.shown))
    gradients: dict[int, Any] = {}
    note = "" if root.requires_grad else "nothing was recorded: no argument requires a gradient"
    if "grad" in wanted and not note:
        gradients, note = graph.gradients({id(each) for each in view.shown} | view.used_outside)
    if rankdir == "auto":
        rankdir = "LR" if all(np.size(plain(m)) == 1 for m in graph.members) else "TB"
    return Drawing(
        list(map(_Describer(graph, view, gradients, wanted, precision).node, view.shown)),
        view.edges,
        view.root,
        rankdir=rankdir,
        clusters=clusters,
        note=note,
    )


def _wanted(show: Any) -> set[str]:
    """What to write, as a set."""
    options = {"value", "grad"}
    if isinstance(show, str):
        show = [show]
    if isinstance(show, Collection) and all(isinstance(x, str) and x in options for x in show):
        return set(show)
    raise ValueError(f'show holds "value" and "grad", or one of them, but got {errors.short(show)}')


@dataclass
class View:
    """The rest of a graph when each frame at some depth is drawn as one box."""

    shown: list[Any]  # members of the graph, and frames
    edges: list[Edge]
    root: int  # the position of what is, or holds, the root
    inside: dict[Frame, list[Any]]  # the members that a box stands for
    used_outside: set[int]  # those of them that go on to another node, and the root, by id


def _view(graph: Graph, depth: int) -> View:
    """The graph with frames open down to ``depth``."""
    box: dict[int, Any] = {}
    inside: dict[Frame, list[Any]] = {}
    for member in graph.members:
        chain = graph.chain(member)
        box[id(member)] = chain[depth] if len(chain) > depth else member
        if len(chain) > depth:
            inside.setdefault(chain[depth], []).append(member)
    shown = list({id(each): each for each in box.values()}.values())
    place = {id(each): i for i, each in enumerate(shown)}
    edges: list[Edge] = []
    merged: dict[tuple[int, int], Edge] = {}  # those that begin or end at a box
    used_outside = {id(graph.root)}
    for result in itertools.filterfalse(is_leaf, graph.members):
        for operand in graph.operands(result):
            ends = place[id(box[id(operand)])], place[id(box[id(result)])]
            if ends in merged:
                merged[ends].uses += 1
            elif ends[0] != ends[1]:
                edges.append(Edge(*ends))
                if any(isinstance(shown[end], Frame) for end in ends):
                    merged[ends] = edges[-1]
            if ends[0] != ends[1]:
                used_outside.add(id(operand))
    return View(shown, edges, place[id(box[id(graph.root)])], inside, used_outside)


def _widest_view(graph: Graph, collapse: bool | str, max_nodes: int, max_edges: int) -> View:
    """The view with the most frames open that has few enough nodes and edges."""
    low, high = 0, max(len(graph.chain(member)) for member in graph.members)
    if collapse != "auto":
        return _view(graph, 0 if collapse else high)
    while low < high:  # the more frames are open, the more there is to draw
        middle = (low + high + 1) // 2
        view = _view(graph, middle)
        if len(view.shown) <= max_nodes and len(view.edges) <= max_edges:
            low = middle
        else:
            high = middle - 1
    return _view(graph, low)


def _too_many(count: int) -> ValueError:
    return ValueError(
        f"A picture of {count:,} nodes cannot be read. Draw a smaller part: one layer, one "
        "example; or compute parts of it inside 'with scope(\"layer 1\"):', for then each becomes "
        "one box (collapse=True); or, for a picture all the same, pass a larger max_nodes."
    )


@dataclass
class _Describer:
    """Says what stands in each node of a picture."""

    graph: Graph
    view: View
    gradients: dict[int, Any]
    show: set[str]
    precision: int

    def node(self, shown: Any) -> Node:
        if isinstance(shown, Frame):
            node = self._box(shown)
            chain = self.graph.chain(self.view.inside[shown][0])
            chain = chain[: chain.index(shown)]
        else:
            node = self._tensor(shown)
            chain = self.graph.chain(shown)
        node.frames = [(id(frame), self.graph.label(frame)) for frame in chain]
        return node

    def _tensor(self, member: Any) -> Node:
        rest = shape = _shape(member)
        role = "constant"
        if not is_leaf(member):
            role = "result" if member is self.graph.root else "operation"
            rest = f"= {self.graph.expression(member, self.precision)} {shape}".rstrip()
        elif isinstance(member, Tensor):
            role = "parameter" if member.requires_grad else "input"
        return Node(role, self.graph.name(member), rest, self._numbers(member))

    def _numbers(self, member: Any) -> list[tuple[str, str]]:
        lines = []
        if "value" in self.show:
            value = plain(member)
            colour = VALUE if np.isfinite(value).all() else ALARM
            lines.append((colour, text.values(value, self.precision)))
        if id(member) in self.gradients:
            gradient = self.gradients[id(member)]
            colour = GRADIENT if np.isfinite(gradient).all() else ALARM
            lines.append((colour, f"grad {text.values(gradient, self.precision)}"))
        if id(member) in self.graph.changed:
            lines.append((ALARM, "changed since it was used"))
        return lines

    def _box(self, frame: Frame) -> Node:
        members = self.view.inside[frame]
        parameters = [m for m in members if isinstance(m, Tensor) and m.is_leaf and m.requires_grad]
        lines = [text.counted(sum(not is_leaf(member) for member in members), "operation")]
        if parameters:
            size = sum(parameter.size for parameter in parameters)
            lines.append(
                f"{text.counted(len(parameters), 'parameter')}, {text.counted(size, 'number')}"
            )
        outcomes = [member for member in members if id(member) in self.view.used_outside]
        numbers = []
        if len(outcomes) == 1:
            name = text.shortened(self.graph.name(*outcomes))
            lines.append(f"gives {name} {_shape(*outcomes)}".rstrip())
            numbers = self._numbers(*outcomes)
        label = self.graph.label(frame)
        return Node("group", label, "", [*((INK, line) for line in lines), *numbers])


def _shape(member: Any) -> str:
    """The shape of a member, and nothing for a single number."""
    return str(np.shape(plain(member))) if np.ndim(plain(member)) else ""
