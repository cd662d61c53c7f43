"""Windows of images, each at a place of its own and mirrored or not: one pass over the output."""

from __future__ import annotations

from array import array
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import buffers, compile, pool
from autograd.ops.crop import lines

Array = NDArray[Any]
SERIAL = 1 << 14  # elements up to which one thread is faster than waking others

# words: x, starts and steps (N, 4), out, C, H, W, height and width of a window, where the fill is; pixels
# are only moved, so they are whole numbers of as many bytes here
_SOURCE = """
from autograd.kernels.expressions import outputs, read, select
plus, put = outputs[0]


@inline
def within(k, n):
    return select(k < 0, 0, select(k > n, n, k))


def get(lo, hi, args):
    x, starts, out = pointer_KIND(args, 0), pointer_i8(args, 1), pointer_KIND(args, 2)
    channels, high, wide, height, width = args[3], args[4], args[5], args[6], args[7]
    fill = read(pointer_KIND(args, 8), 0)
    for t in range(lo, hi):
        n = t // channels * 4
        top, left, down, right = read(starts, n), read(starts, n + 1), read(starts, n + 2), read(starts, n + 3)
        first = within(select(right > 0, -left, left - wide + 1), width)
        stop = within(select(right > 0, wide - left, left + 1), width)
        for i in range(height):
            r, target = top + down * i, (t * height + i) * width
            if EDGE:
                r = within(r, high - 1)
            if (r < 0) | (r >= high):
                for j in range(width):
                    put(out, target + j, fill)
                continue
            row = (t * high + r) * wide
            before, after = fill, fill
            if EDGE:
                before = read(x, row + select(right > 0, 0, wide - 1))
                after = read(x, row + select(right > 0, wide - 1, 0))
            for j in range(first):
                put(out, target + j, before)
            if right > 0:
                for j in range(first, stop):
                    put(out, target + j, read(x, row + left + j))
            else:
                for j in range(first, stop):
                    put(out, target + j, read(x, row + left - j))
            for j in range(stop, width):
                put(out, target + j, after)
"""


def windows(x: Array, corners: Array, turned: Array, size: tuple[int, int], edge: bool, fill: float) -> Array:
    """Windows of images (N, C, H, W), from corners (N, 2) on, in reverse order where turned: (N, C, *size).

    >>> windows(np.array([[[[1.0, 2.0]]]]), np.array([[0, 1]]), np.array([[False, False]]), (1, 2), False, 0.0)
    array([[[[2., 0.]]]])
    """
    x = np.ascontiguousarray(x)
    starts = np.concatenate(lines(corners, turned, size), axis=1).astype(np.int64)
    out = buffers.empty((*x.shape[:2], *size), x.dtype)
    border = np.array([fill]).astype(x.dtype)
    words = array("q", (x.ctypes.data, starts.ctypes.data, out.ctypes.data, *x.shape[1:], *size, border.ctypes.data))
    pool.run(_kernel(x.itemsize, edge), len(x) * x.shape[1], words.buffer_info()[0], 1 if out.size <= SERIAL else None)
    return out


@cache
def _kernel(size: int, edge: bool) -> int:
    return compile.get(f"EDGE = {edge}\n" + _SOURCE.replace("KIND", f"i{size}"), "get").address
