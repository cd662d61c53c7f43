"""Penalties on the size of the weights, added to the loss: J~(w) = J(w) + alpha Omega(w)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from fnmatch import fnmatch
from functools import reduce
from math import inf
from operator import add

from autograd import Tensor
from autograd.errors import ArgumentError
from nn.module import Module


class Penalty(ABC):
    """The interface: called without arguments, a penalty gives a scalar to be added to the loss.

    Parameters:
        alpha: how much the penalty counts, at least 0; 0 is none. A Tensor can be differentiated by.
        of: a module, or Tensors. A module is searched once, now.
        exclude: patterns of names in a module to leave out, as of files: "*bias", "head.*".

    Attributes:
        parameters: the Tensors that are penalised.

    Raises:
        ArgumentError: alpha below 0, a pattern that no name matches, or nothing left to penalise.
    """

    def __init__(
        self, alpha: float | Tensor, of: Module | Iterable[Tensor], *, exclude: str | Iterable[str] = ()
    ) -> None:
        name = type(self).__name__
        if not 0 <= float(alpha) < inf:
            raise ArgumentError(f"{name} was given alpha={alpha}. Expected 0 <= alpha < inf.")
        patterns = (exclude,) if isinstance(exclude, str) else tuple(exclude)
        if isinstance(of, Module):
            named = dict(of.named_parameters())
        elif patterns:
            raise ArgumentError(
                f"{name} was given Tensors, which have no names to exclude. Write {name}(alpha, model)."
            )
        else:
            named = {str(k): w for k, w in enumerate([of] if isinstance(of, Tensor) else of)}
        for pattern in patterns:
            if not any(fnmatch(key, pattern) for key in named):
                raise ArgumentError(f"{name}: no parameter matches {pattern!r}. There are: {', '.join(named)}.")
        self.alpha = alpha
        self.parameters = [w for key, w in named.items() if not any(fnmatch(key, p) for p in patterns)]
        if not self.parameters:
            raise ArgumentError(f"{name} was given no parameters to penalise.")

    @abstractmethod
    def __call__(self) -> Tensor:
        """The penalty for the present weights: a recorded scalar."""


class L2(Penalty):
    """The sum of squares, also called ridge or weight decay: makes weights small, but seldom zero.

        alpha / 2 * sum_ij w_ij^2               with the gradient alpha w

    The same as `weight_decay=alpha` of SGD and Adam, where the decay is part of the gradient; AdamW's is apart from it.
    Parameters are those of `Penalty`.

    Raises:
        ArgumentError: alpha below 0, a pattern that no name matches, or nothing left to penalise.

    Krogh and Hertz, "A simple weight decay can improve generalization", 1992.

    >>> import autograd as ag
    >>> w = ag.tensor([3.0, 4.0], requires_grad=True)
    >>> L2(0.1, [w])().item()
    1.25
    """

    def __call__(self) -> Tensor:
        """alpha / 2 * sum w^2."""
        return 0.5 * self.alpha * reduce(add, [(w * w).sum() for w in self.parameters])


class L1(Penalty):
    """The sum of sizes, also called lasso: drives weights that do not help to zero.

        alpha * sum_ij |w_ij|                   with the gradient alpha sign(w), 0 at w = 0

    Parameters are those of `Penalty`.

    Raises:
        ArgumentError: alpha below 0, a pattern that no name matches, or nothing left to penalise.

    Tibshirani, "Regression shrinkage and selection via the lasso", 1996.

    >>> import autograd as ag
    >>> w = ag.tensor([3.0, -4.0], requires_grad=True)
    >>> L1(0.5, [w])().item()
    3.5
    """

    def __call__(self) -> Tensor:
        """alpha * sum |w|."""
        return self.alpha * reduce(add, [abs(w).sum() for w in self.parameters])
