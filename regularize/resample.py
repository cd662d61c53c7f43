"""Reading images between their pixels: what rotation, shift, zoom, shear and elastic distortion have in common."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError, ShapeError

Order: TypeAlias = Literal["bilinear", "nearest"]
Fill: TypeAlias = float | Literal["edge"]
Images: TypeAlias = NDArray[Any]


def check_resampling(order: str, fill: Fill, who: str) -> None:
    """Refuse settings that `resample` does not take.

    Raises:
        ArgumentError: an unknown order or fill.

    >>> check_resampling("nearest", "edge", "Rotation")
    """
    if order not in ("bilinear", "nearest"):
        raise ArgumentError(f"{who} was given order={order!r}. Expected 'bilinear' or 'nearest'.")
    if isinstance(fill, str) and fill != "edge":
        raise ArgumentError(f"{who} was given fill={fill!r}. Expected a number, or 'edge' to repeat the border.")


def resample(
    images: Images, coordinates: NDArray[np.floating], *, order: Order = "bilinear", fill: Fill = 0.0
) -> Images:
    """Images read at coordinates: output[n, c, i, j] = images[n, c, rows[n, i, j], columns[n, i, j]].

    Bilinear: the mean of the four pixels around, weighted by nearness; nearest: the pixel that is nearest, the lower
    right one of two. Pixels outside an image are `fill`, or the nearest on its border: scipy.ndimage's modes
    "grid-constant" and "nearest".

    Parameters:
        images: (N, C, H, W), floating.
        coordinates: rows and columns in pixels, from 0, (N, 2, H', W'); (1, 2, H', W') for the same in all images.
        order: "bilinear" or "nearest".
        fill: a number, or "edge".

    Returns:
        (N, C, H', W') of the images' dtype.

    Raises:
        ShapeError: shapes that do not fit.
        ArgumentError: an unknown order or fill.

    >>> image = np.array([[[[0.0, 1.0], [2.0, 3.0]]]])
    >>> resample(image, np.array([[[[0.5]], [[0.5]]]])).item()
    1.5
    """
    check_resampling(order, fill, "resample")
    if images.ndim != 4 or coordinates.ndim != 4 or coordinates.shape[:2] not in ((len(images), 2), (1, 2)):
        raise ShapeError(
            f"resample was given images of shape {images.shape} and coordinates of shape {coordinates.shape}. "
            "Expected (N, C, H, W) and (N, 2, H', W')."
        )
    rows, columns = coordinates[:, 0], coordinates[:, 1]
    if order == "nearest":
        return _pixels(images, np.floor(rows + 0.5), np.floor(columns + 0.5), fill)
    top, left = np.floor(rows), np.floor(columns)
    down, right = ((x - y).astype(images.dtype)[:, None] for x, y in ((rows, top), (columns, left)))
    above = _pixels(images, top, left, fill)
    above += right * (_pixels(images, top, left + 1, fill) - above)
    below = _pixels(images, top + 1, left, fill)
    below += right * (_pixels(images, top + 1, left + 1, fill) - below)
    below -= above
    below *= down
    above += below
    return above


def _pixels(images: Images, rows: NDArray[np.floating], columns: NDArray[np.floating], fill: Fill) -> Images:
    """The pixels at whole coordinates."""
    n, c, height, width = images.shape
    row = np.clip(rows, 0, height - 1)
    column = np.clip(columns, 0, width - 1)
    place = (row * width + column).astype(np.intp).reshape(len(rows), 1, math.prod(rows.shape[1:]))
    flat = images.reshape(n, c, height * width)
    found = np.take_along_axis(flat, np.broadcast_to(place, (n, 1, place.shape[2])), axis=2)
    found = found.reshape(n, c, *rows.shape[1:])
    if fill == "edge":
        return found
    outside = (row != rows) | (column != columns)
    np.copyto(found, fill, where=outside[:, None])
    return found
