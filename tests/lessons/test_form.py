"""What the pages of all lessons have in common: how they begin, and what there is to do."""

import pytest

from tinygrad_edu import lessons

# Lessons that are still in their old form; each is to be rewritten, and taken from this list.
OLD = {
    "10_landscape",
    "11_backpropagation",
    "12_derivative",
    "13_stochastic",
    "14_noise",
    "15_stopping",
    "16_evaluation",
    "17_future",
    "18_tuning",
    "19_own_loss",
    "21_optimizers",
    "22_pytorch",
}


def test_old_lessons_are_there():
    assert set(lessons.names()) >= OLD


@pytest.fixture(params=[name for name in lessons.names() if name not in OLD])
def script(request):
    return lessons.path(request.param).read_text("utf-8")


def test_at_most_ten_visible_lines_of_code_stand_before_the_first_figure(script):
    visible = 0
    for cell in lessons.cells(script):
        if cell.markdown and ":::{caption}" in cell.text:
            break
        if not cell.markdown and "hide-input" not in cell.tags:
            visible += sum(bool(line.strip()) for line in cell.text.splitlines())
    assert visible <= 10


def test_there_is_something_to_predict_and_to_take_away(script):
    assert ":::{admonition} Predict\n" in script
    assert "\n# ## What to take away\n" in script


def test_there_are_three_to_five_exercises_and_check_grads_proves_one(script):
    assert 3 <= script.count(":::{exercise} ") <= 5
    checks = [cell.text for cell in lessons.cells(script) if "check" in cell.tags]
    assert any("check_grads(" in text for text in checks)


def test_one_exercise_breaks_something(script):
    titles = [line for line in script.splitlines() if ":::{exercise} " in line]
    assert any("Break" in title for title in titles)


def test_nothing_asserts(script):
    assert "\nassert " not in script
    assert "    assert " not in script
