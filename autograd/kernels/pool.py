"""One pool of threads for kernels and for slices of matrix products.

Its members are Python threads that never leave one native loop (`team.py`), so they hold no interpreter lock. After a
job they watch for the next one for `config.spin` microseconds, then for `config.linger` more while they let any other
thread have the core, then they sleep; at once where others keep their cores busy. A call while the pool is busy, from
another thread or from within a kernel, runs serially instead of waiting.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd.config import config
from autograd.errors import ArgumentError
from autograd.kernels import team
from autograd.kernels.compile import function
from autograd.kernels.team import RUN, TABLE
from autograd.kernels.workers import allowed

_PRIMITIVES = {
    team.LOCK: "pthread_mutex_lock",
    team.UNLOCK: "pthread_mutex_unlock",
    team.WAIT: "pthread_cond_wait",
    team.WAKE: "pthread_cond_broadcast",
    team.YIELD: "sched_yield",
    team.CLOCK: "clock_gettime",
}


class Team:
    """The threads of a pool, the caller of a job included, and the memory that they share."""

    def __init__(self, size: int) -> None:
        self.size = min(size, team.LIMIT)
        room = team.CELLS + (8 + team.MASKED) * self.size
        words = np.zeros(room + 8, np.int64)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(words))  # a thread may look at it until the process ends
        start = -words.ctypes.data % 64 // 8
        self._words = words[start : start + room]
        self.state = self._words.ctypes.data
        self.native = team.native()
        self._members: list[threading.Thread] = []
        if not self._prepare():
            self.size = 1
        self._recruit()

    def _prepare(self) -> bool:
        """Fill in the system's functions; False where there are none that we know."""
        if sys.platform == "win32":
            return False
        library = ctypes.CDLL(None)
        for place, name in _PRIMITIVES.items():
            self._words[place] = ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
        library.pthread_mutex_init(ctypes.c_void_p(self.state + 8 * team.MUTEX), None)
        library.pthread_cond_init(ctypes.c_void_p(self.state + 8 * team.CONDITION), None)
        if sys.platform == "linux":
            self._words[team.CORE] = ctypes.cast(library.sched_getcpu, ctypes.c_void_p).value or 0
            self._words[team.PLACE] = ctypes.cast(library.sched_setaffinity, ctypes.c_void_p).value or 0
            cores = self._words[team.MASK : team.MASK + team.MASKED].view(np.uint64)
            for core in os.sched_getaffinity(0):
                cores[core // 64 :][:1] |= np.uint64(1 << core % 64)
        self._words[team.CLOCK_ID] = time.CLOCK_MONOTONIC
        self._words[team.SPIN] = round(1000 * config.spin)
        self._words[team.LINGER] = round(1000 * (config.spin + config.linger))
        return True

    def _recruit(self) -> None:
        for rank in range(1, self.size):
            own = self.state + 8 * (team.CELLS + 8 * self.size + team.MASKED * rank)
            loop = (team.WORK, self.state, rank, own, 0, 0, 0, 0)
            member = threading.Thread(target=self.native, args=loop, name=f"wengert-{rank}", daemon=True)
            try:
                member.start()
            except RuntimeError:  # no more threads, or the interpreter is ending: the others do the work
                break
            self._members.append(member)

    def stop(self, patience: float = 2.0) -> None:
        """End the threads after the job at hand. Later jobs of this team run serially."""
        limit = time.monotonic() + patience
        while self._members and not self._words[team.STOP] and time.monotonic() < limit:
            self.native(team.END, self.state, 0, 0, 0, 0, 0, 0)
            if not self._words[team.STOP]:
                time.sleep(0.001)
        for member in self._members if self._words[team.STOP] else ():
            member.join(max(0.0, limit - time.monotonic()))


_lock = threading.RLock()
_team: Team | None = None
_threads = allowed()


def get_num_threads() -> int:
    """The number of threads that kernels and matrix products use.

    >>> get_num_threads() >= 1
    True
    """
    return _threads


def set_num_threads(n: int) -> None:
    """Use n threads for kernels and matrix products, never more than the cores that the process may run on.

    Raises ArgumentError if n is less than 1.

    >>> before = get_num_threads()
    >>> set_num_threads(1)
    >>> get_num_threads()
    1
    >>> set_num_threads(before)
    """
    global _threads, _team
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ArgumentError(f"set_num_threads was given {n!r}. Expected a whole number, 1 or more.")
    with _lock:
        _threads = min(int(n), allowed())
        if _team is not None and _team.size < _threads:
            old, _team = _team, None
            old.stop()


def _assemble() -> Team:
    """The team, with as many threads as are asked for and allowed now."""
    global _team
    with _lock:
        if _team is None:
            atexit.unregister(_dismiss)
            atexit.register(_dismiss)
            _team = Team(min(_threads, allowed()))
        return _team


def _dismiss() -> None:
    """At exit: no thread may be inside code that is about to be unmapped."""
    if _team is not None:
        _team.stop()


def run(address: int, n: int, args: int, threads: int | None = None) -> None:
    """Run a kernel on [0, n), in slices of equal size over the threads; returns when all are done.

    address: of a `void kernel(intp lo, intp hi, intp* args)`. args: the address of its words.
    threads: at most so many; 1 calls the kernel and nothing else.
    """
    slices = _threads if threads is None else threads
    if slices == 1:
        function(address)(0, n, args)
        return
    t = _team
    if t is None:
        t = _assemble()
    t.native(RUN, t.state, address, n, args, min(slices, t.size, n), 0, 0)


class Table:
    """Kernels to run one after another, each one when the one before is done, in one native call.

    addresses, sizes, args: for each kernel what `run` takes. parallel: whether it is sliced over the threads; all by
    default. Several `run`s of a table may change what `sizes` and `args` hold in between.
    """

    __slots__ = ("_pointers", "addresses", "args", "parallel", "sizes")

    def __init__(
        self, addresses: ArrayLike, sizes: ArrayLike, args: ArrayLike, parallel: ArrayLike | None = None
    ) -> None:
        self.addresses, self.sizes, self.args = (_words(values) for values in (addresses, sizes, args))
        self.parallel = _words(np.ones(self.addresses.size) if parallel is None else parallel)
        columns = (self.addresses, self.sizes, self.args, self.parallel)
        if len({column.shape for column in columns}) != 1:
            raise ArgumentError(
                f"A table was given columns of {[c.size for c in columns]} entries. Expected equal numbers."
            )
        self._pointers = (self.addresses.size, *(column.ctypes.data for column in columns))

    def run(self, threads: int | None = None) -> None:
        """Run every kernel, in order, with at most `threads` threads; 1 does not touch the pool."""
        threads = _threads if threads is None else threads
        if threads == 1:
            team.native()(TABLE, 0, 1, *self._pointers)
            return
        t = _team or _assemble()
        t.native(TABLE, t.state, min(threads, t.size), *self._pointers)


def run_table(
    addresses: ArrayLike,
    sizes: ArrayLike,
    args: ArrayLike,
    parallel: ArrayLike | None = None,
    threads: int | None = None,
) -> None:
    """Run a table of kernels once. Keep a `Table` to run it again."""
    Table(addresses, sizes, args, parallel).run(threads)


def _words(values: ArrayLike) -> NDArray[np.intp]:
    return np.ascontiguousarray(values, np.intp).ravel()


def blocks(n: int, least: int = 4096, most: int = 64) -> Sequence[int]:
    """Bounds of at most `most` blocks of [0, n) of at least `least` each, by n alone.

    A reduction that keeps one partial result for each block, and combines them in order, gives the same bits whatever
    the number of threads: slices of the pool are then made of whole blocks.

    >>> blocks(10, least=4)
    [0, 4, 8, 10]
    """
    size = max(least, -(-n // most), 1)
    return [*range(0, n, size), n]


def _after_fork() -> None:
    """A child has none of its parent's threads: it gathers its own at its first job."""
    global _lock, _team
    _lock, _team = threading.RLock(), None


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork)
