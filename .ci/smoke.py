"""What a new user would do with the wheel alone, in an empty folder: run there, by its Python.

The fifteen lines are those of the README, which the wheel carries as its long description.
"""

import contextlib
import io
import re
from importlib.metadata import metadata, version
from pathlib import Path

import numpy as np

import tinygrad_edu
from tinygrad_edu import draw, load, nn, save, steps

assert Path.cwd() not in Path(tinygrad_edu.__file__).parents, "this is not the installed package"
assert not list(Path.cwd().iterdir()), "the folder is not empty"

description = metadata("tinygrad_edu").get_payload()
fifteen, expected = re.findall(r"```(?:python|text)\n(.*?)```", description, re.DOTALL)[:2]
assert fifteen.startswith("import numpy as np\nfrom tinygrad_edu import Tensor"), fifteen
printed = io.StringIO()
names: dict[str, object] = {}
with contextlib.redirect_stdout(printed):
    exec(fifteen, names)
assert printed.getvalue() == expected, f"{printed.getvalue()} is not {expected}"

print(draw(names["loss"], names=names))
try:
    draw(names["loss"], names=names).save("loss.svg")
    steps(nn.Linear(2, 1, rng=0)(np.ones((1, 2))).sum()).save("steps.html")
    assert Path("loss.svg").read_bytes().startswith(b"<svg")
    assert b"<script" in Path("steps.html").read_bytes()
except RuntimeError as error:
    assert "pip install 'pygraphviz>=2'" in str(error)  # noqa: PT017 (no Graphviz: it says so)
    print("no Graphviz, so no picture and no page")

try:
    save(nn.Linear(2, 1).state_dict(), "model.safetensors")
    assert load("model.safetensors").keys() == {"weight", "bias"}
except ModuleNotFoundError as error:
    assert "pip install safetensors" in str(error)  # noqa: PT017 (it is an extra)
print(f"tinygrad_edu {version('tinygrad_edu')}, NumPy {np.__version__}: all is well")
