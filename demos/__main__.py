"""The lecture: ``python -m demos`` builds its site, ``python -m demos NAME`` runs one part."""

import ast
import http.server
import importlib
import importlib.util
import os
import pkgutil
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from demos._options import make_folder, whole_number
from tinygrad_edu import lessons
from tinygrad_edu.command_line import Parser, one_line

HERE = Path(__file__).parent
OUT = Path("demo-output")


def programs() -> dict[str, str]:
    """The first line of each program's docstring, by name; nothing is imported for it."""
    found = [module.name for module in pkgutil.iter_modules([str(HERE)])]
    sources = {name: (HERE / f"{name}.py") for name in found if not name.startswith("_")}
    docstrings = {
        name: ast.get_docstring(ast.parse(path.read_text("utf-8")))
        for name, path in sources.items()
    }
    return {name: (text or "").partition("\n")[0] for name, text in docstrings.items()}


def complain(message: str, status: int = 2) -> int:
    """Print one line to stderr; the exit status, that for wrong use."""
    print(f"python -m demos: {one_line(message)}", file=sys.stderr)
    return status


def build(argv: list[str], only: str = "") -> int:
    """Run the lessons and write the site, or the page of one lesson; the exit status."""
    parser = Parser(prog=f"python -m demos {only}".strip(), description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT / only, help="(default: %(default)s)")
    parser.add_argument("--live", action="store_true", help="lessons run in the browser, too")
    folder = "with --live: serve Pyodide from this folder, not from the network"
    parser.add_argument("--pyodide", type=Path, metavar="FOLDER", help=folder)
    options = parser.parse_args(argv)
    if options.pyodide and not options.live:
        parser.error("--pyodide FOLDER goes with --live")
    make_folder(options.out, parser)
    parts = [only] if only else lessons.names()
    if importlib.util.find_spec("sphinx") is None:
        raise ModuleNotFoundError("no sphinx", name="sphinx")
    if options.live and importlib.util.find_spec("jupyterlite_core") is None:
        return complain("the site needs jupyterlite_core: pip install -e '.[live]'")
    print(f"Running {len(parts)} lesson{'s' * (not only)}:", file=sys.stderr, flush=True)
    arguments = ["-q", "-W", "--keep-going", "-c", str(HERE / "site"), "-j", str(os.cpu_count())]
    if only:
        arguments += ["-D", f"root_doc=lessons/{only}", "-D", f"include_patterns=lessons/{only}.py"]
        arguments += ["-D", "suppress_warnings=myst.xref_missing"]  # other pages are not built
    if options.live:
        arguments += ["-t", "live", "-D", f"live_pyodide={options.pyodide or ''}"]
    with tempfile.TemporaryDirectory() as work:
        profile = Path(work, "ipython", "profile_default", "ipython_kernel_config.py")
        profile.parent.mkdir(parents=True)
        profile.write_text("c.IPKernelApp.log_level = 'ERROR'\n")
        environment = {"OPENBLAS_NUM_THREADS": "1"} | os.environ  # lessons run beside each other
        environment["IPYTHONDIR"] = f"{work}/ipython"  # the settings of the user change no page
        html = Path(work, "html")
        arguments += ["-d", f"{work}/doctrees", str(HERE), str(html)]
        command = [sys.executable, "-m", "sphinx", *arguments]
        if status := subprocess.run(command, env=environment, check=False).returncode:
            return complain("the site was not built, for the reasons above", status)
        shutil.copytree(html, options.out, dirs_exist_ok=True)
    page = f"lessons/{only}.html" if only else "index.html"
    print(f"Open {options.out / page} in a browser")
    return 0


def serve(argv: list[str]) -> int:
    """Serve the site to this machine alone, so that its search shows excerpts."""
    parser = Parser(prog="python -m demos serve", description=serve.__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="(default: %(default)s)")
    parser.add_argument("--port", type=whole_number(0, 65535), default=8000, help="(%(default)s)")
    options = parser.parse_args(argv)
    if not os.path.exists(options.out / "index.html"):  # false, too, for what is no name of a file
        return complain(f"there is no site in '{options.out}': build it by python -m demos", 1)
    with server(options.out, options.port) as serving:
        print(f"Open http://127.0.0.1:{serving.server_port}/ in a browser; Ctrl-C ends", flush=True)
        serving.serve_forever()
    return 0


class Files(http.server.SimpleHTTPRequestHandler):
    """Files, of which browsers run scripts whatever the registry of Windows says that they are."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }


def server(folder: Path, port: int) -> http.server.ThreadingHTTPServer:
    """A server of the files in a folder, for this machine alone."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), partial(Files, directory=folder))


def main(argv: list[str]) -> int:
    """Build, or do what ``argv`` names; the exit status."""
    name = argv[0] if argv and not argv[0].startswith("-") else ""
    found = programs()
    if name == "list" or argv[:1] in (["-h"], ["--help"]):
        if name != "list":
            print("usage: python -m demos [NAME] [options]; python -m demos NAME --help\n")
        ideas = {each: lessons.title(each) for each in lessons.names()} | found
        for each, idea in (ideas | {"serve": serve.__doc__}).items():
            print(f"{each:20}{idea}")
        return 0
    try:
        if not name:
            return build(argv)
        if name == "serve":
            return serve(argv[1:])
        if name in found:
            status: int = importlib.import_module(f"demos.{name}").main(argv[1:])
            return status
        try:
            script = lessons.path(name)
        except ValueError:
            known = [*lessons.names(), *found, "serve"]
            return complain(f"there is no demo {name!r:.60}; the demos are: {', '.join(known)}")
        return build(argv[1:], script.stem)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("demos", "tinygrad_edu"):
            raise  # a mistake in the code, and nothing to install
        return complain(f"{name or 'the site'} needs {missing}: pip install -e '.[demos]'")
    except KeyboardInterrupt:
        return complain("stopped by Ctrl-C", 130)  # what a shell reports for it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
