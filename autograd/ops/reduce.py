"""Reductions and running totals along axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.domain import Distinct, Interval, case
from autograd.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from autograd.ops.axes import Axes, definite_axes, kept_shape, rank, shape_of
from autograd.ops.compare import equal
from autograd.ops.complex import abs, imag, is_complex, real, sign
from autograd.ops.elementwise import divide, maximum, minimum, multiply, pow, sqrt, square, where
from autograd.ops.index import getitem
from autograd.ops.join import concat
from autograd.ops.running import product_before
from autograd.ops.search import diagonal
from autograd.ops.shape import astype, broadcast_to, expand_dims, permute_dims, reshape
from autograd.primitive import Primitive, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

OVER_AXES = (
    case((2, 3), axis=(0, 1), keepdims=False),
    case((2, 3, 2), axis=(1,), keepdims=True),
    case((2, 3, 2), axis=(0, 2), keepdims=False),
    case((), axis=(), keepdims=False),
)
_EMPTY = (case((0, 3), axis=(0,), keepdims=False), case((0, 3), axis=(1,), keepdims=False))


def spread(v: Any, input_shape: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """A reduced array with its axes back at length 1, so that it broadcasts against the input."""
    return reshape(v, kept_shape(input_shape, axis))


def _on(cases: Sequence[Any], domain: Any) -> tuple[Any, ...]:
    return tuple(case(*c.shapes, on=domain, **c.settings) for c in cases)


sum_ = primitive(
    "sum",
    "x",
    lambda x, *, axis, keepdims: np.add.reduce(x, axis, keepdims=keepdims),
    vjp=(lambda g, *, axis, input_shape: broadcast_to(spread(g, input_shape, axis), input_shape),),
    cases=OVER_AXES + _EMPTY,
    doc="The sum over axes.",
)


def _max_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...]) -> Any:
    """The cotangent goes to the extreme element; ties share it equally."""
    taken = equal(x, spread(y, x.shape, axis))
    count = sum_(taken, axis=axis, keepdims=True)
    return where(taken, divide(spread(g, x.shape, axis), where(equal(count, 0), 1, count)), 0)


max_ = primitive(
    "max",
    "x",
    lambda x, *, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims),
    vjp=(_max_rule,),
    cases=_on(OVER_AXES, Distinct()),
    doc="The largest element over axes.",
)
min_ = primitive(
    "min",
    "x",
    lambda x, *, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims),
    vjp=(_max_rule,),
    cases=_on(OVER_AXES, Distinct()),
    doc="The smallest element over axes.",
)
max_.analytic = min_.analytic = False


def _norm_rule(g: Any, y: Any, x: Any, *, axis: tuple[int, ...]) -> Any:
    y = spread(y, x.shape, axis)
    zero = equal(y, 0)  # the norm has a kink at 0: its subgradient 0 is taken
    return multiply(spread(g, x.shape, axis), where(zero, 0, divide(x, where(zero, 1, y))))


_norm = primitive(
    "norm",
    "x",
    lambda x, *, axis, keepdims: _euclidean(x, axis, keepdims),
    vjp=(_norm_rule,),
    cases=_on(OVER_AXES, Interval(0.3, 2)),
    doc="The square root of the sum of squares over axes.",
)
_norm.analytic = False


def _euclidean(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    if is_complex(x):
        raise DTypeError("the primitive norm was given complex numbers. Write ag.norm(x), which takes their parts.")
    top = np.max(np.abs(x), axis=axis, keepdims=True, initial=0)
    scale = np.where((top > 0) & np.isfinite(top), top, 1).astype(top.dtype)  # squares of scaled values do not overflow
    y = np.sqrt(np.sum(np.square(x / scale), axis=axis, keepdims=True)) * scale
    return y if keepdims else np.squeeze(y, axis)


def _product_rule(g: Any, x: Any, *, axis: tuple[int, ...]) -> Any:
    """The product of the other elements, exact where some are zero: all before times all after."""
    rest = tuple(k for k in range(rank(x)) if k not in axis)
    order = rest + axis
    moved = permute_dims(x, order)
    flat = reshape(moved, (*shape_of(moved)[: len(rest)], math.prod(shape_of(x)[k] for k in axis)))
    after = getitem(
        product_before(getitem(flat, (..., slice(None, None, -1))), len(rest)), (..., slice(None, None, -1))
    )
    others = reshape(multiply(product_before(flat, len(rest)), after), shape_of(moved))
    return multiply(spread(g, x.shape, axis), permute_dims(others, np.argsort(order).tolist()))


_prod = primitive(
    "prod",
    "x",
    lambda x, *, axis, keepdims: np.multiply.reduce(x, axis, keepdims=keepdims),
    vjp=(_product_rule,),
    cases=OVER_AXES + _EMPTY[:1],
    doc="The product over axes.",
)


# ---- what users call


def among(x: Any, chosen: Any, neutral: Any) -> Any:
    """x with a neutral number in place of what is not chosen."""
    return x if chosen is True else where(chosen, x, neutral)


def _count(x: Any, axes: tuple[int, ...], chosen: Any, keepdims: bool) -> Any:
    """How many elements are summed over the axes: a number, or an array of those that are chosen."""
    if chosen is True:
        return math.prod(shape_of(x)[k] for k in axes)
    found = sum_(broadcast_to(chosen, shape_of(x)), axis=axes, keepdims=keepdims)
    kind = getattr(x, "dtype", found.dtype).kind
    return astype(found, real(x).dtype) if kind in "fc" else found


def _extreme(of: Primitive, two: Primitive, x: Any, axis: Axes, keepdims: bool, initial: Any, chosen: Any) -> Any:
    """The largest or the smallest, of `initial` too."""
    if initial is None:
        raise ArgumentError(f"{of.name} was given where= alone. Expected initial= as well: what none of them gives.")
    axes = definite_axes(axis, rank(x), of.name)
    if any(shape_of(x)[k] == 0 for k in axes):
        return sum_(x, axis=axes, keepdims=keepdims) + initial
    return two(of(among(x, chosen, initial), axis=axes, keepdims=keepdims), initial)


def _nonempty(x: Any, axis: Axes, name: str) -> tuple[int, ...]:
    axes = definite_axes(axis, rank(x), name)
    if any(shape_of(x)[k] == 0 for k in axes):
        raise ShapeError(f"{name} over axes {axes} was given shape {shape_of(x)}. Expected at least one element there.")
    return axes


@public(np.sum)
def sum(
    x: Operand,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The sum over the given axes, over all for None, of what is chosen by `where`, and of `initial`.

    >>> import autograd as ag
    >>> ag.sum(ag.ones((2, 3)), axis=1)
    tensor([3., 3.])
    """
    x = x if dtype is None else astype(x, dtype)
    y: Any = sum_(among(x, where, 0), axis=definite_axes(axis, rank(x), "sum"), keepdims=keepdims)
    return y if initial is None else y + initial  # type: ignore[no-any-return]


@public(np.mean)
def mean(
    x: Operand, axis: Axes = None, *, dtype: DTypeLike | None = None, keepdims: bool = False, where: Any = True
) -> Tensor:
    """The arithmetic mean over the given axes, over all for None, of what is chosen by `where`.

    >>> import autograd as ag
    >>> ag.mean(ag.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    x = x if dtype is None else astype(x, dtype)
    axes = _nonempty(x, axis, "mean")
    return sum_(among(x, where, 0), axis=axes, keepdims=keepdims) / _count(x, axes, where, keepdims)  # type: ignore[no-any-return]


@public(np.prod)
def prod(
    x: Operand,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Tensor:
    """The product over the given axes, over all for None, as `sum`; its derivative is exact at zeros.

    >>> import autograd as ag
    >>> ag.prod(ag.tensor([2.0, 3.0]))
    tensor(6.)
    """
    x = x if dtype is None else astype(x, dtype)
    y: Any = _prod(among(x, where, 1), axis=definite_axes(axis, rank(x), "prod"), keepdims=keepdims)
    return y if initial is None else y * initial  # type: ignore[no-any-return]


@public(np.max, np.amax)
def max(x: Operand, axis: Axes = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Tensor:
    """The largest element over the given axes, over all for None; ties share the gradient equally.

    With `initial`, of that too, and then of no others than `where` chooses.

    >>> import autograd as ag
    >>> ag.max(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), axis=0)
    tensor([7., 5.])
    """
    if initial is None and where is True:
        return max_(x, axis=_nonempty(x, axis, "max"), keepdims=keepdims)
    return _extreme(max_, maximum, x, axis, keepdims, initial, where)  # type: ignore[no-any-return]


@public(np.min, np.amin)
def min(x: Operand, axis: Axes = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Tensor:
    """The smallest element over the given axes, over all for None; ties share the gradient equally.

    With `initial`, of that too, and then of no others than `where` chooses.

    >>> import autograd as ag
    >>> ag.min(ag.tensor([3.0, 1.0]))
    tensor(1.)
    """
    if initial is None and where is True:
        return min_(x, axis=_nonempty(x, axis, "min"), keepdims=keepdims)
    return _extreme(min_, minimum, x, axis, keepdims, initial, where)  # type: ignore[no-any-return]


def _degrees_of_freedom(
    x: Any, axes: tuple[int, ...], correction: float, name: str, chosen: Any = True, keepdims: bool = False
) -> Any:
    count = _count(x, axes, chosen, keepdims) - correction
    if chosen is not True:
        return maximum(count, 0)  # as NumPy has it: 0 / 0 where there are too few
    if count <= 0:
        raise ShapeError(
            f"{name} with correction={correction} over axes {axes} of shape {shape_of(x)}: too few elements."
        )
    return count


@public(np.var)
def var(
    x: Operand,
    axis: Axes = None,
    *,
    correction: float = 0,
    keepdims: bool = False,
    ddof: float | None = None,
    where: Any = True,
) -> Tensor:
    """The mean squared distance from the mean, the count reduced by `correction` (NumPy's `ddof`).

    >>> import autograd as ag
    >>> ag.var(ag.tensor([1.0, 3.0]), correction=1)
    tensor(2.)
    """
    axes = _nonempty(x, axis, "var")
    count = _degrees_of_freedom(x, axes, correction if ddof is None else ddof, "var", where, keepdims)
    apart = among(x - mean(x, axes, keepdims=True, where=where), where, 0)
    return sum_(_squared_size(apart), axis=axes, keepdims=keepdims) / count  # type: ignore[no-any-return]


def _squared_size(x: Any) -> Any:
    """|x|^2, smooth at 0."""
    return square(real(x)) + square(imag(x)) if is_complex(x) else square(x)


def _length(x: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """The square root of the sum of |x|^2: of a complex x that of its real and imaginary parts."""
    if not is_complex(x):
        return _norm(x, axis=axes, keepdims=keepdims)
    parts = concat([expand_dims(real(x), 0), expand_dims(imag(x), 0)])
    y = _norm(parts, axis=(0, *(k + 1 for k in axes)), keepdims=keepdims)
    return reshape(y, shape_of(y)[1:]) if keepdims else y


@public(np.std)
def std(
    x: Operand,
    axis: Axes = None,
    *,
    correction: float = 0,
    keepdims: bool = False,
    ddof: float | None = None,
    where: Any = True,
) -> Tensor:
    """The square root of the variance; its gradient is 0 where all elements are equal.

    >>> import autograd as ag
    >>> ag.std(ag.tensor([1.0, 3.0]))
    tensor(1.)
    """
    axes = _nonempty(x, axis, "std")
    count = _degrees_of_freedom(x, axes, correction if ddof is None else ddof, "std", where, keepdims)
    apart = among(x - mean(x, axes, keepdims=True, where=where), where, 0)
    return _length(apart, axes, keepdims) / (math.sqrt(count) if where is True else sqrt(count))


@public()
def norm(x: Operand, ord: float | None = None, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The vector norm (sum |x|^ord)^(1/ord) over the given axes, over all for None; `ord` is 2 for None.

    Also ord = inf, -inf (the largest and smallest magnitude) and 0 (the count of nonzeros). At 0 the subgradient 0.

    >>> import autograd as ag
    >>> ag.norm(ag.tensor([3.0, 4.0]))
    tensor(5.)
    """
    axes = definite_axes(axis, rank(x), "norm")
    if ord is not None and axis is None and rank(x) == 2:
        raise UnsupportedError(
            f"norm of a matrix with ord={ord} and no axis is NumPy's matrix norm. Write ag.matrix_norm(x, ord=...) "
            "for that,\nor axis=(0, 1) for the vector norm of its elements."
        )
    if ord is None or ord == 2:
        return _length(x, axes, keepdims)
    if ord in (math.inf, -math.inf):
        return (max if ord > 0 else min)(abs(x), axes, keepdims=keepdims)
    if ord == 0:
        return sum_(abs(sign(x)), axis=axes, keepdims=keepdims)
    if ord == 1:
        return sum_(abs(x), axis=axes, keepdims=keepdims)
    return pow(sum_(pow(abs(x), ord), axis=axes, keepdims=keepdims), 1 / ord)


@public(np.trace)
def trace(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of the diagonal of two axes.

    >>> import autograd as ag
    >>> ag.trace(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    return sum(diagonal(x, offset, axis1, axis2), -1)
