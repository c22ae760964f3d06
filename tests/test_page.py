"""The page of ``steps`` in a real browser: what is seen, pressed, and asked of the network."""

import re
from itertools import chain

import numpy as np
import pytest
from reader import WIDE, Reader

from tinygrad_edu import Tensor, functional, losses, steps

NARROW = {"width": 400, "height": 800}


def parameter(data, name=None, **options):
    return Tensor(data, requires_grad=True, name=name, **options)


def neuron():
    """A graph of single numbers: from left to right."""
    x1, x2 = Tensor(1.0, name="x1"), Tensor(-2.0, name="x2")
    w1, w2, b = parameter(0.5, "w1"), parameter(0.25, "w2"), parameter(0.1, "b")
    return steps(functional.sigmoid(w1 * x1 + w2 * x2 + b))


def cross_entropy():
    """A page that has to scroll: from top to bottom, with frames."""
    rng = np.random.default_rng(0)
    x, y = Tensor(rng.normal(size=(4, 2)), name="X"), np.array([0, 1, 2, 0])
    w, b = parameter(rng.normal(size=(3, 2)), "W"), parameter(np.zeros(3), "b")
    return steps(losses.cross_entropy(x @ w.T + b, y))


def hinge():
    x, w = Tensor([[1.0, 2.0], [0.5, -1.0]], name="x"), parameter([0.3, -0.2], "w")
    return steps(losses.hinge(x @ w, np.array([1, -1])))


def reused():
    x = parameter(-3.0, "x")
    return steps(x * x + x)


def expect():
    from playwright.sync_api import expect

    return expect


# Going through the steps.


def test_keys(read):
    page = read(neuron())
    last = len(page.told)
    assert page.number == 1
    page.press("ArrowLeft")
    assert page.number == 1
    page.press("ArrowRight", "ArrowRight")
    assert page.number == 3
    page.press("ArrowLeft")
    assert page.number == 2
    page.press("End")
    assert page.number == last
    page.press("ArrowRight")
    assert page.number == last
    page.press("Home")
    assert page.number == 1


def test_keys_with_a_modifier_belong_to_the_browser(read):
    page = read(neuron())
    page.press("Control+ArrowRight", "Meta+End", "a", "Enter", "PageDown")
    assert page.number == 1


def test_buttons(read):
    page = read(reused())
    back, following = page.page.locator("#back"), page.page.locator("#next")
    for number in range(2, len(page.told) + 1):
        following.click()
        assert page.number == number
    for number in reversed(range(1, len(page.told))):
        back.click()
        assert page.number == number


def test_keys_work_on_after_a_button_has_become_disabled_under_the_finger(read):
    page = read(reused())
    page.page.locator("#next").focus()
    page.press(*["Enter"] * (len(page.told) - 1))
    assert page.number == len(page.told)
    page.press("ArrowLeft")
    assert page.number == len(page.told) - 1


def test_slider(read):
    page = read(neuron())
    slider = page.page.locator("#slider")
    slider.fill("7")
    assert page.number == 7
    slider.focus()
    page.press("ArrowRight")
    assert page.number == 8
    page.press("Home")
    assert page.number == 1
    assert slider.get_attribute("aria-valuetext") == f"1 of 11: {page.told[0].title}"


def test_play_goes_on_by_itself_until_the_end(read):
    page = read(reused(), clock=True)
    play = page.page.locator("#play")
    page.press(" ")
    assert (play.text_content(), play.get_attribute("aria-pressed")) == ("Pause", "true")
    assert page.number == 1
    page.page.clock.run_for(1600)
    assert page.number == 2
    page.page.clock.run_for(60_000)
    assert page.number == len(page.told)
    assert (play.text_content(), play.get_attribute("aria-pressed")) == ("Play", "false")
    play.click()
    assert (page.number, play.text_content()) == (1, "Pause")


def test_a_key_stops_playing(read):
    page = read(neuron(), clock=True)
    for key, number in (" ", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 11):
        page.press(" ")
        assert page.page.locator("#play").text_content() == "Pause"
        page.press(key)
        assert page.page.locator("#play").text_content() == "Play"
        page.page.clock.run_for(10_000)
        assert page.number == number


def test_space_on_a_button_presses_that_button_and_on_the_summary_opens_it(read):
    page = read(neuron())
    page.page.locator("#next").focus()
    page.press(" ")
    assert page.number == 2
    page.page.locator("#help summary").focus()
    page.press(" ")
    assert page.page.locator("#help").get_attribute("open") == ""
    assert page.page.locator("#play").text_content() == "Play"
    page.page.locator("#slider").focus()
    page.press(" ")
    assert page.page.locator("#play").text_content() == "Pause"


def test_the_address_holds_the_step(read):
    page = read(neuron(), place="#5")
    assert page.number == 5
    page.press("ArrowRight")
    assert page.page.url == f"{page.address}#6"
    length = page("history.length")
    page.press("ArrowRight", "ArrowRight")
    assert (page("location.hash"), page("history.length")) == ("#8", length)
    page("location.hash = '#2'")
    page.page.wait_for_function("() => document.getElementById('slider').value === '2'")
    assert page.number == 2


def test_addresses_of_no_step(read):
    page = read(neuron())
    for place, number in {
        "#0": 1, "#-4": 1, "#999": 11, "#words": 1, "#Infinity": 11, "#n3": 1, "#2.5": 2
    }.items():  # fmt: skip
        page.page.goto("about:blank")
        page.page.goto(page.address + place)
        assert page.number == number


# What a step shows.


def test_the_panel_has_the_words_of_the_step(read):
    page = read(cross_entropy())
    shown = page.at_each_step(
        """() => [...document.querySelectorAll("#steps > li")].filter((item) => !item.hidden)
            .map((item) => [...item.querySelectorAll("h2, .derivation > *")]
                .map((part) => part.textContent).filter((text) => text))"""
    )
    for step, items in zip(page.told, shown, strict=True):
        words = [f"step {step.number} of {step.count}, {step.title}"]
        for derivation in step.derivations:
            words.append(derivation.target)
            words += [f"= {expression}" for expression in derivation.expressions]
            words += derivation.notes
        assert items == [words]
        assert re.sub(r"\s", "", "".join(words)) == re.sub(r"\s", "", str(step))


@pytest.mark.parametrize("build", [cross_entropy, reused])
def test_the_node_and_its_edges_are_lit(read, build):
    page = read(build())
    shown = page.at_each_step(
        """() => [
            [...document.querySelectorAll("svg .node.lit")].map((node) => node.id),
            [...document.querySelectorAll("svg .edge.lit")]
                .map((edge) => [edge.dataset.tail, edge.dataset.head]),
        ]"""
    )
    for step, (nodes, edges) in zip(page.told, shown, strict=True):
        node = page.place(step.tensor)
        operands = page.told._graph.operands(step.tensor) if step.phase != "seed" else []
        if step.phase == "backward":
            operands = [each for each in operands if getattr(each, "requires_grad", False)]
        assert nodes == [node]
        assert sorted(edges) == sorted([page.place(operand), node] for operand in operands)


NUMBERS = """() => ["value", "gradient"].map((kind) => Object.fromEntries(
    [...document.querySelectorAll(`svg .node text.${kind}`)]
        .filter((text) => getComputedStyle(text).visibility === "visible")
        .map((text) => [text.closest(".node").id, text.textContent])))"""


@pytest.mark.parametrize("build", [neuron, cross_entropy])
def test_what_is_not_known_yet_is_hidden(read, build):
    page = read(build())
    everything = {f"n{i}" for i in range(len(page.told._graph.members))}
    later = {page.place(step.tensor) for step in page.told if step.phase == "forward"}
    for step, (shown, gradients) in zip(page.told, page.at_each_step(NUMBERS), strict=True):
        later -= {page.place(step.tensor)}
        assert shown.keys() == everything - later
        assert gradients.keys() == set(map(page.place, step.gradients))
    assert page("document.querySelectorAll('svg text.unknown').length") == 0
    page.press("Home")
    assert page(NUMBERS)[1] == {}


def test_a_gradient_grows_as_its_paths_meet(read):
    page = read(reused())
    x = page.place(page.told[0].tensor.args[0])
    seen = [gradients.get(x) for _, gradients in page.at_each_step(NUMBERS)]
    assert seen == [None, None, None, "grad 1", "grad -5"]
    page.press("ArrowLeft")
    assert page(NUMBERS)[1][x] == "grad 1"


def test_the_numbers_are_those_of_the_steps(read):
    page = read(neuron(), place="#11")
    values, gradients = page(NUMBERS)
    root, last = page.told[5].tensor, page.told[-1].gradients
    assert values[page.place(root)] == f"{root.item():.3g}"
    assert gradients == {page.place(each): f"grad {g.item():.3g}" for each, g in last.items()}


@pytest.mark.parametrize("build", [neuron, cross_entropy])
def test_the_picture_never_moves(read, build):
    first, *others = read(build()).at_each_step(
        """() => {
            const svg = document.querySelector("svg").getBoundingClientRect();
            const places = [...document.querySelectorAll("svg .node, svg .edge, svg .cluster")]
                .map((part) => part.querySelector("polygon, path").getBoundingClientRect())
                .flatMap((box) => [box.x - svg.x, box.y - svg.y, box.width, box.height]);
            return [svg.width, svg.height, ...places].map((length) => length.toFixed(2));
        }"""
    )
    assert len(first) > 30
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    "build",
    [
        cross_entropy,
        hinge,
        reused,
    ],
)
def test_numbers_stay_inside_their_nodes(read, build):
    outside = read(build()).at_each_step(
        """() => [...document.querySelectorAll("svg .node text")].filter((text) => {
            const outline = text.closest(".node").querySelector("polygon, path");
            const [inner, outer] = [text, outline].map((part) => part.getBoundingClientRect());
            return getComputedStyle(text).visibility === "visible"
                && (inner.left < outer.left || inner.right > outer.right);
        }).map((text) => text.textContent)"""
    )
    assert list(chain.from_iterable(outside)) == []


# What it must not do.

HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "</title></style></svg><!--<script>",
    "${window.hacked = 1} $title",
    "javascript:window.hacked=1",
    "\"><svg onload='window.hacked = 1'>",
]


def test_hostile_names_run_nothing(read):
    named = {name: parameter(float(i)) for i, name in enumerate(HOSTILE)}
    loss = sum(named.values())
    page = read(steps(loss, names={**named, HOSTILE[0]: loss}))
    for _ in page.told:
        page.press("ArrowRight")
    assert page("window.hacked") is None
    assert page.page.title() == "</script><script>window…, step by step"
    assert page.page.locator("script").count() == 3
    assert page.page.locator("img").count() == 0
    assert page.number == len(page.told)


def test_the_policy_blocks_a_script_that_got_in_all_the_same(read):
    page = read(neuron())
    page(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.hacked = 1";
            document.body.append(script);
            document.body.setAttribute("onclick", "window.hacked = 1");
            document.body.click();
            document.body.setAttribute("style", "background: url(https://example.com/)");
        }"""
    )
    assert page("window.hacked") is None
    assert len(page.complaints) == 3
    assert all("Content Security Policy" in complaint for complaint in page.complaints)
    page.complaints.clear()


@pytest.mark.parametrize("build", [neuron, hinge])
def test_the_picture_fits_its_place_and_grows_with_it(read, build):
    page = read(build())
    sizes = []
    for width, height in ((1200, 640), (1920, 1080), (3840, 2160)):
        page.page.set_viewport_size({"width": width, "height": height})
        page.page.wait_for_timeout(100)
        fits, text = page(
            """() => {
                const box = document.getElementById("graph");
                const word = document.querySelector("svg text").getBoundingClientRect().height;
                const wide = box.scrollWidth > box.clientWidth;
                return [!wide && box.scrollHeight <= box.clientHeight, word];
            }"""
        )
        assert fits
        sizes.append(text)
    assert sizes[0] < sizes[1] < sizes[2]
    panel = page("parseFloat(getComputedStyle(document.getElementById('panel')).fontSize)")
    assert panel > 30  # on a wall, too


def test_it_leads_back_to_where_it_was_opened_from(read, tmp_path):
    page = read(neuron())
    address = page.address
    opener = tmp_path / "opener.html"
    opener.write_text('<!DOCTYPE html><a href="page.html">steps</a>', encoding="utf-8")
    page.page.goto(opener.as_uri())
    page.page.click("a")
    page.press("ArrowRight", "ArrowRight")
    page.page.click("#leave")
    page.page.wait_for_url("**/opener.html")
    page.page.goto(address)
    page.requests[:] = [address]


def test_full_screen_and_back(read):
    page = read(neuron())
    page.press("f")
    page.page.wait_for_function("() => document.fullscreenElement !== null")
    assert page("document.getElementById('full').getAttribute('aria-pressed')") == "true"
    page.page.click("#full")
    page.page.wait_for_function("() => document.fullscreenElement === null")


def test_in_a_notebook(browser):
    """In a frame that may run scripts, but belongs to nobody and has no address of its own."""
    told = neuron()
    outer = Reader(browser.new_page())
    outer.page.set_content(f"<!DOCTYPE html>{told._repr_mimebundle_()['text/html']}")
    frame = outer.page.frame_locator("iframe")
    position = expect()(frame.locator("#position"))
    position.to_have_text("1 of 11")
    frame.locator("#next").click()
    position.to_have_text("2 of 11")
    outer.press("ArrowRight", "ArrowRight")
    position.to_have_text("4 of 11")
    frame.locator("#slider").fill("11")
    position.to_have_text("11 of 11")
    expect()(frame.locator("#next")).to_be_disabled()
    assert frame.locator("#steps > li:visible").count() == 1
    outer.close()


def test_without_javascript_everything_can_be_seen(read):
    page = read(neuron(), java_script_enabled=False)
    seen = expect()
    seen(page.page.locator("#controls")).to_be_hidden()
    seen(page.page.locator("noscript p")).to_be_visible()
    items = page.page.locator("#steps > li")
    seen(items).to_have_count(len(page.told))
    for i, step in enumerate(page.told):
        seen(items.nth(i)).to_be_visible()
        seen(items.nth(i)).to_contain_text(step.title)
    gradients = page.page.locator("svg text.gradient")
    seen(gradients).to_have_count(len(page.told[-1].gradients))
    for gradient in gradients.all():
        seen(gradient).to_be_visible()


# For everybody.


def test_changes_are_announced_and_controls_are_named(read):
    page = read(neuron()).page
    assert page.locator("#panel").get_attribute("aria-live") == "polite"
    for role, name in [
        ("button", "Back"),
        ("button", "Next"),
        ("button", "Play"),
        ("slider", "Step"),
        ("group", "Steps"),
        ("region", "Computation graph"),
        ("region", "What happens"),
    ]:
        assert page.get_by_role(role, name=name, exact=True).count() == 1


def test_every_control_can_be_reached_with_the_tab_key_and_shows_it(read):
    page = read(neuron(), place="#2")
    reached = []
    for _ in range(20):
        page.press("Tab")
        reached.append(page("document.activeElement.id || document.activeElement.localName"))
        assert page("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    controls = ["leave", "back", "next", "play", "slider", "predict", "full", "graph"]
    fields = [name for i in range(5) for name in ("input", f"field-{i}")]  # a slider and a text
    assert reached == [*controls, "summary", *fields, "summary"]


@pytest.mark.parametrize(
    ("wish", "durations"), [("reduce", {"0s"}), ("no-preference", {"0.2s", "0.2s, 0.2s", "0s"})]
)
def test_who_wants_no_motion_gets_none(read, wish, durations):
    page = read(neuron(), reduced_motion=wish)
    found = page(
        """() => [...document.querySelectorAll("svg .node *, svg .edge *")]
            .map((part) => getComputedStyle(part).transitionDuration)"""
    )
    assert set(found) <= durations
    assert set(found) & durations - {"0s"} or wish == "reduce"


COLOURS = """() => {
    const seen = (part) => part.checkVisibility({visibilityProperty: true});
    const opaque = (colour) => colour !== "rgba(0, 0, 0, 0)" && colour !== "none";
    const behind = (part) => {
        for (; part; part = part.parentElement) {
            const colour = getComputedStyle(part).backgroundColor;
            if (opaque(colour)) return colour;
        }
    };
    const pairs = [...document.querySelectorAll("body *")]
        .filter((part) => !part.closest("svg, button:disabled") && seen(part))
        .filter((part) => [...part.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
        .map((part) => [part.textContent, getComputedStyle(part).color, behind(part)]);
    for (const text of [...document.querySelectorAll("svg text")].filter(seen)) {
        const outlines = [...text.parentElement.querySelectorAll("polygon, path")];
        const fill = outlines.map((part) => getComputedStyle(part).fill).find(opaque);
        pairs.push([text.textContent, getComputedStyle(text).fill, fill]);
    }
    return pairs;
}"""


def luminance(colour):
    channels = np.array([float(c) for c in re.findall(r"[\d.]+", colour)[:3]]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(colour, background):
    """As the WCAG defines it; 4.5 is enough for text of any size."""
    low, high = sorted([luminance(colour), luminance(background)])
    return (high + 0.05) / (low + 0.05)


def overflowing():
    """Numbers that are not finite are red."""
    x = parameter([0.0, 1.0], "x")
    with np.errstate(all="ignore"):
        return steps((np.log(x) * x).sum())


@pytest.mark.parametrize("build", [cross_entropy, overflowing])
@pytest.mark.parametrize(
    "scheme",
    [
        "light",
        "dark",
    ],
)
def test_texts_can_be_read(read, scheme, build):
    page = read(build(), color_scheme=scheme, reduced_motion="reduce")
    paper = luminance(page("getComputedStyle(document.body).backgroundColor"))
    assert paper > 0.9 if scheme == "light" else paper < 0.05
    page.page.locator("#help summary").click()
    found = list(chain.from_iterable(page.at_each_step(COLOURS)))
    assert len(found) > 100
    for text, colour, background in found:
        assert contrast(colour, background) >= 4.5, (text, colour, background)


IN_VIEW = """() => {
    const inside = (box, view) => box.left >= view.left - 1 && box.right <= view.right + 1
        && box.top >= view.top - 1 && box.bottom <= view.bottom + 1;
    const graph = document.getElementById("graph").getBoundingClientRect();
    const screen = {left: 0, top: 0, right: innerWidth, bottom: innerHeight};
    return inside(document.querySelector("svg .node.lit").getBoundingClientRect(), graph)
        && [graph, ...[...document.querySelectorAll("#controls > *")]
            .map((control) => control.getBoundingClientRect())].every((box) => inside(box, screen));
}"""
SIZE = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["desk", "telephone"])
@pytest.mark.parametrize("build", [neuron, cross_entropy, hinge])
def test_the_controls_and_the_node_are_in_view_without_scrolling_the_page(read, build, size):
    page = read(build(), viewport=size, reduced_motion="reduce")
    assert all(page.at_each_step(IN_VIEW))
    page.press("Home")
    assert all(found == list(size.values()) for found in page.at_each_step(SIZE))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["desk", "telephone"])
def test_a_page_that_moves_smoothly_arrives_however_quickly_one_goes_on(read, size):
    page = read(cross_entropy(), viewport=size)
    for keys in ["ArrowRight"], ["ArrowRight"] * 12, ["Home"], ["End"], ["Home", "End", "Home"]:
        page.press(*keys)
        page.page.wait_for_function(IN_VIEW)


@pytest.mark.parametrize(
    ("build", "size"), [(cross_entropy, WIDE), (neuron, NARROW)], ids=["desk", "telephone"]
)
def test_what_gets_a_gradient_is_in_view(read, build, size):
    page = read(build(), viewport=size, reduced_motion="reduce")
    found = page.at_each_step(
        """() => {
            const view = document.getElementById("graph").getBoundingClientRect();
            return [...document.querySelectorAll("svg .node")].filter((node) => {
                const box = node.getBoundingClientRect();
                return box.right > view.left && box.left < view.right
                    && box.bottom > view.top && box.top < view.bottom;
            }).map((node) => node.id);
        }"""
    )
    for step, shown in zip(page.told, found, strict=True):
        if step.phase == "backward":
            wanting = [each for each in step.tensor.args if getattr(each, "requires_grad", False)]
            assert set(map(page.place, wanting)) <= set(shown)
