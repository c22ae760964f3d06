"""What the lesson ``stopping`` claims, on its own values."""

import numpy as np


def test_claims(lesson):
    assert 0.4 < lesson.ups < 0.6, "the loss of a batch should go up about as often as down"
    assert np.std(np.diff(lesson.smooth)) < np.std(np.diff(lesson.noisy)) / 8, (
        "the average should be smoother"
    )
    assert lesson.train_losses[-1] < 0.1 < 0.2 < lesson.train_losses[lesson.stop], (
        "the training loss should fall on"
    )
    assert lesson.val_losses[-1] > 1.2 * lesson.val_losses[lesson.best], (
        "the validation loss should turn"
    )
    assert lesson.loss_on(lesson.x_val, lesson.y_val) == lesson.val_losses[lesson.best], (
        "the weights of the best epoch should be back"
    )
    assert lesson.outcome[lesson.best][0] < 0.9 * lesson.outcome[99][0], (
        "they should be better on the test set, too"
    )
    assert lesson.outcome[lesson.best][1] > 0.5 > 0.2 > lesson.outcome[99][1], (
        "the network should learn wrong labels"
    )
    assert lesson.found[1][1] < lesson.stop < lesson.found[30][1], "more patience should stop later"
    assert lesson.val_losses[lesson.found[1][0]] > lesson.val_losses[lesson.best] + 0.02, (
        "little patience should miss the best"
    )
    assert lesson.val_losses[lesson.found[30][0]] <= lesson.val_losses[lesson.best], (
        "more patience should cost no quality"
    )
