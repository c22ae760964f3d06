"""Values of the options of demos, and why one is wrong."""

import argparse
import math
import tempfile
from collections.abc import Callable
from pathlib import Path

from tinygrad_edu.command_line import Parser

LONGEST = 18  # characters of a number: Python itself reads no more than 4300 digits


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
