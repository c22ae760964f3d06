"""Stochastic gradient descent."""

from collections.abc import Iterable, Mapping
from typing import Any, Never

import numpy as np

from tinygrad_edu.optim.optimizer import Optimizer, Setting, number
from tinygrad_edu.tensor import Array, Tensor


class SGD(Optimizer):
    """Stochastic gradient descent: each ``step`` moves the parameters against their gradients.

    For a parameter ``p`` with gradient ``g``, as in PyTorch (torch.optim.SGD):

        g = g + weight_decay * p
        v = momentum * v + g                        # v is g at the first step
        p = p - lr * (g + momentum * v if nesterov else v)

    ``params``: Tensors that require a gradient, or groups of them with settings of their own,
    ``[{"params": [w]}, {"params": [b], "weight_decay": 0.0}]``. ``lr``, the step size, and the
    other settings may be changed between steps, ``sgd.lr = 0.01`` in all groups, or
    ``sgd.groups[1]["lr"] = 0.01`` in one; 0 is a step size, too, for a schedule that begins there.
    Raises TypeError for what is no such Tensor, ValueError for no parameters or a setting out of
    range.

    >>> from tinygrad_edu import Tensor
    >>> from tinygrad_edu.optim import SGD
    >>> w = Tensor(3.0, requires_grad=True)
    >>> sgd = SGD([w], lr=0.1)
    >>> for _ in range(50):
    ...     sgd.zero_grad()
    ...     ((w - 1.0) ** 2).backward()
    ...     sgd.step()
    >>> print(f"{w:.4f}")
    1.0000
    """

    __slots__ = ()

    momentum = Setting(
        lambda v, others: number(v, 0, 1) and (v > 0 or not others.get("nesterov")),
        "momentum is a number in [0, 1); nesterov, which looks ahead along it, needs momentum > 0",
    )
    nesterov = Setting(
        lambda v, others: v is False or (v is True and others["momentum"] > 0),
        "nesterov is True or False; it looks ahead along the momentum, so it needs momentum > 0",
    )

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        **unknown: Never,
    ) -> None:
        settings = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "nesterov": nesterov}, unknown)

    @staticmethod
    def start(p: Tensor, settings: Mapping[str, Any]) -> dict[str, Array]:
        """A velocity of 0, if there is momentum."""
        return {"momentum_buffer": np.zeros(p.shape, p.dtype)} if settings["momentum"] else {}

    @staticmethod
    def rule(
        p: Array, g: Array, memory: dict[str, Array], settings: Mapping[str, Any]
    ) -> tuple[Array, dict[str, Array]]:
        """The parameter after a step, and its velocity."""
        lr, momentum, weight_decay = settings["lr"], settings["momentum"], settings["weight_decay"]
        if weight_decay:
            g = g + weight_decay * p
        if not momentum:
            return p - lr * g, memory
        v = momentum * memory.get("momentum_buffer", 0.0) + g  # 0 if momentum is new
        return p - lr * (g + momentum * v if settings["nesterov"] else v), {"momentum_buffer": v}
