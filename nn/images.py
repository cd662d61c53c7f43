"""Batches of images: what convolution and pooling ask of their input and their sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.linear import expect_floating

Pair = tuple[int, int]
Size = int | Sequence[int]


def pair(value: Size, name: str, least: int, who: str) -> Pair:
    """One number for height and width, or one each.

    Raises:
        ArgumentError: if it is neither, or below `least`.

    >>> pair(3, "kernel_size", 1, "Conv2d")
    (3, 3)
    """
    sizes = (value, value) if isinstance(value, int) else tuple(value)
    if len(sizes) != 2 or not all(isinstance(n, int) and n >= least for n in sizes):
        raise ArgumentError(
            f"{who} was given {name}={value!r}. Expected a whole number, or one each for height and width, "
            f"not below {least}."
        )
    return sizes[0], sizes[1]


def expect_images(x: Any, who: object) -> None:
    """Refuse what is not a floating batch of images (N, C, H, W).

    Raises:
        ShapeError: if x has not four axes.
        DTypeError: if x is not floating.

    >>> expect_images(ag.ones((1, 3, 8, 8)), "conv2d")
    """
    if x.ndim != 4:
        fix = "x[:, None] for grey images without an axis of channels" if x.ndim == 3 else "x.reshape(n, c, h, w)"
        if x.ndim == 3:
            fix += ", x[None] for one image"
        raise ShapeError(f"{who} was given an input of shape {x.shape}. Expected (N, C, H, W).\nWrite {fix}.")
    expect_floating(x, who)


def expect_fit(lengths: Pair, padding: Sequence[Pair], reach: Pair, who: object) -> None:
    """Refuse windows that are larger than the padded image.

    Raises:
        ShapeError: if they are.

    >>> expect_fit((8, 8), ((1, 1), (1, 1)), (3, 3), "conv2d")
    """
    padded = [n + sum(p) for n, p in zip(lengths, padding, strict=True)]
    if any(n < k for n, k in zip(padded, reach, strict=True)):
        raise ShapeError(
            f"{who} was given images of {lengths[0]} x {lengths[1]}, {padded[0]} x {padded[1]} with padding, "
            f"for windows that reach over {reach[0]} x {reach[1]}.\n"
            "Write a smaller kernel_size, or more padding, or pool less before."
        )


def padded(x: Tensor, padding: Sequence[Pair], axes: Pair, fill: float = 0.0) -> Tensor:
    """The images with `fill` around them along two axes, or as they are if there is nothing to add.

    >>> padded(ag.ones((1, 1)), ((1, 0), (0, 0)), (0, 1))
    tensor([[0.], [1.]])
    """
    if not any(map(any, padding)):
        return x
    widths = [(0, 0)] * x.ndim
    widths[axes[0]], widths[axes[1]] = padding
    return ag.pad(x, widths, constant_values=fill)
