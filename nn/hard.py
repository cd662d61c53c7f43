"""Piecewise polynomials in the place of sigmoid curves: no exponential, flat outside of an interval."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.module import Module


def hardtanh(x: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x within [min_val, max_val]; its slope at the bounds is 1, as that of `ag.clip`.

    Raises:
        ArgumentError: if min_val is not below max_val.

    >>> hardtanh(ag.tensor([-2.0, 0.5, 3.0]))
    tensor([-1. , 0.5, 1. ])
    """
    _expect_interval(min_val, max_val, "hardtanh")
    return ag.clip(x, min_val, max_val)


def _expect_interval(low: float, high: float, who: str) -> None:
    if not low < high:
        raise ArgumentError(f"{who} was given min_val={low} and max_val={high}. Expected min_val < max_val.")


@ag.fused
def hardsigmoid(x: Tensor) -> Tensor:
    """x / 6 + 1 / 2 within [0, 1] (Courbariaux et al. 2015); its slope at -3 and 3 is 1 / 6.

    >>> hardsigmoid(ag.tensor([-4.0, 0.0, 4.0]))
    tensor([0. , 0.5, 1. ])
    """
    return ag.clip(x, -3.0, 3.0) / 6 + 0.5


@ag.fused
def hardswish(x: Tensor) -> Tensor:
    """x hardsigmoid(x) (Howard et al. 2019); its slope is -1 / 2 at -3 and 3 / 2 at 3.

    >>> hardswish(ag.tensor([-4.0, 1.5, 4.0]))
    tensor([-0.   ,  1.125,  4.   ])
    """
    inner = ag.clip(x, -3.0, 3.0)
    return ag.where(x > 3, x, inner * (inner + 3) / 6)


class Hardtanh(Module):
    """See `nn.functional.hardtanh`.

    >>> Hardtanh(-2.0, 2.0)(ag.tensor([-3.0, 0.5, 3.0]))
    tensor([-2. , 0.5, 2. ])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        _expect_interval(min_val, max_val, "Hardtanh")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """The bounds."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class Hardsigmoid(Module):
    """See `nn.functional.hardsigmoid`.

    >>> Hardsigmoid()(ag.tensor([-4.0, 0.0, 4.0]))
    tensor([0. , 0.5, 1. ])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return hardsigmoid(x)


class Hardswish(Module):
    """See `nn.functional.hardswish`.

    >>> Hardswish()(ag.tensor([-4.0, 1.5, 4.0]))
    tensor([-0.   ,  1.125,  4.   ])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return hardswish(x)
