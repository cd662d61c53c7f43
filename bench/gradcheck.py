"""Planted mistakes as our gradient checker, PyTorch's and JAX's see them side by side; what checks cost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from time import perf_counter

import numpy as np

import autograd as ag
import nn
from bench.checkers import CHECKERS, OURS, Kind, beside, judged, kinds, named
from bench.report import Row, cores, table
from bench.steps.cases import WORKLOADS
from bench.steps.workload import Workload, ours
from bench.timing import Spread, interleaved, ratio, spread
from bench.turns import enough, fresh, turn

ABOUT = "which planted mistakes our gradient checker sees, and PyTorch's and JAX's; what a check costs"
EVERY = 1_000_000  # operations: more than there are
WATCHED = ("tiny", "mlp", "cnn", "transformer")
TURNS = 5  # of each side


def run(*, repeats: int = 1, most: int | None = None, peers: bool = True) -> list[Kind | Row]:
    """What each checker says, by kind, over the first `most` operations; judged once, whatever `repeats` says."""
    found = {OURS: judged(OURS, most)}
    for name in CHECKERS if peers else ():
        if name != OURS and find_spec(name) is not None:
            found[named(name)] = fresh(
                "bench.checkers", name, EVERY if most is None else most, threads=cores(), JAX_PLATFORMS="cpu"
            )
    seconds = [
        Row(f"{sum(of['total'].values())} judgements, {name}", exactly(of["seconds"]), "s")
        for name, of in found.items()
    ]
    return [*kinds(found), *seconds, *costs(repeats), *detective(repeats)]


def show(results: Sequence[Kind | Row]) -> str:
    """What was judged rightly, checker beside checker, and all rows."""
    judgements = [r for r in results if isinstance(r, Kind)]
    rows = [row for r in results for row in (r.rows if isinstance(r, Kind) else [r])]
    return "\n\n".join([*([beside(judgements)] if judgements else []), table(rows)])


def costs(repeats: int) -> list[Row]:
    """The seconds that checks of a network of 10,000 parameters take: every element, and random projections."""
    ag.random.seed(0)
    model = nn.Sequential(nn.Linear(40, 120), nn.Tanh(), nn.Linear(120, 40), nn.Sigmoid(), nn.Linear(40, 10))
    x = ag.tensor(np.random.default_rng(0).standard_normal((8, 40)))
    count = sum(p.size for p in model.parameters())
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(repeats + 1):
        for projected, seconds in times.items():
            start = perf_counter()
            if not nn.gradcheck(model, x, fast=projected):
                raise AssertionError("a right network was judged to be wrong")
            seconds.append(perf_counter() - start)
    full, fast = (spread(seconds[1:]) for seconds in times.values())  # without the first round, which loads kernels
    return [
        Row(f"{count} parameters and 80 results, every element", full, "s", 10.0),
        Row(f"{count} parameters and 80 results, fast", fast, "s", 0.1),
    ]


def detective(repeats: int) -> list[Row]:
    """What a training step takes under `ag.detect_anomaly`, to the same step without."""
    ag.set_num_threads(cores())
    works = {work.name: work for work in WORKLOADS}
    return [
        Row(f"{name}: a step under detect_anomaly, to one without", watched(works[name], repeats), "times", 1.5)
        for name in WATCHED
    ]


def watched(work: Workload, repeats: int) -> Spread:
    """That ratio for a workload, both in turns."""
    step = ours(work, False, None, *work.arrays(np.random.default_rng(0), (work.batch,)))

    def under() -> None:
        with ag.detect_anomaly():
            step()

    subjects = {name: partial(turn, f, enough(f)) for name, f in (("plain", step), ("under", under))}
    times = interleaved(subjects, TURNS * repeats)
    return ratio(times["under"], times["plain"])


def exactly(figure: float) -> Spread:
    """A figure that does not spread."""
    return Spread(figure, figure, figure)
