"""Debug mode: stop at the first operation that goes wrong, and say on which line it stands."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import plain
from tinygrad_edu.modes import Mode, State, Watcher, mode
from tinygrad_edu.tensor import Array, Tensor

_BY_ELEMENTS = {np.where, ops.sigmoid, ops.softplus}


class debug(Mode, Watcher):  # noqa: N801 (lower case as no_grad: it is used like a function)
    """Find where numbers go wrong. A context manager and a decorator; it costs time only inside.

    Inside, the first operation whose result is infinite or nan, or that makes a gradient so, raises
    FloatingPointError: the operation, the line of your program, the index, and what its arguments
    are there. And the arrays that a graph uses are locked until ``backward`` is through or the
    graph is dropped: to write to an element raises NumPy's "read-only" ValueError, where otherwise
    the gradient would mix old numbers with new ones. A view made of a locked array, as in
    ``rows = x[:2]`` inside, stays read-only. Use one ``debug()`` for each thread. Raises TypeError
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

    def __init__(self) -> None:
        self._lines: dict[int, str] = {}
        self._locks = _Locks()

    def __enter__(self) -> None:
        paused, watchers, scopes, variables = mode.get()
        mode.set(State(paused, (*watchers, self), scopes, variables))

    def __exit__(self, *exception: object) -> None:
        paused, watchers, scopes, variables = mode.get()
        if self not in watchers:  # a generator may end in another thread
            return
        last = len(watchers) - 1 - watchers[::-1].index(self)
        watchers = watchers[:last] + watchers[last + 1 :]
        mode.set(State(paused, watchers, scopes, variables))
        if self not in watchers:
            for key in list(self._lines):
                self._release(key)

    def computed(self, result: Tensor, op: ops.Operation, args: tuple[Any, ...]) -> None:
        """Check the result of an operation; remember its line and lock what its graph needs."""
        line = errors.line_of_the_user()
        value = np.asarray(plain(result))
        index = _first_not_finite(value)
        if index is not None:
            raise FloatingPointError(
                f"{ops.name(op)} gave {value[index]} at {list(index)} on {line}: "
                + _report(op, args, index, result.shape)
            )
        if not result.is_leaf:
            self._lines[id(result)] = line
            self._locks.lock(id(result), [plain(result), *map(plain, args)])
            weakref.finalize(result, self._release, id(result)).atexit = False

    def pulled_back(self, node: Tensor, arg: Tensor, gradient: Any) -> None:
        """Check the gradient of an argument after an operation has added to it."""
        values = np.asarray(plain(gradient))
        index = _first_not_finite(values)
        if index is not None:
            line = self._lines.get(id(node), "a line outside debug()")
            raise FloatingPointError(
                f"the gradient of {errors.describe(arg)} gets {values[index]} at {list(index)} "
                f"from {ops.name(node.op)} on {line}: "
                + _report(node.op, node.args, index, arg.shape)
            )

    def finished(self, results: list[Tensor]) -> None:
        """Unlock what the graph of ``results`` has locked."""
        for result in results:
            self._release(id(result))

    def _release(self, key: int) -> None:
        self._lines.pop(key, None)
        self._locks.release(key)


class _Locks:
    """Arrays that are read-only as long as somebody uses them."""

    def __init__(self) -> None:
        self._used_by: dict[int, list[Array]] = {}
        self._users: dict[int, set[int]] = {}  # of each array that was locked here, by its id
        self._waiting: dict[int, list[Array]] = {}  # unused views, by the id of a base in use

    def lock(self, user: int, values: list[Any]) -> None:
        used = self._used_by[user] = []
        for array in values:
            while isinstance(array, np.ndarray):  # the array itself, and what it is a view of
                if array.flags.writeable:
                    array.setflags(write=False)
                    self._users[id(array)] = set()
                if id(array) in self._users:
                    self._users[id(array)].add(user)
                    used.append(array)
                array = array.base

    def release(self, user: int) -> None:
        for array in reversed(self._used_by.pop(user, [])):
            self._users.get(id(array), set()).discard(user)
            self._unlock(array)

    def _unlock(self, array: Array) -> None:
        if self._users.get(id(array)) != set():
            return
        if isinstance(array.base, np.ndarray) and not array.base.flags.writeable:
            self._waiting.setdefault(id(array.base), []).append(array)
            return
        array.setflags(write=True)
        del self._users[id(array)]
        for view in self._waiting.pop(id(array), ()):
            self._unlock(view)


def _first_not_finite(values: Array) -> tuple[int, ...] | None:
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return None
    return tuple(map(int, np.argwhere(~np.isfinite(values))[0]))


def _report(op: Any, args: tuple[Any, ...], index: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """The range of each argument and, if ``op`` goes by elements, the one that met ``index``."""
    by_elements = op in _BY_ELEMENTS or (isinstance(op, np.ufunc) and op.signature is None)
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
