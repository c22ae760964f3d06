"""A minimal reverse-mode autograd engine on NumPy, to learn from and to trust."""

from tinygrad_edu import data, functional, losses, nn, optim
from tinygrad_edu.debugging import debug
from tinygrad_edu.drawing import draw, steps
from tinygrad_edu.modes import no_grad, scope
from tinygrad_edu.ops import primitive
from tinygrad_edu.saving import load, save
from tinygrad_edu.tensor import Tensor
from tinygrad_edu.transforms import grad, hessian, jacobian, value_and_grad

__all__ = [
    "Tensor",
    "data",
    "debug",
    "draw",
    "functional",
    "grad",
    "hessian",
    "jacobian",
    "load",
    "losses",
    "nn",
    "no_grad",
    "optim",
    "primitive",
    "save",
    "scope",
    "steps",
    "value_and_grad",
]
