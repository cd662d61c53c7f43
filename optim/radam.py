"""RAdam: Adam that waits until its second moment can be trusted."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import decayed, direction, larger, rooted
from optim.together import State

TRUSTED = 5.0  # length of the average from which on the variance of the adaptive rate is finite


class RAdam(Optimizer):
    """Adam whose adaptive rate is rectified for its variance, and left out of the first steps, where that is infinite.

        g <- g + weight_decay w                     (decoupled_weight_decay: w <- (1 - lr weight_decay) w instead)
        m <- beta1 m + (1 - beta1) g,               m' = m / (1 - beta1^t) at step t
        v <- beta2 v + (1 - beta2) g^2
        r = rho - 2 t beta2^t / (1 - beta2^t),      rho = 2 / (1 - beta2) - 1
        c = sqrt((r - 4) (r - 2) rho / ((rho - 4) (rho - 2) r))
        w <- w - lr m' c sqrt(1 - beta2^t) / (sqrt(v) + eps)            (r <= 5: w - lr m')

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate.
        betas: what is kept of the two means at each step.
        eps: keeps the divisor from zero.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added to g.
        decoupled_weight_decay: decay the weights beside the rule, as `AdamW` does.
        maximize: go up instead of down.
        eps_mode: "outside" divides by sqrt(v) + eps, "inside" by sqrt(v + eps).

    Raises:
        ArgumentError: a setting out of its range.

    Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, algorithm 2.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> radam = RAdam([w], lr=0.25)
    >>> (w * w).backward()
    >>> radam.step()
    >>> round(w.item(), 6)
    0.5
    """

    limits: ClassVar = {"lr": (0, inf), "betas": (0, 1), "eps": (0, inf), "weight_decay": (0, inf)}

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "eps_mode": eps_mode,
            },
        )

    def init(self, w: Tensor) -> State:
        """Both means zero, at step 0."""
        return {"step": 0, "exp_avg": ag.zeros_like(w), "exp_avg_sq": ag.zeros_like(w)}

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
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        beta1, beta2 = betas
        t = state["step"] + 1
        g = direction(w, g, 0 if decoupled_weight_decay else weight_decay, maximize)
        if decoupled_weight_decay:
            w = decayed(w, lr, weight_decay)
        m = beta1 * state["exp_avg"] + (1 - beta1) * g
        v = beta2 * state["exp_avg_sq"] + (1 - beta2) * (g * g)
        left = 1 - beta2**t
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * t * beta2**t / left
        adaptive = (_rectification(length, limit) * left**0.5) / rooted(v, eps, eps_mode)
        scale = ag.where(length > TRUSTED, adaptive, 1.0)
        return w - lr / (1 - beta1**t) * (m * scale), {"step": t, "exp_avg": m, "exp_avg_sq": v}


def _rectification(length: Any, limit: Any) -> Any:
    """The factor c; 1 for a length at which nobody asks for it."""
    r, rho = larger(length, TRUSTED), larger(limit, TRUSTED)
    return ((r - 4) * (r - 2) * rho / ((rho - 4) * (rho - 2) * r)) ** 0.5
