"""Stochastic gradient descent."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu.backprop import plain
from tinygrad_edu.tensor import Tensor, replace

# The settings that are checked whenever they are set: what is allowed, and in words.
SETTINGS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "lr": (lambda v: 0 <= v < np.inf, "lr, the step size, is a finite number, not below 0"),
    "momentum": (lambda v: 0 <= v < 1, "momentum is a number in [0, 1)"),
    "weight_decay": (lambda v: 0 <= v < np.inf, "weight_decay is a finite number, not below 0"),
}


class SGD:
    """Stochastic gradient descent: each ``step`` moves the parameters against their gradients.

    For a parameter ``p`` with gradient ``g``, as in PyTorch (torch.optim.SGD):

        g = g + weight_decay * p
        v = momentum * v + g                        # v is g at the first step
        p = p - lr * (g + momentum * v if nesterov else v)

    ``params``: Tensors that require a gradient. ``lr``, the step size, and the other settings may
    be changed between steps; 0 is a step size, too, for a schedule that begins there. Raises
    TypeError for what is no such Tensor, ValueError for no parameters or a setting out of range.

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
            raise ValueError(
                "SGD got no parameters to learn: pass model.parameters(), of a model whose Tensors "
                "are made with requires_grad=True"
            )
        for p in self.params:
            if not isinstance(p, Tensor) or not (p.requires_grad and p.is_leaf):
                raise TypeError(
                    f"SGD learns leaf Tensors that require a gradient, but got {p!r}: make it with "
                    "Tensor(..., requires_grad=True)"
                )
        if len(set(self.params)) < len(self.params):
            raise ValueError("SGD got one parameter twice: it would be moved twice at each step")
        if nesterov and momentum == 0:
            raise ValueError("nesterov looks ahead along the momentum, so it needs momentum > 0")
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        self._velocity: dict[Tensor, NDArray[Any]] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        if name in SETTINGS:
            allowed, words = SETTINGS[name]
            number = np.asarray(value)
            if number.ndim or number.dtype.kind not in "fiu" or not allowed(number):
                raise ValueError(f"{words}, but got {value!r}")
            value = number.item()
        super().__setattr__(name, value)

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
