"""Pages of ``explore`` in a real browser: the numbers of Python, by mouse, touch and keyboard."""

import re
from functools import partial

import numpy as np
import pytest
from reader import WIDE, Reader, assert_programs_give

from tinygrad_edu import Tensor, explore, functional, grad, losses
from tinygrad_edu.exploring import Bars, Curve, Dots, Image, Pixels, Plot, Points, Slider

NARROW = {"width": 400, "height": 800}
AXIS = np.linspace(-3, 3, 31)


def margins(places, weight, loss):
    """Which loss lets a single point decide?

    What stands below an empty line is for who reads the code.
    """
    curve = {"hinge": losses.hinge, "log": losses.logistic}[loss]
    ones = np.ones(3)
    slopes = grad(lambda m: curve(m, ones, reduction="sum"))(places) * weight
    each = curve(places, ones, reduction="none")
    return {
        "mean loss": np.mean(each) * weight,
        "steepest": np.min(slopes),
        "is small": np.mean(each) < 0.5,
        "points": Plot(
            Curve(AXIS, curve(AXIS, np.ones(31), reduction="none"), loss, dashed=True),
            Dots(places, each, drag="places", labels="ABC"),
            x="margin",
            y="loss (nats)",
            xlim=(-3, 3),
            ylim=(0, 4),
        ),
        "slopes": Plot(Bars(slopes, names="ABC")),
    }


def of_margins():
    controls = {"places": Points([-1.0, 0.5, 2.0], -3, 3), "weight": Slider(0.5, 2.0, 1.0)}
    return explore(margins, **controls, loss=["hinge", "log"])


def plane(start, lr):
    """Where does it end?"""
    loss = lambda w: np.sum(w * w * [0.5, 2.0])  # noqa: E731
    path = [start[0]]
    for _ in range(5):
        path.append(path[-1] - lr * grad(loss)(path[-1]))
    x, y = np.transpose(np.stack(path))
    return {
        "loss": loss(path[-1]),
        "path": Plot(
            Image(np.outer(AXIS, AXIS), low=-9, high=9, x=(-3, 3), y=(-3, 3), diverging=True),
            Curve(x, y, dots=True),
            Dots(x[:1], y[:1], drag="start", labels=["start"]),
            xlim=(-3, 3),
            ylim=(-3, 3),
            square=True,
        ),
    }


def painted(image):
    return {"ink": np.sum(image), "copy": Plot(Image(image, low=0, high=2))}


def of_pixels():
    return explore(painted, image=Pixels(np.zeros((4, 5)), 0, 2))


class PageReader(Reader):
    """Somebody who moves numbers."""

    def number(self, name):
        """A number that is shown, in full."""
        self("new Promise(requestAnimationFrame)")
        text = self(
            """(name) => [...document.querySelectorAll("#numbers > div")]
            .find((row) => row.firstChild.textContent === name).lastChild.dataset.value""",
            name,
        )
        return float(text)

    def type(self, name, text):
        field = self.page.get_by_label(name, exact=True)
        field.fill(text)
        field.press("Enter")

    def handle(self, name):
        self("new Promise(requestAnimationFrame)")  # what is shown follows in the next frame
        return self.page.get_by_role("slider", name=name, exact=True)

    @property
    def hash(self):
        return self("new Promise(requestAnimationFrame).then(() => location.hash)")


@pytest.fixture
def read(read_as):
    """Open the page of an exploration."""
    return partial(read_as, PageReader)


def assert_as_in_python(page, f, **arguments):
    for name, expected in f(**arguments).items():
        if not isinstance(expected, Plot):
            assert page.number(name) == pytest.approx(float(expected), rel=1e-12), name


def test_numbers_are_those_of_python(read):
    page = read(of_margins())
    places = np.array([-1.0, 0.5, 2.0])
    assert_as_in_python(page, margins, places=places, weight=1.0, loss="hinge")
    page.page.get_by_role("radio", name="log").check()
    assert_as_in_python(page, margins, places=places, weight=1.0, loss="log")
    page.type("weight", "1.75")
    assert_as_in_python(page, margins, places=places, weight=1.75, loss="log")


def test_programs_give_the_numbers_of_python(read):
    """Every array of every mark, for each choice, at other numbers than the first."""
    moved = {"places": np.array([-2.5, 1.0, 0.25]), "weight": 1.5}
    page = read(of_margins())
    assert_programs_give(page.page, margins, [{**moved, "loss": loss} for loss in ("hinge", "log")])


def test_the_page_says_what_it_shows(read):
    page = read(of_margins())
    assert page.page.title() == "Which loss lets a single point decide?"
    assert page.page.inner_text("h1") == "Which loss lets a single point decide?"
    shown = page("[...document.querySelectorAll('#numbers dd')].map((cell) => cell.textContent)")
    assert shown == ["0.8333", "-1", "False"]
    assert page.page.locator("figcaption").all_inner_texts() == ["points", "slopes"]


def test_sliders_by_keyboard(read):
    page = read(of_margins())
    slider = page.page.get_by_label("weight, slider")
    slider.focus()
    page.page.keyboard.press("ArrowRight")
    assert page.page.input_value("#control-weight") == "1.01"
    page.page.keyboard.press("End")
    assert page.number("steepest") == -2.0
    assert (
        page.page.locator("#spoken").inner_text() == "mean loss 1.667, steepest -2, is small False"
    )


@pytest.mark.parametrize("text", ["", "abc", "3", "nan", "1e999", "0x1", "1,5"])
def test_what_is_no_number_between_the_ends_is_told(read, text):
    page = read(of_margins())
    page.type("weight", text)
    note = page.page.locator("#note-weight")
    assert re.search("is no number here; write it as|is not from 0.5 to 2", note.inner_text())
    assert "It is still 1." in note.inner_text()
    assert page.page.input_value("#control-weight") == "1"
    page.type("weight", "1.25")
    assert note.inner_text() == ""


def test_dots_by_mouse(read):
    page = read(of_margins())
    box = page.handle("places A").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(*middle)
    page.page.mouse.down()
    page.page.mouse.move(middle[0] + 40, middle[1] - 10, steps=4)
    page.page.mouse.up()
    place = float(page.handle("places A").get_attribute("aria-valuenow"))
    assert -0.9 < place < 0.0
    assert_as_in_python(page, margins, places=np.array([place, 0.5, 2.0]), weight=1.0, loss="hinge")
    page.page.mouse.move(*middle)
    page.page.mouse.move(0, 0)
    assert float(page.handle("places A").get_attribute("aria-valuenow")) == place


def test_dots_by_keyboard_and_no_further_than_the_ends(read):
    page = read(of_margins())
    page.handle("places C").focus()
    page.page.keyboard.press("ArrowLeft")
    assert page.handle("places C").get_attribute("aria-valuenow") == "1.94"
    page.page.keyboard.press("Shift+ArrowRight")
    page.page.keyboard.press("Shift+ArrowRight")
    page.page.keyboard.press("Shift+ArrowRight")
    assert page.handle("places C").get_attribute("aria-valuenow") == "3"
    assert page.number("mean loss") == pytest.approx(2.5 / 3)


def test_dots_in_the_plane(read):
    page = read(
        explore(plane, start=Points([[2.0, 1.0]], -3, 3), lr=Slider(0.01, 1, 0.1, log=True))
    )
    page.handle("start start").focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowLeft"):
        page.page.keyboard.press(key)
    assert_as_in_python(page, plane, start=np.array([[1.94, 1.12]]), lr=0.1)
    assert page.hash == "#start=1.94,1.12"
    page.page.get_by_label("lr, slider").focus()
    page.page.keyboard.press("Home")
    assert_as_in_python(page, plane, start=np.array([[1.94, 1.12]]), lr=0.01)


def test_by_touch(read):
    page = read(of_pixels(), has_touch=True, viewport=NARROW)
    box = page.page.locator(".pixels").bounding_box()
    page.page.touchscreen.tap(box["x"] + 5, box["y"] + 5)
    assert page.number("ink") == pytest.approx(2 + 2 * 0.6)
    page.page.get_by_role("button", name="Clear").tap()
    assert page.number("ink") == 0


def test_pixels_by_mouse_and_keyboard(read):
    page = read(of_pixels())
    page.page.locator(".pixels").focus()
    for key in ("ArrowRight", "ArrowDown", " "):
        page.page.keyboard.press(key)
    assert page.number("ink") == pytest.approx(2 + 4 * 0.6)
    page.page.get_by_role("button", name="Erase").click()
    cell = page.page.locator(".pixels > div").nth(6).bounding_box()
    page.page.mouse.move(cell["x"] + 5, cell["y"] + 5)
    page.page.mouse.down()
    page.page.mouse.up()
    assert page.number("ink") == pytest.approx(4 * 0.6)


def test_a_quick_stroke_has_no_gaps(read):
    """The pen is told of only twice; and the other buttons of a mouse draw nothing."""
    page = read(of_pixels())
    top, below = (page.page.locator(".pixels > div").nth(i).bounding_box() for i in (2, 17))
    page.page.mouse.move(top["x"] + 9, top["y"] + 9)
    page.page.mouse.down(button="right")
    page.page.mouse.move(below["x"] + 9, below["y"] + 9)
    page.page.mouse.up(button="right")
    assert page.number("ink") == 0
    page.page.mouse.move(top["x"] + 9, top["y"] + 9)
    page.page.mouse.down()
    page.page.mouse.move(below["x"] + 9, below["y"] + 9)
    page.page.mouse.up()
    assert page.number("ink") == pytest.approx(4 * 2 + 8 * 0.6)


@pytest.mark.parametrize("button", ["Clear", "Reset"])
def test_a_new_sheet_is_for_drawing(read, button):
    page = read(of_pixels())
    page.page.get_by_role("button", name="Erase").click()
    page.page.get_by_role("button", name=button).click()
    page.page.locator(".pixels").focus()
    page.page.keyboard.press(" ")
    assert page.number("ink") == pytest.approx(2 + 2 * 0.6)


def test_dots_stay_on_their_numbers_when_an_option_is_chosen(read):
    """Where the plot is made anew, and the axes are known only when it is drawn."""
    page = read(of_margins())
    before = page.handle("places A").bounding_box()
    page.page.get_by_role("radio", name="log").check()
    page("new Promise(requestAnimationFrame)")
    after = page.handle("places A").bounding_box()
    assert after["x"] == pytest.approx(before["x"], abs=2)
    assert before["y"] + 20 < after["y"] < before["y"] + 60  # log loss is less than hinge there


def test_steps_of_a_logarithmic_slider_are_round(read):
    page = read(explore(lambda lr: {"lr": lr}, lr=Slider(0.001, 1, 0.1, log=True)))
    page.page.get_by_label("lr, slider").focus()
    found = []
    for _ in range(3):
        page.page.keyboard.press("ArrowRight")
        found.append(page.page.input_value("#control-lr"))
    assert found == ["0.102", "0.106", "0.11"]


@pytest.mark.parametrize("low", [1_700_000_000, 0.001])
def test_every_step_of_a_slider_counts(read, low):
    page = read(explore(lambda x: {"x": x}, x=Slider(low, low + 50, low + 25, step=0.3)))
    page.page.get_by_label("x, slider").focus()
    page.page.keyboard.press("End")
    assert page.number("x") == low + 50
    page.page.keyboard.press("ArrowLeft")
    assert page.number("x") == pytest.approx(low + 49.8, abs=1e-3)


def test_the_address_keeps_what_was_changed(read):
    exploration = of_margins()
    page = read(exploration)
    assert page.hash == ""
    page.type("weight", "1.5")
    page.page.get_by_role("radio", name="log").check()
    page.handle("places B").focus()
    page.page.keyboard.press("ArrowRight")
    assert page.hash == "#places=-1,0.56,2&weight=1.5&loss=log"
    again = read(exploration, page.hash)
    assert again.number("mean loss") == page.number("mean loss")
    page.page.get_by_role("button", name="Reset").click()
    assert page.hash == ""
    assert_as_in_python(page, margins, places=np.array([-1.0, 0.5, 2.0]), weight=1.0, loss="hinge")


@pytest.mark.parametrize("log", [False, True])
def test_the_end_of_a_slider_is_read_back_from_its_address(read, log):
    exploration = explore(lambda x: {"x": x}, x=Slider(0.1, 2 * np.pi, 1, log=log))
    page = read(exploration)
    page.page.get_by_label("x, slider").focus()
    page.page.keyboard.press("End")
    assert page.number("x") == 2 * np.pi
    assert read(exploration, page.hash).number("x") == 2 * np.pi


def test_the_end_of_points_is_read_back_from_their_address(read):
    def f(place):
        return {"place": place[0], "plot": Plot(Dots(place, place, drag="place", labels="A"))}

    exploration = explore(f, place=Points([3.1], -np.pi, np.pi))
    page = read(exploration)
    page.handle("place A").focus()
    page.page.keyboard.press("Shift+ArrowRight")
    assert page.number("place") == np.pi
    assert read(exploration, page.hash).number("place") == np.pi


def test_the_end_of_pixels_is_read_back_from_their_address(read):
    low, high = 0.3, 0.9
    assert low + (high - low) > high
    exploration = explore(lambda x: {"ink": np.max(x)}, x=Pixels(np.full((2, 2), low), low, high))
    page = read(exploration)
    page.page.locator(".pixels").press(" ")
    assert page.number("ink") == high
    assert read(exploration, page.hash).number("ink") == high


@pytest.mark.parametrize(
    "place",
    [
        *("#weight=9", "#weight=nan", "#weight=", "#loss=other", "#places=1,2", "#places=1,2,99"),
        *("#__proto__=1", "#%", "#weight=1e400", "#<script>alert(1)</script>", "#3", "#weight"),
    ],
)
def test_an_address_that_says_nothing_is_ignored(read, place):
    page = read(of_margins(), place)
    assert page.number("mean loss") == pytest.approx(2.5 / 3)


def test_numbers_that_python_refuses(read):
    def f(p):
        q = np.stack([p, 1.1 - p])
        return {"kl": losses.kl_divergence(q, np.array([0.5, 0.5]))}

    with pytest.raises(ValueError, match="probability distribution"):
        explore(f, p=Slider(0, 1, 0.5))

    def g(share):
        q = np.stack([0.5 * share, 0.5])
        return {"kl": losses.kl_divergence(q, np.array([0.5, 0.5]))}

    page = read(explore(g, share=Slider(0, 2, 1)))
    page.type("share", "1.5")
    page("new Promise(requestAnimationFrame)")
    refusal = page.page.locator("#refusal")
    assert refusal.inner_text() == "Python refuses rows that are not probabilities with sum 1."
    page.type("share", "1")
    page("new Promise(requestAnimationFrame)")
    assert refusal.is_hidden()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(read, viewport, scheme):
    page = read(of_margins(), viewport=viewport, color_scheme=scheme)
    assert page("document.documentElement.scrollWidth <= innerWidth")
    nameless = page(
        """() => [...document.querySelectorAll("input, button, [tabindex]")].filter(
            (each) => !(each.labels?.length || each.ariaLabel || each.textContent.trim())
        ).length"""
    )
    assert nameless == 0
    assert page.page.locator("canvas").count() == 2
    dark = page("getComputedStyle(document.body).backgroundColor") == "rgb(17, 24, 39)"
    assert dark == (scheme == "dark")


def test_a_plot_follows_the_width_and_the_theme(read):
    page = read(of_margins())
    picture = "document.querySelector('canvas').toDataURL()"
    assert page.page.locator("canvas").first.bounding_box()["width"] > 330
    page.page.set_viewport_size({"width": 330, "height": 700})
    page.page.wait_for_function("() => document.querySelector('canvas').clientWidth < 330")
    page.page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
    light = page(picture)
    page.page.emulate_media(color_scheme="dark")
    page.page.wait_for_function(f"(light) => {picture} !== light", arg=light)
    page.page.emulate_media(color_scheme="light")
    page.page.wait_for_function(f"(light) => {picture} === light", arg=light)


def test_without_javascript_it_says_the_first_numbers(read):
    page = read(of_margins(), java_script_enabled=False)
    assert "mean loss\n0.8333" in page.page.inner_text("#numbers")
    assert "With JavaScript" in page.page.inner_text("noscript")


@pytest.mark.parametrize("is_running", [True, False])
def test_with_javascript_or_without_a_number_looks_the_same(read, is_running):
    exploration = explore(lambda x: {"first": np.stack([x]) * 2}, x=Slider(0, 3, 0.5))
    page = read(exploration, java_script_enabled=is_running)
    assert page.page.inner_text("#numbers").split() == ["first", "1"]


def test_in_a_notebook(browser):
    """In a frame that belongs to nobody, with no address of its own."""
    page = PageReader(browser.new_page())
    bundle = of_margins()._repr_mimebundle_()
    assert bundle["text/plain"].startswith("<page of margins(places, weight, loss), ")
    page.page.set_content(f"<!DOCTYPE html>{bundle['text/html']}")
    frame = page.page.frame_locator("iframe")
    frame.get_by_role("radio", name="log").check()
    from playwright.sync_api import expect

    expect(frame.locator("#numbers dd").nth(1)).to_have_text("-0.7311")
    page.close()


HOSTILE = "</script><script>document.title = 'hacked'</script>\"'&$x<b>"


def test_hostile_words_are_only_words(read):
    def f(**arguments):
        (x, option) = arguments.values()
        plot = Plot(Curve([0, 1], [0, x], HOSTILE), title=HOSTILE, x=HOSTILE, y=HOSTILE)
        return {HOSTILE: x * len(option), "plot": plot, "bars": Plot(Bars([x], names=[HOSTILE]))}

    f.__doc__ = HOSTILE
    f.__name__ = HOSTILE
    page = read(explore(f, **{HOSTILE: Slider(0, 1, 0.5, unit=HOSTILE), "o": [HOSTILE, "b"]}))
    assert page.page.title() == HOSTILE
    assert page.page.inner_text("h1") == HOSTILE
    assert page.number(HOSTILE) == 0.5 * len(HOSTILE)
    page.page.get_by_role("radio", name="b", exact=True).check()
    assert page.number(HOSTILE) == 0.5


def test_what_f_has_found_is_inlined(read):
    w = Tensor(np.array([[1.0, -2.0], [0.5, 3.0]]), requires_grad=True)

    def f(x):
        return {"largest": np.max(functional.softmax(w @ np.stack([x, 1.0])))}

    page = read(explore(f, x=Slider(-1, 1, 0)))
    page.type("x", "0.5")
    assert page.number("largest") == pytest.approx(float(f(0.5)["largest"]), rel=1e-12)


# What is refused, before there is a page.


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: explore(3, x=Slider(0, 1, 0)), TypeError, "takes a function"),
        (lambda: explore(lambda x: {"y": x}), TypeError, "missing a required argument: 'x'"),
        (lambda: explore(lambda x: {"y": x}, z=Slider(0, 1, 0)), TypeError, "argument"),
        (lambda: explore(lambda x: {"y": x}, x=0.5), TypeError, r"Slider\(low, high, value\)"),
        (lambda: explore(lambda x: {"y": x}, x=["a", "a"]), ValueError, "options of x differ"),
        (lambda: explore(lambda x: x, x=Slider(0, 1, 0)), TypeError, "returns a dict"),
        (lambda: explore(lambda x: {"y": "hi"}, x=Slider(0, 1, 0)), TypeError, "are numbers"),
        (lambda: explore(lambda x: {"y": {"z": x}}, x=Slider(0, 1, 0)), TypeError, "are numbers"),
        (lambda: explore(lambda x: {"y": None}, x=Slider(0, 1, 0)), TypeError, "are numbers"),
        (lambda: explore(lambda x: {1: x, "1": x}, x=Slider(0, 1, 0)), TypeError, "a string"),
        (lambda: explore(lambda x: {"y": x[0]}, x=Points([1], 0, 3)), TypeError, "drag='x'"),
        (lambda: explore(lambda x: {"y": x}, x=(-1, 1)), TypeError, "list of options"),
        (
            lambda: explore(lambda x: {"y": Curve(0, x)}, x=Slider(0, 1, 0)),
            ValueError,
            "is written",
        ),
        (lambda: explore(max, x=Slider(0, 1, 0)), TypeError, "signature"),
        (lambda: Plot(), TypeError, "a Plot shows something"),
        (
            lambda: explore(lambda x: {"y": np.array([x, 1.0])[0]}, x=Slider(0, 1, 0)),
            TypeError,
            r"function under explore.*join by np.stack\(\[a, b\]\)",
        ),
        (lambda: explore(lambda x: {}, x=Slider(0, 1, 0)), TypeError, "returns a dict"),
        (
            lambda: explore(lambda x: {"y": x}, x=Points([1, 2], 0, 3)),
            TypeError,
            r"'y' is one number, but has shape \(2,\)",
        ),
        (
            lambda: explore(lambda x: {"y": 1.0 if x > 0 else 2.0}, x=Slider(0, 1, 0)),
            TypeError,
            "np.where",
        ),
        (
            lambda: explore(lambda x: {"y": np.sort(x)[0]}, x=Points([1, 2], 0, 3)),
            TypeError,
            "cannot be written as JavaScript",
        ),
        (
            lambda: explore(
                lambda x: {"y": x + np.random.default_rng().normal()}, x=Slider(0, 1, 0)
            ),
            RuntimeError,
            "run",
        ),
        (
            lambda: explore(
                lambda a, b, c: {"y": 1.0}, a=[*"12345"], b=[*"12345"], c=Slider(0, 1, 0)
            ),
            ValueError,
            "at most 24, but these are 25",
        ),
        (lambda: Slider(0, 1, 2), ValueError, r"Slider\(low, high, value\)"),
        (lambda: Slider(1, 1, 1), ValueError, "the low one first"),
        (lambda: Slider(0, np.nan, 0), ValueError, "finite"),
        (lambda: Slider(0, "1", 0), ValueError, "finite"),
        (lambda: Slider(0, 1, 0, step=0), ValueError, "step"),
        (lambda: Slider(0, 1, 0, step=5), ValueError, "fits between its ends"),
        (lambda: Slider(0.1, 1, 0.1, step=0.1, log=True), ValueError, "leave step out"),
        (lambda: explore(lambda x: {"y": x}, x=True), TypeError, "what the reader changes"),
        (lambda: Points([1.0], -np.inf, np.inf), ValueError, "two finite numbers"),
        (lambda: Points([1.0], 2, 0), ValueError, "the low one first"),
        (lambda: Pixels([[0.0]], 0, 0), ValueError, "the low one first"),
        (lambda: Image([[0.0]], low=0, high=np.inf), ValueError, "two finite numbers"),
        (lambda: Plot(Bars([1]), xlim=(1, 0)), ValueError, "the limits of x lie between"),
        (lambda: Plot(Bars([1]), ylim=("a", "b")), ValueError, "the limits of y lie between"),
        (lambda: Bars([1, 2, 3], names=["a"]), ValueError, "each of its 3 numbers, .* got 1 names"),
        (lambda: Dots([1], [2], labels="ab"), ValueError, "got 2 labels"),
        (lambda: Slider(0, 1, 0, log=True), ValueError, "low is above 0"),
        (lambda: Points([[1, 2, 3]], 0, 3), ValueError, r"shape \(N,\) or \(N, 2\)"),
        (lambda: Points([], 0, 3), ValueError, "shape"),
        (lambda: Points([4], 0, 3), ValueError, "between low=0 and high=3"),
        (lambda: Points([np.nan], 0, 3), ValueError, "between"),
        (lambda: Points(np.zeros(51), 0, 3), ValueError, "at most 50"),
        (lambda: Pixels([1, 2]), ValueError, r"shape \(rows, columns\)"),
        (lambda: Pixels(np.zeros((33, 32))), ValueError, "at most 1,024"),
        (lambda: Pixels([[2.0]]), ValueError, "from low=0.0 to high=1.0"),
        (lambda: Curve([1, 2], [1]), ValueError, r"x \(2,\), y \(1,\)"),
        (lambda: Bars([[1]]), ValueError, "vectors of one length"),
        (lambda: Image([1], low=0, high=1), ValueError, r"shape \(rows, columns\)"),
        (lambda: Image([[1]], low=1, high=1), ValueError, "the low one first"),
        (lambda: Plot([1, 2]), TypeError, "made of Curve, Dots, Bars and Image"),
        (
            lambda: explore(lambda x: {"p": Plot(Dots([x], [x], drag="y"))}, x=Slider(0, 1, 0)),
            TypeError,
            "moves Points",
        ),
        (
            lambda: explore(
                lambda x: {"p": Plot(Dots([0, 1], [0, 1], drag="x"))}, x=Points([1], 0, 3)
            ),
            ValueError,
            "shows 2 dots, but there are 1",
        ),
        (lambda: of_pixels().save("page.png"), ValueError, "a page ends in .html"),
    ],
)
def test_mistakes_are_refused_by_name(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_function_that_changes_what_it_has_found_is_refused():
    w = Tensor(2.0, requires_grad=True, name="w")

    def f(x):
        loss = x * w
        loss.backward()
        return {"slope": w.grad}

    with pytest.raises(TypeError, match=r"changed .*w.*, which it has found"):
        explore(f, x=Slider(0, 1, 0.5))
    assert w.grad is None


def test_numbers_of_numpy_are_numbers():
    slider = Slider(np.float32(0), np.int64(2), np.float32(1), step=np.float32(0.5), log=np.False_)
    plot = Plot(Bars([np.float32(1)]), xlim=(np.int64(0), np.float32(1)))
    assert explore(lambda f: {"f": f, "plot": plot}, f=slider).html()


def test_a_leaf_is_shown_by_its_numbers(read):
    def f(x):
        w = Tensor(np.stack([x]), requires_grad=True)
        loss = np.sum(w * w)
        loss.backward()
        return {"w": w, "slope": w.grad, "loss": loss}

    page = read(explore(f, x=Slider(0, 1, 0.5)))
    assert [page.number(name) for name in ("w", "slope", "loss")] == [0.5, 1.0, 0.25]


def test_a_page_is_small():
    """Of a graph of 200 numbers, with uPlot and all."""

    def f(x, y):
        v, values = np.stack([x, y]), []
        for _ in range(34):
            v = np.tanh(v * 0.9 + np.flip(v))
            values.append(v)
        return {"first": v[0], "all": Plot(Curve(range(34), [v[1] for v in values]))}

    page = explore(f, x=Slider(-1, 1, 0.5), y=Slider(-1, 1, -0.2))
    assert 200 <= int(re.search(r"(\d+) lines", repr(page))[1]) < 300
    assert len(page.html().encode()) < 150_000
