"""The lecture: ``python -m demos`` builds all of it, ``python -m demos NAME`` runs one lesson."""

import ast
import importlib
import pkgutil
import sys
import traceback
from pathlib import Path

from demos import IN_THE_GALLERY, LESSONS
from demos._options import Parser, make_folder

HERE = Path(__file__).parent
OUT = Path("demo-output")


def ideas() -> dict[str, str]:
    """The first line of each docstring, by name, lessons first; nothing is imported for it."""
    found = [module.name for module in pkgutil.iter_modules([str(HERE)])]
    programs = [name for name in found if name not in LESSONS and not name.startswith("_")]
    sources = {name: (HERE / f"{name}.py").read_text("utf-8") for name in (*LESSONS, *programs)}
    docstrings = {name: ast.get_docstring(ast.parse(text)) for name, text in sources.items()}
    return {name: (text or "").partition("\n")[0] for name, text in docstrings.items()}


def complain(message: str) -> int:
    """Print one line to stderr; the exit status for wrong use."""
    print(f"python -m demos: {message}", file=sys.stderr)
    return 2


def build(argv: list[str], names: tuple[str, ...]) -> int:
    """Run lessons and programs, and write what they show as pages."""
    only = names[0] if len(names) == 1 else ""
    parser = Parser(prog=f"python -m demos {only}".strip(), description=ideas().get(only, __doc__))
    parser.add_argument("--out", type=Path, default=OUT, help="(default: %(default)s)")
    options = parser.parse_args(argv)
    make_folder(options.out, parser)
    from tqdm import tqdm

    from demos import _gallery, _show  # after the options: to import them takes a second

    _show.folder = options.out
    pages = []
    bar = tqdm(names, unit="lesson", disable=len(names) == 1 or None)  # None: no bar in a file
    for name in bar:
        bar.set_postfix_str(name)
        try:
            if name in LESSONS:
                pages.append(_gallery.run_lesson(name, echo=len(names) == 1))
            else:
                main = importlib.import_module(f"demos.{name}").main
                pages.append(_gallery.run_program(name, main))
        except (AssertionError, RuntimeError) as error:
            traceback.print_exc()
            print(f"python -m demos: {name} failed: {error}", file=sys.stderr)
            return 1
    index = _gallery.write(pages)
    print(f"Open {index if len(names) > 1 else index.with_name(f'{names[0]}.html')} in a browser")
    return 0


def main(argv: list[str]) -> int:
    """Run the demo that ``argv`` names, or all of them; the exit status."""
    demos = ideas()
    name = argv[0] if argv and not argv[0].startswith("-") else ""
    if name == "list" or argv[:1] in (["-h"], ["--help"]):
        if name != "list":
            print("usage: python -m demos [NAME] [options]; python -m demos NAME --help\n")
        for demo, idea in demos.items():
            print(f"{demo:16}{idea}")
        return 0
    if name and name not in demos:
        return complain(f"there is no demo {name!r}; the demos are: {', '.join(demos)}")
    try:
        if not name:
            return build(argv, (*LESSONS, *IN_THE_GALLERY))
        if name in LESSONS:
            return build(argv[1:], (name,))
        status: int = importlib.import_module(f"demos.{name}").main(argv[1:])
        return status
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("demos", "tinygrad_edu"):
            raise  # a mistake in the code, and nothing to install
        return complain(f"{name or 'the gallery'} needs {missing}: pip install -e '.[demos]'")
    except KeyboardInterrupt:
        complain("stopped by Ctrl-C")
        return 130  # what a shell reports for a program that Ctrl-C ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
