# %% [markdown]
# # Margin losses
#
# To learn from mistakes takes a loss with a slope: margin losses beside the count of mistakes.
#
# Each example has a label `y`, -1 or +1. A classifier gives it a score `s`: the sign is its answer,
# the size its confidence. The **margin** `m = y s` is positive where the answer is right. It is 0
# at the **decision boundary**, where the answer changes. A margin loss depends on `m` alone: log
# (logistic) loss `log(1 + exp(-m))`, exponential loss `exp(-m)`, hinge loss `max(0, 1 - m)`, and
# the 0/1 loss, which counts mistakes: 1 if `m <= 0`, else 0.
#
# In the pictures, log loss is divided by ln 2, for a logarithm of base 2: so all four are 1 at
# `m = 0`. The slopes are the gradient of a sum, where each term depends on its own margin only.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import Tensor, grad, losses, optim
from tinygrad_edu.functional import relu

plt.style.use("tinygrad_edu.figures")

four = [losses.logistic, losses.exponential, losses.hinge, losses.zero_one]
m, ones = np.arange(-300, 301) / 100, np.ones(601)  # with the label +1, the margin is the score
value, slope, figure = {}, {}, plt.figure()
left, right = figure.subplots(1, 2)
for loss in four:
    unit = np.log(2) if loss is losses.logistic else 1.0
    value[loss] = loss(m, ones, reduction="none") / unit
    slope[loss] = grad(loss)(m, ones, reduction="sum") / unit + 0.0  # + 0.0: write -0 as 0
    for axes, curve in ((left, value[loss]), (right, slope[loss])):
        jumps = abs(np.diff(curve, append=curve[-1])) > 0.5  # no line belongs there
        axes.plot(m, np.where(jumps, np.nan, curve), label=loss.__name__, linewidth=2.5)
    print(f"{loss.__name__:12} slope at m = -2, 0, 2: {slope[loss][100::200].round(3)}")
left.set(xlabel="margin m", ylabel="loss (logistic: base 2)", ylim=(-0.2, 4), yticks=range(5))
right.set(xlabel="margin m", ylabel="slope of the loss", ylim=(-4, 0.2), yticks=range(-4, 1))
left.legend()
plt.show()

# %% [markdown]
# :::{caption}
# All losses are 1 at m = 0. The slope of the 0/1 loss is 0.
#
# All losses are 1 at m = 0. The slope of the 0/1 loss is 0.
# :::

# %% [markdown]
# :::{admonition} Predict
# :class: tip
# Four classifiers start from the same bad weights, each with one of these losses. Which will learn?
# :::
#
# A negative slope says: raise this margin. The 0/1 loss never says so: it is flat, and at its step
# it has no slope (the engine takes 0 there). Four linear classifiers, with scores `x @ w + b`,
# start from the same bad weights; each is trained with one of the losses.

# %%
y = np.repeat([-1.0, 1.0], 50)  # two clouds of points
x = 0.8 * np.random.default_rng(0).normal(size=(100, 2)) + np.outer(y, [1.5, 0.5])
start = np.array([-0.5, 0.5])


def train(loss, x, y):
    """The weights w and b after 300 updates."""
    w, b = Tensor(start, requires_grad=True), Tensor(0.0, requires_grad=True)
    sgd = optim.SGD([w, b], lr=0.1)
    for _ in range(300):
        sgd.zero_grad()
        loss(x @ w + b, y).backward()
        sgd.step()
    return w.data, b.data


trained = {loss: train(loss, x, y) for loss in four}
errors = {loss: losses.zero_one(x @ w + b, y) for loss, (w, b) in trained.items()}
for loss, (w, _) in trained.items():
    print(f"{loss.__name__:12} w = {start} -> {w.round(3)}, error rate {errors[loss]:.2f}")

# %% [markdown]
# With the 0/1 loss nothing moves. A slope matters most **at the boundary**. Take inputs that look
# the same, 70% labelled +1: their score should be positive. The slope of their mean loss at 0 is
# 0.7 - 0.3 times that of the loss, negative: descent raises the score. Now punish mistakes harder:
# add `3 max(0, -m)` to the hinge loss. At 0 this has a kink, slope -4 left and -1 right of it. The
# mean loss rises right of 0, `0.7 * -1 + 0.3 * 4 > 0`, and is lowest at 0: no answer at all. (The
# hinge loss has its own kink at `m = 1`, where no answer changes.)

# %%
mean = {each.__name__: 0.7 * value[each] + 0.3 * value[each][::-1] for each in four[:3]}
mean["hinge + 3 max(0, -m)"] = mean["hinge"] + 3 * (0.7 * relu(-m) + 0.3 * relu(m))
figure, best = plt.figure(), {}
axes = figure.subplots()
for name, curve in mean.items():
    best[name] = m[curve.argmin()]
    axes.plot(m, curve, label=f"{name}: s = {best[name]:.2f}")
    axes.plot(best[name], curve.min(), "o", color="C4")
axes.set(xlabel="score s", ylabel="mean loss (logistic: base 2)", xlim=(-1, 2), ylim=(0.2, 1.8))
axes.legend(loc="lower left", title="lowest at", ncols=2)
plt.show()

# %% [markdown]
# :::{caption}
# Only the loss with a kink at 0 has its lowest mean at score 0.
#
# Only the loss with a kink at 0 has its lowest mean at score 0.
# :::

# %% [markdown]
# Last, **one wrong label**: a point far on the side of -1 is labelled +1. Its share of all slopes
# is its voice. No slope of log loss (natural logarithm) or hinge loss is steeper than -1, however
# wrong the point. The exponential loss has no such limit, and the boundary obeys the one point.

# %%
x_all, y_all = np.vstack([x, [-6.0, 0.0]]), np.append(y, 1.0)
figure, share, after = plt.figure(), {}, {}
for axes, loss in zip(figure.subplots(1, 3, sharey=True), four[:3], strict=True):
    w, b = trained[loss]
    size = abs(grad(loss)(x_all @ w + b, y_all, reduction="sum"))
    share[loss] = size[-1] / size.sum()
    for label, marker, color in ((-1, "x", "C0"), (1, "o", "C1")):
        axes.plot(*x_all[y_all == label].T, marker, color=color, ms=4, label=f"label {label:+}")
    new = train(loss, x_all, y_all)
    for (w, b), style, label in ((trained[loss], "-", "before"), (new, "--", "with the wrong one")):
        axes.axline(-b * w / (w @ w), slope=-w[0] / w[1], color="C4", ls=style, label=label)
    after[loss] = losses.zero_one(x @ new[0] + new[1], y)
    axes.set(title=loss.__name__, xlabel="feature 1", xlim=(-7, 4), ylim=(-3, 3))
    print(f"{loss.__name__:12} share {share[loss]:.0%}, other points' error rate {after[loss]:.2f}")
figure.supylabel("feature 2")
figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
plt.show()

# %% [markdown]
# :::{caption}
# One wrong label, far left, turns the exponential boundary.
#
# One wrong label, far left, turns the exponential boundary.
# :::

# %% [markdown]
# ## Exercises
#
# :::{exercise} A hinge loss without a kink
# :label: margins-squared-hinge
#
# Write the squared hinge loss, $\max(0, 1 - m)^2$, for an array of margins. Its slope is 0 at
# $m = 1$ from both sides. Which numbers of the picture above change?
# :::


# %% tags=["exercise"]
def squared_hinge(m):
    """The squared hinge loss of each margin."""
    return 0.0 * m  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check
from tinygrad_edu.testing import check_grads

check("it is 1 on the boundary", lambda: squared_hinge(0.0) == 1)
check("it is 0 for margins above 1", lambda: not np.any(squared_hinge(np.array([1.0, 2.5]))))
check("it grows with the square", lambda: squared_hinge(-2.0) == 9)
check("its slopes are right", lambda: check_grads(squared_hinge, [-1.0, 0.5, 2.0]))

# %% [markdown]
# :::{solution-start} margins-squared-hinge
# :::


# %% tags=["solution"]
def squared_hinge(m):
    """The squared hinge loss of each margin."""
    return np.maximum(0.0, 1.0 - m) ** 2


# %% [markdown]
# The slope is $-2 \max(0, 1 - m)$: steeper than -1 for margins below 0.5.
# :::{solution-end}
# :::
