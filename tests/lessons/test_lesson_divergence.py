"""What the lesson ``divergence`` claims, on its own values."""

import itertools

import numpy as np
from figures import assert_page_follows
from reader import assert_programs_give


def test_cross_entropy_is_entropy_plus_divergence(lesson):
    entropy = -np.sum(lesson.t * np.log(lesson.t))
    assert np.allclose(lesson.cross_entropy - lesson.divergence, entropy)
    assert np.isclose(entropy, 0.61, atol=0.005)


def test_both_are_lowest_where_the_belief_is_the_truth(lesson):
    for curve in (lesson.cross_entropy, lesson.divergence):
        assert np.isclose(lesson.first[curve.argmin()], 0.7)
    assert lesson.divergence.min() < 1e-9


def test_both_have_the_same_slopes(lesson):
    assert np.allclose(lesson.slope_of_cross_entropy, lesson.slope_of_divergence)


def test_it_is_no_distance(lesson):
    kl = lesson.kl
    assert kl(lesson.even, lesson.mostly) - kl(lesson.mostly, lesson.even) > 0.1
    assert np.isclose(kl(lesson.mostly, lesson.rarely), 2 * lesson.detour)
    assert np.isclose(kl(lesson.sure, lesson.even), np.log(2))
    assert np.isinf(kl(lesson.even, lesson.sure))


def test_one_way_covers_and_the_other_picks(lesson):
    mean = np.sum(lesson.peaks * lesson.place)
    width = np.sqrt(np.sum(lesson.peaks * (lesson.place - mean) ** 2))
    found = np.array([(mean, width) for mean, width, _ in lesson.fits.values()])
    assert np.allclose(found, [[mean, width], [-2.5, 0.8], [2.5, 0.8]], atol=0.1)
    for _, _, narrow in list(lesson.fits.values())[1:]:
        assert narrow.max() > lesson.peaks.max()


def test_what_is_paid_for_is_the_missed_peak_and_the_gap(lesson):
    assert lesson.place[lesson.missed.argmax()] > 2
    assert abs(lesson.place[lesson.filled.argmax()]) < 1


def test_the_root_of_jensen_shannon_is_a_distance(lesson):
    rng = np.random.default_rng(0)
    rows = [lesson.mostly, lesson.sure, lesson.never, *rng.dirichlet([0.5, 0.5], size=6)]
    for one, two, three in itertools.permutations(rows, 3):
        direct, first, second = (
            np.sqrt(max(lesson.jensen_shannon(*pair), 0))
            for pair in ((one, three), (one, two), (two, three))
        )
        assert direct <= first + second + 1e-9


def test_by_hand_as_low_as_the_text_says_and_never_lower_than_the_best_fits(lesson):
    tried = [
        lesson.by_hand(mean, width, "hidden")
        for mean in np.arange(-5, 5.01, 0.5)
        for width in (0.5, 0.8, 2.0, 2.8, 5.0)
    ]
    for name, fitted, lowest in (
        ("KL(t, p)", lesson.kl(lesson.two_peaks, lesson.best_fits["KL(t, p)"]), 0.48),
        ("KL(p, t)", lesson.kl(lesson.best_fits["KL(p, t), left"], lesson.two_peaks), 0.51),
    ):
        assert np.isclose(fitted, lowest, atol=0.005)
        assert fitted - 1e-9 <= min(found[name] for found in tried) < lowest + 0.01
    right = lesson.kl(lesson.best_fits["KL(p, t), right"], lesson.two_peaks)
    assert right > 0.8, "the other peak is not as good"


def humps(lesson, mean, width):
    """Where each of the two costs is largest, and how large."""
    curves = lesson.by_hand(mean, width, "hidden")["costs"].marks
    return [
        (curve.arrays["x"][curve.arrays["y"].argmax()], curve.arrays["y"].max()) for curve in curves
    ]


def test_a_narrow_bell_pays_for_the_missed_peak_and_a_wide_one_for_the_gap(lesson):
    (missed, cost), (_, other) = humps(lesson, -2.5, 0.8)
    assert missed > 2
    assert cost > 10 * other
    _, (filled, _) = humps(lesson, -0.6, 2.8)
    assert abs(filled) < 1


def test_the_figure_of_both_ways_in_a_browser(lesson, touch):
    settings = [
        {"mean": -2.5, "width": 0.5, "best": "hidden"},
        {"mean": 5.0, "width": 5.0, "best": "KL(p, t), right"},
    ]
    assert_programs_give(touch("page of by_hand("), lesson.by_hand, settings)
    assert_page_follows(touch("page of by_hand(", width=400))
