"""Handwritten digits: a matrix learns to read them, with five losses to choose from."""

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
from tqdm import tqdm

from demos._digits_figures import plot_losses, plot_mistakes, plot_weights
from demos._options import make_folder, step_size, whole_number
from tinygrad_edu import data, jit, losses, nn, no_grad, optim
from tinygrad_edu.command_line import Parser
from tinygrad_edu.functional import one_hot, sigmoid, softmax


@dataclass
class Objective:
    """A loss, the step size and targets that suit it, and what its scores mean."""

    loss: Callable[..., Any]
    lr: float  # chosen on validation sets; no test set had a say
    one_vs_rest: bool  # ten yes-or-no questions per image, or one choice out of ten
    probabilities: Callable[[Any], Any] | None
    unit: str = ""

    @property
    def meaning(self) -> str:
        """The meaning of the values in the picture of mistakes."""
        if self.probabilities is None:
            return "score (a hinge loss gives no probabilities)"
        if self.one_vs_rest:
            return "probability of this digit against all others (sums need not be 1)"
        return "probability (softmax of the scores)"


def sigmoid_of_twice(scores: Any) -> Any:
    """The probability for which a score is best: exponential loss makes it half the log-odds."""
    return sigmoid(2 * scores)


# The mean over ten questions has gradients a tenth as large: those losses take longer steps, but
# exponential overflows on some seeds from 1.5 on.
OBJECTIVES = {
    "cross_entropy": Objective(losses.cross_entropy, 1.0, False, softmax, " (nats)"),
    "multiclass_hinge": Objective(losses.multiclass_hinge, 0.3, False, None),
    "logistic": Objective(losses.logistic, 10.0, True, sigmoid, " (nats)"),
    "exponential": Objective(losses.exponential, 0.5, True, sigmoid_of_twice),
    "hinge": Objective(losses.hinge, 2.0, True, None),
}


@dataclass
class Part:
    """Some of the images: scaled pixels (N, 64), digits (N,), and the targets of the loss."""

    x: Any
    digits: Any
    targets: Any


@dataclass
class Best:
    """The weights with the smallest validation loss so far."""

    epoch: int
    loss: float
    weights: dict[str, Any]


@dataclass
class Run:
    """The record of a training."""

    step_losses: list[float] = field(default_factory=list)
    epoch_losses: list[tuple[float, float]] = field(default_factory=list)  # train, validation
    best: Best | None = None
    end: str = "all epochs done"
    diverged: bool = False


def load_parts(objective: Objective, seed: int) -> list[Part]:
    """Train, validation and test parts, 60/20/20, with the same share of each digit."""
    x, digits = load_digits(return_X_y=True)
    x, x_test, d, d_test = train_test_split(
        x, digits, test_size=0.2, stratify=digits, random_state=seed
    )
    x_train, x_val, d_train, d_val = train_test_split(
        x, d, test_size=0.25, stratify=d, random_state=seed
    )
    scaler = MinMaxScaler().fit(x_train)  # the other parts are not looked at

    def part(x: Any, digits: Any) -> Part:
        targets = 2 * one_hot(digits, 10) - 1 if objective.one_vs_rest else digits
        return Part(scaler.transform(x), digits, targets)

    return [part(x_train, d_train), part(x_val, d_val), part(x_test, d_test)]


def scores_of(model: nn.Module, part: Part) -> Any:
    """Scores (N, 10) as an array; nothing is recorded."""
    with no_grad():
        return model(part.x).numpy()


def finite(loss: Any) -> float:
    """The loss as a number, unless training has diverged."""
    if not loss < 1e100:  # so for nan, too; larger numbers cannot be drawn
        raise FloatingPointError(f"the loss became {loss:.3g}")
    return float(loss)


def train(
    model: nn.Module,
    objective: Objective,
    train_part: Part,
    validation: Part,
    options: argparse.Namespace,
    rng: np.random.Generator,
) -> Run:
    """Mini-batch SGD with early stopping; the model ends with the best weights."""
    run, sgd = Run(), optim.SGD(model.parameters(), lr=options.lr)
    x, targets, batch_size = train_part.x, train_part.targets, options.batch_size
    updates = options.epochs * math.ceil(len(x) / batch_size)
    quiet = np.errstate(over="ignore", invalid="ignore")  # finite() says it better

    @jit
    def step(x: Any, targets: Any) -> Any:
        loss = objective.loss(model(x), targets)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        return loss

    try:
        layout = "{percentage:3.0f}% {bar} {n}/{total} updates, {elapsed}{postfix}"
        # disable=None: silent where there is no terminal
        with quiet, tqdm(total=updates, bar_format=layout, leave=False, disable=None) as bar:
            for epoch in range(1, options.epochs + 1):
                for batch in data.minibatches(x, targets, batch_size=batch_size, rng=rng):
                    run.step_losses.append(finite(step(*batch).item()))
                    bar.update()
                train_loss = finite(objective.loss(scores_of(model, train_part), targets))
                val_loss = finite(objective.loss(scores_of(model, validation), validation.targets))
                run.epoch_losses.append((train_loss, val_loss))
                bar.set_postfix_str(f"epoch {epoch}, val {val_loss:.4g}")
                if run.best is None or val_loss < run.best.loss:
                    run.best = Best(epoch, val_loss, model.state_dict())
                elif epoch - run.best.epoch >= options.patience:
                    run.end = f"validation loss no better since epoch {run.best.epoch}"
                    break
    except KeyboardInterrupt:
        run.end = "stopped by Ctrl-C"
    except FloatingPointError as error:
        run.end, run.diverged = f"{error}: lower --lr, which is {options.lr:g}", True
    if run.best:
        model.load_state_dict(run.best.weights)
    return run


def read_options(argv: list[str]) -> argparse.Namespace:
    """The options, checked before anything is done."""
    parser = Parser(prog="python -m demos digits", description=__doc__)
    add = parser.add_argument
    count = whole_number(1)
    add("--loss", choices=OBJECTIVES, default="cross_entropy", help="(default: %(default)s)")
    add("--batch-size", type=count, default=32, help="images per update (default: %(default)s)")
    add("--epochs", type=count, default=100, help="at most (default: %(default)s)")
    add(
        "--patience",
        type=count,
        default=10,
        help="epochs to wait for a better one (default: %(default)s)",
    )
    add("--lr", type=step_size, help="step size (default: one for each loss)")
    seed = whole_number(0, 2**32 - 1)  # the seeds scikit-learn takes
    add("--seed", type=seed, default=0, help="of split, weights, order (default: %(default)s)")
    folder = Path("demo-output", "digits")
    add("--out", type=Path, help=f"picture folder (default: {folder.as_posix()}/LOSS)")
    options = parser.parse_args(argv)
    options.out = options.out or folder / options.loss
    make_folder(options.out, parser)
    options.lr = options.lr or OBJECTIVES[options.loss].lr
    return options


def draw(run: Run, model: nn.Linear, parts: list[Part], test_scores: Any, options: Any) -> None:
    """Write the three pictures."""
    objective = OBJECTIVES[options.loss]
    train_part, _, test = parts
    title = f"Digits, linear classifier, {options.loss}"
    age = f"epoch {run.best.epoch}" if run.best else f"{len(run.step_losses)} updates"
    link = objective.probabilities
    figures = {
        "loss": plot_losses(
            run.step_losses,
            run.epoch_losses,
            run.best.epoch if run.best else None,
            math.ceil(len(train_part.x) / options.batch_size),
            title,
            objective.unit,
        ),
        "weights": plot_weights(
            model.weight.numpy(), np.ptp(train_part.x, axis=0) == 0, f"{title}: weights after {age}"
        ),
        "mistakes": plot_mistakes(
            test.x,
            test.digits,
            test_scores.argmax(axis=1),
            link(test_scores) if link else test_scores,
            objective.meaning,
            (0, 1) if link else None,
        ),
    }
    for name, figure in figures.items():
        path = options.out / f"{name}.png"
        figure.savefig(path, dpi=150)
        print(f"Written   {path}")


def main(argv: list[str]) -> int:
    """Train, evaluate and draw; the exit status."""
    options = read_options(argv)
    objective = OBJECTIVES[options.loss]
    parts = load_parts(objective, options.seed)
    train_part, validation, test = parts
    print(
        f"Images    {len(train_part.x)} to train, {len(validation.x)} to validate, "
        f"{len(test.x)} to test; 8x8 pixels"
    )
    rng = np.random.default_rng(options.seed)
    model = nn.Linear(64, 10, rng=rng)
    print(f"Model     10 scores = (10, 64) matrix @ 64 pixels + 10 biases; loss {options.loss}")
    print(f"Training  SGD, step size {options.lr:g}, batches of {options.batch_size}", flush=True)
    run = train(model, objective, train_part, validation, options, rng)
    if run.diverged:
        print(f"python -m demos digits: {run.end}", file=sys.stderr)
        if run.best is None:
            return 1  # there is nothing to report
    print(f"Ended     epochs {len(run.epoch_losses)}, updates {len(run.step_losses)}: {run.end}")
    if run.best:
        print(f"Best      epoch {run.best.epoch}, validation loss {run.best.loss:.4g}: kept")
    else:
        print("Best      none yet: no epoch was finished, so the current weights are used")
    scores = [scores_of(model, part) for part in parts]  # the only use of the test images
    rates = [
        np.mean(s.argmax(axis=1) == part.digits) for s, part in zip(scores, parts, strict=True)
    ]
    print(f"Accuracy  train {rates[0]:.4f}, validation {rates[1]:.4f}, test {rates[2]:.4f}")
    draw(run, model, parts, scores[2], options)
    return 0
