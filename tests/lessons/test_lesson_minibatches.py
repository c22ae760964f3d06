"""What the lesson ``minibatches`` claims, on its own values."""

import numpy as np


def test_noise(lesson):
    slope = np.polyfit(np.log(lesson.sizes), np.log(lesson.noise), 1)[0]
    assert abs(slope + 0.5) < 0.05, "the noise falls as 1 / √B"
    assert np.allclose(lesson.noise, lesson.noise[0] / np.sqrt(lesson.sizes), rtol=0.1)
    length = np.linalg.norm(lesson.full)
    assert lesson.noise[0] > 3 * length, "with one image the noise is longer than the gradient"
    assert lesson.noise[5] > length > lesson.noise[7], "they cross near 64 images"


def test_a_batch_is_right_on_average(lesson):
    rng = np.random.default_rng(3)
    rows = [rng.choice(lesson.N, 8, replace=False) for _ in range(2000)]
    mean = np.mean([lesson.gradient(lesson.start, lesson.x[i], lesson.y[i]) for i in rows], axis=0)
    away = np.linalg.norm(mean - lesson.full)
    assert away < 1.5 * lesson.noise[3] / np.sqrt(2000)


def test_same_updates(lesson):
    single, eight, *larger = lesson.same_updates.values()
    assert single > 1.5 * eight > 2.5 * max(larger), "the loss falls steeply up to 32 images"
    assert max(larger) < 1.3 * min(larger), "and no more"


def test_same_images(lesson):
    assert all(np.diff(list(lesson.same_images.values())) > 0), "image by image, small batches win"
    assert lesson.best_rate[1] < lesson.best_rate[32], "with more noise, smaller steps are better"


def test_memory(lesson):
    sizes = np.array(lesson.batch_sizes)
    memory = np.array(list(lesson.memory.values()))
    assert np.all(np.diff(memory) > 0)
    grown = np.diff(memory[[2, 4, 5]]) / np.diff(sizes[[2, 4, 5]])
    assert grown.max() < 1.5 * grown.min(), "a rising line"
    assert memory[1] < 1.3 * memory[0], "level at first"


def test_in_the_last_check_memory_is_for_the_values():
    assert 128 * 10e6 > 0.9 * (3 * 25e6 + 128 * 10e6)
