"""Options of demos: each mistake is told in one line, with exit status 2."""

import argparse
import math
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

LONGEST = 18  # characters of a number: Python itself reads no more than 4300 digits


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that prints no usage block when an option is wrong."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse, but ``--option=--`` is wrong, for which Python 3.11 gives ``[]``."""
        for arg in sys.argv[1:] if args is None else args:
            if arg.endswith("=--"):
                self.error(f"{arg!r:.60}: -- is no value")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Exit with status 2; what was typed is shown in part, and without what cannot be seen."""
        message = "".join(c if c.isprintable() else "\ufffd" for c in message)
        if len(message) > 1000:
            message = f"{message[:300]}…{message[-300:]}"
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def whole_number(least: int, most: float = math.inf) -> Callable[[str], int]:
    """A reader of options that count something."""

    def read(text: str) -> int:
        if len(text) > LONGEST:
            raise argparse.ArgumentTypeError(f"{text!r:.30} is longer than {LONGEST} characters")
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        allowed = f"from {least} to {most}" if most < math.inf else f"of at least {least}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {allowed}")

    return read


def step_size(text: str) -> float:
    """A reader of --lr."""
    try:
        if 0 < float(text) < math.inf:
            return float(text)
    except ValueError:
        pass  # not a number at all: the same message
    raise argparse.ArgumentTypeError(f"{text!r} is not a positive, finite number")


def make_folder(folder: Path, parser: Parser) -> None:
    """Make the folder of --out and try a file in it; last, so a wrong option leaves nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:  # ValueError: what is no name of a file anywhere
        reason = getattr(error, "strerror", None) or error
        parser.error(f"argument --out: cannot write files in '{folder}' ({reason})")
