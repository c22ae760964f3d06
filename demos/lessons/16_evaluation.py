# %% [markdown]
# # Honest evaluation
#
# Honest evaluation: train, choose and measure on different data, and open the test set once.
#
# How good will a model be on data that nobody has seen? To find out, the data is split:
#
# | part | what it decides | how often it is used |
# |---|---|---|
# | training set | the weights, by gradients | at each step |
# | validation set | what training does not learn, the **hyperparameters** | once per candidate |
# | test set | nothing: it gives the number to report | once |
#
# A cheap camera for digits can have 16 of 64 pixels. Which ones? There are 50 designs, each with 16
# pixels drawn at random: the design is the hyperparameter. A linear model is trained for each. A
# fifth of all labels is random, so nobody is always right. Each part has 60 images. All others are
# **fresh**: in practice we would not have them, here they tell the truth.

# %%
import textwrap

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tinygrad_edu import grad, losses
from tinygrad_edu.evaluation import SealedTestSet

plt.style.use("tinygrad_edu.figures")

rng = np.random.default_rng(0)
x, y = load_digits(return_X_y=True)
x, y = x / 16, np.where(rng.random(len(y)) < 0.2, rng.integers(0, 10, len(y)), y)
designs = [rng.choice(64, 16, replace=False) for _ in range(50)]
train, others = train_test_split(np.arange(len(y)), train_size=60, random_state=0)


def fit(design, rows):
    """The model of a design, a function from images to digits, after 60 steps on these rows."""
    slope = grad(lambda w: losses.cross_entropy(x[rows][:, design] @ w, y[rows]))
    w = np.zeros((16, 10))
    for _ in range(60):
        w = w - 3 * slope(w)
    return lambda images: (images[:, design] @ w).argmax(axis=1)


def split(seed):
    """60 images to validate with, 60 to test with, and the fresh ones."""
    validation, rest = train_test_split(others, train_size=60, random_state=seed)
    return validation, *train_test_split(rest, train_size=60, random_state=seed)


# For each design and each image, whether the model of the training set reads it right.
right = np.array([fit(design, train)(x) == y for design in designs])
validation, test, fresh = split(0)
best = right[:, validation].mean(axis=1).argmax()
print(f"chosen: design {best}, validation accuracy {right[best, validation].mean():.3f}")

# %% [markdown]
# The best design on the validation set is trained again on both sets together, as more data makes a
# better model. Only now is the test set opened, for the report. `SealedTestSet` opens only once.

# %%
sealed = SealedTestSet(x[test], y[test])
model = fit(designs[best], [*train, *validation])
reported = sealed.score(model)
truth = np.mean(model(x[fresh]) == y[fresh])
print(f"trained again on both sets: test accuracy {reported:.3f}, on fresh images {truth:.3f}")
try:
    sealed.score(fit(designs[0], [*train, *validation]))  # is another design better?
    refusal = "none"
except RuntimeError as error:
    refusal = str(error)
print("a second score:", *textwrap.wrap(refusal, 90), sep="\n  ")

# %% [markdown]
# Why so strict? Why not choose by the test set, and save the validation set? We choose 300 times in
# both ways among the models of the training set, each time with other images in the two other sets.
# Is the accuracy that we report also that on the fresh images?

# %%
reports, gains = [], []
for seed in range(300):
    validation, test, fresh = split(seed)
    validated, tested = right[:, validation].mean(axis=1), right[:, test].mean(axis=1)
    honest, cheat, truths = validated.argmax(), tested.argmax(), right[:, fresh].mean(axis=1)
    numbers = validated[honest], tested[honest], tested[cheat]
    reports.append(numbers - truths[[honest, honest, cheat]])
    if seed < 20:  # training takes longer than choosing
        again = fit(designs[honest], [*train, *validation])
        gains.append(np.mean(again(x[fresh]) == y[fresh]) - truths[honest])
reports, gain = 100 * np.array(reports), 100 * np.mean(gains)  # in percentage points
of_winner, of_honest, of_cheat = reports.mean(axis=0)
print("what is reported, less the truth, on average, in percentage points:")
print(f"  chosen by the test set, its test accuracy:              {of_cheat:+.1f}")
print(f"  chosen by the validation set, its validation accuracy:  {of_winner:+.1f}")
print(f"  chosen by the validation set, its test accuracy:        {of_honest:+.1f}")
print(f"gained by training again on both sets, in 20 of the 300 cases: {gain:+.1f}")
axes = plt.figure().subplots()
bins = np.arange(-27.5, 30, 5)
axes.hist(reports[:, 1], bins, color="C0", alpha=0.5, label="the validation set")
axes.hist(reports[:, 2], bins, color="C1", histtype="step", linewidth=3, label="the test set")
axes.axvline(0, color="C4", linewidth=1, linestyle="-")
axes.set(xlabel="test accuracy less accuracy on fresh images (points)", ylabel="choices, of 300")
axes.legend(title="chosen by", loc="upper left")
plt.show()

# %% [markdown]
# :::{caption}
# Models chosen by the test set look too good.
#
# Models chosen by the test set look too good.
# :::

# %% [markdown]
# To choose the highest of 50 numbers is to choose luck, too, and luck does not come back on fresh
# images. The validation accuracy of the winner is too high for the same reason. That is why there
# is a third set: no choice depends on it, so it errs by chance only, upward as often as downward.
