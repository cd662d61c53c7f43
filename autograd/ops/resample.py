"""Images read between their pixels, and the transpose of that: what warping, rotation and zoom are composed of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from autograd.domain import REALS, Interval, case
from autograd.errors import ArgumentError, DTypeError, ShapeError
from autograd.ops.axes import shape_of
from autograd.ops.join import stack
from autograd.ops.reduce import sum
from autograd.primitive import Primitive, chain, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

Array = NDArray[Any]
Orders = tuple[int, int]  # derivatives in the row and in the column: 0, or 1, after which there is none

# Along one axis an image is read as (1 - f) a + f b of the pixels a at or before a place and b after it, f the way from
# a; its derivative is b - a. Where edges are repeated, a place outside is on the border, where nothing changes.


def _ends(p: Array, n: int, order: int, nearest: bool, edge: bool, dtype: Any) -> list[tuple[Array, Array, Any]]:
    """Along one axis, the pixels that are read, which of them there are, and what each weighs."""
    live = (p > 0) & (p < n - 1) if edge else (p > -1) & (p < n)
    q = np.where(p > 0, np.minimum(p, n - 1), 0) if edge else p
    q = q + 0.5 if nearest else q
    near = (q >= -1) & (q < n + nearest * edge)
    q = np.where(near, q, -1)
    low = np.floor(q)
    f = (q - low).astype(dtype)
    places = [low] if nearest else [low, low + 1]
    weights: list[Any] = [np.ones(p.shape)] if nearest else [-1.0 * live, 1.0 * live] if order else [1 - f, f]
    found = []
    for place, weight in zip(places, weights, strict=True):
        k = np.minimum(place, n - 1) if edge else place
        inside = (k >= 0) & (k < n)
        found.append((np.where(inside, k, 0).astype(np.intp), inside, np.asarray(weight, dtype)))
    return found


def _corners(
    shape: tuple[int, ...], p: Array, orders: Orders, nearest: bool, edge: bool, dtype: Any
) -> list[tuple[Array, Array, Array]]:
    """The places of the pixels in a plane that each output reads, whether they are there, and what they weigh."""
    high, wide = shape
    rows = _ends(p[:, 0], high, orders[0], nearest, edge, dtype)
    columns = _ends(p[:, 1], wide, orders[1], nearest, edge, dtype)
    return [(row * wide + column, there & here, w * v) for row, there, w in rows for column, here, v in columns]


def _get(x: Any, p: Any, *, orders: Orders, nearest: bool, edge: bool, fill: float) -> Array:
    n, channels, *shape = x.shape
    if nearest and orders != (0, 0):
        return np.zeros((n, channels, *p.shape[2:]), x.dtype)
    out = np.zeros((n, channels, *p.shape[2:]), x.dtype)
    for place, inside, weight in _corners(tuple(shape), p, orders, nearest, edge, x.dtype):
        if not math.prod(shape):
            out += weight[:, None] * x.dtype.type(fill)
            continue
        flat = np.broadcast_to(place.reshape(len(p), 1, math.prod(p.shape[2:])), (n, 1, math.prod(p.shape[2:])))
        found = np.take_along_axis(x.reshape(n, channels, math.prod(shape)), flat, axis=2).reshape(out.shape)
        out += weight[:, None] * np.where(inside[:, None], found, x.dtype.type(fill))
    return out


def _add(g: Any, p: Any, *, shape: Orders, orders: Orders, nearest: bool, edge: bool) -> Array:
    n, channels = g.shape[:2]
    plane = math.prod(shape)
    if plane == 0 or (nearest and orders != (0, 0)):
        return np.zeros((n, channels, *shape), g.dtype)
    out = np.zeros(n * channels * plane)
    first = np.arange(n * channels).reshape(n, channels, 1) * plane
    for place, inside, weight in _corners(shape, p, orders, nearest, edge, g.dtype):
        at = (first + place.reshape(len(p), 1, math.prod(p.shape[2:]))).reshape(-1)
        out += np.bincount(at, (g * np.where(inside, weight, 0)[:, None]).reshape(-1), out.size)
    return out.reshape(n, channels, *shape).astype(g.dtype)


def _along(g: Any, x: Any, p: Any, *, orders: Orders, nearest: bool, edge: bool, fill: float) -> Any:
    """The cotangent of the coordinates: by row and by column the slope of what was read, summed over channels."""
    parts = []
    for axis in range(2):
        raised = (orders[0] + (axis == 0), orders[1] + (axis == 1))
        if nearest or max(raised) > 1:
            parts.append(chain(0.0, p[:, axis]))
            continue
        slope = _read(x, p, orders=raised, nearest=nearest, edge=edge, fill=fill)
        part = sum(g * slope, axis=1)
        parts.append(sum(part, axis=0, keepdims=True) if p.shape[0] == 1 else part)
    return stack(parts, axis=1)


_SMOOTH = Interval(-1.7, 5.7, avoid=(-1, 0, 1, 2, 3, 4, 5))
_CASES = (
    case((2, 2, 4, 5), (2, 2, 3, 3), on=(REALS, _SMOOTH), orders=(0, 0), nearest=False, edge=False, fill=0.5),
    case((2, 2, 4, 5), (1, 2, 3, 2), on=(REALS, _SMOOTH), orders=(0, 0), nearest=False, edge=True, fill=0.0),
    case((1, 2, 4, 5), (1, 2, 3, 3), on=(REALS, _SMOOTH), orders=(0, 1), nearest=False, edge=False, fill=0.5),
    case((1, 2, 4, 5), (1, 2, 3, 3), on=(REALS, _SMOOTH), orders=(0, 0), nearest=True, edge=False, fill=0.5),
)
_read: Primitive = primitive(
    "resample",
    "x coordinates",
    _get,
    vjp=(
        lambda g, coordinates, *, orders, nearest, edge, input_shape: _spread(
            g, coordinates, shape=input_shape[2:], orders=orders, nearest=nearest, edge=edge
        ),
        lambda g, x, coordinates, *, orders, nearest, edge, fill: _along(
            g, x, coordinates, orders=orders, nearest=nearest, edge=edge, fill=fill
        ),
    ),
    cases=_CASES,
    doc="Images at coordinates between their pixels, or the derivative of that by the row, the column, or both.",
)
_spread: Primitive = primitive(
    "resample_transpose",
    "g coordinates",
    _add,
    vjp=(
        lambda h, coordinates, *, orders, nearest, edge: _read(
            h, coordinates, orders=orders, nearest=nearest, edge=edge, fill=0.0
        ),
        lambda h, g, coordinates, *, orders, nearest, edge: _along(
            g, h, coordinates, orders=orders, nearest=nearest, edge=edge, fill=0.0
        ),
    ),
    cases=(
        case((2, 2, 3, 3), (2, 2, 3, 3), on=(REALS, _SMOOTH), shape=(4, 5), orders=(0, 0), nearest=False, edge=False),
        case((2, 2, 3, 2), (1, 2, 3, 2), on=(REALS, _SMOOTH), shape=(4, 5), orders=(1, 0), nearest=False, edge=True),
    ),
    doc="Each element added to the pixels that it was read from: the transpose of resample in its images.",
)


@public()
def resample(
    x: Operand,
    coordinates: Operand,
    *,
    order: Literal["bilinear", "nearest"] = "bilinear",
    fill: float | Literal["edge"] = 0.0,
) -> Tensor:
    """Images read at coordinates: y[n, c, i, j] = x[n, c, rows[n, i, j], columns[n, i, j]].

    Bilinear: the mean of the four pixels around, weighted by nearness; nearest: the pixel that is nearest, the lower
    right one of two. Pixels outside an image are `fill`, or the nearest on its border. Differentiable in both
    arguments; at whole coordinates the derivative is that to the right.

    Parameters:
        x: (N, C, H, W), floating.
        coordinates: rows and columns in pixels, from 0: (N, 2, H', W'), or (1, 2, H', W') for the same in all images.
        order: "bilinear" or "nearest".
        fill: a number, or "edge".

    Returns:
        (N, C, H', W') of the images' dtype.

    Raises:
        ShapeError: shapes that do not fit, or repeated edges of an empty image.
        DTypeError: whole numbers.
        ArgumentError: an unknown order or fill.

    Jaderberg, Simonyan, Zisserman and Kavukcuoglu, "Spatial transformer networks", 2015.

    >>> import autograd as ag
    >>> image = ag.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    >>> ag.resample(image, ag.tensor([[[[0.5]], [[0.5]]]])).item()
    1.5
    """
    if order not in ("bilinear", "nearest"):
        raise ArgumentError(f"resample was given order={order!r}. Expected 'bilinear' or 'nearest'.")
    if isinstance(fill, str) and fill != "edge":
        raise ArgumentError(f"resample was given fill={fill!r}. Expected a number, or 'edge' to repeat the border.")
    edge = fill == "edge"
    a, b = shape_of(x), shape_of(coordinates)
    if len(a) != 4 or len(b) != 4 or b[:2] not in ((a[0], 2), (1, 2)) or (edge and 0 in a[2:]):
        raise ShapeError(
            f"resample was given images of shape {a} and coordinates of shape {b}. "
            "Expected (N, C, H, W) and (N, 2, H', W')."
        )
    x, coordinates = (v if hasattr(v, "dtype") else np.asarray(v) for v in (x, coordinates))
    for v in (x, coordinates):
        if v.dtype.kind != "f":
            raise DTypeError(f"resample was given an array of dtype {v.dtype}. Expected floats: x.astype('float32').")
    value = 0.0 if isinstance(fill, str) else float(fill)
    return _read(x, coordinates, orders=(0, 0), nearest=order == "nearest", edge=edge, fill=value)
