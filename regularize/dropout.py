"""Dropout: a masking noise on the units of a layer, while training."""

from __future__ import annotations

from abc import ABC
from typing import Literal

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.dropout import dropout, masked
from nn.generators import stream_of
from nn.module import Module

HIDDEN_KEEP = 0.5  # the probabilities of keeping a unit that Srivastava et al. found good,
VISIBLE_KEEP = 0.8  # for hidden units and for inputs


class Masking(Module, ABC):
    """What drops something with probability p while training; `monte_carlo` finds such layers by this class.

    Parameters:
        p: the probability of dropping, 0 to 1.
        generator: where masks come from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: p outside 0 to 1, or a generator that is none.
    """

    def __init__(self, p: float = 0.5, *, generator: ag.random.Generator | None = None) -> None:
        who = type(self).__name__
        if not 0 <= p <= 1:
            raise ArgumentError(
                f"{who} was given p={p}. Expected the probability of dropping, 0 <= p <= 1; "
                f"for a probability of keeping, write {who}(1 - keep)."
            )
        stream_of(generator, who)
        self.p = float(p)
        self.generator = generator

    def seed(self) -> int:
        """A new mask's seed for `ag.uniform_like`."""
        return (self.generator or ag.random.default).seed()

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Dropout(Masking):
    """Zeroes each element with probability p while training, and scales, then or in `eval()`.

        y = x m / (1 - p) in training,   y = x in evaluation             scale_at="train"
        y = x m           in training,   y = (1 - p) x in evaluation     scale_at="test",  m ~ Bernoulli(1 - p)

    The second is the form of the notes and of the paper; the first, called inverted dropout, is the same in
    expectation and costs nothing in evaluation. p is the probability of dropping, as in PyTorch, where the notes name
    that of keeping: write `Dropout(1 - HIDDEN_KEEP)` (0.5) and `Dropout(1 - VISIBLE_KEEP)` (0.8).

    Parameters:
        p: the probability of dropping an element, 0 to 1.
        scale_at: "train" or "test".
        generator: where the mask comes from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: p outside 0 to 1, or another scale_at.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    >>> layer = Dropout(0.5, generator=ag.random.Generator(0))
    >>> sorted(set(layer(ag.ones(100)).tolist()))
    [0.0, 2.0]
    >>> set(layer.eval()(ag.ones(100)).tolist())
    {1.0}
    >>> set(Dropout(0.5, scale_at="test").eval()(ag.ones(100)).tolist())
    {0.5}
    """

    def __init__(
        self,
        p: float = 0.5,
        *,
        scale_at: Literal["train", "test"] = "train",
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__(p, generator=generator)
        if scale_at not in ("train", "test"):
            raise ArgumentError(f"Dropout was given scale_at={scale_at!r}. Expected 'train' or 'test'.")
        self.scale_at = scale_at

    def forward(self, x: Tensor) -> Tensor:
        """The masked x, of its shape and dtype; in evaluation mode x itself, or x (1 - p)."""
        if self.scale_at == "train":
            return dropout(x, self.p, self.training, generator=self.generator)
        if not self.p:
            return x
        return masked(x, x.detach(), self.seed(), 1 - self.p, 1.0) if self.training else x * (1 - self.p)

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}" + (", scale_at='test'" if self.scale_at == "test" else "")
