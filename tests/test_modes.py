"""Modes: for their own thread and task, nested, through exceptions, and as decorators."""

import asyncio
import functools
import threading

import numpy as np
import pytest

from tinygrad_edu import Tensor, debug, functional, no_grad, scope


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


def names(result):
    """The names of the scopes around a result, from the outermost to the innermost."""
    found, scopes = [], result.scopes
    while scopes:
        inner, scopes = scopes
        found.insert(0, inner.name)
    return found


def double():
    """Twice one, recorded where that is wanted."""
    return Tensor(1.0, requires_grad=True) * 2


def test_a_scope_decorates_functions_and_each_call_is_a_run_of_its_own():
    @scope("layer")
    def layer(x, *, depth):
        """Go down."""
        return double() if depth == 0 else layer(x, depth=depth - 1)

    assert names(layer(1, depth=2)) == ["layer", "layer", "layer"]
    first, second = layer(1, depth=0), layer(1, depth=0)
    assert first.scopes is not second.scopes
    assert layer.__doc__ == "Go down."
    assert names(double()) == []


def test_a_scope_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), scope("outer"), scope("inner"):
        raise ZeroDivisionError
    assert double().scopes is None


def test_debug_decorates_functions():
    @debug()
    def logarithm():
        return np.log(Tensor(0.0, requires_grad=True))

    with pytest.raises(FloatingPointError, match=r"log gave -inf .* 'return np\.log"):
        logarithm()
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.log(Tensor(0.0, requires_grad=True))


@pytest.mark.parametrize("mode", [no_grad, debug, lambda: scope("layer")])
def test_a_decorated_function_is_computed_inside_each_time_it_is_called(mode):
    seen = []

    @mode()
    def observed():
        seen.append((recorded(), names(double())))

    observed()
    observed()
    assert seen[0] == seen[1]
    with mode():
        assert seen[0] == (recorded(), names(double()))


def generator():
    yield recorded()


async def coroutine():
    return recorded()


async def stream():
    yield recorded()


class Model:
    def predict(self):
        yield recorded()

    def __call__(self):
        return recorded()


REFUSED = {
    "generator function": generator,
    "coroutine function": coroutine,
    "async generator": stream,
    "generator method": Model().predict,
    "class": Model,
    "class of this package": Tensor,
    "callable that is no function": Model(),
    "partial of a generator function": functools.partial(generator),
    "partial": functools.partial(double),
    "number": 3,
    "Tensor": Tensor(1.0),
    "generator": generator(),
    "nothing": None,
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize(
    ("call", "mode"),
    [("no_grad()", no_grad()), ("debug()", debug()), ("scope('name')", scope("x"))],
)
def test_what_is_no_plain_function_is_not_decorated(call, mode, what):
    with pytest.raises(TypeError) as error:
        mode(REFUSED[what])
    assert str(error.value).startswith(f"{call} decorates plain functions, but got ")
    assert f'Write "with {call}:" inside it instead' in str(error.value)


@pytest.mark.parametrize("function", [double, np.exp.__call__, Model().__call__, lambda: double()])
def test_functions_methods_and_lambdas_are_decorated(function):
    assert callable(no_grad()(function))


def test_what_a_refusal_advises_works_in_generators_and_coroutines():
    def predictions():
        for _ in range(2):
            with no_grad():
                prediction = recorded()
            yield prediction

    for prediction in predictions():
        assert not prediction
        assert recorded()

    async def predict():
        with no_grad():
            await asyncio.sleep(0)
            return recorded()

    assert not asyncio.run(predict())
    assert recorded()


def test_modes_hold_for_their_own_task_through_every_await():
    async def work(name, *, recording):
        seen = []
        for i in range(3):
            with scope(f"{name} {i}"):
                if recording:
                    await asyncio.sleep(0)
                    seen.append(names(double()) == [f"{name} {i}"])
                else:
                    with no_grad():
                        await asyncio.sleep(0)
                        seen.append(not recorded())
            await asyncio.sleep(0)
            seen.append(recorded() and names(double()) == [])
        return seen

    async def main():
        tasks = [work(str(i), recording=i % 2 == 0) for i in range(4)]
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [[True] * 6] * 4


def test_a_name_of_a_scope_is_text():
    for wrong in [None, 1, double]:
        with pytest.raises(TypeError, match=r"scope\('layer 1'\), but got"):
            scope(wrong)


def test_functions_of_the_package_are_in_a_scope_of_their_name():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with scope("mine"):
        assert names(functional.softmax(x)) == ["mine", "softmax"]
        assert names(functional.sigmoid(x)) == ["mine"]


@pytest.mark.parametrize("name", ["no_grad", "debug", "scope"])
def test_without_parentheses_the_line_with_them_is_told(name):
    modes = {"no_grad": no_grad, "debug": debug, "scope": scope}
    with pytest.raises(
        TypeError, match=f'{name} is used with parentheses: write "with '
    ) as refusal:
        exec(f"with {name}:\n    pass", modes)
    lines = str(refusal.value).split('"')[1::2]
    exec(f"{lines[0]}\n    pass", modes)
    exec(f"{lines[1]}\ndef f(): pass\nf()", modes)
    with pytest.raises(TypeError, match=r"write \"with|as in scope\(") as refusal:
        exec(f"@{name}\ndef f(): pass", modes)
