"""Lessons as the package gives them: listed, run, copied, graded; and the rules they follow."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_edu import lessons
from tinygrad_edu.lessons.__main__ import main

pytest.importorskip("matplotlib")

CLAIMS = Path(__file__).with_name("lessons")
SUBJECTS = {"sklearn", "torch"}  # beside NumPy, matplotlib and the package

TINY = """\
# %% [markdown]
# # A title
#
# Words.

# %%
import matplotlib.pyplot as plt

x = 2.0
print("printed")
plt.plot([1, x])
plt.show()

# %% [markdown]
# :::{caption}
# A line.
#
# From 1 to 2.
# :::

# %%
x + 1

# %% [markdown]
# :::{exercise} Twice
# :label: tiny-twice
#
# Double a number.
# :::

# %% tags=["exercise"]
def twice(x):
    return None

# %% tags=["check", "hide-input"]
from tinygrad_edu.lessons import check

check("twice 3 is 6", lambda: twice(3) == 6)

# %% [markdown]
# :::{solution-start} tiny-twice
# :::

# %% tags=["solution"]
def twice(x):
    return 2 * x

# %% [markdown]
# So it is.
# :::{solution-end}
# :::

# %%
print("the end")
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A package whose one lesson is ``TINY``."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "01_tiny.py").write_text(TINY, encoding="utf-8")
    monkeypatch.setattr(lessons, "INSTALLED", folder)
    return tmp_path


def test_names_titles_and_paths(tiny):
    assert lessons.names() == ["01_tiny"]
    assert lessons.title("tiny") == "A title"
    assert lessons.path("tiny") == lessons.path("01_tiny") == tiny / "scripts" / "01_tiny.py"
    with pytest.raises(ValueError, match="no lesson 'tin'; the lessons are: 01_tiny"):
        lessons.path("tin")


def test_a_lesson_runs_and_its_pictures_are_written(tiny, capsys):
    written = lessons.run("tiny", tiny / "out")
    assert [path.name for path in written] == ["01_tiny_1.png"]
    assert written[0].read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert said == "printed\n3.0\nnot yet: twice 3 is 6\nthe end\n"


def test_an_error_names_its_line(tiny):
    path = tiny / "scripts" / "01_tiny.py"
    path.write_text(TINY.replace("x + 1", "1 / 0"), encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as error:
        lessons.run("tiny", tiny / "out")
    last = error.traceback[-1]
    assert TINY.splitlines()[last.lineno] == "x + 1"


def test_no_figure_is_left_and_show_is_as_before(tiny):
    import matplotlib.pyplot as plt

    show, backend = plt.show, plt.get_backend()
    lessons.run("tiny", tiny / "out")
    assert (plt.show, plt.get_backend(), plt.get_fignums()) == (show, backend, [])


def test_a_copy_has_no_solution_and_no_directive(tiny):
    script, notebook = lessons.copy(["tiny"], tiny / "mine")
    text = script.read_text("utf-8")
    assert "2 * x" not in text
    assert "So it is" not in text
    assert ":::" not in text
    assert "# **Exercise.** Twice" in text
    assert "# From 1 to 2." in text
    assert text.endswith('print("the end")\n')
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    assert [cell["metadata"].get("tags") for cell in cells if cell["cell_type"] == "code"] == [
        None,
        None,
        ["exercise"],
        ["check", "hide-input"],
        None,
    ]


@pytest.mark.parametrize("name", lessons.names())
def test_what_follows_a_solution_stays_words(name, tmp_path):
    _, notebook = lessons.copy([name], tmp_path)
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        text = "".join(cell["source"])
        assert cell["cell_type"] == "markdown" or "Exercise" not in text
        assert text.strip()


def test_a_copy_with_solutions_has_them(tiny):
    text = lessons.copy(["tiny"], tiny / "mine", solutions=True)[0].read_text("utf-8")
    assert "2 * x" in text
    assert "# **Solution**" in text
    assert "# So it is." in text
    assert ":::" not in text


@pytest.mark.parametrize("ending", ["py", "ipynb"])
def test_grading_says_what_is_right_by_its_status(tiny, capsys, ending):
    file = {path.suffix[1:]: path for path in lessons.copy(["tiny"], tiny / "mine")}[ending]
    assert main(["grade", str(file)]) == 1
    assert capsys.readouterr().out.endswith("not yet: twice 3 is 6\n0 of 1 checks are right\n")
    text = file.read_text("utf-8")
    file.write_text(text.replace("return None", "return x + x"), encoding="utf-8")
    assert main(["grade", str(file)]) == 0
    assert capsys.readouterr().out.endswith("right: twice 3 is 6\n1 of 1 checks are right\n")


def test_grading_takes_no_solution_for_the_students_and_goes_on_after_an_error(tiny, capsys):
    file = tiny / "mine.py"
    file.write_text(TINY.replace("x = 2.0", "x = 1 / 0"), encoding="utf-8")
    assert lessons.grade(file) == {"twice 3 is 6": False}
    assert "line 7: this cell raised ZeroDivisionError" in capsys.readouterr().out


def test_a_solution_counts_for_nobody(tiny):
    file = tiny / "mine.py"
    again = '# %% tags=["check"]\ncheck("twice 5 is 10", lambda: twice(5) == 10)\n'
    file.write_text(f"{TINY}\n{again}", encoding="utf-8")
    assert lessons.grade(file) == {"twice 3 is 6": False, "twice 5 is 10": False}


def test_a_file_without_checks_is_not_right(tiny):
    file = tiny / "mine.py"
    file.write_text("# %%\nx = 1\n", encoding="utf-8")
    assert main(["grade", str(file)]) == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["run", "nope"], "there is no lesson 'nope'"),
        (["copy", "nope"], "there is no lesson 'nope'"),
        (["grade", "nope.py"], "nope.py"),
    ],
)
def test_wrong_use_is_told_in_one_line(tiny, capsys, monkeypatch, argv, said):
    monkeypatch.chdir(tiny)
    with pytest.raises(SystemExit) as leave:
        main(argv)
    assert leave.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert not Path("lessons").exists()


def test_from_the_command_line(tmp_path):
    def run(*command):
        command = [sys.executable, "-m", "tinygrad_edu.lessons", *command]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    assert "03_margins          Margins: sign and confidence\n" in run("list").stdout
    assert (
        str(Path("a", "03_margins.py"))
        in run("copy", "margins", "--out", str(tmp_path / "a")).stdout
    )


# The rules of a lesson: .github/CONTRIBUTING.md.

NAMES = lessons.names()


@pytest.fixture(params=NAMES)
def cells(request):
    return lessons.cells(lessons.path(request.param).read_text("utf-8"))


def test_a_lesson_begins_with_its_heading(cells):
    assert cells[0].markdown
    assert re.match(r"# # \S", cells[0].text)


def test_a_lesson_can_be_pasted_and_changed(cells):
    """It imports what its reader has, reaches into nothing, and never asserts."""
    code = "\n".join(cell.text for cell in cells if not cell.markdown)
    tree = ast.parse(code)
    imported = {
        (alias.name if isinstance(node, ast.Import) else node.module).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert (
        imported - set(sys.stdlib_module_names)
        <= {"numpy", "matplotlib", "tinygrad_edu"} | SUBJECTS
    )
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    names = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert [name for name in names if re.match("_[^_]", name)] == []


def test_every_figure_has_a_caption_and_a_description(cells):
    shows = re.compile(r"^(plt\.show\(\)|draw\(.*|steps\(.*)\Z", re.MULTILINE)
    for cell, below in zip(cells, [*cells[1:], None], strict=True):
        if cell.markdown or not shows.search(cell.text.rstrip()):
            continue
        assert below is not None
        assert re.match(r"# :::\{caption\}\n(# \S.*\n)+#\n(# .*\n)*# :::\n", below.text), cell.line


def test_every_exercise_has_its_cells_in_order(cells, request):
    kinds = [tag for cell in cells for tag in cell.tags if tag != "hide-input"]
    assert kinds == ["exercise", "check", "solution"] * kinds.count("exercise")
    text = "\n".join(cell.text for cell in cells if cell.markdown)
    labels = re.findall(r"^# :label: (\S+)$", text, re.MULTILINE)
    assert len(labels) == kinds.count("exercise")
    assert re.findall(r"^# :::\{solution-start\} (\S+)$", text, re.MULTILINE) == labels
    name = request.node.callspec.params["cells"].partition("_")[2]
    assert [label for label in labels if not label.startswith(f"{name.replace('_', '-')}-")] == []


def test_the_claims_of_every_lesson_are_tested_and_no_others():
    tested = {path.stem.removeprefix("test_lesson_") for path in CLAIMS.glob("test_lesson_*.py")}
    assert tested == {name.partition("_")[2] for name in NAMES}
