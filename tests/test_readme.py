"""The programs in the README run, and print what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

from tinygrad_edu import grad
from tinygrad_edu.functional import softplus

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PROGRAMS = re.findall(
    r"```python\n(.*?)```\n\n```text\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.parametrize(("program", "output"), PROGRAMS)
def test_program(program, output, capsys):
    exec(compile(program, str(README), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == output


def test_it_fits_on_two_screens_and_its_links_work_on_a_package_index():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)]*)\)", text)
    assert [link for link in links if not link.startswith("https://")] == []


def test_what_it_names_is_there():
    text = README.read_text(encoding="utf-8")
    names = re.findall(r"`((?:tinygrad_edu|demos|tests|\.github)/[\w./]*)`", text)
    assert len(names) > 8
    assert [name for name in names if not (ROOT / name).exists()] == []
    pages = re.findall(r"`pages/(\w+)\.html`", text)
    assert len(pages) > 5
    assert [page for page in pages if not (ROOT / "demos" / "pages" / f"{page}.md").exists()] == []


def test_no_program_is_left_out():
    assert len(PROGRAMS) == README.read_text(encoding="utf-8").count("```python")


def taught(path, name):
    """A function as a text shows it, by itself."""
    text = (ROOT / path).read_text(encoding="utf-8")
    names = {"np": np, "softplus": softplus}
    exec(re.search(rf"^def {name}\(.*?\n(?=\n)", text, re.DOTALL | re.MULTILINE)[0], names)
    return names[name]


FOCAL = {
    "README.md": "focal_loss",
    "demos/pages/prove.md": "focal_loss",
    "demos/lessons/19_own_loss.py": "focal",
}


@pytest.mark.parametrize("path", FOCAL)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(("dtype", "largest"), [(np.float64, 1e4), (np.float32, 1e3)])
def test_focal_loss_and_its_derivatives_are_finite(path, gamma, dtype, largest):
    focal = taught(path, FOCAL[path])

    def loss(score):
        return focal(score, 1, gamma=gamma)

    for score in (*np.geomspace(1e-3, largest, 15), 0.0, 110.0, 800.0):
        for s in dtype(score), dtype(-score):
            values = loss(s), grad(loss)(s), grad(grad(loss))(s)
            assert np.isfinite(values).all(), s
            if abs(s) <= 10:  # where the formula of the paper loses nothing
                p = 1 / (1 + np.exp(-np.float64(s)))
                np.testing.assert_allclose(values[0], (1 - p) ** gamma * -np.log(p), rtol=1e-5)
