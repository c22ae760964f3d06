"""What the lesson "From graph to program" claims."""

import numpy as np


def test_the_program_has_three_parts_and_few_lines(lesson):
    assert {*lesson.parts} == {"forward", "backward", "update"}
    assert all(lesson.parts.values())
    assert len(lesson.calls) < 50


def test_the_program_has_what_the_page_says(lesson):
    for word in ("W_leaf._value", "out=buffer0", "check_labels(", ".dot(", "# update", "assign("):
        assert word in lesson.step.source


def test_both_steps_learn_the_same(lesson):
    np.testing.assert_allclose(lesson.written, lesson.recorded, rtol=1e-12)
    np.testing.assert_allclose(
        lesson.written_weights, lesson.recorded_weights, rtol=1e-9, atol=1e-12
    )
    assert lesson.written[-1] < lesson.written[0]


def test_an_if_is_refused_with_what_to_write(lesson):
    assert "np.where" in str(lesson_refusal(lesson))


def lesson_refusal(lesson):
    try:
        lesson.careful(np.array([1.0, 2.0]))
    except TypeError as error:
        return error
    return None
