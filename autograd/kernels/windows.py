"""Windows reduced without being made: largest elements and where they are, sums, and the transposes of both.

Results lie in memory as what they are made of: plane by plane, or pixel by pixel. Each plane is written by one thread
in one order, so that results do not depend on how many there are.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import pool
from autograd.kernels.buffers import empty
from autograd.kernels.windows_source import LANES, UNROLLED, kernel

Array = NDArray[Any]
Sizes = tuple[int, ...]
FEWEST = 4  # channels from which on they are worth a loop of their own
SMALL = 1 << 15  # numbers up to which one thread is faster
INDEX = np.dtype(np.int32)


def reduced(
    op: str,
    x: Array,
    counts: Sizes,
    *,
    size: Sizes,
    stride: Sizes,
    dilation: Sizes,
    before: Sizes,
    out: Array | None = None,
) -> Array:
    """The largest element ("max") of each window over the last axes of x, where it is ("argmax"), or the sum ("sum").

    counts: how many windows there are along each axis. before: what the first starts before the first element. out: as
    of all functions here, where the result may be written if it lies in the order of x.

    >>> reduced("max", np.array([[1.0, 5.0, 2.0, 3.0]]), (2,), size=(2,), stride=(2,), dilation=(1,), before=(0,))
    array([[5., 3.]])
    """
    lead, spatial = x.shape[: x.ndim - len(size)], x.shape[x.ndim - len(size) :]
    pixels = in_pixels(x, len(size))
    x = x if pixels else np.ascontiguousarray(x)
    y = _like(lead, counts, INDEX if op == "argmax" else x.dtype, pixels, out)
    if y.size:
        start = 0.0 if op == "sum" else -math.inf
        _run(op, x, y, lead, spatial, counts, pixels, start, size, stride, dilation, before)
    return y


def spread(
    g: Array,
    lengths: Sizes,
    *,
    size: Sizes,
    stride: Sizes,
    dilation: Sizes,
    before: Sizes,
    out: Array | None = None,
) -> Array:
    """The transpose of the sum: each element of g added to all places of its window, in axes of these lengths.

    >>> spread(np.array([[1.0, 5.0]]), (3,), size=(2,), stride=(1,), dilation=(1,), before=(0,))
    array([[1., 6., 5.]])
    """
    lead, counts = g.shape[: g.ndim - len(size)], g.shape[g.ndim - len(size) :]
    pixels = in_pixels(g, len(size))
    g = g if pixels else np.ascontiguousarray(g)
    x = _like(lead, lengths, g.dtype, pixels, out)
    if x.size:
        _run("spread", x, g, lead, lengths, counts, pixels, 0.0, size, stride, dilation, before)
    return x


def place(g: Array, places: Array, lengths: Sizes, out: Array | None = None) -> Array:
    """Zeros with axes of these lengths, to which each element of g is added at its place; none below 0.

    >>> place(np.array([[1.0, 5.0]]), np.array([[2, 2]], np.int32), (3,))
    array([[0., 0., 6.]])
    """
    pixels = in_pixels(places, len(lengths))
    x = _like(g.shape[: g.ndim - len(lengths)], lengths, g.dtype, pixels, out)
    _move("place", x, _lying(g, len(lengths), pixels), places, lengths, pixels)
    return x


def pick(x: Array, places: Array, dims: int, out: Array | None = None) -> Array:
    """The transpose of `place`: the elements of the last axes of x at the places; 0 for those below 0.

    >>> pick(np.array([[1.0, 5.0]]), np.array([[1, -1, 0]], np.int32), 1)
    array([[5., 0., 1.]])
    """
    pixels = in_pixels(places, dims)
    lead = x.ndim - dims
    y = _like(x.shape[:lead], places.shape[lead:], x.dtype, pixels, out)
    _move("pick", _lying(x, dims, pixels), y, places, x.shape[lead:], pixels)
    return y


def in_pixels(x: Array, dims: int) -> bool:
    """Whether x is (N, C, ...) with the channels of each pixel together in memory, and enough of them."""
    if x.ndim != dims + 2 or x.shape[1] < FEWEST:
        return False
    return bool(np.moveaxis(x, 1, -1).flags.c_contiguous) and not x.flags.c_contiguous


def _like(lead: Sizes, lengths: Sizes, dtype: np.dtype[Any], pixels: bool, out: Array | None) -> Array:
    """An array for a result: `out` where it is one of this kind."""
    if out is not None and out.shape == (*lead, *lengths) and out.dtype == dtype:
        lying = np.moveaxis(out, 1, -1) if pixels else out
        if lying.flags.c_contiguous:
            return out
    if not pixels:
        return empty((*lead, *lengths), dtype)
    return np.moveaxis(empty((lead[0], *lengths, lead[1]), dtype), -1, 1)


def _lying(x: Array, dims: int, pixels: bool) -> Array:
    """x in that order of memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1) if pixels else np.ascontiguousarray(x)


def _run(
    op: str,
    x: Array,
    y: Array,
    lead: Sizes,
    lengths: Sizes,
    counts: Sizes,
    pixels: bool,
    start: float,
    size: Sizes,
    stride: Sizes,
    dilation: Sizes,
    before: Sizes,
) -> None:
    many, channels = (lead[0], lead[1]) if pixels else (math.prod(lead), 1)
    (elements, windows), bits = map(math.prod, (lengths, counts)), x.dtype.type(start).view(f"i{x.itemsize}")
    sizes = [_three(size, 1), _three(stride, 1), _three(before, 0), _three(dilation, 1)]
    words = array("q", (x.ctypes.data, y.ctypes.data, elements * channels, 0, windows * channels, 0, channels))
    words.extend((int(bits), *_three(lengths, 1), *_three(counts, 1), *(n for each in sizes for n in each)))
    window = (*sizes[0], sizes[1][2], sizes[3][2]) if not pixels and math.prod(size) <= UNROLLED else None
    address = kernel(op, x.itemsize, pixels, window)
    deep, high, _ = _three(counts, 1)
    jobs = many * -(-channels // LANES) if op == "spread" else many * deep * (high if pixels else 1)
    pool.run(address, jobs, words.buffer_info()[0], 1 if x.size < SMALL else None)


def _move(op: str, x: Array, y: Array, places: Array, lengths: Sizes, pixels: bool) -> None:
    if not (x.size or y.size):
        return
    lead = places.shape[: places.ndim - len(lengths)]
    places = _lying(places, len(lengths), pixels).astype(INDEX, copy=False)
    many, channels = (lead[0], lead[1]) if pixels else (math.prod(lead), 1)
    words = array("q", (x.ctypes.data, y.ctypes.data, places.ctypes.data, math.prod(lengths)))
    words.extend((places.size // max(1, many * channels), channels))
    jobs = many * -(-channels // LANES)
    pool.run(kernel(op, x.itemsize, pixels), jobs, words.buffer_info()[0], 1 if x.size < SMALL else None)


def _three(values: Sequence[int], fill: int) -> tuple[int, ...]:
    """The sizes of three axes; those that are not there come first."""
    return (fill,) * (3 - len(values)) + tuple(values)
