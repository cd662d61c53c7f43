"""What a case is: the same work in several libraries, and what is promised about the time that ours takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.turns import LASTING, Statement

Arrays = tuple[NDArray[Any], ...]
Maker = Callable[..., Statement]  # of a library and the arrays
Figure = tuple[float, float]  # a number, and the size of what it was summed from

OURS, EAGER, NUMPY, TORCH, DEFAULT, COMPILED, JAX = COLUMNS = (
    "ours",
    "eager",
    "NumPy",
    "torch",
    "torch default",
    "torch.compile",
    "jax.jit",
)
PEERS = COLUMNS[2:]
BEST, COPY = "the best peer", "a copy of as many bytes"
ONE, ALL = False, True  # threads


@dataclass(frozen=True)
class Limit:
    """The time of one side is at most `most` times that of another, or of several together."""

    most: float
    to: tuple[str, ...]
    of: str = OURS

    @property
    def words(self) -> str:
        return f"{self.of} to {' and '.join(self.to)}"


@dataclass(frozen=True)
class Side:
    """Who does the work: a library, and how a statement for it is made from the arrays."""

    library: str
    make: Maker


def total(arrays: Sequence[NDArray[Any]]) -> int:
    """The bytes in arrays."""
    return sum(a.nbytes for a in arrays)


def sums(_inputs: Arrays, outputs: Sequence[NDArray[Any]]) -> list[Figure]:
    """Of each result the sum, the sum of sizes, and one that depends on the order of the elements."""
    found = []
    for y in outputs:
        flat = np.asarray(y, np.float64).ravel()
        size = float(np.abs(flat).sum())
        found += [(float(flat.sum()), size), (size, size), (float(flat @ np.cos(np.arange(flat.size))), size)]
    return found


@dataclass(frozen=True)
class Case:
    """Work that is timed side by side.

    Attributes:
        name: of the case.
        shape: of the work; what `inputs` makes of it is the same in every process.
        inputs: arrays, from a generator and the shape.
        sides: by label, those of COLUMNS and others.
        limits: the promises.
        threads: ALL, or ONE.
        moves: bytes that must be read or written; None for those of the arrays and the results; 0: there is no copy.
        figures: what all sides must agree about before they are timed, from the arrays and the results.
        tolerance: by how much they may differ.
        lasting: seconds that a turn lasts at least.
    """

    name: str
    shape: tuple[int, ...]
    inputs: Callable[..., Arrays]
    sides: Mapping[str, Side]
    limits: tuple[Limit, ...] = ()
    threads: bool = ALL
    moves: Callable[[Arrays], int] | None = None
    figures: Callable[[Arrays, Sequence[NDArray[Any]]], list[Figure]] = sums
    tolerance: float = 1e-4
    lasting: float = LASTING

    def arrays(self, shrink: int = 1) -> Arrays:
        """The arrays, with each length divided by `shrink`."""
        shape = tuple(max(4, n // shrink) for n in self.shape)
        return self.inputs(np.random.default_rng(0), shape)

    def bytes(self, arrays: Arrays, outputs: Sequence[NDArray[Any]]) -> int:
        """How much must be moved."""
        return total(arrays) + total(outputs) if self.moves is None else self.moves(arrays)

    def apart(self, of: Sequence[Figure], to: Sequence[Figure]) -> float:
        """By how much two sides differ at most, in parts of the tolerance."""
        if len(of) != len(to):
            return float("inf")
        pairs = zip(of, to, strict=True)
        parts = [abs(a - b) / (self.tolerance * max(size, other, 1e-30)) for (a, size), (b, other) in pairs]
        return float("inf") if any(map(np.isnan, parts)) else max(parts, default=0.0)
