"""What the lesson ``stochastic`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert -0.55 < lesson.slope < -0.45, "the noise should fall as 1/√B"
    assert np.allclose(lesson.noise, lesson.noise[0] / np.sqrt(lesson.sizes), rtol=0.1), (
        "all points should be on the line"
    )
    assert lesson.noise[0] > 3 * np.linalg.norm(lesson.full), (
        "one image should be noisier than the gradient is long"
    )
    assert sorted(lesson.memory, key=lesson.memory.get) == list(lesson.epoch), (
        "memory should grow with the batch"
    )
    assert lesson.memory[lesson.N] > 10 * lesson.memory[1], (
        "all images should need far more memory than one"
    )
    near = [lesson.curves[size][150] / lesson.curves[lesson.N][150] for size in (32, 64, 128)]
    assert np.allclose(near, 1, atol=0.05), "update by update, 32 images should do as well as all"
    assert lesson.curves[1][150] > 1.1 * lesson.curves[lesson.N][150], (
        "update by update, one image should be too noisy"
    )
    ends = [lesson.curves[size][updates] for size, updates in lesson.epoch.items()]
    assert np.all(np.diff(ends) > 0.05), "after an epoch, the smaller batch should be ahead"
