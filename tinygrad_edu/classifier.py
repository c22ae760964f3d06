"""A linear classifier for scikit-learn that learns through the Tensors and losses of this package.

It needs scikit-learn (1.6 or newer) and tqdm, so ``import tinygrad_edu`` does not import it: write
``from tinygrad_edu.classifier import LinearClassifier``.
"""

# scikit-learn has no type annotations, and calls the examples X.
# mypy: disable-error-code="import-untyped, misc, untyped-decorator"
# ruff: noqa: N803, N806

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np

from tinygrad_edu import losses
from tinygrad_edu.data import minibatches
from tinygrad_edu.functional import one_hot, softmax, softplus
from tinygrad_edu.optim import SGD
from tinygrad_edu.tensor import Array, Tensor

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import LabelEncoder
    from sklearn.utils import check_random_state
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
    from tqdm import tqdm
except ImportError as error:
    raise ImportError(
        f"LinearClassifier needs scikit-learn, 1.6 or newer, and tqdm ({error}): "
        "pip install 'scikit-learn>=1.6' tqdm"
    ) from error

ONE_VS_REST = ("exponential", "hinge", "logistic", "mse_loss")  # targets -1 and +1, as scores
ONE_OF_ALL = ("cross_entropy", "multiclass_hinge")  # scores (N, K), class indices (N,)
SCORED_AT_ONCE = 1000  # examples, for bytes that become floating point may not fit into memory

# Type and range of every parameter but random_state, and what they are in words.
PARAMETERS: dict[str, tuple[Any, Callable[[Any], bool], str]] = {
    "loss": (
        object,
        lambda v: callable(v) or (isinstance(v, str) and v in (*ONE_OF_ALL, *ONE_VS_REST)),
        f"a function of scores and targets, or one of {', '.join((*ONE_OF_ALL, *ONE_VS_REST))} "
        "(scikit-learn's log_loss is cross_entropy or logistic here, its squared_error mse_loss)",
    ),
    "learning_rate": (Real, lambda v: 0 < v < np.inf, "a positive number"),
    "batch_size": (Integral, lambda v: v >= 1, "an integer of at least 1"),
    "max_iter": (Integral, lambda v: v >= 1, "an integer of at least 1"),
    "momentum": (Real, lambda v: 0 <= v < 1, "a number from 0 to less than 1"),
    "alpha": (Real, lambda v: 0 <= v < np.inf, "0 or a positive number"),
    "early_stopping": (bool | np.bool_, lambda _: True, "True or False"),
    "validation_fraction": (Real, lambda v: 0 < v < 1, "a number between 0 and 1"),
    "n_iter_no_change": (Integral, lambda v: v >= 1, "an integer of at least 1"),
    "tol": (Real | None, lambda v: v is None or 0 <= v < np.inf, "0, a positive number or None"),
    "warm_start": (bool | np.bool_, lambda _: True, "True or False"),
    "shuffle": (bool | np.bool_, lambda _: True, "True or False"),
    "verbose": (Integral | np.bool_, lambda v: v >= 0, "True, False or an integer, 0 for False"),
    "callback": (object, lambda v: v is None or callable(v), "a function or None"),
}


class LinearClassifier(ClassifierMixin, BaseEstimator):
    """Scores ``X @ coef_.T + intercept_``, learned by mini-batch SGD: the highest one decides.

    Parameters, named and meant as in scikit-learn (SGDClassifier, MLPClassifier):

    - ``loss``: "cross_entropy" or "multiclass_hinge", of all scores of an example at once;
      "logistic", "hinge", "exponential" or "mse_loss", of each class against the rest with targets
      -1 and +1, their sum over the classes (``losses.hinge`` is "hinge", and so on); or a function
      of scores (N, K), a Tensor, and class indices (N,) that returns the mean loss, a Tensor.
    - ``learning_rate``: the step size, constant. ``momentum``: as in ``optim.SGD``.
    - ``batch_size``: examples per step. ``max_iter``: at most so many epochs, passes over them all.
    - ``alpha``: the L2 penalty ``alpha / 2 * (coef_ ** 2).sum()`` is added to the mean loss; the
      intercept goes free. It is SGDClassifier's alpha, and 1 / (C * N) of LogisticRegression; for
      "mse_loss", twice SGDClassifier's, whose loss is half of that.
    - ``tol``, ``n_iter_no_change``: training ends after that many epochs in a row whose loss was
      not below the least one by ``tol``; with ``tol=None``, after ``max_iter``.
    - ``early_stopping``: the accuracy on ``validation_fraction`` of the examples, held out with the
      same share of each class, decides that instead, and the best weights are restored.
    - ``warm_start``: ``fit`` starts from the weights there are; else, from zeros.
    - ``shuffle``: a new order in each epoch. ``random_state``: for that order and what is held out.
    - ``verbose``: show a progress bar with loss and validation score.
    - ``callback``: called with the estimator after each epoch; training ends if it returns True.

    Learned: ``coef_`` (K, F) and ``intercept_`` (K,), for K classes and F features. For two classes
    they are (1, F) and (1,): one score s, positive for the second class. A loss of scores (N, K)
    then gets ``(-s / 2, s / 2)``, which makes "cross_entropy" the same as "logistic", and
    "multiclass_hinge" as "hinge". ``classes_``, ``n_features_in_``, ``feature_names_in_``: as ever.
    ``n_iter_``: the epochs done, and since the first ``partial_fit``. For each, ``loss_curve_`` has
    the mean loss in training, penalty included, and ``validation_scores_`` the accuracy held out
    (None without early stopping). ``best_iteration_``: the epoch, from 1, that gave these weights.

    ``predict_proba`` is there only for "cross_entropy" (softmax) and "logistic" (sigmoid, divided
    by the sum over classes). Weights are float32 if ``X`` is, else float64. To check an array ``X``
    of numbers for nan, it is read once, and then in batches, which become floating point one by
    one; it may be a ``np.memmap`` larger than memory. All that is copied is what is held out.
    Sparse matrices and sample weights are not supported.

    Raises ValueError for parameters out of range, a single class, or what scikit-learn finds wrong
    with the data; FloatingPointError if training diverges; TypeError if ``loss`` gives no Tensor or
    ``X`` is sparse. An error leaves the estimator as it was.
    Warns (ConvergenceWarning) if ``max_iter`` came before the end, or the loss has doubled; and if
    Ctrl-C ended the training: what is learned is kept.

    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from tinygrad_edu.classifier import LinearClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), LinearClassifier(alpha=0.1, random_state=0))
    >>> print(f"{model.fit(X, y).score(X, y):.2f}")
    0.99
    >>> model[-1].coef_.shape
    (3, 13)
    """

    classes_: Array
    coef_: Array
    intercept_: Array
    loss_curve_: list[float]
    validation_scores_: list[float] | None

    def __init__(
        self,
        loss: str | Callable[[Any, Array], Tensor] = "cross_entropy",
        learning_rate: float = 0.1,
        batch_size: int = 32,
        max_iter: int = 100,
        momentum: float = 0.0,
        alpha: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        tol: float | None = 1e-4,
        warm_start: bool = False,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
        callback: Callable[[LinearClassifier], Any] | None = None,
    ) -> None:
        self.loss = loss
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.momentum = momentum
        self.alpha = alpha
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.shuffle = shuffle
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from examples ``X`` (N, F) and their labels ``y`` (N,), numbers or strings.

        Gives back the estimator itself. Raises and warns as the class says.
        """
        self._check_parameters()
        return self._fit(X, y, self.warm_start and hasattr(self, "coef_"))

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Make one pass over these examples, in mini-batches, starting from the weights there are.

        ``classes``: all labels that there will ever be; required by the first call. Momentum is
        carried over from one call to the next. Raises ValueError with ``early_stopping``, for which
        all examples are needed, if ``classes`` are missing at first or others later, or for a label
        that is none of them.

        >>> from tinygrad_edu.classifier import LinearClassifier
        >>> model = LinearClassifier(random_state=0)
        >>> for X, y in [([[0.0], [1.0]], ["no", "yes"]), ([[3.0], [-2.0]], ["yes", "no"])]:
        ...     model = model.partial_fit(X, y, classes=["no", "yes"])
        >>> print(model.predict([[2.5], [-2.5]]))
        ['yes' 'no']
        """
        self._check_parameters()
        if self.early_stopping:
            raise ValueError("early_stopping needs all examples: use fit, or early_stopping=False")
        resume = hasattr(self, "coef_")
        if not resume and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit")
        if resume and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes were {self.classes_} before, but now are {classes}")
        return self._fit(X, y, resume, partial=True, classes=classes)

    def decision_function(self, X: Any) -> Array:
        """Scores (N, K), or (N,) of two classes: positive for ``classes_[1]``.

        Raises NotFittedError before ``fit``, ValueError if ``X`` is not (N, F) as there.
        """
        check_is_fitted(self, "coef_")
        X = validate_data(self, X, reset=False)
        scores = self._scores(X)
        return scores if len(self.classes_) > 2 else scores[:, 0]

    def predict(self, X: Any) -> Array:
        """The labels (N,) of the classes with the highest scores.

        Raises as ``decision_function`` does.
        """
        scores = self.decision_function(X)
        best = scores.argmax(axis=1) if scores.ndim > 1 else (scores > 0).astype(int)
        labels: Array = self.classes_[best]
        return labels

    @available_if(lambda self: _function(self.loss) in (losses.cross_entropy, losses.logistic))
    def predict_proba(self, X: Any) -> Array:
        """Probabilities (N, K), in the order of ``classes_``; each row has sum 1.

        Raises as ``decision_function`` does, and AttributeError for a loss that gives none.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = _for_each_class(scores[:, np.newaxis])
        elif _function(self.loss) is losses.logistic:
            scores = -softplus(-scores)  # log sigmoid; softmax divides the sigmoids by their sum
        probabilities: Array = softmax(scores)
        return probabilities

    def _scores(self, X: Array) -> Array:
        """Scores (N, K), or (N, 1) of two classes."""
        parts = minibatches(X, batch_size=SCORED_AT_ONCE, shuffle=False)
        return np.concatenate([part @ self.coef_.T + self.intercept_ for part in parts])

    def _check_parameters(self) -> None:
        for name, (kind, allowed, words) in PARAMETERS.items():
            value = getattr(self, name)
            if not (isinstance(value, kind) and allowed(value)):
                raise ValueError(
                    f"The {name!r} parameter of LinearClassifier must be {words}. Got "
                    f"{value!r:.60} instead."
                )

    def _fit(
        self, X: Any, y: Any, resume: bool, partial: bool = False, classes: Any = None
    ) -> Self:
        before = vars(self).copy()
        try:
            X, y = validate_data(self, X, y, reset=not resume)
            check_classification_targets(y)
            encoder = LabelEncoder()
            encoder.fit(self.classes_ if resume else y if classes is None else classes)
            given, self.classes_ = y, encoder.classes_
            y = encoder.transform(given)
            if not np.array_equal(self.classes_[y], given):  # 5 is no label of False and True
                others = np.unique(given[self.classes_[y] != given])[:5]
                raise ValueError(f"y contains labels {others} that are not in {self.classes_}")
            if len(self.classes_) < 2:
                raise ValueError(f"there must be two classes or more, not 1 class: {self.classes_}")
            if not (partial and resume):
                self.n_iter_, self.loss_curve_ = 0, []
            self.loss_curve_ = self.loss_curve_.copy()
            sgd = self._optimizer(X, resume, partial)
            self._train(X, y, sgd, partial)
            if partial and self.momentum:
                sgd.zero_grad()
                self._sgd = sgd  # it knows the velocity
        except BaseException:
            self.__dict__ = before  # an error leaves the estimator as it was
            raise
        return self

    def _optimizer(self, X: Array, resume: bool, partial: bool) -> SGD:
        """SGD of coefficients and intercepts: the last one, or a new one from zeros."""
        kept: SGD | None = copy.deepcopy(self.__dict__.pop("_sgd", None))
        if resume:
            weights = self.coef_, self.intercept_
        else:
            count = len(self.classes_) if len(self.classes_) > 2 else 1
            dtype = X.dtype if X.dtype in (np.float32, np.float64) else np.float64
            weights = np.zeros((count, X.shape[1]), dtype), np.zeros(count, dtype)
        if not (kept and partial and resume):
            parameters = [Tensor(data, requires_grad=True) for data in weights]
            return SGD(parameters, self.learning_rate, self.momentum)
        for parameter, data in zip(kept.params, weights, strict=True):
            parameter.data = data
        kept.lr, kept.momentum = self.learning_rate, self.momentum
        return kept

    def _train(self, X: Array, y: Array, sgd: SGD, partial: bool) -> None:
        """Learn from class indices ``y`` until it is time to stop, and keep a record."""
        random, train = check_random_state(self.random_state), np.arange(len(y))
        validation_scores: list[float] = []
        self.validation_scores_ = validation_scores if self.early_stopping else None
        if self.early_stopping:
            train, held_out = train_test_split(
                train, test_size=self.validation_fraction, stratify=y, random_state=random
            )
            X_val, y_val = X[held_out], y[held_out]
        # With n_iter_, so that calls of partial_fit do not all shuffle in the same way.
        rng = np.random.default_rng([random.randint(2**31 - 1), self.n_iter_])
        epochs = 1 if partial else self.max_iter
        steps = epochs * math.ceil(len(train) / self.batch_size)
        tol = -np.inf if self.tol is None else self.tol
        best, kept, waited, stopped = -np.inf, None, 0, False
        try:
            with tqdm(total=steps, unit="step", disable=not self.verbose) as bar:
                for _ in range(epochs):
                    loss = self._epoch(X, y, train, rng, sgd, bar)
                    merit, shown = -loss, {"loss": f"{loss:.4g}"}
                    if self.early_stopping:
                        found = _for_each_class(self._scores(X_val)).argmax(axis=1)
                        merit = float(np.mean(found == y_val))
                        validation_scores.append(merit)
                        shown["validation_score"] = f"{merit:.4f}"
                    bar.set_postfix(shown, refresh=False)
                    waited = waited + 1 if merit < best + tol else 0
                    if merit > best:
                        best, kept = merit, (self.coef_, self.intercept_, self.n_iter_)
                    wanted = self.callback is not None and self.callback(self)
                    stopped = bool(wanted) or waited >= self.n_iter_no_change
                    if stopped:
                        break
            if not partial:
                self._warn_of_problems(stopped or self.tol is None)
        except KeyboardInterrupt:
            warnings.warn("training interrupted: what is learned so far is kept", stacklevel=4)
            self.coef_, self.intercept_ = (p.numpy() for p in sgd.params)
        self.best_iteration_ = self.n_iter_
        if self.early_stopping and kept:
            self.coef_, self.intercept_, self.best_iteration_ = kept

    def _step(self, sgd: SGD, x: Array, y: Array) -> Tensor:
        """One step of SGD on examples and class indices; the loss before it."""
        sgd.zero_grad()
        classes = len(self.classes_)
        loss = _objective(_function(self.loss), classes, self.alpha, x, y, *sgd.params)
        loss.backward()
        sgd.step()
        return loss

    @np.errstate(over="ignore", invalid="ignore")  # the error says it better
    def _epoch(
        self,
        X: Array,
        y: Array,
        train: Array,
        rng: np.random.Generator,
        sgd: SGD,
        bar: Any,
    ) -> float:
        """One pass over the rows ``train``; the mean loss on the way."""
        mean = 0.0
        sgd.lr = self.learning_rate  # a callback may have changed it
        sgd.momentum = self.momentum
        for rows in minibatches(train, batch_size=self.batch_size, rng=rng, shuffle=self.shuffle):
            value = self._step(sgd, X[rows], y[rows]).item()
            if not math.isfinite(value + sum(p.data.sum() for p in sgd.params)):
                raise FloatingPointError(
                    f"training diverged in epoch {self.n_iter_ + 1}, at a loss of {value:.3g}: "
                    f"lower learning_rate={self.learning_rate}, or scale the features with "
                    "StandardScaler"
                )
            mean += value * len(rows) / len(train)
            bar.update()
        self.coef_, self.intercept_ = (p.numpy() for p in sgd.params)
        self.n_iter_ += 1
        self.loss_curve_.append(mean)
        return mean

    def _warn_of_problems(self, converged: bool) -> None:
        first, last = self.loss_curve_[0], self.loss_curve_[-1]
        if last - first > abs(first):
            problem = f"the loss rose from {first:.3g} to {last:.3g}: lower learning_rate"
        elif not converged:
            problem = f"no convergence in max_iter={self.max_iter} epochs: raise max_iter"
        else:
            return
        advice = f"{problem}, or scale the features with StandardScaler"
        warnings.warn(advice, ConvergenceWarning, stacklevel=5)


def _objective(
    function: Any,
    classes: int,
    alpha: float,
    x: Array,
    y: Array,
    coef: Tensor,
    intercept: Tensor,
) -> Tensor:
    """The mean loss of a mini-batch, with the penalty: what is minimized."""
    scores = x @ coef.T + intercept
    if function in [_function(name) for name in ONE_VS_REST]:
        count = scores.shape[1]
        targets = 2 * one_hot(y, classes) - 1
        loss = function(scores, targets[:, -count:]) * count
    else:
        loss = function(_for_each_class(scores), y)
        if not isinstance(loss, Tensor):
            raise TypeError(f"loss(scores, targets) returns a Tensor, but this gave {loss!r:.60}")
    total: Tensor = loss + alpha / 2 * (coef * coef).sum() if alpha else loss
    return total


def _function(loss: Any) -> Any:
    return getattr(losses, loss) if isinstance(loss, str) else loss


def _for_each_class(scores: Any) -> Any:
    """Scores (N, K): of a single one s for two classes, ``(-s / 2, s / 2)``."""
    return scores if scores.shape[1] > 1 else scores * np.array([[-0.5, 0.5]], scores.dtype)
