"""NumPy's polynomials, vectors of coefficients of falling powers, of Tensors; arguments are NumPy's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ArgumentError, ShapeError, UnsupportedError
from autograd.ops.arrange import atleast_1d, stacked
from autograd.ops.elementwise import add, divide, multiply, negative, sqrt, square, subtract
from autograd.ops.join import concat, pad
from autograd.ops.matrix import lstsq
from autograd.ops.reduce import sum
from autograd.ops.sampled import convolve, vander
from autograd.ops.shape import broadcast_to, matrix_transpose, reshape
from autograd.primitive import public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = ["poly", "polyadd", "polyder", "polyfit", "polyint", "polymul", "polysub"]


def _factors(p: Any, name: str) -> Any:
    t = atleast_1d(stacked(p))
    if t.ndim != 1:
        raise ShapeError(f"{name} was given shape {t.shape}. Expected a vector of coefficients.")
    return t


def _aligned(a: Any, b: Any, name: str) -> list[Any]:
    """Two vectors of coefficients, zeros in front of the shorter."""
    both = [_factors(p, name) for p in (a, b)]
    longest = max(p.shape[0] for p in both)
    return [pad(p, (longest - p.shape[0], 0)) for p in both]


@public(np.polyadd)
def polyadd(a1: Operand, a2: Operand) -> Tensor:
    """The sum of two polynomials.

    >>> import autograd as ag
    >>> ag.polyadd(ag.tensor([1.0, 2.0]), [1.0, 0.0, 0.0])
    tensor([1., 1., 2.])
    """
    return add(*_aligned(a1, a2, "polyadd"))


@public(np.polysub)
def polysub(a1: Operand, a2: Operand) -> Tensor:
    """The difference of two polynomials.

    >>> import autograd as ag
    >>> ag.polysub(ag.tensor([1.0, 2.0]), [1.0, 0.0, 0.0])
    tensor([-1.,  1.,  2.])
    """
    return subtract(*_aligned(a1, a2, "polysub"))


@public(np.polymul)
def polymul(a1: Operand, a2: Operand) -> Tensor:
    """The product of two polynomials.

    >>> import autograd as ag
    >>> ag.polymul(ag.tensor([1.0, 2.0]), [1.0, -2.0])
    tensor([ 1.,  0., -4.])
    """
    return convolve(_factors(a1, "polymul"), _factors(a2, "polymul"))


@public(np.polyder)
def polyder(p: Operand, m: int = 1) -> Tensor:
    """The m-th derivative of a polynomial.

    >>> import autograd as ag
    >>> ag.polyder(ag.tensor([1.0, 2.0, 5.0]))
    tensor([2., 2.])
    """
    y = _factors(p, "polyder")
    for _ in range(m):
        y = multiply(y[:-1], np.arange(y.shape[0] - 1, 0, -1).astype(y.dtype))
    return y  # type: ignore[no-any-return]


@public(np.polyint)
def polyint(p: Operand, m: int = 1, k: Operand | None = None) -> Tensor:
    """A polynomial whose m-th derivative is p; k is the constant of each integration, 0 if not given.

    >>> import autograd as ag
    >>> ag.polyint(ag.tensor([2.0, 2.0]), k=5.0)
    tensor([1., 2., 5.])
    """
    y = _factors(p, "polyint")
    constants = broadcast_to(_factors(0.0 if k is None else k, "polyint"), m)
    for i in range(m):
        y = concat([divide(y, np.arange(y.shape[0], 0, -1).astype(y.dtype)), constants[i : i + 1]])
    return y  # type: ignore[no-any-return]


@public(np.poly)
def poly(seq_of_zeros: Operand) -> Tensor:
    """The polynomial with the given zeros, and 1 before the highest power.

    >>> import autograd as ag
    >>> ag.poly(ag.tensor([2.0, -2.0]))
    tensor([ 1.,  0., -4.])
    """
    zeros = _factors(seq_of_zeros, "poly")
    y: Any = np.ones(1, zeros.dtype)
    for k in range(zeros.shape[0]):
        y = polymul(y, concat([np.ones(1, zeros.dtype), negative(zeros[k : k + 1])]))
    return y  # type: ignore[no-any-return]


@public(np.polyfit)
def polyfit(
    x: Operand,
    y: Operand,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Operand | None = None,
    cov: bool = False,
) -> Tensor:
    """The polynomial of degree `deg` with the least squares of w (p(x) - y), for each column of y.

    >>> import autograd as ag
    >>> ag.polyfit([0.0, 1.0, 2.0], ag.tensor([1.0, 3.0, 5.0]), 1).round(6)
    tensor([2., 1.])
    """
    if full or cov:
        raise UnsupportedError(
            "polyfit of a Tensor was given full=True or cov=True. Expected neither: only coefficients have a rule.\n"
            "For the other results write np.polyfit(x.numpy(), y.numpy(), deg, full=True)."
        )
    at, values = stacked(x), stacked(y)
    if at.ndim != 1 or values.ndim not in (1, 2) or values.shape[0] != at.shape[0] or not at.shape[0]:
        raise ShapeError(f"polyfit was given shapes {at.shape} and {values.shape}. Expected (n,) and (n,) or (n, k).")
    if deg < 0:
        raise ArgumentError(f"polyfit was given degree {deg}. Expected 0 or more.")
    powers: Any = vander(multiply(at, 1.0), deg + 1)
    if w is not None:
        weights = stacked(w)
        powers = powers * reshape(weights, (-1, 1))
        values = values * reshape(weights, (-1,) + (1,) * (values.ndim - 1))
    scale: Any = sqrt(sum(square(powers), 0))
    if rcond is None:
        rcond = at.shape[0] * float(np.finfo(powers.dtype).eps)
    found: Any = lstsq(powers / scale, multiply(values, 1.0), rcond)
    return matrix_transpose(matrix_transpose(found) / scale) if found.ndim == 2 else found / scale
