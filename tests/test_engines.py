"""The catalogue is checked: a right engine passes, and each classic mistake is told by its own."""

import gc
import subprocess
import sys
import warnings
from html.parser import HTMLParser
from importlib.metadata import version
from unittest import SkipTest

import numpy as np
import pytest
from broken_engines import BROKEN, FirstStays, NegativeAsItself, Recursive, StretchedNotSummed
from small_engine import SmallEngine

from tinygrad_edu.testing import check_engine, mistakes, parametrize_with_engine_checks
from tinygrad_edu.testing.__main__ import main
from tinygrad_edu.testing.adapters import ADAPTERS, TinygradEdu
from tinygrad_edu.testing.catalogue import CATALOGUE
from tinygrad_edu.testing.engines import run
from tinygrad_edu.testing.trial import Trial

by_name = pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)


def script(result):
    """The program in the text of a failure."""
    lines = result.text.split("\n\nexpected: ")[0].split("\n\n", 1)[1].splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines)


# Engines that are right.


@parametrize_with_engine_checks([TinygradEdu()])
def test_our_engine_keeps(engine, check):
    check(engine)


def test_a_small_engine_keeps_every_law():
    report = check_engine(SmallEngine(), on_fail=None, examples=30)
    assert report.failures == []
    assert {result.status for result in report.results} == {"holds"}
    assert [result.refused for result in report.results if result.refused] == []


class WithoutCotangent(SmallEngine):
    def backward(self, result):
        super().backward(result)


def test_without_a_cotangent_results_are_summed_by_the_engine():
    report = check_engine(WithoutCotangent(), examples=1)
    untested = {result.name for result in report.results if result.status == "not tested"}
    assert untested == {"cotangents", "aliasing"}


class WithoutSum(WithoutCotangent):
    def __init__(self):
        super().__init__()
        del self.functions["sum"]


def test_without_either_arrays_are_not_tested():
    result = run(CATALOGUE["rearranging"], WithoutSum())
    assert result.status == "not tested"
    assert "sum is not among its functions" in result.refused.values()


def single(x):
    is_double = isinstance(x, float | np.ndarray) and np.asarray(x).dtype == np.float64
    return np.float32(x) if is_double else x


class OfSinglePrecision(SmallEngine):
    def variable(self, value):
        return super().variable(single(value))

    def record(self, op, *args, **params):
        return super().record(op, *map(single, args), **params)


def test_rounding_in_single_precision_is_no_mistake():
    engine = OfSinglePrecision()
    assert engine.value(engine.variable(2.0) * 3.0).dtype == np.float32
    assert check_engine(engine, on_fail=None, examples=30).failures == []


class OfFunctions:
    """An engine of functions, made of one of variables."""

    def __init__(self, engine=SmallEngine):
        inner = engine()
        self.grad = inner.grad
        self.functions = inner.functions


def test_an_engine_of_functions_is_told_by_one_method():
    report = check_engine(OfFunctions(), examples=1)
    held = {result.name for result in report.results if result.status == "holds"}
    assert held >= {"operators", "programs", "deep", "wide", "unused", "second_order", "matmul"}
    assert not held & {"second_backward", "shared", "memory", "no_grad", "aliasing"}


@pytest.mark.parametrize("broken", [NegativeAsItself, Recursive, StretchedNotSummed])
def test_broken_engines_of_functions_are_noticed(broken):
    result = run(CATALOGUE[broken.check], OfFunctions(broken), examples=30)
    assert result.status == "fails"
    assert result.text.endswith(broken.mistake.hint)
    assert "engine.grad(f)(" in script(result)


class OnlySums:
    """The first engine of a student: numbers, and one operator."""

    scalar = True

    class Value:
        def __init__(self, data, parents=()):
            self.data, self.parents, self.grad = data, parents, 0.0

        def __add__(self, other):
            return OnlySums.Value(self.data + other.data, (self, other))

        def backward(self):
            self.grad += 1.0
            for parent in self.parents:
                parent.backward()

    def variable(self, value):
        return self.Value(value)

    def value(self, result):
        return result.data

    def backward(self, result):
        result.backward()

    def gradient(self, variable):
        return variable.grad


def test_what_an_engine_lacks_is_listed_and_is_no_failure():
    report = check_engine(OnlySums(), on_fail=None, examples=1)
    assert {result.name for result in report.failures} == {"wide"}
    status = {result.name: result.status for result in report.results}
    assert status["operators"] == status["used_twice"] == "holds"
    assert status["second_backward"] == status["matmul"] == "not tested"
    text = str(report)
    assert "y = x - w and 1 more: unsupported operand type(s) for -" in text
    assert "it has no zero" in text
    assert "it is of numbers only" in text


# Engines that are broken.


@by_name
def test_a_classic_mistake_is_told_by_its_own_check(broken):
    result = run(CATALOGUE[broken.check], broken(), examples=30)
    assert result.status == "fails"
    likely = result.text.partition("likely:   ")[2]
    assert likely == (broken.mistake.hint if broken.mistake else "")


@by_name
def test_a_failure_is_a_program_that_runs(broken):
    program = script(run(CATALOGUE[broken.check], broken(), examples=30))
    assert f"from broken_engines import {broken.__name__}\n" in program
    with pytest.raises(Exception):  # noqa: B017, PT011 (whatever the engine raises)
        exec(program, {})
    right = f"from small_engine import SmallEngine as {broken.__name__}\n"
    try:
        exec(program.replace(f"from broken_engines import {broken.__name__}\n", right), {})
    except (RuntimeError, TypeError):
        assert broken.check in ("integers", "changed_data")  # which the right engine refuses
    finally:
        gc.unfreeze()
        gc.enable()


@pytest.mark.slow
@by_name
def test_what_each_broken_engine_breaks(broken):
    failures = {name for name, check in CATALOGUE.items() if run(check, broken()).status == "fails"}
    assert failures == {broken.check, *broken.also.split()}


@pytest.mark.parametrize("name", CATALOGUE)
def test_no_check_can_be_left_out(name):
    """Without it a broken engine would go unnoticed, or be noticed by random programs alone."""
    noticed_by = [{broken.check, *broken.also.split()} - {"programs"} for broken in BROKEN]
    assert {name} - {"programs"} in noticed_by
    assert any(broken.check == "programs" and not broken.also for broken in BROKEN)


def test_every_mistake_is_made_by_a_broken_engine():
    known = {name for name, value in vars(mistakes).items() if isinstance(value, mistakes.Mistake)}
    made = {broken.mistake for broken in BROKEN}
    assert [name for name in known if getattr(mistakes, name) not in made] == []


def test_laws_are_one_sentence():
    for check in CATALOGUE.values():
        assert check.law.endswith(".")
        assert "\n" not in check.law


# Ways in.


def test_the_first_failure_is_raised():
    with pytest.raises(AssertionError, match=r"^operators: Each operator") as info:
        check_engine(NegativeAsItself())
    assert "y = -x" in str(info.value)


def test_checks_are_called_by_pytest_and_skip_what_an_engine_lacks():
    mark = parametrize_with_engine_checks([OnlySums(), NegativeAsItself()]).mark
    assert mark.args[0] == ("engine", "check")
    cases = {case.id: case.values for case in mark.args[1]}
    assert len(cases) == 2 * len(CATALOGUE)
    engine, check = cases["OnlySums-no_grad"]
    with pytest.raises(SkipTest, match="it has no no_grad"):
        check(engine)
    engine, check = cases["NegativeAsItself-operators"]
    with pytest.raises(AssertionError, match="the sign is wrong"):
        check(engine)


def test_a_failure_of_a_random_program_says_only_what_counts():
    broken = next(each for each in BROKEN if each.check == "programs")
    with pytest.raises(AssertionError) as info:
        CATALOGUE["programs"](broken())
    assert str(info.value).startswith("programs: Whole programs have")
    assert getattr(info.value, "__notes__", []) == []  # nothing of Hypothesis
    assert info.value.__suppress_context__


def drawn(seed):
    found = []
    Trial(SmallEngine(), examples=20, seed=seed).for_all(
        lambda draw: found.append(draw.integer(0, 10**9))
    )
    return found


def test_the_seed_decides_what_is_drawn():
    assert drawn(1) == drawn(1) != drawn(2)


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        (SmallEngine, r"write check_engine\(SmallEngine\(\)\)"),
        (object(), "object has no variable, value, backward, gradient: an engine has"),
        (type("Half", (), {"variable": abs, "backward": abs})(), "Half has no value, gradient"),
    ],
)
def test_what_is_no_engine_is_refused(engine, message):
    with pytest.raises(TypeError, match=message):
        check_engine(engine)


def test_another_on_fail_is_refused():
    with pytest.raises(ValueError, match="on_fail is 'raise' or None, not 'warn'"):
        check_engine(SmallEngine(), on_fail="warn")


@pytest.mark.parametrize("engine", [FirstStays(), OnlySums()])
@pytest.mark.parametrize("collects", [True, False])
def test_nothing_is_left_behind(engine, collects):
    try:
        gc.enable() if collects else gc.disable()
        state = sys.getprofile(), np.geterr(), list(warnings.filters)
        check_engine(engine, on_fail=None, examples=1)
        assert (sys.getprofile(), np.geterr(), list(warnings.filters)) == state
        assert gc.isenabled() == collects
        assert gc.get_freeze_count() == 0
    finally:
        gc.enable()


class Warns(SmallEngine):
    def backward(self, result, cotangent=None):
        warnings.warn("this engine is old", stacklevel=1)
        super().backward(result, cotangent)


def test_warnings_are_no_failures():
    check_engine(Warns(), examples=1)


class RecursiveForward(OfFunctions):
    """Deep graphs are too much for it when it records, not when it goes back."""

    def __init__(self):
        inner = SmallEngine()
        record = inner.record

        def limited(*args, **params):
            if next(inner.clock) > 3000:
                raise RecursionError
            return record(*args, **params)

        inner.record = limited
        self.grad = inner.grad


def test_too_deep_a_graph_is_no_refusal():
    result = run(CATALOGUE["deep"], RecursiveForward())
    assert result.status == "fails"
    assert "likely" not in result.text  # nothing is wrong with backward


@pytest.mark.parametrize("missing", ["hypothesis", "pytest"])
def test_what_is_not_installed_is_asked_for_when_it_is_needed(missing):
    code = (
        f"import sys; sys.modules['{missing}'] = None; import tinygrad_edu.testing as t\n"
        "from tinygrad_edu.testing.adapters import TinygradEdu\n"
        "t.parametrize_with_engine_checks([TinygradEdu()])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"ModuleNotFoundError: engine checks need {missing}: pip install" in result.stderr


# The command.


def test_the_command_prints_a_report_card(capsys):
    assert main(["small_engine:SmallEngine", "--examples", "1"]) == 0
    output = capsys.readouterr().out
    assert output.startswith(f"SmallEngine: {len(CATALOGUE)} laws hold, 0 fail, 0 are not tested\n")
    assert "holds       used_twice       A variable that is used twice gets the sum" in output
    assert "  gradients of several results add up\n" in output


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.cells = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cells.append(data)


def test_the_command_compares_engines_and_writes_a_page(tmp_path, capsys):
    path = tmp_path / "engines.html"
    names = ["broken_engines:Recursive", "small_engine:SmallEngine"]
    assert main([*names, "--html", str(path), "--examples", "1"]) == 1
    output = capsys.readouterr().out
    assert "deep             FAILS      holds" in output
    page = Cells()
    page.feed(path.read_text(encoding="utf-8"))
    assert page.open == []
    assert page.cells[:3] == ["law", "Recursive", "SmallEngine"]
    assert page.cells.count("FAILS") == 1
    assert "RecursionError" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("micrgrad", "'micrgrad' is none of autograd, jax"),
        ("no_such_file:Engine", "there is no 'no_such_file'"),
        ("small_engine:Engine", "'small_engine' has no 'Engine'"),
        ("sys:nothing", "'sys' has no 'nothing'"),
        ("sys:exit", "'sys:exit' is no class, but <built-in function exit>"),
        ("small_engine:Node", "missing 3 required positional arguments"),
    ],
)
def test_the_command_says_why_there_is_no_such_engine(name, message, capsys):
    with pytest.raises(SystemExit) as info:
        main([name])
    assert info.value.code == 2
    assert message in capsys.readouterr().err


# Engines of others. Each failure was confirmed by hand to be theirs, with these versions.

PEERS = {
    "autograd": ("1.9.1", {"broadcasting", "rearranging"}),
    "jax": ("0.10.2", set()),
    "micrograd": (
        "0.1.0",
        {"powers", "deep", "second_backward", "shared", "changed_data", "memory"},
    ),
    "mygrad": ("2.5.0", {"constants", "integers", "ties", "dtypes", "threads"}),
    "torch": ("2.13", {"refused_backward"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
def test_engines_of_others(name):
    pytest.importorskip(name)
    known, broken = PEERS[name]
    report = check_engine(ADAPTERS[name](), on_fail=None, examples=30)
    if version(name).startswith(known):
        assert {result.name for result in report.failures} == broken
    assert sum(result.status == "holds" for result in report.results) > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_our_engine_keeps_every_law_in_depth(seed):
    check_engine(TinygradEdu(), examples=500, seed=seed)
