"""How far a result is from its reference, in units in the last place, and whether that is too far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIMIT = 1024.0  # units in the last place: 1.2e-4 of a float32, 2.3e-13 of a float64


class WrongKernel(Exception):
    """A kernel's results are not its reference's, so that its time means nothing."""


@dataclass(frozen=True)
class Error:
    """The largest error of a result.

    Attributes:
        ulp: in units in the last place of the element that it is an error of; 0 or infinite where values are exact.
        of_largest: the largest error in units of the reference's largest element, which sums of mixed signs keep small.
        words: where it is, and what stands there.
    """

    ulp: float
    of_largest: float
    words: str


def error(found: Any, expected: Any) -> Error:
    """The largest error: |found - expected| in units of the spacing of the coarser of the two dtypes at expected.

    The reference may be of a wider dtype; one of a narrower tells no more than it holds. NaN and infinities must stand
    where the reference, rounded to the dtype, has them; whole numbers and truth values must be equal. Raises
    WrongKernel where the shapes differ.

    >>> error(np.float32([1.0, 4.0]), np.float64([1.0, 4.0 + 2**-20])).ulp
    2.0
    >>> error(np.array([1, 2]), np.array([1, 3])).ulp
    inf
    """
    y, r = np.asarray(found), np.asarray(expected)
    if y.shape != r.shape:
        raise WrongKernel(f"the result has shape {y.shape}, and the reference has {r.shape}.")
    if not y.size:
        return Error(0.0, 0.0, "there are no elements")
    coarse = narrowed(y, r)
    far = distance(coarse, r) if y.dtype.kind in "fc" else np.where(y == r, 0.0, np.inf)
    at = np.unravel_index(int(np.argmax(far)), y.shape)
    place = f"element {tuple(map(int, at))}: " if y.shape else ""
    scale = scaled(coarse, r) if np.isfinite(far[at]) else float("inf")
    return Error(float(far[at]), scale, f"{place}{y[at]!s}, expected {r[at]!s}")


def narrowed(y: NDArray[Any], r: NDArray[Any]) -> NDArray[Any]:
    """A result in the precision of its reference, if that is less: `a * x` of float32 is float64 in numba."""
    if y.dtype.kind not in "fc" or r.dtype.kind not in "fc" or np.finfo(r.dtype).eps <= np.finfo(y.dtype).eps:
        return y
    with np.errstate(over="ignore"):
        return y.astype(r.real.dtype if y.dtype.kind == "f" else np.result_type(r.dtype, np.complex64))


def distance(y: NDArray[Any], r: NDArray[Any]) -> NDArray[np.float64]:
    """For each element its error in units in the last place."""
    if y.dtype.kind == "c":
        return np.maximum(distance(y.real, r.real), distance(y.imag, r.imag))
    wide = np.longdouble if y.dtype.itemsize >= 8 else np.float64
    with np.errstate(all="ignore"):
        rounded = r.astype(y.dtype)
        step = np.spacing(np.abs(rounded)).astype(wide)
        far = np.abs(y.astype(wide) - r.astype(wide)) / step
    same = (y == rounded) | (np.isnan(y) & np.isnan(rounded))
    special = ~np.isfinite(y) | ~np.isfinite(rounded)
    with np.errstate(over="ignore"):
        return np.where(special, np.where(same, 0.0, np.inf), far).astype(np.float64)


def scaled(y: NDArray[Any], r: NDArray[Any]) -> float:
    """The largest error in units in the last place of the largest element."""
    if y.dtype.kind == "c":
        return scaled(np.stack([y.real, y.imag]), np.stack([r.real, r.imag]))
    if y.dtype.kind != "f":
        return 0.0 if np.array_equal(y, r) else float("inf")
    fine = np.isfinite(y) & np.isfinite(r)
    if not fine.any():
        return 0.0
    wide, expected = y[fine].astype(np.longdouble), r[fine].astype(np.longdouble)
    with np.errstate(all="ignore"):
        step = np.spacing(np.abs(expected).max().astype(y.dtype))
        return float(np.abs(wide - expected).max() / step)


def check(found: Sequence[Any], expected: Sequence[Any], limit: float = LIMIT) -> Error:
    """The largest error of several results. Raises WrongKernel where it is above the limit.

    >>> check([np.float32([1.0])], [np.array([1.5])])
    Traceback (most recent call last):
    bench.ulp.WrongKernel: the result is wrong by 4.19e+06 ulp, 4.19e+06 of the largest element's
    (element (0,): 1.0, expected 1.5). At most 1024 are allowed: ulps=...
    """
    if len(found) != len(expected):
        raise WrongKernel(f"there are {len(found)} results, and the reference has {len(expected)}.")
    errors = [error(y, r) for y, r in zip(found, expected, strict=True)]
    worst = max(errors, key=lambda e: e.ulp, default=Error(0.0, 0.0, "there is no result"))
    if worst.ulp > limit:
        raise WrongKernel(
            f"the result is wrong by {worst.ulp:.3g} ulp, {worst.of_largest:.3g} of the largest element's\n"
            f"({worst.words}). At most {limit:g} are allowed: ulps=..."
        )
    return worst
