"""A process that trains one model for a few steps: `python -m bench.training.resident LIBRARY MODEL` prints bytes.

The resident size of the whole process at its highest is what the machine must have. Beside it stands by how much the
steps raise it over what was there before them: after a step on two samples, with all code loaded and all state made.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import cores
from bench.training.models import MODELS, Kit

STEPS = 5
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
Kits = tuple[Kit, Callable[[Any], Any], Callable[[list[Any]], Any]]  # kit, array to tensor, parameters to optimizer


def ours() -> Kits:
    """This project."""
    ag, nn, optim, regularize = map(importlib.import_module, ("autograd", "nn", "optim", "regularize"))
    ag.set_num_threads(cores())
    return Kit(nn, ag.exp, regularize.Dropout), ag.tensor, optim.Adam


def torch() -> Kits:
    """PyTorch, as it comes."""
    module = importlib.import_module("torch")
    module.set_num_threads(cores())
    warnings.filterwarnings("ignore", message="enable_nested_tensor")  # which PyTorch leaves off by itself here
    return Kit(module.nn, module.exp, module.nn.Dropout), module.from_numpy, module.optim.Adam


LIBRARIES: dict[str, Callable[[], Kits]] = {"ours": ours, "torch": torch}


def kilobytes(name: str) -> int | None:
    """A line of the process's status; None where the system has none."""
    lines = STATUS.read_text(encoding="utf-8").splitlines() if STATUS.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)


def highest() -> int:
    """The highest resident size so far, in bytes."""
    found = kilobytes("VmHWM")
    if found is not None:
        return found * 1024
    resource: Any = importlib.import_module("resource")  # which Windows has not
    most: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def train(library: str, model: str, *, steps: int = STEPS) -> dict[str, float]:
    """The highest resident size in training, by how much the steps raised it, and the last loss."""
    kit, tensor, adam = LIBRARIES[library]()
    made = MODELS[model]
    modules, loss_of = made.recipe(kit)
    optimizer = adam([p for module in modules for p in module.parameters()])
    batch = partial(made.batch, np.random.default_rng(0))

    def step(arrays: tuple[Any, ...]) -> float:
        optimizer.zero_grad()
        loss = loss_of(*map(tensor, arrays))
        loss.backward()
        optimizer.step()
        return float(loss.item())

    step(batch(2))
    before = (kilobytes("VmRSS") or 0) * 1024
    whole = highest()
    if CLEAR.exists():
        CLEAR.write_text("5", encoding="ascii")  # the highest so far is forgotten: importing may need more for a moment
    arrays = batch(made.size)
    last = [step(arrays) for _ in range(steps)][-1]
    raised = highest() - before if before else 0
    return {"peak": max(whole, highest()), "raised": max(raised, 0), "loss": last}


if __name__ == "__main__":
    print(json.dumps(train(*sys.argv[1:])))
