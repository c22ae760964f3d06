"""The tables beside PyTorch and scikit-learn: complete, up to date, and right."""

import inspect

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from demos import _compared
from tinygrad_edu import Tensor, functional, losses, nn, optim, other_names
from tinygrad_edu.classifier import LinearClassifier
from tinygrad_edu.optim import schedules

rng = np.random.default_rng(0)
LOGITS, LABELS = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
SHARES = rng.random((5, 3))
PROBS = SHARES / SHARES.sum(axis=1, keepdims=True)
LOG_PROBS = np.log(np.roll(PROBS, 1, axis=0))
SIGNS = np.array([1, -1, 1, 1, -1])


def test_the_page_is_up_to_date():
    written = _compared.PAGE.read_text("utf-8")
    assert written == _compared.page(), "python -m demos._compared writes it anew"


# Each table has all names of the other library, and no other.


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def classes(module, base):
    """The public classes of a module that come from another one."""
    return {
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and name[0] != "_" and value != base
    }


def test_every_name_of_pytorch_is_in_a_table(torch):
    modules = classes(torch.nn, torch.nn.Module)
    named_losses = {name for name in modules if name.endswith("Loss")}
    assert named_losses == _compared.losses_of_pytorch().keys()
    assert {*_compared.layers_of_pytorch()} <= modules | {"Module"}
    answered = {name for name in modules - named_losses if name in other_names.NN}
    assert answered <= {*_compared.layers_of_pytorch()}
    optimizers = classes(torch.optim, torch.optim.Optimizer)
    assert optimizers == _compared.optimizers_of_pytorch().keys()
    scheduler = torch.optim.lr_scheduler
    assert classes(scheduler, scheduler.LRScheduler) == _compared.schedules_of_pytorch().keys()


def test_every_parameter_of_sgdclassifier_is_ours_or_in_the_table():
    theirs, ours = (
        inspect.signature(each).parameters for each in (SGDClassifier, LinearClassifier)
    )
    assert theirs.keys() - ours.keys() == _compared.PARAMETERS.keys()
    assert SGDClassifier.loss_functions.keys() == _compared.CLASSIFIER_LOSSES.keys()


def test_every_method_of_sgdclassifier_is_ours():
    def public(kind):
        return {name for name in dir(kind) if name[0] != "_" and not name.startswith("set_")}

    missing = public(SGDClassifier) - public(LinearClassifier)
    assert missing == {"densify", "sparsify", "loss_functions"}


# Each line runs, and gives what PyTorch gives.

CALLS = {  # of the losses that have a line on this page alone: what PyTorch is given
    "GaussianNLLLoss": (LOGITS, SHARES, PROBS),
    "KLDivLoss": (LOG_PROBS, PROBS),
    "MarginRankingLoss": (LOGITS[:, 0], LOGITS[:, 1], SIGNS),
    "MultiLabelSoftMarginLoss": (LOGITS, SHARES),
    "MultiMarginLoss": (LOGITS, LABELS),
    "PoissonNLLLoss": (LOGITS, SHARES),
}
OPTIONS = {"KLDivLoss": {"reduction": "batchmean"}, "MarginRankingLoss": {"margin": 0.5}}
NAMES = {
    "np": np,
    "losses": losses,
    "var": PROBS,
    "targets": SHARES,
    "labels": LABELS,
    "probs": PROBS,
    "second": LOGITS[:, 1],
    "signs": SIGNS,
    "margin": 0.5,
}


def test_every_loss_with_a_line_has_a_test():
    assert CALLS.keys() == {name for name, line in _compared.LOSSES.items() if line}


@pytest.mark.parametrize("name", CALLS)
def test_the_line_for_a_loss_gives_its_value_and_its_gradient(torch, name):
    first, *others = CALLS[name]
    ours = Tensor(first, requires_grad=True)
    given = dict.fromkeys(("predictions", "logits", "log_probs", "first"), ours)
    found = eval(_compared.LOSSES[name], NAMES | given)
    found.backward()
    theirs = torch.tensor(first, requires_grad=True)
    loss = getattr(torch.nn, name)(**OPTIONS.get(name, {}))
    expected = loss(theirs, *map(torch.tensor, others))
    expected.backward()
    np.testing.assert_allclose(found.item(), expected.item(), rtol=1e-12)
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-10, atol=1e-15)


SCHEDULERS = {
    "CosineAnnealingWarmRestarts": {"T_0": 7, "eta_min": 0.01},
    "LambdaLR": {"lr_lambda": lambda t: 1 / (1 + t)},
    "MultiStepLR": {"milestones": [3, 8], "gamma": 0.5},
    "PolynomialLR": {"total_iters": 7, "power": 2.0},
}


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")
def test_the_line_for_a_schedule_gives_its_rates(torch, name):
    names = {"schedules": schedules, "lr": 0.5, "steps": 7, "eta_min": 0.01, "power": 2.0}
    names |= {"f": lambda t: 1 / (1 + t), "milestones": [3, 8], "gamma": 0.5}
    schedule = eval(_compared.SCHEDULES[name], names)
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    theirs = getattr(torch.optim.lr_scheduler, name)(sgd, **SCHEDULERS[name])
    for t in range(15):
        assert schedule(t) == pytest.approx(sgd.param_groups[0]["lr"], rel=1e-9, abs=1e-12)
        theirs.step()


def test_every_schedule_with_a_line_has_a_test():
    assert SCHEDULERS.keys() == {name for name, line in _compared.SCHEDULES.items() if line}


def test_what_has_the_same_name_is_there():
    here = {"nn": nn, "optim": optim, "functional": functional, "np": np}
    for line in (
        *_compared.layers_of_pytorch().values(),
        *_compared.optimizers_of_pytorch().values(),
    ):
        exec(line.replace("self.layers", "layers"), dict(here))


@pytest.mark.parametrize(
    "line", [*_compared.PARAMETERS.values(), *_compared.CLASSIFIER_LOSSES.values()]
)
def test_the_line_for_a_setting_trains(line):
    settings = eval(f"dict({line})")
    model = LinearClassifier(**{"max_iter": 2, "tol": None, "random_state": 0} | settings)
    assert model.fit(LOGITS, LABELS).n_iter_ == 2
