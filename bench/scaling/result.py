"""What was measured at each size, the laws that follow, and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.report import Row, columns, short, table
from bench.scaling.fit import each_more, fitted
from bench.scaling.topics import LINEAR, Topic
from bench.timing import Spread

OURS = "ours"
US = 1e6


@dataclass(frozen=True)
class Point:
    """One size of a topic.

    Attributes:
        case: topic and size in words. topic: its name. size: a number.
        rows: nothing at a size; the laws, at the point that stands for a whole topic, which has size 0.
        notes: what failed or stopped, and why.
        threads: of every side.
        seconds: of all phases together, in every round, by label.
        phases: medians by label and phase.
        made: seconds that building and compiling took before the first run, by label.
        held: bytes that the first phase left, by label.
    """

    case: str
    topic: str
    size: int = 0
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    threads: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    phases: dict[str, dict[str, float]] = field(default_factory=dict)
    made: dict[str, float] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)


def curves(topic: Topic, points: Sequence[Point]) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """By label and phase ("bytes held" for memory, "" for all together): sizes and costs."""
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for p in points:
        for label, runs in p.seconds.items():
            held = {"bytes held": float(p.held[label])} if label in p.held else {}
            costs = p.phases[label] | held if topic.parts else {"": median(runs)}
            for phase, cost in costs.items():
                found.setdefault((label, phase), []).append((p.size, cost))
    return found


def promised(topic: Topic, label: str) -> float | None:
    """The greatest exponent that a side may have."""
    return LINEAR if topic.linear and label == OURS else None


def laws(topic: Topic, points: Sequence[Point]) -> list[Row]:
    """The exponents of all sides and phases, or the factors for each further order."""
    rows = []
    for (label, phase), curve in curves(topic, points).items():
        sizes, costs = [n for n, _ in curve], [cost for _, cost in curve]
        if topic.orders:
            factor = each_more(sizes, costs)
            rows += [Row(f"{topic.name}: {label}, each further order", factor, "times")] if factor else []
        elif fit := fitted(sizes, costs, topic.start):
            named = ", ".join(filter(None, (label, phase)))
            what = f"{topic.name}: {named}, exponent from {fit.sizes[0]:,} to {fit.sizes[1]:,}"
            rows.append(Row(what, fit.spread, "", promised(topic, label)))
    return rows


def speedups(name: str, points: Sequence[Point]) -> list[Row]:
    """How many times as fast each side is with the most threads as with one."""
    first, last = points[0], points[-1]
    rows = []
    for label in first.seconds.keys() & last.seconds.keys() if first is not last else ():
        factor = Spread(*(median(first.seconds[label]) / median(last.seconds[label]) for _ in range(3)))
        rows.append(Row(f"{name}: {label}, {last.size} threads to {first.size}, times as fast", factor, "times"))
    return sorted(rows, key=lambda row: row.what)


def lines(points: Sequence[Point]) -> list[tuple[str, ...]]:
    """A line for each size, a column for each side."""
    labels = list(dict.fromkeys(label for p in points for label in p.seconds))
    head = ("microseconds", *labels)
    return [head, *((p.case, *(figure(p, label) for label in labels)) for p in points)]


def figure(point: Point, label: str) -> str:
    """The median in microseconds, and the time of making it first where that is more."""
    if label not in point.seconds:
        return ""
    run, made = median(point.seconds[label]), point.made.get(label, 0.0)
    return short(run * US) + (f" (made in {made:.1f} s)" if made > max(1.0, run) else "")


def show(points: Sequence[Point]) -> str:
    """For each topic its times, then all laws, then what is to be noted."""
    parts = []
    for topic in dict.fromkeys(p.topic for p in points):
        sized = [p for p in points if p.topic == topic and p.seconds]
        parts += [columns(lines(sized))] if sized else []
    rows = [row for p in points for row in p.rows]
    notes = dict.fromkeys(note for p in points for note in p.notes)
    return "\n\n".join([*parts, *([table(rows)] if rows else []), *(["\n".join(notes)] if notes else [])])
