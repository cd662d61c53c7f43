"""NumPy's functions of samples of a curve: interpolation, integrals, convolution, polynomials, angles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ArgumentError, ShapeError
from autograd.ops.arrange import stacked
from autograd.ops.axes import one_axis
from autograd.ops.compare import equal, greater, less, logical_and
from autograd.ops.complex import abs, conj
from autograd.ops.elementwise import clip, remainder, where
from autograd.ops.index import take
from autograd.ops.join import concat, flip, pad
from autograd.ops.linalg import matmul
from autograd.ops.reduce import sum
from autograd.ops.running import cumulative_prod, cumulative_sum, diff
from autograd.ops.search import argsort, searchsorted
from autograd.ops.shape import broadcast_to, moveaxis, reshape
from autograd.ops.window import window
from autograd.primitive import public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = ["convolve", "correlate", "interp", "polyval", "trapezoid", "unwrap", "vander"]


@public(np.interp)
def interp(
    x: Operand,
    xp: Operand,
    fp: Operand,
    left: Operand | None = None,
    right: Operand | None = None,
    period: float | None = None,
) -> Tensor:
    """The value at x of the lines that join the points (xp, fp), whose xp ascend.

    The derivative by x is the slope of the line, to the right of a point at that point; beyond the ends it is 0.

    Parameters:
        left, right: values below and above all xp, for None those of the first and of the last point.
        period: of xp and x, which then need not ascend.

    Raises:
        ShapeError: if the points are not two vectors of one length.

    >>> import autograd as ag
    >>> ag.interp(ag.tensor([0.5, 9.0]), [0.0, 1.0, 2.0], [1.0, 3.0, 0.0])
    tensor([2., 0.])
    """
    at, places, values = (t if t.dtype.kind in "fc" else t + 0.0 for t in map(stacked, (x, xp, fp)))
    if places.ndim != 1 or places.shape != values.shape or not places.size:
        raise ShapeError(f"interp was given points of shapes {places.shape} and {values.shape}. Expected two vectors.")
    if period is not None:
        at, places = remainder(at, period), remainder(places, period)
        order = argsort(places)
        places, values = take(places, order), take(values, order)
        places = concat([places[-1:] - period, places, places[:1] + period], 0)
        values = concat([values[-1:], values, values[:1]], 0)
    last = places.shape[0] - 1
    above = clip(searchsorted(places, at, side="right"), min(1, last), last)
    below = clip(above - 1, 0, None)
    x0, y0, width = take(places, below), take(values, below), take(places, above) - take(places, below)
    steep = equal(width, 0)
    y = y0 + where(steep, 0, (at - x0) / where(steep, 1, width)) * (take(values, above) - y0)
    y = where(less(at, places[0]), values[0] if left is None or period else left, y)
    beyond = greater(at, places[-1])
    y = where(beyond, values[-1] if right is None or period else right, y)
    return where(equal(at, places[-1]), values[-1], y)


@public(np.trapezoid)
def trapezoid(y: Operand, x: Operand | None = None, dx: Operand = 1.0, axis: int = -1) -> Tensor:
    """The integral of the lines that join samples y along an axis, sum of (y_k + y_k+1) (x_k+1 - x_k) / 2.

    Parameters:
        x: where the samples were taken, a vector or of y's shape; None for a distance of `dx` between them.

    >>> import autograd as ag
    >>> ag.trapezoid(ag.tensor([1.0, 2.0, 3.0]), dx=2.0)
    tensor(8.)
    """
    t: Any = stacked(y)
    k = one_axis(axis, t.ndim, "trapezoid")
    steps: Any = dx
    if x is not None:
        places: Any = stacked(x)
        steps = diff(places) if places.ndim == 1 else diff(places, axis=k)
        if places.ndim == 1:
            steps = reshape(steps, (-1,) + (1,) * (t.ndim - 1 - k))
    lengths = t.shape[k]
    before, after = (take(t, np.arange(lengths - 1) + shift, k) if lengths else t for shift in (0, 1))
    return sum(steps * (before + after) / 2.0, k)


def _slid(name: str, a: Any, v: Any, mode: str) -> tuple[Any, Any, int]:
    """The sums of products of v, as it is, with all parts of a that it meets, and where those of the mode begin."""
    if a.ndim != 1 or v.ndim != 1 or not a.size or not v.size:
        raise ShapeError(f"{name} was given shapes {a.shape} and {v.shape}. Expected two vectors that are not empty.")
    n, m = a.shape[0], v.shape[0]
    counts = {"full": n + m - 1, "same": max(n, m), "valid": max(n, m) - min(n, m) + 1}
    if mode not in counts:
        raise ArgumentError(f"{name} was given mode={mode!r}. Expected 'full', 'same' or 'valid'.")
    y = matmul(window(pad(a, m - 1), m, axes=(0,)), v)
    short = min(n, m)
    first = {"full": 0, "same": (short - 1) // 2, "valid": short - 1}[mode]
    return y, counts[mode], first


@public(np.convolve)
def convolve(a: Operand, v: Operand, mode: str = "full") -> Tensor:
    """y_n = sum_k a_n-k v_k of two vectors, the same if they change places.

    Parameters:
        mode: "full" for all places where they overlap, "valid" for those where they do so wholly, "same" for as many
            as the longer one has, in the middle.

    Raises:
        ArgumentError: for another mode. ShapeError: if they are not vectors, or one is empty.

    >>> import autograd as ag
    >>> ag.convolve(ag.tensor([1.0, 2.0, 3.0]), [1.0, 10.0])
    tensor([ 1., 12., 23., 30.])
    """
    y, count, first = _slid("convolve", stacked(a), flip(stacked(v)), mode)
    return y[first : first + count]  # type: ignore[no-any-return]


@public(np.correlate)
def correlate(a: Operand, v: Operand, mode: str = "valid") -> Tensor:
    """c_n = sum_k a_n+k conj(v_k) of two vectors; `mode` as of `convolve`.

    >>> import autograd as ag
    >>> ag.correlate(ag.tensor([1.0, 2.0, 3.0]), [1.0, 10.0])
    tensor([21., 32.])
    """
    s, t = stacked(a), stacked(v)
    y, count, first = _slid("correlate", s, conj(t), mode)
    if mode == "same" and t.shape[0] > s.shape[0]:
        first = y.shape[0] - count - first  # NumPy lets them change places, and turns the result
    return y[first : first + count]  # type: ignore[no-any-return]


@public(np.polyval)
def polyval(p: Operand, x: Operand) -> Tensor:
    """p_0 x^(n-1) + ... + p_n-1, by Horner's rule.

    >>> import autograd as ag
    >>> ag.polyval([1.0, 0.0, 2.0], ag.tensor(3.0))
    tensor(11.)
    """
    factors, at = stacked(p), stacked(x)
    y: Any = at * 0
    for k in range(factors.shape[0]):
        y = y * at + factors[k]
    return y  # type: ignore[no-any-return]


@public(np.vander)
def vander(x: Operand, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of a vector as columns, x^(N-1) to x^0, or from x^0 if increasing.

    >>> import autograd as ag
    >>> ag.vander(ag.tensor([2.0, 3.0]), 3)
    tensor([[4., 2., 1.],
            [9., 3., 1.]])
    """
    t: Any = stacked(x)
    if t.ndim != 1:
        raise ShapeError(f"vander was given shape {t.shape}. Expected a vector.")
    count = t.shape[0] if N is None else N
    factors: Any = [
        np.ones((t.shape[0], 1), t.dtype),
        broadcast_to(reshape(t, (-1, 1)), (t.shape[0], max(count - 1, 0))),
    ]
    rising: Any = cumulative_prod(concat(factors, 1), 1)[:, :count]
    return rising if increasing else flip(rising, 1)


@public(np.unwrap)
def unwrap(p: Operand, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Tensor:
    """Angles along an axis, with multiples of the period added so that no step is larger than half of it.

    Parameters:
        discont: steps no larger than that stay as they are, half the period for None.

    >>> import autograd as ag
    >>> ag.unwrap(ag.tensor([0.0, 3.0, -3.0]))
    tensor([0.        , 3.        , 3.28318531])
    """
    t: Any = stacked(p)
    k = one_axis(axis, t.ndim, "unwrap")
    steps = diff(t, axis=k)
    half = period / 2
    wrapped = remainder(steps + half, period) - half
    wrapped = where(logical_and(equal(wrapped, -half), greater(steps, 0)), half, wrapped)
    turns = where(less(abs(steps), half if discont is None else discont), 0, wrapped - steps)
    moved = moveaxis(t, k, 0)
    rest = moved[1:] + cumulative_sum(moveaxis(turns, k, 0), 0)
    return moveaxis(concat([moved[:1], rest], 0), 0, k)
