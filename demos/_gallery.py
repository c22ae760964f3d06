"""Lessons run cell by cell, and written down as pages that need no network."""

import ast
import contextlib
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from demos import _show

HERE = Path(__file__).parent
MARKDOWN = MarkdownIt("commonmark").enable("table")
CELL = re.compile(r"^# %%(?P<kind>.*)\n", re.MULTILINE)


@dataclass
class Page:
    """One lesson as it ran: what it says, does, prints and shows, in order."""

    name: str
    title: str
    idea: str  # in one line
    parts: list[str] = field(default_factory=list)  # of HTML
    thumbnail: str = ""

    def add_text(self, markdown: str) -> None:
        """Words, in Markdown."""
        self.parts.append(MARKDOWN.render(markdown))

    def add_code(self, code: str) -> None:
        """A piece of program."""
        self.parts.append(highlight(code.strip("\n"), PythonLexer(), HtmlFormatter()))

    def add_output(self, printed: str) -> None:
        """The printed text, if any."""
        if printed.strip():
            self.parts.append(f'<pre class="output">{escape(printed.rstrip())}</pre>')

    def add_file(self, name: str, caption: str) -> None:
        """A picture, or a page to step through, by its path from the gallery."""
        path, words = escape(name), escape(caption)
        if name.endswith(".html"):
            shown = f'<iframe src="{path}" title="{words}" sandbox="allow-scripts"></iframe>'
            words += f' <a href="{path}">Open it on a page of its own.</a>'
        else:
            shown = f'<a href="{path}"><img src="{path}" alt="{words}"></a>'
            self.thumbnail = self.thumbnail or name
        self.parts.append(f"<figure>{shown}<figcaption>{words}</figcaption></figure>")


def cells(source: str) -> list[tuple[str, str, int]]:
    """The cells of a script in the percent format: their kind, their text and its first line."""
    starts = list(CELL.finditer(source))
    ends = [*(start.start() for start in starts[1:]), len(source)]
    return [
        (
            "markdown" if "[markdown]" in start["kind"] else "code",
            source[start.end() : end],
            source.count("\n", 0, start.end()),
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def run_lesson(name: str, echo: bool = False) -> Page:
    """Run a lesson and record it; ``echo`` prints what it prints, too.

    What its last cell asserts is the lesson's own proof: AssertionError if it does not hold.
    """
    path = HERE / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    idea = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    page = Page(name, name, idea)
    namespace = {"__name__": "__main__", "__file__": str(path)}
    for kind, text, line in cells(source):
        if kind == "markdown":
            words = re.sub(r"^# ?", "", text, flags=re.MULTILINE)
            if heading := re.search(r"^# (.+)$", words, re.MULTILINE):
                page.title = heading[1]
            page.add_text(words)
            continue
        _show.shown.clear()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + text, path, "exec"), namespace)  # errors name the right line
        page.add_code(text)
        page.add_output(printed.getvalue())
        for file, caption in _show.shown:
            page.add_file(file, caption)
        if echo:
            print(printed.getvalue(), end="")
            for file, caption in _show.shown:
                print(f"{_show.folder / file}\n  {caption}")
    return page


def run_program(name: str, main: Callable[[list[str]], int]) -> Page:
    """Run a demo that has options, at their defaults, and record what it prints and draws."""
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    idea, _, more = (ast.get_docstring(ast.parse(source)) or "").partition("\n")
    page = Page(name, name.capitalize(), idea)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = main(["--out", str(_show.folder / name)] if "--out" in source else [])
    if status:
        raise RuntimeError(f"python -m demos {name} ended with status {status}")
    page.add_text(f"# {page.title}\n\n{idea}\n{more}\n\nOptions: `python -m demos {name} --help`.")
    page.add_output(printed.getvalue())
    for path in sorted((_show.folder / name).rglob("*")):
        if path.suffix in (".png", ".html"):
            file = path.relative_to(_show.folder).as_posix()
            page.add_file(file, path.stem.replace("_", " "))
    return page


def write(pages: list[Page]) -> Path:
    """Write each page, and an index of all of them; the path of the index."""
    folder = _show.folder
    folder.mkdir(parents=True, exist_ok=True)
    template = Template((HERE / "_gallery.html").read_text(encoding="utf-8"))
    light, dark = (
        HtmlFormatter(style=style).get_style_defs(".highlight")
        for style in ("default", "github-dark")
    )
    style = (HERE / "_gallery.css").read_text(encoding="utf-8")
    style += f"\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
    (folder / "gallery.css").write_text(style, encoding="utf-8")
    for i, page in enumerate(pages):
        links = [
            _link(pages[i - 1], "previous") if i else "",
            '<a href="index.html">All lessons</a>',
            _link(pages[i + 1], "next") if i + 1 < len(pages) else "",
        ]
        body = f"<article>\n{''.join(page.parts)}\n</article>"
        html = template.substitute(
            title=escape(page.title), navigation="\n".join(filter(None, links)), body=body
        )
        (folder / f"{page.name}.html").write_text(html, encoding="utf-8")
    index = folder / "index.html"
    cards = f'<h1>Loss functions and optimization</h1>\n<ol class="cards">{_cards(pages)}</ol>'
    html = template.substitute(title="Loss functions and optimization", navigation="", body=cards)
    index.write_text(html, encoding="utf-8")
    return index


def _link(page: Page, relation: str) -> str:
    arrows = {"previous": "\u2190 {}", "next": "{} \u2192"}
    title = arrows[relation].format(escape(page.title))
    return f'<a rel="{relation}" href="{escape(page.name)}.html">{title}</a>'


def _cards(pages: Iterable[Page]) -> str:
    return "\n".join(
        f'<li><a href="{escape(page.name)}.html">'
        + (f'<img src="{escape(page.thumbnail)}" alt="">' if page.thumbnail else "")
        + f"<h2>{escape(page.title)}</h2><p>{escape(page.idea)}</p></a></li>"
        for page in pages
    )
