"""The methods of NumPy's ufuncs on Tensors, such as `np.add.reduce(t)`, composed of operations that have a rule."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.errors import ArgumentError
from autograd.ops.arrange import stacked
from autograd.ops.axes import Axes, definite_axes, kept_shape, one_axis
from autograd.ops.exponential import logsumexp
from autograd.ops.join import concat, stack
from autograd.ops.reduce import max, min, prod, sum
from autograd.ops.running import cumulative_prod, cumulative_sum
from autograd.ops.search import all, any
from autograd.ops.shape import astype, broadcast_to, moveaxis, reshape
from autograd.primitive import Traced

Operation = Callable[..., Any]

_REDUCED: dict[np.ufunc, Operation] = {
    np.add: sum,
    np.multiply: prod,
    np.maximum: max,
    np.minimum: min,
    np.logical_and: all,
    np.logical_or: any,
    np.logaddexp: logsumexp,
}
_ACCUMULATED: dict[np.ufunc, Operation] = {np.add: cumulative_sum, np.multiply: cumulative_prod}


def as_kind(x: Any, dtype: DTypeLike) -> Any:
    """An array in another dtype; a Python number, which takes the dtype of what it meets, as it is."""
    t: Any = x
    return astype(t, dtype) if isinstance(x, (Traced, np.ndarray)) else t


def _operand(x: Any, dtype: DTypeLike | None) -> Any:
    return stacked(x) if dtype is None else astype(stacked(x), dtype)


def _reduce(
    ufunc: np.ufunc,
    op: Operation,
    x: Any,
    axis: Axes = 0,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    **settings: Any,
) -> Any:
    """All elements of the axes by an operation of two, one after the other where there is no quicker way."""
    t, name = _operand(x, dtype), f"np.{ufunc.__name__}.reduce"
    axes = definite_axes(axis, t.ndim, name)
    known = _REDUCED.get(ufunc)
    if known is not None and not (settings and ufunc is np.logaddexp):
        return known(t, axes, keepdims=keepdims, **settings)
    if settings.pop("where", True) is not True:
        raise ArgumentError(f"{name} was given where=. Write ag.where(condition, t, neutral) for its array.")
    if ufunc.identity is None and len(axes) > 1:
        raise ArgumentError(f"{name} was given axes {axes}. Expected one: the order of the elements matters.")
    rows = moveaxis(t, axes, range(len(axes)))
    rows = reshape(rows, (-1, *rows.shape[len(axes) :])) if t.size else rows[:0]
    first = settings.get("initial")
    found = [] if first is None else [broadcast_to(astype(stacked(first), t.dtype), rows.shape[1:])]
    found += [rows[k] for k in range(rows.shape[0])]
    if not found:
        raise ArgumentError(f"{name} was given shape {t.shape}. Expected at least one element, or initial=.")
    y = reduce(op, found)
    return reshape(y, kept_shape(t.shape, axes)) if keepdims else y


def _accumulate(
    ufunc: np.ufunc, op: Operation, x: Any, axis: int = 0, dtype: DTypeLike | None = None, out: None = None
) -> Any:
    """What `reduce` makes of the first element, of the first two, and so on."""
    t = _operand(x, dtype)
    k = one_axis(axis, t.ndim, f"np.{ufunc.__name__}.accumulate")
    known = _ACCUMULATED.get(ufunc)
    if known is not None or not t.size:
        return (known or cumulative_sum)(t, k)
    rows = moveaxis(t, k, 0)
    return stack(list(itertools.accumulate([rows[i] for i in range(rows.shape[0])], op)), k)


def _reduceat(
    ufunc: np.ufunc,
    op: Operation,
    x: Any,
    indices: Sequence[int],
    axis: int = 0,
    dtype: DTypeLike | None = None,
    out: None = None,
) -> Any:
    """What `reduce` makes of each slice from one index to the next, or the element there if the next is not behind."""
    t = _operand(x, dtype)
    k = one_axis(axis, t.ndim, f"np.{ufunc.__name__}.reduceat")
    rows, starts = moveaxis(t, k, 0), [int(i) for i in indices]
    ends = [*starts[1:], rows.shape[0]]
    parts = [rows[i : j if j > i else i + 1] for i, j in zip(starts, ends, strict=True)]
    return concat([moveaxis(_reduce(ufunc, op, part, keepdims=True), 0, k) for part in parts], k)


def _outer(ufunc: np.ufunc, op: Operation, a: Any, b: Any, dtype: DTypeLike | None = None) -> Any:
    """Each element of a with each of b."""
    p, q = _operand(a, dtype), _operand(b, dtype)
    return op(reshape(p, p.shape + (1,) * q.ndim), q)


METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce,
    "accumulate": _accumulate,
    "reduceat": _reduceat,
    "outer": _outer,
}
