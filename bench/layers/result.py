"""What follows from the times of many shapes, and how times are printed: a line for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import geometric_mean, median

from bench.kernels.case import COMPILED, JAX, OURS, TORCH
from bench.kernels.result import US, Result, ratio_to
from bench.layers.cases import GRID, SLOWEST
from bench.layers.layer import MODES
from bench.report import Row, columns, table
from bench.timing import spread


def together(results: Sequence[Result], mode: str) -> list[Row]:
    """The geometric mean over shapes of ours to PyTorch's, in each round, and the shape that comes off worst."""
    ratios = {r.case: ratio_to(r.seconds[OURS], r.seconds[TORCH]) for r in results if {OURS, TORCH} <= r.seconds.keys()}
    if not ratios:
        return []
    means = [geometric_mean(of_round) for of_round in zip(*ratios.values(), strict=True)]
    worst = max(ratios, key=lambda case: median(ratios[case]))
    what = f"Conv2d, {mode}: ours to torch"
    return [
        Row(f"{what}, geometric mean over {len(ratios)} shapes", spread(means), "times", GRID),
        Row(f"{what}, at worst ({worst.removesuffix(f': {mode}')})", spread(ratios[worst]), "times", SLOWEST),
    ]


def line(name: str, of_mode: dict[str, Result], labels: Sequence[str]) -> tuple[str, ...]:
    """A layer's line: microseconds of the libraries, and how many times as fast as torch ours is, for each way."""
    cells = [name]
    for mode in MODES:
        s = of_mode[mode].seconds if mode in of_mode else {}
        cells += [f"{median(s[label]) * US:.0f}" if label in s else "" for label in labels]
        cells += [f"{median(ratio_to(s[TORCH], s[OURS])):.2f}" if {OURS, TORCH} <= s.keys() else ""]
    return tuple(cells)


def show(results: Sequence[Result]) -> str:
    """The times, the promises, and what is to be noted."""
    timed = [r for r in results if r.seconds]
    labels = [OURS, TORCH, *(label for label in (COMPILED, JAX) if any(label in r.seconds for r in timed))]
    lines = []
    for name, ways in groupby(timed, key=lambda r: r.case.rpartition(": ")[0]):
        lines.append(line(name, {r.case.rpartition(": ")[2]: r for r in ways}, labels))
    others = (*labels[1:], "times as fast")
    head = ("microseconds", "forward: ours", *others, "and backward: ours", *others)
    rows = [row for r in results for row in r.rows]
    notes = dict.fromkeys(note for r in results for note in r.notes)
    parts = [columns([head, *lines])] if lines else []
    return "\n\n".join([*parts, *([table(rows)] if rows else []), *(["\n".join(notes)] if notes else [])])
