"""NumPy functions on Tensors: which are composed, which only ask, how a call is read."""

from functools import cache
from inspect import signature
from typing import Any, NoReturn

import numpy as np

from tinygrad_edu import errors, numpy_arithmetic, numpy_arrangement, ops
from tinygrad_edu.ops import Operation

# Functions that need no rule of their own, because those with a rule can say them.

compositions = numpy_arrangement.compositions | numpy_arithmetic.compositions

# Functions that ask about numbers: the answer is plain data, with no gradient to carry.

queries: set[Operation] = {
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.isfinite, np.isinf, np.isnan, np.signbit, np.logical_and, np.logical_or, np.logical_not),
    *(np.any, np.all, np.allclose, np.isclose, np.array_equal, np.count_nonzero),
    *(np.argmax, np.argmin, np.argsort, np.nonzero, np.shape, np.ndim, np.size),
    *(np.zeros_like, np.ones_like),
}


# What to write for functions and methods that learners miss; t is a Tensor.

INSTEAD: dict[Operation, str] = {
    np.std: "np.sqrt(((t - t.mean(axis, keepdims=True)) ** 2).mean(axis))",
    np.var: "((t - t.mean(axis, keepdims=True)) ** 2).mean(axis)",
    np.average: "(weights * t).sum() / np.sum(weights)",
    np.linalg.norm: "np.sqrt((t * t).sum(axis))",
    np.outer: "a[:, None] * b",
    np.inner: "a @ b.T",
    np.vstack: "np.concatenate([a, b]), or np.stack([a, b]) of vectors",
    np.hstack: "np.concatenate([a, b], axis=-1)",
    np.ravel: "t.reshape(-1)",
    np.log2: "np.log(t) / np.log(2.0)",
    np.log10: "np.log(t) / np.log(10.0)",
    np.exp2: "2.0 ** t",
    np.tan: "np.sin(t) / np.cos(t)",
    np.reciprocal: "1 / t",
}

METHODS_INSTEAD = {
    "sigmoid": "functional.sigmoid(t)",
    "softmax": "functional.softmax(t)",
    "log_softmax": "functional.log_softmax(t)",
    "relu": "functional.relu(t)",
    "softplus": "functional.softplus(t)",
    "std": INSTEAD[np.std],
    "var": INSTEAD[np.var],
    "norm": INSTEAD[np.linalg.norm],
    "dot": "a @ b",
    "flatten": INSTEAD[np.ravel],
    "ravel": INSTEAD[np.ravel],
    "view": "t.reshape(...)",
    "permute": "t.transpose(...)",
    "unsqueeze": "np.expand_dims(t, axis)",
    "any": "(t > 0).any()",
    "all": "(t > 0).all()",
    "copy": "+t; or, to cut it off, t.detach()",
    "clone": "+t; or, to cut it off, t.detach()",
    "astype": "tinygrad_edu.ops.cast(t, dtype=...)",
    "float": "tinygrad_edu.ops.cast(t, dtype=float)",
    "add_": "w.data += ...",
    "sub_": "w.data -= ...",
    "zero_": "w.data = np.zeros(w.shape)",
}


class Missing:
    """A method that others have: to ask for it says what to write.

    (``__getattr__`` would make every attribute of every Tensor slower, an eighth of all time.)
    """

    def __init__(self, name: str, instead: str) -> None:
        self.name, self.instead = name, instead

    def __get__(self, tensor: object, owner: type) -> NoReturn:
        raise errors.no_method(self.name, self.instead)


@cache
def _parameters(function: Operation) -> list[str]:
    try:
        return list(signature(function).parameters)
    except ValueError:  # some of NumPy's functions in C tell none, such as where before NumPy 2.4
        return []


def bind(
    op: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Sort the arguments of a call into arrays and, by name, parameters that its rules take."""
    rules = ops.derivatives[op]
    if isinstance(rules, ops.Each):
        return args, kwargs
    count = len(rules)
    if len(args) == count and not kwargs and None not in rules:
        return args, kwargs
    if len(args) != count:
        names = _parameters(op)
        kwargs = dict(zip(names[count:], args[count:], strict=False)) | kwargs
        args = args[:count] + tuple(kwargs.pop(n) for n in names[len(args) : count] if n in kwargs)
    if len(args) != count:
        raise errors.too_few_arrays(op, len(args), count)
    for i, (arg, rule) in enumerate(zip(args, rules, strict=True)):
        if rule is None and getattr(arg, "requires_grad", False):
            raise errors.no_rule_for(op, f"argument {i}")
    known = _parameters(next(filter(None, rules)))
    for name, value in kwargs.items():
        if getattr(value, "requires_grad", False):
            raise errors.no_rule_for(op, f"the parameter {name}")
        if name not in known and (value is not None or not errors.is_numpys(op)):
            raise errors.unknown_parameters(op, f"{name}=")
    return args, {name: value for name, value in kwargs.items() if name in known}
