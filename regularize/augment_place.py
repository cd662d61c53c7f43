"""Where things are in an image: flips, crops, and squares cut out."""

from __future__ import annotations

from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from regularize.augment import LARGE, Array, Augmentation, Stream, narrow, wide
from regularize.resample import Fill, check_resampling, windows

Size: TypeAlias = int | tuple[int, int]


def pair(value: Size, name: str, least: int, who: str) -> tuple[int, int]:
    """One number for height and width, or one each.

    Raises:
        ArgumentError: if it is neither, or below `least`.

    >>> pair(3, "size", 1, "RandomCrop")
    (3, 3)
    """
    found = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(found) != 2 or not all(isinstance(n, Integral) and n >= least for n in found):
        raise ArgumentError(
            f"{who} was given {name}={value!r}. Expected a whole number, or one each for height and width, "
            f"not below {least}."
        )
    return int(found[0]), int(found[1])


def expect_share(p: float, who: str) -> float:
    """p, if it is a probability.

    Raises:
        ArgumentError: if it is not.

    >>> expect_share(0.5, "HorizontalFlip")
    0.5
    """
    if not 0 <= p <= 1:
        raise ArgumentError(f"{who} was given p={p}. Expected a probability, 0 to 1.")
    return p


def _turned(x: Array, chosen: NDArray[np.bool], axis: int) -> Array:
    """The images, the chosen ones mirrored: in their rows for axis 0, in their columns for axis 1."""
    turned = np.zeros((len(x), 2), bool)
    turned[:, axis] = chosen
    return windows(x, np.zeros((len(x), 2), np.int64), x.shape[2:], turned=turned)


@ag.fused(smallest=LARGE)
def masked(x: Tensor, hit: Any, fill: Any) -> Tensor:
    """X, but `fill` where it was hit.

    >>> masked(ag.zeros(2), np.array([True, False]), 1.0).tolist()
    [1.0, 0.0]
    """
    return ag.where(hit, fill, x)


class HorizontalFlip(Augmentation):
    """Left and right exchanged, for each image with probability p.

    Parameters:
        p: the probability.
        generator: as in `Transform`.

    Raises:
        ArgumentError: p outside 0 to 1.

    >>> HorizontalFlip(p=1.0)(np.array([[[[1.0, 2.0]]]])).tolist()
    [[[[2.0, 1.0]]]]
    """

    def __init__(self, p: float = 0.5, *, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.p = expect_share(p, "HorizontalFlip")

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to the same."""
        return _turned(x, rng.random(len(x)) < self.p, 1)


class VerticalFlip(Augmentation):
    """Top and bottom exchanged, for each image with probability p.

    Parameters:
        p: the probability.
        generator: as in `Transform`.

    Raises:
        ArgumentError: p outside 0 to 1.

    >>> VerticalFlip(p=1.0)(np.array([[[[1.0], [2.0]]]])).tolist()
    [[[[2.0], [1.0]]]]
    """

    def __init__(self, p: float = 0.5, *, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.p = expect_share(p, "VerticalFlip")

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to the same."""
        return _turned(x, rng.random(len(x)) < self.p, 0)


class RandomCrop(Augmentation):
    """A part of each image, from a random place, after a border has been put around it.

    Parameters:
        size: height and width of the part, or one number for both.
        padding: the width of the border, or one each for height and width.
        fill: what the border holds: a number, or "edge".
        generator: as in `Transform`.

    Raises:
        ArgumentError: sizes that are not whole or not positive, or another fill.
        ShapeError: images smaller than the part.

    >>> import autograd as ag
    >>> RandomCrop(2, padding=1, generator=ag.random.Generator(0))(np.ones((5, 3, 2, 2))).shape
    (5, 3, 2, 2)
    """

    def __init__(self, size: Size, padding: Size = 0, *, fill: Fill = 0.0, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.size = pair(size, "size", 1, "RandomCrop")
        self.padding = pair(padding, "padding", 0, "RandomCrop")
        check_resampling("nearest", fill, "RandomCrop")
        self.fill = fill

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to (N, C, *size)."""
        (height, width), (above, beside) = self.size, self.padding
        whole = x.shape[2] + 2 * above, x.shape[3] + 2 * beside
        room = whole[0] - height, whole[1] - width
        if min(room) < 0:
            raise ShapeError(
                f"RandomCrop was given images of {x.shape[2]} x {x.shape[3]}, {whole[0]} x {whole[1]} "
                f"with padding, for parts of {height} x {width}. Write a smaller size, or more padding."
            )
        corners = np.stack([rng.integers(0, n + 1, len(x)) for n in room], axis=1)
        return windows(x, corners - self.padding, self.size, fill=self.fill)


class Cutout(Augmentation):
    """Squares of each image blotted out, at random places; at a border only the part inside the image.

    Parameters:
        size: height and width of a square, or one number for both.
        count: how many of them.
        fill: what they hold.
        generator: as in `Transform`.

    Raises:
        ArgumentError: sizes that are not whole or not positive.

    DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.

    >>> import autograd as ag
    >>> y = Cutout(2, generator=ag.random.Generator(0))(np.ones((1000, 1, 8, 8)))
    >>> sorted(set((y == 0).sum((1, 2, 3)).tolist()))
    [1, 2, 4]
    """

    def __init__(self, size: Size, count: int = 1, *, fill: float = 0.0, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.size = pair(size, "size", 1, "Cutout")
        if count < 1:
            raise ArgumentError(f"Cutout was given count={count}. Expected at least 1.")
        self.count, self.fill = count, fill

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to the same."""
        hit = np.zeros((len(x), 1, *x.shape[2:]), bool)
        for _ in range(self.count):
            rows, columns = (
                covered(rng.integers(0, n, (len(x), 1)) - length // 2, length, n)
                for n, length in zip(x.shape[2:], self.size, strict=True)
            )
            hit |= (rows[:, :, None] & columns[:, None, :])[:, None]
        return narrow(masked(wide(x), hit, self.fill), x)


def covered(start: NDArray[np.integer], length: Any, n: int) -> NDArray[np.bool]:
    """Which of n places are among `length` from `start` on: (N, n) for (N, 1).

    >>> covered(np.array([[1]]), 2, 4).tolist()
    [[False, True, True, False]]
    """
    places = np.arange(n)
    found: NDArray[np.bool] = (places >= start) & (places < start + length)
    return found
