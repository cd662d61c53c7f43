"""Searching and sorting: orders and places carry no gradient; what is picked by them does, through indexing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ShapeError
from autograd.ops.axes import Axes, definite_axes, one_axis, rank, shape_of
from autograd.ops.compare import equal, isfinite, isnan, less_equal, logical_and, logical_not, logical_or
from autograd.ops.complex import abs as abs_
from autograd.ops.elementwise import add, subtract
from autograd.ops.index import getitem, take_along_axis
from autograd.ops.join import flip
from autograd.ops.shape import moveaxis, reshape
from autograd.primitive import nondifferentiable, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

_argmax = nondifferentiable("argmax", "x", lambda x, *, axis, keepdims: np.argmax(x, axis, keepdims=keepdims))
_argmin = nondifferentiable("argmin", "x", lambda x, *, axis, keepdims: np.argmin(x, axis, keepdims=keepdims))
_argsort = nondifferentiable("argsort", "x", lambda x, *, axis: np.argsort(x, axis, kind="stable"))
_nonzero = nondifferentiable("nonzero", "x", lambda x: np.stack(np.nonzero(np.atleast_1d(x))))
_count = nondifferentiable(
    "count_nonzero", "x", lambda x, *, axis, keepdims: np.count_nonzero(x, axis, keepdims=keepdims)
)
_searchsorted = nondifferentiable(
    "searchsorted", "sorted values", lambda sorted, values, *, side: np.searchsorted(sorted, values, side)
)
_all = nondifferentiable("all", "x", lambda x, *, axis, keepdims: np.all(x, axis=axis, keepdims=keepdims))
_any = nondifferentiable("any", "x", lambda x, *, axis, keepdims: np.any(x, axis=axis, keepdims=keepdims))


def _place(op: Any, x: Any, axis: int | None, keepdims: bool) -> Tensor:
    axis = None if axis is None else one_axis(axis, rank(x), op.name)
    if 0 in (shape_of(x) if axis is None else shape_of(x)[axis : axis + 1]):
        raise ShapeError(f"{op.name} was given shape {shape_of(x)}. Expected at least one element along the axis.")
    return op(x, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]


@public(np.argmax)
def argmax(x: Operand, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Where the largest element is along an axis, the first of equals; in the flattened array for None.

    >>> import autograd as ag
    >>> ag.argmax(ag.tensor([3.0, 7.0, 7.0]))
    tensor(1)
    """
    return _place(_argmax, x, axis, keepdims)


@public(np.argmin)
def argmin(x: Operand, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """Where the smallest element is along an axis, the first of equals; in the flattened array for None.

    >>> import autograd as ag
    >>> ag.argmin(ag.tensor([3.0, 1.0]))
    tensor(1)
    """
    return _place(_argmin, x, axis, keepdims)


@public(np.argsort)
def argsort(
    x: Operand, axis: int | None = -1, kind: str | None = None, *, descending: bool = False, stable: bool = True
) -> Tensor:
    """The order that sorts x along an axis, that of all elements for None; equal elements keep theirs, for any `kind`.

    >>> import autograd as ag
    >>> ag.argsort(ag.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, axis)
    k = one_axis(axis, rank(x), "argsort")
    if not descending:
        return _argsort(x, axis=k)
    last = shape_of(x)[k] - 1
    return last - flip(_argsort(flip(x, k), axis=k), k)  # flipped twice, so that equal elements keep their order


@public(np.sort)
def sort(
    x: Operand, axis: int | None = -1, kind: str | None = None, *, descending: bool = False, stable: bool = True
) -> Tensor:
    """The elements in order along an axis, all of them for None; equal ones stay as they stood, for any `kind`.

    >>> import autograd as ag
    >>> ag.sort(ag.tensor([3.0, 1.0, 2.0]), descending=True)
    tensor([3., 2., 1.])
    """
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, axis)
    return take_along_axis(x, argsort(x, axis, descending=descending), axis)


@public(np.nonzero)
def nonzero(x: Operand) -> tuple[Tensor, ...]:
    """For each axis, the indices of the elements that are not zero.

    >>> import autograd as ag
    >>> ag.nonzero(ag.tensor([0, 5, 7]))
    (tensor([1, 2]),)
    """
    return tuple(_nonzero(x))


@public(np.count_nonzero)
def count_nonzero(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """How many elements are not zero.

    >>> import autograd as ag
    >>> ag.count_nonzero(ag.tensor([0, 5, 7]))
    tensor(2)
    """
    return _count(x, axis=definite_axes(axis, rank(x), "count_nonzero"), keepdims=keepdims)


@public(np.searchsorted)
def searchsorted(sorted: Operand, values: Operand, *, side: str = "left", sorter: Operand | None = None) -> Tensor:
    """Where each value would go in a 1-d array, sorted or in the order `sorter`, before ("left") or after its equals.

    >>> import autograd as ag
    >>> ag.searchsorted(ag.tensor([1.0, 2.0, 3.0]), ag.tensor([2.5]))
    tensor([2])
    """
    return _searchsorted(sorted if sorter is None else take_along_axis(sorted, sorter), values, side=side)


@public(np.all)
def all(x: Operand, axis: Axes = None, *, keepdims: bool = False, where: Any = True) -> Tensor:
    """Whether every element along the axes is true.

    >>> import autograd as ag
    >>> ag.all(ag.tensor([True, False]))
    tensor(False)
    """
    x = x if where is True else logical_or(logical_not(where), x)
    return _all(x, axis=definite_axes(axis, rank(x), "all"), keepdims=keepdims)


@public(np.any)
def any(x: Operand, axis: Axes = None, *, keepdims: bool = False, where: Any = True) -> Tensor:
    """Whether an element along the axes is true.

    >>> import autograd as ag
    >>> ag.any(ag.tensor([True, False]))
    tensor(True)
    """
    x = x if where is True else logical_and(where, x)
    return _any(x, axis=definite_axes(axis, rank(x), "any"), keepdims=keepdims)


@public(np.diagonal)
def diagonal(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal of two axes, as a new last axis.

    >>> import autograd as ag
    >>> ag.diagonal(ag.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    a, b = one_axis(axis1, rank(x), "diagonal"), one_axis(axis2, rank(x), "diagonal")
    rows, columns = shape_of(x)[a], shape_of(x)[b]
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    i = np.arange(length) + max(0, -offset)
    return getitem(moveaxis(x, (a, b), (-2, -1)), (..., i, i + offset))


@public(np.isclose)
def isclose(a: Operand, b: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |a - b| <= atol + rtol |b|; infinities are close to themselves, NaN to NaN only if asked for.

    >>> import autograd as ag
    >>> ag.isclose(ag.tensor([1.0, 2.0]), 1.0)
    tensor([ True, False])
    """
    b = add(b, 0.0)  # whole numbers without a sign cannot be subtracted from each other
    with np.errstate(invalid="ignore"):
        near = logical_and(isfinite(b), less_equal(abs_(subtract(a, b)), atol + rtol * abs_(b)))
    close = logical_or(equal(a, b), near)
    return logical_or(close, logical_and(isnan(a), isnan(b))) if equal_nan else close


@public(np.allclose)
def allclose(a: Operand, b: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether `isclose` holds everywhere.

    >>> import autograd as ag
    >>> ag.allclose(ag.tensor([1.0, 2.0]), [1.0, 2.0 + 1e-9])
    True
    """
    return bool(all(isclose(a, b, rtol, atol, equal_nan)))


@public(np.array_equal)
def array_equal(a: Operand, b: Operand, equal_nan: bool = False) -> bool:
    """Whether shapes and all elements are equal.

    >>> import autograd as ag
    >>> ag.array_equal(ag.tensor([1.0, 2.0]), [1.0, 2.0])
    True
    """
    if shape_of(a) != shape_of(b):
        return False
    same = equal(a, b)
    return bool(all(logical_or(same, logical_and(isnan(a), isnan(b))) if equal_nan else same))
