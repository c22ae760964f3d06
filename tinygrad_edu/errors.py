"""What every refusal of the engine says: what happened, why it cannot be, what to write instead."""

from typing import Any

import numpy as np

from tinygrad_edu import ops


def describe(value: Any) -> str:
    """A tensor, or another argument of an operation, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if not hasattr(value, "_op"):
        return repr(value)
    what = f"the result of {ops.name(value._op)}" if value._op else "the tensor"
    return f"{what} {value.name!r}" if value.name else f"{what} of shape {value.shape}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


# Making a Tensor, and changing it.


def not_real(dtype: np.dtype[Any]) -> TypeError:
    return TypeError(
        f"Data of dtype {dtype} cannot be in a graph: a Tensor holds real numbers, float16, "
        "float32 or float64, or integers and booleans for labels and indices."
    )


def ragged(error: ValueError) -> ValueError:
    return ValueError(f"A Tensor is a full rectangle of numbers, with rows of one length: {error}.")


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


def result_is_fixed(tensor: Any, what: str) -> RuntimeError:
    return RuntimeError(
        f"{_sentence(describe(tensor))} was computed, so {what} cannot be set; a leaf's can. "
        "t.detach() makes a leaf of its data."
    )


def data_shape(tensor: Any, shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"{_sentence(describe(tensor))}, {tensor.shape}, cannot take data of shape {shape}."
    )


def in_place(tensor: Any) -> RuntimeError:
    return RuntimeError(
        f"An in-place operator would turn {describe(tensor)} from what is to be learned into a "
        "result. Change its data: w.data -= learning_rate * w.grad."
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
        "number. Reduce it, as in t.mean(), or pick one, as in t[0]."
    )


def result_is_not_copied(tensor: Any) -> TypeError:
    return TypeError(
        f"{_sentence(describe(tensor))} cannot be copied or pickled, because its whole graph hangs "
        "on it. Copy its numbers: t.detach()."
    )


# Operations.


def failed(op: ops.Operation, args: tuple[Any, ...], error: Exception) -> Exception:
    kind = next(k for k in (TypeError, ValueError, IndexError) if isinstance(error, k))
    if op is np.matmul and all(np.ndim(arg) == 2 for arg in args):
        return kind(_matrices_do_not_fit(*args))
    return kind(f"{ops.name(op)} of {' and '.join(map(describe, args))}: {error}")


def _matrices_do_not_fit(a: Any, b: Any) -> str:
    text = (
        f"{a.shape} @ {b.shape}, {describe(a)} times {describe(b)}: a row on the left has "
        f"{a.shape[1]} numbers, but a column on the right has {b.shape[0]}"
    )
    if a.shape[1] == b.shape[1]:
        return f"{text}. The right one transposed fits: a @ b.T."
    return f"{text}. The left one transposed fits: a.T @ b." if a.shape[0] == b.shape[0] else text


def no_rule(func: Any) -> TypeError:
    name = ops.name(func)
    return TypeError(
        f"np.{name} has no derivative rule. Say it with functions that have one (the keys of "
        "tinygrad_edu.ops.derivatives), give it one with tinygrad_edu.primitive(forward, rule), "
        f"or, where no gradient is wanted, leave the graph: np.{name}(t.data)."
    )


def no_rule_for(op: ops.Operation, position: int) -> TypeError:
    return TypeError(
        f"{ops.name(op)} has no derivative rule for argument {position}, which requires a "
        "gradient. If none is wanted, pass it as t.detach()."
    )


def unknown_parameters(func: Any, names: str) -> TypeError:
    return TypeError(
        f"np.{ops.name(func)} of a Tensor does not take {names}: an operation makes a new Tensor "
        "of its own, as in t = t + a."
    )


def no_method(ufunc: np.ufunc, method: str) -> TypeError:
    return TypeError(
        f"np.{ufunc.__name__}.{method} has no derivative rule. Sums are np.sum(t, axis=...) and "
        "np.cumsum(t, axis=...), extremes np.max and np.min, an outer product a[:, None] * b."
    )


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
        f"The data of {describe(arg)} changed after {describe(result)} was computed from it, so "
        "the gradient would mix old numbers with new ones. Change data after backward(), or "
        "compute the result again."
    )


def rule_shape(op: Any, g: tuple[int, ...], shape: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"A derivative rule of {ops.name(op)} returned shape {g} for an argument of shape {shape}: "
        "a gradient has the shape of what it is the gradient of."
    )


# Transforms.


def no_argument(position: int, count: int) -> ValueError:
    return ValueError(
        f"argnums={position} names an argument to differentiate by, but the function was called "
        f"with {count} by position."
    )


def not_a_tensor(f: Any, y: Any) -> TypeError:
    return TypeError(
        f"{ops.name(f)} returned {type(y).__name__}, not a Tensor, so its gradient is unknown: it "
        "was cut off on the way, by .data, .numpy(), float(), a comparison, or a function that is "
        "not NumPy's."
    )


def not_a_scalar(f: Any, y: Any) -> TypeError:
    return TypeError(
        f"A gradient is of one number, but {ops.name(f)} returned shape {y.shape}. Reduce it, as "
        "in y.sum(), or use jacobian, which differentiates each output."
    )
