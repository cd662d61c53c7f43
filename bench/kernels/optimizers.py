"""Steps of Adam: many elements in a few arrays, and few in many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
import optim
from bench.kernels.case import DEFAULT, JAX, NUMPY, OURS, TORCH, Arrays, Case, Figure, Limit, Maker, Side, sums

LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
ONE_ARRAY = "ours, one array"


def gradients(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """A gradient for each of the shape[0] parameters, which start at 0: only what a step does is compared."""
    return tuple(rng.standard_normal(shape, np.float32))


def bytes_of_a_step(gs: Arrays) -> int:
    """Parameter, gradient and two means are read, all but the gradient are written."""
    return 7 * sum(g.nbytes for g in gs)


def corrected(t: int) -> tuple[float, float]:
    """The root of the correction of the second mean at step t, and the rate with both corrections folded in."""
    root = (1 - BETA2**t) ** 0.5
    return root, LR * root / (1 - BETA1**t)


def ours(_lib: Any, *gs: NDArray[Any]) -> Any:
    ws = [ag.zeros(g.shape, dtype=g.dtype, requires_grad=True) for g in gs]
    for w, g in zip(ws, gs, strict=True):
        w.grad = ag.tensor(g)
    adam = optim.Adam(ws, LR, (BETA1, BETA2), EPS)

    def step() -> Any:
        adam.step()
        return ws

    return step


def one_array(lib: Any, *gs: NDArray[Any]) -> Any:
    """As many elements in one array."""
    return ours(lib, np.concatenate(gs))


def numpy(_lib: Any, *gs: NDArray[Any]) -> Any:
    """By hand, in place."""
    ws, ms, vs = ([np.zeros_like(g) for g in gs] for _ in range(3))
    t = 0

    def step() -> Any:
        nonlocal t
        t += 1
        root, rate = corrected(t)
        for w, g, m, v in zip(ws, gs, ms, vs, strict=True):
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            v += (1 - BETA2) * (g * g)
            w -= rate * m / (np.sqrt(v) + EPS * root)
        return ws

    return step


def torch(**settings: Any) -> Maker:
    def make(lib: Any, *gs: NDArray[Any]) -> Any:
        ws = [lib.module.zeros(g.shape, requires_grad=True) for g in gs]
        for w, g in zip(ws, gs, strict=True):
            w.grad = lib.module.from_numpy(g.copy())
        adam = lib.module.optim.Adam(ws, LR, (BETA1, BETA2), EPS, **settings)

        def step() -> Any:
            adam.step()
            return ws

        return step

    return make


def jax(lib: Any, *gs: NDArray[Any]) -> Any:
    """By hand, with the memory of the old state given to the new one."""
    module = lib.module

    def update(state: Any, gs: Any, rate: Any, eps: Any) -> Any:
        ws, ms, vs = state
        ms = [BETA1 * m + (1 - BETA1) * g for m, g in zip(ms, gs, strict=True)]
        vs = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(vs, gs, strict=True)]
        ws = [w - rate * m / (module.numpy.sqrt(v) + eps) for w, m, v in zip(ws, ms, vs, strict=True)]
        return ws, ms, vs

    jitted = module.jit(update, donate_argnums=0)
    held = [module.numpy.asarray(g) for g in gs]
    state: Any = tuple([module.numpy.zeros(g.shape) for g in gs] for _ in range(3))
    t = 0

    def step() -> Any:
        nonlocal state, t
        t += 1
        root, rate = corrected(t)
        state = module.block_until_ready(jitted(state, held, rate, EPS * root))
        return state[0]

    return step


def all_together(inputs: Arrays, outputs: Sequence[NDArray[Any]]) -> list[Figure]:
    """Of the parameters as one array, for sides that hold them in one."""
    return sums(inputs, [np.concatenate([w.ravel() for w in outputs])])


CASES = [
    Case(
        "Adam 8M in 32",
        (32, 1 << 18),
        gradients,
        {
            OURS: Side("ours", ours),
            NUMPY: Side("numpy", numpy),
            TORCH: Side("torch", torch(fused=True)),
            DEFAULT: Side("torch", torch()),
            JAX: Side("jax", jax),
        },
        (Limit(1.0, (TORCH,)),),
        moves=bytes_of_a_step,
        figures=all_together,
        lasting=0.1,
    ),
    Case(
        "Adam 1,000 x 100",
        (1000, 100),
        gradients,
        {
            OURS: Side("ours", ours),
            ONE_ARRAY: Side("ours", one_array),
            NUMPY: Side("numpy", numpy),
            TORCH: Side("torch", torch(fused=True)),
            DEFAULT: Side("torch", torch()),
        },
        (Limit(2.0, (ONE_ARRAY,)), Limit(0.1, (DEFAULT,))),
        moves=bytes_of_a_step,
        figures=all_together,
    ),
]
