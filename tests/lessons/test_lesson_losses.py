"""What the lesson ``losses`` claims, on its own values."""

import numpy as np
import pytest
from figures import assert_page_follows
from reader import assert_programs_give


def at(lesson, name, margin):
    return lesson.values[name][np.argmin(np.abs(lesson.m - margin))]


def test_all_meet_at_1_with_log_loss_in_base_2(lesson):
    assert np.isclose(at(lesson, "logistic", 0) / np.log(2), 1)
    assert all(np.isclose(at(lesson, name, 0), 1) for name in ("zero_one", "exponential", "hinge"))


def test_none_rises_as_the_margin_grows(lesson):
    for values in lesson.values.values():
        assert np.all(np.diff(values) <= 0)


def test_the_count_of_mistakes_has_no_slope_and_moves_nothing(lesson):
    assert not lesson.slopes["zero_one"].any()
    w, _ = lesson.train(lesson.losses.zero_one, lesson.x, lesson.y, lesson.start)
    assert np.array_equal(w, lesson.start)


def test_the_slopes_in_the_picture_are_as_described(lesson):
    log2 = lesson.slopes["logistic"] / np.log(2)
    assert -1.45 < log2.min() < -1.35
    assert lesson.slopes["exponential"].min() < -4
    assert set(np.unique(lesson.slopes["hinge"])) == {-1.0, 0.0}


def test_the_slope_of_log_and_hinge_loss_has_a_limit(lesson):
    for loss in (lesson.losses.logistic, lesson.losses.hinge):
        assert lesson.grad(loss)(-1000.0, 1.0) >= -1


def test_right_but_unsure_still_pays(lesson):
    assert 0.9 < at(lesson, "logistic", 0.1) / at(lesson, "logistic", 0) < 1


def test_a_step_in_the_wrong_direction_costs_e_times_as_much(lesson):
    assert np.isclose(at(lesson, "exponential", -2) / at(lesson, "exponential", -1), np.e)


def test_the_kink_of_hinge_loss_takes_0(lesson):
    assert lesson.grad(lesson.losses.hinge)(1.0, 1.0) == 0


def test_each_loss_with_a_slope_has_learned(lesson):
    assert lesson.wrong["zero_one"] > 0.5
    assert all(lesson.wrong[name] < 0.13 for name in ("logistic", "exponential", "hinge"))


def test_one_wrong_label_is_loudest_for_exponential_loss(lesson):
    assert lesson.voice["exponential"] > 0.5, "louder than all other points together"
    assert max(lesson.voice["logistic"], lesson.voice["hinge"]) < 0.3
    assert lesson.after["exponential"] > lesson.before["exponential"] + 0.03
    assert max(lesson.after["logistic"], lesson.after["hinge"]) < 0.06


OUTLIER = np.array([-4, -0.6, 0.2, 0.8, 1.6, 2.4])
FIRST = np.array([-1.5, -0.6, 0.2, 0.8, 1.6, 2.4])


@pytest.mark.parametrize(
    ("loss", "first", "outlier"),
    [("hinge", 0.25, 0.25), ("log", 0.33, 0.37), ("exponential", 0.57, 0.94), ("0/1", 0, 0)],
)
def test_the_share_of_an_outlier_is_as_the_text_says(lesson, loss, first, outlier):
    for margins, share in ((FIRST, first), (OUTLIER, outlier)):
        found = lesson.voices(margins, loss)["share of A"]
        assert np.isclose(found, share, atol=0.005)


def test_beyond_the_margin_a_point_has_no_share_in_the_slope_of_hinge_loss(lesson):
    moved = np.where(OUTLIER == 0.8, 1.1, OUTLIER)
    (bars,) = lesson.voices(moved, "hinge")["shares"].marks
    assert np.allclose(bars.arrays["y"], [1 / 3, 1 / 3, 1 / 3, 0, 0, 0])


def test_the_figure_of_voices_in_a_browser(lesson, touch):
    settings = [{"margins": OUTLIER, "loss": loss} for loss in lesson.by_name]
    assert_programs_give(touch("page of voices("), lesson.voices, settings)
    assert_page_follows(touch("page of voices(", width=400))
