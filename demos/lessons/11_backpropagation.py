# %% [markdown]
# # Backpropagation
#
# A loss is computed in many small operations. How does the slope find its way back through them?
#
# [Gradient descent](10_descent.py) took the gradient for granted. Here we compute one by hand, and
# then watch the engine do the same. The example is the smallest classifier there is: one input `x`,
# a weight `w` and a bias `b` give a score `s = w x + b`, and the loss is the cross entropy of two
# classes with the scores `s` and 0, where the first one is true: $\log(1 + e^s) - s$. The picture
# has a box for each operation.

# %%
import numpy as np

from tinygrad_edu import Tensor, draw, steps

x = 1.5
w = Tensor(2.0, requires_grad=True)
b = Tensor(-1.0, requires_grad=True)
product = w * Tensor(x, name="x")
s = product + b
power = np.exp(s)
total = 1 + power
loss = np.log(total) - s

# %% tags=["hide-input"]
names = {"w": w, "b": b, "product": product, "s": s, "power": power, "total": total, "loss": loss}
draw(loss, names=names, show="value", rankdir="TB")

# %% [markdown]
# :::{caption}
# The graph of the loss. Arrows go from a value to what is computed from it; `s` is used twice.
#
# A graph from top to bottom: w times 1.5 gives product, plus b gives s. From s one path goes
# through exp, plus 1 and log, another straight to the last operation, a difference, which is the
# loss.
# :::

# %% [markdown]
# ## The chain rule
#
# Each operation knows its own **slopes**: by how much its result changes, per unit of each of its
# arguments. If `s` changes 1.5 times as fast as `w`, and the loss -0.1 times as fast as `s`, then
# the loss changes 1.5 times -0.1 as fast as `w`. Slopes along a path **multiply**:
#
# $$\frac{dL}{dw} = \frac{dL}{ds} \cdot \frac{ds}{dw}$$
#
# And where two paths lead from a value to the loss, what comes along them **adds up**. Here two
# paths lead from `s`: the direct one, with the slope -1, and the one through `power`, `total` and
# the logarithm.
#
# :::{admonition} Predict
# :class: tip
# Which of the two parts is larger in size, the -1 of the direct path, or the other one? The sign of
# their sum says whether the score should rise or fall.
# :::
#
# Plain numbers now, operation by operation. `log_total` is the logarithm, which has no name above.


# %%
def forward(w, b):
    """Every value on the way from the weights to the loss, by name."""
    product = w * x
    s = product + b
    power = np.exp(s)
    total = 1 + power
    log_total = np.log(total)
    loss = log_total - s
    return locals()


value = {name: float(number) for name, number in forward(2.0, -1.0).items()}
slopes = {
    "loss": {"log_total": 1.0, "s": -1.0},
    "log_total": {"total": 1 / value["total"]},
    "total": {"power": 1.0},
    "power": {"s": value["power"]},  # exp is its own derivative
    "s": {"product": 1.0, "b": 1.0},
    "product": {"w": x},
}
through_power = slopes["power"]["s"] * slopes["total"]["power"] * slopes["log_total"]["total"]
print(f"the path through power: {through_power:.4f}, the direct path: -1")
print(f"sigmoid(s) is {1 / (1 + np.exp(-value['s'])):.4f}")

# %% [markdown]
# The long path gives $e^s / (1 + e^s)$, the sigmoid of `s`: the probability `p` of the true class.
# So the slope of [cross entropy](07_cross_entropy.py) by the score is $p - 1$, what the classifier
# says less what is true. It is always negative: this score should rise.
#
# ## Backward, operation by operation
#
# To multiply along every path would take long: where values are used twice again and again, the
# number of paths doubles each time. **Backpropagation** shares the work. Every value gets a
# **gradient**, the slope of the loss by that value. The loss has 1, all others begin at 0. To
# *visit* an operation is to send its gradient on to each argument: times the slope, and added. So
# the whole algorithm is a list of visits, from the loss back to the weights.


# %%
def backward(visits):
    """The gradient of the loss by each value."""
    gradient = dict.fromkeys(value, 0.0)
    gradient["loss"] = 1.0
    for name in visits:
        for argument, slope in slopes[name].items():
            gradient[argument] += gradient[name] * slope
            print(f"visit {name:9}  {argument:9} += {gradient[name]:7.4f} * {slope:7.4f}")
    return gradient


by_hand = backward(["loss", "log_total", "total", "power", "s", "product"])
print(f"slope by w: {by_hand['w']:.4f}, slope by b: {by_hand['b']:.4f}")

# %% [markdown]
# One visit for each operation, and every gradient is there: those of a million weights cost a few
# times as much as the loss, not a million times as much. That is what [searching](09_search.py)
# paid for.
#
# Now the engine. It recorded the graph when the loss was computed, and goes back through it in the
# same way. Step with the arrow keys, or the slider, and change the numbers of the leaves `w`, `x`
# and `b`.
#
# :::{admonition} Predict
# :class: tip
# Which gradient becomes 0 if `x` is 0? And what becomes of the gradient of `s` if `w` grows, and
# the classifier becomes surer of what is right?
# :::

# %%
steps(loss, names=names)

# %% [markdown]
# :::{caption}
# The loss, forward and backward, one operation at a time: rule, numbers, result.
#
# The graph of the loss with a slider. Each step lights up one operation, and shows its rule in
# letters, then with numbers: first the values from left to right, then the gradients back.
# :::
#
# Try this, at the last step (press End), where all gradients are known:
#
# - Set `x` to 0, and then to -1.5. What follows for the gradient of `w`, and what for that of `b`?
# - Set `w` to 4, and to -4. Once the gradient of `s` is nearly 0, and once nearly -1: sure and
#   right, sure and wrong.
# - Write -0.9 for `b`, 0.1 more than it was, and compare: the loss changes by about 0.1 times the
#   gradient of `b`.
#
# A gradient holds for the numbers at hand. Change one, and all gradients are others.

# %%
loss.backward()
print(f"engine: slope by w {w.grad:.4f}, by b {b.grad:.4f}")

# %% [markdown]
# ## Three ways to get it wrong
#
# Who says which numbers are right? A judge that knows nothing of visits: it moves `w` a little to
# both sides, and looks at the loss. ([Proving](12_proving.py) is about that judge.)

# %%
h = 1e-5
moved = (forward(2.0 + h, -1.0)["loss"] - forward(2.0 - h, -1.0)["loss"]) / (2 * h)
judged = {}


def judge(what, slope):
    """Print and keep whether the judge agrees."""
    judged[what] = bool(abs(slope / moved - 1) < 1e-6)
    print(f"{what:18} {slope:8.4f}: {'right' if judged[what] else 'WRONG'}")


judge("by hand", by_hand["w"])
judge("engine", w.grad)

# %% [markdown]
# **Mistake 1: a visit too early.** We visit `s` before the long path has arrived.
#
# :::{admonition} Predict
# :class: tip
# What will the slope by `w` be then? And what will it be if `=` stands in the place of `+=`, so
# that a later part overwrites an earlier one?
# :::

# %%
early = backward(["loss", "s", "product", "log_total", "total", "power"])
judge("s too early", early["w"])

# %% [markdown]
# The direct path alone: -1 times 1.5. What the long path sends to `s` later stays there. The cure:
# visit an operation only after all that use its result. The engine goes through operations in the
# reverse of the order in which they were computed, which does it.
#
# **Mistake 2: `=` for `+=`.**

# %%
overwritten = {"loss": 1.0}
for name in ["loss", "log_total", "total", "power", "s", "product"]:
    for argument, slope in slopes[name].items():
        overwritten[argument] = overwritten[name] * slope
judge("= for +=", overwritten["w"])
judge("both wrongs added", early["w"] + overwritten["w"])

# %% [markdown]
# The long path alone has come through. Each of the two wrong numbers is one path, so their sum is
# right.
#
# **Mistake 3: no `zero_grad`.** The engine adds not only where paths meet: each `backward` adds to
# what the last one left in `w.grad`. That is of use where a loss is computed in parts
# ([mini-batches](13_minibatches.py) has an exercise), but a loop must begin each step from 0.

# %%
forward(w, b)["loss"].backward()
judge("no zero_grad", w.grad)
w.zero_grad()
b.zero_grad()
forward(w, b)["loss"].backward()
judge("zero_grad first", w.grad)

# %% [markdown]
# A second `backward` through the same graph is refused, because it would add everything twice.

# %%
import textwrap

again = forward(w, b)["loss"]
again.backward()
try:
    again.backward()
    refusal = "none"
except RuntimeError as error:
    refusal = str(error)
print(textwrap.fill(refusal, 90))

# %% [markdown]
# ## What to take away
#
# - Along a path slopes multiply; where paths meet, they add up.
# - Visit an operation after all that use its result.
# - Start from 0: `zero_grad`.
# - The slope of cross entropy by a score is what the model says less what is true.
#
# ## Exercises
#
# :::{exercise} The other class
# :label: backpropagation-other-class
#
# Let the second class be true, so that the loss is $\log(1 + e^s)$, without the $- s$. What is its
# slope by `w`, at `w = 2`, `b = -1`, `x = 1.5`? Write it with the names of `value` and `slopes`.
# :::

# %% tags=["exercise"]
slope_of_other = 0.0  # your expression instead

# %% tags=["check", "hide-input"]
from tinygrad_edu import grad
from tinygrad_edu.lessons import check


def other_loss(w):
    """The loss if the second class is true."""
    return np.log(1 + np.exp(w * x - 1.0))


check("it agrees with the engine", lambda: np.isclose(slope_of_other, grad(other_loss)(2.0)))

# %% [markdown]
# :::{solution-start} backpropagation-other-class
# :::

# %% tags=["solution"]
slope_of_other = through_power * x

# %% [markdown]
# Only the long path is left, $p$, times the slope `x` of the score by `w`.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} A rule of your own
# :label: backpropagation-rule
#
# {py:func}`~tinygrad_edu.primitive` makes one operation of a function and its rule: `g` is the
# gradient of the result `y`, and the rule gives the gradient of the argument. Write the rule of
# $\log(1 + e^s)$.
# :::

# %% tags=["exercise"]
from tinygrad_edu import primitive


def rule(g, y, s):
    """The gradient of s, from the gradient g of y = log(1 + exp(s))."""
    return g * s  # your line instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads


def softplus(s):
    """Log(1 + exp(s)), for moderate s."""
    return np.log(1 + np.exp(s))


scores = np.array([-2.0, 0.0, 3.0])
check(
    "its derivatives agree with differences", lambda: check_grads(primitive(softplus, rule), scores)
)
check("it passes g on", lambda: np.allclose(rule(3.0, 0.0, 0.0), 1.5))

# %% [markdown]
# :::{solution-start} backpropagation-rule
# :::


# %% tags=["solution"]
def rule(g, y, s):
    """The gradient of s, from the gradient g of y = log(1 + exp(s))."""
    return g / (1 + np.exp(-s))


# %% [markdown]
# The slope is the sigmoid, and `g` is what comes from above. The rule uses NumPy alone, so it can
# be differentiated itself: `check_grads` tests second derivatives, too.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: forget, and forget again
# :label: backpropagation-forget
#
# Leave `w.grad` at three times the right slope, on purpose. Begin with `zero_grad`.
# :::


# %% tags=["exercise"]
def forgetful():
    """Leave three times the slope in w.grad."""
    w.zero_grad()
    b.zero_grad()
    forward(w, b)["loss"].backward()


# %% tags=["check", "hide-input"]
def ratio():
    """How many times the right slope is in w.grad."""
    forgetful()
    return w.grad / by_hand["w"]


check("three times the slope is left", lambda: np.isclose(ratio(), 3))
check("the second time, too", lambda: np.isclose(ratio(), 3))

# %% [markdown]
# :::{solution-start} backpropagation-forget
# :::


# %% tags=["solution"]
def forgetful():
    """Leave three times the slope in w.grad."""
    w.zero_grad()
    b.zero_grad()
    for _ in range(3):
        forward(w, b)["loss"].backward()


# %% [markdown]
# Each call of `forward` records a new graph; all of them end in the same `w`.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} The order of visits
# :label: backpropagation-order
#
# Write the part of the engine that finds the order. `graph` has, for each operation, the names of
# its arguments; what is no key of it is an input. Give all operations, each after all operations
# that use its result. The graph of this page is `{name: list(slopes[name]) for name in slopes}`.
# :::


# %% tags=["exercise"]
def order_of_visits(graph):
    """The operations in an order in which each comes after all that use it."""
    return sorted(graph)  # your lines instead


# %% tags=["check", "hide-input"]
def is_order(graph):
    """Whether each comes after all that use it, and once."""
    order = order_of_visits(dict(graph))
    place = {name: i for i, name in enumerate(order)}
    used = [(user, name) for user in graph for name in graph[user] if name in graph]
    return sorted(order) == sorted(graph) and all(place[user] < place[name] for user, name in used)


here = {name: list(slopes[name]) for name in slopes}
diamond = {"a": ["w"], "d": ["b", "c"], "c": ["a"], "b": ["a", "c"]}
check("the graph of this page", lambda: is_order(here))
check("a diamond with a shortcut", lambda: is_order(diamond))
check("a chain", lambda: is_order({f"n{i}": [f"n{i + 1}"] for i in range(50)}))

# %% [markdown]
# :::{solution-start} backpropagation-order
# :::


# %% tags=["solution"]
def order_of_visits(graph):
    """The operations in an order in which each comes after all that use it."""
    order = []
    waiting = list(graph)
    while waiting:
        needed = {argument for name in waiting for argument in graph[name]}
        free = [name for name in waiting if name not in needed]
        order += free
        waiting = [name for name in waiting if name in needed]
    return order


# %% [markdown]
# Whoever is no argument of those still waiting has nobody to wait for. (On a graph with a cycle
# this would run for ever. A computation has none: a result cannot be its own argument.)
# :::{solution-end}
# :::
