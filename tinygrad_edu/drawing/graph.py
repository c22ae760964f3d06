"""A computation graph, read for people: its members in order, their names, groups and gradients."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from tinygrad_edu.backprop import Node, backpropagate, changed_since, plain, topological_order
from tinygrad_edu.drawing.text import expression, number, shortened
from tinygrad_edu.modes import Scopes, State, Watcher, mode, scope
from tinygrad_edu.nn import Module
from tinygrad_edu.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Frame:
    """One run through a scope, and what was computed in it."""

    scope: scope


Chain = tuple[Frame, ...]  # one inside the other, the outermost first


class Graph:
    """Every Tensor and array that ``root`` is computed from, and ``root``, each one member.

    Members stand in the order in which they came to be, each before what is computed from it.
    Numbers that were passed as they are belong to the operation and are no members.
    """

    def __init__(self, root: Tensor, names: Mapping[str, Any] | None = None) -> None:
        if names is not None and not isinstance(names, Mapping):
            raise TypeError(
                f"names maps names to Tensors, as locals() does, but got {type(names).__name__}"
            )
        self.root = root
        self._given = _by_identity(names or {})
        self._whole_numbers = [
            (name, plain(value))
            for name, value in (names or {}).items()
            if isinstance(value, Tensor | np.ndarray) and value.dtype.kind in "iub"
        ]
        self.members: list[Any] = []
        self._chains: dict[int, Chain] = {}
        self.changed: dict[int, Tensor] = {}  # since they were used: no gradient would be right
        known: dict[int, Chain] = {}
        self.results = oldest_first(root)
        for result in self.results:
            chain = _chain(result.scopes, known)
            for operand in self.operands(result):
                self._meet(operand, chain)
                if changed_since(operand, result):
                    self.changed[id(operand)] = operand
            self._meet(result, chain)
        if not self.members:
            self._meet(root, ())
        self._positions = {id(member): i for i, member in enumerate(self.members)}
        self._names: dict[int, str] = {}
        self._labels: dict[Frame, str] = {}

    def _meet(self, member: Any, chain: Chain) -> None:
        """Add a member, or leave one that is used again in the frames that its uses share."""
        if is_leaf(member):
            chain = self._home(member, chain)
        if id(member) not in self._chains:
            self.members.append(member)
            self._chains[id(member)] = chain
        elif is_leaf(member):
            pairs = zip(self._chains[id(member)], chain, strict=False)
            common = itertools.takewhile(lambda pair: pair[0] is pair[1], pairs)
            self._chains[id(member)] = tuple(frame for frame, _ in common)

    def _home(self, leaf: Any, chain: Chain) -> Chain:
        """The frames, of those around an operation, that a leaf it uses belongs to.

        A parameter belongs to a layer, but not to a function that is given it. Other data with a
        name belongs to none of them. Without one, as the labels inside a loss, it belongs to all.
        """
        if isinstance(leaf, Tensor) and leaf.requires_grad:
            inside = itertools.takewhile(lambda frame: not frame.scope.is_function, chain)
            return tuple(inside)
        return () if self._own_name(leaf) else chain

    def _own_name(self, member: Any) -> str | None:
        """The name that a member was given, in ``names`` or as a Tensor.

        Integers are made floating before they are recorded, so they are known by their values.
        """
        name = self._given.get(id(member)) or getattr(member, "name", None)
        if name is None and is_leaf(member):
            alike = [n for n, array in self._whole_numbers if np.array_equal(array, plain(member))]
            name = alike[0] if len(alike) == 1 else None
        return name

    def node(self, member: Any) -> str:
        """What the node of a member is called in a picture of all members, such as "n3"."""
        return f"n{self._positions[id(member)]}"

    def chain(self, member: Any) -> Chain:
        """The frames that a member belongs to."""
        return self._chains[id(member)]

    def operands(self, result: Node) -> list[Any]:
        """The members that ``result`` was computed from, in order, one for each use."""
        return [arg for arg in result.args if not self.is_literal(arg)]

    def is_literal(self, arg: Any) -> bool:
        """Whether an argument is a number that was passed as it is."""
        return not isinstance(arg, Tensor) and np.ndim(arg) == 0 and not self.is_given(arg)

    def is_given(self, member: Any) -> bool:
        """Whether ``names`` has a name for this very Tensor or array."""
        return id(member) in self._given

    def name(self, member: Any) -> str:
        """The word for a member: as given, by its own name, by its place in a module, or v7."""
        if not self._names:
            self._names = self._find_names()
        return self._names[id(member)]

    def _find_names(self) -> dict[int, str]:
        paths: dict[int, str] = {}
        for outermost in self._outermost():
            for place, module in outermost.named_modules():  # outer ones first
                name = self._given.get(id(module))
                if name or not place:
                    for path, parameter in module.named_parameters():
                        paths[id(parameter)] = f"{name}.{path}" if name else path
        names: dict[int, str] = {}
        for member in self.members:
            name = self._own_name(member) or paths.get(id(member))
            if name:
                names[id(member)] = str(name)
        uses: Counter[str] = Counter()
        for key, name in names.items():  # those of one name are told apart
            uses[name] += 1
            names[key] = f"{name}#{uses[name]}" if uses[name] > 1 else name
        taken, count = set(names.values()), 0
        for member in self.members:
            if id(member) not in names:
                count = next(i for i in itertools.count(count + 1) if f"v{i}" not in taken)
                names[id(member)] = f"v{count}"
        return names

    def _outermost(self) -> list[Module]:
        """The modules that were not called by another one."""
        found: dict[int, Module] = {}
        for chain in self._chains.values():
            module = next(filter(None, map(_owner, chain)), None)
            if module is not None:
                found[id(module)] = module
        return list(found.values())

    def label(self, frame: Frame) -> str:
        """The label of a frame: of a module, its path and class."""
        if not self._labels:
            paths: dict[int, str] = {}
            for module in self._outermost():
                for path, part in module.named_modules():
                    paths.setdefault(id(part), path)
            for each in {frame for chain in self._chains.values() for frame in chain}:
                owner, name = id(_owner(each)), each.scope.name
                place = self._given.get(owner) or paths.get(owner)
                self._labels[each] = f"{place}: {name}" if place else name or "scope"
        return self._labels[frame]

    def expression(self, result: Node, precision: int, show: Any = None) -> str:
        """The operation that made ``result``, with ``show`` of its operands, by default words."""
        assert result.op is not None
        operands = [show(arg) if show else self.word(arg, precision) for arg in result.args]
        return expression(result.op, operands, result.params)

    def word(self, operand: Any, precision: int) -> str:
        """The word for an operand: its name, or a number as it is."""
        if self.is_literal(operand):
            return number(np.asarray(operand)[()], precision)
        return shortened(self.name(operand))

    def gradients(self, wanted: set[int]) -> tuple[dict[int, Any], str]:
        """The gradients of ``root`` with respect to members by their ids, or none, and why."""
        if self.root.size != 1 or self.root.is_leaf:
            return {}, ""
        if self.changed:
            changed = ", ".join(shortened(self.name(leaf)) for leaf in self.changed.values())
            return {}, (
                f"no gradients: changed since they were used: {changed}. Draw before an update, or "
                "compute the result again"
            )
        found: dict[int, Any] = {}

        def keep(node: Tensor | None, arg: Tensor, gradient: Any) -> None:  # noqa: ARG001
            if id(arg) in wanted:
                found[id(arg)] = gradient

        try:
            watch_backward(self.root, keep)
        except Exception as error:  # a picture is wanted most where something is wrong
            return {}, f"no gradients: {error}"
        return found, ""


def watch_backward(root: Tensor, tell: Callable[[Tensor | None, Tensor, Any], None]) -> None:
    """Go through a backward pass that changes nothing, and tell of each gradient as it grows.

    ``tell(node, arg, gradient)``: ``node`` has made ``gradient`` that of ``arg``. The first call,
    with None for ``node``, is for ``root``: 1. Raises RuntimeError where data changed since it was
    used.
    """
    seed = np.ones(root.shape, root.dtype)[()]
    tell(None, root, seed)
    before = mode.get()
    mode.set(State(watchers=(_Watcher(tell),)))  # a picture is the same in any mode
    try:
        backpropagate(root, seed, topological_order(root))
    finally:
        mode.set(before)


@dataclass
class _Watcher(Watcher):
    tell: Callable[[Tensor | None, Tensor, Any], None]

    def pulled_back(self, node: Any, arg: Any, gradient: Any) -> None:
        self.tell(node, arg, gradient)


def is_leaf(member: Any) -> bool:
    """Whether no operation made this Tensor or array."""
    return not isinstance(member, Tensor) or member.is_leaf


def _by_identity(names: Mapping[str, Any]) -> dict[int, str]:
    """The first name of each Tensor, array and module. Names with an underscore come last."""
    found: dict[int, str] = {}
    for name, value in sorted(names.items(), key=lambda item: str(item[0]).startswith("_")):
        if isinstance(value, Tensor | np.ndarray | Module):
            found.setdefault(id(value), str(name))
    return found


def oldest_first(root: Tensor) -> list[Tensor]:
    """The results of operations that ``root`` comes from, each after what it was computed from.

    Raises TypeError if ``root`` is no Tensor.
    """
    if not isinstance(root, Tensor):
        raise TypeError(
            "what is drawn is a Tensor, the result of a computation with Tensors, but got "
            f"{type(root).__name__}; nothing is recorded of a computation with arrays alone, and a "
            "number that was taken out, as by loss.item(), has no graph: write draw(loss)"
        )
    return cast("list[Tensor]", topological_order(root)[::-1])


def _chain(scopes: Scopes | None, known: dict[int, Chain]) -> Chain:
    """The frames of ``scopes``, the outermost first, one for each pair by its identity."""
    inner: list[Scopes] = []
    while scopes is not None and id(scopes) not in known:
        inner.append(scopes)
        scopes = scopes[1]
    chain = () if scopes is None else known[id(scopes)]
    for each in reversed(inner):
        chain = known[id(each)] = (*chain, Frame(each[0]))
    return chain


def _owner(frame: Frame) -> Module | None:
    module = frame.scope.owner and frame.scope.owner()
    return module if isinstance(module, Module) else None
