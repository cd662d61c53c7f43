"""A graph cut into stages: what one pass over the rows can compute, and what must wait for sums over all of them.

Within a stage, each row is passed over several times: a pass ends where a sum along the row is needed. Values of a
single element are not the kernels' business: they are computed beforehand, in NumPy, by the operations themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograd.program.loops import COLUMNS, Loops
from autograd.program.symbol import Symbol, Unfusable, graph


@dataclass
class Stage:
    """What one kernel computes.

    Attributes:
        arrays: symbols read from memory, those of a single element excepted.
        scalars: symbols of a single element, and Python numbers, read from a list.
        outputs: symbols written to memory, not summed over rows.
        totals: reductions over all rows, written as one partial result for each chunk of rows.
        order: all symbols to be computed, in order.
        phase: for each of them, the pass over the row in which it is first known.
        over: arrays read that an output is written over, element by element.
        pitched: arrays whose rows do not follow one another; how far apart they begin is given with the arrays.
        single: it computes single elements of single elements, in one round.
    """

    loops: Loops
    arrays: list[Symbol] = field(default_factory=list)
    scalars: list[Symbol | float] = field(default_factory=list)
    outputs: list[Symbol] = field(default_factory=list)
    totals: list[Symbol] = field(default_factory=list)
    order: list[Symbol] = field(default_factory=list)
    phase: dict[Symbol, int] = field(default_factory=dict)
    over: dict[Symbol, Symbol] = field(default_factory=dict)
    pitched: list[Symbol] = field(default_factory=list)
    single: bool = False

    def of(self, places: Mapping[Symbol, Symbol], loops: dict[int, Loops]) -> Stage:
        """The same of other symbols; `loops` holds what has been made of those of others."""
        own = loops.get(id(self.loops))
        if own is None:
            own = loops[id(self.loops)] = self.loops.of(places)
        return replace(
            self,
            loops=own,
            arrays=[places[s] for s in self.arrays],
            scalars=[places[s] if isinstance(s, Symbol) else s for s in self.scalars],
            outputs=[places[s] for s in self.outputs],
            totals=[places[s] for s in self.totals],
            order=[places[s] for s in self.order],
            phase={places[s]: number for s, number in self.phase.items()},
            over={places[a]: places[b] for a, b in self.over.items()},
            pitched=[places[s] for s in self.pitched],
        )


def is_total(s: Symbol, loops: Loops) -> bool:
    """Whether s is a reduction that is known only after all rows, or after all columns where there are no rows."""
    gone = loops.reduced.get(s, 0)
    if not gone or s.op is None or s.op.name == "pick":
        return False
    return bool(gone & loops.across) or not loops.level[s.inputs[0]] & loops.across


def stages(
    symbols: Sequence[Symbol],
    given: Sequence[Symbol],
    outputs: Sequence[Symbol],
    loops: Loops | Mapping[Symbol, Loops],
    single: Callable[[Symbol, bool], bool] | None = None,
) -> list[Stage]:
    """The stages that compute the outputs from what is given, in loops of their own where symbols have such.

    single: whether a single element is to have a stage, told whether a stage reads it. All others are left to Python.
    """
    of: Mapping[Symbol, Loops] = dict.fromkeys(symbols, loops) if isinstance(loops, Loops) else loops
    known, returned = set(given), set(outputs)
    at: dict[Symbol, int] = {}
    targets: dict[tuple[int, int], list[Symbol]] = {}
    for s in symbols:
        parts = [] if s in known else [x for x in s.inputs if isinstance(x, Symbol)]
        at[s] = max((at[x] + is_total(x, of[x]) for x in parts if x not in known), default=0)
        if s not in known and (is_total(s, of[s]) or (s in returned and of[s].level[s])):
            targets.setdefault((at[s], id(of[s])), []).append(s)
    found = {key: _split(members, of[members[0]]) for key, members in targets.items()}
    outside = {s for s in symbols if s in known or is_total(s, of[s]) or not of[s].level[s]}
    for stage in (stage for several in found.values() for stage in several):
        _fill(stage, outside)
    if single is not None:
        read = {s for several in found.values() for stage in several for s in stage.scalars}
        inner = [s for s in symbols if s not in known and not is_total(s, of[s]) and not of[s].level[s]]
        wanted = [s for s in inner if (s in read or s in returned) and single(s, s in read)]
        for stage in _singles(wanted, at, of, outside.difference(inner)):
            found[at[stage.outputs[0]], -1] = [stage]
    return [stage for _, several in sorted(found.items(), key=_first) for stage in several]


def _first(item: tuple[tuple[int, int], object]) -> tuple[int, bool]:
    """Single elements are computed before what reads them."""
    (at, loops), _ = item
    return at, loops != -1


def _split(targets: Sequence[Symbol], loops: Loops) -> list[Stage]:
    """Outputs and totals of one pass over the rows; those that do not vary over rows by themselves."""
    totals = {s for s in targets if is_total(s, loops)}
    level = {s: loops.level[s.inputs[0] if s in totals else s] for s in targets}
    if any(level[s] & loops.across and loops.across & ~level[s] for s in totals):
        raise Unfusable("it sums some loops over rows of what does not vary over the others")
    flat = {s for s in targets if not level[s] & loops.across} if loops.across else set()
    if len(flat) < len(targets) and totals.isdisjoint(flat):
        flat = set()
    kept = [(loops, [s for s in targets if s not in flat]), (loops.columns(), [s for s in targets if s in flat])]
    return [
        Stage(own, outputs=[s for s in mine if s not in totals], totals=[s for s in mine if s in totals])
        for own, mine in kept
        if mine
    ]


def _fill(stage: Stage, outside: set[Symbol]) -> None:
    """What a stage reads and computes, and in which pass; it does not look into what is `outside`."""
    loops = stage.loops
    targets = [*stage.outputs, *(t.inputs[0] for t in stage.totals)]
    read = []
    for s in graph(targets, list(outside)):
        if s in outside:
            (stage.arrays if loops.level[s] else stage.scalars).append(s)
            read.append(s)
            continue
        stage.order.append(s)
        inputs = [x for x in s.inputs if isinstance(x, Symbol) and x not in outside]
        stage.phase[s] = max((stage.phase[x] + along_row(x, loops) for x in inputs), default=0)
    stage.phase |= dict.fromkeys(read, 0)


def _singles(
    wanted: Sequence[Symbol], at: Mapping[Symbol, int], of: Mapping[Symbol, Loops], outside: set[Symbol]
) -> list[Stage]:
    """The stages of single elements: those that kernels have a form for, together where they are known together."""
    found: dict[int, list[Symbol]] = {}
    for s in wanted:
        if all(_in_floats(x) for x in graph([s], list(outside)) if x not in outside):
            found.setdefault(at[s], []).append(s)
    made = [Stage(of[members[0]], outputs=members, single=True) for members in found.values()]
    for stage in made:
        stage.loops = stage.loops.single([x for x in graph(stage.outputs, list(outside)) if x not in outside])
        _fill(stage, outside)
    return made


def _in_floats(s: Symbol) -> bool:
    """Whether a kernel can compute an element of nothing but elements, in floating point."""
    if s.op is None or s.op.name in ("pick", "place", "uniform_like"):
        return False
    return s.op.code is None or s.dtype.kind == "f" or all(x.dtype.kind == "f" for x in s.inputs if type(x) is Symbol)


def along_row(s: Symbol, loops: Loops) -> bool:
    """Whether s is a reduction along a row, known only after a pass over it."""
    return loops.reduced.get(s, 0) == COLUMNS and loops.has_rows and s.op is not None and s.op.name != "pick"
