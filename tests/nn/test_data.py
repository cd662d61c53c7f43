"""The loader: which rows, in which order, of which dtype; and data that it refuses."""

from itertools import chain

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, DataError

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


def rows(loader):
    return [y.tolist() for _, y in loader]


def test_batches_come_in_order_and_share_memory():
    loader = nn.DataLoader(X, Y, batch_size=4)
    assert len(loader) == 3
    assert rows(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    for x, y in loader:
        np.testing.assert_array_equal(x, X[y.numpy()])
        assert np.shares_memory(x.value, X)
        assert isinstance(x, ag.Tensor)


def test_shuffled_batches_keep_rows_together_and_name_each_once():
    loader = nn.DataLoader(X, Y, batch_size=3, shuffle=True, generator=ag.random.Generator(0))
    first, second = rows(loader), rows(loader)
    in_order = list(range(10))
    assert sorted(chain(*first)) == sorted(chain(*second)) == in_order
    assert first != second
    assert list(chain(*first)) != in_order
    for x, y in loader:
        np.testing.assert_array_equal(x, X[y.numpy()])


def test_the_order_repeats_with_the_seed():
    def two_epochs(**settings):
        loader = nn.DataLoader(X, Y, shuffle=True, batch_size=3, **settings)
        return rows(loader) + rows(loader)

    assert two_epochs(generator=ag.random.Generator(5)) == two_epochs(generator=ag.random.Generator(5))
    assert two_epochs(generator=ag.random.Generator(5)) != two_epochs(generator=ag.random.Generator(6))
    ag.random.seed(3)
    first = two_epochs()
    ag.random.seed(3)
    assert two_epochs() == first


@pytest.mark.parametrize(
    ("batch_size", "drop_last", "lengths"),
    [
        (None, False, [10]),
        (None, True, [10]),
        (99, False, [10]),
        (10, True, [10]),
        (1, False, [1] * 10),
        (4, False, [4, 4, 2]),
        (4, True, [4, 4]),
    ],
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_three_variants_of_gradient_descent(batch_size, drop_last, lengths, shuffle):
    loader = nn.DataLoader(X, Y, batch_size=batch_size, drop_last=drop_last, shuffle=shuffle)
    assert [len(y) for y in rows(loader)] == lengths
    assert len(loader) == len(lengths)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_dtypes_are_kept_and_one_array_gives_tensors(dtype, shuffle):
    loader = nn.DataLoader(ag.asarray((X % 2).astype(dtype)), batch_size=6, shuffle=shuffle)
    assert [(b.dtype, b.shape) for b in loader] == [(np.dtype(dtype), (6, 2)), (np.dtype(dtype), (4, 2))]


def bad(value, row):
    array = np.ones((6, 2), "float32")
    array[row:, 1] = value
    return array


@pytest.mark.parametrize(
    ("arrays", "settings", "error", "words"),
    [
        ((), {}, ArgumentError, "was given no array"),
        ((X,), {"batch_size": 0}, ArgumentError, "batch_size=0. Expected at least 1, or None"),
        ((X, Y[:9]), {}, DataError, r"shapes \(10, 2\), \(9,\). Expected equal first lengths"),
        ((X[:0], Y[:0]), {}, DataError, r"shapes \(0, 2\), \(0,\): an empty data set"),
        ((X, 3.0), {}, DataError, r"\(10, 2\), \(\). Expected an axis of rows"),
        (
            (Y[:6], bad(np.nan, 4)),
            {},
            DataError,
            r"array 1 of DataLoader holds NaN or infinity, first in row 4 \(2 rows",
        ),
        ((bad(-np.inf, 5),), {}, DataError, r"array 0 .* first in row 5 \(1 rows"),
        (
            (X,),
            {"batch_size": 11, "drop_last": True},
            DataError,
            "10 rows, batch_size=11 and drop_last: no batch is full",
        ),
    ],
)
def test_data_that_cannot_be_trained_on(arrays, settings, error, words):
    with pytest.raises(error, match=words):
        nn.DataLoader(*arrays, **settings)
