"""Channels exchanged with positions, or with each other."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.module import Module


def pixel_shuffle(x: Tensor, upscale_factor: int) -> Tensor:
    """y[..., c, i r + a, j r + b] = x[..., c r^2 + a r + b, i, j]: channels become pixels (Shi et al. 2016).

    Parameters:
        x: (..., C r^2, H, W).
        upscale_factor: r.

    Returns:
        (..., C, H r, W r).

    Raises:
        ShapeError: if x has fewer than three axes, or r^2 does not divide its channels.
        ArgumentError: if r is not positive.

    >>> pixel_shuffle(ag.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2)
    tensor([[[1., 2.],
             [3., 4.]]])
    """
    return _shuffle(x, _factor(upscale_factor, "pixel_shuffle"), "pixel_shuffle")


def pixel_unshuffle(x: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: (..., C, H r, W r) to (..., C r^2, H, W).

    Raises:
        ShapeError: if x has fewer than three axes, or r does not divide its height and width.
        ArgumentError: if r is not positive.

    >>> pixel_unshuffle(ag.ones((1, 4, 6)), 2).shape
    (4, 2, 3)
    """
    return _unshuffle(x, _factor(downscale_factor, "pixel_unshuffle"), "pixel_unshuffle")


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """The channels of each group dealt out in turn: channel g n + k becomes k groups + g (Zhang et al. 2017).

    Parameters:
        x: (N, C, ...), of at least three axes.
        groups: a divisor of C; n = C / groups.

    Raises:
        ShapeError: if x has fewer than three axes, or the groups do not divide its channels.
        ArgumentError: if `groups` is not positive.

    >>> channel_shuffle(ag.tensor([[[1.0], [2.0], [3.0], [4.0]]]), 2).reshape(-1)
    tensor([1., 3., 2., 4.])
    """
    return _deal(x, _factor(groups, "channel_shuffle"), "channel_shuffle")


def _factor(factor: int, who: str) -> int:
    if factor < 1:
        raise ArgumentError(f"{who} was given {factor}. Expected a whole number of at least 1.")
    return factor


def _shuffle(x: Tensor, r: int, who: object) -> Tensor:
    if x.ndim < 3 or x.shape[-3] % (r * r):
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}. Expected (..., C x {r * r}, H, W): {r} x {r} channels for "
            "each one of the output."
        )
    *rest, channels, high, wide = x.shape
    c, k = channels // (r * r), len(rest)
    parts = ag.reshape(x, (*rest, c, r, r, high, wide))
    moved = ag.permute_dims(parts, (*range(k + 1), k + 3, k + 1, k + 4, k + 2))
    return ag.reshape(moved, (*rest, c, high * r, wide * r))


def _unshuffle(x: Tensor, r: int, who: object) -> Tensor:
    if x.ndim < 3 or x.shape[-2] % r or x.shape[-1] % r:
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}. Expected (..., C, H, W), H and W multiples of {r}."
        )
    *rest, c, high, wide = x.shape
    k = len(rest)
    parts = ag.reshape(x, (*rest, c, high // r, r, wide // r, r))
    moved = ag.permute_dims(parts, (*range(k + 1), k + 2, k + 4, k + 1, k + 3))
    return ag.reshape(moved, (*rest, c * r * r, high // r, wide // r))


def _deal(x: Tensor, groups: int, who: object) -> Tensor:
    if x.ndim < 3 or x.shape[1] % groups:
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}. Expected (N, C, ...) of at least three axes, "
            f"C a multiple of {groups}."
        )
    parts = ag.reshape(x, (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
    return ag.reshape(ag.swapaxes(parts, 1, 2), x.shape)


class PixelShuffle(Module):
    """See `nn.functional.pixel_shuffle`.

    >>> PixelShuffle(3)(ag.ones((2, 9, 4, 4))).shape
    (2, 1, 12, 12)
    """

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = _factor(upscale_factor, "PixelShuffle")

    def forward(self, x: Tensor) -> Tensor:
        """(..., C r^2, H, W) to (..., C, H r, W r)."""
        return _shuffle(x, self.upscale_factor, self)

    def extra_repr(self) -> str:
        """The factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """See `nn.functional.pixel_unshuffle`.

    >>> PixelUnshuffle(3)(ag.ones((2, 1, 12, 12))).shape
    (2, 9, 4, 4)
    """

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = _factor(downscale_factor, "PixelUnshuffle")

    def forward(self, x: Tensor) -> Tensor:
        """(..., C, H r, W r) to (..., C r^2, H, W)."""
        return _unshuffle(x, self.downscale_factor, self)

    def extra_repr(self) -> str:
        """The factor."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """See `nn.functional.channel_shuffle`.

    >>> ChannelShuffle(2)(ag.ones((2, 4, 3, 3))).shape
    (2, 4, 3, 3)
    """

    def __init__(self, groups: int) -> None:
        self.groups = _factor(groups, "ChannelShuffle")

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) to the same shape."""
        return _deal(x, self.groups, self)

    def extra_repr(self) -> str:
        """The groups."""
        return f"groups={self.groups}"
