"""Somebody who reads pages in a real browser: those of ``steps`` and of ``explore``."""

import numpy as np
from numpy.testing import assert_allclose

from tinygrad_edu.exploring import Plot

WIDE = {"width": 1200, "height": 800}


class Reader:
    """Somebody with a page open: what is on it, and what went on behind it."""

    def __init__(self, page, told=None):
        self.page, self.told = page, told
        self.address = "about:srcdoc"  # of a page that was not opened from a file: its frame
        self.requests, self.complaints = [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def __call__(self, script, *arguments):
        return self.page.evaluate(script, *arguments)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def close(self):
        """Behind the page, nothing went wrong, and nothing was asked of the network."""
        self.page.context.close()
        assert self.complaints == []
        assert {url.partition("#")[0] for url in self.requests} <= {self.address}


class StepsReader(Reader):
    """Somebody who goes through steps."""

    @property
    def number(self):
        """The step in the panel, and only if everything else on the page agrees with it."""
        position, slider, items, lit, disabled = self(
            """() => [
                document.getElementById("position").textContent,
                document.getElementById("slider").value,
                [...document.querySelectorAll("#steps > li")].map((item) => item.checkVisibility()),
                [...document.querySelectorAll("svg .node.lit")].map((node) => node.id),
                ["back", "next"].map((id) => document.getElementById(id).disabled),
            ]"""
        )
        (number,) = [i for i, visible in enumerate(items, 1) if visible]
        assert position == f"{number} of {len(self.told)}"
        assert slider == str(number)
        assert len(items) == len(self.told)
        assert lit == [self.place(self.told[number - 1].tensor)]
        assert disabled == [number == 1, number == len(self.told)]
        return number

    def at_each_step(self, look):
        """What a script finds at each step, from the first to the last."""
        found = self(
            f"""() => {{
                const [look, next] = [{look}, document.getElementById("next")];
                const found = [look()];
                while (!next.disabled) {{
                    next.click();
                    found.push(look());
                }}
                return found;
            }}"""
        )
        assert len(found) == len(self.told)
        return found

    def place(self, member):
        """The id of the node that stands for a tensor or array."""
        return self.told._graph.node(member)


def arrays(found):
    """All numbers of what a function gives to ``explore``, by name: of each plot, mark and part."""
    named = {}
    for name, x in found.items():
        if not isinstance(x, Plot):
            named[name] = np.ravel(x)
            continue
        for i, mark in enumerate(x.marks):
            named |= {f"{name}, {i}, {part}": np.ravel(each) for part, each in mark.arrays.items()}
    return named


COMPUTED = """(setting) => {
    const data = JSON.parse(document.getElementById("data").textContent);
    let index = 0;
    const inputs = [];
    for (const {name, kind, options} of data.controls) {
        if (kind === "choice") index = index * options.length + options.indexOf(setting[name]);
        else inputs.push(...setting[name]);
    }
    const results = programs[index](inputs).map(Number);
    const at = ([from, to]) =>
        to === undefined ? data.constants[from].map(Number) : results.slice(from, to);
    const {numbers, plots} = data.views[index];
    const found = numbers.map(([name, slot]) => [name, at(slot)]);
    for (const {name, marks} of plots) marks.forEach(({slots}, i) => {
        for (const part in slots) found.push([`${name}, ${i}, ${part}`, at(slots[part])]);
    });
    return Object.fromEntries(found);
}"""


def assert_programs_give(page, f, settings):
    """The programs of a page give the numbers of ``f``, for each of some settings."""
    for setting in settings:
        with np.errstate(all="ignore"):
            expected = arrays(f(**setting))
        told = {k: x if isinstance(x, str) else np.ravel(x).tolist() for k, x in setting.items()}
        found = page.evaluate(COMPUTED, told)
        assert found.keys() == expected.keys()
        for part, wanted in expected.items():
            assert_allclose(found[part], wanted, rtol=1e-9, atol=1e-12, err_msg=part)
