# %% [markdown]
# # Margins: sign and confidence
#
# Two answers are wrong. Is one of them worse?
#
# The answer of a linear classifier is the *sign* of its score, if there are two classes. But a
# score has a *size*, too. A score of 0.01 says "yes, but only just", one of 5 says "yes,
# without doubt". The size is the **confidence** of the answer.
#
# Here is the example of this lesson and of the next ones: is the digit odd? All ten digits are
# there, the label $y$ is $+1$ for 1, 3, 5, 7, 9, and $-1$ for 0, 2, 4, 6, 8. It is trained by the
# loop of [the first lesson](01_loop.py), with the same loss.

# %%
import numpy as np
from sklearn.datasets import load_digits

images, digits = load_digits(return_X_y=True)
x = images / 16
y = np.where(digits % 2 == 1, 1.0, -1.0)  # +1 for odd digits

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from tinygrad_edu import Tensor, optim

plt.style.use("tinygrad_edu.figures")

w = Tensor(np.zeros(64), requires_grad=True)
b = Tensor(0.0, requires_grad=True)
sgd = optim.SGD([w, b], lr=0.05)
for _ in range(200):
    loss = np.mean((x @ w + b - y) ** 2)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
scores = x @ w.data + b.data

bins = np.linspace(-2.5, 2.5, 51)
figure = plt.figure(figsize=(8, 4))
axes = figure.subplots()
axes.hist(scores[y < 0], bins, color="C0", alpha=0.6, label="even, y = -1")
axes.hist(scores[y > 0], bins, histtype="step", color="C1", lw=2, label="odd, y = +1")
axes.axvline(0, color="C4", linestyle=":")
axes.text(-2.4, 60, "answer: even")
axes.text(1.3, 60, "answer: odd")
axes.set(xlabel="score s", ylabel="images", axisbelow=True)
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# :::{caption}
# Scores of all images. At the dotted line, the decision boundary, the answer changes.
#
# Two histograms over the score from minus 2.5 to 2.5, with a dotted line at 0. The scores of even
# digits are mostly left of it, with a peak near minus 0.9; those of odd digits are mostly right of
# it, with a peak near 0.8. Both cross the line a little.
# :::
#
# Where the score is 0, the answer changes. This place is called the **decision boundary**.
#
# ## The margin
#
# To be right means different things for the two labels: a positive score for $+1$, a negative one
# for $-1$. One product says both at once. The **margin** of an example is
#
# $$m = y\,s .$$
#
# | margin | answer |
# |---|---|
# | large, positive | right and confident |
# | just above 0 | right, but unsure |
# | 0 | on the boundary: no answer |
# | just below 0 | wrong, but unsure |
# | large, negative | **confidently wrong** |

# %%
m = y * scores
print(f"wrong: {np.mean(m <= 0):.1%} of {len(m)} images")
print(f"margins from {m.min():.2f} to {m.max():.2f}")

# %% tags=["hide-input"]
rows = {
    "confidently wrong": np.argsort(m)[:4],
    "on the boundary": np.argsort(np.abs(m))[:4],
    "confidently right": np.argsort(-m)[:4],
}
figure = plt.figure(figsize=(8, 5.6))
for row, (name, chosen) in zip(figure.subfigures(3, 1), rows.items(), strict=True):
    row.suptitle(name)
    for i, axes in zip(chosen, row.subplots(1, 4), strict=True):
        axes.imshow(x[i].reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(f"digit {digits[i]}\nm = {m[i]:.2f}", rotation=0, ha="right", va="center")
plt.show()

# %% [markdown]
# :::{caption}
# Images with the smallest margins, with margins near 0, and with the largest.
#
# Twelve handwritten digits in three rows. Above, the four with the most negative margins, from
# minus 0.9 to minus 0.65: an 8, a 1, a 4 and a 1. In the middle, four whose margin is nearly 0.
# Below, four with margins above 1.6, all of them a 6.
# :::
#
# ## What the squared error does with a margin
#
# The label is $+1$ or $-1$, so $y^2 = 1$, and the loss of the first lesson can be written by the
# margin alone:
#
# $$(s - y)^2 = y^2 (s - y)^2 = (y s - y^2)^2 = (m - 1)^2 .$$
#
# :::{admonition} Predict
# :class: tip
# One image has margin 3: right, and more confident than we asked for. Another has margin $-1$: it
# is wrong. Which of them costs more?
# :::

# %% tags=["hide-input"]
margins = np.linspace(-2, 4, 241)
squared = (margins - 1) ** 2
figure = plt.figure(figsize=(8, 4))
axes = figure.subplots()
axes.axvspan(-2, 0, color="C1", alpha=0.12, lw=0)
axes.plot(margins, squared)
axes.plot([-1, 3], [4, 4], "o", color="C4")
axes.annotate("wrong", (-1, 4), (-0.9, 4.3))
axes.annotate("right and confident", (3, 4), (1.2, 4.3))
axes.set(xlabel="margin m", ylabel="squared error", ylim=(0, 9))
plt.show()

# %% [markdown]
# :::{caption}
# The squared error is lowest at margin 1. It rises on both sides. (Orange: wrong answers.)
#
# A parabola over the margin from minus 2 to 4, with its lowest point at margin 1 and loss 0. Two
# points lie at the same height, loss 4: one at margin minus 1, where the answer is wrong, and one
# at margin 3, where it is right and confident. The side of wrong answers is shaded.
# :::
#
# They cost the same. The squared error punishes an answer for being *too right*. So a part of each
# update pulls confident answers back to margin 1, where it should have worked on the mistakes.

# %%
cost = (m - 1) ** 2
above = m > 1
share = cost[above].sum() / cost.sum()
print(f"margins above 1: {above.mean():.0%} of the images, {share:.0%} of the loss")

# %% [markdown]
# A loss for a classifier should go down all the way as the margin grows, or at least never rise
# again. There are several such losses, and the next lesson compares them.
#
# ## Confidence is not distance
#
# If all weights and the bias are doubled, each score is doubled, and so is each margin. No answer
# changes. So a margin means something only for weights of a given size. The distance of an image
# from the boundary is the margin divided by the length of $w$, and does not change.

# %%
for factor in (1, 2, 10):
    factored = y * (x @ (factor * w.data) + factor * b.data)
    size = np.linalg.norm(factor * w.data)
    wrong, largest = np.mean(factored <= 0), factored.max()
    print(f"times {factor:2}: wrong {wrong:.1%}, margins up to {largest:5.2f}, ", end="")
    print(f"distances up to {largest / size:.3f}")

# %% [markdown]
# ## What to take away
#
# - The sign of a score is the answer, its size the confidence.
# - The margin $m = y s$ is positive where the answer is right. The most negative margins are the
#   confidently wrong answers.
# - The squared error also punishes large positive margins, and a good loss for classes does not.
#
# ## Exercises
#
# :::{exercise} Margins by hand
# :label: margins-by-hand
#
# Four images have the scores 2, $-0.5$, 0.1 and $-3$, and the labels $+1$, $+1$, $-1$ and $-1$.
# Write down the four margins. Then: which of them (0, 1, 2 or 3) is the worst answer, and how many
# are wrong?
# :::

# %% tags=["exercise"]
four_margins = [0.0, 0.0, 0.0, 0.0]  # your numbers instead
worst_of_four = 0
wrong_of_four = 0

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

truth = np.array([2.0, -0.5, 0.1, -3.0]) * [1, 1, -1, -1]
check("the margins", lambda: np.allclose(four_margins, truth))
check("the worst answer", lambda: worst_of_four == truth.argmin())
check("how many are wrong", lambda: wrong_of_four == np.sum(truth <= 0))

# %% [markdown]
# :::{solution-start} margins-by-hand
# :::

# %% tags=["solution"]
four_margins = [2.0, -0.5, -0.1, 3.0]
worst_of_four = 1
wrong_of_four = 2

# %% [markdown]
# The score 0.1 looks harmless, but its label is $-1$: so it is wrong, too, and only less confident.
# :::{solution-end}
# :::
#
# :::{exercise} The squared error as a margin loss
# :label: margins-squared
#
# Write the squared error as a function of the margin, and its slope by the margin, both by hand.
# Where is the slope positive? `check_grads` proves what the engine finds for your first function;
# your second one has to agree with it.
# :::


# %% tags=["exercise"]
def squared_error(m):
    """The squared error for each margin."""
    return 0.0 * m  # your line instead


def slope_of_squared_error(m):
    """By how much it changes, per unit of the margin."""
    return 0.0 * m  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu import grad
from tinygrad_edu.testing import check_grads

some = np.array([-1.0, 0.5, 1.0, 3.0])
check("it is (s - y) squared", lambda: np.allclose(squared_error(m), (scores - y) ** 2))
check("check_grads agrees with the engine", lambda: check_grads(squared_error, some))
check(
    "your slopes are those of the engine",
    lambda: np.allclose(slope_of_squared_error(some), grad(lambda m: squared_error(m).sum())(some)),
)
check("the slope at margin 3 is 4", lambda: slope_of_squared_error(3.0) == 4)

# %% [markdown]
# :::{solution-start} margins-squared
# :::


# %% tags=["solution"]
def squared_error(m):
    """The squared error for each margin."""
    return (m - 1) ** 2


def slope_of_squared_error(m):
    """By how much it changes, per unit of the margin."""
    return 2 * (m - 1)


# %% [markdown]
# The slope is positive for margins above 1: there an update lowers the margin, though the answer is
# right.
# :::{solution-end}
# :::
#
# :::{exercise} Break the loss, and not one answer
# :label: margins-break
#
# Find a factor for all weights and the bias, so that each answer stays what it is, but the mean
# squared error becomes larger than 10.
# :::

# %% tags=["exercise"]
factor_that_breaks = 1.0  # your number instead

# %% tags=["check", "hide-input"]
check(
    "no answer changes",
    lambda: np.array_equal(np.sign(factor_that_breaks * scores), np.sign(scores)),
)
check("the loss is above 10", lambda: np.mean((factor_that_breaks * scores - y) ** 2) > 10)

# %% [markdown]
# :::{solution-start} margins-break
# :::

# %% tags=["solution"]
factor_that_breaks = 6.0
print(f"loss: {np.mean((factor_that_breaks * scores - y) ** 2):.1f}")

# %% [markdown]
# Any large positive factor will do. Loss and number of mistakes are two things: here one explodes,
# and the other does not move.
# :::{solution-end}
# :::
#
# :::{exercise} The margin among many classes
# :label: margins-many
#
# With ten scores, the margin of an example is the score of its true class minus the largest of the
# other scores. Write it for `scores` with one row for each example, and `labels`, the numbers of
# the true classes. When is it positive?
# :::


# %% tags=["exercise"]
def margins_of(scores, labels):
    """For each row: the score of the true class minus the largest other one."""
    return np.zeros(len(labels))  # your lines instead


# %% tags=["check", "hide-input"]
table = np.array([[3.0, 1.0, 2.0], [0.0, 4.0, 1.0], [2.0, 2.5, -1.0]])
check("three examples", lambda: np.allclose(margins_of(table, [0, 2, 1]), [1.0, -3.0, 0.5]))
check("two classes", lambda: np.allclose(margins_of(table[:, :2], [0, 0, 1]), [2.0, -4.0, 0.5]))
check("the scores are left as they were", lambda: table[0, 0] == 3)

# %% [markdown]
# :::{solution-start} margins-many
# :::


# %% tags=["solution"]
def margins_of(scores, labels):
    """For each row: the score of the true class minus the largest other one."""
    rows = np.arange(len(labels))
    others = scores.copy()
    others[rows, labels] = -np.inf
    return scores[rows, labels] - others.max(axis=1)


# %% [markdown]
# It is positive exactly where `argmax` gives the true class.
# :::{solution-end}
# :::
