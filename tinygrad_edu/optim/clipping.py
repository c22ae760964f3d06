"""Gradients that are too long, made shorter."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_edu.asides import checked
from tinygrad_edu.optim.optimizer import Setting, parameters
from tinygrad_edu.tensor import Tensor

MAX_NORM = Setting(lambda v, _: v is not True and v > 0, "max_norm is a number above 0")


def clip_grad_norm(params: Iterable[Tensor], max_norm: float) -> float:
    """Shorten gradients to the length ``max_norm`` if they are longer; returns how long they were.

    The length is that of all gradients together, ``sqrt(sum(g**2))`` over all their numbers. Each
    gradient is multiplied by ``max_norm / (length + 1e-6)`` if that is below 1, as in PyTorch
    (``clip_grad_norm_``); so ``np.inf`` only measures. Call it between ``backward`` and ``step``.
    Parameters without a gradient are skipped.

    Raises FloatingPointError if the length is nan or infinite, and then changes nothing (PyTorch
    makes every gradient nan unless error_if_nonfinite is set), ValueError for a ``max_norm`` that
    is no positive number, TypeError for what are no parameters.

    >>> from tinygrad_edu import Tensor, optim
    >>> w = Tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> print(optim.clip_grad_norm([w], max_norm=1.0))
    10.0
    >>> w.grad.round(4)
    array([0.6, 0.8])
    """
    max_norm = MAX_NORM.checked(max_norm, {})
    found = [(p, p.grad) for p in parameters("clip_grad_norm", params) if p.grad is not None]
    lengths = [np.linalg.norm(np.ravel(g).astype(float)) for _, g in found]
    length: Any = np.linalg.norm(np.stack(lengths)) if lengths else np.float64(0.0)
    _check_length(length, max_norm)
    factor = np.minimum(max_norm / (length + 1e-6), 1.0)
    for p, g in found:
        p.grad = g * factor.astype(g.dtype)
    return length  # type: ignore[no-any-return]  # a float64, which is a float of Python, too


@checked
def _check_length(length: float, max_norm: float) -> None:
    """Refuse gradients without a finite length."""
    if not np.isfinite(length):
        raise FloatingPointError(
            f"the gradients have length {length}, and no factor makes that {max_norm}; compute the "
            "loss inside debug(), which says where it began"
        )
