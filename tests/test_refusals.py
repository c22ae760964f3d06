"""What to write instead: every line that a message recommends gives the value and the gradients."""

import sys

import numpy as np
import pytest

import tinygrad_edu
from tinygrad_edu import Tensor, functional, losses, nn, numpy_api, ops, refusals
from tinygrad_edu.testing import check_grads

SQUARE = np.array([[1.0, -2.0, 4.0], [3.0, 0.5, 0.25], [-1.5, 2.5, 0.75]])
VECTOR = np.array([1.5, 0.5, -2.0])
PROBS = np.array([[0.25, 0.5], [0.75, 0.125]])
OF_PYTORCH = {
    "t.sum(dim=0)": SQUARE.sum(axis=0),
    "t.sum(0, keepdim=True)": SQUARE.sum(axis=0, keepdims=True),
    "functional.relu(t, inplace=True)": np.maximum(SQUARE, 0.0),
    "losses.mse_loss(t, targets, size_average=False)": np.sum((SQUARE - 0.5) ** 2),
    "model.zero_grad(set_to_none=True)": None,
}
OF_A_VECTOR = ("fft", "vander", "bincount", "add.at")  # calls whose t has one axis


def values(call):
    """What the letters of a call stand for: arrays to differentiate, and plain data."""
    letters = {
        "t": (
            PROBS
            if "logit" in call
            else VECTOR
            if any(name in call for name in OF_A_VECTOR)
            else SQUARE
        ),
        "value": np.array(0.3),
        **dict(zip("abcd", (SQUARE + k for k in (1.0, 2.0, -3.0, 0.5)), strict=True)),
    }
    plain = {
        "np": np,
        "tinygrad_edu": tinygrad_edu,
        "functional": functional,
        "losses": losses,
        "model": nn.Linear(3, 2, rng=0),
        "targets": np.full((3, 3), 0.5),
        "i": np.array([0, 2, 2]),
        "n": 4,
        "mask": np.array([[True, False, True]] * 3),
        "array": np.array([5.0, 6.0, 7.0]),
        "p": np.array([-1.0, 0.0, 2.0]),
        "q": np.array([3.0, 1.0, 2.0]),
        "f": lambda x: x * x,
        "g": lambda x: 3.0 * x,
    }
    if "scipy" in call:
        pytest.importorskip("scipy.special")
        plain["scipy"] = sys.modules["scipy"]
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
    """What NumPy gives, or what it has written; for calls of PyTorch, what they give."""
    if call in OF_PYTORCH:
        return OF_PYTORCH[call]
    scope = plain | {name: np.array(array) for name, array in arrays.items()}
    result = eval(call, scope)
    if result is not None or "np.save" in call:
        return result
    return scope["array"] if "add.at" in call else scope["t"]


GROUPS = {
    **{func: lines for func, (_, lines) in refusals.FUNCTIONS.items()},
    **refusals.UFUNC_METHODS,
    **refusals.PARAMETERS,
    **{name: lines for name, (_, lines) in refusals.SCIPY.items()},
}


def lines_of(group):
    """Each call with its line, after the statements that stand in the lines before."""
    statements = []
    for call, line in group.items():
        yield call, "; ".join([*statements, line])
        statements += line.split("; ")[:-1]


LINES = [pair for group in GROUPS.values() for pair in lines_of(group)]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("call", "line"), LINES, ids=[call for call, _ in LINES])
def test_a_line_gives_what_the_call_gives_and_its_gradient(call, line):
    arrays, plain = values(call)
    names = [*arrays]

    def f(*tensors):
        return run(line, plain | dict(zip(names, tensors, strict=True)))

    found = f(*map(Tensor, arrays.values()))
    result = expected(call, arrays, plain)
    assert np.shape(found) == np.shape(result)
    if result is None:
        return
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


def test_several_parameters_of_others_have_their_lines_in_one_list():
    with pytest.raises(
        TypeError, match=r"As in t\.sum\(axis=0\) for t\.sum\(dim=0\); t\.sum\(0, keepdi"
    ):
        Tensor(SQUARE).mean(dim=0, keepdim=True)
    for call in (
        lambda t: t.argmax(dim=0),
        lambda t: t.squeeze(dim=0),
        lambda t: t.std(dim=0),
        lambda t: functional.softmax(t, dim=0),
        lambda t: functional.logsumexp(t, dim=0),
    ):
        with pytest.raises(
            TypeError, match=r"does not take dim=: it takes .*t\.sum\(axis=0\) for t"
        ):
            call(Tensor(SQUARE))


def test_what_works_is_not_said_to_be_refused():
    known = {*ops.derivatives, *numpy_api.compositions, *numpy_api.queries}
    assert known.isdisjoint(refusals.FUNCTIONS)


def test_a_function_nobody_thought_of_is_named_with_the_ways_out():
    t = Tensor(SQUARE, requires_grad=True)
    with pytest.raises(TypeError, match=r"^np\.spacing has no derivative rule\. Where no") as error:
        np.spacing(t)
    for way_out in (
        "give np.spacing t.detach().data for t",
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
