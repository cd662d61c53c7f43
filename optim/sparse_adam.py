"""Adam for tables of which each step reads a few rows."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import autograd as ag
from autograd import Tensor
from optim.optimizer import Optimizer, Parameters
from optim.terms import direction, rooted
from optim.together import State


class SparseAdam(Optimizer):
    """Adam that leaves rows without a gradient, and their means, as they are: lazy Adam.

        m <- beta1 m + (1 - beta1) g            for the rows that a row-sparse g holds
        v <- beta2 v + (1 - beta2) g^2
        w <- w - lr' m / (sqrt(v) + eps)        lr' = lr sqrt(1 - beta2^t) / (1 - beta1^t) at step t

    It is for `nn.Embedding(..., sparse=True)`. A step takes as long as its rows, however many the table has. A gradient
    that is not row-sparse holds all rows. With eps_mode="inside" the divisor is sqrt(v + eps).

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate.
        betas: what is kept of the two means at each step in which a row has a gradient.
        eps: keeps the divisor from zero.
        maximize: go up instead of down.
        eps_mode: "outside" divides by sqrt(v) + eps, "inside" by sqrt(v + eps).

    Raises:
        ArgumentError: a setting out of its range.

    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, the form at the end of section 2.

    >>> import autograd as ag
    >>> w = ag.tensor([[1.0], [1.0]], requires_grad=True)
    >>> adam = SparseAdam([w], lr=0.5)
    >>> ag.take_rows(w, [1, 1]).sum().backward()
    >>> adam.step()
    >>> ag.round(w.detach(), 6).tolist()
    [[1.0], [0.5]]
    """

    limits: ClassVar = {"lr": (0, inf), "betas": (0, 1), "eps": (0, inf)}
    rowwise = True

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize, "eps_mode": eps_mode})

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
        maximize: bool = False,
        eps_mode: str = "outside",
    ) -> tuple[Tensor, State]:
        """One step of one parameter, or of some rows of it."""
        beta1, beta2 = betas
        g, t = direction(w, g, 0, maximize), state["step"] + 1
        m = beta1 * state["exp_avg"] + (1 - beta1) * g
        v = beta2 * state["exp_avg_sq"] + (1 - beta2) * (g * g)
        rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        return w - rate * (m / rooted(v, eps, eps_mode)), {"step": t, "exp_avg": m, "exp_avg_sq": v}
