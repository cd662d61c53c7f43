"""Activations, as functions and as modules."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.module import Module


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope x (Maas et al. 2013).

    >>> leaky_relu(ag.tensor([-2.0, 3.0]), 0.1)
    tensor([-0.2, 3. ])
    """
    return ag.where(x > 0, x, negative_slope * x)


@ag.fused
def _gelu(x: Tensor) -> Tensor:
    return 0.5 * x * ag.erfc(-math.sqrt(0.5) * x)


@ag.fused
def _gelu_tanh(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + ag.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """The Gaussian error linear unit x Phi(x), Phi the standard normal's distribution (Hendrycks & Gimpel 2016).

    x erfc(-x / sqrt 2) / 2 for "none"; x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 for "tanh".

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
def silu(x: Tensor) -> Tensor:
    """The sigmoid linear unit x / (1 + e^-x), also called swish (Elfwing et al. 2017).

    >>> silu(ag.tensor([0.0, 1.0]))
    tensor([0. , 0.73105858])
    """
    return x * ag.sigmoid(x)


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta; x itself where beta x > threshold, as in PyTorch.

    >>> softplus(ag.tensor([0.0, 100.0]))
    tensor([ 0.69314718, 100. ])
    """
    return ag.where(x * beta > threshold, x, ag.softplus(beta * x) / beta)


def softmax(x: Tensor, dim: int) -> Tensor:
    """e^x over its sum along axis `dim`: probabilities.

    >>> softmax(ag.tensor([0.0, 0.0]), dim=0)
    tensor([0.5, 0.5])
    """
    return ag.softmax(x, dim)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """log of the softmax along axis `dim`: x - log(sum e^x), without overflow.

    >>> log_softmax(ag.tensor([0.0, 0.0]), dim=0)
    tensor([-0.69314718, -0.69314718])
    """
    return ag.log_softmax(x, dim)


class ReLU(Module):
    """max(x, 0); its slope at 0 is 0.

    >>> ReLU()(ag.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return ag.relu(x)


class LeakyReLU(Module):
    """See `nn.functional.leaky_relu`.

    >>> LeakyReLU(0.5)(ag.tensor([-1.0, 2.0]))
    tensor([-0.5, 2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


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


class SiLU(Module):
    """See `nn.functional.silu`.

    >>> SiLU()(ag.tensor(0.0)).item()
    0.0
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return silu(x)


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


class Softmax(Module):
    """See `nn.functional.softmax`. For training, give the logits to `CrossEntropyLoss` instead.

    >>> Softmax(dim=1)(ag.zeros((1, 2)))
    tensor([[0.5, 0.5]])
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Along `dim`."""
        return softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """See `nn.functional.log_softmax`.

    >>> LogSoftmax(dim=0)(ag.zeros(1))
    tensor([0.])
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Along `dim`."""
        return log_softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"
