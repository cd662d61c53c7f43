"""The loader: which rows, in which order, of which dtype; and data that it refuses."""

import json
import threading
from itertools import chain, islice

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, CheckpointError, DataError

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
        ((X,), {"batch_size": 0}, ArgumentError, "batch_size=0. Expected a whole number, at least 1, or None"),
        ((X,), {"batch_size": "auto"}, ArgumentError, "batch_size='auto'. Expected a whole number"),
        ((X,), {"generator": 0}, ArgumentError, r"generator=0.*: write generator=ag\.random\.Generator\(0\)"),
        ((X,), {"sampler": [2, 1]}, ArgumentError, r"a list as sampler.* write X\[rows\], y\[rows\]"),
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


# ---- samples that are indexed or read


class Squares:
    """An indexable data set of (k, k squared)."""

    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, k):
        return np.float32([k, -k]), k * k


def squares_of(loader):
    return [(x[:, 0].tolist(), y.tolist()) for x, y in loader]


def test_anything_indexable_is_as_its_arrays_would_be():
    x, y = (np.array(part) for part in zip(*(Squares()[k] for k in range(10)), strict=True))
    for shuffle in (False, True):
        for drop_last in (False, True):
            both = [
                nn.DataLoader(*data, batch_size=4, shuffle=shuffle, drop_last=drop_last, generator=stream)
                for data in ((Squares(),), (x, y))
                for stream in [ag.random.Generator(3)]
            ]
            assert len(both[0]) == len(both[1]) == (2 if drop_last else 3)
            assert squares_of(both[0]) == squares_of(both[1])
    assert next(iter(both[0]))[0].dtype == np.float32


class Stream:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter([(np.float32(k), k) for k in range(self.n)])


def test_an_iterable_is_read_anew_each_epoch():
    loader = nn.DataLoader(Stream(7), batch_size=3)
    expected = [([0, 1, 2], [0, 1, 2]), ([3, 4, 5], [3, 4, 5]), ([6], [6])]
    for _ in range(2):
        assert [(x.tolist(), y.tolist()) for x, y in loader] == expected
    assert len(list(nn.DataLoader(Stream(7), batch_size=3, drop_last=True))) == 2
    assert list(nn.DataLoader(iter([]), batch_size=3)) == []
    with pytest.raises(TypeError, match="DataLoader over a Stream has no length"):
        len(loader)


def test_a_transform_changes_whole_batches():
    loader = nn.DataLoader(X, Y, batch_size=4, transform=lambda x, y: (x[:, :1] * 2, y + 1))
    found = list(loader)
    assert [(x.shape, y.tolist()) for x, y in found][2] == ((2, 1), [9, 10])
    assert found[0][0].tolist() == (2 * X[:4, :1]).tolist()
    assert [b.tolist() for b in nn.DataLoader(Y, batch_size=5, transform=lambda y: -y)][1] == [-5, -6, -7, -8, -9]


# ---- in a thread


@pytest.mark.parametrize("depth", [1, 3, 99])
def test_batches_made_ahead_are_the_same(depth):
    def epochs(prefetch):
        stream = ag.random.Generator(0)
        loader = nn.DataLoader(X, Y, batch_size=3, shuffle=True, generator=stream, prefetch=prefetch)
        return rows(loader) + rows(loader)

    assert epochs(depth) == epochs(0)


def workers():
    return [t for t in threading.enumerate() if t.name == "prefetch"]


def test_the_thread_ends_with_its_reader():
    loader = nn.DataLoader(X, Y, batch_size=1, prefetch=2)
    for _ in range(3):
        for _ in loader:
            break
    batches = iter(loader)
    next(batches)
    assert len(workers()) == 1
    batches.close()
    assert workers() == []


def test_an_error_in_the_thread_is_raised_where_batches_are_read():
    class Broken(Squares):
        def __getitem__(self, k):
            return 1 / (5 - k)

    seen = []
    with pytest.raises(ZeroDivisionError):
        seen.extend(nn.DataLoader(Broken(), batch_size=2, prefetch=4))
    assert workers() == []


def test_the_thread_keeps_the_callers_grad_mode():
    modes = []
    loader = nn.DataLoader(X, batch_size=5, prefetch=1, transform=lambda x: modes.append(ag.is_grad_enabled()) or x)
    with ag.no_grad():
        list(loader)
    assert modes == [False, False]


# ---- going on in the middle of an epoch


class Noise:
    def __init__(self, stream):
        self.stream = stream

    def __call__(self, x, y):
        return x + self.stream.normal(size=x.shape), y


def noisy(prefetch, sampler=None):
    return nn.DataLoader(
        X,
        Y,
        batch_size=3,
        shuffle=sampler is None,
        sampler=sampler,
        generator=ag.random.Generator(1),
        transform=Noise(ag.random.Generator(2)),
        prefetch=prefetch,
    )


def values(batches):
    return [(x.tolist(), y.tolist()) for x, y in batches]


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("sampler", [None, nn.data.BalancedSampler(Y % 2)], ids=["shuffle", "sampler"])
@pytest.mark.parametrize("place", [0, 1, 3, 4])
def test_an_epoch_goes_on_where_it_was_left(prefetch, sampler, place):
    whole = noisy(prefetch, sampler)
    expected = [values(whole) for _ in range(3)]
    first = noisy(prefetch, sampler)
    seen = [values(first)]
    batches = iter(first)
    part = values(islice(batches, place))
    stored = json.loads(json.dumps([first.state_dict(), first.generator.get_state()]))
    batches.close()
    if place == 0:
        stored[0]["drawn"] = {"transform.stream": first.transform.stream.get_state()}
    again = noisy(prefetch, sampler)
    if not prefetch:
        again.transform.stream.set_state(first.transform.stream.get_state())
    again.generator.set_state(stored[1])
    again.load_state_dict(stored[0])
    seen += [part + values(again)] if place else [values(again)]
    seen += [values(again)]
    assert seen == expected


def test_a_state_that_does_not_match():
    with pytest.raises(CheckpointError, match=r"given the state \['place'\]\. Expected position"):
        nn.DataLoader(X).load_state_dict({"place": 1})
    state = {"position": 3, "began": None, "drawn": {}}
    with pytest.raises(CheckpointError, match="stored place is batch 3 of 1"):
        nn.DataLoader(X).load_state_dict(state)


SETTINGS = [
    ((X,), {"prefetch": -1}, ArgumentError, r"prefetch=-1\. Expected 0 or more"),
    ((X,), {"shuffle": True, "sampler": nn.data.BalancedSampler(Y)}, ArgumentError, "a sampler and shuffle"),
    ((Stream(3),), {"shuffle": True}, ArgumentError, r"to reorder a Stream, which has no index.*\n*.*list\(samples\)"),
    ((Stream(3),), {"batch_size": None}, ArgumentError, "an iterable and batch_size=None"),
    ((Squares(0),), {}, DataError, "an empty Squares"),
]


@pytest.mark.parametrize(("data", "settings", "error", "words"), SETTINGS)
def test_settings_that_exclude_each_other(data, settings, error, words):
    with pytest.raises(error, match=words):
        nn.DataLoader(*data, **settings)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_list_of_tuples_is_one_of_samples(shuffle):
    whole = Squares()
    found = [
        squares_of(nn.DataLoader(data, batch_size=4, shuffle=shuffle, generator=ag.random.Generator(3)))
        for data in ([whole[k] for k in range(10)], whole)
    ]
    assert found[0] == found[1]
    (numbers,) = nn.DataLoader([(0.5, 1), (0.25, 0)])
    assert [part.dtype for part in numbers] == [np.float64, np.int64]
    assert nn.DataLoader([[1.0, 2.0], [3.0, 4.0]]).source.arrays[0].shape == (2, 2)
    assert [part.shape for part in next(iter(nn.DataLoader([(1.0, 2.0), (3.0, 4.0)], [0, 1])))] == [(2, 2), (2,)]


@pytest.mark.parametrize("shuffle", [False, True])
def test_several_inputs_are_a_tuple(shuffle):
    rows = np.arange(10)
    a, b = np.float32(rows[:, None] + [0, 0.5]), -rows
    samples = [((a[k], b[k]), rows[k]) for k in rows]
    for data in (((a, b), rows), (samples,), *([] if shuffle else [(lambda: iter(samples),)])):
        loader = nn.DataLoader(*data, batch_size=4, shuffle=shuffle, generator=ag.random.Generator(3))
        seen = []
        for inputs, y in loader:
            assert isinstance(inputs, tuple)
            assert [part.dtype for part in (*inputs, y)] == [np.float32, np.int64, np.int64]
            np.testing.assert_array_equal(inputs[0].numpy(), y.numpy()[:, None] + np.float32([0, 0.5]))
            np.testing.assert_array_equal(inputs[1].numpy(), -y.numpy())
            seen += y.tolist()
        assert sorted(seen) == rows.tolist()
        assert (seen == rows.tolist()) is not shuffle


def test_one_tuple_of_arrays_is_its_arrays():
    """Two arrays of equal shape are inputs and targets, not two samples."""
    x = np.arange(10.0).reshape(5, 2)
    batches = list(nn.DataLoader((x, -x), batch_size=2))
    assert [[part.shape for part in batch] for batch in batches] == [[(2, 2)] * 2, [(2, 2)] * 2, [(1, 2)] * 2]
    np.testing.assert_array_equal(batches[1][1].numpy(), -x[2:4])


@pytest.mark.parametrize("sample", [[np.ones(2), 1], {"x": 1.0}, "text"], ids=["list", "dict", "text"])
def test_samples_that_are_no_numbers(sample):
    with pytest.raises(DataError, match=rf"part 0 of a sample .* a {type(sample).__name__} that .*: return x, y"):
        list(nn.DataLoader(iter([sample])))


def test_a_sampler_of_other_data():
    loader = nn.DataLoader(X, sampler=nn.data.BalancedSampler(np.zeros(3 * len(X))))
    with pytest.raises(DataError, match=r"DataLoader has 10 rows, and its BalancedSampler gave the numbers \d to 29"):
        list(loader)


def test_samples_that_do_not_fit_together():
    with pytest.raises(DataError, match=r"part 0 of the samples .* \(1,\) and \(2,\)"):
        list(nn.DataLoader(iter([np.ones(1), np.ones(2)])))
    with pytest.raises(DataError, match=r"have \[1, 2\] parts"):
        list(nn.DataLoader(iter([(1, 2), (3,)])))
