"""Upsampling: signals, images and volumes at another size, by copies or by weighted means of neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from nn.images import Sizes, times
from nn.linear import expect_floating
from nn.module import Module

Scale = float | Sequence[float]
DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # others serve all
MODES = ("nearest", "nearest-exact", *DIMS, "area")
MEANS = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


def interpolate(
    x: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: Scale | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """x at another size. Output i lies at (i + 1/2) r - 1/2 of the input, r being input length / output length.

    - "nearest": element floor(i r), one of those around; "nearest-exact": element floor((i + 1/2) r), the nearest.
    - "linear", "bilinear", "trilinear": between the two neighbours along each axis, the ends repeated.
    - "bicubic": a cubic through the four neighbours (Keys 1981, a = -3/4), which may overshoot.
    - "area": the mean of what an output covers, `adaptive_avg_pool2d`.

    Parameters:
        x: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the lengths of the output, one number or one each.
        scale_factor: instead of `size`, what to multiply the lengths by, rounded down.
        mode: as above; the linear ones and "bicubic" for as many axes as their names say.
        align_corners: for the linear ones and "bicubic", whether the first and last elements stay where they are:
            output i at i (n - 1) / (m - 1) for lengths n and m.
        recompute_scale_factor: whether r is that of the lengths, as with `size`, rather than 1 / `scale_factor`.

    Raises:
        ArgumentError: if not exactly one of size and scale_factor is given, or an option is unknown or has no use.
        ShapeError: if x has a rank that the mode is not for, or an output would be empty.

    There is no `antialias`.

    >>> interpolate(ag.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1. , 1.5, 2.5, 3. ]]])
    """
    _expect_options(size, scale_factor, mode, align_corners, recompute_scale_factor, "interpolate")
    return _interpolate(x, size, scale_factor, mode, bool(align_corners), bool(recompute_scale_factor), "interpolate")


def _expect_options(
    size: int | Sequence[int] | None,
    scale: Scale | None,
    mode: str,
    align_corners: bool | None,
    recompute: bool | None,
    who: str,
) -> None:
    if mode not in MODES:
        raise ArgumentError(f"{who} was given mode={mode!r}. Expected one of: {', '.join(MODES)}.")
    if (size is None) == (scale is None):
        raise ArgumentError(f"{who} was given size={size} and scale_factor={scale}. Expected exactly one of them.")
    if align_corners is not None and mode not in DIMS:
        raise ArgumentError(f"{who} was given align_corners={align_corners} for mode={mode!r}: leave it out.")
    if recompute and size is not None:
        raise ArgumentError(f"{who} was given recompute_scale_factor=True with size={size}: leave it out.")
    for name, given in (("size", size), ("scale_factor", scale)):
        each = given if isinstance(given, Sequence) else () if given is None else (given,)
        if not all(n > 0 and (name == "scale_factor" or isinstance(n, Integral)) for n in each):
            raise ArgumentError(f"{who} was given {name}={given}. Expected positive numbers.")


def _interpolate(
    x: Tensor,
    size: int | Sequence[int] | None,
    scale: Scale | None,
    mode: str,
    align: bool,
    recompute: bool,
    who: object,
) -> Tensor:
    dims = x.ndim - 2
    if dims not in (1, 2, 3) or DIMS.get(mode, dims) != dims:
        expected = ["(N, C, L)", "(N, C, H, W)", "(N, C, D, H, W)"]
        fit = expected[DIMS[mode] - 1] if mode in DIMS else ", ".join(expected)
        raise ShapeError(
            f"{who} was given an input of shape {x.shape} for mode {mode!r}. Expected {fit}.\n"
            "Write x[None] for a batch of one, or 'linear' for 1, 'bilinear' for 2, 'trilinear' for 3 axes."
        )
    expect_floating(x, who)
    lengths = _lengths(x.shape[2:], size, scale, who)
    if mode == "area":
        return MEANS[dims](x, lengths)
    factors: Any = scale if isinstance(scale, Sequence) else [scale] * dims
    for k, (n, m, factor) in enumerate(zip(x.shape[2:], lengths, factors, strict=True)):
        step = n / m if factor is None or recompute else 1 / factor
        if mode.startswith("nearest"):
            x = _copied(x, k + 2, m, step, mode == "nearest-exact")
        elif n != m or mode == "bicubic":  # PyTorch's linear modes keep a length as it is, whatever the factor
            matrix = _matrix(n, m, step, align, cubic=mode == "bicubic").astype(x.dtype)
            x = ag.moveaxis(ag.moveaxis(x, k + 2, -1) @ matrix, -1, k + 2)
    return x


def _lengths(given: Sizes, size: int | Sequence[int] | None, scale: Scale | None, who: object) -> Sizes:
    """The lengths of the output."""
    each: Any = size if scale is None else scale
    each = list(each) if isinstance(each, Sequence) else [each] * len(given)
    if len(each) != len(given):
        raise ShapeError(f"{who} was given {each} for {len(given)} axes of lengths {times(given)}. Expected one each.")
    lengths = tuple(each) if scale is None else tuple(math.floor(n * s) for n, s in zip(given, each, strict=True))
    if min((*given, *lengths)) < 1:
        raise ShapeError(
            f"{who} was given lengths {times(given)}, for an output of {times(lengths)}. Expected at least 1 each."
        )
    return lengths


def _copied(x: Tensor, axis: int, m: int, step: float, exact: bool) -> Tensor:
    """The element at or before each of m places along an axis."""
    n = x.shape[axis]
    offset = 0.5 if exact else 0.0
    # 1e-9: a place that is a whole number but for rounding is that number
    places = np.minimum(np.floor((np.arange(m) + offset) * step + 1e-9), n - 1).astype(np.intp)
    if m % n == 0 and np.array_equal(places, np.arange(m) // (m // n)):
        # copies side by side: their transpose is a sum over an axis, where `take`'s adds up one by one
        once = ag.expand_dims(x, axis + 1)
        copies = ag.broadcast_to(once, (*x.shape[: axis + 1], m // n, *x.shape[axis + 1 :]))
        return ag.reshape(copies, (*x.shape[:axis], m, *x.shape[axis + 1 :]))
    return ag.take(x, places, axis)


@lru_cache(64)
def _matrix(n: int, m: int, step: float, align: bool, cubic: bool) -> NDArray[np.float64]:
    """What each of n inputs weighs in each of m outputs, (n, m)."""
    if align:
        places = np.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    else:
        places = (np.arange(m) + 0.5) * step - 0.5
        places = places if cubic else np.maximum(places, 0.0)
    first = np.floor(places)
    t = places - first
    taps = {0: 1 - t, 1: t} if not cubic else {k: _keys(t - k) for k in (-1, 0, 1, 2)}
    matrix = np.zeros((n, m))
    for k, weights in taps.items():
        np.add.at(matrix, (np.clip(first + k, 0, n - 1).astype(np.intp), np.arange(m)), weights)
    matrix.flags.writeable = False
    return matrix


def _keys(t: NDArray[np.float64], a: float = -0.75) -> NDArray[np.float64]:
    """The cubic convolution kernel at distance t (Keys 1981, equation 4)."""
    t = abs(t)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    return np.where(t <= 1, near, ((a * t - 5 * a) * t + 8 * a) * t - 4 * a)


class Upsample(Module):
    """See `nn.functional.interpolate`.

    Raises:
        ArgumentError: if not exactly one of size and scale_factor is given, or an option is unknown or has no use.
        ShapeError: if the input has a rank that the mode is not for, or an output would be empty.

    >>> Upsample(scale_factor=2)(ag.tensor([[[1.0, 3.0]]]))
    tensor([[[1., 1., 3., 3.]]])
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: Scale | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        _expect_options(size, scale_factor, mode, align_corners, recompute_scale_factor, "Upsample")
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) to the same with other lengths."""
        align, recompute = bool(self.align_corners), bool(self.recompute_scale_factor)
        return _interpolate(x, self.size, self.scale_factor, self.mode, align, recompute, self)

    def extra_repr(self) -> str:
        """The size or the factor, and the mode."""
        wanted = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        corners = "" if self.align_corners is None else f", align_corners={self.align_corners}"
        return f"{wanted}, mode={self.mode!r}{corners}"
