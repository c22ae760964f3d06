"""The checks of all stages for pytest: ``pytest test_engine.py``."""

import pytest
from check import explained, result_of, stages

CASES = [(check, each.number) for each in stages() for check in each.checks]


@pytest.mark.parametrize(
    ("check", "number"), CASES, ids=[f"stage{number}-{check.name}" for check, number in CASES]
)
def test_engine(check, number):
    result = result_of(check, number)
    assert result.status == "holds", explained(result)
