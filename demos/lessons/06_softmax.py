# %% [markdown]
# # From scores to probabilities
#
# A score of 2 is more confident than one of 1. But how likely is it to be right?
#
# In [the last lesson](05_boundary.py) the best score of log loss was the log-odds of the share of
# labels $+1$. We turn this around. If the score $s$ is the log-odds, which probability $p$ of the
# label $+1$ does it stand for?
#
# $$s = \log\frac{p}{1 - p} \qquad\text{gives}\qquad p = \frac{1}{1 + e^{-s}} .$$
#
# This function is the **sigmoid**. It turns any score into a probability.

# %%
import numpy as np

s = np.linspace(-6, 6, 241)
p = 1 / (1 + np.exp(-s))

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")

figure = plt.figure(figsize=(8, 3.6))
axes = figure.subplots()
axes.plot(s, p)
for score in (-2, 0, 2):
    probability = 1 / (1 + np.exp(-score))
    axes.plot(score, probability, "o", color="C4")
    axes.annotate(f"s = {score}: p = {probability:.2f}", (score + 0.3, probability - 0.07))
axes.set(xlabel="score s", ylabel="probability p of the label +1", ylim=(-0.05, 1.05))
plt.show()

# %% [markdown]
# :::{caption}
# The sigmoid: a score of 0 gives the probability one half, and no score gives exactly 0 or 1.
#
# An S-shaped curve over the score from minus 6 to 6. It rises from nearly 0 to nearly 1. Three dots
# mark the scores minus 2, 0 and 2, with the probabilities 0.12, 0.50 and 0.88.
# :::
#
# ## Does it keep its promise?
#
# :::{admonition} Predict
# :class: tip
# Take all images for which a classifier says "odd, with probability about 0.7". How many of them
# are odd?
# :::

# %%
from sklearn.datasets import load_digits

from tinygrad_edu import Tensor, losses, optim
from tinygrad_edu.functional import sigmoid

images, digits = load_digits(return_X_y=True)
x = images / 16
y = np.where(digits % 2 == 1, 1.0, -1.0)  # +1 for odd digits
w = Tensor(np.zeros(64), requires_grad=True)
b = Tensor(0.0, requires_grad=True)
sgd = optim.SGD([w, b], lr=0.5)
for _ in range(300):
    loss = losses.logistic(x @ w + b, y)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
odd = sigmoid(x @ w.data + b.data)  # the probability that a digit is odd

# %% tags=["hide-input"]
from itertools import pairwise

edges = np.linspace(0, 1, 6)
promised, kept, counts = [], [], []
for low, high in pairwise(edges):
    inside = (odd >= low) & (odd < high)
    counts.append(np.sum(inside))
    promised.append(odd[inside].mean())
    kept.append(np.mean(y[inside] > 0))

figure = plt.figure(figsize=(8, 3.8))
axes = figure.subplots()
axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="as promised")
axes.plot(promised, kept, "o-", label="the classifier")
for across, up, count in zip(promised, kept, counts, strict=True):
    axes.annotate(f"{count} images", (across + 0.02, up - 0.07))
axes.set(
    xlabel="mean probability of odd",
    ylabel="share of odd digits",
    xlim=(0, 1.15),
    ylim=(-0.12, 1.1),
)
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Images in five groups by their probability of being odd, and how many of each are odd.
#
# Five dots near a dotted diagonal line. The mean probability of each group is along the axis, and
# the share of odd digits in it goes up: both grow together, from nearly 0 to nearly 1. Most images
# are in the first and in the last group.
# :::
#
# In each group, the promise and the share agree to within 0.1: of ten images with a probability of
# about 0.7, seven or eight are odd. Probabilities that keep their promise are called
# **calibrated**. Log loss works towards this, because its best score is the log-odds of the share.
# But these are the images that the classifier has learned from, and on new ones it is often surer
# than it should be.
#
# ## Many classes: softmax
#
# With $K$ classes there are $K$ scores. **Softmax** makes $K$ probabilities of them: all are
# positive, and their sum is 1.
#
# $$p_k = \frac{e^{s_k}}{\sum_{j=1}^{K} e^{s_j}}$$
#
# A larger score gives a larger probability, so `argmax` chooses the same class as before. And only
# *differences* of scores matter: to add the same number to all scores is to multiply each
# $e^{s_k}$ by the same factor, which cancels.

# %%
from tinygrad_edu.functional import softmax

scores = np.array([2.0, 1.0, -1.0])
print("softmax(scores):      ", softmax(scores).round(4))
print("softmax(scores + 100):", softmax(scores + 100).round(4))
print("two classes, softmax([s, 0]):", softmax([1.5, 0.0]).round(4), "sigmoid(s):", end=" ")
print(sigmoid(1.5).round(4))

# %% [markdown]
# The last line shows that the sigmoid is softmax with two classes: one score may be fixed at 0,
# because only the difference matters.
#
# ## One-hot: the same form for the truth
#
# The truth can be written as probabilities, too: 1 for the true class, and 0 for all others. Such a
# row is called **one-hot**. We write $t$ (target) for it.

# %%
from tinygrad_edu.functional import one_hot

print(one_hot([2, 0], num_classes=4))

# %% [markdown]
# Both $p$ and $t$ are rows of probabilities. How to compare them is the subject of the next lesson.
#
# ## Overflow
#
# :::{admonition} Predict
# :class: tip
# The scores are 1000, 0 and $-1000$. What are the three probabilities, and what does a computer say
# if it follows the formula?
# :::


# %%
def naive_softmax(s):
    """The formula as it stands."""
    powers = np.exp(s)
    return powers / powers.sum()


large = np.array([1000.0, 0.0, -1000.0])
with np.errstate(all="ignore"):  # no warnings: what goes wrong is the point
    naive = naive_softmax(large)
print("as it stands:  ", naive)
print("made smaller:  ", naive_softmax(large - large.max()))
print("softmax:       ", softmax(large))

# %% [markdown]
# The largest number of a float64 is about $1.8 \cdot 10^{308}$, and $e^{1000}$ is larger: it
# becomes `inf`, and `inf / inf` is `nan`, "not a number". **The cure** uses that only differences
# matter: first subtract the largest score from all of them. Then the largest power is $e^0 = 1$,
# and nothing can overflow. `softmax` does this.
#
# ## Temperature
#
# Before softmax, scores can be divided by a number $T$, the **temperature**. Below 1 it draws the
# probabilities apart, above 1 it makes them more alike. The order never changes.

# %% tags=["hide-input"]
temperatures = (0.25, 1.0, 4.0)
tempered = {T: softmax(scores / T) for T in temperatures}
figure = plt.figure(figsize=(8, 3.8))
axes = figure.subplots()
for i, (T, hatch) in enumerate(zip(temperatures, ("//", "", ".."), strict=True)):
    places = np.arange(3) + 0.27 * (i - 1)
    bars = axes.bar(places, tempered[T], 0.25, hatch=hatch, edgecolor="white", label=f"T = {T:g}")
    axes.bar_label(bars, fmt="{:.2f}")
labels = [f"score {score:g}" for score in scores]
axes.set(ylabel="probability", xticks=range(3), xticklabels=labels, axisbelow=True, ylim=(0, 1.1))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# The same three scores at three temperatures.
#
# Three groups of three bars, for the scores 2, 1 and minus 1. At temperature 0.25 the first has
# probability 0.98 and the others nearly 0. At 1 they are 0.71, 0.26 and 0.04. At 4 they are nearly
# alike: 0.44, 0.35 and 0.21.
# :::
#
# Temperature changes how sure a classifier sounds, and no answer. Language models use it to be more
# or less adventurous.
#
# ## What to take away
#
# - The sigmoid makes a probability of one score, softmax makes $K$ probabilities of $K$ scores.
# - Only differences of scores matter. So subtract the largest before you take powers.
# - One-hot is the truth, written as probabilities.
#
# ## Exercises
#
# :::{exercise} One-hot by hand
# :label: softmax-one-hot
#
# Write the one-hot rows for a list of labels, with NumPy alone.
# :::


# %% tags=["exercise"]
def my_one_hot(labels, num_classes):
    """A row for each label: 1 at its class, 0 elsewhere."""
    return np.zeros((len(labels), num_classes))  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("each row has the sum 1", lambda: np.all(my_one_hot([2, 0, 1], 4).sum(axis=1) == 1))
check("it is one_hot", lambda: np.array_equal(my_one_hot(digits, 10), one_hot(digits, 10)))

# %% [markdown]
# :::{solution-start} softmax-one-hot
# :::


# %% tags=["solution"]
def my_one_hot(labels, num_classes):
    """A row for each label: 1 at its class, 0 elsewhere."""
    rows = np.zeros((len(labels), num_classes))
    rows[np.arange(len(labels)), labels] = 1.0
    return rows


# %% [markdown]
# `np.eye(num_classes)[labels]` does the same: it takes rows of the unit matrix.
# :::{solution-end}
# :::
#
# :::{exercise} The slope of the sigmoid
# :label: softmax-sigmoid-slope
#
# Write the sigmoid, and its slope as a formula of the probability $p$ alone. `check_grads` proves
# what the engine finds for your sigmoid, and your slope has to agree with it.
# :::


# %% tags=["exercise"]
def my_sigmoid(s):
    """The probability for each score."""
    return 0.0 * s  # your line instead


def slope_from_p(p):
    """The slope of the sigmoid, where its value is p."""
    return 0.0 * p  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu import grad
from tinygrad_edu.testing import check_grads

few = np.array([-2.0, 0.0, 0.5, 3.0])
check("it is the sigmoid", lambda: np.allclose(my_sigmoid(few), sigmoid(few)))
check("check_grads agrees", lambda: check_grads(my_sigmoid, few))
check(
    "your slope is the slope",
    lambda: np.allclose(slope_from_p(sigmoid(few)), grad(lambda s: sigmoid(s).sum())(few)),
)

# %% [markdown]
# :::{solution-start} softmax-sigmoid-slope
# :::


# %% tags=["solution"]
def my_sigmoid(s):
    """The probability for each score."""
    return 1 / (1 + np.exp(-s))


def slope_from_p(p):
    """The slope of the sigmoid, where its value is p."""
    return p * (1 - p)


# %% [markdown]
# It is steepest in the middle, 1/4 at $p = 1/2$, and flat at both ends. The slope of log loss, an
# exercise on [four losses](04_losses.py), is a sigmoid, too: $-1 / (1 + e^{m})$.
# :::{solution-end}
# :::
#
# :::{exercise} Break softmax
# :label: softmax-break
#
# Which is the smallest whole number $s$ for which `naive_softmax` of the scores $s$ and 0 is no
# longer made of probabilities?
# :::

# %% tags=["exercise"]
smallest_that_breaks = 0  # your number instead


# %% tags=["check", "hide-input"]
def survives(score):
    """Whether the naive formula gives numbers for this score and 0."""
    with np.errstate(all="ignore"):
        return bool(np.all(np.isfinite(naive_softmax(np.array([float(score), 0.0])))))


check("it breaks there", lambda: not survives(smallest_that_breaks))
check("one less goes well", lambda: survives(smallest_that_breaks - 1))

# %% [markdown]
# :::{solution-start} softmax-break
# :::

# %% tags=["solution"]
smallest_that_breaks = int(np.log(np.finfo(float).max)) + 1
print(smallest_that_breaks)

# %% [markdown]
# The logarithm of the largest float64 is 709.78. In float32, which graphics cards prefer, the same
# happens at a score of 89.
# :::{solution-end}
# :::
#
# :::{exercise} A softmax that survives
# :label: softmax-safe
#
# Write softmax for a table with one row of scores for each example, with a temperature, so that no
# score makes it overflow. (`keepdims=True` keeps a column, which fits the table.)
# :::


# %% tags=["exercise"]
def my_softmax(scores, temperature=1.0):
    """A row of probabilities for each row of scores."""
    return 0.0 * scores  # your lines instead


# %% tags=["check", "hide-input"]
table = np.array([[2.0, 1.0, -1.0], [1000.0, 0.0, -1000.0], [5.0, 5.0, 5.0]])


def without_warning(function, *arguments):
    """The result; an overflow is an error."""
    with np.errstate(all="raise", under="ignore"):
        return function(*arguments)


check("it is softmax", lambda: np.allclose(without_warning(my_softmax, table), softmax(table)))
check(
    "temperature 4",
    lambda: np.allclose(without_warning(my_softmax, table, 4.0), softmax(table / 4)),
)

# %% [markdown]
# :::{solution-start} softmax-safe
# :::


# %% tags=["solution"]
def my_softmax(scores, temperature=1.0):
    """A row of probabilities for each row of scores."""
    scores = scores / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# %% [markdown]
# Each row has its own largest score, so each row subtracts its own.
# :::{solution-end}
# :::
#
# :::{exercise} Find the temperature
# :label: softmax-temperature
#
# Find, to three digits after the point or better, the temperature at which the largest probability
# of the scores 2, 1 and $-1$ is exactly one half. (The largest probability falls as the temperature
# rises: halve an interval again and again.)
# :::


# %% tags=["exercise"]
def temperature_of_half(scores):
    """The temperature at which the largest probability is 1/2."""
    return 1.0  # your lines instead


# %% tags=["check", "hide-input"]
def largest_at_half(scores):
    """The largest probability at your temperature."""
    return softmax(scores / temperature_of_half(scores)).max()


check("the scores 2, 1, -1", lambda: np.isclose(largest_at_half(scores), 0.5, atol=2e-4))
others = np.array([3.0, 2.5, -4.0, 0.0])
check("the scores 3, 2.5, -4, 0", lambda: np.isclose(largest_at_half(others), 0.5, atol=2e-4))

# %% [markdown]
# :::{solution-start} softmax-temperature
# :::


# %% tags=["solution"]
def temperature_of_half(scores):
    """The temperature at which the largest probability is 1/2."""
    low, high = 0.01, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        if softmax(scores / middle).max() > 0.5:
            low = middle
        else:
            high = middle
    return middle


print(f"{temperature_of_half(scores):.3f}")

# %% [markdown]
# At temperature 0 the largest score takes everything, at infinity all classes are alike.
# :::{solution-end}
# :::
