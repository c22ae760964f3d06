"""Graphviz, wherever it is: the program ``dot``, the package pygraphviz, or another renderer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tinygrad_edu.errors import short

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 30.0  # seconds: a picture that takes longer cannot be read

INSTALL = """\
To draw a picture takes Graphviz, and there is none here. One of these brings it:
  pip install 'pygraphviz>=2'      everywhere, with nothing else to install
  sudo apt install graphviz        Debian, Ubuntu
  brew install graphviz            macOS
  winget install graphviz          Windows (then open a new terminal)
Without it, print() writes the graph as a tree, and .source is its text in Graphviz's language."""

_MARKS = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}  # what is in every such file

_PYGRAPHVIZ = """\
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
graph.graph_attr.update(option.split("=") for option in sys.argv[2:])
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


class LayoutError(RuntimeError):
    """Graphviz runs, but cannot lay out this graph."""


_other: Callable[[str, str], bytes] | None = None


def use_renderer(renderer: Callable[[str, str], bytes] | None) -> None:
    """Let a function make all images from now on; None brings back the Graphviz of this machine.

    ``renderer(source, form)`` takes the text of a graph in DOT, Graphviz's language, and "svg",
    "png" or "pdf". It gives the image as bytes: Graphviz as WebAssembly in a page, or on a server.
    Where it raises, or gives something else, the image is refused by a RuntimeError that says what
    happened, and notebooks show the tree, as they do without Graphviz. Raises TypeError if it is no
    function.

    >>> from tinygrad_edu import Tensor, draw
    >>> from tinygrad_edu.drawing import use_renderer
    >>> use_renderer(lambda source, form: f"<svg>{source.splitlines()[0]}</svg>".encode())
    >>> draw(2.0 * Tensor(3.0, requires_grad=True)).svg()
    '<svg>digraph "graph" {</svg>'
    >>> use_renderer(None)
    """
    global _other
    if renderer is not None and not callable(renderer):
        raise TypeError(
            f"use_renderer takes a function of (source, form), or None, not {short(renderer)}"
        )
    _other = renderer


def render(source: str, form: str) -> bytes:
    """``source``, in DOT, as an image: ``form`` is "svg", "png" or "pdf".

    Raises LayoutError if Graphviz fails on the graph, SlowError if it takes too long, RuntimeError
    if there is no Graphviz or it cannot be started.
    """
    import importlib.util  # only now: importing these takes time
    import shutil

    if _other is not None:
        return _by_other(_other, source, form)
    options = ["dpi=144"] if form == "png" else []
    failed: RuntimeError | None = None
    if dot := shutil.which("dot"):
        try:
            command = [dot, f"-T{form}", *(f"-G{option}" for option in options)]
            return _run(command, form, source, "dot")
        except RuntimeError as error:
            failed = error
    if importlib.util.find_spec("pygraphviz") and not isinstance(failed, SlowError):
        python = [sys.executable, "-P"]  # -P: a file here may be called pygraphviz.py
        return _run([*python, "-c", _PYGRAPHVIZ, form, *options], form, source, "pygraphviz")
    raise failed or RuntimeError(INSTALL)


def _by_other(renderer: Callable[[str, str], bytes], source: str, form: str) -> bytes:
    """The image that a function of the user makes."""
    name = getattr(renderer, "__name__", repr(renderer))
    try:
        image = renderer(source, form)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise LayoutError(f"the renderer {name} made no {form.upper()}: {said}") from error
    if not isinstance(image, bytes) or _MARKS[form] not in image:
        raise LayoutError(
            f"the renderer {name} made no {form.upper()}: it gave {short(image)}, not bytes with "
            f"{_MARKS[form]!r} in them"
        )
    return image


class SlowError(RuntimeError):
    """Graphviz took too long."""


def _run(command: list[str], form: str, source: str, name: str) -> bytes:
    """The output of a program for ``source``: a process of its own, which may hang or crash."""
    import subprocess  # only now: importing it takes time

    try:
        result = subprocess.run(
            command,
            input=source.encode("utf-8"),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # no console on Windows
        )
    except subprocess.TimeoutExpired:
        raise SlowError(
            f"{name} did not finish this graph in {PATIENCE:.0f} seconds, and was stopped. Draw a "
            "smaller part of it, or collapse scopes (collapse=True); print() writes it as a tree."
        ) from None
    except OSError as error:
        raise RuntimeError(f"{command[0]!r} cannot be started: {error}.\n{INSTALL}") from None
    if result.returncode or _MARKS[form] not in result.stdout:
        said = (result.stderr or result.stdout).decode("utf-8", "replace").strip()[-400:]
        raise LayoutError(
            f"{name} made no {form.upper()} (exit status {result.returncode}): "
            f"{said or 'it wrote nothing'}"
        )
    return result.stdout
