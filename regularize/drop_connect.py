"""DropConnect: dropout of single weights in place of units, as a parametrisation of a weight."""

from __future__ import annotations

from typing import TypeVar

import autograd as ag
from autograd import Tensor
from nn.dropout import dropout
from nn.module import Module
from nn.parametrize import register_parametrization
from regularize.dropout import Masking

M = TypeVar("M", bound=Module)


class DropConnect(Masking):
    """A parametrisation: the weight with elements dropped with probability p while training; itself in `eval()`.

        w m / (1 - p),  m ~ Bernoulli(1 - p)

    Parameters are those of `Dropout`, without `scale_at`. `drop_connect` puts it on a layer.

    Raises:
        ArgumentError: p outside 0 to 1.

    >>> part = DropConnect(0.5, generator=ag.random.Generator(0))
    >>> part(ag.ones((1, 6))).tolist()
    [[2.0, 2.0, 2.0, 2.0, 0.0, 0.0]]
    """

    def forward(self, original: Tensor) -> Tensor:
        """The weight to one with zeros, of its shape and dtype."""
        return dropout(original, self.p, self.training, generator=self.generator)

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself."""
        return value


def drop_connect(module: M, name: str = "weight", p: float = 0.5, *, generator: ag.random.Generator | None = None) -> M:
    """Drop elements of a module's weight with probability p each time that it is used in training; returns the module.

    All samples of a batch share a mask, where the paper draws one for each; in evaluation the weight is whole, where
    the paper takes samples of a Gaussian.

    Parameters:
        module: where the weight is; changed. Build the optimizer afterwards.
        name: the weight's.
        p: the probability of dropping an element.
        generator: where masks come from; the default stream of `ag.random` for None.

    State: the weight as `parametrizations.<name>.original`; `nn.parametrize.remove_parametrizations` undoes it.

    Raises:
        ArgumentError: p outside 0 to 1, or if the module has no parameter of this name.

    Wan et al., "Regularization of neural networks using DropConnect", 2013.

    >>> import nn
    >>> layer = drop_connect(nn.Linear(3, 2), p=0.25)
    >>> list(layer.state_dict())
    ['bias', 'parametrizations.weight.original']
    """
    return register_parametrization(module, name, DropConnect(p, generator=generator))
