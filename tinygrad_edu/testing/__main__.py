"""``python -m tinygrad_edu.testing micrograd``: the report cards of engines.

An engine is one of autograd, jax, micrograd, mygrad, tinygrad_edu and torch, or
``my_file:MyEngine``, a class as ``tinygrad_edu.testing.Engine`` describes it.
"""

import sys
from collections.abc import Sequence
from html import escape
from importlib import import_module
from typing import Any

from tinygrad_edu import errors
from tinygrad_edu.command_line import Parser
from tinygrad_edu.files import write_whole
from tinygrad_edu.testing.adapters import ADAPTERS
from tinygrad_edu.testing.engines import Report, Result, check_engine, require_parts

MARKS = {"holds": "holds", "fails": "FAILS", "not tested": "-"}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The laws of reverse mode</title>
<style>
body {{ font: 16px/1.5 Helvetica, Arial, sans-serif;
  max-width: 72rem; margin: 0 auto; padding: 1rem; }}
tbody th {{ font-weight: normal; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ border: 1px solid #94a3b8; padding: 0.25rem 0.5rem; text-align: left; }}
td.fails {{ font-weight: bold; background: #fecaca; color: #7f1d1d; }}
td.fails a {{ color: inherit; }}
pre {{ overflow-x: auto; padding: 0.75rem; border: 1px solid #94a3b8; }}
</style>
</head>
<body>
<h1>The laws of reverse mode, and who keeps them</h1>
<table>
<thead><tr><th>law</th>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
{cards}
</body>
</html>
"""


def load(name: str) -> Any:
    """The engine of a name. Raises ValueError that says why there is none."""
    module, _, attribute = name.partition(":")
    if not attribute and name not in ADAPTERS:
        known = ", ".join(ADAPTERS)
        raise ValueError(
            f"{errors.short(name)} is none of {known}; one of your own is my_file:MyEngine"
        )
    try:
        if not attribute:
            return ADAPTERS[name]()
        home = import_module(module)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{errors.short(name)} cannot be imported: there is no {errors.short(error.name)}"
        ) from error
    if not hasattr(home, attribute):
        raise ValueError(f"{errors.short(module)} has no {errors.short(attribute)}")
    engine = getattr(home, attribute)
    if not isinstance(engine, type):
        raise ValueError(f"{errors.short(name)} is no class, but {errors.short(engine)}")
    return engine()


def page(reports: Sequence[Report]) -> str:
    """All reports as one HTML page: a table of the laws, and the card of each engine."""
    head = "".join(f"<th>{escape(report.title)}</th>" for report in reports)
    rows = []
    for results in zip(*(report.results for report in reports), strict=True):
        cells = [_cell(result, f"engine{i}") for i, result in enumerate(results)]
        law = f"<th><code>{results[0].name}</code> {escape(results[0].law)}</th>"
        rows.append(f"<tr>{law}{''.join(cells)}</tr>")
    cards = []
    for i, report in enumerate(reports):
        cards.append(f"<h2>{escape(report.title)}</h2>\n<pre>{escape(report.summary)}</pre>")
        cards += [
            f'<pre id="engine{i}-{failure.name}">{escape(failure.text)}</pre>'
            for failure in report.failures
        ]
    return PAGE.format(head=head, rows="\n".join(rows), cards="\n".join(cards))


def _cell(result: Result, engine: str) -> str:
    if result.status == "fails":
        return f'<td class="fails"><a href="#{engine}-{result.name}">{MARKS["fails"]}</a></td>'
    return f"<td>{MARKS[result.status]}</td>"


def table(reports: Sequence[Report]) -> str:
    """The laws, one a line, and who keeps them."""
    widths = [max(len(report.title), 5) for report in reports]
    titles = zip((report.title for report in reports), widths, strict=True)
    lines = [" " * 17 + "  ".join(f"{title:<{width}}" for title, width in titles)]
    for results in zip(*(report.results for report in reports), strict=True):
        cells = zip((MARKS[result.status] for result in results), widths, strict=True)
        lines.append(
            f"{results[0].name:<17}" + "  ".join(f"{mark:<{width}}" for mark, width in cells)
        )
    return "\n".join(line.rstrip() for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report cards; the exit status is 1 if a law is broken."""
    parser = Parser(prog="python -m tinygrad_edu.testing", description=__doc__)
    parser.add_argument("engines", nargs="+", metavar="engine", help="a name or my_file:MyEngine")
    parser.add_argument("--html", metavar="FILE", help="write one page with all of it, too")
    parser.add_argument("--examples", type=int, default=100, help="random programs for a law")
    parser.add_argument("--seed", type=int, default=0, help="of what is random")
    options = parser.parse_args(arguments)
    reports = []
    for name in options.engines:
        try:
            engine = load(name)
            require_parts(engine)
            report = check_engine(engine, None, examples=options.examples, seed=options.seed)
        except (TypeError, ValueError, ModuleNotFoundError) as error:
            parser.error(str(error))
        reports.append(report)
        print(report, end="\n\n")
    if len(reports) > 1:
        print(table(reports))
    if options.html:
        try:
            write_whole(options.html, page(reports).encode())
        except (OSError, ValueError) as error:
            parser.error(f"argument --html: {error}")
    return int(any(report.failures for report in reports))


if __name__ == "__main__":
    sys.exit(main())
