"""Gradients that are too large, made smaller: by value, by their common norm, by the norm of what they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import inf, isfinite
from typing import Any

import numpy as np

import autograd as ag
from autograd import RowSparse, Tensor
from autograd.errors import ArgumentError, DataError

SMALL = 1e-6  # keeps the divisor from zero, as in PyTorch


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Keep each gradient between -clip_value and clip_value.

        g <- max(min(g, clip_value), -clip_value)

    Parameters:
        parameters: Tensors; those without a gradient are left alone.
        clip_value: the largest magnitude, 0 or more.

    Raises:
        ArgumentError: a negative clip_value.

    >>> import autograd as ag
    >>> w = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> clip_grad_value_([w], 3.0)
    >>> w.grad
    tensor([2., 3.])
    """
    limit = _positive("clip_value", clip_value)
    with ag.no_grad():
        for w, g in _with_gradients(parameters):
            limited: Any = g.map(partial(_limited, limit=limit)) if isinstance(g, RowSparse) else _limited(g, limit)
            w.grad = limited


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients alike, so that their norm as one vector is at most max_norm.

        n = (sum |g|^p)^(1/p) over the elements of all gradients
        g <- g min(1, max_norm / (n + 1e-6))

    Parameters:
        parameters: Tensors; those without a gradient are left alone.
        max_norm: the largest norm, 0 or more; inf measures the norm only.
        norm_type: p, above 0; inf takes the largest magnitude.
        error_if_nonfinite: raise where the norm is not finite, instead of scaling by it.

    Returns:
        The norm n before clipping.

    Raises:
        ArgumentError: a negative max_norm, or a norm_type that is not above 0.
        DataError: a norm that is not finite, if asked for.

    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013, algorithm 1.

    >>> import autograd as ag
    >>> w = ag.tensor([1.5, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> clip_grad_norm_([w], 0.5)
    tensor(5.)
    >>> ag.round(w.grad, 4)
    tensor([0.3, 0.4])
    """
    limit = _positive("max_norm", max_norm)
    if not norm_type > 0:
        raise ArgumentError(f"clip_grad_norm_ was given norm_type={norm_type}. Expected a number above 0, or inf.")
    found = _with_gradients(parameters)
    with ag.no_grad():
        norm = _joint_norm([_held(g) for _, g in found], float(norm_type))
        if error_if_nonfinite:
            ag.check(_check_finite, norm)
        if ag.is_captured(norm):  # which way to go is not known yet: a factor of 1 changes nothing
            factor: Any = limit / (norm + SMALL)
            _scale(found, ag.where(factor >= 1, 1.0, factor))
        elif not (factor := limit / (norm.item() + SMALL)) >= 1:  # most steps clip nothing; a NaN spreads, as it should
            _scale(found, factor)
    return norm


def clip_grad_adaptive_(parameters: Tensor | Iterable[Tensor], clip_factor: float = 0.01, eps: float = 1e-3) -> None:
    """Keep the gradient of each unit small in proportion to the weights of the unit.

        g_i <- g_i min(1, clip_factor max(|w_i|, eps) / |g_i|)

    A unit i is a row of a weight (axis 0: what one output is made of); of a vector or a number, the whole of it. The
    paper leaves the last layer out: give the parameters of the others.

    Parameters:
        parameters: Tensors; those without a gradient are left alone.
        clip_factor: lambda, 0 or more; the larger the batch, the smaller.
        eps: the norm that a unit is taken to have at least, so that weights can leave zero.

    Raises:
        ArgumentError: a negative setting.

    Brock et al., "High-performance large-scale image recognition without normalization", 2021, equation 3.

    >>> import autograd as ag
    >>> w = ag.tensor([[3.0, 4.0], [0.3, 0.4]], requires_grad=True)
    >>> (w * ag.tensor([[0.0, 0.01], [0.0, 1.0]])).sum().backward()
    >>> clip_grad_adaptive_([w])
    >>> w.grad
    tensor([[0. , 0.01 ], [0. , 0.005]])
    """
    factor, least = _positive("clip_factor", clip_factor), _positive("eps", eps)
    with ag.no_grad():
        for w, g in _with_gradients(parameters):
            if isinstance(g, RowSparse) and w.ndim > 1:
                rows = ag.take(w.detach(), g.coalesce().indices, 0)
                small: Any = g.map(partial(_scaled_down, rows, factor=factor, least=least))
            else:
                g = g.to_dense() if isinstance(g, RowSparse) else g.detach()
                small = _scaled_down(w.detach(), g, factor=factor, least=least)
            w.grad = small


def _with_gradients(parameters: Tensor | Iterable[Tensor]) -> list[tuple[Tensor, Any]]:
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [(w, w.grad) for w in parameters if w.grad is not None]


def _check_finite(norm: Any) -> None:
    size = float(norm)
    if not isfinite(size):
        raise DataError(
            f"the norm of the gradients is {size}, so that they cannot be clipped by it.\n"
            "Look for the first loss that is not finite, or leave error_if_nonfinite out."
        )


def _scale(found: list[tuple[Tensor, Any]], factor: Any) -> None:
    for w, g in found:
        w.grad = g.detach() * (factor if isinstance(factor, float) else ag.astype(factor, g.dtype))


def _joint_norm(gradients: list[Tensor], p: float) -> Tensor:
    # the square of 300 is no float16
    gradients = [ag.astype(g, "float32") if g.dtype == np.float16 else g for g in gradients if g.size]
    if not gradients:
        return ag.tensor(0.0)
    if p == 2 and ag.is_captured(gradients[0]):  # a kernel makes no array of the squares either
        return ag.sqrt(sum([ag.sum(g * g) for g in gradients[1:]], ag.sum(gradients[0] * gradients[0])))
    flat = [ag.reshape(g, (-1,)) for g in gradients]
    if p == inf:
        return ag.max(ag.stack([ag.max(ag.abs(g)) for g in flat]))
    if p == 2:  # a product with itself makes no array on its way
        return ag.sqrt(ag.sum(ag.stack([ag.vecdot(g, g) for g in flat])))
    return ag.sum(ag.stack([ag.sum(ag.abs(g) ** p) for g in flat])) ** (1 / p)


def _limited(g: Tensor, limit: float) -> Tensor:
    return ag.clip(g, -limit, limit)


def _scaled_down(w: Tensor, g: Tensor, *, factor: float, least: float) -> Tensor:
    limit, size = factor * ag.maximum(_unit_norm(w), least), _unit_norm(g)
    return ag.where(size > limit, g * (limit / ag.maximum(size, SMALL)), g)


def _held(g: Tensor | RowSparse) -> Tensor:
    """The numbers of a gradient that may not be zero."""
    return g.coalesce().values if isinstance(g, RowSparse) else g.detach()


def _unit_norm(x: Tensor) -> Tensor:
    return ag.norm(x, axis=tuple(range(1, x.ndim)), keepdims=True) if x.ndim > 1 else ag.norm(x)


def _positive(name: str, value: float) -> float:
    if not value >= 0:
        raise ArgumentError(f"{name}={value} was given to clip gradients by. Expected 0 or more.")
    return float(value)
