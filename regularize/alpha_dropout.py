"""Alpha dropout: the masking noise that goes with SELU, as it keeps mean and variance."""

from __future__ import annotations

from autograd import Tensor
from nn.dropout import alpha_dropout, feature_alpha_dropout
from regularize.dropout import Masking


class AlphaDropout(Masking):
    """Sets each element to SELU's least value with probability p while training, then restores mean and variance.

        y = a (x m + s (1 - m)) + b,  m ~ Bernoulli(1 - p),  s = -1.7581,
        a = ((1 - p)(1 + p s^2))^(-1/2),  b = -a p s

    so that x with mean 0 and variance 1 gives y with the same. Does nothing in `eval()`.

    Parameters:
        p: the probability of dropping an element, 0 to 1; 1 gives zeros.
        generator: where the mask comes from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: p outside 0 to 1.

    Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import autograd as ag
    >>> x = ag.random.Generator(0).normal(size=100_000)
    >>> y = AlphaDropout(0.2, generator=ag.random.Generator(1))(x)
    >>> round(abs(y.mean().item()), 1), round(y.std().item(), 1)
    (0.0, 1.0)
    """

    def forward(self, x: Tensor) -> Tensor:
        """The noisy x, of its shape and dtype; x itself in evaluation mode."""
        return alpha_dropout(x, self.p, self.training, generator=self.generator)


class FeatureAlphaDropout(Masking):
    """`AlphaDropout` of whole channels: one draw for each sample and channel.

    Parameters are those of `AlphaDropout`. Shape: (N, C, ...).

    Raises:
        ArgumentError: p outside 0 to 1.
        ShapeError: an input with fewer than two axes.

    Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import autograd as ag
    >>> y = FeatureAlphaDropout(0.5, generator=ag.random.Generator(0))(ag.ones((1, 4, 2)))
    >>> bool(ag.all(y[..., 0] == y[..., 1]))
    True
    """

    def forward(self, x: Tensor) -> Tensor:
        """The noisy x, of its shape and dtype; x itself in evaluation mode."""
        return feature_alpha_dropout(x, self.p, self.training, generator=self.generator)
