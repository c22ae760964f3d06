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
from mutants import MUTANTS
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


# Which test notices which mutants, by file.
NOTICING = {
    "backprop": {
        "test_broadcast_gradients_have_the_shape_of_their_argument": [
            "gradients are not summed over broadcast axes",
        ],
        "test_a_rule_of_the_table_that_gives_another_shape_is_refused": [
            "a rule may give any shape",
        ],
        "test_operand_used_twice_counts_twice": [
            "contributions replace each other",
        ],
        "test_results_are_ordered_each_before_its_arguments": [
            "oldest first",
        ],
        "test_a_reused_result_is_complete_before_it_is_passed_on": [
            "no order",
        ],
        "test_gradients_of_a_small_expression": [
            "parents are not visited",
        ],
        "test_only_wanted_gradients_are_computed": [
            "constants are differentiated",
        ],
        "test_gradients_accumulate_until_they_are_forgotten": [
            "leaves do not accumulate",
        ],
        "test_failed_backward_changes_no_gradient": [
            "an error forgets gradients",
        ],
        "test_gradients_share_memory_with_nothing": [
            "gradients alias",
        ],
        "test_second_backward_is_refused_unless_the_graph_is_retained": [
            "a second backward is allowed",
        ],
        "test_gradient_argument_weighs_the_outputs": [
            "the gradient of the result is ignored",
        ],
        "test_threads_lose_no_gradient_of_a_shared_leaf": [
            "threads add at the same time",
        ],
        "test_data_changed_after_it_was_used_is_refused": [
            "stale data is not noticed",
            "changed data is not dated",
            "an optimizer's step is not dated",
        ],
        "test_data_that_changes_once_it_was_checked_is_refused_or_used_as_it_was": [
            "stale data is asked for before it is read",
        ],
        "test_requires_grad_switched_after_use_is_refused": [
            "a switch of requires_grad is not dated",
        ],
        "test_backward_at_the_moment_of_a_change_is_refused": [
            "a leaf is not marked while it changes",
        ],
        "test_two_writers_whose_steps_interleave_do_not_hide_a_change": [
            "threads change a leaf at the same time",
        ],
        "test_a_change_by_another_thread_waits_until_data_is_read": [
            "to read a number undoes a change",
        ],
        "test_elements_written_after_they_were_used_are_refused": [
            "elements that are written are not noticed",
        ],
        "test_elements_written_before_they_are_used_are_right": [
            "what is written is noticed in backward alone",
        ],
        "test_writes_are_noticed_after_data_was_assigned_and_got_again": [
            "arrays got before stay with the leaf",
        ],
        "test_data_changed_while_it_is_used_is_refused": [
            "a result is dated when it is there",
        ],
    },
    "debugging": {
        "test_first_contribution_to_a_gradient_that_is_not_finite_is_named": [
            "nobody watches gradients",
        ],
        "test_what_is_detached_is_its_own_after_the_lock_is_gone": [
            "detach shares",
        ],
        "test_arrays_of_a_live_graph_are_locked": [
            "debug locks nothing",
        ],
    },
    "tensor": {
        "test_data_is_an_array_of_its_own": [
            "data is shared",
            "numpy() shares",
        ],
        "test_a_tensor_becomes_an_array_by_a_copy": [
            "__array__ shares",
        ],
        "test_an_index_is_remembered_as_it_was": [
            "indices are shared",
        ],
        "test_what_is_not_recorded_shares_no_memory": [
            "views of constants are shared",
        ],
        "test_data_of_a_recorded_result_is_read_only": [
            "data of results is writable",
        ],
        "test_attributes": [
            "constants get gradients",
        ],
        "test_a_leaf_was_not_computed": [
            "detach does not cut off",
        ],
    },
    "arrangement": {
        "test_a_number_taken_twice_counts_twice": [
            "repeats are lost",
        ],
    },
    "modes": {
        "test_nothing_is_recorded_inside": [
            "no_grad records",
            "no_grad does not end",
        ],
        "test_one_object_may_be_entered_again_inside_itself": [
            "an inner no_grad ends the outer one",
        ],
        "test_it_holds_for_its_own_thread": [
            "modes are those of all threads",
        ],
    },
    "transforms": {
        "test_grad_of_grad_of_grad": [
            "sources are passed",
            "rules see arrays where Tensors are due",
            "arguments are cut off",
            "an inner variable is the outer one",
            "nested gradients are cut off",
            "everything depends on everything",
        ],
        "test_inner_variable_is_not_confused_with_the_outer_one": [
            "outside variables are cut off",
        ],
        "test_a_value_that_is_a_variable_outside_stays_in_its_graph": [
            "nested values are cut off",
        ],
        "test_no_grad_gives_arrays": [
            "grad within no_grad records nothing",
        ],
        "test_gradient_that_depends_on_a_tensor_outside_is_a_tensor": [
            "grad never ends",
        ],
        "test_numbers_of_what_is_differentiated_are_not_taken": [
            "grad lets every number out",
            "nothing depends on anything",
            "grad knows its innermost variables alone",
            "item is a door",
            "data is a door",
            "numpy is a door",
            "tolist is a door",
            "backward inside grad is allowed",
        ],
        "test_to_look_at_what_is_differentiated_is_right": [
            "grad refuses to look",
        ],
    },
    "optim": {
        "test_step_leaves_the_gradients_and_results_of_before_alone": [
            "an optimizer writes into old data",
        ],
        "test_five_steps_follow_the_formula": [
            "momentum is forgotten",
        ],
    },
    "data": {
        "test_every_example_comes_once_with_all_that_belongs_to_it": [
            "rows are not aligned",
        ],
        "test_order_differs_between_epochs_and_repeats_with_the_seed": [
            "every epoch has the same order",
        ],
    },
    "jit": {
        "test_one_hot": [
            "a check of data is dropped",
        ],
        "test_operations_that_draw_numbers_are_refused": [
            "equal calls are one, whatever they give",
        ],
        "test_labels_that_were_not_checked_are_not_flattened": [
            "labels need not be checked",
        ],
        "test_two_gradients_that_are_one_number_each_fill_the_shape": [
            "all broadcasts are left out",
        ],
        "test_warnings_are_given_as_without_jit": [
            "warnings are those around the call",
        ],
        "test_training_steps": [
            "settings are constant",
            "a learning rate is no choice of the program",
        ],
        "test_random_programs": [
            "memory is used again too early",
            "results are put into buffers",
            "what leaves is not copied",
        ],
        "test_a_thread_that_comes_in_the_middle_of_a_run_waits": [
            "threads share buffers",
        ],
        "test_a_gradient_that_another_thread_changes_meanwhile_is_added_to_as_it_is_then": [
            "gradients of other threads are lost",
        ],
        "test_shapes_dtypes_and_other_arguments_choose_the_program": [
            "a program is for all shapes",
        ],
        "test_a_prediction_that_is_impossible_is_refused_in_a_program_too": [
            "a program fits always",
        ],
        "test_a_name_bound_to_another_object_compiles_anew": [
            "names are not looked at",
        ],
        "test_another_part_of_a_module_compiles_anew": [
            "modules never have another part",
        ],
        "test_random_numbers_are_refused": [
            "two runs need not agree",
        ],
        "test_plain_arrays_in_names_are_refused": [
            "arrays in names are taken",
        ],
        "test_plain_arrays_elsewhere_are_refused_where_they_are_used": [
            "arrays elsewhere are taken",
        ],
        "test_numbers_that_python_takes_are_refused": [
            "python looks at numbers",
        ],
        "test_shapes_that_depend_on_numbers_are_refused": [
            "masks are constant",
        ],
        "test_writing_in_place": [
            "what was written to is used",
        ],
        "test_leaves_and_their_flags_are_read_afresh": [
            "results under jit are cut off",
        ],
    },
}
NOTICED_BY = {
    mutant: f"test_{file}.py::{test}"
    for file, tests in NOTICING.items()
    for test, mutants in tests.items()
    for mutant in mutants
}


def run_on(mutant, tests):
    """Run tests on an engine that is broken in this way; see mutants."""
    options = ["-p", "mutants", "--hypothesis-profile=mutants", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", *options, str(TESTS / tests)],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": str(TESTS), "TINYGRAD_MUTANT": mutant},
        capture_output=True,
        text=True,
        timeout=300,  # threads of a broken engine may wait for each other
    )


@pytest.mark.nightly  # it takes as long as all mutants, which it says are real ones
@pytest.mark.parametrize("file", [*NOTICING, "programs", "ops"])
def test_engine_that_is_written_anew_passes(file):
    result = run_on("written anew", f"test_{file}.py")
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]


def test_each_mutant_is_noticed_by_one_test():
    assert sorted(NOTICED_BY) == sorted(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_broken_engine_is_noticed(mutant):
    result = run_on(mutant, NOTICED_BY[mutant])
    told = result.stdout[-2000:] + result.stderr[-2000:]
    assert result.returncode == 1, told
    assert "1 failed" in result.stdout, told  # and no error before a test ran
