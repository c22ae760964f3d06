"""The benchmark: all contestants compute the same, and one that does not is refused."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from demos import __main__ as dispatcher
from demos import _speed_chain, _speed_numpy, speed

OURS = {"tinygrad_edu": speed.PEERS["tinygrad_edu"]}
IN_PROCESS = ["W1", "W2", "W3", "W4", "W6", "W7"]


@pytest.fixture
def alone(monkeypatch):
    """No peer is installed."""
    monkeypatch.setattr(speed, "PEERS", OURS)
    for name in ("NPROC", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # so that it is set back afterwards


@pytest.fixture(scope="module")
def all_installed(tmp_path_factory):
    """All in one process, apart from this one, with all peers that there are."""
    folder = tmp_path_factory.mktemp("speed")
    arguments = ["--quick", "--only", *IN_PROCESS, "--out", folder, "--json", folder / "a" / "b"]
    done = subprocess.run(
        [sys.executable, "-m", "demos", "speed", *arguments],
        cwd=speed.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(
        out=done.stdout,
        err=done.stderr,
        picture=folder / "speed.png",
        json=json.loads((folder / "a" / "b").read_text("utf-8")),
    )


def png_size(path):
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def test_all_that_can_do_a_workload_compute_the_same(all_installed):
    rows = all_installed.json["rows"]
    assert {row["workload"] for row in rows} == set(IN_PROCESS)
    named = [name for name in speed.PEERS if f"  {name}  " in all_installed.out]
    assert "tinygrad_edu" in named
    for workload in IN_PROCESS:
        for case in speed.cases(workload, quick=True):
            found = {row["library"]: row for row in rows if row["title"] == case.title}
            expected = {n for n in speed.BY_HAND if case.kind in speed.BY_HAND[n]}
            expected |= {n for n in named if case.kind in speed.PEERS[n][1]}
            assert set(found) == expected
            for row in found.values():
                assert row["difference"] <= case.tolerance
                assert 0 < row["minimum"] <= row["median"]


def test_a_table_a_picture_and_json_come_out(all_installed):
    for row in all_installed.json["rows"]:
        assert f"{row['workload']}  {row['title']}\n" in all_installed.out
    assert all_installed.out.count("NumPy by hand") == 9
    assert "Warning" not in all_installed.err
    width, height = png_size(all_installed.picture)
    assert width == 1280
    assert height > 1000
    facts = all_installed.json
    assert facts["threads"] == 1
    assert all(blas.endswith(": 1") for blas in facts["blas"])
    assert {"date", "processor", "cores", "rounds", "left_out"} <= set(facts)
    assert facts["versions"]["numpy"] == np.__version__


def wrong(change):
    """Softmax regression by hand, with changed results."""

    def contestant(*data):
        step, results = _speed_numpy.training(*data)
        return step, lambda returned: change(results(returned))

    return {"training": contestant}


@pytest.mark.parametrize(
    "change",
    [
        lambda results: [results[0] * (1 + 1e-6), *results[1:]],
        lambda results: [results[0], results[1] * (1 + 1e-6), results[2]],
        lambda results: [*results[:2], results[2].astype(np.float32)],
        lambda results: [*results[:2], results[2][:, None]],
        lambda results: [*results[:2], results[2] * np.nan],
        lambda results: results[:2],
    ],
    ids=["loss", "weights", "dtype", "shape", "nan", "missing"],
)
@pytest.mark.usefixtures("alone")
def test_a_wrong_contestant_is_refused(change, tmp_path, monkeypatch, capsys):
    liar = {"liar": ("numpy", wrong(change))}
    monkeypatch.setattr(speed, "PEERS", OURS | liar)
    monkeypatch.setattr(speed, "take_turns", None)  # nothing is timed
    assert speed.main(["--quick", "--only", "W2", "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1
    assert "the results of liar differ" in captured.err
    assert list(tmp_path.iterdir()) == []


def test_rounding_is_no_difference_and_a_small_update_counts():
    start = [np.array([1.0, 1.0])]
    expected = [start[0] + 1e-3]
    assert speed.difference([expected[0] + 1e-16], expected, start) < 1e-12
    assert speed.difference(start, expected, start) == pytest.approx(1)


def test_the_same_values_in_another_dtype_or_shape_are_another_result():
    ones = np.ones(3)
    assert speed.difference([ones], [ones.copy()], [0.0]) == 0
    assert speed.difference([ones.astype(np.float32)], [ones], [0.0]) == np.inf
    assert speed.difference([ones[:, None]], [ones], [0.0]) == np.inf


@pytest.mark.usefixtures("alone")
def test_missing_and_broken_peers_are_left_out_and_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "old_engine.py").write_text("import numpy\nnumpy.no_longer_there\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    others = {"Gone": ("no_such_engine", {}), "Old": ("old_engine", {})}
    monkeypatch.setattr(speed, "PEERS", OURS | others)
    assert speed.main(["--quick", "--only", "W4", "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "left out: Gone is not installed\n" in out
    assert "left out: Old cannot be imported: module 'numpy' has no attribute" in out
    assert [line.split("  ")[1] for line in out.splitlines() if line.startswith("  ")][1:] == [
        "NumPy by hand",
        "NumPy tuned",
        "tinygrad_edu",
    ]


def test_contestants_take_turns_and_each_round_begins_with_another():
    turns = []
    steps = [lambda: turns.append("a"), lambda: turns.append("b"), lambda: turns.append("c")]
    times = speed.take_turns(steps, rounds=3, seconds=0)
    assert "".join(turns[9:]) == "abc" + "bca" + "cab"
    assert times.shape == (3, 3)
    assert (times > 0).all()


def test_a_turn_is_as_many_steps_as_fit_in_it():
    turns = []
    speed.take_turns([lambda: turns.append(speed.timed(lambda: None, 100))], 1, seconds=0.05)
    assert len(turns) > 10


@pytest.mark.parametrize("name", [name for name in _speed_chain.CHAINS if name in speed.LIBRARIES])
def test_the_chain_of_each_engine_is_that_of_the_formula(name):
    if name not in ("NumPy by hand", "tinygrad_edu"):
        pytest.importorskip(speed.PEERS[name][0])
    [[row]] = speed.run_chains([name], SimpleNamespace(quick=True))
    assert row.difference < 1e-12, row.note
    assert row.minimum == pytest.approx(sum(row.details[p] for p in ("record", "backward", "free")))
    assert row.note.startswith("record ")
    assert row.details.get("bytes", 1) > 0


def test_a_process_that_fails_is_told_and_the_others_go_on():
    [rows] = speed.run_chains(["NumPy by hand", "nobody"], SimpleNamespace(quick=True))
    assert rows[0].minimum
    assert (rows[1].minimum, rows[1].note) == (None, "KeyError: 'nobody'")
    speed.print_rows(rows)
    assert speed.ratio(rows[1], rows, "NumPy by hand") is None


def test_a_process_that_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(speed, "PATIENCE", 0.01)
    with pytest.raises(RuntimeError, match=r"^stopped after 0\.01 s$"):
        speed.in_process("-c", "import time; time.sleep(60)")


def test_a_wrong_chain_is_refused(monkeypatch):
    measured = {"record": 1.0, "backward": 1.0, "free": 1.0, "difference": 1e-3}
    monkeypatch.setattr(speed, "in_process", lambda *_: json.dumps(measured))
    with pytest.raises(RuntimeError, match="the results of liar differ by"):
        list(speed.run_chains(["liar"], SimpleNamespace(quick=True)))


def test_a_chain_that_miscounts_is_noticed():
    def one_less(x, n):
        return _speed_chain.by_hand(x, n - 1)

    assert _speed_chain.measure(one_less, 1000)["difference"] > 1e-8


@pytest.mark.usefixtures("alone")
def test_imports_are_compared_with_that_of_numpy():
    rows = speed.run_imports(
        ["NumPy by hand", "NumPy tuned", "tinygrad_edu"],
        SimpleNamespace(rounds=2),
    )
    assert [row.library for row in rows] == ["NumPy by hand", "tinygrad_edu"]
    assert all(row.minimum > 0 for row in rows)


def test_all_workloads_are_told_and_drawn():
    rows = [
        speed.Row(workload, f"{workload} of {n}", name, time, time)
        for workload in speed.WORKLOADS
        for n in (1, 2)
        for name, time in (("NumPy by hand", 2e-6), ("tinygrad_edu", 1e-6), ("MyGrad", None))
    ]
    panels = [axes for axes in speed.plot(rows, "here").axes if axes.get_visible()]
    assert len(panels) == 2 * len(speed.WORKLOADS) - 1  # of the chains, the longest only
    assert all([text.get_text().strip() for text in axes.texts] == ["1", "0.5"] for axes in panels)
    assert {axes.get_xscale() for axes in panels} == {"log"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (2.5, "2.50 s"), (0.0123, "12.3 ms"), (4.56e-4, "456 us"), (7.8e-8, "78 ns")],
)
def test_times_are_told_with_three_digits(seconds, text):
    assert speed.in_units(seconds) == text


def test_a_file_that_cannot_be_written_gets_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    with pytest.raises(SystemExit) as stop:
        speed.main(["--json", str(tmp_path / "a file" / "below")])
    captured = capsys.readouterr()
    assert stop.value.code == 2
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "--json" in captured.err


@pytest.mark.usefixtures("alone")
def test_ctrl_c_ends_it_with_one_line(tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(speed, "take_turns", interrupted)
    assert dispatcher.main(["speed", "--quick", "--only", "W4", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "python -m demos: stopped by Ctrl-C\n"
