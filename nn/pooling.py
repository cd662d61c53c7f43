"""Pooling: the largest element, or the mean, of each window of signals, images or volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.images import Size, expect_images
from nn.module import Module
from nn.windows import Window, reduced, window_of

# ---- the largest


def max_pool1d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of signals (N, C, L) or (C, L): see `max_pool2d`.

    >>> max_pool1d(ag.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[5., 3.]])
    """
    window = window_of(1, kernel_size, stride, padding, dilation, ceil_mode, "max_pool1d")
    return _max(x, window, return_indices, "max_pool1d")


def max_pool2d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window; padding never wins; the first of equals gets the gradient.

    Parameters:
        x: (N, C, H, W) or (C, H, W).
        kernel_size, stride, padding, dilation: one number, or one each for height and width; stride None means
            kernel_size.
        ceil_mode: whether there is a last window that hangs over the end.
        return_indices: whether to say where they are, too, in the axes of an image counted through: for `max_unpool2d`.

    Returns:
        (N, C, floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1, likewise for the width); ceil for floor
        with `ceil_mode`, as long as the last window starts inside. With `return_indices` two such arrays.

    Raises:
        ShapeError: if x has another rank, or the window does not fit.
        ArgumentError: if a size is not positive, or the padding is more than half the window.

    >>> max_pool2d(ag.arange(16, dtype="float64").reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5., 7.], [13., 15.]]]])
    """
    window = window_of(2, kernel_size, stride, padding, dilation, ceil_mode, "max_pool2d")
    return _max(x, window, return_indices, "max_pool2d")


def max_pool3d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of volumes (N, C, D, H, W) or (C, D, H, W): see `max_pool2d`.

    >>> max_pool3d(ag.ones((1, 4, 4, 4)), 2).shape
    (1, 2, 2, 2)
    """
    window = window_of(3, kernel_size, stride, padding, dilation, ceil_mode, "max_pool3d")
    return _max(x, window, return_indices, "max_pool3d")


def _max(x: Tensor, window: Window, return_indices: bool, who: object) -> Any:
    expect_images(x, len(window.kernel), who)
    largest = reduced(ag.window_max, x, window, who)
    return (largest, reduced(ag.window_argmax, x, window, who)) if return_indices else largest


# ---- the mean


def avg_pool1d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of signals (N, C, L) or (C, L): see `avg_pool2d`.

    >>> avg_pool1d(ag.tensor([[1.0, 5.0, 2.0, 4.0]]), 2)
    tensor([[3., 3.]])
    """
    window = window_of(1, kernel_size, stride, padding, 1, ceil_mode, "avg_pool1d")
    return mean_of(x, window, count_include_pad, None, "avg_pool1d")


def avg_pool2d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window: its sum, divided by how many elements it has; sizes and errors as for `max_pool2d`.

    Parameters:
        x, kernel_size, stride, padding, ceil_mode: as for `max_pool2d`.
        count_include_pad: whether the zeros of the padding count. What hangs over the end never does.
        divisor_override: what to divide by instead.

    >>> avg_pool2d(ag.arange(16, dtype="float64").reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5, 4.5], [10.5, 12.5]]]])
    """
    window = window_of(2, kernel_size, stride, padding, 1, ceil_mode, "avg_pool2d")
    return mean_of(x, window, count_include_pad, divisor_override, "avg_pool2d")


def avg_pool3d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of volumes (N, C, D, H, W) or (C, D, H, W): see `avg_pool2d`.

    >>> avg_pool3d(ag.ones((1, 4, 4, 4)), 2).shape
    (1, 2, 2, 2)
    """
    window = window_of(3, kernel_size, stride, padding, 1, ceil_mode, "avg_pool3d")
    return mean_of(x, window, count_include_pad, divisor_override, "avg_pool3d")


def mean_of(x: Tensor, window: Window, count_padding: bool, divisor: int | None, who: object) -> Tensor:
    """The mean of each window of x, of any rank.

    Raises:
        ArgumentError: if the divisor is 0.
    """
    dims = len(window.kernel)
    expect_images(x, dims, who)
    expect_divisor(divisor, who)
    uneven = window.ceil or (any(window.padding) and not count_padding)
    by: Tensor | int = math.prod(window.kernel) if divisor is None else divisor
    if divisor is None and uneven:
        by = ag.asarray(_elements(window, x.shape[-dims:], count_padding), x.dtype)
    return reduced(ag.window_sum, x, window, who) / by


def expect_divisor(divisor: int | None, who: object) -> None:
    """Refuse to divide by 0.

    Raises:
        ArgumentError: if that was asked for.
    """
    if divisor == 0:
        raise ArgumentError(f"{who} was given divisor_override=0. Expected another number, or None.")


def _elements(window: Window, lengths: Sequence[int], count_padding: bool) -> Tensor:
    """How many elements of each window count."""
    total = ag.ones(())
    along = zip(window.counts(lengths), lengths, window.kernel, window.stride, window.padding, strict=True)
    for count, n, k, s, p in along:
        low, high = (-p, n + p) if count_padding else (0, n)
        starts = [i * s - p for i in range(count)]
        total = ag.expand_dims(total, -1) * ag.asarray([min(a + k, high) - max(a, low) for a in starts])
    return total


# ---- layers


class Pool(Module):
    """What pooling of any kind and rank is made with."""

    dims: ClassVar[int]

    def __init__(self, kernel_size: Size, stride: Size | None, padding: Size, dilation: Size, ceil_mode: bool) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self._window = window_of(self.dims, kernel_size, stride, padding, dilation, ceil_mode, type(self).__name__)

    def extra_repr(self) -> str:
        """The sizes; of the rest, what is not the default."""
        text = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        defaults = {
            "dilation": 1,
            "return_indices": False,
            "ceil_mode": False,
            "count_include_pad": True,
            "divisor_override": None,
        }
        for name, usual in defaults.items():
            value = vars(self).get(name, usual)
            text += f", {name}={value}" if value != usual else ""
        return text


class _MaxPool(Pool):
    """The largest element of each window, at any rank."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        *,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode)
        self.dilation, self.return_indices = dilation, return_indices

    def forward(self, x: Tensor) -> Any:
        """(N, C, ...) or (C, ...), its last axes shorter; and where the elements are, if that is wanted."""
        return _max(x, self._window, self.return_indices, self)


class MaxPool1d(_MaxPool):
    """See `nn.functional.max_pool1d`.

    >>> MaxPool1d(2)(ag.ones((1, 3, 4))).shape
    (1, 3, 2)
    """

    dims = 1


class MaxPool2d(_MaxPool):
    """See `nn.functional.max_pool2d`.

    >>> MaxPool2d(2)(ag.ones((1, 3, 4, 4))).shape
    (1, 3, 2, 2)
    """

    dims = 2


class MaxPool3d(_MaxPool):
    """See `nn.functional.max_pool3d`.

    >>> MaxPool3d(2)(ag.ones((1, 3, 4, 4, 4))).shape
    (1, 3, 2, 2, 2)
    """

    dims = 3


class _AvgPool(Pool):
    """The mean of each window, at any rank."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, 1, ceil_mode)
        expect_divisor(divisor_override, type(self).__name__)
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) or (C, ...), its last axes shorter."""
        return mean_of(x, self._window, self.count_include_pad, self.divisor_override, self)


class AvgPool1d(_AvgPool):
    """See `nn.functional.avg_pool1d`.

    >>> AvgPool1d(2)(ag.ones((1, 3, 4))).shape
    (1, 3, 2)
    """

    dims = 1

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)


class AvgPool2d(_AvgPool):
    """See `nn.functional.avg_pool2d`.

    >>> AvgPool2d(2)(ag.ones((1, 3, 4, 4))).shape
    (1, 3, 2, 2)
    """

    dims = 2


class AvgPool3d(_AvgPool):
    """See `nn.functional.avg_pool3d`.

    >>> AvgPool3d(2)(ag.ones((1, 3, 4, 4, 4))).shape
    (1, 3, 2, 2, 2)
    """

    dims = 3
