"""The resident size of training steps: a fresh process for each library, each model and each round.

And of steps with a budget of memory: how well the peak was foreseen, and what was computed again for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.kernels.libraries import missing
from bench.kernels.measure import chosen, told
from bench.kernels.result import Result, show
from bench.report import Row, cores
from bench.timing import ratio, spread
from bench.training.fitted import PARTS
from bench.training.models import MODELS
from bench.turns import fresh

ABOUT = "peak memory of training the examples' models, beside PyTorch"
RESIDENT = "bench.training.resident"
FITTED = "bench.training.fitted"
BUDGETS = {f"{model} in {part:.0%}": (model, part) for model, part in PARTS.items()}
OFF = 0.05  # of what is measured, by which the peak that was foreseen may differ
TARGET = 1.2  # times PyTorch's
MB = 1e-6
LEAST = 1 / MB  # bytes: below this it is pages that happen to be free that decide
KINDS = {"peak": "peak resident size", "raised": "raised by the steps"}
__all__ = ["ABOUT", "run", "show"]


def run(*, repeats: int = 3, only: Sequence[str] = (), peers: bool = True) -> list[Result]:
    """The results of the models whose names contain one of `only`."""
    reasons = {"ours": "", "torch": missing("torch") if peers else "not asked for"}
    notes = [f"{name} is absent: {reason}." for name, reason in reasons.items() if reason]
    results = []
    for model in told(chosen(MODELS, only)):
        fresh(RESIDENT, "ours", model, threads=cores())  # compiles what is not on the disk yet
        found: dict[str, list[dict[str, float]]] = {name: [] for name, reason in reasons.items() if not reason}
        for _ in range(repeats):
            for name, runs in found.items():
                runs.append(fresh(RESIDENT, name, model, threads=cores()))
        results.append(Result(model, rows_of(model, found), notes, cores()))
    return results + [budget_of(name, repeats) for name in told(chosen(BUDGETS, only))]


def budget_of(name: str, repeats: int) -> Result:
    """A model within a part of the memory that it takes if everything is kept."""
    # arrays of their own pages: memory that is gone does not come back for the next ones unseen
    settings = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    runs = [fresh(FITTED, *BUDGETS[name], threads=cores(), **settings) for _ in range(repeats)]
    rows = [Row(f"{name}: {kind}", spread([run[kind] for run in runs]) * MB, "MB") for kind in ("kept", "peak")]
    if all(run["measured"] for run in runs):
        rows.append(Row(f"{name}: measured", spread([run["measured"] for run in runs]) * MB, "MB"))
        off = spread([abs(run["peak"] / run["measured"] - 1) for run in runs])
        rows.append(Row(f"{name}: foreseen, off by a part of", off, "", OFF))
    return Result(name, rows, [f"{runs[0]['recomputed']} steps are computed again."], cores())


def rows_of(model: str, found: dict[str, list[dict[str, float]]]) -> list[Row]:
    """What each library takes, and ours to PyTorch's where both are there and it is more than some pages."""
    rows = []
    for kind, words in KINDS.items():
        bytes_ = {name: [run[kind] for run in runs] for name, runs in found.items()}
        rows += [Row(f"{model}, {words}: {name}", spread(taken) * MB, "MB") for name, taken in bytes_.items()]
        if "torch" in bytes_ and min(bytes_["torch"]) >= LEAST:
            figure = ratio(bytes_["ours"], bytes_["torch"])
            rows.append(Row(f"{model}, {words}: ours to torch", figure, "times", TARGET))
    return rows
