"""The classifier does what scikit-learn's do, by the Tensors and losses of this package."""

import ast
import itertools
import pickle
import subprocess
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_score,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import parametrize_with_checks

from tinygrad_edu import Tensor, classifier, losses, optim
from tinygrad_edu.classifier import ONE_OF_ALL, ONE_VS_REST, LinearClassifier

LOSSES = (*ONE_OF_ALL, *ONE_VS_REST)
DATA = {
    "digits": load_digits(return_X_y=True),
    "cancer": load_breast_cancer(return_X_y=True),
    "wine": load_wine(return_X_y=True),
    "iris": load_iris(return_X_y=True),
}
X, Y = StandardScaler().fit_transform(DATA["iris"][0]), DATA["iris"][1]
TWO = Y > 0  # versicolor and virginica, which no line separates

unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def quick(*given, **parameters):
    """A classifier of few epochs, all of which it does."""
    return LinearClassifier(*given, **{"max_iter": 5, "tol": None, "random_state": 0} | parameters)


class CallableCrossEntropy:
    """A loss of one's own whose name, and so those of its tests, has no address in it."""

    def __call__(self, scores, targets, sample_weight=None):
        return losses.cross_entropy(scores, targets, sample_weight=sample_weight)

    def __repr__(self):
        return "callable_cross_entropy"


callable_cross_entropy = CallableCrossEntropy()


# What scikit-learn demands; among that, a weight is as good as repetitions. Some of its checks have
# unscaled features of about 100, for which steps are short.

RATES = {"multiclass_hinge": 0.1, "mse_loss": 1e-3, "exponential": 3e-5}
TOO_SHORT = {"check_class_weight_classifiers": "1,000 epochs of such short steps do not get there"}


@unconverged
@parametrize_with_checks(
    [LinearClassifier(loss, RATES.get(loss, 0.01), max_iter=10) for loss in LOSSES]
    + [LinearClassifier(callable_cross_entropy, 0.01, max_iter=10)]
    + [LinearClassifier(learning_rate=0.01, max_iter=10, momentum=0.9, alpha=0.01)],
    expected_failed_checks=lambda estimator: TOO_SHORT if estimator.loss == "exponential" else {},
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@unconverged
@parametrize_with_checks(
    [LinearClassifier(loss, 0.01, max_iter=100) for loss in ("cross_entropy", "hinge")]
)
def test_scikit_learns_checks_with_more_epochs(estimator, check):
    check(estimator)


# It learns what the losses say.


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("loss", ["cross_entropy", callable_cross_entropy], ids=str)
def test_converges_to_the_weights_of_logistic_regression(loss, classes):
    x, y = (X, Y) if classes == 3 else (X[TWO], Y[TWO])
    alpha = 0.02
    ours = quick(
        loss=loss, alpha=alpha, batch_size=len(y), learning_rate=1.0, momentum=0.9, max_iter=400
    ).fit(x, y)
    theirs = LogisticRegression(C=1 / (alpha * len(y)), tol=1e-10, max_iter=10_000).fit(x, y)
    assert ours.coef_.shape == theirs.coef_.shape
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    shift = ours.intercept_ - theirs.intercept_  # of softmax, only differences count
    np.testing.assert_allclose(shift, shift.mean() if classes == 3 else 0, atol=1e-5)
    assert ours.decision_function(x).shape == theirs.decision_function(x).shape
    if loss == "cross_entropy":
        np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_converges_to_the_weights_of_ridge_regression(classes):
    x, y = (X, Y) if classes == 3 else (X[TWO], Y[TWO])
    alpha = 0.02
    ours = quick(loss="mse_loss", alpha=alpha, batch_size=len(y), momentum=0.9, max_iter=1500).fit(
        x, y
    )
    theirs = RidgeClassifier(alpha * len(y) / 2).fit(x, y)  # the sum of squares + alpha * |w| ** 2
    np.testing.assert_allclose(ours.coef_, np.atleast_2d(theirs.coef_), atol=1e-8)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_function_of_the_package_is_the_loss_of_its_name(loss):
    name, function = quick(loss=loss), quick(loss=getattr(losses, loss))
    for y in Y, Y > 0:
        name.fit(X, y)
        function.fit(X, y)
        np.testing.assert_array_equal(function.coef_, name.coef_)
        assert hasattr(function, "predict_proba") == hasattr(name, "predict_proba")
        if hasattr(name, "predict_proba"):
            np.testing.assert_array_equal(function.predict_proba(X), name.predict_proba(X))


@pytest.mark.parametrize("loss", ONE_VS_REST)
def test_one_versus_rest_is_one_binary_problem_for_each_class(loss):
    model = quick(loss=loss, alpha=0.01, momentum=0.5, learning_rate=0.01)
    together = clone(model).fit(X, Y)
    assert together.coef_.shape == (3, 4)
    curve = np.zeros(5)
    for k in range(3):
        alone = clone(model).fit(X, k == Y)
        assert alone.coef_.shape == (1, 4)
        np.testing.assert_allclose(together.coef_[k], alone.coef_[0], rtol=1e-12)
        np.testing.assert_allclose(together.intercept_[k], alone.intercept_[0], rtol=1e-12)
        np.testing.assert_allclose(
            together.decision_function(X)[:, k], alone.decision_function(X), atol=1e-12
        )
        curve += alone.loss_curve_
    np.testing.assert_allclose(together.loss_curve_, curve, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "same"), [("cross_entropy", "logistic"), ("multiclass_hinge", "hinge")]
)
def test_of_two_classes_the_losses_of_all_scores_are_margin_losses(loss, same):
    one, other = (quick(loss=name, alpha=0.1).fit(X[TWO], Y[TWO]) for name in (loss, same))
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-12)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=1e-12)


def test_a_loss_gets_scores_of_each_class_and_class_indices():
    seen = []

    def loss(scores, targets):
        seen.append((type(scores), scores.shape, sorted(set(targets.tolist()))))
        if scores.shape[1] == 2:
            np.testing.assert_array_equal(scores.data[:, 0], -scores.data[:, 1])
        return losses.multiclass_hinge(scores, targets)

    letters = np.array(["b", "c", "a"])[Y]
    model = quick(loss=loss, batch_size=150, max_iter=2).fit(X, letters)
    assert model.classes_.tolist() == ["a", "b", "c"]
    model.fit(X[TWO], letters[TWO])
    assert seen == [(Tensor, (150, 3), [0, 1, 2])] * 2 + [(Tensor, (100, 2), [0, 1])] * 2
    assert set(model.predict(X)) == {"a", "c"}


@pytest.mark.parametrize("result", [1.0, None])
def test_a_loss_that_gives_no_tensor_is_refused(result):
    with pytest.raises(TypeError, match=f"returns a Tensor, but this gave {result}"):
        quick(loss=lambda *_: result).fit(X, Y)


def test_the_loss_curve_is_the_mean_over_all_examples_with_the_penalty():
    model = quick(batch_size=150, alpha=3.0, max_iter=2).fit(X, Y)
    first = clone(model).set_params(max_iter=1).fit(X, Y)
    scores = X @ first.coef_.T + first.intercept_
    second = losses.cross_entropy(scores, Y) + 1.5 * (first.coef_**2).sum()
    np.testing.assert_allclose(model.loss_curve_, [np.log(3), second], rtol=1e-12)
    still = quick(batch_size=100, learning_rate=1e-300, max_iter=1).fit(X, Y)  # batches 100 and 50
    np.testing.assert_allclose(still.loss_curve_, [np.log(3)], rtol=1e-12)


# Probabilities.


@pytest.mark.parametrize("loss", [*LOSSES, callable_cross_entropy], ids=str)
def test_only_two_losses_give_probabilities(loss):
    model = quick(loss=loss, learning_rate=0.01).fit(X, Y)
    for name in "predict_proba", "predict_log_proba":
        assert hasattr(model, name) == (loss in ("cross_entropy", "logistic"))
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic"])
def test_probabilities_are_right_and_finite_for_any_scores(loss):
    model = quick(loss=loss).fit(X, Y)
    scores = model.decision_function(X)
    parts = np.exp(scores) if loss == "cross_entropy" else 1 / (1 + np.exp(-scores))
    expected = parts / parts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-12)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(expected), rtol=1e-11)
    for far in model.predict_proba(1e6 * X), model.predict_proba(-1e6 * X):
        np.testing.assert_allclose(far.sum(axis=1), 1)
    assert np.isfinite(model.predict_log_proba(1e6 * X)).all()
    two = quick(loss=loss).fit(X[TWO], Y[TWO])
    chance = 1 / (1 + np.exp(-two.decision_function(X)))
    np.testing.assert_allclose(two.predict_proba(X), np.c_[1 - chance, chance], rtol=1e-12)
    assert np.all(two.predict(X) == np.where(chance > 0.5, 2, 1))


# Weights.

HEAVY = np.random.default_rng(0).integers(0, 4, 150)  # of each example of iris


@pytest.mark.parametrize("class_weight", [None, {0: 0.5, 1: 3.0}, "balanced"], ids=str)
@pytest.mark.parametrize("loss", [*LOSSES, callable_cross_entropy], ids=str)
def test_a_weight_is_as_good_as_repetitions(loss, class_weight):
    model = quick(loss, 0.01, batch_size=999, alpha=0.1, momentum=0.5, class_weight=class_weight)
    for y in Y, Y == 1:
        weighted = model.fit(X, y, 2.5 * HEAVY)
        repeated = clone(model).fit(np.repeat(X, HEAVY, axis=0), np.repeat(y, HEAVY))
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-12)
        np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-12)
        np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-9)
        np.testing.assert_allclose(
            weighted.score(X, y, HEAVY),
            repeated.score(np.repeat(X, HEAVY, axis=0), np.repeat(y, HEAVY)),
        )


@pytest.mark.parametrize("early_stopping", [False, "loss", "accuracy"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_an_example_of_weight_zero_is_as_if_it_were_not_there(early_stopping, class_weight):
    model = quick(early_stopping=early_stopping, class_weight=class_weight)
    there = HEAVY > 0
    for method, options in ("fit", {}), ("partial_fit", {"classes": [0, 1, 2]}):
        if method == "partial_fit" and (early_stopping or class_weight):
            continue
        with_zeros, without = clone(model), clone(model)
        getattr(with_zeros, method)(X, Y, sample_weight=HEAVY, **options)
        getattr(without, method)(X[there], Y[there], sample_weight=HEAVY[there], **options)
        np.testing.assert_array_equal(with_zeros.coef_, without.coef_)
        assert with_zeros.validation_scores_ == without.validation_scores_


def test_what_is_learned_from_mini_batches_is_the_weighted_mean():
    model = quick(batch_size=10, learning_rate=1e-9, max_iter=1).fit(X, Y, HEAVY)
    start = losses.cross_entropy(np.zeros((150, 3)), Y, sample_weight=HEAVY)
    np.testing.assert_allclose(model.loss_curve_, [start], rtol=1e-6)
    p = np.full((150, 3), 1 / 3) - np.eye(3)[Y]
    mean = (HEAVY[:, np.newaxis] * p).T @ X / HEAVY.sum()
    steps = np.ceil(np.count_nonzero(HEAVY) / 10)
    np.testing.assert_allclose(model.coef_ / -1e-9 / steps, mean, atol=0.05)


def test_weights_of_classes_as_in_scikit_learn():
    for class_weight in {0: 0.5, 2: 3.0}, "balanced":
        keep = np.r_[0:50, 50:80, 100:110]
        x, y = X[keep], Y[keep]
        ours = quick(alpha=0.05, class_weight=class_weight, batch_size=90, learning_rate=1.0)
        ours.set_params(momentum=0.9, max_iter=400).fit(x, y)
        total = compute_sample_weight(class_weight, y).sum()
        theirs = LogisticRegression(
            C=1 / (0.05 * total), class_weight=class_weight, tol=1e-10, max_iter=10_000
        ).fit(x, y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)


def test_partial_fit_takes_weights_as_they_are():
    once = quick(momentum=0.0, batch_size=150)
    one, two = (clone(once).partial_fit(X, Y, [0, 1, 2], np.full(150, w)) for w in (1.0, 2.0))
    np.testing.assert_allclose(two.coef_, 2 * one.coef_, rtol=1e-12)
    dict_of_numbers = clone(once).set_params(class_weight=dict.fromkeys(range(3), 2.0))
    np.testing.assert_allclose(dict_of_numbers.partial_fit(X, Y, [0, 1, 2]).coef_, two.coef_)
    with pytest.raises(ValueError, match='"balanced" need all examples'):
        quick(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


@pytest.mark.parametrize(
    ("weights", "class_weight", "message"),
    [
        (np.zeros(150), None, "for each of 150 examples.*not all are zero"),
        (-np.ones(150), None, "not below zero"),
        (np.full(150, np.nan), None, "finite"),
        (np.full(150, np.inf), None, "finite"),
        (np.ones(149), None, "for each of 150"),
        (np.ones((150, 1)), {0: 2.0}, "for each of 150"),
        (2.0, None, "for each of 150"),
        (None, {0: -1.0}, "class_weight, are finite and not below zero"),
        (None, {0: 0.0, 1: 0.0, 2: 0.0}, "not all are zero"),
        (None, {"0": 2.0}, r"classes.*are not in class_weight"),
    ],
)
def test_weights_out_of_range(weights, class_weight, message):
    model = quick(class_weight=class_weight)
    for fit in model.fit, lambda *a, **k: model.partial_fit(*a, classes=[0, 1, 2], **k):
        with pytest.raises(ValueError, match=message):
            fit(X, Y, sample_weight=weights)


# Steps of changing size.


def test_a_schedule_gives_the_size_of_each_step():
    seen = []

    def schedule(t):
        seen.append(t)
        return 0.1 / (1 + t)

    model = quick(learning_rate=schedule, batch_size=50, shuffle=False, max_iter=2).fit(X, Y)
    assert seen == [*range(6)]
    assert model.n_steps_ == 6
    weights = [Tensor(np.zeros(shape), requires_grad=True) for shape in ((3, 4), 3)]
    sgd = optim.SGD(weights, 0.1)
    for t, start in enumerate([0, 50, 100] * 2):
        sgd.zero_grad()
        rows = slice(start, start + 50)
        losses.cross_entropy(X[rows] @ weights[0].T + weights[1], Y[rows]).backward()
        sgd.lr = 0.1 / (1 + t)
        sgd.step()
    np.testing.assert_allclose(model.coef_, weights[0].data, rtol=1e-12)
    seen.clear()
    parts = quick(learning_rate=schedule, batch_size=50).partial_fit(X, Y, classes=[0, 1, 2])
    parts.partial_fit(X, Y)
    assert seen == [*range(6)]  # it goes on where it was
    with pytest.raises(ValueError, match="lr, the step size, is a finite number"):
        quick(learning_rate=lambda _: "fast").fit(X, Y)
    cosine = optim.schedules.linear_warmup(optim.schedules.cosine(0.1, 15), 3)
    np.testing.assert_array_equal(
        clone(quick(learning_rate=cosine)).fit(X, Y).coef_,
        pickle.loads(pickle.dumps(quick(learning_rate=cosine))).fit(X, Y).coef_,
    )


# Sparse matrices are refused by name.


def test_the_line_for_a_sparse_matrix_works():
    sparse = pytest.importorskip("scipy.sparse").csr_matrix(X)
    for call in (
        lambda m: quick().fit(m, Y),
        lambda m: quick().partial_fit(m, Y, classes=[0, 1, 2]),
        lambda m: quick().fit(X, Y).predict(m),
    ):
        with pytest.raises(TypeError, match=r"[Ss]parse data .*toarray\(\)"):
            call(sparse)
        call(sparse.toarray())


# When it stops.


def test_stops_when_the_loss_no_longer_falls():
    model = LinearClassifier(alpha=0.1, tol=1e-3, n_iter_no_change=3, random_state=0).fit(X, Y)
    curve = np.array(model.loss_curve_)
    assert model.n_iter_ == len(curve) == model.best_iteration_ < 100
    assert model.validation_scores_ is None
    good = [i for i in range(1, len(curve)) if curve[i] <= curve[:i].min() - 1e-3]
    assert len(curve) - 1 - good[-1] == 3
    assert np.all(np.diff(good) <= 3)


def test_warns_without_convergence():
    with pytest.warns(ConvergenceWarning, match="max_iter=2 epochs: raise max_iter") as record:
        LinearClassifier(max_iter=2).fit(X, Y)
    assert record[0].filename == __file__
    assert quick(max_iter=2).fit(X, Y).n_iter_ == 2  # tol=None: it is what was wanted
    with pytest.warns(ConvergenceWarning, match=r"the loss rose from .* lower learning_rate"):
        LinearClassifier("mse_loss").fit(*DATA["iris"])  # not scaled


def test_early_stopping_restores_the_best_weights():
    x, y = DATA["digits"][0] / 16, DATA["digits"][1]
    weights = np.random.default_rng(0).integers(1, 4, 600)
    seen = []
    model = LinearClassifier(
        early_stopping="accuracy",
        validation_fraction=0.25,
        n_iter_no_change=4,
        tol=0.002,
        random_state=1,
        callback=lambda self: seen.append((self.coef_, self.intercept_)),
    ).fit(x[:600], y[:600], sample_weight=weights)
    scores = np.array(model.validation_scores_)
    assert len(scores) == len(model.loss_curve_) == model.n_iter_ == len(seen) < 100
    _, x_val, _, y_val, _, w = train_test_split(
        x[:600],
        y[:600],
        weights,
        test_size=0.25,
        stratify=y[:600],
        random_state=np.random.RandomState(1),
    )
    read = [np.argmax(x_val @ coef.T + intercept, axis=1) for coef, intercept in seen]
    np.testing.assert_allclose(scores, (read == y_val) @ w / w.sum(), rtol=1e-12)
    best = scores.argmax()
    assert model.best_iteration_ == best + 1 < model.n_iter_
    np.testing.assert_array_equal(model.coef_, seen[best][0])
    np.testing.assert_array_equal(model.intercept_, seen[best][1])
    good = [i for i in range(1, len(scores)) if scores[i] >= scores[:i].max() + 0.002]
    assert len(scores) - 1 - good[-1] == 4


@unconverged
@pytest.mark.parametrize("loss", [*LOSSES, callable_cross_entropy], ids=str)
def test_early_stopping_by_the_loss_held_out(loss):
    model = LinearClassifier(
        loss, 0.01, early_stopping=True, validation_fraction=0.2, random_state=1, max_iter=30
    ).fit(X, Y, 1 + HEAVY)
    named = clone(model).set_params(early_stopping="loss").fit(X, Y, 1 + HEAVY)
    assert named.validation_scores_ == model.validation_scores_
    scores = np.array(model.validation_scores_)
    assert model.best_iteration_ == scores.argmax() + 1 <= model.n_iter_
    _, x_val, _, y_val, _, w = train_test_split(
        X, Y, 1 + HEAVY, test_size=0.2, stratify=Y, random_state=np.random.RandomState(1)
    )
    found = model.decision_function(x_val)
    function = loss if callable(loss) else getattr(losses, loss)
    targets = y_val if loss in ONE_OF_ALL or callable(loss) else 2 * np.eye(3)[y_val] - 1
    per_class = 1 if targets is y_val else 3
    least = per_class * function(found, targets, sample_weight=w)
    np.testing.assert_allclose(scores.max(), -least, rtol=1e-12)


def test_the_accuracy_of_few_examples_stops_too_soon_and_the_loss_does_not():
    # Iris: of about ten examples held out, the accuracy stands still while the loss falls. Only
    # training data take part: the scores are those of cross-validation.
    x, _, y, _ = train_test_split(*DATA["iris"], stratify=DATA["iris"][1], random_state=0)
    scores = {}
    for kind in "accuracy", "loss":
        model = LinearClassifier(early_stopping=kind, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores[kind] = cross_val_score(make_pipeline(StandardScaler(), model), x, y).mean()
    assert scores["loss"] > scores["accuracy"] + 0.05
    stopped = LinearClassifier(early_stopping="accuracy", random_state=0)
    stopped.fit(StandardScaler().fit_transform(x), y)
    assert stopped.loss_curve_[-1] < 0.95 * stopped.loss_curve_[-2]  # it fell still


@pytest.mark.parametrize("classes", [2, 3])
def test_the_validation_score_is_the_accuracy_on_examples_held_out(classes):
    taught = []

    def loss(scores, targets):
        taught.extend(targets)
        return losses.cross_entropy(scores, targets)

    x, y = (X, Y) if classes == 3 else (X[TWO], Y[TWO])
    quick(loss=loss, early_stopping="accuracy", validation_fraction=0.2, max_iter=1).fit(x, y)
    assert np.bincount(taught).tolist() == [40] * classes


def test_the_examples_held_out_are_those_of_train_test_split():
    rows = np.arange(200)
    label = rows % 2
    train, held_out = train_test_split(
        rows, test_size=0.2, stratify=label, random_state=np.random.RandomState(0)
    )
    # What the feature says is right of the examples to learn from, and wrong of those held out.
    feature = np.where(np.isin(rows, train), label, 1 - label)[:, np.newaxis] - 0.5
    model = quick(early_stopping="accuracy", validation_fraction=0.2).fit(feature, label)
    assert model.validation_scores_ == [0.0] * 5
    assert model.best_iteration_ == 1  # the first of equals
    assert model.score(feature[train], label[train]) == 1
    assert model.score(feature[held_out], label[held_out]) == 0
    with pytest.warns(ConvergenceWarning, match="max_iter=9"):  # no worse is enough for tol=0
        model.set_params(max_iter=9, tol=0.0).fit(feature, label)
    assert model.set_params(tol=1e-9, n_iter_no_change=2).fit(feature, label).n_iter_ == 3


def test_callback_is_called_after_each_epoch_and_may_stop():
    def callback(self):
        seen.append((self.n_iter_, len(self.loss_curve_), self.score(X, Y)))
        return self.n_iter_ == 3

    seen = []
    model = quick(callback=callback, tol=1e-4).fit(X, Y)  # no ConvergenceWarning: it was wanted
    assert [epoch for epoch, _, _ in seen] == [length for _, length, _ in seen] == [1, 2, 3]
    assert seen[-1][-1] == model.score(X, Y) > seen[0][-1] - 0.1
    assert model.n_iter_ == 3


def test_ctrl_c_leaves_what_passes_of_ones_own_have_learned():
    def interrupt(self):
        if self.n_iter_ == 3:
            raise KeyboardInterrupt

    model = quick(callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert not hasattr(model, "coef_")
    model.partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, Y)
    assert model.n_iter_ == 2
    same = quick().partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y)
    np.testing.assert_array_equal(model.coef_, same.coef_)


def test_divergence_is_an_error_with_advice():
    for model in (
        quick(loss="exponential", max_iter=50),
        quick(loss="mse_loss", max_iter=1000, learning_rate=10.0),
    ):
        with pytest.raises(FloatingPointError, match=r"learning_rate=.*StandardScaler"):
            model.fit(*DATA["wine"])
    with pytest.raises(FloatingPointError, match="epoch 1"):  # in the last step: the loss is fine
        quick(max_iter=1, batch_size=150, learning_rate=1e308).fit(1e3 * X, Y)


@pytest.mark.parametrize(
    ("x", "y", "parameters", "error"),
    [
        (X[50:, :2], Y[50:], {"learning_rate": 1e308}, FloatingPointError),
        (X[50:, :2], Y[50:], {"loss": lambda *_: 1.0}, TypeError),
        (X[50:, :2], Y[50:], {"callback": lambda self: 0 // (self.n_iter_ - 2)}, ZeroDivisionError),
        (X[49:, :2], Y[49:], {"early_stopping": True}, ValueError),
        (X[:, :2], Y * 0, {}, ValueError),
        (X[:, :2], X[:, 0], {}, ValueError),
    ],
)
def test_an_error_leaves_the_estimator_as_it_was(x, y, parameters, error):
    model = quick(momentum=0.9).partial_fit(X, Y, [0, 1, 2])
    same = pickle.loads(pickle.dumps(model))
    model.set_params(**parameters)
    with pytest.raises(error):
        model.fit(1e3 * x, y)
    model.set_params(**same.get_params())
    for name in "coef_", "intercept_", "classes_", "n_features_in_", "n_iter_", "loss_curve_":
        np.testing.assert_array_equal(getattr(model, name), getattr(same, name))
    assert vars(model).keys() == vars(same).keys()
    for each in model, same:
        each.partial_fit(X, Y)  # with the momentum of before
    with pytest.raises(ZeroDivisionError):
        model.set_params(callback=lambda _: 1 // 0).partial_fit(X, Y)  # after the epoch
    assert model.loss_curve_ == same.loss_curve_
    np.testing.assert_array_equal(model.coef_, same.coef_)
    new = quick(**parameters)
    with pytest.raises(error):
        new.fit(1e3 * x, y)
    with pytest.raises(NotFittedError):
        new.predict(x)


# Passes of one's own.


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_partial_fit_goes_on_where_it_was(momentum):
    x, y = X[::-1], Y[::-1]
    whole = quick(max_iter=2, shuffle=False, momentum=momentum, batch_size=25).fit(x, y)
    parts = quick(shuffle=False, momentum=momentum, batch_size=25)
    parts.set_params(tol=1e-4)  # one pass is not expected to converge: no warning
    for _ in range(2):
        for start in range(0, 150, 50):
            parts.partial_fit(x[start : start + 50], y[start : start + 50], classes=[0, 1, 2])
            parts = pickle.loads(pickle.dumps(parts))
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-12)
    assert parts.n_iter_ == len(parts.loss_curve_) == parts.best_iteration_ == 6
    np.testing.assert_allclose(
        np.reshape(parts.loss_curve_, (2, 3)).mean(axis=1), whole.loss_curve_, rtol=1e-12
    )
    whole.partial_fit(x, y)
    assert whole.n_iter_ == 3
    parts.set_params(tol=None).fit(x, y)
    assert parts.n_iter_ == 5
    np.testing.assert_array_equal(
        parts.coef_, quick(shuffle=False, momentum=momentum, batch_size=25).fit(x, y).coef_
    )


def test_partial_fit_takes_new_parameters_and_recovers_from_divergence():
    model = quick(momentum=0.9, batch_size=150).partial_fit(X, Y, [0, 1, 2])
    before = model.coef_
    with pytest.raises(FloatingPointError):
        model.set_params(learning_rate=1e308).partial_fit(1e3 * X, Y)
    np.testing.assert_array_equal(model.coef_, before)
    model.set_params(learning_rate=1e-9).partial_fit(X, Y)
    np.testing.assert_allclose(model.coef_, before, atol=1e-8)
    model.set_params(learning_rate=0.1)
    model.coef_ = np.ones((3, 4))
    model.partial_fit(X, Y)
    np.testing.assert_allclose(model.coef_, 1, atol=0.2)
    model.partial_fit(9 * X, (Y + 1) % 3)  # no warning that the loss rises: others may be harder
    assert model.loss_curve_[-1] > 2 * model.loss_curve_[0]


def test_partial_fit_refusals():
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        quick().partial_fit(X, Y)
    model = quick().partial_fit(X, Y, classes=[2, 1, 0])
    with pytest.raises(ValueError, match=r"classes were \[0 1 2\] before"):
        model.partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match="unseen labels"):
        model.partial_fit(X, Y + 1)
    with pytest.raises(ValueError, match="3 features"):
        model.partial_fit(X[:, :3], Y)
    with pytest.raises(ValueError, match=r"early_stopping.* need all examples"):
        quick(early_stopping=True).partial_fit(X, Y, classes=[0, 1, 2])
    model.partial_fit(X[Y == 1], Y[Y == 1])  # a part need not have every class


def test_partial_fit_shuffles_anew_in_each_call():
    ids = []

    def loss(scores, targets):
        ids.append(tuple(targets))
        return losses.cross_entropy(scores, targets)

    model = quick(loss=loss, batch_size=150)
    for _ in range(3):
        model.partial_fit(X, Y, [0, 1, 2])
    quick(loss=loss, batch_size=150, max_iter=3).fit(X, Y)
    assert len(set(ids)) == 5  # the first epoch is that of fit
    assert ids[0] == ids[3]
    quick(loss=loss, batch_size=150, max_iter=2, shuffle=False).fit(X, Y)
    assert ids[-1] == ids[-2] == tuple(Y)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_memory_stays_flat_over_a_file(tmp_path, dtype, method):
    n, features = 40_000, 200
    x = np.memmap(tmp_path / "x", dtype, "w+", shape=(n, features))
    y = np.random.default_rng(0).integers(0, 2, n)
    x[:] = 0
    x[:, 0] = y
    x.flush()
    x = np.memmap(tmp_path / "x", dtype, "r", shape=(n, features))
    model = quick(batch_size=500, max_iter=2)
    tracemalloc.start()
    try:
        getattr(model, method)(x, y, **({"classes": [0, 1]} if method == "partial_fit" else {}))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5e6 < x.nbytes  # labels and order, 8 bytes for each example, and batches
    tracemalloc.start()
    try:
        assert model.score(x, y) == 1
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()
    assert model.coef_.dtype == (np.float32 if dtype == np.float32 else np.float64)


def test_weights_have_the_dtype_of_the_features():
    wide, narrow = quick(alpha=0.1).fit(X, Y), quick(alpha=0.1).fit(X.astype(np.float32), Y)
    assert wide.coef_.dtype == wide.intercept_.dtype == np.float64
    assert narrow.coef_.dtype == narrow.intercept_.dtype == np.float32
    np.testing.assert_allclose(narrow.coef_, wide.coef_, atol=1e-5)
    assert narrow.decision_function(X.astype(np.float32)).dtype == np.float32
    for dtype in int, bool, object, np.float16:
        assert quick().fit((10 * X).astype(dtype), Y).coef_.dtype == np.float64


# Among the tools of scikit-learn.


def test_seeds_reproduce_weights():
    def weights(seed):
        return quick(random_state=seed, early_stopping=True).fit(X, Y).coef_.tolist()

    assert weights(0) == weights(0) == weights(np.random.RandomState(0)) != weights(1)
    assert weights(None) != weights(None)


def test_a_fitted_classifier_is_small_to_keep():
    x, y = DATA["digits"]
    model = quick(momentum=0.9, early_stopping=True, max_iter=2).fit(x / 16, y)
    kept = pickle.dumps(model)
    assert len(kept) < model.coef_.nbytes + 2500
    np.testing.assert_array_equal(pickle.loads(kept).predict(x / 16), model.predict(x / 16))
    model.set_params(early_stopping=False).partial_fit(x / 16, y)
    assert len(pickle.dumps(model)) < 3 * model.coef_.nbytes + 4000  # and the velocity
    model.set_params(momentum=0.0).partial_fit(x / 16, y)
    assert len(pickle.dumps(model)) < model.coef_.nbytes + 2500
    assert not hasattr(clone(model), "coef_")


def test_grid_search_in_a_pipeline_in_one_process_and_in_two():
    grid = {
        "linearclassifier__loss": ["cross_entropy", "hinge"],
        "linearclassifier__learning_rate": [0.001, 0.1],
    }
    pipeline = make_pipeline(StandardScaler(), quick())
    one, two = (GridSearchCV(pipeline, grid, cv=3, n_jobs=n).fit(*DATA["iris"]) for n in (1, 2))
    assert one.best_params_ == two.best_params_
    scores = one.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, two.cv_results_["mean_test_score"])
    assert len(set(scores)) > 1
    assert one.best_score_ > 0.8


def test_cross_validation_learning_curves_and_calibration():
    pipeline = make_pipeline(StandardScaler(), quick(loss="hinge", max_iter=20))
    x, y = DATA["wine"]
    assert cross_val_score(pipeline, x, y, cv=5).mean() > 0.95
    _, _, scores = learning_curve(
        pipeline, x, y, train_sizes=[0.2, 1.0], cv=3, shuffle=True, random_state=0
    )
    assert scores.mean(axis=1)[-1] > 0.95
    incremental = learning_curve(
        quick(), StandardScaler().fit_transform(x), y, exploit_incremental_learning=True,
        train_sizes=[0.5, 1.0], cv=3, shuffle=True, random_state=0,
    )[2]  # fmt: skip
    assert incremental.mean() > 0.9
    for target in y, y == 1:
        calibrated = CalibratedClassifierCV(pipeline, cv=3).fit(x, target)
        assert calibrated.score(x, target) > 0.95
        np.testing.assert_allclose(calibrated.predict_proba(x).sum(axis=1), 1)


def test_pandas():
    pd = pytest.importorskip("pandas")
    x, y = load_iris(return_X_y=True, as_frame=True)
    names = pd.Series(np.array(["setosa", "versicolor", "virginica"])[y], dtype="category")
    pipeline = make_pipeline(StandardScaler(), quick(early_stopping=True)).set_output(
        transform="pandas"
    )
    pipeline.fit(x, names)
    assert pipeline[-1].feature_names_in_.tolist() == list(x.columns)
    assert pipeline[-1].n_features_in_ == 4
    array = quick(early_stopping=True).fit(X, np.array(names))
    np.testing.assert_allclose(pipeline[-1].coef_, array.coef_, rtol=1e-9)
    assert pipeline.predict(x).tolist() == array.predict(X).tolist()
    with pytest.raises(ValueError, match="feature names should match"):
        pipeline[-1].predict(x.rename(columns=str.upper))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss", "zero_one"),
        ("learning_rate", 0),
        ("learning_rate", "optimal"),
        ("batch_size", 0),
        ("max_iter", 0),
        ("momentum", 1.0),
        ("alpha", -1),
        ("alpha", float("nan")),
        ("batch_size", 32.0),
        ("early_stopping", "no"),
        ("shuffle", 1),
        ("class_weight", "equal"),
        ("class_weight", [1, 2]),
        ("validation_fraction", 1.0),
        ("n_iter_no_change", 0),
        ("tol", -1.0),
        ("callback", "stop"),
    ],
)
def test_parameters_out_of_range(name, value):
    model = quick(**{name: value})
    for fit in model.fit, lambda x, y: model.partial_fit(x, y, classes=[0, 1, 2]):
        with pytest.raises(ValueError, match=f"The '{name}' parameter"):
            fit(X, Y)
    with pytest.raises(
        ValueError, match=r"cross_entropy, multiclass_hinge, .*log_loss is cross_ent"
    ):
        quick(loss="log_loss").fit(X, Y)
    for value in np.random.default_rng(0), "seed":
        with pytest.raises(ValueError, match="cannot be used to seed"):
            quick(random_state=value).fit(X, Y)


def test_what_is_needed_is_named_where_it_is_missing():
    code = "import sys; sys.modules['sklearn'] = None; import tinygrad_edu.classifier"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: LinearClassifier needs scikit-learn, 1.6 or newer" in result.stderr


def test_only_what_is_public_in_scikit_learn_is_used():
    tree = ast.parse(Path(classifier.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules = [node.module for node in imports if node.module.startswith("sklearn")]
    assert len(modules) == 9
    assert not [module for module in modules if "._" in module]


def test_one_class_is_no_problem_to_solve():
    with pytest.raises(ValueError, match="two classes or more, not 1 class"):
        quick().fit(X, np.zeros(150))
    with pytest.raises(ValueError, match="Unknown label type"):
        quick().fit(X, X[:, 0])


# As good as scikit-learn's own.

# With as many steps they converge, so theirs may be worse, but ours may not.

PAIRS = {
    "cross_entropy": lambda _: LogisticRegression(max_iter=1000),
    "logistic": lambda seed: SGDClassifier("log_loss", random_state=seed),
    "hinge": lambda seed: SGDClassifier("hinge", random_state=seed),
    "mse_loss": lambda _: RidgeClassifier(),  # SGDClassifier("squared_error") diverges
}


def accuracies(name, loss, seeds, steps):
    rows = []
    for seed in seeds:
        x, x_test, y, y_test = train_test_split(
            *DATA[name], stratify=DATA[name][1], random_state=seed
        )
        ours = LinearClassifier(
            loss,
            alpha=1 / len(y) if loss == "cross_entropy" else 1e-4,  # their defaults
            learning_rate=0.01 if loss == "mse_loss" else 1.0 if name == "iris" else 0.1,
            max_iter=steps * 32 // len(y),
            tol=None,
            random_state=seed,
        )
        pipelines = [make_pipeline(StandardScaler(), model) for model in (ours, PAIRS[loss](seed))]
        rows.append([pipeline.fit(x, y).score(x_test, y_test) for pipeline in pipelines])
    return np.mean(rows, axis=0)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("loss", PAIRS)
def test_about_as_accurate_as_scikit_learn(name, loss):
    ours, theirs = accuracies(name, loss, seeds=range(2), steps=1000)
    assert ours > theirs - 0.03


@pytest.mark.slow
@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("loss", PAIRS)
def test_as_accurate_as_scikit_learn(name, loss):
    ours, theirs = accuracies(name, loss, seeds=range(10), steps=4000)
    print(f"{name:7} {loss:14} ours {ours:.4f} theirs {theirs:.4f}")  # shown by pytest -rP
    assert ours > theirs - 0.01


@pytest.mark.parametrize("labels", [[5, 0, 1], [0, 1, -1]])
def test_a_number_is_no_truth_value(labels):
    model = LinearClassifier(random_state=0)
    with pytest.raises(ValueError, match=r"labels \[.*\] that are not in \[False  True\]"):
        model.partial_fit(X[:3], labels, classes=[False, True])
    assert not hasattr(model, "coef_")
    model.partial_fit(X[:3], [1, 0, 1], classes=[False, True])


def test_a_callback_may_change_the_learning_rate():
    seen = []

    def lower(model):
        seen.append(model.coef_.copy())
        model.learning_rate = 1e-12

    model = LinearClassifier(learning_rate=0.01, max_iter=3, tol=None, random_state=0)
    model.set_params(callback=lower).fit(X, Y)
    moved = [np.abs(b - a).max() for a, b in itertools.pairwise(seen)]
    assert np.abs(seen[0]).max() > 1e-3
    assert max(moved) < 1e-9
