"""Run in a fresh process: `python -m bench.kernels.fresh losses` or `mask` prints what it measured as JSON."""

from __future__ import annotations

import json
import sys
import tracemalloc
from time import perf_counter
from typing import Any

import numpy as np

import autograd as ag
import nn.functional as F
import regularize

LOSSES = (F.mse_loss, F.huber_loss, F.binary_cross_entropy_with_logits, F.l1_loss, F.hinge_loss)
ELEMENTS = 10_000  # that running takes no time beside compiling


def losses() -> dict[str, Any]:
    """Seconds of the first call of each loss and its gradient, in order; compilers that this needed."""
    rng = np.random.default_rng(0)
    x = ag.tensor(rng.standard_normal(ELEMENTS, np.float32), requires_grad=True)
    y = ag.ones(ELEMENTS, dtype=np.float32)
    seconds = []
    for loss in LOSSES:
        start = perf_counter()
        ag.grad(loss(x, y), [x])
        seconds.append(perf_counter() - start)
    return {"seconds": seconds, "compilers": len({"numba"} & set(sys.modules))}


def mask(elements: int = 1 << 22) -> dict[str, Any]:
    """Bytes for each element that a dropout adds to its input and its output until it has been differentiated."""
    drop = regularize.Dropout(0.5, generator=ag.random.Generator(0))
    for n in (elements // 4, elements):  # the first is compiled and not counted
        x = ag.ones(n, dtype=np.float32, requires_grad=True)
        tracemalloc.start()
        y = drop(x)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        ag.grad(y, [x], np.ones(n, np.float32))
    return {"bytes": (held - y.value.nbytes) / elements}


if __name__ == "__main__":
    print(json.dumps({"losses": losses, "mask": mask}[sys.argv[1]]()))
