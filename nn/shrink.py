"""Shrinkage: small values to 0."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.module import Module


def _expect_width(lambd: float, who: str) -> None:
    if not lambd >= 0:
        raise ArgumentError(f"{who} was given lambd={lambd}. Expected a number that is not negative.")


@ag.fused
def _hardshrink(x: Tensor, lambd: float) -> Tensor:
    return ag.where(abs(x) <= lambd, 0.0, x)


@ag.fused
def _softshrink(x: Tensor, lambd: float) -> Tensor:
    return x - ag.clip(x, -lambd, lambd)


def hardshrink(x: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0; its slope where |x| = lambd is 0.

    Raises:
        ArgumentError: if lambd is negative.

    >>> hardshrink(ag.tensor([-0.3, 0.5, 2.0]))
    tensor([0., 0., 2.])
    """
    _expect_width(lambd, "hardshrink")
    return _hardshrink(x, lambd)


def softshrink(x: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, and no further; its slope where |x| = lambd is 0.

    Raises:
        ArgumentError: if lambd is negative.

    >>> softshrink(ag.tensor([-0.75, 0.25, 2.0]))
    tensor([-0.25, 0. , 1.5 ])
    """
    _expect_width(lambd, "softshrink")
    return _softshrink(x, lambd)


@ag.fused
def tanhshrink(x: Tensor) -> Tensor:
    """x - tanh(x).

    >>> tanhshrink(ag.tensor([0.0, 1e4]))
    tensor([ 0., 9999.])
    """
    return x - ag.tanh(x)


class Hardshrink(Module):
    """See `nn.functional.hardshrink`.

    >>> Hardshrink()(ag.tensor([-0.3, 0.5, 2.0]))
    tensor([0., 0., 2.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        _expect_width(lambd, "Hardshrink")
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return hardshrink(x, self.lambd)

    def extra_repr(self) -> str:
        """The width."""
        return f"{self.lambd}"


class Softshrink(Module):
    """See `nn.functional.softshrink`.

    >>> Softshrink()(ag.tensor([-0.75, 0.25, 2.0]))
    tensor([-0.25, 0. , 1.5 ])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        _expect_width(lambd, "Softshrink")
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return softshrink(x, self.lambd)

    def extra_repr(self) -> str:
        """The width."""
        return f"{self.lambd}"


class Tanhshrink(Module):
    """See `nn.functional.tanhshrink`.

    >>> Tanhshrink()(ag.tensor([0.0, 1e4]))
    tensor([ 0., 9999.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return tanhshrink(x)
