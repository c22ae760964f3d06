# %% [markdown]
# # Four losses of a margin
#
# Why do we not simply let the loop lower the number of mistakes?
#
# In [the last lesson](03_margins.py), the squared error punished answers for being too right. Here
# are four losses that never do. Each depends on the margin $m = y s$ alone, and none rises as the
# margin grows:
#
# | loss | formula | in words |
# |---|---|---|
# | **0/1 loss** | $1$ if $m \le 0$, else $0$ | counts the mistakes |
# | **log loss** | $\log(1 + e^{-m})$ | right but unsure still pays |
# | **exponential loss** | $e^{-m}$ | confidently wrong pays without limit |
# | **hinge loss** | $\max(0,\ 1 - m)$ | right by a margin of 1 pays nothing |
#
# Log loss is also called *logistic loss*. $\log$ is the natural logarithm, on this whole site. Only
# in the picture below log loss is divided by $\log 2$, which makes a logarithm of base 2 of it: so
# all four curves are 1 at margin 0, and can be compared.

# %%
import numpy as np

from tinygrad_edu import grad, losses

four = [losses.zero_one, losses.logistic, losses.exponential, losses.hinge]
m = np.linspace(-3, 3, 601)
plus = np.ones(601)  # with the label +1, the score is the margin
values = {loss.__name__: loss(m, plus, reduction="none") for loss in four}
slopes = {loss.__name__: grad(loss)(m, plus, reduction="sum") for loss in four}

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")


def without_jumps(curve):
    """The curve, with a gap where it jumps: no line belongs there."""
    return np.where(np.abs(np.diff(curve, append=curve[-1])) > 0.5, np.nan, curve)


figure = plt.figure(figsize=(8, 4))
left, right = figure.subplots(1, 2)
for name in values:
    unit = np.log(2) if name == "logistic" else 1.0
    label = "log, base 2" if name == "logistic" else name.replace("zero_one", "0/1")
    left.plot(m, without_jumps(values[name] / unit), label=label, linewidth=2.5)
    right.plot(m, without_jumps(slopes[name] / unit), label=label, linewidth=2.5)
left.set(xlabel="margin m", ylabel="loss", ylim=(-0.2, 4))
right.set(xlabel="margin m", ylabel="slope of the loss", ylim=(-4, 0.4))
left.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Four losses and their slopes. All losses are 1 at margin 0. The slope of the 0/1 loss is 0.
#
# Two pictures over the margin from minus 3 to 3. Left, the losses: 0/1 loss is a step from 1 down
# to 0 at margin 0; log loss falls smoothly, nearly as a straight line at the left and flat at the
# right; exponential loss is steepest at the left; hinge loss is a straight line down to 0 at margin
# 1, and 0 from there on. Right, their slopes: 0 everywhere for the 0/1 loss; from about minus 1.4
# up to 0 for log loss in base 2; below minus 4 at the left for exponential loss; minus 1 and then 0
# for hinge loss.
# :::
#
# In the code, `reduction="none"` gives the loss of each example. `grad(loss)` is a function, too:
# it gives the slopes of the loss, here of the sum over all examples (`reduction="sum"`). Each term
# of that sum depends on its own margin only, so these are the slopes of the single losses.
#
# Now in numbers, with the natural logarithm:

# %% tags=["hide-input"]
some = np.array([-3.0, -0.5, 0.1, 1.0, 3.0])
print("margin      " + "".join(f"{each:9.1f}" for each in some))
for loss in four:
    row = loss(some, np.ones(5), reduction="none")
    print(f"{loss.__name__:12}" + "".join(f"{each:9.3f}" for each in row))

# %% [markdown]
# - **0/1 loss** is what we care about. But its slope is 0 on both sides of the step, and at the
#   step it has none (the engine takes 0).
# - **Log loss**: with margin 0.1 the answer is right, and still costs nearly as much as on the
#   boundary. More confidence always pays, but less and less. Its slope is never steeper than $-1$.
# - **Exponential loss**: each further step in the wrong direction costs $e$ times as much.
# - **Hinge loss**: from margin 1 on, an example costs nothing and has no say. The slope is $-1$ or
#   0, which is cheap to compute: no exponential is needed. At margin 1 it has a **kink**: $-1$
#   left of it, 0 right of it, and no slope at the point itself. That is harmless: the answer is the
#   same on both sides, a margin of exactly 1 is rare, and either number would do. The engine takes
#   0.
#
# ## Who learns?
#
# :::{admonition} Predict
# :class: tip
# Four classifiers start from the same bad weights. Each is trained by one of these losses. Which of
# them will learn nothing?
# :::

# %%
from sklearn.datasets import load_digits

from tinygrad_edu import Tensor, optim

images, digits = load_digits(return_X_y=True)
x = images / 16
y = np.where(digits % 2 == 1, 1.0, -1.0)  # +1 for odd digits, as in the last lesson
start = np.random.default_rng(0).normal(scale=0.3, size=64)


def train(loss_function, x, y, start, lr=0.1):
    """The weights and the bias after 300 updates."""
    w = Tensor(start, requires_grad=True)
    b = Tensor(0.0, requires_grad=True)
    sgd = optim.SGD([w, b], lr=lr)
    for _ in range(300):
        loss = loss_function(x @ w + b, y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return w.data, b.data


wrong = {}
for loss_function in four:
    w, b = train(loss_function, x, y, start)
    wrong[loss_function.__name__] = losses.zero_one(x @ w + b, y)
    moved = np.abs(w - start).max()
    print(f"{loss_function.__name__:12} largest change of a weight {moved:.3f}, ", end="")
    print(f"wrong {wrong[loss_function.__name__]:.1%}")

# %% [markdown]
# With the 0/1 loss not one weight has moved. The gradient is 0, and an update without a slope goes
# nowhere. This is the answer to the question above: the number of mistakes has no slope. So we
# lower another loss that has one, and hope that the mistakes follow. Such a loss is called a
# **surrogate**.
#
# ## One wrong label
#
# The slope of an example is its voice: it says how hard this example pulls at the weights. Here are
# six examples, A to F, on the curve of a loss. A wrong label is a margin far to the left.
#
# :::{admonition} Predict
# :class: tip
# Drag A far to the left. Which loss lets it decide alone where the weights go? Which loss hears
# nobody, wherever the points are?
# :::

# %% tags=["hide-input"]
from tinygrad_edu import explore
from tinygrad_edu.exploring import Bars, Curve, Dots, Plot, Points

by_name = dict(zip(["0/1", "log", "exponential", "hinge"], four, strict=True))
grid = np.linspace(-4, 3, 141)
curves = {
    name: without_jumps(loss(grid, np.ones(141), reduction="none"))
    for name, loss in by_name.items()
}


def voices(margins, loss):
    """Drag A far to the left, as a wrong label would. Which loss lets it decide alone?"""
    chosen, labels = by_name[loss], np.ones(6)
    each = chosen(margins, labels, reduction="none")
    pulls = np.abs(grad(chosen)(margins, labels, reduction="sum"))
    total = np.sum(pulls)
    shares = pulls / np.where(total > 0, total, 1.0)
    lines = [Curve(grid, y, name, dashed=name != loss) for name, y in curves.items()]
    return {
        "mean loss": np.mean(each),
        "share of A": shares[0],
        "losses": Plot(
            *lines,
            Dots(margins, each, drag="margins", labels="ABCDEF"),
            title="The loss of each point",
            x="margin",
            y="loss (nats)",
            xlim=(-4, 3),
            ylim=(-0.2, 6),
        ),
        "shares": Plot(
            Bars(shares, names="ABCDEF", digits=2),
            title="The share of each point in the slope",
            y="share",
            ylim=(0, 1.1),
        ),
    }


explore(
    voices,
    margins=Points([-1.5, -0.6, 0.2, 0.8, 1.6, 2.4], -4, 3),
    loss=["hinge", "log", "exponential", "0/1"],
)

# %% [markdown]
# :::{caption}
# Six points on four losses, and how much of the slope each of them has.
#
# A page with two plots. Left, four losses over the margin from minus 4 to 3, with six points A to F
# on the chosen one, which can be dragged. Right, a bar for each point: its share in the sum of all
# slopes. For the hinge loss, points with a margin below 1 have equal shares, and all others none.
# :::
#
# Try this:
#
# - Drag A to the left end, and choose one loss after the other. Hinge loss: A has a quarter, as
#   before. Log loss: 0.37 in place of 0.33. Exponential loss: 0.94 in place of 0.57.
# - With the hinge loss, drag D beyond the margin 1. At once it has no share, and the others have
#   more.
# - With the 0/1 loss, look for a place where a point has a share. There is none.
#
# Hinge loss and log loss limit the voice of a single point. Exponential loss does not.
#
# What does one wrong label do to what is learned? In the next picture, an example is a point in the
# plane: two numbers, its **features**. (The features of an image are its pixels.) One point, far on
# the side of $-1$, carries the wrong label $+1$.

# %% tags=["hide-input"]
labels = np.repeat([-1.0, 1.0], 50)
noise = np.random.default_rng(0).normal(size=(100, 2))
points = 0.8 * noise + np.outer(labels, [1.5, 0.5])
all_points = np.vstack([points, [-6.0, 0.0]])
all_labels = np.append(labels, 1.0)
voice, before, after = {}, {}, {}

figure = plt.figure(figsize=(8, 3.6))
for axes, loss_function in zip(figure.subplots(1, 3, sharey=True), four[1:], strict=True):
    name = loss_function.__name__
    w, b = train(loss_function, points, labels, np.zeros(2))
    pull = np.abs(grad(loss_function)(all_points @ w + b, all_labels, reduction="sum"))
    voice[name] = pull[-1] / pull.sum()
    w_new, b_new = train(loss_function, all_points, all_labels, np.zeros(2))
    before[name] = losses.zero_one(points @ w + b, labels)
    after[name] = losses.zero_one(points @ w_new + b_new, labels)
    for label, marker, color in ((-1, "x", "C0"), (1, "o", "C1")):
        chosen = all_points[all_labels == label]
        axes.plot(*chosen.T, marker, color=color, ms=4, label=f"label {label:+}")
    axes.axline(-b * w / (w @ w), slope=-w[0] / w[1], color="C4", ls="-", label="without it")
    axes.axline(
        -b_new * w_new / (w_new @ w_new),
        slope=-w_new[0] / w_new[1],
        color="C4",
        ls="--",
        label="with the wrong label",
    )
    axes.set(title=name, xlabel="feature 1", xlim=(-7, 4), ylim=(-3, 3))
    print(f"{name:12} its share of all slopes {voice[name]:.0%}; ", end="")
    print(f"the others, wrong: {before[name]:.0%} without it, {after[name]:.0%} with it")
figure.supylabel("feature 2")
figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
plt.show()

# %% [markdown]
# :::{caption}
# Boundaries learned without and with one wrong label, the orange point far left.
#
# Three pictures of the same two clouds of points, blue crosses at the left and orange circles at
# the right, and one orange circle far left. In each, a solid line is the boundary without that
# point, and a dashed line the boundary with it. For logistic and hinge loss both lines run between
# the clouds. For exponential loss the dashed line is turned, and cuts into the clouds.
# :::
#
# No slope of log loss or hinge loss is steeper than $-1$, however wrong a point is. The exponential
# loss has no such limit: one wrong label is louder than all other points together.
#
# ## What to take away
#
# - The 0/1 loss counts mistakes, and has no slope: nothing can learn from it.
# - Log loss always asks for more confidence. Hinge loss is satisfied at margin 1. Exponential loss
#   gives confident mistakes, and wrong labels, an unlimited voice.
# - A kink does no harm where no answer changes. The next lesson shows a kink that does.
#
# ## Exercises
#
# :::{exercise} What a margin costs
# :label: losses-costs
#
# At which margin is the hinge loss 0.25? At which margin is the exponential loss 0.25? Give two
# numbers, or formulas of NumPy.
# :::

# %% tags=["exercise"]
margin_of_hinge = 0.0  # your number instead
margin_of_exponential = 0.0  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("hinge loss is 0.25", lambda: np.isclose(losses.hinge(margin_of_hinge, 1.0), 0.25))
check(
    "exponential loss is 0.25",
    lambda: np.isclose(losses.exponential(margin_of_exponential, 1.0), 0.25),
)

# %% [markdown]
# :::{solution-start} losses-costs
# :::

# %% tags=["solution"]
margin_of_hinge = 0.75
margin_of_exponential = np.log(4)

# %% [markdown]
# $1 - m = 0.25$, and $e^{-m} = 1/4$.
# :::{solution-end}
# :::
#
# :::{exercise} A hinge loss without a kink
# :label: losses-squared-hinge
#
# Write the squared hinge loss, $\max(0, 1 - m)^2$, for an array of margins. Its slope is 0 at
# margin 1 from both sides. Is its slope limited, as that of the hinge loss?
# :::


# %% tags=["exercise"]
def squared_hinge(m):
    """The squared hinge loss of each margin."""
    return 0.0 * m  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

check("it is 1 on the boundary", lambda: squared_hinge(0.0) == 1)
check("it is 0 for margins above 1", lambda: not np.any(squared_hinge(np.array([1.0, 2.5]))))
check("it grows with the square", lambda: squared_hinge(-2.0) == 9)
check("check_grads agrees", lambda: check_grads(squared_hinge, np.array([-1.0, 0.5, 2.0])))

# %% [markdown]
# :::{solution-start} losses-squared-hinge
# :::


# %% tags=["solution"]
def squared_hinge(m):
    """The squared hinge loss of each margin."""
    return np.maximum(0.0, 1.0 - m) ** 2


# %% [markdown]
# The slope is $-2 \max(0, 1 - m)$. It is not limited: the further on the wrong side, the louder.
# :::{solution-end}
# :::
#
# :::{exercise} Break the exponential loss
# :label: losses-break
#
# A float64 holds numbers up to about $1.8 \cdot 10^{308}$. Find a margin, no lower than $-750$,
# whose exponential loss is too large for it, so that the loss is `inf`. What does log loss say at
# this margin?
# :::

# %% tags=["exercise"]
margin_too_low = 0.0  # your number instead

# %% tags=["check", "hide-input"]
with np.errstate(over="ignore"):
    check("it is no lower than -750", lambda: margin_too_low >= -750)
    check("exponential loss is inf", lambda: np.isinf(losses.exponential(margin_too_low, 1.0)))

# %% [markdown]
# :::{solution-start} losses-break
# :::

# %% tags=["solution"]
margin_too_low = -710.0
print(f"log loss at margin {margin_too_low:.0f}: {losses.logistic(margin_too_low, 1.0):.1f}")
print(f"the lowest margin that goes well: {-np.log(np.finfo(float).max):.2f}")

# %% [markdown]
# After one such example the mean is `inf`, and the next update makes `nan` of the weights. Log loss
# is nearly $-m$ there, and stays finite.
# :::{solution-end}
# :::
#
# :::{exercise} The slope of log loss
# :label: losses-log-slope
#
# Work out the slope of $\log(1 + e^{-m})$ by the margin, and write it. It should also be right for
# margins of $-1000$ and 1000, without a warning: which of $e^{m}$ and $e^{-m}$ overflows there?
# (`np.where` chooses between two arrays, but computes both.)
# :::


# %% tags=["exercise"]
def slope_of_log_loss(m):
    """By how much log loss changes, per unit of the margin."""
    return 0.0 * m  # your lines instead


# %% tags=["check", "hide-input"]
def slopes_without_warning(margins):
    """Your slopes; an overflow is an error."""
    with np.errstate(all="raise", under="ignore"):
        return slope_of_log_loss(np.array(margins))


check("at margin 0 it is -1/2", lambda: np.isclose(slope_of_log_loss(np.array(0.0)), -0.5))
check("the engine agrees", lambda: np.allclose(slope_of_log_loss(m), slopes["logistic"]))
check(
    "far away, too",
    lambda: np.allclose(slopes_without_warning([-1000.0, 1000.0]), [-1.0, 0.0]),
)

# %% [markdown]
# :::{solution-start} losses-log-slope
# :::


# %% tags=["solution"]
def slope_of_log_loss(m):
    """By how much log loss changes, per unit of the margin."""
    small = np.exp(-np.abs(m))  # from 0 to 1
    return -np.where(m > 0, small, 1.0) / (1.0 + small)


# %% [markdown]
# The slope is $-e^{-m} / (1 + e^{-m}) = -1 / (1 + e^{m})$. The first form is safe for positive
# margins, the second for negative ones. Lesson 6 gives this function a name.
# :::{solution-end}
# :::
