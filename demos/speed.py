"""Speed: this library, NumPy by hand and other engines at the same work, results compared first.

W1 to W4, W6 and W7 take turns in this process; a turn is as many steps as fit in 20 ms, and each
round begins with another contestant. W5 and W8 take fresh processes. JAX is compiled, except in W5.
Before it is timed, everything has run at least once, and its results were those of NumPy by hand.
"""

import gc
import importlib
import json
import os
import platform
import subprocess
import sys
import textwrap
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import repeat
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_info, threadpool_limits

from demos._options import make_folder, whole_number
from demos._speed_chain import CHAINS
from demos._speed_numpy import (
    BY_HAND,
    Contestant,
    digits_data,
    logistic_data,
    scalars_data,
    second_order_data,
    training_data,
)
from demos._speed_peers import PEERS
from tinygrad_edu.command_line import Parser

ROOT = Path(__file__).parent.parent
HAND, PEER = "NumPy by hand", "PyTorch"  # what all are compared with
LIBRARIES = (*BY_HAND, *PEERS)
SECONDS = 0.02  # of a turn
PATIENCE = 120  # seconds for one process
WORKLOADS = {
    "W1": "graph of operations on single numbers",
    "W2": "training step of softmax regression",
    "W3": "training step of a network of two layers",
    "W4": "logistic loss of an array",
    "W5": "long chain, with memory",
    "W6": "second derivatives",
    "W7": "a whole training",
    "W8": "import",
}


@dataclass
class Case:
    """A piece of work, the same for all."""

    workload: str
    title: str
    kind: str  # of contestant
    data: tuple[Any, ...]
    tolerance: float
    operations: int = 1  # of a step; times are of one operation
    checked: int = 3  # steps, before results are compared


@dataclass
class Row:
    """The time of one library, in seconds."""

    workload: str
    title: str
    library: str
    minimum: float | None  # None: it did not get through, and the note says why
    median: float | None
    difference: float | None = None  # of its results from those expected
    note: str = ""
    details: dict[str, float] = field(default_factory=dict)


def cases(workload: str, quick: bool) -> list[Case]:
    """Those of one workload, which are steps in this process; ``quick`` makes them small."""

    def training(what: str, examples: int, sizes: list[int], dtype: Any) -> Case:
        title = f"{what} {'-'.join(map(str, sizes))}, {examples} examples, {dtype.__name__}"
        tolerance = 1e-9 if dtype is np.float64 else 1e-4
        return Case(workload, title, "training", training_data(examples, sizes, dtype), tolerance)

    if workload == "W1":
        chains, length = (2, 15) if quick else (10, 33)
        count = chains * (3 * length + 1)
        title = f"graph of {count:,} operations on single numbers, per operation"
        return [Case("W1", title, "scalars", scalars_data(chains, length), 1e-9, count)]
    if workload == "W2":
        return [
            training("step of softmax regression", 64, [64, 10], np.float64),
            training("step of softmax regression", 128, [784, 10], np.float32),
        ]
    if workload == "W3":
        return [
            training("step of an MLP", 128, [784, 256, 10], np.float32),
            training("step of an MLP", 64, [64, 32, 10], np.float64),
        ]
    if workload == "W4":
        count = 1_000 if quick else 1_000_000
        title = f"logistic loss of {count:,} margins, and its gradient, float32"
        return [Case("W4", title, "logistic", logistic_data(count), 1e-5)]
    if workload == "W6":
        data = second_order_data()
        return [
            Case(
                "W6",
                "Hessian of logistic regression, 200 x 20 (by hand: closed form)",
                "hessian",
                data,
                1e-9,
            ),
            Case(
                "W6", "Hessian-vector product, 200 x 20 (by hand: closed form)", "hvp", data, 1e-9
            ),
        ]
    epochs = 1 if quick else 50
    title = f"digits, {epochs} epochs of softmax regression, batches of 32"
    return [Case("W7", title, "training", digits_data(epochs), 1e-6, checked=1)]


def difference(found: list[Any], expected: list[Any], start: list[Any]) -> float:
    """The largest, relative to how far what is expected is from the start; inf if dtypes differ."""
    kinds = [[(np.shape(a), np.asarray(a).dtype) for a in results] for results in (found, expected)]
    if kinds[0] != kinds[1]:
        return np.inf
    apart = [
        np.max(np.abs(a - b)) / np.max(np.abs(b - s))
        for a, b, s in zip(found, expected, start, strict=True)
    ]
    return float(np.max(apart))  # nan, if one of them is


def refuse(title: str, library: str, apart: float, tolerance: float) -> None:
    """RuntimeError, if results differ by more than rounding."""
    if not apart <= tolerance:
        raise RuntimeError(
            f"{title}: the results of {library} differ by {apart:.1e} from those expected, which "
            f"is more than {tolerance:.0e}, so it is not timed"
        )


def timed(step: Callable[[], Any], repetitions: int) -> float:
    """The seconds of one step, the mean of so many in a row."""
    start = perf_counter()
    for _ in repeat(None, repetitions):
        step()
    return (perf_counter() - start) / repetitions


def take_turns(steps: list[Callable[[], Any]], rounds: int, seconds: float) -> np.ndarray:
    """The seconds of each step in each round: (rounds, steps). A turn takes about ``seconds``."""
    counts = [max(1, round(seconds / min(timed(step, 1) for _ in range(3)))) for step in steps]
    times = np.empty((rounds, len(steps)))
    for r in range(rounds):
        for i in np.roll(range(len(steps)), -r):
            gc.collect()  # nobody cleans up after others
            times[r, i] = timed(steps[i], counts[i])
    return times


def run_steps(
    case: Case, libraries: dict[str, dict[str, Contestant]], options: Namespace
) -> list[Row]:
    """Compare the results of all that can do this work; then time them."""
    able = {name: kinds[case.kind] for name, kinds in libraries.items() if case.kind in kinds}
    steps, found = {}, {}
    for name, contestant in able.items():
        step, results = contestant(*case.data)
        for _ in range(case.checked):
            returned = step()
        steps[name], found[name] = step, results(returned)
    expected = found[HAND]
    start = [0.0, *case.data[3]] if case.kind == "training" else [0.0] * len(expected)
    apart = {name: difference(found[name], expected, start) for name in able}
    for name in able:
        refuse(case.title, name, apart[name], case.tolerance)
    gc.collect()
    gc.freeze()  # so that to collect garbage is not to search all that was imported
    try:
        times = take_turns(list(steps.values()), options.rounds, 0 if options.quick else SECONDS)
    finally:
        gc.unfreeze()
    times /= case.operations
    return [
        Row(case.workload, case.title, name, float(least), float(median), apart[name])
        for name, least, median in zip(
            able, times.min(axis=0), np.median(times, axis=0), strict=True
        )
    ]


def in_process(*arguments: str) -> str:
    """The output of a fresh Python. RuntimeError with the last line of its error, if it fails."""
    command = [sys.executable, *arguments]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"stopped after {PATIENCE} s") from None
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2] or f"exit {done.returncode}")
    return done.stdout


def run_chains(libraries: list[str], options: Namespace) -> Iterator[list[Row]]:
    """Three processes for each library and length, in turn; one where it takes more than 5 s."""
    gave_up: dict[str, str] = {}
    for n in (200,) if options.quick else (10_000, 100_000, 1_000_000):
        title = f"chain of {n:,} operations, per operation"
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in libraries}
        for _ in range(1 if options.quick else 3):
            for name in libraries:
                if name in gave_up or (runs[name] and total(runs[name][0]) * n > 5):
                    continue
                try:
                    printed = in_process("-m", "demos._speed_chain", name, str(n))
                except RuntimeError as error:
                    gave_up[name] = str(error)
                    continue
                runs[name].append(json.loads(printed))
                refuse(title, name, runs[name][-1]["difference"], 1e-8)
        yield [chain_row(title, name, runs[name], gave_up.get(name, "")) for name in libraries]


def total(run: dict[str, float]) -> float:
    """The seconds of one operation, all in all."""
    return run["record"] + run["backward"] + run["free"]


def chain_row(title: str, name: str, runs: list[dict[str, float]], note: str) -> Row:
    """The best of some runs."""
    if not runs:
        return Row("W5", title, name, None, None, None, note)
    best = min(runs, key=total)
    phases = [f"{phase} {in_units(best[phase])}" for phase in ("record", "backward", "free")]
    memory = [f"{best['bytes']:.0f} bytes"] if "bytes" in best else []
    median = float(np.median([total(run) for run in runs]))
    apart = best.pop("difference")
    return Row("W5", title, name, total(best), median, apart, ", ".join(phases + memory), best)


def run_imports(libraries: list[str], options: Namespace) -> list[Row]:
    """``import`` in fresh processes, which take turns; half as many rounds as elsewhere."""
    # micrograd needs no NumPy, and to compile needs no other import.
    libraries = [name for name in libraries if name not in ("micrograd", "tinygrad_edu, jit")]
    modules = {HAND: "numpy"} | {name: PEERS[name][0] for name in libraries if name in PEERS}
    program = (
        "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
    )
    times = [
        [float(in_process("-c", program.format(module))) for module in modules.values()]
        for _ in range((options.rounds + 1) // 2)
    ]
    return [
        Row("W8", "import, in a fresh process", name, min(seconds), float(np.median(seconds)))
        for name, seconds in zip(modules, zip(*times, strict=True), strict=True)
    ]


def in_units(seconds: float | None) -> str:
    """Three digits and a unit."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.{2 - min(2, int(np.log10(seconds / size)))}f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def ratio(row: Row, rows: list[Row], library: str) -> float | None:
    """The least time of a row, divided by that of a library."""
    least = next((other.minimum for other in rows if other.library == library), None)
    return row.minimum / least if row.minimum and least else None


def print_rows(rows: list[Row]) -> None:
    """The table of one case."""
    print(f"\n{rows[0].workload}  {rows[0].title}")
    print(f"{'':26}{'minimum':>9}{'median':>10}{'/ by hand':>11}{'/ ' + PEER:>11}  differs by")
    for row in rows:
        ratios = [ratio(row, rows, library) for library in (HAND, PEER)]
        cells = "".join(f"{'-' if r is None else f'{r:.2f}':>11}" for r in ratios)
        apart = "" if row.difference is None else f"{row.difference:.0e}"
        times = f"{in_units(row.minimum):>9}{in_units(row.median):>10}"
        print(f"  {row.library:24}{times}{cells}{apart:>12}  {row.note}".rstrip(), flush=True)


def plot(rows: list[Row], subtitle: str) -> Figure:
    """One panel for each case, of the longest chain only; bars from 1, which is NumPy by hand."""
    titles = list(dict.fromkeys((row.workload, row.title) for row in rows))
    last = dict(titles)
    titles = [each for each in titles if each[0] != "W5" or each[1] == last["W5"]]
    libraries = [name for name in LIBRARIES if any(row.library == name for row in rows)]
    lines = -(-len(titles) // 2)
    figure = Figure(figsize=(8, 1 + lines * (0.7 + 0.21 * len(libraries))))
    panels = figure.subplots(lines, 2, sharex=True, sharey=True, squeeze=False).ravel()
    least, most = 1.0, 1.0
    for (workload, title), axes in zip(titles, panels, strict=False):
        mine = [row for row in rows if (row.workload, row.title) == (workload, title)]
        for row in mine:
            r = ratio(row, mine, HAND)
            if r is None:
                continue
            y = libraries.index(row.library)
            color = "#0072B2" if row.library.startswith("tinygrad_edu") else "#999999"
            axes.barh(y, r - 1, left=1, color=color)
            text = f" {r:.3g}" if r < 100 else f" {r:.0f}"
            axes.text(max(r, 1), y, text, va="center", fontsize=9)
            least, most = min(least, r), max(most, r)
        axes.axvline(1, color="#222222", linewidth=1)
        axes.tick_params(labelsize=10)
        axes.set_title(textwrap.fill(f"{workload}  {title}", 42), fontsize=10, loc="left")
    for axes in panels[: len(titles)][-2:]:
        axes.tick_params(labelbottom=True)
    for axes in panels[len(titles) :]:
        axes.set_visible(False)
    panels[0].set(xscale="log", xlim=(least / 1.3, most * 4), ylim=(len(libraries) - 0.4, -0.6))
    panels[0].set_yticks(range(len(libraries)), libraries)
    panels[0].xaxis.set_major_formatter("{x:g}")
    figure.suptitle(f"Time, relative to {HAND}: less is better\n{subtitle}", fontsize=11)
    return figure


def find_libraries() -> tuple[dict[str, dict[str, Contestant]], list[str]]:
    """The contestants of all that can be imported, and why others are left out."""
    found, missing = dict(BY_HAND), []
    for name, (module, kinds) in PEERS.items():
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            missing.append(f"{name} is not installed")
        except Exception as error:  # as old packages have it with a new NumPy
            missing.append(f"{name} cannot be imported: {str(error).partition(chr(10))[0]}")
        else:
            found[name] = kinds
    return found, missing


@contextmanager
def limited(threads: int, libraries: dict[str, Any]) -> Iterator[None]:
    """All libraries use so many threads, and JAX has float64, too."""
    if "JAX" in libraries:
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    if "PyTorch" in libraries:
        importlib.import_module("torch").set_num_threads(threads)
    with threadpool_limits(threads):
        yield


def limit_processes(threads: int) -> None:
    """For fresh processes, which compile what they import once; JAX's threads follow NPROC."""
    os.environ |= {name: str(threads) for name in ("NPROC", "OMP_NUM_THREADS")}
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def conditions(options: Namespace, libraries: dict[str, Any]) -> dict[str, Any]:
    """When, where and with what."""

    def version_of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "in this folder"  # and not installed

    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    blas = {
        f"{pool['internal_api']} {pool['version']}: {pool['num_threads']}"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    packages = ["numpy", *(PEERS[name][0] for name in libraries if name in PEERS)]
    return {
        "date": datetime.now().astimezone().isoformat(timespec="minutes"),
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "threads": options.threads,
        "rounds": options.rounds,
        "blas": sorted(blas),
        "versions": {"python": platform.python_version()}
        | {package: version_of(package) for package in packages},
    }


def read_options(argv: list[str]) -> Namespace:
    """The options, checked before anything is done."""
    parser = Parser(prog="python -m demos speed", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    meaning = "; ".join(f"{name}: {what}" for name, what in WORKLOADS.items())
    add("--only", nargs="+", choices=WORKLOADS, metavar="W", help=f"some of these. {meaning}")
    count = whole_number(1)
    add("--rounds", type=count, help="turns of each (default: 20)")
    add("--threads", type=count, default=1, help="of each library (default: %(default)s)")
    add("--quick", action="store_true", help="little work, to try the program, not to compare")
    add("--json", type=Path, metavar="FILE", help="write all numbers to it, too")
    folder = Path("demo-output", "speed")
    add("--out", type=Path, default=folder, help="picture folder (default: %(default)s)")
    options = parser.parse_args(argv)
    options.rounds = options.rounds or (1 if options.quick else 20)
    make_folder(options.out, parser)
    if options.json:
        try:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.touch()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            parser.error(f"argument --json: cannot write '{options.json}' ({reason})")
    return options


def run(options: Namespace, libraries: dict[str, dict[str, Contestant]]) -> Iterator[list[Row]]:
    """The rows of each case."""
    for workload in options.only or WORKLOADS:
        if workload == "W5":
            yield from run_chains([name for name in CHAINS if name in libraries], options)
        elif workload == "W8":
            yield run_imports(list(libraries), options)
        else:
            for case in cases(workload, options.quick):
                yield run_steps(case, libraries, options)


def main(argv: list[str]) -> int:
    """Compare, measure, print and draw; the exit status."""
    options = read_options(argv)
    limit_processes(options.threads)
    libraries, missing = find_libraries()
    rows: list[Row] = []
    with limited(options.threads, libraries):
        where = conditions(options, libraries) | {"left_out": missing}
        print(f"{where['date']}, {where['processor']}, {where['cores']} cores, {where['system']}")
        print(f"threads of each library: {options.threads} ({', '.join(where['blas'])})")
        print(", ".join(f"{name} {number}" for name, number in where["versions"].items()))
        print(*(f"left out: {why}\n" for why in missing), sep="", end="")
        print(f"least and median time of {options.rounds} rounds; ratios are of least times")
        try:
            for case in run(options, libraries):
                print_rows(case)
                rows += case
        except RuntimeError as error:
            print(f"python -m demos speed: {error}", file=sys.stderr)
            return 1
    subtitle = f"{where['processor']}, {options.threads} of {where['cores']} cores, {where['date']}"
    path = options.out / "speed.png"
    plot(rows, subtitle).savefig(path, dpi=160)
    print(f"\nWritten {path}")
    if options.json:
        where["rows"] = [asdict(row) for row in rows]
        options.json.write_text(json.dumps(where, indent=1) + "\n", encoding="utf-8")
        print(f"Written {options.json}")
    return 0
