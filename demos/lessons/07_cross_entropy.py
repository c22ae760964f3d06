# %% [markdown]
# # Cross entropy
#
# A classifier says "a 4, with probability 0.7", and it is a 4. What should that cost?
#
# [The last lesson](06_softmax.py) made probabilities of scores. Now we need a loss for them. Let
# $p_y$ be the probability that the classifier gives to the *true* class $y$. With softmax it is
# above 0, and at most 1. The loss of the example is
#
# $$\ell = -\log p_y .$$
#
# Why this one? If examples do not depend on each other, the probability of getting all labels right
# is the product of all these $p_y$. We want it as large as possible. The logarithm makes a sum of
# the product, and the minus makes it small where it was large. So the mean of $-\log p_y$ is a
# loss.

# %%
import numpy as np

p = np.linspace(0.005, 1, 400)
loss_of_p = -np.log(p)

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")

figure = plt.figure(figsize=(8, 4))
axes = figure.subplots()
axes.plot(p, loss_of_p)
for chance, name in ((0.5, "one of two: log 2"), (0.1, "one of ten: log 10")):
    cost = -np.log(chance)
    axes.plot([0, chance, chance], [cost, cost, 0], color="0.6", linestyle="--", linewidth=1.5)
    axes.plot(chance, cost, "o", color="C4")
    axes.annotate(f"{name} = {cost:.2f}", (chance + 0.02, cost + 0.1))
axes.set(
    xlabel="probability p of the true class", ylabel="loss, -log of it", xlim=(0, 1.02), ylim=(0, 5)
)
plt.show()

# %% [markdown]
# :::{caption}
# Sure and right costs nothing, sure and wrong costs without limit. Dots: a guess among two, or ten.
#
# A curve over the probability from 0 to 1. It comes down from beyond the top at the left, passes
# 2.30 at probability 0.1 and 0.69 at one half, both marked by dots, and reaches 0 at 1.
# :::
#
# A classifier that guesses among $K$ classes pays $\log K$. This is the number to beat. If a loss
# stays there, nothing has been learned.
#
# ## The formula
#
# With the one-hot row $t$ for the true class, and the row $p$ of all probabilities, $-\log p_y$ can
# be written as a sum over all classes. It is called the **cross entropy** of $t$ and $p$:
#
# $$H(t, p) = -\sum_{k=1}^{K} t_k \log p_k$$
#
# All terms but one are 0. (With the natural logarithm its unit is called **nat**.) The loss of a
# data set is the mean over its examples:
#
# $$L = -\frac{1}{N} \sum_{i=1}^{N} \sum_{k=1}^{K} t_{ik} \log p_{ik}$$

# %%
from tinygrad_edu import grad, losses
from tinygrad_edu.functional import logsumexp, one_hot, softmax

scores = np.array([[2.0, 1.0, -1.0], [0.5, 0.0, 1.5]])
labels = np.array([0, 1])
t = one_hot(labels, num_classes=3)
probabilities = softmax(scores)
each = -np.sum(t * np.log(probabilities), axis=1)
print("of each example:", each.round(4), "mean:", each.mean().round(4))
print("cross_entropy:  ", losses.cross_entropy(scores, labels).round(4))

# %% [markdown]
# `losses.cross_entropy` takes *scores*, and not probabilities. Inside, it does softmax and the
# logarithm in one step. This saves it from a trap: a tiny probability is rounded to 0, and
# $-\log 0$ is infinite.

# %%
far = np.array([1000.0, 0.0])
with np.errstate(divide="ignore"):
    in_two_steps = -np.log(softmax(far)[1])
print("in two steps:", in_two_steps, " in one:", losses.cross_entropy(far, 1))

# %% [markdown]
# ## Its slope is short
#
# :::{admonition} Predict
# :class: tip
# By how much does the loss of an example change, per unit of each score? For the true class the
# slope is negative: more score, less loss. When will it be nearly 0?
# :::
#
# By the formula of softmax, the loss of an example is
#
# $$\ell = -\log p_y = \log \sum_{j=1}^{K} e^{s_j} - s_y .$$
#
# The slope of the first term for $s_k$ is $e^{s_k} / \sum_j e^{s_j}$, which is $p_k$. That of $s_y$
# is 1 for the true class and 0 for all others, which is $t_k$. What is left is the probabilities
# minus the truth. (The round $\partial$ in place of $d$ says: the slope for $s_k$, where all other
# scores stay as they are.)
#
# $$\frac{\partial \ell}{\partial s_k} = p_k - t_k$$

# %%
slopes = grad(losses.cross_entropy)(scores, labels, reduction="sum")
print("the engine:\n", slopes.round(4))
print("p - t:\n", (probabilities - t).round(4))

# %% [markdown]
# So each class is pulled by its error. The slope for the true class is $p_y - 1$: nearly 0 if the
# classifier is sure and right, nearly $-1$ if it is sure and wrong. As with log loss, right but
# unsure still pays.
#
# :::{admonition} Predict
# :class: tip
# Three classes, and A is true, but B has the best score. Will a lower
# [temperature](06_softmax.py) make the loss smaller or larger? And once A has the best score?
# :::

# %% tags=["hide-input"]
from tinygrad_edu import explore
from tinygrad_edu.exploring import Bars, Curve, Dots, Plot, Points, Slider

line = np.linspace(-6, 6, 61)


def verdict(scores, temperature, true):
    """The true class is A, but B is ahead. What does that cost, and what pulls at the scores?"""
    label = "ABC".index(true)
    tempered = scores / temperature
    p = softmax(tempered)
    powers = np.exp(line / temperature - logsumexp(tempered))
    return {
        "loss (nats)": losses.cross_entropy(tempered, label),
        f"p of {true}": p[label],
        "scores": Plot(
            Curve(line, powers, "exp(s / T), divided by the sum", dashed=True),
            Dots(scores, p, drag="scores", labels="ABC"),
            title="From scores to probabilities",
            x="score s",
            y="probability p",
            xlim=(-6, 6),
            ylim=(0, 1.1),
        ),
        "slopes": Plot(
            Bars(p, "probability p", names="ABC", digits=2),
            Bars(grad(losses.cross_entropy)(tempered, label), "slope p - t", digits=2),
            title="The slope of the loss by s / T",
            ylim=(-1.2, 1.2),
        ),
    }


explore(
    verdict,
    scores=Points([1.0, 2.0, -1.0], -6, 6),
    temperature=Slider(0.1, 10.0, 1.0, log=True),
    true=["A", "B", "C"],
)

# %% [markdown]
# :::{caption}
# Three scores that can be dragged, their probabilities, the loss and its slopes.
#
# A page with two plots. Left, three dots A, B and C, at their scores and probabilities, on a curve
# that rises as a power of the score. Right, two bars for each class: its probability, and the slope
# of the loss. Only for the true class do they differ, by 1: that slope is below 0.
# :::
#
# Try this:
#
# - Lower the temperature to 0.1: sure and wrong. The loss is 10, and the slope of A is $-1$. Raise
#   it to 10: a guess among three, about $\log 3$.
# - Drag A until it is ahead of B. Now a low temperature makes the loss smaller.
# - Choose the true class anew: the probabilities stay, the slopes do not.
#
# The three slopes add up to 0: what the true class is pulled up, the others are pushed down.
#
# ## One loss, three names
#
# Take two classes with the labels $y = \pm 1$ and one score $s$, as in [the lesson on
# margins](03_margins.py). The probability of $+1$ is the sigmoid of $s$. Then $-\log p_y$ is
#
# $$-\log\frac{1}{1 + e^{-s}} = \log(1 + e^{-s}) \quad\text{for } y = +1,$$
#
# $$-\log\frac{1}{1 + e^{s}} = \log(1 + e^{s}) \quad\text{for } y = -1.$$
#
# Both are $\log(1 + e^{-m})$: it is the log loss of the margin. The same number has three names.

# %%
from tinygrad_edu.functional import sigmoid

s = np.array([2.0, -0.5, 0.1])
y = np.array([1, -1, -1])
is_plus = (y + 1) / 2  # 1 and 0 in place of +1 and -1
two_scores = np.stack([np.zeros(3), s], axis=1)  # the score of the class -1 is fixed at 0
three_names = {
    "log loss": losses.logistic(s, y),
    "binary cross entropy": losses.binary_cross_entropy(sigmoid(s), is_plus),
    "cross entropy of two classes": losses.cross_entropy(two_scores, is_plus.astype(int)),
}
for name, value in three_names.items():
    print(f"{name:30} {value:.6f}")

# %% [markdown]
# ## Digits again
#
# The classifier of [lesson 2](02_classifier.py) was trained by the squared error. Here is the same
# classifier, with the same loop and the same number of updates, trained by cross entropy.

# %%
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tinygrad_edu import Tensor, optim

images, digits = load_digits(return_X_y=True)
x, x_held, y, y_held = train_test_split(images / 16, digits, stratify=digits, random_state=0)
W = Tensor(np.zeros((10, 64)), requires_grad=True)
b = Tensor(np.zeros(10), requires_grad=True)
sgd = optim.SGD([W, b], lr=0.5)
history = []
for _ in range(300):
    loss = losses.cross_entropy(x @ W.T + b, y)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    history.append(loss.item())

scores_held = x_held @ W.data.T + b.data
accuracy = np.mean(scores_held.argmax(axis=1) == y_held)
print(f"first loss {history[0]:.4f}, log 10 = {np.log(10):.4f}, last loss {history[-1]:.3f}")
print(f"right on images held back: {accuracy:.1%}")

# %% tags=["hide-input"]
p_held = softmax(scores_held)
read = p_held.argmax(axis=1)
sure = p_held.max(axis=1)
wrong = np.flatnonzero(read != y_held)
surest_first = wrong[np.argsort(-sure[wrong])]
worst = surest_first[:5]
figure = plt.figure(figsize=(8, 2.5))
for axes, i in zip(figure.subplots(1, 5), worst, strict=True):
    axes.imshow(x_held[i].reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[], title=f"read {read[i]}: {sure[i]:.2f}")
    axes.set_xlabel(f"is {y_held[i]}: {p_held[i, y_held[i]]:.2f}")
plt.show()

# %% [markdown]
# :::{caption}
# The five most confident mistakes on images held back: the class that was read, and the true one,
# each with its probability.
#
# Five grey images of handwritten digits that are hard to read. Above each is the wrong answer with
# a probability above one half, below it the true digit with a smaller probability.
# :::
#
# At first each class has probability 1/10, and the loss is $\log 10$. And now we can say for each
# image how sure the classifier is.
#
# A score is a sum over the pixels, of ink times weight. So each pixel has a **vote** for each
# digit, and we can look for the pixels that made a mistake. Here is the first of these five, a 6
# that was read as a 1. Change it, or press Clear and draw digits of your own.
#
# :::{admonition} Predict
# :class: tip
# How many pixels have to lose their ink until the answer is 6?
# :::

# %% tags=["hide-input"]
from tinygrad_edu.exploring import Image, Pixels

W_short, b_short = W.data.round(3), b.data.round(3)
classes = np.arange(10)
first = worst[0]


def reading(image, digit):
    """A wrong answer. Which pixels voted for it, and which have to change?"""
    x = np.reshape(image, 64)
    scores = W_short @ x + b_short
    is_best = scores == np.max(scores)
    row = np.where(classes == digit, 1.0, 0.0) @ W_short
    return {
        "answer": np.max(np.where(is_best, classes, 0)),
        "its probability": np.max(softmax(scores)),
        "votes": Plot(
            Image(np.reshape(row * x, (8, 8)), "votes", low=-2, high=2, diverging=True),
            title="Each pixel votes on the digit",
            square=True,
        ),
        "scores": Plot(Bars(scores, names=classes, digits=1), title="Ten scores", ylim=(-9, 9)),
        "probabilities": Plot(
            Bars(softmax(scores), names=classes, digits=2), title="Ten probabilities", ylim=(0, 1.1)
        ),
    }


explore(
    reading,
    image=Pixels(x_held[first].reshape(8, 8)),
    digit=Slider(0, 9, read[first], step=1),
)

# %% [markdown]
# :::{caption}
# Draw a digit: the classifier reads it, and each pixel votes. Orange is for the digit, blue against
# it.
#
# A page with a drawing of 8 times 8 pixels, a slider for one of ten digits, and three plots: the
# votes of the pixels for that digit as colours, the ten scores as bars, and the ten probabilities.
# :::
#
# Try this:
#
# - Press Erase, and take away the two pixels with the most votes for 1. Move the slider to 6: how
#   did they vote there?
# - Clear, and draw a large 0, as a ring. Then put ink into its hole.
# - Clear, and draw a line from the top to the bottom in the fifth column: a 1. Clear, and draw it
#   in the third column: the classifier knows places, and no shapes.
#
# The scores of a linear classifier are no more than this: one vote for each pixel, added up.
#
# ## What to take away
#
# - Cross entropy is the mean of $-\log p_y$, for the true classes: 0 for sure and right, $\log K$
#   for a guess among $K$, without limit for sure and wrong.
# - Its slope by the scores is $p - t$.
# - Log loss, binary cross entropy and cross entropy of two classes are one loss.
# - Give it scores, and no probabilities.
#
# ## Exercises
#
# :::{exercise} The number to beat
# :label: cross-entropy-guess
#
# A classifier for 1000 classes has just been started, with all weights 0. What is its loss? And
# which probability of the true class does a loss of 0.01 stand for?
# :::

# %% tags=["exercise"]
first_loss_of_1000 = 0.0  # your number instead
probability_at_a_hundredth = 0.0  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("1000 classes", lambda: np.isclose(first_loss_of_1000, np.log(1000), atol=1e-3))
check("a loss of 0.01", lambda: np.isclose(-np.log(probability_at_a_hundredth or 1), 0.01))

# %% [markdown]
# :::{solution-start} cross-entropy-guess
# :::

# %% tags=["solution"]
first_loss_of_1000 = np.log(1000)
probability_at_a_hundredth = np.exp(-0.01)

# %% [markdown]
# A first loss that is far from $\log K$ is a sign of a mistake in the program.
# :::{solution-end}
# :::
#
# :::{exercise} Cross entropy by hand
# :label: cross-entropy-write
#
# Write the mean cross entropy for a table of scores and an array of labels, from NumPy alone, so
# that no score makes it overflow. (With the largest score subtracted, $-\log p_y = \log \sum_j
# e^{s_j} - s_y$.) `check_grads` proves the slopes that the engine finds for it.
# :::


# %% tags=["exercise"]
def my_cross_entropy(scores, labels):
    """The mean of -log p of the true class."""
    return np.mean(0.0 * scores)  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

table = np.array([[0.5, 0.0, 1.5], [2.0, 1.0, -1.0], [1.0, 1.0, 1.0]])
check(
    "it is cross_entropy",
    lambda: np.isclose(my_cross_entropy(table, [1, 0, 2]), losses.cross_entropy(table, [1, 0, 2])),
)
check("a score of 1000", lambda: my_cross_entropy(np.array([[1000.0, 0.0]]), [1]) == 1000)
check("check_grads agrees", lambda: check_grads(lambda s: my_cross_entropy(s, [1, 0, 2]), table))

# %% [markdown]
# :::{solution-start} cross-entropy-write
# :::


# %% tags=["solution"]
def my_cross_entropy(scores, labels):
    """The mean of -log p of the true class."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return np.mean(log_sum - shifted[np.arange(len(labels)), labels])


# %% [markdown]
# The sum of powers is at least 1, because one of them is $e^0$: so its logarithm is never taken
# of 0.
# :::{solution-end}
# :::
#
# :::{exercise} Break it with probabilities
# :label: cross-entropy-twice
#
# A common mistake is to apply softmax, and then give the probabilities to `cross_entropy`, which
# applies softmax again. Even a perfect classifier, whose probabilities are exactly one-hot, then
# has a loss. What is the lowest loss that is left for 10 classes?
# :::

# %% tags=["exercise"]
lowest_loss_of_softmax_twice = 0.0  # your number instead

# %% tags=["check", "hide-input"]
perfect = one_hot([3], num_classes=10)
with np.errstate(all="ignore"):
    loss_left = -np.log(softmax(perfect)[0, 3])
check("what is left", lambda: np.isclose(lowest_loss_of_softmax_twice, loss_left, atol=1e-3))

# %% [markdown]
# :::{solution-start} cross-entropy-twice
# :::

# %% tags=["solution"]
lowest_loss_of_softmax_twice = -np.log(np.e / (np.e + 9))
print(f"{lowest_loss_of_softmax_twice:.4f}")

# %% [markdown]
# The scores are now 1 and nine times 0. Training goes on, slowly, and never gets below this number.
# `tinygrad_edu` warns if scores look like probabilities.
# :::{solution-end}
# :::
#
# :::{exercise} Training without an engine
# :label: cross-entropy-by-hand
#
# The slope by the scores is $p - t$. The score $s_k$ of an image is $\sum_j W_{kj} x_j + b_k$. So
# what is the slope of the mean loss for $W_{kj}$? Write the gradient for `W` (10 rows of 64) and
# for `b` (10 numbers).
# :::


# %% tags=["exercise"]
def gradient_by_hand(W, b, x, y):
    """The gradient of the mean cross entropy by W and by b."""
    return 0.0 * W, 0.0 * b  # your lines instead


# %% tags=["check", "hide-input"]
def mean_loss(W, b):
    """The mean cross entropy of all images to learn from."""
    return losses.cross_entropy(x @ W.T + b, y)


W_some = 0.1 * np.random.default_rng(0).normal(size=(10, 64))
b_some = np.arange(10.0)
by_engine = grad(mean_loss, argnums=(0, 1))(W_some, b_some)
check("b", lambda: np.allclose(gradient_by_hand(W_some, b_some, x, y)[1], by_engine[1]))
check("W", lambda: np.allclose(gradient_by_hand(W_some, b_some, x, y)[0], by_engine[0]))

# %% [markdown]
# :::{solution-start} cross-entropy-by-hand
# :::


# %% tags=["solution"]
def gradient_by_hand(W, b, x, y):
    """The gradient of the mean cross entropy by W and by b."""
    error = softmax(x @ W.T + b) - one_hot(y, num_classes=len(b))
    return error.T @ x / len(x), error.mean(axis=0)


# %% [markdown]
# A weight changes its score by the ink of its pixel, so the slope for $W_{kj}$ is the mean of
# $(p_k - t_k)\,x_j$ over the images. The images in which pixel $j$ is empty have no say.
# :::{solution-end}
# :::
