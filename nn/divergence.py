"""Losses between distributions given as probabilities: categorical cross-entropy, and Kullback and Leibler's."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.labels import class_axis, class_labels
from nn.losses import (
    FEW,
    REDUCTIONS,
    Array,
    Loss,
    check_not_negative,
    check_reduction,
    check_unit,
    check_worst,
    matched,
    reduced,
)

_LOGITS = "Give logits to cross_entropy, or write ag.softmax(input, 1)."
_COUNTS = "Write target / target.sum(1, keepdims=True) for counts."
_LOGARITHMS = "Write ag.exp(target), or log_target=True, if they are logarithms."


@ag.fused(smallest=FEW)
def _cross(p: Tensor, q: Tensor, floor: float, *, axis: int, reduction: str) -> Tensor:
    check_unit(p, "categorical_cross_entropy", "probabilities", _LOGITS)
    check_worst(partial(_off_sum, axis=axis), p, partial(_check_sums, axis))
    check_unit(q, "categorical_cross_entropy", "targets", _COUNTS)
    none = p < floor
    log_p = ag.where(none, -100.0, ag.log(ag.where(none, 1.0, p)))
    return reduced(-ag.sum(q * log_p, axis), reduction)


@ag.fused(smallest=FEW)
def _divergence(log_q: Tensor, p: Tensor, *, reduction: str) -> Tensor:
    check_not_negative(p, "kl_div", "probability", _LOGARITHMS)
    none = p == 0
    log_p = ag.log(ag.where(none, 1.0, p))
    return _reduced(p * (log_p - ag.where(none, 0.0, log_q)), reduction)


@ag.fused(smallest=FEW)
def _log_divergence(log_q: Tensor, log_p: Tensor, *, reduction: str) -> Tensor:
    none = log_p == -math.inf
    p = ag.exp(log_p)
    return _reduced(p * (ag.where(none, 0.0, log_p) - ag.where(none, 0.0, log_q)), reduction)


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    return ag.sum(losses) / len(losses) if reduction == "batchmean" else reduced(losses, reduction)


def categorical_cross_entropy(input: Array, target: Array, *, reduction: str = "mean") -> Tensor:
    """-sum over c of y_c log p_c for each sample, each logarithm at least -100 as in `binary_cross_entropy`.

    For probabilities; logits go to `cross_entropy`, which is exact and has a slope everywhere. PyTorch has no such
    function.

    Parameters:
        input: probabilities p of shape (N, C), (N, C, ...) or (C,), with sum 1 over the C classes.
        target: y, distributions or one-hot rows of the shape of the input; or ("sparse") class indices, one for each
            sample, of shape (N,), (N, ...) or ().
        reduction: "none" for the loss of each sample, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes do not belong together.
        IndexOutOfRange: if a label is not among the C classes.
        ArgumentError: for probabilities or targets outside 0 to 1, for sums other than 1, or an unknown reduction.

    >>> categorical_cross_entropy([[0.25, 0.75]], [[0, 1]])
    tensor(0.28768207)
    >>> categorical_cross_entropy([[0.25, 0.75]], [1])
    tensor(0.28768207)
    """
    who = "categorical_cross_entropy"
    check_reduction(reduction, who)
    p, axis = class_axis(input, who)
    y = ag.asarray(target)
    if y.shape != p.shape:
        labels = np.expand_dims(class_labels(p, y, None, axis, who), axis)
        lengths = (-1,) + (1,) * (p.ndim - 1 - axis)
        y = ag.asarray(labels == np.arange(p.shape[axis]).reshape(lengths))
    y = ag.asarray(y, p.dtype)
    floor = max(math.exp(-100), float(np.finfo(p.dtype).tiny))  # below it 1 / p may overflow
    return _cross(p, y, floor, axis=axis, reduction=reduction)


def _off_sum(p: Tensor, *, axis: int) -> Tensor:
    return ag.max(ag.abs(ag.sum(p, axis) - 1))


def _check_sums(axis: int, worst: NDArray[Any], p: NDArray[Any]) -> None:
    if (worst > 1e-3).any():
        sums = p.sum(worst.ndim + axis)
        far = sums.flat[np.abs(sums - 1).argmax()]
        raise ArgumentError(
            f"categorical_cross_entropy was given probabilities with sum {far:g}. Expected 1 over the classes."
            f"\n{_LOGITS}"
        )


def kl_div(input: Array, target: Array, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """p (log p - log q) for each element: the Kullback-Leibler divergence of q from p, before it is summed.

    Where p = 0 the loss is 0. The divergence itself, sum p log(p / q) for each sample, then averaged over samples, is
    reduction="batchmean"; "mean" divides by the number of elements, as in PyTorch.

    Parameters:
        input: log q, log-probabilities as `log_softmax` gives them, of any shape.
        target: p of the same shape, or log p if `log_target`; cast to the dtype of the input.
        reduction: "none" for each element, "batchmean" for the sum over the length of the first axis, "mean", "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for negative probabilities, or an unknown reduction.

    >>> kl_div(ag.log(ag.tensor([[0.5, 0.5]])), [[1.0, 0.0]], reduction="batchmean")
    tensor(0.69314718)
    """
    check_reduction(reduction, "kl_div", (*REDUCTIONS, "batchmean"))
    log_q, p = matched(input, target, "kl_div")
    if reduction == "batchmean" and not (p.ndim and len(p)):
        raise ShapeError(f"kl_div was given shape {p.shape} and reduction='batchmean'. Expected a batch: (N, ...).")
    return (_log_divergence if log_target else _divergence)(log_q, p, reduction=reduction)


class CategoricalCrossEntropyLoss(Loss):
    """Categorical cross-entropy of probabilities: see `nn.functional.categorical_cross_entropy`.

    >>> CategoricalCrossEntropyLoss()([[0.25, 0.75]], [[0, 1]])
    tensor(0.28768207)
    """

    def forward(self, input: Array, target: Array) -> Tensor:
        """Probabilities, and distributions or class indices, to losses."""
        return categorical_cross_entropy(input, target, reduction=self.reduction)


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence: see `nn.functional.kl_div`.

    >>> KLDivLoss(reduction="batchmean")(ag.log(ag.tensor([[0.5, 0.5]])), [[1.0, 0.0]])
    tensor(0.69314718)
    """

    allowed = (*REDUCTIONS, "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: Array, target: Array) -> Tensor:
        """Log-probabilities and target distributions to losses."""
        return kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
