"""Junk arguments get an error that says what is wrong with them, and are left as they were.

Every public name is called with seeded random junk, between arguments that fit, by position and by
name. It may return; or it may refuse by an error that a ``raise`` of this package makes. What
Python or NumPy says inside the package, about names and values that the caller has never seen, is
an internal error.
"""

import inspect
import linecache
import operator
import os
import random
import re
import traceback
import warnings
from collections import deque
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu
from tinygrad_edu import (
    Tensor,
    classifier,
    data,
    datasets,
    evaluation,
    functional,
    losses,
    nn,
    optim,
    testing,
)

PACKAGE = str(Path(tinygrad_edu.__file__).parent) + os.sep
LONGEST = 1000  # characters of a message

# What a refusal is not.
INTERNAL = (
    AssertionError,
    AttributeError,
    KeyError,
    MemoryError,
    NameError,
    OverflowError,
    RecursionError,
    SystemError,
    ZeroDivisionError,
)
DOCUMENTED = {  # but these say so in their docstrings
    "testing.check_grads": AssertionError,
    "Linear.load_state_dict": KeyError,
}


def looped():
    loop = [1.0]
    loop.append(loop)
    return loop


def recorded():
    return Tensor([1.0, 2.0], requires_grad=True) * 2.0


JUNK = [
    *(lambda value=value: value for value in (None, True, Ellipsis, NotImplemented, object())),
    *(lambda value=value: value for value in ("", "text", "1.0", b"bytes", 1j, slice(1, None))),
    *(lambda value=value: value for value in (0, 1, -3, 10**30, 2**62, 0.5, -2.0, 1e300)),
    *(lambda value=value: value for value in (float("nan"), float("inf"), np.float16(2.5))),
    *(lambda value=value: value for value in (Tensor, np.exp, lambda: 1, np)),
    dict,
    lambda: {"a": 1.0, 2: None},
    lambda: {1, 2},
    list,
    lambda: [[]],
    lambda: [[1.0, 2.0], [3.0]],
    lambda: [1.0, "text", None],
    lambda: [[1, 2], [3, 4]],
    lambda: (1.0, 2.0),
    looped,
    lambda: iter([1.0, 2.0]),
    lambda: (x for x in (1.0, 2.0)),
    lambda: deque([1.0, 2.0]),
    lambda: range(3),
    lambda: np.array(3.0),
    lambda: np.array([]),
    lambda: np.zeros((0, 3)),
    lambda: np.array([1.0, np.nan, -np.inf]),
    lambda: np.arange(3),
    lambda: np.array([True, False]),
    lambda: np.array([1 + 1j, 2.0]),
    lambda: np.array([1.0, 2.0], dtype=np.float16),
    lambda: np.array([1.0, 2.0], dtype=np.longdouble),
    lambda: np.array([200, 3], dtype=np.uint8),
    lambda: np.array(["a", "b"]),
    lambda: np.array([None, 1.0], dtype=object),
    lambda: np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
    lambda: np.array(["2026-01-01"], dtype="datetime64[D]"),
    lambda: np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    lambda: np.array([[1.0, 2.0]]).view(np.matrix),
    lambda: np.ones((2, 3, 4)),
    lambda: Tensor([1.0, 2.0]),
    lambda: Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
    lambda: Tensor([1, 0]),
    lambda: Tensor(2.0, requires_grad=True),
    lambda: Tensor(np.zeros((0, 2)), requires_grad=True),
    recorded,
    lambda: nn.Linear(2, 2, rng=0),
]

# What fits, by the name of a parameter, so that junk beside it comes as far as it can.
FITTING = {
    **dict.fromkeys(["scores", "logits", "x"], lambda: np.array([[1.0, -2.0], [0.5, 3.0]])),
    **dict.fromkeys(["probs", "p", "q"], lambda: np.array([[0.25, 0.75], [0.5, 0.5]])),
    "log_probs": lambda: np.log([[0.25, 0.75], [0.5, 0.5]]),
    "predictions": lambda: np.array([[1.0, 2.0], [3.0, 4.0]]),
    "targets": lambda: np.array([[1.0, 0.0], [0.0, 1.0]]),
    "labels": lambda: np.array([0, 1]),
    "num_classes": lambda: 3,
    **dict.fromkeys(["in_features", "out_features"], lambda: 2),
    "params": lambda: nn.Linear(2, 1, rng=0).parameters(),
    "lr": lambda: 0.1,
    **dict.fromkeys(["f", "function", "forward"], lambda: lambda x: (x * x).sum()),
    "rules": lambda: lambda g, y, x: g * 2 * x,
    "X": lambda: np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]]),
    "y": lambda: np.array([0, 1, 1]),
    "state": lambda: nn.Linear(2, 2, rng=0).state_dict(),
    "arrays": lambda: np.ones((4, 2)),
    "batch_size": lambda: 2,
    "data": lambda: [1.0, 2.0],
    "dtype": lambda: np.float32,
    "name": lambda: "name",
    "root": recorded,
    "args": lambda: [1.0, 2.0],
    "path": lambda: "file",
    "layers": lambda: functional.relu,
    "model": lambda: lambda x: np.zeros(len(x), int),
}


def tensor():
    return Tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)


def linear():
    return nn.Linear(2, 2, rng=0)


def sgd():
    return optim.SGD([tensor()], lr=0.1)


def sealed():
    return evaluation.SealedTestSet([[1.0], [2.0], [3.0]], [0, 1, 1])


OPERATORS = {
    name: getattr(operator, name)
    for name in (
        *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "lshift"),
        *("eq", "ne", "lt", "le", "gt", "ge", "contains", "getitem", "delitem", "iadd", "ipow"),
    )
}


def functions(module):
    """The functions of a module by name, without the wrapper that hides where an error began."""
    short = module.__name__.rpartition(".")[2]
    return {f"{short}.{name}": inspect.unwrap(getattr(module, name)) for name in module.__all__}


def method(make, name):
    """A method of an object that is new in each call."""

    def call(*args, **kwargs):
        return getattr(make(), name)(*args, **kwargs)

    call.__signature__ = inspect.signature(getattr(make(), name))
    return call


def assignment(make, name):
    return lambda value: setattr(make(), name, value)


def used(transform):
    return lambda f, x, argnums=0: transform(f, argnums)(x)


def on_the_right(operation):
    return lambda x: operation(tensor(), x)


def on_the_left(operation):
    return lambda x: operation(x, tensor())


METHODS = [
    *("backward", "reshape", "transpose", "sum", "mean", "max", "min", "clip", "squeeze"),
    *("swapaxes", "cumsum", "argmax", "argmin", "item", "__format__", "__round__", "__array__"),
    *("__dlpack__", "__len__", "__iter__", "__float__", "__int__", "__bool__", "__getitem__"),
]
ATTRIBUTES = [
    *((tensor, name) for name in ("data", "grad", "requires_grad", "name")),
    *((linear, name) for name in ("weight", "bias", "other")),
    *((sgd, name) for name in ("lr", "momentum", "weight_decay", "nesterov", "params")),
]
CALLS = {
    **{
        name: getattr(tinygrad_edu, name)
        for name in tinygrad_edu.__all__
        if not inspect.ismodule(getattr(tinygrad_edu, name))
    },
    **functions(functional),
    **functions(losses),
    **functions(testing),
    **{f"nn.{kind.__name__}": kind for kind in (nn.Module, nn.Linear, nn.Sequential)},
    "data.minibatches": data.minibatches,
    **functions(datasets),
    "optim.SGD": optim.SGD,
    "SealedTestSet": evaluation.SealedTestSet,
    "SealedTestSet.score": method(sealed, "score"),
    **{f"Tensor.{name}": method(tensor, name) for name in METHODS},
    **{f"Linear.{name}": method(linear, name) for name in ("forward", "load_state_dict")},
    **{f"{make.__name__}.{name} =": assignment(make, name) for make, name in ATTRIBUTES},
    "LinearClassifier.fit": method(classifier.LinearClassifier, "fit"),
    "LinearClassifier.partial_fit": method(classifier.LinearClassifier, "partial_fit"),
    **{
        f"{name}(f)(x)": used(getattr(tinygrad_edu, name))
        for name in ("grad", "value_and_grad", "jacobian", "hessian")
    },
    **{f"{name} of a Tensor": on_the_right(operation) for name, operation in OPERATORS.items()},
    **{f"{name} by a Tensor": on_the_left(operation) for name, operation in OPERATORS.items()},
}


def value_for(rng, name):
    return FITTING[name]() if name in FITTING and rng.random() < 0.5 else rng.choice(JUNK)()


def arguments(rng, function):
    """Arguments of a call, by position and by name: junk, and what fits."""
    args, kwargs = [], {}
    by_name = rng.random() < 0.2
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            args += [value_for(rng, name) for _ in range(0 if by_name else rng.randrange(4))]
            by_name = True
        elif parameter.kind is parameter.VAR_KEYWORD:
            kwargs |= {"unknown": value_for(rng, name)} if rng.random() < 0.1 else {}
        elif parameter.default is not parameter.empty and rng.random() < 0.5:
            by_name = True
        elif parameter.kind is parameter.POSITIONAL_ONLY or (
            parameter.kind is parameter.POSITIONAL_OR_KEYWORD and not by_name
        ):
            args.append(value_for(rng, name))
        else:
            kwargs[name] = value_for(rng, name)
    given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
    is_open_file = function in READERS and isinstance(given.get("path"), int | np.integer)
    if is_open_file or isinstance(given.get("rng"), np.matrix):  # on which NumPy itself crashes
        return arguments(rng, function)
    return args, kwargs


READERS = (tinygrad_edu.load, *functions(datasets).values())


def content(value):
    """What a failed call must not change."""
    if isinstance(value, Tensor):
        return repr(value), content(value.numpy()), value.is_leaf and content(value.grad)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.dtype, value.shape, value.flags.writeable, value.tobytes()
    if isinstance(value, list | dict | set | deque | np.ndarray):
        return repr(value)
    if isinstance(value, nn.Module):
        return repr(value.state_dict())
    return None


def is_raised(frame, number):
    path = frame.f_code.co_filename
    return linecache.getline(path, number).strip().startswith("raise ")


def is_about(text, values):
    """Whether a message says what one of the values is: its type, its shape, its dtype, itself."""
    text = text.replace(" ", "")
    for value in values:
        kind = type(value).__name__
        words = [f"'{kind}'", f"not{kind}", repr(value)[:80]]
        if isinstance(value, np.ndarray | Tensor):
            words += [str(value.shape) if value.ndim else "0-d", type(value.dtype).__name__]
        if any(word.replace(" ", "") in text for word in words):
            return True
    return False


def internal(name, error, values):
    """What is wrong with an error; None for a refusal."""
    frames = list(traceback.walk_tb(error.__traceback__))
    ours = [frame.f_code.co_filename.startswith(PACKAGE) for frame, _ in frames]
    frame, number = frames[-1]
    text = str(error)
    if not any(ours) or frame.f_code.co_filename == __file__:
        return None  # Python refuses the call itself, or a function that was given fails
    if len(text) > LONGEST:
        return f"a message of {len(text)} characters"
    by_others = (os.sep + "sklearn" + os.sep) in frame.f_code.co_filename
    if (ours[-1] or by_others) and is_raised(frame, number):
        return None
    if type(error) is DOCUMENTED.get(name) or isinstance(error, OSError):
        return None
    if isinstance(error, INTERNAL):
        return "an internal error"
    if WRONG_CALL.search(text) or is_about(text, values):
        return None
    return "an error that no line of this package raises"


# Python refuses how a function was called that the caller gave, or that stands behind another.
WRONG_CALL = re.compile(r"takes .*argument|missing .* argument|unexpected keyword argument")


def place(error):
    """The innermost function of this package in a traceback."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [code for code in codes if code.co_filename.startswith(PACKAGE)]
    if not ours:
        return ""
    path = ours[-1].co_filename.removeprefix(PACKAGE).removesuffix(".py").replace(os.sep, ".")
    return f"{path}.{ours[-1].co_qualname}"


def short(value):
    text = repr(value).replace("\n", " ")
    return text if len(text) < 90 else text[:90] + "..."


def faults(name, count):
    """The calls that went wrong: where, what was called, what was wrong."""
    rng = random.Random(name)
    for _ in range(count):
        args, kwargs = arguments(rng, CALLS[name])
        values = (*args, *kwargs.values())
        before = [content(value) for value in values]
        shown = [short(arg) for arg in args] + [f"{k}={short(v)}" for k, v in kwargs.items()]
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            try:
                CALLS[name](*args, **kwargs)
                continue
            except Exception as error:
                refusal = error
        wrong = internal(name, refusal, values)
        if wrong is None and before != [content(value) for value in values]:
            wrong = "its arguments have changed"
        others = [w for w in heard if issubclass(w.category, RuntimeWarning)]
        # that a number is too large for its dtype is worth a warning, whatever is refused later
        others = [w for w in others if "overflow encountered" not in str(w.message)]
        if wrong is None and others:
            wrong = f"NumPy warned as well: {others[0].message}"
        if wrong is not None:
            said = f"{type(refusal).__name__}: {str(refusal)[:300]}"
            yield place(refusal), f"{name}({', '.join(shown)})", f"{wrong}: {said}"


# Functions where others answer for this package.
OPEN = {
    "classifier.LinearClassifier._fit",  # scikit-learn, whose checks an estimator uses
    "tensor.Tensor.__format__",  # Python's format() takes nothing but text
}


def new_faults(name, count):
    return [fault for fault in faults(name, count) if fault[0] not in OPEN]


@pytest.mark.parametrize("name", CALLS)
def test_junk_is_refused_by_this_package(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert new_faults(name, 100) == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", CALLS)
def test_junk_is_refused_a_thousand_times(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert new_faults(name, 1000) == []


@pytest.mark.nightly
def test_what_is_mended_leaves_the_list(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {where for name in CALLS for where, *_ in faults(name, 1000)}
    assert OPEN - found == set()


# The checks themselves can fail.

FAULTY = {
    "return x.nothing": "an internal error: AttributeError",
    "return 1 / 0": "an internal error: ZeroDivisionError",
    "return bool(np.ones(2))": "an error that no line of this package raises: ValueError",
    "raise ValueError('x' * 3000)": "a message of 3000 characters: ValueError",
    "x.append(1); f(x)": "its arguments have changed: TypeError",
    "x[0] = 5; f(x)": "its arguments have changed: TypeError",
    "x.data[0] = 5; f(x)": "its arguments have changed: TypeError",
    "np.log(np.zeros(2)); f(x)": "NumPy warned as well: divide by zero",
    "f(x)": None,
    "return x": None,
}


@pytest.mark.parametrize("body", FAULTY)
def test_each_kind_of_fault_is_noticed(body, monkeypatch):
    path = f"{PACKAGE}faulty.py"
    text = f"def f(x):\n    raise TypeError('no')\n\ndef faulty(x):\n    {body}\n"
    monkeypatch.setitem(linecache.cache, path, (len(text), None, text.splitlines(True), path))
    names = {"np": np}
    exec(compile(text, path, "exec"), names)
    monkeypatch.setitem(CALLS, "faulty", names["faulty"])
    wrong = [wrong for _, _, wrong in faults("faulty", 200)]
    expected = FAULTY[body]
    assert (wrong == []) == (expected is None)
    assert expected is None or any(text.startswith(expected) for text in wrong)
