"""Rprop: each weight with a step size of its own, by the signs of its gradients."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from optim.optimizer import Optimizer, Parameters
from optim.terms import direction
from optim.together import State


class Rprop(Optimizer):
    """Resilient backpropagation: a weight's step grows while its gradient keeps its sign, and shrinks when it turns.

        s <- max(min(s eta, largest), smallest)     eta = etas[1] where g g' > 0, etas[0] where g g' < 0, else 1
        g <- 0 where g g' < 0
        w <- w - s sign(g)                          g' is the g of the step before, s is lr before the first

    For gradients over all samples: the signs of mini-batches mislead it.

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the first step of each weight.
        etas: the factors of the step, of which 0 < etas[0] < 1 < etas[1].
        step_sizes: the smallest and the largest step.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting out of its range.

    Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning", 1993.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> rprop = Rprop([w], lr=0.25)
    >>> (w * w).backward()
    >>> rprop.step()
    >>> w.item()
    0.75
    """

    limits: ClassVar = {"lr": (0, inf), "etas": (0, inf), "step_sizes": (0, inf)}

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})
        for group in self.param_groups:
            shrink, grow = group["etas"]
            if not 0 < shrink < 1 < grow:
                raise ArgumentError(f"Rprop was given etas={group['etas']}. Expected 0 < etas[0] < 1 < etas[1].")

    def init(self, w: Tensor) -> State:
        """No gradient before the first; the step sizes are those of the group at the first step."""
        return {"step": 0, "prev": ag.zeros_like(w)}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        etas: tuple[Any, Any] = (0.5, 1.2),
        step_sizes: tuple[Any, Any] = (1e-6, 50),
        maximize: bool = False,
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        size = state.get("step_size")
        if size is None:
            size = ag.zeros_like(w) + lr
        g = direction(w, g, 0, maximize)
        turn = g * state["prev"]
        size = ag.where(turn > 0, size * etas[1], ag.where(turn < 0, size * etas[0], size))
        size = ag.minimum(ag.maximum(size, step_sizes[0]), step_sizes[1])
        g = ag.where(turn < 0, 0.0, g)
        return w - size * ag.sign(g), {"step": state["step"] + 1, "prev": g, "step_size": size}
