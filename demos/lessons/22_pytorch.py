# %% [markdown]
# # From here to PyTorch and scikit-learn
#
# What of all this carries over to the libraries that people work with?
#
# Nearly all of it. PyTorch records a graph, too, `backward` adds to `.grad`, and the names are the
# same. This page trains one linear classifier on digits three times: here, with PyTorch from the
# same weights on the same batches, and as an estimator of scikit-learn.
#
# :::{admonition} Predict
# :class: tip
# How far apart will the losses of both libraries be, after an epoch?
# :::

# %%
import numpy as np
from sklearn.datasets import load_digits

from tinygrad_edu import data, losses, nn, optim

x, y = load_digits(return_X_y=True)
x = x / 16
batches = list(data.minibatches(x, y, batch_size=64, rng=np.random.default_rng(0)))
print(f"{len(batches)} batches of {len(batches[0][0])} images, the last of {len(batches[-1][0])}")

# %% [markdown]
# First this library. `state_dict` takes a copy of the weights, by name, before training changes
# them.

# %%
model = nn.Linear(64, 10, rng=0)
start = model.state_dict()
sgd = optim.SGD(model.parameters(), lr=0.5, momentum=0.9, weight_decay=1e-4)

ours = []
for x_batch, y_batch in batches:
    loss = losses.cross_entropy(model(x_batch), y_batch)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    ours.append(loss.item())
print(f"the loss falls from {ours[0]:.4f} to {ours[-1]:.4f}")

# %% [markdown]
# Now PyTorch, which reads the same `state_dict`. Compare the loops line by line: they differ in the
# name of the loss, and in that PyTorch does not take NumPy's arrays as they are.

# %%
try:
    import torch
except ImportError:
    torch = None
    print("PyTorch is not installed, so its half of this page is left out: pip install torch")

theirs = []
if torch:
    torch_model = torch.nn.Linear(64, 10, dtype=torch.float64)
    torch_model.load_state_dict({name: torch.tensor(array) for name, array in start.items()})
    torch_sgd = torch.optim.SGD(torch_model.parameters(), lr=0.5, momentum=0.9, weight_decay=1e-4)

    for x_batch, y_batch in batches:
        scores = torch_model(torch.tensor(x_batch))
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y_batch))
        torch_sgd.zero_grad()
        loss.backward()
        torch_sgd.step()
        theirs.append(loss.item())
    print(f"largest difference of a loss: {np.abs(np.subtract(ours, theirs)).max():.0e}")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")

axes = plt.figure(figsize=(8, 3.8)).subplots()
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
# A thick blue line and a dashed orange one on top of it fall from above 2 to about 0.4.
# :::

# %% [markdown]
# The difference is rounding: both libraries add the same numbers in another order.
#
# ## A phrase book
#
# | here | in PyTorch |
# |---|---|
# | `Tensor([1.0, 2.0], requires_grad=True)` | `torch.tensor([1.0, 2.0], requires_grad=True)` |
# | `np.exp(t)`, `t.sum(axis=0)` | `torch.exp(t)`, `t.sum(dim=0)` |
# | `losses.cross_entropy(scores, y)` | `F.cross_entropy(scores, y)`, `F` is `torch.nn.functional` |
# | `w.data -= lr * w.grad` | `with torch.no_grad(): w -= lr * w.grad` |
# | `grad(f)(x)` | `torch.func.grad(f)(x)` |
# | `check_grads(f, x)` | `torch.autograd.gradcheck(f, x)` |
# | float64 unless you ask for less | float32 unless you ask for more |
# | `w.data` changed before `backward`: refused | not noticed, and the gradient is wrong |
#
# The weights travel both ways, because they have the same names and shapes. What PyTorch adds is
# speed: graphics cards, and faster code for large arrays.
#
# ## scikit-learn
#
# There a model is an **estimator**: `fit` learns, `predict` answers, `score` measures, and settings
# are given when it is made. [Tuning](18_tuning.py) used `LinearClassifier`, which is one. So it
# goes into pipelines, where preparation learns from the training data alone, and stands beside
# scikit-learn's own.

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tinygrad_edu.classifier import LinearClassifier

x_train, x_held, y_train, y_held = train_test_split(x, y, stratify=y, random_state=0)
penalty = 0.01
by_sgd = LinearClassifier(alpha=penalty, learning_rate=0.1, max_iter=50, tol=None, random_state=0)
by_sklearn = LogisticRegression(C=1 / (penalty * len(x_train)))
scores = []
for estimator in (by_sgd, by_sklearn):
    pipeline = make_pipeline(StandardScaler(), estimator)
    pipeline.fit(x_train, y_train)
    scores.append(pipeline.score(x_held, y_held))
    print(f"{type(estimator).__name__:18} accuracy {scores[-1]:.3f} on images held out")
same = np.corrcoef(by_sgd.coef_.ravel(), by_sklearn.coef_.ravel())[0, 1]
print(f"correlation of their weights: {same:.4f}")

# %% [markdown]
# Both have the same loss, a convex one ([gradient descent](10_descent.py)): the mean cross entropy
# and a penalty. So they come to nearly the same weights, by different ways. scikit-learn writes the
# penalty $\lambda$ as `C` $= 1 / (\lambda N)$ in one estimator, and as `alpha` in another.
#
# ## What to take away
#
# - The loop is the same: loss, `zero_grad`, `backward`, `step`.
# - The names are the same; float32 is not float64.
# - `fit`, `predict`, `score`: so a model of yours is compared, tuned and tested like any other.
#
# ## Exercises
#
# :::{exercise} The words of scikit-learn
# :label: pytorch-c
#
# Which `alpha` of `LinearClassifier` is meant by `C = 2` of `LogisticRegression`, with 500
# examples?
# :::

# %% tags=["exercise"]
alpha_of_c = 2.0  # your number instead

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("it is the same penalty", lambda: np.isclose(1 / (alpha_of_c * 500), 2))

# %% [markdown]
# :::{solution-start} pytorch-c
# :::

# %% tags=["solution"]
alpha_of_c = 1 / (2 * 500)

# %% [markdown]
# `C` multiplies the sum of the losses, `alpha` the penalty beside their mean.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} The loop, from memory
# :label: pytorch-loop
#
# Train a new `nn.Linear(64, 10, rng=1)` for two epochs, with SGD and batches of 32, so that its
# loss on all images is below 0.3. Close the page above first.
# :::


# %% tags=["exercise"]
def train():
    """A trained model."""
    return nn.Linear(64, 10, rng=1)  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

check("its loss is below 0.3", lambda: losses.cross_entropy(train()(x), y).item() < 0.3)
check(
    "its gradients agree with differences",
    lambda: check_grads(lambda s: losses.cross_entropy(s, y[:5]), train()(x[:5]).numpy()),
)

# %% [markdown]
# :::{solution-start} pytorch-loop
# :::


# %% tags=["solution"]
def train():
    """A trained model."""
    model = nn.Linear(64, 10, rng=1)
    sgd = optim.SGD(model.parameters(), lr=1.0)
    rng = np.random.default_rng(0)
    for _ in range(2):
        for x_batch, y_batch in data.minibatches(x, y, batch_size=32, rng=rng):
            loss = losses.cross_entropy(model(x_batch), y_batch)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
    return model


# %% [markdown]
# In PyTorch: `torch.nn.Linear`, `torch.optim.SGD`, a `DataLoader`, and the loss above.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: what is refused here
# :label: pytorch-refused
#
# Write a function in which the data of `w` changes between the forward and the backward pass, so
# that this library refuses to go backward. (PyTorch would give a wrong gradient.)
# :::


# %% tags=["exercise"]
def changed_too_early():
    """Change w.data too early, and go backward."""
    w = Tensor(2.0, requires_grad=True)
    square = w * w
    square.backward()
    return w.grad


# %% tags=["check", "hide-input"]
from tinygrad_edu import Tensor


def is_refused():
    """Whether it raises an error that says so."""
    try:
        changed_too_early()
    except RuntimeError as error:
        return "data" in str(error)
    return False


check("it is refused", is_refused)

# %% [markdown]
# :::{solution-start} pytorch-refused
# :::


# %% tags=["solution"]
def changed_too_early():
    """Change w.data too early, and go backward."""
    w = Tensor(2.0, requires_grad=True)
    square = w * w
    w.data += 1
    square.backward()
    return w.grad


# %% [markdown]
# The slope of $w^2$ at the old `w` is 4. With the new data it would come out as 6, and nobody would
# notice.
# :::{solution-end}
# :::
