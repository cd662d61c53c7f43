"""Convolution: windows of the image, then one matrix product. Its derivative is theirs.

That is the definition, and what runs for volumes and for derivatives of higher order. Of signals and images `ag.fused`
sees that it is a convolution, and runs it, and its derivative, without a matrix of windows. Rows of the product are
laid out with the channels last, whatever the outside sees: copying windows then moves runs of neighbouring channels,
and the output is a view of the product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.conv_nd import ConvNd, expect_channels, expect_weight
from nn.images import AXES, Pair, Size, Sizes, expect_fit, expect_images, on_batch, padded, sizes
from nn.padding import surrounded

SMALLEST = 256  # elements of an argument from which on kernels are worth loading: they beat the composition before


def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over signals (N, C, L) or (C, L) with a weight (O, C / groups, k): see `conv2d`.

    >>> conv1d(ag.tensor([[[1.0, 2.0, 4.0]]]), ag.tensor([[[-1.0, 1.0]]]))
    tensor([[[1., 2.]]])
    """
    return _functional(x, weight, bias, (stride, padding, dilation), groups, "conv1d", 1)


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """y[n, o, i, j] = b[o] + sum over c, k, l of W[o, c, k, l] x[n, c, i s + k d, j s + l d]: cross-correlation.

    Parameters:
        x: (N, C, H, W) or (C, H, W).
        weight: (O, C / groups, kh, kw).
        bias: (O,).
        stride, dilation: s and d, one number or one each for height and width.
        padding: zeros around the image: one number, one each, "valid" for none, "same" for as many outputs as inputs.
        groups: the channels are split in so many groups, each seen by its share of the outputs only.

    Returns:
        (N, O, floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1, likewise for the width), N as given.

    Raises:
        ShapeError: if x or the weight has another rank, or the channels do not match, or the kernel does not fit.
        ArgumentError: if a size is not positive, the groups do not divide the channels, or "same" has a stride.

    >>> conv2d(ag.ones((1, 1, 3, 3)), ag.ones((1, 1, 2, 2)))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _functional(x, weight, bias, (stride, padding, dilation), groups, "conv2d", 2)


def conv3d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over volumes (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, kd, kh, kw): see `conv2d`.

    >>> conv3d(ag.ones((1, 1, 2, 2, 2)), ag.ones((1, 1, 2, 2, 2)))
    tensor([[[[[8.]]]]])
    """
    return _functional(x, weight, bias, (stride, padding, dilation), groups, "conv3d", 3)


def _functional(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    given: tuple[Size, Size | str, Size],
    groups: int,
    who: str,
    dims: int,
) -> Tensor:
    expect_weight(weight, bias, f"(O, {AXES[dims].replace('C', 'C / groups').replace(', ', ', k')})", 0, groups, who)
    stride, dilation = sizes(given[0], dims, "stride", 1, who), sizes(given[2], dims, "dilation", 1, who)
    around = _around(given[1], weight.shape[2:], stride, dilation, who)
    return _convolve(x, weight, bias, stride, around, dilation, groups, "zeros", who)


def _around(padding: Size | str, kernel: Sequence[int], stride: Sizes, dilation: Sizes, who: str) -> tuple[Pair, ...]:
    """How many to add before and after, for each axis."""
    if not isinstance(padding, str):
        return tuple((p, p) for p in sizes(padding, len(kernel), "padding", 0, who))
    if padding not in ("same", "valid"):
        raise ArgumentError(f"{who} was given padding={padding!r}. Expected a whole number, 'same' or 'valid'.")
    if padding == "same" and max(stride) > 1:
        raise ArgumentError(f"{who} was given padding='same' with stride={stride}. Expected stride 1: write numbers.")
    total = [d * (k - 1) if padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
    return tuple((n // 2, n - n // 2) for n in total)


def _convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    around: tuple[Pair, ...],
    dilation: Sizes,
    groups: int,
    mode: str,
    who: object,
) -> Tensor:
    outputs, share, *kernel = weight.shape
    dims = len(kernel)
    expect_images(x, dims, who)
    expect_channels(x, share * groups, dims, f"Conv{dims}d({x.shape[-dims - 1]}, {outputs}, ...)", who)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    expect_fit(x.shape[-dims:], around, reach, who)
    if mode != "zeros":
        x, around = surrounded(x, around, mode, who), ((0, 0),) * dims
    given = (weight,) if bias is None else (weight, bias)

    def images(x: Tensor) -> Tensor:
        return _correlate(x, *given, stride=stride, around=around, dilation=dilation, groups=groups)

    return on_batch(images, x, dims)


@ag.fused(smallest=SMALLEST)
def _correlate(
    x: Tensor, weight: Tensor, *bias: Tensor, stride: Sizes, around: tuple[Pair, ...], dilation: Sizes, groups: int
) -> Tensor:
    """Batches (N, C, ...) with zeros `around`, times weight (O, C / groups, ...): (N, O, ...), over any axes."""
    signals = len(stride) == 1
    if signals:  # as images of height 1
        x, weight = ag.expand_dims(x, 2), ag.expand_dims(weight, 2)
        stride, around, dilation = (1, *stride), ((0, 0), *around), (1, *dilation)
    outputs, _, *kernel = weight.shape
    dims = len(kernel)
    axes = tuple(range(1, dims + 1))
    last = padded(ag.permute_dims(x, (0, *range(2, dims + 2), 1)), around, axes)
    if max(*kernel, *stride) == 1:
        windows = ag.expand_dims(last, tuple(range(dims + 2, 2 * dims + 2)))
    else:
        windows = ag.window(last, kernel, axes=axes, stride=stride, dilation=dilation)  # (N, ..., C, kernel ...)
    y = ag.reshape(_product(windows, weight, groups), (*windows.shape[: dims + 1], outputs))
    y = y + bias[0] if bias else y
    y = ag.permute_dims(y, (0, dims + 1, *axes))
    return ag.squeeze(y, 2) if signals else y


def _product(windows: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Windows (N, ..., C, kernel ...) times weight (O, C / groups, kernel ...), as rows (N ..., O)."""
    outputs, share, *kernel = weight.shape
    dims = len(kernel)
    rows, inner = math.prod(windows.shape[: dims + 1]), math.prod(kernel) * share
    if groups == 1:
        taps = tuple(range(dims + 2, 2 * dims + 2))
        columns = ag.reshape(ag.permute_dims(windows, (*range(dims + 1), *taps, dims + 1)), (rows, inner))
        return columns @ ag.reshape(ag.permute_dims(weight, (*range(2, dims + 2), 1, 0)), (inner, outputs))
    taps = tuple(range(3, dims + 3))
    parts = ag.permute_dims(ag.reshape(windows, (rows, groups, share, *kernel)), (1, 0, *taps, 2))
    kernels = ag.permute_dims(ag.reshape(weight, (groups, outputs // groups, share, *kernel)), (0, *taps, 2, 1))
    y = ag.reshape(parts, (groups, rows, inner)) @ ag.reshape(kernels, (groups, inner, outputs // groups))
    return ag.reshape(ag.permute_dims(y, (1, 0, 2)), (rows, outputs))


class _Conv(ConvNd):
    """Convolution of any rank."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
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
        self.padding = padding if isinstance(padding, str) else sizes(padding, self.dims, "padding", 0, who)
        self._added = _around(padding, self.kernel_size, self.stride, self.dilation, who)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, ...) to (N, out_channels, ...), or the same without N."""
        return _convolve(
            x, self.weight, self.bias, self.stride, self._added, self.dilation, self.groups, self.padding_mode, self
        )


class Conv1d(_Conv):
    """Convolution over signals (N, C, L) or (C, L): see `Conv2d`.

    >>> Conv1d(1, 8, 3, padding="same")(ag.ones((2, 1, 5), dtype="float32")).shape
    (2, 8, 5)
    """

    dims = 1


class Conv2d(_Conv):
    """Convolution over images: see `nn.functional.conv2d` for the formula and the sizes.

    Weight and bias start uniform in [-1 / sqrt(fan_in), 1 / sqrt(fan_in)), fan_in = in_channels / groups kh kw, as in
    PyTorch.

    Parameters:
        in_channels, out_channels: C and O.
        kernel_size, stride, dilation: one number, or one each for height and width.
        padding: what is added around the image, or "same" or "valid".
        groups: divides both numbers of channels; as many as channels for a depthwise convolution.
        bias: whether a number is added to each output channel.
        padding_mode: what is added: "zeros", or the image itself by "reflect", "replicate" or "circular".
        dtype: of weight and bias.
        generator: where the starting values come from.

    Attributes:
        weight: (out_channels, in_channels / groups, kh, kw).
        bias: (out_channels,), or None.

    Raises:
        ArgumentError: if a size is not positive, the groups do not divide the channels, or "same" has a stride.
        ShapeError: if the input is not (N, in_channels, H, W) or (in_channels, H, W), or is smaller than the kernel,
            or than what is to be reflected.

    >>> Conv2d(1, 8, 3, padding=1)(ag.ones((2, 1, 5, 5), dtype="float32")).shape
    (2, 8, 5, 5)
    """

    dims = 2


class Conv3d(_Conv):
    """Convolution over volumes (N, C, D, H, W) or (C, D, H, W): see `Conv2d`.

    >>> Conv3d(1, 8, 3)(ag.ones((2, 1, 5, 5, 5), dtype="float32")).shape
    (2, 8, 3, 3, 3)
    """

    dims = 3
