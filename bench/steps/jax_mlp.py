"""A training step of a perceptron in JAX, jitted as a whole, its state given back to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from bench.turns import Statement

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def perceptron(activation: str, loss: Callable[[Any, Any, Any], Any], rate: float, adam: bool = True) -> Any:
    """The maker for layers whose parameters come as bias, weight, bias, weight, ... from the first to the last."""

    def make(lib: Any, x: NDArray[Any], y: NDArray[Any], *values: NDArray[Any]) -> Statement:
        jax, jnp = lib.module, lib.module.numpy
        bend = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": lambda h: jax.nn.gelu(h, approximate=False), "": None}

        def cost(params: Any, x: Any, y: Any) -> Any:
            pairs = list(zip(params[::2], params[1::2], strict=True))
            for k, (bias, weight) in enumerate(pairs):
                x = x @ weight.T + bias
                x = x if k == len(pairs) - 1 else bend[activation](x)
            return loss(jax, x, y)

        def update(state: Any, x: Any, y: Any) -> Any:
            params, ms, vs, t = state
            value, grads = jax.value_and_grad(cost)(params, x, y)
            if not adam:
                return (tuple(p - rate * g for p, g in zip(params, grads, strict=True)), ms, vs, t), value
            t = t + 1
            ms = tuple(BETA1 * m + (1 - BETA1) * g for m, g in zip(ms, grads, strict=True))
            vs = tuple(BETA2 * v + (1 - BETA2) * g * g for v, g in zip(vs, grads, strict=True))
            a, b = 1 - BETA1**t, 1 - BETA2**t
            params = tuple(p - rate * (m / a) / (jnp.sqrt(v / b) + EPS) for p, m, v in zip(params, ms, vs, strict=True))
            return (params, ms, vs, t), value

        jitted = jax.jit(update, donate_argnums=0)
        params = tuple(jnp.asarray(v) for v in values)
        state: Any = (params, tuple(map(jnp.zeros_like, params)), tuple(map(jnp.zeros_like, params)), jnp.float32(0))
        a, b = jnp.asarray(x), jnp.asarray(y)

        def step() -> Any:
            nonlocal state
            state, value = jitted(state, a, b)
            jax.block_until_ready(state)
            return value

        return step

    return make


def cross_entropy(jax: Any, z: Any, y: Any) -> Any:
    """Of logits, by class indices."""
    return -jax.numpy.mean(jax.numpy.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1))


def squares(jax: Any, z: Any, y: Any) -> Any:
    """The mean squared error."""
    return jax.numpy.mean((z - y) ** 2)


def smooth(jax: Any, z: Any, y: Any) -> Any:
    """The smooth L1 error."""
    size = jax.numpy.abs(z - y)
    return jax.numpy.mean(jax.numpy.where(size < 1, 0.5 * size * size, size - 0.5))


def logistic(jax: Any, z: Any, y: Any) -> Any:
    """Binary cross-entropy of logits."""
    return jax.numpy.mean(jax.nn.softplus(z) - z * y)
