"""Classic mistakes: each engine here is the small one with one behaviour broken.

``check`` is the check that is meant for it, ``mistake`` what it should say is likely, None where
the symptom may come from anything. ``also``: other checks that notice it, too.
"""

from contextlib import contextmanager

import numpy as np
from small_engine import (
    FORWARD,
    RULES,
    Node,
    SmallEngine,
    Value,
    back,
    cross_entropy_rule,
    power_exponent,
)

from tinygrad_edu.testing import mistakes


class Broken(SmallEngine):
    mistake = None
    also = ""


# Rules.


class NegativeAsItself(Broken):
    check, mistake = "operators", mistakes.SIGN
    rules = RULES | {"negative": [lambda g, y, x: g]}


class QuotientUpsideDown(Broken):
    check = "operators"
    also = "plain_numbers programs second_order broadcasting plain_arrays"
    rules = RULES | {"divide": [RULES["divide"][0], lambda g, y, a, b: -g * b / (a * a)]}


class BaseForExponent(Broken):
    check, mistake = "plain_numbers", mistakes.BASE

    def __init__(self):
        super().__init__()
        base, exponent = RULES["power"]

        def rule(g, y, a, b):
            return (base if isinstance(a, float) else exponent)(g, y, a, b)

        self.rules = RULES | {"power": [base, rule]}


class NoReflectedOperators(Broken):
    """x - 2 works, and 2 - x does not."""

    check, mistake = "plain_numbers", mistakes.NO_REFLECTED
    also = "plain_arrays"

    def record(self, op, *args, **params):
        if op == "subtract" and not isinstance(args[0], Node):
            raise TypeError("unsupported operand types")
        return super().record(op, *args, **params)


class ReflectedAsItIs(Broken):
    """2 - x as x - 2."""

    check, mistake = "plain_numbers", mistakes.REVERSED
    also = "programs second_order plain_arrays dtypes"

    def record(self, op, *args, **params):
        if op == "subtract" and not isinstance(args[0], Node):
            args = args[::-1]
        return super().record(op, *args, **params)


class RootForgetsTheChain(Broken):
    check, mistake = "functions", mistakes.CHAIN
    rules = RULES | {"sqrt": [lambda g, y, x: 0.5 / y]}


class AbsoluteAsItself(Broken):
    """The rule is right, and the value is not."""

    check = "functions"
    forward = FORWARD | {"absolute": lambda x: x * 1.0}


class PowersOfZero(Broken):
    check, mistake = "powers", mistakes.POWER_OF_ZERO
    rules = RULES | {"power": [lambda g, y, a, b: g * b * np.float64(a) ** (b - 1), power_exponent]}


class LogarithmOfZero(Broken):
    check, mistake = "powers", mistakes.POWER_OF_ZERO
    rules = RULES | {"power": [RULES["power"][0], lambda g, y, a, b: g * y * np.log(a)]}


class SoftmaxOverflows(Broken):
    check, mistake = "large_numbers", mistakes.OVERFLOW
    forward = FORWARD | {
        "softmax": lambda x, axis=-1: np.exp(x) / np.exp(x).sum(axis, keepdims=True)
    }


class SigmoidOverflows(Broken):
    """Right forward, nan back."""

    check, mistake = "large_numbers", mistakes.OVERFLOW
    rules = RULES | {"sigmoid": [lambda g, y, x: g * np.exp(-x) / (1.0 + np.exp(-x)) ** 2]}


class ClippedCrossEntropy(Broken):
    """log(clip(p)) has no slope where a prediction is as wrong as can be."""

    check = "large_numbers"

    def __init__(self):
        super().__init__()

        def clipped(g, y, x, labels):
            p = FORWARD["softmax"](x)[np.arange(len(labels)), labels]
            return cross_entropy_rule(g, y, x, labels) * (p > 1e-12)[:, None]

        self.rules = RULES | {"cross_entropy": [clipped]}


# Graphs.


class OperandsOnce(Broken):
    """x * x is taken for a product of one operand."""

    check, mistake = "graph", mistakes.OPERANDS

    def args(self, result):
        return list(dict.fromkeys(result.args))


class Assigned(Broken):
    """grad = g for grad += g."""

    check, mistake = "used_twice", mistakes.ASSIGNED
    also = (
        "order deep programs second_backward shared augmented threads second_order cotangents "
        "no_grad"
    )

    def add(self, arg, so_far, contribution):
        return contribution


class OperandsInASet(Broken):
    """x + x has one operand then."""

    check, mistake = "used_twice", mistakes.ASSIGNED
    also = "programs"

    def record(self, op, *args, **params):
        if op == "add" and args[0] is args[1]:
            return super().record(op, args[0], args[1].data)
        return super().record(op, *args, **params)


class BreadthFirst(Broken):
    check, mistake = "order", mistakes.TOO_EARLY
    also = "programs second_order"

    def order(self, root):
        found = [root]
        for value in found:
            for arg in value.args:
                if isinstance(arg, Node) and arg.op is not None and arg not in found:
                    found.append(arg)
        return found


class VisitedAgain(Broken):
    """Whoever gets a gradient hands on all that it has, whenever it gets some."""

    check, mistake = "order", mistakes.TWICE
    also = "programs"

    def pull_back(self, root, gradient, sources=(), on_values=False):
        if on_values or sources:
            return super().pull_back(root, gradient, sources, on_values)
        gradients = {root: gradient}
        waiting = [root]
        while waiting:
            value = waiting.pop(0)
            for i, arg in enumerate(value.args):
                if isinstance(arg, Node) and arg.wanted:
                    g = self.rules[value.op][i](
                        gradients[value], value.data, *value.inputs, **value.params
                    )
                    g = self.unbroadcast(g, arg.shape, value.op)
                    gradients[arg] = self.add(arg, gradients.get(arg), g)
                    if arg.op is not None and arg not in waiting:
                        waiting.append(arg)
        return gradients


class Recursive(Broken):
    check, mistake = "deep", mistakes.RECURSION

    def order(self, root):
        found = {}
        self.visit(root, found)
        return list(found)[::-1]

    def visit(self, value, found):
        for arg in value.args:
            if isinstance(arg, Node) and arg.op is not None and arg not in found:
                self.visit(arg, found)
        found[value] = True


class EveryPath(Broken):
    """Right, but each path from the result to a variable is walked by itself."""

    check, mistake = "wide", mistakes.PATHS

    def pull_back(self, root, gradient, sources=(), on_values=False):
        if on_values or sources:
            return super().pull_back(root, gradient, sources, on_values)
        gradients = {}
        waiting = [(root, gradient)]
        while waiting:
            value, g = waiting.pop()
            if value.op is None:
                gradients[value] = self.add(value, gradients.get(value), g)
            for i, arg in enumerate(value.args):
                if isinstance(arg, Node) and arg.wanted:
                    part = self.rules[value.op][i](g, value.data, *value.inputs, **value.params)
                    waiting.append((arg, self.unbroadcast(part, arg.shape, value.op)))
        return gradients


class GradientsBeginAtOne(Broken):
    """What takes part in a computation has a gradient of 1 until it gets one."""

    check = "unused"

    def record(self, op, *args, **params):
        for arg in args:
            if isinstance(arg, Node) and arg.op is None and arg.wanted:
                arg.unless = 1.0
        return super().record(op, *args, **params)

    def gradient(self, variable):
        return getattr(variable, "unless", None) if variable.grad is None else variable.grad

    def zero(self, variable):
        variable.grad = variable.unless = None


class ConstantsDifferentiated(Broken):
    check, mistake = "constants", mistakes.CONSTANT

    def constant(self, value):
        return self.variable(value)


class ConstantsRecorded(Broken):
    check, mistake = "constants", mistakes.CONSTANTS_RECORDED

    def is_recorded(self, args, result):
        return not self.paused.get() and any(isinstance(arg, Node) for arg in args)

    def constant(self, value):
        constant = self.variable(value)
        self.constants = {*getattr(self, "constants", ()), constant}
        return constant

    def keep(self, variable, g):
        if variable not in getattr(self, "constants", ()):
            super().keep(variable, g)


class ThirdUseDropped(Broken):
    """An array has room for the gradients of two users."""

    check = "programs"

    def pull_back(self, root, gradient, sources=(), on_values=False):
        self.count = {}
        return super().pull_back(root, gradient, sources, on_values)

    def add(self, arg, so_far, contribution):
        self.count[arg] = self.count.get(arg, 0) + 1
        is_array = not isinstance(contribution, Node) and np.ndim(contribution) > 0
        if arg.op is not None and is_array and self.count[arg] > 2:
            return so_far
        return super().add(arg, so_far, contribution)


# More than one way back.


class FirstStays(Broken):
    check, mistake = "two_results", mistakes.FIRST_STAYS

    def keep(self, variable, g):
        if variable.grad is None:
            super().keep(variable, g)


class ResultsKeepGradients(Broken):
    """As micrograd: each result adds to the gradient that it has from the last time."""

    check, mistake = "shared", mistakes.LEFT_FROM_BEFORE
    also = "second_backward"

    def pull_back(self, root, gradient, sources=(), on_values=False):
        self.root = root
        return super().pull_back(root, gradient, sources, on_values)

    def add(self, arg, so_far, contribution):
        if so_far is None and arg.op is not None:
            so_far = arg.grad
        total = super().add(arg, so_far, contribution)
        if arg.op is not None:
            arg.grad = total
        return total


class RootKeepsItsGradient(Broken):
    check, mistake = "second_backward", mistakes.LEFT_FROM_BEFORE

    def backward(self, result, cotangent=None):
        result.times = getattr(result, "times", 0) + 1
        super().backward(result, result.times * (1.0 if cotangent is None else cotangent))


class SecondBackwardSilent(Broken):
    check, mistake = "second_backward", mistakes.SECOND_LOST

    def backward(self, result, cotangent=None):
        if not hasattr(result, "done"):
            result.done = True
            super().backward(result, cotangent)


class FreedSilently(Broken):
    """The first way back cuts what it has gone through, and only the result itself knows."""

    check, mistake = "shared", mistakes.CUT_OFF

    def backward(self, result, cotangent=None):
        if hasattr(result, "done"):
            raise RuntimeError("the graph was freed")
        result.done = True
        order = self.order(result)
        super().backward(result, cotangent)
        for value in order:
            value.args = ()


class ZeroDoesNothing(Broken):
    check, mistake = "forgetting", mistakes.NOT_FORGOTTEN

    def zero(self, variable):
        pass


class ZeroForgetsAll(Broken):
    check, mistake = "forgetting", mistakes.ALL_FORGOTTEN

    def __init__(self):
        super().__init__()
        self.variables = []

    def keep(self, variable, g):
        super().keep(variable, g)
        self.variables.append(variable)

    def zero(self, variable):
        for each in self.variables:
            each.grad = None


class VariableIsNoResult(Broken):
    check, mistake = "itself", mistakes.NO_SEED

    def backward(self, result, cotangent=None):
        if result.op is not None:
            super().backward(result, cotangent)


# Data.


class GradientInPlaceOfData(Broken):
    check, mistake = "values_kept", mistakes.WRITTEN

    def backward(self, result, cotangent=None):
        super().backward(result, cotangent)
        result.data = np.asarray(cotangent, result.data.dtype)


class InPlace(Broken):
    """Results are changed by += while others still need what they were."""

    check, mistake = "augmented", mistakes.IN_PLACE

    def refuse_changed(self, result):
        pass

    def operands(self, value, on_values):
        y, args = super().operands(value, on_values)
        if on_values:
            return y, args
        pairs = zip(value.args, args, strict=True)
        return y, [
            arg.data if isinstance(arg, Node) and arg.op is not None else old for arg, old in pairs
        ]

    def record(self, op, *args, **params):
        result = super().record(op, *args, **params)
        result.__class__ = ChangesInPlace
        return result


class ChangesInPlace(Value):
    def __iadd__(self, other):
        self.data = self.data + other
        return self


class DataReadLate(Broken):
    check, mistake = "changed_data", mistakes.READ_LATE

    def refuse_changed(self, result):
        pass

    def operands(self, value, on_values):
        if on_values:
            return super().operands(value, on_values)
        return value.data, [arg.data if isinstance(arg, Node) else arg for arg in value.args]


class FailsHalfway(Broken):
    """Changed data are refused, when some variables have their gradients already."""

    check, mistake = "refused_backward", mistakes.HALF_DONE

    def refuse_changed(self, result):
        pass

    def operands(self, value, on_values):
        for arg, old in zip(value.args, value.inputs, strict=True):
            if isinstance(arg, Node) and arg.data is not old:
                raise RuntimeError("the data have changed")
        return super().operands(value, on_values)

    def add(self, arg, so_far, contribution):
        if arg.op is None and not isinstance(contribution, Node):
            super().keep(arg, contribution)
        return super().add(arg, so_far, contribution)

    def keep(self, variable, g):
        if variable.grad is None:
            super().keep(variable, g)


class IntegerGradients(Broken):
    check, mistake = "integers", mistakes.TRUNCATED

    def variable(self, value):
        return self.kind(self, np.array(value), True)


class IntegersAreConstants(Broken):
    check, mistake = "integers", mistakes.INTEGER_LOST

    def variable(self, value):
        data = np.array(value)
        return self.kind(self, data, data.dtype.kind == "f")


# Where there is no derivative.


class EachTieInFull(Broken):
    check, mistake = "ties", mistakes.EACH_TIE
    rules = RULES | {
        "max": [
            lambda g, y, x, axis=None, keepdims=False: (
                (x == back(y, x, axis, keepdims)) * back(g, x, axis, keepdims)
            )
        ]
    }


class NoTie(Broken):
    check, mistake = "ties", mistakes.NO_TIE
    rules = RULES | {"maximum": [lambda g, y, a, b: g * (a > b), lambda g, y, a, b: g * (b > a)]}


class ZeroByZero(Broken):
    check, mistake = "kinks", mistakes.ZERO_BY_ZERO
    rules = RULES | {"absolute": [lambda g, y, x: g * x / y]}


class StepOfTwo(Broken):
    check = "kinks"
    rules = RULES | {"relu": [lambda g, y, x: g * ((x > 0) + 2.0 * (x == 0))]}


# What an engine may offer.


class SecondOrderCutOff(Broken):
    check, mistake = "second_order", mistakes.CONSTANT_GRADIENT

    def operands(self, value, on_values):
        y, args = super().operands(value, on_values)
        if on_values:
            y = self.constant(y.data)
            args = [self.constant(arg.data) if isinstance(arg, Node) else arg for arg in args]
        return y, args


class Cycles(Broken):
    check, mistake = "memory", mistakes.CYCLE

    def record(self, op, *args, **params):
        result = super().record(op, *args, **params)
        result.back = lambda: result
        return result


class NoGradRecords(Broken):
    check, mistake = "no_grad", mistakes.STILL_RECORDED

    @contextmanager
    def no_grad(self):
        yield


class NoGradNotNested(Broken):
    check, mistake = "no_grad", mistakes.INNER_ENDS_ALL

    @contextmanager
    def no_grad(self):
        self.paused.set(True)
        try:
            yield
        finally:
            self.paused.set(False)


class NoGradLeaks(Broken):
    check, mistake = "no_grad", mistakes.LEAKS

    @contextmanager
    def no_grad(self):
        before = self.paused.set(True)
        yield
        self.paused.reset(before)


class NoGradForAllThreads(Broken):
    """As MyGrad 2.5.0."""

    check, mistake = "threads", mistakes.ONE_FOR_ALL
    is_paused = False

    def is_recorded(self, args, result):
        return not self.is_paused and super().is_recorded(args, result)

    @contextmanager
    def no_grad(self):
        before = self.is_paused
        self.is_paused = True
        try:
            yield
        finally:
            self.is_paused = before


# Arrays.


class StretchedNotSummed(Broken):
    """Only the axes in front are summed, as for a bias."""

    check, mistake = "broadcasting", mistakes.SHAPE
    also = "matmul programs"

    def unbroadcast(self, g, shape, op):
        g = np.asarray(g)
        return g.sum(axis=tuple(range(g.ndim - len(shape))))


class LeadingAxesKept(Broken):
    """(1, 1) for (1,), which broadcasts on as if it were right."""

    check, mistake = "broadcasting", mistakes.SHAPE

    def unbroadcast(self, g, shape, op):
        summed = super().unbroadcast(g, shape, op)
        return summed[None] if shape == (1,) and np.ndim(g) > 1 else summed


class MaximumNotSummed(Broken):
    """As `where` in HIPS autograd 1.9.1."""

    check, mistake = "broadcasting", mistakes.SHAPE

    def unbroadcast(self, g, shape, op):
        return g if op == "maximum" else super().unbroadcast(g, shape, op)


class ObjectArrays(Broken):
    check, mistake = "plain_arrays", mistakes.OBJECT_ARRAY
    kind = Node


class MeanOfAll(Broken):
    """Divides by how many numbers there are, not by how many are in a mean."""

    check = "reductions"
    rules = RULES | {
        "mean": [
            lambda g, y, x, axis=None, keepdims=False: (
                np.broadcast_to(back(g, x, axis, keepdims), x.shape) / x.dtype.type(x.size)
            )
        ]
    }
    also = "programs"


class AxisAtTheEnd(Broken):
    """The summed axis comes back as the last one: right for squares only in shape."""

    check = "reductions"

    def __init__(self):
        super().__init__()

        def rule(g, y, x, axis=None, keepdims=False):
            if isinstance(axis, int) and not keepdims:
                g = g[..., None]
                axis = None
            return np.broadcast_to(back(g, x, axis, keepdims), np.shape(x))

        self.rules = RULES | {"sum": [rule]}


class AxisGuessed(Broken):
    """The summed axis is the first that fits the shapes: right, but for squares."""

    check = "reductions"

    def __init__(self):
        super().__init__()

        def rule(g, y, x, axis=None, keepdims=False):
            if isinstance(axis, int) and not keepdims:
                fits = [np.delete(x.shape, i).tolist() == list(g.shape) for i in range(x.ndim)]
                axis = fits.index(True)
            return np.broadcast_to(back(g, x, axis, keepdims), np.shape(x))

        self.rules = RULES | {"sum": [rule]}


class AxesNotCounted(Broken):
    """As HIPS autograd 1.9.1: axes from the end are sorted before those from the start."""

    check = "rearranging"
    rules = RULES | {
        "transpose": [
            lambda g, y, x, axes=None: g.transpose(None if axes is None else np.argsort(axes))
        ]
    }


class RepeatsLost(Broken):
    check, mistake = "indexing", mistakes.REPEATS

    def __init__(self):
        super().__init__()

        def rule(g, y, x, index):
            gradient = np.zeros_like(x)
            gradient[index] += g
            return gradient

        self.rules = RULES | {"getitem": [rule]}


class StacksTransposed(Broken):
    """b.T of a stack of matrices reverses all its axes."""

    check = "matmul"

    def __init__(self):
        super().__init__()
        left, right = RULES["matmul"]

        def rule(g, y, a, b):
            return g @ b.T if a.ndim == b.ndim == 3 else left(g, y, a, b)

        self.rules = RULES | {"matmul": [rule, right]}


class CotangentBroadcast(Broken):
    check, mistake = "cotangents", mistakes.COTANGENT_BROADCAST

    def backward(self, result, cotangent=None):
        cotangent = np.ones(result.shape) if cotangent is None else cotangent
        for value, g in self.pull_back(result, cotangent).items():
            if value.op is None:
                self.keep(value, g)


class GradientsShared(Broken):
    check, mistake = "aliasing", mistakes.SHARED_MEMORY

    def unbroadcast(self, g, shape, op):
        return g if np.shape(g) == shape else super().unbroadcast(g, shape, op)

    def keep(self, variable, g):
        total = g if variable.grad is None else variable.grad + g
        variable.grad = np.asarray(total, variable.data.dtype)


class GradientsDoubled(Broken):
    """The gradient has the dtype of the cotangent."""

    check, mistake = "dtypes", mistakes.DOUBLE

    def keep(self, variable, g):
        variable.grad = np.array(g if variable.grad is None else variable.grad + g)


class NumbersDoubled(Broken):
    """np.asarray(2.0) is float64, and so is what it meets."""

    check, mistake = "dtypes", mistakes.DOUBLE

    def record(self, op, *args, **params):
        args = [np.asarray(arg) if isinstance(arg, float) else arg for arg in args]
        return super().record(op, *args, **params)


class EmptyCutOff(Broken):
    """As tinygrad once did: what has no elements is not recorded."""

    check, mistake = "empty_arrays", mistakes.LOST

    def is_recorded(self, args, result):
        return np.size(result) > 0 and super().is_recorded(args, result)


BROKEN = Broken.__subclasses__()
