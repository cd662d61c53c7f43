"""A process that trains one workload of `bench.steps`: `python -m bench.training.workloads LIBRARY WORKLOAD` in bytes.

As in `bench.training.resident`, what counts is the highest resident size in the steps, and by how much they raise it
over what was there before: after steps on two samples, with the code loaded, the states made and the batch at hand.
The step is the same text for both libraries and is taken from packages that need this project: what importing them adds
is taken off.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys

from bench.report import cores
from bench.training.resident import CLEAR, kilobytes

STEPS, SMALL = 5, 2  # steps that are watched, samples before them
FIRST = 3  # steps on few samples, in which ours has become a program
MODULES = {"ours": ("autograd", "nn", "optim"), "torch": ("torch",)}


def now(name: str = "VmRSS") -> int:
    """Bytes of a line of the process's status."""
    return (kilobytes(name) or 0) * 1024


def train(library: str, name: str, *, steps: int = STEPS) -> dict[str, float]:
    """The highest resident size in steps, by how much they raised it, and the last loss."""
    for module in MODULES[library]:
        importlib.import_module(module)
    alone = now()
    stepping = importlib.import_module("bench.conditions.stepping")
    others = now() - alone
    work = stepping.WORK[name]
    kit = getattr(stepping, library)(cores())
    step = stepping.training(work, kit)
    if library == "ours":
        step = importlib.import_module("autograd").compile(step)
    x, y = stepping.batch(work, kit, SMALL)
    for _ in range(FIRST):
        step(x, y)
    x, y = stepping.batch(work, kit, work.batch)
    gc.collect()
    if CLEAR.exists():
        CLEAR.write_text("5", encoding="ascii")  # the highest so far is forgotten
    before = now()
    last = [float(step(x, y).item()) for _ in range(steps)][-1]
    highest = now("VmHWM")
    return {"peak": max(highest - others, 0), "raised": max(highest - before, 0), "loss": last}


if __name__ == "__main__":
    print(json.dumps(train(*sys.argv[1:])))
