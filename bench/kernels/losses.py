"""Losses, value and gradient: each one by our function, by hand in NumPy, by PyTorch's function, by hand in JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn.functional as F
from bench.kernels.case import BEST, COMPILED, COPY, JAX, NUMPY, OURS, TORCH, Arrays, Case, Limit, Side

Pair = tuple[Any, NDArray[Any]]


def loss(name: str, shape: tuple[int, ...], inputs: Any, limits: tuple[Limit, ...], **of: Any) -> Case:
    """A case from the loss in each library's terms."""
    ours, numpy, torch, jax = of["ours"], of["numpy"], of["torch"], of["jax"]
    sides = {
        OURS: Side("ours", lambda lib, *a: lib.value_and_gradient(ours, *a)),
        NUMPY: Side("numpy", lambda lib, *a: lib.value_and_gradient(numpy, *a)),
        TORCH: Side("torch", lambda lib, *a: lib.value_and_gradient(torch, *a)),
        COMPILED: Side("torch.compile", lambda lib, *a: lib.value_and_gradient(torch, *a)),
        JAX: Side("jax", lambda lib, *a: lib.value_and_gradient(jax, *a)),
    }
    return Case(name, shape, inputs, sides, limits)


def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Predictions and targets."""
    f = rng.standard_normal(shape, np.float32)
    return f, f + rng.standard_normal(shape, np.float32)


def classes(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Logits and classes 0 and 1."""
    return rng.standard_normal(shape, np.float32), (rng.random(shape) < 0.5).astype(np.float32)


def signs(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Scores and classes -1 and 1."""
    f, y = classes(rng, shape)
    return f, 2 * y - 1


def distributions(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Log-probabilities, and probabilities."""
    x = rng.standard_normal((2, *shape), np.float32)
    e = np.exp(x)
    share = e / e.sum(-1, keepdims=True)
    return np.log(share[0]), share[1]


def labelled(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Logits, and the number of the class of each row."""
    return rng.standard_normal(shape, np.float32), rng.integers(0, shape[1], shape[0])


def mse(f: Any, y: Any) -> Pair:
    e = f - y
    return np.mean(e * e), (2 / e.size) * e


def absolute(f: Any, y: Any) -> Pair:
    e = f - y
    return np.mean(np.abs(e)), np.sign(e) * (1 / e.size)


def huber(f: Any, y: Any) -> Pair:
    e = f - y
    size = np.abs(e)
    return np.mean(np.where(size <= 1, 0.5 * e * e, size - 0.5)), np.clip(e, -1, 1) * (1 / e.size)


def logistic(x: Any, y: Any) -> Pair:
    e = np.exp(-np.abs(x))
    p = np.where(x >= 0, 1, e) / (1 + e)
    return np.mean(np.maximum(x, 0) - x * y + np.log1p(e)), (p - y) * (1 / x.size)


def hinge(f: Any, y: Any) -> Pair:
    margin = 1 - y * f
    return np.mean(np.maximum(margin, 0)), np.where(margin > 0, -y, 0) * (1 / f.size)


def divergence(log_q: Any, p: Any) -> Pair:
    return np.sum(p * (np.log(p) - log_q)) * (1 / len(p)), p * (-1 / len(p))


def cross_entropy(x: Any, labels: Any) -> Pair:
    rows = np.arange(len(x))
    shifted = x - x.max(1, keepdims=True)
    e = np.exp(shifted)
    norm = e.sum(1, keepdims=True)
    value = np.mean(np.log(norm[:, 0]) - shifted[rows, labels])
    e /= norm
    e[rows, labels] -= 1
    e *= 1 / len(x)
    return value, e


def torch_hinge(torch: Any) -> Any:
    return lambda f, y: torch.relu(1 - y * f).mean()


def torch_divergence(torch: Any) -> Any:
    return lambda log_q, p: torch.nn.functional.kl_div(log_q, p, reduction="batchmean")


def jax_huber(jax: Any) -> Any:
    def f(f: Any, y: Any) -> Any:
        e = f - y
        size = jax.numpy.abs(e)
        return jax.numpy.mean(jax.numpy.where(size <= 1, 0.5 * e * e, size - 0.5))

    return f


def jax_logistic(jax: Any) -> Any:
    return lambda x, y: jax.numpy.mean(jax.nn.softplus(x) - x * y)


def jax_cross_entropy(jax: Any) -> Any:
    def f(x: Any, labels: Any) -> Any:
        picked = jax.numpy.take_along_axis(jax.nn.log_softmax(x), labels[:, None], 1)
        return -jax.numpy.mean(picked)

    return f


NO_SLOWER = Limit(1.0, (BEST,))
MEMORY = (NO_SLOWER, Limit(1.5, (COPY,)))
ARITHMETIC = (NO_SLOWER, Limit(2.0, (COPY,)))  # an exponential or a logarithm for each element
VECTOR, TABLE = (1 << 20,), (4096, 256)

CASES = [
    loss(
        "Huber",
        VECTOR,
        numbers,
        MEMORY,
        ours=F.huber_loss,
        numpy=huber,
        torch=lambda torch: torch.nn.functional.huber_loss,
        jax=jax_huber,
    ),
    loss(
        "BCE with logits",
        VECTOR,
        classes,
        ARITHMETIC,
        ours=F.binary_cross_entropy_with_logits,
        numpy=logistic,
        torch=lambda torch: torch.nn.functional.binary_cross_entropy_with_logits,
        jax=jax_logistic,
    ),
    loss(
        "hinge",
        VECTOR,
        signs,
        MEMORY,
        ours=F.hinge_loss,
        numpy=hinge,
        torch=torch_hinge,
        jax=lambda jax: lambda f, y: jax.numpy.mean(jax.nn.relu(1 - y * f)),
    ),
    loss(
        "KL",
        TABLE,
        distributions,
        ARITHMETIC,
        ours=lambda log_q, p: F.kl_div(log_q, p, reduction="batchmean"),
        numpy=divergence,
        torch=torch_divergence,
        jax=lambda jax: lambda log_q, p: jax.numpy.sum(p * (jax.numpy.log(p) - log_q)) / len(p),
    ),
    loss(
        "MSE",
        VECTOR,
        numbers,
        MEMORY,
        ours=F.mse_loss,
        numpy=mse,
        torch=lambda torch: torch.nn.functional.mse_loss,
        jax=lambda jax: lambda f, y: jax.numpy.mean((f - y) ** 2),
    ),
    loss(
        "L1",
        VECTOR,
        numbers,
        MEMORY,
        ours=F.l1_loss,
        numpy=absolute,
        torch=lambda torch: torch.nn.functional.l1_loss,
        jax=lambda jax: lambda f, y: jax.numpy.mean(jax.numpy.abs(f - y)),
    ),
    *(
        loss(
            f"cross-entropy {rows}x{columns}",
            (rows, columns),
            labelled,
            (NO_SLOWER,),
            ours=F.cross_entropy,
            numpy=cross_entropy,
            torch=lambda torch: torch.nn.functional.cross_entropy,
            jax=jax_cross_entropy,
        )
        for rows, columns in (TABLE, (256, 32000))
    ),
]
