"""Modes of the running thread or task: is it recording, who watches, which scope is it in."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Watcher:
    """Who is told of every operation as it happens."""

    __slots__ = ()
    explains = True  # what goes wrong, better than NumPy's warnings, which are then not given

    def computed(self, result: Any, op: Any, args: tuple[Any, ...]) -> None:
        """``op`` on ``args`` has given the Tensor ``result``."""

    def pulled_back(self, node: Any, arg: Any, gradient: Any) -> None:
        """Going backward, ``node`` has made ``gradient`` that of ``arg``, as far as it is known."""

    def finished(self, results: list[Any]) -> None:
        """``backward`` is done with the graph of ``results``."""

    def stepping(self, optimizer: Any) -> None:
        """``optimizer`` is about to move its parameters."""


# How many no_grad blocks surround this code, the watchers of the blocks that have one, its scopes.
mode: ContextVar[tuple[int, tuple[Watcher, ...], Scopes | None]] = ContextVar(
    "mode", default=(0, (), None)
)


class Mode:
    """What may stand in a ``with`` statement, and decorate functions, coroutines and generators."""

    __slots__ = ()

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *exception: object) -> None:
        raise NotImplementedError

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` with this mode around it."""
        if not inspect.isroutine(function) or inspect.isasyncgenfunction(function):
            name = type(self).__name__
            raise TypeError(
                f"{name}() decorates functions, coroutine functions and generator functions, but "
                f"got {function!r}; write 'with {name}(...):' inside it instead"
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return coroutine
        if inspect.isgeneratorfunction(function):
            return functools.wraps(function)(
                lambda *args, **kwargs: self._resume(function(*args, **kwargs))
            )

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return wrapper

    def _resume(self, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Yield what ``generator`` does: in this mode while it runs, out of it while it waits."""
        resume: Callable[[], Any] = functools.partial(next, generator)
        while True:
            try:
                with self:
                    value = resume()
            except StopIteration as end:
                return end.value
            try:
                sent = yield value
            except GeneratorExit:
                with self:
                    generator.close()
                raise
            except BaseException as error:
                resume = functools.partial(generator.throw, error)
            else:
                resume = functools.partial(generator.send, sent)


class no_grad(Mode):  # noqa: N801 (lower case as in PyTorch: it is used like a function)
    """Record nothing inside: no result requires a gradient. A context manager and a decorator.

    It holds for its own thread, or task of asyncio, and may be nested. It decorates functions,
    coroutine functions and generator functions; a generator leaves it while its caller runs.
    Raises TypeError if it decorates anything else.

    >>> from tinygrad_edu import Tensor, no_grad
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     print((w * 2).requires_grad)
    False
    """

    def __enter__(self) -> None:
        paused, watchers, scopes = mode.get()
        mode.set((paused + 1, watchers, scopes))

    def __exit__(self, *exception: object) -> None:
        paused, watchers, scopes = mode.get()
        mode.set((max(paused - 1, 0), watchers, scopes))  # a generator may end in another thread


class scope(Mode):  # noqa: N801 (lower case as no_grad: it is used like a function)
    """Name a part of a program; ``draw`` frames what is computed inside. It changes no number.

    A context manager and a decorator; scopes may be nested, and each time one is entered makes a
    frame of its own. Losses, ``softmax`` and its kin, and modules bring theirs; ``owner`` is such a
    module. Raises TypeError if ``name`` is no string, or for what ``no_grad`` does not decorate.

    >>> from tinygrad_edu import Tensor, draw, scope
    >>> x = Tensor(2.0, requires_grad=True)
    >>> with scope("square"):
    ...     y = x * x
    >>> print(draw(y + x, names={"x": x}))
    v2 = v1 + x | 6 | grad 1
      v1 = x * x | 4 | grad 1 [square]
        x | 2 | grad 5
        x (above)
      x (above)
    """

    __slots__ = ("name", "owner")
    is_function = False  # a function is given its parameters, and has none of its own

    def __init__(self, name: str, owner: Any = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a scope has a name, as in scope('layer 1'), but got {name!r}")
        self.name = name
        # Of a module; weak, for the module may keep its results, and they know their scopes.
        self.owner = None if owner is None else weakref.ref(owner)

    def __enter__(self) -> None:
        paused, watchers, outer = mode.get()
        mode.set((paused, watchers, (self, outer)))

    def __exit__(self, *exception: object) -> None:
        paused, watchers, inner = mode.get()
        mode.set((paused, watchers, inner and inner[1]))


# The scopes that some code runs in: the innermost, and those around it. Each run makes a new pair.
Scopes = tuple[scope, "Scopes | None"]


class function_scope(scope):  # noqa: N801 (as scope)
    """The scope of a function of this package: parameters that it is given stay outside."""

    __slots__ = ()
    is_function = True


def is_recording() -> bool:
    """Whether operations are recorded here, which is so but inside ``no_grad``."""
    return mode.get()[0] == 0


_transforming: ContextVar[bool] = ContextVar("whether a function is being differentiated")


def is_transforming() -> bool:
    """Whether this code is a function on its way through ``grad`` or another transform."""
    return _transforming.get(False)


@contextmanager
def transforming() -> Iterator[None]:
    """Record inside, even within ``no_grad``, as one must to find a derivative."""
    tokens = mode.set((0, *mode.get()[1:])), _transforming.set(True)
    try:
        yield
    finally:
        mode.reset(tokens[0])
        _transforming.reset(tokens[1])
