"""Dropout as a function: what recurrent layers and attention do to their insides while training."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError


def expect_probability(p: float, who: object) -> float:
    """p, if it is a probability of dropping.

    Raises:
        ArgumentError: if it is not between 0 and 1.

    >>> expect_probability(0.5, "dropout")
    0.5
    """
    if not 0 <= p <= 1:
        raise ArgumentError(
            f"{who} was given the probability {p}. Expected that of dropping an element, 0 to 1; for a probability of "
            "keeping, write 1 - keep."
        )
    return float(p)


def dropout(
    x: Tensor, p: float = 0.5, training: bool = True, *, generator: ag.random.Generator | None = None
) -> Tensor:
    """y = x m / (1 - p), m ~ Bernoulli(1 - p) for each element; x itself unless `training` (Srivastava et al. 2014).

    Parameters:
        x: any shape.
        p: the probability of dropping an element.
        training: False for x itself.
        generator: where the mask comes from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: if p is not between 0 and 1.

    >>> y = dropout(ag.ones(100), 0.5, generator=ag.random.Generator(0))
    >>> sorted(set(y.tolist()))
    [0.0, 2.0]
    """
    p = expect_probability(p, "dropout")
    if not training or not p:
        return x
    if p == 1:
        return ag.where(False, x, 0.0)
    return _dropped(x, (generator or ag.random.default).seed(), 1 - p)


@ag.fused(smallest=1)  # the bits are cheap for a kernel and not for NumPy
def _dropped(x: Tensor, seed: int, keep: float) -> Tensor:
    """The mask is drawn in here, forwards and again backwards: none is kept."""
    return ag.where(ag.uniform_like(x, seed) < keep, x, 0.0) * (1 / keep)  # where: a dropped infinity is 0
