"""What the lesson ``classifier`` claims, on its own values."""

import numpy as np


def test_the_mean_zero_has_a_hole(lesson):
    mean = lesson.means[0].reshape(8, 8)
    assert mean[3:5, 3:5].max() < 0.2 < 0.5 < mean[3:5, 2].min()


def test_it_reads_most_images_held_back(lesson):
    assert 0.92 < lesson.accuracy < 0.96


def test_row_0_is_negative_in_the_middle(lesson):
    assert lesson.weights[0].reshape(8, 8)[3:5, 3:5].max() < 0


def test_pixels_without_ink_keep_weights_of_0(lesson):
    empty = lesson.x.max(axis=0) == 0
    assert empty.any()
    assert not lesson.weights[:, empty].any()


def test_the_sum_of_products_is_the_score(lesson):
    by_hand = lesson.products.sum() + lesson.b.data[lesson.digit]
    assert np.isclose(by_hand, lesson.scores_held[1, lesson.digit])
    assert lesson.products[lesson.products > 0].sum() > -lesson.products[lesson.products < 0].sum()


def test_the_image_shown_is_a_0_and_read_right(lesson):
    assert lesson.answers[1] == lesson.digit == 0
    assert np.isclose(lesson.scores_held[1, 0], 0.36, atol=0.005)
    others = lesson.scores_held[1, 1:]
    assert others.min() > -1.2
    assert others.max() < -0.4


def test_only_the_order_of_the_scores_matters(lesson):
    assert np.array_equal((lesson.scores_held + 5).argmax(axis=1), lesson.answers)
    assert np.array_equal((lesson.scores_held * 2).argmax(axis=1), lesson.answers)


def test_some_images_have_no_score_above_0_or_two(lesson):
    above = np.sum(lesson.scores_held > 0, axis=1)
    assert np.any(above == 0)
    assert np.any(above == 2)


def test_the_order_of_pixels_does_not_matter(lesson):
    assert np.allclose(lesson.scores_mixed, lesson.scores_held)
