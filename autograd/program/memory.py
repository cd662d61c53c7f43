"""The arrays of a program, and the words of kernels that point to them.

Arrays of Tensors that the program reads are borrowed: it holds no reference to them, so that an optimizer still finds
them to be the Tensor's alone and writes over them, and it notices when a Tensor has another array.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from autograd.program.arena import Asked, arranged
from autograd.program.launch import empty
from autograd.program.symbol import Symbol
from autograd.tensor import Tensor

Array = NDArray[Any]
SHARED = 1 << 12  # bytes from which on memory is shared
ALONE = 2  # references to an array that nobody but the program holds: the table's and the argument's


class Memory:
    """Which array stands for which symbol.

    Attributes:
        own: arrays that the program made or was given for a run. lent: Tensors whose arrays it reads.
        views: for each symbol those that are views of its array.

    empty: what makes an array of a shape and dtype.
    """

    def __init__(self, empty: Callable[..., Array] = empty) -> None:
        self.empty = empty
        self.asked: list[tuple[Symbol, Asked]] = []  # what is needed for some steps only
        self.arena: Array | None = None  # the memory that it shares, once all is known
        self.own: dict[Symbol, Array] = {}
        self.lent: dict[Symbol, Tensor] = {}
        self.views: dict[Symbol, list[Symbol]] = {}
        self.until: dict[Symbol, int | None] = {}
        self.step: int | None = None
        self._seen: dict[Symbol, Any] = {}  # weak references to the arrays that the words point to
        self._copies: dict[Symbol, Array] = {}  # of arrays that do not lie in order
        self._borrowed: set[Symbol] = set()  # lent ones, and views of such
        self._words: dict[Symbol, list[tuple[array[int], int]]] = {}

    def __contains__(self, s: Symbol) -> bool:
        return s in self.own or s in self._borrowed

    def __getitem__(self, s: Symbol) -> Array:
        if s in self.own:
            return self.own[s]
        if s in self.lent:
            return self._copies[s] if s in self._copies else np.asarray(self.lent[s].value)
        assert s.op is not None  # a view of what is lent
        return s.op.forward(self[s.inputs[0]], *s.inputs[1:], **s.settings)  # type: ignore[no-any-return]

    def lend(self, s: Symbol, t: Tensor) -> None:
        """Let s be the array that a Tensor has at any time."""
        self.lent[s] = t
        self._borrowed.add(s)
        self._look(s, t)

    def make(self, s: Symbol) -> Array:
        """An array for s: where it is needed for some steps only, in memory that steps before have done with."""
        size = s.size * s.dtype.itemsize
        until = self.until.get(s, self.step)
        if self.step is None or until is None or size < SHARED or s.size == 1:  # Python may read a number late
            y = self.own[s] = self.empty(s.shape, s.dtype)
            return y
        self.asked.append((s, Asked(size, self.step, until)))
        y = self.own[s] = np.empty(s.shape, s.dtype)  # never written to: it gets its place when all is known
        return y

    def arrange(self) -> None:
        """Lay what is needed for some steps only into one piece of memory."""
        arena = arranged([one for _, one in self.asked])
        whole = self.empty((arena.bytes,), np.dtype(np.uint8))
        for (s, one), at in zip(self.asked, arena.places, strict=True):
            self._move(s, whole[at : at + one.bytes].view(s.dtype).reshape(s.shape))
        self.arena, self.asked = whole, []

    def share(self, last: dict[Symbol, int | None]) -> None:
        """Let arrays share memory. last: for each symbol the last step that reads it; None for what stays."""
        self.until = last

    def plan_for(self, step: int | None) -> None:
        """What is made from now on is written in this step; None: and stays."""
        self.step = step

    def view(self, s: Symbol, y: Array) -> None:
        """Let s be y, a view of the array of its first input."""
        x = s.inputs[0]
        self.views.setdefault(x, []).append(s)
        if x in self._borrowed:
            self._borrowed.add(s)
        else:
            self.own[s] = y

    def points(self, words: array[int], place: int, s: Symbol) -> None:
        """Keep the address of the array of s in a word."""
        self._words.setdefault(s, []).append((words, place))
        words[place] = _address(self[s])

    def replace(self, s: Symbol, x: Array) -> None:
        """Let s be another array of the same layout."""
        if x is not self.own[s]:
            self._move(s, x)

    def _move(self, s: Symbol, x: Array) -> None:
        if s in self.own:
            self.own[s] = x
        for words, place in self._words.get(s, ()):
            words[place] = _address(x)
        for v in self.views.get(s, ()):
            assert v.op is not None
            self._move(v, v.op.forward(x, *v.inputs[1:], **v.settings))

    def _look(self, s: Symbol, t: Tensor) -> Array:
        value = t.value
        if not isinstance(value, np.ndarray) or not value.flags.c_contiguous:
            self._seen[s] = ref(value) if isinstance(value, np.ndarray) else None
            self._copies[s] = np.array(value, order="C")
            return self._copies[s]
        self._seen[s] = ref(value)
        self._copies.pop(s, None)
        return value

    def refresh(self) -> None:
        """Look at the Tensors again: some may have another array, or other values where a copy is read."""
        for s, t in self.lent.items():
            seen, value = self._seen[s], t.value
            if seen is None and not isinstance(value, np.ndarray):
                np.copyto(self._copies[s], value)
            elif seen is None or seen() is not value:
                self._move(s, self._look(s, t))
            elif s in self._copies:
                np.copyto(self._copies[s], value)

    def root(self, s: Symbol) -> Symbol:
        """The symbol whose array s is a view of."""
        while s.op is not None and any(s is v for v in self.views.get(s.inputs[0], ())):
            s = s.inputs[0]
        return s

    def alone(self, root: Symbol, s: Symbol) -> bool:
        """Whether nobody holds the array of a root, nor that of s, a view of it, but the program."""
        mine = ALONE + self.views_of(root)
        return sys.getrefcount(self.own[root]) <= mine and (s is root or sys.getrefcount(self.own[s]) <= ALONE)

    def renew(self, root: Symbol) -> None:
        """A new array for a result, of which somebody still holds the last one."""
        self._move(root, self.empty(root.shape, root.dtype))

    def settled(self) -> list[Tensor] | None:
        """The Tensors whose present arrays the words point to; None if some point to copies of them."""
        self.refresh()
        return None if self._copies else list(self.lent.values())

    def views_of(self, s: Symbol) -> int:
        """How many views there are of an array, and of these."""
        views = self.views.get(s)
        return sum([1 + self.views_of(v) for v in views]) if views else 0


def _address(x: Array) -> int:
    """Where the data of an array lies; `x.ctypes` would leave objects to the garbage collector."""
    return int(x.__array_interface__["data"][0])
