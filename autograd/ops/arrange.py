"""NumPy's functions that stack, cut, turn and lay out arrays, composed of those with a rule; arguments are NumPy's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ShapeError
from autograd.ops.axes import rank, shape_of
from autograd.ops.compare import equal, isnan
from autograd.ops.complex import imag, real
from autograd.ops.elementwise import where
from autograd.ops.index import put
from autograd.ops.join import concat, flip, split, stack
from autograd.ops.search import diagonal
from autograd.ops.shape import astype, flatten, reshape, swapaxes
from autograd.primitive import Traced, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = [
    "append",
    "array_split",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "column_stack",
    "diag",
    "dsplit",
    "dstack",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "kron",
    "nan_to_num",
    "rot90",
    "vsplit",
    "vstack",
]


def stacked(x: Any) -> Any:
    """Nested lists with Tensors in them as one Tensor; any other array, or list of numbers, as an array."""
    if isinstance(x, Traced):
        return x
    return stack([stacked(part) for part in x]) if _holds_tensors(x) else np.asarray(x)


def _holds_tensors(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and any(isinstance(part, Traced) or _holds_tensors(part) for part in x)


def _each(xs: Sequence[Any], least: int, shape: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Any:
    """Arrays of fewer axes than `least` in another shape: one, or a tuple of several."""
    arrays = [stacked(x) for x in xs]
    made = [reshape(x, shape(x.shape)) if x.ndim < least else x for x in arrays]
    return made[0] if len(made) == 1 else tuple(made)


@public(np.atleast_1d)
def atleast_1d(*xs: Operand) -> Any:
    """With one axis at least; several arrays as a tuple.

    >>> import autograd as ag
    >>> ag.atleast_1d(ag.tensor(2.0))
    tensor([2.])
    """
    return _each(xs, 1, lambda s: (1,))


@public(np.atleast_2d)
def atleast_2d(*xs: Operand) -> Any:
    """With two axes at least, new ones first; several arrays as a tuple.

    >>> import autograd as ag
    >>> ag.atleast_2d(ag.tensor([2.0, 3.0]))
    tensor([[2., 3.]])
    """
    return _each(xs, 2, lambda s: (1,) * (2 - len(s)) + s)


@public(np.atleast_3d)
def atleast_3d(*xs: Operand) -> Any:
    """With three axes at least: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1); several arrays as a tuple.

    >>> import autograd as ag
    >>> ag.atleast_3d(ag.tensor([2.0, 3.0])).shape
    (1, 2, 1)
    """
    return _each(xs, 3, lambda s: (*s, 1) if len(s) == 2 else (1, *s, 1) if s else (1, 1, 1))


@public(np.copy)
def copy(x: Operand, order: str = "K", subok: bool = False) -> Tensor:
    """An array of its own."""
    t: Any = stacked(x)
    return astype(t, t.dtype)


@public(np.vstack)
def vstack(xs: Sequence[Operand]) -> Tensor:
    """Rows on rows.

    >>> import autograd as ag
    >>> ag.vstack([ag.tensor([1.0, 2.0]), [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return concat([atleast_2d(x) for x in xs], 0)


@public(np.hstack)
def hstack(xs: Sequence[Operand]) -> Tensor:
    """Side by side: along the second axis, or the only one.

    >>> import autograd as ag
    >>> ag.hstack([ag.tensor([1.0, 2.0]), 3.0])
    tensor([1., 2., 3.])
    """
    parts = [atleast_1d(x) for x in xs]
    return concat(parts, 0 if parts and parts[0].ndim == 1 else 1)


@public(np.dstack)
def dstack(xs: Sequence[Operand]) -> Tensor:
    """Along the third axis.

    >>> import autograd as ag
    >>> ag.dstack([ag.tensor([1.0, 2.0]), [3.0, 4.0]])
    tensor([[[1., 3.],
             [2., 4.]]])
    """
    return concat([atleast_3d(x) for x in xs], 2)


@public(np.column_stack)
def column_stack(xs: Sequence[Operand]) -> Tensor:
    """Vectors as the columns of a matrix.

    >>> import autograd as ag
    >>> ag.column_stack([ag.tensor([1.0, 2.0]), [3.0, 4.0]])
    tensor([[1., 3.],
            [2., 4.]])
    """
    return concat([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in map(stacked, xs)], 1)


@public(np.append)
def append(x: Operand, values: Operand, axis: int | None = None) -> Tensor:
    """`values` after x; both flattened without an axis.

    >>> import autograd as ag
    >>> ag.append(ag.tensor([1.0, 2.0]), 3.0)
    tensor([1., 2., 3.])
    """
    parts = [stacked(x), stacked(values)]
    return concat([flatten(p) for p in parts], 0) if axis is None else concat(parts, axis)


@public(np.array_split)
def array_split(x: Operand, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Parts of lengths as equal as may be, the longer ones first, or cut at given places.

    >>> import autograd as ag
    >>> ag.array_split(ag.tensor([1.0, 2.0, 3.0]), 2)
    [tensor([1., 2.]), tensor([3.])]
    """
    places = indices_or_sections
    if isinstance(places, (int, np.integer)):
        places = np.cumsum([len(part) for part in np.array_split(np.arange(shape_of(x)[axis]), places)])[:-1].tolist()
    return split(x, [int(p) for p in places], axis)


@public(np.vsplit)
def vsplit(x: Operand, indices_or_sections: Any) -> list[Tensor]:
    """`split` by rows.

    >>> import autograd as ag
    >>> len(ag.vsplit(ag.ones((4, 2)), 2))
    2
    """
    return split(x, indices_or_sections, 0)


@public(np.hsplit)
def hsplit(x: Operand, indices_or_sections: Any) -> list[Tensor]:
    """`split` by columns, or along the only axis.

    >>> import autograd as ag
    >>> len(ag.hsplit(ag.ones((4, 2)), 2))
    2
    """
    return split(x, indices_or_sections, 1 if rank(x) > 1 else 0)


@public(np.dsplit)
def dsplit(x: Operand, indices_or_sections: Any) -> list[Tensor]:
    """`split` along the third axis.

    >>> import autograd as ag
    >>> len(ag.dsplit(ag.ones((1, 4, 2)), 2))
    2
    """
    return split(x, indices_or_sections, 2)


@public(np.flipud)
def flipud(x: Operand) -> Tensor:
    """Rows in reverse.

    >>> import autograd as ag
    >>> ag.flipud(ag.tensor([1.0, 2.0]))
    tensor([2., 1.])
    """
    return flip(x, 0)


@public(np.fliplr)
def fliplr(x: Operand) -> Tensor:
    """Columns in reverse.

    >>> import autograd as ag
    >>> ag.fliplr(ag.tensor([[1.0, 2.0]]))
    tensor([[2., 1.]])
    """
    return flip(x, 1)


@public(np.rot90)
def rot90(x: Operand, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """k quarter turns in the plane of two axes, from the first to the second.

    >>> import autograd as ag
    >>> ag.rot90(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 4.],
            [1., 3.]])
    """
    a, b = axes
    if k % 2 == 0:
        return flip(x, (a, b)) if k % 4 else flip(x, ())
    return swapaxes(flip(x, b), a, b) if k % 4 == 1 else flip(swapaxes(x, a, b), b)


@public(np.diag)
def diag(x: Operand, k: int = 0) -> Tensor:
    """The diagonal of a matrix, or a matrix with a diagonal.

    >>> import autograd as ag
    >>> ag.diag(ag.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    v: Any = stacked(x)
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ShapeError(f"diag was given shape {v.shape}. Expected a vector or a matrix; ag.diagonal takes others.")
    size = v.shape[0] + abs(k)
    rows = np.arange(v.shape[0]) + max(-k, 0)
    return put(np.zeros((size, size), v.dtype), (rows, rows + k), v)


@public(np.kron)
def kron(a: Operand, b: Operand) -> Tensor:
    """Every element of a times all of b, as blocks.

    >>> import autograd as ag
    >>> ag.kron(ag.tensor([1.0, 10.0]), [1.0, 2.0])
    tensor([ 1.,  2., 10., 20.])
    """
    p, q = stacked(a), stacked(b)
    axes = max(p.ndim, q.ndim)
    m, n = ((1,) * (axes - x.ndim) + x.shape for x in (p, q))
    blocks = reshape(p, [s for size in m for s in (size, 1)]) * reshape(q, [s for size in n for s in (1, size)])
    return reshape(blocks, [i * j for i, j in zip(m, n, strict=True)])


@public(np.nan_to_num)
def nan_to_num(
    x: Operand, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """With numbers in place of what is undefined or infinite, where the derivative is zero.

    `posinf` and `neginf` are the largest and the smallest number of the dtype for None.

    >>> import autograd as ag
    >>> ag.nan_to_num(ag.tensor([1.0, ag.nan, ag.inf]), posinf=9.0)
    tensor([1., 0., 9.])
    """
    t: Any = stacked(x)
    if t.dtype.kind == "c":
        parts = [nan_to_num(part, copy, nan, posinf, neginf) for part in (real(t), imag(t))]
        return parts[0] + 1j * parts[1]
    if t.dtype.kind != "f":
        return astype(t, t.dtype)
    most = float(np.finfo(t.dtype).max)
    t = where(equal(t, np.inf), most if posinf is None else posinf, t)
    return where(isnan(t), nan, where(equal(t, -np.inf), -most if neginf is None else neginf, t))
