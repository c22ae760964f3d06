"""What the lesson ``future`` claims, on its own values."""

import numpy as np


def test_the_future_keeps_less(lesson):
    assert lesson.promised > lesson.latest + 0.05 > lesson.kept + 0.05
    assert sum(lesson.accuracies[:, 0] > lesson.accuracies[:, 2]) >= 19
    gap = lesson.latest - lesson.kept
    assert lesson.promised - lesson.kept > 3 * gap, "the last fifth is much nearer to the truth"


def test_the_accuracy_rises_and_falls(lesson):
    by_moment = lesson.by_moment
    assert 0.3 < lesson.edges[by_moment.argmax()] < 0.7, "best in the middle of the year"
    assert by_moment[0] < by_moment[5] < by_moment[9], "it rises first"
    assert by_moment[10] > by_moment[15] > by_moment[19] > by_moment[23], "and then falls"
    assert np.mean(by_moment[:20] > 0.75) > 0.5
    assert abs(by_moment[0] - 0.7) < 0.06
    assert abs(by_moment[19] - 0.7) < 0.06
    assert by_moment.max() > 0.93
    assert np.all(by_moment[20:] < lesson.promised)


def test_a_model_of_the_whole_year_does_worse(lesson):
    assert lesson.later_accuracy(0.0) < 0.8 < 0.85 < lesson.later_accuracy(0.9)
