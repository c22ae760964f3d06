"""What a page shows besides numbers: plots of curves, dots and bars, and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backprop import Node
from tinygrad_edu.exploring.controls import ends
from tinygrad_edu.tensor import Tensor

MOST_DIGITS = 12


def as_one(x: Any) -> Any:
    """Numbers as one array; of a list that a loop has filled, stacked."""
    if isinstance(x, list | tuple | range):
        return np.stack([as_one(part) for part in x]) if x else np.zeros(0)
    if isinstance(x, Tensor) and x.is_leaf:
        return x.data
    if isinstance(x, bool | int | float):
        return np.float64(x)
    if isinstance(x, Node) or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "biuf"):
        return x
    raise TypeError(f"what is shown are numbers, but got {errors.short(x)}")


class Mark:
    """What is drawn into a plot: ``arrays`` by what they are, and the words that go with them."""

    kind = ""

    def __init__(self, label: str, arrays: dict[str, Any], **options: Any) -> None:
        self.arrays = {name: as_one(array) for name, array in arrays.items()}
        self.options = {"kind": self.kind, "label": str(label), **options}

    def _check_words(self, what: str, words: Sequence[Any]) -> None:
        """Refuse names of which there are more or fewer than of what they are for."""
        count = len(self.arrays["y"])
        if len(words) not in (0, count):
            raise ValueError(
                f"{type(self).__name__} has a name for each of its {count} numbers, or none, but "
                f"got {len(words)} {what}"
            )

    def _same_length(self) -> None:
        shapes = {name: np.shape(array) for name, array in self.arrays.items()}
        if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
            told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise ValueError(
                f"{type(self).__name__} takes vectors of one length, but got shapes: {told}. A "
                "single number is written [x]; one for all, np.full(n, y)"
            )


class Curve(Mark):
    """A line through the points ``x`` (N,) and ``y`` (N,), in order; dashed, or with dots on it.

    Each line of a plot has dashes of its own; but where some are ``dashed``, the others are whole.

    >>> from tinygrad_edu.exploring import Curve
    >>> Curve([0, 1, 2], [0, 1, 4], "square").options["label"]
    'square'
    """

    kind = "curve"

    def __init__(
        self, x: Any, y: Any, label: str = "", *, dashed: bool = False, dots: bool = False
    ) -> None:
        super().__init__(label, {"x": x, "y": y}, dashed=dashed, dots=dots)
        self._same_length()


class Dots(Mark):
    """Dots at ``x`` (N,) and ``y`` (N,). With ``drag``, the reader moves the ``Points`` so called.

    To drag the i-th dot sets the i-th of the points: to its x, or to both x and y. ``labels``: the
    name of each dot.

    >>> from tinygrad_edu.exploring import Dots
    >>> Dots([0.5], [1.0], drag="margins").options["drag"]
    'margins'
    """

    kind = "dots"

    def __init__(
        self, x: Any, y: Any, label: str = "", *, drag: str = "", labels: Sequence[str] = ()
    ) -> None:
        super().__init__(label, {"x": x, "y": y}, drag=drag, labels=[str(each) for each in labels])
        self._same_length()
        self._check_words("labels", labels)


class Bars(Mark):
    """Bars of heights ``y`` (N,), side by side at 0, 1, ..., with the ``names`` below them.

    With ``digits``, each bar has its height written on it, with so many digits after the point.

    >>> from tinygrad_edu.exploring import Bars
    >>> Bars([0.2, 0.8], names=["cat", "dog"]).options["names"]
    ['cat', 'dog']
    """

    kind = "bars"

    def __init__(
        self, y: Any, label: str = "", *, names: Sequence[Any] = (), digits: int | None = None
    ) -> None:
        if digits is not None and not (isinstance(digits, int) and 0 <= digits <= MOST_DIGITS):
            raise ValueError(
                f"digits= is how many stand after the point, 0 to {MOST_DIGITS}, but got {digits}"
            )
        super().__init__(label, {"y": y}, names=[str(each) for each in names], digits=digits)
        self._same_length()
        self._check_words("names", names)


class Image(Mark):
    """Numbers (rows, columns) as colours, over the ranges ``x`` and ``y`` of the axes.

    Row 0 is at the top, as of a picture; with ``up``, at the bottom, as of a function of x and y.
    ``low`` and ``high`` are the ends of the colours; ``diverging``: blue below 0, orange above it,
    by default dark is high. ``levels``: so many bands of one colour each, as of a map, on which the
    first and the last numbers stand at the ends of the ranges. A ``label`` tells what the colours
    mean, beside their ends.

    >>> import numpy as np
    >>> from tinygrad_edu.exploring import Image
    >>> Image(np.eye(8), low=0, high=1).arrays["values"].shape
    (8, 8)
    """

    kind = "image"

    def __init__(
        self,
        values: Any,
        label: str = "",
        *,
        low: float,
        high: float,
        x: tuple[float, float] | None = None,
        y: tuple[float, float] | None = None,
        up: bool = False,
        diverging: bool = False,
        levels: int = 0,
    ) -> None:
        values = as_one(values)
        shape = np.shape(values)
        if len(shape) != 2:
            raise ValueError(f"an image has shape (rows, columns), but got {shape}")
        if levels and min(shape) < 2:
            raise ValueError(f"a map has two rows and two columns or more, but got {shape}")
        low, high = ends("the colours of an image", low, high)
        ranges = {
            "x": ends("the columns of an image", *(x or (0, shape[1]))),
            "y": ends("the rows of an image", *(y or (0, shape[0]))),
        }
        looks = {"up": up, "diverging": diverging, "levels": int(levels), "shape": list(shape)}
        super().__init__(label, {"values": values}, **ranges, low=low, high=high, **looks)


class Plot:
    """Marks in one frame, with a title, and the names of the axes, with their units.

    ``xlim`` and ``ylim`` are the ends of the axes; without them, they follow what is shown.
    ``square``: one unit is as long on both axes.

    >>> from tinygrad_edu.exploring import Curve, Plot
    >>> plot = Plot(Curve([0, 1], [0, 1]), x="margin", y="loss (nats)")
    >>> plot.options["x"]
    'margin'
    """

    def __init__(
        self,
        *marks: Mark,
        title: str = "",
        x: str = "",
        y: str = "",
        xlim: tuple[float, float] | None = None,
        ylim: tuple[float, float] | None = None,
        square: bool = False,
    ) -> None:
        for mark in marks:
            if not isinstance(mark, Mark):
                raise TypeError(
                    f"a Plot is made of Curve, Dots, Bars and Image, but got {errors.short(mark)}"
                )
        if not marks:
            raise TypeError("a Plot shows something: Plot(Curve(x, y)), with Dots, Bars or Image")
        self.marks = marks
        self.options = {"title": str(title), "x": str(x), "y": str(y), "square": square}
        self.options |= {
            "xlim": ends("the limits of x", *xlim) if xlim else None,
            "ylim": ends("the limits of y", *ylim) if ylim else None,
        }
