"""How plots of ``explore`` look, in a real browser: maps, squares, and numbers on bars."""

import numpy as np
import pytest

from tinygrad_edu import explore
from tinygrad_edu.exploring import Bars, Curve, Dots, Image, Plot, Points, Slider

WRITTEN = """window.written = [];
const fillText = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    window.written.push(text);
    return fillText.call(this, text, ...rest);
};"""
PIXELS = """(places) => {
    const canvas = document.querySelector("canvas");
    const over = document.querySelector(".u-over").getBoundingClientRect();
    const outer = canvas.getBoundingClientRect();
    return places.map(([x, y]) => {
        const left = (over.left - outer.left + x * over.width) * devicePixelRatio;
        const top = (over.top - outer.top + y * over.height) * devicePixelRatio;
        return [...canvas.getContext("2d").getImageData(left, top, 1, 1).data].join();
    });
}"""


@pytest.fixture
def opened(browser, tmp_path):
    """Open the page of a plot, made by a function of one number."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.add_init_script(WRITTEN)

    def opened(plot, **options):
        shown = explore(lambda x, **_: {"plot": plot(x)}, x=Slider(0.0, 1.0, 0.0), **options)
        page.goto(shown.save(tmp_path / "plot.html").as_uri())
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        return page

    yield opened
    page.close()


def colours(page, *places):
    """The colours at places of a plot: shares of its width and, from the top, of its height."""
    return page.evaluate(PIXELS, places)


def test_bars_have_their_heights_on_them(opened):
    heights = np.array([0.5, -0.25, -0.04, 12.0])
    page = opened(lambda x: Plot(Bars(heights + x, digits=1)))
    assert page.evaluate("window.written").count("12.0") == 1
    assert {"0.5", "-0.3", "0.0"} <= {*page.evaluate("window.written")}
    page = opened(lambda x: Plot(Bars(heights + x)))
    assert "12.0" not in page.evaluate("window.written")


@pytest.mark.parametrize("digits", [-1, 13, 1.5])
def test_digits_that_no_number_has(digits):
    with pytest.raises(ValueError, match=f"0 to 12, but got {digits}"):
        Bars([1.0], digits=digits)


@pytest.mark.parametrize("up", [False, True])
def test_a_map_has_bands_between_its_numbers(opened, up):
    heights = np.array([[0.0, 0.0], [1.0, 1.0]])
    page = opened(
        lambda x: Plot(Image(heights + x, low=0, high=1, levels=2, up=up), xlim=(0, 2), ylim=(0, 2))
    )
    top, above, below, bottom = colours(page, [0.5, 0.02], [0.2, 0.45], [0.8, 0.55], [0.5, 0.98])
    assert top == above != below == bottom
    flipped = np.array([[1.0, 1.0], [0.0, 0.0]])
    page = opened(lambda x: Plot(Image(flipped + x, low=0, high=1, levels=2, up=up), ylim=(0, 2)))
    assert colours(page, [0.5, 0.02], [0.5, 0.98]) == [bottom, top]
    lightness = [sum(map(int, each.split(","))) for each in (top, bottom)]
    assert (lightness[0] > lightness[1]) != up, "the first row is at the top, and low is light"


def test_a_map_shows_where_its_numbers_end(opened):
    heights = np.zeros((9, 9))
    heights[4, 4] = np.nan
    page = opened(lambda x: Plot(Image(heights + x, low=0, high=1, levels=3), xlim=(0, 9)))
    middle, corner = colours(page, [0.5, 0.5], [0.1, 0.1])
    assert middle == "185,28,28,255"  # --alarm
    assert corner != middle


def test_a_map_takes_two_rows_and_columns():
    with pytest.raises(ValueError, match=r"two columns or more, but got \(3, 1\)"):
        Image(np.ones((3, 1)), low=0, high=1, levels=4)


def test_the_label_of_an_image_stands_beside_the_ends_of_its_colours(opened):
    page = opened(lambda x: Plot(Image(np.eye(3) + x, "vote", low=-2, high=2, diverging=True)))
    assert page.locator(".legend li").inner_text().split() == ["-2", "2", "vote"]
    fills = page.locator(".legend rect").evaluate_all(
        "(all) => all.map((e) => getComputedStyle(e).fill)"
    )
    assert len(set(fills)) == 11


@pytest.mark.parametrize("width", [1200, 400])
def test_units_of_a_square_plot_are_as_long_on_both_axes(opened, width):
    page = opened(
        lambda x: Plot(Curve([0, 4], [x, 2.0]), xlim=(0, 4), ylim=(0, 2), x="a", y="b", square=True)
    )
    for each in (width, 700):
        page.set_viewport_size({"width": each, "height": 900})
        page.wait_for_timeout(100)
        box = page.locator(".u-over").bounding_box()
        assert box["width"] == pytest.approx(2 * box["height"], abs=2)


@pytest.mark.parametrize(("count", "words"), [(1, "the dot in"), (2, "the dots in")])
def test_the_words_fit_one_dot_or_more(browser, tmp_path, count, words):
    def f(place):
        return {"plot": Plot(Dots(place, place, drag="place"))}

    page = browser.new_page()
    page.goto(explore(f, place=Points(np.ones(count), 0, 2)).save(tmp_path / "p.html").as_uri())
    assert words in page.locator(".help").last.inner_text()
    page.close()
