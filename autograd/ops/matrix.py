"""Linear algebra under NumPy's names: `np.linalg` with derivatives of every order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import rank, shape_of
from autograd.ops.complex import abs, is_complex, real, turned
from autograd.ops.decomposition import (
    cholesky_,
    det_,
    detphase_,
    detsign_,
    eigh_,
    inv_,
    logabsdet_,
    pinv_,
    qr_,
    qr_shapes,
    solve_,
    svd_,
    svd_shapes,
    unpacked,
)
from autograd.ops.index import getitem
from autograd.ops.linalg import matmul
from autograd.ops.reduce import max, min, norm, sum
from autograd.ops.shape import expand_dims, reshape
from autograd.primitive import Primitive, Traced, public

__all__ = [
    "cholesky",
    "det",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matrix_norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
]

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor


class Slogdet(NamedTuple):
    """The sign of a determinant (of a complex one, its phase) and the logarithm of its size."""

    sign: Tensor
    logabsdet: Tensor


class Eigh(NamedTuple):
    """Eigenvalues in ascending order, and the eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVD(NamedTuple):
    """a = U diag(S) Vh, with S in descending order."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class QR(NamedTuple):
    """a = Q R, with orthonormal columns and an upper triangle."""

    Q: Tensor
    R: Tensor


def _matrices(x: Any, name: str, square: bool = False) -> Any:
    x = x if isinstance(x, Traced) else np.asarray(x)
    shape = shape_of(x)
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        wanted = "(..., n, n)" if square else "(..., m, n)"
        raise ShapeError(f"{name} was given shape {shape}. Expected {wanted}: matrices in the last two axes.")
    return x


def _run(op: Primitive, *xs: Any, why: str, **settings: Any) -> Any:
    """Run a primitive whose inputs have the right shapes, so that it can only fail at their values."""
    try:
        return op(*xs, **settings)
    except (ShapeError, np.linalg.LinAlgError):
        raise ArgumentError(f"{op.name} was given {why}.") from None


_SINGULAR = "a singular matrix, which has no inverse: write ag.pinv or ag.lstsq, or add a small multiple of ag.eye"
_DIVERGED = "a matrix that holds NaN or infinity, or whose iteration did not converge"


@public(np.linalg.solve)
def solve(a: Operand, b: Operand) -> Tensor:
    """The x with a x = b.

    Shapes: (..., n, n) and (n,) or (..., n, k) to the shape of b.

    Raises:
        ShapeError: if a is not square or b has another length.
        ArgumentError: if a is singular.

    >>> import autograd as ag
    >>> ag.solve(ag.tensor([[2.0, 0.0], [0.0, 4.0]]), ag.tensor([2.0, 2.0]))
    tensor([1. , 0.5])
    """
    a = _matrices(a, "solve", square=True)
    vector = rank(b) == 1
    if not rank(b) or shape_of(b)[-1 if vector else -2] != shape_of(a)[-1]:
        raise ShapeError(
            f"solve was given shapes {shape_of(a)} and {shape_of(b)}. Expected (..., n, n) and (..., n, k)."
        )
    x = _run(solve_, a, expand_dims(b, -1) if vector else b, why=_SINGULAR)
    return reshape(x, x.shape[:-1]) if vector else x


@public(np.linalg.inv)
def inv(a: Operand) -> Tensor:
    """The inverse of (..., n, n); `ag.solve(a, b)` is better than `ag.inv(a) @ b`.

    Raises:
        ArgumentError: if a is singular.

    >>> import autograd as ag
    >>> ag.inv(ag.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    return _run(inv_, _matrices(a, "inv", square=True), why=_SINGULAR)  # type: ignore[no-any-return]


@public(np.linalg.det)
def det(a: Operand) -> Tensor:
    """The determinant of (..., n, n); its first derivative is right where a is singular too.

    >>> import autograd as ag
    >>> ag.grad(ag.det)(ag.tensor([[3.0, 0.0], [0.0, 0.0]]))
    tensor([[0., 0.],
            [0., 3.]])
    """
    return det_(_matrices(a, "det", square=True))


@public(np.linalg.slogdet)
def slogdet(a: Operand) -> Slogdet:
    """The sign of det(a), and log |det(a)|, which does not overflow.

    >>> import autograd as ag
    >>> ag.slogdet(ag.tensor([[0.0, 1.0], [1.0, 0.0]]))
    Slogdet(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    a = _matrices(a, "slogdet", square=True)
    return Slogdet((detphase_ if is_complex(a) else detsign_)(a), logabsdet_(a))


@public(np.linalg.cholesky)
def cholesky(a: Operand, *, upper: bool = False) -> Tensor:
    """The lower triangular L with L L^H = a, for a symmetric or Hermitian positive definite a; of upper, L^H.

    a is read as its symmetric or Hermitian part (a + a^H) / 2, and its gradient is symmetric or Hermitian.

    Raises:
        ArgumentError: if a is not positive definite.

    >>> import autograd as ag
    >>> ag.cholesky(ag.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    why = "a matrix that is not positive definite: add a small multiple of ag.eye, or write ag.eigh"
    y = _run(cholesky_, _matrices(a, "cholesky", square=True), why=why)
    return turned(y.mT) if upper else y  # type: ignore[no-any-return]


@public(np.linalg.eigh)
def eigh(a: Operand) -> Eigh:
    """Eigenvalues and eigenvectors of a symmetric or Hermitian (..., n, n), read as its part (a + a^H) / 2.

    The derivative of the eigenvectors is that of distinct eigenvalues, and infinite or undefined at equal ones. What
    depends on the phases of complex eigenvectors, which are arbitrary, has none: a DifferentiationError backwards.

    >>> import autograd as ag
    >>> ag.eigh(ag.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    y = _run(eigh_, _matrices(a, "eigh", square=True), why=_DIVERGED)
    return Eigh(real(getitem(y, (..., -1))), getitem(y, (..., slice(None, -1))))


@public(np.linalg.eigvalsh)
def eigvalsh(a: Operand) -> Tensor:
    """The eigenvalues of a symmetric (..., n, n), ascending.

    >>> import autograd as ag
    >>> ag.eigvalsh(ag.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    return eigh(a).eigenvalues


@public(np.linalg.svd)
def svd(a: Operand, full_matrices: bool = False) -> SVD:
    """The thin singular value decomposition a = U diag(S) Vh, with k = min(m, n).

    Shapes: (..., m, n) to (..., m, k), (..., k) and (..., k, n). The derivative of U and Vh is that of distinct
    singular values, and infinite or undefined at equal ones; what depends on the phases of complex vectors has none.

    Raises:
        ArgumentError: if full_matrices is asked for: the columns beyond the first k are arbitrary.
        DifferentiationError: backwards, if the result depends on those phases.

    >>> import autograd as ag
    >>> ag.svd(ag.tensor([[0.0, 2.0], [1.0, 0.0]])).S
    tensor([2., 1.])
    """
    if full_matrices:
        raise ArgumentError(
            "svd was given full_matrices=True, whose further columns are arbitrary. Write full_matrices=False."
        )
    a = _matrices(a, "svd")
    u, s, vh = unpacked(_run(svd_, a, why=_DIVERGED), svd_shapes(a))
    return SVD(u, real(getitem(s, (..., 0, slice(None)))), vh)


@public(np.linalg.svdvals)
def svdvals(a: Operand) -> Tensor:
    """The singular values of (..., m, n), descending.

    >>> import autograd as ag
    >>> ag.svdvals(ag.tensor([[0.0, 2.0], [1.0, 0.0]]))
    tensor([2., 1.])
    """
    return svd(a).S


@public(np.linalg.qr)
def qr(a: Operand, mode: Literal["reduced"] = "reduced") -> QR:
    """a = Q R, of full rank, with k = min(m, n) orthonormal columns.

    Shapes: (..., m, n) to (..., m, k) and (..., k, n).

    Raises:
        ArgumentError: for another mode than "reduced".

    >>> import autograd as ag
    >>> (ag.qr(ag.ones((3, 2))).Q.shape, ag.qr(ag.ones((3, 2))).R.shape)
    ((3, 2), (2, 2))
    """
    if mode != "reduced":
        raise ArgumentError(f"qr was given mode={mode!r}. Expected 'reduced', the factors that have a derivative.")
    a = _matrices(a, "qr")
    q, r = unpacked(_run(qr_, a, why=_DIVERGED), qr_shapes(a))
    return QR(q, r)


@public(np.linalg.pinv)
def pinv(a: Operand, rcond: float | None = None) -> Tensor:
    """The Moore-Penrose inverse (..., n, m) of (..., m, n); its derivative is that of a constant rank.

    Singular values below `rcond` times the largest count as 0; by default max(m, n) times the dtype's resolution.

    >>> import autograd as ag
    >>> ag.pinv(ag.tensor([[2.0], [0.0]]))
    tensor([[0.5, 0. ]])
    """
    matrix = _matrices(a, "pinv")
    if rcond is None:
        kind = matrix.dtype if matrix.dtype.kind in "fc" else np.float64
        rcond = float(np.finfo(kind).eps) * float(np.max(matrix.shape[-2:]))
    return _run(pinv_, matrix, why=_DIVERGED, rcond=rcond)  # type: ignore[no-any-return]


@public()
def lstsq(a: Operand, b: Operand, rcond: float | None = None) -> Tensor:
    """The x with the least |a x - b|, and of those the smallest: pinv(a) b. Only the solution is returned.

    >>> import autograd as ag
    >>> ag.lstsq(ag.tensor([[1.0], [1.0]]), ag.tensor([1.0, 3.0]))
    tensor([2.])
    """
    a = _matrices(a, "lstsq")
    if not rank(b) or shape_of(b)[-1 if rank(b) == 1 else -2] != shape_of(a)[-2]:
        raise ShapeError(
            f"lstsq was given shapes {shape_of(a)} and {shape_of(b)}. Expected (..., m, n) and (..., m, k)."
        )
    return matmul(pinv(a, rcond), b)


@public(np.linalg.matrix_norm)
def matrix_norm(x: Operand, *, keepdims: bool = False, ord: Literal["fro", "nuc"] | float | None = "fro") -> Tensor:
    """The norm of each (..., m, n): Frobenius, "nuc" (sum of singular values), 2 and -2 (largest, smallest).

    1 and -1 give the largest and the smallest sum of |x| over a column, inf and -inf over a row.

    Raises:
        ArgumentError: for another `ord`.

    >>> import autograd as ag
    >>> ag.matrix_norm(ag.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    x = _matrices(x, "matrix_norm")
    if ord in ("fro", None):
        return norm(x, axis=(-2, -1), keepdims=keepdims)
    of_columns = {1: max, -1: min}
    of_rows = {math.inf: max, -math.inf: min}
    of_values = {2: max, -2: min, "nuc": sum}
    if ord in of_values:
        y = of_values[ord](svdvals(x), axis=-1)
    elif ord in of_columns or ord in of_rows:
        pick = of_columns.get(ord) or of_rows[ord]  # type: ignore[call-overload]  # "nuc" and "fro" are behind us
        y = pick(sum(abs(x), axis=-2 if ord in of_columns else -1), axis=-1)
    else:
        raise ArgumentError(f"matrix_norm was given ord={ord!r}. Expected 'fro', 'nuc', 1, -1, 2, -2, inf or -inf.")
    return expand_dims(y, (-2, -1)) if keepdims else y
