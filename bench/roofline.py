"""How near a kernel comes to what the machine can do: a roofline (Williams, Waterman and Patterson 2009)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.peaks import COPY, GEMM, TRIAD, Peak
from bench.sample import Interval, interval
from bench.work import Work

GIGA = 1e-9


@dataclass(frozen=True)
class Roofline:
    """Rates per second of a kernel and of the peaks that were measured in the same rounds.

    Attributes:
        rates: of copy and triad in bytes, of the matrix product in operations.
        words: the size of each of them.
        bytes: that the kernel moves in a second; None if it moves none.
        flops: operations that it does in a second; None where they were not counted.
        intensity: operations for each byte; None where either is missing.
        shares: of each peak's rate that the kernel reaches, round by round.
    """

    rates: dict[str, float]
    words: dict[str, str]
    bytes: float | None
    flops: float | None
    intensity: float | None
    shares: dict[str, Interval]

    @property
    def attainable(self) -> float | None:
        """Operations in a second that memory and processor allow at the kernel's intensity."""
        return None if self.intensity is None else min(self.rates[GEMM], self.intensity * self.rates[TRIAD])

    @property
    def bound(self) -> str:
        """Which of them is the limit."""
        if self.intensity is None:
            return ""
        return "memory" if self.intensity * self.rates[TRIAD] < self.rates[GEMM] else "arithmetic"

    def __str__(self) -> str:
        lines = [f"{name:6} {rate * GIGA:9.1f} {unit(name):8} {self.words[name]}" for name, rate in self.rates.items()]
        if self.bytes is not None:
            of = f"{percent(self.shares[COPY])} of copy, {percent(self.shares[TRIAD])} of triad"
            lines.append(f"{'call':6} {self.bytes * GIGA:9.1f} GB/s     {of}")
        if self.flops is not None:
            lines.append(f"{'':6} {self.flops * GIGA:9.1f} GFLOP/s  {percent(self.shares[GEMM])} of GEMM")
        if self.intensity is not None and self.attainable and self.flops is not None:
            lines.append(
                f"{self.intensity:.3g} FLOP/byte, bound by {self.bound}: at most {self.attainable * GIGA:.1f} GFLOP/s, "
                f"of which it reaches {self.flops / self.attainable:.0%}"
            )
        return "\n".join(lines)


def unit(peak: str) -> str:
    """What a peak's rate is counted in."""
    return "GFLOP/s" if peak == GEMM else "GB/s"


def percent(share: Interval) -> str:
    """A share with its interval.

    >>> percent(Interval(0.5, 0.4, 0.6, 0.95))
    '50% (40% to 60%)'
    """
    return f"{share.median:.0%} ({share.low:.0%} to {share.high:.0%})"


def roofline(work: Work, call: Sequence[float], peaks: Mapping[str, Peak], seconds: Mapping[str, Any]) -> Roofline:
    """The rates of calls that took so long, and of the peaks that took turns with them."""
    amount = {"B": work.bytes, "FLOP": work.flops}
    shares = {}
    for name, peak in peaks.items():
        own = amount[peak.unit]
        if own:
            pairs = zip(call, seconds[name], strict=True)
            shares[name] = interval([(own / mine) / (peak.amount / its) for mine, its in pairs])
    once = median(call)
    return Roofline(
        {name: peak.amount / median(seconds[name]) for name, peak in peaks.items()},
        {name: peak.words for name, peak in peaks.items()},
        work.bytes / once if work.bytes else None,
        work.flops / once if work.flops else None,
        work.intensity,
        shares,
    )


def picture(points: Mapping[str, Roofline], file: Path) -> None:
    """Draw the roof and each kernel below it, on two logarithmic axes."""
    plot = pyplot()
    figure, axes = plot.subplots(figsize=(7, 5))
    roof = next(iter(points.values()))
    marks = [(p.intensity, p.flops, name) for name, p in points.items() if p.intensity and p.flops]
    ridge = roof.rates[GEMM] / roof.rates[TRIAD]
    low = min([ridge / 64, *(x / 2 for x, _, _ in marks)])
    high = max([ridge * 16, *(x * 2 for x, _, _ in marks)])
    for name in (COPY, TRIAD):
        knee = roof.rates[GEMM] / roof.rates[name]
        ys = [low * roof.rates[name] * GIGA, roof.rates[GEMM] * GIGA]
        axes.plot([low, knee], ys, label=f"{name}, {roof.rates[name] * GIGA:.0f} GB/s")
    level = [roof.rates[GEMM] * GIGA] * 2
    axes.plot([ridge, high], level, color="black", label=f"GEMM, {roof.rates[GEMM] * GIGA:.0f} GFLOP/s")
    for x, y, name in marks:
        axes.plot([x], [y * GIGA], "o")
        axes.annotate(name, (x, y * GIGA), textcoords="offset points", xytext=(6, -10))
    axes.set(xscale="log", yscale="log", xlabel="FLOP/byte", ylabel="GFLOP/s")
    axes.grid(which="both", alpha=0.2)
    axes.legend()
    figure.savefig(file, dpi=120, bbox_inches="tight")
    plot.close(figure)


def pyplot() -> Any:
    """matplotlib's, without a screen."""
    try:
        importlib.import_module("matplotlib").use("Agg")
    except ImportError:
        raise ImportError("a picture needs matplotlib: pip install wengert[plot]") from None
    return importlib.import_module("matplotlib.pyplot")
