"""As PyTorch: outputs, losses, gradients, updates, schedules; files and memory that travel."""

import itertools

import numpy as np
import pytest

from tinygrad_edu import Tensor, load, losses, nn, optim, other_names, save

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(11, 8, 5))  # a first batch, and one for each of ten updates
LABELS = RNG.integers(0, 3, size=(11, 8))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small wait for threads longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Named(nn.Module):
    """A model with layers of its own names, one of them without a bias."""

    def __init__(self, rng):
        self.hidden = nn.Linear(5, 4, bias=False, rng=rng)
        self.head = nn.Sequential(nn.Linear(4, 3, rng=rng))

    def forward(self, x):
        return self.head(np.tanh(self.hidden(x)))


class TorchNamed(torch.nn.Module):
    """The same, written for PyTorch."""

    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(5, 4, bias=False)
        self.head = torch.nn.Sequential(torch.nn.Linear(4, 3))

    def forward(self, x):
        return self.head(torch.tanh(self.hidden(x)))


def linear(rng):
    return nn.Linear(5, 3, rng=rng), torch.nn.Linear(5, 3)


def perceptron(rng):
    ours = nn.Sequential(nn.Linear(5, 7, rng=rng), np.tanh, nn.Linear(7, 3, rng=rng))
    theirs = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3))
    return ours, theirs


def named(rng):
    return Named(rng), TorchNamed()


def to_torch(ours, theirs):
    state = ours.state_dict()
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})


def from_torch(ours, theirs):
    ours.load_state_dict({name: tensor.numpy() for name, tensor in theirs.state_dict().items()})


def file_to_torch(ours, theirs, path):
    files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    save(ours.state_dict(), path)
    theirs.load_state_dict(files.load_file(path))


def file_from_torch(ours, theirs, path):
    files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    files.save_file(theirs.state_dict(), path)
    ours.load_state_dict(load(path))


@pytest.fixture(params=[linear, perceptron, named])
def models(request):
    """A model here and the same one in PyTorch, both float64, with weights that differ."""
    torch.manual_seed(0)
    ours, theirs = request.param(np.random.default_rng(1))
    return ours, theirs.double()


def assert_same(ours, theirs, tolerance=1e-12):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def assert_same_weights(ours, theirs, tolerance=0.0):
    state = theirs.state_dict()
    assert ours.state_dict().keys() == state.keys()
    for name, array in ours.state_dict().items():
        assert_same(array, state[name].numpy(), tolerance)


def backward_of_both(ours, theirs, x, y):
    """The loss of both on a batch, its gradients left in the models."""
    here = losses.cross_entropy(ours(x), y)
    there = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
    ours.zero_grad(), theirs.zero_grad()
    here.backward(), there.backward()
    return here.item(), there.item()


# Losses.

F = torch.nn.functional
SCORES = RNG.normal(size=(6, 4)) * 3
CLASSES = np.array([0, 3, 1, 1, 2, 0])
SHARES = RNG.dirichlet(np.ones(4), 6)
PROBS = RNG.uniform(0.1, 0.9, (6, 4))
CLASS_WEIGHT = np.array([0.5, 2.0, 0.0, 1.5])
WITHOUT = np.array([0, -100, 1, -100, 2, 0])


def numbers(value):
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


LOSSES = [
    *[
        ("cross_entropy", SCORES, t, {"weight": weight, "label_smoothing": smoothing})
        for t in (CLASSES, SHARES, np.eye(4)[CLASSES])
        for weight, smoothing in itertools.product((None, CLASS_WEIGHT), (0.0, 0.1, 1.0))
    ],
    *[
        ("cross_entropy", SCORES, t, {"weight": weight, "label_smoothing": e, "ignore_index": i})
        for t, i in ((WITHOUT, -100), (CLASSES, 1), (CLASSES, -1))
        for weight, e in itertools.product((None, CLASS_WEIGHT), (0.0, 0.1))
    ],
    *[
        ("nll_loss", np.log(SHARES), CLASSES, {"weight": weight, "ignore_index": i})
        for weight, i in itertools.product((None, CLASS_WEIGHT), (0, 1, -100))
    ],
    *[
        (loss, x, t, {"pos_weight": pos_weight})
        for loss, x in [("binary_cross_entropy_with_logits", SCORES)]
        for t in (PROBS, np.round(PROBS))
        for pos_weight in (None, np.array(3.0), CLASS_WEIGHT, PROBS)
    ],
    ("binary_cross_entropy", PROBS, SHARES, {}),
    ("l1_loss", SCORES, PROBS, {}),
    ("l1_loss", PROBS, PROBS.round(0) * PROBS, {}),
    ("mse_loss", SCORES, PROBS, {}),
    *[("huber_loss", SCORES, PROBS, {"delta": delta}) for delta in (0.3, 1.0, 2.5)],
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "x", "t", "options"), LOSSES)
def test_losses_and_their_gradients_are_the_same(name, x, t, options, reduction):
    here, there = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ours = getattr(losses, name)(here, t, **options, reduction=reduction)
    theirs = getattr(F, name)(
        there, numbers(t), **{k: numbers(v) for k, v in options.items()}, reduction=reduction
    )
    assert_same(ours.data, theirs.detach().numpy(), 1e-12)
    cotangent = np.cos(np.arange(ours.size)).reshape(ours.shape)
    (ours * cotangent).sum().backward()
    (theirs * numbers(cotangent)).sum().backward()
    assert_same(here.grad, there.grad.numpy(), 1e-12)


NAMED = {  # what PyTorch calls it, and what it is given, by how the line here calls that
    "BCELoss": (torch.nn.BCELoss, "probs", PROBS, np.round(PROBS)),
    "BCEWithLogitsLoss": (torch.nn.BCEWithLogitsLoss, "logits", SCORES, PROBS),
    "CrossEntropyLoss": (torch.nn.CrossEntropyLoss, "logits", SCORES, CLASSES),
    "HuberLoss": (torch.nn.HuberLoss, "predictions", SCORES, PROBS),
    "L1Loss": (torch.nn.L1Loss, "predictions", SCORES, PROBS),
    "MSELoss": (torch.nn.MSELoss, "predictions", SCORES, PROBS),
    "NLLLoss": (torch.nn.NLLLoss, "log_probs", np.log(SHARES), CLASSES),
    "SmoothL1Loss": (torch.nn.SmoothL1Loss, "predictions", SCORES, PROBS),
    "SoftMarginLoss": (torch.nn.SoftMarginLoss, "scores", SCORES, 2 * np.round(PROBS) - 1),
}
NAMED |= {  # names of other libraries, and functions of PyTorch
    "bce": NAMED["BCELoss"],
    "bce_with_logits": NAMED["BCEWithLogitsLoss"],
    "log_loss": NAMED["SoftMarginLoss"],
    "mae": NAMED["L1Loss"],
    "mse": NAMED["MSELoss"],
    "nll": NAMED["NLLLoss"],
    "smooth_l1_loss": NAMED["SmoothL1Loss"],
    "soft_margin_loss": NAMED["SoftMarginLoss"],
    "softmax_cross_entropy": NAMED["CrossEntropyLoss"],
    "softmax_crossentropy": NAMED["CrossEntropyLoss"],
}


@pytest.mark.parametrize("name", NAMED)
def test_lines_for_the_names_of_losses_give_the_same(name):
    theirs, called, x, t = NAMED[name]
    with pytest.raises(AttributeError, match=rf"write losses\.\w+\({called}, targets") as refusal:
        getattr(losses, name)
    options = {"beta": 0.5} if "mooth" in name else {}
    ours = eval(
        str(refusal.value).partition("write ")[2],
        {"losses": losses, called: x, "targets": t, **options},
    )
    assert_same(ours, theirs(**options)(torch.tensor(x), torch.tensor(t)).item())


def test_every_name_of_a_loss_is_compared():
    assert NAMED.keys() | {"hinge_loss"} == other_names.LOSSES.keys()
    assert other_names.LOSSES["hinge_loss"] == "losses.hinge(scores, targets)"


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_where_pytorch_gives_nan_a_mean_is_refused(name):
    scores, labels = np.log(SHARES), np.full(6, -100)
    assert torch.isnan(getattr(F, name)(torch.tensor(scores), torch.tensor(labels)))
    with pytest.raises(ValueError, match="no example counts"):
        getattr(losses, name)(scores, labels, ignore_index=-100)


def test_weights_of_rows_of_terms_are_those_of_binary_cross_entropy_scaled():
    w = np.array([1.0, 2.0, 0.0, 3.0, 0.5, 1.5])
    theirs = F.binary_cross_entropy(
        torch.tensor(PROBS), torch.tensor(SHARES), torch.tensor(w[:, None]), reduction="sum"
    )
    ours = losses.binary_cross_entropy(PROBS, SHARES, sample_weight=w, reduction="sum")
    assert_same(ours, theirs.item())
    mean = losses.binary_cross_entropy(PROBS, SHARES, sample_weight=w)
    assert_same(mean, theirs.item() / (4 * w.sum()))


# States.


@pytest.mark.parametrize("move", [to_torch, from_torch])
def test_a_state_that_was_moved_gives_the_same_outputs_and_gradients(models, move):
    ours, theirs = models
    move(ours, theirs)
    assert_same_weights(ours, theirs)
    assert_same(ours(INPUTS[0]).data, theirs(torch.tensor(INPUTS[0])).detach().numpy())
    assert_same(*backward_of_both(ours, theirs, INPUTS[0], LABELS[0]))
    gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    assert [name for name, _ in ours.named_parameters()] == list(gradients)
    for name, parameter in ours.named_parameters():
        assert np.any(parameter.grad), name
        assert_same(parameter.grad, gradients[name])


def test_models_that_exchanged_a_state_share_no_memory(models):
    ours, theirs = models
    from_torch(ours, theirs)
    before = ours.state_dict()
    with torch.no_grad():
        for tensor in theirs.parameters():
            tensor.zero_()
    for array in ours.state_dict().values():
        torch.from_numpy(array).zero_()
    for name, array in ours.state_dict().items():
        assert np.any(array), name
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": momentum, "weight_decay": decay, "nesterov": nesterov}
        for momentum, decay, nesterov in itertools.product((0.0, 0.9), (0.0, 0.1), (False, True))
        if momentum or not nesterov
    ],
    ids=str,
)
@pytest.mark.parametrize("move", [to_torch, from_torch])
def test_ten_steps_of_sgd_are_the_same(models, move, options):
    ours, theirs = models
    move(ours, theirs)
    start = ours.state_dict()
    sgd = optim.SGD(ours.parameters(), lr=0.2, **options)
    torch_sgd = torch.optim.SGD(theirs.parameters(), lr=0.2, **options)
    for x, y in zip(INPUTS[1:], LABELS[1:], strict=True):
        assert_same(*backward_of_both(ours, theirs, x, y))
        sgd.step(), torch_sgd.step()
        assert_same_weights(ours, theirs, 1e-12)
    assert all(np.any(start[name] != array) for name, array in ours.state_dict().items())


STEPS_OF = {  # 50 steps, with each option at two values that matter
    "SGD": [
        {"lr": 0.1, "momentum": momentum, "weight_decay": decay, "nesterov": nesterov}
        for momentum, decay, nesterov in itertools.product((0.0, 0.9), (0.0, 0.1), (False, True))
        if momentum or not nesterov
    ],
    **{
        name: [
            {"lr": 0.03, "betas": betas, "eps": eps, "weight_decay": decay}
            for betas, eps, decay in itertools.product(
                ((0.9, 0.999), (0.5, 0.7), (0.0, 0.0)), (1e-8, 1e-2), (0.0, 0.1)
            )
        ]
        + [{}]
        for name in ("Adam", "AdamW")
    },
}


@pytest.mark.parametrize(
    ("name", "options"), [(name, each) for name, rows in STEPS_OF.items() for each in rows], ids=str
)
@pytest.mark.parametrize("grouped", [False, True])
def test_fifty_steps_of_an_optimizer_are_the_same(name, options, grouped):
    ours, theirs = named(np.random.default_rng(1))
    theirs = theirs.double()
    to_torch(ours, theirs)
    optimizers = []
    for module, model in ((optim, ours), (torch.optim, theirs)):
        params = list(model.parameters())
        if grouped:
            params = [{"params": params[:2]}, {"params": params[2:], "weight_decay": 0, "lr": 0.2}]
        optimizers.append(getattr(module, name)(params, **options))
    for step in range(50):
        if step == 25:
            optimizers[0].groups[0]["lr"] = optimizers[1].param_groups[0]["lr"] = 0.01
        backward_of_both(ours, theirs, INPUTS[step % 11], LABELS[step % 11])
        for optimizer in optimizers:
            optimizer.step()
        assert_same_weights(ours, theirs, 1e-11)


def test_gradients_that_come_and_go_are_the_same_to_adam():
    ours = [Tensor(RNG.normal(size=3), requires_grad=True) for _ in range(2)]
    theirs = [torch.tensor(p.numpy(), requires_grad=True) for p in ours]
    adam, torch_adam = optim.Adam(ours, lr=0.1), torch.optim.Adam(theirs, lr=0.1)
    for present in [(True, False), (True, True), (False, True), (True, True)]:
        for here, there, is_there in zip(ours, theirs, present, strict=True):
            here.grad = RNG.normal(size=3) if is_there else None
            there.grad = torch.tensor(here.grad) if is_there else None
        adam.step(), torch_adam.step()
        for here, there in zip(ours, theirs, strict=True):
            assert_same(here.data, there.detach().numpy())


SCHEDULES = {  # ours, and the scheduler of PyTorch for an optimizer of learning rate 0.5
    "step": (
        optim.schedules.step(0.5, every=7, factor=0.3),
        lambda o: torch.optim.lr_scheduler.StepLR(o, 7, gamma=0.3),
    ),
    "exponential": (
        optim.schedules.exponential(0.5, factor=0.9),
        lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.9),
    ),
    "cosine": (
        optim.schedules.cosine(0.5, steps=40, end=0.01),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=40, eta_min=0.01),
    ),
    "linear_warmup": (
        optim.schedules.linear_warmup(optim.schedules.constant(0.5), 10, start=0.2),
        lambda o: torch.optim.lr_scheduler.LinearLR(o, start_factor=0.2, total_iters=10),
    ),
    **{
        f"one_cycle, {rise}": (
            optim.schedules.one_cycle(0.5, steps=41, rise=rise),
            lambda o, rise=rise: torch.optim.lr_scheduler.OneCycleLR(
                o, max_lr=0.5, total_steps=41, pct_start=rise
            ),
        )
        for rise in (0.3, 0.01, 0.8)
    },
    "one_cycle, other ends": (
        optim.schedules.one_cycle(0.5, steps=41, start=1 / 10, end=1 / 50),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o, max_lr=0.5, total_steps=41, div_factor=10, final_div_factor=5
        ),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_the_same(name):
    schedule, make = SCHEDULES[name]
    optimizer = torch.optim.SGD([torch.ones(1)], lr=0.5, momentum=0.9)
    scheduler = make(optimizer)
    for t in range(41):
        assert schedule(t) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-11)
        optimizer.step()
        if t < 40:
            scheduler.step()


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 1e-7, 7.0 + 5e-7, 100.0, np.inf])
def test_gradients_are_shortened_the_same(max_norm):
    ours = [Tensor(np.zeros(n), requires_grad=True) for n in (2, 1, 3)]
    theirs = [torch.zeros(n, dtype=float, requires_grad=True) for n in (2, 1, 3)]
    for here, there, g in zip(ours, theirs, ([2.0, 3.0], [6.0], None), strict=True):
        here.grad = g
        there.grad = None if g is None else torch.tensor(g, dtype=float)
    norm = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    assert_same(optim.clip_grad_norm(ours, max_norm), norm.item(), 1e-14)
    for here, there in zip(ours[:2], theirs[:2], strict=True):
        assert_same(here.grad, there.grad.numpy(), 1e-14)


def test_nesterov_without_momentum_is_refused_by_both(models):
    ours, theirs = models
    for sgd, parameters in (optim.SGD, ours.parameters()), (torch.optim.SGD, theirs.parameters()):
        with pytest.raises(ValueError, match=r"(?i)nesterov.*momentum"):
            sgd(parameters, lr=0.1, nesterov=True)


@pytest.mark.parametrize(("dtype", "name"), [(np.float32, "float32"), (np.float64, "float64")])
def test_a_round_trip_keeps_every_bit(dtype, name):
    first, second = (nn.Linear(5, 3, rng=seed, dtype=dtype) for seed in (0, 1))
    theirs = torch.nn.Linear(5, 3, dtype=getattr(torch, name))
    to_torch(first, theirs)
    from_torch(second, theirs)
    for array, parameter in zip(first.state_dict().values(), second.parameters(), strict=True):
        assert parameter.dtype == dtype
        np.testing.assert_array_equal(array, parameter.data)


def test_names_that_differ_are_told_and_nothing_changes():
    ours, theirs = nn.Linear(5, 3, rng=0), torch.nn.Sequential(torch.nn.Linear(5, 3).double())
    before = ours.state_dict()
    with pytest.raises(KeyError, match=r"missing: weight, bias; unknown: 0\.weight, 0\.bias"):
        from_torch(ours, theirs)
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


# Files.


@pytest.mark.parametrize("move", [file_to_torch, file_from_torch])
def test_files_travel(models, move, tmp_path):
    ours, theirs = models
    move(ours, theirs, tmp_path / "model.safetensors")
    assert_same_weights(ours, theirs)
    assert_same(*backward_of_both(ours, theirs, INPUTS[0], LABELS[0]))


@pytest.mark.parametrize(
    "name", ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]
)
@pytest.mark.parametrize("shape", [(), (0, 2), (3, 2)], ids=str)
def test_files_keep_dtype_shape_and_numbers(name, shape, tmp_path):
    files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    array = np.random.default_rng(0).integers(0, 2, shape).astype(name)
    save({"a": array}, tmp_path / "ours")
    tensor = files.load_file(tmp_path / "ours")["a"]
    assert (tensor.dtype, tuple(tensor.shape)) == (getattr(torch, name), shape)
    files.save_file({"a": tensor}, tmp_path / "theirs")
    back = load(tmp_path / "theirs")["a"]
    assert (back.dtype, back.shape) == (array.dtype, shape)
    np.testing.assert_array_equal(back, array)


# Tensors.

TAKE = [torch.from_dlpack, torch.tensor, torch.as_tensor, torch.asarray]


@pytest.mark.parametrize("take", TAKE, ids=lambda take: take.__name__)
@pytest.mark.parametrize(
    "make",
    [
        lambda: Tensor([0.5, 1.5], requires_grad=True).detach(),
        lambda: Tensor(2.0, requires_grad=True).detach(),
        lambda: Tensor(2.0) * 3,
        lambda: Tensor(np.zeros((0, 3))),
        lambda: Tensor(np.arange(6.0).reshape(2, 3).T),
        lambda: Tensor(np.arange(6.0)[::-2]),  # PyTorch knows no negative strides
        *[
            lambda dtype=dtype: Tensor([0, 1], dtype=dtype)
            for dtype in (np.float16, np.float32, np.int64, np.uint8, np.bool_)
        ],
    ],
)
def test_tensors_become_those_of_pytorch(take, make):
    t = make()
    taken = take(t)
    assert isinstance(taken, torch.Tensor)
    assert not taken.requires_grad
    assert (taken.numpy().dtype, tuple(taken.shape)) == (t.dtype, t.shape)
    np.testing.assert_array_equal(taken.numpy(), t.data)


@pytest.mark.parametrize("take", TAKE, ids=lambda take: take.__name__)
def test_what_pytorch_writes_reaches_no_graph(take):
    w, x = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0])
    y = (w * x).sum()
    take(x).zero_()
    y.backward()
    assert w.grad.tolist() == [3.0, 4.0]


def test_memory_is_shared_through_data():
    t = Tensor([1.0, 2.0])
    with pytest.raises(BufferError, match=r"share the array itself, write .*t\.data\)"):
        torch.from_dlpack(t, copy=False)
    torch.from_dlpack(t.data)[0] = 9.0
    assert t.data.tolist() == [9.0, 2.0]


@pytest.mark.parametrize("take", TAKE, ids=lambda take: take.__name__)
def test_a_tensor_that_requires_a_gradient_is_refused(take):
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    for cut in w, w * 2:
        with pytest.raises(BufferError, match=r"requires a gradient.*pass t\.detach\(\)"):
            take(cut)


def test_numbers_of_pytorch_become_a_tensor_by_a_copy():
    theirs = torch.tensor([1.0, 2.0])
    t = Tensor(theirs.numpy(), requires_grad=True)
    theirs.zero_()
    assert t.dtype == np.float32
    assert t.data.tolist() == [1.0, 2.0]
    (t * torch.tensor([3.0, 4.0])).sum().backward()
    assert t.grad.tolist() == [3.0, 4.0]
