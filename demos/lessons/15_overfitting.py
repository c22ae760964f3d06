# %% [markdown]
# # Overfitting
#
# The training loss falls and falls. Why not wait until it is 0?
#
# Because we want a model that is right about images it has **not** seen. Here a network with one
# hidden layer learns digits from only 100 images, and 20 of them have a wrong label. To get these
# right, it must learn them by heart: it **overfits**. So 300 other images, which take no part in
# training, watch: they are the **validation set**. And 1,397 more, the **test set**, say at the end
# whether that was of use.
#
# :::{admonition} Predict
# :class: tip
# The network trains for 100 epochs. What will the loss on the 300 other images do meanwhile?
# :::

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x_train, x, y_train, y = train_test_split(x / 16, y, train_size=100, stratify=y, random_state=0)
x_val, x_test, y_val, y_test = train_test_split(x, y, train_size=300, stratify=y, random_state=0)
y_train[:20] = (y_train[:20] + 1) % 10  # the wrong labels

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from tinygrad_edu import data, losses, nn, no_grad, optim
from tinygrad_edu.functional import relu

plt.style.use("tinygrad_edu.figures")


def loss_on(model, x, y):
    """The mean loss of the model on these images; nothing is recorded."""
    with no_grad():
        return losses.cross_entropy(model(x), y).item()


def train(weight_decay, epochs=100):
    """The model, and what happened: losses of batches, of epochs, and the weights of each epoch."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 64, rng=rng), relu, nn.Linear(64, 10, rng=rng))
    sgd = optim.SGD(model.parameters(), lr=0.2, weight_decay=weight_decay)
    history = {"batch": [], "train": [], "validation": [], "weights": []}
    for _ in range(epochs):
        for x_batch, y_batch in data.minibatches(x_train, y_train, batch_size=10, rng=rng):
            loss = losses.cross_entropy(model(x_batch), y_batch)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            history["batch"].append(loss.item())
        history["train"].append(loss_on(model, x_train, y_train))
        history["validation"].append(loss_on(model, x_val, y_val))
        history["weights"].append(model.state_dict())  # a copy
    return model, history


model, history = train(weight_decay=0.0)
best = int(np.argmin(history["validation"]))
axes = plt.figure().subplots()
axes.plot(history["train"], label="training set")
axes.plot(history["validation"], label="validation set")
axes.plot(best, history["validation"][best], "*", color="C4", markersize=18, label="lowest")
axes.set(xlabel="epoch, from 0", ylabel="cross entropy (nats)", ylim=(0, 2))
axes.legend(loc="upper right")
plt.show()

# %% [markdown]
# :::{caption}
# The training loss falls on. The validation loss turns.
#
# Two curves over 100 epochs. The training loss falls all the way, nearly to 0. The validation loss
# falls for about 15 epochs, is lowest there, marked by a star, and rises again.
# :::

# %% [markdown]
# The code above is the loop of [mini-batches](13_minibatches.py), with two losses measured after
# each epoch, and a copy of the weights kept. At first, what helps one image helps the others. Later
# the network learns what is true of the 100 images only. Put the weights of two epochs back
# (`load_state_dict`), and measure:

# %%
outcome = {}
for epoch in (best, 99):
    model.load_state_dict(history["weights"][epoch])
    wrong_labels = loss_on(model, x_train[:20], y_train[:20])
    outcome[epoch] = loss_on(model, x_test, y_test), wrong_labels
    print(f"epoch {epoch:2}: test loss {outcome[epoch][0]:.3f}, ", end="")
    print(f"loss of the wrong labels {wrong_labels:.3f}")

# %% [markdown]
# The test set agrees: the later weights are worse, and they are sure of the wrong labels.
#
# ## When to stop
#
# The training loss never says when. It is noisy, too: each mini-batch holds other images. A
# **moving average**, the mean of the last 20 losses, shows its trend, a little late.

# %%
noisy = np.array(history["batch"][:300])  # the first 30 epochs
smooth = np.convolve(noisy, np.full(20, 1 / 20), mode="valid")
ups = np.mean(np.diff(noisy) > 0)
print(f"the loss goes up from one batch to the next in {ups:.0%} of all updates")

# %% tags=["hide-input"]
axes = plt.figure(figsize=(8, 3.5)).subplots()
axes.plot(range(1, 301), noisy, color="0.6", linewidth=0.8, linestyle="-", label="loss of a batch")
axes.plot(range(20, 301), smooth, "-", color="C0", linewidth=3, label="mean of the last 20")
axes.set(xlabel="updates", ylabel="cross entropy (nats)", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Batches differ; their moving average shows the trend.
#
# A grey jagged line of 300 losses, which goes up as often as down, and a smooth line through it,
# which falls from above 2 to about 0.3.
# :::

# %% [markdown]
# **Early stopping** watches the validation loss instead. It keeps a copy of the best weights so
# far, stops after some epochs without better ones, its **patience**, and takes the copy back.
#
# :::{admonition} Predict
# :class: tip
# Why not a patience of 1? And what does a patience of 30 cost?
# :::


# %%
def early_stopping(val_losses, patience):
    """The best epoch, and the one at which to stop; both count from 0."""
    best = 0
    for epoch, loss in enumerate(val_losses):
        if loss < val_losses[best]:
            best = epoch
        elif epoch - best == patience:
            break
    return best, epoch


for patience in (1, 3, 10, 30):
    kept, stop = early_stopping(history["validation"], patience)
    print(f"patience {patience:2}: stops at {stop:2}, keeps {kept:2}, ", end="")
    print(f"whose validation loss is {history['validation'][kept]:.3f}")

# %% [markdown]
# The validation loss is noisy, too, so little patience may stop too early. More patience costs
# epochs, and no quality, for the best weights come back. One warning: the lowest of many validation
# losses is a little too good, as it was chosen for being low. What to report instead is the subject
# of [honest evaluation](16_evaluation.py).
#
# ## Regularization
#
# Learning by heart takes large weights. So make them cost something: add the **penalty**
#
# $$\frac{\lambda}{2} \sum_j w_j^2$$
#
# to the loss. Its slope is $\lambda \, w_j$, so each step also shrinks each weight a little: hence
# the name **weight decay**, `weight_decay` of the optimizer. Whatever keeps a model simple like
# that is called **regularization**; stopping early is another kind.
#
# :::{admonition} Predict
# :class: tip
# What happens if $\lambda$ is far too large?
# :::

# %%
decays = [0.0, 0.003, 0.01, 0.03, 0.1]
runs = [train(decay)[1] for decay in decays]
print("λ     | training | validation | its lowest")
for decay, each in zip(decays, runs, strict=True):
    print(f"{decay:5} | {each['train'][-1]:8.3f} | {each['validation'][-1]:10.3f} ", end="")
    print(f"| {min(each['validation']):10.3f}")

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 3.8))
left, right = figure.subplots(1, 2, sharey=True)
for decay, each in zip(decays, runs, strict=True):
    left.plot(each["train"], label=f"{decay:g}")
    right.plot(each["validation"])
left.set(xlabel="epoch", ylabel="cross entropy (nats)", title="training set", ylim=(0, 2.4))
right.set(xlabel="epoch", title="validation set")
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5, title="λ")
plt.show()

# %% [markdown]
# :::{caption}
# A penalty holds the training loss up, and the validation loss down. Too much holds both up.
#
# Left, training losses for five penalties: the larger, the higher the curve ends. Right, validation
# losses: without penalty the curve turns up; with a middle one it rises only a little
# after its lowest point; with the largest one it stays high.
# :::

# %% [markdown]
# With the right penalty the validation loss turns far less, so it matters less when to stop. Too
# large a penalty does not let the network learn at all. The right one is found by the validation
# set, as the number of epochs is. Such numbers, which training does not learn, are
# **hyperparameters**; [tuning](18_tuning.py) is about them.
#
# ## What to take away
#
# - A low training loss is no proof of anything: the model may know the answers by heart.
# - Stop by the validation loss, with patience, and go back to the best weights.
# - A penalty on large weights does a similar job.
#
# ## Exercises
#
# :::{exercise} The penalty
# :label: overfitting-penalty
#
# Write the penalty of an array of weights, so that its slope is $\lambda$ times each weight.
# (`lambda` means something else in Python, so it is called `decay`.)
# :::


# %% tags=["exercise"]
def penalty(w, decay):
    """The penalty for large weights."""
    return decay * (w**2).sum()  # nearly


# %% tags=["check", "hide-input"]
from tinygrad_edu import grad
from tinygrad_edu.lessons import check
from tinygrad_edu.testing import check_grads

some = np.array([3.0, -1.0, 0.5])
check("its slope is right", lambda: np.allclose(grad(penalty)(some, 0.1), 0.1 * some))
check("differences agree", lambda: check_grads(lambda w: penalty(w, 0.1), some))

# %% [markdown]
# :::{solution-start} overfitting-penalty
# :::


# %% tags=["solution"]
def penalty(w, decay):
    """The penalty for large weights."""
    return decay / 2 * (w**2).sum()


# %% [markdown]
# The slope of a square is twice the weight: that is what the 1/2 is for.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} A memory that fades
# :label: overfitting-smooth
#
# An **exponential moving average** needs no list: it keeps one number, and at each new loss moves
# it by the share $1 - \beta$ towards that. It begins with the first loss. Write it for a list.
# :::


# %% tags=["exercise"]
def fading_average(values, beta):
    """The average after each value."""
    return np.array(values)  # your lines instead


# %% tags=["check", "hide-input"]
check("two values", lambda: np.allclose(fading_average([1.0, 3.0], 0.5), [1, 2]))
check("of a constant", lambda: np.allclose(fading_average([2.0] * 5, 0.9), 2))
check(
    "it is smoother", lambda: np.diff(fading_average(noisy, 0.9)).std() < np.diff(noisy).std() / 5
)

# %% [markdown]
# :::{solution-start} overfitting-smooth
# :::


# %% tags=["solution"]
def fading_average(values, beta):
    """The average after each value."""
    averages = [values[0]]
    for value in values[1:]:
        averages.append(beta * averages[-1] + (1 - beta) * value)
    return np.array(averages)


# %% [markdown]
# It is the velocity of momentum, in other clothes: a mean of the recent past.
# :::{solution-end}
# :::

# %% [markdown]
# :::{exercise} Break it: listen to the training loss
# :label: overfitting-break
#
# Stop by the training loss instead: which epoch would that keep? And by how much is its test loss
# higher than that of the epoch `best`?
# :::

# %% tags=["exercise"]
kept_by_training = 0  # your expression instead
extra_loss = 0.0  # and yours

# %% tags=["check", "hide-input"]
check("that is the epoch", lambda: history["train"][kept_by_training] == min(history["train"]))
check(
    "that is the price",
    lambda: (
        extra_loss > 0.05 and np.isclose(extra_loss, outcome[99][0] - outcome[best][0], atol=0.02)
    ),
)

# %% [markdown]
# :::{solution-start} overfitting-break
# :::

# %% tags=["solution"]
kept_by_training = int(np.argmin(history["train"]))
model.load_state_dict(history["weights"][kept_by_training])
extra_loss = loss_on(model, x_test, y_test) - outcome[best][0]

# %% [markdown]
# The training loss always votes for training on.
# :::{solution-end}
# :::
