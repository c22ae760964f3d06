# %% [markdown]
# # From graph to program
#
# The engine works through a graph, one object at a time. What if it only wrote down what it does?
#
# For small models most of the time of a step does not go into numbers. It goes into Python: a
# Tensor is made for each operation, the graph is put in order, a rule is looked up. And in every
# step of training it is the same graph again, with other numbers. So the engine can do all of that
# **once**, and write the arithmetic down as a **program** that does nothing else. This is what a
# compiler for tensors does, JAX's or PyTorch's. In the last exercise you write a small one.
#
# :::{admonition} Predict
# :class: tip
# A step of training computes scores, a loss, its gradient and an update. How many calls of NumPy
# is that, for a linear classifier with cross entropy? Guess a number before you go on.
# :::

# %%
import numpy as np

from tinygrad_edu import Tensor, draw, jit, losses, optim

rng = np.random.default_rng(0)
x = rng.normal(size=(4, 2))
y = np.array([0, 1, 2, 0])
W = Tensor(rng.normal(size=(3, 2)), requires_grad=True, name="W")
b = Tensor(np.zeros(3), requires_grad=True, name="b")
loss = losses.cross_entropy(x @ W.T + b, y)

# %% tags=["hide-input"]
draw(loss, show="value", collapse=False, names={"x": x})

# %% [markdown]
# :::{caption}
# The graph of one loss: what is recorded while the forward pass runs.
#
# A graph from top to bottom. x times W transposed, plus b, are the scores. Their largest is
# subtracted, then exp, a sum over classes and log; the score of the true class is subtracted, and
# the mean over four examples is the loss.
# :::
#
# ## The gradient is a graph, too
#
# [Backpropagation](11_backpropagation.py) multiplies and adds numbers on its way back. Multiplying
# and adding are operations. So if the rules compute with Tensors instead of arrays, the way back is
# recorded as well, and the gradient has a graph of its own. The update is one more subtraction.
#
# Only one line of [the loop](01_loop.py) stands in another place below: `zero_grad` comes last. So
# no gradient outlives the step, and the program need not hand any out.

# %%
sgd = optim.SGD([W, b], lr=0.1)


@jit
def step(x, y):
    """One step of training, as in the lessons before."""
    loss = losses.cross_entropy(x @ W.T + b, y)
    loss.backward()
    sgd.step()
    sgd.zero_grad()
    return loss


graph = step.graph(x, y)
print("what a step gives and changes:", list(graph))

# %% tags=["hide-input"]
draw(graph["b.data"], show="value")

# %% [markdown]
# :::{caption}
# Everything that the new b is computed from: forward, backward and update in one graph.
#
# The graph from above goes on: one divided by the sum of powers, times the powers, minus one at the
# true class, summed over examples, times the learning rate, subtracted from b.
# :::
#
# ## The program
#
# A graph in order is a list of lines. `jit` (just in time) ran `step` with the first arguments,
# noted each operation as it passed, and wrote it down as one Python function:

# %%
print(step.source)

# %% [markdown]
# Read it beside the picture: each line is one box. What is not there is as telling:
#
# - No Tensor, no graph, no search for rules. `W_leaf._value` reads the weights as they are now.
# - `buffer0`, `buffer1`, ... are memory that is made once. A result that nobody needs any more
#   lends its place to the next one (`out=buffer0`).
# - What is needed twice is computed once. What is needed nowhere is not computed at all.
# - The sum over classes has become a product with ones, which is faster for short rows.
# - `check_labels` is still there: bad labels raise the same error as before.
# - All changes come at the end, at once. A step that fails has changed nothing.

# %%
calls = [line for line in step.lines if line.op is not None]
parts = {
    part: sum(line.part == part for line in calls) for part in ("forward", "backward", "update")
}
print(f"{len(calls)} lines:", parts)

# %% [markdown]
# ## The same numbers
#
# A program is worth something only if it does what the function does. So both train, from the same
# beginning, on the same batches.


# %%
def train(write_down, steps=50):
    """The losses of a few steps, and the weights at the end."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(32, 64))
    y = rng.integers(0, 10, 32)
    W = Tensor(np.zeros((10, 64)), requires_grad=True)
    sgd = optim.SGD([W], lr=0.1)

    def step(x, y):
        loss = losses.cross_entropy(x @ W.T, y)
        loss.backward()
        sgd.step()
        sgd.zero_grad()
        return loss

    if write_down:
        step = jit(step)
    history = [step(x, y).item() for _ in range(steps)]
    return history, W.numpy(), lambda: step(x, y)


recorded, recorded_weights, recorded_step = train(write_down=False)
written, written_weights, written_step = train(write_down=True)
print("largest difference of losses: ", np.abs(np.subtract(recorded, written)).max())
print("largest difference of weights:", np.abs(recorded_weights - written_weights).max())

# %% [markdown]
# The differences are rounding: the product with ones adds in another order. And the time? The least
# of many runs, because other programs on the computer can only make a run longer.

# %%
from timeit import repeat

seconds = {
    "recorded": min(repeat(recorded_step, number=20, repeat=20)) / 20,
    "written down": min(repeat(written_step, number=20, repeat=20)) / 20,
}
ratio = seconds["recorded"] / seconds["written down"]
print({name: f"{1e6 * time:.0f} us" for name, time in seconds.items()})
print(f"The program takes 1/{ratio:.1f} of the time.")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")
figure, axes = plt.subplots(figsize=(6, 1.8))
axes.barh(list(seconds), [1e6 * time for time in seconds.values()], color=["0.6", "C0"])
axes.set_xlabel("microseconds a step")
plt.show()

# %% [markdown]
# :::{caption}
# A step of a linear classifier, 32 examples of 64 features, on the computer that built this page.
#
# Two horizontal bars. The one for the recorded step is several times as long as the one for the
# step that was written down.
# :::
#
# For a large model the bars would be nearly equal: there the time goes into the products of
# matrices, which are the same calls in both.
#
# ## What cannot be written down
#
# The program was written while `step` ran on the first batch. It must be right for every batch. So
# whatever depends on the numbers in another way than through operations has to be refused.


# %%
@jit
def careful(x):
    """A loss that is not to become large."""
    loss = (x * x).sum()
    if loss > 1.0:
        loss = loss * 0.5
    return loss


try:
    careful(np.array([1.0, 2.0]))
except TypeError as error:
    print(error)

# %% [markdown]
# An `if` takes one of two ways, and a list of lines has only one. `np.where` computes both and
# chooses by numbers: that is an operation, and can be written down.
#
# ## What to take away
#
# - A gradient is a graph, and a graph can be written down: as a straight program of array calls,
#   forward, backward and update.
# - It is faster because the bookkeeping is done once.
# - It is right as long as nothing but operations carries numbers from one line to the next.
#
# ## Exercises
#
# :::{exercise} What is dropped
# :label: program-dropped
#
# How many lines named `exp` does the program of this function have? Say a number, then look at
# `wasteful.source`.
# :::


# %% tags=["exercise"]
@jit
def wasteful(x):
    """A function that computes more than it needs."""
    _unused = np.exp(x) + 1.0
    once = np.exp(-x)
    again = np.exp(-x)
    return once * again


count = None  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check


def lines_named(compiled, name):
    """The lines of a program that call a function of this name."""
    return [line for line in compiled.lines if getattr(line.op, "__name__", "") == name]


def is_the_number():
    """Whether count is the number of lines named exp."""
    wasteful(np.ones(2))
    return count == len(lines_named(wasteful, "exp"))


check("that is the number of lines", is_the_number)

# %% [markdown]
# :::{solution-start} program-dropped
# :::

# %% tags=["solution"]
count = 1

# %% [markdown]
# `_unused` leads to nothing that is returned, so it is not needed. `once` and `again` are the same
# call of the same operand, so they are one line.
# :::{solution-end}
# :::
#
# :::{exercise} Without if
# :label: program-where
#
# Write `careful` so that it can be written down: half of the loss where it is above 1. Its
# derivative is proven by `check_grads`, on both sides.
# :::


# %% tags=["exercise"]
def careful_loss(x):
    """The sum of squares, or half of it where that is above 1."""
    return (x * x).sum()  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

written_down = jit(lambda x: careful_loss(x))
check(
    "small losses stay as they are",
    lambda: abs(float(written_down(np.array([0.1, 0.2]))) - 0.05) < 1e-9,
)
check("large losses are halved", lambda: float(written_down(np.array([1.0, 3.0]))) == 5.0)
check("its slopes are right", lambda: check_grads(careful_loss, [1.0, 2.0]))

# %% [markdown]
# :::{solution-start} program-where
# :::


# %% tags=["solution"]
def careful_loss(x):
    """The sum of squares, or half of it where that is above 1."""
    loss = (x * x).sum()
    return np.where(loss > 1.0, loss * 0.5, loss)


# %% [markdown]
# Both sides are computed, and the condition chooses. The gradient flows to the chosen side.
# :::{solution-end}
# :::
#
# :::{exercise} Break it: a number that stays behind
# :label: program-stale
#
# Break it on purpose: `Settings.scale` is a number inside of an object, which `jit` cannot see
# change. Run the cell, and look at the second result. Then repair it: make it a Tensor, which is
# read in each call, and set its `data` from 2 to 3.
# :::


# %% tags=["exercise"]
class Settings:
    """Numbers that a program uses."""

    scale = 2.0


scaled = jit(lambda x: Settings.scale * x)
first = scaled(np.ones(2))
Settings.scale = 3.0
second = scaled(np.ones(2))
print(first, second)


# %% tags=["check", "hide-input"]
def numbers(result):
    """A result as an array."""
    return np.asarray(result.numpy() if isinstance(result, Tensor) else result)


check("the first result is 2", lambda: (numbers(first) == 2.0).all())
check("the second result is 3", lambda: (numbers(second) == 3.0).all())
check("it is one program", lambda: isinstance(Settings.scale, Tensor))

# %% [markdown]
# :::{solution-start} program-stale
# :::


# %% tags=["solution"]
class Settings:
    """Numbers that a program uses."""

    scale = Tensor(2.0)


scaled = jit(lambda x: Settings.scale * x)
first = scaled(np.ones(2))
Settings.scale.data = 3.0
second = scaled(np.ones(2))
print(first, second)

# %% [markdown]
# The program has the line `scale_leaf._value`, and reads it in each call. To pass the number as an
# argument would be right, too: then there is one program for 2 and one for 3.
# :::{solution-end}
# :::
#
# :::{exercise} A compiler of your own
# :label: program-compiler
#
# A result knows its operation, `t.op`, and its operands, `t.args`. Write `write_down(root)`: the
# forward pass of a graph of `np.add`, `np.multiply` and `np.exp`, as the text of a function of its
# leaves, each result a line such as `t0 = multiply(p, q)`. `topological_order` gives the results,
# the newest first; `leaves` is a dict from names to the Tensors that the graph begins with.
# :::

# %% tags=["exercise"]
from tinygrad_edu.backprop import topological_order


def write_down(root, leaves):
    """The text of a Python function ``program``, whose arguments are the values of ``leaves``."""
    lines = [f"def program({', '.join(leaves)}):"]
    print([result.op.__name__ for result in topological_order(root)])
    lines.append("    return 0.0")  # your lines instead
    return "\n".join(lines)


# %% tags=["check", "hide-input"]
def program_of(root, leaves):
    """The function that is written down."""
    space = {"add": np.add, "multiply": np.multiply, "exp": np.exp}
    exec(write_down(root, leaves), space)
    return space["program"]


p = Tensor(2.0, requires_grad=True)
q = Tensor(3.0, requires_grad=True)
shared = p * q
check("a product", lambda: program_of(p * q, {"p": p, "q": q})(4.0, 5.0) == 20.0)
check(
    "other numbers, used twice, with a constant",
    lambda: program_of(np.exp(shared) + shared * 2.0, {"p": p, "q": q})(0.0, 7.0) == 1.0,
)
check(
    "each result is computed once",
    lambda: write_down(shared + shared, {"p": p, "q": q}).count("multiply") == 1,
)

# %% [markdown]
# :::{solution-start} program-compiler
# :::


# %% tags=["solution"]
def write_down(root, leaves):
    """The text of a Python function ``program``, whose arguments are the values of ``leaves``."""
    words = {leaf: name for name, leaf in leaves.items()}
    lines = [f"def program({', '.join(leaves)}):"]
    oldest_first = topological_order(root)[::-1]
    for i, result in enumerate(oldest_first):
        operands = [words[arg] if isinstance(arg, Tensor) else repr(arg) for arg in result.args]
        words[result] = f"t{i}"
        lines.append(f"    t{i} = {result.op.__name__}({', '.join(operands)})")
    lines.append(f"    return {words[root]}")
    return "\n".join(lines)


# %% [markdown]
# Fifteen lines, and the heart of `jit`. The rest is care: arrays instead of numbers, memory that is
# used again, checks, and refusing what cannot be repeated.
# :::{solution-end}
# :::
