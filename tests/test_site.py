"""The site: built as a reader builds it, whole, without a network, in a real browser."""

import itertools
import os
import re
import threading
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from test_reference import PUBLIC

pytest.importorskip("myst_nb", reason="the site's tools are not installed: pip install '.[demos]'")

import demos
from demos import __main__ as dispatcher
from tinygrad_edu import lessons

HERE = Path(demos.__file__).parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site: that of $TINYGRAD_SITE, or one built now."""
    if folder := os.environ.get("TINYGRAD_SITE"):
        return Path(folder).resolve()
    folder = tmp_path_factory.mktemp("site")
    assert dispatcher.main(["--out", str(folder)]) == 0
    return folder


class Page(HTMLParser):
    """What a page refers to, its anchors, and its pictures without words."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.references, self.loaded, self.anchors, self.without_words = [], [], set(), []
        self.text = path.read_text("utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[key] for key in ("id", "name") if attrs.get(key)}
        if tag == "a" and attrs.get("href"):
            self.references.append(attrs["href"])
        if tag in ("script", "img", "iframe", "link"):
            self.loaded += [attrs[key] for key in ("src", "href") if attrs.get(key)]
        if tag == "img" and not attrs.get("alt"):
            self.without_words.append(attrs.get("src"))


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site, by its path."""
    paths = [*site.glob("*.html"), *site.glob("[lpr]*/*.html")]
    return {path.relative_to(site).as_posix(): Page(path) for path in paths}


def test_every_lesson_and_page_is_there(pages):
    expected = [f"lessons/{name}.html" for name in lessons.names()]
    expected += [f"pages/{path.stem}.html" for path in (HERE / "pages").glob("*.md")]
    assert set(expected) <= pages.keys()
    assert len(expected) > 30


def test_no_link_is_broken(site, pages):
    broken = []
    for page in pages.values():
        for reference in page.references:
            if re.match(r"https?:|mailto:", reference):
                continue
            path, _, anchor = unquote(reference).partition("#")
            target = (page.path.parent / path).resolve() if path else page.path
            there = target.is_file()
            if there and anchor and target.suffix == ".html":
                known = pages.get(target.relative_to(site).as_posix()) or Page(target)
                there = anchor in known.anchors
            if not there:
                broken.append((page.path.name, reference))
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(pages):
    for page in pages.values():
        assert [each for each in page.loaded if re.match(r"(https?:)?//", each)] == []


def test_nothing_runs_in_the_browser_unless_asked_for(site, pages):
    assert not (site / "lite").exists()  # built by python -m demos, without --live
    assert not [name for name, page in pages.items() if 'class="downloads live"' in page.text]


def test_every_picture_is_described(pages):
    assert {name: page.without_words for name, page in pages.items() if page.without_words} == {}


def test_no_page_tells_where_it_was_built(site):
    root = str(HERE.parent)
    for path in [*site.rglob("*.html"), *site.rglob("*.js"), *site.rglob("*.ipynb")]:
        text = path.read_text("utf-8")
        assert root not in text, path
        assert not re.search(r"/(?:tmp|home|Users|var/folders)/\w+", text), path


def test_lessons_follow_each_other_at_the_top_and_at_the_bottom(pages):
    for before, name in itertools.pairwise(lessons.names()):
        text, following = (pages[f"lessons/{each}.html"].text for each in (before, name))
        assert re.findall(r'class="right-next"\s+href="([^"]+)"', text) == 2 * [f"{name}.html"]
        assert re.findall(r'class="left-prev"\s+href="([^"]+)"', following) == 2 * [
            f"{before}.html"
        ]


def test_every_lesson_can_be_downloaded(site, pages):
    for name in lessons.names():
        for ending in ("py", "ipynb"):
            assert f"../downloads/{name}.{ending}" in pages[f"lessons/{name}.html"].references
            text = (site / "downloads" / f"{name}.{ending}").read_text("utf-8")
            assert ":::" not in text
            assert '["solution"]' not in text


def inventory(site):
    """The names that have a place in the reference, and their pages."""
    head, _, body = (site / "objects.inv").read_bytes().partition(b"zlib.\n")
    assert head.startswith(b"# Sphinx inventory version 2")
    lines = zlib.decompress(body).decode("utf-8").splitlines()
    return {line.split()[0]: line.split()[3] for line in lines if line.split()[1].startswith("py:")}


def test_every_public_name_is_in_the_reference(site):
    known = inventory(site)
    missing = []
    for name, value in PUBLIC.items():
        module, _, short = name.rpartition(".")
        places = [f"{each}.{short}" for each in ("tinygrad_edu", module, module.rpartition(".")[0])]
        if not any(place in known for place in places):
            missing.append((name, value))
    assert missing == []


def test_lessons_lead_to_the_reference_and_back(pages):
    assert any("#tinygrad_edu.grad" in each for each in pages["lessons/03_margins.html"].references)
    back = pages["reference/losses.html"].references
    assert any(each.startswith("../lessons/04_losses.html") for each in back)


def test_formulas_are_mathml(pages):
    assert "<math>" in pages["pages/notation.html"].text
    assert "<msup>" in pages["lessons/03_margins.html"].text


# In a browser.

HERE_ONLY = r"file:|http://127\.0\.0\.1:"
# Of the excerpts in a search.
WITHOUT_A_SERVER = "Access to fetch at 'file:|Failed to load .*: net::ERR_FAILED|.*Failed to fetch"


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served."""
    with dispatcher.server(site, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(browser, site):
    """Open a page as a reader would, from a file; what it asked and said is checked at the end."""
    opened = []

    def visit(name, **options):
        page = browser.new_page(**{"viewport": {"width": 1200, "height": 900}, **options})
        page.set_default_timeout(10_000)
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: message.type == "error" and said.append(message.text))
        opened.append((page, asked, said))
        page.goto(name if name.startswith("http:") else (site / name).as_uri())
        return page

    yield visit
    for page, asked, said in opened:
        page.close()
        assert [each for each in said if not re.match(WITHOUT_A_SERVER, each)] == []
        assert [url for url in asked if not re.match(f"{HERE_ONLY}|data:|about:|blob:", url)] == []


NAMES = sorted(
    ["index.html", "search.html", "genindex.html"]
    + [f"lessons/{name}.html" for name in ["index", *lessons.names()]]
    + [f"pages/{path.stem}.html" for path in (HERE / "pages").glob("*.md")]
    + [f"reference/{path.stem}.html" for path in (HERE / "reference").glob("*.rst")]
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_every_page_fits_the_window_and_shows_its_pictures(visit, site, scheme, width):
    names = [name for name in NAMES if (site / name).exists()]
    assert len(names) > 50
    page = visit("index.html", color_scheme=scheme, viewport={"width": width, "height": 900})
    for name in names:
        page.goto((site / name).as_uri())
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), name
        assert page.evaluate(
            "[...document.images].every((each) => each.complete && each.naturalWidth > 0)"
        ), name


@pytest.mark.parametrize("width", [1200, 400])
def test_no_card_of_a_mistake_is_cut_off(visit, width):
    page = visit("pages/mistakes.html", viewport={"width": width, "height": 900})
    assert page.locator(".sd-card").count() == 38
    cut = page.evaluate(
        """[...document.querySelectorAll('.sd-card .highlight-text pre, .sd-card p')]
            .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.innerText)"""
    )
    assert cut == []


def test_the_search_finds_a_lesson_without_a_server(visit):
    page = visit("index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("hinge loss")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=hinge+loss*")
    page.locator("#search-results li a", has_text="Four losses of a margin").first.click()
    page.wait_for_url("**/04_losses.html*")


def test_folded_code_and_solutions_open_by_the_keyboard(visit):
    page = visit("lessons/03_margins.html")
    for summary, inside in (
        ("details.hide summary", "details.hide .highlight"),
        ("details.solution summary", "details.solution .highlight"),
    ):
        assert not page.locator(inside).first.is_visible()
        page.locator(summary).first.focus()
        page.keyboard.press("Enter")
        page.locator(inside).first.wait_for(state="visible")


def test_the_first_tab_leads_past_the_navigation(visit):
    page = visit("lessons/03_margins.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"


def test_the_search_of_a_served_site_shows_excerpts(visit, address):
    page = visit(f"{address}/search.html?q=hinge")
    page.locator("#search-results li p.context").first.wait_for()


def test_the_page_of_a_lesson_gives_its_notebook(visit, address):
    page = visit(f"{address}/lessons/03_margins.html")
    with page.expect_download() as download:
        page.get_by_role("link", name="notebook").click()
    assert download.value.suggested_filename == "03_margins.ipynb"


def test_steps_work_inside_a_page(visit):
    page = visit("pages/graph.html")
    frame = page.frame_locator("iframe").first
    from playwright.sync_api import expect

    expect(frame.locator("#position")).to_have_text("1 of 15")
    frame.locator("#next").click()
    expect(frame.locator("#position")).to_have_text("2 of 15")  # a frame answers when it can
    expect(frame.locator("#full")).to_be_visible()
    expect(frame.locator("#leave")).to_be_hidden()


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("name", ["04_losses", "07_cross_entropy", "08_divergence", "10_descent"])
def test_figures_inside_a_lesson_have_the_room_that_they_need(visit, site, name, width):
    page = visit(f"lessons/{name}.html", viewport={"width": width, "height": 900})
    count = page.locator("iframe").count()
    assert count == page.locator(".alone a").count() > 0
    for i in range(count):
        frame = page.locator("iframe").nth(i)
        address = frame.get_attribute("src")
        assert address == page.locator(".alone a").nth(i).get_attribute("href")
        assert (site / "lessons" / address).is_file()
        frame.scroll_into_view_if_needed()  # frames are filled when they are near
        inside = frame.element_handle().content_frame()
        inside.wait_for_function(
            """() => document.readyState === "complete" && document.querySelector("canvas")
                && document.documentElement.scrollHeight <= innerHeight
                && document.documentElement.scrollWidth <= innerWidth"""
        )


def test_a_lesson_prints_without_what_only_a_screen_needs(visit):
    page = visit("lessons/03_margins.html")
    page.emulate_media(media="print")
    for part in (".bd-header", ".bd-sidebar-primary", ".prev-next-area", ".downloads"):
        assert not page.locator(part).first.is_visible(), part
    cut = page.evaluate(
        "[...document.querySelectorAll('.highlight pre')]"
        ".filter((each) => each.scrollWidth > each.clientWidth).length"
    )
    assert cut == 0
    themes = """() => {
        const theme = () => document.documentElement.dataset.theme;
        dispatchEvent(new Event("beforeprint"));
        const printed = theme();
        dispatchEvent(new Event("afterprint"));
        return [printed, theme()];
    }"""
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(themes) == ["light", "dark"]
    printed = page.pdf()
    assert printed.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 20
