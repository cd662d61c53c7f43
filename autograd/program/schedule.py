"""A captured graph cut into steps: views, matrix products, groups of loops, and calls of what has no kernel.

Symbols that loop over the same space, with nothing but loops between them, are one group. A symbol's depth grows
wherever a path leaves a group, so that no path can leave one and come back, and depth orders the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from autograd.program.symbol import REDUCTIONS, Symbol, is_whole_extreme

Space = tuple[int, ...]  # the lengths of the loops that a symbol stands in, those of 1 left out
_DTYPES = frozenset(map(np.dtype, ("float32", "float64", "int64", "int32", "bool")))
VIEWS = frozenset({"permute_dims", "reshape", "window", "getitem", "scan_part", "scan_share"})


@dataclass
class Step:
    """Symbols that are computed together.

    kind: "view" of an array, matrix "product", "group" of loops, or "call" of the operation itself.
    """

    kind: str
    symbols: list[Symbol]
    depth: int


def _long(shape: Sequence[int]) -> Space:
    return tuple(n for n in shape if n != 1)


def _within(inner: Space, outer: Space) -> bool:
    """Whether the lengths of one are among those of the other, in order."""
    rest = iter(outer)
    return all(n in rest for n in inner)


def _kind(s: Symbol) -> str:
    assert s.op is not None
    name = s.op.name
    loops = s.op.code is not None or name in (*REDUCTIONS, "pick", "place", "broadcast_to", "astype")
    if (
        loops
        and not is_whole_extreme(s)
        and s.dtype in _DTYPES
        and all(x.dtype in _DTYPES for x in s.inputs if isinstance(x, Symbol))
    ):
        return "group"
    if name in VIEWS and all(not isinstance(x, Symbol) for x in s.inputs[1:]):
        return "view"
    return "product" if name == "matmul" else "call"


def steps(
    symbols: Sequence[Symbol], apart: Collection[Symbol] = frozenset(), late: Collection[Symbol] = frozenset()
) -> list[Step]:
    """The steps that compute these symbols, in an order in which they can be taken.

    apart: sums that end their group, so that what follows, number by number, runs in loops of its own, in vectors.
    late: symbols that wait until they are read, and are computed together with what reads them where they can be.
    """
    depth: dict[Symbol, int] = {}
    space: dict[Symbol, Space] = {}
    alone: dict[Symbol, str] = {}  # the kind of what is a step by itself

    def after(x: Symbol, s: Symbol) -> int:
        """By how much s is deeper than x, which it reads, at least."""
        if s in alone:
            return x in space or alone[s] != "view"
        return x.op is not None and (x in apart or space.get(x) != space[s])

    for s in symbols:
        if s.op is None:
            depth[s] = 0
            continue
        sources = [x for x in s.inputs if isinstance(x, Symbol)]
        kind = _kind(s)
        loose = [x for x in sources if x in space and x not in apart]
        turned = kind == "view" and s.op.name == "reshape" and loose and _long(s.shape) == _long(sources[0].shape)
        if turned and sources[0].op is not None and sources[0].op.name not in REDUCTIONS:  # a sum is in memory anyway
            kind = "group"
        if kind != "group":
            alone[s] = kind
            depth[s] = max(depth[x] + after(x, s) for x in sources)
            continue
        reads = s.op.name in (*REDUCTIONS, "pick")
        own = _long(sources[0].shape if reads else s.shape)
        wider = dict.fromkeys(space[x] for x in loose if _within(own, space[x]))
        space[s] = max(wider, key=prod, default=own)
        depth[s] = max((depth[x] + after(x, s) for x in sources), default=0)
    if late:
        _delay(symbols, late, depth, after)
    groups = _groups(symbols, apart, depth, space)
    found = [Step(kind, [s], depth[s]) for s, kind in alone.items()]
    found += [Step("group", members, depth[members[0]]) for members in groups]
    return sorted(found, key=lambda step: (step.depth, step.symbols[0].serial))


def waiting(symbols: Sequence[Symbol]) -> set[Symbol]:
    """What loops compute of arguments and parameters alone, and what only spreads: it need not be written and read.

    It is made where it is read.
    """
    found: set[Symbol] = set()
    there: set[Symbol] = set()  # views of arguments and parameters
    for s in symbols:
        kind = "" if s.op is None else _kind(s)
        of_given = all(x.op is None or x in found or x in there for x in s.inputs if isinstance(x, Symbol))
        if kind == "view" and of_given:
            there.add(s)
        if kind != "group" or s.size == 1 or s.op is None or s.op.name in REDUCTIONS:
            continue
        if of_given or s.op.name == "broadcast_to":
            found.add(s)
    return found


def _delay(
    symbols: Sequence[Symbol],
    late: Collection[Symbol],
    depth: dict[Symbol, int],
    after: Callable[[Symbol, Symbol], int],
) -> None:
    """Let what is late be as deep as what reads it allows."""
    users: dict[Symbol, list[Symbol]] = {}
    for s in symbols:
        for x in s.inputs:
            if isinstance(x, Symbol) and x in late:
                users.setdefault(x, []).append(s)
    for x in reversed(symbols):
        if x in users:
            depth[x] = min(depth[s] - after(x, s) for s in users[x])


def _groups(
    symbols: Sequence[Symbol], apart: Collection[Symbol], depth: dict[Symbol, int], space: dict[Symbol, Space]
) -> list[list[Symbol]]:
    """The symbols with loops, those together that are joined within one space at one depth."""
    root = {s: s for s in symbols if s in space}

    def leader(s: Symbol) -> Symbol:
        while root[s] is not s:
            s = root[s]
        return s

    for s in root:
        for x in s.inputs:
            loose = isinstance(x, Symbol) and x in space and x not in apart
            if loose and space[x] == space[s] and depth[x] == depth[s]:
                root[leader(x)] = leader(s)
    groups: dict[Symbol, list[Symbol]] = {}
    for s in root:
        groups.setdefault(leader(s), []).append(s)
    return list(groups.values())


def read_by(plan: Sequence[Step], ends: Sequence[Symbol]) -> dict[Symbol, set[int]]:
    """The steps that read each symbol; -1 for what is read when all are done, as `ends` are."""
    users: dict[Symbol, set[int]] = {}
    for k, step in enumerate(plan):
        for x in (x for s in step.symbols for x in s.inputs if isinstance(x, Symbol)):
            users.setdefault(x, set()).add(k)
    for s in ends:
        users.setdefault(s, set()).add(-1)
    return users


def last_read(plan: Sequence[Step], users: dict[Symbol, set[int]]) -> dict[Symbol, int | None]:
    """The last step that reads each symbol, or a view of it; None for what is read when all are done."""
    found: dict[Symbol, int | None] = {}
    for k, step in reversed(list(enumerate(plan))):
        for s in step.symbols:
            read = users.get(s, set())
            found[s] = None if -1 in read else max(read, default=k)
    for step in reversed(plan):
        if step.kind == "view":
            (s,) = step.symbols
            x, mine = s.inputs[0], found[s]
            before = found.get(x, -1)
            found[x] = None if mine is None or before is None else max(before, mine)
    return found
