"""What a check is given: its inputs one by one, containers of arrays taken apart, and settings that make sense."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import Parameter, signature
from math import isfinite
from numbers import Real
from operator import index
from typing import Any

import numpy as np

from autograd.errors import ArgumentError
from autograd.primitive import Primitive
from autograd.tensor import Tensor
from autograd.tree import flatten

Numbers = (Tensor, np.ndarray, np.generic, bool, int, float, complex)


def listed(inputs: Any) -> list[Any]:
    """One input or several as a list; a dict is one.

    >>> listed(2.0), listed({"w": 1.0}), listed((1.0, 2.0))
    ([2.0], [{'w': 1.0}], [1.0, 2.0])
    """
    several = isinstance(inputs, Iterable) and not isinstance(inputs, (dict, *Numbers))
    return list(inputs) if several else [inputs]


def named(f: Any, names: Sequence[str], count: int) -> list[str]:
    """What each of `count` inputs is called: its name, or that of the parameter of f which takes it.

    >>> named(lambda x, *others: x, ["weight"], 3)
    ['weight', 'others[0]', 'others[1]']
    """
    own: list[str] = list(f.inputs) if isinstance(f, Primitive) and not f.variadic else []
    try:
        for p in () if own else signature(f).parameters.values():
            if p.kind is Parameter.VAR_POSITIONAL:
                own += [f"{p.name}[{k}]" for k in range(count - len(own))]
            elif p.kind is not Parameter.KEYWORD_ONLY:
                own.append(p.name)
    except (TypeError, ValueError):  # of a function in C
        pass
    own += [f"input {k}" for k in range(len(own), count)]
    return [*names, *own[len(names) : count]]


def is_tree(x: Any) -> bool:
    """Whether x is a container whose leaves are inputs: a dict, a dataclass, or a list or tuple that holds an array."""
    if isinstance(x, dict) or (dataclasses.is_dataclass(x) and not isinstance(x, type)):
        return True
    return isinstance(x, (list, tuple)) and any(isinstance(leaf, (Tensor, np.ndarray)) for leaf in flatten(x)[0])


def leaves_of(x: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a container with their names, in the order of `flatten`.

    >>> [name for name, _ in leaves_of({"w": [np.ones(2), 3.0]}, "input 0")]
    ["input 0['w'][0]", "input 0['w'][1]"]
    """
    if isinstance(x, dict):
        parts = [(f"{name}[{k!r}]", v) for k, v in x.items()]
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        parts = [(f"{name}.{f.name}", getattr(x, f.name)) for f in dataclasses.fields(x)]
    elif isinstance(x, (list, tuple)):
        parts = [(f"{name}[{k}]", v) for k, v in enumerate(x)]
    else:
        yield name, x
        return
    for part, v in parts:
        yield from leaves_of(v, part)


def in_leaves(
    f: Callable[..., Any], inputs: Sequence[Any], names: Sequence[str]
) -> tuple[Callable[..., Any], list[Any], list[str]]:
    """f as a function of the leaves of its inputs."""
    if not any(map(is_tree, inputs)):
        return f, list(inputs), list(names)
    found = [list(leaves_of(x, n)) if is_tree(x) else [(n, x)] for x, n in zip(inputs, names, strict=True)]
    builds = [flatten(x)[1] if is_tree(x) else (lambda leaves: leaves[0]) for x in inputs]

    def of_leaves(*given: Any) -> Any:
        rest = iter(given)
        return f(*[build([next(rest) for _ in part]) for build, part in zip(builds, found, strict=True)])

    return of_leaves, [x for part in found for _, x in part], [n for part in found for n, _ in part]


def _refuse_count(f: Any, count: int) -> None:
    """Raise if f does not take so many inputs."""
    try:
        takes = signature(f, follow_wrapped=False)
    except (TypeError, ValueError):  # of a function in C
        return
    try:
        takes.bind(*[None] * count)
    except TypeError as error:
        raise ArgumentError(
            f"gradcheck was given {count} inputs, which {getattr(f, '__name__', type(f).__name__)}{takes} does not "
            f"take: {error}. Each entry of a list is an input: write np.array([0.5, 2.0]) for one input, and "
            "lambda x: f(x, setting) to hold fixed what is none."
        ) from None


def refuse_wrong(
    f: Any,
    names: Any,
    count: int,
    *,
    eps: float | None,
    atol: float,
    rtol: float,
    max_elements: int | None,
    seed: int,
) -> None:
    """Raise for an argument of `gradcheck` that is none."""
    if not callable(f):
        raise ArgumentError(f"gradcheck was given a {type(f).__name__} to check. Expected a function, then its inputs.")
    if isinstance(names, str) or len(names) > count:
        raise ArgumentError(f"gradcheck was given names={names!r} for {count} inputs. Expected a list of as many.")
    _refuse_count(f, count)
    for name, value in (("atol", atol), ("rtol", rtol)):
        if not isinstance(value, Real) or not value >= 0:
            raise ArgumentError(f"gradcheck was given {name}={value!r}. Expected a number, 0 or more.")
    if eps is not None and (not isinstance(eps, Real) or not (eps > 0 and isfinite(eps))):
        raise ArgumentError(f"gradcheck was given eps={eps!r}. Expected a number larger than 0, or None.")
    if max_elements is not None and not _whole(max_elements, 1):
        raise ArgumentError(f"gradcheck was given max_elements={max_elements!r}. Expected 1 or more, or None for all.")
    if not _whole(seed, 0):
        raise ArgumentError(f"gradcheck was given seed={seed!r}. Expected a whole number, 0 or more.")


def _whole(x: Any, least: int) -> bool:
    try:
        return index(x) >= least
    except TypeError:
        return False
