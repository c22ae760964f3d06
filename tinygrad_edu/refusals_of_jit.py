"""What ``jit`` refuses: what happened, why a program cannot say it, what to write instead."""

from typing import Any

from tinygrad_edu import errors, ops


def no_function(f: Any) -> TypeError:
    return TypeError(
        f"jit takes a function, but got {errors.short(f)}: write jit(f), and call that."
    )


def no_argument(x: Any) -> TypeError:
    return TypeError(
        "A function under jit takes arrays; numbers and strings choose the program. It got "
        f"{type(x).__name__}. Pass its arrays one by one, np.array(x) for a list; models and other "
        "objects are found by name."
    )


def argument_requires_grad(tensor: Any) -> TypeError:
    return TypeError(
        f"A function under jit got {errors.describe(tensor)}, which requires a gradient, as an "
        "argument, and would cut it off. Let the function find it by its name; to differentiate "
        "with respect to an argument, write jit(grad(f)). Or pass t.detach()."
    )


def argument_is_found(tensor: Any) -> TypeError:
    return TypeError(
        f"A function under jit got {errors.describe(tensor)} as an argument, and finds it by "
        "another name, too. Leave the argument out, or pass t.detach()."
    )


def argument_changed(tensor: Any) -> TypeError:
    return TypeError(
        f"A function under jit changed {errors.describe(tensor)}, which is an argument. Return "
        "what is new; or let the function find the Tensor by its name."
    )


def number_taken(x: Any) -> TypeError:
    return TypeError(
        f"Python takes numbers of shape {x.shape} out of a function under jit, on "
        f"{errors.line_of_the_user()}, and they will be others in the next call. Choose by "
        "np.where(t > 0, a, b), pick by Tensor(a)[t], join by np.stack([a, b]), and compute with "
        "NumPy's functions; print, and use float() and if, on what the function returns. "
        "help(jit) has the contract."
    )


def not_known(func: Any) -> TypeError:
    return TypeError(
        f"np.{ops.name(func)} is not known under jit. Compute it before, and pass the result; or "
        "make it an operation, tinygrad_edu.primitive(forward, rule)."
    )


def no_such_attribute(name: str) -> AttributeError:
    return AttributeError(
        f".{name} of an array is not known under jit. Write it with NumPy's functions; or compute "
        "it before, and pass the result."
    )


def sized_by_numbers(what: str) -> TypeError:
    return TypeError(
        f"The shape of {what} depends on numbers, and they will be others in the next call of this "
        "function under jit. Keep the shape, and choose by np.where(mask, t, 0.0); an axis or a "
        "size is a number of Python."
    )


def left_over() -> RuntimeError:
    return RuntimeError(
        "This stands for an array in a function under jit, and that run of it is over: it was put "
        "into a list or an attribute. Return it instead."
    )


def written_to() -> TypeError:
    return TypeError(
        "A function under jit does not write into arrays, as by x[i] = 1, x += 1 or out=. Make a "
        "new one, x = x + 1 or np.where(places, 1, x); to change a leaf, write w.data -= step."
    )


def used_after_writing(x: Any) -> TypeError:
    return TypeError(
        f"An array of shape {x.shape} was written to in place, as by x -= 1, and is used here by "
        "another name, where jit cannot tell old numbers from new ones. Make a new one, x = x - 1; "
        "to change a leaf, write w.data -= step."
    )


def not_assigned(leaf: Any, what: str) -> TypeError:
    return TypeError(
        f"A function under jit wrote into .{what} of {errors.describe(leaf)} by another name. "
        f"Assign what is new: w.{what} = w.{what} * 0.5."
    )


def flag_changed(leaf: Any) -> RuntimeError:
    return RuntimeError(
        f"A function under jit changed requires_grad of {errors.describe(leaf)}. Set it between "
        "the calls: there is a program for each."
    )


def setting_changed(name: str) -> RuntimeError:
    return RuntimeError(
        f"A function under jit changed the setting {name!r} of an optimizer, which is read in each "
        "call. Change it between the calls."
    )


def kept_in_module(module: Any, name: str) -> RuntimeError:
    return RuntimeError(
        f"A function under jit set {type(module).__name__}.{name}, which no later call would "
        f"repeat. Return what it computes; or make {name} a Tensor, and assign its data: "
        f"self.{name}.data = ..."
    )


def computed_before(tensor: Any) -> RuntimeError:
    return RuntimeError(
        f"A function under jit found {errors.describe(tensor)}, which was computed before the "
        "call, and would take its present numbers for ever. Compute it in the function, or pass "
        "t.detach()."
    )


def not_returned(x: Any) -> TypeError:
    what = "a leaf that requires a gradient" if hasattr(x, "op") else type(x).__name__
    return TypeError(
        "A function under jit returns Tensors, arrays and numbers, and tuples, lists and dicts of "
        f"them, but returned {what}. Make it outside, and return what is computed."
    )


def not_differentiable() -> RuntimeError:
    return RuntimeError(
        "backward() reached a result of a function under jit that is not one number by itself, or "
        "that it has gone back from already, so its gradient is not known. Call backward() inside "
        "the function, or let it return the loss alone."
    )


def two_runs_differ(where: str) -> RuntimeError:
    return RuntimeError(
        "jit ran the function twice to write it down, and the second run was another, as by random "
        f"numbers or a counter: see {where}. Draw random numbers before, and pass them; keep a "
        "counter as a Tensor. help(jit) has the contract."
    )


def array_found(array: Any, where: str) -> RuntimeError:
    return RuntimeError(
        f"A function under jit found an array of shape {array.shape} outside, on {where}, and "
        "would take its present numbers for ever. Pass it as an argument; or, if it is to be read "
        "in each call, make it a Tensor. help(jit) has the contract."
    )


def array_in_name(name: str) -> RuntimeError:
    return RuntimeError(
        f"A function under jit uses the name {name!r}, which holds an array, and would take its "
        "present numbers for ever. Pass it as an argument; or, if it is to be read in each call, "
        f"make it a Tensor: {name} = Tensor({name})."
    )


def bound_inside(name: str) -> RuntimeError:
    return RuntimeError(
        f"A function under jit bound the name {name!r} to another object, which no later call "
        "would repeat. Return the object; or, for numbers, make it a Tensor, and write "
        f"{name}.data = ..."
    )


def debug_inside() -> RuntimeError:
    return RuntimeError(
        "debug() inside a function under jit would look at its first run alone. Put it around the "
        "call: the function itself runs there."
    )
