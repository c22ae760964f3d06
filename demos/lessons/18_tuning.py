# %% [markdown]
# # Tuning
#
# Tuning: settings chosen by cross-validation, weights by training, the test set opened once.
#
# Weights are learned, but not the settings of learning itself: the step size, the batch size, the
# number of epochs, and how large weights may become. These are **hyperparameters**, and they are
# chosen by data that training has not seen. There are good tools for that, and this lesson uses
# scikit-learn's: `LinearClassifier` trains with the tensors, losses and SGD of this library, and
# fits into them.
#
# First, a fifth of the images of digits is held out, and sealed: the **test set**.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import (
    GridSearchCV,
    PredefinedSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from tinygrad_edu.classifier import LinearClassifier
from tinygrad_edu.evaluation import SealedTestSet

plt.style.use("tinygrad_edu.figures")

x, y = load_digits(return_X_y=True)
x, x_test, y, y_test = train_test_split(x / 16, y, test_size=0.2, stratify=y, random_state=0)
sealed = SealedTestSet(x_test, y_test)
print(f"{len(x)} images to learn and choose from, and {sealed}")

# %% [markdown]
# The hyperparameter here is the step size, `learning_rate`. With small steps, ten epochs do not get
# far; with large ones, each mini-batch throws the weights about. To choose it, a quarter of the
# rest is the **validation set**. `PredefinedSplit` takes 0 for an image of the validation set, and
# -1 for one that is always for training.

# %%
model = LinearClassifier(max_iter=10, batch_size=64, tol=None, random_state=0)
grid = {"learning_rate": [0.03, 0.1, 0.3, 1, 3, 10, 30]}
validates = np.random.default_rng(0).permutation(len(x)) < len(x) // 4
one_part = PredefinedSplit(np.where(validates, 0, -1))
one_split = GridSearchCV(model, grid, cv=one_part).fit(x, y)
print(f"by one validation set: {one_split.best_params_}")

# %% [markdown]
# A validation set of this size is itself a matter of chance: another one may prefer another step
# size. **Cross-validation** lets every image validate once. `StratifiedKFold` cuts the images into
# five parts with the same share of each digit; each part in turn is the validation set, and the
# other four are for training. The mean of five accuracies varies less than one of them.

# %%
folds = StratifiedKFold(5, shuffle=True, random_state=0)
search = GridSearchCV(model, grid, cv=folds).fit(x, y)
accuracies = np.array([search.cv_results_[f"split{i}_test_score"] for i in range(5)])
chosen = search.best_params_["learning_rate"]
print(f"by five of them: {search.best_params_}")
favourites = [grid["learning_rate"][i] for i in accuracies.argmax(axis=1)]
print(f"the favourite of each part: {favourites}")

figure = plt.figure()
axes = figure.subplots()
sizes = grid["learning_rate"]
axes.plot(sizes, accuracies.T, "o", color="0.6", markersize=5)
axes.plot(sizes, accuracies.mean(axis=0), "D-", color="C0", label="mean of five parts")
axes.plot([], [], "o", color="0.6", label="one part")
axes.axvline(chosen, color="C1", linestyle="--", label="chosen")
axes.set(xscale="log", xlabel="step size", ylabel="validation accuracy")
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Neither small nor large steps are good; parts disagree.
#
# Neither small nor large steps are good; parts disagree.
# :::

# %% [markdown]
# The search has then trained once more, with the step size it has chosen and on the images of all
# parts, for more data makes a better model. Only now is the test set opened.

# %%
accuracy = sealed.score(search)
print(f"accuracy on the test set: {accuracy:.3f}; in cross-validation: {search.best_score_:.3f}")
print(sealed)

# %% [markdown]
# One case needs another split. Where data comes in time, images of tomorrow must not help to
# predict those of today. `TimeSeriesSplit` trains on the past and validates on what comes next.

# %%
in_time = TimeSeriesSplit(5)
figure = plt.figure(figsize=(8, 3.5))
panels = figure.subplots(1, 2, sharey=True)
for axes, splitter in zip(panels, (folds, in_time), strict=True):
    for i, (train, validation) in enumerate(splitter.split(x, y)):
        axes.plot(train, np.full(len(train), i), "|", color="0.6", markersize=9)
        axes.plot(validation, np.full(len(validation), i), "|", color="C1", markersize=15)
    axes.set(title=type(splitter).__name__, xlabel="number of the example, in time")
panels[0].set(ylabel="split", yticks=range(5))
plt.show()

# %% [markdown]
# :::{caption}
# Orange validates, grey trains; in time, only the past trains.
#
# Orange validates, grey trains; in time, only the past trains.
# :::
