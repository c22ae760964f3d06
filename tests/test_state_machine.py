"""Random programs with changes, modes and refusals, against an engine that sums over paths."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

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


class Value:
    """A Tensor, and what an obviously right engine knows of it."""

    def __init__(self, tensor, requires_grad, parents=()):
        self.tensor, self.requires_grad = tensor, requires_grad
        self.parents = parents  # (value, matrix of derivatives, its version when it was used)
        self.data = tensor.numpy()
        self.version = 0
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


class Programs(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.values = []

    @rule(numbers=st.tuples(*[st.floats(-1, 1)] * 2), requires_grad=st.booleans())
    def create(self, numbers, requires_grad):
        tensor = Tensor(list(numbers), requires_grad=requires_grad)
        self.values.append(Value(tensor, requires_grad))

    def pick(self, position):
        return self.values[position % len(self.values)]

    @rule(name=st.sampled_from(sorted(OPERATIONS)), i=st.integers(0, 99), j=st.integers(0, 99))
    def operate(self, name, i, j):
        if self.values:
            compute, derive = OPERATIONS[name]
            operands = [self.pick(i), self.pick(j)]
            matrices = derive(*(operand.data for operand in operands))
            result = compute(*(operand.tensor for operand in operands))
            used = operands[: len(matrices)]
            requires_grad = any(operand.requires_grad for operand in used)
            parents = [(v, m, v.version) for v, m in zip(used, matrices, strict=True)]
            if np.abs(result.data).max() < 1e3 and self.paths(used) < 200:
                self.values.append(Value(result, requires_grad, parents if requires_grad else ()))

    @staticmethod
    def paths(values):
        return sum(Programs.paths([p for p, *_ in v.parents]) or 1 for v in values)

    @rule(i=st.integers(0, 99), j=st.integers(0, 99))
    def operate_without_recording(self, i, j):
        if self.values:
            with no_grad():
                result = self.pick(i).tensor + self.pick(j).tensor
            self.values.append(Value(result, False))

    @rule(i=st.integers(0, 99))
    def detach(self, i):
        if self.values:
            self.values.append(Value(self.pick(i).tensor.detach(), False))

    @rule(i=st.integers(0, 99), in_place=st.booleans())
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

    @rule(i=st.integers(0, 99), retain_graph=st.booleans(), weight=st.floats(-2, 2))
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

    @rule(i=st.integers(0, 99))
    def forget_gradient(self, i):
        if self.values:
            self.pick(i).tensor.zero_grad()
            self.pick(i).grad = None

    @rule(i=st.integers(0, 99))
    def drop(self, i):
        if self.values:
            self.values.pop(i % len(self.values))

    @invariant()
    def data_and_gradients_agree(self):
        for value in self.values:
            if value.is_stale():
                continue  # a result may be a view of what has changed; backward refuses it
            np.testing.assert_allclose(value.tensor.data, value.data, atol=1e-12)
            if value.grad is None:
                assert value.parents or value.tensor.grad is None
            else:
                np.testing.assert_allclose(value.tensor.grad, value.grad, rtol=1e-9, atol=1e-9)


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
