"""What the lesson ``overfitting`` claims, on its own values."""

import numpy as np


def test_the_validation_loss_turns(lesson):
    train, validation = lesson.history["train"], lesson.history["validation"]
    assert train[-1] < 0.1 < 0.2 < train[lesson.best], "the training loss falls on"
    assert validation[-1] > 1.2 * validation[lesson.best]
    assert 10 < lesson.best < 25


def test_the_test_set_agrees(lesson):
    early, late = lesson.outcome[lesson.best], lesson.outcome[99]
    assert early[0] < 0.9 * late[0]
    assert early[1] > 0.5 > 0.2 > late[1], "the network has learned the wrong labels"
    assert len(lesson.x_test) == 1397


def test_noise_of_batches(lesson):
    assert 0.4 < lesson.ups < 0.6, "up about as often as down"
    assert np.diff(lesson.smooth).std() < np.diff(lesson.noisy).std() / 8
    assert lesson.smooth[0] > 2 > 0.8 > lesson.smooth[-1]


def test_patience(lesson):
    validation = lesson.history["validation"]
    stops = [lesson.early_stopping(validation, patience) for patience in (1, 3, 10, 30)]
    assert all(np.diff([stop for _, stop in stops]) >= 0)
    assert validation[stops[0][0]] > validation[lesson.best] + 0.02, "little patience misses it"
    assert validation[stops[-1][0]] == validation[lesson.best], "more costs no quality"


def test_penalty(lesson):
    ends = [run["validation"][-1] for run in lesson.runs]
    assert np.argmin(ends) == 2, "the right penalty is in the middle"
    assert ends[0] > min(ends) * 1.2
    assert ends[-1] > min(ends) * 1.3, "too much holds the validation loss up"
    assert all(np.diff([run["train"][-1] for run in lesson.runs]) > 0)
    middle = lesson.runs[int(np.argmin(ends))]["validation"]
    turned = lesson.history["validation"][-1] / min(lesson.history["validation"]) - 1
    assert middle[-1] / min(middle) - 1 < 0.4 * turned, "with the right penalty it turns far less"
