"""NumPy's functions that make, join, cut and turn arrays, of Tensors, composed of ours; arguments are NumPy's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError, UnsupportedError
from autograd.primitive import Traced
from autograd.tensor import Tensor


def array(x: Any, dtype: DTypeLike | None = None, *, copy: bool | None = True, order: str = "K", ndmin: int = 0) -> Any:
    """Nested lists with Tensors in them as one Tensor."""
    made = _stacked(x)
    made = made if dtype is None else ag.astype(made, dtype)
    return ag.reshape(made, (1,) * (ndmin - made.ndim) + made.shape) if made.ndim < ndmin else made


def _stacked(x: Any) -> Any:
    if isinstance(x, Traced):
        return x
    if isinstance(x, (list, tuple)) and x:
        return ag.stack([_stacked(part) for part in x])
    return ag.asarray(np.asarray(x))


def _list(xs: Any) -> list[Any]:
    return [_stacked(x) for x in xs]


def asarray(x: Any, dtype: DTypeLike | None = None, order: str | None = None) -> Any:
    """Nested lists with Tensors in them as one Tensor."""
    return array(x, dtype)


def atleast_1d(*xs: Any) -> Any:
    """With one axis at least."""
    made = [ag.reshape(x, (1,)) if x.ndim == 0 else x for x in _list(xs)]
    return made[0] if len(made) == 1 else tuple(made)


def atleast_2d(*xs: Any) -> Any:
    """With two axes at least, new ones first."""
    made = [ag.reshape(x, (1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x for x in _list(xs)]
    return made[0] if len(made) == 1 else tuple(made)


def atleast_3d(*xs: Any) -> Any:
    """With three axes at least: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1)."""
    shapes: dict[int, Any] = {0: lambda s: (1, 1, 1), 1: lambda s: (1, s[0], 1), 2: lambda s: (*s, 1)}
    made = [ag.reshape(x, shapes[x.ndim](x.shape)) if x.ndim < 3 else x for x in _list(xs)]
    return made[0] if len(made) == 1 else tuple(made)


def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Any:
    """End to end along an axis."""
    return ag.concat(_list(xs), axis)


def concatenate_args(axis: int, *xs: Any) -> Any:
    """End to end along an axis that is the first argument."""
    return ag.concat(_list(xs), axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """Along a new axis."""
    return ag.stack(_list(xs), axis)


def vstack(xs: Any) -> Any:
    """Rows on rows."""
    return ag.concat([atleast_2d(x) for x in xs], 0)


def hstack(xs: Any) -> Any:
    """Side by side: along the second axis, or the only one."""
    parts = [atleast_1d(x) for x in xs]
    return ag.concat(parts, 0 if parts[0].ndim == 1 else 1)


def dstack(xs: Any) -> Any:
    """Along the third axis."""
    return ag.concat([atleast_3d(x) for x in xs], 2)


def column_stack(xs: Any) -> Any:
    """Vectors as the columns of a matrix."""
    return ag.concat([ag.reshape(x, (-1, 1)) if x.ndim < 2 else x for x in _list(xs)], 1)


def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """`values` after x; both flattened without an axis."""
    parts = _list([x, values])
    return ag.concat([ag.flatten(p) for p in parts], 0) if axis is None else ag.concat(parts, axis)


def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Parts of lengths as equal as may be, the longer ones first, or cut at given places."""
    places = indices_or_sections
    if isinstance(places, (int, np.integer)):
        places = np.cumsum([len(part) for part in np.array_split(np.arange(x.shape[axis]), places)])[:-1].tolist()
    return ag.split(x, [int(p) for p in places], axis)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Equal parts, or cut at given places."""
    whole = isinstance(indices_or_sections, (int, np.integer))
    if whole and x.shape[axis] % indices_or_sections:
        raise ArgumentError(f"split of {x.shape[axis]} elements into {indices_or_sections}. Expected equal parts.")
    return array_split(x, indices_or_sections, axis)


def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` by rows."""
    return split(x, indices_or_sections, 0)


def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` by columns."""
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """`split` along the third axis."""
    return split(x, indices_or_sections, 2)


def flipud(x: Any) -> Any:
    """Rows in reverse."""
    return ag.flip(x, 0)


def fliplr(x: Any) -> Any:
    """Columns in reverse."""
    return ag.flip(x, 1)


def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """k quarter turns in the plane of two axes, from the first to the second."""
    a, b = axes
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return ag.flip(ag.flip(x, a), b)
    return ag.swapaxes(ag.flip(x, b), a, b) if k % 4 == 1 else ag.flip(ag.swapaxes(x, a, b), b)


def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    """An axis moved to before another."""
    axis, start = axis % x.ndim, start + x.ndim if start < 0 else start
    return ag.moveaxis(x, axis, start - 1 if axis < start else start)


def diag(x: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or a matrix with a diagonal."""
    if x.ndim == 2:
        return ag.diagonal(x, k)
    size = x.shape[0] + abs(k)
    rows = np.arange(x.shape[0]) + max(-k, 0)
    return ag.put(ag.zeros((size, size), x.dtype), (rows, rows + k), x)


def make_diagonal(d: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Matrices along two axes whose diagonals are the last axis of d, zero elsewhere."""
    if offset != 0:
        raise UnsupportedError(f"make_diagonal was given offset={offset}. Expected 0: the main diagonal.")
    d = _stacked(d)
    return ag.moveaxis(ag.expand_dims(d, -1) * np.eye(d.shape[-1], dtype=d.dtype), [-2, -1], [axis1, axis2])


def reshape(x: Any, shape: Any = None, order: str = "C", *, newshape: Any = None) -> Any:
    """The same elements in another shape, read and written by rows ("C") or by columns ("F")."""
    sizes = newshape if shape is None else shape
    if order != "F":
        return ag.reshape(x, sizes)
    sizes = (sizes,) if isinstance(sizes, (int, np.integer)) else tuple(sizes)
    return ag.permute_dims(ag.reshape(ag.permute_dims(x), sizes[::-1]))


def ravel(x: Any, order: str = "C") -> Any:
    """All elements along one axis."""
    return reshape(x, (-1,), order)


def copy(x: Any, order: str = "K") -> Any:
    """An array of its own."""
    return ag.astype(x, x.dtype)


def full(shape: Any, fill_value: Any, dtype: DTypeLike | None = None, order: str = "C") -> Any:
    """One value, or values that broadcast, everywhere."""
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    value = _stacked(fill_value)
    return ag.broadcast_to(value if dtype is None else ag.astype(value, dtype), sizes)


def full_like(x: Any, fill_value: Any, dtype: DTypeLike | None = None, order: str = "K") -> Any:
    """One value everywhere, in the shape and dtype of x."""
    return full(x.shape, fill_value, x.dtype if dtype is None else dtype)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Any:
    """`num` evenly spaced values from start to stop, along a new first axis."""
    steps = np.linspace(0.0, 1.0, num, endpoint=endpoint)
    a, b = ag.broadcast_arrays(_stacked(start), _stacked(stop))
    t = steps.reshape(-1, *[1] * a.ndim)
    return (1 - t) * a + t * b


def kron(a: Any, b: Any) -> Any:
    """Every element of a times all of b, as blocks."""
    a, b = _stacked(a), _stacked(b)
    rank = max(a.ndim, b.ndim)
    a, b = (ag.reshape(x, (1,) * (rank - x.ndim) + x.shape) for x in (a, b))
    apart = [n for pair in zip(a.shape, [1] * rank, strict=True) for n in pair]
    other = [n for pair in zip([1] * rank, b.shape, strict=True) for n in pair]
    return ag.reshape(
        ag.reshape(a, apart) * ag.reshape(b, other), [m * n for m, n in zip(a.shape, b.shape, strict=True)]
    )


def select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    """Of each place, the choice of the first condition that holds there."""
    found: Any = default
    for condition, choice in list(zip(conditions, choices, strict=True))[::-1]:
        found = ag.where(condition, choice, found)
    return found


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where the condition holds, y elsewhere; the places where it holds without them."""
    if x is None or y is None:
        values = condition.value if isinstance(condition, Tensor) else condition
        return np.nonzero(values)
    return ag.where(condition, *_list([x, y]))


def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """With numbers in place of what is undefined or infinite, where the derivative is zero."""
    value = x.value
    return ag.where(np.isfinite(value), x, np.nan_to_num(value, copy=True, nan=nan, posinf=posinf, neginf=neginf))


_OF_LISTS = (array, asarray, concatenate, stack, vstack, hstack, dstack, column_stack, append, select, where)
_OF_NUMBERS = (atleast_1d, atleast_2d, atleast_3d, full, full_like, linspace, kron)
_OF_ONE = (array_split, split, vsplit, hsplit, dsplit, flipud, fliplr, rot90, rollaxis, diag, make_diagonal)
_MOVING = (reshape, ravel, copy, nan_to_num)
LISTS = {f.__name__: f for f in (*_OF_LISTS, *_OF_NUMBERS)} | {
    "asanyarray": asarray,
    "ascontiguousarray": asarray,
    "row_stack": vstack,
    "concat": concatenate,
    "concatenate_args": concatenate_args,
    "array_from_args": lambda dtype, _settings, *xs: array(list(xs), dtype),
}
OWN = {f.__name__: f for f in (*_OF_ONE, *_MOVING)} | {
    "permute_dims": ag.permute_dims,
    "astype": ag.astype,
    "flip": ag.flip,
}
