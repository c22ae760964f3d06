"""Files: whole or not at all, whatever the names; damaged or hostile ones are refused."""

import json
import os
import pickle
import struct
import sys

import numpy as np
import pytest

from tinygrad_edu import Tensor, load, nn, save

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
    save(path, {"a": array})
    ((name, back),) = load(path).items()
    assert (name, back.dtype, back.shape) == ("a", dtype, shape)
    np.testing.assert_array_equal(back, array)
    back[...] = 0


def test_any_memory_layout_and_tensors(path):
    matrix = np.arange(6.0).reshape(2, 3)
    save(path, {"t": matrix.T, "b": matrix.astype(">f8"), "v": Tensor(matrix[:, ::2], True)})
    state = load(path)
    np.testing.assert_array_equal(state["t"], matrix.T)
    np.testing.assert_array_equal(state["b"], matrix)
    np.testing.assert_array_equal(state["v"], matrix[:, ::2])


@pytest.mark.parametrize("name", ["file", "allow_pickle", "a/b", "..", "ä \n", "", "0.weight", "🂡"])
def test_any_name(path, name):
    save(path, {name: np.ones(2)})
    assert sorted(load(path)) == [name]


def test_models_travel(path):
    first, second = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)
    save(path, first.state_dict())
    second.load_state_dict(load(path))
    assert (first.weight == second.weight).all()
    with pytest.raises(KeyError, match=r"missing: 0\.weight, 0\.bias"):
        nn.Sequential(second).load_state_dict(load(path))
    with pytest.raises(ValueError, match="weight has shape"):
        nn.Linear(4, 2).load_state_dict(load(path))


@pytest.mark.parametrize("path_like", [str, lambda path: path])
def test_paths_are_strings_or_path_objects(path, path_like):
    save(path_like(path), STATE)
    assert load(path_like(path)).keys() == STATE.keys()


def test_a_failure_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    save(path, STATE)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save(path, {"other": np.zeros(3)})
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
        save(path, state)
    assert not path.exists()


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
    save(path, STATE)
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
        save(path, STATE)


def test_pytorch_style_names_are_kept(path):
    model = nn.Sequential(nn.Linear(2, 3), np.tanh, nn.Linear(3, 1))
    save(path, model.state_dict())
    assert sorted(load(path)) == ["0.bias", "0.weight", "2.bias", "2.weight"]


def test_a_number_is_no_path():
    with pytest.raises(TypeError, match="int"):
        load(1)  # which would be the standard output of this process


@pytest.mark.parametrize("payload", [pickle.dumps({"a": 1}), pickle.dumps({"a": 1}, protocol=2)])
def test_a_pickle_is_named_and_never_run(path, payload):
    path.write_bytes(payload)
    with pytest.raises(ValueError, match=r"is a pickle.*could run any program.*save_file"):
        load(path)


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
