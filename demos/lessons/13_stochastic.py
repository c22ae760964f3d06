# %% [markdown]
# # Mini-batches
#
# Mini-batches: what a noisy gradient costs, and what it saves.
#
# A loss is the mean over all examples, and so is its gradient: a step must look at every example.
# **Stochastic gradient descent** looks at a few of them, a **mini-batch** drawn at random, and
# takes the mean of their gradients: right on average, but noisy. What does that cost, and what does
# it buy? We use 1,797 scans of digits, 64 pixels each, and a linear model: ten scores `x @ w.T`,
# cross entropy, and weights that start at 0.
#
# First the noise. For each batch size B we draw 100 batches, and measure how far their gradients
# are from the full gradient: the root of the mean squared distance. The mean of B independent
# numbers spreads 1/√B times as far as one. On logarithmic axes that is a line of slope -1/2.

# %%
import math
import timeit
import tracemalloc
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from tinygrad_edu import data, grad, losses

plt.style.use("tinygrad_edu.figures")

x, y = load_digits(return_X_y=True)
x, N, start = x / 16, len(x), np.zeros((10, 64))
gradient = grad(lambda w, images, digits: losses.cross_entropy(images @ w.T, digits))
rng, full = np.random.default_rng(0), gradient(start, x, y)
sizes, noise = 2 ** np.arange(8), []
for size in sizes:
    batches = [rng.choice(N, size, replace=False) for _ in range(100)]
    distances = [np.linalg.norm(gradient(start, x[rows], y[rows]) - full) for rows in batches]
    noise.append(np.sqrt(np.mean(np.square(distances))))
slope = np.polyfit(np.log(sizes), np.log(noise), 1)[0]
print(f"slope of the noise on logarithmic axes: {slope:.2f}")
figure = plt.figure()
axes = figure.subplots()
axes.loglog(sizes, noise[0] / np.sqrt(sizes), color="0.6", label="noise of one image / √B")
axes.loglog(sizes, noise, "o", color="C0", markersize=9, label="measured noise")
axes.axhline(np.linalg.norm(full), color="C1", linestyle="--", label="length of full gradient")
axes.set(xlabel="batch size B (images)", ylabel="distance from the full gradient")
axes.set_yticks([0.3, 1, 3], ["0.3", "1", "3"])
axes.set_xticks(sizes, sizes)
axes.minorticks_off()
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Four times the images, half the noise.
#
# Four times the images, half the noise.
# :::

# %% [markdown]
# Half the noise takes four times the work. With one image it is longer than the gradient itself.
#
# Now the cost. An **update** is one change of the weights; an **epoch** is one pass over all
# images. We train with batches of 1, 32, 64, 128 and all images, always with the same step size.

# %%
epoch = {size: math.ceil(N / size) for size in (1, 32, 64, 128, N)}  # its updates
seconds, memory, curves = {}, {}, {}
figure = plt.figure(figsize=(9, 4.5))
left, right = figure.subplots(1, 2, sharey=True)
print("batch | time per epoch | memory of a step | loss after 1 epoch | after 150 updates")
for size, updates in epoch.items():
    step = partial(gradient, start, x[:size], y[:size])
    seconds[size] = min(timeit.repeat(step, number=5, repeat=5)) / 5 * updates
    tracemalloc.start()  # counts the bytes of the arrays made from here on
    step()
    memory[size] = tracemalloc.get_traced_memory()[1]  # at the peak
    tracemalloc.stop()
    rng, path = np.random.default_rng(0), [start]
    while len(path) <= max(updates, 150):
        for images, digits in data.minibatches(x, y, batch_size=size, rng=rng):
            path.append(path[-1] - 0.1 * gradient(path[-1], images, digits))
    when = np.unique([*np.geomspace(1, len(path) - 1, 25).astype(int), updates, 150])
    curve = {i: losses.cross_entropy(x @ path[i].T, y) for i in when}  # the loss of all images
    left.semilogx(when, list(curve.values()), label=size)
    right.semilogx(when * size, list(curve.values()))
    costs = f"{seconds[size] / seconds[1]:14.1%} | {memory[size] / memory[1]:16.0%}"
    print(f"{size:5} | {costs} | {curve[updates]:18.3f} | {curve[150]:17.3f}")
    curves[size] = curve
left.annotate("batches of 32 to 1797", (25, 1.85), (1.2, 1.2), arrowprops={"arrowstyle": "->"})
left.set(xlabel="updates", ylabel="cross entropy of all images (nats)")
left.legend(title="batch size")
right.axvline(N, color="0.6", linewidth=1, linestyle="-")
right.text(1.2 * N, 2.5, "1 epoch")
right.set_xlabel("images seen")
plt.show()

# %% [markdown]
# :::{caption}
# Update by update, batches from 32 on are alike; image by image, small batches lead.
#
# Update by update, batches from 32 on are alike; image by image, small batches lead.
# :::

# %% [markdown]
# Time and memory are relative to the first row. Single images take the longest, because each step
# has a fixed cost; large batches need memory, because the backward pass uses what the forward pass
# computed. Update by update, a single image is too noisy, but 32 do as well here as 1,797: the full
# gradient is little better than a good estimate. Image by image, small batches win, because they
# make more updates. So one takes something in between, often 32 or 64. (A larger batch may allow a
# larger step.) And noise can even help: see the lesson `noise`.
