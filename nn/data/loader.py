"""Batches, at the speed of slicing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import autograd as ag
from autograd import Tensor
from autograd.elsewhere import Hinted
from autograd.errors import ArgumentError, CheckpointError, DataError
from nn.data.prefetch import prefetched
from nn.data.sampler import Sampler
from nn.data.source import Arrays, Batch, Samples, Source, of_several, read
from nn.elsewhere import LOADER
from nn.generators import generators_in, stream_of


class DataLoader(Hinted):
    """Arrays of equal length, batch by batch along their first axis; or samples that are indexed or read.

    The three variants of gradient descent are choices of the loader: `batch_size=None`, or at least as large as the
    data, is batch gradient descent, one step with the gradient of all of it; `batch_size=1` is stochastic gradient
    descent; between them is mini-batch gradient descent. Shuffle for the last two.

    Batches keep the dtype of their array: write X.astype("float32") beforehand, or computation is in float64. Without
    shuffling a batch is a view of the array, so do not write into the array while the tape needs the batch.

    Parameters:
        data: arrays or Tensors with equal first lengths: inputs and targets, for instance, or one tuple of them. Where
            a model has several inputs, they are a tuple: DataLoader((a, b), y). Or one object that has a length and an
            index, whose items are samples (tuples for several parts), as a list of tuples; or one iterable of samples,
            which is read anew in each epoch, in its own order; or a function that gives a new one, as generator
            functions do.
        batch_size: rows in a batch; the last one has what is left.
        shuffle: take the rows in a new random order each epoch.
        drop_last: leave out a last batch that is not full.
        generator: where the order comes from, by default the stream that `ag.random.seed` sets. The same seed gives the
            same sequence of orders.
        sampler: says which rows an epoch has, in place of `shuffle`: `nn.data.BalancedSampler(y)`.
        transform: called with the parts of each batch, `transform(x, y)`, gives them changed.
        prefetch: how many batches a thread makes ahead. For slow samples or transforms; give a transform that draws
            random numbers a generator of its own then, or runs do not repeat.

    Raises:
        ArgumentError: if no data is given, `batch_size` is below 1, or settings exclude each other.
        DataError: if the lengths differ, there is no row, or floating data holds NaN or infinity.

    >>> loader = DataLoader([[1.0], [2.0], [3.0]], [0, 1, 0], batch_size=2)
    >>> len(loader)
    2
    >>> for x, y in loader:
    ...     print(x.shape, y)
    (2, 1) tensor([0, 1])
    (1, 1) tensor([0])
    """

    elsewhere = LOADER

    def __init__(
        self,
        *data: Tensor | ArrayLike | Iterable[Any],
        batch_size: int | None = 32,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: ag.random.Generator | None = None,
        sampler: Sampler | None = None,
        transform: Callable[..., Any] | None = None,
        prefetch: int = 0,
    ) -> None:
        if not data:
            raise ArgumentError("DataLoader was given no array. Write DataLoader(X, y, batch_size=32).")
        if batch_size is not None and (not isinstance(batch_size, Integral) or batch_size < 1):
            raise ArgumentError(
                f"DataLoader was given batch_size={batch_size!r}. Expected a whole number, at least 1, or None "
                "for all rows."
            )
        if prefetch < 0:
            raise ArgumentError(f"DataLoader was given prefetch={prefetch}. Expected 0 or more batches.")
        self.source = _source(data)
        self.stream: Any = data[0] if self.source is None else None
        self.shuffle, self.sampler = shuffle, sampler
        self.generator = stream_of(generator, "DataLoader")
        self.transform, self.prefetch = transform, prefetch
        self._check_order()
        self.rows = -1 if self.source is None else self.source.rows if sampler is None else len(sampler)
        if self.source is None and batch_size is None:
            raise ArgumentError(
                "DataLoader was given an iterable and batch_size=None. Expected a number: it has no length."
            )
        self.drop_last = drop_last and batch_size is not None
        self.batch_size = (
            self.rows if batch_size is None else batch_size if self.source is None else min(batch_size, self.rows)
        )
        if self.drop_last and self.source is not None and batch_size is not None and batch_size > self.rows:
            raise DataError(
                f"DataLoader was given {self.rows} rows, batch_size={batch_size} and drop_last: no batch is full."
            )
        self._began: dict[str, Any] | None = None  # the generator's state before the order of this epoch was drawn
        self._position = 0  # batches of this epoch that have been given out
        self._drawn: dict[str, Any] = {}  # the transform's generators after the last of them
        self._resumed: Mapping[str, Any] | None = None

    def _check_order(self) -> None:
        if not isinstance(self.sampler, Sampler | None):
            raise ArgumentError(
                f"DataLoader was given a {type(self.sampler).__name__} as sampler. Expected an nn.data.Sampler; for "
                "rows of your choice write X[rows], y[rows]."
            )
        if self.sampler is not None and self.shuffle:
            raise ArgumentError(
                "DataLoader was given a sampler and shuffle. Expected one: the sampler makes the order."
            )
        if self.source is None and (self.shuffle or self.sampler is not None):
            raise ArgumentError(
                f"DataLoader was to reorder a {type(self.stream).__name__}, which has no index. Expected arrays, or an "
                "object with __len__ and __getitem__: write list(samples)."
            )

    def __len__(self) -> int:
        """Batches in an epoch.

        Raises:
            TypeError: for an iterable, which does not know.
        """
        if self.source is None:
            raise TypeError(f"a DataLoader over a {type(self.stream).__name__} has no length.")
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """One epoch: a tuple of Tensors for each batch, or a Tensor if there is one part."""
        first, generator = 0, self.generator
        if self._resumed is not None:
            first = self._resumed["position"]
            if self._resumed["began"] is not None:
                generator = ag.random.Generator(0)
                generator.set_state(self._resumed["began"])
            self._resumed = None
        self._began, self._position, self._drawn = generator.get_state(), first, {}
        batches: Iterator[Any] = self._batches(self._order(generator), first)
        if self.transform is not None:
            batches = self._changed(batches, self.transform)
        if self.prefetch:
            batches = prefetched(batches, self.prefetch)
        for k, batch in enumerate(batches, first + 1):
            self._position = k
            if self.transform is not None:
                batch, self._drawn = batch
            yield batch if len(batch) > 1 else batch[0]
        self._position, self._began = 0, None

    def _order(self, generator: ag.random.Generator) -> NDArray[np.int64] | None:
        if self.sampler is not None:
            return self._within(self.sampler.order(generator))
        return generator.permutation(self.rows).numpy() if self.shuffle else None

    def _within(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = 0 if self.source is None else self.source.rows
        if len(order) and not 0 <= order.min() <= order.max() < rows:
            raise DataError(
                f"DataLoader has {rows} rows, and its {type(self.sampler).__name__} gave the numbers {order.min()} to "
                f"{order.max()}. Expected a sampler that was made of this data."
            )
        return order

    def _batches(self, order: NDArray[np.int64] | None, first: int) -> Iterator[Batch]:
        if self.source is None:
            samples = self.stream if isinstance(self.stream, Iterable) else self.stream()
            yield from islice(read(samples, self.batch_size, self.drop_last), first, None)
            return
        size, rows = self.batch_size, self.rows
        span, take = self.source.span, self.source.take
        for start in range(first * size, len(self) * size, size):
            yield span(start, min(start + size, rows)) if order is None else take(order[start : start + size])

    def _changed(self, batches: Iterator[Batch], transform: Callable[..., Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Batches through the transform, each with the state of its generators afterwards if a thread runs ahead."""
        streams = generators_in(transform=transform) if self.prefetch else {}
        for batch in batches:
            found = transform(*batch)
            parts = found if isinstance(found, (tuple, list)) else (found,)
            yield parts, {name: g.get_state() for name, g in streams.items()}

    def state_dict(self) -> dict[str, Any]:
        """Where in which epoch the loader stands, for `load_state_dict`; its generator's present state is not in it."""
        return {"position": self._position, "began": self._began if self._position else None, "drawn": self._drawn}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Give out, at the next reading, what is left of the epoch that was stored.

        Raises:
            CheckpointError: something that is no such state, or a place beyond the end.
        """
        if not {"position", "began", "drawn"} <= state_dict.keys():
            raise CheckpointError(
                f"DataLoader was given the state {list(state_dict)}. Expected position, began, drawn."
            )
        if self.source is not None and state_dict["position"] > len(self):
            raise CheckpointError(
                f"the stored place is batch {state_dict['position']} of {len(self)}. Expected the same data."
            )
        self._resumed = dict(state_dict) if state_dict["position"] else None
        streams = generators_in(transform=self.transform)
        for name, state in state_dict["drawn"].items():
            streams[name].set_state(state)


def _source(data: tuple[Any, ...]) -> Source | None:
    """The rows; None for what can only be read from its beginning."""
    only = data[0]
    if len(data) == 1 and of_several(only):
        return Arrays(only)
    if len(data) == 1 and isinstance(only, list) and only and all(isinstance(sample, tuple) for sample in only):
        return Samples(only)
    if len(data) > 1 or isinstance(only, (Tensor, np.ndarray, list, tuple)) or hasattr(only, "__array__"):
        return Arrays(data)
    if hasattr(only, "__len__") and hasattr(only, "__getitem__"):
        return Samples(only)
    return None if isinstance(only, Iterable) or callable(only) else Arrays(data)
