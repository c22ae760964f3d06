"""The lessons from the command line."""

import sys
from pathlib import Path

from tinygrad_edu import lessons
from tinygrad_edu.command_line import Parser


def main(argv: list[str]) -> int:
    """List, run, copy or grade; the exit status."""
    parser = Parser(
        prog="python -m tinygrad_edu.lessons",
        description=(lessons.__doc__ or "").partition("\n")[0],
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="print the names and titles")
    runs = commands.add_parser("run", help="run a lesson, and write its pictures")
    runs.add_argument("name")
    runs.add_argument("--out", type=Path, default=Path("lessons"), help="(default: %(default)s)")
    copies = commands.add_parser("copy", help="write scripts and notebooks to work in")
    copies.add_argument("names", nargs="*", help="(default: all)")
    copies.add_argument("--out", type=Path, default=Path("lessons"), help="(default: %(default)s)")
    copies.add_argument("--solutions", action="store_true", help="with the solutions of exercises")
    grades = commands.add_parser("grade", help="run a filled-in copy; status 1 if a check is wrong")
    grades.add_argument("file", type=Path)
    options = parser.parse_args(argv)
    try:
        if options.command == "list":
            for name in lessons.names():
                print(f"{name:20}{lessons.title(name)}")
        elif options.command == "run":
            print(*lessons.run(options.name, options.out), sep="\n")
        elif options.command == "copy":
            print(
                *lessons.copy(options.names or lessons.names(), options.out, options.solutions),
                sep="\n",
            )
        else:
            results = lessons.grade(options.file)
            print(f"{sum(results.values())} of {len(results)} checks are right")
            return 0 if results and all(results.values()) else 1
    except (ValueError, OSError) as error:
        parser.error(str(error))
    except ModuleNotFoundError as error:
        parser.error(f"{error.name} is missing: pip install 'tinygrad_edu[lessons]'")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
