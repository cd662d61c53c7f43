"""Functions that no batch rule can see into, run on one sample after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.batching.level import Batched, Batching
from autograd.errors import ArgumentError, UnsupportedError
from autograd.primitive import Traced, functions
from autograd.tensor import Tensor


def values_of(level: Batching, xs: Sequence[Any]) -> list[Any]:
    """Arguments as the level holds them: without the Tensors around, and what is foreign as a value all share."""
    return [level.inner(x).value if isinstance(x, Tensor) else x for x in xs]


def by_sample(level: Batching, f: Callable[..., Any], values: Sequence[Any], name: str) -> Any:
    """f of the samples of a level's values, stacked: a value of the level. f runs in the world outside."""
    flags = [level.owns(v) and v.mapped for v in values]
    contents = [v.content if level.owns(v) else v for v in values]
    if not any(flags):
        return level.shared(level.aside(lambda: f(*contents)))
    if not level.size:
        raise UnsupportedError(f"{name} has no batch rule, and a batch of no samples leaves it nothing to run on.")
    take, stack = functions["getitem"], functions["stack"]
    pairs = list(zip(contents, flags, strict=True))

    def stacked() -> Any:
        rows = [_row(f(*(take(c, k) if m else c for c, m in pairs)), name) for k in range(level.size)]
        shapes = sorted({row.shape for row in rows})
        if len(shapes) > 1:
            raise UnsupportedError(
                f"{name} gives shapes that differ from sample to sample under ag.vmap: {shapes[0]} and others."
            )
        return stack(rows)

    return Batched(level.content_of(level.aside(stacked)), level, True)


def _row(y: Any, name: str) -> Any:
    if not isinstance(y, (Traced, np.ndarray, np.generic, float, int, complex)):
        raise ArgumentError(f"{name} returned a {type(y).__name__} under ag.vmap. Expected one array of it.")
    return y if isinstance(y, Traced) else np.asarray(y)
