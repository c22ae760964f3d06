"""Adam and AdamW: gradient descent with a step size for each number."""

from collections.abc import Iterable, Mapping
from typing import Any, Never

import numpy as np

from tinygrad_edu.optim.optimizer import Optimizer, Setting, number
from tinygrad_edu.tensor import Array, Tensor


class Adam(Optimizer):
    """Each number moves by about ``lr``, however steep it is there, with momentum.

    For a parameter ``p`` with gradient ``g`` at step t = 1, 2, ..., as in PyTorch's Adam:

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g             # the mean of recent gradients
        v = beta2 * v + (1 - beta2) * g**2          # and of their squares; both start at 0
        p = p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)

    The divisions by ``1 - beta**t`` undo the start at 0. ``params`` and the settings are given,
    changed and refused as those of ``SGD``. Of float16, the means have float32. Source: Kingma and
    Ba, Adam: A Method for Stochastic Optimization, 2015.

    >>> from tinygrad_edu import Tensor
    >>> from tinygrad_edu.optim import Adam
    >>> w = Tensor([3.0, 3.0], requires_grad=True)
    >>> adam = Adam([w], lr=0.1)
    >>> ((w - 1.0) ** 2 * [1.0, 100.0]).sum().backward()
    >>> adam.step()
    >>> w.data
    array([2.9, 2.9])
    """

    __slots__ = ()

    betas = Setting(
        lambda v, _: len(v) == 2 and all(number(beta, 0, 1) for beta in v),
        "betas are two numbers in [0, 1), as in (0.9, 0.999)",
    )
    eps = Setting(lambda v, _: v != 0 and number(v, 0, np.inf), "eps is a finite number above 0")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        **unknown: Never,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, settings, unknown)

    @staticmethod
    def start(p: Tensor, settings: Mapping[str, Any]) -> dict[str, Array]:  # noqa: ARG004 (SGD's)
        """Means of 0, and no steps."""
        dtype = np.result_type(p.dtype, np.float32)  # float16 has no number as small as eps
        zeros = np.zeros(p.shape, dtype)
        return {"step": np.array(0), "exp_avg": zeros, "exp_avg_sq": zeros}

    @staticmethod
    def rule(
        p: Array, g: Array, memory: dict[str, Array], settings: Mapping[str, Any]
    ) -> tuple[Array, dict[str, Array]]:
        """The parameter after a step, the means, and how many steps have been."""
        beta1, beta2 = settings["betas"]
        g = g.astype(memory["exp_avg"].dtype)
        if settings["weight_decay"]:
            g = g + settings["weight_decay"] * p
        t = memory["step"] + 1
        m = beta1 * memory["exp_avg"] + (1 - beta1) * g
        v = beta2 * memory["exp_avg_sq"] + (1 - beta2) * g * g
        of_m = (1 - np.power(beta1, t)).astype(m.dtype)
        of_v = (1 - np.power(beta2, t)).astype(v.dtype)
        step = m / of_m / (np.sqrt(v / of_v) + settings["eps"])
        return p - settings["lr"] * step, {"step": t, "exp_avg": m, "exp_avg_sq": v}


class AdamW(Adam):
    """Adam whose weight decay shrinks ``p`` itself, and is not divided by the size of gradients.

    The rule is that of ``Adam`` without weight decay, after ``p = p - lr * weight_decay * p``, as
    in PyTorch (torch.optim.AdamW). Settings as there, only that ``weight_decay`` is 0.01 if none is
    given. Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019.

    >>> from tinygrad_edu import Tensor
    >>> from tinygrad_edu.optim import AdamW
    >>> w = Tensor([3.0, 3.0], requires_grad=True)
    >>> adam = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> ((w - 1.0) ** 2 * [1.0, 100.0]).sum().backward()
    >>> adam.step()
    >>> w.data
    array([2.75, 2.75])
    """

    __slots__ = ()

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        **unknown: Never,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, **unknown)

    @staticmethod
    def rule(
        p: Array, g: Array, memory: dict[str, Array], settings: Mapping[str, Any]
    ) -> tuple[Array, dict[str, Array]]:
        """The step of Adam, from a parameter that has shrunk."""
        shrunk = p - settings["lr"] * settings["weight_decay"] * p
        return Adam.rule(shrunk, g, memory, {**settings, "weight_decay": 0.0})
