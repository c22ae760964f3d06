"""Optimizers, which learn from gradients, and schedules of their learning rate.

``SGD`` is the one of the lecture. All take parameters, or groups of them with settings of their
own, and all have ``step``, ``zero_grad``, ``state_dict`` and ``load_state_dict``.
"""

from typing import TYPE_CHECKING

from tinygrad_edu.optim import schedules
from tinygrad_edu.optim.adam import Adam, AdamW
from tinygrad_edu.optim.clipping import clip_grad_norm
from tinygrad_edu.optim.sgd import SGD
from tinygrad_edu.other_names import OPTIM, getattr_of

__all__ = ["SGD", "Adam", "AdamW", "clip_grad_norm", "schedules"]

if not TYPE_CHECKING:  # type checkers are to find these names wrong
    __getattr__ = getattr_of("optim", OPTIM, __all__)
