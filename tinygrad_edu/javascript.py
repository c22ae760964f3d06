"""A traced function as JavaScript: one line for each number that it computes.

The lines of a trace run once more, on ``Symbols``: arrays whose elements are pieces of JavaScript.
NumPy does what moves them. What computes with them writes a line, by the table ``TEXTS``. So the
program has numbers only, and neither arrays nor loops.
"""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_edu import numpy_api, ops
from tinygrad_edu.backprop import plain
from tinygrad_edu.compiling import check_same
from tinygrad_edu.rewrites import needed
from tinygrad_edu.standalone import as_json
from tinygrad_edu.targets import warn_of_probabilities
from tinygrad_edu.tracing import INPUTS, OF_SHAPES, Line, Trace, each, parts_of

MOST_LINES = 20_000  # a program of more would not answer within a frame

# How JavaScript computes an operation of single numbers. Operands are names, or literals, the
# negative ones in brackets.
TEXTS: dict[Any, str] = {
    np.positive: "+{}",
    np.negative: "-{}",
    np.add: "{} + {}",
    np.subtract: "{} - {}",
    np.multiply: "{} * {}",
    np.divide: "{} / {}",
    np.power: "power({}, {})",
    np.reciprocal: "1 / {}",
    np.exp: "Math.exp({})",
    np.expm1: "Math.expm1({})",
    np.log: "Math.log({})",
    np.log2: "Math.log2({})",
    np.log10: "Math.log10({})",
    np.log1p: "Math.log1p({})",
    np.sqrt: "Math.sqrt({})",
    np.cbrt: "Math.cbrt({})",
    np.sin: "Math.sin({})",
    np.cos: "Math.cos({})",
    np.tan: "Math.tan({})",
    np.arcsin: "Math.asin({})",
    np.arccos: "Math.acos({})",
    np.arctan: "Math.atan({})",
    np.sinh: "Math.sinh({})",
    np.cosh: "Math.cosh({})",
    np.tanh: "Math.tanh({})",
    np.arcsinh: "Math.asinh({})",
    np.arccosh: "Math.acosh({})",
    np.arctanh: "Math.atanh({})",
    np.arctan2: "Math.atan2({}, {})",
    np.hypot: "Math.hypot({}, {})",
    np.logaddexp: "logaddexp({}, {})",
    np.absolute: "Math.abs({})",
    np.sign: "Math.sign({})",
    np.copysign: "signbit({1}) ? -Math.abs({0}) : Math.abs({0})",
    np.floor: "Math.floor({})",
    np.ceil: "Math.ceil({})",
    np.trunc: "Math.trunc({})",
    np.rint: "rint({})",
    np.floor_divide: "floor_divide({}, {})",
    np.remainder: "remainder({}, {})",
    np.fmod: "{} % {}",
    np.heaviside: "heaviside({}, {})",
    np.maximum: "Math.max({}, {})",
    np.minimum: "Math.min({}, {})",
    np.where: "{} ? {} : {}",
    ops.sigmoid: "1 / (1 + Math.exp(-{}))",
    ops.softplus: "Math.max({0}, 0) + Math.log1p(Math.exp(-Math.abs({0})))",
    # questions
    np.equal: "{} == {}",  # which takes true for 1
    np.not_equal: "{} != {}",
    np.less: "{} < {}",
    np.less_equal: "{} <= {}",
    np.greater: "{} > {}",
    np.greater_equal: "{} >= {}",
    np.logical_and: "{} != 0 && {} != 0",
    np.logical_or: "{} != 0 || {} != 0",
    np.logical_xor: "({} != 0) != ({} != 0)",
    np.logical_not: "{} == 0",
    np.isnan: "Number.isNaN(+{})",
    np.isfinite: "Number.isFinite(+{})",
    np.isinf: "Math.abs({}) == Infinity",
    np.signbit: "signbit({})",
}
# The same by operators, of what is true or false.
OF_TRUTHS = {
    np.bitwise_and: np.logical_and,
    np.bitwise_or: np.logical_or,
    np.bitwise_xor: np.logical_xor,
    np.invert: np.logical_not,
    np.add: np.logical_or,
    np.multiply: np.logical_and,
    np.maximum: np.logical_or,
    np.minimum: np.logical_and,
}

# What JavaScript has in another way, or not at all: each as NumPy has it.
HELPERS = {
    "power": """(a, b) => {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return b === 2 ? a * a : a ** b;
}""",
    "signbit": "(x) => x < 0 || Object.is(x, -0)",
    "rint": """(x) => {
  const low = Math.floor(x), rest = x - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : rest >= 0.5 ? low + 1 : x;
}""",
    "remainder": """(a, b) => {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}""",
    "floor_divide": """(a, b) => {
  if (b === 0) return a / b;
  const rest = a % b;
  const quotient = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
  return Math.round(quotient);
}""",
    "heaviside": "(x, zero) => (x < 0 ? 0 : x > 0 ? 1 : x === 0 ? zero : NaN)",
    "logaddexp": """(a, b) => {
  if (a === b) return a + Math.LN2;
  const apart = a - b;
  if (Number.isNaN(apart)) return NaN;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(apart)));
}""",
}

# What cannot be written so, and why.
BY_ORDER = "it puts numbers in order, so that which number goes where depends on the numbers"
BY_PLACE = "it gives a place, so that which number is taken depends on the numbers"
BY_ELIMINATION = "it solves equations, in an order of steps that depends on the numbers"
REFUSED: dict[Any, str] = {
    **dict.fromkeys([np.sort, np.argsort, np.partition, np.argpartition], BY_ORDER),
    **dict.fromkeys([np.median, np.quantile, np.percentile], BY_ORDER),
    **dict.fromkeys([np.argmax, np.argmin, np.nanargmax, np.nanargmin], BY_PLACE),
    **dict.fromkeys([np.searchsorted, np.digitize, np.interp, np.take_along_axis], BY_PLACE),
    **dict.fromkeys([np.choose, np.select, np.isin], BY_PLACE),
    **dict.fromkeys([np.linalg.solve, np.linalg.inv, np.linalg.det], BY_ELIMINATION),
    **dict.fromkeys([np.linalg.slogdet, ops.logabsdet], BY_ELIMINATION),
}

OF_FLOATS = {np.floor_divide, np.remainder, np.fmod, np.reciprocal, np.power}
DTYPES = {np.dtype(t) for t in (bool, np.int64, np.float32, np.float64)}
# The parameters of functions that are heeded, or that decide the shape or the dtype alone.
PARAMETERS = {
    *("axis", "keepdims", "dtype", "decimals", "shape", "axes", "index", "edges"),
    *("left", "right", "out"),  # the labels of a contraction
}
# A check that only warns: a page has nobody to warn.
CHECK_THAT_WARNS = warn_of_probabilities.__wrapped__  # type: ignore[attr-defined]
# Of literals, what an operation computes: ours do not take numbers of Python.
AS_COMPUTED = {op: op.__wrapped__ for op in (ops.sigmoid, ops.softplus)}  # type: ignore[attr-defined]
NO_LINE = "JavaScript has no such function, and none is written for it here"


class UnwritableError(TypeError):
    """What has no line of JavaScript, and why."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} cannot be written as JavaScript: {why}")


class TooLongError(ValueError):
    """A program of more lines than a page can run."""

    def __init__(self) -> None:
        super().__init__(
            f"the function comes to more than {MOST_LINES:,} lines of JavaScript, one for each "
            "number: take fewer examples, features or steps"
        )


class Number:
    """A piece of JavaScript that stands for one number; ``value``: that number, of a literal."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: Any = None) -> None:
        self.text, self.value = text, value


def literal(value: Any) -> Number:
    """A number as it is written in JavaScript."""
    if isinstance(value, bool | np.bool_):
        return Number("true" if value else "false", value)
    text = repr(value.item() if isinstance(value, np.generic) else value)
    text = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(text, text)
    return Number(f"({text})" if text.startswith("-") else text, value)


class Program:
    """The lines of JavaScript that a function comes to.

    ``text`` is an expression, a function: it takes all numbers of the arguments in one array, in
    order, and gives those of all results in one array; or else a string, for numbers that Python
    refuses, and why. ``size`` is how many lines there are; ``shapes``, ``dtypes`` and ``values``
    are those of the results, for ``args``; ``changes`` is what the function changes of leaves that
    it has found, which the program does not.

    ``f`` is a function of arrays, ``args``, with their names, as for ``jit``. It returns a list of
    arrays and Tensors. What it has found elsewhere is taken as it is now. Whole numbers are exact
    up to 2**53. Raises UnwritableError, a TypeError, for what cannot be written so, TooLongError, a
    ValueError, beyond 20,000 lines, and RuntimeError where two runs of ``f`` differ.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], names: Sequence[str]) -> None:
        self._numbers: dict[str, Number] = {}
        self._lines: list[str] = []
        self._symbols: dict[Line, Any] = {}
        self._refusal = ""  # of numbers that do not pass what is gone through
        traces = [Trace(f, tuple(args), {}, names) for _ in range(2)]
        check_same(*traces)
        trace = traces[0]
        self.changes = trace.changes
        count = 0
        for argument in trace.arguments:
            cells = [Number(f"x[{count + i}]") for i in range(np.size(argument.value))]
            self._symbols[argument] = self._symbols_of(cells, argument.value)
            count += len(cells)
        wanted = [result.operand for result in trace.results]
        for line in needed([*trace.lines.values()], wanted):
            self._symbols[line] = self._run(line)
        found = [self.lift(self._symbol(plain(operand))) for operand in wanted]
        self.shapes = [result.shape for result in found]
        self.dtypes = [result.dtype for result in found]
        self.values = [np.asarray(result.value) for result in found]
        self._results = [n.text for result in found for n in result.cells.reshape(-1)]

    def _symbols_of(self, cells: Any, value: Any) -> "Symbols":
        row = np.empty(np.size(value), object)
        row[:] = cells
        return Symbols(self, row.reshape(np.shape(value)), value)

    def _symbol(self, x: Any) -> Any:
        return self._symbols[x] if isinstance(x, Line) else x

    def _run(self, line: Line) -> Any:
        """What a line gives, as symbols; of what f has found, the numbers."""
        if line.op in INPUTS:
            return line.value
        args, params = each(self._symbol, line.args), each(self._symbol, dict(line.params))
        if line.value is not None:
            self._refusal = f"{ops.name(line.op)}() takes another way for such numbers."
            try:
                return line.op(*args, **params)
            except RecursionError:  # it asks itself about places
                raise UnwritableError(f"{ops.name(line.op)}()", BY_PLACE) from None
        if line.op is not CHECK_THAT_WARNS:
            words = " ".join(line.op.__doc__.split())
            self._refusal = f"Python refuses {words.removeprefix('Refuse ')}"
            line.op(*args)
        return None

    def lift(self, x: Any) -> "Symbols":
        """Numbers as symbols: literals, if they are none."""
        if isinstance(x, Symbols):
            return x
        is_plain = isinstance(x, int | float)  # which takes the dtype of what it meets
        value = x if is_plain else np.asarray(x)
        return self._symbols_of([literal(x)] if is_plain else [*map(literal, value.flat)], value)

    def write(self, op: Any, dtype: Any, *operands: Number) -> Number:
        """The number that ``op`` makes of others, with a line, if there is none of it yet."""
        if all(operand.value is not None for operand in operands):
            with np.errstate(all="ignore"):
                value = AS_COMPUTED.get(op, op)(*[operand.value for operand in operands])
            return literal(np.asarray(value)[()])
        if dtype == np.float32:  # which a number of Python is rounded to
            operands = tuple(map(self._single, operands))
        if op is np.multiply:
            for one, other in (operands, operands[::-1]):
                if one.value is not None and one.value == 1:
                    return other
        text = TEXTS[op].format(*[operand.text for operand in operands])
        text = f"Math.fround({text})" if dtype == np.float32 else text
        if text not in self._numbers:
            self._numbers[text] = Number(f"v{len(self._numbers)}")
            self._add(f"const {self._numbers[text].text} = {text};")
        return self._numbers[text]

    def _single(self, x: Number) -> Number:
        return literal(np.float32(x.value)) if isinstance(x.value, float) else x

    def numeric(self, truth: Number) -> Number:
        """1 or 0 for true or false."""
        return (
            self.write(np.positive, int, truth)
            if truth.value is None
            else literal(int(truth.value))
        )

    def expect(self, condition: Number, answer: bool) -> None:
        """Go on only where ``condition`` is ``answer``."""
        if condition.value is None:
            sign = "!" if answer else ""
            self._add(f"if ({sign}({condition.text})) return {as_json(self._refusal)};")

    def _add(self, line: str) -> None:
        if len(self._lines) >= MOST_LINES:
            raise TooLongError
        self._lines.append(line)

    @property
    def size(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    @property
    def text(self) -> str:
        """The function."""
        body = "\n".join([*self._lines, f"return [{', '.join(self._results)}];"])
        used = [name for name in HELPERS if re.search(rf"\b{name}\(", body)]
        helpers = "".join(f"const {name} = {HELPERS[name]};\n" for name in used)
        return f"(() => {{\n{helpers}return (x) => {{\n{body}\n}};\n}})()"


class Symbols(NDArrayOperatorsMixin):
    """An array whose elements are pieces of JavaScript.

    ``cells`` has them, and ``value`` the numbers that they are in the run that was traced. NumPy's
    functions take it as they take an array, and write a line of ``program`` for each number.
    """

    __slots__ = ("cells", "program", "value")

    def __init__(self, program: Program, cells: Any, value: Any) -> None:
        self.program, self.cells, self.value = program, cells, value

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        """The number of elements."""
        return np.size(self.value)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return np.asarray(self.value).dtype

    def __getattr__(self, name: str) -> Any:
        if name in ("sum", "all", "any", "mean", "reshape", "transpose", "astype"):
            return functools.partial(getattr(np, name), self)
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"symbols have no attribute {name!r}")
        raise UnwritableError(f".{name} of an array", NO_LINE)

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, index=index)

    def __bool__(self) -> bool:
        self.program.expect(self.cells.item(), bool(self.value))
        return bool(self.value)

    def min(self, axis: Any = None, initial: Any = np.inf) -> Any:
        """As of an array."""
        return np.minimum(np.min(self, axis=axis), initial)

    def max(self, axis: Any = None, initial: Any = -np.inf) -> Any:
        """As of an array."""
        return np.maximum(np.max(self, axis=axis), initial)

    def _refused(self, *args: Any, **params: Any) -> NoReturn:  # noqa: ARG002 (of each method)
        raise UnwritableError("what Python does with single numbers", BY_PLACE)

    __float__ = __int__ = __index__ = __array__ = _refused

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **params: Any) -> Any:
        if method == "outer":
            a, b = inputs
            return ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b)
        if method != "__call__":
            write = {"reduce": reduced, "accumulate": accumulated}.get(method, _unknown)
            function = getattr(ufunc, method)
            return self._called(function, functools.partial(write, ufunc), inputs, params)
        if ufunc in numpy_api.compositions:
            return _composed(ufunc, inputs, params)
        write = matmul if ufunc is np.matmul else functools.partial(elementwise, ufunc)
        return self._called(ufunc, write, inputs, params)

    def __array_function__(self, func: Any, types: Any, args: Any, params: Any) -> Any:
        if func in OF_SHAPES:
            return func(*[x.value if isinstance(x, Symbols) else x for x in args], **params)
        if func is np.astype:  # whose copy= is of no interest
            return ops.cast(args[0], dtype=args[1])
        if func in numpy_api.compositions and func not in REFUSED:
            return _composed(func, args, params)
        rules = ops.derivatives.get(func, (None,))  # all others take one array
        if isinstance(rules, tuple):
            count, names = len(rules), [*numpy_api.parameters(func)]
            params = dict(zip(names[count:], args[count:], strict=False)) | params
            args = args[:count]
        return self._called(func, FUNCTIONS.get(func, _unknown), args, params)

    def _called(self, function: Any, write: Any, args: Any, params: Any) -> "Symbols":
        """The result of a function: its numbers, and the pieces that ``write`` makes of them."""
        name = ops.name(function)
        if function in REFUSED or write is _unknown:
            raise UnwritableError(f"{name}()", REFUSED.get(function, NO_LINE))
        if any(isinstance(part, Symbols) for part in parts_of(params)):
            raise UnwritableError("what is picked by an index that is computed", BY_PLACE)
        if others := sorted(params.keys() - PARAMETERS):
            raise UnwritableError(f"{name}(..., {others[0]}=)", NO_LINE)
        symbols = [self.program.lift(arg) for arg in args]
        with np.errstate(all="ignore"):
            value = function(*[symbol.value for symbol in symbols], **params)
        dtype = np.asarray(value).dtype
        if dtype not in DTYPES:
            raise UnwritableError(f"dtype {dtype}", "JavaScript does not round to it; take float64")
        if dtype.kind != "b":
            chooses = function is np.where  # by its first argument
            symbols = [*symbols[:chooses], *map(numeric, symbols[chooses:])]
        cells = np.asarray(write(value, *symbols, **params), object)
        return Symbols(self.program, cells.reshape(np.shape(value)), value)


# How a function goes through the numbers of its arguments. Each of these is given the numbers that
# the function gives, and gives the pieces of JavaScript, in their order.


def _composed(function: Any, args: Any, params: Any) -> Any:
    """What a function gives that is composed of others; of an error, its own reason."""
    try:
        return numpy_api.compose(function, args, params)
    except Exception as error:
        reason = getattr(error, "reason", None)
        raise reason if isinstance(reason, UnwritableError) else error from None


def _unknown(*_args: Any, **_params: Any) -> NoReturn:
    raise AssertionError("a function that is refused is not written")


def elementwise(op: Any, value: Any, *args: Symbols, **params: Any) -> Any:
    """One number from one of each argument."""
    dtype = np.asarray(value).dtype
    op = of_kind(op, dtype)
    if op in OF_FLOATS and dtype.kind in "iu":
        why = "JavaScript gives a fraction there; take x.astype(float)"
        raise UnwritableError(f"{ops.name(op)}() of whole numbers", why)
    if op not in TEXTS or params:
        raise UnwritableError(f"{ops.name(op)}()", NO_LINE)
    if op is np.where:
        args = truths(args[0]), *args[1:]
    write = functools.partial(args[0].program.write, op, dtype)
    return np.frompyfunc(write, len(args), 1)(*[arg.cells for arg in args])


def of_kind(op: Any, dtype: Any) -> Any:
    """The operation that gives what is true or false, or ``op`` itself."""
    return OF_TRUTHS.get(op, op) if dtype.kind == "b" else op


def numeric(x: Symbols) -> Symbols:
    """1 and 0 for what is true and false, which JavaScript tells apart in places."""
    if x.dtype.kind != "b":
        return x
    ones = np.frompyfunc(x.program.numeric, 1, 1)(x.cells)
    return Symbols(x.program, np.asarray(ones, object).reshape(x.shape), np.asarray(x.value) + 0)


def truths(x: Symbols) -> Symbols:
    """Whether each number is not 0."""
    return x if x.dtype == bool else x != 0


def writer(op: Any, value: Any, x: Symbols) -> Any:
    """A ufunc that writes ``op`` of two numbers."""
    dtype = np.asarray(value).dtype
    return np.frompyfunc(functools.partial(x.program.write, of_kind(op, dtype), dtype), 2, 1)


def reduced(op: Any, value: Any, x: Symbols, axis: Any = 0, **_params: Any) -> Any:
    """One number of each row, its numbers taken one after another."""
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    others = [i for i in range(x.ndim) if i not in axes]
    if not x.size:
        return x.program.lift(value).cells
    rows = x.cells.transpose(*others, *axes).reshape(np.size(value), -1)
    return writer(op, value, x).reduce(rows, axis=1)


def accumulated(op: Any, value: Any, x: Symbols, axis: Any = 0, **_dtype: Any) -> Any:
    """The same so far, for each number."""
    cells = x.cells.reshape(-1) if axis is None else x.cells
    return writer(op, value, x).accumulate(cells, axis=axis or 0)


def reduction(op: Any) -> Any:
    """As of NumPy's function, which takes all axes by default."""

    def write(value: Any, x: Symbols, axis: Any = None, **params: Any) -> Any:
        return reduced(op, value, x, axis, **params)

    return write


def mean(value: Any, x: Symbols, axis: Any = None, **_params: Any) -> Any:
    """The sum by the count."""
    total = Symbols(x.program, np.asarray(reduced(np.add, value, x, axis), object), value)
    return (total / (x.size // max(np.size(value), 1))).cells


def of_truths(op: Any) -> Any:
    """A reduction of whether each number is not 0."""

    def write(value: Any, x: Symbols, axis: Any = None, **_params: Any) -> Any:
        return reduced(op, value, truths(x), axis)

    return write


def cumsum(value: Any, x: Symbols, axis: Any = None, **_dtype: Any) -> Any:
    """As of NumPy's function."""
    return accumulated(np.add, value, x, axis)


def contract(value: Any, a: Symbols, b: Symbols, left: Any, right: Any, out: Any) -> Any:
    """The sum of products, axes labelled as for np.einsum."""
    summed = [label for label in dict.fromkeys([*left, *right]) if label not in out]
    labels = [*out, *summed]
    both = []
    for x, has in ((a, left), (b, right)):
        order = [[*has].index(label) for label in labels if label in has]
        kept = tuple(slice(None) if label in has else None for label in labels)
        both.append(x.cells.transpose(order)[kept])
    cells = writer(np.multiply, value, a)(*both).reshape(*np.shape(value), -1)
    return writer(np.add, value, a).reduce(cells, axis=-1)


def matmul(value: Any, a: Symbols, b: Symbols) -> Any:
    """Rows times columns; a vector is one row, or one column."""
    left = a.cells if a.ndim > 1 else a.cells[None, :]
    right = b.cells if b.ndim > 1 else b.cells[:, None]
    products = writer(np.multiply, value, a)(left[..., :, :, None], right[..., None, :, :])
    if not products.size:
        return a.program.lift(value).cells
    return writer(np.add, value, a).reduce(products, axis=-2)


def scatter(value: Any, g: Symbols, index: Any, shape: Any) -> Any:
    """Zeros, with numbers added where the index points."""
    cells = g.program.lift(np.zeros_like(value)).cells.reshape(-1)
    places = np.arange(cells.size).reshape(shape)[index].reshape(-1)
    filled = set()
    for place, number in zip(places.tolist(), g.cells.reshape(-1), strict=True):
        is_first = place not in filled
        cells[place] = number if is_first else writer(np.add, value, g)(cells[place], number)
        filled.add(place)
    return cells


def cast(value: Any, x: Symbols, **_params: Any) -> Any:
    """The same numbers in another dtype."""
    new = value.dtype
    if new.kind == "b":
        return truths(x).cells
    if new.kind in "iu" and x.dtype.kind == "f":
        return elementwise(np.trunc, value, x)
    if new == np.float32 and x.dtype != new:
        write = functools.partial(x.program.write, np.positive, new)
        return np.frompyfunc(write, 1, 1)(x.cells)
    return x.cells


def rounded(_value: Any, x: Symbols, decimals: int = 0) -> Any:
    """To so many places after the point."""
    step = 10.0 ** abs(decimals)
    y: Any = np.rint(x * step) / step if decimals > 0 else np.rint(x / step) * step
    return y.cells


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{op: functools.partial(elementwise, op) for op in (np.where, ops.sigmoid, ops.softplus)},
    np.sum: reduction(np.add),
    np.max: reduction(np.maximum),
    np.min: reduction(np.minimum),
    np.mean: mean,
    np.any: of_truths(np.logical_or),
    np.all: of_truths(np.logical_and),
    np.count_nonzero: of_truths(np.add),
    np.cumsum: cumsum,
    np.round: rounded,
    np.reshape: lambda value, x, shape: x.cells,
    np.transpose: lambda value, x, axes=None: x.cells.transpose(axes),
    np.broadcast_to: lambda value, x, shape: np.broadcast_to(x.cells, shape),
    ops.broadcast: lambda value, x, shape: np.broadcast_to(x.cells, shape),
    ops.getitem: lambda value, x, index: x.cells[index],
    ops.concatenate: lambda value, *xs, axis, edges: np.concatenate([x.cells for x in xs], axis),
    ops.scatter: scatter,
    ops.cast: cast,
    ops.contract: contract,
}
