"""Build your own engine: a course in eight stages, from an empty stub to digits learned.

python -m demos engine                      makes the folder my-engine: begin with its README.md
python -m demos engine --solution 3         prints what stage 3 adds, in one way of many
python -m demos engine --solution 3 --whole prints the whole engine after stage 3
python -m demos engine --grade a b c        checks the engines in folders, and writes grades.csv
"""

import argparse
import ast
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from demos._options import make_folder, whole_number
from tinygrad_edu.command_line import Parser

COURSE = Path(__file__).with_name("engine_course")
STAGES = 8
PATIENCE = 600  # seconds for one engine: a loop without an end is not waited for


def solution(number: int) -> str:
    """What a stage adds: functions and methods, some of which replace older ones."""
    return (COURSE / "solutions" / f"stage{number}.py").read_text("utf-8")


def whole(number: int) -> str:
    """The engine after a stage: the stub, with the solutions of the stages so far."""
    text = (COURSE / "engine.py").read_text("utf-8")
    for each in range(1, number + 1):
        text = merged(text, solution(each))
    return text


def merged(base: str, change: str) -> str:
    """A module with the definitions of another one, in the place of those of the same name.

    Of a class, its methods and assignments are put in one by one.
    """
    for node in ast.parse(change).body:
        for member in node.body if isinstance(node, ast.ClassDef) else [node]:
            body = ast.parse(base).body
            after = find(body, "Value")
            if isinstance(node, ast.ClassDef):
                body = find(body, node.name).body
                after = find(body, "__init__" if isinstance(member, ast.FunctionDef) else "")
            base = put(base, body, member, change, after or body[0])
    return base


def name_of(node: ast.stmt) -> str:
    """The name that a statement defines."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    return str(getattr(node, "name", ""))


def find(body: list[ast.stmt], name: str) -> Any:
    """The statement that defines a name, or None."""
    return next((node for node in body if name_of(node) == name), None)


def put(base: str, body: list[ast.stmt], node: ast.stmt, change: str, after: Any) -> str:
    """A text with the lines of a statement in the place of that of its name, or after another.

    A docstring of the old one stays, if the new one has none.
    """
    lines = base.splitlines()
    new = change.splitlines()[node.lineno - 1 : node.end_lineno]
    old = find(body, name_of(node))
    if old is None:
        gap = [""] * (1 if node.col_offset else 2)
        lines[after.end_lineno : after.end_lineno] = gap + new
        return "\n".join(lines) + "\n"
    if isinstance(old, ast.FunctionDef) and isinstance(node, ast.FunctionDef):
        has_docstring = [isinstance(each.body[0], ast.Expr) for each in (old, node)]
        if has_docstring == [True, False]:
            first = old.body[0]
            start = node.body[0].lineno - node.lineno
            new[start:start] = lines[first.lineno - 1 : first.end_lineno]
    lines[old.lineno - 1 : old.end_lineno] = new
    return "\n".join(lines) + "\n"


def make(folder: Path, last: int, held_back: str) -> None:
    """Fill the folder of a student, with the stages up to ``last``."""
    readme = (COURSE / "README.md").read_text("utf-8")
    if last < STAGES:
        readme = readme.partition(f"\n## Stage {last + 1}:")[0] + "\n"
    (folder / "README.md").write_text(readme, "utf-8")
    check = (COURSE / "check.py").read_text("utf-8")
    check = check.replace(f"\nLAST = {STAGES} ", f"\nLAST = {last} ", 1)
    check = check.replace('\nHELD_BACK = "" ', f'\nHELD_BACK = "{held_back}" ', 1)
    (folder / "check.py").write_text(check, "utf-8")
    for name in ("engine.py", "test_engine.py"):
        shutil.copy(COURSE / name, folder)
    pictures = folder / "pictures"
    pictures.mkdir()
    try:
        for number, drawing in enumerate(drawings()[:last], 1):
            drawing.save(pictures / f"stage{number}.svg")
    except RuntimeError as error:
        print(f"{error}\nSo the pictures of README.md are missing; all else is there.")


def drawings() -> list[Any]:
    """The picture of each stage."""
    import numpy as np

    from tinygrad_edu import Tensor, draw, losses

    def variable(name: str, value: Any) -> Any:
        return Tensor(value, requires_grad=True, name=name)

    x, w, b, c = (variable(*each) for each in zip("xwbc", (3.0, 2.0, -1.0, 4.0), strict=True))
    h = x * x
    k = h * 2.0
    h.name, k.name = "h", "k"
    matrix = variable("W", np.array([[1.0, 0.0], [-1.0, 2.0]]))
    bias = variable("b", np.array([0.5, -0.5]))
    images = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, 1.0]])
    return [
        draw(x * w + b, show="value"),
        draw((x * w + b) * c),
        draw(x * x + x),
        draw(h + k),
        draw(np.tanh(w * 0.75 + b)),
        draw((w * 1.5 + b - 1.0) ** 2),
        draw((images @ matrix + bias).sum()),
        draw(losses.cross_entropy(images @ matrix + bias, np.array([0, 1, 0])), collapse=False),
    ]


def grade(folders: list[Path], out: Path) -> int:
    """Check the engine in each folder with all checks, and write who passed which, as CSV."""
    rows: list[dict[str, str]] = []
    columns = ["folder", "stages", "passed"]
    for folder in folders:
        results, problem = results_of(folder)
        statuses = [result["result"] for result in results]
        open_stages = [int(r["stage"]) for r in results if r["result"] != "holds"]
        done = min([*open_stages, STAGES + 1]) - 1 if results else 0
        passed = statuses.count("holds")
        row = {"folder": str(folder), "stages": str(done), "passed": str(passed)}
        row |= {f"{r['stage']}.{r['check']}": r["result"] for r in results}
        columns += [name for name in row if name not in columns]
        rows.append(row)
        print(f"{folder}: {problem or f'{done} stages done, {passed} of {len(results)} checks'}")
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="does not run")
        writer.writeheader()
        writer.writerows(rows)
    print(f"Written {out}")
    return 0


def results_of(folder: Path) -> tuple[list[dict[str, str]], str]:
    """The results of all checks of the engine in a folder, or none, and why."""
    command = [sys.executable, str(COURSE / "check.py"), "report", "--engine", str(folder)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return [], f"not done after {PATIENCE} seconds"
    _, header, table = done.stdout.partition("stage,check,result\n")  # after what it prints itself
    if not table:
        said = done.stderr.strip().splitlines() or ["nothing was written"]
        return [], f"does not run: {said[-1]}"
    return list(csv.DictReader((header + table).splitlines())), ""


def main(argv: list[str]) -> int:
    """Make the folder, print a solution, or grade; the exit status."""
    parser = Parser(
        prog="python -m demos engine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    number = whole_number(1, STAGES)
    add = parser.add_argument
    add("--out", type=Path, default=Path("my-engine"), help="a new folder (default: %(default)s)")
    add("--stages", type=number, default=STAGES, metavar="N", help="only the first N stages")
    add("--hold-back", default="", metavar="CHECKS", help="checks the folder does not have, 'a b'")
    add("--solution", type=number, metavar="N", help="print what stage N adds")
    add("--whole", action="store_true", help="with --solution: print the engine after it")
    add("--grade", type=Path, nargs="+", metavar="FOLDER", help="check engines of a class")
    add("--csv", type=Path, default=Path("grades.csv"), help="for --grade (default: %(default)s)")
    options = parser.parse_args(argv)
    if options.solution:
        print((whole if options.whole else solution)(options.solution), end="")
        return 0
    if options.grade:
        return grade(options.grade, options.csv)
    if os.path.exists(options.out):
        parser.error(f"argument --out: '{options.out}' is there already, and may hold your work")
    if not re.fullmatch(r"[\w ]*", options.hold_back):
        parser.error("argument --hold-back: names of checks with spaces between them")
    make_folder(options.out, parser)
    make(options.out, options.stages, options.hold_back)
    print(f"Made {options.out}. Begin with README.md in it; python check.py says what is next")
    return 0
