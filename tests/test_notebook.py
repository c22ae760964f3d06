"""Tensors, pictures, steps and errors in a notebook, run by a kernel as Jupyter runs it."""

import html
import re
from pathlib import Path

import pytest

import tinygrad_edu

REASON = "the packages of Jupyter are not installed: pip install nbclient ipykernel jupytext"
for package in "nbformat", "nbclient", "ipykernel":
    pytest.importorskip(package, reason=REASON)

import nbclient  # noqa: E402 (only now it is known to be there)
import nbformat  # noqa: E402
from nbformat.v4 import new_code_cell, new_notebook  # noqa: E402

from tinygrad_edu import lessons  # noqa: E402

CELLS = {
    "tensor": """\
from tinygrad_edu import Tensor, draw, steps
w = Tensor([1.0, 2.0], requires_grad=True, name="w")
w""",
    "result": "loss = (w * w).sum()\nloss",
    "drawing": "draw(loss, names=locals())",
    "steps": "steps(loss, names=locals())",
    "curve": """\
curve = []
for _ in range(3):
    loss = (w * w).sum()
    w.zero_grad()
    loss.backward()
    w.data -= 0.25 * w.grad
    curve.append(loss.item())
curve""",
    "mistake": """\
def scores(x):
    return x @ w

scores(Tensor([[1.0, 2.0, 3.0]], name="x"))""",
    "no Graphviz": """\
import os, sys
os.environ["PATH"] = ""
sys.modules["pygraphviz"] = None
loss = (w * w).sum()""",
    "drawing as text": "draw(loss, names=locals())",
    "steps as text": "steps(loss, names=locals())",
}
MISTAKES = ("mistake",)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs a notebook in a new kernel that keeps its files to itself."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        for name in "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR":
            patch.setenv(name, str(folder / name.lower()))
        patch.setenv("PYTHONPATH", str(Path(tinygrad_edu.__file__).parent.parent))

        def run(notebook):
            nbclient.NotebookClient(
                notebook,
                timeout=120,
                allow_errors=True,
                kernel_name="python3",
                resources={"metadata": {"path": str(folder)}},
            ).execute()
            return notebook

        yield run


@pytest.fixture(scope="module")
def outputs(run):
    """What each of ``CELLS`` gave, in order."""
    notebook = run(new_notebook(cells=[new_code_cell(source) for source in CELLS.values()]))
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


@pytest.fixture
def shown(outputs):
    """What the last line of a cell of ``CELLS`` shows, by MIME type."""

    def shown(name):
        (output,) = outputs[name]
        assert output.output_type == "execute_result", output
        return output.data

    return shown


def test_a_tensor_shows_its_repr(shown):
    assert shown("tensor") == {"text/plain": "Tensor([1., 2.], name='w', requires_grad=True)"}
    assert shown("result") == {"text/plain": "Tensor(5., op=sum)"}


def test_a_drawing_shows_a_picture_on_a_white_ground(shown):
    """White, so that its dark ink can be read in a notebook of a dark theme, too."""
    bundle = shown("drawing")
    assert bundle.keys() == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["text/plain"].startswith("loss = sum(v1) | 5 | grad 1\n  v1 = w * w (2,)")
    for kind in "text/html", "image/svg+xml":
        assert "[1, 2]" in bundle[kind]
        assert re.search(r'<polygon fill="white" stroke="(none|transparent)"', bundle[kind])


def test_steps_show_their_page_in_a_frame(shown):
    bundle = shown("steps")
    assert bundle.keys() == {"text/html", "text/plain"}
    frame = re.fullmatch(
        r'<iframe sandbox="allow-scripts".* srcdoc="([^"]*)"></iframe>',
        bundle["text/html"],
        re.DOTALL,
    )
    page = html.unescape(frame[1])
    assert "<title>loss, step by step</title>" in page
    assert "backward through v1 = w * w" in page
    assert bundle["text/plain"].endswith("now [2, 4]: another path adds")


def test_a_loss_curve_shows_its_numbers(shown):
    assert shown("curve") == {"text/plain": "[5.0, 1.25, 0.3125]"}


def test_without_graphviz_text_is_shown_and_how_to_install_it(shown):
    for name, text in (
        ("drawing as text", "loss = sum(v1) | 0.0781"),
        ("steps as text", "step 5 of 5, backward through v1 = w * w"),
    ):
        bundle = shown(name)
        assert bundle.keys() == {"text/plain"}
        assert "pip install 'pygraphviz>=2'" in bundle["text/plain"]
        assert text in bundle["text/plain"]


def test_an_error_shows_the_line_of_the_user(outputs):
    (error,) = outputs["mistake"]
    assert (error.output_type, error.ename) == ("error", "ValueError")
    assert "the tensor 'x' times the tensor 'w'" in error.evalue
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    assert re.search(r"^-+> 4 scores\(Tensor", text, re.MULTILINE)
    assert re.search(r"^-+> 2     return x @ w$", text, re.MULTILINE)
    assert text.rstrip().endswith(error.evalue)
    below = text[text.index("    return x @ w") :]
    assert len(re.findall(r"^File ", below, re.MULTILINE)) <= 2


def test_nothing_else_is_written(outputs):
    for name, cell in outputs.items():
        kinds = [output.output_type for output in cell]
        assert kinds in ([], ["error"] if name in MISTAKES else ["execute_result"]), name


@pytest.fixture
def downloaded(tmp_path):
    """A lesson as it is downloaded."""
    pytest.importorskip("jupytext", reason=REASON)

    def downloaded(name):
        _, path = lessons.copy([name], tmp_path)
        return nbformat.read(path, as_version=4)

    return downloaded


@pytest.mark.nightly
@pytest.mark.parametrize("name", lessons.names())
def test_every_lesson_runs_as_downloaded(run, downloaded, name):
    notebook = run(downloaded(name))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert {output.output_type for output in outputs} <= {
        "execute_result",
        "display_data",
        "stream",
    }
    assert not any(":::" in cell.source for cell in notebook.cells)


def test_a_lesson_is_a_notebook(run, downloaded):
    notebook = run(downloaded("backpropagation"))
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds.count("markdown") > 2
    assert notebook.cells[0].source.startswith("# ")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert {output.output_type for output in outputs} == {"execute_result", "stream"}
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}
    assert any("<iframe" in output.get("data", {}).get("text/html", "") for output in outputs)
