# %% [markdown]
# # KL divergence
#
# Two rows of probabilities: how far apart are they? And is the way back as far?
#
# In [the last lesson](07_cross_entropy.py) the truth $t$ was one-hot. It need not be. Seven of ten
# people read the same scribble as a 4, and three as a 9: then the truth is $t = (0.7, 0.3)$, and a
# classifier says $p$. The cross entropy is still
#
# $$H(t, p) = -\sum_k t_k \log p_k ,$$
#
# the mean cost, if classes come as $t$ says and we believe $p$. Whoever believes the truth itself,
# $p = t$, pays the least. That price is the **entropy** of $t$, and it is 0 only for one-hot rows:
#
# $$H(t) = -\sum_k t_k \log t_k .$$
#
# What we pay on top, because we believe $p$ and not $t$, is the **Kullback-Leibler divergence**:
#
# $$\mathrm{KL}(t, p) = H(t, p) - H(t) = \sum_k t_k \log\frac{t_k}{p_k} .$$
#
# It is 0 if $p = t$, and positive otherwise. (Books often write $p$ for the truth and $q$ for the
# belief; on this site $p$ is always what a classifier says, or another model.)

# %%
import numpy as np

from tinygrad_edu import losses

t = np.array([0.7, 0.3])
first = np.linspace(0.02, 0.98, 97)  # the probability of class 4
p = np.stack([first, 1 - first], axis=1)
truth = np.tile(t, (97, 1))
cross_entropy = -np.sum(truth * np.log(p), axis=1)
divergence = losses.kl_divergence(truth, p, reduction="none")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

plt.style.use("tinygrad_edu.figures")

figure = plt.figure(figsize=(8, 4))
axes = figure.subplots()
axes.plot(first, cross_entropy, label="cross entropy H(t, p)")
axes.plot(first, divergence, label="KL(t, p)")
axes.fill_between(
    first, divergence, cross_entropy, color="0.6", alpha=0.25, linewidth=0, label="entropy H(t)"
)
axes.axvline(0.7, color="0.6", linestyle=":")
axes.set(xlabel="p of the first class (truth: 0.7)", ylabel="loss", ylim=(0, 2.5))
axes.legend(loc="upper center")
plt.show()

# %% [markdown]
# :::{caption}
# Both are lowest where p is the truth, at the dotted line. The gap between them never changes.
#
# Two curves over the probability of the first class, from 0 to 1, both with their lowest point at
# 0.7. Cross entropy is 0.61 there, and the divergence 0. The grey band between them is as high
# everywhere.
# :::
#
# ## To minimize one is to minimize the other
#
# Cross entropy is entropy plus divergence, and the entropy of $t$ does not depend on $p$. So both
# have the same slopes, and are lowest at the same place. For one-hot truth the entropy is 0, and
# both are even the same number. This is why training uses cross entropy, the simpler one.

# %%
from tinygrad_edu import grad
from tinygrad_edu.functional import softmax

scores = np.array([0.5, -1.0])
slope_of_cross_entropy = grad(losses.cross_entropy)(scores, t)
slope_of_divergence = grad(lambda s: losses.kl_divergence(t, softmax(s)))(scores)
print("slopes by the scores:", slope_of_cross_entropy.round(4), slope_of_divergence.round(4))

# %% [markdown]
# ## Not a distance
#
# A distance is the same in both directions, and no detour is shorter than the direct way.
#
# :::{admonition} Predict
# :class: tip
# Which of the two does the divergence break?
# :::

# %%
kl = losses.kl_divergence
mostly, even, rarely, sure = np.array([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9], [1.0, 0.0]])
detour = kl(mostly, even) + kl(even, rarely)
print(f"there and back: {kl(mostly, even):.3f} and {kl(even, mostly):.3f}")
print(f"direct {kl(mostly, rarely):.3f}, with a stop in the middle {detour:.3f}")
print(f"sure is true: {kl(sure, even):.3f}; sure is believed: {kl(even, sure):.3f}")

# %% [markdown]
# Both. The way back is longer, and the detour is half as long as the direct way. The last line is
# the most important: whoever says that something is impossible, and it happens, pays without
# limit. The other way round, where one class is sure and both are believed to be as likely, the
# price is only $\log 2$.
#
# ## Both ways: to cover or to pick
#
# Which way we take decides what is learned, if the model is too simple for the truth. Let the truth
# have two peaks, and the model have just one, a bell with a mean and a width, the standard
# deviation. In the code it is a softmax: the scores are minus half the square of the distance from
# the mean, counted in widths.
#
# :::{admonition} Predict
# :class: tip
# The bell cannot fit both peaks. Where will it end, if $\mathrm{KL}(t, p)$ is minimized? Where, if
# $\mathrm{KL}(p, t)$ is?
# :::

# %%
from tinygrad_edu import Tensor, optim

place = np.linspace(-12, 12, 241)
left_peak = 0.6 * np.exp(-(((place + 2.5) / 0.8) ** 2) / 2)
right_peak = 0.4 * np.exp(-(((place - 2.5) / 0.8) ** 2) / 2)
peaks = (left_peak + right_peak) / np.sum(left_peak + right_peak)


def fit(loss_function, start, place=place):
    """The mean, the width and the probabilities of the bell after 500 updates."""
    mean = Tensor(start, requires_grad=True)
    log_width = Tensor(0.0, requires_grad=True)  # a width stays positive if its logarithm moves
    sgd = optim.SGD([mean, log_width], lr=0.1)
    for _ in range(500):
        p = softmax(-(((place - mean) / np.exp(log_width)) ** 2) / 2)
        loss = loss_function(p)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    return mean.item(), np.exp(log_width.item()), p.data


fits = {
    "KL(t, p)": fit(lambda p: kl(peaks, p), -2.0),
    "KL(p, t), from the left": fit(lambda p: kl(p, peaks), -2.0),
    "KL(p, t), from the right": fit(lambda p: kl(p, peaks), 2.0),
}
for name, (mean, width, _) in fits.items():
    print(f"{name:25} mean {mean:6.3f}, width {width:.3f}")

# %% tags=["hide-input"]
figure = plt.figure(figsize=(8, 4.2))
axes = figure.subplots()
axes.fill_between(place, peaks, color="0.6", alpha=0.4, linewidth=0, label="truth t")
for name, (_, _, fitted) in fits.items():
    axes.plot(place, fitted, label=name)
axes.set(xlabel="place", ylabel="probability", xlim=(-8, 8))
figure.legend(loc="outside lower center", ncols=2)
plt.show()

# %% [markdown]
# :::{caption}
# KL(t, p) covers both peaks. KL(p, t) picks one of them: which one depends on the start.
#
# The truth is a grey area with a higher peak at minus 2.5 and a lower one at 2.5. The curve of KL
# (t, p) is one wide, low bell over both peaks. The two curves of KL (p, t) are narrow bells, each
# exactly over one peak, and higher than it.
# :::
#
# - $\mathrm{KL}(t, p)$ pays where $t$ is large and $p$ is nearly 0. So no peak may be missed: the
#   bell **covers** both. It gets the mean and the width of the whole truth.
# - $\mathrm{KL}(p, t)$ pays where $p$ is large and $t$ is nearly 0. So the gap must stay empty: the
#   bell **picks** one peak, and ignores the other.
#
# Fit the bell yourself, on 25 places. Make one divergence as small as you can, and only then show
# the best fit, which descent has found.
#
# :::{admonition} Predict
# :class: tip
# The narrow bell below stands in the gap. Which of the two divergences will be larger?
# :::

# %% tags=["hide-input"]
from tinygrad_edu import explore
from tinygrad_edu.exploring import Curve, Plot, Slider

some = place[60:181:5]  # 25 places, from -6 to 6
two_peaks = peaks[60:181:5] / np.sum(peaks[60:181:5])
best_fits = {
    "KL(t, p)": fit(lambda p: kl(two_peaks, p), -2.0, some)[2],
    "KL(p, t), left": fit(lambda p: kl(p, two_peaks), -2.0, some)[2],
    "KL(p, t), right": fit(lambda p: kl(p, two_peaks), 2.0, some)[2],
}


def by_hand(mean, width, best):
    """One bell for two peaks. How low do you get each of the two divergences?"""
    p = softmax(-(((some - mean) / width) ** 2) / 2)
    log_ratio = np.log(two_peaks) - np.log(p)
    curves = [Curve(some, two_peaks, "truth t"), Curve(some, p, "your bell p")]
    if best in best_fits:
        curves.append(Curve(some, best_fits[best], "best fit", dashed=True))
    return {
        "KL(t, p)": kl(two_peaks, p),
        "KL(p, t)": kl(p, two_peaks),
        "bells": Plot(
            *curves,
            title="The truth and the bell",
            x="place",
            y="probability",
            xlim=(-6, 6),
            ylim=(0, 0.3),
        ),
        "costs": Plot(
            Curve(some, two_peaks * log_ratio, "t log(t / p)"),
            Curve(some, -p * log_ratio, "p log(p / t)"),
            title="What is paid at each place",
            x="place",
            y="nats",
            xlim=(-6, 6),
            ylim=(-0.3, 0.9),
        ),
    }


explore(
    by_hand,
    mean=Slider(-5.0, 5.0, 0.0, step=0.1),
    width=Slider(0.5, 5.0, 0.8, step=0.1),
    best=["hidden", *best_fits],
)

# %% [markdown]
# :::{caption}
# A bell with two sliders, two divergences, and the best fits to compare with.
#
# A page with two plots. Left, the truth with two peaks, and a bell whose mean and width can be
# changed; the best fits can be shown as dashed curves. Right, what each of the two divergences pays
# at each place.
# :::
#
# Try this:
#
# - Make KL(t, p) as small as you can: 0.48 is possible. The bell becomes wide, and covers both
#   peaks.
# - Make KL(p, t) as small as you can: 0.51 is possible, with a narrow bell on one peak. Is the
#   other peak as good?
# - Put a narrow bell on the left peak, and look at the second plot. Which curve has a hump, and
#   where? Then make the bell wide, and look for the hump in the gap.
#
# One divergence counts what the bell misses, the other what it fills: so one covers, the other
# picks.

# %% tags=["hide-input"]
wide, narrow = fits["KL(t, p)"][2], fits["KL(p, t), from the left"][2]
missed = peaks * np.log(peaks / narrow)
filled = wide * np.log(wide / peaks)
figure = plt.figure(figsize=(8, 3.8))
left, right = figure.subplots(1, 2)
left.plot(place, missed)
left.set(title="KL(t, p) of the left bell", xlabel="place", ylabel="t log(t / p)", xlim=(-8, 8))
right.plot(place, filled, color="C1")
right.set(title="KL(p, t) of the wide bell", xlabel="place", ylabel="p log(p / t)", xlim=(-8, 8))
plt.show()

# %% [markdown]
# :::{caption}
# What each way pays for, place by place: a missed peak, and a filled gap.
#
# Two curves over the place. Left, the terms of KL (t, p) for the bell on the left peak: nearly
# flat, but with a high hump at the right peak, which the bell misses. Right, the terms of KL (p, t)
# for the wide bell: high in the middle, where the truth has a gap.
# :::
#
# Training by cross entropy is the first way: the data are $t$, and a classifier must not call
# impossible what happens.
#
# ## What to take away
#
# - Divergence is what a wrong belief costs on top: cross entropy minus entropy.
# - It is no distance: there and back differ, and detours may be shorter.
# - $\mathrm{KL}(t, p)$ covers, $\mathrm{KL}(p, t)$ picks.
#
# ## Exercises
#
# :::{exercise} A coin that is not fair
# :label: divergence-coin
#
# A coin shows heads with probability 3/4, and we believe that it is fair. What do we pay on top at
# each toss, in the mean? What do we pay if the coin is fair and we believe in 3/4?
# :::

# %% tags=["exercise"]
believed_fair = 0.0  # KL of (3/4, 1/4) and (1/2, 1/2)
believed_unfair = 0.0  # KL of (1/2, 1/2) and (3/4, 1/4)

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

fair, unfair = np.array([0.5, 0.5]), np.array([0.75, 0.25])
check("the fair belief", lambda: np.isclose(believed_fair, kl(unfair, fair), atol=1e-3))
check("the unfair belief", lambda: np.isclose(believed_unfair, kl(fair, unfair), atol=1e-3))

# %% [markdown]
# :::{solution-start} divergence-coin
# :::

# %% tags=["solution"]
believed_fair = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
believed_unfair = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
print(f"{believed_fair:.4f} and {believed_unfair:.4f}")

# %% [markdown]
# A small divergence, and still two different numbers.
# :::{solution-end}
# :::
#
# :::{exercise} The divergence by hand
# :label: divergence-write
#
# Write $\mathrm{KL}(t, p)$ for two rows. Where $t_k$ is 0, the term is 0, though $\log 0$ is not a
# number. `check_grads` proves the slopes by the scores behind $p$.
# :::


# %% tags=["exercise"]
def my_kl(t, p):
    """The divergence of the belief p from the truth t."""
    return np.sum(0.0 * p)  # your lines instead


# %% tags=["check", "hide-input"]
from tinygrad_edu.testing import check_grads

half_zero = np.array([0.5, 0.0, 0.5])
third = np.array([0.2, 0.2, 0.6])


def without_warning(function, *arguments):
    """The result; the logarithm of 0 is an error."""
    with np.errstate(all="raise"):
        return function(*arguments)


check("two coins", lambda: np.isclose(without_warning(my_kl, unfair, fair), kl(unfair, fair)))
check("with a 0 in t", lambda: np.isclose(without_warning(my_kl, half_zero, third), 0.36698459))
check("of itself it is 0", lambda: my_kl(third, third) == 0)
check("check_grads agrees", lambda: check_grads(lambda s: my_kl(third, softmax(s)), np.zeros(3)))

# %% [markdown]
# :::{solution-start} divergence-write
# :::


# %% tags=["solution"]
def my_kl(t, p):
    """The divergence of the belief p from the truth t."""
    happens = t > 0
    return np.sum(t[happens] * np.log(t[happens] / p[happens]))


# %% [markdown]
# What never happens costs nothing, whatever we believed of it.
# :::{solution-end}
# :::
#
# :::{exercise} Break it in one direction
# :label: divergence-break
#
# Find two rows of three probabilities, `one` and `other`, so that KL(one, other) is finite, and
# KL(other, one) is infinite.
# :::

# %% tags=["exercise"]
one = np.array([0.2, 0.3, 0.5])  # your numbers instead
other = np.array([0.3, 0.3, 0.4])

# %% tags=["check", "hide-input"]
check("both are probabilities", lambda: np.allclose([one.sum(), other.sum()], 1))
check("KL(one, other) is finite", lambda: np.isfinite(kl(one, other)))
check("KL(other, one) is infinite", lambda: np.isinf(kl(other, one)))

# %% [markdown]
# :::{solution-start} divergence-break
# :::

# %% tags=["solution"]
one = np.array([0.5, 0.5, 0.0])
other = np.array([0.3, 0.3, 0.4])

# %% [markdown]
# `one` calls the third class impossible, and under `other` it happens.
# :::{solution-end}
# :::
#
# :::{exercise} A divergence that is the same both ways
# :label: divergence-symmetric
#
# Mix both rows, $\frac{1}{2}(t + p)$, and take the mean of the divergences of $t$ and of $p$ from
# the mixture. (This is the Jensen-Shannon divergence.) It should be finite for any two rows. What
# is the largest value that it can have?
# :::


# %% tags=["exercise"]
def jensen_shannon(t, p):
    """The mean divergence of both rows from their mixture."""
    return kl(t, p)  # your lines instead


largest_jensen_shannon = 0.0  # your number, or a formula

# %% tags=["check", "hide-input"]
never = 1 - sure  # the other class is sure
check(
    "it is the same both ways",
    lambda: np.isclose(jensen_shannon(mostly, never), jensen_shannon(never, mostly)),
)
check("it is finite", lambda: np.isfinite(jensen_shannon(sure, never)))
check("the largest value", lambda: np.isclose(largest_jensen_shannon, jensen_shannon(sure, never)))

# %% [markdown]
# :::{solution-start} divergence-symmetric
# :::


# %% tags=["solution"]
def jensen_shannon(t, p):
    """The mean divergence of both rows from their mixture."""
    mixture = (t + p) / 2
    return (kl(t, mixture) + kl(p, mixture)) / 2


largest_jensen_shannon = np.log(2)

# %% [markdown]
# The mixture is never less than half of $t$, so no quotient exceeds 2. Rows without a common class
# reach $\log 2$. Its square root even is a distance.
# :::{solution-end}
# :::
