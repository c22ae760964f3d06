"""Lessons run, cell by cell, and the pages that are made of them."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

import demos
from demos import __main__ as dispatcher
from demos import _gallery, _show

LESSON = '''"""One idea, in a line."""

# %% [markdown]
# # A title & more
#
# Words, and a table:
#
# | a | b |
# |---|---|
# | 1 | 2 |

# %%
from demos._show import show

print("<b>printed</b>")
thing = show(THING, "tiny_thing.txt", 'What "it" shows')

# %% [markdown]
# Then the check.

# %%
assert thing is THING, "it is another"
'''


PAGES = (*demos.LESSONS, *demos.IN_THE_GALLERY)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for lessons, and inside it one for what they show."""
    monkeypatch.setattr(_gallery, "HERE", tmp_path)
    monkeypatch.setattr(_show, "folder", tmp_path / "out")
    for name in ("_gallery.html", "_gallery.css"):
        (tmp_path / name).write_text((dispatcher.HERE / name).read_text("utf-8"), "utf-8")
    return tmp_path


def write_lesson(folder, source=LESSON, thing="type('T', (), {'save': lambda s, p: p.touch()})()"):
    (folder / "tiny.py").write_text(source.replace("THING", "THING", 1), "utf-8")
    code = source.replace("# %%\nfrom", f"# %%\nTHING = {thing}\nfrom", 1)
    (folder / "tiny.py").write_text(code, encoding="utf-8")


def test_a_lesson_says_does_prints_and_shows_in_order(folder, capsys):
    write_lesson(folder)
    page = _gallery.run_lesson("tiny", echo=True)
    assert (page.title, page.idea) == ("A title & more", "One idea, in a line.")
    assert capsys.readouterr().out.startswith("<b>printed</b>\n")
    text = "".join(page.parts)
    pieces = ["<h1>A title &amp; more", "<table>", "print", "&lt;b&gt;printed", "tiny_thing.txt"]
    pieces += ["What &quot;it&quot; shows", "Then the check", "another"]
    places = [text.index(piece) for piece in pieces]
    assert places == sorted(places)
    assert (folder / "out" / "tiny_thing.txt").exists()


def test_a_lesson_that_lies_fails_at_its_line(folder):
    write_lesson(folder, LESSON + "assert 1 == 2, 'one is not two'\n")
    with pytest.raises(AssertionError, match="one is not two") as error:
        _gallery.run_lesson("tiny")
    frame = error.traceback[-1]
    assert str(frame.path) == str(folder / "tiny.py")
    assert "one is not two" in (folder / "tiny.py").read_text("utf-8").splitlines()[frame.lineno]


def test_a_failing_lesson_is_told_and_nothing_is_written(folder, capsys, monkeypatch):
    write_lesson(folder, LESSON + "assert 1 == 2, 'one is not two'\n")
    monkeypatch.setattr(dispatcher, "HERE", folder)
    monkeypatch.setattr(dispatcher, "LESSONS", ("tiny",))
    assert dispatcher.main(["tiny", "--out", str(folder / "out")]) == 1
    assert "tiny failed: one is not two" in capsys.readouterr().err
    assert not (folder / "out" / "tiny.html").exists()


def test_every_lesson_is_listed_in_order_and_has_an_idea(capsys):
    assert dispatcher.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(demos.LESSONS)]] == list(demos.LESSONS)
    assert all(re.match(r"\S+ +\S.*\.$", line) for line in lines)


@pytest.mark.parametrize("name", demos.LESSONS)
def test_a_lesson_is_short_and_uses_public_names_only(name):
    source = (dispatcher.HERE / f"{name}.py").read_text("utf-8")
    assert 40 <= len(source.splitlines()) <= 120
    kinds = [kind for kind, _, _ in _gallery.cells(source)]
    assert kinds[0] == "markdown"
    assert kinds[-1] == "code"
    assert "assert " in _gallery.cells(source)[-1][1]
    assert not re.search(
        r"import _(?!_)|tinygrad_edu\.\w*\._|\._[a-z]", source.replace("demos._show", "")
    )


class References(HTMLParser):
    """What a page refers to."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.without_alt = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.found += [attrs[key] for key in ("src", "href") if key in attrs]
        if tag == "img" and "alt" not in attrs:
            self.without_alt.append(attrs)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """All of the lecture, built once."""
    folder = tmp_path_factory.mktemp("gallery")
    status = dispatcher.main(["--out", str(folder)])
    return SimpleNamespace(folder=folder, status=status)


def test_the_whole_lecture_runs(gallery):
    assert gallery.status == 0
    pages = {path.stem for path in gallery.folder.glob("*.html")}
    assert pages >= {"index", *PAGES}


def test_no_link_of_the_gallery_is_broken_or_leads_outside(gallery):
    pages = [gallery.folder / f"{name}.html" for name in ("index", *PAGES)]
    for page in pages:
        references = References(page.read_text("utf-8"))
        assert references.found
        assert not references.without_alt
        for reference in references.found:
            assert (gallery.folder / reference).is_file(), (page.name, reference)


def test_the_index_shows_the_lessons_in_lecture_order(gallery):
    index = (gallery.folder / "index.html").read_text("utf-8")
    links = [f'href="{name}.html"' for name in PAGES]
    places = [index.index(link) for link in links]
    assert places == sorted(places)
    assert index.count("<img ") >= len(demos.LESSONS)


def test_each_lesson_shows_pictures_that_are_no_larger_than_needed(gallery):
    for name in demos.LESSONS:
        files = [path for path in gallery.folder.glob(f"{name}_*") if path.suffix != ".html"]
        assert files or name == "pytorch"
        assert all(path.stat().st_size < 600_000 for path in files)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_the_gallery_in_a_browser(gallery, browser, scheme, width):
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    complaints, requests = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    for name in ("index", *PAGES):
        page.goto((gallery.folder / f"{name}.html").as_uri())
        images = page.evaluate("[...document.images].map((i) => i.complete && i.naturalWidth > 0)")
        assert all(images), name
        scrolls = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(scrolls), name
    assert complaints == []
    assert all(url.startswith("file://") for url in requests)
    page.close()


def test_the_gallery_by_keyboard(gallery, browser):
    page = browser.new_page()
    page.goto((gallery.folder / "index.html").as_uri())
    for name in (demos.LESSONS[0], demos.LESSONS[1]):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == f"{name}.html"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{demos.LESSONS[1]}.html")
    links = page.locator("nav a").evaluate_all(
        "(links) => links.map((a) => a.getAttribute('href'))"
    )
    assert links == [f"{demos.LESSONS[0]}.html", "index.html", f"{demos.LESSONS[2]}.html"]
    page.close()
