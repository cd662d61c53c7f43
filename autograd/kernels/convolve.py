"""Convolution of images as three bilinear maps, each a sum over register tiles: no window matrix is made.

    y[n, o, h, w] = sum over c, i, j of  x[n, c, h * s + i * d - p, w * s + j * d - p] * w[o, c, i, j]

`forward` is y; `input_gradient` and `weight_gradient` are its transposes in x and in w. All take and give arrays of
shape (N, C, H, W), float32 or float64. Inside, and in what they return, the channels of a pixel lie together, except
where few channels lie plane by plane: there they stay as they are.
"""

from __future__ import annotations

import numpy as np

from autograd.kernels.convolve_pixels import Pixels
from autograd.kernels.convolve_plans import forward_plan, input_plan, weight_plan
from autograd.kernels.convolve_rows import channels_last, even
from autograd.kernels.convolve_source import Array, Pair
from autograd.kernels.convolve_sums import Sums

__all__ = ["channels_last", "cotangent", "forward", "input_gradient", "weight_gradient"]


def forward(
    x: Array,
    w: Array,
    *,
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
    bias: Array | None = None,
    out: Array | None = None,
) -> Array:
    """The convolution of x (N, C, H, W) with w (O, C / groups, kh, kw): (N, O, Ho, Wo).

    padding: zeros before and after each axis. bias: (O,), added to every pixel. out: where to write it, (N, Ho, Wo, O).

    >>> x, w = np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2))
    >>> forward(x, w, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1)[0, 0]
    array([[ 8., 12.], [20., 24.]])
    """
    x = even(x)
    plan = forward_plan(x.itemsize, x.shape, x.strides, w.shape, stride, padding, dilation, groups, out is None)
    return plan.run(x, w, bias, out)


def input_gradient(
    g: Array,
    w: Array,
    shape: tuple[int, ...],
    *,
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
    bias: Array | None = None,
    out: Array | None = None,
) -> Array:
    """The transpose of `forward` in x: from g, like y, and w to an array of x's shape (N, C, H, W).

    bias: (C,), added to every pixel. out: where to write it, (N, H, W, C).

    >>> g, w = np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2))
    >>> input_gradient(g, w, (1, 1, 3, 3), stride=(1, 1), padding=((0, 0),) * 2, dilation=(1, 1), groups=1)[0, 0]
    array([[1., 2., 1.], [2., 4., 2.], [1., 2., 1.]])
    """
    g = even(g)
    settings = (stride, padding, dilation, groups)
    return input_plan(g.itemsize, g.shape, g.strides, w.shape, shape, *settings, out is None).run(g, w, bias, out)


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
    return weight_plan(x.itemsize, shapes, kernel, stride, padding, dilation, groups).run(x, g)


def cotangent(
    g: Array, x: Array, w: Array, *, stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int
) -> Array:
    """g, like y, as both gradients read it: a copy with the channels last if each of them would make one.

    >>> g, x, w = np.ones((1, 8, 4, 4)), np.ones((1, 8, 4, 4)), np.ones((8, 8, 1, 1))
    >>> cotangent(g, x, w, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1).strides
    (1024, 8, 256, 64)
    """
    if 0 in x.shape or 0 in g.shape:
        return g
    x, g = even(x), even(g)
    settings = (stride, padding, dilation, groups)
    to_input = input_plan(g.itemsize, g.shape, g.strides, w.shape, x.shape, *settings, True)
    to_weight = weight_plan(x.itemsize, (x.shape, x.strides, g.shape, g.strides), w.shape[2:], *settings)
    return channels_last(g) if isinstance(to_input, Sums) and isinstance(to_weight, Pixels) else g
