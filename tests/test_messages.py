"""Every message is short, has a line to write where there is one, and names nothing internal."""

import inspect
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu
from demos import mistakes
from tests import test_first_year
from tinygrad_edu import (
    Tensor,
    data,
    errors,
    evaluation,
    functional,
    grad,
    losses,
    nn,
    numpy_api,
    ops,
    optim,
    other_names,
    primitive,
    save,
    testing,
)

LONGEST = 1000  # characters
MOST = 10  # lines, and notes
INTERNAL = re.compile(
    r"<locals>|NoneType|object is not callable|has no attribute|unexpected keyword"
    r"|(?<![\w.])_[a-z]\w*|tinygrad_edu\.\w+\._|\bself\b(?!\.)"
)


def faults(text):
    """What is wrong with a message."""
    if len(text) > LONGEST:
        yield f"{len(text)} characters"
    if len(text.splitlines()) >= MOST:
        yield f"{len(text.splitlines())} lines"
    if found := INTERNAL.search(text):
        yield f"the internal name {found[0]}"


def faults_of(call):
    """What is wrong with the message of a call; it is to be refused."""
    try:
        call()
    except Exception as error:
        return [*faults(mistakes.message(error))]
    return ["nothing was refused"]


# By tables of mistakes.

TABLE = [*mistakes.MISTAKES, *test_first_year.MISTAKES]


@pytest.mark.parametrize("mistake", TABLE, ids=lambda mistake: mistake.title)
def test_the_answer_to_a_mistake_is_short_and_plain(mistake):
    text = mistakes.message(mistakes.refusal(mistake))
    assert [*faults(text)] == []


# By the functions of errors, each called with small things and with large ones.

F = tinygrad_edu.functional.softmax
W = Tensor([1.0, 2.0], requires_grad=True, name="w")
LARGE = Tensor(np.zeros((100, 100, 10)), requires_grad=True)
SAMPLES = {  # by the name of a parameter
    **{key: [W, LARGE, LARGE * 2, W.sum()] for key in ["tensor", "arg", "predictions", "result"]},
    **{key: [np.ones((2, 3)), LARGE] for key in ["a", "b"]},
    "args": [(W, 3.0), (LARGE, np.zeros(9)), ([LARGE] * 5000, W), tuple(map(Tensor, range(5000)))],
    "advice": ["", " More than one number makes a list."],
    "argnums": [0, [0, 1], [*range(5000)]],
    "argument": [[W, LARGE], [np.zeros(i) for i in range(3000)], {f"w{i}": W for i in range(3000)}],
    "argument_name": ["axis"],
    "count": [1, 3, 5000],
    "data": [np.zeros((100, 1))],
    "dtype": [np.dtype(int), np.dtype(object), np.dtype("U5"), [*range(5000)]],
    "expected": [["0.weight"], [f"{i}.weight" for i in range(30)]],
    "error": [ValueError("operands could not be broadcast together")],
    "f": [F, 3.0, [*range(5000)]],
    "forward": [F],
    "func": [np.linalg.svd, np.spacing, np.sum, F],
    "function": [F, [*range(5000)]],
    "g": [(2, 3)],
    "given": [1],
    "instead": ["Use it as it is"],
    "known": [[np.exp, np.sum, np.mean]],
    "method": ["reduce", "at", "outer"],
    "mode": ["no_grad", "scope"],
    "names": [["out"], ["dim", "keepdim"], [f"parameter_{i}" for i in range(30)]],
    "op": [np.exp, np.matmul, ops.cast],
    "position": [3],
    "rule": [F],
    "shape": [(2, 3), (1,) * 30],
    "shared": ["np.asarray(t.data)"],
    "state": [{"w": W}, {f"w{i}": W for i in range(30)}, {"model": {"0.weight": W}}],
    "transform": ["grad"],
    "ufunc": [np.add, np.subtract],
    "value": [None, "yes", [*range(5000)], {f"w{i}": i for i in range(5000)}, iter([])],
    "what": ["requires_grad"],
    "y": [None, 3.0, np.array(None), LARGE, np.zeros(3)],
}
HELPERS = {"describe", "level_of_the_user", "line_of_the_user", "listed", "short"}
HELPERS |= {"is_numpys", "full_name", "advise"}
OTHERWISE = {  # parameters that go by another name than their meaning
    "no_rule_for": {"argument": ["argument 0"]},
    "unknown_parameters": {"names": [["out"], ["dim", "keepdim"]], "known": [[], ["axis"]]},
    "forward_gave": {"y": [np.array(None), np.array("text")]},
    "not_a_scalar": {"f": [F], "y": [LARGE]},
    "failed": {"op": [np.exp, np.matmul, np.concatenate]},
    "no_array": {"value": [None, F, 1j, {f"w{i}": i for i in range(5000)}, iter([])]},
    "no_dtype": {"dtype": ["float23", [*range(5000)]]},
    "not_real": {"dtype": [np.dtype(object), np.dtype(complex)]},
    "not_floating": {"dtype": [np.dtype(int), np.dtype(bool)]},
    "rule_dtype": {"dtype": [np.dtype(complex)]},
    "integers_require_grad": {"dtype": [np.dtype(int)]},
    "all_pairs": {"result": [LARGE * 2], "predictions": [LARGE, W]},
    "not_a_tensor": {"f": [F]},
    "wrote_into_its_arrays": {"function": [F]},
}
FUNCTIONS = {
    name: function
    for name, function in vars(errors).items()
    if inspect.isfunction(function)
    and function.__module__ == errors.__name__
    and not name.startswith("_")
    and name not in HELPERS
}


# What a message tells to do; and those that only tell what is, because there is no one line.
TO_WRITE = re.compile(
    r"[Ww]rite|[Pp]ass |[Mm]ake |Return |: return |Use |Give|give it|Take |Change |Reduce|Choose"
    r"|As in "
)
NO_LINE = {"failed", "other_state"}


def messages(name):
    """Messages of a function of errors: each sample of each parameter at least once."""
    samples = SAMPLES | OTHERWISE.get(name, {})
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    for i in range(max((len(samples[each]) for each in parameters), default=1)):
        args = [samples[each][i % len(samples[each])] for each in parameters]
        yield str(FUNCTIONS[name](*args))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_messages_of_errors_are_short_and_plain(name):
    for text in messages(name):
        assert [*faults(text)] == []
        assert bool(TO_WRITE.search(text)) == (name not in NO_LINE), text


# By calls with a lot of data.

MANY = [Tensor(np.zeros(3)) for _ in range(5000)]
NAMED = [Tensor(np.zeros(3), name=f"weights of layer {i}") for i in range(5000)]
NUMBERS = [*range(100_000)]
LONG = "text " * 10_000
STATE = {f"layers.{i}.weight": np.zeros(3) for i in range(5000)}
LARGE_CALLS = {
    "stack": lambda: np.stack([*MANY, Tensor(np.zeros(4))]),
    "stack of names": lambda: np.stack([*NAMED, Tensor(np.zeros(4))]),
    "stack of mixtures": lambda: np.stack([Tensor(np.zeros(i % 7)) for i in range(5000)]),
    "concatenate": lambda: np.concatenate([*MANY, Tensor(np.zeros((1, 1)))]),
    "concatenate of names": lambda: np.concatenate([*NAMED, Tensor(np.zeros((1, 1)))]),
    "add": lambda: W + NUMBERS,
    "add text": lambda: W + LONG,
    "index": lambda: W[NUMBERS],
    "a Tensor of text": lambda: Tensor(LONG),
    "a Tensor of a dict": lambda: Tensor(STATE),
    "a flag": lambda: Tensor(1.0, requires_grad=NUMBERS),
    "a dtype": lambda: Tensor(1.0, dtype=LONG),
    "grad of numbers": lambda: grad(NUMBERS),
    "argnums": lambda: grad(F, argnums=NUMBERS),
    "grad of a dict": lambda: grad(F)(STATE),
    "grad of a list": lambda: grad(F)([*STATE.values(), np.zeros(4)]),
    "a name": lambda: Tensor(np.zeros((2, 2)), requires_grad=True, name="w" * 200).backward(),
    "an optimizer of numbers": lambda: optim.SGD(np.zeros(5000), lr=0.1),
    "an optimizer of a dict": lambda: optim.SGD(STATE, lr=0.1),
    "an optimizer of text": lambda: optim.SGD(LONG, lr=0.1),
    "lr": lambda: optim.SGD([W], lr=NUMBERS),
    "lr of text": lambda: optim.SGD([W], lr=LONG),
    "a state of an optimizer": lambda: optim.SGD([W], lr=0.1).load_state_dict(NUMBERS),
    "names of an optimizer": lambda: optim.SGD([W], lr=0.1).load_state_dict(STATE),
    "clipping": lambda: optim.clip_grad_norm([W], NUMBERS),
    "clipping of a state": lambda: optim.clip_grad_norm(STATE, 1.0),
    "a state": lambda: nn.Linear(3, 2).load_state_dict(NUMBERS),
    "names of a state": lambda: nn.Linear(3, 2).load_state_dict(STATE),
    "a size": lambda: nn.Linear(NUMBERS, 2),
    "a layer": lambda: nn.Sequential(NUMBERS),
    "a bias": lambda: nn.Linear(3, 2, bias=NUMBERS),
    "save": lambda: save(NUMBERS, "never"),
    "save a name": lambda: save({tuple(NUMBERS): 1.0}, "never"),
    "batches": lambda: data.minibatches(STATE, batch_size=2),
    "batches of lists": lambda: data.minibatches([*STATE.values(), np.zeros(4)], batch_size=2),
    "batches of unequal lengths": lambda: data.minibatches(
        *map(np.zeros, [9] * 5000, [8]), batch_size=2
    ),
    "batch_size": lambda: data.minibatches(np.zeros(3), batch_size=NUMBERS),
    "rng": lambda: data.minibatches(np.zeros(3), batch_size=2, rng=NUMBERS),
    "reduction": lambda: losses.mse_loss(W, [1.0, 2.0], reduction=LONG),
    "labels": lambda: losses.hinge(np.zeros(100_000), np.arange(100_000.0)),
    "classes": lambda: losses.cross_entropy(np.zeros((100_000, 2)), np.arange(100_000)),
    "weights": lambda: losses.mse_loss(np.zeros(3), np.zeros(3), sample_weight=NUMBERS),
    "ignore_index": lambda: losses.cross_entropy(np.zeros((2, 2)), [0, 1], ignore_index=NUMBERS),
    "smoothing": lambda: losses.cross_entropy(np.zeros((2, 2)), [0, 1], label_smoothing=NUMBERS),
    "an axis": lambda: functional.softmax(W, axis=NUMBERS),
    "one_hot": lambda: functional.one_hot(NUMBERS, 3),
    "a scope": lambda: tinygrad_edu.scope(NUMBERS),
    "a decorated list": lambda: tinygrad_edu.no_grad()(NUMBERS),
    "draw": lambda: tinygrad_edu.draw(NUMBERS),
    "draw with names": lambda: tinygrad_edu.draw(W * 2, names=NUMBERS),
    "check_grads": lambda: testing.check_grads(NUMBERS),
    "a sealed test set": lambda: evaluation.SealedTestSet([[1.0]], [1]).score(NUMBERS),
    "ord": lambda: np.linalg.norm(W, ord=LONG),
    "mode of pad": lambda: np.pad(W, 1, mode=LONG),
    "a schedule": lambda: optim.schedules.constant(NUMBERS),
    "steps of a schedule": lambda: optim.schedules.cosine(0.1, NUMBERS),
}


@pytest.mark.parametrize("name", LARGE_CALLS)
def test_a_message_about_much_data_is_short(name):
    assert faults_of(LARGE_CALLS[name]) == []


@pytest.mark.parametrize("place", [0, 1, 2500, 5000])
def test_the_one_that_does_not_fit_is_named(place):
    tensors = [*MANY]
    tensors.insert(place, Tensor(np.zeros(4), name="longer"))
    with pytest.raises(ValueError, match=r"the tensor 'longer'.*\('longer' is \(4,\)\)") as refusal:
        np.stack(tensors)
    assert f"{max(place, 5000 - place)} times the tensor of shape (3,)" in str(refusal.value)


def test_many_different_ones_are_counted():
    with pytest.raises(ValueError, match=r"\.\.\. \(5001 in all\)"):
        np.stack([*NAMED, Tensor(np.zeros(4))])


# By wrong calls of every function.

CALLED = [*ops.derivatives, *numpy_api.compositions]
CALLED += sorted(numpy_api.queries, key=ops.name)
CALLED = [func for func in CALLED if errors.full_name(func).startswith("np.")]
CROOKED = [
    lambda t: (),
    lambda t: (t,),
    lambda t: (t, t),
    lambda t: (t, t, t, t),
    lambda t: (t, "text"),
    lambda t: (t, None, NUMBERS),
    lambda t: ([t] * 1000, t, 5),
]


def of_numpy(func):
    """Before NumPy 2.4, functions in C do not tell their parameters, so NumPy's message stays."""
    try:
        inspect.signature(func)
    except ValueError:
        yield ["the internal name unexpected keyword"]


@pytest.mark.parametrize("func", CALLED, ids=ops.name)
@pytest.mark.filterwarnings("ignore")
def test_a_wrong_call_is_answered_without_internal_names(func):
    t = Tensor([1.0, 2.0], requires_grad=True, name="t")
    for arguments in CROOKED:
        for parameters in {}, {"axis": 5}, {"dim": 0}:
            call = partial(t.__array_function__, func, (Tensor,), arguments(t), parameters)
            assert faults_of(call) in ([], ["nothing was refused"], *of_numpy(func))


# Every table of names.


@pytest.mark.parametrize(
    "lines", [value for value in vars(other_names).values() if isinstance(value, dict)]
)
def test_lines_of_names_are_one_line_each(lines):
    for name, line in lines.items():
        if isinstance(line, str) and not name.startswith("__"):
            assert "\n" not in line
            assert len(line) < 100


# One way to shorten what a message shows.


@pytest.mark.parametrize("path", [*Path(tinygrad_edu.__file__).parent.rglob("*.py")], ids=str)
def test_values_are_shortened_by_the_function_for_that(path):
    """A part of a repr, cut anywhere, may be of several lines, and does not say that it is cut."""
    lines = [line for line in path.read_text("utf-8").splitlines() if "!r:." in line]
    assert lines == [] or path.name in ("classifier.py", "modes.py")


# The checks themselves can fail.


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x" * 1001, "1001 characters"),
        ("x\n" * 10, "10 lines"),
        ("_binary.<locals>.method() takes 1", "the internal name _binary"),
        ("'NoneType' object has no attribute 'dtype'", "the internal name NoneType"),
        ("_concatenate() takes 2", "the internal name _concatenate"),
        ("tinygrad_edu.nn._walk", "the internal name tinygrad_edu.nn._"),
        ("write self.w = ... in __init__, or w.data_ -= 1", None),
    ],
)
def test_each_fault_is_noticed(text, fault):
    assert [*faults(text)] == ([fault] if fault else [])


def test_a_table_of_wrong_derivatives_fits_a_screen():
    with pytest.raises(AssertionError) as refusal:
        testing.check_grads(primitive(lambda x: x * x, lambda g, y, x: g * x), np.ones(200))
    assert len(str(refusal.value)) < LONGEST
    assert len(str(refusal.value).splitlines()) < 20


def test_a_message_is_demanded():
    assert faults_of(lambda: None) == ["nothing was refused"]
