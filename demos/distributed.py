"""Data-parallel SGD: two processes each hold half of the data, and only gradients travel.

A mini-batch gradient is a sum over examples, so each worker can add up its own part of it. In each
step the weights and the numbers of the rows go to the workers, sums of gradients come back, and the
main process divides, and takes the step. That costs messages, whatever the size of the batch; so
it is measured from which size on it is faster than one process, which may use all cores for its
matrix products, while each worker uses one.
"""

import importlib.util
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from timeit import timeit
from typing import Any

import numpy as np

from demos._options import whole_number
from tinygrad_edu import losses, nn, optim
from tinygrad_edu.command_line import Parser

EXAMPLES, FEATURES, HIDDEN, CLASSES = 32_768, 256, 256, 10
SMALLEST = 256  # batch to measure

Gradients = list[np.ndarray]  # one for each parameter of the model, in its order


@dataclass
class Shard:
    """The examples from ``start`` to ``stop``, which one worker holds."""

    worker: str
    start: int
    stop: int
    data: Any  # a Future of their x and y


@contextmanager
def two_workers() -> Iterator[Any]:
    """A Client of two processes on this machine; they end with the block, and leave no files."""
    import dask
    from dask.distributed import Client, LocalCluster

    on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # workers inherit that, and so
    try:  # only the main process answers to Ctrl-C, once they have started
        with (
            tempfile.TemporaryDirectory() as folder,
            dask.config.set(temporary_directory=folder),  # local_directory is only for workers
            LocalCluster(
                n_workers=2,
                processes=True,
                threads_per_worker=1,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # any port, even so
            ) as cluster,
            Client(cluster) as client,
        ):
            signal.signal(signal.SIGINT, on_interrupt)
            yield client
    finally:
        signal.signal(signal.SIGINT, on_interrupt)


def share(client: Any, *parts: tuple[np.ndarray, np.ndarray]) -> list[Shard]:
    """Send each part of the examples, x (N, F) and y (N,), to a worker of its own, once."""
    shards, start = [], 0
    for worker, part in zip(client.scheduler_info()["workers"], parts, strict=True):
        (data,) = client.scatter([part], workers=[worker], hash=False)  # in a list: as one thing
        shards.append(Shard(worker, start, start + len(part[0]), data))
        start = shards[-1].stop
    return shards


def gradient_sums(
    model: nn.Module, part: tuple[np.ndarray, np.ndarray], rows: np.ndarray
) -> Gradients:
    """The gradients of the sum of the losses of some rows; this runs on a worker."""
    x, y = part
    losses.cross_entropy(model(x[rows]), y[rows], reduction="sum").backward()
    return [parameter.grad for parameter in model.parameters()]


def parallel_gradients(
    client: Any, shards: Sequence[Shard], model: nn.Module, rows: np.ndarray
) -> Gradients:
    """The gradients of the mean loss of some rows of all examples, computed where they are."""
    model.zero_grad()  # they would travel, too, and be added to
    futures = []
    for shard in shards:
        own = rows[(shard.start <= rows) & (rows < shard.stop)] - shard.start
        task = gradient_sums, model, shard.data, own  # all zero if it has none of these rows
        futures.append(client.submit(*task, workers=[shard.worker], pure=False))
    results = [future.result() for future in futures]
    return [sum(sums) / len(rows) for sums in zip(*results, strict=True)]


def single_gradients(x: np.ndarray, y: np.ndarray, model: nn.Module, rows: np.ndarray) -> Gradients:
    """The same by one process, which holds all examples."""
    model.zero_grad()
    losses.cross_entropy(model(x[rows]), y[rows]).backward()
    return [parameter.grad for parameter in model.parameters()]


def network() -> nn.Sequential:
    """A network with one hidden layer, with the same weights each time."""
    return nn.Sequential(
        nn.Linear(FEATURES, HIDDEN, rng=0), np.tanh, nn.Linear(HIDDEN, CLASSES, rng=1)
    )


def step(sgd: optim.SGD, gradients: Gradients) -> None:
    """Move the parameters by these gradients, wherever they were computed."""
    for parameter, gradient in zip(sgd.params, gradients, strict=True):
        parameter.grad = gradient
    sgd.step()


def largest_difference(first: Gradients, second: Gradients) -> float:
    """Between numbers in the same place."""
    return max(np.abs(a - b).max() for a, b in zip(first, second, strict=True))


def train_both(ways: Sequence[Callable[..., Gradients]], batches: Sequence[np.ndarray]) -> None:
    """Learn the same batches in two ways, and print how far apart they are."""
    models = [network() for _ in ways]
    optimizers = [optim.SGD(model.parameters(), lr=0.1) for model in models]
    apart = 0.0
    for rows in batches:
        both = [way(model, rows) for way, model in zip(ways, models, strict=True)]
        apart = max(apart, largest_difference(*both))
        for sgd, gradients in zip(optimizers, both, strict=True):
            step(sgd, gradients)
    weights = [list(model.state_dict().values()) for model in models]
    print(f"Gradients of {len(batches)} steps on two workers and in one process differ by at most")
    print(f"{apart:.1e}, the weights after them by {largest_difference(*weights):.1e}.\n")


def seconds(ways: Sequence[Callable[..., Gradients]], batches: Sequence[np.ndarray]) -> list[float]:
    """The median time of a step in each way, which take turns."""
    model = network()
    sgd = optim.SGD(model.parameters(), lr=0.1)
    times = [
        [timeit(lambda way=way, rows=rows: step(sgd, way(model, rows)), number=1) for way in ways]
        for rows in batches
    ]
    return np.median(times, axis=0).tolist()


def verdict(times: dict[int, list[float]]) -> str:
    """From which batch size on two workers were faster, given both times for each size."""
    least = None
    for size, (one, two) in sorted(times.items(), reverse=True):
        if two >= one:
            break
        least = size
    if least is None:
        return f"Two workers did not pay: one process was faster at {max(times):,} examples, too."
    return f"Two workers paid from batches of {least:,} examples on, in this run."


def main(argv: list[str]) -> int:
    """Train in two ways, then measure both; the exit status."""
    parser = Parser(prog="python -m demos distributed", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--steps", type=whole_number(1), default=20, help="to compare (default: %(default)s)")
    add("--rounds", type=whole_number(1), default=7, help="to measure (default: %(default)s)")
    size = whole_number(SMALLEST, EXAMPLES)
    add("--largest", type=size, default=8192, help="batch to measure (default: %(default)s)")
    options = parser.parse_args(argv)
    if importlib.util.find_spec("distributed") is None:
        needs = "distributed needs dask: pip install -e '.[dask]'"
        print(f"python -m demos: {needs}", file=sys.stderr)
        return 2
    rng = np.random.default_rng(0)
    x = rng.normal(size=(EXAMPLES, FEATURES))
    y = (x @ rng.normal(size=(FEATURES, CLASSES))).argmax(axis=1)
    half = EXAMPLES // 2
    with two_workers() as client:
        shards = share(client, (x[:half], y[:half]), (x[half:], y[half:]))
        ways = [
            lambda model, rows: single_gradients(x, y, model, rows),
            lambda model, rows: parallel_gradients(client, shards, model, rows),
        ]
        train_both(ways, [rng.permutation(EXAMPLES)[:SMALLEST] for _ in range(options.steps)])
        times = {}
        print("examples   ms, 1 process   ms, 2 workers   times as fast")
        for size in 2 ** np.arange(8, 16):
            if size > options.largest:
                break
            batches = [rng.permutation(EXAMPLES)[:size] for _ in range(options.rounds)]
            times[size] = one, two = seconds(ways, batches)
            print(f"{size:8,}{1e3 * one:15.1f}{1e3 * two:16.1f}{one / two:16.2f}", flush=True)
    print(f"\n{verdict(times)}")
    return 0
