"""The layers in JAX, by hand, with PyTorch's parameters in the order of their names: bias before weight.

Each is a function of the library, the layer, whether it predicts, the input and the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

EPS = 1e-5


def convolution(jax: Any, layer: Any, _predicts: bool, x: Any, bias: Any, weight: Any) -> Any:
    """Conv2d."""
    given = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | layer.settings
    y = jax.lax.conv_general_dilated(
        x,
        weight,
        (given["stride"],) * 2,
        [(given["padding"],) * 2] * 2,
        rhs_dilation=(given["dilation"],) * 2,
        feature_group_count=given["groups"],
    )
    return y + bias[:, None, None]


def normal(jax: Any, x: Any, axes: Any) -> Any:
    """Centred and scaled along axes."""
    centred = x - x.mean(axes, keepdims=True)
    return centred * jax.lax.rsqrt((centred * centred).mean(axes, keepdims=True) + EPS)


def layer_norm(jax: Any, _layer: Any, _predicts: bool, x: Any, bias: Any, weight: Any) -> Any:
    """LayerNorm of the last axis."""
    return normal(jax, x, -1) * weight + bias


def batch_norm(jax: Any, _layer: Any, predicts: bool, x: Any, bias: Any, weight: Any) -> Any:
    """BatchNorm2d; a prediction is by the means 0 and variances 1 of a new one."""
    scaled = x / math.sqrt(1 + EPS) if predicts else normal(jax, x, (0, 2, 3))
    return scaled * weight[:, None, None] + bias[:, None, None]


def max_pool(jax: Any, layer: Any, _predicts: bool, x: Any) -> Any:
    """MaxPool2d: the size of the window, its step, which is the size by default, and the padding."""
    size, *rest = layer.arguments
    step, padding = rest or (size, 0)
    pads = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return jax.lax.reduce_window(x, -math.inf, jax.lax.max, (1, 1, size, size), (1, 1, step, step), pads)


def embedding(_jax: Any, _layer: Any, _predicts: bool, x: Any, weight: Any) -> Any:
    """Embedding."""
    return weight[x]


def attention(jax: Any, layer: Any, _predicts: bool, x: Any, of_in: Any, into: Any, of_out: Any, out: Any) -> Any:
    """MultiheadAttention of one input to itself."""
    (width, heads), (batch, length, _) = layer.arguments, x.shape
    parts = (x @ into.T + of_in).reshape(batch, length, 3, heads, width // heads)
    q, k, v = (parts[:, :, n].transpose(0, 2, 1, 3) for n in range(3))
    shares = jax.nn.softmax(q @ k.swapaxes(-1, -2) / math.sqrt(width // heads), axis=-1)
    return (shares @ v).transpose(0, 2, 1, 3).reshape(batch, length, width) @ out.T + of_out


def lstm(jax: Any, _layer: Any, _predicts: bool, x: Any, of_state: Any, of_input: Any, state: Any, into: Any) -> Any:
    """LSTM of one layer, from a state of zeros, as a scan; the products with the input are one before it."""

    def step(before: Any, z: Any) -> Any:
        h, c = before
        i, f, g, o = jax.numpy.split(z + h @ state.T, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jax.numpy.tanh(g)
        h = jax.nn.sigmoid(o) * jax.numpy.tanh(c)
        return (h, c), h

    zeros = jax.numpy.zeros((x.shape[1], state.shape[1]), x.dtype)
    return jax.lax.scan(step, (zeros, zeros), x @ into.T + (of_input + of_state))[1]


KINDS: dict[str, Callable[..., Any]] = {
    "Conv2d": convolution,
    "LayerNorm": layer_norm,
    "BatchNorm2d": batch_norm,
    "MaxPool2d": max_pool,
    "Embedding": embedding,
    "MultiheadAttention": attention,
    "LSTM": lstm,
}
