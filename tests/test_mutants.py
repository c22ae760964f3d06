"""The suite is checked: every rule, and every step of the engine, is broken, and it must notice.

Slow: run with ``pytest -m slow tests/test_mutants.py``.
"""

import shutil
import subprocess
import sys
from functools import partial, wraps
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from strategies import OPERATIONS
from test_ops import prove

import tinygrad_edu
from tinygrad_edu import ops

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent
PACKAGE = Path(tinygrad_edu.__file__).parent

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


# Mutants that compute what the rule itself does, so that nobody could tell them apart.
SAME = {
    *(
        (op, 0, way) for op in (np.sign, np.heaviside) for way in WAYS
    ),  # zero times anything is zero
    *((op, i, "swapped") for op in (np.add, np.subtract) for i in (0, 1)),  # no operand is used
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


SOURCE_MUTANTS = {
    "gradients are not summed over broadcast axes": (
        "backprop.py",
        "kept = g.sum(axis=axes, keepdims=True)",
        "kept = g[tuple(slice(0, 1) if i in axes else slice(None) for i in range(g.ndim))]",
    ),
    "contributions replace each other": (
        "backprop.py",
        "pulled = gradients[arg] + pulled",
        "pass",
    ),
    "oldest first": ("backprop.py", "reverse=True", "reverse=False"),
    "no order": ("backprop.py", "results.sort(", "sorted(results, "),
    "parents are not visited": ("backprop.py", "stack.append(arg)", "pass"),
    "stale data is not noticed": ("backprop.py", "if arg._time > node._time:", "if False:"),
    "sources are passed": ("backprop.py", "or node in sources", ""),
    "rules see arrays where Tensors are due": (
        "backprop.py",
        "(node, args) if on_tensors else",
        "",
    ),
    "leaves do not accumulate": (
        "tensor.py",
        "g if leaf._grad is None else leaf._grad + g",
        "g",
    ),
    "gradients alias": ("tensor.py", "ops.own_array(total, leaf.dtype)", "np.asarray(total)"),
    "second backward is allowed": ("tensor.py", "if self._spent:", "if False:"),
    "data is shared": (
        "tensor.py",
        "ops.own_array(plain(data))",
        "ops.as_array(plain(data))",
    ),
    "changed data is not dated": (
        "tensor.py",
        "array[()]\n        self._time = next(clock)",
        "array[()]",
    ),
    "a switch of requires_grad is not dated": (
        "tensor.py",
        "self._requires_grad, self._time = bool(value), next(clock)",
        "self._requires_grad = bool(value)",
    ),
    "indices are shared": (
        "tensor.py",
        "array = ops.own_array(plain(part))",
        "array = ops.as_array(plain(part))",
    ),
    "views of constants are shared": ("tensor.py", "value = value.copy()", "pass"),
    "outside variables are cut off": ("transforms.py", "for arg in {y, *args}", "for arg in args"),
    "repeats are lost": ("ops.py", "np.add.at(x, index, g)", "x[index] = g"),
    "no_grad records": (
        "tensor.py",
        "if requires_grad and not paused:",
        "if requires_grad:",
    ),
    "no_grad records functions of one argument": (
        "tensor.py",
        "if paused or watchers or not self._requires_grad:",
        "if watchers or not self._requires_grad:",
    ),
    "no_grad records operators": (
        "tensor.py",
        "if self._requires_grad and not paused and not watchers:",
        "if self._requires_grad and not watchers:",
    ),
    "an optimizer's step is not dated": (
        "tensor.py",
        "self._value, self._time = value, next(clock)",
        "self._value = value",
    ),
    "constants get gradients": (
        "tensor.py",
        "requires_grad = requires_grad or arg._requires_grad",
        "requires_grad = True",
    ),
    "nested gradients are cut off": (
        "transforms.py",
        "derivatives = how(y, _depending_on(variables, results), variables, nested)",
        "derivatives = how(y, _depending_on(variables, results), variables, False)",
    ),
    "momentum is forgotten": ("optim.py", "self.momentum * self._velocity[p] + g", "g"),
    "rows are not aligned": (
        "data.py",
        "tuple(column[rows] for column in columns)",
        "tuple(column[rng.permutation(rows)] if rng else column[rows] for column in columns)",
    ),
}


CHECKS = ["backprop", "tensor", "transforms", "modes", "optim", "data", "programs"]


def run_checks(folder, checks):
    """Run the tests on the copy of the package in ``folder``."""
    config = ["-c", str(TESTS.parent / "pyproject.toml"), "--hypothesis-profile=mutants"]
    config += ["-k", "not million and not grow"]  # these take seconds, and other tests notice
    files = [str(TESTS / f"test_{check}.py") for check in checks]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *config, *files],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("mutant", SOURCE_MUTANTS)
def test_broken_engine_is_noticed(mutant, tmp_path):
    name, old, new = SOURCE_MUTANTS[mutant]
    shutil.copytree(PACKAGE, tmp_path / "tinygrad_edu")
    path = tmp_path / "tinygrad_edu" / name
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new), encoding="utf-8")
    result = run_checks(tmp_path, CHECKS)
    assert result.returncode == 1, result.stdout[-2000:]


def test_the_engine_as_it_is_passes(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "tinygrad_edu")
    result = run_checks(tmp_path, CHECKS)
    assert result.returncode == 0, result.stdout[-2000:]
