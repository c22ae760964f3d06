"""Every mistake of a beginner is refused close to its line, and the line to write instead works."""

import re
import traceback
import warnings

import numpy as np
import pytest

from demos.mistakes import MISTAKES, correct, main, message, refusal

# What each message must say: the shapes, the names, and the line to write, or what stands for it.
MEANING = {
    "backward() twice": (RuntimeError, ["gradients twice", "retain_graph=True"]),
    "backward() of many numbers": (ValueError, ["has 2", ".mean().backward()", "gradient="]),
    "data changed between loss and backward()": (
        RuntimeError,
        ["'w', or", "changed", "after backward()"],
    ),
    "an element written between loss and backward()": (
        RuntimeError,
        ["'w', or", "changed", "after backward()"],
    ),
    "an integer that is to be learned": (TypeError, ["int64", "small step", "3.0", "dtype=float"]),
    "an integer to differentiate at": (TypeError, ["int64", "small step", "3.0"]),
    "a number taken out of the graph": (RuntimeError, ["requires no gradient", ".data", "float()"]),
    "a forward pass under no_grad()": (RuntimeError, ["requires no gradient", "no_grad()"]),
    "a Tensor made of a Tensor": (TypeError, ["result of multiply", "Use it as it is", "detach()"]),
    "a list of Tensors made an array": (TypeError, ["tensor 'w'", "np.stack", "detach()"]),
    "-= on what is learned": (RuntimeError, ["tensor 'w'", "w.data -= learning_rate * w.grad"]),
    "a loss kept with its whole graph, and not its number": (
        TypeError,
        ["result of sum", "To keep or plot a number, write t.item()"],
    ),
    "a loss plotted before its number is taken": (TypeError, ["plotted", "t.item()"]),
    "no parentheses": (TypeError, ['"with no_grad():"']),
    "the gradient of a result": (UserWarning, ["only leaves", "print(draw(loss))"]),
    "an if of many numbers": (ValueError, ["truth value", "np.where(e > 0, a, b)"]),
    "an array filled with results": (ValueError, ["np.stack([a, b]) for z[0] = a"]),
    "a list of weights to differentiate with respect to": (
        TypeError,
        ["a list of several: an array of shape (3,)", "argnums=(0, 1))(*p)"],
    ),
    "a Tensor subtracted from data": (TypeError, ["out=", "grad(f)(w.data)"]),
    "an axis by its name in PyTorch": (TypeError, ["dim=", "t.sum(axis=0)"]),
    "a class of PyTorch": (AttributeError, ["'ReLU'", "functional.relu"]),
    "a loader of PyTorch": (AttributeError, ["data.minibatches(x, y, batch_size=32)"]),
    "the parts of a data set in a dict": (TypeError, ["minibatches(*d.values(), batch_size=32)"]),
    "an element assigned": (TypeError, ["np.where(mask, new, t)"]),
    "a column against a row": (ValueError, ["(2,)", "(2, 1)", "np.reshape(targets, (2,))"]),
    "labels 0 and 1 in a margin loss": (ValueError, ["hinge", "2 * y - 1"]),
    "labels -1 and +1 in cross entropy": (ValueError, ["-1 to 1", "(y + 1) / 2"]),
    "class labels that are not integers": (TypeError, ["float64", "labels.astype(int)"]),
    "classes numbered from 1": (ValueError, ["from 1 to 2", "2 classes", "from 0"]),
    "probabilities where scores are due": (UserWarning, ["nll_loss(np.log(probs), targets)"]),
    "rows that are no probabilities": (ValueError, ["p ", "sum 8", "sum(axis=-1, keepdims=True)"]),
    "a matrix the wrong way round": (ValueError, ["(2, 3)", "(4, 3)", "a @ b.T"]),
    "a layer of another size": (ValueError, ["Linear(4, 2)", "(N, 4)", "(2, 3)"]),
    "a function without a derivative here": (
        TypeError,
        ["np.fft.fft", "primitive", "t.detach().data"],
    ),
    "a result written into an array": (TypeError, ["np.add", "out=", "t = t + a"]),
    "many numbers read as one": (ValueError, ["'w' has 3", "t.mean()", "t[0]"]),
    "step() before backward()": (RuntimeError, ["loss.backward()"]),
    "a model where its parameters are due": (TypeError, ["model.parameters()"]),
}


def test_every_mistake_has_its_meaning():
    assert list(MEANING) == [mistake.title for mistake in MISTAKES]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_mistake_is_refused_close_to_its_line(mistake):
    error = refusal(mistake)
    kind, parts = MEANING[mistake.title]
    assert type(error) is kind
    for part in parts:
        assert part in message(error)
    lines = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    assert lines[::-1].index("<the line>") <= 2


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_the_line_to_write_instead_works(mistake):
    correct(mistake)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_what_pytorch_does_is_told_as_it_is(mistake):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    names = {"torch": torch, "np": np, "F": torch.nn.functional}
    names["w"] = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    names["x"] = torch.tensor([[1.0, 0.0, 2.0], [0.5, 1.0, 1.0]])
    names["y"] = torch.tensor([1.0, 0.0])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            exec(mistake.in_pytorch, names)
            does = "Warns" if warned else "Not noticed" if "Not" in mistake.elsewhere else "Right"
        except Exception as error:
            does, said = "Refused", str(error)
    assert mistake.elsewhere.startswith(does)
    for quoted in re.findall('"(.*?)"', mistake.elsewhere):
        assert quoted in said


def test_the_demo_prints_them_all(capsys):
    assert main([]) == 0
    output = capsys.readouterr().out
    for mistake in MISTAKES:
        for line in mistake.line.splitlines():
            assert line in output
        assert mistake.instead.splitlines()[0] in output
