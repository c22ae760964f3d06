"""A minimal reverse-mode autograd engine on NumPy, to learn from and to trust.

A ``Tensor`` records the operations it goes through, and its ``backward`` finds the gradients;
``grad``, ``jacobian`` and ``hessian`` give derivatives as functions. ``draw`` and ``steps`` show a
graph, ``debug`` says where numbers go wrong. The rest is in modules:

- ``tinygrad_edu.functional``: sigmoid, softmax and friends
- ``tinygrad_edu.losses``: every loss of the lecture
- ``tinygrad_edu.nn``, ``tinygrad_edu.optim`` and ``tinygrad_edu.data``: models, gradient descent
  and mini-batches
- ``tinygrad_edu.datasets``: image sets from files
- ``tinygrad_edu.optim.schedules``: learning rates that change
- ``tinygrad_edu.drawing``: what ``draw`` and ``steps`` return
- ``tinygrad_edu.exploring``: ``explore``, a function as a page with sliders, and what is on it
- ``tinygrad_edu.testing`` and ``tinygrad_edu.testing.strategies``: proofs of derivatives, and
  of whole engines
- ``tinygrad_edu.classifier``: a linear classifier for scikit-learn
- ``tinygrad_edu.evaluation``: a test set that is opened once
- ``tinygrad_edu.lessons``: the lecture, to list, run, copy and grade

To read how it works, start with ``tinygrad_edu.ops``, the table of derivatives; go on to
``tinygrad_edu.backprop``, the chain rule, and ``tinygrad_edu.tensor``.

>>> import numpy as np
>>> from tinygrad_edu import Tensor
>>> w = Tensor([0.5, -1.0], requires_grad=True)
>>> loss = np.log(1.0 + np.exp(-(w * [2.0, 1.0]).sum()))
>>> loss.backward()
>>> w.grad
array([-1. , -0.5])
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinygrad_edu import data, datasets, functional, losses, nn, optim, other_names
from tinygrad_edu.custom import primitive
from tinygrad_edu.debugging import debug
from tinygrad_edu.modes import no_grad, scope
from tinygrad_edu.saving import load, save
from tinygrad_edu.tensor import Tensor
from tinygrad_edu.transforms import grad, hessian, jacobian, value_and_grad

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tinygrad_edu.compiling import jit
    from tinygrad_edu.drawing.steps import steps
    from tinygrad_edu.drawing.view import draw
    from tinygrad_edu.exploring.explore import explore

__all__ = [
    "Tensor",
    "data",
    "datasets",
    "debug",
    "draw",
    "explore",
    "functional",
    "grad",
    "hessian",
    "jacobian",
    "jit",
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


# Imported when they are asked for: they take half of the time of the import.
_LATER = {"draw": "drawing", "explore": "exploring", "jit": "compiling", "steps": "drawing"}

_ELSEWHERE = {
    name: f"from {module.__name__} import {name}"
    for module in (functional, losses, nn, optim, data, datasets)
    for name in module.__all__
}
for _name in other_names.CALLED:
    sys.modules[f"tinygrad_edu.{_name}"].__class__ = other_names.NotCalled

if not TYPE_CHECKING:  # type checkers are to find other names wrong

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            lines = other_names.PACKAGE | _ELSEWHERE
            raise other_names.not_in_module("tinygrad_edu", name, lines, __all__)
        module = import_module(f"tinygrad_edu.{_LATER[name]}")
        globals()[name] = getattr(module, name)
        return globals()[name]
