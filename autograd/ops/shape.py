"""Operations that move elements without changing them: all linear, each the transpose of another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.domain import case
from autograd.errors import ArgumentError, DTypeError, ShapeError
from autograd.ops.axes import Axes, definite_axes, definite_shape, one_axis, rank, shape_of
from autograd.primitive import Primitive, nondifferentiable, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

FEW = 1 << 10  # elements that are copied sooner than NumPy makes a view that repeats them

reshape_: Primitive = primitive(
    "reshape",
    "x",
    lambda x, *, shape: x.reshape(shape) if isinstance(x, np.ndarray) else np.reshape(x, shape),
    vjp=(lambda g, *, input_shape: reshape_(g, shape=input_shape),),
    cases=(case((2, 3), shape=(3, 2)), case((), shape=(1, 1)), case((0, 2), shape=(0,)), case((4,), shape=(4,))),
    doc="The same elements in another shape.",
)


@cache
def _back(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order that undoes an order."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


_permute: Primitive = primitive(
    "permute_dims",
    "x",
    lambda x, *, axes: x.transpose(axes) if isinstance(x, np.ndarray) else np.transpose(x, axes),
    vjp=(lambda g, *, axes: _permute(g, axes=_back(tuple(axes))),),
    cases=(case((2, 3, 4), axes=(2, 0, 1)), case((), axes=()), case((0, 2), axes=(1, 0))),
    doc="The axes in another order.",
)


def _repeated(x: Any, shape: tuple[int, ...]) -> Any:
    """A view, or a copy where that is made sooner."""
    if math.prod(shape) > FEW or not isinstance(x, np.ndarray) or x.ndim > len(shape):
        return np.broadcast_to(x, shape)
    y = np.empty(shape, x.dtype)
    y[...] = x
    return y


_broadcast_to = primitive(
    "broadcast_to",
    "x",
    lambda x, *, shape: _repeated(x, tuple(shape)),
    vjp=(lambda g: g,),  # the sweep sums a cotangent down to the shape of its input
    cases=(case((3, 1), shape=(2, 3, 4)), case((), shape=(2, 2)), case((1,), shape=(0,)), case((2,), shape=(2,))),
    doc="Repeated along new axes and axes of length 1.",
)


_astype = primitive(
    "astype",
    "x",
    lambda x, *, dtype: (
        x.astype(dtype, copy=False) if isinstance(x, (np.ndarray, np.generic)) else np.asarray(x, dtype)
    ),
    vjp=(lambda g: g,),  # the sweep casts a cotangent to the dtype of its input
    cases=(case((2, 3), dtype=np.dtype("float64")),),
    doc="The values in another dtype.",
)


_rounded = nondifferentiable(
    "astype_whole",
    "x",
    lambda x, *, dtype: np.asarray(x).astype(dtype, copy=False),
    doc="The values as whole numbers or booleans: a constant, whatever x was.",
)


@public(np.reshape)
def reshape(x: Operand, shape: int | Sequence[int], order: str = "C") -> Tensor:
    """The same elements in another shape, read and written by rows ("C") or by columns ("F"); one length may be -1.

    >>> import autograd as ag
    >>> ag.reshape(ag.arange(6), (2, -1)).shape
    (2, 3)
    """
    size = 1
    for n in shape_of(x):
        size *= n
    wanted = definite_shape(shape, size, "reshape")
    if order in ("C", "A", "K"):
        return reshape_(x, shape=wanted)
    if order != "F":
        raise ArgumentError(f"reshape was given order={order!r}. Expected 'C', by rows, or 'F', by columns.")
    return permute_dims(reshape_(permute_dims(x), shape=wanted[::-1]))


@public(np.permute_dims)
def permute_dims(x: Operand, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in the given order, reversed for None: output axis k is input axis axes[k].

    >>> import autograd as ag
    >>> ag.permute_dims(ag.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    ndim = rank(x)
    order = tuple(one_axis(a, ndim, "permute_dims") for a in (range(ndim)[::-1] if axes is None else axes))
    if sorted(order) != list(range(ndim)):
        raise ShapeError(f"permute_dims was given axes {order} for {ndim} axes. Expected each axis exactly once.")
    return _permute(x, axes=order)


public(np.transpose)(permute_dims)


@public(np.matrix_transpose)
def matrix_transpose(x: Operand) -> Tensor:
    """The last two axes exchanged.

    >>> import autograd as ag
    >>> ag.matrix_transpose(ag.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    ndim = rank(x)
    if ndim < 2:
        raise ShapeError(f"matrix_transpose was given shape {shape_of(x)}. Expected at least two axes.")
    return _permute(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2))


@public(np.moveaxis)
def moveaxis(x: Operand, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The `source` axes moved to the `destination` places, the others in order.

    >>> import autograd as ag
    >>> ag.moveaxis(ag.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    ndim = rank(x)
    given = [source, destination]
    moved = [[one_axis(a, ndim, "moveaxis") for a in (s if isinstance(s, Sequence) else (s,))] for s in given]
    if len(moved[0]) != len(moved[1]):
        raise ShapeError(f"moveaxis was given {len(moved[0])} source axes and {len(moved[1])} destinations.")
    order = [a for a in range(ndim) if a not in moved[0]]
    for to, a in sorted(zip(moved[1], moved[0], strict=True)):
        order.insert(to, a)
    return permute_dims(x, order)


@public(np.swapaxes)
def swapaxes(x: Operand, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged.

    >>> import autograd as ag
    >>> ag.swapaxes(ag.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    order = list(range(rank(x)))
    a, b = one_axis(axis1, len(order), "swapaxes"), one_axis(axis2, len(order), "swapaxes")
    order[a], order[b] = b, a
    return _permute(x, axes=tuple(order))


@public(np.expand_dims)
def expand_dims(x: Operand, axis: int | Sequence[int]) -> Tensor:
    """New axes of length 1 at the given places of the result.

    >>> import autograd as ag
    >>> ag.expand_dims(ag.zeros((2, 3)), (0, -1)).shape
    (1, 2, 3, 1)
    """
    shape = shape_of(x)
    count = len(axis) if isinstance(axis, Sequence) else 1
    new = definite_axes(axis, len(shape) + count, "expand_dims")
    old = iter(shape)
    return reshape_(x, shape=tuple(1 if k in new else next(old) for k in range(len(shape) + count)))


@public(np.squeeze)
def squeeze(x: Operand, axis: Axes = None) -> Tensor:
    """Without the given axes, which must have length 1; without all such axes for None.

    >>> import autograd as ag
    >>> ag.squeeze(ag.zeros((1, 2, 1)), 0).shape
    (2, 1)
    """
    shape = shape_of(x)
    axes = (
        definite_axes(axis, len(shape), "squeeze") if axis is not None else [k for k, n in enumerate(shape) if n == 1]
    )
    if any(shape[k] != 1 for k in axes):
        raise ShapeError(f"squeeze was given axis {axis} of shape {shape}. Expected axes of length 1.")
    return reshape_(x, shape=tuple(n for k, n in enumerate(shape) if k not in axes))


@public(np.ravel)
def flatten(x: Operand, start_axis: int | str = 0, end_axis: int = -1, *, order: str = "C") -> Tensor:
    """The axes from `start_axis` to `end_axis`, both included, made one; all, by columns, for order "F".

    >>> import autograd as ag
    >>> ag.flatten(ag.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    order, start_axis = (start_axis, 0) if isinstance(start_axis, str) else (order, start_axis)
    shape = shape_of(x)
    if not shape or order != "C":
        return reshape(x, -1, order)
    first, last = one_axis(start_axis, len(shape), "flatten"), one_axis(end_axis, len(shape), "flatten")
    if first > last:
        raise ShapeError(f"flatten was given start_axis {start_axis} after end_axis {end_axis} of shape {shape}.")
    middle = 1
    for n in shape[first : last + 1]:
        middle *= n
    return reshape_(x, shape=(*shape[:first], middle, *shape[last + 1 :]))


@public(np.broadcast_to)
def broadcast_to(x: Operand, shape: int | Sequence[int]) -> Tensor:
    """x repeated to `shape` along new leading axes and axes of length 1.

    >>> import autograd as ag
    >>> ag.broadcast_to(ag.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    wanted = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    have = shape_of(x)
    if len(have) > len(wanted) or any(n not in (1, m) for n, m in zip(have[::-1], wanted[::-1], strict=False)):
        raise ShapeError(
            f"broadcast_to was given shape {have} to spread to {wanted}. Expected each axis, from the last, equal or 1."
        )
    return _broadcast_to(x, shape=wanted)


@public(np.broadcast_arrays)
def broadcast_arrays(*xs: Operand) -> list[Tensor]:
    """All arrays in the shape that they share after broadcasting.

    >>> import autograd as ag
    >>> [t.shape for t in ag.broadcast_arrays(ag.zeros(3), ag.zeros((2, 1)))]
    [(2, 3), (2, 3)]
    """
    shapes = [shape_of(x) for x in xs]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"broadcast_arrays was given shapes {shapes}, which do not broadcast.") from None
    return [broadcast_to(x, shape) for x in xs]


@public(np.meshgrid)
def meshgrid(*xs: Operand, indexing: str = "xy") -> list[Tensor]:
    """Coordinate arrays of the grid that 1-d arrays span; "ij" for matrix order.

    >>> import autograd as ag
    >>> [t.shape for t in ag.meshgrid(ag.zeros(2), ag.zeros(3), indexing="ij")]
    [(2, 3), (2, 3)]
    """
    order = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        order[:2] = [1, 0]
    spread = [reshape(x, tuple(-1 if k == at else 1 for k in range(len(xs)))) for x, at in zip(xs, order, strict=True)]
    return broadcast_arrays(*spread)


@public()
def astype(x: Operand, dtype: DTypeLike, copy: bool = True) -> Tensor:
    """The values in another dtype; the gradient comes back in the dtype of x, and ends at whole numbers and booleans.

    Raises:
        DTypeError: if complex numbers are to become real ones.

    >>> import autograd as ag
    >>> ag.astype(ag.tensor([1, 2]), "float32").dtype
    dtype('float32')
    """
    wanted = np.dtype(dtype)
    if wanted.kind not in "cb" and getattr(x, "dtype", wanted).kind == "c":
        raise DTypeError(f"astype was asked to make {x.dtype} into {wanted}. Write ag.real(x) or ag.abs(x) first.")  # type: ignore[union-attr]
    return (_astype if wanted.kind in "fc" else _rounded)(x, dtype=wanted)
