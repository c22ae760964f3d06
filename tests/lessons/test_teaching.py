"""What the teacher's page promises: times that add up, pictures and exercises that are there."""

import re
from pathlib import Path

import pytest

from tinygrad_edu import lessons

PAGE = Path(lessons.CHECKOUT).parent / "pages" / "teaching.md"
TEXT = PAGE.read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)+)", TEXT, re.MULTILINE))
LABS = "".join(text for title, text in SECTIONS.items() if title.startswith("Lab"))


@pytest.mark.parametrize("title", [title for title in SECTIONS if re.match(r"Lecture|Lab", title)])
def test_each_takes_90_minutes(title):
    minutes = [int(number) for number in re.findall(r"^\| (\d+) \|", SECTIONS[title], re.MULTILINE)]
    assert sum(minutes) == 90


def test_pictures_are_there():
    named = []
    for first, *more in (
        re.findall(r"`(\w*_\d)`", row) for row in TEXT.splitlines() if re.search(r"`\w+_\d`", row)
    ):
        stem = first.rpartition("_")[0]
        named += [(stem, int(each.rpartition("_")[2])) for each in (first, *more)]
    assert len(named) > 15
    for name, number in named:
        script = lessons.path(name).read_text("utf-8")
        assert script.count("# :::{caption}") >= number, (name, number)


def test_exercises_are_there():
    rows = re.findall(r"^\| \d+ \| (\w+: .+?) \|", LABS, re.MULTILINE)
    assert len(rows) > 7
    current = ""
    for row in rows:
        for part in row.split("; "):
            name, colon, title = part.partition(": ")
            if colon:
                current = name
            else:
                title = part
            script = lessons.path(current).read_text("utf-8").lower()
            assert f"{{exercise}} {title.partition(' (')[0]}" in script.replace("break it: ", ""), (
                part
            )
