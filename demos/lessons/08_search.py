# %% [markdown]
# # Search or slope
#
# Random search finds two good weights, but not 64; the slope finds the way to both.
#
# To learn is to look for the weights with the lowest loss. Why not try many and keep the best? Here
# a linear classifier tells odd digits from even ones by two pixels, so it has two weights. Three
# strategies get the same budget. **Random search** draws weights from a box, **grid search** takes
# rows and columns, **gradient descent** starts at zero and goes downhill. A gradient costs more
# than a loss: a pass forward and one backward, two to three times the work, and on arrays as small
# as these up to five times by the clock. So we charge five evaluations of the loss for each.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from tinygrad_edu import losses, value_and_grad

plt.style.use("tinygrad_edu.figures")

images, digits = load_digits(return_X_y=True)  # 1,797 images of 64 pixels
x = (images - images.mean(axis=0)) / 8  # each pixel has mean 0
y = np.where(digits % 2 == 1, 1, -1)
rng = np.random.default_rng(0)


def loss(w):
    """The mean log loss of a linear classifier: two weights see two pixels, 64 see all."""
    return losses.logistic((x[:, [42, 5]] if len(w) == 2 else x) @ w, y)


def descend(w, budget, step_size=5.0):
    """Gradient descent: the weights where it was, and the loss at each."""
    path, values = [], []
    for _ in range(budget // 5):
        value, gradient = value_and_grad(loss)(w)
        path, values = [*path, w], [*values, value]
        w = w - step_size * gradient
    return np.array(path), np.array(values)


side, row = np.linspace(-4.5, 4.5, 46), np.linspace(-4, 4, 7)
surface = [[loss(np.array([w1, w2])) for w1 in side] for w2 in side]
tried = {
    "random": rng.uniform(-4, 4, (50, 2)),
    "grid": np.array([[w1, w2] for w1 in row for w2 in row]),  # 49 places
    "descent": descend(np.zeros(2), 50)[0],
}
lowest = {name: min(map(loss, weights)) for name, weights in tried.items()}
figure = plt.figure(figsize=(8, 3.4))
for axes, (name, w) in zip(figure.subplots(1, 3, sharey=True), tried.items(), strict=True):
    axes.contour(side, side, surface, levels=np.geomspace(0.4, 3, 12), colors="0.6", linewidths=1)
    axes.plot(*w.T, "o-" if name == "descent" else "o", color="C1", markersize=4)
    axes.set(title=f"{name}: {lowest[name]:.3f}", xlabel="weight of pixel 42", xticks=[-4, 0, 4])
figure.axes[0].set_ylabel("weight of pixel 5")
plt.show()

# %% [markdown]
# :::{caption}
# The lowest loss that each finds for the price of 50 evaluations.
#
# The lowest loss that each finds for the price of 50 evaluations.
# :::

# %% [markdown]
# With two weights all three come near the lowest loss. Now the classifier sees all 64 pixels. A
# grid is out of the question. A cleverer search takes **random steps** from its best weights so
# far, and goes back if that was worse. Of three sizes of box and of step, we show the luckiest.

# %%
drawn, stepped = [], []
for size in (0.2, 0.5, 1.0):
    drawn.append([loss(w) for w in rng.uniform(-size, size, (300, 64))])
    best, values = np.zeros(64), []
    for _ in range(300):
        w = best + rng.normal(scale=size / 10, size=64)
        values.append(loss(w))
        best = w if values[-1] == min(values) else best
    stepped.append(values)
path, descended = descend(np.zeros(64), 300)

axes = plt.figure().subplots()
for name, runs in (("random search", drawn), ("random steps", stepped)):
    lowest_so_far = np.minimum.accumulate(min(runs, key=min))
    axes.plot(range(1, 301), lowest_so_far, label=f"{name}: {lowest_so_far[-1]:.3f}")
axes.plot(np.arange(5, 301, 5), descended, label=f"gradient descent: {descended[-1]:.3f}")
axes.axhline(lowest["descent"], color="0.6", label=f"two weights: {lowest['descent']:.3f}")
axes.set(xlabel="price paid (evaluations)", ylabel="lowest loss so far", ylim=(0, 0.8))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Random search of 64 weights ends above the loss of just two.
#
# Random search of 64 weights ends above the loss of just two.
# :::

# %%
print(f"a grid of 7 values for each of 64 weights: {7.0**64:.0e} evaluations")

# %% [markdown]
# What does the slope know? From an evaluation a search learns one number, from the gradient one for
# each weight. They give the **tangent** in any direction, the straight line that fits the loss best
# nearby: at half the distance `h`, its error is a quarter. With both axes logarithmic, that is a
# line of slope 2. A line 1% too steep is worse: half the distance, about half the error. Far away
# no straight line fits. So descent takes many steps, and asks for a new slope after each.

# %%
value, gradient = value_and_grad(loss)(np.zeros(64))
steepness = np.linalg.norm(gradient)
h = np.logspace(-4, 0.6, 93)
after = np.array([loss(-each * gradient / steepness) for each in h])  # downhill by h
error, other = (np.abs(after - (value - slope * h)) for slope in (steepness, 1.01 * steepness))
power, worse = (np.polyfit(np.log(h[:20]), np.log(e[:20]), 1)[0] for e in (error, other))
left, right = plt.figure().subplots(1, 2)
left.plot(h, after, label="loss")
left.plot(h, value - steepness * h, label="tangent")
left.set(xlabel="distance h", ylabel="loss", ylim=(0, 0.8))
right.loglog(h, error, label=f"tangent: slope {power:.2f}")
right.loglog(h, other, label=f"1% too steep: slope {worse:.2f}")
right.set(xlabel="distance h", ylabel="error", ylim=(1e-11, 10))
left.legend(), right.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Half the distance, a quarter of the tangent's error.
#
# Half the distance, a quarter of the tangent's error.
# :::

# %% [markdown]
# Search needs no derivative, and serves for a few numbers: our step size was found by trying. With
# two weights the slope gains little; with 64 it is well worth its price.
