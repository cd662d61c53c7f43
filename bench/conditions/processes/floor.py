"""What a step's work must take: `python -m bench.conditions.processes.floor WORKLOAD REPEATS` prints seconds.

Three things take turns in one process: the compiled step; its matrix products alone, of the same shapes and strides,
one after another in one table over arrays of random numbers; a copy that moves as many bytes as all its other entries
and its optimizer read and write, each array once for each entry that looks at it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.kernels import blas, pool
from autograd.program.entry import Entry, size_of
from autograd.program.listing import owner
from autograd.program.symbol import Symbol
from bench.conditions.stepping import WORK, batch, compiled, ours, programs, training
from bench.peaks import COPY, stream
from bench.report import cores
from bench.timing import interleaved
from bench.turns import Statement, enough, turn

STEP, PRODUCTS = "step", "products"
PRODUCT = "matmul"  # an entry's kind
LASTING = 0.1  # seconds of a turn


class Likeness:
    """Arrays that lie as those of a program do, over random numbers; what is written never comes to be read."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.found: dict[tuple[int, bool], NDArray[Any]] = {}

    def of(self, x: NDArray[Any], written: bool = False) -> NDArray[Any]:
        """An array of the shape and strides of x, at the same place of a likeness of the whole that x is a view of."""
        whole = owner(x)
        key = id(whole), written
        if key not in self.found:
            low, high = np.lib.array_utils.byte_bounds(whole)
            self.found[key] = self.rng.standard_normal((high - low) // x.itemsize + 1).astype(x.dtype)
        offset = x.ctypes.data - np.lib.array_utils.byte_bounds(whole)[0]
        return np.ndarray(x.shape, x.dtype, self.found[key].data, offset, x.strides)


def products(run: Any) -> tuple[int, int, Statement]:
    """How many matrix products a program has, their multiply-adds, and a statement that computes them alone."""
    memory, like = run.program.memory, Likeness()
    jobs, plain, work = [], [], 0
    for entry in (e for e in run.program.listing if e.kind == PRODUCT):
        (s,) = entry.symbols
        a, b = (like.of(memory[x]) for x in s.inputs)
        out = like.of(memory[s], written=True)
        work += out.size * a.shape[-1]
        job = blas.entry(a, b, out)
        if job is None:  # a BLAS that is not OpenBLAS, or strides that it does not take
            plain.append(partial(np.matmul, a, b, out=out))
        else:
            jobs.append((*job, entry.threads, (a, b, out)))
    return len(jobs) + len(plain), work, partial(_all, table_of(jobs), plain, jobs)


def table_of(jobs: Sequence[Any]) -> Any:
    """The products as one native call; None for none."""
    if not jobs:
        return None
    return pool.Table(*zip(*((job[0], job[1], job[2].buffer_info()[0], job[3]) for job in jobs), strict=True))


def _all(table: Any, plain: Sequence[Statement], _kept: Any) -> None:
    if table is not None:
        table.run()
    for product in plain:
        product()


def moved(run: Any) -> int:
    """Bytes that all entries but products read and write, and those of the optimizers' steps."""
    entries: list[Entry] = run.program.listing
    whole = sum(e.bytes_read + e.bytes_written for e in entries if e.kind != PRODUCT)
    for update in run.updates:
        whole += sum(2 * t.value.nbytes for column in update.targets for t in column)
        whole += sum(size_of(x) if isinstance(x, Symbol) else x.value.nbytes for column in update.reads for x in column)
    return whole


def floor(name: str, repeats: int) -> dict[str, Any]:
    """Seconds of the three in every round; how many products, multiply-adds and bytes they stand for."""
    work, kit = WORK[name], ours()
    step = ag.compile(training(work, kit))
    arguments = batch(work, kit, work.batch)
    compiled(step, *arguments)
    (run,) = programs(step)
    count, flops, multiply = products(run)
    size = moved(run)
    copy = stream(COPY, 2, size, np.dtype(np.float32), cores())
    statements = {STEP: lambda: step(*arguments), COPY: copy.statement} | ({PRODUCTS: multiply} if count else {})
    subjects = {label: partial(turn, statement, enough(statement, LASTING)) for label, statement in statements.items()}
    seconds = interleaved(subjects, repeats)
    scale = size / copy.amount  # which is not 1 for a very large or small copy
    seconds[COPY] = [scale * s for s in seconds[COPY]]
    return {
        "seconds": {PRODUCTS: [0.0] * repeats} | seconds,
        "products": count,
        "multiply-adds": flops,
        "bytes": size,
    }


if __name__ == "__main__":
    print(json.dumps(floor(sys.argv[1], int(sys.argv[2]))))
