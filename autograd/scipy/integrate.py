"""`odeint` with the derivatives of its solution: an equation for the adjoint, solved backwards in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

import autograd as ag
from autograd.extend import defvjp_argnums, primitive
from autograd.numpy.wrap import wrapped
from autograd.tracer import getval


@primitive
def _solved(f: Callable[..., Any], y0: Any, t: Any, *args: Any, **options: Any) -> Any:
    return scipy.integrate.odeint(lambda y, s: np.asarray(f(y, s, *args)), y0, t, **options)


def _array(x: Any) -> Any:
    return np.asarray(getval(x))


def _pull(live: Any, ys: Any, arguments: Any, options: Any) -> Callable[[Any], Any]:
    """The state, its cotangent and those of the arguments, carried from each time to the one before."""
    f, y0, t, *args = arguments
    n = np.size(y0)
    flat = [np.asarray(a) for a in args]
    sizes = np.cumsum([0, *(a.size for a in flat)])

    def backwards(state: Any, s: float) -> Any:
        value, cotangent = state[:n], state[n : 2 * n]
        y, back = ag.vjp(lambda y, *xs: f(y, -s, *xs), value, *flat)
        rates = [_array(r).ravel() for r in back(cotangent)]
        return np.concatenate([-_array(y), *rates])

    def pull(g: Any) -> Any:
        g = np.asarray(g)
        cotangent, by_t, by_args = g[-1].copy(), np.zeros(np.shape(t)), np.zeros(sizes[-1])
        for k in range(len(t) - 1, 0, -1):
            by_t[k] += g[k] @ np.asarray(f(ys[k], t[k], *args))
            start = np.concatenate([ys[k], cotangent, by_args])
            end = scipy.integrate.odeint(backwards, start, np.array([-t[k], -t[k - 1]]), **options)[-1]
            cotangent, by_args = end[n : 2 * n] + g[k - 1], end[2 * n :]
        by_t[0] = (g[0] - cotangent) @ np.asarray(f(ys[0], t[0], *args))
        parts = [by_args[i:j].reshape(a.shape) for i, j, a in zip(sizes, sizes[1:], flat, strict=False)]
        found = [None, cotangent, by_t, *parts]
        return [found[k] for k in live]

    return pull


defvjp_argnums(_solved, _pull)


def odeint(f: Callable[..., Any], y0: Any, t: Any, args: Any = (), **options: Any) -> Any:
    """y at the times t, where dy/dt = f(y, t, *args) and y is y0 at the first.

    Differentiable once by y0, t and args, by the adjoint equation (Pontryagin et al. 1962; Chen et al. 2018, "Neural
    ordinary differential equations"), to the tolerance of the solver: `rtol` and `atol` are SciPy's.

    Raises:
        UnsupportedError: if a second derivative is asked for.

    >>> import autograd as ag
    >>> decay = lambda k: odeint(lambda y, t, k: -k * y, np.array([1.0]), np.array([0.0, 1.0]), (k,))[-1, 0]
    >>> print(round(float(decay(1.0)), 4), round(float(ag.grad(decay)(1.0)), 4))
    0.3679 -0.3679
    """
    return _solved(f, y0, t, *(args if isinstance(args, tuple) else (args,)), **options)


trapezoid = wrapped("trapezoid", scipy.integrate.trapezoid, ag.trapezoid)


def __getattr__(name: str) -> Any:
    return getattr(scipy.integrate, name)
