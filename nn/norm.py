"""Normalisation over the features of each sample, whatever the batch."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.linear import expect_floating
from nn.module import Module, Parameter

FEW = 64  # elements from which on kernels beat the many operations of a normalisation

Shape = int | Sequence[int]


def definite_features(normalized_shape: Shape, who: object) -> tuple[int, ...]:
    """The lengths of the axes that are normalised.

    Raises:
        ArgumentError: if there is none, or one is not positive.

    >>> definite_features(8, "LayerNorm")
    (8,)
    """
    lengths = tuple(normalized_shape) if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    if not lengths or not all(isinstance(n, Integral) and n > 0 for n in lengths):
        raise ArgumentError(
            f"{who} was given normalized_shape={normalized_shape!r}. Expected a positive length, or one for each of "
            "the last axes."
        )
    return tuple(map(int, lengths))


def _last_axes(x: Tensor, lengths: tuple[int, ...], who: object) -> tuple[int, ...]:
    """The axes of x that the lengths belong to."""
    count = len(lengths)
    if x.ndim < count or tuple(x.shape[x.ndim - count :]) != lengths:
        advice = ""
        if x.ndim:
            call = f"{type(who).__name__}({x.shape[-1]})" if isinstance(who, Module) else f"{who}(x, {x.shape[-1]})"
            advice = f"\nWrite {call} for its last axis."
        expected = ", ".join(map(str, lengths))
        raise ShapeError(f"{who} was given an input of shape {tuple(x.shape)}. Expected (..., {expected}).{advice}")
    expect_floating(x, who)
    return tuple(range(x.ndim - count, x.ndim))


def _expect_parameter(t: Tensor | None, name: str, lengths: tuple[int, ...], who: str) -> None:
    if t is not None and tuple(t.shape) != lengths:
        raise ShapeError(f"{who} was given a {name} of shape {tuple(t.shape)}. Expected {lengths}.")


@ag.fused(smallest=FEW)
def _layer_norm(x: Tensor, *affine: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    centred = x - ag.mean(x, axes, keepdims=True)
    y = centred * ag.rsqrt(ag.mean(centred * centred, axes, keepdims=True) + eps)
    for weight in affine[:1]:
        y = y * weight
    for bias in affine[1:]:
        y = y + bias
    return y


def layer_norm(
    x: Tensor, normalized_shape: Shape, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """y = (x - mean) / sqrt(var + eps) w + b, over the last axes, of each sample for itself (Ba et al. 2016).

    Parameters:
        x: (..., *normalized_shape).
        normalized_shape: the lengths of the axes that mean and variance (without correction) are over.
        weight, bias: w and b of shape normalized_shape; 1 and 0 if None.
        eps: what keeps the root away from 0.

    Raises:
        ShapeError: if x does not end in normalized_shape, or weight or bias is not of that shape.
        DTypeError: if x is not floating.
        ArgumentError: if a length is not positive.

    >>> layer_norm(ag.tensor([[1.0, 3.0]]), 2, eps=0.0)
    tensor([[-1., 1.]])
    """
    lengths = definite_features(normalized_shape, "layer_norm")
    axes = _last_axes(x, lengths, "layer_norm")
    _expect_parameter(weight, "weight", lengths, "layer_norm")
    _expect_parameter(bias, "bias", lengths, "layer_norm")
    return _layer_norm(x, *present(weight, bias), axes=axes, eps=eps)


def present(weight: Tensor | None, bias: Tensor | None) -> tuple[Tensor, ...]:
    """What a normalised value is multiplied with and what is then added, as far as there is any.

    >>> present(None, None)
    ()
    """
    if bias is None:
        return () if weight is None else (weight,)
    return ag.ones_like(bias) if weight is None else weight, bias


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) w + b, over the last axes: see `nn.functional.layer_norm`.

    Parameters:
        normalized_shape: the lengths of the last axes.
        eps: what keeps the root away from 0.
        elementwise_affine: whether there are w and b, which start at 1 and 0.
        bias: whether there is b.
        dtype: of w and b.

    Attributes:
        weight: normalized_shape, or None.
        bias: normalized_shape, or None.

    Raises:
        ArgumentError: if a length is not positive.
        ShapeError: if the input does not end in normalized_shape.

    Ba, Kiros and Hinton, "Layer normalization", 2016.

    >>> LayerNorm(2, eps=0.0)(ag.tensor([[1.0, 3.0]], dtype="float32")).detach()
    tensor([[-1., 1.]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: Shape,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = "float32",
    ) -> None:
        self.normalized_shape = definite_features(normalized_shape, "LayerNorm")
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(ag.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(ag.zeros(self.normalized_shape, dtype)) if elementwise_affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., *normalized_shape), its shape kept."""
        axes = _last_axes(x, self.normalized_shape, self)
        return _layer_norm(x, *present(self.weight, self.bias), axes=axes, eps=self.eps)

    def extra_repr(self) -> str:
        """The shape and the settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


@ag.fused(smallest=FEW)
def _rms_norm(x: Tensor, *affine: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    y = x * ag.rsqrt(ag.mean(x * x, axes, keepdims=True) + eps)
    return y * affine[0] if affine else y


def _smallest_step(x: Tensor) -> float:
    """The distance from 1 to the next number of the dtype of x: PyTorch's eps where none is given."""
    return 2.0 ** -{"float16": 10, "float32": 23}.get(x.dtype.name, 52)


def rms_norm(x: Tensor, normalized_shape: Shape, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """y = x / sqrt(mean(x^2) + eps) w, over the last axes, of each sample for itself (Zhang & Sennrich 2019).

    Parameters:
        x: (..., *normalized_shape).
        normalized_shape: the lengths of the axes that the mean is over.
        weight: w of shape normalized_shape; 1 if None.
        eps: what keeps the root away from 0; for None the machine epsilon of the dtype of x.

    Raises:
        ShapeError: if x does not end in normalized_shape, or weight is not of that shape.
        DTypeError: if x is not floating.
        ArgumentError: if a length is not positive.

    >>> rms_norm(ag.tensor([[3.0, 4.0, 0.0, 0.0]]), 4, eps=0.0)
    tensor([[1.2, 1.6, 0. , 0. ]])
    """
    lengths = definite_features(normalized_shape, "rms_norm")
    axes = _last_axes(x, lengths, "rms_norm")
    _expect_parameter(weight, "weight", lengths, "rms_norm")
    return _rms_norm(x, *present(weight, None), axes=axes, eps=_smallest_step(x) if eps is None else eps)


class RMSNorm(Module):
    """y = x / sqrt(mean(x^2) + eps) w, over the last axes: see `nn.functional.rms_norm`.

    Parameters:
        normalized_shape: the lengths of the last axes.
        eps: what keeps the root away from 0; for None the machine epsilon of the dtype of the input.
        elementwise_affine: whether there is w, which starts at 1.
        dtype: of w.

    Attributes:
        weight: normalized_shape, or None.

    Raises:
        ArgumentError: if a length is not positive.
        ShapeError: if the input does not end in normalized_shape.

    Zhang and Sennrich, "Root mean square layer normalization", 2019.

    >>> RMSNorm(4, elementwise_affine=False)(ag.tensor([3.0, 4.0, 0.0, 0.0]))
    tensor([1.2, 1.6, 0. , 0. ])
    """

    def __init__(
        self,
        normalized_shape: Shape,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike = "float32",
    ) -> None:
        self.normalized_shape = definite_features(normalized_shape, "RMSNorm")
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(ag.ones(self.normalized_shape, dtype)) if elementwise_affine else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., *normalized_shape), its shape kept."""
        axes = _last_axes(x, self.normalized_shape, self)
        eps = _smallest_step(x) if self.eps is None else self.eps
        return _rms_norm(x, *present(self.weight, None), axes=axes, eps=eps)

    def extra_repr(self) -> str:
        """The shape and the settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
