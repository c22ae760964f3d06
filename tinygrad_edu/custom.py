"""``primitive``: an operation of one's own, whose forward function and rules are checked."""

import functools
import inspect
from typing import Any

import numpy as np

from tinygrad_edu import errors, ops


def primitive(forward: ops.Operation, *rules: ops.Rule | None) -> ops.Operation:
    """Make an operation of one's own from its forward function and one rule per array argument.

    ``forward`` takes arrays by position and parameters by name, and returns a new array. The result
    is called like a NumPy function, on arrays or on Tensors. Arrays that ``forward`` and the rules
    are given are read-only, because others use them, too. ``steps`` shows the formula of a rule, or
    its docstring if it has one. Raises TypeError if ``forward`` or a rule cannot be called, or does
    not take as many arrays as there are rules; and when it is used, TypeError if ``forward`` or a
    rule returns no real numbers, ValueError if one of them writes into an array that it is given,
    or a rule returns another shape than that of its argument or of the output.

    >>> from tinygrad_edu import Tensor, primitive
    >>> cube = primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)
    >>> x = Tensor(2.0, requires_grad=True)
    >>> cube(x).backward()
    >>> x.grad
    array(12.)
    """
    callables = [rule for rule in rules if rule is not None]
    if not callable(forward) or not callables or not all(map(callable, callables)):
        raise TypeError(
            "primitive takes a function and one derivative rule per array argument, for example "
            "primitive(lambda x: x**3, lambda g, y, x: g * 3 * x**2)"
        )

    for rule in callables:
        try:
            inspect.signature(rule).bind_partial(*range(2 + len(rules)))
        except TypeError:
            raise errors.rule_arity(rule, len(rules)) from None
        except ValueError:
            continue  # some functions in C tell no signature

    @functools.wraps(forward)
    def compute(*args: Any, **params: Any) -> Any:
        y = np.asarray(_call(forward, args, params))
        if y.dtype.kind not in "fiub":
            raise errors.forward_gave(forward, y)
        return y[()]

    checked = (rule and _checked(forward, rule, i) for i, rule in enumerate(rules))
    return ops.operation(compute, tuple(checked))


def _call(function: ops.Operation, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Call a function that must not change the arrays it is given."""
    try:
        return function(*map(_read_only, args), **params)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise errors.wrote_into_its_arrays(function) from error


def _read_only(x: Any) -> Any:
    """An array that cannot be written to, with the same numbers."""
    if isinstance(x, np.ndarray):
        x = x.view()
        x.setflags(write=False)
    return x


def _checked(forward: ops.Operation, rule: ops.Rule, i: int) -> ops.Rule:
    """The rule of the i-th array, which must not change its arrays, and returns a gradient."""

    @functools.wraps(rule)
    def checked(g: Any, y: Any, *arrays: Any, **params: Any) -> Any:
        found = _call(rule, (g, y, *arrays), params)
        if not isinstance(found, np.ndarray | np.generic):
            return found
        if found.dtype.kind not in "fiub":
            raise errors.rule_dtype(forward, found.dtype)
        if found.shape not in (np.shape(arrays[i]), np.shape(y)):
            raise errors.rule_shape(forward, found.shape, np.shape(arrays[i]))
        return found if found.dtype.kind == "f" else found.astype(np.result_type(g))

    return checked
