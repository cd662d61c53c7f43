"""Batches of signals, images and volumes: what convolution and pooling ask of their input and their sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.linear import expect_floating

Pair = tuple[int, int]
Sizes = tuple[int, ...]
Size = int | Sequence[int]
AXES = {1: "C, L", 2: "C, H, W", 3: "C, D, H, W"}
KINDS = {1: "signals", 2: "images", 3: "volumes"}


def sizes(value: Size, dims: int, name: str, least: int, who: object) -> Sizes:
    """One number for each of `dims` axes, given as one for all or one each.

    Raises:
        ArgumentError: if it is neither, or below `least`.

    >>> sizes(3, 2, "kernel_size", 1, "Conv2d")
    (3, 3)
    """
    found = tuple(value) if isinstance(value, Sequence) else (value,) * dims
    if len(found) != dims or not all(isinstance(n, Integral) and n >= least for n in found):
        each = {1: "", 2: ", or one each for height and width", 3: ", or one each for depth, height and width"}[dims]
        raise ArgumentError(f"{who} was given {name}={value!r}. Expected a whole number{each}, not below {least}.")
    return tuple(map(int, found))


def pair(value: Size, name: str, least: int, who: object) -> Pair:
    """One number for height and width, or one each; errors as for `sizes`.

    >>> pair(3, "kernel_size", 1, "Conv2d")
    (3, 3)
    """
    high, wide = sizes(value, 2, name, least, who)
    return high, wide


def expect_images(x: Any, dims: int, who: object) -> None:
    """Refuse what is not a floating batch (N, C, ...) with `dims` axes of positions, or one element of it (C, ...).

    Raises:
        ShapeError: if x has another rank.
        DTypeError: if x is not floating.

    >>> expect_images(ag.ones((1, 3, 8, 8)), 2, "conv2d")
    """
    if x.ndim not in (dims + 1, dims + 2):
        fix = (
            "x[:, None] if the axis of channels is missing" if x.ndim == dims else f"x.reshape(n, {AXES[dims].lower()})"
        )
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}. Expected (N, {AXES[dims]}) or ({AXES[dims]}).\nWrite {fix}."
        )
    expect_floating(x, who)


def on_batch(function: Callable[[Tensor], Tensor], x: Tensor, dims: int) -> Tensor:
    """`function` of a batch (N, C, ...); one element (C, ...) goes in as a batch of one, and comes out alone.

    >>> on_batch(lambda images: 2 * images, ag.ones((3, 8, 8)), 2).shape
    (3, 8, 8)
    """
    return function(x) if x.ndim == dims + 2 else ag.squeeze(function(ag.expand_dims(x, 0)), 0)


def expect_fit(lengths: Sequence[int], around: Sequence[Pair], reach: Sequence[int], who: object) -> None:
    """Refuse windows that are larger than what they move over.

    Raises:
        ShapeError: if they are.

    >>> expect_fit((8, 8), ((1, 1), (1, 1)), (3, 3), "conv2d")
    """
    whole = [n + sum(p) for n, p in zip(lengths, around, strict=True)]
    if any(n < k for n, k in zip(whole, reach, strict=True)):
        raise ShapeError(
            f"{who} was given {KINDS[len(reach)]} of {times(lengths)}, {times(whole)} with padding, "
            f"for windows that reach over {times(reach)}.\n"
            "Write a smaller kernel_size, or more padding, or pool less before."
        )


def times(lengths: Sequence[int]) -> str:
    """The lengths as one reads them.

    >>> times((8, 6))
    '8 x 6'
    """
    return " x ".join(map(str, lengths))


def padded(x: Tensor, around: Sequence[Pair], axes: Sequence[int], fill: float = 0.0) -> Tensor:
    """x with `fill` before and after along some axes, or as it is if there is nothing to add.

    >>> padded(ag.ones((1, 1)), ((1, 0), (0, 0)), (0, 1))
    tensor([[0.], [1.]])
    """
    if not any(map(any, around)):
        return x
    widths = [(0, 0)] * x.ndim
    for axis, width in zip(axes, around, strict=True):
        widths[axis] = width
    return ag.pad(x, widths, constant_values=fill)
