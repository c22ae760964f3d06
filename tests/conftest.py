"""A browser for pages; random numbers; and the profiles of Hypothesis.

``dev`` draws anew in each run, ``ci`` repeats, ``nightly`` digs deep. Choose one with
``pytest --hypothesis-profile=nightly``; ``ci`` is the default where $CI is set.
"""

import os
import shutil
from functools import partial

import numpy as np
import pytest
from hypothesis import Phase, settings
from reader import WIDE, StepsReader

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
def read_as(browser, tmp_path):
    """Open a page as a reader of some class, from a file, in a browser that is like this or that.

    ``script`` runs before those of the page. In the end, nothing may have gone wrong.
    """
    readers = []

    def read_as(kind, told, place="", name="page", clock=False, script="", timeout=5000, **options):
        context = browser.new_context(**{"viewport": WIDE, **options})
        if script:
            context.add_init_script(script)
        reader = kind(context.new_page(), told)
        readers.append(reader)
        reader.page.set_default_timeout(timeout)
        if clock:
            reader.page.clock.install()
        reader.address = told.save(tmp_path / f"{name}.html").as_uri()
        reader.page.goto(reader.address + place)
        return reader

    yield read_as
    for reader in readers:
        reader.close()


@pytest.fixture
def read(read_as):
    """Open the page of some steps."""
    return partial(read_as, StepsReader)


@pytest.fixture
def rng():
    """Random numbers: anew in each run, or the same, as the profile says."""
    seed = 0 if settings().derandomize else np.random.SeedSequence().entropy
    print(f"rng has the seed {seed}")  # which pytest shows, if the test fails
    return np.random.default_rng(seed)
