# %% [markdown]
# # Backpropagation by hand
#
# Backpropagation by hand: a list of visits, three ways to get it wrong, and who is right.
#
# A neuron with one input `x` computes `z = w * x + b` and puts out `y = z * sigmoid(z)`. Its loss
# is the square of the error `y - target`. That takes six operations, and `z` is used twice. The
# gradient tells how much the loss changes, per unit of a change in `w`, or in `b`.

# %%
from tinygrad_edu import Tensor, draw, steps
from tinygrad_edu.functional import sigmoid

x, target = 1.5, 1.0


def forward(w, b):
    """Every value on the way from the parameters to the loss, by name."""
    m = w * x
    z = m + b
    s = sigmoid(z)
    y = z * s
    e = y - target
    loss = e**2
    return locals()


w, b = Tensor(2.0, requires_grad=True), Tensor(-1.0, requires_grad=True)
graph = forward(w, b)
draw(graph["loss"], names=graph)

# %% [markdown]
# :::{caption}
# Arrows go from a value, blue, to what is computed from it; gradients, orange, flow back.
#
# Arrows go from a value, blue, to what is computed from it; gradients, orange, flow back.
# :::

# %%
steps(graph["loss"], names=graph)

# %% [markdown]
# :::{caption}
# Next goes one operation on.
#
# Next goes one operation on.
# :::

# %% [markdown]
# Now by hand, with plain numbers. Each operation knows its *slopes*: by how much its result
# changes, per unit of each of its arguments. To visit it is to multiply its own gradient by each
# slope, and to add the product to the gradient of that argument. So backpropagation is a list of
# visits, from the loss, whose own gradient is 1, back to the parameters. Is the result right? The
# numerical derivative is the judge: it nudges `w` to both sides, and knows nothing of visits.

# %%
values = {name: float(value) for name, value in forward(2.0, -1.0).items()}
z, s, e = values["z"], values["s"], values["e"]
slopes = {
    "loss": {"e": 2 * e},
    "e": {"y": 1.0},
    "y": {"z": s, "s": z},  # of a product: the slope for one factor is the other factor
    "s": {"z": s * (1 - s)},
    "z": {"m": 1.0, "b": 1.0},
    "m": {"w": x},
}


def backward(visits):
    """The gradient of the loss by each value."""
    gradient = dict.fromkeys(values, 0.0) | {"loss": 1.0}
    for node in visits:
        for argument, slope in slopes[node].items():
            gradient[argument] += gradient[node] * slope
            print(f"  visit {node:4}  {argument} += {gradient[node]:.3f} * {slope:.3f}")
    return gradient


h = 1e-5
nudged = (forward(2.0 + h, -1.0)["loss"] - forward(2.0 - h, -1.0)["loss"]) / (2 * h)
judged = {}


def judge(what, slope):
    """Print and keep whether the numerical derivative agrees."""
    judged[what] = abs(slope / nudged - 1) < 1e-6
    print(f"{what:15} {slope:.6f}, nudged {nudged:.6f}: {'right' if judged[what] else 'WRONG'}")


by_hand = backward(["loss", "e", "y", "s", "z", "m"])
judge("by hand", by_hand["w"])

# %% [markdown]
# **Mistake 1: a visit too early.** We visit `z` before `s`. But `s` has not sent its part to `z`
# yet, so `z` passes on too little, and what comes later stays there. The cure: visit an operation
# after all that use its result. The engine visits in reverse order of computation, which does it.

# %%
early = backward(["loss", "e", "y", "z", "s", "m"])
judge("z before s", early["w"])

# %% [markdown]
# **Mistake 2: `=` for `+=`.** Two paths from the loss meet at `z`, and the second wipes out the
# first. The cure is to add. Both wrong numbers are one path alone, and their sum is right.

# %%
overwritten = {"loss": 1.0}
for node in ["loss", "e", "y", "s", "z", "m"]:
    for argument, slope in slopes[node].items():
        overwritten[argument] = overwritten[node] * slope
judge("= for +=", overwritten["w"])
judge("sum of both", early["w"] + overwritten["w"])

# %% [markdown]
# **Mistake 3: no `zero_grad`.** The engine adds not only where paths meet: each `backward` adds to
# what the one before left in `w.grad`. The cure is to forget that first.

# %%
forward(w, b)["loss"].backward()
judge("engine", w.grad)
forward(w, b)["loss"].backward()
judge("no zero_grad", w.grad)
judge("half of it", w.grad / 2)
w.zero_grad(), b.zero_grad()
forward(w, b)["loss"].backward()
judge("zero_grad first", w.grad)

# %% [markdown]
# What to remember: visit each operation after all that use it; add where paths meet; start from 0.
