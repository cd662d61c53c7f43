"""First steps: from an empty cache, from a full one, and of another batch size."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

from bench.conditions.stepping import WORK
from bench.kernels.case import COMPILED, JAX, OURS
from bench.kernels.libraries import missing
from bench.kernels.result import Result
from bench.report import Row, cores
from bench.timing import ratio, spread
from bench.turns import fresh

FIRST = "bench.conditions.processes.first"
CACHES = ("WENGERT_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")
COLD, WARM, OTHER = 1.0, 0.5, 50.0  # times jax.jit's, seconds, milliseconds
MS = 1e3
COUNTED = "all up to the first that ran as a program; those before it ran as they stand."
Runs = list[dict[str, Any]]


def starting(name: str, repeats: int, peers: Sequence[str]) -> Result:
    """A workload's first steps, each in a fresh process; the two of a round share a folder that was empty."""
    labels, notes = there(name, peers)
    cold: dict[str, Runs] = {label: [] for label in labels}
    warm: dict[str, Runs] = {label: [] for label in labels if label != JAX}  # it keeps nothing unless told to
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for found in (cold, warm):
                for label, runs in found.items():
                    runs.append(fresh(FIRST, name, label, threads=cores(), **dict.fromkeys(CACHES, folder)))
    for label in labels:
        why = [run["failed"] for found in (cold, warm) for run in found.get(label, ()) if "failed" in run]
        if why:
            notes.append(f"{name}: {label} failed: {why[0]}")
            for found in (cold, warm):
                found.pop(label, None)
    notes.append(f"{name}: ours counts {cold[OURS][0]['calls']} calls, {COUNTED}")
    return Result(f"first step, {name}", rows_of(name, cold, warm), notes, cores())


def there(name: str, peers: Sequence[str]) -> tuple[list[str], list[str]]:
    """Ours and those of the peers that can take a workload's step, and why others cannot."""
    sides = WORK[name].case().sides
    labels, notes = [OURS], []
    for label in (COMPILED, JAX):
        if label not in sides:
            notes.append(f"{name}: {label} has no step of this workload.")
        elif label not in peers:
            notes.append(f"{label} is absent: not asked for.")
        elif reason := missing(sides[label].library):
            notes.append(f"{label} is absent: {reason}.")
        else:
            labels.append(label)
    return labels, notes


def rows_of(name: str, cold: dict[str, Runs], warm: dict[str, Runs]) -> list[Row]:
    """What each took, and the promises."""

    def of(runs: Sequence[dict[str, Any]], key: str = "first") -> list[float]:
        return [run[key] for run in runs]

    rows = [Row(f"{name}: first step, cold cache: {label}", spread(of(runs)), "s") for label, runs in cold.items()]
    if JAX in cold:
        figure = ratio(of(cold[OURS]), of(cold[JAX]))
        rows.append(Row(f"{name}: first step, cold cache: {OURS} to {JAX}", figure, "times", COLD))
    for label, runs in warm.items():
        target = WARM if label == OURS else None
        rows += [Row(f"{name}: first step, warm cache: {label}", spread(of(runs)), "s", target)] if runs else []
    what = f"{name}: first step of another batch size, beyond those after it, cold cache"
    return [*rows, Row(what, spread(of(cold[OURS], "other")) * MS, "ms", OTHER)]
