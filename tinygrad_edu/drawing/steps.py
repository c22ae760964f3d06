"""``steps``: the forward and the backward pass of a small graph, one operation at a time."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import repeated_axes, unbroadcast
from tinygrad_edu.drawing import text
from tinygrad_edu.drawing.graph import Graph, oldest_first, watch_backward
from tinygrad_edu.drawing.picture import Drawing
from tinygrad_edu.drawing.view import draw
from tinygrad_edu.files import write_whole
from tinygrad_edu.tensor import Array, Tensor, plain

if TYPE_CHECKING:
    from pathlib import Path

MOST_NODES = 40  # more do not fit on a page, and nobody has the patience

SHAPE = re.compile(r"-?‹[\d×]+›")  # what stands for a large array

# Where a formula alone does not tell the whole rule: when that is, and what to add.
CAVEATS: dict[ops.Operation, list[tuple[Callable[..., bool], str]]] = {
    np.power: [
        (lambda a, b: bool(np.any(np.equal(b, 0))), "where b == 0, the slope along a is 0"),
        (
            lambda a, b: bool(np.any(np.equal(a, 0))),
            "where a == 0, the slope along b is taken as 0",
        ),
    ],
    np.matmul: [
        (
            lambda a, b: a.ndim == 1 or b.ndim == 1,
            "a vector stands for a matrix, a on the left of one row, b on the right of one column",
        ),
        (lambda a, b: max(a.ndim, b.ndim) > 2, ".T swaps the last two axes"),
    ],
}


def steps(root: Tensor, *, names: Mapping[str, Any] | None = None, precision: int = 3) -> Steps:
    """How ``root`` is computed, and then its gradients: one step for each operation, both ways.

    First every operation, in the order in which they ran; then the seed, the gradient 1 of ``root``
    with respect to itself; then every operation in reverse, in the order of ``backward``, with the
    rule of the table of derivatives in letters, in numbers, and the result. To go through the steps
    changes nothing.

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
    told = list(_Narrator(graph, results, precision).tell())
    drawing = draw(root, names=names, collapse=False, precision=precision)
    return Steps(told, drawing, graph, precision)


@dataclass(frozen=True)
class Derivation:
    """How one number or array, the target, comes about.

    ``expressions`` are equal, from letters to the result; ``notes`` say what they leave out.

    >>> from tinygrad_edu import Tensor, steps
    >>> product = Tensor(3.0, requires_grad=True, name="w") * 2.0
    >>> derivation = steps(product)[-1].derivations[0]
    >>> derivation.target, derivation.expressions
    ('dv1/dw', ('g * b', 'dv1/dv1 * 2', '1 * 2', '2'))
    """

    target: str
    expressions: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        first, *others = self.expressions
        indent = " " * len(self.target)
        lines = [f"{self.target} = {first}", *(f"{indent} = {other}" for other in others)]
        return "\n".join([*lines, *(f"{indent}   {note}" for note in self.notes)])


@dataclass(frozen=True, eq=False)
class Step:
    """One operation on its way forward or backward, or the seed between the two.

    - ``number``: which step it is, from 1 to ``count``.
    - ``phase``: "forward", "seed" or "backward"; ``title``: the operation in words.
    - ``derivations``: how its result comes about, or the gradient of each of its arguments: a
      ``target``, its ``expressions`` and ``notes``.
    - ``tensor``: the result of the operation.
    - ``gradients``: of the root by each Tensor reached so far, arrays of its shape and dtype, as
      far as they are known then.

    >>> from tinygrad_edu import Tensor, steps
    >>> w = Tensor(3.0, requires_grad=True, name="w")
    >>> step = steps(w * 2.0)[-1]
    >>> step.number, step.phase, step.gradients[w]
    (3, 'backward', array(2.))
    >>> print(step.derivations[0])
    dv1/dw = g * b
           = dv1/dv1 * 2
           = 1 * 2
           = 2
    """

    number: int
    count: int
    phase: str  # "forward", "seed" or "backward"
    title: str
    derivations: tuple[Derivation, ...]
    tensor: Tensor  # the result of the operation
    gradients: Mapping[Tensor, Array]  # of the root, by each tensor reached so far, as far as known

    def __str__(self) -> str:
        lines = "\n".join(map(str, self.derivations)).replace("\n", "\n  ")
        return f"step {self.number} of {self.count}, {self.title}\n  {lines}"


class Steps(Sequence[Step]):
    """The steps of a computation, as they were when ``steps`` was called: a sequence of ``Step``.

    ``print`` writes them all; in a notebook, and by ``save``, they are a page to go through them.

    >>> from tinygrad_edu import Tensor, steps
    >>> passes = steps(Tensor(3.0, requires_grad=True, name="w") * 2.0)
    >>> passes
    <3 steps; print() writes them, .save('steps.html') a page>
    >>> [step.phase for step in passes]
    ['forward', 'seed', 'backward']
    """

    def __init__(self, told: list[Step], drawing: Drawing, graph: Graph, precision: int) -> None:
        self._steps, self._drawing, self._graph = told, drawing, graph
        self._precision = precision

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

        return page(self, self._drawing, self._graph, self._precision)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file that ends in .html, whole or not at all; give back its path.

        Raises ValueError for another ending, RuntimeError as ``html`` does, OSError if the file
        cannot be written.
        """
        from pathlib import Path  # only now: importing it takes time

        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"steps are saved as a page, in a file.html, but got {path.name!r}")
        write_whole(path, self.html().encode("utf-8"))
        return path

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """For notebooks: the page in a frame of its own; else the steps as text, and why."""
        from html import escape  # only now: importing it takes time

        try:
            page = escape(self.html())
        except RuntimeError as error:
            return {"text/plain": f"{error}\n\n{self}"}
        size = 'width="100%" height="640" style="border: 0"'
        frame = f'<iframe sandbox="allow-scripts" {size} srcdoc="{page}"></iframe>'
        return {"text/html": frame, "text/plain": str(self)}


class _Narrator:
    """Tells a graph's passes step by step."""

    def __init__(self, graph: Graph, results: list[Tensor], precision: int) -> None:
        self._graph, self._results, self._precision = graph, results, precision
        self._root = text.shortened(graph.name(graph.root))
        self._gradients: dict[Tensor, Array] = {}

    def tell(self) -> Iterator[Step]:
        """Every step."""
        count = 2 * len(self._results) + 1
        for number, result in enumerate(self._results, 1):
            title = f"forward: {self._equation(result)}"
            yield Step(number, count, "forward", title, (self._forward(result),), result, {})
        grown: dict[Tensor | None, list[tuple[Tensor, Any]]] = {}
        watch_backward(
            self._graph.root,
            lambda node, arg, gradient: grown.setdefault(node, []).append((arg, gradient)),
        )
        for number, (node, growth) in enumerate(grown.items(), len(self._results) + 1):
            if node is None:
                node, told = self._graph.root, [self._seed(*growth[0])]
                phase, title = "seed", f"seed: {told[0].target} = 1"
            else:
                told = list(self._backward(node, growth))
                phase, title = "backward", f"backward through {self._equation(node)}"
            yield Step(number, count, phase, title, tuple(told), node, dict(self._gradients))

    def _equation(self, result: Tensor) -> str:
        name = text.shortened(self._graph.name(result))
        return f"{name} = {self._graph.expression(result, self._precision)}"

    def _derivative(self, member: Tensor) -> str:
        return f"d{self._root}/d{text.shortened(self._graph.name(member))}"

    def _forward(self, result: Tensor) -> Derivation:
        graph, precision = self._graph, self._precision
        expressions = (
            graph.expression(result, precision),
            graph.expression(result, precision, self._number),
            self._result(plain(result)),
        )
        return Derivation(text.shortened(graph.name(result)), _unlike(expressions))

    def _seed(self, root: Tensor, gradient: Any) -> Derivation:
        self._gradients[root] = np.array(gradient)
        name = self._root
        because = f"1: of any change of {name}, all of it arrives at {name}"
        return Derivation(self._derivative(root), (because,))

    def _backward(self, node: Tensor, growth: list[tuple[Tensor, Any]]) -> Iterator[Derivation]:
        """What each argument of ``node`` gets, in the order of ``growth``."""
        op, g = node._op, self._gradients[node]
        assert op is not None
        rules = ops.derivatives[op]
        differentiated = [
            (arg, rule)
            for arg, rule in zip(node._args, rules, strict=False)
            if isinstance(arg, Tensor) and arg.requires_grad
        ]
        arrays = [] if isinstance(rules, ops.Each) else [plain(arg) for arg in node._args]
        for (arg, rule), (_, total) in zip(differentiated, growth, strict=True):
            assert rule is not None
            formula, letters = _formula(rule, op)
            if op is np.mean:
                count = str(arrays[0].size // max(node.size, 1))
                formula = re.sub(r"\bn\b", count, formula)
            operands = [node, *node._args]
            words = [self._graph.word(operand, self._precision) for operand in operands]
            names = [self._derivative(node), *words]
            numbers = [self._number(g), *map(self._number, operands)]
            with np.errstate(all="ignore"):
                contribution = rule(g[()], plain(node), *arrays, **node._kwargs)
            expressions = [
                formula,
                _replaced(formula, letters, numbers),
                self._result(contribution),
            ]
            if not re.search(r"[a-z]{2,} [a-z]{2,}", formula):  # words are not to be read thrice
                expressions.insert(1, _replaced(formula, letters, names))
            notes = [note for fails, note in CAVEATS.get(op, ()) if fails(*arrays)]
            if axes := repeated_axes(np.shape(contribution), arg.shape):
                contribution = unbroadcast(contribution, arg.shape, node)
                where = text.shortened(self._graph.name(arg))
                notes.append(
                    f"sum over {'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}, "
                    f"along which {where} was repeated: {self._result(contribution)}"
                )
            if arg in self._gradients:
                before, now = self._result(self._gradients[arg]), self._result(total)
                notes.append(f"was {before}, now {now}: another path adds")
            self._gradients[arg] = np.array(total, dtype=arg.dtype)
            yield Derivation(self._derivative(arg), _unlike(expressions), tuple(notes))

    def _number(self, operand: Any) -> str:
        """A few numbers in full; of more than a few, the shape."""
        array = np.asarray(plain(operand))
        if array.size > text.IN_FULL:
            return f"‹{'×'.join(map(str, array.shape))}›"
        return text.values(array, self._precision)

    def _result(self, value: Any) -> str:
        shape = f" {np.shape(value)}" if np.size(value) > text.IN_FULL else ""
        return text.values(value, self._precision) + shape


def _unlike(expressions: Iterable[str]) -> tuple[str, ...]:
    """Each expression once, and none that is only the shape of an array."""
    return tuple(dict.fromkeys(each for each in expressions if not SHAPE.fullmatch(each)))


def _formula(rule: ops.Rule, op: ops.Operation) -> tuple[str, list[str]]:
    """The docstring of a rule, and the letters in it for the gradient, the output and the rest."""
    function = getattr(rule, "func", rule)  # itself, or that of a partial
    formula = inspect.getdoc(function) if inspect.isfunction(function) else None
    if not formula:
        return f"the rule of {ops.name(op)}", []
    return formula.partition("\n")[0], list(inspect.signature(rule).parameters)


def _replaced(formula: str, letters: list[str], by: list[str]) -> str:
    """``formula`` with each letter replaced, wherever it stands as a word of its own."""
    meaning = dict(zip(letters, by, strict=False))
    if formula in meaning:
        return meaning[formula]
    words = {letter: text.in_brackets(words) for letter, words in meaning.items()}
    replaced = re.sub(r"[A-Za-z_]\w*", lambda word: words.get(word[0], word[0]), formula)
    return re.sub(r"\(\((-[^()]*)\)\)", r"(\1)", replaced)  # cos((-2))
