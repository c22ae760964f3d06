"""The command line of the package's programs: each mistake is told in one line, with status 2."""

import argparse
import sys
from typing import Any, NoReturn

LONGEST = 601  # characters of a message


def one_line(message: object) -> str:
    r"""A message with what was typed only in part, and without what cannot be seen.

    >>> from tinygrad_edu.command_line import one_line
    >>> one_line("there is no \x1b[31mfile")
    'there is no �[31mfile'
    >>> len(one_line("x" * 10_000))
    601
    """
    text = "".join(c if c.isprintable() else "\ufffd" for c in str(message))
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-(LONGEST // 2) :]}"


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that prints no usage block when an option is wrong."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse, but ``--option=--`` is wrong, for which Python 3.11 gives ``[]``."""
        for arg in sys.argv[1:] if args is None else args:
            if arg.endswith("=--"):
                self.error(f"{arg!r}: -- is no value")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")
