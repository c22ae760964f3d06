"""A test set that can be used once, so that its score stays an honest estimate."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

import numpy as np

from tinygrad_edu import errors


class SealedTestSet:
    """Examples kept for the end: they score one model, once, and cannot be looked at before.

    To choose a model by its score on a test set turns that into a validation set: the best of many
    scores is too good. So ``score`` works once; after that it raises RuntimeError, which says when
    the set was opened and with what result. Indexing, iteration, copies and pickles are
    refused with TypeError. ``X`` and ``y`` are kept as they are, and have one length: ValueError if
    not.

    >>> from tinygrad_edu.evaluation import SealedTestSet
    >>> sealed = SealedTestSet([[0.0], [1.0], [2.0]], [0, 1, 1])
    >>> sealed
    <SealedTestSet of 3 examples, never opened>
    >>> sealed.score(lambda X: [0, 0, 1]).round(4)
    np.float64(0.6667)
    >>> sealed.score(lambda X: [0, 1, 1])
    Traceback (most recent call last):
    ...
    RuntimeError: this test set was opened on ... and gave 0.6667 for a function...
    """

    def __init__(self, X: Any, y: Any) -> None:  # noqa: N803 (as in scikit-learn)
        try:
            same_length = np.shape(X)[:1] == np.shape(y)[:1]
        except (TypeError, ValueError):
            raise TypeError(
                "a test set is made of arrays, X and y, with one example a row, but got "
                f"{type(X).__name__} and {type(y).__name__}"
            ) from None
        if not same_length or not np.shape(y):
            raise ValueError(
                f"a test set has one target for each example, but X has shape {np.shape(X)} and y "
                f"{np.shape(y)}"
            )
        self.__examples = X, y
        self.__opened = ""
        self.__opening = threading.RLock()  # several threads must not open it at the same time

    def score(self, model: Any, scoring: Callable[[Any, Any, Any], Any] | None = None) -> Any:
        """The score of ``model``, the first time; after that, RuntimeError.

        ``model``: a fitted estimator with ``score(X, y)``, or a function from X to predicted
        labels, whose score is the share that is right. ``scoring``: a function of (model, X, y), as
        scikit-learn's ``get_scorer("roc_auc")`` gives. An error in the model leaves the set sealed.
        Raises TypeError if ``model`` is neither, or predicts text for numbers or the other way
        round, ValueError if it does not predict one label for each example; then, too, the set
        stays sealed.
        """
        with self.__opening:
            self.__refuse_opened()
            result = self.__score(model, scoring)
            self.__refuse_opened()  # by the model itself
            self.__opened = (
                f"opened on {datetime.now():%Y-%m-%d at %H:%M:%S} and gave {result:.4g} for a "
                f"{type(model).__name__}"
            )
        return result

    def __refuse_opened(self) -> None:
        if self.__opened:
            raise RuntimeError(
                f"this test set was {self.__opened}. A second score would help to choose, and what "
                "is chosen by test data scores too well on it: choose by a validation set, or hold "
                "out new data"
            )

    def __score(self, model: Any, scoring: Callable[[Any, Any, Any], Any] | None) -> Any:
        x, y = self.__examples
        if scoring is not None and not callable(scoring):
            raise TypeError(
                f"scoring is a function of (model, X, y), but got {errors.short(scoring)}"
            )
        if scoring is not None:
            return scoring(model, x, y)
        if hasattr(model, "score"):
            return model.score(x, y)
        if not callable(model):
            raise TypeError(
                "to score takes an estimator or a function from X to labels, but got "
                f"{errors.short(model)}"
            )
        predicted, labels = np.asarray(model(x)), np.asarray(y)
        if predicted.shape != labels.shape:
            raise ValueError(
                f"the model predicts labels of shape {predicted.shape}, but there are labels of "
                f"shape {labels.shape}: return one label for each example, such as "
                f"np.reshape(labels, {labels.shape})"
            )
        if (predicted.dtype.kind in "US") != (labels.dtype.kind in "US"):
            raise TypeError(
                f"the model predicts labels of dtype {predicted.dtype}, but they are {labels.dtype}"
            )
        return np.mean(predicted == labels)

    def __len__(self) -> int:
        return len(self.__examples[1])

    def __repr__(self) -> str:
        return f"<SealedTestSet of {len(self)} examples, {self.__opened or 'never opened'}>"

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError(
            "a sealed test set does not show its examples, because they would guide choices: train "
            "and choose on other data, and then write sealed.score(model), once"
        )

    __getitem__ = __iter__ = __contains__ = __array__ = __reduce_ex__ = _refuse
