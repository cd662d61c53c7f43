"""Adamax: Adam by the largest gradient instead of the mean square."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import direction
from optim.together import State


class Adamax(Optimizer):
    """Adam with the infinity norm: a step in proportion to the mean gradient over the largest of late.

        g <- g + weight_decay w
        m <- beta1 m + (1 - beta1) g
        u <- max(beta2 u, |g| + eps)
        w <- w - lr m / ((1 - beta1^t) u)       at step t

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate.
        betas: what is kept of the mean and of the maximum at each step.
        eps: keeps the divisor from zero.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added to g.
        maximize: go up instead of down.
        eps_mode: "inside" the maximum, as above and in PyTorch; "outside" takes max(beta2 u, |g|) and divides by
            u + eps.

    Raises:
        ArgumentError: a setting out of its range.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 2.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> adamax = Adamax([w], lr=0.5)
    >>> (w * w).backward()
    >>> adamax.step()
    >>> round(w.item(), 6)
    0.5
    """

    limits: ClassVar = {"lr": (0, inf), "betas": (0, 1), "eps": (0, inf), "weight_decay": (0, inf)}

    def __init__(
        self,
        params: Parameters,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        eps_mode: str = "inside",
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "eps_mode": eps_mode,
            },
        )

    def init(self, w: Tensor) -> State:
        """Mean and maximum zero, at step 0."""
        return {"step": 0, "exp_avg": ag.zeros_like(w), "exp_inf": ag.zeros_like(w)}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: Any = 1e-8,
        weight_decay: Any = 0,
        maximize: bool = False,
        eps_mode: str = "inside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        beta1, beta2 = betas
        t = state["step"] + 1
        g = direction(w, g, weight_decay, maximize)
        m = beta1 * state["exp_avg"] + (1 - beta1) * g
        size = ag.abs(g)
        u = ag.maximum(beta2 * state["exp_inf"], size + eps if eps_mode == "inside" else size)
        divisor = u if eps_mode == "inside" else u + eps
        return w - lr / (1 - beta1**t) * (m / divisor), {"step": t, "exp_avg": m, "exp_inf": u}
