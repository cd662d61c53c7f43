"""The way back from max pooling: each element to where it was the largest, zeros elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, IndexOutOfRange, ShapeError
from nn.images import Size, Sizes, expect_images, sizes
from nn.module import Module


def max_unpool1d(
    x: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """The elements of signals (N, C, L) or (C, L) at their places: see `max_unpool2d`.

    >>> max_unpool1d(ag.tensor([[5.0, 3.0]]), ag.tensor([[1, 3]]), 2)
    tensor([[0., 5., 0., 3.]])
    """
    return _back(x, indices, _Sizes(1, kernel_size, stride, padding, "max_unpool1d"), output_size, "max_unpool1d")


def max_unpool2d(
    x: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros, with the elements of x at the places that `max_pool2d(..., return_indices=True)` says.

    Where windows overlap and agree on the largest, its place is filled once.

    Parameters:
        x: (N, C, H, W) or (C, H, W): the largest of each window.
        indices: of the shape of x: where they were, in the axes of an image counted through.
        kernel_size, stride, padding: those of the pooling.
        output_size: the last axes of what was pooled, or its whole shape; None for (H - 1) stride - 2 padding +
            kernel_size, likewise for the width. Several sizes are pooled to the same one, so say it where windows did
            not fit evenly.

    Raises:
        ShapeError: if x has another rank, or the indices another shape.
        IndexOutOfRange: if an index is not in the output.
        ArgumentError: if the output size is not one for each axis.

    >>> max_unpool2d(ag.tensor([[[5.0]]]), ag.tensor([[[2]]]), 2)
    tensor([[[0., 0.],
             [5., 0.]]])
    """
    return _back(x, indices, _Sizes(2, kernel_size, stride, padding, "max_unpool2d"), output_size, "max_unpool2d")


def max_unpool3d(
    x: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """The elements of volumes (N, C, D, H, W) or (C, D, H, W) at their places: see `max_unpool2d`.

    >>> max_unpool3d(ag.ones((1, 1, 1, 1)), ag.asarray([[[[7]]]]), 2).shape
    (1, 2, 2, 2)
    """
    return _back(x, indices, _Sizes(3, kernel_size, stride, padding, "max_unpool3d"), output_size, "max_unpool3d")


class _Sizes:
    """The sizes of the pooling, made definite."""

    def __init__(self, dims: int, kernel_size: Size, stride: Size | None, padding: Size, who: str) -> None:
        self.dims = dims
        self.kernel = sizes(kernel_size, dims, "kernel_size", 1, who)
        self.stride = self.kernel if stride is None else sizes(stride, dims, "stride", 1, who)
        self.padding = sizes(padding, dims, "padding", 0, who)

    def pooled(self, lengths: Sequence[int]) -> Sizes:
        """The lengths of what was pooled to these, where the windows fit evenly."""
        along = zip(lengths, self.kernel, self.stride, self.padding, strict=True)
        return tuple((n - 1) * s - 2 * p + k for n, k, s, p in along)


def _back(x: Tensor, indices: Tensor, window: _Sizes, output_size: Sequence[int] | None, who: object) -> Tensor:
    dims = window.dims
    expect_images(x, dims, who)
    if tuple(indices.shape) != x.shape:
        raise ShapeError(f"{who} was given x of shape {x.shape} and indices of shape {tuple(indices.shape)}.")
    lead = x.shape[:-dims]
    lengths = window.pooled(x.shape[-dims:]) if output_size is None else tuple(output_size)[-dims:]
    if output_size is not None and len(output_size) not in (dims, len(x.shape)):
        raise ArgumentError(f"{who} was given output_size={tuple(output_size)}. Expected {dims} lengths.")
    size, rows = math.prod(lengths), math.prod(lead)
    at = ag.reshape(ag.asarray(indices), (rows, -1))
    if not ag.is_captured(at) and at.size and not 0 <= int(ag.min(at)) <= int(ag.max(at)) < size:
        raise IndexOutOfRange(
            f"{who} was given indices from {int(ag.min(at))} to {int(ag.max(at))} for an output of lengths {lengths}. "
            f"Expected 0 to {size - 1}: say the size of what was pooled, output_size=x.shape[-{dims}:]."
        )
    flat = ag.put(ag.zeros((rows, size), x.dtype), (np.arange(rows)[:, None], at), ag.reshape(x, at.shape))
    return ag.reshape(flat, (*lead, *lengths))


class _MaxUnpool(Module):
    """The way back from max pooling of any rank."""

    dims: ClassVar[int]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        self._window = _Sizes(self.dims, kernel_size, stride, padding, type(self).__name__)

    def forward(self, x: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(N, C, ...) or (C, ...), its last axes longer."""
        return _back(x, indices, self._window, output_size, self)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """See `nn.functional.max_unpool1d`.

    >>> MaxUnpool1d(2)(ag.tensor([[5.0]]), ag.tensor([[1]]))
    tensor([[0., 5.]])
    """

    dims = 1


class MaxUnpool2d(_MaxUnpool):
    """See `nn.functional.max_unpool2d`.

    >>> from nn.pooling import MaxPool2d
    >>> y, places = MaxPool2d(2, return_indices=True)(ag.tensor([[[1.0, 2.0], [4.0, 3.0]]]))
    >>> MaxUnpool2d(2)(y, places)
    tensor([[[0., 0.],
             [4., 0.]]])
    """

    dims = 2


class MaxUnpool3d(_MaxUnpool):
    """See `nn.functional.max_unpool3d`.

    >>> MaxUnpool3d(2)(ag.ones((1, 1, 1, 1)), ag.asarray([[[[7]]]])).shape
    (1, 2, 2, 2)
    """

    dims = 3
