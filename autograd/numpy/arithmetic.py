"""NumPy's functions of numbers that have no record of their own, of Tensors, composed of ours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from autograd.numpy.manipulation import array


def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), and 1 at 0, by its series near there."""
    t = math.pi * x
    near = abs(t.value) < 1e-2
    safe = ag.where(near, 1.0, t)
    square = t * t
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72)))
    return ag.where(near, series, ag.sin(safe) / safe)


def angle(z: Any, deg: bool = False) -> Any:
    """The argument of a number."""
    turned = ag.atan2(ag.imag(z), ag.real(z))
    return rad2deg(turned) if deg else turned


def rad2deg(x: Any) -> Any:
    """Degrees of radians."""
    return x * (180 / math.pi)


def deg2rad(x: Any) -> Any:
    """Radians of degrees."""
    return x * (math.pi / 180)


def logaddexp2(a: Any, b: Any) -> Any:
    """log2(2^a + 2^b)."""
    return ag.logaddexp(a * math.log(2), b * math.log(2)) / math.log(2)


def fmax(a: Any, b: Any) -> Any:
    """The larger, and the other beside NaN."""
    a, b = array(a), array(b)
    return ag.where(ag.isnan(a), b, ag.where(ag.isnan(b), a, ag.maximum(a, b)))


def fmin(a: Any, b: Any) -> Any:
    """The smaller, and the other beside NaN."""
    a, b = array(a), array(b)
    return ag.where(ag.isnan(a), b, ag.where(ag.isnan(b), a, ag.minimum(a, b)))


def real_if_close(z: Any, tol: float = 100) -> Any:
    """The real part, if the imaginary one is but rounding."""
    return z if z.dtype.kind != "c" or np.iscomplexobj(np.real_if_close(z.value, tol)) else ag.real(z)


def inner(a: Any, b: Any) -> Any:
    """The sum of products over the last axes of both."""
    a, b = array(a), array(b)
    return a * b if 0 in (a.ndim, b.ndim) else ag.tensordot(a, b, axes=(-1, -1))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product of three components, or of two, where its only one is given."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    a, b = ag.moveaxis(array(a), axisa, -1), ag.moveaxis(array(b), axisb, -1)
    if a.shape[-1] == 2 and b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    if not {a.shape[-1], b.shape[-1]} <= {2, 3}:
        raise ArgumentError(f"cross was given vectors of {a.shape[-1]} and {b.shape[-1]}. Expected 2 or 3 components.")
    p, q = ([x[..., 0], x[..., 1], x[..., 2] if x.shape[-1] == 3 else 0 * x[..., 0]] for x in (a, b))
    turns = [p[(k + 1) % 3] * q[(k + 2) % 3] - p[(k + 2) % 3] * q[(k + 1) % 3] for k in range(3)]
    return ag.moveaxis(ag.stack(turns, axis=-1), -1, axisc)


def gradient(x: Any, *spacing: float, axis: Any = None) -> Any:
    """Differences between neighbours, central within, by evenly spaced samples."""
    axes: Any = range(x.ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if len(steps) != len(axes) or any(np.ndim(h) for h in steps):
        raise ArgumentError(f"gradient was given spacings {spacing!r}. Expected one number, or one for each axis.")
    found = []
    for k, h in zip(axes, steps, strict=True):
        y = ag.moveaxis(x, k, 0)
        within = (y[2:] - y[:-2]) / (2 * h)
        whole = ag.concat([(y[1:2] - y[:1]) / h, within, (y[-1:] - y[-2:-1]) / h], 0)
        found.append(ag.moveaxis(whole, 0, k))
    return found[0] if len(found) == 1 else found


def partition(x: Any, kth: Any, axis: int | None = -1) -> Any:
    """Smaller elements before that of a place and larger ones behind it, in the order that NumPy leaves them in."""
    if axis is None:
        x, axis = ag.flatten(x), -1
    return ag.take_along_axis(x, np.argpartition(x.value, kth, axis=axis), axis)


def sort(x: Any, axis: int | None = -1, kind: str | None = None, order: None = None) -> Any:
    """In ascending order along an axis, or of all elements."""
    return ag.sort(ag.flatten(x), -1) if axis is None else ag.sort(x, axis)


def total(x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """`sum` with NumPy's order of arguments."""
    return ag.sum(x, axis, dtype=dtype, keepdims=keepdims)


def mean(x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """`mean` with NumPy's order of arguments."""
    return ag.mean(x if dtype is None else ag.astype(x, dtype), axis, keepdims=keepdims)


def extreme(of: Any) -> Any:
    """`max` and `min` with NumPy's order of arguments."""
    return lambda x, axis=None, out=None, keepdims=False: of(x, axis, keepdims=keepdims)


def spread(of: Any) -> Any:
    """`var` and `std` with NumPy's order of arguments."""
    return lambda x, axis=None, dtype=None, out=None, ddof=0, keepdims=False: of(x, axis, ddof=ddof, keepdims=keepdims)


def ptp(x: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest less the smallest."""
    return ag.max(x, axis, keepdims=keepdims) - ag.min(x, axis, keepdims=keepdims)


def cumulated(of: Any) -> Any:
    """`cumsum` and `cumprod` with NumPy's default of all elements."""
    return lambda x, axis=None, dtype=None, out=None: of(ag.flatten(x) if axis is None else x, axis or 0)


def power(a: Any, b: Any) -> Any:
    """a to the power b."""
    return ag.pow(a, b)


OWN = {f.__name__: f for f in (
    sinc, angle, rad2deg, deg2rad, logaddexp2, fmax, fmin, real_if_close, inner, cross, gradient, partition, sort, mean,
    ptp, power,
)} | {
    "abs": ag.abs, "absolute": ag.abs, "fabs": ag.abs, "amax": extreme(ag.max), "max": extreme(ag.max),
    "amin": extreme(ag.min), "min": extreme(ag.min), "degrees": rad2deg, "radians": deg2rad, "mod": ag.remainder,
    "sum": total, "var": spread(ag.var), "std": spread(ag.std), "cumsum": cumulated(ag.cumsum),
    "cumprod": cumulated(ag.cumprod), "real": ag.real, "imag": ag.imag, "conj": ag.conj, "conjugate": ag.conj,
    "pow": power, "true_divide": ag.divide,
}  # fmt: skip
