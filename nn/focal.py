"""Focal losses: cross-entropy in which samples that are already classified well count for little."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.labels import averaged, class_axis, class_labels, class_weights
from nn.losses import FEW, Array, Loss, check_reduction, check_worst, matched, reduced
from nn.module import Buffer


def _modulated(z: Tensor, gamma: float) -> Tensor:
    """-(1 - p)^gamma log p for p = sigmoid(z): 1 - p as e^-softplus(z) has finite slopes of any order."""
    return ag.softplus(-z) * ag.exp(-gamma * ag.softplus(z))


@ag.fused(smallest=FEW)
def _sigmoid_focal(x: Tensor, y: Tensor, gamma: float, one: float, zero: float, *, reduction: str) -> Tensor:
    check_worst(_off_binary, y, partial(_refuse_label, "sigmoid_focal_loss"))
    return reduced((zero + (one - zero) * y) * _modulated((2 * y - 1) * x, gamma), reduction)


@ag.fused(smallest=FEW)
def _softmax_focal(x: Tensor, labels: Tensor, own: Tensor, gamma: float, *, axis: int) -> Tensor:
    x = x - ag.stop_gradient(ag.max(x, axis, keepdims=True))  # z is a difference: what all logits share cancels
    others = ag.logsumexp(ag.where(own, -ag.inf, x), axis)
    return _modulated(ag.squeeze(ag.take_along_axis(x, labels, axis), axis) - others, gamma)


def sigmoid_focal_loss(
    input: Array, target: Array, alpha: float = 0.25, gamma: float = 2.0, *, reduction: str = "mean"
) -> Tensor:
    """-a (1 - p)^gamma log p for each logit, p the probability of its label (Lin et al. 2017).

    p = sigmoid(x) and a = alpha for y = 1; p = 1 - sigmoid(x) and a = 1 - alpha for y = 0. The formula of torchvision,
    whose default is reduction="none".

    Parameters:
        input: logits x, of any shape.
        target: labels y, 0 or 1, of the same shape; cast to the dtype of the input.
        alpha: how much positives count, 0 to 1; -1 for a = 1 throughout.
        gamma: how little easy samples count, 0 or more; 0 is cross-entropy.
        reduction: "none" for the loss of each element, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for other labels than 0 and 1, another alpha or gamma, or an unknown reduction.

    >>> sigmoid_focal_loss([0.0, -1e4], [1, 1], reduction="none")
    tensor([4.33216988e-02, 2.50000000e+03])
    """
    who = "sigmoid_focal_loss"
    check_reduction(reduction, who)
    _check_alpha(alpha, who)
    _check_gamma(gamma, who)
    x, y = matched(input, target, who)
    one, zero = (1.0, 1.0) if alpha == -1 else (float(alpha), 1.0 - alpha)
    return _sigmoid_focal(x, y, float(gamma), one, zero, reduction=reduction)


def softmax_focal_loss(
    input: Array,
    target: Array,
    weight: Array | None = None,
    gamma: float = 2.0,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-w_y (1 - p_y)^gamma log p_y for each sample of class y, p = softmax(x) (Lin et al. 2017).

    With gamma = 0 it is `cross_entropy`, whose means it takes. PyTorch has no such function.

    Parameters:
        input, target, weight, ignore_index, reduction: as of `cross_entropy` with class indices.
        gamma: how little easy samples count, 0 or more.

    Raises:
        ShapeError, DTypeError, IndexOutOfRange, DataError: as `cross_entropy`.
        ArgumentError: for another gamma, or an unknown reduction.

    >>> softmax_focal_loss([[0.0, 0.0], [1e4, 0.0]], [1, 1], reduction="none")
    tensor([1.73286795e-01, 1.00000000e+04])
    """
    who = "softmax_focal_loss"
    check_reduction(reduction, who)
    _check_gamma(gamma, who)
    x, axis = class_axis(input, who)
    labels = class_labels(x, ag.asarray(target), ignore_index, axis, who)
    counted = labels != ignore_index
    known = np.where(counted, labels, 0)
    places = np.expand_dims(known, axis)
    own = places == np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - 1 - axis))
    losses = _softmax_focal(x, ag.asarray(places), ag.asarray(own), float(gamma), axis=axis)
    if weight is None:
        return averaged(losses, counted, None, reduction)
    shares = ag.take(class_weights(x, weight, axis, who), known)
    return averaged(shares * losses, counted, shares, reduction)


def _off_binary(y: Tensor) -> Tensor:
    return ag.max(ag.minimum(ag.abs(y), ag.abs(y - 1)))


def _refuse_label(who: str, worst: NDArray[Any], y: NDArray[Any]) -> None:
    if not (worst <= 0).all():
        raise ArgumentError(
            f"{who} was given the label {y[(y != 0) & (y != 1)].flat[0]:g}. Expected 0 and 1: write (target + 1) / 2 "
            "for labels -1 and +1."
        )


def _check_alpha(alpha: float, who: str) -> None:
    if alpha != -1 and not 0 <= alpha <= 1:
        raise ArgumentError(f"{who} was given alpha={alpha}. Expected 0 to 1, or -1 to count all alike.")


def _check_gamma(gamma: float, who: str) -> None:
    if not 0 <= gamma < ag.inf:
        raise ArgumentError(f"{who} was given gamma={gamma}. Expected 0 or more: 0 is cross-entropy, 2 the usual.")


class SigmoidFocalLoss(Loss):
    """Focal loss of two classes, from logits: see `nn.functional.sigmoid_focal_loss`.

    >>> SigmoidFocalLoss(alpha=0.5, gamma=1.0)([0.0], [1])
    tensor(0.1732868)
    """

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        _check_alpha(alpha, "SigmoidFocalLoss")
        _check_gamma(gamma, "SigmoidFocalLoss")
        self.alpha, self.gamma = alpha, gamma

    def forward(self, input: Array, target: Array) -> Tensor:
        """Logits and labels to losses."""
        return sigmoid_focal_loss(input, target, self.alpha, self.gamma, reduction=self.reduction)


class SoftmaxFocalLoss(Loss):
    """Focal loss of many classes, from logits: see `nn.functional.softmax_focal_loss`.

    >>> SoftmaxFocalLoss()([[0.0, 0.0]], [1])
    tensor(0.1732868)
    """

    def __init__(
        self, weight: Array | None = None, gamma: float = 2.0, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        _check_gamma(gamma, "SoftmaxFocalLoss")
        self.weight = None if weight is None else Buffer(weight)
        self.gamma, self.ignore_index = gamma, ignore_index

    def forward(self, input: Array, target: Array) -> Tensor:
        """Logits and class indices to losses."""
        return softmax_focal_loss(
            input, target, self.weight, self.gamma, ignore_index=self.ignore_index, reduction=self.reduction
        )
