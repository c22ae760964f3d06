"""Optimizers and schedules do what their formulas say, and refuse what they cannot do."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu import Tensor, load, losses, nn, optim, save
from tinygrad_edu.optim import SGD, Adam, AdamW, clip_grad_norm, schedules

RNG = np.random.default_rng(0)


def parameter(*shape, dtype=np.float64):
    return Tensor(RNG.normal(size=shape), requires_grad=True, dtype=dtype)


def descend(p, gradients, lrs, momentum, weight_decay, nesterov):
    """The formula of torch.optim.SGD, written out."""
    velocity = None
    for g, lr in zip(gradients, lrs, strict=True):
        d = g + weight_decay * p
        if momentum:
            velocity = d if velocity is None else momentum * velocity + d
            d = d + momentum * velocity if nesterov else velocity
        p = p - lr * d
    return p


@pytest.mark.parametrize(
    ("momentum", "weight_decay", "nesterov"),
    [
        row
        for row in itertools.product([0.0, 0.5, 0.9], [0.0, 0.01, 0.3], [False, True])
        if row[0] or not row[2]
    ],
)
def test_five_steps_follow_the_formula(momentum, weight_decay, nesterov):
    p, q = parameter(2, 3), parameter()
    starts = p.numpy(), q.numpy()
    gradients = [(RNG.normal(size=(2, 3)), RNG.normal()) for _ in range(5)]
    lrs = [0.1, 0.1, 0.05, 0.2, 0.01]
    sgd = SGD([p, q], 0.1, momentum, weight_decay, nesterov)
    for (g, h), lr in zip(gradients, lrs, strict=True):
        sgd.lr = lr
        sgd.zero_grad()
        ((p * g).sum() + q * h).backward()
        sgd.step()
    rule = momentum, weight_decay, nesterov
    for t, start, gs in zip([p, q], starts, zip(*gradients, strict=True), strict=True):
        np.testing.assert_allclose(t.data, descend(start, gs, lrs, *rule), rtol=1e-13)


def test_plain_step():
    w = Tensor([1.0, -2.0], requires_grad=True)
    (w * w).sum().backward()
    SGD([w], lr=0.25).step()
    assert w.data.tolist() == [0.5, -1.0]
    assert w.grad.tolist() == [2.0, -4.0]


def test_step_leaves_the_gradients_and_results_of_before_alone():
    w = Tensor([1.0], requires_grad=True)
    data, result = w.data, w * 2
    w.grad = gradient = np.array([3.0])
    sgd = SGD([w], lr=0.1, momentum=0.9, weight_decay=0.1)
    sgd.step()
    sgd.step()
    assert (data.tolist(), gradient.tolist(), result.data.tolist()) == ([1.0], [3.0], [2.0])


def test_float32_stays_float32():
    w = parameter(3, dtype=np.float32)
    sgd = SGD([w], np.float64(0.1), np.float64(0.9), np.float64(0.1), nesterov=True)
    for _ in range(3):
        sgd.zero_grad()
        (w * w).sum().backward()
        sgd.step()
        assert w.dtype == w.grad.dtype == np.float32


def test_parameter_without_gradient_stays_and_starts_its_momentum_later():
    used, late = parameter(2), parameter(2)
    start = late.numpy()
    sgd = SGD([used, late], lr=0.1, momentum=0.9, weight_decay=0.5)
    used.sum().backward()
    sgd.step()
    np.testing.assert_array_equal(late.data, start)
    late.sum().backward()
    sgd.step()
    np.testing.assert_allclose(late.data, start - 0.1 * (1 + 0.5 * start), rtol=1e-13)


def test_zero_grad_forgets_all_gradients():
    used, unused = parameter(2), parameter(2)
    sgd = SGD([used, unused], lr=0.1)
    used.sum().backward()
    sgd.zero_grad()
    assert used.grad is None
    assert unused.grad is None


def test_step_before_backward_is_refused():
    w = parameter(2)
    start = w.numpy()
    sgd = SGD([w], lr=0.1, momentum=0.9, weight_decay=0.1)
    with pytest.raises(RuntimeError, match=r"call loss\.backward\(\) before step"):
        sgd.step()
    w.sum().backward()
    sgd.zero_grad()
    with pytest.raises(RuntimeError, match=r"call loss\.backward\(\) before step"):
        sgd.step()
    np.testing.assert_array_equal(w.data, start)


def test_generator_of_parameters_is_read_once():
    model = nn.Linear(2, 1, rng=0)
    sgd = SGD((p for _, p in model.named_parameters()), lr=0.1)
    before = model.state_dict()
    for _ in range(2):
        sgd.zero_grad()
        model(np.ones((1, 2))).sum().backward()
        sgd.step()
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(value, before[name] - 0.2, atol=1e-14)


@pytest.mark.parametrize(
    "options", [{}, {"momentum": 0.8}, {"momentum": 0.8, "nesterov": True}], ids=str
)
def test_minimum_of_a_quadratic_is_found(options):
    target = np.array([3.0, -1.0])
    w = Tensor([0.0, 0.0], requires_grad=True)
    sgd = SGD([w], lr=0.05, **options)
    for _ in range(200):
        sgd.zero_grad()
        (np.array([1.0, 4.0]) * (w - target) ** 2).sum().backward()
        sgd.step()
    np.testing.assert_allclose(w.data, target, atol=1e-8)


# Refusals.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *[({"lr": lr}, "lr, the step size") for lr in [-0.1, np.nan, np.inf, "0.1", None, [0.1]]],
        *[({"lr": lr}, "lr, the step size") for lr in [True, np.array([[0.1], [0.2]])]],
        *[({"momentum": m}, "momentum is a number in") for m in [1, 1.5, -0.1, np.nan]],
        *[({"weight_decay": d}, "weight_decay is a finite") for d in [-1, np.inf, np.nan]],
        ({"nesterov": True}, "looks ahead along"),
    ],
    ids=str,
)
def test_numbers_out_of_range_are_refused_in_the_call_and_later(options, message):
    with pytest.raises(ValueError, match=message):
        SGD([parameter(2)], **{"lr": 0.1, **options})
    sgd = SGD([parameter(2)], lr=0.1, momentum=0.5, weight_decay=0.2)
    for name in options.keys() - {"nesterov"}:
        with pytest.raises(ValueError, match=message):
            setattr(sgd, name, options[name])
    assert (sgd.lr, sgd.momentum, sgd.weight_decay) == (0.1, 0.5, 0.2)


def test_settings_may_be_changed_between_steps():
    w = parameter(1)
    sgd, before = SGD([w], lr=0.0), w.numpy()
    for lr, moved in [(0, 0), (0.5, -0.5), (np.array(0.25), -0.25), (np.float32(2), -2)]:
        sgd.lr = lr
        assert type(sgd.lr) in (int, float)
        w.grad, w.data = np.ones(1), before
        sgd.step()
        np.testing.assert_array_equal(w.data, before + moved)


def test_no_parameters_are_refused():
    for empty in [], iter([]), nn.Module().parameters():
        with pytest.raises(ValueError, match=r"no parameters.*model\.parameters\(\)"):
            SGD(empty, lr=0.1)


def test_same_parameter_twice_is_refused():
    w, v = parameter(2), parameter(2)
    with pytest.raises(ValueError, match="one parameter twice"):
        SGD([w, v, w], lr=0.1)


@pytest.mark.parametrize(
    "wrong", [Tensor([1.0]), Tensor([1]), parameter(2) * 2, np.ones(2), 1.0, "weight"], ids=repr
)
def test_what_cannot_be_learned_is_refused(wrong):
    message = r"leaf Tensors that require a gradient.*at position 1, .*make it with"
    for make in (lambda params: SGD(params, lr=0.1), Adam, lambda p: SGD([{"params": p}], 0.1)):
        with pytest.raises(TypeError, match=message):
            make([parameter(2), wrong])


def test_what_cannot_be_learned_is_told_by_name_or_shape():
    with pytest.raises(TypeError, match="position 0, the tensor 'w'"):
        SGD([Tensor([1.0], name="w")], lr=0.1)
    with pytest.raises(TypeError, match=r"position 1, the tensor of shape \(3, 2\)"):
        SGD([parameter(2), Tensor(np.ones((3, 2)))], lr=0.1)


@pytest.mark.parametrize("params", [parameter(2), parameter(), nn.Linear(1, 1)], ids=repr)
def test_one_tensor_or_a_model_in_place_of_a_list_is_refused(params):
    with pytest.raises(TypeError, match=r"SGD.*(list|\[w\]|parameters\(\))"):
        SGD(params, lr=0.1)


# Adam.


def adam_steps(p, gradients, lr, betas, eps, weight_decay, decoupled):
    """The formula of Kingma and Ba, with means that are sums over all gradients so far."""
    found = []
    for t, g in enumerate(gradients, start=1):
        if decoupled:
            p = p - lr * weight_decay * p
        found.append(g if decoupled else g + weight_decay * p)
        means = []
        for beta, power in zip(betas, (1, 2), strict=True):
            shares = beta ** np.arange(t - 1, -1, -1.0)
            terms = [share * d**power for share, d in zip(shares, found, strict=True)]
            means.append(sum(terms) / shares.sum())
        p = p - lr * means[0] / (np.sqrt(means[1]) + eps)
    return p


@pytest.mark.parametrize("kind", [Adam, AdamW])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.8), (0.0, 0.0)])
@pytest.mark.parametrize(("eps", "weight_decay"), [(1e-8, 0.0), (1e-3, 0.1), (0.5, 0.3)])
def test_five_steps_of_adam_follow_the_formula(kind, betas, eps, weight_decay):
    p, q = parameter(2, 3), parameter()
    starts = p.numpy(), q.numpy()
    gradients = [(RNG.normal(size=(2, 3)), RNG.normal()) for _ in range(5)]
    rule = {"lr": 0.1, "betas": betas, "eps": eps, "weight_decay": weight_decay}
    adam = kind([p, q], **rule)
    for g, h in gradients:
        adam.zero_grad()
        ((p * g).sum() + q * h).backward()
        adam.step()
    for t, start, gs in zip([p, q], starts, zip(*gradients, strict=True), strict=True):
        expected = adam_steps(start, gs, **rule, decoupled=kind is AdamW)
        np.testing.assert_allclose(t.data, expected, rtol=1e-12)


@given(st.floats(1e-3, 1e3), st.floats(1e-4, 10), st.sampled_from([-1, 1]))
def test_first_step_of_adam_is_the_learning_rate_however_steep(steepness, lr, sign):
    w = Tensor([1.0], requires_grad=True)
    (sign * steepness * w).sum().backward()
    Adam([w], lr=lr, eps=1e-20).step()
    np.testing.assert_allclose(w.data, 1.0 - sign * lr, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [Adam, AdamW])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_adam_keeps_the_dtype_and_small_numbers(kind, dtype):
    w = Tensor([1.0, 1.0, 1.0], requires_grad=True, dtype=dtype)
    for _ in range(3):
        w.grad = np.array([0.0, 1e-4, 1.0])
        adam = kind([w], lr=np.float64(0.125), weight_decay=0.0)
        adam.step()
        assert w.dtype == dtype
    np.testing.assert_allclose(w.data, [1.0, 0.625, 0.625], rtol=1e-3)  # not nan, nor inf


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_adam_leaves_the_gradients_and_results_of_before_alone(kind):
    w = Tensor([1.0], requires_grad=True)
    data, result = w.data, w * 2
    w.grad = gradient = np.array([3.0])
    adam = kind([w], weight_decay=0.1)
    adam.step()
    before = adam.state_dict()
    copies = copy.deepcopy(before)
    adam.step()
    assert (data.tolist(), gradient.tolist(), result.data.tolist()) == ([1.0], [3.0], [2.0])
    np.testing.assert_equal(before, copies)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *[({"betas": b}, "betas are two numbers") for b in [0.9, (0.9,), (0.9, 1), (-0.1, 0.9)]],
        *[({"betas": b}, "betas are two numbers") for b in [None, (0.9, np.nan), ("0", 0.9)]],
        *[({"eps": e}, "eps is a finite number above 0") for e in [0, -1, np.nan, np.inf, True]],
        ({"lr": -1}, "lr, the step size"),
        ({"weight_decay": -1}, "weight_decay is a finite"),
    ],
    ids=str,
)
def test_settings_of_adam_are_refused_in_the_call_and_later(options, message):
    adam = AdamW([parameter(2)])
    before = dict(adam.groups[0])
    for use in (
        lambda: Adam([parameter(2)], **options),
        lambda: Adam([{"params": [parameter(2)], **options}]),
        lambda: [setattr(adam, name, value) for name, value in options.items()],
        lambda: [adam.groups[0].__setitem__(name, value) for name, value in options.items()],
    ):
        with pytest.raises(ValueError, match=message):
            use()
    assert dict(adam.groups[0]) == before


# Groups.


def test_groups_have_settings_of_their_own():
    w, b, c = parameter(2, 3), parameter(3), parameter()
    starts = [p.numpy() for p in (w, b, c)]
    groups = [{"params": [w]}, {"params": (b, c), "weight_decay": 0, "lr": 0.5}]
    sgd = SGD(groups, lr=0.1, weight_decay=0.2)
    assert [group["lr"] for group in sgd.groups] == [0.1, 0.5]
    assert sgd.params == (w, b, c)
    for p in sgd.params:
        p.grad = np.ones(p.shape)
    sgd.step()
    for p, start, (lr, decay) in zip(
        sgd.params, starts, [(0.1, 0.2), (0.5, 0), (0.5, 0)], strict=True
    ):
        np.testing.assert_allclose(p.data, start - lr * (1 + decay * start), rtol=1e-14)


def test_a_setting_of_the_optimizer_is_that_of_all_groups():
    adam = Adam([{"params": [parameter(2)]}, {"params": [parameter(3)], "lr": 0.5}], lr=0.1)
    with pytest.raises(ValueError, match=r"differ in lr.*optimizer\.groups\[0\]\['lr'\]"):
        print(adam.lr)
    adam.lr = np.float32(0.25)
    assert (adam.lr, [group["lr"] for group in adam.groups]) == (0.25, [0.25, 0.25])
    adam.groups[1]["lr"] = 0
    assert [group["lr"] for group in adam.groups] == [0.25, 0]
    with pytest.raises(ValueError, match="lr, the step size"):
        adam.groups[0]["lr"] = -1
    assert adam.groups[0]["lr"] == 0.25
    adam.betas = np.float32([0.5, 0.25])
    assert adam.groups[0]["betas"] == (0.5, 0.25)
    assert list(adam.groups[0]) == ["params", "lr", "betas", "eps", "weight_decay"]
    assert len(adam.groups[0]) == 5


def test_an_optimizer_shows_its_settings():
    assert repr(SGD([parameter(2)], np.float64(0.1))) == (
        "SGD({1 parameters, lr=0.1, momentum=0.0, weight_decay=0.0, nesterov=False})"
    )


def test_a_setting_that_one_group_refuses_is_set_in_none():
    first = {"params": [parameter(2)], "momentum": 0.5}
    sgd = SGD([first, {"params": [parameter(3)]}], lr=0.1)
    with pytest.raises(ValueError, match="looks ahead along"):
        sgd.nesterov = True
    assert [group["nesterov"] for group in sgd.groups] == [False, False]
    sgd.groups[0]["nesterov"] = True
    with pytest.raises(ValueError, match="nesterov is True or False"):
        sgd.groups[0]["nesterov"] = 1
    with pytest.raises(ValueError, match="looks ahead along"):
        SGD([{"params": [parameter(3)], "momentum": 0}], 0.1, 0.9, nesterov=True)


def test_momentum_may_begin_later_and_end():
    w = parameter(1)
    sgd = SGD([w], lr=1.0)
    for momentum, moved in [(0, 1), (0.5, 1), (0.5, 1.5), (0, 1), (0.5, 1.75)]:
        sgd.momentum, before = momentum, w.numpy()
        w.grad = np.ones(1)
        sgd.step()
        np.testing.assert_allclose(before - w.data, moved, rtol=1e-12)


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda w: SGD([{"param": [w]}], 0.1), TypeError, "no 'param': there are params, lr"),
        (lambda w: SGD([{"lr": 0.1}], 0.1), TypeError, r"in a list, as in \[w, b\].*None"),
        (lambda w: SGD([{"params": w}], 0.1), TypeError, r"in a list, as in \[w, b\]"),
        (lambda w: SGD({"params": [w]}, 0.1), TypeError, r"of groups of them, \[\{'params'"),
        (lambda w: SGD([{"params": [w]}, w], 0.1), TypeError, "position 0"),
        (lambda w: SGD([{"params": [w]}, {"params": [w]}], 0.1), ValueError, "one parameter twice"),
        (lambda w: SGD([{"params": []}], 0.1), ValueError, "no parameters"),
        (lambda w: SGD({w}, 0.1), TypeError, "a list of parameters"),
        (lambda w: Adam(nn.Linear(1, 1).named_parameters()), TypeError, r"pass model\.parameters"),
        (lambda w: schedules.cosine(SGD([w], 0.1), 9), ValueError, r"lr is .*got SGD\(\{1 param"),
        (lambda w: Adam([w], schedules.constant(1)), ValueError, r"as schedule\(step\) gives it"),
        (lambda w: Adam([w]).load_state_dict(None), TypeError, r"by state_dict\(\) or load\(path"),
        (lambda w: SGD([w], 0.1).groups[0].__setitem__("Ir", 1), KeyError, "there are lr, mom"),
        (
            lambda w: SGD([w], 0.1).stpe(),
            AttributeError,
            "there are groups, load_state_dict, lr, .*step",
        ),
        (
            lambda w: setattr(SGD([w], 0.1), "learning_rate", 1),
            AttributeError,
            r"write optimizer\.lr",
        ),
        (lambda w: SGD([w], 0.1).learning_rate, AttributeError, r"write optimizer\.lr"),
        (lambda w: setattr(SGD([w], 0.1), "Ir", 1), AttributeError, "there are groups, .*lr, mom"),
        (lambda w: SGD([w], 0.1).step(lambda: 1.0), TypeError, r"closure\(\), and then step"),
        (lambda w: SGD([w], 0.1).zero_grad(set_to_none=True), TypeError, r"model\.zero_grad\(\)"),
        (lambda w: SGD([w], "0.1"), ValueError, "got the text '0.1'"),
        (lambda w: SGD([w], 0.1).param_groups, AttributeError, r"write optimizer\.groups"),
        (
            lambda w: SGD([w], 0.1).add_param_group({}),
            AttributeError,
            r"write optim\.SGD\(\[\{'params': \[w\]\}",
        ),
        (lambda w: Adam([w]).state, AttributeError, r"optimizer\.state_dict\(\)"),
        (
            lambda w: SGD([w], 0.1, dampening=0.1),
            TypeError,
            "SGD takes no 'dampening': there are lr, momentum",
        ),
        (lambda w: SGD([w], 0.1, beta=0.1), TypeError, "SGD takes no 'beta': there are lr"),
        (
            lambda w: Adam([w], amsgrad=True),
            TypeError,
            "Adam takes no 'amsgrad': there are lr, betas",
        ),
        (lambda w: AdamW([w], foreach=True), TypeError, "AdamW takes no 'foreach': there are lr"),
        (lambda w: Adam([w], maximize=True), TypeError, r"\(-value\)\.backward\(\)"),
        (lambda w: Adam([w], decoupled_weight_decay=True), TypeError, r"optim\.AdamW"),
        (lambda w: optim.lr_scheduler, AttributeError, r"optimizer\.lr = schedule\(step\)"),
        (lambda w: optim.clip_grad_norm_, AttributeError, r"optim\.clip_grad_norm\(params"),
        (lambda w: optim.RMSprop, AttributeError, "no 'RMSprop': there are SGD, Adam"),
        (lambda w: optim.schedules.StepLR, AttributeError, r"schedules\.step\(lr, every"),
        (lambda w: optim.schedules.linear, AttributeError, "constant, cosine, exponential"),
        (lambda w: losses.CrossEntropyLoss, AttributeError, r"losses\.cross_entropy\("),
        (lambda w: losses.focal, AttributeError, "binary_cross_entropy, binary_cross"),
    ],
)
def test_what_others_would_write_gets_an_answer(use, error, message):
    with pytest.raises(error, match=message):
        use(parameter(2))


# States.

KINDS = [
    lambda p: SGD(p, 0.1),
    lambda p: SGD(p, 0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    lambda p: Adam(p, 0.1),
    lambda p: AdamW([{"params": p[:1], "betas": (0.5, 0.6)}, {"params": p[1:], "lr": 0.2}], 0.1),
]
each_kind = pytest.mark.parametrize("make", KINDS)


def model_of(dtype=np.float64):
    return nn.Sequential(
        nn.Linear(3, 4, rng=0, dtype=dtype), np.tanh, nn.Linear(4, 2, rng=1, dtype=dtype)
    )


def train(model, optimizer, steps):
    for seed in steps:
        rng = np.random.default_rng(seed)
        optimizer.zero_grad()
        losses.cross_entropy(model(rng.normal(size=(5, 3))), rng.integers(0, 2, 5)).backward()
        optimizer.lr = 0.1 / (1 + seed)
        optimizer.step()


@each_kind
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_training_that_is_resumed_is_training_that_went_on(make, dtype, tmp_path):
    model = model_of(dtype)
    optimizer = make(model.parameters())
    train(model, optimizer, range(5))
    states = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 5}
    save(states, tmp_path / "checkpoint")
    resumed = model_of(dtype)
    other = make(resumed.parameters())
    train(resumed, other, range(20, 22))
    states = load(tmp_path / "checkpoint")
    assert states["epoch"] == 5
    resumed.load_state_dict(states["model"])
    other.load_state_dict(states["optimizer"])
    for again in (other, *map(copy.deepcopy, [other]), pickle.loads(pickle.dumps(other))):
        assert again.state_dict().keys() == optimizer.state_dict().keys()
    train(model, optimizer, range(5, 10))
    train(resumed, other, range(5, 10))
    for name, array in (model.state_dict() | optimizer.state_dict()).items():
        found = (resumed.state_dict() | other.state_dict())[name]
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


@each_kind
def test_a_state_before_the_first_step_is_a_state(make):
    model, other = model_of(), model_of()
    optimizer, resumed = make(model.parameters()), make(other.parameters())
    train(other, resumed, [1])
    resumed.load_state_dict(optimizer.state_dict())
    other.load_state_dict(model.state_dict())
    train(model, optimizer, range(3))
    train(other, resumed, range(3))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], array)


def test_a_state_is_a_copy():
    w = parameter(2)
    sgd = SGD([w], 0.1, momentum=0.9)
    w.grad = np.ones(2)
    sgd.step()
    state = sgd.state_dict()
    assert sorted(state) == [
        *(f"groups.0.{name}" for name in ["lr", "momentum", "nesterov", "params", "weight_decay"]),
        "state.0.momentum_buffer",
    ]
    other = SGD([w], 0.5, momentum=0.1)
    other.load_state_dict(state)
    for array in state.values():
        array[...] = 0
    for each in (sgd, other):
        assert (each.lr, each.momentum, each.nesterov) == (0.1, 0.9, False)
        assert each.state_dict()["state.0.momentum_buffer"].tolist() == [1, 1]


def test_a_velocity_without_momentum_is_no_part_of_the_state():
    w = parameter(2)
    sgd = SGD([w], 0.1, momentum=0.9)
    w.grad = np.ones(2)
    sgd.step()
    sgd.momentum = 0
    state = sgd.state_dict()
    assert not [name for name in state if name.startswith("state.")]
    sgd.load_state_dict(state)
    assert sgd.momentum == 0


def without(name):
    return lambda state: {key: value for key, value in state.items() if key != name}


@each_kind
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (without("groups.0.lr"), KeyError, r"missing: groups\.0\.lr; unknown: none"),
        (without("groups.0.params"), KeyError, r"missing: groups\.0\.params"),
        (lambda s: s | {"groups.9.lr": 1}, KeyError, r"missing: none; unknown: groups\.9\.lr"),
        (lambda s: s | {"state.9.step": 1}, KeyError, r"missing: none; unknown: state\.9\.step"),
        (lambda s: s | {"groups.0.lr": -1}, ValueError, "lr, the step size"),
        (lambda s: s | {"groups.0.lr": np.ones(3)}, ValueError, "lr, the step size"),
        (lambda s: s | {"groups.0.params": [0] * 9}, ValueError, r"\(9,\).*of other parameters"),
        (lambda s: {}, KeyError, "missing: groups"),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(make, change, error, message):
    model = model_of()
    optimizer = make(model.parameters())
    train(model, optimizer, range(2))
    before = optimizer.state_dict()
    another = model_of()
    other = make(another.parameters())
    train(another, other, range(5))
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(change(other.state_dict()))
    after = optimizer.state_dict()
    assert before.keys() == after.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (without("state.1.exp_avg"), KeyError, r"missing: state\.1\.exp_avg; unknown: none"),
        (lambda s: s | {"state.1.exp_avg": [1.0]}, ValueError, r"has shape \(3,\).*\(1,\)"),
        (lambda s: s | {"state.0.step": [1, 2]}, ValueError, r"step has shape \(\)"),
        (lambda s: s | {"state.1.exp_avg": "abc"}, TypeError, r"exp_avg cannot be loaded"),
    ],
)
def test_a_wrong_memory_is_refused(change, error, message):
    adam = Adam([parameter(2), parameter(3)])
    before = adam.state_dict()
    with pytest.raises(error, match=message):
        adam.load_state_dict(change(before | {"groups.0.lr": 9.0}))
    assert adam.lr == 1e-3


def test_the_state_of_another_optimizer_is_refused():
    p = [parameter(2), parameter(3)]
    states = [make(p).state_dict() for make in KINDS]
    for (i, make), (j, state) in itertools.product(enumerate(KINDS), enumerate(states)):
        if i != j and {i, j} != {0, 1}:  # of SGD with and without momentum, settings are loaded
            with pytest.raises(KeyError, match="names of state differ"):
                make(p).load_state_dict(state)
    with pytest.raises((KeyError, ValueError)):
        SGD(p[:1], 0.1).load_state_dict(states[0])


# The length of gradients.


def test_long_gradients_are_shortened_together():
    w, b, unused = parameter(2), parameter(), parameter(3)
    w.grad, b.grad = np.array([2.0, 3.0]), np.array(6.0)
    assert clip_grad_norm([w, unused, b], 1) == pytest.approx(7, rel=1e-15)
    np.testing.assert_allclose(w.grad, np.array([2, 3]) / (7 + 1e-6), rtol=1e-14)
    np.testing.assert_allclose(b.grad, 6 / (7 + 1e-6), rtol=1e-14)
    assert unused.grad is None
    assert clip_grad_norm([unused], 1) == 0
    w.grad = np.array([3.0, 4.0])
    clip_grad_norm([w], 5 + 5e-7)  # PyTorch's 1e-6 asks for a little less than max_norm
    assert w.grad[1] < 4


@pytest.mark.parametrize("max_norm", [5.1, np.inf])
def test_short_gradients_stay(max_norm):
    w = parameter(2)
    w.grad = np.array([3.0, 4.0])
    assert clip_grad_norm(iter([w]), max_norm) == 5
    assert w.grad.tolist() == [3, 4]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_shortening_keeps_the_dtype_and_does_not_overflow(dtype):
    w = parameter(2, dtype=dtype)
    w.grad = np.array([3e4, 4e4])
    assert clip_grad_norm([w], 10.0) == pytest.approx(5e4, rel=1e-3)
    assert w.grad.dtype == dtype
    np.testing.assert_allclose(w.grad, [6, 8], rtol=1e-3)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_gradient_without_a_length_is_refused(wrong):
    w, b = parameter(2), parameter()
    w.grad, b.grad = np.array([2.0, wrong]), np.array(6.0)
    with pytest.raises(FloatingPointError, match=r"length (nan|inf).*debug\(\)"):
        clip_grad_norm([w, b], 1.0)
    assert b.grad == 6
    np.testing.assert_array_equal(w.grad, [2.0, wrong])


@pytest.mark.parametrize("max_norm", [0, -1, np.nan, "1", None, [1.0], True])
def test_a_wrong_max_norm_is_refused(max_norm):
    with pytest.raises(ValueError, match="max_norm is a number above 0"):
        clip_grad_norm([parameter(2)], max_norm)


@pytest.mark.parametrize("params", [parameter(2), nn.Linear(1, 1), [np.ones(2)], 1.0], ids=repr)
def test_only_gradients_of_parameters_are_shortened(params):
    with pytest.raises(TypeError, match="clip_grad_norm"):
        clip_grad_norm(params, 1.0)


# Schedules.

STEPS = st.integers(1, 50)
LRS = st.floats(1e-3, 10)


@given(LRS, STEPS, st.integers(0, 200))
def test_schedules_go_where_they_say(lr, steps, t):
    near = pytest.approx
    assert schedules.constant(lr)(t) == lr
    assert schedules.step(lr, steps, 0.5)(t) == near(lr / 2 ** (t // steps))
    assert schedules.exponential(lr, 0.9)(t) == near(lr * 0.9**t)
    cosine = schedules.cosine(lr, steps, lr / 10)
    assert cosine(0) == lr
    assert cosine(steps) == cosine(steps + t) == lr / 10
    assert cosine(t + 1) * (1 - 1e-14) <= cosine(t) <= lr * (1 + 1e-14)
    warm = schedules.linear_warmup(cosine, steps, 0.25)
    assert warm(0) == near(lr / 4)
    assert warm(steps + t) == cosine(t)
    assert warm(min(t, steps)) == near(lr * (0.25 + 0.75 * min(t, steps) / steps))
    cycle = schedules.one_cycle(lr, steps)
    assert cycle(steps - 1) == cycle(steps + t) == near(lr / 250_000)
    assert 0 < cycle(t) <= lr * (1 + 1e-12)


@pytest.mark.parametrize("name", schedules.__all__)
def test_a_schedule_can_be_pickled(name):
    options = {"step": (9,), "exponential": (0.9,), "cosine": (30,), "one_cycle": (30,)}
    schedule = getattr(schedules, name)
    if name == "linear_warmup":
        made = schedule(schedules.cosine(0.5, 30), 10)
    else:
        made = schedule(0.5, *options.get(name, ()))
    again = pickle.loads(pickle.dumps(made))
    assert [again(t) for t in range(40)] == [made(t) for t in range(40)]


def test_one_cycle_goes_up_and_down():
    values = np.array([schedules.one_cycle(2.0, 100, rise=0.31)(t) for t in range(100)])
    assert values.argmax() == 30
    assert (values[0], values[30]) == (pytest.approx(2 / 25), 2)
    assert (np.diff(values[:31]) > 0).all()
    assert (np.diff(values[30:]) < 0).all()
    assert schedules.one_cycle(2.0, 10, rise=0.1)(0) == 2  # the top is the first step


def test_a_schedule_drives_an_optimizer():
    w = Tensor(1.0, requires_grad=True)
    sgd = SGD([w], lr=1.0)
    schedule = schedules.linear_warmup(schedules.constant(0.5), steps=2)
    found = []
    for t in range(4):
        sgd.lr = schedule(t)
        w.grad, before = np.array(1.0), w.item()
        sgd.step()
        found.append(before - w.item())
    assert found == [0, 0.25, 0.5, 0.5]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        *[
            (lambda lr=lr, make=make: make(lr), "lr is a finite number")
            for lr in (-0.1, np.nan, np.inf)
            for make in (
                schedules.constant,
                lambda lr: schedules.step(lr, 10),
                lambda lr: schedules.exponential(lr, 0.9),
                lambda lr: schedules.cosine(lr, 10),
                lambda lr: schedules.one_cycle(lr, 10),
                lambda lr: schedules.linear_warmup(lambda t: lr, 10),
            )
        ],
        (lambda: schedules.step(0.1, 0), "at least 1"),
        (lambda: schedules.cosine(0.1, 0), "at least 1"),
        (lambda: schedules.one_cycle(0.1, 0), "at least 1"),
        (lambda: schedules.linear_warmup(schedules.constant(0.1), 0), "at least 1"),
        (lambda: schedules.one_cycle(0.1, 10, rise=1.0), "share of steps"),
        (lambda: schedules.one_cycle(0.1, 10, rise=-0.1), "share of steps"),
    ],
)
def test_schedules_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
