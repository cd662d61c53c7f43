"""A step beside a process that keeps a core busy, and two models in two threads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.kernels.case import EAGER, JAX, OURS, TORCH
from bench.kernels.measure import Players
from bench.kernels.result import Result
from bench.report import Row, cores
from bench.steps.cases import CASES
from bench.timing import Subject, interleaved, ratio, spread
from bench.turns import fresh, placed

SERVE, PAIR = "bench.conditions.processes.serve", "bench.conditions.processes.pair"
WORKLOAD = "mlp"
SIDES = (OURS, EAGER, TORCH, JAX)
SLOWER = 2.5  # times
PACE = 1.8  # of two threads, to one
US = 1e6
LOOP = "print(flush=True)\nwhile True: pass"


@contextmanager
def neighbour() -> Iterator[subprocess.Popen[bytes]]:
    """A process that keeps the last of our cores busy."""
    with placed(1) as env:
        process = subprocess.Popen([sys.executable, "-S", "-c", LOOP], stdout=subprocess.PIPE, env=env)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def beside(turn: Subject) -> float:
    """The seconds of a turn while the neighbour is there."""
    with neighbour():
        return turn()


def disturbed(repeats: int, peers: bool) -> Result:
    """Each side alone and beside a neighbour, in turn."""
    notes: list[str] = []
    subjects: dict[str, Subject] = {}
    players = Players(cores(), 1, peers, SERVE)
    with players.stack:
        for label in SIDES:
            player = players[CASES[WORKLOAD].sides[label].library]
            said = {"failed": ""} if player is None else player.ask("case", WORKLOAD, label)
            if player is None:
                notes.append(f"{label} is absent: {players.absent[CASES[WORKLOAD].sides[label].library]}.")
            elif "failed" in said:
                notes.append(f"{WORKLOAD}: {label} failed: {said['failed']}")
            else:
                alone = partial(player.ask, "turn", label)
                subjects |= {label: alone, f"{label} beside": partial(beside, alone)}
        found = interleaved(subjects, repeats)
    return Result(f"busy neighbour, {WORKLOAD}", rows_of(found), notes, cores())


def rows_of(found: dict[str, list[float]]) -> list[Row]:
    """The times, and by how much the neighbour slows each side down."""
    rows = []
    for label in (label for label in SIDES if label in found):
        there = found[f"{label} beside"]
        what = f"{WORKLOAD}: {label}"
        rows += [
            Row(f"{what}, a step alone", spread(found[label]) * US, "us"),
            Row(f"{what}, a step beside a busy neighbour", spread(there) * US, "us"),
            Row(f"{what}, slower by", ratio(there, found[label]), "times", SLOWER if label == OURS else None),
        ]
    return rows


def threaded(repeats: int) -> Result:
    """Two models in two Python threads, on one core each, beside one of them alone; and what the machine allows."""
    found = fresh(PAIR, WORKLOAD, repeats, threads=cores())
    alone, both = found["alone"], found["both"]
    free = ratio([2 * s for s in found["machine alone"]], found["machine both"])
    what = f"{WORKLOAD}: two models in two threads"
    rows = [
        Row("two threads that share nothing, pace to that of one", free, "times"),
        Row(f"{what}, steps a second to those of one", ratio([2 * s for s in alone], both), "times"),
        Row(f"{what}, time of a step to that of one ({PACE:g} times the pace)", ratio(both, alone), "times", limit()),
    ]
    return Result("two threads", rows, threads=1)


def limit() -> float:
    """How much longer a step of each may take at the promised pace.

    >>> round(limit(), 3)
    1.111
    """
    return round(2 / PACE, 4)
