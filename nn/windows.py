"""The windows of pooling: their sizes, how many there are, and what they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.images import Pair, Size, Sizes, expect_fit, padded, sizes


@dataclass(frozen=True, slots=True)
class Window:
    """The sizes of windows along each axis, known to fit each other."""

    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    ceil: bool

    @property
    def reach(self) -> Sizes:
        """From the first element of a window to its last."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def counts(self, lengths: Sequence[int]) -> Sizes:
        """How many windows there are; with `ceil` also one that hangs over the end, if it starts before it."""
        found = []
        for n, s, p, r in zip(lengths, self.stride, self.padding, self.reach, strict=True):
            last = n + 2 * p - r
            count = -(-last // s) if self.ceil else last // s
            found.append(count + 1 - (count * s >= n + p))
        return tuple(found)

    def around(self, lengths: Sequence[int]) -> tuple[Pair, ...]:
        """What is added before and after, so that the last window fits."""
        along = zip(self.counts(lengths), lengths, self.stride, self.padding, self.reach, strict=True)
        return tuple((p, max(p, (count - 1) * s + r - n - p)) for count, n, s, p, r in along)


def window_of(
    dims: int,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
    who: str,
) -> Window:
    """The sizes as given, made definite.

    Raises:
        ArgumentError: if one is too small, or the padding more than half the window.

    >>> window_of(2, 3, None, 1, 1, False, "max_pool2d").stride
    (3, 3)
    """
    kernel = sizes(kernel_size, dims, "kernel_size", 1, who)
    window = Window(
        kernel,
        kernel if stride is None else sizes(stride, dims, "stride", 1, who),
        sizes(padding, dims, "padding", 0, who),
        sizes(dilation, dims, "dilation", 1, who),
        ceil_mode,
    )
    if any(2 * p > r for p, r in zip(window.padding, window.reach, strict=True)):
        raise ArgumentError(
            f"{who} was given padding={padding}. Expected at most half of kernel_size={kernel_size}"
            f"{'' if dilation == 1 else f' with dilation={dilation}'}."
        )
    return window


def windows(x: Tensor, window: Window, fill: float, who: object) -> tuple[Tensor, Sizes]:
    """The windows of a batch (N, C, ...), and the axes that run inside of them.

    Raises:
        ShapeError: if they do not fit.
    """
    dims = len(window.kernel)
    lengths = x.shape[2:]
    if min(window.counts(lengths)) < 1:
        expect_fit(lengths, [(p, p) for p in window.padding], window.reach, who)
    around = window.around(lengths)
    x = padded(x, around, range(2, dims + 2), fill)
    if window.stride != window.kernel or max(window.dilation) > 1:
        found = ag.window(x, window.kernel, axes=range(2, dims + 2), stride=window.stride, dilation=window.dilation)
        return found, tuple(range(dims + 2, 2 * dims + 2))
    # windows side by side are a reshape: no strided view, whose transpose adds up one by one
    counts = window.counts(lengths)
    used = [count * k for count, k in zip(counts, window.kernel, strict=True)]
    if list(x.shape[2:]) != used:
        x = x[(..., *map(slice, used))]
    shape = [n for pair in zip(counts, window.kernel, strict=True) for n in pair]
    return ag.reshape(x, (*x.shape[:2], *shape)), tuple(range(3, 2 * dims + 2, 2))
