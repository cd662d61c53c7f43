"""Threads in which LLVM makes object files, several at a time, while Python goes on with the next kernel."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

R = TypeVar("R")
MOST = 4  # each holds a module and what LLVM knows of it
_threads: ThreadPoolExecutor | None = None
_begun: set[Future[Any]] = set()


def allowed() -> int:
    """The number of cores that this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def begin(job: Callable[[], R]) -> Future[R]:
    """Run a job beside, under the settings of the moment; at once, where there is one core.

    >>> begin(lambda: 8).result()
    8
    """
    global _threads
    found: Future[R]
    if allowed() == 1:
        found = Future()
        try:
            found.set_result(job())
        except Exception as error:  # for who asks for the result
            found.set_exception(error)
        return found
    if _threads is None:
        _threads = ThreadPoolExecutor(min(allowed(), MOST), "wengert-compiler")
    found = _threads.submit(partial(copy_context().run, job))
    _begun.add(found)
    found.add_done_callback(_begun.discard)
    return found


def settle() -> None:
    """Wait until nothing runs: a child of a fork would inherit LLVM's locks, held by threads that it has not."""
    wait(list(_begun))


def forget() -> None:
    """In the child of a fork there are no threads."""
    global _threads
    _threads = None
