"""A batch on its way through a step: its inputs, its targets, what its samples count; and the mode of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import autograd as ag
from autograd import Tensor
from nn.data import DataLoader
from nn.module import Module
from nn.weighting import ClassWeight, combined


class Parts(NamedTuple):
    """A batch: inputs, targets, weights, and how much it counts: its samples, or the sum of their weights."""

    x: Any
    targets: list[Any]
    weights: Tensor | None
    size: float


def parts_of(batch: Any, class_weight: ClassWeight | None = None, weighted: bool = False) -> Parts:
    """A batch, arrays as Tensors; if `weighted`, its last part is the weights.

    >>> parts_of((np.zeros((2, 3)), np.array([0, 1])), class_weight={1: 5.0}).size
    6.0
    """
    found = batch if isinstance(batch, (tuple, list)) else (batch,)
    x, *targets = [ag.asarray(part) if isinstance(part, np.ndarray) else part for part in found]
    if not weighted and class_weight is None:
        return Parts(x, targets, None, samples_in(x))
    own = targets.pop() if weighted else None
    weights = combined(class_weight, own, targets[-1] if targets else None)
    return Parts(x, targets, weights, samples_in(x) if weights is None else float(ag.sum(weights).item()))


def samples_in(x: Any) -> int:
    """Rows of an array, of the first of several.

    >>> samples_in(np.zeros((4, 2))), samples_in(2.0)
    (4, 1)
    """
    first = x[0] if isinstance(x, tuple) else x
    shape = first.shape if isinstance(first, Tensor) else np.shape(first)
    return shape[0] if shape else 1


def batches_of(data: Any, batch_size: int, shuffle: bool = False) -> Iterable[Any]:
    """The batches of a data set: a tuple is one of arrays, anything else holds batches already.

    >>> [len(x) for x in batches_of((np.zeros(3),), 2)]
    [2, 1]
    """
    if isinstance(data, tuple):
        return DataLoader(*data, batch_size=batch_size, shuffle=shuffle)
    batches: Iterable[Any] = data
    return batches


@contextmanager
def mode_of(model: Any, *, training: bool) -> Iterator[None]:
    """A Module in training or evaluation mode, and each of its parts in its own mode again afterwards.

    >>> import nn
    >>> model = nn.ReLU()
    >>> with mode_of(model, training=False):
    ...     model.training
    False
    >>> model.training
    True
    """
    before = [(m, m.training) for m in model.modules()] if isinstance(model, Module) else []
    try:
        if isinstance(model, Module):
            model.train(training)
        yield
    finally:
        for module, mode in before:
            module.training = mode
