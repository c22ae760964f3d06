"""What the lesson ``search`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert max(lesson.lowest.values()) < np.min(lesson.surface) + 0.02, (
        "any search finds two weights"
    )
    assert lesson.lowest["descent"] == min(lesson.lowest.values()), (
        "the slope finds them best, for the same price"
    )
    assert np.min(lesson.drawn) > lesson.lowest["descent"] + 0.02, (
        "random search is lost among 64 weights"
    )
    assert lesson.descended[-1] + 0.01 < np.min(lesson.stepped) < np.min(lesson.drawn), (
        "the slope beats random steps"
    )
    assert abs(lesson.power - 2) < 0.05, (
        "the error of the tangent falls as the square of the distance"
    )
    assert lesson.worse < 1.5, (
        "the tangent is the best line: no other has an error that falls as fast"
    )
