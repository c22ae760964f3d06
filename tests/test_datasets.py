"""Image sets: arrays as the file promises, or an error that says what the file is."""

import gc
import gzip
import math
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinygrad_edu import Tensor, losses
from tinygrad_edu.data import minibatches
from tinygrad_edu.datasets import load_cifar10, load_cifar100, load_idx

CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def packed(payload, level=9):
    return gzip.compress(payload, level, mtime=0)  # without the time, the same bytes in each run


def idx_header(code, *sizes):
    return struct.pack(f">4B{len(sizes)}I", 0, 0, code, len(sizes), *sizes)


def idx(array):
    """The bytes of an IDX file."""
    header = idx_header(CODES[array.dtype.name], *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def cifar10(labels):
    """Records whose pixels are all different in a row: byte j of record i is (7 i + j) mod 251."""
    return b"".join(
        bytes([label, *((7 * i + j) % 251 for j in range(3072))]) for i, label in enumerate(labels)
    )


def cifar100(labels):
    """Records with a coarse and a fine label, and pixels as in ``cifar10``."""
    plain = cifar10([fine for _, fine in labels])
    records = [plain[start : start + 3073] for start in range(0, len(plain), 3073)]
    return b"".join(
        bytes([coarse]) + rest for (coarse, _), rest in zip(labels, records, strict=True)
    )


def brief(value):
    return value if isinstance(value, str) else f"{len(value)} bytes"


READERS = [load_idx, load_cifar10, load_cifar100]
IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "images"


def with_file(payload, read, name="images"):
    """What ``read(path)`` gives for a file with these bytes; the path is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(payload)
        return read(path)


@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    ),
    pack=st.sampled_from([bytes, packed]),
)
def test_idx_files_come_back_as_they_were(array, pack):
    def read(path):
        back = load_idx(path)
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert back.dtype.isnative
        assert back.tobytes() == array.tobytes()  # NaNs and signs of zero, too
        mapped = array.itemsize == 1 and pack is bytes
        assert isinstance(back, np.memmap) == mapped
        assert back.flags.writeable != mapped

    with_file(pack(idx(array)), read)


@pytest.mark.parametrize("name", ["images", "images.gz", "Bilder ä", "images.html"])
@pytest.mark.parametrize("path_like", [str, Path])
@pytest.mark.parametrize("pack", [bytes, packed])
def test_gzip_is_told_by_its_bytes_and_not_by_its_name(name, path_like, pack):
    back = with_file(pack(idx(IMAGES)), lambda path: np.array(load_idx(path_like(path))), name)
    np.testing.assert_array_equal(back, IMAGES)


def test_a_gzip_file_of_several_parts_is_one(path):
    whole = idx(IMAGES)
    path.write_bytes(packed(whole[:9]) + packed(b"") + packed(whole[9:]))
    np.testing.assert_array_equal(load_idx(path), IMAGES)


def test_gzip_at_its_densest_is_no_bomb(path):
    payload = packed(idx_header(8, 30_000_000) + bytes(30_000_000), 9)
    assert 30_000_000 / len(payload) > 1000
    path.write_bytes(payload)
    assert load_idx(path).shape == (30_000_000,)


def test_mnist_trains_a_classifier(tmp_path):
    labels = np.array([1, 0], np.uint8)
    (tmp_path / "images").write_bytes(idx(IMAGES))
    (tmp_path / "labels").write_bytes(packed(idx(labels)))
    images, y = load_idx(tmp_path / "images"), load_idx(tmp_path / "labels")
    assert (2 * y - 1).tolist() == [1, 255]  # as the docstring warns
    x = images.reshape(len(images), -1) / 255.0
    assert type(x) is np.ndarray
    weights = Tensor(np.zeros((3, 12)), requires_grad=True)
    losses.cross_entropy(x @ weights.T, y).backward()
    np.testing.assert_allclose(weights.grad, (1 / 3 - np.eye(3)[[1, 0]]).T @ x / 2)
    for xb, yb in minibatches(images, y, batch_size=1, shuffle=False):
        assert (type(xb), xb.dtype, len(yb)) == (np.ndarray, np.uint8, 1)


def test_cifar10_files_come_back_as_they_were(path):
    path.write_bytes(cifar10([3, 9, 0]))
    images, labels = load_cifar10(path)
    assert (images.shape, images.dtype) == ((3, 3, 32, 32), np.uint8)
    assert (labels.tolist(), labels.dtype) == ([3, 9, 0], np.uint8)
    for i, channel, row, column in [(0, 0, 0, 0), (0, 0, 0, 31), (1, 1, 2, 3), (2, 2, 31, 31)]:
        assert images[i, channel, row, column] == (7 * i + channel * 1024 + row * 32 + column) % 251
    assert isinstance(images, np.memmap)
    assert isinstance(labels, np.memmap)
    assert np.may_share_memory(images, labels)
    assert losses.cross_entropy(np.zeros((3, 10)), labels).item() == pytest.approx(math.log(10))


def test_cifar100_files_come_back_as_they_were(path):
    path.write_bytes(cifar100([(19, 3), (0, 99), (7, 0)]))
    images, labels = load_cifar100(path)
    assert (images.shape, images.dtype) == ((3, 3, 32, 32), np.uint8)
    assert (labels.tolist(), labels.dtype) == ([3, 99, 0], np.uint8)
    assert load_cifar100(path, coarse=True)[1].tolist() == [19, 0, 7]
    for i, channel, row, column in [(0, 0, 0, 0), (0, 0, 0, 31), (1, 1, 2, 3), (2, 2, 31, 31)]:
        assert images[i, channel, row, column] == (7 * i + channel * 1024 + row * 32 + column) % 251
    with pytest.raises(TypeError, match="coarse"):
        load_cifar100(path, coarse=1)


@pytest.mark.parametrize("pixels", [b"\x1f\x8b", b"<html", b"\x80\x04", b"PK\x03\x04"])
def test_a_cifar10_file_may_begin_with_any_pixels(path, pixels):
    path.write_bytes((b"\t" + pixels).ljust(3073, b"\0"))  # the label 9 is a tab
    assert load_cifar10(path)[1].tolist() == [9]


def test_the_bytes_of_idx_are_as_published(path):
    path.write_bytes(bytes([0, 0, 11, 1, 0, 0, 0, 3, 0, 1, 1, 0, 255, 254]))
    assert load_idx(path).tolist() == [1, 256, -2]
    path.write_bytes(bytes([0, 0, 13, 2, 0, 0, 0, 1, 0, 0, 0, 2, 63, 128, 0, 0, 192, 0, 0, 0]))
    assert load_idx(path).tolist() == [[1.0, -2.0]]


@pytest.mark.parametrize(
    ("load", "payload"),
    [
        (load_idx, idx(IMAGES)),
        (load_cifar10, cifar10([1])),
        (load_cifar100, cifar100([(1, 2)])),
    ],
)
def test_mapped_files_are_read_only_and_close(path, load, payload):
    path.write_bytes(payload)
    views = [load(path)] if load is load_idx else load(path)
    for view in views:
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.flags.writeable = True
    maps = Path("/proc/self/maps")
    if maps.exists():
        assert str(path) in maps.read_text()
        del view, views
        gc.collect()
        assert str(path) not in maps.read_text()
        assert str(path) not in [os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir()]
    assert path.read_bytes() == payload


def zipped(payload):
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("images", payload)
        file.seek(0)
        return file.read()


PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HTML = b"\xef\xbb\xbf\r\n <!DOCTYPE html><title>Not found</title>"
PICKLES = [pickle.dumps({b"data": 1}, protocol) for protocol in (2, 3, 4, 5)]
UNUSUAL = [
    (PNG, "one PNG picture"),
    (HTML, "a web page"),
    (b"<HTML><body>", "a web page"),
    (zipped(idx(IMAGES)), "a zip archive"),
    *((payload, "a pickle, which is not read.*cifar-100-binary.tar.gz") for payload in PICKLES),
]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        *UNUSUAL,
        *((packed(payload), f", unpacked, {message}") for payload, message in UNUSUAL),
        (packed(packed(idx(IMAGES))), "but, unpacked, a gzip file: unpack it first"),
        (b"", "no IDX file, but begins with b''"),
        (packed(b""), "no IDX file, but, unpacked, begins with b''"),
        (b"\0\0\x08", r"begins with b'.x00.x00.x08', not with two zero bytes, a type and a num"),
        (b"\0\1\x08\1\0\0\0\0", "begins with .*, not with two zero bytes"),
        (b"\1\0\x08\1\0\0\0\0", "begins with .*, not with two zero bytes"),
        (b"label,pixel0\n5,0\n", "begins with b'labe', not"),
        (
            idx_header(10, 2) + bytes(2),
            r"type code 10, but .* 8 \(unsigned byte\), 9 .*14 \(double",
        ),
        (idx_header(0, 2) + bytes(2), "type code 0"),
        (idx_header(8) + bytes(1), "0 dimensions, but an IDX file has one or more"),
        (idx_header(8, *[1] * 65) + bytes(1), "65 dimensions.*NumPy at most 64"),
        (idx_header(8, *[1] * 255) + bytes(1), "255 dimensions"),
        (idx_header(8, 2, 3)[:-1], "truncated: it has 11 bytes, but the header .* 2 dim.* has 12"),
        (packed(idx_header(8, 2, 3)[:4]), "truncated: it has 4 bytes, but the header"),
        (idx(IMAGES)[:-1], r"truncated: .*\(2, 3, 4\), 24 bytes of data, but it has 23; get a"),
        (idx_header(14, 3) + bytes(23), "truncated: .*, 24 bytes of data, but it has 23;"),
        (packed(idx(IMAGES)[:-1]), "truncated: .* 24 bytes of data, but it has 23;"),
        (idx(IMAGES) + b"12", "too long: .* 24 bytes of data, but it has 26;"),
        (idx_header(14, 3) + bytes(26), "too long: .* 24 bytes of data, but it has 26;"),
        (packed(idx(IMAGES) + b"12"), "too long: .* but it has at least 25;"),
        (packed(idx_header(14, 0) + bytes(9)), "too long: .* but it has at least 1;"),
        (idx_header(8, 2**31), "truncated: .* 2147483648 bytes of data, but it has 0;"),
        (packed(idx_header(8, 2**31)), "truncated: .*, but it has at most [0-9]+;"),
        (packed(idx_header(8, 10**4)), "truncated: .*, but it has 0;"),
        (idx_header(8, 2**31, 2**31), "4611686018427387904 bytes of data, but it has 0;"),
        (idx_header(14, 2**31, 2**31, 2**31), r"\(2147483648, .*\), which no memory can hold"),
        (packed(idx_header(14, *[2**32 - 1] * 64)), "which no memory can hold"),
        (idx_header(8, 2**32 - 1, 2**32 - 1, 0), "which no memory can hold"),
        (idx_header(11, 0, 2**31, 2**31), "which no memory can hold"),
        (packed(idx(IMAGES))[:-1], r"a damaged gzip file \(.*\): get a fresh copy"),
        (packed(idx(IMAGES))[:-8], "a damaged gzip file"),
        (packed(idx(IMAGES))[:12], "a damaged gzip file"),
        (packed(idx(IMAGES))[:-8] + bytes(8), r"a damaged gzip file \(CRC check failed"),
        (packed(idx(IMAGES)) + b"more", r"a damaged gzip file \(Not a gzipped file"),
        (b"\x1f\x8b", "a damaged gzip file"),
        (b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 20, r"a damaged gzip file \(Error -3"),
    ],
    ids=brief,
)
def test_what_is_no_idx_file_is_refused(path, payload, message):
    path.write_bytes(payload)
    with pytest.raises(ValueError, match=rf"images' (is|has) (?s:.*){message}") as caught:
        load_idx(path)
    assert type(caught.value) is ValueError


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        *UNUSUAL,
        *((payload + bytes(-len(payload) % 3073), message) for payload, message in UNUSUAL[3:]),
        (packed(cifar10([1])), "a gzip file: unpack it first, .tar.gz with tar -xzf"),
        (b"", r"has 0 bytes, not one or more records of 3073 \(data_batch_1.bin has 30730000\)"),
        (cifar10([1, 2])[:-1], "has 6145 bytes, not one or more records of 3073"),
        (cifar10([1]) + b"\0", "has 3074 bytes, not one or more records of 3073"),
        (cifar10([1, 0, 10, 3]), "has the label 10, beyond 9, in record 2: get a fresh copy"),
        (cifar10([255]), "has the label 255, beyond 9, in record 0"),
    ],
    ids=brief,
)
def test_what_is_no_cifar10_file_is_refused(path, payload, message):
    path.write_bytes(payload)
    with pytest.raises(ValueError, match=rf"images' is no file of .* version, but {message}"):
        load_cifar10(path)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        *UNUSUAL,
        (packed(cifar100([(1, 2)])), "a gzip file: unpack it first"),
        (b"", r"has 0 bytes, not one or more records of 3074 \(test.bin has 30740000\)"),
        (cifar10([1, 2]), "has 6146 bytes, not one or more records of 3074"),
        (cifar100([(1, 2)]) + b"\0", "has 3075 bytes"),
        (cifar100([(1, 2), (20, 3)]), "has the coarse label 20, beyond 19, in record 1: get a"),
        (cifar100([(1, 2), (3, 100)]), "has the label 100, beyond 99, in record 1: get a fresh"),
    ],
    ids=brief,
)
def test_what_is_no_cifar100_file_is_refused(path, payload, message):
    path.write_bytes(payload)
    with pytest.raises(ValueError, match=rf"images' is no file of CIFAR-100's bin.* but {message}"):
        load_cifar100(path)


class Trap:
    def __reduce__(self):
        return os.mkdir, (str(Trap.folder),)


@pytest.mark.parametrize("load", READERS)
@pytest.mark.parametrize("pack", [bytes, packed])
def test_a_pickle_is_never_run(tmp_path, path, load, pack):
    Trap.folder = tmp_path / "trapped"
    path.write_bytes(pack(pickle.dumps(Trap())))
    with pytest.raises(ValueError, match=r"images' is no (IDX )?file"):
        load(path)
    assert not Trap.folder.exists()


@pytest.mark.parametrize("load", READERS)
def test_paths_that_are_no_files(tmp_path, path, load):
    with pytest.raises(FileNotFoundError):
        load(path)
    with pytest.raises(ValueError, match="is a folder or a device: give the path of one file"):
        load(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(path)  # to open it, and to read on, would wait for a writer, for ever
        writer = os.open(path, os.O_RDWR)
        os.write(writer, bytes(4000))
        try:
            with pytest.raises(ValueError, match="images' is a folder or a device"):
                load(path)
        finally:
            os.close(writer)
    with pytest.raises(TypeError):
        load(0)


def peak_of_refusing(path, message):
    gc.collect()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            load_idx(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (idx_header(8, 10), "too long: .* at least 11"),
        (idx_header(14, 10), "too long: .* at least 81"),
        (idx_header(8, 2**31), "truncated: .* at most"),
        (idx_header(8, 2**31, 2**31, 2**31, 2**31), "no memory can hold"),
        (idx_header(7, 2**31), "type code 7"),
    ],
)
def test_a_gzip_bomb_is_not_unpacked(path, header, message):
    path.write_bytes(packed(header + bytes(2**25)))
    assert peak_of_refusing(path, message) < 2**20


def test_memory_is_taken_for_what_is_there_and_not_for_promises(path):
    noise = os.urandom(2**18)  # 2**28 could be packed in as many bytes, but it is not
    path.write_bytes(packed(idx_header(8, 2**27) + noise))
    assert peak_of_refusing(path, f"but it has {2**18};") < 2**22
    path.write_bytes(idx_header(14, 10) + bytes(2**24))
    assert peak_of_refusing(path, f"too long: .* but it has {2**24};") < 2**18


def hold_to_the_contract(payload):
    """Any bytes are an array of the shape that the header promises, or a ValueError."""

    def read_idx(path):
        try:
            array = load_idx(path)
        except ValueError as error:
            assert "images' " in str(error)  # noqa: PT017
            return
        whole = gzip.decompress(payload) if payload[:2] == b"\x1f\x8b" else payload
        assert array.shape == struct.unpack_from(f">{whole[3]}I", whole, 4)
        assert array.dtype.name == {code: name for name, code in CODES.items()}[whole[2]]
        assert len(whole) == 4 + 4 * array.ndim + array.nbytes

    def read_cifar10(path):
        try:
            images, labels = load_cifar10(path)
        except ValueError as error:
            assert "images' " in str(error)  # noqa: PT017
            return
        assert images.shape == (len(payload) // 3073, 3, 32, 32)
        assert labels.max() <= 9

    with_file(payload, read_idx)
    with_file(payload, read_cifar10)


headers = st.builds(
    lambda code, sizes: idx_header(code, *sizes),
    st.sampled_from([*CODES.values(), 0, 10, 255]),
    st.lists(st.integers(0, 3) | st.sampled_from([2**31 - 1, 2**31, 2**32 - 1]), max_size=5),
)
bodies = st.binary(max_size=40) | st.integers(0, 300).map(bytes)


@given(payload=st.builds(bytes.__add__, headers, bodies) | bodies, pack=st.booleans())
def test_any_bytes_are_an_array_as_promised_or_refused(payload, pack):
    hold_to_the_contract(packed(payload) if pack else payload)


@given(data=st.data(), pack=st.booleans())
def test_any_damage_leaves_an_array_as_promised_or_is_refused(data, pack):
    payload = bytearray(packed(idx(IMAGES)) if pack else idx(IMAGES))
    places = st.lists(st.tuples(st.integers(0, len(payload) - 1), st.integers(0, 255)), max_size=3)
    for place, byte in data.draw(places):
        payload[place] = byte
    hold_to_the_contract(bytes(payload[: data.draw(st.integers(0, len(payload)))]))


@pytest.mark.parametrize("pack", [bytes, packed])
def test_every_truncation_is_refused(path, pack):
    whole = pack(idx(IMAGES))
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match="images' is "):
            load_idx(path)


def test_importing_the_package_does_not_load_gzip():
    code = (
        "import sys, numpy; sys.modules.pop('gzip', None); "
        "import tinygrad_edu; print('gzip' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize("read", READERS)
def test_a_number_is_no_path(read):
    with pytest.raises(TypeError, match="int"):
        read(1)  # which would be the standard output of this process
