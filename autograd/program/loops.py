"""The loops of a graph: which axes its symbols share, collapsed to at most three.

Axes that always stand side by side are one loop. What remains is a loop over rows and, within it, one over columns, or
columns alone; rows may themselves be of two loops, as images and channels are. Each symbol then has a level: the loops
that it varies over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from autograd.program.symbol import REDUCTIONS, Symbol, Unfusable

ROWS, COLUMNS, OUTER = 1, 2, 4  # bits of a level
Places = tuple[int | None, ...]  # the axis that each dimension runs along, None where it has length 1


class _Axes:
    """Axes found equal, as disjoint sets."""

    def __init__(self, units: bool = False) -> None:
        self.parent: list[int] = []
        self.length: list[int] = []
        self.units = units
        self.spread: list[int] = []  # those of length 1 that turned out to be no loop

    def new(self, length: int) -> int:
        self.parent.append(len(self.parent))
        self.length.append(length)
        return len(self.parent) - 1

    def find(self, k: int) -> int:
        while self.parent[k] != k:
            k = self.parent[k]
        return k

    def fresh(self, shape: Sequence[int]) -> Places:
        """New axes for an array."""
        return tuple(None if n == 1 and not self.units else self.new(n) for n in shape)

    def join(self, a: int, b: int) -> int:
        a, b = self.find(a), self.find(b)
        if self.length[a] != self.length[b]:
            raise Unfusable(f"axes of lengths {self.length[a]} and {self.length[b]} are used as one")
        self.parent[b] = a
        return a


Laid = tuple[_Axes, dict[Symbol, Places]]


class Loops:
    """The loops of a graph: of all `symbols`, of which `arrays` stand in memory and those `given` are not looked into.

    `twins` are pairs that run along the same axes although no operation shows it: a result and its cotangent. The last
    axis of those `apart` is a loop of its own: their rows lie further apart in memory than they are long. `laid` is
    what is known already of the axes.

    Attributes:
        sizes: (rows, columns); rows is 1 and not a loop if there are only columns.
        inner: of how many rows the inner one of two loops over rows is; all of them if there is one.
        has_rows: whether there is a loop beside that over columns.
        full: the bits of all loops. across: of those over rows.
        level: for each symbol, the bits of the loops that it varies over.
        reduced: for each reduction, the bits of the loops that it sums away.
    """

    def __init__(
        self,
        symbols: Sequence[Symbol],
        arrays: Sequence[Symbol],
        given: Sequence[Symbol] = (),
        twins: Sequence[tuple[Symbol, Symbol]] = (),
        apart: Collection[Symbol] = (),
        laid: Laid | None = None,
    ) -> None:
        known = set(given)
        axes, final = _laid(symbols, known, twins) if laid is None else laid
        numbered = [*arrays, *(s for s in symbols if s.op is not None and s.op.name == "uniform_like")]
        order = _order(
            [final[s] for s in numbered if s in final], {k for p in final.values() for k in p if k is not None}
        )
        groups = _collapse(order, list(final.values()), {final[s][-1] for s in apart if s in final})
        if len(groups) > 3:
            raise Unfusable(f"it needs {len(groups)} nested loops, and kernels have three")
        bits = (OUTER, ROWS, COLUMNS)[3 - len(groups) :]
        bit = {k: b for group, b in zip(groups, bits, strict=True) for k in group}
        self.has_rows = len(groups) > 1
        self.full = sum(bits)
        self.across = self.full & ~COLUMNS
        self.level = {s: _bits(p, bit) for s, p in final.items()}
        self.reduced = {
            s: self.level[s.inputs[0]] & ~self.level[s]
            for s in symbols
            if s not in known and s.op is not None and s.op.name in (*REDUCTIONS, "pick")
        }
        labelled = [s for s in symbols if s not in known and s.op is not None and s.op.name in ("pick", "place")]
        if any((self.level[s.inputs[0]] ^ self.level[s]) & ~COLUMNS for s in labelled):
            raise Unfusable("it picks by a label across rows")
        lengths = [1, 1, 1, *(_product(axes.length[k] for k in group) for group in groups)]
        self.inner = lengths[-2]
        self.sizes = (lengths[-3] * lengths[-2], lengths[-1])

    def columns(self) -> Loops:
        """Those over columns alone, for what does not vary over rows."""
        return self._narrowed(self.sizes[1], self.level, self.reduced)

    def single(self, computed: Collection[Symbol]) -> Loops:
        """One round, for single elements that are computed of single elements."""
        return self._narrowed(1, dict.fromkeys(self.level, 0) | dict.fromkeys(computed, COLUMNS), {})

    def of(self, places: Mapping[Symbol, Symbol]) -> Loops:
        """The same of other symbols."""
        found = copy(self)
        found.level = {places[s]: bits for s, bits in self.level.items()}
        found.reduced = {places[s]: bits for s, bits in self.reduced.items()}
        return found

    def _narrowed(self, columns: int, level: dict[Symbol, int], reduced: dict[Symbol, int]) -> Loops:
        found = copy(self)
        found.sizes, found.inner, found.has_rows = (1, columns), 1, False
        found.full, found.across, found.level, found.reduced = COLUMNS, 0, level, reduced
        return found

    def size(self, level: int) -> int:
        """How many elements a symbol of a level has."""
        rows, columns = self.sizes
        lengths = {OUTER: rows // self.inner, ROWS: self.inner, COLUMNS: columns}
        return _product(length for bit, length in lengths.items() if level & bit)


def parted(
    symbols: Sequence[Symbol],
    arrays: Sequence[Symbol],
    given: Sequence[Symbol] = (),
    twins: Sequence[tuple[Symbol, Symbol]] = (),
    units: bool = False,
) -> dict[Symbol, Loops]:
    """The loops of each symbol: parts of a graph that share no axis have loops of their own, one after the other.

    They are made as `Loops` are. Parts of equal shapes run together. units: a first axis of length 1 is a loop too, as
    that of a batch of one is: its rows are summed and labelled as those of any batch.
    """
    known = set(given)
    axes, final = _laid(symbols, known, twins, units)
    parts = _parts(axes, final)
    final = {s: tuple(None if k is None else axes.find(k) for k in p) for s, p in final.items()}
    if len(set(parts.values())) < 2:
        return dict.fromkeys(symbols, Loops(symbols, arrays, given, laid=(axes, final)))
    of = {s: next((parts[k] for k in p if k is not None), None) for s, p in final.items()}
    for s in symbols:  # a sum is of the part that it is the sum of
        if of[s] is None and s not in known and s.op is not None and s.op.name in (*REDUCTIONS, "pick"):
            of[s] = of[s.inputs[0]]
    found: dict[Symbol, Loops] = {}
    for part in dict.fromkeys(of.values()):
        if part is not None:
            own = [s for s in symbols if of[s] == part or all(k is None for k in final[s])]
            beside = [*given, *(s for s in own if of[s] != part)]
            mine = [s for s in arrays if of.get(s) == part]
            loops = Loops(own, mine, beside, laid=(axes, {s: final[s] for s in own}))
            found |= {s: loops for s in own if of[s] == part or s not in found}
    return found


def _parts(axes: _Axes, final: dict[Symbol, Places]) -> dict[int, int]:
    """The number of the part that each axis is of. The axes of parts of equal shapes are joined."""
    layouts = {tuple(k for k in p if k is not None) for p in final.values()}
    sets = _Axes()
    number = {k: sets.new(0) for layout in sorted(layouts) for k in layout}
    for layout in layouts:
        for a, b in pairwise(layout):
            sets.join(number[a], number[b])
    widest: dict[int, tuple[int, ...]] = {}
    for layout in sorted(layouts, key=lambda layout: (-len(layout), layout)):
        if layout:
            widest.setdefault(sets.find(number[layout[0]]), layout)
    alike: dict[tuple[int, ...], tuple[int, ...]] = {}
    for layout in widest.values():
        first = alike.setdefault(tuple(axes.length[k] for k in layout), layout)
        for a, b in zip(first, layout, strict=True):
            axes.join(a, b)
            sets.join(number[a], number[b])
    return {axes.find(k): sets.find(n) for k, n in number.items()}


def _laid(
    symbols: Sequence[Symbol], known: Collection[Symbol], twins: Sequence[tuple[Symbol, Symbol]], units: bool = False
) -> Laid:
    """The axes, and which of them each dimension of each symbol runs along."""
    axes = _Axes(units)
    places: dict[Symbol, Places] = {}
    for s in symbols:
        places[s] = axes.fresh(s.shape) if s in known or s.op is None else _places(s, places, axes)
    for a, b in twins:
        for p, q in zip(places.get(a, ()), places.get(b, ()), strict=False):
            if p is not None and q is not None:
                axes.join(p, q)
    inner = {axes.find(k) for p in places.values() for k in p[1:] if k is not None and axes.length[k] == 1}
    gone = inner | {axes.find(k) for k in axes.spread}
    roots = {k: axes.find(k) for k in range(len(axes.parent))}
    return axes, {s: tuple(None if k is None or roots[k] in gone else roots[k] for k in p) for s, p in places.items()}


def _product(numbers: object) -> int:
    total = 1
    for n in numbers:  # type: ignore[attr-defined]
        total *= n
    return total


def _bits(places: Places, bit: dict[int, int]) -> int:
    level = 0
    for k in places:
        level |= 0 if k is None else bit[k]
    return level


def _places(s: Symbol, places: dict[Symbol, Places], axes: _Axes) -> Places:
    """Which axis each dimension of s runs along, joining axes that s shows to be one."""
    assert s.op is not None
    sources = [x for x in s.inputs if isinstance(x, Symbol)]
    first = places[sources[0]] if sources else ()
    name = s.op.name
    if name in REDUCTIONS:
        gone = s.settings["axis"]
        if s.settings["keepdims"]:
            return tuple(None if k in gone else p for k, p in enumerate(first))
        return tuple(p for k, p in enumerate(first) if k not in gone)
    if name == "permute_dims":
        return tuple(first[k] for k in s.settings["axes"])
    if name == "reshape":
        long = [p for p in first if p is not None and axes.length[p] != 1]
        if [axes.length[p] for p in long] != [n for n in s.shape if n != 1]:
            raise Unfusable(f"reshape from {sources[0].shape} to {s.shape} mixes axes")
        rest, lead = iter(long), first[0] if first and first[0] not in long else None
        return tuple((None if k else lead) if n == 1 else next(rest) for k, n in enumerate(s.shape))
    if name in ("pick", "place"):
        return _picked(s, [places[x] for x in sources], axes)
    joined: list[int | None] = [None] * s.ndim
    for x in sources:
        for k, p in enumerate(places[x], s.ndim - x.ndim):
            if p is not None and axes.length[p] != s.shape[k]:
                axes.spread.append(p)
            elif p is not None:
                joined[k] = p if joined[k] is None else axes.join(joined[k], p)  # type: ignore[arg-type]
    return tuple(axes.new(n) if p is None and n != 1 else p for p, n in zip(joined, s.shape, strict=True))


def _picked(s: Symbol, sources: list[Places], axes: _Axes) -> Places:
    """Gathering one element along an axis, or putting it back: labels and elements share the other axes."""
    axis = s.settings["axis"]
    joined = []
    for k, column in enumerate(zip(*sources, strict=True)):
        known = [p for p in column if p is not None]
        if k == axis:
            axes.spread += [p for p in known if axes.length[p] == 1]
            joined.append(axes.new(s.shape[k]) if s.op is not None and s.op.name == "place" else None)
            continue
        for a, b in pairwise(known):
            axes.join(a, b)
        joined.append(known[0] if known else None)
    return tuple(joined)


def _order(layouts: Sequence[Places], every: set[int]) -> list[int]:
    """The order of the axes in memory, which all arrays must agree on."""
    before: TopologicalSorter[int] = TopologicalSorter({k: set() for k in sorted(every)})
    for layout in layouts:
        for a, b in pairwise(k for k in layout if k is not None):
            before.add(b, a)
    try:
        return list(before.static_order())
    except CycleError:
        raise Unfusable("it transposes an array") from None


def _collapse(order: Sequence[int], layouts: Sequence[Places], alone: Collection[int | None]) -> list[list[int]]:
    """Neighbouring axes that every symbol has or lacks together, as groups; those `alone` begin one."""
    sets = [set(layout) for layout in layouts]
    groups: list[list[int]] = []
    for k in order:
        if groups and k not in alone and all((k in s) == (groups[-1][-1] in s) for s in sets):
            groups[-1].append(k)
        else:
            groups.append([k])
    return groups
