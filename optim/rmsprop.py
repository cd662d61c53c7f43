"""RMSprop: steps that shrink with the gradients of late."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters, active
from optim.terms import direction, rooted
from optim.together import State


class RMSprop(Optimizer):
    """A step for each weight in inverse proportion to the root mean square of its gradients of late.

        g <- g + weight_decay w
        v <- alpha v + (1 - alpha) g^2
        b <- momentum b + g / (sqrt(v) + eps)       (centered: sqrt(v - m^2),  m <- alpha m + (1 - alpha) g)
        w <- w - lr b

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate.
        alpha: what is kept of the means at each step.
        eps: keeps the divisor from zero.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added to g.
        momentum: how much of the last direction is kept.
        centered: divide by the standard deviation of the gradient instead (Graves 2013).
        maximize: go up instead of down.
        eps_mode: "outside" divides by sqrt(v) + eps, "inside" by sqrt(v + eps).

    Raises:
        ArgumentError: a setting out of its range.

    Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012; Graves, "Generating sequences with
    recurrent neural networks", 2013, equations 38 to 45.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> rmsprop = RMSprop([w], lr=0.05)
    >>> (w * w).backward()
    >>> rmsprop.step()
    >>> round(w.item(), 6)
    0.5
    """

    limits: ClassVar = {
        "lr": (0, inf),
        "alpha": (0, inf),
        "eps": (0, inf),
        "weight_decay": (0, inf),
        "momentum": (0, inf),
    }

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
                "eps_mode": eps_mode,
            },
        )

    def init(self, w: Tensor) -> State:
        """The mean square zero, at step 0; mean and direction join at the first step, where they are asked for."""
        return {"step": 0, "square_avg": ag.zeros_like(w)}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        alpha: Any = 0.99,
        eps: Any = 1e-8,
        weight_decay: Any = 0,
        momentum: Any = 0,
        centered: bool = False,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        g = direction(w, g, weight_decay, maximize)
        v = alpha * state["square_avg"] + (1 - alpha) * (g * g)
        new = {"step": state["step"] + 1, "square_avg": v}
        if centered:
            mean = (1 - alpha) * g
            if "grad_avg" in state:
                mean = alpha * state["grad_avg"] + mean
            new["grad_avg"] = mean
            v = ag.maximum(v - mean * mean, 0)  # which rounding may put below 0 where the gradient is constant
        b = g / rooted(v, eps, eps_mode)
        if active(momentum):
            if "momentum_buffer" in state:
                b = momentum * state["momentum_buffer"] + b
            new["momentum_buffer"] = b
        return w - lr * b, new
