"""Two models in two threads: `python -m bench.conditions.processes.pair WORKLOAD REPEATS` prints seconds of both ways.

Each has a compiled step, an optimizer and data of its own; kernels run on the thread that calls them.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from time import perf_counter

import autograd as ag
from bench.conditions.stepping import WORK, batch, compiled, ours, training
from bench.timing import interleaved
from bench.turns import Statement, enough, turn

LASTING = 0.5  # seconds
BYTES = 1 << 16


def pair(name: str, repeats: int, lasting: float = LASTING) -> dict[str, list[float]]:
    """Seconds of as many steps of one model by itself ("alone"), and of each of two at once ("both").

    And what the machine allows: the same of threads that add up bytes, without the interpreter and sharing nothing.
    """
    work, kit = WORK[name], ours(1)
    steps = [ag.compile(training(work, kit)) for _ in range(2)]
    batches = [batch(work, kit, work.batch) for _ in range(2)]
    for step, arguments in zip(steps, batches, strict=True):
        compiled(step, *arguments)
    models = [partial(step, *arguments) for step, arguments in zip(steps, batches, strict=True)]
    sums = [partial(zlib.adler32, bytes(BYTES)) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        subjects = {}
        for jobs, labels in ((models, ("alone", "both")), (sums, ("machine alone", "machine both"))):
            number = max(1, round(lasting / turn(jobs[0], enough(jobs[0]))))
            for count, label in enumerate(labels, 1):
                subjects[label] = partial(at_once, threads, jobs[:count], number)
        return interleaved(subjects, repeats)


def at_once(threads: ThreadPoolExecutor, jobs: Sequence[Statement], number: int) -> float:
    """Seconds until each job has been done so many times, each in a thread of its own."""
    start = Barrier(len(jobs))
    walks = [threads.submit(walk, job, number, start) for job in jobs]
    spans = [each.result() for each in walks]
    return max(end for _, end in spans) - min(begun for begun, _ in spans)


def walk(job: Statement, number: int, start: Barrier) -> tuple[float, float]:
    """Do a job so many times once all are ready: when that began and ended."""
    start.wait()
    begun = perf_counter()
    for _ in range(number):
        job()
    return begun, perf_counter()


if __name__ == "__main__":
    print(json.dumps(pair(sys.argv[1], int(sys.argv[2]))))
