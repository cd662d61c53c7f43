"""What can be said of repeated timings of one thing: the median with its interval, and what lies far from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import fmean, median, quantiles, stdev

import numpy as np
from scipy.special import bdtr

CONFIDENCE = 0.95
FENCE = 1.5  # interquartile ranges beyond the quartiles: further out a figure is called an outlier (Tukey 1977)


@dataclass(frozen=True)
class Interval:
    """A median, and two figures between which the true one lies with a confidence."""

    median: float
    low: float
    high: float
    confidence: float

    def __mul__(self, factor: float) -> Interval:
        return Interval(self.median * factor, self.low * factor, self.high * factor, self.confidence)


def cut(count: int, confidence: float = CONFIDENCE) -> int:
    """How many of the sorted figures lie outside of the interval on each side; -1 where there are too few figures.

    Of `count` independent figures the number below the true median is binomial, whatever they are drawn from, so that
    the (k + 1)-th smallest and the (k + 1)-th largest enclose it with probability 1 - 2 P(B <= k).

    >>> cut(5), cut(6), cut(30), cut(100), cut(100, 0.99)
    (-1, 0, 9, 39, 36)
    """
    outside = 2 * bdtr(np.arange(count // 2 + 1, dtype=float), count, 0.5)
    return int(np.searchsorted(outside, 1 - confidence, side="right")) - 1


def interval(figures: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The median with its interval by order statistics: no assumption about how the figures are distributed.

    With fewer figures than the confidence needs, the least and the largest stand for it, and the confidence is theirs.

    >>> interval([3.0, 1.0, 2.0, 9.0, 5.0, 4.0])
    Interval(median=3.5, low=1.0, high=9.0, confidence=0.95)
    >>> interval([3.0, 1.0, 2.0]).confidence
    0.75
    """
    ordered, k = sorted(figures), cut(len(figures), confidence)
    reached = confidence if k >= 0 else 1 - 2.0 ** (1 - len(ordered))
    return Interval(median(ordered), ordered[max(k, 0)], ordered[len(ordered) - 1 - max(k, 0)], reached)


def outliers(figures: Sequence[float]) -> tuple[int, int]:
    """How many figures lie below and above the fences, 1.5 interquartile ranges from the quartiles.

    >>> outliers([1.0, 1.1, 1.2, 1.3, 1.4, 9.0])
    (0, 1)
    """
    low, high = quartiles(figures)
    reach = FENCE * (high - low)
    return sum(x < low - reach for x in figures), sum(x > high + reach for x in figures)


def quartiles(figures: Sequence[float]) -> tuple[float, float]:
    """The first and the third.

    >>> quartiles([1.0, 2.0, 3.0, 4.0, 5.0])
    (2.0, 4.0)
    """
    if len(figures) == 1:
        return figures[0], figures[0]
    low, _, high = quantiles(figures, n=4, method="inclusive")
    return low, high


def moved(figures: Sequence[float], confidence: float = CONFIDENCE) -> float:
    """The median of the later half as a multiple of the earlier one's; nan where their intervals overlap.

    >>> moved([1.0, 1.1] * 10 + [2.0, 2.2] * 10), moved([1.0, 1.1] * 20)
    (2.0, nan)
    """
    half = len(figures) // 2
    if half < 6:
        return nan
    early, late = interval(figures[:half], confidence), interval(figures[half:], confidence)
    return late.median / early.median if late.low > early.high or late.high < early.low else nan


def summary(figures: Sequence[float], iterations: int = 1) -> dict[str, object]:
    """The figures as `pytest-benchmark` writes them to its files.

    >>> {k: v for k, v in summary([1.0, 2.0, 3.0]).items() if k in ("median", "rounds", "ops")}
    {'rounds': 3, 'median': 2.0, 'ops': 0.5}
    """
    low, high = quartiles(figures)
    below, above = outliers(figures)
    mean, spread = fmean(figures), stdev(figures) if len(figures) > 1 else 0.0
    return {
        "min": min(figures),
        "max": max(figures),
        "mean": mean,
        "stddev": spread,
        "rounds": len(figures),
        "median": median(figures),
        "iqr": high - low,
        "q1": low,
        "q3": high,
        "iqr_outliers": below + above,
        "stddev_outliers": sum(abs(x - mean) > spread for x in figures),
        "outliers": f"{sum(abs(x - mean) > spread for x in figures)};{below + above}",
        "ld15iqr": min(x for x in figures if x >= low - FENCE * (high - low)),
        "hd15iqr": max(x for x in figures if x <= high + FENCE * (high - low)),
        "ops": 1 / mean if mean else 0.0,
        "total": sum(figures) * iterations,
        "data": list(figures),
        "iterations": iterations,
    }
