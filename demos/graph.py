"""Computation graphs: five from the lecture, with values and gradients, and step by step."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from timeit import timeit
from typing import Any

import numpy as np

from demos._options import make_folder
from tinygrad_edu import Tensor, draw, grad, losses, nn, scope, steps
from tinygrad_edu.command_line import Parser
from tinygrad_edu.functional import relu, sigmoid

Drawable = tuple[Tensor, dict[str, Any]]  # a result, and what its picture calls its parts


def neuron() -> Drawable:
    """Follow the orange numbers back from the loss: each operation multiplies by its own slope."""
    x1, x2 = Tensor(1.0), Tensor(3.0)
    w1, w2, b = (Tensor(start, requires_grad=True) for start in (2.0, -1.0, 1.0))
    z = w1 * x1 + w2 * x2 + b
    p = sigmoid(z)
    loss = -np.log(p)  # log loss, for the label 1
    return loss, locals()


def cross_entropy() -> Drawable:
    """The gradient of the scores is softmax(scores), less 1 for the true class, which is 2."""
    x, y = np.array([[-15.0, 22.0, -44.0, 56.0]]), [2]  # the example of Stanford's CS231n
    rows = [[0.01, -0.05, 0.1, 0.05], [0.7, 0.2, 0.05, 0.16], [0.0, -0.45, -0.2, 0.03]]
    W = Tensor(rows, requires_grad=True)  # noqa: N806 (a matrix, as in the lecture)
    b = Tensor([0.0, 0.2, -0.3], requires_grad=True)
    scores = x @ W.T + b
    loss = losses.cross_entropy(scores, y)
    return loss, locals()


def hinge() -> Drawable:
    """Margins 3, 1, 0, -1: the second is exactly at the kink, where the gradient is taken as 0."""
    x, y = np.array([2.0, 1.0, 0.5, 1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    w, b = Tensor(2.0, requires_grad=True), Tensor(-1.0, requires_grad=True)
    scores = w * x + b
    margins = y * scores
    with scope("hinge"):
        loss = relu(1 - margins).mean()
    return loss, locals()


def mlp() -> Drawable:
    """One box for each layer: what goes in, what comes out, and how many numbers it learns."""
    rng = np.random.default_rng(376)  # a seed whose numbers are short
    x, y = rng.normal(size=(10, 4)), np.arange(10) % 3
    hidden, output = nn.Linear(4, 16, rng=rng), nn.Linear(16, 3, rng=rng)
    model = nn.Sequential(hidden, sigmoid, output)
    w1, b1, w2, b2 = model.parameters()
    scores = model(x)
    loss = losses.cross_entropy(scores, y)
    return loss, locals()


def mlp_open() -> Drawable:
    """The same with its boxes open: all 20 tensors, framed by what they belong to."""
    return mlp()


def second() -> Drawable:
    """The slope of x**3 at 10, 300, is computed by a graph, too; so it has a slope itself, 60."""
    x = Tensor(10.0, requires_grad=True)
    slope = grad(lambda x: x**3)(x)
    return slope, locals()


# How each is drawn. Where everything is at its default, there is a page to step through, too.
PICTURES: dict[Callable[[], Drawable], dict[str, Any]] = {
    neuron: {},
    cross_entropy: {},
    hinge: {},
    mlp: {"max_nodes": 12, "precision": 2},
    mlp_open: {"precision": 2},
    second: {},
}


def show(computations: list[Callable[[], Drawable]], folder: Path) -> None:
    """Print the trees; then, for which it takes Graphviz, write the pictures and the pages."""
    drawable = {each: each() for each in computations}
    for each, (result, names) in drawable.items():
        print(f"{each.__name__}\n{draw(result, names=names, **PICTURES[each])}\n")
    for each, (result, names) in drawable.items():
        drawing = draw(result, names=names, **PICTURES[each])
        files = [drawing.save(folder / f"{each.__name__}{ending}") for ending in (".svg", ".png")]
        if not PICTURES[each]:
            files.append(steps(result, names=names).save(folder / f"{each.__name__}.html"))
        print(f"{each.__name__}: {each.__doc__}", *files, sep="\n  ", flush=True)


def chain(length: int, around: Callable[[str], Any] = nullcontext, every: int = 10) -> Tensor:
    """So many operations in a row, with ``around`` entered for ``every`` so many of them."""
    y = Tensor(1.0, requires_grad=True)
    for _ in range(length // every):
        with around("part"):
            for _ in range(every):
                y = y * 1.001
    return y


def row(neurons: int) -> Tensor:
    """Neurons in a row, five nodes each."""
    y: Any = 1.0
    for _ in range(neurons):
        y = sigmoid(Tensor(0.5, requires_grad=True) * y + Tensor(0.1, requires_grad=True))
    return y


def measure(rounds: int, *actions: Callable[[], Any]) -> np.ndarray:
    """The least and the median seconds of each action; in each round, all take turns."""
    seconds = [[timeit(action, number=1) for action in actions] for _ in range(rounds)]
    return np.stack([np.min(seconds, axis=0), np.median(seconds, axis=0)], axis=1)


def print_times(n: int = 3000) -> None:
    """How long drawing and recording take here."""
    sixty = row(12)
    picture = measure(9, lambda: draw(sixty).svg())
    plain, scoped = chain(n), chain(n, scope)
    sources = measure(9, lambda: draw(scoped).source, lambda: draw(plain, max_nodes=n + 1).source)
    outside, *inside = measure(
        50,
        lambda: chain(n, every=n),
        lambda: chain(n, scope, every=n),
        lambda: chain(n, scope),
    )
    kinds = [
        "ms to draw 60 nodes and render them as SVG",
        f"ms for .source of {n:,} operations, ten in each scope",
        f"ms for .source of {n:,} operations, max_nodes raised",
        "us to record an operation outside of scopes",
        "times as long in a scope",
        "times as long, entering a scope for every ten operations",
    ]
    times = [*1e3 * picture, *1e3 * sources, 1e6 / n * outside, *(inside / outside)]
    print(f"{'':58}  least  median")
    for kind, (least, median) in zip(kinds, times, strict=True):
        print(f"{kind:58}{least:7.2f} {median:7.2f}")


def main(argv: list[str]) -> int:
    """Draw, or measure; the exit status."""
    parser = Parser(prog="python -m demos graph", description=__doc__)
    computations = {each.__name__: each for each in PICTURES}
    parser.add_argument("--only", choices=computations, help="one of them (default: all)")
    parser.add_argument("--time", action="store_true", help="measure drawing and recording instead")
    folder = Path("demo-output", "graph")
    parser.add_argument("--out", type=Path, default=folder, help="(default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        if options.time:
            print_times()
        else:
            make_folder(options.out, parser)
            chosen = [options.only] if options.only else list(computations)
            show([computations[name] for name in chosen], options.out)
    except RuntimeError as error:  # there is no Graphviz, and the message says how to get it
        print(f"python -m demos graph: {error}", file=sys.stderr)
        return 1
    return 0
