"""What several update rules have in common."""

from __future__ import annotations

from typing import Any

import autograd as ag
from autograd import Tensor
from optim.optimizer import active


def direction(w: Tensor, g: Tensor, weight_decay: Any, maximize: bool) -> Tensor:
    """The gradient of what is to become small: g or -g, plus that of (weight_decay / 2) w^2."""
    if maximize:
        g = -g
    return g + weight_decay * w if active(weight_decay) else g


def decayed(w: Tensor, lr: Any, weight_decay: Any) -> Tensor:
    """(1 - lr weight_decay) w: decay beside the rule, not through its gradient."""
    return (1 - lr * weight_decay) * w if active(weight_decay) else w


def rooted(v: Tensor, eps: Any, eps_mode: str) -> Tensor:
    """The square root of v, kept from zero: sqrt(v) + eps outside, sqrt(v + eps) inside.

    >>> import autograd as ag
    >>> rooted(ag.tensor(0.0), 0.25, "outside"), rooted(ag.tensor(0.0), 0.25, "inside")
    (tensor(0.25), tensor(0.5))
    """
    return ag.sqrt(v + eps) if eps_mode == "inside" else ag.sqrt(v) + eps


def larger(a: Any, b: Any) -> Any:
    """The larger of two numbers, which stay Python's own, for those do not promote float32.

    >>> larger(1, 2.5)
    2.5
    """
    return max(a, b) if isinstance(a, (int, float)) and isinstance(b, (int, float)) else ag.maximum(a, b)
