"""Minimisers of a program of arrays: `adam(gradient, x0)` with `gradient(x, iteration)`, x any nested container.

Models of `nn` have those of `optim`, which keep their state, fuse and resume.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.misc.flatten import flatten

Gradient = Callable[[Any, int], Any]
Callback = Callable[[Any, int, Any], Any] | None
Step = Callable[[Any, int], Any]


def _descend(gradient: Gradient, x0: Any, callback: Callback, num_iters: int, step: Step) -> Any:
    """x0 moved num_iters times by `step(gradient, iteration)`, on vectors."""
    x, unflatten = flatten(x0)
    for i in range(num_iters):
        g = flatten(gradient(unflatten(x), i))[0]
        if callback:
            callback(unflatten(x), i, unflatten(g))
        x = x + step(g, i)
    return unflatten(x)


def sgd(
    gradient: Gradient,
    x0: Any,
    callback: Callback = None,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Gradient descent with momentum: v <- mass v - (1 - mass) g, x <- x + step_size v.

    >>> print(round(sgd(lambda x, i: 2 * x, 1.0), 4))
    -0.0
    """
    v: Any = 0.0

    def step(g: Any, _i: int) -> Any:
        nonlocal v
        v = mass * v - (1 - mass) * g
        return step_size * v

    return _descend(gradient, x0, callback, num_iters, step)


def rmsprop(
    gradient: Gradient,
    x0: Any,
    callback: Callback = None,
    num_iters: int = 100,
    step_size: float = 0.1,
    gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:
    """Steps over a running root mean square: s <- gamma s + (1 - gamma) g^2, x <- x - step_size g / (sqrt(s) + eps).

    >>> bool(abs(rmsprop(lambda x, i: 2 * x, 1.0)) < 0.1)
    True
    """
    s: Any = 1.0

    def step(g: Any, _i: int) -> Any:
        nonlocal s
        s = gamma * s + (1 - gamma) * g**2
        return -step_size * g / (np.sqrt(s) + eps)

    return _descend(gradient, x0, callback, num_iters, step)


def adam(
    gradient: Gradient,
    x0: Any,
    callback: Callback = None,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Adam (Kingma and Ba 2015): running means of g and g^2, without their bias towards zero.

    >>> print(round(adam(lambda x, i: 2 * x, 1.0, num_iters=10, step_size=0.1), 4))
    0.0762
    """
    m: Any = 0.0
    v: Any = 0.0

    def step(g: Any, i: int) -> Any:
        nonlocal m, v
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * g**2 + b2 * v
        return -step_size * (m / (1 - b1 ** (i + 1))) / (np.sqrt(v / (1 - b2 ** (i + 1))) + eps)

    return _descend(gradient, x0, callback, num_iters, step)
