# %% [markdown]
# # Gradient descent's landscape
#
# Gradient descent feels only the slope where it is: bowls, minima, saddles, how to tell them.
#
# Gradient descent goes downhill without seeing where to. First in a bowl, eight times as curved
# along `y` as along `x`. Along one axis such a loss is `c * w**2 / 2`, with the curvature `c`. Its
# slope is `c * w`, so a step of size `s` takes `w` to `(1 - s * c) * w`: nearer to the minimum at 0
# if `s` is below `2 / c`, just as far on the other side at `2 / c`, farther above. The largest `c`
# sets the limit: the largest eigenvalue of the **Hessian**, the table of all second derivatives.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad, hessian

plt.style.use("tinygrad_edu.figures")


def bowl(w):
    """A convex loss: from everywhere, downhill leads to its only minimum, 0."""
    x, y = w
    return (x**2 + 8 * y**2) / 2


def descend(loss, w, step_size, steps):
    """The path of gradient descent; or many paths at once, as a sum of losses has their slopes."""
    path, slope = [np.array(w)], grad(lambda w: loss(w).sum())
    for _ in range(steps):
        path.append(path[-1] - step_size * slope(path[-1]))
    return np.array(path)


largest = np.linalg.eigvalsh(hessian(bowl)([-3.0, 1.0])).max()
limit = 2 / largest
print(f"largest curvature {largest:g}: steps stay below {limit:g}")
paths = {size: descend(bowl, [-3.0, 1.0], size, 20) for size in (0.22, limit, 0.26)}
left, right = plt.figure().subplots(1, 2)
plane = np.array(np.meshgrid(np.linspace(-3.2, 1, 90), np.linspace(-3, 3, 90)))
left.contour(*plane, bowl(plane), levels=np.geomspace(0.1, 50, 10), colors="0.6", linewidths=1)
for size, path in paths.items():
    left.plot(*path[:11].T, marker=".", label=f"step size {size:.2f}")
    right.semilogy(bowl(path.T))
left.set(xlabel="x", ylabel="y", aspect="equal")
right.set(xlabel="steps", ylabel="loss")
left.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Steps below the limit, at the limit, and above it.
#
# Steps below the limit, at the limit, and above it.
# :::

# %% [markdown]
# Most losses are no bowls. The next one has four minima, two of them deeper. The picture shows 400
# starts, and by colour and shape, in which minimum each ends. The slope tells the way down from
# here, and never that there is a deeper valley elsewhere.


# %%
def hills(w):
    """A loss with several minima; it is the same for x and for -x."""
    x, y = w
    return (x**2 - 1) ** 2 + (y**2 - 1) ** 2 + x**2 * y / 2


starts = np.random.default_rng(0).uniform(-1.5, 1.5, (2, 400))
ends = descend(hills, starts, 0.05, 200)[-1]
minima = np.unique(ends.round(6), axis=1).T
axes = plt.figure(figsize=(8, 5.2)).subplots()
plane = np.array(np.meshgrid(np.linspace(-1.6, 1.6, 120), np.linspace(-1.6, 1.6, 120)))
axes.contour(*plane, hills(plane), levels=25, colors="0.6", linewidths=1)
for minimum, color, marker in zip(minima, ("C0", "C1", "C2", "C3"), "os^D", strict=True):
    here = starts[:, np.abs(ends.T - minimum).max(axis=1) < 1e-5]
    axes.plot(*here, marker, color=color, markersize=4, label=f"end at loss {hills(minimum):.2f}")
axes.plot(*minima.T, "*", color="C4", markersize=16, label="minimum")
axes.set(xlabel="x", ylabel="y", aspect="equal")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# :::{caption}
# Where descent ends depends on where it starts.
#
# Where descent ends depends on where it starts.
# :::

# %% [markdown]
# Where else is the gradient 0? Newton's method goes where it would be 0 if the Hessian stayed as it
# is, and so finds such **critical points** of every kind. The eigenvalues name them: curvatures all
# positive, a minimum; all negative, a maximum; some of each, a **saddle**. (If one is 0, they leave
# it open.) Descent on the ridge `x = 0` stops at the saddle, as all slopes there are along the
# ridge. From 0.01 beside it, it escapes, but not at once: near the saddle there is almost no slope.
# For a while the loss looks as if all were done.

# %%
critical = np.mgrid[-1.5:1.5:5j, -1.5:1.5:5j].reshape(2, -1).T
for _ in range(20):
    moves = [np.linalg.solve(hessian(hills)(w), grad(hills)(w)) for w in critical]
    critical = critical - moves
critical = np.unique(critical.round(6) + 0.0, axis=0)  # + 0.0 makes 0 of -0
curvatures = np.array([np.linalg.eigvalsh(hessian(hills)(w)) for w in critical])
kinds = np.array(["maximum", "saddle", "minimum"])[(curvatures > 0).sum(axis=1)]
for w, c, kind in zip(critical, curvatures, kinds, strict=True):
    print(f"{w.round(2)!s:14} loss {hills(w):5.2f}   curvatures {c.round(1)!s:12} {kind}")

ridge, beside = (descend(hills, [x, 0.4], 0.05, 60) for x in (0.0, 0.01))
left, right = plt.figure().subplots(1, 2)
left.contour(*plane, hills(plane), levels=25, colors="0.6", linewidths=1)
for kind, marker in (("minimum", "*"), ("saddle", "X"), ("maximum", "^")):
    left.plot(*critical[kinds == kind].T, marker, color="C4", markersize=10, label=kind)
for path, start in ((ridge, "x = 0"), (beside, "x = 0.01")):
    left.plot(*path.T)
    right.plot(hills(path.T), label=f"start at {start}")
left.set(xlabel="x", ylabel="y")
right.set(xlabel="steps", ylabel="loss")
left.figure.legend(loc="outside upper center", ncols=5, columnspacing=1)
plt.show()

# %% [markdown]
# :::{caption}
# On the ridge, stopped at a saddle; beside it, delayed.
#
# On the ridge, stopped at a saddle; beside it, delayed.
# :::

# %% [markdown]
# What to remember: keep steps below 2 over the largest curvature; the start decides where descent
# ends; and a loss that no longer falls may be at a saddle, which the curvatures tell.
