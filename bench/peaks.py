"""What the machine can do at most: a copy and a triad of as many bytes as a kernel moves, and a matrix product.

All three run on the threads of the engine's own pool, like the kernels, so that no second pool spins beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograd.kernels import blas, compile, pool
from bench.turns import Statement

COPY, TRIAD, GEMM = "copy", "triad", "GEMM"
SIDE = 768  # of the matrices
LEAST, MOST = 1 << 12, 1 << 28  # bytes
SERIAL = 1 << 15  # elements below which threads are not worth waking
CODES = {"float32": "f4", "float64": "f8"}
BODIES = {COPY: "{0}[i] = {1}[i]", TRIAD: "{0}[i] = {1}[i] + s * {2}[i]"}


@dataclass(frozen=True)
class Peak:
    """A statement that does a known amount of work: bytes, or floating-point operations."""

    statement: Statement
    amount: float
    unit: str
    words: str


def peaks(size: int, dtype: np.dtype[Any], threads: int) -> dict[str, Peak]:
    """The peaks for a kernel that moves `size` bytes.

    >>> found = peaks(1 << 16, np.dtype("float32"), 1)
    >>> [(name, p.unit) for name, p in found.items()]
    [('copy', 'B'), ('triad', 'B'), ('GEMM', 'FLOP')]
    """
    kind = dtype if dtype.name in CODES else np.dtype(np.float64)
    moved = min(max(size, LEAST), MOST)
    found = {name: stream(name, arrays, moved, kind, threads) for name, arrays in ((COPY, 2), (TRIAD, 3))}
    return found | {GEMM: product(kind, threads)}


def stream(name: str, count: int, size: int, dtype: np.dtype[Any], threads: int) -> Peak:
    """A loop over arrays that are `size` bytes together."""
    code, n = CODES[dtype.name], size // (count * dtype.itemsize)
    arrays = [np.ones(n, dtype) for _ in range(count)]
    names = "abc"[:count]
    lines = [f"    {a} = pointer_{code}(args, {k})" for k, a in enumerate(names)]
    lines += [f"    s = np.{dtype.name}(0.5)", "    for i in range(lo, hi):", f"        {BODIES[name].format(*names)}"]
    kernel = compile.get("\n".join(["def kernel(lo, hi, args):", *lines]))
    words = np.array([a.ctypes.data for a in arrays], np.intp)
    run = runner(kernel.address, n, words, threads if n >= SERIAL else 1, arrays)
    return Peak(run, count * n * dtype.itemsize, "B", f"{count * n * dtype.itemsize / 1e6:.3g} MB")


def runner(address: int, n: int, words: Any, threads: int, kept: Any) -> Statement:
    """A kernel over the pool's threads; `kept` lives as long as the statement."""
    place = words.ctypes.data
    return partial(_run, address, n, place, threads, (words, kept))


def _run(address: int, n: int, place: int, threads: int, _kept: Any) -> None:
    pool.run(address, n, place, threads)


def product(dtype: np.dtype[Any], threads: int, side: int = SIDE) -> Peak:
    """A product of square matrices: blocks for each thread, as the engine's own products are."""
    a, b, out = (np.ones((side, side), dtype) for _ in range(3))
    job = blas.entry(a, b, out)
    if job is None:  # a BLAS that is not OpenBLAS
        multiply: Callable[..., Any] = np.matmul
        return Peak(partial(multiply, a, b, out=out), 2 * side**3, "FLOP", f"{side}^3, {dtype.name}")
    address, blocks, words = job
    place = words.buffer_info()[0]
    statement = partial(_run, address, blocks, place, threads, (words, a, b, out))
    return Peak(statement, 2 * side**3, "FLOP", f"{side}^3, {dtype.name}")
