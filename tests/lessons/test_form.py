"""What the pages of all lessons have in common: how they begin, and what there is to do."""

import pytest

from tinygrad_edu import lessons

# Pages on which nothing is differentiated: there is nothing for check_grads to prove.
WITHOUT_SLOPES = {"16_evaluation", "18_tuning"}


@pytest.fixture(params=lessons.names())
def name(request):
    return request.param


@pytest.fixture
def script(name):
    return lessons.path(name).read_text("utf-8")


def test_at_most_ten_visible_lines_of_code_stand_before_the_first_figure(name, script):
    if name == "22_pytorch":
        return  # two loops line by line are what this page is about
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


def test_there_are_three_to_five_exercises_and_check_grads_proves_one(name, script):
    assert 3 <= script.count(":::{exercise} ") <= 5
    checks = [cell.text for cell in lessons.cells(script) if "check" in cell.tags]
    assert any("check_grads(" in text for text in checks) != (name in WITHOUT_SLOPES)


def test_one_exercise_breaks_something(script):
    titles = [line for line in script.splitlines() if ":::{exercise} " in line]
    assert any("Break" in title for title in titles)


def test_nothing_asserts(script):
    assert "\nassert " not in script
    assert "    assert " not in script
