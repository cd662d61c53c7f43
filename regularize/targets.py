"""Which tensors a regularizer works on: a module's parameters but for those whose names are left out, or Tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from math import inf
from typing import Any, TypeAlias

from autograd import Tensor
from autograd.errors import ArgumentError
from nn.module import Module

Targets: TypeAlias = Module | Tensor | Iterable[Tensor]
Groups: TypeAlias = Targets | Iterable[Mapping[str, Any]]
Patterns: TypeAlias = str | Iterable[str]


def chosen(of: Targets, exclude: Patterns, who: str) -> list[Tensor]:
    """The Tensors that are meant: those given, or a module's parameters that no pattern matches.

    Parameters:
        of: a module, a Tensor, or several.
        exclude: patterns of names in a module to leave out, as of files: "*.bias", "norm*".
        who: what asks, for the messages.

    Raises:
        ArgumentError: a pattern that no name matches, patterns for Tensors, which have no names, or nothing left.

    >>> import nn
    >>> [w.shape for w in chosen(nn.Linear(3, 2), "bias", "L2")]
    [(2, 3)]
    """
    patterns = (exclude,) if isinstance(exclude, str) else tuple(exclude)
    if isinstance(of, Module):
        named = dict(of.named_parameters())
    elif patterns:
        raise ArgumentError(f"{who} was given Tensors, which have no names to exclude. Write {who}(alpha, model).")
    else:
        named = {str(k): w for k, w in enumerate(_tensors(of, who))}
    for pattern in patterns:
        if not any(fnmatch(key, pattern) for key in named):
            raise ArgumentError(f"{who}: no parameter matches {pattern!r}. There are: {', '.join(named)}.")
    found = [w for key, w in named.items() if not any(fnmatch(key, p) for p in patterns)]
    if not found:
        raise ArgumentError(f"{who} was given no parameters to work on.")
    return found


def _tensors(of: Any, who: str) -> list[Tensor]:
    given = [of] if isinstance(of, Tensor) or not isinstance(of, Iterable) else list(of)
    for x in given:
        if not isinstance(x, Tensor):
            raise ArgumentError(
                f"{who} was given a {type(x).__name__} to work on. Expected a module, Tensors, or dicts with them: "
                f"write {who}(alpha, model) or {who}(alpha, model.parameters())."
            )
    return given


def grouped(
    alpha: float | Tensor, of: Groups, exclude: Patterns, who: str
) -> list[tuple[float | Tensor, list[Tensor]]]:
    """Pairs of a strength and the Tensors that it is for.

    Parameters:
        alpha: the strength, at least 0, of what has none of its own.
        of: a module, Tensors, or groups {"params": module or Tensors, "alpha": ..., "exclude": ...}.
        exclude: patterns of names to leave out, for groups that have none of their own.
        who: what asks, for the messages.

    Raises:
        ArgumentError: a strength below 0, an unknown setting of a group, or what `chosen` refuses.

    >>> import nn
    >>> body, head = nn.Linear(3, 2), nn.Linear(2, 1)
    >>> groups = [{"params": body, "exclude": "bias"}, {"params": head, "alpha": 0.5}]
    >>> [(alpha, len(ws)) for alpha, ws in grouped(0.1, groups, (), "L2")]
    [(0.1, 1), (0.5, 2)]
    """
    given: Any = of if isinstance(of, Module | Tensor) or not isinstance(of, Iterable) else list(of)
    if not (isinstance(given, list) and given and all(isinstance(g, Mapping) for g in given)):
        return [(strength(alpha, who), chosen(given, exclude, who))]
    found = []
    for k, group in enumerate(given):
        unknown = sorted(group.keys() - {"params", "alpha", "exclude"})
        if unknown or "params" not in group:
            wrong = f"an unknown setting {unknown[0]!r}" if unknown else "no 'params'"
            raise ArgumentError(f"group {k} of {who} has {wrong}. Expected params, alpha, exclude.")
        tensors = chosen(group["params"], group.get("exclude", exclude), who)
        found.append((strength(group.get("alpha", alpha), who), tensors))
    return found


def strength(alpha: float | Tensor, who: str) -> float | Tensor:
    """alpha, if it is a strength.

    Raises:
        ArgumentError: if it is below 0, infinite or NaN.

    >>> strength(0.1, "L2")
    0.1
    """
    if not 0 <= float(alpha) < inf:
        raise ArgumentError(f"{who} was given alpha={alpha}. Expected 0 <= alpha < inf.")
    return alpha


def other_axes(w: Tensor, axis: int | tuple[int, ...] | None, who: str) -> tuple[int, ...]:
    """The axes over which a norm of w is taken: those given, or all but the first, all of a vector.

    Raises:
        ArgumentError: if w has no such axis.

    >>> import autograd as ag
    >>> other_axes(ag.ones((4, 3, 2)), None, "MaxNorm"), other_axes(ag.ones(4), None, "MaxNorm")
    ((1, 2), (0,))
    """
    if axis is None:
        return tuple(range(1, w.ndim)) if w.ndim > 1 else tuple(range(w.ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if not all(-w.ndim <= k < w.ndim for k in axes):
        raise ArgumentError(
            f"{who} was given axis={axis} for a parameter of shape {w.shape}. "
            "Expected axes of every parameter: leave out the others by exclude=, or write axis=None."
        )
    return tuple(k % w.ndim for k in axes)
