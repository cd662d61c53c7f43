"""First steps in a fresh process: `python -m bench.conditions.processes.first WORKLOAD LABEL` prints seconds.

Libraries are imported, models, optimizers and batches made before the clock starts. For this project it then runs until
the first step that was a program has ended: all calls before that one count, if there are any, and so does what is
compiled, or read from the disk, on the way. For a peer it is the first
call, which waits for its result.
"""

from __future__ import annotations

import json
import sys
from statistics import median
from time import perf_counter
from typing import Any

import autograd as ag
from bench.conditions.stepping import WORK, batch, compiled, ours, training
from bench.kernels.case import OURS
from bench.kernels.libraries import LIBRARIES
from bench.report import cores
from bench.steps.workload import Workload
from bench.turns import Statement

AGAIN = 5  # steps of which the median stands for one that is like those before


def seconds_of(statement: Statement) -> float:
    """What one call takes."""
    start = perf_counter()
    statement()
    return perf_counter() - start


def own(work: Workload) -> dict[str, Any]:
    """Of this project: the first step, how many calls it took; by how much one of another batch size exceeds others."""
    kit = ours()
    step = ag.compile(training(work, kit))
    full, part = (batch(work, kit, n) for n in (work.batch, work.batch - work.batch // 4))
    start = perf_counter()
    calls = compiled(step, *full)
    first = perf_counter() - start
    step(*full)
    start = perf_counter()
    compiled(step, *part)
    other = perf_counter() - start
    after = median(seconds_of(lambda: step(*part)) for _ in range(AGAIN))
    return {"first": first, "calls": calls, "other": other - after}


def peer(work: Workload, label: str) -> dict[str, Any]:
    """Of a peer."""
    case = work.case()
    side = case.sides[label]
    statement = side.make(LIBRARIES[side.library](cores()), *case.arrays())
    return {"first": seconds_of(statement)}


def first(name: str, label: str) -> dict[str, Any]:
    """What was measured; {"failed": reason} if a peer cannot."""
    if label == OURS:
        return own(WORK[name])
    try:
        return peer(WORK[name], label)
    except Exception as error:  # of whatever the peer needs, a compiler say: the others are still measured
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return {"failed": f"{type(error).__name__}: {lines[0] if lines else ''}"[:200]}


if __name__ == "__main__":
    print(json.dumps(first(*sys.argv[1:])))
