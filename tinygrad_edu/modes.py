"""Modes of the running thread or task: is it recording, who watches, which scope is it in."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn, TypeVar

import numpy as np

from tinygrad_edu import errors

Function = TypeVar("Function", bound=Callable[..., Any])


class Watcher:
    """Who is told of every operation as it happens, and warns better than NumPy does."""

    def around(self, compute: Callable[..., Any]) -> Callable[..., Any]:
        """The function that computes an operation, for this watcher; it warns in NumPy's place."""
        return np.errstate(all="ignore")(compute)

    def made(self, leaf: Any, data: Any) -> None:
        """The Tensor ``leaf`` was made from ``data``."""

    def computed(self, result: Any, op: Any, args: tuple[Any, ...], params: Any) -> None:
        """``op`` on ``args`` and ``params`` has given the Tensor ``result``."""

    def pulled_back(self, node: Any, arg: Any, gradient: Any) -> None:
        """Going backward, ``node`` has made ``gradient`` that of ``arg``, as far as it is known."""

    def finished(self, results: list[Any]) -> None:
        """``backward`` is done with the graph of ``results``."""


class State(NamedTuple):
    """The modes of the code that is running; they are replaced, never changed."""

    paused: int = 0  # how many no_grad blocks are around it
    watchers: tuple[Watcher, ...] = ()
    scopes: Scopes | None = None
    variables: frozenset[Any] = frozenset()  # the Tensors that transforms differentiate


mode: ContextVar[State] = ContextVar("mode", default=State())  # noqa: B039 (it is immutable)


class Writer(Watcher):
    """The watcher that writes a run down for ``jit``; see ``tracing``."""


writing: list[Writer] = []  # those of all threads: if there is none, nobody need ask


def writer() -> Any:
    """Who writes down the function that is running; None if nobody does.

    It is asked as ``writing and writer()``, which is quick where nothing is written down.
    """
    watchers = mode.get().watchers
    return watchers[0] if watchers and isinstance(watchers[0], Writer) else None


@contextmanager
def unwatched() -> Iterator[None]:
    """For what is made once, and is no part of the function that a writer writes down."""
    state = mode.get()
    mode.set(state._replace(watchers=()))
    try:
        yield
    finally:
        mode.set(state)


def is_recording() -> bool:
    """Whether operations are recorded here: everywhere but inside ``no_grad``."""
    return mode.get().paused == 0


class _Parentheses(type):
    """The class of modes, which says what is wrong with ``with no_grad:``."""

    def __enter__(cls) -> NoReturn:
        raise errors.no_parentheses(cls.__name__)

    def __exit__(cls, *exception: object) -> None:
        """Never reached: ``with`` asks for both methods before it enters."""


class Mode(ContextDecorator, metaclass=_Parentheses):
    """A context manager that decorates plain functions, and refuses to decorate anything else."""

    def __call__(self, function: Function) -> Function:
        """``function`` with this mode around each call."""
        pauses = (
            inspect.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
        )
        if not inspect.isroutine(function) or any(kind(function) for kind in pauses):
            raise errors.not_decorated(type(self).__name__, function)
        return super().__call__(function)


class no_grad(Mode):  # noqa: N801 (lower case as in PyTorch: it is used like a function)
    """Record nothing inside: no result requires a gradient. A context manager and a decorator.

    It holds for its own thread, or task of asyncio, and may be nested. Raises TypeError if it
    decorates a class, a generator function or a coroutine function.

    >>> from tinygrad_edu import Tensor, no_grad
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     print((w * 2).requires_grad)
    False
    """

    def __init__(self, function: None = None) -> None:
        if function is not None:
            raise errors.no_parentheses("no_grad")

    def __enter__(self) -> None:
        paused, watchers, scopes, variables = mode.get()
        mode.set(State(paused + 1, watchers, scopes, variables))

    def __exit__(self, *exception: object) -> None:
        paused, watchers, scopes, variables = mode.get()
        paused = max(paused - 1, 0)  # a generator may have entered it in another thread
        mode.set(State(paused, watchers, scopes, variables))


class scope(Mode):  # noqa: N801 (lower case as no_grad: it is used like a function)
    """Name a part of a program; ``draw`` frames what is computed inside. It changes no number.

    A context manager and a decorator; scopes may be nested, and each time one is entered makes a
    frame of its own. Losses, functions such as ``softmax``, and modules bring theirs; ``owner`` is
    such a module. Raises TypeError if ``name`` is no string, or for what ``no_grad`` refuses.

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

    is_function = False  # a function is given its parameters, and has none of its own

    def __init__(self, name: str, owner: Any = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a scope has a name, as in scope('layer 1'), but got {name!r:.60}")
        self.name = name
        # Weak, for a module may keep its results, and they know their scopes.
        try:
            self.owner = None if owner is None else weakref.ref(owner)
        except TypeError:
            raise TypeError(f"a module may own a scope, but not {owner!r:.60}") from None

    def __enter__(self) -> None:
        paused, watchers, outer, variables = mode.get()
        mode.set(State(paused, watchers, (self, outer), variables))

    def __exit__(self, *exception: object) -> None:
        paused, watchers, inner, variables = mode.get()
        mode.set(State(paused, watchers, inner and inner[1], variables))


# The scopes around some code: the innermost, and those around it. Each run makes a new pair.
Scopes = tuple[scope, "Scopes | None"]


class function_scope(scope):  # noqa: N801 (as scope)
    """The scope of a function of this package: parameters that it is given stay outside."""

    is_function = True
