"""Image sets from files: MNIST and its relatives, CIFAR-10 and CIFAR-100."""

from __future__ import annotations

import math
import os
import struct
import sys
from io import BufferedIOBase, BufferedReader
from typing import TYPE_CHECKING

import numpy as np

from tinygrad_edu import errors
from tinygrad_edu.other_names import DATASETS, getattr_of
from tinygrad_edu.tensor import Array

__all__ = ["load_cifar10", "load_cifar100", "load_idx"]

if not TYPE_CHECKING:  # type checkers are to find other names wrong
    __getattr__ = getattr_of("datasets", DATASETS, __all__)

_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_PIXELS = 3 * 32 * 32  # of a record of CIFAR: red, green and blue
_CIFAR = {10: "data_batch_1.bin has 30730000", 100: "test.bin has 30740000"}
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
        "a pickle, which is not read, because it could run any program: get the binary version "
        "(cifar-10-binary.tar.gz or cifar-100-binary.tar.gz, not those named python)",
    ),
)


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
    >>> from tinygrad_edu.datasets import load_idx
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
    >>> from tinygrad_edu.datasets import load_cifar10
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "test_batch.bin").write_bytes(bytes([7] + [255] * 3072) * 2)
    ...     images, labels = load_cifar10(f"{folder}/test_batch.bin")
    ...     print(images.shape, labels)
    ...     del images, labels  # closes the file, so that Windows can delete it
    (2, 3, 32, 32) [7 7]
    """
    labels, images = _read_cifar(path, 10, {"label": 10})
    return images, labels[:, 0]


def load_cifar100(path: str | os.PathLike[str], coarse: bool = False) -> tuple[Array, Array]:
    """Images (N, 3, 32, 32) and labels (N,), both uint8, from a file of CIFAR-100's binary version.

    Labels are the 100 classes, from 0 to 99, or with ``coarse`` their 20 superclasses, from 0 to
    19. All else is as with ``load_cifar10``: views of the file, errors, and the source. Raises
    TypeError if ``coarse`` is neither True nor False.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from tinygrad_edu.datasets import load_cifar100
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "test.bin").write_bytes(bytes([4, 72] + [255] * 3072) * 2)
    ...     images, labels = load_cifar100(f"{folder}/test.bin")
    ...     print(images.shape, labels, load_cifar100(f"{folder}/test.bin", coarse=True)[1])
    ...     del images, labels  # closes the file, so that Windows can delete it
    (2, 3, 32, 32) [72 72] [4 4]
    """
    if not isinstance(coarse, bool | np.bool_):
        raise errors.no_flag("coarse", coarse)
    labels, images = _read_cifar(path, 100, {"coarse label": 20, "label": 100})
    return images, labels[:, 0 if coarse else 1]


def _read_cifar(
    path: str | os.PathLike[str], version: int, classes: dict[str, int]
) -> tuple[Array, Array]:
    """Labels (N, kinds) and images of a file whose records begin with a label of each kind."""
    no = f"{os.fspath(path)!r} is no file of CIFAR-{version}'s binary version, but"
    record = len(classes) + _PIXELS
    with _open(path) as file:
        size, other = _size(file), _other(file.peek(64))
        if size == 0 or size % record:
            other = other or (
                f"has {size} bytes, not one or more records of {record} ({_CIFAR[version]}): "
                f"{_FRESH}"
            )
            raise ValueError(f"{no} {other}")
        records = np.memmap(file, np.uint8, "r", shape=(size // record, record))
    labels, images = records[:, : len(classes)], records[:, len(classes) :]
    for kind, (name, count) in enumerate(classes.items()):
        found = labels[:, kind]
        if found.max() >= count:
            i = int(np.argmax(found >= count))
            other = (
                other or f"has the {name} {found[i]}, beyond {count - 1}, in record {i}: {_FRESH}"
            )
            raise ValueError(f"{no} {other}")
    return labels, images.reshape(-1, 3, 32, 32)


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
