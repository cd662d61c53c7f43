"""What follows from stored figures: who is faster at what, which promises are kept, what else was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median
from typing import Any

from bench.report import Row
from bench.reports.suites import Stored
from bench.timing import Spread, ratio

OURS = ("ours", "ours, compiled")  # the faster of the two is compared with the fastest of the peers
PEERS = (
    *("NumPy", "torch", "torch default", "torch.compile", "jax.jit"),
    *("HIPS autograd", "MyGrad", "PyTensor", "tinygrad"),
)
TO = ": ours to "


@dataclass(frozen=True)
class Comparison:
    """One piece of work, ours beside the fastest of its peers.

    Attributes:
        what: was done. peer: the fastest one.
        ratio: of our time (or bytes) to its, round by round.
        medians: seconds by label, of all sides; none where only the ratio was stored.
    """

    what: str
    peer: str
    ratio: Spread
    medians: dict[str, float]

    @property
    def won(self) -> bool:
        """Whether ours takes no more than the peer."""
        return self.ratio.median <= 1


def compared(result: Stored) -> Comparison | None:
    """The faster of ours to the fastest peer in a result; None if one of the two is absent."""
    seconds: dict[str, list[float]] = {label: s for label, s in result.get("seconds", {}).items() if s}
    middle = {label: median(s) for label, s in seconds.items()}
    ours, peer = (
        min((label for label in labels if label in middle), key=middle.__getitem__, default="")
        for labels in (OURS, PEERS)
    )
    if not ours or not peer:
        return None
    rounds = min(len(seconds[ours]), len(seconds[peer]))
    return Comparison(result["case"], peer, ratio(seconds[ours][:rounds], seconds[peer][:rounds]), middle)


def comparisons(suite: Stored) -> list[Comparison]:
    """Of all its results; where a result has no times, those of its rows that are ratios of ours to a peer."""
    found = []
    for result in suite["results"]:
        if one := compared(result):
            found.append(one)
        elif not result.get("seconds"):
            for row in rows_of(result):
                what, to, peer = row.what.rpartition(TO)
                if to and peer in PEERS and row.unit == "times":
                    found.append(Comparison(what, peer, row.figure, {}))
    return found


def rows_of(result: Stored) -> list[Row]:
    """The rows of a result, which may be one itself."""
    parts: list[Stored] = [result] if "what" in result else result.get("rows", [])
    return [Row(p["what"], Spread(**p["figure"]), p["unit"], p["target"]) for p in parts]


def rows(suite: Stored) -> list[Row]:
    """Of all results."""
    return [row for result in suite["results"] for row in rows_of(result)]


def promises(suite: Stored) -> list[Row]:
    """The rows that have a target."""
    return [row for row in rows(suite) if row.target is not None]


def others(suite: Stored) -> list[Row]:
    """The rows that have none."""
    return [row for row in rows(suite) if row.target is None]


def notes(suite: Stored) -> list[str]:
    """What was absent, failed or stopped."""
    return list(dict.fromkeys(note for result in suite["results"] for note in result.get("notes", ())))


@dataclass(frozen=True)
class Summary:
    """A suite in one line.

    Attributes:
        case: its name. compared: pieces of work. faster: those in which ours takes no more than the fastest peer.
        mean: the geometric mean of the ratios. best, worst: the extreme comparisons.
        kept, promised: targets.
        failed: it has no figures.
    """

    case: str
    compared: int
    faster: int
    mean: float | None
    best: Comparison | None
    worst: Comparison | None
    kept: int
    promised: int
    failed: bool


def summary(suite: Stored) -> Summary:
    """Of one suite."""
    found = comparisons(suite)
    wanted = promises(suite)
    ordered = sorted(found, key=lambda c: c.ratio.median)
    return Summary(
        suite["case"],
        len(found),
        sum(c.won for c in found),
        geometric_mean([c.ratio.median for c in found]) if found else None,
        ordered[0] if ordered else None,
        ordered[-1] if ordered else None,
        sum(row.verdict == "kept" for row in wanted),
        len(wanted),
        "error" in suite,
    )


def curves(suite: Stored) -> Iterator[tuple[str, dict[str, list[tuple[float, float]]]]]:
    """Of a suite that measures growth: by topic, and by label, sizes and median seconds."""
    points = [r for r in suite["results"] if r.get("topic") and r.get("size")]
    for topic in dict.fromkeys(p["topic"] for p in points):
        found: dict[str, list[tuple[float, float]]] = {}
        for p in points:
            for label, seconds in p["seconds"].items() if p["topic"] == topic else ():
                found.setdefault(label, []).append((p["size"], median(seconds)))
        yield topic, found


def rounded(value: Any, digits: int = 5) -> Any:
    """Stored figures with fewer digits.

    >>> rounded({"seconds": [0.123456789, 3]})
    {'seconds': [0.12346, 3]}
    """
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {key: rounded(x, digits) for key, x in value.items()}
    return [rounded(x, digits) for x in value] if isinstance(value, list) else value


def labels(found: Sequence[Comparison]) -> list[str]:
    """Of all sides that have times: ours first, then the peers in their order, then the others."""
    there = dict.fromkeys(label for c in found for label in c.medians)
    known = [label for label in (*OURS, *PEERS) if label in there]
    return known + [label for label in there if label not in known]
