"""What the site needs beyond Sphinx's extensions: formulas, captions, progress and downloads."""

import itertools
import re
import sys
from html import escape, unescape
from pathlib import Path

from docutils import nodes
from math_core import LatexToMathML
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from sphinx_exercise.nodes import solution_node, solution_title

from tinygrad_edu import lessons

MATH = LatexToMathML()
FRAME = re.compile(r'(?P<start><iframe [^>]*)srcdoc="(?P<page>[^"]*)"(?P<end>[^>]*>)</iframe>')


class Caption(SphinxDirective):
    """What to see in the figure above; then, below an empty line, what it shows, in full."""

    has_content = True

    def run(self):
        """The caption; the description becomes the alternative text of the figures above."""
        words, _, description = "\n".join(self.content).partition("\n\n")
        description = " ".join(description.split())
        containers = self.state.document.findall(nodes.container)
        outputs = [node for node in containers if "cell_output" in node["classes"]]
        shown = []
        if outputs:
            shown = [*outputs[-1].findall(nodes.image), *outputs[-1].findall(nodes.raw)]
        if not shown or not description:
            raise self.error("a caption stands below a figure, and a description below the caption")
        for node in shown:
            if isinstance(node, nodes.image):
                node["alt"] = description
            else:
                role = "group" if "<iframe" in node.astext() else "img"
                label = f'<div role="{role}" aria-label="{escape(description)}">'
                node.children = [nodes.Text(f"{label}{node.astext()}</div>")]
        caption, messages = self.parse_inline(words)
        paragraph = nodes.paragraph("", "", *caption)
        return [nodes.container("", paragraph, classes=["caption"]), *messages]


class NoUntitledSections(SphinxTransform):
    """Containers in place of the sections without title, and with one id, that exercises have."""

    default_priority = 20  # after those of sphinx-exercise

    def apply(self, **_):
        """Replace them."""
        for section in list(self.document.findall(nodes.section)):
            if not any(isinstance(child, nodes.title) for child in section):
                section.replace_self(nodes.container("", *section.children))


def open_solution(self, node):
    """A solution is folded, by what browsers bring for it; it opens for a print and a search."""
    for title in list(node.findall(solution_title)):
        title.parent.remove(title)
    self.body.append('<details class="solution"><summary>Solution</summary>\n')


def close_solution(self, node):
    """The end of it."""
    self.body.append("</details>\n")


def mathml(display):
    """A visitor that writes a formula as MathML."""

    def visit(self, node):
        self.body.append(MATH.convert_with_local_state(node.astext(), displaystyle=display))
        raise nodes.SkipNode

    return visit


def tell(app, docname, source):
    """Print which page is read; a lesson runs when it is."""
    print(f"  {docname}", file=sys.stderr, flush=True)


def offer_downloads(app, pagename, templatename, context, doctree):
    """The files that a page of a lesson offers."""
    kind, _, name = pagename.partition("/")
    context["lesson"] = name if kind == "lessons" and name in lessons.names() else ""


def write_downloads(app, error):
    """Each lesson as a script and as a notebook."""
    if error is None:
        lessons.copy(lessons.names(), Path(app.outdir, "downloads"))


def write_figures(app, error):
    """Each page inside a page as a file of its own, with an address that keeps its state."""
    if error is not None:
        return
    folder = Path(app.outdir, "figures")
    for path in Path(app.outdir).glob("[lp]*s/*.html"):  # lessons and pages
        count = itertools.count(1)

        def placed(frame, path=path, count=count):
            name = f"{path.stem}_{next(count)}.html"
            folder.mkdir(exist_ok=True)
            folder.joinpath(name).write_text(unescape(frame["page"]), "utf-8", newline="\n")
            address = f"../figures/{name}"
            link = f'<p class="alone"><a href="{address}">Open on a page of its own</a></p>'
            return f'{frame["start"]}src="{address}"{frame["end"]}</iframe>{link}'

        before = path.read_text("utf-8")
        after = FRAME.sub(placed, before)
        if after != before:
            path.write_text(after, "utf-8", newline="\n")


def setup(app):
    """Tell Sphinx."""
    app.add_html_math_renderer("mathml", (mathml(False), None), (mathml(True), None))
    app.add_directive("caption", Caption)
    app.add_transform(NoUntitledSections)
    app.add_node(solution_node, override=True, html=(open_solution, close_solution))
    app.connect("source-read", tell)
    app.connect("html-page-context", offer_downloads)
    app.connect("build-finished", write_downloads)
    app.connect("build-finished", write_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
