"""Group lasso: whole rows of a weight, all that enters a unit, become zero together."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Tensor
from regularize.penalty import Penalty
from regularize.targets import Groups, Patterns, other_axes


@ag.fused
def _lengths(w: Tensor, *, axes: tuple[int, ...]) -> Tensor:
    square = ag.sum(w * w, axes, keepdims=True)
    there = square > 0  # the subgradient of a group of zeros is 0
    return ag.sum(ag.where(there, ag.sqrt(ag.where(there, square, 1.0)), 0.0))


@ag.fused
def _shortened(w: Tensor, threshold: float, *, axes: tuple[int, ...]) -> Tensor:
    square = ag.sum(w * w, axes, keepdims=True)
    long = square > threshold * threshold
    # the square root of a group that goes is not taken: it may be 0
    return ag.where(long, w * (1 - threshold * ag.rsqrt(ag.where(long, square, 1.0))), 0.0)


class GroupLasso(Penalty):
    """The sum of the lengths of groups of weights: drives whole groups to zero, so that units or inputs can be cut out.

        alpha * sum_g sqrt(p_g) ||w_g||         p_g the number of weights in group g

    with the gradient alpha sqrt(p_g) w_g / ||w_g||, 0 for a group of zeros, and the prox
    w_g max(1 - lr alpha sqrt(p_g) / ||w_g||, 0).

    Parameters:
        alpha, of, exclude: as in `Penalty`.
        axis: the axes that a group extends over. None for all but the first: what enters an output of a Linear, or a
            channel of a convolution; a vector is one group. 0 for what leaves an input of a Linear.

    Raises:
        ArgumentError: an axis that a parameter lacks, alpha below 0, a pattern that no name matches, or no parameters.

    Yuan and Lin, "Model selection and estimation in regression with grouped variables", 2006.

    >>> w = ag.tensor([[3.0, 4.0], [0.3, 0.4]], requires_grad=True)
    >>> lasso = GroupLasso(1 / math.sqrt(2), [w])
    >>> round(lasso().item(), 12)
    5.5
    >>> lasso.prox_(lr=1.0)
    >>> ag.round(w.detach(), 12).tolist()
    [[2.4, 3.2], [0.0, 0.0]]
    """

    def __init__(
        self,
        alpha: float | Tensor,
        of: Groups,
        *,
        axis: int | tuple[int, ...] | None = None,
        exclude: Patterns = (),
    ) -> None:
        super().__init__(alpha, of, exclude=exclude)
        self.axis = axis
        for w in self.parameters:
            other_axes(w, axis, "GroupLasso")

    def _extent(self, w: Tensor) -> tuple[tuple[int, ...], float]:
        """The axes of a group, and the root of its number of weights."""
        axes = other_axes(w, self.axis, "GroupLasso")
        return axes, math.sqrt(math.prod(w.shape[k] for k in axes))

    def measure(self, w: Tensor) -> Tensor:
        """sum_g sqrt(p_g) ||w_g||."""
        axes, root = self._extent(w)
        return root * _lengths(w, axes=axes)

    def shrunk(self, w: Tensor, step: float) -> Tensor:
        """w_g max(1 - step sqrt(p_g) / ||w_g||, 0)."""
        axes, root = self._extent(w)
        return _shortened(w, step * root, axes=axes)
