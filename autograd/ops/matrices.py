"""What `np.linalg` has beside decompositions, composed of them; and those of its names whose arguments are not ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ArgumentError, ShapeError
from autograd.ops import elementwise, linalg, reduce, search, shape
from autograd.ops.arrange import stacked
from autograd.ops.axes import Axes, one_axis
from autograd.ops.complex import abs, conj
from autograd.ops.matrix import eigh, inv, lstsq, matrix_norm, solve, svd, svdvals
from autograd.primitive import from_numpy, nondifferentiable, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = ["cond", "matrix_power", "matrix_rank", "matvec", "multi_dot", "vdot", "vecmat", "vector_norm"]


@public(np.linalg.vector_norm)
def vector_norm(x: Operand, *, axis: Axes = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """`norm` of vectors, under the name of the array API standard.

    >>> import autograd as ag
    >>> ag.vector_norm(ag.tensor([3.0, 4.0]))
    tensor(5.)
    """
    t: Any = stacked(x)
    return reduce.norm(t, ord, tuple(range(t.ndim)) if axis is None else axis, keepdims=keepdims)


@public(np.linalg.matrix_power)
def matrix_power(a: Operand, n: int) -> Tensor:
    """a times itself, n times, by repeated squaring; of its inverse for n below 0, the identity for 0.

    >>> import autograd as ag
    >>> ag.matrix_power(ag.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    base: Any = stacked(a)
    if base.ndim < 2 or base.shape[-1] != base.shape[-2]:
        raise ShapeError(f"matrix_power was given shape {base.shape}. Expected (..., n, n).")
    if not isinstance(n, (int, np.integer)):
        raise ArgumentError(f"matrix_power was given n={n!r}. Expected a whole number.")
    base, n = (inv(base), -n) if n < 0 else (base, n)
    product: Any = None
    while n:
        if n % 2:
            product = base if product is None else linalg.matmul(product, base)
        base, n = (linalg.matmul(base, base) if n > 1 else base), n // 2
    if product is None:
        return base * 0 + np.eye(base.shape[-1], dtype=base.dtype)  # type: ignore[no-any-return]
    return product  # type: ignore[no-any-return]


@public(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Operand]) -> Tensor:
    """The product of several matrices, from the left; the first and the last may be vectors.

    >>> import autograd as ag
    >>> ag.multi_dot([ag.tensor([1.0, 2.0]), [[1.0, 0.0], [0.0, 2.0]], [1.0, 1.0]])
    tensor(5.)
    """
    if len(arrays) < 2:
        raise ArgumentError(f"multi_dot was given {len(arrays)} arrays. Expected two at least.")
    product = stacked(arrays[0])
    for x in arrays[1:]:
        product = linalg.matmul(product, stacked(x))
    return product  # type: ignore[no-any-return]


@public(np.linalg.cond)
def cond(x: Operand, p: Any = None) -> Tensor:
    """How much a solution may lose: the largest over the smallest singular value, or |x| |x^-1| in the norm p.

    >>> import autograd as ag
    >>> ag.cond(ag.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    if p is None or p in (2, -2):
        s: Any = svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]  # type: ignore[no-any-return]
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)


_rank = nondifferentiable("matrix_rank", "a", lambda a, *, rtol=None: np.asarray(np.linalg.matrix_rank(a, rtol=rtol)))


@public(np.linalg.matrix_rank)
def matrix_rank(a: Operand, rtol: float | None = None) -> Tensor:
    """How many singular values are larger than `rtol` times the largest, by default rounding; without a derivative.

    >>> import autograd as ag
    >>> ag.matrix_rank(ag.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    return _rank(a, rtol=rtol)


@public(np.vdot)
def vdot(a: Operand, b: Operand) -> Tensor:
    """The sum of conj(a) b over all elements, both flattened.

    >>> import autograd as ag
    >>> ag.vdot(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0], [4.0]]))
    tensor(11.)
    """
    return linalg.vecdot(shape.reshape(stacked(a), (-1,)), shape.reshape(stacked(b), (-1,)))


@public(*filter(None, [getattr(np, "matvec", None)]))  # NumPy has it from 2.2 on
def matvec(a: Operand, x: Operand) -> Tensor:
    """Matrices (..., m, n) times vectors (..., n).

    >>> import autograd as ag
    >>> ag.matvec(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), [1.0, 10.0])
    tensor([21., 43.])
    """
    return linalg.matmul(stacked(a), shape.expand_dims(stacked(x), -1))[..., 0]


@public(*filter(None, [getattr(np, "vecmat", None)]))  # NumPy has it from 2.2 on
def vecmat(x: Operand, a: Operand) -> Tensor:
    """Conjugated vectors (..., m) times matrices (..., m, n).

    >>> import autograd as ag
    >>> ag.vecmat([1.0, 10.0], ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([31., 42.])
    """
    return linalg.matmul(shape.expand_dims(conj(stacked(x)), -2), stacked(a))[..., 0, :]


# ---- what NumPy's names take


def numpy_norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Of all elements, of vectors along an axis, or of matrices along two."""
    x = stacked(x)
    if axis is None and (ord is None or (ord in ("f", "fro") and x.ndim == 2) or (ord == 2 and x.ndim == 1)):
        return reduce.norm(x, None, keepdims=keepdims)
    axes: Any = range(x.ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    if len(axes) == 1:
        return reduce.norm(x, 2 if ord is None else ord, axes[0], keepdims=keepdims)
    if len(axes) != 2:
        raise ArgumentError(f"norm was given axis={axis!r}. Expected None, one axis of vectors, or two of matrices.")
    axes = tuple(one_axis(k, x.ndim, "norm") for k in axes)
    y = matrix_norm(shape.moveaxis(x, axes, (-2, -1)), keepdims=keepdims, ord="fro" if ord in (None, "f") else ord)
    return shape.moveaxis(y, (-2, -1), axes) if keepdims else y


def numpy_eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues in ascending order and their vectors."""
    return eigh(a if UPLO.upper() == "L" else shape.matrix_transpose(a))


def numpy_svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """a = u diag(s) vh."""
    if not compute_uv:
        return svdvals(a)
    a = stacked(a)
    return svd(a, full_matrices=full_matrices and a.shape[-1] != a.shape[-2])


def numpy_trace(x: Any, offset: int = 0, dtype: Any = None) -> Any:
    """Of the last two axes."""
    return reduce.trace(x if dtype is None else shape.astype(x, dtype), offset, -2, -1)


def numpy_diagonal(x: Any, offset: int = 0) -> Any:
    """Of the last two axes."""
    return search.diagonal(x, offset, -2, -1)


def numpy_lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The solution, the sums of squares that it leaves if they are definite, the rank and the singular values."""
    a, b = stacked(a), stacked(b)
    x: Any = lstsq(a, b, rcond)
    rank, (rows, columns) = int(matrix_rank(a, rcond)), a.shape
    left: Any = reduce.sum(elementwise.square(abs(b - linalg.matmul(a, x))), 0)
    definite = rank == columns < rows
    return x, shape.reshape(left, (-1,)) if definite else np.zeros(0, left.dtype), rank, svdvals(a)


def numpy_tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    """x with tensordot(a, x, x.ndim) = b, where `axes` of a are those of x, by default its last."""
    a, b = stacked(a), stacked(b)
    a = a if axes is None else shape.moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    found = solve(shape.reshape(a, (b.size, -1)), shape.reshape(b, (-1,)))
    return shape.reshape(found, a.shape[b.ndim :])


def numpy_tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of tensordot(a, x, ind), where the first `ind` axes of a are those of the result."""
    a = stacked(a)
    if ind <= 0:
        raise ArgumentError(f"tensorinv was given ind={ind}. Expected 1 or more.")
    size = int(np.prod(a.shape[ind:]))
    return shape.reshape(inv(shape.reshape(a, (-1, size))), a.shape[ind:] + a.shape[:ind])


from_numpy |= {
    np.linalg.lstsq: numpy_lstsq,
    np.linalg.tensorinv: numpy_tensorinv,
    np.linalg.tensorsolve: numpy_tensorsolve,
    np.linalg.diagonal: numpy_diagonal,
    np.linalg.eigh: numpy_eigh,
    np.linalg.matmul: linalg.matmul,
    np.linalg.matrix_transpose: shape.matrix_transpose,
    np.linalg.norm: numpy_norm,
    np.linalg.outer: linalg.outer,
    np.linalg.svd: numpy_svd,
    np.linalg.tensordot: linalg.tensordot,
    np.linalg.trace: numpy_trace,
    np.linalg.vecdot: linalg.vecdot,
}
