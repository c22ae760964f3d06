# %% [markdown]
# # When to stop
#
# When to stop: the training loss never says, so watch other examples, wait, and go back.
#
# The loss on the training set falls and falls, but we want a model that is right about new images.
# Here a network with one hidden layer learns to read digits from only 100 images, 20 of them with a
# wrong label. To get these right, it must learn them by heart: it **overfits**. So 300 images that
# take no part in training, the **validation set**, say when to stop; a **test set**, if that helps.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tinygrad_edu import data, losses, nn, no_grad, optim
from tinygrad_edu.functional import relu

plt.style.use("tinygrad_edu.figures")

x, y = load_digits(return_X_y=True)
x_train, x, y_train, y = train_test_split(x / 16, y, train_size=100, stratify=y, random_state=0)
x_val, x_test, y_val, y_test = train_test_split(x, y, train_size=300, stratify=y, random_state=0)
y_train[:20] = (y_train[:20] + 1) % 10  # the wrong labels

rng = np.random.default_rng(0)
model = nn.Sequential(nn.Linear(64, 64, rng=rng), relu, nn.Linear(64, 10, rng=rng))
sgd = optim.SGD(model.parameters(), lr=0.2)
batch_losses, train_losses, val_losses, weights = [], [], [], []


def loss_on(x, y):
    """The mean loss of the model on these images; nothing is recorded."""
    with no_grad():
        return losses.cross_entropy(model(x), y).item()


for _ in range(100):
    for x_batch, y_batch in data.minibatches(x_train, y_train, batch_size=10, rng=rng):
        sgd.zero_grad()
        loss = losses.cross_entropy(model(x_batch), y_batch)
        loss.backward()
        sgd.step()
        batch_losses.append(loss.item())
    train_losses.append(loss_on(x_train, y_train))
    val_losses.append(loss_on(x_val, y_val))
    weights.append(model.state_dict())  # a copy

# %% [markdown]
# Why not stop when the training loss no longer falls? First, that is hard to see. The loss of each
# mini-batch is noisy, because each batch holds other images. A **moving average**, the mean of the
# last 20 losses, shows the trend. It comes a little late, because it looks back.

# %%
noisy = np.array(batch_losses[:300])  # the first 30 epochs
smooth = np.convolve(noisy, np.full(20, 1 / 20), mode="valid")
ups = np.mean(np.diff(noisy) > 0)
print(f"the loss of a batch is higher than that of the batch before it in {ups:.0%} of all updates")
axes = plt.figure().subplots()
axes.plot(range(1, 301), noisy, color="0.6", linewidth=0.8, label="loss of one batch")
axes.plot(range(20, 301), smooth, "-", color="C0", linewidth=3, label="mean of the last 20")
axes.set(xlabel="updates", ylabel="cross entropy (nats)", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# :::{caption}
# Batches differ; their moving average shows the trend.
#
# Batches differ; their moving average shows the trend.
# :::

# %% [markdown]
# Second, and worse, it falls on and on, while the validation loss turns. **Early stopping** keeps a
# copy of the best weights so far, those with the lowest validation loss, stops after some epochs
# without better ones, its **patience**, and restores them. We have trained on, to compare.


# %%
def early_stopping(patience):
    """The best epoch, and the one at which to stop; both count from 0."""
    best = 0
    for epoch, loss in enumerate(val_losses):
        if loss < val_losses[best]:
            best = epoch
        elif epoch - best == patience:
            break
    return best, epoch


found = {patience: early_stopping(patience) for patience in (1, 3, 10, 30)}
for patience, (best, stop) in found.items():
    print(f"patience {patience:2}: stops at {stop}, best loss {val_losses[best]:.3f} at {best}")
best, stop = found[10]
outcome = {}
for epoch in (99, best):
    model.load_state_dict(weights[epoch])
    test, wrong = loss_on(x_test, y_test), loss_on(x_train[:20], y_train[:20])
    print(f"weights of epoch {epoch}: test loss {test:.3f}, loss of the wrong labels {wrong:.3f}")
    outcome[epoch] = test, wrong
axes = plt.figure().subplots()
axes.plot(train_losses, label="train")
axes.plot(val_losses, label="validation")
axes.axvspan(best, stop, color="C1", alpha=0.2, linewidth=0, label="patience, then stop")
axes.plot(best, val_losses[best], "*", color="C4", markersize=18, label="best, restored")
axes.set(xlabel="epoch, from 0", ylabel="cross entropy (nats)", ylim=(0, 2))
axes.legend(loc="upper right", ncols=2)
plt.show()

# %% [markdown]
# :::{caption}
# The training loss falls on, the validation loss turns.
#
# The training loss falls on, the validation loss turns.
# :::

# %% [markdown]
# After the best epoch the network grows sure of the wrong labels, and gets worse on other images.
# The test set, which took part in no choice, agrees. The validation loss is noisy, too, so little
# patience may stop too early. More patience costs epochs but no quality, for the best weights
# return. One warning: the lowest of many validation losses is a little too good, as it was chosen
# for being low. Report a test loss.
