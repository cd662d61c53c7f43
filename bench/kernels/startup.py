"""What a fresh process pays: importing, compiling, reading compiled kernels; and what a dropout keeps in memory.

Each figure is taken in a process that is started for it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import bench
from bench.report import Row, cores
from bench.timing import difference, interleaved, spread
from bench.turns import fresh, placed

MS = 1e3
COLD, WARM, IMPORT, MASK = 600.0, 20.0, 150.0, 0.1  # milliseconds; bytes for each element
FRESH = "bench.kernels.fresh"
LOADED = "import sys, autograd; print(len({'numba', 'llvmlite'} & {name.partition('.')[0] for name in sys.modules}))"


def compiling(repeats: int) -> list[Row]:
    """Fused losses and their backward halves, from an empty folder and from a full one."""
    cold, warm = [], []
    for _ in range(max(1, repeats // 5)):  # a cold process takes seconds
        with tempfile.TemporaryDirectory() as folder:
            cold.append(fresh(FRESH, "losses", threads=cores(), WENGERT_CACHE_DIR=folder))
            warm.append(fresh(FRESH, "losses", threads=cores(), WENGERT_CACHE_DIR=folder))
    return [
        *_first_and_rest("cold", cold, COLD),
        *_first_and_rest("from the disk", warm, WARM),
        Row("compilers imported where all is on the disk", spread([run["compilers"] for run in warm]), "", 0),
    ]


def _first_and_rest(how: str, runs: list[Any], limit: float) -> list[Row]:
    first, rest = ([run["seconds"][0] for run in runs], [s for run in runs for s in run["seconds"][1:]])
    what = f"a fused loss and its backward, {how}"
    return [
        Row(f"{what}: the first of a process", spread(first) * MS, "ms"),
        Row(f"{what}: each after it", spread(rest) * MS, "ms", limit),
    ]


def importing(repeats: int) -> list[Row]:
    """Whole processes that import NumPy alone, and autograd, both with their byte code at hand, as when installed."""

    def process(statement: str, folder: str) -> Callable[[], float]:
        def run() -> float:
            start = perf_counter()
            python(statement, folder)
            return perf_counter() - start

        return run

    with tempfile.TemporaryDirectory() as folder:
        for name in ("numpy", "autograd"):
            python(f"import {name}", folder)  # writes the byte code
        t = interleaved({name: process(f"import {name}", folder) for name in ("numpy", "autograd")}, repeats)
    return [
        Row("import autograd, beyond NumPy alone", difference(t["autograd"], t["numpy"]) * MS, "ms", IMPORT),
        Row("a process that imports NumPy", spread(t["numpy"]) * MS, "ms"),
        Row("compilers imported by autograd", spread([float(python(LOADED))]), "", 0),
    ]


def python(program: str, byte_code: str = "") -> str:
    """What a program prints, in a process that finds the packages that we were found beside.

    byte_code: the folder that it is kept in, if it is.
    """
    root = Path(bench.__file__).parents[1]
    with placed(cores()) as env:
        if byte_code:
            env = {**env, "PYTHONPYCACHEPREFIX": byte_code}
            env.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=root, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def masking(_repeats: int) -> list[Row]:
    """What a dropout keeps between its two halves, beside its input and its output."""
    kept = fresh(FRESH, "mask", threads=cores())["bytes"]
    return [Row("dropout 4M: bytes kept for each element", spread([kept]), "bytes", MASK)]


STARTUP: dict[str, Callable[[int], list[Row]]] = {
    "compile": compiling,
    "import": importing,
    "dropout memory": masking,
}
