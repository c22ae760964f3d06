# %% [markdown]
# # Noise that helps
#
# A mini-batch gives a noisy gradient. Is that only a price to pay?
#
# [Gradient descent](10_descent.py) stops in a local minimum, however poor. Here is one to fall
# into: the model $\sin(w x)$ has a single weight, and is fitted to $\sin(2 x)$ at 20 points `x`, by
# the mean squared error. All runs start at `w = 0.2`.
#
# :::{admonition} Predict
# :class: tip
# 100 runs take one example an update, another takes all 20. Which will come to the best weight, 2?
# :::

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad, jacobian

x = np.linspace(-2, 2, 20)


def errors(w, rows):
    """Squared errors: a row for each weight in w, a column for each example in its batch."""
    return (np.sin(w[:, np.newaxis] * x[rows]) - np.sin(2 * x[rows])) ** 2


# %% tags=["hide-input"]
plt.style.use("tinygrad_edu.figures")

everything = [np.arange(20)]
grid = np.linspace(-1, 3, 150)
mean_error = errors(grid, everything).mean(axis=1)
axes = plt.figure(figsize=(8, 3.6)).subplots()
axes.plot(grid, mean_error, color="C4", linestyle="-")
axes.plot(0.2, errors(np.array([0.2]), everything).mean(), "s", color="C1", markersize=10)
axes.text(0.2, 0.56, "start", ha="center")
axes.text(2, 0.36, "global\nminimum", ha="center")
axes.set(xlabel="weight w", ylabel="mean squared error", ylim=(-0.05, None))
plt.show()

# %% [markdown]
# :::{caption}
# The mean loss. The start is in a poor valley; a hill lies between it and the best weight.
#
# A curve over w from -1 to 3. It has a shallow local minimum near 0.1, rises to a hill near 0.8,
# and falls to 0 at w = 2. A square marks the start at 0.2, in the shallow valley.
# :::

# %% [markdown]
# Each batch size gets 100 runs. They are the elements of one array, and no run touches another: so
# the gradient of the sum of their losses holds the slope of each.


# %%
def slopes(w, rows):
    """The slope of each run, on its own batch."""
    return grad(lambda w: errors(w, rows).mean(axis=1).sum())(w)


def run(size, updates=600, lr=0.2):
    """The weights of 100 runs, after each update."""
    rng = np.random.default_rng(0)
    path = [np.full(100, 0.2)]
    examples = np.tile(np.arange(20), (100, 1))
    for _ in range(updates):
        rows = rng.permuted(examples, axis=1)[:, :size]  # a batch for each run
        path.append(path[-1] - lr * slopes(path[-1], rows))
    return np.array(path)


sizes = [1, 2, 4, 20]
paths = [run(size) for size in sizes]
arrived = [(np.abs(path - 2) < 0.1).sum(axis=1) for path in paths]  # after each update
for size, there in zip(sizes, arrived, strict=True):
    print(f"batches of {size:2}: {there[-1]:3} of 100 runs end at w = 2")

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 4))
left, right = figure.subplots(1, 2)
lines = left.plot(paths[0][:, :8], color="C0", linestyle="-", linewidth=0.7)
lines += left.plot(paths[-1][:, 0], color="C1", linestyle="--", linewidth=3)
kinds = ["1 example, 8 runs", "all 20 examples"]
left.legend([lines[0], lines[-1]], kinds, loc="lower center", bbox_to_anchor=(0.5, 1))
left.set(xlabel="updates", ylabel="weight w")
for size, there in zip(sizes, arrived, strict=True):
    right.plot(there, label=f"{size}")
right.set(xlabel="updates", ylabel="runs at w = 2, of 100")
right.legend(title="batch size", ncols=2, loc="center right", bbox_to_anchor=(1, 0.77))
plt.show()

# %% [markdown]
# :::{caption}
# All examples together stay where they are. Single examples wander, and find the way out.
#
# Left, eight thin jagged lines start at 0.2, wander, and one after the other jump to 2, where they
# stay; a thick dashed line stays near 0.1. Right, the number of runs that have arrived: it rises
# fast for batches of one, more slowly for two, and never for 4 and 20.
# :::

# %% [markdown]
# A batch of all 20 examples has no noise. It goes down to the nearest minimum, and no slope leads
# out. Smaller batches are noisier, and leave sooner. (There are 100 runs of each kind; those of all
# 20 examples are alike.)
#
# ## Why they leave the one, and not the other
#
# The noise is not the same everywhere. Look at the loss of each example by itself. (`jacobian` is
# `grad` for many results: it gives the slope of each.)

# %%
poor = paths[-1][-1, 0]  # where all examples together have stopped
slopes_of_examples = {}
for name, w in (("poor", poor), ("best", 2.0)):
    each = jacobian(lambda w: errors(w, everything)[0])(np.array([w]))
    slopes_of_examples[name] = each
    print(f"w = {w:.2f}: slopes from {each.min():.2f} to {each.max():.2f}, mean {each.mean():.2f}")

# %% tags=["hide-input"]
axes = plt.figure().subplots()
lines = axes.plot(grid, errors(grid, everything), color="0.6", linestyle="-", linewidth=0.8)
lines += axes.plot(grid, mean_error, color="C4", linestyle="-", linewidth=3)
bottoms = np.array([poor, 2.0])
lines += axes.plot(
    bottoms, errors(bottoms, everything).mean(axis=1), "o", color="C1", markersize=10
)
axes.legend(lines[-3:], ["one example", "mean of all 20", "minimum of the mean"])
axes.set(xlabel="weight w", ylabel="squared error")
plt.show()

# %% [markdown]
# :::{caption}
# At w = 2 all examples agree; at the other dot they do not.
#
# Thin grey curves, one for each pair of examples x and -x, and their mean, thick and black. At w =
# 2 all of them touch 0. At the dot near 0.1 some rise and others fall, and only their mean is
# level.
# :::

# %% [markdown]
# At the poor minimum some examples pull to the left, others to the right, and only the mean of
# their slopes is 0. A small batch holds a few of them, so its runs are kicked about until they are
# out. At `w = 2` every slope is 0: there is no noise any more, and they rest.
#
# Noise has no aim, and does not always help. It leaves poor minima and
# [saddles](10_descent.py), where examples disagree. But where even the best weights do not fit all
# examples, it never ends: then the learning rate must shrink, which is a matter of
# [optimizers](21_optimizers.py).
#
# ## What to take away
#
# - The noise of a batch is the disagreement of examples.
# - It can leave a poor minimum for one where all of them fit.
# - The smaller the batch, and the larger the learning rate, the more of it.
#
# ## Exercises
#
# :::{exercise} Measure the noise
# :label: noise-measure
#
# The noise of a batch of one is the standard deviation of the slopes of all examples. Compute it
# for any weight.
# :::


# %% tags=["exercise"]
def noise_at(w):
    """The standard deviation of the slopes of the 20 examples at a weight."""
    return 0.0 * w  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("there is none at w = 2", lambda: abs(noise_at(2.0)) < 1e-9)
check("there is some at the poor minimum", lambda: 1 < noise_at(poor) < 2)
check("at w = 1 it is right", lambda: np.isclose(noise_at(1.0), 0.8565, atol=1e-3))

# %% [markdown]
# :::{solution-start} noise-measure
# :::


# %% tags=["solution"]
def noise_at(w):
    """The standard deviation of the slopes of the 20 examples at a weight."""
    return jacobian(lambda w: errors(w, everything)[0])(np.array([w])).std()


# %% [markdown]
# A batch of $B$ has about $1 / \sqrt{B}$ of it: see [mini-batches](13_minibatches.py).
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Larger batches, larger steps
# :label: noise-rate
#
# With batches of 4, no run got out. Find a learning rate with which at least 80 of 100 end at
# `w = 2`.
# :::

# %% tags=["exercise"]
rate_of_four = 0.2  # your number instead

# %% tags=["check", "hide-input"]
check("80 runs arrive", lambda: (np.abs(run(4, lr=rate_of_four)[-1] - 2) < 0.1).sum() >= 80)

# %% [markdown]
# :::{solution-start} noise-rate
# :::

# %% tags=["solution"]
rate_of_four = 0.6

# %% [markdown]
# The kick of an update is the learning rate times the noise. With four examples the noise is half
# as large, so steps of more than twice the size are as wild as before.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Noise of your own making
# :label: noise-own
#
# Full batches, but with noise added to each slope: normal numbers of standard deviation `sigma`.
# Write the update, and find a `sigma` with which at least 60 of 100 runs have **been** at `w = 2`.
# :::


# %% tags=["exercise"]
sigma = 0.0  # your number instead


def shaken(w, rng):
    """The weights of all runs after one update with lr = 0.2."""
    return w - 0.2 * slopes(w, everything)  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads


def been_there():
    """How many runs have been at w = 2."""
    rng = np.random.default_rng(1)
    w = np.full(100, 0.2)
    been = np.zeros(100, bool)
    for _ in range(600):
        w = shaken(w, rng)
        been = been | (np.abs(w - 2) < 0.1)
    return been.sum()


def mean_of_all(w):
    """The mean loss of each weight."""
    return errors(w, everything).mean(axis=1)


check("the slopes below the noise are right", lambda: check_grads(mean_of_all, [0.2, 1.0, 2.1]))
check("60 runs have been there", lambda: been_there() >= 60)

# %% [markdown]
# :::{solution-start} noise-own
# :::


# %% tags=["solution"]
sigma = 1.0


def shaken(w, rng):
    """The weights of all runs after one update with lr = 0.2."""
    return w - 0.2 * (slopes(w, everything) + sigma * rng.normal(size=w.shape))


# %% [markdown]
# But they do not stay: this noise is as strong at the best weight as at the poor one. The noise of
# mini-batches knows where all examples fit.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: noise that never ends
# :label: noise-harm
#
# Replace the targets $\sin(2 x)$ by others that no single weight fits, so that at least half of the
# runs with batches of one end more than 0.1 away from the best weight. Add something to the sine.
# :::

# %% tags=["exercise"]
targets = np.sin(2 * x)  # your line instead


# %% tags=["check", "hide-input"]
def restless():
    """How many of 100 runs that start at the best weight end more than 0.1 away from it."""

    def errors_of(w, rows):
        return (np.sin(w[:, np.newaxis] * x[rows]) - targets[rows]) ** 2

    fine = np.linspace(1, 3, 2001)
    best = fine[errors_of(fine, everything).mean(axis=1).argmin()]
    rng = np.random.default_rng(0)
    w = np.full(100, best)
    for _ in range(200):
        rows = rng.integers(0, 20, (100, 1))
        w = w - 0.2 * grad(lambda w, rows=rows: errors_of(w, rows).sum())(w)
    return (np.abs(w - best) > 0.1).sum()


check("half of the runs do not rest", lambda: restless() >= 50)

# %% [markdown]
# :::{solution-start} noise-harm
# :::

# %% tags=["solution"]
targets = np.sin(2 * x) + np.random.default_rng(0).normal(size=20)

# %% [markdown]
# Measurements are like that: at the best weight the examples still disagree, so a constant learning
# rate keeps shaking them.
# :::{solution-end}
# :::
