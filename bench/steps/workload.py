"""A workload: a model, a loss and an optimizer, written once for this project and PyTorch, whose names are the same.

Each side starts from the same weights and data, and returns the losses of its first steps, which must agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
import nn
import optim
from bench.kernels.case import COMPILED, EAGER, JAX, OURS, TORCH, Arrays, Case, Limit, Maker, Side
from bench.turns import Statement

BEST_OF = (COMPILED, JAX)
LASTING = 0.1  # seconds of a turn: training is one step after the other


@dataclass(frozen=True)
class Workload:
    """What is trained.

    Attributes:
        name: of the row.
        build: of `nn` or `torch.nn`, the model.
        loss: of the functions of either library, a prediction and a target.
        data: of a generator and the batch, the input and the target.
        batch: how many samples.
        most: times PyTorch's time that a step is promised to take at most.
        optimizer: its name in both libraries. settings: of it.
        jax: of the library, the arrays and the settings, a statement for JAX; None: there is none.
        eager: the same of a step that is not compiled; None: nothing is promised of it.
    """

    name: str
    build: Callable[[Any], Any]
    loss: Callable[[Any, Any, Any], Any]
    data: Callable[[np.random.Generator, int], tuple[NDArray[Any], NDArray[Any]]]
    batch: int
    most: float
    optimizer: str = "Adam"
    settings: Mapping[str, Any] = field(default_factory=lambda: {"lr": 1e-3})
    jax: Maker | None = None
    eager: float | None = None

    def case(self) -> Case:
        """The sides and what is promised."""
        sides = {
            OURS: Side("ours", partial(ours, self, True)),
            EAGER: Side("ours", partial(ours, self, False)),
            TORCH: Side("torch", partial(torch, self, False)),
            COMPILED: Side("torch", partial(torch, self, True)),
        }
        if self.jax is not None:
            sides[JAX] = Side("jax", self.jax)
        plain = () if self.eager is None else (Limit(self.eager, (TORCH,), EAGER),)
        limits = (Limit(self.most, (TORCH,)), *plain, *(Limit(1.0, (peer,)) for peer in BEST_OF if peer in sides))
        return Case(
            self.name, (self.batch,), self.arrays, sides, limits, moves=lambda _: 0, tolerance=5e-3, lasting=LASTING
        )

    def arrays(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
        """Input, target, then values for all parameters, in the order of their names."""
        shapes = [p.shape for _, p in sorted(self.build(nn).named_parameters())]
        values = [rng.uniform(-1, 1, s).astype(np.float32) / max(1.0, math.sqrt(math.prod(s[1:]))) for s in shapes]
        return *self.data(rng, shape[0]), *values


def filled(module: Any, values: Arrays) -> Any:
    """The module with these values for its parameters, in the order of their names."""
    for (_, p), value in zip(sorted(module.named_parameters()), values, strict=True):
        p.copy_(value)
    return module


def ours(
    work: Workload, compiled: bool, _lib: Any, x: NDArray[Any], y: NDArray[Any], *values: NDArray[Any]
) -> Statement:
    """The statement for this project."""
    with ag.no_grad():
        model = filled(work.build(nn), values)
    optimizer = getattr(optim, work.optimizer)(model.parameters(), **work.settings)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = work.loss(nn.functional, model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    run = ag.compile(step) if compiled else step
    a, b = ag.tensor(x), ag.tensor(y)
    return lambda: run(a, b)


def torch(
    work: Workload, compiled: bool, lib: Any, x: NDArray[Any], y: NDArray[Any], *values: NDArray[Any]
) -> Statement:
    """The statement for PyTorch."""
    peer = lib.module
    with peer.no_grad():
        model = filled(work.build(peer.nn), tuple(map(peer.from_numpy, values)))  # type: ignore[arg-type]
    optimizer = getattr(peer.optim, work.optimizer)(model.parameters(), **work.settings)

    def loss_of(x: Any, y: Any) -> Any:
        return work.loss(peer.nn.functional, model(x), y)

    loss_fn = peer.compile(loss_of) if compiled else loss_of
    a, b = peer.from_numpy(x), peer.from_numpy(y)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_fn(a, b)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step
