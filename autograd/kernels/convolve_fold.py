"""The transpose of a convolution in its images, for few channels: products for each tap, added up where they belong.

    t[c, i, j, p] = sum over o of  w[o, c, i, j] * g[n, o, p],    x'[n, c, h s + i d - q, ...] += t[c, i, j, (h, ...)]

With channels as the columns of a tile most of them would count for nothing; here its columns are the pixels of g, which
are read where they lie, plane by plane. The products of a band of lines stay in the cache until they are added up.
"""

from __future__ import annotations

import math
from array import array
from functools import cache

import numpy as np

from autograd.kernels import compile, pool
from autograd.kernels.buffers import empty
from autograd.kernels.convolve_planes import shares
from autograd.kernels.convolve_source import Array, Pair, Shape, shape_for

SMALL = 1 << 19  # multiply-adds up to which one thread is faster
JOBS = 16  # parts from which on the channels of a group are not taken one by one
BAND = 1 << 17  # bytes of products that are kept at once
ROWS = (3, 6, 9)  # heights of a tile, beside the machine's own
LINE = 64  # bytes of a line of the cache

_SOURCE = """from autograd.kernels.strips import gathered
from autograd.kernels.tile import scratch, tile
product, gather = tile({size}, {lanes}, {rows}, 2), gathered({size}, {lanes})
nowhere, pointers = scratch(1), scratch(2)

@inline
def multiplied(args, g, w, room, begin, end):
    # a row of products for each weight, for the pixels of a band; the last vectors reach back
    count, taps, pitch, none = args[9], args[8], args[10], nowhere()
    word_at(none)[0] = 0
    at, to = room, room + 8 * taps
    for m in range(taps):
        word_at(at)[m] = w + {size} * min(m, args[11] - 1)
        word_at(to)[m] = room + args[12] + min(m, args[11] - 1) * pitch
    for p in range(begin, end, 2 * {lanes}):
        first = min(p, count - 2 * {lanes})
        for m in range(0, taps, {rows}):
            product(
                at + 8 * m, 0, none, 1, args[6], args[7], g + {size} * first, args[5],
                to + 8 * m, {size} * (first - begin + 2 * {lanes}), 0, 2 * {lanes},
            )

@inline
def folded(args, room, sums, begin, end):
    # the products of lines [begin, end), added to the lines of the images that they belong to
    high, wide, kh, kw, across, stride, dilation, before = (
        args[14], args[15], args[16], args[17], args[18], args[19], args[20], args[21]
    )
    step, length, source = args[23], args[25], room + args[12] + {size} * 2 * {lanes}
    rows, starts, taps = room + args[37], pointer_i8(args, 26), pointer_i8(args, 38)
    first = max(0, begin * stride - before)
    last = min(high, (end - 1) * stride + (kh - 1) * dilation - before + 1)
    for line in range(first, last):
        for phase in range(step):
            count = 0
            for i in range(kh):
                h = line + before - i * dilation
                if h >= begin * stride and h < end * stride and h % stride == 0:
                    at = source + i * kw * args[10] + {size} * (h // stride - begin) * wide
                    for j in range(starts[phase], starts[phase + 1]):
                        word_at(rows)[2 * count] = at + taps[2 * j]
                        word_at(rows)[2 * count + 1] = taps[2 * j + 1]
                        count += 1
            for c in range(args[13] if count > 0 else 0):
                shift, to = c * kh * kw * args[10], sums + {size} * ((c * high + line) * across + phase * length)
                for q in range(0, length, {lanes}):
                    gather(rows, count, shift, q, wide, to + {size} * q)

def kernel(lo, hi, args):
    share, high, wide, across = args[13], args[14], args[15], args[18]
    width, step, left, length = args[22], args[23], args[24], args[25]
    splits, groups, band = args[28], args[29], args[30]
    lines = args[9] // wide
    room = args[3] + lo // args[39] * args[27]
    sums, held = room + args[31], pointers()
    for job in range(lo, hi):
        n, group, split = job // (groups * splits), job // splits % groups, job % splits
        g = args[0] + n * args[4] + group * args[6] * args[5]
        w = args[1] + group * args[6] * args[7] + {size} * split * args[11]
        word_at(held)[0] = sums
        first = (group * splits + split) * share
        word_at(held)[1] = args[2] + {size} * (n * args[32] + first * args[33])
        total, y = {pointer}(word_at(held), 0), {pointer}(word_at(held), 1)
        for k in range(share * high * across):
            total[k] = 0
        for begin in range(0, lines, band):
            end = min(lines, begin + band)
            multiplied(args, g, w, room, begin * wide, end * wide)
            folded(args, room, sums, begin, end)
        for c in range(share):
            base = {pointer}(args, 36)[first + c]
            for h in range(high):
                source, to = (c * high + h) * across, c * args[33] + h * args[34]
                for k in range(width):
                    place = k + left
                    y[to + k * args[35]] = base
                    if place >= 0 and place // step < length:
                        y[to + k * args[35]] += total[source + place % step * length + place // step]
"""


class Fold:
    """The sums for images of a shape."""

    def __init__(
        self,
        size: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        weights: tuple[int, ...],
        result: tuple[int, ...],
        stride: Pair,
        padding: tuple[Pair, Pair],
        dilation: Pair,
        groups: int,
    ) -> None:
        self.tile, self.result = shape_for(size), result
        n, outputs, high, wide = shape
        share, kh, kw = weights[1:]
        splits = 1 if n * groups >= JOBS else share
        share //= splits
        taps, pixels, left, step = share * kh * kw, high * wide, padding[1][0], stride[1]
        tiles = -(-taps // self.tile.rows)
        self.rows = min(rows for rows in (*ROWS, self.tile.rows) if rows * tiles >= taps)
        rounded = tiles * self.rows
        lanes = self.tile.lanes
        length = max(wide + (kw - 1) * dilation[1] // step, (result[3] - 1 + left) // step + 1)
        length = -(-length // lanes) * lanes
        self.rounded = rounded
        band = max(1, BAND // (taps * wide * size))
        pitch = -(-(min(band, high) * wide + 4 * lanes) * size // LINE) * LINE
        tables = -(-16 * (rounded + kh * kw) // LINE) * LINE
        sums = tables + taps * pitch
        each = -(-(sums + share * result[2] * length * step * size) // LINE) * LINE
        phases = [
            [(j * pitch, j * dilation[1] // step) for j in range(kw) if j * dilation[1] % step == k]
            for k in range(step)
        ]
        self.starts = np.cumsum([0, *map(len, phases)])
        self.columns = np.array([pair for phase in phases for pair in phase], np.int64)
        words = array("q", (0, 0, 0, 0, strides[0], strides[1], outputs // groups, math.prod(weights[1:]) * size))
        words.extend((rounded, pixels, pitch, taps, tables, share, result[2], wide, kh, kw, length * step))
        words.extend((stride[0], dilation[0], padding[0][0], result[3], step, left, length))
        words.extend((self.starts.ctypes.data, each, splits, groups, band, sums))
        self.words, self.jobs, self.each = words, n * groups * splits, each
        self.threads = 1 if pixels * n * outputs * weights[1] * kh * kw < SMALL else None
        self.nothing = np.zeros(result[1], f"f{size}")

    def run(self, g: Array, w: Array, bias: Array | None, out: Array | None) -> Array:
        """The sums and the bias, (N, C, H, W), plane by plane, or in `out`, which is (N, H, W, C)."""
        size = self.tile.size
        y = empty(self.result, g.dtype) if out is None else out.transpose(0, 3, 1, 2)
        threads, share, count = shares(self.jobs, self.threads)
        room, w = empty((count * self.each + LINE,), np.dtype(np.uint8)), np.ascontiguousarray(w)
        base = self.nothing if bias is None else np.ascontiguousarray(bias)
        words = array("q", self.words)
        words[0], words[1], words[2] = g.ctypes.data, w.ctypes.data, y.ctypes.data
        words[3] = -(-room.ctypes.data // LINE) * LINE
        words.extend((*(step // size for step in y.strides), base.ctypes.data))
        words.extend((16 * self.rounded, self.columns.ctypes.data, share))
        pool.run(_kernel(self.tile, self.rows), self.jobs, words.buffer_info()[0], threads)
        return y


def fitting(size: int, shape: tuple[int, ...], strides: tuple[int, ...], weights: tuple[int, ...], groups: int) -> bool:
    """Whether this is the faster way: few channels, and cotangents plane by plane that are not tiny."""
    lanes, (high, wide) = shape_for(size).lanes, shape[2:]
    planes = strides[3] == size and (strides[2] == wide * size or high == 1) and wide > 1
    return planes and 2 * weights[1] <= lanes and groups < weights[0] and high * wide >= 2 * lanes


@cache
def _kernel(shape: Shape, rows: int) -> int:
    names = {"size": shape.size, "lanes": shape.lanes, "rows": rows, "pointer": f"pointer_f{shape.size}"}
    return compile.get(_SOURCE.format(**names)).address
