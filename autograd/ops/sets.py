"""The distinct elements of an array: what is picked has a derivative, by the first of equal elements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.ops.arrange import stacked
from autograd.ops.axes import one_axis
from autograd.ops.compare import isnan, logical_and, logical_not, not_equal, stop_gradient
from autograd.ops.index import put, take
from autograd.ops.join import concat
from autograd.ops.running import cumulative_sum, diff
from autograd.ops.search import any, argsort, nonzero
from autograd.ops.shape import moveaxis, reshape
from autograd.primitive import public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

__all__ = ["unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"]


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


def _order(rows: Any) -> Any:
    """The order of rows by their first number, equal ones by their second, and so on."""
    order: Any = argsort(rows[:, -1])
    for k in range(rows.shape[1] - 2, -1, -1):
        order = order[argsort(rows[:, k][order])]
    return order


def _starts(rows: Any, equal_nan: bool) -> Any:
    """Which of the sorted rows differ from the one before."""
    above, below = rows[:-1], rows[1:]
    differ = not_equal(above, below)
    if equal_nan and rows.dtype.kind in "fc":
        differ = logical_and(differ, logical_not(logical_and(isnan(above), isnan(below))))
    return concat([np.ones(min(1, rows.shape[0]), bool), any(differ, 1)])


@public(np.unique)
def unique(
    x: Operand,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
) -> Any:
    """The distinct elements in ascending order, or the distinct slices of an axis; of equal ones the first is taken.

    >>> import autograd as ag
    >>> ag.unique(ag.tensor([2.0, 1.0, 2.0]), return_counts=True)
    (tensor([1., 2.]), tensor([1, 2]))
    """
    t: Any = stacked(x)
    whole = reshape(t, (-1,)) if axis is None else moveaxis(t, one_axis(axis, t.ndim, "unique"), 0)
    values = stop_gradient(reshape(whole, (whole.shape[0], math.prod(whole.shape[1:]))))
    order = _order(values)
    starts = _starts(values[order], equal_nan)
    (first,) = nonzero(starts)
    taken = take(whole, order[first], 0)
    found = [taken if axis is None else moveaxis(taken, 0, axis)]
    if return_index:
        found.append(order[first])
    if return_inverse:
        number = put(np.zeros(values.shape[0], np.int64), order, cumulative_sum(starts, 0) - 1)
        found.append(number if axis is not None else reshape(number, t.shape))
    if return_counts:
        found.append(diff(first, append=values.shape[0]))
    return found[0] if len(found) == 1 else tuple(found)


@public(np.unique_all)
def unique_all(x: Operand) -> UniqueAll:
    """The distinct elements, the place of the first of each, the number of each element's, and how many there are.

    >>> import autograd as ag
    >>> ag.unique_all(ag.tensor([2.0, 1.0, 2.0])).indices
    tensor([1, 0])
    """
    return UniqueAll(*unique(x, True, True, True, equal_nan=False))


@public(np.unique_counts)
def unique_counts(x: Operand) -> UniqueCounts:
    """The distinct elements, and how many there are of each.

    >>> import autograd as ag
    >>> ag.unique_counts(ag.tensor([2.0, 1.0, 2.0])).counts
    tensor([1, 2])
    """
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False))


@public(np.unique_inverse)
def unique_inverse(x: Operand) -> UniqueInverse:
    """The distinct elements, and the number that each element has among them.

    >>> import autograd as ag
    >>> ag.unique_inverse(ag.tensor([2.0, 1.0, 2.0])).inverse_indices
    tensor([1, 0, 1])
    """
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False))


@public(np.unique_values)
def unique_values(x: Operand) -> Tensor:
    """The distinct elements in ascending order.

    >>> import autograd as ag
    >>> ag.unique_values(ag.tensor([2.0, 1.0, 2.0]))
    tensor([1., 2.])
    """
    return unique(x, equal_nan=False)  # type: ignore[no-any-return]
