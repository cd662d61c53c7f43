"""NumPy's statistics beside `mean`, `var` and quantiles, composed of those with a rule; arguments are NumPy's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import ArgumentError, ShapeError
from autograd.ops.arrange import stacked
from autograd.ops.axes import Axes, definite_axes
from autograd.ops.compare import isnan, logical_not
from autograd.ops.complex import conj, real
from autograd.ops.composed import nanmean
from autograd.ops.elementwise import clip, divide, sqrt, square, where
from autograd.ops.join import concat
from autograd.ops.linalg import matmul
from autograd.ops.reduce import max, mean, min, prod, sum
from autograd.ops.running import cumulative_prod, cumulative_sum
from autograd.ops.search import all, diagonal
from autograd.ops.shape import astype, broadcast_to, expand_dims, matrix_transpose, reshape
from autograd.primitive import public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmin",
    "nanprod",
    "nanstd",
    "nanvar",
]


@public(np.average)
def average(
    x: Operand, axis: Axes = None, weights: Operand | None = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """sum(weights x) / sum(weights) over the given axes, over all for None; with `returned`, and sum(weights).

    Raises:
        ShapeError: if the weights have neither the shape of x, nor that of the axis.

    >>> import autograd as ag
    >>> ag.average(ag.tensor([1.0, 4.0]), weights=[3.0, 1.0])
    tensor(1.75)
    """
    t: Any = stacked(x)
    axes = definite_axes(axis, t.ndim, "average")
    if weights is None:
        y = mean(t, axes, keepdims=keepdims)
        return (y, broadcast_to(np.asarray(t.size / y.size, y.dtype), y.shape)) if returned else y
    w: Any = stacked(weights)
    if w.shape != t.shape:
        if axis is None or w.shape != tuple(t.shape[k] for k in axes):
            raise ShapeError(
                f"average was given shape {t.shape} and weights of shape {w.shape}. Expected weights of that shape, or "
                "of the lengths of the axes."
            )
        w = broadcast_to(reshape(w, [t.shape[k] if k in axes else 1 for k in range(t.ndim)]), t.shape)
    total = sum(w, axes, keepdims=keepdims)
    y = sum(t * w, axes, keepdims=keepdims) / total
    return (y, total) if returned else y


@public(np.cov)
def cov(
    m: Operand,
    y: Operand | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Operand | None = None,
    aweights: Operand | None = None,
) -> Tensor:
    """The covariances sum_k w_k (x_ik - m_i)(x_jk - m_j) / n of variables, which are rows, or columns without `rowvar`.

    Parameters:
        m, y: variables, the second ones added to the first. bias: n is the number of samples, and one less without.
        ddof: what n is less by. fweights: how often each sample was seen. aweights: how much each sample counts.

    Raises:
        ArgumentError: if there are too few samples.

    >>> import autograd as ag
    >>> ag.cov(ag.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = _variables(m, rowvar)
    if y is not None:
        x = concat([x, _variables(y, rowvar)], 0)
    less = ddof if ddof is not None else 0 if bias else 1
    given = [astype(stacked(w), x.real.dtype) for w in (fweights, aweights) if w is not None]
    if not given:
        weights: Any = None
        count: Any = x.shape[1] - less
        if count <= 0:
            raise ArgumentError(f"cov was given {x.shape[1]} samples. Expected more than ddof={less}.")
        centred = x - mean(x, 1, keepdims=True)
    else:
        weights = given[0] * given[1] if len(given) == 2 else given[0]
        total = sum(weights)
        count = total - (less if aweights is None else less * sum(weights * given[-1]) / total)
        centred = x - sum(x * weights, 1, keepdims=True) / total
    other = centred if weights is None else centred * weights
    found = matmul(other, conj(matrix_transpose(centred))) / count
    return reshape(found, ()) if found.shape == (1, 1) else found


def _variables(m: Any, rowvar: bool) -> Any:
    """Variables as rows."""
    t: Any = stacked(m)
    if t.ndim > 2:
        raise ShapeError(f"cov was given shape {t.shape}. Expected a vector of samples, or a matrix.")
    t = t if t.dtype.kind in "fc" else astype(t, np.float64)
    if t.ndim < 2:
        return reshape(t, (1, -1))
    return t if rowvar or t.shape[0] == 1 else matrix_transpose(t)


@public(np.corrcoef)
def corrcoef(x: Operand, y: Operand | None = None, rowvar: bool = True) -> Tensor:
    """The covariances over the products of standard deviations, arguments as of `cov`; no larger than 1.

    >>> import autograd as ag
    >>> ag.corrcoef(ag.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    c: Any = cov(x, y, rowvar)
    if c.ndim == 0:
        return c / c  # type: ignore[no-any-return]
    spread = sqrt(real(diagonal(c)))
    ratio: Any = c / expand_dims(spread, 1) / spread
    return ratio if ratio.dtype.kind == "c" else clip(ratio, -1, 1)


def _extreme(of: Any, beyond: float, x: Any, axis: Axes, keepdims: bool) -> Any:
    t: Any = stacked(x)
    if t.dtype.kind != "f":
        return of(t, axis, keepdims=keepdims)
    missing = isnan(t)
    found = of(where(missing, beyond, t), axis, keepdims=keepdims)
    return where(all(missing, axis, keepdims=keepdims), np.nan, found)


@public(np.nanmax)
def nanmax(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The largest of what is not NaN, over the given axes; NaN of nothing else.

    >>> import autograd as ag
    >>> ag.nanmax(ag.tensor([3.0, ag.nan, 2.0]))
    tensor(3.)
    """
    return _extreme(max, -math.inf, x, axis, keepdims)  # type: ignore[no-any-return]


@public(np.nanmin)
def nanmin(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The smallest of what is not NaN, over the given axes; NaN of nothing else.

    >>> import autograd as ag
    >>> ag.nanmin(ag.tensor([3.0, ag.nan, 2.0]))
    tensor(2.)
    """
    return _extreme(min, math.inf, x, axis, keepdims)  # type: ignore[no-any-return]


@public(np.nanprod)
def nanprod(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The product of what is not NaN, over the given axes.

    >>> import autograd as ag
    >>> ag.nanprod(ag.tensor([3.0, ag.nan, 2.0]))
    tensor(6.)
    """
    return prod(where(isnan(x), 1, x), axis, keepdims=keepdims)


@public(np.nancumsum)
def nancumsum(x: Operand, axis: int | None = None) -> Tensor:
    """The running sum of what is not NaN, of the flattened x for None.

    >>> import autograd as ag
    >>> ag.nancumsum(ag.tensor([3.0, ag.nan, 2.0]))
    tensor([3., 3., 5.])
    """
    return cumulative_sum(where(isnan(x), 0, x), axis)


@public(np.nancumprod)
def nancumprod(x: Operand, axis: int | None = None) -> Tensor:
    """The running product of what is not NaN, of the flattened x for None.

    >>> import autograd as ag
    >>> ag.nancumprod(ag.tensor([3.0, ag.nan, 2.0]))
    tensor([3., 3., 6.])
    """
    return cumulative_prod(where(isnan(x), 1, x), axis)


@public(np.nanvar)
def nanvar(x: Operand, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """The mean squared distance from the mean of what is not NaN, the count reduced by `ddof`; NaN of too few.

    >>> import autograd as ag
    >>> ag.nanvar(ag.tensor([3.0, ag.nan, 1.0]))
    tensor(1.)
    """
    t: Any = stacked(x)
    t = t if t.dtype.kind in "fc" else astype(t, np.float64)
    distance = t - nanmean(t, axis, keepdims=True)
    count = astype(sum(logical_not(isnan(t)), axis, keepdims=keepdims), t.real.dtype) - ddof
    size = real(distance * conj(distance)) if t.dtype.kind == "c" else square(distance)
    total = sum(where(isnan(t), 0, size), axis, keepdims=keepdims)
    return divide(total, where(count > 0, count, np.nan))


@public(np.nanstd)
def nanstd(x: Operand, axis: Axes = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """The square root of `nanvar`; its gradient is 0 where all elements are equal.

    >>> import autograd as ag
    >>> ag.nanstd(ag.tensor([3.0, ag.nan, 1.0]))
    tensor(1.)
    """
    variance: Any = nanvar(x, axis, ddof=ddof, keepdims=keepdims)
    none = variance == 0
    return where(none, 0, sqrt(where(none, 1, variance)))
