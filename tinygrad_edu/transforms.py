"""Functions of derivatives: ``grad``, ``value_and_grad``, ``jacobian``, ``hessian``. They nest."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu import errors, ops
from tinygrad_edu.backprop import Node, backpropagate, changed_since, plain, topological_order
from tinygrad_edu.modes import State, function_scope, is_recording, mode, writer, writing
from tinygrad_edu.pairs import warn_of_pairs
from tinygrad_edu.tensor import Tensor

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


def grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes the gradient of ``f``, which returns one number.

    ``argnums``: the position of the argument to differentiate with respect to, or a tuple of
    positions, for a tuple of gradients. Arguments are numbers or arrays of floating point, or
    Tensors; a gradient has the shape and dtype of its argument. It is an array, or a Tensor where
    it depends on a Tensor that requires a gradient; so ``grad(grad(f))`` is the second derivative.
    An argument that the result does not depend on has gradient 0.

    Raises TypeError if ``f`` does not return one number computed with Tensors, if it takes plain
    numbers out of what is differentiated (``float``, ``item``, ``data``), which would cut them off,
    or if an argument cannot require a gradient; ValueError if there is no argument at that
    position. In ``f``, comparisons, ``if`` and ``print`` are right. Only ``detach`` and ``no_grad``
    cut off, and threads that ``f`` starts: they do not know what is being differentiated.

    >>> from tinygrad_edu import grad
    >>> grad(lambda x: x**3)(2.0)
    array(12.)
    >>> grad(grad(lambda x: x**3))(2.0)
    array(12.)
    """

    _check("grad", f, argnums)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return _differentiate(f, argnums, args, kwargs, _gradients)[1]

    return gradient


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes the pair of the value of ``f`` and its gradient; see ``grad``.

    >>> from tinygrad_edu import value_and_grad
    >>> value_and_grad(lambda x: x**3)(2.0)
    (array(8.), array(12.))
    """

    _check("value_and_grad", f, argnums)

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        return _differentiate(f, argnums, args, kwargs, _gradients)

    return value_and_gradient


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes the derivative of each output with respect to each input.

    It is like ``grad`` in all else.

    ``f`` returns a Tensor of any shape; the result has that shape followed by the argument's. It
    takes one backward pass for each output. Raises as ``grad``, but not for more than one number.

    >>> import numpy as np
    >>> from tinygrad_edu import jacobian
    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    _check("jacobian", f, argnums)

    @functools.wraps(f)
    def all_derivatives(*args: Any, **kwargs: Any) -> Any:
        return _differentiate(f, argnums, args, kwargs, _jacobians)[1]

    return all_derivatives


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes all second derivatives of ``f``, which returns one number.

    For one argument of shape ``s``, the result has shape ``s + s``. For a tuple of arguments it is
    a tuple of tuples: ``hessian(f, (0, 1))(x, y)[0][1]`` is with respect to ``x``, then ``y``.
    Raises as ``grad`` does.

    >>> from tinygrad_edu import hessian
    >>> hessian(lambda x: (x**3).sum())([1.0, 2.0])
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    _check("hessian", f, argnums)
    if not isinstance(argnums, tuple):
        return jacobian(grad(f, argnums), argnums)
    rows = [jacobian(grad(f, i), argnums) for i in argnums]
    return functools.wraps(f)(lambda *args, **kwargs: tuple(row(*args, **kwargs) for row in rows))


def _check(transform: str, f: Any, argnums: Any) -> None:
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    if not callable(f) or not all(isinstance(i, int | np.integer) for i in positions):
        raise errors.not_a_function(transform, f, argnums)


def _differentiate(
    f: Function, argnums: Argnums, args: tuple[Any, ...], kwargs: dict[str, Any], how: Function
) -> tuple[Any, Any]:
    """The value of ``f`` and the derivatives that ``how`` finds, one or a tuple as ``argnums``."""
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    before = mode.get()
    recorded = is_recording()  # only then can arguments and results be part of the caller's graph
    inputs = list(args)
    for i in positions:
        if not -len(args) <= i < len(args):
            raise errors.no_argument(i, len(args))
    for i in {i % len(args) for i in positions}:
        try:
            inputs[i] = _variable(args[i], recorded)
        except (TypeError, ValueError) as error:
            told = errors.several_arrays(args[i]) if _holds_arrays(args[i]) else error
            raise told.with_traceback(None) from None  # the line of the call says where
    variables = [inputs[i] for i in positions]
    inside = before.variables | {*variables}
    mode.set(State(0, before.watchers, before.scopes, inside))  # record, even within no_grad
    try:
        try:
            y = f(*inputs, **kwargs)
        except ValueError as error:
            errors.advise(error)
            raise
        if not isinstance(y, Tensor):
            raise errors.not_a_tensor(f, y)
        if how is _gradients and y.size != 1:
            raise errors.not_a_scalar(f, y)
        order, others = _depending_on(variables, topological_order(y, {*variables}))
        others = others or any(not variable.is_leaf for variable in variables)
        others = others or (y.is_leaf and y.requires_grad and y not in {*variables})
        nested = recorded and others
        with function_scope("gradient"):
            derivatives = how(y, order, variables, nested)
    finally:
        mode.set(before)
    value = y if nested else _array(y)
    return value, tuple(derivatives) if isinstance(argnums, tuple) else derivatives[0]


def _holds_arrays(arg: Any) -> bool:
    """Whether an argument is a list or a dict of arrays, which are differentiated one by one."""
    if isinstance(arg, Mapping):
        return len(arg) > 0
    return isinstance(arg, list | tuple) and any(isinstance(x, np.ndarray | Tensor) for x in arg)


def _variable(arg: Any, recorded: bool) -> Tensor:
    """A Tensor to differentiate with respect to: a new leaf, or a result in the caller's graph."""
    if not isinstance(arg, Tensor):
        return Tensor(arg, requires_grad=True)
    if arg.requires_grad and recorded:
        return +arg
    variable = arg.detach()
    variable.requires_grad = True
    return variable


def _depending_on(variables: list[Tensor], order: list[Node]) -> tuple[list[Node], bool]:
    """Those of ``order`` computed from ``variables``, and whether any comes from another leaf.

    Raises RuntimeError where data has changed: the others are not gone through again.
    """
    found: set[Node] = {*variables}
    others = False
    for node in reversed(order):
        for arg in node.args:
            if changed_since(arg, node):
                raise errors.stale(arg, node)
            if isinstance(arg, Tensor) and arg.requires_grad:
                if arg in found:
                    found.add(node)
                elif arg.is_leaf:
                    others = True
    return [node for node in order if node in found], others


def _gradients(
    y: Tensor, order: list[Node], variables: list[Tensor], nested: bool, seed: Any = None
) -> list[Any]:
    warn_of_pairs(y)
    seed = np.ones(y.shape, y.dtype)[()] if seed is None else seed
    on_tensors = nested or bool(writing and writer())
    found = backpropagate(y, Tensor(seed) if on_tensors else seed, order, on_tensors=on_tensors)
    gradients = [(found[v] if v in found else np.zeros(v.shape), v.dtype) for v in variables]
    if nested:
        return [_in_graph(g, dtype) for g, dtype in gradients]
    return [_array(g).astype(dtype, copy=False) for g, dtype in gradients]


def _array(x: Any) -> Any:
    """The numbers of ``x`` in an array of its own."""
    return np.copy(plain(x))


def _in_graph(g: Any, dtype: Any) -> Tensor:
    """A gradient as a Tensor of its own, in the dtype of what it is the gradient of."""
    if not isinstance(g, Tensor):
        return Tensor(g, dtype=dtype)
    result: Tensor = +g if g.dtype == dtype else ops.cast(g, dtype=dtype)
    return result


def _jacobians(y: Tensor, order: list[Node], variables: list[Tensor], nested: bool) -> list[Any]:
    if y.size == 0:
        empty = [np.zeros(y.shape + v.shape, v.dtype) for v in variables]
        return [Tensor(array) for array in empty] if nested else empty
    seeds = np.eye(y.size, dtype=y.dtype).reshape(-1, *y.shape)
    rows = [_gradients(y, order, variables, nested, seed) for seed in seeds]
    columns = zip(variables, zip(*rows, strict=True), strict=True)
    return [np.reshape(np.stack(column), y.shape + v.shape) for v, column in columns]
