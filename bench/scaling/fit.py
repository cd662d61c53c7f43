"""How cost grows, in one number: the exponent of a power law, or the factor for each further order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.timing import Spread


@dataclass(frozen=True)
class Fit:
    """cost = factor * size ** exponent, by least squares on logarithms.

    Attributes:
        exponent: with `error`, its standard error; 0 for two points, which leave none.
        factor: the cost at size 1.
        sizes: the least and the greatest that took part.
        points: how many did.
    """

    exponent: float
    error: float
    factor: float
    sizes: tuple[float, float]
    points: int

    @property
    def spread(self) -> Spread:
        """The exponent, and two standard errors on both sides."""
        return Spread(self.exponent, self.exponent - 2 * self.error, self.exponent + 2 * self.error)


def line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float, float]:
    """Slope, intercept and the slope's standard error, by least squares.

    >>> line([0, 1, 2], [1, 3, 5])
    (2.0, 1.0, 0.0)
    """
    n = len(xs)
    x, y = sum(xs) / n, sum(ys) / n
    width = sum((a - x) ** 2 for a in xs)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / width
    left = sum((b - y - slope * (a - x)) ** 2 for a, b in zip(xs, ys, strict=True))
    return slope, y - slope * x, math.sqrt(left / (n - 2) / width) if n > 2 else 0.0


def fitted(sizes: Sequence[float], costs: Sequence[float], start: float = 0) -> Fit | None:
    """The power law of the sizes from `start` on; None if there are not two of them whose cost is above zero.

    >>> fit = fitted([1, 10, 100, 1000], [50, 20, 200, 2000], start=10)
    >>> round(fit.exponent, 3), round(fit.factor, 3), fit.sizes
    (1.0, 2.0, (10, 1000))
    """
    pairs = [(n, cost) for n, cost in zip(sizes, costs, strict=True) if n >= start and cost > 0]
    if len({n for n, _ in pairs}) < 2:
        return None
    slope, at, error = line([math.log(n) for n, _ in pairs], [math.log(cost) for _, cost in pairs])
    taken = [n for n, _ in pairs]
    return Fit(slope, error, math.exp(at), (min(taken), max(taken)), len(pairs))


def each_more(orders: Sequence[float], costs: Sequence[float]) -> Spread | None:
    """By how much each further order multiplies the cost, with two standard errors; None for less than two orders.

    >>> each_more([1, 2, 3], [5.0, 10.0, 20.0]).median
    2.0
    """
    if len(orders) < 2:
        return None
    slope, _, error = line(orders, [math.log(cost) for cost in costs])
    return Spread(*(round(math.exp(slope + k * error), 12) for k in (0, -2, 2)))
