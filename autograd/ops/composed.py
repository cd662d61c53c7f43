"""NumPy's functions of numbers that have no record of their own, composed of those that have; arguments are NumPy's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ArgumentError, IndexOutOfRange
from autograd.ops.arrange import stacked
from autograd.ops.axes import Axes, one_axis
from autograd.ops.compare import equal, isnan, less, logical_not
from autograd.ops.complex import abs, sign
from autograd.ops.elementwise import divide, logaddexp, maximum, minimum, multiply, remainder, sin, subtract, where
from autograd.ops.index import take
from autograd.ops.join import concat, stack
from autograd.ops.reduce import max, min, sum
from autograd.ops.running import diff
from autograd.ops.search import sort
from autograd.ops.shape import astype, broadcast_to, moveaxis, reshape
from autograd.primitive import public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = [
    "compress",
    "cross",
    "deg2rad",
    "delete",
    "ediff1d",
    "extract",
    "fmax",
    "fmin",
    "fmod",
    "gradient",
    "heaviside",
    "insert",
    "logaddexp2",
    "nanmean",
    "nansum",
    "partition",
    "ptp",
    "rad2deg",
    "select",
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
def gradient(x: Operand, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Differences between neighbours, central within, one-sided at the ends; a list of them for several axes.

    Parameters:
        x: samples.
        spacing: the distance between neighbours, or their places, for all axes or for each; 1 if not given.
        axis: along which; all for None.
        edge_order: 1 or 2, the order to which the ends are right.

    >>> import autograd as ag
    >>> ag.gradient(ag.tensor([1.0, 4.0, 9.0]))
    tensor([3., 4., 5.])
    """
    t: Any = stacked(x)
    axes: Any = range(t.ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if len(steps) != len(axes) or edge_order not in (1, 2):
        raise ArgumentError(
            f"gradient was given {len(spacing)} spacings and edge_order={edge_order} for {len(axes)} axes. Expected "
            "one spacing, or one for each axis, and edge_order 1 or 2."
        )
    found = [
        moveaxis(_slopes(moveaxis(t, k, 0), stacked(h), edge_order), 0, k) for k, h in zip(axes, steps, strict=True)
    ]
    return found[0] if len(found) == 1 else found


def _slopes(y: Any, h: Any, edge_order: int) -> Any:
    """The slopes along the first axis, by second order within, for a distance or for places."""
    n = y.shape[0]
    if n <= edge_order or (h.ndim and h.shape != (n,)):
        raise ArgumentError(
            f"gradient was given {n} samples with a spacing of shape {h.shape}. Expected more than {edge_order} "
            "samples, and one number, or a place for each."
        )
    steps = reshape(diff(h), (-1,) + (1,) * (y.ndim - 1)) if h.ndim else None
    a, b = (h, h) if steps is None else (steps[:-1], steps[1:])  # before and after each sample within
    rises = y[1:] - y[:-1] if steps is None else (y[1:] - y[:-1]) / steps
    rises = rises / h if steps is None else rises
    within = (b * rises[:-1] + a * rises[1:]) / (a + b)
    first, last = rises[:1], rises[-1:]
    if edge_order == 2:  # straight on from the two slopes beside each end
        p, q = (1, 1) if steps is None else (steps[:1], steps[1:2])
        r, s = (1, 1) if steps is None else (steps[-2:-1], steps[-1:])
        first = first - p * (rises[1:2] - rises[:1]) / (p + q)
        last = last + s * (rises[-1:] - rises[-2:-1]) / (r + s)
    return concat([first, within, last], 0)


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


@public(np.logaddexp2)
def logaddexp2(a: Operand, b: Operand) -> Tensor:
    """log2(2^a + 2^b), without overflow.

    >>> import autograd as ag
    >>> ag.logaddexp2(ag.tensor(3.0), 3.0)
    tensor(4.)
    """
    return divide(logaddexp(multiply(a, math.log(2)), multiply(b, math.log(2))), math.log(2))


@public(np.fmod)
def fmod(a: Operand, b: Operand) -> Tensor:
    """What is left of a after whole multiples of b, with the sign of a: C's, where `remainder` is Python's.

    >>> import autograd as ag
    >>> ag.fmod(ag.tensor(-5.0), 3.0)
    tensor(-2.)
    """
    rest = remainder(abs(a), abs(b))
    return where(less(a, 0), -rest, rest)


@public(np.heaviside)
def heaviside(x: Operand, at_zero: Operand) -> Tensor:
    """0 below zero, 1 above, `at_zero` at zero; NaN of NaN. Flat in x.

    >>> import autograd as ag
    >>> ag.heaviside(ag.tensor([-2.0, 0.0, 2.0]), 0.5)
    tensor([0. , 0.5, 1. ])
    """
    t: Any = stacked(x)
    return where(equal(t, 0), at_zero, (sign(t) + 1) / 2)


@public(np.partition)
def partition(x: Operand, kth: int | Sequence[int], axis: int | None = -1) -> Tensor:
    """Smaller elements before that of a place and larger ones behind it, as `sort` leaves them.

    >>> import autograd as ag
    >>> ag.partition(ag.tensor([3.0, 1.0, 2.0]), 1)
    tensor([1., 2., 3.])
    """
    t: Any = stacked(x)
    length = t.size if axis is None else t.shape[axis]
    for k in [kth] if isinstance(kth, (int, np.integer)) else kth:
        if not -length <= k < length:
            raise IndexOutOfRange(f"partition was given place {k} of {length} elements.")
    return sort(t, axis)


@public(np.select)
def select(condlist: Sequence[Operand], choicelist: Sequence[Operand], default: Operand = 0) -> Tensor:
    """Of each place, the choice of the first condition that holds there.

    >>> import autograd as ag
    >>> ag.select([[True, False]], [ag.tensor([1.0, 2.0])], 9.0)
    tensor([1., 9.])
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ArgumentError(
            f"select was given {len(condlist)} conditions and {len(choicelist)} choices. Expected as many, and some."
        )
    found: Any = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        found = where(stacked(condition), choice, found)
    return found  # type: ignore[no-any-return]


@public(np.ediff1d)
def ediff1d(x: Operand, to_end: Operand | None = None, to_begin: Operand | None = None) -> Tensor:
    """Differences between neighbours of the flattened x, between other values at both ends.

    >>> import autograd as ag
    >>> ag.ediff1d(ag.tensor([1.0, 4.0, 9.0]), to_end=0.0)
    tensor([3., 5., 0.])
    """
    steps = diff(reshape(stacked(x), (-1,)))
    before, after = ([] if end is None else [reshape(stacked(end), (-1,))] for end in (to_begin, to_end))
    return concat([*before, steps, *after], 0)


@public(np.delete)
def delete(x: Operand, obj: Any, axis: int | None = None) -> Tensor:
    """Without the places of an axis that an index, a slice or a list of indices names; of the flattened x for None.

    >>> import autograd as ag
    >>> ag.delete(ag.tensor([1.0, 2.0, 3.0]), 1)
    tensor([1., 3.])
    """
    t: Any = stacked(x)
    t, axis = (reshape(t, (-1,)), 0) if axis is None else (t, axis)
    k = one_axis(axis, t.ndim, "delete")
    return take(t, np.delete(np.arange(t.shape[k]), obj), k)


@public(np.insert)
def insert(x: Operand, obj: Any, values: Operand, axis: int | None = None) -> Tensor:
    """With other values before the places of an axis that are named; of the flattened x for None.

    >>> import autograd as ag
    >>> ag.insert(ag.tensor([1.0, 3.0]), 1, 2.0)
    tensor([1., 2., 3.])
    """
    t: Any = stacked(x)
    new: Any = stacked(values)
    t, axis = (reshape(t, (-1,)), 0) if axis is None else (t, axis)
    k = one_axis(axis, t.ndim, "insert")
    length = t.shape[k]
    if np.ndim(obj) == 0 and not isinstance(obj, slice):  # the first axis of several values is that of the places
        new = moveaxis(reshape(new, (1,) * (t.ndim - new.ndim) + new.shape), 0, k)
        count = new.shape[k]
    else:
        count = len(np.insert(np.arange(length), obj, -1)) - length
    new = broadcast_to(new, (*t.shape[:k], count, *t.shape[k + 1 :]))
    order = np.insert(np.arange(length), obj, np.arange(length, length + count))
    return take(concat([t, astype(new, t.dtype)], k), order, k)


@public(np.compress)
def compress(condition: Any, x: Operand, axis: int | None = None) -> Tensor:
    """The places of an axis where a condition holds; of the flattened x for None.

    >>> import autograd as ag
    >>> ag.compress([True, False], ag.tensor([1.0, 2.0]))
    tensor([1.])
    """
    t: Any = stacked(x)
    t, axis = (reshape(t, (-1,)), 0) if axis is None else (t, axis)
    return take(t, np.flatnonzero(condition), axis)


@public(np.extract)
def extract(condition: Any, x: Operand) -> Tensor:
    """The elements of the flattened x where a condition holds.

    >>> import autograd as ag
    >>> ag.extract([True, False], ag.tensor([1.0, 2.0]))
    tensor([1.])
    """
    return compress(np.ravel(condition), x)
