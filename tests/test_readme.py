"""The programs in the README run, and print what it says."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
PROGRAMS = re.findall(
    r"```python\n(.*?)```\n\n```text\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.parametrize(("program", "output"), PROGRAMS)
def test_program(program, output, capsys):
    exec(compile(program, str(README), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == output


def test_no_program_is_left_out():
    assert len(PROGRAMS) == README.read_text(encoding="utf-8").count("```python")
