"""Names that PyTorch, JAX, micrograd, MyGrad and NumPy have, and what to write for them here."""

import sys
from collections.abc import Callable, Iterable
from opcode import opmap
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

Lines = dict[str, str]  # each a line of Python, for a call with the usual arguments

# On the modules of this package.
PACKAGE: Lines = {
    # Tensors
    "Parameter": "Tensor(array, requires_grad=True)",
    "Value": "Tensor(2.0, requires_grad=True)",
    "Variable": "Tensor(array, requires_grad=True)",
    "arange": "Tensor(np.arange(3.0))",
    "array": "Tensor(array)",
    "as_tensor": "Tensor(array)",
    "eye": "Tensor(np.eye(3))",
    "from_numpy": "Tensor(array)",
    "linspace": "Tensor(np.linspace(0.0, 1.0, 5))",
    "numpy": "import numpy as np; np.exp(t)",
    "ones": "Tensor(np.ones((2, 3)))",
    "rand": "Tensor(np.random.default_rng(0).random((2, 3)))",
    "randn": "Tensor(np.random.default_rng(0).standard_normal((2, 3)))",
    "zeros": "Tensor(np.zeros((2, 3)))",
    # functions of derivatives, and modes
    "Function": "primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)",
    "custom_vjp": "primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)",
    "elementwise_grad": "grad(lambda x: f(x).sum())",
    "inference_mode": "no_grad()",
    "jacfwd": "jacobian(f)",
    "jacrev": "jacobian(f)",
    "no_autodiff": "no_grad()",
    "stop_gradient": "t.detach()",
    "vmap": "np.stack([f(row) for row in x])",
    # functions of NumPy that have other names there
    "cat": "np.concatenate([t, t])",
    "clamp": "np.clip(t, 0.0, 1.0)",
    "manual_seed": "rng = np.random.default_rng(0); nn.Linear(3, 2, rng=rng)",
    "mm": "t @ t.T",
    # what stands in a module of this package
    "DataLoader": "data.minibatches(x, y, batch_size=32)",
    "MLP": "nn.Sequential(nn.Linear(3, 4), functional.relu, nn.Linear(4, 1))",
    "softmax_crossentropy": "losses.cross_entropy(scores, labels)",
}
LOSSES: Lines = {
    "BCELoss": "losses.binary_cross_entropy(probs, targets)",
    "BCEWithLogitsLoss": "losses.binary_cross_entropy_with_logits(logits, targets)",
    "CrossEntropyLoss": "losses.cross_entropy(logits, targets)",
    "HuberLoss": "losses.huber_loss(predictions, targets)",
    "L1Loss": "losses.l1_loss(predictions, targets)",
    "MSELoss": "losses.mse_loss(predictions, targets)",
    "NLLLoss": "losses.nll_loss(log_probs, targets)",
    "SmoothL1Loss": "losses.huber_loss(predictions, targets, delta=beta) / beta",
    "SoftMarginLoss": "losses.logistic(scores, targets)",
    "bce": "losses.binary_cross_entropy(probs, targets)",
    "bce_with_logits": "losses.binary_cross_entropy_with_logits(logits, targets)",
    "hinge_loss": "losses.hinge(scores, targets)",
    "log_loss": "losses.logistic(scores, targets)",
    "mae": "losses.l1_loss(predictions, targets)",
    "mse": "losses.mse_loss(predictions, targets)",
    "nll": "losses.nll_loss(log_probs, targets)",
    "smooth_l1_loss": "losses.huber_loss(predictions, targets, delta=beta) / beta",
    "soft_margin_loss": "losses.logistic(scores, targets)",
    "softmax_cross_entropy": "losses.cross_entropy(logits, targets)",
    "softmax_crossentropy": "losses.cross_entropy(logits, targets)",
}
FUNCTIONAL: Lines = {
    "cross_entropy": "losses.cross_entropy(logits, targets)",
    "mse_loss": "losses.mse_loss(predictions, targets)",
    "nll_loss": "losses.nll_loss(log_probs, targets)",
    "normalize": "t / np.linalg.norm(t, axis=1, keepdims=True)",
    "tanh": "np.tanh(t)",
}
NN: Lines = {
    "Dropout": "lambda x: x * (np.random.default_rng().random(x.shape) > 0.5) / 0.5  # to train",
    "Flatten": "lambda x: np.reshape(x, (len(x), -1))",
    "Identity": "lambda x: x",
    "Layer": "nn.Linear(3, 4)",
    "LogSoftmax": "functional.log_softmax",
    "MLP": "nn.Sequential(nn.Linear(3, 4), functional.relu, nn.Linear(4, 1))",
    "ModuleDict": "self.layers = {'first': nn.Linear(3, 4), 'last': nn.Linear(4, 1)}",
    "ModuleList": "self.layers = [nn.Linear(3, 4), nn.Linear(4, 1)]",
    "Neuron": "nn.Linear(3, 1)",
    "Parameter": "Tensor(array, requires_grad=True)",
    "ReLU": "functional.relu",
    "Sigmoid": "functional.sigmoid",
    "Softmax": "functional.softmax",
    "Softplus": "functional.softplus",
    "Tanh": "np.tanh",
    "functional": "from tinygrad_edu import functional",
    "utils": "optim.clip_grad_norm(model.parameters(), 1.0)",
    **{name: line for name, line in LOSSES.items() if name.endswith("Loss")},
}
DATA: Lines = {
    "DataLoader": "data.minibatches(x, y, batch_size=32)",
    "TensorDataset": "data.minibatches(x, y, batch_size=32)",
}
DATASETS: Lines = {
    "CIFAR10": "datasets.load_cifar10(path)",
    "CIFAR100": "datasets.load_cifar100(path)",
    "EMNIST": "datasets.load_idx(path)",
    "FashionMNIST": "datasets.load_idx(path)",
    "KMNIST": "datasets.load_idx(path)",
    "MNIST": "datasets.load_idx(path)",
}
OPTIM: Lines = {
    "clip_grad_norm_": "optim.clip_grad_norm(params, max_norm)",
    "lr_scheduler": "optimizer.lr = schedule(step)  # with a schedule of optim.schedules",
}
SCHEDULES: Lines = {
    "CosineAnnealingLR": "schedules.cosine(lr, steps, end=eta_min)",
    "ExponentialLR": "schedules.exponential(lr, factor=gamma)",
    "LinearLR": "schedules.linear_warmup(schedules.constant(lr), steps, start=start_factor)",
    "OneCycleLR": "schedules.one_cycle(lr, steps)",
    "StepLR": "schedules.step(lr, every, factor=gamma)",
}
# Modules that have the name of a function or a class elsewhere.
CALLED: Lines = {
    "tensor": "Tensor([1.0])",
    "optim.adam": "optim.Adam([w], lr=0.001)",
    "optim.sgd": "optim.SGD([w], lr=0.1)",
}

# On Tensors: methods that arrays, or the tensors of other libraries, have.
TENSOR: Lines = {
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
    "clone": "t.copy()  # or, to cut it off, t.detach()",
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
    # functions of NumPy
    "arctan": "np.arctan(t)",
    "cosh": "np.cosh(t)",
    "expm1": "np.expm1(t)",
    "log10": "np.log10(t)",
    "log1p": "np.log1p(t)",
    "log2": "np.log2(t)",
    "maximum": "np.maximum(a, b)",
    "minimum": "np.minimum(a, b)",
    "sign": "np.sign(t)",
    "sinh": "np.sinh(t)",
    "tan": "np.tan(t)",
    "where": "np.where(mask, t, value)",
    # to make one
    "eye": "Tensor(np.eye(3))",
    "ones": "Tensor(np.ones((2, 3)))",
    "rand": "Tensor(np.random.default_rng(0).random((2, 3)))",
    "randn": "Tensor(np.random.default_rng(0).standard_normal((2, 3)))",
    "zeros": "Tensor(np.zeros((2, 3)))",
    # PyTorch's
    "clamp": "np.clip(t, low, high)",
    "contiguous": "t",
    "cpu": "t  # all is on the CPU",
    "cuda": "t  # all is on the CPU",
    "detach_": "t = t.detach()",
    "device": "# leave it out: all is on the CPU",
    "div_": "w.data /= ...",
    "grad_fn": "t.op  # with t.args and t.params",
    "new_tensor": "Tensor(array, dtype=t.dtype)",
    "retain_grad": "print(draw(loss))  # which shows the gradient of each result",
    "to": "t.astype(np.float32)  # for another dtype; all is on the CPU",
    "type": "t.astype(np.float32)",
    # JAX's, MyGrad's
    "at": "np.where(mask, value, t)",
    "block_until_ready": "t  # it is computed already",
    "constant": "not t.requires_grad",
    "creator": "t.op  # with t.args and t.params",
    "null_grad": "t.zero_grad()",
}

# On modules of nn, and on optimizers.
MODEL: Lines = {
    "add_module": "self.first = nn.Linear(3, 4)  # in __init__",
    "cpu": "model  # all is on the CPU",
    "cuda": "model  # all is on the CPU",
    "eval": "# leave it out: modules here do the same in training and evaluation",
    "grad": "[parameter.grad for parameter in model.parameters()]",
    "named_children": "model.named_modules()",
    "register_buffer": "self.mean = Tensor(array)  # in __init__: it is kept, and not learned",
    "register_parameter": "self.scale = Tensor(array, requires_grad=True)  # in __init__",
    "to": "model  # all is on the CPU; for a dtype, nn.Linear(3, 2, dtype=np.float32)",
    "train": "# leave it out: modules here do the same in training and evaluation",
}
OPTIMIZERS: Lines = {
    "add_param_group": "optim.SGD([{'params': [w]}, {'params': [b]}], lr=0.1)  # all at the start",
    "decoupled_weight_decay": "optim.AdamW(params, weight_decay=weight_decay)",
    "learning_rate": "optimizer.lr",
    "maximize": "(-value).backward()  # to minimize the negative",
    "param_groups": "optimizer.groups",
    "state": "optimizer.state_dict()",
}


def advice(line: str) -> str:
    """A line of a table as a part of a message; one of a comment alone says what to do."""
    return line.removeprefix("# ") if line.startswith("# ") else f"write {line}"


def instead(name: str, lines: Lines, known: Iterable[str]) -> str:
    """What to write for ``name``, or what there is."""
    if name in lines:
        return advice(lines[name])
    of_numpy = vars(np).get(name)
    if callable(of_numpy) and not isinstance(of_numpy, type):
        return f"write np.{name}"
    return f"there are {', '.join(known)}"


def getattr_of(module: str, lines: Lines, known: Iterable[str]) -> Callable[[str], NoReturn]:
    """The ``__getattr__`` of a module, which is asked for what is not in it."""

    def missing(name: str) -> NoReturn:
        raise not_in_module(module, name, lines, known)

    return missing


def not_in_module(module: str, name: str, lines: Lines, known: Iterable[str]) -> Exception:
    """The error for ``__getattr__`` of a module to raise.

    ``from module import name`` answers an AttributeError with words of its own, and passes an
    ImportError on.
    """
    asking = sys._getframe(2)
    is_import = asking.f_code.co_code[asking.f_lasti] == opmap["IMPORT_FROM"]
    kind = ImportError if is_import else AttributeError
    return kind(f"{module} has no {name!r}: {instead(name, lines, known)}")


class Missing:
    """A method that others have: to ask for it says what to write.

    (``__getattr__`` would make every attribute of every Tensor slower, an eighth of all time.)
    """

    def __init__(self, name: str, line: str) -> None:
        self.name, self.line = name, line

    def __get__(self, owned: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__} has no {self.name!r}: {advice(self.line)}")


class NotCalled(ModuleType):
    """The class of modules that have the name of a function or a class elsewhere."""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002 (it takes any)
        """Say what to write for ``tinygrad_edu.tensor([1.0])``."""
        line = CALLED[self.__name__.partition(".")[2]]
        raise TypeError(f"{self.__name__} is a module, not a function: write {line}")
