"""Samples that count more or less than others: the weighted mean of a loss."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, IndexOutOfRange, ShapeError
from nn.data import DataLoader
from nn.data.source import Arrays, Samples
from nn.losses import Loss

ClassWeight = Mapping[Any, float] | Sequence[float]


def each(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same loss for each sample, not reduced.

    Raises:
        ArgumentError: a loss that takes no `reduction`.

    >>> from nn.functional import mse_loss
    >>> each(mse_loss)([1.0, 2.0], [0.0, 0.0])
    tensor([1., 4.])
    """
    if isinstance(loss, Loss):
        single = copy.copy(loss)
        single.reduction = "none"
        return single
    if "reduction" in inspect.signature(loss).parameters:
        return partial(loss, reduction="none")
    raise ArgumentError(
        f"samples cannot be weighted with the loss {getattr(loss, '__name__', type(loss).__name__)}, which takes no "
        "reduction.\nExpected an nn loss, or a function f(prediction, target, reduction='none') that gives a loss for "
        "each sample."
    )


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """sum_i w_i l_i / sum_i w_i, l_i the mean over what sample i holds.

    Raises:
        ShapeError: not a weight for each sample.

    >>> weighted_mean(ag.tensor([1.0, 3.0]), ag.tensor([3.0, 1.0])).item()
    1.5
    """
    if weights.ndim != 1 or losses.ndim < 1 or len(weights) != len(losses):
        raise ShapeError(
            f"weights of shape {weights.shape} for losses of shape {losses.shape}. Expected one for a sample."
        )
    one = losses if losses.ndim == 1 else ag.mean(ag.reshape(losses, (len(losses), -1)), axis=1)
    w = ag.asarray(weights, one.dtype)
    if ag.is_captured(one):  # whether there is any weight is not known yet
        sizes = ag.sum(w)
        return ag.sum(w * one) * ag.where(sizes == 0, 0.0, 1.0 / ag.where(sizes == 0, 1.0, sizes))
    total = ag.sum(w).item()
    return ag.sum(w * one) / total if total else ag.sum(0.0 * one)


def of_classes(class_weight: ClassWeight, target: Any) -> Tensor:
    """The weight of each sample's class; a class that is not named has weight 1.

    Raises:
        IndexOutOfRange: a label beyond a list of weights.
        ArgumentError: a list of weights for numbers that are not whole.

    >>> of_classes({1: 3.0}, [0, 1, 1]).tolist()
    [1.0, 3.0, 3.0]
    """
    labels = ag.asarray(target).numpy()
    if isinstance(class_weight, Mapping):
        kinds, places = np.unique(labels, return_inverse=True)
        return ag.asarray(np.array([float(class_weight.get(k, 1.0)) for k in kinds.tolist()])[places.reshape(-1)])
    weights = np.asarray(class_weight, np.float64)
    if labels.dtype.kind == "f" and (labels != np.round(labels)).any():
        raise ArgumentError(
            "class_weight was given as a list for targets that are no labels: they have fractions. Expected whole "
            "numbers from 0."
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < len(weights):
        raise IndexOutOfRange(
            f"class_weight has {len(weights)} weights, and there are labels {labels.min()} to {labels.max()}. "
            "Expected labels from 0, and a weight for each: or write a dict."
        )
    return ag.asarray(weights[labels.astype(np.int64).reshape(-1)])


def balanced(batches: Any, weighted: bool = False) -> dict[Any, float]:
    """The weight N / (classes N_c) for each label of a data set, N_c its number among N: scikit-learn's "balanced".

    Parameters:
        batches: a DataLoader, whose rows are counted once each, or a list of batches; the labels are the last part.
        weighted: whether the last part is weights, and the labels stand before it.

    Raises:
        ArgumentError: data that can be read only in passing, or targets that are no labels.

    >>> balanced([(np.zeros((4, 2)), np.array([0, 0, 0, 1]))])
    {0: 0.6666666666666666, 1: 2.0}
    """
    source = batches.source if isinstance(batches, DataLoader) else batches
    parts: Iterable[Sequence[Any]]
    if isinstance(source, (Arrays, Samples)):
        parts = (source.span(k, min(k + 1024, source.rows)) for k in range(0, source.rows, 1024))
    elif isinstance(source, Sequence):
        parts = (batch if isinstance(batch, (tuple, list)) else (batch,) for batch in source)
    else:
        raise ArgumentError(
            f"class_weight='balanced' counts the labels beforehand, and a {type(batches).__name__} is read only in "
            "passing.\nWrite the weights as a dict: class_weight={0: 0.6, 1: 2.0}."
        )
    labels = np.concatenate([_labels(part, 2 if weighted else 1) for part in parts])
    kinds, counts = np.unique(labels, return_counts=True)
    return dict(zip(kinds.tolist(), (len(labels) / (len(kinds) * counts)).tolist(), strict=True))


def _labels(part: Sequence[Any], place: int) -> NDArray[Any]:
    """The labels of a batch, which are its part at `place` from the end."""
    if len(part) <= place:
        raise ArgumentError(f"class_weight='balanced' was given batches of {len(part)} parts. Expected inputs, labels.")
    labels = ag.asarray(part[-place]).numpy()
    if not labels.ndim or labels.size != len(labels) or (labels != np.round(labels)).any():
        raise ArgumentError(
            f"class_weight='balanced' was given targets of shape {labels.shape} and dtype {labels.dtype}. Expected a "
            "label for each sample."
        )
    return labels.reshape(-1)


def combined(class_weight: ClassWeight | None, sample_weight: ArrayLike | None, target: Any) -> Tensor | None:
    """The product of both, None if nothing is weighted.

    >>> combined([1.0, 2.0], [1.0, 0.5], [0, 1]).tolist()
    [1.0, 1.0]
    """
    own = None if sample_weight is None else ag.asarray(sample_weight)
    if class_weight is None:
        return own
    by_class = of_classes(class_weight, target)
    return by_class if own is None else by_class * own
