"""Hold derivatives against finite differences."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu import ops
from tinygrad_edu.tensor import Array, Tensor, no_grad, plain
from tinygrad_edu.transforms import grad

Function = Callable[..., Any]

STEP = 1e-4  # of the differences: the best of accuracy against rounding, at fourth order


def check_grads(
    f: Function,
    *args: Any,
    order: int = 2,
    rng: np.random.Generator | int = 0,
    reference: Function | None = None,
) -> None:
    """Assert that the derivatives of ``f`` at ``args`` agree with finite differences.

    ``f`` takes Tensors and returns one, of any shapes. It is differentiated by each argument of
    floating point, in float64; other arguments are passed as they are. ``order`` 2 checks the
    gradient of the gradient as well. ``rng`` draws directions: a ``np.random.Generator`` or a seed.
    With a ``reference``, a plain NumPy function of the same arguments, values are compared too.

    In a random direction d, for random weights u of the outputs, the derivative of ``sum(u * f(x +
    t * d))`` by t is computed by central differences of fourth order (step 1e-4), and must equal
    ``sum(gradient * d)`` within 1e-7 of the sum of the absolute terms, and rounding. At a kink or a
    tie differences say nothing: keep 1e-3 away from them, as ``testing.strategies`` do.

    Raises AssertionError with a table of the elements that differ, ValueError if there is nothing
    to differentiate by.

    >>> import numpy as np
    >>> from tinygrad_edu.testing import check_grads
    >>> check_grads(lambda x: np.exp(x) / (1 + np.exp(x)), [-1.0, 0.0, 2.0])
    """
    rng = np.random.default_rng(rng)
    inputs = [_as_input(arg) for arg in args]
    positions = [i for i, x in enumerate(inputs) if _is_floating(x)]
    if not positions:
        raise ValueError("no argument is of floating point: there is nothing to differentiate by")
    xs = [inputs[i] for i in positions]

    def fill(values: Any) -> list[Any]:
        filled = list(inputs)
        for i, value in zip(positions, values, strict=True):
            filled[i] = value
        return filled

    if reference is not None:
        _compare_values(f, fill([Tensor(x) for x in xs]), reference(*fill(xs)))

    def outputs(*values: Any) -> tuple[Any, ...]:
        return (f(*fill(values)),)

    for k in range(1, order + 1):
        total, scale = _weighted_sum(outputs, xs, rng)
        _compare_slopes(f, total, xs, positions, scale, k, rng)
        outputs = grad(total, tuple(range(len(xs))))


def _is_floating(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _as_input(arg: Any) -> Any:
    """Numbers of floating point as a read-only float64 array, anything else as it is."""
    if not isinstance(arg, Tensor | np.ndarray | np.floating | list | float):
        return arg
    array = np.array(plain(arg))
    if not _is_floating(array):
        return arg
    array = array.astype(np.float64)
    array.setflags(write=False)
    return array


def _compare_values(f: Function, inputs: list[Any], expected: Any) -> None:
    with no_grad():
        actual = plain(f(*inputs))
    np.testing.assert_allclose(
        actual, expected, rtol=1e-10, atol=1e-12, err_msg=f"values of {ops.name(f)} are wrong"
    )


def _weighted_sum(
    outputs: Function, xs: list[Array], rng: np.random.Generator
) -> tuple[Function, float]:
    """All outputs as one number, their sum with random weights; and the size of its terms at
    ``xs``."""
    with no_grad():
        values = [plain(y) for y in outputs(*map(Tensor, xs))]
    weights = [_signed(rng, 0.5, 1.5, np.shape(y)) for y in values]

    def total(*values: Any) -> Any:
        return sum(np.sum(w * y) for w, y in zip(weights, outputs(*values), strict=True))

    return total, sum(float(np.abs(w * y).sum()) for w, y in zip(weights, values, strict=True))


def _compare_slopes(
    f: Function,
    total: Function,
    xs: list[Array],
    positions: list[int],
    scale: float,
    order: int,
    rng: np.random.Generator,
) -> None:
    """Compare gradient and differences of ``total`` in one direction; explain what differs, if
    so."""
    gradients = _gradients(f, total, xs)
    direction = [_signed(rng, 0.5, 1.0, x.shape) for x in xs]
    terms = np.concatenate([(g * d).ravel() for g, d in zip(gradients, direction, strict=True)])
    rounding = 10 * np.finfo(float).eps * scale / STEP + 1e-10
    error = abs(terms.sum() - _slope(total, xs, direction))
    if not error <= 1e-7 * np.abs(terms).sum() + rounding:  # also where it is nan
        raise AssertionError(_explain(f, total, xs, positions, gradients, rounding, order))


def _gradients(f: Function, total: Function, xs: list[Array]) -> list[Array]:
    leaves = [Tensor(x, requires_grad=True) for x in xs]
    for leaf in leaves:
        leaf.data.setflags(write=False)
    y = total(*leaves)
    if not isinstance(y, Tensor):
        raise AssertionError(
            f"{ops.name(f)} does not return a Tensor: it leaves the graph on the way"
        )
    if not y.requires_grad:
        return [np.zeros_like(x) for x in xs]
    y.backward(retain_graph=True)
    first = [
        np.zeros_like(x) if t.grad is None else t.grad for x, t in zip(xs, leaves, strict=True)
    ]
    y.backward()
    for leaf, g in zip(leaves, first, strict=True):
        if leaf.grad is not None and not np.array_equal(leaf.grad, g + g, equal_nan=True):
            raise AssertionError(
                f"a second backward pass through {ops.name(f)} adds another gradient than the "
                "first: a derivative rule changes the arrays that it is given"
            )
    return first


def _slope(total: Function, xs: list[Array], direction: list[Array]) -> float:
    """The derivative of ``total`` along ``direction``: central differences of fourth order."""

    def at(t: float) -> float:
        return float(total(*[Tensor(x + t * d) for x, d in zip(xs, direction, strict=True)]))

    with no_grad():
        h = STEP
        return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def _signed(rng: np.random.Generator, low: float, high: float, shape: Any) -> Array:
    """Random numbers whose absolute value is from ``low`` to ``high``."""
    return np.asarray(rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape))


def _explain(
    f: Function,
    total: Function,
    xs: list[Array],
    positions: list[int],
    gradients: list[Array],
    rounding: float,
    order: int,
) -> str:
    """A table of the elements whose derivatives differ, the worst first."""
    rows = []
    for i, (x, gradient) in enumerate(zip(xs, gradients, strict=True)):
        for index in np.ndindex(x.shape):
            unit = [np.zeros_like(other) for other in xs]
            unit[i][index] = 1.0
            numeric, analytic = _slope(total, xs, unit), float(gradient[index])
            rows.append((abs(analytic - numeric), positions[i], index, analytic, numeric))
    wrong = [row for row in rows if not row[0] <= 1e-6 * abs(row[4]) + rounding]
    which = {1: "first", 2: "second"}.get(order, f"order {order}")
    lines = [
        f"{which} derivatives of {ops.name(f)} differ from finite differences in {len(wrong)} of "
        f"{len(rows)} elements",
        f"{'argument':>8}  {'element':<12} {'analytic':>14} {'numeric':>14} {'ratio':>10}",
    ]
    for _, argument, index, analytic, numeric in sorted(wrong, key=lambda row: -row[0])[:10]:
        ratio = analytic / numeric if numeric else float("nan")
        element, numbers = str(list(map(int, index))), f"{analytic:>14.8g} {numeric:>14.8g}"
        lines.append(f"{argument:>8}  {element:<12} {numbers} {ratio:>10.5f}")
    ratios = np.array([analytic / numeric for *_, analytic, numeric in wrong if numeric])
    if len(wrong) == len(ratios) == len(rows) > 1 and np.ptp(ratios) < 1e-4 * np.abs(ratios).max():
        lines.append(f"every analytic derivative is {ratios.mean():.5g} times the numeric one")
    return "\n".join(lines)
