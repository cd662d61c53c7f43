"""`scipy.linalg` with derivatives: `from autograd.scipy.linalg import solve_triangular`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

import autograd as ag
from autograd.extend import defvjp, primitive
from autograd.numpy.manipulation import array
from autograd.numpy.wrap import namespace
from autograd.ops.matrices import numpy_lstsq, numpy_norm, numpy_svd


def solve_triangular(a: Any, b: Any, trans: int | str = 0, lower: bool = False, **options: Any) -> Any:
    """x with a x = b, of which only one triangle is read; a transposed for trans=1 or "T"."""
    a, b = array(a), array(b)
    if options.get("unit_diagonal"):
        a = a - a * np.eye(a.shape[-1]) + np.eye(a.shape[-1])
    half = ag.tril(a) if lower else ag.triu(a)
    return ag.solve(half if trans in (0, "N") else ag.matrix_transpose(half), b)


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any, **_options: Any) -> Any:
    """x with a x = b, where the diagonals of a are the rows of ab, the highest first."""
    ab = array(ab)
    n, upper = ab.shape[-1], l_and_u[1]
    rows, columns = np.array([(i, j) for j in range(n) for i in range(n) if -l_and_u[0] <= j - i <= upper]).T
    dense = ag.put(ag.zeros((n, n), ab.dtype), (rows, columns), ab[upper + rows - columns, columns])
    return ag.solve(dense, array(b))


def cholesky(a: Any, lower: bool = False, **_options: Any) -> Any:
    """The triangle t with a = t^T t, or with a = t t^T for the lower one."""
    half = ag.cholesky(array(a))
    return half if lower else ag.matrix_transpose(half)


def block_diag(*xs: Any) -> Any:
    """Matrices along the diagonal, zero elsewhere."""
    parts = [ag.reshape(x, (1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x for x in map(array, xs)]
    heights, widths = (np.cumsum([0, *(p.shape[k] for p in parts)]) for k in (0, 1))
    rows = [ag.pad(p, ((0, 0), (int(widths[k]), int(widths[-1] - widths[k + 1])))) for k, p in enumerate(parts)]
    assert sum(r.shape[0] for r in rows) == heights[-1]
    return ag.concat(rows, 0)


@primitive
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """x with a x + x b = q."""
    return scipy.linalg.solve_sylvester(a, b, q)


def _sylvester(part: Callable[..., Any]) -> Callable[..., Any]:
    turn = ag.matrix_transpose
    return lambda x, a, b, q: lambda g: part(solve_sylvester(turn(a), turn(b), g), turn(x))


defvjp(
    solve_sylvester,
    _sylvester(lambda z, xt: -ag.matmul(z, xt)),
    _sylvester(lambda z, xt: -ag.matmul(xt, z)),
    _sylvester(lambda z, xt: z),
)


@primitive
def sqrtm(a: Any) -> Any:
    """The matrix whose square is a."""
    return scipy.linalg.sqrtm(a)


defvjp(sqrtm, lambda y, a: lambda g: solve_sylvester(ag.matrix_transpose(y), ag.matrix_transpose(y), g))


@primitive
def expm(a: Any) -> Any:
    """The exponential of a matrix."""
    return scipy.linalg.expm(a)


def _along(a: Any, g: Any) -> Any:
    """The derivative of `expm` along g: the corner of the exponential of [[a, g], [0, a]]."""
    n = a.shape[-1]
    return expm(ag.block([[a, g], [0 * a, a]]))[:n, n:]


defvjp(expm, lambda y, a: lambda g: _along(ag.matrix_transpose(a), g))


def eigh(a: Any, lower: bool = True, eigvals_only: bool = False) -> Any:
    """The eigenvalues of a Hermitian matrix, ascending, and its eigenvectors."""
    if eigvals_only:
        return ag.eigvalsh(array(a))
    return ag.eigh(array(a))


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, **_options: Any) -> Any:
    """Left singular vectors, singular values and right ones; `full_matrices=False` for a matrix that is not square."""
    return numpy_svd(array(a), full_matrices, compute_uv)


def qr(a: Any, overwrite_a: bool = False, lwork: None = None, mode: str = "full", **options: Any) -> Any:
    """Orthogonal columns q and a triangle r with a = q r."""
    a = array(a)
    if options.get("pivoting") or mode not in ("economic", "full", "r") or (mode == "full" and a.shape[0] > a.shape[1]):
        raise ag.errors.UnsupportedError(
            f"qr of a Tensor of shape {a.shape} was given mode={mode!r} and {options}, which has no rule.\n"
            "Expected mode='economic', without pivoting."
        )
    q, r = ag.qr(a)
    return (r,) if mode == "r" else (q, r)


def cho_factor(a: Any, lower: bool = False, **_options: Any) -> tuple[Any, bool]:
    """What `cho_solve` takes: the triangle t with a = t^T t, and whether it is the lower one, with a = t t^T."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, **_options: Any) -> Any:
    """x with a x = b, where `cho_factor` gave the triangle of a."""
    c, lower = array(c_and_lower[0]), c_and_lower[1]
    half = solve_triangular(c, b, trans=0 if lower else 1, lower=lower)
    return solve_triangular(c, half, trans=1 if lower else 0, lower=lower)


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with c as its first column, r (its conjugate if not given) as its first row, constant diagonals."""
    column = ag.flatten(array(c))
    row = ag.conj(column) if r is None else ag.flatten(array(r))
    m, n = column.shape[0], row.shape[0]
    values = ag.concat([ag.flip(column), row[1:]])
    return values[np.arange(m)[::-1, None] + np.arange(n)]


def circulant(c: Any) -> Any:
    """The matrix with c as its first column, each next column turned down by one."""
    column = ag.flatten(array(c))
    n = column.shape[0]
    return column[(np.arange(n)[:, None] - np.arange(n)) % n]


_OWN: dict[str, Any] = {f.__name__: f for f in (solve_triangular, solve_banded, cholesky, block_diag)} | {
    **{f.__name__: f for f in (eigh, svd, qr, cho_factor, toeplitz, circulant)},
    "expm": expm,
    "eigvalsh": lambda a, **_options: ag.eigvalsh(array(a)),
    "svdvals": lambda a, **_options: ag.svdvals(array(a)),
    "pinv": lambda a, **_options: ag.pinv(array(a)),
    "norm": lambda a, *args, **settings: numpy_norm(array(a), *args, **settings),
    "lstsq": lambda a, b, *args, **_options: numpy_lstsq(array(a), array(b), *args),
    "solve_sylvester": solve_sylvester,
    "sqrtm": sqrtm,
    "inv": lambda a, **_options: ag.inv(a),
    "det": lambda a, **_options: ag.det(a),
    "solve": lambda a, b, **_options: ag.solve(array(a), array(b)),
}

globals().update(namespace(scipy.linalg, _OWN, {"cho_solve": cho_solve}))


def __getattr__(name: str) -> Any:
    return getattr(scipy.linalg, name)
