"""What the lesson ``evaluation`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert lesson.of_cheat > 4, "who chooses by the test set should report too much"
    assert lesson.of_winner > 4, "the validation accuracy of the winner should be too high, too"
    assert abs(lesson.of_honest) < 2, (
        "a test set that took part in no choice should tell the truth on average"
    )
    assert 0.4 < np.mean(lesson.reports[:, 1] > 0) < 0.6, (
        "it should err upward as often as downward"
    )
    assert lesson.gain > 3, "training again with more data should make a better model"
    assert abs(lesson.reported - lesson.truth) < 3 * np.sqrt(0.25 / 60), (
        "the report should be off by chance only"
    )
    assert f"{lesson.reported:.4g}" in lesson.refusal, (
        "the sealed test set should refuse, and tell its one score"
    )
