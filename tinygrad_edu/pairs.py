"""A warning of what broadcasting hides: each prediction compared with the targets of all others."""

import warnings
from typing import Any

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import Node, plain

# Who says x[:, None] or x.reshape(-1, 1) means all pairs, as in a matrix of distances.
ARRANGING = (ops.getitem, np.reshape, np.transpose, ops.broadcast, np.broadcast_to)
LEAST = 4  # examples; fewer may be as many as there are classes by chance
MOST = 5  # results that are looked at on the way from a loss; more would take time


def warn_of_pairs(loss: Node) -> None:
    """Warn if ``loss`` is reduced from a column against a row, N predictions and N targets.

    One of them is computed from what is learned, the other is data. They broadcast to (N, N), and
    the mean of that is a number like any other: models learn from it to predict the mean.
    """
    found = [loss]
    for node in found:  # which grows meanwhile
        for arg in node.args:
            if not isinstance(arg, Node) or arg.op is None:
                continue
            shape = plain(arg).shape
            if len(shape) == 2 and shape[0] == shape[1] >= LEAST:
                pair = _pair(arg)
                if pair is not None:
                    warnings.warn(errors.all_pairs(*pair), stacklevel=errors.level_of_the_user())
                    return
            elif len(shape) < 2 and len(found) < MOST:
                found.append(arg)


def _pair(matrix: Node) -> tuple[Node, Any, Any] | None:
    """The operation that makes a square matrix of a column and a row, the prediction and the data.

    Between it and ``matrix`` are only operations that go by elements.
    """
    n = len(plain(matrix))
    found = [matrix]
    seen = {matrix}
    for node in found:
        if not ops.is_elementwise(node.op):
            continue
        column = row = None
        for arg in node.args:
            shape = np.shape(plain(arg))
            if shape == (n, 1):
                column = arg
            elif shape == (n,):
                row = arg
            elif shape == (n, n) and isinstance(arg, Node) and arg.op and arg not in seen:
                seen.add(arg)
                found.append(arg)
        if column is not None and row is not None:
            if _is_prediction(column) and _is_data(row):
                return node, column, row
            if _is_prediction(row) and _is_data(column):
                return node, row, column
    return None


def _is_prediction(x: Any) -> bool:
    return isinstance(x, Node) and x.op is not None and x.op not in ARRANGING


def _is_data(x: Any) -> bool:
    return not getattr(x, "requires_grad", False)
