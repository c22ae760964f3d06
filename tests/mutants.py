"""A plugin of pytest that breaks the engine before the tests are imported: see test_mutants.

With this folder in PYTHONPATH: ``TINYGRAD_MUTANT="no order" python -m pytest -p mutants``. A mutant
names what it replaces, and how to make the broken from the right one: ``module.name`` is replaced
wherever it was imported, ``module:name`` in this module alone.
"""

import functools
import importlib
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from types import CodeType, FunctionType, SimpleNamespace

import numpy as np
import pytest

from tinygrad_edu import backprop, errors, inputs, modes, ops, tensor
from tinygrad_edu.backprop import plain
from tinygrad_edu.optim import SGD
from tinygrad_edu.tensor import Tensor

BROKEN_ITSELF = 9  # the exit status where a mutant, not the engine, is to be mended

# How to replace.


def break_engine(mutant):
    """Replace what a mutant names; if it is no longer there, no test runs."""
    for name, make in mutant.items():
        module, path = name.split(":" if ":" in name else ".", maxsplit=1)
        try:
            home = importlib.import_module(f"tinygrad_edu.{module}")
            *owners, attribute = path.split(".")
            owner = functools.reduce(getattr, owners, home)
            old = getattr(owner, attribute)
            new = make(old)
        except (AttributeError, ImportError, LookupError) as error:
            raise pytest.UsageError(f"this mutant cannot break {name}: {error}") from error
        setattr(owner, attribute, new)
        if owner is home and ":" not in name:
            for other in [m for n, m in sys.modules.items() if n.startswith("tinygrad_edu")]:
                for alias in [n for n, value in vars(other).items() if value is old]:
                    setattr(other, alias, new)


def around(wrapper):
    """Decorate ``wrapper(old, *args)``: what comes back makes a function from the old one."""

    def make(old):
        return functools.wraps(old)(lambda *args, **kwargs: wrapper(old, *args, **kwargs))

    return make


class Names(dict):
    """Some global names, and for all others those of a module, which a test may replace."""

    def __init__(self, module, names):
        super().__init__(names)
        self.module = module

    def __missing__(self, name):
        return self.module[name]


def seeing(**names):
    """Make a copy of a function, for which these global names stand for something else."""

    def make(old):
        unused = names.keys() - _names_in(old.__code__)
        if unused:
            raise LookupError(f"it does not use {', '.join(unused)}")
        scope = Names(old.__globals__, names)
        new = FunctionType(old.__code__, scope, old.__name__, old.__defaults__, old.__closure__)
        new.__kwdefaults__ = old.__kwdefaults__
        return functools.update_wrapper(new, old)

    return make


def _names_in(code):
    inner = [_names_in(const) for const in code.co_consts if isinstance(const, CodeType)]
    return {*code.co_names}.union(*inner)


def getter(make):
    return lambda old: property(make(old.fget), old.fset)


def setter(make):
    return lambda old: property(old.fget, make(old.fset))


def constant(value):
    return lambda old: value


# The backward pass.


def backpropagation(asks="after", adds=True, tensors=True, constants=False, tells=True):
    """``backpropagate`` written plainly, with a switch for each thing that can be forgotten."""

    def ask(node):
        for arg in node.args:
            if backprop.changed_since(arg, node):
                raise errors.stale(arg, node)

    def backpropagate(root, gradient, order, *, on_tensors=False):
        gradients = {root: gradient}
        watchers = modes.mode.get().watchers
        for node in order:
            g, rules = gradients.pop(node), ops.derivatives[node.op]
            if asks == "before":
                ask(node)
            y, *known = [x if on_tensors and tensors else plain(x) for x in (node, *node.args)]
            if asks == "after":
                ask(node)
            known = [] if isinstance(rules, ops.Each) else known
            for arg, rule in zip(node.args, rules, strict=False):
                if isinstance(arg, Tensor) and rule and (arg.requires_grad or constants):
                    with np.errstate(all="ignore") if watchers else nullcontext():
                        pulled = rule(g, y, *known, **node.params)
                        if getattr(pulled, "shape", None) != arg.shape:
                            pulled = backprop.unbroadcast(pulled, arg.shape, node)
                        if adds and arg in gradients:
                            pulled = gradients[arg] + pulled
                    gradients[arg] = pulled
                    for watcher in watchers if tells else ():
                        watcher.pulled_back(node, arg, pulled)
        return gradients

    return lambda old: functools.wraps(old)(backpropagate)


def ordering(sorts=True):
    """``topological_order`` written plainly: depth first and, if it ``sorts``, by time."""

    def topological_order(root, sources=frozenset()):
        seen, results, waiting = {*sources}, [], [root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Tensor) and not node.is_leaf and node not in seen:
                seen.add(node)
                results.append(node)
                waiting += node.args
        return sorted(results, key=lambda node: node._time, reverse=True) if sorts else results

    return lambda old: functools.wraps(old)(topological_order)


@around
def first_slice(unbroadcast, g, shape, node):
    summed = unbroadcast(g, shape, node)
    if np.ndim(g) == 0:
        return summed
    ones = tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)
    return g[(0,) * (g.ndim - len(shape)) + ones]


@around
def any_shape(unbroadcast, g, shape, node):
    try:
        return unbroadcast(g, shape, node)
    except ValueError:
        return g


@around
def oldest_first(topological_order, *args):
    return topological_order(*args)[::-1]


@around
def root_alone(topological_order, *args):
    return topological_order(*args)[:1]


@around
def past_sources(topological_order, root, sources=()):
    return topological_order(root)


@around
def forgets_before(backpropagate, *args):
    found = backpropagate(*args)
    for leaf in found:
        leaf.zero_grad()
    return found


@around
def forgets_on_error(backpropagate, root, gradient, order):
    try:
        return backpropagate(root, gradient, order)
    except BaseException:
        for leaf in {arg for node in order for arg in node.args if isinstance(arg, Tensor)}:
            leaf.zero_grad()
        raise


@around
def retains(backward, self, gradient=None, retain_graph=False):
    backward(self, gradient, retain_graph=True)


@around
def ignores_gradient(backward, self, gradient=None, retain_graph=False):
    backward(self, None if gradient is None else np.ones(self.shape), retain_graph)


# Data and time.


class SharingNumPy:
    """NumPy, but ``array`` makes no copy where it need not."""

    array = staticmethod(np.asarray)

    def __getattr__(self, name):
        return getattr(np, name)


def shares(old):
    """Make a function that shares the memory that it should copy by ``np.array``."""
    return seeing(np=SharingNumPy())(old)


@around
def takes_as_it_is(copied, x, *args):
    return x if isinstance(x, np.ndarray) else copied(x, *args)


@around
def shares_data(method, self):
    result = method(self)
    result._value = self._value
    return result


@around
def shares_views(record, op, args, params=backprop.NO_PARAMS):
    result = record(op, args, params)
    if result.is_leaf and op in (np.reshape, np.transpose, np.broadcast_to, ops.broadcast):
        result._value = op(*map(plain, args), **params)
    return result


UNLOCKED = seeing(changing=nullcontext())  # the lock of tensor


@constant
def at_hand(leaf, now):
    return leaf._lent or (leaf._value, leaf._time)


@constant
def as_lent(leaf, now):
    return leaf._value, now


@around
def undated(change, leaf, value):
    time = leaf._time
    change(leaf, value)
    leaf._time = time


@around
def still_lent(replace, leaf, value):
    lent = leaf._lent
    replace(leaf, value)
    leaf._lent = lent


@around
def in_place(replace, leaf, value):
    array = np.asarray(plain(leaf))
    np.copyto(array, value)
    replace(leaf, array)


@around
def dated_late(record, *args):
    result = record(*args)
    result._time = next(tensor.clock)
    return result


@around
def constants_require(record, *args):
    result = record(*args)
    if result.is_leaf and modes.is_recording() and result.dtype.kind == "f":
        result.requires_grad = True
    return result


@around
def writable(data, self):
    return data(self) if self.is_leaf else np.asarray(self._value)


def repeats_once(rules):
    (right,) = rules[ops.getitem]

    def wrong(g, y, x, index):
        if isinstance(g, Tensor):
            return right(g, y, x, index)
        places = np.zeros(x.shape, g.dtype)
        places[index] = g
        return places

    return rules | {ops.getitem: (wrong,)}


# Modes and transforms.


class OfAllThreads:
    """As the variable ``mode``, but not of a thread or task."""

    def __init__(self, mode):
        self.state = mode.get()

    def get(self):
        return self.state

    def set(self, state):
        self.state = state


class NeverBack:
    """As the variable ``mode``, but variables that came stay."""

    def __init__(self, mode):
        self.mode, self.get = mode, mode.get

    def set(self, state):
        if state.variables > self.get().variables:
            self.mode.set(state)


@around
def ends_all(leave, *args):
    modes.mode.set(modes.mode.get()._replace(paused=0))


def still_paused(state):
    return lambda paused, *rest: state(modes.mode.get().paused, *rest)


def innermost_alone(state):
    return lambda *rest: state(*rest[:3], rest[3] - modes.mode.get().variables)


@around
def not_nested(gradients, y, order, variables, nested, *seed):
    return gradients(y, order, variables, False, *seed)


@around
def value_cut_off(differentiate, *args):
    value, derivatives = differentiate(*args)
    return np.array(plain(value)), derivatives


@around
def no_others(depending_on, *args):
    return depending_on(*args)[0], False


@around
def cut_off(variable, arg, recorded):
    return variable(arg, False)


@around
def same_variable(variable, arg, recorded):
    known = recorded and isinstance(arg, Tensor) and arg.requires_grad
    return arg if known else variable(arg, recorded)


@around
def refuses_to_look(numbers, x, **_):
    return numbers(x)


OPEN = seeing(numbers=lambda x, **_: plain(x))

# Around the engine.


@around
def without_momentum(step, self):
    step(SGD(self.params, self.lr, self.momentum, self.weight_decay, self.nesterov))


@around
def not_aligned(minibatches, *arrays, **options):
    def backwards(batch):
        return (batch[0], *(c[::-1] for c in batch[1:])) if len(arrays) > 1 else batch

    return map(backwards, minibatches(*arrays, **options))


@around
def same_order(minibatches, *arrays, rng=None, **options):
    rng = np.random.default_rng(0) if isinstance(rng, np.random.Generator) else rng
    return minibatches(*arrays, rng=rng, **options)


# Functions under jit.


@around
def unchecked(needed, *args):
    return [line for line in needed(*args) if line.value is not None]


class Everything:
    """A set of all that there is."""

    def __contains__(self, x):
        return True

    def add(self, x):
        pass


@around
def unasked(places, lines, *args):
    lines.labels = Everything()
    return places(lines, *args)


@around
def never_repeated(not_repeated, x, other):
    return x.args[0] if getattr(x, "op", None) is ops.broadcast else x


@around
def loud(make, *args):
    line = make(*args)
    line.quiet = ()
    return line


@around
def too_early(release, self, i, operands):
    operands = list(operands)
    self._last |= {root: i for x in operands for root in self.roots.get(x, ())}
    release(self, i, operands)


@around
def places_all(place, self, line):
    self._leaving = set()
    return place(self, line)


@around
def cut_off_results(made_of, self, value, kind, *rest):
    return made_of(self, value, kind and (False, 0), *rest)


@around
def as_it_was(assigner, changes, read):
    return assigner(changes, [])


MUTANTS = {
    # the chain rule in reverse
    "gradients are not summed over broadcast axes": {"backprop.unbroadcast": first_slice},
    "a rule may give any shape": {"backprop.unbroadcast": any_shape},
    "contributions replace each other": {"backprop.backpropagate": backpropagation(adds=False)},
    "oldest first": {"backprop.topological_order": oldest_first},
    "no order": {"backprop.topological_order": ordering(sorts=False)},
    "parents are not visited": {"backprop.topological_order": root_alone},
    "sources are passed": {"backprop.topological_order": past_sources},
    "rules see arrays where Tensors are due": {
        "backprop.backpropagate": backpropagation(tensors=False)
    },
    "constants are differentiated": {"backprop.backpropagate": backpropagation(constants=True)},
    "nobody watches gradients": {"backprop.backpropagate": backpropagation(tells=False)},
    "repeats are lost": {"ops.derivatives": repeats_once},
    # backward
    "leaves do not accumulate": {"tensor:backpropagate": forgets_before},
    "an error forgets gradients": {"tensor:backpropagate": forgets_on_error},
    "gradients alias": {"tensor._add_gradients": shares},
    "a second backward is allowed": {"tensor.Tensor.backward": retains},
    "the gradient of the result is ignored": {"tensor.Tensor.backward": ignores_gradient},
    "threads add at the same time": {"tensor._add_gradients": UNLOCKED},
    # time
    "stale data is not noticed": {"backprop.backpropagate": backpropagation(asks="never")},
    "stale data is asked for before it is read": {
        "backprop.backpropagate": backpropagation(asks="before")
    },
    "changed data is not dated": {"tensor.Tensor.data": setter(undated)},
    "a switch of requires_grad is not dated": {"tensor.Tensor.requires_grad": setter(undated)},
    "an optimizer's step is not dated": {"optim.optimizer:replace": undated},
    "a leaf is not marked while it changes": {"tensor.replace": seeing(inf=-1.0)},
    "threads change a leaf at the same time": {"tensor.replace": UNLOCKED},
    "to read a number undoes a change": {"tensor.lend": UNLOCKED},
    "elements that are written are not noticed": {"backprop.look": at_hand},
    "what is written is noticed in backward alone": {"tensor:look": as_lent},
    "arrays got before stay with the leaf": {"tensor.replace": still_lent},
    "a result is dated when it is there": {"tensor.record": dated_late},
    # memory
    "data is shared": {"inputs.as_data": takes_as_it_is},
    "numpy() shares": {"tensor.Tensor.numpy": shares},
    "__array__ shares": {"tensor.Tensor.__array__": shares},
    "detach shares": {"tensor.Tensor.detach": shares_data},
    "indices are shared": {"inputs.own_part": takes_as_it_is},
    "views of constants are shared": {"tensor.record": shares_views},
    "data of results is writable": {"tensor.Tensor.data": getter(writable)},
    "an optimizer writes into old data": {"optim.optimizer:replace": in_place},
    # what is recorded
    "constants get gradients": {"tensor.record": constants_require},
    "detach does not cut off": {"tensor.Tensor.detach": constant(lambda self: +self)},
    "no_grad records": {"modes.no_grad.__enter__": constant(lambda self: None)},
    "no_grad does not end": {"modes.no_grad.__exit__": constant(lambda self, *_: None)},
    "an inner no_grad ends the outer one": {"modes.no_grad.__exit__": ends_all},
    "modes are those of all threads": {"modes.mode": OfAllThreads},
    # transforms
    "outside variables are cut off": {"transforms._depending_on": no_others},
    "arguments are cut off": {"transforms._variable": cut_off},
    "an inner variable is the outer one": {"transforms._variable": same_variable},
    "nested gradients are cut off": {"transforms._gradients": not_nested},
    "nested values are cut off": {"transforms._differentiate": value_cut_off},
    "grad within no_grad records nothing": {"transforms:State": still_paused},
    "grad never ends": {"transforms:mode": NeverBack},
    # the one door out of the graph
    "grad lets every number out": {"tensor.numbers": constant(lambda x, **_: plain(x))},
    "nothing depends on anything": {"backprop.depends_on": constant(lambda *_: False)},
    "everything depends on everything": {"backprop.depends_on": constant(lambda *_: True)},
    "grad refuses to look": {"tensor.numbers": refuses_to_look},
    "grad knows its innermost variables alone": {"transforms:State": innermost_alone},
    "item is a door": {"tensor.Tensor.item": OPEN},
    "data is a door": {"tensor.Tensor.data": getter(OPEN)},
    "numpy is a door": {"tensor.Tensor.numpy": OPEN},
    "tolist is a door": {"tensor.Tensor.tolist": OPEN},
    "backward inside grad is allowed": {
        "tensor.Tensor.backward": seeing(depends_on=lambda *_: False)
    },
    # around the engine
    "momentum is forgotten": {"optim.SGD.step": without_momentum},
    "rows are not aligned": {"data.minibatches": not_aligned},
    "every epoch has the same order": {"data.minibatches": same_order},
    "debug locks nothing": {"locks.Locks.lock": constant(lambda *_: None)},
    # the lines of a program
    "a check of data is dropped": {"rewrites.needed": unchecked},
    "equal calls are one, whatever they give": {"tracing.is_repeated": constant(lambda *_: True)},
    "labels need not be checked": {"rewrites._places": unasked},
    "all broadcasts are left out": {"rewrites._not_repeated": never_repeated},
    "warnings are those around the call": {"tracing.Trace._line": loud},
    "settings are constant": {
        "tracing.Trace.live": constant(lambda self, settings, name: settings)
    },
    "a learning rate is no choice of the program": {
        "guards._all_of": around(
            lambda all_of, title, parameters, conditions, names: all_of(
                title, parameters, [c for c in conditions if "] ==" not in c], names
            )
        )
    },
    # its memory
    "memory is used again too early": {"programs.Memory.release": too_early},
    "results are put into buffers": {"programs.Memory.place": places_all},
    "what leaves is not copied": {
        "programs.Text.leaving": constant(
            lambda self, x, _: "None" if x is None else self._names.word(x)
        )
    },
    "threads share buffers": {"compiling:threading": constant(SimpleNamespace(Lock=nullcontext))},
    "gradients of other threads are lost": {"programs.assigner": as_it_was},
    # what chooses a program, and what is refused
    "a program is for all shapes": {"guards._of_argument": constant(lambda *_: [])},
    "a program fits always": {
        "compiling._Compiled.takes": constant(
            lambda self, keywords, paused, values: len(values) == self._count
        )
    },
    "names are not looked at": {"compiling:names_of": constant(lambda *_: ())},
    "modules never have another part": {"nn._is_part": constant(lambda *_: False)},
    "two runs need not agree": {"compiling.check_same": constant(lambda *_: None)},
    "arrays in names are taken": {"compiling:holds_arrays": constant(lambda *_: False)},
    "arrays elsewhere are taken": {"tracing.Trace.given": constant(lambda *_: None)},
    "python looks at numbers": {
        "tracing.TracedArray.__bool__": constant(lambda self: bool(self._value))
    },
    "masks are constant": {"tracing.Trace._check_index": constant(lambda *_: None)},
    "what was written to is used": {"tracing.Trace.write": constant(lambda *_: None)},
    "results under jit are cut off": {"compiling._Compiled._made_of": cut_off_results},
}

# This computes what the engine computes, so mutants are not noticed for being written anew.
UNBROKEN = {
    "written anew": {
        "backprop.backpropagate": backpropagation(),
        "backprop.topological_order": ordering(),
        "tensor._add_gradients": seeing(np=np),
        "inputs.as_data": seeing(check_dtype=inputs.check_dtype),
        "tensor.replace": seeing(next=next),
        "tensor.record": around(lambda record, *args: record(*args)),
    },
}


# What pytest calls.


def pytest_configure():
    errors.NOT_THE_USERS += (__file__,)  # so that messages name the same lines as before
    break_engine({**UNBROKEN, **MUTANTS}[os.environ["TINYGRAD_MUTANT"]])


def pytest_exception_interact(call):
    """An error in this file says nothing about the tests."""
    mistakes = (NameError, AttributeError, TypeError)
    where = Path(call.excinfo.traceback[-1].path)
    if isinstance(call.excinfo.value, mistakes) and where == Path(__file__):
        told = call.excinfo.getrepr(style="short")
        pytest.exit(f"the mutant itself is broken: {told}", BROKEN_ITSELF)
