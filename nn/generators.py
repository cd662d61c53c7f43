"""Every random stream in reach of an object, by name: what a checkpoint must hold to go on bitwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError

_LEAVES = (Tensor, np.ndarray, str, bytes, int, float, type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)


def stream_of(generator: Any, who: str) -> ag.random.Generator:
    """Where random numbers come from: the default stream for None.

    Raises:
        ArgumentError: something else than a generator of `ag.random`, a seed say.

    >>> stream_of(None, "Linear") is ag.random.default
    True
    """
    if not isinstance(generator, ag.random.Generator | None):
        raise ArgumentError(
            f"{who} was given generator={generator!r}. Expected one of ag.random: write "
            "generator=ag.random.Generator(0)."
        )
    return ag.random.default if generator is None else generator


def generators_in(**roots: Any) -> dict[str, ag.random.Generator]:
    """The generators in attributes, lists, tuples and dicts, each once, by the first path that leads to it.

    >>> import nn
    >>> loader = nn.DataLoader([1.0, 2.0], generator=ag.random.Generator(0))
    >>> list(generators_in(loader=[loader]))
    ['loader.0.generator']
    """
    return {path: x for path, x in _walk(roots) if isinstance(x, ag.random.Generator)}


def objects_in(kind: type | tuple[type, ...], **roots: Any) -> dict[str, Any]:
    """All objects of a class in the same places, each once.

    >>> import nn
    >>> list(objects_in(nn.DataLoader, train={"x": nn.DataLoader([1.0])}))
    ['train.x']
    """
    return {path: x for path, x in _walk(roots) if isinstance(x, kind)}


def _walk(roots: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Depth first, in the order of attributes: the same for the same program."""
    seen: dict[int, Any] = {}  # holds what it has seen, so that no id is used twice
    stack = [(name, root) for name, root in reversed(list(roots.items()))]
    while stack:
        path, x = stack.pop()
        if isinstance(x, _LEAVES) or x is None or id(x) in seen:
            continue
        seen[id(x)] = x
        yield path, x
        stack += [(f"{path}.{key}", part) for key, part in reversed(list(_parts(x)))]


def _parts(x: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(x, ag.random.Generator):
        return
    if isinstance(x, Mapping):  # longer ones hold samples or numbers
        if len(x) <= 1000:
            yield from list(x.items())
    elif isinstance(x, Sequence):
        if len(x) <= 1000:
            yield from enumerate(x)
    elif hasattr(x, "__dict__"):
        yield from vars(x).items()
