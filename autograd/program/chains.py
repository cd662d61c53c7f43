"""Kernels that run block by block of rows, one after another, while a block is in the cache.

A full-batch step of a linear model reads its data twice: for the predictions, and for the gradient. Both go row by row,
and so does what lies between them, so one pass over the data does.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from autograd.program.entry import size_of
from autograd.program.launch import kernel_module
from autograd.program.loops import COLUMNS, OUTER, ROWS
from autograd.program.part import Part, Ready
from autograd.program.stages import Stage
from autograd.program.symbol import Symbol, graph

LARGE = 1 << 22  # bytes that more than one kernel looks at, from which on they do not stay in the cache by themselves
NEAR = 1 << 19  # bytes of a block that do
_SOURCE = """
def kernel(lo, hi, args):
    count = args[0]
    for block in range(lo, hi):
        for k in range(count):
            call(args[2 * k + 1], block, block + 1, word_at(args[2 * k + 2]))
"""


def chains(parts: Sequence[Part | None]) -> list[range]:
    """Which steps that follow one another run together; for each step its part, or None if it is not of loops."""
    found: list[range] = []
    start = 0
    while start < len(parts):
        stop = start + 1
        while stop < len(parts) and _joins(parts[start:stop], parts[stop]):
            stop += 1
        if stop - start > 1 and _shared([_stage(p) for p in parts[start:stop]]) >= LARGE:
            found.append(range(start, stop))
        start = stop
    return found


def _stage(part: Part | None) -> Stage | None:
    """The one stage of a part that runs along its rows, or elements, independently of one another."""
    if part is None or len(part.stages) != 1 or part.stages[0].loops.across & OUTER:
        return None
    return part.stages[0]


def _joins(before: Sequence[Part | None], part: Part | None) -> bool:
    """Whether a part may run on the rows of a block as soon as those before it did."""
    stages, stage = [_stage(p) for p in before], _stage(part)
    if stage is None or part is None or any(s is None or _length(s) != _length(stage) for s in stages):
        return False
    before_it = [one for one in stages if one is not None]
    made, totals = ({s for one in before_it for s in getattr(one, name)} for name in ("outputs", "totals"))
    arrays = set(stage.arrays)
    for s in made & {*arrays, *part.given}:
        seen = [one for one in (*before_it, stage) if s in one.loops.level]
        if s not in arrays or not all(_by_row(s, one) for one in seen):
            return False
    rest = [s for s in (*stage.arrays, *stage.scalars, *part.labels) if isinstance(s, Symbol) and s not in made]
    return not (made | totals) & set(graph(rest))


def _by_row(s: Symbol, stage: Stage) -> bool:
    """Whether the row of a loop reads, or writes, its own row of an array."""
    return bool(stage.loops.level[s] & (ROWS if stage.loops.has_rows else COLUMNS))


def _length(stage: Stage) -> int:
    """How long the loop is that is cut into chunks."""
    rows, columns = stage.loops.sizes
    return rows if stage.loops.has_rows else columns


def _shared(stages: Sequence[Stage | None]) -> int:
    """Bytes that more than one of the kernels looks at."""
    seen: dict[Symbol, int] = {}
    for stage in stages:
        for s in {*stage.arrays, *stage.outputs} if stage else ():
            seen[s] = seen.get(s, 0) + 1
    return sum(size_of(s) for s, times in seen.items() if times > 1)


def stepped(parts: Sequence[Part]) -> list[Ready]:
    """The kernels of a chain, each in chunks of equally many rows, whose arrays stay in the cache."""
    ready = [part.ready[0] for part in parts]
    length = _length(ready[0].stage)
    arrays = {s for one in ready for s in (*one.stage.arrays, *one.stage.outputs)}
    row = max(1, sum(size_of(s) for s in arrays if s.size >= length) // length)
    rows = 1 << max(6, (NEAR // row).bit_length() - 1)
    return [Ready(one.stage, one.kernel, rows) for one in ready]


def entry(members: Sequence[tuple[int, array[int]]]) -> tuple[int, array[int]]:
    """The addresses and `args` of kernels with equally many chunks, as a kernel of as many: its address, its `args`."""
    words = array("q", (len(members),))
    for address, args in members:
        words.extend((address, args.buffer_info()[0]))
    return kernel_module("compile").get(_SOURCE, flags=(), hot=False).address, words
