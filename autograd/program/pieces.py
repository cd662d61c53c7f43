"""Cotangents of slices that together are a whole array: joined, rather than each surrounded by zeros and added up.

What is taken apart, by `split`, `unstack` or a loop over an axis, has such a cotangent: without this, that of n parts
costs n times the whole array.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from autograd.primitive import functions
from autograd.program.symbol import Symbol


class Slice(NamedTuple):
    """What stands in a slice along an axis; without that axis, if the index was a whole number."""

    start: int
    stop: int
    part: Symbol


class Sum(NamedTuple):
    """Zeros but for slices along one axis, `length` of it together: a slice, or two such sums."""

    axis: int
    length: int
    of: Slice | tuple[Sum, Sum]


class Pieces:
    """Which symbols are zero but for slices along one axis.

    >>> import autograd as ag
    >>> apart = ag.compile(lambda x: ag.grad(lambda x: ag.sum(x[0] * x[1]))(x))
    >>> [row.kind for row in apart.program(ag.ones((2, 3))).rows]
    ['kernel', 'kernel', 'concat']
    """

    def __init__(self) -> None:
        self.known: dict[Symbol, Sum] = {}

    def note(self, s: Symbol) -> None:
        """Look at a new symbol."""
        found = None
        if s.op is not None and s.op.name == "scatter" and len(s.inputs) == 1:
            found = _piece(s, s.settings["index"])
        elif s.op is not None and s.op.name == "add":
            found = self._sum(*s.inputs)
        if found is not None:
            self.known[s] = found

    def joined(self, a: Any, b: Any) -> Any:
        """a + b, if they complete each other."""
        found = self._sum(a, b)
        if found is None or found.length != a.shape[found.axis]:
            return None
        slices = sorted(_slices(found))
        if any(one.stop != other.start for one, other in pairwise(slices)):  # else they follow one another from 0
            return None
        axis, shape = found.axis, a.shape
        return functions["concat"]([_shaped(one, axis, shape) for one in slices], axis)

    def _sum(self, a: Any, b: Any) -> Sum | None:
        x, y = (self.known.get(s) if isinstance(s, Symbol) else None for s in (a, b))
        if x is None or y is None or x.axis != y.axis or (a.shape, a.dtype) != (b.shape, b.dtype):
            return None
        return Sum(x.axis, x.length + y.length, (x, y))


def _slices(found: Sum) -> list[Slice]:
    """Of a sum, in no order."""
    waiting, slices = [found], []
    while waiting:
        of = waiting.pop().of
        if isinstance(of, Slice):
            slices.append(of)
        else:
            waiting += of
    return slices


def _shaped(one: Slice, axis: int, shape: tuple[int, ...]) -> Any:
    """What stands in a slice, with its axis."""
    full = (*shape[:axis], one.stop - one.start, *shape[axis + 1 :])
    return one.part if one.part.shape == full else functions["reshape"](one.part, full)


def _piece(s: Symbol, index: tuple[Any, ...]) -> Sum | None:
    """What an index takes that cuts one axis and takes all else whole."""
    if not all(isinstance(item, (int, slice)) for item in index) or len(index) > s.ndim:
        return None
    cut = [k for k, item in enumerate(index) if item != slice(None)]
    if len(cut) != 1:
        return None
    axis, item, length = cut[0], index[cut[0]], s.shape[cut[0]]
    start, stop, step = item.indices(length) if isinstance(item, slice) else (item % length, item % length + 1, 1)
    if step != 1 or start >= stop:
        return None
    return Sum(axis, stop - start, Slice(start, stop, s.inputs[0]))
