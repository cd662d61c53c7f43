"""Memory: what steps take beside PyTorch's, and what a long loop leaves behind."""

from __future__ import annotations

from bench.kernels.libraries import missing
from bench.kernels.result import Result
from bench.memory import KINDS, LEAST, MB
from bench.report import Row, cores
from bench.timing import ratio, spread
from bench.turns import fresh

TRAIN, MANY = "bench.training.workloads", "bench.conditions.processes.many"
MOST = 1.0  # times PyTorch's
LOOP, STEPS, QUICK = "tiny", 100_000, 20_000
SETTLED = 1000  # steps, as in `processes.many`
SECONDS, GROWTH = 1.0, 1.0  # for STEPS; in MB
STATED = (
    "memory: steps on two samples come first, in which states are made and ours is compiled for two; what raises "
    f"PyTorch's by less than {LEAST * MB:g} MB is not compared."
)


def taking(name: str, repeats: int, peers: bool) -> Result:
    """A workload's steps, compiled, beside PyTorch's as it comes."""
    reasons = {"ours": "", "torch": missing("torch") if peers else "not asked for"}
    notes = [STATED, *(f"{label} is absent: {reason}." for label, reason in reasons.items() if reason)]
    fresh(TRAIN, "ours", name, threads=cores())  # compiles what is not on the disk yet
    found: dict[str, list[dict[str, float]]] = {label: [] for label, reason in reasons.items() if not reason}
    for _ in range(repeats):
        for label, runs in found.items():
            runs.append(fresh(TRAIN, label, name, threads=cores()))
    return Result(f"memory, {name}", rows_of(name, found), notes, cores())


def rows_of(name: str, found: dict[str, list[dict[str, float]]]) -> list[Row]:
    """What each library takes, and ours to PyTorch's where that is more than some pages."""
    rows = []
    for kind, words in KINDS.items():
        bytes_ = {label: [run[kind] for run in runs] for label, runs in found.items()}
        rows += [Row(f"{name}: {words}: {label}", spread(taken) * MB, "MB") for label, taken in bytes_.items()]
        if "torch" in bytes_ and min(bytes_["torch"]) >= LEAST:
            figure = ratio(bytes_["ours"], bytes_["torch"])
            rows.append(Row(f"{name}: {words}: ours to torch", figure, "times", MOST))
    return rows


def lasting(repeats: int, steps: int) -> Result:
    """Many steps in one loop; for fewer than STEPS the time is scaled up to them, and what may grow is scaled down."""
    runs = [fresh(MANY, LOOP, steps, threads=cores()) for _ in range(repeats)]
    scale, part = STEPS / steps, (steps - SETTLED) / (STEPS - SETTLED)
    said = f", {scale:g} times {steps:,}" if steps != STEPS else ""
    rows = [
        Row(f"{LOOP}: {STEPS:,} steps{said}", spread([scale * run["seconds"] for run in runs]), "s", SECONDS),
        Row(
            f"{LOOP}: resident memory from step {SETTLED:,} to {steps:,}",
            spread([run["growth"] for run in runs]) * MB,
            "MB",
            GROWTH * part,
        ),
    ]
    return Result("many steps", rows, threads=cores())
