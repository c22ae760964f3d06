"""A graph whose small leaves a reader may change: what the page computes, and where it shows it.

The graph is built and told once more while ``Program`` writes down what is computed. Wherever the
words have a number that depends on those leaves, they get a slot for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu import ops, standalone
from tinygrad_edu.backprop import StandIn, plain
from tinygrad_edu.drawing import text
from tinygrad_edu.drawing.graph import Graph, is_leaf
from tinygrad_edu.drawing.narration import Narrator
from tinygrad_edu.javascript import Program, TooLongError, UnwritableError
from tinygrad_edu.modes import State, mode, no_grad
from tinygrad_edu.tensor import Array, Tensor, record
from tinygrad_edu.tracing import parts_of

MOST_FIELDS = 6  # of a leaf, for each of them is a field
MOST_NUMBERS = 1_000  # of all leaves, which are kept as they were
MOST_LINES = 2_000  # of the program: a page of more would be too large to send


def _largest(x: Any, top: Any) -> Any:
    """The maxima of ``x`` along the axes that have length 1 in ``top``."""
    axes = tuple(i for i, n in enumerate(np.shape(top)) if n == 1)
    return np.max(x, axis=axes, keepdims=True)


def _largest_finite(x: Any, top: Any) -> Any:
    """The same, or 0 where it is infinite."""
    found = _largest(x, top)
    return np.where(np.isfinite(found), found, 0)


# Constants that functions of this package take from the numbers of Tensors: the function, the
# operation and which of its arguments it is, and what it is of all arguments.
CHOSEN: list[tuple[set[str], ops.Operation, int, Callable[..., Any]]] = [
    ({"softmax", "log_softmax", "cross_entropy"}, np.subtract, 1, _largest),
    ({"logsumexp"}, np.subtract, 1, _largest_finite),
    ({"relu"}, np.where, 0, lambda chosen, zero, x: x <= 0),
    ({"huber_loss"}, np.where, 0, lambda chosen, near, far: np.abs(near) <= np.abs(far)),
]

Chosen = dict[tuple[Tensor, int], Callable[..., Any]]

UNKNOWN = "an operation of it has no way to be computed in a browser"


class UnplayableError(ValueError):
    """There is nothing on this page to change."""


class Play:
    """What there is to change on a page, and what follows from it.

    - ``leaves``: those whose numbers are fields, in the order in which the program takes them;
    - ``program``: from their numbers to all numbers in ``slots``;
    - ``slots``: the shape and the dtype of what stands in each slot;
    - ``steps``: the steps, with slots in their words;
    - ``values``: the slot of the value of each member by its node;
    - ``labels``: operations in words, where there are slots in them, by their nodes;
    - ``gradients``: at each step, the slot of each gradient that is known by its node;
    - ``fixed``: the names of results for which something was chosen that is not chosen anew.

    ``numbers`` are those of the leaves of ``graph``, by their ids. Raises TypeError or ValueError,
    with the reason, if the graph cannot be played with.
    """

    def __init__(self, graph: Graph, numbers: Mapping[int, Any], precision: int) -> None:
        self.leaves = [leaf for leaf in graph.members if _is_playable(leaf, graph)]
        if not self.leaves:
            raise UnplayableError(f"no tensor that was given has at most {MOST_FIELDS} numbers")
        chosen = _chosen(graph, numbers)
        self.fixed = [
            text.shortened(graph.name(result)) for result in graph.results if _is_fixed(result)
        ]

        def retold(*arrays: Any) -> list[Any]:
            given = {id(leaf): array for leaf, array in zip(self.leaves, arrays, strict=True)}
            built = _rebuilt(graph, {**numbers, **given}, chosen)
            narrator = _Writer(built, precision)
            self.steps = list(narrator.tell())
            self.values = narrator.slots((member, member) for member in built.members)
            self.labels = narrator.labels()
            self.gradients = [narrator.slots(step.gradients.items()) for step in self.steps]
            return narrator.found

        names = [f"leaf{i}" for i in range(len(self.leaves))]
        with np.errstate(all="ignore"):
            program = Program(retold, [numbers[id(leaf)] for leaf in self.leaves], names)
        if program.size > MOST_LINES:
            raise UnplayableError(
                f"to compute it again takes {program.size:,} operations of single numbers, more "
                f"than the {MOST_LINES:,} that a page has room for"
            )
        self.program = program.text
        self.slots = [*zip(program.shapes, program.dtypes, strict=True)]
        self._fields = [
            {
                "names": _names(text.visible(graph.name(leaf)), np.shape(numbers[id(leaf)])),
                "first": [standalone.number(x) for x in numbers[id(leaf)].reshape(-1).tolist()],
                "dtype": leaf.dtype.str[1:],
            }
            for leaf in self.leaves
        ]
        self._precision = precision

    def sample(self, slot: int) -> str:
        """How what stands in a slot may look, where it is long."""
        shape, _ = self.slots[slot]
        number = f"-0.{'8' * self._precision}"
        if np.prod(shape, dtype=int) > text.IN_FULL:
            return f"mean {number}, std {number[1:]}"
        return text.values(np.full(shape, float(number)), self._precision)

    def data(self) -> dict[str, Any]:
        """What the page has to know, but for the program."""
        described = [
            {
                "title": step.title,
                "derivations": [
                    {"target": each.target, "expressions": each.expressions, "notes": each.notes}
                    for each in step.derivations
                ],
            }
            for step in self.steps
        ]
        return {
            "fields": self._fields,
            "fixed": self.fixed,
            "slots": [(shape, dtype.str[1:]) for shape, dtype in self.slots],
            "steps": described,
            "values": self.values,
            "labels": self.labels,
            "gradients": self.gradients,
        }


def numbers_of(graph: Graph) -> dict[int, Array] | None:
    """The numbers that the leaves have now, by their ids, unless they are too many."""
    leaves = [member for member in graph.members if is_leaf(member)]
    if sum(np.size(plain(leaf)) for leaf in leaves) > MOST_NUMBERS:
        return None
    return {id(leaf): np.array(plain(leaf)) for leaf in leaves}


def playable(graph: Graph, numbers: Mapping[int, Any] | None, precision: int) -> Play | str:
    """What there is to change, or why there is nothing. ``numbers``: from ``numbers_of``."""
    if numbers is None:
        return f"its leaves have more than {MOST_NUMBERS:,} numbers"
    before = mode.get()
    mode.set(State())  # a page is the same in any mode
    try:
        return Play(graph, numbers, precision)
    except (UnplayableError, UnwritableError, TooLongError) as error:
        return str(error)
    except Exception:  # of an operation of the user: the page is wanted all the same
        return UNKNOWN
    finally:
        mode.set(before)


def _names(name: str, shape: tuple[int, ...]) -> list[str]:
    """The names of the numbers of a leaf: ``w``, or ``x[0,1]``."""
    name = name.replace("\n", " ")
    if np.prod(shape, dtype=int) == 1:
        return [name]
    return [f"{name}[{','.join(map(str, index))}]" for index in np.ndindex(shape)]


def _is_playable(leaf: Any, graph: Graph) -> bool:
    """Whether it is a Tensor, or an array with a name, of one or a few floating-point numbers."""
    if not is_leaf(leaf) or not (isinstance(leaf, Tensor) or graph.is_given(leaf)):
        return False
    return bool(leaf.dtype.kind == "f" and 1 <= leaf.size <= MOST_FIELDS)


def _chosen(graph: Graph, numbers: Mapping[int, Any]) -> Chosen:
    """Which constants are chosen anew, by the result and their position among its arguments.

    ``numbers`` are those of the leaves then, which may have changed since.
    """
    found: Chosen = {}
    seen = set()
    for result in graph.results:
        name = result.scopes[0].name if result.scopes and result.scopes[0].is_function else ""
        for functions, op, at, choose in CHOSEN:
            if name not in functions or result.op is not op:
                continue
            constant = result.args[at]
            if isinstance(constant, Tensor) or id(constant) in seen:
                continue
            operands = [numbers.get(id(arg), plain(arg)) for arg in result.args]
            if np.array_equal(choose(*operands), constant, equal_nan=True):
                found[result, at] = choose
                if not graph.is_literal(constant):
                    seen.add(id(constant))
    return found


def _is_fixed(result: Tensor) -> bool:
    """Whether it has a mask or an index, which may come from numbers, that is not chosen anew.

    What else functions of this package choose, they choose by labels; but kl_divergence does by
    where p is 0.
    """
    scope = result.scopes[0] if result.scopes else None
    if scope and scope.is_function and scope.name != "kl_divergence":
        return False
    parts = [*map(plain, result.args), *parts_of(result.params.get("index"))]
    masks = [part for part in parts if np.asarray(part).dtype == bool]
    return bool(masks) or any(isinstance(part, np.ndarray) for part in parts[len(result.args) :])


def _rebuilt(graph: Graph, numbers: Mapping[int, Any], chosen: Chosen) -> Graph:
    """The same graph of the same names, computed anew from other numbers of its leaves."""
    new: dict[int, Any] = {}
    for member in graph.members:
        if is_leaf(member):
            new[id(member)] = _leaf(member, numbers[id(member)])
            continue
        args = [new.get(id(arg), arg) for arg in member.args]
        for at, arg in enumerate(member.args):
            if (member, at) in chosen:
                args[at] = chosen[member, at](*map(plain, args))
                if not graph.is_literal(arg):
                    args[at] = new[id(arg)] = Tensor(args[at])
        new[id(member)] = record(member.op, tuple(args), member.params)
    names = {graph.name(member): new[id(member)] for member in graph.members}
    return Graph(new[id(graph.root)], names)


def _leaf(member: Any, numbers: Any) -> Any:
    if isinstance(member, Tensor):
        return Tensor(numbers, requires_grad=member.requires_grad)
    return Tensor(numbers) if isinstance(numbers, StandIn) else numbers


class _Writer(Narrator):
    """Tells a graph that is written down: instead of numbers, it leaves slots for them."""

    def __init__(self, graph: Graph, precision: int) -> None:
        super().__init__(graph, precision)
        self.found: list[Any] = []  # what stands in each slot
        self._slots: dict[int, int] = {}  # by what computes it
        self._sums: dict[Tensor, Any] = {}

    def slot(self, value: Any) -> int:
        """The slot of some numbers."""
        if id(value.operand) not in self._slots:
            self._slots[id(value.operand)] = len(self.found)
            self.found.append(value)
        return self._slots[id(value.operand)]

    def slots(self, values: Iterable[tuple[Any, Any]]) -> dict[str, int]:
        """The slots of those values of members that depend on the leaves, by their nodes."""
        found = {self._graph.node(member): plain(value) for member, value in values}
        return {node: self.slot(x) for node, x in found.items() if isinstance(x, StandIn)}

    def labels(self) -> dict[str, str]:
        """The operations in whose words there is a number that depends on the leaves."""
        found = {
            self._graph.node(member): self.expression(member)
            for member in self._graph.members
            if not is_leaf(member)
        }
        return {node: words for node, words in found.items() if text.END in words}

    def values(self, value: Any) -> str:
        if isinstance(value, StandIn):
            return f"{text.BEGIN}{self.slot(value)}{text.END}"
        return super().values(value)

    def _where(self, condition: Any, note: str) -> str:
        if isinstance(condition, StandIn):
            return f"{self.values(condition)}{note}"
        return super()._where(condition, note)

    def _contribution(self, rule: Any, g: Any, node: Tensor, operands: Any) -> Any:
        with no_grad():
            return plain(rule(Tensor(g), node, *operands, **node.params))

    def _grown(self, arg: Tensor, contribution: Any, total: Any) -> Any:  # noqa: ARG002 (of the first numbers)
        before = self._sums.get(arg)
        now = contribution if before is None else before + contribution
        self._sums[arg] = now
        return now if now.dtype == arg.dtype else np.astype(now, arg.dtype)
