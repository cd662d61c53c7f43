"""Embeddings: rows, padding, bags, and errors that name the layer."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError


def table(*shape):
    return ag.tensor(np.random.default_rng(0).standard_normal(shape or (5, 3)), requires_grad=True)


def test_the_gradient_of_a_row_counts_its_uses():
    weight = table()
    F.embedding([[1, 4], [1, 1]], weight).sum().backward()
    assert weight.grad[:, 0].tolist() == [0.0, 3.0, 0.0, 0.0, 1.0]


def test_the_row_for_padding_is_read_but_gets_no_gradient():
    weight = table()
    y = F.embedding([1, 4, 1], weight, padding_idx=-1)
    np.testing.assert_array_equal(y.detach(), weight.detach()[[1, 4, 1]])
    y.sum().backward()
    assert weight.grad[:, 0].tolist() == [0.0, 2.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
def test_rows_start_as_standard_normal_numbers_and_padding_as_zeros(kind):
    layer = kind(500, 20, padding_idx=3, generator=ag.random.Generator(0))
    assert layer.weight[3].tolist() == [0.0] * 20
    assert float(layer.weight.mean()) == pytest.approx(0.0, abs=0.03)
    assert float(layer.weight.std()) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
def test_rows_from_elsewhere_are_frozen_unless_told_otherwise(kind):
    rows = np.random.default_rng(0).standard_normal((4, 2))
    frozen, free = kind.from_pretrained(rows, padding_idx=1), kind.from_pretrained(rows.astype("float32"), freeze=False)
    np.testing.assert_array_equal(frozen.weight, rows)
    assert (frozen.weight.requires_grad, frozen.weight.dtype, frozen.padding_idx) == (False, np.dtype("float64"), 1)
    assert (free.weight.requires_grad, free.weight.dtype) == (True, np.dtype("float32"))
    assert [name for name, _ in free.named_parameters()] == ["weight"]


REDUCE = {"sum": np.sum, "mean": np.mean, "max": np.max}


@pytest.mark.parametrize("mode", REDUCE)
@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("last", [False, True])
def test_a_bag_is_reduced_over_its_rows(mode, padding, last):
    weight, numbers = table(), np.array([4, 2, 0, 2, 1, 1, 1])
    offsets = [0, 3, 3, 4, 7] if last else [0, 3, 3, 4]
    y = F.embedding_bag(numbers, weight, offsets, mode, include_last_offset=last, padding_idx=padding)
    for row, (start, end) in zip(y.detach().numpy(), [(0, 3), (3, 3), (3, 4), (4, 7)], strict=True):
        kept = [n for n in numbers[start:end] if n != padding]
        expected = REDUCE[mode](weight.detach().numpy()[kept], axis=0) if kept else np.zeros(3)
        np.testing.assert_allclose(row, expected, rtol=1e-13)


@pytest.mark.parametrize("mode", REDUCE)
def test_bags_of_one_length_need_no_offsets(mode):
    weight = table()
    y = F.embedding_bag([[0, 1], [1, 4]], weight, mode=mode)
    np.testing.assert_array_equal(y.detach(), F.embedding_bag([0, 1, 1, 4], weight, [0, 2], mode).detach())
    layer = nn.EmbeddingBag.from_pretrained(weight, mode=mode)
    np.testing.assert_array_equal(layer([[0, 1], [1, 4]]), y.detach())


def test_weights_of_numbers_multiply_their_rows():
    weight, shares = table(), ag.tensor([0.5, 2.0, 3.0], requires_grad=True)
    F.embedding_bag([1, 1, 0], weight, [0, 2], "sum", shares).sum().backward()
    np.testing.assert_allclose(weight.grad[:, 0], [3.0, 2.5, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(shares.grad, weight.detach().numpy()[[1, 1, 0]].sum(1))


@pytest.mark.parametrize("mode", REDUCE)
def test_bags_of_nothing_are_zeros(mode):
    for numbers, offsets in (([], [0, 0]), (np.zeros((2, 0), int), None)):
        y = F.embedding_bag(numbers, table(), offsets, mode)
        assert y.tolist() == [[0.0] * 3] * 2
    assert F.embedding_bag([2, 2], table(), [0, 1], mode, padding_idx=2).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_without_any_number_are_differentiated(mode, sparse):
    layer = nn.EmbeddingBag(5, 3, mode=mode, sparse=sparse)
    for shape, offsets, count in (((0,), [0, 0], 2), ((2, 0), None, 2), ((0, 2), None, 0)):
        layer.zero_grad()
        y = layer(np.zeros(shape, int), offsets)
        y.sum().backward()
        assert (y.shape, y.dtype) == ((count, 3), np.float32)
        assert not y.detach().numpy().any()
        assert not np.asarray(layer.weight.grad).any()


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (
            lambda: nn.Embedding(5, 3)([[0, 5]]),
            IndexOutOfRange,
            "Embedding(5, 3) was given 5 at position (0, 1), an input",
        ),
        (
            lambda: nn.Embedding(5, 3)([[0, 5]]),
            IndexOutOfRange,
            "Expected 0 to 4.\nWrite num_embeddings=6 or more, or map",
        ),
        (lambda: F.embedding([-1], table()), IndexOutOfRange, "embedding was given -1 at position (0,)"),
        (lambda: F.embedding([-1], table()), IndexOutOfRange, "Expected 0 to 4.\nMap numbers below 0"),
        (lambda: nn.Embedding(5, 3)([0.5]), DTypeError, "numbers of dtype float64. Write input.astype('int64')"),
        (
            lambda: nn.Embedding(5, 0),
            ArgumentError,
            "Embedding was given 5 rows of 0 numbers. Expected at least 1 each",
        ),
        (lambda: nn.Embedding(5, 3, 5), ArgumentError, "padding_idx=5 for 5 rows. Expected -5 to 4"),
        (lambda: F.embedding([0], table(), -6), ArgumentError, "embedding was given padding_idx=-6 for 5 rows"),
        (
            lambda: nn.Embedding.from_pretrained(np.ones(3)),
            ShapeError,
            "Embedding.from_pretrained was given shape (3,)",
        ),
        (
            lambda: nn.Embedding.from_pretrained([[1, 2]]),
            DTypeError,
            "Embedding.from_pretrained was given an input of dtype",
        ),
        (
            lambda: nn.EmbeddingBag(5, 3)([[0, 7]]),
            IndexOutOfRange,
            "EmbeddingBag(5, 3, mode='mean') was given 7 at position",
        ),
        (lambda: nn.EmbeddingBag(5, 3, mode="min"), ArgumentError, "mode='min'. Expected one of: sum, mean, max"),
        (lambda: F.embedding_bag([0], table(), [0], "min"), ArgumentError, "embedding_bag was given mode='min'"),
        (
            lambda: nn.EmbeddingBag(5, 3)([0, 1]),
            ShapeError,
            "(2,) without offsets. Expected (B, k) without offsets, or (N,)",
        ),
        (lambda: nn.EmbeddingBag(5, 3)([[0, 1]], [0]), ShapeError, "an input of shape (1, 2) with offsets"),
        (
            lambda: nn.EmbeddingBag(5, 3)([0, 1], [0.0]),
            DTypeError,
            "offsets of dtype float64. Write offsets.astype('int64')",
        ),
        (
            lambda: F.embedding_bag([0, 1], table(), [1]),
            ShapeError,
            "offsets [1] for 2 numbers. Expected 0 first, then",
        ),
        (lambda: F.embedding_bag([0, 1], table(), [0, 2, 1]), ShapeError, "offsets [0, 2, 1] for 2 numbers"),
        (lambda: F.embedding_bag([0, 1], table(), [0, 3]), ShapeError, "ascending, none above 2"),
        (
            lambda: F.embedding_bag([0, 1], table(), [0], "mean", ag.ones(2)),
            ArgumentError,
            "per_sample_weights for mode 'mean'. Expected mode 'sum'",
        ),
        (
            lambda: F.embedding_bag([0, 1], table(), [0], "sum", ag.ones(3)),
            ShapeError,
            "per_sample_weights of shape (3,) for an input of shape (2,). Expected one number for each",
        ),
        (lambda: F.embedding_bag([0], table(), [0], "sum", ag.arange(1)), DTypeError, "dtype int64. Write x.astype"),
    ],
)
def test_errors_name_the_layer_the_numbers_and_the_fix(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run()
