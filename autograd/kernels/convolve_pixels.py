"""Sums over pixels: the transpose of a convolution in its weights."""

from __future__ import annotations

import math
from array import array

import numpy as np

from autograd.kernels import pool
from autograd.kernels.buffers import empty
from autograd.kernels.convolve_axis import Axis, blocks_of
from autograd.kernels.convolve_rows import MOVED, images
from autograd.kernels.convolve_source import Array, Pair, kernel, shape_for

SMALL = 1 << 19  # multiply-adds up to which one thread is faster
JOBS = 16  # parts of a sum, or of a result, that are independent
PART = 512  # pixels that a part sums at least
WEIGHTS = 1 << 20  # bytes of all parts
ALIAS = 512  # bytes: channels that are a multiple of it apart would share few lines of the cache
HELD = 512  # pixels whose channels stay in the cache while all weights are met


class Pixels:
    """Sums over pixels: a row for each weight of an output channel, a column for each output channel."""

    def __init__(
        self,
        size: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        g_shape: tuple[int, ...],
        g_strides: tuple[int, ...],
        axes: tuple[Axis, ...],
        groups: int,
    ) -> None:
        self.axes, self.tile = axes, shape_for(size)
        tile = self.tile
        area = math.prod(len(axis.taps) for axis in axes)
        self.alone = groups == shape[1] == g_shape[1] and groups > 1
        self.depth, columns = shape[1] // groups, g_shape[1] // groups
        self.result = (g_shape[1], self.depth, *(len(axis.taps) for axis in axes))
        self.rows = tile.lone if self.alone else tile.rows
        if self.alone:
            groups, self.depth, columns = 1, 1, groups
        needs = [axis.needs(n) for axis, n in zip(axes, shape[2:], strict=True)]
        (top, bottom), (left, right) = ((max(0, need[0]), max(0, need[1])) for need in needs)
        least = tile.lanes if self.alone else 1
        self._read(shape, strides, (top, left), (bottom, right))
        self.blocks = blocks = blocks_of(tile, groups, self.depth, columns, area, self.alone, False)
        _, channels, high, wide = g_shape
        dense = (high * wide * channels * size, size, wide * channels * size, channels * size)
        lies = all(have == want for have, want, k in zip(g_strides, dense, g_shape, strict=True) if k > 1)
        copy = not lies or bool((blocks[:, 3] < blocks[:, 4]).any())
        self.g = images(size, g_shape, g_strides, (0, 0), (0, 0), least, copy)
        blocks[:, 1] = blocks[:, 2]
        blocks[:, 0] = blocks[:, 2] if self.alone else blocks[:, 0] * self.depth * self.plane
        blocks[:, 2] = (np.cumsum(blocks[:, 4]) - blocks[:, 4]) * size
        self._lay_out(columns)

    def _read(self, shape: tuple[int, ...], strides: tuple[int, ...], before: Pair, after: Pair) -> None:
        """How x is read: its numbers one by one, so its channels may lie apart; alone a vector of channels at once."""
        n, channels, high, wide = shape
        size = self.tile.size
        if self.alone or strides[1] == size or (strides[0] != channels * strides[1] and n > 1):
            least = self.tile.lanes if self.alone else 1
            self.images = images(size, shape, strides, before, after, least, False)
            self.image, self.plane = self.images.image, size
        else:
            single = (n * channels, 1, high, wide)
            plane = (high + before[0] + after[0]) * (wide + before[1] + after[1]) * size
            if any(before + after) and plane % ALIAS == 0:
                after = (after[0], after[1] + 1)
            self.images = images(size, single, (strides[1], size, *strides[2:]), before, after, 1, False)
            self.image, self.plane = self.images.image * channels, self.images.image

    def _lay_out(self, columns: int) -> None:
        down, right = self.axes
        images, blocks, item = self.images, self.blocks, self.tile.size
        self.start = down.start * images.down + right.start * images.right
        pitch = int(blocks[:, 4].sum())
        self.offsets, self.order = self._weights()
        tiles = len(self.offsets) // self.rows
        n, high, wide, channels = self.g.shape
        self.shifts = np.add.outer(np.arange(n) * self.image, np.arange(high) * (images.down * down.stride))
        lines = n * high
        most = min(JOBS, WEIGHTS // (len(self.offsets) * pitch * item), lines * wide // PART)
        share = -(-lines // max(1, most))
        parts = -(-lines // share)
        splits = -(-tiles // -(-tiles // min(tiles, max(1, JOBS // parts))))  # no more than have tiles
        self.parts = (parts, len(self.offsets), pitch)
        words = array("q", (0, 0, 0, self.offsets.ctypes.data, self.shifts.ctypes.data, tiles, pitch * item, lines))
        words.extend((share, max(1, HELD // wide), wide, images.right * right.stride, channels * item))
        words.extend((len(blocks), blocks.ctypes.data, splits))
        self.words, self.jobs = words, parts * splits
        self.threads = 1 if lines * wide * len(self.offsets) * columns < SMALL else None
        chunks = -(-len(self.order) // 64)
        words = array("q", (0, 0, self.order.ctypes.data, parts, len(self.offsets) * pitch, pitch, len(self.order)))
        words.extend((chunks, math.prod(self.result[1:]), blocks.ctypes.data))
        self.adding, self.adds = words, len(blocks) * chunks
        self.add_threads = 1 if math.prod(self.parts) < MOVED else None

    def _weights(self) -> tuple[Array, Array]:
        """Bytes from a pixel to what each weight meets, for whole tiles; the order of the weights in the result."""
        down, right = self.axes
        at = np.add.outer(np.array(down.shifts) * self.images.down, np.array(right.shifts) * self.images.right)
        offsets = np.add.outer(at, np.arange(self.depth) * self.plane).ravel()
        order = np.arange(len(offsets)).reshape(at.size, self.depth).T.ravel()
        return np.resize(offsets, -(-len(offsets) // self.rows) * self.rows), order.copy()

    def run(self, x: Array, g: Array) -> Array:
        """The gradient."""
        result, sums = empty(self.result, x.dtype), empty(self.parts, x.dtype)
        rows, start, _ = self.images.run(x)
        cotangents, g_start, _ = self.g.run(g)
        words = array("q", self.words)
        words[0], words[1], words[2] = start + self.start, g_start, sums.ctypes.data
        pool.run(kernel("pixels", self.tile, self.alone), self.jobs, words.buffer_info()[0], self.threads)
        words = array("q", self.adding)
        words[0], words[1] = sums.ctypes.data, result.ctypes.data
        pool.run(kernel("parts", self.tile), self.adds, words.buffer_info()[0], self.add_threads)
        del rows, cotangents
        return result
