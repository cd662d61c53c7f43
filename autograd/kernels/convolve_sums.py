"""Sums over taps: a convolution, or its transpose in the images as one convolution for each residue of the stride."""

from __future__ import annotations

import math
from array import array
from typing import Any

import numpy as np

from autograd.kernels import pool, workers
from autograd.kernels.buffers import empty
from autograd.kernels.convolve_axis import Axis, blocks_of
from autograd.kernels.convolve_rows import MOVED, Images, images
from autograd.kernels.convolve_source import CHUNK, RUNS, TILES, Array, Pair, kernel, shape_for

SMALL = 1 << 19  # multiply-adds up to which one thread is faster
JOBS = 16  # parts of a sum that are independent
CACHE = 1 << 20  # bytes of an image that is read right after it was copied
LINE = 64  # bytes of a line of the cache
CORES = workers.allowed()


class Sums:
    """Sums over taps for every pair of axes; the weights' first two axes change places if `turned`."""

    def __init__(
        self,
        size: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        weights: tuple[int, ...],
        result: tuple[int, ...],
        axes: tuple[tuple[Axis, ...], ...],
        groups: int,
        *,
        turned: bool,
    ) -> None:
        self.tile = tile = shape_for(size)
        self.result, self.turned, self.size = result, turned, shape[2:]
        self.alone = groups == shape[1] == weights[0] and weights[1] == 1 and groups > 1
        self.groups, self.depth, self.columns = groups, shape[1] // groups, result[3] // groups
        if self.alone:
            self.groups, self.depth, self.columns = 1, 1, groups
        phases = [(down, right) for down in axes[0] for right in axes[1]]
        covered = sum(down.count * right.count for down, right in phases)
        self.phases: list[Phase] = []
        self.clear = covered < result[1] * result[2] or 0 in shape or 0 in weights
        if 0 in shape or 0 in weights or 0 in result or not phases:
            return
        needs = [(down.needs(shape[2]), right.needs(shape[3])) for down, right in phases]
        before, after = ((max(0, *(n[0][e] for n in needs)), max(0, *(n[1][e] for n in needs))) for e in (0, 1))
        self.edges = (
            strides[1] == size
            and not self.alone
            and shape[1] >= 32
            and any(before + after)
            and max(len(down.taps) * len(right.taps) for down, right in phases) <= RUNS
        )
        least = tile.lanes if self.alone else 1
        pads: tuple[Pair, Pair] = ((0, 0), (0, 0)) if self.edges else (before, after)
        single = all(len(down.taps) == len(right.taps) == 1 for down, right in phases)
        self.planes = strides[1] if single and not self.alone and not any(before + after) else size
        if self.planes != size:  # one tap: a pixel's channels are met once, so they may lie apart
            self.images = Images(tile, (shape[0], 1, *shape[2:]), strides, *pads, 1, False)
        else:
            self.images = images(size, shape, strides, *pads, least, False)
        self.nothing = np.zeros(max(shape[1], result[3]) + 2 * tile.lanes, f"f{size}")
        self.blocks = blocks_of(tile, self.groups, self.depth, self.columns, math.prod(weights[2:]), self.alone, turned)
        self.by_images = self._at_once() if len(phases) == 1 else 0
        self.phases = [Phase(self, down, right, weights) for down, right in phases]

    def _at_once(self) -> int:
        """How many images are copied, then read while they are in the cache; 0: all are."""
        images, (n, high, wide, _) = self.images, self.result
        rows = self.tile.lone if self.alone else self.tile.rows
        if not images.copied or math.prod(images.shape) < MOVED:
            return 0
        for many in (k for k in (1, 2, 4, 8) if n % k == 0):
            shared = n // many >= 4 * CORES or n // many % CORES == 0
            fits = many * math.prod(images.shape[1:]) * self.tile.size <= CACHE
            if shared and fits and -many * high * wide % rows * 32 <= many * high * wide:
                return many
        return 0

    def run(self, x: Array, w: Array, bias: Array | None = None, out: Array | None = None) -> Array:
        """The sums and the bias, (N, C, H, W), written to `out`, which is (N, H, W, C), if it is given."""
        y = empty(self.result, x.dtype) if out is None else out
        if self.clear:
            y[...] = 0 if bias is None else bias
        if self.phases:
            w, base = np.ascontiguousarray(w), self.nothing
            if bias is not None:
                base = np.zeros_like(base)
                base[: bias.size] = bias
            rows, start, copy = self.images.run(x, later=self.by_images > 0)
            goal, weights = y.ctypes.data, w.ctypes.data
            for phase in self.phases:
                phase.run(start, weights, goal, base.ctypes.data, w.dtype, copy)
            del rows
        return y.transpose(0, 3, 1, 2)


class Phase:
    """The outputs that meet the same taps."""

    def __init__(self, sums: Sums, down: Axis, right: Axis, weights: tuple[int, ...]) -> None:
        self.sums, self.down, self.right = sums, down, right
        area, blocks = weights[2] * weights[3], sums.blocks
        self.taps = np.array([i * weights[3] + j for i in down.taps for j in right.taps], np.int64)
        turned = sums.turned and not sums.alone
        steps = (area, sums.columns * area) if turned else (sums.depth * area, area)
        self.numbers = int(blocks[-1, 1] + blocks[-1, 4] * area * sums.depth)
        chunks = -(-sums.depth // CHUNK)
        plain = not (sums.turned or sums.alone)
        self.packing = array("q", (0, 0, blocks.ctypes.data, self.taps.ctypes.data, self.taps.size, sums.depth))
        self.packing.extend((*steps, chunks, plain))
        self.packs, self.pack_threads = len(blocks) * chunks, 1 if self.numbers < MOVED else None
        self._lay_out()

    def _lay_out(self) -> None:
        sums, down, right, blocks = self.sums, self.down, self.right, self.sums.blocks
        images, item = sums.images, sums.tile.size
        runs, depth, step = self._runs()
        self.places = np.array(runs, np.int64)
        shifts = self.places @ np.array((images.down, images.right)) * (not sums.edges)
        starts = blocks[:, 2] if sums.alone else np.arange(sums.groups) * sums.depth * sums.planes
        self.shifts = np.ascontiguousarray(starts[:, None] + shifts)
        n, high, wide, channels = sums.result
        pixels = n * down.count * right.count
        whole = down.count * right.count * sums.by_images or pixels
        beside = self._beside(n, right.count)
        tables = -(-whole // (TILES * (sums.tile.lone if sums.alone else sums.tile.rows)))
        count = tables * (pixels // whole)
        splits = 1 if sums.by_images else max(1, min(len(blocks), JOBS // count))
        self.start = down.start * images.down + right.start * images.right
        self.first = (down.first * wide + right.first) * channels * item
        words = array("q", (0, 0, pixels, down.count, right.count))
        words.extend((images.image, images.down * down.stride, images.right * right.stride))
        words.extend((high * wide * channels * item, wide * channels * item * down.step, channels * item * right.step))
        words.extend((len(runs), depth, step, self.shifts.ctypes.data, len(blocks), blocks.ctypes.data))
        words.extend((sums.nothing.ctypes.data if sums.edges else 0, self.places.ctypes.data))
        words.extend((down.stride, right.stride, down.start, right.start, *sums.size, images.down, images.right))
        words.extend((splits, 0, whole, tables, 0, beside))
        self.words, self.jobs, self.tables = words, count * splits, tables
        self.threads = 1 if pixels * len(runs) * depth * sums.columns < SMALL else None
        self.steps = depth if sums.alone and depth < 8 else 0

    def _beside(self, n: int, wide: int) -> int:
        """How many images to take line by line, so that a tile is one line of each, which has no zeros above it."""
        count = self.sums.tile.rows // wide
        whole = self.sums.by_images or n
        return count if count * wide == self.sums.tile.rows and whole % count == 0 and not self.sums.alone else 1

    def _runs(self) -> tuple[list[Pair], int, int]:
        """Where each run begins, as rows and columns of pixels; the steps of a run, and bytes from one to the next."""
        sums, right = self.sums, self.right
        item, wide = sums.tile.size, len(right.taps)
        if not sums.edges:
            lines = [(dy, 0) for dy in self.down.shifts]
            if sums.alone:
                return lines, wide, right.even * sums.images.right
            together = sums.images.right == sums.depth * item and sums.groups == 1
            if wide == 1 or (together and right.shifts == tuple(range(wide))):
                return lines, wide * sums.depth, sums.planes
        return [(dy, dx) for dy in self.down.shifts for dx in right.shifts], sums.depth, item

    def run(self, start: int, weights: int, goal: int, base: int, dtype: np.dtype[Any], copy: array[int]) -> None:
        """Pack the weights, then sum, some images at a time if the copy is not made yet."""
        sums = self.sums
        room = empty((self.numbers + LINE,), dtype)
        panels = -(-room.ctypes.data // LINE) * LINE  # so that no vector of a panel lies in two lines
        words = array("q", self.packing)
        words[0], words[1] = weights, panels
        pool.run(kernel("panels", sums.tile), self.packs, words.buffer_info()[0], self.pack_threads)
        words = array("q", self.words)
        words[0], words[1], words[28], words[31] = start + self.start, goal + self.first, panels, base
        address = kernel("sums", sums.tile, sums.alone, self.steps)
        if many := sums.by_images:
            images, both = sums.images, array("q", (kernel("rows", sums.tile), address))
            both.extend((copy.buffer_info()[0], words.buffer_info()[0]))
            both.extend((many * images.image, many * images.bands, self.tables))
            pool.run(kernel("turns", sums.tile), images.shape[0] // many, both.buffer_info()[0], self.threads)
        else:
            pool.run(address, self.jobs, words.buffer_info()[0], self.threads)
