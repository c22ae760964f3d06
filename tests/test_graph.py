"""The graph demo: its files, its numbers, and what it says when something is missing."""

import importlib.util
import re
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from demos import __main__ as dispatcher
from demos import graph
from tinygrad_edu import draw, grad
from tinygrad_edu.drawing import render
from tinygrad_edu.functional import one_hot, softmax

NAMES = ["neuron", "cross_entropy", "hinge", "mlp", "mlp_open", "second"]
PAGES = {"neuron", "cross_entropy", "hinge", "second"}
FILES = sorted(
    [f"{name}.{ending}" for name in NAMES for ending in ("png", "svg")]
    + [f"{name}.html" for name in PAGES]
)


def has_graphviz():
    try:
        return bool(render.render("digraph {}", "svg"))
    except RuntimeError:
        return False


graphviz = pytest.mark.skipif(not has_graphviz(), reason="there is no Graphviz")


@pytest.fixture
def no_graphviz(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if "graphviz" in name else find(name, *a)
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder that a run of the demo leaves behind."""
    folder = tmp_path_factory.mktemp("graph")
    assert graph.main(["--out", str(folder)]) == 0
    return folder


def lines(computation):
    """What stands in the tree for each tensor and box, by its name."""
    result, names = computation()
    tree = draw(result, names=names, **graph.PICTURES[computation]).text()
    found = {}
    for line in map(str.strip, tree.splitlines()):
        found.setdefault(re.split(r" [|=(]", line)[0], line)
    return found


@graphviz
def test_every_file_is_there_and_valid(run):
    assert sorted(path.name for path in run.iterdir()) == FILES
    for path in run.glob("*.svg"):
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    for path in run.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    for path in run.glob("*.html"):
        page = path.read_text("utf-8")
        assert "Content-Security-Policy" in page
        assert "default-src 'none'" in page
        assert "backward through" in page


@graphviz
def test_two_runs_write_the_same(run, tmp_path, capsys):
    assert graph.main(["--out", str(tmp_path)]) == 0
    for name in FILES:
        if not name.endswith(".png"):
            assert (tmp_path / name).read_bytes() == (run / name).read_bytes()
    output = capsys.readouterr().out
    for name in FILES:
        assert str(tmp_path / name) in output
    for each in graph.PICTURES:
        assert f"{each.__name__}: {each.__doc__}\n" in output
        assert len(each.__doc__.splitlines()) == 1


@graphviz
def test_one_picture(tmp_path, capsys):
    assert graph.main(["--only", "second", "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "second.html",
        "second.png",
        "second.svg",
    ]
    assert "neuron" not in capsys.readouterr().out


def test_neuron_has_even_numbers():
    loss, names = graph.neuron()
    loss.backward()
    assert loss.item() == np.log(2)
    assert [names[w].grad for w in ("w1", "w2", "b")] == [-0.5, -1.5, -0.5]
    tree = lines(graph.neuron)
    assert tree["loss"] == "loss = -v4 | 0.693 | grad 1"
    assert tree["p"] == "p = sigmoid(z) | 0.5 | grad -2"
    assert tree["w2"] == "w2 | -1 | grad -1.5"


def test_cross_entropy_has_the_loss_and_gradient_of_the_lecture():
    loss, names = graph.cross_entropy()
    scores = names["scores"]
    slopes = grad(lambda s: graph.losses.cross_entropy(s, names["y"]))(scores.numpy())
    np.testing.assert_allclose(slopes, softmax(scores.numpy()) - one_hot(names["y"], 3))
    assert round(loss.item(), 2) == 1.04
    assert "[[-2.85, 0.86, 0.28]]" in lines(graph.cross_entropy)["scores"]
    assert "grad [[0.0154, 0.631, -0.647]]" in lines(graph.cross_entropy)["scores"]


def test_hinge_has_gradient_zero_at_its_kink():
    loss, names = graph.hinge()
    np.testing.assert_array_equal(names["margins"].numpy(), [3, 1, 0, -1])
    assert loss.item() == graph.losses.hinge(names["scores"].numpy(), names["y"]) == 0.75
    assert "| [3, 1, 0, -1] | grad [0, 0, -0.25, -0.25]" in lines(graph.hinge)["margins"]
    assert lines(graph.hinge)["w"] == "w | 2 | grad 0.375"
    assert lines(graph.hinge)["b"] == "b | -1 | grad 0.5"


def test_mlp_has_a_box_for_each_layer_and_opens():
    boxes, tensors = lines(graph.mlp), lines(graph.mlp_open)
    for box, count in {"hidden: Linear": 80, "output: Linear": 51}.items():
        assert f"2 parameters, {count} numbers" in boxes[box]
        assert box not in tensors
    assert {"w1", "b1", "w2", "b2", "scores"} <= set(tensors)
    assert len(tensors) == 20
    assert "all 20 tensors" in graph.mlp_open.__doc__


def test_second_is_the_slope_of_a_slope():
    slope, names = graph.second()
    slope.backward()
    assert (slope.item(), names["x"].grad) == (300, 60)
    tree = lines(graph.second)
    assert "| 300 |" in tree["slope"]
    assert tree["x"] == "x | 10 | grad 60"
    assert "300" in graph.second.__doc__
    assert "60" in graph.second.__doc__


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_the_trees_are_still_there(tmp_path, capsys):
    assert dispatcher.main(["graph", "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    for name in NAMES:
        assert f"{name}\n" in captured.out
    assert "slope = " in captured.out
    for install in ("pip install", "apt install", "brew install", "winget install"):
        assert install in captured.err
    assert "Traceback" not in captured.err
    assert list(tmp_path.iterdir()) == []
    assert graph.main(["--time"]) == 1


@graphviz
def test_times_are_a_table(capsys, monkeypatch):
    rounds = []
    measure = graph.measure
    monkeypatch.setattr(graph, "measure", lambda n, *a: rounds.append(n) or measure(2, *a))
    graph.print_times(n=100)
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["least", "median"]
    for line in table[1:]:
        least, median = map(float, line.split()[-2:])
        assert least > 0
        assert median > 0
    assert len(table) == 7
    assert min(rounds) >= 5


def test_measuring_takes_turns():
    turns = []

    def slow():
        turns.append("slow")
        time.sleep(0.01)

    times = graph.measure(3, slow, lambda: turns.append("fast"))
    assert turns == ["slow", "fast"] * 3
    assert times.shape == (2, 2)
    assert (times[0] >= 0.009).all()
    assert (times[:, 0] <= times[:, 1]).all()
    assert times[1, 0] < 0.009


def test_what_is_measured():
    def nodes(result, **options):
        return repr(draw(result, **options)).split()[2]

    assert nodes(graph.chain(100), max_nodes=200) == "101"
    assert nodes(graph.chain(100, graph.scope)) == "10"
    assert nodes(graph.chain(100, graph.scope, every=100)) == "1"
    assert nodes(graph.row(12)) == "60"


def test_the_list_of_demos_shows_it(capsys):
    assert dispatcher.main(["list"]) == 0
    assert f"graph               {graph.__doc__}\n" in capsys.readouterr().out
