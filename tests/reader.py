"""Somebody who reads the pages of ``steps``, in a real browser."""

WIDE = {"width": 1200, "height": 800}


class Reader:
    """Somebody with a page open: what is on it, and what went on behind it."""

    def __init__(self, page, told):
        self.page, self.told = page, told
        self.requests, self.complaints = [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def __call__(self, script, *arguments):
        return self.page.evaluate(script, *arguments)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

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
        return f"n{next(i for i, m in enumerate(self.told._graph.members) if m is member)}"
