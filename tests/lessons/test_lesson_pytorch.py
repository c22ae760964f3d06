"""What the lesson ``pytorch`` claims, on its own values."""

import numpy as np
import pytest


def test_the_classifier_learns(lesson):
    assert lesson.ours[-1] < 0.3 * lesson.ours[0]
    for name, array in lesson.model.state_dict().items():
        assert np.any(lesson.start[name] != array), "start is a copy: training does not change it"


def test_both_libraries_agree(lesson):
    torch = pytest.importorskip("torch")
    assert np.allclose(lesson.ours, lesson.theirs, rtol=0, atol=1e-6)
    back = lesson.nn.Linear(64, 10)
    back.load_state_dict({name: t.numpy() for name, t in lesson.torch_model.state_dict().items()})
    for name, array in back.state_dict().items():
        assert np.allclose(array, lesson.model.state_dict()[name], atol=1e-10), name
    w = torch.tensor(2.0, requires_grad=True)
    square = w * w
    w.data += 1
    square.backward()
    assert w.grad == 6, "PyTorch takes the new w, 3, for the slope of the old w * w, which is 4"


def test_estimators_agree(lesson):
    assert abs(lesson.scores[0] - lesson.scores[1]) < 0.02
    assert lesson.same > 0.99, "they come to nearly the same weights"
