"""What the lesson ``future`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert lesson.promised > lesson.latest + 0.05 > lesson.kept + 0.05, (
        "the future should keep less than was promised"
    )
    assert sum(lesson.accuracies[:, 0] > lesson.accuracies[:, 2]) >= 19, (
        "the random split should promise too much"
    )
    assert lesson.promised - lesson.kept > 3 * (lesson.latest - lesson.kept), (
        "the last fifth should be much nearer to the truth"
    )
    assert 0.3 < lesson.edges[lesson.by_moment.argmax()] < 0.7, (
        "the model should fit the middle of the year best"
    )
    assert np.mean(lesson.by_moment[:20] > 0.75) > 0.5, (
        "it should do well at most moments of the year"
    )
    assert (
        lesson.by_moment[10] > lesson.by_moment[15] > lesson.by_moment[19] > lesson.by_moment[23]
    ), "and then get worse"
