"""The arguments of a function: from shapes, from a function that makes them, made small, copied."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.target import resolve

HOW = "Expected float32[1000000], float64[100,50], int64[1000]<10, a number, or module:function that returns them."
SHAPE = re.compile(r"(?P<dtype>[a-z]+\d*)\[(?P<shape>[\d,_e ]*)\](?:<(?P<below>\d+))?")
BELOW = 100  # whole numbers are drawn from 0 up to this


def parsed(texts: Sequence[str], seed: int = 0) -> tuple[Any, ...]:
    """Arguments from their texts: standard normal arrays of these shapes and dtypes, numbers, or what a function makes.

    >>> [getattr(x, "shape", x) for x in parsed(["float32[3,4]", "int64[1e3]<10", "0.5", "7"])]
    [(3, 4), (1000,), 0.5, 7]
    """
    rng = np.random.default_rng(seed)
    found: list[Any] = []
    for text in texts:
        if (match := SHAPE.fullmatch(text.replace(" ", ""))) is not None:
            found.append(drawn(rng, match["dtype"], lengths(match["shape"]), int(match["below"] or BELOW)))
        elif re.fullmatch(r"[-+]?\d+", text):
            found.append(int(text))
        elif re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", text):
            found.append(float(text))
        elif ":" in text:
            made = resolve(text)()
            found += made if isinstance(made, (tuple, list)) else [made]
        else:
            raise ValueError(f"{text!r} is no argument. {HOW}")
    return tuple(found)


def lengths(text: str) -> tuple[int, ...]:
    """A shape; lengths may be written as 1e6.

    >>> lengths("100,1e3"), lengths("")
    ((100, 1000), ())
    """
    try:
        return tuple(int(float(part)) for part in text.split(",") if part)
    except ValueError:
        raise ValueError(f"[{text}] is no shape. {HOW}") from None


def drawn(rng: np.random.Generator, dtype: str, shape: tuple[int, ...], below: int = BELOW) -> Any:
    """An array of a dtype."""
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise ValueError(f"there is no dtype {dtype!r}. {HOW}") from None
    if kind.kind == "f":
        return rng.standard_normal(shape).astype(kind)
    if kind.kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(kind)
    if kind.kind == "b":
        return rng.random(shape) < 0.5
    most = np.iinfo(kind).max + 1
    if not 0 < below <= most:
        raise ValueError(f"{dtype} below {below} was asked for. Expected from 1 to {most}. {HOW}")
    return rng.integers(0, below, shape, kind)


def small(args: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments cut to two along each axis, in the same order of memory: as good as no work.

    Equal lengths stay equal, and a length of 1 stays 1, so that what broadcast or multiplied together still does.

    >>> [x.shape for x in small([np.ones((5, 1, 7))])]
    [(2, 1, 2)]
    """
    return tuple(x[(slice(2),) * x.ndim].copy(order="K") if isinstance(x, np.ndarray) and x.ndim else x for x in args)


def copies(args: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments, with arrays of their own."""
    return tuple(x.copy(order="K") if isinstance(x, np.ndarray) else x for x in args)


def untouched(f: Callable[..., Any], args: Sequence[Any]) -> bool:
    """Whether a call leaves its arguments as they are: two functions that do can share them.

    Where an array lies makes a difference of a few hundredths, which is not one of functions.

    >>> import numpy as np
    >>> untouched(np.exp, [np.zeros(3)]), untouched(lambda x: x.fill(1.0), [np.zeros(3)])
    (True, False)
    """
    given = copies(args)
    f(*given)
    pairs = [(a, b) for a, b in zip(given, args, strict=True) if isinstance(b, np.ndarray)]
    return all(a.tobytes() == b.tobytes() for a, b in pairs)


def results(found: Any, args: Sequence[Any]) -> list[Any]:
    """What a call gave: its results, or the arrays that it was given to write to where it returned nothing."""
    if found is None:
        return [x for x in args if isinstance(x, np.ndarray)]
    return [np.asarray(y.numpy() if hasattr(y, "numpy") else y) for y in leaves(found)]


def leaves(found: Any) -> list[Any]:
    """What nested tuples, lists and dicts hold.

    >>> leaves({"a": 1, "b": [2, (3,)]})
    [1, 2, 3]
    """
    if isinstance(found, dict):
        found = list(found.values())
    return [y for part in found for y in leaves(part)] if isinstance(found, (tuple, list)) else [found]


def size_of(args: Sequence[Any]) -> int:
    """Elements of the largest array.

    >>> size_of([np.ones((3, 4)), 2.0])
    12
    """
    return max((int(np.size(x)) for x in args), default=0)


def words(args: Sequence[Any]) -> str:
    """The arguments in short.

    >>> words([np.ones((3, 4), np.float32), 2.0])
    'float32[3,4], 2.0'
    """
    return ", ".join(f"{x.dtype}[{','.join(map(str, x.shape))}]" if hasattr(x, "shape") else repr(x) for x in args)
