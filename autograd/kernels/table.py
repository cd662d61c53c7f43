"""Rows of a table: those that are named, and numbers added to them, in the order in which they are named."""

from __future__ import annotations

from array import array
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import compile, pool
from autograd.kernels.buffers import empty

Array = NDArray[Any]
SMALL = 1 << 15  # numbers up to which one thread is faster
BLOCK = 1 << 12  # numbers that are copied at a time

_TAKE = """
def kernel(lo, hi, args):
    table, rows, places, wrong = {kind}(args, 0), {kind}(args, 1), pointer_i8(args, 2), pointer_i8(args, 3)
    count, length, width, block = args[4], args[5], args[6], args[7]
    for k in range(lo * block, min(hi * block, count)):
        place = places[k] if places[k] >= 0 else places[k] + length
        if 0 <= place and place < length:
            start, to = place * width, k * width
            for j in range(width):
                rows[to + j] = table[start + j]
        else:
            wrong[0] = 1
"""
_ADD = """
def kernel(lo, hi, args):
    # the slice [lo, hi) of the table is one thread's own, so that no order of threads shows in a sum
    table, rows, places = {kind}(args, 0), {kind}(args, 1), pointer_i8(args, 2)
    count, length, width = args[3], args[4], args[5]
    for k in range(lo * width, hi * width):
        table[k] = 0
    for k in range(count):
        place = places[k] if places[k] >= 0 else places[k] + length
        if lo <= place and place < hi:
            to, at = place * width, k * width
            for j in range(width):
                table[to + j] += rows[at + j]
"""


def added(rows: Array, places: Array, length: int) -> Array:
    """Zeros (length, d), to which row k of `rows`, (n, d), is added at places[k]; counted from the end if below 0.

    >>> added(np.array([[1.0], [2.0], [4.0]]), np.array([0, 2, 0]), 3)
    array([[5.],
           [0.],
           [2.]])
    """
    rows, places = np.ascontiguousarray(rows), np.ascontiguousarray(places, np.int64)
    count, width = rows.shape
    table = empty((length, width), rows.dtype)
    words = array("q", (table.ctypes.data, rows.ctypes.data, places.ctypes.data, count, length, width))
    threads = 1 if table.size + rows.size < SMALL else None
    pool.run(_kernel(_ADD, rows.itemsize), length, words.buffer_info()[0], threads)
    return table


def taken(table: Array, places: Array) -> Array | None:
    """The rows of `table`, (length, d), at `places`, (n,); counted from the end if below 0. None if one is not there.

    >>> taken(np.array([[1.0], [2.0], [4.0]]), np.array([0, -1]))
    array([[1.],
           [4.]])
    >>> taken(np.ones((3, 1)), np.array([3]))
    """
    places = np.ascontiguousarray(places, np.int64)
    (count,), (length, width) = places.shape, table.shape
    rows = empty((count, width), table.dtype)
    block = max(1, BLOCK // width)
    wrong = array("q", (0,))
    addresses = (table.ctypes.data, rows.ctypes.data, places.ctypes.data, wrong.buffer_info()[0])
    words = array("q", (*addresses, count, length, width, block))
    threads = 1 if rows.size < SMALL else None
    pool.run(_kernel(_TAKE, table.itemsize), -(-count // block), words.buffer_info()[0], threads)
    return None if wrong[0] else rows


@cache
def _kernel(source: str, size: int) -> int:
    return compile.get(source.format(kind=f"pointer_f{size}")).address
