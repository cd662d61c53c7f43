"""NumPy's functions of numbers that have no record of their own, composed of those that have; arguments are NumPy's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ArgumentError
from autograd.ops.arrange import stacked
from autograd.ops.axes import Axes
from autograd.ops.compare import isnan, less, logical_not
from autograd.ops.complex import abs
from autograd.ops.elementwise import divide, maximum, minimum, multiply, sin, subtract, where
from autograd.ops.join import concat, stack
from autograd.ops.reduce import max, min, sum
from autograd.ops.shape import moveaxis
from autograd.primitive import public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = [
    "cross",
    "deg2rad",
    "fmax",
    "fmin",
    "gradient",
    "nanmean",
    "nansum",
    "ptp",
    "rad2deg",
    "sinc",
]


@public(np.sinc)
def sinc(x: Operand) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0, by its series near there.

    >>> import autograd as ag
    >>> ag.sinc(ag.tensor([0.0, 0.5]))
    tensor([1.        , 0.63661977])
    """
    t: Any = multiply(stacked(x), math.pi)
    near = less(abs(t), 1e-2)
    safe = where(near, 1.0, t)
    square = t * t
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72)))
    return where(near, series, sin(safe) / safe)


@public(np.rad2deg, np.degrees)
def rad2deg(x: Operand) -> Tensor:
    """Degrees of radians.

    >>> import autograd as ag
    >>> ag.rad2deg(ag.tensor(ag.pi))
    tensor(180.)
    """
    return multiply(x, 180 / math.pi)


@public(np.deg2rad, np.radians)
def deg2rad(x: Operand) -> Tensor:
    """Radians of degrees.

    >>> import autograd as ag
    >>> ag.deg2rad(ag.tensor(180.0))
    tensor(3.14159265)
    """
    return multiply(x, math.pi / 180)


@public(np.fmax)
def fmax(a: Operand, b: Operand) -> Tensor:
    """The larger, and the other beside NaN.

    >>> import autograd as ag
    >>> ag.fmax(ag.tensor([1.0, ag.nan]), 0.5)
    tensor([1. , 0.5])
    """
    return where(isnan(a), b, where(isnan(b), a, maximum(a, b)))


@public(np.fmin)
def fmin(a: Operand, b: Operand) -> Tensor:
    """The smaller, and the other beside NaN.

    >>> import autograd as ag
    >>> ag.fmin(ag.tensor([1.0, ag.nan]), 0.5)
    tensor([0.5, 0.5])
    """
    return where(isnan(a), b, where(isnan(b), a, minimum(a, b)))


@public(np.cross, np.linalg.cross)
def cross(a: Operand, b: Operand, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector product of three components, or of two, where its only one is given.

    >>> import autograd as ag
    >>> ag.cross(ag.tensor([1.0, 0.0, 0.0]), ag.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    x, y = moveaxis(stacked(a), axisa, -1), moveaxis(stacked(b), axisb, -1)
    if x.shape[-1] == 2 and y.shape[-1] == 2:
        return x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
    if not {x.shape[-1], y.shape[-1]} <= {2, 3}:
        raise ArgumentError(f"cross was given vectors of {x.shape[-1]} and {y.shape[-1]}. Expected 2 or 3 components.")
    p, q = ([t[..., 0], t[..., 1], t[..., 2] if t.shape[-1] == 3 else 0 * t[..., 0]] for t in (x, y))
    turns = [p[(k + 1) % 3] * q[(k + 2) % 3] - p[(k + 2) % 3] * q[(k + 1) % 3] for k in range(3)]
    return moveaxis(stack(turns, axis=-1), -1, axisc)


@public(np.gradient)
def gradient(x: Operand, *spacing: float, axis: Any = None) -> Any:
    """Differences between neighbours, central within, by evenly spaced samples; a list of them for several axes.

    >>> import autograd as ag
    >>> ag.gradient(ag.tensor([1.0, 4.0, 9.0]))
    tensor([3., 4., 5.])
    """
    t: Any = stacked(x)
    axes: Any = range(t.ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if len(steps) != len(axes) or [h for h in steps if np.ndim(h)]:
        raise ArgumentError(f"gradient was given spacings {spacing!r}. Expected one number, or one for each axis.")
    found = []
    for k, h in zip(axes, steps, strict=True):
        y = moveaxis(t, k, 0)
        within = (y[2:] - y[:-2]) / (2 * h)
        whole = concat([(y[1:2] - y[:1]) / h, within, (y[-1:] - y[-2:-1]) / h], 0)
        found.append(moveaxis(whole, 0, k))
    return found[0] if len(found) == 1 else found


@public(np.ptp)
def ptp(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The largest less the smallest, over the given axes.

    >>> import autograd as ag
    >>> ag.ptp(ag.tensor([3.0, 1.0, 2.0]))
    tensor(2.)
    """
    return subtract(max(x, axis, keepdims=keepdims), min(x, axis, keepdims=keepdims))


@public(np.nansum)
def nansum(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The sum of what is not NaN, over the given axes.

    >>> import autograd as ag
    >>> ag.nansum(ag.tensor([3.0, ag.nan, 2.0]))
    tensor(5.)
    """
    return sum(where(isnan(x), 0, x), axis, keepdims=keepdims)


@public(np.nanmean)
def nanmean(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The mean of what is not NaN, over the given axes; NaN of nothing else.

    >>> import autograd as ag
    >>> ag.nanmean(ag.tensor([3.0, ag.nan, 2.0]))
    tensor(2.5)
    """
    t: Any = stacked(x)
    count = sum(logical_not(isnan(t)), axis, keepdims=keepdims)
    return divide(nansum(t, axis, keepdims=keepdims), count if t.dtype.kind in "iub" else count.astype(t.real.dtype))
