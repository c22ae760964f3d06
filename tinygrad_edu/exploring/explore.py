"""``explore``: a function of named numbers as a page that computes it, in the reader's browser."""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinygrad_edu import errors
from tinygrad_edu.exploring.controls import Choice, Points, as_control
from tinygrad_edu.exploring.views import View
from tinygrad_edu.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

MOST_CHOICES = 24  # programs on one page


def explore(f: Callable[..., Any], /, **controls: Any) -> Exploration:
    """``f`` as a page: the reader moves its arguments, and all that it gives follows.

    ``controls`` has what the reader changes for each argument of ``f``: a ``Slider``, ``Points``
    that are dragged, ``Pixels`` that are painted, or a list of options, such as ``["hinge",
    "log"]``. ``f`` gets numbers of NumPy and arrays of float64, or one of the options, and returns
    a dict: numbers and ``Plot`` by their names. The first lines of its docstring, up to an empty
    one, stand above: a question, best of all.

    ``f`` runs twice for each choice of options, and what it computes is written down as JavaScript,
    one line for each number, with the gradients that it takes, as by ``grad``. So the page needs
    no Python, no network, and nothing but itself. What ``f`` finds elsewhere, such as the weights
    of a model, is taken as it is now.

    Raises TypeError where ``f`` decides by numbers (``if``, ``float``; write ``np.where``) and for
    what cannot be written as JavaScript (sorting, the place of the largest, solving equations),
    RuntimeError where two runs of ``f`` differ, as by random numbers without a seed, and ValueError
    beyond 20,000 lines or 24 choices.

    >>> import numpy as np
    >>> from tinygrad_edu import explore, grad
    >>> from tinygrad_edu.exploring import Curve, Plot, Slider
    >>> def descent(lr):
    ...     '''For which learning rate does it diverge?'''
    ...     w, path = 2.0, []
    ...     for _ in range(10):
    ...         path.append(w)
    ...         w = w - lr * grad(lambda w: w * w)(w)
    ...     return {"w": w, "path": Plot(Curve(range(10), path, "w"), x="step")}
    >>> explore(descent, lr=Slider(0.0, 1.2, 0.1))
    <page of descent(lr), 29 lines of JavaScript; .save('descent.html') writes it>
    """
    return Exploration(f, controls)


class Exploration:
    """The page of a function. In a notebook it shows itself; ``save`` writes it to a file.

    >>> from tinygrad_edu import explore
    >>> from tinygrad_edu.exploring import Slider
    >>> page = explore(lambda x: {"square": x * x}, x=Slider(-2, 2, 1))
    >>> page.html()[:15]
    '<!DOCTYPE html>'
    """

    def __init__(self, f: Callable[..., Any], controls: dict[str, Any]) -> None:
        name = getattr(f, "__name__", "")
        self._name = name if name.isidentifier() else "page"
        self._question = (inspect.getdoc(f) or "").partition("\n\n")[0].replace("\n", " ")
        self._controls = {name: as_control(name, x) for name, x in controls.items()}
        _check_arguments(f, self._controls)
        fields = {n: c for n, c in self._controls.items() if not isinstance(c, Choice)}
        choices = {n: c.options for n, c in self._controls.items() if isinstance(c, Choice)}
        combinations = [
            dict(zip(choices, each, strict=True)) for each in itertools.product(*choices.values())
        ]
        if len(combinations) > MOST_CHOICES:
            raise ValueError(
                f"each choice of options has a program of its own, at most {MOST_CHOICES}, but "
                f"these are {len(combinations)}: leave some out, or make a Slider of them"
            )
        self._views = [View(f, fields, chosen) for chosen in combinations]
        for name, control in fields.items():
            if isinstance(control, Points) and not all(name in v.dragged for v in self._views):
                raise TypeError(
                    f"{name} has Points, but no plot in which they are dragged: put "
                    f"Dots(x, y, drag={name!r}) into one"
                )

    def __repr__(self) -> str:
        arguments = ", ".join(self._controls)
        size = sum(view.program.size for view in self._views)
        return (
            f"<page of {self._name}({arguments}), {size:,} lines of JavaScript; "
            f".save('{self._name}.html') writes it>"
        )

    def html(self) -> str:
        """The page: a file on its own that asks no network for anything."""
        from tinygrad_edu.exploring.page import page  # only now: importing it takes time

        return page(self._name, self._question, self._controls, self._views)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file that ends in .html, whole or not at all. Returns its path.

        Raises ValueError for another ending, OSError if the file cannot be written.
        """
        from pathlib import Path  # only now: importing it takes time

        from tinygrad_edu.standalone import ENDINGS

        path = Path(path)
        if path.suffix.lower() not in ENDINGS:
            raise ValueError(f"a page ends in .html, as '{self._name}.html', but got {path.name!r}")
        write_whole(path, self.html().encode("utf-8"))
        return path

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """For notebooks: the page in a frame of its own."""
        from tinygrad_edu.standalone import framed  # only now: importing it takes time

        return {"text/html": framed(self.html(), height=620), "text/plain": repr(self)}


def _check_arguments(f: Any, controls: dict[str, Any]) -> None:
    """Refuse controls that are no arguments of ``f``, and arguments without one."""
    if not callable(f):
        raise TypeError(f"explore takes a function, but got {errors.short(f)}")
    try:
        inspect.signature(f).bind(**controls)
    except (TypeError, ValueError) as error:  # some builtin functions tell no parameters
        raise TypeError(
            f"explore gives {getattr(f, '__name__', 'f')} its arguments by name, each with a "
            f"control: {error}"
        ) from None
