"""Losses between numbers: squared, absolute, between the two, and quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.losses import FEW, Array, Loss, check_positive, check_reduction, matched, reduced, scores

_LIMIT = ", as l1_loss is the limit at 0"

Quantiles: TypeAlias = float | Sequence[float] | NDArray[Any]


@ag.fused
def _squared(f: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    return reduced(ag.square(f - y), reduction)


@ag.fused
def _absolute(f: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    return reduced(ag.abs(f - y), reduction)


@ag.fused(smallest=FEW)
def _huber(f: Tensor, y: Tensor, delta: float, *, reduction: str) -> Tensor:
    error = f - y
    near = ag.clip(error, -delta, delta)
    return reduced(near * (error - 0.5 * near), reduction)


@ag.fused(smallest=FEW)
def _log_cosh(f: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    error = f - y
    near = ag.abs(error) < 1
    inner = ag.where(near, error, 0.0)
    outer = ag.where(near, 1.0, ag.abs(error))
    exact = -0.5 * ag.log1p(-ag.square(ag.tanh(inner)))  # cosh^-2 = 1 - tanh^2: no cancellation near 0
    return reduced(ag.where(near, exact, outer + ag.softplus(-2 * outer) - math.log(2)), reduction)


@ag.fused(smallest=FEW)
def _pinball(f: Tensor, y: Tensor, q: float | Tensor, *, reduction: str) -> Tensor:
    error = y - f
    return reduced(q * ag.relu(error) + (1 - q) * ag.relu(-error), reduction)


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
    check_positive(delta, "huber_loss", "delta", _LIMIT)
    return _huber(*matched(input, target, "huber_loss"), delta, reduction=reduction)


def smooth_l1_loss(input: Array, target: Array, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """The Huber loss over beta: e^2 / (2 beta) where e = |f - y| <= beta, else e - beta / 2 (Girshick 2015).

    Parameters, shapes and errors are those of `mse_loss`; beta is positive.

    >>> smooth_l1_loss([1.0, 2.0], [1.0, 4.0], reduction="none", beta=0.5)
    tensor([0. , 1.75])
    """
    check_positive(beta, "smooth_l1_loss", "beta", _LIMIT)
    return huber_loss(input, target, reduction=reduction, delta=beta) / beta


def log_cosh_loss(input: Array, target: Array, *, reduction: str = "mean") -> Tensor:
    """log cosh(f - y) for each element: e^2 / 2 near zero, |e| - log 2 far from it, smooth everywhere.

    Parameters, shapes and errors are those of `mse_loss`.

    >>> log_cosh_loss([0.0, 1e4], [0.0, 0.0], reduction="none")
    tensor([   0. , 9999.30685282])
    """
    check_reduction(reduction, "log_cosh_loss")
    return _log_cosh(*matched(input, target, "log_cosh_loss"), reduction=reduction)


def quantile_loss(input: Array, target: Array, q: Quantiles = 0.5, *, reduction: str = "mean") -> Tensor:
    """q e where e = y - f >= 0, else (q - 1) e: the pinball loss, least at the q-quantile (Koenker & Bassett 1978).

    Its slope where they agree is 0. For q = 1/2 it is half the absolute error.

    Parameters:
        input, target, reduction: as of `mse_loss`; with several quantiles the input has a last axis of them more.
        q: the quantile that is to be predicted, between 0 and 1, or several of them.

    Raises:
        ShapeError: if the shapes do not fit, even where they would broadcast.
        ArgumentError: for another q, or an unknown reduction.

    >>> quantile_loss([0.0, 0.0], [1.0, -1.0], q=0.9, reduction="none")
    tensor([0.9, 0.1])
    >>> quantile_loss([[0.0, 0.0]], [1.0], q=(0.1, 0.9), reduction="none")
    tensor([[0.1, 0.9]])
    """
    check_reduction(reduction, "quantile_loss")
    q = _quantiles(q, "quantile_loss")
    if not isinstance(q, tuple):
        return _pinball(*matched(input, target, "quantile_loss"), q, reduction=reduction)
    f, y = scores(input, "quantile_loss"), ag.asarray(target)
    if f.shape != (*y.shape, len(q)):
        raise ShapeError(
            f"quantile_loss was given an input of shape {f.shape} and a target of shape {y.shape} for {len(q)} "
            f"quantiles. Expected an input of shape {(*y.shape, len(q))}: a prediction of each."
        )
    y = ag.broadcast_to(ag.asarray(y, f.dtype)[..., None], f.shape)
    return _pinball(f, y, ag.asarray(q, f.dtype), reduction=reduction)


def _quantiles(q: Quantiles, who: str) -> float | tuple[float, ...]:
    """One quantile, or several as a tuple."""
    several = tuple(q) if isinstance(q, (Sequence, np.ndarray)) else (q,)
    if not several or not all(0 < one < 1 for one in several):
        raise ArgumentError(
            f"{who} was given q={q}. Expected a quantile between 0 and 1: write q / 100 for a percentage."
        )
    return tuple(map(float, several)) if isinstance(q, (Sequence, np.ndarray)) else q


mean_squared_error, mean_absolute_error = mse_loss, l1_loss  # their names in statistics


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
        check_positive(delta, "HuberLoss", "delta", _LIMIT)
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
        check_positive(beta, "SmoothL1Loss", "beta", _LIMIT)
        self.beta = beta

    def forward(self, input: Array, target: Array) -> Tensor:
        """Predictions and targets to losses."""
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class LogCoshLoss(Loss):
    """Quadratic near zero, linear far from it, and smooth: see `nn.functional.log_cosh_loss`.

    >>> LogCoshLoss()([1e4], [0.0])
    tensor(9999.30685282)
    """

    def forward(self, input: Array, target: Array) -> Tensor:
        """Predictions and targets to losses."""
        return log_cosh_loss(input, target, reduction=self.reduction)


class QuantileLoss(Loss):
    """The pinball loss, least at the q-quantile: see `nn.functional.quantile_loss`.

    >>> QuantileLoss(0.9)([0.0], [1.0])
    tensor(0.9)
    """

    def __init__(self, q: Quantiles = 0.5, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.q = _quantiles(q, "QuantileLoss")

    def forward(self, input: Array, target: Array) -> Tensor:
        """Predictions and targets to losses."""
        return quantile_loss(input, target, self.q, reduction=self.reduction)
