"""What type checkers see: the package is sound, and typical code of a user has the right types."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typical_use

from tinygrad_edu import functional, losses

ROOT = Path(__file__).parents[1]
CODE = Path(typical_use.__file__)


def run(*command):
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def errors_of_mypy():
    """The lines of one run on the package and the typical code, as the project sets it."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed: pip install '.[dev]'")
    if not (ROOT / "tinygrad_edu").is_dir():
        pytest.skip("the tests are not beside the package")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty"]
    result = run(*command, "tinygrad_edu", CODE)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    return result.stdout.splitlines()


def test_typical_code_has_the_right_types(errors_of_mypy):
    """Wrong calls are marked in it, and strict mypy reports a mark without an error."""
    assert "\n".join(line for line in errors_of_mypy if CODE.name in line) == ""


def test_the_package_is_sound(errors_of_mypy):
    assert "\n".join(line for line in errors_of_mypy if CODE.name not in line) == ""


def test_pyright_agrees(tmp_path):
    pyright = shutil.which("pyright", path=Path(sys.executable).parent) or shutil.which("pyright")
    if pyright is None:
        pytest.skip("pyright is not installed: pip install pyright")
    settings = {
        "include": [os.path.relpath(CODE, tmp_path)],
        "extraPaths": [str(ROOT)],
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    try:
        result = run(pyright, "--outputjson", "--pythonpath", sys.executable, "--project", tmp_path)
        report = json.loads(result.stdout)
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        pytest.skip(f"pyright cannot run here, perhaps for lack of Node.js: {error!r:.200}")
    assert report["summary"]["filesAnalyzed"] == 1
    errors = [
        f"{CODE.name}:{found['range']['start']['line'] + 1}: {found['message']}"
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    ]
    assert "\n".join(errors) == ""


def test_typical_code_runs_as_it_is_typed(monkeypatch, capsys):
    """Here ``assert_type`` holds what it is told against the value itself."""
    checked = []

    def assert_type(value, expected):
        kind = getattr(expected, "__origin__", expected)
        if kind is tuple:
            assert isinstance(value, tuple)
            assert all(isinstance(number, int) for number in value)
        else:
            assert isinstance(value, kind)
        if expected == typical_use.Bools:
            assert value.dtype == bool
        checked.append(expected)
        return value

    monkeypatch.setattr(typical_use, "assert_type", assert_type)
    typical_use.main()
    assert len(checked) > 100
    assert "step 200: loss 0.0066" in capsys.readouterr().out


def test_typical_code_leaves_out_no_function_and_no_loss():
    code = CODE.read_text(encoding="utf-8")
    for name in losses.__all__:
        assert f"losses.{name}(" in code
    for name in functional.__all__:
        assert f"({name}(" in code
