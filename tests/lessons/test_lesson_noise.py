"""What the lesson ``noise`` claims, on its own values."""


def test_claims(lesson):
    assert 0 < lesson.poor < 0.2, "all examples together should end near 0.1"
    assert lesson.losses[0] > 0.3, "the loss should be poor there"
    assert abs(lesson.slopes([lesson.poor], [lesson.every])[0]) < 1e-6, (
        "the slopes should cancel at the poor minimum"
    )
    assert lesson.losses[1] < 1e-12, "the loss should be 0 at w = 2"
    assert lesson.single[lesson.poor].min() < -0.5 < 0.5 < lesson.single[lesson.poor].max(), (
        "the examples should disagree there"
    )
    assert abs(lesson.single[2.0]).max() < 1e-9, "the slope of every example should be 0 at w = 2"
    assert lesson.found[1] > 90 > lesson.found[2] > 30, (
        "small batches should leave the poor minimum"
    )
    assert 15 > lesson.found[4] >= lesson.found[20] == 0, (
        "large batches should stay in the poor minimum"
    )
