"""Dropout of whole channels: neighbours in a channel say nearly the same, so that dropping single ones does little."""

from __future__ import annotations

from abc import abstractmethod

import autograd as ag
from autograd import Tensor
from autograd.errors import ShapeError
from regularize.dropout import Masking, masked


class ChannelDropout(Masking):
    """What drops whole channels: one draw for each sample and channel, for all of its places."""

    @abstractmethod
    def axes(self, x: Tensor) -> int:
        """How many of the first axes of x are those of samples and channels.

        Raises:
            ShapeError: if x has not the axes that are expected.
        """

    def forward(self, x: Tensor) -> Tensor:
        """x with channels of zeros, the others scaled by 1 / (1 - p); x itself in evaluation mode."""
        first = self.axes(x)
        if not self.training or not self.p:
            return x
        if self.p == 1:
            return ag.where(False, x, 0.0)
        places = ag.zeros(x.shape[:first] + (1,) * (x.ndim - first), x.dtype)
        return masked(x, places, self.seed(), 1 - self.p, 1 / (1 - self.p))


class Dropout1d(ChannelDropout):
    """Zeroes whole channels of sequences with probability p while training; does nothing in `eval()`.

        y[n, c] = x[n, c] m[n, c] / (1 - p),  m ~ Bernoulli(1 - p)

    Parameters are those of `Dropout`, without `scale_at`. Shapes: (N, C, L), or (C, L).

    Raises:
        ArgumentError: p outside 0 to 1.
        ShapeError: an input with other axes.

    Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> y = Dropout1d(0.5, generator=ag.random.Generator(1))(ag.ones((1, 4, 3)))
    >>> y[0].tolist()
    [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def axes(self, x: Tensor) -> int:
        """1 of (C, L), 2 of (N, C, L)."""
        if x.ndim not in (2, 3):
            raise ShapeError(f"{self!r} was given an input of shape {x.shape}. Expected (N, C, L) or (C, L).")
        return x.ndim - 1


class Dropout2d(ChannelDropout):
    """Zeroes whole channels of images with probability p while training; does nothing in `eval()`.

        y[n, c] = x[n, c] m[n, c] / (1 - p),  m ~ Bernoulli(1 - p)

    Parameters are those of `Dropout`, without `scale_at`. Shape: (N, C, H, W).

    Raises:
        ArgumentError: p outside 0 to 1.
        ShapeError: an input with other axes.

    Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> y = Dropout2d(0.5, generator=ag.random.Generator(1))(ag.ones((1, 4, 2, 2)))
    >>> y.sum((2, 3)).tolist()
    [[0.0, 8.0, 0.0, 0.0]]
    """

    def axes(self, x: Tensor) -> int:
        """2."""
        if x.ndim != 4:
            raise ShapeError(
                f"{self!r} was given an input of shape {x.shape}. Expected (N, C, H, W).\n"
                "Write x[None] for one image, Dropout1d for sequences."
            )
        return 2
