"""Updates in JAX, by hand: jitted over all arrays together, the state given back to it. Defaults are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from bench.turns import Statement

Moved = tuple[Any, ...]  # the array, then what is held for it


def sgd(
    jnp: Any, _t: Any, w: Any, g: Any, m: Any, *, lr: float, momentum: float = 0.0, nesterov: bool = False
) -> Moved:
    """Gradient descent, with momentum of both kinds."""
    m = momentum * m + g
    return w - lr * (g + momentum * m if nesterov else m), m


def adam(
    jnp: Any, t: Any, w: Any, g: Any, m: Any, v: Any, most: Any, *, lr: float, amsgrad: bool = False, decay: float = 0.0
) -> Moved:
    """Adam, AMSGrad, and AdamW by its decay."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    most = jnp.maximum(most, v) if amsgrad else v
    size = jnp.sqrt(most / (1 - 0.999**t)) + 1e-8
    return (1 - lr * decay) * w - lr / (1 - 0.9**t) * m / size, m, v, most


def adamw(*arrays: Any, **settings: Any) -> Moved:
    """AdamW."""
    return adam(*arrays, decay=1e-2, **settings)


def adagrad(jnp: Any, _t: Any, w: Any, g: Any, total: Any, *, lr: float) -> Moved:
    """Adagrad."""
    total = total + g * g
    return w - lr * g / (jnp.sqrt(total) + 1e-10), total


def rmsprop(
    jnp: Any,
    _t: Any,
    w: Any,
    g: Any,
    v: Any,
    m: Any,
    d: Any,
    *,
    lr: float,
    centered: bool = False,
    momentum: float = 0.0,
) -> Moved:
    """RMSprop, centred too, with momentum."""
    v, m = 0.99 * v + 0.01 * g * g, 0.99 * m + 0.01 * g
    d = momentum * d + g / (jnp.sqrt(v - m * m if centered else v) + 1e-8)
    return w - lr * d, v, m, d


RULES: dict[str, tuple[Callable[..., Moved], int]] = {  # and how many arrays are held
    "SGD": (sgd, 1),
    "Adam": (adam, 3),
    "AdamW": (adamw, 3),
    "Adagrad": (adagrad, 1),
    "RMSprop": (rmsprop, 3),
}


def jax(name: str, settings: Mapping[str, Any], lib: Any, *gs: NDArray[Any]) -> Statement:
    """The statement for JAX."""
    rule, held = RULES[name]
    jnp = lib.module.numpy

    def update(state: Any, gs: Any) -> Any:
        t = state[0] + 1
        return t, [rule(jnp, t, w, g, *own, **settings) for g, (w, *own) in zip(gs, state[1], strict=True)]

    jitted = lib.module.jit(update, donate_argnums=0)
    given = [jnp.asarray(g) for g in gs]
    state: Any = (jnp.float32(0), [tuple(jnp.zeros(g.shape, g.dtype) for _ in range(1 + held)) for g in gs])

    def step() -> Any:
        nonlocal state
        state = lib.module.block_until_ready(jitted(state, given))
        return [w for w, *_ in state[1]]

    return step
