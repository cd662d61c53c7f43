"""Rotation, shift, zoom and shear: affine maps of the plane, all by one resampler, with one interpolation."""

from __future__ import annotations

from abc import abstractmethod
from math import inf, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError
from regularize.augment import Array, Augmentation, Stream
from regularize.resample import Fill, Order, check_resampling, resample, windows

Floats = NDArray[np.float64]
Range = float | tuple[float, float]


def affine_coordinates(matrices: Floats, shifts: Floats, height: int, width: int) -> Floats:
    """Where the pixels of the changed images come from: p = A^-1 (q - c - t) + c, with c the middle of the image.

    Parameters:
        matrices: A of each image, on (row, column): (N, 2, 2).
        shifts: t of each image, in pixels: (N, 2).
        height, width: of the images.

    Returns:
        Coordinates for `resample`, (N, 2, H, W).

    >>> affine_coordinates(np.eye(2)[None], np.array([[0.0, 1.0]]), 1, 2).tolist()
    [[[[0.0, 0.0]], [[-1.0, 0.0]]]]
    """
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    inverse = np.linalg.inv(matrices)
    first = middle - (inverse @ (middle + shifts)[:, :, None])[:, :, 0]  # where (0, 0) comes from
    down = first[:, :, None] + inverse[:, :, :1] * np.arange(height)
    right = inverse[:, :, 1:] * np.arange(width)
    found: Floats = down[:, :, :, None] + right[:, :, None]
    return found


def affine(images: Array, matrices: Floats, shifts: Floats, *, order: Order = "bilinear", fill: Fill = 0.0) -> Array:
    """Images whose content is moved by q = A (p - c) + c + t: what was at p is now at q; c is the middle.

    Parameters:
        images: (N, C, H, W), floating.
        matrices: A of each image, on (row, column): (N, 2, 2).
        shifts: t of each image, in pixels: (N, 2).
        order: "bilinear" or "nearest".
        fill: what comes in from outside: a number, or "edge".

    >>> affine(np.array([[[[1.0, 2.0]]]]), np.eye(2)[None], np.array([[0.0, 1.0]])).tolist()
    [[[[0.0, 1.0]]]]
    """
    if (shifts == np.rint(shifts)).all() and (matrices == np.eye(2)).all():  # by whole pixels: nothing between them
        return windows(images, -shifts.astype(np.int64), images.shape[2:], fill=fill)
    coordinates = affine_coordinates(matrices, shifts, images.shape[2], images.shape[3])
    return resample(images, coordinates, order=order, fill=fill)


def rotations(degrees: Floats) -> Floats:
    """Matrices on (row, column) that turn by angles, anticlockwise as one sees it: (N, 2, 2).

    >>> np.round(rotations(np.array([90.0])), 12).tolist()
    [[[0.0, -1.0], [1.0, 0.0]]]
    """
    angle = degrees * (pi / 180)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2)


def shears(degrees: Floats) -> Floats:
    """Matrices on (row, column) that lean upright lines by angles, to the left as one sees it: (N, 2, 2).

    >>> np.round(shears(np.array([45.0])), 12).tolist()
    [[[1.0, 0.0], [1.0, 1.0]]]
    """
    one, slope = np.ones_like(degrees), np.tan(degrees * (pi / 180))
    return np.stack([one, 0 * one, slope, one], -1).reshape(-1, 2, 2)


def between(value: Range, name: str, who: str) -> tuple[float, float]:
    """The range that is meant: from -value to value, or as given.

    Raises:
        ArgumentError: if it is not finite, or its end before its start.

    >>> between(10, "degrees", "Rotation"), between((0, 5), "degrees", "Rotation")
    ((-10, 10), (0, 5))
    """
    low, high = value if isinstance(value, (tuple, list)) else (-value, value)
    if not -inf < low <= high < inf:
        raise ArgumentError(f"{who} was given {name}={value}. Expected a size, or (low, high) with low <= high.")
    return low, high


def magnification(value: tuple[float, float], who: str) -> tuple[float, float]:
    """A range of factors.

    Raises:
        ArgumentError: if it is none, or not above 0.

    >>> magnification((0.8, 1.2), "Zoom")
    (0.8, 1.2)
    """
    if not (isinstance(value, (tuple, list)) and len(value) == 2 and 0 < value[0] <= value[1] < inf):
        raise ArgumentError(f"{who} was given zoom={value}. Expected (low, high) with 0 < low <= high: (0.8, 1.2).")
    return value[0], value[1]


class AffineAugmentation(Augmentation):
    """The interface of affine changes: write `maps`.

    Parameters:
        order: "bilinear" or "nearest".
        fill: what comes in from outside: a number, or "edge".
        generator: as in `Transform`.

    Raises:
        ArgumentError: another order or fill.
    """

    def __init__(self, *, order: Order = "bilinear", fill: Fill = 0.0, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        check_resampling(order, fill, type(self).__name__)
        self.order, self.fill = order, fill

    @abstractmethod
    def maps(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """n matrices (n, 2, 2) and shifts in pixels (n, 2), as in `affine`."""

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to the same."""
        return affine(x, *self.maps(len(x), rng), order=self.order, fill=self.fill)


class Rotation(AffineAugmentation):
    """Each image turned about its middle, by an angle of its own.

    Parameters:
        degrees: the angle is uniform from -degrees to degrees, or in (low, high); anticlockwise.
        order, fill, generator: as in `AffineAugmentation`.

    Raises:
        ArgumentError: a range that is none, another order or fill.

    >>> np.round(Rotation((90, 90))(np.array([[[[1.0, 2.0], [3.0, 4.0]]]])), 12).tolist()
    [[[[2.0, 4.0], [1.0, 3.0]]]]
    """

    def __init__(self, degrees: Range, **settings: Any) -> None:
        super().__init__(**settings)
        self.degrees = between(degrees, "degrees", "Rotation")

    def maps(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Rotations, without shifts."""
        return rotations(rng.uniform(*self.degrees, n)), np.zeros((n, 2))


class Shift(AffineAugmentation):
    """Each image moved, up or down and left or right, by distances of its own.

    Parameters:
        pixels: each distance is uniform from -pixels to pixels, or in (low, high); down and right.
        whole: whether distances are whole numbers of pixels, so that nothing is blurred.
        order, fill, generator: as in `AffineAugmentation`.

    Raises:
        ArgumentError: a range that is none, another order or fill.

    >>> Shift((1, 1))(np.array([[[[1.0, 2.0], [3.0, 4.0]]]])).tolist()
    [[[[0.0, 0.0], [0.0, 1.0]]]]
    """

    def __init__(self, pixels: Range, *, whole: bool = False, **settings: Any) -> None:
        super().__init__(**settings)
        self.pixels, self.whole = between(pixels, "pixels", "Shift"), whole

    def maps(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """The identity, with shifts."""
        low, high = self.pixels
        shifts = rng.uniform(low, high, (n, 2))
        if self.whole:
            shifts = rng.integers(round(low), round(high) + 1, (n, 2)).astype(np.float64)
        return np.broadcast_to(np.eye(2), (n, 2, 2)), shifts


class Zoom(AffineAugmentation):
    """Each image magnified about its middle, by a factor of its own.

    Parameters:
        zoom: the range of the factor, (low, high): above 1 magnifies.
        order, fill, generator: as in `AffineAugmentation`.

    Raises:
        ArgumentError: a range that is none, another order or fill.

    >>> Zoom((2.0, 2.0))(np.array([[[[0.0, 4.0]]]])).tolist()
    [[[[1.0, 3.0]]]]
    """

    def __init__(self, zoom: tuple[float, float] = (0.9, 1.1), **settings: Any) -> None:
        super().__init__(**settings)
        self.zoom = magnification(zoom, "Zoom")

    def maps(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Multiples of the identity, without shifts."""
        return rng.uniform(*self.zoom, (n, 1, 1)) * np.eye(2), np.zeros((n, 2))


class Shear(AffineAugmentation):
    """Each image leaning over, by an angle of its own: rows move sideways, the more the further from the middle.

    Parameters:
        degrees: the angle is uniform from -degrees to degrees, or in (low, high); below 90.
        order, fill, generator: as in `AffineAugmentation`.

    Raises:
        ArgumentError: a range that is none or reaches 90, another order or fill.

    >>> image = np.array([[[[0.0, 1.0, 0.0]] * 3]])
    >>> np.round(Shear((45, 45))(image), 12).tolist()
    [[[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]]
    """

    def __init__(self, degrees: Range, **settings: Any) -> None:
        super().__init__(**settings)
        self.degrees = slant(degrees, "degrees", "Shear")

    def maps(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Shears, without shifts."""
        return shears(rng.uniform(*self.degrees, n)), np.zeros((n, 2))


def slant(value: Range, name: str, who: str) -> tuple[float, float]:
    """A range of angles below 90 degrees.

    Raises:
        ArgumentError: if it is none, or goes further.

    >>> slant(10, "shear", "RandomAffine")
    (-10, 10)
    """
    low, high = between(value, name, who)
    if not -90 < low <= high < 90:
        raise ArgumentError(f"{who} was given {name}={value}. Expected angles between -90 and 90 degrees.")
    return low, high


class RandomAffine(AffineAugmentation):
    """Zoom, shear, rotation and shift of each image at once, so that it is interpolated only once.

        A = R(degrees) S(shear) zoom

    Parameters:
        degrees: of the rotation, as in `Rotation`.
        shift: in pixels, as in `Shift`.
        zoom: the range of the factor, as in `Zoom`.
        shear: in degrees, as in `Shear`.
        order, fill, generator: as in `AffineAugmentation`.

    Raises:
        ArgumentError: a range that is none, another order or fill.

    Simard, Steinkraus and Platt, "Best practices for convolutional neural networks", 2003.

    >>> RandomAffine(10, 1.0, (0.9, 1.1), 5)(np.ones((4, 1, 8, 8), "float32")).dtype
    dtype('float32')
    """

    def __init__(
        self,
        degrees: Range = 0.0,
        shift: Range = 0.0,
        zoom: tuple[float, float] = (1.0, 1.0),
        shear: Range = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.degrees = between(degrees, "degrees", "RandomAffine")
        self.shift = between(shift, "shift", "RandomAffine")
        self.zoom = magnification(zoom, "RandomAffine")
        self.shear = slant(shear, "shear", "RandomAffine")

    def maps(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Products of rotations, shears and factors, with shifts."""
        turned = rotations(rng.uniform(*self.degrees, n)) @ shears(rng.uniform(*self.shear, n))
        return turned * rng.uniform(*self.zoom, (n, 1, 1)), rng.uniform(*self.shift, (n, 2))
