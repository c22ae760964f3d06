"""Every loss of the lecture, composed from primitives: what is minimized, and nothing else.

Predictions are Tensors or arrays (then the loss is a NumPy number); targets are data: arrays, lists
or Tensors that require no gradient. Losses never broadcast one against the other. All take
``reduction``: "mean" (default) or "sum" over all terms, or "none" for each of them. Results have
the dtype of the predictions.

All take ``sample_weight`` too, one number w for each example, (N,): its losses are multiplied by
it, all of its row if there are several, and a mean divides by the sum of the weights of all terms,
``sum(w * l) / sum(w)``.

All raise ValueError for another ``reduction``, for the mean of no example, and for weights that are
negative, not finite, of another shape, or of sum 0 in a mean; and TypeError for targets or weights
that are no numbers, or that require a gradient, which would be cut off.
"""

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backprop import plain
from tinygrad_edu.functional import (
    as_floating,
    largest,
    log_softmax,
    one_hot,
    relu,
    scoped,
    softplus,
)
from tinygrad_edu.modes import function_scope
from tinygrad_edu.other_names import LOSSES, getattr_of
from tinygrad_edu.targets import (
    class_labels,
    constant,
    distributions,
    in_unit_interval,
    logarithms,
    margins,
    matching,
    possible,
    probabilities,
    warn_of_probabilities,
    warn_of_sigmoid,
)
from tinygrad_edu.tensor import Tensor
from tinygrad_edu.weights import factors, weighted, weighted_targets

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "exponential",
    "hinge",
    "huber_loss",
    "kl_divergence",
    "l1_loss",
    "logistic",
    "mse_loss",
    "multiclass_hinge",
    "nll_loss",
    "zero_one",
]

if not TYPE_CHECKING:  # type checkers are to find these names wrong
    __getattr__ = getattr_of("losses", LOSSES, __all__)


# Margin losses. The margin is y * s, for a score s and a label y in {-1, +1}: it is positive where
# the score has the right sign.


@scoped
def zero_one(
    scores: Any, targets: Any, *, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """The error rate: 1 where the margin ``y * s`` is at most 0, else 0.

    ``scores`` and ``targets`` (labels -1 and +1) have one shape. A score of exactly 0 decides
    nothing and counts as an error. The derivative is 0 wherever it exists and is taken as 0 at the
    step: right, and useless for learning. Raises ValueError if the shapes differ or a label is
    another. Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section
    10.6.

    >>> from tinygrad_edu.losses import zero_one
    >>> print(zero_one([2.0, -1.0, 0.5, -3.0], [1, 1, 1, -1]))
    0.25
    """
    wrong = np.heaviside(-margins("zero_one", scores, targets), 1.0)
    return _reduce(wrong, reduction, sample_weight)


@scoped
def logistic(
    scores: Any, targets: Any, *, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Log loss ``log(1 + exp(-y * s))``, the cross entropy of ``sigmoid(s)`` for the true label.

    ``scores`` and ``targets`` (labels -1 and +1) have one shape. Natural logarithm: log 2 at margin
    0. Differentiable everywhere, and finite for every finite score. Raises ValueError if the shapes
    differ or a label is another. Source: Hastie, Tibshirani and Friedman, The Elements of
    Statistical Learning, section 10.6.

    >>> from tinygrad_edu.losses import logistic
    >>> print(logistic([0.0, 1000.0], [1, 1], reduction="none").round(4))
    [0.6931 0.    ]
    """
    return _reduce(softplus(-margins("logistic", scores, targets)), reduction, sample_weight)


@scoped
def exponential(
    scores: Any, targets: Any, *, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Exponential loss ``exp(-y * s)``, the loss of AdaBoost.

    ``scores`` and ``targets`` (labels -1 and +1) have one shape. Differentiable everywhere;
    overflows to infinity, with NumPy's warning, where its value does: below a margin of -709 in
    float64. Raises ValueError if the shapes differ or a label is another. Source: Hastie,
    Tibshirani and Friedman, The Elements of Statistical Learning, section 10.4.

    >>> from tinygrad_edu.losses import exponential
    >>> print(exponential([0.0, 1.0], [1, -1], reduction="none").round(4))
    [1.     2.7183]
    """
    return _reduce(np.exp(-margins("exponential", scores, targets)), reduction, sample_weight)


@scoped
def hinge(
    scores: Any,
    targets: Any,
    *,
    margin: float = 1.0,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Hinge loss ``max(0, margin - y * s)``, the loss of the support vector machine.

    ``scores`` and ``targets`` (labels -1 and +1) have one shape. At the kink ``y * s = margin`` the
    derivative is taken as 0. Raises ValueError if the shapes differ or a label is another. Source:
    Cortes and Vapnik, Support-Vector Networks, 1995.

    >>> from tinygrad_edu.losses import hinge
    >>> print(hinge([2.0, 0.25, -1.0], [1, 1, 1], reduction="none"))
    [0.   0.75 2.  ]
    """
    slack = constant("margin", margin) - margins("hinge", scores, targets)
    return _reduce(relu(slack), reduction, sample_weight)


@scoped
def multiclass_hinge(
    scores: Any,
    targets: Any,
    *,
    margin: float = 1.0,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Multiclass hinge loss: the sum over wrong classes j of ``max(0, s_j - s_y + margin)``.

    ``scores``: (N, K), or (K,) for one example; ``targets``: class indices (N,), or one integer. At
    a kink the derivative is taken as 0. Raises ValueError if the shapes do not fit or there is no
    such class, TypeError if classes are no integers. Source: Weston and Watkins, 1999, as in
    Stanford's CS231n.

    >>> from tinygrad_edu.losses import multiclass_hinge
    >>> print(multiclass_hinge([-2.85, 0.86, 0.28], 2).round(2))
    1.58
    """
    scores = as_floating(scores)
    labels = class_labels("multiclass_hinge", scores, targets)
    wrong = 1 - one_hot(labels, scores.shape[-1], scores.dtype)
    slack = scores - np.expand_dims(_pick(scores, labels), -1) + constant("margin", margin)
    return _reduce(np.sum(wrong * relu(slack), axis=-1), reduction, sample_weight)


# Probabilistic losses.


@scoped
def binary_cross_entropy(
    probs: Any,
    targets: Any,
    *,
    pos_weight: Any = None,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """``-(t * log p + (1 - t) * log(1 - p))`` for the probability ``p`` of the positive label.

    ``probs`` and ``targets``, both in [0, 1], have one shape; 0 * log 0 is 0. Where a target has
    probability 0 the loss is infinite and has no gradient: ValueError if ``probs`` requires one, as
    for shapes that differ and numbers outside [0, 1]. Prefer ``binary_cross_entropy_with_logits``,
    which never meets a 0; ``pos_weight`` as there. No kink. Source: Bishop, Pattern Recognition and
    Machine Learning, 2006, equation 4.90.

    >>> from tinygrad_edu.losses import binary_cross_entropy
    >>> print(binary_cross_entropy([0.5, 0.9], [0, 1], reduction="none").round(4))
    [0.6931 0.1054]
    """
    probs = as_floating(probs)
    t = probabilities("binary_cross_entropy", probs, targets)
    in_unit_interval("probs", plain(probs))
    possible("probs", probs, (t == 0) | (plain(probs) != 0))
    possible("probs", probs, (t == 1) | (plain(probs) != 1))
    with np.errstate(divide="ignore"):
        log_p = np.log(np.where(t > 0, probs, 1.0))
        log_not_p = np.log1p(-np.where(t < 1, probs, 0.0))
    loss = -(weighted(t, pos_weight) * log_p + (1.0 - t) * log_not_p)
    return _reduce(loss, reduction, sample_weight)


@scoped
def binary_cross_entropy_with_logits(
    logits: Any,
    targets: Any,
    *,
    pos_weight: Any = None,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Binary cross entropy of ``p = sigmoid(logits)``: ``-(t * log p + (1 - t) * log(1 - p))``.

    ``logits`` (log-odds, any real number) and ``targets`` in [0, 1] have one shape. Written with
    ``-log sigmoid(z) = softplus(-z)`` and ``-log(1 - sigmoid(z)) = softplus(z)``, so that it is
    finite for every finite logit; the gradient is ``sigmoid(z) - t``. ``pos_weight`` multiplies the
    first term, a number or numbers that broadcast to the targets; a mean divides by the number of
    terms as before, as in PyTorch. No kink. Raises ValueError if the shapes differ or a target is
    outside [0, 1]; warns if the logits are the result of sigmoid.
    Source: Bishop, Pattern Recognition and Machine Learning, 2006, equations 4.90 and 4.91.

    >>> from tinygrad_edu.losses import binary_cross_entropy_with_logits
    >>> print(binary_cross_entropy_with_logits([0.0, 1000.0], [0, 1], reduction="none").round(4))
    [0.6931 0.    ]
    """
    z = as_floating(logits)
    t = probabilities("binary_cross_entropy_with_logits", z, targets)
    warn_of_sigmoid(z)
    loss = weighted(t, pos_weight) * softplus(-z) + (1.0 - t) * softplus(z)
    return _reduce(loss, reduction, sample_weight)


@scoped
def cross_entropy(
    logits: Any,
    targets: Any,
    *,
    weight: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Cross entropy of ``p = softmax(logits)``: ``-sum(t * log p)``; for classes, ``-log p[t]``.

    ``logits``: scores (N, K), or (K,) for one example. ``targets``: class indices (N,), or rows (N,
    K) of probabilities, one-hot or soft. Finite for every finite logit; the gradient of the mean is
    ``(softmax(logits) - t) / N``. Warns if the logits look like probabilities, because then
    ``nll_loss`` of their logarithm is meant. No kink. Raises ValueError if the shapes do not fit,
    there is no such class or a row is no distribution, TypeError if classes are no integers.

    As in PyTorch, ``label_smoothing`` e mixes t with equal shares, ``(1 - e) * t + e / K``;
    ``weight``, (K,), multiplies each ``t * log p``; examples with the label ``ignore_index`` are
    left out: 0 in the sum. For class indices, a mean divides by the sum of ``weight[t]`` of those
    that are not left out, for rows by N.

    Source: Bishop, Pattern Recognition and Machine Learning, 2006, equations 4.108 and 4.109.

    >>> from tinygrad_edu.losses import cross_entropy
    >>> print(cross_entropy([-2.85, 0.86, 0.28], 2).round(2))
    1.04
    """
    logits = as_floating(logits)
    t, counts = weighted_targets(
        "cross_entropy", logits, targets, weight, ignore_index, label_smoothing
    )
    warn_of_probabilities(plain(logits))
    if t.dtype.kind == "f":
        return _reduce(-_expected(log_softmax(logits), t), reduction, sample_weight, counts)
    shifted = logits - largest(logits, -1)  # -log p[t] is log(sum(exp(s))) - s[t]: two passes less
    loss = np.log(np.exp(shifted).sum(axis=-1)) - _expected(shifted, t)
    return _reduce(loss, reduction, sample_weight)


@scoped
def nll_loss(
    log_probs: Any,
    targets: Any,
    *,
    weight: Any = None,
    ignore_index: int | None = None,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Negative log-likelihood: ``-log p`` of the true class; for rows, ``-sum(t * log p)``.

    ``log_probs``: logarithms of probabilities (N, K), as of ``log_softmax``, or (K,) for one
    example. ``targets``: class indices (N,), or rows (N, K) of probabilities, where 0 * log 0 is 0.
    ``weight`` and ``ignore_index`` as in ``cross_entropy``. No kink. Raises as ``cross_entropy``,
    and ValueError if a logarithm is positive. Source: Bishop, Pattern Recognition and Machine
    Learning, 2006, equation 4.108.

    >>> import numpy as np
    >>> from tinygrad_edu.losses import nll_loss
    >>> print(nll_loss(np.log([[0.25, 0.75], [0.5, 0.5]]), [1, 0], reduction="none").round(4))
    [0.2877 0.6931]
    """
    log_probs = as_floating(log_probs)
    t, counts = weighted_targets("nll_loss", log_probs, targets, weight, ignore_index)
    logarithms(plain(log_probs))
    return _reduce(-_expected(log_probs, t), reduction, sample_weight, counts)


@overload
def kl_divergence(
    p: Tensor, q: Any, *, sample_weight: Any = None, reduction: str = "mean"
) -> Tensor: ...
@overload
def kl_divergence(
    p: Any, q: Tensor, *, sample_weight: Any = None, reduction: str = "mean"
) -> Tensor: ...
@overload
def kl_divergence(p: Any, q: Any, *, sample_weight: Any = None, reduction: str = "mean") -> Any: ...
def kl_divergence(p: Any, q: Any, *, sample_weight: Any = None, reduction: str = "mean") -> Any:
    """Kullback-Leibler divergence of ``q`` from ``p``: ``sum(p * log(p / q))``.

    ``p`` and ``q``: probabilities (N, K), or (K,) for one pair; each row has sum 1. It is 0 only
    where the rows are equal, and no distance: swapping ``p`` and ``q`` changes it, and the triangle
    inequality fails. 0 * log 0 is 0, and its slope is taken as 0. Where ``q`` is 0 and ``p`` is
    not, it is infinite and has no gradient: ValueError if ``q`` requires one, as for shapes that
    differ and rows that are no distributions. Source: Kullback and Leibler, On Information and
    Sufficiency, 1951.

    >>> from tinygrad_edu.losses import kl_divergence
    >>> print(kl_divergence([0.5, 0.5], [0.25, 0.75]).round(4))
    0.1438
    >>> print(kl_divergence([0.25, 0.75], [0.5, 0.5]).round(4))
    0.1308
    """
    p, q = as_floating(p), as_floating(q)
    if p.shape != q.shape or p.ndim == 0:
        raise ValueError(
            f"p has shape {p.shape} and q {q.shape}, but rows of probabilities, (N, K), are "
            "compared one to one: give both the same shape"
        )
    distributions("p", plain(p))  # in the precision that they were given in
    distributions("q", plain(q))
    if isinstance(p, Tensor) and p.requires_grad:
        q = as_floating(q, p.dtype)
    p = as_floating(p, q.dtype)
    present = plain(p) > 0
    possible("q", q, ~present | (plain(q) != 0))
    with function_scope("kl_divergence"):
        with np.errstate(divide="ignore"):
            log_ratio = np.log(np.where(present, p, 1.0)) - np.log(np.where(present, q, 1.0))
        return _reduce(np.sum(p * log_ratio, axis=-1), reduction, sample_weight)


@scoped
def mse_loss(
    predictions: Any, targets: Any, *, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Squared error ``(prediction - target) ** 2``, the mean over all elements by default.

    ``predictions`` and ``targets`` have one shape: ValueError if not. No kink. Source: Legendre,
    Nouvelles méthodes pour la détermination des orbites des comètes, 1805 (least squares).

    >>> from tinygrad_edu.losses import mse_loss
    >>> print(mse_loss([1.0, 2.0], [1.0, 4.0]))
    2.0
    """
    predictions = as_floating(predictions)
    targets = matching("mse_loss", predictions, targets)
    return _reduce(np.square(predictions - targets), reduction, sample_weight)


@scoped
def l1_loss(
    predictions: Any, targets: Any, *, sample_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Absolute error ``|prediction - target|``, the mean over all elements by default.

    ``predictions`` and ``targets`` have one shape: ValueError if not. At the kink, where they are
    equal, the derivative is taken as 0. Source: Laplace, 1793 (least absolute deviations).

    >>> from tinygrad_edu.losses import l1_loss
    >>> print(l1_loss([1.0, 2.0], [1.0, 4.0]))
    1.0
    """
    predictions = as_floating(predictions)
    targets = matching("l1_loss", predictions, targets)
    return _reduce(np.abs(predictions - targets), reduction, sample_weight)


@scoped
def huber_loss(
    predictions: Any,
    targets: Any,
    *,
    delta: float = 1.0,
    sample_weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Squared error near the target, absolute error far away: outliers pull no harder than others.

    For the difference d it is ``d**2 / 2`` where ``|d| <= delta``, else ``delta * (|d| - delta /
    2)``: its slope is d, and stays at delta. ``predictions`` and ``targets`` have one shape:
    ValueError if not, or if ``delta`` is no number above 0. No kink; at ``|d| = delta`` the second
    derivative is taken as that inside, 1. Source: Huber, Robust Estimation of a Location Parameter,
    1964.

    >>> from tinygrad_edu.losses import huber_loss
    >>> print(huber_loss([1.5, 4.0], [1.0, 1.0], reduction="none"))
    [0.125 2.5  ]
    """
    predictions = as_floating(predictions)
    delta = constant("delta", delta)
    if not 0 < delta < np.inf:
        raise ValueError(f"delta is a finite number above 0, but got {delta}")
    difference = predictions - matching("huber_loss", predictions, targets)
    inside = np.abs(difference) <= delta
    near = np.where(inside, difference, delta * np.sign(difference))
    return _reduce(near * (difference - near / 2), reduction, sample_weight)


def _expected(rows: Any, t: Any) -> Any:
    """The element of each row that belongs to class t, or the mean of each row, weighted by t."""
    if t.dtype.kind == "f":
        return np.sum(t * np.where(t > 0, rows, 0.0), axis=-1)  # 0 * -inf is 0 here
    return _pick(rows, t)


def _pick(rows: Any, labels: Any) -> Any:
    """The element of each row that its label points at."""
    places = (np.arange(len(labels)),) if labels.ndim == 1 else np.indices(labels.shape)
    return rows[(*places, labels)]


def _reduce(losses: Any, reduction: str, sample_weight: Any = None, counts: Any = None) -> Any:
    """The losses, their sum or their mean, in which each counts 1, or ``counts``."""
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction is "mean", "sum" or "none", not {errors.short(reduction)}')
    if sample_weight is not None or counts is not None:
        losses = losses * factors(losses, sample_weight, counts, reduction == "mean")
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    if losses.size == 0:
        raise ValueError("the mean loss of no examples is 0 / 0: the batch is empty")
    return losses.mean()
