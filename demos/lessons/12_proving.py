# %% [markdown]
# # Proving a derivative
#
# You have worked out a slope. How do you find out whether it is right, without trusting anybody?
#
# In [backpropagation](11_backpropagation.py) a judge decided between right and wrong: it moved a
# weight a little, and looked at the loss. This page is about that judge. The example is the loss of
# one score that should be positive, $\log(1 + e^{-s})$, at `s = -1`, where the score is wrong.
#
# :::{admonition} Predict
# :class: tip
# The judge moves `s` by a step `h`. Does it become better and better as `h` becomes smaller?
# :::

# %%
import matplotlib.pyplot as plt
import numpy as np


def loss(s):
    """The log loss of a score that should be positive."""
    return np.log(1 + np.exp(-s))


def forward_difference(f, x, h):
    """The change of f per unit of a step h."""
    return (f(x + h) - f(x)) / h


# %% tags=["hide-input"]
plt.style.use("tinygrad_edu.figures")

axes = plt.figure().subplots()
grid = np.linspace(-2.5, 3.5, 200)
axes.plot(grid, loss(grid), color="C4", linestyle="-", label="the loss")
for h, color, style in ((3.0, "C2", "-."), (1.5, "C1", "--"), (0.01, "C0", "-")):
    slope = forward_difference(loss, -1.0, h)
    line = loss(-1.0) + slope * (grid + 1)
    axes.plot(grid, line, color=color, linestyle=style, label=f"step {h:g}: slope {slope:.3f}")
    axes.plot(-1 + h, loss(-1 + h), "o", color=color)
axes.set(xlabel="score s", ylabel="loss (nats)", ylim=(-0.5, 3))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Lines through the loss at -1, and at -1 plus a step: as the step shrinks, they become the tangent.
#
# A falling curve that bends, and three straight lines that meet it at -1 and at a second point. The
# nearer the second point, the steeper the line; the last one touches the curve as a tangent does.
# :::

# %% [markdown]
# The slope of the tangent is the derivative. It is the limit of
#
# $$\frac{f(x + h) - f(x)}{h}$$
#
# as `h` goes to 0. So let us take `h` as small as we can. The rules of calculus say that the slope
# is $-1 / (1 + e^s)$: that is the truth to compare with.

# %%
exact = -1 / (1 + np.exp(-1.0))
print(f"exact       {exact:.16f}")
for k in range(2, 17, 2):
    slope = forward_difference(loss, -1.0, 10.0**-k)
    print(f"h = 1e-{k:02}   {slope:.16f}   error {abs(slope - exact):.0e}")

# %% [markdown]
# It becomes better, and then worse. Two errors work against each other:
#
# - **Truncation.** The curve bends away from the line. The larger the step, the larger this error.
# - **Rounding.** A float holds about 16 digits. `f(x + h)` and `f(x)` agree in most of them, and
#   these cancel in the difference. The smaller the step, the fewer right digits are left.
#
# ## Better differences
#
# Rounding stays. But truncation can be made to fall faster. A **central** difference steps to both
# sides, so that the bend cancels:
#
# $$\frac{f(x + h) - f(x - h)}{2 h}$$
#
# One of **fourth order** combines two central ones, so that their errors cancel, too. And the
# **complex step** goes sideways, along the imaginary unit $i$, which is `1j` in Python:
#
# $$f(x + ih) = f(x) + i h \, f_1 - \dots$$
#
# where $f_1$ is the slope, and what is left out has $h^2$ or a higher power. So the imaginary part,
# divided by `h`, is the slope. No difference is taken, and no digit cancels; but the function must
# be written for complex numbers.


# %%
def central_difference(f, x, h):
    """The change of f per unit, to both sides."""
    return (f(x + h) - f(x - h)) / (2 * h)


def fourth_order(f, x, h):
    """Two central differences, combined."""
    return (4 * central_difference(f, x, h) - central_difference(f, x, 2 * h)) / 3


def complex_step(f, x, h):
    """The slope, seen from the side."""
    return f(x + 1j * h).imag / h


# %% [markdown]
# Rounding errors of one score are a matter of luck. So we take 101 scores, from -1.5 to -0.5, and
# the worst error of them, for steps from 1e-16 to 1.

# %%
methods = [forward_difference, central_difference, fourth_order, complex_step]
scores = np.linspace(-1.5, -0.5, 101)
hs = np.logspace(-16, 0, 65)
truth = -1 / (1 + np.exp(scores))
errors = []
for method in methods:
    slopes = np.array([method(loss, scores, h) for h in hs])
    worst = np.abs(slopes / truth - 1).max(axis=1)
    best = worst.argmin()
    errors.append(worst)
    name = method.__name__
    print(f"{name:18} best: {-np.log10(worst[best]):4.1f} digits, at h = {hs[best]:.0e}")

# %% tags=["hide-input"]
axes = plt.figure(figsize=(8, 5.2)).subplots()
for method, worst in zip(methods, errors, strict=True):
    axes.loglog(hs, worst, label=method.__name__.replace("_", " "))
axes.text(1e-14, 3e-6, "rounding:\ngrows as 1/h", ha="center")
axes.text(0.2, 2e-11, "truncation", rotation=60, ha="center")
axes.set(xlabel="step h", ylabel="worst relative error of the slope")
axes.figure.legend(loc="outside upper center", ncols=2)
plt.show()

# %% [markdown]
# :::{caption}
# Two errors make a V, with the best step at its tip. The complex step has no left branch.
#
# Four curves on logarithmic axes. Forward, central and fourth-order differences share a left branch
# that falls as h grows; their right branches rise with h, h squared and h to the power 4. The
# complex step lies on the central difference at the right, and stays at 1e-16 at the left.
# :::

# %% [markdown]
# Half of the digits of a float are all that a forward difference gives, with the best step. That is
# why no library learns by differences: they are not exact, and they need an evaluation for each
# weight. But as a judge they are very good, if we ask for six digits and not for sixteen.
#
# ## The judge of this library
#
# `check_grads` compares what the engine says with differences of fourth order, in random
# directions, and checks the derivative of the derivative, too.

# %%
from tinygrad_edu import grad, primitive
from tinygrad_edu.testing import check_grads

print(check_grads(loss, scores))

# %% [markdown]
# And it complains. {py:func}`~tinygrad_edu.primitive` makes an operation of a function and its
# **rule**, which gives the gradient of the argument `s`, from the gradient `g` of the result `y`.
# Here is a rule for the same loss, in which somebody forgot the minus.

# %%
wrong = primitive(loss, lambda g, y, s: g / (1 + np.exp(s)))
try:
    complaint = str(check_grads(lambda s: wrong(s).sum(), scores[::50]))
except AssertionError as error:
    complaint = str(error)
print(complaint)

# %% [markdown]
# The last column is the ratio of both: a constant there says what was forgotten.
#
# ## What differences cannot see
#
# At a **kink** there is no derivative, and a difference makes one up. The hinge loss of
# [the losses](04_losses.py) has a kink at the margin 1.


# %%
def hinge(m):
    """The hinge loss of a margin."""
    return np.maximum(0.0, 1.0 - m)


left = (hinge(1.0) - hinge(1.0 - 1e-6)) / 1e-6
right = forward_difference(hinge, 1.0, 1e-6)
both = central_difference(hinge, 1.0, 1e-6)
print(f"from the left {left:.3f}, from the right {right:.3f}, central {both:.3f}")
print(f"the engine takes {grad(hinge)(1.0):.3f}")

# %% [markdown]
# So test a loss away from its kinks. At the kink the engine has a convention, which the reference
# tells. It may take any number between both sides: `np.maximum` takes the middle, and
# `losses.hinge` takes 0.
#
# ## What to take away
#
# - A numerical derivative needs no theory, so it is a good judge of every other.
# - Too large a step: truncation. Too small: rounding.
# - Write a rule, then run `check_grads`. Never at a kink.
#
# ## Exercises
#
# :::{exercise} The best step
# :label: proving-best-step
#
# Find a step with which the central difference has an error below 1e-9 at all 101 scores.
# :::

# %% tags=["exercise"]
best_step = 1e-12  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check


def worst_error():
    """The largest relative error of the central difference with this step."""
    return np.abs(central_difference(loss, scores, best_step) / truth - 1).max()


check("the worst error is below 1e-9", lambda: worst_error() < 1e-9)

# %% [markdown]
# :::{solution-start} proving-best-step
# :::

# %% tags=["solution"]
best_step = 1e-5

# %% [markdown]
# Truncation goes as $h^2$ and rounding as $10^{-16} / h$. They are equal where $h^3$ is about
# $10^{-16}$, so near $5 \cdot 10^{-6}$.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} The slope of the slope
# :label: proving-second
#
# Write the second derivative as a difference: that of two slopes, one half a step to the right and
# one half a step to the left.
# :::


# %% tags=["exercise"]
def second_difference(f, x, h):
    """The slope of the slope of f."""
    return central_difference(f, x, h)  # your line instead


# %% tags=["check", "hide-input"]
second = grad(grad(loss))
check("of x squared it is 2", lambda: np.isclose(second_difference(np.square, 3.0, 1e-3), 2))
check(
    "of x cubed, at 2, it is 12",
    lambda: np.isclose(second_difference(lambda x: x**3, 2.0, 1e-3), 12),
)
check(
    "of the loss it is the engine's",
    lambda: np.isclose(second_difference(loss, -1.0, 1e-3), second(-1.0)),
)

# %% [markdown]
# :::{solution-start} proving-second
# :::


# %% tags=["solution"]
def second_difference(f, x, h):
    """The slope of the slope of f."""
    return (f(x + h) - 2 * f(x) + f(x - h)) / h**2


# %% [markdown]
# The slopes are $(f(x + h) - f(x)) / h$ and $(f(x) - f(x - h)) / h$. Their difference per unit has
# $h^2$ below, so rounding grows as $1 / h^2$: take a larger step.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: a lie that is hard to see
# :label: proving-lie
#
# Write a **wrong** rule for the log loss, whose slopes are wrong by less than a thousandth. A
# picture would not show it. Does `check_grads` refuse it?
# :::


# %% tags=["exercise"]
def lying_rule(g, y, s):
    """A rule that is nearly right, and wrong."""
    return -g / (1 + np.exp(s))  # this one is right


# %% tags=["check", "hide-input"]
def lie():
    """The largest relative error of the rule."""
    return np.abs(lying_rule(1.0, loss(scores), scores) / truth - 1).max()


def is_refused():
    """Whether check_grads finds it out."""
    try:
        check_grads(primitive(loss, lying_rule), scores, order=1)
    except AssertionError:
        return True
    return False


check("it is nearly right", lambda: lie() < 1e-3)
check("it is wrong, and refused", is_refused)

# %% [markdown]
# :::{solution-start} proving-lie
# :::


# %% tags=["solution"]
def lying_rule(g, y, s):
    """A rule that is nearly right, and wrong."""
    return -1.0001 * g / (1 + np.exp(s))


# %% [markdown]
# `check_grads` compares about seven digits. One part in ten thousand is a thousand times that.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Prove a formula
# :label: proving-formula
#
# The slope of the mean log loss of a linear classifier, with images `x` in its rows, labels `y` of
# -1 and +1, and scores `x @ w`, can be written without an engine. Write it, for all weights at
# once.
# :::


# %% tags=["exercise"]
def gradient_by_formula(w, x, y):
    """The gradient of the mean of log(1 + exp(-y * (x @ w))) by w."""
    return 0.0 * w  # your lines instead


# %% tags=["check", "hide-input"]
rng = np.random.default_rng(0)
x, y = rng.normal(size=(6, 3)), np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])


def mean_loss(w):
    """The mean log loss."""
    return loss(y * (x @ w)).mean()


def by_formula(g, value, w):
    """The formula as a rule, to be judged."""
    return g * gradient_by_formula(w, x, y)


weights = np.array([0.5, -1.0, 2.0])
check("it has the shape of w", lambda: gradient_by_formula(weights, x, y).shape == (3,))
check("check_grads agrees", lambda: check_grads(primitive(mean_loss, by_formula), weights))

# %% [markdown]
# :::{solution-start} proving-formula
# :::


# %% tags=["solution"]
def gradient_by_formula(w, x, y):
    """The gradient of the mean of log(1 + exp(-y * (x @ w))) by w."""
    slopes = -y / (1 + np.exp(y * (x @ w)))
    return x.T @ slopes / len(y)


# %% [markdown]
# The chain rule: the slope by the margin is $-1 / (1 + e^m)$, the margin grows with the score as
# `y`, and the score grows with the weights as the image.
# :::{solution-end}
# :::
