"""Hostile input: mutated files, names and settings end in a clear error, and do nothing else.

A hundred of each in the suite, and ten thousand where ``pytest -m nightly`` is run.
"""

import ast
import contextlib
import gzip
import io
import json
import pickle
import random
import struct
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from demos import __main__ as demos
from demos import digits, distributed, graph, speed
from tinygrad_edu import Tensor, draw, jit, load, save, scope, steps
from tinygrad_edu.datasets import load_cifar10, load_cifar100, load_idx
from tinygrad_edu.lessons import __main__ as lessons
from tinygrad_edu.testing import __main__ as laws

each_count = pytest.mark.parametrize(
    "count", [100, pytest.param(10_000, marks=pytest.mark.nightly)], ids=["a hundred", "many"]
)


# What happens meanwhile, by Python's audit hooks, which cannot be removed: one, and a switch.

RUNS = ("os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "subprocess.Popen")
REACHES = ("socket.connect", "socket.getaddrinfo", "urllib.Request", "webbrowser.open")
CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "shutil.rmtree")
happened: list[tuple[str, tuple[object, ...]]] | None = None


def _listen(event, args):
    if happened is None:
        return
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if writes or event.startswith((*RUNS, *REACHES, *CHANGES)):
        happened.append((event, args))


sys.addaudithook(_listen)


@contextlib.contextmanager
def nothing_happens():
    """Nothing is run, reached, written or changed in this block."""
    global happened
    happened = []
    try:
        yield
        assert happened == []
    finally:
        happened = None


# Files.


def mutated(rng, payload):
    """Bytes changed, cut, doubled, put in or moved, in one to four places."""
    data = bytearray(payload)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([1, 1, 2, 8, 64]))
        kind = rng.randrange(6)
        if kind == 0:
            data[start:end] = rng.randbytes(end - start)
        elif kind == 1:
            del data[start:end]
        elif kind == 2:
            data[start:start] = data[start:end]
        elif kind == 3:
            data[start:start] = rng.randbytes(rng.choice([1, 4, 100]))
        elif kind == 4:
            data[start:end] = rng.choice([b"\xff", b"\0", b"\x80", b"9", b'"', b"{"]) * (
                end - start
            )
        else:
            del data[start:]
    return bytes(data)


def safetensors_file():
    text = json.dumps(
        {
            "__metadata__": {"tinygrad_edu.parts": '["a"]'},
            "a.w": {"dtype": "F64", "shape": [2, 3], "data_offsets": [0, 48]},
            "b": {"dtype": "BF16", "shape": [4], "data_offsets": [48, 56]},
        }
    ).encode()
    return struct.pack("<Q", len(text)) + text + bytes(range(56))


IDX = bytes([0, 0, 14, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(48))
FILES = {
    "safetensors": (load, safetensors_file()),
    "idx": (load_idx, IDX),
    "idx, packed": (load_idx, gzip.compress(IDX, mtime=0)),
    "cifar10": (load_cifar10, (bytes([7]) + bytes(3072)) * 2),
    "cifar100": (load_cifar100, (bytes([4, 72]) + bytes(3072)) * 2),
}


def arrays(found):
    """The arrays in what a reader gives."""
    if isinstance(found, np.ndarray):
        return [found]
    parts = found.values() if isinstance(found, dict) else found
    return [array for part in parts for array in arrays(part)]


@each_count
@pytest.mark.parametrize("kind", FILES)
def test_a_mutated_file_is_read_or_refused_by_name(tmp_path, kind, count):
    read, payload = FILES[kind]
    path = tmp_path / "mutated"
    outcomes = {"read": 0, "refused": 0}
    path.write_bytes(payload)
    assert arrays(read(path))
    for seed in range(count):
        path.write_bytes(mutated(random.Random(seed), payload))
        with nothing_happens():
            try:
                found = arrays(read(path))
            except ValueError as error:
                message = str(error)
                assert type(error) is ValueError  # noqa: PT017
                assert "mutated' " in message
                assert len(message) < 1000
                outcomes["refused"] += 1
                continue
        assert all(array.dtype.kind in "fiub" for array in found)
        assert sum(array.nbytes for array in found) < 10 * len(payload)
        outcomes["read"] += 1
    assert outcomes["refused"] > count / 3


class OfTensors(pickle._Unpickler):  # that in C takes gigabytes for a memo with a large index
    """Finds only what a pickled Tensor is made of; pickles may name anything, Tensors do not."""

    KNOWN = (
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("tinygrad_edu.tensor", "_restore"),
    )

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a Tensor")
        return super().find_class(module, name)


def test_a_pickled_tensor_names_nothing_else():
    t = Tensor(np.ones((2, 3)), requires_grad=True, name="w")
    t.sum().backward()
    again = OfTensors(io.BytesIO(pickle.dumps(t))).load()
    assert (again.name, again.grad.shape) == ("w", (2, 3))


@each_count
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*align:Warning")
def test_a_mutated_pickle_is_a_tensor_or_an_error(protocol, count):
    t = Tensor([1.0, 2.0], requires_grad=True, name="w")
    (t * t).sum().backward()
    whole = pickle.dumps(t, protocol)
    for seed in range(count):
        payload = mutated(random.Random(seed), whole)
        with nothing_happens():
            try:
                found = OfTensors(io.BytesIO(payload)).load()
            except Exception:
                continue
        if not isinstance(found, Tensor):
            continue
        assert found.dtype.kind in "fiub"
        assert not found.requires_grad or found.dtype.kind == "f"
        assert found.name is None or isinstance(found.name, str)
        assert found.grad is None or found.grad.shape == found.shape
        assert found.grad is None or found.grad.dtype == found.dtype
        repr(found)


# Names, in pictures, pages, notebooks and programs.

PIECES = [
    *("<script>window.hacked=1</script>", "</script>", "</style>", "</svg>", "<!--", "-->", "]]>"),
    *("<img src=x onerror=hacked()>", "javascript:hacked()", "\" onload='hacked()'", "<", ">", "&"),
    *("&lt;", "&#60;", '"', "'", "`", "${hacked}", "$title", "%s", "{0}", "\\u003c", "\\N", "\\"),
    *("\0", "\n", "\r", "\t", "\u2028", "\u202e", "\ud800", "\ufffe", "\x1b[2J", "é", "𝒙", "  "),
    *(
        "n0->n1",
        "digraph{",
        "};",
        "label=",
        "URL=file:///etc/passwd",
        "../../x",
        "//",
        "# %%",
        "'''",
    ),
]


def hostile_name(rng):
    return "".join(rng.choices(PIECES, k=rng.randint(1, 5)))


def hostile_graph(rng):
    """A sum of products whose tensors, scopes and result have hostile names; and their names."""
    names = [hostile_name(rng) for _ in range(10)]
    total = Tensor(0.0, requires_grad=True)
    for name in names:
        with scope(name):
            total = total + Tensor(1.0, requires_grad=True, name=name) * 2.0
    total.name = names[0]
    return total, names


class Elements(HTMLParser):
    """The elements of a page, with the names of their attributes; and the page in a frame."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.framed = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, {name for name, _ in attributes}))
        self.framed = dict(attributes).get("srcdoc", self.framed)


@each_count
def test_names_are_only_names_in_pictures_pages_and_notebooks(tmp_path, count):
    plain = steps(sum(Tensor(float(i), requires_grad=True) for i in range(5)))
    rows = [*Elements(plain.html()).found, ("path", set())]
    tags = {tag for tag, _ in rows}
    attributes = {name for _, names in rows for name in names} | {"transform"}
    for seed in range(count // 10):
        root, names = hostile_graph(random.Random(seed))
        told = steps(root, names={names[0]: root})
        drawing = draw(root, collapse=False, max_edges=1000)
        for html in told.html(), drawing.svg():
            found = Elements(html).found
            assert {tag for tag, _ in found} <= tags | {"title"}
            assert {name for _, some in found for name in some} <= attributes | {
                "stroke-dasharray",
                "xmlns:xlink",
            }
            assert sum(tag == "script" for tag, _ in found) in (0, 2, 3)
            html.encode()
        shown = drawing._repr_mimebundle_()
        frame = told._repr_mimebundle_()
        assert json.dumps([shown, frame], ensure_ascii=False).encode()  # the file of a notebook
        assert drawing.svg().partition("<svg ")[2].partition(">")[2] in shown["text/html"]
        assert [tag for tag, _ in Elements(frame["text/html"]).found] == ["iframe"]
        assert Elements(frame["text/html"]).framed == told.html()
        texts = drawing.text(), str(told), shown["text/plain"], frame["text/plain"]
        for text in *texts, drawing.source.replace("\t", ""):
            assert not any(c in text for c in "\0\r\t\u2028\u202e\ud800\ufffe\x1b")
        path = tmp_path / "out" / "picture.svg"
        path.parent.mkdir(exist_ok=True)
        drawing.save(path)
        assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == ["picture.svg"]


RESERVED = ["None", "import", "__import__", "print", "multiply", "add", "array", "assign", "before"]
NUMBERED = ["t0", "t1", "c0", "buffer0", "number_0", "name_leaf", "name_grad", "_value", "out"]


def step_of(names):
    """A compiled step whose title, arguments, scopes, leaves and results have these names."""
    factors = {name: np.float64(i) for i, name in enumerate(names)}
    weights = [Tensor(2.0, requires_grad=True, name=name) for name in names]

    def step(**factors):
        total = Tensor(0.0)
        for weight, (name, factor) in zip(weights, factors.items(), strict=True):
            with scope(name):
                part = weight * factor
                part.name = name
                total = total + part
        total.backward()
        return total

    step.__name__ = names[0]
    return jit(step), factors


def shape_of(source):
    """A program in which the names are numbers, in the order in which they are found."""
    numbers = {}
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for field in {"id", "name", "arg"} & set(node._fields):
            if not isinstance(node, ast.keyword):
                name = getattr(node, field)
                setattr(node, field, f"name{numbers.setdefault(name, len(numbers))}")
    return ast.dump(tree)


@each_count
def test_names_are_only_names_in_programs(count):
    plain, factors = step_of([f"name{i}" for i in range(10)])
    value = plain(**factors).item()
    assert plain(**factors).item() == value  # now there is a gradient to add to
    for seed in range(count // 10):
        rng = random.Random(seed)
        names = {rng.choice([hostile_name(rng), *RESERVED, *NUMBERED]): None for _ in range(40)}
        with nothing_happens():
            step, factors = step_of(list(names)[:10])
            assert step(**factors).item() == value
            assert step(**factors).item() == value
        assert shape_of(step.source) == shape_of(plain.source)
        assert all(c.isprintable() or c == "\n" for c in step.source)


@each_count
def test_names_of_arrays_in_files_are_only_names(tmp_path, count):
    path = tmp_path / "names.safetensors"
    for seed in range(count // 10):
        rng = random.Random(seed)
        names = {hostile_name(rng).replace("\ud800", "") for _ in range(10)}
        save({name: np.ones(2) for name in names}, path)
        assert load(path).keys() == names
    with pytest.raises(TypeError, match="cannot be the name"):
        save({"\ud800": np.ones(2)}, path)
    assert [each.name for each in tmp_path.iterdir()] == ["names.safetensors"]


# Settings on the command line.

SETTINGS = [
    *("", " ", "-1", "0", "1.5", "1e9", "nan", "inf", "-inf", "0x10", "1_000", "٣٣x", "9" * 5000),
    *("$(touch hacked)", "`touch hacked`", "; touch hacked", "| touch hacked", "&& touch hacked"),
    *(
        "__import__('os').mkdir('hacked')",
        "{0.__class__}",
        "%n%n",
        "\n",
        "\x1b[2J",
        "\udcff",
        "../x",
    ),
    *("None", "True", "[]", "--", "-", "--lr", "=1", "a" * 10_000),
]
PROGRAMS = {  # what is run, and where a setting may stand
    "digits": (
        digits.read_options,
        ["--loss=?", "--batch-size=?", "--epochs=?", "--patience=?", "--lr=?"],
    ),
    "graph": (graph.main, ["--only=?"]),
    "speed": (speed.read_options, ["--only=?", "--rounds=?", "--threads=?"]),
    "distributed": (distributed.main, ["--steps=?", "--rounds=?", "--largest=?"]),
    "demos": (
        demos.main,
        [
            *("?", "loop ?", "graph ?", "mistakes ?", "ddp --steps=?", "serve ?", "serve --port=?"),
            *("engine ?", "engine --stages=?", "engine --solution=?", "engine --hold-back=$?"),
        ],
    ),
    "laws": (laws.main, ["?", "no_engine --examples=?", "no_engine --seed=?"]),
    "lessons": (lessons.main, ["?", "list ?", "run ?", "copy ?", "copy loop ?", "grade ?"]),
}
HARMLESS = [
    *("no_engine --seed=-1", "no_engine --seed=0", "serve --port=0"),
    *("--lr=1.5", "--lr=1e9", "--lr=1_000"),
]


@each_count
@pytest.mark.parametrize("program", PROGRAMS)
def test_hostile_settings_are_refused_in_a_line(program, count, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run, forms = PROGRAMS[program]
    for seed in range(count):
        rng = random.Random(seed)
        form, value = rng.choice(forms), rng.choice(SETTINGS)
        if value == "--" or form.replace("?", value) in HARMLESS:
            continue  # without more words, -- is as nothing
        if rng.random() < 0.5:
            form = form.replace("=", " ")
        argv = [word.replace("?", value) for word in form.split(" ")]
        with nothing_happens():
            try:
                status = run(argv)
            except SystemExit as leave:
                status = leave.code
        assert status == 2, ascii(argv)
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        assert len(said.err) < 2000, ascii(argv)
        assert len(said.err.splitlines()) == 1, ascii(argv)
        assert said.err[:-1].isprintable(), ascii(argv)
        assert list(tmp_path.iterdir()) == []


FOLDERS = ["file", "a\0b", "x" * 300, "file/in/a/file", "\ud800", "/proc/nowhere"]


@pytest.mark.parametrize("folder", FOLDERS, ids=ascii)
@pytest.mark.parametrize("program", ["digits", "graph", "speed", "engine"])
def test_folders_that_cannot_be_made_are_refused_in_a_line(
    program, folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(SystemExit) as leave:
        demos.main([program, "--out", folder])
    assert leave.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "argument --out: " in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
