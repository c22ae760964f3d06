"""Weights of classes and of examples, labels that are left out, and smoothed ones, checked."""

from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.asides import checked
from tinygrad_edu.functional import one_hot
from tinygrad_edu.inputs import as_array, check_dtype
from tinygrad_edu.targets import as_targets, classes_or_rows, constant
from tinygrad_edu.tensor import Array, Tensor


def weighted_targets(
    loss: str,
    scores: Any,
    targets: Any,
    weight: Any,
    ignore_index: int | None,
    label_smoothing: float = 0.0,
) -> tuple[Array, Array | None]:
    """Class indices, or rows of what multiplies -log p; and what each example counts in a mean.

    With options, class indices become rows, too. None stands for counts of 1.
    """
    if type(label_smoothing) is not float or label_smoothing != 0.0:
        label_smoothing = constant("label_smoothing", label_smoothing)
    if weight is None and ignore_index is None and label_smoothing == 0:
        return classes_or_rows(loss, scores, targets), None
    t = as_targets(targets)
    check_dtype(t.dtype)
    kept = np.ones(t.shape, bool)
    if ignore_index is not None:
        if (
            t.shape == scores.shape
            or type(ignore_index) is bool
            or not isinstance(ignore_index, int | np.integer)
        ):
            raise ValueError(
                f"{loss} leaves out the label ignore_index, an integer, but got "
                f"{errors.short(ignore_index)} and targets of shape {t.shape}; rows of "
                "probabilities are left out by a sample_weight of 0"
            )
        kept = t != ignore_index
        t = np.where(kept, t, t.dtype.type(0))
    t = classes_or_rows(loss, scores, t)
    classes = scores.shape[-1]
    of_class = _weights("weight", np.ones(classes) if weight is None else weight)
    if of_class.shape != (classes,):
        raise ValueError(
            f"weight has one number for each of {classes} classes, but got shape {of_class.shape}"
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"label_smoothing is a share, from 0 to 1, but got {errors.short(label_smoothing)}"
        )
    counts = None
    factor = of_class
    if t.dtype.kind != "f":
        factor = kept[..., None] * of_class
        t = one_hot(t, classes)
        counts = kept * (t @ of_class)
    t = (1 - label_smoothing) * t + label_smoothing / classes
    return (factor * t).astype(scores.dtype), counts


def weighted(t: Array, pos_weight: Any) -> Array:
    """Binary targets, those of the positive label multiplied by its weight."""
    if pos_weight is None:
        return t
    weights = _weights("pos_weight", pos_weight)
    try:
        factor: Array = np.broadcast_to(weights, t.shape).astype(t.dtype)
    except ValueError:
        raise ValueError(
            f"pos_weight is a number, or numbers that broadcast to the targets, {t.shape}, but got "
            f"shape {weights.shape}"
        ) from None
    return factor * t


def factors(losses: Any, sample_weight: Any, counts: Array | None, mean: bool) -> Array:
    """What to multiply losses by; for a mean, so that the plain mean divides by all weights."""
    w = np.ones(losses.shape[:1])
    if sample_weight is not None:
        given = _weights("sample_weight", sample_weight)
        if given.shape != w.shape:
            advice = f": write np.reshape(sample_weight, {w.shape})" if given.size == w.size else ""
            raise ValueError(
                f"sample_weight has one number for each example, shape {w.shape}, but got shape "
                f"{given.shape}{advice}"
            )
        w = given
    w = w.reshape(w.shape + (1,) * (losses.ndim - w.ndim))
    if mean and losses.size:
        total = np.mean(w if counts is None else w * counts)  # broadcasting changes no mean
        _check_total(total)
        w = w / total
    return w.astype(losses.dtype)


@checked
def _check_total(total: float) -> None:
    """Refuse weights and labels of which none counts in a mean."""
    if total == 0:
        raise ValueError(
            "no example counts in this mean, 0 / 0: all weights are 0, or all labels are left out. "
            'Skip the batch, or write reduction="sum", which is 0 here'
        )


def _weights(what: str, values: Any) -> Array:
    """Weights as an array; they are not learned."""
    if isinstance(values, Tensor) and values.requires_grad:
        raise errors.cut_off(values, f"The {what} of a loss is data and is not learned")
    weights = as_array(values)
    check_dtype(weights.dtype)
    _check_weights(what, weights)
    return weights.astype(float)


@checked
def _check_weights(what: str, weights: Array) -> None:
    """Refuse weights that are not finite, or below 0."""
    if weights.size and not 0 <= weights.min() <= weights.max() < np.inf:
        raise ValueError(
            f"{what} is made of finite numbers, not below 0, but these go from "
            f"{weights.min():.4g} to {weights.max():.4g}"
        )
