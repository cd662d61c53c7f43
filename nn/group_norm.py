"""Normalisation of each sample over groups of channels."""

from __future__ import annotations

import math

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.batch_norm import along_channels, expect_parameters
from nn.linear import expect_floating
from nn.module import Module, Parameter
from nn.norm import present


@ag.fused
def _standardized(x: Tensor, *, eps: float) -> Tensor:
    """Each row of x with mean 0 and variance 1."""
    centred = x - ag.mean(x, -1, keepdims=True)
    return centred * ag.rsqrt(ag.mean(centred * centred, -1, keepdims=True) + eps)


@ag.fused
def _affine(x: Tensor, weight: Tensor, *bias: Tensor) -> Tensor:
    y = x * along_channels(weight, x.ndim)
    for b in bias:
        y = y + along_channels(b, x.ndim)
    return y


def _in_groups(x: Tensor, num_groups: int, affine: tuple[Tensor, ...], eps: float) -> Tensor:
    # two kernels: rows of groups, then channels, whose weights would cut the rows into a loop within a loop
    rows = ag.reshape(x, (x.shape[0] * num_groups, math.prod(x.shape[1:]) // num_groups))
    y = ag.reshape(_standardized(rows, eps=eps), x.shape)
    return _affine(y, *affine) if affine else y


def _expect_groups(x: Tensor, channels: int, num_groups: int, who: object) -> None:
    if num_groups < 1 or channels % num_groups:
        raise ArgumentError(
            f"{who} was given num_groups={num_groups} for {channels} channels. Expected a divisor of {channels}."
        )
    expect_floating(x, who)


def group_norm(
    x: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """y = (x - mean) / sqrt(var + eps) w + b, over each group of channels of each sample (Wu & He 2018).

    Parameters:
        x: (N, C) or (N, C, ...).
        num_groups: divides C; neighbouring channels are a group.
        weight, bias: w and b of shape (C,); 1 and 0 if None.
        eps: what keeps the root away from 0.

    Raises:
        ShapeError: if x has fewer than two axes, or weight or bias is not of shape (C,).
        ArgumentError: if the groups do not divide the channels.
        DTypeError: if x is not floating.

    >>> group_norm(ag.tensor([[1.0, 3.0, 5.0, 9.0]]), 2, eps=0.0)
    tensor([[-1., 1., -1., 1.]])
    """
    if x.ndim < 2:
        raise ShapeError(f"group_norm was given an input of shape {x.shape}. Expected (N, C) or (N, C, ...).")
    _expect_groups(x, x.shape[1], num_groups, "group_norm")
    expect_parameters(x, "group_norm", weight=weight, bias=bias)
    return _in_groups(x, num_groups, present(weight, bias), eps)


class GroupNorm(Module):
    """y = (x - mean) / sqrt(var + eps) w + b, over groups of channels: see `nn.functional.group_norm`.

    Parameters:
        num_groups: divides num_channels; 1 normalises over a whole sample, num_channels over each channel.
        num_channels: C.
        eps: what keeps the root away from 0.
        affine: whether there are w and b, which start at 1 and 0.
        dtype: of w and b.

    Attributes:
        weight, bias: (C,), or None.

    Raises:
        ArgumentError: if the groups do not divide the channels.
        ShapeError: if the input is not (N, C) or (N, C, ...).

    Wu and He, "Group normalization", 2018.

    >>> GroupNorm(2, 4)(ag.ones((3, 4, 5), dtype="float32")).shape
    (3, 4, 5)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike = "float32",
    ) -> None:
        if num_groups < 1 or num_channels < 1 or num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm was given num_groups={num_groups} for {num_channels} channels. Expected a divisor of them."
            )
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.weight = Parameter(ag.ones(num_channels, dtype)) if affine else None
        self.bias = Parameter(ag.zeros(num_channels, dtype)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C) or (N, C, ...), its shape kept."""
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ShapeError(
                f"{self!r} was given an input of shape {x.shape}. Expected (N, C) or (N, C, ...), "
                f"C = {self.num_channels}."
            )
        expect_floating(x, self)
        return _in_groups(x, self.num_groups, present(self.weight, self.bias), self.eps)

    def extra_repr(self) -> str:
        """The sizes and the settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
