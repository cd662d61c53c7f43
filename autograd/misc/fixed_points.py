"""Fixed points as functions of what the map depends on: the gradient is a fixed point too, not the loop's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.extend import defvjp, primitive
from autograd.misc.flatten import flatten
from autograd.ops.complex import turned
from autograd.transforms import vjp


def _iterated(step: Callable[[Any], Any], x: Any, distance: Callable[[Any, Any], Any], tol: float) -> Any:
    before, x = x, step(x)
    while distance(x, before) > tol:
        before, x = x, step(x)
    return x


@primitive
def _solved(flat: Any, f: Any, unflatten: Any, x0: Any, distance: Any, tol: float) -> Any:
    return np.asarray(_iterated(f(unflatten(flat)), x0, distance, tol))


def _pull(y: Any, flat: Any, f: Any, unflatten: Any, x0: Any, distance: Any, tol: float) -> Callable[[Any], Any]:
    """w = g + (df/dx)^T w at the fixed point, then (df/da)^T w."""

    def pull(g: Any) -> Any:
        _, back = vjp(lambda a, x: f(unflatten(a))(x), flat, y)
        g = turned(g)  # a cotangent has no conjugate in it, what `vjp` takes and gives has
        return turned(back(_iterated(lambda w: g + back(w)[1], g, distance, tol))[0])

    return pull


defvjp(_solved, _pull)


def fixed_point(
    f: Callable[[Any], Callable[[Any], Any]],
    a: Any,
    x0: Any,
    distance: Callable[[Any, Any], Any],
    tol: float,
) -> Any:
    """The x with x = f(a)(x), found from x0 by iterating until `distance` of two iterates is `tol` or less.

    Differentiable by a, any nested container, once: by the implicit function theorem, at the price of one more
    fixed point and whatever the number of iterations (Christianson 1994).

    >>> from autograd import grad
    >>> root = lambda a: fixed_point(lambda a: lambda x: (x + a / x) / 2, a, 1.0, lambda x, y: abs(x - y), 1e-12)
    >>> print(round(float(root(2.0)), 6), round(float(grad(root)(4.0)), 6))
    1.414214 0.25
    """
    flat, unflatten = flatten(a)
    return _solved(flat, f, unflatten, x0, distance, tol)
