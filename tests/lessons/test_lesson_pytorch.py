"""What the lesson ``pytorch`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    back = lesson.nn.Linear(64, 10)
    if lesson.torch:
        back.load_state_dict(
            {name: t.numpy() for name, t in lesson.torch_model.state_dict().items()}
        )

    assert lesson.ours[-1] < 0.3 * lesson.ours[0], "the classifier should learn in one epoch"
    assert all(
        np.any(lesson.start[name] != array) for name, array in lesson.model.state_dict().items()
    ), "start is a copy: training must not change it"
    if lesson.torch:
        w = lesson.torch.tensor(2.0, requires_grad=True)
        square = w * w
        w.data += 1
        square.backward()
        assert w.grad == 6, "PyTorch takes the new w, 3, for the slope of the old w * w, which is 4"
        assert np.allclose(lesson.ours, lesson.theirs, rtol=0, atol=1e-6), (
            "both libraries should find the same losses"
        )
        for name, array in back.state_dict().items():
            assert np.allclose(array, lesson.model.state_dict()[name], atol=1e-10), (
                f"{name} should be the same"
            )
