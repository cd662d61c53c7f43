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

_OWN: dict[str, Any] = {f.__name__: f for f in (solve_triangular, solve_banded, cholesky, block_diag)} | {
    "solve_sylvester": solve_sylvester,
    "sqrtm": sqrtm,
    "inv": lambda a, **_options: ag.inv(a),
    "det": lambda a, **_options: ag.det(a),
    "solve": lambda a, b, **_options: ag.solve(array(a), array(b)),
}

globals().update(namespace(scipy.linalg, _OWN))


def __getattr__(name: str) -> Any:
    return getattr(scipy.linalg, name)
