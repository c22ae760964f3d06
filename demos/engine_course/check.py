"""How far the engine in engine.py has come.

python check.py          the stages, up to the first that is not done, and what to do next
python check.py 3        the same for the stages 1 to 3
python check.py hint     a hint for that stage; hint 2 is the next one
python check.py all      every law that tinygrad_edu knows, also those that no stage is about
python check.py report   all checks of all stages, as CSV

The exit status is 0 if all that was asked for is done, else 1.
"""

import argparse
import csv
import importlib
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

try:
    from tinygrad_edu.testing import check_engine, mistakes
    from tinygrad_edu.testing.catalogue import CATALOGUE, Check
    from tinygrad_edu.testing.engines import Result, run
    from tinygrad_edu.testing.trial import Trial
except ModuleNotFoundError as error:
    sys.exit(f"The checks need {error.name}: pip install -e '.[demos]' in a clone of tinygrad_edu")

HERE = Path(__file__).parent
LAST = 8  # the last stage
HELD_BACK = ""  # names of checks that are not made here

OURS = 0.9694  # of the test images, as `python -m demos digits` tells


def has(what: str, programs: str, **inputs: Any) -> Callable[[Trial], None]:
    """A law: programs that must run, one a line; what they give is for other laws."""

    def law(trial: Trial) -> None:
        for program in programs.strip().splitlines():
            session = trial.start(**inputs)
            session.run(f"y = {program.strip()}")
            session.demand("engine.value(y) is not None", "engine.value(y)", "a number or array")

    law.__name__ = f"has_{what}"
    law.__doc__ = "What the stage is about is there."
    return law


def calls(names: str) -> str:
    """Calls of some functions of the engine, one a line."""
    return "\n".join(f'engine.functions["{name}"](x)' for name in names.split())


def operands(trial: Trial) -> None:
    """A plain number is an operand, too, on the right and on the left."""
    values = {"x + 2.0": 5.0, "2.0 + x": 5.0, "x * 2.0": 6.0, "2.0 * x": 6.0, "2 * x + 1": 7.0}
    for program, value in values.items():
        session = trial.start(x=3.0)
        session.run(f"y = {program}")
        session.expect("engine.value(y)", value)
        session.expect("engine.value(x)", 3.0)
        session.demand("engine.op(y) is not None", "engine.op(y)", "the name of an operation")


def by_hand(trial: Trial) -> None:
    """The gradients of y = (x * w + b) * c are known by hand."""
    session = trial.start()
    session.run("from engine import by_hand")
    session.expect("by_hand(2.0, 3.0, -1.0, 4.0)", np.array([12.0, 8.0, 4.0, 5.0]))
    session.expect("by_hand(0.5, -2.0, 3.0, -1.0)", np.array([2.0, -0.5, -1.0, 2.0]))


def rules(trial: Trial) -> None:
    """Sums and products have the gradients that differences give."""
    for expression in "x + w", "x * w", "x + 2.0", "2.0 + x", "x * 2.0", "2.0 * x":
        trial.agrees(f"y = {expression}", mistakes.SIGN, x=3.0, w=-0.5)
        trial.agrees(f"y = ({expression}) * 2.0", mistakes.CHAIN, mistakes.SIGN, x=3.0, w=-0.5)


def chain(trial: Trial) -> None:
    """Through a chain of operations, the gradient is multiplied by one slope for each."""
    trial.agrees("h = x * w\ny = h + 1.5", x=3.0, w=2.0)
    trial.agrees("h = x * w\nk = h + 1.5\ny = k * -2.0", x=3.0, w=2.0)
    trial.agrees("h = x + w\nk = 3.0 * h\nl = 2.0 + k\ny = l * 0.5", x=3.0, w=2.0)


HANDED_ON_TWICE = mistakes.Mistake(
    mistakes.times(2.0),
    "h was reached twice, and has handed on the sum both times. Hand on each time what has arrived "
    "then, or go on only when all has arrived",
)


def result_twice(trial: Trial) -> None:
    """A result that is used twice hands on the sum of what both uses give, once."""
    trial.agrees("h = x * w\ny = h + h", HANDED_ON_TWICE, x=3.0, w=2.0)
    trial.agrees("h = x * w\ny = h * h", HANDED_ON_TWICE, x=3.0, w=2.0)


def differences(trial: Trial) -> None:
    """A difference tells a slope to a millionth."""
    session = trial.start()
    session.run("from engine import difference")
    for f, slope in {"x**3": 12.0, "1.0 / x": -0.25, "5.0 * x + 1.0": 5.0}.items():
        call = f"difference(lambda x: {f}, 2.0)"
        session.demand(f"abs({call} - {slope}) < 1e-6", call, f"{slope}, to a millionth")


def descent(trial: Trial) -> None:
    """A step moves each parameter against its gradient, as far as the learning rate says."""
    session = trial.start(x=3.0, w=2.0)
    session.run("from engine import step")
    session.run("y = x * w\nengine.backward(y)\nstep([x, w], 0.1)")
    for name, value in {"x": 2.8, "w": 1.7}.items():
        session.demand(
            f"abs(engine.value({name}) - {value}) < 1e-9", f"engine.value({name})", str(value)
        )


def line(trial: Trial) -> None:
    """Descent finds the line of least squares."""
    xs, ys = [0.0, 1.0, 2.0, 3.0], [1.1, 2.9, 5.2, 6.8]
    session = trial.start()
    session.run("from engine import fit_line")
    session.run(f"w, b = fit_line({xs}, {ys})")
    for name, best in zip("wb", np.polyfit(xs, ys, 1), strict=True):
        session.demand(
            f"abs({name} - {best:.4f}) < 1e-3", name, f"{best:.4f}, a plain number, to a thousandth"
        )


def digits(trial: Trial) -> None:
    """The engine learns to read digits, within 0.01 of tinygrad_edu on images held out."""
    session = trial.start()
    session.run("from check import images")
    session.run("x, labels, x_test, labels_test = images()")
    session.run("from engine import learn_digits")
    session.run("weights, biases = learn_digits(x, labels)")
    session.run("scores = x_test @ np.asarray(weights) + np.asarray(biases)")
    session.run("accuracy = np.mean(scores.argmax(axis=1) == labels_test)")
    session.demand(f"accuracy >= {OURS} - 0.01", "accuracy", f"at least {OURS} - 0.01")


def images() -> tuple[Any, Any, Any, Any]:
    """Images (N, 64) from 0 to 1 and digits (N,) to learn from, and others to test with.

    They are those of ``python -m demos digits``. Needs scikit-learn.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import MinMaxScaler

    x, labels = load_digits(return_X_y=True)
    x, x_test, labels, labels_test = train_test_split(
        x, labels, test_size=0.2, stratify=labels, random_state=0
    )
    x, _, labels, _ = train_test_split(x, labels, test_size=0.25, stratify=labels, random_state=0)
    scaler = MinMaxScaler().fit(x)
    return scaler.transform(x), labels, scaler.transform(x_test), labels_test


@dataclass(frozen=True)
class Stage:
    """A stage: its title, and the checks that say whether it is done, from simple to tricky."""

    number: int
    title: str
    checks: tuple[Check, ...]


def stage(number: int, title: str, *laws: Callable[[Trial], None] | str) -> Stage:
    """A stage of laws: functions of this file, or names of tinygrad_edu's catalogue."""
    checks: list[Check] = []
    for law in laws:
        if isinstance(law, str):
            checks += [CATALOGUE[name] for name in law.split()]
        else:
            checks.append(Check(law.__name__, law.__doc__ or "", (), law))
    return Stage(number, title, tuple(checks))


STAGES = (
    stage(
        1,
        "numbers, + and *, and the graph they leave",
        has("numbers", "x\nx + w\nx * w", x=3.0, w=2.0),
        "graph",
        operands,
    ),
    stage(2, "the chain rule by hand, then by loop", by_hand, rules, chain, "memory"),
    stage(3, "used twice", "used_twice", result_twice),
    stage(4, "order", "order wide deep"),
    stage(
        5,
        "more operations",
        differences,
        has("operators", "-x\nx - w\n2.0 - x\nx / w\n2.0 / x\nx ** 2\nx ** -1.0", x=3.0, w=2.0),
        "operators plain_numbers powers",
        has("functions", calls("exp log tanh relu"), x=3.0),
        "functions large_numbers kinks programs",
    ),
    stage(
        6,
        "forgetting, steps, and a line",
        "forgetting two_results second_backward shared unused",
        descent,
        "changed_data",
        line,
    ),
    stage(
        7,
        "arrays",
        has("arrays", "x\nx + x\nx * x", x=np.ones((2, 2))),
        has("sums", calls("sum mean"), x=np.ones((2, 2))),
        "reductions",
        has("functions_of_arrays", calls("exp log tanh relu"), x=np.ones((2, 2))),
        "operators functions plain_arrays broadcasting",
        has("matmul", "x @ x\nx @ np.ones((2, 2))\nnp.ones((2, 2)) @ x", x=np.ones((2, 2))),
        "matmul values_kept augmented empty_arrays dtypes",
    ),
    stage(
        8,
        "softmax, cross entropy, and digits",
        has(
            "softmax",
            'engine.functions["softmax"](x)\n'
            'engine.functions["cross_entropy"](x, np.array([1, 0]))',
            x=np.ones((2, 2)),
        ),
        "reductions large_numbers",
        digits,
        "programs",
    ),
)
FIRST_ARRAYS = 7  # before, an engine is held to laws of numbers only
SINCE = {"sum": 7, "mean": 7, "softmax": 8, "cross_entropy": 8}  # other functions: stage 5


def stages(last: int = LAST) -> Iterator[Stage]:
    """The stages up to the last one, without what is held back."""
    for each in STAGES[:last]:
        checks = tuple(check for check in each.checks if check.name not in HELD_BACK.split())
        yield Stage(each.number, each.title, checks)


def result_of(check: Check, number: int) -> Result:
    """What a check says of the engine, where that belongs to the stage."""
    engine = load()
    engine.scalar = engine.scalar or number < FIRST_ARRAYS
    engine.functions = {
        name: f for name, f in engine.functions.items() if SINCE.get(name, 5) <= number
    }
    return run(check, engine, examples=30)


def explained(result: Result) -> str:
    """Why a check is not passed."""
    if result.status == "fails":
        return result.text
    return f"{result.name}: {result.law}\n\nIt could not be tested: {result.text}"


def hints(number: int) -> list[str]:
    """The hints for a stage, as README.md has them."""
    text = (HERE / "README.md").read_text("utf-8")
    part = text.partition(f"\n## Stage {number}:")[2].partition("\n## ")[0]
    found = re.findall(r"<details>\s*<summary>.*?</summary>(.*?)</details>", part, re.DOTALL)
    return [hint.strip() for hint in found]


def first_open(last: int) -> tuple[int, str]:
    """The first stage that is not done, and why: (0, "") if all are. It tells those before."""
    for each in stages(last):
        for check in each.checks:
            result = result_of(check, each.number)
            if result.status != "holds":
                print(f"stage {each.number}  {each.title}: not yet\n")
                return each.number, explained(result)
        print(f"stage {each.number}  {each.title}: done")
    return 0, ""


def load() -> Any:
    """The engine of engine.py."""
    return importlib.import_module("engine").Mine()


def report(last: int) -> bool:
    """Write the result of every check, as CSV; whether all hold."""
    writer = csv.writer(sys.stdout)
    writer.writerow(["stage", "check", "result"])
    statuses = []
    for each in stages(last):
        for check in each.checks:
            statuses.append(result_of(check, each.number).status)
            writer.writerow([each.number, check.name, statuses[-1]])
    return set(statuses) == {"holds"}


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked for; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", default=str(LAST), help="see above")
    parser.add_argument("which", nargs="?", type=int, default=1, help="which hint")
    parser.add_argument("--engine", type=Path, default=HERE, help="the folder of engine.py")
    options = parser.parse_args(arguments)
    if options.what not in ("hint", "all", "report", *map(str, range(1, LAST + 1))):
        parser.error(
            f"{options.what} is no number of a stage from 1 to {LAST}, hint, all or report"
        )
    sys.path.insert(0, str(options.engine))
    try:
        load()
    except Exception:
        traceback.print_exc()
        print("\nengine.py does not run: see the last lines above.")
        return 1
    if options.what == "all":
        found = check_engine(load(), on_fail=None)
        print(found)
        return int(bool(found.failures))
    if options.what == "report":
        return int(not report(LAST))
    last = int(options.what) if options.what.isdecimal() else LAST
    number, reason = first_open(last)
    if options.what == "hint":
        return told_hint(number, options.which)
    if not number:
        more = f"stage {last + 1} in README.md" if last < LAST else "python check.py all: every law"
        print(f"\nDone. Next: {more}")
        return 0
    print(f"{reason}\n\nNext: stage {number} in README.md. python check.py hint helps.")
    return 1


def told_hint(number: int, which: int) -> int:
    """Print a hint for a stage; the exit status."""
    if not number:
        print("\nDone: no hint is needed.")
        return 0
    found = hints(number)
    if not 1 <= which <= len(found):
        print(f"There is no hint {which}: stage {number} has {len(found)}.")
        return 1
    print(f"Hint {which} of {len(found)} for stage {number}:\n\n{found[which - 1]}")
    if which < len(found):
        print(f"\npython check.py hint {which + 1} has the next one.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
