"""Normalised exponentials, stable at any size of the logits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.domain import case
from autograd.ops.axes import Axes, definite_axes, one_axis, rank
from autograd.ops.compare import equal, isfinite, stop_gradient
from autograd.ops.elementwise import exp, log, multiply, subtract, where
from autograd.ops.reduce import OVER_AXES, max_, spread, sum_
from autograd.ops.shape import astype, reshape_
from autograd.primitive import Traced, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor


def _top(x: Any, axis: tuple[int, ...]) -> Any:
    """The finite maximum that exponents are shifted by, whose derivatives cancel."""
    top = stop_gradient(max_(x, axis=axis, keepdims=True))
    return where(isfinite(top), top, 0)


def _logsumexp_composed(x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    top = _top(x, axis)
    y = log(sum_(exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else reshape_(y, shape=tuple(n for k, n in enumerate(x.shape) if k not in axis))


def _softmax_composed(x: Any, *, axis: int) -> Any:
    e = exp(x - _top(x, (axis,)))
    return e / sum_(e, axis=(axis,), keepdims=True)


def _log_softmax_composed(x: Any, *, axis: int) -> Any:
    shifted = x - _top(x, (axis,))
    return shifted - log(sum_(exp(shifted), axis=(axis,), keepdims=True))


_logsumexp = primitive(
    "logsumexp",
    "x",
    lambda x, *, axis, keepdims: _stable_logsumexp(x, axis, keepdims),
    vjp=(lambda g, y, x, *, axis: _logsumexp_rule(g, spread(y, x.shape, axis), x, axis),),
    cases=OVER_AXES,
    composition=_logsumexp_composed,
    doc="log of the sum of e^x over axes, without overflow.",
)


def _stable_logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    top = np.max(np.real(x), axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0).astype(top.dtype)
    with np.errstate(divide="ignore"):
        y = np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True)) + shift
    return y if keepdims else np.squeeze(y, axis)


def _logsumexp_rule(g: Any, y: Any, x: Any, axis: tuple[int, ...]) -> Any:
    none = equal(y, -math.inf)  # all of x is -inf: the slope is 0
    return multiply(spread(g, x.shape, axis), where(none, 0, exp(subtract(x, where(none, 0, y)))))


_softmax = primitive(
    "softmax",
    "x",
    lambda x, *, axis: _exp_normalized(x, axis),
    vjp=(lambda g, y, *, axis: multiply(y, subtract(g, sum_(multiply(g, y), axis=(axis,), keepdims=True))),),
    cases=(case((3, 4), axis=1), case((2, 3, 2), axis=0), case((0, 3), axis=1)),
    composition=_softmax_composed,
    doc="e^x over its sum along an axis.",
)
_log_softmax = primitive(
    "log_softmax",
    "x",
    lambda x, *, axis: _log_normalized(x, axis),
    vjp=(lambda g, y, *, axis: subtract(g, multiply(exp(y), sum_(g, axis=(axis,), keepdims=True))),),
    cases=(case((3, 4), axis=1), case((2, 3, 2), axis=0), case((0, 3), axis=1)),
    composition=_log_softmax_composed,
    doc="log of the softmax along an axis.",
)


def _exp_normalized(x: Any, axis: int) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    e /= np.add.reduce(e, axis, keepdims=True)
    return e


def _log_normalized(x: Any, axis: int) -> Any:
    y = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    y -= np.log(np.add.reduce(np.exp(y), axis, keepdims=True))
    return y


def _floats(x: Any) -> Any:
    """Whole numbers and truths as the floating numbers that `exp` takes them for; any other x as it is."""
    x = x if isinstance(x, Traced) else np.asarray(x)
    return x if x.dtype.kind in "fc" else astype(x, np.result_type(x.dtype, np.float16))


@public()
def logsumexp(x: Operand, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """log of the sum of e^x over the given axes, without overflow; -inf for no elements.

    >>> import autograd as ag
    >>> ag.logsumexp(ag.tensor([1000.0, 1000.0]))
    tensor(1000.69314718)
    """
    return _logsumexp(_floats(x), axis=definite_axes(axis, rank(x), "logsumexp"), keepdims=keepdims)


@public()
def softmax(x: Operand, axis: int = -1) -> Tensor:
    """e^x / sum(e^x) along an axis, without overflow.

    >>> import autograd as ag
    >>> ag.softmax(ag.tensor([0.0, 0.0]))
    tensor([0.5, 0.5])
    """
    return _softmax(_floats(x), axis=one_axis(axis, rank(x), "softmax"))


@public()
def log_softmax(x: Operand, axis: int = -1) -> Tensor:
    """x - log(sum(e^x)) along an axis, without overflow.

    >>> import autograd as ag
    >>> ag.log_softmax(ag.tensor([0.0, 0.0]))
    tensor([-0.69314718, -0.69314718])
    """
    return _log_softmax(_floats(x), axis=one_axis(axis, rank(x), "log_softmax"))
