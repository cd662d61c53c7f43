"""Training, validation and test parts, and what is fitted on the training part only, by scikit-learn's own tools."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd import Tensor
from autograd.errors import ArgumentError, DataError

Arrays = tuple[NDArray[Any], ...]


class Split(NamedTuple):
    """Three parts of a data set, each a tuple of the same arrays; a part that was not wanted has no rows."""

    train: Arrays
    validation: Arrays
    test: Arrays


def split(
    *arrays: Tensor | ArrayLike,
    validation: float = 0.1,
    test: float = 0.2,
    stratify: bool = False,
    random_state: int | None = 0,
) -> Split:
    """Rows of arrays at random in three parts, by scikit-learn's `train_test_split`.

    Parameters:
        arrays: of equal first lengths: inputs and targets.
        validation, test: the share of all rows that each of them gets; 0 for none.
        stratify: keep the proportions of the classes, which are the last array.
        random_state: the seed of the choice.

    Raises:
        ArgumentError: shares below 0, or 1 and more together.
        DataError: arrays of unequal lengths.
        ImportError: without scikit-learn: `pip install 'wengert[data]'`.

    >>> parts = split(np.arange(10.0), np.arange(10), validation=0.2, test=0.3)
    >>> [len(x) for x, y in parts]
    [5, 2, 3]
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise ArgumentError(
            f"split was given validation={validation}, test={test}. Expected shares that leave some rows."
        )
    data = _checked("split", arrays, stratify)
    rows = np.arange(len(data[0]))
    rest, tested = _cut(rows, test, data[-1] if stratify else None, random_state)
    trained, validated = _cut(rest, validation / (1 - test), data[-1] if stratify else None, random_state)
    return _split(data, trained, validated, tested)


def folds(
    *arrays: Tensor | ArrayLike,
    n_splits: int = 5,
    stratify: bool = False,
    shuffle: bool = True,
    random_state: int | None = 0,
) -> Iterator[Split]:
    """Each of `n_splits` parts of the rows as validation once, the others as training: scikit-learn's `KFold`.

    >>> [y.tolist() for train, (x, y), test in folds(np.zeros(4), np.arange(4), n_splits=2, shuffle=False)]
    [[0, 1], [2, 3]]
    """
    try:
        from sklearn.model_selection import KFold, StratifiedKFold
    except ImportError as error:
        raise _missing("folds") from error
    data = _checked("folds", arrays, stratify)
    kind = StratifiedKFold if stratify else KFold
    parts = kind(n_splits, shuffle=shuffle, random_state=random_state if shuffle else None)
    for trained, validated in parts.split(data[0], data[-1]):
        yield _split(data, trained, validated, trained[:0])


def preprocess(parts: Split, transformer: Any, part: int = 0) -> tuple[Split, Any]:
    """Fit a scaler or an encoder of scikit-learn on the training part alone, and put all three parts through it.

    Images and sequences are seen as rows of features, and have their shape again afterwards; one-dimensional arrays as
    one feature, or as labels where the encoder is one of labels. float32 stays float32; codes that are not whole
    numbers become float32.

    Parameters:
        parts: as `split` gives them.
        transformer: `StandardScaler()`, `OneHotEncoder()`, `LabelEncoder()`; a copy of it is fitted.
        part: which array: 0 for the inputs, 1 or -1 for the targets.

    Returns:
        The parts, and the fitted copy, for `inverse_transform` and for new data.

    Raises:
        ImportError: without scikit-learn: `pip install 'wengert[data]'`.

    >>> from sklearn.preprocessing import StandardScaler
    >>> parts, scaler = preprocess(split(np.arange(20.0), np.arange(20)), StandardScaler())
    >>> [round(abs(float(x.mean())), 2) for x, y in parts]
    [0.0, 0.46, 0.56]
    """
    try:
        from sklearn.base import clone
        from sklearn.utils import get_tags
    except ImportError as error:
        raise _missing("preprocess") from error
    fitted, labels = clone(transformer), get_tags(transformer).target_tags.one_d_labels
    if not len(parts.train[part]):
        raise DataError("preprocess was given no training rows.")
    fitted.fit(_flat(parts.train[part], labels))

    def changed(arrays: Arrays) -> Arrays:
        given = arrays[part]
        out = fitted.transform(_flat(given, labels)) if len(given) else _empty(fitted, parts.train[part], labels)
        found = list(arrays)
        found[part] = _shaped(out, given)
        return tuple(found)

    return Split(*map(changed, parts)), fitted


def _flat(array: NDArray[Any], labels: bool) -> NDArray[Any]:
    return array if labels else array.reshape(len(array), -1)


def _empty(fitted: Any, train: NDArray[Any], labels: bool) -> Any:
    """No rows of what the transformer gives."""
    return fitted.transform(_flat(train[:1], labels))[:0]


def _shaped(out: Any, given: NDArray[Any]) -> NDArray[Any]:
    dense = np.asarray(out.toarray() if hasattr(out, "toarray") else out)  # encoders give sparse matrices
    if math.prod(dense.shape[1:]) == math.prod(given.shape[1:]):
        dense = dense.reshape(given.shape)
    if dense.dtype.kind == "f":
        dense = dense.astype(given.dtype if given.dtype.kind == "f" else np.float32, copy=False)
    return dense


def _checked(who: str, arrays: tuple[Tensor | ArrayLike, ...], stratify: bool) -> Arrays:
    if not isinstance(stratify, bool | None):
        raise ArgumentError(
            f"{who} was given a {type(stratify).__name__} as stratify. Expected True or False: write "
            f"{who}(X, y, stratify=True), the classes being those of the last array."
        )
    data = tuple(a.numpy() if isinstance(a, Tensor) else np.asarray(a) for a in arrays)
    if not data or any(not a.ndim for a in data) or len({len(a) for a in data}) > 1:
        shapes = ", ".join(str(a.shape) for a in data) or "none"
        raise DataError(f"{who} was given arrays of shapes {shapes}. Expected at least one, of equal first lengths.")
    return data


def _cut(rows: NDArray[Any], share: float, labels: NDArray[Any] | None, seed: int | None) -> tuple[Any, Any]:
    if not share:
        return rows, rows[:0]
    try:
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise _missing("split") from error
    size = max(1, round(share * len(rows)))
    return tuple(
        train_test_split(rows, test_size=size, stratify=None if labels is None else labels[rows], random_state=seed)
    )


def _split(data: Arrays, *rows: NDArray[Any]) -> Split:
    return Split(*(tuple(a[some] for a in data) for some in rows))


def _missing(who: str) -> ImportError:
    return ImportError(f"nn.data.{who} needs scikit-learn. Write pip install 'wengert[data]'.")
