"""Classic mistakes: the symptom that each leaves, and where to look.

The programs of the catalogue are chosen so that a mistake gives a number of its own. Where a
symptom could come from anything, nothing is said.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu.testing.session import Mistake, Symptom, is_numeric, near

# Symptoms.


def equals(number: Any) -> Callable[[Symptom], bool]:
    """The number or array is this instead."""
    return lambda s: near(s.got, number)


def times(factor: float) -> Callable[[Symptom], bool]:
    """It is so many times what it should be."""
    return lambda s: is_numeric(s.want) and bool(np.any(s.want)) and near(s.got, factor * s.want)


def raises(*errors: type[Exception]) -> Callable[[Symptom], bool]:
    """An error of these kinds is raised."""
    return lambda s: isinstance(s.got, errors)


def reads(text: str) -> Callable[[Symptom], bool]:
    """What is shown instead is this text."""
    return lambda s: isinstance(s.got, str) and s.got == text


def is_missing(s: Symptom) -> bool:
    """There is no gradient."""
    return s.got is None


def is_nan(s: Symptom) -> bool:
    """It has a nan."""
    return is_numeric(s.got) and bool(np.isnan(np.asarray(s.got, float)).any())


def overflows(s: Symptom) -> bool:
    """It has an infinity, or what becomes of one."""
    is_infinite = is_numeric(s.got) and not np.isfinite(np.asarray(s.got, float)).all()
    return is_infinite or isinstance(s.got, OverflowError)


def has_another_shape(s: Symptom) -> bool:
    """It has another shape than it should have."""
    return is_numeric(s.got) and is_numeric(s.want) and np.shape(s.got) != np.shape(s.want)


def is_object_array(s: Symptom) -> bool:
    """The result is an array of NumPy, with a value of the engine for each element."""
    y = s.names.get("y")
    return isinstance(y, np.ndarray) and y.dtype == object


def anything(_: Symptom) -> bool:
    """Whatever it is, also an error: all that could be wrong otherwise was tried before."""
    return True


def is_not_as_demanded(s: Symptom) -> bool:
    """It is something else, and no error: that says it all."""
    return not isinstance(s.got, Exception)


# Of any program.

OBJECT_ARRAY = Mistake(
    is_object_array,
    "NumPy has taken each element of the array for itself. Set __array_ufunc__ = None in the "
    "class: then Python asks its __radd__ and the like",
    in_values=True,
)
RECURSION = Mistake(
    raises(RecursionError),
    "backward calls itself for each operation. Write it as a loop: sort the results with a list as "
    "the stack, then go through them",
)
LOST = Mistake(
    is_missing,
    "no gradient has arrived. The result does not keep this operand, or the rule for it is not "
    "called",
)
SHAPE = Mistake(
    has_another_shape,
    "a gradient has the shape of its variable. Where an operand was broadcast, sum the gradient "
    "over the axes that were added or stretched; where it was summed, repeat it",
)
GENERAL = (OBJECT_ARRAY, RECURSION, LOST, SHAPE)

# Of rules.

SIGN = Mistake(times(-1.0), "the sign is wrong in the rule of this operand")
CHAIN = Mistake(  # in a program that doubles the result
    times(0.5), "the rule forgets the gradient of its output: the chain rule multiplies by it"
)
NO_REFLECTED = Mistake(
    raises(TypeError, AttributeError),
    "the number is on the left, so Python calls __radd__, __rsub__, __rmul__ or __rtruediv__ of "
    "the variable, and expects a result of the engine",
    in_values=True,
)
REVERSED = Mistake(
    times(-1.0), "2 - x is not x - 2: __rsub__ is given the operands in reverse", in_values=True
)
BASE = Mistake(  # of 2 ** x at 3
    equals(12.0),
    "2 ** x is differentiated as if 2 were the variable. The number is the base, so the gradient "
    "is y * log(2)",
)
POWER_OF_ZERO = Mistake(
    lambda s: is_nan(s) or isinstance(s.got, ZeroDivisionError),
    "the rule takes a negative power of 0, or its logarithm, which are infinite, and 0 times that "
    "is nan. Put another number in the place of 0 first, as with a where",
)
OVERFLOW = Mistake(
    overflows,
    "exp(1000) is infinite. Subtract the maximum before exp, or use exp(-abs(x)), in the rule as "
    "well",
    in_values=True,
)
EACH_TIE = Mistake(
    equals(2.0),
    "each of the equal numbers gets the whole gradient: == or >= is true for both. Divide by how "
    "many are equal, or choose one",
)
NO_TIE = Mistake(equals(0.0), "none of the equal numbers gets the gradient: > is false for both")
ZERO_BY_ZERO = Mistake(is_nan, "the rule divides 0 by 0, as in x / abs(x). Choose a slope, say 0")
REPEATS = Mistake(  # of x[[2, 2]].sum()
    equals(np.array([0.0, 0.0, 1.0])),
    "gradient[index] += g adds once, however often the index names an element: use np.add.at",
)
DOUBLE = Mistake(
    reads("float64"),
    "a float64 has come in: np.asarray(2.0) and np.ones(2) are float64, but Python's 2.0 is of the "
    "dtype beside it. Give a gradient the dtype of its variable",
)

# Of the graph, and the backward pass.

OPERANDS = Mistake(
    lambda s: isinstance(s.got, list),
    "a result keeps its operands themselves, in order, one for each use: a tuple of them, and no "
    "set, copies or numbers",
)
ASSIGNED = Mistake(  # of x + x
    equals(1.0),
    "the second use replaces what the first has given, or is not seen. Write grad += ..., not "
    "grad = ..., and keep operands in a list, not in a set or dict",
)
TOO_EARLY = Mistake(  # of x * x + 6 * x * x at 3
    equals(6.0),
    "h has handed its gradient on before that of k had arrived. Go through the results so that "
    "each comes after all that use it: the reverse of the order in which they were computed",
)
TWICE = Mistake(
    equals(48.0),
    "h has handed on the same gradient twice: once before that of k had arrived, and once with "
    "it. Visit each result once, after all that use it",
)
PATHS = Mistake(
    lambda s: isinstance(s.got, list),
    "12 times y + y has 4096 paths from the last y to x. Visit each result once, with the sum of "
    "what its users have given: remember in a set which were visited",
)
CONSTANT = Mistake(
    lambda s: isinstance(s.want, str) and s.want == "None or 0",
    "the constant is differentiated. Keep with each value whether it wants a gradient",
)
CONSTANTS_RECORDED = Mistake(
    lambda s: isinstance(s.got, list),
    "what is computed from constants alone wants no gradient: do not record it",
)
FIRST_STAYS = Mistake(
    equals(2.0), "the second result has changed nothing. Add to the gradient that is there"
)
LEFT_FROM_BEFORE = Mistake(
    lambda s: near(s.got, 72.0) or near(s.got, 42.0),
    "a result still has its gradient of the first pass. Gradients of results live for one pass: "
    "keep them in a dict of that call, or set them to 0 at its start",
)
SECOND_LOST = Mistake(
    equals(24.0),
    "gradients add up in this engine, but those of a second pass are lost without a word. Add "
    "them, or raise an error",
)
CUT_OFF = Mistake(
    equals(12.0),
    "the first pass has cut h off from x, and the second does not say so. Keep the graph, or raise "
    "an error where it was freed",
)
NOT_FORGOTTEN = Mistake(equals(2.0), "zero has not forgotten the gradient")
ALL_FORGOTTEN = Mistake(is_missing, "to forget the gradient of x has lost that of w")
NO_SEED = Mistake(
    is_missing,
    "backward starts with a gradient of 1 for its result. Here that is a variable, which keeps it",
)
CONSTANT_GRADIENT = Mistake(
    equals(0.0),
    "the gradient is a constant for the second pass. The rules must compute with values of the "
    "engine, and be recorded",
)

# Of data and memory.

WRITTEN = Mistake(
    is_not_as_demanded,
    "backward writes to an array that it has not made. Write g = g * b, not g *= b, and keep "
    "gradients apart from data",
    in_values=True,
)
IN_PLACE = Mistake(
    equals(28.0),
    "h += 1 has changed the array that h * x still needs. Leave __iadd__ out, and Python computes "
    "h = h + 1",
)
READ_LATE = Mistake(
    equals(10.0),
    "x is read when backward arrives, and has changed since. Keep the numbers that a result was "
    "computed from, or count changes and refuse",
)
HALF_DONE = Mistake(
    is_not_as_demanded,
    "backward was refused halfway, and w has its gradient already. Find all gradients first, and "
    "then change those of the variables",
)
TRUNCATED = Mistake(
    equals(0.0),
    "the gradient has become an integer, as its variable, and 0.5 is cut to 0. Refuse integers, or "
    "make them floats",
)
INTEGER_LOST = Mistake(is_missing, "the variable is taken, and its gradient lost: refuse it")
SHARED_MEMORY = Mistake(
    is_not_as_demanded,
    "the rule hands on an array that it was given. Copy it when it becomes the gradient of a "
    "variable, and add by grad = grad + g, not in place",
)
CYCLE = Mistake(
    is_not_as_demanded,
    "a result refers to itself, often by a closure that it stores and that uses it. Let results "
    "refer to their operands, and to nothing that refers back",
)
COTANGENT_BROADCAST = Mistake(
    reads("no error"),
    "a cotangent of another shape is taken, which hides mistakes. Compare its shape with that of "
    "the result, and raise an error",
)
STILL_RECORDED = Mistake(equals(27.0), "what is computed inside no_grad is recorded all the same")
ONE_FOR_ALL = Mistake(
    anything,
    "the block of one thread has switched recording off for all. Keep the switch in a "
    "contextvars.ContextVar",
)
INNER_ENDS_ALL = Mistake(
    equals(27.0), "the end of the inner block has switched recording on: restore what was before"
)
LEAKS = Mistake(
    anything, "an error has left the block, and recording is still off: restore it in a finally"
)
