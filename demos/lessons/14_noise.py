# %% [markdown]
# # Noise that helps
#
# The noise of small batches leaves a poor minimum that full-batch descent stays in.
#
# A mini-batch gives a noisy gradient. That sounds like a price to pay, but noise can help.
#
# The model `sin(w * t)` has one weight, and is fitted to `sin(2 * t)` at 20 points `t`. The loss is
# the mean squared error. It is 0 at `w = 2`, its **global minimum**. But near `w = 0.1` it has a
# **local minimum**, lower than all around it and yet poor. We start close to that one, at 0.2.
#
# Each batch size gets 100 runs. They are the elements of one array `w`: no run touches another, so
# the gradient of the sum of their losses holds the slope of each.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad, jacobian

plt.style.use("tinygrad_edu.figures")

t = np.linspace(-2, 2, 20)
every = np.arange(20)


def errors(w, rows):
    """Squared errors: a row for each run, a column for each example in its batch."""
    return (np.sin(w[:, np.newaxis] * t[rows]) - np.sin(2 * t[rows])) ** 2


slopes = grad(lambda w, rows: errors(w, rows).mean(axis=1).sum())
runs = {}
for size in (1, 2, 4, 20):
    rng, path = np.random.default_rng(0), [np.full(100, 0.2)]
    for _ in range(600):
        rows = rng.permuted(np.tile(every, (100, 1)), axis=1)[:, :size]  # a batch for each run
        path.append(path[-1] - 0.2 * slopes(path[-1], rows))
    runs[size] = np.array(path)
poor = runs[20][-1, 0]
losses = errors(np.array([poor, 2.0]), [every]).mean(axis=1)
print(f"batches of 20 end at w = {poor:.2f}, with a loss of {losses[0]:.2f}")

figure = plt.figure(figsize=(9, 4.5))
left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1.5])
grid = np.linspace(-1, 3, 150)
left.plot(errors(grid, [every]).mean(axis=1), grid, color="C4")
left.set(xlabel="mean squared error", ylabel="w")
lines = right.plot(runs[1][:, :8], color="C0", linestyle="-", linewidth=0.7)
lines += right.plot(runs[20][:, 0], color="C1", linestyle="--", linewidth=3)
right.legend([lines[0], lines[-1]], ["1 example, 8 runs", "all 20 examples"], loc="center right")
right.set_xlabel("updates")
plt.show()

# %% [markdown]
# :::{caption}
# Left: the loss, on its side. Right: all examples together stay, single ones leave.
#
# Left: the loss, on its side. Right: all examples together stay, single ones leave.
# :::

# %% [markdown]
# A batch of all 20 examples has no noise: it goes down to the next minimum, and no slope leads out.
# The runs with single examples wander, cross the hill at last, and come to rest at `w = 2`. Why do
# they leave the one, and not the other? Look at the loss of each example by itself. (There are 10
# curves for 20 examples, as `t` and `-t` share one.)

# %%
single = {w: jacobian(lambda w: errors(w, [every]))(np.array([w])) for w in (poor, 2.0)}
for w, s in single.items():
    print(f"slopes of the examples at w = {w:.2f}: from {s.min():.2f} to {s.max():.2f}")
figure = plt.figure()
axes = figure.subplots()
lines = axes.plot(grid, errors(grid, [every]), color="0.6", linestyle="-", linewidth=0.8)
lines += axes.plot(grid, errors(grid, [every]).mean(axis=1), color="C4", linewidth=3)
lines += axes.plot([poor, 2], losses, "o", color="C1", markersize=10)
axes.legend(lines[-3:], ["one example", "mean of all 20", "minimum of the mean"])
axes.set(xlabel="w", ylabel="squared error")
plt.show()

# %% [markdown]
# :::{caption}
# At w = 2 all examples agree, at the other dot they do not.
#
# At w = 2 all examples agree, at the other dot they do not.
# :::

# %% [markdown]
# At the poor minimum some examples pull to the left, others to the right. The mean of their slopes
# is 0, but a small batch holds only a few of them, so its runs are kicked about until they are out.
# At `w = 2` all slopes are 0, and so there is no noise any more.
#
# But noise has no aim, and does not always help. How many runs does it lead out, and how soon?

# %%
figure = plt.figure()
axes = figure.subplots()
found = {}
for size, path in runs.items():
    there = (abs(path - 2) < 0.1).sum(axis=1)  # how many runs are at w = 2 after each update
    found[size] = there[-1]
    print(f"batches of {size:2}: {found[size]:3} of 100 runs end at w = 2")
    axes.plot(there, label=size)
axes.set(xlabel="updates", ylabel="runs at w = 2, of 100")
axes.legend(title="batch size", loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# :::{caption}
# The smaller the batch, the sooner it is out; large ones stay.
#
# The smaller the batch, the sooner it is out; large ones stay.
# :::

# %% [markdown]
# What to remember: noise is large where the examples disagree, and small where all of them fit, so
# it can leave a poor minimum for a good one. Larger batches make less noise: 4 examples are too
# quiet here to get out in time, and all 20 never will.
