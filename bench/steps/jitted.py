"""Training steps in JAX, jitted as a whole, their state given back to them.

A model is a function of the library, its parameters and the input; the parameters are PyTorch's, in the order of their
names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from numpy.typing import NDArray

from bench.layers import jitted
from bench.turns import Statement

BETA1, BETA2, EPS, DECAY = 0.9, 0.999, 1e-8, 0.01
Model = Callable[[Any, Sequence[Any], Any], Any]


def trained(model: Model, loss: Callable[[Any, Any, Any], Any], rate: float, optimizer: str = "Adam") -> Any:
    """The maker of the training step of a model; optimizer: "SGD", "Adam" or "AdamW"."""

    def make(lib: Any, x: NDArray[Any], y: NDArray[Any], *values: NDArray[Any]) -> Statement:
        jax, jnp = lib.module, lib.module.numpy

        def update(state: Any, x: Any, y: Any) -> Any:
            params, ms, vs, t = state
            value, grads = jax.value_and_grad(lambda params: loss(jax, model(jax, params, x), y))(params)
            if optimizer == "SGD":
                return (tuple(p - rate * g for p, g in zip(params, grads, strict=True)), ms, vs, t), value
            t = t + 1
            ms = tuple(BETA1 * m + (1 - BETA1) * g for m, g in zip(ms, grads, strict=True))
            vs = tuple(BETA2 * v + (1 - BETA2) * g * g for v, g in zip(vs, grads, strict=True))
            a, b = 1 - BETA1**t, 1 - BETA2**t
            kept = 1 - rate * DECAY if optimizer == "AdamW" else 1.0
            steps = (rate * (m / a) / (jnp.sqrt(v / b) + EPS) for m, v in zip(ms, vs, strict=True))
            return (tuple(kept * p - step for p, step in zip(params, steps, strict=True)), ms, vs, t), value

        run = jax.jit(update, donate_argnums=0)
        params = tuple(jnp.asarray(v) for v in values)
        state: Any = (params, tuple(map(jnp.zeros_like, params)), tuple(map(jnp.zeros_like, params)), jnp.float32(0))
        a, b = jnp.asarray(x), jnp.asarray(y)

        def step() -> Any:
            nonlocal state
            state, value = run(state, a, b)
            jax.block_until_ready(state)
            return value

        return step

    return make


def perceptron(activation: str) -> Model:
    """Layers at the even places of a sequence, whose names sort as words: 0, 10, 12, ..., 2."""

    def model(jax: Any, params: Sequence[Any], x: Any) -> Any:
        bends = {"relu": jax.nn.relu, "tanh": jax.numpy.tanh, "gelu": lambda h: jax.nn.gelu(h, approximate=False)}
        names = sorted(range(0, len(params), 2), key=str)
        pairs = dict(zip(names, zip(params[::2], params[1::2], strict=True), strict=True))
        for name in sorted(pairs):
            bias, weight = pairs[name]
            x = (bends[activation](x) if name else x) @ weight.T + bias
        return x

    return model


def cnn(jax: Any, params: Sequence[Any], x: Any) -> Any:
    """Two convolutions with pooling, then a classifier."""
    for bias, weight in (params[:2], params[2:4]):
        x = jax.nn.relu(jitted.convolution(jax, SimpleNamespace(settings={"padding": 1}), False, x, bias, weight))
        x = jitted.max_pool(jax, SimpleNamespace(arguments=(2,)), False, x)
    return x.reshape(len(x), -1) @ params[5].T + params[4]


def lstm(jax: Any, params: Sequence[Any], x: Any) -> Any:
    """The last state of an LSTM, classified."""
    bias, weight, *own = params
    states = jitted.lstm(jax, None, False, x.swapaxes(0, 1), *own)
    return states[-1] @ weight.T + bias


def transformer(jax: Any, params: Sequence[Any], x: Any) -> Any:
    """Two pre-norm blocks over characters."""
    *blocks, table, bias, weight = params
    h = table[x]
    for start in range(0, len(blocks), 12):
        b1, w1, b2, w2, *norms, of_in, into, of_out, out = blocks[start : start + 12]
        z = jitted.layer_norm(jax, None, False, h, *norms[:2])
        h = h + jitted.attention(jax, SimpleNamespace(arguments=(h.shape[-1], 4)), False, z, of_in, into, of_out, out)
        z = jitted.layer_norm(jax, None, False, h, *norms[2:])
        h = h + jax.nn.gelu(z @ w1.T + b1, approximate=False) @ w2.T + b2
    return (h @ weight.T + bias).reshape(-1, len(weight))


def cross_entropy(jax: Any, z: Any, y: Any) -> Any:
    """Of logits, by class indices."""
    return -jax.numpy.mean(jax.numpy.take_along_axis(jax.nn.log_softmax(z), y.reshape(-1, 1), 1))


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
