"""Padding: something around signals, images and volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import ClassVar

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.images import AXES, Pair, Sizes, padded
from nn.module import Module

_NUMPY = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
MODES = ("zeros", *_NUMPY)  # of convolutions


def pad(x: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """x with elements added before and after its last axes; negative numbers cut.

    Parameters:
        x: any shape.
        pad: (before, after) of the last axis, then of the one before it, and so on.
        mode: "constant"; or "reflect" (abc|ba), "replicate" (abc|cc) or "circular" (abc|ab).
        value: what "constant" adds; 0 for None.

    Raises:
        ArgumentError: if `pad` is not whole numbers in pairs, `mode` is unknown, or has no use for `value`.
        ShapeError: if x has fewer axes than pairs, or is too short to be reflected, repeated or cut.

    >>> pad(ag.tensor([1.0, 2.0, 3.0]), (0, 2), "reflect")
    tensor([1., 2., 3., 2., 1.])
    """
    if len(pad) % 2 or not all(isinstance(n, Integral) for n in pad):
        raise ArgumentError(f"pad was given pad={tuple(pad)}. Expected (before, after) for each axis, the last first.")
    if mode != "constant" and mode not in _NUMPY:
        raise ArgumentError(f"pad was given mode={mode!r}. Expected one of: constant, {', '.join(_NUMPY)}.")
    if mode != "constant" and value is not None:
        raise ArgumentError(f"pad was given value={value} for mode={mode!r}. Write mode='constant', or leave it out.")
    return surrounded(x, _pairs(pad), mode, "pad", value or 0.0)


def _pairs(pad: Sequence[int]) -> tuple[Pair, ...]:
    """(before, after) of each of the last axes, in their order."""
    return tuple((pad[k], pad[k + 1]) for k in range(len(pad) - 2, -1, -2))


def surrounded(x: Tensor, around: Sequence[Pair], mode: str, who: object, value: float = 0.0) -> Tensor:
    """x with elements added before and after its last axes, or cut.

    Raises:
        ShapeError: if it has fewer axes, or is too short.

    >>> surrounded(ag.tensor([1.0, 2.0, 3.0]), ((1, -1),), "circular", "pad")
    tensor([3., 1., 2.])
    """
    first = x.ndim - len(around)
    if first < 0:
        raise ShapeError(f"{who} was given padding for {len(around)} axes of shape {x.shape}. Expected one pair each.")
    for n, width in zip(x.shape[first:], around, strict=True):
        _expect_room(n, width, mode, x.shape, who)
    wider = [(max(a, 0), max(b, 0)) for a, b in around]
    axes = range(first, x.ndim)
    y = padded(x, wider, axes, value) if mode == "constant" else ag.pad(x, [(0, 0)] * first + wider, _NUMPY[mode])
    if any(min(width) < 0 for width in around):
        y = y[(..., *(slice(max(-a, 0), m - max(-b, 0)) for (a, b), m in zip(around, y.shape[first:], strict=True)))]
    return y


def _expect_room(n: int, width: Pair, mode: str, shape: Sizes, who: object) -> None:
    most = {"reflect": n - 1, "circular": n, "replicate": math.inf if n else 0}.get(mode, math.inf)
    if max(width) > max(most, 0):
        raise ShapeError(
            f"{who} was given padding {width} for a length of {n}, shape {shape}. Expected at most {max(most, 0)} with "
            f"mode {mode!r}.\nWrite less padding, or 'replicate' or 'constant', which may be longer than the input."
        )
    if n + sum(width) < (mode != "constant") or -min(width) > n:
        raise ShapeError(
            f"{who} was given padding {width} for a length of {n}, shape {shape}. Nothing would be left: cut less."
        )


class _Pad(Module):
    """Padding of any kind and rank."""

    dims: ClassVar[int]
    mode: ClassVar[str]
    value: float = 0.0

    def __init__(self, padding: int | Sequence[int]) -> None:
        count = 2 * self.dims
        found = tuple(padding) if isinstance(padding, Sequence) else (padding,) * count
        if len(found) != count or not all(isinstance(n, Integral) for n in found):
            raise ArgumentError(
                f"{type(self).__name__} was given padding={padding!r}. Expected a whole number, or {count}: "
                "(before, after) of the last axis, then of the one before it."
            )
        self.padding = tuple(map(int, found))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) or (C, ...), its last axes longer."""
        if self.mode != "constant" and x.ndim not in (self.dims + 1, self.dims + 2):
            names = AXES[self.dims]
            raise ShapeError(f"{self!r} was given an input of shape {x.shape}. Expected (N, {names}) or ({names}).")
        return surrounded(x, _pairs(self.padding), self.mode, self, self.value)

    def extra_repr(self) -> str:
        """How much is added where."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """Padding with a number."""

    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """How much of what is added where."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """The number `value` around the last axis: see `nn.functional.pad`, mode "constant".

    Parameters:
        padding: one number, or (before, after) of the last axis, then of the one before it, and so on.
        value: what is added.

    >>> ConstantPad1d(1, 5.0)(ag.ones((1, 3))).shape
    (1, 5)
    """

    dims = 1


class ConstantPad2d(_ConstantPad):
    """The number `value` around the last two axes: see `nn.functional.pad`, mode "constant".

    >>> ConstantPad2d(1, 5.0)(ag.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    dims = 2


class ConstantPad3d(_ConstantPad):
    """The number `value` around the last three axes: see `nn.functional.pad`, mode "constant".

    >>> ConstantPad3d(1, 5.0)(ag.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    dims = 3


class ZeroPad1d(_Pad):
    """Zeros around the last axis: see `nn.functional.pad`, mode "constant".

    Parameters:
        padding: one number, or (before, after) of the last axis, then of the one before it, and so on.

    >>> ZeroPad1d(1)(ag.ones((1, 3))).shape
    (1, 5)
    """

    dims = 1
    mode = "constant"


class ZeroPad2d(_Pad):
    """Zeros around the last two axes: see `nn.functional.pad`, mode "constant".

    >>> ZeroPad2d(1)(ag.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    dims = 2
    mode = "constant"


class ZeroPad3d(_Pad):
    """Zeros around the last three axes: see `nn.functional.pad`, mode "constant".

    >>> ZeroPad3d(1)(ag.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    dims = 3
    mode = "constant"


class ReflectionPad1d(_Pad):
    """The last axis reflected at its ends: see `nn.functional.pad`, mode "reflect".

    Parameters:
        padding: one number, or (before, after) of the last axis, then of the one before it, and so on.

    >>> ReflectionPad1d(1)(ag.ones((1, 3))).shape
    (1, 5)
    """

    dims = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """The last two axes reflected at their ends: see `nn.functional.pad`, mode "reflect".

    >>> ReflectionPad2d(1)(ag.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    dims = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """The last three axes reflected at their ends: see `nn.functional.pad`, mode "reflect".

    >>> ReflectionPad3d(1)(ag.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    dims = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """The last axis with its ends repeated: see `nn.functional.pad`, mode "replicate".

    Parameters:
        padding: one number, or (before, after) of the last axis, then of the one before it, and so on.

    >>> ReplicationPad1d(1)(ag.ones((1, 3))).shape
    (1, 5)
    """

    dims = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """The last two axes with their ends repeated: see `nn.functional.pad`, mode "replicate".

    >>> ReplicationPad2d(1)(ag.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    dims = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """The last three axes with their ends repeated: see `nn.functional.pad`, mode "replicate".

    >>> ReplicationPad3d(1)(ag.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    dims = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """The last axis as if it went round: see `nn.functional.pad`, mode "circular".

    Parameters:
        padding: one number, or (before, after) of the last axis, then of the one before it, and so on.

    >>> CircularPad1d(1)(ag.ones((1, 3))).shape
    (1, 5)
    """

    dims = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """The last two axes as if they went round: see `nn.functional.pad`, mode "circular".

    >>> CircularPad2d(1)(ag.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    dims = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """The last three axes as if they went round: see `nn.functional.pad`, mode "circular".

    >>> CircularPad3d(1)(ag.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    dims = 3
    mode = "circular"
