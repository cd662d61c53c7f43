"""Measurements in files: the layout of pytest-benchmark, with what it has no place for in `extra_info`."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.instrument import CALL, Measured
from bench.peaks import GEMM
from bench.sample import interval, summary
from bench.verdict import CONFIDENCE, FASTER, NONE, SLOWER

VERSION = "5.0.0"  # of the layout
TOLERANCE = 0.1  # by which a run of another day may be slower: machines differ more from day to day than within a run


def document(found: Sequence[Measured]) -> dict[str, Any]:
    """Everything about some measurements, as JSON holds it."""
    where = found[0].environment if found else {}
    return {
        "machine_info": {
            "processor": where.get("processor", ""),
            "machine": platform.machine(),
            "system": platform.system(),
            "release": platform.release(),
            "python_version": platform.python_version(),
            "python_implementation": platform.python_implementation(),
            "cpu": {"brand_raw": where.get("processor", ""), "count": where.get("cores of the machine")},
            "environment": where,
        },
        "commit_info": {},
        "benchmarks": [benchmark(one) for one in found],
        "datetime": where.get("date", ""),
        "version": VERSION,
    }


def benchmark(one: Measured) -> dict[str, Any]:
    """One of them."""
    roof, work = one.roof, one.work
    return {
        "group": None,
        "name": one.name,
        "fullname": one.target or one.name,
        "params": None,
        "param": None,
        "extra_info": {
            "kind": one.kind,
            "arguments": one.arguments,
            "checked": one.checked,
            "ulp": None if one.error is None else one.error.ulp,
            "parts": {name: asdict(part) for name, part in one.parts.items()},
            "work": asdict(work),
            "rates": roof.rates,
            "words": roof.words,
            "shares": {name: asdict(share) for name, share in roof.shares.items()},
            "instructions": one.instructions,
            "notes": one.notes,
        },
        "options": {
            "warmup": one.policy.warm,
            "min_time": one.policy.lasting,
            "min_rounds": one.policy.least,
            "timer": "perf_counter",
        },
        "stats": summary(one.timings.seconds[CALL], one.timings.calls[CALL]),
    }


def write(found: dict[str, Any], file: Path) -> None:
    """Write a document."""
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def read(file: Path) -> dict[str, Any]:
    """A document, of ours or of pytest-benchmark. Raises ValueError if it is neither."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:  # neither JSON nor text
        found = None
    listed = found.get("benchmarks") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(listed, list) or not all(map(_whole, listed)):
        raise ValueError(f"{file} holds no benchmarks. Expected a file of --save, or of pytest-benchmark.")
    return found


def _whole(one: Any) -> bool:
    """Whether this is a measurement that another can be compared with."""
    stats = one.get("stats") if isinstance(one, dict) else None
    if not isinstance(stats, dict) or "fullname" not in one:
        return False
    times = stats.get("data") or [stats.get(name) for name in ("median", "q1", "q3")]
    return isinstance(times, list) and all(isinstance(t, (int, float)) and t > 0 for t in times)


@dataclass(frozen=True)
class Change:
    """One measurement against an earlier one.

    Attributes:
        name: of the function. word: faster, slower or no difference.
        ratio, low, high: of the times, with the least and the most that their intervals allow.
        machine: how many times as long the slowest of copy, triad and GEMM took as then; 1 where that is not known.
        instructions: the ratio of instructions; 0 where either count is missing.
    """

    name: str
    word: str
    ratio: float
    low: float
    high: float
    machine: float
    instructions: float

    def __str__(self) -> str:
        parts = [f"{self.name}: {self.word}: {self.ratio:.3f} times the time ({self.low:.3f} to {self.high:.3f})"]
        if self.machine != 1:
            parts.append(f"the machine itself takes up to {self.machine:.2f} times as long as then")
        if self.instructions:
            parts.append(f"{self.instructions:.4f} times the instructions")
        return ", ".join(parts)


def against(now: dict[str, Any], then: dict[str, Any], tolerance: float = TOLERANCE) -> list[Change]:
    """The changes of all that both documents hold, by full name and arguments.

    Slower is what takes longer by more than the tolerance, however the intervals of both medians are read, and still
    does if all of the machine is as much slower as the worst of its peaks; or what runs more instructions.
    """
    earlier = {_key(one): one for one in then["benchmarks"]}
    pairs = [(one, earlier[_key(one)]) for one in now["benchmarks"] if _key(one) in earlier]
    return [change(one, other, tolerance) for one, other in pairs]


def change(now: dict[str, Any], then: dict[str, Any], tolerance: float = TOLERANCE) -> Change:
    """One of them."""
    (middle, low, high), (before, least, most) = _spread(now["stats"]), _spread(then["stats"])
    best, machine = _machine(now, then)
    counts = [one.get("extra_info", {}).get("instructions", {}) for one in (now, then)]
    counted = counts[0].get("by") == counts[1].get("by") and all(c.get("count") for c in counts)
    more = counts[0]["count"] / counts[1]["count"] if counted else 0.0
    word = NONE
    if low / most > 1 and middle / before > (1 + tolerance) * max(machine, 1.0):
        word = SLOWER
    elif high / least < 1 and middle / before < 1 / (1 + tolerance) * min(best, 1.0):
        word = FASTER
    word = SLOWER if more > 1 + tolerance else word
    return Change(now["name"], word, middle / before, low / most, high / least, machine, more)


def _key(one: dict[str, Any]) -> tuple[str, str]:
    return one["fullname"], one.get("extra_info", {}).get("arguments", "")


def _spread(stats: dict[str, Any]) -> tuple[float, float, float]:
    """Median, low and high: of the samples, or of the quartiles where a file has none."""
    if not stats.get("data"):
        return stats["median"], stats["q1"], stats["q3"]
    found = interval(stats["data"], CONFIDENCE)
    return found.median, found.low, found.high


def _machine(now: dict[str, Any], then: dict[str, Any]) -> tuple[float, float]:
    """How many times as long the best and the worst of the peaks take; 1 where the two were not measured alike."""
    a, b = (one.get("extra_info", {}) for one in (now, then))
    if not a.get("rates") or a.get("words") != b.get("words") or GEMM not in a["rates"]:
        return 1.0, 1.0
    longer = [b["rates"][name] / rate for name, rate in a["rates"].items()]
    return min(longer), max(longer)
