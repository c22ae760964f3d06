"""Functions of derivatives: right, nested, and refused where there is no gradient."""

import copy
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinygrad_edu import (
    Tensor,
    functional,
    grad,
    hessian,
    jacobian,
    losses,
    no_grad,
    value_and_grad,
)


def cubic(x, y):
    return (x**2 * y).sum()


X, Y = np.array([1.0, 2.0]), np.array([3.0, 4.0])


def test_grad_with_respect_to_one_or_several_arguments():
    np.testing.assert_allclose(grad(cubic)(X, Y), 2 * X * Y)
    np.testing.assert_allclose(grad(cubic, 1)(X, Y), X**2)
    by_x, by_y = grad(cubic, (0, 1))(X, Y)
    np.testing.assert_allclose(by_x, 2 * X * Y)
    np.testing.assert_allclose(by_y, X**2)
    np.testing.assert_allclose(grad(cubic, -1)(X, Y), X**2)


def test_results_are_arrays_of_the_shape_and_dtype_of_the_argument():
    g = grad(lambda x: (x * x).sum())(np.ones((2, 1), np.float32))
    assert type(g) is np.ndarray
    assert (g.shape, g.dtype) == ((2, 1), np.float32)
    assert type(grad(lambda x: x * x)(3.0)) is np.ndarray


def test_value_and_grad():
    value, gradient = value_and_grad(cubic)(X, Y)
    assert value == cubic(X, Y)
    np.testing.assert_allclose(gradient, 2 * X * Y)


def test_grad_of_grad_of_grad():
    f = np.sin
    for expected in np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin:
        f = grad(f)
        np.testing.assert_allclose(f(0.7), expected(0.7))


def test_inner_variable_is_not_confused_with_the_outer_one():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(2.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(1.0))(2.0) == 4.0
    assert grad(lambda x: grad(lambda y: y * y * x)(x))(3.0) == 12.0


def test_jacobian():
    a = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(jacobian(lambda x: a @ x)(np.ones(3)), a)
    assert jacobian(lambda x: np.exp(x))(np.ones((2, 3))).shape == (2, 3, 2, 3)
    by_x, by_y = jacobian(lambda x, y: x * y, (0, 1))(X, Y)
    np.testing.assert_allclose(by_x, np.diag(Y))
    np.testing.assert_allclose(by_y, np.diag(X))
    assert jacobian(lambda x: x[:0])(X).shape == (0, 2)


def test_jacobian_of_softmax():
    p = functional.softmax(X)
    np.testing.assert_allclose(jacobian(functional.softmax)(X), np.diag(p) - np.outer(p, p))


def test_hessian():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    np.testing.assert_allclose(hessian(lambda x: x @ a @ x / 2)(X), a)
    blocks = hessian(cubic, (0, 1))(X, Y)
    np.testing.assert_allclose(blocks[0][0], np.diag(2 * Y))
    np.testing.assert_allclose(blocks[0][1], np.diag(2 * X))
    np.testing.assert_allclose(blocks[1][0], np.diag(2 * X))
    np.testing.assert_allclose(blocks[1][1], np.zeros((2, 2)))


def test_hessian_of_logistic_regression_at_zero_weights():
    features, labels = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]]), np.array([1, -1, 1])
    h = hessian(lambda w: losses.logistic(features @ w, labels))(np.zeros(2))
    np.testing.assert_allclose(h, features.T @ features / 4 / 3)


def test_hessian_of_a_linear_function_is_zero():
    np.testing.assert_array_equal(hessian(lambda x: (3 * x).sum())(X), np.zeros((2, 2)))
    assert grad(grad(lambda x: 2 * x))(1.0) == 0.0


def test_argument_that_does_not_matter_has_gradient_zero():
    assert grad(lambda x, y: y * y, (0, 1))(1.0, 2.0) == (0.0, 4.0)


def test_gradient_that_depends_on_a_tensor_outside_is_a_tensor():
    w = Tensor(3.0, requires_grad=True)
    g = grad(lambda x: w * x * x)(2.0)
    assert isinstance(g, Tensor)
    g.backward()
    assert w.grad == 4.0


def test_gradient_with_respect_to_a_tensor_can_be_differentiated():
    x = Tensor(X, requires_grad=True)
    penalty = (grad(lambda x: (x**3).sum())(x) ** 2).sum()
    penalty.backward()
    np.testing.assert_allclose(x.grad, 36 * X**3)


def test_a_value_that_is_a_variable_outside_stays_in_its_graph():
    assert grad(lambda w: value_and_grad(lambda x: w)(1.0)[0] * w)(3.0) == 6.0


def test_jacobian_of_nothing_stays_in_the_graph():
    assert grad(lambda x: jacobian(lambda z: z[:0])(x).sum() + x.sum())(X).tolist() == [1.0, 1.0]


def test_gradients_with_respect_to_two_arguments_are_two_tensors():
    w = Tensor(1.0, requires_grad=True)
    by_a, by_b = grad(lambda a, b: a + b + 0 * w, (0, 1))(1.0, 2.0)
    assert by_a is not by_b


def test_a_position_named_twice_is_differentiated_twice():
    for positions in [(0, 0), (0, -2)]:
        first, second = grad(cubic, positions)(X, Y)
        np.testing.assert_allclose(first, 2 * X * Y)
        np.testing.assert_allclose(second, 2 * X * Y)


def test_positions_may_be_numpy_integers():
    assert grad(cubic, np.int64(1))(X, Y).tolist() == (X**2).tolist()


def test_no_grad_gives_arrays():
    x = Tensor(X, requires_grad=True)
    with no_grad():
        g = grad(lambda x: (x * x).sum())(x)
    assert type(g) is np.ndarray
    np.testing.assert_allclose(g, 2 * X)


def test_differentiating_does_not_change_grad():
    x = Tensor(X, requires_grad=True)
    grad(lambda x: (x * x).sum())(x)
    assert x.grad is None


def test_keyword_arguments_pass_through():
    assert grad(lambda x, power: x**power)(2.0, power=3) == 12.0


def test_integers_are_refused():
    with pytest.raises(TypeError, match=r"Write 3\.0 instead of 3"):
        grad(lambda x: x * x)(3)


def test_more_than_one_number_is_refused_by_grad():
    with pytest.raises(TypeError, match=r"returned shape \(2,\).*sum\(\).*jacobian"):
        grad(lambda x: x * x)(X)


def test_function_that_returns_no_tensor_is_refused():
    with pytest.raises(TypeError, match="returned float, not a Tensor"):
        grad(lambda x: 2.0)(2.0)
    with pytest.raises(TypeError, match="returned ndarray, not a Tensor"):
        grad(lambda x: np.zeros_like(x))(2.0)
    with pytest.raises(TypeError, match="returned None: it has no return"):
        grad(lambda x: print(end=""))(2.0)


def test_what_is_no_function_is_refused():
    for transform in grad, value_and_grad, jacobian, hessian:
        with pytest.raises(TypeError, match=rf"{transform.__name__}\(f\)\(2\.0\)"):
            transform(np.ones(2))
        with pytest.raises(TypeError, match="position"):
            transform(np.sin, 1.0)


def test_argument_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="argnums=2"):
        grad(cubic, 2)(X, Y)


# Plain numbers of what is being differentiated, which would be cut off from it.


def subtract_in_place(t):
    t.data -= 1.0


TAKE = {  # every way out of the graph, for code that computes with numbers
    "float": float,
    "int": int,
    "complex": complex,
    "round": round,
    "round to digits": lambda t: round(t, 2),
    "math": math.atan,
    "item": Tensor.item,
    "numpy": Tensor.numpy,
    "tolist": Tensor.tolist,
    "data": lambda t: t.data,
    "np.asarray": np.asarray,
    "np.array": np.array,
    "array of several": lambda t: np.array([t, t]),
    "array full of it": lambda t: np.full(2, t),
    "np.float64": np.float64,
    "np.from_dlpack": np.from_dlpack,
    "__dlpack__": lambda t: t.__dlpack__(),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "data that is assigned": lambda t: setattr(t, "data", 5.0),
    "data that is changed in place": subtract_in_place,
    "Tensor": lambda t: Tensor(t, requires_grad=True),
    "Tensor of a list": lambda t: Tensor([t, t]),
    "data of another": lambda t: setattr(Tensor(1.0), "data", t),
    "gradient of another": lambda t: setattr(Tensor(1.0), "grad", t),
    "target of a loss": lambda t: losses.mse_loss(1.0, t),
    "backward": lambda t: t.backward(),
}
LOOK = {  # and every way to look at numbers, to choose and to show
    "bool": bool,
    "repr": repr,
    "str": str,
    "f-string": lambda t: f"{t}",
    "f-string of digits": lambda t: f"{t:.3f}",
    "<": lambda t: t < 2.0,
    "<=": lambda t: t <= 2.0,
    ">": lambda t: t > 2.0,
    ">=": lambda t: t >= 2.0,
    "number compared": lambda t: 2.0 < t,  # noqa: SIM300
    "==": lambda t: t == 2.0,
    "!=": lambda t: np.float64(2.0) != t,
    "compared with itself": lambda t: t == t,
    "array compared": lambda t: np.array([1.0, 4.0]) > t,
    "np.greater": lambda t: np.greater(t, 2.0),
    "np.argmax": np.argmax,
    "np.argmin": np.argmin,
    "np.argsort": lambda t: np.argsort(t.reshape(1)),
    "argmax": lambda t: t.argmax(),
    "np.isfinite": np.isfinite,
    "np.isnan": np.isnan,
    "np.any": np.any,
    "np.allclose": lambda t: np.allclose(t, 3.0),
    "np.nonzero": lambda t: np.nonzero(t.reshape(1)),
    "np.zeros_like": np.zeros_like,
    "shape": lambda t: (t.shape, t.ndim, t.size, t.dtype, np.shape(t)),
    "max of Python": lambda t: max(t, 1.0),
    "sorted": lambda t: sorted([t, 1.0]),
}
WHAT = {  # of what numbers are taken while the function of x is differentiated
    "the variable": lambda use: lambda x: (use(x), x * x)[1],
    "a result": lambda use: lambda x: (use(x * 2.0), x * x)[1],
    "a result of results": lambda use: lambda x: (use(np.exp((x + 1.0) * 2.0)), x * x)[1],
    "an element": lambda use: lambda x: (use(np.stack([x, 1.0])[1]), x * x)[1],
    "the outer variable": lambda use: (
        lambda x: grad(lambda y: (use(x), x * x * y)[1])(1.0)  # d/dy is x * x
    ),
    "a result of the outer variable": lambda use: (
        lambda x: grad(lambda y: (use(x * 2.0), x * x * y)[1])(1.0)
    ),
    "a result of both variables": lambda use: (
        lambda x: grad(lambda y: (use(x * y), x * x * y)[1])(1.0)
    ),
    "the inner variable": lambda use: lambda x: grad(lambda y: (use(y), x * x * y)[1])(1.0),
    "the inner variable, which is the outer one": lambda use: (
        lambda x: grad(lambda y: (use(y), y**3 / 3.0)[1])(x)
    ),
    "a gradient that depends on the variable": lambda use: (
        lambda x: (use(grad(lambda y: x * y * y)(1.0)), x * x)[1]
    ),
    "a value that depends on the variable": lambda use: (
        lambda x: (use(value_and_grad(lambda y: x * y)(1.0)[0]), x * x)[1]
    ),
}
TRANSFORMS = {
    "grad": (grad, 6.0),
    "value_and_grad": (lambda f: lambda x: value_and_grad(f)(x)[1], 6.0),
    "jacobian": (jacobian, 6.0),
    "hessian": (hessian, 2.0),
    "grad of grad": (lambda f: grad(grad(f)), 2.0),
}


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("way", TAKE)
def test_numbers_of_what_is_differentiated_are_not_taken(way, what):
    """A result's data cannot be set anywhere, which is a RuntimeError, as for ``backward``."""
    allowed = (TypeError, RuntimeError) if way == "data that is assigned" else TypeError
    for derivative, _ in TRANSFORMS.values():
        with pytest.raises(RuntimeError if way == "backward" else allowed, match=r"\.detach\(\)"):
            derivative(WHAT[what](TAKE[way]))(3.0)
    assert float(Tensor(1.0, requires_grad=True) * 2.0) == 2.0  # nothing remains of the refusal


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("way", LOOK)
def test_to_look_at_what_is_differentiated_is_right(way, what):
    for derivative, expected in TRANSFORMS.values():
        np.testing.assert_allclose(derivative(WHAT[what](LOOK[way]))(3.0), expected, rtol=1e-14)


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("way", TAKE)
def test_what_was_detached_gives_its_numbers(way, what):
    """As the refusal advises; what is computed beside it keeps its gradient."""

    def use(t):
        other = t.detach()
        other.requires_grad = way == "backward"
        TAKE[way](other)

    for derivative, expected in TRANSFORMS.values():
        np.testing.assert_allclose(derivative(WHAT[what](use))(3.0), expected, rtol=1e-14)


def outcome(way, t):
    """What a way out gives, or how it is refused, and the gradient that it leaves."""
    try:
        told = str(TAKE[way](t)).split(" at 0x")[0]
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        told = f"{type(error)}: {error}"
    return told, str(t.grad) if t.is_leaf else ""


INDEPENDENT = {
    "a constant": lambda: Tensor(3.0),
    "a parameter": lambda: Tensor(3.0, requires_grad=True),
    "a result of constants": lambda: Tensor(3.0) * 2.0,
    "a result of a parameter": lambda: Tensor(3.0, requires_grad=True) * 2.0,
}


@pytest.mark.parametrize("make", INDEPENDENT)
@pytest.mark.parametrize("way", TAKE)
def test_numbers_of_what_does_not_depend_on_the_variable_are_taken_as_outside(way, make):
    for derivative, expected in TRANSFORMS.values():
        seen, made_outside = [], INDEPENDENT[make]()

        def f(x, seen=seen, made_outside=made_outside):
            seen.append(outcome(way, INDEPENDENT[make]()))
            if len(seen) == 1:
                seen.append(outcome(way, made_outside))
            return x * x

        assert derivative(f)(3.0) == expected
        assert set(seen) == {outcome(way, INDEPENDENT[make]())}


@pytest.mark.parametrize("way", ["float", "item", "data", "tolist", "numpy", "round"])
def test_a_parameter_outside_gives_its_numbers_inside(way):
    w = Tensor(5.0, requires_grad=True)
    for t in w, w * 1.0, Tensor(5.0), (w * 1.0).detach():
        assert grad(lambda x, t=t: x * TAKE[way](t))(3.0) == 5.0


def test_backward_of_what_does_not_depend_on_the_variable_is_right_inside():
    w = Tensor(5.0, requires_grad=True)

    def f(x):
        (w * w).backward()
        return x * w.grad

    assert grad(f)(3.0) == 10.0


def test_advice_to_use_numpys_functions_gives_the_whole_derivative():
    with pytest.raises(TypeError, match=r"np\.exp\(t\) for math\.exp\(t\.item\(\)\)"):
        grad(lambda x: x * math.exp(x.item()))(1.0)
    np.testing.assert_allclose(grad(lambda x: x * np.exp(x))(1.0), 2 * math.e)
    np.testing.assert_allclose(grad(grad(lambda x: x * np.exp(x)))(1.0), 3 * math.e)


@pytest.mark.parametrize(
    "way", ["float", "round", "item", "numpy", "tolist", "data", "np.asarray", "copy"]
)
def test_advice_to_detach_gives_the_derivative_of_the_rest(way):
    constant = TAKE[way]
    assert grad(lambda x: x * constant(x.detach()))(3.0) == 3.0
    assert grad(lambda x: x * constant((x * x).detach()) + x)(3.0) == 10.0
    assert grad(grad(lambda x: x * x * constant(x.detach())))(3.0) == 6.0
    assert jacobian(lambda x: x * constant(x.detach()))(3.0) == 3.0
    assert hessian(lambda x: x * x * constant(x.detach()))(3.0) == 6.0


def test_advice_to_write_grad_for_backward_gives_the_whole_derivative():
    def f(x):
        square = x * x
        square.backward()
        return x * square

    with pytest.raises(RuntimeError, match=r"Write grad\(f\)\(x\) instead"):
        grad(f)(3.0)
    assert grad(lambda x: x * grad(lambda y: y * y)(x))(3.0) == 12.0

    def with_a_constant(x):
        y = x.detach()
        y.requires_grad = True
        (y * y).backward()
        return x * y.grad

    assert grad(with_a_constant)(3.0) == 6.0


def test_decisions_by_comparison_give_the_derivative_of_the_branch():
    def absolute(x):
        return 2 * x if x > 0 else -x

    assert (grad(absolute)(3.0), grad(absolute)(-3.0)) == (2.0, -1.0)

    def halved_until_small(x):
        while x > 1.0:
            x = x / 2.0
        return x

    assert grad(halved_until_small)(5.0) == 0.125

    def largest(x):
        return x[np.argmax(x)] ** 2 + np.where(x > 1.5, x, 0.0).sum()

    np.testing.assert_array_equal(grad(largest)(X), [0.0, 5.0])


def test_what_is_differentiated_is_not_changed_in_place():
    def f(x):
        with no_grad():
            x -= 1.0
        return x * x

    for transform in grad, value_and_grad, jacobian:
        with pytest.raises(TypeError, match=r"detach\(\)"):
            transform(f)(3.0)


def test_what_is_differentiated_cannot_be_frozen():
    def f(x):
        x.requires_grad = False
        return x * x

    for transform in grad, jacobian, hessian, value_and_grad:
        with pytest.raises((TypeError, RuntimeError), match=r"detach\(\)"):
            transform(f)(3.0)


def test_refused_numbers_leave_the_variables_of_an_outer_transform_as_they_were():
    def f(x):
        with pytest.raises(TypeError, match="detach"):
            grad(lambda y: y * float(y))(1.0)
        with pytest.raises(TypeError, match="detach"):
            float(x)
        return x * x

    assert grad(f)(3.0) == 6.0


def test_threads_differentiate_independently():
    def work(k):
        f = grad(lambda x: x**3 if x > 0 else x)
        assert all(f(float(k)) == 3.0 * k * k for _ in range(50))
        with pytest.raises(TypeError, match="detach"):
            grad(lambda x: x * float(x))(1.0)
        return float(Tensor(float(k), requires_grad=True))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(1, 9))) == [float(k) for k in range(1, 9)]


def test_an_empty_jacobian_is_refused_numbers_too():
    with pytest.raises(TypeError, match=r"\.detach\(\)"):
        jacobian(lambda x: x * x.data)(np.zeros(0))


@pytest.mark.parametrize("view", [lambda w: w.T, lambda w: w.reshape(2, 1)])
def test_data_of_others_that_changes_while_a_function_runs_is_noticed(view):
    w = Tensor([[1.0, 2.0]], requires_grad=True)
    y = view(w)

    def f(v):
        z = (v * y).sum()
        w.data -= 1.0
        return z

    with pytest.raises(RuntimeError, match="mix old with new"):
        grad(f)(np.ones((2, 1)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_gradient_in_the_graph_has_the_dtype_of_its_argument_too(dtype):
    x = Tensor([1.0, 2.0], requires_grad=True, dtype=dtype)
    w = Tensor([3.0, 4.0], requires_grad=True, dtype=dtype)
    g = grad(lambda x: (x * w * np.ones(2)).sum())(x)
    assert isinstance(g, Tensor)
    assert g.dtype == dtype
    (g * g).sum().backward()
    assert w.grad.dtype == dtype
    np.testing.assert_array_equal(w.grad, [6.0, 8.0])


def test_a_leaf_outside_that_equals_the_variable_is_not_taken_for_it():
    w = Tensor(3.0, requires_grad=True)
    for x in 3.0, np.ones(2):
        value, gradient = value_and_grad(lambda x: w)(x)
        assert value is w
        assert not np.any(gradient.numpy())


def test_no_grad_goes_on_after_grad():
    w = Tensor(1.0, requires_grad=True)
    with no_grad():
        grad(lambda x: x * x)(2.0)
        assert not (w * 2).requires_grad
        with pytest.raises(ZeroDivisionError):
            grad(lambda x: 1 / 0)(2.0)
        assert not (w * 2).requires_grad


# Lists and dicts of arrays, and NumPy's own errors in a function.

W, B = np.array([[1.0, 2.0]]), np.array([3.0])


@pytest.mark.parametrize(
    ("names", "f"),
    [
        ({"p": [W, B]}, lambda p: (p[0] ** 2).sum() + (p[1] ** 3).sum()),
        ({"p": (W, B)}, lambda p: (p[0] ** 2).sum() + (p[1] ** 3).sum()),
        ({"d": {"W": W, "b": B}}, lambda d: (d["W"] ** 2).sum() + (d["b"] ** 3).sum()),
        (
            {"p": [Tensor(W, requires_grad=True), B]},
            lambda p: (p[0] ** 2).sum() + (p[1] ** 3).sum(),
        ),
    ],
)
def test_the_line_for_several_arrays_gives_the_gradient_of_each(names, f):
    [argument] = names.values()
    message = rf"one array, but got a {type(argument).__name__} of several: .*Give them one by one"
    with pytest.raises(TypeError, match=message) as refusal:
        grad(f)(argument)
    line = str(refusal.value).partition("one by one: ")[2].removesuffix(".")
    of_w, of_b = eval(line, {"grad": grad, "f": f, **names})
    assert np.all(of_w == 2 * W)
    assert np.all(of_b == 3 * B**2)


def test_the_line_for_many_arrays_is_short():
    def f(p):
        return sum((x * x).sum() for x in p)

    p = [np.ones(i) for i in range(1000)]
    with pytest.raises(TypeError) as refusal:
        grad(f)(p)
    assert len(str(refusal.value)) < 600
    line = str(refusal.value).partition("one by one: ")[2].removesuffix(".")
    gradients = eval(line, {"grad": grad, "f": f, "p": p})
    assert [g.tolist() for g in gradients] == [[2.0] * i for i in range(1000)]


def test_a_list_of_numbers_is_an_array():
    np.testing.assert_array_equal(grad(lambda t: (t * t).sum())([1.0, 2.0]), [2.0, 4.0])
    rows = [np.array([1.0, 2.0]), np.array([3.0, 4.0])]
    np.testing.assert_array_equal(grad(lambda t: (t[0] * t[1]).sum())(rows), rows[::-1])


def test_a_condition_of_several_elements_is_told_of_where():
    with pytest.raises(ValueError, match="truth value") as refusal:
        grad(lambda e: e.sum() if e > 0 else -e.sum())(np.array([1.0, -2.0]))
    assert "write np.where(e > 0, a, b) for a if e > 0 else b" in refusal.value.__notes__[0]
    right = grad(lambda e: np.where(e > 0, e, -e).sum())(np.array([1.0, -2.0]))
    np.testing.assert_array_equal(right, [1.0, -1.0])


def test_writing_into_an_array_is_told_of_stack():
    def wrong(t):
        z = np.zeros(2)
        z[0] = t[0] * t[1]
        return z.sum()

    def right(t):
        return np.stack([t[0] * t[1], 2.0 * t[0]]).sum()

    with pytest.raises(ValueError, match="setting an array element") as refusal:
        grad(grad(lambda t: wrong(t)))(np.array([3.0, 4.0]))
    assert len(refusal.value.__notes__) == 1
    assert "write z = np.stack([a, b]) for z[0] = a and z[1] = b" in refusal.value.__notes__[0]
    np.testing.assert_array_equal(grad(right)(np.array([3.0, 4.0])), [6.0, 3.0])


def test_other_errors_of_a_function_have_no_notes():
    def f(_):
        raise ValueError("of my own")

    with pytest.raises(ValueError, match="of my own") as refusal:
        grad(f)(1.0)
    assert not hasattr(refusal.value, "__notes__")


def test_a_gradient_that_is_a_tensor_does_not_change_data():
    w = Tensor([1.0, 2.0], requires_grad=True)

    def f(t):
        return (t * t).sum()

    with pytest.raises(TypeError, match=r"learning_rate \* grad\(f\)\(w\.data\)"):
        w.data -= 0.1 * grad(f)(w)
    w.data -= 0.1 * grad(f)(w.data)
    np.testing.assert_allclose(w.data, [0.8, 1.6])
