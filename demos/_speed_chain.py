"""A chain of operations, in a process of its own: ``python -m demos._speed_chain PyTorch 10000``.

A contestant gives two functions: ``record()``, whose result holds all that the way back needs, and
``backward(graph)``, which gives the value and the derivative.
"""

import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

STATUS = Path("/proc/self/status")  # on Linux; elsewhere memory is not measured


def chain(x: Any, n: int) -> Any:
    """x to the power n + 1, by n multiplications."""
    y = x
    for _ in range(n):
        y = y * x
    return y


def by_hand(x: float, n: int) -> Any:
    """Arrays of shape (1,), each value kept for the way back."""
    leaf = np.array([x])

    def record() -> Any:
        values = [leaf]
        for _ in range(n):
            values.append(values[-1] * leaf)
        return values

    def backward(values: Any) -> Any:
        g, total = np.ones(1), np.zeros(1)
        for k in range(n - 1, -1, -1):
            total += g * values[k]
            g = g * leaf
        return values[-1][0], (total + g)[0]

    return record, backward


def tensors(leaf: Any, n: int) -> Any:
    """Any engine whose results have a method ``backward``."""

    def backward(y: Any) -> Any:
        y.backward()
        return y.data, leaf.grad

    return lambda: chain(leaf, n), backward


def tinygrad(x: float, n: int) -> Any:
    """A Tensor of one number."""
    from tinygrad_edu import Tensor

    return tensors(Tensor(x, requires_grad=True), n)


def pytorch(x: float, n: int) -> Any:
    """A tensor of one number."""
    import torch

    return tensors(torch.tensor(x, dtype=torch.float64, requires_grad=True), n)


def mygrad(x: float, n: int) -> Any:
    """A tensor of one number."""
    import mygrad

    return tensors(mygrad.tensor(x), n)


def micrograd(x: float, n: int) -> Any:
    """A Value."""
    from micrograd.engine import Value

    return tensors(Value(x), n)


def autograd(x: float, n: int) -> Any:
    """A Python number, boxed by autograd."""
    from autograd import make_vjp

    record = make_vjp(lambda x: chain(x, n))
    return lambda: record(x), lambda graph: (graph[1], graph[0](1.0))


def jax(x: float, n: int) -> Any:
    """Not compiled: that takes longer than linear time."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return lambda: jax.vjp(lambda x: chain(x, n), x), lambda graph: (graph[0], graph[1](1.0)[0])


CHAINS: dict[str, Callable[[float, int], Any]] = {
    "NumPy by hand": by_hand,
    "tinygrad_edu": tinygrad,
    "PyTorch": pytorch,
    "JAX": jax,
    "autograd": autograd,
    "MyGrad": mygrad,
    "micrograd": micrograd,
}


def resident(kind: str) -> int:
    """The bytes of memory that this process has now (VmRSS), or had at most (VmHWM)."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(kind))
    return int(line.split()[1]) * 1024


def measure(contestant: Callable[[float, int], Any], n: int) -> dict[str, float]:
    """Seconds and bytes for each operation, and how far the results are from the formulas."""
    x = 1 + 1e-7
    record, backward = contestant(x, 10)
    backward(record())  # to warm up
    record, backward = contestant(x, n)
    gc.collect()
    gc.freeze()  # so that to collect garbage is not to search all that was imported
    if STATUS.exists():
        STATUS.with_name("clear_refs").write_text("5")  # sets the peak back to what is in use
        before = resident("VmRSS")
    start = perf_counter()
    graph = record()
    recorded = perf_counter()
    value, slope = backward(graph)
    differentiated = perf_counter()
    del graph
    gc.collect()  # some graphs are cycles
    freed = perf_counter()
    measured = {
        "record": (recorded - start) / n,
        "backward": (differentiated - recorded) / n,
        "free": (freed - differentiated) / n,
    }
    if STATUS.exists():
        measured["bytes"] = (resident("VmHWM") - before) / n
    power = x**n
    apart = max(abs(float(value) / (power * x) - 1), abs(float(slope) / ((n + 1) * power) - 1))
    return measured | {"difference": apart}


if __name__ == "__main__":
    print(json.dumps(measure(CHAINS[sys.argv[1]], int(sys.argv[2]))))
