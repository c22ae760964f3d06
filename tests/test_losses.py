"""Each loss against its closed form and finite differences, and at the edges of its domain."""

import itertools
import re
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_edu import Tensor, grad, hessian, losses, no_grad
from tinygrad_edu.functional import log_softmax, one_hot, sigmoid, softmax
from tinygrad_edu.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    exponential,
    hinge,
    huber_loss,
    kl_divergence,
    l1_loss,
    logistic,
    mse_loss,
    multiclass_hinge,
    nll_loss,
    zero_one,
)
from tinygrad_edu.testing import check_grads
from tinygrad_edu.testing.strategies import arrays, shapes

# Strategies and closed forms, in plain NumPy.

LABEL = st.sampled_from([-1.0, 1.0])
SHARE = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)

MARGIN = {
    zero_one: ({"kinks": [0]}, LABEL, lambda s, y: np.where(y * s > 0, 0.0, 1.0)),
    logistic: ({}, LABEL, lambda s, y: np.log(1 + np.exp(-y * s))),
    exponential: ({}, LABEL, lambda s, y: np.exp(-y * s)),
    hinge: ({"kinks": [-1, 1]}, LABEL, lambda s, y: np.maximum(0, 1 - y * s)),
}
BINARY = {
    binary_cross_entropy: (
        {"low": 0.02, "high": 0.98},
        SHARE,
        lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
    ),
    binary_cross_entropy_with_logits: (
        {},
        SHARE,
        lambda z, t: t * np.log(1 + np.exp(-z)) + (1 - t) * np.log(1 + np.exp(z)),
    ),
}
ELEMENTWISE = {
    **MARGIN,
    **BINARY,
    mse_loss: ({}, st.floats(-2, 2), lambda p, t: (p - t) ** 2),
    l1_loss: (
        {"kinks": [-1, 0, 1]},
        st.sampled_from([-1.0, 0.0, 1.0]),
        lambda p, t: np.abs(p - t),
    ),
    huber_loss: (
        {"kinks": [-2, -1, 0, 1, 2]},
        st.sampled_from([-1.0, 0.0, 1.0]),
        lambda p, t: np.where(np.abs(p - t) < 1, (p - t) ** 2 / 2, np.abs(p - t) - 0.5),
    ),
}

REDUCE = {"none": np.asarray, "sum": np.sum, "mean": np.mean}
REDUCTIONS = st.sampled_from(list(REDUCE))


@st.composite
def elementwise(draw, loss):
    domain, target, _ = ELEMENTWISE[loss]
    x = draw(arrays(**domain))
    return x, draw(hnp.arrays(float, x.shape, elements=target))


@st.composite
def classified(draw):
    """Scores (N, K) or (K,), and class indices."""
    scores = draw(arrays(shapes(min_dims=1, max_dims=2), low=-4.0, high=4.0))
    *n, k = scores.shape
    return scores, draw(hnp.arrays(int, tuple(n), elements=st.integers(0, k - 1)))


@st.composite
def distributions(draw, count):
    """Several times (N, K) or (K,) probabilities, with sum 1 along the last axis."""
    shape = draw(shapes(min_dims=1, max_dims=2))
    return [probabilities(draw(arrays(shape))) for _ in range(count)]


def probabilities(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)


def entropy_of(targets, log_probs):
    return -np.sum(targets * log_probs, axis=-1)


def hinges(scores, labels, margin):
    rows = zip(scores.reshape(-1, scores.shape[-1]), labels.ravel(), strict=True)
    sums = [sum(max(0, s + margin - row[y]) for s in np.delete(row, y)) for row, y in rows]
    return np.reshape(sums, labels.shape)


def divergence(q, p, **reduction):
    """With the prediction first, as the other losses have it."""
    return kl_divergence(p, q, **reduction)


# Values and derivatives.


@pytest.mark.parametrize("loss", ELEMENTWISE)
@given(data=st.data(), reduction=REDUCTIONS)
def test_elementwise_losses(loss, data, reduction):
    x, t = data.draw(elementwise(loss))
    closed_form = ELEMENTWISE[loss][2]
    check_grads(
        lambda x: loss(x, t, reduction=reduction),
        x,
        reference=lambda x: REDUCE[reduction](closed_form(x, t)),
    )


@settings(max_examples=30)
@given(arrays(kinks=[-0.5, 0.5]), st.data())
def test_hinge_of_another_margin(s, data):
    y = data.draw(hnp.arrays(float, s.shape, elements=LABEL))
    check_grads(
        lambda s: hinge(s, y, margin=0.5),
        s,
        reference=lambda s: np.maximum(0, 0.5 - y * s).mean(),
    )


@given(classified(), REDUCTIONS, st.sampled_from([1.0, 0.3, 2.5]))
def test_multiclass_hinge(example, reduction, margin):
    scores, labels = example
    slack = scores - scores[(*np.indices(labels.shape), labels)][..., None] + margin
    assume(np.all(np.abs(slack) > 1e-3))
    check_grads(
        lambda s: multiclass_hinge(s, labels, margin=margin, reduction=reduction),
        scores,
        reference=lambda s: REDUCE[reduction](hinges(s, labels, margin)),
    )


@given(classified(), REDUCTIONS)
def test_cross_entropy_of_class_indices(example, reduction):
    scores, labels = example
    t = np.eye(scores.shape[-1])[labels]
    check_grads(
        lambda z: cross_entropy(z, labels, reduction=reduction),
        scores,
        reference=lambda z: REDUCE[reduction](entropy_of(t, np.log(probabilities(z)))),
    )


@given(distributions(2), REDUCTIONS)
def test_cross_entropy_of_soft_targets(pair, reduction):
    t, p = pair
    check_grads(
        lambda z: cross_entropy(z, t, reduction=reduction),
        np.log(p) + 3,
        reference=lambda z: REDUCE[reduction](entropy_of(t, np.log(probabilities(z)))),
    )


@given(distributions(2), REDUCTIONS)
def test_nll_loss(pair, reduction):
    t, p = pair
    check_grads(
        lambda log_p: nll_loss(log_p, t, reduction=reduction),
        np.log(p) - 0.1,
        reference=lambda log_p: REDUCE[reduction](entropy_of(t, log_p)),
    )


@given(distributions(2), REDUCTIONS)
def test_kl_divergence_with_respect_to_both_arguments(pair, reduction):
    assume(not np.allclose(*pair))  # where p == q all slopes are 0, and so hidden by rounding
    check_grads(
        lambda r, s: kl_divergence(softmax(r), softmax(s), reduction=reduction),
        *np.log(pair),
        reference=lambda r, s: REDUCE[reduction](
            np.sum(probabilities(r) * np.log(probabilities(r) / probabilities(s)), axis=-1)
        ),
    )


def test_known_numbers():
    scores = [-2.85, 0.86, 0.28]
    assert multiclass_hinge(scores, 2).round(2) == 1.58
    assert cross_entropy(scores, 2).round(2) == 1.04
    assert logistic([0.0], [1]) == pytest.approx(np.log(2))
    assert exponential([-1.0], [1]) == pytest.approx(np.e)
    assert hinge([-2.0], [1]) == 3
    assert mse_loss([3.0, 0.0], [1.0, 0.0], reduction="none").tolist() == [4, 0]
    assert kl_divergence([0.25, 0.75], [0.5, 0.5]).round(4) == 0.1308


@given(classified())
def test_gradient_of_cross_entropy_is_probability_minus_target(example):
    scores, labels = example
    t = np.eye(scores.shape[-1])[labels]
    expected = (probabilities(scores) - t) / labels.size
    np.testing.assert_allclose(grad(cross_entropy)(scores, labels), expected, atol=1e-15)


@given(arrays(), st.data())
def test_gradient_of_binary_cross_entropy_with_logits_is_probability_minus_target(z, data):
    t = data.draw(hnp.arrays(float, z.shape, elements=SHARE))
    expected = (1 / (1 + np.exp(-z)) - t) / z.size
    actual = grad(binary_cross_entropy_with_logits)(z, t)
    np.testing.assert_allclose(actual, expected, atol=1e-15)


@settings(max_examples=30)
@given(arrays(), st.data(), st.sampled_from([0.1, 2.0]), REDUCTIONS)
def test_huber_loss_of_another_delta(x, data, delta, reduction):
    d = data.draw(arrays(st.just(x.shape), kinks=[-delta, delta]))
    check_grads(
        lambda p: huber_loss(p, x, delta=delta, reduction=reduction),
        x + d,
        reference=lambda p: REDUCE[reduction](
            np.where(np.abs(p - x) < delta, (p - x) ** 2 / 2, delta * (np.abs(p - x) - delta / 2))
        ),
    )


@given(classified(), REDUCTIONS, st.data())
def test_options_of_cross_entropy_and_nll_loss(example, reduction, data):
    scores, labels = example
    k = scores.shape[-1]
    weight = data.draw(hnp.arrays(float, k, elements=st.floats(0.1, 3) | st.just(0.0)))
    e = data.draw(st.sampled_from([0.0, 0.1, 1.0]))
    ignored = data.draw(st.integers(-1, k - 1))
    w = data.draw(hnp.arrays(float, labels.shape, elements=st.floats(0.1, 3)))
    kept = labels != ignored
    counts = w * kept * weight[labels]
    assume(reduction != "mean" or counts.sum() > 0)
    t = (1 - e) * np.eye(k)[labels] + e / k
    options = {"weight": weight, "ignore_index": ignored, "sample_weight": w}

    def reference(log_p, t):
        losses = w * kept * entropy_of(weight * t, log_p)
        return losses.sum() / counts.sum() if reduction == "mean" else REDUCE[reduction](losses)

    check_grads(
        lambda z: cross_entropy(z, labels, label_smoothing=e, reduction=reduction, **options),
        scores,
        reference=lambda z: reference(np.log(probabilities(z)), t),
    )
    check_grads(
        lambda z: nll_loss(z - 5, labels, reduction=reduction, **options),
        scores,
        reference=lambda z: reference(z - 5, np.eye(k)[labels]),
    )


@given(distributions(2), REDUCTIONS, st.sampled_from([0.0, 0.1, 1.0]), st.data())
def test_options_of_cross_entropy_of_soft_targets(pair, reduction, e, data):
    t, p = pair
    weight = data.draw(hnp.arrays(float, t.shape[-1], elements=st.floats(0, 3)))
    smoothed = weight * ((1 - e) * t + e / t.shape[-1])
    check_grads(
        lambda z: cross_entropy(z, t, weight=weight, label_smoothing=e, reduction=reduction),
        np.log(p) + 3,
        reference=lambda z: REDUCE[reduction](entropy_of(smoothed, np.log(probabilities(z)))),
    )


@pytest.mark.parametrize("loss", BINARY)
@given(data=st.data(), reduction=REDUCTIONS)
def test_weight_of_the_positive_label(loss, data, reduction):
    x, t = data.draw(elementwise(loss))
    closed_form = BINARY[loss][2]
    shape = data.draw(st.sampled_from([x.shape, x.shape[-1:], ()]))
    pos_weight = data.draw(hnp.arrays(float, shape, elements=st.just(0.0) | st.floats(0.01, 5)))
    check_grads(
        lambda x: loss(x, t, pos_weight=pos_weight, reduction=reduction),
        x,
        reference=lambda x: REDUCE[reduction](
            t * pos_weight * closed_form(x, np.ones(x.shape))
            + (1 - t) * closed_form(x, np.zeros(x.shape))
        ),
    )


@pytest.mark.parametrize("loss", ELEMENTWISE)
@given(data=st.data(), reduction=REDUCTIONS)
def test_weights_of_examples(loss, data, reduction):
    x, t = data.draw(elementwise(loss))
    w = data.draw(hnp.arrays(float, x.shape[:1], elements=st.floats(0.1, 3)))
    rows = np.broadcast_to(w.reshape(w.shape + (1,) * (x.ndim - w.ndim)), x.shape)
    closed_form = ELEMENTWISE[loss][2]

    def reference(x):
        if reduction == "mean":
            return np.average(closed_form(x, t), weights=rows)
        return REDUCE[reduction](rows * closed_form(x, t))

    check_grads(lambda x: loss(x, t, sample_weight=w, reduction=reduction), x, reference=reference)


# How losses relate to one another.


def agree(f, g, x):
    """The same values and gradients, and the same second derivatives along the gradient."""
    np.testing.assert_allclose(f(x), g(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(grad(f)(x), grad(g)(x), rtol=1e-11, atol=1e-14)
    changes = [grad(lambda x, f=f: (grad(f)(x) ** 2).sum())(x) for f in (f, g)]
    np.testing.assert_allclose(*changes, rtol=1e-10, atol=1e-13)


@settings(max_examples=30)
@given(classified())
def test_class_indices_and_one_hot_rows_agree(example):
    scores, labels = example
    rows = one_hot(labels, scores.shape[-1])
    agree(lambda z: cross_entropy(z, labels), lambda z: cross_entropy(z, rows), scores)
    agree(lambda z: nll_loss(z - 5, labels), lambda z: nll_loss(z - 5, rows), scores)


@settings(max_examples=30)
@given(classified())
def test_nll_loss_of_log_softmax_is_cross_entropy(example):
    scores, labels = example
    agree(lambda z: nll_loss(log_softmax(z), labels), lambda z: cross_entropy(z, labels), scores)


@settings(max_examples=30)
@given(arrays(low=-6.0, high=6.0), st.data())
def test_logistic_is_binary_cross_entropy_with_logits(z, data):
    t = data.draw(hnp.arrays(int, z.shape, elements=st.integers(0, 1)))
    agree(lambda z: logistic(z, 2 * t - 1), lambda z: binary_cross_entropy_with_logits(z, t), z)


@settings(max_examples=30)
@given(arrays(low=-6.0, high=6.0), st.data())
def test_binary_cross_entropy_of_sigmoid_is_that_with_logits(z, data):
    t = data.draw(hnp.arrays(float, z.shape, elements=SHARE))
    agree(
        lambda z: binary_cross_entropy(sigmoid(z), t),
        lambda z: binary_cross_entropy_with_logits(z, t),
        z,
    )


@settings(max_examples=30)
@given(arrays(shapes(min_dims=1, max_dims=1)), st.data())
def test_cross_entropy_of_two_classes_is_binary_cross_entropy(z, data):
    t = data.draw(hnp.arrays(int, z.shape, elements=st.integers(0, 1)))
    agree(
        lambda z: cross_entropy(np.stack([0 * z, z], axis=-1), t),
        lambda z: binary_cross_entropy_with_logits(z, t),
        z,
    )


@settings(max_examples=30)
@given(distributions(2))
def test_cross_entropy_is_entropy_plus_divergence(pair):
    p, q = pair
    entropy = nll_loss(np.log(p), p)
    np.testing.assert_allclose(nll_loss(np.log(q), p), entropy + kl_divergence(p, q), atol=1e-14)


@settings(max_examples=30)
@given(distributions(2))
def test_divergence_is_zero_for_equal_distributions_and_grows_with_their_difference(pair):
    p, q = pair
    assert kl_divergence(p, p) == 0
    pinsker = np.abs(p - q).sum(axis=-1) ** 2 / 2
    assert np.all(kl_divergence(p, q, reduction="none") >= pinsker - 1e-15)


def test_divergence_is_no_distance():
    a, b, c = [0.9, 0.1], [0.5, 0.5], [0.1, 0.9]
    assert kl_divergence(a, b) != pytest.approx(kl_divergence(b, a), rel=0.1)
    assert kl_divergence(a, c) > kl_divergence(a, b) + kl_divergence(b, c)


# Conventions, at zeros, kinks and steps.


def gradient(loss, predictions, targets, **options):
    x = Tensor(predictions, requires_grad=True)
    loss(x, targets, reduction="sum", **options).backward()
    return x.grad.tolist()


def test_what_does_not_happen_adds_nothing_to_the_divergence():
    assert kl_divergence([0.0, 1.0], [0.5, 0.5]) == pytest.approx(np.log(2))
    assert kl_divergence([0.0, 1.0], [0.0, 1.0]) == 0
    assert gradient(divergence, [0.5, 0.5], [0.0, 1.0]) == [0.0, -2.0]
    assert gradient(divergence, [0.0, 1.0], [0.0, 1.0]) == [0.0, -1.0]
    assert gradient(kl_divergence, [0.0, 1.0], [0.5, 0.5])[0] == 0


def test_certain_and_right_costs_nothing():
    assert binary_cross_entropy([0.0, 1.0], [0, 1]) == 0
    assert gradient(binary_cross_entropy, [0.0, 1.0], [0, 1]) == [1.0, -1.0]
    assert nll_loss([-np.inf, 0.0], 1) == nll_loss([-np.inf, 0.0], [0, 1]) == 0


def test_hinge_has_slope_zero_at_its_margin():
    assert gradient(hinge, [1.0, -1.0, 0.5, 0.0], [1, -1, 1, -1]) == [0, 0, -1, 1]
    assert gradient(hinge, [2.0, 0.5], [1, 1], margin=2.0) == [0, -1]


def test_score_zero_is_an_error_without_slope():
    assert zero_one([0.0, -0.0, 1.0], [1, -1, 1], reduction="none").tolist() == [1, 1, 0]
    assert gradient(zero_one, [0.0, -0.0, 1.0], [1, -1, -1]) == [0, 0, 0]


def test_multiclass_hinge_has_slope_zero_at_its_kinks():
    assert gradient(multiclass_hinge, [2.0, 1.0, 1.5], 0) == [-1, 0, 1]
    assert gradient(multiclass_hinge, [0.0, 0.0], 0) == [-1, 1]


def test_second_derivatives_at_score_zero():
    for loss in [lambda s: logistic(s, 1), lambda z: binary_cross_entropy_with_logits(z, 0.5)]:
        assert grad(grad(loss))(0.0) == 0.25
        assert grad(grad(loss))(np.float32(0)) == 0.25
    curvature = hessian(lambda z: cross_entropy(z, 0))(np.zeros(3))
    np.testing.assert_allclose(curvature, np.eye(3) / 3 - 1 / 9, atol=1e-15)


def test_l1_loss_has_slope_zero_at_its_kink():
    assert gradient(l1_loss, [1.0, 2.0, -1.0], [1, 0, 0]) == [0, 1, -1]


def test_huber_loss_has_no_kink_and_does_not_overflow():
    assert gradient(huber_loss, [1.0, -1.0, 0.5, 7.0], [0, 0, 0, 0]) == [1, -1, 0.5, 1]
    curvature = hessian(lambda p: huber_loss(p, np.zeros(4), reduction="sum"))
    assert np.diag(curvature([1.0, -1.0, 0.5, 7.0])).tolist() == [1, 1, 1, 0]
    far = np.array([6e4, -6e4], np.float16)
    assert huber_loss(far, [0, 0], reduction="none").tolist() == far.__abs__().tolist()
    assert gradient(huber_loss, np.float16([6e4]), [0]) == [1]


# Stability. Any warning fails a test, here as everywhere.

EXTREME = np.array([-1e4, -750.0, -40.0, 0.0, 0.5, 40.0, 750.0, 1e4])

STABLE = {
    zero_one: ([-1, 1], lambda s, y: y * s <= 0, lambda s, y: 0 * s),
    hinge: ([-1, 1], lambda s, y: np.maximum(0, 1 - y * s), lambda s, y: -y * (y * s < 1)),
    logistic: (
        [-1, 1],
        lambda s, y: np.logaddexp(0, -y * s),
        lambda s, y: -y * np.exp(-np.logaddexp(0, y * s)),
    ),
    binary_cross_entropy_with_logits: (
        [0, 0.25, 1],
        lambda z, t: t * np.logaddexp(0, -z) + (1 - t) * np.logaddexp(0, z),
        lambda z, t: (1 - t) * np.exp(-np.logaddexp(0, -z)) - t * np.exp(-np.logaddexp(0, z)),
    ),
}


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 2e-6)])
@pytest.mark.parametrize("loss", STABLE)
def test_extreme_scores(loss, dtype, tolerance):
    targets, value, slope = STABLE[loss]
    for target in targets:
        scores = Tensor(EXTREME, requires_grad=True, dtype=dtype)
        t = np.full(EXTREME.shape, target)
        result = loss(scores, t, reduction="none")
        result.sum().backward()
        near = {"rtol": tolerance, "atol": np.finfo(dtype).tiny}
        np.testing.assert_allclose(result.data, value(EXTREME, t), **near)
        np.testing.assert_allclose(scores.grad, slope(EXTREME, t), **near)


def nll_of_log_softmax(logits, targets, **reduction):
    return nll_loss(log_softmax(logits), targets, **reduction)


ROWS = np.array([[1e4, 0.0, -1e4], [1e4, 1e4, 0.0], [-1e4, -1e4, -1e4], [-750.0, 750.0, 40.0]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("loss", [cross_entropy, nll_of_log_softmax])
def test_extreme_logits(loss, label, dtype):
    total = np.logaddexp.reduce(ROWS, axis=-1)
    rows = np.eye(3)[[label] * 4]
    for targets in [label] * 4, rows:
        logits = Tensor(ROWS, requires_grad=True, dtype=dtype)
        result = loss(logits, targets, reduction="none")
        result.sum().backward()
        near = {"rtol": 1e-6, "atol": 1e-7}
        np.testing.assert_allclose(result.data, total - ROWS[:, label], **near)
        np.testing.assert_allclose(logits.grad, np.exp(ROWS - total[:, None]) - rows, **near)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_multiclass_hinge_of_extreme_scores(label, dtype):
    scores = Tensor(ROWS, requires_grad=True, dtype=dtype)
    result = multiclass_hinge(scores, [label] * 4, reduction="none")
    result.sum().backward()
    np.testing.assert_array_equal(result.data, hinges(ROWS, np.array([label] * 4), 1.0))
    wrong = (ROWS - ROWS[:, [label]] + 1 > 0) & (np.arange(3) != label)
    np.testing.assert_array_equal(
        scores.grad, wrong - wrong.sum(1, keepdims=True) * np.eye(3)[label]
    )


def test_exponential_overflows_only_where_its_value_does():
    assert exponential([-700.0], [1]) == pytest.approx(np.exp(700))
    assert gradient(exponential, [1e4, -700.0], [1, 1]) == pytest.approx([0, -np.exp(700)])
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert exponential([-1e4], [1]) == np.inf


def test_masked_class_with_logit_minus_infinity():
    assert cross_entropy([-np.inf, 1.0, 1.0], 1) == pytest.approx(np.log(2))
    assert gradient(cross_entropy, [-np.inf, 1.0, 1.0], 1) == [0, -0.5, 0.5]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_binary_cross_entropy_keeps_the_digits_of_small_probabilities(dtype):
    p = np.array([1e-9, 1e-30], dtype)
    np.testing.assert_allclose(binary_cross_entropy(p, [0, 0], reduction="none"), p, rtol=1e-6)


# What goes in and what comes out.

EXAMPLES = {
    **dict.fromkeys(MARGIN, ([0.25, -2.0, 0.75], [1, 1, -1])),
    **dict.fromkeys(BINARY, ([0.25, 0.5, 0.75], [1, 0, 1])),
    **dict.fromkeys([mse_loss, l1_loss, huber_loss], ([0.25, -2.0, 0.75], [1, 0, 2])),
    multiclass_hinge: ([[0.25, -2.0], [0.5, 1.0], [0.0, 3.0]], [1, 0, 1]),
    cross_entropy: ([[0.25, -2.0], [0.5, 1.0], [0.0, 3.0]], [1, 0, 1]),
    nll_loss: ([[-0.25, -2.0], [-0.5, -1.0], [0.0, -3.0]], [1, 0, 1]),
    divergence: ([[0.25, 0.75], [0.5, 0.5], [0.125, 0.875]], [[0, 1], [1, 0], [1, 0]]),
}

each_loss = pytest.mark.parametrize("loss", EXAMPLES)


@each_loss
def test_reductions(loss):
    x, t = EXAMPLES[loss]
    each = loss(x, t, reduction="none")
    assert each.shape == (3,)
    for i in range(3):
        assert loss(x[i : i + 1], t[i : i + 1]) == pytest.approx(each[i])
    np.testing.assert_allclose(loss(x, t, reduction="sum"), each.sum(), rtol=1e-14)
    np.testing.assert_allclose(loss(x, t, reduction="mean"), each.mean(), rtol=1e-14)
    assert loss(x, t) == loss(x, t, reduction="mean")
    for unknown in ["average", None, "Mean"]:
        with pytest.raises(ValueError, match='"mean", "sum" or "none"'):
            loss(x, t, reduction=unknown)


@each_loss
def test_lists_arrays_and_tensors_give_the_same(loss):
    x, t = EXAMPLES[loss]
    expected = loss(np.array(x), np.array(t))
    assert isinstance(expected, np.float64)
    assert loss(x, t) == expected
    assert loss(np.array(x), Tensor(t)) == expected
    assert isinstance(loss(Tensor(x), t), Tensor)
    assert loss(Tensor(x), t).item() == loss(Tensor(x, requires_grad=True), t).item() == expected


@pytest.mark.parametrize(
    ("loss", "predictions", "targets"),
    [
        (mse_loss, [1, 2], [1.5, 2.5]),
        (binary_cross_entropy_with_logits, [1, 2], [0.5, 0.25]),
        (logistic, [1, 2], [1, -1]),
        (cross_entropy, [1, 2, 3], 0),
        (cross_entropy, [1, 2, 3], [0.5, 0.25, 0.25]),
        (multiclass_hinge, [1, 2, 3], 0),
        (kl_divergence, [1, 0], [0.5, 0.5]),
    ],
)
def test_predictions_may_be_integers(loss, predictions, targets):
    expected = loss(np.array(predictions, float), targets)
    assert loss(predictions, targets) == expected
    assert loss(Tensor(predictions), targets).item() == expected


@each_loss
def test_inputs_are_not_changed(loss):
    x, t = map(np.array, EXAMPLES[loss])
    before = x.copy(), t.copy()
    scores = Tensor(x, requires_grad=True)
    loss(x, t, reduction="none")
    loss(scores, t).backward()
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(scores.data, before[0])
    np.testing.assert_array_equal(t, before[1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@each_loss
def test_dtype_is_that_of_the_predictions(loss, dtype):
    x, t = EXAMPLES[loss]
    kinds = [t, np.array(t), np.array(t, np.int8), Tensor(t)]
    if loss is divergence or loss in ELEMENTWISE:
        kinds += [np.array(t, np.float64), Tensor(t, dtype=np.float64)]
        kinds += [np.array(t, bool)] if 2 not in t else []
    if loss in (cross_entropy, nll_loss):
        rows = np.eye(2)[t]
        kinds += [rows, rows.tolist(), rows.astype(bool), Tensor(rows), [[0.1, 0.9]] * 3]
    for targets, reduction in itertools.product(kinds, REDUCE):
        predictions = Tensor(x, requires_grad=True, dtype=dtype)
        result = loss(predictions, targets, reduction=reduction)
        assert result.dtype == dtype
        result.sum().backward()
        assert predictions.grad.dtype == dtype
        assert loss(np.array(x, dtype), targets, reduction=reduction).dtype == dtype


def test_dtype_of_divergence_with_respect_to_its_first_argument():
    p = Tensor([0.25, 0.75], requires_grad=True, dtype=np.float32)
    for q in [0.5, 0.5], np.array([0.5, 0.5]):
        assert kl_divergence(p, q).dtype == np.float32


@pytest.mark.parametrize("loss", [hinge, multiclass_hinge])
def test_margin_does_not_promote(loss):
    x, t = EXAMPLES[loss]
    for margin in [1, 1.0, np.float64(1)]:
        assert loss(np.array(x, np.float32), t, margin=margin).dtype == np.float32


@pytest.mark.parametrize("loss", [cross_entropy, multiclass_hinge, nll_loss])
def test_one_example_is_a_row_and_an_integer(loss):
    row = [-2.0, -0.5, -1.0]
    for label in [2, np.int64(2), np.array(2), Tensor(2)]:
        assert loss(row, label) == pytest.approx(loss([row], [2]))
        assert gradient(loss, row, label) == pytest.approx(gradient(loss, [row], [2])[0])
        assert np.shape(loss(row, label, reduction="none")) == ()


# Refusals.


@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_columns_are_not_compared_with_rows(loss):
    row, column = np.ones(3), np.ones((3, 1))
    for x, t in [(row, column), (column, row), (Tensor(row), column), (Tensor(column), row)]:
        with pytest.raises(ValueError, match="broadcasting") as refusal:
            loss(x, t)
        assert loss.__name__ in str(refusal.value)
        assert f"{x.shape} and targets of shape {t.shape}" in str(refusal.value)
    for x, t in [(row, 1.0), (row, np.ones(2)), (column, np.ones((3, 2)))]:
        with pytest.raises(ValueError, match="give both the same shape"):
            loss(x, t)


@pytest.mark.parametrize(
    ("loss", "x", "targets"),
    [
        (mse_loss, np.ones(3), np.ones((3, 1))),
        (mse_loss, np.ones((3, 1)), np.ones(3)),
        (mse_loss, 1.0, np.ones(1)),
        (cross_entropy, np.ones((3, 2)), np.ones((3, 1), int)),
        (cross_entropy, np.ones(3), np.ones(1, int)),
        (multiclass_hinge, np.ones((3, 2)), np.ones((1, 3), int)),
    ],
)
def test_line_that_a_refusal_says_to_write_works(loss, x, targets):
    with pytest.raises(ValueError, match=rf"{loss.__name__} .* write ") as refusal:
        loss(x, targets)
    line = re.search("write (.*)", str(refusal.value))[1]
    loss(x, eval(line, {"np": np, "targets": targets}))


@pytest.mark.parametrize("loss", MARGIN)
def test_labels_zero_and_one_are_refused_by_margin_losses(loss):
    y = np.array([0, 1, 1])
    with pytest.raises(ValueError, match=r"labels -1 and \+1.*2 \* y - 1"):
        loss([0.5, 2.0, -1.0], y)
    loss([0.5, 2.0, -1.0], 2 * y - 1)
    for wrong in [[1, 2, -1], [0.5, 1, -1], [1, np.nan, -1], [0, 1, -1]]:
        with pytest.raises(ValueError, match="label the classes -1 and \\+1"):
            loss([0.5, 2.0, -1.0], wrong)


@pytest.mark.parametrize("loss", BINARY)
def test_labels_minus_one_and_one_are_refused_by_binary_cross_entropy(loss):
    y = np.array([-1, 1, 1])
    with pytest.raises(ValueError, match=r"targets from 0 to 1.*\(y \+ 1\) / 2"):
        loss([0.5, 0.25, 0.75], y)
    loss([0.5, 0.25, 0.75], (y + 1) / 2)
    for wrong in [[0, 1, 1.5], [-0.1, 0, 1], [0, 1, np.nan]]:
        with pytest.raises(ValueError, match="takes targets from 0 to 1"):
            loss([0.5, 0.25, 0.75], wrong)


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss, multiclass_hinge])
@pytest.mark.parametrize(
    ("error", "labels", "message"),
    [
        (ValueError, [0, 3], "from 0 to 2 for 3 classes, but these go from 0 to 3"),
        (ValueError, [-1, 2], "these go from -1 to 2"),
        (TypeError, [0.0, 1.0], r"integers.*float64.*astype\(int\)"),
        (TypeError, [True, False], "integers.*bool"),
        (ValueError, [[0], [1]], r"targets of shape \(2, 1\).*write"),
        (ValueError, [0, 1, 2], r"shape \(2, 3\) and targets of shape \(3,\)"),
        (ValueError, 1, r"class indices have shape \(2,\), one for each row"),
    ],
)
def test_class_indices_that_are_none(loss, error, labels, message):
    with pytest.raises(error, match=message):
        loss(np.full((2, 3), -1.0), labels)


@pytest.mark.parametrize("rows", [[[0.5, 0.6]], [[1.5, -0.5]], [[0.0, 0.0]], [[np.nan, 1.0]]])
def test_rows_that_are_no_distribution(rows):
    fair = [[0.5, 0.5]]
    with pytest.raises(ValueError, match=r"row of targets .*x\.sum\(axis=-1, keepdims=True\)"):
        cross_entropy([[1.0, 2.0]], rows)
    with pytest.raises(ValueError, match="row of targets"):
        nll_loss(np.log(fair), rows)
    with pytest.raises(ValueError, match="row of p "):
        kl_divergence(rows, fair)
    with pytest.raises(ValueError, match="row of q "):
        kl_divergence(fair, rows)


def test_every_row_is_a_distribution_not_their_average():
    with pytest.raises(ValueError, match=r"row of targets .* one row has sum"):
        cross_entropy(np.zeros((2, 2)), [[0.5, 0.0], [1.0, 0.5]])


def test_rounding_of_float32_is_no_reason_to_refuse():
    rng = np.random.default_rng(0)
    for k in [2, 10, 1000]:
        p = rng.dirichlet(np.ones(k), 50).astype(np.float32)
        assert kl_divergence(p, p) == 0
        assert np.isfinite(cross_entropy(rng.normal(size=(50, k)).astype(np.float32), p))
        nll_loss(log_softmax(rng.normal(size=(50, k)).astype(np.float16)), [0] * 50)
    assert nll_loss(np.log(np.float32([1 + 1e-7, 1e-8])), 0) < 0


def test_divergence_of_unequal_shapes():
    with pytest.raises(ValueError, match=r"p has shape \(2,\) and q \(1, 2\)"):
        kl_divergence([0.5, 0.5], [[0.5, 0.5]])


def test_divergence_of_single_numbers():
    with pytest.raises(ValueError, match=r"\(N, K\)|row"):
        kl_divergence(1.0, 1.0)


@each_loss
def test_mean_of_no_example_is_refused(loss):
    x, t = (np.array(part)[:0] for part in EXAMPLES[loss])
    with pytest.raises(ValueError, match="batch is empty"):
        loss(x, t)
    with pytest.raises(ValueError, match="batch is empty"):
        loss(Tensor(x, requires_grad=True), t)
    assert loss(x, t, reduction="sum") == 0
    assert loss(x, t, reduction="none").shape == (0,)


@pytest.mark.parametrize("loss", [cross_entropy, multiclass_hinge])
def test_no_example_with_an_empty_list_of_labels(loss):
    assert loss(np.zeros((0, 3)), [], reduction="sum") == 0


@pytest.mark.parametrize("loss", [cross_entropy, multiclass_hinge, nll_loss])
def test_scores_without_classes_are_refused(loss):
    with pytest.raises(ValueError, match=r"\(N, K\)|class"):
        loss(-1.0, 0)
    with pytest.raises(ValueError, match=r"\(N, K\)|class"):
        loss(np.zeros((2, 0)), [0, 0])


@pytest.mark.parametrize("loss", [*ELEMENTWISE, cross_entropy, nll_loss])
def test_targets_that_require_a_gradient_are_refused(loss):
    x, t = EXAMPLES[loss]
    t = np.eye(2)[t] if loss not in ELEMENTWISE else np.array(t, float)
    learned = Tensor(t, requires_grad=True)
    for targets in [learned, learned * 1]:
        with pytest.raises(TypeError, match=r"requires a gradient.*Targets are data.*detach\(\)"):
            loss(x, targets)
    assert loss(x, learned.detach()) == loss(x, t)


def test_probabilities_outside_zero_and_one_are_refused():
    for wrong in [[1.5, 0.5], [0.5, -0.1], [np.nan, 0.5]]:
        with pytest.raises(ValueError, match="probs are probabilities"):
            binary_cross_entropy(wrong, [1, 0])


def test_log_probabilities_above_zero_are_refused():
    for targets in 1, [0, 1]:
        with pytest.raises(ValueError, match=r"at most 0.*goes up to 0\.8: pass log_softmax"):
            nll_loss([0.2, 0.8], targets)


def test_infinite_loss_is_a_value_but_has_no_gradient():
    infinite = [
        (binary_cross_entropy, [0.0, 0.5], [1, 0]),
        (binary_cross_entropy, [1.0, 0.5], [0.5, 0]),
        (divergence, [1.0, 0.0], [0.5, 0.5]),
    ]
    for loss, predictions, targets in infinite:
        assert loss(predictions, targets) == np.inf
        assert loss(Tensor(predictions), targets).item() == np.inf
        with pytest.raises(ValueError, match=r"infinite.*with_logits or cross_entropy"):
            loss(Tensor(predictions, requires_grad=True), targets)


def test_infinite_loss_is_a_value_where_no_gradient_is_recorded():
    p = Tensor([0.0], requires_grad=True)
    with no_grad():
        assert binary_cross_entropy(p, [1]).item() == np.inf


def test_probabilities_in_place_of_logits_warn_at_the_line_of_the_call():
    for logits in [[0.2, 0.8], softmax(np.eye(3)), Tensor([[0.0, 1.0]]), np.float32([[0.1, 0.9]])]:
        with pytest.warns(UserWarning, match=r"write nll_loss\(np\.log\(probs\), targets") as seen:
            cross_entropy(logits, 1 if np.ndim(logits) == 1 else [1] * len(logits))
        assert [warning.filename for warning in seen] == [__file__]


def test_ordinary_logits_do_not_warn():
    cross_entropy([[0.2, 0.8], [0.2, 0.9]], [0, 1])
    cross_entropy([[0.0, 0.0], [0.0, 0.0]], [0, 1])
    cross_entropy([2.0, -1.0], 0)
    cross_entropy([[1.0], [1.0]], [0, 0])


@settings(max_examples=20)
@given(arrays(shapes(min_dims=2, max_dims=2)))
def test_log_softmax_of_probabilities_is_not_mistaken_for_them(x):
    cross_entropy(log_softmax(x), np.zeros(len(x), int))


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss, mse_loss])
def test_targets_are_as_they_were_when_the_loss_was_computed(loss):
    rows = np.eye(3)[:2]
    scores = Tensor(np.full((2, 3), -1.0), requires_grad=True)
    loss(scores * 1.0, rows.copy()).backward()
    expected, scores.grad = scores.grad, None
    for change in (lambda t: t.data.__imul__(0.5), lambda t: setattr(t, "data", 0.5 * t.data)):
        targets = Tensor(rows)
        value = loss(scores * 1.0, targets)
        change(targets)
        value.backward()
        np.testing.assert_array_equal(scores.grad, expected)
        scores.zero_grad()


@pytest.mark.parametrize("loss", [hinge, multiclass_hinge])
def test_a_margin_is_not_learned(loss):
    scores = [[1.0, 2.0]] if loss is multiclass_hinge else [1.0]
    margin = Tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"cut off.*margin.*t\.detach\(\)"):
        loss(scores, [1], margin=margin)
    assert loss(scores, [1], margin=margin.detach()) == loss(scores, [1])


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 2, 0], [0, 1, 0, 1], [[0], [1], [0], [1]], [[0.0], [1.0], [0.0], [1.0]]],
    ids=str,
)
def test_one_score_for_each_example_is_no_row_of_classes(labels):
    scores = np.zeros(np.shape(labels))
    with pytest.raises(ValueError, match=r"binary_cross_entropy_with_logits\(.*rows? of K scores"):
        cross_entropy(scores, labels)
    if np.max(labels) == 1:  # as the message says
        binary_cross_entropy_with_logits(scores, labels)
    assert cross_entropy(np.zeros((4, 3)), np.ravel(labels).astype(int)) == pytest.approx(np.log(3))


def unusual(kind):
    """Numbers of (2, 3) in a kind of array that is none of real numbers alone."""
    numbers = np.full((2, 3), 1 / 3)
    if kind == "masked":
        return np.ma.array(numbers, mask=numbers > 1)
    if kind == "matrix":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            return np.matrix(numbers)
    return {"text": numbers.astype(str), "object": np.full((2, 3), None), "complex": numbers * 1j}[
        kind
    ]


@pytest.mark.parametrize("kind", ["masked", "matrix", "text", "object", "complex"])
@pytest.mark.parametrize(
    "use",
    [
        lambda x: softmax(x),
        lambda x: sigmoid(x),
        lambda x: mse_loss(x, np.ones((2, 3))),
        lambda x: mse_loss(np.ones((2, 3)), x),
        lambda x: mse_loss(Tensor(np.ones((2, 3)), requires_grad=True), x),
        lambda x: cross_entropy(x, [0, 1]),
        lambda x: cross_entropy(np.zeros((2, 3)), x),
        lambda x: hinge(x, np.ones((2, 3))),
        lambda x: binary_cross_entropy_with_logits(np.zeros((2, 3)), x),
        lambda x: kl_divergence(x, np.full((2, 3), 1 / 3)),
        lambda x: Tensor(np.ones((2, 3)), requires_grad=True) * x,
        lambda x: setattr(Tensor(np.ones((2, 3)), requires_grad=True), "grad", x),
        lambda x: setattr(Tensor(np.ones((2, 3)), requires_grad=True), "data", x),
        lambda x: Tensor(x),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused_everywhere(use, kind):
    with pytest.raises(TypeError, match=r"[Mm]asked|matrix|dtype|numbers"):
        use(unusual(kind))


def test_masked_labels_and_indices_are_refused():
    labels = np.ma.array([0, 1], mask=[False, True])
    for use in (
        lambda: cross_entropy(np.zeros((2, 3)), labels),
        lambda: one_hot(labels, 3),
        lambda: Tensor([1.0, 2.0, 3.0])[labels],
    ):
        with pytest.raises(TypeError, match="masked array"):
            use()


# Checks of distributions, in every precision.

PRECISIONS = [(k, dtype) for k in (2, 10, 256, 1000, 10_000) for dtype in "efd"]


@pytest.mark.parametrize(("k", "dtype"), PRECISIONS)
@pytest.mark.parametrize("scores_dtype", "efd")
def test_rounded_distributions_pass_beside_scores_of_any_precision(k, dtype, scores_dtype):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, k)).astype(scores_dtype)
    for rows in (
        rng.dirichlet(np.ones(k), 20),
        rng.dirichlet(np.full(k, 0.01), 20),
        np.full((20, k), 1 / k),
        0.9 * one_hot(np.arange(20) % k, k) + 0.1 / k,
        softmax(5 * rng.normal(size=(20, k)).astype(dtype)),
    ):
        given = np.asfortranarray(rows.astype(dtype))  # which NumPy does not sum in pairs
        assert np.isfinite(cross_entropy(scores, given))
        assert np.isfinite(nll_loss(log_softmax(scores), given))
        assert abs(kl_divergence(given, given)) == 0


def test_distributions_may_be_written_with_seven_digits():
    cross_entropy([1.0, 2.0, 3.0], [0.3333333, 0.3333333, 0.3333333])
    with pytest.raises(ValueError, match="is a probability distribution"):
        cross_entropy([1.0, 2.0, 3.0], [0.33333, 0.33333, 0.33333])


@pytest.mark.parametrize(("k", "dtype"), PRECISIONS)
@pytest.mark.parametrize("scores_dtype", "efd")
@pytest.mark.parametrize("factor", [0.0, 0.5, 0.98, 1.02, 2.0])
def test_what_is_no_distribution_is_refused_in_any_precision(k, dtype, scores_dtype, factor):
    rng = np.random.default_rng(0)
    rows = (factor * rng.dirichlet(np.ones(k), 3)).astype(dtype)
    scores = rng.normal(size=(3, k)).astype(scores_dtype)
    for f in (
        lambda: cross_entropy(scores, rows),
        lambda: nll_loss(log_softmax(scores), rows),
        lambda: kl_divergence(rows, rows),
    ):
        with pytest.raises(ValueError, match="is a probability distribution"):
            f()


@pytest.mark.parametrize(("k", "dtype"), PRECISIONS)
def test_scores_are_taken_for_probabilities_only_if_they_are(k, dtype):
    labels = [0, 1]
    cross_entropy(np.zeros((2, k), dtype), labels)
    cross_entropy(np.full((2, k), 1.02 / k, dtype), labels)
    cross_entropy(np.ones((2, k), dtype), labels)
    probs = softmax(np.random.default_rng(0).normal(size=(2, k)).astype(dtype))
    with pytest.warns(UserWarning, match="as after a softmax"):
        cross_entropy(probs, labels)


@pytest.mark.parametrize(("k", "dtype"), PRECISIONS)
def test_a_logarithm_above_0_is_refused_in_any_precision(k, dtype):
    rows = log_softmax(np.random.default_rng(0).normal(size=(2, k)).astype(dtype))
    nll_loss(rows, [0, 1])
    nll_loss(np.log(softmax(rows)), [0, 1])
    rows[1, -1] = 0.02
    with pytest.raises(ValueError, match=r"goes up to 0\.02"):
        nll_loss(rows, [0, 1])


# Weights, and labels that are left out.


@each_loss
def test_weighted_examples_are_examples_that_come_more_often(loss):
    x, t = EXAMPLES[loss]
    often = [0, 1, 1, 2, 2, 2]
    more = [x[i] for i in often], [t[i] for i in often]
    for weights in [1, 2, 3], (1.0, 2.0, 3.0), np.array([1, 2, 3]), Tensor([1.0, 2.0, 3.0]):
        for reduction in "mean", "sum":
            found = loss(x, t, sample_weight=weights, reduction=reduction)
            assert found == pytest.approx(loss(*more, reduction=reduction), rel=1e-14)
    each = loss(x, t, sample_weight=[1, 2, 3], reduction="none")
    np.testing.assert_allclose(each, [1, 2, 3] * loss(x, t, reduction="none"))
    present = [x[0], x[2]], [t[0], t[2]]
    for mask in [True, False, True], [1, 0, 1]:
        assert loss(x, t, sample_weight=mask) == pytest.approx(loss(*present), rel=1e-14)


@each_loss
def test_a_single_example_has_a_single_weight(loss):
    x, t = EXAMPLES[loss]
    one = loss(x[0], t[0], reduction="none")
    assert loss(x[0], t[0], sample_weight=2.0) == pytest.approx(one) or np.ndim(one)
    if np.ndim(one) == 0:
        assert loss(x[0], t[0], sample_weight=2.0, reduction="sum") == pytest.approx(2 * one)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@each_loss
def test_weights_do_not_promote(loss, dtype):
    x, t = EXAMPLES[loss]
    all_options = [{"sample_weight": np.array([1.0, 2.0, 3.0])}]
    if loss in BINARY:
        all_options += [{"pos_weight": np.float64(2)}, {"pos_weight": np.array([1.0, 2.0, 3.0])}]
    if loss in (cross_entropy, nll_loss):
        all_options += [{"weight": np.array([1.0, 2.0])}, {"ignore_index": 0}]
    if loss is cross_entropy:
        all_options += [{"label_smoothing": np.float64(0.1)}]
    for options, reduction in itertools.product(all_options, REDUCE):
        predictions = Tensor(x, requires_grad=True, dtype=dtype)
        result = loss(predictions, t, reduction=reduction, **options)
        assert result.dtype == dtype
        result.sum().backward()
        assert predictions.grad.dtype == dtype
        exact = loss(np.array(x), t, reduction=reduction, **options)
        np.testing.assert_allclose(result.data, exact, rtol=4 * np.finfo(dtype).eps)


def test_large_weights_do_not_overflow_a_mean():
    x = np.ones(100_000, np.float16)
    assert mse_loss(x, 0 * x, sample_weight=np.full(len(x), 1e30)) == 1


@each_loss
@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0, -1.0, 1.0], ValueError, "sample_weight is made of finite numbers, not below 0"),
        ([1.0, np.nan, 1.0], ValueError, "sample_weight is made of finite numbers"),
        ([1.0, np.inf, 1.0], ValueError, "sample_weight is made of finite numbers"),
        (
            [1.0, 1.0],
            ValueError,
            r"one number for each example, shape \(3,\), but got shape \(2,\)$",
        ),
        ([[1.0], [1.0], [1.0]], ValueError, r"write np\.reshape\(sample_weight, \(3,\)\)"),
        (2.0, ValueError, r"shape \(3,\), but got shape \(\)"),
        ([0, 0, 0], ValueError, r"no example counts in this mean, 0 / 0.*reduction=\"sum\""),
        (["a", "b", "c"], TypeError, "dtype"),
        (Tensor([1.0, 1.0, 1.0], requires_grad=True), TypeError, r"The sample_weight.*detach\(\)"),
        (np.ma.array([1.0, 1.0, 1.0], mask=[0, 1, 0]), TypeError, "masked"),
    ],
    ids=str,
)
def test_weights_that_are_none(loss, weights, error, message):
    x, t = EXAMPLES[loss]
    with pytest.raises(error, match=message):
        loss(x, t, sample_weight=weights)
    column = np.array([[1.0], [2.0], [3.0]])
    loss(x, t, sample_weight=np.reshape(column, (3,)))  # as the message says
    assert loss(x, t, sample_weight=[0, 0, 0], reduction="sum") == 0


def test_empty_batches_are_refused_with_weights_too():
    with pytest.raises(ValueError, match="batch is empty"):
        mse_loss([], [], sample_weight=[])
    with pytest.raises(ValueError, match="batch is empty"):
        cross_entropy(np.zeros((0, 3)), [], weight=[1, 1, 1])
    assert mse_loss([], [], sample_weight=[], reduction="sum") == 0


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss])
def test_labels_are_left_out(loss):
    scores, labels = np.log([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]) - 0.1, [1, -100, 0]
    expected = loss(scores[[0, 2]], [1, 0])
    assert loss(scores, labels, ignore_index=-100) == pytest.approx(expected, rel=1e-15)
    assert loss(scores, labels, ignore_index=-100, reduction="none")[1] == 0
    z = Tensor(scores, requires_grad=True)
    loss(z, labels, ignore_index=-100).backward()
    assert z.grad[1].tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"leave -100 out: pass ignore_index=-100$"):
        loss(scores, labels)
    with pytest.raises(ValueError, match=r"number the classes from 0$"):
        loss(scores, [1, 2, 0])
    for nothing in ({"ignore_index": 0}, {"weight": [0, 1]}):
        with pytest.raises(ValueError, match=r"no example counts.*reduction=\"sum\""):
            loss(scores, [0, 0, 0], **nothing)
        assert loss(scores, [0, 0, 0], reduction="sum", **nothing) == 0
    with pytest.raises(TypeError, match="integers"):
        loss(scores, [1.0, -100.0, 0.0], ignore_index=-100)
    with pytest.raises(ValueError, match="from 0 to 1"):
        loss(scores, [1, -1, 0], ignore_index=-100)
    learned = Tensor([1.0, 1.0, 0.0], requires_grad=True)
    with pytest.raises(TypeError, match="Targets are data"):
        loss(scores, learned, ignore_index=-100)


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weight": [1.0]}, ValueError, r"for each of 2 classes, but got shape \(1,\)"),
        ({"weight": 1.0}, ValueError, r"for each of 2 classes, but got shape \(\)"),
        ({"weight": [1.0, -1.0]}, ValueError, "weight is made of finite numbers"),
        ({"weight": [1.0, np.nan]}, ValueError, "weight is made of finite numbers"),
        ({"weight": Tensor([1.0, 1.0], True)}, TypeError, r"The weight of a loss.*detach\(\)"),
        ({"ignore_index": 1.0}, ValueError, "an integer, but got 1.0"),
        ({"label_smoothing": 1.5}, ValueError, "a share, from 0 to 1, but got 1.5"),
        ({"label_smoothing": np.nan}, ValueError, "a share, from 0 to 1, but got nan"),
    ],
    ids=str,
)
def test_options_that_are_none(loss, options, error, message):
    if loss is nll_loss and "label_smoothing" in options:
        error, message = TypeError, "label_smoothing"
    with pytest.raises(error, match=message):
        loss([[-1.0, -2.0]], [1], **options)


def test_rows_are_left_out_by_their_weight():
    scores, rows = np.array([[1.0, 2.0], [3.0, -1.0]]), np.eye(2)
    with pytest.raises(ValueError, match="rows of probabilities are left out by a sample_weight"):
        cross_entropy(scores, rows, ignore_index=1)
    assert cross_entropy(scores, rows, sample_weight=[1, 0]) == cross_entropy(scores[:1], rows[:1])


@pytest.mark.parametrize("loss", BINARY)
def test_pos_weight_that_is_none(loss):
    x = [[0.5, 0.25, 0.5], [0.5, 0.75, 0.5]]
    for wrong in ([1.0, 2.0], [[[1.0]]], np.ones((2, 1, 3))):
        with pytest.raises(ValueError, match=r"broadcast to the targets, \(2, 3\), but got shape"):
            loss(x, np.ones((2, 3)), pos_weight=wrong)
    with pytest.raises(ValueError, match="pos_weight is made of finite numbers"):
        loss(x, np.ones((2, 3)), pos_weight=-1)


@pytest.mark.parametrize("delta", [0, -1.0, np.nan, np.inf])
def test_a_wrong_delta_is_refused(delta):
    with pytest.raises(ValueError, match="delta is a finite number above 0"):
        huber_loss([1.0], [2.0], delta=delta)


def test_lines_for_names_of_pytorch_give_what_those_give():
    x, t, beta = np.array([0.25, 3.0]), np.array([0.0, 0.0]), 0.5
    with pytest.raises(AttributeError, match="write losses") as refusal:
        losses.smooth_l1_loss  # noqa: B018
    line = re.search("write (.*)", str(refusal.value))[1]
    names = {"losses": losses, "predictions": x, "targets": t, "beta": beta}
    expected = np.where(np.abs(x - t) < beta, (x - t) ** 2 / (2 * beta), np.abs(x - t) - beta / 2)
    assert eval(line, names) == pytest.approx(expected.mean())
