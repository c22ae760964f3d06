"""What the lesson ``classifier`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert abs(lesson.loss.item() - np.log(10)) < 1e-12, (
        "with weights of zero the loss should be log 10"
    )
    last_loss = lesson.losses.cross_entropy(lesson.x @ lesson.W.T + lesson.b, lesson.y).item()
    assert 0.15 < last_loss < 0.19, "twenty epochs should bring the loss to about 0.17"
    assert lesson.weights[0].reshape(8, 8)[3:5, 3:5].max() < 0, (
        "ink in the middle should speak against a 0"
    )
    assert np.all(lesson.weights[:, lesson.x.max(axis=0) == 0] == 0), (
        "weights of pixels without ink should stay 0"
    )
    assert np.allclose(lesson.weights.sum(axis=0), 0), (
        "the ten weights of a pixel should add up to 0"
    )
    assert (
        abs(lesson.products.sum() + lesson.b.data[lesson.digit] - lesson.scores[0, lesson.digit])
        < 1e-9
    ), "the sum is not the score"
    assert np.all(lesson.probabilities.argmax(axis=1) == lesson.read), (
        "softmax should keep the order of the scores"
    )
    assert 0.93 < lesson.accuracy < 1, "it should read most images held out, and not all"
