"""Names of other libraries: each is refused with a line, and each line gives what was meant."""

import importlib
import pkgutil
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_edu
from tinygrad_edu import (
    Tensor,
    data,
    datasets,
    draw,
    functional,
    losses,
    nn,
    optim,
    other_names,
)
from tinygrad_edu.optim import schedules
from tinygrad_edu.testing import check_grads

SQUARE = np.array([[1.0, -2.0, 4.0], [3.0, 0.5, 0.25], [-1.5, 2.5, 0.75]])
VECTOR = np.array([1.5, 0.5, -2.0])
OTHER = SQUARE[::-1] + 0.1

# On Tensors.

METHOD_CALLS = {  # what each method does elsewhere
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
    **{name: getattr(np, name) for name in ("arctan", "cosh", "expm1", "sinh", "tan", "sign")},
    **{name: getattr(np, name) for name in ("log10", "log1p", "log2")},
    "maximum": lambda t: np.maximum(t, OTHER),
    "minimum": lambda t: np.minimum(t, OTHER),
    "where": lambda t: np.where(SQUARE > 1, t, 7.0),
    "clamp": lambda t: np.clip(t, -1.2, 2.2),
    "contiguous": np.copy,
    "cpu": np.copy,
    "cuda": np.copy,
    "to": lambda t: t.astype(np.float32),
    "type": lambda t: t.astype(np.float32),
    "at": lambda t: np.where(SQUARE > 1, 7.0, t),
    "block_until_ready": np.copy,
    "constant": lambda t: True,
}
LETTERS = {  # and what stands in their lines
    "np": np,
    "low": -1.2,
    "high": 2.2,
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
PLAIN = {"dim", "numel", "nbytes", "imag", "int", "long", "bool", "choose", "constant"}
IN_PLACE = {
    "add_": SQUARE + 2.0,
    "sub_": SQUARE - 2.0,
    "mul_": SQUARE * 2.0,
    "div_": SQUARE / 2.0,
    "zero_": SQUARE * 0.0,
    "fill": SQUARE * 0.0 + 2.0,
}
NEW = {  # the shape of what is made
    "eye": (3, 3),
    "new_tensor": (3,),
    "ones": (2, 3),
    "rand": (2, 3),
    "randn": (2, 3),
    "zeros": (2, 3),
}
OTHERWISE = {
    "creator",
    "detach_",
    "device",
    "grad_fn",
    "null_grad",
    "requires_grad_",
    "retain_grad",
}


def test_every_method_of_others_has_a_test():
    assert other_names.TENSOR.keys() == {*METHOD_CALLS, *IN_PLACE, *NEW, *OTHERWISE}


@pytest.mark.parametrize("name", METHOD_CALLS)
def test_what_to_write_for_a_method_is_the_same(name):
    line = other_names.TENSOR[name].replace("...", DOTS.get(name, "..."))
    other = 2.0 if name == "pow" else OTHER if name in ("maximum", "minimum") else SQUARE
    x = np.abs(SQUARE) if name in ("log10", "log1p", "log2") else SQUARE

    def f(t):
        if name == "choose":
            t = Tensor(t.data.astype(int) % 2)
        return eval(line, LETTERS | {"t": t, "a": t, "b": other})

    result, theirs = f(Tensor(x)), METHOD_CALLS[name](x)
    np.testing.assert_allclose(np.asarray(result), theirs)
    assert np.shape(result) == np.shape(theirs)
    assert isinstance(result, Tensor) != (name in PLAIN)
    if isinstance(result, Tensor):
        assert result.dtype == theirs.dtype
        if result.dtype == x.dtype:
            check_grads(f, x)


@pytest.mark.parametrize("name", ["half", "float", "double", "clone", "cpu", "cuda", "to", "type"])
def test_a_copy_in_another_dtype_or_place_keeps_the_gradient(name):
    w = Tensor([1.0, 2.0], requires_grad=True)
    (eval(other_names.TENSOR[name], {"np": np, "t": w}) * w).sum().backward()
    np.testing.assert_array_equal(w.grad, 2 * w.data)


@pytest.mark.parametrize("name", IN_PLACE)
def test_what_to_write_for_a_change_in_place_is_noticed(name):
    w = Tensor(SQUARE, requires_grad=True)
    loss = (w * w).sum()
    exec(other_names.TENSOR[name].replace("...", "2.0"), {"np": np, "w": w})
    np.testing.assert_array_equal(w.data, IN_PLACE[name])
    with pytest.raises(RuntimeError, match="mix old with new"):
        loss.backward()


@pytest.mark.parametrize("name", NEW)
def test_what_to_write_to_make_a_tensor(name):
    t = Tensor(VECTOR)
    made = eval(other_names.TENSOR[name], {"np": np, "Tensor": Tensor, "t": t, "array": VECTOR})
    assert isinstance(made, Tensor)
    assert made.shape == NEW[name]


def test_what_to_write_for_requires_grad():
    names = {"t": Tensor(VECTOR)}
    exec(other_names.TENSOR["requires_grad_"], names)
    assert names["t"].requires_grad
    exec(other_names.TENSOR["detach_"], names)
    assert not names["t"].requires_grad


def test_what_to_write_for_gradients(capsys):
    t = Tensor(VECTOR, requires_grad=True)
    h = t * 2.0
    loss = h.sum()
    loss.backward()
    exec(other_names.TENSOR["retain_grad"], {"draw": draw, "loss": loss})
    assert "[3, 1, -4] | grad [1, 1, 1]" in capsys.readouterr().out
    for name in ("grad_fn", "creator"):
        assert eval(other_names.TENSOR[name], {"t": h}) is np.multiply
    exec(other_names.TENSOR["null_grad"], {"t": t})
    assert t.grad is None


@pytest.mark.parametrize("name", other_names.TENSOR)
def test_methods_of_others_are_advised_on_but_not_listed(name):
    w = Tensor(VECTOR, requires_grad=True)
    for t in w, w * 2, Tensor(1), Tensor:
        with pytest.raises(AttributeError) as error:
            getattr(t, name)
        advice = other_names.advice(other_names.TENSOR[name])
        assert str(error.value) == f"Tensor has no {name!r}: {advice}"
        assert not hasattr(t, name)
        assert getattr(t, name, None) is None
        assert t is Tensor or name not in dir(t)


# On modules, on models and on optimizers.

MODULES = {
    "tinygrad_edu": (tinygrad_edu, other_names.PACKAGE),
    "nn": (nn, other_names.NN),
    "functional": (functional, other_names.FUNCTIONAL),
    "losses": (losses, other_names.LOSSES),
    "data": (data, other_names.DATA),
    "datasets": (datasets, other_names.DATASETS),
    "optim": (optim, other_names.OPTIM),
    "schedules": (schedules, other_names.SCHEDULES),
}
ROWS = [(module, name) for module, (_, lines) in MODULES.items() for name in lines]
FILES = {
    "MNIST": bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]),
    "CIFAR10": bytes(3073),
    "CIFAR100": bytes(3074),
}
TARGETS = {  # what a loss is given, by how its line begins
    "losses.binary": np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.25]]),
    "losses.cross": np.array([0, 1, 1]),
    "losses.hinge": np.array([[-1, 1], [1, 1], [-1, -1]]),
    "losses.logistic": np.array([[-1, 1], [1, 1], [-1, -1]]),
    "losses.nll": np.array([0, 1, 1]),
}


def setting(line):
    """What the names in a line stand for."""
    t = Tensor(SQUARE, requires_grad=True)
    w, b = Tensor(VECTOR, requires_grad=True), Tensor(0.5, requires_grad=True)
    scores = Tensor([[1.0, -2.0], [0.5, 3.0], [0.25, 0.75]], requires_grad=True)
    optimizer = optim.SGD([w, b], lr=0.1)
    targets = [targets for begin, targets in TARGETS.items() if line.startswith(begin)]
    return {
        **{name: getattr(tinygrad_edu, name) for name in tinygrad_edu.__all__},
        **dict.fromkeys(("scores", "logits", "predictions"), scores),
        "np": np,
        "schedules": schedules,
        "t": t,
        "w": w,
        "b": b,
        "value": b * 2.0,
        "probs": functional.softmax(scores),
        "log_probs": functional.log_softmax(scores),
        "targets": targets[0] if targets else scores.detach(),
        "beta": 0.5,
        "array": VECTOR,
        "labels": np.array([0, 1, 1]),
        "x": SQUARE,
        "y": VECTOR,
        "f": lambda x: x * x,
        "model": nn.Linear(3, 2, rng=0),
        "optimizer": optimizer,
        "params": [w, b],
        "lr": 0.1,
        "steps": 9,
        "every": 3,
        "gamma": 0.5,
        "eta_min": 0.01,
        "step": 3,
        "start_factor": 0.1,
        "schedule": schedules.constant(0.2),
        "max_norm": 1.0,
        "self": SimpleNamespace(),
        "weight_decay": 0.1,
    }


@pytest.mark.parametrize(("module", "name"), ROWS, ids=[".".join(row) for row in ROWS])
def test_the_line_for_a_name_runs(module, name, tmp_path):
    line = MODULES[module][1][name]
    names = setting(line)
    names["path"] = tmp_path / name
    names["path"].write_bytes(FILES.get(name, FILES["MNIST"]))
    names["w"].grad = VECTOR
    names["model"](SQUARE).sum().backward()
    exec(line, names)


@pytest.mark.parametrize(("module", "name"), ROWS, ids=[".".join(row) for row in ROWS])
def test_a_name_is_refused_with_its_line(module, name):
    place, lines = MODULES[module]
    message = f"{module} has no {name!r}: write {lines[name]}"
    with pytest.raises(AttributeError) as refusal:
        getattr(place, name)
    assert str(refusal.value) == message
    assert not hasattr(place, name)
    with pytest.raises(ImportError) as refusal:
        exec(f"from {place.__name__} import {name}")
    assert str(refusal.value) == message
    with pytest.raises(ImportError) as refusal:
        exec(f"from {place.__name__} import __doc__, {name} as other")
    assert str(refusal.value) == message


def test_a_name_in_another_module_is_found_there():
    for name, line in {
        "relu": "from tinygrad_edu.functional import relu",
        "cross_entropy": "from tinygrad_edu.losses import cross_entropy",
        "Linear": "from tinygrad_edu.nn import Linear",
        "SGD": "from tinygrad_edu.optim import SGD",
        "minibatches": "from tinygrad_edu.data import minibatches",
        "exp": "np.exp",
        "concatenate": "np.concatenate",
    }.items():
        with pytest.raises(ImportError) as refusal:
            exec(f"from tinygrad_edu import {name}")
        assert str(refusal.value) == f"tinygrad_edu has no {name!r}: write {line}"
        exec(line, {"np": np})


@pytest.mark.parametrize("module", MODULES)
def test_a_name_that_nobody_has_gets_the_list_of_what_there_is(module):
    place, _ = MODULES[module]
    with pytest.raises(AttributeError) as refusal:
        place.crossentropyy  # noqa: B018
    there = ", ".join(place.__all__)
    assert str(refusal.value) == f"{module} has no 'crossentropyy': there are {there}"


def test_no_name_in_the_tables_is_here():
    submodules = {info.name for info in pkgutil.iter_modules(tinygrad_edu.__path__)}
    assert submodules.isdisjoint(other_names.PACKAGE)
    for place, lines in MODULES.values():
        assert lines.keys().isdisjoint(vars(place))


def test_modules_that_are_not_loaded_yet_can_still_be_imported(monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "tinygrad_edu.evaluation", raising=False)
    monkeypatch.delattr(tinygrad_edu, "evaluation", raising=False)
    exec("from tinygrad_edu import evaluation")


@pytest.mark.parametrize("name", other_names.CALLED)
def test_a_module_that_is_called_tells_the_class(name):
    module = importlib.import_module(f"tinygrad_edu.{name}")
    with pytest.raises(TypeError, match=f"{name} is a module, not a function: write ") as refusal:
        module([1.0], requires_grad=True)
    line = str(refusal.value).partition("write ")[2]
    assert line == other_names.CALLED[name]
    exec(line, setting(line))


@pytest.mark.parametrize("name", other_names.MODEL)
def test_the_line_for_a_name_on_a_model(name):
    line = other_names.MODEL[name]
    for model in nn.Linear(3, 2, rng=0), nn.Sequential():
        with pytest.raises(AttributeError) as refusal:
            getattr(model, name)
        kind = type(model).__name__
        assert str(refusal.value) == f"{kind} has no {name!r}: {other_names.advice(line)}"
        assert name not in dir(model)
    exec(line, setting(line))


def test_a_model_may_have_these_names_itself():
    class Model(nn.Module):
        def __init__(self):
            self.to = Tensor(1.0, requires_grad=True)

        def train(self):
            return "trained"

    assert Model().train() == "trained"
    assert [*Model().state_dict()] == ["to"]


@pytest.mark.parametrize("name", other_names.OPTIMIZERS)
def test_the_line_for_a_name_on_an_optimizer(name):
    line = other_names.OPTIMIZERS[name]
    optimizer = optim.SGD([Tensor(VECTOR, requires_grad=True)], lr=0.1)
    for ask in lambda: getattr(optimizer, name), lambda: setattr(optimizer, name, 0.5):
        with pytest.raises(AttributeError) as refusal:
            ask()
        assert str(refusal.value) == f"SGD has no {name!r}: write {line}"
    exec(line, setting(line))


# What lines of whole layers and functions give, beside PyTorch.

LAYERS = {
    "Flatten": lambda torch: torch.nn.Flatten(),
    "Identity": lambda torch: torch.nn.Identity(),
    "LogSoftmax": lambda torch: torch.nn.LogSoftmax(dim=-1),
    "ReLU": lambda torch: torch.nn.ReLU(),
    "Sigmoid": lambda torch: torch.nn.Sigmoid(),
    "Softmax": lambda torch: torch.nn.Softmax(dim=-1),
    "Softplus": lambda torch: torch.nn.Softplus(),
    "Tanh": lambda torch: torch.nn.Tanh(),
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_line_for_a_layer_gives_what_that_gives(name):
    torch = pytest.importorskip("torch")
    layer = eval(other_names.NN[name], setting(""))
    ours = nn.Sequential(layer)(Tensor(SQUARE, requires_grad=True))
    theirs = LAYERS[name](torch)(torch.tensor(SQUARE))
    np.testing.assert_allclose(ours.data, theirs.numpy())
    assert ours.requires_grad


def test_the_line_for_a_function_gives_what_that_gives():
    torch = pytest.importorskip("torch")
    t = torch.tensor(SQUARE)
    for name, theirs in {
        "tanh": torch.tanh(t),
        "normalize": torch.nn.functional.normalize(t),
    }.items():
        ours = eval(other_names.FUNCTIONAL[name], setting(""))
        np.testing.assert_allclose(ours.data, theirs.numpy())
    for name, theirs in {
        "cat": torch.cat([t, t]),
        "clamp": torch.clamp(t, 0.0, 1.0),
        "mm": torch.mm(t, t.T),
        "vmap": torch.vmap(lambda x: x * x)(t),
    }.items():
        ours = eval(other_names.PACKAGE[name], setting("") | {"x": Tensor(SQUARE)})
        np.testing.assert_allclose(ours.data, theirs.numpy())


def test_the_line_for_a_multilayer_perceptron_has_the_layers_of_micrograd():
    micrograd = pytest.importorskip("micrograd.nn")
    ours = eval(other_names.NN["MLP"], setting(""))
    theirs = micrograd.MLP(3, [4, 1])
    assert sum(p.size for p in ours.parameters()) == len(theirs.parameters())
    weights = iter(theirs.parameters())
    for layer in (ours._layers()[0], ours._layers()[2]):
        for row, bias in zip(layer.weight.data, np.ndindex(layer.bias.shape), strict=True):
            row[:] = [next(weights).data for _ in row]
            layer.bias.data[bias] = next(weights).data
    result = theirs([1.0, -2.0, 0.5])
    np.testing.assert_allclose(ours(np.array([1.0, -2.0, 0.5])).data, [result.data])


FORTY = """
    torch.tensor Tensor.pow Tensor.mm Tensor.matmul Tensor.t Tensor.square Tensor.to Tensor.device
    Tensor.cpu Tensor.cuda Tensor.clamp Tensor.retain_grad Tensor.requires_grad_ Tensor.clone
    Tensor.view Tensor.unsqueeze Tensor.float Tensor.zero_ Tensor.grad_fn Tensor.at Tensor.null_grad
    Tensor.creator nn.ReLU nn.MLP nn.CrossEntropyLoss nn.MSELoss nn.Parameter nn.Softmax
    nn.ModuleList nn.functional losses.mse losses.softmax_crossentropy data.DataLoader
    data.TensorDataset torch.Value torch.zeros torch.randn torch.from_numpy torch.manual_seed
    torch.vmap torch.jacfwd torch.stop_gradient torch.no_autodiff Model.train Model.eval
    Optimizer.param_groups optim.lr_scheduler
"""


def test_the_names_that_are_typed_most_are_known():
    tables = {
        "torch": other_names.PACKAGE | other_names.CALLED,
        "Tensor": other_names.TENSOR,
        "Model": other_names.MODEL,
        "Optimizer": other_names.OPTIMIZERS,
        **{name: lines for name, (_, lines) in MODULES.items()},
    }
    for path in FORTY.split():
        place, name = path.split(".")
        assert name in tables[place], path
    assert len(FORTY.split()) > 40
