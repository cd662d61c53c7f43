"""Which rows an epoch has, and how often: weighted and balanced sampling."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError


class Sampler(ABC):
    """The interface: how many rows an epoch has, and which, given a generator."""

    @abstractmethod
    def __len__(self) -> int:
        """Rows in an epoch."""

    @abstractmethod
    def order(self, generator: ag.random.Generator) -> NDArray[np.int64]:
        """The numbers of the rows of one epoch, in their order."""


class WeightedSampler(Sampler):
    """Each row with a probability proportional to its weight.

        P(row i) = w_i / sum_j w_j

    Parameters:
        weights: w, 0 or more, one for each row.
        num_samples: rows in an epoch; as many as there are weights if None.
        replacement: False to take no row twice.

    Raises:
        DataError: weights that are negative, not finite, or all zero; too few rows above zero without replacement.

    >>> sampler = WeightedSampler([0.0, 1.0, 4.0], num_samples=5000)
    >>> rows = sampler.order(ag.random.Generator(0))
    >>> [round(float((rows == k).mean()), 1) for k in range(3)]
    [0.0, 0.2, 0.8]
    """

    def __init__(
        self, weights: Tensor | ArrayLike, num_samples: int | None = None, *, replacement: bool = True
    ) -> None:
        w = np.asarray(ag.asarray(weights).numpy(), np.float64)
        if w.ndim != 1 or not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
            raise DataError(
                f"WeightedSampler was given weights of shape {w.shape}. Expected one for each row, finite, 0 or more, "
                "not all zero."
            )
        self.num_samples = _positive("WeightedSampler", len(w) if num_samples is None else num_samples)
        self.probabilities, self.replacement = w / w.sum(), replacement
        if not replacement and np.count_nonzero(w) < self.num_samples:
            raise DataError(
                f"WeightedSampler was to take {self.num_samples} rows without replacement from "
                f"{np.count_nonzero(w)} whose weight is above 0. Write num_samples=, or replacement=True."
            )

    def __len__(self) -> int:
        """Rows in an epoch."""
        return self.num_samples

    def order(self, generator: ag.random.Generator) -> NDArray[np.int64]:
        """The numbers of the rows of one epoch."""
        p = self.probabilities
        return generator.choice(len(p), self.num_samples, self.replacement, p).numpy()


class BalancedSampler(Sampler):
    """Every class equally often, to within one row, in random order.

    The rows of a class are all taken before one of them is taken again.

    Parameters:
        labels: the class of each row: numbers or strings.
        num_samples: rows in an epoch; as many as there are labels if None.

    >>> sampler = BalancedSampler([0, 0, 0, 0, 1, 1])
    >>> sorted(sampler.order(ag.random.Generator(0)).tolist())[-3:]
    [4, 5, 5]
    """

    def __init__(self, labels: Tensor | ArrayLike, num_samples: int | None = None) -> None:
        y = labels.numpy() if isinstance(labels, Tensor) else np.asarray(labels)
        if y.ndim != 1 or not len(y):
            raise DataError(f"BalancedSampler was given labels of shape {y.shape}. Expected one for each row.")
        self.classes, places = np.unique(y, return_inverse=True)
        self.rows = [np.flatnonzero(places == k) for k in range(len(self.classes))]
        self.num_samples = _positive("BalancedSampler", len(y) if num_samples is None else num_samples)

    def __len__(self) -> int:
        """Rows in an epoch."""
        return self.num_samples

    def order(self, generator: ag.random.Generator) -> NDArray[np.int64]:
        """The numbers of the rows of one epoch."""
        each, more = divmod(self.num_samples, len(self.rows))
        taken = []
        for k, rows in enumerate(self.rows):
            wanted = each + (k < more)
            rounds = [generator.permutation(rows).numpy() for _ in range(-(-wanted // len(rows)))]
            taken.append(np.concatenate([rows[:0], *rounds])[:wanted])
        return generator.permutation(np.concatenate(taken)).numpy()


def _positive(name: str, num_samples: int) -> int:
    if num_samples < 1:
        raise ArgumentError(f"{name} was given num_samples={num_samples}. Expected 1 or more.")
    return num_samples
