"""Sequences of unequal lengths: padded, packed, and back."""

import importlib
import importlib.util

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, DataError, DTypeError, ShapeError

LENGTHS = [[3, 2, 1], [2, 3, 1, 3], [1], [4, 4], [1, 5, 1, 2, 5]]
every_lengths = pytest.mark.parametrize("lengths", LENGTHS, ids=str)


def batch(lengths, *rest):
    """(T, B, ...) of numbers that are all different, and the sequences in it."""
    shape = (max(lengths), len(lengths), *rest)
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    return x, [x[:n, b] for b, n in enumerate(lengths)]


@every_lengths
def test_rows_are_those_of_each_step_longest_sequence_first(lengths):
    x, sequences = batch(lengths, 2)
    packed = nn.pack_padded_sequence(ag.tensor(x), lengths, enforce_sorted=False)
    order = sorted(range(len(lengths)), key=lambda b: -lengths[b])
    rows = [sequences[b][t] for t in range(max(lengths)) for b in order if t < lengths[b]]
    np.testing.assert_array_equal(packed.data, rows)
    assert packed.batch_sizes.tolist() == [sum(n > t for n in lengths) for t in range(max(lengths))]
    assert packed.sorted_indices.tolist() == order
    assert packed.unsorted_indices[packed.sorted_indices].tolist() == list(range(len(lengths)))


@every_lengths
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("rest", [(), (2,), (2, 3)], ids=str)
def test_padding_puts_back_what_packing_took(lengths, batch_first, rest):
    x, sequences = batch(lengths, *rest)
    given = np.swapaxes(x, 0, 1) if batch_first else x
    packed = nn.pack_padded_sequence(ag.tensor(given), lengths, batch_first, enforce_sorted=False)
    padded, found = nn.pad_packed_sequence(packed, batch_first, padding_value=-1.0, total_length=max(lengths) + 2)
    assert found.tolist() == lengths
    expected = np.full((max(lengths) + 2, *x.shape[1:]), -1.0)
    for b, sequence in enumerate(sequences):
        expected[: len(sequence), b] = sequence
    np.testing.assert_array_equal(padded, np.swapaxes(expected, 0, 1) if batch_first else expected)


@every_lengths
def test_sequences_come_back_as_they_were(lengths):
    _, sequences = batch(lengths, 2)
    packed = nn.pack_sequence([ag.tensor(s) for s in sequences], enforce_sorted=False)
    padded = nn.pad_sequence(sequences, batch_first=True)
    for found in (nn.unpack_sequence(packed), nn.unpad_sequence(padded, lengths, batch_first=True)):
        for y, s in zip(found, sequences, strict=True):
            np.testing.assert_array_equal(y, s)


def test_gradients_reach_what_is_inside_the_lengths_only():
    lengths = [1, 3, 2]
    x = ag.ones((3, 3, 2), requires_grad=True)
    padded, _ = nn.pad_packed_sequence(nn.pack_padded_sequence(x, lengths, enforce_sorted=False), padding_value=9.0)
    (padded * ag.arange(1.0, 19.0).reshape(3, 3, 2)).sum().backward()
    inside = (np.arange(3)[:, None] < lengths)[..., None]
    np.testing.assert_array_equal(x.grad, np.where(inside, np.arange(1.0, 19.0).reshape(3, 3, 2), 0))


def test_whole_numbers_and_float32_keep_their_dtype():
    for dtype in ("int64", "float32"):
        x = ag.ones((2, 2), dtype)
        assert nn.pad_packed_sequence(nn.pack_padded_sequence(x, [2, 1]))[0].dtype == dtype
        assert nn.pad_sequence([x, x[:1]]).dtype == dtype


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_side_of_the_padding(side):
    y = nn.pad_sequence([ag.tensor([1.0, 2.0]), ag.tensor([3.0])], True, 7.0, padding_side=side)
    assert y.tolist() == [[1, 2], [3, 7] if side == "right" else [7, 3]]


def test_packed_fields_are_those_of_pytorch():
    x = ag.arange(1.0, 13.0).reshape(3, 4, 1)
    packed = nn.pack_padded_sequence(x, [2, 3, 1, 3], enforce_sorted=False)
    assert packed.data.ravel().tolist() == [2, 4, 1, 3, 6, 8, 5, 10, 12]  # by torch 2.13
    assert [field.tolist() for field in packed[1:]] == [[4, 3, 2], [1, 3, 0, 2], [2, 0, 3, 1]]
    padded, lengths = nn.pad_packed_sequence(packed)
    assert padded[..., 0].tolist() == [[1, 2, 3, 4], [5, 6, 0, 8], [0, 10, 0, 12]]
    assert lengths.tolist() == [2, 3, 1, 3]


@every_lengths
def test_packed_fields_are_those_of_live_pytorch_where_it_is(lengths):
    x, sequences = batch(lengths, 2)
    ours = nn.pack_padded_sequence(ag.tensor(x), lengths, enforce_sorted=False)
    assert int(ours.batch_sizes.sum()) == len(ours.data) == sum(lengths)
    if importlib.util.find_spec("torch") is None:
        return
    torch = importlib.import_module("torch")
    rnn = torch.nn.utils.rnn
    theirs = rnn.pack_padded_sequence(torch.from_numpy(x), lengths, enforce_sorted=False)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(nn.pad_packed_sequence(ours), rnn.pad_packed_sequence(theirs), strict=True):
        np.testing.assert_array_equal(a, b)
    for first in (False, True):
        b = rnn.pad_sequence([torch.from_numpy(s) for s in sequences], first, 3.0)
        np.testing.assert_array_equal(nn.pad_sequence(sequences, first, 3.0), b)


X = ag.ones((3, 2, 4))
WRONG = [
    (lambda: nn.pack_padded_sequence(X, [3, 0]), DataError, r"lengths \[3, 0\]. .* leave empty ones out"),
    (lambda: nn.pack_padded_sequence(X, [4, 3]), DataError, "lengths up to 4 for sequences of 3 steps"),
    (lambda: nn.pack_padded_sequence(X, [2, 3]), ArgumentError, r"\[2, 3\], which grow.* write enforce_sorted=False"),
    (lambda: nn.pack_padded_sequence(X, [3, 2, 1]), ShapeError, r"shape \(3,\) for a batch of 2.*batch_first=True"),
    (lambda: nn.pack_padded_sequence(X, [3.0, 2.0]), DTypeError, "lengths of dtype float64. Expected whole numbers"),
    (lambda: nn.pack_padded_sequence(X[:, 0, 0], [3]), ShapeError, r"shape \(3,\). Expected \(T, B, \.\.\.\)"),
    (lambda: nn.pack_padded_sequence(X[0, 0], [3], True), ShapeError, r"shape \(4,\). Expected \(B, T, \.\.\.\)"),
    (lambda: nn.pack_padded_sequence(X[:, :0], []), (DataError, DTypeError), "Expected"),
    (lambda: nn.unpad_sequence(X, [3, 0]), DataError, r"unpad_sequence was given lengths \[3, 0\]"),
    *(
        (
            lambda sizes=sizes: nn.GRU(4, 2)(nn.PackedSequence(X[:, 0], ag.tensor(sizes))),
            DataError,
            "do not grow and add",
        )
        for sizes in ([1, 2], [3, 0], [2, 2])
    ),
    (lambda: nn.pad_sequence([]), DataError, "pad_sequence was given no sequences"),
    (lambda: nn.pack_sequence([]), DataError, "pack_sequence was given no sequences"),
    (lambda: nn.pack_sequence([X, X[:0]]), DataError, r"lengths \[3, 0\]"),
    (
        lambda: nn.pad_sequence([X, ag.ones((3, 4))]),
        ShapeError,
        r"\[\(3, 2, 4\), \(3, 4\)\]. .* but for the first axis",
    ),
    (lambda: nn.pad_sequence([ag.tensor(1.0)]), ShapeError, r"shapes \[\(\)\]. Expected \(T, \.\.\.\)"),
    (lambda: nn.pad_sequence([X], padding_side="top"), ArgumentError, "padding_side='top'. Expected 'right' or 'left'"),
    (
        lambda: nn.pad_packed_sequence(nn.pack_padded_sequence(X, [3, 2]), total_length=2),
        ArgumentError,
        "total_length=2 for sequences of up to 3 steps",
    ),
]


@pytest.mark.parametrize(("call", "error", "words"), WRONG, ids=[w for _, _, w in WRONG])
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
