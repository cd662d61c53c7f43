"""Batches made ahead of their use, in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class _Failed(NamedTuple):
    error: BaseException


class _End:
    """No more items."""


def prefetched(items: Iterator[T], depth: int) -> Iterator[T]:
    """The same items, of which up to `depth` are made in a thread while an earlier one is used.

    An error in the thread is raised here, after the items before it. The thread ends with this iterator, whether it is
    read to its end or not.

    >>> list(prefetched(iter([1, 2, 3]), 2))
    [1, 2, 3]
    """
    queue: Queue[T | _Failed | type[_End]] = Queue(depth)
    abandoned = Event()
    context = copy_context()  # a thread would begin with recording on, whatever the caller has set
    thread = Thread(target=context.run, args=(_fill, queue, items, abandoned), daemon=True, name="prefetch")
    thread.start()
    try:
        while True:
            item = queue.get()
            if isinstance(item, _Failed):
                raise item.error
            if item is _End:
                return
            yield item  # type: ignore[misc]  # neither of the two others
    finally:
        abandoned.set()
        _empty(queue)
        thread.join()


def _fill(queue: Queue[T | _Failed | type[_End]], items: Iterator[T], abandoned: Event) -> None:
    try:
        for item in items:
            if not _put(queue, item, abandoned):
                return
        _put(queue, _End, abandoned)
    except BaseException as error:  # whatever it is, it belongs to the reader
        _put(queue, _Failed(error), abandoned)


def _put(queue: Queue[T], item: T, abandoned: Event) -> bool:
    """Whether the item was taken before the reader went away."""
    while not abandoned.is_set():
        try:
            queue.put(item, timeout=0.1)
        except Full:
            continue
        return True
    return False


def _empty(queue: Queue[T]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
