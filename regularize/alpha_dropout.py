"""Alpha dropout: the masking noise that goes with SELU, as it keeps mean and variance."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Tensor
from regularize.dropout import Masking

FLOOR = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717  # SELU at minus infinity


@ag.fused(smallest=1)
def _floored(x: Tensor, seed: int, keep: float, gain: float, shift: float) -> Tensor:
    return ag.where(ag.uniform_like(x, seed) < keep, x, FLOOR) * gain + shift


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

    >>> x = ag.random.Generator(0).normal(size=100_000)
    >>> y = AlphaDropout(0.2, generator=ag.random.Generator(1))(x)
    >>> round(abs(y.mean().item()), 1), round(y.std().item(), 1)
    (0.0, 1.0)
    """

    def forward(self, x: Tensor) -> Tensor:
        """The noisy x, of its shape and dtype; x itself in evaluation mode."""
        if not self.training or not self.p:
            return x
        if self.p == 1:
            return ag.where(False, x, 0.0)
        gain = 1 / math.sqrt((1 - self.p) * (1 + self.p * FLOOR**2))
        return _floored(x, self.seed(), 1 - self.p, gain, -gain * self.p * FLOOR)
