"""Models: modules that hold parameters, and the layers of a linear classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_edu.modes import scope
from tinygrad_edu.tensor import Array, Tensor


class Module:
    """The base class of models: a subclass assigns Tensors and modules, and defines ``forward``.

    Every leaf Tensor that requires a gradient, in an attribute or in a list, tuple or dict there,
    is a parameter; its name is the path to it: ``layers.0.weight``.

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

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output of the module; calling the module calls this method.

        Raises NotImplementedError in a class that does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward method: define one")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of ``forward``, in a scope of this module."""
        with scope(type(self).__name__, self):
            return self.forward(*args, **kwargs)

    def __repr__(self) -> str:
        shapes = (f"{name} {parameter.shape}" for name, parameter in self.named_parameters())
        return f"{type(self).__name__}({', '.join(shapes)})"

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Each parameter once, with its name; a shared one under the first of its names."""
        for path, value in self._named():
            if isinstance(value, Tensor) and value.requires_grad and value.is_leaf:
                yield path, value

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module, under the name "", and each module in it once, with the path to it."""
        for path, value in self._named():
            if isinstance(value, Module):
                yield path, value

    def _named(self) -> Iterator[tuple[str, Any]]:
        """Every Tensor and module in this one, once, under the first path that leads to it."""
        seen: set[int] = set()
        stack: list[tuple[str, Any]] = [("", self)]
        while stack:
            path, value = stack.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, Tensor | Module):
                yield path, value
            if isinstance(value, Module):
                items: list[tuple[Any, Any]] = list(vars(value).items())
            elif isinstance(value, Mapping):
                items = list(value.items())
            elif isinstance(value, list | tuple):
                items = list(enumerate(value))
            else:
                continue
            stack += [
                (f"{path}.{key}" if path else str(key), item) for key, item in reversed(items)
            ]

    def parameters(self) -> list[Tensor]:
        """The Tensors to learn, each once, in the order of ``named_parameters``."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next ``backward`` adds to them."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, Array]:
        """A copy of the data of each parameter, by name."""
        return {name: parameter.numpy() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the data of every parameter from ``state``, as ``state_dict`` gives it.

        Raises KeyError if names are missing or left over, ValueError if a shape differs, TypeError
        for what is no array of numbers; then no parameter has changed.
        """
        parameters = dict(self.named_parameters())
        if parameters.keys() != state.keys():
            missing = ", ".join(name for name in parameters if name not in state) or "none"
            unknown = ", ".join(name for name in state if name not in parameters) or "none"
            raise KeyError(f"the names of state differ; missing: {missing}; unknown: {unknown}")
        arrays = {}
        for name, parameter in parameters.items():
            try:
                arrays[name] = Tensor(state[name]).data
            except (TypeError, ValueError) as error:
                raise type(error)(f"{name} cannot be loaded: {error}") from None
            if arrays[name].shape != parameter.shape:
                raise ValueError(
                    f"{name} has shape {parameter.shape}, but state has {arrays[name].shape} for it"
                )
        for name, parameter in parameters.items():
            parameter.data = arrays[name]


class Linear(Module):
    """The affine map ``x @ weight.T + bias``, from (N, in_features) to (N, out_features).

    ``weight`` is (out_features, in_features), ``bias`` (out_features,) or None. Both start uniform
    in +-1/sqrt(in_features), as in PyTorch, drawn from ``rng``: a ``np.random.Generator``, a seed,
    or None for fresh randomness. ``dtype`` is float16, float32 or float64. Raises ValueError if a
    size is less than 1, TypeError for another dtype.

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
        if in_features < 1 or out_features < 1:
            raise ValueError(
                f"Linear({in_features}, {out_features}): both sizes must be at least 1"
            )
        rng = np.random.default_rng(rng)
        bound = 1 / np.sqrt(in_features)

        def start(*shape: int) -> Tensor:
            return Tensor(rng.uniform(-bound, bound, shape), requires_grad=True, dtype=dtype)

        self.weight = start(out_features, in_features)
        self.bias = start(out_features) if bias else None

    def __repr__(self) -> str:
        out_features, in_features = self.weight.shape
        return f"Linear({in_features}, {out_features})"

    def forward(self, x: Any) -> Tensor:
        """Scores (N, out_features) of inputs (N, in_features), or (out_features,) of one input.

        Raises ValueError if the last axis of ``x`` does not have in_features elements.
        """
        out_features, in_features = self.weight.shape
        if np.shape(x)[-1:] != (in_features,):
            raise ValueError(
                f"Linear({in_features}, {out_features}) takes inputs (N, {in_features}), but got "
                f"shape {np.shape(x)}"
            )
        scores: Tensor = x @ self.weight.T
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
                raise TypeError(f"Sequential takes modules and functions, but got {layer!r}")
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
