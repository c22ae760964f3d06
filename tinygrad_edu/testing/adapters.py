"""How six engines are told to ``check_engine``; each needs its package, and none is imported here.

They are examples, too: to hold an engine of your own against the laws, write such a class.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

NUMPY = (  # names that engines in the manner of NumPy may have
    "negative square exp exp2 expm1 log log2 log10 log1p sqrt cbrt reciprocal sin cos tan arcsin "
    "arccos arctan sinh cosh tanh arcsinh arccosh arctanh absolute add subtract multiply divide "
    "power maximum minimum fmax fmin hypot logaddexp arctan2 sum mean prod max min std var cumsum "
    "transpose reshape ravel flip swapaxes moveaxis expand_dims roll concatenate stack "
    "broadcast_to squeeze where"
)


def taken_from(module: Any, names: str = NUMPY) -> dict[str, Any]:
    """Those of ``names`` that a module has."""
    return {name: getattr(module, name) for name in names.split() if hasattr(module, name)}


class TinygradEdu:
    """This package."""

    def __init__(self) -> None:
        from tinygrad_edu import functional, losses, ops
        from tinygrad_edu.modes import no_grad
        from tinygrad_edu.tensor import Tensor
        from tinygrad_edu.transforms import grad

        self.title = "tinygrad_edu"
        self.Tensor, self.no_grad, self.transform = Tensor, no_grad, grad
        self.name = ops.name
        self.functions = {
            **taken_from(np),
            **taken_from(functional, " ".join(functional.__all__)),
            "cross_entropy": losses.cross_entropy,
        }

    def variable(self, value: Any) -> Any:
        return self.Tensor(value, requires_grad=True)

    def constant(self, value: Any) -> Any:
        return self.Tensor(value)

    def value(self, result: Any) -> Any:
        return result.numpy()

    def backward(self, result: Any, cotangent: Any = None) -> None:
        result.backward(cotangent)

    def gradient(self, variable: Any) -> Any:
        return variable.grad

    def zero(self, variable: Any) -> None:
        variable.zero_grad()

    def assign(self, variable: Any, value: Any) -> None:
        variable.data = value

    def op(self, result: Any) -> Any:
        return result.op and self.name(result.op)

    def args(self, result: Any) -> Any:
        return result.args

    def grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *xs: self.transform(f, tuple(range(len(xs))))(*xs)


class Micrograd:
    """Andrej Karpathy's engine of numbers: https://github.com/karpathy/micrograd."""

    scalar = True

    def __init__(self) -> None:
        self.Value = import_module("micrograd.engine").Value
        self.title = f"micrograd {version('micrograd')}"
        self.functions = {"relu": self.Value.relu}

    def variable(self, value: Any) -> Any:
        return self.Value(value)

    def value(self, result: Any) -> Any:
        return result.data

    def backward(self, result: Any) -> None:
        result.backward()

    def gradient(self, variable: Any) -> Any:
        return variable.grad

    def zero(self, variable: Any) -> None:
        variable.grad = 0

    def assign(self, variable: Any, value: Any) -> None:
        variable.data = value


class MyGrad:
    """An engine on NumPy with NumPy's names: https://mygrad.readthedocs.io."""

    def __init__(self) -> None:
        self.mygrad = import_module("mygrad")
        layers = import_module("mygrad.nnet")
        self.title = f"MyGrad {version('mygrad')}"
        self.functions = {
            **taken_from(self.mygrad),
            **taken_from(layers, "relu sigmoid softmax"),
            "log_softmax": lambda x, axis=-1: layers.logsoftmax(x, axis=axis),
            "cross_entropy": layers.softmax_crossentropy,
        }

    def variable(self, value: Any) -> Any:
        return self.mygrad.tensor(value)

    def constant(self, value: Any) -> Any:
        return self.mygrad.tensor(value, constant=True)

    def value(self, result: Any) -> Any:
        return result.data

    def backward(self, result: Any, cotangent: Any = None) -> None:
        result.backward(cotangent)

    def gradient(self, variable: Any) -> Any:
        return variable.grad

    def zero(self, variable: Any) -> None:
        variable.null_grad()

    def assign(self, variable: Any, value: Any) -> None:
        variable.data[...] = value

    def no_grad(self) -> Any:
        return self.mygrad.no_autodiff


class Autograd:
    """HIPS autograd, an engine of functions: https://github.com/HIPS/autograd."""

    def __init__(self) -> None:
        self.transform = import_module("autograd").grad
        special = import_module("autograd.scipy.special")
        self.title = f"autograd {version('autograd')}"
        self.functions = {
            **taken_from(import_module("autograd.numpy")),
            "sigmoid": special.expit,
            "logsumexp": lambda x, axis=-1: special.logsumexp(x, axis=axis),
        }

    def grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *xs: self.transform(f, tuple(range(len(xs))))(*xs)


class Jax:
    """JAX, in double precision where it is given such numbers: https://docs.jax.dev."""

    def __init__(self) -> None:
        self.jax = import_module("jax")
        layers = import_module("jax.nn")
        self.title = f"JAX {version('jax')}"
        self.functions = {
            **taken_from(import_module("jax.numpy")),
            **taken_from(layers, "relu sigmoid softplus softmax log_softmax"),
            "logsumexp": lambda x, axis=-1: layers.logsumexp(x, axis=axis),
        }

    def grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        def gradients(*xs: Any) -> Any:
            with self.jax.enable_x64(True):
                return self.jax.grad(f, tuple(range(len(xs))))(*xs)

        return gradients


class Torch:
    """PyTorch, its functions called as NumPy's: https://pytorch.org."""

    def __init__(self) -> None:
        torch = self.torch = import_module("torch")
        self.title = f"PyTorch {version('torch')}"
        self.no_grad = torch.no_grad
        names = (
            "negative square exp exp2 expm1 log log2 log10 log1p sqrt reciprocal sin cos tan "
            "arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh absolute relu sigmoid add "
            "subtract multiply divide maximum minimum fmax fmin hypot logaddexp arctan2 sum mean "
            "reshape ravel swapaxes moveaxis roll squeeze stack broadcast_to"
        )
        self.functions = {
            **taken_from(torch, names),
            "power": torch.pow,
            "max": self.reduction(torch.amax),
            "min": self.reduction(torch.amin),
            "cumsum": lambda x, axis: torch.cumsum(x, axis),
            "transpose": lambda x, axes=None: x.permute(axes or tuple(range(x.ndim))[::-1]),
            "flip": lambda x, axis: torch.flip(x, (axis,)),
            "expand_dims": torch.unsqueeze,
            "concatenate": lambda xs, axis: torch.cat(xs, axis),
            "stack": lambda xs, axis: torch.stack(xs, axis),
            "where": lambda c, a, b: torch.where(torch.tensor(c), a, b),
            "softplus": torch.nn.functional.softplus,
            "softmax": lambda x, axis=-1: torch.softmax(x, axis),
            "log_softmax": lambda x, axis=-1: torch.log_softmax(x, axis),
            "logsumexp": lambda x, axis=-1: torch.logsumexp(x, axis),
            "cross_entropy": lambda x, labels: torch.nn.functional.cross_entropy(
                x, torch.tensor(labels)
            ),
        }

    def reduction(self, reduce: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, axis=None, keepdims=False: reduce(
            x, () if axis is None else axis, keepdim=keepdims
        )

    def constant(self, value: Any) -> Any:
        return self.torch.tensor(np.asarray(value))

    def variable(self, value: Any) -> Any:
        return self.constant(value).requires_grad_()

    def value(self, result: Any) -> Any:
        return result.detach().numpy()

    def backward(self, result: Any, cotangent: Any = None) -> None:
        result.backward(None if cotangent is None else self.constant(cotangent))

    def gradient(self, variable: Any) -> Any:
        return None if variable.grad is None else variable.grad.numpy()

    def zero(self, variable: Any) -> None:
        variable.grad = None

    def assign(self, variable: Any, value: Any) -> None:
        with self.torch.no_grad():
            variable.copy_(self.constant(value))

    def grad(self, f: Callable[..., Any]) -> Callable[..., Any]:
        def gradients(*xs: Any) -> Any:
            tensors = [x if self.torch.is_tensor(x) else self.constant(x) for x in xs]
            return self.torch.func.grad(f, tuple(range(len(xs))))(*tensors)

        return gradients


ADAPTERS: dict[str, Callable[[], Any]] = {
    "autograd": Autograd,
    "jax": Jax,
    "micrograd": Micrograd,
    "mygrad": MyGrad,
    "tinygrad_edu": TinygradEdu,
    "torch": Torch,
}
