"""The way beyond one machine: each program of the page runs, and DDP gives the numbers of one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import demos
from demos import ddp

PAGE = Path(demos.__file__).parent / "pages" / "outgrowing.md"
PROGRAMS = re.findall(
    r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)


def test_no_program_is_left_out():
    assert len(PROGRAMS) == PAGE.read_text(encoding="utf-8").count("```python")


@pytest.mark.parametrize(("program", "output"), PROGRAMS, ids=["memmap", "dask", "state"])
def test_a_program_of_the_page_prints_what_it_says(program, output, tmp_path):
    if "dask" in program:
        pytest.importorskip("distributed", reason="Dask is missing: pip install '.[dask]'")
    path = tmp_path / "program.py"
    path.write_text(program, encoding="utf-8")
    paths = [str(Path(demos.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    result = subprocess.run(
        [sys.executable, path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.stdout == output, result.stderr
    assert result.returncode == 0


def test_two_processes_of_pytorch_give_the_numbers_of_one_here(capsys):
    pytest.importorskip("torch")
    ours, theirs, difference = ddp.compare(steps=5)
    np.testing.assert_allclose(theirs, ours, rtol=1e-12)
    assert difference < 1e-13
    assert ours[-1] < ours[0]
    assert ddp.main(["--steps", "2"]) == 0
    assert "After 2 steps, no weight differs by more than" in capsys.readouterr().out


def test_a_process_that_fails_is_told(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(ddp, "train_here", lambda *_: ({}, []))  # and no file to start from
    with pytest.raises(RuntimeError, match="a process of PyTorch failed"):
        ddp.compare(steps=1)


def test_without_pytorch_it_is_named(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert ddp.main([]) == 2
    assert "ddp needs torch, safetensors: pip install torch safetensors" in capsys.readouterr().err
