"""How figures and places are written, in both pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.report import Row
from bench.reports.findings import Comparison, Summary
from bench.reports.suites import Stored

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
BUSY = 0.4  # processes that want a core, for each core
HEAD = ("suite", "compared", "faster", "slower", "ours to the best peer", "at best", "at worst", "promises kept")


def time(seconds: float) -> str:
    """Seconds in the unit that suits them.

    >>> time(0.00012), time(2.5), time(3e-8)
    ('120 us', '2.50 s', '0.03 us')
    """
    factor, unit = next((u for u in UNITS if seconds >= u[0]), UNITS[-1])
    x = seconds / factor
    return f"{x:.0f} {unit}" if x >= 100 else f"{x:.1f} {unit}" if x >= 10 else f"{x:.2f} {unit}"


def times(x: float) -> str:
    """A ratio.

    >>> times(0.0213), times(1.2), times(14.04)
    ('0.021', '1.20', '14.0')
    """
    return f"{x:.2g}" if x < 0.1 else f"{x:.2f}" if x < 10 else f"{x:.1f}"


def verdict(c: Comparison) -> str:
    """Who takes less."""
    return "faster" if c.won else "slower"


def extreme(c: Comparison | None) -> str:
    """A comparison in a cell."""
    return "" if c is None else f"{times(c.ratio.median)} ({c.what}, {c.peer})"


def summary_cells(s: Summary) -> tuple[str, ...]:
    """A suite's line under HEAD."""
    if s.failed:
        return s.case, "failed", *[""] * (len(HEAD) - 2)
    kept = f"{s.kept} of {s.promised}" if s.promised else ""
    if s.mean is None:
        return s.case, *[""] * (len(HEAD) - 2), kept
    slower = str(s.compared - s.faster)
    return s.case, str(s.compared), str(s.faster), slower, times(s.mean), extreme(s.best), extreme(s.worst), kept


def row_cells(row: Row) -> tuple[str, ...]:
    """A figure's line: what, median, quartiles, target, verdict."""
    what, figure, between, target, said = row.cells()
    return what, figure, between, target, said


def comparison_cells(c: Comparison, labels: list[str]) -> tuple[str, ...]:
    """A comparison's line: what, the time of each side, the best peer, ours to it, who is faster."""
    cells = [time(c.medians[label]) if label in c.medians else "" for label in labels]
    spread = f"{times(c.ratio.median)} ({times(c.ratio.low)} to {times(c.ratio.high)})"
    return c.what, *cells, c.peer, spread, verdict(c)


def machine(where: dict[str, Any]) -> str:
    """The place that figures belong to, in a line."""
    load = where.get("load")
    return ", ".join(
        [
            str(where.get("processor", "unknown processor")),
            f"{where.get('cores')} cores",
            str(where.get("system", "")),
            f"load {load[0]:.1f}" if load else "load unknown",
        ]
    )


def busy(suites: Sequence[Stored]) -> str:
    """A warning if the machine was busy before the first suite; later ones find the load that earlier ones made."""
    where = suites[0]["environment"] if suites else {}
    load = (where.get("load") or [0.0])[0]
    if load <= BUSY * where.get("cores", 1):
        return ""
    return f"The machine was busy before this began (load {load:.1f} on {where['cores']} cores): trust none of it."


def versions(where: dict[str, Any]) -> str:
    """Of Python and the libraries."""
    return ", ".join([f"Python {where.get('python')}", *(f"{k} {v}" for k, v in where.get("versions", {}).items())])


def when(suite: Stored) -> str:
    """Date and duration of a suite."""
    took = f", {suite['seconds']:.0f} s" if "seconds" in suite else ""
    return f"{suite['environment'].get('date', 'date unknown')}{took}"


def command(suite: Stored) -> str:
    """What was run."""
    return str(suite.get("command", f"python -m bench {suite['case']}"))
