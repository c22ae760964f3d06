"""The digits demo, run as a class would run it, and what it says when something is wrong."""

import signal
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
pytest.importorskip("tqdm")

from demos import __main__ as dispatcher
from demos import digits
from demos._digits_figures import plot_mistakes

PICTURES = ["loss.png", "mistakes.png", "weights.png"]


@pytest.fixture
def drawn(monkeypatch):
    """What would be drawn, each time: the pictures take most of the time of a short run."""
    calls = []
    monkeypatch.setattr(digits, "draw", lambda *args: calls.append(args))
    return calls


def pictures(folder):
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    return sorted(path.name for path in folder.iterdir())


def rate(output, part):
    return float(output.split(f"{part} ")[-1].split()[0].strip(","))


def interrupt_after(monkeypatch, batches):
    """A real SIGINT once that many batches were taken."""
    minibatches, taken = digits.data.minibatches, 0
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupted(*args, **kwargs):
        nonlocal taken
        for batch in minibatches(*args, **kwargs):
            if taken == batches:
                signal.raise_signal(signal.SIGINT)
            taken += 1
            yield batch

    monkeypatch.setattr(digits.data, "minibatches", interrupted)
    return previous


def loss_that_overflows(monkeypatch, calls):
    """A loss as it is for so many calls, then infinity."""
    finite, called = digits.finite, 0

    def overflowing(loss):
        nonlocal called
        called += 1
        return finite(np.inf if called > calls else loss)

    monkeypatch.setattr(digits, "finite", overflowing)


def test_defaults_learn_to_read(tmp_path, capsys):
    assert digits.main(["--out", str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert rate(output, "test") >= 0.95
    assert "1077 to train, 360 to validate, 360 to test" in output
    assert pictures(tmp_path) == PICTURES


@pytest.mark.parametrize("loss", digits.OBJECTIVES)
def test_each_loss_runs(loss, tmp_path, capsys, drawn):
    assert digits.main(["--loss", loss, "--epochs", "2", "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert rate(captured.out, "test") > 0.8
    assert captured.err == ""
    assert len(drawn) == 1


def test_one_seed_gives_one_result(tmp_path, capsys, drawn):
    def run(seed):
        digits.main(["--epochs", "2", "--seed", seed, "--out", str(tmp_path)])
        _, model, _, scores, _ = drawn[-1]
        return capsys.readouterr().out, model.weight.numpy().tobytes(), scores.tobytes()

    first = run("3")
    assert run("3") == first
    assert all(a != b for a, b in zip(run("4"), first, strict=True))


def test_parts_are_disjoint_and_stratified():
    parts = digits.load_parts(digits.OBJECTIVES["hinge"], seed=0)
    assert sum(len(part.x) for part in parts) == 1797
    for part in parts:
        share = np.bincount(part.digits) / len(part.digits)
        np.testing.assert_allclose(share, 0.1, atol=0.01)
        assert set(np.unique(part.targets)) == {-1.0, 1.0}
    assert parts[0].x.min() == 0  # the scaling is that of the training images
    assert parts[0].x.max() <= 1 + 1e-12


def test_the_best_weights_are_restored(tmp_path):
    options = digits.read_options(["--lr", "30", "--epochs", "6", "--out", str(tmp_path)])
    objective = digits.OBJECTIVES["cross_entropy"]
    train_part, validation, _ = digits.load_parts(objective, seed=0)
    rng = np.random.default_rng(0)
    model = digits.nn.Linear(64, 10, rng=rng)
    run = digits.train(model, objective, train_part, validation, options, rng)
    losses = [loss for _, loss in run.epoch_losses]
    restored = objective.loss(digits.scores_of(model, validation), validation.targets)
    assert run.best.epoch == np.argmin(losses) + 1 < len(losses)
    assert restored == min(losses)


def test_patience_ends_training(tmp_path, capsys, drawn):
    assert digits.main(["--lr", "30", "--patience", "1", "--out", str(tmp_path)]) == 0
    assert "validation loss no better since epoch" in capsys.readouterr().out
    run = drawn[0][0]
    assert len(run.epoch_losses) == run.best.epoch + 1


@pytest.mark.parametrize(("batches", "best"), [(0, "none"), (80, "epoch 2")])
def test_ctrl_c_still_reports(batches, best, tmp_path, capsys, monkeypatch):
    previous = interrupt_after(monkeypatch, batches)
    try:
        assert digits.main(["--epochs", "1000000", "--out", str(tmp_path)]) == 0
    finally:
        signal.signal(signal.SIGINT, previous)
    output = capsys.readouterr().out
    assert f"updates {batches}: stopped by Ctrl-C" in output
    assert f"Best      {best}" in output
    assert 0 <= rate(output, "test") <= 1
    assert pictures(tmp_path) == PICTURES


def test_divergence_keeps_the_best_weights(tmp_path, capsys, monkeypatch, drawn):
    loss_that_overflows(monkeypatch, calls=50)  # 34 batches and 2 parts in the first epoch
    assert digits.main(["--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.err == "python -m demos digits: the loss became inf: lower --lr, which is 1\n"
    assert "Best      epoch 1" in captured.out
    run, model = drawn[0][:2]
    assert np.array_equal(model.weight.numpy(), run.best.weights["weight"])


@pytest.mark.parametrize("lr", ["1e6", "1e300"])
def test_divergence_at_once_has_nothing_to_report(lr, tmp_path, capsys):
    assert digits.main(["--loss", "exponential", "--lr", lr, "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1
    assert "lower --lr" in captured.err
    assert "Accuracy" not in captured.out
    assert pictures(tmp_path) == []


def test_no_mistakes_and_few_mistakes_are_drawn(tmp_path):
    images, digits_, values = np.zeros((3, 64)), np.array([0, 1, 2]), np.eye(10)[:3]
    none = plot_mistakes(images, digits_, digits_, values, "score", None)
    few = plot_mistakes(images, digits_, np.array([1, 1, 3]), values, "score", None)
    for figure in (none, few):
        figure.savefig(tmp_path / "mistakes.png")
    assert none.get_suptitle() == "No mistakes on 3 test images"
    assert few.get_suptitle().startswith("2 most confident of 2 mistakes")


@pytest.mark.parametrize("argv", [["nope"], ["_options"]])
def test_dispatcher_names_the_demos(argv, capsys):
    assert dispatcher.main(argv) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "digits" in error


def test_dispatcher_lists_and_runs(tmp_path, capsys, drawn):
    assert dispatcher.main(["list"]) == 0
    assert f"digits              {digits.__doc__}" in capsys.readouterr().out
    assert dispatcher.main(["digits", "--epochs", "1", "--out", str(tmp_path)]) == 0
    assert len(drawn) == 1


@pytest.mark.parametrize("package", ["matplotlib", "sklearn", "tqdm"])
def test_a_missing_package_gets_one_line(package, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("demos.digits", "demos._digits_figures"):
        monkeypatch.delitem(sys.modules, name)

    class Hidden:
        def find_spec(self, name, path=None, target=None):  # noqa: ARG002
            if name.partition(".")[0] == package:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Hidden(), *sys.meta_path])
    assert dispatcher.main(["digits"]) == 2
    error = capsys.readouterr().err
    assert error == f"python -m demos: digits needs {package}: pip install -e '.[demos]'\n"
