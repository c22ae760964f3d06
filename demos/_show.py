"""The style of figures in all lessons, and where they are shown."""

from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure  # without pyplot: no window, nothing to close

# Okabe and Ito's colours, which colour-blind readers tell apart; line styles tell them apart, too.
BLUE, ORANGE, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#222222"
GREY = "#999999"

matplotlib.rcParams |= {
    "figure.figsize": (8, 4.5),  # in inches; at 160 dots per inch, legible at 800 pixels
    "figure.dpi": 160,
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "axes.prop_cycle": cycler(
        color=[BLUE, ORANGE, GREEN, PURPLE, BLACK],
        linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))],
    ),
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.alpha": 0.3,
    "lines.linewidth": 2,
}

folder = Path("demo-output")
shown: list[tuple[str, str]] = []  # the files since the last cell of a lesson, with their captions


class Picture:
    """A file that a notebook shows; a Figure without pyplot would be a line of text there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()


def show(thing: Any, name: str, caption: str) -> Any:
    """Write a Figure, Drawing or Steps to the file ``name``, and give back what a notebook shows.

    ``caption`` says what to see in it, also to those who cannot see it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(thing, Figure):
        thing.savefig(folder / name)
        thing = Picture(folder / name)
    else:
        thing.save(folder / name)
    shown.append((name, caption))
    return thing
