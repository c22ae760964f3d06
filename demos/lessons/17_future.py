# %% [markdown]
# # A test set from the future
#
# A model is tested to know how it will do later. Does a random test set tell?
#
# [Honest evaluation](16_evaluation.py) drew the test set at random. Such a set stands for data that
# does not exist yet only if the future is like the past. Data that comes in time may **drift**: the
# rule from the input `x` to the label `y` changes slowly, as prices and habits do. Here is such
# data: two numbers and a label, -1 or +1. A line through the origin parts the labels, and it turns
# by 2 radians, or 115 degrees, in a year.
#
# :::{admonition} Predict
# :class: tip
# A linear classifier learns from the whole year. At which time of the year will it be right most
# often?
# :::

# %%
import numpy as np


def record(rng, count, begin, end):
    """Data in the order of time: the moments, in years, and the x and y of each."""
    time = np.sort(rng.uniform(begin, end, count))
    x = rng.normal(size=(count, 2))
    y = np.sign(x[:, 0] * np.cos(2 * time) + x[:, 1] * np.sin(2 * time))
    return time, x, y


# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")

time, x, y = record(np.random.default_rng(0), 600, 0, 1)
figure = plt.figure(figsize=(8, 3.6))
panels = figure.subplots(1, 3, sharex=True, sharey=True)
for axes, begin in zip(panels, (0, 0.4, 0.8), strict=True):
    then = (time >= begin) & (time < begin + 0.2)
    for label, color, marker in ((-1, "C0", "o"), (1, "C1", "^")):
        points = x[then & (y == label)]
        axes.plot(*points.T, marker, color=color, markersize=5, label=f"y = {label:+}")
    axes.set(title=f"year {begin:.1f} to {begin + 0.2:.1f}", xlabel="$x_1$", aspect="equal")
panels[0].set_ylabel("$x_2$")
figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
plt.show()

# %% [markdown]
# :::{caption}
# The line between the labels turns in the course of a year.
#
# Three clouds of points with labels -1, circles, and +1, triangles. At the beginning of the year
# the triangles are at the right, in the middle at the upper right, at the end at the top left.
# :::

# %% [markdown]
# A linear classifier cannot turn: it learns one line for all of its training data.
#
# We have the data of a year. A fifth of it is the test set: one drawn at random, or the last one in
# time. The rest trains. In the end a model is trained on the whole year, and then the future comes,
# here the next fifth of a year. All this is done 20 times.

# %%
from sklearn.model_selection import train_test_split

from tinygrad_edu import Tensor, losses, optim


def fit(x, y):
    """The weights of a linear classifier after 60 steps."""
    w = Tensor(np.zeros(2), requires_grad=True)
    sgd = optim.SGD([w], lr=3.0)
    for _ in range(60):
        loss = losses.logistic(x @ w, y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return w.data


def correct(x, y, train, test):
    """Whether a classifier of some rows is right about each of the others."""
    return np.sign(x[test] @ fit(x[train], y[train])) == y[test]


accuracies = []
moments = []
results = []
for seed in range(20):
    time, x, y = record(np.random.default_rng(seed), 2400, 0, 1.2)
    year, later = np.flatnonzero(time < 1), np.flatnonzero(time >= 1)
    train, chance = train_test_split(year, test_size=0.2, random_state=seed)
    past, last = train_test_split(year, test_size=0.2, shuffle=False)
    by_chance = correct(x, y, train, chance).mean()
    by_time = correct(x, y, past, last).mean()
    accuracies.append([by_chance, by_time, correct(x, y, year, later).mean()])
    moments.extend(time[[*chance, *later]])
    results.extend(correct(x, y, train, [*chance, *later]))
accuracies = np.array(accuracies)
promised, latest, kept = accuracies.mean(axis=0)
print(f"accuracy on a random fifth {promised:.2f}, on the last {latest:.2f}, later {kept:.2f}")

# %% tags=["hide-input"]
axes = plt.figure().subplots()
axes.plot(accuracies.T, "o-", color="0.6", linewidth=0.8, markersize=5)
axes.plot([promised, latest, kept], "D--", color="C1", markersize=9, label="mean of 20 runs")
axes.set_xticks(range(3), ["random fifth", "last fifth", "after the year"])
axes.set(ylabel="accuracy", xlabel="tested on", xlim=(-0.3, 2.3))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# The random test set promises more than the future keeps. The last fifth is much nearer.
#
# Twenty grey lines over three places: random fifth, last fifth, after the year. All fall steeply
# from the first to the second, and most of them a little more to the third.
# :::

# %% [markdown]
# Why is the random test set so kind? Look how often the model of the random split is right in each
# twentieth of a year.

# %%
edges = np.linspace(0, 1.2, 25)
tested, _ = np.histogram(moments, edges)
right, _ = np.histogram(moments, edges, weights=np.array(results, float))
by_moment = right / tested
print(f"at the beginning {by_moment[0]:.2f}, best {by_moment.max():.2f}, ", end="")
print(f"at the end of the year {by_moment[19]:.2f}, at the end of the future {by_moment[-1]:.2f}")

# %% tags=["hide-input"]
axes = plt.figure().subplots()
axes.stairs(by_moment, edges, color="C0", linewidth=2.5, baseline=None, label="in 1/20 of a year")
axes.plot([0, 1], [promised] * 2, "--", color="C1", label="promised: mean over the year")
axes.axvspan(1, 1.2, color="0.6", alpha=0.3, linewidth=0, label="future")
axes.axhline(0.5, color="C4", linewidth=1, linestyle=":", label="guessing")
axes.set(xlabel="time (years)", ylabel="accuracy")
axes.legend(loc="lower left")
plt.show()

# %% [markdown]
# :::{caption}
# The accuracy rises to the middle of the year, and then falls. The future lies behind it all.
#
# A staircase over time. It rises from about 0.7 at the beginning to nearly 1 in the middle of the
# year, falls to about 0.7 at its end, and goes on falling in the future. The mean over the year is
# a dashed line above all of the future.
# :::

# %% [markdown]
# The model is a mean over the year, so it fits the middle best. A random test set asks about all
# moments of the year, at most of which the model does better than at its ends. The future lies at
# one side of them all. Even the last fifth promises a little too much here: a model of the whole
# year is a mean over a longer time, and lags behind a little more.
#
# So where time matters, test on what comes after the training data. And that test set, too, is
# opened once.
#
# ## What to take away
#
# - A random split asks: how good is the model about the past?
# - A split in time asks: how good will it be?
# - Data that drifts needs to be learned again.
#
# ## Exercises
#
# :::{exercise} A split in time
# :label: future-split
#
# Given the moments of the examples, in any order, give the rows of the first 80% in time, to train,
# and of the last 20%, to test.
# :::


# %% tags=["exercise"]
def split_in_time(time):
    """The rows to train and to test with."""
    rows = np.arange(len(time))
    cut = 4 * len(time) // 5
    return rows[:cut], rows[cut:]  # right only if the rows are in order


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

mixed = np.random.default_rng(0).permutation(50) / 50


def in_time():
    """The moments of both parts."""
    train, test = split_in_time(mixed)
    return mixed[train], mixed[test]


check("40 train, 10 test", lambda: [len(part) for part in in_time()] == [40, 10])
check("all of training comes before", lambda: in_time()[0].max() < in_time()[1].min())

# %% [markdown]
# :::{solution-start} future-split
# :::


# %% tags=["solution"]
def split_in_time(time):
    """The rows to train and to test with."""
    rows = np.argsort(time)
    cut = 4 * len(time) // 5
    return rows[:cut], rows[cut:]


# %% [markdown]
# Sort by time, then cut. `TimeSeriesSplit` of scikit-learn does it several times over, for
# validation.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Forget what is old
# :label: future-window
#
# Train on the last part of the year only. Choose when it begins, so that the accuracy after the
# year (`time`, `x` and `y` hold the data of the last run) is at least 0.85. A model of the whole
# year does worse.
# :::

# %% tags=["exercise"]
window_begin = 0.0  # your number instead


# %% tags=["check", "hide-input"]
def later_accuracy(begin):
    """The accuracy after the year, of a model of the year from a moment on."""
    return correct(x, y, np.flatnonzero((time >= begin) & (time < 1)), later).mean()


check("it is right about the future", lambda: later_accuracy(window_begin) >= 0.85)
check("it has 50 examples or more", lambda: (time[year] >= window_begin).sum() >= 50)

# %% [markdown]
# :::{solution-start} future-window
# :::

# %% tags=["solution"]
window_begin = 0.9

# %% [markdown]
# Old examples teach an old rule. But few examples teach little: how far to look back is a
# hyperparameter, to be chosen by a validation set that is later than the training set. (Here we
# have looked at the future itself. In practice nobody can.)
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: let the future help
# :label: future-leak
#
# Make a test set that promises too much: choose it from the whole record, so that a model of other
# rows has an accuracy of 0.9 or more on it. Give the rows to train and to test with, without any
# row in both.
# :::

# %% tags=["exercise"]
leaky_train, leaky_test = split_in_time(time)  # your rows instead

# %% tags=["check", "hide-input"]
check("no row is in both", lambda: not set(leaky_train) & set(leaky_test))
check("there are 100 rows to test", lambda: len(leaky_test) >= 100)
check("the accuracy is 0.9", lambda: correct(x, y, leaky_train, leaky_test).mean() >= 0.9)

# %% [markdown]
# :::{solution-start} future-leak
# :::

# %% tags=["solution"]
leaky_test = np.flatnonzero((time > 0.5) & (time < 0.7))[::2]
leaky_train = np.setdiff1d(np.arange(len(time)), leaky_test)

# %% [markdown]
# A test set from the middle of the training data: neighbours in time give the answers away. A
# random split does half of that.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} A model that turns
# :label: future-turning
#
# Let the weights depend on time: at each moment they are `w[:2] + time * w[2:]`, where the Tensor
# `w` holds four numbers. Write the mean log loss, for all examples at once.
# :::


# %% tags=["exercise"]
def turning_loss(w, time, x, y):
    """The mean log loss of weights that change with time."""
    return losses.logistic(x @ w[:2], y)  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu import grad
from tinygrad_edu.testing import check_grads

few = np.arange(0, 2000, 100)
some = np.array([0.5, -0.2, 0.3, 1.0])


def of_few(w):
    """The loss of some examples."""
    return turning_loss(w, time[few], x[few], y[few])


def turned():
    """The accuracy after the year, of a model that turns."""
    w = np.zeros(4)
    for _ in range(300):
        w = w - 3.0 * grad(turning_loss)(w, time[year], x[year], y[year])
    scores = (x[later] * (w[:2] + time[later, np.newaxis] * w[2:])).sum(axis=1)
    return np.mean(np.sign(scores) == y[later])


check(
    "at time 0 only the first two weights count",
    lambda: np.isclose(turning_loss(some, 0 * time, x, y), losses.logistic(x @ some[:2], y)),
)
check("differences agree", lambda: check_grads(of_few, some))
check("it is right about the future", lambda: turned() > 0.9)

# %% [markdown]
# :::{solution-start} future-turning
# :::


# %% tags=["solution"]
def turning_loss(w, time, x, y):
    """The mean log loss of weights that change with time."""
    scores = x @ w[:2] + time * (x @ w[2:])
    return losses.logistic(scores, y)


# %% [markdown]
# A model of the drift can follow it, as long as it goes on as before. That, too, is tested by time.
# :::{solution-end}
# :::
