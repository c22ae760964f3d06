"""The suite is checked: every rule, and every step of the engine, is broken, and it must notice.

Slow: run with ``pytest -m slow tests/test_mutants.py``.
"""

import os
import subprocess
import sys
from functools import partial, wraps
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from mutants import MUTANTS, MUTANTS_OF_JIT
from strategies import OPERATIONS
from test_ops import prove

from tinygrad_edu import ops

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent

WAYS = {
    "zero": lambda rule, g, y, *arrays, **named: 0.0 * rule(g, y, *arrays, **named),
    "negative": lambda rule, g, y, *arrays, **named: -rule(g, y, *arrays, **named),
    "1.001": lambda rule, g, y, *arrays, **named: 1.001 * rule(g, y, *arrays, **named),
    "swapped": lambda rule, g, y, *arrays, **named: rule(g, y, *arrays[::-1], **named),
}


def unbroken(rule, g, y, *arrays, **named):
    return rule(g, y, *arrays, **named)


def changed(rule, way):
    """``rule`` changed in a way, with its signature, so that it is still called as before."""
    return wraps(rule)(partial(way, rule))


STEPS = [np.sign, np.heaviside, np.floor, np.ceil, np.trunc, np.rint, np.round, np.floor_divide]

# Mutants that compute what the rule itself does, so that nobody could tell them apart.
SAME = {
    *((op, 0, way) for op in STEPS for way in WAYS),  # zero times anything is zero
    *((op, 1, way) for op in (np.copysign, np.floor_divide) for way in WAYS),  # likewise
    *((op, i, "swapped") for op in (np.add, np.subtract) for i in (0, 1)),  # no operand is used
    *((op, 0, "swapped") for op in (np.remainder, np.fmod)),  # likewise
    (np.copysign, 0, "swapped"),  # one sign times the other
    (ops.concatenate, None, "swapped"),  # neither
}


def rule_mutants():
    for op, rules in ops.derivatives.items():
        if isinstance(rules, ops.Each):
            yield from ((op, None, way) for way in WAYS if (op, None, way) not in SAME)
            continue
        for i, rule in enumerate(rules):
            for way in WAYS:
                if rule and (way != "swapped" or len(rules) > 1) and (op, i, way) not in SAME:
                    yield op, i, way


def name_of(mutant):
    op, i, way = mutant
    return f"{ops.name(op)}-{i}-{way}"


def change_rule(monkeypatch, op, position, way):
    """Put a changed rule in the table, and return what proves the operation."""
    rules = ops.derivatives[op]
    if position is None:
        new = ops.Each(lambda i, *args, **named: way(partial(rules.rule, i), *args, **named))
    else:
        new = tuple(changed(r, way) if i == position else r for i, r in enumerate(rules))
    monkeypatch.setitem(ops.derivatives, op, new)

    @settings(max_examples=100, phases=[Phase.generate], database=None, derandomize=True)
    @given(OPERATIONS[op])
    def proof(call):
        prove(op, *call)

    return proof


@pytest.mark.parametrize("mutant", list(rule_mutants()), ids=name_of)
def test_broken_rule_is_noticed(mutant, monkeypatch):
    op, position, way = mutant
    proof = change_rule(monkeypatch, op, position, WAYS[way])
    with pytest.raises(Exception):  # noqa: B017, PT011 (wrong shapes and warnings are noticed too)
        proof()


@pytest.mark.parametrize("op", ops.derivatives, ids=ops.name)
def test_rule_that_is_only_wrapped_passes(op, monkeypatch):
    """Otherwise the mutants might be noticed for being wrapped, and not for being wrong."""
    rules = ops.derivatives[op]
    positions = [None] if isinstance(rules, ops.Each) else [i for i, r in enumerate(rules) if r]
    for position in positions:
        change_rule(monkeypatch, op, position, unbroken)()


# The quick ones first, because the first failure ends the run.
CHECKS = ["tensor", "transforms", "modes", "optim", "debugging", "backprop", "data", "programs"]
CHECKS += ["ops"]


def run_checks(mutant, checks=CHECKS):
    """Run the tests on an engine that is broken in this way; see mutants."""
    options = ["-p", "mutants", "--hypothesis-profile=mutants", "-p", "no:cacheprovider"]
    # Those take seconds, and others notice.
    options += ["-k", "not million and not grow and not never_mixes and not every_operation"]
    files = [str(TESTS / f"test_{check}.py") for check in checks]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", *options, *files],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": str(TESTS), "TINYGRAD_MUTANT": mutant},
        capture_output=True,
        text=True,
        timeout=300,  # threads of a broken engine may wait for each other
    )


@pytest.mark.nightly  # it takes as long as thirty mutants, which it says are real ones
@pytest.mark.parametrize("check", [*CHECKS, "jit"])
def test_engine_that_is_written_anew_passes(check):
    result = run_checks("written anew", [check])
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]


@pytest.mark.parametrize("mutant", [*MUTANTS, *MUTANTS_OF_JIT])
def test_broken_engine_is_noticed(mutant):
    result = run_checks(mutant, ["jit"] if mutant in MUTANTS_OF_JIT else CHECKS)
    told = result.stdout[-2000:] + result.stderr[-2000:]
    assert result.returncode == 1, told
    assert "1 failed" in result.stdout, told  # and no error before a test ran
