# %% [markdown]
# # Gradient descent
#
# You stand on a hill in thick fog, and feel nothing but the ground under your feet. How do you get
# down?
#
# [Searching](09_search.py) showed what the slope is good for: it tells, for every weight at once,
# where the loss falls. This page turns that into an algorithm, and then looks at what can go wrong.
# We begin with one weight `w`, and a loss that is a **bowl**: one lowest point, at `w = 2`.
#
# :::{admonition} Predict
# :class: tip
# At `w = 3.5` the slope of the bowl is +1.5. Should `w` grow or shrink? And at `w = 0`, where the
# slope is -2?
# :::

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad, hessian


def bowl(w):
    """A loss with its lowest point at w = 2."""
    return (w - 2.0) ** 2 / 2


print(f"slope at 3.5: {grad(bowl)(3.5)}, slope at 0: {grad(bowl)(0.0)}")

# %% tags=["hide-input"]
plt.style.use("tinygrad_edu.figures")

axes = plt.figure().subplots()
grid = np.linspace(-1, 5, 100)
axes.plot(grid, bowl(grid), color="C4", linestyle="-")
for here, color, style in ((3.5, "C1", "--"), (0.0, "C0", "-.")):
    slope_here = grad(bowl)(here)
    near = np.array([here - 0.8, here + 0.8])
    tangent = bowl(here) + slope_here * (near - here)
    axes.plot(near, tangent, color=color, linestyle=style, label=f"slope {slope_here:+}")
    axes.plot(here, bowl(here), "o", color=color, markersize=10)
    arrow = {"arrowstyle": "->", "color": color, "linewidth": 2}
    axes.annotate("", (here - 0.5 * slope_here, -0.3), (here, -0.3), arrowprops=arrow)
axes.text(2, -0.65, "steps against the slope", ha="center")
axes.set(xlabel="weight w", ylabel="loss", ylim=(-0.9, 4.5))
axes.legend(loc="upper center")
plt.show()

# %% [markdown]
# :::{caption}
# Where the slope is positive, down is to the left; where it is negative, to the right.
#
# A parabola over w with its lowest point at w = 2. At w = 3.5 the tangent rises, and an arrow
# points left. At w = 0 the tangent falls, and an arrow points right. Both arrows point to 2.
# :::

# %% [markdown]
# A positive slope says that the loss grows with `w`, so `w` must shrink; a negative slope says the
# opposite. Down is always **against** the slope. That is why there is a minus in
#
# $$w \leftarrow w - \eta \, \frac{dL}{dw}$$
#
# and it holds for many weights, with the gradient in the place of the slope. The number $\eta$ is
# the learning rate, as in [the loop](01_loop.py): `lr` in code. One such change of the weights is a
# **step**, or an update. **Gradient descent** is nothing but step after step. In the code below,
# `grad(loss)` does the work of `backward`, and the step is written out in place of `sgd.step()`.


# %%
def descend(loss, w, lr, steps):
    """The path of gradient descent, from the start to the last step."""
    path = [np.array(w, dtype=float)]
    for _ in range(steps):
        gradient = grad(loss)(path[-1])
        path.append(path[-1] - lr * gradient)
    return np.array(path)


# %% [markdown]
# ## The learning rate
#
# :::{admonition} Predict
# :class: tip
# The same bowl, the same start, four learning rates: 0.2, 1, 1.8 and 2.1. What will each do?
# :::

# %%
rates = [0.2, 1.0, 1.8, 2.1]
paths = [descend(bowl, 0.5, lr, 8) for lr in rates]
for lr, path in zip(rates, paths, strict=True):
    print(f"lr = {lr}: distance to the minimum {np.abs(path[[0, 1, 2, 8]] - 2).round(3)}")

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 3))
for axes, lr, path in zip(figure.subplots(1, 4, sharey=True), rates, paths, strict=True):
    axes.plot(grid, bowl(grid), color="0.6", linestyle="-")
    axes.plot(path, bowl(path), "o-", color="C1", markersize=5, linewidth=1)
    axes.plot(path[0], bowl(path[0]), "s", color="C4", markersize=8)
    axes.set(title=f"lr = {lr}", xlabel="w", xlim=(-1.5, 5.5), ylim=(-0.2, 6.5))
figure.axes[0].set_ylabel("loss")
plt.show()

# %% [markdown]
# :::{caption}
# From the black square: too timid, just right, to and fro, and farther and farther away.
#
# Four parabolas with the points that descent visits. At rate 0.2 they creep down one side. At 1 the
# second point is the minimum. At 1.8 they jump from side to side, lower each time. At 2.1 they jump
# from side to side, higher each time.
# :::

# %% [markdown]
# One line explains all four. The **curvature** $c$ is the slope of the slope, the second
# derivative; this bowl has $c = 1$ everywhere. In a bowl the slope is $c$ times the distance from
# the minimum. So a step multiplies that distance by
#
# $$1 - \eta \, c$$
#
# which is below 1 in size only if $\eta < 2 / c$. At $\eta = 1 / c$ one step is enough. Beyond
# $2 / c$ descent **diverges**: no error is raised, the loss just grows.
#
# With many weights there are many curvatures, one for each direction. The **Hessian** is the table
# of all second derivatives: in row 1 and column 2, for instance, the slope for $w_1$ of the slope
# for $w_2$. Its **eigenvalues**, which `eigvalsh` computes, are the curvatures along the axes of
# the bowl, from the flattest to the steepest. Here is a narrow valley of two weights, eight times
# as curved across as along. Its axes are those of the two weights, so its curvatures simply stand
# on the diagonal of the table.


# %%
def valley(w):
    """A loss with curvature 1 along the first weight, and 8 along the second."""
    return (w[0] ** 2 + 8 * w[1] ** 2) / 2


start = [-3.0, 1.0]
curvatures = np.linalg.eigvalsh(hessian(valley)(start))
limit = 2 / curvatures.max()
print(f"curvatures {curvatures}: the learning rate must stay below {limit}")

# %% tags=["hide-input"]
valley_rates = [0.22, limit, 0.26]
valley_paths = [descend(valley, start, lr, 20) for lr in valley_rates]
plane = np.array(np.meshgrid(np.linspace(-3.4, 1, 90), np.linspace(-2.5, 2.5, 90)))
levels = np.geomspace(0.1, 50, 10)
figure = plt.figure(figsize=(8, 3.2))
for axes, lr, path in zip(
    figure.subplots(1, 3, sharey=True), valley_rates, valley_paths, strict=True
):
    axes.contour(*plane, valley(plane), levels=levels, colors="0.6", linewidths=1)
    axes.plot(*path[:12].T, "o-", color="C1", markersize=4, linewidth=1)
    axes.set(title=f"lr = {lr}: loss {valley(path[-1]):.2g}", xlabel="$w_1$")
figure.axes[0].set_ylabel("$w_2$")
plt.show()

# %% [markdown]
# :::{caption}
# Below, at and above the limit of 2 / 8. The titles tell the loss after 20 steps.
#
# Three contour plots of a valley along the first weight. Below the limit the zigzag narrows and
# moves to the minimum. At the limit it keeps its width. Above the limit it becomes wider.
# :::

# %% [markdown]
# So the steepest direction sets the limit, and the flattest sets the time. The farther apart they
# are, the slower is descent.
#
# ## Momentum
#
# In the valley, slopes across change their sign at each step, and slopes along agree. A ball would
# know: it keeps some of its **velocity** $v$. With the momentum $\beta$, from 0 to below 1,
#
# $$v \leftarrow \beta \, v + g, \qquad w \leftarrow w - \eta \, v$$
#
# where $g$ is the gradient. Slopes that agree add up; slopes to and fro cancel.


# %%
def descend_with_momentum(loss, w, lr, steps, beta):
    """The path of gradient descent with momentum."""
    path = [np.array(w, dtype=float)]
    velocity = 0.0
    for _ in range(steps):
        gradient = grad(loss)(path[-1])
        velocity = beta * velocity + gradient
        path.append(path[-1] - lr * velocity)
    return np.array(path)


plain = descend(valley, start, 0.1, 25)
rolling = descend_with_momentum(valley, start, 0.1, 25, beta=0.6)
print(f"loss after 25 steps: {valley(plain[-1]):.1e}, with momentum {valley(rolling[-1]):.1e}")

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 3.4))
titles = ("without momentum", "momentum 0.6")
for axes, path, title in zip(
    figure.subplots(1, 2, sharey=True), (plain, rolling), titles, strict=True
):
    axes.contour(*plane, valley(plane), levels=levels, colors="0.6", linewidths=1)
    axes.plot(*path.T, "o-", color="C1", markersize=4, linewidth=1)
    axes.set(title=title, xlabel="$w_1$", ylim=(-1.3, 1.3))
figure.axes[0].set_ylabel("$w_2$")
plt.show()

# %% [markdown]
# :::{caption}
# The same learning rate, the same 25 steps: momentum is nearer, and overshoots a little.
#
# Two contour plots of the valley. Without momentum the points crowd together before they reach the
# minimum. With momentum they are farther apart, swing past the minimum, and gather at it.
# :::

# %% [markdown]
# ## Convex or not
#
# A loss is **convex** if no straight line between two points of its graph lies below the graph:
#
# $$L\big((1 - \theta) \, u + \theta \, w\big) \le (1 - \theta) \, L(u) + \theta \, L(w)$$
#
# for all weights $u$ and $w$, and $\theta$ from 0 to 1. Then every minimum is as low as any other,
# and descent with small enough steps finds one. Bowls are convex. So are log loss, hinge loss and
# cross entropy of a linear classifier, as functions of its weights. The losses of neural networks,
# which [mini-batches](13_minibatches.py) introduces, are not. Neither is this one:


# %%
def hills(w):
    """A loss with four minima, two of them deeper."""
    return (w[0] ** 2 - 1) ** 2 + (w[1] ** 2 - 1) ** 2 + w[0] ** 2 * w[1] / 2


middle = hills(np.array([0.0, -1.0]))
ends = hills(np.array([[-1.0, 1.0], [-1.0, -1.0]]))
print(f"halfway between two points the loss is {middle}, at the points {ends}")

# %% [markdown]
# :::{admonition} Predict
# :class: tip
# We start at 400 random places, with small steps. What share will find a deepest minimum?
# :::

# %%
starts = np.random.default_rng(0).uniform(-1.5, 1.5, (400, 2))
found = np.array([descend(hills, each, 0.1, 60)[-1] for each in starts])
deep = hills(found.T) < 0
print(f"{deep.mean():.0%} end at loss {hills(found[deep][0]):.2f}, ", end="")
print(f"the others at {hills(found[~deep][0]):.2f}")

# %% tags=["hide-input"]
axes = plt.figure(figsize=(8, 5)).subplots()
square = np.array(np.meshgrid(np.linspace(-1.6, 1.6, 120), np.linspace(-1.6, 1.6, 120)))
axes.contour(*square, hills(square), levels=25, colors="0.6", linewidths=1)
axes.plot(*starts[deep].T, "o", color="C0", markersize=4, label="ends in a deepest minimum")
axes.plot(*starts[~deep].T, "^", color="C1", markersize=4, label="ends in a poor one")
minima = np.unique(found.round(3), axis=0)
axes.plot(*minima.T, "*", color="C4", markersize=17, label="minimum")
axes.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# :::{caption}
# Each point is a start; its colour and shape tell where descent from it ended.
#
# A contour plot with four minima, marked by stars, one in each quadrant. Starts in the lower half,
# blue circles, end in the two deepest minima. Starts in the upper half, orange triangles, end in
# the two poor ones.
# :::

# %% [markdown]
# A **local minimum** is lower than all around it; a **global minimum** is lowest of all. The slope
# tells the way down from here, and never that there is a deeper place elsewhere.
#
# What, then, gets a run out of the wrong valley? Here are forty steps on a loss of one weight, with
# all that we have seen, and with **noise**: a random number is added to each slope, as if it came
# from a few examples only.
#
# :::{admonition} Predict
# :class: tip
# The run below ends in the higher of two valleys. Which of these can lead it into the deeper one: a
# larger learning rate, momentum, noise, another start?
# :::

# %% tags=["hide-input"]
from tinygrad_edu import explore
from tinygrad_edu.exploring import Curve, Dots, Image, Plot, Points, Slider

steps = np.arange(41)
draws = np.random.default_rng(0).normal(size=(40, 2))


def forty_steps(loss, w, lr, momentum, noise):
    """The path of descent with momentum, on slopes with noise: one number, or row, a step."""
    path, velocity = [w], 0.0
    for each in noise:
        velocity = momentum * velocity + grad(loss)(path[-1]) + each
        path.append(path[-1] - lr * velocity)
    return np.stack(path)


lines = {"two minima": lambda w: (w * (w - 4)) ** 2 / 8 + w / 5, "bowl": bowl}


def on_a_line(start, lr, momentum, noise, loss):
    """The run ends in the higher valley. What gets it into the deeper one?"""
    height = lines[loss]
    path = forty_steps(height, start[0], lr, momentum, noise * draws[:, 0])
    return {
        "w at the end": path[-1],
        "loss at the end": height(path[-1]),
        "path": Plot(
            Curve(grid, height(grid), "loss"),
            Curve(path, height(path), "40 steps", dots=True),
            Dots(start, height(start), drag="start", labels="S"),
            title="Forty steps from S",
            x="weight w",
            y="loss",
            xlim=(-1, 5),
            ylim=(-0.3, 4.5),
        ),
        "fall": Plot(
            Curve(steps, height(path)),
            title="Loss after each step",
            x="steps",
            y="loss",
            xlim=(0, 40),
            ylim=(-0.3, 4.5),
        ),
    }


explore(
    on_a_line,
    start=Points([4.9], -1, 5),
    lr=Slider(0.01, 2.5, 0.2, log=True),
    momentum=Slider(0.0, 0.95, 0.0, step=0.05),
    noise=Slider(0.0, 5.0, 0.0, step=0.1),
    loss=[*lines],
)

# %% [markdown]
# :::{caption}
# Forty steps on a line: start, learning rate, momentum and noise can be changed.
#
# A page with two plots. Left, a loss with two valleys, at the weights 0 and 4, of which the left
# one is deeper, and the path of forty steps from a start that can be dragged. Right, the loss after
# each step. With the first numbers the path ends in the right valley, at a loss of 0.79.
# :::

# %% [markdown]
# Try this:
#
# - Drag S over the hill in the middle. At one place, the end jumps from one valley to the other.
# - Press Reset. Raise the momentum: from 0.8 on, the run rolls over the hill. At 0.95 it is still
#   swinging after forty steps.
# - Press Reset. Raise the noise to 3: the run stumbles over. Or raise the learning rate to 0.5: it
#   leaps over, and at 0.9 it never comes back.
# - Choose the bowl: with the learning rate 1 it arrives in one step. Put S close to the lowest
#   point, and go beyond 2: it flies away all the same.
#
# In which valley a run ends depends on where it starts and how it moves; no slope tells.
#
# ## Saddles
#
# The gradient is zero at a minimum, and not only there. At a **saddle** the loss curves up in one
# direction and down in another. The signs of the curvatures tell them apart: all positive, a
# minimum; all negative, a maximum; some of each, a saddle. This loss has a saddle at (0, 1).
#
# :::{admonition} Predict
# :class: tip
# Two runs start at a higher loss: the one exactly on the ridge that leads down to the saddle, at
# (0, 0.4), the other beside it, at (0.01, 0.4). How different will they be?
# :::

# %%
at_saddle = np.array([0.0, 1.0])
print(f"gradient {grad(hills)(at_saddle)}, ", end="")
print(f"curvatures {np.linalg.eigvalsh(hessian(hills)(at_saddle))}")
ridge = descend(hills, [0.0, 0.4], 0.05, 60)
beside = descend(hills, [0.01, 0.4], 0.05, 60)

# %% tags=["hide-input"]
left, right = plt.figure(figsize=(8, 3.8)).subplots(1, 2)
left.contour(*square, hills(square), levels=25, colors="0.6", linewidths=1)
left.plot(*at_saddle, "X", color="C4", markersize=11, label="saddle", linestyle="")
left.plot(*ridge.T, color="C0", linestyle="-", linewidth=4)
left.plot(*beside.T, color="C1", linestyle="--")
left.legend(loc="lower left")
left.set(xlabel="$w_1$", ylabel="$w_2$")
right.plot(hills(ridge.T), color="C0", linestyle="-", label="on the ridge")
right.plot(hills(beside.T), color="C1", linestyle="--", label="0.01 beside it")
right.set(xlabel="steps", ylabel="loss")
right.legend()
plt.show()

# %% [markdown]
# :::{caption}
# On the ridge, descent stops at the saddle. Beside it, it waits there, and then escapes.
#
# Left, the contours: one path ends at the saddle (0, 1), the other turns off to a minimum. Right,
# the losses: both fall to 1; one stays there, the other stays near 1 until about step 20, and falls
# again.
# :::

# %% [markdown]
# For a while the loss looks as if all were done. With thousands of weights, saddles are more common
# than poor minima (Dauphin and others, 2014): it takes only one direction that leads down. Noise
# helps to leave them, and [noise that helps](14_noise.py) is a page of its own.
#
# Now all of it in the plane: a saddle, a valley as above, and two minima.
#
# :::{admonition} Predict
# :class: tip
# The run below sits on the ridge of a saddle. How much noise does it take to fall off within forty
# steps?
# :::

# %% tags=["hide-input"]
surfaces = {
    "saddle": lambda w: w[0] ** 2 - w[1] ** 2,
    "bowl": valley,
    "two minima": lambda w: (w[0] ** 2 - 1) ** 2 + w[0] / 4 + (w[1] - w[0] / 2) ** 2,
}
plane_to_see = np.array(np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-2, 2, 41)))


def in_the_plane(start, lr, momentum, noise, loss):
    """Where do forty steps from S end, and what would lead them elsewhere?"""
    height = surfaces[loss]
    path = forty_steps(height, start[0], lr, momentum, noise * draws)
    heights = height(path.T)
    depth = height(plane_to_see)
    depth = np.sqrt(depth - np.min(depth))  # roots: more bands where it is nearly flat
    return {
        "loss at the end": heights[-1],
        "path": Plot(
            Image(depth, x=(-2, 2), y=(-2, 2), low=0, high=np.max(depth), up=True, levels=14),
            Curve(path[:, 0], path[:, 1], "40 steps", dots=True),
            Dots(start[:, 0], start[:, 1], drag="start", labels="S"),
            title="Forty steps from S; blue is high",
            x="w[0]",
            y="w[1]",
            xlim=(-2, 2),
            ylim=(-2, 2),
            square=True,
        ),
        "fall": Plot(
            Curve(steps, heights),
            title="Loss after each step",
            x="steps",
            y="loss",
            xlim=(0, 40),
            ylim=(-3, 6),
        ),
    }


explore(
    in_the_plane,
    start=Points([[1.6, 0.0]], -2, 2),
    lr=Slider(0.01, 0.5, 0.05, log=True),
    momentum=Slider(0.0, 0.95, 0.0, step=0.05),
    noise=Slider(0.0, 5.0, 0.0, step=0.1),
    loss=[*surfaces],
)

# %% [markdown]
# :::{caption}
# Forty steps in the plane, on a saddle, a bowl and two minima.
#
# A page with two plots. Left, a map of the loss, blue where it is high, and the path of forty steps
# from a start that can be dragged. Right, the loss after each step. With the first numbers the path
# runs straight to the saddle in the middle of the map, and stops there.
# :::

# %% [markdown]
# Try this:
#
# - Raise the noise to 0.3; or leave it at 0, and drag S a little beside the ridge.
# - Choose the bowl, and put S at (1.6, 1). Raise the learning rate to 0.24, just below 2 / 8: a
#   zigzag. Lower it to 0.02: too slow. Now add a momentum of 0.8.
# - Choose two minima, and look for the border between the starts that end left and those that end
#   right. Which momentum gets from right to left?
#
# A saddle holds only who comes exactly from its ridge: any noise is enough to leave it.
#
# ## What to take away
#
# - Step against the gradient: that is the minus.
# - The learning rate must stay below 2 over the largest curvature.
# - Momentum adds up what agrees, and cancels what goes to and fro.
# - In a convex loss every minimum is as good as any; else the start decides.
# - A loss that no longer falls may be at a saddle.
#
# ## Exercises
#
# :::{exercise} One step is enough
# :label: descent-one-step
#
# The loss $4 w^2$ is a bowl, too. Find the learning rate with which one step reaches the minimum
# from everywhere.
# :::

# %% tags=["exercise"]
one_step_rate = 0.01  # your number instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check(
    "from 3, one step is enough", lambda: descend(lambda w: 4 * w**2, 3.0, one_step_rate, 1)[1] == 0
)
check("from -7, too", lambda: descend(lambda w: 4 * w**2, -7.0, one_step_rate, 1)[1] == 0)

# %% [markdown]
# :::{solution-start} descent-one-step
# :::


# %% tags=["solution"]
one_step_rate = 1 / 8

# %% [markdown]
# The curvature of $4 w^2$ is 8, and $1 - \eta \, c$ is 0 for $\eta = 1/8$.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it, a little
# :label: descent-diverge
#
# Make descent in `valley` diverge: choose a learning rate with which the loss after 30 steps from
# (-3, 1) is higher than at the start, but lower than a thousand times that.
# :::

# %% tags=["exercise"]
broken_rate = 0.1  # your number instead


# %% tags=["check", "hide-input"]
def growth():
    """How many times the loss of the start it is."""
    path = descend(valley, start, broken_rate, 30)
    return valley(path[-1]) / valley(path[0])


check("the loss has grown", lambda: growth() > 1)
check("but not a thousandfold", lambda: growth() < 1000)

# %% [markdown]
# :::{solution-start} descent-diverge
# :::


# %% tags=["solution"]
broken_rate = 0.26

# %% [markdown]
# Each step multiplies the distance across by $1 - 8 \eta$, which is -1.08 here; the loss grows by
# the square of that. At $\eta = 0.3$ it already grows more than a hundred million times.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} A landscape of your own
# :label: descent-landscape
#
# Write a loss of two weights that has minima at (-1, 0) and (1, 0), and a saddle between them at
# (0, 0).
# :::


# %% tags=["exercise"]
def landscape(w):
    """A loss with two minima and a saddle."""
    return w[0] ** 2 + w[1] ** 2  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads


def curvatures_at(w):
    """The curvatures there, from the smallest."""
    return np.linalg.eigvalsh(hessian(landscape)(np.array(w)))


places = [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
check(
    "the gradient is 0 at all three",
    lambda: np.allclose([grad(landscape)(np.array(each)) for each in places], 0),
)
check(
    "the outer two are minima",
    lambda: min(curvatures_at([-1.0, 0.0])) > 0 < min(curvatures_at([1.0, 0.0])),
)
check(
    "the middle is a saddle",
    lambda: min(curvatures_at([0.0, 0.0])) < 0 < max(curvatures_at([0.0, 0.0])),
)
check("its derivatives agree with differences", lambda: check_grads(landscape, [0.3, -0.7]))

# %% [markdown]
# :::{solution-start} descent-landscape
# :::


# %% tags=["solution"]
def landscape(w):
    """A loss with two minima and a saddle."""
    return (w[0] ** 2 - 1) ** 2 + w[1] ** 2


# %% [markdown]
# Along the first weight it is a double well, with a bump at 0; along the second it is a bowl. So
# the bump of the one is the saddle of both.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Momentum, by hand
# :label: descent-momentum
#
# Write one step with momentum. It takes the weights, the velocity and the gradient, and gives the
# new weights and the new velocity.
# :::


# %% tags=["exercise"]
def momentum_step(w, velocity, gradient, lr, beta):
    """The weights and the velocity after one step."""
    return w - lr * gradient, beta * velocity  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu import Tensor, optim


def after_three_steps():
    """Three steps by hand, and three by optim.SGD."""
    w, velocity = np.array([-3.0, 1.0]), np.zeros(2)
    tensor = Tensor(w, requires_grad=True)
    sgd = optim.SGD([tensor], lr=0.1, momentum=0.6)
    for _ in range(3):
        w, velocity = momentum_step(w, velocity, grad(valley)(w), 0.1, 0.6)
        sgd.zero_grad()
        valley(tensor).backward()
        sgd.step()
    return w, tensor.data


check(
    "the first step has no velocity yet",
    lambda: momentum_step(1.0, 0.0, 2.0, 0.1, 0.6) == (0.8, 2.0),
)
check("three steps are those of optim.SGD", lambda: np.allclose(*after_three_steps()))

# %% [markdown]
# :::{solution-start} descent-momentum
# :::


# %% tags=["solution"]
def momentum_step(w, velocity, gradient, lr, beta):
    """The weights and the velocity after one step."""
    velocity = beta * velocity + gradient
    return w - lr * velocity, velocity


# %% [markdown]
# The velocity changes first, and the weights follow it.
# :::{solution-end}
# :::
