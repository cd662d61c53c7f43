"""Stochastic depth: the branch of a residual block left out at random, so that the network trained is shallower."""

from __future__ import annotations

from typing import Literal

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.dropout import masked
from regularize.dropout import Masking


class StochasticDepth(Masking):
    """Zeroes the branch of whole samples, or of the batch, with probability p while training; nothing in `eval()`.

        y = x m / (1 - p),  m ~ Bernoulli(1 - p)

    Write `h + StochasticDepth(p)(branch(h))`.

    Parameters:
        p: the probability of dropping the branch, 0 to 1; usually rising from block to block.
        mode: "row" for a draw for each sample, "batch" for one for all; torchvision's names.
        generator: where the draws come from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: p outside 0 to 1, or another mode.
        ShapeError: an input without axes.

    Huang et al., "Deep networks with stochastic depth", 2016.

    >>> y = StochasticDepth(0.5, generator=ag.random.Generator(1))(ag.ones((4, 3)))
    >>> y.tolist()
    [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        p: float = 0.5,
        mode: Literal["row", "batch"] = "row",
        *,
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__(p, generator=generator)
        if mode not in ("row", "batch"):
            raise ArgumentError(f"StochasticDepth was given mode={mode!r}. Expected 'row' or 'batch'.")
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """x with rows of zeros, the others scaled by 1 / (1 - p), or all or nothing of it; x in evaluation mode."""
        if not x.ndim:
            raise ShapeError(f"{self!r} was given a number. Expected a batch, (N, ...).")
        if not self.training or not self.p:
            return x
        if self.p == 1:
            return ag.where(False, x, 0.0)
        rows = x.shape[0] if self.mode == "row" else 1
        places = ag.zeros((rows, *(1,) * (x.ndim - 1)), x.dtype)
        return masked(x, places, self.seed(), 1 - self.p, 1 / (1 - self.p))

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, mode={self.mode!r}"
