"""Models: modules that hold parameters, and the layers of a linear classifier.

A loss that is kept, as by ``history.append(loss)``, keeps its whole graph: what every layer has
computed, and the weights of that step. Keep its number: ``history.append(loss.item())``.
"""

from __future__ import annotations

from abc import ABCMeta
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from tinygrad_edu import errors, other_names, refusals_of_jit
from tinygrad_edu.inputs import as_array
from tinygrad_edu.modes import mode, scope, writer, writing
from tinygrad_edu.tensor import Array, Tensor

__all__ = ["Linear", "Module", "Sequential"]

if not TYPE_CHECKING:  # type checkers are to find other names wrong
    __getattr__ = other_names.getattr_of("nn", other_names.NN, __all__)


class _Building(ABCMeta):  # of which modules may have abstract methods, too
    """The class of module classes: it knows when ``__init__`` of a module is through."""

    if not TYPE_CHECKING:  # type checkers are to see the parameters of __init__

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            module = super().__call__(*args, **kwargs)
            module.is_built = True
            _refuse_what_is_lost(module)
            return module


class Module(metaclass=_Building):
    """The base class of models: a subclass assigns Tensors and modules, and defines ``forward``.

    A module keeps the leaf Tensors in its attributes, and in lists, tuples and dicts there; each
    has the path to it for a name, such as ``layers.0.weight``. Those that require a gradient are
    its parameters. Raises TypeError if ``__init__`` assigns a result, as in ``self.w = Tensor(...,
    requires_grad=True) * 0.01``, for it would be no parameter, or if a result or something else
    takes the place of a parameter; None may. Raises TypeError, too, if what is to be learned is
    where a module does not look: in a set, a generator, an attribute of the class, or an object
    that is no module. Later, as in ``forward``, results may be kept; and in a function that is
    being differentiated, a result may stand for a parameter.

    >>> from tinygrad_edu import Tensor, nn
    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         self.slope = Tensor(1.0, requires_grad=True)
    ...
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(3.0)
    Tensor(3., op=multiply)
    >>> line.state_dict()
    {'slope': array(1.)}
    """

    is_built = False  # whether __init__ is through
    changes = 0  # how often any module was given a part: what jit has found in it is another then

    def __setattr__(self, name: str, value: Any) -> None:
        old = vars(self).get(name)
        is_parameter = isinstance(old, Tensor) and old.is_leaf and old.requires_grad
        is_result = isinstance(value, Tensor) and not value.is_leaf
        if not mode.get().variables:
            if is_result and is_parameter:
                raise _no_parameter(f"{type(self).__name__}.{name}", value)
            if not self.is_built:
                _refuse_results(f"{type(self).__name__}.{name}", value)
        if is_parameter and value is not None and not isinstance(value, Tensor | Module):
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter, and {type(value).__name__} would "
                f"take its place. To change its numbers, write .{name}.data = ...; to remove it, "
                f".{name} = None"
            )
        trace = writing and writer()
        if trace and self.is_built:
            raise trace.refuse(refusals_of_jit.kept_in_module(self, name))
        super().__setattr__(name, value)
        if _is_part(value) or _is_part(old):
            Module.changes += 1

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output of the module; calling the module calls this method.

        Raises NotImplementedError in a class that does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward method: define one")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of ``forward``, in a scope of this module."""
        with scope(type(self).__name__, self):
            return self.forward(*args, **kwargs)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in other_names.MODEL]

    def __repr__(self) -> str:
        shapes = (f"{name} {parameter.shape}" for name, parameter in self.named_parameters())
        return f"{type(self).__name__}({', '.join(shapes)})"

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Each parameter once, with its name; a shared one under the first of its names."""
        for path, value in self._walk(once=True):
            if isinstance(value, Tensor) and value.requires_grad:
                yield path, value

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module, under the name "", and each module in it once, with the path to it."""
        for path, value in self._walk(once=True):
            if isinstance(value, Module):
                yield path, value

    def _walk(self, *, once: bool) -> Iterator[tuple[str, Any]]:
        """The leaf Tensors and modules in here: once each, or under every path that leads there."""
        found: dict[str, Any] = {}
        seen: set[int] = set()
        stack: list[tuple[str, Any, frozenset[int]]] = [("", self, frozenset())]
        while stack:
            path, value, above = stack.pop()
            if id(value) in (seen if once else above):
                continue
            seen.add(id(value))
            if isinstance(value, Module) or (isinstance(value, Tensor) and value.is_leaf):
                if found.setdefault(path, value) is not value:
                    raise ValueError(f"two parts of {type(self).__name__} have the name {path!r}")
                yield path, value
            items = _items(path or type(self).__name__, value)
            if isinstance(value, Module):
                items = list(vars(value).items())
            above = above | {id(value)}
            stack += [
                (f"{path}.{key}" if path else str(key), item, above)
                for key, item in reversed(items)
            ]

    def parameters(self) -> list[Tensor]:
        """The Tensors to learn, each once, in the order of ``named_parameters``."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self, **others: Never) -> None:
        """Forget the gradients of all parameters, before the next ``backward`` adds to them."""
        if others:
            raise errors.unknown_parameters(self.zero_grad, [*others])
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, Array]:
        """A copy of the data of each leaf Tensor in here, learned or not, under each of its names.

        Raises ValueError if two of them have one name, as in ``{1: t, "1": u}``.
        """
        return {name: tensor.numpy() for name, tensor in self._kept().items()}

    def _kept(self) -> dict[str, Tensor]:
        return {name: x for name, x in self._walk(once=False) if isinstance(x, Tensor)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the data of every leaf Tensor in here from ``state``, as ``state_dict`` gives it.

        Raises KeyError if names are missing or left over, ValueError if a shape differs or one
        Tensor of two names gets different numbers, TypeError for what is no mapping, or no array of
        numbers; then nothing has changed.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                "load_state_dict takes names and arrays, as load(path) and model.state_dict() "
                f"give them, but got {errors.short(state)}"
            )
        kept = self._kept()
        if kept.keys() != state.keys():
            raise errors.other_state(kept, state)
        arrays: dict[Tensor, tuple[str, Array]] = {}
        for name, tensor in kept.items():
            try:
                array = Tensor(state[name]).data
            except (TypeError, ValueError) as error:
                raise type(error)(f"{name} cannot be loaded: {error}") from None
            if array.shape != tensor.shape:
                raise ValueError(
                    f"{name} has shape {tensor.shape}, but state has {array.shape} for it: it is "
                    "of a model of other sizes"
                )
            first, other = arrays.setdefault(tensor, (name, array))
            if not np.array_equal(array, other, equal_nan=array.dtype.kind == "f"):
                raise ValueError(
                    f"{first} and {name} are one Tensor, but state has different numbers for them"
                )
        for tensor, (_, array) in arrays.items():
            tensor.data = array


for _name, _line in other_names.MODEL.items():
    setattr(Module, _name, other_names.Missing(_name, _line))

# What a module would lose without a word.


def _items(path: str, value: Any) -> list[tuple[Any, Any]]:
    """What is in a list, a tuple or a dict; refuses other collections of what is to be learned."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    is_array = isinstance(value, np.ndarray) and value.dtype == object
    if is_array or isinstance(value, set | frozenset | deque):
        inside = value.ravel() if is_array else value
        if any(_is_to_be_learned(item) for item in inside):
            raise TypeError(
                f"{path} is of type {type(value).__name__}, in which a module does not look for "
                "parameters, because their names are positions in lists or keys of dicts: write a "
                "list, [first, second]"
            )
    return []


def _is_to_be_learned(value: Any) -> bool:
    if isinstance(value, Module):
        return bool(value.parameters())
    return isinstance(value, Tensor) and value.requires_grad


def _no_parameter(path: str, result: Tensor) -> TypeError:
    return TypeError(
        f"{path} would be {errors.describe(result)}, which is no parameter: only leaf Tensors are "
        "learned and saved. Compute the numbers first, Tensor(0.01 * numbers, requires_grad=True); "
        "or keep t.detach()"
    )


def _is_part(value: Any) -> bool:
    """Whether it is, or may hold, what a function under jit finds in a module."""
    is_leaf = isinstance(value, Tensor) and value.is_leaf
    return is_leaf or callable(value) or isinstance(value, list | tuple | dict)


def _refuse_results(path: str, value: Any) -> None:
    """Refuse a result, alone or in lists, tuples and dicts, and a generator of what is to come."""
    stack = [(path, value)]
    seen = set()
    while stack:
        path, value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor) and not value.is_leaf:
            raise _no_parameter(path, value)
        if isinstance(value, GeneratorType | map):
            raise TypeError(
                f"{path} is of type {type(value).__name__}, which can be gone through only once, "
                "and in which a module does not look for parameters: write list(...) around it"
            )
        stack += [(f"{path}.{key}", item) for key, item in _items(path, value)]


def _refuse_what_is_lost(module: Module) -> None:
    """Refuse what is to be learned where a module that is built does not look for it."""
    kind = type(module).__name__
    if not mode.get().variables:
        for name, value in vars(module).items():
            _refuse_results(f"{kind}.{name}", value)  # what was appended to a list
    kept = {id(part) for part in module.parameters()}
    kept |= {id(part) for _, part in module.named_modules()}
    for base in type(module).__mro__:
        for name, value in vars(base).items():
            if name not in vars(module) and any(map(_is_to_be_learned, _with_items(value))):
                raise TypeError(
                    f"{base.__name__}.{name} belongs to the class, so that all its modules would "
                    f"share it, and none would learn it: write self.{name} = ... in __init__"
                )
    for name, holder in vars(module).items():
        if isinstance(holder, Module | Tensor | type):
            continue
        for inner, value in getattr(holder, "__dict__", {}).items():
            if any(_is_to_be_learned(x) and id(x) not in kept for x in _with_items(value)):
                raise TypeError(
                    f"{kind}.{name} is of type {type(holder).__name__}, which is no nn.Module, so "
                    f"that its {inner} would not be learned: write class {type(holder).__name__}"
                    "(nn.Module)"
                )


def _with_items(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else [value]


class Linear(Module):
    """The affine map ``x @ weight.T + bias``, from (N, in_features) to (N, out_features).

    ``weight`` is (out_features, in_features), ``bias`` (out_features,) or None. Both start uniform
    in +-1/sqrt(in_features), as in PyTorch, drawn from ``rng``: a ``np.random.Generator``, a seed,
    or None for fresh randomness. ``dtype`` is float16, float32 or float64. Raises ValueError if a
    size is less than 1, or more than memory holds, TypeError for a size that is no integer, a bias
    that is neither True nor False, and another dtype.

    >>> from tinygrad_edu import nn
    >>> linear = nn.Linear(3, 2, rng=0)
    >>> linear.weight.shape, linear.bias.shape
    ((2, 3), (2,))
    >>> linear([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [3.0, 2.0, 1.0], [1.0, 1.0, 1.0]]).shape
    (4, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float64,
    ) -> None:
        for size in (in_features, out_features):
            if not isinstance(size, int | np.integer):
                raise TypeError(
                    "Linear takes two sizes, each an integer, but got "
                    f"{errors.short(size)}: write n // 2 for n / 2, and x.shape[1] for x.shape"
                )
        if in_features < 1 or out_features < 1:
            raise ValueError(
                f"Linear({in_features}, {out_features}): both sizes must be at least 1"
            )
        if not isinstance(bias, bool | np.bool_):
            raise TypeError(
                f"bias is True or False, but got {type(bias).__name__}; a seed is rng=0"
            )
        rng = np.random.default_rng(rng)
        bound = float(in_features) ** -0.5

        def start(*shape: int) -> Tensor:
            try:
                numbers = rng.uniform(-bound, bound, shape)
            except (MemoryError, OverflowError, ValueError) as error:
                raise ValueError(
                    f"Linear({in_features}, {out_features}) is larger than memory: {error}"
                ) from None
            return Tensor(numbers, requires_grad=True, dtype=dtype)

        self.weight = start(out_features, in_features)
        self.bias = start(out_features) if bias else None

    def __repr__(self) -> str:
        out_features, in_features = self.weight.shape
        return f"Linear({in_features}, {out_features})"

    def forward(self, x: Any) -> Tensor:
        """Scores (N, out_features) of inputs (N, in_features), or (out_features,) of one input.

        Raises ValueError if the last axis of ``x`` does not have in_features elements.
        """
        x = x if isinstance(x, Tensor) else as_array(x)
        try:
            scores: Tensor = x @ self.weight.T
        except ValueError:
            raise ValueError(
                f"{self} takes inputs (N, {self.weight.shape[1]}), but got shape {x.shape}: its "
                "first size is the number of features, x.shape[-1]"
            ) from None
        return scores if self.bias is None else scores + self.bias


class Sequential(Module):
    """Modules and plain functions, each applied to the output of the one before.

    Raises TypeError for what cannot be called.

    >>> from tinygrad_edu import nn
    >>> from tinygrad_edu.functional import sigmoid
    >>> model = nn.Sequential(nn.Linear(4, 8, rng=0), sigmoid, nn.Linear(8, 3, rng=1))
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for layer in layers:
            if not callable(layer):
                raise TypeError(
                    f"Sequential takes modules and functions, but got {errors.short(layer)}: "
                    "write nn.Sequential(*layers) for a list"
                )
        self._count = len(layers)
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)  # so that names are those of PyTorch: 0.weight

    def __repr__(self) -> str:
        names = (getattr(layer, "__name__", repr(layer)) for layer in self._layers())
        return f"Sequential({', '.join(names)})"

    def forward(self, x: Any) -> Any:
        """The output of the last layer."""
        for layer in self._layers():
            x = layer(x)
        return x

    def _layers(self) -> list[Callable[[Any], Any]]:
        return [getattr(self, str(i)) for i in range(self._count)]
