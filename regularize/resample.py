"""Images read between their pixels, for rotation, zoom, shear and elastic distortion, or by windows of whole ones."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError

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
    """Images read at coordinates: `ag.resample` on arrays, a kernel over threads.

    Pixels outside an image are `fill`, or the nearest on its border: scipy.ndimage's modes "grid-constant" and
    "nearest".

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
    return ag.resample(images, coordinates, order=order, fill=fill)  # type: ignore[return-value]  # arrays give an array


def windows(
    images: Images,
    corners: NDArray[np.integer],
    size: tuple[int, ...],
    *,
    turned: NDArray[np.bool] | None = None,
    fill: Fill = 0.0,
) -> Images:
    """A window of each image, at a place of its own and mirrored or not: `ag.crop` on arrays, a kernel over threads.

    >>> windows(np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[0, 1]]), (1, 3)).tolist()
    [[[[2.0, 3.0, 0.0]]]]
    """
    return ag.crop(images, corners, size, turned=turned, fill=fill)  # type: ignore[return-value]  # as above
