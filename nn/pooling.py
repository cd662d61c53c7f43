"""Pooling: a reduction over windows of the image."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.images import Pair, Size, expect_fit, expect_images, padded, pair
from nn.module import Module


def max_pool2d(x: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Tensor:
    """The largest element of each window; padding never wins, ties share the gradient.

    Parameters:
        x: (N, C, H, W).
        kernel_size, stride, padding: one number, or one each for height and width; stride None means kernel_size.

    Returns:
        (N, C, floor((H + 2 padding - kh) / stride) + 1, likewise for the width).

    Raises:
        ShapeError: if x has not four axes, or the window does not fit.
        ArgumentError: if a size is not positive, or the padding is more than half the window.

    >>> max_pool2d(ag.arange(16, dtype="float64").reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5., 7.], [13., 15.]]]])
    """
    windows, axes = _windows(x, *_sizes(kernel_size, stride, padding, "max_pool2d"), -math.inf, "max_pool2d")
    return ag.max(windows, axes)


def avg_pool2d(x: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Tensor:
    """The mean of each window, the zeros of the padding included; sizes and errors as for `max_pool2d`.

    >>> avg_pool2d(ag.arange(16, dtype="float64").reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5, 4.5], [10.5, 12.5]]]])
    """
    windows, axes = _windows(x, *_sizes(kernel_size, stride, padding, "avg_pool2d"), 0.0, "avg_pool2d")
    return ag.mean(windows, axes)


def _sizes(kernel_size: Size, stride: Size | None, padding: Size, who: str) -> tuple[Pair, Pair, Pair]:
    kernel = pair(kernel_size, "kernel_size", 1, who)
    steps = kernel if stride is None else pair(stride, "stride", 1, who)
    around = pair(padding, "padding", 0, who)
    if any(2 * p > k for p, k in zip(around, kernel, strict=True)):
        raise ArgumentError(f"{who} was given padding={padding}. Expected at most half of kernel_size={kernel_size}.")
    return kernel, steps, around


def _windows(
    x: Tensor, kernel: Pair, stride: Pair, padding: Pair, fill: float, who: object
) -> tuple[Tensor, tuple[int, int]]:
    """The windows, and the two axes that run inside of them."""
    expect_images(x, who)
    around = ((padding[0], padding[0]), (padding[1], padding[1]))
    expect_fit((x.shape[2], x.shape[3]), around, kernel, who)
    if stride != kernel or any(padding):
        return ag.window(padded(x, around, (2, 3), fill), kernel, axes=(2, 3), stride=stride), (4, 5)
    # windows side by side are a reshape: no strided view, whose adjoint adds up one by one
    n, c, high, wide = x.shape
    rows, columns = high // kernel[0], wide // kernel[1]
    if (rows * kernel[0], columns * kernel[1]) != (high, wide):
        x = x[:, :, : rows * kernel[0], : columns * kernel[1]]
    return ag.reshape(x, (n, c, rows, kernel[0], columns, kernel[1])), (3, 5)


class _Pool2d(Module):
    """Sizes shared by the kinds of pooling."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self._sizes = _sizes(kernel_size, stride, padding, type(self).__name__)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxPool2d(_Pool2d):
    """See `nn.functional.max_pool2d`.

    >>> MaxPool2d(2)(ag.ones((1, 3, 4, 4))).shape
    (1, 3, 2, 2)
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, Ho, Wo)."""
        windows, axes = _windows(x, *self._sizes, -math.inf, self)
        return ag.max(windows, axes)


class AvgPool2d(_Pool2d):
    """See `nn.functional.avg_pool2d`.

    >>> AvgPool2d(2)(ag.ones((1, 3, 4, 4))).shape
    (1, 3, 2, 2)
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, Ho, Wo)."""
        windows, axes = _windows(x, *self._sizes, 0.0, self)
        return ag.mean(windows, axes)
