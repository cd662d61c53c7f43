"""What the elements hold: noise, jitter, brightness, contrast, and stretches of time blotted out."""

from __future__ import annotations

from math import inf, pi
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.draw import SEEDS
from regularize.augment import LARGE, Array, Augmentation, Stream, narrow, one_each, wide
from regularize.augment_place import covered, expect_share, masked

Clip = tuple[float, float] | None


def expect_size(value: float, name: str, who: str) -> float:
    """A size of at least 0.

    Raises:
        ArgumentError: if it is none.

    >>> expect_size(0.1, "std", "GaussianNoise")
    0.1
    """
    if not 0 <= value < inf:
        raise ArgumentError(f"{who} was given {name}={value}. Expected 0 or more.")
    return float(value)


def _expect_clip(clip: Clip, who: str) -> Clip:
    if clip is not None and not clip[0] < clip[1]:
        raise ArgumentError(f"{who} was given clip={clip}. Expected (low, high) with low < high, or None.")
    return None if clip is None else (float(clip[0]), float(clip[1]))


def _clipped(x: Array, clip: Clip) -> Array:
    return x if clip is None else np.clip(x, *clip, out=x)


def _normal(x: Tensor, seed: int, other: int) -> Tensor:
    """e ~ N(0, 1) for each element, from two uniform numbers (Box and Muller 1958)."""
    return ag.sqrt(-2 * ag.log(1 - ag.uniform_like(x, seed))) * ag.cos(2 * pi * ag.uniform_like(x, other))


@ag.fused(smallest=1)
def _noisy(x: Tensor, seed: int, other: int, std: float) -> Tensor:
    return x + std * _normal(x, seed, other)


@ag.fused(smallest=1)
def _jittered(x: Tensor, seed: int, other: int, std: float) -> Tensor:
    return x * (1 + std * _normal(x, seed, other))


@ag.fused(smallest=1)
def _peppered(x: Tensor, places: Tensor, seed: int, p: float, low: float, high: float) -> Tensor:
    u = ag.uniform_like(places, seed)
    return ag.where(u < 0.5 * p, high, ag.where(u < p, low, x))


@ag.fused(smallest=LARGE)
def _lighter(x: Tensor, amount: Any, *, clip: Clip) -> Tensor:
    return _within(x + amount, clip)


@ag.fused(smallest=LARGE)
def _stretched(x: Tensor, factor: Any, *, clip: Clip) -> Tensor:
    middle = ag.mean(x, axis=(2, 3), keepdims=True)
    return _within(middle + factor * (x - middle), clip)


def _within(x: Tensor, clip: Clip) -> Tensor:
    return x if clip is None else ag.clip(x, *clip)


class GaussianNoise(Augmentation):
    """Normal noise added to each element, of images, sequences or vectors.

        y = x + std e,  e ~ N(0, 1)

    Parameters:
        std: the standard deviation, at least 0.
        clip: the range that values are kept in, (low, high).
        generator: as in `Transform`.

    Raises:
        ArgumentError: std below 0, a clip that is no range.

    >>> import autograd as ag
    >>> y = GaussianNoise(0.1, generator=ag.random.Generator(0))(np.zeros((100, 100)))
    >>> round(y.std(), 2)
    np.float64(0.1)
    """

    images: ClassVar[bool] = False

    def __init__(self, std: float = 0.1, *, clip: Clip = None, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.std = expect_size(std, "std", "GaussianNoise")
        self.clip = _expect_clip(clip, "GaussianNoise")

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, ...) to the same."""
        seed, other = rng.integers(SEEDS, size=2).tolist()
        return _clipped(narrow(_noisy(wide(x), seed, other, self.std), x), self.clip)


class Jitter(Augmentation):
    """Each element made larger or smaller in proportion: noise for vectors whose features have different scales.

        y = x (1 + std e),  e ~ N(0, 1)

    Parameters:
        std: the standard deviation of the factor, at least 0.
        generator: as in `Transform`.

    Raises:
        ArgumentError: std below 0.

    >>> import autograd as ag
    >>> y = Jitter(0.1, generator=ag.random.Generator(0))(np.full((100, 100), 5.0))
    >>> round(y.std(), 2)
    np.float64(0.5)
    """

    images: ClassVar[bool] = False

    def __init__(self, std: float = 0.05, *, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.std = expect_size(std, "std", "Jitter")

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, ...) to the same."""
        seed, other = rng.integers(SEEDS, size=2).tolist()
        return narrow(_jittered(wide(x), seed, other, self.std), x)


class SaltAndPepper(Augmentation):
    """Pixels made black or white, each with probability p, in all of their channels.

    Parameters:
        p: the probability, half of it for black.
        low, high: black and white.
        generator: as in `Transform`.

    Raises:
        ArgumentError: p outside 0 to 1.

    >>> import autograd as ag
    >>> y = SaltAndPepper(0.5, generator=ag.random.Generator(0))(np.full((1, 1, 8, 8), 0.5))
    >>> sorted(set(y.ravel().tolist()))
    [0.0, 0.5, 1.0]
    """

    def __init__(self, p: float = 0.05, low: float = 0.0, high: float = 1.0, *, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.p = expect_share(p, "SaltAndPepper")
        self.low, self.high = low, high

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to the same."""
        pixels = wide(x)
        places = ag.zeros((len(x), 1, *x.shape[2:]), pixels.dtype)
        return narrow(_peppered(pixels, places, int(rng.integers(SEEDS)), self.p, self.low, self.high), x)


class Brightness(Augmentation):
    """Each image lighter or darker, by an amount of its own.

        y = x + b,  b uniform in [-amount, amount)

    Parameters:
        amount: at least 0, in the units of the pixels.
        clip: the range that values are kept in, (low, high).
        generator: as in `Transform`.

    Raises:
        ArgumentError: an amount below 0, a clip that is no range.

    >>> import autograd as ag
    >>> y = Brightness(0.2, generator=ag.random.Generator(0))(np.zeros((5, 1, 8, 8)))
    >>> len(set(y.ravel().tolist()))
    5
    """

    def __init__(self, amount: float = 0.2, *, clip: Clip = None, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.amount = expect_size(amount, "amount", "Brightness")
        self.clip = _expect_clip(clip, "Brightness")

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to the same."""
        amount = one_each(x, rng.uniform(-self.amount, self.amount, len(x)))
        return narrow(_lighter(wide(x), amount, clip=self.clip), x)


class Contrast(Augmentation):
    """Each image of more or less contrast, by a factor of its own.

        y = m + f (x - m),  m the mean of each channel,  f uniform in [1 - amount, 1 + amount)

    Parameters:
        amount: at least 0.
        clip: the range that values are kept in, (low, high).
        generator: as in `Transform`.

    Raises:
        ArgumentError: an amount below 0, a clip that is no range.

    >>> import autograd as ag
    >>> y = Contrast(0.5, generator=ag.random.Generator(0))(np.array([[[[0.0, 1.0]]]]))
    >>> y.mean().item()
    0.5
    """

    def __init__(self, amount: float = 0.2, *, clip: Clip = None, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        self.amount = expect_size(amount, "amount", "Contrast")
        self.clip = _expect_clip(clip, "Contrast")

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to the same."""
        factor = one_each(x, rng.uniform(1 - self.amount, 1 + self.amount, len(x)))
        return narrow(_stretched(wide(x), factor, clip=self.clip), x)


class TimeMask(Augmentation):
    """A stretch of each sequence blotted out, at a random place and up to a length.

    Parameters:
        width: the greatest length, which is uniform from 0 to width, in steps.
        count: how many stretches.
        axis: which axis is time: 1 for (N, L, F), 2 for (N, F, L).
        fill: what they hold.
        generator: as in `Transform`.

    Raises:
        ArgumentError: a width or count below 1, or axis 0.
        ShapeError: sequences without that axis, or shorter than the width.

    Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition", 2019.

    >>> import autograd as ag
    >>> y = TimeMask(3, generator=ag.random.Generator(0))(np.ones((100, 8, 2)))
    >>> sorted(set((y == 0).all(2).sum(1).tolist()))
    [0, 1, 2, 3]
    """

    images: ClassVar[bool] = False

    def __init__(
        self, width: int, count: int = 1, *, axis: int = 1, fill: float = 0.0, generator: Stream = None
    ) -> None:
        super().__init__(generator=generator)
        if min(width, count, axis) < 1:
            raise ArgumentError(f"TimeMask was given width={width}, count={count}, axis={axis}. Expected 1 or more.")
        self.width, self.count, self.axis, self.fill = width, count, axis, fill

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, L, ...) to the same."""
        if self.axis >= x.ndim or x.shape[self.axis] < self.width:
            raise ShapeError(
                f"TimeMask was given shape {x.shape}. Expected at least {self.width} steps along axis {self.axis}."
            )
        steps = x.shape[self.axis]
        hit = np.zeros((len(x), steps), bool)
        for _ in range(self.count):
            length = rng.integers(0, self.width + 1, (len(x), 1))
            hit |= covered(rng.integers(0, steps - length + 1), length, steps)
        shape = [1] * x.ndim
        shape[0], shape[self.axis] = hit.shape
        return narrow(masked(wide(x), hit.reshape(shape), self.fill), x)
