# %% [markdown]
# # A linear classifier on images
#
# A matrix learns to read digits: ten rows of weights, ten scores, and the largest one wins.
#
# An image of 8 times 8 pixels is a list `x` of 64 numbers, from 0 (no ink) to 1 (full ink). A
# linear classifier gives it ten scores, one for each digit: `scores = W x + b`. The matrix `W` has
# a row for each digit, and in it a weight for each pixel; `b` has a number for each digit. We begin
# with zeros everywhere. A quarter of the images is held out: they take no part in learning.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tinygrad_edu import Tensor, data, draw, losses, optim
from tinygrad_edu.functional import softmax

plt.style.use("tinygrad_edu.figures")

pixels, digits = load_digits(return_X_y=True)
x, x_held, y, y_held = train_test_split(pixels / 16, digits, stratify=digits, random_state=0)
W = Tensor(np.zeros((10, 64)), requires_grad=True)
b = Tensor(np.zeros(10), requires_grad=True)

images = x[:3]
scores = images @ W.T + b  # each image is a row, and so are its scores
loss = losses.cross_entropy(scores, y[:3])
print(f"{len(x)} images to learn from, {len(x_held)} held out; first loss {loss.item():.4f}")
draw(loss, names=locals(), collapse=True)

# %% [markdown]
# :::{caption}
# The graph for three images. Shapes are in brackets: three rows of pixels, and of scores.
#
# The graph for three images. Shapes are in brackets: three rows of pixels, and of scores.
# :::

# %% [markdown]
# Cross entropy makes ten probabilities of the ten scores, by `softmax`, and takes `-log p` of the
# true digit. At first each digit has probability 1/10, so the loss is log 10. Stochastic gradient
# descent takes a mini-batch of 32 images, finds the gradient of their mean loss, and moves `W` and
# `b` a little against it; then the next 32. A pass through all images is an epoch.

# %%
rng = np.random.default_rng(0)
sgd = optim.SGD([W, b], lr=0.3)
for epoch in range(1, 21):
    for x_batch, y_batch in data.minibatches(x, y, batch_size=32, rng=rng):
        sgd.zero_grad()
        losses.cross_entropy(x_batch @ W.T + b, y_batch).backward()
        sgd.step()
    if epoch in (1, 5, 20):
        print(f"epoch {epoch:2}: loss {losses.cross_entropy(x @ W.T + b, y).item():.3f}")

# %% [markdown]
# A row of `W` has a weight for each pixel, so it can be seen as an image. Ink where the weight is
# positive (red) raises the score of that digit; where it is negative (blue), ink lowers it. A 0 has
# a hole: ink in the middle speaks against it. A pixel that never has ink keeps weights of 0. The
# ten weights of a pixel add up to 0: what speaks for one digit speaks against others.


# %%
def picture(axes, row, title, **colors):
    """Show 64 numbers as an image."""
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    return axes.imshow(row.reshape(8, 8), **colors)


ink, weights = {"cmap": "Greys", "vmin": 0, "vmax": 1}, W.data
colors = {"cmap": "RdBu_r", "vmin": -abs(weights).max(), "vmax": abs(weights).max()}
figure = plt.figure(figsize=(8, 4))
for k, axes in enumerate(figure.subplots(2, 5).flat):
    shown = picture(axes, weights[k], f"{k}", **colors)
figure.colorbar(shown, ax=figure.axes, label="weight: ink here speaks\nfor (+) or against (-)")
plt.show()

# %% [markdown]
# :::{caption}
# The rows of W as images: ink on red raises the score.
#
# The rows of W as images: ink on red raises the score.
# :::

# %% [markdown]
# To score an image is to lay it over each of these, multiply pixel by pixel, and add. Here is one
# of the images held out, with the row of its digit.

# %%
image, digit = x_held[0], y_held[0]
products = image * weights[digit]
figure = plt.figure(figsize=(8, 3.3))
left, middle, right = figure.subplots(1, 3)
picture(left, image, f"image: a {digit}", **ink)
picture(middle, weights[digit], f"row {digit} of W", **colors)
picture(right, products, f"products, sum + b: {products.sum() + b.data[digit]:.2f}", **colors)
plt.show()

# %% [markdown]
# :::{caption}
# A score: each pixel times its weight, all added up.
#
# A score: each pixel times its weight, all added up.
# :::

# %%
scores = x_held @ weights.T + b.data
probabilities = softmax(scores)
for k in range(10):
    print(f"digit {k}: score {scores[0, k]:5.2f}, probability {probabilities[0, k]:.3f}")

# %% [markdown]
# Which digit is it? That of the highest probability: to choose it is to be wrong least often, if
# the probabilities are right. Softmax keeps the order of the scores, so it is also that of the
# highest score, its `argmax`. How often is it the true digit, on images held out from learning?

# %%
read = scores.argmax(axis=1)
accuracy = np.mean(read == y_held)
wrong = np.flatnonzero(read != y_held)
print(f"accuracy {accuracy:.3f}: {len(wrong)} mistakes on {len(x_held)} images")
worst = wrong[np.argsort(-probabilities[wrong, read[wrong]])][:5]
figure = plt.figure(figsize=(8, 2.4))
for axes, i in zip(figure.subplots(1, 5), worst, strict=True):
    picture(axes, x_held[i], f"read {read[i]} ({probabilities[i, read[i]]:.2f})", **ink)
    axes.set_xlabel(f"is {y_held[i]} ({probabilities[i, y_held[i]]:.2f})")
plt.show()

# %% [markdown]
# :::{caption}
# The five most confident mistakes, with probabilities.
#
# The five most confident mistakes, with probabilities.
# :::

# %% [markdown]
# What to remember: one row of weights for each digit, one score for each row, the largest wins.
