"""The same model in PyTorch, trained by two processes with DDP: the numbers are those of one here.

The way out of this library, for models and data that one machine cannot hold. The weights travel as
a safetensors file, because `state_dict` has the names of PyTorch; DDP averages the gradients of the
processes, each of which has half of every batch. On this machine the processes talk by gloo; on
others they are started by torchrun, and on GPUs they talk by nccl, with the same lines.
"""

import importlib.util
import multiprocessing
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from demos._options import whole_number
from tinygrad_edu import load, losses, nn, optim, save
from tinygrad_edu.command_line import Parser

FEATURES, HIDDEN, CLASSES, BATCH = 64, 32, 10, 64
LR, MOMENTUM = 0.1, 0.9
PROCESSES = 2


def examples(steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """One batch for each step, the same in every process."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(FEATURES, CLASSES))
    batches = [rng.normal(size=(BATCH, FEATURES)) for _ in range(steps)]
    return [(x, (x @ plane).argmax(axis=1)) for x in batches]


def train_here(steps: int, start: Path) -> tuple[dict[str, Any], list[float]]:
    """Save a new model to ``start``, and train it in this process: its state, and the losses."""
    model = nn.Sequential(
        nn.Linear(FEATURES, HIDDEN, rng=0), np.tanh, nn.Linear(HIDDEN, CLASSES, rng=1)
    )
    save(model.state_dict(), start)
    sgd = optim.SGD(model.parameters(), LR, MOMENTUM)
    values = []
    for x, y in examples(steps):
        loss = losses.cross_entropy(model(x), y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        values.append(loss.item())
    return model.state_dict(), values


def train_there(rank: int, steps: int, folder: Path) -> None:
    """What each process does: its half of every batch, in PyTorch."""
    import torch
    from safetensors.torch import load_file, save_file
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel

    torch.set_num_threads(1)
    meeting = (folder / "meeting").as_uri()
    distributed.init_process_group("gloo", meeting, rank=rank, world_size=PROCESSES)
    try:
        model = torch.nn.Sequential(
            torch.nn.Linear(FEATURES, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, CLASSES)
        ).double()
        model.load_state_dict(load_file(folder / "start.safetensors"))
        parallel = DistributedDataParallel(model)
        sgd = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
        values = []
        for x, y in examples(steps):
            mine = slice(rank, None, PROCESSES)
            scores = parallel(torch.from_numpy(x[mine]))
            loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(y[mine]))
            sgd.zero_grad()
            loss.backward()  # DDP averages the gradients of all processes here
            sgd.step()
            whole = loss.detach()
            distributed.all_reduce(whole)
            values.append(whole / PROCESSES)
        if rank == 0:
            save_file(model.state_dict(), folder / "end.safetensors")
            save_file({"losses": torch.stack(values)}, folder / "losses.safetensors")
    finally:
        distributed.destroy_process_group()


def compare(steps: int) -> tuple[list[float], list[float], float]:
    """The losses here and there, and the largest difference of any weight at the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights, ours = train_here(steps, folder / "start.safetensors")
        spawn = multiprocessing.get_context("spawn")
        workers = [
            spawn.Process(target=train_there, args=(rank, steps, folder))
            for rank in range(PROCESSES)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if any(worker.exitcode for worker in workers):
            raise RuntimeError("a process of PyTorch failed: what it says stands above")
        there = load(folder / "end.safetensors")
        theirs = load(folder / "losses.safetensors")["losses"].tolist()
    return ours, theirs, max(float(abs(there[name] - weights[name]).max()) for name in weights)


def main(argv: list[str]) -> int:
    """Train in both ways, and compare; the exit status."""
    parser = Parser(prog="python -m demos ddp", description=__doc__.partition("\n")[0])
    steps = whole_number(1)
    parser.add_argument("--steps", type=steps, default=20, help="to train (default: %(default)s)")
    options = parser.parse_args(argv)
    missing = [name for name in ("torch", "safetensors") if not importlib.util.find_spec(name)]
    if missing:
        needs = f"ddp needs {', '.join(missing)}: pip install {' '.join(missing)}"
        print(f"python -m demos: {needs}", file=sys.stderr)
        return 2
    ours, theirs, difference = compare(options.steps)
    print("step   loss, one process here   loss, two processes of PyTorch")
    for step in range(0, options.steps, max(1, options.steps // 5)):
        print(f"{step:4}{ours[step]:26.12f}{theirs[step]:33.12f}")
    assert np.allclose(ours, theirs, rtol=1e-10), "the losses differ"
    assert difference < 1e-10, f"the weights differ by {difference:.1e}"
    print(f"\nAfter {options.steps} steps, no weight differs by more than {difference:.1e}.")
    return 0
