"""Convolution of images as three bilinear maps, each a sum over register tiles: no window matrix is made.

    y[n, o, h, w] = sum over c, i, j of  x[n, c, h * s + i * d - p, w * s + j * d - p] * w[o, c, i, j]

`forward` is y; `input_gradient` and `weight_gradient` are its transposes in x and in w. All take and give arrays of
shape (N, C, H, W), float32 or float64; inside, and in what they return, the channels of a pixel lie together.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from autograd.kernels.convolve_axis import against, along, outputs
from autograd.kernels.convolve_pixels import Pixels
from autograd.kernels.convolve_rows import channels_last, even
from autograd.kernels.convolve_source import Array, Pair
from autograd.kernels.convolve_sums import Sums

__all__ = ["channels_last", "forward", "input_gradient", "weight_gradient"]


def forward(
    x: Array,
    w: Array,
    *,
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
    out: Array | None = None,
) -> Array:
    """The convolution of x (N, C, H, W) with w (O, C / groups, kh, kw): (N, O, Ho, Wo), channels last in memory.

    padding: zeros before and after each axis. out: where to write it, (N, Ho, Wo, O).

    >>> x, w = np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2))
    >>> forward(x, w, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1)[0, 0]
    array([[ 8., 12.], [20., 24.]])
    """
    x = even(x)
    return _forward(x.itemsize, x.shape, x.strides, w.shape, stride, padding, dilation, groups).run(x, w, out)


def input_gradient(
    g: Array,
    w: Array,
    shape: tuple[int, ...],
    *,
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
    out: Array | None = None,
) -> Array:
    """The transpose of `forward` in x: from g, like y, and w to an array of x's shape (N, C, H, W).

    >>> g, w = np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2))
    >>> input_gradient(g, w, (1, 1, 3, 3), stride=(1, 1), padding=((0, 0),) * 2, dilation=(1, 1), groups=1)[0, 0]
    array([[1., 2., 1.], [2., 4., 2.], [1., 2., 1.]])
    """
    g = even(g)
    return _back(g.itemsize, g.shape, g.strides, w.shape, shape, stride, padding, dilation, groups).run(g, w, out)


def weight_gradient(
    x: Array,
    g: Array,
    kernel: Pair,
    *,
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
) -> Array:
    """The transpose of `forward` in w: from x and g, like y, to (O, C / groups, *kernel).

    >>> x, g = np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2))
    >>> weight_gradient(x, g, (2, 2), stride=(1, 1), padding=((0, 0),) * 2, dilation=(1, 1), groups=1)[0, 0]
    array([[ 8., 12.], [20., 24.]])
    """
    if 0 in x.shape or 0 in g.shape:
        return np.zeros((g.shape[1], x.shape[1] // groups, *kernel), x.dtype)
    x, g = even(x), even(g)
    shapes = (x.shape, x.strides, g.shape, g.strides)
    return _weight(x.itemsize, shapes, kernel, stride, padding, dilation, groups).run(x, g)


@lru_cache(1024)
def _forward(
    size: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    weights: tuple[int, ...],
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
) -> Sums:
    settings = list(zip(shape[2:], weights[2:], stride, padding, dilation, strict=True))
    count = tuple(outputs(*setting) for setting in settings)
    axes = tuple(along(n, *setting[1:]) for n, setting in zip(count, settings, strict=True))
    return Sums(size, shape, strides, weights, (shape[0], *count, weights[0]), axes, groups, turned=False)


@lru_cache(1024)
def _back(
    size: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    weights: tuple[int, ...],
    result: tuple[int, ...],
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
) -> Sums:
    settings = zip(result[2:], weights[2:], stride, padding, dilation, strict=True)
    axes = tuple(against(*setting) for setting in settings)
    n, channels, high, wide = result
    return Sums(size, shape, strides, weights, (n, high, wide, channels), axes, groups, turned=True)


@lru_cache(1024)
def _weight(
    size: int,
    shapes: tuple[tuple[int, ...], ...],
    kernel: Pair,
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
) -> Pixels:
    settings = zip(shapes[2][2:], kernel, stride, padding, dilation, strict=True)
    axes = tuple(along(*setting)[0] for setting in settings)
    x_shape, x_strides, g_shape, g_strides = shapes
    return Pixels(size, x_shape, x_strides, g_shape, g_strides, axes, groups)
