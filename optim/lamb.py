"""LAMB: Adam's direction, at a length in proportion to that of the weights."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters, active
from optim.terms import direction, rooted
from optim.together import State


class LAMB(Optimizer):
    """Adam layer by layer: the step of each parameter is as long, relative to the parameter, as that of any other.

        m <- beta1 m + (1 - beta1) g,               m' = m / (1 - beta1^t) at step t
        v <- beta2 v + (1 - beta2) g^2,             v' = v / (1 - beta2^t)
        u = m' / (sqrt(v') + eps) + weight_decay w
        w <- w - lr u |w| / |u|                     (w - lr u where |w| or |u| is 0)

    The norms are those of each parameter, so that parameters are updated one after another.

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate.
        betas: what is kept of the two means at each step.
        eps: keeps the divisor from zero.
        weight_decay: how much of w is added to the direction, before it is given its length.
        maximize: go up instead of down.
        eps_mode: "outside" divides by sqrt(v') + eps, "inside" by sqrt(v' + eps).

    Raises:
        ArgumentError: a setting out of its range.

    You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", 2020, algorithm 2.

    >>> import autograd as ag
    >>> w = ag.tensor([3.0, 4.0], requires_grad=True)
    >>> lamb = LAMB([w], lr=0.2)
    >>> (w * w).sum().backward()
    >>> lamb.step()
    >>> ag.round(w.detach(), 4)  # a step of length 0.2 |w|
    tensor([2.2929, 3.2929])
    """

    limits: ClassVar = {"lr": (0, inf), "betas": (0, 1), "eps": (0, inf), "weight_decay": (0, inf)}

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0,
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
        eps: Any = 1e-6,
        weight_decay: Any = 0,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        beta1, beta2 = betas
        t = state["step"] + 1
        left = (1 - beta1**t, 1 - beta2**t)
        form: dict[str, Any] = {"decays": active(weight_decay), "maximize": maximize, "eps_mode": eps_mode}
        w, m, v = _moved(
            w, g, state["exp_avg"], state["exp_avg_sq"], lr, beta1, beta2, *left, eps, weight_decay, **form
        )
        return w, {"step": t, "exp_avg": m, "exp_avg_sq": v}


@ag.fused
def _moved(
    w: Tensor,
    g: Tensor,
    m: Tensor,
    v: Tensor,
    lr: Any,
    beta1: Any,
    beta2: Any,
    left1: Any,
    left2: Any,
    eps: Any,
    weight_decay: Any,
    *,
    decays: bool,
    maximize: bool,
    eps_mode: str,
) -> tuple[Tensor, Tensor, Tensor]:
    """The rule, with what 1 - beta^t leaves: one kernel until the two lengths are known, one after it."""
    g = direction(w, g, 0, maximize)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g * g)
    u = m / left1 / rooted(v / left2, eps, eps_mode)
    if decays:
        u = u + weight_decay * w
    return w - lr * _trust(w, u) * u, m, v


def _trust(w: Tensor, u: Tensor) -> Tensor:
    """|w| / |u|, and 1 where either is 0."""
    mine, its = ag.sum(w * w), ag.sum(u * u)
    both = ag.where(mine > 0, its, 0.0) > 0
    return ag.where(both, ag.sqrt(ag.where(both, mine, 1.0)) / ag.sqrt(ag.where(both, its, 1.0)), 1.0)
