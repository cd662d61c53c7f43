"""Dropout: a masking noise on the units of a layer, while training."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.dropout import dropout
from nn.module import Module

HIDDEN_KEEP = 0.5  # the probabilities of keeping a unit that Srivastava et al. found good,
VISIBLE_KEEP = 0.8  # for hidden units and for inputs


class Dropout(Module):
    """Zeroes each element with probability p while training, and scales the others up; does nothing in `eval()`.

        y = x m / (1 - p),  m ~ Bernoulli(1 - p)

    The notes keep a unit with probability 0.5 (hidden) or 0.8 (visible) and scale down by it at test time. This is the
    same in expectation, scaled in training instead, and p is the probability of dropping, as in PyTorch: write
    `Dropout(1 - HIDDEN_KEEP)` and `Dropout(1 - VISIBLE_KEEP)`.

    Parameters:
        p: the probability of dropping an element, 0 to 1.
        generator: where the mask comes from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: p outside 0 to 1.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    >>> layer = Dropout(0.5, generator=ag.random.Generator(0))
    >>> sorted(set(layer(ag.ones(100)).tolist()))
    [0.0, 2.0]
    >>> set(layer.eval()(ag.ones(100)).tolist())
    {1.0}
    """

    def __init__(self, p: float = 0.5, *, generator: ag.random.Generator | None = None) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(
                f"Dropout was given p={p}. Expected the probability of dropping, 0 <= p <= 1; "
                "for a probability of keeping, write Dropout(1 - keep)."
            )
        self.p = float(p)
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """The masked x, of its shape and dtype; x itself in evaluation mode."""
        return dropout(x, self.p, self.training, generator=self.generator)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"
