"""A graph cut into stages: what one pass over the rows can compute, and what must wait for sums over all of them.

Within a stage, each row is passed over several times: a pass ends where a sum along the row is needed. Values of a
single element are not the kernels' business: they are computed beforehand, in NumPy, by the operations themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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


def is_total(s: Symbol, loops: Loops) -> bool:
    """Whether s is a reduction that is known only after all rows."""
    across = loops.across or COLUMNS
    return bool(loops.reduced.get(s, 0) & across) and s.op is not None and s.op.name != "pick"


def stages(
    symbols: Sequence[Symbol], given: Sequence[Symbol], outputs: Sequence[Symbol], loops: Loops | Mapping[Symbol, Loops]
) -> list[Stage]:
    """The stages that compute the outputs from what is given, in loops of their own where symbols have such."""
    of: Mapping[Symbol, Loops] = dict.fromkeys(symbols, loops) if isinstance(loops, Loops) else loops
    known, returned = set(given), set(outputs)
    at: dict[Symbol, int] = {}
    for s in symbols:
        parts = [] if s in known else [x for x in s.inputs if isinstance(x, Symbol)]
        at[s] = max((at[x] + is_total(x, of[x]) for x in parts if x not in known), default=0)
    found: dict[tuple[int, int], Stage] = {}
    for s in symbols:
        if s in known:
            continue
        own = of[s]
        stage = found.setdefault((at[s], id(own)), Stage(own))
        if is_total(s, own):
            if own.across & ~own.level[s.inputs[0]]:
                raise Unfusable("it sums some loops over rows of what does not vary over the others")
            stage.totals.append(s)
        elif s in returned and own.level[s]:
            stage.outputs.append(s)
    kept = [stage for _, stage in sorted(found.items(), key=lambda item: item[0][0]) if stage.totals or stage.outputs]
    outside = {s for s in symbols if s in known or is_total(s, of[s]) or not of[s].level[s]}
    for stage in kept:
        _fill(stage, outside)
    return kept


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


def along_row(s: Symbol, loops: Loops) -> bool:
    """Whether s is a reduction along a row, known only after a pass over it."""
    return loops.reduced.get(s, 0) == COLUMNS and loops.has_rows and s.op is not None and s.op.name != "pick"
