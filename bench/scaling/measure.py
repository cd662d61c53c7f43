"""Topics in turn: sizes grow until a side takes too long, fails, or needs more memory than there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from bench.kernels.measure import chosen, told
from bench.peers import PEERS
from bench.report import cores
from bench.scaling.process import SIDES, Process, Side, missing, version
from bench.scaling.result import OURS, Point, laws, show, speedups
from bench.scaling.topics import THREADS, TOPICS, Topic

ABOUT = "how cost grows with depth, width, batch, parameters, threads and order, beside nine peers"
REPEATS, QUICK = 7, 3
CAP, QUICK_CAP = 20.0, 4.0  # seconds that making and running a size may be expected to take, but for ours
LONG = 0.3  # seconds: a run that takes longer is repeated twice at most
PATIENCE = 5  # times as long as the others ours may take, which is measured at every size
AGREE = 1e-2  # of the sum of squares of a gradient
SHARE = 0.5  # of the memory that is free
GB = 1e9
Said, Turns = dict[str, dict[str, Any]], dict[str, list[dict[str, float]]]

__all__ = ["ABOUT", "run", "show"]


def free() -> int:
    """Bytes of memory that can still be taken, as far as the system tells; else 4 GB."""
    found = []
    with suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable")]
    with suppress(OSError, ValueError):
        group = Path("/sys/fs/cgroup")
        most, used = ((group / name).read_text(encoding="ascii") for name in ("memory.max", "memory.current"))
        found.append(int(most) - int(used))
    return min(found, default=4 << 30)


class Growth:
    """The processes of one topic, and for each the size at which it stopped."""

    def __init__(self, topic: Topic, threads: int, sides: Sequence[Side], cap: float) -> None:
        self.topic, self.threads, self.cap = topic, threads, cap
        self.limit = 2 * cap + 20.0  # seconds that an answer may take, compiling included
        self.processes: dict[str, Process] = {}
        self.notes = [f"{side.label} is absent: {reason}." for side in sides if (reason := missing(side))]
        self.taken: dict[str, tuple[int, float, float]] = {}  # the size before, seconds of a run and of making it
        self.norms: dict[int, float] = {}  # by size, of the first side that ran it
        started = {side.label: Process(side, threads) for side in sides if not missing(side)}
        for label, process in started.items():
            if not process.greeted():
                self.notes.append(f"{label} is absent: {process.gone}.")
            if process.gone or topic.name not in process.topics:
                process.close()
            else:
                self.processes[label] = process

    def close(self) -> None:
        """End the processes."""
        for process in self.processes.values():
            process.close()

    def drop(self, label: str, size: int, reason: str) -> None:
        """A side goes no further."""
        self.notes.append(f"{self.topic.name}: {label} stops before {size:,}: {reason}.")
        self.processes.pop(label).close()

    def expected(self, label: str, size: int) -> float:
        """Seconds of making and running a size, if the run grows in proportion and the making does not."""
        before, seconds, made = self.taken.get(label, (size, 0.0, 0.0))
        return made + seconds * (1 if self.topic.orders else size / before)

    def prepared(self, size: int, labels: Sequence[str]) -> Said:
        """Of these sides the ones that have the size ready and agree about it, with what they said."""
        found: Said = {}
        for label in labels:
            if label != OURS and (time := self.expected(label, size)) > self.cap:
                self.drop(label, size, f"it would take about {time:.0f} s")
                continue
            patience = self.limit * (PATIENCE if label == OURS else 1)
            said = self.processes[label].ask("prepare", self.topic.name, size, limit=patience)
            if "failed" in said:
                self.drop(label, size, said["failed"])
                continue
            norm = self.norms.setdefault(size, said["norm"])
            if not abs(said["norm"] - norm) <= AGREE * abs(norm):
                self.drop(label, size, f"its gradient differs: |g|^2 = {said['norm']:.6g}, not {norm:.6g}")
                continue
            found[label] = said
        return found

    def rounds(self, said: Said, size: int, repeats: int) -> Turns:
        """The phases of every side in every round, interleaved."""
        found: Turns = {label: [] for label in said}
        for k in range(repeats):
            for label in list(found) if k % 2 else reversed(list(found)):
                if k >= 2 and said[label]["seconds"] > LONG:
                    continue
                phases = self.processes[label].ask("turn", limit=self.limit)
                if "failed" in phases:
                    self.drop(label, size, phases["failed"])
                    del found[label]
                else:
                    found[label].append(phases)
        return found

    def measured(self, size: int, repeats: int, labels: Sequence[str]) -> tuple[Said, Turns]:
        """What the sides said of a size, and their turns; none of them holds it afterwards."""
        said = self.prepared(size, labels)
        turns = self.rounds(said, size, repeats)
        for label, runs in turns.items():
            self.processes[label].ask("forget", limit=self.limit)
            self.taken[label] = (size, min(sum(phases.values()) for phases in runs), said[label]["made"])
        return said, turns

    def point(self, size: int, repeats: int, words: str, alone: bool = False) -> Point:
        """Measure a size: the sides in turn, or `alone`, one after the other, which takes less memory."""
        said: Said = {}
        turns: Turns = {}
        for labels in [[label] for label in self.processes] if alone else [list(self.processes)]:
            one, some = self.measured(size, repeats, labels)
            said, turns = said | one, turns | some
        return Point(
            words,
            self.topic.name,
            size,
            threads=self.threads,
            seconds={label: [sum(phases.values()) for phases in runs] for label, runs in turns.items()},
            phases={label: {name: median(r[name] for r in runs) for name in runs[0]} for label, runs in turns.items()},
            made={label: said[label]["made"] for label in turns},
            held={label: held for label in turns if (held := said[label]["held"])},
        )


def grown(topic: Topic, sides: Sequence[Side], sizes: Sequence[int], repeats: int, cap: float) -> list[Point]:
    """The points of a topic, then one that holds its laws and notes."""
    growth = Growth(topic, cores(), sides, cap)
    points = []
    try:
        for size in sizes:
            need, there = topic.bytes * size / GB, free() / GB
            what = f"{topic.name}: {size:,}, about {need:.1f} GB for each library with {there:.1f} GB free,"
            if need > there * SHARE:
                growth.notes.append(f"{what} is left out.")
                break
            alone = need * len(growth.processes) > there * SHARE
            growth.notes += [f"{what} is measured library by library, not in turn."] if alone else []
            points.append(growth.point(size, repeats, f"{topic.name} {size:,}", alone))
    finally:
        growth.close()
    notes = [*growth.notes, *([f"versions: {', '.join(versions)}"] if (versions := known(sides)) else [])]
    return [*points, Point(topic.name, topic.name, rows=laws(topic, points), notes=notes)]


def known(sides: Sequence[Side]) -> list[str]:
    """The versions of the peers that are here."""
    return [f"{side.label} {version(side)}" for side in sides if side.peer and not missing(side)]


def threaded(name: str, size: int, sides: Sequence[Side], most: int, repeats: int, cap: float) -> list[Point]:
    """The same work by 1 to `most` threads, in new processes for each number, and how much faster that is."""
    what = f"threads, {name} {size:,}"
    points, notes = [], []
    for threads in doubling(most):
        growth = Growth(TOPICS[name], threads, sides, cap)
        try:
            found = growth.point(size, repeats, f"{what}, {threads}")
        finally:
            growth.close()
        notes += growth.notes
        points.append(Point(**{**vars(found), "topic": what, "size": threads}))
    return [*points, Point(what, what, rows=speedups(what, points), notes=notes)]


def doubling(most: int) -> Iterable[int]:
    """1, 2, 4, ... and the most."""
    return sorted({min(2**k, most) for k in range(most.bit_length() + 1)})


def run(
    *,
    repeats: int = REPEATS,
    only: Sequence[str] = (),
    quick: bool = False,
    most: int | None = None,
    peers: bool = True,
) -> list[Point]:
    """The points of the topics whose names contain one of `only`; `most` bounds the sizes."""
    sides = [side for side in SIDES if peers or not side.peer]
    cap, found = (QUICK_CAP if quick else CAP), []
    repeats = repeats or (QUICK if quick else REPEATS)
    for name in told(chosen(TOPICS, only)):
        topic = TOPICS[name]
        top = min(topic.quick if quick else topic.sizes[-1], most or topic.sizes[-1])
        found += grown(topic, sides, [n for n in topic.sizes if n <= top], repeats, cap)
    sides = [side for side in sides if not (side.peer and PEERS[side.peer].apart)]  # the others use one thread
    for name in told(chosen([f"threads {name}" for name in THREADS], only)):
        whole, fewer = THREADS[name.removeprefix("threads ")]
        size = min(fewer if quick else whole, most or whole)
        found += threaded(name.removeprefix("threads "), size, sides, cores(), repeats, cap)
    return found
