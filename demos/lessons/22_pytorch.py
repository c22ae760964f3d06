# %% [markdown]
# # From here to PyTorch
#
# The same model here and in PyTorch: the same weights, the same losses, line beside line.
#
# What you have learned here carries over: PyTorch records a graph, too, `backward` adds to `.grad`,
# and the names are the same. This lesson trains one linear classifier on handwritten digits twice,
# once with each library, from the same weights and on the same batches.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from tinygrad_edu import data, losses, nn, optim

plt.style.use("tinygrad_edu.figures")

try:
    import torch
except ImportError:
    torch = None
    print("PyTorch is not installed, so its half of this lesson is left out: pip install torch")

pixels, digits = load_digits(return_X_y=True)
pixels = pixels / 16  # from 0 to 1
rng = np.random.default_rng(0)
batches = list(data.minibatches(pixels, digits, batch_size=64, rng=rng))
print(f"{len(batches)} batches of {len(batches[0][0])} images, the last of {len(batches[-1][0])}")

# %% [markdown]
# First this library. The layer starts with random weights; `state_dict` takes a copy of them, by
# name, before training changes them.

# %%
model = nn.Linear(64, 10, rng=0)
start = model.state_dict()
sgd = optim.SGD(model.parameters(), lr=0.5, momentum=0.9, weight_decay=1e-4)

ours = []
for x, y in batches:
    loss = losses.cross_entropy(model(x), y)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    ours.append(loss.item())
print(f"the loss falls from {ours[0]:.4f} to {ours[-1]:.4f}")

# %% [markdown]
# Now PyTorch, which reads the same `state_dict`. Compare the loops: they differ in nothing but the
# name of the loss, and in that PyTorch does not take NumPy's arrays as they are.

# %%
theirs = []
if torch:
    torch_model = torch.nn.Linear(64, 10, dtype=torch.float64)
    torch_model.load_state_dict({name: torch.tensor(array) for name, array in start.items()})
    torch_sgd = torch.optim.SGD(torch_model.parameters(), lr=0.5, momentum=0.9, weight_decay=1e-4)

    for x, y in batches:
        loss = torch.nn.functional.cross_entropy(torch_model(torch.tensor(x)), torch.tensor(y))
        torch_sgd.zero_grad()
        loss.backward()
        torch_sgd.step()
        theirs.append(loss.item())
    print(f"largest difference of a loss: {np.abs(np.subtract(ours, theirs)).max():.0e}")

# %%
figure = plt.figure()
axes = figure.subplots()
axes.plot(ours, color="C0", linestyle="-", linewidth=5, alpha=0.5, label="tinygrad_edu")
if torch:
    axes.plot(theirs, color="C1", linestyle="--", label="PyTorch")
axes.set(xlabel="updates", ylabel="cross entropy of the batch (nats)", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# The losses of both, update by update: one curve on the other.
#
# The losses of both, update by update: one curve on the other.
# :::

# %% [markdown]
# | here | in PyTorch |
# |---|---|
# | `Tensor([1.0, 2.0], requires_grad=True)` | `torch.tensor([1.0, 2.0], requires_grad=True)` |
# | `np.exp(t)`, `t.sum(axis=0)` | `torch.exp(t)`, `t.sum(dim=0)` |
# | `losses.cross_entropy(scores, y)` | `F.cross_entropy(scores, y)` |
# | `losses.binary_cross_entropy_with_logits` | `F.binary_cross_entropy_with_logits` |
# | `w.data -= lr * w.grad` | `with torch.no_grad(): w -= lr * w.grad` |
# | `grad(f)(x)` | `torch.func.grad(f)(x)` |
# | float64 unless you ask for less | float32 unless you ask for more |
# | `w.data` changed before `backward`: refused | not noticed, and the gradient is wrong |
#
# The weights travel both ways, because they have the same names and shapes. What PyTorch adds is
# speed: graphics cards, and fast kernels for large arrays.
