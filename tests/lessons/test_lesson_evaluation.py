"""What the lesson ``evaluation`` claims, on its own values."""

import numpy as np


def test_the_best_of_many_is_too_good(lesson):
    assert lesson.of_cheat > 4
    assert lesson.of_winner > 4, "the validation accuracy of the winner, too"
    assert abs(lesson.of_honest) < 2, "the test set tells the truth on average"
    assert np.mean(lesson.reports[:, 0] < 0) < 0.15, "rarely below 0"
    assert 0.4 < np.mean(lesson.reports[:, 2] > 0) < 0.6, "upward as often as downward"
    assert lesson.on_test[lesson.winner] > lesson.on_fresh[lesson.winner] + 0.05


def test_training_again(lesson):
    assert np.mean(lesson.gains) > 3


def test_report(lesson):
    assert abs(lesson.reported - lesson.truth) < 3 * np.sqrt(0.25 / 60), "off by chance only"
    assert f"{lesson.reported:.4g}" in lesson.refusal, "the sealed set refuses, and tells its score"


def test_standard_errors():
    assert round(100 * np.sqrt(0.6 * 0.4 / 60)) == 6
    assert round(100 * np.sqrt(0.6 * 0.4 / 1000), 1) == 1.5
