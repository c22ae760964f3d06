"""The lessons of the lecture: list, run, copy and grade them, wherever the package is installed.

``python -m tinygrad_edu.lessons --help`` tells how. Each lesson is a script in cells, which opens
as a notebook, too.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check", "copy", "grade", "names", "run"]

INSTALLED = Path(__file__).with_name("scripts")  # so in a wheel
CHECKOUT = Path(__file__).parents[2] / "demos" / "lessons"

CELL = re.compile(r"^# %%(?P<kind>.*)\n", re.MULTILINE)
TAGS = re.compile(r"tags=(\[.*?\])")
SOLUTION = re.compile(
    r"^# %% \[markdown\]\n# :::\{solution-start\}.*?"
    r"^# :::\{solution-end\}\n# :::\n(?:(?P<more>#\n)|\n*)",
    re.DOTALL | re.MULTILINE,
)

checked: list[tuple[str, bool]] = []  # each claim of ``check``, and whether it was right


@dataclass
class Cell:
    """A cell of a lesson: its text, where it begins in the file, and what its tags say."""

    text: str
    line: int
    markdown: bool
    tags: tuple[str, ...]


def names() -> list[str]:
    """The names of the lessons, in order.

    >>> from tinygrad_edu import lessons
    >>> lessons.names()[0]
    '01_loop'
    """
    return sorted(path.stem for path in _folder().glob("*_*.py"))


def path(name: str) -> Path:
    """The file of a lesson, by its whole name or by what follows the number.

    Raises ValueError if there is none.
    """
    for each in names():
        if name in (each, each.partition("_")[2]):
            return _folder() / f"{each}.py"
    raise ValueError(f"there is no lesson {name!r}; the lessons are: {', '.join(names())}")


def title(name: str) -> str:
    """The heading of a lesson."""
    found = re.search(r"^# # (.+)$", path(name).read_text("utf-8"), re.MULTILINE)
    return found[1] if found else name


def cells(script: str) -> list[Cell]:
    """The cells of a script in the percent format."""
    starts = list(CELL.finditer(script))
    ends = [*(start.start() for start in starts[1:]), len(script)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        tags = TAGS.search(start["kind"])
        line = script.count("\n", 0, start.end())
        markdown = "[markdown]" in start["kind"]
        text = script[start.end() : end]
        found.append(Cell(text, line, markdown, tuple(json.loads(tags[1])) if tags else ()))
    return found


def check(claim: str, test: Callable[[], object]) -> None:
    """Print whether what an exercise asks for is right; never raises.

    It is right if ``test()`` gives something true, or gives None as ``check_grads`` does, and wrong
    if that is false or raises: then the first line of the error is shown.

    >>> from tinygrad_edu.lessons import check
    >>> check("the square of 3 is right", lambda: 3**2 == 9)
    right: the square of 3 is right
    >>> check("the inverse of 0 is right", lambda: 1 / 0 == 2)
    not yet: the inverse of 0 is right (ZeroDivisionError: division by zero)
    """
    why = ""
    try:
        outcome = test()
        right = outcome is None or bool(outcome)
    except Exception as error:
        right = False
        why = f" ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
    checked.append((claim, right))
    print(f"{'right' if right else 'not yet'}: {claim}{why}")


def play(
    parts: Iterable[Cell], file: str | Path, show: Callable[[Any], object], names: dict[str, Any]
) -> None:
    """Execute the cells of code in ``names``, and give what a notebook would show to ``show``."""
    with _figures_go_to(show):
        for cell in parts:
            if cell.markdown:
                continue
            tree = ast.parse("\n" * cell.line + cell.text, str(file))
            last = tree.body[-1] if tree.body else None
            if not isinstance(last, ast.Expr):
                exec(compile(tree, file, "exec"), names)
                continue
            tree.body.pop()
            exec(compile(tree, file, "exec"), names)
            value = eval(compile(ast.Expression(last.value), file, "eval"), names)
            if value is not None:
                show(value)


def run(name: str, folder: str | Path) -> list[Path]:
    """Run a lesson, and write its pictures and pages into ``folder``; their paths.

    Raises ValueError if there is no such lesson.

    >>> import contextlib, tempfile
    >>> from tinygrad_edu import lessons
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
    ...     files = lessons.run("backpropagation", folder)
    >>> [file.name for file in files]
    ['11_backpropagation_1.svg', '11_backpropagation_2.html']
    """
    script = path(name)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []

    def show(thing: Any) -> None:
        stem = folder / f"{script.stem}_{len(written) + 1}"
        if hasattr(thing, "savefig"):
            written.append(stem.with_suffix(".png"))
            thing.savefig(written[-1])
        elif hasattr(thing, "save"):
            written.append(stem.with_suffix(".html" if hasattr(thing, "html") else ".svg"))
            thing.save(written[-1])
        else:
            print(repr(thing))

    play(cells(script.read_text("utf-8")), script, show, {"__name__": "__main__"})
    return written


def grade(file: str | Path) -> dict[str, bool]:
    """Run a copy of a lesson that was filled in, a script or a notebook; which checks are right.

    Solutions are left out, and of what is printed only what cells tagged check print. What a cell
    raises is printed, too, and the cells below it still run.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from tinygrad_edu import lessons
    >>> mine = '''# %%
    ... from tinygrad_edu.lessons import check
    ... def double(x):
    ...     return x + x
    ... # %% tags=["check"]
    ... check("double of 2", lambda: double(2) == 4)
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "mine.py")
    ...     _ = file.write_text(mine)
    ...     lessons.grade(file)
    right: double of 2
    {'double of 2': True}
    """
    file = Path(file)
    text = file.read_text("utf-8")
    parts = _notebook_cells(text) if file.suffix == ".ipynb" else cells(text)
    names: dict[str, Any] = {"__name__": "__main__"}
    before = len(checked)
    for cell in parts:
        if "solution" in cell.tags:
            continue
        quiet = nullcontext() if "check" in cell.tags else redirect_stdout(None)
        try:
            with quiet:
                play([cell], file, lambda thing: None, names)
        except Exception as error:
            print(f"line {cell.line + 1}: this cell raised {type(error).__name__}: {error}")
    return dict(checked[before:])


def copy(chosen: Iterable[str], folder: str | Path, solutions: bool = False) -> list[Path]:
    """Write lessons to ``folder`` as scripts, and as notebooks if jupytext is there; their paths.

    The solutions of exercises are left out, unless asked for. Raises ValueError if there is no such
    lesson.

    >>> import tempfile
    >>> from tinygrad_edu import lessons
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = lessons.copy(["backpropagation"], folder)
    >>> files[0].name
    '11_backpropagation.py'
    """
    scripts = [path(name) for name in chosen]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for script in scripts:
        text = _plain(script.read_text("utf-8"), solutions)
        written.append(folder / script.name)
        written[-1].write_text(text, "utf-8")
        try:
            import jupytext
        except ImportError:
            continue
        notebook = jupytext.reads(text, fmt="py:percent")
        notebook.metadata["kernelspec"] = {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        }
        written.append((folder / script.name).with_suffix(".ipynb"))
        jupytext.write(notebook, written[-1])
    return written


def _plain(script: str, solutions: bool) -> str:
    """A lesson as Jupyter shows it: directives of the site become bold words of plain Markdown."""
    if not solutions:
        # Words that go on below a solution, in its last cell, become a cell of their own.
        script = SOLUTION.sub(lambda found: "# %% [markdown]\n" * bool(found["more"]), script)
    script = re.sub(r"^# :::\{solution-end\}\n", "", script, flags=re.MULTILINE)
    words = {"exercise": "**Exercise.** {}", "solution-start": "**Solution**"}

    def opening(found: re.Match[str]) -> str:
        return "# " + words.get(found[1], "**{}**").format(found[2].strip())

    script = re.sub(r"^# :::\{caption\}\n", "", script, flags=re.MULTILINE)
    script = re.sub(r"^# :::\{([\w-]+)\}(.*)$", opening, script, flags=re.MULTILINE)
    script = re.sub(r"^# :[\w-]+:.*\n", "", script, flags=re.MULTILINE)
    return re.sub(r"^# :::\n", "", script, flags=re.MULTILINE)


def _notebook_cells(text: str) -> list[Cell]:
    """The cells of a notebook's file."""
    found = []
    for cell in json.loads(text)["cells"]:
        tags = tuple(cell["metadata"].get("tags", ()))
        found.append(Cell("".join(cell["source"]), 0, cell["cell_type"] != "code", tags))
    return found


def _folder() -> Path:
    return INSTALLED if INSTALLED.exists() else CHECKOUT


@contextmanager
def _figures_go_to(show: Callable[[Any], object]) -> Iterator[None]:
    """Let ``plt.show()`` give its figures away and close them; no window is opened."""
    import matplotlib.pyplot as plt

    def give() -> None:
        for number in plt.get_fignums():
            show(plt.figure(number))
        plt.close("all")

    backend, usual = plt.get_backend(), plt.show
    plt.switch_backend("agg")
    plt.show = give  # type: ignore[assignment]  # it takes nothing
    try:
        yield
    finally:
        plt.close("all")
        plt.show = usual
        plt.switch_backend(backend)
