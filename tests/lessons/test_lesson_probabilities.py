"""What the lesson ``probabilities`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert np.allclose(lesson.p, lesson.softmax(lesson.scores + 100)), (
        "softmax feels what is added to all scores"
    )
    assert np.isnan([lesson.naive[0], *lesson.naive_slope]).all(), (
        "the naive formula survives a score of 1000"
    )
    assert np.isinf(lesson.rounded), "a probability of exp(-1000) is not rounded to 0"
    assert np.allclose(
        [*lesson.softmax(lesson.large), lesson.cured, *lesson.cured_slope],
        [1, 0, 0, 1000, 1, -1, 0],
    ), "no cure"
    assert lesson.tempered[4.0].max() < 0.6 < 0.9 < lesson.tempered[0.25].max(), (
        "cold does not sharpen"
    )
    orders = [np.argsort(each).tolist() for each in (lesson.scores, *lesson.tempered.values())]
    assert orders == orders[:1] * 4, "temperature changes the order"
    assert np.allclose(lesson.sigmoid(lesson.s), lesson.first_of_two), (
        "the sigmoid is no softmax of two classes"
    )
    assert np.isclose(lesson.losses.cross_entropy(np.zeros(9), 0), np.log(9)), (
        "a guess does not cost ln K"
    )
    assert np.allclose([lesson.summed, lesson.picked], lesson.loss), (
        "the three forms of the loss are not one number"
    )
    assert np.allclose(lesson.gradient, lesson.p - lesson.t), (
        "the gradient is not softmax minus one-hot"
    )
