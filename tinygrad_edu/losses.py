"""Every loss of the lecture, composed from primitives: what is minimized, and nothing else.

Predictions are Tensors or arrays (then the loss is a NumPy number); targets are data: arrays, lists
or Tensors that require no gradient. Losses never broadcast one against the other. All take
``reduction``: "mean" (default) or "sum" over all terms, or "none" for each of them. A mean
over no example is refused. Results have the dtype of the predictions.
"""

import warnings
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.functional import (
    as_floating,
    class_indices,
    log_softmax,
    one_hot,
    relu,
    softplus,
)
from tinygrad_edu.modes import is_recording
from tinygrad_edu.tensor import Array, Tensor, plain

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "exponential",
    "hinge",
    "kl_divergence",
    "logistic",
    "mse_loss",
    "multiclass_hinge",
    "nll_loss",
    "zero_one",
]

# Margin losses. The margin is y * s, for a score s and a label y in {-1, +1}: it is positive where
# the score has the right sign.


def zero_one(scores: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """The error rate: 1 where the margin ``y * s`` is at most 0, else 0.

    ``scores`` and ``targets`` (labels -1 and +1) have one shape. A score of exactly 0 decides
    nothing and counts as an error. The derivative is 0 wherever it exists and is taken as 0 at the
    step: right, and useless for learning.

    >>> from tinygrad_edu.losses import zero_one
    >>> print(zero_one([2.0, -1.0, 0.5, -3.0], [1, 1, 1, -1]))
    0.25
    """
    return _reduce(np.heaviside(-_margins("zero_one", scores, targets), 1.0), reduction)


def logistic(scores: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """Log loss ``log(1 + exp(-y * s))``, the cross entropy of ``sigmoid(s)`` for the true label.

    ``scores`` and ``targets`` (labels -1 and +1) have one shape. Natural logarithm: log 2 at margin
    0. Differentiable everywhere, and finite for every finite score. Source: Hastie, Tibshirani and
    Friedman, The Elements of Statistical Learning, section 10.6.

    >>> from tinygrad_edu.losses import logistic
    >>> print(logistic([0.0, 1000.0], [1, 1], reduction="none").round(4))
    [0.6931 0.    ]
    """
    return _reduce(softplus(-_margins("logistic", scores, targets)), reduction)


def exponential(scores: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """Exponential loss ``exp(-y * s)``, the loss of AdaBoost.

    ``scores`` and ``targets`` (labels -1 and +1) have one shape. Differentiable everywhere;
    overflows to infinity, with NumPy's warning, where its value does: below a margin of -709 in
    float64. Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section
    10.4.

    >>> from tinygrad_edu.losses import exponential
    >>> print(exponential([0.0, 1.0], [1, -1], reduction="none").round(4))
    [1.     2.7183]
    """
    return _reduce(np.exp(-_margins("exponential", scores, targets)), reduction)


def hinge(scores: Any, targets: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """Hinge loss ``max(0, margin - y * s)``, the loss of the support vector machine.

    ``scores`` and ``targets`` (labels -1 and +1) have one shape. At the kink ``y * s = margin`` the
    derivative is taken as 0. Source: Cortes and Vapnik, Support-Vector Networks, 1995.

    >>> from tinygrad_edu.losses import hinge
    >>> print(hinge([2.0, 0.25, -1.0], [1, 1, 1], reduction="none"))
    [0.   0.75 2.  ]
    """
    return _reduce(relu(float(margin) - _margins("hinge", scores, targets)), reduction)


def multiclass_hinge(
    scores: Any, targets: Any, *, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """Multiclass hinge loss: the sum over wrong classes j of ``max(0, s_j - s_y + margin)``.

    ``scores``: (N, K), or (K,) for one example; ``targets``: class indices (N,), or one integer. At
    a kink the derivative is taken as 0. Source: Weston and Watkins, 1999, as in Stanford's CS231n.

    >>> from tinygrad_edu.losses import multiclass_hinge
    >>> print(multiclass_hinge([-2.85, 0.86, 0.28], 2).round(2))
    1.58
    """
    scores = _rows("multiclass_hinge", scores)
    labels = _labels("multiclass_hinge", scores, targets)
    wrong = 1 - one_hot(labels, scores.shape[-1], scores.dtype)
    slack = scores - np.expand_dims(_pick(scores, labels), -1) + float(margin)
    return _reduce(np.sum(wrong * relu(slack), axis=-1), reduction)


# Probabilistic losses.


def binary_cross_entropy(probs: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """``-(t * log p + (1 - t) * log(1 - p))`` for the probability ``p`` of the positive label.

    ``probs`` and ``targets``, both in [0, 1], have one shape; 0 * log 0 is 0. Where a target has
    probability 0 the loss is infinite and has no gradient: ValueError if ``probs`` requires one.
    Prefer ``binary_cross_entropy_with_logits``, which never meets a 0.

    >>> from tinygrad_edu.losses import binary_cross_entropy
    >>> print(binary_cross_entropy([0.5, 0.9], [0, 1], reduction="none").round(4))
    [0.6931 0.1054]
    """
    probs = as_floating(probs)
    t = _unit_interval("targets", _matching("binary_cross_entropy", probs, targets))
    _unit_interval("probs", plain(probs))
    _refuse_infinite_loss("probs", probs, (t > 0) & (plain(probs) == 0))
    _refuse_infinite_loss("probs", probs, (t < 1) & (plain(probs) == 1))
    with np.errstate(divide="ignore"):
        log_p = np.log(np.where(t > 0, probs, 1.0))
        log_not_p = np.log1p(-np.where(t < 1, probs, 0.0))
    return _reduce(-(t * log_p + (1.0 - t) * log_not_p), reduction)


def binary_cross_entropy_with_logits(logits: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """Binary cross entropy of ``p = sigmoid(logits)``: ``-(t * log p + (1 - t) * log(1 - p))``.

    ``logits`` (log-odds, any real number) and ``targets`` in [0, 1] have one shape. Written with
    ``-log sigmoid(z) = softplus(-z)`` and ``-log(1 - sigmoid(z)) = softplus(z)``, so that it is
    finite for every finite logit; the gradient is ``sigmoid(z) - t``.

    >>> from tinygrad_edu.losses import binary_cross_entropy_with_logits
    >>> print(binary_cross_entropy_with_logits([0.0, 1000.0], [0, 1], reduction="none").round(4))
    [0.6931 0.    ]
    """
    z = as_floating(logits)
    t = _unit_interval("targets", _matching("binary_cross_entropy_with_logits", z, targets))
    return _reduce(t * softplus(-z) + (1.0 - t) * softplus(z), reduction)


def cross_entropy(logits: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """Cross entropy of ``p = softmax(logits)``: ``-sum(t * log p)``, or ``-log p`` of the true
    class.

    ``logits``: scores (N, K), or (K,) for one example. ``targets``: class indices (N,), or rows (N,
    K) of probabilities, one-hot or soft. Finite for every finite logit; the gradient of the mean is
    ``(softmax(logits) - t) / N``. Warns if the logits look like probabilities, because then
    ``nll_loss`` of their logarithm is meant.

    >>> from tinygrad_edu.losses import cross_entropy
    >>> print(cross_entropy([-2.85, 0.86, 0.28], 2).round(2))
    1.04
    """
    logits = _rows("cross_entropy", logits)
    _warn_of_probabilities(plain(logits))
    return _nll("cross_entropy", log_softmax(logits), targets, reduction)


def nll_loss(log_probs: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """Negative log-likelihood: ``-log p`` of the true class, or ``-sum(t * log p)`` for rows of
    targets.

    ``log_probs``: logarithms of probabilities (N, K), as of ``log_softmax``, or (K,) for one
    example. ``targets``: class indices (N,), or rows (N, K) of probabilities, where 0 * log 0 is 0.

    >>> import numpy as np
    >>> from tinygrad_edu.losses import nll_loss
    >>> print(nll_loss(np.log([[0.25, 0.75], [0.5, 0.5]]), [1, 0], reduction="none").round(4))
    [0.2877 0.6931]
    """
    log_probs = _rows("nll_loss", log_probs)
    if plain(log_probs).max(initial=0) > _rounding(log_probs):
        raise ValueError(
            "a log-probability is at most 0, but log_probs goes up to "
            f"{plain(log_probs).max():.4g}: pass log_softmax(scores), or scores to cross_entropy"
        )
    return _nll("nll_loss", log_probs, targets, reduction)


def _nll(loss: str, log_probs: Any, targets: Any, reduction: str) -> Any:
    if np.shape(targets) == log_probs.shape:
        t = _distributions("targets", _data(targets, log_probs.dtype))
        return _reduce(-np.sum(t * np.where(t > 0, log_probs, 0.0), axis=-1), reduction)
    return _reduce(-_pick(log_probs, _labels(loss, log_probs, targets)), reduction)


def kl_divergence(p: Any, q: Any, *, reduction: str = "mean") -> Any:
    """Kullback-Leibler divergence of ``q`` from ``p``: ``sum(p * log(p / q))``.

    ``p`` and ``q``: probabilities (N, K), or (K,) for one pair; each row has sum 1. It is 0 only
    where the rows are equal, and no distance: swapping ``p`` and ``q`` changes it, and the triangle
    inequality fails. 0 * log 0 is 0, and its slope is taken as 0. Where ``q`` is 0 and ``p`` is
    not, it is infinite and has no gradient: ValueError if ``q`` requires one. Source: Kullback and
    Leibler, On Information and Sufficiency, 1951.

    >>> from tinygrad_edu.losses import kl_divergence
    >>> print(kl_divergence([0.5, 0.5], [0.25, 0.75]).round(4))
    0.1438
    >>> print(kl_divergence([0.25, 0.75], [0.5, 0.5]).round(4))
    0.1308
    """
    p, q = as_floating(p), as_floating(q)
    if isinstance(p, Tensor) and p.requires_grad:
        q = as_floating(q, p.dtype)
    p = as_floating(p, q.dtype)
    if p.shape != q.shape:
        raise ValueError(f"p has shape {p.shape} and q {q.shape}, but rows are compared one to one")
    present = _distributions("p", plain(p)) > 0
    _distributions("q", plain(q))
    _refuse_infinite_loss("q", q, present & (plain(q) == 0))
    with np.errstate(divide="ignore"):
        log_ratio = np.log(np.where(present, p, 1.0)) - np.log(np.where(present, q, 1.0))
    return _reduce(np.sum(p * log_ratio, axis=-1), reduction)


def mse_loss(predictions: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """Squared error ``(prediction - target) ** 2``, the mean over all elements by default.

    ``predictions`` and ``targets`` have one shape.

    >>> from tinygrad_edu.losses import mse_loss
    >>> print(mse_loss([1.0, 2.0], [1.0, 4.0]))
    2.0
    """
    predictions = as_floating(predictions)
    return _reduce(np.square(predictions - _matching("mse_loss", predictions, targets)), reduction)


# What losses share. Targets are checked before anything is computed.


def _data(targets: Any, dtype: Any = None) -> Array:
    """Targets as an array: they are given, and nothing is learned about them."""
    if isinstance(targets, Tensor) and targets.requires_grad:
        raise errors.cut_off(targets, "Targets are data and get no gradient")
    return np.asarray(plain(targets), dtype=dtype)


def _matching(loss: str, predictions: Any, targets: Any) -> Array:
    """Targets of the shape and dtype of the predictions."""
    t = _data(targets, predictions.dtype)
    if t.shape != predictions.shape:
        advice = "give both the same shape"
        if t.size == predictions.size:
            advice = f"write targets.reshape({predictions.shape})"
        raise ValueError(
            f"{loss} got predictions of shape {predictions.shape} and targets of shape {t.shape}. "
            "Each prediction has one target, and broadcasting would compare every one with every "
            f"other: {advice}"
        )
    return t


def _margins(loss: str, scores: Any, targets: Any) -> Any:
    """``y * s`` for labels y in {-1, +1}: positive where the sign of the score s is right."""
    scores = as_floating(scores)
    y = _matching(loss, scores, targets)
    if not np.all(np.abs(y) == 1):
        advice = "label the classes -1 and +1"
        if np.all((y == 0) | (y == 1)):
            advice = "turn 0 and 1 into -1 and +1, 2 * y - 1"
        raise ValueError(f"{loss} takes labels -1 and +1, but got {np.unique(y)[:5]}: {advice}")
    return y * scores


def _rows(loss: str, scores: Any) -> Any:
    """Scores with a last axis of classes."""
    scores = as_floating(scores)
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(
            f"{loss} takes rows of one score for each class, (N, K), but got shape {scores.shape}"
        )
    return scores


def _labels(loss: str, scores: Any, targets: Any) -> Array:
    """Class indices, one for each row of scores."""
    labels, rows = _data(targets), scores.shape[:-1]
    if labels.shape != rows:
        advice = f": write targets.reshape({rows})" if labels.size == np.prod(rows) else ""
        raise ValueError(
            f"{loss} got scores of shape {scores.shape} and targets of shape {labels.shape}, but "
            f"class indices have shape {rows}, one for each row of scores{advice}"
        )
    return class_indices(labels, scores.shape[-1])


def _pick(rows: Any, labels: Array) -> Any:
    """The element of each row that its label points at."""
    return rows[(*np.indices(labels.shape), labels)]


def _unit_interval(what: str, values: Array) -> Array:
    if values.size and not 0 <= values.min() <= values.max() <= 1:
        raise ValueError(
            f"{what} are probabilities, but go from {values.min():.4g} to {values.max():.4g}"
            + (": turn labels -1 and +1 into 0 and 1, (y + 1) / 2" if what == "targets" else "")
        )
    return values


def _distributions(what: str, rows: Array) -> Array:
    """``rows``, if each of them is a probability distribution."""
    sums = rows.sum(axis=-1)
    worst = sums.flat[np.argmax(np.abs(sums - 1))] if sums.size else 1.0
    if rows.min(initial=0) < 0 or not abs(worst - 1) <= _rounding(rows):
        raise ValueError(
            f"each row of {what} is a probability distribution, at least 0 and with sum 1, but the "
            f"smallest element is {rows.min():.4g} and one row has sum {worst:.6g}: divide by the "
            "sum, x / x.sum(axis=-1, keepdims=True), or use softmax(scores)"
        )
    return rows


def _rounding(rows: Any) -> float:
    """By how much rounding may put off a sum over the last axis."""
    return max(1e-6, 4 * int(rows.shape[-1]) * float(np.finfo(rows.dtype).eps))


def _refuse_infinite_loss(what: str, probs: Any, impossible: Array) -> None:
    """An infinite loss is right as a value, but it has no gradient."""
    if isinstance(probs, Tensor) and probs.requires_grad and is_recording() and impossible.any():
        raise ValueError(
            f"{what} gives probability 0 to what has happened: the loss is infinite there, and has "
            "no gradient. Compute it from scores, which do not underflow, with "
            "binary_cross_entropy_with_logits or cross_entropy"
        )


def _warn_of_probabilities(logits: Array) -> None:
    if logits.size == 0 or logits.shape[-1] < 2 or logits.flat[0] < 0 or logits.min() < 0:
        return
    if np.all(np.abs(logits.sum(axis=-1) - 1) <= _rounding(logits)):
        warnings.warn(
            "cross_entropy takes scores, but every row here is at least 0 and has sum 1, as after "
            "a softmax; for probabilities write nll_loss(np.log(probs), targets)",
            stacklevel=3,
        )


def _reduce(losses: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.sum(losses)
    if reduction != "mean":
        raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')
    if losses.size == 0:
        raise ValueError("the mean loss of no examples is 0 / 0: the batch is empty")
    return np.mean(losses)
