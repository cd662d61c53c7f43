"""Averaged stochastic gradient descent."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import direction, larger
from optim.together import State


class ASGD(Optimizer):
    """Gradient descent with a falling rate, and beside it the average of the weights: `state[w]["ax"]`.

        g <- g + weight_decay w
        w <- w - eta (g + lambd w)
        a <- a + mu (w - a)
        eta <- lr / (1 + lambd lr t)^alpha,         mu <- 1 / max(1, t - t0) at step t; lr and 1 before the first

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate.
        lambd: decay, of the weights and of the rate.
        alpha: the power by which the rate falls.
        t0: the step from which on the weights are averaged; before it, a is w.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added to g.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting out of its range.

    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992; the rate is that of Bottou,
    "Large-scale machine learning with stochastic gradient descent", 2010.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> descent = ASGD([w], lr=0.25, lambd=0, t0=0)
    >>> for _ in range(2):
    ...     descent.zero_grad()
    ...     (w * w).backward()
    ...     descent.step()
    >>> w.item(), descent.state[w]["ax"].item()
    (0.25, 0.25)
    """

    limits: ClassVar = {
        "lr": (0, inf),
        "lambd": (0, inf),
        "alpha": (-inf, inf),
        "t0": (-inf, inf),
        "weight_decay": (0, inf),
    }
    numbers: ClassVar = {"step": int, "eta": float, "mu": float}

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def init(self, w: Tensor) -> State:
        """No average, at step 0; the rate is that of the group at the first step."""
        return {"step": 0, "mu": 1.0, "ax": ag.zeros_like(w)}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        lambd: Any = 1e-4,
        alpha: Any = 0.75,
        t0: Any = 1e6,
        weight_decay: Any = 0,
        maximize: bool = False,
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        eta, mu, average = state.get("eta", lr), state["mu"], state["ax"]
        t = state["step"] + 1
        g = direction(w, g, weight_decay, maximize)
        w = (1 - lambd * eta) * w - eta * g
        new = {"step": t, "eta": lr / (1 + lambd * lr * t) ** alpha, "mu": 1 / larger(1, t - t0)}
        return w, {**new, "ax": average + mu * (w - average)}
