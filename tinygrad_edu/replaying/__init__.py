"""Replay: record the NumPy calls of a training step, and from then on make only these calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinygrad_edu.replaying.known import Replay

__all__ = ["replay"]


def replay(step: Callable[..., Any]) -> Replay:
    """A training step that is recorded, and from then on replayed: the same numbers, in less time.

    ``step`` is a function of arrays of any shape and dtype; other arguments (numbers, text, None)
    choose a program. It may compute with Tensors and arrays, call ``backward`` and the optimizer,
    or ``p.data -= ...``, and return Tensors, arrays and numbers, in tuples, lists and dictionaries;
    Tensors come back as leaves. The first call runs the step as it is. The second and third do,
    too, and record what NumPy is asked to do. If both agree, later calls with arrays of the same
    shapes and dtypes repeat only that: no Tensor is made, and results that stay inside are put
    where they were the last time. ``print(step.source)`` shows what is repeated.

    Between calls, parameters, settings of the optimizer and arrays that the step finds by name may
    change; where another number, function or object is found, the step is recorded anew. A check
    of this package with another outcome, as of a label out of range, runs the step as it is. What
    Python does in the step is not repeated. So RuntimeError is raised, and nothing has changed,
    where it takes a number out of a Tensor or argument (``if``, ``float``, ``item``), draws random
    numbers, or changes anything but arrays, as a list or a counter. Not seen are prints and files,
    and questions such as ``type(x)`` and ``x is y``. TypeError for arguments that are no arrays and
    choose no program.

    >>> import numpy as np
    >>> from tinygrad_edu import losses, nn, optim, replay
    >>> model = nn.Linear(2, 3, rng=0)
    >>> sgd = optim.SGD(model.parameters(), lr=0.5)
    >>> @replay
    ... def step(x, y):
    ...     loss = losses.cross_entropy(model(x), y)
    ...     sgd.zero_grad()
    ...     loss.backward()
    ...     sgd.step()
    ...     return loss
    >>> x, y = np.array([[1.0, 2.0], [2.0, -1.0]]), np.array([0, 1])
    >>> for _ in range(100):
    ...     loss = step(x, y)
    >>> print(f"{loss:.4f}")
    0.0049
    """
    from tinygrad_edu.replaying.known import Replay  # only now: importing it takes time

    return Replay(step)
