# %% [markdown]
# # The slope at the boundary
#
# When several images look the same, and their labels differ: what score should they get?
#
# No classifier gets all labels right. Think of images that look exactly alike, and of which 70%
# carry the label $+1$ and 30% the label $-1$. All of them get the same score $s$. The best answer
# is $+1$: it is wrong for only 30%. So we want $s > 0$. Does a loss lead there?
#
# For a share $r$ of labels $+1$, their **mean loss** is
#
# $$L(s) = r\,\ell(s) + (1 - r)\,\ell(-s),$$
#
# where $\ell$ is the loss of a margin, one of those of [the last lesson](04_losses.py): with label
# $+1$ the margin is $s$, with label $-1$ it is $-s$. Here it is for the three that have a slope.

# %%
import numpy as np

from tinygrad_edu import losses

s = np.arange(-300, 301) / 100
plus = np.ones(601)  # with the label +1, the score is the margin


def mean_loss(loss_function, r):
    """The mean loss at each score, if a share r of the labels is +1."""
    return r * loss_function(s, plus) + (1 - r) * loss_function(s, -plus)


# %% tags=["hide-input"]
from functools import partial

import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")

three = {
    "log": partial(losses.logistic, reduction="none"),
    "exponential": partial(losses.exponential, reduction="none"),
    "hinge": partial(losses.hinge, reduction="none"),
}
lowest = {}
figure = plt.figure(figsize=(8, 4))
axes = figure.subplots()
for name, loss_function in three.items():
    curve = mean_loss(loss_function, 0.7)
    lowest[name] = s[curve.argmin()]
    axes.plot(s, curve, label=f"{name}: lowest at {lowest[name]:.2f}")
    axes.plot(lowest[name], curve.min(), "o", color="C4", zorder=3)
axes.axvline(0, color="0.6", linestyle=":")
axes.set(xlabel="score s", ylabel="mean loss", xlim=(-1, 2), ylim=(0.4, 1.8))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# The mean loss if 70% of the labels are +1. Each is lowest at a positive score: the right answer.
#
# Three curves over the score from minus 1 to 2, with a dot at the lowest point of each: log loss at
# 0.85, exponential loss at 0.42, hinge loss, which has two corners, at 1. All three dots are right
# of a dotted line at score 0.
# :::
#
# All three lead to the right answer. Is that luck?
#
# ## Why they do
#
# Look at the slope of the mean loss at the boundary, $s = 0$. (A slope is written like a fraction:
# read $\frac{dL}{ds}$ as "the slope of $L$ for $s$", that is, the change of $L$ per unit of $s$.)
# There both margins are 0, and the second one moves the other way:
#
# $$\frac{dL}{ds} = r\,\frac{d\ell}{dm} - (1 - r)\,\frac{d\ell}{dm} = (2r - 1)\,\frac{d\ell}{dm}$$
#
# With $r = 0.7$ the factor $2r - 1$ is positive. So if the loss of a margin falls at 0, that is, if
# $\frac{d\ell}{dm} < 0$ at $m = 0$, then the mean loss falls at $s = 0$, too, and updates push the
# score to the side of the majority. If $r < 1/2$, all signs change, and they push it to the other
# side. So one number decides: **the slope at the boundary must exist, and be negative**. (For
# losses without bumps, which curve upwards everywhere, this is exactly what is needed: Bartlett,
# Jordan and McAuliffe, 2006.)

# %%
from tinygrad_edu import grad

for loss_function in (losses.logistic, losses.exponential, losses.hinge):
    slope = grad(loss_function)(0.0, 1.0)
    name = loss_function.__name__
    print(f"{name:12} slope at margin 0: {slope:5.2f}; of the mean loss: {0.4 * slope:5.2f}")

# %% [markdown]
# ## A loss that fails
#
# Somebody wants to punish mistakes harder, and adds $3 \max(0, -m)$ to the hinge loss. It is the
# same as hinge loss for right answers, and four times as steep for wrong ones.
#
# :::{admonition} Predict
# :class: tip
# 70% of the labels are $+1$. Where is the mean of this loss lowest?
# :::


# %%
def harsh(scores, targets):
    """Hinge loss, plus a penalty for each wrong answer."""
    margins = targets * scores
    return np.maximum(0.0, 1.0 - margins) + 3.0 * np.maximum(0.0, -margins)


curve = mean_loss(harsh, 0.7)
print(f"lowest at score {s[curve.argmin()]:.2f}")

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 3.8))
left, right = figure.subplots(1, 2)
left.plot(s, three["hinge"](s, plus), label="hinge")
left.plot(s, harsh(s, plus), label="harsh")
left.set(xlabel="margin m", ylabel="loss", xlim=(-1, 2), ylim=(-0.2, 5))
right.plot(s, mean_loss(three["hinge"], 0.7), label="hinge")
right.plot(s, curve, label="harsh")
right.plot(0, curve.min(), "o", color="C4", zorder=3)
right.set(xlabel="score s", ylabel="mean loss, 70% are +1", xlim=(-1, 2), ylim=(0, 5))
left.legend()
right.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Left: the harsh loss has a kink at margin 0. Right: its mean is lowest at score 0: no answer.
#
# Two pictures. Left, hinge loss and the harsh loss over the margin: they agree for margins above 0,
# and at 0 the harsh loss turns sharply upwards. Right, their means over the score: hinge loss falls
# through score 0 and is lowest at 1; the harsh loss has a sharp tip at score 0, marked by a dot,
# and rises on both sides.
# :::
#
# It gives **no answer at all**, though 70% of the labels agree. At margin 0 its slope is $-4$ from
# the left and $-1$ from the right. Move the score a bit above 0: the 70% gain 1 per unit, but the
# 30% are now wrong, and lose 4 per unit:
#
# $$0.7 \cdot (-1) + 0.3 \cdot 4 = 0.5 > 0 .$$
#
# So the mean rises on the right. On the left it rises, too, because there the 70% are wrong. With a
# kink *at the boundary*, the same small step gains little for one label and costs much for the
# other. The kink of hinge loss is elsewhere, at margin 1, where no answer changes.
#
# ## What the best score says
#
# Let the share $r$ go from nearly 0 to nearly 1. For each loss, where is the mean lowest?

# %% tags=["hide-input"]
shares = np.linspace(0.06, 0.94, 45)
best = {}
figure = plt.figure(figsize=(8, 4))
axes = figure.subplots()
for name, loss_function in [*three.items(), ("harsh", harsh)]:
    best[name] = np.array([s[mean_loss(loss_function, r).argmin()] for r in shares])
    axes.plot(shares, best[name], label=name)
axes.set(xlabel="share r of labels +1", ylabel="best score", xlim=(0, 1), ylim=(-3.2, 3.2))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# The best score for each share. Log and exponential loss tell how large the share is.
#
# Four curves over the share from 0.06 to 0.94. Log loss rises smoothly from about minus 2.75 over 0
# at one half to 2.75; exponential loss the same way, at half the height. Hinge loss is minus 1
# below one half and plus 1 above. The harsh loss is minus 1 below 0.2, 0 between 0.2 and 0.8, and
# plus 1 above 0.8.
# :::
#
# Hinge loss says which side has the majority, and nothing else. With log loss, the score also says
# how large the majority is. At the best score the slope of the mean is 0:
#
# $$-\frac{r}{1 + e^{s}} + \frac{1 - r}{1 + e^{-s}} = 0 , \qquad\text{so}\qquad
# s = \log\frac{r}{1 - r} .$$
#
# This number is called the **log-odds** of $r$. Whoever knows the score knows the share,
# and the other way round.
#
# ## Where the work is done
#
# Near the boundary is also where a small update can change an answer. Which images pull at the
# weights of a trained classifier of odd and even digits? The pull of an image is the size of its
# slope.

# %%
from sklearn.datasets import load_digits

from tinygrad_edu import Tensor, optim

images, digits = load_digits(return_X_y=True)
x = images / 16
y = np.where(digits % 2 == 1, 1.0, -1.0)
w = Tensor(np.zeros(64), requires_grad=True)
b = Tensor(0.0, requires_grad=True)
sgd = optim.SGD([w, b], lr=0.5)
for _ in range(300):
    loss = losses.logistic(x @ w + b, y)
    sgd.zero_grad()
    loss.backward()
    sgd.step()

margins = y * (x @ w.data + b.data)
pull = -grad(losses.logistic)(margins, np.ones(len(y)), reduction="sum")
near = np.abs(margins) < 1.5
print(f"{near.mean():.0%} of the images have margins between -1.5 and 1.5, ", end="")
print(f"and {pull[near].sum() / pull.sum():.0%} of all slopes")

# %% [markdown]
# Log loss leaves in peace what is right beyond doubt, and works on what is in doubt.
#
# ## What to take away
#
# - Images that look alike and have different labels decide what a loss is good for.
# - A loss leads to the answer of the majority if its slope at margin 0 exists and is negative.
# - A kink at the boundary can lead to no answer. A kink elsewhere is harmless.
# - With log loss the best score is the log-odds: it tells how sure one may be.
#
# ## Exercises
#
# :::{exercise} A slope by hand
# :label: boundary-slope
#
# 60% of the labels are $+1$. By hand: what is the slope of the mean log loss at score 0? And what
# is it for exponential loss?
# :::

# %% tags=["exercise"]
slope_of_mean_log_loss = 0.0  # your number instead
slope_of_mean_exponential_loss = 0.0  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check


def slope_at_0(loss_function, r):
    """The slope of the mean loss at score 0."""
    return grad(lambda s: r * loss_function(s, 1.0) + (1 - r) * loss_function(s, -1.0))(0.0)


check("log loss", lambda: np.isclose(slope_of_mean_log_loss, slope_at_0(losses.logistic, 0.6)))
check(
    "exponential loss",
    lambda: np.isclose(slope_of_mean_exponential_loss, slope_at_0(losses.exponential, 0.6)),
)

# %% [markdown]
# :::{solution-start} boundary-slope
# :::

# %% tags=["solution"]
slope_of_mean_log_loss = (2 * 0.6 - 1) * -0.5
slope_of_mean_exponential_loss = (2 * 0.6 - 1) * -1.0

# %% [markdown]
# Both are negative: both push the score to the positive side.
# :::{solution-end}
# :::
#
# :::{exercise} The mean loss as a function
# :label: boundary-mean
#
# Write the mean log loss of a score, or of an array of scores, for a share `r` of labels $+1$.
# `check_grads` proves its slopes.
# :::


# %% tags=["exercise"]
def mean_log_loss(s, r):
    """The mean log loss at score s, if a share r of the labels is +1."""
    return 0.0 * s  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

few = np.array([-2.0, 0.0, 0.5])
check("all labels +1", lambda: np.allclose(mean_log_loss(few, 1.0), np.log(1 + np.exp(-few))))
check("all labels -1", lambda: np.allclose(mean_log_loss(few, 0.0), np.log(1 + np.exp(few))))
check("a share of 0.7", lambda: np.allclose(mean_log_loss(s, 0.7), mean_loss(three["log"], 0.7)))
check("check_grads agrees", lambda: check_grads(lambda s: mean_log_loss(s, 0.7), few))

# %% [markdown]
# :::{solution-start} boundary-mean
# :::


# %% tags=["solution"]
def mean_log_loss(s, r):
    """The mean log loss at score s, if a share r of the labels is +1."""
    return r * np.log(1 + np.exp(-s)) + (1 - r) * np.log(1 + np.exp(s))


# %% [markdown]
# `losses.logistic` computes the same, and also survives scores of $\pm 1000$.
# :::{solution-end}
# :::
#
# :::{exercise} Break the hinge loss
# :label: boundary-break
#
# The harsh loss had a penalty of $3 \max(0, -m)$. Replace 3 by the smallest number, to two digits
# after the point, for which the mean loss is lowest at score 0 if 70% of the labels are $+1$.
# :::

# %% tags=["exercise"]
smallest_penalty = 0.0  # your number instead


# %% tags=["check", "hide-input"]
def best_score(penalty, r):
    """Where the mean of hinge loss and a penalty is lowest."""

    def loss_function(scores, targets):
        margins = targets * scores
        return np.maximum(0.0, 1.0 - margins) + penalty * np.maximum(0.0, -margins)

    return s[mean_loss(loss_function, r).argmin()]


check("with it, there is no answer", lambda: best_score(smallest_penalty, 0.7) == 0)
check("with 0.01 less, there is one", lambda: best_score(smallest_penalty - 0.01, 0.7) > 0)

# %% [markdown]
# :::{solution-start} boundary-break
# :::

# %% tags=["solution"]
smallest_penalty = 1.34

# %% [markdown]
# Right of 0 the slope of the mean is $-0.7 + 0.3\,(1 + \text{penalty})$. It is positive from a
# penalty of $0.4 / 0.3 = 1.333\ldots$ on.
# :::{solution-end}
# :::
#
# :::{exercise} The best score by a formula
# :label: boundary-best
#
# For log loss the best score is $\log\frac{r}{1-r}$. Find the formula for exponential loss: set the
# slope of $r e^{-s} + (1 - r) e^{s}$ to 0. It should work for arrays of shares.
# :::


# %% tags=["exercise"]
def best_score_of_exponential_loss(r):
    """The score at which the mean exponential loss is lowest."""
    return 0.0 * r  # your line instead


# %% tags=["check", "hide-input"]
check("no majority, no answer", lambda: best_score_of_exponential_loss(0.5) == 0)
check(
    "it is where the curve above is",
    lambda: np.allclose(best_score_of_exponential_loss(shares), best["exponential"], atol=0.006),
)
check(
    "the slope is 0 there",
    lambda: np.isclose(
        grad(lambda s: 0.9 * np.exp(-s) + 0.1 * np.exp(s))(best_score_of_exponential_loss(0.9)), 0
    ),
)

# %% [markdown]
# :::{solution-start} boundary-best
# :::


# %% tags=["solution"]
def best_score_of_exponential_loss(r):
    """The score at which the mean exponential loss is lowest."""
    return np.log(r / (1 - r)) / 2


# %% [markdown]
# $r e^{-s} = (1 - r) e^{s}$ gives $e^{2s} = r / (1 - r)$: half the log-odds.
# :::{solution-end}
# :::
