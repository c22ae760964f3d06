"""``draw``: what a picture says of a graph, and that to draw changes nothing."""

import ast
import gc
import html
import os
import re
import subprocess
import sys
import threading
import weakref
from contextlib import ExitStack

import numpy as np
import pytest

from tinygrad_edu import Tensor, debug, draw, functional, grad, losses, nn, no_grad, scope
from tinygrad_edu.modes import mode

ALARM = "#b91c1c"


def parameter(data, name=None, **options):
    return Tensor(data, requires_grad=True, name=name, **options)


def nodes(drawing):
    """The lines of the label and the attributes of each node, by its name."""
    found = {}
    for label, style in re.findall(r"(?m)^\tn\d+ \[label=<(.*)> (.*)\]$", drawing.source):
        lines = [re.sub(r"<.*?>", "", line) for line in label.split("<BR/>")]
        name = re.match(r"<B>(.*?)</B>", label)[1]
        found[unescape(name)] = [unescape(line) for line in lines], style
    return found


def unescape(markup):
    return html.unescape(markup).replace("\xa0", " ")


def edges(drawing):
    return re.findall(r"(?m)^\tn(\d+) -> n(\d+)(?: \[label=(.*)\])?$", drawing.source)


def frames(drawing):
    """The frames around each node, the outermost first, by its name."""
    around, found = [], {}
    for line in drawing.source.splitlines():
        if match := re.match(r"\tgraph .* label=<<FONT[^>]*>(.*)</FONT>> labeljust=l style", line):
            around = [*around, match[1]]
        elif match := re.match(r"\tn\d+ \[label=<<B>(.*?)</B>", line):
            found[match[1]] = around
        elif line == "}":
            around = around[:-1]
    return found


def gradients(root, **options):
    """The gradients that a picture without frames shows, by name."""
    text = draw(root, precision=17, **options).text()
    found = re.findall(r"(?m)^ *(\w+)\b.*\| grad (.*)$", text)
    return {name: ast.literal_eval(shown) for name, shown in found}


def chain(length):
    """The result of so many operations."""
    result = parameter(1.0)
    for _ in range(length):
        result = result + 1.0
    return result


# A pure reader.


def test_nothing_changes():
    x, w = Tensor([1.0, 2.0], name="x"), parameter([3.0, 4.0])
    w.grad = [0.1, 0.2]
    hidden = w * x
    loss = hidden.sum()

    def state():
        arrays = [x.data, w.data, w.grad, hidden.data, loss.data]
        names = [tensor.name for tensor in (x, w, hidden, loss)]
        contents = [(id(a.base), a.tobytes(), a.flags.writeable) for a in arrays[:3]]
        graph = loss.op, loss.args, hidden.args, hidden._time, w._time, w._passes
        return contents, [a.tobytes() for a in arrays], names, graph, mode.get(), np.geterr()

    before = state()
    draw(loss, names={"h": hidden}).svg()
    assert state() == before


def test_backward_works_once_afterwards():
    x = parameter(3.0)
    y = x * x
    draw(y)
    y.backward()
    assert x.grad == 6.0
    draw(y)
    with pytest.raises(RuntimeError, match=r"called on the result of multiply of shape .. before"):
        y.backward()
    assert x.grad == 6.0


@pytest.mark.parametrize("block", [debug, no_grad])
def test_infinite_gradients_are_drawn_anywhere_without_a_warning(block):
    x = parameter(0.0, "x")
    y = np.sqrt(x)
    with block():
        before = mode.get()
        drawing = draw(y)
        assert mode.get() == before
    assert drawing.text() == "v1 = sqrt(x) | 0 | grad 1\n  x | 0 | grad inf"
    assert f'<FONT COLOR="{ALARM}">grad inf' in drawing.source
    assert f'<FONT COLOR="{ALARM}">0' not in drawing.source


@pytest.mark.parametrize(
    "data",
    [
        [1e-200, 2e-200, 0, 0, 0],
        [1e300, -1e300, 1e308, 1e308, 0],
    ],
)
def test_strict_errors_of_numpy_do_not_forbid_a_picture(data):
    with np.errstate(all="raise"):
        assert "mean" in draw(Tensor(data)).text()


def test_a_drawing_stays_as_it_was_and_keeps_no_graph():
    x = parameter(np.ones(3), "x")
    y = x * 2.0
    drawing = draw(y)
    source = drawing.source
    x.data += 1.0
    assert drawing.source == source
    dropped = weakref.ref(y)
    del y
    gc.collect()
    assert dropped() is None


# Gradients.


def test_gradients_are_those_of_this_root_before_and_after_backward():
    x = parameter([0.5, -1.5], "x")

    def f(x):
        a = x * x
        b = np.sin(a)
        return a, b, (a * b).sum()

    a, b, root = f(x)
    names = {"a": a, "b": b, "root": root}
    of_a = b.data + a.data * np.cos(a.data)
    expected = {
        "root": 1.0,
        "v1": [1, 1],
        "a": of_a,
        "b": a.data,
        "x": grad(lambda x: f(x)[2])(x.data),
    }

    def check():
        found = gradients(root, names=names)
        assert found.keys() == expected.keys()
        for name, gradient in expected.items():
            np.testing.assert_allclose(found[name], gradient, rtol=1e-14)

    check()
    root.backward()
    check()
    f(x)[2].backward()
    (x * 100.0).sum().backward()
    check()
    np.testing.assert_allclose(gradients(a.sum())["x"], [1, -3])


def test_gradients_of_every_parameter_of_a_model_are_those_of_backward():
    model = nn.Sequential(nn.Linear(3, 5, rng=0), functional.relu, nn.Linear(5, 6, rng=1))
    loss = losses.cross_entropy(model(np.eye(3)), [0, 1, 0])
    drawing = draw(loss, precision=17, show="grad")
    loss.backward()
    found = nodes(drawing)
    for name, tensor in model.named_parameters():
        (_, words), _ = found[name]
        mean, std = (float(each) for each in re.findall(r"(?:mean|std) ([^,]+)", words))
        np.testing.assert_allclose([mean, std], [tensor.grad.mean(), tensor.grad.std()], atol=1e-15)


def test_gradients_are_left_out_where_there_are_none_or_none_are_wanted():
    x = parameter([1.0, 2.0], "x")
    assert str(draw(x * 2.0)) == "v1 = x * 2 (2,) | [2, 4]\n  x (2,) | [1, 2]"
    assert "grad" not in str(draw((x * 2.0).sum(), show=("value",)))
    assert str(draw(x.sum(), show="grad")) == "v1 = sum(x) | grad 1\n  x (2,) | grad [1, 1]"
    assert str(draw(x.sum(), show=())) == "v1 = sum(x)\n  x (2,)"
    text = str(draw(x.sum() * Tensor(5.0, name="c")))
    assert text.endswith("\n  c | 5")


def test_a_root_of_one_number_may_have_axes():
    x = parameter([[2.0]], "x")
    first, second, _ = str(draw(x @ x)).splitlines()
    assert first == "v1 = x @ x (1, 1) | [[4]] | grad [[1]]"
    assert second == "  x (1, 1) | [[2]] | grad [[4]]"


@pytest.mark.parametrize("requires_grad", [True, False])
def test_changed_data_is_drawn_with_a_note(requires_grad):
    x, w = Tensor(3.0, requires_grad, name="x"), parameter(2.0, "w")
    y = x * w
    x.data -= 1.0
    drawing = draw(y)
    note, *tree = drawing.text().splitlines()
    assert note.startswith("no gradients: changed since they were used: x.")
    assert tree == ["v1 = x * w | 6", "  x | 2 | changed since it was used", "  w | 2"]
    assert "changed since they were used" in re.sub(r"<BR/>", "", drawing.source)
    assert draw(y, show="value").text().startswith("v1 = ")


def test_tensors_of_one_name_are_told_apart():
    first, second = parameter(1.0, "w"), parameter(2.0, "w")
    assert draw(first * second).text().startswith("v1 = w * w#2 | 2")


def test_what_was_not_recorded_says_so():
    with no_grad():
        y = parameter(3.0) * 2.0
    for root in [y, Tensor(6.0)]:
        assert draw(root).text() == (
            "nothing was recorded: no argument requires a gradient\nv1 | 6"
        )
    assert "nothing was recorded" in draw(y).source


# Nodes, their words, and edges.


def test_a_node_has_a_name_an_operation_a_shape_a_value_and_a_gradient():
    x, w = Tensor(np.eye(3), name="x"), parameter([[1.0], [2.0], [3.0]], "w")
    assert draw((x @ w).sum() * 2.0, names={"total": None}).text().splitlines() == [
        "v3 = v2 * 2 | 12 | grad 1",
        "  v2 = sum(v1) | 6 | grad 2",
        "    v1 = x @ w (3, 1) | [[1], [2], [3]] | grad [[2], [2], [2]]",
        "      x (3, 3) | mean 0.333, std 0.471",
        "      w (3, 1) | [[1], [2], [3]] | grad [[2], [2], [2]]",
    ]


@pytest.mark.parametrize(
    ("data", "words", "alarm"),
    [
        (3.14159, "3.14", False),
        (1234567.0, "1.23e+06", False),
        (-12345.0, "-12345", False),
        (1e-9, "1e-09", False),
        (np.float32(0.1), "0.1", False),
        (np.float16(0.1), "0.1", False),
        (7, "7", False),
        (True, "True", False),
        (np.nan, "nan", True),
        (-np.inf, "-inf", True),
        ([], "empty", False),
        (np.zeros((0, 3)), "empty", False),
        ([1.0, 2.5, np.nan, np.inf], "[1, 2.5, nan, inf]", True),
        ([[1, 2], [3, 4]], "[[1, 2], [3, 4]]", False),
        ([True, False], "[True, False]", False),
        ([1.0, 2.0, 3.0, 4.0, 5.0], "mean 3, std 1.41", False),
        ([1.0, 3.0, np.nan, np.nan, np.inf], "mean 2, std 1, 2 nan, 1 inf", True),
        ([np.nan] * 5, "5 nan", True),
        ([-3, 0, 5, 2, 1], "-3 to 5", False),
        ([True, False, True, True, False], "3 of 5 True", False),
        (np.sin(np.arange(8) * np.pi / 4), "mean 0, std 0.707", False),
        (np.full(7, 0.1), "mean 0.1, std 0", False),
        (np.arange(1000, dtype=np.float32), "mean 500, std 289", False),
        (np.full(5, 60000, np.float16), "mean 60000, std 0", False),
    ],
)
def test_values_in_words(data, words, alarm):
    drawing = draw(Tensor(data, name="x"), show="value")
    assert drawing.text().splitlines()[1].split(" | ")[1] == words
    assert (f'COLOR="{ALARM}">{words[:3]}' in drawing.source.replace("&#160;", " ")) == alarm


def test_rare_large_numbers_of_low_precision_are_not_rounded_away():
    one_hot = np.eye(1000, dtype=np.float16)[0]
    assert "mean 0.001," in draw(Tensor(one_hot)).text()


def test_precision_is_that_of_all_numbers():
    y = parameter(2.0) * 3.14159265
    assert draw(y, precision=6).text() == "v2 = v1 * 3.14159 | 6.28319 | grad 1\n" + (
        "  v1 | 2 | grad 3.14159"
    )


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda a, b: a**a, "a ** a"),
        (lambda a, b: a @ b, "a @ b"),
        (lambda a, b: b - a, "b - a"),
        (lambda a, b: 1 - a, "1 - a"),
        (lambda a, b: a / np.float64(2.5), "a / 2.5"),
        (lambda a, b: -a, "-a"),
        (lambda a, b: a[0, 1:], "a[0, 1:]"),
        (lambda a, b: a[..., None], "a[..., None]"),
        (lambda a, b: a.T, "a.T"),
        (lambda a, b: a.transpose(1, 0), "transpose(a, axes=(1, 0))"),
        (lambda a, b: a.sum(axis=0), "sum(a, axis=0)"),
        (lambda a, b: a.reshape(4), "reshape(a, 4)"),
        (lambda a, b: np.concatenate([a, b], axis=1), "concatenate([a, b], axis=1)"),
    ],
)
def test_operations_in_words(f, words):
    a, b = parameter(np.full((2, 2), 0.5), "a"), parameter(np.ones((2, 2)), "b")
    root = f(a, b)
    shape = f" {root.shape}" if root.ndim else ""
    assert draw(root).text().splitlines()[0].startswith(f"v1 = {words}{shape} | ")


@pytest.mark.parametrize(
    ("f", "uses"),
    [
        (lambda a, b: a + a, "aa"),
        (lambda a, b: a**a, "aa"),
        (lambda a, b: a @ b, "ab"),
        (lambda a, b: np.concatenate([b, a, b]), "bab"),
    ],
)
def test_each_use_is_one_edge_in_order(f, uses):
    a, b = parameter(np.ones(3), "a"), parameter(np.ones(3), "b")
    drawing = draw(f(a, b))
    names = list(nodes(drawing))
    assert "".join(names[int(tail)] for tail, _, _ in edges(drawing)) == uses


def test_roles_have_their_looks():
    x, w = Tensor([1.0, 2.0], name="x"), parameter([3.0, 4.0], "w")
    table = np.array([5.0, 6.0])
    root = (x * w + table).sum()
    found = nodes(draw(root, names={"table": table}))
    styles = {name: style for name, (_, style) in found.items()}
    assert styles == {
        "x": 'fillcolor="#dbeafe" style=filled',
        "w": 'fillcolor="#fef3c7" penwidth=2.5 style=filled',
        "table": 'fillcolor="#eef0f2" style="filled,dashed"',
        "v1": 'fillcolor="#ffffff" style="filled,rounded"',
        "v2": 'fillcolor="#ffffff" style="filled,rounded"',
        "v3": 'fillcolor="#ffffff" peripheries=2 style="filled,rounded"',
    }
    with scope("box"):
        root = root * 2.0
    _, style = nodes(draw(root, collapse=True))["box"]
    assert style == 'fillcolor="#ede9fe" shape=folder style=filled'


@pytest.mark.parametrize(
    ("data", "rankdir", "expected"),
    [(1.0, "auto", "LR"), ([1.0, 2.0], "auto", "TB"), (1.0, "BT", "BT"), ([1.0, 2.0], "RL", "RL")],
)
def test_a_graph_of_single_numbers_goes_from_left_to_right(data, rankdir, expected):
    assert f"rankdir={expected}]" in draw(parameter(data) * 2.0, rankdir=rankdir).source


# Names.


def test_names_are_given_by_identity():
    equal = np.array([1.0, 2.0])
    x, w = Tensor(equal), parameter(equal)
    table = np.array([1.0, 2.0])
    _hidden = hidden = x * w
    _only = hidden + table
    loss = _only.sum()
    found = nodes(draw(loss, names=locals()))
    assert list(found) == ["x", "w", "hidden", "table", "_only", "loss"]
    assert found["_only"][0][0] == "_only = hidden + table (2,)"


def test_arrays_of_integers_keep_their_names():
    counts, labels = np.array([1, 2]), Tensor([3, 4])
    root = counts * parameter([1.0, 2.0]) + labels
    assert {"counts", "labels"} <= nodes(draw(root, names=locals())).keys()


def test_names_come_before_own_names_before_places_in_a_module():
    linear = nn.Linear(2, 2, rng=0)
    x = Tensor([1.0, 2.0], name="own")
    y = linear(x)
    y.name = "scores"
    assert nodes(draw(y)).keys() >= {"own", "weight", "bias", "scores"}
    linear.bias.name = "offset"
    names = {"given": x, "first": linear.weight, "second": linear.weight}
    assert nodes(draw(y, names=names)).keys() >= {"given", "first", "offset", "scores"}


def test_names_that_are_taken_are_skipped():
    v1, other = parameter(1.0, "v1"), parameter(2.0)
    y = v1 * other + 1.0
    assert list(nodes(draw(y, names={"v3": y}))) == ["v1", "v2", "v4", "v3"]


def test_a_named_number_is_a_node():
    rate = np.array(0.5)
    y = parameter(4.0, "x") * rate
    assert "v1 = x * 0.5 |" in draw(y).text()
    assert draw(y, names=locals()).text().splitlines() == [
        "y = x * rate | 2 | grad 1",
        "  x | 4 | grad 0.5",
        "  rate | 0.5",
    ]


@pytest.mark.parametrize("names", [["x"], "x", {"x"}, 3])
def test_names_that_are_no_mapping_are_refused(names):
    with pytest.raises(TypeError, match="names maps names to Tensors"):
        draw(parameter(1.0), names=names)


@pytest.mark.parametrize("root", [3.0, np.ones(3), None, [parameter(1.0)]])
def test_a_root_that_is_no_tensor_is_refused(root):
    with pytest.raises(TypeError, match=type(root).__name__):
        draw(root)


@pytest.mark.parametrize(
    "options",
    [
        {"show": "values"},
        {"show": ("value", "gradient")},
        {"rankdir": "lr"},
        {"collapse": "yes"},
        {"collapse": None},
        {"precision": 0},
    ],
)
def test_unknown_options_are_refused(options):
    (option,) = options
    with pytest.raises(ValueError, match=option):
        draw(parameter(1.0), **options)


def test_the_source_is_the_same_on_every_run():
    program = """if True:
        from tinygrad_edu import Tensor, draw, functional, losses, nn, scope
        model = nn.Sequential(nn.Linear(2, 3, rng=0), functional.relu, nn.Linear(3, 2, rng=0))
        with scope("loss"):
            loss = losses.cross_entropy(model([[1.0, 2.0]]), [1])
        print(draw(loss, names={"a": model, "b": loss}).source)
        print(draw(loss, max_nodes=9).source)
    """
    command = [sys.executable, "-c", program]
    runs = [
        subprocess.check_output(command, env=os.environ | {"PYTHONHASHSEED": seed}, text=True)
        for seed in "123"
    ]
    assert runs[0].count("digraph") == 2
    assert runs[0] == runs[1] == runs[2]


# Size.


def test_deep_graphs_are_drawn_without_recursion():
    root = chain(20_000)
    assert draw(root, max_nodes=50_000).source.count(" -> ") == 20_000
    assert draw(chain(3000), max_nodes=50_000).text().count("\n") == 3000


def test_a_tree_of_a_deep_graph_is_not_mostly_indentation():
    assert len(draw(chain(3000), max_nodes=50_000).text()) < 3000 * 500


def test_graphs_too_large_to_read_are_refused_with_the_ways_out():
    draw(chain(999))
    with pytest.raises(ValueError, match="1,00") as error:
        draw(chain(1001))
    for way in ["with scope(", "collapse=True", "max_nodes"]:
        assert way in str(error.value)
    with scope("all"):
        root = chain(1001)
    assert len(nodes(draw(root))) == 1
    with pytest.raises(ValueError, match=r"1,00\d nodes"):
        draw(root, collapse=False)


def test_scopes_may_be_nested_deeply():
    with ExitStack() as stack:
        for i in range(300):
            stack.enter_context(scope(f"s{i}"))
        root = parameter(1.0) * 2.0
    assert frames(draw(root))["v2"] == [f"s{i}" for i in range(300)]
    assert list(nodes(draw(root, collapse=True))) == ["s0"]


# Frames.


def test_losses_and_softmax_have_frames_and_inputs_stay_outside():
    scores = parameter(2 * np.eye(3), "scores")
    of_labels = frames(draw(losses.cross_entropy(scores, [0, 1, 2])))
    assert of_labels.pop("scores") == []
    assert set(map(tuple, of_labels.values())) == {("cross_entropy",)}
    loss = losses.cross_entropy(scores, np.eye(3))
    found = frames(draw(loss, names={"loss": loss}))
    assert found["scores"] == []
    assert found["v1"] == found["v2"] == ["cross_entropy", "log_softmax"]
    assert found["loss"] == ["cross_entropy"]


class Net(nn.Module):
    def __init__(self):
        self.hidden = nn.Linear(2, 2, rng=0)
        self.layers = [nn.Linear(2, 1, rng=1)]

    def forward(self, x):
        return self.layers[0](functional.relu(self.hidden(x)))


def test_modules_have_frames_and_parameters_by_their_paths():
    net = Net()
    found = frames(draw(net([1.0, 2.0])))
    assert found["hidden.bias"] == found["hidden.weight"] == ["Net", "hidden: Linear"]
    assert found["layers.0.weight"] == ["Net", "layers.0: Linear"]
    assert ["Net", "relu"] in found.values()
    model = nn.Sequential(nn.Linear(2, 2, rng=0), functional.relu)
    y = model([1.0, 2.0])
    assert frames(draw(y))["0.weight"] == ["Sequential", "0: Linear"]
    assert frames(draw(y, names=locals()))["model.0.weight"] == ["model: Sequential", "0: Linear"]


def test_scopes_frame_what_is_computed_inside():
    @scope("double")
    def double(x):
        return x * 2.0

    x = parameter(1.0, "x")
    with scope("outer"):
        a = double(x)
        with scope("inner"):
            b = a + 1.0
        c = b * b
    d = double(c)
    found = frames(draw(d, names=locals()))
    assert found == {
        "x": ["outer", "double"],
        "a": ["outer", "double"],
        "b": ["outer", "inner"],
        "c": ["outer"],
        "d": ["double"],
    }
    drawing = draw(d, clusters=False)
    assert "cluster" not in drawing.source
    assert len(nodes(drawing)) == 5


def test_two_runs_through_one_scope_are_two_frames():
    twice = scope("step")
    w = x = parameter(1.0, "w")
    for _ in range(2):
        with twice:
            x = x * w
    drawing = draw(x)
    assert frames(drawing) == {"w": [], "v1": ["step"], "v2": ["step"]}
    assert drawing.source.count("subgraph") == 2
    assert edges(draw(x, collapse=True)) == [("0", "1", "x2"), ("1", "2", ""), ("0", "2", "")]


def test_a_scope_left_by_an_exception_has_ended():
    x = parameter(1.0, "x")
    with pytest.raises(ZeroDivisionError), scope("failing"):
        raise ZeroDivisionError
    assert frames(draw(x * 2.0)) == {"x": [], "v1": []}


def test_a_scope_holds_for_its_own_thread():
    x, results, together = parameter(1.0, "x"), {}, threading.Barrier(3)

    def work(name):
        with scope(name):
            together.wait()
            results[name] = x * 2.0

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    together.wait()
    root = results["outside"] = x * 3.0
    for thread in threads:
        thread.join()
    root = root + results["a"] + results["b"]
    found = frames(draw(root, names=results))
    assert found == {"x": [], "a": ["a"], "b": ["b"], "outside": [], "v1": [], "v2": []}


@pytest.mark.parametrize("name", [3, None, b"layer"])
def test_the_name_of_a_scope_is_a_string(name):
    with pytest.raises(TypeError, match="a scope has a name"):
        scope(name)


def test_the_computation_of_a_derivative_is_framed():
    x = Tensor(2.0, requires_grad=True, name="x")
    found = frames(draw(grad(lambda x: x**3)(x)))
    assert found["x"] == []
    assert ["gradient"] in found.values()


# Groups as boxes.


def layers(width=16):
    """Two layers of neurons, each neuron a scope in a layer's scope."""

    @scope("neuron")
    def neuron(inputs):
        return sum(parameter(0.1) * x for x in inputs)

    values = [Tensor(1.0, name=f"x{i}") for i in range(width)]
    for i in (1, 2):
        with scope(f"layer {i}"):
            values = [neuron(values) for _ in range(width)]
    return sum(values)


def test_the_uses_of_a_group_by_another_are_counted():
    drawing = draw(layers(), collapse=True)
    uses = [label for _, _, label in edges(drawing)]
    assert uses.count("x16") == 16
    assert uses.count("x256") == 1
    assert "layer 1" in drawing.text()
    assert drawing.text().count("x256") == 1
    label, _ = nodes(drawing)["layer 1"]
    assert label[1:] == ["512 operations", "256 parameters, 256 numbers"]


def test_inner_scopes_are_collapsed_first():
    root = layers(3)
    everything = draw(root, max_nodes=1000, max_edges=1000)
    assert everything.source == draw(root, collapse=False).source
    assert "neuron" not in nodes(everything)
    for limits in [{"max_nodes": 20}, {"max_edges": 40}]:
        names = re.findall(r"<B>(.*?)</B>", draw(root, **limits).source)
        assert names.count("neuron") == 6
        assert not {"layer 1", "layer 2"} & set(names)
    for limits in [{"max_nodes": 9}, {"max_edges": 9}]:
        drawing = draw(root, **limits)
        assert drawing.source == draw(root, collapse=True).source
        assert {"layer 1", "layer 2"} <= nodes(drawing).keys()


def test_a_model_is_collapsed_module_by_module():
    x, model = Tensor(np.ones((4, 2)), name="x"), Net()
    loss = losses.mse_loss(model(x), np.zeros((4, 1)))
    found = nodes(draw(loss, max_nodes=8))
    assert {"x", "hidden: Linear", "relu", "layers.0: Linear"} < found.keys()
    assert found["hidden: Linear"][0][1:3] == ["3 operations", "2 parameters, 6 numbers"]
    found = nodes(draw(loss, collapse=True))
    assert list(found) == ["Net", "x", "mse_loss"]
    loss.backward()
    output = grad(lambda out: losses.mse_loss(out, np.zeros((4, 1))))(model(x).data)
    assert found["Net"][0][4].startswith(f"[[{model(x).data[0, 0]:.3g}], ")
    assert found["Net"][0][5].startswith(f"grad [[{output[0, 0]:.3g}], ")


def test_a_group_that_gives_several_results_shows_none():
    x = parameter(2.0, "x")
    with scope("both"):
        a, b = x * 3.0, x * 5.0
    label, _ = nodes(draw(a + b, collapse=True))["both"]
    assert label == ["both", "2 operations", "1 parameter, 1 number"]
