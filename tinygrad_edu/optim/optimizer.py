"""What all optimizers share: groups of parameters, their settings, and what is kept of past steps.

An optimizer is a rule for one parameter, and a memory to start it from; see ``SGD``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Never, NoReturn

import numpy as np

from tinygrad_edu import errors, refusals_of_jit
from tinygrad_edu.asides import live
from tinygrad_edu.backprop import plain
from tinygrad_edu.inputs import as_data
from tinygrad_edu.modes import unwatched, writer, writing
from tinygrad_edu.other_names import OPTIMIZERS, instead
from tinygrad_edu.tensor import Array, Tensor, replace

NOT_A_LIST = (Tensor, Mapping, set)  # of which something is iterated, but not parameters in order


def number(value: Any, low: float, high: float) -> bool:
    """Whether a value is a number from ``low`` up to, and without, ``high``."""
    return not isinstance(value, bool) and low <= value < high


def _refuse_under_jit(name: str) -> None:
    """Refuse to change a setting in a function under jit, which reads it in each call."""
    trace = writing and writer()
    if trace:
        raise trace.refuse(refusals_of_jit.setting_changed(name))


class Setting:
    """A setting of an optimizer: as an attribute it is that of all groups, and checked when set.

    ``allowed`` is asked for a value beside the other settings of its group; ``words`` say what the
    setting is.
    """

    def __init__(self, allowed: Callable[[Any, Mapping[str, Any]], bool], words: str) -> None:
        self.allowed = allowed
        self.words = words

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Any, owner: type) -> Any:
        if optimizer is None:
            return self
        first, *others = (group[self.name] for group in optimizer.groups)
        if any(other != first for other in others):
            raise ValueError(
                f"the groups differ in {self.name}, {[first, *others]}: read "
                f"optimizer.groups[0][{self.name!r}]"
            )
        return first

    def __set__(self, optimizer: Any, value: Any) -> None:
        _refuse_under_jit(self.name)
        values = [self.checked(value, group.settings) for group in optimizer.groups]
        for group, each in zip(optimizer.groups, values, strict=True):
            group.settings[self.name] = each

    def checked(self, value: Any, others: Mapping[str, Any]) -> Any:
        """The value in numbers of Python; ValueError if it is not allowed."""
        try:
            kept = np.asarray(value).tolist()
            kept = tuple(kept) if isinstance(kept, list) else kept  # nobody changes it unchecked
            allowed = self.allowed(kept, others)
        except (TypeError, ValueError):  # of what cannot be compared with a number
            allowed = False
        if not allowed:
            text = "the text " if isinstance(value, str) else ""
            raise ValueError(f"{self.words}, but got {text}{errors.short(value)}")
        return kept


class Group(Mapping[str, Any]):
    """Parameters that share their settings: ``group["params"]``, and ``group["lr"] = 0.1``."""

    def __init__(
        self, kind: type["Optimizer"], params: tuple[Tensor, ...], settings: Mapping[str, Any]
    ) -> None:
        self._kind, self.params = kind, params
        self.settings = {
            name: getattr(kind, name).checked(value, settings) for name, value in settings.items()
        }

    def __getitem__(self, name: str) -> Any:
        return self.params if name == "params" else live(self.settings, "lr")[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self.settings:
            raise KeyError(f"{name!r} is no setting: there are {', '.join(self.settings)}")
        _refuse_under_jit(name)
        self.settings[name] = getattr(self._kind, name).checked(value, self.settings)

    def __iter__(self) -> Iterator[str]:
        return iter(("params", *self.settings))

    def __len__(self) -> int:
        return 1 + len(self.settings)

    def __repr__(self) -> str:
        settings = (f"{name}={value!r}" for name, value in self.settings.items())
        return f"{{{len(self.params)} parameters, {', '.join(settings)}}}"


class Optimizer:
    """Moves parameters by its ``rule``. ``params`` and ``settings`` are as ``SGD`` takes them."""

    # So that a misspelled setting, sgd.Ir = 0.1, is refused.
    __slots__ = ("__weakref__", "_memory", "groups", "params")

    lr = Setting(
        lambda v, _: number(v, 0, np.inf),
        "lr, the step size, is a finite number, not below 0, as schedule(step) gives it",
    )
    weight_decay = Setting(
        lambda v, _: number(v, 0, np.inf), "weight_decay is a finite number, not below 0"
    )

    # What an optimizer is: ``rule`` gives the moved parameter and the memory of the next step,
    # and changes no array; ``start`` gives the memory of the first step.
    start: Callable[[Tensor, Mapping[str, Any]], dict[str, Array]]
    rule: Callable[..., tuple[Array, dict[str, Array]]]

    def __init__(
        self, params: Iterable[Any], settings: Mapping[str, Any], unknown: Iterable[str]
    ) -> None:
        kind = type(self).__name__
        for name in unknown:
            raise TypeError(f"{kind} takes no {name!r}: {instead(name, OPTIMIZERS, settings)}")
        if not isinstance(params, Iterable) or isinstance(params, NOT_A_LIST):
            raise TypeError(
                f"{kind} takes a list of parameters, model.parameters() or [w, b], or of groups of "
                f"them, [{{'params': [w]}}, {{'params': [b], 'lr': 0.1}}], but got "
                f"{errors.short(params)}"
            )
        items = list(params)
        if not items or not all(isinstance(item, Mapping) for item in items):
            items = [{"params": items}]
        groups = []
        for item in items:
            for name in item.keys() - {"params", *settings}:
                there = instead(name, OPTIMIZERS, ["params", *settings])
                raise TypeError(f"a group of {kind} takes no {name!r}: {there}")
            learned = parameters(kind, item.get("params"))
            own = {name: item.get(name, value) for name, value in settings.items()}
            groups.append(Group(type(self), learned, own))
        self.groups = tuple(groups)
        self.params = tuple(p for group in groups for p in group.params)
        self._memory: dict[Tensor, dict[str, Tensor]] = {}
        if not self.params:
            raise ValueError(
                f"{kind} got no parameters to learn: pass model.parameters(), of a model whose "
                "Tensors are made with requires_grad=True"
            )
        if len(set(self.params)) < len(self.params):
            raise ValueError(
                f"{kind} got one parameter twice: it would be moved twice at each step. Leave "
                "one out"
            )

    def __getattr__(self, name: str) -> NoReturn:
        kind = type(self)
        there = instead(
            name, OPTIMIZERS, [n for n in dir(kind) if n[0] != "_" and n not in ("rule", "start")]
        )
        raise AttributeError(f"{kind.__name__} has no {name!r}: {there}")

    def __setattr__(self, name: str, value: Any) -> None:
        if not hasattr(type(self), name):
            self.__getattr__(name)
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.groups))})"

    def step(self, closure: None = None) -> None:
        """Move every parameter that has a gradient once; the others stay.

        Raises RuntimeError if none has, because then ``backward`` was not called, and TypeError for
        a closure, which PyTorch takes.
        """
        if closure is not None:
            raise TypeError("step takes no closure: call it first, closure(), and then step()")
        moved = []
        for group in self.groups:
            settings = live(group.settings, "lr")
            for p in group.params:
                g = p.grad
                if g is None:
                    continue
                memory = self._memory.get(p) or self._started(p, group.settings)
                data = plain(p)
                before = {name: plain(leaf) for name, leaf in memory.items()} if memory else {}
                new, after = self.rule(data, g, before, settings)
                moved.append((p, new.astype(data.dtype, copy=False)))
                if after:
                    moved += [(memory[name], array) for name, array in after.items()]
        if not moved:
            raise RuntimeError("no parameter has a gradient: call loss.backward() before step()")
        for leaf, new in moved:
            replace(leaf, new)

    def _started(self, p: Tensor, settings: Mapping[str, Any]) -> dict[str, Tensor]:
        """The memory of the first step, in Tensors, whose data each step replaces."""
        arrays = self.start(p, settings)
        if not arrays:
            return {}
        with unwatched():  # it is made once, and not in each call of a function under jit
            memory = {name: Tensor(array, name=name) for name, array in arrays.items()}
        self._memory[p] = memory
        return memory

    def zero_grad(self, **others: Never) -> None:
        """Forget all gradients, before the next ``backward`` adds to them."""
        if others:
            raise errors.unknown_parameters(self.zero_grad, [*others])
        for p in self.params:
            p.zero_grad()

    def state_dict(self) -> dict[str, Array]:
        """A copy of the settings of each group, and of what is kept of past steps, by name.

        The names are PyTorch's: ``groups.0.lr``, ``state.0.momentum_buffer``. ``save`` and ``load``
        take it to a file and back. Together with the ``state_dict`` of the model it lets training
        go on as if it had not stopped.
        """
        return self._state([dict(live(g.settings, "lr")) for g in self.groups], self._memory)

    def _state(
        self, settings: list[dict[str, Any]], memories: Mapping[Tensor, Mapping[str, Any]]
    ) -> dict[str, Array]:
        state = {}
        positions = {p: i for i, p in enumerate(self.params)}
        for i, (group, values) in enumerate(zip(self.groups, settings, strict=True)):
            state[f"groups.{i}.params"] = np.array([positions[p] for p in group.params], int)
            state |= {f"groups.{i}.{name}": np.array(value) for name, value in values.items()}
            for p in group.params:
                memory = memories.get(p, {})
                for name, first in self.start(p, values).items():
                    state[f"state.{positions[p]}.{name}"] = np.array(memory.get(name, first))
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set all settings, and what is kept of past steps, as ``state_dict`` has given them.

        Raises KeyError if names are missing or left over, ValueError if a setting is out of range,
        or a shape or a number of parameters differs, TypeError for what is no array of numbers;
        then nothing has changed.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"a state is made by state_dict() or load(path), but got {errors.short(state)}"
            )
        settings = []
        for i, group in enumerate(self.groups):
            given = {name: state.get(f"groups.{i}.{name}", group[name]) for name in group.settings}
            settings.append(Group(type(self), group.params, given).settings)
        expected = self._state(settings, {})
        if expected.keys() != state.keys():
            raise errors.other_state(expected, state)
        memories: dict[Tensor, dict[str, Array]] = {p: {} for p in self.params}
        for name, old in expected.items():
            try:
                array = as_data(state[name])
            except (TypeError, ValueError) as error:
                raise type(error)(f"{name} cannot be loaded: {error}") from None
            if array.shape != old.shape:
                raise ValueError(
                    f"{name} has shape {old.shape}, but state has {array.shape} for it: it is of "
                    "other parameters"
                )
            kind, position, part = name.split(".")
            if kind == "state":
                memories[self.params[int(position)]][part] = array.astype(old.dtype)
        for group, values in zip(self.groups, settings, strict=True):
            group.settings.update(values)
        for p, arrays in memories.items():  # into the Tensors that a program of jit has
            memory = self._memory.setdefault(p, {})
            for name, tensor in memory.items():
                replace(tensor, arrays.pop(name, np.zeros(tensor.shape, tensor.dtype)))
            memory |= {name: Tensor(array, name=name) for name, array in arrays.items()}


def parameters(taker: str, params: Any) -> tuple[Tensor, ...]:
    """The Tensors to learn; TypeError that says which is none."""
    if not isinstance(params, Iterable) or isinstance(params, NOT_A_LIST):
        raise TypeError(
            f"{taker} takes parameters in a list, as in [w, b], but got {errors.short(params)}"
        )
    found = tuple(params)
    for position, p in enumerate(found):
        if not isinstance(p, Tensor) or not (p.requires_grad and p.is_leaf):
            advice = "make it with Tensor(..., requires_grad=True)"
            if isinstance(p, tuple):
                advice = "of a model, pass model.parameters(), which are without names"
            raise TypeError(
                f"{taker} learns leaf Tensors that require a gradient, but got, at position "
                f"{position}, {errors.describe(p)}: {advice}"
            )
    return found
