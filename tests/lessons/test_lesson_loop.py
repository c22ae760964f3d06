"""What the lesson ``loop`` claims, on its own values."""

import numpy as np


def test_the_first_six_images_are_as_described(lesson):
    assert lesson.y[:6].tolist() == [-1, 1, -1, 1, -1, 1]


def test_at_the_start_nothing_is_known(lesson):
    assert lesson.history[0] == (1.0, 1.0), "loss 1, and no answer is right"


def test_the_loss_falls_at_each_update(lesson):
    assert np.all(np.diff(lesson.curves[:, 0]) < 0)
    assert 0.115 < lesson.curves[-1, 0] < 0.125, "the description says 0.12"


def test_wrong_answers_fall_from_four_percent_to_one(lesson):
    wrong = lesson.curves[1:, 1]
    assert 0.035 < wrong[0] < 0.045
    assert 0.005 < wrong[-1] < 0.015
    assert wrong.max() < 0.06, "the curve leaves the picture"


def test_the_strongest_weights_are_at_the_left_where_an_8_is_closed(lesson):
    weights = lesson.w.data.reshape(8, 8)
    _, columns = np.unravel_index(np.argsort(-lesson.w.data)[:3], weights.shape)
    assert np.all(columns <= 3)
    assert lesson.difference[np.argsort(-lesson.w.data)[:3]].min() > 0


def test_a_learning_rate_that_is_too_large_first_lowers_the_loss(lesson):
    found = lesson.losses_with(lesson.broken_lr)
    assert found[1] < found[0] < found[-1]
