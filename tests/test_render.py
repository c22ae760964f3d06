"""Drawings as images: every format and Graphviz, what is missing or fails, and hostile names."""

import functools
import importlib.util
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import graphviz
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinygrad_edu import Tensor, draw, scope, steps
from tinygrad_edu.drawing import render, use_renderer

SVG = "{http://www.w3.org/2000/svg}"
INSTALLS = ["pip install", "apt install", "brew install", "winget install"]
posix = pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")


@pytest.fixture
def drawing():
    with scope("square"):
        y = Tensor(3.0, requires_grad=True, name="x") ** 2
    return draw(y)


@pytest.fixture
def dot(monkeypatch, tmp_path):
    """What puts a program in the place of dot; until then there is none."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(script, first_line="#!/bin/sh", executable=True):
        program = folder / "dot"
        program.write_text(f"{first_line}\nPATH=/usr/bin:/bin\n{script}\n")
        program.chmod(0o755 if executable else 0o644)

    return install


@pytest.fixture
def no_pygraphviz(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *args: None if name == "pygraphviz" else find(name, *args),
    )


def texts(svg, kind, **attributes):
    """What is written in each node or cluster, by its title."""
    return {
        group.findtext(f"{SVG}title"): "".join(
            text.text or ""
            for text in group.iter(f"{SVG}text")
            if attributes.items() <= text.attrib.items()
        ).replace("\xa0", " ")
        for group in ET.fromstring(svg).iter(f"{SVG}g")
        if group.get("class") == kind
    }


# Formats.


def test_svg(drawing):
    svg = drawing.svg()
    assert svg.startswith("<svg")
    assert texts(svg, "node") == {"n0": "x3grad 6", "n1": "v1 = x ** 29grad 1"}
    assert texts(svg, "cluster") == {"cluster_0": "square"}


def test_digraph_is_a_new_one_with_the_same_source(drawing):
    digraph = drawing.digraph
    assert isinstance(digraph, graphviz.Digraph)
    assert digraph.source == drawing.source
    digraph.node("another")
    assert "another" not in drawing.source


@pytest.mark.parametrize("convert", [str, lambda path: path], ids=["str", "Path"])
@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.svg", b"<svg "),
        ("a.SVG", b"<svg "),
        ("a.b.png", b"\x89PNG\r\n\x1a\n"),
        ("a.pdf", b"%PDF-"),
        ("a.dot", b"digraph"),
        ("a.gv", b"digraph"),
        ("a.txt", b"v1 = x ** 2 | 9 | grad 1"),
    ],
)
def test_the_ending_of_a_file_says_its_format(drawing, tmp_path, name, begins, convert):
    path = tmp_path / name
    assert drawing.save(convert(path)) == path
    assert path.read_bytes().startswith(begins)
    assert os.listdir(tmp_path) == [name]


def test_files_hold_what_the_methods_give(drawing, tmp_path):
    assert drawing.save(tmp_path / "a.gv").read_text("utf-8") == drawing.source
    assert drawing.save(tmp_path / "a.svg").read_text("utf-8") == drawing.svg()
    assert drawing.save(tmp_path / "a.png").read_bytes() == drawing.png()
    assert drawing.save(tmp_path / "a.txt").read_text("utf-8") == f"{drawing}\n"


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.svgz", "svg", "a."])
def test_other_endings_are_refused(drawing, tmp_path, name):
    with pytest.raises(ValueError, match=r"names no format: write \.svg"):
        drawing.save(tmp_path / name)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["a.svg", "a.png", "a.pdf"])
def test_files_stay_as_they_are_if_rendering_fails(drawing, tmp_path, name, monkeypatch):
    def fail(*_):
        raise RuntimeError("no picture")

    monkeypatch.setattr(render, "render", fail)
    with pytest.raises(RuntimeError, match="no picture"):
        drawing.save(tmp_path / name)
    assert not os.listdir(tmp_path)
    (tmp_path / name).write_text("before")
    with pytest.raises(RuntimeError, match="no picture"):
        drawing.save(tmp_path / name)
    assert (tmp_path / name).read_text() == "before"
    assert os.listdir(tmp_path) == [name]


def test_files_that_cannot_be_written_raise_oserror(drawing, tmp_path):
    (tmp_path / "file").touch()
    for folder in ["file", "missing"]:
        with pytest.raises(OSError, match=r"a\.svg"):
            drawing.save(tmp_path / folder / "a.svg")
    assert os.listdir(tmp_path) == ["file"]


def test_files_are_written_whole_or_not_at_all(drawing, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    (tmp_path / "a.svg").write_text("before")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        drawing.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text() == "before"
    assert os.listdir(tmp_path) == ["a.svg"]


def test_repr_is_one_line_and_str_is_the_tree(drawing):
    assert repr(drawing) == "<Drawing of 2 nodes; print() writes a tree>"
    assert str(drawing) == drawing.text()


def test_notebooks_get_the_picture_and_the_tree(drawing):
    bundle = drawing._repr_mimebundle_(include=None, exclude=None)
    assert bundle["image/svg+xml"] == drawing.svg()
    assert bundle["text/plain"] == drawing.text()
    assert "overflow-x: auto" in bundle["text/html"]
    assert texts(bundle["text/html"], "node") == texts(drawing.svg(), "node")


def test_no_viewer_is_opened_and_no_other_program_started(drawing, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a viewer")

    for name in ["view", "_view", "render", "pipe", "save"]:
        monkeypatch.setattr(graphviz.Digraph, name, refuse)
    started = []

    def run(command, **options):
        started.append(os.path.basename(command[0]))
        return real(command, **options)

    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(os, "startfile", refuse, raising=False)
    drawing._repr_mimebundle_()
    drawing.save(tmp_path / "a.png")
    assert len(started) == 2
    assert set(started) <= {"dot", "dot.exe", os.path.basename(sys.executable)}


# Whichever Graphviz there is.


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
@pytest.mark.usefixtures("dot")
def test_pygraphviz_draws_where_there_is_no_dot(drawing, tmp_path, form):
    path = drawing.save(tmp_path / f"a.{form}")
    assert path.read_bytes()[:4] in (b"<svg", b"\x89PNG", b"%PDF")
    assert path.stat().st_size > 500


@pytest.mark.usefixtures("dot")
def test_files_of_the_user_do_not_stand_in_for_modules(drawing, tmp_path, monkeypatch):
    (tmp_path / "random.py").write_text("raise SystemExit('random of the user')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)  # where that names ".", they do
    assert "<svg" in drawing.svg()


@pytest.mark.usefixtures("dot", "no_pygraphviz")
def test_where_there_is_no_graphviz_it_says_how_to_install_it(drawing):
    with pytest.raises(RuntimeError) as error:
        drawing.svg()
    for line in [*INSTALLS, "print()"]:
        assert line in str(error.value)
    with pytest.raises(RuntimeError):
        drawing.png()
    assert drawing.source.startswith("digraph")
    assert drawing.text().startswith("v1 = x ** 2 | 9")
    bundle = drawing._repr_mimebundle_()
    assert bundle == {"text/plain": f"{error.value}\n\n{drawing.text()}"}


@posix
@pytest.mark.parametrize(
    "program",
    [
        {"script": "echo broken font >&2; exit 1"},
        {"script": "exit 0"},
        {"script": "kill -9 $$"},
        {"script": "", "first_line": "#!/nonexistent/interpreter"},
        {"script": "", "first_line": "no program"},
        {"script": "exit 1", "executable": False},
    ],
    ids=["fails", "is silent", "crashes", "has no interpreter", "is none", "may not be run"],
)
def test_pygraphviz_takes_over_where_dot_does_not_work(dot, drawing, program):
    dot(**program)
    assert len(texts(drawing.svg(), "node")) == 2


@pytest.mark.usefixtures("dot")
def test_a_folder_called_dot_is_none(drawing, tmp_path):
    (tmp_path / "bin" / "dot").mkdir()
    assert len(texts(drawing.svg(), "node")) == 2


@posix
@pytest.mark.usefixtures("no_pygraphviz")
def test_what_dot_says_when_it_fails_is_told(dot, drawing):
    dot("echo 'Error: broken font' >&2; exit 3")
    with pytest.raises(
        RuntimeError, match=r"dot made no SVG \(exit status 3\): Error: broken font"
    ):
        drawing.svg()
    assert "broken font" in drawing._repr_mimebundle_()["text/plain"]


@posix
@pytest.mark.usefixtures("no_pygraphviz")
def test_a_dot_that_cannot_be_started_is_told(dot, drawing):
    dot("", first_line="#!/nonexistent/interpreter")
    with pytest.raises(RuntimeError, match="cannot be started") as error:
        drawing.svg()
    for line in INSTALLS:
        assert line in str(error.value)


@posix
@pytest.mark.usefixtures("no_pygraphviz")
def test_another_program_called_dot_is_told(dot, drawing, tmp_path):
    dot("echo usage: dot manages your dotfiles")
    with pytest.raises(RuntimeError):
        drawing.svg()
    with pytest.raises(RuntimeError):
        drawing.save(tmp_path / "a.png")
    assert "text/plain" in drawing._repr_mimebundle_()


@posix
def test_a_layout_that_takes_too_long_is_stopped(dot, drawing, monkeypatch):
    monkeypatch.setattr(render, "PATIENCE", 0.2)
    dot("exec sleep 20")
    with pytest.raises(RuntimeError, match=r"did not finish.* smaller part.*collapse=True"):
        drawing.svg()
    assert "did not finish" in drawing._repr_mimebundle_()["text/plain"]


@posix
@pytest.mark.usefixtures("no_pygraphviz")
def test_a_graph_that_fails_with_its_frames_is_drawn_without(dot, drawing):
    dot("if grep -q cluster; then exit 1; fi; echo '<svg>without</svg>'")
    assert drawing.svg() == "<svg>without</svg>\n"
    dot("read -r first; if grep -q cluster; then echo with frames >&2; fi; exit 1")
    with pytest.raises(RuntimeError, match=r"\(exit status 1\): it wrote nothing"):
        drawing.svg()


# Another renderer.


@pytest.fixture
def use():
    yield use_renderer
    use_renderer(None)


def test_another_renderer_makes_every_image(drawing, tmp_path, use):
    asked = []

    def paint(source, form):
        asked.append((source, form))
        return {"svg": b"<?xml?><svg>mine</svg>", "png": b"\x89PNG mine", "pdf": b"%PDF mine"}[form]

    use(paint)
    assert drawing.svg() == "<svg>mine</svg>"
    assert drawing.png() == b"\x89PNG mine"
    assert drawing.save(tmp_path / "a.pdf").read_bytes() == b"%PDF mine"
    assert drawing._repr_mimebundle_()["image/svg+xml"] == "<svg>mine</svg>"
    assert asked == [(drawing.source, form) for form in ("svg", "png", "pdf", "svg")]
    assert "mine" in steps(Tensor(3.0, requires_grad=True, name="x") * 2.0).html()
    use(None)
    assert len(texts(drawing.svg(), "node")) == 2


@pytest.mark.parametrize(
    ("gives", "told"),
    [
        (None, "it gave None, not bytes"),
        ("<svg>text</svg>", "it gave '<svg>text</svg>', not bytes with b'<svg' in them"),
        (b"", "it gave b''"),
        (b"\x89PNG", "not bytes with b'<svg'"),
        (ZeroDivisionError("no ink"), "ZeroDivisionError: no ink"),
    ],
    ids=["nothing", "text", "no bytes", "another format", "an error"],
)
def test_what_another_renderer_does_wrong_is_told(drawing, use, gives, told):
    def paint(*_):
        if isinstance(gives, Exception):
            raise gives
        return gives

    use(paint)
    with pytest.raises(RuntimeError, match=r"the renderer paint made no SVG: ") as error:
        drawing.svg()
    assert told in str(error.value)
    assert error.value.__cause__ is (gives if isinstance(gives, Exception) else None)
    assert drawing._repr_mimebundle_() == {"text/plain": f"{error.value}\n\n{drawing.text()}"}


def test_a_graph_that_another_renderer_cannot_frame_is_drawn_without(drawing, use):
    def paint(source, _):
        assert "cluster" not in source
        return b"<svg>without</svg>"

    use(paint)
    assert drawing.svg() == "<svg>without</svg>"


def test_a_renderer_is_a_function(use):
    with pytest.raises(TypeError, match=r"takes a function .* or None, not 'dot'"):
        use("dot")


# Hostile names.

HOSTILE = [
    "\"double\" 'single'",
    "<b>x</b>",
    "<BR/>",
    "<",
    "]",
    "]]>",
    "-->",
    "{a|b}",
    r"\N",
    r"\G",
    r"\l\n",
    "\\",
    "\\" * 3,
    "new\nline",
    "\n",
    "a\r\n\n\tb",
    "nul\0",
    "\ud800",
    "\u202eright",
    "\ufffe",
    "x" * 10_000,
    "é" * 59 + "&amp;",
    "&amp;",
    "&",
    "&#65;",
    " two  spaces ",
    "%s",
    "%",
    "${x}",
    "//",
    "#",
    "\U0001d499",
    "é",
    " ",
    "",
]


def product_of(names):
    """Each name that of a tensor and of a scope."""
    terms = []
    for name in names:
        with scope(name):
            terms.append(Tensor(1.0, requires_grad=True, name=name) * 2.0)
    return functools.reduce(lambda total, term: total * term, terms)


def is_written(name, text):
    """Whether ``text`` is the name, or has U+FFFD in place of what is not printable."""
    name = name.replace("\n", "")
    pairs = zip(name, text, strict=False)
    return len(name) == len(text) and all(
        b == (a if a.isprintable() else "\ufffd") for a, b in pairs
    )


@given(st.lists(st.text(st.characters()), min_size=1, max_size=15, unique=True))
@example(HOSTILE)
def test_every_name_is_written_as_it_is(names):
    drawing = draw(product_of(names), collapse=False, max_edges=1000)
    svg = drawing.svg()
    bold, framed = texts(svg, "node", **{"font-weight": "bold"}), texts(svg, "cluster")
    assert len(bold) == 3 * len(names) - 1
    for i, name in enumerate(names):
        assert is_written(name, bold[f"n{2 * i}"]) or not name
        assert is_written(name or "scope", framed[f"cluster_{i}"])
    marks = {element.tag.removeprefix(SVG) for element in ET.fromstring(svg).iter()}
    assert marks <= {"svg", "g", "title", "polygon", "polyline", "path", "text"}
    assert drawing.source.encode()
    assert drawing.text().encode()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_picture_of_any_name_can_be_saved(name, tmp_path):
    root = product_of([name])
    root.args[0].data -= 1.0  # a note names the tensor
    for drawing in [draw(root), draw(root, collapse=True)]:
        for ending in ["dot", "txt"]:
            assert drawing.save(tmp_path / f"a.{ending}").stat().st_size


def test_long_names_are_broken_into_lines():
    svg = ET.fromstring(draw(product_of(["y" * 150])).svg())
    bold = [text.text for text in svg.iter(f"{SVG}text") if text.get("font-weight") == "bold"]
    assert bold == ["y" * 60, "y" * 60, "y" * 30, "v1"]
