"""Convolution: windows of the image, then one matrix product. Its derivative is theirs.

Rows of the product are laid out with the channels last, whatever the outside sees: copying windows then moves runs of
neighbouring channels, and the output is a view of the product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn import init
from nn.images import Pair, Size, expect_fit, expect_images, padded, pair
from nn.module import Module, Parameter


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
        x: (N, C, H, W).
        weight: (O, C / groups, kh, kw).
        bias: (O,).
        stride, dilation: s and d, one number or one each for height and width.
        padding: zeros around the image: one number, one each, "valid" for none, "same" for as many outputs as inputs.
        groups: the channels are split in so many groups, each seen by its share of the outputs only.

    Returns:
        (N, O, floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1, likewise for the width).

    Raises:
        ShapeError: if x has not four axes, or the channels do not match, or the kernel does not fit.
        ArgumentError: if a size is not positive, the groups do not divide the channels, or "same" has a stride.

    >>> conv2d(ag.ones((1, 1, 3, 3)), ag.ones((1, 1, 2, 2)))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    shape = weight.shape
    if len(shape) != 4:
        raise ShapeError(f"conv2d was given a weight of shape {shape}. Expected (O, C / groups, kh, kw).")
    steps, spread = pair(stride, "stride", 1, "conv2d"), pair(dilation, "dilation", 1, "conv2d")
    if groups < 1 or shape[0] % groups:
        raise ArgumentError(f"conv2d was given groups={groups} for {shape[0]} outputs. Expected a divisor.")
    around = _around(padding, shape[2:], steps, spread, "conv2d")
    return _convolve(x, weight, bias, steps, around, spread, groups, "conv2d")


def _around(padding: Size | str, kernel: Sequence[int], stride: Pair, dilation: Pair, who: str) -> tuple[Pair, Pair]:
    """Zeros before and after, for height and width."""
    if not isinstance(padding, str):
        high, wide = pair(padding, "padding", 0, who)
        return (high, high), (wide, wide)
    if padding not in ("same", "valid"):
        raise ArgumentError(f"{who} was given padding={padding!r}. Expected a whole number, 'same' or 'valid'.")
    if padding == "same" and stride != (1, 1):
        raise ArgumentError(f"{who} was given padding='same' with stride={stride}. Expected stride 1: write numbers.")
    total = [d * (k - 1) if padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
    return (total[0] // 2, total[0] - total[0] // 2), (total[1] // 2, total[1] - total[1] // 2)


def _convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
    who: object,
) -> Tensor:
    expect_images(x, who)
    outputs, share, kh, kw = weight.shape
    if x.shape[1] != share * groups:
        raise ShapeError(
            f"{who} was given {x.shape[1]} channels, an input of shape {x.shape} for a weight of shape {weight.shape}. "
            f"Expected {share * groups} channels.\n"
            f"Write Conv2d({x.shape[1]}, {outputs}, ...), or x.transpose(0, 3, 1, 2) if the channels are the last axis."
        )
    expect_fit((x.shape[2], x.shape[3]), padding, (dilation[0] * (kh - 1) + 1, dilation[1] * (kw - 1) + 1), who)
    last = padded(ag.permute_dims(x, (0, 2, 3, 1)), padding, (1, 2))
    if (kh, kw) == stride == (1, 1):
        windows = ag.expand_dims(last, (4, 5))
    else:
        windows = ag.window(last, (kh, kw), axes=(1, 2), stride=stride, dilation=dilation)  # (N, Ho, Wo, C, kh, kw)
    y = _product(windows, weight, groups)
    y = y if bias is None else y + bias
    return ag.permute_dims(ag.reshape(y, (*windows.shape[:3], outputs)), (0, 3, 1, 2))


def _product(windows: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Windows (N, Ho, Wo, C, kh, kw) times weight (O, C / groups, kh, kw), as rows (N Ho Wo, O)."""
    outputs, share, kh, kw = weight.shape
    n, high, wide = windows.shape[:3]
    rows, inner = n * high * wide, kh * kw * share
    if groups == 1:
        columns = ag.reshape(ag.permute_dims(windows, (0, 1, 2, 4, 5, 3)), (rows, inner))
        return columns @ ag.reshape(ag.permute_dims(weight, (2, 3, 1, 0)), (inner, outputs))
    parts = ag.permute_dims(ag.reshape(windows, (n, high, wide, groups, share, kh, kw)), (3, 0, 1, 2, 5, 6, 4))
    kernels = ag.permute_dims(ag.reshape(weight, (groups, outputs // groups, share, kh, kw)), (0, 3, 4, 2, 1))
    y = ag.reshape(parts, (groups, rows, inner)) @ ag.reshape(kernels, (groups, inner, outputs // groups))
    return ag.reshape(ag.permute_dims(y, (1, 0, 2)), (rows, outputs))


class Conv2d(Module):
    """Convolution over images: see `nn.functional.conv2d` for the formula and the sizes.

    Weight and bias start uniform in [-1 / sqrt(fan_in), 1 / sqrt(fan_in)), fan_in = in_channels / groups kh kw, as in
    PyTorch.

    Parameters:
        in_channels, out_channels: C and O.
        kernel_size, stride, dilation: one number, or one each for height and width.
        padding: zeros around the image, or "same" or "valid".
        groups: divides both numbers of channels.
        bias: whether a number is added to each output channel.
        dtype: of weight and bias.
        generator: where the starting values come from.

    Attributes:
        weight: (out_channels, in_channels / groups, kh, kw).
        bias: (out_channels,), or None.

    Raises:
        ArgumentError: if a size is not positive, the groups do not divide the channels, or "same" has a stride.
        ShapeError: if the input is not (N, in_channels, H, W), or is smaller than the kernel.

    >>> Conv2d(1, 8, 3, padding=1)(ag.ones((2, 1, 5, 5), dtype="float32")).shape
    (2, 8, 5, 5)
    """

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
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        if min(in_channels, out_channels, groups) < 1 or in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"Conv2d was given {in_channels} and {out_channels} channels in {groups} groups. "
                "Expected positive numbers of channels that the number of groups divides."
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair(kernel_size, "kernel_size", 1, "Conv2d")
        self.stride = pair(stride, "stride", 1, "Conv2d")
        self.dilation = pair(dilation, "dilation", 1, "Conv2d")
        self.padding = padding if isinstance(padding, str) else pair(padding, "padding", 0, "Conv2d")
        self._zeros = _around(padding, self.kernel_size, self.stride, self.dilation, "Conv2d")
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(ag.zeros(shape, dtype))
        init.uniform_(self.weight, -bound, bound, generator=generator)
        self.bias = Parameter(ag.zeros(out_channels, dtype)) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, Ho, Wo)."""
        return _convolve(x, self.weight, self.bias, self.stride, self._zeros, self.dilation, self.groups, self)

    def extra_repr(self) -> str:
        """The sizes; of the rest, what is not the default."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        defaults: dict[str, Any] = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}
        for name, usual in defaults.items():
            value = getattr(self, name)
            text += f", {name}={value!r}" if value != usual else ""
        return text if self.bias is not None else f"{text}, bias=False"
