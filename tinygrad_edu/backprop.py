"""The chain rule in reverse: order the graph, pull gradients back, add them where paths meet."""

import itertools
import threading
from collections.abc import Iterable, Mapping, Set
from contextlib import nullcontext
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.modes import Scopes, mode, writer, writing

clock = itertools.count()
changing = threading.Lock()  # held while data or a gradient of a leaf changes
NO_PARAMS: Mapping[str, Any] = MappingProxyType({})


class Node:
    """A value in a computation graph, and the operation that made it; a leaf was given, not made.

    - ``op``: the operation, a key of ``ops.derivatives``; None for a leaf.
    - ``args``: the arguments it was computed from, in order: other nodes, arrays and numbers.
    - ``params``: the parameters of the operation by name, such as ``axis``.
    - ``scopes`` and ``name``: for pictures and messages, the named parts of the program it was
      computed in (see ``scope``), and its own name.

    ``_time`` numbers the events of the program. A node gets the next number when it is made, and a
    leaf again when its data or ``requires_grad`` changes. Two things follow. To sort results by
    time puts each after those it was computed from. And an argument that is newer than a result
    has changed since: its gradient would mix old values with new ones, and is refused.

    ``_lent`` is for a leaf whose array the user has got by ``data``, and may write to: its numbers
    in an array that nobody has, and the time of the last change that is known. ``_time`` is
    infinity meanwhile, so that whoever compares times looks closer; see ``look``.

    ``Tensor`` adds operators and methods. It is a class of its own, so that the chain rule can be
    read without them.
    """

    __slots__ = (
        "_grad",
        "_lent",
        "_passes",
        "_requires_grad",
        "_time",
        "_value",
        "args",
        "name",
        "op",
        "params",
        "scopes",
    )

    def __init__(
        self,
        value: Any,
        time: float,
        op: ops.Operation | None = None,
        args: tuple[Any, ...] = (),
        params: Mapping[str, Any] = NO_PARAMS,
        scopes: Scopes | None = None,
    ) -> None:
        self._value = value  # an array, or a NumPy scalar if it has no axes: that computes faster
        self._time = time
        self.op = op
        self.args = args
        self.params = params
        self.scopes = scopes
        self.name: str | None = None
        self._requires_grad = op is not None  # a result is recorded only if it requires a gradient
        self._grad: Any = None  # of a leaf: the sum of what backward has found
        # Of a leaf: how many backward passes are in that sum. Of a result: 1 after a backward that
        # must not be repeated.
        self._passes = 0
        self._lent: tuple[Any, float] | None = None


class StandIn(Node):
    """What stands for a plain array in a function that ``jit`` writes down; see ``tracing``."""

    __slots__ = ()

    @property
    def array(self) -> Any:
        """What it stands for in the run that is written down."""
        return self._value


def plain(x: Any) -> Any:
    """The value of a node, or ``x`` as it is: for this package, which gives none of it away.

    While ``jit`` writes a function down, it is what stands for the array.
    """
    if not isinstance(x, Node):
        return x
    trace = writing and writer()
    return trace.stand_in(x) if trace else x._value


def changed_since(arg: Any, result: Node) -> bool:
    """Whether an argument of ``result`` has changed since ``result`` was computed from it."""
    is_newer = isinstance(arg, Node) and arg._time > result._time
    return is_newer and look(arg, next(clock))[1] > result._time


def look(leaf: Node, now: float) -> tuple[Any, float]:
    """The numbers of a leaf, where no write reaches them, and the time when they last changed.

    That is ``now``, if somebody has written to elements of its array.
    """
    lent = leaf._lent
    if lent is None:
        return leaf._value, leaf._time
    bits = f"u{lent[0].itemsize}"  # in which nan equals nan, and -0.0 is not 0.0
    if np.array_equal(lent[0].view(bits), leaf._value.view(bits)):
        return lent
    found = leaf._value.copy(), now
    with changing:
        if leaf._lent is lent:
            leaf._lent = found
    return found


def topological_order(root: Node, sources: Set[Node] = frozenset()) -> list[Node]:
    """Every result that ``root`` is computed from, with ``root``, each before its own arguments.

    The newest comes first: that is such an order, because a result is newer than the results it
    was computed from. ``sources`` are taken for leaves: the search does not go past them.
    """
    seen = {*sources}
    found = [root] if root.op is not None and root not in seen else []
    for node in found:  # which grows meanwhile
        for arg in node.args:
            if isinstance(arg, Node) and arg.op is not None and arg not in seen:
                seen.add(arg)
                found.append(arg)
    return sorted(found, key=attrgetter("_time"), reverse=True)


def depends_on(root: Node, sources: Set[Node]) -> bool:
    """Whether ``root`` is one of ``sources``, or computed from one."""
    order = topological_order(root, sources)
    return root in sources or any(
        arg in sources
        for node in order
        for arg in node.args
        if isinstance(arg, Node) and arg._requires_grad
    )


def backpropagate(
    root: Node, gradient: Any, order: Iterable[Node], *, on_tensors: bool = False
) -> dict[Node, Any]:
    """The chain rule from ``root`` back: the gradients of all nodes where ``order`` ends.

    ``gradient`` is the gradient of a final number with respect to ``root``, in its shape.
    ``order``: the results to go through, each before its arguments; see ``topological_order``.
    Other nodes that are met, leaves and ``sources``, keep their gradients in the answer. With
    ``on_tensors``, the rules run on Tensors, so that the gradients can be differentiated again.
    Raises RuntimeError where data changed after something was computed from it.
    """
    gradients = {root: gradient}
    derivatives: Any = ops.derivatives
    # Such as debug(), which says more than NumPy's warnings, as a program of jit does not.
    watchers = mode.get().watchers
    with np.errstate(all="ignore") if watchers and not writer() else nullcontext():
        for node in order:
            g = gradients.pop(node)  # complete: whatever was computed from this node is newer
            inputs = [g, node if on_tensors else node._value]
            for arg in node.args:
                is_node = isinstance(arg, Node)
                inputs.append(arg._value if is_node and not on_tensors else arg)
                # Asked after the value was read: another thread may change it in between.
                if is_node and arg._time > node._time and changed_since(arg, node):
                    raise errors.stale(arg, node)
            rules = derivatives[node.op]
            params = node.params
            if isinstance(rules, ops.Each):
                inputs = inputs[:2]  # its rules are not given the arrays
            for arg, rule in zip(node.args, rules):  # noqa: B905 (Each has no end)
                if not isinstance(arg, Node) or not arg._requires_grad:
                    continue
                contribution = rule(*inputs, **params) if params else rule(*inputs)
                if getattr(contribution, "shape", None) != arg._value.shape:
                    contribution = unbroadcast(contribution, arg._value.shape, node)
                if arg in gradients:
                    contribution = gradients[arg] + contribution
                gradients[arg] = contribution
                for watcher in watchers:
                    watcher.pulled_back(node, arg, contribution)
    return gradients


def unbroadcast(g: Any, shape: tuple[int, ...], node: Node) -> Any:
    """Sum a gradient over the axes along which ``node`` repeated an argument of ``shape``."""
    if g is None:
        raise errors.rule_gave_nothing(node.op)
    if not hasattr(g, "shape"):  # a number of Python
        g = np.asarray(g)
    axes = repeated_axes(g.shape, shape)
    extra = g.ndim - len(shape)  # axes that broadcasting has put in front
    only_extra = len(axes) == extra  # then one sum does it, as for a bias
    summed = g.sum(axis=axes, keepdims=not only_extra)
    if extra > 0 and not only_extra:
        summed = summed.reshape(summed.shape[extra:])
    if summed.shape != shape:
        raise errors.rule_shape(node.op, g.shape, shape)
    return summed


def repeated_axes(wide: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of ``wide`` along which broadcasting repeats an array of ``shape``."""
    extra = len(wide) - len(shape)
    return tuple([i for i, n in enumerate(wide) if i < extra or (n != 1 and shape[i - extra] == 1)])
