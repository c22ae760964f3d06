"""Files: whole or not at all, whatever the names; damaged or hostile ones are refused."""

import json
import os
import pickle
import struct
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from tinygrad_edu import Tensor, load, nn, optim, save

STATE = {"weight": np.arange(6.0).reshape(2, 3), "bias": np.ones(2, np.float32)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, np.uint8, np.uint64, np.bool_]
)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3), (3, 2)], ids=str)
def test_arrays_come_back_as_they_were(path, dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    save({"a": array}, path)
    ((name, back),) = load(path).items()
    assert (name, back.dtype, back.shape) == ("a", dtype, shape)
    np.testing.assert_array_equal(back, array)
    back[...] = 0


def test_any_memory_layout_and_tensors(path):
    matrix = np.arange(6.0).reshape(2, 3)
    save({"t": matrix.T, "b": matrix.astype(">f8"), "v": Tensor(matrix[:, ::2], True)}, path)
    state = load(path)
    np.testing.assert_array_equal(state["t"], matrix.T)
    np.testing.assert_array_equal(state["b"], matrix)
    np.testing.assert_array_equal(state["v"], matrix[:, ::2])


@pytest.mark.parametrize("name", ["file", "allow_pickle", "a/b", "..", "ä \n", "", "0.weight", "🂡"])
def test_any_name(path, name):
    save({name: np.ones(2)}, path)
    assert sorted(load(path)) == [name]


def test_models_travel(path):
    first, second = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)
    save(first.state_dict(), path)
    second.load_state_dict(load(path))
    assert (first.weight == second.weight).all()
    with pytest.raises(KeyError, match=r"missing: 0\.weight, 0\.bias"):
        nn.Sequential(second).load_state_dict(load(path))
    with pytest.raises(ValueError, match="weight has shape"):
        nn.Linear(4, 2).load_state_dict(load(path))


@pytest.mark.parametrize("path_like", [str, lambda path: path])
def test_paths_are_strings_or_path_objects(path, path_like):
    save(STATE, path_like(path))
    assert load(path_like(path)).keys() == STATE.keys()


def test_a_failure_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    save(STATE, path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save({"other": np.zeros(3)}, path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (nn.Linear(2, 2), r"model\.state_dict\(\)"),
        ({1: np.ones(2)}, "1 cannot be the name"),
        ({"__metadata__": np.ones(2)}, "cannot be the name"),
        ({"a": np.array([None])}, "'a' cannot be saved.*real numbers"),
        ({"a": np.ones(2, complex)}, "'a' cannot be saved.*real numbers"),
        ({"a": "text"}, "'a' cannot be saved.*real numbers"),
    ],
)
def test_what_cannot_be_saved_is_refused(path, state, message):
    with pytest.raises(TypeError, match=message):
        save(state, path)
    assert not path.exists()


def test_a_path_before_the_state_is_refused_with_the_line_to_write(path):
    for given in str(path), path:
        with pytest.raises(
            TypeError, match="takes what to save first, but got the path"
        ) as refusal:
            save(given, STATE)
    names = {"save": save, "state": STATE, "path": path}
    eval(str(refusal.value).partition("write ")[2], names)
    assert load(path).keys() == STATE.keys()


def test_several_states_are_one_checkpoint(path):
    model = nn.Sequential(nn.Linear(3, 4), np.tanh, nn.Linear(4, 1))
    adam = optim.Adam(model.parameters())
    model(np.ones((1, 3))).sum().backward()
    adam.step()
    states = {"model": model.state_dict(), "optimizer": adam.state_dict(), "none": {}, "epoch": 7}
    save(states, path)
    back = load(path)
    assert back.keys() == states.keys()
    assert back["epoch"] == 7
    assert back["none"] == {}
    for name in "model", "optimizer":
        assert back[name].keys() == states[name].keys()
        for key, array in states[name].items():
            np.testing.assert_array_equal(back[name][key], array)
    for loading in model.load_state_dict, adam.load_state_dict:
        with pytest.raises(KeyError, match="one of several states") as refusal:
            loading(back)
        line = refusal.value.args[0].partition("is meant: ")[2]
        eval(line, {"load_state_dict": loading, "state": back})
    flat = load_file(path)  # as others see it
    assert {"model.0.weight", "optimizer.state.0.exp_avg", "epoch"} <= flat.keys()
    save(flat, path)
    assert load(path).keys() == flat.keys()  # names with dots alone are no states


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a.b": {"c": 1.0}}, r"'a\.b' cannot be the name of a state"),
        ({"a": {"c": 1.0}, "a.b": 2.0}, "'a' cannot be the name of a state beside"),
        ({"a": {1: 1.0}}, "1 cannot be the name"),
        ({1: {"a": 1.0}}, "1 cannot be the name"),
        ({"a": {"b": {"c": 1.0}}}, "'b' cannot be saved"),
        ({"model": nn.Linear(2, 2)}, r"Write 'model': its state_dict\(\)"),
    ],
)
def test_states_that_could_not_be_told_apart_are_refused(path, state, message):
    with pytest.raises(TypeError, match=message):
        save(state, path)
    assert not path.exists()


def test_bfloat16_is_read_as_float32(path):
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    numbers = [0.0, -0.0, 1.0, -3.140625, 1e-40, 3.3895e38, np.inf, -np.inf, np.nan]
    theirs = torch.tensor(numbers).to(torch.bfloat16).reshape(3, 3)
    safetensors.save_file({"w": theirs}, path)
    ours = load(path)["w"]
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, theirs.float().numpy())
    np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs.float().numpy()))
    safetensors.save_file({"w": theirs.to(torch.float8_e4m3fn)}, path)
    with pytest.raises(ValueError, match=r"'w' of dtype F8_E4M3, which no Tensor has"):
        load(path)


def with_parts(parts):
    """A file of one array whose metadata say this about parts."""
    header = {
        "__metadata__": {"tinygrad_edu.parts": parts},
        "a.b": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]},
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(16)


@pytest.mark.parametrize("parts", ["", "{", "1", "[[]]", "[{}]", "[" * 9999, "null"])
def test_damaged_names_of_states_are_refused(path, parts):
    path.write_bytes(with_parts(parts))
    with pytest.raises(ValueError, match="is damaged"):
        load(path)
    path.write_bytes(with_parts('["a"]'))
    assert load(path)["a"]["b"].tolist() == [0, 0]


def hostile_header(**entry):
    header = json.dumps({"a": entry}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(16)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"text",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 5) + b"{nope",
        hostile_header(dtype="F64", shape=[2**40], data_offsets=[0, 16]),
        hostile_header(dtype="F64", shape=[-2], data_offsets=[0, 16]),
        hostile_header(dtype="F64", shape=[2], data_offsets=[8, 24]),
        hostile_header(dtype="object", shape=[2], data_offsets=[0, 16]),
    ],
)
def test_damaged_and_hostile_files_are_refused(path, payload):
    path.write_bytes(payload)
    with pytest.raises(ValueError, match=r"model\.safetensors' is damaged, or no file in the saf"):
        load(path)


def test_every_truncation_is_refused(path):
    save(STATE, path)
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match="is damaged"):
            load(path)


def test_no_such_file(path):
    with pytest.raises(FileNotFoundError):
        load(path)


def test_without_the_library_it_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.delitem(sys.modules, "safetensors.numpy", raising=False)
    with pytest.raises(ModuleNotFoundError, match="pip install safetensors"):
        save(STATE, path)


def test_pytorch_style_names_are_kept(path):
    model = nn.Sequential(nn.Linear(2, 3), np.tanh, nn.Linear(3, 1))
    save(model.state_dict(), path)
    assert sorted(load(path)) == ["0.bias", "0.weight", "2.bias", "2.weight"]


def test_a_number_is_no_path():
    with pytest.raises(TypeError, match="int"):
        load(1)  # which would be the standard output of this process


@pytest.mark.parametrize("payload", [pickle.dumps({"a": 1}), pickle.dumps({"a": 1}, protocol=2)])
def test_a_pickle_is_named_and_never_run(path, payload):
    path.write_bytes(payload)
    with pytest.raises(ValueError, match=r"is a pickle.*could run any program.*save_file"):
        load(path)


@pytest.mark.parametrize("length", [640, 1152, 1408])
def test_a_file_whose_length_of_the_header_looks_like_a_pickle(path, length):
    def first_bytes(name):
        save({name: np.ones(2)}, path)
        return int.from_bytes(path.read_bytes()[:8], "little")

    name = "a" * (length - first_bytes("a") + 1)
    assert first_bytes(name) == length
    assert path.read_bytes()[:1] == pickle.PROTO
    assert load(path).keys() == {name}


def test_the_way_from_a_file_of_pytorch(path, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    model = torch.nn.Linear(3, 2)
    torch.save(model.state_dict(), path)
    with pytest.raises(ValueError, match="is a pickle, as torch") as refusal:
        load(path)
    line = str(refusal.value).partition("write ")[2]
    monkeypatch.chdir(tmp_path)
    names = {"torch": safetensors}
    eval(line.removeprefix("safetensors."), names, {"model": model})
    nn.Linear(3, 2).load_state_dict(load(tmp_path / "model.safetensors"))
