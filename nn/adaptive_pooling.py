"""Adaptive pooling: as many windows as outputs are wanted, however long the input is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import ClassVar

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.images import Sizes, expect_images, on_batch, padded
from nn.module import Module

Output = int | None | Sequence[int | None]


def adaptive_avg_pool1d(x: Tensor, output_size: Output) -> Tensor:
    """The means of `output_size` windows of signals (N, C, L) or (C, L): see `adaptive_avg_pool2d`.

    >>> adaptive_avg_pool1d(ag.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[1.5, 4. ]])
    """
    return _means(x, output_size, 1, "adaptive_avg_pool1d")


def adaptive_avg_pool2d(x: Tensor, output_size: Output) -> Tensor:
    """The mean of each of m windows along an axis of length n: window i is floor(i n / m) to ceil((i + 1) n / m).

    Parameters:
        x: (N, C, H, W) or (C, H, W).
        output_size: m, one number or one each for height and width; None for the length of the input.

    Raises:
        ShapeError: if x has another rank, or an axis of length 0.
        ArgumentError: if a size is not positive.

    >>> adaptive_avg_pool2d(ag.ones((8, 7, 9)), (3, None)).shape
    (8, 3, 9)
    """
    return _means(x, output_size, 2, "adaptive_avg_pool2d")


def adaptive_avg_pool3d(x: Tensor, output_size: Output) -> Tensor:
    """The means of windows of volumes (N, C, D, H, W) or (C, D, H, W): see `adaptive_avg_pool2d`.

    >>> adaptive_avg_pool3d(ag.ones((8, 4, 7, 9)), 2).shape
    (8, 2, 2, 2)
    """
    return _means(x, output_size, 3, "adaptive_avg_pool3d")


def adaptive_max_pool1d(x: Tensor, output_size: Output) -> Tensor:
    """The largest elements of windows of signals (N, C, L) or (C, L): see `adaptive_avg_pool2d` for the windows.

    >>> adaptive_max_pool1d(ag.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[2., 6.]])
    """
    return _largest(x, output_size, 1, "adaptive_max_pool1d")


def adaptive_max_pool2d(x: Tensor, output_size: Output) -> Tensor:
    """The largest elements of windows: see `adaptive_avg_pool2d` for the windows.

    The first of equals gets the gradient. There is no `return_indices`.

    >>> adaptive_max_pool2d(ag.ones((8, 7, 9)), (3, None)).shape
    (8, 3, 9)
    """
    return _largest(x, output_size, 2, "adaptive_max_pool2d")


def adaptive_max_pool3d(x: Tensor, output_size: Output) -> Tensor:
    """The largest elements of windows of volumes (N, C, D, H, W) or (C, D, H, W): see `adaptive_avg_pool2d`.

    >>> adaptive_max_pool3d(ag.ones((8, 4, 7, 9)), 2).shape
    (8, 2, 2, 2)
    """
    return _largest(x, output_size, 3, "adaptive_max_pool3d")


def _wanted(output_size: Output, dims: int, who: object) -> tuple[int | None, ...]:
    found = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * dims
    if len(found) != dims or not all(n is None or (isinstance(n, Integral) and n >= 1) for n in found):
        raise ArgumentError(
            f"{who} was given output_size={output_size!r}. Expected a whole number of at least 1 or None for each of "
            f"{dims} axes, or one for all."
        )
    return found


def _counts(x: Tensor, output_size: Output, dims: int, who: object) -> Sizes:
    """How many windows there are along each axis."""
    wanted = _wanted(output_size, dims, who)
    expect_images(x, dims, who)
    if not math.prod(x.shape[-dims:]):
        raise ShapeError(f"{who} was given an input of shape {x.shape}. Expected at least one element in each window.")
    return tuple(n if m is None else m for n, m in zip(x.shape[-dims:], wanted, strict=True))


def _edges(n: int, m: int) -> list[tuple[int, int]]:
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


def _even(x: Tensor, counts: Sizes) -> Sizes | None:
    """The length of the windows along each axis, where all are of one length and lie side by side."""
    lengths = x.shape[x.ndim - len(counts) :]
    even = not any(n % m for n, m in zip(lengths, counts, strict=True))
    return tuple(n // m for n, m in zip(lengths, counts, strict=True)) if even else None


def _means(x: Tensor, output_size: Output, dims: int, who: object) -> Tensor:
    counts = _counts(x, output_size, dims, who)
    if set(counts) == {1}:  # one long sum is more exact by halves
        return ag.mean(x, tuple(range(x.ndim - dims, x.ndim)), keepdims=True)
    if (size := _even(x, counts)) is not None:
        return ag.window_sum(x, size) / math.prod(size)
    for axis, m in zip(range(x.ndim - dims, x.ndim), counts, strict=True):
        shares = np.zeros((x.shape[axis], m), x.dtype)  # a mean along one axis is a product with a fixed matrix
        for i, (start, end) in enumerate(_edges(x.shape[axis], m)):
            shares[start:end, i] = 1 / (end - start)
        x = ag.moveaxis(ag.moveaxis(x, axis, -1) @ shares, -1, axis)
    return x


def _largest(x: Tensor, output_size: Output, dims: int, who: object) -> Tensor:
    counts = _counts(x, output_size, dims, who)
    if (size := _even(x, counts)) is not None:
        return ag.window_max(x, size)

    def images(x: Tensor) -> Tensor:
        lengths = x.shape[2:]
        x = padded(x, ((0, 1),) * dims, range(2, dims + 2), -math.inf)  # what shorter windows see instead
        for k, (n, m) in enumerate(zip(lengths, counts, strict=True)):
            edges = _edges(n, m)
            most = max(end - start for start, end in edges)
            places = [[a + j if a + j < b else n for j in range(most)] for a, b in edges]
            x = ag.take(x, places, 2 + 2 * k)
        longest = x.shape[3::2]
        merged = (m * n for m, n in zip(counts, longest, strict=True))
        return ag.window_max(ag.reshape(x, (*x.shape[:2], *merged)), longest)

    return on_batch(images, x, dims)


class _Adaptive(Module):
    """Adaptive pooling of any kind and rank."""

    dims: ClassVar[int]

    def __init__(self, output_size: Output) -> None:
        _wanted(output_size, self.dims, type(self).__name__)
        self.output_size = output_size

    def extra_repr(self) -> str:
        """How many windows."""
        return f"output_size={self.output_size}"


class _AdaptiveAvgPool(_Adaptive):
    """Means, at any rank."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) or (C, ...), its last axes as long as wanted."""
        return _means(x, self.output_size, self.dims, self)


class _AdaptiveMaxPool(_Adaptive):
    """Largest elements, at any rank."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) or (C, ...), its last axes as long as wanted."""
        return _largest(x, self.output_size, self.dims, self)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """See `nn.functional.adaptive_avg_pool1d`.

    >>> AdaptiveAvgPool1d(2)(ag.ones((1, 3, 5))).shape
    (1, 3, 2)
    """

    dims = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """See `nn.functional.adaptive_avg_pool2d`.

    >>> AdaptiveAvgPool2d(2)(ag.ones((1, 3, 5, 5))).shape
    (1, 3, 2, 2)
    """

    dims = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """See `nn.functional.adaptive_avg_pool3d`.

    >>> AdaptiveAvgPool3d(2)(ag.ones((1, 3, 5, 5, 5))).shape
    (1, 3, 2, 2, 2)
    """

    dims = 3


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """See `nn.functional.adaptive_max_pool1d`.

    >>> AdaptiveMaxPool1d(2)(ag.ones((1, 3, 5))).shape
    (1, 3, 2)
    """

    dims = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """See `nn.functional.adaptive_max_pool2d`.

    >>> AdaptiveMaxPool2d(2)(ag.ones((1, 3, 5, 5))).shape
    (1, 3, 2, 2)
    """

    dims = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """See `nn.functional.adaptive_max_pool3d`.

    >>> AdaptiveMaxPool3d(2)(ag.ones((1, 3, 5, 5, 5))).shape
    (1, 3, 2, 2, 2)
    """

    dims = 3
