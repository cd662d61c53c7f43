"""Gated units: x times how far a gate is open, which is x itself again or the other half of the channels."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import IndexOutOfRange, ShapeError
from nn.module import Module

# A gate is shut below SHUT and open above OPEN, to the last digit of float64: inf * 0 would be NaN out there.
SHUT, OPEN = -1000.0, 100.0


@ag.fused
def silu(x: Tensor) -> Tensor:
    """The sigmoid linear unit x / (1 + e^-x), also called swish (Elfwing et al. 2017).

    >>> silu(ag.tensor([0.0, 1.0]))
    tensor([0. , 0.73105858])
    """
    inner = ag.clip(x, SHUT, OPEN)
    return ag.where(x > OPEN, x, inner * ag.sigmoid(inner))


@ag.fused
def mish(x: Tensor) -> Tensor:
    """x tanh(log(1 + e^x)) (Misra 2019).

    >>> mish(ag.tensor([0.0, 1.0]))
    tensor([0. , 0.86509839])
    """
    inner = ag.clip(x, SHUT, OPEN)
    return ag.where(x > OPEN, x, inner * ag.tanh(ag.softplus(inner)))


@ag.fused
def _gated(a: Tensor, b: Tensor) -> Tensor:
    return a * ag.sigmoid(b)


def glu(x: Tensor, dim: int = -1) -> Tensor:
    """The gated linear unit a sigmoid(b), a and b the halves of x along axis `dim` (Dauphin et al. 2016).

    Raises:
        IndexOutOfRange: if x has no axis `dim`.
        ShapeError: if its length is odd.

    >>> glu(ag.tensor([[1.0, 2.0, 0.0, 1e4]]))
    tensor([[0.5, 2. ]])
    """
    if not -x.ndim <= dim < x.ndim:
        raise IndexOutOfRange(f"glu was given dim={dim} for an input of {x.ndim} axes.")
    if x.shape[dim] % 2:
        raise ShapeError(
            f"glu was given an input of shape {x.shape}, whose axis {dim} has the odd length {x.shape[dim]}. "
            "Expected two halves."
        )
    half = x.shape[dim] // 2
    before = (slice(None),) * (dim % x.ndim)
    return _gated(x[(*before, slice(0, half))], x[(*before, slice(half, None))])


class SiLU(Module):
    """See `nn.functional.silu`.

    >>> SiLU()(ag.tensor(0.0)).item()
    0.0
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return silu(x)


class Mish(Module):
    """See `nn.functional.mish`.

    >>> Mish()(ag.tensor([0.0, 1.0]))
    tensor([0. , 0.86509839])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return mish(x)


class GLU(Module):
    """See `nn.functional.glu`.

    >>> GLU()(ag.tensor([[1.0, 2.0, 0.0, 1e4]]))
    tensor([[0.5, 2. ]])
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """(..., 2 n, ...) to (..., n, ...)."""
        return glu(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"
