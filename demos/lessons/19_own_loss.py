# %% [markdown]
# # A loss of one's own
#
# A loss says what a model should care about. What if none of the known ones does?
#
# Then write one: a line of NumPy. The engine finds its derivatives, `check_grads` proves them
# ([proving](12_proving.py)), and the training loop does not change. Two examples. The first is for
# measurements, some of which are badly wrong: the **Huber loss** of the error $z$ of a prediction,
#
# $$\frac{z^2}{2} \;\text{ if } |z| \le \delta, \quad \delta \, (|z| - \delta / 2) \;\text{ else}$$
#
# :::{admonition} Predict
# :class: tip
# 40 points lie along a line, but the last five are far too low. Which line will the squared error
# find, and which the Huber loss?
# :::

# %%
import numpy as np

from tinygrad_edu import grad


def huber(z, delta=1.0):
    """Squared while the error is small, a straight line beyond delta (Huber, 1964)."""
    return np.where(np.abs(z) <= delta, z**2 / 2, delta * (np.abs(z) - delta / 2))


# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from tinygrad_edu import Tensor, optim

plt.style.use("tinygrad_edu.figures")


def train(loss_function, lr):
    """The two parameters after 300 updates: the slope and the height of a line."""
    w = Tensor(np.zeros(2), requires_grad=True)
    sgd = optim.SGD([w], lr=lr)
    for _ in range(300):
        loss = loss_function(w)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return w.data


rng = np.random.default_rng(0)
x = np.linspace(-5, 5, 40)
y = 0.5 * x + 3 + rng.normal(scale=0.4, size=40) - 6 * (x > 3.8)
by_square = train(lambda w: ((w[0] * x + w[1] - y) ** 2 / 2).mean(), 0.1)
by_huber = train(lambda w: huber(w[0] * x + w[1] - y).mean(), 0.1)
left, right = plt.figure(figsize=(8, 4)).subplots(1, 2)
z = np.linspace(-4, 4, 401)
left.plot(z, huber(z), label="Huber, δ = 1")
left.plot(z, z**2 / 2, label="squared error / 2")
left.set(xlabel="error z", ylabel="loss", ylim=(0, 6))
left.legend(loc="upper center")
for (a, b), name in ((by_huber, "Huber"), (by_square, "squared"), ((0.5, 3.0), "truth")):
    right.plot(x, a * x + b, label=f"{name}: slope {a:.2f}")
right.plot(x, y, ".", color="0.6", markersize=8)
right.set(xlabel="x", ylabel="y", ylim=(-2, 10))
right.legend(loc="upper left")
plt.show()

# %% [markdown]
# :::{caption}
# Huber grows along a line where the square runs away; so five broken points tilt its fit far less.
#
# Left, both losses over the error: alike from -1 to 1, beyond that Huber is straight and far lower.
# Right, points along a rising line, the last five far below it. The line of Huber is near the
# truth; that of the squared error is nearly flat.
# :::

# %% [markdown]
# The slope of a loss is how hard an error pulls. At $z = 6$ the square pulls six times as hard as
# at 1, Huber just as hard.
#
# ## Prove it
#
# Nobody had to work out a derivative. Still, prove them, away from the kinks of the second
# derivative at $\pm \delta$:

# %%
from tinygrad_edu import primitive
from tinygrad_edu.testing import check_grads

errors = np.array([-3.0, -0.4, 0.3, 2.0])
print(check_grads(huber, errors))

# %% [markdown]
# If somebody writes a rule by hand, and takes the slope to be $z$ everywhere, the judge finds the
# two errors beyond $\delta$. Their slopes are -1 and 1, not -3 and 2:

# %%
wrong = primitive(huber, lambda g, y, z: g * z)
try:
    complaint = str(check_grads(lambda z: wrong(z).sum(), errors))
except AssertionError as error:
    complaint = str(error)
print(complaint)

# %% [markdown]
# ## A trap: `where` computes both branches
#
# :::{admonition} Predict
# :class: tip
# `np.where(x > 0, np.log(x), 0.0)` is 0 at `x = 0`. What is its slope there?
# :::


# %%
def trapped(x):
    """The logarithm of positive numbers, else 0."""
    return np.where(x > 0, np.log(x), 0.0)


def safe(x):
    """The same, with an input that is harmless in the other branch."""
    return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0)


with np.errstate(divide="ignore", invalid="ignore"):
    slope_trapped = grad(trapped)(0.0)
slope_safe = grad(safe)(0.0)
print(f"slope at 0: {slope_trapped}; with the safe input: {slope_safe}")

# %% [markdown]
# The branch that is not chosen gets the gradient 0. Its own slope is infinite, and 0 times infinity
# is `nan`, not a number. A second `where` makes its input harmless.
#
# ## Rare things
#
# The second example, **focal loss** (Lin and others, 2017), is meant for rare things among many
# easy examples. With the probability $p$ of the true class it is
#
# $$-(1 - p)^\gamma \log p$$
#
# This is cross entropy, made small where all is well already: with $\gamma = 2$ and $p = 0.9$, a
# hundredth of it. The score `s` and the target `t`, 0 or 1, give $p$; and `softplus`, which is
# $\log(1 + \exp s)$, gives both logarithms without overflow.

# %%
from tinygrad_edu import losses
from tinygrad_edu.functional import sigmoid, softplus


def focal(s, t, gamma=2.0):
    """Cross entropy, -log p, times (1 - p)**gamma."""
    m = np.where(t == 1, s, -s)  # p is sigmoid(m)
    return np.exp(-gamma * softplus(m)) * softplus(-m)  # softplus(m) is -log(1 - p)


targets = np.array([1, 0, 1, 0])
print(check_grads(lambda s: focal(s, targets), errors))
print(check_grads(lambda s: focal(s, targets, gamma=0.5), errors))

# %% [markdown]
# One example in twenty is positive here: it has the target 1. A model with one input learns by
# cross entropy, and by focal loss. (`logits`, in the name of a function below, is another word for
# scores.)
#
# :::{admonition} Predict
# :class: tip
# Will it find more of the rare ones?
# :::

# %%
t = (rng.random(50_000) < 0.05).astype(float)
x = rng.normal(size=50_000) + 2 * t
x_test, t_test = x[4000:], t[4000:]
x, t = x[:4000], t[:4000]
by_entropy = train(lambda w: losses.binary_cross_entropy_with_logits(w[0] * x + w[1], t), 5.0)
by_focal = train(lambda w: focal(w[0] * x + w[1], t).mean(), 5.0)
for name, (a, b) in (("cross entropy", by_entropy), ("focal loss", by_focal)):
    said = sigmoid(a * x_test + b)
    found = (said > 0.5)[t_test == 1].mean()
    print(f"{name:13}: says {said.mean():.1%} are positive, finds {found:.0%} of them, ", end="")
    print(f"turns at x = {-b / a:.2f}")
print(f"in truth {t_test.mean():.1%} are positive")

# %% tags=["hide-input"]
bins = np.arange(-1, 4.6, 0.25)
seen = [t_test[np.abs(x_test - middle) < 0.125].mean() for middle in bins]
axes = plt.figure().subplots()
axes.plot(bins, seen, ".", color="0.6", markersize=10, label="share of positives near x")
for (a, b), name in ((by_entropy, "cross entropy"), (by_focal, "focal loss")):
    axes.plot(bins, sigmoid(a * bins + b), label=name)
axes.axhline(0.5, color="C4", linewidth=1, linestyle=":")
axes.set(xlabel="x", ylabel="probability of a positive")
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Both cross 1/2 at nearly the same x. The probabilities of cross entropy are the true ones.
#
# The share of positive examples over x, grey points, rises from 0 to 1. The curve of cross entropy
# goes through the points. That of focal loss is flatter: above them at the left, below them at the
# right. Both cross 1/2 at nearly the same place.
# :::

# %% [markdown]
# No: here both turn positive at nearly the same `x`, so they find the same ones. But the
# probabilities of focal loss are not true ones any more. Measure what your loss changes before you
# believe in it.
#
# ## What to take away
#
# - A loss of your own is a line; prove it with `check_grads`.
# - Its slope is how hard each mistake pulls: draw it.
# - `where` computes both branches: make both harmless.
#
# ## Exercises
#
# :::{exercise} Three times as bad
# :label: own-loss-pinball
#
# A baker pays 3 for each loaf that is missing, and 1 for each that is left over. The error $z$ is
# baked less sold. Write the loss.
# :::


# %% tags=["exercise"]
def baker(z):
    """What an error costs the baker."""
    return np.abs(z)  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("two left over", lambda: baker(2.0) == 2)
check("two missing", lambda: baker(-2.0) == 6)
check("differences agree", lambda: check_grads(baker, [-2.0, -0.5, 0.5, 3.0]))

# %% [markdown]
# :::{solution-start} own-loss-pinball
# :::


# %% tags=["solution"]
def baker(z):
    """What an error costs the baker."""
    return np.where(z < 0, -3 * z, z)


# %% [markdown]
# It is known as the pinball loss. Where it is least, three days in four have enough bread.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Smooth everywhere
# :label: own-loss-logcosh
#
# $\log \cosh z$ looks like Huber, and has no kink in any derivative. Write it so that it does not
# overflow at $z = 1000$. (`softplus` helps: $\cosh z = (\exp z + \exp(-z)) / 2$.)
# :::


# %% tags=["exercise"]
def log_cosh(z):
    """The logarithm of the hyperbolic cosine."""
    return np.log(np.cosh(z))  # your line instead


# %% tags=["check", "hide-input"]
def at_1000():
    """The value there."""
    with np.errstate(over="ignore"):
        return log_cosh(1000.0)


check(
    "it is right at 0 and 2",
    lambda: np.allclose(log_cosh(np.array([0.0, 2.0])), [0, np.log(np.cosh(2))]),
)
check("it is right at 1000", lambda: np.isclose(at_1000(), 1000 - np.log(2)))
check("differences agree", lambda: check_grads(log_cosh, [-1.5, 0.3, 4.0]))

# %% [markdown]
# :::{solution-start} own-loss-logcosh
# :::


# %% tags=["solution"]
def log_cosh(z):
    """The logarithm of the hyperbolic cosine."""
    return z + softplus(-2 * z) - np.log(2)


# %% [markdown]
# $\log(\exp z + \exp(-z)) = z + \log(1 + \exp(-2 z))$. The second term is large where $z$ is
# negative, and `softplus` does not overflow.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: nan
# :label: own-loss-nan
#
# Write $\sqrt{x}$ for positive `x` and 0 elsewhere with a single `where`, and see the slope at
# `x = -1`. Then mend it.
# :::


# %% tags=["exercise"]
def root(x):
    """The square root of positive numbers, else 0."""
    return np.where(x > 0, np.sqrt(x), 0.0)


# %% tags=["check", "hide-input"]
def slope_of_root(x):
    """The slope, with no warning."""
    with np.errstate(all="ignore"):
        return grad(root)(x)


check("at 4 the slope is 1/4", lambda: slope_of_root(4.0) == 0.25)
check("at -1 it is 0", lambda: slope_of_root(-1.0) == 0)
check("at 0 it is 0", lambda: slope_of_root(0.0) == 0)

# %% [markdown]
# :::{solution-start} own-loss-nan
# :::


# %% tags=["solution"]
def root(x):
    """The square root of positive numbers, else 0."""
    return np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0)


# %% [markdown]
# The same cure as for the logarithm.
# :::{solution-end}
# :::
