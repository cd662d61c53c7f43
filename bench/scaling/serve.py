"""One library in a process of its own, by this file's path: `python -P serve.py PROGRAM THREADS`.

It needs nothing but Python and the library that PROGRAM imports, so that it runs in any environment. It answers lines
of JSON: ["prepare", topic, size] runs the phases of a topic and finds how often they must run to make a turn, ["turn"]
gives the seconds of each phase, ["forget"] drops them.

A program has a function `load(threads)` that returns the library's version, for each topic a function from the size to
the phases, and the sum of squares of what a last phase returns: the gradient, which all libraries must agree about.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

Phases = Sequence[tuple[str, Callable[[Any], Any]]]  # each is given what the one before it returned
SETTLE, PATIENCE, LASTING, MOST = 0.02, 0.3, 0.01, 1000  # as in bench.turns, which peers' environments have not
LONG = 0.3  # seconds
STATUS, RUNNING = Path("/proc/self/statm"), Path("/proc/loadavg")


def once(phases: Phases) -> dict[str, float]:
    """Seconds of each phase; that of the last includes giving up what the others made."""
    found, value = {}, None
    for name, run in phases:
        start = perf_counter()
        value = run(value)
        found[name] = perf_counter() - start
    return found


def rest() -> None:
    """As in bench.turns: wait until nobody else computes, or seems never to stop."""
    sleep(SETTLE)
    end = perf_counter() + PATIENCE
    with suppress(OSError):
        while perf_counter() < end and not RUNNING.read_text().split()[3].startswith("1/"):
            sleep(SETTLE / 4)


def turn(phases: Phases, number: int) -> dict[str, float]:
    """Seconds of each phase, the mean of `number` runs after a rest and, if it is short, one that is not counted."""
    rest()
    if number > 1:
        once(phases)
    runs = [once(phases) for _ in range(number)]
    return {name: sum(run[name] for run in runs) / number for name in runs[0]}


def resident() -> int | None:
    """Bytes of this process that are in memory, after giving back what is free; None where that cannot be read."""
    if not STATUS.exists():
        return None
    gc.collect()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
    return int(STATUS.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Room:
    """The phases at hand."""

    def __init__(self, topics: dict[str, Callable[[int], Phases]], norm: Callable[[Any], float]) -> None:
        self.topics, self.norm = topics, norm
        self.phases: Phases = ()
        self.number = 1

    def prepare(self, topic: str, size: int) -> dict[str, Any]:
        """Make the phases, weigh what the first of them leaves behind, and see how long a run takes."""
        start = perf_counter()
        self.phases = self.topics[topic](size)
        made = perf_counter() - start
        before, start = resident(), perf_counter()
        value = self.phases[0][1](None)
        taken = perf_counter() - start
        after, start = resident(), perf_counter()
        for _, run in self.phases[1:]:
            value = run(value)
        taken += perf_counter() - start
        norm = float(self.norm(value))
        if taken < LONG:  # else it does not matter that this was the first
            taken = sum(once(self.phases).values())
        self.number = max(1, min(MOST, int(LASTING / max(taken, 1e-9))))
        held = None if before is None or after is None else after - before
        return {"made": made, "norm": norm, "seconds": taken, "held": held}

    def turn(self) -> dict[str, float]:
        """Seconds of each phase."""
        return turn(self.phases, self.number)

    def forget(self) -> None:
        """Drop the phases."""
        self.phases = ()
        gc.collect()

    def answer(self, what: str, *arguments: Any) -> Any:
        """To a question; an error is an answer as well."""
        try:
            return getattr(self, what)(*arguments)
        except Exception as error:
            self.phases = ()
            first = str(error).strip().splitlines()
            return {"failed": f"{type(error).__name__}: {first[0] if first else ''}"[:200]}


def main(program: str, threads: int) -> None:
    """Serve one library."""
    with os.fdopen(os.dup(1), "w", buffering=1) as out:
        os.dup2(2, 1)  # what libraries print goes to the standard error
        try:
            version, topics, norm = runpy.run_path(program)["load"](threads)
        except Exception as error:
            out.write(json.dumps({"absent": f"{type(error).__name__}: {error}"}) + "\n")
            return
        room = Room(topics, norm)
        out.write(json.dumps({"version": version, "topics": sorted(topics)}) + "\n")
        for line in sys.stdin:
            out.write(json.dumps(room.answer(*json.loads(line))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
