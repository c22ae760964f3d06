# %% [markdown]
# # KL divergence
#
# KL divergence compares two distributions, and which of them comes first changes what it wants.
#
# When an outcome of probability q happens, `-log q` measures the surprise. Let outcomes come from a
# distribution p while we believe in another, q. The mean surprise, in nats, is **cross entropy**,
# `-sum(p log q)`. Who knows p is surprised less, by the **entropy** of p, `-sum(p log p)`. The
# difference is the **Kullback-Leibler divergence**, `KL(p, q) = sum(p log(p / q))`: what it costs
# to believe in q. It is 0 if q is p, else positive, and infinite if q rules out what p lets happen.
#
# It is **not a distance**. A distance is the same both ways, and no detour is shorter than the
# direct way (the triangle inequality). Here, the detour from a to c over b is half as long.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import Tensor, grad, losses, optim
from tinygrad_edu.functional import softmax

plt.style.use("tinygrad_edu.figures")

KL = losses.kl_divergence
a, b, c, sure = np.array([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9], [1.0, 0.0]])
print(f"KL(a, b) = {KL(a, b):.3f}, but KL(b, a) = {KL(b, a):.3f}")
print(f"KL(sure, b) = {KL(sure, b):.3f}, but KL(b, sure) = {KL(b, sure):.3f}")
print(f"direct: KL(a, c) = {KL(a, c):.3f}; detour: KL(a, b) + KL(b, c) = {KL(a, b) + KL(b, c):.3f}")

# %% [markdown]
# By definition, **cross entropy = entropy + KL divergence**, and the entropy of p does not depend
# on q. So the two have the same slopes, and are lowest at the same q: to minimize one is to
# minimize the other. A classifier does so, where p is the data and q the softmax of its scores.

# %%
p, scores = np.array([0.7, 0.3]), np.array([0.5, -1.0])
entropy = losses.nll_loss(np.log(p), p)
slope, same = grad(losses.cross_entropy)(scores, p), grad(lambda s: KL(p, softmax(s)))(scores)
print("slopes by the scores: cross entropy", slope.round(4), "and KL(p, softmax)", same.round(4))
first = np.linspace(0.02, 0.98, 97)
q, rows_of_p = np.stack([first, 1 - first], axis=1), np.tile(p, (97, 1))
cross = losses.nll_loss(np.log(q), rows_of_p, reduction="none")
divergence = KL(rows_of_p, q, reduction="none")
figure = plt.figure()
axes = figure.subplots()
axes.plot(first, cross, label="cross entropy")
axes.plot(first, divergence, label="KL(p, q)")
axes.fill_between(first, divergence, cross, color="0.6", alpha=0.25, lw=0, label="entropy of p")
axes.set(xlabel="q of the first outcome (p gives it 0.7)", ylabel="loss in nats", ylim=(0, 2.5))
axes.legend(loc="upper center")
plt.show()

# %% [markdown]
# :::{caption}
# Both are lowest where q is p; the gap never changes.
#
# Both are lowest where q is p; the gap never changes.
# :::

# %% [markdown]
# Now fit a Gaussian q to a target p with two peaks, on a grid: gradient descent moves its mean and
# the logarithm of its width. **Forward**, `KL(p, q)` costs much where p is large and q is small: q
# has to cover both peaks, and gets the mean and width (standard deviation) of p. **Reverse**,
# `KL(q, p)` costs much where q is large and p is small: q has to keep out of the gap. From the
# starts here, it settles on the nearer peak and ignores the other.

# %%
x = np.linspace(-12, 12, 241)
peaks = 0.6 * np.exp(-(((x + 2.5) / 0.8) ** 2) / 2) + 0.4 * np.exp(-(((x - 2.5) / 0.8) ** 2) / 2)
target = peaks / peaks.sum()
moments = [np.sum(target * x), np.sqrt(np.sum(target * x**2) - np.sum(target * x) ** 2)]


def fit(loss, start):
    """The mean, the width and the probabilities of the Gaussian after 500 updates."""
    mean, log_width = Tensor(start, requires_grad=True), Tensor(0.0, requires_grad=True)
    sgd = optim.SGD([mean, log_width], lr=0.1)
    for _ in range(500):
        q = softmax(-(((x - mean) / np.exp(log_width)) ** 2) / 2)
        sgd.zero_grad()
        loss(q).backward()
        sgd.step()
    return mean.item(), np.exp(log_width.item()), q.data


fits = {
    "forward": fit(lambda q: KL(target, q), -2.0),
    "reverse from -2": fit(lambda q: KL(q, target), -2.0),
    "reverse from +2": fit(lambda q: KL(q, target), 2.0),
}
figure = plt.figure()
axes = figure.subplots()
axes.fill_between(x, target, color="0.6", alpha=0.4, linewidth=0, label="target p")
print(f"{'target':15} mean {moments[0]:6.3f}, width {moments[1]:.3f}")
for name, (mean, width, q) in fits.items():
    axes.plot(x, q, label=name)
    print(f"{name:15} mean {mean:6.3f}, width {width:.3f}")
axes.set(xlabel="x", ylabel="probability of each grid point", xlim=(-8, 8))
figure.legend(loc="outside lower center", ncols=4)
plt.show()

# %% [markdown]
# :::{caption}
# Forward, q covers both peaks. Reverse, it picks one of them.
#
# Forward, q covers both peaks. Reverse, it picks one of them.
# :::

# %% [markdown]
# Why? Each divergence is a sum over the grid, and the picture shows its terms. Forward, a q on the
# left peak pays at the right peak, where p is large and q nearly 0. Reverse, a q over both peaks
# pays in the gap, where q is large and p nearly 0.

# %%
means, widths, (wide, narrow, _) = zip(*fits.values(), strict=True)
missed, filled = target * np.log(target / narrow), wide * np.log(wide / target)
figure = plt.figure()
left, right = figure.subplots(1, 2)
left.plot(x, missed)
right.plot(x, filled)
left.set(title="forward: q on the left peak", xlabel="x", xlim=(-8, 8), ylabel="p log(p / q), nats")
right.set(title="reverse: q on both peaks", xlabel="x", xlim=(-8, 8), ylabel="q log(q / p), nats")
plt.show()

# %% [markdown]
# :::{caption}
# Forward, a missed peak costs most; reverse, a filled gap.
#
# Forward, a missed peak costs most; reverse, a filled gap.
# :::
