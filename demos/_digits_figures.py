"""The three pictures of the digits demo."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure  # without pyplot: no window, nothing to close
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"  # told apart by colour-blind readers too
SHOWN = 6  # mistakes in the picture


def plot_losses(
    step_losses: list[float],
    epoch_losses: list[tuple[float, float]],
    best_epoch: int | None,
    updates_per_epoch: int,
    title: str,
    unit: str,
) -> Figure:
    """The loss of every batch, and after each epoch that of the train and validation images."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.subplots()
    updates = np.arange(1, len(step_losses) + 1)
    axes.plot(updates, step_losses, color=GREY, linewidth=0.5, label="one batch")
    ends = updates_per_epoch * np.arange(1, len(epoch_losses) + 1)
    train, validation = np.reshape(epoch_losses, (-1, 2)).T
    marker = "." if len(ends) == 1 else ""  # one point makes no line
    axes.plot(ends, train, "-", marker=marker, color=BLUE, linewidth=2, label="train")
    axes.plot(ends, validation, "--", marker=marker, color=ORANGE, linewidth=2, label="validation")
    if best_epoch:
        best, waited = ends[best_epoch - 1], len(ends) - best_epoch
        lowest, label = validation[best_epoch - 1], f"best: epoch {best_epoch}"
        axes.plot(best, lowest, "*k", markersize=14, clip_on=False, zorder=3, label=label)
        if waited:
            label = f"patience: {waited} epoch{'s' * (waited > 1)} with no better"
            axes.axvspan(best, ends[-1], color=ORANGE, alpha=0.15, linewidth=0, label=label)
    axes.set_yscale("log", nonpositive="mask")  # a batch with loss 0 leaves a gap
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.set_xlim(0, max(1, len(updates)))
    axes.set(title=title, xlabel="updates", ylabel=f"mean loss{unit}")
    epochs = axes.secondary_xaxis(
        "top", functions=(lambda u: u / updates_per_epoch, lambda e: e * updates_per_epoch)
    )
    epochs.set_xlabel("epochs")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def plot_weights(weight: Any, blank: Any, title: str) -> Figure:
    """Each row of the matrix as an image; ``blank`` pixels never had ink to learn from."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    grid = figure.subplots(2, 5)
    images = np.where(blank, np.nan, weight).reshape(10, 8, 8)
    largest = np.nanmax(np.abs(images))
    for digit, axes in enumerate(grid.flat):
        axes.set_facecolor(GREY)  # shows through where there is no number
        picture = axes.imshow(images[digit], cmap="RdBu_r", vmin=-largest, vmax=largest)
        axes.set(title=f"{digit}", xticks=[], yticks=[])
    figure.colorbar(picture, ax=grid, label="weight: ink here speaks for (+) or against (-)")
    figure.suptitle(title)
    figure.supxlabel("grey: no ink here in any training image", fontsize="medium")
    return figure


def plot_mistakes(
    images: Any,
    digits: Any,
    predicted: Any,
    values: Any,
    meaning: str,
    limits: tuple[float, float] | None,
) -> Figure:
    """The images misread with the highest values (N, 10), and what the values were."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    wrong = np.flatnonzero(predicted != digits)
    if len(wrong) == 0:
        figure.suptitle(f"No mistakes on {len(images)} test images", y=0.5)
        return figure
    confidence = values[wrong, predicted[wrong]]
    worst = wrong[np.argsort(-confidence, kind="stable")][:SHOWN]
    lowest, highest = limits or (
        min(0, 1.05 * values[worst].min()),
        max(0, 1.2 * values[worst].max()),
    )
    grid = figure.subplots(2, SHOWN, width_ratios=[1, 1.2] * (SHOWN // 2)).reshape(-1, 2)
    for image_axes, bar_axes in grid[len(worst) :]:
        image_axes.set_axis_off()
        bar_axes.set_axis_off()
    for (image_axes, bar_axes), i in zip(grid, worst, strict=False):
        image_axes.imshow(images[i].reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
        image_axes.set(title=f"predicted {predicted[i]}\ntrue {digits[i]}", xticks=[], yticks=[])
        bars = bar_axes.barh(range(10), values[i], color=GREY, linewidth=0)  # edges add length
        bars[predicted[i]].set(facecolor=ORANGE, hatch="////", edgecolor="white")
        bars[digits[i]].set(facecolor=BLUE)
        bar_axes.axvline(0, color="black", linewidth=0.8)
        bar_axes.set_title(f"{values[i, predicted[i]]:.2f}", color=ORANGE)
        bar_axes.set(yticks=range(10), xlim=(lowest, highest), ylim=(9.6, -0.6))
    figure.suptitle(
        f"{len(worst)} most confident of {len(wrong)} mistakes on {len(images)} test images"
    )
    keys = [
        Patch(facecolor=ORANGE, hatch="////", edgecolor="white", linewidth=0, label="predicted"),
        Patch(facecolor=BLUE, linewidth=0, label="true"),
        Patch(facecolor=GREY, linewidth=0, label="others"),
    ]
    figure.legend(handles=keys, title=meaning, loc="outside lower center", ncols=3)
    return figure
