"""The networks that are differentiated: one text for this project, PyTorch and JAX.

`F` has `linear`, `relu`, `tanh`, `mse_loss` and `cross_entropy`: `nn.functional`, PyTorch's, or what `functional` makes
of JAX. Parameters are weight, bias, weight, bias, ... from the first layer to the last, in PyTorch's layout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

from bench.kernels.case import Arrays
from bench.steps.jitted import cross_entropy, squares

RESULTS = 1  # of the network whose parameters are one vector


def functional(jax: Any) -> Any:
    """JAX in the terms of `nn.functional`."""
    return SimpleNamespace(
        linear=lambda x, weight, bias: x @ weight.T + bias,
        relu=jax.nn.relu,
        tanh=jax.numpy.tanh,
        mse_loss=partial(squares, jax),
        cross_entropy=partial(cross_entropy, jax),
    )


def network(F: Any, activation: str, params: Sequence[Any], x: Any) -> Any:
    """Linear layers with an activation between them."""
    for k in range(0, len(params), 2):
        x = F.linear(x, params[k], params[k + 1])
        x = x if k == len(params) - 2 else getattr(F, activation)(x)
    return x


def shapes(widths: Sequence[int]) -> list[tuple[int, ...]]:
    """Of the parameters.

    >>> shapes((3, 2, 1))
    [(2, 3), (2,), (1, 2), (1,)]
    """
    return [shape for a, b in pairwise(widths) for shape in ((b, a), (b,))]


def cut(flat: Any, widths: Sequence[int]) -> list[Any]:
    """The parameters, out of one vector."""
    found, at = [], 0
    for shape in shapes(widths):
        size = math.prod(shape)
        found.append(flat[at : at + size].reshape(shape))
        at += size
    return found


def regression(F: Any, flat: Any, x: Any, y: Any) -> Any:
    """The mean squared error of a tanh network with one hidden layer, whose parameters are one vector."""
    inputs = x.shape[1]
    hidden = (flat.shape[0] - RESULTS) // (inputs + 1 + RESULTS)
    return F.mse_loss(network(F, "tanh", cut(flat, (inputs, hidden, RESULTS)), x), y)


def classification(F: Any, params: Sequence[Any], x: Any, labels: Any) -> Any:
    """The cross-entropy of the mlp."""
    return F.cross_entropy(network(F, "relu", params, x), labels)


def values(rng: np.random.Generator, widths: Sequence[int]) -> Arrays:
    """Parameters of a size that keeps the layers' outputs near 1."""
    scale = [np.float32(1 / math.sqrt(s[-1])) for s in shapes(widths)]
    return tuple(rng.standard_normal(s, np.float32) * k for s, k in zip(shapes(widths), scale, strict=True))


def flat_inputs(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Of `regression`, for a batch, its inputs and hidden units: the parameters, x and y."""
    batch, *widths = shape
    flat = np.concatenate([p.ravel() for p in values(rng, (*widths, RESULTS))])
    return flat, rng.standard_normal((batch, widths[0]), np.float32), rng.standard_normal((batch, RESULTS), np.float32)


def sample(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Of a network with these widths: a single x, and the parameters."""
    return rng.standard_normal(shape[0], np.float32), *values(rng, shape)


def labelled(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """Of `classification`, for a batch and the widths: x, labels, and the parameters."""
    batch, *widths = shape
    x = rng.standard_normal((batch, widths[0]), np.float32)
    return x, rng.integers(0, widths[-1], batch), *values(rng, widths)


def directed(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """The same, and a direction for each parameter."""
    return *labelled(rng, shape), *(rng.standard_normal(s, np.float32) for s in shapes(shape[1:]))
