"""A browser for pages; and the profiles of Hypothesis.

``dev`` draws anew in each run, ``ci`` repeats, ``nightly`` digs deep. Choose one with
``pytest --hypothesis-profile=nightly``; ``ci`` is the default where $CI is set.
"""

import os
import shutil

import pytest
from hypothesis import Phase, settings
from reader import WIDE, Reader

settings.register_profile("dev", max_examples=60, deadline=None)
settings.register_profile("ci", max_examples=60, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=2000, deadline=None)
settings.register_profile(
    "mutants", max_examples=100, deadline=None, derandomize=True, phases=[Phase.generate]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def no_browser(reason):
    if os.environ.get("TINYGRAD_REQUIRE_BROWSER"):
        pytest.fail(f"TINYGRAD_REQUIRE_BROWSER is set, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")  # Playwright's event loop must be gone when others need one
def browser():
    """A real browser, in which pages are opened; without one, tests are skipped."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        no_browser("Playwright is missing: pip install '.[browser]'")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        no_browser(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def read(browser, tmp_path):
    """Open the page of some steps, from a file, in a browser that is like this or that."""
    readers = []

    def read(told, place="", clock=False, name="steps", **options):
        context = browser.new_context(**{"viewport": WIDE, **options})
        readers.append(Reader(context.new_page(), told))
        readers[-1].page.set_default_timeout(5000)
        if clock:
            readers[-1].page.clock.install()
        readers[-1].address = told.save(tmp_path / f"{name}.html").as_uri()
        readers[-1].page.goto(readers[-1].address + place)
        return readers[-1]

    yield read
    for reader in readers:
        reader.page.context.close()
        assert reader.complaints == []
        assert {url.partition("#")[0] for url in reader.requests} == {reader.address}
