"""Typical code of a user: ``test_types`` gives it to type checkers, and runs it, too."""

import copy
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import (
    Tensor,
    debug,
    grad,
    hessian,
    jacobian,
    losses,
    nn,
    no_grad,
    optim,
    primitive,
    scope,
    steps,
    value_and_grad,
)
from tinygrad_edu.data import minibatches
from tinygrad_edu.functional import (
    log_softmax,
    logsumexp,
    one_hot,
    relu,
    sigmoid,
    softmax,
    softplus,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def operators(t: Tensor, array: Floats, number: np.float64) -> None:
    """With a Tensor, a number of Python or NumPy, or an array on either side."""
    assert_type(t + t, Tensor)
    assert_type(t - t, Tensor)
    assert_type(t * t, Tensor)
    assert_type(t / t, Tensor)
    assert_type(t**t, Tensor)
    assert_type(t @ t, Tensor)

    assert_type(t + 1.0, Tensor)
    assert_type(t - 1.0, Tensor)
    assert_type(t * 2, Tensor)
    assert_type(t / 2.0, Tensor)
    assert_type(t**2, Tensor)

    assert_type(1.0 + t, Tensor)
    assert_type(1.0 - t, Tensor)
    assert_type(2 * t, Tensor)
    assert_type(2.0 / t, Tensor)
    assert_type(2.0**t, Tensor)

    assert_type(t + number, Tensor)
    assert_type(t * number, Tensor)
    assert_type(number + t, Tensor)
    assert_type(number * t, Tensor)

    assert_type(t + array, Tensor)
    assert_type(t - array, Tensor)
    assert_type(t * array, Tensor)
    assert_type(t / array, Tensor)
    assert_type(t**array, Tensor)
    assert_type(t @ array, Tensor)

    assert_type(+t, Tensor)
    assert_type(-t, Tensor)
    assert_type(abs(t), Tensor)


def arrays_on_the_left(t: Tensor, array: Floats) -> None:
    """NumPy's annotations are asked first here, and leave it to those of the Tensor."""
    assert_type(array + t, Tensor)
    assert_type(array - t, Tensor)
    assert_type(array * t, Tensor)
    assert_type(array / t, Tensor)
    assert_type(array**t, Tensor)
    assert_type(array @ t, Tensor)


def comparisons(t: Tensor, array: Floats) -> None:
    """Plain arrays of booleans."""
    assert_type(t < 1.0, Bools)
    assert_type(t <= 1.0, Bools)
    assert_type(t > array, Bools)
    assert_type(t >= t, Bools)
    assert_type(t != t, Bools)
    assert_type(t == 1.0, Bools)
    assert_type(2.0 > t, Bools)  # noqa: SIM300
    assert_type((t > 0.0) & (t < 1.0), Bools)
    print(np.where(t > 0.0, 1, 0).sum(), bool((t >= 0.0).all()))


def parts(t: Tensor, labels: NDArray[np.int64]) -> None:
    """Indexing, iteration and axes."""
    assert_type(t[0], Tensor)
    assert_type(t[0, 1], Tensor)
    assert_type(t[:, None], Tensor)
    assert_type(t[..., 0], Tensor)
    assert_type(t[t > 0.0], Tensor)
    assert_type(t[np.arange(len(labels)), labels], Tensor)
    for row in t:
        assert_type(row, Tensor)
    assert_type(t.T, Tensor)
    assert_type(t.shape, tuple[int, ...])
    assert_type((t.ndim, t.size), tuple[int, int])
    assert_type(len(t), int)


def methods(t: Tensor) -> None:
    """Each is like NumPy's function of the name."""
    positive = t * t + 1.0
    assert_type(t.exp(), Tensor)
    assert_type(positive.log(), Tensor)
    assert_type(positive.sqrt(), Tensor)
    assert_type(t.sin(), Tensor)
    assert_type(t.cos(), Tensor)
    assert_type(t.tanh(), Tensor)
    assert_type(t.abs(), Tensor)
    assert_type(t.sum(), Tensor)
    assert_type(t.sum(axis=0), Tensor)
    assert_type(t.sum(axis=-1, keepdims=True), Tensor)
    assert_type(t.mean(), Tensor)
    assert_type(t.mean(axis=(0, 1)), Tensor)
    assert_type(t.max(), Tensor)
    assert_type(t.max(axis=-1, keepdims=True), Tensor)
    assert_type(t.min(axis=0), Tensor)
    assert_type(t.clip(0.0, 1.0), Tensor)
    assert_type(t[None].squeeze(), Tensor)
    assert_type(t[None].squeeze(axis=0), Tensor)
    assert_type(t.swapaxes(0, 1), Tensor)
    assert_type(t.cumsum(axis=0), Tensor)
    assert_type(t.ravel(), Tensor)
    assert_type(t.flatten(), Tensor)
    assert_type(t.take([0, 1], axis=1), Tensor)
    assert_type(t.repeat(2, axis=0), Tensor)
    assert_type(t.diagonal(), Tensor)
    assert_type(t.copy(), Tensor)
    assert_type(t.astype(np.float32), Tensor)
    assert_type(t.conj(), Tensor)
    assert_type(t.dot(t.T), Tensor)
    assert_type(t.std(axis=0, ddof=1), Tensor)
    assert_type(t.var(), Tensor)
    assert_type(t.prod(axis=-1), Tensor)
    assert_type(t.cumprod(axis=0), Tensor)
    assert_type(t.trace(), Tensor)
    assert_type(t.round(1), Tensor)
    print(t.argmax(), t.argsort(axis=0), t.nonzero(), t.any(), t.all(axis=0))
    assert_type(t.reshape(-1), Tensor)
    assert_type(t.reshape(t.size, 1), Tensor)
    assert_type(t.reshape((1, -1)), Tensor)
    assert_type(t.transpose(), Tensor)
    assert_type(t.transpose(1, 0), Tensor)
    assert_type(t.detach(), Tensor)


def functions(t: Tensor, labels: NDArray[np.int64]) -> None:
    """A Tensor of a Tensor."""
    assert_type(sigmoid(t), Tensor)
    assert_type(softplus(t), Tensor)
    assert_type(relu(t), Tensor)
    assert_type(logsumexp(t), Tensor)
    assert_type(logsumexp(t, axis=0, keepdims=True), Tensor)
    assert_type(log_softmax(t), Tensor)
    assert_type(log_softmax(t, axis=0), Tensor)
    assert_type(softmax(t), Tensor)
    assert_type(softmax(t, (0, 1)), Tensor)
    assert_type(one_hot(labels, 3), NDArray[Any])


def all_losses(scores: Tensor, signs: Floats, labels: NDArray[np.int64]) -> None:
    """A Tensor of a Tensor."""
    probs = softmax(scores)
    shares = one_hot(labels, 3)
    assert_type(losses.zero_one(scores, signs), Tensor)
    assert_type(losses.logistic(scores, signs), Tensor)
    assert_type(losses.exponential(scores, signs, reduction="sum"), Tensor)
    assert_type(losses.hinge(scores, signs), Tensor)
    assert_type(losses.hinge(scores, signs, margin=0.5, reduction="none"), Tensor)
    assert_type(losses.multiclass_hinge(scores, labels), Tensor)
    assert_type(losses.multiclass_hinge(scores, labels, margin=2.0), Tensor)
    assert_type(losses.binary_cross_entropy(probs, shares), Tensor)
    assert_type(losses.binary_cross_entropy_with_logits(scores, shares), Tensor)
    assert_type(losses.cross_entropy(scores, labels), Tensor)
    assert_type(losses.cross_entropy(scores, [0, 1], reduction="none"), Tensor)
    assert_type(losses.nll_loss(log_softmax(scores), labels), Tensor)
    assert_type(losses.mse_loss(scores, np.zeros((2, 3))), Tensor)
    assert_type(losses.l1_loss(scores, np.zeros((2, 3)), sample_weight=[1, 2]), Tensor)
    assert_type(losses.huber_loss(scores, np.zeros((2, 3)), delta=0.5), Tensor)
    assert_type(losses.cross_entropy(scores, labels, label_smoothing=0.1), Tensor)
    assert_type(losses.cross_entropy(scores, labels, weight=[1, 2, 3], ignore_index=0), Tensor)
    assert_type(losses.binary_cross_entropy(probs, shares, pos_weight=2.0), Tensor)
    p = np.full((2, 3), 1 / 3)
    assert_type(losses.kl_divergence(p, probs), Tensor)
    assert_type(losses.kl_divergence(probs, p), Tensor)
    assert_type(losses.kl_divergence(probs, probs, reduction="sum"), Tensor)


def numbers(t: Tensor) -> None:
    """What is taken out of a graph."""
    assert_type(float(t), float)
    assert_type(int(t), int)
    assert_type(bool(t), bool)
    assert_type(t.numpy(), NDArray[Any])
    assert_type(t.data, NDArray[Any])
    print(f"{t:.3f}", t.item() + 1.0, t.tolist(), round(t, 2), np.asarray(t.detach()).shape)


def readme() -> float:
    """The first program of the README."""
    x = np.array([[1.0, 2.0], [2.0, -1.0], [-1.5, 0.5], [0.5, 1.5]])
    y = np.array([0, 1, 2, 0])
    W = Tensor(np.zeros((3, 2)), requires_grad=True, name="W")  # noqa: N806 (as in the README)
    b = Tensor(np.zeros(3), requires_grad=True, name="b")
    loss = Tensor(0.0)
    for step in range(201):
        loss = losses.cross_entropy(x @ W.T + b, y)
        W.zero_grad()
        b.zero_grad()
        loss.backward()
        W.data -= 0.5 * W.grad
        b.data -= 0.5 * b.grad
        if step % 100 == 0:
            print(f"step {step}: loss {loss:.4f}, largest slope {abs(W.grad).max():.4f}")
    return float(loss)


def in_place(w: Tensor) -> None:
    """A step under ``no_grad``, and the gradient taken back."""
    (w * w).sum().backward()
    with no_grad():
        w -= 0.5 * w.grad
    w.data = w.data * 2.0
    w.grad = None
    w.requires_grad = False


class Network(nn.Module):
    """A module with a parameter of its own."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.first = nn.Linear(3, 4, rng=rng)
        self.scale = Tensor(1.0, requires_grad=True, name="scale")
        self.last = nn.Linear(4, 2, rng=rng)

    def forward(self, x: Floats | Tensor) -> Tensor:
        """Scores for two classes."""
        with scope("hidden"):
            hidden = relu(self.first.forward(x)) * self.scale
        return self.last.forward(hidden)


def training(rng: np.random.Generator) -> tuple[Network, float]:
    """Mini-batches, an optimizer, and a score that is not recorded."""
    x = rng.normal(size=(20, 3))
    y = (x.sum(axis=1) > 0).astype(int)
    model = Network(rng)
    assert_type(model.parameters(), list[Tensor])
    sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(20):
        for xb, yb in minibatches(x, y, batch_size=5, rng=rng):
            sgd.zero_grad()
            with debug():
                loss = losses.cross_entropy(model(xb), yb)
                loss.backward()
            sgd.step()
    model.load_state_dict(copy.deepcopy(model.state_dict()))
    sgd.lr = optim.schedules.linear_warmup(optim.schedules.cosine(0.1, 20), 5)(7)
    sgd.groups[0]["momentum"] = 0.5
    adam = optim.AdamW(
        [{"params": model.parameters()[:1]}, {"params": model.parameters()[1:], "lr": 0.1}]
    )
    adam.load_state_dict(adam.state_dict())
    assert_type(optim.clip_grad_norm(model.parameters(), max_norm=1.0), float)
    return model, accuracy(model, x, y)


@no_grad()
def accuracy(model: Network, x: Floats, y: NDArray[np.int64]) -> float:
    """The share of predictions that are right."""
    return float((model.forward(x).data.argmax(axis=1) == y).mean())


@scope("penalty")
def penalty(w: Tensor, *, strength: float = 0.5) -> Tensor:
    """Decorated functions keep their types."""
    return strength * (w * w).sum()


def decorated(model: Network, x: Floats, y: NDArray[np.int64], w: Tensor) -> None:
    """What a decorated function gives."""
    assert_type(accuracy(model, x, y), float)
    assert_type(penalty(w, strength=2.0), Tensor)


def derivatives() -> None:
    """Functions of functions."""

    def loss(w: Tensor, x: Floats) -> Tensor:
        return ((w * x).sum() - 1.0) ** 2

    x = np.array([1.0, 2.0])
    value, slope = value_and_grad(loss)(x, x)
    print(value, slope, grad(loss, 0)(x, x), hessian(loss)(x, x).shape)
    print(jacobian(softmax)(x).shape, grad(lambda w: 2 * w if w > 0 else -w)(3.0))
    cube = primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)
    y = cube(Tensor(2.0, requires_grad=True)) * 1.0
    print(steps(y)[-1])


def mistakes(t: Tensor, array: Floats) -> None:
    """What type checkers are to find: an ignored error that they do not find is an error."""
    losses.mse_loss(t)  # type: ignore[call-overload]
    losses.mse_loss(t, array, reducton="sum")  # type: ignore[call-overload]
    losses.hinge(t, array, margin="wide")  # type: ignore[call-overload]
    losses.cross_entropy()  # type: ignore[call-overload]
    losses.kl_divergence(t)  # type: ignore[call-overload]
    losses.kl_divergence(t, array, epsilon=1e-9)  # type: ignore[call-overload]
    softmax(t, axes=0)  # type: ignore[call-overload]
    relu(t, 0.1)  # type: ignore[call-overload]
    one_hot(array)  # type: ignore[call-arg]
    losses.focal_loss(t, array)  # type: ignore[attr-defined]
    t.backwards()  # type: ignore[attr-defined]
    t.data()  # type: ignore[operator]
    Tensor(1.0, requires_gradient=True)  # type: ignore[call-arg]
    optim.Adam([t], amsgrad=True)  # type: ignore[arg-type]
    optim.SGD([t])  # type: ignore[call-arg]
    optim.lr_scheduler  # type: ignore[attr-defined]  # noqa: B018
    t.grad_fn  # type: ignore[attr-defined]  # noqa: B018


def main() -> None:
    """Run all but the mistakes."""
    values = np.array([[0.5, 1.5, 0.25], [1.0, 2.0, 0.75]])
    square = np.array([[0.5, 1.5], [1.0, 2.0]])
    labels = np.array([0, 2])

    def t(data: Any = values) -> Tensor:
        return Tensor(data, requires_grad=True)

    operators(t(square), square, np.float64(2.0))
    arrays_on_the_left(t(square), square)
    comparisons(t(), values)
    parts(t(), labels)
    methods(t())
    functions(t(), labels)
    all_losses(t(), np.sign(values - 0.9), labels)
    numbers(t(2.5))
    assert readme() < 0.01
    in_place(t())
    model, right = training(np.random.default_rng(0))
    assert right > 0.9
    decorated(model, np.zeros((2, 3)), labels, t())
    derivatives()


if __name__ == "__main__":
    main()
