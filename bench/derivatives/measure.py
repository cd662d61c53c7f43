"""Derivatives in turn."""

from __future__ import annotations

from collections.abc import Sequence

from bench.derivatives.cases import CASES
from bench.kernels.measure import REPEATS, Players, chosen, measure, told
from bench.kernels.result import Result, show
from bench.report import cores

ABOUT = "what Hessians, Jacobians and per-sample gradients take, beside PyTorch and JAX"

__all__ = ["ABOUT", "run", "show"]


def run(*, repeats: int = REPEATS, only: Sequence[str] = (), shrink: int = 1, peers: bool = True) -> list[Result]:
    """The results of the cases whose names contain one of `only`."""
    players = Players(cores(), shrink, peers, "bench.derivatives.serve")
    with players.stack:
        return [measure(CASES[name], players, repeats) for name in told(chosen(CASES, only))]
