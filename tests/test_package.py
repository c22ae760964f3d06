"""The architecture: imports run one way, and importing the package loads NumPy alone."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import tinygrad_edu

PACKAGE = Path(tinygrad_edu.__file__).parent

# The modules that each module imports, wherever in it, below them. "" is the package itself.
LAYERS = {
    "command_line": "",
    "files": "",
    "kernels": "",
    "lessons": "",
    "locks": "",
    "other_names": "",
    "refusals": "",
    "standalone": "",
    "testing.differences": "",
    "testing.session": "",
    "lessons.__main__": "command_line lessons",
    "ops": "kernels",
    "testing.mistakes": "testing.session",
    "testing.reference": "testing.differences",
    "drawing.text": "ops",
    "errors": "ops refusals",
    "custom": "errors ops",
    "drawing.formula": "drawing.text ops",
    "drawing.render": "errors",
    "evaluation": "errors",
    "modes": "errors",
    "optim.schedules": "errors other_names",
    "refusals_of_jit": "errors ops",
    "asides": "modes",
    "backprop": "errors modes ops",
    "drawing.picture": "drawing.render drawing.text files",
    "inputs": "backprop errors modes ops",
    "pairs": "backprop errors ops",
    "exploring.controls": "errors inputs",
    "numpy_arrangement": "backprop errors inputs ops",
    "numpy_arithmetic": "asides backprop inputs numpy_arrangement ops",
    "numpy_linalg": "backprop errors numpy_arithmetic numpy_arrangement ops",
    "numpy_api": "backprop errors numpy_arithmetic numpy_arrangement numpy_linalg ops",
    "numpy_table": "errors numpy_api ops",
    "tensor": "backprop errors inputs kernels modes numpy_api ops other_names pairs",
    "data": "errors inputs other_names tensor",
    "datasets": "errors other_names tensor",
    "debugging": "backprop errors locks modes ops refusals_of_jit tensor",
    "exploring.plots": "backprop errors exploring.controls tensor",
    "functional": "asides backprop errors inputs modes ops other_names tensor",
    "nn": "errors inputs modes other_names refusals_of_jit tensor",
    "optim.optimizer": "asides backprop errors inputs modes other_names refusals_of_jit tensor",
    "saving": "backprop errors files tensor",
    "testing.strategies": "tensor",
    "tracing": "backprop errors inputs kernels modes numpy_api ops refusals_of_jit tensor",
    "transforms": "backprop errors modes ops pairs tensor",
    "drawing.graph": "backprop drawing.text modes nn tensor",
    "optim.adam": "optim.optimizer tensor",
    "optim.clipping": "asides optim.optimizer tensor",
    "optim.sgd": "optim.optimizer tensor",
    "rewrites": "functional kernels ops tracing",
    "targets": "asides errors functional inputs modes ops tensor",
    "testing.check": "backprop errors inputs modes ops tensor testing.differences transforms",
    "testing.trial": "testing.differences testing.reference testing.session testing.strategies",
    "drawing.narration": "backprop drawing.formula drawing.graph drawing.text ops tensor",
    "drawing.view": "backprop drawing.graph drawing.picture drawing.text errors tensor",
    "optim": "optim.adam optim.clipping optim.schedules optim.sgd other_names",
    "programs": "backprop errors kernels ops refusals_of_jit rewrites tensor tracing",
    "testing.catalogue": "testing.mistakes testing.session testing.trial",
    "weights": "asides errors functional inputs targets tensor",
    "guards": "modes nn programs tensor tracing",
    "losses": "backprop errors functional modes other_names targets tensor weights",
    "testing.engines": "errors testing.catalogue testing.session testing.trial",
    "compiling": "backprop guards inputs modes ops programs refusals_of_jit tensor tracing",
    "testing.adapters": "functional losses modes ops tensor transforms",
    "testing.foreign": "custom errors functional losses ops tensor testing.session",
    "classifier": "compiling data errors functional inputs losses optim tensor",
    "javascript": "backprop compiling numpy_api ops rewrites standalone targets tracing",
    "testing": "testing.check testing.engines testing.foreign",
    "testing.__main__": "command_line errors files testing.adapters testing.engines",
    "drawing.playing": "backprop drawing.graph drawing.narration drawing.text javascript modes "
    "ops standalone tensor tracing",
    "exploring.views": "backprop errors exploring.controls exploring.plots javascript",
    "drawing.page": "drawing.graph drawing.narration drawing.picture drawing.playing "
    "drawing.text standalone",
    "exploring.page": "drawing.text exploring.controls exploring.views standalone",
    "drawing.slides": "drawing.graph drawing.narration drawing.page drawing.picture",
    "exploring.explore": "errors exploring.controls exploring.page exploring.views files "
    "standalone",
    "drawing.steps": "drawing.graph drawing.narration drawing.page drawing.picture "
    "drawing.playing drawing.slides drawing.text drawing.view errors files standalone tensor",
    "exploring": "exploring.controls exploring.explore exploring.plots",
    "": "compiling custom data datasets debugging drawing.steps drawing.view exploring.explore "
    "functional losses modes nn optim other_names saving tensor transforms",
    "drawing": "drawing.narration drawing.picture drawing.render drawing.steps drawing.view",
}

# Only these share what begins with an underscore: the core, and what reads and changes leaves for
# a program of jit, as the core itself does.
CORE = {"ops", "backprop", "modes", "tensor", "tracing", "programs", "compiling"}
ALLOWED = {"sys._getframe"}  # Python has no other way to look at callers without reading files


def modules(package=PACKAGE):
    """The syntax tree of each module, by its name inside the package."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(trees):
    """The modules that each module imports; ``from drawing import text`` is drawing.text."""
    found = {name: set() for name in trees}
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"a relative import in {name}"
                inner = [f"{node.module}.{alias.name}" for alias in node.names]
                paths = [(node.module, each) for each in inner]
            elif isinstance(node, ast.Import):
                paths = [(alias.name, alias.name) for alias in node.names]
            else:
                continue
            for outer, inner in paths:
                if outer.partition(".")[0] == "tinygrad_edu":
                    short = [each.partition(".")[2] for each in (inner, outer)]
                    found[name].add(short[0] if short[0] in trees else short[1])
    return found


def reached_into(tree):
    """Names with an underscore that a module takes from elsewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if alias.name.startswith("_"))
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            owner = ast.unparse(node.value)
            if owner not in ("self", "cls", "super()") and not node.attr.endswith("__"):
                yield f"{owner}.{node.attr}"


def test_each_module_imports_those_of_its_line():
    found = imports(modules())
    assert {name: " ".join(sorted(others)) for name, others in found.items()} == LAYERS


def test_no_module_imports_itself_by_way_of_others():
    TopologicalSorter(imports(modules())).prepare()


def test_only_the_core_shares_names_with_an_underscore():
    found = {name: set(reached_into(tree)) - ALLOWED for name, tree in modules().items()}
    assert {name for name, names in found.items() if names} <= CORE, found


@pytest.mark.parametrize(
    "line",
    [
        "from tinygrad_edu.drawing import steps",
        "from tinygrad_edu.drawing.steps import Steps",
        "import tinygrad_edu.drawing.steps",
        "if TYPE_CHECKING:\n    from tinygrad_edu.drawing.steps import Steps",
        "def later():\n    from tinygrad_edu.drawing import steps",
        "from tinygrad_edu.drawing import draw",
        "from tinygrad_edu import Tensor",
    ],
)
def test_a_circle_would_be_noticed(line):
    trees = modules()
    trees["drawing.text"].body += ast.parse(line).body
    with pytest.raises(CycleError):
        TopologicalSorter(imports(trees)).prepare()


def test_a_name_with_an_underscore_would_be_noticed():
    code = "from a import _b, c\nself._c._d = x._e()\nself._f, cls._g, x.__class__, x.h"
    assert sorted(reached_into(ast.parse(code))) == ["_b", "self._c._d", "x._e"]


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
