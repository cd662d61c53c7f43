"""Transforms that read a tape, in a function that is being compiled: they get one of their own.

A symbol is on no tape. On a level of batching where nothing is mapped it is: what the transform reads there are entries
of that level, and each operation, those of its sweeps included, is noted by the program that is being made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

from autograd.batching.level import Batched, Batching
from autograd.batching.vmap import content
from autograd.primitive import Traced, capturing, training
from autograd.tensor import Tensor
from autograd.tree import flatten

P = ParamSpec("P")
R = TypeVar("R")


def apart(transform: Callable[P, R]) -> Callable[P, R]:
    """A function of containers of arrays that reads the tape of what it runs, as one that may also be compiled."""

    @wraps(transform)
    def either(*args: P.args, **kwargs: P.kwargs) -> R:
        if not (capturing and training()):
            return transform(*args, **kwargs)
        level = Batching(1, same=True)
        try:
            with level:
                result, build = flatten(_within(level, transform, args, kwargs))
                parts = [_outside(level, y) for y in result]
        except BaseException:
            level.settle(failed=True)
            raise
        del result
        level.settle()
        return cast(R, build(parts))

    return either


def _within(level: Batching, transform: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The transform of symbols as the level sees them; containers and functions among the arguments stay their own."""
    leaves, build = flatten((args, kwargs))
    given, settings = build(
        [level.tensor(x, False) if isinstance(x, Traced) and not isinstance(x, Tensor) else x for x in leaves]
    )
    return transform(*given, **settings)


def _outside(level: Batching, y: Any) -> Any:
    if not isinstance(y, (Traced, np.ndarray, np.generic)):
        return y  # what a function returned beside its result
    x, _ = content(level, y)
    return x if x is None or (isinstance(x, Traced) and not isinstance(x, Batched)) else Tensor(x)
