"""Division by a norm along an axis: unit vectors, and the response of neighbouring channels."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.linear import expect_floating
from nn.module import Module


def normalize(x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """y = x / max(||x||_p, eps), along axis `dim`: vectors of length 1.

    A vector of zeros stays 0, with the gradient of x / eps.

    Raises:
        DTypeError: if x is not floating.
        IndexOutOfRange: if x has no axis `dim`.

    >>> normalize(ag.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6, 0.8],
            [0. , 0. ]])
    """
    expect_floating(x, "normalize")
    return x / ag.clip(ag.norm(x, p, dim, keepdims=True), eps)


def local_response_norm(x: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """y_c = x_c / (k + alpha mean of x^2 over the `size` channels around c)^beta (Krizhevsky et al. 2012).

    The window is c - size // 2 to c + (size - 1) // 2; what lies outside of the channels counts as 0.

    Parameters:
        x: (N, C, L) or (N, C, ...).
        size: how many channels are looked at.
        alpha, beta, k: of the formula.

    Raises:
        ShapeError: if x has fewer than three axes.
        ArgumentError: if size is not positive.
        DTypeError: if x is not floating.

    >>> local_response_norm(ag.ones((1, 3, 1)), 3, alpha=3.0, beta=1.0).tolist()
    [[[0.3333333333333333], [0.25], [0.3333333333333333]]]
    """
    _expect_size(size, "local_response_norm")
    return _local_response_norm(x, size, alpha, beta, k, "local_response_norm")


def _expect_size(size: int, who: str) -> None:
    if size < 1:
        raise ArgumentError(f"{who} was given size={size}. Expected a positive number of channels.")


def _local_response_norm(x: Tensor, size: int, alpha: float, beta: float, k: float, who: object) -> Tensor:
    if x.ndim < 3:
        raise ShapeError(f"{who} was given an input of shape {x.shape}. Expected (N, C, L) or (N, C, H, W).")
    expect_floating(x, who)
    around = [(0, 0)] * x.ndim
    around[1] = size // 2, (size - 1) // 2
    power = ag.mean(ag.window(ag.pad(ag.square(x), around), size, axes=(1,)), -1)
    return x * (k + alpha * power) ** -beta


class LocalResponseNorm(Module):
    """See `nn.functional.local_response_norm`.

    Parameters:
        size: how many channels are looked at.
        alpha, beta, k: of the formula.

    Raises:
        ArgumentError: if size is not positive.
        ShapeError: if the input has fewer than three axes.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012.

    >>> LocalResponseNorm(1, alpha=3.0, beta=0.5)(ag.ones((1, 2, 1))).tolist()
    [[[0.5], [0.5]]]
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        _expect_size(size, "LocalResponseNorm")
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...), its shape kept."""
        return _local_response_norm(x, self.size, self.alpha, self.beta, self.k, self)

    def extra_repr(self) -> str:
        """The size and the constants."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
