"""Indexing: gathering elements, its transpose (adding them back where they came from), and assignment.

An index is split in two: a template of what is known beforehand (slices, whole numbers, None, Ellipsis), and the index
arrays, which are inputs of the primitive like any other, so that a compiled program can be run again with new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd.domain import REALS, Booleans, Integers, case
from autograd.errors import DTypeError, ShapeError
from autograd.ops.axes import one_axis, rank, shape_of
from autograd.ops.choose import pick
from autograd.ops.compare import equal
from autograd.primitive import Primitive, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Index, Operand, Tensor

ARRAY = "array"  # the place of an index array in a template
Template = tuple[Any, ...]


def _template(index: Any) -> tuple[Template, list[Any]]:
    """The static part of an index, and its arrays in order."""
    static: list[Any] = []
    arrays: list[Any] = []
    for item in index if isinstance(index, tuple) else (index,):
        if item is None or item is Ellipsis or (isinstance(item, (slice, int)) and not isinstance(item, bool)):
            static.append(item)
            continue
        array = item if hasattr(item, "dtype") else np.asarray(item, None if np.size(item) else np.intp)
        if array.dtype.kind not in "biu":
            raise DTypeError(
                f"an index of dtype {array.dtype} was given. Expected whole numbers, booleans, slices, None or ...; "
                "write index.astype('int64')."
            )
        static.append(ARRAY)
        arrays.append(array)
    return tuple(static), arrays


def _filled(template: Template, arrays: Sequence[Any]) -> Any:
    if len(template) == 1:
        return arrays[0] if arrays else template[0]
    rest = iter(arrays)
    return tuple(next(rest) if isinstance(item, str) else item for item in template)


def _single_axis(template: Template, arrays: Sequence[Any]) -> int | None:
    """The axis of the only index array, if it holds whole numbers and all else is taken whole."""
    whole = all(isinstance(item, str) or (isinstance(item, slice) and item == slice(None)) for item in template)
    return template.index(ARRAY) if len(arrays) == 1 and whole and arrays[0].dtype.kind != "b" else None


def _gather(x: Any, *arrays: Any, index: Template, shape: tuple[int, ...]) -> Any:
    axis = _single_axis(index, arrays)
    return x[_filled(index, arrays)] if axis is None else np.asarray(x).take(arrays[0], axis)


def _scatter_add(g: Any, *arrays: Any, index: Template, shape: tuple[int, ...]) -> NDArray[Any]:
    g = np.asarray(g)
    out = np.zeros(shape, g.dtype)
    at = _filled(index, arrays)
    if all(a.dtype.kind == "b" for a in arrays):
        out[at] = g  # no place is named twice
        return out
    axis = _single_axis(index, arrays)
    if axis is not None and arrays[0].size:
        places, count = arrays[0], arrays[0].ndim
        parts = np.broadcast_to(g, (*shape[:axis], *places.shape, *shape[axis + 1 :]))
        _add_slices(np.moveaxis(out, axis, 0), places, np.moveaxis(parts, range(axis, axis + count), range(count)))
    elif out.size <= 4 * g.size:
        places = np.arange(out.size).reshape(shape)[at]
        np.add.at(out.reshape(-1), places.reshape(-1), np.broadcast_to(g, places.shape).reshape(-1))
    else:
        np.add.at(out, at, g)
    return out


def _add_slices(out: NDArray[Any], places: NDArray[Any], parts: NDArray[Any]) -> None:
    """out[places] += parts along the first axis, places repeated as they may be: sorted, then summed run by run."""
    flat = np.where(places < 0, places + len(out), places).reshape(-1)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    rows = parts.reshape(flat.size, *out.shape[1:])
    out[ordered[starts]] = np.add.reduceat(rows[order], starts, axis=0)


def _assign(x: Any, value: Any, *arrays: Any, index: Template) -> NDArray[Any]:
    out = np.array(x)
    if not np.can_cast(np.result_type(value), out.dtype, "same_kind") and not isinstance(value, (int, float)):
        raise TypeError(f"assigning {np.result_type(value)} to {out.dtype} would lose what does not fit")
    out[_filled(index, arrays)] = value
    return out


def _last_writer(taken: Any, arrays: Sequence[Any], index: Template, shape: tuple[int, ...]) -> Any:
    """Which of the assigned elements are still there: of several written to one place, NumPy keeps the last."""
    number = np.arange(taken.size).reshape(taken.shape)
    owner = _put(np.zeros(shape, np.intp), number, *arrays, index=index)
    return equal(_getitem(owner, *arrays, index=index, shape=shape), number)


def _put_rule(g: Any, rest: Sequence[Any], *, position: int, index: Template) -> Any:
    arrays = [getattr(a, "value", a) for a in rest]
    if position == 0:
        return _put(g, 0, *arrays, index=index)
    taken = _getitem(g, *arrays, index=index, shape=g.shape)
    return taken if all(a.dtype.kind == "b" for a in arrays) else taken * _last_writer(taken, arrays, index, g.shape)


_BOTH = (REALS, Integers(0, 3), Integers(0, 4))
_getitem: Primitive = primitive(
    "getitem",
    "*x_and_arrays",
    _gather,
    vjp=(lambda g, rest, *, position, index, shape: _scatter(g, *rest, index=index, shape=shape),),
    cases=(
        case((3, 4), index=(1,), shape=(3, 4)),
        case((3, 4), index=(None, Ellipsis, slice(None, None, -2)), shape=(3, 4)),
        case((3, 4), (5,), on=(REALS, Integers(-3, 3)), index=(ARRAY,), shape=(3, 4)),
        case((2, 3, 4), (2, 2), on=(REALS, Integers(-3, 3)), index=(slice(None), ARRAY), shape=(2, 3, 4)),
        case((3, 4), (6,), (6,), on=_BOTH, index=(ARRAY, ARRAY), shape=(3, 4)),
        case((3, 2, 4), (2,), (2,), on=_BOTH, index=(ARRAY, slice(0, 1), ARRAY), shape=(3, 2, 4)),
        case((3, 4), (3,), on=(REALS, Booleans()), index=(ARRAY,), shape=(3, 4)),
        case((3, 4), (0,), on=(REALS, Integers(0, 3)), index=(ARRAY,), shape=(3, 4)),
    ),
    doc="The elements that an index names.",
)


def _deposit(buffer: Callable[[], tuple[Any, bool]], g: Any, saved: Sequence[Any], node: Any) -> Any:
    """buffer[index] += g where no place is named twice."""
    arrays = saved[2:]
    if any(a is None or a.dtype.kind != "b" for a in arrays):
        return None
    at = _filled(node.settings["index"], arrays)
    out, fresh = buffer()
    if fresh:
        out[at] = g
    else:
        out[at] += g
    return out


_getitem.deposit = _deposit
_scatter: Primitive = primitive(
    "scatter",
    "*x_and_arrays",
    _scatter_add,
    vjp=(lambda g, rest, *, position, index, shape: _getitem(g, *rest, index=index, shape=shape),),
    cases=(
        case((4,), index=(1,), shape=(3, 4)),
        case((5, 4), (5,), on=(REALS, Integers(0, 3)), index=(ARRAY,), shape=(3, 4)),
        case((6,), (6,), (6,), on=_BOTH, index=(ARRAY, ARRAY), shape=(3, 4)),
    ),
    doc="Zeros of a shape, with elements added at the places that an index names: the transpose of getitem.",
)


def _scatter_into(out: NDArray[Any], g: Any, *arrays: Any, index: Template, shape: tuple[int, ...]) -> None:
    if arrays:
        np.copyto(out, _scatter.forward(g, *arrays, index=index, shape=shape))
        return
    out.fill(0)
    out[_filled(index, ())] = g


_scatter.into = _scatter_into
_put: Primitive = primitive(
    "put",
    "*x_value_and_arrays",
    _assign,
    vjp=(lambda g, rest, *, position, index: _put_rule(g, rest[1:], position=position, index=index),),
    cases=(
        case((3, 4), (4,), index=(1,)),
        case((3, 4), (), index=(slice(0, 2),)),
        case((3, 4), (6,), (6,), (6,), on=(REALS, *_BOTH), index=(ARRAY, ARRAY)),
        case((3, 4), (), (3,), on=(REALS, REALS, Booleans()), index=(ARRAY,)),
    ),
    doc="A copy with other values at the places that an index names.",
)


@public()
def getitem(x: Operand, index: Index) -> Tensor:
    """x[index], with NumPy's rules for basic, advanced and mixed indexing.

    Raises:
        IndexOutOfRange: if the index names what is not there.
        DTypeError: if it is not made of whole numbers or booleans.

    >>> import autograd as ag
    >>> ag.getitem(ag.arange(5), slice(1, 3))
    tensor([1, 2])
    """
    template, arrays = _template(index)
    return _getitem(x, *arrays, index=template, shape=shape_of(x))


@public()
def put(x: Operand, index: Index, value: Operand) -> Tensor:
    """A copy of x with x[index] = value; where an index names a place twice, the last value stays.

    >>> import autograd as ag
    >>> ag.put(ag.zeros(3), 1, 5.0)
    tensor([0., 5., 0.])
    """
    template, arrays = _template(index)
    return _put(x, value, *arrays, index=template)


@public()
def index_add(x: Operand, index: Index, values: Operand) -> Tensor:
    """A copy of x with `values` added at x[index], places named twice receiving both.

    >>> import autograd as ag
    >>> ag.index_add(ag.zeros(3), [0, 0, 2], ag.ones(3))
    tensor([2., 0., 1.])
    """
    template, arrays = _template(index)
    return x + _scatter(values, *arrays, index=template, shape=shape_of(x))


@public(np.take)
def take(x: Operand, indices: Operand, axis: int | None = None) -> Tensor:
    """The slices of x at `indices` along an axis; of the flattened x for axis=None.

    >>> import autograd as ag
    >>> ag.take(ag.tensor([[1, 2], [3, 4]]), [1, 0], axis=1)
    tensor([[2, 1],
            [4, 3]])
    """
    if axis is None:
        x, axis = x.reshape(-1) if hasattr(x, "reshape") else np.reshape(x, -1), 0
    k = one_axis(axis, rank(x), "take")
    return getitem(x, (slice(None),) * k + (indices,))


@public(np.take_along_axis)
def take_along_axis(x: Operand, indices: Operand, axis: int = -1) -> Tensor:
    """x[..., indices[..., j, ...], ...]: along one axis, matched on the others. `argsort` and this sort.

    >>> import autograd as ag
    >>> ag.take_along_axis(ag.tensor([[10, 20], [30, 40]]), [[1], [0]], axis=1)
    tensor([[20],
            [30]])
    """
    ndim = rank(x)
    k = one_axis(axis, ndim, "take_along_axis")
    if rank(indices) != ndim:
        raise ShapeError(
            f"take_along_axis was given shape {shape_of(x)} and indices of shape {shape_of(indices)}. "
            "Expected as many axes on both: write expand_dims(indices, axis)."
        )
    others = [n for a, n in enumerate(shape_of(x)) if a != k]
    if shape_of(indices)[k] == 1 and others == [n for a, n in enumerate(shape_of(indices)) if a != k]:
        labels = indices if hasattr(indices, "dtype") else np.asarray(indices)
        if labels.dtype.kind in "iu":
            return pick(x, labels, axis=k)
    lengths = enumerate(shape_of(x))
    grid = [indices if a == k else np.arange(n).reshape((-1,) + (1,) * (ndim - 1 - a)) for a, n in lengths]
    return getitem(x, tuple(grid))
