"""NumPy functions that compute, composed of operations that have a rule: no rule of their own.

Each follows NumPy's own signature, and differentiates as often as what it is composed of.
"""

from typing import Any

import numpy as np

from tinygrad_edu.ops import Operation

# Norms and small linear algebra.


def _dot(a: Any, b: Any) -> Any:
    if np.ndim(a) > 2 or np.ndim(b) > 2:
        raise TypeError("np.dot is defined here up to 2-D; for stacks of matrices write a @ b")
    return np.multiply(a, b) if np.ndim(a) == 0 or np.ndim(b) == 0 else np.matmul(a, b)


# Elementwise.


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = a_min if min is None else min, a_max if max is None else max
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


compositions: dict[Operation, Operation] = {
    # norms and small linear algebra
    np.dot: _dot,
    # elementwise
    np.square: lambda x: np.multiply(x, x),
    np.clip: _clip,
}
