"""State dictionaries as files in the safetensors format, which PyTorch and others read too.

The format holds names, shapes and numbers, and nothing that runs when it is read, as pickle does.
"""

import json
import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.backprop import plain
from tinygrad_edu.files import write_whole
from tinygrad_edu.tensor import Array, Tensor

_PYTORCHS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x04", b"\x80\x05")  # a zip archive, pickles
_PARTS = "tinygrad_edu.parts"  # the key under which a file names states in it that have a name
_DTYPES = {
    "BOOL": "?",
    **{f"{kind.upper()}{8 * size}": f"<{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
}


def save(state: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write the arrays of ``state``, as ``model.state_dict()`` gives them, to a file.

    The order is that of ``torch.save`` and ``safetensors.torch.save_file``. Several states, each
    under a name, are one checkpoint: ``save({"model": model.state_dict(), "optimizer":
    optimizer.state_dict(), "epoch": 3}, path)``. In the file their names are ``model.0.weight`` and
    so on; ``load`` gives them apart.

    A file of that name is replaced, and only when the new one is complete: it is written beside it
    first. Arrays of floats, integers and booleans keep their dtype, shape and name.

    Raises TypeError for what is no mapping of names to such arrays, and for a path before the
    state; OSError if the file cannot be written, ModuleNotFoundError if the library safetensors is
    not installed.

    >>> import tempfile
    >>> from tinygrad_edu import load, nn, save
    >>> model, copy = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model.state_dict(), f"{folder}/model.safetensors")
    ...     copy.load_state_dict(load(f"{folder}/model.safetensors"))
    >>> bool((copy.weight == model.weight).all())
    True
    """
    if isinstance(state, str | os.PathLike):
        raise TypeError(
            f"save takes what to save first, but got the path {errors.short(os.fspath(state))}: "
            "write save(state, path)"
        )
    if not isinstance(state, Mapping):
        raise TypeError(
            'save takes names and arrays, save(model.state_dict(), "model.safetensors"), but got '
            f"{errors.short(state)} for them"
        )
    parts = [name for name, value in state.items() if isinstance(value, Mapping)]
    arrays: dict[str, Array] = {}
    for name, value in state.items():
        _check_name(name)
        if name not in parts:
            arrays[name] = _saveable(name, value)
            continue
        if "." in name or any(str(other).startswith(f"{name}.") for other in state):
            raise TypeError(
                f"{errors.short(name)} cannot be the name of a state beside "
                f"{errors.short([*state])}"
            )
        for inner, array in value.items():
            _check_name(inner)
            arrays[f"{name}.{inner}"] = _saveable(inner, array)
    metadata = {_PARTS: json.dumps(parts)} if parts else None
    write_whole(path, _safetensors().numpy.save(arrays, metadata))


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what ``save`` has written: arrays by name. Nothing in a file is ever executed.

    Give it to ``model.load_state_dict``, which checks names and shapes before it changes anything.
    What was saved as several states is read as several: ``load(path)["model"]``. Arrays of
    bfloat16, which NumPy does not have, are read as float32, and no digit is lost.

    Raises OSError if there is no such file, ValueError if it is damaged or of another format, or
    has numbers of a dtype that no Tensor has, ModuleNotFoundError if the library safetensors is not
    installed.

    >>> import tempfile
    >>> from tinygrad_edu import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"line": {"weight": [[0.5, 1.5]]}, "epoch": 3}, f"{folder}/line.safetensors")
    ...     load(f"{folder}/line.safetensors")
    {'epoch': array(3), 'line': {'weight': array([[0.5, 1.5]])}}
    """
    with open(os.fspath(path), "rb") as file:  # open would take a number for a file of the process
        payload = file.read()
    name = repr(os.fspath(path))
    if payload.startswith(_PYTORCHS) and payload[8:9] != b"{":  # the length of a header, then it
        raise ValueError(
            f"{name} is a pickle, as torch.save writes it, which is not read, because it could run "
            "any program. Where PyTorch is, write "
            'safetensors.torch.save_file(model.state_dict(), "model.safetensors")'
        )
    safetensors = _safetensors()
    try:
        entries = safetensors.deserialize(payload)
        header = json.loads(payload[8 : 8 + int.from_bytes(payload[:8], "little")])
        parts = json.loads(header.get("__metadata__", {}).get(_PARTS, "[]"))
        states: dict[str, dict[str, Array]] = {part: {} for part in parts}
    except Exception as error:  # the library raises errors of many kinds on damaged files
        raise ValueError(
            f"{name} is damaged, or no file in the safetensors format: {error}"
        ) from None
    arrays: dict[str, Any] = {}
    for key, entry in entries:
        part, _, rest = key.partition(".")
        place, short = (states[part], rest) if part in states else (arrays, key)
        place[short] = _array(name, key, entry)
    return arrays | states


def _check_name(name: Any) -> None:
    hidden = isinstance(name, str) and any("\ud800" <= c <= "\udfff" for c in name)  # half letters
    if not isinstance(name, str) or name == "__metadata__" or hidden:
        raise TypeError(f"{errors.short(name)} cannot be the name of an array in a file")


def _saveable(name: str, value: Any) -> Array:
    try:
        return np.array(Tensor(plain(value)).numpy(), order="C")
    except (TypeError, ValueError) as error:
        advice = f" Write {name!r}: its state_dict()" * hasattr(value, "state_dict")
        raise TypeError(f"{errors.short(name)} cannot be saved: {error}{advice}") from None


def _array(file: str, name: str, entry: Mapping[str, Any]) -> Array:
    """A new array of what a file holds under ``name``."""
    dtype, data, shape = entry["dtype"], entry["data"], entry["shape"]
    if dtype == "BF16":  # the first half of a float32
        halves = np.frombuffer(data, "<u2").astype(np.uint32)
        return (halves << 16).view(np.float32).reshape(shape)
    if dtype not in _DTYPES:
        raise ValueError(
            f"{file} has {errors.short(name)} of dtype {dtype}, which no Tensor has: convert it to "
            "float32 where it was made, t.float()"
        )
    array = np.frombuffer(data, _DTYPES[dtype]).reshape(shape)
    return array.astype(array.dtype.newbyteorder("="))


def _safetensors() -> ModuleType:
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "saving and loading needs the library safetensors: pip install safetensors"
        ) from None
    return safetensors
