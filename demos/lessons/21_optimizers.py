# %% [markdown]
# # Optimizers compared
#
# SGD, momentum, Adam: three ways from slopes to steps. Which one is best?
#
# [Gradient descent](10_descent.py) stepped by the learning rate $\eta$ times the gradient $g$, and
# momentum kept a velocity. **Adam** (Kingma and Ba, 2015) has a third idea: it divides a mean of
# recent gradients, $\bar{g}$, by their size, for each weight by itself,
#
# $$w \leftarrow w - \eta \, \frac{\bar{g}}{\sqrt{\overline{g^2}} + \epsilon}$$
#
# so that each weight moves by about $\eta$, however steep it is there. ($\epsilon$ is tiny; a bar
# is a fading average, as in the exercise of [overfitting](15_overfitting.py).)
#
# :::{admonition} Predict
# :class: tip
# Back in the narrow valley, each with its best learning rate: which one is fastest?
# :::

# %%
import numpy as np

from tinygrad_edu import Tensor, optim


def valley(w):
    """A loss with curvature 1 along the first weight, and 8 along the second."""
    return (w[0] ** 2 + 8 * w[1] ** 2) / 2


# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")

NAMES = ["SGD", "momentum", "Adam"]


def optimizer_of(name, w, lr):
    """The optimizer of that name, for one Tensor."""
    if name == "Adam":
        return optim.Adam([w], lr=lr)
    return optim.SGD([w], lr=lr, momentum=0.5 if name == "momentum" else 0.0)


def descend(name, loss, start, lr, steps=40):
    """The path of an optimizer."""
    w = Tensor(start, requires_grad=True)
    optimizer = optimizer_of(name, w, lr)
    path = [w.numpy()]
    for _ in range(steps):
        value = loss(w)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        path.append(w.numpy())
    return np.array(path)


start = [-3.0, 1.0]
rates = np.geomspace(0.01, 1, 30)
left, right = plt.figure(figsize=(8, 4)).subplots(1, 2)
plane = np.array(np.meshgrid(np.linspace(-3.2, 1.5, 90), np.linspace(-1.5, 1.5, 90)))
left.contour(*plane, valley(plane), levels=np.geomspace(0.05, 20, 10), colors="0.6", linewidths=1)
lowest = {}
for name in NAMES:
    paths = [descend(name, valley, start, lr) for lr in rates]
    ends = [valley(path[-1]) for path in paths]
    path = paths[int(np.argmin(ends))]
    lowest[name] = min(ends)
    left.plot(*path.T, marker=".")
    right.semilogy(valley(path.T), label=f"{name}: lr {rates[int(np.argmin(ends))]:.2f}")
left.set(xlabel="$w_1$", ylabel="$w_2$")
right.set(xlabel="steps", ylabel="loss")
right.legend()
plt.show()

# %% [markdown]
# :::{caption}
# In the valley momentum is the fastest, and Adam the slowest, each at the best of 30 rates.
#
# Left, three paths on the contours of a valley: that of SGD zigzags, momentum swings, Adam goes in
# a wide curve. Right, their losses on a logarithmic axis: momentum falls fastest, then SGD, then
# Adam.
# :::

# %%
for name in NAMES:
    print(f"{name:8}: loss {lowest[name]:.0e} after 40 steps")

# %% [markdown]
# ## So why Adam?
#
# :::{admonition} Predict
# :class: tip
# Multiply the loss by 100. What must become of the learning rate, with SGD and with Adam?
# :::


# %%
def steep_valley(w):
    """The same valley, 100 times as steep."""
    return 100 * valley(w)


for name in NAMES:
    plain = descend(name, valley, start, 0.1)
    steep = descend(name, steep_valley, start, 0.1)
    with np.errstate(all="ignore"):
        print(f"{name:8}: ends at loss {valley(plain[-1]):.1e}; steep, {valley(steep[-1]):.1e}")

# %% [markdown]
# SGD and momentum diverge, for the limit of 2 over the curvature is now a hundredth. Adam goes the
# same way as before: it divides by the size. So one learning rate, often 0.001, does for many
# problems, and weights with small gradients learn as fast as others. And where there is almost no
# slope, beside a saddle, it does not wait. This is the loss with four minima again. Each run starts
# a millionth beside the ridge.


# %%
def hills(w):
    """A loss with four minima, and a saddle at (0, 1)."""
    return (w[0] ** 2 - 1) ** 2 + (w[1] ** 2 - 1) ** 2 + w[0] ** 2 * w[1] / 2


beside = [descend(name, hills, [1e-6, 0.4], 0.05, 120) for name in NAMES]
on_ridge = [descend(name, hills, [0.0, 0.4], 0.05, 120) for name in NAMES]
waits = [int(np.argmax(hills(path.T) < 0.9)) for path in beside]
print(f"steps until the saddle is left: {waits}")

# %% tags=["hide-input"]
axes = plt.figure(figsize=(8, 3.6)).subplots()
for name, path in zip(NAMES, beside, strict=True):
    axes.plot(hills(path.T), label=name)
axes.set(xlabel="steps", ylabel="loss")
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# At the saddle, at loss 1, SGD waits the longest, momentum waits too, and Adam hardly at all.
#
# Three losses over 120 steps. All fall to 1. That of Adam goes on falling at once, that of momentum
# after about 50 steps, and that of SGD after about 80.
# :::

# %% [markdown]
# Exactly on the ridge all of them stay at the saddle. And none of them sees a deeper valley behind
# a hill.
#
# ## Schedules
#
# Slopes of [mini-batches](13_minibatches.py) are noisy, and a constant learning rate carries the
# noise along. A **schedule** begins large, to be fast, and ends small, to leave the noise behind;
# some **warm up** first. Here are 200 runs in the valley, with noise on each slope.

# %%
from tinygrad_edu.optim import schedules

plans = {
    "constant": schedules.constant(0.2),
    "step": schedules.step(0.2, every=50, factor=0.2),
    "exponential": schedules.exponential(0.2, factor=0.97),
    "warm-up, cosine": schedules.linear_warmup(schedules.cosine(0.2, 180), steps=20),
    "one cycle": schedules.one_cycle(0.2, steps=200),
}


def mean_losses(schedule):
    """The mean loss of 200 noisy runs, after each step."""
    rng = np.random.default_rng(0)
    w = Tensor(np.tile([[-3.0], [1.0]], 200), requires_grad=True)  # a column for each run
    sgd = optim.SGD([w], lr=0.0)
    losses = []
    for step in range(200):
        loss = valley(w).sum()
        sgd.zero_grad()
        loss.backward()
        w.grad = w.grad + rng.normal(size=w.shape)
        sgd.lr = schedule(step)
        sgd.step()
        losses.append(valley(w.data).mean())
    return losses


curves = {name: mean_losses(schedule) for name, schedule in plans.items()}
for name, losses in curves.items():
    print(f"{name:16} ends at {losses[-1]:.4f}")

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 4.2))
left, right = figure.subplots(1, 2)
for name, losses in curves.items():
    left.plot([plans[name](step) for step in range(200)])
    right.semilogy(losses, label=name)
left.set(xlabel="steps", ylabel="learning rate")
right.set(xlabel="steps", ylabel="mean loss")
figure.legend(*right.get_legend_handles_labels(), loc="outside upper center", ncols=3)
plt.show()

# %% [markdown]
# :::{caption}
# Under noise, schedules that end small end lower.
#
# Left, five learning rates over 200 steps: constant, in steps, exponential, up and then down like a
# cosine, and one cycle. Right, the mean losses: the constant one stays at a level, the others go on
# falling to far below it.
# :::

# %% [markdown]
# ## What to take away
#
# - Momentum for narrow valleys, Adam where slopes differ by much.
# - With noise, a schedule that ends small.
# - None of them is best for all losses, none sees a deeper valley, and the learning rate remains
#   yours to find, by a [validation set](18_tuning.py).
#
# ## Exercises
#
# :::{exercise} Half as large
# :label: optimizers-schedule
#
# Write a schedule: it begins at `lr`, and is half as large after each `half_life` steps, falling
# smoothly in between.
# :::


# %% tags=["exercise"]
def halving(lr, half_life):
    """A schedule: a function from a step to its learning rate."""
    return lambda step: lr  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("it begins at lr", lambda: halving(0.4, 10)(0) == 0.4)
check("half, a quarter", lambda: np.allclose([halving(0.4, 10)(k) for k in (10, 20)], [0.2, 0.1]))
check("smoothly", lambda: np.isclose(halving(0.4, 10)(5), 0.4 / np.sqrt(2)))

# %% [markdown]
# :::{solution-start} optimizers-schedule
# :::


# %% tags=["solution"]
def halving(lr, half_life):
    """A schedule: a function from a step to its learning rate."""
    return lambda step: lr * 0.5 ** (step / half_life)


# %% [markdown]
# It is `schedules.exponential` with the factor $0.5^{1 / \text{half-life}}$.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Adam by hand
# :label: optimizers-adam
#
# Write a step of a simple Adam, without its fading averages: each weight moves by `lr` against the
# sign of its gradient, and not at all where that is 0. (This is also known as sign descent.)
# :::


# %% tags=["exercise"]
def sign_step(w, gradient, lr):
    """The weights after one step."""
    return w - lr * gradient  # your line instead


# %% tags=["check", "hide-input"]
w, g = np.array([1.0, 2.0, 3.0]), np.array([0.001, -500.0, 0.0])


def first_step_of_adam():
    """What optim.Adam does at first."""
    tensor = Tensor(w, requires_grad=True)
    adam = optim.Adam([tensor], lr=0.1)
    (tensor * g).sum().backward()
    adam.step()
    return tensor.data


check("each moves by lr", lambda: np.allclose(sign_step(w, g, 0.1), [0.9, 2.1, 3.0]))
check(
    "as the first step of Adam",
    lambda: np.allclose(sign_step(w, g, 0.1), first_step_of_adam(), atol=1e-5),
)

# %% [markdown]
# :::{solution-start} optimizers-adam
# :::


# %% tags=["solution"]
def sign_step(w, gradient, lr):
    """The weights after one step."""
    return w - lr * np.sign(gradient)


# %% [markdown]
# At the first step the averages are the gradient and its square, and one divided by the root of the
# other is the sign.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: a loss that Adam does not like
# :label: optimizers-break
#
# Write a loss of two weights with its minimum at (0, 0), for which SGD with lr = 0.5 is done after
# one step from (-3, 1), and Adam with the same lr is not there after 10 steps.
# :::


# %% tags=["exercise"]
def for_sgd(w):
    """A loss that suits SGD."""
    return valley(w)  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

check("SGD is done", lambda: np.allclose(descend("SGD", for_sgd, start, 0.5, 1)[-1], 0))
check("Adam is not", lambda: np.abs(descend("Adam", for_sgd, start, 0.5, 10)[-1]).max() > 0.01)
check("differences agree", lambda: check_grads(for_sgd, [0.3, -0.7]))

# %% [markdown]
# :::{solution-start} optimizers-break
# :::


# %% tags=["solution"]
def for_sgd(w):
    """A loss that suits SGD."""
    return w[0] ** 2 + w[1] ** 2


# %% [markdown]
# A round bowl of curvature 2, and lr = 1/2. Adam moves both weights by 0.5 at a time, though one is
# three times as far away: it does not know that the slope tells the distance here.
# :::{solution-end}
# :::
