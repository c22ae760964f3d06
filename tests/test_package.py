"""The architecture: imports run one way, and importing the package loads NumPy alone."""

import ast
import subprocess
import sys
from pathlib import Path

import tinygrad_edu

PACKAGE = Path(tinygrad_edu.__file__).parent

# Each module may import those before it in its own line only.
LAYERS = {
    "ops": "",
    "errors": "ops",
    "backprop": "ops errors modes",
    "numpy_functions": "ops errors",
    "modes": "",
    "tensor": "ops errors backprop numpy_functions modes",
    "debugging": "errors ops modes tensor",
    "transforms": "errors backprop modes ops tensor",
    "functional": "errors modes ops tensor",
    "targets": "errors ops functional modes tensor",
    "losses": "functional modes ops targets tensor",
    "nn": "modes tensor",
    "files": "",
    "evaluation": "",
    "drawing.text": "ops",
    "drawing.graph": "backprop drawing.text modes nn tensor",
    "drawing.picture": "drawing drawing.text files",
    "drawing.render": "",
    "drawing.view": "drawing drawing.graph drawing.picture tensor",
    "drawing.page": "drawing.graph drawing.picture drawing.steps drawing.text",
    "drawing.steps": "backprop drawing drawing.graph drawing.page drawing.picture drawing.view "
    "errors files ops tensor",
    "drawing": "drawing.picture drawing.steps drawing.view",
    "optim": "modes tensor",
    "data": "tensor",
    "classifier": "data functional losses optim tensor",
    "saving": "files tensor",
    "testing.check": "ops modes tensor transforms",
    "testing.strategies": "tensor",
    "testing": "testing.check",
}


def imports_of(path):
    """The modules of this package that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "tinygrad_edu":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinygrad_edu."):
            found.add(node.module.removeprefix("tinygrad_edu."))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("tinygrad_edu")}
    return found


def modules():
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def test_imports_run_one_way():
    for name, path in modules():
        if name:
            assert imports_of(path) <= set(LAYERS[name].split()), name


def test_importing_the_package_loads_numpy_alone():
    code = (
        "import sys, numpy; before = {m.split('.')[0] for m in sys.modules}; import tinygrad_edu; "
        "print({m.split('.')[0] for m in sys.modules} - before - set(sys.stdlib_module_names))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "{'tinygrad_edu'}"


def test_checking_gradients_does_not_need_hypothesis():
    code = (
        "import sys; sys.modules['hypothesis'] = None; "
        "from tinygrad_edu.testing import check_grads; check_grads(lambda x: x * x, [1.0])"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
