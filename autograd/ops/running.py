"""Running totals along an axis, and the recurrence that their derivatives are made of."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.domain import case
from autograd.errors import ArgumentError
from autograd.ops.arrange import stacked
from autograd.ops.axes import kept_shape, one_axis, rank, shape_of
from autograd.ops.compare import not_equal
from autograd.ops.elementwise import multiply, subtract
from autograd.ops.index import getitem
from autograd.ops.join import concat
from autograd.ops.shape import astype, broadcast_to, reshape
from autograd.primitive import Primitive, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

_cumsum: Primitive = primitive(
    "cumulative_sum",
    "x",
    lambda x, *, axis, reverse: np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis),
    vjp=(lambda g, *, axis, reverse: _cumsum(g, axis=axis, reverse=not reverse),),
    cases=(case((4,), axis=0, reverse=False), case((2, 3), axis=1, reverse=True), case((0, 2), axis=0, reverse=False)),
    doc="The running sum along an axis, from its end if reversed.",
)
_cumprod: Primitive = primitive(
    "cumulative_prod",
    "x",
    lambda x, *, axis: np.cumprod(x, axis),
    vjp=(
        lambda g, x, *, axis: multiply(
            product_before(x, axis), _recurrence(_shift(x, axis, -1, 0), g, axis=axis, reverse=True)
        ),
    ),
    cases=(case((4,), axis=0), case((2, 3), axis=1), case((0, 2), axis=0)),
    doc="The running product along an axis.",
)


def _shift(x: Any, axis: int, by: int, fill: float) -> Any:
    """x moved by one place along an axis, `fill` entering."""
    if not shape_of(x)[axis]:
        return x
    rest = getitem(x, (slice(None),) * axis + (slice(None, -1) if by > 0 else slice(1, None),))
    edge = np.full(kept_shape(shape_of(x), (axis,)), fill, x.dtype)
    return concat([edge, rest] if by > 0 else [rest, edge], axis)


def product_before(x: Any, axis: int) -> Any:
    """At each place, the product of the elements before it."""
    return _cumprod(_shift(x, axis, 1, 1), axis=axis)


def _recur(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    a, b = np.broadcast_arrays(a, b)
    s = np.array(b, np.result_type(a, b))
    coefficients, states = np.moveaxis(a, axis, 0), np.moveaxis(s, axis, 0)
    order = range(len(states))[::-1] if reverse else range(len(states))
    for before, k in itertools.pairwise(order):
        states[k] += coefficients[k] * states[before]
    return s


def _recurrence_adjoint(g: Any, a: Any, axis: int, reverse: bool) -> Any:
    return _recurrence(_shift(a, axis, 1 if reverse else -1, 0), g, axis=axis, reverse=not reverse)


_recurrence: Primitive = primitive(
    "linear_recurrence",
    "a b",
    _recur,
    vjp=(
        lambda g, y, a, *, axis, reverse: multiply(
            _recurrence_adjoint(g, a, axis, reverse), _shift(y, axis, -1 if reverse else 1, 0)
        ),
        lambda g, a, *, axis, reverse: _recurrence_adjoint(g, a, axis, reverse),
    ),
    cases=(
        case((4,), (4,), axis=0, reverse=False),
        case((2, 3), (2, 3), axis=1, reverse=True),
        case((0,), (0,), axis=0, reverse=False),
    ),
    doc="s[k] = a[k] s[k-1] + b[k] along an axis, from its end if reversed.",
)


@public(np.cumsum, np.cumulative_sum)
def cumulative_sum(
    x: Operand, axis: int | None = None, *, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Tensor:
    """The running sum along an axis; of the flattened x for None.

    >>> import autograd as ag
    >>> ag.cumulative_sum(ag.tensor([1, 2, 3]))
    tensor([1, 3, 6])
    """
    return _running(_cumsum, x if dtype is None else astype(x, dtype), axis, include_initial, 0, reverse=False)


@public(np.cumprod, np.cumulative_prod)
def cumulative_prod(
    x: Operand, axis: int | None = None, *, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Tensor:
    """The running product along an axis; its derivative is exact at zeros.

    >>> import autograd as ag
    >>> ag.cumulative_prod(ag.tensor([1, 2, 3]))
    tensor([1, 2, 6])
    """
    return _running(_cumprod, x if dtype is None else astype(x, dtype), axis, include_initial, 1)


def _running(op: Any, x: Any, axis: int | None, include_initial: bool, start: int, **settings: Any) -> Tensor:
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    k = one_axis(axis, rank(x), op.name)
    y: Tensor = op(x, axis=k, **settings)
    first = np.full(kept_shape(shape_of(y), (k,)), start, y.dtype)
    return concat([first, y], k) if include_initial else y


@public()
def linear_recurrence(a: Operand, b: Operand, axis: int = -1, *, reverse: bool = False) -> Tensor:
    """s[k] = a[k] s[k-1] + b[k] along an axis, with s[-1] = 0; from the end of the axis if reversed.

    >>> import autograd as ag
    >>> ag.linear_recurrence(ag.tensor([0.0, 0.5, 0.5]), ag.tensor([4.0, 0.0, 1.0]))
    tensor([4., 2., 2.])
    """
    return _recurrence(a, b, axis=one_axis(axis, rank(b), "linear_recurrence"), reverse=reverse)


@public(np.diff)
def diff(
    x: Operand, n: int = 1, axis: int = -1, prepend: Operand | None = None, append: Operand | None = None
) -> Tensor:
    """The n-th difference between neighbours along an axis; of truths, whether they differ.

    `prepend` and `append` are put before and behind x first, unless n is 0; numbers stand for one place along the axis.

    >>> import autograd as ag
    >>> ag.diff(ag.tensor([1, 4, 9]), prepend=0)
    tensor([1, 3, 5])
    """
    if n < 0:
        raise ArgumentError(f"diff was given n={n}. Expected how often to take differences, 0 or more.")
    y: Any = stacked(x)
    k = one_axis(axis, y.ndim, "diff")
    ends = [None if end is None else stacked(end) for end in (prepend, append)]
    before, after = ([] if t is None else [_one_place(t, y.shape, k)] for t in ends)
    y = concat([*before, y, *after], k) if n and (before or after) else y
    rest, most = ((slice(None),) * k + (part,) for part in (slice(1, None), slice(None, -1)))
    for _ in range(n):
        y = (not_equal if y.dtype.kind == "b" else subtract)(getitem(y, rest), getitem(y, most))
    return y  # type: ignore[no-any-return]


def _one_place(t: Any, shape: tuple[int, ...], axis: int) -> Any:
    """A number as an array of length 1 along an axis; any other array as it is."""
    return t if t.ndim else broadcast_to(t, kept_shape(shape, (axis,)))
