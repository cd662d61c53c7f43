"""Penalties on the size of the weights, added to the loss: J~(w) = J(w) + alpha Omega(w)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import reduce
from math import inf
from operator import add

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from regularize.targets import Groups, Patterns, grouped


class Penalty(ABC):
    """The interface: called without arguments, a penalty gives a scalar to be added to the loss.

    Or it is left out of the loss, and `prox_(lr)` called after each step of a gradient descent with learning rate lr:
    proximal gradient descent, for which a kink of the penalty is no obstacle, and whose zeros are exact.

    Parameters:
        alpha: how much the penalty counts, at least 0; 0 is none. A Tensor can be differentiated by.
        of: a module, Tensors, or groups of them with settings of their own, each a dict
            {"params": module or Tensors, "alpha": ..., "exclude": ...}. A module is searched once, now.
        exclude: patterns of names in a module to leave out, as of files: "*.bias", "norm*".

    Attributes:
        groups: pairs of an alpha and the Tensors that it is for.
        parameters: the Tensors that are penalised.

    Raises:
        ArgumentError: alpha below 0, a pattern that no name matches, or nothing left to penalise.
    """

    def __init__(self, alpha: float | Tensor, of: Groups, *, exclude: Patterns = ()) -> None:
        self.groups = grouped(alpha, of, exclude, type(self).__name__)

    @property
    def parameters(self) -> list[Tensor]:
        """The Tensors that are penalised."""
        return [w for _, ws in self.groups for w in ws]

    @abstractmethod
    def measure(self, w: Tensor) -> Tensor:
        """Omega of one Tensor: a scalar."""

    @abstractmethod
    def shrunk(self, w: Tensor, step: float) -> Tensor:
        """The proximal operator: the v that makes (v - w)^2 / 2 + step Omega(v) least."""

    def __call__(self) -> Tensor:
        """The penalty for the present weights: a recorded scalar."""
        return reduce(add, [alpha * reduce(add, [self.measure(w) for w in ws]) for alpha, ws in self.groups])

    def prox_(self, lr: float) -> None:
        """Replace each w by the v that makes (v - w)^2 / (2 lr) + alpha Omega(v) least.

        Parameters:
            lr: the learning rate of the step that went before.

        Raises:
            ArgumentError: lr below 0.

        Combettes and Wajs, "Signal recovery by proximal forward-backward splitting", 2005.
        """
        if not 0 <= lr < inf:
            raise ArgumentError(f"prox_ was given lr={lr}. Expected the learning rate of the step, 0 <= lr < inf.")
        with ag.no_grad():
            for alpha, ws in self.groups:
                for w in ws:
                    w.copy_(self.shrunk(w, lr * float(alpha)))


@ag.fused
def _sizes(w: Tensor) -> Tensor:
    return ag.sum(abs(w))


@ag.fused
def _squares(w: Tensor) -> Tensor:
    return 0.5 * ag.sum(w * w)


@ag.fused
def _mixed(w: Tensor, share: float) -> Tensor:
    return ag.sum(share * abs(w) + (0.5 - 0.5 * share) * (w * w))


@ag.fused
def _thresholded(w: Tensor, threshold: float, decay: float) -> Tensor:
    # + 0.0: no negative zeros
    return ag.where(abs(w) > threshold, w - ag.sign(w) * threshold, 0.0) * (1 / (1 + decay)) + 0.0


class L2(Penalty):
    """The sum of squares, also called ridge or weight decay: makes weights small, but seldom zero.

        alpha / 2 * sum_ij w_ij^2               with the gradient alpha w, the prox w / (1 + lr alpha)

    The same as `weight_decay=alpha` of SGD and Adam, where the decay is part of the gradient; AdamW's is apart from it.
    Parameters are those of `Penalty`.

    Raises:
        ArgumentError: alpha below 0, a pattern that no name matches, or nothing left to penalise.

    Krogh and Hertz, "A simple weight decay can improve generalization", 1992.

    >>> w = ag.tensor([3.0, 4.0], requires_grad=True)
    >>> L2(0.1, [w])().item()
    1.25
    """

    def measure(self, w: Tensor) -> Tensor:
        """sum w^2 / 2."""
        return _squares(w)

    def shrunk(self, w: Tensor, step: float) -> Tensor:
        """w / (1 + step)."""
        return w * (1 / (1 + step))


class L1(Penalty):
    """The sum of sizes, also called lasso: drives weights that do not help to zero.

        alpha * sum_ij |w_ij|                   with the gradient alpha sign(w), 0 at w = 0,
                                                the prox sign(w) max(|w| - lr alpha, 0)

    By the gradient, weights hover about zero; by `prox_`, they are zero. Parameters are those of `Penalty`.

    Raises:
        ArgumentError: alpha below 0, a pattern that no name matches, or nothing left to penalise.

    Tibshirani, "Regression shrinkage and selection via the lasso", 1996.

    >>> w = ag.tensor([3.0, -4.0, 0.25], requires_grad=True)
    >>> l1 = L1(0.5, [w])
    >>> l1().item()
    3.625
    >>> l1.prox_(lr=1.0)
    >>> w.tolist()
    [2.5, -3.5, 0.0]
    """

    def measure(self, w: Tensor) -> Tensor:
        """sum |w|."""
        return _sizes(w)

    def shrunk(self, w: Tensor, step: float) -> Tensor:
        """sign(w) max(|w| - step, 0)."""
        return _thresholded(w, step, 0.0)


class ElasticNet(Penalty):
    """L1 and L2 together: zeros like the lasso's, but features that say the same keep equal weights.

        alpha * sum_ij (r |w_ij| + (1 - r) / 2 * w_ij^2)

    with the gradient alpha (r sign(w) + (1 - r) w), the prox of L1 divided by 1 + lr alpha (1 - r).

    Parameters:
        alpha, of, exclude: as in `Penalty`.
        l1_ratio: r, the share of L1, 0 to 1; scikit-learn's name and meaning.

    Raises:
        ArgumentError: l1_ratio outside 0 to 1, alpha below 0, a pattern that no name matches, or nothing to penalise.

    Zou and Hastie, "Regularization and variable selection via the elastic net", 2005.

    >>> w = ag.tensor([3.0, -4.0], requires_grad=True)
    >>> ElasticNet(0.5, [w], l1_ratio=0.5)().item()
    4.875
    """

    def __init__(self, alpha: float | Tensor, of: Groups, *, l1_ratio: float = 0.5, exclude: Patterns = ()) -> None:
        if not 0 <= l1_ratio <= 1:
            raise ArgumentError(f"ElasticNet was given l1_ratio={l1_ratio}. Expected the share of L1, 0 to 1.")
        super().__init__(alpha, of, exclude=exclude)
        self.l1_ratio = float(l1_ratio)

    def measure(self, w: Tensor) -> Tensor:
        """sum r |w| + (1 - r) w^2 / 2."""
        return _mixed(w, self.l1_ratio)

    def shrunk(self, w: Tensor, step: float) -> Tensor:
        """sign(w) max(|w| - step r, 0) / (1 + step (1 - r))."""
        return _thresholded(w, step * self.l1_ratio, step * (1 - self.l1_ratio))
