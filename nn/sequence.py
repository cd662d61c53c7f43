"""Sequences of unequal lengths in one array: padded to the longest, or packed without the padding.

A packed batch holds the rows of step 0 of every sequence, longest first, then those of step 1 of the sequences that
have one, and so on: a recurrent layer computes nothing that is thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError, DTypeError, ShapeError

Lengths = Tensor | ArrayLike


class PackedSequence(NamedTuple):
    """Sequences without their padding, as `pack_padded_sequence` makes them.

    Attributes:
        data: (sum of all lengths, ...), step after step.
        batch_sizes: how many sequences have a step 0, a step 1, ...: whole numbers that never grow.
        sorted_indices: which sequence stands at each place; None if they came longest first.
        unsorted_indices: the place of each sequence: the inverse.

    >>> packed = pack_padded_sequence(ag.tensor([[1.0, 5.0], [2.0, 0.0]]), [2, 1])
    >>> packed.data, packed.batch_sizes
    (tensor([1., 5., 2.]), tensor([2, 1]))
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None


def checked_lengths(lengths: Lengths, batch: int, longest: int, who: object) -> NDArray[np.int64]:
    """The lengths as an array, if they fit `batch` sequences of up to `longest` steps.

    Raises:
        DTypeError: if they are not whole numbers.
        ShapeError: if there is not one for each sequence.
        DataError: if one is zero, or longer than the sequences.

    >>> checked_lengths([2, 1], batch=2, longest=2, who="LSTM")
    array([2, 1])
    """
    found = ag.asarray(lengths).numpy()
    if found.dtype.kind not in "iu":
        raise DTypeError(f"{who} was given lengths of dtype {found.dtype}. Expected whole numbers.")
    if found.shape != (batch,):
        raise ShapeError(
            f"{who} was given lengths of shape {found.shape} for a batch of {batch}. Expected one length for each "
            f"sequence, shape ({batch},); batch_first=True if the batch is the first axis."
        )
    if not batch or found.min() < 1:
        raise DataError(
            f"{who} was given lengths {found.tolist()}. Expected at least one sequence, and at least one step in each: "
            "leave empty ones out."
        )
    if found.max() > longest:
        raise DataError(
            f"{who} was given lengths up to {found.max()} for sequences of {longest} steps. "
            f"Expected 1 to {longest} each."
        )
    return found.astype(np.int64)


def _steps_first(x: Tensor, batch_first: bool, who: str) -> Tensor:
    """x with the steps along its first axis and the batch along its second."""
    if x.ndim < 2:
        axes = "(B, T, ...)" if batch_first else "(T, B, ...)"
        raise ShapeError(
            f"{who} was given shape {x.shape}. Expected {axes}: write ag.expand_dims(x, axis) for a batch of one."
        )
    return ag.swapaxes(x, 0, 1) if batch_first else x


def sizes_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many sequences have a step 0, a step 1, ...

    >>> sizes_of(np.array([3, 1]))
    array([2, 1, 1])
    """
    steps: NDArray[np.int64] = np.sum(lengths[:, None] > np.arange(lengths.max()), 0)
    return steps


def lengths_of(batch_sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The length of each sequence, longest first: the inverse of `sizes_of`.

    >>> lengths_of(np.array([2, 1, 1]))
    array([3, 1])
    """
    steps: NDArray[np.int64] = np.sum(batch_sizes[:, None] > np.arange(batch_sizes[0]), 0)
    return steps


def _places(batch_sizes: NDArray[np.int64], batch: int) -> NDArray[np.int64]:
    """Where each row of the packed data stands in a padded (T, B), both axes counted as one."""
    return np.concatenate([np.arange(n) + t * batch for t, n in enumerate(batch_sizes)])


def pack_padded_sequence(
    input: Tensor, lengths: Lengths, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The first lengths[b] steps of each sequence b, packed.

    Parameters:
        input: (T, B, ...), or (B, T, ...) with `batch_first`.
        lengths: (B,) whole numbers from 1 to T.
        enforce_sorted: whether sequences must come longest first. Otherwise they are sorted here, and put back in
            their own order by `pad_packed_sequence` and by the recurrent layers.

    Raises:
        ShapeError: if the input has fewer than two axes, or there is not one length for each sequence.
        DataError: if a length is zero, or longer than the sequences.
        ArgumentError: if the lengths grow, and `enforce_sorted`.

    >>> pack_padded_sequence(ag.tensor([[1.0, 5.0], [0.0, 6.0]]), [1, 2], enforce_sorted=False).data
    tensor([5., 1., 6.])
    """
    who = "pack_padded_sequence"
    x = _steps_first(ag.asarray(input), batch_first, who)
    longest, batch = x.shape[:2]
    counts = checked_lengths(lengths, batch, longest, who)
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
    elif (np.diff(counts) > 0).any():
        raise ArgumentError(
            f"{who} was given lengths {counts.tolist()}, which grow. Expected the longest sequence first: "
            "write enforce_sorted=False."
        )
    sizes = sizes_of(counts)
    rows = _places(sizes, batch)
    if order is not None:
        rows = rows - rows % batch + order[rows % batch]
    data = ag.take(ag.reshape(x, (longest * batch, *x.shape[2:])), rows, axis=0)
    if order is None:
        return PackedSequence(data, ag.asarray(sizes))
    return PackedSequence(data, ag.asarray(sizes), ag.asarray(order), ag.asarray(np.argsort(order)))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The inverse of `pack_padded_sequence`: (padded, lengths).

    Parameters:
        sequence: B sequences, of which the longest has T steps.
        batch_first: (B, T, ...) instead of (T, B, ...).
        padding_value: what stands beyond the end of a sequence.
        total_length: pad to this many steps instead of T.

    Raises:
        ArgumentError: if `total_length` is less than T.

    >>> packed = pack_padded_sequence(ag.tensor([[1.0, 5.0], [2.0, 7.0]]), [2, 1])
    >>> pad_packed_sequence(packed)
    (tensor([[1., 5.], [2., 0.]]), tensor([2, 1]))
    """
    data, sizes = sequence.data, sequence.batch_sizes.numpy()
    longest, batch = len(sizes), int(sizes[0])
    steps = longest if total_length is None else total_length
    if steps < longest:
        raise ArgumentError(
            f"pad_packed_sequence was given total_length={steps} for sequences of up to {longest} steps. "
            f"Expected at least {longest}."
        )
    blank = ag.full((steps * batch, *data.shape[1:]), padding_value, dtype=data.dtype)
    padded = ag.reshape(ag.put(blank, _places(sizes, batch), data), (steps, batch, *data.shape[1:]))
    lengths = ag.asarray(lengths_of(sizes))
    if sequence.unsorted_indices is not None:
        padded, lengths = padded[:, sequence.unsorted_indices], lengths[sequence.unsorted_indices]
    return (ag.swapaxes(padded, 0, 1) if batch_first else padded), lengths


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences of shape (T_b, ...) side by side as (T, B, ...), T the greatest T_b, or (B, T, ...) with `batch_first`.

    Parameters:
        sequences: at least one; equal shapes but for the first axis.
        padding_value: what fills the rest.
        padding_side: "right" to put it behind the sequence, "left" before it.

    Raises:
        DataError: if there is no sequence.
        ShapeError: if a sequence is a single number, or shapes differ in another axis than the first.
        ArgumentError: for another side.

    >>> pad_sequence([ag.tensor([1.0, 2.0]), ag.tensor([3.0])], batch_first=True)
    tensor([[1., 2.],
            [3., 0.]])
    """
    if padding_side not in ("right", "left"):
        raise ArgumentError(f"pad_sequence was given padding_side={padding_side!r}. Expected 'right' or 'left'.")
    xs = _expect_sequences(sequences, "pad_sequence")
    longest = max(len(x) for x in xs)
    rest = [(0, 0)] * (xs[0].ndim - 1)
    padded = []
    for x in xs:
        gap = longest - len(x)
        width = (0, gap) if padding_side == "right" else (gap, 0)
        padded.append(ag.pad(x, [width, *rest], constant_values=padding_value) if gap else x)
    return ag.stack(padded, axis=0 if batch_first else 1)


def _expect_sequences(sequences: Sequence[Tensor], who: str) -> list[Tensor]:
    xs = [ag.asarray(x) for x in sequences]
    if not xs:
        raise DataError(f"{who} was given no sequences. Expected at least one.")
    if not all(x.ndim for x in xs) or len({x.shape[1:] for x in xs}) > 1:
        raise ShapeError(
            f"{who} was given shapes {[x.shape for x in xs]}. Expected (T, ...), equal but for the first axis."
        )
    return xs


def unpad_sequence(padded_sequences: Tensor, lengths: Lengths, batch_first: bool = False) -> list[Tensor]:
    """The sequences (lengths[b], ...) of a padded batch (T, B, ...), or (B, T, ...) with `batch_first`.

    Raises:
        ShapeError: if the batch has fewer than two axes, or there is not one length for each sequence.
        DataError: if a length is zero, or longer than the sequences.

    >>> unpad_sequence(ag.tensor([[1.0, 3.0], [2.0, 0.0]]), [2, 1])
    [tensor([1., 2.]), tensor([3.])]
    """
    x = _steps_first(ag.asarray(padded_sequences), batch_first, "unpad_sequence")
    counts = checked_lengths(lengths, x.shape[1], x.shape[0], "unpad_sequence")
    return [x[:n, b] for b, n in enumerate(counts.tolist())]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of shape (T_b, ...), packed: see `pack_padded_sequence`.

    >>> pack_sequence([ag.tensor([1.0, 2.0]), ag.tensor([3.0])]).data
    tensor([1., 3., 2.])
    """
    xs = _expect_sequences(sequences, "pack_sequence")
    return pack_padded_sequence(pad_sequence(xs), [len(x) for x in xs], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences (T_b, ...) that were packed, in their own order.

    >>> unpack_sequence(pack_sequence([ag.tensor([1.0, 2.0]), ag.tensor([3.0])]))
    [tensor([1., 2.]), tensor([3.])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences))


def expect_packed(x: Any, who: object) -> PackedSequence:
    """x, if its rows are as many as its batch sizes say, and those never grow.

    Raises:
        DataError: if they are not.

    >>> expect_packed(pack_sequence([ag.ones((2, 3))]), "LSTM").batch_sizes
    tensor([1, 1])
    """
    sizes = x.batch_sizes.numpy()
    if not sizes.size or sizes.min() < 1 or (np.diff(sizes) > 0).any() or sizes.sum() != len(x.data):
        raise DataError(
            f"{who} was given a PackedSequence of {len(x.data)} rows with batch_sizes {sizes.tolist()}. Expected sizes "
            "that do not grow and add up to the rows: make it with pack_padded_sequence."
        )
    return x  # type: ignore[no-any-return]  # typed by its caller
