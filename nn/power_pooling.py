"""Power-average pooling: between the sum and the largest element of each window."""

from __future__ import annotations

import math
from typing import ClassVar

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.images import Size
from nn.module import Module
from nn.pooling import mean_of
from nn.windows import Window, window_of


def lp_pool1d(
    x: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x^p over each window)^(1/p) of signals (N, C, L) or (C, L): see `lp_pool2d`.

    >>> lp_pool1d(ag.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _powers(
        x, _exponent(norm_type, "lp_pool1d"), _window(1, kernel_size, stride, ceil_mode, "lp_pool1d"), "lp_pool1d"
    )


def lp_pool2d(
    x: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x^p over each window)^(1/p); its gradient is 0 where the sum is.

    For p = 1 the sum, for p = 2 the Euclidean norm; the root of a negative sum, at odd p, is minus that of its size.

    Parameters:
        x: (N, C, H, W) or (C, H, W).
        norm_type: p.
        kernel_size, stride, ceil_mode: as for `max_pool2d`. The sum of a window that hangs over the end is scaled up to
            a whole one, as in PyTorch.

    Raises:
        ShapeError: if x has another rank, or the window does not fit.
        ArgumentError: if a size or p is not positive.

    >>> lp_pool2d(ag.tensor([[[3.0, 4.0]]]), 2, (1, 2))
    tensor([[[5.]]])
    """
    return _powers(
        x, _exponent(norm_type, "lp_pool2d"), _window(2, kernel_size, stride, ceil_mode, "lp_pool2d"), "lp_pool2d"
    )


def lp_pool3d(
    x: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x^p over each window)^(1/p) of volumes (N, C, D, H, W) or (C, D, H, W): see `lp_pool2d`.

    >>> lp_pool3d(ag.tensor([[[[3.0, 4.0]]]]), 2, (1, 1, 2))
    tensor([[[[5.]]]])
    """
    return _powers(
        x, _exponent(norm_type, "lp_pool3d"), _window(3, kernel_size, stride, ceil_mode, "lp_pool3d"), "lp_pool3d"
    )


def _exponent(norm_type: float, who: str) -> float:
    if not 0 < norm_type < math.inf:
        raise ArgumentError(
            f"{who} was given norm_type={norm_type}. Expected a positive number; write max pooling for infinity."
        )
    return norm_type


def _window(dims: int, kernel_size: Size, stride: Size | None, ceil_mode: bool, who: str) -> Window:
    return window_of(dims, kernel_size, stride, 0, 1, ceil_mode, who)


def _powers(x: Tensor, p: float, window: Window, who: object) -> Tensor:
    total = mean_of(ag.pow(x, p), window, True, None, who) * math.prod(window.kernel)
    zero = ag.equal(total, 0.0)  # the root has an infinite slope there
    return ag.where(zero, 0.0, ag.sign(total) * ag.pow(ag.abs(ag.where(zero, 1.0, total)), 1 / p))


class _LPPool(Module):
    """Power-average pooling of any rank."""

    dims: ClassVar[int]

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        who = type(self).__name__
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode
        self._exponent, self._window = (
            _exponent(norm_type, who),
            _window(self.dims, kernel_size, stride, ceil_mode, who),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) or (C, ...), its last axes shorter."""
        return _powers(x, self._exponent, self._window, self)

    def extra_repr(self) -> str:
        """The exponent and the sizes."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """See `nn.functional.lp_pool1d`.

    >>> LPPool1d(2, 2)(ag.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    dims = 1


class LPPool2d(_LPPool):
    """See `nn.functional.lp_pool2d`.

    >>> LPPool2d(2, 2)(ag.ones((1, 4, 4)))
    tensor([[[2., 2.],
             [2., 2.]]])
    """

    dims = 2


class LPPool3d(_LPPool):
    """See `nn.functional.lp_pool3d`.

    >>> LPPool3d(3, 2)(ag.ones((1, 2, 2, 2)))
    tensor([[[[2.]]]])
    """

    dims = 3
