"""Modes of the running thread or task: whether operations are recorded."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_paused: ContextVar[int] = ContextVar("how many no_grad blocks surround this code", default=0)


def is_recording() -> bool:
    """Whether operations are recorded here, which is so but inside ``no_grad``."""
    return not _paused.get()


class no_grad:  # noqa: N801 (lower case as in PyTorch: it is used like a function)
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
        _paused.set(_paused.get() + 1)

    def __exit__(self, *exception: object) -> None:
        _paused.set(_paused.get() - 1)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` with this mode around it."""
        if not inspect.isroutine(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"no_grad() decorates functions, coroutine functions and generator functions, but "
                f"got {function!r}; write 'with no_grad():' inside it instead"
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
        """Yield what ``generator`` does, in this mode while it runs and out of it while it waits."""
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


@contextmanager
def recording() -> Iterator[None]:
    """Record inside, even within ``no_grad``, as one must to find a derivative."""
    token = _paused.set(0)
    try:
        yield
    finally:
        _paused.reset(token)
