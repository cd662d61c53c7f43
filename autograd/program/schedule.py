"""A captured graph cut into steps: views, matrix products, groups of loops, and calls of what has no kernel.

Symbols that loop over the same space, with nothing but loops between them, are one group. A symbol's depth grows
wherever a path leaves a group, so that no path can leave one and come back, and depth orders the steps.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from autograd.program.symbol import REDUCTIONS, Symbol

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
    if loops and s.dtype in _DTYPES and all(x.dtype in _DTYPES for x in s.inputs if isinstance(x, Symbol)):
        return "group"
    if name in VIEWS and all(not isinstance(x, Symbol) for x in s.inputs[1:]):
        return "view"
    return "product" if name == "matmul" else "call"


def steps(symbols: Sequence[Symbol], apart: Collection[Symbol] = frozenset()) -> list[Step]:
    """The steps that compute these symbols, in an order in which they can be taken.

    apart: sums that end their group, so that what follows, number by number, runs in loops of its own, in vectors.
    """
    depth: dict[Symbol, int] = {}
    space: dict[Symbol, Space] = {}
    root: dict[Symbol, Symbol] = {}
    found: list[Step] = []

    def leader(s: Symbol) -> Symbol:
        while root[s] is not s:
            s = root[s]
        return s

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
            depth[s] = max(depth[x] + (x in space or kind != "view") for x in sources)
            found.append(Step(kind, [s], depth[s]))
            continue
        reads = s.op.name in (*REDUCTIONS, "pick")
        own = _long(sources[0].shape if reads else s.shape)
        wider = [space[x] for x in loose if _within(own, space[x])]
        space[s] = max(wider, key=lambda lengths: int(np.prod(lengths, dtype=int)), default=own)
        later = (x.op is not None and (x in apart or space.get(x) != space[s]) for x in sources)
        depth[s] = max((depth[x] + after for x, after in zip(sources, later, strict=True)), default=0)
        root[s] = s
        for x in loose:
            if space[x] == space[s] and depth[x] == depth[s]:
                root[leader(x)] = leader(s)
    groups: dict[Symbol, list[Symbol]] = {}
    for s in space:
        groups.setdefault(leader(s), []).append(s)
    found += [Step("group", members, depth[members[0]]) for members in groups.values()]
    return sorted(found, key=lambda step: (step.depth, step.symbols[0].serial))
