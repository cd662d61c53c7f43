"""Smooth activations, as functions and as modules."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.module import Module


@ag.fused
def _gelu(x: Tensor) -> Tensor:
    return x * ag.ndtr(x)


@ag.fused
def _gelu_tanh(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + ag.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """The Gaussian error linear unit x Phi(x), Phi the standard normal's distribution (Hendrycks & Gimpel 2016).

    x ndtr(x) for "none"; x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 for "tanh".

    Raises:
        ArgumentError: for another `approximate`.

    >>> gelu(ag.tensor([0.0, 1.0]))
    tensor([0. , 0.84134475])
    """
    if approximate == "none":
        return _gelu(x)
    if approximate == "tanh":
        return _gelu_tanh(x)
    raise ArgumentError(f"gelu was given approximate={approximate!r}. Expected 'none' or 'tanh'.")


@ag.fused
def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta; x itself where beta x > threshold, as in PyTorch.

    >>> softplus(ag.tensor([0.0, 100.0]))
    tensor([ 0.69314718, 100. ])
    """
    return ag.where(x * beta > threshold, x, ag.softplus(beta * x) / beta)


@ag.fused
def logsigmoid(x: Tensor) -> Tensor:
    """log(1 / (1 + e^-x)), without overflow.

    >>> logsigmoid(ag.tensor([0.0, -1e4]))
    tensor([-6.93147181e-01, -1.00000000e+04])
    """
    return -ag.softplus(-x)


@ag.fused
def softsign(x: Tensor) -> Tensor:
    """x / (1 + |x|).

    >>> softsign(ag.tensor([0.0, -1.0]))
    tensor([ 0. , -0.5])
    """
    x = ag.clip(x, -1e30, 1e30)  # so far out it is 1, and inf / inf would be NaN
    return x / (1 + abs(x))


class Tanh(Module):
    """The hyperbolic tangent.

    >>> Tanh()(ag.tensor(0.0))
    tensor(0.)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return ag.tanh(x)


class Sigmoid(Module):
    """1 / (1 + e^-x).

    >>> Sigmoid()(ag.tensor(0.0))
    tensor(0.5)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return ag.sigmoid(x)


class GELU(Module):
    """See `nn.functional.gelu`.

    >>> GELU()(ag.tensor(0.0)).item()
    0.0
    """

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ArgumentError(f"GELU was given approximate={approximate!r}. Expected 'none' or 'tanh'.")
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Which form."""
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """See `nn.functional.softplus`.

    >>> Softplus()(ag.tensor(30.0))
    tensor(30.)
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The sharpness, and where it is taken for straight."""
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """See `nn.functional.logsigmoid`.

    >>> LogSigmoid()(ag.tensor([0.0, -1e4]))
    tensor([-6.93147181e-01, -1.00000000e+04])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return logsigmoid(x)


class Softsign(Module):
    """See `nn.functional.softsign`.

    >>> Softsign()(ag.tensor([0.0, -1.0]))
    tensor([ 0. , -0.5])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return softsign(x)
