"""Activations that turn scores into probabilities."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.labels import one_hot
from nn.linear import expect_floating
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


def gumbel_softmax(
    x: Tensor, tau: float = 1.0, hard: bool = False, *, dim: int = -1, generator: ag.random.Generator | None = None
) -> Tensor:
    """softmax((x + g) / tau) along axis `dim`, g ~ Gumbel(0, 1) for each element: a softened draw of a class.

    Parameters:
        x: logits, any shape.
        tau: the temperature, above 0: the lower, the closer to 0 and 1.
        hard: whether the result is the largest as 1 and the others as 0, with the gradient of the softened draw.
        dim: the axis of the classes.
        generator: where g comes from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: if tau is not positive.
        DTypeError: if x is not floating.

    Jang et al., "Categorical reparameterization with Gumbel-softmax", 2017.

    >>> gumbel_softmax(ag.zeros((4, 3)), hard=True).sum(axis=1)
    tensor([1., 1., 1., 1.])
    """
    if not tau > 0:
        raise ArgumentError(f"gumbel_softmax was given tau={tau}. Expected a positive number.")
    expect_floating(x, "gumbel_softmax")
    u = (generator or ag.random.default).uniform(size=x.shape, dtype=x.dtype)
    soft = ag.softmax((x - ag.log(-ag.log(u))) / tau, dim)
    if not hard:
        return soft
    drawn = ag.moveaxis(one_hot(ag.argmax(soft, dim), x.shape[dim]), -1, dim)
    return drawn.astype(x.dtype) + (soft - ag.stop_gradient(soft))


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
