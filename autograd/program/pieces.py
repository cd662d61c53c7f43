"""Cotangents of slices that together are a whole array: joined, rather than each surrounded by zeros and added up.

What is taken apart, by `split`, `unstack` or a loop over an axis, has such a cotangent: without this, that of n parts
costs n times the whole array.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from autograd.primitive import functions
from autograd.program.symbol import Symbol

Places = dict[tuple[int, int], Symbol]  # from where to where along the axis, what stands there


class Pieces:
    """Which symbols are zero but for slices along one axis: the axis, and the slices.

    >>> import autograd as ag
    >>> apart = ag.compile(lambda x: ag.grad(lambda x: ag.sum(x[0] * x[1]))(x))
    >>> [row.kind for row in apart.program(ag.ones((2, 3))).rows]
    ['kernel', 'kernel', 'concat']
    """

    def __init__(self) -> None:
        self.known: dict[Symbol, tuple[int, Places]] = {}

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
        if found is None:
            return None
        axis, places = found
        ends = [0]
        for start, stop in sorted(places):
            if start != ends[-1]:
                return None
            ends.append(stop)
        if ends[-1] != a.shape[axis]:
            return None
        return functions["concat"]([places[place] for place in sorted(places)], axis)

    def _sum(self, a: Any, b: Any) -> tuple[int, Places] | None:
        """Of a sum: all slices, if no two of them overlap."""
        x, y = (self.known.get(s) if isinstance(s, Symbol) else None for s in (a, b))
        if x is None or y is None or x[0] != y[0] or (a.shape, a.dtype) != (b.shape, b.dtype):
            return None
        places = sorted((*x[1], *y[1]))
        if any(stop > start for (_, stop), (start, _) in pairwise(places)):
            return None
        return x[0], x[1] | y[1]


def _piece(s: Symbol, index: tuple[Any, ...]) -> tuple[int, Places] | None:
    """The axis along which an index takes a part, all else being taken whole; and that part."""
    if not all(isinstance(item, (int, slice)) for item in index) or len(index) > s.ndim:
        return None
    cut = [k for k, item in enumerate(index) if item != slice(None)]
    if len(cut) != 1:
        return None
    (axis,) = cut
    item, length = index[axis], s.shape[axis]
    part = s.inputs[0]
    if isinstance(item, slice):
        start, stop, step = item.indices(length)
        return (axis, {(start, stop): part}) if step == 1 and start < stop else None
    shape = (*s.shape[:axis], 1, *s.shape[axis + 1 :])
    return axis, {(item % length, item % length + 1): functions["reshape"](part, shape)}
