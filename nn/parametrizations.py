"""Weight and spectral normalisation, as parametrisations of a weight; `orthogonal` is one, too."""

from __future__ import annotations

import math
from typing import TypeVar

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, IndexOutOfRange
from nn.module import Buffer, Module
from nn.orthogonal import orthogonal as orthogonal
from nn.parametrize import register_parametrization, tensor_of
from nn.response_norm import normalize

M = TypeVar("M", bound=Module)
SMALLEST = 1e-24  # a square: a weight of zeros stays zeros, without NaN
WARM_UP = 15  # power iterations at the start, as in PyTorch


@ag.fused
def _rescaled(length: Tensor, direction: Tensor, *, axes: tuple[int, ...]) -> Tensor:
    square = ag.sum(direction * direction, axes, keepdims=True)
    return direction * (length * ag.rsqrt(ag.clip(square, SMALLEST)))


class WeightNorm(Module):
    """w = g v / ||v||: length g and direction v of a weight, apart (Salimans & Kingma 2016).

    Parameters:
        dim: the axis along which each slice has a length of its own; None for one length of the whole.

    >>> w = WeightNorm()(ag.tensor([[10.0]]), ag.tensor([[3.0, 4.0]]))
    >>> w.tolist()
    [[6.0, 8.0]]
    """

    def __init__(self, dim: int | None = 0) -> None:
        self.dim = None if dim == -1 else dim  # PyTorch's -1 means no axis, too

    def _axes(self, v: Tensor) -> tuple[int, ...]:
        return tuple(k for k in range(v.ndim) if k != self.dim)

    def forward(self, original0: Tensor, original1: Tensor) -> Tensor:
        """g (1, ..., out, ..., 1), or () for no axis, and v; to w of the shape of v."""
        return _rescaled(original0, original1, axes=self._axes(original1))

    def right_inverse(self, value: Tensor) -> tuple[Tensor, Tensor]:
        """The norms of the slices, and the weight as the direction."""
        return ag.norm(value, axis=self._axes(value), keepdims=self.dim is not None), value

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """w = g v / ||v|| for a module's weight, which g and v are trained for; returns the module.

    Parameters:
        module: where the weight is; changed. Build the optimizer afterwards.
        name: the weight's.
        dim: the axis along which each slice has a length of its own; None for one length of the whole.

    State: g as `parametrizations.weight.original0`, v as `parametrizations.weight.original1`.

    Raises:
        ArgumentError: if the module has no parameter of this name.
        IndexOutOfRange: if the weight has no axis `dim`.

    Salimans and Kingma, "Weight normalization: a simple reparameterization to accelerate training of deep neural
    networks", 2016.

    >>> import nn
    >>> layer = weight_norm(nn.Linear(3, 2))
    >>> {name: p.shape for name, p in layer.named_parameters()}  # doctest: +NORMALIZE_WHITESPACE
    {'bias': (2,), 'parametrizations.weight.original0': (2, 1), 'parametrizations.weight.original1': (2, 3)}
    """
    if dim not in (None, -1):
        _expect_axis(tensor_of(module, name), dim, "weight_norm")
    return register_parametrization(module, name, WeightNorm(dim))


def _expect_axis(weight: Tensor | None, dim: int | None, who: str) -> None:
    if weight is not None and (dim is None or not 0 <= dim < weight.ndim):
        raise IndexOutOfRange(
            f"{who} was given dim={dim} for a weight of shape {weight.shape}. Expected 0 to {weight.ndim - 1}."
        )


class SpectralNorm(Module):
    """w = W / sigma, sigma the largest singular value of W as a matrix (Miyato et al. 2018).

    sigma = u^T W v, where u and v are kept from call to call, and improved by power iterations in training: u = W v,
    v = W^T u, each over its length. They count as constants for the gradient. A vector is divided by its length.

    Parameters:
        weight: what is to be normalised.
        n_power_iterations: how many there are in each call in training.
        dim: the axis that is the matrix's rows; the others are its columns.
        eps: the smallest length that is divided by.
        generator: where u and v start; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: if n_power_iterations is not positive.

    >>> w = ag.tensor([[3.0, 0.0], [0.0, 1.0]])
    >>> ag.round(SpectralNorm(w, generator=ag.random.Generator(0))(w), 6)
    tensor([[1. , 0. ],
            [0. , 0.333333]])
    """

    def __init__(
        self,
        weight: Tensor,
        n_power_iterations: int = 1,
        dim: int = 0,
        eps: float = 1e-12,
        *,
        generator: ag.random.Generator | None = None,
    ) -> None:
        if n_power_iterations < 1:
            raise ArgumentError(
                f"SpectralNorm was given n_power_iterations={n_power_iterations}. Expected a positive number."
            )
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps
        if weight.ndim > 1:
            matrix = self._matrix(weight.detach())
            draw = generator or ag.random.default
            u, v = (draw.normal(size=n, dtype=weight.dtype) for n in matrix.shape)
            self._u, self._v = Buffer(normalize(u, dim=0, eps=eps)), Buffer(normalize(v, dim=0, eps=eps))
            self._iterate(matrix, WARM_UP)

    def _matrix(self, weight: Tensor) -> Tensor:
        rows = ag.moveaxis(weight, self.dim, 0)
        return ag.reshape(rows, (rows.shape[0], math.prod(rows.shape[1:])))

    def _iterate(self, matrix: Tensor, count: int) -> None:
        with ag.no_grad():
            for _ in range(count):
                self._u.copy_(normalize(matrix @ self._v, dim=0, eps=self.eps))
                self._v.copy_(normalize(matrix.mT @ self._u, dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        """Any shape, which is kept."""
        if weight.ndim < 2:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        sigma = ag.vecdot(self._u.detach(), matrix @ self._v.detach())
        return weight / ag.where(sigma == 0, 1.0, sigma)  # a weight of zeros stays zeros

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself, which may have any length."""
        return value

    def extra_repr(self) -> str:
        """The settings."""
        return f"n_power_iterations={self.n_power_iterations}, dim={self.dim}, eps={self.eps}"


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    *,
    generator: ag.random.Generator | None = None,
) -> M:
    """w = W / sigma for a module's weight, sigma the largest singular value of W: see `SpectralNorm`.

    Parameters:
        module: where the weight is; changed. Build the optimizer afterwards.
        name: the weight's.
        n_power_iterations: how many there are each time that the weight is read in training.
        eps: the smallest length that is divided by.
        dim: the axis of the outputs; for None 0, and 1 for transposed convolutions.
        generator: where u and v start; the default stream of `ag.random` for None.

    State: W as `parametrizations.weight.original`, u and v as `parametrizations.weight.0._u` and `..._v`.

    Raises:
        ArgumentError: if the module has no parameter of this name, or n_power_iterations is not positive.
        IndexOutOfRange: if the weight has no axis `dim`.

    Miyato et al., "Spectral normalization for generative adversarial networks", 2018.

    >>> import nn
    >>> layer = spectral_norm(nn.Linear(3, 3), n_power_iterations=50)
    >>> import numpy as np
    >>> round(float(np.linalg.norm(layer.weight.detach().numpy(), 2)), 3)
    1.0
    """
    weight = tensor_of(module, name)
    if dim is None:
        dim = int(any(kind.__name__.startswith("ConvTranspose") for kind in type(module).__mro__))
    _expect_axis(weight, dim, "spectral_norm")
    start = ag.zeros(1) if weight is None else weight
    return register_parametrization(
        module, name, SpectralNorm(start, n_power_iterations, dim, eps, generator=generator)
    )
