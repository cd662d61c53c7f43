"""Layers, forward and backward from a given cotangent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

import autograd as ag
import nn.functional as F
import regularize
from bench.kernels.case import BEST, COMPILED, JAX, NUMPY, OURS, TORCH, Arrays, Case, Figure, Limit, Side

EPS = 1e-5
NO_SLOWER = (Limit(1.0, (BEST,)),)


@ag.fused
def layer_norm(x: Any, gain: Any, shift: Any) -> Any:
    """(x - mean) / sqrt(variance + 1e-5) * gain + shift along the last axis (Ba et al. 2016)."""
    centred = x - ag.mean(x, -1, keepdims=True)
    return centred / ag.sqrt(ag.mean(centred * centred, -1, keepdims=True) + EPS) * gain + shift


def layer(name: str, shape: tuple[int, ...], inputs: Any, *, ours: Any, numpy: Any, torch: Any, jax: Any) -> Case:
    """A case from the layer in each library's terms; the first of the arrays is the cotangent."""
    sides = {
        OURS: Side("ours", lambda lib, *a: lib.forward_and_backward(ours, *a)),
        NUMPY: Side("numpy", lambda lib, *a: lib.forward_and_backward(numpy, *a)),
        TORCH: Side("torch", lambda lib, *a: lib.forward_and_backward(torch, *a)),
        COMPILED: Side("torch.compile", lambda lib, *a: lib.forward_and_backward(torch, *a)),
        JAX: Side("jax", lambda lib, *a: lib.forward_and_backward(jax, *a)),
    }
    return Case(name, shape, inputs, sides, NO_SLOWER)


def cotangent_and_x(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    return rng.standard_normal(shape, np.float32), rng.standard_normal(shape, np.float32)


def with_parameters(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Cotangent, x, gain and shift."""
    width = shape[-1]
    return *cotangent_and_x(rng, shape), rng.random(width, np.float32), rng.random(width, np.float32)


def numpy_layer_norm(g: Any, x: Any, gain: Any, shift: Any) -> tuple[NDArray[Any], ...]:
    centred = x - x.mean(-1, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(-1, keepdims=True) + EPS)
    unit = centred * scale
    inner = g * gain
    dx = scale * (inner - inner.mean(-1, keepdims=True) - unit * (inner * unit).mean(-1, keepdims=True))
    return unit * gain + shift, dx, (g * unit).sum(0), g.sum(0)


def torch_layer_norm(torch: Any) -> Any:
    return lambda x, gain, shift: torch.nn.functional.layer_norm(x, x.shape[-1:], gain, shift, EPS)


def jax_layer_norm(jax: Any) -> Any:
    def f(x: Any, gain: Any, shift: Any) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        return centred / jax.numpy.sqrt((centred * centred).mean(-1, keepdims=True) + EPS) * gain + shift

    return f


def numpy_gelu(g: Any, x: Any) -> tuple[NDArray[Any], ...]:
    share = 0.5 * (1 + erf(x * 0.7071067811865476))
    return x * share, g * (share + x * np.exp(-0.5 * x * x) * 0.3989422804014327)


P = 0.5  # of dropping


def ours_dropout(lib: Any, *arrays: Any) -> Any:
    drop = regularize.Dropout(P, generator=ag.random.Generator(0))
    return lib.forward_and_backward(drop, *arrays)


def numpy_dropout(rng: np.random.Generator) -> Callable[..., tuple[NDArray[Any], ...]]:
    def both(g: Any, x: Any) -> tuple[NDArray[Any], ...]:
        kept = (rng.random(x.shape, np.float32) >= P) * np.float32(1 / (1 - P))
        return x * kept, g * kept

    return both


def torch_dropout(torch: Any) -> Any:
    return lambda x: torch.nn.functional.dropout(x, P)


def jax_dropout(lib: Any, g: Any, x: Any) -> Any:
    """Each call splits the key of the call before, as a training step does."""
    jax = lib.module

    def both(key: Any, g: Any, x: Any) -> Any:
        key, own = jax.random.split(key)
        kept = jax.random.bernoulli(own, 1 - P, x.shape)
        y, pull = jax.vjp(lambda x: jax.numpy.where(kept, x / (1 - P), 0), x)
        return key, (y, *pull(g))

    jitted, state = jax.jit(both), [jax.random.key(0)]
    g, x = jax.numpy.asarray(g), jax.numpy.asarray(x)

    def run() -> Any:
        state[0], found = jitted(state[0], g, x)
        return jax.block_until_ready(found)

    return run


def dropped(inputs: Arrays, outputs: Sequence[NDArray[Any]]) -> list[Figure]:
    """The share that is kept, and whether what is kept is doubled alike in both directions."""
    (g, x), (y, dx) = inputs, outputs
    kept = dx != 0
    return [
        (float(kept.mean()), 1.0),
        (float(np.abs(y - np.where(kept, 2 * x, 0)).max()), 1.0),
        (float(np.abs(dx - np.where(kept, 2 * g, 0)).max()), 1.0),
    ]


FOUR_MILLION = (1 << 22,)
CASES = [
    layer(
        "layer norm 4096x512",
        (4096, 512),
        with_parameters,
        ours=layer_norm,
        numpy=numpy_layer_norm,
        torch=torch_layer_norm,
        jax=jax_layer_norm,
    ),
    layer(
        "GELU 4M",
        FOUR_MILLION,
        cotangent_and_x,
        ours=F.gelu,
        numpy=numpy_gelu,
        torch=lambda torch: torch.nn.functional.gelu,
        jax=lambda jax: lambda x: jax.nn.gelu(x, approximate=False),
    ),
    Case(
        "dropout 4M",
        FOUR_MILLION,
        cotangent_and_x,
        {
            OURS: Side("ours", ours_dropout),
            NUMPY: Side("numpy", lambda lib, *a: lib.forward_and_backward(numpy_dropout(np.random.default_rng(0)), *a)),
            TORCH: Side("torch", lambda lib, *a: lib.forward_and_backward(torch_dropout, *a)),
            COMPILED: Side("torch.compile", lambda lib, *a: lib.forward_and_backward(torch_dropout, *a)),
            JAX: Side("jax", jax_dropout),
        },
        NO_SLOWER,
        figures=dropped,
        tolerance=0.02,
    ),
]
