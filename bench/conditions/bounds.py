"""A step beside the time that its matrix products and its other bytes need by themselves."""

from __future__ import annotations

from typing import Any

from bench.kernels.result import MB, Result
from bench.report import Row, cores
from bench.timing import ratio, spread
from bench.turns import fresh

FLOOR = "bench.conditions.processes.floor"
WORKLOADS = ("mlp", "transformer", "logistic")
MOST = 1.3  # times
US = 1e6


def bounded(name: str, repeats: int) -> Result:
    """A workload's step, its products and a copy, which take turns in one process."""
    return Result(f"bound, {name}", rows_of(name, fresh(FLOOR, name, repeats, threads=cores())), threads=cores())


def rows_of(name: str, found: dict[str, Any]) -> list[Row]:
    """The three times, and the step's to the sum of the others'."""
    seconds = found["seconds"]
    step, products, copy = (seconds[label] for label in ("step", "products", "copy"))
    work = f"{found['products']} matrix products, {found['multiply-adds'] / 1e6:.1f}M multiply-adds"
    rows = [Row(f"{name}: a step", spread(step) * US, "us")]
    rows += [Row(f"{name}: its {work}", spread(products) * US, "us")] if found["products"] else []
    rows += [Row(f"{name}: a copy of its other {found['bytes'] * MB:.1f} MB", spread(copy) * US, "us")]
    together = [a + b for a, b in zip(products, copy, strict=True)]
    return [*rows, Row(f"{name}: a step to products and copy together", ratio(step, together), "times", MOST)]
