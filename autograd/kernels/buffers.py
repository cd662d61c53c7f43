"""Memory for large results, used again: a fresh page of memory costs several times what it takes to fill it.

It begins with a page, all of it at equal places of one: a kernel that reads and writes arrays a few bytes apart in that
respect takes a store for one to what it loads next, and waits.

An array handed out is an ordinary ndarray. Its memory comes back when the last view of it is gone, which a finalizer
notices: between the array and the memory stands a `_Lease`, and every view keeps it alive.

NumPy's own results come from the C library, which is told to go on in the same way.
"""

from __future__ import annotations

import ctypes
import math
import sys
import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.config import config

LARGE = 1 << 18  # bytes from which on the memory is kept: what the C library would ask the system for each time
PAGE = 4096
LIMIT = config.keep  # bytes that may lie idle; beyond it memory goes back to the system
TRIM, MAP = -1, -3  # what glibc's mallopt calls the free memory that it keeps, and the size from which on it asks anew
LARGEST = 1 << 25  # of those sizes; Linux has no more in one arena

_lock = threading.RLock()  # a finalizer may run while its own thread holds it
_idle: dict[int, list[Any]] = {}
_held = 0


class _Memory(np.ndarray):
    """Bytes that own themselves: not an ndarray, which NumPy would make the base of views in the lease's place.

    start: where the first page begins.
    """

    start: int


class _Lease(np.ndarray):
    """A view of the memory whose end means that nobody sees the memory any more."""

    def __del__(self) -> None:
        global _held
        memory = self.base
        with _lock:
            if type(memory) is _Memory and _held + memory.nbytes <= LIMIT:
                _idle.setdefault(memory.nbytes, []).append(memory)
                _held += memory.nbytes


def idle() -> list[int]:
    """The sizes of what lies idle.

    >>> sum(idle()) <= LIMIT
    True
    """
    with _lock:
        return [memory.nbytes for stock in _idle.values() for memory in stock]


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array of whatever the memory holds, as `np.empty`.

    >>> empty((2, 3), np.dtype("float32")).shape
    (2, 3)
    """
    global _held
    size = math.prod(shape) * dtype.itemsize
    if size < LARGE:
        return np.empty(shape, dtype)
    with _lock:
        stock = _idle.get(size + PAGE)
        memory = stock.pop() if stock else None
        _held -= size + PAGE if memory is not None else 0
    if memory is None:
        keep()
        memory = _Memory(size + PAGE, np.uint8)
        memory.start = -memory.ctypes.data % PAGE
    return np.ndarray(shape, dtype, memory.view(_Lease), memory.start)


@cache
def keep() -> bool:
    """Let the C library keep as much free memory, rather than ask the system for fresh pages again; whether it can.

    >>> keep() in (True, False)
    True
    """
    if not LIMIT or sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries than glibc have none
    return mallopt is not None and bool(mallopt(MAP, LARGEST) and mallopt(TRIM, min(LIMIT, (1 << 31) - 1)))


def owned(x: NDArray[Any]) -> bool:
    """Whether an array is the only one that holds its memory, but for its views, and lies where kernels are fast.

    >>> owned(np.ones(3)), owned(np.ones(3)[1:]), owned(empty((1 << 20,), np.dtype("float32")))
    (True, False, True)
    """
    if type(x) is not np.ndarray or not x.flags.carray:
        return False
    return (x.base is None and x.nbytes < LARGE) or type(x.base) is _Lease
