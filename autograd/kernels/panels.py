"""Products of rows by a matrix that stays the same for many of them: the matrix is laid out once for the tile.

BLAS lays its operands out anew in every call, which for a step of a recurrent layer takes as long as half the product.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import blas, compile, pool
from autograd.kernels.convolve_source import shape_for

Array = NDArray[Any]
FEW, DEEP = 4, 1024  # rows, below which BLAS too reads the matrix but once; depth, beyond which it keeps parts in cache
BLOCK = 8  # tiles of rows in a job
ROWS = (1, 2, 4, 6, 8)  # heights of a tile: the largest that fits, so that another number of rows needs no other kernel
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_SOURCE = """from autograd.kernels.tile import scratch, tile
product = tile({size}, {lanes}, {rows}, 2)
sources, targets, nowhere = scratch({rows}), scratch({rows}), scratch(1)

@inline
def strip(args, panel, start, end, source, target, none):
    m, n, k, a, down_a, b, c, down_c = args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7]
    begin = b + panel * k * {vector} * 2
    columns = min(2 * {lanes}, n - panel * 2 * {lanes})
    for first in range(start, end, {rows}):
        i = min(first, end - {rows})
        for r in range({rows}):
            word_at(source)[r] = a + (i + r) * down_a
            word_at(target)[r] = c + (i + r) * down_c
        product(source, 0, none, 1, k, {size}, begin, 2 * {vector}, target, panel * 2 * {vector}, 0, columns)

def kernel(lo, hi, args):
    source, target, none = sources(), targets(), nowhere()
    word_at(none)[0] = 0
    panels = (args[1] + 2 * {lanes} - 1) // (2 * {lanes})
    for job in range(lo, hi):
        start = job // panels * {height}
        end = min(args[0], start + {height})
        strip(args, job % panels, max(0, min(start, end - {rows})), end, source, target, none)

def apart(lo, hi, args):  # rows by the tile, the last item with those that are left; a panel stays in the cache
    source, target, none = sources(), targets(), nowhere()
    word_at(none)[0] = 0
    panels = (args[1] + 2 * {lanes} - 1) // (2 * {lanes})
    last = args[0] // {rows} - 1
    for panel in range(panels):
        for block in range(lo, hi):
            end = args[0] if block == last else block * {rows} + {rows}
            strip(args, panel, block * {rows}, end, source, target, none)
"""


def packed(b: Array) -> Array:
    """A matrix (k, n) as panels (n / width, k, width), zeros beyond its last column.

    >>> packed(np.ones((3, 5), np.float32)).sum()
    np.float32(15.0)
    """
    k, n = b.shape
    width = 2 * shape_for(b.itemsize).lanes
    panels = -(-n // width)
    if n == panels * width:
        return np.ascontiguousarray(b.reshape(k, panels, width).transpose(1, 0, 2))
    whole = np.zeros((k, panels * width), b.dtype)
    whole[:, :n] = b
    return np.ascontiguousarray(whole.reshape(k, panels, width).transpose(1, 0, 2))


def entry(a: Array, b: Array, out: Array) -> tuple[int, int, list[int]] | None:
    """A product by a packed matrix as an entry of a table: the kernel, the jobs, its `args`; None for BLAS instead.

    a: (m, k), rows of neighbouring numbers. b: (k, n), not read. out: (m, n) as a. Of the words, 3 is the address of a,
    5 that of the panels, 6 that of `out`.

    >>> a, b, y = np.ones((5, 3), np.float32), np.ones((3, 20), np.float32), np.empty((5, 20), np.float32)
    >>> entry(a, b, y)[1], entry(a[:1], b, y[:1])
    (1, None)
    """
    if not a.ndim == b.ndim == out.ndim == 2 or a.dtype not in _FLOATS or not a.dtype == b.dtype == out.dtype:
        return None
    (m, k), n, size = a.shape, b.shape[1], a.itemsize
    tile = shape_for(size)
    rows_apart = all(x.strides[1] == size and x.strides[0] >= x.shape[1] * size for x in (a, out))
    if m < FEW or n < tile.lanes or not 0 < k <= DEEP or not rows_apart:
        return None
    rows = max(r for r in ROWS if r <= min(m, tile.rows))
    words = [m, n, k, a.ctypes.data, a.strides[0], 0, out.ctypes.data, out.strides[0]]
    panels = -(-n // (2 * tile.lanes))
    return _kernel(size, tile.lanes, rows), panels * -(-m // (rows * BLOCK)), words


def height(dtype: np.dtype[Any]) -> int:
    """The rows of an item of the kernel of `apart`.

    >>> height(np.dtype(np.float32)) in ROWS
    True
    """
    return max(r for r in ROWS if r <= shape_for(dtype.itemsize).rows)


def apart(dtype: np.dtype[Any]) -> int:
    """The kernel that takes the words of an `entry`, and whose items are `height` rows each; the last has the rest too.

    >>> apart(np.dtype(np.float32)) != 0
    True
    """
    return _kernel(dtype.itemsize, shape_for(dtype.itemsize).lanes, height(dtype), "apart")


def matmul(a: Array, b: Array, out: Array) -> None:
    """`np.matmul` into `out`, on the tile where that is faster than BLAS.

    >>> y = np.empty((300, 20))
    >>> matmul(np.ones((300, 4)), np.ones((4, 20)), y)
    >>> float(y.min()), float(y.max())
    (4.0, 4.0)
    """
    job = entry(a, b, out)
    if job is None or a.size < b.shape[0] * ROWS[-1]:
        blas.matmul(a, b, out)
        return
    address, jobs, given = job
    panels = packed(b)
    given[5] = panels.ctypes.data
    words = array("q", given)
    threads = None if a.size * b.shape[1] > blas.SINGLE else 1
    pool.run(address, jobs, words.buffer_info()[0], threads)


@cache
def _kernel(size: int, lanes: int, rows: int, name: str = "kernel") -> int:
    source = _SOURCE.format(size=size, lanes=lanes, rows=rows, height=rows * BLOCK, vector=size * lanes)
    return compile.get(source, name).address
