"""Windows of images as columns, and columns added up to images: the two halves of a convolution, for one's own use."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Tensor
from autograd.errors import ShapeError
from nn.images import Size, Sizes, expect_fit, expect_images, on_batch, padded, sizes, times
from nn.linear import expect_floating
from nn.module import Module

Settings = tuple[Sizes, Sizes, Sizes, Sizes]


def unfold(x: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """Each window of the image as a column: y[n, (c, k, l), (i, j)] = x[n, c, i s + k d - p, j s + l d - p].

    Parameters:
        x: (N, C, H, W) or (C, H, W).
        kernel_size, dilation, padding, stride: one number, or one each for height and width.

    Returns:
        (N, C kh kw, L), L the number of windows.

    Raises:
        ShapeError: if x has another rank, or the window does not fit.
        ArgumentError: if a size is not positive.

    >>> unfold(ag.arange(4, dtype="float64").reshape(1, 2, 2), (1, 2))
    tensor([[0., 2.],
            [1., 3.]])
    """
    return _unfold(x, _settings(kernel_size, dilation, padding, stride, "unfold"), "unfold")


def fold(
    x: Tensor, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """The transpose of `unfold`: each column added where its window lies.

    Parameters:
        x: (N, C kh kw, L) or (C kh kw, L).
        output_size: H and W.
        kernel_size, dilation, padding, stride: one number, or one each for height and width.

    Returns:
        (N, C, H, W) or (C, H, W).

    Raises:
        ShapeError: if x has another rank, its rows are not C kh kw, or there is not one column for each window.
        ArgumentError: if a size is not positive.

    >>> fold(ag.ones((2, 2)), (1, 3), (1, 2))
    tensor([[[1., 2., 1.]]])
    """
    image = sizes(output_size, 2, "output_size", 1, "fold")
    return _fold(x, image, _settings(kernel_size, dilation, padding, stride, "fold"), "fold")


def _settings(kernel_size: Size, dilation: Size, padding: Size, stride: Size, who: str) -> Settings:
    return (
        sizes(kernel_size, 2, "kernel_size", 1, who),
        sizes(dilation, 2, "dilation", 1, who),
        sizes(padding, 2, "padding", 0, who),
        sizes(stride, 2, "stride", 1, who),
    )


def _reach(kernel: Sizes, dilation: Sizes) -> list[int]:
    return [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]


def _unfold(x: Tensor, settings: Settings, who: object) -> Tensor:
    kernel, dilation, padding, stride = settings
    around = [(p, p) for p in padding]
    expect_images(x, 2, who)
    expect_fit(x.shape[-2:], around, _reach(kernel, dilation), who)

    def images(x: Tensor) -> Tensor:
        windows = ag.window(padded(x, around, (2, 3)), kernel, axes=(2, 3), stride=stride, dilation=dilation)
        n, c, high, wide = windows.shape[:4]
        return ag.reshape(ag.permute_dims(windows, (0, 1, 4, 5, 2, 3)), (n, c * math.prod(kernel), high * wide))

    return on_batch(images, x, 2)


def _fold(x: Tensor, image: Sizes, settings: Settings, who: object) -> Tensor:
    kernel, dilation, padding, stride = settings
    area = math.prod(kernel)
    if x.ndim not in (2, 3) or x.shape[-2] % area:
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}. Expected (N, C x {area}, L) or (C x {area}, L), the rows a "
            f"multiple of the {area} elements of a window."
        )
    expect_floating(x, who)
    around = [(p, p) for p in padding]
    reach = _reach(kernel, dilation)
    expect_fit(image, around, reach, who)
    whole = tuple(n + 2 * p for n, p in zip(image, padding, strict=True))
    counts = [(n - r) // s + 1 for n, r, s in zip(whole, reach, stride, strict=True)]
    if x.shape[-1] != math.prod(counts):
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}: {x.shape[-1]} columns. "
            f"Expected {math.prod(counts)}: {times(counts)} windows of an image of {times(image)}.\n"
            "Write the output_size, kernel_size, stride, padding and dilation that it was unfolded with."
        )

    def images(x: Tensor) -> Tensor:
        n, c = len(x), x.shape[1] // area
        windows = ag.permute_dims(ag.reshape(x, (n, c, *kernel, *counts)), (0, 1, 4, 5, 2, 3))
        y = ag.fold(windows, (n, c, *whole), axes=(2, 3), stride=stride, dilation=dilation)
        return y[(..., *(slice(p, p + m) for p, m in zip(padding, image, strict=True)))] if any(padding) else y

    return images(x) if x.ndim == 3 else ag.squeeze(images(ag.expand_dims(x, 0)), 0)


class Unfold(Module):
    """See `nn.functional.unfold`.

    >>> Unfold(2)(ag.ones((1, 3, 4, 5))).shape
    (1, 12, 12)
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride
        self._settings = _settings(kernel_size, dilation, padding, stride, "Unfold")

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C kh kw, L), or the same without N."""
        return _unfold(x, self._settings, self)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """See `nn.functional.fold`.

    >>> Fold((4, 5), 2)(ag.ones((1, 12, 12))).shape
    (1, 3, 4, 5)
    """

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride
        self._image = sizes(output_size, 2, "output_size", 1, "Fold")
        self._settings = _settings(kernel_size, dilation, padding, stride, "Fold")

    def forward(self, x: Tensor) -> Tensor:
        """(N, C kh kw, L) to (N, C, H, W), or the same without N."""
        return _fold(x, self._image, self._settings, self)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
