"""Figures that one can touch, in a browser: they compute what Python does, and follow a hand."""

import numpy as np

from tinygrad_edu.exploring import Plot


def arrays(found):
    """All numbers of a figure by name: of each plot, mark and part."""
    named = {}
    for name, x in found.items():
        if not isinstance(x, Plot):
            named[name] = np.ravel(x)
            continue
        for i, mark in enumerate(x.marks):
            named |= {f"{name}, {i}, {part}": np.ravel(each) for part, each in mark.arrays.items()}
    return named


COMPUTED = """(setting) => {
    const data = JSON.parse(document.getElementById("data").textContent);
    let index = 0;
    const inputs = [];
    for (const {name, kind, options} of data.controls) {
        if (kind === "choice") index = index * options.length + options.indexOf(setting[name]);
        else inputs.push(...setting[name]);
    }
    const results = programs[index](inputs).map(Number);
    const at = ([from, to]) =>
        to === undefined ? data.constants[from].map(Number) : results.slice(from, to);
    const {numbers, plots} = data.views[index];
    const found = numbers.map(([name, place]) => [name, at(place)]);
    for (const {name, marks} of plots) marks.forEach(({slots}, i) => {
        for (const part in slots) found.push([`${name}, ${i}, ${part}`, at(slots[part])]);
    });
    return Object.fromEntries(found);
}"""


def assert_page_computes(page, f, settings):
    """The program of a page gives the numbers of ``f``, for each of some settings."""
    for setting in settings:
        with np.errstate(all="ignore"):
            expected = arrays(f(**setting))
        told = {k: x if isinstance(x, str) else np.ravel(x).tolist() for k, x in setting.items()}
        found = page.evaluate(COMPUTED, told)
        assert found.keys() == expected.keys()
        for part, wanted in expected.items():
            np.testing.assert_allclose(found[part], wanted, rtol=1e-9, atol=1e-12, err_msg=part)


def shown(page):
    """The numbers, the dots and the pictures of a page, once they are drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return page.evaluate("""() => [
        document.getElementById("numbers").innerText,
        ...[...document.querySelectorAll(".handle")].map((dot) => dot.ariaValueText),
        ...[...document.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()),
    ]""")


MOVABLE = ".handle, .pixels, input[type=range]"


def assert_page_follows(page):
    """Each of its controls can be moved by the mouse, by keys, and by a finger where it chooses."""
    first = shown(page)
    for i in range(page.locator(MOVABLE).count()):
        each = page.locator(MOVABLE).nth(i)
        each.scroll_into_view_if_needed()
        box = each.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        before = shown(page)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 30, y - 20, steps=3)
        page.mouse.up()
        by_mouse = shown(page)
        each.focus()
        for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Space"):
            page.keyboard.press(key)
        by_keys = shown(page)
        assert before != by_mouse != by_keys, each.get_attribute("aria-label")
    for each in page.locator(".options label").all():
        if not each.locator("input").is_checked():
            before = shown(page)
            each.tap()
            assert shown(page) != before, each.inner_text()
    page.get_by_role("button", name="Reset").tap()
    assert shown(page) == first
