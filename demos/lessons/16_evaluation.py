# %% [markdown]
# # Honest evaluation
#
# How good will a model be on data that nobody has seen? And how would you find out, without it?
#
# [Overfitting](15_overfitting.py) has shown that the training set cannot tell. So some data is held
# out, in two parts, and each part of the data answers one question only:
#
# | part | share | what it decides | how often it is used |
# |---|---|---|---|
# | training set | the rest | the weights | at each step |
# | validation set | 10 to 20% | the hyperparameters | once per candidate |
# | test set | 10 to 20% | nothing: it gives the number to report | **once** |
#
# Why so strict? An example: a cheap camera for digits reads 16 of 64 pixels. There are 50 designs,
# each with 16 pixels drawn at random: the design is the hyperparameter. A fifth of all labels is
# random, so nobody is always right. The sets are small, 60 images each, so that chance is plain to
# see. All other images are **fresh**: in practice we would not have them, here they tell the truth.
#
# :::{admonition} Predict
# :class: tip
# The best of 50 designs on the test set: is its accuracy on fresh images the same, higher or lower?
# :::

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
x, y = load_digits(return_X_y=True)
x = x / 16
y = np.where(rng.random(len(y)) < 0.2, rng.integers(0, 10, len(y)), y)
designs = [rng.choice(64, 16, replace=False) for _ in range(50)]
train, others = train_test_split(np.arange(len(y)), train_size=60, random_state=0)

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from tinygrad_edu import Tensor, losses, optim
from tinygrad_edu.evaluation import SealedTestSet

plt.style.use("tinygrad_edu.figures")


def fit(design, rows):
    """The model of a design, a function from images to digits, after 60 steps on these rows."""
    pixels = x[rows][:, design]
    W = Tensor(np.zeros((10, 16)), requires_grad=True)
    sgd = optim.SGD([W], lr=3.0)
    for _ in range(60):
        loss = losses.cross_entropy(pixels @ W.T, y[rows])
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return lambda images: (images[:, design] @ W.data.T).argmax(axis=1)


def split(seed):
    """60 images to validate with, 60 to test with, and the fresh ones."""
    validation, rest = train_test_split(others, train_size=60, random_state=seed)
    test, fresh = train_test_split(rest, train_size=60, random_state=seed)
    return validation, test, fresh


# For each design and each image, whether the model of the training set reads it right.
right = np.array([fit(design, train)(x) == y for design in designs])
validation, test, fresh = split(9)
on_test, on_fresh = right[:, test].mean(axis=1), right[:, fresh].mean(axis=1)
winner = on_test.argmax()
axes = plt.figure(figsize=(8, 5)).subplots()
axes.plot(on_fresh, on_test, "o", color="C0", markersize=6, label="a design")
axes.plot(
    on_fresh[winner], on_test[winner], "*", color="C1", markersize=18, label="best on the test set"
)
axes.axline((0.4, 0.4), slope=1, color="C4", linestyle="-", linewidth=1, label="equal")
axes.set(xlabel="accuracy on fresh images", ylabel="accuracy on 60 test images")
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# :::{caption}
# The best design on the test set lies above the line: its accuracy on fresh images is lower.
#
# Fifty points scattered around a diagonal: the accuracy of each design on fresh images, and on the
# test set. A star, one of the two highest points, is far above the diagonal.
# :::

# %% [markdown]
# To choose the highest of 50 numbers is to choose luck, too, and luck does not come back.
#
# ## The honest way
#
# Choose by the validation set. Then train once more, on both sets together, because more data makes
# a better model. Only now open the test set, for the report. `SealedTestSet` opens once.

# %%
best = right[:, validation].mean(axis=1).argmax()
sealed = SealedTestSet(x[test], y[test])
model = fit(designs[best], [*train, *validation])
reported = sealed.score(model)
truth = np.mean(model(x[fresh]) == y[fresh])
print(f"chosen: design {best}, validation accuracy {right[best, validation].mean():.3f}")
print(f"trained again on both sets: test accuracy {reported:.3f}, on fresh images {truth:.3f}")

# %% [markdown]
# Would another design have been better? The test set does not answer a second time.

# %%
import textwrap

try:
    sealed.score(fit(designs[0], [*train, *validation]))
    refusal = "none"
except RuntimeError as error:
    refusal = str(error)
print(textwrap.fill(refusal, 90))

# %% [markdown]
# ## How much it matters
#
# One example may be luck. So we choose 300 times, each time with other images in both sets, among
# the models of the training set. What is reported, and how far is it from the truth?

# %%
reports = []
for seed in range(300):
    validation, test, fresh = split(seed)
    validated = right[:, validation].mean(axis=1)
    tested = right[:, test].mean(axis=1)
    truths = right[:, fresh].mean(axis=1)
    honest = validated.argmax()
    cheat = tested.argmax()
    reports.append(
        [
            tested[cheat] - truths[cheat],
            validated[honest] - truths[honest],
            tested[honest] - truths[honest],
        ]
    )
reports = 100 * np.array(reports)  # in percentage points
of_cheat, of_winner, of_honest = reports.mean(axis=0)
print("reported less truth, on average, in percentage points:")
print(f"  chosen by the test set, its test accuracy:             {of_cheat:+.1f}")
print(f"  chosen by the validation set, its validation accuracy: {of_winner:+.1f}")
print(f"  chosen by the validation set, its test accuracy:       {of_honest:+.1f}")

# %% tags=["hide-input"]
axes = plt.figure().subplots()
bins = np.arange(-27.5, 30, 5)
axes.hist(reports[:, 2], bins, color="C0", alpha=0.5, label="the validation set")
axes.hist(reports[:, 0], bins, color="C1", histtype="step", linewidth=3, label="the test set")
axes.axvline(0, color="C4", linewidth=1, linestyle="-")
axes.set(xlabel="reported less true accuracy (points)", ylabel="choices, of 300")
axes.legend(title="chosen by", loc="upper left")
plt.show()

# %% [markdown]
# :::{caption}
# Models chosen by the test set look too good; else the test set errs to both sides alike.
#
# Two histograms of the error of a report. Chosen by the validation set, it is centred at 0. Chosen
# by the test set, it is shifted to the right, and rarely below 0.
# :::

# %% [markdown]
# The validation accuracy of the winner is too high for the same reason. That is why there is a
# third set: no choice depends on it, so it errs by chance only, upward as often as downward.
#
# ## Training again, and its risk
#
# We trained the winner again, with the validation set added. Was that wise? Here are 40 of the 300
# cases.

# %%
gains = []
for seed in range(40):
    validation, test, fresh = split(seed)
    chosen = right[:, validation].mean(axis=1).argmax()
    again = fit(designs[chosen], [*train, *validation])
    gain = np.mean(again(x[fresh]) == y[fresh]) - right[chosen, fresh].mean()
    gains.append(100 * gain)
print(f"training again gains {np.mean(gains):+.1f} points on average, ", end="")
print(f"from {min(gains):+.1f} to {max(gains):+.1f}; {np.mean(np.array(gains) < 0):.0%} are losses")

# %% [markdown]
# With sets as small as these it gains much. But note what is given up: no data is left to watch
# this last training. Nobody sees if it overfits, and the number of epochs that was right for 60
# images need not be right for 120. So training again is for recipes that are known to be steady,
# with all hyperparameters fixed, and with a test set to be opened after it.
#
# ## How much to hold out
#
# An accuracy $a$ measured on $N$ images is off by chance, typically by its **standard error**
#
# $$\sqrt{a \, (1 - a) / N} .$$
#
# With 60 images and an accuracy of 0.6 that is 6 points; with 1,000, it is 1.5. So 10 to 20% of
# some thousand examples will do; of a million, far less; of a hundred, nothing will, and one takes
# turns: cross-validation, in [tuning](18_tuning.py). Where the data comes in time, hold out its
# end: that is the [next page](17_future.py).
#
# ## What to take away
#
# - Train, choose and measure on different data.
# - The best of many scores is too good.
# - The test set is opened once, at the very end.
#
# ## Exercises
#
# :::{exercise} Three parts
# :label: evaluation-split
#
# Split the numbers from 0 to `count - 1` at random: 15% to test, 15% to validate, the rest to
# train. Round down.
# :::


# %% tags=["exercise"]
def three_parts(count, rng):
    """The rows to train, to validate and to test with."""
    rows = np.arange(count)
    return rows, rows, rows  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check


def parts():
    """A split of 100 rows."""
    return three_parts(100, np.random.default_rng(0))


check("70, 15 and 15 of 100", lambda: [len(part) for part in parts()] == [70, 15, 15])
check("each row is in one part", lambda: sorted(np.concatenate(parts())) == list(range(100)))
check("it is drawn at random", lambda: not np.array_equal(np.sort(parts()[2]), parts()[2]))

# %% [markdown]
# :::{solution-start} evaluation-split
# :::


# %% tags=["solution"]
def three_parts(count, rng):
    """The rows to train, to validate and to test with."""
    rows = rng.permutation(count)
    held_out = 15 * count // 100
    return rows[2 * held_out :], rows[held_out : 2 * held_out], rows[:held_out]


# %% [markdown]
# Shuffle once, then cut. (But see the next page for data that comes in time.)
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} How many?
# :label: evaluation-size
#
# How many test images are needed for a standard error of at most `error`, at an accuracy `a`?
# :::


# %% tags=["exercise"]
def images_needed(a, error):
    """The smallest number of images."""
    return 1  # your line instead


# %% tags=["check", "hide-input"]
check("half right, 5 points", lambda: images_needed(0.5, 0.05) == 100)
check("0.9, 1 point", lambda: images_needed(0.9, 0.01) == 900)
check("nearly always right", lambda: images_needed(0.98, 0.01) == 196)

# %% [markdown]
# :::{solution-start} evaluation-size
# :::


# %% tags=["solution"]
def images_needed(a, error):
    """The smallest number of images."""
    return int(np.ceil(round(a * (1 - a) / error**2, 6)))


# %% [markdown]
# The formula, solved for $N$: half the error takes four times the images. (`round` is there because
# floats may be a hair above 900.)
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: optimism for sale
# :label: evaluation-optimism
#
# How much too good is the best of `k` designs on the test set? Compute the mean of reported less
# true accuracy over 100 splits, among the first `k` designs.
# :::


# %% tags=["exercise"]
def optimism(k):
    """By how much the best of k on the test set looks better than it is, on average."""
    return 0.0  # your lines instead


# %% tags=["check", "hide-input"]
check("choosing among one is honest", lambda: abs(optimism(1)) < 0.02)
check("two promise too much", lambda: optimism(2) > optimism(1))
check("fifty promise more than five points", lambda: optimism(50) > 0.05)

# %% [markdown]
# :::{solution-start} evaluation-optimism
# :::


# %% tags=["solution"]
def optimism(k):
    """By how much the best of k on the test set looks better than it is, on average."""
    excess = []
    for seed in range(100):
        _, test, fresh = split(seed)
        tested = right[:k, test].mean(axis=1)
        cheat = tested.argmax()
        excess.append(tested[cheat] - right[cheat, fresh].mean())
    return np.mean(excess)


# %% [markdown]
# Each look at the test set is a ticket in a lottery: the more of them, the better the best.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} A leak
# :label: evaluation-leak
#
# Preparation learns from data, too. Shift and scale the columns of both arrays by the same numbers,
# so that those of `x` have mean 0 and standard deviation 1. Which of both arrays may have a say in
# these numbers?
# :::


# %% tags=["exercise"]
def standardize(x, x_test):
    """Both arrays, prepared."""
    both = np.vstack([x, x_test])
    return (x - both.mean(axis=0)) / both.std(axis=0), x_test  # your lines instead


# %% tags=["check", "hide-input"]
a, b = np.array([[1.0, 2.0], [3.0, 6.0]]), np.array([[2.0, 4.0]])
check("the training set is prepared", lambda: np.allclose(standardize(a, b)[0], [[-1, -1], [1, 1]]))
check("so is the test set", lambda: np.allclose(standardize(a, b)[1], [[0, 0]]))
check(
    "which has no influence", lambda: np.allclose(standardize(a, 100 * b)[0], standardize(a, b)[0])
)

# %% [markdown]
# :::{solution-start} evaluation-leak
# :::


# %% tags=["solution"]
def standardize(x, x_test):
    """Both arrays, prepared."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    return (x - mean) / deviation, (x_test - mean) / deviation


# %% [markdown]
# Mean and standard deviation are learned, like weights: from the training set alone.
# :::{solution-end}
# :::
