"""What the lesson ``proving`` claims, on its own values."""

import numpy as np
import pytest


def falls(lesson, index, begin, end):
    """p, where an error goes as h to the power p: the slope on logarithmic axes."""
    error, h = lesson.errors[index][begin:end], lesson.hs[begin:end]
    return np.polyfit(np.log(h), np.log(error), 1)[0]


@pytest.mark.parametrize(("index", "power"), [(0, 1), (1, 2), (2, 4), (3, 2)])
def test_truncation_falls_with_a_power_of_the_step(lesson, index, power):
    assert abs(falls(lesson, index, 56, 61) - power) < 0.1


@pytest.mark.parametrize(("index", "power"), [(0, -1), (1, -1), (2, -1), (3, 0)])
def test_rounding_grows_as_the_step_shrinks(lesson, index, power):
    assert abs(falls(lesson, index, 8, 33) - power) < 0.15


def test_digits(lesson):
    digits = [-np.log10(worst.min()) for worst in lesson.errors]
    assert np.all(np.abs(np.array(digits) - [8, 10.5, 12.5, 15.5]) < 1), digits
    assert np.allclose(lesson.errors[1][56:], lesson.errors[3][56:], rtol=0.3)
    engine = np.abs(lesson.grad(lambda s: lesson.loss(s).sum())(lesson.scores) / lesson.truth - 1)
    assert engine.max() < 2e-15


def test_complaint(lesson):
    assert "3 of 3 elements" in lesson.complaint
    assert lesson.complaint.count("-1.00000") == 3, "the ratio says what was forgotten"


def test_kink(lesson):
    assert np.allclose([lesson.left, lesson.right, lesson.both], [-1, 0, -0.5])
    assert lesson.grad(lesson.hinge)(1.0) in (-1.0, -0.5, 0.0)
