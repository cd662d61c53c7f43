"""A batch on its way through a step: its inputs, its targets, what its samples count; and the mode of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError
from autograd.tree import flatten
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

    Raises:
        DataError: a dict or a string.

    >>> parts_of((np.zeros((2, 3)), np.array([0, 1])), class_weight={1: 5.0}).size
    6.0
    """
    if isinstance(batch, (Mapping, str)):
        raise DataError(
            f"a batch is a {type(batch).__name__}. Expected a tuple (inputs, targets): write "
            '((b["x"], b["y"]) for b in batches).'
        )
    found = batch if isinstance(batch, (tuple, list)) else (batch,)
    x, *targets = map(_tensors, found)
    if not weighted and class_weight is None:
        return Parts(x, targets, None, samples_in(x))
    own = targets.pop() if weighted else None
    weights = combined(class_weight, own, targets[-1] if targets else None)
    return Parts(x, targets, weights, samples_in(x) if weights is None else float(ag.sum(weights).item()))


def _tensors(part: Any) -> Any:
    """Arrays as Tensors, those of other libraries too, and those in a tuple."""
    if isinstance(part, tuple):
        return tuple(map(_tensors, part))
    if isinstance(part, Tensor) or not hasattr(part, "__array__"):
        return part
    return ag.asarray(np.asarray(part))


def samples_in(x: Any) -> int:
    """Rows of an array, of the first of several.

    >>> samples_in(np.zeros((4, 2))), samples_in(2.0)
    (4, 1)
    """
    first = x[0] if isinstance(x, tuple) else x
    shape = first.shape if isinstance(first, Tensor) else np.shape(first)
    return shape[0] if shape else 1


def joined(outputs: Sequence[Any]) -> Any:
    """What was found for several batches as one: arrays along their first axis, of a tuple or a dict each part.

    >>> joined([(ag.zeros(1), np.zeros((2, 3))), (ag.ones(2), np.ones((1, 3)))])[1].shape
    (3, 3)
    """
    _, build = flatten(outputs[0])
    return build([_end_to_end(column) for column in zip(*[flatten(x)[0] for x in outputs], strict=True)])


def _end_to_end(parts: tuple[Any, ...]) -> Any:
    if len(parts) == 1 or not isinstance(parts[0], (Tensor, np.ndarray)):
        return parts[0]
    return ag.concat(parts) if isinstance(parts[0], Tensor) else np.concatenate(parts)


def batches_of(data: Any, batch_size: int, shuffle: bool = False) -> Iterable[Any]:
    """The batches of a data set: a tuple is one of arrays, a function makes them, anything else holds them already.

    Raises:
        ArgumentError: a single array, or what cannot be read.

    >>> [len(x) for x in batches_of((np.zeros(3),), 2)]
    [2, 1]
    """
    if isinstance(data, tuple):
        return DataLoader(*data, batch_size=batch_size, shuffle=shuffle)
    if callable(data) and not isinstance(data, Iterable):
        return Made(data)
    if hasattr(data, "__array__") or isinstance(data, (Mapping, str)) or not isinstance(data, Iterable):
        ours = isinstance(data, (Tensor, np.ndarray))
        given = f"an array of shape {data.shape}" if ours else f"a {type(data).__name__}"
        raise ArgumentError(
            f"the trainer was given {given} as data. Expected a tuple of arrays, as in fit((x, y)), or an iterable of "
            "batches: a DataLoader, a list, a function that gives a new generator."
        )
    batches: Iterable[Any] = data
    return batches


class Made:
    """Batches that a function makes anew for each epoch.

    >>> [list(batches) for batches in 2 * [Made(lambda: iter([1, 2]))]]
    [[1, 2], [1, 2]]
    """

    def __init__(self, make: Callable[[], Iterable[Any]]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[Any]:
        return iter(self.make())


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
