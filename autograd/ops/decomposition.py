"""Factors of matrices, and what they solve: over the last two axes, any number of leading ones a batch.

What is analytic in a complex matrix (solutions, inverses, determinants) has a rule with transposes, right for complex
cotangents as it stands. What has a conjugate in its definition (the factors) has one for gradients, with Hermitian
transposes, marked `of_gradients`: those are the conjugates of cotangents, as `autograd.sweep` explains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.domain import Shape, case
from autograd.errors import DifferentiationError
from autograd.ops.complex import imag, is_complex, real, turned
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


def _h(x: Any) -> Any:
    """The transpose, conjugated if complex."""
    return turned(matrix_transpose(x))


def _even(a: Any) -> Any:
    """The symmetric or Hermitian part."""
    return (a + _h(a)) * 0.5


def of_gradients(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule that takes a gradient to a gradient, as one of cotangents."""

    @wraps(rule)
    def conjugated(g: Any, *saved: Any) -> Any:
        return turned(rule(turned(g), *saved))

    return conjugated


def _check_phases(turn: Any, name: str) -> None:
    """Refuse what depends on the phases of complex vectors: they are arbitrary, and it has no derivative."""
    value = getattr(turn, "value", turn)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "c":
        return
    phases = np.abs(np.diagonal(value, axis1=-2, axis2=-1).imag)
    if np.max(phases, initial=0) > 1e-2 * np.max(np.abs(value), initial=0) + 1e-6:
        raise DifferentiationError(
            f"{name}: the result depends on the phases of complex vectors, which are arbitrary: it has no derivative.\n"
            "Write a function that they cancel from, as ag.abs(v) or v @ v.mH."
        )


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
    """det(a) a^-T = det(u) det(vh) conj(u c vh), c the products of the other singular values: for a singular a too."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (sign[..., None, None] * ((u * others[..., None, :]) @ vh).conj()).astype(u.dtype)


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
detphase_: Primitive = primitive(
    "detphase",
    "a",
    lambda a: np.linalg.slogdet(a)[0],
    vjp=(lambda g, y, a: expand_dims(imag(g * y) * (1j if is_complex(y) else 0), (-2, -1)) * _t(inv_(a)),),
    cases=_SQUARE,
    doc="det(a) / |det(a)|, of complex matrices.",
)
detsign_ = nondifferentiable("detsign", "a", lambda a: np.linalg.slogdet(a)[0], doc="The sign of det(a).")


# ---- factors. Those that come in several parts are packed into one array, which `getitem` takes apart


@of_gradients
def _cholesky_rule(g: Any, y: Any) -> Any:
    """L^-H P L^-1, P the lower triangle of L^H g with half its diagonal (Murray 2016), made Hermitian."""
    p = matmul(_h(y), g) * _weights(y.shape[-1], 0.5, y)
    return _even(solve_(_h(y), _h(solve_(_h(y), p))))


def _hermitian(a: Any) -> Any:
    return (a + (a.mT.conj() if a.dtype.kind == "c" else a.mT)) * 0.5


cholesky_: Primitive = primitive(
    "cholesky",
    "a",
    lambda a: np.linalg.cholesky(_hermitian(a)),
    vjp=(_cholesky_rule,),
    cases=(case((3, 3), on=DEFINITE), case((2, 2, 2), on=DEFINITE), case((1, 1), on=DEFINITE)),
    doc="The lower triangular L with L L^H the Hermitian part of a.",
)


def _gaps(squares: Any) -> Any:
    """1 / (x[j] - x[i]) off the diagonal, infinite at a tie, and 0 on it."""
    eye = np.eye(squares.shape[-1], dtype=bool)
    gap = expand_dims(squares, -2) - expand_dims(squares, -1)
    return where(eye, 0, 1 / where(eye, 1, gap))


@of_gradients
def _eigh_rule(g: Any, y: Any) -> Any:
    """V (diag(gw) + F * V^H gV) V^H made Hermitian (Giles 2008): F is antisymmetric, so V^H gV may be too."""
    v, gv, gw = y[..., :-1], getitem(g, (..., slice(None, -1))), real(getitem(g, (..., -1)))
    turn = matmul(_h(v), gv)
    _check_phases(turn, "eigh")
    inner = chain((turn - _h(turn)) * 0.5, _gaps(real(y[..., -1]))) + expand_dims(gw, -1) * _eye(v.shape[-1], v)
    return _even(matmul(matmul(v, inner), _h(v)))


def _eigh_forward(a: Any) -> Any:
    w, v = np.linalg.eigh(_hermitian(a))
    return np.concatenate([v, w[..., None]], -1)


eigh_: Primitive = primitive(
    "eigh",
    "a",
    _eigh_forward,
    vjp=(_eigh_rule,),
    cases=(case((3, 3), on=DEFINITE), case((2, 2, 2), on=DEFINITE), case((1, 1), on=DEFINITE)),
    doc="Eigenvectors of the Hermitian part of a as columns, and behind them a column of the eigenvalues.",
)


def packed(parts: list[Any]) -> Any:
    """Parts of several shapes as one last axis."""
    return concat([reshape(p, (*p.shape[:-2], p.shape[-2] * p.shape[-1])) for p in parts], -1)


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


@of_gradients
def _svd_rule(g: Any, y: Any, a: Any) -> Any:
    """The thin decomposition of distinct singular values (Townsend 2016; Wan and Zhang 2019 for the complex part)."""
    (u, s, vh), (gu, gs, gvh) = unpacked(y, svd_shapes(a)), unpacked(g, svd_shapes(a))
    s, gs = real(s), real(gs)
    v, gv, gaps = _h(vh), _h(gvh), _gaps(getitem(s * s, (..., 0, slice(None))))
    left, right = matmul(_h(u), gu), matmul(_h(v), gv)
    eye, skew = _eye(s.shape[-1], s), left - _h(left)
    inner = chain(skew, gaps) * s + _t(s) * chain(right - _h(right), gaps) + gs * eye
    if is_complex(y):
        _check_phases(left + right, "svd")
        inner = inner + chain(skew, 0.5 / s) * eye
    whole = matmul(matmul(u, inner), vh)
    if a.shape[-2] > a.shape[-1]:
        whole = whole + matmul(chain(gu - matmul(u, left), 1 / s), vh)
    if a.shape[-1] > a.shape[-2]:
        whole = whole + matmul(u, _h(chain(gv - matmul(v, right), 1 / s)))
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
    """(gQ + Q sym) R^-H, sym the lower triangle of R gR^H - gQ^H Q copied up (Walter and Lehmann 2018)."""
    m = matmul(r, _h(gr)) - matmul(_h(gq), q)
    low = m * _weights(m.shape[-1], 0.5, q)
    return _h(solve_(r, _h(gq + matmul(q, low + _h(low)))))


@of_gradients
def _qr_rule(g: Any, y: Any, a: Any) -> Any:
    """Of a wide a = (x, z) the columns x give q, and z only q^H z: r = (r of x, q^H z)."""
    (q, r), (gq, gr) = unpacked(y, qr_shapes(a)), unpacked(g, qr_shapes(a))
    m, n = a.shape[-2:]
    if m >= n:
        return _tall_qr(q, r, gq, gr)
    own, rest = (..., slice(None, m)), (..., slice(m, None))
    extra = getitem(gr, rest)
    first = _tall_qr(q, getitem(r, own), gq + matmul(getitem(a, rest), _h(extra)), getitem(gr, own))
    return concat([first, matmul(q, extra)], -1)


qr_: Primitive = primitive(
    "qr",
    "a",
    lambda a: packed(list(np.linalg.qr(a))),
    vjp=(_qr_rule,),
    cases=(case((3, 3), on=ANY), case((4, 2), on=ANY), case((2, 2, 3), on=ANY), case((1, 1), on=ANY)),
    doc="The elements of q and r of the reduced factors, one after another.",
)


@of_gradients
def _pinv_rule(g: Any, y: Any, a: Any) -> Any:
    """-P^H g P^H + (1 - A P) g^H P P^H + P^H P g^H (1 - P A), the rank constant (Golub and Pereyra 1973)."""
    outside = _eye(a.shape[-2], y) - matmul(a, y)
    inside = _eye(a.shape[-1], y) - matmul(y, a)
    down = -matmul(matmul(_h(y), g), _h(y))
    return down + matmul(matmul(outside, _h(g)), matmul(y, _h(y))) + matmul(matmul(_h(y), y), matmul(_h(g), inside))


pinv_: Primitive = primitive(
    "pinv",
    "a",
    lambda a, *, rcond: np.linalg.pinv(a, rcond=rcond),
    vjp=(_pinv_rule,),
    cases=(case((3, 3), on=ANY, rcond=1e-9), case((2, 4, 2), on=ANY, rcond=1e-9), case((2, 3), on=ANY, rcond=1e-9)),
    doc="The Moore-Penrose inverse; singular values below rcond times the largest count as 0.",
)

for _op in (logabsdet_, detphase_, cholesky_, eigh_, svd_, qr_, pinv_):
    _op.analytic = False  # they read a conjugate, or give one
