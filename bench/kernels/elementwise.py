"""Functions of one array, on one thread: as one fused kernel and as the eager function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf as scipy_erf

import autograd as ag
from bench.kernels.case import COMPILED, EAGER, JAX, NUMPY, ONE, OURS, TORCH, Arrays, Case, Limit, Side

ELEMENTS = 1 << 20


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


# name: ours, NumPy's (SciPy's for erf), and the most that ours may take of NumPy's time in float32 and in float64
FUNCTIONS: dict[str, tuple[Any, Callable[[Any], Any], float | None, float]] = {
    "exp": (ag.exp, np.exp, 0.6, 1.0),
    "log": (ag.log, np.log, 0.6, 1.0),
    "tanh": (ag.tanh, np.tanh, 1.0, 1.0),
    "sigmoid": (ag.sigmoid, _sigmoid, None, 1.0),
    "erf": (ag.erf, scipy_erf, None, 1.0),
    "sin": (ag.sin, np.sin, 0.6, 0.3),
}
IN_JAX: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda jax: jax.nn.sigmoid,
    "erf": lambda jax: jax.scipy.special.erf,
}  # the others are in `jax.numpy`
OF_TORCH = {name: 0.8 if name == "sigmoid" else 0.5 for name in FUNCTIONS}


def _inputs(name: str, dtype: str) -> Callable[..., Arrays]:
    def make(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
        x = rng.standard_normal(shape).astype(dtype)
        return (np.exp(x),) if name == "log" else (x,)

    return make


def _case(name: str, dtype: str) -> Case:
    ours, numpy, of_numpy, of_numpy_64 = FUNCTIONS[name]
    fused = ag.fused(lambda x: ours(x))
    short = dtype == "float32"
    most = of_numpy if short else of_numpy_64
    limits = [Limit(most, (NUMPY,), of) for of in (OURS, EAGER) if most is not None]
    limits += [Limit(OF_TORCH[name], (TORCH,), of) for of in (OURS, EAGER) if short]
    sides = {
        OURS: Side("ours", lambda lib, x: lib.call(fused, x)),
        EAGER: Side("ours", lambda lib, x: lib.call(ours, x)),
        NUMPY: Side("numpy", lambda lib, x: lib.call(numpy, x)),
        TORCH: Side("torch", lambda lib, x: lib.call(lambda torch: getattr(torch, name), x)),
    }
    if short:  # JAX has no other numbers unless it is told so for the whole process
        sides[COMPILED] = Side("torch.compile", lambda lib, x: lib.call(lambda torch: getattr(torch, name), x))
        sides[JAX] = Side("jax", lambda lib, x: lib.call(IN_JAX.get(name, lambda jax: getattr(jax.numpy, name)), x))
    tolerance = 1e-5 if short else 1e-12
    inputs = _inputs(name, dtype)
    return Case(f"{name} {dtype}", (ELEMENTS,), inputs, sides, tuple(limits), ONE, tolerance=tolerance)


CASES = [_case(name, dtype) for dtype in ("float32", "float64") for name in FUNCTIONS]
