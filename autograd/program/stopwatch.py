"""What each entry of a program takes."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.program.launch import kernel_module
from autograd.program.single import single

if TYPE_CHECKING:
    from autograd.program.compiled import Program

LEAST, MOST = 7, 100  # runs of the whole program, of which the median counts for each entry
PATIENCE = 0.2  # seconds that they take altogether, if they are not too few then


def microseconds(program: Program, values: Sequence[Any]) -> list[float]:
    """The time of each entry; the program's buffers are written over, so it must be nobody else's.

    Entries run in order, one by one: they may share memory, so none can be run again by itself.
    """
    took: list[list[float]] = [[] for _ in program.entries]
    program.drawn = [(s, lambda: 1) for s, _ in program.drawn]  # no generator moves on
    program.actions = [_timed(_runner(entry), mine) for entry, mine in zip(program.entries, took, strict=True)]
    nothing = array("q", (0, 0, 0))
    calls: list[float] = []
    call = _timed(_runner((single("copy").address, 1, nothing.buffer_info()[0], False)), calls)
    with np.errstate(all="ignore"):
        program.run(values)
        start = perf_counter()
        program.run(values)
        rounds = max(LEAST, min(MOST, int(PATIENCE / (perf_counter() - start))))
        for _ in range(rounds):
            call({})  # among the runs, so that both see the machine alike
            program.run(values)
    price = [median(calls) if isinstance(entry, tuple) else 0.0 for entry in program.entries]
    return [1e6 * max(0.0, median(mine[2:]) - call) for mine, call in zip(took, price, strict=True)]


def _runner(entry: Any) -> Callable[[Any], Any]:
    """An entry as what Python calls."""
    if not isinstance(entry, tuple):
        return entry  # type: ignore[no-any-return]
    table = kernel_module("pool").Table(*([word] for word in entry))
    return lambda _: table.run()


def _timed(run: Callable[[Any], Any], took: list[float]) -> Callable[[Any], None]:
    def action(numbers: Any) -> None:
        start = perf_counter()
        run(numbers)
        took.append(perf_counter() - start)

    return action
