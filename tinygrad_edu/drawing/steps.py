"""``steps``: the forward and the backward pass of a small graph, one operation at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from tinygrad_edu import errors
from tinygrad_edu.drawing import text
from tinygrad_edu.drawing.graph import Graph, oldest_first
from tinygrad_edu.drawing.narration import Narrator, Step
from tinygrad_edu.drawing.picture import Drawing
from tinygrad_edu.drawing.view import draw
from tinygrad_edu.files import write_whole
from tinygrad_edu.tensor import Array, Tensor

if TYPE_CHECKING:
    from pathlib import Path

MOST_NODES = 40  # more do not fit on a page


def steps(root: Tensor, *, names: Mapping[str, Any] | None = None, precision: int = 3) -> Steps:
    """How ``root`` is computed, and then its gradients: one step for each operation, both ways.

    First every operation, in the order in which they ran. Then the seed, the gradient 1 of ``root``
    with respect to itself. Then every operation in reverse, in the order of ``backward``, with the
    rule of the table of derivatives in letters, in numbers, and the result. To go through the steps
    changes nothing.

    As a page, in a notebook and by ``save``, they can be played with: each leaf of at most six
    floating-point numbers, a Tensor or an array in ``names``, has fields and sliders, and all that
    follows is computed in the browser. The graph stays the one that was recorded: of what was
    chosen by numbers, the page follows what ``softmax``, ``relu`` and losses choose, and names the
    rest. The address keeps the step and the numbers that were changed. A page says why, if nothing
    can be changed: an operation that cannot be written as JavaScript, leaves of more than 1,000
    numbers, or more than 2,000 operations of single numbers.

    ``names`` and ``precision`` are as in ``draw``. Raises TypeError and ValueError as ``draw``,
    RuntimeError or ValueError where the first ``root.backward()`` would, and ValueError beyond 40
    tensors.

    >>> from tinygrad_edu import Tensor, steps
    >>> w = Tensor(3.0, requires_grad=True, name="w")
    >>> for step in steps(w * 2.0, names={"w": w}):
    ...     print(step)
    step 1 of 3, forward: v1 = w * 2
      v1 = w * 2
         = 3 * 2
         = 6
    step 2 of 3, seed: dv1/dv1 = 1
      dv1/dv1 = 1: of any change of v1, all of it arrives at v1
    step 3 of 3, backward through v1 = w * 2
      dv1/dw = g * b
             = dv1/dv1 * 2
             = 1 * 2
             = 2
    """
    from tinygrad_edu.drawing.playing import numbers_of  # only now: importing it takes time

    results = oldest_first(root)
    if not root.requires_grad:
        raise errors.no_gradient(root)
    if root.size != 1:
        raise errors.many_numbers(root)
    graph = Graph(root, names) if len(results) <= MOST_NODES else None
    if graph is None or len(graph.members) > MOST_NODES:
        count = f"more than {len(results):,}" if graph is None else len(graph.members)
        raise ValueError(
            f"steps goes through graphs of at most {MOST_NODES} tensors, but this one has "
            f"{count}. draw(root) shows it as one picture; or take a smaller part, or a smaller "
            "example"
        )
    told = list(Narrator(graph, precision).tell())
    drawing = draw(root, names=names, collapse=False, precision=precision)
    return Steps(told, drawing, graph, precision, numbers_of(graph))


class Steps(Sequence[Step]):
    """The steps of a computation, as they were when ``steps`` was called: a sequence of ``Step``.

    ``print`` writes them all. In a notebook, and by ``save``, they are a page to go through them.

    >>> from tinygrad_edu import Tensor, steps
    >>> passes = steps(Tensor(3.0, requires_grad=True, name="w") * 2.0)
    >>> passes
    <3 steps; print() writes them, .save('steps.html') a page>
    >>> [step.phase for step in passes]
    ['forward', 'seed', 'backward']
    """

    def __init__(
        self,
        told: list[Step],
        drawing: Drawing,
        graph: Graph,
        precision: int,
        given: dict[int, Array] | None,
    ) -> None:
        self._steps, self._drawing, self._graph = told, drawing, graph
        self._precision = precision
        self._given = given  # the numbers of the leaves by their ids, unless they are too many

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        return self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    def __str__(self) -> str:
        return "\n".join(map(str, self._steps))

    def __repr__(self) -> str:
        return (
            f"<{text.counted(len(self), 'step')}; print() writes them, .save('steps.html') a page>"
        )

    def html(self) -> str:
        """One page to go through the steps: a file on its own that asks no network for anything.

        Raises RuntimeError if Graphviz, which draws the graph, is missing or fails.
        """
        from tinygrad_edu.drawing.page import page  # only now: importing it takes time
        from tinygrad_edu.drawing.playing import playable

        play = playable(self._graph, self._given, self._precision)
        return page(self, self._drawing, self._graph, self._precision, play)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file that ends in .html, whole or not at all. Returns its path.

        For slides, ``save("step_{:02}.svg")`` writes one picture for each step: its number takes
        the place of the braces. Returns the path of the first.

        Raises ValueError for another ending or no braces, RuntimeError as ``html`` does, OSError if
        a file cannot be written.
        """
        from pathlib import Path  # only now: importing it takes time

        from tinygrad_edu.standalone import ENDINGS

        path = Path(path)
        if path.suffix.lower() in ENDINGS:
            write_whole(path, self.html().encode("utf-8"))
            return path
        if path.suffix.lower() != ".svg":
            raise ValueError(
                "steps are saved as a page, 'steps.html', or as one picture for each step, "
                f"'step_{{:02}}.svg', but got {path.name!r}"
            )
        paths = self._numbered(path)
        from tinygrad_edu.drawing.slides import slides  # only now: importing it takes time

        pictures = slides(self, self._drawing, self._graph, self._precision)
        for each, picture in zip(paths, pictures, strict=True):
            write_whole(each, picture.encode("utf-8"))
        return paths[0]

    def _numbered(self, path: Path) -> list[Path]:
        """A path for each step."""
        try:
            paths = [path.with_name(path.name.format(step.number)) for step in self._steps]
        except (ValueError, LookupError):
            paths = []
        if len(set(paths)) < len(self._steps):
            name = f"{path.stem.partition('{')[0].rstrip('_')}_{{:02}}.svg"
            raise ValueError(
                "each step has a picture of its own, so that the name needs a place for its "
                f"number: write {name!r}, not {path.name!r}"
            )
        return paths

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """For notebooks: the page in a frame of its own, or else the steps as text, and why."""
        from tinygrad_edu.standalone import framed  # only now: importing it takes time

        try:
            page = self.html()
        except RuntimeError as error:
            return {"text/plain": f"{error}\n\n{self}"}
        return {"text/html": framed(page, height=640), "text/plain": str(self)}
