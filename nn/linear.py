"""Affine maps, and what changes nothing but shapes."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, ShapeError
from nn import init
from nn.module import Module, Parameter


def expect_floating(x: Any, who: object) -> None:
    """Refuse whole numbers, which NumPy's promotion would turn into float64.

    Raises:
        DTypeError: if x is not floating.

    >>> expect_floating(ag.ones(2), "linear")
    """
    if x.dtype.kind != "f":
        raise DTypeError(f"{who} was given an input of dtype {x.dtype}. Write x.astype('float32').")


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x W^T + b.

    Parameters:
        x: (..., in_features).
        weight: (out_features, in_features).
        bias: (out_features,).

    Raises:
        ShapeError: if the last axis of x is not as long as that of the weight.

    >>> linear(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0]]), ag.tensor([0.5]))
    tensor([[11.5]])
    """
    y = ag.matmul(x, weight.mT)
    return y if bias is None else y + bias


class Linear(Module):
    """y = x W^T + b, on the last axis of x.

    W and b start uniform in [-1 / sqrt(in_features), 1 / sqrt(in_features)), as in PyTorch.

    Parameters:
        in_features, out_features: the lengths of the last axis of x and y.
        bias: whether there is a b.
        dtype: of W and b.
        generator: where the starting values come from.

    Attributes:
        weight: (out_features, in_features).
        bias: (out_features,), or None.

    Raises:
        ArgumentError: if a number of features is not positive.
        ShapeError: if x does not end in `in_features`.

    >>> layer = Linear(3, 2)
    >>> layer(ag.ones((5, 3), dtype="float32")).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        if min(in_features, out_features) < 1:
            raise ArgumentError(
                f"Linear was given {in_features} and {out_features} features. Expected at least 1 each."
            )
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features)
        self.weight = Parameter(ag.zeros((out_features, in_features), dtype))
        init.uniform_(self.weight, -bound, bound, generator=generator)
        self.bias = Parameter(ag.zeros(out_features, dtype)) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_features) to (..., out_features)."""
        if not x.ndim or x.shape[-1] != self.in_features:
            last = x.shape[-1] if x.ndim else 1
            raise ShapeError(
                f"{self!r} was given an input of shape {x.shape}. Expected (..., {self.in_features}).\n"
                f"Write Linear({last}, {self.out_features}), or x.reshape(len(x), -1) if axes are to be joined."
            )
        expect_floating(x, self)
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Flatten(Module):
    """Axes start_dim to end_dim joined into one: all but the first, the batch's, unless told otherwise.

    >>> Flatten()(ag.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """(n, a, b, ...) to (n, a b ...)."""
        return ag.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Identity(Module):
    """x itself: a place to put a layer later.

    >>> Identity()(ag.tensor(2.0))
    tensor(2.)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any x to itself."""
        return x
