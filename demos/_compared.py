"""Writes ``pages/compared.md``: what PyTorch and scikit-learn have, and what to write for it here.

The lines for names that the package itself answers are its own; tests run every line, and ask
PyTorch and scikit-learn for their names. To write the page: ``python -m demos._compared``.
"""

from pathlib import Path

from tinygrad_edu import losses, nn, optim, other_names
from tinygrad_edu.optim import schedules

PAGE = Path(__file__).parent / "pages" / "compared.md"

LOSSES = {  # besides those in other_names
    "GaussianNLLLoss": "(0.5 * (np.log(var) + (predictions - targets) ** 2 / var)).mean()",
    "KLDivLoss": "losses.kl_divergence(probs, np.exp(log_probs))",
    "MarginRankingLoss": "losses.hinge(first - second, signs, margin=margin)",
    "MultiLabelSoftMarginLoss": "losses.binary_cross_entropy_with_logits(logits, targets)",
    "MultiMarginLoss": "losses.multiclass_hinge(logits, labels) / logits.shape[1]",
    "PoissonNLLLoss": "(np.exp(predictions) - targets * predictions).mean()",
    **dict.fromkeys(
        [
            "AdaptiveLogSoftmaxWithLoss",
            "CTCLoss",
            "CosineEmbeddingLoss",
            "HingeEmbeddingLoss",
            "LinearCrossEntropyLoss",
            "MultiLabelMarginLoss",
            "TripletMarginLoss",
            "TripletMarginWithDistanceLoss",
        ],
        "",
    ),
}
OPTIMIZERS = dict.fromkeys(
    [
        "ASGD",
        "Adadelta",
        "Adafactor",
        "Adagrad",
        "Adamax",
        "LBFGS",
        "Muon",
        "NAdam",
        "RAdam",
        "RMSprop",
        "Rprop",
        "SparseAdam",
    ],
    "",
)
SCHEDULES = {
    "CosineAnnealingWarmRestarts": "lambda t: schedules.cosine(lr, steps, end=eta_min)(t % steps)",
    "LambdaLR": "lambda t: lr * f(t)",
    "MultiStepLR": "lambda t: lr * gamma ** sum(t >= m for m in milestones)",
    "PolynomialLR": "lambda t: lr * (1 - min(t / steps, 1)) ** power",
    **dict.fromkeys(
        [
            "ChainedScheduler",
            "ConstantLR",
            "CyclicLR",
            "MultiplicativeLR",
            "ReduceLROnPlateau",
            "SequentialLR",
        ],
        "",
    ),
}
CLASSIFIER_LOSSES = {
    "hinge": 'loss="hinge"',
    "log_loss": 'loss="logistic"',
    "squared_error": 'loss="mse_loss"',
    **dict.fromkeys(
        [
            "epsilon_insensitive",
            "huber",
            "modified_huber",
            "perceptron",
            "squared_epsilon_insensitive",
            "squared_hinge",
        ],
        "",
    ),
}
PARAMETERS = {  # of SGDClassifier, that LinearClassifier does not have
    "average": "",
    "epsilon": "",
    "eta0": "learning_rate=0.1",
    "fit_intercept": "",
    "l1_ratio": "",
    "n_jobs": "",
    "penalty": "alpha=0.001",
    "power_t": "learning_rate=lambda t: 0.1 / (1 + t) ** 0.5",
    "verbose": "callback=lambda model: print(model.loss_curve_[-1])",
    "warm_start": "",
}
NOT_HERE = "not here"


def losses_of_pytorch() -> dict[str, str]:
    """What to write for each loss of torch.nn."""
    own = {name: line for name, line in other_names.NN.items() if name.endswith("Loss")}
    return dict(sorted({**own, **LOSSES}.items()))


def layers_of_pytorch() -> dict[str, str]:
    """What to write for each module of torch.nn that is here, or can be said in a line."""
    same = {name: f"nn.{name}" for name in nn.__all__}
    own = (
        "Dropout",
        "Flatten",
        "Identity",
        "LogSoftmax",
        "ModuleDict",
        "ModuleList",
        "ReLU",
        "Sigmoid",
        "Softmax",
        "Softplus",
        "Tanh",
    )
    return dict(sorted({**same, **{name: other_names.NN[name] for name in own}}.items()))


def optimizers_of_pytorch() -> dict[str, str]:
    """What to write for each optimizer of torch.optim."""
    same = {name: f"optim.{name}" for name in optim.__all__ if name[0].isupper()}
    return dict(sorted({**same, **OPTIMIZERS}.items()))


def schedules_of_pytorch() -> dict[str, str]:
    """What to write for each schedule of torch.optim.lr_scheduler."""
    return dict(sorted({**other_names.SCHEDULES, **SCHEDULES}.items()))


def table(first: str, rows: dict[str, str]) -> str:
    """A table in Markdown."""
    lines = [f"| {first} | here |", "|---|---|"]
    lines += [f"| `{name}` | {f'`{line}`' if line else NOT_HERE} |" for name, line in rows.items()]
    return "\n".join(lines)


def page() -> str:
    """The page in Markdown."""
    names = ", ".join(f"`{name}`" for name in losses.__all__)
    made = ", ".join(f"`{name}`" for name in schedules.__all__)
    return f"""\
# Beside PyTorch and scikit-learn

What stands there, and what to write for it here. This page is written by a program, and a test
fails where it is out of date, where a line does not run, or where a line gives other numbers than
PyTorch. "{NOT_HERE}" means that there is nothing like it: take the other library for that. The
functions of arrays that have derivatives are listed by `python -m tinygrad_edu.numpy_table`.

## Losses

There are {names}.

{table("torch.nn", losses_of_pytorch())}

## Models

Of the modules of torch.nn there are these; all others are not here.

{table("torch.nn", layers_of_pytorch())}

## Optimizers

{table("torch.optim", optimizers_of_pytorch())}

## Schedules

A schedule is a function of the step, `optimizer.lr = schedule(t)`. There are {made}.

{table("torch.optim.lr_scheduler", schedules_of_pytorch())}

## LinearClassifier beside SGDClassifier

Its methods and attributes are those of SGDClassifier, but `densify` and `sparsify`. So are its
parameters, but for these:

{table("SGDClassifier", PARAMETERS)}

{table("loss of SGDClassifier", CLASSIFIER_LOSSES)}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
