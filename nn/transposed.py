"""Transposed convolution: each element of the input spreads a kernel over the output. The transpose of `nn.conv`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.conv import SMALLEST
from nn.conv_nd import ConvNd, expect_channels, expect_weight
from nn.images import AXES, Size, Sizes, expect_images, on_batch, padded, sizes, times


def conv_transpose1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Transposed convolution over signals (N, C, L) or (C, L), weight (C, O / groups, k): see `conv_transpose2d`.

    >>> conv_transpose1d(ag.tensor([[[1.0, 2.0]]]), ag.tensor([[[1.0, 10.0]]]))
    tensor([[[ 1., 12., 20.]]])
    """
    return _functional(x, weight, bias, (stride, padding, output_padding, dilation), groups, "conv_transpose1d", 1)


def conv_transpose2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """y[n, o, i s + k d - p, j s + l d - p] = b[o] + the sum of W[c, o, k, l] x[n, c, i, j] that meet there.

    The transpose of `conv2d` in its image, for the same stride s, padding p and dilation d.

    Parameters:
        x: (N, C, H, W) or (C, H, W).
        weight: (C, O / groups, kh, kw).
        bias: (O,).
        stride, dilation: s and d, one number or one each for height and width.
        padding: p, what is cut from each side of the output.
        output_padding: rows and columns added at the end: `conv2d` with a stride has one output for several sizes.
        groups: the channels are split in so many groups, each of which spreads over its share of the outputs only.

    Returns:
        (N, O, (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1, likewise for the width).

    Raises:
        ShapeError: if x or the weight has another rank, or the channels do not match, or nothing is left.
        ArgumentError: if a size is not positive, the groups do not divide the channels, or `output_padding` is as
            large as both stride and dilation.

    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    >>> conv_transpose2d(ag.ones((1, 1, 2, 2)), ag.ones((1, 1, 2, 2)))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    return _functional(x, weight, bias, (stride, padding, output_padding, dilation), groups, "conv_transpose2d", 2)


def conv_transpose3d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Transposed convolution over volumes, weight (C, O / groups, kd, kh, kw): see `conv_transpose2d`.

    >>> conv_transpose3d(ag.ones((1, 1, 1, 1, 1)), ag.ones((1, 1, 1, 1, 2)))
    tensor([[[[[1., 1.]]]]])
    """
    return _functional(x, weight, bias, (stride, padding, output_padding, dilation), groups, "conv_transpose3d", 3)


def _functional(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    given: tuple[Size, Size, Size, Size],
    groups: int,
    who: str,
    dims: int,
) -> Tensor:
    expect_weight(weight, bias, f"(C, O / groups{AXES[dims][1:].replace(', ', ', k')})", 1, groups, who)
    stride, dilation = sizes(given[0], dims, "stride", 1, who), sizes(given[3], dims, "dilation", 1, who)
    padding, extra = sizes(given[1], dims, "padding", 0, who), sizes(given[2], dims, "output_padding", 0, who)
    _expect_extra(extra, stride, dilation, who)
    return _convolve(x, weight, bias, stride, padding, extra, dilation, groups, who)


def _expect_extra(extra: Sizes, stride: Sizes, dilation: Sizes, who: str) -> None:
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ArgumentError(
            f"{who} was given output_padding={extra} with stride={stride} and dilation={dilation}. "
            "Expected less than one of them."
        )


def _least(lengths: Sequence[int], kernel: Sequence[int], stride: Sizes, padding: Sizes, dilation: Sizes) -> Sizes:
    """The lengths of the output without `output_padding`."""
    along = zip(lengths, kernel, stride, padding, dilation, strict=True)
    return tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in along)


def _convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    extra: Sizes,
    dilation: Sizes,
    groups: int,
    who: object,
) -> Tensor:
    channels, share, *kernel = weight.shape
    dims, outputs = len(kernel), share * groups
    expect_images(x, dims, who)
    expect_channels(x, channels, dims, f"ConvTranspose{dims}d({x.shape[-dims - 1]}, {outputs}, ...)", who)
    least = _least(x.shape[-dims:], kernel, stride, padding, dilation)
    lengths = tuple(n + e for n, e in zip(least, extra, strict=True))
    if min(lengths) < 1:
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}, whose output would be {times(lengths)}. "
            "Expected at least 1 along each axis: write less padding."
        )

    given = (weight,) if bias is None else (weight, bias)

    def images(x: Tensor) -> Tensor:
        return _correlate_transposed(
            x, *given, lengths=lengths, stride=stride, padding=padding, dilation=dilation, groups=groups
        )

    return on_batch(images, x, dims)


@ag.fused(smallest=SMALLEST)
def _correlate_transposed(
    x: Tensor,
    weight: Tensor,
    *bias: Tensor,
    lengths: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Tensor:
    """Batches (N, C, ...) spread by weight (C, O / groups, ...) to (N, O, *lengths), over any axes."""
    signals = len(stride) == 1
    if signals:  # as images of height 1
        x, weight = ag.expand_dims(x, 2), ag.expand_dims(weight, 2)
        lengths, stride, padding, dilation = (1, *lengths), (1, *stride), (0, *padding), (1, *dilation)
    _, share, *kernel = weight.shape
    n, dims, outputs = len(x), len(kernel), share * groups
    axes, taps = tuple(range(1, dims + 1)), tuple(range(dims + 1, 2 * dims + 1))
    y = ag.reshape(_product(x, weight, groups), (n, *x.shape[2:], *kernel, outputs))
    whole = _least(x.shape[2:], kernel, stride, (0,) * dims, dilation)
    windows = ag.permute_dims(y, (0, *axes, 2 * dims + 1, *taps))
    full = ag.fold(windows, (n, *whole, outputs), axes=axes, stride=stride, dilation=dilation)
    ends = [min(m, p + length) for m, p, length in zip(whole, padding, lengths, strict=True)]
    cut = full if (max(padding), ends) == (0, list(whole)) else full[(slice(None), *map(slice, padding, ends))]
    missing = [(0, p + length - end) for p, length, end in zip(padding, lengths, ends, strict=True)]
    y = padded(cut, missing, axes)
    y = ag.permute_dims(y + bias[0] if bias else y, (0, dims + 1, *axes))
    return ag.squeeze(y, 2) if signals else y


def _product(x: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Images (N, C, ...) times weight (C, O / groups, kernel ...), as rows (N ..., kernel ... O)."""
    channels, share, *kernel = weight.shape
    dims, each = len(kernel), channels // groups
    inner, taps = math.prod(kernel), tuple(range(3, dims + 3))
    last = ag.permute_dims(x, (0, *range(2, dims + 2), 1))
    rows = math.prod(last.shape[:-1])
    kernels = ag.permute_dims(ag.reshape(weight, (groups, each, share, *kernel)), (0, 1, *taps, 2))
    if groups == 1:
        return ag.reshape(last, (rows, channels)) @ ag.reshape(kernels, (channels, inner * share))
    parts = ag.permute_dims(ag.reshape(last, (rows, groups, each)), (1, 0, 2))
    y = ag.reshape(parts @ ag.reshape(kernels, (groups, each, inner * share)), (groups, rows, inner, share))
    return ag.permute_dims(y, (1, 2, 0, 3))


class _ConvTranspose(ConvNd):
    """Transposed convolution of any rank."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            dilation,
            groups,
            bias,
            padding_mode,
            dtype,
            generator,
        )
        who = type(self).__name__
        self.padding = sizes(padding, self.dims, "padding", 0, who)
        self.output_padding = sizes(output_padding, self.dims, "output_padding", 0, who)
        _expect_extra(self.output_padding, self.stride, self.dilation, who)

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(N, in_channels, ...) to (N, out_channels, ...), or the same without N.

        Parameters:
            x: the input.
            output_size: the lengths that the output is to have, in place of `output_padding`.

        Raises:
            ShapeError: if an output cannot have that size.
        """
        extra = self.output_padding if output_size is None else self._extra(x, tuple(output_size))
        return _convolve(x, self.weight, self.bias, self.stride, self.padding, extra, self.dilation, self.groups, self)

    def _extra(self, x: Tensor, wanted: Sizes) -> Sizes:
        """The output padding that leads to a size."""
        expect_images(x, self.dims, self)
        wanted = wanted[2:] if len(wanted) == self.dims + 2 else wanted
        least = _least(x.shape[-self.dims :], self.kernel_size, self.stride, self.padding, self.dilation)
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if len(wanted) != self.dims or not all(a <= n <= b for a, n, b in zip(least, wanted, most, strict=True)):
            raise ShapeError(
                f"{self!r} was given output_size={wanted} for an input of shape {x.shape}. "
                f"Expected {times(least)} to {times(most)}."
            )
        return tuple(n - a for n, a in zip(wanted, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution over signals (N, C, L) or (C, L): see `ConvTranspose2d`.

    >>> ConvTranspose1d(8, 1, 4, stride=2, padding=1)(ag.ones((2, 8, 5), dtype="float32")).shape
    (2, 1, 10)
    """

    dims = 1


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution over images: see `nn.functional.conv_transpose2d` for the formula and the sizes.

    Weight and bias start uniform in [-1 / sqrt(f), 1 / sqrt(f)), f = out_channels / groups kh kw, as in PyTorch.

    Parameters:
        in_channels, out_channels: C and O.
        kernel_size, stride, dilation: one number, or one each for height and width.
        padding: what is cut from each side of the output.
        output_padding: rows and columns added at the end of the output.
        groups: divides both numbers of channels.
        bias: whether a number is added to each output channel.
        padding_mode: "zeros", the only one, as in PyTorch.
        dtype: of weight and bias.
        generator: where the starting values come from.

    Attributes:
        weight: (in_channels, out_channels / groups, kh, kw).
        bias: (out_channels,), or None.

    Raises:
        ArgumentError: if a size is not positive, the groups do not divide the channels, or `output_padding` is too
            large.
        ShapeError: if the input is not (N, in_channels, H, W) or (in_channels, H, W), or nothing is left of the output.

    >>> ConvTranspose2d(8, 1, 4, stride=2, padding=1)(ag.ones((2, 8, 5, 5), dtype="float32")).shape
    (2, 1, 10, 10)
    """

    dims = 2


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution over volumes (N, C, D, H, W) or (C, D, H, W): see `ConvTranspose2d`.

    >>> ConvTranspose3d(8, 1, 2, stride=2)(ag.ones((2, 8, 3, 3, 3), dtype="float32")).shape
    (2, 1, 6, 6, 6)
    """

    dims = 3
