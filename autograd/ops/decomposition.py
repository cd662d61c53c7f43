"""Factors of matrices, and what they solve: over the last two axes, any number of leading ones a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.domain import Shape, case
from autograd.ops.elementwise import multiply, where
from autograd.ops.index import getitem
from autograd.ops.join import concat
from autograd.ops.linalg import matmul
from autograd.ops.reduce import sum
from autograd.ops.shape import expand_dims, matrix_transpose, reshape
from autograd.primitive import Primitive, chain, nondifferentiable, primitive


@dataclass(frozen=True)
class Matrices:
    """Matrices with the singular values 1, 2, 3 ... in random directions; symmetric positive definite if asked for."""

    definite: bool = False

    def sample(self, rng: np.random.Generator, shape: Shape) -> NDArray[Any]:
        """float64 values of `shape`."""
        *batch, m, n = shape
        k = min(m, n)
        u = np.linalg.qr(rng.standard_normal((*batch, m, k)))[0]
        v = u if self.definite else np.linalg.qr(rng.standard_normal((*batch, n, k)))[0]
        return np.asarray((u * np.arange(1.0, k + 1)) @ v.mT)


ANY, DEFINITE = Matrices(), Matrices(definite=True)
_SQUARE = (case((3, 3), on=ANY), case((2, 2, 2), on=ANY), case((1, 1), on=ANY), case((0, 2, 2), on=ANY))


def _t(x: Any) -> Any:
    return matrix_transpose(x)


def _even(a: Any) -> Any:
    """The symmetric part."""
    return (a + _t(a)) * 0.5


def _eye(n: int, like: Any) -> NDArray[Any]:
    return np.eye(n, dtype=like.dtype)


def _weights(n: int, diagonal: float, like: Any) -> NDArray[Any]:
    """1 below the diagonal, `diagonal` on it, 0 above."""
    return np.asarray(np.tril(np.ones((n, n)), -1) + diagonal * np.eye(n), like.dtype)


# ---- linear systems


def _solve_first(g: Any, y: Any, a: Any) -> Any:
    return -matmul(solve_(_t(a), g), _t(y))


solve_: Primitive = primitive(
    "solve",
    "a b",
    np.linalg.solve,
    vjp=(_solve_first, lambda g, a: solve_(_t(a), g)),
    cases=(
        case((3, 3), (3, 2), on=(ANY, Matrices())),
        case((2, 1, 2, 2), (3, 2, 1), on=(ANY, Matrices())),
        case((0, 2, 2), (0, 2, 1), on=(ANY, Matrices())),
    ),
    doc="The x with a x = b, for matrices.",
)
inv_: Primitive = primitive(
    "inv",
    "a",
    np.linalg.inv,
    vjp=(lambda g, y: -matmul(matmul(_t(y), g), _t(y)),),
    cases=_SQUARE,
    doc="The inverse of a matrix.",
)


# ---- determinants


def _cofactors(a: Any) -> Any:
    """det(a) a^-T = det(u) det(v) u c v^T, c the products of the other singular values: for a singular a too."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (sign[..., None, None] * (u * others[..., None, :]) @ vh).astype(s.dtype)


def _cofactor_rule(g: Any, y: Any, a: Any) -> Any:
    """(<g, c> c - c g^T c) / det(a): undefined at a singular a, where only the first derivative of det is had."""
    inner = expand_dims(sum(multiply(g, y), axis=(-2, -1)), (-2, -1))
    return (inner * y - matmul(matmul(y, _t(g)), y)) / expand_dims(det_(a), (-2, -1))


cofactor_: Primitive = primitive(
    "cofactor", "a", _cofactors, vjp=(_cofactor_rule,), cases=_SQUARE, doc="det(a) a^-T, the derivative of det(a)."
)
det_: Primitive = primitive(
    "det",
    "a",
    np.linalg.det,
    vjp=(lambda g, a: expand_dims(g, (-2, -1)) * cofactor_(a),),
    cases=_SQUARE,
    doc="The determinant.",
)
logabsdet_: Primitive = primitive(
    "logabsdet",
    "a",
    lambda a: np.linalg.slogdet(a)[1],
    vjp=(lambda g, a: expand_dims(g, (-2, -1)) * _t(inv_(a)),),
    cases=_SQUARE,
    doc="log |det(a)|, without overflow.",
)
detsign_ = nondifferentiable("detsign", "a", lambda a: np.linalg.slogdet(a)[0], doc="The sign of det(a).")


# ---- factors. Those that come in several parts are packed into one array, which `getitem` takes apart


def _cholesky_rule(g: Any, y: Any) -> Any:
    """L^-T P L^-1, P the lower triangle of L^T g with half its diagonal (Murray 2016), made symmetric."""
    p = matmul(_t(y), g) * _weights(y.shape[-1], 0.5, y)
    return _even(solve_(_t(y), _t(solve_(_t(y), p))))


cholesky_: Primitive = primitive(
    "cholesky",
    "a",
    lambda a: np.linalg.cholesky((a + a.mT) * 0.5),
    vjp=(_cholesky_rule,),
    cases=(case((3, 3), on=DEFINITE), case((2, 2, 2), on=DEFINITE), case((1, 1), on=DEFINITE)),
    doc="The lower triangular L with L L^T the symmetric part of a.",
)


def _gaps(squares: Any) -> Any:
    """1 / (x[j] - x[i]) off the diagonal, infinite at a tie, and 0 on it."""
    eye = np.eye(squares.shape[-1], dtype=bool)
    gap = expand_dims(squares, -2) - expand_dims(squares, -1)
    return where(eye, 0, 1 / where(eye, 1, gap))


def _eigh_rule(g: Any, y: Any) -> Any:
    """V (diag(gw) + F * V^T gV) V^T made symmetric (Giles 2008): F is antisymmetric, so V^T gV may be too."""
    v, gv, gw = y[..., :-1], getitem(g, (..., slice(None, -1))), getitem(g, (..., -1))
    turn = matmul(_t(v), gv)
    inner = chain((turn - _t(turn)) * 0.5, _gaps(y[..., -1])) + expand_dims(gw, -1) * _eye(v.shape[-1], v)
    return _even(matmul(matmul(v, inner), _t(v)))


def _eigh_forward(a: Any) -> Any:
    w, v = np.linalg.eigh((a + a.mT) * 0.5)
    return np.concatenate([v, w[..., None]], -1)


eigh_: Primitive = primitive(
    "eigh",
    "a",
    _eigh_forward,
    vjp=(_eigh_rule,),
    cases=(case((3, 3), on=DEFINITE), case((2, 2, 2), on=DEFINITE), case((1, 1), on=DEFINITE)),
    doc="Eigenvectors of the symmetric part of a as columns, and behind them a column of the eigenvalues.",
)


def packed(parts: list[Any]) -> Any:
    """Parts of several shapes as one last axis."""
    return concat([reshape(p, (*p.shape[: p.ndim - 2], -1)) for p in parts], -1)


def unpacked(y: Any, shapes: list[tuple[int, int]]) -> list[Any]:
    """The parts again, each of its last two axes."""
    parts, at = [], 0
    for m, n in shapes:
        parts.append(reshape(getitem(y, (..., slice(at, at + m * n))), (*y.shape[:-1], m, n)))
        at += m * n
    return parts


def svd_shapes(a: Any) -> list[tuple[int, int]]:
    """The shapes of u, of s as a row, and of vh."""
    m, n = a.shape[-2:]
    k = min(m, n)
    return [(m, k), (1, k), (k, n)]


def _svd_forward(a: Any) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return packed([u, s[..., None, :], vh])


def _svd_rule(g: Any, y: Any, a: Any) -> Any:
    """The thin decomposition of distinct singular values (Townsend 2016, "Differentiating the SVD")."""
    (u, s, vh), (gu, gs, gvh) = unpacked(y, svd_shapes(a)), unpacked(g, svd_shapes(a))
    v, gv, gaps = _t(vh), _t(gvh), _gaps(getitem(s * s, (..., 0, slice(None))))
    left, right = matmul(_t(u), gu), matmul(_t(v), gv)
    inner = chain(left - _t(left), gaps) * s + _t(s) * chain(right - _t(right), gaps)
    whole = matmul(matmul(u, inner + gs * _eye(s.shape[-1], s)), vh)
    if a.shape[-2] > a.shape[-1]:
        whole = whole + matmul(chain(gu - matmul(u, left), 1 / s), vh)
    if a.shape[-1] > a.shape[-2]:
        whole = whole + matmul(u, _t(chain(gv - matmul(v, right), 1 / s)))
    return whole


svd_: Primitive = primitive(
    "svd",
    "a",
    _svd_forward,
    vjp=(_svd_rule,),
    cases=(case((3, 3), on=ANY), case((4, 2), on=ANY), case((2, 2, 3), on=ANY), case((1, 3), on=ANY)),
    doc="The elements of u, s and vh of the thin singular value decomposition, one after another.",
)


def qr_shapes(a: Any) -> list[tuple[int, int]]:
    """The shapes of q and r."""
    m, n = a.shape[-2:]
    return [(m, min(m, n)), (min(m, n), n)]


def _tall_qr(q: Any, r: Any, gq: Any, gr: Any) -> Any:
    """(gQ + Q sym) R^-T, sym the lower triangle of R gR^T - gQ^T Q copied up (Walter and Lehmann 2018)."""
    m = matmul(r, _t(gr)) - matmul(_t(gq), q)
    low = m * _weights(m.shape[-1], 0.5, q)
    return _t(solve_(r, _t(gq + matmul(q, low + _t(low)))))


def _qr_rule(g: Any, y: Any, a: Any) -> Any:
    """Of a wide a = (x, z) the columns x give q, and z only q^T z: r = (r of x, q^T z)."""
    (q, r), (gq, gr) = unpacked(y, qr_shapes(a)), unpacked(g, qr_shapes(a))
    m, n = a.shape[-2:]
    if m >= n:
        return _tall_qr(q, r, gq, gr)
    own, rest = (..., slice(None, m)), (..., slice(m, None))
    extra = getitem(gr, rest)
    first = _tall_qr(q, getitem(r, own), gq + matmul(getitem(a, rest), _t(extra)), getitem(gr, own))
    return concat([first, matmul(q, extra)], -1)


qr_: Primitive = primitive(
    "qr",
    "a",
    lambda a: packed(list(np.linalg.qr(a))),
    vjp=(_qr_rule,),
    cases=(case((3, 3), on=ANY), case((4, 2), on=ANY), case((2, 2, 3), on=ANY), case((1, 1), on=ANY)),
    doc="The elements of q and r of the reduced factors, one after another.",
)


def _pinv_rule(g: Any, y: Any, a: Any) -> Any:
    """-P^T g P^T + (1 - A P) g^T P P^T + P^T P g^T (1 - P A), the rank constant (Golub and Pereyra 1973)."""
    outside = _eye(a.shape[-2], y) - matmul(a, y)
    inside = _eye(a.shape[-1], y) - matmul(y, a)
    down = -matmul(matmul(_t(y), g), _t(y))
    return down + matmul(matmul(outside, _t(g)), matmul(y, _t(y))) + matmul(matmul(_t(y), y), matmul(_t(g), inside))


pinv_: Primitive = primitive(
    "pinv",
    "a",
    lambda a, *, rcond: np.linalg.pinv(a, rcond=rcond),
    vjp=(_pinv_rule,),
    cases=(case((3, 3), on=ANY, rcond=1e-9), case((2, 4, 2), on=ANY, rcond=1e-9), case((2, 3), on=ANY, rcond=1e-9)),
    doc="The Moore-Penrose inverse; singular values below rcond times the largest count as 0.",
)
