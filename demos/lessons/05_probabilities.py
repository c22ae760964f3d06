# %% [markdown]
# # From scores to a loss
#
# Scores become probabilities, and probabilities a loss: softmax, sigmoid and -log p.
#
# A classifier gives each class a score, any real number. **Softmax** makes probabilities of them:
# `p[k] = exp(s[k]) / sum(exp(s))`. All are positive, their sum is 1, and the order stays. Only
# differences of scores count: 100 added to each is a factor `exp(100)` everywhere, which cancels.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad, losses
from tinygrad_edu.functional import one_hot, sigmoid, softmax

plt.style.use("tinygrad_edu.figures")

scores, label = np.array([2.0, 1.0, -1.0]), 1  # three classes; the true one has the number 1
p = softmax(scores)
print("softmax(scores):      ", p.round(4), "sum", p.sum().round(9))
print("softmax(scores + 100):", softmax(scores + 100).round(4))

# %% [markdown]
# On a computer the formula fails at a score of 1000: `exp(1000)` is larger than any float64, so it
# becomes `inf`, and `inf / inf` is `nan`, "not a number". **The cure**: first subtract the largest
# score from all of them. The probabilities stay the same, the largest power is now `exp(0) = 1`,
# and nothing overflows. Softmax here does so. One trap is left: a tiny probability is rounded to 0,
# and `-log 0` is infinite. So `cross_entropy` takes scores, and never takes the logarithm of a 0.

# %%
large = np.array([1000.0, 0.0, -1000.0])


def naive_softmax(s):
    """The formula as it stands."""
    return np.exp(s) / np.exp(s).sum()


with np.errstate(all="ignore"):  # no warnings, because what goes wrong is the point
    naive = naive_softmax(large)
    naive_slope = grad(lambda s: -np.log(naive_softmax(s)[label]))(large)
    rounded = -np.log(softmax(large)[label])
cured, cured_slope = losses.cross_entropy(large, label), grad(losses.cross_entropy)(large, label)
print(f"the largest float64 is {np.finfo(float).max:.1e}")
print("naive softmax: ", naive, "gradient of its -log p:", naive_slope)
print("softmax:       ", softmax(large), "-log p:", rounded)
print("cross entropy: ", cured, "gradient:", cured_slope)

# %% [markdown]
# Before softmax, scores may be divided by a **temperature** T. Below 1 it draws the probabilities
# apart, above 1 it makes them more alike. The order never changes.

# %%
tempered = {T: softmax(scores / T) for T in (0.25, 1.0, 4.0)}
figure = plt.figure()
axes = figure.subplots()
for i, (T, chances) in enumerate(tempered.items()):
    places, hatch = np.arange(3) + 0.27 * (i - 1), ("//", "", "..")[i]
    bars = axes.bar(places, chances, 0.25, hatch=hatch, edgecolor="white", label=f"T = {T:g}")
    axes.bar_label(bars, fmt="{:.2f}")
names = [f"class {i}, score {score:g}" for i, score in enumerate(scores)]
axes.set(ylabel="probability", xticks=range(3), xticklabels=names, axisbelow=True)
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# At a low T, the largest takes nearly all.
#
# At a low T, the largest takes nearly all.
# :::

# %% [markdown]
# With two classes, one score can be fixed at 0, because only differences count. The probability of
# the other is `exp(s) / (exp(s) + 1) = 1 / (1 + exp(-s))`, which is the **sigmoid** of s.

# %%
s = np.linspace(-6, 6, 121)
first_of_two = softmax(np.stack([s, np.zeros(121)], axis=1))[:, 0]
figure = plt.figure()
axes = figure.subplots()
axes.plot(s, sigmoid(s), label="sigmoid(s)")
axes.plot(s[::5], first_of_two[::5], "o", color="C4", label="softmax([s, 0])[0]")
axes.set(xlabel="score s", ylabel="probability")
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# The sigmoid is the softmax of two classes.
#
# The sigmoid is the softmax of two classes.
# :::

# %% [markdown]
# The loss of one example is `-log p`, for the probability p given to its true class. It is 0 for
# p = 1 and grows without bound towards p = 0. To guess between two classes is p = 1/2, and costs
# ln 2: a classifier that stays there has learned nothing. (Among K classes, a guess costs ln K.)

# %%
q = np.linspace(0.005, 1, 400)
figure = plt.figure()
axes = figure.subplots()
axes.plot(q, -np.log(q))
axes.plot([0, 0.5, 0.5], [np.log(2), np.log(2), 0], "--", color="0.6")
axes.plot(0.5, np.log(2), "o", color="C4")
axes.annotate(f"p = 1/2, ln 2 = {np.log(2):.3f}", (0.52, 0.75))
axes.set(xlabel="probability p of the true class", ylabel="loss, -log p", xlim=(0, 1), ylim=(0, 5))
plt.show()

# %% [markdown]
# :::{caption}
# A sure mistake costs most. A guess between two costs ln 2.
#
# A sure mistake costs most. A guess between two costs ln 2.
# :::

# %% [markdown]
# The **cross entropy** of targets t and probabilities p is `-sum(t * log(p))`. For a single true
# class, t is **one-hot**: 1 for that class, 0 for the others. All terms but one are 0, and what is
# left is `-log p[label]`. Its gradient by the scores is as short: `p - t`, softmax minus one-hot.

# %%
t = one_hot(label, 3)
summed, picked = -np.sum(t * np.log(p)), -np.log(p[label])
loss, gradient = losses.cross_entropy(scores, label), grad(losses.cross_entropy)(scores, label)
print(f"-sum(t log p): {summed:.6f}, -log p[label]: {picked:.6f}, cross_entropy: {loss:.6f}")
print("gradient:", gradient.round(4), "softmax - one-hot:", (p - t).round(4))
