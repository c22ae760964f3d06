"""The public names and their parameters, in order: who changes them does so knowingly.

What may change, and how, is said in .github/CONTRIBUTING.md and told in .github/CHANGELOG.md.
"""

import inspect

import pytest
import test_reference as reference

import tinygrad_edu
from tinygrad_edu.other_names import Missing

NAMES = {
    "": {
        "Tensor": (
            "(data, requires_grad=, *, name=, dtype=) T abs all any argmax argmin argsort "
            "astype backward clip conj copy cos cumprod cumsum data detach diagonal dot "
            "dtype exp flatten grad is_leaf item log max mean min ndim nonzero numpy prod "
            "ravel repeat requires_grad reshape round shape sin size sqrt squeeze std sum "
            "swapaxes take tanh tolist trace transpose var zero_grad"
        ),
        "debug": "(function=) around computed finished made pulled_back",
        "explore": "(f, **controls)",
        "draw": (
            "(root, *, names=, show=, rankdir=, clusters=, collapse=, max_nodes=, "
            "max_edges=, precision=)"
        ),
        "grad": "(f, argnums=)",
        "hessian": "(f, argnums=)",
        "jacobian": "(f, argnums=)",
        "jit": "(f, *, exact=) graph lines source",
        "load": "(path)",
        "no_grad": "(function=)",
        "primitive": "(forward, *rules)",
        "save": "(state, path)",
        "scope": "(name, owner=)",
        "steps": "(root, *, names=, precision=)",
        "value_and_grad": "(f, argnums=)",
        "data": "",
        "datasets": "",
        "functional": "",
        "losses": "",
        "nn": "",
        "optim": "",
    },
    "classifier": {
        "LinearClassifier": (
            "(loss=, learning_rate=, batch_size=, max_iter=, momentum=, alpha=, "
            "class_weight=, early_stopping=, validation_fraction=, n_iter_no_change=, tol=, "
            "shuffle=, random_state=, callback=) decision_function fit partial_fit predict "
            "predict_log_proba predict_proba"
        ),
    },
    "data": {
        "Minibatches": "(columns, batch_size, rng, drop_last)",
        "minibatches": "(*arrays, batch_size, rng=, shuffle=, drop_last=)",
    },
    "datasets": {
        "load_cifar10": "(path)",
        "load_cifar100": "(path, coarse=)",
        "load_idx": "(path)",
    },
    "drawing": {
        "Derivation": "(target, expressions, notes=)",
        "Drawing": (
            "(nodes, edges, root, *, rankdir, clusters, note=) digraph lines png "
            "roles save source svg text with_lines"
        ),
        "Step": ("(number, count, phase, title, derivations, tensor, gradients)"),
        "Steps": "(told, drawing, graph, precision, given) html save",
        "draw": (
            "(root, *, names=, show=, rankdir=, clusters=, collapse=, max_nodes=, "
            "max_edges=, precision=)"
        ),
        "steps": "(root, *, names=, precision=)",
        "use_renderer": "(renderer)",
    },
    "evaluation": {
        "SealedTestSet": "(X, y) score",
    },
    "exploring": {
        "Bars": "(y, label=, *, names=, digits=)",
        "Curve": "(x, y, label=, *, dashed=, dots=)",
        "Dots": "(x, y, label=, *, drag=, labels=)",
        "Exploration": "(f, controls) html save",
        "Image": "(values, label=, *, low, high, x=, y=, up=, diverging=, levels=)",
        "Pixels": "(values, low=, high=)",
        "Plot": "(*marks, title=, x=, y=, xlim=, ylim=, square=)",
        "Points": "(values, low, high)",
        "Slider": "(low, high, value, step=, unit=, log=) first",
        "explore": "(f, **controls)",
    },
    "functional": {
        "log_softmax": "(x, axis=)",
        "logsumexp": "(x, axis=, keepdims=)",
        "one_hot": "(labels, num_classes, dtype=)",
        "relu": "(x)",
        "sigmoid": "(x)",
        "softmax": "(x, axis=)",
        "softplus": "(x)",
    },
    "losses": {
        "binary_cross_entropy": "(probs, targets, *, pos_weight=, sample_weight=, reduction=)",
        "binary_cross_entropy_with_logits": (
            "(logits, targets, *, pos_weight=, sample_weight=, reduction=)"
        ),
        "cross_entropy": (
            "(logits, targets, *, weight=, ignore_index=, label_smoothing=, sample_weight=, "
            "reduction=)"
        ),
        "exponential": "(scores, targets, *, sample_weight=, reduction=)",
        "hinge": "(scores, targets, *, margin=, sample_weight=, reduction=)",
        "huber_loss": ("(predictions, targets, *, delta=, sample_weight=, reduction=)"),
        "kl_divergence": "(p, q, *, sample_weight=, reduction=)",
        "l1_loss": "(predictions, targets, *, sample_weight=, reduction=)",
        "logistic": "(scores, targets, *, sample_weight=, reduction=)",
        "mse_loss": "(predictions, targets, *, sample_weight=, reduction=)",
        "multiclass_hinge": "(scores, targets, *, margin=, sample_weight=, reduction=)",
        "nll_loss": ("(log_probs, targets, *, weight=, ignore_index=, sample_weight=, reduction=)"),
        "zero_one": "(scores, targets, *, sample_weight=, reduction=)",
    },
    "nn": {
        "Linear": (
            "(*args, **kwargs) forward load_state_dict named_modules named_parameters "
            "parameters state_dict zero_grad"
        ),
        "Module": (
            "(*args, **kwargs) forward load_state_dict named_modules named_parameters "
            "parameters state_dict zero_grad"
        ),
        "Sequential": (
            "(*args, **kwargs) forward load_state_dict named_modules named_parameters "
            "parameters state_dict zero_grad"
        ),
    },
    "optim": {
        "Adam": (
            "(params, lr=, betas=, eps=, weight_decay=, **unknown) betas eps "
            "load_state_dict lr rule start state_dict step weight_decay zero_grad"
        ),
        "AdamW": (
            "(params, lr=, betas=, eps=, weight_decay=, **unknown) betas eps "
            "load_state_dict lr rule start state_dict step weight_decay zero_grad"
        ),
        "SGD": (
            "(params, lr, momentum=, weight_decay=, nesterov=, **unknown) load_state_dict "
            "lr momentum nesterov rule start state_dict step weight_decay zero_grad"
        ),
        "clip_grad_norm": "(params, max_norm)",
    },
    "optim.schedules": {
        "constant": "(lr)",
        "cosine": "(lr, steps, end=)",
        "exponential": "(lr, factor)",
        "linear_warmup": "(schedule, steps, start=)",
        "one_cycle": "(lr, steps, rise=, start=, end=)",
        "step": "(lr, every, factor=)",
    },
    "lessons": {
        "check": "(claim, test)",
        "copy": "(chosen, folder, solutions=)",
        "grade": "(file)",
        "names": "()",
        "run": "(name, folder)",
    },
    "testing": {
        "Engine": "(*args, **kwargs) backward gradient value variable",
        "FunctionEngine": "(*args, **kwargs) grad",
        "as_tensor": "(engine, result, names=)",
        "check_engine": "(engine, on_fail=, *, examples=, seed=)",
        "check_grads": "(f, *args, order=, rng=, reference=, eps=, rtol=)",
        "function_of": "(engine, f)",
        "parametrize_with_engine_checks": "(engines)",
    },
    "testing.strategies": {
        "arrays": "(shape=, low=, high=, kinks=)",
        "broadcastable": "(count=, low=, high=, kinks=)",
        "shapes": "(min_dims=, max_dims=, min_side=, max_side=)",
        "tensors": "(*args, **kwargs)",
    },
}
PAGES = [page for page in NAMES if page]


def parameters(function):
    """The parameters as they are passed, ``*`` before those by name alone, ``=`` for a default."""
    try:
        found = [*inspect.signature(function).parameters.values()]
    except ValueError:  # of some classes of Python itself
        return ""
    words, by_name = [], False
    for parameter in found:
        if parameter.kind is parameter.KEYWORD_ONLY and not by_name:
            words.append("*")
        by_name = by_name or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        default = "=" if parameter.default is not parameter.empty else ""
        words.append(f"{star}{parameter.name}{default}")
    return ", ".join(words)


def public(module):
    """Its public functions with their parameters, and its classes with their methods."""
    rows = {}
    for name, value in sorted(reference.names(module).items()):
        if inspect.isclass(value):
            rows[name] = f"({parameters(value)}) {' '.join(sorted(members(value)))}".strip()
        else:
            rows[name] = f"({parameters(value)})"
    return rows


def members(cls):
    """The public methods and properties that a class has from this package."""
    ours = [each for each in cls.__mro__ if each.__module__.startswith("tinygrad_edu")]
    return {
        name
        for each in ours
        for name, value in reference.methods(each).items()
        if not isinstance(value, Missing)  # those of other libraries, which are refused
    }


MODULES = {"": tinygrad_edu, **{page: reference.MODULES[page] for page in PAGES}}


def test_every_page_of_the_reference_is_pinned():
    assert {*PAGES} == {*reference.PAGES} - reference.ENGINE


@pytest.mark.parametrize("page", MODULES, ids=lambda page: page or "tinygrad_edu")
def test_public_names_are_those_of_the_table(page):
    found = public(MODULES[page])
    if page == "":  # what it has besides functions and classes: its modules
        found |= {name: "" for name in tinygrad_edu.__all__ if name not in found}
    assert found == NAMES[page]
