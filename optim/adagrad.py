"""Adagrad: steps that shrink with all the gradients so far."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import direction, rooted
from optim.together import State


class Adagrad(Optimizer):
    """A step for each weight in inverse proportion to the root of the sum of its squared gradients so far.

        g <- g + weight_decay w
        a <- a + g^2                                (a = initial_accumulator_value before the first step)
        w <- w - lr' g / (sqrt(a) + eps)            lr' = lr / (1 + (t - 1) lr_decay) at step t

    Rows without a gradient stay as they are: of a row-sparse gradient (`nn.Embedding(..., sparse=True)`) only its rows
    are read and written, so that rare features cost little and keep large steps.

    With eps_mode="inside" it is w - lr' g / sqrt(a + eps), as lecture notes tend to have it.

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate, eta in the notes.
        lr_decay: how fast the learning rate falls with the steps.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added to g.
        initial_accumulator_value: what the sums start from.
        eps: keeps the divisor from zero.
        maximize: go up instead of down.
        eps_mode: "outside" divides by sqrt(a) + eps, "inside" by sqrt(a + eps).

    Raises:
        ArgumentError: a setting out of its range.

    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> adagrad = Adagrad([w], lr=0.5)
    >>> (w * w).backward()
    >>> adagrad.step()
    >>> round(w.item(), 6)
    0.5
    """

    rowwise = True
    limits: ClassVar = {
        "lr": (0, inf),
        "lr_decay": (0, inf),
        "weight_decay": (0, inf),
        "initial_accumulator_value": (0, inf),
        "eps": (0, inf),
    }

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "maximize": maximize,
                "eps_mode": eps_mode,
            },
        )

    def init(self, w: Tensor) -> State:
        """Step 0; the sum starts, at the first step, from what its group says."""
        return {"step": 0}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        lr_decay: Any = 0,
        weight_decay: Any = 0,
        initial_accumulator_value: Any = 0,
        eps: Any = 1e-10,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        t = state["step"] + 1
        total = state.get("sum")
        if total is None:
            total = ag.zeros_like(w) + initial_accumulator_value
        g = direction(w, g, weight_decay, maximize)
        total = total + g * g
        rate = lr / (1 + (t - 1) * lr_decay)
        return w - rate * (g / rooted(total, eps, eps_mode)), {"step": t, "sum": total}
