"""Figures that one can touch, in a browser: they follow a hand."""


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
