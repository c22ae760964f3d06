"""How plots of ``explore`` look, in a real browser: marks at their numbers, maps, and squares."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reader import Reader

from tinygrad_edu import explore
from tinygrad_edu.exploring import Bars, Curve, Dots, Image, Plot, Points, Slider

# What reached the canvas since it was last cleared: paths that were stroked, discs, boxes, words.
DRAWN = """window.drawn = {lines: [], discs: [], boxes: [], words: []};
let path = [];
const notes = {
    clearRect: () => { for (const kind in drawn) drawn[kind] = []; },
    beginPath: () => { path = []; },
    moveTo: (x, y) => { path.push([x, y]); },
    lineTo: (x, y) => { path.push([x, y]); },
    stroke: () => { drawn.lines.push(path); },
    arc: (x, y) => { drawn.discs.push([x, y]); },
    fillRect: (...box) => { drawn.boxes.push(box); },
    fillText: (word) => { drawn.words.push(word); },
};
for (const [name, note] of Object.entries(notes)) {
    const own = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...args) {
        note(...args);
        return own.apply(this, args);
    };
}"""
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
# The left, the top, the width and the height of a plot, in pixels of its canvas.
AREA = """() => {
    const over = document.querySelector(".u-over").getBoundingClientRect();
    const outer = document.querySelector("canvas").getBoundingClientRect();
    const area = [over.left - outer.left, over.top - outer.top, over.width, over.height];
    return area.map((x) => x * devicePixelRatio);
}"""
# The plot has the width that there is, and two units across are as long as one up.
FITS = """() => {
    const [plot, over] = [".uplot", ".u-over"].map((each) => document.querySelector(each));
    const room = Math.min(document.querySelector("figure").clientWidth, 640);
    return plot.clientWidth === room && Math.abs(over.clientWidth - 2 * over.clientHeight) <= 2;
}"""
PIXELS = """(places) => {
    const canvas = document.querySelector("canvas");
    const over = document.querySelector(".u-over").getBoundingClientRect();
    const outer = canvas.getBoundingClientRect();
    const copy = document.createElement("canvas");
    Object.assign(copy, {width: canvas.width, height: canvas.height});
    const context = copy.getContext("2d", {willReadFrequently: true});
    context.drawImage(canvas, 0, 0);
    return places.map(([x, y]) => {
        const left = (over.left - outer.left + x * over.width) * devicePixelRatio;
        const top = (over.top - outer.top + y * over.height) * devicePixelRatio;
        return [...context.getImageData(left, top, 1, 1).data].join();
    });
}"""


@pytest.fixture
def opened(read_as):
    """Open the page of a plot, made by a function of one number."""

    def opened(plot, **options):
        shown = explore(lambda x, **_: {"plot": plot(x)}, x=Slider(0.0, 1.0, 0.0), **options)
        page = read_as(Reader, shown, script=DRAWN).page
        page.evaluate(NEXT_FRAME)
        return page

    return opened


def colours(page, *places):
    """The colours at places of a plot: shares of its width and, from the top, of its height."""
    return page.evaluate(PIXELS, places)


def move(page, x):
    """Set the number of the function of a plot."""
    page.get_by_label("x", exact=True).fill(str(x))
    page.keyboard.press("Enter")
    page.evaluate(NEXT_FRAME)


def places(page, xs, ys, xlim, ylim):
    """Where on the canvas numbers of a plot stand."""
    left, top, width, height = page.evaluate(AREA)
    across = (np.asarray(xs) - xlim[0]) / (xlim[1] - xlim[0])
    down = (ylim[1] - np.asarray(ys)) / (ylim[1] - ylim[0])
    return np.stack([left + across * width, top + down * height], axis=1)


@pytest.mark.parametrize("x", [0.0, 0.75])
def test_marks_are_drawn_at_their_numbers(opened, x):
    """They follow the number that was set; a line has a gap at nan, and dots leave one out."""
    axis, line = np.arange(5.0), np.array([1.0, -1.0, np.nan, 2.0, 0.5])
    dots, heights = np.array([2.0, 1.0, 0.0, -1.0, np.nan]), np.array([1.0, -0.5, 1.5])
    lims = {"xlim": (-1, 5), "ylim": (-2, 3)}
    page = opened(
        lambda x: Plot(
            Curve(axis, line + x), Dots(axis, dots * (1 - x)), Bars(heights * (1 + x)), **lims
        )
    )
    if x:
        move(page, x)
    drawn = page.evaluate("drawn")
    curve = places(page, np.delete(axis, 2), np.delete(line, 2) + x, **lims)
    lines = [each for each in drawn["lines"] if len(each) == len(curve)]
    assert any(np.allclose(each, curve, rtol=0, atol=1) for each in lines), (lines, curve)
    discs = places(page, axis[:4], dots[:4] * (1 - x), **lims)
    assert_allclose(drawn["discs"], discs, rtol=0, atol=1)
    ends = places(page, np.arange(3) - 0.4, heights * (1 + x), **lims)
    feet = places(page, np.arange(3) - 0.4, np.zeros(3), **lims)
    found = np.array(drawn["boxes"])
    assert_allclose(found[:, 0], ends[:, 0], rtol=0, atol=1)
    assert_allclose(found[:, 1], np.minimum(ends, feet)[:, 1], rtol=0, atol=1)
    assert_allclose(found[:, 3], np.abs(ends - feet)[:, 1], rtol=0, atol=1)


@pytest.mark.parametrize("up", [False, True])
def test_an_image_is_drawn_in_rows_and_columns(opened, up):
    """The number that was set is darker in each cell, and where it belongs."""
    cells = np.array([[0.0, 0.25, 0.5], [0.75, 1.0, 0.0]])
    page = opened(lambda x: Plot(Image(cells * (1 - x), low=0, high=1, up=up)))
    middles = [[(k % 3 + 0.5) / 3, (k // 3 + 0.5) / 2] for k in range(6)]
    found = [sum(map(int, each.split(",")[:3])) for each in colours(page, *middles)]
    shown = cells[::-1] if up else cells
    paper, ink = max(found), min(found)
    assert paper > ink
    assert_allclose((paper - np.array(found)) / (paper - ink), shown.reshape(-1), atol=0.01)
    move(page, 1)
    assert len({*colours(page, *middles)}) == 1


def test_bars_have_their_heights_on_them(opened):
    heights = np.array([0.5, -0.25, -0.04, 12.0])
    page = opened(lambda x: Plot(Bars(heights + x, digits=1)))
    assert page.evaluate("drawn.words").count("12.0") == 1
    assert {"0.5", "-0.3", "0.0"} <= {*page.evaluate("drawn.words")}
    page = opened(lambda x: Plot(Bars(heights + x)))
    assert "12.0" not in page.evaluate("drawn.words")


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
        page.wait_for_function(FITS)


@pytest.mark.parametrize(("count", "words"), [(1, "the dot in"), (2, "the dots in")])
def test_the_words_fit_one_dot_or_more(browser, tmp_path, count, words):
    def f(place):
        return {"plot": Plot(Dots(place, place, drag="place"))}

    page = browser.new_page()
    page.goto(explore(f, place=Points(np.ones(count), 0, 2)).save(tmp_path / "p.html").as_uri())
    assert words in page.locator(".help").last.inner_text()
    page.close()
