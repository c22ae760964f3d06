"""Feeding data to a training loop, in mini-batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.inputs import as_array
from tinygrad_edu.other_names import DATA, getattr_of
from tinygrad_edu.tensor import Tensor

__all__ = ["Minibatches", "minibatches"]

if not TYPE_CHECKING:  # type checkers are to find other names wrong
    __getattr__ = getattr_of("data", DATA, __all__)


def minibatches(
    *arrays: Any,
    batch_size: int,
    rng: np.random.Generator | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
) -> Minibatches:
    """The examples in batches: the same rows of every array together. Each pass is an epoch.

    ``arrays``: arrays, lists or tables of one kind of column, with N examples along their first
    axis. Each batch is a tuple of one array for each of them, or the array itself if there is only
    one. The last batch is shorter if
    ``batch_size`` does not divide N, or left out with ``drop_last``. ``shuffle`` draws a new order
    from ``rng`` in each pass, by default a random one. The batches may be gone through as often as
    wanted, and ``len`` counts them.

    Raises ValueError if there is no array, no example or, with ``drop_last``, no batch, if lengths
    differ or ``batch_size`` is less than 1; TypeError if ``batch_size`` is no integer or ``rng`` no
    Generator, for a sparse matrix, and for a table that mixes kinds of columns.

    >>> import numpy as np
    >>> from tinygrad_edu.data import minibatches
    >>> x, y = np.arange(5) * 10, np.arange(5)
    >>> batches = minibatches(x, y, batch_size=2, rng=np.random.default_rng(0))
    >>> len(batches)
    3
    >>> for epoch in range(2):
    ...     print([yb.tolist() for xb, yb in batches])
    [[2, 4], [3, 0], [1]]
    [[4, 1], [2, 0], [3]]
    """
    if not arrays:
        raise ValueError(
            "minibatches got nothing to take batches from: minibatches(x, y, batch_size=32)"
        )
    columns = [*map(_column, arrays)]
    if any(column.ndim == 0 for column in columns):
        raise ValueError("minibatches takes arrays with one example a row, but got a single number")
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"the arrays have {errors.listed(lengths, ' and ')} examples, but each example is a "
            "row of all"
        )
    if lengths[0] == 0:
        raise ValueError("there are no examples: the arrays are empty")
    if not isinstance(batch_size, int | np.integer) or isinstance(batch_size, bool):
        raise TypeError(f"batch_size is a number of examples, but got {errors.short(batch_size)}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, but is {batch_size}")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng is a np.random.Generator, not {errors.short(rng)}: make "
            "rng = np.random.default_rng(0) once, before the first epoch, for a seed in each would "
            "give all the same order"
        )
    for name, flag in {"shuffle": shuffle, "drop_last": drop_last}.items():
        if not isinstance(flag, bool | np.bool_):
            raise errors.no_flag(name, flag)
    if drop_last and lengths[0] < batch_size:
        raise ValueError(
            f"there is no batch: drop_last leaves out the {lengths[0]} examples, which are fewer "
            f"than batch_size={batch_size}. Write drop_last=False, or a smaller batch_size"
        )
    if shuffle and rng is None:
        rng = np.random.default_rng()
    return Minibatches(columns, int(batch_size), rng if shuffle else None, drop_last)


def _column(rows: Any) -> Any:
    """An argument of ``minibatches`` as an array."""
    if isinstance(rows, np.ndarray | Tensor):
        return rows
    if isinstance(rows, Mapping):
        raise TypeError(
            "minibatches takes arrays one by one, not in a dict: write "
            "minibatches(*d.values(), batch_size=32)"
        )
    if isinstance(rows, Iterator):
        raise TypeError(
            f"minibatches takes arrays, and a {type(rows).__name__} can be gone through only once: "
            "write minibatches(x, y, batch_size=32) for zip(x, y), and np.array(list(rows)) for "
            "rows"
        )
    if hasattr(rows, "toarray"):
        raise TypeError(
            f"minibatches takes no sparse matrix, a {type(rows).__name__}: write "
            "minibatches(np.arange(m.shape[0]), batch_size=32), and for each batch of rows "
            "m.tocsr()[rows].toarray()"
        )
    try:
        column = as_array(rows)
        if column.dtype == object and column.ndim > 1 and hasattr(rows, "columns"):
            raise TypeError(
                f"minibatches takes a table of numbers, but {list(rows.columns)} are of several "
                "kinds: choose columns of one kind, minibatches(df[names], df[label], "
                "batch_size=32)"
            )
        return column
    except ValueError:
        if not any(isinstance(part, np.ndarray | Tensor) for part in rows):
            raise
    raise TypeError(
        "minibatches takes arrays one by one, not in a list: write "
        "minibatches(*arrays, batch_size=32)"
    )


class Minibatches:
    """Batches that may be gone through as often as wanted: made by ``minibatches``.

    >>> from tinygrad_edu.data import minibatches
    >>> batches = minibatches([1, 2, 3], batch_size=2, shuffle=False)
    >>> len(batches), [batch.tolist() for batch in batches]
    (2, [[1, 2], [3]])
    """

    def __init__(
        self,
        columns: list[Any],
        batch_size: int,
        rng: np.random.Generator | None,
        drop_last: bool,
    ) -> None:
        self._columns = columns
        self._batch_size = batch_size
        self._rng = rng
        self._examples = len(columns[0])
        if drop_last:
            self._examples -= self._examples % batch_size

    def __len__(self) -> int:
        return -(-self._examples // self._batch_size)

    def __iter__(self) -> Iterator[Any]:
        count = len(self._columns[0])
        order = np.arange(count) if self._rng is None else self._rng.permutation(count)
        for start in range(0, self._examples, self._batch_size):
            rows = order[start : min(start + self._batch_size, self._examples)]
            batch = tuple(column[rows] for column in self._columns)
            yield batch if len(batch) > 1 else batch[0]
