"""A linear classifier for scikit-learn that learns through the Tensors and losses of this package.

It needs scikit-learn (1.6 or newer), so ``import tinygrad_edu`` does not import it: write ``from
tinygrad_edu.classifier import LinearClassifier``.
"""

# scikit-learn has no type annotations, and calls the examples X.
# mypy: disable-error-code="import-untyped, misc, no-any-return, untyped-decorator"
# ruff: noqa: N803, N806

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from functools import partial as with_arguments
from numbers import Integral, Real
from typing import Any, Self

import numpy as np

from tinygrad_edu import errors, losses
from tinygrad_edu.compiling import jit
from tinygrad_edu.data import Minibatches, minibatches
from tinygrad_edu.functional import log_softmax, one_hot, softplus
from tinygrad_edu.inputs import as_array, check_dtype
from tinygrad_edu.optim import SGD
from tinygrad_edu.tensor import Array, Tensor

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import LabelEncoder
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        f"LinearClassifier needs scikit-learn, 1.6 or newer ({error}): "
        "pip install 'scikit-learn>=1.6'"
    ) from error

WORTH_WRITING = 500  # steps: from so many on, a program of the step is faster than the steps
ONE_VS_REST = ("exponential", "hinge", "logistic", "mse_loss")  # targets -1 and +1, as scores
ONE_OF_ALL = ("cross_entropy", "multiclass_hinge")  # scores (N, K), class indices (N,)
STOPPED_BY = (False, True, "loss", "accuracy")
SCORED_AT_ONCE = 1000  # examples, for bytes that become floating point may not fit into memory

# Type and range of every parameter but random_state, and what they are in words.
PARAMETERS: dict[str, tuple[Any, Callable[[Any], bool], str]] = {
    "loss": (
        object,
        lambda v: callable(v) or (isinstance(v, str) and v in (*ONE_OF_ALL, *ONE_VS_REST)),
        f"a function of scores and targets, or one of {', '.join((*ONE_OF_ALL, *ONE_VS_REST))} "
        "(scikit-learn's log_loss is cross_entropy or logistic here, its squared_error mse_loss)",
    ),
    "learning_rate": (
        object,
        lambda v: callable(v) or (isinstance(v, Real) and 0 < float(v) < np.inf),
        "a positive number, or a schedule of the steps 0, 1, 2, ...",
    ),
    "batch_size": (Integral, lambda v: v >= 1, "an integer of at least 1"),
    "max_iter": (Integral, lambda v: v >= 1, "an integer of at least 1"),
    "momentum": (Real, lambda v: 0 <= v < 1, "a number from 0 to less than 1"),
    "alpha": (Real, lambda v: 0 <= v < np.inf, "0 or a positive number"),
    "class_weight": (
        Mapping | str | None,
        lambda v: not isinstance(v, str) or v == "balanced",
        'None, "balanced" or a dict of labels and numbers',
    ),
    "early_stopping": (bool | str, STOPPED_BY.__contains__, 'False, True, "loss" or "accuracy"'),
    "validation_fraction": (Real, lambda v: 0 < v < 1, "a number between 0 and 1"),
    "n_iter_no_change": (Integral, lambda v: v >= 1, "an integer of at least 1"),
    "tol": (Real | None, lambda v: v is None or 0 <= v < np.inf, "0, a positive number or None"),
    "shuffle": (bool | np.bool_, lambda _: True, "True or False"),
    "callback": (object, lambda v: v is None or callable(v), "a function or None"),
}


def _function(loss: Any) -> Any:
    return getattr(losses, loss) if isinstance(loss, str) else loss


def _gives_probabilities(self: LinearClassifier) -> bool:
    return _function(self.loss) in (losses.cross_entropy, losses.logistic)


class LinearClassifier(ClassifierMixin, BaseEstimator):
    """Scores ``X @ coef_.T + intercept_``, learned by mini-batch SGD: the highest one decides.

    Parameters
    ----------
    loss : str or function
        "cross_entropy" or "multiclass_hinge", of all scores of an example at once; "logistic",
        "hinge", "exponential" or "mse_loss", the sum over classes of each against the rest, with
        targets -1 and +1; or a function of scores (N, K), a Tensor, and class indices (N,) that
        gives the mean loss, a Tensor, and with weights takes ``sample_weight=``, as those here do.
    learning_rate : float or function
        The step size; or a schedule, a function of how many steps were done before: 0, 1, 2, ...
    batch_size, max_iter : int
        Examples in a step; and at most so many epochs, passes over all examples.
    momentum : float
        As in ``optim.SGD``.
    alpha : float
        The L2 penalty ``alpha / 2 * (coef_ ** 2).sum()`` is added to the mean loss. It is
        SGDClassifier's alpha, and 1 / (C * N) of LogisticRegression; for "mse_loss", twice
        SGDClassifier's, whose loss is half of that.
    class_weight : "balanced", dict of labels and numbers, or None
        What an example of a class counts, else 1; "balanced" lets all classes count the same.
    early_stopping, validation_fraction : False, "loss" (or True) or "accuracy", and float
        Hold out a share of each class, stop by the loss or the accuracy there, and restore the best
        weights. The accuracy of few examples stands still while the loss falls, and stops too soon.
    n_iter_no_change, tol : int, and float or None
        Training ends after so many epochs in a row that were not better than the best by ``tol``,
        in training or as held out; with ``tol=None``, after ``max_iter``.
    shuffle, random_state : bool, and int, RandomState or None
        A new order in each epoch; the seed of that, and of what is held out.
    callback : function or None
        Called with the estimator after each epoch; it may change ``learning_rate``. True: stop.

    Attributes
    ----------
    coef_, intercept_ : arrays (K, F) and (K,)
        For K classes and F features; float32 if ``X`` is, else float64. For two classes (1, F) and
        (1,): one score s, positive for the second class. A loss of scores (N, K) then gets ``(-s /
        2, s / 2)``, so that "cross_entropy" is "logistic", and "multiclass_hinge" is "hinge".
    classes_, n_features_in_, feature_names_in_ : as ever
    n_iter_, n_steps_, best_iteration_ : int
        Epochs and steps done, since the first ``partial_fit``; the epoch that gave these weights.
    loss_curve_, validation_scores_ : list, and list or None
        For each epoch the mean loss in training, with the penalty; accuracy or -loss held out.

    Notes
    -----
    Raises ValueError for what is out of range, a single class, or what scikit-learn refuses;
    TypeError if ``loss`` gives no Tensor or ``X`` is sparse (write ``X.toarray()``);
    FloatingPointError if training diverges. An error or Ctrl-C leaves the estimator as it was.
    Warns (ConvergenceWarning) if ``max_iter`` came before the end, or the loss has doubled.

    Losses are multiplied by ``sample_weight`` and by the weight of the class. ``fit`` divides that
    by its mean; ``partial_fit`` does not. What has weight 0 is as if it were not there.

    An array ``X`` is read once to check it, and then in batches, which become floating point one by
    one; it may be a ``np.memmap`` larger than memory. Only what is held out is copied.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from tinygrad_edu.classifier import LinearClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LinearClassifier(alpha=0.1, random_state=0))
    >>> print(f"{model.fit(X, y).score(X, y):.2f}")
    0.99
    """

    loss_curve_: list[float]
    _velocity: dict[str, Array] | None

    def __init__(
        self,
        loss: str | Callable[..., Tensor] = "cross_entropy",
        learning_rate: float | Callable[[int], float] = 0.1,
        batch_size: int = 32,
        max_iter: int = 100,
        momentum: float = 0.0,
        alpha: float = 0.0,
        class_weight: str | Mapping[Any, float] | None = None,
        early_stopping: bool | str = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        tol: float | None = 1e-4,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        callback: Callable[[LinearClassifier], Any] | None = None,
    ) -> None:
        self.loss = loss
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.momentum = momentum
        self.alpha = alpha
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.shuffle = shuffle
        self.random_state = random_state
        self.callback = callback

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from examples ``X`` (N, F) and their labels ``y`` (N,), numbers or strings.

        ``sample_weight`` (N,): what each counts. Gives back the estimator itself.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Make one pass over these examples, in mini-batches, starting from the weights there are.

        ``classes``: all labels that there will ever be, required by the first call. Momentum is
        carried over. Raises ValueError if ``classes`` are missing at first or others later, for a
        label that is none of them, and with settings that need all examples at once.
        """
        resume = hasattr(self, "coef_")
        if not resume and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit")
        if resume and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes were {self.classes_} before, but now are {classes}")
        return self._fit(X, y, sample_weight, self.classes_ if resume else classes)

    def decision_function(self, X: Any) -> Array:
        """Scores (N, K), or (N,) of two classes: positive for ``classes_[1]``.

        Raises NotFittedError before ``fit``, ValueError if ``X`` is not (N, F) as there.
        """
        check_is_fitted(self, "coef_")
        X = validate_data(self, X, reset=False)
        scores = self._scores(X)
        return scores if len(self.classes_) > 2 else scores[:, 0]

    def predict(self, X: Any) -> Array:
        """The labels (N,) with the highest scores. Raises as ``decision_function`` does."""
        scores = self.decision_function(X)
        return self.classes_[scores.argmax(axis=1) if scores.ndim > 1 else (scores > 0).astype(int)]

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Probabilities (N, K), in the order of ``classes_``; each row has sum 1.

        They are softmax for "cross_entropy"; for "logistic" sigmoid, divided by the sum over
        classes. Raises as ``decision_function`` does, and AttributeError for any other loss.
        """
        return np.exp(self.predict_log_proba(X))

    @available_if(_gives_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Logarithms of probabilities, finite where those are 0. Raises as ``predict_proba``."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = _for_each_class(scores[:, np.newaxis])
        elif _function(self.loss) is losses.logistic:
            scores = -softplus(-scores)  # log sigmoid; softmax divides the sigmoids by their sum
        return log_softmax(scores)

    def _scores(self, X: Array) -> Array:
        """Scores (N, K), or (N, 1) of two classes."""
        parts = minibatches(X, batch_size=SCORED_AT_ONCE, shuffle=False)
        return np.concatenate([part @ self.coef_.T + self.intercept_ for part in parts])

    def _fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        """Learn; with ``classes``, in one pass from the weights there are."""
        for name, (kind, allowed, words) in PARAMETERS.items():
            value = getattr(self, name)
            if not (isinstance(value, kind) and allowed(value)):
                raise ValueError(
                    f"The {name!r} parameter of LinearClassifier must be {words}. Got "
                    f"{errors.short(value)} instead."
                )
        before = vars(self).copy()
        partial = classes is not None
        if partial and (self.early_stopping or self.class_weight == "balanced"):
            raise ValueError('early_stopping and "balanced" need all examples: use fit instead')
        resume = partial and hasattr(self, "coef_")
        try:
            X, y = validate_data(self, X, y, reset=not resume)
            y = self._class_indices(y, classes if partial else y)
            w = self._weights(y, sample_weight, partial)
            if not resume:
                count = len(self.classes_) if len(self.classes_) > 2 else 1
                dtype = X.dtype if X.dtype in (np.float32, np.float64) else np.float64
                self.coef_ = np.zeros((count, X.shape[1]), dtype)
                self.intercept_ = np.zeros(count, dtype)
                self.n_iter_ = self.n_steps_ = 0
            self.loss_curve_ = self.loss_curve_.copy() if resume else []
            parameters = [Tensor(p, requires_grad=True) for p in (self.coef_, self.intercept_)]
            sgd = SGD(parameters, 0.0, self.momentum)
            if resume and self._velocity:
                sgd.load_state_dict(self._velocity)
            self._train(X, y, w, sgd, partial)
            self._velocity = sgd.state_dict() if partial and self.momentum else None
        except BaseException:
            self.__dict__ = before  # an error leaves the estimator as it was
            raise
        return self

    def _class_indices(self, y: Array, labels: Array) -> Array:
        """The place of each label among ``classes_``, which are those in ``labels``."""
        check_classification_targets(y)
        if np.asarray(labels).dtype.names:
            raise TypeError("labels are numbers or strings, but these are rows of several columns")
        encoder = LabelEncoder().fit(labels)
        self.classes_ = encoder.classes_
        indices = encoder.transform(y)
        if not np.array_equal(self.classes_[indices], y):  # 5 is no label of False and True
            others = np.unique(y[self.classes_[indices] != y])[:5]
            raise ValueError(f"y contains labels {others} that are not in {self.classes_}")
        if len(self.classes_) < 2:
            raise ValueError(f"there must be two classes or more, not 1 class: {self.classes_}")
        return indices

    def _weights(self, y: Array, sample_weight: Any, partial: bool) -> Array | None:
        """What each example counts, for itself and its class; None if all count the same."""
        if sample_weight is None and self.class_weight is None:
            return None
        w = np.ones(len(y)) if sample_weight is None else as_array(sample_weight)
        check_dtype(w.dtype)
        if w.shape == y.shape and isinstance(self.class_weight, str):
            counts = np.bincount(y, w)
            w = w / np.where(counts, counts, 1)[y]
        elif w.shape == y.shape:
            labels = self.classes_
            w = w * compute_class_weight(self.class_weight, classes=labels, y=labels)[y]
        if w.shape != y.shape or not 0 <= w.min() <= w.max() < np.inf or not w.any():
            raise ValueError(
                f"sample_weight has a number for each of {len(y)} examples; these, and those of "
                "class_weight, are finite and not below zero, and not all are zero"
            )
        return w if partial else w / w[w > 0].mean()

    def _train(self, X: Array, y: Array, w: Array | None, sgd: SGD, partial: bool) -> None:
        """Learn from class indices ``y`` until it is time to stop, and keep a record."""
        random = check_random_state(self.random_state)
        train = np.arange(len(y)) if w is None else np.flatnonzero(w)
        if self.early_stopping:
            train, held_out = train_test_split(
                train, test_size=self.validation_fraction, stratify=y[train], random_state=random
            )
            X_val, y_val, w_val = X[held_out], y[held_out], None if w is None else w[held_out]
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        # With n_iter_, so that calls of partial_fit do not all shuffle in the same way.
        rng = np.random.default_rng([random.randint(2**31 - 1), self.n_iter_])
        batches = minibatches(train, batch_size=self.batch_size, rng=rng, shuffle=self.shuffle)
        epochs = 1 if partial else self.max_iter
        tol = -np.inf if self.tol is None else self.tol
        best, kept, waited, stopped = -np.inf, None, 0, self.tol is None
        step: Any = with_arguments(self._step, sgd)
        if isinstance(self.loss, str) and epochs * len(batches) >= WORTH_WRITING:
            step = jit(step, exact=True)
        for _ in range(epochs):
            merit = -self._epoch(X, y, w, batches, sgd, step)
            if self.validation_scores_ is not None:
                merit = self._merit(X_val, y_val, w_val)
                self.validation_scores_.append(merit)
            waited = waited + 1 if merit < best + tol else 0
            if merit > best:
                best, kept = merit, (self.coef_, self.intercept_, self.n_iter_)
            if (self.callback and self.callback(self)) or waited >= self.n_iter_no_change:
                stopped = True
                break
        self.best_iteration_ = self.n_iter_
        if self.early_stopping and kept:
            self.coef_, self.intercept_, self.best_iteration_ = kept
        first, last = self.loss_curve_[0], self.loss_curve_[-1]
        problem = "" if stopped else f"no convergence in max_iter={epochs} epochs: raise max_iter"
        if last - first > abs(first):
            problem = f"the loss rose from {first:.3g} to {last:.3g}: lower learning_rate"
        if problem and not partial:
            advice = f"{problem}, or scale the features with StandardScaler"
            warnings.warn(advice, ConvergenceWarning, stacklevel=4)

    @np.errstate(over="ignore", invalid="ignore")  # the error says it better
    def _epoch(
        self, X: Array, y: Array, w: Array | None, batches: Minibatches, sgd: SGD, step: Any
    ) -> float:
        """One pass over batches of rows; the mean loss on the way."""
        rate, total, examples = self.learning_rate, 0.0, 0
        sgd.momentum = self.momentum
        for rows in batches:
            sgd.lr = rate(self.n_steps_) if callable(rate) else rate
            value = step(X[rows], y[rows], None if w is None else w[rows], self.alpha).item()
            if not math.isfinite(value + sum(p.data.sum() for p in sgd.params)):
                raise FloatingPointError(
                    f"training diverged in epoch {self.n_iter_ + 1}, at a loss of {value:.3g}: "
                    f"lower learning_rate={rate}, or scale the features with StandardScaler"
                )
            total += value * len(rows)
            examples += len(rows)
            self.n_steps_ += 1
        self.coef_, self.intercept_ = (p.numpy() for p in sgd.params)
        self.n_iter_ += 1
        self.loss_curve_.append(total / examples)
        return total / examples

    def _step(self, sgd: SGD, x: Array, y: Array, w: Any, alpha: float) -> Tensor:
        """One step; it gives what is minimized, the mean of weighted losses, with the penalty."""
        sgd.zero_grad()
        coef, intercept = sgd.params
        loss = self._mean_loss(x @ coef.T + intercept, y, w)
        if w is not None:
            loss = loss * w.mean()  # a batch of heavy examples pulls harder than others
        if alpha:
            loss = loss + alpha / 2 * (coef * coef).sum()
        loss.backward()
        sgd.step()
        return loss

    def _mean_loss(self, scores: Any, y: Array, w: Array | None) -> Tensor:
        """The mean loss of examples that have these scores and class indices."""
        function, weights = _function(self.loss), {} if w is None else {"sample_weight": w}
        if function in [_function(name) for name in ONE_VS_REST]:
            count = scores.shape[1]
            targets = 2 * one_hot(y, len(self.classes_)) - 1
            return function(scores, targets[:, -count:], **weights) * count
        loss = function(_for_each_class(scores), y, **weights)
        if not isinstance(loss, Tensor):
            raise TypeError(
                f"loss(scores, targets) returns a Tensor, but this gave {errors.short(loss)}"
            )
        return loss

    @np.errstate(over="ignore")
    def _merit(self, X: Array, y: Array, w: Array | None) -> float:
        """How good the weights are for examples held out: more is better."""
        scores = self._scores(X)
        if self.early_stopping != "accuracy":
            return -float(self._mean_loss(Tensor(scores), y, w))
        return float(np.average(_for_each_class(scores).argmax(axis=1) == y, weights=w))


def _for_each_class(scores: Any) -> Any:
    """Scores (N, K): of a single one s for two classes, ``(-s / 2, s / 2)``."""
    return scores if scores.shape[1] > 1 else scores * np.array([[-0.5, 0.5]], scores.dtype)
