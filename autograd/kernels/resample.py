"""Reading images between their pixels, and the transpose of it: one pass over the output, no array in between."""

from __future__ import annotations

import math
from array import array
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import buffers, compile, pool

Array = NDArray[Any]
SERIAL = 1 << 12  # elements up to which one thread is faster than waking others

BLOCK = 1 << 10  # elements of an item
# words: x, coordinates, out, C, H, W, elements of an output plane, words between the coordinates of two images, fill
_SOURCE = """
from autograd.kernels.expressions import outputs, read, select
plus, put = outputs[0]


@inline
def known(p, n):
    # the coordinate; what is far outside is at -1, and with edges what is outside is on the border
    if EDGE:
        q = select(p > 0, p, PX(0))
        q = select(q < n - 1, q, PX(n - 1))
        return q + PX(0.5) if NEAREST else q
    q = p + PX(0.5) if NEAREST else p
    return select((q >= -1) & (q < n), q, PX(-1))


@inline
def flat(p, n, order):
    # whether the derivative is none there
    if order == 0:
        return False
    if EDGE:
        return (p <= 0) | (p >= n - 1) | (p != p)
    return (p <= -1) | (p >= n) | (p != p)


@inline
def between(a, b, f, order):
    return b - a if order else a + f * (b - a)


def get(lo, hi, args):
    x, p, out = pointer_FX(args, 0), pointer_FP(args, 1), pointer_FX(args, 2)
    channels, high, wide, size, skip, fill = args[3], args[4], args[5], args[6], args[7], scalar_FX(args, 8)
    blocks, plane = (size + BLOCK - 1) // BLOCK, high * wide
    for t in range(lo, hi):
        n, start = t // blocks, t % blocks * BLOCK
        stop = min(start + BLOCK, size)
        for c in range(n * channels, n * channels + channels):
            for j in range(start, stop):
                y, z = read(p, n * skip + j), read(p, n * skip + size + j)
                r, s = known(y, high), known(z, wide)
                top, left = np.int64(r + 1) - 1, np.int64(s + 1) - 1
                a, l = top >= 0, left >= 0
                if NEAREST:
                    k = select(a & l, top * wide + left, 0)
                    found = read(x, c * plane + k)
                    put(out, c * size + j, found if EDGE else select(a & l, found, fill))
                else:
                    up, low = FX(r - top), FX(s - left)
                    b, e = top + 1 < high, left + 1 < wide
                    k = c * plane + select(a, top, 0) * wide + select(l, left, 0)
                    down, right = select(a & b, wide, 0), select(l & e, 1, 0)
                    x00, x01, x10, x11 = read(x, k), read(x, k + right), read(x, k + down), read(x, k + down + right)
                    if not EDGE:
                        x00, x01 = select(a & l, x00, fill), select(a & e, x01, fill)
                        x10, x11 = select(b & l, x10, fill), select(b & e, x11, fill)
                    v = between(between(x00, x01, low, RIGHT), between(x10, x11, low, RIGHT), up, DOWN)
                    put(out, c * size + j, select(flat(y, high, DOWN) | flat(z, wide, RIGHT), FX(0), v))


def add(lo, hi, args):
    g, p, out = pointer_FX(args, 0), pointer_FP(args, 1), pointer_FX(args, 2)
    channels, high, wide, size, skip = args[3], args[4], args[5], args[6], args[7]
    plane = high * wide
    for t in range(lo, hi):
        place, target = t // channels * skip, t * plane
        for k in range(plane):
            put(out, target + k, FX(0))
        for j in range(size):
            y, z = read(p, place + j), read(p, place + size + j)
            if flat(y, high, DOWN) | flat(z, wide, RIGHT):
                continue
            r, s, v = known(y, high), known(z, wide), read(g, t * size + j)
            top, left = np.int64(r + 1) - 1, np.int64(s + 1) - 1
            a, l, b, e = top >= 0, left >= 0, top + 1 < high, left + 1 < wide
            k = target + top * wide + left
            if NEAREST:
                if a & l:
                    put(out, k, plus(out, k) + v)
                continue
            up, low = FX(r - top), FX(s - left)
            above, under = between(v, FX(0), up, False), up * v
            if DOWN:
                above, under = -v, v
            for there, row, part in ((a, k, above), (b, k + wide, under)):
                if there:
                    one, two = (-part, part) if RIGHT else (between(part, FX(0), low, False), low * part)
                    if l:
                        put(out, row, plus(out, row) + one)
                    if e:
                        put(out, row + 1, plus(out, row + 1) + two)
"""


def read(x: Array, coordinates: Array, orders: tuple[int, int], nearest: bool, edge: bool, fill: float) -> Array:
    """Images (N, C, H, W) at coordinates (N or 1, 2, H', W'), or their derivatives there: (N, C, H', W').

    >>> read(np.array([[[[0.0, 4.0]]]]), np.array([[[[0.0]], [[0.25]]]]), (0, 0), False, False, 0.0).item()
    1.0
    """
    n, channels = x.shape[:2]
    out = buffers.empty((n, channels, *coordinates.shape[2:]), x.dtype)
    settings = (nearest, edge, *orders)
    _run("get", x, coordinates, out, (channels, *x.shape[2:]), settings, fill, n)
    return out


def spread(
    g: Array, coordinates: Array, shape: tuple[int, ...], orders: tuple[int, int], nearest: bool, edge: bool
) -> Array:
    """The transpose of `read` in its images, of which `shape` is H, W: each element added where it was read.

    >>> spread(np.array([[[[4.0]]]]), np.array([[[[0.0]], [[0.25]]]]), (1, 2), (0, 0), False, False)[0, 0]
    array([[3., 1.]])
    """
    n, channels = g.shape[:2]
    out = buffers.empty((n, channels, *shape), g.dtype)
    _run("add", g, coordinates, out, (channels, *shape), (nearest, edge, *orders), 0.0, n * channels)
    return out


def _run(
    name: str, x: Array, coordinates: Array, out: Array, shape: tuple[int, ...], settings: Any, fill: float, n: int
) -> None:
    x, coordinates = np.ascontiguousarray(x), np.ascontiguousarray(coordinates)
    size = math.prod(coordinates.shape[2:])
    bits = np.array(fill, x.dtype).view(f"i{x.itemsize}").item()
    words = array("q", (x.ctypes.data, coordinates.ctypes.data, out.ctypes.data, *shape, size))
    words.extend((0 if len(coordinates) == 1 else 2 * size, bits))
    kernel = _kernel(name, x.dtype.str[1:], coordinates.dtype.str[1:], *settings)
    items = n * -(-size // BLOCK) if name == "get" else n
    pool.run(kernel, items, words.buffer_info()[0], 1 if out.size + coordinates.size <= SERIAL else None)


@cache
def _kernel(name: str, x: str, coordinates: str, nearest: bool, edge: bool, down: int, right: int) -> int:
    head = f"NEAREST, EDGE, DOWN, RIGHT, BLOCK = {nearest}, {edge}, {bool(down)}, {bool(right)}, {BLOCK}\n"
    head += f"FX, PX = np.float{8 * int(x[1])}, np.float{8 * int(coordinates[1])}\n"
    return compile.get(head + _SOURCE.replace("_FX", f"_{x}").replace("_FP", f"_{coordinates}"), name).address
