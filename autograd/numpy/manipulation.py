"""NumPy's functions that make, join, cut and turn arrays, of Tensors, with NumPy's arguments where ours have others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError, UnsupportedError
from autograd.ops.arrange import (
    append,
    array_split,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    column_stack,
    copy,
    diag,
    dsplit,
    dstack,
    fliplr,
    flipud,
    hsplit,
    hstack,
    kron,
    nan_to_num,
    rot90,
    vsplit,
    vstack,
)
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


def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Any:
    """End to end along an axis."""
    return ag.concat(_list(xs), axis)


def concatenate_args(axis: int, *xs: Any) -> Any:
    """End to end along an axis that is the first argument."""
    return ag.concat(_list(xs), axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """Along a new axis."""
    return ag.stack(_list(xs), axis)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Equal parts, or cut at given places."""
    whole = isinstance(indices_or_sections, (int, np.integer))
    if whole and x.shape[axis] % indices_or_sections:
        raise ArgumentError(f"split of {x.shape[axis]} elements into {indices_or_sections}. Expected equal parts.")
    return array_split(x, indices_or_sections, axis)


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


def full(shape: Any, fill_value: Any, dtype: DTypeLike | None = None, order: str = "C") -> Any:
    """One value, or values that broadcast, everywhere."""
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    value = _stacked(fill_value)
    return ag.broadcast_to(value if dtype is None else ag.astype(value, dtype), sizes)


def full_like(x: Any, fill_value: Any, dtype: DTypeLike | None = None, order: str = "K") -> Any:
    """One value everywhere, in the shape and dtype of x."""
    return full(x.shape, fill_value, x.dtype if dtype is None else dtype)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where the condition holds, y elsewhere; the places where it holds without them."""
    if x is None or y is None:
        values = condition.value if isinstance(condition, Tensor) else condition
        return np.nonzero(values)
    return ag.where(condition, *_list([x, y]))


_SPACED = (ag.geomspace, ag.linspace, ag.logspace)
_OF_LISTS = (array, asarray, concatenate, stack, vstack, hstack, dstack, column_stack, append, ag.select, where)
_OF_NUMBERS = (atleast_1d, atleast_2d, atleast_3d, full, full_like, kron, *_SPACED)
_OF_ONE = (array_split, split, vsplit, hsplit, dsplit, flipud, fliplr, rot90, diag, make_diagonal)
_MOVING = (reshape, ravel, copy, nan_to_num)
LISTS: dict[str, Any] = {f.__name__: f for f in (*_OF_LISTS, *_OF_NUMBERS)} | {
    "asanyarray": asarray,
    "ascontiguousarray": asarray,
    "row_stack": vstack,
    "block": ag.block,
    "choose": ag.choose,
    "concat": concatenate,
    "concatenate_args": concatenate_args,
    "array_from_args": lambda dtype, _settings, *xs: array(list(xs), dtype),
}
OWN = {f.__name__: f for f in (*_OF_ONE, *_MOVING)} | {
    "permute_dims": ag.permute_dims,
    "astype": ag.astype,
    "flip": ag.flip,
}
