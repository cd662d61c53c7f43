"""Layers in turn, and what follows for the convolutions together."""

from __future__ import annotations

from collections.abc import Sequence

from bench.kernels.measure import REPEATS, Players, chosen, measure, told
from bench.kernels.result import Result
from bench.layers.cases import CASES, CONVOLUTIONS
from bench.layers.layer import MODES
from bench.layers.result import together
from bench.report import cores

ABOUT = "what the heavy layers take, beside PyTorch and JAX"


def run(*, repeats: int = REPEATS, only: Sequence[str] = (), shrink: int = 1, peers: bool = True) -> list[Result]:
    """The results of the cases whose names contain one of `only`, then those of all convolutions among them."""
    players = Players(cores(), shrink, peers, "bench.layers.serve")
    with players.stack:
        results = [measure(CASES[name], players, repeats) for name in told(chosen(CASES, only))]
    grid = {layer.name for layer in CONVOLUTIONS}
    for mode in MODES:
        found = [r for r in results if r.case.removesuffix(f": {mode}") in grid]
        results += [Result(f"Conv2d: {mode}", rows) for rows in [together(found, mode)] if rows]
    return results
