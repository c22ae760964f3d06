"""What to write instead: every line that a message recommends gives the value and the gradients."""

import contextlib

import numpy as np
import pytest

import tinygrad_edu
from tinygrad_edu import Tensor, functional, numpy_api, ops, refusals
from tinygrad_edu.testing import check_grads

SQUARE = np.array([[1.0, -2.0, 4.0], [3.0, 0.5, 0.25], [-1.5, 2.5, 0.75]])
VECTOR = np.array([1.5, 0.5, -2.0])
OF_A_VECTOR = ("fft", "vander", "bincount", "add.at")  # calls whose t has one axis


def values(call):
    """What the letters of a call stand for: arrays to differentiate, and plain data."""
    letters = {
        "t": VECTOR if any(name in call for name in OF_A_VECTOR) else SQUARE,
        "value": np.array(0.3),
        **dict(zip("abcd", (SQUARE + k for k in (1.0, 2.0, -3.0, 0.5)), strict=True)),
    }
    plain = {
        "np": np,
        "tinygrad_edu": tinygrad_edu,
        "i": np.array([0, 2, 2]),
        "n": 4,
        "mask": np.array([[True, False, True]] * 3),
        "array": np.array([5.0, 6.0, 7.0]),
        "p": np.array([-1.0, 0.0, 2.0]),
        "q": np.array([3.0, 1.0, 2.0]),
        "f": lambda x: x * x,
        "g": lambda x: 3.0 * x,
    }
    used = compile(call, "call", "eval").co_names
    return {name: letters[name] for name in letters if name in used}, plain


def run(line, known):
    """The value of a line of statements, the last of which is an expression."""
    *before, last = line.split("; ")
    scope = dict(known)
    for statement in before:
        exec(statement, scope)
    return eval(last, scope)


def expected(call, arrays, plain):
    """What NumPy gives, or what it has written."""
    scope = plain | {name: np.array(array) for name, array in arrays.items()}
    result = eval(call, scope)
    if result is not None:
        return result
    return scope["array"] if "add.at" in call else scope["t"]


GROUPS = {
    **{func: lines for func, (_, lines) in refusals.FUNCTIONS.items()},
    **refusals.UFUNC_METHODS,
    **refusals.PARAMETERS,
}


def lines_of(group):
    """Each call with its line, after the statements that stand in the lines before."""
    statements = []
    for call, line in group.items():
        yield call, "; ".join([*statements, line])
        statements += line.split("; ")[:-1]


LINES = [pair for group in GROUPS.values() for pair in lines_of(group)]


@pytest.mark.parametrize(("call", "line"), LINES, ids=[call for call, _ in LINES])
def test_a_line_gives_what_the_call_gives_and_its_gradient(call, line):
    arrays, plain = values(call)
    names = [*arrays]

    def f(*tensors):
        return run(line, plain | dict(zip(names, tensors, strict=True)))

    found = f(*map(Tensor, arrays.values()))
    result = expected(call, arrays, plain)
    assert np.shape(found) == np.shape(result)
    np.testing.assert_allclose(np.asarray(found), result, rtol=1e-6, atol=1e-12)
    if isinstance(found, Tensor) and "float32" not in line:
        check_grads(f, *arrays.values())


@pytest.mark.parametrize(("call", "line"), LINES, ids=[call for call, _ in LINES])
def test_the_call_is_refused_with_the_line(call, line):
    arrays, plain = values(call)
    tensors = {name: Tensor(array, requires_grad=True) for name, array in arrays.items()}
    with pytest.raises(TypeError) as error:
        eval(call, plain | tensors)
    assert f"{line.rpartition('; ')[2]} for {call}" in str(error.value)


@pytest.mark.parametrize("func", refusals.FUNCTIONS, ids=lambda func: func.__name__)
def test_a_function_refused_on_purpose_says_why(func):
    t = Tensor(SQUARE, requires_grad=True)
    with pytest.raises(TypeError) as error:
        t.__array_function__(func, (Tensor,), (t,), {})
    reason, _ = refusals.FUNCTIONS[func]
    assert f"{func.__name__} has no derivative rule, because {reason}. " in str(error.value)
    assert len(str(error.value)) < 800


def test_what_works_is_not_said_to_be_refused():
    known = {*ops.derivatives, *numpy_api.compositions, *numpy_api.queries}
    assert known.isdisjoint(refusals.FUNCTIONS)
    for name in refusals.METHODS:
        with contextlib.suppress(AttributeError):
            pytest.fail(f"a Tensor has {name}: {getattr(Tensor, name)}")


def test_a_function_nobody_thought_of_is_named_with_the_ways_out():
    t = Tensor(SQUARE, requires_grad=True)
    with pytest.raises(TypeError, match=r"^np\.spacing has no derivative rule\. Where no") as error:
        np.spacing(t)
    for way_out in (
        "np.spacing(t.detach().data)",
        "tinygrad_edu.primitive(forward, rule)",
        "python -m tinygrad_edu.numpy_table",
    ):
        assert way_out in str(error.value)
    with pytest.raises(TypeError, match=r"similar names have one: np\.diff\."):
        np.ediff1d(t)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: np.multiply.outer(t, t), r"np\.multiply\(a\[:, None\], b\) for np\.multiply\.o"),
        (lambda t: np.multiply.at(np.ones(3), [0], t), r"np\.where\(mask, new, array\)"),
        (lambda t: np.subtract.reduce(t), r"a loop of np\.subtract\(a, b\)"),
        (lambda t: np.pad(t, 1, reflect_type="odd"), "takes array, pad_width, mode, constant_v"),
        (lambda t: np.take(t, [0], 0, np.ones(1)), "does not take out="),
        (lambda t: np.take(t, [0], out=np.ones(1)), "does not take out="),
        (
            lambda t: np.gradient(t, edge_order=2),
            "np.gradient of a Tensor does not take edge_order",
        ),
        (lambda t: np.meshgrid(t, t, copy=False), "does not take copy="),
    ],
)
def test_what_is_refused_by_name(call, message):
    with pytest.raises(TypeError, match=message):
        call(Tensor(VECTOR, requires_grad=True))


def test_an_outer_product_of_vectors_is_what_the_message_says():
    np.testing.assert_array_equal(
        np.subtract(VECTOR[:, None], SQUARE[0]), np.subtract.outer(VECTOR, SQUARE[0])
    )


def test_a_parameter_given_as_its_default_says_nothing_new():
    t = Tensor(SQUARE, requires_grad=True)
    assert np.ravel(t, order="C").shape == np.ravel(t, "C").shape == (9,)
    assert np.reshape(t, (1, 9), order="C").shape == (1, 9)
    assert np.take(t, [0], 0, None, "clip").shape == (1, 3)
    assert np.pad(t, 1, "constant", constant_values=1.0).shape == (5, 5)
    assert np.meshgrid(t, t, copy=True)[0].shape == (9, 9)
    assert np.sum(t, None, None).shape == ()


def test_every_array_may_be_given_by_its_name():
    t = Tensor(SQUARE, requires_grad=True)
    for y, expected in [
        (np.rot90(m=t), np.rot90(SQUARE)),
        (np.tile(A=t, reps=2), np.tile(SQUARE, 2)),
        (np.sort(a=t, axis=0), np.sort(SQUARE, 0)),
        (np.ravel(a=t), np.ravel(SQUARE)),
        (np.diff(n=2, a=t), np.diff(SQUARE, 2)),
        (np.insert(arr=t, obj=0, values=1.0, axis=0), np.insert(SQUARE, 0, 1.0, 0)),
        (np.compress(condition=[True], a=t, axis=1), np.compress([True], SQUARE, 1)),
        (np.vstack(tup=[t, t]), np.vstack([SQUARE, SQUARE])),
    ]:
        np.testing.assert_array_equal(y.data, expected)


METHOD_CALLS = {  # what each method does elsewhere, and what its letters stand for
    "sigmoid": lambda t: 1 / (1 + np.exp(-t)),
    "softmax": lambda t: np.exp(t) / np.exp(t).sum(axis=-1, keepdims=True),
    "log_softmax": lambda t: t - np.log(np.exp(t).sum(axis=-1, keepdims=True)),
    "logsumexp": lambda t: np.log(np.exp(t).sum(axis=1)),
    "relu": lambda t: np.maximum(t, 0),
    "softplus": lambda t: np.log(1 + np.exp(t)),
    "norm": lambda t: np.sqrt((t * t).sum()),
    "ptp": lambda t: t.max() - t.min(),
    "square": lambda t: t * t,
    "sort": lambda t: np.sort(t, axis=-1),
    "partition": lambda t: np.sort(t, axis=-1),
    "flip": lambda t: np.flip(t, 1),
    "tile": lambda t: np.tile(t, (2, 1)),
    "compress": lambda t: t.compress([True, False, True], 1),
    "gather": lambda t: np.take_along_axis(t, np.argsort(t), 1),
    "masked_fill": lambda t: np.where(t > 1, 7.0, t),
    "put": lambda t: np.where(t > 1, 7.0, t),
    "view": lambda t: np.reshape(t, (1, -1)),
    "permute": lambda t: np.transpose(t, (1, 0)),
    "unsqueeze": lambda t: np.expand_dims(t, 1),
    "expand": lambda t: np.broadcast_to(t, (2, 3, 3)),
    "resize": lambda t: np.resize(t, (2, 3, 3)),
    "t": np.transpose,
    "flat": np.ravel,
    "matmul": lambda t: t @ SQUARE,
    "mm": lambda t: t @ SQUARE,
    "add": lambda t: t + SQUARE,
    "sub": lambda t: t - SQUARE,
    "mul": lambda t: t * SQUARE,
    "div": lambda t: t / SQUARE,
    "pow": lambda t: t**2.0,
    "dim": np.ndim,
    "numel": np.size,
    "nbytes": lambda t: t.nbytes,
    "imag": lambda t: t.imag,
    "clone": np.copy,
    "half": lambda t: t.astype(np.float16),
    "float": lambda t: t.astype(np.float32),
    "double": lambda t: t.astype(np.float64),
    "int": lambda t: t.astype(int),
    "long": lambda t: t.astype(int),
    "bool": lambda t: t.astype(bool),
    "choose": lambda t: np.choose(t.astype(int) % 2, [SQUARE, -SQUARE]),
}
LETTERS = {
    "np": np,
    "functional": functional,
    "axis": 1,
    "kth": [0, 1, 2],
    "counts": (2, 1),
    "condition": [True, False, True],
    "index": np.argsort(SQUARE),
    "mask": SQUARE > 1,
    "value": 7.0,
    "shape": (2, 3, 3),
    "arrays": [SQUARE, -SQUARE],
}
DOTS = {"view": "1, -1", "permute": "1, 0"}
PLAIN = {"dim", "numel", "nbytes", "imag", "int", "long", "bool", "choose"}
IN_PLACE = {
    "add_": SQUARE + 2.0,
    "sub_": SQUARE - 2.0,
    "mul_": SQUARE * 2.0,
    "zero_": SQUARE * 0.0,
    "fill": SQUARE * 0.0 + 2.0,
}


def test_every_missing_method_has_a_test():
    assert refusals.METHODS.keys() == {*METHOD_CALLS, *IN_PLACE, "requires_grad_"}


@pytest.mark.parametrize("name", METHOD_CALLS)
def test_what_to_write_for_a_missing_method_is_the_same(name):
    line = refusals.METHODS[name].partition(";")[0].replace("...", DOTS.get(name, "..."))

    def f(t):
        if name == "choose":
            t = Tensor(t.data.astype(int) % 2)
        other = 2.0 if name == "pow" else SQUARE
        return eval(line, LETTERS | {"t": t, "a": t, "b": other})

    result, theirs = f(Tensor(SQUARE)), METHOD_CALLS[name](SQUARE)
    np.testing.assert_allclose(np.asarray(result), theirs)
    assert np.shape(result) == np.shape(theirs)
    assert isinstance(result, Tensor) != (name in PLAIN)
    if isinstance(result, Tensor):
        assert result.dtype == theirs.dtype
        if name not in ("half", "float"):
            check_grads(f, SQUARE)


@pytest.mark.parametrize("name", ["half", "float", "double", "clone"])
def test_a_copy_in_another_dtype_keeps_the_gradient(name):
    w = Tensor([1.0, 2.0], requires_grad=True)
    line = refusals.METHODS[name].partition(";")[0]
    (eval(line, {"np": np, "t": w}) * w).sum().backward()
    np.testing.assert_array_equal(w.grad, 2 * w.data)


@pytest.mark.parametrize("name", IN_PLACE)
def test_what_to_write_for_a_change_in_place_is_noticed(name):
    w = Tensor(SQUARE, requires_grad=True)
    loss = (w * w).sum()
    exec(refusals.METHODS[name].replace("...", "2.0"), {"np": np, "w": w})
    np.testing.assert_array_equal(w.data, IN_PLACE[name])
    with pytest.raises(RuntimeError, match="mix old with new"):
        loss.backward()


def test_what_to_write_for_requires_grad():
    t = Tensor(VECTOR)
    exec(refusals.METHODS["requires_grad_"], {"t": t})
    assert t.requires_grad


@pytest.mark.parametrize("name", refusals.METHODS)
def test_missing_methods_are_advised_on_but_not_listed(name):
    w = Tensor(VECTOR, requires_grad=True)
    for t in w, w * 2, Tensor(1):
        with pytest.raises(AttributeError) as error:
            getattr(t, name)
        assert str(error.value) == f"a Tensor has no {name!r}: write {refusals.METHODS[name]}"
        assert not hasattr(t, name)
        assert getattr(t, name, None) is None
        assert name not in dir(t)
