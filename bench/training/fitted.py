"""A process that trains within a budget: `python -m bench.training.fitted MODEL PART` prints bytes.

The budget is a part of what is held if everything is kept. Measured is by how much the resident size of the process
grows: from where all code is loaded, before there are parameters and data, to its highest in the steps.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
from typing import Any

import numpy as np

from bench.report import cores
from bench.training.models import MODELS
from bench.training.resident import CLEAR, highest, kilobytes, ours

STEPS = 3
SIZES = {"digits": 512, "transformer": 64, "autoencoder": 8192}  # so many samples that arrays are most of it
PARTS = {"digits": 1.0, "transformer": 0.6, "autoencoder": 0.7}  # of the memory that is held if everything is kept
ENOUGH = 1 << 40  # bytes
WIDE = 1200  # rows and columns of matrices that BLAS lays out anew for their product


def made(model: str, size: int, fit_in: int) -> tuple[Any, tuple[Any, ...]]:
    """A compiled step with new parameters, and a batch for it."""
    ag = importlib.import_module("autograd")
    kit, tensor, adam = ours()
    recipe = MODELS[model]
    modules, loss_of = recipe.recipe(kit)
    optimizer = adam([p for module in modules for p in module.parameters()])

    def step(*batch: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(*batch)
        loss.backward()
        optimizer.step()
        return loss

    batch = recipe.batch(np.random.default_rng(0), size)
    return ag.compile(step, fit_in=fit_in), tuple(map(tensor, batch))


def train(model: str, part: float, size: int) -> dict[str, float]:
    """The peak with everything kept; within the budget, the peak foreseen and that measured, or 0 if it cannot be."""
    buffers: Any = importlib.import_module("autograd.kernels.buffers")
    limit, buffers.LIMIT = buffers.LIMIT, 0  # what is gone goes back to the system, not to the next model
    step, batch = made(model, size, ENOUGH)
    kept = step.program(*batch).peak
    step, batch = made(model, size, int(kept * part))
    again = len(step.program(*batch).recomputed)  # its kernels are loaded now
    step, batch = made(model, 2, ENOUGH)
    step(*batch)
    ag = importlib.import_module("autograd")
    ag.matmul(*[ag.ones((WIDE, WIDE), dtype="float32")] * 2)  # BLAS takes memory of its own at the first such product
    del step, batch
    gc.collect()
    buffers.LIMIT = limit
    before = (kilobytes("VmRSS") or 0) * 1024
    if CLEAR.exists():
        CLEAR.write_text("5", encoding="ascii")  # the highest so far is forgotten
    step, batch = made(model, size, int(kept * part))
    for _ in range(STEPS):
        step(*batch).item()
    (listing,) = step.listings()
    measured = highest() - before if before else 0
    return {"kept": kept, "peak": listing.peak, "measured": measured, "recomputed": again, "cores": cores()}


if __name__ == "__main__":
    name, portion = sys.argv[1], float(sys.argv[2])
    print(json.dumps(train(name, portion, SIZES[name])))
