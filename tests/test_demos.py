"""``python -m demos``: what it builds, serves and says when something is wrong."""

import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("myst_nb", reason="the site's tools are not installed: pip install '.[demos]'")

import demos
from demos import __main__ as dispatcher
from tinygrad_edu import lessons

ROOT = Path(demos.__file__).parents[1]

LESSON = """\
# %% [markdown]
# # A title

# %%
print("<b>printed</b>", 6 * 7)
"""
FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Demos with one short lesson, ``tiny``."""
    shutil.copytree(dispatcher.HERE / "site", tmp_path / "demos" / "site")
    (tmp_path / "demos" / "lessons").mkdir()
    monkeypatch.setattr(dispatcher, "HERE", tmp_path / "demos")
    monkeypatch.setattr(lessons, "INSTALLED", tmp_path / "demos" / "lessons")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    (tmp_path / "demos" / "lessons" / "01_tiny.py").write_text(LESSON, encoding="utf-8")
    return tmp_path


def test_one_lesson_is_a_page(folder, capfd):
    assert dispatcher.main(["tiny", "--out", str(folder / "out")]) == 0
    page = (folder / "out" / "lessons" / "01_tiny.html").read_text("utf-8")
    assert "&lt;b&gt;printed&lt;/b&gt; 42" in page
    said = capfd.readouterr()
    assert said.err.startswith("Running 1 lesson:\n")
    assert "lessons/01_tiny" in said.err
    assert said.out == f"Open {folder / 'out' / 'lessons' / '01_tiny.html'} in a browser\n"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ('raise ValueError("it broke")', "it broke"),
        (
            f"{FIGURE}\n\n# %% [markdown]\n# :::{{caption}}\n# Words.\n# :::",
            "a description below the caption",
        ),
        ("1\n\n# %% [markdown]\n# [nowhere](99_nowhere.py#there)", "99_nowhere"),
    ],
)
def test_a_broken_lesson_is_told_and_nothing_is_written(folder, capfd, broken, said):
    path = folder / "demos" / "lessons" / "01_tiny.py"
    path.write_text(LESSON.replace("print(", f"{broken}\n\n# %%\nprint("), encoding="utf-8")
    (folder / "demos" / "index.md").write_text(
        "# Home\n\n```{toctree}\nlessons/01_tiny\n```\n", encoding="utf-8"
    )
    assert dispatcher.main(["--out", str(folder / "out")]) != 0
    error = capfd.readouterr().err
    assert said in error
    assert "the site was not built" in error
    assert list((folder / "out").iterdir()) == []


def test_lessons_and_programs_are_listed_in_order(capsys):
    assert dispatcher.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names[: len(lessons.names())] == lessons.names()
    assert {"digits", "graph", "mistakes", "speed", "distributed", "serve"} <= set(names)
    assert all(re.match(r"\S+ +\S", line) for line in lines)


BAD_OPTIONS = {
    "digits": [
        *("--loss nope", "--batch-size 0", "--epochs -1", "--patience 1.5", "--lr nan", "--lr 0"),
        *("--lr fast", "--seed -1", f"--seed {2**32}", "--unknown"),
    ],
    "graph": ["--only nope", "--unknown", "--out", "surplus"],
    "speed": ["--only W9", "--only", "--rounds 0", "--threads 0", "--json", "surplus"],
    "mistakes": ["surplus"],
}


@pytest.mark.parametrize(
    "line", [f"{name} {options}" for name, many in BAD_OPTIONS.items() for options in many]
)
def test_bad_options_get_one_line(line, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        dispatcher.main(line.split())
    captured = capsys.readouterr()
    assert stop.value.code == 2
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith(f"python -m demos {line.split()[0]}: ")
    assert captured.err.endswith("--help\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["empty", "a\0b", "\x1b[2J", "x" * 300], ids=ascii)
def test_there_is_nothing_to_serve_before_a_site_is_built(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    assert dispatcher.main(["serve", "--out", folder]) == 1
    said = capsys.readouterr().err
    assert said.endswith("build it by python -m demos\n")
    assert said[:-1].isprintable()
    assert len(said) < 1000


def test_the_site_is_served_to_this_machine_alone(tmp_path):
    (tmp_path / "index.html").write_text("the site", encoding="utf-8")
    command = [sys.executable, "-m", "demos", "serve", "--port", "0", "--out", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
            assert urllib.request.urlopen(address, timeout=10).read() == b"the site"
        finally:
            server.terminate()
