"""no_grad: for its own thread and task, nested, through exceptions, on functions and generators."""

import asyncio
import threading

import numpy as np
import pytest

from tinygrad_edu import Tensor, no_grad


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x.exp(),
        lambda x: x.T,
        lambda x: x + x,
        lambda x: x * 2.0,
        lambda x: 2.0 * x,
        lambda x: x - np.ones(2),
        lambda x: np.ones((2, 2)) @ x,
        lambda x: x.sum(),
        lambda x: x[0],
        np.tanh,
    ],
)
def test_nothing_is_recorded_in_any_way(compute):
    x = Tensor([1.0, 2.0], requires_grad=True)
    with no_grad():
        assert not compute(x).requires_grad
    assert compute(x).requires_grad


def recorded():
    return (Tensor(1.0, requires_grad=True) * 2).requires_grad


def test_nothing_is_recorded_inside():
    with no_grad():
        assert not recorded()
    assert recorded()


def test_one_object_may_be_entered_again_inside_itself():
    mode = no_grad()
    with mode:
        with mode:
            assert not recorded()
        assert not recorded()
    assert recorded()


def test_it_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert recorded()


def test_it_holds_for_its_own_thread():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(recorded()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_it_holds_for_its_own_task():
    async def evaluate():
        with no_grad():
            await asyncio.sleep(0.01)
            return recorded()

    async def train():
        await asyncio.sleep(0.005)
        return recorded()

    async def both():
        return await asyncio.gather(evaluate(), train(), evaluate(), train())

    assert asyncio.run(both()) == [False, True, False, True]


def test_it_decorates_functions():
    @no_grad()
    def predict(x, *, scale):
        """Predict."""
        return x * scale, recorded()

    assert predict(2, scale=3) == (6, False)
    assert predict.__doc__ == "Predict."
    assert recorded()


def test_it_decorates_coroutine_functions():
    @no_grad()
    async def predict():
        await asyncio.sleep(0)
        return recorded()

    async def main():
        return await predict(), recorded()

    assert asyncio.run(main()) == (False, True)


def test_a_decorated_generator_leaves_it_while_the_caller_runs():
    @no_grad()
    def predictions():
        received = yield recorded()
        try:
            yield recorded(), received
        except KeyError:
            yield "thrown in", recorded()
        return "end"

    generator = predictions()
    assert next(generator) is False
    assert recorded()
    assert generator.send("sent") == (False, "sent")
    assert generator.throw(KeyError()) == ("thrown in", False)
    with pytest.raises(StopIteration, match="end"):
        next(generator)
    assert recorded()


def test_a_decorated_generator_is_closed_inside():
    seen = []

    @no_grad()
    def predictions():
        try:
            yield
        finally:
            seen.append(recorded())

    generator = predictions()
    next(generator)
    generator.close()
    assert seen == [False]
    assert recorded()


def test_generators_that_overlap_do_not_disturb_each_other():
    @no_grad()
    def predictions():
        for _ in range(3):
            yield recorded()

    for pair in zip(predictions(), predictions(), strict=True):
        assert pair == (False, False)
        assert recorded()


def test_a_generator_that_ends_in_another_thread_does_no_harm_there():
    def predictions():
        with no_grad():
            yield

    generator, seen = predictions(), []
    next(generator)

    def close():
        generator.close()
        with no_grad():
            seen.append(recorded())
        seen.append(recorded())

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()
    assert seen == [False, True]
    with no_grad():
        pass  # this thread is left paused by its own generator: end the mode of the test
    no_grad().__exit__()
    assert recorded()


def test_what_is_no_function_is_refused():
    async def stream():
        yield 1

    for wrong in [stream, 3, Tensor]:
        with pytest.raises(TypeError, match=r"write 'with no_grad\(...\):' inside"):
            no_grad()(wrong)
