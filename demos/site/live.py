"""Every lesson as a notebook that runs in the browser: JupyterLite on Pyodide, for ``--live``.

The extension jupyterlite-sphinx is not used: it puts a font of fonts.googleapis.com on every page,
and builds in the folder of the sources. This calls the same command.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION
from sphinx.errors import ExtensionError

from tinygrad_edu import lessons

ROOT = Path(__file__).parents[2]
KERNEL = "labextensions/@jupyterlite/pyodide-kernel-extension"
# What the kernel, the pictures and the package need beyond Pyodide.
PURE = ("comm", "easydot", "graphviz")
LINK = re.compile(r"\]\((\d\d_\w+)\.py\)")  # from one lesson to another

SETUP = """\
# Run this first. It is here only in the browser, and brings the package and Graphviz.
%pip install -q tinygrad_edu easydot
import logging
from importlib.metadata import distribution

from js import URL, Blob
from pyodide.code import run_js

from tinygrad_edu.drawing import use_renderer

script = distribution("easydot").locate_file("easydot/assets/index.js").read_text("utf-8")
address = URL.createObjectURL(Blob.new([script], type="text/javascript"))
graphviz = await (await run_js(f"import('{address}')")).Graphviz.load()
use_renderer(lambda source, form: graphviz.layout(source, form, "dot").encode())
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it tells that it is slow"""


def checked(folder):
    """The folder of Pyodide that was given, whose version has to be the kernel's, as a Path."""
    try:
        text = Path(folder, "pyodide.mjs").read_text("utf-8")
        packages = json.loads(Path(folder, "pyodide-lock.json").read_text("utf-8"))["packages"]
    except (OSError, ValueError, KeyError) as error:
        raise ExtensionError(f"'{folder}' is no folder of Pyodide: {error}") from None
    missing = [
        name
        for name in ("ipython", "matplotlib", "numpy", "scikit-learn")
        if name not in packages or not Path(folder, packages[name]["file_name"]).exists()
    ]
    if missing:
        raise ExtensionError(
            f"'{folder}' lacks {', '.join(missing)}: take the full distribution of Pyodide"
        )
    found = re.search(r'="(\d+\.\d+)\.\d+"', text)
    wanted = PYODIDE_VERSION.rpartition(".")[0]
    if found is None or found[1] != wanted:
        version = found[1] if found else "unknown"
        raise ExtensionError(
            f"'{folder}' holds Pyodide {version}, and the kernel that is installed, "
            f"jupyterlite-pyodide-kernel, is made for {wanted}: take Pyodide {PYODIDE_VERSION}"
        )
    return Path(folder)


def wheel_of(name, folder):
    """Write the wheel of a package that is installed here, and is pure Python."""
    package = distribution(name)
    path = folder / f"{name}-{package.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in package.files:
            if not {"..", "__pycache__"} & set(file.parts):
                wheel.write(file.locate(), file.as_posix())


def notebook(path):
    """The text of a notebook that can be downloaded, made for the browser."""
    found = json.loads(LINK.sub(r"](\1.ipynb)", path.read_text("utf-8")))
    found["metadata"]["kernelspec"]["name"] = "python"  # as JupyterLite calls it
    setup = {"cell_type": "code", "id": "setup", "source": SETUP, "outputs": []}
    found["cells"].insert(0, setup | {"execution_count": None, "metadata": {}})
    return json.dumps(found)


def run(*command, cwd):
    """Run a program; if it fails, what it said last is why the site is not built."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ExtensionError(
            f"{' '.join(command[1:4])} failed: {(done.stdout + done.stderr)[-2000:]}"
        )


def build(app, error):
    """Put JupyterLite, the notebooks and the wheels into the folder ``lite`` of the site."""
    if error is not None:
        return
    print("  notebooks that run in the browser", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("notebooks", "wheels"):
            (work / name).mkdir()
        for name in lessons.names():
            made = notebook(Path(app.outdir, "downloads", f"{name}.ipynb"))
            (work / "notebooks" / f"{name}.ipynb").write_text(made, "utf-8")
        package = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
        run(*package, str(work / "wheels"), cwd=ROOT)
        for name in PURE:
            wheel_of(name, work / "wheels")
        if app.config.live_pyodide:
            shutil.copytree(app.config.live_pyodide, work / "static" / "pyodide")
        files = distribution("jupyterlite-pyodide-kernel").files
        kernel = next(file for file in files if file.as_posix().endswith(f"{KERNEL}/package.json"))
        settings = {
            "LiteBuildConfig": {
                "apps": ["notebooks", "tree"],
                "contents": ["notebooks"],
                "federated_extensions": [str(Path(kernel.locate()).resolve().parent)],
                "ignore_sys_prefix": ["federated_extensions"],  # of the user's own JupyterLab
                "no_libarchive": True,
                "no_sourcemaps": True,
                "no_unused_shared_packages": True,
                "output_dir": str(Path(app.outdir, "lite")),
            },
            "PipliteAddon": {"piplite_urls": ["wheels"]},
        }
        (work / "jupyter_lite_config.json").write_text(json.dumps(settings), "utf-8")
        preferences = {
            "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
            "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # all can be found
        }
        (work / "overrides.json").write_text(json.dumps(preferences), "utf-8")
        run(sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", folder, cwd=folder)


def offer(app, pagename, templatename, context, doctree):
    """What the button of a lesson says about what it loads."""
    context["live_from"] = "this site" if app.config.live_pyodide else "cdn.jsdelivr.net"


def prepare(app, config):
    """Refuse a folder that will not do before the lessons run."""
    if config.live_pyodide:
        checked(config.live_pyodide)


def setup(app):
    """Tell Sphinx."""
    app.add_config_value("live_pyodide", "", "html")
    app.connect("config-inited", prepare)
    app.connect("html-page-context", offer)
    app.connect("build-finished", build, priority=900)  # after the downloads are there
    return {"parallel_read_safe": True, "parallel_write_safe": True}
