"""What to write for NumPy functions, parameters and methods that a Tensor does not have.

Each line stands beside the call that it replaces, and gives its value and its gradients.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Lines = dict[str, str]

COUNTS = "it counts, and a count jumps"
SPECTRUM = "its derivative breaks down where two eigenvalues or singular values meet"
COMPLEX = "it gives complex numbers, and a Tensor holds real ones"
WRITES = "it writes into an array, and a graph may need the old values"
ANGLES = "a = 2 * np.pi * np.outer(np.arange(t.size), np.arange(t.size)) / t.size"
CENTERED = "d = t - t.mean(axis=1, keepdims=True)"

# Functions that are refused on purpose: the reason, and the lines to write, if there are any.
FUNCTIONS: dict[Callable[..., Any], tuple[str, Lines]] = {
    # steps
    np.unique: (
        "the set of distinct numbers jumps",
        {"np.unique(t)": "t.reshape(-1)[np.unique(t.detach().data, return_index=True)[1]]"},
    ),
    np.histogram: (COUNTS, {}),
    np.histogram2d: (COUNTS, {}),
    np.bincount: (
        COUNTS,
        {"np.bincount(i, t, n)": "tinygrad_edu.functional.one_hot(i, n).T @ t"},
    ),
    # decompositions
    np.linalg.eig: (SPECTRUM, {}),
    np.linalg.eigh: (SPECTRUM, {}),
    np.linalg.eigvals: (SPECTRUM, {}),
    np.linalg.eigvalsh: (SPECTRUM, {}),
    np.linalg.svd: (SPECTRUM, {}),
    np.linalg.svdvals: (SPECTRUM, {}),
    np.linalg.pinv: ("its derivative breaks down where the rank changes", {}),
    np.linalg.qr: ("its derivative breaks down where columns depend on each other", {}),
    np.linalg.cholesky: ("its rule is long, and left out to keep the table short", {}),
    np.linalg.lstsq: (
        "it is solved by a decomposition",
        {"np.linalg.lstsq(a, b)[0]": "np.linalg.solve(a.T @ a, a.T @ b)"},
    ),
    np.linalg.matrix_power: (
        "it is a product",
        {"np.linalg.matrix_power(a, 3)": "a @ a @ a"},
    ),
    np.linalg.multi_dot: ("it is a product", {"np.linalg.multi_dot([a, b, c])": "a @ b @ c"}),
    # complex numbers
    np.fft.fft: (
        COMPLEX,
        {
            "np.fft.fft(t).real": f"{ANGLES}; np.cos(a) @ t",
            "np.fft.fft(t).imag": "-np.sin(a) @ t",
        },
    ),
    np.fft.ifft: (COMPLEX, {}),
    np.fft.rfft: (COMPLEX, {}),
    np.fft.irfft: (COMPLEX, {}),
    np.fft.fft2: (COMPLEX, {}),
    np.fft.ifft2: (COMPLEX, {}),
    np.fft.fftn: (COMPLEX, {}),
    np.fft.ifftn: (COMPLEX, {}),
    np.imag: ("a Tensor holds real numbers", {"np.imag(t)": "np.zeros(t.shape)"}),
    # functions of functions
    np.apply_along_axis: (
        "it writes what the function gives into an array",
        {
            "np.apply_along_axis(f, 1, t)": "np.stack([f(row) for row in t])",
            "np.apply_along_axis(f, 0, t)": "np.stack([f(row) for row in t.T], axis=-1)",
        },
    ),
    np.piecewise: (
        "it writes what the functions give into an array",
        {"np.piecewise(t, [t < 0], [f, g])": "np.where(t < 0, f(t), g(t))"},
    ),
    # writers
    np.fill_diagonal: (
        WRITES,
        {"np.fill_diagonal(t, value)": "np.where(np.eye(*t.shape, dtype=bool), value, t)"},
    ),
    np.copyto: (WRITES, {"np.copyto(t, value, where=mask)": "np.where(mask, value, t)"}),
    np.putmask: (WRITES, {"np.putmask(t, mask, value)": "np.where(mask, value, t)"}),
    np.place: (WRITES, {"np.place(t, mask, value)": "np.where(mask, value, t)"}),
    np.put: (
        WRITES,
        {
            "np.put(t, i, value)": (
                "np.where(np.isin(np.arange(t.size).reshape(t.shape), i), value, t)"
            )
        },
    ),
    np.put_along_axis: (WRITES, {}),
    # what takes more than a few lines
    np.block: (
        "it concatenates twice",
        {
            "np.block([[a, b], [c, d]])": (
                "np.concatenate([np.concatenate([a, b], 1), np.concatenate([c, d], 1)])"
            )
        },
    ),
    np.vander: (
        "it is a table of powers",
        {"np.vander(t)": "t[:, None] ** np.arange(t.size - 1, -1, -1)"},
    ),
    np.cov: (
        "it is a product",
        {"np.cov(t)": f"{CENTERED}; d @ d.T / (t.shape[1] - 1)"},
    ),
    np.corrcoef: (
        "it is a product",
        {
            "np.corrcoef(t)": (
                f"{CENTERED}; d = d / np.sqrt((d * d).sum(axis=1, keepdims=True)); d @ d.T"
            )
        },
    ),
}

# Methods of ufuncs.
UFUNC_METHODS: dict[tuple[np.ufunc, str], Lines] = {
    (np.add, "reduce"): {"np.add.reduce(t)": "np.sum(t, axis=0)"},
    (np.add, "accumulate"): {"np.add.accumulate(t)": "np.cumsum(t, axis=0)"},
    (np.multiply, "reduce"): {"np.multiply.reduce(t)": "np.prod(t, axis=0)"},
    (np.multiply, "accumulate"): {"np.multiply.accumulate(t)": "np.cumprod(t, axis=0)"},
    (np.maximum, "reduce"): {"np.maximum.reduce(t)": "np.max(t, axis=0)"},
    (np.minimum, "reduce"): {"np.minimum.reduce(t)": "np.min(t, axis=0)"},
    (np.add, "at"): {
        "np.add.at(array, i, t)": "array + tinygrad_edu.ops.scatter(t, index=i, shape=array.shape)"
    },
}

# Parameters that only NumPy's functions have: an example, for any function.
PARAMETERS: dict[str, Lines] = {
    "dtype": {"np.sum(t, dtype=np.float32)": "np.sum(t.astype(np.float32))"},
    "where": {"np.sum(t, where=mask)": "np.sum(np.where(mask, t, 0.0))"},
    "initial": {"np.sum(t, initial=value)": "np.sum(t) + value"},
    "order": {
        'np.ravel(t, order="F")': "np.ravel(t.T)",
        'np.reshape(t, (1, 9), order="F")': "np.reshape(t.T, (9, 1)).T",
    },
    "prepend": {"np.diff(t[0], prepend=value)": "np.diff(np.append(value, t[0]))"},
    "append": {"np.diff(t[0], append=value)": "np.diff(np.append(t[0], value))"},
    "left": {"np.interp(t, p, q, left=value)": "np.where(t < p[0], value, np.interp(t, p, q))"},
    "right": {"np.interp(t, p, q, right=value)": "np.where(t > p[-1], value, np.interp(t, p, q))"},
}

# Methods that arrays, or the tensors of other libraries, have.
METHODS = {
    "sigmoid": "functional.sigmoid(t)",
    "softmax": "functional.softmax(t)",
    "log_softmax": "functional.log_softmax(t)",
    "logsumexp": "functional.logsumexp(t, axis)",
    "relu": "functional.relu(t)",
    "softplus": "functional.softplus(t)",
    "norm": "np.linalg.norm(t)",
    "ptp": "np.ptp(t)",
    "square": "np.square(t)",
    "sort": "np.sort(t)",
    "partition": "np.partition(t, kth)",
    "flip": "np.flip(t, axis)",
    "tile": "np.tile(t, counts)",
    "compress": "np.compress(condition, t, axis)",
    "choose": "np.choose(t, arrays)",
    "gather": "np.take_along_axis(t, index, axis)",
    "masked_fill": "np.where(mask, value, t)",
    "put": "np.where(mask, value, t)",
    "view": "t.reshape(...)",
    "permute": "t.transpose(...)",
    "unsqueeze": "np.expand_dims(t, axis)",
    "expand": "np.broadcast_to(t, shape)",
    "resize": "np.resize(t, shape)",
    "t": "t.T",
    "flat": "t.ravel()",
    "matmul": "a @ b",
    "mm": "a @ b",
    "add": "a + b",
    "sub": "a - b",
    "mul": "a * b",
    "div": "a / b",
    "pow": "a ** b",
    "dim": "t.ndim",
    "numel": "t.size",
    "nbytes": "t.size * t.dtype.itemsize",
    "imag": "np.zeros(t.shape)",
    "clone": "t.copy(); or, to cut it off, t.detach()",
    "half": "t.astype(np.float16)",
    "float": "t.astype(np.float32)",
    "double": "t.astype(np.float64)",
    "int": "t.detach().data.astype(int)",
    "long": "t.detach().data.astype(int)",
    "bool": "t != 0",
    "requires_grad_": "t.requires_grad = True",
    "add_": "w.data += ...",
    "sub_": "w.data -= ...",
    "mul_": "w.data *= ...",
    "zero_": "w.data = np.zeros(w.shape)",
    "fill": "w.data = np.full(w.shape, ...)",
}


def told(lines: Lines) -> str:
    """The lines, each with the call that it replaces, as a part of a message."""
    return "; ".join(f"{line} for {call}" for call, line in lines.items())
