"""Mistakes everybody makes once: what this library says to each, and the line to write instead."""

import traceback
import warnings
from dataclasses import dataclass
from typing import Any

SETTING = """\
import numpy as np
from tinygrad_edu import Tensor, data, draw, grad, losses, nn, no_grad, optim
from tinygrad_edu.functional import softmax

w = Tensor([1.0, 2.0, 3.0], requires_grad=True, name="w")
x = np.array([[1.0, 0.0, 2.0], [0.5, 1.0, 1.0]])
y = np.array([1.0, 0.0])
"""


@dataclass
class Mistake:
    """A line that is refused after some others, and what stands in its place."""

    title: str
    before: str
    line: str
    instead: str


MISTAKES = [
    Mistake(
        "backward() twice",
        "loss = (w * w).sum()\nloss.backward()",
        "loss.backward()",
        "(w * w).sum().backward()",
    ),
    Mistake(
        "backward() of many numbers",
        "errors = x @ w - y",
        "errors.backward()",
        "(errors**2).mean().backward()",
    ),
    Mistake(
        "data changed between loss and backward()",
        "loss = (w * w).sum()\nw.data -= 0.1",
        "loss.backward()",
        "(w * w).sum().backward()",
    ),
    Mistake(
        "an element written between loss and backward()",
        "loss = (w * w).sum()\nw.data[0] = 5.0",
        "loss.backward()",
        "(w * w).sum().backward()",
    ),
    Mistake(
        "an integer that is to be learned",
        "",
        "n = Tensor(3, requires_grad=True)",
        "n = Tensor(3.0, requires_grad=True)",
    ),
    Mistake(
        "an integer to differentiate at", "", "grad(lambda t: t**2)(3)", "grad(lambda t: t**2)(3.0)"
    ),
    Mistake(
        "a number taken out of the graph",
        "total = Tensor((w * w).sum().item())",
        "total.backward()",
        "(w * w).sum().backward()",
    ),
    Mistake(
        "a forward pass under no_grad()",
        "with no_grad():\n    loss = (w * w).sum()",
        "loss.backward()",
        "(w * w).sum().backward()",
    ),
    Mistake(
        "a Tensor made of a Tensor",
        "",
        "square = Tensor(w * w)",
        "square = w * w",
    ),
    Mistake("a list of Tensors made an array", "", "np.array([w, w])", "np.stack([w, w])"),
    Mistake(
        "-= on what is learned",
        "(w * w).sum().backward()",
        "w -= 0.1 * w.grad",
        "w.data -= 0.1 * w.grad",
    ),
    Mistake(
        "a loss kept with its whole graph, and not its number",
        "loss = (w * w).sum()\nloss.backward()\nhistory = [loss]",
        "np.array(history)",
        "history = [loss.item()]\nnp.array(history)",
    ),
    Mistake(
        "a loss plotted before its number is taken",
        "import copy  # as matplotlib does\nloss = (w * w).sum()",
        "copy.copy(loss)",
        "copy.copy(loss.item())",
    ),
    Mistake("no parentheses", "", "with no_grad:\n    w * w", "with no_grad():\n    w * w"),
    Mistake(
        "the gradient of a result",
        "square = w * w\nsquare.sum().backward()",
        "square.grad",
        "print(draw(square.sum()))",
    ),
    Mistake(
        "an if of many numbers",
        "",
        "grad(lambda t: (t if t > 0 else -t).sum())(w.data)",
        "grad(lambda t: np.where(t > 0, t, -t).sum())(w.data)",
    ),
    Mistake(
        "an array filled with results",
        "",
        "def f(t):\n    z = np.zeros(2)\n    z[0] = t[0]\n    return z.sum()\ngrad(f)(w.data)",
        "grad(lambda t: np.stack([t[0], 0.0]).sum())(w.data)",
    ),
    Mistake(
        "a list of weights to differentiate with respect to",
        "def f(p):\n    return ((x @ p[0] + p[1] - y) ** 2).mean()\np = [w.data, np.zeros(1)]",
        "grad(f)(p)",
        "grad(lambda *p: f(p), argnums=(0, 1))(*p)",
    ),
    Mistake(
        "a Tensor subtracted from data",
        "def f(t):\n    return (t * t).sum()",
        "w.data -= 0.1 * grad(f)(w)",
        "w.data -= 0.1 * grad(f)(w.data)",
    ),
    Mistake("an axis by its name in PyTorch", "", "w.sum(dim=0)", "w.sum(axis=0)"),
    Mistake("a class of PyTorch", "", "nn.ReLU()", "from tinygrad_edu.functional import relu"),
    Mistake(
        "a loader of PyTorch",
        "",
        "data.DataLoader((x, y), batch_size=2)",
        "data.minibatches(x, y, batch_size=2)",
    ),
    Mistake(
        "the parts of a data set in a dict",
        "d = {'x': x, 'y': y}",
        "data.minibatches(d, batch_size=2)",
        "data.minibatches(*d.values(), batch_size=2)",
    ),
    Mistake("an element assigned", "", "w[0] = 5.0", "w = np.where([True, False, False], 5.0, w)"),
    Mistake(
        "a column against a row",
        "",
        "losses.mse_loss(x @ w, y.reshape(2, 1))",
        "losses.mse_loss(x @ w, y)",
    ),
    Mistake(
        "labels 0 and 1 in a margin loss",
        "",
        "losses.hinge(x @ w, y)",
        "losses.hinge(x @ w, 2 * y - 1)",
    ),
    Mistake(
        "labels -1 and +1 in cross entropy",
        "labels = 2 * y - 1",
        "losses.binary_cross_entropy_with_logits(x @ w, labels)",
        "losses.binary_cross_entropy_with_logits(x @ w, (labels + 1) / 2)",
    ),
    Mistake(
        "class labels that are not integers",
        "scores = x @ np.ones((3, 2))",
        "losses.cross_entropy(scores, y)",
        "losses.cross_entropy(scores, y.astype(int))",
    ),
    Mistake(
        "classes numbered from 1",
        "scores = x @ np.ones((3, 2))\nclasses = np.array([1, 2])",
        "losses.cross_entropy(scores, classes)",
        "losses.cross_entropy(scores, classes - 1)",
    ),
    Mistake(
        "probabilities where scores are due",
        "probs = softmax(x @ np.ones((3, 2)))",
        "losses.cross_entropy(probs, [0, 1])",
        "losses.nll_loss(np.log(probs), [0, 1])",
    ),
    Mistake(
        "rows that are no probabilities",
        "counts = np.array([[2.0, 6.0]])",
        "losses.kl_divergence(counts, [[0.5, 0.5]])",
        "losses.kl_divergence(counts / counts.sum(axis=-1, keepdims=True), [[0.5, 0.5]])",
    ),
    Mistake("a matrix the wrong way round", "W = Tensor(np.ones((4, 3)))", "x @ W", "x @ W.T"),
    Mistake(
        "a layer of another size",
        "layer = nn.Linear(4, 2, rng=0)",
        "layer(x)",
        "nn.Linear(3, 2, rng=0)(x)",
    ),
    Mistake("a function without a derivative here", "", "np.fft.fft(w)", "np.fft.fft(w.data)"),
    Mistake(
        "a result written into an array", "total = np.zeros(3)", "total += w", "total = total + w"
    ),
    Mistake("many numbers read as one", "", "float(w)", "float(w.sum())"),
    Mistake(
        "step() before backward()",
        "sgd = optim.SGD([w], lr=0.1)",
        "sgd.step()",
        "(w * w).sum().backward()\nsgd.step()",
    ),
    Mistake(
        "a model where its parameters are due",
        "model = nn.Linear(3, 2, rng=0)",
        "optim.SGD(model, lr=0.1)",
        "optim.SGD(model.parameters(), lr=0.1)",
    ),
]


def refusal(mistake: Mistake) -> Exception:
    """Make the mistake, and return the error, or the warning, that the library raises."""
    names: dict[str, Any] = {}
    exec(SETTING + mistake.before, names)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(mistake.line, "<the line>", "exec"), names)
    except Exception as error:
        return error
    raise AssertionError(f"{mistake.title}: nothing was refused")


def message(error: Exception) -> str:
    """What Python prints of an error below the traceback."""
    return "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])


def frames_below(error: Exception) -> int:
    """How many functions of the library stand below the line in the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    last = max(i for i, frame in enumerate(frames) if frame.filename == "<the line>")
    return len(frames) - 1 - last


def correct(mistake: Mistake) -> None:
    """Run the line that stands in place of the mistake."""
    names: dict[str, Any] = {}
    exec(SETTING + mistake.before, names)
    exec(mistake.instead, names)


def main(argv: list[str]) -> int:
    """Print every mistake, the answer, and the line to write instead; the exit status."""
    if argv:
        print("python -m demos mistakes takes no options")
        return 2
    print("In all of these:\n\n" + SETTING)
    for number, mistake in enumerate(MISTAKES, start=1):
        error = refusal(mistake)
        correct(mistake)
        print(f"{number}. {mistake.title}")
        for line in (mistake.before + "\n" + mistake.line).strip().splitlines():
            print(f"    {line}")
        for line in message(error).splitlines():
            print(f"  {line}")
        print("  Instead:")
        for line in mistake.instead.splitlines():
            print(f"    {line}")
        print()
    return 0
