"""Searches on other processes, which may die, and gradients summed over workers."""

import os
import pickle
import re
import signal
import sys
import tempfile
from contextlib import nullcontext, suppress
from functools import partial
from itertools import chain

import numpy as np
import pytest

pytest.importorskip("sklearn")

from joblib import parallel_config
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from demos import __main__ as dispatcher
from demos import distributed
from tinygrad_edu import losses, nn
from tinygrad_edu.classifier import LinearClassifier

DIGITS = load_digits(return_X_y=True)
SPLITS = list(StratifiedKFold(3).split(*DIGITS))
GRID = {
    "linearclassifier__learning_rate": [0.001, 0.1],
    "linearclassifier__loss": ["cross_entropy", "hinge"],
}


def needs_dask():
    pytest.importorskip("distributed", reason="Dask is missing: pip install '.[dask]'")


@pytest.fixture(scope="module")
def client():
    """Two worker processes."""
    needs_dask()
    with distributed.two_workers() as client:
        yield client


def score(model, x, y, fatal=None):
    """The accuracy, and the process that measured it; it is killed if it is the first at 0.1."""
    if fatal and model[-1].learning_rate == 0.1:
        with suppress(FileExistsError), fatal.open("x") as file:
            file.write(str(os.getpid()))
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    return {"accuracy": model.score(x, y), "process": os.getpid()}


def search(**parameters):
    pipeline = make_pipeline(
        StandardScaler(), LinearClassifier(max_iter=2, tol=None, random_state=0)
    )
    options = {"cv": SPLITS, "scoring": score, "refit": "accuracy"}
    return GridSearchCV(pipeline, GRID, **options | parameters).fit(*DIGITS)


@pytest.fixture(scope="module")
def reference():
    """The search in this process."""
    return search()


def processes(found):
    return {
        int(pid)
        for name, pids in found.cv_results_.items()
        if re.fullmatch(r"split\d_test_process", name)
        for pid in pids
    }


def assert_same(found, reference):
    assert found.best_params_ == reference.best_params_
    assert found.best_score_ == reference.best_score_ > 0.9
    names = [name for name in reference.cv_results_ if name.endswith("test_accuracy")]
    assert len(names) == 3 + 3  # of each split; mean, deviation and rank
    for name in names:
        np.testing.assert_array_equal(found.cv_results_[name], reference.cv_results_[name])
    for kind in "coef_", "intercept_":
        ours, theirs = (getattr(each.best_estimator_[-1], kind) for each in (found, reference))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_a_search_gives_the_same_in_processes_of_loky(reference):
    with parallel_config("loky", n_jobs=2):
        found = search()
    assert os.getpid() not in processes(found)
    assert_same(found, reference)


def test_a_search_gives_the_same_on_workers_of_dask(client, reference):
    with parallel_config("dask"):
        found = search()
    workers = client.run(os.getpid).values()
    assert len({os.getpid(), *workers}) == 3
    assert processes(found) <= set(workers)
    assert_same(found, reference)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_search_loses_nothing_when_a_worker_is_killed(client, reference, tmp_path):
    """Dask repeats tasks, but not data: every array of 1 kB or more must be on both workers."""
    before = client.run(os.getpid).values()
    fatal = tmp_path / "killed"
    client.amm.stop()  # Dask's active memory manager, which would drop the copies
    with parallel_config("dask", scatter=[*DIGITS, *chain.from_iterable(SPLITS)]):
        found = search(scoring=partial(score, fatal=fatal))
    assert_same(found, reference)
    client.wait_for_workers(2)  # another one takes its place
    (killed,) = set(before) - set(client.run(os.getpid).values())
    assert fatal.read_text() == str(killed)


def test_what_travels_in_a_search_is_small(reference):
    unfitted, fitted = reference.estimator, reference.best_estimator_
    assert len(pickle.dumps(unfitted)) < 1500
    coef, intercept = fitted[-1].coef_, fitted[-1].intercept_
    assert len(pickle.dumps(fitted)) < 2 * (coef.nbytes + intercept.nbytes)


# Gradients.

X = np.random.default_rng(0).normal(size=(200, 5))
Y = np.random.default_rng(1).integers(0, 3, 200)


def small_network():
    return nn.Sequential(nn.Linear(5, 8, rng=0), np.tanh, nn.Linear(8, 3, rng=1))


@pytest.mark.parametrize("first", [100, 17, 0])
@pytest.mark.parametrize("reach", [200, 17])
def test_gradients_of_workers_add_up_to_those_of_one_process(client, first, reach):
    """One worker holds the ``first`` examples; of a batch below 17, it may hold all or none."""
    shards = distributed.share(client, (X[:first], Y[:first]), (X[first:], Y[first:]))
    model, expected = small_network(), small_network()
    rng = np.random.default_rng(2)
    for size in 1, 16:
        rows = rng.permutation(reach)[:size]
        gradients = distributed.parallel_gradients(client, shards, model, rows)
        expected.zero_grad()
        losses.cross_entropy(expected(X[rows]), Y[rows]).backward()
        for ours, theirs in zip(gradients, expected.parameters(), strict=True):
            assert np.abs(theirs.grad).max() > 1e-3
            np.testing.assert_allclose(ours, theirs.grad, rtol=1e-12, atol=1e-12)


def test_examples_stay_on_their_worker(client):
    shards = distributed.share(client, (X[:100], Y[:100]), (X[100:], Y[100:]))
    assert len({shard.worker for shard in shards}) == 2
    for _ in range(5):
        distributed.parallel_gradients(client, shards, small_network(), np.arange(200))
    for shard in shards:
        assert list(client.who_has([shard.data]).values()) == [(shard.worker,)]


# The program.


def test_the_program_compares_and_measures(client, capsys, monkeypatch):
    monkeypatch.setattr(distributed, "two_workers", lambda: nullcontext(client))
    monkeypatch.setattr(distributed, "EXAMPLES", 1024)
    options = ["--steps", "3", "--rounds", "1", "--largest", "600"]
    assert dispatcher.main(["distributed", *options]) == 0
    output = capsys.readouterr().out
    apart = re.findall(r"\d\.\de-\d+", output)
    assert len(apart) == 2
    assert all(float(number) < 1e-12 for number in apart)
    assert re.findall(r"^ +(\d+) +[\d.]+ +[\d.]+ +[\d.]+$", output, re.MULTILINE) == ["256", "512"]
    assert output.splitlines()[-1].startswith("Two workers ")


@pytest.mark.parametrize(
    ("two", "sentence"),
    [
        ([2, 2, 2, 2], "Two workers did not pay: one process was faster at 2,048 examples, too."),
        ([2, 2, 0.5, 0.9], "Two workers paid from batches of 1,024 examples on, in this run."),
        ([2, 0.5, 2, 0.9], "Two workers paid from batches of 2,048 examples on, in this run."),
        ([0.5, 0.5, 0.5, 2], "Two workers did not pay: one process was faster at 2,048 examples,"),
        ([0.5] * 4, "Two workers paid from batches of 256 examples on, in this run."),
    ],
)
def test_the_verdict_is_the_size_from_which_two_workers_always_won(two, sentence):
    times = {256 * 2**i: [1.0, time] for i, time in enumerate(two)}
    assert distributed.verdict(times).startswith(sentence)


@pytest.fixture
def interruptible():
    """Ctrl-C raises KeyboardInterrupt, even if these tests run in the background of a shell."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_workers_and_leaves_no_files(tmp_path, monkeypatch):
    needs_dask()
    import psutil

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path, workers = list(sys.path), []

    def interrupted():
        with distributed.two_workers() as client:
            workers.extend(client.run(os.getpid).values())
            ignored = client.run(signal.getsignal, signal.SIGINT)  # from a terminal they get it
            assert list(ignored.values()) == [signal.SIG_IGN] * 2
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert len(workers) == 2
    assert not any(map(psutil.pid_exists, workers))
    assert list(tmp_path.iterdir()) == []
    assert sys.path == path


def test_without_dask_one_line_says_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert dispatcher.main(["distributed"]) == 2
    message = "python -m demos: distributed needs dask: pip install -e '.[dask]'\n"
    assert capsys.readouterr() == ("", message)
