"""Targets and predictions, checked before a loss is computed from them.

Each check raises the error itself, so that the line that called the loss is close above in the
traceback. ``loss`` is the name of the loss, for the message.
"""

import warnings
from typing import Any

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.asides import checked
from tinygrad_edu.functional import as_floating, check_labels
from tinygrad_edu.inputs import as_array, check_dtype
from tinygrad_edu.modes import is_recording
from tinygrad_edu.tensor import Array, Tensor

IGNORING = ("cross_entropy", "nll_loss")  # they take ignore_index


def matching(loss: str, predictions: Any, targets: Any) -> Array:
    """Targets as an array of the shape and dtype of the predictions."""
    t = as_targets(targets)
    if t.dtype.kind not in "fiub":
        raise TypeError(f"{loss} takes targets that are numbers, but got dtype {t.dtype}")
    if t.shape != predictions.shape:
        advice = "give both the same shape"
        if t.size == predictions.size:
            advice = f"write np.reshape(targets, {predictions.shape})"
        raise ValueError(
            f"{loss} got predictions of shape {predictions.shape} and targets of shape {t.shape}. "
            "Each prediction has one target, and broadcasting would compare every one with every "
            f"other: {advice}"
        )
    return t.astype(predictions.dtype)


def margins(loss: str, scores: Any, targets: Any) -> Any:
    """``y * s`` for scores s and labels y in {-1, +1}: positive where the sign of s is right."""
    scores = as_floating(scores)
    y = matching(loss, scores, targets)
    _check_signs(loss, y)
    return y * scores


@checked
def _check_signs(loss: str, y: Array) -> None:
    """Refuse labels that are not -1 and +1."""
    if not np.all((y == 1) | (y == -1)):
        advice = "label the classes -1 and +1"
        if np.all((y == 0) | (y == 1)):
            advice = "turn 0 and 1 into -1 and +1, 2 * y - 1"
        raise ValueError(f"{loss} takes labels -1 and +1, but got {np.unique(y)[:5]}: {advice}")


def probabilities(loss: str, predictions: Any, targets: Any) -> Array:
    """Targets in [0, 1], of the shape and dtype of the predictions."""
    t = matching(loss, predictions, targets)
    _check_from_0_to_1(loss, t)
    return t


@checked
def _check_from_0_to_1(loss: str, t: Array) -> None:
    """Refuse targets outside of [0, 1]."""
    if t.size and not 0 <= t.min() <= t.max() <= 1:
        signs = np.all(np.abs(t) == 1)
        raise ValueError(
            f"{loss} takes targets from 0 to 1, but these go from {t.min():.4g} to {t.max():.4g}"
            + (": turn -1 and +1 into 0 and 1, (y + 1) / 2" if signs else "")
        )


def class_labels(loss: str, scores: Any, targets: Any) -> Array:
    """Class indices, one for each row of scores."""
    labels, shape = as_targets(targets), scores.shape
    if not shape or not shape[-1]:
        raise ValueError(
            f"{loss} takes rows of one score for each class, (N, K), but got shape {shape}"
        )
    rows = shape[:-1]
    if labels.shape != rows:
        advice = f": write np.reshape(targets, {rows})" if labels.size == np.prod(rows) else ""
        if labels.shape == shape:  # rows with a 1 at the class
            advice = ": write np.argmax(targets, axis=-1)"
        raise ValueError(
            f"{loss} got scores of shape {shape} and targets of shape {labels.shape}, but class "
            f"indices have shape {rows}, one for each row of scores{advice}"
        )
    check_labels(labels, shape[-1], loss in IGNORING)
    return labels.astype(int, copy=False)


def classes_or_rows(loss: str, scores: Any, targets: Any) -> Array:
    """Class indices, one for each row of scores, or rows of probabilities shaped as scores."""
    t = as_targets(targets)
    if t.shape != scores.shape or not t.shape or not t.shape[-1]:
        return class_labels(loss, scores, targets)
    check_dtype(t.dtype)  # astype would read text
    if t.ndim == 1 or t.shape[-1] == 1:
        _check_not_one_score(loss, t)
    distributions("targets", t)  # in the precision that they were given in
    return t.astype(scores.dtype)


@checked
def _check_not_one_score(loss: str, t: Array) -> None:
    """Refuse labels 0 and 1 where rows of probabilities have one number each."""
    labels = t.dtype.kind in "iub" or np.all((t == 0) | (t == 1))
    if labels and not np.all(t.sum(axis=-1) == 1):
        raise ValueError(
            f"{loss} got scores and labels of the one shape {t.shape}, one score for each example: "
            "for labels 0 and 1 write binary_cross_entropy_with_logits(scores, targets); for K "
            "classes give each example a row of K scores, (N, K)"
        )


@checked
def in_unit_interval(what: str, p: Array) -> None:
    """Refuse what is no probability."""
    if p.size and not 0 <= p.min() <= p.max() <= 1:
        raise ValueError(
            f"{what} are probabilities, but go from {p.min():.4g} to {p.max():.4g}: apply sigmoid "
            "to scores, or use binary_cross_entropy_with_logits(scores, targets)"
        )


@checked
def distributions(what: str, p: Array) -> None:
    """Refuse rows that are not probabilities with sum 1."""
    sums = _sums(p)
    apart = np.abs(sums - 1)
    if p.min(initial=0) >= 0 and apart.max(initial=0) <= _rounding(p):
        return
    worst = sums.reshape(-1)[np.argmax(apart)]
    raise ValueError(
        f"each row of {what} is a probability distribution, at least 0 and with sum 1, but the "
        f"smallest element is {p.min():.4g} and one row has sum {worst:.6g}: divide by the sum, "
        "x / x.sum(axis=-1, keepdims=True), or use softmax(scores)"
    )


@checked
def logarithms(log_probs: Array) -> None:
    """Refuse what is no logarithm of probabilities."""
    largest = log_probs.max(initial=0)
    if not largest <= _rounding(log_probs):
        raise ValueError(
            f"a log-probability is at most 0, but log_probs goes up to {largest:.4g}: pass "
            "log_softmax(scores), or pass the scores to cross_entropy"
        )


def possible(what: str, probs: Any, expected: Array) -> None:
    """Refuse to look for a gradient where the loss is infinite; as a value, infinity is right."""
    if isinstance(probs, Tensor) and probs.requires_grad and is_recording():
        _check_all(what, expected)


@checked
def _check_all(what: str, expected: Array) -> None:
    """Refuse probability 0 of what has happened."""
    if not expected.all():
        raise ValueError(
            f"{what} gives probability 0 to what has happened: the loss is infinite there, and has "
            "no gradient. Compute it from scores, which do not underflow, with "
            "binary_cross_entropy_with_logits or cross_entropy"
        )


def warn_of_sigmoid(logits: Any) -> None:
    """Warn of scores that have been through a sigmoid already."""
    if isinstance(logits, Tensor) and logits.op is ops.sigmoid:
        warnings.warn(
            "binary_cross_entropy_with_logits takes scores and applies sigmoid itself, but these "
            "are the result of sigmoid; leave it out, or write binary_cross_entropy",
            stacklevel=errors.level_of_the_user(),
        )


@checked
def warn_of_probabilities(x: Array) -> None:
    """Warn of scores that look as if they had been through a softmax."""
    if x.size == 0 or x.shape[-1] < 2 or x.item(x.argmin()) < 0:
        return
    if np.all(np.abs(_sums(x) - 1) <= _rounding(x)):
        warnings.warn(
            "cross_entropy takes scores, but every row here is at least 0 and has sum 1, as after "
            "a softmax; for probabilities write nll_loss(np.log(probs), targets)",
            stacklevel=errors.level_of_the_user(),
        )


def constant(what: str, value: Any) -> float:
    """A setting of a loss as a number; it is not learned."""
    if isinstance(value, Tensor) and value.requires_grad:
        raise errors.cut_off(value, f"The {what} of a loss is a number and is not learned")
    number = as_array(value)
    if number.ndim or number.dtype.kind not in "fiu":
        raise TypeError(f"The {what} of a loss is one number, but got {errors.short(value)}")
    return float(number)


def as_targets(targets: Any) -> Array:
    """Targets as an array; they are data."""
    if isinstance(targets, Tensor) and targets.requires_grad:
        advice = "Targets are data, and come second: loss(predictions, targets)"
        raise errors.cut_off(targets, advice)
    return as_array(targets)


def _sums(rows: Array) -> Array:
    """Sums over the last axis, without rounding errors of their own."""
    sums: Array = rows.sum(axis=-1, dtype=np.float64)
    return sums


def _rounding(rows: Any) -> float:
    """By how much rounding may put off the sum of a row.

    Never more than a hundredth, which no distribution of float16 is off.
    """
    eps = float(np.finfo(rows.dtype if rows.dtype.kind == "f" else np.float64).eps)
    return min(max(1e-6, 4 * int(rows.shape[-1]) * eps), 0.01)
