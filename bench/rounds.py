"""Samples of several statements in one process: each round runs all of them, in an order that is drawn by lot."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from time import perf_counter

from bench.turns import Statement


@dataclass(frozen=True)
class Policy:
    """How much is run, and what counts.

    Attributes:
        seconds: that all rounds take together, about.
        warm: seconds for which each statement runs beforehand, uncounted; at least three calls.
        lasting: seconds that a sample lasts at least: quicker statements are called several times in it.
        least, most: rounds.
    """

    seconds: float = 1.0
    warm: float = 0.1
    lasting: float = 1e-3
    least: int = 25
    most: int = 1000

    def __str__(self) -> str:
        return (
            f"warm-up: {self.warm:g} s of calls, and 3 at least, are not counted; a sample is a run of calls that "
            f"lasts {self.lasting * 1e3:g} ms or more\n"
            "outliers: no sample is removed; figures are medians, with intervals by order statistics"
        )


@dataclass(frozen=True)
class Timings:
    """Seconds of one call, of each statement in each round; calls in a sample; calls that were not counted."""

    seconds: dict[str, list[float]]
    calls: dict[str, int]
    warm: dict[str, int]


def timed(statement: Statement, number: int) -> float:
    """Seconds that one of so many calls takes."""
    start = perf_counter()
    for _ in range(number):
        statement()
    return (perf_counter() - start) / number


def warmed(statement: Statement, policy: Policy) -> tuple[float, int]:
    """Run a statement until it is warm: the least seconds of a call, and how many calls there were."""
    count, least, end = 0, float("inf"), perf_counter() + policy.warm
    while count < 3 or perf_counter() < end:
        least = min(least, timed(statement, 1))
        count += 1
    return max(least, 1e-9), count


def sampled(
    statements: Mapping[str, Statement],
    policy: Policy,
    order: random.Random | None = None,
    *,
    alike: bool = False,
    before: Callable[[str], object] = len,
) -> Timings:
    """The timings of all statements, round by round.

    alike: samples of statements that take about as long have equally many calls, so that nothing tells them apart but
    what they do. before: is called with the name of a statement before each sample of it, and is not timed.

    The collector of reference cycles stays on, as it is in the programs that users run.

    >>> found = sampled({"a": list, "b": dict}, Policy(seconds=0.02, warm=0.001, least=5))
    >>> len(found.seconds["a"]) == len(found.seconds["b"]) >= 5
    True
    """
    order = random.Random(0) if order is None else order
    ready = {}
    for name, statement in statements.items():
        before(name)
        ready[name] = warmed(statement, policy)
    calls = {name: max(1, ceil(policy.lasting / least)) for name, (least, _) in ready.items()}
    if alike and max(calls.values()) < 2 * min(calls.values()):
        calls = dict.fromkeys(calls, max(calls.values()))
    names = list(statements)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    begin, count = perf_counter(), 0
    while count < policy.least or (count < policy.most and perf_counter() - begin < policy.seconds):
        order.shuffle(names)
        for name in names:
            before(name)
            seconds[name].append(timed(statements[name], calls[name]))
        count += 1
    return Timings(seconds, calls, {name: done for name, (_, done) in ready.items()})
