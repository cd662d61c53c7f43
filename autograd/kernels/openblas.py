"""SciPy's BLAS as native addresses. Imported at the first product of a program, and at the first large one.

SciPy carries a BLAS of its own beside NumPy's, with threads of its own, which must stay out of our slices: the gemm
kernel sets its number of threads to one while any slice runs and back afterwards. NumPy's BLAS is never touched. It is
looked for where wheels of SciPy have it, because SciPy's linear algebra, which would bring it, takes 0.1 s to load.
"""

from __future__ import annotations

import os
import sys
from functools import cache, partial
from types import ModuleType
from typing import Any

import numpy as np

from autograd.kernels import compile
from autograd.kernels.blas_library import address, carried_library

# Words of LIMIT. COUNT: slices that run. OWN: the number belongs to the calling thread (OpenMP). GATE: forks under way.
LOCK, COUNT, SAVED, GET, SET, OWN, GATE = range(7)
LIMIT = np.zeros(8, np.int64)
GEMM: dict[str, int] = {}  # addresses, where they are known
IN_PLACE = ("SkylakeX", "Cooperlake", "SapphireRapids")  # OpenBLAS's sets of kernels with one for small matrices
UNPACKING = False  # whether it runs one of those sets

_LOCK = """
@inline
def take(limit):
    while not atomic_replace(limit, 0, 1):
        pause()

"""
_SOURCE = """
@inline
def enter(limit):
    own = word_at(limit)[{OWN}]
    before = 0
    if own == 1:
        before = foreign_0(word_at(limit)[{GET}])
        foreign_1(word_at(limit)[{SET}], 1)
    elif own == 0:
        words = word_at(limit)
        take(limit)
        while words[{GATE}] > 0:
            atomic_store(limit, 0)
            pause()
            take(limit)
        if words[{COUNT}] == 0:
            words[{SAVED}] = foreign_0(words[{GET}])
            foreign_1(words[{SET}], 1)
        words[{COUNT}] += 1
        atomic_store(limit, 0)
    return before

@inline
def leave(limit, before):
    own = word_at(limit)[{OWN}]
    if own == 1:
        foreign_1(word_at(limit)[{SET}], before)
    elif own == 0:
        words = word_at(limit)
        take(limit)
        words[{COUNT}] -= 1
        if words[{COUNT}] == 0:
            foreign_1(words[{SET}], words[{SAVED}])
        atomic_store(limit, 0)

def kernel(lo, hi, args):
    limit, gemm, turned_a, turned_b = args[0], args[1], args[2], args[3]
    m, n, k = args[4], args[5], args[6]
    lda, ldb, ldc = args[8], args[10], args[12]
    rows, columns, across, blocks, offsets = args[13], args[14], args[15], args[16], word_at(args[17])
    before = enter(limit)
    for item in range(lo, hi):
        which, block = 3 * (item // blocks), item % blocks
        if across > 0:  # row by row of blocks; else column by column, of -across blocks each
            i, j = block // across * rows, block % across * columns
        else:
            i, j = block % -across * rows, block // -across * columns
        height, width = min(rows, m - i), min(columns, n - j)
        a, b, c = args[7] + offsets[which], args[9] + offsets[which + 1], args[11] + offsets[which + 2]
        mine = a + {size} * (i if turned_a == 84 else i * lda)
        other = b + {size} * (j * ldb if turned_b == 84 else j)
        # row-major C = A B is column-major C' = B' A'
        {gemm}(gemm, turned_b, turned_a, width, height, k, other, ldb, mine, lda, c + {size} * (i * ldc + j), ldc)
    leave(limit, before)
"""
_GATE = f"""
def gate(limit, forks):  # 1 waits for the slices that run and keeps others from beginning; -1 lets them go on
    take(limit)
    word_at(limit)[{GATE}] = max(0, word_at(limit)[{GATE}] + forks)
    atomic_store(limit, 0)
    while forks > 0 and atomic_load(limit + {8 * COUNT}) > 0:
        pause()
"""


def kernel(dtype: np.dtype[Any]) -> tuple[int, int] | None:
    """The kernel of a product and the gemm that it calls; None where SciPy's BLAS is one that cannot be limited."""
    found = begin(dtype)
    if found is None:
        return None
    gemm = "sgemm" if dtype.itemsize == 4 else "dgemm"
    return found.address, GEMM.get(gemm) or _linear_algebra().exported(gemm)


@cache
def begin(dtype: np.dtype[Any]) -> compile.Kernel | None:
    """That kernel, which may still be compiled."""
    if not LIMIT[SET]:
        return None
    names = {"gemm": f"gemm_f{dtype.itemsize}", "size": dtype.itemsize, "COUNT": COUNT, "SAVED": SAVED}
    source = _SOURCE.format(**names, GET=GET, SET=SET, OWN=OWN, GATE=GATE)
    return compile.begin(_LOCK + source, hot=False)


def _linear_algebra() -> ModuleType:
    """What finds it where SciPy's wheel does not carry one."""
    from autograd.kernels import blas_loaded  # loads SciPy's linear algebra

    return blas_loaded


def _find_switch() -> None:
    """Fill in how SciPy's BLAS is told its number of threads, and where its products are."""
    carried = carried_library()
    library = carried or _linear_algebra().loaded_library()
    if library is None:
        return
    global UNPACKING
    UNPACKING = library.architecture in IN_PLACE
    if carried is not None:
        GEMM.update({name: carried.address(f"{name}_") for name in ("sgemm", "dgemm")})
    if library.openmp:
        addresses = [address(library.names, name) for name in ("omp_get_max_threads", "omp_set_num_threads")]
    else:
        addresses = [library.address(f"openblas_{name}_num_threads") for name in ("get", "set")]
    if all(addresses):
        LIMIT[[GET, SET, OWN]] = [*addresses, int(library.openmp)]


def _guard_forks() -> None:
    """Let no fork happen while a slice runs: the child would inherit BLAS's locks, held by threads that it has not."""
    gate = compile.begin(_LOCK + _GATE, "gate", signature=("intp", "intp"), flags=(), hot=False)

    def turn(forks: int) -> None:
        gate.call(LIMIT.ctypes.data, forks)

    os.register_at_fork(before=partial(turn, 1), after_in_parent=partial(turn, -1), after_in_child=_alone)


def _alone() -> None:
    """In the child of a fork nobody else is here."""
    LIMIT[[LOCK, COUNT, GATE]] = 0


_find_switch()
if LIMIT[SET] and sys.platform != "win32":
    _guard_forks()
