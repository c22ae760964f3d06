"""Every refusal of the engine: what happened, why it cannot be, what to write instead."""

import difflib
import functools
import itertools
import linecache
import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu import ops, refusals

NOT_THE_USERS = tuple(os.path.dirname(file) + os.sep for file in (__file__, np.__file__))


def describe(value: Any) -> str:
    """A tensor, or another argument of an operation, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, list | tuple) and any(hasattr(each, "shape") for each in value):
        return f"[{listed(map(describe, value))}]"
    if not hasattr(value, "op"):
        return short(value)
    what = f"the result of {ops.name(value.op)}" if value.op else "the tensor"
    return f"{what} {value.name!r}" if value.name else f"{what} of shape {value.shape}"


def listed(words: Iterable[Any], separator: str = ", ", most: int = 6) -> str:
    """Words one after another: many equal ones once, and of many the first and the last."""
    parts = []
    for word, run in itertools.groupby(map(str, words)):
        count = len([*run])
        parts += [f"{count} times {word}"] if count > 2 else [word] * count
    if len(parts) > most:
        parts = [*parts[:3], f"... ({len(parts)} in all)", *parts[-2:]]
    return separator.join(parts)


def other_state(expected: Iterable[str], state: Mapping[str, Any]) -> KeyError:
    names = dict.fromkeys(expected)
    missing = listed((name for name in names if name not in state), most=10) or "none"
    unknown = listed((name for name in state if name not in names), most=10) or "none"
    advice = [
        f"; one of several states in a file is meant: load_state_dict(state[{part!r}])"
        for part, inner in state.items()
        if isinstance(inner, Mapping) and inner.keys() == names.keys()
    ]
    message = f"the names of state differ; missing: {missing}; unknown: {unknown}"
    return KeyError("".join([message, *advice[:1]]))


def short(value: Any) -> str:
    """What Python shows of a value, on one line, and not more of it than helps."""
    value = value.func if isinstance(value, functools.partial) else value
    text = " ".join(repr(value).split())
    text = re.sub(r"<function (?:\S*\.)?_?(\S+) at 0x\w+>", r"the function \1", text)
    return text if len(text) <= 120 else f"{text[:100]} ... of type {type(value).__name__}"


def level_of_the_user() -> int:
    """How far up the user's innermost line is: the stack level of a warning."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_code.co_filename.startswith(NOT_THE_USERS):
        frame, level = frame.f_back, level + 1
    return level


def line_of_the_user() -> str:
    """The innermost line that runs and is neither this package's nor NumPy's."""
    frame = sys._getframe(level_of_the_user() - 1)
    path, number = frame.f_code.co_filename, frame.f_lineno
    return f"line {number} of {os.path.basename(path)}, {linecache.getline(path, number).strip()!r}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


# Making a Tensor, and changing it.


def not_real(dtype: np.dtype[Any]) -> TypeError:
    advice = ""
    if dtype.kind in "OUS":
        advice = " Of numbers that are text or objects, write np.array(data, dtype=float)."
    elif dtype.kind == "c":
        advice = " Of complex numbers, write two Tensors, of z.real and z.imag."
    return TypeError(
        f"Data of dtype {dtype} cannot be in a graph: a Tensor holds real numbers, float16, "
        f"float32 or float64, or integers and booleans for labels and indices.{advice}"
    )


def no_array(value: Any) -> TypeError:
    kind = "None" if value is None else type(value).__name__
    if value is None:
        advice = "if a function gave it, that lacks a return: write one"
    elif hasattr(value, "toarray"):
        advice = "a sparse matrix is not taken: write m.toarray()"
    elif isinstance(value, Mapping):
        advice = "write d['x'] for one of its arrays, np.stack(list(d.values())) for all"
    elif isinstance(value, Iterable):
        advice = "write np.array(list(values)), which collects its numbers"
    else:
        advice = "write its numbers, as in [1.0, 2.0]"
    return TypeError(f"{kind} is no array of real numbers: {advice}.")


def no_dtype(dtype: Any) -> TypeError:
    return TypeError(f"dtype is one of NumPy's, but got {short(dtype)}: write as dtype=np.float32.")


def ragged(error: ValueError) -> ValueError:
    return ValueError(
        f"A Tensor is a full rectangle of numbers, with rows of one length: {error}. Make all rows "
        "as long."
    )


def masked() -> TypeError:
    return TypeError(
        "A masked array cannot be in a graph, because a Tensor has no mask. Choose with "
        "np.where(mask, 0.0, t), or take what is not masked: array.compressed()."
    )


def matrix() -> TypeError:
    return TypeError(
        "A np.matrix cannot be in a graph, because its * is the product @ of a Tensor. Write "
        "np.asarray(m)."
    )


def no_flag(what: str, value: Any, advice: str = "") -> TypeError:
    advice = "" if isinstance(value, str) else advice  # it is for those who meant a number
    return TypeError(f"{what} is True or False, but got {short(value)}: write one of them.{advice}")


def integers_require_grad(dtype: np.dtype[Any]) -> TypeError:
    return TypeError(
        f"A tensor of {dtype} cannot require a gradient: a derivative asks what a very small step "
        "does, and integers have no small steps. Write 3.0 instead of 3, or pass dtype=float."
    )


def cut_off(tensor: Any, instead: str) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} requires a gradient, and would be cut off from it here. "
        f"{instead}; or, to cut it off on purpose, pass t.detach()."
    )


def not_exported(tensor: Any) -> BufferError:
    return BufferError(
        f"{_sentence(describe(tensor))} requires a gradient, and would be cut off from it here: "
        "what another library computes is not recorded. To cut it off on purpose, pass t.detach()."
    )


def only_by_a_copy(shared: str) -> str:
    return (
        "A Tensor gives its data away by a copy, because a graph may need its array as it is. "
        f"To share the array itself, write {shared}."
    )


def result_is_fixed(tensor: Any, what: str) -> RuntimeError:
    return RuntimeError(
        f"{_sentence(describe(tensor))} was computed, so {what} cannot be set; a leaf's can. "
        "Write t.detach() for a leaf with its data."
    )


def data_shape(tensor: Any, shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"{_sentence(describe(tensor))}, {tensor.shape}, cannot take data of shape {shape}: for "
        "another shape make a new Tensor."
    )


def in_place(tensor: Any) -> RuntimeError:
    return RuntimeError(
        f"An in-place operator would turn {describe(tensor)} from what is to be learned into a "
        "result. Change its data, w.data -= learning_rate * w.grad; or, for a new result, write "
        "t = t + a."
    )


def assigned_result(tensor: Any) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} is part of a graph, and data are plain numbers. Write "
        "w.data -= learning_rate * w.grad, or assign t.detach()."
    )


def gradient_of_result(tensor: Any) -> str:
    return (
        f"{_sentence(describe(tensor))} is computed, and only leaves keep a gradient, so its grad "
        "is None. To see it, write print(draw(loss)). If it was to be learned, it was replaced by "
        "a result, as in w = w - ...: write w.data -= learning_rate * w.grad."
    )


def not_a_gradient(tensor: Any, shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"The gradient of {describe(tensor)} is None or an array of shape {tensor.shape}, but got "
        f"shape {shape}. To forget it, write {tensor.name or 't'}.zero_grad()."
    )


def element_assignment() -> TypeError:
    return TypeError(
        "An element of a Tensor cannot be assigned, because a graph may need its old value. "
        "Choose between old and new with np.where(mask, new, t); or, before anything is computed "
        "from it, t.data[0] = 1.0."
    )


def not_one_number(tensor: Any) -> ValueError:
    return ValueError(
        f"{_sentence(describe(tensor))} has {tensor.size} elements, so it cannot be read as one "
        "number. Reduce it, as in t.mean(), or pick one, as in t[0]; for a function of the module "
        "math, write NumPy's, as in np.exp(t)."
    )


def no_length(tensor: Any) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} is a single number: it has no length, and no elements to "
        "go through. Write t.item() for the number, np.reshape(t, 1) for a Tensor of one element."
    )


def not_an_array(tensor: Any) -> TypeError:
    return cut_off(
        tensor,
        "To keep or plot a number, write t.item(); to put Tensors together, np.stack; to compute "
        "with a table of pandas or polars, its array, df.to_numpy() @ t, with a sparse matrix, "
        "m.toarray() @ t; for SciPy's softmax, log_softmax and logsumexp, write those of "
        "tinygrad_edu.functional",
    )


def not_an_index(tensor: Any) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} has dtype {tensor.dtype}, and an index or an axis is an "
        "integer. Write int(t), which cuts off what comes after the point; to join Tensors, "
        "np.concatenate([a, b])."
    )


def result_is_not_copied(tensor: Any) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} cannot be copied, pickled or plotted: its graph hangs on "
        "it. Take its numbers: t.detach(), or t.item() if it is a single one."
    )


# Operations.


def failed(op: ops.Operation, args: tuple[Any, ...], error: Exception) -> Exception:
    kinds = (np.linalg.LinAlgError, TypeError, ValueError, IndexError)  # an AxisError is two
    kind = next((k for k in kinds if isinstance(error, k)), ValueError)
    if op is np.matmul and kind is ValueError and all(np.ndim(arg) for arg in args):
        return kind(_matrices_do_not_fit(*args))
    arrays = [part for arg in args for part in (arg if isinstance(arg, list | tuple) else [arg])]
    named = listed(_with_shape(array) for array in arrays if getattr(array, "name", None))
    told = f" ({named})" if named else ""
    reason = getattr(error, "reason", error)  # of an operation that this one is composed of
    says = str(reason).removeprefix("_")  # "_take() missing 1 required positional argument"
    says = says.replace("NoneType", "None")
    if isinstance(reason, AttributeError):
        kind, says = TypeError, "one of these is of another type than it takes"
    failure = kind(f"{ops.name(op)} of {listed(map(describe, args), ' and ')}{told}: {says}")
    vars(failure)["reason"] = reason
    return failure


def is_numpys(op: Any) -> bool:
    """Whether an operation is of NumPy or this package, and not of the user."""
    module = getattr(op, "__module__", None) or "numpy"
    return module.partition(".")[0] in ("numpy", "tinygrad_edu", "builtins", "_operator")


def not_floating(op: Any, dtype: np.dtype[Any]) -> TypeError:
    if op is ops.cast:
        return TypeError(
            f"the cast gave dtype {dtype}, which has no gradient. Write t.detach().astype("
            f"np.{dtype}); or, to put it into another array, make the other array one of floating "
            "point."
        )
    return TypeError(
        f"{ops.name(op)} gave dtype {dtype}, so no gradient could flow back through it. Return "
        "floating point, as in y.astype(x.dtype); or, if none is wanted, pass it t.detach()."
    )


def _with_shape(value: Any) -> str:
    return f"{value.name!r} is {np.shape(value)}"


def _matrices_do_not_fit(a: Any, b: Any) -> str:
    columns, rows = a.shape[-1], b.shape[0] if b.ndim == 1 else b.shape[-2]
    text = f"{a.shape} @ {b.shape}, {describe(a)} times {describe(b)}: "
    if columns == rows:
        return text + "the axes before the last two, which count matrices, do not broadcast."
    text += f"a row on the left has length {columns}, but a column on the right has length {rows}."
    if a.ndim == b.ndim == 2 and columns == b.shape[1]:
        return text + " The right one transposed fits: a @ b.T."
    if a.ndim == b.ndim == 2 and a.shape[0] == rows:
        return text + " The left one transposed fits: a.T @ b."
    return text


def full_name(func: Any) -> str:
    """The name of a NumPy function as it is written: np.linalg.norm."""
    if isinstance(func, np.ufunc) and vars(np).get(func.__name__) is not func:
        return func.__name__  # of SciPy, which tells no module
    module = getattr(func, "__module__", None) or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{ops.name(func)}"


def no_rule(func: Any, known: Iterable[Any]) -> TypeError:
    nothing: tuple[str, refusals.Lines] = ("", {})
    reason, lines = refusals.FUNCTIONS.get(func) or refusals.SCIPY.get(full_name(func), nothing)
    names = {ops.name(other): full_name(other) for other in known}
    similar = [names[name] for name in difflib.get_close_matches(ops.name(func), names, cutoff=0.7)]
    text = f"{full_name(func)} has no derivative rule"
    text += f", because {reason}. " if reason else ". "
    if lines:
        text += f"Write {refusals.told(lines)}. "
    elif similar and not reason:
        text += f"Functions of similar names have one: {', '.join(similar)}. "
    return TypeError(
        f"{text}Where no gradient is wanted, give {full_name(func)} t.detach().data for t; or make "
        "a rule with tinygrad_edu.primitive(forward, rule). python -m tinygrad_edu.numpy_table "
        "lists the functions that work."
    )


def no_rule_for(op: ops.Operation, argument: str) -> TypeError:
    return TypeError(
        f"{ops.name(op)} has no derivative rule for {argument}, which requires a gradient. If none "
        "is wanted, pass it as t.detach()."
    )


def too_few_arrays(op: ops.Operation, given: int, count: int) -> TypeError:
    return TypeError(
        f"{ops.name(op)} has derivative rules for {count} arrays, but was called with {given}. "
        f"Write {full_name(op) if is_numpys(op) else ops.name(op)}({_letters(count)})."
    )


def unknown_parameters(func: Any, names: list[str], known: Iterable[str] = ()) -> TypeError:
    name = full_name(func)
    name = f"{name} of a Tensor" if name.startswith("np.") else ops.name(func)
    if names == ["out"]:
        return TypeError(
            f"{name} does not take out=, nor can it be written into an array, as by "
            "array += t. It makes a new Tensor: write t = t + a; or, to learn, "
            "w.data -= learning_rate * w.grad, or, if it is grad that gives a Tensor, "
            "w.data -= learning_rate * grad(f)(w.data)."
        )
    text = f"{name} does not take {', '.join(f'{each}=' for each in names)}"
    text += f": it takes {', '.join(known)}." if known else "."
    examples = (refusals.of_parameter(each, full_name(func)) for each in names)
    lines = [refusals.told(each) for each in examples if each]
    return TypeError(text + (f" As in {'; '.join(lines)}." if lines else ""))


def no_ufunc_method(ufunc: np.ufunc, method: str) -> TypeError:
    name = full_name(ufunc)
    text = f"{name}.{method} has no derivative rule. "
    if (ufunc, method) in refusals.UFUNC_METHODS:
        text += f"Write {refusals.told(refusals.UFUNC_METHODS[ufunc, method])}."
    elif method == "outer":
        text += f"Write {name}(a[:, None], b) for {name}.outer(a, b) of vectors."
    elif method == "at":
        text += "It writes into an array: choose with np.where(mask, new, array)."
    else:
        text += f"np.sum, np.max, np.min and np.cumsum have one; or write a loop of {name}(a, b)."
    return TypeError(text)


# Going backward.


def no_gradient(tensor: Any) -> RuntimeError:
    return RuntimeError(
        f"{_sentence(describe(tensor))} requires no gradient, nor does anything it was computed "
        "from. Make what is to be learned with Tensor(..., requires_grad=True), and do not cut it "
        "off on the way here by .data, .detach(), .numpy(), float(), a comparison or no_grad()."
    )


def second_backward(tensor: Any) -> RuntimeError:
    return RuntimeError(
        f"backward() was called on {describe(tensor)} before; again, it would add the same "
        "gradients twice. Compute the result anew before each call; or, if adding twice is meant, "
        "make the first call backward(retain_graph=True)."
    )


def many_numbers(tensor: Any) -> ValueError:
    return ValueError(
        f"backward() starts from one number, but {describe(tensor)} has {tensor.size}. Reduce it, "
        "as in t.mean().backward() or t.sum().backward(), or pass backward(gradient=...) in its "
        "shape."
    )


def gradient_shape(tensor: Any, shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"backward(gradient=...) got shape {shape}, but {describe(tensor)} has shape "
        f"{tensor.shape}: there is one gradient for each element. Pass one of that shape, as "
        f"np.ones({tensor.shape})."
    )


def stale(arg: Any, result: Any) -> RuntimeError:
    return RuntimeError(
        f"The data of {describe(arg)}, or whether it requires a gradient, changed after "
        f"{describe(result)} was computed from it, so the gradient would mix old with new. Change "
        "data after backward(), or compute the result again."
    )


def rule_arity(rule: Any, count: int) -> TypeError:
    arrays = _letters(count)
    return TypeError(
        f"A derivative rule of a primitive with {count} arrays is called as rule(g, y, {arrays}), "
        f"but {ops.name(rule)} does not take so many: write lambda g, y, {arrays}: ..."
    )


def _letters(count: int) -> str:
    """The arrays of an operation, as they are written."""
    if count == 1:
        return "x"
    return ", ".join("abcdef"[:count]) if count <= 6 else "*arrays"


def wrote_into_its_arrays(function: Any) -> ValueError:
    return ValueError(
        f"{ops.name(function)} of a primitive writes into an array that it is given, which others "
        "use, too, so it is read-only. Make a new one: write g = g * 2 for g *= 2, np.exp(x) for "
        "np.exp(x, out=x), and x = x.copy() before x[0] = 0."
    )


def forward_gave(forward: Any, y: Any) -> TypeError:
    gave = "None: it has no return" if y.dtype == object and y.item() is None else f"{y.dtype}"
    return TypeError(
        f"The forward function {ops.name(forward)} returned {gave}. Make it return an array of "
        "real numbers, computed from its arrays."
    )


def rule_dtype(op: Any, dtype: np.dtype[Any]) -> TypeError:
    return TypeError(
        f"A derivative rule of {ops.name(op)} returned dtype {dtype}: a gradient is made of real "
        "numbers. Return floating point."
    )


def rule_gave_nothing(op: Any) -> TypeError:
    return TypeError(
        f"A derivative rule of {ops.name(op)} returned None: it has no return. Write one."
    )


def rule_shape(op: Any, g: tuple[int, ...], shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"A derivative rule of {ops.name(op)} returned shape {g} for an argument of shape {shape}: "
        "a gradient has the shape of what it is the gradient of. Return one of that shape."
    )


def all_pairs(result: Any, predictions: Any, data: Any) -> str:
    n, shape = max(np.shape(predictions)), np.shape(predictions)
    return (
        f"the loss compares each of {n} predictions with all {n} targets: {ops.name(result.op)} of "
        f"{describe(predictions)} and of shape {np.shape(data)} broadcasts to {np.shape(result)}. "
        f"To compare each with its own, write np.reshape(targets, {shape}); if all pairs are "
        "meant, make the column by p[:, None]."
    )


# Transforms.


def no_argument(position: int, count: int) -> ValueError:
    return ValueError(
        f"argnums={position} names an argument to differentiate, but the function was called "
        f"with {count} by position: give it without a name, f(2.0) for f(x=2.0)."
    )


def not_a_function(transform: str, f: Any, argnums: Any) -> TypeError:
    return TypeError(
        f"{transform} takes a function, and the position of an argument or a tuple of positions, "
        f"but got {describe(f)} and {short(argnums)}. It returns a function: write "
        f"{transform}(f)(2.0), or of two arguments {transform}(f, argnums=(0, 1))(2.0, 3.0)."
    )


def several_arrays(argument: Any) -> TypeError:
    parts, call, given = argument, "f(p)", "p"
    if isinstance(argument, Mapping):
        parts, call, given = argument.values(), "f(dict(zip(d, p)))", "d.values()"
    count = len(argument)
    argnums = f"{tuple(range(count))}" if count < 5 else f"tuple(range({count}))"
    return TypeError(
        f"What is differentiated is one array, but got a {type(argument).__name__} of several: "
        f"{listed(map(describe, parts))}. Give them one by one: "
        f"grad(lambda *p: {call}, argnums={argnums})(*{given})."
    )


def number_taken(tensor: Any) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} is part of what is being differentiated, and plain numbers "
        "would be cut off from it. Use it as it is, with NumPy's functions: np.exp(t) for "
        "math.exp(t.item()), np.stack([a, b]) for np.array([a, b]), or for z[0] = a and z[1] = b. "
        "To look at it, print(t); to cut it off on purpose, t.detach()."
    )


def backward_inside(tensor: Any) -> RuntimeError:
    return RuntimeError(
        f"backward() would put the gradients of {describe(tensor)} into grad as plain numbers, cut "
        "off from what is being differentiated here. Write grad(f)(x) instead, which may stand "
        "inside another grad; or, to cut it off on purpose, compute it from x.detach()."
    )


# Modes.


def not_decorated(mode: str, function: Any) -> TypeError:
    call = "scope('name')" if mode == "scope" else f"{mode}()"
    return TypeError(
        f'{call} decorates plain functions, but got {short(function)}. Write "with {call}:" inside '
        "it instead, around what is computed, with no yield in the block."
    )


def no_parentheses(mode: str) -> TypeError:
    call = "scope('name')" if mode == "scope" else f"{mode}()"
    return TypeError(f'{mode} is used with parentheses: write "with {call}:", or "@{call}".')


def not_a_tensor(f: Any, y: Any) -> TypeError:
    if y is None:
        return TypeError(f"{ops.name(f)} returned None: it has no return statement. Write one.")
    return TypeError(
        f"{ops.name(f)} returned {type(y).__name__}, not a Tensor, so its gradient is unknown: "
        "return what is computed from the arguments by operators and NumPy's functions."
    )


def not_a_scalar(f: Any, y: Any) -> TypeError:
    return TypeError(
        f"What is differentiated here must be one number, but {ops.name(f)} returned shape "
        f"{y.shape}. Reduce it, as in y.sum(), or use jacobian, which takes each output."
    )


# What NumPy says inside a function that is differentiated, and what to write there.
ADVICE = {
    "The truth value of an array with more than one": (
        "A condition of several elements chooses for each of them: write np.where(e > 0, a, b) for "
        "a if e > 0 else b."
    ),
    "setting an array element with a sequence": (
        "An array of NumPy holds plain numbers, and nothing that is differentiated: write "
        "z = np.stack([a, b]) for z[0] = a and z[1] = b."
    ),
}


def advise(error: ValueError) -> None:
    """Say below an error of NumPy what to write."""
    for begin, advice in ADVICE.items():
        if str(error).startswith(begin) and advice not in getattr(error, "__notes__", []):
            error.add_note(advice)
