"""Adadelta: steps in the units of the weights."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import direction, rooted
from optim.together import State


class Adadelta(Optimizer):
    """The gradient scaled by the ratio of two root mean squares: of the steps of late, and of the gradients of late.

        g <- g + weight_decay w
        v <- rho v + (1 - rho) g^2
        d = g sqrt(u + eps) / sqrt(v + eps)
        u <- rho u + (1 - rho) d^2
        w <- w - lr d

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: a factor of the steps; the rule itself has 1.
        rho: what is kept of the two means at each step.
        eps: keeps the divisor from zero, and sets the size of the first steps.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added to g.
        maximize: go up instead of down.
        eps_mode: "inside" takes the roots as above, as the paper and PyTorch do; "outside" takes sqrt(v) + eps.

    Raises:
        ArgumentError: a setting out of its range.

    Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> adadelta = Adadelta([w], rho=0.75, eps=1.0)
    >>> (w * w).backward()
    >>> adadelta.step()
    >>> round(w.item(), 6)
    -0.414214
    """

    limits: ClassVar = {"lr": (0, inf), "rho": (0, 1), "eps": (0, inf), "weight_decay": (0, inf)}

    def __init__(
        self,
        params: Parameters,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        eps_mode: str = "inside",
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "eps_mode": eps_mode,
            },
        )

    def init(self, w: Tensor) -> State:
        """Both means zero, at step 0."""
        return {"step": 0, "square_avg": ag.zeros_like(w), "acc_delta": ag.zeros_like(w)}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        rho: Any = 0.9,
        eps: Any = 1e-6,
        weight_decay: Any = 0,
        maximize: bool = False,
        eps_mode: str = "inside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        g = direction(w, g, weight_decay, maximize)
        u = state["acc_delta"]
        v = rho * state["square_avg"] + (1 - rho) * (g * g)
        d = rooted(u, eps, eps_mode) / rooted(v, eps, eps_mode) * g
        u = rho * u + (1 - rho) * (d * d)
        return w - lr * d, {"step": state["step"] + 1, "square_avg": v, "acc_delta": u}
