"""Where rows come from: arrays, anything that can be indexed, anything that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import DataError

Batch = tuple[Any, ...]  # Tensors, and tuples of them for several inputs


class Source(Protocol):
    """Rows that can be taken in any order."""

    rows: int

    def span(self, start: int, stop: int) -> Batch:
        """The rows from start to stop."""

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """The rows of these numbers."""


def of_several(part: Any) -> bool:
    """Whether a part of the data is a tuple of arrays, as of a model with several inputs.

    >>> of_several((np.ones(3), np.zeros(3))), of_several((1.0, 2.0))
    (True, False)
    """
    return isinstance(part, tuple) and any(hasattr(x, "__array__") and np.ndim(x) for x in part)


class Arrays:
    """The rows of arrays, as slices and copies of them; of a tuple of arrays as a tuple."""

    def __init__(self, parts: Sequence[Any]) -> None:
        grouped = [part if of_several(part) else (part,) for part in parts]
        self.arrays = [ag.asarray(a).numpy() for group in grouped for a in group]
        self.groups = [len(part) if of_several(part) else 0 for part in parts]
        _check_lengths(self.arrays)
        for k, array in enumerate(self.arrays):
            _check_finite(k, array)
        self.rows = len(self.arrays[0])

    def span(self, start: int, stop: int) -> Batch:
        """The rows from start to stop: views."""
        return self._parts([ag.asarray(a[start:stop]) for a in self.arrays])

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """The rows of these numbers."""
        return self._parts([ag.asarray(a.take(rows, 0)) for a in self.arrays])

    def _parts(self, arrays: list[Tensor]) -> Batch:
        if not any(self.groups):
            return tuple(arrays)
        rest = iter(arrays)
        return tuple([tuple(islice(rest, n)) if n else next(rest) for n in self.groups])


class Samples:
    """Anything with a length and an index: `data[k]` is a sample, or a tuple of its parts."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.rows = len(data)
        if not self.rows:
            raise DataError(f"DataLoader was given an empty {type(data).__name__}. Expected at least one sample.")

    def span(self, start: int, stop: int) -> Batch:
        """The samples from start to stop, stacked."""
        return stacked([self.data[k] for k in range(start, min(stop, self.rows))])

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """The samples of these numbers, stacked."""
        return stacked([self.data[k] for k in rows.tolist()])


def stacked(samples: Sequence[Any]) -> Batch:
    """Samples, or tuples of parts, as arrays with a first axis of samples; a part that is a tuple of arrays as a tuple.

    Raises:
        DataError: samples of unequal numbers of parts, or of unequal shapes.

    >>> [part.shape for part in stacked([([1.0, 2.0], 0), ([3.0, 4.0], 1)])]
    [(2, 2), (2,)]
    """
    whole = [s if isinstance(s, tuple) else (s,) for s in samples]
    if len({len(parts) for parts in whole}) > 1:
        raise DataError(
            f"samples of a DataLoader have {sorted({len(p) for p in whole})} parts. Expected as many in all."
        )
    batch: list[Any] = []
    for k, column in enumerate(zip(*whole, strict=True)):
        if all(map(of_several, column)):
            batch.append(stacked(column))
            continue
        arrays = [part.numpy() if isinstance(part, Tensor) else _numbers(k, part) for part in column]
        shapes = sorted({a.shape for a in arrays})
        if len(shapes) > 1:
            raise DataError(
                f"part {k} of the samples of a DataLoader has shapes {shapes[0]} and {shapes[1]}. Expected equal "
                "shapes in a batch: pad or crop them, or write batch_size=1."
            )
        batch.append(ag.asarray(np.stack(arrays)))
    return tuple(batch)


def _numbers(k: int, part: Any) -> NDArray[Any]:
    try:
        array = np.asarray(part)
    except ValueError:  # a list of unequal lengths
        array = np.empty(0, object)
    if array.dtype.kind not in "biufc":
        raise DataError(
            f"part {k} of a sample of a DataLoader is a {type(part).__name__} that makes no array of numbers. Expected "
            "a tuple of arrays or numbers for each sample: return x, y."
        )
    return array


def read(data: Iterable[Any], batch_size: int, drop_last: bool) -> Iterator[Batch]:
    """Batches of the samples that an iterable gives.

    >>> [x.tolist() for (x,) in read(iter([1.0, 2.0, 3.0]), 2, drop_last=False)]
    [[1.0, 2.0], [3.0]]
    """
    samples = iter(data)
    while some := list(islice(samples, batch_size)):
        if len(some) == batch_size or not drop_last:
            yield stacked(some)


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
