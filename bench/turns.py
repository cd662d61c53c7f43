"""Processes that take turns: every library runs in one of its own, and rounds interleave across them.

Two thread pools in one process disturb each other, and so does a pool that still spins in another one: a turn therefore
begins with a rest, until nobody else computes. Every process gets the same cores and as many threads as it has cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from time import perf_counter, sleep
from types import TracebackType
from typing import Any, Self

Statement = Callable[[], Any]
SETTLE = 0.02  # seconds of rest before a turn, at least
PATIENCE = 0.3  # at most: OpenBLAS's threads go on watching for work for 0.1 s, on a core that the next one needs
RUNNING = Path("/proc/loadavg")  # where Linux says how many threads run
LASTING = 0.01  # seconds that a turn should last at least
MOST = 1000  # calls in a turn
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def rest() -> None:
    """Wait until nobody else computes, or seems never to stop."""
    sleep(SETTLE)
    end = perf_counter() + PATIENCE
    while perf_counter() < end and others_run():
        sleep(SETTLE / 4)


def others_run() -> bool:
    """Whether any thread but this one runs; where that cannot be known, it may be so."""
    try:
        return int(RUNNING.read_text().split()[3].split("/")[0]) > 1
    except (OSError, ValueError, IndexError):
        return True


def turn(statement: Statement, number: int = 1) -> float:
    """Seconds that one call takes, of `number` calls after a rest and a call that is not counted.

    The collector of reference cycles stays on, as it is in the programs that users run.
    """
    rest()
    statement()
    start = perf_counter()
    for _ in range(number):
        statement()
    return (perf_counter() - start) / number


def enough(statement: Statement, lasting: float = LASTING) -> int:
    """How many calls of a statement make a turn that lasts."""
    statement()
    return max(1, min(MOST, ceil(lasting / max(turn(statement), 1e-9))))


def allowed() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


@contextmanager
def placed(threads: int) -> Iterator[dict[str, str]]:
    """The environment of processes that are started here, on the last `threads` cores of those that we may use."""
    before = allowed()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, before[-threads:])  # started processes inherit it
    try:
        yield os.environ | dict.fromkeys(POOLS, str(threads))
    finally:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, before)


class Player:
    """A process that answers lines of JSON with lines of JSON: `python -m MODULE ARGUMENTS...`.

    The first line that it says of its own accord is `hello`.
    """

    def __init__(self, module: str, *arguments: object, threads: int) -> None:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        with placed(threads) as env:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, bufsize=1
            )
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.hello = self._answer()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.communicate()

    def ask(self, *question: object) -> Any:
        """What the process answers."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, as the missing answer will tell
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.communicate()
            raise RuntimeError(f"a process ended with exit code {self.process.returncode}; its error is above.")
        return json.loads(line)


def serve(hello: object, answer: Callable[..., object], lines: Iterator[str] | None = None) -> None:
    """The other side: say hello, then answer every question; what libraries print goes to the standard error."""
    with os.fdopen(os.dup(1), "w", buffering=1) as out:
        os.dup2(2, 1)
        out.write(json.dumps(hello) + "\n")
        for line in sys.stdin if lines is None else lines:
            out.write(json.dumps(answer(*json.loads(line))) + "\n")


def fresh(module: str, *arguments: object, threads: int, **variables: str) -> Any:
    """What `python -m MODULE ARGUMENTS...` prints as JSON, in a process that ends with it."""
    command: Sequence[str] = [sys.executable, "-m", module, *map(str, arguments)]
    with placed(threads) as env:
        done = subprocess.run(command, env=env | variables, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)
