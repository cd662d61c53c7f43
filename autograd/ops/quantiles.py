"""Quantiles: places in the order of elements, and between two of them; where and how is as NumPy has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from autograd.errors import ArgumentError, DTypeError
from autograd.ops.arrange import stacked
from autograd.ops.axes import Axes, definite_axes, kept_shape
from autograd.ops.compare import equal, isnan, logical_not
from autograd.ops.elementwise import clip, divide, floor, minimum, where
from autograd.ops.index import getitem, take_along_axis
from autograd.ops.reduce import mean, sum
from autograd.ops.search import sort
from autograd.ops.shape import astype, broadcast_to, permute_dims, reshape
from autograd.primitive import Eager, Traced, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

# of n elements in order, the place of a quantile q, from 0, is q (n + 1 - a - b) + a - 1 (Hyndman and Fan 1996)
CONTINUOUS = {
    "linear": (1.0, 1.0),
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
PICKS = ("closest_observation", "higher", "inverted_cdf", "lower", "nearest")  # one of the elements, of their dtype
METHODS = (*CONTINUOUS, *PICKS, "averaged_inverted_cdf", "midpoint")


@public(np.quantile)
def quantile(x: Operand, q: Operand, axis: Axes = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The value below which a share q of the elements along the axes lies, of all for None; NaN beside NaN.

    With method "linear", of n elements in order it is that at the place (n - 1) q, and between two places on the line
    through both. The derivative by x goes to these two, that by q is the slope of that line; methods that take steps
    ("lower", "nearest", ...) have none by q.

    Parameters:
        x: real numbers. q: one share, or several of any shape, which come first in the shape of the result.
        axis: one axis or several. method: one of NumPy's thirteen. keepdims: keep the axes, at length 1.

    Raises:
        ArgumentError: if a share is not in 0 to 1, there are no elements, or there is no such method.
        DTypeError: of complex numbers.

    Hyndman and Fan (1996), "Sample quantiles in statistical packages".

    >>> import autograd as ag
    >>> ag.quantile(ag.tensor([4.0, 1.0, 2.0]), [0.5, 0.75])
    tensor([2., 3.])
    """
    return _quantile("quantile", x, q, axis, method, keepdims)


@public(np.percentile)
def percentile(x: Operand, q: Operand, axis: Axes = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` with shares in 0 to 100.

    >>> import autograd as ag
    >>> ag.percentile(ag.tensor([4.0, 1.0, 2.0]), 75)
    tensor(3.)
    """
    return _quantile("percentile", x, _share(q), axis, method, keepdims)


@public(np.nanquantile)
def nanquantile(x: Operand, q: Operand, axis: Axes = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` of what is not NaN; NaN of nothing else.

    >>> import autograd as ag
    >>> ag.nanquantile(ag.tensor([4.0, ag.nan, 2.0]), 0.25)
    tensor(2.5)
    """
    return _quantile("nanquantile", x, q, axis, method, keepdims, of_numbers=True)


@public(np.nanpercentile)
def nanpercentile(
    x: Operand, q: Operand, axis: Axes = None, *, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """`percentile` of what is not NaN; NaN of nothing else.

    >>> import autograd as ag
    >>> ag.nanpercentile(ag.tensor([4.0, ag.nan, 2.0]), 25)
    tensor(2.5)
    """
    return _quantile("nanpercentile", x, _share(q), axis, method, keepdims, of_numbers=True)


@public(np.median)
def median(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The middle of the elements along the axes, of all for None; the mean of both where there are two; NaN beside NaN.

    >>> import autograd as ag
    >>> ag.median(ag.tensor([5.0, 1.0, 4.0, 2.0]))
    tensor(3.)
    """
    t, axes, flat = _flat("median", x, axis)
    length = flat.shape[-1]
    ordered = sort(flat)
    middle = mean(getitem(ordered, (..., slice((length - 1) // 2, length // 2 + 1))), -1)
    last = getitem(ordered, (..., -1))  # where NaN is sorted to
    y = where(isnan(last), last, middle)
    return reshape(y, kept_shape(t.shape, axes)) if keepdims else y


@public(np.nanmedian)
def nanmedian(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """`median` of what is not NaN; NaN of nothing else.

    >>> import autograd as ag
    >>> ag.nanmedian(ag.tensor([4.0, ag.nan, 2.0]))
    tensor(3.)
    """
    return _quantile("nanmedian", x, 0.5, axis, "linear", keepdims, of_numbers=True)


def _share(q: Any) -> Any:
    return q / 100 if isinstance(q, (int, float)) else divide(stacked(q), 100)


def _flat(name: str, x: Any, axis: Axes) -> tuple[Any, tuple[int, ...], Any]:
    """x, the axes meant, and x with these as one last axis."""
    t: Any = stacked(x)
    axes = definite_axes(axis, t.ndim, name)
    rest = [k for k in range(t.ndim) if k not in axes]
    length = int(np.prod([t.shape[k] for k in axes], dtype=int))
    if not length:
        raise ArgumentError(f"{name} was given shape {t.shape}. Expected at least one element there.")
    moved = t if [*rest, *axes] == list(range(t.ndim)) else permute_dims(t, (*rest, *axes))
    return t, axes, reshape(moved, (*[t.shape[k] for k in rest], length))


def _quantile(name: str, x: Any, q: Any, axis: Axes, method: str, keepdims: bool, of_numbers: bool = False) -> Tensor:
    t, axes, flat = _flat(name, x, axis)
    if t.dtype.kind == "c":
        raise DTypeError(f"{name} was given dtype {t.dtype}. Expected real numbers: write abs or real.")
    if method not in METHODS:
        raise ArgumentError(f"{name} was given method={method!r}. Expected one of {sorted(METHODS)}.")
    floating = t.dtype if t.dtype.kind == "f" else np.dtype(np.float64)
    shares = np.asarray(q, floating) if isinstance(q, (int, float)) else stacked(q)
    _check_shares(name, shares)
    shares = astype(shares, np.result_type(shares.dtype, floating))
    flat = flat if method in PICKS else astype(flat, floating)
    count = sum(logical_not(isnan(flat)), -1) if of_numbers else flat.shape[-1]
    many = (*shares.shape, *flat.shape[:-1])
    place = _places(reshape(shares, shares.shape + (1,) * (flat.ndim - 1)), count, method)
    place = reshape(broadcast_to(place, many), (-1, *flat.shape[:-1]))
    ordered = permute_dims(sort(flat), (flat.ndim - 1, *range(flat.ndim - 1)))
    low = floor(place)
    below, above = (
        take_along_axis(ordered, astype(k, np.int64), 0) for k in (low, minimum(low + 1, flat.shape[-1] - 1))
    )
    last = ordered[-1]  # where NaN is sorted to
    above = where(isnan(above), below, above) if of_numbers else above
    y = below if method in PICKS else below + (place - low) * where(equal(below, above), 0, above - below)
    y = reshape(y if of_numbers else where(isnan(last), last, y), many)
    return reshape(y, (*shares.shape, *kept_shape(t.shape, axes))) if keepdims else y


def _check_shares(name: str, q: Any) -> None:
    q = q.value if isinstance(q, Eager) else q
    if not isinstance(q, Traced) and not np.all((q >= 0) & (q <= 1)):
        whole = "0 to 100" if "percentile" in name else "0 to 1"
        raise ArgumentError(f"{name} was given shares that are not all in {whole}.")


def _places(q: Any, count: Any, method: str) -> Any:
    """Where shares are among `count` elements in order, from 0."""
    if method in CONTINUOUS:
        a, b = CONTINUOUS[method]
        count = astype(np.asarray(count) if isinstance(count, int) else count, q.dtype)
        return clip(q * (count + (1 - a - b)) + (a - 1), 0, clip(count - 1, 0, None))
    q, count = (v.value if isinstance(v, Eager) else v for v in (q, count))
    found = np.zeros(np.broadcast_shapes(np.shape(q), np.shape(count)), q.dtype)
    for n in np.unique(count):  # the quantile of 0, 1, .. n - 1 is its own place
        if n:
            order: Any = np.arange(n, dtype=np.float64)
            np.copyto(
                found, np.quantile(order, np.ravel(q), method=cast(Any, method)).reshape(np.shape(q)), where=count == n
            )
    return found
