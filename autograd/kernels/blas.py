"""Matrix products as jobs of the pool: blocks of the result, each one a single-threaded BLAS call.

The blocks follow from the shape and the cores that the process started with, so the bits of a product do not depend on
the number of threads in use. One block for each core: more of them pack the same panels more often.
"""

from __future__ import annotations

import math
from array import array
from functools import cache, lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import buffers, pool, workers

SMALL = 1 << 18  # multiply-adds up to which NumPy's BLAS uses one thread of its own accord
SINGLE = 1 << 20  # up to which one block is faster than the pool
CORES = workers.allowed()
_NORMAL, _TURNED = ord("N"), ord("T")
WHOLE = 10**6  # multiply-adds that OpenBLAS does in place
WIDE, DEEP = 64, 256  # columns of a block of those; depth from which the right matrix may lie turned
CACHED, LONG = 1 << 23, 1 << 13  # bytes of both operands, and of a row
_FORM = 18  # words of a product of two matrices; the offsets of a stack's follow
_NOWHERE = np.zeros(3, np.intp)
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def matmul(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """`np.matmul` on the pool's threads, for arrays of one floating dtype; anything else is `np.matmul` itself.

    >>> a = np.ones((300, 200), np.float32)
    >>> float(matmul(a, a.T)[3, 4])
    200.0
    """
    product, job = out, None
    if type(a) is type(b) is np.ndarray and a.dtype is b.dtype and a.dtype in _FLOATS and _large(a.shape, b.shape):
        if out is None:
            front = () if a.ndim == b.ndim == 2 else np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            product = buffers.empty((*front, a.shape[-2], b.shape[-1]), a.dtype)
        if out is None or not (np.may_share_memory(out, a) or np.may_share_memory(out, b)):
            job = entry(a, b, cast("NDArray[Any]", product))
    if job is None:
        return np.matmul(a, b, out=out) if out is not None else np.matmul(a, b)
    address, blocks, words = job
    pool.run(address, blocks, words.buffer_info()[0])
    return cast("NDArray[Any]", product)


def _large(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    """Whether these are matrices that NumPy's BLAS would run over its own threads, or stacks that NumPy runs on one."""
    if len(left) < 2 or len(right) < 2 or left[-1] != right[-2]:
        return False
    rows, depth, columns = left[-2], left[-1], right[-1]
    stacked = max(math.prod(left[:-2]), math.prod(right[:-2]))
    return stacked * rows * depth * columns > SMALL and min(rows, depth, columns) > 1


def entry(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> tuple[int, int, array[int]] | None:
    """A product as an entry of a table: the kernel's address, the number of blocks, and its `args`, to be kept alive.

    a: (..., m, k), b: (..., k, n), out: (..., m, n), of one dtype, float32 or float64; vectors as in `np.matmul`; axes
    in front broadcast. None if BLAS cannot take them as they stand: other dtypes, other strides than those of a matrix
    or its transpose, a BLAS that is not OpenBLAS, no elements. `out` must not overlap.
    """
    if out.dtype != a.dtype or a.dtype != b.dtype or a.dtype not in _FLOATS or not out.flags.writeable:
        return None
    plan = _plan(CORES, a.dtype, a.shape, a.strides, b.shape, b.strides, out.shape, out.strides)
    if plan is None:
        return None
    address, blocks, form = plan
    words = form[:]
    words[7], words[9], words[11] = a.ctypes.data, b.ctypes.data, out.ctypes.data
    if len(words) > _FORM:
        words[17] = words.buffer_info()[0] + _FORM * words.itemsize
    return address, blocks, words


@lru_cache(1024)
def _plan(cores: int, dtype: np.dtype[Any], *layouts: tuple[int, ...]) -> tuple[int, int, array[int]] | None:
    """What `entry` says of arrays with these shapes and strides, the arrays' own addresses left open."""
    pairs = zip(layouts[::2], layouts[1::2], strict=True)
    a, b, out = (np.lib.stride_tricks.as_strided(np.empty(0, dtype), *pair) for pair in pairs)
    if not a.ndim or not b.ndim or not a.size or not b.size:
        return None
    a, b, out = _matrices(a, b, out)
    m, n, k = a.shape[-2], b.shape[-1], a.shape[-1]
    if out.shape[-2:] != (m, n) or b.shape[-2] != k:
        return None
    left, right, result = _layout(a), _layout(b), _layout(out)
    if left is None or right is None or result is None or result[0] != _NORMAL:
        return None
    if max(m, n, k, left[1], right[1], result[1]) >= 1 << 31:
        return None
    native = _native(a.dtype)
    if native is None:
        return None
    offsets = np.stack([_offsets(x, out.shape[:-2]) for x in (a, b, out)], 1)
    many = len(offsets)
    rows, columns = (unpacked(m, n, k, a.itemsize, left[0], right[0]) or grid(m, n, k, cores)) if many == 1 else (m, n)
    down, across = -(-m // rows), -(-n // columns)
    blocks = down * across
    by_rows = rows >= columns  # so that the larger side of a block is what stays in the cache
    words = array("q", (native[2], native[1], left[0], right[0], m, n, k, 0, left[1], 0, right[1], 0, result[1]))
    words.extend((rows, columns, across if by_rows else -down, blocks, _NOWHERE.ctypes.data))
    if many > 1:
        words.extend(offsets.ravel().tolist())
    return native[0], blocks * many, words


def _matrices(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The operands with vectors as matrices, and rows of many matrices by one as the rows of a single matrix."""
    if a.ndim == 1:
        a, out = a[None], (out[..., None, :] if b.ndim > 1 else out.reshape(1))
    if b.ndim == 1:
        b, out = b[:, None], out[..., None]
    if a.ndim > 2 and b.ndim == 2 and a.flags.c_contiguous and out.flags.c_contiguous:
        return a.reshape(-1, a.shape[-1]), b, out.reshape(-1, out.shape[-1])
    return a, b, out


def _offsets(x: NDArray[Any], batch: tuple[int, ...]) -> NDArray[np.intp]:
    """Where each of the matrices begins, in bytes from the first."""
    strides = np.broadcast_to(x, (*batch, *x.shape[-2:])).strides[:-2]
    found = np.zeros(batch, np.intp)
    for axis, (length, stride) in enumerate(zip(batch, strides, strict=True)):
        found += (np.arange(length) * stride).reshape(-1, *[1] * (len(batch) - 1 - axis))
    return found.ravel()


@lru_cache(1024)
def grid(m: int, n: int, k: int, cores: int) -> tuple[int, int]:
    """Rows and columns of a block of an (m, n) product over k: as square as so many blocks can be.

    >>> grid(1024, 512, 128, 2), grid(128, 256, 784, 2), grid(1024, 1024, 1024, 4), grid(64, 64, 64, 4)
    ((512, 512), (128, 128), (512, 512), (64, 64))
    """
    parts = max(1, min(cores, 2 * m * n * k // SINGLE)) if m * n * k > SINGLE else 1
    ways = [(m / down + n / (parts // down), down) for down in range(1, parts + 1) if parts % down == 0]
    down = min(ways)[1]
    return _share(m, down), _share(n, parts // down)


def unpacked(m: int, n: int, k: int, size: int, left: int, right: int) -> tuple[int, int] | None:
    """Rows and columns of blocks that OpenBLAS multiplies as they lie; None where it has no such way, or it is slower.

    For processors with AVX-512 it reads matrices of up to `WHOLE` multiply-adds in place. Many of those take less time
    than few larger ones, which it would first lay out anew, if the operands stay in a cache.
    """
    if not _unpacking() or m * n * k <= WHOLE or (m + n) * k * size > CACHED or k * size >= LONG:
        return None
    if right == _TURNED:
        rows, columns = min(WIDE, WHOLE // (16 * k) & -16), 16
        return (min(rows, m), min(columns, n)) if rows and left == _NORMAL and k >= DEEP else None
    if left == _TURNED:
        rows, columns = min(2 * WIDE, WHOLE // (32 * k) & -16), 32
    else:
        rows = WIDE if WIDE * WIDE * k <= WHOLE else 16
        columns = max(c for c in (0, WIDE, 2 * WIDE, 4 * WIDE) if rows * min(c, n) * k <= WHOLE)
    return (min(rows, m), min(columns, n)) if rows and columns else None


@cache
def _unpacking() -> bool:
    from autograd.kernels import openblas  # loads SciPy's BLAS

    return openblas.UNPACKING


def _share(size: int, parts: int) -> int:
    return min(size, -(-size // parts) + 15 & -16)  # whole tiles of BLAS's inner loop


def _layout(x: NDArray[Any]) -> tuple[int, int] | None:
    """Whether matrices lie in rows or turned, and their leading dimension; None if neither."""
    (high, wide), (down, right), item = x.shape[-2:], x.strides[-2:], x.itemsize
    if high == 1:
        down = wide * max(right, item)
    if wide == 1:
        right = item if down >= item else high * item
    if right == item and down >= wide * item and down % item == 0:
        return _NORMAL, down // item
    if high == 1 and right % item == 0 and right >= item:
        return _TURNED, right // item
    if down == item and right >= high * item and right % item == 0:
        return _TURNED, right // item
    return None


def begin(dtype: np.dtype[Any]) -> None:
    """Let the kernel of products be compiled while Python goes on."""
    from autograd.kernels import openblas  # loads SciPy's BLAS

    if dtype in _FLOATS:
        openblas.begin(dtype)


@cache
def _native(dtype: np.dtype[Any]) -> tuple[int, int, int] | None:
    from autograd.kernels import openblas  # loads SciPy's BLAS

    found = openblas.kernel(dtype)
    return None if found is None else (*found, openblas.LIMIT.ctypes.data)
