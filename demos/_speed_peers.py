"""The work that ``python -m demos speed`` times, in this library and in others, each its own way.

A contestant is as in ``_speed_numpy``. The arrays of each engine are made before the clock starts.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_edu
from demos._speed_numpy import Contestant, over, scalar_graph
from tinygrad_edu import Tensor, grad, jit, losses, nn, optim
from tinygrad_edu.functional import sigmoid, softplus

# This library, as it is and compiled.


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """Not compiled."""
    return function


def tinygrad_scalars(numbers: Any, chains: Any, compiled: Any = as_it_is) -> Any:
    """Tensors of one number each."""
    leaves = [Tensor(number, requires_grad=True) for number in numbers]

    @compiled
    def step() -> Any:
        for leaf in leaves:
            leaf.zero_grad()
        total = scalar_graph(leaves, chains, np.tanh)
        total.backward()
        return total

    return step, lambda total: [float(total), np.stack([leaf.grad for leaf in leaves])]


def tinygrad_training(
    x: Any, y: Any, batches: Any, weights: Any, lr: float, compiled: Any = as_it_is
) -> Any:
    """As in the lessons, but that gradients are forgotten at the end: then none has to be kept."""
    layers = [nn.Linear(*w.shape, dtype=w.dtype) for w in weights[::2]]
    for layer, w, b in zip(layers, weights[::2], weights[1::2], strict=True):
        layer.load_state_dict({"weight": w.T, "bias": b})
    model = layers[0] if len(layers) == 1 else nn.Sequential(layers[0], sigmoid, layers[1])
    sgd = optim.SGD(model.parameters(), lr=lr)

    @compiled
    def train_step(x: Any, y: Any) -> Any:
        loss = losses.cross_entropy(model(x), y)
        loss.backward()
        sgd.step()
        sgd.zero_grad()
        return loss

    def results(loss: Any) -> list[Any]:
        return [float(loss), *(p.numpy().T for p in model.parameters())]

    return over(batches, train_step, x, y), results


def tinygrad_logistic(margins: Any, compiled: Any = as_it_is) -> Any:
    """The mean of softplus, as in ``losses.logistic``."""
    leaf = Tensor(margins, requires_grad=True)

    @compiled
    def step() -> Any:
        leaf.zero_grad()
        loss = softplus(-leaf).mean()
        loss.backward()
        return loss

    return step, lambda loss: [float(loss), leaf.grad]


def tinygrad_loss(w: Any, x: Any, y: Any) -> Any:
    """Logistic regression."""
    return softplus(-y * (x @ w)).mean()


def tinygrad_hessian(x: Any, y: Any, w: Any, v: Any, compiled: Any = as_it_is) -> Any:  # noqa: ARG001
    """Backward through backward, once for each row."""
    second = compiled(tinygrad_edu.hessian(tinygrad_loss))
    return lambda: second(w, x, y), lambda matrix: [matrix]


def tinygrad_hvp(x: Any, y: Any, w: Any, v: Any, compiled: Any = as_it_is) -> Any:
    """The gradient of the slope along v."""
    slope = grad(tinygrad_loss)
    product = compiled(grad(lambda w, x, y, v: slope(w, x, y) @ v))
    return lambda: product(w, x, y, v), lambda vector: [vector]


# PyTorch, eager.


def torch_scalars(numbers: Any, chains: Any) -> Any:
    """Tensors of one number each."""
    import torch

    leaves = [torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in numbers]

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        total = scalar_graph(leaves, chains, torch.tanh)
        total.backward()
        return total

    return step, lambda total: [total.item(), torch.stack([leaf.grad for leaf in leaves]).numpy()]


def torch_training(x: Any, y: Any, batches: Any, weights: Any, lr: float) -> Any:
    """As in its tutorials."""
    import torch

    start = [torch.tensor(w) for w in weights]
    dtype = start[0].dtype
    layers = [torch.nn.Linear(*w.shape, dtype=dtype) for w in weights[::2]]
    for layer, w, b in zip(layers, start[::2], start[1::2], strict=True):
        layer.load_state_dict({"weight": w.T, "bias": b})
    model = layers[0]
    if len(layers) == 2:
        model = torch.nn.Sequential(layers[0], torch.nn.Sigmoid(), layers[1])
    sgd = torch.optim.SGD(model.parameters(), lr=lr)

    def train_step(x: Any, y: Any) -> Any:
        sgd.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        sgd.step()
        return loss

    def results(loss: Any) -> list[Any]:
        return [loss.item(), *(p.detach().numpy().T for p in model.parameters())]

    rows = batches and [torch.tensor(batch) for batch in batches]
    return over(rows, train_step, torch.tensor(x), torch.tensor(y)), results


def torch_logistic(margins: Any) -> Any:
    """Its own softplus."""
    import torch

    leaf = torch.tensor(margins, requires_grad=True)

    def step() -> Any:
        leaf.grad = None
        loss = torch.nn.functional.softplus(-leaf).mean()
        loss.backward()
        return loss

    return step, lambda loss: [loss.item(), leaf.grad.numpy()]


def torch_second_order(x: Any, y: Any, w: Any) -> Any:
    """The loss as a function of the weights, and the weights."""
    import torch

    x, y, w = torch.tensor(x), torch.tensor(y), torch.tensor(w)
    return lambda w: torch.nn.functional.softplus(-y * (x @ w)).mean(), w


def torch_hessian(x: Any, y: Any, w: Any, v: Any) -> Any:  # noqa: ARG001
    """Backward through backward, all rows at once: here 3 times as fast as its own hessian."""
    import torch

    f, w = torch_second_order(x, y, w)
    second = torch.func.jacrev(torch.func.grad(f))
    return lambda: second(w), lambda matrix: [matrix.numpy()]


def torch_hvp(x: Any, y: Any, w: Any, v: Any) -> Any:
    """Backward through backward."""
    import torch

    f, w = torch_second_order(x, y, w)
    v = torch.tensor(v)
    return lambda: torch.autograd.functional.vhp(f, w, v)[1], lambda vector: [vector.numpy()]


# JAX, compiled. A step ends when its results are there, not when they have been asked for.


def jax_scalars(numbers: Any, chains: Any) -> Any:
    """Arrays of one number each."""
    import jax

    leaves = [jax.numpy.asarray(number) for number in numbers]
    both = jax.jit(jax.value_and_grad(lambda leaves: scalar_graph(leaves, chains, jax.numpy.tanh)))
    return lambda: jax.block_until_ready(both(leaves)), lambda r: [float(r[0]), np.stack(r[1])]


def jax_training(x: Any, y: Any, batches: Any, weights: Any, lr: float) -> Any:
    """A function from weights to weights, as in its tutorials."""
    import jax

    def loss_of(weights: Any, x: Any, y: Any) -> Any:
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = jax.nn.sigmoid(x @ w + b)
        log_p = jax.nn.log_softmax(x @ weights[-2] + weights[-1])
        return -jax.numpy.take_along_axis(log_p, y[:, None], axis=1).mean()

    @jax.jit
    def update(weights: Any, x: Any, y: Any) -> Any:
        loss, slopes = jax.value_and_grad(loss_of)(weights, x, y)
        return loss, [w - lr * slope for w, slope in zip(weights, slopes, strict=True)]

    weights = [jax.numpy.asarray(w) for w in weights]

    def train_step(x: Any, y: Any) -> Any:
        nonlocal weights
        loss, weights = update(weights, x, y)
        return loss

    if batches is None:  # else it is faster to take rows of NumPy's arrays
        x, y = jax.numpy.asarray(x), jax.numpy.asarray(y)
    train = over(batches, train_step, x, y)
    step = lambda: jax.block_until_ready((train(), weights))  # noqa: E731
    return step, lambda returned: [float(returned[0]), *map(np.asarray, returned[1])]


def jax_logistic(margins: Any) -> Any:
    """Its own softplus."""
    import jax

    margins = jax.numpy.asarray(margins)
    both = jax.jit(jax.value_and_grad(lambda margins: jax.nn.softplus(-margins).mean()))
    step = lambda: jax.block_until_ready(both(margins))  # noqa: E731
    return step, lambda returned: [float(returned[0]), np.asarray(returned[1])]


def jax_hessian(x: Any, y: Any, w: Any, v: Any) -> Any:  # noqa: ARG001
    """Forward through backward."""
    import jax

    x, y, w = (jax.numpy.asarray(array) for array in (x, y, w))
    second = jax.jit(jax.hessian(lambda w: jax.nn.softplus(-y * (x @ w)).mean()))
    return lambda: jax.block_until_ready(second(w)), lambda matrix: [np.asarray(matrix)]


def jax_hvp(x: Any, y: Any, w: Any, v: Any) -> Any:
    """Forward through backward."""
    import jax

    x, y, w, v = (jax.numpy.asarray(array) for array in (x, y, w, v))
    slope = jax.grad(lambda w: jax.nn.softplus(-y * (x @ w)).mean())
    product = jax.jit(lambda w, v: jax.jvp(slope, (w,), (v,))[1])
    return lambda: jax.block_until_ready(product(w, v)), lambda vector: [np.asarray(vector)]


# HIPS autograd.


def autograd_scalars(numbers: Any, chains: Any) -> Any:
    """Python numbers, boxed by autograd."""
    import autograd

    both = autograd.value_and_grad(lambda leaves: scalar_graph(leaves, chains, autograd.numpy.tanh))
    leaves = list(numbers)
    return lambda: both(leaves), lambda returned: [float(returned[0]), np.stack(returned[1])]


def autograd_training(x: Any, y: Any, batches: Any, weights: Any, lr: float) -> Any:
    """Targets are rows of 0 and 1, as in its examples: to index is slower."""
    import autograd
    from autograd.scipy.special import expit, logsumexp

    def loss_of(weights: Any, x: Any, targets: Any) -> Any:
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = expit(x @ w + b)
        scores = x @ weights[-2] + weights[-1]
        log_p = scores - logsumexp(scores, axis=1, keepdims=True)
        return -autograd.numpy.sum(log_p * targets) / len(targets)

    both = autograd.value_and_grad(loss_of)
    weights = [w.copy() for w in weights]

    def train_step(x: Any, targets: Any) -> Any:
        loss, slopes = both(weights, x, targets)
        for w, slope in zip(weights, slopes, strict=True):
            w -= lr * slope
        return loss

    targets = np.eye(10, dtype=x.dtype)[y]
    return over(batches, train_step, x, targets), lambda loss: [float(loss), *weights]


def autograd_logistic(margins: Any) -> Any:
    """The formula, without autograd's mean, whose gradient is float64."""
    import autograd

    log1p, exp = autograd.numpy.log1p, autograd.numpy.exp
    both = autograd.value_and_grad(lambda m: autograd.numpy.sum(log1p(exp(-m))) / len(m))
    return lambda: both(margins), lambda returned: [float(returned[0]), returned[1]]


def autograd_second_order(x: Any, y: Any) -> Any:
    """The loss as a function of the weights."""
    import autograd

    log1p, exp, mean = autograd.numpy.log1p, autograd.numpy.exp, autograd.numpy.mean
    return lambda w: mean(log1p(exp(-y * (x @ w))))


def autograd_hessian(x: Any, y: Any, w: Any, v: Any) -> Any:  # noqa: ARG001
    """Backward through backward, once for each row."""
    import autograd

    second = autograd.hessian(autograd_second_order(x, y))
    return lambda: second(w), lambda matrix: [matrix]


def autograd_hvp(x: Any, y: Any, w: Any, v: Any) -> Any:
    """Backward through backward."""
    import autograd

    product = autograd.hessian_vector_product(autograd_second_order(x, y))
    return lambda: product(w, v), lambda vector: [vector]


# MyGrad. It forgets gradients by itself, when a tensor is used again.


def mygrad_scalars(numbers: Any, chains: Any) -> Any:
    """Tensors of one number each."""
    import mygrad

    leaves = [mygrad.tensor(number) for number in numbers]

    def step() -> Any:
        total = scalar_graph(leaves, chains, mygrad.tanh)
        total.backward()
        return total

    return step, lambda total: [total.item(), np.stack([leaf.grad for leaf in leaves])]


def mygrad_training(x: Any, y: Any, batches: Any, weights: Any, lr: float) -> Any:
    """As in its tutorials."""
    import mygrad
    from mygrad.nnet.activations import sigmoid
    from mygrad.nnet.losses import softmax_crossentropy

    weights = [mygrad.tensor(w) for w in weights]

    def train_step(x: Any, y: Any) -> Any:
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = sigmoid(x @ w + b)
        loss = softmax_crossentropy(x @ weights[-2] + weights[-1], y)
        loss.backward()
        for w in weights:
            w.data -= lr * w.grad
        return loss

    return over(batches, train_step, x, y), lambda loss: [loss.item(), *(w.data for w in weights)]


def mygrad_logistic(margins: Any) -> Any:
    """The formula."""
    import mygrad

    leaf = mygrad.tensor(margins)

    def step() -> Any:
        loss = mygrad.log1p(mygrad.exp(-leaf)).mean()
        loss.backward()
        return loss

    return step, lambda loss: [loss.item(), leaf.grad]


# micrograd.


def micrograd_scalars(numbers: Any, chains: Any) -> Any:
    """With a tanh, which micrograd leaves to its users, written like its other operations."""
    from micrograd.engine import Value

    def tanh(x: Any) -> Any:
        y = Value(math.tanh(x.data), (x,), "tanh")

        def backward() -> None:
            x.grad += (1 - y.data**2) * y.grad

        y._backward = backward
        return y

    leaves = [Value(float(number)) for number in numbers]

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = 0
        total = scalar_graph(leaves, chains, tanh)
        total.backward()
        return total

    return step, lambda total: [total.data, np.stack([leaf.grad for leaf in leaves])]


# What each can do, and the module that it needs. micrograd has numbers only, and MyGrad no second
# derivatives. DeZero 0.0.13 is not here: it uses np.int, so it cannot be imported with NumPy 2.
KINDS = ("scalars", "training", "logistic", "hessian", "hvp")
TINYGRAD = [tinygrad_scalars, tinygrad_training, tinygrad_logistic]
SECOND = [tinygrad_hessian, tinygrad_hvp]
COMPILED = [functools.partial(contestant, compiled=jit) for contestant in TINYGRAD + SECOND]
TORCH = [torch_scalars, torch_training, torch_logistic, torch_hessian, torch_hvp]
JAX = [jax_scalars, jax_training, jax_logistic, jax_hessian, jax_hvp]
AUTOGRAD = [
    autograd_scalars,
    autograd_training,
    autograd_logistic,
    autograd_hessian,
    autograd_hvp,
]
MYGRAD = [mygrad_scalars, mygrad_training, mygrad_logistic]

PEERS: dict[str, tuple[str, dict[str, Contestant]]] = {
    name: (module, dict(zip(KINDS, contestants, strict=False)))
    for name, module, contestants in (
        ("tinygrad_edu", "tinygrad_edu", TINYGRAD + SECOND),
        ("tinygrad_edu, jit", "tinygrad_edu", COMPILED),
        ("PyTorch", "torch", TORCH),
        ("JAX", "jax", JAX),
        ("autograd", "autograd", AUTOGRAD),
        ("MyGrad", "mygrad", MYGRAD),
        ("micrograd", "micrograd", [micrograd_scalars]),
    )
}
