"""Losses between two classes: cross-entropy, from probabilities or logits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd import Tensor
from nn.losses import FEW, Array, Loss, check_reduction, check_unit, matched, reduced
from nn.module import Buffer

_SIGNS = "Write (target + 1) / 2 for labels -1 and +1."
_LOGITS = "Give logits to binary_cross_entropy_with_logits, or write ag.sigmoid(input)."


@ag.fused(smallest=FEW)
def _certain(p: Tensor, y: Tensor, weight: Tensor | float, floor: float, *, reduction: str) -> Tensor:
    check_unit(p, "binary_cross_entropy", "probabilities", _LOGITS)
    check_unit(y, "binary_cross_entropy", "targets", _SIGNS)
    zero, one = p < floor, 1 - p < floor
    log_p = ag.where(zero, -100.0, ag.log(ag.where(zero, 1.0, p)))
    log_q = ag.where(one, -100.0, ag.log1p(-ag.where(one, 0.0, p)))
    return reduced(-weight * (y * log_p + (1 - y) * log_q), reduction)


@ag.fused(smallest=FEW)
def _logistic(x: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    check_unit(y, "binary_cross_entropy_with_logits", "targets", _SIGNS)
    return reduced(y * ag.softplus(-x) + (1 - y) * ag.softplus(x), reduction)


@ag.fused(smallest=FEW)
def _weighted(x: Tensor, y: Tensor, weight: Tensor | float, positive: Tensor | float, *, reduction: str) -> Tensor:
    check_unit(y, "binary_cross_entropy_with_logits", "targets", _SIGNS)
    return reduced(weight * (positive * y * ag.softplus(-x) + (1 - y) * ag.softplus(x)), reduction)


def binary_cross_entropy(
    input: Array, target: Array, weight: Array | None = None, *, reduction: str = "mean"
) -> Tensor:
    """-w (y log p + (1 - y) log(1 - p)) for each element, each logarithm at least -100, as in PyTorch.

    Where a logarithm is cut off, at probabilities of 0 and 1, its slope is 0; logits have a slope everywhere: with
    `sigmoid` as the last layer, leave it out and use `binary_cross_entropy_with_logits`.

    Parameters:
        input: probabilities p, 0 to 1, of any shape.
        target: y, 0 to 1, of the same shape; cast to the dtype of the input.
        weight: w, which broadcasts against them; 1 if None.
        reduction: "none" for the loss of each element, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for probabilities or targets outside 0 to 1, or NaN, or an unknown reduction.

    >>> binary_cross_entropy([0.5, 1.0], [1.0, 1.0], reduction="sum")
    tensor(0.69314718)
    """
    check_reduction(reduction, "binary_cross_entropy")
    p, y = matched(input, target, "binary_cross_entropy")
    floor = max(math.exp(-100), float(np.finfo(p.dtype).tiny))  # below it 1 / p may overflow
    return _certain(p, y, _factor(weight, p), floor, reduction=reduction)


def binary_cross_entropy_with_logits(
    input: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """w (c y softplus(-x) + (1 - y) softplus(x)) for each logit x: the cross-entropy of sigmoid(x), without overflow.

    Parameters:
        input: logits x, of any shape.
        target: y, 0 to 1, of the same shape; cast to the dtype of the input.
        weight, pos_weight: w and c, which broadcast against them; 1 if None. c > 1 makes positives count more.
        reduction: "none" for the loss of each element, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for targets outside 0 to 1, or an unknown reduction.

    >>> binary_cross_entropy_with_logits([1e4, -1e4], [1.0, 1.0], reduction="none")
    tensor([    0., 10000.])
    """
    check_reduction(reduction, "binary_cross_entropy_with_logits")
    x, y = matched(input, target, "binary_cross_entropy_with_logits")
    if weight is None and pos_weight is None:
        return _logistic(x, y, reduction=reduction)
    return _weighted(x, y, _factor(weight, x), _factor(pos_weight, x), reduction=reduction)


def _factor(weight: Array | None, x: Tensor) -> Tensor | float:
    return 1.0 if weight is None else ag.asarray(weight, x.dtype)


class BCELoss(Loss):
    """Binary cross-entropy of probabilities: see `nn.functional.binary_cross_entropy`.

    >>> BCELoss()([0.5], [1.0])
    tensor(0.69314718)
    """

    def __init__(self, weight: Array | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = None if weight is None else Buffer(weight)

    def forward(self, input: Array, target: Array) -> Tensor:
        """Probabilities and targets to losses."""
        return binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits: see `nn.functional.binary_cross_entropy_with_logits`.

    >>> BCEWithLogitsLoss()([0.0], [1.0])
    tensor(0.69314718)
    """

    def __init__(
        self, weight: Array | None = None, *, reduction: str = "mean", pos_weight: Array | None = None
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight = None if weight is None else Buffer(weight)
        self.pos_weight = None if pos_weight is None else Buffer(pos_weight)

    def forward(self, input: Array, target: Array) -> Tensor:
        """Logits and targets to losses."""
        settings: dict[str, Any] = {"pos_weight": self.pos_weight, "reduction": self.reduction}
        return binary_cross_entropy_with_logits(input, target, self.weight, **settings)
