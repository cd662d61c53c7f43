"""Axes and shapes as users give them, made definite; every error names what was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.errors import IndexOutOfRange, ShapeError

Axes = int | Sequence[int] | None


def rank(x: Any) -> int:
    """Number of axes of a Tensor, array, nested list or scalar."""
    return x.ndim if hasattr(x, "ndim") else np.ndim(x)


def shape_of(x: Any) -> tuple[int, ...]:
    """Shape of a Tensor, array, nested list or scalar."""
    return x.shape if hasattr(x, "shape") else np.shape(x)


def one_axis(axis: Any, ndim: int, name: str) -> int:
    """`axis` in 0..ndim-1, counted from the end if negative.

    >>> one_axis(-1, 3, "sum")
    2
    """
    try:
        k = int(axis.__index__())
    except AttributeError:
        raise ShapeError(f"{name} was given axis={axis!r}. Expected an integer.") from None
    if not -ndim <= k < ndim:
        allowed = f"-{ndim} to {ndim - 1}" if ndim else "none: it is 0-d"
        raise IndexOutOfRange(f"{name} was given axis {k} for an array of {ndim} axes. Axes that exist: {allowed}.")
    return k % ndim


def definite_axes(axis: Axes, ndim: int, name: str) -> tuple[int, ...]:
    """The axes meant: all of them for None; each at most once.

    >>> definite_axes(None, 2, "sum"), definite_axes((-1, 0), 2, "sum")
    ((0, 1), (0, 1))
    """
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, Sequence):
        return (one_axis(axis, ndim, name),)
    axes = tuple(sorted(one_axis(a, ndim, name) for a in axis))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name} was given axis={tuple(axis)}, which names an axis twice.")
    return axes


def kept_shape(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """The shape with length 1 at the reduced axes.

    >>> kept_shape((2, 3), (1,))
    (2, 1)
    """
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


def definite_shape(shape: Any, size: int, name: str) -> tuple[int, ...]:
    """The shape with its one -1 worked out.

    >>> definite_shape((2, -1), 6, "reshape")
    (2, 3)
    """
    several = type(shape) is tuple or isinstance(shape, Sequence | np.ndarray)
    wanted = tuple(map(int, shape)) if several else (int(shape),)
    known = 1
    for n in wanted:
        known *= n if n != -1 else 1
    if wanted.count(-1) == 1 and known and size % known == 0:
        return tuple(size // known if n == -1 else n for n in wanted)
    if -1 in wanted or known != size or min(wanted, default=0) < 0:
        raise ShapeError(
            f"{name} was given shape {wanted} for {size} elements. Expected lengths whose product is {size}."
        )
    return wanted
