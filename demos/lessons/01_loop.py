# %% [markdown]
# # The loop: predict, measure, update
#
# How can a program tell a 3 from an 8, if nobody writes down what a 3 looks like?
#
# It learns from examples, by a loop of four parts. This page shows the whole loop, and the
# lessons after it look at each part closely.
#
# 1. **Data**: examples with their right answers, the **labels**.
# 2. **Prediction**: a formula, the **model**, turns an example into an answer. It contains numbers
#    that can be set, the **parameters**.
# 3. **Loss**: one number that says how bad the answers are. Smaller is better.
# 4. **Update**: each parameter is changed a little, so that the loss gets smaller. Then again
#    from 2.
#
# ## Data
#
# The data are images of digits, written by hand. An image has 8 times 8 pixels, so it is a list
# of 64 numbers, from 0 (no ink) to 1 (full ink). We call that list $x$. Its label $y$ is $-1$ for
# a 3, and $+1$ for an 8.

# %%
import numpy as np
from sklearn.datasets import load_digits

images, digits = load_digits(return_X_y=True)
chosen = (digits == 3) | (digits == 8)
x = images[chosen] / 16  # one image a row
y = np.where(digits[chosen] == 8, 1.0, -1.0)
print(f"{len(x)} images: {np.sum(y < 0)} of a 3, {np.sum(y > 0)} of an 8")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")


def picture(axes, numbers, title, **colors):
    """Show 64 numbers as an image."""
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    return axes.imshow(numbers.reshape(8, 8), **colors)


figure = plt.figure(figsize=(8, 2.2))
for i, axes in enumerate(figure.subplots(1, 6)):
    picture(axes, x[i], f"$y = {y[i]:+.0f}$", cmap="Greys", vmin=0, vmax=1)
plt.show()

# %% [markdown]
# :::{caption}
# The first six images and their labels.
#
# Six images of 8 times 8 grey pixels, in a row: the first, third and fifth show a 3, with the label
# minus 1; the second, fourth and sixth show an 8, with the label plus 1.
# :::
#
# :::{admonition} Predict
# :class: tip
# Which pixels tell a 3 from an 8? Where does ink speak for an 8?
# :::
#
# ## Prediction
#
# Each pixel gets a **weight** $w_j$: positive if ink there speaks for an 8, negative if it speaks
# for a 3. The **score** of an image is the sum of its pixels times their weights, plus one more
# number $b$, the **bias**:
#
# $$s = w_1 x_1 + w_2 x_2 + \dots + w_{64} x_{64} + b$$
#
# A positive score means 8, a negative one 3. So there are 65 parameters: 64 weights and the bias.
# We start with all of them at 0. Then each score is 0, and the program knows nothing.
#
# ## Loss
#
# How bad is a score? Let us ask for a score of $+1$ for each 8, and of $-1$ for each 3: the label
# itself. The loss of one image is then the square of the error, $(s - y)^2$, and the loss $L$ is
# the mean over all $N$ images, the **mean squared error**:
#
# $$L = \frac{1}{N} \sum_{i=1}^{N} (s_i - y_i)^2$$
#
# At the start each score is 0, each error is 1 or $-1$, and so the loss is 1.
#
# ## Update
#
# Take one parameter, and change it a little. By how much does the loss change, per unit of that
# change? This is the **slope** of the loss for that parameter. If it is positive, then a smaller
# parameter gives a smaller loss; if it is negative, a larger one does. So we always go against the
# slope:
#
# $$w_j \leftarrow w_j - \eta \cdot \text{slope for } w_j$$
#
# The number $\eta$ (eta) is the **learning rate**: it says how far we go. The slopes for all
# parameters together are the **gradient**. Nobody has to work it out: `tinygrad_edu` remembers each
# operation that led to the loss, and `backward` computes the gradient from them. ([A later
# lesson](11_backpropagation.py) shows how.)
#
# ## The whole loop

# %%
from tinygrad_edu import Tensor, optim

w = Tensor(np.zeros(64), requires_grad=True)
b = Tensor(0.0, requires_grad=True)
sgd = optim.SGD([w, b], lr=0.05)
history = []
for _ in range(200):
    scores = x @ w + b  # predict
    loss = np.mean((scores - y) ** 2)  # measure
    sgd.zero_grad()  # forget the gradient of the step before
    loss.backward()  # find the gradient
    sgd.step()  # update: each parameter minus lr times its slope
    history.append((loss.item(), np.mean(y * scores.data <= 0)))

for step in (0, 1, 10, 199):
    print(f"after {step:3} updates: loss {history[step][0]:.3f}, wrong {history[step][1]:.1%}")

# %% [markdown]
# Wherever a lesson trains a classifier, it has this loop in it, with these lines. `x @ w` takes
# each row of `x`, multiplies pixel by weight, and adds up: so it gives one number for each image. A
# `Tensor` holds numbers and remembers how they came about; `requires_grad=True` marks the
# parameters, for which `backward` is to find slopes. `SGD` is the name of a way to update
# (stochastic gradient descent), and `lr` is the learning rate. `scores.data` are the plain numbers
# of a `Tensor`.
#
# An answer is wrong if its score does not have the sign of the label. A score of 0 has no sign: so
# at the start, all answers count as wrong.

# %% tags=["hide-input"]
curves = np.array(history)
figure = plt.figure(figsize=(8, 3.6))
left, right = figure.subplots(1, 2)
left.plot(curves[:, 0])
left.set(xlabel="updates", ylabel="loss", ylim=(0, 1.05))
right.plot(100 * curves[:, 1], color="C1")
right.set(xlabel="updates", ylabel="wrong answers, percent", ylim=(0, 6))
plt.show()

# %% [markdown]
# :::{caption}
# The loss falls at each update. The share of wrong answers falls, too, but in jumps.
#
# Two curves over 200 updates. Left, the loss falls smoothly from 1, first steeply, then slowly, to
# 0.12. Right, the share of wrong answers drops at once from 100 percent, outside of the picture, to
# 4 percent, and then goes down in small steps to 1 percent.
# :::
#
# What did it learn? A weight for each pixel: so the weights can be seen as an image.

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 3))
left, right = figure.subplots(1, 2)
difference = x[y > 0].mean(axis=0) - x[y < 0].mean(axis=0)
for axes, numbers, title in ((left, w.data, "weights"), (right, difference, "mean 8 - mean 3")):
    size = np.abs(numbers).max()
    shown = picture(axes, numbers, title, cmap="RdBu_r", vmin=-size, vmax=size)
    figure.colorbar(shown, ax=axes)
plt.show()

# %% [markdown]
# :::{caption}
# Red weights: ink here speaks for an 8. Blue: for a 3. The 8 is closed at the left, the 3 is open.
#
# Two images of 8 times 8 coloured squares. Left, the weights: the strongest red ones lie left of
# the middle, where an 8 is closed and a 3 is open; blue ones lie around them. Right, the mean image
# of an 8 minus that of a 3: red in the same places.
# :::
#
# It found the left side of the 8 by itself. All that we told it were the labels and the loss.
#
# ## What to take away
#
# - To learn is to change parameters so that a loss gets smaller.
# - The gradient says, for each parameter, which way the loss grows. An update goes the other way.
# - The loss is what the loop sees. We care about wrong answers, but the loop never looked at them.
#   Why not? That takes the next lessons.
# - These are the images that it learned from. How it does on new ones is another question: the
#   next lesson keeps some images back to answer it.
#
# ## Exercises
#
# :::{exercise} Count the wrong answers
# :label: loop-count
#
# Write the share of wrong answers, for an array of scores and an array of labels. A score of 0
# counts as wrong.
# :::


# %% tags=["exercise"]
def share_wrong(scores, y):
    """The share of examples whose score does not have the sign of the label."""
    return 0.0  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

some_scores, some_labels = np.array([2.0, -1.0, 0.0, -0.5]), np.array([1, 1, 1, -1])
check("two of these four are wrong", lambda: share_wrong(some_scores, some_labels) == 0.5)
check("none is wrong if scores are labels", lambda: share_wrong(y, y) == 0)
check("at the start of the loop all are", lambda: share_wrong(np.zeros(len(y)), y) == 1)

# %% [markdown]
# :::{solution-start} loop-count
# :::


# %% tags=["solution"]
def share_wrong(scores, y):
    """The share of examples whose score does not have the sign of the label."""
    return np.mean(y * scores <= 0)


# %% [markdown]
# The product $y s$ is positive where both have the same sign. It gets a name two lessons on.
# :::{solution-end}
# :::
#
# :::{exercise} Another loss
# :label: loop-fourth
#
# Write a loss that takes the fourth power of each error, and not the square: the mean of
# $(s - y)^4$. Then `check_grads` proves the gradient that the engine finds for it: it nudges each
# score up and down, and compares.
# :::


# %% tags=["exercise"]
def fourth_power_loss(scores, y):
    """The mean of the fourth power of the errors."""
    return np.mean(0.0 * scores)  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu import grad
from tinygrad_edu.testing import check_grads

check("an error of 2 costs 16", lambda: fourth_power_loss(np.array([3.0]), np.array([1.0])) == 16)
check("errors of 2 and 0 cost 8", lambda: fourth_power_loss(np.array([3.0, 1]), np.ones(2)) == 8)
check("its slope for an error of 2 is 32", lambda: grad(fourth_power_loss)(3.0, 1.0) == 32)
check(
    "check_grads agrees with the engine",
    lambda: check_grads(lambda s: fourth_power_loss(s, some_labels), some_scores),
)

# %% [markdown]
# :::{solution-start} loop-fourth
# :::


# %% tags=["solution"]
def fourth_power_loss(scores, y):
    """The mean of the fourth power of the errors."""
    return np.mean((scores - y) ** 4)


# %% [markdown]
# Any formula of NumPy can be a loss, if it has slopes. This one cares more about large errors.
# :::{solution-end}
# :::
#
# :::{exercise} Break the loop
# :label: loop-break
#
# The learning rate above is 0.05. Find one for which the loss is *larger* after 50 updates than at
# the start. It need not be large: stay below 0.2. What do you see if you print the loss at each
# update?
# :::


# %% tags=["exercise"]
broken_lr = 0.05  # your number instead


# %% tags=["check", "hide-input"]
def losses_with(lr):
    """The loss before each of 50 updates."""
    w = Tensor(np.zeros(64), requires_grad=True)
    b = Tensor(0.0, requires_grad=True)
    sgd = optim.SGD([w, b], lr=lr)
    history = []
    for _ in range(50):
        scores = x @ w + b
        loss = np.mean((scores - y) ** 2)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        history.append(loss.item())
    return history


check("it is below 0.2", lambda: 0 < broken_lr < 0.2)
check("the loss grows", lambda: losses_with(broken_lr)[-1] > losses_with(broken_lr)[0])

# %% [markdown]
# :::{solution-start} loop-break
# :::

# %% tags=["solution"]
broken_lr = 0.1
print([f"{each:.2g}" for each in losses_with(broken_lr)[:12]])

# %% [markdown]
# The first updates lower the loss. But each step is too long: it goes past the lowest point, to a
# place that is higher on the other side, where the slope is steeper, and the next step is longer
# still. [Gradient descent](10_descent.py) computes the learning rate at which that begins.
# :::{solution-end}
# :::
#
# :::{exercise} Your own update
# :label: loop-update
#
# Do without `SGD`: write what `sgd.step()` does. Each parameter has its numbers in
# `parameter.data`, and after `backward` its slopes in `parameter.grad`. Then the loop runs with
# your function.
# :::


# %% tags=["exercise"]
def update(parameters, lr):
    """Move each parameter against its gradient."""
    for parameter in parameters:
        parameter.data -= 0.0  # your line instead


# %% tags=["check", "hide-input"]
def weights_after(steps):
    """The weights that your update leads to."""
    my_w = Tensor(np.zeros(64), requires_grad=True)
    my_b = Tensor(0.0, requires_grad=True)
    for _ in range(steps):
        loss = np.mean((x @ my_w + my_b - y) ** 2)
        my_w.zero_grad()
        my_b.zero_grad()
        loss.backward()
        update([my_w, my_b], 0.05)
    return my_w.data


check("something moves", lambda: np.any(weights_after(1)))
check("200 updates lead to the weights above", lambda: np.allclose(weights_after(200), w.data))

# %% [markdown]
# :::{solution-start} loop-update
# :::


# %% tags=["solution"]
def update(parameters, lr):
    """Move each parameter against its gradient."""
    for parameter in parameters:
        parameter.data -= lr * parameter.grad


# %% [markdown]
# This is all of plain gradient descent.
# :::{solution-end}
# :::
