"""Runs a lesson by its name: ``python -m demos digits``."""

import ast
import importlib
import pkgutil
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def ideas() -> dict[str, str]:
    """The first line of each demo's docstring, by name; no demo is imported for it."""
    found = {}
    for module in pkgutil.iter_modules([str(FOLDER)]):
        if not module.name.startswith("_"):
            source = (FOLDER / f"{module.name}.py").read_text(encoding="utf-8")
            docstring = ast.get_docstring(ast.parse(source)) or ""
            found[module.name] = docstring.partition("\n")[0]
    return found


def complain(message: str) -> int:
    """Print one line to stderr; the exit status for wrong use."""
    print(f"python -m demos: {message}", file=sys.stderr)
    return 2


def main(argv: list[str]) -> int:
    """Run the demo that ``argv`` names, with the options that follow; the exit status."""
    demos = ideas()
    name = argv[0] if argv else ""
    if name in ("list", "-h", "--help"):
        if name != "list":
            print("usage: python -m demos NAME [options]; python -m demos NAME --help\n")
        for demo, idea in demos.items():
            print(f"{demo:12}{idea}")
        return 0
    if name not in demos:
        problem = f"there is no demo {name!r}" if name else "name a demo"
        return complain(f"{problem}; the demos are: {', '.join(demos)}")
    try:
        status: int = importlib.import_module(f"demos.{name}").main(argv[1:])
        return status
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("demos", "tinygrad_edu"):
            raise  # a mistake in the code, and nothing to install
        return complain(f"{name} needs {missing}: pip install -e '.[demos]'")
    except KeyboardInterrupt:
        complain("stopped by Ctrl-C")
        return 130  # what a shell reports for a program that Ctrl-C ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
