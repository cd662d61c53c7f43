"""Nested containers of arrays as one vector, for optimizers that know vectors only."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autograd import tree
from autograd.ops.join import concat
from autograd.ops.shape import reshape
from autograd.primitive import Traced


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All numbers of nested lists, tuples and dicts as one vector, and what puts a vector back into their form.

    Dicts are read in the order of their sorted keys.

    >>> vector, unflatten = flatten({"w": np.ones((1, 2)), "b": 3.0})
    >>> vector
    array([3., 1., 1.])
    >>> unflatten(2 * vector)["w"]
    array([[2., 2.]])
    """
    leaves, build = tree.flatten(_sorted(value))
    shapes = [np.shape(x.value) if isinstance(x, Traced) else np.shape(x) for x in leaves]  # type: ignore[attr-defined]

    def unflatten(vector: Any) -> Any:
        parts, at = [], 0
        for shape in shapes:
            part = vector[at : at + prod(shape)]
            parts.append(reshape(part, shape) if shape else part[0])
            at += prod(shape)
        return build(parts)

    flat: list[Any] = [x if isinstance(x, Traced) else np.asarray(x) for x in leaves]
    return (concat([reshape(x, (-1,)) for x in flat]) if flat else np.zeros(0)), unflatten


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _sorted(value[k]) for k in sorted(value)}
    if type(value) in (list, tuple):
        return type(value)(_sorted(x) for x in value)
    return value


def flatten_func(f: Callable[..., Any], example: Any) -> tuple[Callable[..., Any], Callable[[Any], Any], Any]:
    """f as a function of a vector to a vector, what gives a vector the form of f's argument, and the example as one.

    >>> of_vector, _, x = flatten_func(lambda p: {"y": p["a"] * p["b"]}, {"a": 2.0, "b": 3.0})
    >>> of_vector(x)
    array([6.])
    """
    x, unflatten = flatten(example)
    return (lambda v, *args: flatten(f(unflatten(v), *args))[0]), unflatten, x
