"""Weights that stay orthogonal, by three maps from all matrices to orthogonal ones."""

from __future__ import annotations

import math
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.generators import stream_of
from nn.module import Buffer, Module
from nn.parametrize import register_parametrization, tensor_of

M = TypeVar("M", bound=Module)
Map = Literal["matrix_exp", "cayley", "householder"]


def matrix_exp(a: Tensor) -> Tensor:
    """e^A = (e^(A / 2^s))^(2^s) of square matrices (..., n, n), by 8 terms of the series where |A / 2^s| <= 1 / 16.

    >>> ag.round(matrix_exp(ag.tensor([[0.0, 1.0], [0.0, 0.0]])), 9)
    tensor([[1., 1.],
            [0., 1.]])
    """
    size = float(ag.max(ag.sum(ag.abs(a.detach()), -1))) if a.size else 0.0
    squarings = max(0, math.ceil(math.log2(16 * size))) if 0 < size < math.inf else 0
    a = a / 2**squarings
    powers = ag.eye(a.shape[-1], dtype=a.dtype), a, a @ a

    def terms(first: int) -> Tensor:
        parts = [x / math.factorial(first + k) for k, x in enumerate(powers)]
        return parts[0] + parts[1] + parts[2]

    cube = powers[2] @ a
    y = terms(0) + cube @ (terms(3) + cube @ terms(6))
    for _ in range(squarings):
        y = y @ y
    return y


def _cayley(a: Tensor) -> Tensor:
    """(I - A / 2)^-1 (I + A / 2)."""
    one = ag.eye(a.shape[-1], dtype=a.dtype)
    return ag.solve(one - a / 2, one + a / 2)


def _reflections(x: Tensor) -> Tensor:
    """The first columns of H_1 H_2 ..., H_i = I - 2 v v^T / v^T v, v the i-th column of x from below its diagonal.

    I - V T V^T with T^-1 = triu(V^T V) but half its diagonal (Joffrain et al. 2006). The diagonal of x has the signs
    of the columns.
    """
    n, k = x.shape[-2:]
    one = ag.eye(n, k, dtype=x.dtype)
    v = ag.tril(x, k=-1) + one
    products = ag.triu(v.mT @ v)
    half = products * (1 - ag.eye(k, dtype=x.dtype) / 2)
    signs = ag.sum(ag.sign(x.detach()) * one, -2, keepdims=True)
    return (one - v @ ag.solve(half, v[..., :k, :].mT)) * signs


def _orthogonalized(q: NDArray[np.floating]) -> NDArray[np.floating]:
    """The Q of QR with a positive diagonal of R: the matrix itself where it is orthogonal."""
    found, r = np.linalg.qr(q)
    signs = np.sign(np.diagonal(r, axis1=-2, axis2=-1))
    return np.asarray(found * np.where(signs == 0, 1, signs)[..., None, :], q.dtype)


class Orthogonal(Module):
    """A matrix with orthonormal columns, or rows where it is wide, out of any matrix X of its shape.

        "matrix_exp"   Q = e^A, A = tril(X) - tril(X)^T
        "cayley"       Q = (I - A / 2)^-1 (I + A / 2)
        "householder"  Q = H_1 H_2 ... of the columns below the diagonal, times the signs on it

    cut to the shape of X; with a base, base Q.

    Parameters:
        shape: that of the matrix, (..., n, k).
        orthogonal_map: one of these names.
        use_trivialization: whether there is a base, an orthogonal matrix that Q starts from (Lezcano-Casado 2019).
        generator: what completes the base of a matrix that is not square; the default stream of `ag.random` for None.

    >>> q = Orthogonal((3, 2), "cayley", use_trivialization=False)(ag.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    >>> ag.round(q.mT @ q, 9)
    tensor([[1., 0.],
            [0., 1.]])
    """

    base: Buffer

    def __init__(
        self,
        shape: tuple[int, ...],
        orthogonal_map: Map,
        *,
        use_trivialization: bool = True,
        generator: ag.random.Generator | None = None,
    ) -> None:
        self.shape, self.orthogonal_map, self.use_trivialization = shape, orthogonal_map, use_trivialization
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """(..., n, k) to the same."""
        wide = x.shape[-2] < x.shape[-1]
        q = self._tall(x.mT if wide else x)
        if self.use_trivialization:
            q = self.base @ q
        return q.mT if wide else q

    def _tall(self, x: Tensor) -> Tensor:
        if self.orthogonal_map == "householder":
            return _reflections(x)
        n, k = x.shape[-2:]
        lower = ag.tril(x)
        if n != k:
            lower = ag.concat([lower, ag.zeros((*x.shape[:-1], n - k), x.dtype)], -1)
        a = lower - lower.mT
        q = matrix_exp(a) if self.orthogonal_map == "matrix_exp" else _cayley(a)
        return q[..., :k]

    def extra_repr(self) -> str:
        """The settings."""
        return f"orthogonal_map={self.orthogonal_map!r}, use_trivialization={self.use_trivialization}"


class Assignable(Orthogonal):
    """An `Orthogonal` that knows which X gives a value: one with a base, or of reflections.

    >>> part = Assignable((2, 2), "cayley")
    >>> part(part.right_inverse(ag.tensor([[0.0, -1.0], [1.0, 0.0]])))
    tensor([[ 0., -1.],
            [ 1.,  0.]])
    """

    def right_inverse(self, value: Tensor) -> Tensor:
        """X for a matrix, which is made orthogonal if it is not; the base becomes that matrix.

        Raises:
            ShapeError: for another shape.
        """
        if value.shape != self.shape:
            raise ShapeError(f"a weight of shape {self.shape} was given a value of shape {value.shape}.")
        wide = value.shape[-2] < value.shape[-1]
        q = value.detach().numpy()
        q = np.swapaxes(q, -1, -2) if wide else q
        n, k = q.shape[-2:]
        if self.use_trivialization:
            rest = stream_of(self.generator, "orthogonal").normal(size=(*q.shape[:-1], n - k), dtype=q.dtype)
            self.base = Buffer(_orthogonalized(np.concatenate([q, rest.numpy()], -1)))
            start = np.broadcast_to(-np.eye(*value.shape[-2:], dtype=q.dtype), value.shape)
            return ag.asarray(np.array(start))
        packed, tau = np.linalg.qr(q, mode="raw")
        x = np.swapaxes(packed, -1, -2).astype(q.dtype)
        places = np.arange(k)
        signs = np.sign(x[..., places, places])
        x[..., places, places] = np.where(tau == 0, -signs, signs)
        return ag.asarray(np.swapaxes(x, -1, -2).copy() if wide else x)


def orthogonal(
    module: M,
    name: str = "weight",
    orthogonal_map: Map | None = None,
    *,
    use_trivialization: bool = True,
    generator: ag.random.Generator | None = None,
) -> M:
    """Keep a module's weight orthogonal: w^T w = I, or w w^T = I where it is wide; returns the module.

    Its start is the weight as it is, made orthogonal; without a base, what the first two maps make of it. Of a weight
    with more than two axes the last two are matrices.

    Parameters:
        module: where the weight is; changed. Build the optimizer afterwards.
        name: the weight's.
        orthogonal_map: "matrix_exp", "cayley" or "householder", as in `Orthogonal`; for None the first for square
            matrices, the last for others.
        use_trivialization: whether the map starts from an orthogonal base, which helps training.
        generator: what completes the base of a matrix that is not square; the default stream of `ag.random` for None.

    State: X as `parametrizations.weight.original`, the base as `parametrizations.weight.0.base`.

    Raises:
        ArgumentError: if the module has no parameter of this name, or there is no such map.
        ShapeError: if it is a vector.

    Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", 2019.

    >>> import nn
    >>> layer = orthogonal(nn.Linear(3, 3, dtype="float64"))
    >>> bool(ag.all(ag.abs(layer.weight @ layer.weight.mT - ag.eye(3)) < 1e-12))
    True
    """
    weight = tensor_of(module, name)
    shape = (1, 1) if weight is None else weight.shape
    if len(shape) < 2:
        raise ShapeError(f"orthogonal was given a weight of shape {shape}. Expected a matrix, or some: (..., n, k).")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if shape[-2] == shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ArgumentError(
            f"orthogonal was given orthogonal_map={orthogonal_map!r}. Expected 'matrix_exp', 'cayley' or 'householder'."
        )
    kind = Assignable if use_trivialization or orthogonal_map == "householder" else Orthogonal
    part = kind(shape, orthogonal_map, use_trivialization=use_trivialization, generator=generator)
    return register_parametrization(module, name, part)
