"""Feeding data to a training loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_edu.tensor import Tensor


def minibatches(
    *arrays: Any,
    batch_size: int,
    rng: np.random.Generator | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
) -> Iterator[Any]:
    """One pass over the examples (an epoch), in batches: the same rows of every array together.

    ``arrays``: arrays or lists with N examples along their first axis. Each batch is a tuple of one
    array for each of them, or the array itself if there is only one. The last batch is shorter if
    ``batch_size`` does not divide N, or left out with ``drop_last``. ``shuffle`` draws a new order
    from ``rng`` in each pass; make it once, ``rng = np.random.default_rng(0)``, before the first.

    Raises ValueError if there is no array or no example, if lengths differ or ``batch_size`` is
    less than 1; TypeError if ``batch_size`` is no integer or ``rng`` no Generator.

    >>> import numpy as np
    >>> from tinygrad_edu.data import minibatches
    >>> x, y = np.arange(5) * 10, np.arange(5)
    >>> for xb, yb in minibatches(x, y, batch_size=2, rng=np.random.default_rng(0)):
    ...     print(xb, yb)
    [20 40] [2 4]
    [30  0] [3 0]
    [10] [1]
    """
    if not arrays:
        raise ValueError(
            "minibatches got nothing to take batches from: minibatches(x, y, batch_size=32)"
        )
    columns = [a if isinstance(a, np.ndarray | Tensor) else np.asarray(a) for a in arrays]
    if any(column.ndim == 0 for column in columns):
        raise ValueError("minibatches takes arrays with one example a row, but got a single number")
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"the arrays have {lengths} examples, but each example is a row of every one"
        )
    if lengths[0] == 0:
        raise ValueError("there are no examples: the arrays are empty")
    if not isinstance(batch_size, int | np.integer) or isinstance(batch_size, bool):
        raise TypeError(f"batch_size is a number of examples, but got {batch_size!r}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, but is {batch_size}")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng is a np.random.Generator, not {rng!r}: make rng = np.random.default_rng(0) once, "
            "before the first epoch; a seed would shuffle every epoch in the same order"
        )
    if shuffle and rng is None:
        rng = np.random.default_rng()
    return _batches(columns, int(batch_size), rng if shuffle else None, drop_last)


def _batches(
    columns: list[Any],
    batch_size: int,
    rng: np.random.Generator | None,
    drop_last: bool,
) -> Iterator[Any]:
    order = np.arange(len(columns[0])) if rng is None else rng.permutation(len(columns[0]))
    end = len(order) - len(order) % batch_size if drop_last else len(order)
    for start in range(0, end, batch_size):
        rows = order[start : start + batch_size]
        batch = tuple(column[rows] for column in columns)
        yield batch if len(batch) > 1 else batch[0]
