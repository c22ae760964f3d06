"""The calls that users of NumPy type, on Tensors: value, shape, dtype and derivatives."""

import numpy as np
import pytest

from tinygrad_edu import Tensor
from tinygrad_edu.testing import check_grads

ARRAYS = {
    "t": np.array([0.7, 0.2, 0.9, 0.4]),
    "u": np.array([0.3, 0.8, 0.13, 0.6]),
    "m": np.array([[0.53, -1.2, 2.1], [1.4, 0.3, -0.6]]),
    "n": np.array([[1.1, 0.4, -0.7], [-0.2, 0.9, 1.6]]),
    "q": np.array([[2.0, 0.5, -0.3], [0.4, 1.5, 0.2], [-0.1, 0.6, 1.8]]),
    "s": np.array(0.6),
}
PLAIN = {"np": np, "gap": np.array([True, False, True, True]), "nan": np.nan}

STATISTICS = """
m.mean()
np.mean(m, axis=0)
np.mean(m, axis=(0, 1), keepdims=True)
np.std(m)
np.std(m, axis=1, ddof=1)
m.std(axis=0)
np.var(m, axis=0)
m.var(keepdims=True)
np.average(t, weights=[1.0, 2.0, 3.0, 4.0])
np.average(m, axis=0)
np.median(m)
np.median(m, axis=1)
np.ptp(m)
np.ptp(m, axis=0)
np.sum(m, axis=-1)
m.sum(keepdims=True)
np.prod(m)
np.prod(m, axis=0)
m.prod(axis=1)
np.cumsum(t)
np.cumsum(m, axis=1)
np.cumprod(t)
np.cumprod(m, axis=0)
np.max(m)
m.max(axis=0)
np.min(m, axis=1)
np.amax(m)
np.amin(m)
np.nansum(np.where(gap, t, nan))
np.nanmean(np.where(gap, t, nan))
np.nanmax(np.where(gap, t, nan))
np.nanmin(np.where(gap, t, nan))
"""

LINEAR_ALGEBRA = """
np.linalg.norm(t)
np.linalg.norm(m)
np.linalg.norm(m, axis=1)
np.linalg.norm(t, ord=1)
np.linalg.det(q)
np.linalg.slogdet(q)[1]
np.linalg.inv(q)
np.linalg.solve(q, [1.0, 2.0, 3.0])
np.linalg.solve(q, q.T)
np.dot(t, u)
np.dot(m, q)
t.dot(u)
np.vdot(t, u)
np.inner(m, n)
np.outer(t, u)
np.matmul(m, q)
m @ n.T
[1.0, 2.0] @ m
np.tensordot(m, n, axes=2)
np.tensordot(m, q, axes=1)
np.einsum("ij,jk->ik", m, q)
np.einsum("ij,ij", m, n)
np.kron(m, n)
np.cross(m, n)
np.trace(q)
q.trace()
"""

JOINING = """
np.concatenate([m, n])
np.concatenate([m, n], axis=1)
np.concatenate((t, [1.0]))
np.stack([t, u])
np.stack([t, u], axis=-1)
np.vstack([t, u])
np.vstack([m, n])
np.hstack([t, u])
np.hstack([m, n])
np.dstack([m, n])
np.column_stack([t, u])
np.append(t, 1.0)
np.append(m, n, axis=0)
np.insert(t, 1, 9.0)
np.delete(t, 0)
np.split(t, 2)[1]
np.array_split(t, 3)[0]
np.hsplit(m, 3)[1]
np.vsplit(m, 2)[0]
"""

SHAPES = """
np.reshape(m, (3, 2))
m.reshape(-1)
np.ravel(m)
m.ravel()
m.flatten()
np.transpose(m)
m.T
m.transpose(1, 0)
np.swapaxes(m, 0, 1)
np.moveaxis(m, 0, -1)
np.rollaxis(m, 1)
np.expand_dims(t, 0)
t[:, None]
np.squeeze(t[None])
np.atleast_1d(s)
np.atleast_2d(t)
np.atleast_3d(t)
np.broadcast_to(t, (2, 4))
np.broadcast_arrays(t, s)[1]
np.tile(t, 2)
np.tile(m, (2, 1))
np.repeat(t, 2)
np.repeat(m, [1, 2], axis=0)
np.pad(t, 1)
np.pad(m, ((1, 0), (0, 2)), constant_values=1.0)
np.pad(t, 2, mode="edge")
np.pad(t, 2, mode="reflect")
np.roll(t, 1)
np.roll(m, 1, axis=1)
np.flip(t)
np.fliplr(m)
np.flipud(m)
np.rot90(m)
np.meshgrid(t, u)[0]
t[::-1]
m[m > 0]
m[[0, 0, 1]]
m[..., 0]
"""

CHOOSING = """
np.where(m > 0, m, 0.0)
np.where(m > 0, m, n)
np.take(t, [0, 2, 2])
t.take([0, 1])
np.take_along_axis(m, np.argsort(n, axis=1), axis=1)
np.select([t > 0.5, t > 0.3], [t, u], 2 * t)
np.compress([True, False, True, True], t)
np.extract(gap, t)
np.choose([0, 1, 0, 1], [t, u])
np.sort(t)
np.sort(m, axis=0)
np.diag(t)
np.diag(q)
np.diagonal(q)
np.triu(q)
np.tril(q, -1)
np.diff(t)
np.diff(m, axis=0)
np.gradient(t)
np.gradient(t, 0.5)
np.trapezoid(t)
np.trapezoid(t, dx=0.1)
np.convolve(t, [1.0, 2.0])
np.convolve(t, u, mode="same")
np.correlate(t, u)
np.interp(t, [0.0, 0.5, 1.0], [1.0, 3.0, 2.0])
np.copy(t)
t.copy()
t.astype(np.float64)
np.real(t)
"""

ELEMENTWISE = """
np.exp(t)
np.expm1(t)
np.exp2(t)
np.log(t)
np.log1p(t)
np.log2(t)
np.log10(t)
np.logaddexp(t, u)
np.sqrt(t)
np.cbrt(t)
np.square(t)
np.reciprocal(t)
np.power(t, 3)
2.0 ** t
t ** u
np.abs(m)
np.fabs(m)
np.absolute(m)
np.sign(m)
np.hypot(t, u)
np.sin(t)
np.cos(t)
np.tan(t)
np.arcsin(t)
np.arccos(t)
np.arctan(t)
np.arctan2(t, u)
np.sinh(t)
np.cosh(t)
np.tanh(t)
np.arcsinh(t)
np.arccosh(1 + t)
np.arctanh(t)
np.sinc(t)
np.deg2rad(t)
np.rad2deg(t)
np.mod(t, 0.6)
np.remainder(t, u)
np.fmod(t, u)
np.copysign(t, m[0, 0])
np.nan_to_num(np.where(gap, t, nan))
np.floor(m)
np.ceil(m)
np.trunc(m)
np.round(m)
m.round(1)
np.rint(m)
np.polyval([1.0, -2.0, 0.5], t)
np.heaviside(m, 0.5)
np.clip(m, -1.0, 1.0)
m.clip(0.0, 1.0)
np.maximum(m, 0)
np.minimum(m, n)
np.fmax(m, n)
np.fmin(m, 0.1)
"""

GROUPS = (STATISTICS, LINEAR_ALGEBRA, JOINING, SHAPES, CHOOSING, ELEMENTWISE)
CALLS = [call for group in GROUPS for call in group.strip().splitlines()]


def test_the_list_is_long_and_names_no_call_twice():
    assert len(CALLS) == len(set(CALLS))
    assert len(CALLS) > 190


@pytest.mark.parametrize("call", CALLS)
def test_a_call_on_a_tensor_is_numpys_and_is_differentiated_twice(call):
    names = [name for name in ARRAYS if name in compile(call, "call", "eval").co_names]
    arrays = [ARRAYS[name] for name in names]

    def f(*values):
        return eval(call, PLAIN | dict(zip(names, values, strict=True)))

    y, expected = f(*[Tensor(array, requires_grad=True) for array in arrays]), f(*arrays)
    assert isinstance(y, Tensor)
    assert y.requires_grad
    assert (y.shape, y.dtype) == (np.shape(expected), expected.dtype)
    np.testing.assert_allclose(y.data, expected, rtol=1e-14)
    check_grads(f, *arrays)
