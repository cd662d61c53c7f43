"""What convolutions of any rank and their transposes share: how they are made, and what they refuse."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn import init
from nn.images import Size, sizes
from nn.module import Module, Parameter
from nn.padding import MODES


def expect_weight(weight: Tensor, bias: Tensor | None, layout: str, outputs_axis: int, groups: int, who: str) -> None:
    """Refuse weights of another rank, groups that do not divide, and a bias that is not one number for each output.

    Raises:
        ShapeError: for the weight and the bias.
        ArgumentError: for the groups.
    """
    if len(weight.shape) != layout.count(",") + 1:
        raise ShapeError(f"{who} was given a weight of shape {weight.shape}. Expected {layout}.")
    if groups < 1 or weight.shape[0] % groups:
        kind = "outputs" if outputs_axis == 0 else "channels"
        raise ArgumentError(f"{who} was given groups={groups} for {weight.shape[0]} {kind}. Expected a divisor.")
    outputs = weight.shape[outputs_axis] * (groups if outputs_axis else 1)
    if bias is not None and bias.shape != (outputs,):
        raise ShapeError(f"{who} was given a bias of shape {bias.shape} for {outputs} outputs. Expected ({outputs},).")


def expect_channels(x: Tensor, channels: int, dims: int, layer: str, who: object) -> None:
    """Refuse an input (N, C, ...) or (C, ...) with another number of channels.

    Raises:
        ShapeError: if there are more or fewer.
    """
    if x.shape[-dims - 1] != channels:
        order = (0, dims + 1, *range(1, dims + 1)) if x.ndim == dims + 2 else (dims, *range(dims))
        grey = ", or x[:, None] if the axis of channels is missing" if x.ndim == dims + 1 and channels == 1 else ""
        raise ShapeError(
            f"{who} was given {x.shape[-dims - 1]} channels, an input of shape {x.shape}. "
            f"Expected {channels} channels.\n"
            f"Write {layer}, or x.transpose{order} if the channels are the last axis{grey}."
        )


class ConvNd(Module):
    """What convolutions of any rank, and their transposes, are made with."""

    dims: ClassVar[int]
    transposed: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        dilation: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: DTypeLike,
        generator: ag.random.Generator | None,
    ) -> None:
        who, modes = type(self).__name__, MODES[:1] if self.transposed else MODES
        if min(in_channels, out_channels, groups) < 1 or in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"{who} was given {in_channels} and {out_channels} channels in {groups} groups. "
                "Expected positive numbers of channels that the number of groups divides."
            )
        if padding_mode not in modes:
            raise ArgumentError(f"{who} was given padding_mode={padding_mode!r}. Expected one of: {', '.join(modes)}.")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = sizes(kernel_size, self.dims, "kernel_size", 1, who)
        self.stride = sizes(stride, self.dims, "stride", 1, who)
        self.dilation = sizes(dilation, self.dims, "dilation", 1, who)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(ag.zeros(shape, dtype))
        init.uniform_(self.weight, -bound, bound, generator=generator)
        self.bias = Parameter(ag.zeros(out_channels, dtype)) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator=generator)

    def extra_repr(self) -> str:
        """The sizes; of the rest, what is not the default."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        nothing, once = (0,) * self.dims, (1,) * self.dims
        defaults: dict[str, Any] = {"padding": nothing, "dilation": once, "output_padding": nothing, "groups": 1}
        for name, usual in (defaults | {"padding_mode": "zeros"}).items():
            value = vars(self).get(name, usual)
            text += f", {name}={value!r}" if value != usual else ""
        return text if self.bias is not None else f"{text}, bias=False"
