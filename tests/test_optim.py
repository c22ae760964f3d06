"""Stochastic gradient descent does what its formula says, and refuses what it cannot do."""

import itertools

import numpy as np
import pytest

from tinygrad_edu import Tensor, nn
from tinygrad_edu.optim import SGD

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
        ({"nesterov": True}, "needs momentum > 0"),
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
    with pytest.raises(TypeError, match=r"leaf Tensors that require a gradient.*make it with"):
        SGD([parameter(2), wrong], lr=0.1)


@pytest.mark.parametrize("params", [parameter(2), parameter(), nn.Linear(1, 1)], ids=repr)
def test_one_tensor_or_a_model_in_place_of_a_list_is_refused(params):
    with pytest.raises(TypeError, match=r"SGD.*(list|\[w\]|parameters\(\))"):
        SGD(params, lr=0.1)
