"""What losses over many classes share: class indices and class weights, checked, picked and averaged."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import DataError, DTypeError, IndexOutOfRange, ShapeError
from nn.losses import Array, reduced, scores


def class_axis(input: Array, who: str) -> tuple[Tensor, int]:
    """Scores as a Tensor, and the axis of the classes: the second, or the only one.

    Raises:
        ShapeError: if there are no classes.
        DTypeError: if the scores are not floating.
    """
    x = scores(input, who)
    if not x.ndim or not x.shape[min(1, x.ndim - 1)]:
        raise ShapeError(f"{who} was given an input of shape {x.shape}. Expected (N, C), (N, C, ...) or (C,), C > 0.")
    return x, min(1, x.ndim - 1)


def class_weights(logp: Tensor, weight: Array, axis: int, who: str) -> Tensor:
    """One weight for each class.

    Raises:
        ShapeError: if there are more or fewer.
    """
    weights = ag.asarray(weight, logp.dtype)
    if weights.shape != (logp.shape[axis],):
        raise ShapeError(
            f"{who} was given a weight of shape {weights.shape} for {logp.shape[axis]} classes. "
            "Expected one number for each class."
        )
    return weights


def class_labels(logp: Tensor, y: Tensor, ignore_index: int | None, axis: int, who: str) -> Any:
    """The class indices, once they are known to be some: an array, or what stands for it in a compiled function.

    Raises:
        ShapeError: if there is not one for each sample.
        DTypeError: if they are not whole numbers.
        IndexOutOfRange: if one is no class, and not `ignore_index`.
    """
    classes = logp.shape[axis]
    expected = logp.shape[:axis] + logp.shape[axis + 1 :]
    if y.shape != expected:
        fix = "target.reshape(-1)" if y.size == math.prod(expected) else "target.argmax(1) for one-hot rows"
        alternative = f", or floating distributions of shape {logp.shape}" if "cross_entropy" in who else ""
        raise ShapeError(
            f"{who} was given an input of shape {logp.shape} and a target of shape {y.shape}.\n"
            f"Expected class indices of shape {expected}{alternative}. Write {fix}."
        )
    if y.dtype.kind not in "iu":
        raise DTypeError(f"{who} was given class indices of dtype {y.dtype}. Write target.astype('int64').")
    ag.check(partial(_check_range, classes, ignore_index, who), y)
    return y if ag.is_captured(y) else y.numpy()


def one_hot(labels: Array, num_classes: int = -1) -> Tensor:
    """Rows of zeros, each with a 1 at the place of its label.

    Parameters:
        labels: whole numbers from 0 to C - 1, of any shape.
        num_classes: C; the largest label and one more for -1.

    Returns:
        (..., C), int64; losses take it as `.astype("float32")`.

    Raises:
        DTypeError: if the labels are not whole numbers.
        IndexOutOfRange: if one is no class.

    >>> one_hot([0, 2])
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    y = ag.asarray(labels)
    if y.dtype.kind not in "iu":
        raise DTypeError(f"one_hot was given labels of dtype {y.dtype}. Write labels.astype('int64').")
    classes = int(ag.max(y)) + 1 if num_classes < 0 else num_classes
    ag.check(partial(_check_range, classes, None, "one_hot"), y)
    return ag.equal(ag.expand_dims(y, -1), np.arange(classes)).astype("int64")


def _check_range(classes: int, ignore_index: int | None, who: str, labels: NDArray[Any]) -> None:
    wrong = (labels < 0) | (labels >= classes)
    if ignore_index is not None:
        wrong &= labels != ignore_index
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise IndexOutOfRange(
            f"{who} was given the label {labels[where]} at position {where}. Expected 0 to {classes - 1}."
            "\nWrite target - 1 if labels start at 1"
            + (f", or ignore_index={labels[where]} to leave it out." if ignore_index is not None else ".")
        )


def picked(
    logp: Tensor, labels: NDArray[Any], counted: NDArray[Any], weight: Array | None, axis: int, who: str
) -> tuple[Tensor, Tensor | None]:
    """-w_y log p_y of each sample, of class 0 where the label is ignored; and the weights w_y, None if all are 1."""
    known = np.where(counted, labels, 0)
    losses = -ag.squeeze(ag.take_along_axis(logp, np.expand_dims(known, axis), axis), axis)
    if weight is None:
        return losses, None
    shares = ag.take(class_weights(logp, weight, axis, who), known)
    return shares * losses, shares


def averaged(losses: Tensor, counted: NDArray[Any], shares: Tensor | None, reduction: str) -> Tensor:
    """The losses that count, reduced; their mean is over the shares."""
    captured = ag.is_captured(counted)  # then how many count is not known yet
    every = not captured and bool(np.all(counted))
    if not every:
        losses = ag.where(counted, losses, 0.0)
    if reduction != "mean" or (every and shares is None):
        return reduced(losses, reduction)
    if captured:
        some = ag.sum(ag.where(counted, 1.0 if shares is None else shares, ag.zeros((), dtype=losses.dtype)))
        ag.check(check_some, some)
        return ag.sum(losses) / some
    total = int(np.sum(counted)) if shares is None else ag.sum(shares * counted)
    check_some(total)
    return ag.sum(losses) / total


def check_some(total: Any) -> None:
    """Refuse a mean over shares that come to nothing."""
    if not np.all(total):
        raise DataError(
            "a mean was asked for of losses none of which counts: labels are ignore_index, or of weight 0.\n"
            "Leave such batches out, or write reduction='sum'."
        )


def along(weights: Tensor, x: Tensor, axis: int) -> Tensor:
    """Weights of classes, shaped to broadcast along the axis of x that holds them."""
    return ag.reshape(weights, (-1,) + (1,) * (x.ndim - 1 - axis))
