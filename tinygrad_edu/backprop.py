"""The chain rule in reverse: order the graph, pull gradients back, add them where paths meet."""

import itertools
from collections.abc import Iterable, Set
from contextlib import nullcontext
from operator import attrgetter
from typing import Any

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.modes import Scopes, mode

clock = itertools.count()


class Node:
    """A value in a computation graph, and the operation that made it; a leaf was given, not made.

    ``_time`` is read off one clock: when an operation is recorded, and when the data of a leaf
    changes. So arguments are older than what was computed from them, or they have changed since.
    """

    __slots__ = (
        "_args",
        "_data",
        "_kwargs",
        "_op",
        "_requires_grad",
        "_scopes",
        "_time",
        "_value",
        "name",
    )

    _value: Any  # an array, or a NumPy scalar where NumPy returned one
    _op: ops.Operation | None
    _args: tuple[Any, ...]
    _data: tuple[Any, ...]  # of the arguments
    _kwargs: dict[str, Any]
    _requires_grad: bool
    _scopes: Scopes | None  # of a result only: where it was computed
    _time: int
    name: str | None


def newest_first(root: Node, sources: Set[Node] = frozenset()) -> list[Node]:
    """Every result that ``root`` is computed from, itself included, each before its own arguments.

    Only what requires a gradient is followed, and not past ``sources``. To sort by time is to sort
    topologically. Raises RuntimeError where data changed after something was computed from it.
    """
    results: list[Node] = []
    seen, stack = {root}, [root]
    while stack:
        node = stack.pop()
        if node._op is None or node in sources:
            continue
        results.append(node)
        for arg in node._args:
            if isinstance(arg, Node):
                if arg._time > node._time:
                    raise errors.stale(arg, node)
                if arg._requires_grad and arg not in seen:
                    seen.add(arg)
                    stack.append(arg)
    results.sort(key=attrgetter("_time"), reverse=True)
    return results


def backpropagate(
    root: Node, gradient: Any, results: Iterable[Node], *, on_tensors: bool = False
) -> dict[Node, Any]:
    """The gradient of a final number with respect to each leaf or source that ``root`` comes from.

    ``gradient`` is that with respect to ``root``, in its shape; ``results`` is
    ``newest_first(root)``. The rules run on arrays or, for gradients that can be differentiated
    again, on the Tensors.
    """
    gradients = {root: gradient}
    derivatives: Any = ops.derivatives
    watchers = mode.get()[1]
    explains = any(watcher.explains for watcher in watchers)
    with np.errstate(all="ignore") if explains else nullcontext():
        for node in results:
            g = gradients.pop(node)  # complete: whatever was computed from this node is newer
            args, kwargs, rules = node._args, node._kwargs, derivatives[node._op]
            y, known = (node, args) if on_tensors else (node._value, node._data)
            if isinstance(rules, ops.Each):
                known = ()
            for arg, rule in zip(args, rules):  # noqa: B905 (``strict`` takes time: 0.5 us)
                if isinstance(arg, Node) and arg._requires_grad:
                    pulled = rule(g, y, *known, **kwargs) if kwargs else rule(g, y, *known)
                    if getattr(pulled, "shape", None) != arg._value.shape:
                        pulled = unbroadcast(pulled, arg._value.shape, node)
                    if arg in gradients:
                        pulled = gradients[arg] + pulled
                    gradients[arg] = pulled
                    for watcher in watchers:
                        watcher.pulled_back(node, arg, pulled)
    return gradients


def unbroadcast(g: Any, shape: tuple[int, ...], node: Node) -> Any:
    """Sum over the axes along which ``node`` repeated an argument of ``shape``."""
    if g is None:
        raise errors.rule_gave_nothing(node._op)
    if not hasattr(g, "shape"):  # a number of Python
        g = np.asarray(g)
    axes = repeated_axes(g.shape, shape)
    kept = g.sum(axis=axes, keepdims=True)
    extra = g.ndim - len(shape)
    if extra < 0 or kept.shape[extra:] != shape:
        raise errors.rule_shape(node._op, g.shape, shape)
    return kept.reshape(shape)


def repeated_axes(wide: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of ``wide`` along which broadcasting repeats an array of ``shape``."""
    extra = len(wide) - len(shape)
    return tuple(i for i, n in enumerate(wide) if i < extra or n != 1 == shape[i - extra])
