"""Random programs with changes, threads and refusals, against an engine that sums over paths.

Changes are assignments, writes to elements, also through arrays got before, and freezing.
"""

import threading

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tinygrad_edu import Tensor, no_grad

SWAP, DOUBLE_FIRST = np.eye(2)[::-1], np.array([[1.0, 0.0], [1.0, 0.0]])

# Each operation on vectors of two, with the matrix of its derivatives by each operand.
OPERATIONS = {
    "add": (lambda a, b: a + b, lambda a, b: [np.eye(2), np.eye(2)]),
    "subtract": (lambda a, b: a - b, lambda a, b: [np.eye(2), -np.eye(2)]),
    "multiply": (lambda a, b: a * b, lambda a, b: [np.diag(b), np.diag(a)]),
    "tanh": (lambda a, _: np.tanh(a), lambda a, b: [np.diag(1 - np.tanh(a) ** 2)]),
    "reverse": (lambda a, _: a[::-1], lambda a, b: [SWAP]),
    "repeat": (lambda a, _: a[[0, 0]], lambda a, b: [DOUBLE_FIRST]),
    "halve": (lambda a, _: 0.5 * a, lambda a, b: [np.eye(2) / 2]),
}


positions = st.integers(-4, 3)  # in the list of values: the first ones, and the last ones


class Value:
    """A Tensor, and what an obviously right engine knows of it."""

    def __init__(self, tensor, requires_grad, parents=()):
        self.tensor, self.requires_grad = tensor, requires_grad
        self.parents = parents  # (value, matrix of derivatives, its version when it was used)
        self.data = tensor.numpy()
        self.version = 0
        self.held = None  # the array that was got by data, and is still that of the Tensor
        self.grad = None
        self.spent = False

    def is_stale(self):
        """Whether something on a way to this value has changed since it was used."""
        return any(
            parent.version != version or (parent.requires_grad and parent.is_stale())
            for parent, _, version in self.parents
        )

    def add_gradients(self, g):
        """Walk every path to every leaf, one by one, and add up what arrives."""
        if not self.parents:
            self.grad = g if self.grad is None else self.grad + g
        for parent, matrix, _ in self.parents:
            if parent.requires_grad:
                parent.add_gradients(matrix.T @ g)


def at_once(*works):
    """Run functions in threads, all at the same time."""
    barrier = threading.Barrier(len(works))
    raised = []

    def run(work):
        barrier.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


class Programs(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.values = []
        self.written = 0

    @initialize()
    def begin(self):
        """With something to differentiate, so that few steps find nothing to do."""
        self.create((0.5, -0.25), requires_grad=True)
        self.create((0.75, 0.125), requires_grad=False)
        self.operate("multiply", 0, 1)

    @rule(numbers=st.tuples(*[st.floats(-1, 1)] * 2), requires_grad=st.booleans())
    def create(self, numbers, requires_grad):
        tensor = Tensor(list(numbers), requires_grad=requires_grad)
        self.values.append(Value(tensor, requires_grad))

    def pick(self, position):
        return self.values[position % len(self.values)]

    @rule(name=st.sampled_from(sorted(OPERATIONS)), i=positions, j=positions)
    def operate(self, name, i, j):
        if self.values:
            compute, derive = OPERATIONS[name]
            operands = [self.pick(i), self.pick(j)]
            matrices = derive(*(operand.data for operand in operands))
            result = compute(*(operand.tensor for operand in operands))
            used = operands[: len(matrices)]
            requires_grad = any(operand.requires_grad for operand in used)
            parents = [(v, m, v.version) for v, m in zip(used, matrices, strict=True)]
            if np.abs(result.numpy()).max() < 1e3 and self.paths(used) < 200:
                self.values.append(Value(result, requires_grad, parents if requires_grad else ()))

    @staticmethod
    def paths(values):
        return sum(Programs.paths([p for p, *_ in v.parents]) or 1 for v in values)

    @rule(i=positions, j=positions)
    def operate_without_recording(self, i, j):
        if self.values:
            with no_grad():
                result = self.pick(i).tensor + self.pick(j).tensor
            self.values.append(Value(result, False))

    @rule(i=positions)
    def detach(self, i):
        if self.values:
            self.values.append(Value(self.pick(i).tensor.detach(), False))

    @rule(i=positions, in_place=st.booleans())
    def change(self, i, in_place):
        if self.values:
            value = self.pick(i)
            if value.parents:
                with pytest.raises(RuntimeError, match="was computed"):
                    value.tensor.data = [0.0, 0.0]
                return
            if in_place:
                value.tensor.data -= 0.125
            else:
                value.tensor.data = value.tensor.data - 0.125
            value.data = value.data - 0.125
            value.version += 1
            value.held = None

    @rule(i=positions)
    def hold(self, i):
        if self.values:
            value = self.pick(i)
            value.held = value.tensor.data

    @rule(i=positions, element=st.integers(0, 1))
    def write(self, i, element):
        if self.values:
            value = self.pick(i)
            self.written += 1
            number = self.written / 64  # a new one each time
            array = value.tensor.data if value.held is None else value.held
            if value.parents:
                with pytest.raises(ValueError, match="read-only"):
                    array[element] = number
                return
            array[element] = number
            value.data = np.where([element == 0, element == 1], number, value.data)
            value.version += 1

    @rule(i=positions, requires_grad=st.booleans())
    def freeze(self, i, requires_grad):
        if self.values:
            value = self.pick(i)
            if value.parents:
                with pytest.raises(RuntimeError, match="was computed"):
                    value.tensor.requires_grad = requires_grad
                return
            value.tensor.requires_grad = requires_grad
            value.version += value.requires_grad != requires_grad
            value.requires_grad = requires_grad

    @rule(i=positions, retain_graph=st.booleans(), weight=st.floats(-2, 2))
    def backward(self, i, retain_graph, weight):
        if self.values:
            value = self.pick(i)
            g = np.array([weight, 1.0])
            if not value.requires_grad or value.spent or value.is_stale():
                with pytest.raises(RuntimeError, match=r"requires no|twice|changed"):
                    value.tensor.backward(g)
                return
            value.tensor.backward(g, retain_graph=retain_graph)
            value.add_gradients(g)
            value.spent = bool(value.parents) and not retain_graph

    @rule(i=positions, j=positions, retain_graph=st.booleans())
    def backward_of_two_at_once(self, i, j, retain_graph):
        """From two results, which may share a part of their graphs, or a leaf with new results."""
        if self.values:
            values = [self.pick(i), self.pick(j)]
            if any(not v.requires_grad or v.spent or v.is_stale() for v in values):
                return
            if values[0] is values[1] and values[0].parents and not retain_graph:
                return  # then one of them is refused, but which is up to the threads
            at_once(*(lambda t=v.tensor: t.backward([1.0, 2.0], retain_graph) for v in values))
            for value in values:
                value.add_gradients(np.array([1.0, 2.0]))
                value.spent = bool(value.parents) and not retain_graph

    @rule(i=positions, count=st.integers(2, 4))
    def compute_in_threads(self, i, count):
        if self.values:
            value = self.pick(i)
            if not value.requires_grad or value.spent or value.is_stale():
                return
            if value.parents:
                return  # what goes through a result goes to its leaves, which are picked, too
            at_once(*(lambda: (value.tensor * 3.0).backward([1.0, 2.0]) for _ in range(count)))
            value.add_gradients(count * 3.0 * np.array([1.0, 2.0]))

    @rule(i=positions)
    def forget_gradient(self, i):
        if self.values:
            self.pick(i).tensor.zero_grad()
            self.pick(i).grad = None

    @rule(i=positions)
    def drop(self, i):
        if self.values:
            self.values.pop(i % len(self.values))

    @invariant()
    def data_and_gradients_agree(self):
        for value in self.values:
            if value.is_stale():
                continue  # a result may be a view of what has changed; backward refuses it
            np.testing.assert_allclose(value.tensor.numpy(), value.data, atol=1e-12)
            if value.grad is None:
                assert value.parents or value.tensor.grad is None
            else:
                np.testing.assert_allclose(value.tensor.grad, value.grad, rtol=1e-9, atol=1e-9)


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
