"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import decayed, direction, rooted
from optim.together import State

_LIMITS = {"lr": (0, inf), "betas": (0, 1), "eps": (0, inf), "weight_decay": (0, inf)}


def _zeros(w: Tensor) -> State:
    return {"step": 0, "exp_avg": ag.zeros_like(w), "exp_avg_sq": ag.zeros_like(w)}


def _move(
    w: Tensor, g: Tensor, state: State, lr: Any, betas: tuple[Any, Any], eps: Any, amsgrad: bool, eps_mode: str
) -> tuple[Tensor, State]:
    """w - lr m' / (sqrt(v') + eps) with m' = m / (1 - beta1^t), v' = v / (1 - beta2^t), the corrections folded."""
    beta1, beta2 = betas
    t = state["step"] + 1
    root = (1 - beta2**t) ** 0.5
    rate = lr * root / (1 - beta1**t)
    m = beta1 * state["exp_avg"] + (1 - beta1) * g
    v = beta2 * state["exp_avg_sq"] + (1 - beta2) * (g * g)
    new = {"step": t, "exp_avg": m, "exp_avg_sq": v}
    if amsgrad:
        largest = state.get("max_exp_avg_sq")
        v = new["max_exp_avg_sq"] = v if largest is None else ag.maximum(largest, v)
    small = eps * (1 - beta2**t) if eps_mode == "inside" else eps * root
    return w - rate * (m / rooted(v, small, eps_mode)), new


class Adam(Optimizer):
    """A step for each weight in proportion to the mean of its gradients over their root mean square.

        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2          (g + weight_decay w in place of g, in both;
                                                 decoupled_weight_decay: w <- (1 - lr weight_decay) w instead)
        w <- w - lr m' / (sqrt(v') + eps)       m' = m / (1 - beta1^t),  v' = v / (1 - beta2^t) at step t

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate.
        betas: what is kept of the two means at each step.
        eps: keeps the divisor from zero.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added to g.
        amsgrad: divide by the largest v so far (Reddi et al., "On the convergence of Adam and beyond", 2018).
        maximize: go up instead of down.
        decoupled_weight_decay: decay the weights beside the rule, as `AdamW` does.
        eps_mode: "outside" divides by sqrt(v') + eps, "inside" by sqrt(v' + eps).

    Raises:
        ArgumentError: a setting out of its range.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> adam = Adam([w], lr=0.5)
    >>> (w * w).backward()
    >>> adam.step()
    >>> round(w.item(), 6)
    0.5
    """

    limits: ClassVar = _LIMITS

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        eps_mode: str = "outside",
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
                "eps_mode": eps_mode,
            },
        )

    def init(self, w: Tensor) -> State:
        """Both means zero, at step 0."""
        return _zeros(w)

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
        amsgrad: bool = False,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        eps_mode: str = "outside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        g = direction(w, g, 0 if decoupled_weight_decay else weight_decay, maximize)
        if decoupled_weight_decay:
            w = decayed(w, lr, weight_decay)
        return _move(w, g, state, lr, betas, eps, amsgrad, eps_mode)


class AdamW(Optimizer):
    """Adam with weight decay outside the adaptive step.

        w <- (1 - lr weight_decay) w
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        w <- w - lr m' / (sqrt(v') + eps)       m' = m / (1 - beta1^t),  v' = v / (1 - beta2^t) at step t

    Parameters are those of `Adam`, but for the default weight_decay=0.01.

    Raises:
        ArgumentError: a setting out of its range.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> adam = AdamW([w], lr=0.5, weight_decay=0.1)
    >>> (w * w).backward()
    >>> adam.step()
    >>> round(w.item(), 6)
    0.45
    """

    limits: ClassVar = _LIMITS

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
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
                "amsgrad": amsgrad,
                "maximize": maximize,
                "eps_mode": eps_mode,
            },
        )

    def init(self, w: Tensor) -> State:
        """Both means zero, at step 0."""
        return _zeros(w)

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: Any = 1e-8,
        weight_decay: Any = 1e-2,
        amsgrad: bool = False,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        w = decayed(w, lr, weight_decay)
        return _move(w, direction(w, g, 0, maximize), state, lr, betas, eps, amsgrad, eps_mode)
