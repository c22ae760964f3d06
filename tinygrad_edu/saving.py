"""State dictionaries as files in the safetensors format, which PyTorch and others read too.

The format holds names, shapes and numbers, and nothing that runs when it is read, as pickle does.
"""

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


def save(path: str | os.PathLike[str], state: Mapping[str, Any]) -> None:
    """Write the arrays of ``state``, as ``model.state_dict()`` gives them, to a file.

    A file of that name is replaced, and only when the new one is complete: it is written beside it
    first. Arrays of floats, integers and booleans keep their dtype, shape and name.

    Raises TypeError for what is no mapping of names to such arrays, OSError if the file cannot be
    written, ModuleNotFoundError if the library safetensors is not installed.

    >>> import tempfile
    >>> from tinygrad_edu import load, nn, save
    >>> model, copy = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/model.safetensors", model.state_dict())
    ...     copy.load_state_dict(load(f"{folder}/model.safetensors"))
    >>> bool((copy.weight == model.weight).all())
    True
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            'save takes names and arrays, save("model.safetensors", model.state_dict()), but got '
            f"{errors.short(state)} for them"
        )
    arrays = {}
    for name, value in state.items():
        if not isinstance(name, str) or name == "__metadata__":
            raise TypeError(f"{errors.short(name)} cannot be the name of an array in a file")
        try:
            arrays[name] = np.array(Tensor(plain(value)).numpy(), order="C")
        except (TypeError, ValueError) as error:
            raise TypeError(f"{errors.short(name)} cannot be saved: {error}") from None
    write_whole(path, _safetensors().save(arrays))


def load(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read what ``save`` has written: arrays by name. Nothing in a file is ever executed.

    Give it to ``model.load_state_dict``, which checks names and shapes before it changes anything.

    Raises OSError if there is no such file, ValueError if it is damaged or of another format,
    ModuleNotFoundError if the library safetensors is not installed.

    >>> import tempfile
    >>> from tinygrad_edu import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/line.safetensors", {"weight": [[0.5, 1.5]]})
    ...     load(f"{folder}/line.safetensors")
    {'weight': array([[0.5, 1.5]])}
    """
    with open(os.fspath(path), "rb") as file:  # open would take a number for a file of the process
        payload = file.read()
    if payload.startswith(_PYTORCHS):
        raise ValueError(
            f"{os.fspath(path)!r} is a pickle, as torch.save writes it, which is not read, because "
            "it could run any program. Where PyTorch is, write "
            'safetensors.torch.save_file(model.state_dict(), "model.safetensors")'
        )
    safetensors = _safetensors()
    try:
        return {name: np.array(array) for name, array in safetensors.load(payload).items()}
    except Exception as error:  # the library raises errors of many kinds on damaged files
        raise ValueError(
            f"{os.fspath(path)!r} is damaged, or no file in the safetensors format: {error}"
        ) from None


def _safetensors() -> ModuleType:
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "saving and loading needs the library safetensors: pip install safetensors"
        ) from None
    return safetensors.numpy
