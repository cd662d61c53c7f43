"""The windows of pooling: their sizes, and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograd import Tensor
from autograd.errors import ArgumentError
from nn.images import Pair, Size, Sizes, expect_fit, sizes


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


Reduction = Callable[..., Tensor]


def reduced(reduce: Reduction, x: Tensor, window: Window, who: object) -> Tensor:
    """Each window of (..., L), (..., H, W) or (..., D, H, W) reduced by `ag.window_max` or `ag.window_sum`.

    Raises:
        ShapeError: if they do not fit.
    """
    lengths = x.shape[-len(window.kernel) :]
    if min(window.counts(lengths)) < 1:
        expect_fit(lengths, [(p, p) for p in window.padding], window.reach, who)
    return reduce(x, window.kernel, stride=window.stride, dilation=window.dilation, padding=window.around(lengths))
