"""``lesson``: what a lesson computes, for the tests of what it claims; ``touch``: its figures."""

import warnings
from types import SimpleNamespace

import pytest
from reader import Reader

from tinygrad_edu import lessons


def play(name):
    """The values of a lesson, what it shows, and what its checks say of each stub and solution.

    Below each solution the checks above it run once more.
    """
    script = lessons.path(name)
    order, checks = [], []
    for cell in lessons.cells(script.read_text("utf-8")):
        order.append(cell)
        if "check" in cell.tags:
            checks = [*checks, cell]
        elif "solution" in cell.tags:
            order += checks
            checks = []
    names = {"__name__": "__main__"}
    shown, verdicts = [], []
    for cell in order:
        before = len(lessons.checked)
        lessons.play([cell], script, shown.append, names)
        if "check" in cell.tags:
            verdicts.append((cell.line + 1, lessons.checked[before:]))
    return names, shown, verdicts


@pytest.fixture(scope="module")
def played(request):
    """The values of the lesson of a module ``test_lesson_NAME.py``, and all that it shows.

    It ran with its own stubs, which must not pass, and with its solutions, which must.
    """
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_lesson_")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        names, shown, verdicts = play(name)
    seen = set()
    for line, results in verdicts:
        solved = line in seen
        seen.add(line)
        right = all(verdict for _, verdict in results)
        assert results, f"{name}, line {line}: a cell tagged check calls no check"
        assert right == solved, f"{name}, line {line}: {results} {'with' * solved or 'without'} it"
    return names, shown


@pytest.fixture(scope="module")
def lesson(played):
    """The lesson of a module: its values are attributes."""
    return SimpleNamespace(**played[0])


@pytest.fixture
def touch(read_as, played):
    """Open a figure of the lesson on a page of its own, which must fit."""

    def touch(name, width=1200):
        (figure,) = [each for each in played[1] if name in repr(each)]
        size = {"width": width, "height": 900}
        reader = read_as(Reader, figure, timeout=10_000, viewport=size, has_touch=True)
        assert reader("document.documentElement.scrollWidth <= innerWidth")
        return reader.page

    return touch
