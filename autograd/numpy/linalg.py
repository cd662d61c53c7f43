"""`numpy.linalg` with derivatives: `import autograd.numpy as np`, then `np.linalg.solve(a, b)`."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from autograd.numpy.wrap import namespace


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Of all elements, of vectors along an axis, or of matrices along two."""
    if axis is None and (ord is None or (ord in ("f", "fro") and x.ndim == 2) or (ord == 2 and x.ndim == 1)):
        flat = ag.norm(ag.flatten(x))
        return ag.reshape(flat, (1,) * x.ndim) if keepdims else flat
    axes: Any = range(x.ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    if len(axes) == 1:
        return ag.norm(x, 2 if ord is None else ord, axes[0], keepdims=keepdims)
    if len(axes) != 2:
        raise ArgumentError(f"norm was given axis={axis!r}. Expected None, one axis of vectors, or two of matrices.")
    y = ag.matrix_norm(ag.moveaxis(x, axes, (-2, -1)), keepdims=keepdims, ord="fro" if ord in (None, "f") else ord)
    return ag.moveaxis(y, (-2, -1), axes) if keepdims else y


def _eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues in ascending order and their vectors."""
    return ag.eigh(a if UPLO == "L" else ag.matrix_transpose(a))


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """a = u diag(s) vh."""
    if not compute_uv:
        return ag.svdvals(a)
    return ag.svd(a, full_matrices=full_matrices and a.shape[-1] != a.shape[-2])


def _pinv(a: Any, rcond: float | None = None) -> Any:
    """The pseudo-inverse."""
    return ag.pinv(a, rcond)


def _matrix_power(a: Any, n: int) -> Any:
    """a times itself, n times; of its inverse for n below 0."""
    base, n = (ag.inv(a), -n) if n < 0 else (a, n)
    product: Any = np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    while n:
        product = ag.matmul(product, base) if n % 2 else product
        base, n = (ag.matmul(base, base) if n > 1 else base), n // 2
    return product


def _cond(a: Any, p: Any = None) -> Any:
    """How much the solution may lose: the largest singular value over the smallest."""
    if p not in (None, 2):
        return _norm(a, p) * _norm(ag.inv(a), p)
    s = ag.svdvals(a)
    return s[..., 0] / s[..., -1]


def _multi_dot(xs: Any) -> Any:
    """A product of several matrices."""
    product = xs[0]
    for x in xs[1:]:
        product = ag.matmul(product, x)
    return product


_OWN: dict[str, Any] = {
    "norm": _norm, "eigh": _eigh, "svd": _svd, "pinv": _pinv, "matrix_power": _matrix_power, "cond": _cond,
    "inv": ag.inv, "solve": ag.solve, "det": ag.det, "slogdet": ag.slogdet, "cholesky": ag.cholesky,
}  # fmt: skip

globals().update(namespace(np.linalg, _OWN, {"multi_dot": _multi_dot}))


def __getattr__(name: str) -> Any:
    return getattr(np.linalg, name)
