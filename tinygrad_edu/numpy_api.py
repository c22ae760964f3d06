"""NumPy functions on Tensors: which are composed, which only ask, how a call is read."""

from collections.abc import Mapping
from functools import cache
from inspect import Parameter, signature
from itertools import takewhile
from math import inf
from typing import Any

import numpy as np

from tinygrad_edu import errors, numpy_arithmetic, numpy_arrangement, numpy_linalg, ops
from tinygrad_edu.backprop import Node, StandIn, plain
from tinygrad_edu.ops import Operation

# Functions that need no rule of their own, because those with a rule can say them.

compositions = numpy_arrangement.compositions | numpy_arithmetic.compositions
compositions |= numpy_linalg.compositions

# Functions that ask about numbers: the answer is plain data, with no gradient to carry. No query
# gives floating point computed from the values: inside ``grad``, that would be cut off unseen.

queries: set[Operation] = {
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_xor, np.logical_not),
    *(np.isfinite, np.isinf, np.isnan, np.isneginf, np.isposinf, np.signbit),
    *(np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj),
    *(np.any, np.all, np.allclose, np.isclose, np.array_equal, np.array_equiv, np.isin),
    *(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort),
    *(np.nonzero, np.flatnonzero, np.argwhere, np.where, np.count_nonzero),
    *(np.searchsorted, np.digitize, np.unravel_index, np.ravel_multi_index),
    *(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type),
    *(np.common_type, np.may_share_memory, np.shares_memory),
    *(np.zeros_like, np.ones_like, np.empty_like),
    *(np.array_repr, np.array_str, np.array2string),
}


# What NumPy raises for arguments that do not fit.
FAILURES = (TypeError, ValueError, IndexError, OverflowError, AttributeError)


def ask(func: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The answer of a query."""
    named = {name: _plain(arg) for name, arg in kwargs.items()}
    known = parameters(func)
    if known and (unknown := [name for name in named if name not in known]):
        raise errors.unknown_parameters(func, unknown, known)
    try:
        return func(*map(_plain, args), **named)
    except FAILURES as error:
        raise errors.failed(func, args, error) from None


def _plain(arg: Any) -> Any:
    if isinstance(arg, list | tuple) and any(isinstance(part, Node) for part in arg):
        return type(arg)(plain(part) for part in arg)  # the keys of lexsort
    value = plain(arg)
    return value if value is arg or isinstance(value, StandIn) else np.asarray(value)


def compose(func: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the composition of a function. It has some of NumPy's parameters, by NumPy's names.

    The others are refused by name, unless they are given as their defaults, which says nothing new.
    """
    composition = compositions[func]
    if (
        not args
        or len(args) > _leading(func)
        or not kwargs.keys() <= parameters(composition).keys()
    ):
        args, kwargs = _read(func, args, kwargs)
    try:
        return composition(*args, **kwargs)
    except FAILURES as error:
        raise errors.failed(func, args, error) from None


@cache
def _leading(func: Operation) -> float:
    """How many parameters of a composition stand where NumPy's do: the leading ones."""
    ours, theirs = parameters(compositions[func]), parameters(func)
    several = any(p.kind is p.VAR_POSITIONAL for p in (*ours.values(), *theirs.values()))
    if several or not theirs or isinstance(func, np.ufunc):  # of which no other ones come here
        return inf
    order = [name for name, p in ours.items() if p.kind is not p.KEYWORD_ONLY]
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(order, theirs, strict=False))
    return max(len([*alike]), 1)


def _read(
    func: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments by the names of NumPy, but for those that stand where NumPy's do."""
    ours, theirs = parameters(compositions[func]), [*parameters(func)]
    if theirs and not args:
        args = (kwargs[theirs[0]],)
        kwargs = {name: value for name, value in kwargs.items() if name != theirs[0]}
    if len(args) > _leading(func):
        count = int(_leading(func))
        kwargs = dict(zip(theirs[count:], args[count:], strict=False)) | kwargs
        args = args[:count]
    if all(p.kind is not p.VAR_KEYWORD for p in ours.values()):
        others = [name for name in kwargs if name not in ours]
        if refused := [name for name in others if not _is_default(func, name, kwargs[name])]:
            raise errors.unknown_parameters(func, refused, ours)
        kwargs = {name: value for name, value in kwargs.items() if name in ours}
    elif theirs and (unknown := [name for name in kwargs if name not in theirs]):
        raise errors.unknown_parameters(func, unknown, theirs)
    return args, kwargs


@cache
def parameters(function: Operation) -> Mapping[str, Parameter]:
    """The parameters of a function by name; none, if it tells none."""
    try:
        found = signature(function).parameters
    except ValueError:  # some of NumPy's functions in C tell none, such as where before NumPy 2.4
        return {}
    if function is np.reshape and "shape" not in found:  # which NumPy 2.0 calls newshape
        return {name.removeprefix("new"): parameter for name, parameter in found.items()}
    return found


def _is_default(function: Operation, name: str, value: Any) -> bool:
    """Whether NumPy has a parameter of that name, and the value says nothing new."""
    parameter = parameters(function).get(name)
    if not errors.is_numpys(function):
        return False
    return value is None or (parameter is not None and value is parameter.default)


def bind(
    op: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Sort the arguments of a call into arrays and, by name, parameters that its rules take."""
    rules = ops.derivatives[op]
    if isinstance(rules, ops.Each):
        return args, kwargs
    count = len(rules)
    if len(args) == count and not kwargs and None not in rules:
        return args, kwargs
    if len(args) != count:
        names = [*parameters(op)]
        kwargs = dict(zip(names[count:], args[count:], strict=False)) | kwargs
        args = args[:count] + tuple(kwargs.pop(n) for n in names[len(args) : count] if n in kwargs)
    if len(args) != count:
        raise errors.too_few_arrays(op, len(args), count)
    for i, (arg, rule) in enumerate(zip(args, rules, strict=True)):
        if rule is None and getattr(arg, "requires_grad", False):
            raise errors.no_rule_for(op, f"argument {i}")
    known = parameters(next(filter(None, rules)))
    for name, value in kwargs.items():
        if name not in known and not _is_default(op, name, value):
            raise errors.unknown_parameters(op, [name], [*known][count + 2 :])
        if getattr(value, "requires_grad", False):
            raise errors.no_rule_for(op, f"the parameter {name}")
    return args, {name: value for name, value in kwargs.items() if name in known}
