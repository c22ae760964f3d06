"""Feeding data to a training loop: image sets from files, and mini-batches."""

from __future__ import annotations

import math
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from io import BufferedIOBase, BufferedReader
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.inputs import as_array
from tinygrad_edu.other_names import DATA, getattr_of
from tinygrad_edu.tensor import Array, Tensor

__all__ = ["Minibatches", "load_cifar10", "load_idx", "minibatches"]

if not TYPE_CHECKING:  # type checkers are to find other names wrong
    __getattr__ = getattr_of("data", DATA, __all__)

_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_CIFAR10_RECORD = 1 + 3 * 32 * 32  # a label, and the red, green and blue of 32 x 32 pixels
_DEFLATE_LIMIT = 1032  # a gzip file unpacks to no more than that many times its size
_FRESH = "get a fresh copy, and compare its size or checksum with the one where it is offered"

# Files that are often mistaken for image sets: how they begin, in lower case, what they are, and
# what to do with them.
_OTHERS = (
    ((b"\x1f\x8b",), "a gzip file: unpack it first, .tar.gz with tar -xzf, .gz with gunzip"),
    ((b"pk\x03\x04",), "a zip archive: unpack it first (.npz is one, too, for np.load)"),
    ((b"\x89png",), "one PNG picture, not a set of them"),
    ((b"<html", b"<!doctype"), "a web page, perhaps of the download: open it in a browser to see"),
    (
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "a pickle, which is not read, because it could run any program: get the binary version (of "
        "CIFAR-10, cifar-10-binary.tar.gz, not cifar-10-python.tar.gz)",
    ),
)


def minibatches(
    *arrays: Any,
    batch_size: int,
    rng: np.random.Generator | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
) -> Minibatches:
    """The examples in batches: the same rows of every array together. Each pass is an epoch.

    ``arrays``: arrays or lists with N examples along their first axis. Each batch is a tuple of one
    array for each of them, or the array itself if there is only one. The last batch is shorter if
    ``batch_size`` does not divide N, or left out with ``drop_last``. ``shuffle`` draws a new order
    from ``rng`` in each pass, by default a random one. The batches may be gone through as often as
    wanted, and ``len`` counts them.

    Raises ValueError if there is no array, no example or, with ``drop_last``, no batch, if lengths
    differ or ``batch_size`` is less than 1; TypeError if ``batch_size`` is no integer or ``rng`` no
    Generator.

    >>> import numpy as np
    >>> from tinygrad_edu.data import minibatches
    >>> x, y = np.arange(5) * 10, np.arange(5)
    >>> batches = minibatches(x, y, batch_size=2, rng=np.random.default_rng(0))
    >>> len(batches)
    3
    >>> for epoch in range(2):
    ...     print([yb.tolist() for xb, yb in batches])
    [[2, 4], [3, 0], [1]]
    [[4, 1], [2, 0], [3]]
    """
    if not arrays:
        raise ValueError(
            "minibatches got nothing to take batches from: minibatches(x, y, batch_size=32)"
        )
    columns = [*map(_column, arrays)]
    if any(column.ndim == 0 for column in columns):
        raise ValueError("minibatches takes arrays with one example a row, but got a single number")
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"the arrays have {errors.listed(lengths, ' and ')} examples, but each example is a "
            "row of all"
        )
    if lengths[0] == 0:
        raise ValueError("there are no examples: the arrays are empty")
    if not isinstance(batch_size, int | np.integer) or isinstance(batch_size, bool):
        raise TypeError(f"batch_size is a number of examples, but got {errors.short(batch_size)}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, but is {batch_size}")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng is a np.random.Generator, not {errors.short(rng)}: make "
            "rng = np.random.default_rng(0) once, before the first epoch, for a seed in each would "
            "give all the same order"
        )
    for name, flag in {"shuffle": shuffle, "drop_last": drop_last}.items():
        if not isinstance(flag, bool | np.bool_):
            raise errors.no_flag(name, flag)
    if drop_last and lengths[0] < batch_size:
        raise ValueError(
            f"there is no batch: drop_last leaves out the {lengths[0]} examples, which are fewer "
            f"than batch_size={batch_size}. Write drop_last=False, or a smaller batch_size"
        )
    if shuffle and rng is None:
        rng = np.random.default_rng()
    return Minibatches(columns, int(batch_size), rng if shuffle else None, drop_last)


def _column(rows: Any) -> Any:
    """An argument of ``minibatches`` as an array."""
    if isinstance(rows, np.ndarray | Tensor):
        return rows
    if isinstance(rows, Mapping):
        raise TypeError(
            "minibatches takes arrays one by one, not in a dict: write "
            "minibatches(*d.values(), batch_size=32)"
        )
    if isinstance(rows, Iterator):
        raise TypeError(
            f"minibatches takes arrays, and a {type(rows).__name__} can be gone through only once: "
            "write minibatches(x, y, batch_size=32) for zip(x, y), and np.array(list(rows)) for "
            "rows"
        )
    try:
        return as_array(rows)
    except ValueError:
        if not any(isinstance(part, np.ndarray | Tensor) for part in rows):
            raise
    raise TypeError(
        "minibatches takes arrays one by one, not in a list: write "
        "minibatches(*arrays, batch_size=32)"
    )


class Minibatches:
    """Batches that may be gone through as often as wanted: made by ``minibatches``.

    >>> from tinygrad_edu.data import minibatches
    >>> batches = minibatches([1, 2, 3], batch_size=2, shuffle=False)
    >>> len(batches), [batch.tolist() for batch in batches]
    (2, [[1, 2], [3]])
    """

    def __init__(
        self,
        columns: list[Any],
        batch_size: int,
        rng: np.random.Generator | None,
        drop_last: bool,
    ) -> None:
        self._columns = columns
        self._batch_size = batch_size
        self._rng = rng
        self._examples = len(columns[0])
        if drop_last:
            self._examples -= self._examples % batch_size

    def __len__(self) -> int:
        return -(-self._examples // self._batch_size)

    def __iter__(self) -> Iterator[Any]:
        count = len(self._columns[0])
        order = np.arange(count) if self._rng is None else self._rng.permutation(count)
        for start in range(0, self._examples, self._batch_size):
            rows = order[start : min(start + self._batch_size, self._examples)]
            batch = tuple(column[rows] for column in self._columns)
            yield batch if len(batch) > 1 else batch[0]


def load_idx(path: str | os.PathLike[str]) -> Array:
    """The array in an IDX file, the format of MNIST, packed with gzip or not.

    Shape and dtype are those in its header: uint8, int8, int16, int32, float32 or float64. If the
    file is not packed, an array of bytes is a read-only ``np.memmap``: only the parts that you use
    are read, and the file stays open while the array or a view of it is in use. Until then, do not
    change the file; Windows cannot delete it. ``np.array(load_idx(path))`` is a copy without the
    file. All other arrays are read at once, in the byte order of this machine, and may be changed.
    A file is gzip if its first bytes say so, whatever its name.

    MNIST's images are uint8 (N, 28, 28), its labels uint8 (N,). Features are
    ``images.reshape(len(images), -1) / 255.0``; labels are class indices, as
    ``losses.cross_entropy`` takes them. To calculate with bytes, convert them: ``2 * y - 1`` is 255
    where y is 0, ``2 * y.astype(int) - 1`` is -1.

    Raises OSError if the file cannot be read, FileNotFoundError if there is none; ValueError if it
    is no IDX file, or not exactly as long as its header says, or damaged. This is checked before an
    array is made, and gzip is unpacked at most one byte past the length in the header. Source:
    LeCun, Cortes and Burges, The MNIST Database of Handwritten Digits, yann.lecun.com/exdb/mnist.

    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from tinygrad_edu.data import load_idx
    >>> header = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3])  # bytes, (2, 1, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "images").write_bytes(header + bytes([0, 51, 102, 153, 204, 255]))
    ...     images = np.array(load_idx(f"{folder}/images"))
    >>> images.reshape(len(images), -1) / 255.0
    array([[0. , 0.2, 0.4],
           [0.6, 0.8, 1. ]])
    """
    import gzip
    import zlib

    with _open(path) as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        try:
            with gzip.GzipFile(fileobj=file) if packed else file as stream:
                return _read_idx(repr(os.fspath(path)), stream, _size(file), packed)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"{os.fspath(path)!r} is a damaged gzip file ({error}): {_FRESH}"
            ) from None


def load_cifar10(path: str | os.PathLike[str]) -> tuple[Array, Array]:
    """Images (N, 3, 32, 32) and labels (N,), both uint8, from a file of CIFAR-10's binary version.

    Both are views of one read-only ``np.memmap`` of the file, which stays open while they are in
    use, as with ``load_idx``. ``images[i]`` is red, green and blue, ``images[i].transpose(1, 2,
    0)`` what matplotlib shows; labels are class indices from 0 to 9. To join several files:
    ``np.concatenate([load_cifar10(path)[0] for path in paths])``, and ``[1]`` for labels.

    Raises OSError if the file cannot be read, FileNotFoundError if there is none; ValueError if it
    is empty, no whole number of records of 3073 bytes, or has a label beyond 9. Source: Krizhevsky,
    The CIFAR-10 Dataset, cs.toronto.edu/~kriz/cifar.html.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from tinygrad_edu.data import load_cifar10
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "test_batch.bin").write_bytes(bytes([7] + [255] * 3072) * 2)
    ...     images, labels = load_cifar10(f"{folder}/test_batch.bin")
    ...     print(images.shape, labels)
    ...     del images, labels  # closes the file, so that Windows can delete it
    (2, 3, 32, 32) [7 7]
    """
    no = f"{os.fspath(path)!r} is no file of CIFAR-10's binary version, but"
    with _open(path) as file:
        size, other = _size(file), _other(file.peek(64))
        if size == 0 or size % _CIFAR10_RECORD:
            other = other or (
                f"has {size} bytes, not one or more records of {_CIFAR10_RECORD} (data_batch_1.bin "
                f"has 30730000): {_FRESH}"
            )
            raise ValueError(f"{no} {other}")
        records = np.memmap(file, np.uint8, "r", shape=(size // _CIFAR10_RECORD, _CIFAR10_RECORD))
    labels, images = records[:, 0], records[:, 1:].reshape(-1, 3, 32, 32)
    if labels.max() > 9:
        i = int(np.argmax(labels > 9))
        other = other or f"has the label {labels[i]}, beyond 9, in record {i}: {_FRESH}"
        raise ValueError(f"{no} {other}")
    return images, labels


def _open(path: str | os.PathLike[str]) -> BufferedReader:
    path = os.fspath(path)  # open would take a number for a file of the process
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"{path!r} is a folder or a device: give the path of one file")
    return open(path, "rb")


def _size(file: BufferedReader) -> int:
    return os.fstat(file.fileno()).st_size


def _other(head: bytes) -> str:
    """The entry of ``_OTHERS`` for a file that begins with ``head``, or nothing."""
    head = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()  # HTML may begin with a mark and spaces
    return next((what for beginnings, what in _OTHERS if head.startswith(beginnings)), "")


def _read_idx(name: str, stream: BufferedIOBase, size: int, packed: bool) -> Array:
    head = stream.read(4)
    if len(head) < 4 or head[:2] != b"\0\0":
        what = _other(head + stream.read(60)) or (
            f"begins with {head!r}, not with two zero bytes, a type and a number of dimensions"
        )
        raise ValueError(f"{name} is no IDX file, but{', unpacked,' * packed} {what}")
    code, ndim = head[2:]
    if code not in _IDX_TYPES:
        raise ValueError(
            f"{name} has the type code {code}, but IDX files have 8 (unsigned byte), 9 (signed "
            "byte), 11 (short), 12 (int), 13 (float) or 14 (double): it is another kind of file"
        )
    if not 1 <= ndim <= 64:
        raise ValueError(
            f"{name} has {ndim} dimensions, but an IDX file has one or more, and NumPy at most 64: "
            "it is another kind of file, or damaged"
        )
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(
            f"{name} is truncated: it has {4 + len(sizes)} bytes, but the header alone, of "
            f"{ndim} dimensions, has {4 + 4 * ndim}: {_FRESH}"
        )
    shape, dtype = struct.unpack(f">{ndim}I", sizes), np.dtype(_IDX_TYPES[code])
    promise = f"its header promises the shape {shape}"
    if math.prod(max(n, 1) for n in shape) * dtype.itemsize > sys.maxsize:
        raise ValueError(f"{name} is damaged: {promise}, which no memory can hold; {_FRESH}")
    promised, start = math.prod(shape) * dtype.itemsize, 4 + 4 * ndim

    def wrong_length(found: int, bound: str) -> ValueError:
        verdict = "truncated" if found < promised else "too long"
        return ValueError(
            f"{name} is {verdict}: {promise}, {promised} bytes of data, but it has {bound}{found}; "
            f"{_FRESH}"
        )

    found = _DEFLATE_LIMIT * size if packed else size - start
    if found < promised or (found > promised and not packed):
        raise wrong_length(found, "at most " * packed)
    if dtype.itemsize == 1 and not packed:
        return np.memmap(stream, dtype, "r", start, shape)
    body = bytearray()
    while part := stream.read(min(promised + 1 - len(body), 2**20)):  # to the end, and its checksum
        body += part
    if len(body) != promised:
        raise wrong_length(len(body), "at least " * (len(body) > promised))
    return np.ndarray(shape, dtype, body).astype(dtype.newbyteorder("="), copy=False)
