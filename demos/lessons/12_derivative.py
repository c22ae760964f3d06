# %% [markdown]
# # The numerical derivative first
#
# Nudge the input and see the slope: the numerical derivative, and how far to trust it.
#
# A slope answers one question: if I nudge the input a little, by how much does the output change,
# per unit of the nudge? No rule of calculus is needed to measure that. Our output is the loss
# `log(1 + exp(-s))` of a score `s` that should be positive. The score is -1, so it is wrong.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tinygrad_edu import grad

plt.style.use("tinygrad_edu.figures")


def loss(s):
    """The log loss of a score."""
    return np.log(1 + np.exp(-s))


def forward(f, x, h):
    """The change per unit of a nudge h: the forward difference."""
    return (f(x + h) - f(x)) / h


figure = plt.figure()
axes = figure.subplots()
x = np.linspace(-2.5, 3.5, 200)
axes.plot(x, loss(x), color="C4", linestyle="-", label="the loss")
for h, color, style in ((3.0, "C2", "-."), (1.5, "C1", "--"), (0.01, "C0", "-")):
    slope = forward(loss, -1.0, h)
    print(f"nudge {h:4}: the loss changes by {slope:.4f} per unit")
    axes.plot(x, loss(-1.0) + slope * (x + 1), color=color, linestyle=style, label=f"nudge {h:g}")
    axes.plot(-1 + h, loss(-1 + h), "o", color=color)
axes.set(xlabel="score s", ylabel="loss (nats: natural logarithm)", ylim=(-0.5, 3))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Lines through the loss at -1 and at -1 plus a nudge: as the nudge shrinks, they turn into the
# tangent.
#
# Lines through the loss at -1 and at -1 plus a nudge: as the nudge shrinks, they turn into the
# tangent.
# :::

# %% [markdown]
# The slope of the tangent is the derivative. So let us take the nudge, from now on the step `h`, as
# small as we can. The rules of calculus give `-1 / (1 + exp(s))`: that is the judge.

# %%
exact = -1 / (1 + np.exp(-1.0))
print(f"exact       {exact:.16f}")
for k in range(2, 17, 2):
    slope = forward(loss, -1.0, 10.0**-k)
    print(f"h = 1e-{k:02}   {slope:.16f}   error {abs(slope - exact):.0e}")

# %% [markdown]
# It gets better, and then worse. Two errors work against each other:
#
# - **Truncation.** The curve bends away from the line. This error grows with the step.
# - **Rounding.** A float holds about 16 digits. `f(x + h)` and `f(x)` agree in most of them; these
#   cancel in the difference, and few right digits are left. The smaller the step, the fewer.
#
# Rounding stays, but truncation can be made to fall faster. A *central* difference steps to both
# sides, so that the bend cancels. One of *fourth order* combines two central ones, so that their
# error cancels, too. The *complex step* walks in the imaginary direction: there
# `f(x + ih) = f(x) + ih f'(x) - ...`, so the slope is the imaginary part divided by `h`. No
# difference is taken, so no digits cancel. Rounding errors of one score are a matter of luck; so we
# try 101 scores, from -1.5 to -0.5, and take the worst.

# %%
methods = {
    "forward": forward,
    "central": lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
    "fourth order": lambda f, x, h: (
        (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
    ),
    "complex step": lambda f, x, h: f(x + 1j * h).imag / h,
}
scores, hs = np.linspace(-1.5, -0.5, 101), np.logspace(-16, 0, 65)
truth = -1 / (1 + np.exp(scores))
slopes = np.array([[f(loss, scores, h) for h in hs] for f in methods.values()])
errors = np.max(np.abs(slopes / truth - 1), axis=2)  # relative to the true slope
falls, grows = (  # p, where an error goes as h to the power p: the slope on logarithmic axes
    np.polyfit(np.log(hs[part]), np.log(errors[:, part]).T, 1)[0]
    for part in (slice(56, 61), slice(8, 33))  # 0.01 to 0.1, where truncation rules; 1e-14 to 1e-8
)
best, digits = hs[errors.argmin(axis=1)], -np.log10(errors.min(axis=1))
figure = plt.figure(figsize=(8, 5.2))
axes = figure.subplots()
for name, error, p, q, h, n in zip(methods, errors, falls, grows, best, digits, strict=True):
    axes.loglog(hs, error, label=f"{name}: falls as $h^{{{p:.2f}}}$")
    print(f"{name:12}  right: h^{p:.2f}  left: h^{q:5.2f}  best: {n:4.1f} digits, at h = {h:.0e}")
axes.text(1e-14, 3e-6, "rounding:\ngrows as 1/h", ha="center")
axes.text(0.2, 2e-11, "truncation", rotation=60, ha="center")
axes.set(xlabel="step h", ylabel="worst relative error of the slope")
figure.legend(loc="outside upper center", ncols=2)
plt.show()

# %% [markdown]
# :::{caption}
# Two errors make a V, with the best step at its tip. The complex step has no left branch; for
# large steps it lies on the central difference.
#
# Two errors make a V, with the best step at its tip. The complex step has no left branch; for
# large steps it lies on the central difference.
# :::

# %% [markdown]
# Forward differences give half of the digits of a float, to those who find the best step. For the
# complex step any tiny one will do, but the function must be written for complex numbers. The
# engine has no step: it applies the rules of calculus, and only their results are rounded. (Each
# score moves only its own loss, so the gradient of the sum holds all 101 slopes.)

# %%
engine = np.max(np.abs(grad(lambda s: loss(s).sum())(scores) / truth - 1))
print(f"engine: worst relative error {engine:.0e}; the last digit of 1.0: {np.spacing(1.0):.0e}")

# %% [markdown]
# What to remember: a numerical derivative needs no theory, so it is a good judge of any other, if
# we ask it for six digits and not for sixteen. `check_grads` tests with it, at fourth order.
