# %% [markdown]
# # Search or slope
#
# To learn is to look for weights with a low loss. Why not try many, and keep the best?
#
# So far every lesson found its weights by the loop: compute the gradient, go a step against it. Now
# that we have a loss worth lowering, let us ask whether there is a simpler way. We tell odd digits
# from even ones by log loss, first with two weights only, one for each of two pixels. (The mean of
# each pixel is subtracted, so that we can do without a bias.)

# %%
import numpy as np
from sklearn.datasets import load_digits

from tinygrad_edu import losses

images, digits = load_digits(return_X_y=True)
x = (images - images.mean(axis=0)) / 16
y = np.where(digits % 2 == 1, 1.0, -1.0)  # +1 for odd digits
two_pixels = x[:, [42, 5]]

# %% [markdown]
# Three ways to look for the two weights:
#
# - **Random search** draws them by chance, again and again.
# - **Exhaustive search** tries all points of a grid: each of some values for the first weight, with
#   each for the second.
# - **The slope**: start at 0, and follow the gradient downhill, by the loop.
#
# To compare them, we count what each costs. An *evaluation* computes the loss once. A gradient is
# more work: a pass forward for the loss, and one backward for the slopes, which is two or three
# times as much. We charge five evaluations for it, so that it gets nothing for free. Each way may
# spend 50 evaluations.
#
# :::{admonition} Predict
# :class: tip
# Which way finds the lowest loss with two weights? And which with 64?
# :::

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from tinygrad_edu import Tensor, optim

plt.style.use("tinygrad_edu.figures")


def loss_at(w, features):
    """The mean log loss of some weights, for these features of the images."""
    return losses.logistic(features @ w, y)


def descend(features, steps, lr):
    """The weights on the way downhill, and the loss at each."""
    w = Tensor(np.zeros(features.shape[1]), requires_grad=True)
    sgd = optim.SGD([w], lr=lr)
    path, history = [], []
    for _ in range(steps):
        loss = losses.logistic(features @ w, y)
        sgd.zero_grad()
        loss.backward()
        path.append(w.data.copy())
        history.append(loss.item())
        sgd.step()
    return np.array(path), np.array(history)


rng = np.random.default_rng(0)
values = np.linspace(-4, 4, 7)
tried = {
    "random search": rng.uniform(-4, 4, (50, 2)),
    "exhaustive search": np.array([[first, second] for first in values for second in values]),
    "slope": descend(two_pixels, steps=10, lr=20.0)[0],
}
lowest = {name: min(loss_at(w, two_pixels) for w in tried[name]) for name in tried}
side = np.linspace(-4.5, 4.5, 46)
surface = [[loss_at(np.array([first, second]), two_pixels) for first in side] for second in side]

figure = plt.figure(figsize=(8, 3.4))
for axes, (name, points) in zip(figure.subplots(1, 3, sharey=True), tried.items(), strict=True):
    axes.contour(side, side, surface, levels=np.geomspace(0.4, 3, 12), colors="0.6", linewidths=1)
    axes.plot(*points.T, "o-" if name == "slope" else "o", color="C1", markersize=4)
    axes.set(title=f"{name}\nlowest: {lowest[name]:.3f}", xlabel="first weight")
figure.axes[0].set_ylabel("second weight")
plt.show()

# %% [markdown]
# :::{caption}
# Where each looks, for the price of 50 evaluations. Along a grey line the loss is the same.
#
# Three pictures of the same grey contour lines, curves around a lowest point at the upper left. In
# the first, 50 dots are scattered by chance; in the second, 49 dots form a square grid; in the
# third, ten dots, joined by a line, go from the middle to the lowest point in a few steps.
# :::
#
# With two weights all three come near the lowest loss.
#
# ## Many weights
#
# Now the classifier sees all 64 pixels.

# %%
print(f"a grid of 7 values for each of  2 weights: {7**2} evaluations")
print(f"a grid of 7 values for each of 64 weights: {7.0**64:.0e} evaluations")

# %% [markdown]
# Exhaustive search is out of the question: each further weight costs 7 times as much. A cleverer
# search takes **random steps**: it starts from the best weights so far, changes them a little by
# chance, and keeps the change if the loss got lower. Each way may spend 300 evaluations, three
# times: with three sizes of the range that random search draws from, of the random step, or of the
# learning rate. We show the best of the three. At the left there are 64 weights, for odd or even;
# at the right 640, for all ten digits, with cross entropy.


# %% tags=["hide-input"]
def odd_or_even(w):
    """The mean log loss with all 64 pixels."""
    return losses.logistic(x @ w, y)


def ten_digits(w):
    """The mean cross entropy of ten rows of 64 weights."""
    return losses.cross_entropy(x @ w.reshape(10, 64).T, digits)


def random_search(function, count, size):
    """The loss of 300 random weights."""
    return [function(w) for w in rng.uniform(-size, size, (300, count))]


def random_steps(function, count, size):
    """The loss after each of 300 random steps from the best weights so far."""
    best, history = np.zeros(count), []
    for _ in range(300):
        candidate = best + rng.normal(scale=size, size=count)
        history.append(function(candidate))
        if history[-1] == min(history):
            best = candidate
    return history


def slope(function, count, lr):
    """The loss after each of 60 updates, for the price of 300 evaluations."""
    w = Tensor(np.zeros(count), requires_grad=True)
    sgd = optim.SGD([w], lr=lr)
    history = []
    for _ in range(60):
        loss = function(w)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        history.append(loss.item())
    return history


ways = {
    "random search": (random_search, (0.3, 1.0, 3.0), np.arange(1, 301)),
    "random steps": (random_steps, (0.03, 0.1, 0.3), np.arange(1, 301)),
    "slope": (slope, (5.0, 10.0, 20.0), np.arange(5, 301, 5)),
}
reached = {}
figure = plt.figure(figsize=(8, 4))
left, right = figure.subplots(1, 2)
for axes, function, count in ((left, odd_or_even, 64), (right, ten_digits, 640)):
    for name, (way, sizes, price) in ways.items():
        runs = [way(function, count, size) for size in sizes]
        so_far = np.minimum.accumulate(min(runs, key=min))
        reached[name, count] = so_far[-1]
        axes.plot(price, so_far, label=f"{name}: {so_far[-1]:.2f}")
    top = 1.7 * function(np.zeros(count))  # room for the legend
    axes.set(title=f"{count} weights", xlabel="price paid, in evaluations", ylim=(0, top))
    axes.legend(loc="upper right")
left.set_ylabel("lowest loss so far")
plt.show()

# %% [markdown]
# :::{caption}
# The lowest loss that each has found. The more weights, the further the slope is ahead.
#
# Two pictures of three curves each over the price from 0 to 300 evaluations. Left, with 64 weights,
# random search stays near 0.5, random steps come down slowly to about 0.2, and the slope comes down
# at once and ends a little lower. Right, with 640 weights, random search stays near 2.2, where it
# began, random steps end at about 0.7, and the slope falls at once, to about 0.1.
# :::
#
# With 64 weights, random search does worse than the slope did with just two. Random steps come
# close to the slope, but late. With 640 weights both are far behind, and models in use have
# millions. Why?
#
# ## What the gradient knows
#
# An evaluation gives one number. A gradient $g$ gives one number for each weight, and together they
# predict the loss after *any* small change $\Delta w$ of the weights:
#
# $$L(w + \Delta w) \approx L(w) + \sum_j g_j \, \Delta w_j$$
#
# The right side is a straight line in any direction: it is called the **linear approximation**, or
# the tangent. And the gradient is the *best* one. Go downhill by a distance $h$. If the distance is
# halved, then the error of the tangent becomes four times smaller. The error of any other straight
# line only halves.

# %%
from tinygrad_edu import value_and_grad

value, g = value_and_grad(odd_or_even)(np.zeros(64))  # the loss and its gradient
steepness = np.linalg.norm(g)  # the length of the gradient
downhill = -g / steepness  # a change of length 1
for h in (0.4, 0.2, 0.1):
    loss_there = odd_or_even(h * downhill)
    error = loss_there - (value - steepness * h)
    error_of_other = loss_there - (value - 1.1 * steepness * h)  # a line 10% too steep
    print(f"distance {h}: error of the tangent {error:.5f}, of the other {error_of_other:.5f}")

# %% tags=["hide-input"]
distances = np.logspace(-4, 0.6, 93)
along = np.array([odd_or_even(h * downhill) for h in distances])
tangent_error = np.abs(along - (value - steepness * distances))
other_error = np.abs(along - (value - 1.1 * steepness * distances))
small = slice(0, 20)
powers = [
    np.polyfit(np.log(distances[small]), np.log(each[small]), 1)[0]
    for each in (tangent_error, other_error)
]
figure = plt.figure(figsize=(8, 3.8))
left, right = figure.subplots(1, 2)
left.plot(distances, along, label="loss")
left.plot(distances, value - steepness * distances, label="tangent")
left.set(xlabel="distance h", ylabel="loss", ylim=(0, 0.8))
right.loglog(distances, tangent_error, "C1--", label=f"tangent: grows as $h^{{{powers[0]:.1f}}}$")
right.loglog(distances, other_error, "C2-.", label=f"other line: as $h^{{{powers[1]:.1f}}}$")
right.set(xlabel="distance h", ylabel="error", ylim=(1e-10, 1e2))
left.legend()
right.legend()
plt.show()

# %% [markdown]
# :::{caption}
# The tangent touches the loss. Its error vanishes faster than that of any other line.
#
# Two pictures over the distance. Left, the loss bends away upwards from its tangent, a straight
# falling line, which touches it at distance 0. Right, on logarithmic axes, the error of the tangent
# and that of a line 10 percent too steep: both are straight lines, but that of the tangent is twice
# as steep, and lies far below the other at small distances.
# :::
#
# Two things follow from this.
#
# - **Against the gradient is the steepest way down.** For a change of length 1, the sum
#   $\sum_j g_j \, \Delta w_j$ is lowest if $\Delta w$ points exactly against $g$.
# - **The prediction is good nearby only.** Far away no straight line fits. So the loop takes a
#   short step, and asks for a new gradient. How short? This is the subject of the next lesson.
#
# And a random direction? Most are nearly level, and the more weights there are, the more so:

# %%
shares = {}
for count in (2, 64, 640):
    directions = rng.normal(size=(1000, count))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shares[count] = np.mean(np.abs(directions[:, 0]))  # if the gradient is along the first weight
    print(f"{count:3} weights: {shares[count]:.0%} of the steepness of the gradient, in the mean")

# %% [markdown]
# ## What to take away
#
# - Search needs no slope, and serves for a few numbers: the learning rates here were found by
#   trying.
# - Each further weight multiplies the price of a grid. A gradient gives the slopes for all weights
#   for the price of a few evaluations.
# - The gradient is the best linear approximation: it tells the slope in every direction at once.
#
# ## Exercises
#
# :::{exercise} The price of a grid
# :label: search-grid
#
# The classifier of [lesson 2](02_classifier.py) has 650 parameters. Try just two values for each.
# How many decimal digits does the number of evaluations have?
# :::

# %% tags=["exercise"]
decimal_digits = 0  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("the number of digits", lambda: decimal_digits == len(str(2**650)))

# %% [markdown]
# :::{solution-start} search-grid
# :::

# %% tags=["solution"]
decimal_digits = len(str(2**650))
print(decimal_digits)

# %% [markdown]
# The number of atoms in the universe that we can see has about 80.
# :::{solution-end}
# :::
#
# :::{exercise} A gradient without an engine
# :label: search-nudge
#
# Find the gradient by evaluations alone: for each weight, nudge it up and down by `h`, and take the
# difference of the losses divided by `2 * h`. How many evaluations does it take for 64 weights?
# (`check_grads` works like this.)
# :::


# %% tags=["exercise"]
def gradient_by_nudging(function, w, h=1e-4):
    """The slope of the function for each weight."""
    return np.zeros(len(w))  # your lines instead


evaluations_for_64_weights = 0  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

some_weights = np.random.default_rng(1).normal(size=64)
check(
    "it is the gradient",
    lambda: np.allclose(
        gradient_by_nudging(odd_or_even, some_weights),
        value_and_grad(odd_or_even)(some_weights)[1],
        atol=1e-6,
    ),
)
check("check_grads agrees with the engine", lambda: check_grads(odd_or_even, some_weights))
check("the weights are left as they were", lambda: np.isclose(some_weights[0], 0.34558419))
check("the price", lambda: evaluations_for_64_weights == 2 * 64)

# %% [markdown]
# :::{solution-start} search-nudge
# :::


# %% tags=["solution"]
def gradient_by_nudging(function, w, h=1e-4):
    """The slope of the function for each weight."""
    slopes = np.zeros(len(w))
    for j in range(len(w)):
        nudge = np.zeros(len(w))
        nudge[j] = h
        slopes[j] = (function(w + nudge) - function(w - nudge)) / (2 * h)
    return slopes


evaluations_for_64_weights = 2 * 64

# %% [markdown]
# Two evaluations for each weight, where the engine takes the price of two or three for all of them.
# With a million weights only one of the two ways is left.
# :::{solution-end}
# :::
#
# :::{exercise} Break the tangent
# :label: search-break
#
# Log loss is never negative. Find a distance `h` downhill from weights of 0 at which the tangent
# predicts a negative loss. What is the loss really?
# :::

# %% tags=["exercise"]
too_far = 0.0  # your number instead

# %% tags=["check", "hide-input"]
check("the tangent predicts a negative loss", lambda: value - steepness * too_far < 0)
check("it is not absurdly far", lambda: too_far < 10)

# %% [markdown]
# :::{solution-start} search-break
# :::

# %% tags=["solution"]
too_far = value / steepness + 0.1
print(f"at {too_far:.2f} the tangent says {value - steepness * too_far:.2f}, ", end="")
print(f"and the loss is {odd_or_even(too_far * downhill):.2f}")

# %% [markdown]
# From `value / steepness` on. A learning rate that steps so far trusts a prediction that cannot be
# true.
# :::{solution-end}
# :::
#
# :::{exercise} Random steps against the slope
# :label: search-steps
#
# Write a search by random steps that gets below a loss of 0.19 for odd or even, within 2000
# evaluations. You may change the size of the steps as you go: for example, make it a little larger
# after each step that helps, and a little smaller after each one that does not.
# :::


# %% tags=["exercise"]
def search(function, start, evaluations, rng):
    """The best weights found by random steps."""
    return start  # your lines instead


# %% tags=["check", "hide-input"]
class Counted:
    """A function that counts how often it is called."""

    def __init__(self, function):
        """Count from 0."""
        self.function = function
        self.calls = 0

    def __call__(self, w):
        """Call it."""
        self.calls += 1
        return self.function(w)


counted = Counted(odd_or_even)
found = search(counted, np.zeros(64), 2000, np.random.default_rng(0))
check("the loss is below 0.19", lambda: odd_or_even(found) < 0.19)
check("it took 2000 evaluations at most", lambda: counted.calls <= 2000)

# %% [markdown]
# :::{solution-start} search-steps
# :::


# %% tags=["solution"]
def search(function, start, evaluations, rng):
    """The best weights found by random steps."""
    best, lowest_loss = start, function(start)
    size = 0.1
    for _ in range(evaluations - 1):
        candidate = best + size * rng.normal(size=len(best))
        loss = function(candidate)
        if loss < lowest_loss:
            best, lowest_loss = candidate, loss
            size *= 1.5
        else:
            size *= 0.9
    return best


found = search(odd_or_even, np.zeros(64), 2000, np.random.default_rng(0))
by_slope = slope(odd_or_even, 64, lr=20.0)
print(f"loss {odd_or_even(found):.3f} after 2000 evaluations; ", end="")
print(f"the slope: {by_slope[-1]:.3f} after 300")

# %% [markdown]
# It works, if the size of the steps adapts. And still it pays several times the price of the slope,
# which would go on falling.
# :::{solution-end}
# :::
