# %% [markdown]
# # Mini-batches
#
# A loss is the mean over all examples. Must each step really look at all of them?
#
# The gradient of a mean is the mean of the gradients. Who wants to know a mean need not ask
# everybody: a sample will do. **Stochastic gradient descent** (SGD) takes a **mini-batch**, a few
# examples drawn at random, and steps against the mean of their gradients. One such step is an
# **update** of the weights, and a pass through all examples is an **epoch**. Here are the 1,797
# scans of digits, 64 pixels each, and a linear classifier with the weights `W`.
#
# :::{admonition} Predict
# :class: tip
# A batch of 64 images instead of 16: how much nearer is its gradient to that of all images?
# :::

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from tinygrad_edu import Tensor, data, grad, losses, optim

x, y = load_digits(return_X_y=True)
x = x / 16  # each pixel from 0 to 1
N = len(x)
gradient = grad(lambda w, x, y: losses.cross_entropy(x @ w.T, y))

# %% tags=["hide-input"]
plt.style.use("tinygrad_edu.figures")

start = np.zeros((10, 64))
full = gradient(start, x, y)
rng = np.random.default_rng(0)
sizes = 2 ** np.arange(8)
noise = []
for size in sizes:
    distances = []
    for _ in range(100):
        rows = rng.choice(N, size, replace=False)
        distances.append(np.linalg.norm(gradient(start, x[rows], y[rows]) - full))
    noise.append(np.sqrt(np.mean(np.square(distances))))
axes = plt.figure().subplots()
axes.loglog(sizes, noise[0] / np.sqrt(sizes), color="0.6", label="noise of one image / √B")
axes.loglog(sizes, noise, "o", color="C0", markersize=9, label="measured noise")
axes.axhline(np.linalg.norm(full), color="C1", linestyle="--", label="length of the full gradient")
axes.set(xlabel="batch size B (images)", ylabel="distance from the full gradient")
axes.set_yticks([0.3, 1, 3], ["0.3", "1", "3"])
axes.set_xticks(sizes, sizes)
axes.minorticks_off()
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Four times the images, half the noise. With one image, the noise is longer than the gradient.
#
# Points for batches of 1 to 128 images on logarithmic axes. They lie on a straight line that falls
# by half for four times the images. It crosses the length of the full gradient near 64 images.
# :::

# %% [markdown]
# The picture shows, for each batch size $B$, how far the gradients of 100 batches are from the
# **full gradient**, that of all images. The mean of $B$ independent numbers spreads as
#
# $$\frac{1}{\sqrt{B}}$$
#
# So half the noise takes four times the work. On average a batch is right: it errs in all
# directions alike.
#
# ## The loop
#
# This is [the loop](01_loop.py) again, with a batch in the place of all examples: compute the loss
# of the batch, forget the last gradient, go backward, step. `data.minibatches` gives the batches of
# an epoch, in another random order each time.

# %%
import itertools
import math


def train(batch_size, lr, updates):
    """The loss of all images, after so many updates from weights of zero."""
    rng = np.random.default_rng(0)
    W = Tensor(np.zeros((10, 64)), requires_grad=True)
    sgd = optim.SGD([W], lr=lr)
    epoch = data.minibatches(x, y, batch_size=batch_size, rng=rng)
    epochs = itertools.chain.from_iterable(itertools.repeat(epoch))  # one after the other
    for x_batch, y_batch in itertools.islice(epochs, updates):
        loss = losses.cross_entropy(x_batch @ W.T, y_batch)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return losses.cross_entropy(x @ W.data.T, y)


# %% [markdown]
# Now compare batch sizes. To be fair, each one gets its own learning rate: the best of four. For
# with more noise, smaller steps are better. We compare after the same number of updates, and after
# the same number of images seen.
#
# :::{admonition} Predict
# :class: tip
# Which batch size has the lowest loss after 100 updates? And which after one epoch?
# :::

# %%
batch_sizes = [1, 8, 32, 64, 128, N]
rates = [0.1, 0.3, 1.0, 3.0]
same_updates = {}
same_images = {}
best_rate = {}
print("batch | after 100 updates | after 1 epoch | updates | its learning rate")
for size in batch_sizes:
    updates = math.ceil(N / size)  # those of an epoch; the last batch may be smaller
    same_updates[size] = min(train(size, lr, 100) for lr in rates)
    after_epoch = [train(size, lr, updates) for lr in rates]
    same_images[size] = min(after_epoch)
    best_rate[size] = rates[after_epoch.index(min(after_epoch))]
    print(f"{size:5} | {same_updates[size]:17.3f} | {same_images[size]:13.3f} ", end="")
    print(f"| {updates:7} | {best_rate[size]:6}")

# %% tags=["hide-input"]
axes = plt.figure().subplots()
axes.plot(batch_sizes, same_updates.values(), "s--", color="C1", label="after 100 updates")
axes.plot(batch_sizes, same_images.values(), "o-", color="C0", label="after 1 epoch")
axes.set(xscale="log", ylim=(0, None))
axes.set(xlabel="batch size (images)", ylabel="loss of all images (nats)")
axes.set_xticks(batch_sizes, batch_sizes)
axes.minorticks_off()
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Update by update, larger batches are better, up to a point. Image by image, small ones are.
#
# Two curves over the batch size, on a logarithmic axis. The loss after 100 updates falls steeply up
# to 32 images, and no more. The loss after one epoch rises with the batch size, all the way.
# :::

# %% [markdown]
# Update by update, a larger batch is better, for its gradient is. But from 32 on there is nothing
# to gain here: a good estimate is nearly as good as the truth. Image by image, small batches win,
# for they make more updates of the same images.
#
# ## Time and memory
#
# So why not single images? Because an update has a fixed cost, whatever the batch, and because
# hardware computes many images side by side. And why not as large as possible? Because the backward
# pass uses what the forward pass computed: that stays in memory, for each image of the batch. We
# measure both, on the machine that made this page.
#
# The model is a **neural network** with one hidden layer: two linear maps, one after the other. The
# first makes 128 numbers of the 64 pixels, the **hidden layer**, and the second makes ten scores of
# those. Between them stands `relu`, which sets negative numbers to 0. (Without it, both maps
# together would be no more than one linear map.) `nn.Linear` holds the weights and the biases of
# one map.

# %%
import timeit
import tracemalloc

from tinygrad_edu import nn
from tinygrad_edu.functional import relu

network = nn.Sequential(nn.Linear(64, 128, rng=0), relu, nn.Linear(128, 10, rng=1))


def one_update(size):
    """The work of one update, without the step."""
    loss = losses.cross_entropy(network(x[:size]), y[:size])
    for parameter in network.parameters():
        parameter.zero_grad()
    loss.backward()


memory = {}
microseconds = {}
for size in batch_sizes:
    one_update(size)
    seconds = min(timeit.repeat(lambda size=size: one_update(size), number=3, repeat=5)) / 3
    microseconds[size] = 1e6 * seconds / size
    tracemalloc.start()  # counts the bytes of the arrays made from here on
    one_update(size)
    memory[size] = tracemalloc.get_traced_memory()[1]  # at the peak
    tracemalloc.stop()
    print(f"batch {size:4}: {microseconds[size]:6.1f} µs an image, {memory[size] / 1e6:5.2f} MB")

# %% tags=["hide-input"]
left, right = plt.figure(figsize=(8, 3.8)).subplots(1, 2)
left.loglog(batch_sizes, microseconds.values(), "o-", color="C0")
left.set(xlabel="batch size (images)", ylabel="time for an image (µs)")
right.loglog(batch_sizes, np.array(list(memory.values())) / 1e6, "s--", color="C1")
right.set(xlabel="batch size (images)", ylabel="memory of an update (MB)")
plt.show()

# %% [markdown]
# :::{caption}
# Larger batches take less time for each image, until the hardware is busy, and more memory. Very
# large ones may even be slower, where their values no longer fit into the processor's cache.
#
# Left, the time for an image over the batch size, on logarithmic axes: it falls steeply up to
# about 64 images.
# Right, the memory: level at first, for the weights' own gradients, and then a rising line.
# :::

# %% [markdown]
# How to choose, on a graphics card as on a laptop:
#
# - Begin with 32 or 64. (Powers of two suit the hardware.)
# - Double it while the time for an image still falls, and while the memory lasts. Memory holds the
#   weights, their gradients, what the **optimizer** (here SGD) keeps, such as the velocities of
#   momentum, and the values of all layers **times the batch size**.
# - After each change of the batch size, search the learning rate anew. A larger batch often bears
#   a larger one, up to the limit of [gradient descent](10_descent.py).
# - Where a batch does not fit into memory, compute its gradient in parts: the last exercise.
#
# ## What to take away
#
# - A mini-batch is right on average; its noise falls as $1 / \sqrt{B}$.
# - Few images an update: many updates, noisy. Many: quiet, few and expensive.
# - 32, 64 or 128 is a compromise with the hardware; the learning rate belongs to it.
#
# ## Exercises
#
# :::{exercise} Updates
# :label: minibatches-updates
#
# How many updates has an epoch of `examples` images, if the last batch may be smaller?
# :::


# %% tags=["exercise"]
def updates_per_epoch(examples, batch_size):
    """The number of batches."""
    return examples // batch_size  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("64 images in batches of 32", lambda: updates_per_epoch(64, 32) == 2)
check("65 images in batches of 32", lambda: updates_per_epoch(65, 32) == 3)
check("one batch for all", lambda: updates_per_epoch(20, 32) == 1)

# %% [markdown]
# :::{solution-start} minibatches-updates
# :::


# %% tags=["solution"]
def updates_per_epoch(examples, batch_size):
    """The number of batches."""
    return (examples + batch_size - 1) // batch_size


# %% [markdown]
# The quotient, rounded up. (`math.ceil(examples / batch_size)` does it, too.)
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} What fits
# :label: minibatches-memory
#
# A network keeps `values` numbers for each image of a batch, and `weights` numbers three times:
# themselves, their gradients, and the velocities of momentum. A number takes 4 bytes. What is the
# largest power of two that fits into `budget` bytes, as a batch size?
# :::


# %% tags=["exercise"]
def largest_batch(budget, weights, values):
    """The largest batch size, a power of two, that fits."""
    return 1  # your lines instead


# %% tags=["check", "hide-input"]
check("exactly 64", lambda: largest_batch(4 * (3 * 1000 + 64 * 50), 1000, 50) == 64)
check("one byte less", lambda: largest_batch(4 * (3 * 1000 + 64 * 50) - 1, 1000, 50) == 32)
check("8 GB, 25 million weights", lambda: largest_batch(8e9, 25e6, 10e6) == 128)

# %% [markdown]
# :::{solution-start} minibatches-memory
# :::


# %% tags=["solution"]
def largest_batch(budget, weights, values):
    """The largest batch size, a power of two, that fits."""
    size = 1
    while 4 * (3 * weights + 2 * size * values) <= budget:
        size = 2 * size
    return size


# %% [markdown]
# It doubles as long as the double fits. In the last check, nearly all memory is for the values of
# the layers: the weights are not the problem.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: the order of the data
# :label: minibatches-order
#
# A batch is a fair sample only if it is drawn at random. Give an order of the images (a permutation
# of 0 to 1796) in which one epoch without shuffling, in batches of 64, ends with more than half of
# the images read wrong.
# :::

# %% tags=["exercise"]
order = np.random.default_rng(1).permutation(N)  # your order instead


# %% tags=["check", "hide-input"]
def accuracy_after(order):
    """The share of images read right after one epoch in this order."""
    W = Tensor(np.zeros((10, 64)), requires_grad=True)
    sgd = optim.SGD([W], lr=1.0)
    for x_batch, y_batch in data.minibatches(x[order], y[order], batch_size=64, shuffle=False):
        loss = losses.cross_entropy(x_batch @ W.T, y_batch)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return np.mean((x @ W.data.T).argmax(axis=1) == y)


check("each image comes once", lambda: np.array_equal(np.sort(order), np.arange(N)))
check("most images are read wrong", lambda: accuracy_after(order) < 0.5)

# %% [markdown]
# :::{solution-start} minibatches-order
# :::

# %% tags=["solution"]
order = np.argsort(y, kind="stable")

# %% [markdown]
# Sorted by digit: all zeros, then all ones. Each batch pulls towards its own digit, and the last
# ones are remembered. Files are often sorted like that, so `minibatches` shuffles unless told not
# to.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} A batch that does not fit
# :label: minibatches-parts
#
# Compute the mean cross entropy of all images in parts of `size` images, so that no step sees more
# of them at once. The last part may be smaller. The slopes must be those of the whole.
# :::


# %% tags=["exercise"]
def loss_in_parts(W, x, y, size):
    """The mean cross entropy, from parts of some size."""
    total = 0.0
    for begin in range(0, len(x), size):
        part = losses.cross_entropy(x[begin : begin + size] @ W.T, y[begin : begin + size])
        total = total + part  # your lines instead
    return total


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

some = np.random.default_rng(2).normal(size=(10, 64))


def in_parts(W):
    """The loss of 50 images in parts of 16."""
    return loss_in_parts(W, x[:50], y[:50], 16)


check(
    "the loss is that of the whole",
    lambda: np.isclose(in_parts(some), losses.cross_entropy(x[:50] @ some.T, y[:50])),
)
check(
    "the gradient, too", lambda: np.allclose(grad(in_parts)(some), gradient(some, x[:50], y[:50]))
)
check("differences agree", lambda: check_grads(in_parts, some, order=1))

# %% [markdown]
# :::{solution-start} minibatches-parts
# :::


# %% tags=["solution"]
def loss_in_parts(W, x, y, size):
    """The mean cross entropy, from parts of some size."""
    total = 0.0
    for begin in range(0, len(x), size):
        x_part, y_part = x[begin : begin + size], y[begin : begin + size]
        part = losses.cross_entropy(x_part @ W.T, y_part)
        total = total + part * len(x_part) / len(x)
    return total


# %% [markdown]
# Each mean counts as often as it has images. In a training loop, call `backward` on each part: the
# gradients add up in `W.grad`, and the memory of a part is free before the next one begins.
# :::{solution-end}
# :::
