"""Stochastic gradient descent."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu.tensor import Tensor, plain, replace


class SGD:
    """Stochastic gradient descent: each ``step`` moves the parameters against their gradients.

    For a parameter ``p`` with gradient ``g``, as in PyTorch (torch.optim.SGD):

        g = g + weight_decay * p
        v = momentum * v + g                        # v is g at the first step
        p = p - lr * (g + momentum * v if nesterov else v)

    ``params``: Tensors that require a gradient. ``lr``, the step size, may be changed between
    steps. Raises TypeError for what is no such Tensor, ValueError for no parameters or a number out
    of range.

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

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError(
                f"SGD takes a list of parameters, model.parameters() or [w, b], but got {params!r}"
            )
        self.params = list(params)
        if not self.params:
            raise ValueError("SGD got no parameters to learn: pass model.parameters()")
        for p in self.params:
            if not isinstance(p, Tensor) or not (p.requires_grad and p.is_leaf):
                raise TypeError(
                    f"SGD learns leaf Tensors that require a gradient, but got {p!r}: make it with "
                    "Tensor(..., requires_grad=True)"
                )
        if len(set(self.params)) < len(self.params):
            raise ValueError("SGD got one parameter twice: it would be moved twice at each step")
        if not 0 < lr < np.inf:
            raise ValueError(f"lr, the step size, must be positive and finite, but is {lr}")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), but is {momentum}")
        if not 0 <= weight_decay < np.inf:
            raise ValueError(
                f"weight_decay must be 0 or positive, and finite, but is {weight_decay}"
            )
        if nesterov and momentum == 0:
            raise ValueError("nesterov looks ahead along the momentum, so it needs momentum > 0")
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.nesterov = nesterov
        self._velocity: dict[Tensor, NDArray[Any]] = {}

    def step(self) -> None:
        """Move every parameter that has a gradient once; the others stay.

        Raises RuntimeError if none has, because then ``backward`` was not called.
        """
        moved = [(p, *self._moved(p, p.grad)) for p in self.params if p.grad is not None]
        if not moved:
            raise RuntimeError("no parameter has a gradient: call loss.backward() before step()")
        for p, data, velocity in moved:
            replace(p, data)
            if self.momentum:
                self._velocity[p] = velocity

    def _moved(self, p: Tensor, g: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        data = plain(p)
        if self.weight_decay:
            g = g + self.weight_decay * data
        velocity = g
        if self.momentum:
            velocity = self.momentum * self._velocity[p] + g if p in self._velocity else g.copy()
        step = g + self.momentum * velocity if self.nesterov else velocity
        return (data - self.lr * step).astype(data.dtype, copy=False), velocity

    def zero_grad(self) -> None:
        """Forget all gradients, before the next ``backward`` adds to them."""
        for p in self.params:
            p.zero_grad()
