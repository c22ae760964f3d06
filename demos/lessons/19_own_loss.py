# %% [markdown]
# # A loss of one's own
#
# A loss of your own is one line: write it, prove its derivatives, train with it.
#
# A loss turns a mistake into a number: it says what a model should care about. Here are two, one
# line each. **Huber loss** takes the error `e` of a prediction, **focal loss** a score `s` and a
# label `t`, 0 or 1. `p = sigmoid(m)` is the probability of the true label; `m` is `s` or `-s`.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad, losses, primitive
from tinygrad_edu.functional import sigmoid, softplus
from tinygrad_edu.testing import check_grads

plt.style.use("tinygrad_edu.figures")


def huber(e, delta=1.0):
    """Squared while the error is small, a straight line beyond delta (Huber, 1964)."""
    return np.where(np.abs(e) <= delta, e**2 / 2, delta * (np.abs(e) - delta / 2))


def focal(s, t, gamma=2.0):
    """Cross entropy, -log p, times (1 - p)**gamma, small where all is well (Lin et al., 2017)."""
    m = np.where(t == 1, s, -s)
    return np.exp(-gamma * softplus(m)) * softplus(-m)  # softplus(m) is -log(1 - p)


def train(loss, step_size, w=(0.0, 0.0)):
    """Gradient descent for two parameters, the slope and the height of a line."""
    for _ in range(300):
        w = w - step_size * grad(loss)(w)
    return w


e, s = np.linspace(-4, 4, 401), np.linspace(-6, 6, 401)
left, right = plt.figure().subplots(1, 2, sharey=True)
left.plot(e, huber(e), label="Huber, delta = 1")
left.plot(e, e**2 / 2, label="half the squared error")
right.plot(sigmoid(s), focal(s, 1), label="focal, gamma = 2")
right.plot(sigmoid(s), focal(s, 1, gamma=0.0), label="cross entropy")
left.set(xlabel="error e", ylabel="loss", ylim=(0, 6))
right.set(xlabel="probability p of the true label")
left.legend(loc="upper center"), right.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Huber spares large errors; focal, what is nearly right.
#
# Huber spares large errors; focal, what is nearly right.
# :::

# %% [markdown]
# Nobody has to work out a derivative. `check_grads` proves those that the engine finds, first and
# second: it nudges the input and compares how far the loss moves with what they say. It complains
# of a wrong rule for Huber, slope `e` everywhere: the table lists the two errors beyond `delta`.
# One trap: `where` computes **both** branches, and the one not chosen gets the gradient 0. If its
# slope is infinite, 0 times that is `nan`, not a number. A second `where` makes its input harmless.

# %%
errors, labels = np.array([-3.0, -0.4, 0.3, 2.0]), np.array([1, 0, 1, 0])
check_grads(huber, errors)
check_grads(lambda scores: focal(scores, labels), errors)
try:
    complaint = str(check_grads(primitive(huber, lambda g, y, e: g * e), errors))  # g times slope
except AssertionError as error:
    complaint = str(error)
with np.errstate(all="ignore"):
    trapped = grad(lambda x: np.where(x > 0, np.log(x), 0.0))(0.0)
safe = grad(lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0))(0.0)
print(f"{complaint}\nslope of where(x > 0, log(x), 0) at 0: {trapped}; with a safe x: {safe}")

# %% [markdown]
# Now train. Of 40 measurements along a line the last five are broken, 6 too low. The slope of a
# loss is how hard an error pulls: squared, at 6 six times as hard as at 1; Huber, just as hard.

# %%
rng = np.random.default_rng(0)
x = np.linspace(-5, 5, 40)
y = 0.5 * x + 3 + rng.normal(scale=0.4, size=40) - 6 * (x > 3.8)
by_mse = train(lambda w: losses.mse_loss(w[0] * x + w[1], y), 0.1)
by_huber = train(lambda w: huber(w[0] * x + w[1] - y).mean(), 0.1)
axes = plt.figure().subplots()
for (a, b), name in ((by_huber, "Huber"), (by_mse, "squared error"), ((0.5, 3.0), "truth")):
    axes.plot(x, a * x + b, label=f"{name}: slope {a:.2f}")
axes.plot(x, y, ".", color="0.6", markersize=10, label="measurements")
axes.set(xlabel="x", ylabel="y", ylim=(-2, 9))
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# :::{caption}
# Five broken points tilt both fits, but Huber's far less.
#
# Five broken points tilt both fits, but Huber's far less.
# :::

# %% [markdown]
# Focal loss is meant for rare things, among many easy examples: at `p = 0.9` it is a hundredth of
# cross entropy. Here one example in twenty is positive. What does focal loss change?

# %%
t = (rng.random(100_000) < 0.05).astype(float)
x = rng.normal(size=100_000) + 2 * t
(x, test_x), (t, test_t) = np.split(x, [4000]), np.split(t, [4000])
by_bce = train(lambda w: losses.binary_cross_entropy_with_logits(w[0] * x + w[1], t), 5.0)
by_focal = train(lambda w: focal(w[0] * x + w[1], t).mean(), 5.0)
bins = np.arange(-1, 4.6, 0.25)
seen = [test_t[np.abs(test_x - middle) < 0.125].mean() for middle in bins]
axes = plt.figure().subplots()
axes.plot(bins, seen, ".", color="0.6", markersize=10, label="positive among test examples near x")
for (a, b), name in ((by_bce, "cross entropy"), (by_focal, "focal loss")):
    axes.plot(bins, sigmoid(a * bins + b), label=f"{name}: 1/2 at x = {-b / a:.2f}")
    print(f"{test_t.mean():.1%} are positive; {name} says {sigmoid(a * test_x + b).mean():.1%}")
axes.set(xlabel="x", ylabel="probability of a positive")
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Both cross 1/2 at nearly the same x; focal is less sure.
#
# Both cross 1/2 at nearly the same x; focal is less sure.
# :::

# %% [markdown]
# Not the decision: here both turn positive at nearly the same `x`. But the probabilities of
# focal loss are not true ones. Measure what your loss changes before you believe in it.
