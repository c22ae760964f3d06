"""The formula of a derivative rule: its docstring, or else what it does with letters."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_edu import ops
from tinygrad_edu.drawing.text import in_brackets

LONGEST = 200  # characters; a longer formula explains nothing

COMPARISON, SUM, PRODUCT, SIGN, POWER, WORD = range(6)  # how tightly each binds, as in Python
_PREFIX = {np.negative: "-", np.positive: "+"}
_INFIX = {
    np.add: ("+", SUM),
    np.subtract: ("-", SUM),
    np.multiply: ("*", PRODUCT),
    np.divide: ("/", PRODUCT),
    np.matmul: ("@", PRODUCT),
    np.power: ("**", POWER),
    np.less: ("<", COMPARISON),
    np.less_equal: ("<=", COMPARISON),
    np.greater: (">", COMPARISON),
    np.greater_equal: (">=", COMPARISON),
    np.equal: ("==", COMPARISON),
    np.not_equal: ("!=", COMPARISON),
}


def formula_of(rule: ops.Rule, op: ops.Operation) -> tuple[str, list[str]]:
    """The formula of a rule, and the letters in it for the gradient, the output and the arrays.

    A rule without a docstring is applied to letters. This needs no source, so it works in an
    interactive session and for a package in a zip file. Where letters are not enough, as for a
    shape or a choice by ``if``, the formula is only "the rule of", and the operation.
    """
    unknown = f"the rule of {ops.name(op)}"
    rule = inspect.unwrap(rule)
    function = getattr(rule, "func", rule)  # itself, or that of a partial
    if not inspect.isfunction(function):
        return unknown, []
    parameters = inspect.signature(rule).parameters.values()
    letters = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if doc := inspect.getdoc(function):
        return doc.partition("\n")[0], letters
    named = {p.name: Letter(p.name) for p in parameters if p.kind is p.KEYWORD_ONLY}
    try:
        told = rule(*map(Letter, letters), **named)
    except Exception:  # a rule that is given no arrays may raise anything
        return unknown, []
    return (told.text, letters) if isinstance(told, Letter) else (unknown, [])


class Letter(NDArrayOperatorsMixin):
    """A stand-in for an array that writes down what a rule does with it.

    Operators are NumPy functions here, too: NumPy's mixin passes them to ``__array_ufunc__``.
    """

    def __init__(self, text: str, binds: int = WORD) -> None:
        if len(text) > LONGEST:
            raise TypeError("the formula is too long")
        self.text, self.binds = text, binds

    def __bool__(self) -> bool:
        raise TypeError("a letter is neither true nor false")

    @property
    def T(self) -> Letter:  # noqa: N802 (as in NumPy)
        """Its axes in reversed order."""
        return Letter(f"{_word(self, WORD)}.T")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or "out" in kwargs:
            return NotImplemented
        return self.__array_function__(ufunc, (), inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Letter:
        if func in _PREFIX and not kwargs:
            return Letter(f"{_PREFIX[func]}{in_brackets(_word(args[0], SIGN))}", SIGN)
        if func in _INFIX and not kwargs:
            symbol, binds = _INFIX[func]
            left = _word(args[0], binds + (binds in (COMPARISON, POWER)))  # (a < b) < c
            right = in_brackets(_word(args[1], binds + (binds != POWER)))
            return Letter(f"{left} {symbol} {right}", binds)
        named = [f"{name}={_word(value)}" for name, value in kwargs.items()]
        return Letter(f"{ops.name(func)}({', '.join([*map(_word, args), *named])})")


def _word(x: Any, least: int = COMPARISON) -> str:
    """An operand or argument as code, in brackets if it binds less than ``least``."""
    if isinstance(x, np.generic | np.ndarray) and x.ndim == 0:
        x = x.item()
    if isinstance(x, Letter):
        word, binds = x.text, x.binds
    elif isinstance(x, list | tuple):
        parts = ", ".join(map(_word, x))
        comma = "," if len(x) == 1 else ""
        return f"[{parts}]" if isinstance(x, list) else f"({parts}{comma})"
    elif isinstance(x, int | float | str | None):
        word = repr(x)
        binds = SIGN if word.startswith("-") else WORD
    else:
        raise TypeError(f"{type(x).__name__} has no letter")
    return word if binds >= least else f"({word})"
