"""NumPy's functions of numbers that have no record of their own, of Tensors, composed of ours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd.numpy.manipulation import array
from autograd.ops.composed import cross, deg2rad, fmax, fmin, gradient, rad2deg, sinc


def angle(z: Any, deg: bool = False) -> Any:
    """The argument of a number."""
    turned = ag.atan2(ag.imag(z), ag.real(z))
    return rad2deg(turned) if deg else turned


def logaddexp2(a: Any, b: Any) -> Any:
    """log2(2^a + 2^b)."""
    return ag.logaddexp(a * math.log(2), b * math.log(2)) / math.log(2)


def real_if_close(z: Any, tol: float = 100) -> Any:
    """The real part, if the imaginary one is but rounding."""
    return z if z.dtype.kind != "c" or np.iscomplexobj(np.real_if_close(z.value, tol)) else ag.real(z)


def inner(a: Any, b: Any) -> Any:
    """The sum of products over the last axes of both."""
    a, b = array(a), array(b)
    return a * b if 0 in (a.ndim, b.ndim) else ag.tensordot(a, b, axes=(-1, -1))


def partition(x: Any, kth: Any, axis: int | None = -1) -> Any:
    """Smaller elements before that of a place and larger ones behind it, in the order that NumPy leaves them in."""
    if axis is None:
        x, axis = ag.flatten(x), -1
    return ag.take_along_axis(x, np.argpartition(x.value, kth, axis=axis), axis)


def sort(x: Any, axis: int | None = -1, kind: str | None = None, order: None = None) -> Any:
    """In ascending order along an axis, or of all elements."""
    return ag.sort(ag.flatten(x), -1) if axis is None else ag.sort(x, axis)


def cumulated(of: Any) -> Any:
    """`cumsum` and `cumprod` with NumPy's default of all elements."""
    return lambda x, axis=None, dtype=None, out=None: of(ag.flatten(x) if axis is None else x, axis or 0)


def power(a: Any, b: Any) -> Any:
    """a to the power b."""
    return ag.pow(a, b)


OWN = {f.__name__: f for f in (
    sinc, angle, rad2deg, deg2rad, logaddexp2, fmax, fmin, real_if_close, inner, cross, gradient, partition, sort,
    power,
)} | {
    "abs": ag.abs, "absolute": ag.abs, "fabs": ag.abs, "degrees": rad2deg, "radians": deg2rad, "mod": ag.remainder,
    "cumsum": cumulated(ag.cumsum),
    "cumprod": cumulated(ag.cumprod), "real": ag.real, "imag": ag.imag, "conj": ag.conj, "conjugate": ag.conj,
    "pow": power, "true_divide": ag.divide,
}  # fmt: skip
