# %% [markdown]
# # Tuning
#
# Weights are learned. Who chooses the learning rate, the batch size, the penalty?
#
# These are **hyperparameters**: data chooses them, too, but data that training has not seen.
# [Honest evaluation](16_evaluation.py) used one validation set for that. This page does it with
# less waste, and with scikit-learn's tools, which work with `LinearClassifier`: it trains with the
# Tensors and losses of this library. First, a fifth of the digits is held out, and sealed.
#
# :::{admonition} Predict
# :class: tip
# Eight learning rates, from 0.003 to 10. How will the validation accuracy depend on them?
# :::

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split

from tinygrad_edu.classifier import LinearClassifier
from tinygrad_edu.evaluation import SealedTestSet

x, y = load_digits(return_X_y=True)
x, x_test, y, y_test = train_test_split(x / 16, y, test_size=0.2, stratify=y, random_state=0)
sealed = SealedTestSet(x_test, y_test)

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")

model = LinearClassifier(max_iter=10, batch_size=64, tol=None, random_state=0)
rates = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
folds = StratifiedKFold(5, shuffle=True, random_state=0)
search = GridSearchCV(model, {"learning_rate": rates}, cv=folds).fit(x, y)
accuracies = np.array([search.cv_results_[f"split{i}_test_score"] for i in range(5)])
means = accuracies.mean(axis=0)
axes = plt.figure().subplots()
for i, part in enumerate(accuracies):
    axes.plot(np.array(rates) * 1.03 ** (i - 2), part, "o", color="0.6", markersize=5)
axes.plot([], [], "o", color="0.6", label="one part")
axes.plot(rates, means, "D-", color="C0", label="mean of five parts")
axes.set(xscale="log", xlabel="learning rate", ylabel="validation accuracy")
axes.legend(loc="lower right")
plt.show()

# %% [markdown]
# :::{caption}
# Small steps do not get far in ten epochs. At the largest rate the parts differ most.
#
# The accuracy of five validation parts, grey points, and their mean, a blue line, over eight
# learning rates. The mean rises from 0.88 to nearly 0.96, at the rate 3, and is a little
# lower at 10, where the points spread the most, by more than the means of the last three differ.
# :::

# %% [markdown]
# ## Cross-validation
#
# One validation set is a matter of chance: another one may prefer another learning rate.
# **Cross-validation** lets every image validate once. `StratifiedKFold` cuts the images into five
# parts, with the same share of each digit in all. Each part in turn validates, and the other four
# train: five models for each candidate. `GridSearchCV` did that for the picture above. The standard
# error of a mean of five is the standard deviation of the five, divided by $\sqrt{5}$.

# %%
print("learning rate | mean accuracy | standard error")
errors = accuracies.std(axis=0, ddof=1) / np.sqrt(5)
for rate, mean, error in zip(rates, means, errors, strict=True):
    print(f"{rate:13} | {mean:13.4f} | {error:.4f}")
favourites = [rates[i] for i in accuracies.argmax(axis=1)]
print(f"the favourite of each part: {favourites}")

# %% [markdown]
# What the data does say is that rates below 1 are worse. Between 1 and 10 it is not so sure: the
# five parts have different favourites, and the standard error at 10 is as large as the difference
# to 3. So do not read more into such a table than its standard errors allow. A usual rule is: take
# the **mildest** candidate within one standard error of the best. Mild is, for instance, a smaller
# step, or a larger penalty.

# %%
best = means.argmax()
good = means >= means[best] - errors[best]
chosen = rates[int(np.argmax(good))]  # the first that is good enough
print(f"highest mean: {rates[best]}; within one standard error, and mildest: {chosen}")

# %% [markdown]
# ## The end: train again, open the test set
#
# The winner is trained once more, on the images of all parts. (`max_iter` is the number of epochs,
# and `tol=None` says that none of them is left out.) Only now the seal is broken.

# %%
winner = LinearClassifier(
    learning_rate=chosen, max_iter=10, batch_size=64, tol=None, random_state=0
).fit(x, y)
accuracy = sealed.score(winner)
print(f"accuracy on the test set: {accuracy:.3f}; in cross-validation: {means[good][0]:.3f}")
print(sealed)

# %% [markdown]
# ## Several hyperparameters
#
# Candidates are spread over powers: 0.01, 0.1, 1, and not 1, 2, 3, because what matters is their
# ratio. Of two hyperparameters a grid tries all pairs. But often one of them matters and the other
# does not: then a grid of 3 times 3 tries only three values of the one that matters, and nine
# random candidates try nine (Bergstra and Bengio, 2012).

# %% tags=["hide-input"]
rng = np.random.default_rng(12)
left, right = plt.figure(figsize=(8, 3.6)).subplots(1, 2, sharex=True, sharey=True)
powers = np.array([-2.0, -1.0, 0.0])
grid = np.array([(a, b) for a in powers for b in powers])
drawn = rng.uniform(-2.4, 0.4, (9, 2))
for axes, points, name in ((left, grid, "grid"), (right, drawn, "random")):
    axes.plot(*(10**points).T, "o", color="C0", markersize=8, clip_on=False)
    axes.plot(10 ** points[:, 0], np.full(9, 10**-2.6), "|", color="C1", markersize=14)
    axes.set(xscale="log", yscale="log", title=name, xlabel="what matters")
left.set_ylabel("what does not")
plt.show()

# %% [markdown]
# :::{caption}
# Nine candidates each. The marks below: how many values of what matters have been tried.
#
# Two squares with nine points on logarithmic axes. The grid has three rows and three columns, and
# three marks below. The random points have nine different places, and nine marks below.
# :::

# %% [markdown]
# Where data comes in time, tomorrow must not help to predict today. `TimeSeriesSplit` trains on the
# past and validates on what comes next: see [the future](17_future.py).
#
# ## What to take away
#
# - Cross-validation: every example validates once.
# - Candidates in powers; two or more hyperparameters at random.
# - Differences below the standard error are chance: take the milder one.
# - The test set waits for the end.
#
# ## Exercises
#
# :::{exercise} Candidates
# :label: tuning-candidates
#
# Give `count` learning rates from `low` to `high`, both included, each the same factor above the
# last.
# :::


# %% tags=["exercise"]
def candidates(low, high, count):
    """Learning rates, spread over powers."""
    return np.linspace(low, high, count)  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("three from 0.01 to 1", lambda: np.allclose(candidates(0.01, 1, 3), [0.01, 0.1, 1]))
check("five from 1 to 16", lambda: np.allclose(candidates(1, 16, 5), [1, 2, 4, 8, 16]))

# %% [markdown]
# :::{solution-start} tuning-candidates
# :::


# %% tags=["solution"]
def candidates(low, high, count):
    """Learning rates, spread over powers."""
    return low * (high / low) ** (np.arange(count) / (count - 1))


# %% [markdown]
# NumPy's name for it is `np.geomspace`.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Folds by hand
# :label: tuning-folds
#
# Give `k` pairs of rows to train and to validate with, so that each of `count` rows validates
# exactly once, and parts differ in size by at most one.
# :::


# %% tags=["exercise"]
def k_folds(count, k, rng):
    """Pairs of rows: to train, and to validate."""
    rows = np.arange(count)
    return [(rows, rows) for _ in range(k)]  # your lines instead


# %% tags=["check", "hide-input"]
def validating():
    """The parts that validate, of 23 rows."""
    return [part for _, part in k_folds(23, 5, np.random.default_rng(0))]


def apart():
    """Whether no row trains and validates in one pair."""
    return all(not set(a) & set(b) for a, b in k_folds(23, 5, np.random.default_rng(0)))


check("each row validates once", lambda: sorted(np.concatenate(validating())) == list(range(23)))
check("no row is in both parts", apart)
check("the parts are alike in size", lambda: sorted(map(len, validating())) == [4, 4, 5, 5, 5])

# %% [markdown]
# :::{solution-start} tuning-folds
# :::


# %% tags=["solution"]
def k_folds(count, k, rng):
    """Pairs of rows: to train, and to validate."""
    parts = np.array_split(rng.permutation(count), k)
    pairs = []
    for i in range(k):
        others = parts[:i] + parts[i + 1 :]
        pairs.append((np.concatenate(others), parts[i]))
    return pairs


# %% [markdown]
# Shuffled first, because files are often sorted. With rare classes, cut each class by itself, as
# `StratifiedKFold` does.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: a penalty that is too large
# :label: tuning-alpha
#
# `alpha` is the penalty $\lambda$ of `LinearClassifier`. Find a power of ten for it with which a
# model with the learning rate 0.3 falls below 0.9 on one validation part, where without penalty it
# is above.
# :::

# %% tags=["exercise"]
too_large = 0.0  # your number instead


# %% tags=["check", "hide-input"]
def validation_accuracy(alpha):
    """The accuracy on the first part."""
    train, part = next(folds.split(x, y))
    penalized = LinearClassifier(
        learning_rate=0.3, alpha=alpha, max_iter=5, tol=None, random_state=0
    )
    return penalized.fit(x[train], y[train]).score(x[part], y[part])


check("without penalty it is above 0.9", lambda: validation_accuracy(0.0) > 0.9)
check("with it, below", lambda: validation_accuracy(too_large) < 0.9)
check("it is a power of ten", lambda: too_large in [10.0**k for k in range(-5, 5)])

# %% [markdown]
# :::{solution-start} tuning-alpha
# :::

# %% tags=["solution"]
too_large = 1.0

# %% [markdown]
# The penalty keeps the weights so near to 0 that the classes can hardly be told apart:
# **underfitting**, the opposite of [overfitting](15_overfitting.py).
# :::{solution-end}
# :::
