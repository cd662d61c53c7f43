"""NumPy's functions that put arrays together of blocks, pieces and choices; arguments are NumPy's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ArgumentError, ShapeError
from autograd.ops.arrange import diag, stacked
from autograd.ops.axes import one_axis
from autograd.ops.complex import abs
from autograd.ops.elementwise import multiply, subtract, trunc, where
from autograd.ops.index import index_add, put, take
from autograd.ops.join import concat, stack
from autograd.ops.shape import astype, broadcast_arrays, broadcast_to, moveaxis, reshape
from autograd.primitive import public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = [
    "apply_along_axis",
    "apply_over_axes",
    "bincount",
    "block",
    "choose",
    "diagflat",
    "ldexp",
    "modf",
    "piecewise",
    "resize",
    "rollaxis",
]


@public(np.block)
def block(arrays: Any) -> Tensor:
    """Nested lists of blocks as one array: the innermost lists along the last axis, those around them along others.

    >>> import autograd as ag
    >>> ag.block([[ag.eye(1), ag.zeros((1, 1))], [ag.ones((1, 2))]])
    tensor([[1., 0.],
            [1., 1.]])
    """
    depth, ndim = _depths(arrays)
    return _blocks(arrays, depth, max(depth, ndim))  # type: ignore[no-any-return]


def _depths(arrays: Any) -> tuple[int, int]:
    """How deep the lists go, and the most axes of a block."""
    if not isinstance(arrays, list):
        return 0, np.ndim(arrays)
    if not arrays:
        raise ArgumentError("block was given an empty list. Expected at least one block in each list.")
    inner = [_depths(part) for part in arrays]
    if len({depth for depth, _ in inner}) > 1:
        raise ArgumentError("block was given lists of unequal depths. Expected each block in as many lists.")
    return inner[0][0] + 1, max(ndim for _, ndim in inner)


def _blocks(arrays: Any, depth: int, ndim: int) -> Any:
    if depth:
        return concat([_blocks(part, depth - 1, ndim) for part in arrays], -depth)
    whole = stacked(arrays)
    return reshape(whole, (1,) * (ndim - whole.ndim) + whole.shape)


@public(np.piecewise)
def piecewise(x: Operand, condlist: Any, funclist: Sequence[Any], *args: Any, **settings: Any) -> Tensor:
    """Of each place, the function of the last condition that holds there; 0, or one function more, where none does.

    >>> import autograd as ag
    >>> x = ag.tensor([-2.0, 3.0])
    >>> ag.piecewise(x, [x < 0, x >= 0], [lambda t: -t, lambda t: t**2])
    tensor([2., 9.])
    """
    t: Any = stacked(x)
    single = np.ndim(condlist) == 0 or (t.ndim and not np.ndim(condlist[0]))
    conditions = [np.asarray(c, bool) for c in ([condlist] if single else condlist)]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ArgumentError(
            f"piecewise was given {len(conditions)} conditions and {len(funclist)} functions. Expected as many, or one "
            "function more."
        )
    y: Any = np.zeros(t.shape, t.dtype)
    for condition, f in zip(conditions, funclist, strict=True):
        if condition.any():
            value = f(t[condition], *args, **settings) if callable(f) else f
            y = put(y, condition, astype(stacked(value), t.dtype))
    return y  # type: ignore[no-any-return]


@public(np.choose)
def choose(a: Any, choices: Sequence[Operand]) -> Tensor:
    """Of each place, the element of the array whose number stands there.

    >>> import autograd as ag
    >>> ag.choose([0, 1], [ag.tensor([1.0, 2.0]), [10.0, 20.0]])
    tensor([ 1., 20.])
    """
    numbers, arrays = np.asarray(a), broadcast_arrays(*(stacked(c) for c in choices))
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(arrays):
        raise ArgumentError(f"choose was given numbers up to {numbers.max()} for {len(arrays)} arrays.")
    y: Any = arrays[0] if numbers.ndim <= arrays[0].ndim else broadcast_to(arrays[0], numbers.shape)
    for k, array in enumerate(arrays[1:], 1):
        y = where(numbers == k, array, y)
    return y  # type: ignore[no-any-return]


@public(np.bincount)
def bincount(x: Any, /, weights: Operand | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 stands in x, or the sum of the weights of those places.

    >>> import autograd as ag
    >>> ag.bincount([0, 2, 2], ag.tensor([0.5, 1.0, 2.0]))
    tensor([0.5, 0. , 3. ])
    """
    places = np.asarray(x)
    if weights is None:
        return stacked(np.bincount(places, minlength=minlength))  # type: ignore[no-any-return]
    w: Any = astype(stacked(weights), np.float64)
    if w.shape != places.shape:
        raise ShapeError(f"bincount was given shapes {places.shape} and {w.shape}. Expected a weight for each number.")
    return index_add(np.zeros(len(np.bincount(places, minlength=minlength))), places, w)


@public(np.diagflat)
def diagflat(v: Operand, k: int = 0) -> Tensor:
    """The matrix with the flattened v as its k-th diagonal.

    >>> import autograd as ag
    >>> ag.diagflat(ag.tensor([[1.0, 2.0]]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    return diag(reshape(stacked(v), (-1,)), k)


public(np.fix)(trunc)
public(np.fabs)(abs)


@public(np.ldexp)
def ldexp(x: Operand, exponent: Any) -> Tensor:
    """x times 2 to the power of a whole number, which has no derivative.

    >>> import autograd as ag
    >>> ag.ldexp(ag.tensor(1.5), 2)
    tensor(6.)
    """
    t: Any = stacked(x)
    return multiply(t, np.ldexp(np.ones((), t.dtype), exponent))


@public(np.modf)
def modf(x: Operand) -> tuple[Tensor, Tensor]:
    """What is behind the point and what is before it, both with the sign of x.

    >>> import autograd as ag
    >>> ag.modf(ag.tensor(-2.5))
    (tensor(-0.5), tensor(-2.))
    """
    whole = trunc(x)
    return subtract(x, whole), whole


@public(np.resize)
def resize(x: Operand, new_shape: int | Sequence[int]) -> Tensor:
    """The elements of x in another shape, again from the first where there are too few; zeros of nothing.

    >>> import autograd as ag
    >>> ag.resize(ag.tensor([1.0, 2.0]), (3,))
    tensor([1., 2., 1.])
    """
    flat = reshape(stacked(x), (-1,))
    shape = (new_shape,) if isinstance(new_shape, (int, np.integer)) else tuple(new_shape)
    size = math.prod(shape)
    if not flat.shape[0]:
        return np.zeros(shape, flat.dtype)  # type: ignore[return-value]
    return reshape(take(flat, np.arange(size) % flat.shape[0], 0), shape)


@public(np.rollaxis)
def rollaxis(a: Operand, axis: int, start: int = 0) -> Tensor:
    """An axis moved to before another.

    >>> import autograd as ag
    >>> ag.rollaxis(ag.zeros((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    t = stacked(a)
    k, start = one_axis(axis, t.ndim, "rollaxis"), start + t.ndim if start < 0 else start
    return moveaxis(t, k, start - 1 if k < start else start)


@public(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Operand, *args: Any, **settings: Any) -> Tensor:
    """A function of vectors, of each vector along an axis, its results in the places of the vectors.

    >>> import autograd as ag
    >>> ag.apply_along_axis(ag.sum, 1, ag.ones((2, 3)))
    tensor([3., 3.])
    """
    t: Any = stacked(arr)
    k = one_axis(axis, t.ndim, "apply_along_axis")
    rows = moveaxis(t, k, -1)
    if not math.prod(rows.shape[:-1]):
        raise ShapeError(f"apply_along_axis was given shape {t.shape}. Expected at least one vector along axis {k}.")
    found = stack([stacked(func1d(rows[i], *args, **settings)) for i in np.ndindex(*rows.shape[:-1])])
    whole = reshape(found, rows.shape[:-1] + found.shape[1:])
    made = whole.ndim - t.ndim + 1
    return moveaxis(whole, range(t.ndim - 1, t.ndim - 1 + made), range(k, k + made))


@public(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Operand, axes: int | Sequence[int]) -> Tensor:
    """A function of an array and an axis, over several axes, one after the other, each of which stays.

    >>> import autograd as ag
    >>> ag.apply_over_axes(ag.sum, ag.ones((2, 3)), [0, 1])
    tensor([[6.]])
    """
    y: Any = stacked(a)
    for axis in [axes] if isinstance(axes, (int, np.integer)) else axes:
        k = one_axis(axis, y.ndim, "apply_over_axes")
        found = func(y, k)
        y = found if found.ndim == y.ndim else reshape(found, (*found.shape[:k], 1, *found.shape[k:]))
    return y  # type: ignore[no-any-return]
