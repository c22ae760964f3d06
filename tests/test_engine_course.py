"""The course: each solution does its stage, and what is wrong or missing is told by its own."""

import ast
import csv
import importlib
import re
import subprocess
import sys

import pytest

from demos import digits, engine
from demos.engine import COURSE, STAGES, main, merged, whole

README = (COURSE / "README.md").read_text("utf-8")
TEACHER = (COURSE / "teacher.md").read_text("utf-8")
MODULES = ("engine", "check")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """check.py, and a way to give it an engine."""

    def give(source):
        sys.modules.pop("engine", None)
        importlib.invalidate_caches()
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "engine.py").write_text(source, "utf-8")
        monkeypatch.syspath_prepend(folder)
        return check

    monkeypatch.syspath_prepend(COURSE)
    check = importlib.import_module("check")
    check.give = give
    yield check
    for name in MODULES:
        sys.modules.pop(name, None)


def run(*arguments):
    command = [sys.executable, str(COURSE / "check.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(autouse=True)
def _in_other_folders_this_package_is_found(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(COURSE.parents[1]))


# Solutions.


@pytest.mark.parametrize("number", range(STAGES + 1))
def test_a_solution_does_its_stage_and_those_before_and_no_more(course, number, capsys):
    course.give(whole(number))
    reached, reason = course.first_open(STAGES)
    if number == STAGES:
        assert (reached, reason) == (0, "")
    else:
        assert reached == number + 1
        names = [check.name for check in course.STAGES[number].checks]
        assert reason.partition(":")[0] in names
    assert capsys.readouterr().out.count(": done") == number


def test_the_engine_at_the_end_breaks_no_law(course):
    engine = course.give(whole(STAGES)).load()
    report = course.check_engine(engine, on_fail=None, examples=30)
    assert report.failures == []
    assert sum(result.status == "holds" for result in report.results) >= 29


def test_the_engine_at_the_end_is_short():
    lines = 0
    for node in ast.parse(whole(STAGES)).body:
        if getattr(node, "name", "") in ("Value", "as_value", "unbroadcast"):
            code = re.sub(r'"""(.|\n)*?"""', "", ast.unparse(node))
            lines += len([line for line in code.splitlines() if line.strip()])
    assert 90 < lines < 110


def test_digits_are_compared_with_what_our_demo_reaches(course, tmp_path, capsys):
    assert digits.main(["--out", str(tmp_path / "out")]) == 0
    assert f"test {course.OURS:.4f}\n" in capsys.readouterr().out


# Mistakes. Each is a change of the solution of a stage, which the check beside it tells.

LEVELS = """class Value:
    def order(self):
        found = [self]
        for value in found:
            for arg in value.args:
                if arg not in found:
                    found.append(arg)
        return found

    def backward(self):
        gradients = {self: 1.0}
        for value in self.order():
            g = gradients[value]
            if value.op is None:
                value.grad = value.grad + g
            for arg, rule in zip(value.args, value.rules):
                gradients[arg] = gradients.get(arg, 0.0) + rule(g)
"""
RECURSION = """class Value:
    def order(self, seen=None):
        seen = set() if seen is None else seen
        found = []
        for arg in self.args:
            if arg not in seen:
                seen.add(arg)
                found = arg.order(seen) + found
        return [self, *found]
"""
HANDED_ON_TWICE = """class Value:
    def backward(self):
        self.grad = 1.0
        waiting = [self]
        while waiting:
            value = waiting.pop()
            for arg, rule in zip(value.args, value.rules):
                arg.grad += rule(value.grad)
                waiting.append(arg)
"""
KEPT = """class Value:
    def backward(self):
        self.grad = 1.0
        for value in self.order():
            for arg, rule in zip(value.args, value.rules):
                if isinstance(arg, Value):
                    arg.grad += rule(value.grad)
"""
OVERFLOWS = """class Value:
    def tanh(self):
        e = (self * 2.0).exp()
        return (e - 1.0) / (e + 1.0)
"""
SHALLOW = """class Value:
    def backward(self):
        self.grad = 1.0
        for value in [self, *self.args]:
            for arg, rule in zip(value.args, value.rules):
                arg.grad = rule(value.grad)
"""
CYCLE = """class Value:
    def __mul__(self, other):
        other = as_value(other)
        a, b = self.data, other.data
        y = Value(a * b, "multiply", (self, other))
        y.rules = (lambda g: g * y.data / a, lambda g: g * a)
        return y
"""

FORGETS_NOTHING = """class Value:
    def zero_grad(self):
        pass
"""

MISTAKES = [  # the stage, what is changed, how, the check, and the beginning of what is likely
    (1, '"add", (self, other))', '"add", (other, self))', "graph", "a result keeps its operands"),
    (1, '"add", (self, other))', '"add", (self.data, other.data))', "graph", "a result keeps"),
    (1, "return as_value(other) + self", "return NotImplemented", "operands", ""),
    (2, "return g * w, g * x, g,", "return g * w, g * x, b,", "by_hand", ""),
    (2, "lambda g: g * b", "lambda g: b", "rules", "the rule forgets the gradient of its output"),
    (2, "arg.grad = rule(value.grad)", "arg.grad = rule(1.0)", "rules", "the rule forgets"),
    (2, SHALLOW, None, "chain", ""),
    (2, CYCLE, None, "memory", "a result refers to itself"),
    (3, "value.grad += g", "value.grad = g", "used_twice", "the second use replaces"),
    (3, HANDED_ON_TWICE, None, "result_twice", "h was reached twice"),
    (4, whole(3), "", "wide", "12 times y + y has 4096 paths"),
    (4, LEVELS, None, "order", "h has handed its gradient on before"),
    (4, RECURSION, None, "deep", "backward calls itself"),
    (5, "f(x - step)) / (2 * step)", "f(x)) / step", "differences", ""),
    (5, "lambda g: -g,", "lambda g: g,", "operators", "the sign is wrong"),
    (5, "return as_value(other) - self", "return self - other", "plain_numbers", "2 - x is not"),
    (5, " if power else 0.0 * g", "", "powers", "the rule takes a negative power of 0"),
    (5, "lambda g: g * (1.0 - y * y)", "lambda g: g * y", "functions", ""),
    (5, OVERFLOWS, None, "large_numbers", "exp(1000) is infinite"),
    (6, KEPT, None, "second_backward", "a result still has its gradient"),
    (6, FORGETS_NOTHING, None, "forgetting", "zero has not forgotten"),
    (6, ".data - learning_rate", ".data + learning_rate", "descent", ""),
    (6, "range(2000)", "range(20)", "line", ""),
    (7, "                g = np.expand_dims(g, axis)", "                pass", "reductions", ""),
    (7, "unbroadcast(rule(g), np.shape(arg.data))", "rule(g)", "broadcasting", "a gradient has"),
    (7, "    __array_ufunc__ = None", "    pass", "plain_arrays", "NumPy has taken each element"),
    (7, "g @ b.T, lambda g: a.T @ g", "g @ b.T, lambda g: (g.T @ a).T[::-1]", "matmul", ""),
    (7, "np.ones_like(self.data)", "np.ones(np.shape(self.data))", "dtypes", "a float64 has come"),
    (8, "self - np.max(self.data, axis, keepdims=True)", "self", "large_numbers", ""),
    (8, "range(30)", "range(0)", "digits", ""),
]  # fmt: skip


def broken(number, old, new):
    right = whole(number)
    if new is None:
        return merged(right, old)
    if new == "":
        return old if number == 4 else right.replace(old, new)
    assert right.count(old) >= 1
    return right.replace(old, new)


@pytest.mark.parametrize(("number", "old", "new", "check", "likely"), MISTAKES)
def test_a_mistake_is_told_by_its_stage(course, number, old, new, check, likely):
    course.give(broken(number, old, new))
    reached, reason = course.first_open(STAGES)
    assert (reached, reason.partition(":")[0]) == (number, check)
    assert reason.partition("likely:   ")[2].startswith(likely)


def test_the_page_for_teachers_has_the_checks_that_tell_mistakes(course):
    table = re.findall(r"^\| (\d) \| .* \| `(\w+)` \|$", TEACHER, re.MULTILINE)
    told = {(str(number), check) for number, _, _, check, _ in MISTAKES}
    assert set(table) <= told
    names = {(str(each.number), check.name) for each in course.STAGES for check in each.checks}
    assert set(table) <= names


def test_titles_are_the_same_in_all_places(course):
    titles = [(str(each.number), each.title) for each in course.STAGES]
    assert re.findall(r"^## Stage (\d): (.*)$", README, re.MULTILINE) == titles
    assert re.findall(r"^\| (\d) (.*?) \| \d", TEACHER, re.MULTILINE) == titles


def test_names_of_checks_are_told_apart(course):
    for each in course.STAGES:
        names = [check.name for check in each.checks]
        assert len(set(names)) == len(names)
    minutes = re.findall(r"^\| \d .*? \| (\d+) \| (\d+) \|", TEACHER, re.MULTILINE)
    assert [sum(map(int, column)) for column in zip(*minutes, strict=True)] == [240, 20]


# What a student sees.


def test_each_stage_has_hints_one_by_one(course, capsys):
    for number in range(1, STAGES + 1):
        found = course.hints(number)
        assert len(found) >= 2
        assert all(
            "<" not in re.sub(r"`[^`]*`|```.*?```", "", hint, flags=re.DOTALL) for hint in found
        )
    assert course.told_hint(1, 1) == 0
    assert "python check.py hint 2 has the next one." in capsys.readouterr().out
    assert course.told_hint(0, 1) == 0
    assert capsys.readouterr().out == "\nDone: no hint is needed.\n"
    assert course.told_hint(1, 4) == 1
    assert capsys.readouterr().out == "There is no hint 4: stage 1 has 3.\n"


PROGRAMS = {
    "picture": "y = v1 + b | 5\n  v1 = x * w | 6\n    x | 3\n    w | 2\n  b | -1\n",
    "check_grads": "first derivatives of <lambda> agree with finite differences in 1 directions",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_of_the_readme_run(course, name, capsys):
    course.give(whole(5))
    programs = re.findall(r"```python\n(from engine.*?)```", README, re.DOTALL)
    assert len(programs) == len(PROGRAMS)
    program = next(program for program in programs if f"print({name}" in program)
    exec(program.replace('picture.save("mine.svg")', ""), {})
    assert capsys.readouterr().out.startswith(PROGRAMS[name])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    return tmp_path / "my-engine"


def test_the_folder_has_all_but_solutions(folder, capsys):
    names = {path.name for path in folder.iterdir()}
    assert names == {"README.md", "check.py", "engine.py", "test_engine.py", "pictures"}
    pictures = {f"pictures/{path.name}" for path in (folder / "pictures").iterdir()}
    assert pictures == set(re.findall(r"\]\((pictures/.*?)\)", README))
    text = (folder / "engine.py").read_text("utf-8")
    bodies = re.findall(
        r"^ +(?:return|self\.\w+ =|for|while) .*", text.partition("class Mine")[0], re.M
    )
    assert bodies == []


def test_a_folder_that_is_there_is_not_touched(folder, capsys):
    (folder / "engine.py").write_text("mine", "utf-8")
    with pytest.raises(SystemExit) as info:
        main([])
    assert info.value.code == 2
    assert "'my-engine' is there already" in capsys.readouterr().err
    assert (folder / "engine.py").read_text("utf-8") == "mine"


def test_a_folder_without_graphviz_has_no_pictures(tmp_path, monkeypatch, capsys):
    def fail():
        raise RuntimeError("no Graphviz")

    monkeypatch.setattr(engine, "drawings", fail)
    assert main(["--out", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.startswith("no Graphviz\nSo the pictures")
    assert (tmp_path / "new" / "engine.py").exists()


def test_stages_and_checks_can_be_held_back(tmp_path):
    out = tmp_path / "lab"
    assert main(["--out", str(out), "--stages", "4", "--hold-back", "deep wide"]) == 0
    assert "## Stage 4" in (out / "README.md").read_text("utf-8")
    assert "## Stage 5" not in (out / "README.md").read_text("utf-8")
    assert len(list((out / "pictures").iterdir())) == 4
    (out / "engine.py").write_text(whole(3), "utf-8")  # which is slow, and is not asked about that
    command = [sys.executable, "check.py"]
    result = subprocess.run(command, cwd=out, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "Done. Next: python check.py all: every law"
    assert result.returncode == 0


def test_the_command_says_what_is_next(tmp_path):
    (tmp_path / "engine.py").write_text(whole(1), "utf-8")
    result = run("--engine", tmp_path)
    assert result.returncode == 1
    assert result.stdout.startswith("stage 1  numbers, + and *, and the graph they leave: done\n")
    assert result.stdout.endswith("\nNext: stage 2 in README.md. python check.py hint helps.\n")
    assert run("1", "--engine", tmp_path).returncode == 0
    hint = run("hint", "2", "--engine", tmp_path)
    assert hint.stdout.splitlines()[-1] == "python check.py hint 3 has the next one."
    assert run("9", "--engine", tmp_path).returncode == 2


def test_an_engine_that_does_not_run_is_told(tmp_path):
    (tmp_path / "engine.py").write_text("class Value:\nx\n", "utf-8")
    result = run("--engine", tmp_path)
    assert result.returncode == 1
    assert "IndentationError" in result.stderr
    assert result.stdout == "\nengine.py does not run: see the last lines above.\n"


def test_solutions_are_printed(capsys):
    assert main(["--solution", "3"]) == 0
    assert capsys.readouterr().out.startswith("class Value:\n    def backward(self):\n")
    assert main(["--solution", "3", "--whole"]) == 0
    assert capsys.readouterr().out == whole(3)


def test_pytest_takes_the_checks(folder):
    (folder / "engine.py").write_text(whole(1), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "test_engine.py", "-k", "stage1 or stage2"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert result.returncode == 1
    assert "test_engine[stage2-by_hand]" in result.stdout
    assert "test_engine[stage1-graph]" not in result.stdout


def test_a_class_is_graded(tmp_path, capsys, monkeypatch):
    sources = {"ada": whole(4), "bob": "class Value\n"}
    for name, source in sources.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "engine.py").write_text(source, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["--grade", *sources]) == 0
    with open("grades.csv", newline="", encoding="utf-8") as file:
        ada, bob = csv.DictReader(file)
    assert (ada["stages"], bob["stages"], bob["passed"]) == ("4", "0", "0")
    assert (ada["4.wide"], bob["4.wide"]) == ("holds", "does not run")
    assert (ada["5.differences"], ada["7.matmul"]) == ("fails", "not tested")
    assert int(ada["passed"]) >= 10
    output = capsys.readouterr().out
    assert output.startswith("ada: 4 stages done, ")
    assert "bob: does not run: SyntaxError: expected ':'\n" in output


def test_an_engine_without_an_end_is_not_waited_for(tmp_path, monkeypatch):
    (tmp_path / "engine.py").write_text("while True: pass\n", "utf-8")
    monkeypatch.setattr(engine, "PATIENCE", 0.5)
    assert engine.results_of(tmp_path) == ([], "not done after 0.5 seconds")


# Solutions are put together.


BASE = '''class Value:
    """A value."""

    def f(self):
        """What it gives."""
        raise NotImplementedError


def g():
    raise NotImplementedError
'''
CHANGE = """class Value:
    x = 1

    def f(self):
        return 2

    def h(self):
        return 3


def g():
    return 4


def new():
    return 5
"""


def test_definitions_take_the_place_of_those_of_the_same_name():
    names = {}
    exec(merged(BASE, CHANGE), names)
    value = names["Value"]()
    assert (value.x, value.f(), value.h(), names["g"](), names["new"]()) == (1, 2, 3, 4, 5)
    assert names["Value"].f.__doc__ == "What it gives."
