"""The picture of the README, a figure of a lesson: ``python -m demos._picture`` makes it anew."""

import shutil
import tempfile
from pathlib import Path

from tinygrad_edu import lessons

PICTURE = Path(__file__).parent / "pictures" / "descent.png"
FIGURE = "10_descent_8.html"
STATE = "start=1.7,1.2&lr=0.05&momentum=0.85&loss=two minima"
SIZE = {"width": 1200, "height": 500}


def main() -> None:
    """Run the lesson, and take a picture of its figure in a browser."""
    from playwright.sync_api import sync_playwright  # only here: nothing else of demos needs it

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (figure,) = [each for each in lessons.run("descent", folder) if each.name == FIGURE]
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto(f"{figure.as_uri()}#{STATE}")
        page.wait_for_timeout(300)  # until it is drawn
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
