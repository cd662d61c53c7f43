"""The conditions in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from subprocess import CalledProcessError

from bench.conditions import bounds, neighbour, resident, start
from bench.conditions.stepping import WORK
from bench.kernels.case import COMPILED, JAX
from bench.kernels.measure import chosen, told
from bench.kernels.result import Result, show

ABOUT = "training steps at first, in memory, beside a neighbour, in threads, in a long row, and to their lower bound"
REPEATS, QUICK = 5, 1
ROUNDS = 3  # for each repeat, of what takes no fresh process for every figure

__all__ = ["ABOUT", "run", "show"]


def cases(repeats: int, quick: bool, peers: bool) -> dict[str, Callable[[], Result]]:
    """By name, what is measured: with `quick` fewer steps in the long row, and no first step of `torch.compile`."""
    rounds, steps = ROUNDS * repeats, resident.QUICK if quick else resident.STEPS
    first = (JAX,) if peers and quick else (COMPILED, JAX) if peers else ()
    found: dict[str, Callable[[], Result]] = {}
    found |= {f"first step, {name}": partial(start.starting, name, repeats, first) for name in WORK}
    found |= {f"memory, {name}": partial(resident.taking, name, repeats, peers) for name in WORK}
    found[f"busy neighbour, {neighbour.WORKLOAD}"] = partial(neighbour.disturbed, rounds, peers)
    found[f"two threads, {neighbour.WORKLOAD}"] = partial(neighbour.threaded, rounds)
    found[f"many steps, {resident.LOOP}"] = partial(resident.lasting, repeats, steps)
    return found | {f"bound, {name}": partial(bounds.bounded, name, rounds) for name in bounds.WORKLOADS}


def run(
    *, repeats: int | None = None, only: Sequence[str] = (), quick: bool = False, peers: bool = True
) -> list[Result]:
    """The results of the conditions whose names contain one of `only`."""
    found = cases(repeats or (QUICK if quick else REPEATS), quick, peers)
    return [measured(name, found[name]) for name in told(chosen(found, only))]


def measured(name: str, case: Callable[[], Result]) -> Result:
    """A condition's result; a process that fails takes no other with it."""
    try:
        return case()
    except (CalledProcessError, RuntimeError) as error:
        return Result(name, notes=[f"{name} failed: {error}"])
