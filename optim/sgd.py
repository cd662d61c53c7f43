"""Gradient descent, with momentum."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

from autograd import Tensor
from autograd.errors import ArgumentError
from optim.optimizer import Optimizer, Parameters, active
from optim.together import State


class SGD(Optimizer):
    """Gradient descent; with momentum, the heavy ball of Polyak (1964) or Nesterov's look-ahead (1983).

        g <- g + weight_decay w
        b <- momentum b + (1 - dampening) g     (b <- g at the first step)
        w <- w - lr b                           (Nesterov: w - lr (g + momentum b); without momentum: w - lr g)

    Batch, stochastic and mini-batch gradient descent are this one rule. They differ in how many samples the gradient is
    taken over, which is the loader's choice: `nn.DataLoader(x, y, batch_size=None)` for batch gradient descent,
    `batch_size=1` for stochastic gradient descent, anything between for mini-batches.

    Of a row-sparse gradient only its rows are read and written; with momentum, the rows that ever had one.

    Parameters:
        params: Tensors, or dicts with settings of their own.
        lr: the learning rate, alpha in the notes.
        momentum: how much of the last direction is kept.
        dampening: how much of the gradient is left out of the direction.
        weight_decay: the gradient of (weight_decay / 2) w^2 is added.
        nesterov: look ahead along the new direction; wants momentum and no dampening.
        maximize: go up instead of down.

    Raises:
        ArgumentError: a setting out of its range, or `nesterov` without momentum or with dampening.

    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    >>> import autograd as ag
    >>> w = ag.tensor(1.0, requires_grad=True)
    >>> descent = SGD([w], lr=0.25)
    >>> (w * w).backward()
    >>> descent.step()
    >>> w.item()
    0.5
    """

    rowwise = True
    carried = frozenset({"momentum_buffer"})
    limits: ClassVar = {"lr": (0, inf), "momentum": (0, inf), "dampening": (-inf, inf), "weight_decay": (0, inf)}

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )
        for group in self.param_groups:
            if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
                raise ArgumentError(
                    f"SGD was given nesterov with momentum={group['momentum']}, dampening={group['dampening']}. "
                    "Expected momentum above 0 and dampening 0."
                )

    def init(self, w: Tensor) -> State:
        """Nothing: the first direction is the first gradient."""
        return {}

    def update(
        self,
        w: Tensor,
        g: Tensor,
        state: State,
        *,
        lr: Any,
        momentum: Any = 0,
        dampening: Any = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> tuple[Tensor, State]:
        """One step of one parameter."""
        if maximize:
            g = -g
        if active(weight_decay):
            g = g + weight_decay * w
        if not active(momentum):
            return w - lr * g, {}
        b = state.get("momentum_buffer")
        if b is None:
            b = g
        elif active(dampening):
            b = momentum * b + (1 - dampening) * g
        else:
            b = momentum * b + g
        return w - lr * (g + momentum * b if nesterov else b), {"momentum_buffer": b}
