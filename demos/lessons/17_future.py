# %% [markdown]
# # A test set from the future
#
# Data that drifts: a random test set promises what the future does not keep.
#
# We test a model to know how it will do later, on data that does not exist yet. A test set drawn at
# random stands for that data only if the future is like the past. Data that comes in time may
# **drift**: the rule from `x` to the label `y` changes slowly, as prices and habits do.
#
# Here the data is two numbers and a label, -1 or +1. A line through the origin parts the labels. It
# turns as time goes by, by 2 radians, or 115 degrees, in a year.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from tinygrad_edu import grad, losses

plt.style.use("tinygrad_edu.figures")


def record(rng, count, begin, end):
    """Data in the order of time: the moments, in years, and the x and y of each."""
    time = np.sort(rng.uniform(begin, end, count))
    x = rng.normal(size=(count, 2))
    return time, x, np.sign(x[:, 0] * np.cos(2 * time) + x[:, 1] * np.sin(2 * time))


time, x, y = record(np.random.default_rng(0), 600, 0, 1)
figure = plt.figure(figsize=(9, 4.2))
panels = figure.subplots(1, 3, sharex=True, sharey=True)
for axes, begin in zip(panels, (0, 0.4, 0.8), strict=True):
    rows = (time >= begin) & (time < begin + 0.2)
    for label, color, marker in ((-1, "C0", "o"), (1, "C1", "^")):
        points = x[rows & (y == label)]
        axes.plot(*points.T, marker, color=color, markersize=5, label=f"y = {label:+}")
    axes.set(title=f"year {begin:.1f} to {begin + 0.2:.1f}", xlabel="$x_1$", aspect="equal")
panels[0].set_ylabel("$x_2$")
figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
plt.show()

# %% [markdown]
# :::{caption}
# The line between the labels turns in the course of a year.
#
# The line between the labels turns in the course of a year.
# :::

# %% [markdown]
# A linear model cannot turn: it learns one line for all of its training data. We have the data of a
# year, keep a fifth of it as a test set, and train on the rest. Which fifth: one drawn at random or
# the last in time? In the end a model is trained on the whole year, and the future comes, here the
# next fifth of a year. All this is done 20 times.


# %%
def correct(x, y, train, test):
    """Train a linear model on some rows, by the log loss: is it right about the others?"""
    slope = grad(lambda w: losses.logistic(x[train] @ w, y[train]))
    w = np.zeros(2)
    for _ in range(60):
        w = w - 3 * slope(w)
    return np.sign(x[test] @ w) == y[test]


accuracies, moments, results = [], [], []
for seed in range(20):
    time, x, y = record(np.random.default_rng(seed), 2400, 0, 1.2)
    year, later = np.flatnonzero(time < 1), np.flatnonzero(time >= 1)
    by_chance = train_test_split(year, test_size=0.2, random_state=seed)
    by_time = train_test_split(year, test_size=0.2, shuffle=False)
    splits = by_chance, by_time, (year, later)
    accuracies.append([correct(x, y, *split).mean() for split in splits])
    train, test = by_chance
    moments.extend(time[[*test, *later]])
    results.extend(correct(x, y, train, [*test, *later]))
accuracies = np.array(accuracies)
promised, latest, kept = accuracies.mean(axis=0)
print(f"accuracy on a random fifth {promised:.2f}, on the last {latest:.2f}, later {kept:.2f}")

figure = plt.figure()
axes = figure.subplots()
axes.plot(accuracies.T, "o-", color="0.6", linewidth=0.8, markersize=5)
means = (promised, latest, kept)
axes.plot(means, "D--", color="C1", markersize=9, label="mean of 20 runs")
axes.set_xticks(range(3), ["random fifth", "last fifth", "after the year"])
axes.set(ylabel="accuracy", xlabel="tested on", xlim=(-0.3, 2.3))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# The random test set promises more than the future keeps.
#
# The random test set promises more than the future keeps.
# :::

# %% [markdown]
# Why is the random test set so kind? Its examples come from the same year as those of the training
# set, most of them from moments at which the model does well. The future lies on one side of them
# all. Look how often the model of the random split is right in each twentieth of a year.

# %%
edges = np.linspace(0, 1.2, 25)
tested, _ = np.histogram(moments, edges)
right, _ = np.histogram(moments, edges, weights=np.array(results, float))
by_moment = right / tested
print(f"best {by_moment.max():.2f}, at the end of the year {by_moment[19]:.2f}, ", end="")
print(f"at the end of the future {by_moment[-1]:.2f}")
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
# The mean over the year hides that the accuracy falls in time.
#
# The mean over the year hides that the accuracy falls in time.
# :::

# %% [markdown]
# The model fits the middle of the year best, and is worse and worse as time goes by. A random test
# set takes the mean of all this. Where time matters, test on what comes after the training data.
# Even the last fifth promises a little too much here: a model of the whole year is a mean over a
# longer time, and lags behind a little more. (`TimeSeriesSplit` of scikit-learn makes such splits.)
