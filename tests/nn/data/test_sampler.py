"""Samplers: how often each row comes."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, DataError
from nn.data import BalancedSampler, WeightedSampler


def order(sampler, seed=0):
    return sampler.order(ag.random.Generator(seed))


def test_weights_are_probabilities():
    weights = np.array([0.0, 1.0, 2.0, 5.0])
    sampler = WeightedSampler(weights, num_samples=20_000)
    rows = order(sampler)
    assert len(sampler) == len(rows) == 20_000
    np.testing.assert_allclose(np.bincount(rows, minlength=4) / 20_000, weights / 8, atol=4 * 0.5 / 20_000**0.5)
    assert not (order(sampler, 1) == rows).all()


def test_without_replacement_no_row_comes_twice():
    rows = order(WeightedSampler([1, 2, 3, 0, 4], 4, replacement=False))
    assert sorted(rows.tolist()) == [0, 1, 2, 4]


@pytest.mark.parametrize("wanted", [None, 1, 2, 7, 40])
def test_classes_come_equally_often(wanted):
    labels = np.array(["a"] * 9 + ["b"] * 2 + ["c"])
    rows = order(BalancedSampler(labels, wanted))
    counts = [int((labels[rows] == c).sum()) for c in "abc"]
    assert sum(counts) == len(rows) == (wanted or 12)
    assert max(counts) - min(counts) <= 1
    for c in "abc":  # all rows of a class before one of them again
        times = np.bincount(rows, minlength=12)[labels == c]
        assert times.max() - times.min() <= 1


def test_a_loader_takes_its_rows_from_the_sampler():
    labels = np.array([0] * 9 + [1])
    loader = nn.DataLoader(np.arange(10), labels, batch_size=4, sampler=BalancedSampler(labels))
    for _ in range(2):
        found = np.concatenate([y.numpy() for _, y in loader])
        assert np.bincount(found).tolist() == [5, 5]
    longer = nn.DataLoader(labels, batch_size=4, sampler=WeightedSampler(np.ones(10), 21), drop_last=True)
    assert (len(longer), len(list(longer))) == (5, 5)


BAD = [
    (lambda: WeightedSampler([1, -1]), DataError, r"weights of shape \(2,\)\. Expected one for each row"),
    (lambda: WeightedSampler([0, 0]), DataError, "not all zero"),
    (lambda: WeightedSampler([[1.0]]), DataError, r"shape \(1, 1\)"),
    (lambda: WeightedSampler([1, np.nan]), DataError, "finite"),
    (lambda: WeightedSampler([1, 0], 2, replacement=False), DataError, "2 rows without replacement from 1 whose"),
    (lambda: WeightedSampler([1], 0), ArgumentError, r"num_samples=0\. Expected 1"),
    (lambda: BalancedSampler([]), DataError, r"labels of shape \(0,\)"),
]


@pytest.mark.parametrize(("make", "error", "words"), BAD)
def test_bad_settings(make, error, words):
    with pytest.raises(error, match=words):
        make()
