"""Losses that ask for a margin between classes: multi-class hinges, with one label or several for each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from nn.labels import class_labels, class_weights
from nn.losses import FEW, Array, Loss, check_reduction, check_unit, matched, reduced, scores
from nn.module import Buffer


@ag.fused(smallest=FEW)
def _multi(
    x: Tensor, labels: Tensor, others: Tensor, weight: Tensor | float, margin: float, *, p: int, reduction: str
) -> Tensor:
    slack = ag.where(others, ag.relu(margin - ag.take_along_axis(x, labels, -1) + x), 0.0)
    if p == 2:
        slack = ag.square(slack)
    return reduced(ag.sum(weight * slack, -1) / x.shape[-1], reduction)


@ag.fused(smallest=FEW)
def _below(own: Tensor, x: Tensor, others: Tensor) -> Tensor:
    """For each label, by how much its score falls short of a margin above other classes."""
    return ag.sum(ag.where(others, ag.relu(1 - own + x), 0.0), -1)


@ag.fused(smallest=FEW)
def _soft(x: Tensor, y: Tensor, weight: Tensor | float, *, reduction: str) -> Tensor:
    check_unit(y, "multilabel_soft_margin_loss", "targets", "Write (target + 1) / 2 for labels -1 and +1.")
    losses = weight * (y * ag.softplus(-x) + (1 - y) * ag.softplus(x))
    return reduced(ag.sum(losses, -1) / x.shape[-1], reduction)


def multi_margin_loss(
    input: Array,
    target: Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Array | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """sum over c != y of w_y max(0, margin - x_y + x_c)^p / C for each sample of class y: the multi-class hinge.

    (Crammer & Singer 2001 take the largest term, Weston & Watkins 1999 the sum.) The mean is over the samples, whatever
    their weights, as in PyTorch. Its slope at the margin is 0.

    Parameters:
        input: scores x of shape (N, C) or (C,).
        target: class indices y of shape (N,) or ().
        p: 1 or 2.
        margin: by how much the right class should win.
        weight: w of shape (C,); 1 if None.
        reduction: "none" for the loss of each sample, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes do not belong together.
        DTypeError: if class indices are floating.
        IndexOutOfRange: if a label is not among the C classes.
        ArgumentError: for another p, or an unknown reduction.

    >>> multi_margin_loss([[0.1, 0.2, 0.4, 0.8]], [3])
    tensor(0.325)
    """
    who = "multi_margin_loss"
    check_reduction(reduction, who)
    _check_power(p, who)
    x = _rows(input, who)
    labels = np.expand_dims(class_labels(x, ag.asarray(target), None, x.ndim - 1, who), -1)
    w = 1.0 if weight is None else ag.take(class_weights(x, weight, x.ndim - 1, who), labels)
    others = ag.asarray(labels != np.arange(x.shape[-1]))
    return _multi(x, ag.asarray(labels), others, w, margin, p=p, reduction=reduction)


def multilabel_margin_loss(input: Array, target: Array, *, reduction: str = "mean") -> Tensor:
    """sum over labels y and other classes c of max(0, 1 - x_y + x_c) / C for each sample, which may have many labels.

    Its slope at the margin is 0.

    Parameters:
        input: scores x of shape (N, C) or (C,).
        target: class indices of the same shape: the labels of each sample, then -1; what follows counts for nothing.
        reduction: "none" for the loss of each sample, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ.
        DTypeError: if class indices are floating.
        IndexOutOfRange: if a label is neither -1 nor among the C classes.
        ArgumentError: for an unknown reduction.

    >>> multilabel_margin_loss([[0.1, 0.2, 0.4, 0.8]], [[3, 0, -1, 1]])
    tensor(0.85)
    """
    who = "multilabel_margin_loss"
    check_reduction(reduction, who)
    x = _rows(input, who)
    labels = np.atleast_2d(_label_rows(x, ag.asarray(target), who))
    rows = x if x.ndim == 2 else ag.expand_dims(x, 0)
    samples, columns = np.nonzero(np.logical_and.accumulate(labels >= 0, -1))
    known = labels[samples, columns]
    others = np.ones(rows.shape, bool)
    others[samples, known] = False
    short = _below(ag.expand_dims(rows[samples, known], -1), rows[samples], ag.asarray(others[samples]))
    losses = ag.index_add(ag.zeros(len(rows), x.dtype), samples, short) / x.shape[-1]
    return reduced(losses if x.ndim == 2 else ag.squeeze(losses, 0), reduction)


def multilabel_soft_margin_loss(
    input: Array, target: Array, weight: Array | None = None, *, reduction: str = "mean"
) -> Tensor:
    """-sum over c of w_c (y_c log p_c + (1 - y_c) log(1 - p_c)) / C for each sample, p = sigmoid(x), without overflow.

    Parameters:
        input: logits x of shape (..., C).
        target: y, 0 to 1, of the same shape; cast to the dtype of the input.
        weight: w of shape (C,); 1 if None.
        reduction: "none" for the loss of each sample, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for targets outside 0 to 1, or an unknown reduction.

    >>> multilabel_soft_margin_loss([[0.0, 1e4]], [[1, 1]])
    tensor(0.34657359)
    """
    who = "multilabel_soft_margin_loss"
    check_reduction(reduction, who)
    x, y = matched(input, target, who)
    _check_classes(x, who)
    w = 1.0 if weight is None else class_weights(x, weight, x.ndim - 1, who)
    return _soft(x, y, w, reduction=reduction)


def _check_classes(x: Tensor, who: str) -> None:
    if not x.ndim or not x.shape[-1]:
        raise ShapeError(f"{who} was given an input of shape {x.shape}. Expected (N, C) or (C,), C > 0.")


def _rows(input: Array, who: str) -> Tensor:
    x = scores(input, who)
    if x.ndim > 2:
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}. Expected (N, C) or (C,): write input.reshape(-1, C)."
        )
    _check_classes(x, who)
    return x


def _label_rows(x: Tensor, y: Tensor, who: str) -> NDArray[Any]:
    if y.shape != x.shape:
        raise ShapeError(
            f"{who} was given an input of shape {x.shape} and a target of shape {y.shape}.\n"
            "Expected equal shapes: class indices, and -1 after the last of each row."
        )
    if y.dtype.kind not in "iu":
        raise DTypeError(f"{who} was given class indices of dtype {y.dtype}. Write target.astype('int64').")
    labels = y.numpy().astype("int64")
    wrong = (labels < -1) | (labels >= x.shape[-1])
    if wrong.any():
        raise IndexOutOfRange(
            f"{who} was given the label {labels[wrong][0]}. Expected 0 to {x.shape[-1] - 1}, and -1 after the last "
            "label of each row."
        )
    return labels


def _check_power(p: int, who: str) -> None:
    if p not in (1, 2):
        raise ArgumentError(f"{who} was given p={p}. Expected 1 or 2.")


class MultiMarginLoss(Loss):
    """The multi-class hinge: see `nn.functional.multi_margin_loss`.

    >>> MultiMarginLoss()([[0.1, 0.2, 0.4, 0.8]], [3])
    tensor(0.325)
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Array | None = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        _check_power(p, "MultiMarginLoss")
        self.weight = None if weight is None else Buffer(weight)
        self.p, self.margin = p, margin

    def forward(self, input: Array, target: Array) -> Tensor:
        """Scores and class indices to losses."""
        return multi_margin_loss(input, target, self.p, self.margin, self.weight, reduction=self.reduction)


class MultiLabelMarginLoss(Loss):
    """A margin between a sample's labels and other classes: see `nn.functional.multilabel_margin_loss`.

    >>> MultiLabelMarginLoss()([[0.1, 0.2, 0.4, 0.8]], [[3, 0, -1, 1]])
    tensor(0.85)
    """

    def forward(self, input: Array, target: Array) -> Tensor:
        """Scores and rows of class indices to losses."""
        return multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(Loss):
    """Binary cross-entropy of each class, averaged over them: see `nn.functional.multilabel_soft_margin_loss`.

    >>> MultiLabelSoftMarginLoss()([[0.0, 1e4]], [[1, 1]])
    tensor(0.34657359)
    """

    def __init__(self, weight: Array | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = None if weight is None else Buffer(weight)

    def forward(self, input: Array, target: Array) -> Tensor:
        """Logits and targets to losses."""
        return multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)
