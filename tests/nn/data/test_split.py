"""Splits, folds and what is fitted on the training part only."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, OneHotEncoder, StandardScaler

from autograd.errors import ArgumentError, DataError
from nn.data import folds, preprocess, split

X, Y = load_iris(return_X_y=True)


def test_each_row_is_in_one_part():
    parts = split(X, Y, np.arange(150), validation=0.2, test=0.1, stratify=False)
    assert [len(p[0]) for p in parts] == [105, 30, 15]
    assert sorted(np.concatenate([p[2] for p in parts])) == list(range(150))
    for x, y, rows in parts:
        assert (x == X[rows]).all()
        assert (y == Y[rows]).all()
    again, other = (split(X, Y, validation=0.2, test=0.1, random_state=k) for k in (0, 1))
    assert (again.train[0] == parts.train[0]).all()
    assert not (other.train[0] == parts.train[0]).all()


def test_proportions_are_kept_if_asked():
    parts = split(X, Y, validation=0.2, test=0.2, stratify=True)
    assert [np.bincount(y).tolist() for _, y in parts] == [[30] * 3, [10] * 3, [10] * 3]


def test_parts_that_are_not_wanted_are_empty():
    parts = split(X, Y, validation=0, test=0)
    assert [p[0].shape for p in parts] == [(150, 4), (0, 4), (0, 4)]


def test_folds_validate_each_row_once():
    seen = []
    for train, validation, test in folds(X, Y, n_splits=3, stratify=True):
        assert [len(part[0]) for part in (train, validation, test)] == [100, 50, 0]
        assert np.bincount(validation[1]).max() <= 17
        seen += validation[0].tolist()
    assert sorted(seen) == sorted(X.tolist())


def test_a_scaler_knows_the_training_part_only():
    parts = split(X.astype("f4"), Y)
    scaled, scaler = preprocess(parts, StandardScaler())
    np.testing.assert_allclose(scaler.mean_, parts.train[0].mean(0), rtol=1e-5)
    np.testing.assert_allclose(scaled.train[0].mean(0), 0, atol=1e-5)
    assert abs(scaled.test[0].mean(0)).max() > 0.01
    assert {p[0].dtype for p in scaled} == {np.dtype("f4")}
    np.testing.assert_allclose(scaler.inverse_transform(scaled.test[0]), parts.test[0], rtol=1e-5)
    assert scaled.test[1] is parts.test[1]


def test_images_keep_their_shape():
    data = load_digits()
    parts = split(data.images, data.target)
    scaled, _ = preprocess(parts, MinMaxScaler())
    assert [p[0].shape[1:] for p in scaled] == [(8, 8)] * 3
    assert scaled.train[0].min() == 0
    assert scaled.train[0].max() == 1


def test_encoders():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    parts = split(X, names, np.array([["red"], ["blue"]] * 75), test=0)
    labels, encoder = preprocess(parts, LabelEncoder(), -2)
    assert sorted(set(labels.train[1].tolist())) == [0, 1, 2]
    assert encoder.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert labels.test[1].shape == (0,)
    codes, _ = preprocess(parts, OneHotEncoder(), 2)
    assert [(p[2].shape[1:], p[2].dtype) for p in codes] == [((2,), np.dtype("f4"))] * 3
    assert codes.train[2].sum(1).tolist() == [1] * 135


def test_parts_without_rows_keep_their_shape():
    images = np.random.default_rng(0).random((8, 2, 3, 3), np.float32)
    parts, _ = preprocess(split(images, test=0), StandardScaler())
    assert [x.shape for (x,) in parts] == [(7, 2, 3, 3), (1, 2, 3, 3), (0, 2, 3, 3)]


@pytest.mark.parametrize("cut", [split, lambda *arrays, **settings: list(folds(*arrays, **settings))])
def test_stratify_is_yes_or_no(cut):
    with pytest.raises(ArgumentError, match=r"a ndarray as stratify\. .*: write (split|folds)\(X, y, stratify=True\)"):
        cut(np.zeros(4), np.arange(4) % 2, stratify=np.arange(4) % 2)


def test_errors(monkeypatch):
    with pytest.raises(ArgumentError, match=r"validation=0.5, test=0.5\. Expected shares that leave some rows"):
        split(X, validation=0.5, test=0.5)
    with pytest.raises(DataError, match=r"split was given arrays of shapes \(150, 4\), \(3,\)"):
        split(X, Y[:3])
    with pytest.raises(DataError, match="no training rows"):
        preprocess(split(X)._replace(train=(X[:0],)), StandardScaler())
    for module, call in (
        ("sklearn.model_selection", lambda: split(X)),
        ("sklearn.model_selection", lambda: next(folds(X))),
        ("sklearn.base", lambda: preprocess(split(X, test=0, validation=0), StandardScaler())),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ImportError, match=r"needs scikit-learn. Write pip install 'wengert\[data\]'"):
            call()
