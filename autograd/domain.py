"""Where an operation is defined and smooth: the inputs on which its record is tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]


class Domain(Protocol):
    """A set of values that random test inputs are drawn from."""

    def sample(self, rng: np.random.Generator, shape: Shape) -> NDArray[Any]:
        """An array of `shape`, drawn from the set."""


@dataclass(frozen=True)
class Interval:
    """Reals in [low, high], at least `margin` away from each point to `avoid` (kinks, poles)."""

    low: float
    high: float
    avoid: tuple[float, ...] = ()
    margin: float = 0.05

    def sample(self, rng: np.random.Generator, shape: Shape) -> NDArray[Any]:
        """float64 values of `shape`."""
        x = rng.uniform(self.low, self.high, shape)
        for point in self.avoid:
            near = np.abs(x - point) < self.margin
            x = np.where(near, point + np.where(x < point, -1, 1) * self.margin * (1 + rng.random(shape)), x)
        return np.asarray(x)


@dataclass(frozen=True)
class Distinct:
    """Reals that differ from each other by at least `gap`: no ties, so that a maximum or an order is smooth."""

    gap: float = 0.1

    def sample(self, rng: np.random.Generator, shape: Shape) -> NDArray[Any]:
        """float64 values of `shape`."""
        count = int(np.prod(shape))
        return (rng.permutation(count) * self.gap + rng.uniform(0, self.gap / 2, count) - count * self.gap / 2).reshape(
            shape
        )


@dataclass(frozen=True)
class Integers:
    """Whole numbers in [low, high)."""

    low: int
    high: int

    def sample(self, rng: np.random.Generator, shape: Shape) -> NDArray[Any]:
        """int64 values of `shape`."""
        return np.asarray(rng.integers(self.low, self.high, shape))


@dataclass(frozen=True)
class Booleans:
    """True and False."""

    def sample(self, rng: np.random.Generator, shape: Shape) -> NDArray[Any]:
        """Booleans of `shape`."""
        return np.asarray(rng.random(shape) < 0.5)


REALS = Interval(-2, 2)


@dataclass(frozen=True)
class Case:
    """One test input of a primitive: a shape for each array, the settings, and a domain where it is not the reals."""

    shapes: tuple[Shape, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    domains: tuple[Domain, ...] = ()

    def sample(self, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
        """One array for each input."""
        domains = self.domains or (REALS,) * len(self.shapes)
        return tuple(d.sample(rng, s) for d, s in zip(domains, self.shapes, strict=True))


def case(*shapes: Shape, on: Domain | tuple[Domain, ...] = REALS, **settings: Any) -> Case:
    """A `Case` with the same domain for every array, or one domain each.

    >>> case((2, 3), axis=(0,)).settings
    {'axis': (0,)}
    """
    return Case(shapes, settings, on if isinstance(on, tuple) else (on,) * len(shapes))
