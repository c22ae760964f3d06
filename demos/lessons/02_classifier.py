# %% [markdown]
# # A linear classifier on images
#
# An image is 64 numbers. How do they become one of ten digits?
#
# In [the loop](01_loop.py), one row of weights told a 3 from an 8. With ten digits, or **classes**,
# we take ten rows: each class $k$ has its own weights and its own bias, and so its own score. The
# class with the largest score is the answer. That is all of a **linear classifier**.
#
# This time we keep a quarter of the images back. They take no part in learning, so they can tell
# how well it reads digits that it has never seen.

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

images, digits = load_digits(return_X_y=True)
x, x_held, y, y_held = train_test_split(images / 16, digits, stratify=digits, random_state=0)
print(f"{len(x)} images to learn from, {len(x_held)} held back")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")


def picture(axes, numbers, title, **colors):
    """Show 64 numbers as an image."""
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    return axes.imshow(numbers.reshape(8, 8), **colors)


ink = {"cmap": "Greys", "vmin": 0, "vmax": 1}
means = np.array([x[y == k].mean(axis=0) for k in range(10)])
figure = plt.figure(figsize=(8, 3.6))
for k, axes in enumerate(figure.subplots(2, 5).flat):
    picture(axes, means[k], f"mean {k}", **ink)
plt.show()

# %% [markdown]
# :::{caption}
# The mean image of each digit: dark where nearly all writers put ink.
#
# Ten grey images in two rows, the mean of all images of each digit from 0 to 9. Each can be read,
# but is blurred. The 0 is a ring with a white hole in the middle.
# :::
#
# :::{admonition} Predict
# :class: tip
# Row 0 of the weights will be for the digit 0. Where will its weights be negative?
# :::
#
# ## What W and b are
#
# Put the ten rows of weights below each other: this is the matrix $W$, with one row for each class
# and one column for each pixel. The ten biases are the list $b$. Then the ten scores of an image
# $x$ are
#
# $$s = W x + b ,$$
#
# that is, for each class $k$,
#
# $$s_k = \sum_{j=1}^{64} W_{kj} x_j + b_k .$$
#
# | | shape | is |
# |---|---|---|
# | $x$ | 64 | an image: one number for each pixel |
# | $W$ | 10 by 64 | for each class and pixel: how much ink there speaks for that class |
# | $b$ | 10 | for each class: its score for an empty image |
# | $s$ | 10 | for each class: how much the image looks like it |
#
# In code all images are scored at once. Each is a row of `x`, so each row of `x @ W.T + b` has the
# ten scores of one image.
#
# ## Learning
#
# The loss is that of the loop: the mean squared error. We want a score of $+1$ for the class of the
# image, and of $-1$ for the nine others. (Later lessons find better losses. The loop stays.) The
# learning rate is ten times that of the loop, because the mean is now over ten scores for each
# image: each slope is ten times smaller.

# %%
from tinygrad_edu import Tensor, optim

wanted = np.where(y[:, np.newaxis] == np.arange(10), 1.0, -1.0)  # a row for each image
W = Tensor(np.zeros((10, 64)), requires_grad=True)
b = Tensor(np.zeros(10), requires_grad=True)
sgd = optim.SGD([W, b], lr=0.5)
for _ in range(300):
    scores = x @ W.T + b
    loss = np.mean((scores - wanted) ** 2)
    sgd.zero_grad()
    loss.backward()
    sgd.step()

scores_held = x_held @ W.data.T + b.data
answers = scores_held.argmax(axis=1)
accuracy = np.mean(answers == y_held)
print(f"loss {loss.item():.3f}; right on images held back: {accuracy:.1%}")

# %% [markdown]
# The share of right answers is called **accuracy**. One who guesses gets about 10%.
#
# ## What it has learned
#
# A row of $W$ has one weight for each pixel, so it can be seen as an image.

# %% tags=["hide-input"]
weights = W.data
largest = np.abs(weights).max()
colors = {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}
figure = plt.figure(figsize=(8, 3.6))
for k, axes in enumerate(figure.subplots(2, 5).flat):
    shown = picture(axes, weights[k], f"row {k}", **colors)
figure.colorbar(shown, ax=figure.axes, label="weight")
plt.show()

# %% [markdown]
# :::{caption}
# The rows of W. Ink on red raises the score of that digit, ink on blue lowers it.
#
# Ten images of 8 times 8 coloured squares, the rows of W. Row 0 is blue in the middle and red
# around it. The other rows mix red and blue, and are harder to read.
# :::
#
# A 0 has a hole, so ink in the middle speaks against it. A row of weights is no picture of its
# digit. It shows what tells this digit from the nine others. Pixels that never have ink, at the
# edges, keep weights of 0: no example says anything about them.
#
# To score an image is to lay it over a row, multiply pixel by pixel, and add. Here is an image that
# was held back, with the row of its digit.

# %% tags=["hide-input"]
image, digit = x_held[1], y_held[1]
products = image * weights[digit]
figure = plt.figure(figsize=(8, 3.2))
left, middle, right = figure.subplots(1, 3)
picture(left, image, f"image: a {digit}", **ink)
picture(middle, weights[digit], f"row {digit} of W", **colors)
picture(right, products, f"sum + b = {products.sum() + b.data[digit]:.2f}", **colors)
plt.show()

# %% [markdown]
# :::{caption}
# A score: each pixel times its weight, all added up, plus the bias.
#
# Three images of 8 times 8 squares: a handwritten 0 in grey; the row of W for that digit, red
# and blue; and the product of both, which has colour only where the image has ink, most of it red.
# :::
#
# On the page about [cross entropy](07_cross_entropy.py) you can draw digits of your own, and see
# how each pixel votes.

# %% [markdown]
# ## Why argmax
#
# The answer is the class of the largest score, the `argmax`.

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 3.4))
axes = figure.subplots()
bars = axes.bar(range(10), scores_held[1], color="C0")
bars[answers[1]].set(color="C1", hatch="//", edgecolor="white")
axes.bar_label(bars, fmt="{:.2f}")
axes.set(xlabel="class", ylabel="score", xticks=range(10), ylim=(-2.2, 1.5), axisbelow=True)
plt.show()

# %% [markdown]
# :::{caption}
# The ten scores of that image. The largest one, hatched, is the answer.
#
# A bar for each of ten classes. That of class 0, hatched and orange, is the only one above 0, at
# 0.36. All others reach down, to between minus 0.4 and minus 1.2.
# :::
#
# Why the largest, and not, say, each one above 0? Because an image has exactly one class, and there
# may be no score above 0, or two. Only the order of the scores matters for the answer: to add 5 to
# all ten scores, or to double them, changes no answer.
#
# :::{admonition} Predict
# :class: tip
# Take the same 64 pixels in another order, the same for all images: no person can read these. Will
# the classifier learn as well?
# :::

# %%
order = np.random.default_rng(0).permutation(64)
W_mixed = weights[:, order]
scores_mixed = x_held[:, order] @ W_mixed.T + b.data
print(f"largest difference of a score: {np.abs(scores_mixed - scores_held).max():.0e}")

# %% [markdown]
# If the weights move along with their pixels, each score is the same sum in another order. So the
# classifier reads mixed images as well as others: it does not know which pixels are neighbours.
#
# ## What to take away
#
# - One row of weights and one bias for each class; one score for each row; the largest wins.
# - A weight says how much ink at this pixel speaks for this class. A bias is the score of an empty
#   image.
# - `argmax` looks at the order of the scores only. How far they are apart is the subject of the
#   next lesson.
#
# ## Exercises
#
# :::{exercise} Count the parameters
# :label: classifier-count
#
# How many numbers does the loop above change at each update? And how many would there be for colour
# images of 32 times 32 pixels with three colours, and 100 classes?
# :::

# %% tags=["exercise"]
parameters_here = 0  # your number instead
parameters_of_colour_images = 0  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("here", lambda: parameters_here == W.size + b.size)
check("colour images", lambda: parameters_of_colour_images == (32 * 32 * 3 + 1) * 100)

# %% [markdown]
# :::{solution-start} classifier-count
# :::

# %% tags=["solution"]
parameters_here = 10 * 64 + 10
parameters_of_colour_images = 100 * (32 * 32 * 3) + 100

# %% [markdown]
# One weight for each class and each number of the image, and one bias for each class.
# :::{solution-end}
# :::
#
# :::{exercise} Scores without a matrix product
# :label: classifier-scores
#
# Write the scores of one image without `@`: go through the classes, and add up pixels times
# weights. `check_grads` then proves the slopes for the image, as it would for any formula.
# :::


# %% tags=["exercise"]
def scores_of(image, W, b):
    """The ten scores of an image, as a list."""
    return [0.0 * np.sum(image) for k in range(len(b))]  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

check("an empty image scores b", lambda: np.allclose(scores_of(0 * image, weights, b.data), b.data))
check("they are W x + b", lambda: np.allclose(scores_of(image, weights, b.data), scores_held[1]))
check(
    "check_grads agrees with the engine",
    lambda: check_grads(lambda x: np.stack(scores_of(x, weights, b.data)), image),
)

# %% [markdown]
# :::{solution-start} classifier-scores
# :::


# %% tags=["solution"]
def scores_of(image, W, b):
    """The ten scores of an image, as a list."""
    return [np.sum(W[k] * image) + b[k] for k in range(len(b))]


# %% [markdown]
# The slope of $s_k$ for pixel $j$ is $W_{kj}$: a little more ink there changes the score by the
# weight times that ink.
# :::{solution-end}
# :::
#
# :::{exercise} Break it with one number
# :label: classifier-break
#
# Change a single bias so that the classifier answers 7 for *every* image that was held back. Leave
# all weights as they are.
# :::

# %% tags=["exercise"]
broken_b = b.data.copy()
broken_b[7] += 0.0  # your number instead

# %% tags=["check", "hide-input"]
check("only one bias differs", lambda: np.sum(broken_b != b.data) == 1)
check(
    "every answer is 7",
    lambda: np.all((x_held @ weights.T + broken_b).argmax(axis=1) == 7),
)

# %% [markdown]
# :::{solution-start} classifier-break
# :::

# %% tags=["solution"]
broken_b = b.data.copy()
lead = scores_held.max(axis=1) - scores_held[:, 7]
broken_b[7] += lead.max() + 0.01
print(f"the largest lead over class 7 is {lead.max():.2f}")

# %% [markdown]
# A bias is added to the score of its class for every image. So it shifts all decisions between this
# class and the others at once. Any number above the largest lead will do.
# :::{solution-end}
# :::
#
# :::{exercise} Fool the classifier
# :label: classifier-fool
#
# Change an image a little, so that its answer becomes the digit `target`. Which change of the
# pixels raises the difference $s_\text{target} - s_\text{answer}$ the most, for its length? (The
# difference is itself a sum of pixels times weights: of which weights?) The length of a change is
# the square root of the sum of its squares.
# :::


# %% tags=["exercise"]
def fool(image, target):
    """A changed image that is read as the digit ``target``."""
    answer = (weights @ image + b.data).argmax()
    change = 0.0 * weights[answer]  # your lines instead
    return image + change


# %% tags=["check", "hide-input"]
def length(change):
    """The square root of the sum of squares."""
    return np.sqrt(np.sum(change**2))


def read(image):
    """The answer of the classifier."""
    return (weights @ image + b.data).argmax()


second = np.argsort(scores_held[1])[-2]
check("the answer is the target", lambda: read(fool(image, second)) == second)
check(
    "the image is changed by a third of its length at most",
    lambda: 0 < length(fool(image, second) - image) < length(image) / 3,
)

# %% [markdown]
# :::{solution-start} classifier-fool
# :::


# %% tags=["solution"]
def fool(image, target):
    """A changed image that is read as the digit ``target``."""
    scores = weights @ image + b.data
    answer = scores.argmax()
    direction = weights[target] - weights[answer]
    lead = scores[answer] - scores[target]
    return image + 1.01 * lead / np.sum(direction**2) * direction


print(f"changed by {length(fool(image, second) - image) / length(image):.0%} of its length")

# %% [markdown]
# $s_\text{target} - s_\text{answer}$ is a sum of pixels times the difference of two rows. A step
# along that difference changes it the most for its length; 1.01 makes it a little more than enough.
# :::{solution-end}
# :::
