"""What to write for NumPy functions and parameters that a Tensor does not take.

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
ELSEWHERE = "it is of SciPy"
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
    np.save: (
        "it writes a file",
        {'np.save("t.npy", t)': 'np.save("t.npy", t.detach().data)'},
    ),
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

# Functions of scipy.special, which is not asked for them: it is no part of this package.
SCIPY: dict[str, tuple[str, Lines]] = {
    "expit": (ELSEWHERE, {"scipy.special.expit(t)": "tinygrad_edu.functional.sigmoid(t)"}),
    "log_expit": (
        ELSEWHERE,
        {"scipy.special.log_expit(t)": "-tinygrad_edu.functional.softplus(-t)"},
    ),
    "logit": (ELSEWHERE, {"scipy.special.logit(t)": "np.log(t) - np.log(1 - t)"}),
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

# Parameters that only functions of NumPy and PyTorch have: an example, for any function.
PARAMETERS: dict[str, Lines] = {
    "dim": {"t.sum(dim=0)": "t.sum(axis=0)"},
    "keepdim": {"t.sum(0, keepdim=True)": "t.sum(0, keepdims=True)"},
    "inplace": {"functional.relu(t, inplace=True)": "functional.relu(t)"},
    "size_average": {
        "losses.mse_loss(t, targets, size_average=False)": (
            'losses.mse_loss(t, targets, reduction="sum")'
        )
    },
    "set_to_none": {"model.zero_grad(set_to_none=True)": "model.zero_grad()"},
    "dtype": {"np.sum(t, dtype=np.float32)": "np.sum(t.astype(np.float32))"},
    "where": {
        "np.sum(t, where=mask)": "np.sum(np.where(mask, t, 0.0))",
        "np.mean(t, where=mask)": "np.sum(np.where(mask, t, 0.0)) / np.sum(mask)",
        "np.prod(t, where=mask)": "np.prod(np.where(mask, t, 1.0))",
        "np.max(t, where=mask, initial=-9.0)": "np.max(np.where(mask, t, -9.0))",
        "np.min(t, where=mask, initial=9.0)": "np.min(np.where(mask, t, 9.0))",
    },
    "initial": {
        "np.sum(t, initial=value)": "np.sum(t) + value",
        "np.prod(t, initial=value)": "np.prod(t) * value",
        "np.max(t, initial=value)": "np.maximum(np.max(t), value)",
        "np.min(t, initial=value)": "np.minimum(np.min(t), value)",
    },
    "order": {
        'np.ravel(t, order="F")': "np.ravel(t.T)",
        'np.reshape(t, (1, 9), order="F")': "np.reshape(t.T, (9, 1)).T",
    },
    "prepend": {"np.diff(t[0], prepend=value)": "np.diff(np.append(value, t[0]))"},
    "append": {"np.diff(t[0], append=value)": "np.diff(np.append(t[0], value))"},
    "left": {"np.interp(t, p, q, left=value)": "np.where(t < p[0], value, np.interp(t, p, q))"},
    "right": {"np.interp(t, p, q, right=value)": "np.where(t > p[-1], value, np.interp(t, p, q))"},
}


FOR_ALL = ("dim", "keepdim", "inplace", "size_average", "set_to_none", "dtype")


def of_parameter(parameter: str, function: str) -> Lines:
    """The lines for a parameter of a function; one for another function only if it is the same."""
    lines = PARAMETERS.get(parameter, {})
    own = {call: line for call, line in lines.items() if call.startswith(f"{function}(")}
    return own or (lines if parameter in FOR_ALL else {})


def told(lines: Lines) -> str:
    """The lines, each with the call that it replaces, as a part of a message."""
    return "; ".join(f"{line} for {call}" for call, line in lines.items())
