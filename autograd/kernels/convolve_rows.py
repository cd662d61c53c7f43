"""Images as rows of channels: as they stand in memory if they lie so, else a copy."""

from __future__ import annotations

import math
from array import array
from functools import lru_cache

import numpy as np

from autograd.kernels import pool
from autograd.kernels.buffers import empty
from autograd.kernels.convolve_source import Array, Pair, Shape, kernel, shape_for

MOVED = 1 << 15  # numbers up to which one thread copies them faster
BAND = 256  # pixels of a part of a copy


def channels_last(x: Array) -> Array:
    """x (N, C, H, W) with the channels of each pixel together in memory, as these functions read it without a copy.

    >>> channels_last(np.ones((2, 3, 4, 5))).strides
    (480, 8, 120, 24)
    """
    if in_rows(x) or x.size == 0:
        return x
    x = even(x)
    return images(x.itemsize, x.shape, x.strides, (0, 0), (0, 0), 1, True).run(x)[0].transpose(0, 3, 1, 2)


def in_rows(x: Array) -> bool:
    """Whether the channels of each pixel of (N, C, H, W) lie together."""
    return x.shape[1] == 1 or x.strides[1] == x.itemsize


def even(x: Array) -> Array:
    """x, with strides of whole numbers of its elements."""
    return np.ascontiguousarray(x) if any(stride % x.itemsize for stride in x.strides) else x


class Images:
    """Images as rows of channels: the array as it stands if it lies so, else a copy with zeros at its edges.

    before, after: zeros along each axis. least: channels to make room for. copy: whether to copy at any rate, with
    room behind the last channel for a vector that begins there.
    """

    def __init__(
        self,
        tile: Shape,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        before: Pair,
        after: Pair,
        least: int,
        copy: bool,
    ) -> None:
        n, channels, high, wide = shape
        size, self.tile = tile.size, tile
        self.copied = copy or not (channels == 1 or strides[1] == size) or channels < least or any(before + after)
        self.image, self.down, self.right = strides[0], strides[2], strides[3]
        self.shape, self.start = (n, high, wide, channels), 0
        if not self.copied:
            return
        tall, broad, pitch = high + before[0] + after[0], wide + before[1] + after[1], max(least, channels)
        self.shape = (n, tall, broad, pitch)
        self.numbers = math.prod(self.shape)
        self.right, self.down, self.image = pitch * size, broad * pitch * size, tall * broad * pitch * size
        self.start = before[0] * self.down + before[1] * self.right
        band = min(tall, -(-BAND // broad))
        bands = -(-tall // band)
        words = array("q", (0, 0, high, wide, channels, tall, broad, pitch, *before))
        words.extend(strides[k] // size if shape[k] > 1 else 1 for k in range(4))
        words.extend((bands, band))
        self.words, self.bands, self.jobs = words, bands, n * bands
        self.threads = 1 if self.numbers < MOVED else None

    def run(self, x: Array, *, later: bool = False) -> tuple[Array, int, array[int]]:
        """What holds the rows, the address of the first channel of the first pixel, and the words of the copy.

        later: do not copy.
        """
        if not self.copied:
            return x, x.ctypes.data, array("q")
        room = empty((self.numbers + self.tile.lanes,), x.dtype)
        room[self.numbers :] = 0
        words, start = array("q", self.words), room.ctypes.data
        words[0], words[1] = x.ctypes.data, start
        if not later:
            pool.run(kernel("rows", self.tile), self.jobs, words.buffer_info()[0], self.threads)
        return room[: self.numbers].reshape(self.shape), start + self.start, words


@lru_cache(1024)
def images(
    size: int, shape: tuple[int, ...], strides: tuple[int, ...], before: Pair, after: Pair, least: int, copy: bool
) -> Images:
    """The plan of reading images of such a shape and strides."""
    return Images(shape_for(size), shape, strides, before, after, least, copy)
