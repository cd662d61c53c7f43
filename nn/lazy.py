"""Layers whose first input says how many features or channels it has."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ShapeError
from nn.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from nn.conv import Conv1d, Conv2d, Conv3d
from nn.instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from nn.linear import Linear
from nn.module import Module
from nn.transposed import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d


class Lazy(Module):
    """A layer without its first argument, which is read off the first input; from then on it is the layer itself.

    Before that its parameters hold nothing. They stay the same objects, so an optimizer may be made beforehand; a state
    is loaded, and values are initialised, after the first call.

    Attributes:
        layer: the class that it becomes.
        length: the name of the argument that is left out.
        axis: the axis of the input whose length that is.
        defaults: what of its arguments has another default here.

    Raises:
        ShapeError: if the input has too few axes.
    """

    layer: ClassVar[type[Module]]
    length: ClassVar[str]
    axis: ClassVar[int]
    defaults: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        given = inspect.signature(cls.layer)
        rest = [p.replace(default=cls.defaults.get(p.name, p.default)) for p in given.parameters.values()][1:]
        cls.__signature__ = given.replace(parameters=rest)

    def __init__(self, *args: Any, **settings: Any) -> None:
        bound = inspect.signature(type(self)).bind(*args, **settings)
        bound.apply_defaults()
        self._made_with = (bound.args, bound.kwargs)
        drawn = {"generator": ag.random.Generator(0)} if "generator" in inspect.signature(self.layer).parameters else {}
        small = self.layer(bound.arguments.get("groups", 1), *bound.args, **bound.kwargs | drawn)
        vars(self).update(vars(small))
        setattr(self, self.length, 0)
        for t in (*self.parameters(), *self.buffers()):
            if t.ndim:
                t.set_(np.zeros(0, t.dtype))

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the layer gives, once it knows its input."""
        x: Tensor = inputs[0]
        if not -x.ndim <= self.axis < x.ndim:
            least = max(self.axis + 1, -self.axis)
            raise ShapeError(f"{self!r} was given an input of shape {x.shape}. Expected {least} axes or more.")
        ag.not_yet("a lazy layer's first call makes its parameters")
        args, settings = self._made_with
        made = self.layer(x.shape[self.axis], *args, **settings)
        for name, value in vars(made).items():
            held = vars(self).get(name)
            if isinstance(held, Tensor):
                held.set_(value.value.astype(held.dtype))
            else:
                vars(self)[name] = value
        del self._made_with
        self.__class__ = self.layer  # type: ignore[assignment]
        return self.forward(*inputs, **options)


_TRACKED = {"affine": True, "track_running_stats": True}  # as in PyTorch


class LazyLinear(Lazy, Linear):
    """`Linear` without `in_features`, which the first input says.

    >>> layer = LazyLinear(2)
    >>> layer
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> layer(ag.ones((5, 3), dtype="float32")).shape, layer
    ((5, 2), Linear(in_features=3, out_features=2, bias=True))
    """

    layer, length, axis = Linear, "in_features", -1


class LazyConv1d(Lazy, Conv1d):
    """`Conv1d` without `in_channels`, which the first input says.

    >>> LazyConv1d(4, 3)(ag.ones((2, 3, 5), dtype="float32")).shape
    (2, 4, 3)
    """

    layer, length, axis = Conv1d, "in_channels", -2


class LazyConv2d(Lazy, Conv2d):
    """`Conv2d` without `in_channels`, which the first input says.

    >>> LazyConv2d(4, 3)(ag.ones((2, 3, 5, 5), dtype="float32")).shape
    (2, 4, 3, 3)
    """

    layer, length, axis = Conv2d, "in_channels", -3


class LazyConv3d(Lazy, Conv3d):
    """`Conv3d` without `in_channels`, which the first input says.

    >>> LazyConv3d(4, 3)(ag.ones((2, 3, 5, 5, 5), dtype="float32")).shape
    (2, 4, 3, 3, 3)
    """

    layer, length, axis = Conv3d, "in_channels", -4


class LazyConvTranspose1d(Lazy, ConvTranspose1d):
    """`ConvTranspose1d` without `in_channels`, which the first input says.

    >>> LazyConvTranspose1d(4, 3)(ag.ones((2, 3, 5), dtype="float32")).shape
    (2, 4, 7)
    """

    layer, length, axis = ConvTranspose1d, "in_channels", -2


class LazyConvTranspose2d(Lazy, ConvTranspose2d):
    """`ConvTranspose2d` without `in_channels`, which the first input says.

    >>> LazyConvTranspose2d(4, 3)(ag.ones((2, 3, 5, 5), dtype="float32")).shape
    (2, 4, 7, 7)
    """

    layer, length, axis = ConvTranspose2d, "in_channels", -3


class LazyConvTranspose3d(Lazy, ConvTranspose3d):
    """`ConvTranspose3d` without `in_channels`, which the first input says.

    >>> LazyConvTranspose3d(4, 3)(ag.ones((2, 3, 5, 5, 5), dtype="float32")).shape
    (2, 4, 7, 7, 7)
    """

    layer, length, axis = ConvTranspose3d, "in_channels", -4


class LazyBatchNorm1d(Lazy, BatchNorm1d):
    """`BatchNorm1d` without `num_features`, which the first input says.

    >>> LazyBatchNorm1d()(ag.ones((2, 3, 5), dtype="float32")).shape
    (2, 3, 5)
    """

    layer, length, axis = BatchNorm1d, "num_features", 1


class LazyBatchNorm2d(Lazy, BatchNorm2d):
    """`BatchNorm2d` without `num_features`, which the first input says.

    >>> LazyBatchNorm2d()(ag.ones((2, 3, 5, 5), dtype="float32")).shape
    (2, 3, 5, 5)
    """

    layer, length, axis = BatchNorm2d, "num_features", 1


class LazyBatchNorm3d(Lazy, BatchNorm3d):
    """`BatchNorm3d` without `num_features`, which the first input says.

    >>> LazyBatchNorm3d()(ag.ones((2, 3, 5, 5, 5), dtype="float32")).shape
    (2, 3, 5, 5, 5)
    """

    layer, length, axis = BatchNorm3d, "num_features", 1


class LazyInstanceNorm1d(Lazy, InstanceNorm1d):
    """`InstanceNorm1d` without `num_features`, which the first input says; it has parameters and statistics by default.

    >>> LazyInstanceNorm1d()(ag.ones((2, 3, 5), dtype="float32")).shape
    (2, 3, 5)
    """

    layer, length, axis = InstanceNorm1d, "num_features", -2
    defaults: ClassVar = _TRACKED


class LazyInstanceNorm2d(Lazy, InstanceNorm2d):
    """`InstanceNorm2d` without `num_features`, which the first input says; it has parameters and statistics by default.

    >>> LazyInstanceNorm2d()(ag.ones((2, 3, 5, 5), dtype="float32")).shape
    (2, 3, 5, 5)
    """

    layer, length, axis = InstanceNorm2d, "num_features", -3
    defaults: ClassVar = _TRACKED


class LazyInstanceNorm3d(Lazy, InstanceNorm3d):
    """`InstanceNorm3d` without `num_features`, which the first input says; it has parameters and statistics by default.

    >>> LazyInstanceNorm3d()(ag.ones((2, 3, 5, 5, 5), dtype="float32")).shape
    (2, 3, 5, 5, 5)
    """

    layer, length, axis = InstanceNorm3d, "num_features", -4
    defaults: ClassVar = _TRACKED
