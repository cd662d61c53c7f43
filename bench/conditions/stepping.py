"""A training step of a workload as a function of the batch, so that batches of several sizes can be given to it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.report import cores
from bench.steps.cases import WORKLOADS
from bench.steps.workload import Workload, filled

Step = Callable[[Any, Any], Any]  # of input and target, as tensors, the loss
WORK = {work.name: work for work in WORKLOADS}
CALLS = 5  # within which a step must have become a program


@dataclass(frozen=True)
class Kit:
    """What a step is written with: modules of the same names in both libraries, and an array to a tensor."""

    nn: Any
    optim: Any
    no_grad: Any
    tensor: Callable[[Any], Any]


def ours(threads: int | None = None) -> Kit:
    """This project."""
    ag, nn, optim = map(importlib.import_module, ("autograd", "nn", "optim"))
    ag.set_num_threads(threads or cores())
    return Kit(nn, optim, ag.no_grad, ag.tensor)


def torch(threads: int | None = None) -> Kit:
    """PyTorch."""
    module = importlib.import_module("torch")
    module.set_num_threads(threads or cores())
    return Kit(module.nn, module.optim, module.no_grad, module.from_numpy)


def training(work: Workload, kit: Kit) -> Step:
    """The step that `bench.steps.workload` takes: a model of its weights, its loss, its optimizer."""
    _, _, *values = work.arrays(np.random.default_rng(0), (2,))
    with kit.no_grad():
        model = filled(work.build(kit.nn), tuple(map(kit.tensor, values)))
    optimizer = getattr(kit.optim, work.optimizer)(model.parameters(), **work.settings)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = work.loss(kit.nn.functional, model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def batch(work: Workload, kit: Kit, size: int) -> tuple[Any, Any]:
    """An input and a target of so many samples, as tensors."""
    x, y = work.data(np.random.default_rng(0), size)
    return kit.tensor(x), kit.tensor(y)


def programs(step: Any) -> list[Any]:
    """Those that a compiled step has so far."""
    return [run for runs in step.programs.values() for run in runs if not isinstance(run, str)]


def compiled(step: Any, *arguments: Any) -> int:
    """Call a compiled step until a call of this kind has run as a program: how many calls that took.

    Raises:
        RuntimeError: with the reason if there is no program.
    """
    before = len(programs(step))
    for calls in range(1, CALLS + 1):
        step(*arguments)
        if len(programs(step)) > before:
            return calls
    raise RuntimeError(f"the step has no program after {CALLS} calls: {'; '.join(step.reasons()) or 'no reason'}.")
