"""Lion: steps of one size, in the direction of a sign."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import decayed, direction
from optim.together import State


class Lion(Optimizer):
    """A step of the same size for each weight, against the sign of its momentum.

        w <- (1 - lr weight_decay) w
        w <- w - lr sign(beta1 m + (1 - beta1) g)
        m <- beta2 m + (1 - beta2) g

    It keeps half of what Adam keeps. A good learning rate is 3 to 10 times smaller than Adam's, a good weight_decay as
    many times larger.

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate: how far each weight moves at each step.
        betas: what is kept of the mean of the gradients: in the step, and from step to step.
        weight_decay: decay beside the rule, as that of `AdamW`.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting out of its range.

    Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> lion = Lion([w], lr=0.25)
    >>> (w * w).backward()
    >>> lion.step()
    >>> w.item()
    0.75
    """

    limits: ClassVar = {"lr": (0, inf), "betas": (0, 1), "weight_decay": (0, inf)}

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize})

    def init(self, w: Tensor) -> State:
        """The mean zero."""
        return {"exp_avg": ag.zeros_like(w)}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        betas: tuple[Any, Any] = (0.9, 0.99),
        weight_decay: Any = 0,
        maximize: bool = False,
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        beta1, beta2 = betas
        g, m = direction(w, g, 0, maximize), state["exp_avg"]
        w = decayed(w, lr, weight_decay) - lr * ag.sign(beta1 * m + (1 - beta1) * g)
        return w, {"exp_avg": beta2 * m + (1 - beta2) * g}
