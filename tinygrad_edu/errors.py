"""Every refusal of the engine: what happened, why it cannot be, what to write instead."""

import difflib
import linecache
import os
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_edu import ops, refusals

NOT_THE_USERS = tuple(os.path.dirname(file) + os.sep for file in (__file__, np.__file__))


def describe(value: Any) -> str:
    """A tensor, or another argument of an operation, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, list | tuple) and any(hasattr(each, "shape") for each in value):
        return f"[{', '.join(map(describe, value))}]"
    if not hasattr(value, "op"):
        return repr(value)
    what = f"the result of {ops.name(value.op)}" if value.op else "the tensor"
    return f"{what} {value.name!r}" if value.name else f"{what} of shape {value.shape}"


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
    return TypeError(
        f"Data of dtype {dtype} cannot be in a graph: a Tensor holds real numbers, float16, "
        "float32 or float64, or integers and booleans for labels and indices."
    )


def no_dtype(dtype: Any) -> TypeError:
    return TypeError(f"dtype is one of NumPy's, as np.float32, but got {dtype!r:.60}.")


def ragged(error: ValueError) -> ValueError:
    return ValueError(f"A Tensor is a full rectangle of numbers, with rows of one length: {error}.")


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
    return TypeError(f"{what} is True or False, but got {value!r:.60}.{advice}")


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
        f"{shared} shares the array itself."
    )


def result_is_fixed(tensor: Any, what: str) -> RuntimeError:
    return RuntimeError(
        f"{_sentence(describe(tensor))} was computed, so {what} cannot be set; a leaf's can. "
        "t.detach() makes a leaf of its data."
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
        "is None. If it was to be learned, it was replaced by a result, as in w = w - ...: write "
        "w.data -= learning_rate * w.grad."
    )


def not_a_gradient(tensor: Any, shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"The gradient of {describe(tensor)} is None or an array of shape {tensor.shape}, but got "
        f"shape {shape}. To forget it, write {tensor.name or 't'}.zero_grad()."
    )


def no_method(name: str, instead: str) -> AttributeError:
    return AttributeError(f"a Tensor has no {name!r}: write {instead}")


def element_assignment() -> TypeError:
    return TypeError(
        "An element of a Tensor cannot be assigned, because a graph may need its old value. "
        "Choose between old and new with np.where(mask, new, t); or, before anything is computed "
        "from it, t.data[0] = 1.0."
    )


def not_one_number(tensor: Any) -> ValueError:
    return ValueError(
        f"{_sentence(describe(tensor))} has {tensor.size} elements, so it cannot be read as one "
        "number. Reduce it, as in t.mean(), or pick one, as in t[0]."
    )


def result_is_not_copied(tensor: Any) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} cannot be copied or pickled: its graph hangs on it. "
        "Keep its numbers: t.detach(), or t.item() if it is a single one."
    )


# Operations.


def failed(op: ops.Operation, args: tuple[Any, ...], error: Exception) -> Exception:
    kinds = (np.linalg.LinAlgError, TypeError, ValueError, IndexError)  # an AxisError is two
    kind = next((k for k in kinds if isinstance(error, k)), ValueError)
    if op is np.matmul and kind is ValueError and all(np.ndim(arg) for arg in args):
        return kind(_matrices_do_not_fit(*args))
    named = [_with_shape(arg) for arg in args if getattr(arg, "name", None)]
    told = f" ({', '.join(named)})" if named else ""
    reason = getattr(error, "reason", error)  # of an operation that this one is composed of
    failure = kind(f"{ops.name(op)} of {' and '.join(map(describe, args))}{told}: {reason}")
    vars(failure)["reason"] = reason
    return failure


def is_numpys(op: Any) -> bool:
    """Whether an operation is of NumPy or this package, and not of the user."""
    module = getattr(op, "__module__", None) or "numpy"
    return module.partition(".")[0] in ("numpy", "tinygrad_edu")


def not_floating(op: Any, dtype: np.dtype[Any]) -> TypeError:
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
    text += (
        f"there are {columns} numbers in a row on the left, but {rows} in a column on the right."
    )
    if a.ndim == b.ndim == 2 and columns == b.shape[1]:
        return text + " The right one transposed fits: a @ b.T."
    if a.ndim == b.ndim == 2 and a.shape[0] == rows:
        return text + " The left one transposed fits: a.T @ b."
    return text


def full_name(func: Any) -> str:
    """The name of a NumPy function as it is written: np.linalg.norm."""
    module = getattr(func, "__module__", None) or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{ops.name(func)}"


def no_rule(func: Any, known: Iterable[Any]) -> TypeError:
    reason, lines = refusals.FUNCTIONS.get(func, ("", {}))
    names = {ops.name(other): full_name(other) for other in known}
    similar = [names[name] for name in difflib.get_close_matches(ops.name(func), names, cutoff=0.7)]
    text = f"{full_name(func)} has no derivative rule"
    text += f", because {reason}. " if reason else ". "
    if lines:
        text += f"Write {refusals.told(lines)}. "
    elif similar and not reason:
        text += f"Functions of similar names have one: {', '.join(similar)}. "
    return TypeError(
        f"{text}Where no gradient is wanted, write {full_name(func)}(t.detach().data); or give it "
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
        f"{ops.name(op)} has derivative rules for {count} arrays, but was called with {given}."
    )


def unknown_parameters(func: Any, names: list[str], known: Iterable[str] = ()) -> TypeError:
    name = full_name(func) if is_numpys(func) else ops.name(func)
    if names == ["out"]:
        return TypeError(
            f"{name} of a Tensor does not take out=, nor can it be written into an array, as by "
            "array += t. It makes a new Tensor: write t = t + a; or, to learn, "
            "w.data -= learning_rate * w.grad."
        )
    listed = ", ".join(f"{each}=" for each in names)
    text = f"{name} of a Tensor does not take {listed}"
    text += f": it takes {', '.join(known)}." if known else "."
    examples = [refusals.PARAMETERS[each] for each in names if each in refusals.PARAMETERS]
    return TypeError(text + "".join(f" As in {refusals.told(lines)}." for lines in examples))


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
        f"{tensor.shape}: there is one gradient for each element."
    )


def stale(arg: Any, result: Any) -> RuntimeError:
    return RuntimeError(
        f"The data of {describe(arg)}, or whether it requires a gradient, changed after "
        f"{describe(result)} was computed from it, so the gradient would mix old with new. Change "
        "data after backward(), or compute the result again."
    )


def rule_arity(rule: Any, count: int) -> TypeError:
    arrays = ", ".join("abcdef"[:count]) if 1 < count <= 6 else "x" if count == 1 else "*arrays"
    return TypeError(
        f"A derivative rule of a primitive with {count} arrays is called as rule(g, y, {arrays}), "
        f"but {ops.name(rule)} does not take so many: write lambda g, y, {arrays}: ..."
    )


def wrote_into_its_arrays(function: Any) -> ValueError:
    return ValueError(
        f"{ops.name(function)} of a primitive writes into an array that it is given, which others "
        "use, too, so it is read-only. Make a new one: write g = g * 2 for g *= 2, np.exp(x) for "
        "np.exp(x, out=x), and x = x.copy() before x[0] = 0."
    )


def forward_gave(forward: Any, y: Any) -> TypeError:
    gave = "None: it has no return" if y.dtype == object and y.item() is None else f"{y.dtype}"
    return TypeError(
        f"The forward function {ops.name(forward)} returned {gave}. It returns an array of real "
        "numbers, computed from its arrays."
    )


def rule_dtype(op: Any, dtype: np.dtype[Any]) -> TypeError:
    return TypeError(
        f"A derivative rule of {ops.name(op)} returned dtype {dtype}: a gradient is made of real "
        "numbers."
    )


def rule_gave_nothing(op: Any) -> TypeError:
    return TypeError(f"A derivative rule of {ops.name(op)} returned None: it has no return.")


def rule_shape(op: Any, g: tuple[int, ...], shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"A derivative rule of {ops.name(op)} returned shape {g} for an argument of shape {shape}: "
        "a gradient has the shape of what it is the gradient of."
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
        f"with {count} by position."
    )


def not_a_function(transform: str, f: Any, argnums: Any) -> TypeError:
    return TypeError(
        f"{transform} takes a function, and the position of an argument or a tuple of positions, "
        f"but got {describe(f)} and {argnums!r}. It returns a function: {transform}(f)(2.0)."
    )


def number_taken(tensor: Any) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} is part of what is being differentiated, and plain numbers "
        "would be cut off from it. Use it as it is, with NumPy's functions: np.exp(t) for "
        "math.exp(t.item()), np.stack([a, b]) for np.array([a, b]). To look at it, print(t); to "
        "cut it off on purpose, t.detach()."
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
        f'{call} decorates plain functions, but got {function!r}. Write "with {call}:" inside it '
        "instead, around what is computed, with no yield in the block."
    )


def not_a_tensor(f: Any, y: Any) -> TypeError:
    if y is None:
        return TypeError(f"{ops.name(f)} returned None: it has no return statement.")
    return TypeError(
        f"{ops.name(f)} returned {type(y).__name__}, not a Tensor, so its gradient is unknown: "
        "return what is computed from the arguments by operators and NumPy's functions."
    )


def not_a_scalar(f: Any, y: Any) -> TypeError:
    return TypeError(
        f"What is differentiated here must be one number, but {ops.name(f)} returned shape "
        f"{y.shape}. Reduce it, as in y.sum(), or use jacobian, which takes each output."
    )
