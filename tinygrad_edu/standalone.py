"""An HTML page that is one file, and may run only its own scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from html import escape
from string import Template
from typing import Any

ENDINGS = (".html", ".htm")  # of the names of files

HEAD = Template("""\
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style</style>
</head>""")


def page(
    template: str, *, title: str, style: str, scripts: Sequence[str], data: Any, **words: str
) -> str:
    """The page: HTML with $head, $scripts, $title and the names of ``words``, which are HTML, too.

    ``data`` is what the scripts find as JSON in the element so called.
    """
    elements = [f'<script type="application/json" id="data">{as_json(data)}</script>']
    elements += [f"<script>{script}</script>" for script in scripts]
    policy = {
        "default-src": "'none'",
        "script-src": " ".join(map(_source, scripts)),
        "style-src": _source(style),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    head = HEAD.substitute(
        policy="; ".join(f"{name} {sources}" for name, sources in policy.items()),
        title=escape(title),
        style=style,
    )
    return Template(template).substitute(
        words, head=head, scripts="\n".join(elements), title=escape(title)
    )


def framed(html: str, height: int) -> str:
    """A page in a frame of a notebook: with scripts, but apart from all that is around it."""
    look = f'width="100%" height="{height}" style="border: 0" allowfullscreen'
    return f'<iframe sandbox="allow-scripts" {look} srcdoc="{escape(html)}"></iframe>'


def as_json(x: Any) -> str:
    """JSON that cannot end the element of a page in which it stands."""
    return json.dumps(x, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def number(x: float) -> float | str:
    """A number as JSON has it, or else as a string, of which ``Number`` of JavaScript makes it."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return x


def _source(text: str) -> str:
    """The name of a script or a style in a Content-Security-Policy."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
