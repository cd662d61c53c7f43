"""What objects are and hold, to be compared later in one native call: whether anybody has written to any of them.

As `objects`, it relies on how CPython lays its objects out, and tries that first.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any

from autograd.kernels import compile
from autograd.kernels.objects import HEAD, layout, slot, word

VERSION = HEAD + 8  # of a dictionary, behind its length

_FIRST = """
def first(lo, hi, args):
    words = word_at(args[1])
    found = hi
    for k in range(hi - 1, lo - 1, -1):
        if word_at(words[3 * k])[0] & words[3 * k + 2] != words[3 * k + 1]:
            found = k
    args[0] = found
"""


class Snapshot:
    """What attributes objects have and how many references there are to some, to be compared later in one native call.

    The objects must outlive the snapshot, which holds none.

    >>> import numpy as np
    >>> from autograd.tensor import Tensor
    >>> t, x, snapshot = Tensor(np.ones(3)), np.ones(2), Snapshot()
    >>> snapshot.attribute(t, "value", t.value)
    >>> snapshot.references(x, 1)
    >>> snapshot.holds()
    True
    >>> t.value = x
    >>> snapshot.holds(), snapshot.first()
    (False, 0)
    """

    def __init__(self) -> None:
        self.words = array("q")
        self._args: array[int] | None = None

    def __len__(self) -> int:
        return len(self.words) // 3

    def _expect(self, address: int, word: int, bits: int = -1) -> None:
        self.words.extend((address, word, bits))
        self._args = None

    def attribute(self, owner: Any, name: str, value: Any) -> None:
        """Expect an attribute, one of the `__slots__` of the owner's class, to be this very object."""
        kind: Any = type(owner)
        self._expect(id(owner) + slot(kind, name), id(value))

    def references(self, x: Any, count: int) -> None:
        """Expect so many references to an object."""
        self._expect(id(x), count, 0xFFFFFFFF)

    def length(self, x: list[Any]) -> None:
        """Expect a list to be as long as it is."""
        self._expect(id(x) + HEAD, len(x))

    def untouched(self, x: dict[Any, Any]) -> None:
        """Expect that nobody has written to a dictionary since now. Only where there are `versions`."""
        self._expect(id(x) + VERSION, word(id(x) + VERSION))

    def cut(self, count: int) -> None:
        """Forget what was expected after the first `count`."""
        del self.words[3 * count :]
        self._args = None

    def first(self) -> int:
        """The place of the first that is not as expected; their number if all are."""
        count = len(self.words) // 3
        if self._args is None:
            self._args = array("q", (0, self.words.buffer_info()[0]))
        _compare()(0, count, self._args.buffer_info()[0])
        return self._args[0]

    def holds(self) -> bool:
        """Whether all is as expected."""
        return self.first() == len(self)


@cache
def _compare() -> Any:
    """The kernel, called without letting go of the interpreter's lock."""
    kernel = compile.get(_FIRST, "first", flags=(), hot=False)
    return ctypes.PYFUNCTYPE(None, *[ctypes.c_void_p] * 3)(kernel.address)


@cache
def versions() -> bool:
    """Whether each write to a dictionary gives it another version, as in CPython 3.11 and 3.12: every kind is tried.

    >>> isinstance(versions(), bool)
    True
    """
    return layout() and all(_each_write_shows(holder) for holder in (None, _Holder()))


class _Holder:
    name: Any = None
    other: Any = None


def _each_write_shows(holder: _Holder | None) -> bool:
    """Whether writes to a dictionary show: to one alone, or to that of an object's attributes."""
    d: dict[str, Any] = {} if holder is None else vars(holder)
    for name in ("name", "other"):
        d[name] = 0
    address = id(d) + VERSION
    seen = {word(address)}

    def assign() -> None:
        for _ in range(100):  # until the interpreter has a shorter way for it
            if holder is not None:
                holder.name = object()
            else:
                d["name"] = object()

    writes: tuple[Callable[[], Any], ...] = (
        assign,
        lambda: d.update(name=object()),
        lambda: d.pop("other"),
        lambda: d.setdefault("third", 3),
        lambda: d.__ior__({"third": object()}),
        d.popitem,
        d.clear,
        lambda: d.__setitem__("name", object()),
        lambda: d.__delitem__("name") if holder is None else delattr(holder, "name"),
    )
    for write in writes:
        write()
        if word(address) in seen:
            return False
        seen.add(word(address))
    return True
