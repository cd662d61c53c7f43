"""Indexing and assignment: NumPy's values, and gradients that are counted where NumPy counts them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd as ag
from autograd.errors import DTypeError, IndexOutOfRange, ShapeError

X = np.arange(24.0).reshape(2, 3, 4)
INDICES = [
    1,
    -1,
    (0, 2),
    (0, 2, 3),
    slice(None, None, -1),
    (slice(None), 1),
    (..., 2),
    (None, 1, ..., None),
    (slice(0, 2), None, slice(2, 0, -1)),
    [1, 0, 1],
    np.array([[0, 1], [1, 1]]),
    (slice(None), [2, 0, 0]),
    (..., [3, 3]),
    ([0, 1], [2, 2]),
    ([0, 1], slice(1, 3), [2, 2]),
    (slice(None), [0, 2], [1, 1]),
    (np.array([[0], [1]]), [0, 1]),
    (0, [1, 1]),
    X > 5,
    (X[:, :, 0] > 3),
    (slice(None), np.array([True, False, True])),
    (np.array([True, False]), 1),
    (np.array([False, False]), 1),
    np.zeros(0, int),
    [],
    np.int64(1),
    np.array(1),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_getitem_is_numpys_and_its_gradient_counts_each_place(index):
    x = ag.tensor(X, requires_grad=True)
    y = x[index]
    expected = X[index]
    np.testing.assert_array_equal(y.numpy(), expected)
    g = np.random.default_rng(0).standard_normal(expected.shape)
    counted = np.zeros_like(X)
    np.add.at(counted, index, g)
    np.testing.assert_allclose(ag.grad(y, x, g)[0].numpy(), counted, atol=1e-15)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_setitem_is_numpys_and_its_gradient_is_that_of_the_last_value(index):
    base = ag.tensor(X, requires_grad=True)
    shape = X[index].shape
    value = ag.tensor(np.random.default_rng(1).standard_normal(shape), requires_grad=True)
    y = base * 1.0
    y[index] = value * 1.0
    expected = X.copy()
    expected[index] = value.numpy()
    np.testing.assert_array_equal(y.numpy(), expected)
    result = ag.gradcheck(lambda b, v: ag.put(b, index, v), [base, value])
    assert result, result


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_index_add_is_add_at(index):
    value = np.random.default_rng(2).standard_normal(X[index].shape)
    expected = X.copy()
    np.add.at(expected, index, value)
    np.testing.assert_allclose(ag.index_add(ag.tensor(X), index, value).numpy(), expected, atol=1e-14)
    assert ag.gradcheck(lambda x, v: ag.index_add(x, index, v), [X, value])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_basic_index(data):
    shape = data.draw(hnp.array_shapes(max_dims=4, max_side=4))
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    a = np.arange(float(np.prod(shape))).reshape(shape)
    x = ag.tensor(a, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.numpy(), a[index])
    counted = np.zeros(shape)
    counted[index] += 1
    np.testing.assert_array_equal(ag.grad(y.sum(), x)[0].numpy(), counted)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_integer_index(data):
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=4))
    index = data.draw(hnp.integer_array_indices(shape))
    a = np.arange(float(np.prod(shape))).reshape(shape)
    x = ag.tensor(a, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.numpy(), a[index])
    counted = np.zeros(shape)
    np.add.at(counted, index, 1.0)
    np.testing.assert_array_equal(ag.grad(y.sum(), x)[0].numpy(), counted)


def test_tensors_index_tensors():
    x = ag.tensor(X, requires_grad=True)
    rows, mask = ag.tensor([1, 0]), ag.tensor([True, False, True])
    np.testing.assert_array_equal(x[rows, mask.numpy().nonzero()[0]].numpy(), X[[1, 0], [0, 2]])
    np.testing.assert_array_equal(x[:, mask].numpy(), X[:, [0, 2]])
    assert x[x > 5].shape == (18,)


def test_values_broadcast_into_a_slice():
    x = ag.tensor(np.zeros((3, 4)))
    x[1:] = 5.0
    x[:, 0] = np.array([1.0, 2.0, 3.0])
    x[0] = np.ones((1, 4))
    assert x.tolist() == [[1.0] * 4, [2.0, 5.0, 5.0, 5.0], [3.0, 5.0, 5.0, 5.0]]


@pytest.mark.parametrize(
    ("index", "error", "words"),
    [
        (5, IndexOutOfRange, r"getitem was given shapes \(2, 3, 4\).*index 5 is out of bounds"),
        ((0, 0, 0, 0), IndexOutOfRange, "too many indices"),
        ([0, 7], IndexOutOfRange, "index 7 is out of bounds"),
        (0.5, DTypeError, r"index of dtype float64.*astype\('int64'\)"),
        (np.array([0.0]), DTypeError, "index of dtype float64"),
        (np.ones((5, 5), bool), IndexOutOfRange, "boolean index did not match"),
    ],
)
def test_a_bad_index_says_what_is_wrong(index, error, words):
    with pytest.raises(error, match=words):
        ag.tensor(X)[index]


def test_a_bad_assignment_says_what_is_wrong_and_changes_nothing():
    x = ag.tensor([1, 2, 3])
    with pytest.raises(DTypeError, match="float64 to int64"):
        x[0] = np.array(0.5)
    with pytest.raises(ShapeError, match=r"put was given shapes \(3,\), \(2,\)"):
        x[:] = np.array([1, 2])
    assert x.tolist() == [1, 2, 3]


def test_take_and_take_along_axis_follow_numpy():
    i = np.argsort(-X, axis=1)[:, :2]
    np.testing.assert_array_equal(ag.take_along_axis(ag.tensor(X), i, 1).numpy(), np.take_along_axis(X, i, 1))
    np.testing.assert_array_equal(ag.take(ag.tensor(X), [3, 0], -1).numpy(), np.take(X, [3, 0], -1))
    np.testing.assert_array_equal(ag.take(ag.tensor(X), [[23, 0]]).numpy(), np.take(X, [[23, 0]]))
    assert ag.gradcheck(lambda x: ag.take_along_axis(x, i, 1), X)
    with pytest.raises(ShapeError, match="as many axes"):
        ag.take_along_axis(ag.tensor(X), [0, 1], 1)
