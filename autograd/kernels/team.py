"""The native half of the pool: sources of the worker loop, of one job and of a table of jobs.

A job is a kernel, its size, its `args` and a number of slices. Whoever finds a slice unclaimed claims it and runs it:
a thread takes its own slice first, so that it finds its part of the data in its own cache, then what others have not
begun. So nobody waits for a thread that sleeps or is not scheduled: the number of threads that take part is never
assumed.

The words of a pool's state, each group on cache lines of its own:

    WORD      (generation << 16) | slices, published last; ADDRESS, SIZE and ARGS of the job, and the core of its
              CALLER, stand beside it
    PENDING   slices that are not finished
    SLEEPERS  threads that need to be woken
    BUSY      1 while a job or a table runs: a second caller runs its own serially
    CELLS     for each slice the WORD of the job that it was last claimed for; beside it, what its thread knows of time

A thread without work watches for it, then sleeps. Where somebody else wants its core it sleeps at once: one that
watches and yields is put behind those that do not, and would then be late for every job. A thread that finds itself on
the core of the caller, where a scheduler that wakes it may put it, leaves that core to the caller (MASK: the others).

Why a late thread does no harm: it reads the job's fields, then claims a slice by replacing an older word in its cell by
the one it read. Fields change only after every slice of a job was claimed, so a claim that succeeds proves the fields.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from autograd.kernels import compile

WORD, ADDRESS, SIZE, ARGS, CALLER = 0, 1, 2, 3, 4
PENDING, SLEEPERS, BUSY = 8, 16, 24
STOP, SPIN, LINGER, LOCK, UNLOCK, WAIT, WAKE, YIELD, CLOCK, CLOCK_ID, CORE, PLACE = range(32, 44)
MUTEX, CONDITION, MASK, CELLS = 48, 64, 80, 96
MASKED = 16  # words of a set of cores
TIME, APART = 1, 3  # beside a cell's word: seconds and nanoseconds of the clock; until when its thread does not linger
CROWDED, RETREAT = (
    100_000,
    20_000_000,
)  # nanoseconds: a look that took so long was interrupted; then sleep at once for so long
LIMIT = 1 << 15  # slices that fit in a word

RUN, TABLE, WORK, END = range(4)

_SOURCE = f"""
@inline
def work(state, word, rank):
    slices = word & 0xFFFF
    address = atomic_load(state + {8 * ADDRESS})
    size = atomic_load(state + {8 * SIZE})
    args = word_at(atomic_load(state + {8 * ARGS}))
    step = (size + slices - 1) // slices
    if step > 1024:
        step = (step + 63) & -64
    part, mine = rank % slices, 0
    for _ in range(slices):
        cell = state + {8 * CELLS} + 64 * part
        claimed = atomic_load(cell)
        if claimed < word and atomic_replace(cell, claimed, word):
            lo = part * step
            hi = min(size, lo + step)
            if lo < hi:
                call(address, lo, hi, args)
            atomic_add(state + {8 * PENDING}, -1)
            mine += 1
        part += 1
        if part == slices:
            part = 0
    return mine

@inline
def wake(state):
    foreign_1(atomic_load(state + {8 * LOCK}), state + {8 * MUTEX})
    foreign_1(atomic_load(state + {8 * WAKE}), state + {8 * CONDITION})
    foreign_1(atomic_load(state + {8 * UNLOCK}), state + {8 * MUTEX})

@inline
def core(state):
    found = -1
    if atomic_load(state + {8 * CORE}) != 0:
        found = foreign_0(atomic_load(state + {8 * CORE}))
    return found

@inline
def part(state, own):
    here = core(state)
    if here >= 0 and here == atomic_load(state + {8 * CALLER}) and here < {64 * MASKED}:
        for k in range({MASKED}):
            word_at(own)[k] = atomic_load(state + {8 * MASK} + 8 * k)
        word_at(own)[here >> 6] &= ~(1 << (here & 63))
        foreign_3(atomic_load(state + {8 * PLACE}), 0, {8 * MASKED}, own)

@inline
def launch(state, address, size, args, slices):
    atomic_store(state + {8 * ADDRESS}, address)
    atomic_store(state + {8 * SIZE}, size)
    atomic_store(state + {8 * ARGS}, args)
    atomic_store(state + {8 * CALLER}, core(state))
    atomic_store(state + {8 * PENDING}, slices)
    word = (((atomic_load(state) >> 16) + 1) << 16) | slices
    atomic_store(state, word)
    if atomic_load(state + {8 * SLEEPERS}) > 0:
        wake(state)
    if work(state, word, 0) == slices:  # nobody helped: somebody may wait for this core, to leave it
        foreign_0(atomic_load(state + {8 * YIELD}))
    waited = 0
    while atomic_load(state + {8 * PENDING}) > 0:
        pause()
        waited += 1
        if waited & 0xFFF == 0:
            foreign_0(atomic_load(state + {8 * YIELD}))

@inline
def table(state, threads, count, addresses, sizes, args, parallel):
    mine = threads > 1 and atomic_replace(state + {8 * BUSY}, 0, 1)
    for k in range(count):
        if mine and parallel[k] != 0 and sizes[k] > 1:
            launch(state, addresses[k], sizes[k], args[k], threads)
        else:
            call(addresses[k], 0, sizes[k], word_at(args[k]))
    if mine:
        atomic_store(state + {8 * BUSY}, 0)

@inline
def now(state, rank):
    place = state + {8 * (CELLS + TIME)} + 64 * rank
    foreign_2(atomic_load(state + {8 * CLOCK}), atomic_load(state + {8 * CLOCK_ID}), place)
    return 1000000000 * atomic_load(place) + atomic_load(place + 8)

@inline
def watch(state, seen, rank):
    start, word = now(state, rank), atomic_load(state)
    apart = state + {8 * (CELLS + APART)} + 64 * rank
    spin, limit = atomic_load(state + {8 * SPIN}), atomic_load(state + {8 * LINGER})
    if start < atomic_load(apart):
        limit = 0
    time = start
    while word == seen and time - start < limit:
        if time - start < spin:
            pause()
        else:
            foreign_0(atomic_load(state + {8 * YIELD}))
        before, time = time, now(state, rank)
        if time - before > {CROWDED}:
            atomic_store(apart, time + {RETREAT})
            limit = 0
        word = atomic_load(state)
    return word

@inline
def sleep(state, seen):
    foreign_1(atomic_load(state + {8 * LOCK}), state + {8 * MUTEX})
    atomic_add(state + {8 * SLEEPERS}, 1)
    while atomic_load(state) == seen:
        foreign_2(atomic_load(state + {8 * WAIT}), state + {8 * CONDITION}, state + {8 * MUTEX})
    atomic_add(state + {8 * SLEEPERS}, -1)
    foreign_1(atomic_load(state + {8 * UNLOCK}), state + {8 * MUTEX})

@inline
def worker(state, rank, own):
    seen = 0
    while atomic_load(state + {8 * STOP}) == 0:
        word = watch(state, seen, rank)
        if word == seen:
            sleep(state, seen)
            word = atomic_load(state)
        seen = word
        if word & 0xFFFF:
            part(state, own)
            work(state, word, rank)

@inline
def end(state):
    if atomic_replace(state + {8 * BUSY}, 0, 1):  # for good: whoever still has this state runs serially
        atomic_store(state + {8 * STOP}, 1)
        atomic_store(state, ((atomic_load(state) >> 16) + 1) << 16)
        wake(state)

def team(what, state, a, b, c, d, e, f):
    if what == {RUN}:
        if d > 1 and atomic_replace(state + {8 * BUSY}, 0, 1):
            launch(state, a, b, c, d)
            atomic_store(state + {8 * BUSY}, 0)
        else:
            call(a, 0, b, word_at(c))
    elif what == {TABLE}:
        table(state, a, b, word_at(c), word_at(d), word_at(e), word_at(f))
    elif what == {WORK}:
        worker(state, a, b)
    elif what == {END}:
        end(state)
"""


@cache
def begin() -> compile.Kernel:
    """The kernel of `native`, which may still be compiled."""
    return compile.begin(_SOURCE, "team", signature=("intp",) * 8, flags=(), hot=False)


def native() -> Callable[..., None]:
    """`team(what, state, ...)`, compiled or from the cache.

    RUN: a kernel's address, size, args, slices. TABLE: threads, number of entries, then the addresses of their
    addresses, sizes, args and parallel flags. WORK: the rank of the thread that stays, and where it may
    write a set of cores. END.
    """
    return begin().call
