"""Steps in one loop: `python -m bench.conditions.processes.many WORKLOAD STEPS` prints seconds and bytes."""

from __future__ import annotations

import gc
import json
import sys
from time import perf_counter

import autograd as ag
from bench.conditions.stepping import WORK, batch, compiled, ours, training
from bench.training.resident import kilobytes

SETTLED = 1000  # steps after which nothing more is expected to be taken


def resident() -> int:
    """Bytes of this process that are in memory now; 0 where the system does not tell."""
    return (kilobytes("VmRSS") or 0) * 1024


def many(name: str, steps: int) -> dict[str, float]:
    """Seconds of all steps, and by how many bytes the process grew after the first SETTLED of them."""
    work, kit = WORK[name], ours()
    step = ag.compile(training(work, kit))
    x, y = batch(work, kit, work.batch)
    compiled(step, x, y)
    gc.collect()
    taken, sizes = 0.0, []
    for count in (min(SETTLED, steps), steps - min(SETTLED, steps)):
        start = perf_counter()
        for _ in range(count):
            step(x, y)
        taken += perf_counter() - start
        sizes.append(resident())
    return {"seconds": taken, "growth": sizes[1] - sizes[0], "loss": step(x, y).item()}


if __name__ == "__main__":
    print(json.dumps(many(sys.argv[1], int(sys.argv[2]))))
