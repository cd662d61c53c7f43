"""What the two Jacobians of a failure have to do with each other: the usual mistakes, recognised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.gradcheck.compare import Found
from autograd.gradcheck.problem import Problem

Array = NDArray[Any]


def suggestion(problem: Problem, found: Found, shapes: Sequence[tuple[int, ...]]) -> str:
    """In words, for the first variable whose Jacobians follow a known pattern; nothing if none does."""
    names = {m.input for m in found.wrong}
    for k, analytic, numeric in found.jacobians:
        if problem.names[k] in names:
            said = of_jacobians(analytic, numeric, problem.variables[k].shape, shapes)
            if said:
                return said
    return ""


def of_jacobians(
    analytic: Array, numeric: Array, shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]] = ()
) -> str:
    """What the analytic Jacobian (outputs by elements of an input of `shape`) lacks to be the numeric one.

    >>> of_jacobians(np.eye(3) * 2, np.eye(3), (3,))
    'a factor 2'
    """
    if not np.isfinite(analytic).all():
        return "a derivative that is not finite: a division by 0 or an infinity in the rule"
    size = max(float(np.nanmax(np.abs(numeric), initial=0)), 1e-300)
    wrong = ~np.isclose(analytic, numeric, rtol=1e-3, atol=1e-5 * size)
    if not wrong.any():
        return ""
    a, n = analytic[wrong], numeric[wrong]
    zero_a, zero_n = np.abs(a) <= 1e-9 * size, np.abs(n) <= 1e-5 * size
    if not np.any(analytic):
        return "the gradient is dropped: detach, stop_gradient, .numpy() or a rule that is missing"
    if not zero_n.any() and not zero_a.any() and np.allclose(a / n, a[0] / n[0], rtol=1e-3):
        return _constant(float(np.median(a / n)), (*shape, *(x for s in shapes for x in s)))
    if analytic.shape[1] == int(np.prod(shape)) and len(shape) >= 2:
        turned = np.swapaxes(analytic.reshape(-1, *shape[:-2], shape[-1], shape[-2]), -1, -2).reshape(analytic.shape)
        other = np.swapaxes(analytic.reshape(-1, *shape), -1, -2).reshape(analytic.shape)
        square = shape[-1] == shape[-2]
        if np.allclose(turned, numeric, 1e-3, 1e-5 * size) or (
            square and np.allclose(other, numeric, 1e-3, 1e-5 * size)
        ):
            return "a transpose: the gradient has the axes of the input the other way round"
    if np.allclose(np.sort(analytic, axis=None), np.sort(numeric, axis=None), rtol=1e-3, atol=1e-5 * size):
        return "the right numbers in the wrong places: an index off by one, an order or a transpose"
    if zero_a.all():
        return "contributions are missing: a sum over a broadcast axis, or over places that are read more than once"
    if zero_n.all():
        return (
            "contributions too many: a sum over an axis that was not broadcast, the wrong branch of a where, or a "
            "gradient that stop_gradient lets through on purpose where f is flat"
        )
    if zero_a.any() and zero_n.any():
        return "contributions at the wrong places: an index off by one, or the wrong branch of a where"
    return ""


def _constant(ratio: float, lengths: Sequence[int]) -> str:
    if abs(ratio + 1) < 1e-3:
        return "a sign"
    said = f"a factor {ratio:.4g}"
    for n in lengths:
        if n > 1 and (abs(ratio - n) < 1e-3 * n or abs(ratio * n - 1) < 1e-3):
            many = "extra" if ratio > 1 else "missing"
            return f"{said}: perhaps {many} sum over a broadcast axis of length {n}, or a mean for a sum"
    return said
