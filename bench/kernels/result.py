"""What was measured of a case, what follows from it for the promises, and how it is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.kernels.case import BEST, COLUMNS, COPY, OURS, PEERS, Case, Limit
from bench.report import Row, columns, table
from bench.timing import ratio, spread

US, MB, GB = 1e6, 1e-6, 1e-9


@dataclass(frozen=True)
class Result:
    """The seconds of every side in every round, and the rows that follow from them.

    Attributes:
        case: its name.
        rows: figures with their limits.
        notes: what is absent, failed or disagrees, and why.
        threads: of every side.
        bytes: that must be moved.
        seconds: by label.
    """

    case: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    threads: int = 0
    bytes: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)


def best(seconds: Mapping[str, Sequence[float]]) -> str:
    """The peer with the least median; nothing if there is no peer.

    >>> best({"ours": [1.0], "NumPy": [3.0, 5.0], "torch": [4.0, 2.0]})
    'torch'
    """
    return min((label for label in seconds if label in PEERS), key=lambda label: median(seconds[label]), default="")


def limited(limit: Limit, seconds: Mapping[str, Sequence[float]], case: str) -> Row | None:
    """The row of a promise; None where what it compares with is absent."""
    names = [best(seconds) if label == BEST else label for label in limit.to]
    if not {limit.of, *names} <= seconds.keys():
        return None
    together = [sum(parts) for parts in zip(*(seconds[name] for name in names), strict=True)]
    words = limit.words + (f" ({names[0]})" if limit.to == (BEST,) else "")
    return Row(f"{case}: {words}", ratio(seconds[limit.of], together), "times", limit.most)


def rows(case: Case, seconds: Mapping[str, Sequence[float]]) -> list[Row]:
    """Sides that have no column of their own, then the promises."""
    own = [label for label in seconds if label not in (*COLUMNS, COPY)]
    found = [Row(f"{case.name}: {label}", spread(seconds[label]) * US, "us") for label in own]
    return found + [row for limit in case.limits if (row := limited(limit, seconds, case.name))]


def line(result: Result, labels: Sequence[str]) -> tuple[str, ...]:
    """A case's line of the first table."""
    s = result.seconds
    middle = {label: median(s[label]) for label in s}
    taken = [f"{middle[label] * US:.1f}" if label in s else "" for label in labels]
    moved = ["", "", ""]
    if COPY in s:
        of_copy = median(ratio_to(s[COPY], s[OURS]))
        moved = [f"{result.bytes * MB:.1f}", f"{result.bytes / middle[OURS] * GB:.1f}", f"{of_copy:.2f}"]
    name = best(s)
    against = f"{median(ratio_to(s[OURS], s[name])):.2f}" if name else ""
    return result.case, str(result.threads), *taken, *moved, against, name


def ratio_to(of: Sequence[float], to: Sequence[float]) -> list[float]:
    """Round by round."""
    return [a / b for a, b in zip(of, to, strict=True)]


def show(results: Sequence[Result]) -> str:
    """The times of all sides, the promises, and what is to be noted."""
    timed = [r for r in results if r.seconds]
    labels = [label for label in COLUMNS if any(label in r.seconds for r in timed)]
    head = ("microseconds", "threads", *labels, "MB", "GB/s", "of copy", "to best", "best peer")
    parts = [columns([head, *(line(r, labels) for r in timed)])] if timed else []
    found = [row for r in results for row in r.rows]
    parts += [table(found)] if found else []
    notes = dict.fromkeys(note for r in results for note in r.notes)
    return "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])])
