"""NAdam: Adam with Nesterov's look-ahead."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import decayed, direction, rooted
from optim.together import State


class NAdam(Optimizer):
    """Adam that looks ahead along its momentum, as Nesterov's method does.

        g <- g + weight_decay w                     (decoupled_weight_decay: w <- (1 - lr weight_decay) w instead)
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2,             v' = v / (1 - beta2^t) at step t
        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),     p_t = mu_1 mu_2 ... mu_t
        w <- w - lr ((1 - mu_t) g / (1 - p_t) + mu_(t+1) m / (1 - p_(t+1))) / (sqrt(v') + eps)

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate.
        betas: what is kept of the two means at each step.
        eps: keeps the divisor from zero.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added to g.
        momentum_decay: how fast mu goes from beta1 / 2 to beta1.
        decoupled_weight_decay: decay the weights beside the rule, as `AdamW` does.
        maximize: go up instead of down.
        eps_mode: "outside" divides by sqrt(v') + eps, "inside" by sqrt(v' + eps).

    Raises:
        ArgumentError: a setting out of its range.

    Dozat, "Incorporating Nesterov momentum into Adam", 2016, algorithm 8.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> nadam = NAdam([w], lr=0.5)
    >>> (w * w).backward()
    >>> nadam.step()
    >>> round(w.item(), 4)
    0.4718
    """

    limits: ClassVar = {
        "lr": (0, inf),
        "betas": (0, 1),
        "eps": (0, inf),
        "weight_decay": (0, inf),
        "momentum_decay": (0, inf),
    }
    numbers: ClassVar = {"step": int, "mu_product": float}

    def __init__(
        self,
        params: Parameters,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "eps_mode": eps_mode,
            },
        )

    def init(self, w: Tensor) -> State:
        """Both means zero and the product of no factors, at step 0."""
        return {"step": 0, "mu_product": 1.0, "exp_avg": ag.zeros_like(w), "exp_avg_sq": ag.zeros_like(w)}

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
        momentum_decay: Any = 4e-3,
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
        mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (k * momentum_decay)) for k in (t, t + 1))
        product = state["mu_product"] * mu
        now, later = lr * (1 - mu) / (1 - product), lr * ahead / (1 - product * ahead)
        divisor = rooted(v / (1 - beta2**t), eps, eps_mode)
        new = {"step": t, "mu_product": product, "exp_avg": m, "exp_avg_sq": v}
        return w - (now * g + later * m) / divisor, new
