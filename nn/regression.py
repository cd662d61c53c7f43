"""Losses between numbers: squared, absolute, and between the two."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.losses import Array, Loss, check_reduction, matched, reduced


@ag.fused
def _squared(f: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    return reduced(ag.square(f - y), reduction)


@ag.fused
def _absolute(f: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    return reduced(ag.abs(f - y), reduction)


@ag.fused
def _huber(f: Tensor, y: Tensor, delta: float, *, reduction: str) -> Tensor:
    error = f - y
    size = ag.abs(error)
    return reduced(ag.where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta)), reduction)


def mse_loss(input: Array, target: Array, *, reduction: str = "mean") -> Tensor:
    """Mean squared error: (f - y)^2 for each element, and by default its mean, the cost.

    Parameters:
        input: predictions f, floating, of any shape.
        target: y, of the same shape; cast to the dtype of the input.
        reduction: "none" for the loss of each element, "mean" for the cost (1/n) sum (y - f)^2, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for an unknown reduction.

    >>> mse_loss([1.0, 2.0], [1.0, 4.0])
    tensor(2.)
    """
    check_reduction(reduction, "mse_loss")
    return _squared(*matched(input, target, "mse_loss"), reduction=reduction)


def l1_loss(input: Array, target: Array, *, reduction: str = "mean") -> Tensor:
    """Mean absolute error: |f - y| for each element, and by default its mean; its slope where they agree is 0.

    Parameters, shapes and errors are those of `mse_loss`.

    >>> l1_loss([1.0, 2.0], [1.0, 4.0])
    tensor(1.)
    """
    check_reduction(reduction, "l1_loss")
    return _absolute(*matched(input, target, "l1_loss"), reduction=reduction)


def huber_loss(input: Array, target: Array, *, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """With e = |f - y|: e^2 / 2 where e <= delta, else delta e - delta^2 / 2 (Huber 1964).

    Parameters, shapes and errors are those of `mse_loss`; delta is positive.

    >>> huber_loss([1.0, 2.0], [1.0, 4.0], reduction="none")
    tensor([0. , 1.5])
    """
    check_reduction(reduction, "huber_loss")
    _positive(delta, "huber_loss", "delta")
    return _huber(*matched(input, target, "huber_loss"), delta, reduction=reduction)


def smooth_l1_loss(input: Array, target: Array, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """The Huber loss over beta: e^2 / (2 beta) where e = |f - y| <= beta, else e - beta / 2 (Girshick 2015).

    Parameters, shapes and errors are those of `mse_loss`; beta is positive.

    >>> smooth_l1_loss([1.0, 2.0], [1.0, 4.0], reduction="none", beta=0.5)
    tensor([0. , 1.75])
    """
    _positive(beta, "smooth_l1_loss", "beta")
    return huber_loss(input, target, reduction=reduction, delta=beta) / beta


def _positive(value: float, who: str, name: str) -> None:
    if not value > 0:
        raise ArgumentError(
            f"{who} was given {name}={value}. Expected a positive number, as l1_loss is the limit at 0."
        )


class MSELoss(Loss):
    """Mean squared error: see `nn.functional.mse_loss`.

    >>> MSELoss()([1.0, 2.0], [1.0, 4.0])
    tensor(2.)
    """

    def forward(self, input: Array, target: Array) -> Tensor:
        """Predictions and targets to losses."""
        return mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """Mean absolute error: see `nn.functional.l1_loss`.

    >>> L1Loss()([1.0, 2.0], [1.0, 4.0])
    tensor(1.)
    """

    def forward(self, input: Array, target: Array) -> Tensor:
        """Predictions and targets to losses."""
        return l1_loss(input, target, reduction=self.reduction)


class HuberLoss(Loss):
    """Quadratic near zero, linear beyond `delta`: see `nn.functional.huber_loss`.

    >>> HuberLoss(delta=2.0)([0.0], [4.0])
    tensor(6.)
    """

    def __init__(self, *, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        _positive(delta, "HuberLoss", "delta")
        self.delta = delta

    def forward(self, input: Array, target: Array) -> Tensor:
        """Predictions and targets to losses."""
        return huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(Loss):
    """The Huber loss over `beta`: see `nn.functional.smooth_l1_loss`.

    >>> SmoothL1Loss(beta=2.0)([0.0], [4.0])
    tensor(3.)
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        _positive(beta, "SmoothL1Loss", "beta")
        self.beta = beta

    def forward(self, input: Array, target: Array) -> Tensor:
        """Predictions and targets to losses."""
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)
