"""Cases in turn: the processes that they need, agreement before timing, rounds that interleave across the processes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from bench.kernels.case import ALL, COPY, ONE, Case
from bench.kernels.cases import CASES
from bench.kernels.libraries import missing
from bench.kernels.result import Result, rows
from bench.kernels.startup import STARTUP
from bench.report import cores
from bench.timing import Subject, interleaved
from bench.turns import Player

ABOUT = "what the kernels take, beside NumPy, PyTorch and JAX"
REPEATS, QUICK = 15, 5


class Players:
    """The processes of the libraries, started when they are first needed, all with as many threads.

    Each runs `module`, which is given the library, the number of threads and by how much sizes shrink.
    """

    def __init__(self, threads: int, shrink: int, peers: bool, module: str = "bench.kernels.serve") -> None:
        self.threads, self.shrink, self.peers, self.module = threads, shrink, peers, module
        self.absent: dict[str, str] = {}
        self.found: dict[str, Player] = {}
        self.stack = ExitStack()

    def __getitem__(self, library: str) -> Player | None:
        """The process of a library, or None if it is absent, for the reason in `absent`."""
        if library not in self.found and library not in self.absent:
            reason = missing(library) if self.peers or library in ("ours", "numpy") else "not asked for"
            if not reason:
                arguments = (library, self.threads, self.shrink)
                player = self.stack.enter_context(Player(self.module, *arguments, threads=self.threads))
                reason = player.hello.get("absent", "")
                self.found |= {} if reason else {library: player}
            self.absent |= {library: reason} if reason else {}
        return self.found.get(library)

    def versions(self) -> dict[str, str]:
        """Of the libraries that run."""
        return {name: player.hello["version"] for name, player in self.found.items() if player.hello["version"]}


def measure(case: Case, players: Players, repeats: int) -> Result:
    """Prepare every side, see that they agree, and let them take turns."""
    notes: list[str] = []
    subjects: dict[str, Subject] = {}
    agreed = None
    moved = 0
    for label, side in case.sides.items():
        player = players[side.library]
        if player is None:
            notes.append(f"{label} is absent: {players.absent[side.library]}.")
            continue
        found = player.ask("case", case.name, label)
        if "failed" in found:
            notes.append(f"{case.name}: {label} failed: {found['failed']}")
            continue
        if agreed is None:
            agreed, moved = found["figures"], found["bytes"]
        elif (far := case.apart(found["figures"], agreed)) > 1:
            notes.append(f"{case.name}: {label} is not timed: it is off by {far:.3g} times the tolerance.")
            continue
        subjects[label] = partial(player.ask, "turn", label)
    if moved and (numpy := players["numpy"]):
        numpy.ask("copy", COPY, moved)
        subjects[COPY] = partial(numpy.ask, "turn", COPY)
    seconds = interleaved(subjects, repeats)
    for player in players.found.values():
        player.ask("forget")
    return Result(case.name, rows(case, seconds), notes, players.threads, moved, seconds)


def chosen(names: Iterable[str], only: Sequence[str]) -> list[str]:
    """The names that contain one of `only`, whatever their case; all of them for none.

    >>> chosen(["exp float32", "Huber"], ["hub"])
    ['Huber']
    """
    return [name for name in names if not only or any(part.lower() in name.lower() for part in only)]


def run(*, repeats: int = REPEATS, only: Sequence[str] = (), shrink: int = 1, peers: bool = True) -> list[Result]:
    """The results of the cases whose names contain one of `only`; those of one thread first."""
    results: list[Result] = []
    for all_cores in (ONE, ALL):
        players = Players(cores() if all_cores else 1, shrink, peers)
        with players.stack:
            names = chosen([name for name in CASES if CASES[name].threads == all_cores], only)
            results += [measure(CASES[name], players, repeats) for name in told(names)]
    return results + [Result(name, STARTUP[name](repeats)) for name in told(chosen(STARTUP, only))]


def told(names: Iterable[str]) -> Iterator[str]:
    """The names, each one shown on a terminal that waits for its figures."""
    for name in names:
        if sys.stderr.isatty():
            print(name, file=sys.stderr, flush=True)
        yield name
