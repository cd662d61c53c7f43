"""Negative log-likelihoods of numbers: counts with a Poisson rate, and values with a Gaussian mean and variance."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Tensor
from autograd.errors import ShapeError
from nn.losses import FEW, Array, Loss, check_not_negative, check_positive, check_reduction, matched, reduced

_RATES = "Write log_input=True for log-rates, or ag.softplus(input)."
_VARIANCES = "Write ag.exp(var) for log-variances, ag.square(var) for standard deviations."


@ag.fused(smallest=FEW)
def _poisson(x: Tensor, y: Tensor, eps: float, *, log_input: bool, full: bool, reduction: str) -> Tensor:
    check_not_negative(y, "poisson_nll_loss", "count", "Counts start at 0.")
    if not log_input:
        check_not_negative(x, "poisson_nll_loss", "rate", _RATES)
    losses = ag.exp(x) - y * x if log_input else x - y * ag.log(x + eps)
    if full:
        large = y > 1
        k = ag.where(large, y, 1.0)
        losses = losses + ag.where(large, k * ag.log(k) - k + 0.5 * ag.log(2 * math.pi * k), 0.0)
    return reduced(losses, reduction)


@ag.fused(smallest=FEW)
def _gaussian(f: Tensor, y: Tensor, var: Tensor, eps: float, *, full: bool, reduction: str) -> Tensor:
    check_not_negative(var, "gaussian_nll_loss", "variance", _VARIANCES)
    kept = var + ag.stop_gradient(ag.relu(eps - var))
    losses = 0.5 * (ag.log(kept) + ag.square(f - y) / kept)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def poisson_nll_loss(
    input: Array,
    target: Array,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """e^x - y x for each log-rate x and count y; r - y log(r + eps) for rates r with log_input=False.

    The term log y! of the likelihood, which no prediction changes, is left out; with `full` it is added where y > 1, by
    Stirling's formula y log y - y + log(2 pi y) / 2. e^x is infinite where it leaves the dtype: beyond x = 88 in
    float32, 709 in float64.

    Parameters:
        input: log-rates x, or rates r >= 0, floating, of any shape.
        target: counts y >= 0 of the same shape; cast to the dtype of the input.
        log_input: whether the input is the logarithm of the rate.
        full: whether to add Stirling's term.
        eps: keeps log(r + eps) finite at a rate of 0.
        reduction: "none" for the loss of each element, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for negative counts or rates, an eps that is not positive, or an unknown reduction.

    >>> poisson_nll_loss([0.0, 1.0], [3.0, 0.0], reduction="none")
    tensor([1.        , 2.71828183])
    """
    who = "poisson_nll_loss"
    check_reduction(reduction, who)
    check_positive(eps, who, "eps")
    x, y = matched(input, target, who)
    return _poisson(x, y, eps, log_input=log_input, full=full, reduction=reduction)


def gaussian_nll_loss(
    input: Array, target: Array, var: Array, full: bool = False, *, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(log v + (f - y)^2 / v) / 2 for each mean f and value y, where v = max(var, eps) (Nix & Weigend 1994).

    The constant log(2 pi) / 2 is added with `full`. Where var < eps its slope is the one at eps, as in PyTorch: a
    variance that has become too small can grow again.

    Parameters:
        input: means f, floating, of any shape.
        target: y of the same shape; cast to the dtype of the input.
        var: variances, 0 or more: a number, of the shape of the input, of that shape with axes of length 1, or without
            its last axis.
        full: whether to add the constant.
        eps: the smallest variance.
        reduction: "none" for the loss of each element, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes do not belong together.
        ArgumentError: for negative variances, an eps that is not positive, or an unknown reduction.

    >>> gaussian_nll_loss([0.0, 0.0], [2.0, 2.0], [1.0, 4.0], reduction="none")
    tensor([2.        , 1.19314718])
    """
    who = "gaussian_nll_loss"
    check_reduction(reduction, who)
    check_positive(eps, who, "eps")
    f, y = matched(input, target, who)
    v = ag.asarray(var, f.dtype)
    if v.ndim and v.shape == f.shape[:-1]:
        v = ag.expand_dims(v, -1)
    if v.ndim and (v.ndim != f.ndim or any(n not in (1, m) for n, m in zip(v.shape, f.shape, strict=True))):
        raise ShapeError(
            f"{who} was given an input of shape {f.shape} and a var of shape {v.shape}. "
            "Expected equal shapes, one variance for each row, or a number."
        )
    return _gaussian(f, y, v, eps, full=full, reduction=reduction)


class PoissonNLLLoss(Loss):
    """Negative log-likelihood of counts: see `nn.functional.poisson_nll_loss`.

    >>> PoissonNLLLoss()([0.0], [3.0])
    tensor(1.)
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        check_positive(eps, "PoissonNLLLoss", "eps")
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: Array, target: Array) -> Tensor:
        """Log-rates or rates, and counts, to losses."""
        return poisson_nll_loss(input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction)


class GaussianNLLLoss(Loss):
    """Negative log-likelihood of values with predicted mean and variance: see `nn.functional.gaussian_nll_loss`.

    >>> GaussianNLLLoss()([0.0], [2.0], [1.0])
    tensor(2.)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        check_positive(eps, "GaussianNLLLoss", "eps")
        self.full, self.eps = full, eps

    def forward(self, input: Array, target: Array, var: Array) -> Tensor:
        """Means, values and variances to losses."""
        return gaussian_nll_loss(input, target, var, self.full, eps=self.eps, reduction=self.reduction)
