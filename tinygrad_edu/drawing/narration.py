"""Every operation of a graph in letters and in numbers: first forward, then backward."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu import ops
from tinygrad_edu.backprop import plain, repeated_axes, unbroadcast
from tinygrad_edu.drawing import text
from tinygrad_edu.drawing.formula import formula_of
from tinygrad_edu.drawing.graph import Graph, watch_backward
from tinygrad_edu.tensor import Array, Tensor

SHAPE = re.compile(r"-?‹[\d×]+›")  # what stands for a large array

# Where a formula alone does not tell the whole rule: when that is, and what to add, in braces the
# letters of its arguments.
CAVEATS: dict[ops.Operation, list[tuple[Callable[..., Any], str]]] = {
    np.power: [
        (lambda a, b: np.any(np.equal(b, 0)), "where {b} == 0, the slope along {a} is 0"),
        (lambda a, b: np.any(np.equal(a, 0)), "where {a} == 0, the slope along {b} is taken as 0"),
    ],
    np.matmul: [
        (
            lambda a, b: a.ndim == 1 or b.ndim == 1,
            "a vector stands for a matrix, {a} on the left of one row, {b} on the right of one "
            "column",
        ),
        (lambda a, b: max(a.ndim, b.ndim) > 2, ".T swaps the last two axes"),
    ],
}

# What stands for a letter of a rule where a tensor of the graph has that letter as its name.
OTHER_WORDS = {"g": "arrived", "y": "out", "x": "arg", "a": "left", "b": "right"}


@dataclass(frozen=True)
class Derivation:
    """How one number or array, the target, comes about.

    ``expressions`` are equal, from letters to the result. ``notes`` say what they leave out.

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
    - ``phase``: "forward", "seed" or "backward".
    - ``title``: the operation in words.
    - ``derivations``: how its result comes about, or the gradient of each of its arguments.
    - ``tensor``: the result of the operation.
    - ``gradients``: those of the root with respect to each Tensor reached so far, as far as they
      are known then; arrays of its shape and dtype.

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
    phase: str
    title: str
    derivations: tuple[Derivation, ...]
    tensor: Tensor
    gradients: Mapping[Tensor, Array]

    def __str__(self) -> str:
        lines = "\n".join(map(str, self.derivations)).replace("\n", "\n  ")
        return f"step {self.number} of {self.count}, {self.title}\n  {lines}"


class Narrator:
    """Tells the forward and the backward pass of a graph."""

    def __init__(self, graph: Graph, precision: int) -> None:
        self._graph, self._precision = graph, precision
        self._root = text.shortened(graph.name(graph.root))
        self._gradients: dict[Tensor, Any] = {}

    def tell(self) -> Iterator[Step]:
        """Every step."""
        results = self._graph.results
        count = 2 * len(results) + 1
        for number, result in enumerate(results, 1):
            title = f"forward: {self._equation(result)}"
            yield Step(number, count, "forward", title, (self._forward(result),), result, {})
        grown: dict[Tensor | None, list[tuple[Tensor, Any]]] = {}
        watch_backward(
            self._graph.root,
            lambda node, arg, gradient: grown.setdefault(node, []).append((arg, gradient)),
        )
        for number, (node, growth) in enumerate(grown.items(), len(results) + 1):
            if node is None:
                node, told = self._graph.root, [self._seed(*growth[0])]
                phase, title = "seed", f"seed: {told[0].target} = 1"
            else:
                told = list(self._backward(node, growth))
                phase, title = "backward", f"backward through {self._equation(node)}"
            yield Step(number, count, phase, title, tuple(told), node, dict(self._gradients))

    def _equation(self, result: Tensor) -> str:
        name = text.shortened(self._graph.name(result))
        return f"{name} = {self.expression(result)}"

    def expression(self, result: Tensor) -> str:
        """The operation that made ``result``, in words."""
        return self._graph.expression(result, self._precision, self._word)

    def _derivative(self, member: Tensor) -> str:
        return f"d{self._root}/d{text.shortened(self._graph.name(member))}"

    def _forward(self, result: Tensor) -> Derivation:
        expressions = (
            self.expression(result),
            self._graph.expression(result, self._precision, self._number),
            self._result(plain(result)),
        )
        return Derivation(text.shortened(self._graph.name(result)), _unlike(expressions))

    def _seed(self, root: Tensor, gradient: Any) -> Derivation:
        self._gradients[root] = np.array(gradient)
        name = self._root
        because = f"1: of any change of {name}, all of it arrives at {name}"
        return Derivation(self._derivative(root), (because,))

    def _backward(self, node: Tensor, growth: list[tuple[Tensor, Any]]) -> Iterator[Derivation]:
        """How ``node`` makes the gradient of each argument, in the order of ``growth``."""
        op, g = node.op, self._gradients[node]
        assert op is not None
        rules = ops.derivatives[op]
        differentiated = [
            (arg, rule)
            for arg, rule in zip(node.args, rules, strict=False)
            if isinstance(arg, Tensor) and arg.requires_grad
        ]
        operands = () if isinstance(rules, ops.Each) else node.args  # as the rule is given them
        arrays = [plain(operand) for operand in operands]
        words = [self._word(operand) for operand in (node, *operands)]
        names = [self._derivative(node), *words]
        numbers = [self._number(value) for value in (g, node, *operands)]
        for (arg, rule), (_, total) in zip(differentiated, growth, strict=True):
            assert rule is not None
            formula, letters = formula_of(rule, op)
            free = self._free(letters, node)
            formula, letters = _replaced(formula, letters, free), free
            if op is np.mean:
                count = str(arrays[0].size // max(node.size, 1))
                formula = re.sub(r"\bn\b", count, formula)
            contribution = self._contribution(rule, g, node, operands)
            expressions = [
                formula,
                _replaced(formula, letters, numbers),
                self._result(contribution),
            ]
            if not re.search(r"[a-z]{2,} [a-z]{2,}", formula):  # words are not to be read thrice
                expressions.insert(1, _replaced(formula, letters, names))
            spoken = {"a": "a", "b": "b"} | dict(zip(("a", "b"), letters[2:4], strict=False))
            notes = [
                note
                for fails, caveat in CAVEATS.get(op, ())
                if (note := self._where(fails(*arrays), caveat.format_map(spoken)))
            ]
            if axes := repeated_axes(np.shape(contribution), arg.shape):
                contribution = unbroadcast(contribution, arg.shape, node)
                where = text.shortened(self._graph.name(arg))
                notes.append(
                    f"sum over {'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}, "
                    f"along which {where} was repeated: {self._result(contribution)}"
                )
            before = self._gradients.get(arg)
            self._gradients[arg] = self._grown(arg, contribution, total)
            if before is not None:
                was, now = self._result(before), self._result(self._gradients[arg])
                notes.append(f"was {was}, now {now}: another path adds")
            yield Derivation(self._derivative(arg), _unlike(expressions), tuple(notes))

    def _free(self, letters: list[str], node: Tensor) -> list[str]:
        """The letters of a rule, and other words for those that are the name of something else."""
        meant = (None, node, *node.args)
        named = {self._graph.name(member): member for member in self._graph.members}
        free = []
        for letter, operand in itertools.zip_longest(letters, meant[: len(letters)]):
            word = letter
            if letter in named and named[letter] is not operand:
                word = OTHER_WORDS.get(letter, letter)
                while word in named:
                    word += "_"
            free.append(word)
        return free

    def _word(self, operand: Any) -> str:
        """The name of an operand, or a number as it is."""
        if self._graph.is_literal(operand):
            return self.values(plain(operand))
        return text.shortened(self._graph.name(operand))

    def _number(self, operand: Any) -> str:
        """A few numbers in full, of more their shape."""
        value = plain(operand)
        if np.size(value) > text.IN_FULL:
            return f"‹{'×'.join(map(str, np.shape(value)))}›"
        return self.values(value)

    def _result(self, value: Any) -> str:
        shape = f" {np.shape(value)}" if np.size(value) > text.IN_FULL else ""
        return self.values(value) + shape

    # What depends on numbers, which ``playing`` writes in another way.

    def values(self, value: Any) -> str:
        """Numbers as text."""
        return text.values(value, self._precision)

    def _where(self, condition: Any, note: str) -> str:
        """``note``, if ``condition`` holds."""
        return note if condition else ""

    def _contribution(self, rule: Any, g: Any, node: Tensor, operands: Any) -> Any:
        """What ``rule`` makes of the gradient of ``node``."""
        with np.errstate(all="ignore"):
            return rule(g[()], plain(node), *map(plain, operands), **node.params)

    def _grown(self, arg: Tensor, contribution: Any, total: Any) -> Any:  # noqa: ARG002 (for playing)
        """The gradient of ``arg``, to which ``contribution`` was added: ``total``."""
        return np.array(total, dtype=arg.dtype)


def _unlike(expressions: Iterable[str]) -> tuple[str, ...]:
    """Each expression once, and none that is only the shape of an array."""
    return tuple(dict.fromkeys(each for each in expressions if not SHAPE.fullmatch(each)))


def _replaced(formula: str, letters: list[str], by: list[str]) -> str:
    """``formula`` with each letter replaced, wherever it stands as a word of its own."""
    meaning = dict(zip(letters, by, strict=False))
    if formula in meaning:
        return meaning[formula]
    words = {letter: text.in_brackets(words) for letter, words in meaning.items()}
    replaced = re.sub(r"[A-Za-z_]\w*", lambda word: words.get(word[0], word[0]), formula)
    return text.without_double_brackets(replaced)
