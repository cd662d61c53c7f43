"""Convolution of images that lie plane by plane, where a tile with channels as its columns would stand mostly empty.

Each channel for itself, or few channels: vectors then run along the lines of a plane, whose weights are single numbers.
A plane is copied with zeros around it; of a stride, pixels that meet the same taps lie together.
"""

from __future__ import annotations

import math
from array import array

import numpy as np

from autograd.kernels import pool
from autograd.kernels.buffers import empty
from autograd.kernels.convolve_planes_source import LINES, Plane, kernel, vectors_for
from autograd.kernels.convolve_source import Array, Pair, shape_for

SMALL = 1 << 18  # multiply-adds up to which one thread is faster
JOBS = 16  # parts that are independent
LINE = 64  # bytes of a line of the cache
ROOM = 1 << 20  # bytes of the planes of a group, at most
TAPS = 25  # of a kernel for which code is made, at most
HALF = 0.5  # of the speed of a full tile: that of tiles with channels alone
FEW = 4  # channels up to which images are not worth to be turned


def shares(jobs: int, threads: int | None) -> tuple[int, int, int]:
    """With how many threads jobs are run, how many jobs each has at least, and how many have any at most.

    >>> shares(10, 1)
    (1, 10, 1)
    """
    most = pool.get_num_threads() if threads is None else threads
    step = -(-jobs // min(most, jobs))
    return most, step, -(-jobs // step)


class Copy:
    """The plan of a copy of planes with zeros around: its lines in `step` parts."""

    def __init__(self, size: int, image: Pair, before: Pair, needed: Pair, step: int) -> None:
        lanes = shape_for(size).lanes
        self.high, self.wide = image
        self.tall = needed[0]
        self.part = -(-needed[1] // (step * lanes)) * lanes  # numbers of one part of a line
        self.pitch = self.part * step * size
        self.plane = self.tall * self.pitch
        self.words = array("q", (*image, *before, self.tall, self.part, step, self.pitch, self.plane))

    def places(self, taps: int, dilation: int, step: int, size: int) -> Array:
        """Bytes from a pixel to what each tap along a line meets."""
        at = np.arange(taps, dtype=np.int64) * dilation
        return (at % step * self.part + at // step) * size


class Planes:
    """Sums over taps, each output channel for itself.

    turned: the weights that are given are those of the transpose: (depth, outputs) in each group, and backwards.
    """

    def __init__(
        self,
        size: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        weights: tuple[int, ...],
        result: tuple[int, ...],
        stride: Pair,
        before: Pair,
        dilation: Pair,
        groups: int,
        *,
        turned: bool = False,
    ) -> None:
        n, _, high, wide = shape
        outputs, depth, kh, kw = weights
        needed = [
            (r - 1) * s + (k - 1) * d + 1 for r, s, k, d in zip(result[2:], stride, (kh, kw), dilation, strict=True)
        ]
        self.result, self.weights, self.groups, self.turned = result, weights, groups, turned
        self.copy = Copy(size, (high, wide), before, (needed[0], needed[1]), stride[1])
        self.places = self.copy.places(kw, dilation[1], stride[1], size)
        share = outputs // groups
        splits = 1 if n * groups >= JOBS else share
        tile = shape_for(size)
        each = -(-(depth * self.copy.plane + 8 * tile.lanes * size) // LINE) * LINE
        words = array("q", (0, 0, 0, 0, 0, strides[0], strides[1], strides[2], depth, depth * kh * kw * size))
        words.extend((kh * kw * size, share // splits, splits, groups, result[2], result[3], each))
        words.extend((self.places.ctypes.data, stride[0], *self.copy.words))
        self.words, self.jobs, self.each = words, n * groups * splits, each
        rows = min(LINES, result[2])
        self.kernel = Plane(tile, (kh, kw), (stride[0], dilation[0]), rows, vectors_for(tile, result[3]))
        self.threads = 1 if math.prod(result) * depth * kh * kw < SMALL else None
        self.nothing = np.zeros(outputs, f"f{size}")

    def run(self, x: Array, w: Array, bias: Array | None, out: Array | None = None) -> Array:
        """The sums and the bias, (N, C, H, W), plane by plane."""
        assert out is None
        if self.turned:
            outputs, depth, kh, kw = self.weights
            own = w.reshape(self.groups, depth, outputs // self.groups, kh, kw)[..., ::-1, ::-1]
            w = own.swapaxes(1, 2).reshape(self.weights)
        threads, step, count = shares(self.jobs, self.threads)
        room = empty((count * self.each + LINE,), np.dtype(np.uint8))
        y, w = empty(self.result, x.dtype), np.ascontiguousarray(w)
        base = self.nothing if bias is None else np.ascontiguousarray(bias)
        words = array("q", self.words)
        words[0], words[1], words[2] = x.ctypes.data, w.ctypes.data, y.ctypes.data
        words[3], words[4] = -(-room.ctypes.data // LINE) * LINE, base.ctypes.data
        words.append(step)
        pool.run(kernel("strips", self.kernel), self.jobs, words.buffer_info()[0], threads)
        return y


class Taps:
    """Sums over pixels, for each tap of each pair of channels."""

    def __init__(
        self,
        size: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        g_shape: tuple[int, ...],
        g_strides: tuple[int, ...],
        taps: Pair,
        stride: Pair,
        before: Pair,
        dilation: Pair,
        groups: int,
    ) -> None:
        n, channels, high, wide = shape
        outputs, (kh, kw) = g_shape[1], taps
        counts = zip(g_shape[2:], stride, taps, dilation, strict=True)
        needed = [(r - 1) * s + (k - 1) * d + 1 for r, s, k, d in counts]
        self.copy = Copy(size, (high, wide), before, (needed[0], needed[1]), stride[1])
        self.places = self.copy.places(kw, dilation[1], stride[1], size)
        share, depth, tile = outputs // groups, channels // groups, shape_for(size)
        self.result = (outputs, depth, kh, kw)
        parts = min(n, -(-JOBS // channels))
        self.parts = (parts, *self.result)
        sums = -(-(self.copy.plane + 8 * tile.lanes * size) // LINE) * LINE
        each = sums + share * kh * kw * tile.lanes * size
        words = array(
            "q", (0, 0, 0, 0, 0, strides[0], strides[1], strides[2], g_strides[0], g_strides[1], g_strides[2])
        )
        words.extend((n, parts, share, depth, g_shape[2], g_shape[3], each, self.places.ctypes.data, sums, groups))
        words.extend(self.copy.words)
        self.words, self.jobs, self.each = words, parts * channels, each
        self.kernel = Plane(tile, taps, (stride[0], dilation[0]), 1, 1)
        self.threads = 1 if math.prod(g_shape) * depth * kh * kw < SMALL else None

    def run(self, x: Array, g: Array) -> Array:
        """The gradient."""
        threads, step, count = shares(self.jobs, self.threads)
        sums, room = empty(self.parts, x.dtype), empty((count * self.each + LINE,), np.dtype(np.uint8))
        words = array("q", self.words)
        words[0], words[1], words[2] = x.ctypes.data, g.ctypes.data, sums.ctypes.data
        words[3] = -(-room.ctypes.data // LINE) * LINE
        words.append(step)
        pool.run(kernel("taps", self.kernel), self.jobs, words.buffer_info()[0], threads)
        total: Array = np.add.reduce(sums, 0)
        return total


def fitting(
    size: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    weights: tuple[int, ...],
    counts: Pair,
    stride: Pair,
    dilation: Pair,
    groups: int,
) -> bool:
    """Whether `Planes` is the faster way to `counts` outputs."""
    outputs, depth, kh, kw = weights
    if not _plain(size, shape, strides) or kh * kw > TAPS or min(counts) < 1 or 0 in (*shape, *weights):
        return False
    tall, broad = ((n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(counts, stride, (kh, kw), dilation, strict=True))
    room = depth * tall * (broad + stride[1] * shape_for(size).lanes) * size
    return room <= ROOM and _filled(size, counts[1]) > _by_channels(size, depth, outputs // groups, stride)


def taps_fitting(size: int, shapes: tuple[tuple[int, ...], ...], kernel: Pair, stride: Pair, groups: int) -> bool:
    """Whether `Taps` is the faster way. shapes: of the images, their strides, those of the cotangent."""
    shape, strides, g_shape, g_strides = shapes
    if not (_plain(size, shape, strides) and _plain(size, g_shape, g_strides)) or math.prod(kernel) > TAPS:
        return False
    depth, filled = shape[1] // groups, _filled(size, g_shape[3])
    few = g_shape[1] // groups > 1 and depth <= FEW and filled > HALF
    return few or filled > _by_channels(size, depth, g_shape[1] // groups, stride)


def _by_channels(size: int, depth: int, share: int, stride: Pair) -> float:
    """How much of a full tile's speed tiles with channels as their columns reach."""
    if depth == share == 1:
        return HALF if stride == (1, 1) else 1.0
    lanes = shape_for(size).lanes
    return share / (-(-share // lanes) * lanes)


def _plain(size: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether the pixels of a line lie one after another."""
    return strides[3] == size and shape[3] > 1


def _filled(size: int, wide: int) -> float:
    """How much of the vectors along a line counts."""
    tile = shape_for(size)
    width = vectors_for(tile, wide) * tile.lanes
    return wide / (-(-wide // width) * width)
