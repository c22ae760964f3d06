"""What is computed beside the graph, of plain numbers: checks of data, and settings.

In a function that ``jit`` writes down the next call brings other numbers. So what is asked of them
is written down, too, and asked again.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu.modes import writer, writing


def checked(test: Callable[..., None]) -> Callable[..., None]:
    """``test`` as a check of plain data: it raises or warns if they are bad.

    All that decides by numbers is such a check.
    """

    @functools.wraps(test)
    def check(*args: Any) -> None:
        trace = writing and writer()
        try:
            if trace:
                trace.check(test, args)
            else:
                test(*args)
        except Exception as error:
            raise error.with_traceback(None) from None  # the line of the call is close above

    return check


def may_hold(condition: Any) -> bool:
    """Whether any of it is true, or may be true in another call."""
    is_plain = isinstance(condition, np.ndarray | np.generic | bool)
    return not is_plain or bool(np.any(condition))


def live(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """``settings``, of which that with this name may be another number in each call."""
    trace = writing and writer()
    return trace.live(settings, name) if trace else settings
