"""Activations that turn scores into probabilities."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ShapeError
from nn.module import Module


def softmax(x: Tensor, dim: int) -> Tensor:
    """e^x over its sum along axis `dim`: probabilities.

    >>> softmax(ag.tensor([0.0, 0.0]), dim=0)
    tensor([0.5, 0.5])
    """
    return ag.softmax(x, dim)


def softmin(x: Tensor, dim: int) -> Tensor:
    """e^-x over its sum along axis `dim`: the smallest is the most probable.

    >>> softmin(ag.tensor([0.0, 1e4]), dim=0)
    tensor([1., 0.])
    """
    return ag.softmax(-x, dim)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """log of the softmax along axis `dim`: x - log(sum e^x), without overflow.

    >>> log_softmax(ag.tensor([0.0, 0.0]), dim=0)
    tensor([-0.69314718, -0.69314718])
    """
    return ag.log_softmax(x, dim)


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


class Softmin(Module):
    """See `nn.functional.softmin`.

    >>> Softmin(dim=0)(ag.tensor([0.0, 1e4]))
    tensor([1., 0.])
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Along `dim`."""
        return softmin(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class Softmax2d(Module):
    """The softmax over the channels at each position of images (N, C, H, W) or (C, H, W).

    Raises:
        ShapeError: if the input has another rank.

    >>> Softmax2d()(ag.zeros((2, 1, 1))).tolist()
    [[[0.5]], [[0.5]]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) or (C, H, W), its shape kept."""
        if x.ndim not in (3, 4):
            raise ShapeError(
                f"Softmax2d was given an input of shape {x.shape}. Expected (N, C, H, W) or (C, H, W).\n"
                "Write Softmax(dim=1) for (N, C)."
            )
        return ag.softmax(x, -3)


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
