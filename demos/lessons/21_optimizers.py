# %% [markdown]
# # Optimizers and schedules
#
# Momentum and Adam change the steps, schedules their size; none of them sees the deeper valley.
#
# Three ways to turn slopes `g` into steps, in the bowl and on the hills of gradient descent's
# landscape. **SGD** steps by `lr * g`. **Momentum** keeps a velocity, here half of the last one
# plus `g`, and steps by `lr` times that: slopes that agree add up, slopes to and fro cancel.
# **Adam** divides a mean of recent slopes by their size, for each weight by itself: each moves by
# about `lr`. First the bowl: 40 steps, and for each the best of 40 learning rates.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import Tensor, optim
from tinygrad_edu.optim import schedules

plt.style.use("tinygrad_edu.figures")

OPTIMIZERS = {
    "SGD": lambda params, lr: optim.SGD(params, lr),
    "momentum": lambda params, lr: optim.SGD(params, lr, momentum=0.5),
    "Adam": lambda params, lr: optim.Adam(params, lr),
}


def bowl(w):
    """A convex loss, eight times as curved along y as along x."""
    return (w[0] ** 2 + 8 * w[1] ** 2) / 2


def hills(w):
    """A loss with four minima, two of them deeper; it is the same for x and -x."""
    return (w[0] ** 2 - 1) ** 2 + (w[1] ** 2 - 1) ** 2 + w[0] ** 2 * w[1] / 2


def descend(name, loss, start, schedule, steps=40, noise=0.0):
    """The path of an optimizer; ``noise`` is added to its slopes, as by mini-batches."""
    rng, w = np.random.default_rng(0), Tensor(start, requires_grad=True)
    optimizer, path = OPTIMIZERS[name]([w], lr=0.0), [w.numpy()]
    for step in range(steps):
        optimizer.zero_grad()
        loss(w).sum().backward()
        w.grad = w.grad + noise * rng.normal(size=w.shape)
        optimizer.lr = schedule(step)
        optimizer.step()
        path.append(w.numpy())
    return np.array(path)


start, lrs = [-3.0, 1.0], [schedules.constant(lr) for lr in np.geomspace(0.01, 1, 40)]
left, right = plt.figure().subplots(1, 2)
plane = np.array(np.meshgrid(np.linspace(-3.2, 1.5, 90), np.linspace(-1.5, 1.5, 90)))
left.contour(*plane, bowl(plane), levels=np.geomspace(0.05, 20, 10), colors="0.6", linewidths=1)
lowest = {}
for name in OPTIMIZERS:
    path = min((descend(name, bowl, start, lr) for lr in lrs), key=lambda path: bowl(path[-1]))
    left.plot(*path.T, marker=".")
    right.semilogy(bowl(path.T), label=name)
    lowest[name] = bowl(path[-1])
left.set(xlabel="x", ylabel="y", aspect=1), right.set(xlabel="steps", ylabel="loss"), right.legend()
plt.show()

# %% [markdown]
# :::{caption}
# In the bowl, momentum is the fastest, Adam the slowest.
#
# In the bowl, momentum is the fastest, Adam the slowest.
# :::

# %% [markdown]
# So why Adam? Multiply the loss by 100: SGD needs steps a hundred times as small, Adam goes the
# same way as before. And beside a saddle, where there is almost no slope, it does not wait: here
# from a millionth beside the ridge `x = 0`. On the ridge the slope along `x` is 0, and all stay.
# Which valley they reach is still a matter of the start: about half of 400 lead to the deeper ones.

# %%
left, right = plt.figure().subplots(1, 2)
plane = np.array(np.meshgrid(np.linspace(-1.6, 1.6, 120), np.linspace(-1.6, 1.6, 120)))
left.contour(*plane, hills(plane), levels=25, colors="0.6", linewidths=1)
starts, beside, ridge, deeper = np.random.default_rng(0).uniform(-1.5, 1.5, (2, 400)), {}, {}, {}
for name in OPTIMIZERS:
    beside[name], ridge[name] = (descend(name, hills, [x, 0.4], lrs[14], 100) for x in (1e-6, 0.0))
    deeper[name] = (hills(descend(name, hills, starts, lrs[14], 200)[-1]) < 0).mean()
    left.plot(*beside[name].T)
    right.plot(hills(beside[name].T), label=name)
left.set(xlabel="x", ylabel="y", aspect=1), right.set(xlabel="steps", ylabel="loss"), right.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Beside the saddle at (0, 1), Adam waits the least.
#
# Beside the saddle at (0, 1), Adam waits the least.
# :::

# %% [markdown]
# A **schedule** gives the learning rate of each step: `optimizer.lr = schedule(step)`. Slopes of
# mini-batches are noisy, and steps that stay large carry the noise along. A schedule begins large,
# to be fast, and ends small, to leave the noise behind; some warm up first.

# %%
rates = {
    "constant": schedules.constant(0.2),
    "step": schedules.step(0.2, every=50, factor=0.2),
    "exponential": schedules.exponential(0.2, factor=0.97),
    "warm-up, cosine": schedules.linear_warmup(schedules.cosine(0.2, 180), steps=20),
    "one cycle": schedules.one_cycle(0.2, steps=200),
}
left, right = plt.figure().subplots(1, 2)
many, losses = np.tile([[-3.0], [1.0]], 200), {}  # 200 runs, each with noise of its own
for name, schedule in rates.items():
    path = descend("SGD", bowl, many, schedule, 200, noise=1.0)
    losses[name] = np.mean([bowl(w) for w in path], axis=1)
    left.plot([schedule(step) for step in range(200)])
    right.semilogy(losses[name], label=name)
left.set(xlabel="steps", title="learning rate"), right.set(xlabel="steps", title="mean loss")
left.figure.legend(loc="outside upper center", ncols=3)
plt.show()

# %% [markdown]
# :::{caption}
# Under noise, schedules that end small end lower.
#
# Under noise, schedules that end small end lower.
# :::

# %% [markdown]
# What to remember: momentum for narrow valleys, Adam where slopes differ by much, and for both a
# schedule. The learning rate remains yours to find.
