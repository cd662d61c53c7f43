"""The parts of training in turn."""

from __future__ import annotations

from collections.abc import Sequence

from bench import loader
from bench.kernels.measure import REPEATS, Players, chosen, measure, told
from bench.kernels.result import Result, show
from bench.report import cores
from bench.train import trainer
from bench.train.cases import CASES

ABOUT = "batches, the trainer's own work, and every optimizer's step beside PyTorch and JAX"
NOTE = (
    "torch is fused=True where PyTorch has that, else foreach=True; torch default is as it comes; jax.jit is by hand."
)
PARTS = {"DataLoader": lambda repeats: loader.run(repeats=repeats), "Trainer": lambda repeats: trainer.rows(repeats)}

__all__ = ["ABOUT", "run", "show"]


def run(*, repeats: int = REPEATS, only: Sequence[str] = (), shrink: int = 1, peers: bool = True) -> list[Result]:
    """The results of the parts and optimizers whose names contain one of `only`."""
    results = [Result(name, PARTS[name](repeats)) for name in told(chosen(PARTS, only))]
    players = Players(cores(), shrink, peers, "bench.train.serve")
    with players.stack:
        found = [measure(CASES[name], players, repeats) for name in told(chosen(CASES, only))]
    if found:
        found[0].notes.append(NOTE)
    return results + found
