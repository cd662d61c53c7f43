"""Times of several subjects taken in turn, and what can be said of them.

A machine's speed drifts by more than what is looked for here. Subjects are therefore timed one after another, again and
again, and are compared within each round; the median of the rounds stands for all.
"""

from __future__ import annotations

import gc
import timeit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

Subject = Callable[[], float]  # runs once, gives seconds


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles on its two sides."""

    median: float
    low: float
    high: float

    def __mul__(self, factor: float) -> Spread:
        return Spread(self.median * factor, self.low * factor, self.high * factor)


def spread(figures: Sequence[float]) -> Spread:
    """The median and quartiles of one or more figures.

    >>> spread([3.0, 1.0, 2.0, 100.0, 4.0])
    Spread(median=3.0, low=2.0, high=4.0)
    """
    if len(figures) == 1:
        return Spread(figures[0], figures[0], figures[0])
    low, _, high = quantiles(figures, n=4, method="inclusive")
    return Spread(median(figures), low, high)


def difference(of: Sequence[float], to: Sequence[float]) -> Spread:
    """How much more the one takes than the other, round by round.

    >>> difference([5.0, 15.0, 25.0], [2.0, 12.0, 22.0]).median
    3.0
    """
    return spread([a - b for a, b in zip(of, to, strict=True)])


def ratio(of: Sequence[float], to: Sequence[float]) -> Spread:
    """How many times as long the one takes as the other, round by round.

    >>> ratio([2.0, 20.0, 200.0], [1.0, 10.0, 100.0]).median
    2.0
    """
    return spread([a / b for a, b in zip(of, to, strict=True)])


def interleaved(subjects: Mapping[str, Subject], repeats: int) -> dict[str, list[float]]:
    """The figures of every subject over `repeats` rounds, after one round that is not counted.

    Every other round runs in reverse order, so that no subject always follows the same one.
    """
    names = list(subjects)
    found: dict[str, list[float]] = {name: [] for name in names}
    for k in range(-1, repeats):
        for name in names if k % 2 else reversed(names):
            seconds = subjects[name]()
            if k >= 0:
                found[name].append(seconds)
    return found


def seconds_per(statement: str, *, setup: str = "pass", number: int = 1, counts: int = 1, **names: Any) -> Subject:
    """A subject: the statement `number` times over, in seconds for each of the `counts` things that it does once.

    The collector of reference cycles stays on, as it is in the programs that users run.
    """
    timer = timeit.Timer(statement, f"gc.enable(); {setup}", globals={"gc": gc, **names})
    return lambda: timer.timeit(number) / (number * counts)
