"""What a case prints: where it ran, and a table of figures with targets and verdicts."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from bench.timing import Spread
from bench.turns import POOLS, allowed

LIBRARIES = ("wengert", "numpy", "scipy", "numba", "llvmlite", "torch", "jax", "jaxlib")


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
        f, unit = self.figure, f" {self.unit}".rstrip()
        target = "" if self.target is None else f"<= {self.target:g}{unit}"
        return self.what, f"{short(f.median)}{unit}", f"{short(f.low)} to {short(f.high)}", target, self.verdict


def short(x: float) -> str:
    """A number with two decimals, or two digits where they say more.

    >>> short(1234.5), short(0.0), short(0.00321)
    ('1234.50', '0.00', '0.0032')
    """
    return f"{x:.2f}" if abs(x) >= 0.1 or not x else f"{x:.2g}"


HEAD = ("what", "median", "quartiles", "target", "verdict")


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Cells in columns of equal width.

    >>> print(columns([("a", "b"), ("long", "c")]))
    a     b
    long  c
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def table(rows: Sequence[Row]) -> str:
    """Rows in columns of equal width."""
    return columns([HEAD, *(row.cells() for row in rows)])


def cores() -> int:
    """How many cores this process may use."""
    return len(allowed())


def place() -> str:
    """The software and the machine that the figures belong to."""
    return (
        f"Python {platform.python_version()}, NumPy {np.__version__}, {cores()} cores, "
        f"{platform.system()} {platform.machine()}"
    )


def load() -> str:
    """How many processes wanted a core in the last minute: figures of a busy machine are of little worth."""
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


def environment() -> dict[str, Any]:
    """Everything about the place and the moment that figures depend on, for a file."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": cores(),
        "cores of the machine": os.cpu_count(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in LIBRARIES if (found := installed(name))},
        "variables": {name: os.environ[name] for name in POOLS if name in os.environ},
    }


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def installed(name: str) -> str:
    """The version of a distribution, or nothing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def data(found: Any) -> dict[str, Any]:
    """A row or a result as JSON holds it, verdicts included."""
    values = asdict(found)
    rows = [found] if isinstance(found, Row) else found.rows
    parts = [values] if isinstance(found, Row) else values["rows"]
    for row, part in zip(rows, parts, strict=True):
        part["verdict"] = row.verdict
    return values
