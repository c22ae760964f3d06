"""Debug mode: stop at the first operation that goes wrong, and say on which line it stands."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu import errors, ops, refusals_of_jit
from tinygrad_edu.backprop import plain
from tinygrad_edu.locks import locks
from tinygrad_edu.modes import Mode, State, Watcher, mode, writer, writing
from tinygrad_edu.tensor import Array, Tensor

# How to leave out the elements where an operation is not finite: of which argument, and the line.
_CHOSEN: dict[ops.Operation, tuple[int, str]] = {
    np.log: (0, "np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0)"),
    np.sqrt: (0, "np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0)"),
    np.power: (0, "np.where(x > 0, np.where(x > 0, x, 1.0) ** p, 0.0)"),
    np.divide: (1, "np.where(x != 0, a / np.where(x != 0, x, 1.0), 0.0)"),
}
# How to keep them: operations whose slope at 0 is infinite, with a small number inside.
_SHIFTED = {
    np.log: "np.log(x + {small})",
    np.sqrt: "np.sqrt(x + {small})",
    np.power: "(x + {small}) ** p",
}


class _Use(NamedTuple):
    """How a result was computed: by whom its arrays are locked, where, and what was in them."""

    user: int
    line: str
    contents: list[int]  # a hash of what was in each argument


class debug(Mode, Watcher):  # noqa: N801 (lower case as no_grad: it is used like a function)
    """Find where numbers go wrong. A context manager and a decorator; it costs time only inside.

    Inside, the first operation whose result is infinite or nan, or that makes a gradient so, raises
    FloatingPointError: the operation, the line of your program, the index, and what its arguments
    are there. And the arrays that a graph uses are locked until ``backward`` is through or the
    graph is dropped: to write to an element raises NumPy's "read-only" ValueError, where otherwise
    the gradient would mix old numbers with new ones. A view made of a locked array, as in
    ``rows = x[:2]`` inside, stays read-only. A view made before can still write; then ``backward``
    raises RuntimeError. Several threads may have a ``debug()`` each, or share one. Raises TypeError
    for what ``no_grad`` does not decorate.

    >>> import numpy as np
    >>> from tinygrad_edu import Tensor, debug
    >>> p = Tensor([0.5, 0.0], requires_grad=True, name="p")
    >>> with debug():
    ...     np.log(p)
    Traceback (most recent call last):
    ...
    FloatingPointError: log gave -inf at [1] on line 2 of ...: the tensor 'p' goes from 0 to 0.5...
    """

    def __init__(self, function: None = None) -> None:
        if function is not None:
            raise errors.no_parentheses("debug")
        self._entered = 0
        self._counting = threading.Lock()
        self._uses: dict[int, _Use] = {}  # of each result, by its id

    def __enter__(self) -> None:
        if writing and writer():
            raise refusals_of_jit.debug_inside()
        paused, watchers, scopes, variables = mode.get()
        mode.set(State(paused, (*watchers, self), scopes, variables))
        with self._counting:
            self._entered += 1

    def __exit__(self, *exception: object) -> None:
        paused, watchers, scopes, variables = mode.get()
        if self in watchers:  # a generator may end in another thread
            last = len(watchers) - 1 - watchers[::-1].index(self)
            watchers = watchers[:last] + watchers[last + 1 :]
            mode.set(State(paused, watchers, scopes, variables))
        with self._counting:
            self._entered -= 1
            is_over = self._entered == 0
        if is_over:
            self._release(list(self._uses))

    def computed(
        self,
        result: Tensor,
        op: ops.Operation,
        args: tuple[Any, ...],
        params: Any,  # noqa: ARG002
    ) -> None:
        """Check the result of an operation; remember its line and lock what its graph needs."""
        if not self._entered:  # a block may end in another thread, or before a task that it started
            return
        line = errors.line_of_the_user()
        value = np.asarray(plain(result))
        index = _first_not_finite(value)
        if index is not None:
            raise FloatingPointError(
                f"{ops.name(op)} gave {value[index]} at {list(index)} on {line}: "
                + _report(op, args, index, result.shape)
                + _advice_on_value(op, args, index, value)
            )
        if result.is_leaf or id(result) in self._uses:  # told twice, in a block inside its own
            return
        use = _Use(next(_users), line, list(map(_content, args)))
        self._uses[id(result)] = use
        locks.lock(use.user, [*map(plain, args), plain(result)])
        weakref.finalize(result, self._drop, id(result)).atexit = False

    def pulled_back(self, node: Tensor, arg: Tensor, gradient: Any) -> None:
        """Check the arrays of an operation, and the gradient of an argument that it adds to."""
        if not self._entered:
            return
        use = self._uses.get(id(node))
        if use and arg is next(x for x in node.args if isinstance(x, Tensor) and x.requires_grad):
            _refuse_what_changed(node, use)  # once for all arguments
        values = np.asarray(plain(gradient))
        index = _first_not_finite(values)
        if index is not None:
            line = use.line if use else "a line outside debug()"
            raise FloatingPointError(
                f"the gradient of {errors.describe(arg)} gets {values[index]} at {list(index)} "
                f"from {ops.name(node.op)} on {line}: "
                + _report(node.op, node.args, index, arg.shape)
                + _advice_on_slope(node, arg, index, bool(np.isnan(values[index])))
            )

    def finished(self, results: list[Tensor]) -> None:
        """Unlock what the graph of ``results`` has locked."""
        self._release(map(id, results))

    def _release(self, results: Iterable[int]) -> None:
        uses = [self._uses.pop(result, None) for result in results]
        locks.release([use.user for use in uses if use])

    def _drop(self, result: int) -> None:
        use = self._uses.pop(result, None)
        if use:
            locks.drop(use.user)


_users = itertools.count()


def _content(x: Any) -> int:
    """A hash of the numbers of an array; what is written into a Tensor, ``backward`` notices."""
    return 0 if isinstance(x, Tensor) else hash(np.asarray(x).tobytes())


def _refuse_what_changed(node: Tensor, use: _Use) -> None:
    for x, content in zip(node.args, use.contents, strict=True):
        if _content(x) != content:
            raise RuntimeError(
                f"The numbers of {errors.describe(x)} changed after {ops.name(node.op)} used them "
                f"on {use.line}, so the gradient would mix old with new. An element was written "
                "through a view that was made before debug() could lock it: write after "
                "backward(), or to a copy, x.copy()."
            )


def _first_not_finite(values: Array) -> tuple[int, ...] | None:
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return None
    return tuple(map(int, np.argwhere(~np.isfinite(values))[0]))


def _report(op: Any, args: tuple[Any, ...], index: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """The range of each argument and, if ``op`` goes by elements, the one that met ``index``."""
    by_elements = ops.is_elementwise(op)
    parts = []
    for arg in args:
        values = np.asarray(plain(arg))
        parts.append(errors.describe(arg))
        if values.size > 1:
            parts[-1] += f" goes from {values.min():.6g} to {values.max():.6g}"
            if by_elements and np.broadcast_shapes(values.shape, shape) == shape:
                parts[-1] += f" and is {np.broadcast_to(values, shape)[index]:.6g} there"
        elif values.size and isinstance(arg, Tensor | np.ndarray):
            parts[-1] += f" is {values.item():.6g}"
    return ", ".join(parts)


def _advice_on_value(op: Any, args: tuple[Any, ...], index: tuple[int, ...], value: Array) -> str:
    """What to write if an operation is not defined at an argument that ``np.where`` leaves out."""
    if op not in _CHOSEN:
        return ""
    x = np.broadcast_to(plain(args[_CHOSEN[op][0]]), value.shape)[index]
    if x == 0 or (x < 0 and np.isnan(value[index]) and op is not np.divide):
        return f". {_choose(op, x)}"
    return ""


def _choose(op: Any, x: Any) -> str:
    line = _CHOSEN[op][1]
    if op is np.power and x == 0:  # powers of negative numbers stay as they are
        line = line.replace(">", "!=")
    return f"If np.where is to leave this element out, choose a safe argument first: {line}"


def _advice_on_slope(node: Tensor, arg: Tensor, index: tuple[int, ...], is_nan: bool) -> str:
    """What to write where the slope of an operation is infinite."""
    if node.op not in _SHIFTED or arg is not node.args[0] or np.asarray(plain(arg))[index]:
        return ""
    small = "1e-4" if arg.dtype == np.float16 else "1e-12"
    shifted = f"add a small number, {_SHIFTED[node.op].format(small=small)}"
    if not is_nan:
        return f". Its slope is infinite there: {shifted}"
    return (
        ". Its slope is infinite there, and the chain rule multiplies it by 0. "
        f"{_choose(node.op, 0)}; if not, {shifted}"
    )
