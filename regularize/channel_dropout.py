"""Dropout of whole channels: neighbours in a channel say nearly the same, so that dropping single ones does little."""

from __future__ import annotations

from autograd import Tensor
from nn.dropout import channels_dropped
from regularize.dropout import Masking


class Dropout1d(Masking):
    """Zeroes whole channels of sequences with probability p while training; does nothing in `eval()`.

        y[n, c] = x[n, c] m[n, c] / (1 - p),  m ~ Bernoulli(1 - p)

    Parameters are those of `Dropout`, without `scale_at`. Shapes: (N, C, L), or (C, L).

    Raises:
        ArgumentError: p outside 0 to 1.
        ShapeError: an input with other axes.

    Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> import autograd as ag
    >>> y = Dropout1d(0.5, generator=ag.random.Generator(1))(ag.ones((1, 4, 3)))
    >>> y[0].tolist()
    [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """x with channels of zeros, the others scaled by 1 / (1 - p); x itself in evaluation mode."""
        return channels_dropped(x, 1, self.p, self.training, self.generator, self)


class Dropout2d(Masking):
    """Zeroes whole channels of images with probability p while training; does nothing in `eval()`.

        y[n, c] = x[n, c] m[n, c] / (1 - p),  m ~ Bernoulli(1 - p)

    Parameters are those of `Dropout`, without `scale_at`. Shape: (N, C, H, W).

    Raises:
        ArgumentError: p outside 0 to 1.
        ShapeError: an input with other axes.

    Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> import autograd as ag
    >>> y = Dropout2d(0.5, generator=ag.random.Generator(1))(ag.ones((1, 4, 2, 2)))
    >>> y.sum((2, 3)).tolist()
    [[0.0, 8.0, 0.0, 0.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """x with channels of zeros, the others scaled by 1 / (1 - p); x itself in evaluation mode."""
        return channels_dropped(x, 2, self.p, self.training, self.generator, self)


class Dropout3d(Masking):
    """Zeroes whole channels of volumes with probability p while training; does nothing in `eval()`.

        y[n, c] = x[n, c] m[n, c] / (1 - p),  m ~ Bernoulli(1 - p)

    Parameters are those of `Dropout`, without `scale_at`. Shapes: (N, C, D, H, W), or (C, D, H, W).

    Raises:
        ArgumentError: p outside 0 to 1.
        ShapeError: an input with other axes.

    Tompson et al., "Efficient object localization using convolutional networks", 2015.

    >>> import autograd as ag
    >>> y = Dropout3d(0.5, generator=ag.random.Generator(1))(ag.ones((1, 4, 1, 2, 2)))
    >>> y.sum((2, 3, 4)).tolist()
    [[0.0, 8.0, 0.0, 0.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """x with channels of zeros, the others scaled by 1 / (1 - p); x itself in evaluation mode."""
        return channels_dropped(x, 3, self.p, self.training, self.generator, self)
