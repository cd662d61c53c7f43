"""A window of each image, at a place of its own and mirrored or not, and the transpose of that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from autograd.domain import REALS, Booleans, Integers, case
from autograd.errors import ArgumentError, DTypeError, ShapeError
from autograd.ops.axes import shape_of
from autograd.primitive import Primitive, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

Array = NDArray[Any]
Pair = tuple[int, int]


def lines(corners: Array, turned: Array, size: Pair) -> tuple[Array, Array]:
    """The first row and column that each window reads, and the step from one to the next, 1 or -1: (N, 2) each.

    >>> lines(np.array([[0, 4]]), np.array([[False, True]]), (2, 3))
    (array([[0, 6]]), array([[ 1, -1]]))
    """
    return corners + turned * (np.array(size) - 1), 1 - 2 * turned


def _places(corners: Array, turned: Array, size: Pair, shape: Pair, edge: bool) -> tuple[Array, Array]:
    """Where in a plane each element of a window lies, (N, 1, H' W'), and whether it does."""
    first, steps = lines(np.asarray(corners), np.asarray(turned), size)
    rows, columns = (first[:, k, None] + steps[:, k, None] * np.arange(size[k]) for k in range(2))
    high, wide = shape
    inside = ((rows >= 0) & (rows < high))[:, :, None] & ((columns >= 0) & (columns < wide))[:, None]
    rows, columns = rows.clip(0, high - 1), columns.clip(0, wide - 1)
    flat = (len(corners), 1, math.prod(size))
    places = rows[:, :, None] * wide + columns[:, None]
    return places.reshape(flat), (inside | edge).reshape(flat)


def _get(x: Any, corners: Any, turned: Any, *, size: Pair, edge: bool, fill: float) -> Array:
    n, channels, *shape = x.shape
    out = np.full((n, channels, math.prod(size)), fill, x.dtype)
    if math.prod(shape):
        places, inside = _places(corners, turned, size, tuple(shape), edge)
        found = np.take_along_axis(x.reshape(n, channels, math.prod(shape)), places, axis=2)
        np.copyto(out, found, where=inside)
    return out.reshape(n, channels, *size)


def _add(g: Any, corners: Any, turned: Any, *, shape: Pair, edge: bool) -> Array:
    n, channels, *size = g.shape
    plane = math.prod(shape)
    out = np.zeros(n * channels * plane, g.dtype)
    if plane:
        places, inside = _places(corners, turned, tuple(size), shape, edge)
        at = np.arange(n * channels).reshape(n, channels, 1) * plane + places
        np.add.at(out, at.reshape(-1), (g.reshape(n, channels, math.prod(size)) * inside).reshape(-1))
    return out.reshape(n, channels, *shape)


_ON = (REALS, Integers(-2, 4), Booleans())
_cropped: Primitive = primitive(
    "crop",
    "x corners turned",
    _get,
    vjp=(
        lambda g, corners, turned, *, size, edge, fill, input_shape: _uncropped(
            g, corners, turned, shape=input_shape[2:], edge=edge
        ),
        None,
        None,
    ),
    cases=tuple(
        case((2, 2, 4, 5), (2, 2), (2, 2), on=_ON, size=(3, 4), edge=edge, fill=fill)
        for edge, fill in ((False, 0.5), (True, 0.0))
    ),
    doc="A window of each image at a place of its own, mirrored or not.",
)
_uncropped: Primitive = primitive(
    "crop_transpose",
    "g corners turned",
    _add,
    vjp=(
        lambda h, corners, turned, *, shape, edge, input_shape: _cropped(
            h, corners, turned, size=input_shape[2:], edge=edge, fill=0.0
        ),
        None,
        None,
    ),
    cases=tuple(case((2, 2, 3, 4), (2, 2), (2, 2), on=_ON, shape=(4, 5), edge=edge) for edge in (False, True)),
    doc="Each element of the windows added to the pixel that it was read from: the transpose of crop.",
)


@public()
def crop(
    x: Operand,
    corners: Operand,
    size: tuple[int, ...],
    *,
    turned: Operand | None = None,
    fill: float | Literal["edge"] = 0.0,
) -> Tensor:
    """A window of each image: y[n, c, i, j] = x[n, c, top[n] + i, left[n] + j], from the other end where it is turned.

    Windows may reach beyond the images: crops of padded images, and shifts by whole pixels, are windows that do.

    Parameters:
        x: (N, C, H, W).
        corners: the row and the column that each window begins with, whole numbers, (N, 2).
        size: height and width of the windows.
        turned: whether rows, and columns, of each window are in reverse order, booleans, (N, 2).
        fill: what is outside an image: a number, or "edge" for the nearest pixel of its border.

    Returns:
        (N, C, *size) of the images' dtype.

    Raises:
        ShapeError: shapes that do not fit, or repeated edges of an empty image.
        DTypeError: corners that are no whole numbers.
        ArgumentError: another fill.

    >>> import autograd as ag
    >>> x = ag.tensor([[[[1.0, 2.0, 3.0]]]])
    >>> ag.crop(x, [[0, 1]], (1, 3)).tolist()
    [[[[2.0, 3.0, 0.0]]]]
    >>> ag.crop(x, [[0, 0]], (1, 3), turned=[[False, True]]).tolist()
    [[[[3.0, 2.0, 1.0]]]]
    """
    if isinstance(fill, str) and fill != "edge":
        raise ArgumentError(f"crop was given fill={fill!r}. Expected a number, or 'edge' to repeat the border.")
    a, high, wide = shape_of(x), *size
    corners = corners if hasattr(corners, "dtype") else np.asarray(corners)
    turned = np.zeros(shape_of(corners), bool) if turned is None else turned
    turned = turned if hasattr(turned, "dtype") else np.asarray(turned)
    if len(a) != 4 or any(shape_of(v) != (a[0], 2) for v in (corners, turned)) or (fill == "edge" and 0 in a[2:]):
        raise ShapeError(
            f"crop was given images of shape {a}, corners of shape {shape_of(corners)} and turned of shape "
            f"{shape_of(turned)}. Expected (N, C, H, W), (N, 2) and (N, 2)."
        )
    if corners.dtype.kind not in "iu" or turned.dtype.kind != "b":
        raise DTypeError(
            f"crop was given corners of dtype {corners.dtype} and turned of dtype {turned.dtype}. "
            "Expected whole numbers and booleans."
        )
    value = 0.0 if isinstance(fill, str) else float(fill)
    return _cropped(x, corners, turned, size=(high, wide), edge=fill == "edge", fill=value)
