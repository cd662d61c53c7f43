"""What a case prints: where it ran, and a table of figures with targets and verdicts."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.timing import Spread


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, the figure with its unit, and the most that it may be, if anything."""

    what: str
    figure: Spread
    unit: str
    target: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the median keeps the target.

        >>> Row("one add", Spread(1.3, 1.2, 1.4), "us", target=1.2).verdict
        'missed'
        """
        return "" if self.target is None else "kept" if self.figure.median <= self.target else "missed"

    def cells(self) -> tuple[str, ...]:
        """The line's text, cell by cell."""
        f, unit = self.figure, self.unit
        target = "" if self.target is None else f"<= {self.target:g} {unit}"
        return self.what, f"{f.median:.2f} {unit}", f"{f.low:.2f} to {f.high:.2f}", target, self.verdict


HEAD = ("what", "median", "quartiles", "target", "verdict")


def table(rows: Sequence[Row]) -> str:
    """Rows in columns of equal width."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def place() -> str:
    """The software and the machine that the figures belong to."""
    return (
        f"Python {platform.python_version()}, NumPy {np.__version__}, {cores()} cores, "
        f"{platform.system()} {platform.machine()}"
    )
