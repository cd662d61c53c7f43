"""One piece of memory for arrays that are needed for some steps each: where in it each of them lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

PAGE = 4096  # bytes: arrays begin at equal places of one, where kernels are fast


class Asked(NamedTuple):
    """Memory of so many bytes from one step to another, both included."""

    bytes: int
    step: int
    until: int


class Arena(NamedTuple):
    """The places of arrays, in the order in which they were asked for, and the bytes of all."""

    places: list[int]
    bytes: int


def arranged(asked: Sequence[Asked]) -> Arena:
    """The largest first, each at the lowest place that is free while it is needed (Pisarchyk and Lee 2020).

    >>> arranged([Asked(4096, 0, 1), Asked(4096, 1, 2), Asked(8192, 2, 3)])
    Arena(places=[0, 8192, 0], bytes=12288)
    """
    places = [0] * len(asked)
    lying: list[tuple[int, int, Asked]] = []  # from where to where, by place
    total = 0
    for k in sorted(range(len(asked)), key=lambda k: (-asked[k].bytes, k)):
        mine = asked[k]
        size = -(-mine.bytes // PAGE) * PAGE
        at = 0
        for start, end, other in lying:
            if other.step <= mine.until and mine.step <= other.until:
                if start - at >= size:
                    break
                at = max(at, end)
        places[k] = at
        lying.append((at, at + size, mine))
        lying.sort(key=lambda one: one[0])
        total = max(total, at + size)
    return Arena(places, total)
