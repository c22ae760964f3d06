"""What the lesson ``backpropagation`` claims, on its own values."""

import re

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


def gradients(lesson, w=2.0, x=1.5, b=-1.0):
    """The loss, and its gradients by w and by b, which is that by s, for other leaves."""
    w, b = (lesson.Tensor(each, requires_grad=True) for each in (w, b))
    s = w * x + b
    loss = np.log(1 + np.exp(s)) - s
    loss.backward()
    return float(loss), w.grad, b.grad


def test_what_follows_when_the_leaves_are_changed(lesson):
    loss, by_w, by_b = gradients(lesson)
    assert gradients(lesson, x=0.0)[1] == 0 != gradients(lesson, x=0.0)[2]
    _, flipped, same = gradients(lesson, x=-1.5)
    assert by_w < 0 < flipped
    assert same < 0
    assert abs(gradients(lesson, w=4.0)[2]) < 0.01
    assert gradients(lesson, w=-4.0)[2] < -0.99
    assert np.isclose(gradients(lesson, b=-0.99)[0] - loss, 0.01 * by_b, rtol=0.05)


def test_the_leaves_can_be_changed_in_a_browser(touch):
    from playwright.sync_api import expect  # which the fixture has found

    for width in (1200, 400):
        page = touch("steps.html", width)
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        first = page.locator("svg text.gradient", has_text="grad -0.179")
        zero = page.locator("svg text.gradient", has_text=re.compile("^grad -?0$"))
        expect(first).to_have_count(1)
        slider = page.get_by_label("x, slider")
        if not slider.is_visible():
            page.get_by_text("Change the numbers").tap()
        slider.press("Home")
        expect(first).to_have_count(0)
        page.get_by_label("x", exact=True).fill("0")
        page.keyboard.press("Enter")
        expect(zero).to_have_count(1)
        page.get_by_role("button", name="Reset").tap()
        expect(first).to_have_count(1)
