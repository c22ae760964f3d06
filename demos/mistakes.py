"""Mistakes everybody makes once: what this library says to each, and the line to write instead."""

import warnings
from dataclasses import dataclass
from typing import Any

from tinygrad_edu.command_line import Parser

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
    elsewhere: str  # what PyTorch 2.13 makes of it; "Refused", "Warns", "Not noticed" or "Right"
    in_pytorch: str  # the line there


MISTAKES = [
    Mistake(
        "backward() twice",
        "loss = (w * w).sum()\nloss.backward()",
        "loss.backward()",
        "(w * w).sum().backward()",
        "Refused, too. micrograd adds the gradients once more; MyGrad does nothing.",
        "loss = (w * w).sum()\nloss.backward()\nloss.backward()",
    ),
    Mistake(
        "backward() of many numbers",
        "errors = x @ w - y",
        "errors.backward()",
        "(errors**2).mean().backward()",
        "Refused, too, in other words. MyGrad takes the sum.",
        "(x @ w - y).backward()",
    ),
    Mistake(
        "data changed between loss and backward()",
        "loss = (w * w).sum()\nw.data -= 0.1",
        "loss.backward()",
        "(w * w).sum().backward()",
        "Not noticed: the gradient is that of the new data.",
        "loss = (w * w).sum()\nw.data -= 0.1\nloss.backward()",
    ),
    Mistake(
        "an element written between loss and backward()",
        "loss = (w * w).sum()\nw.data[0] = 5.0",
        "loss.backward()",
        "(w * w).sum().backward()",
        "Not noticed: the gradient is that of the new data.",
        "loss = (w * w).sum()\nw.data[0] = 5.0\nloss.backward()",
    ),
    Mistake(
        "an integer that is to be learned",
        "",
        "n = Tensor(3, requires_grad=True)",
        "n = Tensor(3.0, requires_grad=True)",
        "Refused, too. In MyGrad it becomes a constant.",
        "torch.tensor(3, requires_grad=True)",
    ),
    Mistake(
        "an integer to differentiate at",
        "",
        "grad(lambda t: t**2)(3)",
        "grad(lambda t: t**2)(3.0)",
        "Refused, too. So do JAX and autograd.",
        "torch.func.grad(lambda t: t**2)(torch.tensor(3))",
    ),
    Mistake(
        "a number taken out of the graph",
        "total = Tensor((w * w).sum().item())",
        "total.backward()",
        "(w * w).sum().backward()",
        'Refused: the result "does not require grad and does not have a grad_fn".',
        "torch.tensor((w * w).sum().item()).backward()",
    ),
    Mistake(
        "a forward pass under no_grad()",
        "with no_grad():\n    loss = (w * w).sum()",
        "loss.backward()",
        "(w * w).sum().backward()",
        "Refused, in the words for any cut graph.",
        "with torch.no_grad():\n    loss = (w * w).sum()\nloss.backward()",
    ),
    Mistake(
        "a Tensor made of a Tensor",
        "",
        "square = Tensor(w * w)",
        "square = w * w",
        "Warns, and cuts the graph.",
        "torch.tensor(w * w)",
    ),
    Mistake(
        "a list of Tensors made an array",
        "",
        "np.array([w, w])",
        "np.stack([w, w])",
        "Refused: no `numpy()` of what requires a gradient.",
        "np.array([w, w])",
    ),
    Mistake(
        "-= on what is learned",
        "(w * w).sum().backward()",
        "w -= 0.1 * w.grad",
        "w.data -= 0.1 * w.grad",
        "Refused: an operation in place on a leaf.",
        "(w * w).sum().backward()\nw -= 0.1 * w.grad",
    ),
    Mistake(
        "a loss kept with its whole graph, and not its number",
        "loss = (w * w).sum()\nloss.backward()\nhistory = [loss]",
        "np.array(history)",
        "history = [loss.item()]\nnp.array(history)",
        "Refused: no `numpy()` of what requires a gradient.",
        "np.array([(w * w).sum()])",
    ),
    Mistake(
        "a loss plotted before its number is taken",
        "import copy  # as matplotlib does\nloss = (w * w).sum()",
        "copy.copy(loss)",
        "copy.copy(loss.item())",
        "Not noticed: the copy is a leaf of its own.",
        "import copy\ncopy.copy((w * w).sum())",
    ),
    Mistake(
        "no parentheses",
        "",
        "with no_grad:\n    w * w",
        "with no_grad():\n    w * w",
        'Refused: "does not support the context manager protocol".',
        "with torch.no_grad:\n    w * w",
    ),
    Mistake(
        "the gradient of a result",
        "square = w * w\nsquare.sum().backward()",
        "square.grad",
        "print(draw(square.sum()))",
        "Warns, and gives None.",
        "square = w * w\nsquare.sum().backward()\nsquare.grad",
    ),
    Mistake(
        "an if of many numbers",
        "",
        "grad(lambda t: (t if t > 0 else -t).sum())(w.data)",
        "grad(lambda t: np.where(t > 0, t, -t).sum())(w.data)",
        'Refused: the truth of many numbers "is ambiguous".',
        "w if w > 0 else -w",
    ),
    Mistake(
        "an array filled with results",
        "",
        "def f(t):\n    z = np.zeros(2)\n    z[0] = t[0]\n    return z.sum()\ngrad(f)(w.data)",
        "grad(lambda t: np.stack([t[0], 0.0]).sum())(w.data)",
        "Warns, and cuts the graph.",
        "z = np.zeros(2)\nz[0] = w[0]",
    ),
    Mistake(
        "a list of weights to differentiate with respect to",
        "def f(p):\n    return ((x @ p[0] + p[1] - y) ** 2).mean()\np = [w.data, np.zeros(1)]",
        "grad(f)(p)",
        "grad(lambda *p: f(p), argnums=(0, 1))(*p)",
        "Right: PyTorch and JAX differentiate with respect to lists.",
        "f = lambda p: ((x @ p[0] + p[1] - y) ** 2).mean()\n"
        "torch.func.grad(f)([w.detach(), torch.zeros(1)])",
    ),
    Mistake(
        "a Tensor subtracted from data",
        "def f(t):\n    return (t * t).sum()",
        "w.data -= 0.1 * grad(f)(w)",
        "w.data -= 0.1 * grad(f)(w.data)",
        "Refused: a Tensor from a NumPy array.",
        "total = np.zeros(3)\ntotal -= 0.1 * torch.func.grad(lambda t: (t * t).sum())(w)",
    ),
    Mistake(
        "an axis by its name in PyTorch",
        "",
        "w.sum(dim=0)",
        "w.sum(axis=0)",
        "Right there, and `axis=0`, too.",
        "w.sum(dim=0)",
    ),
    Mistake(
        "a class of PyTorch",
        "",
        "nn.ReLU()",
        "from tinygrad_edu.functional import relu",
        "Right there.",
        "torch.nn.ReLU()",
    ),
    Mistake(
        "a loader of PyTorch",
        "",
        "data.DataLoader((x, y), batch_size=2)",
        "data.minibatches(x, y, batch_size=2)",
        "Right there, for a dataset.",
        "torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=2)",
    ),
    Mistake(
        "the parts of a data set in a dict",
        "d = {'x': x, 'y': y}",
        "data.minibatches(d, batch_size=2)",
        "data.minibatches(*d.values(), batch_size=2)",
        "Refused, by a KeyError.",
        'list(torch.utils.data.DataLoader({"x": x, "y": y}, batch_size=2))',
    ),
    Mistake(
        "an element assigned",
        "",
        "w[0] = 5.0",
        "w = np.where([True, False, False], 5.0, w)",
        "Refused for a leaf. For a result it is allowed.",
        "w[0] = 5.0",
    ),
    Mistake(
        "a column against a row",
        "",
        "losses.mse_loss(x @ w, y.reshape(2, 1))",
        "losses.mse_loss(x @ w, y)",
        "Warns, and takes the mean over all pairs.",
        "F.mse_loss(x @ w, y.reshape(2, 1))",
    ),
    Mistake(
        "labels 0 and 1 in a margin loss",
        "",
        "losses.hinge(x @ w, y)",
        "losses.hinge(x @ w, 2 * y - 1)",
        "Not noticed: a label 0 gives no gradient.",
        "F.soft_margin_loss(x @ w, y)",
    ),
    Mistake(
        "labels -1 and +1 in cross entropy",
        "labels = 2 * y - 1",
        "losses.binary_cross_entropy_with_logits(x @ w, labels)",
        "losses.binary_cross_entropy_with_logits(x @ w, (labels + 1) / 2)",
        "Not noticed: the loss may fall below 0, without end.",
        "F.binary_cross_entropy_with_logits(x @ w, 2 * y - 1)",
    ),
    Mistake(
        "class labels that are not integers",
        "scores = x @ np.ones((3, 2))",
        "losses.cross_entropy(scores, y)",
        "losses.cross_entropy(scores, y.astype(int))",
        'Refused: "expected target dtype to be Long".',
        "F.cross_entropy(x @ torch.ones(3, 2), y)",
    ),
    Mistake(
        "classes numbered from 1",
        "scores = x @ np.ones((3, 2))\nclasses = np.array([1, 2])",
        "losses.cross_entropy(scores, classes)",
        "losses.cross_entropy(scores, classes - 1)",
        'Refused: "Target 2 is out of bounds".',
        "F.cross_entropy(x @ torch.ones(3, 2), torch.tensor([1, 2]))",
    ),
    Mistake(
        "probabilities where scores are due",
        "probs = softmax(x @ np.ones((3, 2)))",
        "losses.cross_entropy(probs, [0, 1])",
        "losses.nll_loss(np.log(probs), [0, 1])",
        "Not noticed: the loss cannot come near 0.",
        "F.cross_entropy(torch.softmax(x @ torch.ones(3, 2), 1), torch.tensor([0, 1]))",
    ),
    Mistake(
        "rows that are no probabilities",
        "counts = np.array([[2.0, 6.0]])",
        "losses.kl_divergence(counts, [[0.5, 0.5]])",
        "losses.kl_divergence(counts / counts.sum(axis=-1, keepdims=True), [[0.5, 0.5]])",
        "Not noticed: a number without meaning.",
        'F.kl_div(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[2.0, 6.0]]), reduction="sum")',
    ),
    Mistake(
        "a matrix the wrong way round",
        "W = Tensor(np.ones((4, 3)))",
        "x @ W",
        "x @ W.T",
        'Refused: the shapes "cannot be multiplied".',
        "x @ torch.ones(4, 3)",
    ),
    Mistake(
        "a layer of another size",
        "layer = nn.Linear(4, 2, rng=0)",
        "layer(x)",
        "nn.Linear(3, 2, rng=0)(x)",
        'Refused: the shapes "cannot be multiplied".',
        "torch.nn.Linear(4, 2)(x)",
    ),
    Mistake(
        "a function without a derivative here",
        "",
        "np.fft.fft(w)",
        "np.fft.fft(w.data)",
        "Refused: no `numpy()` of what requires a gradient.",
        "np.fft.fft(w)",
    ),
    Mistake(
        "a result written into an array",
        "total = np.zeros(3)",
        "total += w",
        "total = total + w",
        "Refused, by a TypeError about concatenation.",
        "total = np.zeros(3)\ntotal += w",
    ),
    Mistake(
        "many numbers read as one", "", "float(w)", "float(w.sum())", "Refused, too.", "float(w)"
    ),
    Mistake(
        "step() before backward()",
        "sgd = optim.SGD([w], lr=0.1)",
        "sgd.step()",
        "(w * w).sum().backward()\nsgd.step()",
        "Not noticed: nothing is changed.",
        "torch.optim.SGD([w], lr=0.1).step()",
    ),
    Mistake(
        "a model where its parameters are due",
        "model = nn.Linear(3, 2, rng=0)",
        "optim.SGD(model, lr=0.1)",
        "optim.SGD(model.parameters(), lr=0.1)",
        "Refused: \"'Linear' object is not iterable\".",
        "torch.optim.SGD(torch.nn.Linear(3, 2), lr=0.1)",
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


def correct(mistake: Mistake) -> None:
    """Run the line that stands in place of the mistake."""
    names: dict[str, Any] = {}
    exec(SETTING + mistake.before, names)
    exec(mistake.instead, names)


def cards() -> str:
    """Every mistake as a card of the site, in Markdown."""
    parts = []
    for number, mistake in enumerate(MISTAKES, start=1):
        lines = f"{mistake.before}\n{mistake.line}".strip()
        parts.append(
            f"::::{{card}} {number}. {mistake.title}\n"
            f"```python\n{lines}\n```\n"
            f"```text\n{message(refusal(mistake))}\n```\n"
            f"**Write**\n```python\n{mistake.instead}\n```\n"
            f"**In PyTorch**: {mistake.elsewhere}\n"
            "::::\n"
        )
    return "\n".join(parts)


def main(argv: list[str]) -> int:
    """Print every mistake, the answer, and the line to write instead; the exit status."""
    Parser(prog="python -m demos mistakes", description=main.__doc__).parse_args(argv)
    print("In all of these:\n\n" + SETTING)
    for number, mistake in enumerate(MISTAKES, start=1):
        error = refusal(mistake)
        correct(mistake)
        print(f"{number}. {mistake.title}")
        for line in (mistake.before + "\n" + mistake.line).strip().splitlines():
            print(f"    {line}")
        for line in message(error).splitlines():
            print(f"  {line}")
        print(f"  In PyTorch: {mistake.elsewhere}")
        print("  Instead:")
        for line in mistake.instead.splitlines():
            print(f"    {line}")
        print()
    return 0
