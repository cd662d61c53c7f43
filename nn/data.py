"""Batches of arrays, at the speed of slicing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError


class DataLoader:
    """Arrays of equal length, batch by batch along their first axis.

    The three variants of gradient descent are choices of the loader: `batch_size=None`, or at least as large as the
    data, is batch gradient descent, one step with the gradient of all of it; `batch_size=1` is stochastic gradient
    descent; between them is mini-batch gradient descent. Shuffle for the last two.

    Batches keep the dtype of their array: write X.astype("float32") beforehand, or computation is in float64. Without
    shuffling a batch is a view of the array, so do not write into the array while the tape needs the batch.

    Parameters:
        arrays: arrays or Tensors with equal first lengths: inputs and targets, for instance.
        batch_size: rows in a batch; the last one has what is left.
        shuffle: take the rows in a new random order each epoch.
        drop_last: leave out a last batch that is not full.
        generator: where the order comes from, by default the stream that `ag.random.seed` sets. The same seed gives the
            same sequence of orders.

    Raises:
        ArgumentError: if no array is given, or `batch_size` is below 1.
        DataError: if the lengths differ, there is no row, or floating data holds NaN or infinity.

    >>> loader = DataLoader([[1.0], [2.0], [3.0]], [0, 1, 0], batch_size=2)
    >>> len(loader)
    2
    >>> for x, y in loader:
    ...     print(x.shape, y)
    (2, 1) tensor([0, 1])
    (1, 1) tensor([0])
    """

    def __init__(
        self,
        *arrays: Tensor | ArrayLike,
        batch_size: int | None = 32,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: ag.random.Generator | None = None,
    ) -> None:
        if not arrays:
            raise ArgumentError("DataLoader was given no array. Write DataLoader(X, y, batch_size=32).")
        if batch_size is not None and batch_size < 1:
            raise ArgumentError(
                f"DataLoader was given batch_size={batch_size}. Expected at least 1, or None for all rows."
            )
        self.arrays = [ag.asarray(a).numpy() for a in arrays]
        _check_lengths(self.arrays)
        for k, array in enumerate(self.arrays):
            _check_finite(k, array)
        self.rows = len(self.arrays[0])
        self.batch_size = self.rows if batch_size is None else min(batch_size, self.rows)
        self.shuffle, self.drop_last = shuffle, drop_last and batch_size is not None
        self.generator = generator or ag.random.default
        if self.drop_last and batch_size is not None and batch_size > self.rows:
            raise DataError(
                f"DataLoader was given {self.rows} rows, batch_size={batch_size} and drop_last: no batch is full."
            )

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """One epoch: a tuple of Tensors for each batch, or a Tensor if there is one array."""
        order = self.generator.permutation(self.rows).numpy() if self.shuffle else None
        for k in range(len(self)):
            place = slice(k * self.batch_size, (k + 1) * self.batch_size)
            if order is None:
                batch = tuple(ag.asarray(a[place]) for a in self.arrays)
            else:
                rows = order[place]
                batch = tuple(ag.asarray(a.take(rows, 0)) for a in self.arrays)
            yield batch if len(batch) > 1 else batch[0]


def _check_lengths(arrays: list[NDArray[Any]]) -> None:
    shapes = ", ".join(str(a.shape) for a in arrays)
    if any(not a.ndim for a in arrays):
        raise DataError(f"DataLoader was given shapes {shapes}. Expected an axis of rows in each.")
    if len({len(a) for a in arrays}) > 1:
        raise DataError(
            f"DataLoader was given shapes {shapes}. Expected equal first lengths: a row of each is a sample."
        )
    if not len(arrays[0]):
        raise DataError(f"DataLoader was given shapes {shapes}: an empty data set. Expected at least one row.")


def _check_finite(k: int, array: NDArray[Any]) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        bad = ~finite.reshape(len(array), -1).all(axis=1)
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"array {k} of DataLoader holds NaN or infinity, first in row {row} ({int(bad.sum())} rows in all).\n"
            "Write np.nan_to_num(X), or leave out the rows: X[np.isfinite(X).all(axis=1)]."
        )
