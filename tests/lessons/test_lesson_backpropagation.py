"""What the lesson ``backpropagation`` claims, on its own values."""

import numpy as np


def test_by_hand_is_the_engine(lesson):
    right = lesson.by_hand["w"]
    assert np.isclose(right, -1.5 / (1 + np.exp(2.0)))
    assert np.isclose(lesson.by_hand["b"], right / 1.5)
    assert lesson.through_power < 1, "the direct path is larger: the score should rise"
    assert np.isclose(lesson.through_power, 1 / (1 + np.exp(-lesson.value["s"])))


def test_mistakes(lesson):
    wrong = [what for what, right in lesson.judged.items() if not right]
    assert wrong == ["s too early", "= for +=", "no zero_grad"]
    assert lesson.early["w"] == -1.5, "the direct path alone"
    assert np.isclose(lesson.overwritten["w"], 1.5 * lesson.through_power), "the long path alone"


def test_refusal(lesson):
    assert "twice" in lesson.refusal
